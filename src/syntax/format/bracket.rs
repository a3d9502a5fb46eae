//! The layouts of brackets: lists with commas, and bodies with statements.
//!
//! In: an opening bracket, what is in it, the closing one. Out: their document. A line break behind the opening
//! bracket is kept, as are the rows of a list that is broken. Invariant: a `;` stands only where the next statement
//! begins with `-`; only brackets that may end with a comma get one.

use super::super::grammar::Rule;
use super::doc::{Doc, Kind};
use super::layout::Layout;
use super::print::STEP;
use super::tree::Node;

/// As many blanks as the names of fields may differ by.
const BLANKS: &str = "                                ";
/// The columns of a list that is never broken.
const SHORT: usize = 8;
/// The same for `(x, dy)` before a body.
const WIRES: usize = 50;

impl<'t> Layout<'t> {
    /// A bracket of any kind.
    pub(super) fn bracket(&mut self, parent: Option<Rule>, open: &Node, inner: &[Node], close: &Node) -> Doc<'t> {
        let list = !open.is(Rule::b_open) || matches!(parent, Some(Rule::ports | Rule::params | Rule::parts));
        let outside = std::mem::replace(&mut self.in_list, list);
        let doc = if list {
            self.list(parent, open, inner, close)
        } else if matches!(parent, Some(Rule::data | Rule::train | Rule::game)) {
            self.record(open, inner, close)
        } else {
            self.body(open, inner, close)
        };
        self.in_list = outside;
        doc
    }

    /// Whether the user broke the line behind the opening bracket, or a comment wants it.
    fn broken(&self, open: &Node, close: &Node) -> bool {
        let noted = self.leaves.get(close.from).is_some_and(|leaf| !leaf.before.is_empty());
        let empty = open.to == close.from;
        noted || self.commented(open.from) || (!empty && self.begins_line(open.to))
    }

    /// Whether comments stand directly above or behind an element.
    fn noted(&self, element: &[Node]) -> bool {
        let (Some(first), Some(last)) = (element.first(), element.last()) else { return false };
        let above = self.leaves.get(first.from).is_some_and(|leaf| !leaf.before.is_empty());
        above || self.commented(last.to - 1)
    }

    /// The comments above a closing bracket.
    fn closing_comments(&mut self, close: &Node, first: bool) -> Vec<Doc<'t>> {
        let Some(leaf) = self.leaves.get_mut(close.from) else { return Vec::new() };
        leaf.blank = false;
        if leaf.before.is_empty() {
            return Vec::new();
        }
        vec![Doc::new(Kind::Hard), self.lead(close.from, first)]
    }

    /// `(a, b)`.
    fn list(&mut self, parent: Option<Rule>, open: &Node, inner: &[Node], close: &Node) -> Doc<'t> {
        let elements: Vec<&[Node]> = inner.split(|n| n.is(Rule::comma)).filter(|e| !e.is_empty()).collect();
        let broken = self.broken(open, close) || elements.iter().any(|e| self.noted(e));
        if let ([[only]], false) = (elements.as_slice(), broken)
            && matches!(only.core().rule, Some(Rule::list | Rule::tuple | Rule::parts))
        {
            // The brackets of a list in brackets open and close together.
            return Doc::concat(vec![self.token(open), self.node(only), self.token(close)]);
        }
        let edge = if parent == Some(Rule::parts) { Kind::Line } else { Kind::SoftLine };
        let filled = elements.len() > 4 && elements.iter().all(|e| is_number(e));
        let start = self.token(open);
        let mut rows = Vec::new();
        let mut row = Vec::new();
        for (at, element) in elements.iter().enumerate() {
            let Some(first) = element.first() else { continue };
            let begins = broken && (at == 0 || self.begins_line(first.from));
            if at > 0 {
                row.push(Doc::hug(","));
            }
            if begins {
                if at > 0 {
                    rows.push(Doc::group(std::mem::take(&mut row)));
                }
                rows.push(Doc::new(Kind::Hard));
                rows.push(self.lead(first.from, at == 0));
            }
            let parts = self.join(parent, element);
            match (at == 0 || begins, filled) {
                (true, _) => row.extend(parts),
                (false, true) => {
                    let parts = std::iter::once(Doc::new(Kind::Line)).chain(parts).collect();
                    row.push(Doc::group(parts));
                }
                (false, false) => {
                    row.push(Doc::new(Kind::Line));
                    row.extend(parts);
                }
            }
        }
        let comma = elements.len() > 1 && may_end_with_comma(parent);
        if broken {
            if comma {
                row.push(Doc::hug(","));
            }
            rows.push(if filled { Doc::concat(row) } else { Doc::group(row) });
            rows.extend(self.closing_comments(close, elements.is_empty()));
            let end = self.token(close);
            return Doc::concat(vec![start, Doc::indent(rows), Doc::new(Kind::Hard), end]);
        }
        let mut inside = Vec::new();
        if !elements.is_empty() {
            inside.push(Doc::new(if parent == Some(Rule::parts) { Kind::Line } else { Kind::SoftLine }));
            inside.append(&mut row);
            if comma {
                inside.push(Doc::new(Kind::IfBroken(",")));
            }
        }
        let edge = (!elements.is_empty()).then(|| Doc::new(edge));
        self.closing_comments(close, true);
        let end = self.token(close);
        let parts = std::iter::once(start).chain([Doc::indent(inside)]).chain(edge).chain([end]);
        let doc = Doc::group(parts.collect());
        // What little a short list would win is not worth its lines.
        let short = if parent == Some(Rule::wires) { WIRES } else { SHORT };
        if doc.flat_width().is_some_and(|width| width <= short) { doc.flat() } else { doc }
    }

    /// `{ let a = b  c }`: one statement a line.
    fn body(&mut self, open: &Node, inner: &[Node], close: &Node) -> Doc<'t> {
        let statements = statements(inner);
        let broken = statements.len() > 1 || self.broken(open, close);
        let start = self.token(open);
        let mut inside = Vec::new();
        for (at, statement) in statements.iter().enumerate() {
            let Some(first) = statement.first() else { continue };
            if at > 0 && self.leaves.get(first.from).is_some_and(|leaf| leaf.text == "-") {
                inside.push(Doc::hug(";"));
            }
            inside.push(Doc::new(if broken { Kind::Hard } else { Kind::Line }));
            if broken {
                inside.push(self.lead(first.from, at == 0));
            }
            let parts = self.join(None, statement);
            inside.extend(parts);
        }
        inside.extend(self.closing_comments(close, statements.is_empty()));
        let edge = (broken || !statements.is_empty()).then(|| Doc::new(if broken { Kind::Hard } else { Kind::Line }));
        let end = self.token(close);
        let parts = std::iter::once(start).chain([Doc::indent(inside)]).chain(edge).chain([end]);
        Doc::group(parts.collect())
    }

    /// `{ a = b, c = d }`: the rows of the user where they fit, `=` lined up in neighbouring rows of one field.
    fn record(&mut self, open: &Node, inner: &[Node], close: &Node) -> Doc<'t> {
        let fields = statements(inner);
        let newline = |l: &Self, f: &&[Node]| f.first().is_some_and(|n| l.begins_line(n.from));
        // A comment behind a field ends its line, so that the record cannot stand on one.
        let broken = self.broken(open, close) || fields.iter().any(|f| newline(self, f) || self.noted(f));
        let column: usize = self.leaves.iter().take(open.to).rev().take(3).map(|l| l.text.chars().count() + 1).sum();
        let start = self.token(open);
        // Rows of fields, each with what stands above it.
        let mut rows: Vec<(Doc<'t>, Vec<&[Node]>)> = Vec::new();
        for (at, field) in fields.iter().enumerate() {
            let Some(first) = field.first() else { continue };
            let above = at.checked_sub(1).and_then(|i| fields.get(i));
            let begins = self.begins_line(first.from) || above.is_none_or(|f| self.noted(f));
            match rows.last_mut() {
                Some((_, row)) if !begins => row.push(field),
                _ => rows.push((self.lead(first.from, at == 0), vec![field])),
            }
        }
        let mut lines: Vec<Line<'t>> = Vec::new();
        for (lead, row) in rows {
            let docs: Vec<(usize, Doc<'t>)> = row.iter().map(|field| self.field(field)).collect();
            let widths = docs.iter().map(|(_, d)| d.flat_width().map(|w| w + 2)).sum::<Option<usize>>();
            let room = if broken { self.width.saturating_sub(STEP) } else { self.width.saturating_sub(column + 1) };
            let fits = widths.is_some_and(|w| w.saturating_sub(2) <= room);
            if !broken && fits {
                let mut parts = vec![start, Doc::new(Kind::Space)];
                commas(docs, &mut parts);
                parts.push(Doc::new(Kind::Space));
                parts.push(self.token(close));
                return Doc::concat(parts);
            }
            let mut lead = Some(lead);
            if fits && docs.len() > 1 {
                let mut parts = Vec::new();
                commas(docs, &mut parts);
                lines.push(Line { lead: lead.take(), name: 0, doc: Doc::concat(parts) });
            } else {
                lines.extend(docs.into_iter().map(|(name, doc)| Line { lead: lead.take(), name, doc }));
            }
        }
        let pads = pads(&lines);
        let mut inside = Vec::new();
        let empty = lines.is_empty();
        for (line, pad) in lines.into_iter().zip(pads) {
            inside.push(Doc::new(Kind::Hard));
            inside.extend(line.lead);
            inside.push(padded(line.doc, pad));
        }
        inside.extend(self.closing_comments(close, empty));
        let edge = (!empty || broken).then(|| Doc::new(Kind::Hard));
        let end = self.token(close);
        Doc::concat(std::iter::once(start).chain([Doc::indent(inside)]).chain(edge).chain([end]).collect())
    }

    /// A field, with the width of its name if it is `name = value`.
    fn field(&mut self, field: &[Node]) -> (usize, Doc<'t>) {
        let [one] = field else { return (0, Doc::concat(self.join(None, field))) };
        let [name, eq, ..] = one.kids.as_slice() else { return (0, self.node(one)) };
        let leaf = self.leaves.get(name.from).filter(|_| one.is(Rule::field) && name.is_token() && eq.is(Rule::eq));
        let width = leaf.map_or(0, |l| l.text.chars().count());
        (width, self.node(one))
    }
}

/// A line of a record.
struct Line<'t> {
    /// The comments and the empty line above it.
    lead: Option<Doc<'t>>,
    /// The width of the name before `=`, 0 if it is not lined up.
    name: usize,
    doc: Doc<'t>,
}

/// How many blanks stand between name and `=` of each line.
fn pads(lines: &[Line<'_>]) -> Vec<usize> {
    let mut pads: Vec<usize> = Vec::with_capacity(lines.len());
    let apart = |l: &Line<'_>| l.lead.as_ref().is_some_and(|d| d.hard);
    let mut rest = lines;
    while let Some(first) = rest.first() {
        let run = 1 + rest.iter().skip(1).take_while(|l| first.name > 0 && l.name > 0 && !apart(l)).count();
        let (these, others) = rest.split_at_checked(run).unwrap_or((rest, &[]));
        let widest = these.iter().map(|l| l.name).max().unwrap_or(0);
        pads.extend(these.iter().map(|l| if l.name > 0 { widest - l.name } else { 0 }));
        rest = others;
    }
    pads
}

/// A field with blanks behind its name.
fn padded(mut doc: Doc<'_>, pad: usize) -> Doc<'_> {
    if let (Kind::Concat(parts), Some(blanks)) = (&mut doc.kind, BLANKS.get(..pad))
        && pad > 0
        && !parts.is_empty()
    {
        parts.insert(1, Doc::hug(blanks));
    }
    doc
}

fn commas<'t>(docs: Vec<(usize, Doc<'t>)>, parts: &mut Vec<Doc<'t>>) {
    for (at, (_, doc)) in docs.into_iter().enumerate() {
        if at > 0 {
            parts.push(Doc::hug(","));
            parts.push(Doc::new(Kind::Space));
        }
        parts.push(doc);
    }
}

/// The statements of a body: a rule each, with the keywords that stand before it.
fn statements(inner: &[Node]) -> Vec<&[Node]> {
    let mut found = Vec::new();
    for part in inner.split(|n| n.separates()) {
        found.extend(part.split_inclusive(|n| !n.is_token()).filter(|s| !s.is_empty()));
    }
    found
}

/// Whether an element of a list is a number, with a sign perhaps.
fn is_number(element: &[Node]) -> bool {
    let [one] = element else { return false };
    let core = one.core();
    core.is(Rule::number) || (core.is(Rule::unary) && core.kids.last().is_some_and(|n| n.core().is(Rule::number)))
}

/// Whether a comma may stand before the closing bracket.
fn may_end_with_comma(parent: Option<Rule>) -> bool {
    matches!(
        parent,
        Some(
            Rule::formals
                | Rule::ports
                | Rule::dims_formal
                | Rule::ty_tuple
                | Rule::wires
                | Rule::pat
                | Rule::dims
                | Rule::params
                | Rule::args
                | Rule::list
                | Rule::tuple
                | Rule::parts
        )
    )
}

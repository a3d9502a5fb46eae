//! Tokens and rules to a document: the parts that all rules share.
//!
//! In: a [`Tree`]. Out: one [`Doc`] for the file. Parts of a rule follow each other with the blanks that [`apart`]
//! says, also those of rules that nobody told this file about; brackets, expressions and items have layouts of their
//! own beside. Invariant: each token and each comment is handed out once, in order.

use super::super::grammar::Rule;
use super::doc::{Doc, Kind};
use super::tree::{Leaf, Node, Tree};

/// Lays a file out for lines of `width` columns.
pub(super) fn file<'t>(tree: &mut Tree<'t>, width: usize) -> Doc<'t> {
    let mut layout = Layout { leaves: std::mem::take(&mut tree.leaves), in_list: false, flush: false, width };
    let mut parts = Vec::new();
    for item in &tree.items {
        let first = parts.is_empty();
        if !first {
            parts.push(Doc::new(Kind::Hard));
        }
        parts.push(layout.lead(item.from, first));
        parts.push(layout.node(item));
    }
    for comment in &tree.end {
        if !parts.is_empty() {
            parts.push(Doc::new(if comment.blank { Kind::Blank } else { Kind::Hard }));
        }
        parts.push(Doc::new(Kind::Own(comment.text)));
    }
    Doc::concat(parts)
}

/// The tokens that are still to be handed out, and where the layout is.
pub(super) struct Layout<'t> {
    pub(super) leaves: Vec<Leaf<'t>>,
    /// Whether the innermost bracket is a list with commas: `x: T` in it, `x : T` elsewhere.
    pub(super) in_list: bool,
    /// Whether the next expression begins a line that is indented already, so that its own lines need not be.
    pub(super) flush: bool,
    /// The columns of a line.
    pub(super) width: usize,
}

impl<'t> Layout<'t> {
    /// A rule or token.
    pub(super) fn node(&mut self, node: &Node) -> Doc<'t> {
        let node = node.core();
        if node.is_token() {
            self.flush = false;
            return self.token(node);
        }
        match node.rule {
            Some(Rule::expr | Rule::compose) => self.chain(node),
            Some(Rule::choice) => self.choice(node),
            Some(Rule::sum | Rule::product | Rule::compare | Rule::ty) => self.operators(node),
            Some(Rule::arrow) => self.arrow(node),
            Some(Rule::map_item) => self.map_item(node),
            rule => {
                self.flush = false;
                let parts = self.join(rule, &node.kids);
                Doc::concat(parts)
            }
        }
    }

    /// The parts of a rule one after the other.
    pub(super) fn join(&mut self, parent: Option<Rule>, kids: &[Node]) -> Vec<Doc<'t>> {
        let mut parts = Vec::new();
        let mut before: Option<&Node> = None;
        let mut rest = kids;
        while let [kid, after @ ..] = rest {
            rest = after;
            if kid.is(Rule::semi) {
                continue;
            }
            if let Some(before) = before
                && self.apart(parent, before, kid)
            {
                parts.push(Doc::new(Kind::Space));
            }
            before = Some(kid);
            if kid.is(Rule::comma) {
                parts.push(Doc::hug(","));
            } else if let Some(at) = closer(kid).and_then(|close| after.iter().position(|n| n.is(close)))
                && let Some((inner, [close, outer @ ..])) = after.split_at_checked(at)
            {
                parts.push(self.bracket(parent, kid, inner, close));
                before = Some(close);
                rest = outer;
            } else if kid.is(Rule::eq)
                && let [value, outer @ ..] = after
            {
                parts.push(self.hug(kid));
                parts.push(self.assigned(value));
                before = Some(value);
                rest = outer;
            } else if kid.is(Rule::colon) || kid.is(Rule::tilde) {
                parts.push(self.hug(kid));
            } else {
                parts.push(self.node(kid));
            }
        }
        parts
    }

    /// The value behind `=`, with the blank before it.
    pub(super) fn assigned(&mut self, value: &Node) -> Doc<'t> {
        let core = value.core();
        let operators = matches!(
            core.rule,
            Some(Rule::expr | Rule::compose | Rule::choice | Rule::sum | Rule::product | Rule::compare | Rule::ty)
        );
        if operators {
            self.flush = true;
            let value = self.node(core);
            return Doc::group(vec![Doc::indent(vec![Doc::new(Kind::Line), value])]);
        }
        let value = self.node(core);
        Doc::concat(vec![Doc::new(Kind::Space), value])
    }

    /// A token with its comments.
    pub(super) fn token(&mut self, node: &Node) -> Doc<'t> {
        let lead = self.lead(node.from, true);
        let Some(leaf) = self.leaves.get_mut(node.from) else { return Doc::concat(Vec::new()) };
        let text = Doc::text(leaf.text);
        match leaf.after.take() {
            Some(comment) => Doc::concat(vec![lead, text, Doc::new(Kind::Trailing(comment))]),
            None if lead.hard => Doc::concat(vec![lead, text]),
            None => text,
        }
    }

    /// A token that never begins a line.
    pub(super) fn hug(&mut self, node: &Node) -> Doc<'t> {
        let Some(leaf) = self.leaves.get_mut(node.from) else { return Doc::concat(Vec::new()) };
        let text = Doc::hug(leaf.text);
        match leaf.after.take() {
            Some(comment) => Doc::concat(vec![text, Doc::new(Kind::Trailing(comment))]),
            None => text,
        }
    }

    /// The comments above a token, and the empty lines of the user; `first` where nothing stands above them.
    pub(super) fn lead(&mut self, at: usize, first: bool) -> Doc<'t> {
        let Some(leaf) = self.leaves.get_mut(at) else { return Doc::concat(Vec::new()) };
        let mut parts = Vec::new();
        let mut first = first;
        let commented = !leaf.before.is_empty();
        for comment in leaf.before.drain(..) {
            if comment.blank && !first {
                parts.push(Doc::new(Kind::Blank));
            }
            parts.push(Doc::new(Kind::Own(comment.text)));
            first = false;
        }
        if leaf.blank && (commented || !first) {
            parts.push(Doc::new(Kind::Blank));
            leaf.blank = false;
        }
        Doc::concat(parts)
    }

    /// Whether a token begins a line in the user's text.
    pub(super) fn begins_line(&self, at: usize) -> bool {
        self.leaves.get(at).is_some_and(|leaf| leaf.newline)
    }

    /// Whether a comment stands directly behind a token.
    pub(super) fn commented(&self, at: usize) -> bool {
        self.leaves.get(at).is_some_and(|leaf| leaf.after.is_some())
    }

    /// Whether a blank stands between two parts of a rule.
    fn apart(&self, parent: Option<Rule>, before: &Node, after: &Node) -> bool {
        let tight = |node: &Node| node.is(Rule::dots) || node.is(Rule::comma);
        if after.is(Rule::comma) || tight(after) || before.is(Rule::dots) || before.is(Rule::neg) {
            return false;
        }
        let bracket = self.leaves.get(after.from).is_some_and(|leaf| matches!(leaf.text, "(" | "[" | "{"));
        match after.rule {
            Some(Rule::dims | Rule::params | Rule::args | Rule::dims_formal | Rule::formals) => false,
            Some(Rule::colon) => match parent {
                Some(Rule::typed_pat | Rule::named_ty | Rule::part) => false,
                Some(Rule::port) => !self.in_list,
                _ => true,
            },
            Some(Rule::wires | Rule::block | Rule::ports | Rule::b_open) => true,
            Some(Rule::p_open) if parent == Some(Rule::params_of) => false,
            // A bracket that touches a name may mean something else than one that does not: as the user has it.
            _ if bracket && (before.is(Rule::ident) || before.is(Rule::path)) => {
                !self.leaves.get(after.from).is_some_and(|leaf| leaf.touches)
            }
            _ => true,
        }
    }
}

/// The rule that closes an opening bracket.
fn closer(node: &Node) -> Option<Rule> {
    match node.rule? {
        Rule::p_open => Some(Rule::p_close),
        Rule::s_open => Some(Rule::s_close),
        Rule::b_open => Some(Rule::b_close),
        _ => None,
    }
}

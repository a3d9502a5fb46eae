//! What a file is made of, as the formatter sees it: tokens with the comments around them, and which rule holds which.
//!
//! In: the text and pest's pairs. Out: [`Tree`]: the tokens in order, commas and semicolons left out, and a [`Node`]
//! an item. Nothing is known here of single rules, so that the grammar can grow. Invariant: each byte of the text is
//! a blank, a comma or semicolon that separates, or in exactly one token or comment.

use super::super::build_expr::Node as Pair;
use super::super::grammar::Rule;
use super::super::scan::scan;

/// A comment on a line of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comment<'t> {
    /// The comment from `//` on, without blanks behind it.
    pub(super) text: &'t str,
    /// Whether an empty line stands above it.
    pub(super) blank: bool,
}

/// A token.
#[derive(Debug)]
pub(super) struct Leaf<'t> {
    /// Its text.
    pub(super) text: &'t str,
    /// The rule that names it.
    rule: Option<Rule>,
    /// The comments on lines of their own above it.
    pub(super) before: Vec<Comment<'t>>,
    /// Whether an empty line stands directly above it.
    pub(super) blank: bool,
    /// Whether a line ends between the token before it and it.
    pub(super) newline: bool,
    /// Whether nothing at all stands between the token before it and it.
    pub(super) touches: bool,
    /// The comment behind it on its line.
    pub(super) after: Option<&'t str>,
}

/// A rule of the grammar in the text, or a token.
#[derive(Debug)]
pub(super) struct Node {
    /// The rule; none for a token that no rule names.
    pub(super) rule: Option<Rule>,
    /// Its first token.
    pub(super) from: usize,
    /// One past its last token.
    pub(super) to: usize,
    /// Its parts; none for a token.
    pub(super) kids: Vec<Node>,
}

impl Node {
    /// Whether it is of that rule.
    pub(super) fn is(&self, rule: Rule) -> bool {
        self.rule == Some(rule)
    }

    /// Whether it is a comma or a semicolon.
    pub(super) fn separates(&self) -> bool {
        self.is(Rule::comma) || self.is(Rule::semi)
    }

    /// Whether it is a token.
    pub(super) fn is_token(&self) -> bool {
        self.kids.is_empty() && !self.separates()
    }

    /// The node inside that has more than one part, or the token.
    pub(super) fn core(&self) -> &Node {
        let mut node = self;
        while let [only] = node.kids.as_slice() {
            node = only;
        }
        node
    }
}

/// A file.
#[derive(Debug, Default)]
pub(super) struct Tree<'t> {
    /// Its tokens in order.
    pub(super) leaves: Vec<Leaf<'t>>,
    /// Its items in order.
    pub(super) items: Vec<Node>,
    /// The comments below the last token.
    pub(super) end: Vec<Comment<'t>>,
}

/// Puts a [`Tree`] together.
pub(super) struct Planter<'t> {
    text: &'t str,
    /// How far the text was read.
    at: usize,
    /// The end of the last token.
    last: usize,
    /// Line ends since the last token or comment.
    lines: usize,
    /// Whether a line ended since the last token.
    newline: bool,
    before: Vec<Comment<'t>>,
    tree: Tree<'t>,
}

impl<'t> Planter<'t> {
    /// Nothing read yet.
    pub(super) fn new(text: &'t str) -> Planter<'t> {
        // The file begins as if a line had ended.
        let tree = Tree::default();
        Planter { text, at: 0, last: 0, lines: 1, newline: true, before: Vec::new(), tree }
    }

    /// An item whose text begins at `base`.
    pub(super) fn item(&mut self, pair: Pair<'_>, base: usize) {
        let mut found = Vec::new();
        self.plant(pair, base, &mut found);
        self.tree.items.extend(found);
    }

    /// The tree, when all items were read.
    pub(super) fn finish(mut self) -> Tree<'t> {
        self.gap(self.text.len(), &mut Vec::new());
        self.tree.end = self.before;
        settle(&mut self.tree.leaves);
        self.tree
    }

    fn plant(&mut self, pair: Pair<'_>, base: usize, siblings: &mut Vec<Node>) {
        let rule = pair.as_rule();
        let span = pair.as_span();
        let mut inner = pair.into_inner().peekable();
        if inner.peek().is_none() {
            let written = span.as_str();
            let start = base + span.start() + (written.len() - written.trim_start().len());
            let end = start + written.trim().len();
            if start < end {
                self.gap(start, siblings);
                self.token(start, end, Some(rule), siblings);
            }
            return;
        }
        let from = self.tree.leaves.len();
        let mut kids = Vec::new();
        for kid in inner {
            self.plant(kid, base, &mut kids);
        }
        siblings.push(Node { rule: Some(rule), from, to: self.tree.leaves.len(), kids });
    }

    fn token(&mut self, start: usize, end: usize, rule: Option<Rule>, siblings: &mut Vec<Node>) {
        self.at = end;
        let from = self.tree.leaves.len();
        if matches!(rule, Some(Rule::comma | Rule::semi)) {
            siblings.push(Node { rule, from, to: from, kids: Vec::new() });
            return;
        }
        self.tree.leaves.push(Leaf {
            text: self.text.get(start..end).unwrap_or(""),
            rule,
            before: std::mem::take(&mut self.before),
            blank: self.lines > 1,
            newline: self.newline,
            touches: start == self.last,
            after: None,
        });
        (self.last, self.lines, self.newline) = (end, 0, false);
        siblings.push(Node { rule, from, to: from + 1, kids: Vec::new() });
    }

    /// Reads comments and line ends up to `to`, and tokens that no rule of the grammar names.
    fn gap(&mut self, to: usize, siblings: &mut Vec<Node>) {
        while self.at < to {
            let Some(rest) = self.text.get(self.at..to) else { return };
            let Some(c) = rest.chars().next() else { return };
            if c == '\n' {
                self.lines += 1;
                self.newline = true;
                self.at += 1;
            } else if matches!(c, ' ' | '\t' | '\u{feff}') {
                self.at += c.len_utf8();
            } else if rest.starts_with("//") {
                let text = rest.split('\n').next().unwrap_or(rest);
                self.at += text.len();
                self.comment(text.trim_end());
            } else {
                let Some(token) = scan(rest).into_iter().next() else { return };
                let (start, end) = (self.at, self.at + token.end);
                self.token(start, end, None, siblings);
            }
        }
    }

    fn comment(&mut self, text: &'t str) {
        match self.tree.leaves.last_mut() {
            Some(leaf) if !self.newline && self.before.is_empty() && leaf.after.is_none() => leaf.after = Some(text),
            _ => self.before.push(Comment { text, blank: self.lines > 1 }),
        }
        self.lines = 0;
    }
}

/// Moves comments before a token that begins no line behind it, so that they are where the next reading finds them.
fn settle(leaves: &mut [Leaf<'_>]) {
    for at in 1..leaves.len() {
        let Some([.., before, leaf, next]) = leaves.get_mut(at - 1..at + 2) else { return };
        if !leaf.rule.is_some_and(hugs) {
            continue;
        }
        let mut moved = std::mem::take(&mut leaf.before);
        let behind = match before.after.take() {
            Some(first) => leaf.after.replace(first),
            None if moved.is_empty() => None,
            None => leaf.after.take(),
        };
        moved.extend(behind.map(|text| Comment { text, blank: false }));
        next.newline |= !moved.is_empty() || leaf.after.is_some();
        moved.append(&mut next.before);
        next.before = moved;
    }
}

/// Whether a token begins no line.
fn hugs(rule: Rule) -> bool {
    use Rule::{add, cmp, colon, eq, kw_in, kw_mod, kw_xor, mul, tensor, tilde};
    matches!(rule, eq | colon | tilde | add | mul | cmp | tensor | kw_in | kw_mod | kw_xor)
}

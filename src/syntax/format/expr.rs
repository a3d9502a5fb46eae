//! The layouts of expressions and types.
//!
//! In: nodes with operators. Out: documents that break before `>>`, `then`, `else` and `->`, and behind all other
//! operators, so that no line begins with `-`. Invariant: a `>>` that begins a line in the user's text begins one
//! again, with all of its row behind it where that fits.

use super::super::grammar::Rule;
use super::doc::{Doc, Kind};
use super::layout::Layout;
use super::tree::Node;

impl<'t> Layout<'t> {
    /// `f >> g >> h`, and `a then b`.
    pub(super) fn chain(&mut self, node: &Node) -> Doc<'t> {
        let flush = std::mem::take(&mut self.flush);
        let mut rows = Vec::new();
        let mut row = Vec::new();
        let mut kids = node.kids.iter();
        if let Some(first) = kids.next() {
            row.push(self.node(first));
        }
        while let Some(sign) = kids.next() {
            let Some(operand) = kids.next() else {
                row.push(self.node(sign));
                break;
            };
            if self.begins_line(sign.from) || self.begins_line(operand.from) {
                rows.push(Doc::group(std::mem::take(&mut row)));
                rows.push(Doc::new(Kind::Hard));
                rows.push(self.lead(sign.from, true));
                // A comment between the two goes above both.
                if !self.commented(sign.from) {
                    rows.push(self.lead(operand.from, true));
                }
            } else {
                row.push(Doc::new(Kind::Line));
            }
            row.push(self.token(sign));
            row.push(Doc::new(Kind::Space));
            row.push(self.node(operand));
        }
        if rows.is_empty() {
            return Doc::group(if flush { row } else { vec![Doc::indent(row)] });
        }
        rows.push(Doc::group(row));
        if flush { Doc::concat(rows) } else { Doc::indent(rows) }
    }

    /// `a + b`, `a * b`, `a < b`, `A * B`.
    pub(super) fn operators(&mut self, node: &Node) -> Doc<'t> {
        let flush = std::mem::take(&mut self.flush);
        let mut parts = Vec::new();
        for (at, kid) in node.kids.iter().enumerate() {
            if at % 2 == 1 && kid.core().is_token() {
                parts.push(Doc::new(Kind::Space));
                parts.push(self.hug(kid));
                parts.push(Doc::new(Kind::Line));
            } else {
                parts.push(self.node(kid));
            }
        }
        Doc::group(if flush { parts } else { vec![Doc::indent(parts)] })
    }

    /// `if a then b else if c then d else e`.
    pub(super) fn choice(&mut self, node: &Node) -> Doc<'t> {
        let flush = std::mem::take(&mut self.flush);
        let mut parts = Vec::new();
        let mut node = node;
        loop {
            let mut last = None;
            for kid in &node.kids {
                if kid.is(Rule::kw_then) || kid.is(Rule::kw_else) {
                    parts.push(Doc::new(Kind::Line));
                } else if !parts.is_empty() {
                    parts.push(Doc::new(Kind::Space));
                }
                last = Some(kid.core()).filter(|core| core.is(Rule::choice));
                if last.is_none() {
                    parts.push(self.node(kid));
                }
            }
            match last {
                Some(next) => node = next,
                None => break,
            }
        }
        Doc::group(if flush { parts } else { vec![Doc::indent(parts)] })
    }

    /// `A -> B`.
    pub(super) fn arrow(&mut self, node: &Node) -> Doc<'t> {
        let mut parts = Vec::new();
        for kid in &node.kids {
            if kid.is(Rule::arrow_sign) {
                parts.push(Doc::new(Kind::Line));
            } else if !parts.is_empty() {
                parts.push(Doc::new(Kind::Space));
            }
            parts.push(self.node(kid));
        }
        Doc::group(vec![Doc::indent(parts)])
    }
}

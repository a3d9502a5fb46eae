//! The layout of `model`, `def` and `loss`.
//!
//! In: the node of such an item. Out: its document: name, ports, type and body on one line as far as they fit, the
//! ports and the type on lines of their own otherwise. Invariant: a line break behind `=` is the user's choice.

use super::super::grammar::Rule;
use super::doc::{Doc, Kind};
use super::layout::Layout;
use super::print::{STEP, WIDTH};
use super::tree::Node;

impl<'t> Layout<'t> {
    /// `model NAME[dims](formals) {ports} : arrow body evaluate?`.
    pub(super) fn map_item(&mut self, node: &Node) -> Doc<'t> {
        let kids = node.kids.as_slice();
        let heads = kids.iter().position(|k| k.is(Rule::ports) || k.is(Rule::colon)).unwrap_or(kids.len());
        let (head, rest) = kids.split_at_checked(heads).unwrap_or((kids, &[]));
        let mut parts = self.join(node.rule, head);
        let mut inline = false;
        let mut pointfree = false;
        let mut rest = rest.iter();
        while let Some(kid) = rest.next() {
            match kid.rule {
                Some(Rule::colon) => {
                    let mut line = vec![self.token(kid)];
                    if let Some(arrow) = rest.next() {
                        line.push(Doc::new(Kind::Space));
                        line.push(self.node(arrow));
                    }
                    parts.push(own_line(Doc::concat(line), inline));
                }
                Some(Rule::ports) => {
                    // What cannot stand on one line opens behind the name, also when it is read again.
                    let ports = self.node(kid);
                    inline = ports.flat_width().is_none_or(|width| width > WIDTH - STEP);
                    parts.push(own_line(ports, inline));
                }
                Some(Rule::body) => {
                    pointfree = kid.kids.first().is_some_and(|k| k.is(Rule::eq));
                    parts.push(self.map_body(kid));
                }
                _ => {
                    let evaluate = self.node(kid);
                    parts.push(own_line(evaluate, !pointfree));
                }
            }
        }
        Doc::concat(parts)
    }

    fn map_body(&mut self, node: &Node) -> Doc<'t> {
        let mut parts = vec![Doc::new(Kind::Space)];
        match node.kids.as_slice() {
            [eq, value, ..] if eq.is(Rule::eq) => {
                parts.push(self.hug(eq));
                if self.begins_line(value.from) {
                    let lead = self.lead(value.from, true);
                    self.flush = true;
                    parts.push(Doc::indent(vec![Doc::new(Kind::Hard), lead, self.node(value)]));
                } else {
                    parts.push(self.assigned(value));
                }
            }
            kids => parts.extend(self.join(node.rule, kids)),
        }
        Doc::concat(parts)
    }
}

/// On a line of its own where it does not fit; always behind what stands before it if `inline`.
fn own_line(doc: Doc<'_>, inline: bool) -> Doc<'_> {
    if inline {
        return Doc::concat(vec![Doc::new(Kind::Space), doc]);
    }
    Doc::group(vec![Doc::indent(vec![Doc::new(Kind::Line), doc])])
}

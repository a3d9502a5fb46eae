//! Whether two texts are the same program.
//!
//! In: trees or texts. Out: whether the trees agree in all but spans; the comments of a text in order. Invariant:
//! a change of a name, a number, a text, a comment that documents an item or the order of anything is seen.

use super::super::ast::File;
use super::super::parse::STACK;
use super::super::scan::scan;
use std::fmt::{self, Write};

/// Whether two files agree up to the places where things stand.
#[must_use]
pub fn same_tree(a: &File, b: &File) -> bool {
    let drawn = |file: &File| {
        let mut out = Placeless::default();
        // Writing to memory does not fail.
        let _done = stacker::grow(STACK, || write!(out, "{:?}", file.items));
        out.text
    };
    drawn(a) == drawn(b)
}

/// Takes the debug form of a tree in, spans left out.
#[derive(Default)]
struct Placeless {
    text: String,
    /// Braces that are open inside a span.
    inside: bool,
}

impl Write for Placeless {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        // The derived form writes the name of a struct, each field and each brace in pieces of their own.
        // A text that holds the word has a quote or an escape before it.
        if piece == "Span" && self.text.ends_with([' ', '(', '[']) {
            self.inside = true;
        } else if !self.inside {
            self.text.push_str(piece);
        } else if piece.contains('}') {
            self.inside = false;
        }
        Ok(())
    }
}

/// The comments of a text in order, without blanks behind them.
#[must_use]
pub fn comments(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut at = 0;
    for end in scan(text).iter().map(|t| (t.start, t.end)).chain([(text.len(), text.len())]) {
        let gap = text.get(at..end.0).unwrap_or("");
        found.extend(gap.split(['\n', '\r']).filter_map(|line| line.find("//").and_then(|from| line.get(from..))));
        at = end.1;
    }
    found.into_iter().map(str::trim_end).collect()
}

//! The comment above an item, read by the convention of the prelude.
//!
//! In: its lines, `//` taken off. Out: what it says in prose, a line for each setting (`- name: ..`), and the example
//! (`example: ..`, further lines indented by two). A comment that keeps to no convention is prose as a whole.

use std::sync::Arc;

/// A comment taken apart.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Comment {
    pub(super) doc: String,
    pub(super) settings: Vec<(String, String)>,
    pub(super) example: String,
}

/// Reads the lines above an item.
pub(super) fn comment(lines: &[Arc<str>]) -> Comment {
    let mut made = Comment::default();
    for line in lines {
        if let Some(first) = line.strip_prefix("example:") {
            made.example.push_str(first.trim());
        } else if !made.example.is_empty() {
            made.example.push('\n');
            made.example.push_str(line.strip_prefix("  ").unwrap_or(line));
        } else if let Some((name, told)) = line.strip_prefix("- ").and_then(|l| l.split_once(": ")) {
            made.settings.push((name.trim().to_owned(), told.trim().to_owned()));
        } else {
            let text = made.settings.last_mut().map_or(&mut made.doc, |(_, told)| told);
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(line.trim());
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_comment() {
        let text =
            "One sentence\nin two lines.\n- a: the first,\nand more\n- b: the second\nexample: dim k = 2\n  dim m = 3";
        let lines: Vec<Arc<str>> = text.lines().map(Arc::from).collect();
        let read = comment(&lines);
        assert_eq!(read.doc, "One sentence in two lines.");
        let settings = [("a", "the first, and more"), ("b", "the second")];
        assert_eq!(read.settings, settings.map(|(n, t)| (n.to_owned(), t.to_owned())));
        assert_eq!(read.example, "dim k = 2\ndim m = 3");
    }
}

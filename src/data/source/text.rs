//! Texts: windows of characters, and the character after each place.
//!
//! In: a text. Out: two arrays over the same characters, which are stored once as numbers: window `r` begins at character
//! `r * stride`, the targets one later. A character is a Unicode scalar value; line ends stay as they are in the file.
//! Invariant: each number is below the size of the vocabulary.

use crate::data::source::array::{Array, Entries};
use crate::data::spec::Windows;
use crate::data::table::Places;
use crate::data::words::count;
use crate::source::{Code, Diagnostic, Diagnostics, Span};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A text as numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Characters {
    /// The number of each character.
    pub(crate) ids: Vec<u32>,
    /// The character of each number.
    pub(crate) vocabulary: Arc<[char]>,
}

/// Cuts a text into windows; `None` when a fault was recorded. Without a vocabulary it is the characters of the text,
/// sorted by their code.
pub(crate) fn read(
    name: &str,
    text: &str,
    windows: Windows,
    vocabulary: Option<&Arc<[char]>>,
    span: Span,
    faults: &mut Diagnostics,
) -> Option<[Array; 2]> {
    let vocabulary = match vocabulary {
        Some(known) => Arc::clone(known),
        None => text.chars().collect::<BTreeSet<char>>().into_iter().collect(),
    };
    let numbers: BTreeMap<char, u32> = vocabulary.iter().copied().zip(0..).collect();
    let mut ids = Vec::with_capacity(text.len());
    let (mut line, mut column) = (1_usize, 1_usize);
    let mut strange = Places::default();
    for c in text.chars() {
        match numbers.get(&c) {
            Some(id) => ids.push(*id),
            None => strange.add(|| format!("{name}:{line}:{column}: {}", shown(c))),
        }
        (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
    }
    if strange.total > 0 {
        let message = format!("`{name}` has {} outside the vocabulary", count(strange.total, "character"));
        let fault = Diagnostic::error(Code::DATA_VALUE, message)
            .at(span, format!("read with {}", count(vocabulary.len(), "character")));
        faults.push(strange.note(fault).help("name them in `vocabulary = \"..\"` of the source"));
        return None;
    }
    let Some(rest) = ids.len().checked_sub(windows.window + 1) else {
        let message = format!(
            "`{name}` has {}, a window of {} and the next one need {}",
            count(ids.len(), "character"),
            windows.window,
            windows.window + 1
        );
        faults.push(Diagnostic::error(Code::DATA_FILE, message).at(span, "too short").help("make the window smaller"));
        return None;
    };
    let rows = rest / windows.stride.max(1) + 1;
    let text = Arc::new(Characters { ids, vocabulary });
    let array = |first| {
        let entries = Entries::Windows { text: Arc::clone(&text), stride: windows.stride, first };
        Array::new(name, rows, vec![windows.window], entries)
    };
    Some([array(0), array(1)])
}

/// A character in a message.
pub(crate) fn shown(c: char) -> String {
    format!("`{}`", escaped(c))
}

/// The characters of a vocabulary in a message, the first of them.
pub(crate) fn all_shown(vocabulary: &[char]) -> String {
    let text: String = vocabulary.iter().take(80).map(|c| escaped(*c)).collect();
    let more = if vocabulary.len() > 80 { " .." } else { "" };
    format!("`{text}`{more}")
}

/// As it is, unless it cannot be seen.
fn escaped(c: char) -> String {
    if c.is_control() { c.escape_debug().to_string() } else { c.to_string() }
}

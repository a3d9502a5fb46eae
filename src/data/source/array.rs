//! Rows of entries that are not text: the contents of an IDX or NPY file, of a PLA file, a truth table, a text.
//!
//! Entries stay as small as they were stored: bytes are bytes until an encoder asks for numbers. Invariant: there are as
//! many entries as rows times the product of the shape, and every number is finite.

use crate::data::source::text::Characters;
use std::borrow::Cow;
use std::sync::Arc;

/// A rectangle of entries.
#[derive(Clone, Debug)]
pub(crate) struct Array {
    pub(crate) name: String,
    pub(crate) rows: usize,
    /// The dimensions of one row, at least one of them.
    pub(crate) shape: Vec<usize>,
    pub(crate) entries: Entries,
    /// The names of the places of a row, if the file gives them.
    pub(crate) header: Option<Vec<String>>,
    /// The line of each row; empty when rows have none.
    pub(crate) lines: Vec<u32>,
}

/// Entries, row-major.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Entries {
    Bytes(Vec<u8>),
    Bits(Vec<bool>),
    Numbers(Vec<f64>),
    /// Windows of a text: row `r` begins at character `r * stride + first`.
    Windows {
        text: Arc<Characters>,
        stride: usize,
        first: usize,
    },
}

/// Entries next to each other in one row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Run<'a> {
    Bytes(&'a [u8]),
    Bits(&'a [bool]),
    Numbers(&'a [f64]),
    Ids(&'a [u32]),
}

impl Array {
    /// An array without names and lines.
    pub(crate) fn new(name: &str, rows: usize, shape: Vec<usize>, entries: Entries) -> Array {
        Array { name: name.to_owned(), rows, shape, entries, header: None, lines: Vec::new() }
    }

    /// The characters that its entries number, if it is a text.
    pub(crate) fn vocabulary(&self) -> Option<&Arc<[char]>> {
        match &self.entries {
            Entries::Windows { text, .. } => Some(&text.vocabulary),
            _ => None,
        }
    }

    /// How many entries a row has.
    pub(crate) fn width(&self) -> usize {
        self.shape.iter().product()
    }

    /// Some entries of a row, if they are there.
    pub(crate) fn run(&self, row: usize, columns: std::ops::Range<usize>) -> Option<Run<'_>> {
        if let Entries::Windows { text, stride, first } = &self.entries {
            let begin = row.checked_mul(*stride)?.checked_add(*first)?;
            return text.ids.get(begin + columns.start..begin + columns.end).map(Run::Ids);
        }
        let first = row.checked_mul(self.width())?;
        let range = first + columns.start..first + columns.end;
        match &self.entries {
            Entries::Bytes(v) => v.get(range).map(Run::Bytes),
            Entries::Bits(v) => v.get(range).map(Run::Bits),
            Entries::Numbers(v) => v.get(range).map(Run::Numbers),
            Entries::Windows { .. } => None,
        }
    }

    /// One entry as a number.
    pub(crate) fn number(&self, row: usize, column: usize) -> Option<f64> {
        match self.run(row, column..column + 1)? {
            Run::Bytes(v) => v.first().map(|x| f64::from(*x)),
            Run::Bits(v) => v.first().map(|x| f64::from(*x)),
            Run::Numbers(v) => v.first().copied(),
            Run::Ids(v) => v.first().map(|x| f64::from(*x)),
        }
    }

    /// One entry as text, for labels and messages.
    pub(crate) fn cell(&self, row: usize, column: usize) -> Cow<'static, str> {
        if let (Some(Run::Ids([id])), Some(vocabulary)) = (self.run(row, column..column + 1), self.vocabulary()) {
            return vocabulary.get(*id as usize).map_or(Cow::Borrowed(""), |c| Cow::Owned(c.to_string()));
        }
        match self.number(row, column) {
            Some(0.0) => Cow::Borrowed("0"),
            Some(1.0) => Cow::Borrowed("1"),
            Some(n) => Cow::Owned(n.to_string()),
            None => Cow::Borrowed(""),
        }
    }

    /// Where an entry stands.
    pub(crate) fn place(&self, row: usize, column: usize) -> String {
        match self.lines.get(row) {
            Some(line) => format!("{}:{line}", self.name),
            None => format!("{}: row {row}, entry {column}", self.name),
        }
    }
}

//! Rows of entries that are not text: the contents of an IDX file, of a PLA file, of a truth table.
//!
//! Entries stay as small as they were stored: bytes are bytes until an encoder asks for numbers. Invariant: there are as
//! many entries as rows times the product of the shape, and every number is finite.

use std::borrow::Cow;

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
}

/// Entries next to each other in one row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Run<'a> {
    Bytes(&'a [u8]),
    Bits(&'a [bool]),
    Numbers(&'a [f64]),
}

impl Array {
    /// An array without names and lines.
    pub(crate) fn new(name: &str, rows: usize, shape: Vec<usize>, entries: Entries) -> Array {
        Array { name: name.to_owned(), rows, shape, entries, header: None, lines: Vec::new() }
    }

    /// How many entries a row has.
    pub(crate) fn width(&self) -> usize {
        self.shape.iter().product()
    }

    /// Some entries of a row, if they are there.
    pub(crate) fn run(&self, row: usize, columns: std::ops::Range<usize>) -> Option<Run<'_>> {
        let first = row.checked_mul(self.width())?;
        let range = first + columns.start..first + columns.end;
        match &self.entries {
            Entries::Bytes(v) => v.get(range).map(Run::Bytes),
            Entries::Bits(v) => v.get(range).map(Run::Bits),
            Entries::Numbers(v) => v.get(range).map(Run::Numbers),
        }
    }

    /// One entry as a number.
    pub(crate) fn number(&self, row: usize, column: usize) -> Option<f64> {
        match self.run(row, column..column + 1)? {
            Run::Bytes(v) => v.first().map(|x| f64::from(*x)),
            Run::Bits(v) => v.first().map(|x| f64::from(*x)),
            Run::Numbers(v) => v.first().copied(),
        }
    }

    /// One entry as text, for labels and messages.
    pub(crate) fn cell(&self, row: usize, column: usize) -> Cow<'static, str> {
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

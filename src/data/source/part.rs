//! One file of a source as a rectangle of cells, whatever it was read from.
//!
//! Text keeps its places as line and column, arrays as row and entry. Everything that chooses columns, reads labels or
//! says where a bad value stands works on this; only the encoders look for the faster runs of entries.

use crate::data::source::array::{Array, Entries, Run};
use crate::data::source::csv::Sheet;
use std::borrow::Cow;

/// A sheet of text or an array of entries.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Sheet(Sheet),
    Array(Array),
}

impl Part {
    pub(crate) fn rows(&self) -> usize {
        match self {
            Part::Sheet(sheet) => sheet.rows,
            Part::Array(array) => array.rows,
        }
    }

    pub(crate) fn width(&self) -> usize {
        match self {
            Part::Sheet(sheet) => sheet.width,
            Part::Array(array) => array.width(),
        }
    }

    /// The dimensions of one row.
    pub(crate) fn shape(&self) -> Vec<usize> {
        match self {
            Part::Sheet(sheet) => vec![sheet.width],
            Part::Array(array) => array.shape.clone(),
        }
    }

    /// The names of its columns, if it gives them.
    pub(crate) fn header(&self) -> Option<&[String]> {
        match self {
            Part::Sheet(sheet) => sheet.header.as_deref(),
            Part::Array(array) => array.header.as_deref(),
        }
    }

    /// What stands where names would stand.
    pub(crate) fn first_line(&self) -> Vec<String> {
        match self {
            Part::Sheet(sheet) => sheet.first_line(),
            Part::Array(_) => Vec::new(),
        }
    }

    /// Whether a row is the first of a text without a header.
    pub(crate) fn is_first_line(&self, row: usize) -> bool {
        matches!(self, Part::Sheet(sheet) if row == 0 && sheet.header.is_none())
    }

    /// Whether its entries are bits by themselves.
    pub(crate) fn has_bits(&self) -> bool {
        matches!(self, Part::Array(Array { entries: Entries::Bits(_), .. }))
    }

    /// The text of a cell; empty outside.
    pub(crate) fn cell(&self, row: usize, column: usize) -> Cow<'_, str> {
        match self {
            Part::Sheet(sheet) => sheet.cell(row, column),
            Part::Array(array) => array.cell(row, column),
        }
    }

    /// Where a cell stands, with the name of its file.
    pub(crate) fn place(&self, row: usize, column: usize) -> String {
        match self {
            Part::Sheet(sheet) => sheet.located(row, column),
            Part::Array(array) => array.place(row, column),
        }
    }

    /// Entries next to each other; nothing when they are text.
    pub(crate) fn run(&self, row: usize, columns: std::ops::Range<usize>) -> Option<Run<'_>> {
        match self {
            Part::Array(array) if columns.end <= array.width() => array.run(row, columns),
            _ => None,
        }
    }

    /// One entry as a number; nothing when it is text.
    pub(crate) fn number(&self, row: usize, column: usize) -> Option<f64> {
        match self {
            Part::Array(array) => array.number(row, column),
            Part::Sheet(_) => None,
        }
    }
}

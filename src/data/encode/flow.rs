//! Values on their way through the encoders of an encoding.
//!
//! In: a [`View`], the cells that an encoding reads. Out: numbers, labels or bits, each read when the first encoder asks.
//! Invariant: what is read for a row depends on that row alone; bytes go to bits without becoming numbers first.

use crate::data::encode::numbers;
use crate::data::source::array::Run;
use crate::data::table::{Places, Table};
use crate::data::words::{count, quoted};
use crate::source::{Code, Diagnostic, Diagnostics, Span};
use std::ops::Range;

/// Some columns of some rows.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) table: &'a Table,
    pub(crate) rows: &'a [usize],
    pub(crate) columns: &'a [usize],
    pub(crate) span: Span,
}

/// What the steps so far gave.
#[derive(Clone, Debug)]
pub(crate) enum Flow {
    /// Nothing was read yet.
    Cells,
    Numbers(Vec<f64>),
    /// One byte an entry, and the number of each byte.
    Bytes(Vec<u8>, Vec<f64>),
    /// Labels below the bound.
    Labels(usize, Vec<u32>),
    Bits(Vec<bool>),
}

/// Thresholds: the same for all places of an example, or each its own.
#[derive(Clone, Copy)]
pub(crate) enum Cuts<'a> {
    Same(&'a [f64]),
    Each(&'a [Vec<f64>]),
}

impl<'a> View<'a> {
    /// The columns as a range, if they are next to each other.
    pub(crate) fn range(&self) -> Option<Range<usize>> {
        let first = *self.columns.first()?;
        let follow = self.columns.iter().enumerate().all(|(at, column)| *column == first + at);
        follow.then(|| first..first + self.columns.len())
    }

    /// All entries as finite numbers.
    pub(crate) fn numbers(&self, faults: &mut Diagnostics) -> Option<Vec<f64>> {
        numbers::numbers(self, faults)
    }

    /// All entries as they are stored, if each is a byte.
    pub(crate) fn bytes(&self) -> Option<Vec<u8>> {
        let range = self.range()?;
        let mut bytes = Vec::with_capacity(self.rows.len().saturating_mul(range.len()));
        for row in self.rows {
            let Some(Run::Bytes(run)) = self.table.run(*row, &range) else { return None };
            bytes.extend_from_slice(run);
        }
        Some(bytes)
    }

    /// All entries as bits: 0, 1, `true`, `false`.
    pub(crate) fn bits(&self, faults: &mut Diagnostics) -> Option<Vec<bool>> {
        let mut bits = Vec::with_capacity(self.rows.len().saturating_mul(self.columns.len()));
        let mut bad = Places::default();
        let range = self.range();
        for row in self.rows {
            if let Some(Run::Bits(run)) = range.as_ref().and_then(|range| self.table.run(*row, range)) {
                bits.extend_from_slice(run);
                continue;
            }
            for column in self.columns {
                let text = self.table.cell(*row, *column);
                match bit(&text) {
                    Some(bit) => bits.push(bit),
                    None => bad.add(|| {
                        let (place, column) = (self.table.place(*row, *column), self.table.column_name(*column));
                        format!("{place}: {} in {column}", quoted(&text))
                    }),
                }
            }
        }
        if bad.total == 0 {
            return Some(bits);
        }
        let what = if bad.total == 1 { "a value that is" } else { "values that are" };
        let number = if bad.total == 1 { String::new() } else { format!("{} ", bad.total) };
        let fault = Diagnostic::error(Code::DATA_VALUE, format!("{number}{what} neither 0, 1, true nor false"))
            .at(self.span, format!("read as bits here, {}", count(self.columns.len(), "column")));
        faults.push(bad.note(fault).help("cut numbers in two with `threshold(..)`, read texts by `categories`"));
        None
    }

    /// A bit for each cut of each entry: whether the entry is greater.
    pub(crate) fn above(&self, cuts: Cuts<'_>, faults: &mut Diagnostics) -> Option<Vec<bool>> {
        let each = |place| if let Cuts::Each(cuts) = cuts { cuts.get(place).map_or(0, Vec::len) } else { 0 };
        let per_row = match cuts {
            Cuts::Same(cuts) => cuts.len().saturating_mul(self.columns.len()),
            Cuts::Each(_) => (0..self.columns.len()).map(each).sum(),
        };
        let mut bits = Vec::with_capacity(self.rows.len().saturating_mul(per_row));
        let runs = self.range().filter(|_| !self.table.is_text());
        let runs = runs.filter(|range| self.rows.iter().all(|row| self.table.run(*row, range).is_some()));
        let Some(range) = runs else {
            above(&self.numbers(faults)?, self.columns.len(), cuts, &mut bits);
            return Some(bits);
        };
        for row in self.rows {
            match self.table.run(*row, &range) {
                Some(Run::Bytes(run)) => above(run, run.len(), cuts, &mut bits),
                Some(Run::Bits(run)) => above(run, run.len(), cuts, &mut bits),
                Some(Run::Numbers(run)) => above(run, run.len(), cuts, &mut bits),
                Some(Run::Ids(run)) => above(run, run.len(), cuts, &mut bits),
                None => {}
            }
        }
        Some(bits)
    }
}

/// The number of each byte.
fn numbers_of(bytes: &[u8], numbers: &[f64]) -> Vec<f64> {
    bytes.iter().filter_map(|byte| numbers.get(usize::from(*byte)).copied()).collect()
}

impl Flow {
    /// Bytes that still wait to be read, with their own values; anything else as it is.
    pub(crate) fn with_bytes(self, view: &View<'_>) -> Flow {
        match self {
            Flow::Cells => {
                view.bytes().map_or(Flow::Cells, |bytes| Flow::Bytes(bytes, (0..=u8::MAX).map(f64::from).collect()))
            }
            other => other,
        }
    }

    /// The numbers, read now if nothing was.
    pub(crate) fn numbers(self, view: &View<'_>, faults: &mut Diagnostics) -> Option<Vec<f64>> {
        match self {
            Flow::Cells => view.numbers(faults),
            Flow::Numbers(values) => Some(values),
            Flow::Bytes(bytes, numbers) => Some(numbers_of(&bytes, &numbers)),
            // `describe` lets no step that needs numbers follow one that gives these.
            Flow::Labels(_, labels) => Some(labels.iter().map(|x| f64::from(*x)).collect()),
            Flow::Bits(bits) => Some(bits.iter().map(|x| f64::from(*x)).collect()),
        }
    }

    /// The numbers of one place of an example over some examples.
    pub(crate) fn sample(&self, view: &View<'_>, width: usize, place: usize, examples: &[usize]) -> Vec<f64> {
        let cell = |at: &usize| view.table.number(*view.rows.get(*at)?, *view.columns.get(place)?);
        match self {
            Flow::Bytes(bytes, numbers) => {
                let byte = |at: &usize| numbers.get(usize::from(*bytes.get(at * width + place)?)).copied();
                examples.iter().filter_map(byte).collect()
            }
            Flow::Numbers(values) => examples.iter().filter_map(|at| values.get(at * width + place).copied()).collect(),
            _ => examples.iter().filter_map(cell).collect(),
        }
    }
}

/// A bit for each cut of each entry of examples of `width` entries.
pub(crate) fn above<X: Copy + Into<f64>>(values: &[X], width: usize, cuts: Cuts<'_>, bits: &mut Vec<bool>) {
    match cuts {
        Cuts::Same([cut]) => bits.extend(values.iter().map(|x| (*x).into() > *cut)),
        Cuts::Same(cuts) => {
            for x in values {
                let x: f64 = (*x).into();
                bits.extend(cuts.iter().map(|cut| x > *cut));
            }
        }
        Cuts::Each(places) => {
            for example in values.chunks(width.max(1)) {
                for (x, cuts) in example.iter().zip(places) {
                    let x: f64 = (*x).into();
                    bits.extend(cuts.iter().map(|cut| x > *cut));
                }
            }
        }
    }
}

/// What a text is as a bit.
fn bit(text: &str) -> Option<bool> {
    match text {
        "0" => Some(false),
        "1" => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ => match text.parse::<f64>() {
            Ok(0.0) => Some(false),
            Ok(1.0) => Some(true),
            _ => None,
        },
    }
}

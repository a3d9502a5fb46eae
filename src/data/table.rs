//! All rows of a data set: files side by side, the rows of the test file below those of the source.
//!
//! In: the parts that `sources` read. Out: a [`Table`] whose cells know their places, and the numbers of the columns that
//! an encoding names. Invariant: every block of rows has the same width, the same header and rows of the same shape.

use crate::data::source::array::Run;
use crate::data::source::csv::{SHOWN, Sheet, write_row};
use crate::data::source::part::Part;
use crate::data::source::read::{decode, unreadable};
use crate::data::spec::{Base, Encoding, Origin, Pick};
use crate::data::words::{count, list, quoted, suggestion};
use crate::source::{Code, Diagnostic, Diagnostics, Span};
use std::borrow::Cow;
use std::sync::Arc;

/// The columns that an encoding reads.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    /// By number.
    pub(crate) columns: Vec<usize>,
    /// The dimensions of what one row has there.
    pub(crate) shape: Vec<usize>,
    /// Bits when all of them are bits by themselves, else numbers.
    pub(crate) base: Base,
}

/// Rows of cells.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    blocks: Vec<Vec<Part>>,
    pub(crate) width: usize,
    pub(crate) rows: usize,
    /// How many of the rows are not of the test file.
    pub(crate) source_rows: usize,
}

impl Table {
    /// Rows handed over by the program rather than read.
    pub(crate) fn of_rows(rows: &[Vec<String>], name: &str, span: Span) -> Result<Table, Diagnostic> {
        let mut text = String::new();
        rows.iter().for_each(|row| write_row(&mut text, row));
        Table::of_text(text, name, b',', false, span)
    }

    /// One file that was read already.
    pub(crate) fn of_bytes(
        bytes: Vec<u8>,
        name: &str,
        separator: u8,
        header: bool,
        span: Span,
    ) -> Result<Table, Diagnostic> {
        let text = decode(bytes).map_err(|(code, why)| unreadable(code, name, &why).at(span, "the source"))?;
        Table::of_text(text, name, separator, header, span)
    }

    fn of_text(text: String, name: &str, separator: u8, header: bool, span: Span) -> Result<Table, Diagnostic> {
        let mut faults = Diagnostics::default();
        let sheet = Sheet::read(name, text, separator, header, span, &mut faults);
        sheet.map(|sheet| Table::of(vec![Part::Sheet(sheet)])).ok_or_else(|| {
            let fault = faults.0.into_iter().find(Diagnostic::is_error);
            fault.unwrap_or_else(|| unreadable(Code::DATA_FILE, name, "cannot be read").at(span, "the source"))
        })
    }

    /// Parts side by side, which have the same number of rows.
    pub(crate) fn of(parts: Vec<Part>) -> Table {
        let width = parts.iter().map(Part::width).sum();
        let rows = parts.first().map_or(0, Part::rows);
        Table { blocks: vec![parts], width, rows, source_rows: rows }
    }

    /// Puts the rows of a test file below.
    pub(crate) fn stack(
        &mut self,
        below: Vec<Part>,
        source: &Origin,
        test: &Origin,
        faults: &mut Diagnostics,
    ) -> Option<()> {
        let below = Table::of(below);
        let fail = |message: String| {
            Diagnostic::error(Code::DATA_FILE, message).at(test.span, "the test file").also(source.span, "the source")
        };
        if below.width != self.width {
            faults.push(
                fail(format!(
                    "the test file has {}, the source {}",
                    count(below.width, "column"),
                    count(self.width, "column")
                ))
                .help("give both the same columns"),
            );
            return None;
        }
        let shapes = |table: &Table| {
            let parts = table.blocks.first().map_or(&[][..], Vec::as_slice);
            parts.iter().map(|p| shown(&p.shape())).collect::<Vec<_>>().join(" and ")
        };
        let (ours, theirs) = (shapes(self), shapes(&below));
        if ours != theirs && !self.is_text() && !below.is_text() {
            let message = format!("a row of the test file is {theirs}, a row of the source {ours}");
            faults.push(fail(message).help("give both the same shape"));
            return None;
        }
        if let (Some(ours), Some(theirs)) = (self.names(), below.names())
            && let Some((column, (a, b))) = ours.iter().zip(&theirs).enumerate().find(|(_, (a, b))| a != b)
        {
            faults.push(
                fail(format!("column {column} is {} in the test file and {} in the source", quoted(b), quoted(a)))
                    .help("put the columns of both into one order"),
            );
            return None;
        }
        self.rows += below.rows;
        self.blocks.extend(below.blocks);
        Some(())
    }

    /// The text of a cell; empty outside the table.
    pub(crate) fn cell(&self, row: usize, column: usize) -> Cow<'_, str> {
        self.find(row, column).map_or(Cow::Borrowed(""), |(part, row, column)| part.cell(row, column))
    }

    /// `file:line:column` of a cell.
    pub(crate) fn place(&self, row: usize, column: usize) -> String {
        match self.find(row, column) {
            Some((part, row, column)) => part.place(row, column),
            None => "?".to_owned(),
        }
    }

    /// Whether a row is the first of its file, where a header would stand.
    pub(crate) fn is_first_line(&self, row: usize) -> bool {
        self.find(row, 0).is_some_and(|(part, row, _)| part.is_first_line(row))
    }

    /// Columns next to each other in one row; nothing when they are text or of several files.
    pub(crate) fn run(&self, row: usize, columns: &std::ops::Range<usize>) -> Option<Run<'_>> {
        let (part, row, first) = self.find(row, columns.start)?;
        part.run(row, first..first + columns.len())
    }

    /// A cell that is a number and not text.
    pub(crate) fn number(&self, row: usize, column: usize) -> Option<f64> {
        self.find(row, column).and_then(|(part, row, column)| part.number(row, column))
    }

    /// Whether any of it was read from text.
    pub(crate) fn is_text(&self) -> bool {
        self.blocks.iter().flatten().any(|part| matches!(part, Part::Sheet(_)))
    }

    /// The characters that its entries number, if it is a text.
    pub(crate) fn vocabulary(&self) -> Option<&Arc<[char]>> {
        self.blocks.iter().flatten().find_map(|part| match part {
            Part::Array(array) => array.vocabulary(),
            Part::Sheet(_) => None,
        })
    }

    /// What people call a column.
    pub(crate) fn column_name(&self, column: usize) -> String {
        match self.names().and_then(|names| names.into_iter().nth(column)) {
            Some(name) => format!("column {}", quoted(&name)),
            None => format!("column {column}"),
        }
    }

    /// The names of the columns, if every file has a header.
    pub(crate) fn names(&self) -> Option<Vec<String>> {
        let headers: Option<Vec<_>> = self.blocks.first()?.iter().map(Part::header).collect();
        headers.map(|h| h.concat())
    }

    /// The numbers of the columns that an encoding names.
    pub(crate) fn resolve(&self, encoding: &Encoding, source: Span, faults: &mut Diagnostics) -> Option<Selection> {
        let names = self.names();
        let (mut columns, mut fine, mut shape) = (Vec::new(), true, None);
        for (pick, span) in &encoding.columns {
            let range = match pick {
                Pick::Index(i) => *i..i.saturating_add(1),
                Pick::Range(from, to) => *from..to.unwrap_or(self.width.max(from.saturating_add(1))),
                Pick::Part(part) => {
                    let parts = self.blocks.first().map_or(&[][..], Vec::as_slice);
                    let before = parts.iter().take(*part).map(Part::width).sum();
                    shape = parts.get(*part).map(Part::shape);
                    before..before + parts.get(*part).map_or(1, Part::width)
                }
                Pick::Name(name) => match self.find_name(name, names.as_deref(), *span, source) {
                    Ok(at) => at..at + 1,
                    Err(fault) => {
                        faults.push(*fault);
                        fine = false;
                        continue;
                    }
                },
            };
            if range.end > self.width {
                fine = false;
                let last = self.width.saturating_sub(1);
                faults.push(
                    Diagnostic::error(Code::DATA_COLUMN, format!("there is no column {}", range.start.max(self.width)))
                        .at(*span, format!("needs at least {}", count(range.end, "column")))
                        .also(source, format!("has {}, numbered 0 to {last}", count(self.width, "column")))
                        .help("columns are numbered from 0, and the end of a range is not included"),
                );
                continue;
            }
            columns.extend(range);
        }
        if fine && encoding.classes().is_some() && columns.len() != 1 {
            faults.push(
                Diagnostic::error(Code::DATA_FIELD, "a label is one column")
                    .at(encoding.span, format!("reads {}", count(columns.len(), "column")))
                    .help("name the one column that has the label"),
            );
            return None;
        }
        let bits = |column: &usize| self.find(0, *column).is_some_and(|(part, ..)| part.has_bits());
        let base = if columns.iter().all(bits) { Base::Bool } else { Base::Real };
        let shape = shape.unwrap_or_else(|| vec![columns.len()]);
        fine.then_some(Selection { columns, shape, base })
    }

    fn find_name(
        &self,
        name: &str,
        names: Option<&[String]>,
        span: Span,
        source: Span,
    ) -> Result<usize, Box<Diagnostic>> {
        let fail = |message| Diagnostic::error(Code::DATA_COLUMN, message).at(span, "this column");
        let Some(names) = names else {
            let first: Vec<String> =
                self.blocks.first().map_or_else(Vec::new, |b| b.iter().flat_map(Part::first_line).collect());
            let fault =
                fail(format!("{} cannot be found without a header", quoted(name))).also(source, "has no header");
            let hint = if !self.is_text() {
                "this source has no names: give columns by number, or leave `columns(..)` off"
            } else if first.iter().any(|f| f == name) {
                "the first line has this name: write `header = true` in `csv(..)`"
            } else {
                "write `header = true` in `csv(..)` if the first line has names, else give columns by number"
            };
            return Err(Box::new(fault.help(hint)));
        };
        let found: Vec<usize> = names.iter().enumerate().filter(|(_, n)| *n == name).map(|(at, _)| at).collect();
        match found.as_slice() {
            [one] => Ok(*one),
            [] => {
                let all: Vec<&str> = names.iter().map(String::as_str).collect();
                let fault = fail(format!("there is no column {}", quoted(name)));
                let fault = fault.also(source, format!("has {}", count(names.len(), "column")));
                Err(Box::new(fault.note(format!("the columns are {}", list(&all))).help(suggestion(name, &all))))
            }
            several => {
                let fault = fail(format!("{} columns are called {}", several.len(), quoted(name)));
                let numbers: Vec<String> = several.iter().map(usize::to_string).collect();
                Err(Box::new(
                    fault.note(format!("columns {}", numbers.join(", "))).help("give the column by its number"),
                ))
            }
        }
    }

    fn find(&self, mut row: usize, mut column: usize) -> Option<(&Part, usize, usize)> {
        for block in &self.blocks {
            let rows = block.first()?.rows();
            if row < rows {
                for part in block {
                    let width = part.width();
                    if column < width {
                        return Some((part, row, column));
                    }
                    column -= width;
                }
                return None;
            }
            row -= rows;
        }
        None
    }
}

/// `28 x 28`.
fn shown(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" x ")
}

/// The first few places of many, for a message.
#[derive(Default)]
pub(crate) struct Places {
    pub(crate) total: usize,
    shown: Vec<String>,
}

impl Places {
    /// Counts a place; `text` is only made for those that will be shown.
    pub(crate) fn add(&mut self, text: impl FnOnce() -> String) {
        self.total += 1;
        if self.shown.len() < SHOWN {
            self.shown.push(text());
        }
    }

    /// Adds them to a message.
    pub(crate) fn note(self, mut fault: Diagnostic) -> Diagnostic {
        let more = self.total - self.shown.len();
        for place in self.shown {
            fault = fault.note(place);
        }
        if more > 0 { fault.note(format!("and {more} more")) } else { fault }
    }
}

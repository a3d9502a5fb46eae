//! All rows of a data set: sheets side by side, the rows of the test file below those of the source.
//!
//! In: the sources of a spec and the [`World`]. Out: a [`Table`] whose cells know their places, and the numbers of the
//! columns that an encoding names. Invariant: every block of rows has the same width and the same header.

use super::csv::{SHOWN, Sheet, write_row};
use super::read::{SourceFile, decode, text_of};
use super::spec::{Encoding, Origin, OriginKind, Pick};
use super::words::{count, list, quoted, suggestion};
use crate::source::{Code, Diagnostic, Diagnostics, Span, World};
use std::borrow::Cow;

/// Rows of text.
#[derive(Clone, Debug)]
pub(super) struct Table {
    blocks: Vec<Vec<Sheet>>,
    pub(super) width: usize,
    pub(super) rows: usize,
    /// How many of the rows are not of the test file.
    pub(super) source_rows: usize,
}

impl Table {
    /// Reads the source and the test file; `None` when a fault was recorded.
    pub(super) fn read(
        source: &Origin,
        test: Option<&Origin>,
        from: &str,
        world: &dyn World,
        files: &mut Vec<SourceFile>,
        faults: &mut Diagnostics,
    ) -> Option<Table> {
        let first = block(source, from, world, files, faults);
        let second = test.map(|origin| (origin, block(origin, from, world, files, faults)));
        let mut table = Table::of(first?);
        if let Some((origin, block)) = second {
            table.stack(block?, source, origin, faults)?;
        }
        Some(table)
    }

    /// Rows handed over by the program rather than read.
    pub(super) fn of_rows(rows: &[Vec<String>], name: &str, span: Span) -> Result<Table, Diagnostic> {
        let mut text = String::new();
        rows.iter().for_each(|row| write_row(&mut text, row));
        Table::of_text(text, name, b',', false, span)
    }

    /// One file that was read already.
    pub(super) fn of_bytes(
        bytes: Vec<u8>,
        name: &str,
        separator: u8,
        header: bool,
        span: Span,
    ) -> Result<Table, Diagnostic> {
        let text =
            decode(bytes).map_err(|(code, why)| Diagnostic::error(code, format!("`{name}` {why}")).at(span, ""))?;
        Table::of_text(text, name, separator, header, span)
    }

    fn of_text(text: String, name: &str, separator: u8, header: bool, span: Span) -> Result<Table, Diagnostic> {
        let mut faults = Diagnostics::default();
        let sheet = Sheet::read(name, text, separator, header, span, &mut faults);
        sheet.map(|sheet| Table::of(vec![sheet])).ok_or_else(|| {
            let fault = faults.0.into_iter().find(Diagnostic::is_error);
            fault.unwrap_or_else(|| Diagnostic::error(Code::DATA_FILE, format!("`{name}` cannot be read")))
        })
    }

    fn of(sheets: Vec<Sheet>) -> Table {
        let width = sheets.iter().map(|s| s.width).sum();
        let rows = sheets.first().map_or(0, |s| s.rows);
        Table { blocks: vec![sheets], width, rows, source_rows: rows }
    }

    fn stack(&mut self, below: Vec<Sheet>, source: &Origin, test: &Origin, faults: &mut Diagnostics) -> Option<()> {
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
    pub(super) fn cell(&self, row: usize, column: usize) -> Cow<'_, str> {
        self.find(row, column).map_or(Cow::Borrowed(""), |(sheet, row, column)| sheet.cell(row, column))
    }

    /// `file:line:column` of a cell.
    pub(super) fn place(&self, row: usize, column: usize) -> String {
        match self.find(row, column) {
            Some((sheet, row, column)) => format!("{}:{}", sheet.name, sheet.place(row, column)),
            None => "?".to_owned(),
        }
    }

    /// Whether a row is the first of its file, where a header would stand.
    pub(super) fn is_first_line(&self, row: usize) -> bool {
        self.find(row, 0).is_some_and(|(sheet, row, _)| row == 0 && sheet.header.is_none())
    }

    /// What people call a column.
    pub(super) fn column_name(&self, column: usize) -> String {
        match self.names().and_then(|names| names.into_iter().nth(column)) {
            Some(name) => format!("column {}", quoted(&name)),
            None => format!("column {column}"),
        }
    }

    /// The names of the columns, if every file has a header.
    pub(super) fn names(&self) -> Option<Vec<String>> {
        let headers: Option<Vec<_>> = self.blocks.first()?.iter().map(|s| s.header.clone()).collect();
        headers.map(|h| h.concat())
    }

    /// The numbers of the columns that an encoding names.
    pub(super) fn resolve(&self, encoding: &Encoding, source: Span, faults: &mut Diagnostics) -> Option<Vec<usize>> {
        let names = self.names();
        let (mut columns, mut fine) = (Vec::new(), true);
        for (pick, span) in &encoding.columns {
            let range = match pick {
                Pick::Index(i) => *i..i.saturating_add(1),
                Pick::Range(from, to) => *from..to.unwrap_or(self.width.max(from.saturating_add(1))),
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
        fine.then_some(columns)
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
                self.blocks.first().map_or_else(Vec::new, |b| b.iter().flat_map(Sheet::first_line).collect());
            let fault =
                fail(format!("{} cannot be found without a header", quoted(name))).also(source, "has no header");
            let hint = if first.iter().any(|f| f == name) {
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

    fn find(&self, mut row: usize, mut column: usize) -> Option<(&Sheet, usize, usize)> {
        for block in &self.blocks {
            let rows = block.first()?.rows;
            if row < rows {
                for sheet in block {
                    if column < sheet.width {
                        return Some((sheet, row, column));
                    }
                    column -= sheet.width;
                }
                return None;
            }
            row -= rows;
        }
        None
    }
}

/// The first few places of many, for a message.
#[derive(Default)]
pub(super) struct Places {
    pub(super) total: usize,
    shown: Vec<String>,
}

impl Places {
    /// Counts a place; `text` is only made for those that will be shown.
    pub(super) fn add(&mut self, text: impl FnOnce() -> String) {
        self.total += 1;
        if self.shown.len() < SHOWN {
            self.shown.push(text());
        }
    }

    /// Adds them to a message.
    pub(super) fn note(self, mut fault: Diagnostic) -> Diagnostic {
        let more = self.total - self.shown.len();
        for place in self.shown {
            fault = fault.note(place);
        }
        if more > 0 { fault.note(format!("and {more} more")) } else { fault }
    }
}

fn block(
    origin: &Origin,
    from: &str,
    world: &dyn World,
    files: &mut Vec<SourceFile>,
    faults: &mut Diagnostics,
) -> Option<Vec<Sheet>> {
    let (names, header, separator) = match &origin.kind {
        OriginKind::Inline(rows) => {
            let mut text = String::new();
            rows.iter().for_each(|row| write_row(&mut text, row));
            return Sheet::read("inline", text, b',', false, origin.span, faults).map(|sheet| vec![sheet]);
        }
        OriginKind::Csv { files, header, separator } => (files, *header, *separator),
    };
    let mut sheets = Vec::new();
    for (name, span) in names {
        let Some((file, text)) = text_of(world, from, name, *span, faults) else { continue };
        if !files.contains(&file) {
            files.push(file);
        }
        sheets.extend(Sheet::read(name, text, separator, header, *span, faults));
    }
    if sheets.len() != names.len() {
        return None;
    }
    let first = sheets.first()?;
    for (sheet, (_, span)) in sheets.iter().zip(names) {
        if sheet.rows != first.rows {
            let ours = names.first().map_or(origin.span, |(_, span)| *span);
            faults.push(
                Diagnostic::error(Code::DATA_FILE, "files side by side have different numbers of rows")
                    .at(*span, format!("has {}", count(sheet.rows, "row")))
                    .also(ours, format!("has {}", count(first.rows, "row")))
                    .help("each line of one belongs to the same line of the other"),
            );
            return None;
        }
    }
    Some(sheets)
}

//! Rows that are no part of a data set: read in the form of its source, encoded as its training part said.
//!
//! In: bytes in the source's form, delimited text, or records. Out: a [`Fresh`] table, from which an [`Encoder`] makes a
//! [`Column`]. Invariant: a bad value is told with its place in what was handed over; nothing is fitted here.

use crate::data::dataset::keeps_label;
use crate::data::encode::Encoder;
use crate::data::encode::column::Column;
use crate::data::source::csv::Sheet;
use crate::data::source::part::Part;
use crate::data::source::read::{decode, unreadable};
use crate::data::source::{array_of, pla, text};
use crate::data::spec::{Keep, Origin, OriginKind};
use crate::data::table::Table;
use crate::source::{Code, Diagnostic, Diagnostics, Span};

/// Rows to be encoded.
#[derive(Clone, Debug)]
pub struct Fresh {
    table: Table,
    /// Those that are used, by number.
    rows: Vec<usize>,
    span: Span,
}

impl Fresh {
    fn of(table: Table, span: Span) -> Fresh {
        Fresh { rows: (0..table.rows).collect(), table, span }
    }

    /// The rows whose class `keep` lets through; `target` reads the class.
    ///
    /// # Errors
    /// The column of the class is missing.
    pub fn kept(&self, keep: &Keep, target: &Encoder) -> Result<Fresh, Diagnostics> {
        let fitted = target.fitted_to(&self.table)?;
        let (Some(labels), Some(column)) = (target.labels(), fitted.columns.first()) else { return Ok(self.clone()) };
        let rows = self.rows.iter().copied();
        let rows = rows.filter(|row| keeps_label(keep, labels, &self.table.cell(*row, *column))).collect();
        Ok(Fresh { table: self.table.clone(), rows, span: self.span })
    }

    /// A file of the form of `source`; `input` knows the characters of a text.
    ///
    /// # Errors
    /// The bytes are not of that form.
    pub fn of_source(source: &Origin, input: &Encoder, name: &str, bytes: Vec<u8>) -> Result<Fresh, Diagnostics> {
        let span = source.span;
        let mut faults = Diagnostics::default();
        let told = |(code, why): (Code, String)| unreadable(code, name, &why).at(span, "the source");
        let table = match &source.kind {
            OriginKind::Csv { header, separator, .. } => Table::of_bytes(bytes, name, *separator, *header, span)?,
            OriginKind::Inline(_) | OriginKind::TruthTable { .. } | OriginKind::Points(_) => {
                Table::of_bytes(bytes, name, b',', false, span)?
            }
            OriginKind::Idx(_) | OriginKind::Npy(_) => {
                let array = array_of(&source.kind, name, bytes).map_err(|fault| fault.at(span, "the source"))?;
                Table::of(vec![Part::Array(array)])
            }
            OriginKind::Text { windows, .. } => {
                let whole = decode(bytes).map_err(told)?;
                match text::read(name, &whole, *windows, input.vocabulary(), span, &mut faults) {
                    Some(arrays) => Table::of(arrays.map(Part::Array).to_vec()),
                    None => return Err(faults),
                }
            }
            OriginKind::Pla(..) => {
                let text = decode(bytes).map_err(told)?;
                match pla::read(name, &text, span, &mut faults) {
                    Some(arrays) => Table::of(arrays.map(Part::Array).to_vec()),
                    None => return Err(faults),
                }
            }
        };
        Ok(Fresh::of(table, span))
    }

    /// Delimited text; `span` is where the program says how rows are read.
    ///
    /// # Errors
    /// Lines of different lengths, an open quote, no rows, bytes that are not text.
    pub fn of_text(name: &str, bytes: Vec<u8>, form: (u8, bool), span: Span) -> Result<Fresh, Diagnostics> {
        let (separator, header) = form;
        Ok(Fresh::of(Table::of_bytes(bytes, name, separator, header, span)?, span))
    }

    /// Records with their lines in a file, all of the same width, which is that of `names`.
    ///
    /// # Errors
    /// No records, or records of different widths.
    pub fn of_records(
        name: &str,
        names: Option<Vec<String>>,
        records: &[(usize, Vec<String>)],
        span: Span,
    ) -> Result<Fresh, Diagnostics> {
        let mut faults = Diagnostics::default();
        match Sheet::of_records(name, names, records, span, &mut faults) {
            Some(sheet) => Ok(Fresh::of(Table::of(vec![Part::Sheet(sheet)]), span)),
            None => Err(faults),
        }
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The names of the columns, when there is a header.
    #[must_use]
    pub fn names(&self) -> Option<Vec<String>> {
        self.table.names()
    }

    /// The cells of a row as text.
    #[must_use]
    pub fn cells(&self, row: usize) -> Vec<String> {
        let row = self.rows.get(row).copied().unwrap_or(usize::MAX);
        (0..self.table.width).map(|column| self.table.cell(row, column).into_owned()).collect()
    }

    /// Whether the columns that an encoder reads are there.
    #[must_use]
    pub fn has(&self, encoder: &Encoder) -> bool {
        encoder.has_columns(&self.table)
    }

    /// All rows, encoded; the second part are warnings.
    ///
    /// # Errors
    /// Columns that are missing, values that cannot be used.
    pub fn encode(&self, encoder: &Encoder) -> Result<(Column, Diagnostics), Diagnostics> {
        let mut faults = Diagnostics::default();
        let fitted = encoder.fitted_to(&self.table).map_err(|d| self.without_names(encoder, d))?;
        match fitted.encode(&self.table, &self.rows, &mut faults) {
            Some(column) if !faults.has_errors() => Ok((column, faults)),
            _ => Err(faults),
        }
    }

    /// Says of a column that is missing when the first line holds no names at all.
    fn without_names(&self, encoder: &Encoder, fault: Diagnostic) -> Diagnostic {
        let (Some(ours), Some(theirs)) = (&encoder.source_names, self.table.names()) else { return fault };
        if theirs.is_empty() || !theirs.iter().all(|name| name.parse::<f64>().is_ok()) {
            return fault;
        }
        let read: Vec<&str> = encoder.columns.iter().filter_map(|c| ours.get(*c)).map(String::as_str).collect();
        let message = "the first line has numbers where the names of the columns are read";
        Diagnostic::error(fault.code, message)
            .at(self.span, "read with a header")
            .help(format!("begin with the line `{}`", read.join(",")))
    }
}

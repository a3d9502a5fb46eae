//! From the sources of a spec to the parts of a table.
//!
//! In: an [`Origin`] and the [`World`]. Out: what each file holds, side by side. Invariant: all parts of a source have the
//! same number of rows; every fault names its file and points at the place where the program names it.

pub(crate) mod array;
pub(crate) mod csv;
pub(crate) mod idx;
pub(crate) mod part;
pub(crate) mod pla;
pub(crate) mod read;
pub(crate) mod sha256;
pub(crate) mod truth;

use crate::data::source::csv::{Sheet, write_row};
use crate::data::source::part::Part;
use crate::data::source::read::{SourceFile, bytes_of, plain, text_of};
use crate::data::source::truth::Evaluate;
use crate::data::spec::{DataSpec, Origin, OriginKind};
use crate::data::table::Table;
use crate::data::words::count;
use crate::source::{Code, Diagnostic, Diagnostics, World};

/// What sources are read with.
pub(crate) struct Reading<'a> {
    /// The file that names them.
    pub(crate) from: &'a str,
    pub(crate) world: &'a dyn World,
    pub(crate) evaluate: Evaluate<'a>,
    /// The files read so far.
    pub(crate) files: Vec<SourceFile>,
}

impl Reading<'_> {
    /// Reads the source and the test file; `None` when a fault was recorded.
    pub(crate) fn table(&mut self, spec: &DataSpec, faults: &mut Diagnostics) -> Option<Table> {
        let first = self.parts(&spec.source, faults);
        let second = spec.test.as_ref().map(|origin| (origin, self.parts(origin, faults)));
        let mut table = Table::of(first?);
        if let Some((origin, parts)) = second {
            table.stack(parts?, &spec.source, origin, faults)?;
        }
        Some(table)
    }

    fn parts(&mut self, origin: &Origin, faults: &mut Diagnostics) -> Option<Vec<Part>> {
        let arrays = |made: [crate::data::source::array::Array; 2]| made.map(Part::Array).to_vec();
        let (names, parts) = match &origin.kind {
            OriginKind::Inline(rows) => {
                let mut text = String::new();
                rows.iter().for_each(|row| write_row(&mut text, row));
                let sheet = Sheet::read("inline", text, b',', false, origin.span, faults);
                return sheet.map(|sheet| vec![Part::Sheet(sheet)]);
            }
            OriginKind::TruthTable { wires, formula } => {
                return truth::rows(*wires, formula, origin.span, self.evaluate, faults).map(arrays);
            }
            OriginKind::Pla(name, span) => {
                let (file, text) = text_of(self.world, self.from, name, *span, faults)?;
                self.note(file);
                return pla::read(name, &text, *span, faults).map(arrays);
            }
            OriginKind::Csv { files, header, separator } => {
                let mut parts = Vec::new();
                for (name, span) in files {
                    let Some((file, text)) = text_of(self.world, self.from, name, *span, faults) else { continue };
                    self.note(file);
                    parts.extend(Sheet::read(name, text, *separator, *header, *span, faults).map(Part::Sheet));
                }
                (files, parts)
            }
            OriginKind::Idx(files) => {
                let mut parts = Vec::new();
                for (name, span) in files {
                    let Some((file, bytes)) = bytes_of(self.world, self.from, name, *span, faults) else { continue };
                    self.note(file);
                    let made = plain(bytes)
                        .map_err(|(code, why)| Diagnostic::error(code, format!("`{name}` {why}")))
                        .and_then(|bytes| idx::read(name, bytes).map_err(|fault| idx_fault(name, fault)));
                    match made {
                        Ok(array) => parts.push(Part::Array(array)),
                        Err(fault) => faults.push(fault.at(*span, "named here")),
                    }
                }
                (files, parts)
            }
        };
        if parts.len() != names.len() {
            return None;
        }
        let first = parts.first()?;
        for (part, (_, span)) in parts.iter().zip(names) {
            if part.rows() != first.rows() {
                let ours = names.first().map_or(origin.span, |(_, span)| *span);
                let help = match &origin.kind {
                    OriginKind::Idx(_) => "each image has one label; one file may be of another part, or be cut off",
                    _ => "each line of one belongs to the same line of the other",
                };
                faults.push(
                    Diagnostic::error(Code::DATA_FILE, "files side by side have different numbers of rows")
                        .at(*span, format!("has {}", count(part.rows(), "row")))
                        .also(ours, format!("has {}", count(first.rows(), "row")))
                        .help(help),
                );
                return None;
            }
        }
        Some(parts)
    }

    fn note(&mut self, file: SourceFile) {
        if !self.files.contains(&file) {
            self.files.push(file);
        }
    }
}

/// What is wrong with an IDX file as a message.
pub(crate) fn idx_fault(name: &str, (why, help): idx::Fault) -> Diagnostic {
    let fault = Diagnostic::error(Code::DATA_FILE, format!("`{name}` {why}"));
    match help {
        Some(help) => fault.help(help),
        None => fault,
    }
}

//! From the sources of a spec to the parts of a table.
//!
//! In: an [`Origin`] and the [`World`]. Out: what each file holds, side by side. Invariant: all parts of a source have the
//! same number of rows; every fault names its file and points at the place where the program names it.

pub(crate) mod array;
pub(crate) mod csv;
pub(crate) mod idx;
pub(crate) mod npy;
pub(crate) mod part;
pub(crate) mod pla;
pub(crate) mod points;
pub(crate) mod read;
pub(crate) mod sha256;
pub(crate) mod text;
pub(crate) mod truth;

use self::array::Array;
use crate::data::source::csv::{Sheet, write_row};
use crate::data::source::part::Part;
use crate::data::source::read::{SourceFile, bytes_of, plain, text_of, unreadable};
use crate::data::source::truth::Evaluate;
use crate::data::spec::{DataSpec, Origin, OriginKind};
use crate::data::table::Table;
use crate::data::words::count;
use crate::source::{Code, Diagnostic, Diagnostics, World};
use std::sync::Arc;

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
        let first = self.parts(&spec.source, None, faults).map(Table::of);
        // Characters of a test text have the numbers that the source gives them.
        let vocabulary = first.as_ref().and_then(Table::vocabulary);
        let second = spec.test.as_ref().map(|origin| (origin, self.parts(origin, vocabulary, faults)));
        let mut table = first?;
        if let Some((origin, parts)) = second {
            table.stack(parts?, &spec.source, origin, faults)?;
        }
        Some(table)
    }

    /// The parts of one source; `known` are the characters of a text to which this one belongs.
    pub(crate) fn parts(
        &mut self,
        origin: &Origin,
        known: Option<&Arc<[char]>>,
        faults: &mut Diagnostics,
    ) -> Option<Vec<Part>> {
        let arrays = |made: [Array; 2]| made.map(Part::Array).to_vec();
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
            OriginKind::Text { file: (name, span), windows, vocabulary } => {
                let (file, text) = text_of(self.world, self.from, name, *span, faults)?;
                self.note(file);
                return text::read(name, &text, *windows, known.or(vocabulary.as_ref()), *span, faults).map(arrays);
            }
            OriginKind::Points(points) => {
                return Some(points::draw(points).into_iter().map(Part::Array).collect());
            }
            OriginKind::Idx(files) | OriginKind::Npy(files) => {
                let mut parts = Vec::new();
                for (name, span) in files {
                    let Some((file, bytes)) = bytes_of(self.world, self.from, name, *span, faults) else { continue };
                    self.note(file);
                    match array_of(&origin.kind, name, bytes) {
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
                    OriginKind::Idx(_) | OriginKind::Npy(_) => {
                        "each image has one label; one file may be of another part, or be cut off"
                    }
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

/// The array that a file of a source holds, an NPY file or else an IDX file; gzip is undone.
pub(crate) fn array_of(kind: &OriginKind, name: &str, bytes: Vec<u8>) -> Result<Array, Diagnostic> {
    let bytes = plain(bytes).map_err(|(code, why)| unreadable(code, name, &why))?;
    let made = if let OriginKind::Npy(_) = kind { npy::read(name, &bytes) } else { idx::read(name, bytes) };
    made.map_err(|(why, help)| match help {
        Some(help) => unreadable(Code::DATA_FILE, name, &why).help(help),
        None => unreadable(Code::DATA_FILE, name, &why),
    })
}

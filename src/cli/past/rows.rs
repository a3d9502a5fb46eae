//! Rows to predict: text, lines of JSON, or a file of the form of the run's own data.
//!
//! In: bytes with a name, gzip or not. Out: rows that the encoders read, and what stood in them as it was written. A line
//! of JSON is an object by the names of the columns, or an array in their order; what is wrong with it is shown in its
//! line.

use super::Past;
use super::encoders::Encoders;
use super::json::{Fields, texts};
use crate::cli::terminal::{complain, messages};
use crate::cli::{End, Shared};
use catlearn::data::{Column, Encoder, Fresh, OriginKind, unpacked, unpacked_text};
use catlearn::source::{Code, Diagnostic, Diagnostics, SourceMap, Span};
use std::io::{IsTerminal, Read};

/// The form of rows, in and out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Delimited by a byte.
    Text(u8),
    /// A JSON value a line.
    Lines,
}

/// Rows with what stood in them.
pub(super) struct Given {
    /// What the file is called in messages.
    pub(super) name: String,
    pub(super) fresh: Fresh,
    pub(super) form: Form,
    /// The fields of every line of JSON; else empty.
    fields: Vec<Fields>,
}

impl Given {
    /// The columns of a row with their names and what is written in them; columns without names are numbered.
    pub(super) fn kept(&self, row: usize) -> Fields {
        if self.form == Form::Lines {
            return self.fields.get(row).cloned().unwrap_or_default();
        }
        let numbers = || (0..self.fresh.cells(row).len()).map(|i| i.to_string()).collect();
        self.fresh.names().unwrap_or_else(numbers).into_iter().zip(self.fresh.cells(row)).collect()
    }
}

/// What is wrong, and the texts that the messages point into.
type Wrong = (Diagnostics, Option<SourceMap>);

impl Past {
    /// The rows of a file (`-` is stdin); without `header` its first line is a row.
    pub(super) fn rows(&self, encoders: &Encoders, file: &str, header: bool, shared: &Shared) -> Result<Given, End> {
        let (name, bytes) = bytes_of(file, shared)?;
        read(self, encoders, name, bytes, header).map_err(|(said, sources)| match sources {
            Some(sources) => {
                messages(shared, &said, &sources);
                End::Fault
            }
            None => self.say(shared, &said),
        })
    }

    /// Rows as an encoder makes them; what should be said is said.
    pub(super) fn encoded(&self, fresh: &Fresh, encoder: &Encoder, shared: &Shared) -> Result<Column, End> {
        // Only a source with names asks for them, and then numbers in the first line are a row without them.
        let bare = encoder.source_names.is_some()
            && fresh.names().is_some_and(|names| names.iter().all(|name| name.parse::<f64>().is_ok()));
        let (column, warnings) = fresh
            .encode(encoder)
            .map_err(|said| self.say(shared, &of_rows(if bare { headless(said) } else { said })))?;
        self.loaded.say(shared, &warnings);
        Ok(column)
    }
}

/// Name and bytes of a file; `-` is stdin.
pub(super) fn bytes_of(file: &str, shared: &Shared) -> Result<(String, Vec<u8>), End> {
    if file == "-" {
        if std::io::stdin().is_terminal() {
            crate::cli::terminal::note(shared, "rows are read from stdin; end them with Ctrl-D");
        }
        let mut bytes = Vec::new();
        return match std::io::stdin().read_to_end(&mut bytes) {
            Ok(_) => Ok(("stdin".to_owned(), bytes)),
            Err(e) => {
                complain(shared, Diagnostic::error(Code::INPUT_ROW, format!("stdin cannot be read: {e}")));
                Err(End::Fault)
            }
        };
    }
    std::fs::read(file).map(|bytes| (file.to_owned(), bytes)).map_err(|e| {
        let d = Diagnostic::error(Code::INPUT_ROW, format!("`{file}` cannot be read: {e}"));
        complain(shared, d.help("name a file that is there, or `-` for stdin"));
        End::Fault
    })
}

/// Reads rows; without `header` the first line is a row whatever the run's own data has.
fn read(past: &Past, encoders: &Encoders, name: String, bytes: Vec<u8>, header: bool) -> Result<Given, Wrong> {
    let Some((spec, _)) = &past.training.data else { return Err((Diagnostics::default(), None)) };
    let span = spec.source.span;
    let bytes = unpacked(&name, bytes).map_err(|d| (d.into(), None))?;
    let first = bytes.iter().copied().find(|b| !b.is_ascii_whitespace());
    let plain = name.strip_suffix(".gz").unwrap_or(&name);
    let lines = [".jsonl", ".ndjson", ".json"].iter().any(|end| plain.ends_with(end));
    let (separator, named) = past.text_form();
    let own = match &spec.source.kind {
        OriginKind::Csv { .. } | OriginKind::Inline(_) | OriginKind::TruthTable { .. } | OriginKind::Points(_) => false,
        OriginKind::Text { .. } => true,
        // Bytes that no text begins with, or the key words of espresso.
        _ => bytes.first().is_some_and(|b| *b < 9 || *b >= 0x80) || first == Some(b'.'),
    };
    if lines || (!own && matches!(first, Some(b'{' | b'['))) {
        return of_lines(encoders, name, bytes, span);
    }
    let read = if own {
        Fresh::of_source(&spec.source, &encoders.input, &name, bytes)
    } else {
        Fresh::of_text(&name, bytes, (separator, named && header), span)
    };
    let fresh = read.map_err(|said| (said, None))?;
    Ok(Given { name, fresh, form: Form::Text(separator), fields: Vec::new() })
}

/// Messages about columns that are not named, with the flag that reads them without names.
fn headless(mut said: Diagnostics) -> Diagnostics {
    for d in said.0.iter_mut().filter(|d| d.code == Code::DATA_COLUMN) {
        d.help = d.help.take().map(|help| format!("{help}, or read rows without it by `--no-header`"));
    }
    said
}

/// Messages about values, with a help for whoever gives rows: the program is not to be changed any more.
pub(super) fn of_rows(mut said: Diagnostics) -> Diagnostics {
    for d in said.0.iter_mut().filter(|d| d.code == Code::DATA_VALUE && d.is_error()) {
        d.help = Some("give every row values of the kind that the run was trained on".to_owned());
    }
    said
}

/// Lines of JSON.
fn of_lines(encoders: &Encoders, name: String, bytes: Vec<u8>, span: Span) -> Result<Given, Wrong> {
    let text = unpacked_text(&name, bytes).map_err(|d| (d.into(), None))?;
    let mut sources = SourceMap::default();
    let file = sources.add(name.as_str(), text.as_str());
    let (mut records, mut fields) = (Vec::new(), Vec::new());
    let mut names: Option<Vec<String>> = None;
    let mut begin = 0;
    for (at, line) in text.split_inclusive('\n').enumerate() {
        let place = Span::new(file, begin, begin + line.trim_end().len());
        if !line.trim().is_empty() {
            let row = super::json::of_line(line, place).map_err(|d| (d.into(), Some(sources.clone())))?;
            // The two orders of columns need not be the same.
            if !records.is_empty() && row.named != names.is_some() {
                let fault = Diagnostic::error(Code::INPUT_ROW, "rows by names and rows in order are mixed")
                    .at(place, if row.named { "by names" } else { "in order" })
                    .help("write all rows as objects, or all as arrays");
                return Err((fault.into(), Some(sources.clone())));
            }
            if row.named && names.is_none() {
                names = Some(wanted(encoders, &row.fields));
            }
            let cells = texts(&row, names.as_deref(), place).map_err(|d| (d.into(), Some(sources.clone())))?;
            records.push((at + 1, cells));
            fields.push(row.fields);
        }
        begin += line.len();
    }
    let fresh = Fresh::of_records(&name, names, &records, span).map_err(|said| (said, None))?;
    Ok(Given { name, fresh, form: Form::Lines, fields })
}

/// The columns that are read, and those of the target when the first record has them.
fn wanted(encoders: &Encoders, first: &Fields) -> Vec<String> {
    let named = |e: &Encoder| -> Vec<String> {
        let names = e.source_names.iter().flat_map(|names| e.columns.iter().filter_map(|c| names.get(*c)));
        names.cloned().collect()
    };
    let mut all = named(&encoders.input);
    let target = encoders.target.as_ref().map(named).unwrap_or_default();
    if target.iter().all(|name| first.iter().any(|(field, _)| field == name)) {
        all.extend(target.into_iter().filter(|name| !all.contains(name)).collect::<Vec<_>>());
    }
    all
}

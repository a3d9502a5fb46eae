//! Rows to predict: text, lines of JSON, or a file of the form of the run's own data.
//!
//! In: bytes with a name. Out: rows that the encoders read. A line of JSON is an object by the names of the columns, or
//! an array in their order; what is wrong with it is shown in its line.

use super::Past;
use super::encoders::Encoders;
use crate::cli::terminal::{complain, messages};
use crate::cli::{End, Shared};
use catlearn::data::{Column, Encoder, Fresh, OriginKind};
use catlearn::source::{Code, Diagnostic, Diagnostics, FileId, SourceMap, Span};
use serde_json::Value;
use std::io::{IsTerminal, Read};

/// The form of rows, in and out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Delimited by a byte.
    Text(u8),
    /// A JSON value a line.
    Lines,
}

/// What is wrong, and the texts that the messages point into.
type Wrong = (Diagnostics, Option<SourceMap>);

impl Past {
    /// The rows of a file (`-` is stdin), with its name and its form; without `header` its first line is a row.
    pub(super) fn rows(
        &self,
        encoders: &Encoders,
        file: &str,
        header: bool,
        shared: &Shared,
    ) -> Result<(String, Fresh, Form), End> {
        let (name, bytes) = bytes_of(file, shared)?;
        match read(self, encoders, &name, bytes, header) {
            Ok((fresh, form)) => Ok((name, fresh, form)),
            Err((said, Some(sources))) => {
                messages(shared, &said, &sources);
                Err(End::Fault)
            }
            Err((said, None)) => Err(self.say(shared, &said)),
        }
    }

    /// Rows as an encoder makes them; what should be said is said.
    pub(super) fn encoded(&self, fresh: &Fresh, encoder: &Encoder, shared: &Shared) -> Result<Column, End> {
        let (column, warnings) = fresh.encode(encoder).map_err(|said| self.say(shared, &of_rows(said)))?;
        self.loaded.say(shared, &warnings);
        Ok(column)
    }
}

/// Name and bytes of a file of rows; `-` is stdin.
fn bytes_of(file: &str, shared: &Shared) -> Result<(String, Vec<u8>), End> {
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
        complain(shared, Diagnostic::error(Code::INPUT_ROW, format!("`{file}` cannot be read: {e}")));
        End::Fault
    })
}

/// Reads rows; without `header` the first line is a row whatever the run's own data has.
fn read(past: &Past, encoders: &Encoders, name: &str, bytes: Vec<u8>, header: bool) -> Result<(Fresh, Form), Wrong> {
    let Some((spec, _)) = &past.training.data else { return Err((Diagnostics::default(), None)) };
    let span = spec.source.span;
    let first = bytes.iter().copied().find(|b| !b.is_ascii_whitespace());
    let lines = [".jsonl", ".ndjson", ".json"].iter().any(|end| name.ends_with(end));
    let (separator, named) = past.text_form();
    let own = match &spec.source.kind {
        OriginKind::Csv { .. } | OriginKind::Inline(_) | OriginKind::TruthTable { .. } | OriginKind::Points(_) => false,
        OriginKind::Text { .. } => true,
        // Bytes that no text begins with, or the key words of espresso.
        _ => bytes.first().is_some_and(|b| *b < 9 || *b >= 0x80 || *b == 0x1f) || first == Some(b'.'),
    };
    if lines || (!own && matches!(first, Some(b'{' | b'['))) {
        return Ok((of_lines(encoders, name, bytes, span)?, Form::Lines));
    }
    let read = if own {
        Fresh::of_source(&spec.source, &encoders.input, name, bytes)
    } else {
        Fresh::of_text(name, bytes, (separator, named && header), span)
    };
    read.map(|fresh| (fresh, Form::Text(separator))).map_err(|said| (said, None))
}

/// Messages about values, with a help for whoever gives rows: the program is not to be changed any more.
pub(super) fn of_rows(mut said: Diagnostics) -> Diagnostics {
    for d in said.0.iter_mut().filter(|d| d.code == Code::DATA_VALUE && d.is_error()) {
        d.help = Some("give every row values of the kind that the run was trained on".to_owned());
    }
    said
}

/// Lines of JSON.
fn of_lines(encoders: &Encoders, name: &str, bytes: Vec<u8>, span: Span) -> Result<Fresh, Wrong> {
    let text = String::from_utf8(bytes).map_err(|e| {
        let message = format!("`{name}` is not UTF-8 text (byte {})", e.utf8_error().valid_up_to());
        (Diagnostic::error(Code::INPUT_ROW, message).into(), None)
    })?;
    let mut sources = SourceMap::default();
    let file = sources.add(name, text.as_str());
    let mut records = Vec::new();
    let mut names: Option<Vec<String>> = None;
    let mut begin = 0;
    for (at, line) in text.split_inclusive('\n').enumerate() {
        let place = Span::new(file, begin, begin + line.trim_end().len());
        if !line.trim().is_empty() {
            let value = parsed(line, file, begin).map_err(|d| (d.into(), Some(sources.clone())))?;
            // The two orders of columns need not be the same.
            if !records.is_empty() && value.is_object() != names.is_some() {
                let fault = Diagnostic::error(Code::INPUT_ROW, "rows by names and rows in order are mixed")
                    .at(place, if value.is_object() { "by names" } else { "in order" })
                    .help("write all rows as objects, or all as arrays");
                return Err((fault.into(), Some(sources.clone())));
            }
            let wanted = || names.clone().unwrap_or_else(|| wanted(encoders, &value));
            let (wanted, cells) = cells(&value, wanted, place).map_err(|d| (d.into(), Some(sources.clone())))?;
            names = names.or(wanted);
            records.push((at + 1, cells));
        }
        begin += line.len();
    }
    Fresh::of_records(name, names, &records, span).map_err(|said| (said, None))
}

/// The columns that are read, and those of the target when the first record has them.
fn wanted(encoders: &Encoders, first: &Value) -> Vec<String> {
    let named = |e: &catlearn::data::Encoder| -> Vec<String> {
        let names = e.source_names.iter().flat_map(|names| e.columns.iter().filter_map(|c| names.get(*c)));
        names.cloned().collect()
    };
    let mut all = named(&encoders.input);
    let target = encoders.target.as_ref().map(named).unwrap_or_default();
    if target.iter().all(|name| first.get(name).is_some()) {
        all.extend(target.into_iter().filter(|name| !all.contains(name)).collect::<Vec<_>>());
    }
    all
}

fn parsed(line: &str, file: FileId, begin: usize) -> Result<Value, Diagnostic> {
    serde_json::from_str(line).map_err(|e| {
        let at = begin + e.column().saturating_sub(1).min(line.trim_end().len());
        let why = e.to_string();
        let why = why.split(" at line ").next().unwrap_or_default().to_owned();
        Diagnostic::error(Code::INPUT_ROW, "this line is no JSON")
            .at(Span::new(file, at, at + 1), why)
            .help("write an object or an array a line")
    })
}

type Cells = (Option<Vec<String>>, Vec<String>);

/// The texts of a record, with the names that it was read by.
fn cells(value: &Value, wanted: impl Fn() -> Vec<String>, place: Span) -> Result<Cells, Diagnostic> {
    let fail = |message: String| Diagnostic::error(Code::INPUT_ROW, message).at(place, "in this line");
    match value {
        Value::Array(all) => {
            let cells: Option<Vec<String>> = all.iter().map(cell).collect();
            let help = "write numbers, texts, `true`, `false` or `null`";
            Ok((None, cells.ok_or_else(|| fail("a value of a row is a list or an object".to_owned()).help(help))?))
        }
        Value::Object(map) => {
            let names = wanted();
            if names.is_empty() {
                let fault = fail("a row by names, and the columns of this run have none".to_owned());
                return Err(fault.help("write each row as an array: [5.1, 3.5]"));
            }
            let mut out = Vec::new();
            for name in &names {
                let Some(value) = map.get(name) else {
                    let known: Vec<String> = map.keys().map(|k| format!("`{k}`")).collect();
                    let fault = fail(format!("there is no `{name}` in this row"));
                    return Err(
                        fault.help(format!("it has {}; give it all columns that the run reads", known.join(", ")))
                    );
                };
                let help = "write a number, a text, `true`, `false` or `null`";
                out.push(cell(value).ok_or_else(|| fail(format!("`{name}` is a list or an object")).help(help))?);
            }
            Ok((Some(names), out))
        }
        _ => Err(fail("a row is an object or an array".to_owned()).help("write `{\"name\": 1.5}` or `[1.5]`")),
    }
}

/// A single value as the text that a sheet would have.
fn cell(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Number(n) => Some(n.to_string()),
        Value::Bool(b) => Some(b.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

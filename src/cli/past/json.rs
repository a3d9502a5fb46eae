//! One line of JSON as a row: its fields as they were written, and the cells that a table would have.
//!
//! In: a line with its place. Out: a [`Row`], an object by the names of the columns or an array in their order.
//! Invariant: a value is never written anew (`1.10` stays `1.10`), and no field of an object is lost.

use catlearn::source::{Code, Diagnostic, Span};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt::Formatter;

/// Names and values as they are written; the values of an array are numbered from 0.
pub(super) type Fields = Vec<(String, String)>;

/// A row of JSON.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Whether it is an object.
    pub(super) named: bool,
    pub(super) fields: Fields,
}

/// The fields of an object, in their order, the same name twice if it stands there twice.
struct Object(Fields);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Object, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Object;

            fn expecting(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut fields = Fields::new();
                while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                    fields.push((name, value.get().to_owned()));
                }
                Ok(Object(fields))
            }
        }
        from.deserialize_map(Each)
    }
}

/// Reads a line.
pub(super) fn of_line(line: &str, place: Span) -> Result<Row, Diagnostic> {
    let bad = |e: serde_json::Error| {
        let at = place.start as usize + e.column().saturating_sub(1).min(line.trim_end().len());
        let why = e.to_string();
        let why = why.split(" at line ").next().unwrap_or_default().to_owned();
        Diagnostic::error(Code::INPUT_ROW, "this line is no JSON")
            .at(Span::new(place.file, at, at + 1), why)
            .help("write an object or an array a line")
    };
    match line.trim_start().as_bytes().first() {
        Some(b'{') => {
            let Object(fields) = serde_json::from_str(line).map_err(bad)?;
            let twice = fields.iter().enumerate().find(|(at, (name, _))| fields.iter().take(*at).any(|f| f.0 == *name));
            match twice {
                Some((_, (name, _))) => {
                    Err(fail(format!("`{name}` stands in this row twice"), place).help("give each column one value"))
                }
                None => Ok(Row { named: true, fields }),
            }
        }
        Some(b'[') => {
            let values: Vec<&RawValue> = serde_json::from_str(line).map_err(bad)?;
            let fields = values.iter().enumerate().map(|(at, value)| (at.to_string(), value.get().to_owned()));
            Ok(Row { named: false, fields: fields.collect() })
        }
        _ => {
            let _other: &RawValue = serde_json::from_str(line).map_err(bad)?;
            let fault = fail("a row is an object or an array".to_owned(), place);
            Err(fault.help("write `{\"name\": 1.5}` or `[1.5]`"))
        }
    }
}

/// The cells of a row: those of the columns `names`, or all of them in order.
pub(super) fn texts(row: &Row, names: Option<&[String]>, place: Span) -> Result<Vec<String>, Diagnostic> {
    let Some(names) = names else {
        let help = "write numbers, texts, `true`, `false` or `null`";
        let cells: Option<Vec<String>> = row.fields.iter().map(|(_, value)| cell(value)).collect();
        return cells.ok_or_else(|| fail("a value of a row is a list or an object".to_owned(), place).help(help));
    };
    if names.is_empty() {
        let fault = fail("a row by names, and the columns of this run have none".to_owned(), place);
        return Err(fault.help("write each row as an array: [5.1, 3.5]"));
    }
    let mut out = Vec::new();
    for name in names {
        let Some((_, value)) = row.fields.iter().find(|(field, _)| field == name) else {
            let known: Vec<String> = row.fields.iter().map(|(field, _)| format!("`{field}`")).collect();
            let has = if known.is_empty() { "nothing".to_owned() } else { known.join(", ") };
            let help = format!("it has {has}; give it all columns that the run reads");
            return Err(fail(format!("there is no `{name}` in this row"), place).help(help));
        };
        let help = "write a number, a text, `true`, `false` or `null`";
        out.push(cell(value).ok_or_else(|| fail(format!("`{name}` is a list or an object"), place).help(help))?);
    }
    Ok(out)
}

fn fail(message: String, place: Span) -> Diagnostic {
    Diagnostic::error(Code::INPUT_ROW, message).at(place, "in this line")
}

/// A single value as the text that a sheet would have; nothing when it is a list or an object.
fn cell(value: &str) -> Option<String> {
    match value.as_bytes().first() {
        Some(b'{' | b'[') => None,
        Some(b'"') => serde_json::from_str(value).ok(),
        Some(b'n') => Some(String::new()),
        _ => Some(value.to_owned()),
    }
}

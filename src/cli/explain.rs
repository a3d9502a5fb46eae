//! `catlearn explain std | NAME | E0123 | FILE[:NAME]`.
//!
//! The manual does the work (`catlearn::manual`); here it is decided what is asked for, and the answer is written. A
//! name that is not there ends with 1 and the name that was meant.

use super::load::{load, parts};
use super::terminal::{answer, complain};
use super::{End, Format, Shared};
use catlearn::manual::{self, Entry};
use catlearn::source::{Code, Diagnostic, all_codes};
use clap::Args;
use serde_json::{Value, json};
use std::path::Path;

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// `std` for every name, a name, a code such as E0301, or FILE[:NAME]
    #[arg(value_name = "std|NAME|CODE|FILE[:NAME]")]
    what: String,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn run(args: &ExplainArgs, shared: &Shared) -> End {
    explained(args, shared).unwrap_or_else(|end| end)
}

fn explained(args: &ExplainArgs, shared: &Shared) -> Result<End, End> {
    let what = args.what.trim();
    if what == "std" {
        match args.format {
            Format::Text => answer(manual::list().trim_end())?,
            Format::Json => answer(&Value::Array(manual::entries().iter().map(entry_json).collect()).to_string())?,
        }
        return Ok(End::Fine);
    }
    if let Some(number) = code_number(what) {
        return code(number, what, args.format, shared);
    }
    let found: Vec<Entry> = manual::find(what).into_iter().cloned().collect();
    if !found.is_empty() && !Path::new(what).is_file() {
        return entries(&found, args.format);
    }
    let (file, name) = parts(what);
    if is_program(file) {
        return match name {
            Some(name) => own_name(file, name, args.format, shared),
            None => runs(file, args.format, shared),
        };
    }
    if manual::later(what) {
        complain(shared, Diagnostic::error(Code::NOT_YET, format!("`{what}` is not supported yet")));
        return Ok(End::Fault);
    }
    let d = Diagnostic::error(Code::UNKNOWN_NAME, format!("nothing is called `{what}`"));
    let help = match manual::near(what) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`catlearn explain std` lists every name; a name of a file is written FILE:NAME".to_owned(),
    };
    complain(shared, d.help(help));
    Ok(End::Fault)
}

/// The number of `E0301` or `e301`.
fn code_number(what: &str) -> Option<u16> {
    let digits = what.strip_prefix(['E', 'e'])?;
    let fits = (3..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| fits)
}

fn is_program(file: &str) -> bool {
    Path::new(file).is_file() || Path::new(file).extension().is_some_and(|e| e == "lens")
}

fn code(number: u16, what: &str, format: Format, shared: &Shared) -> Result<End, End> {
    let known = all_codes().iter().find(|(c, _)| c.0 == number);
    let Some(((code, title), page)) = known.and_then(|k| Some((k, manual::page(k.0)?))) else {
        let d = Diagnostic::error(Code::UNKNOWN_NAME, format!("no message has the code {what}"));
        complain(shared, d.help("codes are E0101 to E0902; `docs/errors` lists them"));
        return Ok(End::Fault);
    };
    match format {
        Format::Text => answer(manual::page_text(page).trim_end())?,
        Format::Json => answer(&json!({"code": code.to_string(), "title": title, "page": page}).to_string())?,
    }
    Ok(End::Fine)
}

/// A name of a file: an own one, else one of the prelude that the file sees.
fn own_name(file: &str, name: &str, format: Format, shared: &Shared) -> Result<End, End> {
    let loaded = load(file, shared)?;
    let found = manual::of_program(&loaded.program, name);
    if !found.is_empty() {
        let said = loaded.program.check();
        loaded.say(shared, &said);
        entries(&found, format)?;
        return Ok(if said.has_errors() { End::Fault } else { End::Fine });
    }
    let d = Diagnostic::error(Code::UNKNOWN_NAME, format!("`{file}` defines no `{name}`"));
    let names: Vec<String> = loaded.program.items().iter().map(|i| i.name.to_string()).collect();
    let near = manual::nearest(name, &names);
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None if !manual::find(name).is_empty() => format!("the language has it: `catlearn explain {name}`"),
        None => format!("it defines {}", names.join(", ")),
    };
    complain(shared, d.help(help));
    Ok(End::Fault)
}

/// Every training run of a file, defaults filled in.
fn runs(file: &str, format: Format, shared: &Shared) -> Result<End, End> {
    let loaded = load(file, shared)?;
    let said = loaded.program.check();
    loaded.say(shared, &said);
    if said.has_errors() {
        return Ok(End::Fault);
    }
    let (mut texts, mut all) = (Vec::new(), Vec::new());
    for name in loaded.program.trainings() {
        let Ok(run) = loaded.program.training(&name) else { continue };
        texts.push(manual::run_text(&run));
        let settings = manual::run_settings(&run);
        let settings: serde_json::Map<String, Value> =
            settings.into_iter().map(|(key, value)| (key, Value::String(value))).collect();
        all.push(json!({"run": &*name, "settings": settings}));
    }
    match format {
        Format::Json => answer(&Value::Array(all).to_string())?,
        Format::Text if texts.is_empty() => answer(&format!("{file} has no training run"))?,
        Format::Text => answer(&texts.join("\n\n"))?,
    }
    Ok(End::Fine)
}

fn entries(found: &[Entry], format: Format) -> Result<End, End> {
    match format {
        Format::Text => {
            let texts: Vec<String> = found.iter().map(manual::shown).collect();
            answer(texts.join("\n\n").trim_end())?;
        }
        Format::Json => answer(&Value::Array(found.iter().map(entry_json).collect()).to_string())?,
    }
    Ok(End::Fine)
}

fn entry_json(entry: &Entry) -> Value {
    let settings: Vec<Value> = entry.settings.iter().map(|(name, told)| json!({"name": name, "text": told})).collect();
    let ports: Vec<Value> = entry.ports.iter().map(|p| json!({"role": p.role, "name": p.name, "type": p.ty})).collect();
    json!({
        "name": entry.name, "kind": entry.word, "family": entry.family, "form": entry.form, "type": entry.ty,
        "doc": entry.doc, "settings": settings, "ports": ports, "example": entry.example,
        "definition": entry.definition, "place": entry.place,
    })
}

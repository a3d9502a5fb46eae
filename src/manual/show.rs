//! Entries and pages as text of at most 80 columns, and the index of `docs/prelude.md`.
//!
//! In: [`Entry`]s, a page. Out: plain text, no colour. Examples are laid out by the formatter.

use super::{Entry, FAMILIES, Port, entries};
use crate::syntax::format_to;

const WIDTH: usize = 80;
const STEP: usize = 4;

/// The list of all names by family: how a name is written with its type, and what it does in a line.
#[must_use]
pub fn list() -> String {
    let mut out = String::new();
    for (at, family) in FAMILIES.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        out.push_str(family);
        out.push('\n');
        for entry in entries().iter().filter(|e| e.family == *family) {
            out.push_str(&wrapped(&headline(entry), 2));
            out.push_str(&wrapped(first_sentence(&entry.doc), 6));
        }
    }
    out
}

/// One entry in full.
#[must_use]
pub fn shown(entry: &Entry) -> String {
    let mut out = wrapped(&headline(entry), 0);
    let family = if entry.family.is_empty() { String::new() } else { format!(" of the family {}", entry.family) };
    let place = entry.place.as_ref().map(|p| format!(", defined at {p}")).unwrap_or_default();
    out.push_str(&wrapped(&format!("{}{family}{place}", entry.word), 0));
    if !entry.doc.is_empty() {
        out.push('\n');
        out.push_str(&wrapped(&entry.doc, 0));
    }
    if !entry.settings.is_empty() {
        out.push_str("\nsettings\n");
        table(&mut out, entry.settings.iter().map(|(n, t)| (n.clone(), t.clone())).collect());
    }
    for (role, heading) in [("parameter", "parameters"), ("noise", "noise"), ("state", "states")] {
        let of: Vec<&Port> = entry.ports.iter().filter(|p| p.role == role).collect();
        if !of.is_empty() {
            out.push_str(&format!("\n{heading}\n"));
            table(&mut out, of.iter().map(|p| (p.name.clone(), p.ty.clone())).collect());
        }
    }
    for (heading, text) in [("example", Some(&entry.example)), ("definition", entry.definition.as_ref())] {
        let Some(text) = text.filter(|t| !t.is_empty()) else { continue };
        out.push_str(&format!("\n{heading}\n"));
        // What cannot be laid out is shown as it is written.
        let text = format_to(text, WIDTH - STEP).unwrap_or_else(|_| text.clone());
        for line in text.lines() {
            out.push_str(format!("{:STEP$}{line}", "").trim_end());
            out.push('\n');
        }
    }
    out
}

/// The index of all names as Markdown: a table a family.
#[must_use]
pub fn index() -> String {
    let mut out = String::from(
        "# Every name\n\nWhat the prelude defines and what the language itself knows, by family. `catlearn explain NAME` shows an entry with its\n\
         settings, an example and its definition. This page is written from the source (`CATLEARN_BLESS=1 cargo test --test explain`).\n",
    );
    for family in FAMILIES {
        out.push_str(&format!("\n## {family}\n\n| name | type | |\n|---|---|---|\n"));
        for e in entries().iter().filter(|e| e.family == *family) {
            let cell = |text: &str| text.replace('|', "\\|");
            let ty = if e.ty.is_empty() { String::new() } else { format!("`{}`", cell(&e.ty)) };
            out.push_str(&format!("| `{}` | {ty} | {} |\n", cell(&e.form), cell(&escaped(first_sentence(&e.doc)))));
        }
    }
    out
}

/// Formulas of a sentence are no Markdown: `*` and `_` stand for themselves.
fn escaped(text: &str) -> String {
    text.split('`')
        .enumerate()
        .map(|(at, part)| if at % 2 == 0 { part.replace('*', "\\*").replace('_', "\\_") } else { part.to_owned() })
        .collect::<Vec<_>>()
        .join("`")
}

/// A page for a terminal: headings without signs, programs and messages indented, prose as it stands.
#[must_use]
pub fn page_text(page: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for line in page.lines() {
        if line.starts_with("```") {
            inside = !inside;
        } else if inside {
            out.push_str(format!("{:STEP$}{line}", "").trim_end());
            out.push('\n');
        } else if line.is_empty() {
            out.push('\n');
        } else {
            out.push_str(&wrapped(line.trim_start_matches('#').trim_start(), 0));
        }
    }
    out
}

/// How a name is written, and its type.
fn headline(entry: &Entry) -> String {
    let rule = entry.ty.starts_with("on ") || entry.ty.starts_with("of ");
    match &*entry.ty {
        "" => entry.form.clone(),
        ty if rule => format!("{} {ty}", entry.form),
        ty => format!("{} : {ty}", entry.form),
    }
}

/// The text up to the first point that ends a sentence.
fn first_sentence(text: &str) -> &str {
    let ends = |at: &usize| {
        let rest = text.get(at + 2..).unwrap_or("");
        rest.starts_with(|c: char| c.is_uppercase())
    };
    match text.match_indices(". ").map(|(at, _)| at).find(ends) {
        Some(at) => text.get(..=at).unwrap_or(text),
        None => text,
    }
}

/// Two columns, the second wrapped.
fn table(out: &mut String, rows: Vec<(String, String)>) {
    let wide = rows.iter().map(|(n, _)| n.chars().count()).max().unwrap_or(0).min(30);
    for (name, told) in rows {
        let first = format!("{:STEP$}{name:wide$}  ", "");
        let indent = STEP + wide + 2;
        let body = wrapped(&told, indent);
        let body = body.trim_start();
        if first.chars().count() > indent {
            out.push_str(first.trim_end());
            out.push('\n');
            out.push_str(&format!("{:indent$}{body}", ""));
        } else {
            out.push_str(&format!("{first}{body}"));
        }
    }
}

/// Words in lines of at most 80 columns that begin with `indent` blanks.
fn wrapped(text: &str, indent: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let wide = word.chars().count();
        if column > 0 && column + 1 + wide > WIDTH {
            out.push('\n');
            column = 0;
        }
        if column == 0 {
            out.push_str(&" ".repeat(indent));
            column = indent;
        } else {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += wide;
    }
    if column > 0 {
        out.push('\n');
    }
    out
}

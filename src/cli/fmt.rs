//! `catlearn fmt FILE..` and `catlearn fmt -`.
//!
//! A file is written to a temporary name beside it, synchronised and renamed, and only when it changes; a file with an
//! error is left as it is.

use super::load::text_of;
use super::terminal::{answer, complain, messages, note, whole};
use super::{End, Shared};
use catlearn::source::{Code, Diagnostic, SourceMap};
use catlearn::syntax::format;
use clap::Args;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

#[derive(Debug, Args)]
pub(super) struct FmtArgs {
    /// The programs; `-` alone reads from stdin and writes to stdout
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Change nothing; print the names of the files that would change, and end with 1 if there are any
    #[arg(long)]
    check: bool,
}

pub(super) fn run(args: &FmtArgs, shared: &Shared) -> End {
    let stdin = args.files.iter().any(|f| f == "-");
    if stdin && args.files.len() > 1 {
        let d = Diagnostic::error(Code::SYNTAX, "`-` stands alone").help("name files, or `-` for stdin, not both");
        complain(shared, d);
        return End::Usage;
    }
    let mut end = End::Fine;
    for file in &args.files {
        let one = if stdin { from_stdin(args.check, shared) } else { in_place(file, args.check, shared) };
        match one {
            Err(stop @ End::Fine) | Err(stop @ End::Interrupted) => return stop,
            // A file that cannot be written weighs more than one with an error.
            Ok(found) | Err(found) => end = if end == End::Usage || found == End::Fine { end } else { found },
        }
    }
    end
}

fn from_stdin(check: bool, shared: &Shared) -> Result<End, End> {
    let text = io::read_to_string(io::stdin()).map_err(|e| {
        complain(shared, Diagnostic::error(Code::IMPORT, format!("stdin cannot be read: {e}")));
        End::Fault
    })?;
    let tidy = tidied("-", &text, shared)?;
    if check {
        return differs("-", &text, &tidy);
    }
    whole(tidy.as_bytes())?;
    Ok(End::Fine)
}

fn in_place(path: &str, check: bool, shared: &Shared) -> Result<End, End> {
    let text = text_of(path).map_err(|d| {
        complain(shared, d);
        End::Fault
    })?;
    let tidy = tidied(path, &text, shared)?;
    if check {
        return differs(path, &text, &tidy);
    }
    if tidy != text {
        replace(Path::new(path), tidy.as_bytes()).map_err(|e| {
            complain(shared, Diagnostic::error(Code::IMPORT, format!("`{path}` cannot be written: {e}")));
            End::Usage
        })?;
        note(shared, path);
    }
    Ok(End::Fine)
}

/// The text formatted; the messages of one that has errors are written.
fn tidied(name: &str, text: &str, shared: &Shared) -> Result<String, End> {
    format(text).map_err(|said| {
        let mut sources = SourceMap::default();
        sources.add(name, text);
        messages(shared, &said, &sources);
        End::Fault
    })
}

fn differs(name: &str, text: &str, tidy: &str) -> Result<End, End> {
    if text == tidy {
        return Ok(End::Fine);
    }
    answer(name)?;
    Ok(End::Fault)
}

/// Puts bytes in the place of a file, all of them or none; a link stays one, permissions stay.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let place = fs::canonicalize(path)?;
    let permissions = fs::metadata(&place)?.permissions();
    if permissions.readonly() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it may only be read"));
    }
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    let temporary = place.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&temporary)
        .and_then(|mut f| f.write_all(bytes).and_then(|()| f.sync_all()))
        .and_then(|()| fs::set_permissions(&temporary, permissions))
        .and_then(|()| fs::rename(&temporary, &place));
    if written.is_err() {
        let _absent = fs::remove_file(&temporary);
    }
    written
}

//! What is written to the terminal: answers on stdout, notes and messages on stderr.
//!
//! A closed pipe is a quiet end. With `--format json` every line on stderr is one JSON object: a message, or
//! `{"note": ..}`. A live line of progress is taken away before anything else is written to stderr.

use super::render::{Style, render, to_json};
use super::{Color, End, Shared};
use catlearn::source::{Diagnostic, Diagnostics, SourceMap};
use serde_json::json;
use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// Columns when nobody says how wide the terminal is.
const WIDTH: usize = 100;

/// Whether a live line stands on the terminal.
static LIVE_LINE: AtomicBool = AtomicBool::new(false);

/// Writes a line of the answer.
pub(super) fn answer(line: &str) -> Result<(), End> {
    whole(format!("{line}\n").as_bytes())
}

/// Writes bytes of the answer; a closed pipe is a quiet end, an answer that cannot be written is a fault.
pub(super) fn whole(bytes: &[u8]) -> Result<(), End> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|e| {
        if e.kind() == ErrorKind::BrokenPipe {
            return End::Fine;
        }
        said(&format!("error: the answer cannot be written: {e}\n"));
        End::Fault
    })
}

/// Writes to stderr; nobody may be there to read it.
fn said(text: &str) {
    let mut err = std::io::stderr().lock();
    let clear = if LIVE_LINE.swap(false, Ordering::Relaxed) { "\r\x1b[K" } else { "" };
    let _closed = write!(err, "{clear}{text}").and_then(|()| err.flush());
}

/// Writes a note to stderr.
pub(super) fn note(shared: &Shared, line: &str) {
    if shared.quiet {
        return;
    }
    if shared.json() {
        said(&format!("{}\n", json!({"note": line})));
    } else {
        said(&format!("{line}\n"));
    }
}

/// Puts a line in the place of the live line before it; only where [`live`] holds.
pub(super) fn live_line(line: &str) {
    said(line);
    LIVE_LINE.store(true, Ordering::Relaxed);
}

/// Whether stderr is a terminal that people look at.
pub(super) fn live(shared: &Shared) -> bool {
    std::io::stderr().is_terminal() && !shared.quiet && !shared.json() && std::env::var("TERM").as_deref() != Ok("dumb")
}

/// Columns of the terminal: `COLUMNS`, else what the terminal says, else 100.
pub(super) fn width() -> usize {
    let said = std::env::var("COLUMNS").ok().and_then(|w| w.trim().parse().ok()).filter(|w| *w > 0);
    let asked = || terminal_size::terminal_size_of(std::io::stderr()).map(|(w, _)| usize::from(w.0));
    said.or_else(asked).filter(|w| *w > 0).unwrap_or(WIDTH)
}

/// Whether the terminal has more than ASCII characters, as far as the environment says.
pub(super) fn braille() -> bool {
    let set = |name: &&str| std::env::var(name).is_ok_and(|v| !v.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find(|n| set(n)).and_then(|n| std::env::var(n).ok());
    let utf = |l: String| l.to_lowercase().replace('-', "").contains("utf8");
    locale.is_none_or(utf) && std::env::var("TERM").as_deref() != Ok("linux")
}

/// Whether stderr gets colours.
pub(super) fn colored(shared: &Shared) -> bool {
    match shared.color.unwrap_or(Color::Auto) {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            // https://no-color.org: set to anything but nothing.
            let refused = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
            std::io::stderr().is_terminal() && !refused && std::env::var("TERM").as_deref() != Ok("dumb")
        }
    }
}

/// Writes messages to stderr.
pub(super) fn messages(shared: &Shared, found: &Diagnostics, sources: &SourceMap) {
    let shown = Diagnostics(found.0.iter().filter(|d| d.is_error() || !shared.quiet).cloned().collect());
    if shown.0.is_empty() {
        return;
    }
    if shared.json() {
        let lines: String = shown.0.iter().map(|d| format!("{}\n", to_json(d, sources))).collect();
        said(&lines);
    } else {
        said(&render(&shown, sources, Style { color: colored(shared), width: width() }));
    }
}

/// Writes one message without a place in a file.
pub(super) fn complain(shared: &Shared, d: Diagnostic) {
    messages(shared, &d.into(), &SourceMap::default());
}

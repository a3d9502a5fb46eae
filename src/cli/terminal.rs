//! What is written to the terminal: answers on stdout, notes and messages on stderr.

use super::render::{Style, render};
use super::{Color, End, Shared};
use catlearn::source::{Diagnostic, Diagnostics, SourceMap};
use std::io::{IsTerminal, Write};

/// Writes a line of the answer; a closed pipe is a quiet end, an answer that cannot be written is a fault.
pub(super) fn answer(line: &str) -> Result<(), End> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|e| {
        if e.kind() == std::io::ErrorKind::BrokenPipe {
            return End::Fine;
        }
        let _closed = writeln!(std::io::stderr().lock(), "error: the answer cannot be written: {e}");
        End::Fault
    })
}

/// Writes a note to stderr.
pub(super) fn note(shared: &Shared, line: &str) {
    if !shared.quiet {
        let _closed = writeln!(std::io::stderr().lock(), "{line}");
    }
}

/// Whether stderr is a terminal.
pub(super) fn live() -> bool {
    std::io::stderr().is_terminal()
}

/// Writes messages to stderr.
pub(super) fn messages(shared: &Shared, said: &Diagnostics, sources: &SourceMap) {
    if said.0.is_empty() {
        return;
    }
    let color = match shared.color.unwrap_or(Color::Auto) {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            live() && std::env::var_os("NO_COLOR").is_none() && std::env::var("TERM").as_deref() != Ok("dumb")
        }
    };
    let width = std::env::var("COLUMNS").ok().and_then(|w| w.parse().ok()).unwrap_or(100);
    let shown = if shared.quiet {
        Diagnostics(said.0.iter().filter(|d| d.is_error()).cloned().collect())
    } else {
        said.clone()
    };
    let text = render(&shown, sources, Style { color, width });
    let _closed = write!(std::io::stderr().lock(), "{text}");
}

/// Writes one message without a place in a file.
pub(super) fn complain(shared: &Shared, d: Diagnostic) {
    messages(shared, &d.into(), &SourceMap::default());
}

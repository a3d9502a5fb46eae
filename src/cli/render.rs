//! Messages to text for people and to JSON for programs.
//!
//! In: [`Diagnostics`] and the texts that their spans point into. Out: one block a message, in the manner of rustc
//! (`error[E0301]: ..`, `^^^^` at the fault, `----` at what explains it), or one JSON object. Invariant: no span, also
//! one of another file or off the text, makes this panic; nothing is printed here.

use annotate_snippets::{Annotation, AnnotationKind, Element, Group, Level, Renderer, Snippet};
use catlearn::source::{Diagnostic, Diagnostics, FileId, Severity, SourceMap, Span};
use serde_json::{Value, json};
use std::ops::Range;

/// How messages are drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Style {
    /// With terminal colours.
    pub color: bool,
    /// Columns of the terminal; longer lines are cut around the fault.
    pub width: usize,
}

/// Draws all messages, a blank line between two.
#[must_use]
pub(crate) fn render(diagnostics: &Diagnostics, sources: &SourceMap, style: Style) -> String {
    let renderer = if style.color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(style.width.max(40));
    let mut text = String::new();
    for diagnostic in &diagnostics.0 {
        if !text.is_empty() {
            text.push('\n');
        }
        let drawn = renderer.render(&[group(diagnostic, sources)]);
        // Lines without content end in blanks otherwise.
        for line in drawn.lines() {
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    text
}

/// One message as a JSON object; lines and columns count from 1, bytes from 0.
#[must_use]
pub(crate) fn to_json(diagnostic: &Diagnostic, sources: &SourceMap) -> Value {
    let label = |l: &catlearn::source::Label| {
        let (from, to) = (sources.place(l.span), sources.place(Span { start: l.span.end, ..l.span }));
        json!({
            "file": sources.get(l.span.file).map(|f| &*f.name),
            "line": from.line,
            "column": from.column,
            "end_line": to.line,
            "end_column": to.column,
            "start": l.span.start,
            "end": l.span.end,
            "text": l.text,
            "primary": l.primary,
        })
    };
    json!({
        "code": diagnostic.code.to_string(),
        "severity": match diagnostic.severity { Severity::Error => "error", Severity::Warning => "warning" },
        "message": diagnostic.message,
        "labels": diagnostic.labels.iter().map(label).collect::<Vec<_>>(),
        "notes": diagnostic.notes,
        "help": diagnostic.help,
    })
}

/// One message in the words of the drawing library.
fn group<'a>(diagnostic: &'a Diagnostic, sources: &'a SourceMap) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut elements: Vec<Element<'a>> = Vec::new();
    // The file of the fault is drawn first.
    let mut files: Vec<FileId> = diagnostic.span().map(|s| s.file).into_iter().collect();
    for label in &diagnostic.labels {
        if !files.contains(&label.span.file) {
            files.push(label.span.file);
        }
    }
    elements.extend(files.into_iter().filter_map(|file| snippet(diagnostic, sources, file)).map(Element::from));
    elements.extend(diagnostic.notes.iter().map(|n| Level::NOTE.message(n.as_str()).into()));
    elements.extend(diagnostic.help.iter().map(|h| Level::HELP.message(h.as_str()).into()));
    level.primary_title(diagnostic.message.as_str()).id(diagnostic.code.to_string()).elements(elements)
}

/// The lines of one file that the labels of a message are in.
fn snippet<'a>(
    diagnostic: &'a Diagnostic,
    sources: &'a SourceMap,
    file: FileId,
) -> Option<Snippet<'a, Annotation<'a>>> {
    let source = sources.get(file)?;
    let text: &str = &source.text;
    let labels: Vec<_> = diagnostic
        .labels
        .iter()
        .filter(|l| l.span.file == file)
        .map(|l| (range(text, l.span), l.text.as_str(), l.primary))
        .collect();
    let from = labels.iter().map(|(r, ..)| r.start).min()?;
    let to = labels.iter().map(|(r, ..)| r.end).max()?;
    // Only the lines that matter are handed over, so that a large file costs nothing.
    let start = text.get(..from)?.rfind('\n').map_or(0, |at| at + 1);
    let end = text.get(to..)?.find('\n').map_or(text.len(), |at| to + at);
    let line = text.get(..start)?.bytes().filter(|b| *b == b'\n').count() + 1;
    let annotations = labels.into_iter().map(|(range, word, primary)| {
        let kind = if primary { AnnotationKind::Primary } else { AnnotationKind::Context };
        let drawn = kind.span(range.start - start..range.end - start);
        if word.is_empty() { drawn } else { drawn.label(word) }
    });
    Some(Snippet::source(text.get(start..end)?).path(&*source.name).line_start(line).annotations(annotations))
}

/// A span as bytes of the text, moved onto the text and its character boundaries.
fn range(text: &str, span: Span) -> Range<usize> {
    let floor = |at: u32| {
        let mut at = (at as usize).min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(span.start);
    start..floor(span.end).max(start)
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;

//! Documents to text.
//!
//! In: a [`Doc`]. Out: lines of at most so many columns where the document allows it. Comments behind code are
//! lined up in runs of neighbouring lines. Invariant: nothing follows a comment on its line, no line ends in blanks,
//! and the text is empty or ends with one line feed.

use super::doc::{Doc, Kind};

/// The columns of a line.
pub(super) const WIDTH: usize = 100;
/// The columns of one step of indentation.
pub(super) const STEP: usize = 4;
/// How far the lengths of lines may lie apart whose comments are lined up.
const SPREAD: usize = 24;

/// Whether the lines of a group are broken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Flat,
    Broken,
}

/// A document that is still to be printed.
type Rest<'d, 't> = (usize, Mode, &'d Doc<'t>);

/// A line of the result.
#[derive(Default)]
struct Line<'t> {
    indent: usize,
    code: String,
    /// The width of `code` in characters.
    width: usize,
    comment: Option<&'t str>,
    /// Whether `code` is a comment.
    own: bool,
}

impl Line<'_> {
    fn column(&self) -> usize {
        self.indent + self.width
    }
}

/// Prints a document in lines of `width` columns.
pub(super) fn print(doc: &Doc<'_>, width: usize) -> String {
    let mut printer = Printer { width, lines: Vec::new(), line: Line::default(), space: false };
    let mut open: Vec<Rest<'_, '_>> = vec![(0, Mode::Broken, doc)];
    while let Some((indent, mode, doc)) = open.pop() {
        match &doc.kind {
            Kind::Text(text) => printer.text(text, indent),
            Kind::Hug(text) => printer.hug(text, indent),
            Kind::IfBroken(text) if mode == Mode::Broken => printer.hug(text, indent),
            Kind::Space => printer.space = true,
            Kind::Line if mode == Mode::Flat => printer.space = true,
            Kind::IfBroken(_) => {}
            Kind::SoftLine if mode == Mode::Flat => {}
            Kind::Line | Kind::SoftLine | Kind::Hard => printer.newline(indent),
            Kind::Blank => printer.blank(indent),
            Kind::Trailing(comment) => printer.trailing(comment, indent),
            Kind::Own(comment) => printer.own(comment, indent),
            Kind::Concat(parts) => open.extend(parts.iter().rev().map(|p| (indent, mode, p))),
            Kind::Indent(parts) => open.extend(parts.iter().rev().map(|p| (indent + STEP, mode, p))),
            Kind::Group(parts) => {
                let flat = !doc.hard && (mode == Mode::Flat || printer.fits(parts, &open));
                let mode = if flat { Mode::Flat } else { Mode::Broken };
                open.extend(parts.iter().rev().map(|p| (indent, mode, p)));
            }
        }
    }
    printer.finish()
}

struct Printer<'t> {
    /// The columns of a line.
    width: usize,
    lines: Vec<Line<'t>>,
    line: Line<'t>,
    /// Whether a blank is due before the next token.
    space: bool,
}

impl<'t> Printer<'t> {
    fn newline(&mut self, indent: usize) {
        self.space = false;
        let done = std::mem::replace(&mut self.line, Line { indent, ..Line::default() });
        self.lines.push(done);
    }

    /// An empty line above the one that begins now.
    fn blank(&mut self, indent: usize) {
        if !self.line.code.is_empty() {
            self.newline(indent);
        }
        if self.lines.last().is_some_and(|l| !l.code.is_empty()) {
            self.newline(indent);
        }
    }

    fn text(&mut self, text: &str, indent: usize) {
        if self.line.own {
            self.newline(indent);
        } else if self.line.comment.is_some() {
            self.newline(indent + STEP);
        }
        self.append(text);
    }

    fn hug(&mut self, text: &str, indent: usize) {
        if self.line.own {
            self.newline(indent);
        }
        self.append(text);
    }

    fn append(&mut self, text: &str) {
        if self.space && !self.line.code.is_empty() {
            self.line.code.push(' ');
            self.line.width += 1;
        }
        self.space = false;
        self.line.code.push_str(text);
        self.line.width += text.chars().count();
    }

    fn trailing(&mut self, comment: &'t str, indent: usize) {
        if self.line.code.is_empty() || self.line.own || self.line.comment.is_some() {
            return self.own(comment, indent);
        }
        self.line.comment = Some(comment);
    }

    fn own(&mut self, comment: &str, indent: usize) {
        if !self.line.code.is_empty() {
            self.newline(indent);
        }
        self.append(comment);
        self.line.own = true;
    }

    /// Whether a group fits on the line, with what follows up to the next place where a line may end.
    fn fits(&self, parts: &[Doc<'t>], rest: &[Rest<'_, 't>]) -> bool {
        let mut column = self.line.column();
        let mut space = self.space;
        let mut comment = self.line.comment.is_some() || self.line.own;
        let mut open: Vec<(Mode, &Doc<'t>)> = parts.iter().rev().map(|p| (Mode::Flat, p)).collect();
        let mut behind = rest.iter().rev();
        loop {
            let Some((mode, doc)) = open.pop().or_else(|| behind.next().map(|(_, mode, doc)| (*mode, *doc))) else {
                return true;
            };
            match &doc.kind {
                Kind::Text(_) if comment => return false,
                Kind::IfBroken(_) if mode == Mode::Flat => {}
                Kind::Text(text) | Kind::Hug(text) | Kind::IfBroken(text) => {
                    column += usize::from(space) + text.chars().count();
                    space = false;
                    if column > self.width {
                        return false;
                    }
                }
                Kind::Line | Kind::SoftLine if mode == Mode::Broken => return true,
                Kind::Space | Kind::Line => space = true,
                Kind::Hard | Kind::Blank | Kind::Own(_) => return mode == Mode::Broken,
                Kind::Trailing(_) => comment = true,
                Kind::SoftLine => {}
                Kind::Concat(parts) | Kind::Indent(parts) => open.extend(parts.iter().rev().map(|p| (mode, p))),
                Kind::Group(parts) => {
                    let mode = if doc.hard { Mode::Broken } else { mode };
                    open.extend(parts.iter().rev().map(|p| (mode, p)));
                }
            }
        }
    }

    fn finish(mut self) -> String {
        self.newline(0);
        let columns = comment_columns(&self.lines);
        let mut text = String::new();
        for (line, column) in self.lines.iter().zip(columns) {
            if !line.code.is_empty() {
                text.extend(std::iter::repeat_n(' ', line.indent));
                text.push_str(&line.code);
            }
            if let Some(comment) = line.comment {
                text.extend(std::iter::repeat_n(' ', column.saturating_sub(line.column())));
                text.push_str(comment);
            }
            text.push('\n');
        }
        let end = text.trim_end_matches('\n').len();
        text.truncate(end);
        if !text.is_empty() {
            text.push('\n');
        }
        text
    }
}

/// The column of the comment of each line: lined up in runs of neighbours whose code is about as long.
fn comment_columns(lines: &[Line<'_>]) -> Vec<usize> {
    let mut columns: Vec<usize> = Vec::with_capacity(lines.len());
    let mut from = 0;
    while let Some(first) = lines.get(from) {
        let (mut low, mut high, mut to) = (first.column(), first.column(), from + 1);
        if first.comment.is_some() {
            while let Some(next) = lines.get(to).filter(|l| l.comment.is_some()) {
                let (l, h) = (low.min(next.column()), high.max(next.column()));
                if h - l > SPREAD {
                    break;
                }
                (low, high, to) = (l, h, to + 1);
            }
        }
        columns.extend(std::iter::repeat_n(high + 2, to - from));
        from = to;
    }
    columns
}

//! Delimited text as a sheet of cells, each of which knows its place.
//!
//! In: text and a separator. Out: a [`Sheet`], a rectangle of cells read as RFC 4180 says (quotes, doubled quotes, line
//! ends `\n`, `\r\n` or `\r`), blank lines left out, blanks around unquoted values too; with the separator " " any run
//! of blanks counts as one. Invariant: the text is kept and cells are offsets into it, so a cell is copied only when it
//! has quotes and its line and column can always be told (why this is not the `csv` crate, which is the tests' oracle).

use crate::data::words::{count, quoted};
use crate::source::{Code, Diagnostic, Diagnostics, LineColumn, Span};
use std::borrow::Cow;

/// How many places one message lists.
pub(crate) const SHOWN: usize = 5;

/// A rectangle of cells.
#[derive(Clone, Debug)]
pub(crate) struct Sheet {
    pub(crate) name: String,
    pub(crate) header: Option<Vec<String>>,
    pub(crate) width: usize,
    pub(crate) rows: usize,
    text: String,
    /// For every row the beginnings of its cells, then one past the separator that would follow the last.
    starts: Vec<u32>,
    /// The line of each row where the text is not that of a file; else empty.
    lines: Vec<usize>,
}

impl Sheet {
    /// Records with their lines in a file that is not delimited text; `None` when a fault was recorded.
    pub(crate) fn of_records(
        name: &str,
        header: Option<Vec<String>>,
        records: &[(usize, Vec<String>)],
        span: Span,
        faults: &mut Diagnostics,
    ) -> Option<Sheet> {
        let width = records.first().map_or(0, |(_, cells)| cells.len());
        if let Some((line, cells)) = records.iter().find(|(_, cells)| cells.len() != width || cells.is_empty()) {
            let message = format!("{name}:{line} has {}, the first row has {width}", count(cells.len(), "value"));
            let fault = Diagnostic::error(Code::DATA_FILE, message).at(span, "read here");
            faults.push(fault.help("give every row the same values"));
            return None;
        }
        let mut text = String::new();
        records.iter().for_each(|(_, cells)| write_row(&mut text, cells));
        let sheet = Sheet::read(name, text, b',', false, span, faults)?;
        Some(Sheet { header, lines: records.iter().map(|(line, _)| *line).collect(), ..sheet })
    }

    /// Reads text; `None` when a fault was recorded.
    pub(crate) fn read(
        name: &str,
        text: String,
        separator: u8,
        header: bool,
        span: Span,
        faults: &mut Diagnostics,
    ) -> Option<Sheet> {
        let fail = |message: String| Diagnostic::error(Code::DATA_FILE, message).at(span, "read here");
        if u32::try_from(text.len()).is_err() || text.len() == u32::MAX as usize {
            faults.push(
                Diagnostic::error(Code::LIMIT, format!("`{name}` has {} bytes, 2^32 - 2 are allowed", text.len()))
                    .at(span, "read here")
                    .help("cut the file in two and name the second as `test`"),
            );
            return None;
        }
        let scan = scan(text.as_bytes(), separator);
        let mut sheet = Sheet {
            name: name.to_owned(),
            header: None,
            width: scan.width,
            rows: scan.rows,
            text,
            starts: scan.starts,
            lines: Vec::new(),
        };
        if let Some(at) = scan.unclosed {
            let place = sheet.place_at(at);
            let message = format!("a quote is never closed in `{name}`");
            faults
                .push(fail(message).note(format!("it opens at {name}:{place}")).help("close it, or double it as \"\""));
            return None;
        }
        if scan.ragged > 0 {
            let mut fault = fail(format!(
                "`{name}` has {} of another length than its first line, which has {}",
                count(scan.ragged, "line"),
                count(scan.width, "value")
            ));
            for (at, width) in &scan.shown {
                fault = fault.note(format!("{name}:{} has {}", sheet.place_at(*at), count(*width, "value")));
            }
            if scan.ragged > scan.shown.len() {
                fault = fault.note(format!("and {} more", scan.ragged - scan.shown.len()));
            }
            faults.push(fault.help("give every line the same number of values, or set `sep` to the right separator"));
            return None;
        }
        if header && sheet.rows > 0 {
            sheet.take_header(span, faults);
        }
        if sheet.rows == 0 {
            let what = if header { "no line below its header" } else { "no line with values" };
            faults.push(fail(format!("`{name}` has {what}")).help("is this the right file?"));
            return None;
        }
        Some(sheet)
    }

    fn take_header(&mut self, span: Span, faults: &mut Diagnostics) {
        let names: Vec<String> = (0..self.width).map(|column| self.cell(0, column).into_owned()).collect();
        if names.iter().all(|name| name.parse::<f64>().is_ok()) {
            faults.push(
                Diagnostic::warning(Code::DATA_FILE, format!("the header of `{}` is all numbers", self.name))
                    .at(span, "said to have a header")
                    .note(format!("{}:1 begins with {}", self.name, quoted(names.first().map_or("", String::as_str))))
                    .help("leave `header = true` off if the first line is an example"),
            );
        }
        self.header = Some(names);
        self.starts.drain(..=self.width);
        self.rows -= 1;
    }

    /// The text of a cell, quotes resolved; empty outside the sheet.
    pub(crate) fn cell(&self, row: usize, column: usize) -> Cow<'_, str> {
        let raw = self.raw(row, column).trim_matches([' ', '\t']);
        match raw.strip_prefix('"') {
            Some(inner) => Cow::Owned(unquote(inner)),
            None => Cow::Borrowed(raw),
        }
    }

    /// Line and column of a cell in its file.
    pub(crate) fn place(&self, row: usize, column: usize) -> LineColumn {
        self.place_at(self.start(row, column).unwrap_or(0))
    }

    /// The same with the name of the file; of records the line only.
    pub(crate) fn located(&self, row: usize, column: usize) -> String {
        match self.lines.get(row) {
            Some(line) => format!("{}:{line}", self.name),
            None => format!("{}:{}", self.name, self.place(row, column)),
        }
    }

    /// A cell of the first line, be it a header or not.
    pub(crate) fn first_line(&self) -> Vec<String> {
        match &self.header {
            Some(names) => names.clone(),
            None => (0..self.width).map(|column| self.cell(0, column).into_owned()).collect(),
        }
    }

    fn start(&self, row: usize, column: usize) -> Option<usize> {
        let at = row.checked_mul(self.width + 1)?.checked_add(column)?;
        self.starts.get(at).map(|start| *start as usize)
    }

    fn raw(&self, row: usize, column: usize) -> &str {
        let (Some(start), Some(next)) = (self.start(row, column), self.start(row, column + 1)) else { return "" };
        self.text.get(start..next.saturating_sub(1)).unwrap_or("")
    }

    fn place_at(&self, start: usize) -> LineColumn {
        let blanks = self.text.bytes().skip(start).take_while(|b| matches!(b, b' ' | b'\t')).count();
        let before = self.text.get(..start + blanks).unwrap_or("");
        let ends = before.matches('\n').count() + before.matches('\r').count() - before.matches("\r\n").count();
        let column = before.rsplit(['\n', '\r']).next().unwrap_or("").chars().count() + 1;
        LineColumn { line: ends + 1, column }
    }
}

/// Writes a row so that [`Sheet::read`] with the separator `,` gives it back.
pub(crate) fn write_row(text: &mut String, row: &[String]) {
    for (at, cell) in row.iter().enumerate() {
        text.push_str(if at == 0 { "\"" } else { ",\"" });
        text.push_str(&cell.replace('"', "\"\""));
        text.push('"');
    }
    text.push('\n');
}

/// What stands after an opening quote: up to the closing one with doubled ones halved, then the rest as it is.
fn unquote(inner: &str) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((before, after)) = rest.split_once('"') {
        out.push_str(before);
        match after.strip_prefix('"') {
            Some(more) => {
                out.push('"');
                rest = more;
            }
            None => return out + after,
        }
    }
    out + rest
}

struct Scan {
    starts: Vec<u32>,
    width: usize,
    rows: usize,
    /// Lines of another length, and the first few of them with their beginnings.
    ragged: usize,
    shown: Vec<(usize, usize)>,
    unclosed: Option<usize>,
}

/// Finds the cells of a text that is shorter than 2^32 bytes.
fn scan(bytes: &[u8], separator: u8) -> Scan {
    let at = |i: usize| bytes.get(i).copied();
    let end_of_line = |i: usize| matches!(at(i), None | Some(b'\n' | b'\r'));
    let blanks = separator == b' ';
    let is_separator = |i: usize| at(i).is_some_and(|b| b == separator || (blanks && b == b'\t'));
    let is_blank = |i: usize| at(i).is_some_and(|b| b == b' ' || (b == b'\t' && separator != b'\t'));
    let mut scan = Scan { starts: Vec::new(), width: 0, rows: 0, ragged: 0, shown: Vec::new(), unclosed: None };
    let push = |starts: &mut Vec<u32>, i: usize| starts.push(u32::try_from(i).unwrap_or(u32::MAX));
    let mut i = 0;
    while i < bytes.len() {
        let line = i;
        while is_blank(i) {
            i += 1;
        }
        if end_of_line(i) {
            i += 1;
            continue;
        }
        let kept = scan.starts.len();
        let mut width = 0;
        push(&mut scan.starts, if blanks { i } else { line });
        loop {
            while is_blank(i) {
                i += 1;
            }
            if at(i) == Some(b'"') {
                let open = i;
                i += 1;
                loop {
                    match (at(i), at(i + 1)) {
                        (None, _) => {
                            scan.unclosed = Some(open);
                            return scan;
                        }
                        (Some(b'"'), Some(b'"')) => i += 2,
                        (Some(b'"'), _) => break,
                        _ => i += 1,
                    }
                }
                i += 1;
            }
            while !end_of_line(i) && !is_separator(i) {
                i += 1;
            }
            width += 1;
            let end = i;
            while blanks && is_separator(i) {
                i += 1;
            }
            if end_of_line(i) {
                push(&mut scan.starts, end + 1);
                break;
            }
            i = if blanks { i } else { i + 1 };
            push(&mut scan.starts, i);
        }
        if scan.rows == 0 && scan.ragged == 0 {
            scan.width = width;
        }
        if width == scan.width {
            scan.rows += 1;
        } else {
            scan.starts.truncate(kept);
            scan.ragged += 1;
            if scan.shown.len() < SHOWN {
                scan.shown.push((line, width));
            }
        }
    }
    scan
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used, reason = "tests")]
    use super::*;
    use crate::random::{Stream, Use};

    fn read(text: &str, separator: u8, header: bool) -> Result<Sheet, Diagnostics> {
        let mut faults = Diagnostics::default();
        Sheet::read("t.csv", text.to_owned(), separator, header, Span::default(), &mut faults).ok_or(faults)
    }

    fn cells(sheet: &Sheet) -> Vec<Vec<String>> {
        let row = |r| (0..sheet.width).map(|c| sheet.cell(r, c).into_owned()).collect();
        (0..sheet.rows).map(row).collect()
    }

    #[test]
    fn line_ends_blanks_and_quotes() {
        let sheet = read("a , \"b, \"\"c\"\"\"\r\n\n  1,2\r3,\n\n", b',', false).unwrap();
        assert_eq!(cells(&sheet), [["a", "b, \"c\""], ["1", "2"], ["3", ""]]);
        assert_eq!(sheet.place(0, 1).to_string(), "1:5");
        assert_eq!(sheet.place(1, 0).to_string(), "3:3");
        assert_eq!(sheet.place(2, 1).to_string(), "4:3");
    }

    #[test]
    fn a_blank_separator_takes_runs() {
        let sheet = read("  1  2\t3 \n4 5 6\n", b' ', false).unwrap();
        assert_eq!(cells(&sheet), [["1", "2", "3"], ["4", "5", "6"]]);
        assert_eq!(sheet.place(0, 1).to_string(), "1:6");
    }

    #[test]
    fn a_tab_separator_keeps_empty_cells() {
        let sheet = read("1\t\t3\n\t5\t6\n", b'\t', false).unwrap();
        assert_eq!(cells(&sheet), [["1", "", "3"], ["", "5", "6"]]);
    }

    #[test]
    fn ragged_lines_are_all_counted() {
        let faults = read("1,2\n1\n1,2,3\n4,5\n", b',', false).unwrap_err();
        let fault = &faults.0[0];
        assert_eq!(fault.code, Code::DATA_FILE);
        assert!(fault.message.contains("2 lines"), "{}", fault.message);
        assert_eq!(fault.notes, ["t.csv:2:1 has 1 value", "t.csv:3:1 has 3 values"]);
    }

    #[test]
    fn an_open_quote_is_placed() {
        let faults = read("1,2\n3,\"4\n", b',', false).unwrap_err();
        assert!(faults.0[0].notes[0].ends_with("t.csv:2:3"), "{faults:?}");
    }

    #[test]
    fn empty_files_and_numeric_headers() {
        assert!(read("", b',', false).is_err());
        assert!(read("a,b\n", b',', true).is_err());
        let mut faults = Diagnostics::default();
        let sheet = Sheet::read("t", "1,2\n3,4\n".to_owned(), b',', true, Span::default(), &mut faults);
        assert_eq!(sheet.unwrap().rows, 1);
        assert!(!faults.has_errors() && faults.0.len() == 1);
    }

    #[test]
    fn rows_survive_writing() {
        let row = ["a\"b".to_owned(), "x, y\n".to_owned(), String::new()];
        let mut text = String::new();
        write_row(&mut text, &row);
        assert_eq!(cells(&read(&text, b',', false).unwrap()), [row]);
    }

    /// The `csv` crate as an oracle, on texts of the bytes that matter.
    #[test]
    fn agrees_with_the_csv_crate() {
        let mut stream = Stream::new(11, Use::Laws);
        let mut compared = 0;
        for _ in 0..20_000 {
            let n = stream.below(14);
            let text: String = (0..n).map(|_| b"ab1,,\"\"\n\n\r"[stream.below(10) as usize] as char).collect();
            let mut oracle = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let rows: Vec<Vec<String>> =
                oracle.records().map(|r| r.unwrap().iter().map(str::to_owned).collect()).collect();
            let ours = read(&text, b',', false);
            if let Ok(sheet) = &ours {
                compared += 1;
                assert_eq!(cells(sheet), rows, "{text:?}");
            } else {
                let ragged = rows.iter().any(|r| r.len() != rows[0].len());
                let open = ours.unwrap_err().0[0].message.contains("never closed");
                assert!(ragged || open || rows.is_empty(), "{text:?}");
            }
        }
        assert!(compared > 2_000, "{compared}");
    }
}

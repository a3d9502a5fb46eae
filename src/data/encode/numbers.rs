//! From the text of cells to finite numbers.
//!
//! In: rows and columns of a table. Out: the numbers row by row, or what cannot be used with its places: values that
//! are missing, not numbers, or not finite. Invariant: all bad cells are counted, the first few are shown.

use crate::data::encode::flow::View;
use crate::data::source::array::Run;
use crate::data::table::Places;
use crate::data::words::{count, quoted};
use crate::source::{Code, Diagnostic, Diagnostics};

/// What a cell holds.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Cell {
    Number(f64),
    Missing,
    NotFinite,
    NotNumber,
}

fn parse(text: &str) -> Cell {
    // Quoted cells keep their blanks.
    let text = text.trim();
    match text.parse::<f64>() {
        Ok(n) if n.is_finite() => Cell::Number(n),
        Ok(_) => Cell::NotFinite,
        Err(_) if ["", "?", "na", "n/a", "null", "none"].iter().any(|m| m.eq_ignore_ascii_case(text)) => Cell::Missing,
        Err(_) => Cell::NotNumber,
    }
}

/// Whether a text stands for a value that is not there.
pub(crate) fn is_missing(text: &str) -> bool {
    matches!(text, "" | "?")
}

/// The numbers of some columns, row by row; `None` when a fault was recorded.
pub(crate) fn numbers(view: &View<'_>, faults: &mut Diagnostics) -> Option<Vec<f64>> {
    let View { table, rows, columns, span } = *view;
    let mut values = Vec::with_capacity(rows.len().saturating_mul(columns.len()));
    let (mut missing, mut infinite, mut words) = (Places::default(), Places::default(), Places::default());
    // Whether the bad cells look like the names of columns, or like numbers of another notation.
    let (mut only_first_line, mut numeric) = (true, true);
    let range = view.range();
    for row in rows {
        if let Some(run) = range.as_ref().and_then(|range| table.run(*row, range)) {
            match run {
                Run::Bytes(run) => values.extend(run.iter().map(|x| f64::from(*x))),
                Run::Bits(run) => values.extend(run.iter().map(|x| f64::from(*x))),
                Run::Numbers(run) => values.extend_from_slice(run),
                Run::Ids(run) => values.extend(run.iter().map(|x| f64::from(*x))),
            }
            continue;
        }
        for column in columns {
            let text = table.cell(*row, *column);
            let bad = match parse(&text) {
                Cell::Number(n) => {
                    values.push(n);
                    continue;
                }
                Cell::Missing => &mut missing,
                Cell::NotFinite => &mut infinite,
                Cell::NotNumber => {
                    only_first_line &= table.is_first_line(*row);
                    numeric &= looks_numeric(&text);
                    &mut words
                }
            };
            bad.add(|| format!("{}: {} in {}", table.place(*row, *column), quoted(&text), table.column_name(*column)));
        }
    }
    let words_help = if numeric {
        "write numbers with a point and without other marks: `1.5`, `-2e3`"
    } else if only_first_line {
        "the first line looks like a header: write `header = true` in `csv(..)`"
    } else {
        "name only columns of numbers; a label is read by `onehot[k]` or `class[k]`"
    };
    let kinds = [
        (missing, "missing value", "leave these rows out of the file, or fill them; no encoder does so yet"),
        (infinite, "value that is not finite", "leave these rows out of the file"),
        (words, "value that is not a number", words_help),
    ];
    let mut fine = true;
    for (places, what, help) in kinds {
        if places.total > 0 {
            fine = false;
            let what = match places.total {
                1 => format!("a {what}"),
                n => format!("{n} {}", plural(what)),
            };
            let fault = Diagnostic::error(Code::DATA_VALUE, what)
                .at(span, format!("read as numbers here, {}", count(columns.len(), "column")));
            faults.push(places.note(fault).help(help));
        }
    }
    fine.then_some(values)
}

/// A number that is written in another way: `1,5`, `0x10`, `50 %`.
fn looks_numeric(text: &str) -> bool {
    text.trim().trim_start_matches(['-', '+', '.', '$']).starts_with(|c: char| c.is_ascii_digit())
}

fn plural(what: &str) -> String {
    match what.strip_prefix("value that is ") {
        Some(rest) => format!("values that are {}", rest.replace("a number", "numbers")),
        None => format!("{what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_numbers_or_say_why_not() {
        assert_eq!(parse("-1.5e2"), Cell::Number(-150.0));
        assert_eq!([parse(" 1"), parse("\u{a0}1\t")], [Cell::Number(1.0); 2]);
        assert_eq!([looks_numeric("1,5"), looks_numeric("-0x10"), looks_numeric("width")], [true, true, false]);
        assert_eq!([parse(""), parse("?"), parse("NA")], [Cell::Missing; 3]);
        assert_eq!([parse("NaN"), parse("-inf"), parse("1e999")], [Cell::NotFinite; 3]);
        assert_eq!([parse("1,5"), parse("0x10"), parse("a")], [Cell::NotNumber; 3]);
    }
}

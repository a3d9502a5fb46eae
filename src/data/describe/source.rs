//! `source` and `test` from the tree of a `data` item.
//!
//! In: the expression of a source. Out: an [`Origin`]. Invariant: names of files keep their places, numbers of `inline`
//! are texts that read back as the same number, the expression of `truth_table` is elaborated by the caller.

use crate::data::describe::{Call, Reader, plain_name};
use crate::data::source::truth::{Formula, WIRES};
use crate::data::spec::{Origin, OriginKind};
use crate::data::words::count;
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::{Arg, Expr, ExprKind};
use std::sync::Arc;

pub(crate) const SOURCES: [&str; 11] =
    ["csv", "inline", "idx", "npy", "pla", "text", "truth_table", "two_moons", "spiral", "normal", "uniform"];

/// The source that an expression calls, if it is one of those there are.
pub(crate) fn known(source: &Expr) -> Option<&'static str> {
    let head = if let ExprKind::Apply(head, _) = &source.kind { head } else { source };
    let name = plain_name(head)?;
    SOURCES.into_iter().find(|known| **known == *name.name)
}

/// A source of arrays: an encoding may leave `columns(..)` off.
pub(crate) fn arrays(source: &Expr) -> Option<&'static str> {
    known(source).filter(|name| !matches!(*name, "csv" | "inline"))
}

impl Reader<'_> {
    /// Reads a source.
    pub(crate) fn origin(&mut self, expr: &Expr) -> Option<Origin> {
        if let ExprKind::Tuple(_) | ExprKind::List(_) = expr.kind {
            let message = "several sources in brackets are not supported yet";
            return self.fault(
                Diagnostic::error(Code::NOT_YET, message)
                    .at(expr.span, "not supported yet")
                    .help("join the files into one csv file, side by side"),
            );
        }
        let call = self.call(expr, "a source such as `csv(\"file.csv\")`")?;
        let kind = match &*call.name.name {
            "csv" => self.csv(&call)?,
            "inline" => self.inline(&call)?,
            "idx" => OriginKind::Idx(self.arrays_of(&call)?),
            "npy" => OriginKind::Npy(self.arrays_of(&call)?),
            "text" => self.text_source(&call, expr.span)?,
            "two_moons" | "spiral" | "normal" | "uniform" => self.points(&call, expr.span)?,
            "pla" => self.pla(&call)?,
            "truth_table" => self.truth_table(&call)?,
            _ => return self.unknown("source", call.name, &SOURCES, &[]),
        };
        Some(Origin { kind, span: expr.span })
    }

    fn csv(&mut self, call: &Call<'_>) -> Option<OriginKind> {
        let (mut files, mut header, mut separator, mut fine) = (Vec::new(), false, b',', true);
        self.nothing_in(call.name, "[ ]", &call.dims)?;
        for arg in &call.args {
            let Some(expr) = self.value(arg) else { continue };
            let read = match arg.name.as_ref().map(|n| (&*n.name, n)) {
                None => self.text(expr).map(|name| files.push((name, expr.span))),
                Some(("header", _)) => self.truth(expr).map(|yes| header = yes),
                Some(("sep", _)) => self.separator(expr).map(|byte| separator = byte),
                Some((_, name)) => self.no_setting(call.name, name, &["header", "sep"]),
            };
            fine &= read.is_some();
        }
        if files.is_empty() && fine {
            return self.unfit("`csv` names no file", call.name.span, "write `csv(\"file.csv\")`");
        }
        fine.then_some(OriginKind::Csv { files, header, separator })
    }

    /// The names of files, nothing else.
    fn files(&mut self, call: &Call<'_>) -> Option<Vec<(Arc<str>, Span)>> {
        self.nothing_in(call.name, "[ ]", &call.dims)?;
        let mut files = Vec::new();
        for arg in &call.args {
            if let Some(name) = &arg.name {
                return self.no_setting(call.name, name, &[]);
            }
            let expr = self.value(arg)?;
            files.push((self.text(expr)?, expr.span));
        }
        Some(files)
    }

    fn arrays_of(&mut self, call: &Call<'_>) -> Option<Vec<(Arc<str>, Span)>> {
        let files = self.files(call)?;
        if files.is_empty() {
            let name = &call.name.name;
            let ending = if &**name == "npy" { "npy" } else { "gz" };
            let help = format!("write `{name}(\"images.{ending}\", \"labels.{ending}\")`");
            return self.unfit(format!("`{name}` names no file"), call.name.span, help);
        }
        Some(files)
    }

    fn pla(&mut self, call: &Call<'_>) -> Option<OriginKind> {
        match self.files(call)?.as_slice() {
            [(file, span)] => Some(OriginKind::Pla(Arc::clone(file), *span)),
            files => {
                let message = format!("`pla` reads one file, here are {}", files.len());
                self.unfit(
                    message,
                    call.name.span,
                    "write `pla(\"f.pla\")`; rows of a test file go to `test = pla(..)`",
                )
            }
        }
    }

    fn truth_table(&mut self, call: &Call<'_>) -> Option<OriginKind> {
        self.nothing_in(call.name, "[ ]", &call.dims)?;
        if let Some(name) = call.args.iter().find_map(|arg| arg.name.as_ref()) {
            return self.no_setting(call.name, name, &[]);
        }
        let [wires, formula] = call.args.as_slice() else {
            let message =
                format!("`truth_table` takes a number of bits and an expression of `x`, here are {}", call.args.len());
            return self.unfit(message, call.name.span, "write `truth_table(2, x[0] xor x[1])`");
        };
        let (wires, formula) = (self.value(wires)?, self.value(formula)?);
        let n = self.whole(wires, 1)?;
        if n > WIRES {
            return self.fault(
                Diagnostic::error(Code::LIMIT, format!("a truth table of {n} bits has 2^{n} rows"))
                    .at(wires.span, format!("at most {WIRES} bits, 2^{WIRES} rows"))
                    .help("read a sample of the rows from a file"),
            );
        }
        match self.meaning.formula(formula, n) {
            Ok(formula) => Some(OriginKind::TruthTable { wires: n, formula: Formula(formula) }),
            Err(faults) => {
                faults.0.into_iter().for_each(|fault| {
                    self.fault::<()>(fault);
                });
                None
            }
        }
    }

    fn separator(&mut self, expr: &Expr) -> Option<u8> {
        let text = self.text(expr)?;
        match text.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r' | 0) => Some(*byte),
            _ => self.unfit(
                format!("a separator is one ASCII character, this has {}", count(text.chars().count(), "character")),
                expr.span,
                "write `sep = \",\"`, `sep = \";\"`, `sep = \"\\t\"` or `sep = \" \"`",
            ),
        }
    }

    fn inline(&mut self, call: &Call<'_>) -> Option<OriginKind> {
        self.nothing_in(call.name, "[ ]", &call.dims)?;
        let [arg] = call.args.as_slice() else {
            let message = format!("`inline` takes one list of rows, here are {}", call.args.len());
            return self.unfit(message, call.name.span, "write `inline([[1, 2], [3, 4]])`");
        };
        let expr = self.value(arg)?;
        let ExprKind::List(items) = &expr.kind else {
            return self.unfit("a list of rows is needed here", expr.span, "write `[[1, 2], [3, 4]]`");
        };
        let (mut rows, mut fine) = (Vec::new(), true);
        let mut first: Option<(usize, Span)> = None;
        for item in items {
            let Some(row) = self.inline_row(item) else {
                fine = false;
                continue;
            };
            let (width, at) = *first.get_or_insert((row.len(), item.span));
            if width != row.len() {
                fine = false;
                self.fault::<()>(
                    Diagnostic::error(Code::DATA_FIELD, "the rows of `inline` differ in length")
                        .at(item.span, format!("has {}", count(row.len(), "value")))
                        .also(at, format!("has {}", count(width, "value")))
                        .help(format!("give every row {}", count(width, "value"))),
                );
            }
            rows.push(row);
        }
        if fine && first.is_none_or(|(width, _)| width == 0) {
            return self.unfit("`inline` has no values", expr.span, "write `[[1, 2], [3, 4]]`");
        }
        fine.then_some(OriginKind::Inline(rows))
    }

    /// One row; a bare number is a row of one.
    fn inline_row(&mut self, item: &Arg) -> Option<Vec<String>> {
        let expr = self.value(item)?;
        let ExprKind::List(cells) = &expr.kind else {
            return self.inline_cell(expr).map(|cell| vec![cell]);
        };
        let read: Vec<Option<String>> =
            cells.iter().map(|cell| self.value(cell).and_then(|e| self.inline_cell(e))).collect();
        read.into_iter().collect()
    }

    /// Numbers go through their shortest text, which reads back as the same number.
    fn inline_cell(&mut self, expr: &Expr) -> Option<String> {
        match &expr.kind {
            ExprKind::Text(text) => Some(text.to_string()),
            _ => self.number(expr).map(|n| n.to_string()),
        }
    }
}

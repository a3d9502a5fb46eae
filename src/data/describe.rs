//! From the record of a `data` item to a [`DataSpec`]: its fields and its sources.
//!
//! In: the tree of the item and a function that evaluates constant numbers. Out: the spec, or every error of the
//! record at once. Invariant: what the language has and this version has not is `E0901` at its place; what the
//! language has not is `E0606` with the nearest name.

use super::spec::{DataSpec, Encoding, Keep, Origin, OriginKind, Split, SplitKind, Target};
use super::words::{count, list, suggestion};
use crate::source::{Code, Diagnostic, Diagnostics, Span};
use crate::syntax::ast::{Arg, ArgValue, Expr, ExprKind, Field, GroupKind, Ident, RecordItem};
use std::sync::Arc;

const FIELDS: [&str; 7] = ["source", "test", "input", "target", "split", "shuffle", "keep"];
const SOURCES: [&str; 2] = ["csv", "inline"];
const SOURCES_LATER: [&str; 9] =
    ["idx", "npy", "text", "truth_table", "pla", "two_moons", "spiral", "normal", "uniform"];

/// Turns the record of a `data` item into a plain value; `numbers` evaluates constant expressions.
///
/// # Errors
/// Everything that is wrong with the record, each at its place.
pub fn describe(
    item: &RecordItem,
    numbers: &dyn Fn(&Expr) -> Result<f64, Diagnostic>,
) -> Result<DataSpec, Diagnostics> {
    let mut reader = Reader { numbers, faults: Diagnostics::default() };
    reader.check_fields(item);
    let field = |name: &str| item.fields.iter().find(|f| &*f.name.name == name);
    let source = reader.required(item, field("source"), "source").and_then(|e| reader.origin(e));
    let test = field("test").and_then(|f| reader.origin(&f.value));
    let input = reader.required(item, field("input"), "input").and_then(|e| reader.encoding(e));
    let target = field("target").and_then(|f| reader.target(&f.value));
    let split = match field("split") {
        Some(f) => reader.split(&f.value),
        None => Some(Split { kind: SplitKind::All, span: item.name.span }),
    };
    let shuffle = field("shuffle").map_or(Some(true), |f| reader.truth(&f.value));
    let keep = field("keep").and_then(|f| reader.keep(&f.value));
    if !reader.faults.has_errors()
        && let (Some(source), Some(input), Some(split), Some(shuffle)) = (source, input, split, shuffle)
    {
        let name = Arc::clone(&item.name.name);
        let spec = DataSpec { name, span: item.name.span, source, test, input, target, split, shuffle, keep };
        reader.check_together(&spec);
        if !reader.faults.has_errors() {
            return Ok(spec);
        }
    }
    // What a source that is not supported yet would have given is not known: nothing is said of what is made of it.
    let mut faults = reader.faults;
    let source = field("source").map(|f| f.value.span);
    let inside = |d: &Diagnostic| d.span().zip(source).is_some_and(|(d, s)| s.start <= d.start && d.end <= s.end);
    if faults.0.iter().any(|d| d.code == Code::NOT_YET && inside(d)) {
        faults.0.retain(|d| d.code == Code::NOT_YET);
    }
    Err(faults)
}

/// A name with bracket groups, taken apart.
pub(super) struct Call<'e> {
    pub(super) name: &'e Ident,
    pub(super) dims: Vec<&'e Arg>,
    pub(super) args: Vec<&'e Arg>,
}

/// Reads expressions and collects what is wrong with them; `None` means that a fault was recorded.
pub(super) struct Reader<'a> {
    numbers: &'a dyn Fn(&Expr) -> Result<f64, Diagnostic>,
    faults: Diagnostics,
}

impl Reader<'_> {
    /// Records a fault.
    pub(super) fn fault<T>(&mut self, fault: Diagnostic) -> Option<T> {
        self.faults.push(fault);
        None
    }

    /// Records a `E0606` with a place and a suggestion.
    pub(super) fn unfit<T>(&mut self, message: impl Into<String>, span: Span, help: impl Into<String>) -> Option<T> {
        self.fault(Diagnostic::error(Code::DATA_FIELD, message).at(span, "").help(help))
    }

    /// A name that is not among those of this version.
    pub(super) fn unknown<T>(&mut self, what: &str, name: &Ident, now: &[&str], later: &[&str]) -> Option<T> {
        let word = &*name.name;
        if later.contains(&word) {
            return self.fault(
                Diagnostic::error(Code::NOT_YET, format!("the {what} `{word}` is not supported yet"))
                    .at(name.span, "not supported yet")
                    .help(format!("this version has {}", list(now))),
            );
        }
        let all: Vec<&str> = now.iter().chain(later).copied().collect();
        let help =
            suggestion(word, if super::words::nearest(word, all.iter().copied()).is_some() { &all } else { now });
        self.unfit(format!("no {what} is called `{word}`"), name.span, help)
    }

    /// A constant number.
    pub(super) fn number(&mut self, expr: &Expr) -> Option<f64> {
        match (self.numbers)(expr) {
            Ok(n) if n.is_finite() => Some(n),
            Ok(n) => self.unfit(format!("this number is {n}"), expr.span, "write a finite number"),
            Err(fault) => self.fault(fault),
        }
    }

    /// A whole number from `least` up to 2^32 - 1.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "the number was checked to be whole and within 32 bits"
    )]
    pub(super) fn whole(&mut self, expr: &Expr, least: usize) -> Option<usize> {
        let n = self.number(expr)?;
        if n.fract() == 0.0 && n >= least as f64 && n <= f64::from(u32::MAX) {
            return Some(n as usize);
        }
        self.unfit(
            format!("a whole number of at least {least} is needed, this is {n}"),
            expr.span,
            "write such a number",
        )
    }

    /// `true` or `false`.
    pub(super) fn truth(&mut self, expr: &Expr) -> Option<bool> {
        match plain_name(expr).map(|i| &*i.name) {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => self.unfit("`true` or `false` is needed here", expr.span, "write `true` or `false`"),
        }
    }

    /// Text between quotes.
    pub(super) fn text(&mut self, expr: &Expr) -> Option<Arc<str>> {
        match &expr.kind {
            ExprKind::Text(text) => Some(Arc::clone(text)),
            _ => self.unfit("text between quotes is needed here", expr.span, "write it as \"text\""),
        }
    }

    /// The expression of an argument that must not be a range.
    pub(super) fn value<'e>(&mut self, arg: &'e Arg) -> Option<&'e Expr> {
        match &arg.value {
            ArgValue::Expr(expr) => Some(expr),
            ArgValue::Range(..) => self.unfit("a range has no meaning here", arg.span, "write one value"),
        }
    }

    /// A name with its bracket groups; anything else is a fault that says what was expected.
    pub(super) fn call<'e>(&mut self, expr: &'e Expr, expected: &str) -> Option<Call<'e>> {
        if let Some(name) = plain_name(expr) {
            return Some(Call { name, dims: Vec::new(), args: Vec::new() });
        }
        let ExprKind::Apply(head, groups) = &expr.kind else {
            return self.unfit(format!("{expected} is needed here"), expr.span, format!("write {expected}"));
        };
        let Some(name) = plain_name(head) else {
            return self.unfit(format!("{expected} is needed here"), head.span, format!("write {expected}"));
        };
        let mut call = Call { name, dims: Vec::new(), args: Vec::new() };
        for group in groups {
            match group.kind {
                GroupKind::Dims => call.dims.extend(&group.args),
                GroupKind::Args => call.args.extend(&group.args),
                GroupKind::Ports => {
                    return self.unfit(
                        format!("`{}` has no parameters", name.name),
                        group.span,
                        "leave `{ }` off: nothing in a data set is learned",
                    );
                }
            }
        }
        Some(call)
    }

    /// Complains about brackets that the name does not take.
    pub(super) fn nothing_in(&mut self, name: &Ident, brackets: &str, args: &[&Arg]) -> Option<()> {
        match args.first() {
            None => Some(()),
            Some(arg) => {
                let message = format!("`{}` takes nothing in `{brackets}`", name.name);
                self.unfit(message, arg.span, format!("leave `{brackets}` off"))
            }
        }
    }

    /// A setting of a name that does not exist.
    pub(super) fn no_setting<T>(&mut self, of: &Ident, setting: &Ident, known: &[&str]) -> Option<T> {
        let message = format!("`{}` has no setting `{}`", of.name, setting.name);
        self.unfit(message, setting.span, suggestion(&setting.name, known))
    }

    fn check_fields(&mut self, item: &RecordItem) {
        for (at, field) in item.fields.iter().enumerate() {
            let name = &*field.name.name;
            if !FIELDS.contains(&name) {
                let message = format!("a data set has no field `{name}`");
                self.unfit::<()>(message, field.name.span, suggestion(name, &FIELDS));
            }
            if let Some(first) = item.fields.iter().take(at).find(|f| f.name.name == field.name.name) {
                self.fault::<()>(
                    Diagnostic::error(Code::DUPLICATE_NAME, format!("the field `{name}` is given twice"))
                        .at(field.name.span, "again here")
                        .also(first.name.span, "first here")
                        .help("keep one of them"),
                );
            }
        }
    }

    fn required<'e>(&mut self, item: &RecordItem, field: Option<&'e Field>, name: &str) -> Option<&'e Expr> {
        if let Some(field) = field {
            return Some(&field.value);
        }
        let help = match name {
            "source" => "add `source = csv(\"file.csv\", header = true)` or `source = inline([[1, 2], [3, 4]])`",
            _ => "add `input = columns(0..4)` with the columns to read",
        };
        self.unfit(format!("the data set `{}` has no `{name}`", item.name.name), item.name.span, help)
    }

    fn origin(&mut self, expr: &Expr) -> Option<Origin> {
        if let ExprKind::Tuple(_) | ExprKind::List(_) = expr.kind {
            let message = "several sources in brackets are not supported yet";
            return self.fault(Diagnostic::error(Code::NOT_YET, message).at(expr.span, "not supported yet"));
        }
        let call = self.call(expr, "a source such as `csv(\"file.csv\")`")?;
        let kind = match &*call.name.name {
            "csv" => self.csv(&call)?,
            "inline" => self.inline(&call)?,
            _ => return self.unknown("source", call.name, &SOURCES, &SOURCES_LATER),
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

    fn target(&mut self, expr: &Expr) -> Option<Target> {
        if plain_name(expr).is_some_and(|i| &*i.name == "input") {
            return Some(Target::Input(expr.span));
        }
        self.encoding(expr).map(Target::Encoding)
    }

    /// What only shows when the fields are seen together.
    fn check_together(&mut self, spec: &DataSpec) {
        let stratified = match &spec.split.kind {
            SplitKind::All => false,
            SplitKind::Parts { amounts, stratified, .. } => {
                if let ([_, _, Some(_)], Some(test)) = (amounts, &spec.test) {
                    self.fault::<()>(
                        Diagnostic::error(Code::DATA_SPLIT, "the test part is given twice")
                            .at(spec.split.span, "the split makes a test part")
                            .also(test.span, "and here is a test file")
                            .help("leave `test` off the split, or the field `test` off the data set"),
                    );
                }
                *stratified
            }
            SplitKind::Folds { stratified, .. } => *stratified,
        };
        if spec.class_target().is_some() {
            return;
        }
        const CLASS: &str = "end the target in `class[k]` or `onehot[k]`";
        let needs_class = [(stratified, spec.split.span, "a stratified split", format!("{CLASS}, or use `holdout`"))];
        let keep = spec.keep.as_ref().map(|Keep { span, .. }| (true, *span, "`keep = class ..`", CLASS.to_owned()));
        for (_, span, what, help) in needs_class.into_iter().chain(keep).filter(|(needed, ..)| *needed) {
            self.fault::<()>(
                Diagnostic::error(Code::DATA_SPLIT, format!("{what} needs a target that is a class"))
                    .at(span, "needs classes")
                    .help(help),
            );
        }
    }
}

/// The name, when the expression is one name.
pub(super) fn plain_name(expr: &Expr) -> Option<&Ident> {
    match &expr.kind {
        ExprKind::Path(path) => match path.as_slice() {
            [name] => Some(name),
            _ => None,
        },
        _ => None,
    }
}

/// The span of an encoding, for messages about the columns it reads.
pub(super) fn reads(encoding: &Encoding) -> Span {
    encoding.columns.iter().map(|(_, span)| *span).reduce(Span::to).unwrap_or(encoding.span)
}

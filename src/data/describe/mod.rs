//! From the record of a `data` item to a [`DataSpec`]: its fields, and what all readers of it share.
//!
//! In: the tree of the item and the [`Meaning`] of its expressions. Out: the spec, or every error of the
//! record at once. Invariant: what the language has and this version has not is `E0901` at its place; what the
//! language has not is `E0606` with the nearest name.

pub(crate) mod encoding;
pub(crate) mod points;
pub(crate) mod source;
pub(crate) mod split;
pub(crate) mod text;

use crate::data::describe::source::{arrays, known};
use crate::data::spec::{DataSpec, EncoderStep, Encoding, Keep, Origin, OriginKind, Pick, Split, SplitKind, Target};
use crate::data::words::{count, list, suggestion};
use crate::diagram::Diagram;
use crate::source::{Code, Diagnostic, Diagnostics, Span};
use crate::syntax::ast::{Arg, ArgValue, Expr, ExprKind, Field, GroupKind, Ident, RecordItem};
use std::sync::Arc;

pub(crate) const FIELDS: [&str; 7] = ["source", "test", "input", "target", "split", "shuffle", "keep"];

/// What the expressions of a record mean: the elaborator answers.
pub trait Meaning {
    /// A constant number.
    ///
    /// # Errors
    /// It is none.
    fn number(&self, expr: &Expr) -> Result<f64, Diagnostic>;

    /// An expression of `x : Bool[wires]` as a diagram with that one port and one output, of bits or whole numbers.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    fn formula(&self, expr: &Expr, wires: usize) -> Result<Diagram, Diagnostics>;
}

/// Turns the record of a `data` item into a plain value.
///
/// # Errors
/// Everything that is wrong with the record, each at its place.
pub fn describe(item: &RecordItem, meaning: &dyn Meaning) -> Result<DataSpec, Diagnostics> {
    let mut reader = Reader::new(meaning);
    reader.check_fields(item);
    let field = |name: &str| item.fields.iter().find(|f| &*f.name.name == name);
    let source = reader.required(item, field("source"), "source").and_then(|e| reader.origin(e));
    let test = field("test").and_then(|f| reader.origin(&f.value));
    reader.arrays = field("source").and_then(|f| arrays(&f.value));
    reader.vocabulary = source.as_ref().and_then(|origin| match &origin.kind {
        OriginKind::Text { vocabulary, .. } => vocabulary.as_ref().map(|v| v.len()),
        _ => None,
    });
    // Bits, points and characters need no encoder: all of a part is read when a field is left off.
    let whole = field("source").map(|f| f.value.span).filter(|_| !matches!(reader.arrays, None | Some("idx" | "npy")));
    let (arrays, vocabulary) = (reader.arrays, reader.vocabulary);
    let all_of = |part| {
        let all = Encoding::of_part(part, whole?);
        match (arrays, part) {
            (Some("text"), _) => Some(Encoding { steps: vec![(EncoderStep::Ids(vocabulary), all.span)], ..all }),
            (Some("normal" | "uniform"), 1) => None,
            _ => Some(all),
        }
    };
    let input = match (field("input"), all_of(0)) {
        (None, Some(all)) => Some(all),
        // Whether a source without a name of its own needs an input is not known.
        (None, None) if field("source").is_some_and(|f| known(&f.value).is_none()) => None,
        (written, _) => reader.required(item, written, "input").and_then(|e| reader.encoding(e, 0)),
    };
    let target = match field("target") {
        Some(f) => reader.target(&f.value),
        None => all_of(1).map(Target::Encoding),
    };
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
pub(crate) struct Call<'e> {
    pub(crate) name: &'e Ident,
    pub(crate) dims: Vec<&'e Arg>,
    pub(crate) args: Vec<&'e Arg>,
}

/// Reads expressions and collects what is wrong with them; `None` means that a fault was recorded.
pub(crate) struct Reader<'a> {
    pub(crate) meaning: &'a dyn Meaning,
    faults: Diagnostics,
    /// The source when it is one of arrays.
    pub(crate) arrays: Option<&'static str>,
    /// How many characters the source's vocabulary has, if the program names them.
    pub(crate) vocabulary: Option<usize>,
}

impl<'a> Reader<'a> {
    /// A reader without faults, of a source that is not known yet.
    pub(crate) fn new(meaning: &'a dyn Meaning) -> Reader<'a> {
        Reader { meaning, faults: Diagnostics::default(), arrays: None, vocabulary: None }
    }

    /// What was found to be wrong.
    pub(crate) fn into_faults(self) -> Diagnostics {
        self.faults
    }
}

impl Reader<'_> {
    /// Records a fault.
    pub(crate) fn fault<T>(&mut self, fault: Diagnostic) -> Option<T> {
        self.faults.push(fault);
        None
    }

    /// Records a `E0606` with a place and a suggestion.
    pub(crate) fn unfit<T>(&mut self, message: impl Into<String>, span: Span, help: impl Into<String>) -> Option<T> {
        self.fault(Diagnostic::error(Code::DATA_FIELD, message).at(span, "does not fit").help(help))
    }

    /// A name that is not among those of this version.
    pub(crate) fn unknown<T>(&mut self, what: &str, name: &Ident, now: &[&str], later: &[&str]) -> Option<T> {
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
            suggestion(word, if crate::data::words::nearest(word, all.iter().copied()).is_some() { &all } else { now });
        self.unfit(format!("no {what} is called `{word}`"), name.span, help)
    }

    /// A constant number.
    pub(crate) fn number(&mut self, expr: &Expr) -> Option<f64> {
        match self.meaning.number(expr) {
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
    pub(crate) fn whole(&mut self, expr: &Expr, least: usize) -> Option<usize> {
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
    pub(crate) fn truth(&mut self, expr: &Expr) -> Option<bool> {
        match plain_name(expr).map(|i| &*i.name) {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => self.unfit("`true` or `false` is needed here", expr.span, "write `true` or `false`"),
        }
    }

    /// Text between quotes.
    pub(crate) fn text(&mut self, expr: &Expr) -> Option<Arc<str>> {
        match &expr.kind {
            ExprKind::Text(text) => Some(Arc::clone(text)),
            _ => self.unfit("text between quotes is needed here", expr.span, "write it as \"text\""),
        }
    }

    /// The expression of an argument that must not be a range.
    pub(crate) fn value<'e>(&mut self, arg: &'e Arg) -> Option<&'e Expr> {
        match &arg.value {
            ArgValue::Expr(expr) => Some(expr),
            ArgValue::Range(..) => self.unfit("a range has no meaning here", arg.span, "write one value"),
        }
    }

    /// A name with its bracket groups; anything else is a fault that says what was expected.
    pub(crate) fn call<'e>(&mut self, expr: &'e Expr, expected: &str) -> Option<Call<'e>> {
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
    pub(crate) fn nothing_in(&mut self, name: &Ident, brackets: &str, args: &[&Arg]) -> Option<()> {
        match args.first() {
            None => Some(()),
            Some(arg) => {
                let message = format!("`{}` takes nothing in `{brackets}`", name.name);
                self.unfit(message, arg.span, format!("leave `{brackets}` off"))
            }
        }
    }

    /// A setting of a name that does not exist.
    pub(crate) fn no_setting<T>(&mut self, of: &Ident, setting: &Ident, known: &[&str]) -> Option<T> {
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
            _ if matches!(self.arrays, Some("idx" | "npy")) => {
                "add `input = scale(1 / 255)` or `input = threshold(127)`"
            }
            _ => "add `input = columns(0..4)` with the columns to read",
        };
        self.unfit(format!("the data set `{}` has no `{name}`", item.name.name), item.name.span, help)
    }

    fn target(&mut self, expr: &Expr) -> Option<Target> {
        if plain_name(expr).is_some_and(|i| &*i.name == "input") {
            return Some(Target::Input(expr.span));
        }
        self.encoding(expr, 1).map(Target::Encoding)
    }

    /// What only shows when the fields are seen together.
    fn check_together(&mut self, spec: &DataSpec) {
        self.check_files(spec);
        self.check_test(spec);
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

impl Reader<'_> {
    /// Whether the rows of a test file can be read as those of the source.
    fn check_test(&mut self, spec: &DataSpec) {
        let Some(test) = &spec.test else { return };
        let (message, help) = match (&spec.source.kind, &test.kind) {
            (OriginKind::Text { .. }, OriginKind::Text { vocabulary: Some(_), .. }) => (
                "the characters of a test text are numbered as those of the source",
                "leave `vocabulary` off here, it belongs to `source`",
            ),
            (OriginKind::Text { windows, .. }, OriginKind::Text { windows: other, .. }) => {
                if windows.window == other.window {
                    return;
                }
                ("the windows of the test text have another length", "give both the same `window`")
            }
            (OriginKind::Text { .. }, _) | (_, OriginKind::Text { .. }) => {
                ("a text is tested by a text", "give `source` and `test` the same kind of source")
            }
            _ => return,
        };
        let shown = |origin: &Origin, what: &str| match &origin.kind {
            OriginKind::Text { windows, .. } => format!("{what}, windows of {}", windows.window),
            _ => what.to_owned(),
        };
        self.fault::<()>(
            Diagnostic::error(Code::DATA_FIELD, message)
                .at(test.span, shown(test, "the test part"))
                .also(spec.source.span, shown(&spec.source, "the source"))
                .help(help),
        );
    }

    /// Whether a source of arrays has the files that are meant when `columns(..)` is left off.
    fn check_files(&mut self, spec: &DataSpec) {
        let (files, unit) = match &spec.source.kind {
            OriginKind::Idx(files) | OriginKind::Npy(files) => (files.len(), "file"),
            OriginKind::Points(points) => (1 + usize::from(points.labelled()), "array"),
            _ => return,
        };
        let target = match &spec.target {
            Some(Target::Encoding(encoding)) => Some(encoding),
            _ => None,
        };
        for (part, encoding) in [Some(&spec.input), target].into_iter().enumerate() {
            let Some(encoding) = encoding.filter(|e| matches!(e.columns.as_slice(), [(Pick::Part(_), _)])) else {
                continue;
            };
            let fault = |message: &str, help: &str| {
                Diagnostic::error(Code::DATA_FIELD, message)
                    .at(encoding.span, format!("reads a whole {unit}"))
                    .also(
                        spec.source.span,
                        format!("{} {}", if unit == "file" { "names" } else { "draws" }, count(files, unit)),
                    )
                    .help(help)
            };
            if part >= files && unit == "array" {
                let help = "leave `target` off, or write `target = input`";
                self.fault::<()>(fault("these points have no classes to read the target from", help));
            } else if part >= files {
                let help = "name the file of labels behind the file of images, or write `target = input`";
                self.fault::<()>(fault("there is no second file to read the target from", help));
            } else if files > 2 {
                let help = "choose entries of all files side by side, `columns(0..784)`, or name two files";
                self.fault::<()>(fault("which of these files is meant cannot be known", help));
            }
        }
    }
}

/// The name, when the expression is one name.
pub(crate) fn plain_name(expr: &Expr) -> Option<&Ident> {
    match &expr.kind {
        ExprKind::Path(path) => match path.as_slice() {
            [name] => Some(name),
            _ => None,
        },
        _ => None,
    }
}

/// The span of an encoding, for messages about the columns it reads.
pub(crate) fn reads(encoding: &Encoding) -> Span {
    encoding.columns.iter().map(|(_, span)| *span).reduce(Span::to).unwrap_or(encoding.span)
}

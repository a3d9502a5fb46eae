//! `columns(..) >> encoder >> ..` from the tree of a `data` item.
//!
//! In: the expression of `input` or `target`. Out: an [`Encoding`]. Invariant: a label encoder reads one column and
//! comes first, `categories` too, since they read text; numbers are not made of labels and bits. Of a source of arrays
//! `columns(..)` may be left off.

use crate::data::describe::{Call, Reader, plain_name};
use crate::data::spec::{EncoderStep, Encoding, Fit, Pick};
use crate::data::words::count;
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::{Arg, ArgValue, Expr, ExprKind};

pub(crate) const ENCODERS: [&str; 11] = [
    "standardise",
    "minmax",
    "scale",
    "onehot",
    "class",
    "ids",
    "flatten",
    "bits",
    "threshold",
    "thermometer",
    "categories",
];

/// The most classes a label may have; each of them has a name.
const CLASSES: usize = 1 << 20;

/// The most thresholds an entry may have.
const CUTS: usize = 1 << 10;

impl Reader<'_> {
    /// Reads `columns(..) >> encoder >> ..`; `part` is the file of an array source that is read when no columns are named.
    pub(crate) fn encoding(&mut self, expr: &Expr, part: usize) -> Option<Encoding> {
        let chain = match &expr.kind {
            ExprKind::Compose(chain) => chain.as_slice(),
            _ => std::slice::from_ref(expr),
        };
        let (first, rest) = chain.split_first()?;
        let (columns, rest) = if self.arrays.is_some() && !begins_with_columns(first) {
            (Some(vec![(Pick::Part(part), expr.span)]), chain)
        } else {
            (self.columns(first), rest)
        };
        let steps: Vec<_> = rest.iter().map(|e| self.step(e).map(|step| (step, e.span))).collect();
        let steps: Vec<(EncoderStep, Span)> = steps.into_iter().collect::<Option<_>>()?;
        let encoding = Encoding { columns: columns?, steps, span: expr.span };
        self.check_order(&encoding)?;
        Some(encoding)
    }

    fn columns(&mut self, expr: &Expr) -> Option<Vec<(Pick, Span)>> {
        let call = self.call(expr, "`columns(..)`")?;
        let name = &*call.name.name;
        if ENCODERS.contains(&name) {
            let message = format!("`{name}` has no columns to read");
            return self.unfit(
                message,
                call.name.span,
                format!("write `columns(..) >> {name}`, with the columns to read"),
            );
        }
        if name != "columns" && name != "column" {
            return self.unknown("choice of columns", call.name, &["columns", "column"], &[]);
        }
        self.nothing_in(call.name, "[ ]", &call.dims)?;
        let picks: Vec<_> = call.args.iter().map(|arg| self.pick(&call, arg).map(|pick| (pick, arg.span))).collect();
        let picks: Vec<(Pick, Span)> = picks.into_iter().collect::<Option<_>>()?;
        if picks.is_empty() {
            let help = "write `columns(0..4)` or `columns(\"a\", \"b\")`";
            return self.unfit(format!("`{name}` names no column"), expr.span, help);
        }
        if name == "column" && (picks.len() > 1 || matches!(picks.first(), Some((Pick::Range(..), _)))) {
            return self.unfit("`column` reads one column", expr.span, "write `columns(..)` for several");
        }
        Some(picks)
    }

    fn pick(&mut self, call: &Call<'_>, arg: &Arg) -> Option<Pick> {
        if let Some(setting) = &arg.name {
            return self.no_setting(call.name, setting, &[]);
        }
        match &arg.value {
            ArgValue::Expr(Expr { kind: ExprKind::Text(name), .. }) => Some(Pick::Name(name.clone())),
            ArgValue::Expr(expr) => self.whole(expr, 0).map(Pick::Index),
            ArgValue::Range(from, to) => {
                let from = from.as_ref().map_or(Some(0), |e| self.whole(e, 0))?;
                let to = match to {
                    Some(e) => Some(self.whole(e, 0)?),
                    None => None,
                };
                if let Some(to) = to.filter(|to| *to <= from) {
                    let help = format!("the end is not included: `{from}..{}` is one column", from + 1);
                    return self.unfit(format!("the range {from}..{to} has no columns"), arg.span, help);
                }
                Some(Pick::Range(from, to))
            }
        }
    }

    fn step(&mut self, expr: &Expr) -> Option<EncoderStep> {
        let call = self.call(expr, "an encoder such as `standardise`")?;
        let name = call.name;
        let plain = |reader: &mut Self, step| {
            reader.nothing_in(name, "[ ]", &call.dims)?;
            reader.nothing_in(name, "( )", &call.args)?;
            Some(step)
        };
        match &*name.name {
            "standardise" => self.fit(&call).map(EncoderStep::Standardise),
            "minmax" => self.fit(&call).map(EncoderStep::MinMax),
            "flatten" => plain(self, EncoderStep::Flatten),
            "bits" => plain(self, EncoderStep::Bits),
            "categories" => plain(self, EncoderStep::Categories),
            "threshold" => self.thresholds(expr, &call).map(EncoderStep::Threshold),
            "thermometer" => {
                let k = self.classes(expr, &call)?;
                self.few(k, expr.span)?;
                Some(EncoderStep::Thermometer(k))
            }
            "scale" => {
                self.nothing_in(name, "[ ]", &call.dims)?;
                let [arg] = call.args.as_slice() else {
                    return self.unfit("`scale` takes one number", expr.span, "write `scale(1 / 255)`");
                };
                self.value(arg).and_then(|e| self.number(e)).map(EncoderStep::Scale)
            }
            "onehot" if self.arrays == Some("text") => self.ids(expr, &call).map(EncoderStep::OneHotIds),
            "ids" => self.ids(expr, &call).map(EncoderStep::Ids),
            "onehot" => self.classes(expr, &call).map(EncoderStep::OneHot),
            "class" => self.classes(expr, &call).map(EncoderStep::Class),
            "columns" | "column" => self.unfit(
                format!("`{}` can only come first", name.name),
                name.span,
                "list all columns in one `columns(..)` at the beginning",
            ),
            _ => self.unknown("encoder", name, &ENCODERS, &[]),
        }
    }

    /// The bound of labels; the vocabulary of a text has one of its own.
    fn ids(&mut self, expr: &Expr, call: &Call<'_>) -> Option<Option<usize>> {
        if call.dims.is_empty() && self.arrays == Some("text") {
            self.nothing_in(call.name, "( )", &call.args)?;
            return Some(self.vocabulary);
        }
        let k = self.classes(expr, call)?;
        match self.vocabulary {
            Some(known) if known != k => self.unfit(
                format!("the vocabulary has {}, not {k}", count(known, "character")),
                expr.span,
                format!("write `{}[{known}]`, or leave the number off", call.name.name),
            ),
            _ => Some(Some(k)),
        }
    }

    fn classes(&mut self, expr: &Expr, call: &Call<'_>) -> Option<usize> {
        let name = call.name;
        self.nothing_in(name, "( )", &call.args)?;
        let what = match &*name.name {
            "thermometer" => "thresholds",
            "ids" => "labels",
            _ => "classes",
        };
        let [arg] = call.dims.as_slice() else {
            let message = format!("`{}` needs the number of {what}", name.name);
            return self.unfit(message, expr.span, format!("write `{}[3]` for three {what}", name.name));
        };
        let k = self.value(arg).and_then(|e| self.whole(e, 1))?;
        if k > CLASSES {
            let fault =
                Diagnostic::error(Code::LIMIT, format!("{k} {what} are more than {CLASSES}, which is the limit"));
            return self.fault(fault.at(arg.span, "too many").help("read numbers as they are, without classes"));
        }
        Some(k)
    }

    /// `fit = train` (left off) or `fit = all`.
    fn fit(&mut self, call: &Call<'_>) -> Option<Fit> {
        self.nothing_in(call.name, "[ ]", &call.dims)?;
        let mut fit = Fit::Train;
        for arg in &call.args {
            let Some(name) = &arg.name else {
                let message = format!("`{}` takes nothing in `( )` but `fit = all`", call.name.name);
                return self.unfit(message, arg.span, "leave it off: encoders are fitted on the training part");
            };
            if &*name.name != "fit" {
                return self.no_setting(call.name, name, &["fit"]);
            }
            let value = self.value(arg)?;
            fit = match plain_name(value).map(|i| &*i.name) {
                Some("all") => Fit::All,
                Some("train") => Fit::Train,
                _ => return self.unfit("`fit` is `train` or `all`", value.span, "write `fit = all`, or leave it off"),
            };
        }
        Some(fit)
    }

    fn thresholds(&mut self, expr: &Expr, call: &Call<'_>) -> Option<Vec<f64>> {
        self.nothing_in(call.name, "[ ]", &call.dims)?;
        if let Some(name) = call.args.iter().find_map(|arg| arg.name.as_ref()) {
            return self.no_setting(call.name, name, &[]);
        }
        if call.args.is_empty() {
            return self.unfit("`threshold` names no number", expr.span, "write `threshold(0.5)`, or several numbers");
        }
        self.few(call.args.len(), expr.span)?;
        let cuts: Vec<_> = call.args.iter().map(|arg| self.value(arg).and_then(|e| self.number(e))).collect();
        cuts.into_iter().collect()
    }

    fn few(&mut self, k: usize, span: Span) -> Option<()> {
        if k <= CUTS {
            return Some(());
        }
        let fault = Diagnostic::error(Code::LIMIT, format!("{k} thresholds are more than {CUTS}, which is the limit"));
        self.fault(fault.at(span, "too many").help("take fewer; `binary(k)` writes a number in k bits"))
    }

    fn check_order(&mut self, encoding: &Encoding) -> Option<()> {
        let label = |step: &EncoderStep| matches!(step, EncoderStep::OneHot(_) | EncoderStep::Class(_));
        // The last encoder before each that changed anything.
        let mut before: Option<&(EncoderStep, Span)> = None;
        for now in encoding.steps.iter().filter(|(step, _)| *step != EncoderStep::Flatten) {
            if let Some(earlier) = before {
                self.check_pair(earlier, now)?;
            }
            if let (EncoderStep::Bits, Some((EncoderStep::Class(1), span))) = (&now.0, before) {
                return self.fault(
                    Diagnostic::error(Code::DATA_FIELD, "the number of one class needs no bit")
                        .at(now.1, "gives no bits")
                        .also(*span, "has one class")
                        .help("write `class[k]` with the number of classes"),
                );
            }
            before = Some(now);
        }
        let reads_characters =
            |(step, _): &&(EncoderStep, Span)| matches!(step, EncoderStep::Ids(_) | EncoderStep::OneHotIds(_));
        if self.arrays == Some("text")
            && let first = encoding.steps.iter().find(|(step, _)| *step != EncoderStep::Flatten)
            && first.filter(reads_characters).is_none()
        {
            let at = first.map_or(encoding.span, |(_, span)| *span);
            return self.fault(
                Diagnostic::error(Code::DATA_FIELD, "characters are neither numbers nor classes of their own")
                    .at(at, "reads characters")
                    .help("write `ids`, a label a place, or `onehot`, a vector a place"),
            );
        }
        let width = encoding.width();
        if let (Some(width), Some((_, span))) = (width, encoding.steps.iter().find(|(s, _)| label(s)))
            && width != 1
        {
            return self.fault(
                Diagnostic::error(Code::DATA_FIELD, "a label is one column")
                    .at(*span, "reads one column")
                    .also(crate::data::describe::reads(encoding), format!("gives {}", count(width, "column")))
                    .help("name the one column that has the label"),
            );
        }
        Some(())
    }

    /// Whether an encoder can work on what the one before it gives.
    fn check_pair(&mut self, earlier: &(EncoderStep, Span), now: &(EncoderStep, Span)) -> Option<()> {
        use EncoderStep::{Bits, Categories, Class, Ids, OneHot, OneHotIds, Thermometer, Threshold};
        let ((before, there), (step, here)) = (earlier, now);
        let (message, this, other, help) = match (before, step) {
            (_, OneHot(_) | Class(_)) => (
                "a label is read from the column as it stands in the file",
                "reads labels",
                "has changed them already",
                "put `class[k]` or `onehot[k]` first",
            ),
            (_, Ids(_) | OneHotIds(_)) => (
                "labels are read from the cells as they stand in the source",
                "reads labels",
                "has changed them already",
                "put it first",
            ),
            (_, Categories) => (
                "`categories` reads the columns as they stand in the file",
                "reads texts",
                "has changed them already",
                "put `categories` first",
            ),
            (Class(_) | OneHot(_), Bits) => return Some(()),
            (Class(_) | Ids(_), _) => (
                "a label is not a number to compute with",
                "needs numbers",
                "gives a label",
                "use `onehot[k]`, which gives R[k], or leave this off",
            ),
            (Bits | Threshold(_) | Thermometer(_) | Categories, Bits) => {
                ("these are bits already", "reads bits", "gives bits", "leave `bits` off")
            }
            (Bits | Threshold(_) | Thermometer(_) | Categories, _) => (
                "bits are not numbers to compute with",
                "needs numbers",
                "gives bits",
                "put what computes with numbers before what gives bits",
            ),
            (_, Bits) => (
                "`bits` reads 0, 1, `true` and `false` as they stand in the file",
                "reads bits",
                "has changed them already",
                "cut numbers in two with `threshold(0.5)`",
            ),
            _ => return Some(()),
        };
        self.fault(Diagnostic::error(Code::DATA_FIELD, message).at(*here, this).also(*there, other).help(help))
    }
}

/// Whether an encoding names its columns itself.
fn begins_with_columns(first: &Expr) -> bool {
    let head = if let ExprKind::Apply(head, _) = &first.kind { head } else { first };
    plain_name(head).is_some_and(|name| matches!(&*name.name, "columns" | "column"))
}

//! `columns(..) >> encoder >> ..` from the tree of a `data` item.
//!
//! In: the expression of `input` or `target`. Out: an [`Encoding`]. Invariant: a label encoder reads one column and
//! comes first, since it reads text; nothing but `flatten` follows `class`, since a label is not a number.

use super::describe::{Call, Reader};
use super::spec::{EncoderStep, Encoding, Pick};
use super::words::count;
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::{Arg, ArgValue, Expr, ExprKind};

const ENCODERS: [&str; 6] = ["standardise", "minmax", "scale", "onehot", "class", "flatten"];
const ENCODERS_LATER: [&str; 5] = ["ids", "bits", "threshold", "thermometer", "categories"];

/// The most classes a label may have; each of them has a name.
const CLASSES: usize = 1 << 20;

impl Reader<'_> {
    /// Reads `columns(..) >> encoder >> ..`.
    pub(super) fn encoding(&mut self, expr: &Expr) -> Option<Encoding> {
        let chain = match &expr.kind {
            ExprKind::Compose(chain) => chain.as_slice(),
            _ => std::slice::from_ref(expr),
        };
        let (first, rest) = chain.split_first()?;
        let columns = self.columns(first);
        let steps: Vec<_> = rest.iter().map(|e| self.step(e).map(|step| (step, e.span))).collect();
        let steps: Vec<(EncoderStep, Span)> = steps.into_iter().collect::<Option<_>>()?;
        let encoding = Encoding { columns: columns?, steps, span: expr.span };
        self.check_order(&encoding)?;
        Some(encoding)
    }

    fn columns(&mut self, expr: &Expr) -> Option<Vec<(Pick, Span)>> {
        let call = self.call(expr, "`columns(..)`")?;
        let name = &*call.name.name;
        if ENCODERS.contains(&name) || ENCODERS_LATER.contains(&name) {
            let message = format!("`{name}` has no columns to read");
            return self.unfit(message, call.name.span, format!("write `columns(..) >> {name}`"));
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
            "standardise" => plain(self, EncoderStep::Standardise),
            "minmax" => plain(self, EncoderStep::MinMax),
            "flatten" => plain(self, EncoderStep::Flatten),
            "scale" => {
                self.nothing_in(name, "[ ]", &call.dims)?;
                let [arg] = call.args.as_slice() else {
                    return self.unfit("`scale` takes one number", expr.span, "write `scale(1 / 255)`");
                };
                self.value(arg).and_then(|e| self.number(e)).map(EncoderStep::Scale)
            }
            "onehot" => self.classes(expr, &call).map(EncoderStep::OneHot),
            "class" => self.classes(expr, &call).map(EncoderStep::Class),
            "columns" | "column" => self.unfit(
                format!("`{}` can only come first", name.name),
                name.span,
                "list all columns in one `columns(..)` at the beginning",
            ),
            _ => self.unknown("encoder", name, &ENCODERS, &ENCODERS_LATER),
        }
    }

    fn classes(&mut self, expr: &Expr, call: &Call<'_>) -> Option<usize> {
        let name = call.name;
        self.nothing_in(name, "( )", &call.args)?;
        let [arg] = call.dims.as_slice() else {
            let message = format!("`{}` needs the number of classes", name.name);
            return self.unfit(message, expr.span, format!("write `{}[3]` for three classes", name.name));
        };
        let k = self.value(arg).and_then(|e| self.whole(e, 1))?;
        if k > CLASSES {
            let fault =
                Diagnostic::error(Code::LIMIT, format!("{k} classes are more than {CLASSES}, which is the limit"));
            return self.fault(fault.at(arg.span, "too many"));
        }
        Some(k)
    }

    fn check_order(&mut self, encoding: &Encoding) -> Option<()> {
        let label = |step: &EncoderStep| matches!(step, EncoderStep::OneHot(_) | EncoderStep::Class(_));
        for (at, (step, span)) in encoding.steps.iter().enumerate() {
            let before: Vec<_> = encoding.steps.iter().take(at).collect();
            if label(step)
                && let Some((_, earlier)) = before.iter().find(|(s, _)| *s != EncoderStep::Flatten)
            {
                return self.fault(
                    Diagnostic::error(Code::DATA_FIELD, "a label is read from the column as it stands in the file")
                        .at(*span, "reads labels")
                        .also(*earlier, "has changed them already")
                        .help("put `class[k]` or `onehot[k]` first"),
                );
            }
            let class = before.iter().find(|(s, _)| matches!(s, EncoderStep::Class(_)));
            if let Some((_, class)) = class.filter(|_| *step != EncoderStep::Flatten) {
                return self.fault(
                    Diagnostic::error(Code::DATA_FIELD, "a label is not a number to compute with")
                        .at(*span, "needs numbers")
                        .also(*class, "gives a label")
                        .help("use `onehot[k]`, which gives R[k], or leave this off"),
                );
            }
        }
        let width = encoding.width();
        if let (Some(width), Some((_, span))) = (width, encoding.steps.iter().find(|(s, _)| label(s)))
            && width != 1
        {
            return self.fault(
                Diagnostic::error(Code::DATA_FIELD, "a label is one column")
                    .at(*span, "reads one column")
                    .also(super::describe::reads(encoding), format!("gives {}", count(width, "column")))
                    .help("name the one column that has the label"),
            );
        }
        Some(())
    }
}

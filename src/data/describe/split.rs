//! `split` and `keep` from the tree of a `data` item.
//!
//! In: the two expressions. Out: a [`Split`] and a [`Keep`]. A whole number is rows, a fraction between 0 and 1 is a
//! share; `valid = 0` is a part that is not there (`train = 0` is a fault, not the rest). `keep` takes `class in [0, 1]`, `class(0, 1)`, `class == [0, 1]`
//! and comparisons such as `class <= 1` and `class != "b"`.

use crate::data::describe::{Call, Reader, plain_name};
use crate::data::spec::{Amount, Keep, KeepTest, KeepValue, Split, SplitKind};
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::{Arg, CompareOp, Expr, ExprKind};

pub(crate) const SPLITS: [&str; 5] = ["holdout", "stratified", "ordered", "kfold", "all"];
const PARTS: [&str; 3] = ["train", "valid", "test"];

impl Reader<'_> {
    /// Reads the field `split`.
    pub(crate) fn split(&mut self, expr: &Expr) -> Option<Split> {
        let call = self.call(expr, "a split such as `holdout(train = 0.8, test = 0.2)`")?;
        self.nothing_in(call.name, "[ ]", &call.dims)?;
        let kind = match &*call.name.name {
            "all" => self.nothing_in(call.name, "( )", &call.args).map(|()| SplitKind::All)?,
            "holdout" => self.parts(expr.span, &call, false, Some(true))?,
            "stratified" => self.parts(expr.span, &call, true, Some(true))?,
            "ordered" => self.parts(expr.span, &call, false, None)?,
            "kfold" => self.folds(expr.span, &call)?,
            _ => return self.unknown("split", call.name, &SPLITS, &[]),
        };
        Some(Split { kind, span: expr.span })
    }

    /// `shuffle` is the default of the setting, `None` when there is no such setting.
    fn parts(&mut self, span: Span, call: &Call<'_>, stratified: bool, shuffle: Option<bool>) -> Option<SplitKind> {
        let known: &[&str] = if shuffle.is_some() { &["train", "valid", "test", "shuffle"] } else { &PARTS };
        let (mut amounts, mut random, mut fine) = ([None; 3], shuffle.unwrap_or(false), true);
        for arg in &call.args {
            let Some(name) = &arg.name else {
                fine = false;
                self.unfit::<()>(
                    "the parts of a split are named",
                    arg.span,
                    "write `train = ..`, `valid = ..`, `test = ..`",
                );
                continue;
            };
            let part = PARTS.iter().position(|p| **p == *name.name);
            let read = match part.and_then(|at| amounts.get_mut(at)) {
                Some(amount) => self.amount(arg, part == Some(0)).map(|read| *amount = read),
                None if &*name.name == "shuffle" && shuffle.is_some() => {
                    self.value(arg).and_then(|e| self.truth(e)).map(|yes| random = yes)
                }
                None => self.no_setting(call.name, name, known),
            };
            fine &= read.is_some();
        }
        if fine && amounts.iter().all(Option::is_none) {
            let help = "write `train = 0.8, test = 0.2`, or `split = all`";
            return self.unfit(format!("`{}` names no part", call.name.name), span, help);
        }
        let shares: f64 = amounts.iter().flatten().map(|a| if let Amount::Share(s) = a { *s } else { 0.0 }).sum();
        if shares > 1.0 + 1e-9 {
            return self.fault(
                Diagnostic::error(Code::DATA_SPLIT, format!("the shares of this split add up to {shares}"))
                    .at(span, "more than 1")
                    .help("make the shares smaller"),
            );
        }
        fine.then_some(SplitKind::Parts { amounts, stratified, shuffle: random })
    }

    /// `training`: no rows are asked for as such, since a training part that is not named takes the rest.
    fn amount(&mut self, arg: &Arg, training: bool) -> Option<Option<Amount>> {
        let expr = self.value(arg)?;
        let n = self.number(expr)?;
        if n > 0.0 && n < 1.0 {
            return Some(Some(Amount::Share(n)));
        }
        if n.fract() == 0.0 && n >= 0.0 {
            return self.whole(expr, 0).map(|n| (n > 0 || training).then_some(Amount::Rows(n)));
        }
        self.fault(
            Diagnostic::error(Code::DATA_SPLIT, format!("{n} is neither rows nor a share"))
                .at(expr.span, format!("this is {n}"))
                .help("write a whole number of rows, or a share between 0 and 1"),
        )
    }

    fn folds(&mut self, span: Span, call: &Call<'_>) -> Option<SplitKind> {
        let (mut k, mut stratified, mut shuffle) = (None, false, true);
        for arg in &call.args {
            let expr = self.value(arg)?;
            match arg.name.as_ref().map(|n| (&*n.name, n)) {
                None | Some(("k", _)) => k = Some(self.whole(expr, 2)?),
                Some(("stratified", _)) => stratified = self.truth(expr)?,
                Some(("shuffle", _)) => shuffle = self.truth(expr)?,
                Some((_, name)) => return self.no_setting(call.name, name, &["k", "stratified", "shuffle"]),
            }
        }
        match k {
            Some(k) => Some(SplitKind::Folds { k, stratified, shuffle }),
            None => self.unfit("`kfold` needs the number of folds", span, "write `kfold(5)`"),
        }
    }

    /// Reads the field `keep`.
    pub(crate) fn keep(&mut self, expr: &Expr) -> Option<Keep> {
        const HELP: &str = "write `keep = class in [0, 1]`";
        let class = |e: &Expr| plain_name(e).is_some_and(|i| &*i.name == "class");
        match &expr.kind {
            // The parser gives `class in [..]` as a call of `in`.
            ExprKind::Apply(head, _) if plain_name(head).is_some_and(|i| &*i.name == "in") => {
                let call = self.call(expr, "`class in [0, 1]`")?;
                let [subject, list] = call.args.as_slice() else {
                    return self.unfit("`keep` chooses rows by their class", expr.span, HELP);
                };
                let (subject, list) = (self.value(subject)?, self.value(list)?);
                let items = match &list.kind {
                    ExprKind::List(items) if class(subject) => items,
                    _ => return self.unfit("`keep` chooses rows by their class", expr.span, HELP),
                };
                let values = self.keep_values(&items.iter().collect::<Vec<_>>())?;
                self.keep_of(KeepTest::In, values, expr.span)
            }
            ExprKind::Apply(head, _) if class(head) => {
                let call = self.call(expr, "`class in [0, 1]`")?;
                let args: Vec<&Arg> = call.dims.iter().chain(&call.args).copied().collect();
                let args = match args.as_slice() {
                    [one] => match self.value(one)? {
                        Expr { kind: ExprKind::List(items), .. } => items.iter().collect(),
                        _ => args,
                    },
                    _ => args,
                };
                let values = self.keep_values(&args)?;
                self.keep_of(KeepTest::In, values, expr.span)
            }
            ExprKind::Compare(parts) if class(&parts.0) => {
                let (_, op, right) = &**parts;
                if let ExprKind::List(items) = &right.kind {
                    let test = if *op == CompareOp::NotEqual { KeepTest::NotIn } else { KeepTest::In };
                    let values = self.keep_values(&items.iter().collect::<Vec<_>>())?;
                    return self.keep_of(test, values, expr.span);
                }
                let test = match op {
                    CompareOp::Less => KeepTest::Less,
                    CompareOp::LessEqual => KeepTest::LessEqual,
                    CompareOp::Greater => KeepTest::Greater,
                    CompareOp::GreaterEqual => KeepTest::GreaterEqual,
                    CompareOp::Equal => KeepTest::In,
                    CompareOp::NotEqual => KeepTest::NotIn,
                };
                let value = self.keep_value(right)?;
                if matches!(value, KeepValue::Name(_)) && !matches!(test, KeepTest::In | KeepTest::NotIn) {
                    return self.unfit("labels that are text have no order", right.span, HELP);
                }
                self.keep_of(test, vec![value], expr.span)
            }
            _ => self.unfit("`keep` chooses rows by their class", expr.span, HELP),
        }
    }

    fn keep_of(&mut self, test: KeepTest, values: Vec<KeepValue>, span: Span) -> Option<Keep> {
        if values.is_empty() {
            return self.unfit("this keeps no class", span, "name at least one class");
        }
        Some(Keep { test, values, span })
    }

    fn keep_values(&mut self, args: &[&Arg]) -> Option<Vec<KeepValue>> {
        let read: Vec<_> = args.iter().map(|arg| self.value(arg).and_then(|e| self.keep_value(e))).collect();
        read.into_iter().collect()
    }

    fn keep_value(&mut self, expr: &Expr) -> Option<KeepValue> {
        match &expr.kind {
            ExprKind::Text(name) => Some(KeepValue::Name(name.clone())),
            _ => self.number(expr).map(KeepValue::Number),
        }
    }
}

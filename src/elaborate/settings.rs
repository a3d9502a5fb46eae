//! The settings of a training run, each checked where it is written.

use super::program::{Aggregator, BatchSize, Length, Metric, Precision, RuleDiagram, Select, Settings};
use super::session::Elab;
use super::train::Fields;
use super::value::{Env, Res, fault};
use crate::object::Tangent;
use crate::source::{Code, Diagnostic, Diagnostics, Span};
use crate::syntax::ast::{Arg, ArgValue, Expr, ExprKind, GroupKind};

fn wrong<T>(e: &Expr, field: &str, needs: &str) -> Res<T> {
    fault(Diagnostic::error(Code::TRAIN_FIELD, format!("`{field}` is {needs}")).at(e.span, "not one"))
}

/// A plain or dotted word.
fn word(e: &Expr) -> Option<String> {
    match &e.kind {
        ExprKind::Path(path) => Some(path.iter().map(|p| &*p.name).collect::<Vec<_>>().join(".")),
        _ => None,
    }
}

/// `name(args)`.
fn call(e: &Expr) -> Option<(&str, &[Arg])> {
    match &e.kind {
        ExprKind::Apply(head, groups) => match (&head.kind, groups.as_slice()) {
            (ExprKind::Path(path), [group]) if group.kind == GroupKind::Args => match path.as_slice() {
                [name] => Some((&name.name, &group.args)),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// The settings of a run as the program wishes them; some defaults depend on the rule.
pub(crate) struct Wished {
    batch: Option<BatchSize>,
    length: Length,
    seed: Option<u64>,
    precision: Precision,
    shuffle: bool,
    order: Option<Vec<Vec<usize>>>,
    metrics: Vec<Metric>,
    select: Select,
    aggregator: Option<Aggregator>,
    validate: Option<usize>,
}

impl Wished {
    /// The settings with the defaults of the rule's tangent; `None` when a message was recorded.
    pub(crate) fn resolved(self, rule: &RuleDiagram, fields: &Fields<'_>, said: &mut Diagnostics) -> Option<Settings> {
        let tangent = rule.tangent;
        let aggregator = self.aggregator.unwrap_or(Aggregator::over(tangent));
        if !aggregator.fits(tangent) {
            let at = fields.get("aggregate").map_or(fields.name, |e| e.span);
            let by = match Aggregator::over(tangent) {
                Aggregator::Mean => "`mean` or `sum`",
                Aggregator::Xor => "`xor`",
                _ => "`votes`",
            };
            said.push(
                Diagnostic::error(Code::TRAIN_FIELD, format!("requests over {tangent} cannot meet in this aggregator"))
                    .at(at, "for other requests")
                    .help(format!("requests over {tangent} meet in {by}; leave `aggregate` off")),
            );
            return None;
        }
        // A request of reverse derivative ascent is made for one example (2101.10488).
        let usual = if tangent == Tangent::Parity { 1 } else { 32 };
        let batch = self.batch.unwrap_or(BatchSize::Rows(usual));
        if matches!(batch, BatchSize::Active(_)) && (self.order.is_some() || fields.get("data").is_none()) {
            let at = fields.get("batch").map_or(fields.name, |e| e.span);
            said.push(
                Diagnostic::error(
                    Code::TRAIN_FIELD,
                    "`active(k)` chooses among the examples of a data set in its order",
                )
                .at(at, "without examples, or beside `order`")
                .help("write `batch = k`"),
            );
            return None;
        }
        let Wished { length, seed, precision, shuffle, order, metrics, select, validate, .. } = self;
        Some(Settings { batch, length, seed, precision, shuffle, order, metrics, select, aggregator, validate })
    }
}

/// Every setting of a run.
pub(crate) fn settings<'p>(elab: &mut Elab<'p>, fields: &Fields<'p>, env: &Env<'p>) -> Res<Wished> {
    for key in ["rows", "monitor", "on_violation", "frozen", "schedule"] {
        if let Some(e) = fields.get(key) {
            let said: Res<()> = Elab::not_yet(&format!("`{key}`"), e.span);
            elab.keep(said);
        }
    }
    let batch = match fields.get("batch") {
        None => None,
        Some(e) => Some(match (word(e).as_deref(), call(e)) {
            (Some("all"), _) => BatchSize::All,
            (_, Some(("active", [Arg { name: None, value: ArgValue::Expr(k), .. }]))) => {
                BatchSize::Active(count(elab, k, env, "active")?)
            }
            _ => BatchSize::Rows(count(elab, e, env, "batch")?),
        }),
    };
    let length = match (fields.get("epochs"), fields.get("steps")) {
        (Some(e), None) => Length::Epochs(count(elab, e, env, "epochs")?),
        (None, Some(e)) => Length::Steps(count(elab, e, env, "steps")?),
        (Some(e), Some(s)) => {
            return fault(
                Diagnostic::error(Code::TRAIN_FIELD, "a run has `epochs` or `steps`, not both")
                    .at(s.span, "")
                    .also(e.span, ""),
            );
        }
        (None, None) => {
            return fault(
                Diagnostic::error(Code::TRAIN_FIELD, "a run needs `epochs` or `steps`")
                    .at(fields.name, "how long is it?")
                    .help("for example `epochs = 10`"),
            );
        }
    };
    let seed = match fields.get("seed") {
        None => None,
        Some(e) => {
            let x = elab.number(e, env)?;
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "checked to be whole, not negative"
            )]
            if x >= 0.0 && x.fract() == 0.0 && x <= 9.0e15 {
                Some(x as u64)
            } else {
                return wrong(e, "seed", "a whole number, not negative");
            }
        }
    };
    let precision = match fields.get("precision").map(|e| (e, word(e))) {
        None => Precision::F32,
        Some((_, Some(w))) if w == "f32" => Precision::F32,
        Some((_, Some(w))) if w == "f64" => Precision::F64,
        Some((e, _)) => return wrong(e, "precision", "f32 or f64"),
    };
    let shuffle = match fields.get("shuffle").map(|e| (e, word(e))) {
        None => true,
        Some((_, Some(w))) if w == "true" => true,
        Some((_, Some(w))) if w == "false" => false,
        Some((e, _)) => return wrong(e, "shuffle", "true or false"),
    };
    let aggregator = match fields.get("aggregate").map(|e| (e, word(e))) {
        None => None,
        Some((_, Some(w))) if w == "mean" => Some(Aggregator::Mean),
        Some((_, Some(w))) if w == "sum" => Some(Aggregator::Sum),
        Some((_, Some(w))) if w == "xor" => Some(Aggregator::Xor),
        Some((_, Some(w))) if w == "votes" => Some(Aggregator::Votes),
        Some((e, _)) => return Elab::not_yet("an aggregator other than `mean`, `sum`, `xor` and `votes`", e.span),
    };
    let order = match fields.get("order") {
        None => None,
        Some(e) => Some(order(elab, e, env)?),
    };
    let validate = match fields.get("validate") {
        None => None,
        Some(e) => match call(e) {
            Some(("every", [Arg { value: ArgValue::Expr(k), .. }])) => Some(count(elab, k, env, "every")?),
            _ => return wrong(e, "validate", "every(k)"),
        },
    };
    Ok(Wished {
        batch,
        length,
        seed,
        precision,
        shuffle,
        order,
        metrics: metrics(fields.get("metrics"))?,
        select: select(fields.get("select"))?,
        aggregator,
        validate,
    })
}

fn count<'p>(elab: &mut Elab<'p>, e: &'p Expr, env: &Env<'p>, field: &str) -> Res<usize> {
    let x = elab.number(e, env)?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be whole and positive")]
    if x >= 1.0 && x.fract() == 0.0 && x <= 9.0e15 {
        Ok(x as usize)
    } else {
        fault(
            Diagnostic::error(Code::TRAIN_FIELD, format!("`{field}` is a whole number, at least 1"))
                .at(e.span, format!("this is {x}")),
        )
    }
}

fn metrics(e: Option<&Expr>) -> Res<Vec<Metric>> {
    let Some(e) = e else { return Ok(Vec::new()) };
    let list: Vec<&Expr> = match &e.kind {
        ExprKind::List(args) => {
            args.iter().filter_map(|a| if let ArgValue::Expr(e) = &a.value { Some(e) } else { None }).collect()
        }
        _ => vec![e],
    };
    list.into_iter()
        .map(|m| match word(m).as_deref() {
            Some("accuracy") => Ok(Metric::Accuracy),
            Some("confusion_matrix") => Ok(Metric::ConfusionMatrix),
            Some("exact_match") => Ok(Metric::ExactMatch),
            Some(w @ ("perplexity" | "r2" | "top_k_accuracy")) => Elab::not_yet(&format!("the metric `{w}`"), m.span),
            _ => wrong(m, "metrics", "a list of metrics, such as [accuracy, confusion_matrix]"),
        })
        .collect()
}

fn select(e: Option<&Expr>) -> Res<Select> {
    let Some(e) = e else { return Ok(Select::Last) };
    if word(e).as_deref() == Some("last") {
        return Ok(Select::Last);
    }
    let path = match call(e) {
        Some(("best", [Arg { name: None, value: ArgValue::Expr(inner), .. }])) => word(inner),
        _ => None,
    };
    match path.as_deref().and_then(|p| p.split_once('.')) {
        Some((part @ ("train" | "valid" | "test"), metric @ ("loss" | "accuracy" | "exact_match"))) => {
            Ok(Select::Best { part: part.into(), metric: metric.into() })
        }
        _ => wrong(e, "select", "`last` or `best(valid.accuracy)`, also of `loss` and `exact_match`"),
    }
}

fn order<'p>(elab: &mut Elab<'p>, e: &'p Expr, env: &Env<'p>) -> Res<Vec<Vec<usize>>> {
    let Some(("batches", [Arg { value: ArgValue::Expr(Expr { kind: ExprKind::List(rows), .. }), .. }])) = call(e)
    else {
        return wrong(e, "order", "batches([[0, 3], [1]])");
    };
    let mut out = Vec::new();
    for row in rows {
        let ArgValue::Expr(Expr { kind: ExprKind::List(items), span }) = &row.value else {
            return wrong(e, "order", "batches([[0, 3], [1]])");
        };
        out.push(batch(elab, items, *span, env)?);
    }
    if out.is_empty() {
        return wrong(e, "order", "at least one batch");
    }
    Ok(out)
}

fn batch<'p>(elab: &mut Elab<'p>, items: &'p [Arg], span: Span, env: &Env<'p>) -> Res<Vec<usize>> {
    let mut rows = Vec::new();
    for item in items {
        let ArgValue::Expr(e) = &item.value else {
            return fault(Diagnostic::error(Code::TRAIN_FIELD, "rows are whole numbers").at(item.span, ""));
        };
        let n = super::dims::whole(elab.number(e, env)?, e.span)?;
        match usize::try_from(n) {
            Ok(n) => rows.push(n),
            Err(_) => return wrong(e, "order", "rows counted from 0"),
        }
    }
    if rows.is_empty() {
        return fault(Diagnostic::error(Code::TRAIN_FIELD, "an empty batch").at(span, "needs at least one row"));
    }
    Ok(rows)
}

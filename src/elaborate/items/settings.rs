//! The settings of a training run, each checked where it is written.

use crate::elaborate::items::listed::{listed, plain};
use crate::elaborate::items::monitors::{Monitor, OnViolation, monitors};
use crate::elaborate::items::train::Fields;
use crate::elaborate::program::{
    Aggregator, BatchSize, Length, Metric, Precision, Rows, RuleDiagram, Select, Settings,
};
use crate::elaborate::scope::names::nearest;
use crate::elaborate::session::Elab;
use crate::elaborate::typing::dims::whole;
use crate::elaborate::value::{Env, Res, fault};
use crate::object::Tangent;
use crate::source::{Code, Diagnostic, Diagnostics, Span};
use crate::syntax::ast::{Arg, ArgValue, Expr, ExprKind, GroupKind};

fn wrong<T>(e: &Expr, field: &str, needs: &str, example: &str) -> Res<T> {
    fault(
        Diagnostic::error(Code::TRAIN_FIELD, format!("`{field}` is {needs}"))
            .at(e.span, "not one")
            .help(format!("for example `{field} = {example}`")),
    )
}

fn meant<T>(e: &Expr, field: &str, needs: &str, near: &str) -> Res<T> {
    fault(
        Diagnostic::error(Code::TRAIN_FIELD, format!("`{field}` is {needs}"))
            .at(e.span, "not one")
            .help(format!("did you mean `{near}`?")),
    )
}

/// A plain or dotted word.
pub(crate) fn word(e: &Expr) -> Option<String> {
    match &e.kind {
        ExprKind::Path(path) => Some(path.iter().map(|p| &*p.name).collect::<Vec<_>>().join(".")),
        _ => None,
    }
}

/// `name(args)`.
pub(crate) fn call(e: &Expr) -> Option<(&str, &[Arg])> {
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
    rows: Rows,
    watched: (Vec<Monitor>, OnViolation),
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
        let Wished { length, seed, precision, shuffle, order, metrics, select, rows, watched, validate, .. } = self;
        let (monitors, on_violation) = watched;
        Some(Settings {
            batch,
            length,
            seed,
            precision,
            shuffle,
            order,
            metrics,
            select,
            aggregator,
            rows,
            monitors,
            on_violation,
            validate,
        })
    }
}

/// Every setting of a run; a fault in one does not hide those of the others.
pub(crate) fn settings<'p>(elab: &mut Elab<'p>, fields: &Fields<'p>, env: &Env<'p>) -> Res<Wished> {
    for key in ["schedule"] {
        if let Some(e) = fields.get(key) {
            let said: Res<()> = Elab::not_yet(&format!("`{key}`"), e.span);
            elab.keep(said);
        }
    }
    let batch = batch_size(elab, fields, env);
    let batch = elab.keep(batch);
    let length = length(elab, fields, env);
    let length = elab.keep(length);
    let seed = fields.get("seed").map_or(Ok(None), |e| seed(elab, e, env).map(Some));
    let seed = elab.keep(seed);
    let precision =
        choice(fields, "precision", "f32 or f64", Precision::F32, &[("f32", Precision::F32), ("f64", Precision::F64)]);
    let precision = elab.keep(precision);
    let shuffle = choice(fields, "shuffle", "true or false", true, &[("true", true), ("false", false)]);
    let shuffle = elab.keep(shuffle);
    let aggregator = match fields.get("aggregate").map(|e| (e, word(e))) {
        None => Ok(None),
        Some((_, Some(w))) if w == "mean" => Ok(Some(Aggregator::Mean)),
        Some((_, Some(w))) if w == "sum" => Ok(Some(Aggregator::Sum)),
        Some((_, Some(w))) if w == "xor" => Ok(Some(Aggregator::Xor)),
        Some((_, Some(w))) if w == "votes" => Ok(Some(Aggregator::Votes)),
        Some((e, _)) => Elab::not_yet("an aggregator other than `mean`, `sum`, `xor` and `votes`", e.span),
    };
    let aggregator = elab.keep(aggregator);
    let rows = rows(fields.get("rows"));
    let rows = elab.keep(rows);
    let order = fields.get("order").map_or(Ok(None), |e| order(elab, e, env).map(Some));
    let order = elab.keep(order);
    let validate = match fields.get("validate").map(|e| (e, call(e))) {
        None => Ok(None),
        Some((_, Some(("every", [Arg { name: None, value: ArgValue::Expr(k), .. }])))) => {
            count(elab, k, env, "every").map(Some)
        }
        Some((e, _)) => wrong(e, "validate", "every(k)", "every(100)"),
    };
    let validate = elab.keep(validate);
    let watched = monitors(elab, fields, env);
    let watched = elab.keep(watched);
    let metrics = metrics(elab, fields.get("metrics"), env);
    let select = select(elab, fields.get("select"), env);
    let (metrics, select) = (elab.keep(metrics), elab.keep(select));
    // What was refused has its message already.
    Ok(Wished {
        batch: batch.ok_or(None)?,
        length: length.ok_or(None)?,
        seed: seed.ok_or(None)?,
        precision: precision.ok_or(None)?,
        shuffle: shuffle.ok_or(None)?,
        order: order.ok_or(None)?,
        metrics: metrics.ok_or(None)?,
        select: select.ok_or(None)?,
        aggregator: aggregator.ok_or(None)?,
        rows: rows.ok_or(None)?,
        watched: watched.ok_or(None)?,
        validate: validate.ok_or(None)?,
    })
}

/// What the aggregator takes as its rows.
fn rows(e: Option<&Expr>) -> Res<Rows> {
    match e.map(|e| (e, word(e))) {
        None => Ok(Rows::Requests),
        Some((_, Some(w))) if w == "loss" => Ok(Rows::Losses),
        Some((e, Some(w))) if w == "example" => Elab::not_yet("`rows = example`", e.span),
        Some((e, _)) => wrong(e, "rows", "`loss` or `example`", "loss"),
    }
}

fn batch_size<'p>(elab: &mut Elab<'p>, fields: &Fields<'p>, env: &Env<'p>) -> Res<Option<BatchSize>> {
    let Some(e) = fields.get("batch") else { return Ok(None) };
    match (word(e).as_deref(), call(e)) {
        (Some("all"), _) => Ok(Some(BatchSize::All)),
        (_, Some(("active", [Arg { name: None, value: ArgValue::Expr(k), .. }]))) => {
            count(elab, k, env, "active").map(|n| Some(BatchSize::Active(n)))
        }
        (_, Some(("active", _))) => wrong(e, "batch", "a number of examples, `all`, or active(k)", "32"),
        _ => count(elab, e, env, "batch").map(|n| Some(BatchSize::Rows(n))),
    }
}

fn length<'p>(elab: &mut Elab<'p>, fields: &Fields<'p>, env: &Env<'p>) -> Res<Length> {
    match (fields.get("epochs"), fields.get("steps")) {
        (Some(e), None) => count(elab, e, env, "epochs").map(Length::Epochs),
        (None, Some(e)) => count(elab, e, env, "steps").map(Length::Steps),
        (Some(e), Some(s)) => fault(
            Diagnostic::error(Code::TRAIN_FIELD, "a run has `epochs` or `steps`, not both")
                .at(s.span, "the length in updates")
                .also(e.span, "the length in passes over the data")
                .help("keep one of the two"),
        ),
        (None, None) => fault(
            Diagnostic::error(Code::TRAIN_FIELD, "a run needs `epochs` or `steps`")
                .at(fields.name, "how long is it?")
                .help("for example `epochs = 10`"),
        ),
    }
}

/// A field that is one of some words.
fn choice<T: Copy>(fields: &Fields<'_>, key: &str, needs: &str, default: T, words: &[(&str, T)]) -> Res<T> {
    let Some(e) = fields.get(key) else { return Ok(default) };
    let said = word(e);
    match words.iter().find(|(w, _)| Some(*w) == said.as_deref()) {
        Some((_, value)) => Ok(*value),
        None => match said.and_then(|said| nearest(&said, words.iter().map(|(w, _)| *w)).map(str::to_owned)) {
            Some(near) => meant(e, key, needs, &near),
            None => wrong(e, key, needs, words.first().map_or("", |(w, _)| *w)),
        },
    }
}

/// The largest whole number up to which every one can be told from its neighbours.
const EXACT: f64 = 9_007_199_254_740_992.0;

fn seed<'p>(elab: &mut Elab<'p>, e: &'p Expr, env: &Env<'p>) -> Res<u64> {
    // Digits are read as they stand: a seed may have 64 bits, a number of the language 53.
    if let Ok(written) = elab.defs.sources.slice(e.span).replace('_', "").parse::<u64>() {
        return Ok(written);
    }
    let x = known_number(elab, e, env, "seed", "a whole number, not negative")?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be whole, not negative")]
    if x >= 0.0 && x.fract() == 0.0 && x <= EXACT {
        Ok(x as u64)
    } else {
        wrong(e, "seed", "a whole number from 0 to 18446744073709551615", "42")
    }
}

/// A number; a word that means nothing is a wrong value of the field, not an unknown wire.
fn known_number<'p>(elab: &mut Elab<'p>, e: &'p Expr, env: &Env<'p>, field: &str, needs: &str) -> Res<f64> {
    if let ExprKind::Path(path) = &e.kind
        && elab.resolve_path(path, env).is_none()
        && !matches!(path.as_slice(), [n] if &*n.name == "pi")
    {
        return wrong(e, field, needs, "10");
    }
    elab.number(e, env)
}

pub(crate) fn count<'p>(elab: &mut Elab<'p>, e: &'p Expr, env: &Env<'p>, field: &str) -> Res<usize> {
    let x = known_number(elab, e, env, field, "a whole number, at least 1")?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be whole and positive")]
    if x >= 1.0 && x.fract() == 0.0 && x <= EXACT {
        return Ok(x as usize);
    }
    let needs = if x > EXACT { "a whole number, at most 9007199254740992" } else { "a whole number, at least 1" };
    fault(
        Diagnostic::error(Code::TRAIN_FIELD, format!("`{field}` is {needs}"))
            .at(e.span, format!("this is {x}"))
            .help(format!("for example `{field} = {}`", if x > EXACT { 1000.0 } else { x.abs().ceil().max(1.0) })),
    )
}

/// The metrics by name; others take a number.
const METRICS: [&str; 5] = ["accuracy", "exact_match", "confusion_matrix", "perplexity", "r2"];

/// The message for an entry of `metrics` that is none.
fn no_metric<T>(e: &Expr) -> Res<T> {
    let said = word(e).unwrap_or_default();
    let Some(near) = nearest(&said, METRICS) else {
        return wrong(e, "metrics", "a list of metrics", &format!("[{}]", METRICS.join(", ")));
    };
    fault(
        Diagnostic::error(Code::TRAIN_FIELD, format!("there is no metric `{said}`"))
            .at(e.span, "unknown metric")
            .help(format!("did you mean `{near}`?")),
    )
}

fn metrics<'p>(elab: &mut Elab<'p>, e: Option<&'p Expr>, env: &Env<'p>) -> Res<Vec<Metric>> {
    let Some(e) = e else { return Ok(Vec::new()) };
    listed(e, "metrics")?
        .into_iter()
        .map(|m| match metric(elab, m, env)? {
            Some((None, metric)) => Ok(metric),
            _ => no_metric(m),
        })
        .collect()
}

/// A metric, perhaps of a part of the data: `accuracy`, `valid.top_k_accuracy(5)`.
pub(crate) fn metric<'p>(elab: &mut Elab<'p>, e: &'p Expr, env: &Env<'p>) -> Res<Option<(Option<&'p str>, Metric)>> {
    let (path, args): (&'p [_], &'p [Arg]) = match &e.kind {
        ExprKind::Path(path) => (path, &[]),
        ExprKind::Apply(head, groups) => match (&head.kind, groups.as_slice()) {
            (ExprKind::Path(path), [group]) if group.kind == GroupKind::Args => (path, &group.args),
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    let (part, name) = match path {
        [name] => (None, name),
        [part, name] => (Some(&*part.name), name),
        _ => return Ok(None),
    };
    let found = match &*name.name {
        "accuracy" => Metric::Accuracy,
        "confusion_matrix" => Metric::ConfusionMatrix,
        "exact_match" => Metric::ExactMatch,
        "perplexity" => Metric::Perplexity,
        "r2" => Metric::R2,
        "top_k_accuracy" => {
            let [Arg { name: None, value: ArgValue::Expr(k), .. }] = args else {
                return fault(
                    Diagnostic::error(Code::TRAIN_FIELD, "`top_k_accuracy` needs its k")
                        .at(e.span, "among how many?")
                        .help("for example `top_k_accuracy(5)`"),
                );
            };
            return Ok(Some((part, Metric::TopKAccuracy(count(elab, k, env, "top_k_accuracy")?))));
        }
        _ => return Ok(None),
    };
    Ok(args.is_empty().then_some((part, found)))
}

fn select<'p>(elab: &mut Elab<'p>, e: Option<&'p Expr>, env: &Env<'p>) -> Res<Select> {
    let Some(e) = e else { return Ok(Select::Last) };
    if word(e).as_deref() == Some("last") {
        return Ok(Select::Last);
    }
    if let Some(("best", [Arg { name: None, value: ArgValue::Expr(inner), .. }])) = call(e) {
        let found = match word(inner).as_deref().and_then(|w| w.split_once('.')) {
            Some((part, "loss")) => Some((part.to_owned(), None)),
            _ => match metric(elab, inner, env)? {
                Some((Some(part), metric)) if metric != Metric::ConfusionMatrix => {
                    Some((part.to_owned(), Some(metric)))
                }
                _ => None,
            },
        };
        if let Some((part, metric)) = found
            && matches!(&*part, "train" | "valid" | "test")
        {
            return Ok(Select::Best { part: part.as_str().into(), metric });
        }
    }
    wrong(e, "select", "`last`, or `best` of a part and a metric of it", "best(valid.accuracy)")
}

fn order<'p>(elab: &mut Elab<'p>, e: &'p Expr, env: &Env<'p>) -> Res<Vec<Vec<usize>>> {
    let Some(("batches", [Arg { name: None, value: ArgValue::Expr(Expr { kind: ExprKind::List(rows), .. }), .. }])) =
        call(e)
    else {
        return wrong(e, "order", "a list of batches of rows", "batches([[0, 3], [1]])");
    };
    let mut out = Vec::new();
    for row in plain(rows, "batches")? {
        let ExprKind::List(items) = &row.kind else {
            return wrong(e, "order", "a list of batches of rows", "batches([[0, 3], [1]])");
        };
        out.push(batch(elab, items, row.span, env)?);
    }
    if out.is_empty() {
        return wrong(e, "order", "at least one batch", "batches([[0, 3], [1]])");
    }
    Ok(out)
}

fn batch<'p>(elab: &mut Elab<'p>, items: &'p [Arg], span: Span, env: &Env<'p>) -> Res<Vec<usize>> {
    let mut rows = Vec::new();
    for e in plain(items, "batches")? {
        let n = whole(elab.number(e, env)?, e.span)?;
        match usize::try_from(n) {
            Ok(n) => rows.push(n),
            Err(_) => return wrong(e, "order", "rows counted from 0", "batches([[0, 3], [1]])"),
        }
    }
    if rows.is_empty() {
        return fault(
            Diagnostic::error(Code::TRAIN_FIELD, "an empty batch")
                .at(span, "needs at least one row")
                .help("remove the brackets, or name a row in them"),
        );
    }
    Ok(rows)
}

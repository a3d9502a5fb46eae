//! What a finished run is told as: metrics of each part, means and spreads over folds, a table or a line of JSON.

use super::folder::Folder;
use super::observe::{amount, metrics_json, told};
use super::plot::{Point, curve};
use super::terminal::{answer, braille, live, note, width};
use super::{End, Shared};
use catlearn::data::Parts;
use catlearn::run::{Float, Learner, Metrics, Outcome};
use catlearn::source::{Code, Diagnostic};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// The keys of an object of metrics that are single numbers, the loss first; not their spreads over folds.
fn numbers(m: &Value) -> Vec<(&str, f64)> {
    let all = m.as_object().into_iter().flatten();
    let mut found: Vec<(&str, f64)> = all.filter_map(|(key, x)| Some((key.as_str(), x.as_f64()?))).collect();
    found.retain(|(key, _)| key.strip_suffix("_sd").is_none_or(|of| m.get(of).is_none()));
    found.sort_by_key(|(key, _)| !key.starts_with("loss"));
    found
}

/// What one run gave.
pub(super) struct Measured {
    pub(super) metrics: Map<String, Value>,
    pub(super) selected: Value,
    pub(super) steps: usize,
    pub(super) epochs: usize,
    pub(super) seconds: f64,
    pub(super) samples: usize,
    pub(super) interrupted: bool,
    /// Ended by a violated proposition.
    pub(super) stopped: bool,
    pub(super) failed: bool,
    /// What became of the propositions about it.
    pub(super) verdicts: Vec<Value>,
}

/// Metrics of the state a learner is in, on every part that has rows.
pub(super) fn on_parts<T: Float>(learner: &mut Learner<T>, rows: &Parts) -> Result<Map<String, Value>, Diagnostic> {
    let mut out = Map::new();
    // A run without data has its loss all the same.
    let nothing = *rows == Parts::default();
    for (name, part) in [("train", &rows.train), ("valid", &rows.valid), ("test", &rows.test)] {
        if !part.is_empty() || (name == "train" && nothing) {
            let m: Metrics = learner.metrics(part)?;
            out.insert(name.to_owned(), metrics_json(&m));
        }
    }
    Ok(out)
}

/// Metrics of the last state on every part, and of the selected one.
pub(super) fn measure<T: Float>(
    learner: &mut Learner<T>,
    rows: &Parts,
    outcome: &Outcome<T>,
) -> Result<(Map<String, Value>, Value), Diagnostic> {
    let last = on_parts(learner, rows)?;
    let selected = match &outcome.best {
        None => json!({"step": learner.updates(), "metrics": Value::Object(last.clone())}),
        Some(best) => {
            let (params, states, updates) = (learner.params().to_vec(), learner.states().to_vec(), learner.updates());
            learner.restore(best.params.clone(), best.states.clone(), best.step);
            let found = on_parts(learner, rows);
            learner.restore(params, states, updates);
            json!({"step": best.step, "metrics": Value::Object(found?)})
        }
    };
    Ok((last, selected))
}

/// The key of the table of true and predicted classes.
const CONFUSION: &str = "confusion_matrix";

/// Two tables of counts entry by entry.
fn added(a: &Value, b: &Value) -> Value {
    match (a, b) {
        (Value::Array(x), Value::Array(y)) => x.iter().zip(y).map(|(x, y)| added(x, y)).collect(),
        _ => json!(a.as_u64().unwrap_or(0) + b.as_u64().unwrap_or(0)),
    }
}

/// Mean and spread over folds; `null` when a fold's number is not finite, and that fold stays in the list.
pub(super) fn mean_of(all: &[Measured]) -> Measured {
    let gather = |pick: &dyn Fn(&Measured) -> Map<String, Value>| -> Map<String, Value> {
        let mut sums: BTreeMap<(String, String), Vec<f64>> = BTreeMap::new();
        for r in all {
            for (part, m) in pick(r) {
                for (key, value) in m.as_object().into_iter().flatten() {
                    // JSON has no other word for a number that is not finite.
                    let number = if value.is_null() { Some(f64::NAN) } else { value.as_f64() };
                    if let Some(x) = number {
                        sums.entry((part.clone(), key.clone())).or_default().push(x);
                    }
                }
            }
        }
        let mut out: Map<String, Value> = Map::new();
        // Every row is held out once, so the tables of the folds add up to one of all rows.
        for (part, m) in all.iter().flat_map(pick) {
            let (Some(rows), entry) = (m.get(CONFUSION), out.entry(part).or_insert_with(|| json!({}))) else {
                continue;
            };
            if let Value::Object(entry) = entry {
                let sum = entry.get(CONFUSION).map_or_else(|| rows.clone(), |before| added(before, rows));
                entry.insert(CONFUSION.to_owned(), sum);
            }
        }
        for ((part, key), xs) in sums {
            #[allow(clippy::cast_precision_loss, reason = "a count of folds")]
            let n = xs.len() as f64;
            let mean = xs.iter().sum::<f64>() / n;
            let spread = (xs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0)).sqrt();
            let entry = out.entry(part).or_insert_with(|| json!({}));
            if let Value::Object(m) = entry {
                m.insert(key.clone(), json!(mean));
                m.insert(format!("{key}_sd"), json!(spread));
                m.insert(format!("{key}_folds"), json!(xs));
            }
        }
        out
    };
    let selected = gather(&|r| r.selected.get("metrics").and_then(Value::as_object).cloned().unwrap_or_default());
    Measured {
        metrics: gather(&|r| r.metrics.clone()),
        selected: json!({"metrics": selected}),
        steps: all.iter().map(|r| r.steps).sum(),
        epochs: all.iter().map(|r| r.epochs).max().unwrap_or(0),
        seconds: all.iter().map(|r| r.seconds).sum(),
        samples: all.iter().map(|r| r.samples).sum(),
        interrupted: all.iter().any(|r| r.interrupted),
        stopped: all.iter().any(|r| r.stopped),
        failed: all.iter().any(|r| r.failed),
        verdicts: all
            .iter()
            .enumerate()
            .flat_map(|(fold, r)| r.verdicts.iter().map(move |v| of_fold(fold, v)))
            .collect(),
    }
}

/// A verdict with its fold.
fn of_fold(fold: usize, verdict: &Value) -> Value {
    let mut verdict = verdict.clone();
    if let Value::Object(v) = &mut verdict {
        v.insert("fold".to_owned(), json!(fold));
    }
    verdict
}

/// A warning for each number of a mean that a fold makes infinite or no number.
pub(super) fn not_finite(mean: &Measured) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for (part, m) in &mean.metrics {
        for (key, value) in m.as_object().into_iter().flatten() {
            let bad = value.as_array().map_or(0, |folds| folds.iter().filter(|x| x.is_null()).count());
            if let (Some(key), 1..) = (key.strip_suffix("_folds"), bad) {
                out.push(
                    Diagnostic::warning(Code::RUN_NOT_FINITE, format!("the {part} {key} has no mean over the folds"))
                        .note(format!("it is infinite or no number in {bad} of them")),
                );
            }
        }
    }
    out
}

/// A finished run as one line of JSON.
pub(super) fn line(r: &Measured, folder: &Path, seed: u64) -> Value {
    #[allow(clippy::cast_precision_loss, reason = "a count of samples")]
    let rate = if r.seconds > 0.0 { r.samples as f64 / r.seconds } else { 0.0 };
    let mut line = json!({
        "run": folder.display().to_string(), "seed": seed, "epochs": r.epochs, "steps": r.steps,
        "train_s": r.seconds, "samples_per_s": rate, "metrics": r.metrics, "selected": r.selected,
    });
    if let (Value::Object(line), false) = (&mut line, r.verdicts.is_empty()) {
        line.insert("monitors".to_owned(), json!(r.verdicts));
    }
    line
}

/// On a terminal: how the loss went, from the folder's own lines, so that a resumed run shows all of it.
pub(super) fn show_curve(folder: &Folder, shared: &Shared) {
    if !live(shared) {
        return;
    }
    let bytes = folder.read_if_there("metrics.jsonl").ok().flatten().unwrap_or_default();
    let lines: Vec<Value> = bytes.split(|b| *b == b'\n').filter_map(|l| serde_json::from_slice(l).ok()).collect();
    let point = |l: &Value| Some((l.get("step")?.as_f64()?, l.get("loss")?.as_f64()?));
    for split in ["train", "valid"] {
        let of = lines.iter().filter(|l| l.get("split").and_then(Value::as_str) == Some(split));
        let points: Vec<Point> = of.filter_map(point).collect();
        for line in curve(&points, &format!("{split} loss"), width(), braille()) {
            note(shared, &line);
        }
    }
}

/// Metrics as lines: one a part, then the table of classes.
pub(super) fn table(metrics: &Map<String, Value>) -> Vec<String> {
    let (parts, confusion) = split_table(metrics);
    [parts, confusion].concat()
}

fn split_table(metrics: &Map<String, Value>) -> (Vec<String>, Vec<String>) {
    let (mut parts, mut confusion) = (Vec::new(), Vec::new());
    for (part, m) in metrics {
        let mut text = format!("{part:>5}");
        for (key, value) in numbers(m) {
            text.push_str(&format!("  {}", told(key, value)));
            let spread = m.get(format!("{key}_sd")).and_then(Value::as_f64);
            if let Some(sd) = spread.filter(|_| !key.starts_with("loss")) {
                text.push_str(&format!("  (sd {} over folds)", amount(key, sd)));
            }
        }
        parts.push(text);
    }
    let part = ["test", "data", "train", "valid"].into_iter().find(|p| metrics.contains_key(*p)).unwrap_or("train");
    if let Some(Value::Array(rows)) = metrics.get(part).and_then(|m| m.get(CONFUSION)) {
        confusion.push(format!("confusion of {part} (rows: true class, columns: predicted)"));
        for row in rows {
            let cells: Vec<String> =
                row.as_array().into_iter().flatten().map(|c| format!("{:>6}", c.to_string())).collect();
            confusion.push(cells.concat());
        }
    }
    (parts, confusion)
}

/// Writes the answer.
pub(super) fn tell(r: &Measured, line: &Value, folder: &Path, shared: &Shared) -> Result<(), End> {
    if shared.json() {
        return answer(&line.to_string());
    }
    let (parts, confusion) = split_table(&r.metrics);
    for line in parts {
        answer(&line)?;
    }
    if let Some(step) = r.selected.get("step").and_then(Value::as_u64)
        && step != r.steps as u64
    {
        let test = r.selected.pointer("/metrics/test").map(numbers).unwrap_or_default();
        let shown = test.into_iter().filter(|(key, _)| !key.starts_with("loss"));
        let test: String = shown.map(|(key, value)| format!(", test {}", told(key, value))).collect();
        answer(&format!("selected: step {step}{test}"))?;
    }
    for line in confusion {
        answer(&line)?;
    }
    note(shared, &format!("{} steps in {:.2} s; the run is in {}", r.steps, r.seconds, folder.display()));
    Ok(())
}

//! What a finished run is told as: metrics of each part, means and spreads over folds.

use super::observe::metrics_json;
use catlearn::data::Parts;
use catlearn::run::{Float, Learner, Metrics};
use catlearn::source::Diagnostic;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What one run gave.
pub(super) struct Measured {
    pub(super) metrics: Map<String, Value>,
    pub(super) selected: Value,
    pub(super) steps: usize,
    pub(super) epochs: usize,
    pub(super) seconds: f64,
    pub(super) samples: usize,
    pub(super) interrupted: bool,
    pub(super) failed: bool,
}

/// Metrics of the state a learner is in, on every part that has rows.
pub(super) fn on_parts<T: Float>(learner: &mut Learner<T>, rows: &Parts) -> Result<Map<String, Value>, Diagnostic> {
    let mut out = Map::new();
    let nothing = rows.train.is_empty();
    for (name, part) in [("train", &rows.train), ("valid", &rows.valid), ("test", &rows.test)] {
        if !part.is_empty() || (name == "train" && nothing) {
            let m: Metrics = learner.metrics(part)?;
            out.insert(name.to_owned(), metrics_json(&m));
        }
    }
    Ok(out)
}

/// Mean and spread over folds.
pub(super) fn mean_of(all: &[Measured]) -> Measured {
    let gather = |pick: &dyn Fn(&Measured) -> Map<String, Value>| -> Map<String, Value> {
        let mut sums: BTreeMap<(String, String), Vec<f64>> = BTreeMap::new();
        for r in all {
            for (part, m) in pick(r) {
                for (key, value) in m.as_object().into_iter().flatten() {
                    if let Some(x) = value.as_f64() {
                        sums.entry((part.clone(), key.clone())).or_default().push(x);
                    }
                }
            }
        }
        let mut out: Map<String, Value> = Map::new();
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
        failed: all.iter().any(|r| r.failed),
    }
}

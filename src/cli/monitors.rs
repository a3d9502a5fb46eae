//! What became of the propositions about a run, for `run.json` and for people.

use catlearn::elaborate::{Monitor, OnViolation};
use catlearn::run::{Verdict, Watch, Witness};
use catlearn::source::{Code, Diagnostic};
use serde_json::{Map, Value, json};

/// A proposition, its verdict, how many moments were judged, the one that decided.
type Told<'a> = (&'a Monitor, Verdict, usize, Option<&'a Witness>);

/// The verdicts for `run.json`.
pub(super) fn verdicts(monitors: &[Monitor], watch: &Watch) -> Vec<Value> {
    let each = watch.verdicts(monitors).map(|(monitor, verdict, judged, witness)| {
        let looked = if monitor.reports { "reports" } else { "steps" };
        let mut line = json!({"proposition": &*monitor.text, "verdict": verdict.word(), looked: judged});
        if let (Value::Object(line), Some(witness)) = (&mut line, witness) {
            // JSON has no word for a number that is not finite.
            let number = |x: f64| if x.is_finite() { json!(x) } else { json!(x.to_string()) };
            let values: Map<String, Value> =
                witness.numbers(monitor).into_iter().map(|(name, x)| (name, number(x))).collect();
            line.insert("step".to_owned(), json!(witness.step));
            line.insert("values".to_owned(), Value::Object(values));
        }
        line
    });
    each.collect()
}

fn numbers(monitor: &Monitor, witness: &Witness) -> String {
    let named = witness.numbers(monitor).into_iter().map(|(name, x)| format!("{name} = {x}"));
    named.collect::<Vec<_>>().join(", ")
}

/// The message for a violated proposition: an error where it ends the run.
pub(super) fn violation((monitor, verdict, _, witness): &Told<'_>, on: OnViolation) -> Option<Diagnostic> {
    let witness = witness.filter(|_| *verdict == Verdict::Violated)?;
    let what = format!("`{}` does not hold at update {}", monitor.text, witness.step);
    let d = match on {
        OnViolation::Stop => Diagnostic::error(Code::MONITOR, what).help("`on_violation = report` lets the run go on"),
        OnViolation::Report => Diagnostic::warning(Code::MONITOR, what),
    };
    Some(d.at(monitor.span, numbers(monitor, witness)))
}

/// What became of one that is not violated.
pub(super) fn sentence((monitor, verdict, judged, witness): &Told<'_>) -> String {
    let looked = if monitor.reports { "reports" } else { "steps" };
    match (verdict, witness) {
        (Verdict::Reached, Some(w)) => {
            format!("{}: reached at update {} ({})", monitor.text, w.step, numbers(monitor, w))
        }
        (Verdict::Open, _) => format!("{}: not reached in {judged} {looked}", monitor.text),
        _ => format!("{}: held at {judged} {looked}", monitor.text),
    }
}

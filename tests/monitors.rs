//! Propositions about runs: their verdicts against the losses of a trace, what ends a run, and resuming.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests read files and the environment")]

mod commands;

use commands::{catlearn, ends, folder, json, last, text};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Gradient descent on x^2 from 1 shrinks by |1 - 2 lr| a step: below lr = 1 it descends, above it climbs.
fn descent(dir: &Path, lr: &str, fields: &str) -> PathBuf {
    let path = dir.join("d.lens");
    let program = format!(
        "model q {{x: R[1] ~ ones}} : () -> R[1] () {{ x * x }}
         train d {{ objective = q, optimiser = gd(lr = {lr}), steps = 30, precision = f64, seed = 1, {fields} }}\n"
    );
    fs::write(&path, program).unwrap();
    path
}

fn verdicts(run: &Path) -> Vec<Value> {
    json(&run.join("run.json"))["result"]["monitors"].as_array().unwrap().clone()
}

#[test]
fn verdicts_are_those_of_the_trace() {
    let dir = folder("monitor-verdicts");
    let claims = "monitor = [always(finite(loss)), always(next(loss) <= loss), eventually(loss < 0.01), eventually(loss > 2),
        always((next(next(loss)) < loss) | (loss < 1e-9)), always((loss >= 0) & !(loss > 1)), eventually(next(loss) / loss < 0.5)]";
    for (lr, descends) in [("0.1", true), ("1.1", false)] {
        let file = descent(&dir, lr, claims);
        let run = dir.join(lr);
        let (_, said) = ends(&catlearn(&["train", text(&file), "--out", text(&run)]), 0);
        let (trace, _) = ends(&catlearn(&["trace", text(&file), "--steps", "29"]), 0);
        let losses: Vec<f64> =
            trace.lines().map(|l| serde_json::from_str::<Value>(l).unwrap()["loss"].as_f64().unwrap()).collect();
        assert_eq!(losses.len(), 30);
        // The first update, counted from 1, that a window of moments decides.
        let first = |ahead: usize, decides: &dyn Fn(&[f64]) -> bool| {
            losses.windows(ahead + 1).position(decides).map(|i| i as u64 + 1)
        };
        let wanted = [
            ("held", "violated", first(0, &|w| !w[0].is_finite())),
            ("held", "violated", first(1, &|w| w[1] > w[0])),
            ("open", "reached", first(0, &|w| w[0] < 0.01)),
            ("open", "reached", first(0, &|w| w[0] > 2.0)),
            ("held", "violated", first(2, &|w| !(w[2] < w[0] || w[0] < 1e-9))),
            ("held", "violated", first(0, &|w| !(w[0] >= 0.0 && w[0] <= 1.0))),
            ("open", "reached", first(1, &|w| w[1] / w[0] < 0.5)),
        ];
        let told = verdicts(&run);
        assert_eq!(told.len(), wanted.len());
        for (told, (without, with, step)) in told.iter().zip(&wanted) {
            assert_eq!(told["verdict"], if step.is_some() { *with } else { *without }, "lr {lr}: {told}");
            assert_eq!(told["step"].as_u64(), *step, "lr {lr}: {told}");
        }
        assert_eq!(told[0]["steps"], 30);
        assert_eq!(wanted[1].2.is_none(), descends);
        if descends {
            assert_eq!(told[1]["steps"], 29, "the last step has no next");
            assert!(said.contains("always(next(loss) <= loss): held at 29 steps"), "{said}");
        } else {
            assert_eq!(told[1]["values"]["loss"].as_f64(), Some(losses[0]));
            assert_eq!(told[1]["values"]["next(loss)"].as_f64(), Some(losses[1]));
            assert!(said.contains("warning[E0510]") && said.contains("does not hold at update 1"), "{said}");
        }
    }
}

#[test]
fn a_violation_stops_the_run_if_it_is_told_to() {
    let dir = folder("monitor-stop");
    let file =
        descent(&dir, "cosine_restarts(from = 1.2, every = 9)", "on_violation = stop, monitor = always(loss < 3)");
    let run = dir.join("run");
    let (_, said) = ends(&catlearn(&["train", text(&file), "--out", text(&run)]), 1);
    assert!(said.contains("error[E0510]") && said.contains("`always(loss < 3)` does not hold at update"), "{said}");
    let record = json(&run.join("run.json"));
    assert_eq!(record["status"], "stopped");
    assert_eq!(record["result"]["steps"], verdicts(&run)[0]["step"]);
    assert!(record["result"]["steps"].as_u64().unwrap() < 30);
    let kept = last(&run);
    // It is not gone on with: the unbroken run ends there too.
    ends(&catlearn(&["train", "--resume", text(&run)]), 1);
    assert_eq!(last(&run), kept);
    // The same proposition as a report lets the run go on.
    let whole = dir.join("whole");
    ends(&catlearn(&["train", text(&file), "--out", text(&whole), "--set", "on_violation=report"]), 0);
    assert_eq!(json(&whole.join("run.json"))["result"]["steps"], 30);
}

#[test]
fn a_loss_that_is_no_number_is_seen_before_it_ends_the_run() {
    let dir = folder("monitor-finite");
    let file = descent(&dir, "1e200", "monitor = [always(finite(loss))]");
    let run = dir.join("run");
    let (_, said) = ends(&catlearn(&["train", text(&file), "--out", text(&run)]), 1);
    assert!(said.contains("E0801") && said.contains("E0510"), "{said}");
    assert_eq!(verdicts(&run)[0]["verdict"], "violated");
}

#[test]
fn a_resumed_run_has_the_verdicts_of_the_unbroken_one() {
    let dir = folder("monitor-resume");
    let file = dir.join("p.lens");
    let program = "data p { source = inline([[1, 2], [2, 4], [3, 6], [4, 8], [5, 10], [6, 13], [7, 13], [8, 17]]), input = columns(0),
             target = columns(1), split = holdout(train = 0.6, valid = 0.2, test = 0.2) }
         model lin {W: R[1, 1] ~ normal(1)} : R[1] -> R[1] (x) { W @ x }
         train t { data = p, model = lin, loss = [mse, mae], batch = 2, optimiser = adam(lr = 0.05), steps = 40, validate = every(3), seed = 3
             metrics = [r2], select = best(valid.r2)
             monitor = [always(next(loss.mae) <= loss.mae + 0.5), always(next(next(loss)) <= 4 * loss), eventually(valid.r2 >= 0.9),
                 always(next(valid.loss) <= valid.loss), eventually((test.r2 > 0.5) & (loss < 1)), eventually(train.loss < 1e-6)] }\n";
    fs::write(&file, program).unwrap();
    let whole = dir.join("whole");
    ends(&catlearn(&["train", text(&file), "--out", text(&whole)]), 0);
    let told = verdicts(&whole);
    let words: Vec<&str> = told.iter().map(|v| v["verdict"].as_str().unwrap()).collect();
    assert!(words.contains(&"reached") && words.contains(&"open") && words.contains(&"violated"), "{words:?}");
    for stop in ["1", "2", "7", "20", "39", "40"] {
        let broken = dir.join(format!("broken-{stop}"));
        ends(&catlearn(&["train", text(&file), "--out", text(&broken), "--stop-after", stop]), 130);
        ends(&catlearn(&["train", "--resume", text(&broken)]), 0);
        assert_eq!(verdicts(&broken), told, "after {stop}");
        assert_eq!(last(&broken), last(&whole), "after {stop}");
    }
    // Other propositions are another run.
    let broken = dir.join("other");
    ends(&catlearn(&["train", text(&file), "--out", text(&broken), "--stop-after", "5"]), 130);
    fs::write(&file, program.replace("loss.mae + 0.5", "loss.mae + 0.6")).unwrap();
    let (_, said) = ends(&catlearn(&["train", "--resume", text(&broken)]), 1);
    assert!(said.contains("E0802"), "{said}");
}

#[test]
fn a_metric_that_is_watched_is_computed_and_folds_have_their_own_verdicts() {
    let dir = folder("monitor-folds");
    let file = dir.join("p.lens");
    let program = "data p { source = inline([[1, 2], [2, 4], [3, 6], [4, 8], [5, 10], [6, 13]]), input = columns(0), target = columns(1), split = kfold(3) }
         model lin {W: R[1, 1] ~ normal(1)} : R[1] -> R[1] (x) { W @ x }
         train t { data = p, model = lin, loss = mse, optimiser = gd(lr = 0.01), epochs = 9, seed = 3, monitor = [eventually(test.r2 > 2)] }\n";
    fs::write(&file, program).unwrap();
    let run = dir.join("run");
    ends(&catlearn(&["train", text(&file), "--out", text(&run)]), 0);
    let told = verdicts(&run);
    let folds: Vec<u64> = told.iter().map(|v| v["fold"].as_u64().unwrap()).collect();
    assert_eq!(folds, [0, 1, 2]);
    assert!(told.iter().all(|v| v["verdict"] == "open" && v["reports"] == 9), "{told:?}");
    assert!(json(&run.join("run.json"))["result"]["metrics"]["test"]["r2"].is_f64());
}

#[test]
fn a_product_of_any_length_is_judged_from_the_left() {
    let dir = folder("monitor-product");
    let long = "loss".to_owned() + &" / 2 * 2".repeat(100_000);
    let file = descent(&dir, "0.1", &format!("monitor = [always({long} == loss), always(8 / 4 / 2 == 1)]"));
    let (_, said) = ends(&catlearn(&["train", text(&file), "--out", text(&dir.join("bad"))]), 1);
    assert!(said.contains("looks at nothing"), "{said}");
    let file = descent(&dir, "0.1", &format!("monitor = [always({long} == loss), always(8 / 4 / 2 * loss == loss)]"));
    let run = dir.join("run");
    ends(&catlearn(&["train", text(&file), "--out", text(&run)]), 0);
    assert!(verdicts(&run).iter().all(|v| v["verdict"] == "held"));
}

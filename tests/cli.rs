//! Whole commands: what they print, what they leave behind, how they end.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests read files and the environment")]

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn catlearn(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_catlearn")).args(args).env_remove("CATLEARN_DATA").output().unwrap()
}

/// An empty folder under the target folder.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _absent = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

fn out(o: &Output) -> String {
    String::from_utf8(o.stdout.clone()).unwrap()
}

fn err(o: &Output) -> String {
    String::from_utf8(o.stderr.clone()).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn iris_trains_and_leaves_a_run_folder() {
    let run = folder("iris");
    let o = catlearn(&["train", "examples/iris.lens", "--out", text(&run), "--format", "json"]);
    assert!(o.status.success(), "{}", err(&o));
    let line: Value = serde_json::from_str(&out(&o)).unwrap();
    assert_eq!(line["epochs"], 50);
    assert_eq!(line["steps"], 400);
    assert_eq!(line["seed"], 42);
    assert!(line["metrics"]["test"]["accuracy"].as_f64().unwrap() >= 0.9, "{line}");
    assert!(line["selected"]["metrics"]["test"]["loss"].is_f64());
    for file in ["run.json", "model.lens", "config.toml", "metrics.jsonl", "checkpoint/last.safetensors"] {
        assert!(run.join(file).is_file(), "{file}");
    }
    let record: Value = serde_json::from_str(&fs::read_to_string(run.join("run.json")).unwrap()).unwrap();
    assert_eq!(record["status"], "finished");
    assert_eq!(record["data"][0]["name"], "data/iris.csv");
    let metrics = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    assert_eq!(metrics.lines().count(), 50);
    for line in metrics.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(line["loss"].is_f64() && line["wall_s"].is_f64() && line["split"] == "train");
    }
    // Never overwrites.
    let again = catlearn(&["train", "examples/iris.lens", "--out", text(&run)]);
    assert_eq!(again.status.code(), Some(2), "{}", err(&again));
    assert!(err(&again).contains("E0803"));
}

#[test]
fn a_resumed_run_has_the_bits_of_the_unbroken_one() {
    let (whole, broken) = (folder("whole"), folder("broken"));
    let set = ["--set", "epochs=6", "--set", "select=best(train.accuracy)"];
    let mut args = vec!["-q", "train", "examples/iris.lens", "--out", text(&whole)];
    args.extend(set);
    assert!(catlearn(&args).status.success());
    let mut args = vec!["train", "examples/iris.lens", "--out", text(&broken), "--stop-after", "19"];
    args.extend(set);
    let stopped = catlearn(&args);
    assert_eq!(stopped.status.code(), Some(130), "{}", err(&stopped));
    assert!(err(&stopped).contains("--resume"));
    let resumed = catlearn(&["train", "--resume", text(&broken)]);
    assert!(resumed.status.success(), "{}", err(&resumed));
    for file in ["checkpoint/last.safetensors", "checkpoint/best.safetensors"] {
        let (a, b) = (fs::read(whole.join(file)).unwrap(), fs::read(broken.join(file)).unwrap());
        assert_eq!(tensors(&a), tensors(&b), "{file}");
        assert_eq!(a, b, "{file}: the same bytes, metadata too");
    }
    // The losses written down are the same, the interrupted epoch's among them.
    let losses = |run: &Path| -> Vec<f64> {
        let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
        text.lines().map(|l| serde_json::from_str::<Value>(l).unwrap()["loss"].as_f64().unwrap()).collect()
    };
    assert_eq!(losses(&whole), losses(&broken));
}

#[test]
fn an_interrupted_run_over_folds_goes_on() {
    let dir = folder("folds-resumed");
    let data = fs::canonicalize("examples").unwrap();
    let text_of = fs::read_to_string("examples/iris.lens").unwrap();
    let program = dir.join("folds.lens");
    fs::write(
        &program,
        text_of.replace("stratified(train = 0.8, test = 0.2)", "kfold(3)").replace("epochs    = 50", "epochs = 3"),
    )
    .unwrap();
    let run = dir.join("out");
    let o = catlearn(&["train", text(&program), "--data-dir", text(&data), "--out", text(&run), "--stop-after", "5"]);
    assert_eq!(o.status.code(), Some(130), "{}", err(&o));
    let o = catlearn(&["train", "--resume", text(&run), "--data-dir", text(&data), "--format", "json"]);
    assert!(o.status.success(), "{}", err(&o));
    let line: Value = serde_json::from_str(&out(&o)).unwrap();
    assert_eq!(line["metrics"]["test"]["accuracy_folds"].as_array().unwrap().len(), 3);
}

#[test]
fn a_run_does_not_go_on_with_other_data() {
    let dir = folder("other-data");
    fs::create_dir_all(dir.join("data")).unwrap();
    fs::copy("examples/iris.lens", dir.join("iris.lens")).unwrap();
    let csv = fs::read_to_string("examples/data/iris.csv").unwrap();
    fs::write(dir.join("data/iris.csv"), &csv).unwrap();
    let (program, run) = (dir.join("iris.lens"), dir.join("out"));
    let o = catlearn(&["train", text(&program), "--out", text(&run), "--stop-after", "5"]);
    assert_eq!(o.status.code(), Some(130), "{}", err(&o));
    fs::write(dir.join("data/iris.csv"), csv.replacen("5.1", "5.2", 1)).unwrap();
    let o = catlearn(&["train", "--resume", text(&run)]);
    assert_eq!(o.status.code(), Some(1));
    assert!(err(&o).contains("not what this run was started with"), "{}", err(&o));
}

/// Names and bytes of a safetensors file, metadata left out.
fn tensors(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let file = safetensors::SafeTensors::deserialize(bytes).unwrap();
    let mut all: Vec<(String, Vec<u8>)> = file.tensors().into_iter().map(|(n, t)| (n, t.data().to_vec())).collect();
    all.sort();
    assert!(!all.is_empty());
    all
}

#[test]
fn a_resume_that_cannot_be_is_an_error_and_never_a_fresh_start() {
    let empty = folder("nothing");
    let o = catlearn(&["train", "--resume", text(&empty)]);
    assert_eq!(o.status.code(), Some(2));
    assert!(err(&o).contains("cannot be resumed"), "{}", err(&o));
    let run = folder("torn");
    assert!(
        catlearn(&["-q", "train", "examples/iris.lens", "--set", "epochs=1", "--out", text(&run)]).status.success()
    );
    for torn in [&b"not a checkpoint"[..], &[0xff; 40][..], &[][..]] {
        fs::write(run.join("checkpoint/last.safetensors"), torn).unwrap();
        let o = catlearn(&["train", "--resume", text(&run)]);
        assert_eq!(o.status.code(), Some(1), "{}", err(&o));
        assert!(err(&o).contains("E0802"), "{}", err(&o));
    }
}

/// CORE.md section 8 case 4: the README of GradientBasedLearningForCAP.
#[test]
fn three_points_come_out_to_all_printed_digits() {
    let o = catlearn(&["trace", "examples/three_points.lens", "--steps", "45", "--every", "45"]);
    assert!(o.status.success(), "{}", err(&o));
    let last: Value = serde_json::from_str(out(&o).lines().last().unwrap()).unwrap();
    assert_eq!(last["step"], 45);
    let theta: Vec<f64> =
        last["params"]["line.theta"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
    assert_eq!(format!("{:.5} {:.6}", theta[0], theta[1]), "2.08995 0.802632");
    assert_eq!(format!("{:.7} {:.7}", theta[0], theta[1]), "2.0899536 0.8026318");
    let rows = [(1.0, 2.9), (2.0, 5.1), (3.0, 7.05)];
    let loss = rows.iter().map(|(x, y)| (theta[0] * x + theta[1] - y).powi(2)).sum::<f64>() / 3.0;
    assert_eq!(format!("{loss:.10}"), "0.0047859930");
}

#[test]
fn a_trace_has_a_line_a_step_with_states_and_requests() {
    let o = catlearn(&["trace", "examples/iris.lens", "--steps", "3"]);
    assert!(o.status.success(), "{}", err(&o));
    let lines: Vec<Value> = out(&o).lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 4);
    for (k, line) in lines.iter().enumerate() {
        assert_eq!(line["step"], k);
        assert_eq!(line["params"]["mlp.0.W"].as_array().unwrap().len(), 16);
        assert_eq!(line["state"]["mlp.0.W.m"].as_array().unwrap().len(), 16, "states are shaped as their parameter");
        assert_eq!(line["state"]["mlp.0.W.t"][0].as_f64().unwrap(), k as f64);
        assert_eq!(line["request"]["mlp.1.b"].as_array().unwrap().len(), 3);
    }
}

#[test]
fn folds_have_folders_means_and_spreads() {
    let run = folder("folds");
    let program = run.join("folds.lens");
    let text_of = fs::read_to_string("examples/iris.lens").unwrap();
    let data = fs::canonicalize("examples").unwrap();
    let split =
        text_of.replace("stratified(train = 0.8, test = 0.2)", "kfold(3)").replace("epochs    = 50", "epochs = 3");
    assert!(split.contains("kfold"));
    fs::write(&program, split).unwrap();
    let dest = run.join("out");
    let o = catlearn(&["train", text(&program), "--data-dir", text(&data), "--out", text(&dest), "--format", "json"]);
    assert!(o.status.success(), "{}", err(&o));
    let line: Value = serde_json::from_str(&out(&o)).unwrap();
    assert_eq!(line["metrics"]["test"]["accuracy_folds"].as_array().unwrap().len(), 3);
    assert!(line["metrics"]["test"]["accuracy_sd"].is_f64());
    for fold in 0..3 {
        assert!(dest.join(format!("fold-{fold}/checkpoint/last.safetensors")).is_file());
    }
}

#[test]
fn a_model_with_noise_trains_and_is_evaluated_without_it() {
    let dir = folder("noise");
    let data = fs::canonicalize("examples").unwrap();
    let example = fs::read_to_string("examples/iris.lens").unwrap();
    let noisy = "model jitter {noise u: R[..s] ~ normal(0.1)} : R[..s] -> R[..s] (x) { x + u } evaluate (x) { x }\n";
    let text_of = format!("{noisy}{}", example.replace("    dense[4, 16] >>", "    jitter >> dense[4, 16] >>"));
    let program = dir.join("noise.lens");
    fs::write(&program, text_of).unwrap();
    let run = |name: &str| {
        let dest = dir.join(name);
        let o =
            catlearn(&["train", text(&program), "--data-dir", text(&data), "--out", text(&dest), "--format", "json"]);
        assert!(o.status.success(), "{}", err(&o));
        let line: Value = serde_json::from_str(&out(&o)).unwrap();
        assert!(line["metrics"]["test"]["accuracy"].as_f64().unwrap() > 0.85, "{line}");
        fs::read(dest.join("checkpoint/last.safetensors")).unwrap()
    };
    assert_eq!(run("one"), run("two"), "the same seed draws the same noise");
}

#[test]
fn a_run_does_not_go_on_as_another_run() {
    let dir = folder("edited");
    let program = dir.join("p.lens");
    let source = "data p { source = inline([[1, 2, 3], [2, 4, 3], [3, 6, 5], [4, 8, 7]]), input = columns(0), target = columns(1), shuffle = true }\n\
                  model lin {W: R[1, 1] ~ zeros} : R[1] -> R[1] (x) { W @ x }\n\
                  train a { data = p, model = lin, loss = mse, optimiser = gd(lr = 0.01), batch = 2, steps = 6, seed = 1, aggregate = mean }\n";
    let run = dir.join("out");
    let resume = || catlearn(&["train", "--resume", text(&run)]);
    for (from, to) in [
        ("aggregate = mean", "aggregate = sum"),
        ("columns(1)", "columns(2)"),
        ("shuffle = true", "shuffle = false"),
        ("steps = 6", "steps = 2"),
    ] {
        fs::write(&program, source).unwrap();
        let o = catlearn(&["train", text(&program), "--out", text(&run), "--stop-after", "3", "--force"]);
        assert_eq!(o.status.code(), Some(130), "{}", err(&o));
        fs::write(&program, source.replace(from, to)).unwrap();
        let o = resume();
        assert_eq!(o.status.code(), Some(1), "{to}: {}", err(&o));
        assert!(err(&o).contains("E0802"), "{to}: {}", err(&o));
    }
    // A comment more is the same run.
    fs::write(&program, format!("// a comment\n{source}")).unwrap();
    let o = resume();
    assert!(o.status.success(), "{}", err(&o));
}

#[test]
fn what_a_run_names_must_be_there() {
    let dir = folder("named");
    let head = "data p { source = inline([[1, 2], [2, 4], [3, 6], [4, 8]]), input = columns(0), target = columns(1), split = ordered(train = 2, valid = 1, test = 1) }\n\
                model lin {W: R[1, 1] ~ zeros} : R[1] -> R[1] (x) { W @ x }\n";
    let run = |fields: &str, name: &str| {
        let program = dir.join(format!("{name}.lens"));
        let source = format!(
            "{head}train a {{ data = p, model = lin, loss = mse, optimiser = gd(lr = 0.01), steps = 4, seed = 1, {fields} }}\n"
        );
        fs::write(&program, source).unwrap();
        catlearn(&["train", text(&program), "--out", text(&dir.join(name)), "--format", "json"])
    };
    for (fields, name) in [("order = batches([[0, 99]])", "outside"), ("order = batches([[2, 3]])", "validation")] {
        let o = run(fields, name);
        assert_eq!(o.status.code(), Some(1));
        assert!(err(&o).contains("`order` names row"), "{}", err(&o));
    }
    let best = run("select = best(valid.loss)", "best");
    assert!(best.status.success(), "{}", err(&best));
    assert!(dir.join("best/checkpoint/best.safetensors").is_file());
    let all = head.replace("split = ordered(train = 2, valid = 1, test = 1)", "split = all");
    let program = dir.join("empty.lens");
    fs::write(&program, format!("{all}train a {{ data = p, model = lin, loss = mse, optimiser = gd(lr = 0.01), steps = 4, seed = 1, select = best(test.loss) }}\n")).unwrap();
    let o = catlearn(&["train", text(&program), "--out", text(&dir.join("empty"))]);
    assert_eq!(o.status.code(), Some(1));
    assert!(err(&o).contains("which is empty"), "{}", err(&o));
}

#[test]
fn a_rule_may_evaluate_with_a_schedule() {
    let dir = folder("evaluate");
    let program = dir.join("p.lens");
    let source = "optimiser ev(lr) on p : R[n] { put (g) { p - lr * g } evaluate { p * lr } }\n\
                  model m {x: R[2] ~ ones} : () -> R[1] () { dot(x, x) }\n\
                  train t { objective = m, optimiser = ev(lr = cosine(from = 0.05, steps = 900)), steps = 3, precision = f64 }\n";
    fs::write(&program, source).unwrap();
    let o = catlearn(&["train", text(&program), "--seed", "1", "--out", text(&dir.join("out")), "--format", "json"]);
    assert!(o.status.success(), "{}", err(&o));
    let line: Value = serde_json::from_str(&out(&o)).unwrap();
    assert!(line["metrics"]["train"]["loss"].as_f64().unwrap() < 0.01);
}

#[test]
fn wrong_use_ends_with_two_and_wrong_programs_with_one() {
    for args in [&["train"][..], &["nosuchverb"], &["train", "--nosuchflag"], &["trace", "x.lens"], &["check"]] {
        assert_eq!(catlearn(args).status.code(), Some(2), "{args:?}");
    }
    let missing = catlearn(&["check", "no/such/file.lens"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(err(&missing).contains("cannot be read"));
    assert_eq!(catlearn(&["check", "examples"]).status.code(), Some(1), "a folder");
    let bad = folder("bad");
    let latin = bad.join("latin.lens");
    fs::write(&latin, b"model \xff : R[1] -> R[1] = tanh").unwrap();
    let o = catlearn(&["check", text(&latin)]);
    assert_eq!(o.status.code(), Some(1));
    assert!(err(&o).contains("UTF-8"), "{}", err(&o));
    let empty = bad.join("empty.lens");
    fs::write(&empty, "").unwrap();
    assert_eq!(catlearn(&["check", text(&empty)]).status.code(), Some(0), "an empty program is fine");
    assert_eq!(catlearn(&["train", text(&empty)]).status.code(), Some(1), "and has nothing to train");
    let several = catlearn(&["train", "examples/papers/categorical_foundations/iris.lens"]);
    assert_eq!(several.status.code(), Some(2));
    assert!(err(&several).contains("iris.lens:dense_run"), "{}", err(&several));
    let unknown = catlearn(&["train", "examples/iris.lens", "--set", "epoch=3"]);
    assert_eq!(unknown.status.code(), Some(2), "a field that only the command line names");
    assert!(err(&unknown).contains("did you mean `epochs`"), "{}", err(&unknown));
}

#[test]
fn a_loss_that_is_no_number_ends_the_run_and_keeps_the_state_before() {
    let run = folder("diverges");
    let program = run.join("p.lens");
    let source = "model quad {x: R[2] ~ [1, -1]} : () -> R[1] () { dot(x, x) * dot(x, x) }\n\
                  train t { objective = quad, optimiser = gd(lr = 10), steps = 100 }\n";
    fs::write(&program, source).unwrap();
    let dest = run.join("out");
    let o = catlearn(&["train", text(&program), "--seed", "0", "--out", text(&dest)]);
    assert_eq!(o.status.code(), Some(1));
    assert!(err(&o).contains("E0801"), "{}", err(&o));
    let bytes = fs::read(dest.join("checkpoint/last.safetensors")).unwrap();
    for (_, raw) in tensors(&bytes) {
        assert!(raw.chunks_exact(4).all(|c| f32::from_le_bytes(c.try_into().unwrap()).is_finite()));
    }
}

#[test]
fn laws_hold_on_the_examples_and_a_wrong_rev_is_shown() {
    let o = catlearn(&["laws", "examples/iris.lens", "--cases", "20"]);
    assert!(o.status.success(), "{}{}", out(&o), err(&o));
    assert!(out(&o).contains("holds"));
    let dir = folder("laws");
    let program = dir.join("cube.lens");
    fs::write(&program, "prim cube : R[n] -> R[n] { fwd (x) { x ^ 3 } rev (x, dy) { 2 * dy * x ^ 2 } }\n").unwrap();
    let o = catlearn(&["laws", text(&program)]);
    assert_eq!(o.status.code(), Some(1));
    let said = err(&o);
    assert!(said.contains("E0701") && said.contains("gives 2.0") && said.contains("differences give 3.0"), "{said}");
    assert!(said.contains("at input [1, 0, 0, 0, 0]") && said.contains("cube.lens:1:46"), "{said}");
}

#[test]
fn checks_answer_in_json_too() {
    let o = catlearn(&["check", "examples/iris.lens", "--format", "json"]);
    assert!(o.status.success());
    let answer: Value = serde_json::from_str(&out(&o)).unwrap();
    assert_eq!(answer[0]["items"][0]["parameters"], 131);
    assert_eq!(answer[0]["messages"].as_array().unwrap().len(), 0);
}

#[test]
fn the_exact_match_is_told_beside_the_accuracy() {
    let dir = folder("exact");
    let program = dir.join("either.lens");
    fs::write(
        &program,
        "data exclusive { source = truth_table(2, x[0] xor x[1]), split = ordered(train = 2, valid = 1, test = 1) }
        model either {c: R[1] ~ constant(1)} : Bool[2] -> Bool[1] (x) { (x[0] | x[1]) & (c > 0) }
        loss unlike : (y: Bool[n], t: Bool[n]) -> R[1] (y, t) { mean(if y xor t then ones[n] else zeros[n]) }
        train t { data = exclusive, model = either, loss = unlike, optimiser = gd(lr = 1), epochs = 2, batch = all, seed = 1
            metrics = [accuracy, exact_match], select = best(valid.exact_match) }",
    )
    .unwrap();
    let run = dir.join("out");
    let o = catlearn(&["train", text(&program), "--out", text(&run)]);
    assert!(o.status.success(), "{}", err(&o));
    assert!(err(&o).contains("valid accuracy 100.00 %  valid exact match 100.00 %"), "{}", err(&o));
    assert!(out(&o).contains(" test  loss 1.000000  accuracy 0.00 %  exact match 0.00 %"), "{}", out(&o));
    let o = catlearn(&["-q", "train", text(&program), "--out", text(&run), "--force", "--format", "json"]);
    let line: Value = serde_json::from_str(&out(&o)).unwrap();
    assert_eq!(line["metrics"]["valid"]["exact_match"], 1.0);
    assert_eq!(line["selected"]["step"], 2, "the later of equals");
    let metrics = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    assert!(metrics.lines().any(|l| l.contains("\"exact_match\":1.0")), "{metrics}");
    assert!(run.join("checkpoint/best.safetensors").is_file());
}

//! `--resume`, `--init`, `--force`: what a run folder promises after an interruption.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests read files and the environment")]

mod commands;

use commands::{catlearn, ends, folder, json, last, lines, tensor, text};
use std::fs;
use std::path::{Path, PathBuf};

const HEAD: &str = "data p { source = inline([[1, 2], [2, 4], [3, 6], [4, 8], [5, 10], [6, 13]]), input = columns(0), target = columns(1), SPLIT }\n\
                    model lin {W: R[1, 1] ~ normal(1)} : R[1] -> R[1] (x) { W @ x }\n";

/// A program of one run `t` in a folder.
fn program(dir: &Path, split: &str, fields: &str) -> PathBuf {
    let path = dir.join("p.lens");
    let head = HEAD.replace("SPLIT", split);
    fs::write(&path, format!("{head}train t {{ data = p, model = lin, loss = mse, batch = 2, {fields} }}\n")).unwrap();
    path
}

const GD: &str = "optimiser = gd(lr = 0.01), steps = 12, validate = every(2)";

#[test]
fn force_leaves_nothing_of_the_run_before() {
    let dir = folder("force");
    let file = program(&dir, "split = kfold(3)", &format!("{GD}, select = best(train.loss)"));
    let (run, whole) = (dir.join("run"), dir.join("whole"));
    let train = |seed: &str, to: &Path, more: &[&str]| {
        catlearn(&[&["train", text(&file), "--seed", seed, "--out", text(to)], more].concat())
    };
    ends(&train("1", &run, &[]), 0);
    ends(&train("2", &run, &["--force", "--stop-after", "5"]), 130);
    assert!(!run.join("fold-1").exists(), "the folds of the first run");
    // A fold that was begun and not saved begins again, and so do its lines.
    fs::create_dir(run.join("fold-1")).unwrap();
    fs::write(run.join("fold-1/metrics.jsonl"), "{\"step\":2,\"wall_s\":1}\n").unwrap();
    ends(&catlearn(&["train", "--resume", text(&run)]), 0);
    ends(&train("2", &whole, &[]), 0);
    for fold in ["fold-0", "fold-1", "fold-2"] {
        assert_eq!(last(&run.join(fold)), last(&whole.join(fold)), "{fold}");
        assert_eq!(lines(&run.join(fold)).len(), lines(&whole.join(fold)).len(), "{fold}");
    }
    let metrics = |run: &Path| json(&run.join("run.json"))["result"]["metrics"].clone();
    assert_eq!(metrics(&run), metrics(&whole));
}

#[test]
fn folds_not_begun_begin_with_the_parameters_of_init() {
    let dir = folder("init-folds");
    let file = program(&dir, "split = kfold(3)", GD);
    let one = dir.join("one");
    ends(&catlearn(&["train", text(&file), "--seed", "9", "--out", text(&one)]), 0);
    let init = dir.join("init.safetensors");
    fs::copy(one.join("fold-0/checkpoint/last.safetensors"), &init).unwrap();
    let (whole, broken) = (dir.join("whole"), dir.join("broken"));
    let train = |to: &Path, more: &[&str]| {
        catlearn(&[&["train", text(&file), "--seed", "2", "--init", text(&init), "--out", text(to)], more].concat())
    };
    ends(&train(&whole, &[]), 0);
    ends(&train(&broken, &["--stop-after", "5"]), 130);
    fs::remove_file(&init).unwrap();
    ends(&catlearn(&["train", "--resume", text(&broken)]), 0);
    for fold in ["fold-0", "fold-1", "fold-2"] {
        assert_eq!(last(&whole.join(fold)), last(&broken.join(fold)), "{fold}");
    }
    // The copy is held against what run.json says.
    fs::write(broken.join("init.safetensors"), b"other").unwrap();
    let (_, said) = ends(&catlearn(&["train", "--resume", text(&broken)]), 1);
    assert!(said.contains("E0802") && said.contains("init.safetensors"), "{said}");
}

#[test]
fn noise_and_ways_to_evaluate_and_to_begin_are_part_of_the_program() {
    let dir = folder("program-hash");
    let file = dir.join("p.lens");
    let source = "data p { source = inline([[1, 2], [2, 4], [3, 6]]), input = columns(0), target = columns(1), shuffle = false }\n\
                  model lin {W: R[1, 1] ~ normal(1), noise u: R[1] ~ normal(0.1)} : R[1] -> R[1] (x) { W @ (x + u) } evaluate (x) { W @ x }\n\
                  train t { data = p, model = lin, loss = mse, optimiser = gd(lr = 0.01), batch = 2, steps = 8, seed = 1 }\n";
    for (from, to) in [
        ("noise u: R[1] ~ normal(0.1)", "noise u: R[1] ~ normal(0.2)"),
        ("~ normal(1)", "~ normal(2)"),
        ("seed = 1", "seed = 1, shuffle = true"),
        ("evaluate (x) { W @ x }", "evaluate (x) { W @ x + x }"),
    ] {
        assert!(source.contains(from));
        fs::write(&file, source).unwrap();
        let run = dir.join("run");
        ends(&catlearn(&["train", text(&file), "--out", text(&run), "--stop-after", "3", "--force"]), 130);
        fs::write(&file, source.replace(from, to)).unwrap();
        let (_, said) = ends(&catlearn(&["train", "--resume", text(&run)]), 1);
        assert!(said.contains("E0802"), "{to}: {said}");
    }
}

#[test]
fn a_best_state_that_is_gone_or_of_another_run_is_a_fault() {
    let dir = folder("best");
    let file = program(&dir, "split = all", &format!("{GD}, select = best(train.loss)"));
    let run = |name: &str, seed: &str| {
        let to = dir.join(name);
        ends(&catlearn(&["train", text(&file), "--seed", seed, "--out", text(&to), "--stop-after", "7"]), 130);
        to
    };
    let best = "checkpoint/best.safetensors";
    let (gone, other) = (run("gone", "1"), run("other", "2"));
    let kept = fs::read(gone.join(best)).unwrap();
    fs::remove_file(gone.join(best)).unwrap();
    let (_, said) = ends(&catlearn(&["train", "--resume", text(&gone)]), 1);
    assert!(said.contains("E0802") && said.contains("best"), "{said}");
    // A folder in its place cannot be read either.
    fs::create_dir(gone.join(best)).unwrap();
    ends(&catlearn(&["train", "--resume", text(&gone)]), 1);
    fs::remove_dir(gone.join(best)).unwrap();
    fs::copy(other.join(best), gone.join(best)).unwrap();
    let (_, said) = ends(&catlearn(&["train", "--resume", text(&gone)]), 1);
    assert!(said.contains("another seed"), "{said}");
    fs::write(gone.join(best), kept).unwrap();
    ends(&catlearn(&["train", "--resume", text(&gone)]), 0);
    // The last state of another seed is not this run's either.
    fs::copy(other.join("checkpoint/last.safetensors"), gone.join("checkpoint/last.safetensors")).unwrap();
    let (_, said) = ends(&catlearn(&["train", "--resume", text(&gone)]), 1);
    assert!(said.contains("another seed"), "{said}");
}

#[test]
fn a_crash_between_the_two_checkpoints_is_gone_on_with() {
    let dir = folder("between");
    let file = program(&dir, "split = all", &format!("{GD}, select = best(train.loss)"));
    let run = |name: &str, more: &[&str]| {
        let to = dir.join(name);
        (catlearn(&[&["train", text(&file), "--seed", "1", "--out", text(&to)], more].concat()), to)
    };
    let (whole, (o, early), (_, late)) =
        (run("whole", &[]).1, run("early", &["--stop-after", "3"]), run("late", &["--stop-after", "7"]));
    ends(&o, 130);
    fs::copy(late.join("checkpoint/best.safetensors"), early.join("checkpoint/best.safetensors")).unwrap();
    ends(&catlearn(&["train", "--resume", text(&early)]), 0);
    assert_eq!(last(&early), last(&whole));
    let best = |run: &Path| fs::read(run.join("checkpoint/best.safetensors")).unwrap();
    assert_eq!(best(&early), best(&whole));
}

#[test]
fn active_examples_are_looked_for_where_the_run_stopped() {
    let dir = folder("active");
    let file = program(&dir, "split = all", "optimiser = gd(lr = 0.01), epochs = 4");
    let (whole, broken) = (dir.join("whole"), dir.join("broken"));
    let train = |to: &Path, more: &[&str]| {
        let flags = ["train", text(&file), "--seed", "1", "--set", "batch=active(4)", "--out", text(to)];
        catlearn(&[&flags[..], more].concat())
    };
    ends(&train(&whole, &[]), 0);
    ends(&train(&broken, &["--stop-after", "3"]), 130);
    ends(&catlearn(&["train", "--resume", text(&broken)]), 0);
    assert_eq!(last(&whole), last(&broken));
}

#[test]
fn a_state_that_begins_as_a_parameter_begins_as_that_of_init() {
    let dir = folder("init-states");
    let file = dir.join("p.lens");
    let source = "optimiser anchored(lr) on p : R[n] {\n state a : R[n] ~ p\n get { p }\n put (g) {\n next a = a\n p - lr * (g + p - a)\n }\n}\n\
                  model quad {x: R[2] ~ normal(1)} : () -> R[1] () { dot(x, x) }\n\
                  train t { objective = quad, optimiser = anchored(lr = 0.1), steps = 1 }\n";
    fs::write(&file, source).unwrap();
    let (one, two) = (dir.join("one"), dir.join("two"));
    ends(&catlearn(&["train", text(&file), "--seed", "1", "--out", text(&one)]), 0);
    let init = one.join("checkpoint/last.safetensors");
    ends(&catlearn(&["train", text(&file), "--seed", "2", "--init", text(&init), "--out", text(&two)]), 0);
    assert_eq!(tensor(&one, "quad.x"), tensor(&two, "quad.x.a"), "the anchor is where the run began");
}

#[test]
fn metrics_after_a_crash_have_every_line_once_and_time_goes_on() {
    let dir = folder("crash");
    let file = program(&dir, "split = all", GD);
    let (whole, broken) = (dir.join("whole"), dir.join("broken"));
    ends(&catlearn(&["train", text(&file), "--seed", "1", "--out", text(&whole)]), 0);
    ends(&catlearn(&["train", text(&file), "--seed", "1", "--out", text(&broken), "--stop-after", "7"]), 130);
    // As a crash after the last checkpoint leaves it: two lines more, then half a line.
    let path = broken.join("metrics.jsonl");
    let mut said = fs::read_to_string(&path).unwrap();
    said.push_str("{\"step\":8,\"epoch\":2,\"split\":\"train\",\"loss\":1.0,\"wall_s\":50.0}\n{\"step\":10,\"ep");
    fs::write(&path, said).unwrap();
    fs::write(broken.join("checkpoint/time.json"), "{\"step\":7,\"train_s\":100.0}").unwrap();
    ends(&catlearn(&["train", "--resume", text(&broken)]), 0);
    let steps = |run: &Path| lines(run).iter().map(|l| l["step"].as_u64().unwrap()).collect::<Vec<_>>();
    assert_eq!(steps(&whole), steps(&broken));
    let wall: Vec<f64> = lines(&broken).iter().map(|l| l["wall_s"].as_f64().unwrap()).collect();
    assert!(wall.is_sorted() && *wall.last().unwrap() >= 100.0, "{wall:?}");
    // The record keeps the first command, and a finished run that is resumed keeps its time.
    let first = json(&broken.join("run.json"));
    assert!(first["command"].as_array().unwrap().iter().any(|a| a == "--stop-after"), "{first}");
    assert_eq!(first["resumes"].as_array().unwrap().len(), 1);
    let took = first["result"]["train_s"].as_f64().unwrap();
    assert!(took >= 100.0);
    ends(&catlearn(&["train", "--resume", text(&broken)]), 0);
    let second = json(&broken.join("run.json"));
    assert_eq!(second["result"]["train_s"].as_f64().unwrap(), took);
    assert_eq!(second["command"], first["command"]);
}

#[test]
fn flags_that_a_resume_cannot_heed_are_refused() {
    let dir = folder("resume-flags");
    let file = program(&dir, "split = all", GD);
    let run = dir.join("run");
    ends(&catlearn(&["train", text(&file), "--seed", "1", "--out", text(&run), "--stop-after", "7"]), 130);
    ends(&catlearn(&["train", "--resume", text(&run), "--seed", "2"]), 2);
    ends(&catlearn(&["train", "--resume", text(&run), "--force"]), 2);
    let o = commands::command(&["train", "--resume", text(&run)]).env("CATLEARN_SEED", "2").output().unwrap();
    ends(&o, 0);
    assert_eq!(json(&run.join("run.json"))["seed"], 1);
}

#[cfg(unix)]
#[test]
fn a_resume_finds_the_data_that_the_run_found() {
    let dir = folder("resume-data");
    for sub in ["real", "here", "elsewhere"] {
        fs::create_dir(dir.join(sub)).unwrap();
    }
    let source = "data p { source = csv(\"d.csv\"), input = columns(0), target = columns(1) }\n\
                  model lin {W: R[1, 1] ~ ones} : R[1] -> R[1] (x) { W @ x }\n\
                  train t { data = p, model = lin, loss = mse, optimiser = gd(lr = 0.01), batch = 1, steps = 5, seed = 1 }\n";
    fs::write(dir.join("real/p.lens"), source).unwrap();
    fs::write(dir.join("here/d.csv"), "1,2\n2,4\n").unwrap();
    fs::write(dir.join("elsewhere/d.csv"), "1,2\n2,4\n").unwrap();
    std::os::unix::fs::symlink(dir.join("real/p.lens"), dir.join("here/link.lens")).unwrap();
    // Beside the link, not beside what it points to.
    let (linked, named) = (dir.join("linked"), dir.join("named"));
    let link = dir.join("here/link.lens");
    ends(&catlearn(&["train", text(&link), "--out", text(&linked), "--stop-after", "2"]), 130);
    ends(&catlearn(&["train", "--resume", text(&linked)]), 0);
    // In the folder of --data-dir, though the resume does not name it.
    let o = commands::command(&[
        "train",
        text(&dir.join("real/p.lens")),
        "--data-dir",
        "elsewhere",
        "--out",
        text(&named),
        "--stop-after",
        "2",
    ])
    .current_dir(&dir)
    .output()
    .unwrap();
    ends(&o, 130);
    ends(&catlearn(&["train", "--resume", text(&named)]), 0);
}

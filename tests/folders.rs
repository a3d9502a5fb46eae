//! Run folders, settings from flags and the environment, data as it comes: what ends well, and with which words.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests read files and the environment")]

mod commands;

use commands::{catlearn, command, ends, folder, json, last, tensor, text};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

/// Writes a program and gives its path.
fn written(dir: &Path, source: &str) -> PathBuf {
    let path = dir.join("p.lens");
    fs::write(&path, source).unwrap();
    path
}

/// A program over inline rows: two columns in, the last one out where the split and the settings say.
fn rows(rows: &str, data: &str, train: &str) -> String {
    format!(
        "data p {{ source = inline({rows}), input = columns(0), target = columns(1), {data} }}\n\
         model lin {{W: R[1, 1] ~ ones}} : R[1] -> R[1] (x) {{ W @ x }}\n\
         train t {{ data = p, model = lin, loss = mse, optimiser = gd(lr = 0.01), {train} }}\n"
    )
}

const FOUR: &str = "[[1, 2], [2, 4], [3, 6], [4, 8]]";

fn train(file: &Path, more: &[&str]) -> Output {
    let out = file.with_extension("run");
    catlearn(&[&["train", text(file), "--out", text(&out), "--force", "--format", "json"], more].concat())
}

/// The answer of a run that ends well.
fn answer(o: &Output) -> Value {
    serde_json::from_str(&ends(o, 0).0).unwrap()
}

#[test]
fn the_last_of_two_flags_counts_and_either_length_replaces_the_other() {
    let classes = "[[1, 0], [2, 0], [3, 1], [4, 1]]";
    let file = written(&folder("set"), &rows(classes, "split = all", "epochs = 2, seed = 1"));
    assert_eq!(answer(&train(&file, &["--set", "epochs=3", "--set", "epochs=5"]))["epochs"], 5);
    assert_eq!(answer(&train(&file, &["--set", "steps=3", "--set", "batch=1"]))["steps"], 3);
    ends(&train(&file, &["--set", "steps=3", "--set", "epochs=2"]), 2);
    // config.toml has every key of a table once, with values of TOML.
    answer(&train(
        &file,
        &[
            "--set",
            "batch=2",
            "--set",
            "batch=1",
            "--set",
            "order=batches([[0, 3], [1]])",
            "--set",
            "metrics=[exact_match]",
            "--set",
            "validate=every(2)",
        ],
    ));
    let config = fs::read_to_string(file.with_extension("run").join("config.toml")).unwrap();
    let (mut table, mut seen) = (String::new(), BTreeSet::new());
    for line in config.lines().filter(|l| !l.is_empty()) {
        if line.starts_with('[') {
            table = line.to_owned();
            continue;
        }
        let (key, value) = line.split_once(" = ").unwrap();
        assert!(seen.insert((table.clone(), key.to_owned())), "{key} twice in {table}\n{config}");
        assert!(serde_json::from_str::<Value>(value).is_ok(), "{line}");
    }
    for line in [
        "batch = 1",
        "epochs = 2",
        "order = [[0,3],[1]]",
        "metrics = [\"exact_match\"]",
        "validate = \"every(2)\"",
        "select = \"last\"",
    ] {
        assert!(
            config.starts_with(&format!("{line}\n")) || config.contains(&format!("\n{line}\n")),
            "{line}\n{config}"
        );
    }
}

#[test]
fn seeds_come_from_the_flag_then_set_then_the_environment_then_the_program() {
    let file = written(&folder("seeds"), &rows(FOUR, "split = all", "steps = 1, seed = 1"));
    let seed = |more: &[&str], variable: &str| {
        let out = file.with_extension("run");
        let all = [&["train", text(&file), "--out", text(&out), "--force", "--format", "json"], more].concat();
        answer(&command(&all).env("CATLEARN_SEED", variable).output().unwrap())["seed"].as_u64().unwrap()
    };
    assert_eq!(seed(&["--seed", "4", "--set", "seed=3"], "2"), 4);
    assert_eq!(seed(&["--set", "seed=3"], "2"), 3);
    assert_eq!(seed(&[], "2"), 2);
    assert_eq!(seed(&[], ""), 1);
    let o = command(&["check", text(&file)]).env("CATLEARN_COLOR", "").env("CATLEARN_DATA", "").output().unwrap();
    ends(&o, 0);
    ends(&command(&["check", text(&file)]).env("CATLEARN_COLOR", "pink").output().unwrap(), 2);
    ends(&command(&["trace", text(&file), "--steps", "1"]).env("CATLEARN_SEED", "x").output().unwrap(), 2);
}

#[test]
fn an_empty_variable_names_no_folder_of_data() {
    let dir = folder("empty-variable");
    fs::create_dir(dir.join("sub")).unwrap();
    fs::write(dir.join("d.csv"), "1,2\n").unwrap();
    let source = rows("X", "split = all", "steps = 1, seed = 1").replace("inline(X)", "csv(\"d.csv\")");
    fs::write(dir.join("sub/p.lens"), source).unwrap();
    let here = |data: &str| {
        command(&["train", "sub/p.lens", "--out", "run", "--force"])
            .current_dir(&dir)
            .env("CATLEARN_DATA", data)
            .output()
    };
    ends(&here("").unwrap(), 1);
    ends(&here(".").unwrap(), 0);
    // A folder or a file in the way does not end the search.
    fs::create_dir(dir.join("sub/d.csv")).unwrap();
    ends(&here(".").unwrap(), 0);
    fs::write(dir.join("afile"), "").unwrap();
    let o = command(&["train", "sub/p.lens", "--data-dir", "afile", "--out", "run", "--force"])
        .current_dir(&dir)
        .env("CATLEARN_DATA", ".")
        .output();
    ends(&o.unwrap(), 0);
}

#[test]
fn a_run_that_cannot_start_touches_no_folder() {
    let dir = folder("cannot-start");
    let file = written(&dir, &rows(FOUR, "split = all", "steps = 1, seed = 1"));
    answer(&train(&file, &[]));
    let run = file.with_extension("run");
    let before = last(&run);
    let (_, said) = ends(&train(&file, &["--init", "nosuch.safetensors"]), 1);
    assert!(said.contains("E0802") && said.contains("nosuch") && !said.contains("--resume"), "{said}");
    ends(&train(&file, &["--set", "order=batches([[9]])"]), 1);
    assert_eq!(last(&run), before, "what was there is still there");
    let fresh = dir.join("fresh");
    ends(&catlearn(&["train", text(&file), "--init", "nosuch.safetensors", "--out", text(&fresh)]), 1);
    assert!(!fresh.exists());
    let (_, said) = ends(&catlearn(&["train", text(&file), "--out", text(&file)]), 2);
    assert!(said.contains("is a file") && !said.contains("--force"), "{said}");
}

#[test]
fn two_runs_at_once_have_a_folder_each() {
    let dir = folder("at-once");
    written(&dir, &rows(FOUR, "split = all", "steps = 3, seed = 1"));
    fs::create_dir_all(dir.join("runs/4294967295-x")).unwrap();
    let children: Vec<_> = (0..4)
        .map(|_| command(&["train", "p.lens", "-q"]).current_dir(&dir).stdout(Stdio::null()).spawn().unwrap())
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    for n in 1..=4 {
        assert_eq!(json(&dir.join(format!("runs/000{n}-t/run.json")))["status"], "finished");
    }
    // A folder that another process holds is left alone.
    let run = dir.join("runs/0001-t");
    let lock = fs::OpenOptions::new().append(true).open(run.join("run.lock")).unwrap();
    lock.lock().unwrap();
    let (_, said) = ends(&catlearn(&["train", "--resume", text(&run)]), 2);
    assert!(said.contains("E0803") && said.contains("another process"), "{said}");
    ends(&catlearn(&["train", text(&dir.join("p.lens")), "--out", text(&run), "--force"]), 2);
    drop(lock);
    ends(&catlearn(&["train", "--resume", text(&run)]), 0);
}

#[test]
fn a_fold_that_is_not_finite_is_not_left_out_of_the_mean() {
    let source = rows(
        "[[1, 2], [2, 3], [3, 4], [4, 5], [5, 6], [6, 1e25]]",
        "split = kfold(3, shuffle = false), shuffle = false",
        "batch = 1, steps = 1, seed = 1",
    );
    let o = train(&written(&folder("mean"), &source), &[]);
    let (said, warned) = ends(&o, 0);
    let line: Value = serde_json::from_str(&said).unwrap();
    let test = &line["metrics"]["test"];
    assert_eq!(test["loss_folds"].as_array().unwrap().len(), 3, "{line}");
    assert!(test["loss"].is_null() && test["loss_sd"].is_null(), "{line}");
    assert!(warned.contains("no mean over the folds"), "{warned}");
}

#[test]
fn a_training_part_of_no_rows_is_a_fault() {
    let source = rows(FOUR, "split = ordered(train = 0, test = 2)", "steps = 1, seed = 1");
    let (_, said) = ends(&train(&written(&folder("no-train"), &source), &[]), 1);
    assert!(said.contains("the part `train` has no rows"), "{said}");
}

#[test]
fn a_stratified_fault_names_the_class_it_is_about() {
    let source = "data p { source = inline([[1, \"a\"], [2, \"b\"], [3, \"b\"], [4, \"c\"]]), input = columns(0), target = columns(1) >> onehot[3], \
                  keep = class in [\"b\", \"c\"], split = stratified(train = 1, test = 1) }\n\
                  model lin {W: R[3, 1] ~ ones} : R[1] -> R[3] (x) { W @ x }\n\
                  train t { data = p, model = lin, loss = softmax_cross_entropy, optimiser = gd(lr = 0.01), steps = 1, seed = 1 }\n";
    let (_, said) = ends(&train(&written(&folder("class-names"), source), &[]), 1);
    assert!(said.contains("class `c` has 1 row"), "{said}");
}

#[test]
fn a_model_without_inputs_is_trained_on_targets() {
    let source = "data p { source = inline([[1, 2], [2, 4]]), input = columns(0), target = columns(1), split = all }\n\
                  model point {c: R[1] ~ zeros} : () -> R[1] () { c }\n\
                  train t { data = p, model = point, loss = mse, optimiser = gd(lr = 0.25), steps = 50, batch = all, seed = 1 }\n";
    let line = answer(&train(&written(&folder("no-input"), source), &[]));
    let loss = line["metrics"]["train"]["loss"].as_f64().unwrap();
    assert!((loss - 1.0).abs() < 1e-4, "the mean is 3, each target is 1 away: {loss}");
}

#[test]
fn numbers_that_32_bits_cannot_hold_are_named() {
    let dir = folder("beyond");
    let file = written(&dir, &rows("[[1, 2], [1e39, 4]]", "split = all", "steps = 1, seed = 1"));
    let (_, said) = ends(&train(&file, &[]), 1);
    assert!(said.contains("E0602") && said.contains("1e39") && said.contains("precision = f64"), "{said}");
    let source = rows(FOUR, "split = all", "steps = 1, seed = 1").replace("ones", "constant(1e39)");
    let (_, said) = ends(&train(&written(&dir, &source), &[]), 1);
    assert!(said.contains("E0405") && said.contains("precision = f64"), "{said}");
    // Parameters of a run in 64 bits.
    let wide = source
        .replace("steps = 1", "steps = 1, precision = f64, optimiser = gd(lr = 0)")
        .replace("optimiser = gd(lr = 0.01), ", "");
    answer(&train(&written(&dir, &wide), &["--set", "data=p"]));
    let init = dir.join("wide.safetensors");
    fs::copy(dir.join("p.run/checkpoint/last.safetensors"), &init).unwrap();
    let narrow = written(&dir, &rows(FOUR, "split = all", "steps = 1, seed = 1"));
    let (_, said) = ends(&train(&narrow, &["--init", text(&init)]), 1);
    assert!(said.contains("E0802") && said.contains("beyond"), "{said}");
}

#[test]
fn tiny_and_huge_columns_are_standardised() {
    for numbers in ["[[1e-170, 1], [2e-170, 2], [3e-170, 3]]", "[[1e160, 1], [2e160, 2], [3e160, 3]]"] {
        let source = rows(numbers, "split = all", "steps = 400, batch = all, seed = 1")
            .replace("input = columns(0)", "input = columns(0) >> standardise")
            .replace("target = columns(1)", "target = columns(1) >> standardise")
            .replace("~ ones", "~ zeros");
        let line = answer(&train(&written(&folder("standardise"), &source), &["--set", "optimiser=gd(lr = 0.1)"]));
        assert!(line["metrics"]["train"]["loss"].as_f64().unwrap() < 1e-6, "{numbers}: {line}");
    }
}

#[test]
fn numbers_in_quotes_and_padded_archives_are_read() {
    let dir = folder("csv");
    let source = rows("X", "split = all", "steps = 1, seed = 1").replace("inline(X)", "csv(\"d.csv\")");
    let file = written(&dir, &source);
    fs::write(dir.join("d.csv"), "\" 1\",2\n2,\"4 \"\n").unwrap();
    answer(&train(&file, &[]));
    for (cell, header) in [("\"1,5\"", false), ("0x10", false), ("width", true)] {
        fs::write(dir.join("d.csv"), format!("{cell},2\n2,4\n")).unwrap();
        let (_, said) = ends(&train(&file, &[]), 1);
        assert_eq!(said.contains("looks like a header"), header, "{said}");
    }
    let mut zipped = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut zipped, b"1,2\n2,4\n").unwrap();
    fs::write(dir.join("d.csv"), [zipped.finish().unwrap(), vec![0; 512]].concat()).unwrap();
    answer(&train(&file, &[]));
}

#[test]
fn a_single_class_is_always_right_and_metrics_without_a_model_are_said_to_be_left_out() {
    let source = "data p { source = inline([[1, \"a\"], [2, \"a\"]]), input = columns(0), target = columns(1) >> onehot[1], split = all }\n\
                  model lin {W: R[1, 1] ~ zeros} : R[1] -> R[1] (x) { W @ x }\n\
                  train t { data = p, model = lin, loss = softmax_cross_entropy, optimiser = gd(lr = 0.01), steps = 1, seed = 1, metrics = [accuracy] }\n";
    let line = answer(&train(&written(&folder("one-class"), source), &[]));
    assert_eq!(line["metrics"]["train"]["accuracy"], 1.0);
    let source = "model quad {x: R[2] ~ ones} : () -> R[1] () { dot(x, x) }\n\
                  train t { objective = quad, optimiser = gd(lr = 0.1), steps = 1, seed = 1, metrics = [accuracy] }\n";
    let (_, said) = ends(&train(&written(&folder("no-metrics"), source), &[]), 0);
    assert!(said.contains("`metrics` are not computed"), "{said}");
}

#[test]
fn noise_of_predictions_does_not_repeat() {
    // Every row is the same, and found exactly when its noise is positive: with the same 256 draws for every chunk the
    // count over 1024 rows is a multiple of 4, whatever the seed.
    let all = ["[0, 1]"; 1024].join(", ");
    let counts: Vec<u64> = (0..4)
        .map(|seed| {
            let source = format!(
                "data p {{ source = inline([{all}]), input = columns(0), target = columns(1), split = all }}\n\
                 model m {{b: R[1] ~ zeros, noise u: R[1] ~ normal(1)}} : R[1] -> R[1] (x) {{ x + b + u }}\n\
                 train t {{ data = p, model = m, loss = mse, optimiser = gd(lr = 0), steps = 1, seed = {seed}, metrics = [confusion_matrix] }}\n"
            );
            let line = answer(&train(&written(&folder("noise-rows"), &source), &[]));
            line["metrics"]["train"]["confusion_matrix"][1][1].as_u64().unwrap()
        })
        .collect();
    assert!(counts.iter().any(|n| n % 4 != 0), "{counts:?}");
}

#[test]
fn a_shuffle_of_the_run_beats_the_one_of_its_data() {
    let file =
        written(&folder("shuffle"), &rows(FOUR, "split = all, shuffle = false", "steps = 3, batch = 1, seed = 1"));
    let run = |more: &[&str]| {
        answer(&train(&file, more));
        tensor(&file.with_extension("run"), "lin.W")
    };
    assert_ne!(run(&["--set", "shuffle=true"]), run(&["--set", "shuffle=false"]));
}

#[test]
fn a_state_that_becomes_infinite_ends_the_run() {
    let source = "optimiser runaway(lr) on p : R[n] {\n state v : R[n] ~ ones\n put (g) {\n next v = v * 1e20\n p - lr * g\n }\n}\n\
                  model quad {x: R[2] ~ ones} : () -> R[1] () { dot(x, x) }\n\
                  train t { objective = quad, optimiser = runaway(lr = 0.1), steps = 5, seed = 1 }\n";
    let file = written(&folder("runaway"), source);
    let (_, said) = ends(&train(&file, &[]), 1);
    assert!(said.contains("E0801") && said.contains("update 2 makes `quad.x.v` infinite"), "{said}");
}

#[test]
fn what_stands_on_the_command_line_only_is_a_fault_of_usage() {
    let dir = folder("usage");
    let file = written(&dir, &rows(FOUR, "split = all", "steps = 1, seed = 1"));
    let (_, said) = ends(&catlearn(&["train", &format!("{}:u", text(&file))]), 2);
    assert!(said.contains("no training run `u`"), "{said}");
    let (said, _) = ends(&catlearn(&["check", "no/such.lens", "--format", "json"]), 1);
    let said: Value = serde_json::from_str(&said).unwrap();
    let message = &said[0]["messages"][0];
    assert_eq!(message["code"], "E0204");
    assert!(message["message"].as_str().unwrap().contains("No such file"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_run_larger_than_memory_is_refused() {
    let file = written(
        &folder("memory"),
        "model big {x: R[100000, 100000] ~ zeros} : () -> R[1] () { sum(sum(x * x)) }\n\
         train t { objective = big, optimiser = gd(lr = 0.1), steps = 1, seed = 1 }\n",
    );
    let out = file.with_extension("run");
    let line = "ulimit -v 8000000; exec \"$0\" train \"$1\" --out \"$2\"";
    let o = std::process::Command::new("sh")
        .args(["-c", line, env!("CARGO_BIN_EXE_catlearn"), text(&file), text(&out)])
        .output()
        .unwrap();
    let (_, said) = ends(&o, 1);
    assert!(said.contains("E0902") && said.contains("big.x"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_request_to_end_is_an_interrupt() {
    let dir = folder("terminate");
    let file = written(&dir, &rows(FOUR, "split = all", "steps = 100000000, batch = 1, seed = 1"));
    let run = dir.join("run");
    let mut child = command(&["train", text(&file), "-q", "--out", text(&run)]).spawn().unwrap();
    let begun = (0..600).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::read_to_string(run.join("metrics.jsonl")).is_ok_and(|t| t.lines().count() > 2)
    });
    let killed = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(begun && killed.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(json(&run.join("run.json"))["status"], "interrupted");
}

#[test]
fn force_replaces_runs_and_nothing_else() {
    let dir = folder("foreign");
    let file = written(&dir, &rows(FOUR, "split = all", "epochs = 1, seed = 1"));
    fs::create_dir(dir.join("mine")).unwrap();
    fs::write(dir.join("mine/model.lens"), "mine").unwrap();
    let mine = dir.join("mine");
    let said = ends(&catlearn(&["train", text(&file), "--out", text(&mine), "--force"]), 2).1;
    assert!(said.contains("holds files and no run"), "{said}");
    assert_eq!(fs::read_to_string(mine.join("model.lens")).unwrap(), "mine");
}

#[test]
fn an_answer_that_cannot_be_written_is_a_fault() {
    let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") else { return };
    let file = written(&folder("full"), &rows(FOUR, "split = all", "epochs = 1, seed = 1"));
    for args in [["check", text(&file)].as_slice(), &["trace", text(&file), "--steps", "1"]] {
        let o = command(args).stdout(Stdio::from(full.try_clone().unwrap())).output().unwrap();
        assert_eq!(o.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&o.stderr).contains("cannot be written"), "{args:?}");
    }
}

#[test]
fn metrics_are_those_that_were_asked_for() {
    let labels = "data p { source = inline([[0, 0], [1, 1], [2, 0], [3, 1], [4, 0], [5, 1]]), input = columns(0), \
                  target = columns(1) >> onehot[2], split = kfold(3, shuffle = false) }\n\
                  model lin : R[1] -> R[2] = dense[1, 2]\n\
                  train t { data = p, model = lin, loss = softmax_cross_entropy, optimiser = gd(lr = 0.01), steps = 1, \
                  seed = 1, metrics = [confusion_matrix] }\n";
    let found = answer(&train(&written(&folder("asked"), labels), &[]));
    let test = &found["metrics"]["test"];
    assert!(test.get("accuracy").is_none());
    let counts = test["confusion_matrix"].as_array().unwrap().iter().flat_map(|r| r.as_array().unwrap());
    assert_eq!(counts.map(|n| n.as_u64().unwrap()).sum::<u64>(), 6, "each row is held out once");
    // A target of other numbers names no classes.
    let file = written(&folder("numbers"), &rows(FOUR, "split = all", "epochs = 1, seed = 1, metrics = [accuracy]"));
    let said = ends(&train(&file, &[]), 1).1;
    assert!(said.contains("needs a target of classes"), "{said}");
}

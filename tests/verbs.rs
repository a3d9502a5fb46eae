//! What holds over all verbs: streams, exit codes, colours, signals, templates, `catlearn.toml`, the manual.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests read files and the environment")]

mod commands;

use commands::{catlearn, command, ends, folder, json, last, text};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

fn here(dir: &Path, args: &[&str]) -> Command {
    let mut command = command(args);
    command.current_dir(dir);
    command
}

const PROGRAM: &str = "data p { source = inline([[1, 2], [2, 4], [3, 6], [4, 9]]), input = columns(0), target = columns(1) }\n\
     model lin {W: R[1, 1] ~ normal(1)} : R[1] -> R[1] (x) { W @ x }\n\
     train t { data = p, model = lin, loss = mse, optimiser = gd(lr = 0.001), batch = 2, FIELDS }\n";

/// A program of one run in a folder.
fn program(dir: &Path, fields: &str) -> String {
    let path = dir.join("p.lens");
    fs::write(&path, PROGRAM.replace("FIELDS", fields)).unwrap();
    text(&path).to_owned()
}

#[test]
fn every_template_checks_without_a_word_is_tidy_and_trains() {
    let dir = folder("new");
    for (name, first) in [("iris", "iris.lens"), ("boolean", "boolean.lens"), ("optimiser", "optimiser.lens:own")] {
        let (out, said) = ends(&here(&dir, &["new", name]).output().unwrap(), 0);
        assert!(out.is_empty() && said.contains(&format!("catlearn train {first}")), "{said}");
        let inner = dir.join(name);
        let file = first.split(':').next().unwrap();
        let (_, said) = ends(&here(&inner, &["check", file]).output().unwrap(), 0);
        assert!(said.is_empty(), "{said}");
        ends(&here(&inner, &["fmt", "--check", file]).output().unwrap(), 0);
        let (said, _) = ends(&here(&inner, &["-q", "train", first, "--format", "json"]).output().unwrap(), 0);
        let line: Value = serde_json::from_str(&said).unwrap();
        let part = if line["metrics"]["test"].is_null() { "train" } else { "test" };
        let found = &line["metrics"][part];
        match found["accuracy"].as_f64() {
            Some(share) => assert!(share >= 0.75, "{name}: {line}"),
            None => assert!(found["loss"].as_f64().unwrap() < 0.1, "{name}: {line}"),
        }
        // What the README says to do next can be done.
        let readme = fs::read_to_string(inner.join("README.md")).unwrap();
        for line in readme.lines().filter(|l| l.starts_with("    catlearn ")) {
            let args: Vec<&str> = line.split_whitespace().skip(1).collect();
            if args[0] != "train" {
                ends(&here(&inner, &args).output().unwrap(), 0);
            }
        }
    }
    let mnist = dir.join("mnist");
    let (_, said) = ends(&here(&dir, &["new", "mnist"]).output().unwrap(), 0);
    assert!(said.contains("README.md says where"), "{said}");
    let (_, said) = ends(&here(&mnist, &["check", "mnist.lens"]).output().unwrap(), 0);
    assert!(said.is_empty(), "{said}");
    ends(&here(&mnist, &["fmt", "--check", "mnist.lens"]).output().unwrap(), 0);
    let (_, said) = ends(&here(&mnist, &["train", "mnist.lens"]).output().unwrap(), 1);
    assert!(said.contains("cvdf-datasets/mnist"), "{said}");
    assert!(fs::read_to_string(mnist.join("README.md")).unwrap().contains("cvdf-datasets/mnist"));
}

#[test]
fn new_overwrites_nothing() {
    let dir = folder("new-twice");
    ends(&here(&dir, &["new", "flowers", "--template", "boolean"]).output().unwrap(), 0);
    assert!(dir.join("flowers/boolean.lens").is_file());
    fs::write(dir.join("flowers/boolean.lens"), "mine").unwrap();
    let (_, said) = ends(&here(&dir, &["new", "flowers"]).output().unwrap(), 2);
    assert!(said.contains("E0808") && said.contains("is not empty"), "{said}");
    assert_eq!(fs::read_to_string(dir.join("flowers/boolean.lens")).unwrap(), "mine");
    assert!(!dir.join("flowers/iris.lens").exists());
    fs::write(dir.join("file"), "").unwrap();
    ends(&here(&dir, &["new", "file"]).output().unwrap(), 2);
    fs::create_dir(dir.join("empty")).unwrap();
    ends(&here(&dir, &["new", "empty"]).output().unwrap(), 0);
    assert!(dir.join("empty/iris.lens").is_file(), "iris is the template of other names");
    ends(&here(&dir, &["new", "x", "--template", "nosuch"]).output().unwrap(), 2);
}

#[test]
fn completions_and_manual_name_every_verb() {
    let (help, _) = ends(&catlearn(&["--help"]), 0);
    let commands = help.split("Commands:").nth(1).unwrap().split("Options:").next().unwrap();
    let verbs: Vec<&str> = commands.lines().filter_map(|l| l.split_whitespace().next()).collect();
    assert!(verbs.len() >= 11, "{verbs:?}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (said, noted) = ends(&catlearn(&["completions", shell]), 0);
        assert!(noted.is_empty() && verbs.iter().all(|v| said.contains(v)), "{shell}");
    }
    ends(&catlearn(&["completions", "nosuchshell"]), 2);
    let dir = folder("man");
    let pages = dir.join("pages");
    ends(&catlearn(&["man", text(&pages)]), 0);
    for verb in verbs.iter().filter(|v| **v != "help") {
        let page = fs::read_to_string(pages.join(format!("catlearn-{verb}.1"))).unwrap();
        assert!(page.contains(".TH"), "{verb}");
    }
    let (said, _) = ends(&catlearn(&["man"]), 0);
    assert!(said.contains(".TH catlearn 1"));
    fs::write(dir.join("file"), "").unwrap();
    let (_, said) = ends(&catlearn(&["man", text(&dir.join("file"))]), 2);
    assert!(said.contains("E0808"), "{said}");
    let version = format!("catlearn {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(ends(&catlearn(&["version"]), 0).0, version);
    assert_eq!(ends(&catlearn(&["--version"]), 0).0, version);
}

#[test]
fn with_json_every_line_of_stderr_is_an_object() {
    let dir = folder("json-lines");
    let file = program(&dir, "steps = 4, seed = 1, metrics = [accuracy]");
    let bad = dir.join("bad.lens");
    fs::write(&bad, "model m : R[2] -> R[3] = dense[2, 4] >> dense[5, 3]\nmodel n : R[1] -> R[1] = tanhh\n").unwrap();
    let run = dir.join("run");
    for (args, code) in [
        (vec!["train", &file, "--out", text(&run)], 1),
        (vec!["train", text(&bad)], 1),
        (vec!["trace", text(&bad), "--steps", "1"], 1),
        (vec!["laws", text(&bad)], 1),
        (vec!["fmt", "--check", "no/such.lens"], 1),
        (vec!["eval", "no/such/run"], 2),
    ] {
        let (_, said) = ends(&catlearn(&[&args[..], &["--format", "json"]].concat()), code);
        let lines: Vec<Value> = said.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        let errors: Vec<&Value> = lines.iter().filter(|l| l["severity"] == "error").collect();
        assert!(!errors.is_empty(), "{args:?}: {said}");
        for e in errors {
            assert!(e["code"].as_str().unwrap().starts_with('E') && e["message"].is_string(), "{e}");
            assert!(e["labels"].is_array() && e["notes"].is_array(), "{e}");
        }
    }
    let (said, noted) = ends(&catlearn(&["check", text(&bad), "--format", "json"]), 1);
    assert!(noted.is_empty());
    let found: Value = serde_json::from_str(&said).unwrap();
    let label = &found[0]["messages"][0]["labels"][0];
    let source = fs::read_to_string(&bad).unwrap();
    let (from, to) = (label["start"].as_u64().unwrap() as usize, label["end"].as_u64().unwrap() as usize);
    assert_eq!((label["line"].as_u64(), label["file"].as_str()), (Some(1), Some(text(&bad))));
    assert!(source[from..to].contains("dense"), "{label}");
    assert_eq!(label["column"].as_u64().unwrap() as usize, from + 1);
}

#[test]
fn colours_are_there_when_asked_for_and_nowhere_else() {
    let dir = folder("colours");
    let bad = dir.join("bad.lens");
    fs::write(&bad, "model n : R[1] -> R[1] = tanhh\n").unwrap();
    let said = |args: &[&str], set: &[(&str, &str)]| {
        let all = [&["check", text(&bad)], args].concat();
        ends(&command(&all).envs(set.iter().copied()).output().unwrap(), 1).1
    };
    // stderr of a test is a pipe.
    assert!(!said(&[], &[]).contains('\u{1b}'));
    assert!(said(&["--color", "always"], &[]).contains('\u{1b}'));
    assert!(said(&["--color", "always"], &[("NO_COLOR", "1")]).contains('\u{1b}'), "a flag beats the environment");
    assert!(said(&[], &[("CATLEARN_COLOR", "always")]).contains('\u{1b}'));
    assert!(!said(&["--color", "never"], &[("CATLEARN_COLOR", "always")]).contains('\u{1b}'));
    assert!(!said(&["--format", "json", "--color", "always"], &[]).contains('\u{1b}'));
    let long = format!("model n : R[1] -> R[1] = {}tanhh\n", "tanh >> ".repeat(40));
    fs::write(&bad, long).unwrap();
    let widest = |columns: &str| said(&[], &[("COLUMNS", columns)]).lines().map(|l| l.chars().count()).max().unwrap();
    assert!(widest("60") <= 60 && widest("60") < widest("400"), "{} {}", widest("60"), widest("400"));
}

#[test]
fn a_reader_that_leaves_ends_a_command_quietly() {
    let dir = folder("pipes");
    let file = program(&dir, "steps = 4, seed = 1");
    // Enough lines to fill the pipe many times over.
    let mut child =
        command(&["trace", &file, "--steps", "20000"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    drop(out);
    let (_, said) = ends(&child.wait_with_output().unwrap(), 0);
    assert!(line.starts_with("{\"step\":0") && said.is_empty(), "{said}");
}

#[test]
fn a_closed_stderr_stops_nothing() {
    let dir = folder("no-stderr");
    let file = program(&dir, "steps = 4, seed = 1");
    let line = "exec \"$0\" train \"$1\" --out \"$2\" 2>&-";
    let run = dir.join("run");
    let o = Command::new("sh").args(["-c", line, env!("CARGO_BIN_EXE_catlearn"), &file, text(&run)]).output().unwrap();
    ends(&o, 0);
    assert_eq!(json(&run.join("run.json"))["status"], "finished");
}

#[cfg(unix)]
#[test]
fn ctrl_c_saves_and_the_command_that_it_prints_goes_on_to_the_same_bits() {
    let dir = folder("ctrl-c");
    let file = program(&dir, "steps = 20000, seed = 1, validate = every(200)");
    let (whole, broken) = (dir.join("whole"), dir.join("broken"));
    ends(&catlearn(&["-q", "train", &file, "--out", text(&whole)]), 0);
    let child = command(&["train", &file, "--out", text(&broken)])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    for _ in 0..3000 {
        std::thread::sleep(std::time::Duration::from_millis(2));
        if fs::read_to_string(broken.join("metrics.jsonl")).is_ok_and(|t| t.lines().count() > 1) {
            break;
        }
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let (out, said) = ends(&child.wait_with_output().unwrap(), 130);
    assert!(out.is_empty(), "{out}");
    let next = said.lines().find_map(|l| l.strip_prefix("interrupted; go on with: catlearn ")).unwrap();
    assert_eq!(json(&broken.join("run.json"))["status"], "interrupted");
    let args: Vec<&str> = next.split(' ').collect();
    ends(&catlearn(&args), 0);
    assert_eq!(last(&broken), last(&whole));
}

#[test]
fn a_file_of_defaults_stands_below_everything_else() {
    let dir = folder("defaults");
    let inner = dir.join("a/b");
    fs::create_dir_all(&inner).unwrap();
    fs::create_dir(dir.join("files")).unwrap();
    fs::write(dir.join("files/d.csv"), "1,2\n2,4\n").unwrap();
    let source = |seed: &str| {
        PROGRAM
            .replace("FIELDS", &format!("steps = 2{seed}"))
            .replace("inline([[1, 2], [2, 4], [3, 6], [4, 9]])", "csv(\"d.csv\")")
    };
    fs::write(inner.join("p.lens"), source("")).unwrap();
    fs::write(dir.join("catlearn.toml"), "seed = 5\ndata_dir = \"files\"\nruns = \"made\"\nquiet = true\n").unwrap();
    let seed = |args: &[&str], variable: &str| {
        let all = [&["train", "p.lens", "--format", "json"], args].concat();
        let (said, noted) = ends(&here(&inner, &all).env("CATLEARN_SEED", variable).output().unwrap(), 0);
        assert!(noted.is_empty(), "quiet: {noted}");
        serde_json::from_str::<Value>(&said).unwrap()["seed"].as_u64().unwrap()
    };
    assert_eq!(seed(&[], ""), 5);
    assert!(dir.join("made/0001-t/run.json").is_file(), "runs go where the file says, seen from it");
    assert_eq!(seed(&[], "6"), 6);
    assert_eq!(seed(&["--seed", "7"], "6"), 7);
    fs::write(inner.join("p.lens"), source(", seed = 8")).unwrap();
    assert_eq!(seed(&[], ""), 8);
    // The nearest file counts alone.
    fs::write(inner.join("catlearn.toml"), "color = \"always\"\ndata_dir = [\"nowhere\", \"../../files\"]\n").unwrap();
    fs::write(inner.join("bad.lens"), "model n : R[1] -> R[1] = tanhh\n").unwrap();
    let check = |args: &[&str]| ends(&here(&inner, &[&["check", "bad.lens"], args].concat()).output().unwrap(), 1).1;
    assert!(check(&[]).contains('\u{1b}') && !check(&["--color", "never"]).contains('\u{1b}'));
    ends(&here(&inner, &["trace", "p.lens", "--steps", "1"]).output().unwrap(), 0);
    for (wrong, place) in [
        ("colour = \"never\"\n", "catlearn.toml:1:1"),
        ("quiet = true\nseed = \"x\"\n", "catlearn.toml:2:8"),
        ("quiet = \n", "catlearn.toml:1:"),
        ("threads = 0\n", "catlearn.toml:1:11"),
    ] {
        fs::write(inner.join("catlearn.toml"), wrong).unwrap();
        let (_, said) = ends(&here(&inner, &["check", "p.lens"]).output().unwrap(), 2);
        assert!(said.contains("E0807") && said.contains(place), "{wrong}: {said}");
    }
}

/// A terminal through `script` of util-linux, where there is one.
#[cfg(target_os = "linux")]
#[test]
fn a_terminal_has_a_live_line_and_a_curve() {
    let dir = folder("terminal");
    let file = program(&dir, "steps = 400, seed = 1, validate = every(20)");
    let run = dir.join("run");
    let line = format!("{} train {file} --out {}", env!("CARGO_BIN_EXE_catlearn"), text(&run));
    let Ok(o) = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .envs([("COLUMNS", "90"), ("TERM", "xterm"), ("LC_ALL", "C.UTF-8")])
        .stdin(Stdio::null())
        .output()
    else {
        return;
    };
    let (said, _) = ends(&o, 0);
    assert!(said.contains("/400  [") && said.contains("ETA ") && said.contains("ms/step  loss "), "{said}");
    assert!(said.contains("train loss") && said.chars().any(|c| ('\u{2801}'..'\u{28ff}').contains(&c)), "{said}");
    // In a pipe there is neither.
    let (_, said) = ends(&catlearn(&["train", &file, "--out", text(&run), "--force"]), 0);
    assert!(said.contains("epoch ") && !said.contains("ETA") && !said.contains('\r'), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_text_that_cannot_be_written_is_no_success() {
    let dir = folder("full");
    let input = fs::File::open(program(&dir, "epochs = 1, seed = 1")).unwrap();
    let full = fs::File::create("/dev/full").unwrap();
    let out = here(&dir, &["fmt", "-"]).stdin(input).stdout(full).output().unwrap();
    let (_, said) = ends(&out, 1);
    assert!(said.contains("cannot be written"), "{said}");
}

#[test]
fn a_folder_that_the_path_of_a_program_leaves_again_has_no_say() {
    let dir = folder("left-again");
    fs::create_dir(dir.join("other")).unwrap();
    fs::write(dir.join("other/catlearn.toml"), "no key\n").unwrap();
    program(&dir, "epochs = 1, seed = 1");
    ends(&here(&dir.join("other"), &["check", "../p.lens"]).output().unwrap(), 0);
    ends(&here(&dir, &["check", "other/../p.lens"]).output().unwrap(), 0);
}

#[test]
fn a_fault_in_an_override_is_one_of_the_command_line() {
    let dir = folder("set-fault");
    let path = program(&dir, "epochs = 1, seed = 1");
    for set in ["foo=1", "loss=nope", "epochs"] {
        let (_, said) = ends(&here(&dir, &["train", &path, "--set", set]).output().unwrap(), 2);
        assert!(said.contains(set.split('=').next().unwrap()), "{said}");
    }
}

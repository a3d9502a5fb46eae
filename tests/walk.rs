//! The walk of docs/walk.md, command by command: what it shows is what happens.
//!
//! A `console` block has commands behind `$ ` and below each what it writes, stdout and stderr together; `? 1` is an exit
//! code that is not 0, `[..]` stands for anything within a line. `CATLEARN_BLESS=1` writes the answers anew.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests read files and the environment")]

mod commands;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const PAGE: &str = "docs/walk.md";

/// Runs a line of the shell in a folder with the binary on its path; what it writes, then its exit code if that is not 0.
fn run(line: &str, dir: &Path) -> Vec<String> {
    let binary = Path::new(env!("CARGO_BIN_EXE_catlearn")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{{ {line}\n}} 2>&1")]).current_dir(dir).env("PATH", path).env("LC_ALL", "C");
    for name in ["CATLEARN_DATA", "CATLEARN_SEED", "CATLEARN_COLOR", "COLUMNS"] {
        command.env_remove(name);
    }
    let o = command.output().unwrap();
    let mut lines: Vec<String> = String::from_utf8(o.stdout).unwrap().lines().map(str::to_owned).collect();
    match o.status.code() {
        Some(0) => {}
        code => lines.push(format!("? {}", code.unwrap())),
    }
    lines
}

/// Whether a line is what the page shows, `[..]` being anything.
fn fits(shown: &str, line: &str) -> bool {
    let mut parts = shown.split("[..]");
    let Some(mut rest) = line.strip_prefix(parts.next().unwrap()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// What differs from machine to machine: seconds.
fn blurred(line: &str) -> String {
    match (line.find(" steps in "), line.find(" s; the run")) {
        (Some(from), Some(to)) => format!("{} steps in [..]{}", &line[..from], &line[to..]),
        _ => line.to_owned(),
    }
}

#[test]
fn the_walk_is_as_its_page_shows() {
    let page = fs::read_to_string(PAGE).unwrap();
    let mut dir: PathBuf = commands::folder("walk");
    let (mut blessed, mut wrong, mut seen) = (String::new(), Vec::new(), 0);
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        blessed.push_str(&format!("{line}\n"));
        if line != "```console" {
            continue;
        }
        while let Some(command) = lines.next() {
            blessed.push_str(&format!("{command}\n"));
            let Some(text) = command.strip_prefix("$ ") else {
                assert_eq!(command, "```", "a block begins with a command");
                break;
            };
            let mut shown = Vec::new();
            while let Some(next) = lines.next_if(|l| !l.starts_with("$ ") && *l != "```") {
                shown.push(next);
            }
            seen += 1;
            let found = match text.strip_prefix("cd ") {
                Some(inner) => {
                    dir = dir.join(inner);
                    Vec::new()
                }
                None => run(text, &dir),
            };
            let same = shown.len() == found.len() && shown.iter().zip(&found).all(|(s, f)| fits(s, f));
            let blurred: Vec<String> = found.iter().map(|l| blurred(l)).collect();
            if !same {
                wrong.push(format!("$ {text}\nshown\n{}\nfound\n{}", shown.join("\n"), blurred.join("\n")));
            }
            blurred.iter().for_each(|l| blessed.push_str(&format!("{l}\n")));
        }
    }
    assert!(seen >= 12, "{seen} commands");
    if std::env::var("CATLEARN_BLESS").is_ok() {
        fs::write(PAGE, blessed).unwrap();
        return;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn placeholders_stand_for_anything_and_for_nothing_else() {
    assert!(fits("a [..] c", "a b c") && fits("[..]", "") && fits("x[..]y[..]z", "x1y2z") && fits("same", "same"));
    assert!(!fits("a [..] c", "a b d") && !fits("same", "same!") && !fits("x[..]y[..]z", "xz") && !fits("b", "ab"));
}

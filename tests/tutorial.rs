//! The tutorial is walked through: its programs are written to a folder and its commands are run there, in order.
//!
//! A block of `lens` whose first line is `// name.lens` is that file. A block of `console` has commands behind `$ ` and
//! what they say below; `...` stands for any lines, `[..]` for any text of a line.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests read files")]

mod book;

use book::book as pages_of_the_book;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Whether a line is as shown, `[..]` standing for any text.
fn line_fits(shown: &str, said: &str) -> bool {
    let Some((start, rest)) = shown.split_once("[..]") else { return shown == said };
    let Some(said) = said.strip_prefix(start) else { return false };
    (0..=said.len()).filter(|at| said.is_char_boundary(*at)).any(|at| line_fits(rest, &said[at..]))
}

/// Whether lines are as shown, a line `...` standing for any lines.
fn fits(shown: &[&str], said: &[&str]) -> bool {
    match shown {
        [] => said.is_empty(),
        ["...", rest @ ..] => (0..=said.len()).any(|at| fits(rest, &said[at..])),
        [first, rest @ ..] => said.split_first().is_some_and(|(s, others)| line_fits(first, s) && fits(rest, others)),
    }
}

/// Runs a line as a user would: one shell, both streams, `catlearn` on the path.
fn said(line: &str, folder: &Path) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_catlearn")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{{ {line}\n}} 2>&1")]).current_dir(folder).env("PATH", path);
    shell.env("CATLEARN_REPOSITORY", env!("CARGO_MANIFEST_DIR")).env("LC_ALL", "C");
    for name in ["CATLEARN_DATA", "CATLEARN_SEED", "CATLEARN_COLOR"] {
        shell.env_remove(name);
    }
    String::from_utf8(shell.output().unwrap().stdout).unwrap()
}

#[test]
fn the_tutorial_goes_as_it_says() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tutorial");
    let _absent = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let (mut commands, mut wrong) = (0, Vec::new());
    for page in pages_of_the_book().into_iter().filter(|p| p.path.starts_with("docs/tutorial")) {
        for block in page.blocks() {
            let name = block.text.lines().next().and_then(|l| l.strip_prefix("// ")).filter(|n| n.ends_with(".lens"));
            match (block.info.as_str(), name) {
                ("lens" | "lens wrong", Some(name)) => fs::write(folder.join(name), &block.text).unwrap(),
                ("console", _) => {
                    for part in format!("\n{}", block.text).split("\n$ ").skip(1) {
                        let (line, shown) = part.split_once('\n').unwrap_or((part, ""));
                        commands += 1;
                        let said = said(line, &folder);
                        let shown: Vec<&str> = shown.lines().collect();
                        if !fits(&shown, &said.lines().collect::<Vec<_>>()) {
                            wrong.push(format!("{}:{}: $ {line}\n{said}", page.name(), block.line));
                        }
                    }
                }
                _ => {}
            }
        }
    }
    assert!(commands >= 20, "{commands} commands");
    assert!(wrong.is_empty(), "what is said is not what is shown:\n{}", wrong.join("\n"));
}

#[test]
fn shown_lines_fit_what_is_said() {
    assert!(fits(&["a", "...", "c [..] e"], &["a", "b", "b", "c d e"]));
    assert!(fits(&["..."], &[]) && fits(&[], &[]));
    assert!(!fits(&["a"], &["a", "b"]) && !fits(&["a", "b"], &["a"]));
    assert!(!line_fits("a [..] c", "a b"));
}

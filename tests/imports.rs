//! The direction of data flow, held by reading the `use` lines: a stage imports the stages to its left, never to its right.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

/// The stages in pipeline order, as `src/lib.rs` lists them.
fn stages() -> Vec<String> {
    let lib = fs::read_to_string("src/lib.rs").unwrap();
    lib.lines().filter_map(|l| l.strip_prefix("pub mod ")?.strip_suffix(';').map(str::to_owned)).collect()
}

fn rust_files(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// The stages that a text names behind `crate::`.
fn named(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for part in text.split("crate::").skip(1) {
        if let Some(list) = part.strip_prefix('{') {
            let list = list.split('}').next().unwrap();
            found.extend(list.split(',').map(|n| n.trim().split("::").next().unwrap().to_owned()));
        } else {
            found.push(part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    found
}

#[test]
fn no_arrow_points_back() {
    let stages = stages();
    assert!(stages.len() >= 10, "lib.rs lists {stages:?}");
    let mut seen = 0;
    let mut wrong = Vec::new();
    for (at, stage) in stages.iter().enumerate() {
        let folder = PathBuf::from("src").join(stage);
        let mut files = Vec::new();
        if folder.is_dir() {
            rust_files(&folder, &mut files);
        } else {
            files.push(folder.with_extension("rs"));
        }
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            let code: String =
                text.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
            for name in named(&code) {
                if let Some(other) = stages.iter().position(|s| *s == name) {
                    seen += 1;
                    if other > at {
                        wrong.push(format!("{} uses crate::{name}", file.display()));
                    }
                }
            }
        }
    }
    assert!(seen > 100, "only {seen} imports found");
    assert!(wrong.is_empty(), "arrows that point back:\n{}", wrong.join("\n"));
}

#[test]
fn every_file_begins_with_its_page() {
    let mut files = Vec::new();
    rust_files(Path::new("src"), &mut files);
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let page = text.lines().take_while(|l| l.starts_with("//!")).count();
        // The page of the crate is the front page of its documentation.
        let most = if file.ends_with("src/lib.rs") { 60 } else { 14 };
        assert!((1..=most).contains(&page), "{} has a page of {page} lines", file.display());
    }
}

#[test]
fn layers_losses_and_rules_are_not_rust() {
    let mut files = Vec::new();
    rust_files(Path::new("src"), &mut files);
    for file in files.iter().filter(|f| !f.ends_with("tests.rs")) {
        let text = fs::read_to_string(file).unwrap();
        let code: String = text.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        for word in ["beta1", "cross_entropy\"", "\"adam\"", "\"dense\""] {
            let test_only = code.find("#[cfg(test)]").unwrap_or(code.len());
            assert!(!code[..test_only].contains(word), "{} says {word}", file.display());
        }
    }
}

/// What a base or a tangent changes is said by `prim` and `object`: the functors read it from there.
#[test]
fn reverse_and_learn_never_ask_for_a_base() {
    let mut files = Vec::new();
    for folder in ["src/learn", "src/reverse"] {
        rust_files(Path::new(folder), &mut files);
    }
    let tests = |f: &Path| f.file_name().is_some_and(|n| n.to_string_lossy().ends_with("tests.rs"));
    files.retain(|f| !tests(f));
    assert!(files.len() >= 8);
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let code = text.lines().filter(|l| !l.trim_start().starts_with("//"));
        for (at, line) in code.enumerate() {
            for word in ["Base", ".base", "base:", "Tangent::", "Leaf::real"] {
                assert!(!line.contains(word), "{}, line {} of its code: {line}", file.display(), at + 1);
            }
        }
    }
}

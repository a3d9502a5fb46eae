//! Wrong programs by the thousand: every example broken off, and with a word or sign left out, doubled or swapped.
//!
//! Nothing panics, and every error has a code of the table, a place in the files, words there and one suggestion. A
//! sample runs here; `CATLEARN_ROUNDS=2000 cargo test --release --test robust` breaks every example off behind each of
//! its characters and leaves out each of its words and signs, 2,000 of them at most.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests read files")]

#[path = "support/tokens.rs"]
mod tokens;

use catlearn::elaborate::Program;
use catlearn::source::{Diagnostics, MemoryWorld, SourceMap, all_codes};
use std::path::{Path, PathBuf};
use tokens::{Lcg, bare, misprint, pieces};

#[allow(dead_code, reason = "a part of the binary, used here as a library")]
#[path = "../src/cli/render.rs"]
mod render;

/// How many misprints an example gets.
fn rounds() -> usize {
    std::env::var("CATLEARN_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(60)
}

fn said(text: &str) -> (Diagnostics, SourceMap) {
    match Program::parse(text, "example.lens", &MemoryWorld::default()) {
        Ok(program) => (program.check(), program.sources().clone()),
        Err(said) => said,
    }
}

/// How many errors a text has; each is held to what every error has.
fn errors(text: &str) -> usize {
    let (said, sources) = said(text);
    for d in said.0.iter().filter(|d| d.is_error()) {
        assert!(all_codes().iter().any(|(code, _)| *code == d.code), "{d:?}");
        assert!(d.labels.iter().any(|l| l.primary), "{d:?}\n{text}");
        for label in &d.labels {
            let file = sources.get(label.span.file).unwrap_or_else(|| panic!("{d:?}"));
            let span = label.span.start as usize..label.span.end as usize;
            assert!(!label.text.is_empty() && file.text.get(span).is_some(), "{d:?}\n{text}");
        }
        assert!(d.help.as_ref().is_some_and(|h| !h.is_empty() && !h.contains('\n')), "{d:?}\n{text}");
    }
    let drawn = render::render(&said, &sources, render::Style { color: false, width: 80 });
    assert_eq!(drawn.matches("error[E").count(), said.0.iter().filter(|d| d.is_error()).count());
    drawn.matches("error[E").count()
}

fn examples(folder: &Path, out: &mut Vec<PathBuf>) {
    for path in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
        if path.is_dir() {
            examples(&path, out);
        } else if path.extension().is_some_and(|e| e == "lens") {
            out.push(path);
        }
    }
    out.sort();
}

/// Runs a test over every example, the files on threads of their own.
fn over_examples(test: impl Fn(&str, &str) + Sync) {
    let mut files = Vec::new();
    examples(Path::new("examples"), &mut files);
    assert!(files.len() >= 8, "{files:?}");
    std::thread::scope(|scope| {
        for file in &files {
            let test = &test;
            scope.spawn(move || test(&file.display().to_string(), &bare(&std::fs::read_to_string(file).unwrap())));
        }
    });
}

#[test]
fn examples_that_break_off() {
    over_examples(|name, text| {
        let ends: Vec<usize> = match rounds() >= 2000 {
            true => text.char_indices().map(|(at, _)| at).collect(),
            false => pieces(text).iter().map(|(_, end)| *end).collect(),
        };
        let every = if rounds() >= 2000 { 1 } else { (ends.len() / 25).max(1) };
        for end in ends.iter().step_by(every) {
            let errors = errors(&text[..*end]);
            assert!(errors <= 4, "{name} up to {end}: {errors} errors\n{}", &text[..*end]);
        }
    });
}

#[test]
fn examples_with_a_word_or_sign_left_out() {
    over_examples(|name, text| {
        let all = pieces(text);
        let every = (all.len() / rounds()).max(1);
        for at in (0..all.len()).step_by(every) {
            let wrong = misprint(text, &all, at, 0);
            let errors = errors(&wrong);
            assert!(errors <= 8, "{name}: {errors} errors\n{wrong}");
        }
    });
}

#[test]
fn examples_with_a_word_doubled_or_swapped() {
    over_examples(|name, text| {
        let all = pieces(text);
        let mut random = Lcg(name.len() as u64);
        for round in 0..rounds() {
            let (at, kind) = (random.below(all.len()), [1, 2][round % 2]);
            let wrong = misprint(text, &all, at, kind);
            let errors = errors(&wrong);
            assert!(errors <= 8, "{name}: {errors} errors\n{wrong}");
        }
    });
}

//! Prose tests: every `lens` block of `tests/pages/*.md` is checked, and its messages must be those of the `text` block
//! after it, to the letter. `CATLEARN_BLESS=1` rewrites the pages.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "tests")]

use catlearn::elaborate::Program;
use catlearn::source::{MemoryWorld, all_codes};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

#[allow(dead_code, reason = "a part of the binary, used here as a library")]
#[path = "../src/cli/render.rs"]
mod render;

fn messages(text: &str) -> String {
    let style = render::Style { color: false, width: 100 };
    let (said, sources) = match Program::parse(text, "page.lens", &MemoryWorld::default()) {
        Ok(program) => (program.check(), program.sources().clone()),
        Err((said, sources)) => (said, sources),
    };
    let mut out = render::render(&said, &sources, style).trim_end().to_owned();
    if out.is_empty() {
        out.push_str("no messages");
    }
    out
}

/// The page with the messages that its programs give.
fn rendered(page: &str) -> (String, usize) {
    let mut out = String::new();
    let mut lines = page.lines().peekable();
    let mut programs = 0;
    while let Some(line) = lines.next() {
        writeln!(out, "{line}").unwrap();
        if line != "```lens" {
            continue;
        }
        let mut program = String::new();
        for line in lines.by_ref() {
            writeln!(out, "{line}").unwrap();
            if line == "```" {
                break;
            }
            writeln!(program, "{line}").unwrap();
        }
        programs += 1;
        // Whatever stands between the program and its messages is kept; the messages are made anew.
        while lines.peek().is_some_and(|l| l.is_empty()) {
            lines.next();
        }
        if lines.peek() == Some(&"```text") {
            for line in lines.by_ref() {
                if line == "```" {
                    break;
                }
            }
        }
        while lines.peek().is_some_and(|l| l.is_empty()) {
            lines.next();
        }
        let end = if lines.peek().is_some() { "\n" } else { "" };
        writeln!(out, "\n```text\n{}\n```{end}", messages(&program)).unwrap();
    }
    (out, programs)
}

fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = std::fs::read_dir("tests/pages")
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "md"))
        .collect();
    pages.sort();
    pages
}

#[test]
fn pages_say_what_the_checker_says() {
    let mut programs = 0;
    let mut wrong = Vec::new();
    for path in pages() {
        let page = std::fs::read_to_string(&path).unwrap();
        let (now, count) = rendered(&page);
        programs += count;
        if now != page {
            if std::env::var_os("CATLEARN_BLESS").is_some() {
                std::fs::write(&path, &now).unwrap();
            } else {
                wrong.push(format!("{}:\n{now}", path.display()));
            }
        }
    }
    assert!(programs >= 15, "only {programs} programs");
    assert!(wrong.is_empty(), "pages differ from what is said now:\n{}", wrong.join("\n"));
}

#[test]
fn every_code_on_a_page_is_in_the_table() {
    let known: BTreeSet<String> = all_codes().iter().map(|(c, _)| c.to_string()).collect();
    for path in pages() {
        let page = std::fs::read_to_string(&path).unwrap();
        for part in page.split("[E").skip(1) {
            let code = format!("E{}", part.chars().take(4).collect::<String>());
            assert!(known.contains(&code), "{code} in {}", path.display());
        }
    }
}

//! Prose tests: every `lens` block of `tests/pages/*.md` is checked, and its messages must be those of the `text` block
//! after it, to the letter. `CATLEARN_BLESS=1` rewrites the pages.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "tests")]

use catlearn::elaborate::Program;
use catlearn::source::{Code, Diagnostic, Diagnostics, MemoryWorld, SourceMap, all_codes};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::LazyLock;

#[allow(dead_code, reason = "a part of the binary, used here as a library")]
#[path = "../src/cli/render.rs"]
mod render;

/// What is said of a program, and its files.
fn said(text: &str) -> (Diagnostics, SourceMap) {
    match Program::parse(text, "page.lens", &MemoryWorld::default()) {
        Ok(program) => (program.check(), program.sources().clone()),
        Err(said) => said,
    }
}

fn messages(text: &str) -> String {
    let style = render::Style { color: false, width: 100 };
    let (said, sources) = said(text);
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

/// The files of a folder that end in a dot and `end`, in order.
fn files(folder: &str, end: &str) -> Vec<PathBuf> {
    let all = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let mut files: Vec<PathBuf> = all.filter(|p| p.extension().is_some_and(|e| e == end)).collect();
    files.sort();
    files
}

fn pages() -> Vec<PathBuf> {
    files("tests/pages", "md")
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

/// What a message lacks that every message has: a place, words at each place, and one suggestion.
fn lacks(d: &Diagnostic) -> Vec<&'static str> {
    let mut lacks = Vec::new();
    if d.span().is_none() || !d.labels.iter().any(|l| l.primary) {
        lacks.push("a place");
    }
    if d.labels.iter().any(|l| l.text.is_empty()) {
        lacks.push("words at a place");
    }
    match &d.help {
        None => lacks.push("a suggestion"),
        Some(help) if help.is_empty() || help.contains('\n') => lacks.push("a suggestion of one line"),
        Some(_) => {}
    }
    lacks
}

/// Every program of the pages with what is said about it, and the page it stands on.
static SAID: LazyLock<Vec<(String, Diagnostics)>> = LazyLock::new(|| {
    let mut all = Vec::new();
    for path in pages() {
        let page = std::fs::read_to_string(&path).unwrap();
        for part in page.split("```lens\n").skip(1) {
            let program = part.split("\n```").next().unwrap();
            all.push((path.display().to_string(), said(program).0));
        }
    }
    for path in files("tests/errors", "lens") {
        all.push((path.display().to_string(), said(&std::fs::read_to_string(&path).unwrap()).0));
    }
    all
});

#[test]
fn every_message_has_a_place_and_one_suggestion() {
    let mut wrong = Vec::new();
    for (page, said) in SAID.iter() {
        for d in &said.0 {
            let lacks = lacks(d);
            if !lacks.is_empty() {
                wrong.push(format!("{page}: {} {} lacks {}", d.code, d.message, lacks.join(", ")));
            }
        }
    }
    assert!(wrong.is_empty(), "{} messages:\n{}", wrong.len(), wrong.join("\n"));
}

/// The codes of messages that no check gives: they need the rows of the data, a law or a step; E07xx and E08xx need a run.
const NOT_BY_CHECK: [Code; 5] =
    [Code::CONVERSION, Code::NO_REVERSE, Code::DATA_FILE, Code::DATA_VALUE, Code::DATA_COLUMN];

#[test]
fn every_code_of_a_check_has_a_wrong_program() {
    let shown: BTreeSet<Code> = SAID.iter().flat_map(|(_, said)| &said.0).map(|d| d.code).collect();
    let missing: Vec<String> = all_codes()
        .iter()
        .filter(|(code, _)| !shown.contains(code) && !NOT_BY_CHECK.contains(code) && !matches!(code.0 / 100, 7 | 8))
        .map(|(code, title)| format!("{code}: {title}"))
        .collect();
    assert!(missing.is_empty(), "no page shows\n{}", missing.join("\n"));
    let given: Vec<&Code> = NOT_BY_CHECK.iter().filter(|c| shown.contains(c)).collect();
    assert!(given.is_empty(), "given by a check after all: {given:?}");
}

#[test]
fn sixty_wrong_programs() {
    let wrong = SAID.iter().filter(|(_, said)| said.has_errors()).count();
    assert!(wrong >= 60, "{wrong}");
}

/// No word of the parser generator or name of a grammar rule reaches a message.
#[test]
fn no_message_speaks_of_the_grammar() {
    let rules = ["expected EOI", "p_open", "b_close", "ty_atom", "typed_pat", "slip_", "kw_", "let_stmt", "map_item"];
    for (page, said) in SAID.iter() {
        for d in &said.0 {
            let words =
                std::iter::once(&d.message).chain(d.labels.iter().map(|l| &l.text)).chain(&d.notes).chain(&d.help);
            for word in words {
                assert!(!rules.iter().any(|r| word.contains(r)), "{page}: {word}");
            }
        }
    }
}

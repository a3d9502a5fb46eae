//! Every code has a page in `docs/errors`, and what the page shows is what happens: the first program gives exactly the
//! message below it, the last one gives none. `CATLEARN_BLESS=1` rewrites the messages and the index.
//!
//! A `console` block stands for a message that arises when a command runs: `$` lines are run in a shell, in a folder
//! with the program as `model.lens`; the last of them must fail with what is written below it. The mended program makes
//! all of them succeed, or a second `console` block does.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests run commands and read files")]

mod commands;

use catlearn::elaborate::Program;
use catlearn::manual::page;
use catlearn::source::{Code, MemoryWorld, all_codes};
use commands::{catlearn, ends, folder};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

#[allow(dead_code, reason = "a part of the binary, used here as a library")]
#[path = "../src/cli/render.rs"]
mod render;

/// Codes that no small program and no command brings about here; their pages say where they arise: the conversion of
/// learners (in the library alone), and a configuration, whose message names a path of the machine.
const TOLD: &[u16] = &[506, 807];

/// A fenced block: what stands behind the fence, and its lines.
#[derive(Clone, Debug)]
struct Block {
    info: String,
    text: String,
}

/// A page as prose and blocks.
enum Piece {
    Prose(String),
    Block(Block),
}

fn pieces(page: &str) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        match line.strip_prefix("```") {
            None => found.push(Piece::Prose(line.to_owned())),
            Some(info) => {
                let text = lines.by_ref().take_while(|l| *l != "```").fold(String::new(), |t, l| t + l + "\n");
                found.push(Piece::Block(Block { info: info.to_owned(), text }));
            }
        }
    }
    found
}

fn written(pieces: &[Piece]) -> String {
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Prose(line) => writeln!(out, "{line}").unwrap(),
            Piece::Block(b) => writeln!(out, "```{}\n{}```", b.info, b.text).unwrap(),
        }
    }
    out
}

/// What the checker says of a program, and whether it is an error.
fn messages(text: &str) -> String {
    let (said, sources) = match Program::parse(text, "model.lens", &MemoryWorld::default()) {
        Ok(program) => (program.check(), program.sources().clone()),
        Err(found) => found,
    };
    render::render(&said, &sources, render::Style { color: false, width: 80 })
}

/// Runs the `$` lines; whether each but the last succeeded, and how the last ended.
fn console(dir: &Path, commands: &str) -> (bool, bool, String) {
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_catlearn"));
    let path = std::env::join_paths(
        std::iter::once(binary.parent().unwrap().to_path_buf())
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    )
    .unwrap();
    let lines: Vec<&str> = commands.lines().filter_map(|l| l.strip_prefix("$ ")).collect();
    let (last, before) = lines.split_last().unwrap();
    let run = |line: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", line]).current_dir(dir).env("PATH", &path).env("COLUMNS", "80");
        for name in ["CATLEARN_DATA", "CATLEARN_SEED", "CATLEARN_COLOR"] {
            command.env_remove(name);
        }
        command.output().unwrap()
    };
    let fine = before.iter().all(|line| run(line).status.success());
    let o = run(last);
    (fine, o.status.success(), String::from_utf8(o.stderr).unwrap())
}

/// A folder with a program and the files that a page gives.
fn stage(name: &str, program: &str, pieces: &[Piece]) -> PathBuf {
    let dir = folder(name);
    std::fs::write(dir.join("model.lens"), program).unwrap();
    for piece in pieces {
        if let Piece::Block(Block { info, text }) = piece
            && let Some(file) = info.strip_prefix("csv ")
        {
            std::fs::write(dir.join(file), text).unwrap();
        }
    }
    dir
}

/// The page with its messages made anew, and what is wrong with it.
fn checked(code: Code, page: &str) -> (String, Vec<String>) {
    let mut pieces = pieces(page);
    let mut wrong = Vec::new();
    let blocks: Vec<Block> =
        pieces.iter().filter_map(|p| if let Piece::Block(b) = p { Some(b.clone()) } else { None }).collect();
    let of = |info: &str| blocks.iter().filter(|b| b.info == info).map(|b| b.text.clone()).collect::<Vec<_>>();
    let (shown, shells) = (of("text"), of("console"));
    let (first, mended) = (of("lens wrong").first().cloned().unwrap_or_default(), of("lens").first().cloned());
    let made = match (shown.as_slice(), shells.as_slice()) {
        ([_], []) => {
            match &mended {
                Some(mended) => {
                    let said = messages(mended);
                    if !said.is_empty() {
                        wrong.push(format!("{code}: the mended program is not silent:\n{said}"));
                    }
                }
                None => wrong.push(format!("{code}: there is no mended program")),
            }
            messages(&first)
        }
        ([], [shell, again @ ..]) => {
            let (fine, ended, said) = console(&stage(&format!("{code}-wrong"), &first, &pieces), shell);
            if !fine || ended {
                wrong.push(format!("{code}: the last command must fail, and none before it"));
            }
            let dir = stage(&format!("{code}-mended"), mended.as_deref().unwrap_or(&first), &pieces);
            let (fine, ended, told) = console(&dir, again.first().unwrap_or(shell));
            if !fine || !ended || mended.is_none() && again.is_empty() {
                wrong.push(format!("{code}: the mended commands fail, or there are none\n{told}"));
            }
            let commands: String = shell.lines().filter(|l| l.starts_with("$ ")).map(|l| format!("{l}\n")).collect();
            commands + &said
        }
        _ if TOLD.contains(&code.0) => return (written(&pieces), wrong),
        _ => {
            wrong.push(format!("{code}: a page has one `text` block, or a `console` block"));
            return (written(&pieces), wrong);
        }
    };
    if !made.contains(&format!("[{code}]")) {
        wrong.push(format!("{code}: the program does not give this code but\n{made}"));
    }
    let others = made.matches("error[").count() + made.matches("warning[").count();
    // A `rev` that breaks a law is not the derivative either, which has a code of its own.
    let laws = code.0 / 100 == 7;
    if others != 1 && !laws {
        wrong.push(format!("{code}: the program gives {others} messages, one is asked for\n{made}"));
    }
    let info = if shells.is_empty() { "text" } else { "console" };
    if let Some(Piece::Block(b)) = pieces.iter_mut().find(|p| matches!(p, Piece::Block(b) if b.info == info)) {
        b.text = made;
    }
    (written(&pieces), wrong)
}

#[test]
fn every_page_shows_what_happens() {
    let bless = std::env::var_os("CATLEARN_BLESS").is_some();
    let mut wrong = Vec::new();
    for (code, title) in all_codes() {
        let path = format!("docs/errors/{code}.md");
        let Ok(text) = std::fs::read_to_string(&path) else {
            wrong.push(format!(
                "{path} is missing. Write it (docs/errors/README.md says how), and add \"{code}\" to src/manual/pages.rs"
            ));
            continue;
        };
        if !text.starts_with(&format!("# {code}: {title}\n\n")) {
            wrong.push(format!("{path} must begin with `# {code}: {title}`, the title of src/source/codes.rs"));
        }
        let (now, faults) = checked(*code, &text);
        wrong.extend(faults);
        if now != text {
            if bless {
                std::fs::write(&path, &now).unwrap();
            } else {
                wrong.push(format!("{path} differs from what happens now:\n{now}"));
            }
        } else if page(*code).is_none() {
            wrong.push(format!("{path} is not in the binary: add \"{code}\" to src/manual/pages.rs"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// How a page is written, and every code by its hundred.
fn index() -> String {
    let mut out = String::from(
        "# Messages by code\n\n`catlearn explain E0301` shows the page of a code. Every page is tested: its first program gives exactly the message below it,\nits last one gives none (`cargo test --test codes`; `CATLEARN_BLESS=1` rewrites the messages and this index).\n\nA page: the title of `src/source/codes.rs`; what it means; a `lens wrong` block with one fault; a `text` block with the message; why;\nthe mended program in a `lens` block. A message of a command has a `console` block in place of `text`, `$ catlearn ..`\nlines with the message of the last. `src/manual/pages.rs` compiles the pages in, `docs/SUMMARY.md` puts them into the book.\n",
    );
    let groups = [
        "Text",
        "Names",
        "Types and shapes",
        "Ports and calls",
        "Rules and training",
        "Data",
        "Laws",
        "Running",
        "Limits",
    ];
    for (at, group) in groups.iter().enumerate() {
        let of: Vec<_> = all_codes().iter().filter(|(c, _)| usize::from(c.0) / 100 == at + 1).collect();
        writeln!(out, "\n## {group}\n\n| code | |\n|---|---|").unwrap();
        for (code, title) in of {
            writeln!(out, "| [{code}]({code}.md) | {title} |").unwrap();
        }
    }
    out
}

#[test]
fn the_index_lists_every_code() {
    let now = index();
    assert_eq!(now.matches("| [E").count(), all_codes().len());
    if std::env::var_os("CATLEARN_BLESS").is_some() {
        std::fs::write("docs/errors/README.md", &now).unwrap();
    }
    let text = std::fs::read_to_string("docs/errors/README.md").unwrap();
    assert!(text == now, "docs/errors/README.md is not what CATLEARN_BLESS=1 writes:\n{now}");
    let summary = std::fs::read_to_string("docs/SUMMARY.md").unwrap();
    for (code, _) in all_codes() {
        let line = format!("  - [{code}](errors/{code}.md)");
        assert!(summary.lines().any(|l| l == line), "docs/SUMMARY.md needs the line `{line}`");
    }
}

#[test]
fn no_page_is_without_its_code() {
    for entry in std::fs::read_dir("docs/errors").unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        let known = all_codes().iter().any(|(c, _)| name == format!("{c}.md"));
        assert!(known || name == "README.md", "docs/errors/{name} is the page of no code");
    }
}

#[test]
fn the_pages_are_in_the_binary() {
    for (code, title) in all_codes() {
        let (said, _) = ends(&catlearn(&["explain", &code.to_string()]), 0);
        assert!(said.starts_with(&format!("{code}: {title}\n")), "{said}");
        assert!(said.lines().all(|l| l.chars().count() <= 80 || l.starts_with("    ")), "{said}");
    }
}

//! The programs in README.md and in the book check without a message; those that are shown as wrong have exactly the
//! messages that stand below them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests read files")]

mod book;

#[allow(dead_code, reason = "a part of the binary, used here as a library")]
#[path = "../src/cli/render.rs"]
mod render;

use book::{Page, book as pages_of_the_book};
use catlearn::elaborate::Program;
use catlearn::source::MemoryWorld;

/// What `catlearn check` says of a program, as it would be shown.
fn messages(name: &str, text: &str) -> String {
    let (said, sources) = match Program::parse(text, name, &MemoryWorld::default()) {
        Ok(program) => (program.check(), program.sources().clone()),
        Err((said, sources)) => (said, sources),
    };
    render::render(&said, &sources, render::Style { color: false, width: 100 }).trim_end().to_owned()
}

/// A block of `lens` is a program of its own. Where its fence says `lens wrong`, the next block is what is said of it.
#[test]
fn every_program_of_the_pages_checks() {
    let mut seen = 0;
    let mut wrong = Vec::new();
    for page in std::iter::once(Page::read("README.md")).chain(pages_of_the_book()) {
        let mut blocks = page.blocks().into_iter();
        while let Some(block) = blocks.next() {
            let place = format!("{}:{}", page.name(), block.line);
            match block.info.as_str() {
                "lens" => {
                    let said = messages(&place, &block.text);
                    if !said.is_empty() {
                        wrong.push(format!("{place}:\n{said}\n{}", block.text));
                    }
                }
                "lens wrong" => {
                    let file = block.text.lines().next().and_then(|l| l.strip_prefix("// ")).unwrap_or("page.lens");
                    let said = messages(file, &block.text);
                    let shown = blocks.next().unwrap_or_else(|| panic!("{place}: a wrong program without its message"));
                    if said != shown.text.trim_end() {
                        wrong.push(format!("{place}: what is said is\n{said}"));
                    }
                }
                other => assert!(!other.starts_with("lens"), "{place}: a fence says `{other}`"),
            }
            seen += usize::from(block.info.starts_with("lens"));
        }
    }
    assert!(seen >= 15, "{seen}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn the_first_program_of_the_readme_is_the_example() {
    let first = Page::read("README.md").blocks().into_iter().find(|b| b.info == "lens").unwrap();
    let example = std::fs::read_to_string("examples/iris.lens").unwrap();
    assert!(example.contains(&first.text), "{}", first.text);
}

/// The blocks of `docs/autodidax.md`, in order, are the file that is compiled and run.
#[test]
fn the_page_of_the_core_is_its_file() {
    let blocks = Page::read("docs/autodidax.md").blocks();
    let rust: Vec<&str> = blocks.iter().filter(|b| b.info == "rust").map(|b| b.text.as_str()).collect();
    let file = std::fs::read_to_string("tests/autodidax.rs").unwrap();
    assert!(rust.len() >= 10);
    assert!(rust.join("\n") == file, "docs/autodidax.md and tests/autodidax.rs differ");
    let core = file.lines().take_while(|l| !l.starts_with("/// Numbers between -1 and 1")).count();
    assert!(core < 600, "the core has {core} lines");
}

//! The programs in README.md and in the book check without a message; those that are shown as wrong have exactly the
//! messages that stand below them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests read files")]

mod book;

#[allow(dead_code, reason = "a part of the binary, used here as a library")]
#[path = "../src/cli/render.rs"]
mod render;

use book::{Page, book as pages_of_the_book};
use catlearn::elaborate::Program;
use catlearn::source::MemoryWorld;

/// What `catlearn check` says of a program, as it would be shown.
fn messages(name: &str, text: &str, world: &MemoryWorld) -> String {
    let (said, sources) = match Program::parse(text, name, world) {
        Ok(program) => (program.check(), program.sources().clone()),
        Err((said, sources)) => (said, sources),
    };
    render::render(&said, &sources, render::Style { color: false, width: 100 }).trim_end().to_owned()
}

/// A block of `lens` is a program of its own. Where its fence says `lens wrong`, the next block is what is said of it.
/// A block that begins with `// name.lens` is that file, and later ones may import it.
#[test]
fn every_program_of_the_pages_checks() {
    let mut seen = 0;
    let mut wrong = Vec::new();
    let mut world = MemoryWorld::default();
    // The pages of codes are looked at by tests/codes.rs.
    let others = pages_of_the_book().into_iter().filter(|p| !p.path.starts_with("docs/errors"));
    for page in std::iter::once(Page::read("README.md")).chain(others) {
        let mut blocks = page.blocks().into_iter();
        while let Some(block) = blocks.next() {
            let place = format!("{}:{}", page.name(), block.line);
            let file = block.text.lines().next().and_then(|l| l.strip_prefix("// ")).filter(|n| n.ends_with(".lens"));
            match block.info.as_str() {
                "lens" => {
                    let said = messages(file.unwrap_or(&place), &block.text, &world);
                    if !said.is_empty() {
                        wrong.push(format!("{place}:\n{said}\n{}", block.text));
                    }
                    if let Some(file) = file {
                        world = world.with(file, block.text.clone());
                    }
                }
                "lens wrong" => {
                    let said = messages(file.unwrap_or("page.lens"), &block.text, &world);
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
    assert!(seen >= 90, "{seen}");
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

#[test]
fn the_page_on_embedding_shows_the_example() {
    let blocks = Page::read("docs/howto/embed.md").blocks();
    let shown = blocks.iter().find(|b| b.info == "rust").unwrap();
    assert!(
        shown.text == std::fs::read_to_string("examples/embed.rs").unwrap(),
        "docs/howto/embed.md and examples/embed.rs"
    );
}

/// The step that `docs/howto/optimiser.md` computes by hand.
#[test]
fn the_rule_of_the_page_makes_the_step_it_says() {
    let blocks = Page::read("docs/howto/optimiser.md").blocks();
    let text = &blocks.iter().find(|b| b.info == "lens").unwrap().text;
    let program =
        Program::parse(text, "rmsprop.lens", &MemoryWorld::default()).unwrap_or_else(|(said, _)| panic!("{said}"));
    let mut learner = program.learner("watch").unwrap();
    learner.step_alone().unwrap();
    let (path, x) = learner.params().remove(0);
    assert_eq!(&*path, "bowl.x");
    let x = x.to_f64();
    assert!((x[0] - 0.8).abs() < 1e-6 && (x[1] + 1.8).abs() < 1e-6, "{x:?}");
}

//! The programs in README.md and docs/*.md check without a message, and the README's numbers are those of its run.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests read files")]

use catlearn::elaborate::Program;
use catlearn::source::MemoryWorld;

fn blocks(page: &str, language: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = page.lines();
    let fence = format!("```{language}");
    while let Some(line) = lines.next() {
        if line == fence {
            found.push(lines.by_ref().take_while(|l| *l != "```").collect::<Vec<_>>().join("\n"));
        }
    }
    found
}

#[test]
fn every_program_of_the_pages_checks() {
    let mut seen = 0;
    for path in
        ["README.md", "docs/language.md", "docs/data.md", "docs/boolean.md", "docs/formatting.md", "docs/training.md"]
    {
        let page = std::fs::read_to_string(path).unwrap();
        for block in blocks(&page, "lens") {
            let program = Program::parse(&block, path, &MemoryWorld::default())
                .unwrap_or_else(|(said, _)| panic!("{path}: {said}\n{block}"));
            let said = program.check();
            assert!(said.0.is_empty(), "{path}: {said}\n{block}");
            seen += 1;
        }
    }
    assert!(seen >= 14, "{seen}");
}

#[test]
fn the_first_program_of_the_readme_is_the_example() {
    let page = std::fs::read_to_string("README.md").unwrap();
    let example = std::fs::read_to_string("examples/iris.lens").unwrap();
    let first = blocks(&page, "lens").remove(0);
    assert!(example.contains(&first), "{first}");
}

#[test]
fn links_lead_somewhere() {
    let pages =
        ["boolean", "commands", "data", "formatting", "language", "laws", "training"].map(|p| format!("docs/{p}.md"));
    for path in ["README.md", "ARCHITECTURE.md"].map(str::to_owned).into_iter().chain(pages) {
        let page = std::fs::read_to_string(&path).unwrap();
        let folder = std::path::Path::new(&path).parent().unwrap();
        // Links stand in prose, not in programs.
        let blocks: String = page.split("```").step_by(2).collect();
        let prose: String = blocks.split('`').step_by(2).collect();
        for part in prose.split("](").skip(1) {
            let target = part.split(')').next().unwrap();
            if !target.starts_with("http") {
                assert!(folder.join(target).exists(), "{path} -> {target}");
            }
        }
    }
}

//! All mistakes of a file are said in one run, each once.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[path = "support/thousand.rs"]
mod thousand;

use catlearn::elaborate::Program;
use catlearn::source::{Diagnostic, Diagnostics, MemoryWorld, SourceMap};

fn said(text: &str, world: &MemoryWorld) -> (Diagnostics, SourceMap) {
    match Program::parse(text, "main.lens", world) {
        Ok(program) => (program.check(), program.sources().clone()),
        Err(said) => said,
    }
}

/// `file:line E0123 message` of every error.
fn lines(text: &str, world: &MemoryWorld) -> Vec<String> {
    let (said, sources) = said(text, world);
    let line = |d: &Diagnostic| {
        let span = d.span().unwrap();
        format!("{}:{} {} {}", sources.get(span.file).unwrap().name, sources.place(span).line, d.code, d.message)
    };
    said.0.iter().filter(|d| d.is_error()).map(line).collect()
}

#[test]
fn twenty_mistakes_in_a_thousand_lines() {
    let (text, told) = thousand::program();
    assert!(text.lines().count() >= 1000 && told.len() == 20);
    let (said, sources) = said(&text, &MemoryWorld::default());
    let place = |d: &Diagnostic| {
        let span = d.span().unwrap();
        (sources.place(span).line, d.code.0, sources.slice(span).to_owned())
    };
    let found: Vec<thousand::Told> = said.0.iter().map(place).collect();
    assert_eq!(found, told, "{}", lines(&text, &MemoryWorld::default()).join("\n"));
}

#[test]
fn what_nobody_could_read_is_not_held_against_its_users() {
    let world = MemoryWorld::default();
    let text =
        "modle a : R[2] -> R[2] = tanh\nmodel b : R[2] -> R[2] = a >> a\nmodel c : R[2] -> R[2] = b >> nothere\n";
    assert_eq!(
        lines(text, &world),
        ["main.lens:1 E0101 no item begins with `modle`", "main.lens:3 E0201 there is no map `nothere`"]
    );
    let text = "import \"far.lens\"\nmodel b : R[2] -> R[2] = imported_net >> tahn\n";
    let found = lines(text, &world);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[1].ends_with("there is no map `tahn`"), "{found:?}");
}

#[test]
fn errors_of_all_files_come_together() {
    let world = MemoryWorld::default()
        .with("a.lens", "import \"b.lens\"\nmodel a : R[2] -> R[3] = b\n")
        .with("b.lens", "model b : R[2] -> R[2] = dense[2, 2] >> nothere\ndim x = (3\n");
    let found = lines("import \"a.lens\"\nmodel m : R[2] -> R[2] = dense[2, 4]\n", &world);
    assert!(found.iter().any(|l| l.starts_with("main.lens:2 E0302")), "{found:?}");
    assert!(found.iter().any(|l| l.starts_with("b.lens:1 E0201")), "{found:?}");
    assert!(found.iter().any(|l| l.starts_with("b.lens:2 E0102")), "{found:?}");
}

#[test]
fn circles_are_shown_as_paths() {
    let world = MemoryWorld::default()
        .with("a.lens", "import \"b.lens\"\n")
        .with("b.lens", "import \"c.lens\"\n")
        .with("c.lens", "import \"a.lens\"\n")
        .with("self.lens", "import \"self.lens\"\n");
    assert_eq!(
        lines("import \"a.lens\"\n", &world),
        ["a.lens:1 E0203 these files import each other: a.lens -> b.lens -> c.lens -> a.lens"]
    );
    assert_eq!(lines("import \"self.lens\"\n", &world), ["self.lens:1 E0203 the file self.lens imports itself"]);
    let text = "def a : R[2] -> R[2] (x) { c(x) }\ndef b : R[2] -> R[2] (x) { a(x) }\ndef c : R[2] -> R[2] (x) { b(x) }\n\
                model m : R[2] -> R[2] = m >> tanh\n";
    assert_eq!(
        lines(text, &MemoryWorld::default()),
        [
            "main.lens:1 E0203 these definitions need each other: a -> c -> b -> a",
            "main.lens:4 E0203 these definitions need each other: m -> m"
        ]
    );
}

//! The formatter on whole files: what it keeps, what it makes of them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests read files")]

mod book;
#[path = "support/programs.rs"]
mod programs;
#[path = "support/tokens.rs"]
mod tokens;

use catlearn::source::{Code, FileId};
use catlearn::syntax::{comments, format, parse, same_tree};
use programs::program;
use std::fs;
use std::path::{Path, PathBuf};

/// All that must hold of a formatted text.
fn formatted(name: &str, text: &str) -> String {
    let (tree, said) = parse(FileId(0), text);
    assert!(!said.has_errors(), "{name}: {said}\n{text}");
    let tidy = format(text).unwrap_or_else(|said| panic!("{name}: {said}\n{text}"));
    let (again, said) = parse(FileId(0), &tidy);
    assert!(!said.has_errors(), "{name}: {said}\n{tidy}");
    assert!(same_tree(&tree, &again), "{name} means something else\n{text}\n====\n{tidy}");
    assert!(said.0.iter().all(|d| d.code != Code::CONTINUED_LINE), "{name}: a line begins with `-`\n{tidy}");
    assert_eq!(comments(text), comments(&tidy), "{name}");
    let twice = format(&tidy).unwrap();
    assert_eq!(tidy, twice, "{name} is formatted anew\n{text}");
    assert!(tidy.is_empty() || (tidy.ends_with('\n') && !tidy.ends_with("\n\n")), "{name}");
    assert!(!tidy.contains(['\r', '\t', '\u{feff}']) && !tidy.contains("\n\n\n") && !tidy.starts_with('\n'), "{name}");
    for line in tidy.lines() {
        assert_eq!(line.trim_end(), line, "{name}");
    }
    tidy
}

fn lens_files(folder: &Path, out: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|e| e.path()) {
        if path.is_dir() {
            lens_files(&path, out);
        } else if path.extension().is_some_and(|e| e == "lens") {
            out.push(path);
        }
    }
    out.sort();
}

/// The blocks of a page.
fn blocks(page: &str) -> Vec<String> {
    page.split("```lens\n").skip(1).filter_map(|part| part.split("\n```").next().map(str::to_owned)).collect()
}

#[test]
fn every_file() {
    let mut files = Vec::new();
    for folder in ["examples", "tests/lens", "src/prelude"] {
        lens_files(Path::new(folder), &mut files);
    }
    assert!(files.len() >= 18, "{files:?}");
    let design = Path::new("/work/shared/design/lens");
    if design.is_dir() {
        lens_files(design, &mut files);
    } else {
        eprintln!("SKIPPED: {} is not there", design.display());
    }
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let name = file.display().to_string();
        let tidy = formatted(&name, &text);
        for other in [text.replace('\n', "\r\n"), text.replace("\n    ", "\n\t"), format!("\u{feff}{text}\n\n\n")] {
            assert_eq!(formatted(&name, &other), tidy, "{name}");
        }
    }
}

#[test]
fn every_block_of_the_pages() {
    let mut seen = 0;
    // The pages of codes show programs that do not parse.
    for page in book::all().into_iter().filter(|p| !p.path.starts_with("docs/errors")) {
        for block in page.blocks().iter().filter(|b| b.info == "lens") {
            formatted(&format!("{}:{}", page.name(), block.line), &block.text);
            seen += 1;
        }
    }
    assert!(seen >= 90, "{seen}");
}

#[test]
fn examples_and_prelude_are_formatted() {
    let mut files = Vec::new();
    for folder in ["examples", "src/prelude", "tests/lens"] {
        lens_files(Path::new(folder), &mut files);
    }
    for file in files {
        // The language page's own spacing is what this one is for.
        if file.ends_with("tests/lens/language.lens") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(formatted("file", &text), text, "run `catlearn fmt {}`", file.display());
    }
}

#[test]
fn random_programs() {
    let rounds = std::env::var("CATLEARN_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(300);
    for seed in 0..rounds {
        formatted(&format!("program {seed}"), &program(seed));
    }
}

#[test]
fn nothing_and_comments_only() {
    assert_eq!(formatted("nothing", ""), "");
    assert_eq!(formatted("blanks", " \n\r\n\t"), "");
    assert_eq!(formatted("comments", "\n\n//a  \n\n\n\n  // b\n//"), "//a\n\n// b\n//\n");
}

#[test]
fn a_file_with_errors_is_refused_with_its_errors() {
    for text in ["model m : R -> R = f (x)", "def f : R -> R (x) { y = x y }", "dim n = (3", "mdel m", "dim n = \"a"] {
        let (_, said) = parse(FileId(0), text);
        assert_eq!(format(text), Err(said), "{text}");
    }
}

/// What is written and what becomes of it.
const CASES: [(&str, &str); 19] = [
    ("dim  n=2+3 *-k^2", "dim n = 2 + 3 * -k ^ 2\n"),
    ("dim n = 3 dim k = n", "dim n = 3\ndim k = n\n"),
    ("const a:R[3]=[ 1,-2 , 3, ]", "const a : R[3] = [1, -2, 3]\n"),
    ("def f(g:R->R,k=1,h):R→R[ ..s ]=g⨾h", "def f(g : R -> R, k = 1, h) : R → R[..s] = g ⨾ h\n"),
    // A bracket that touches stays, one that does not stays apart.
    ("def f : R -> R (x) { let y = x\n(y) }", "def f : R -> R (x) {\n    let y = x\n    (y)\n}\n"),
    ("def f : R -> R (x) { let y = x(y) y; }", "def f : R -> R (x) {\n    let y = x(y)\n    y\n}\n"),
    // The value is negative, or the statement goes on.
    ("def f : R -> R (x) { let y = x; -y }", "def f : R -> R (x) {\n    let y = x;\n    -y\n}\n"),
    ("def f : R -> R (x) { x\n- 1 }", "def f : R -> R (x) { x - 1 }\n"),
    ("def f : R -> R (x) { x // one\n- 1 }", "def f : R -> R (x) {\n    x -  // one\n        1\n}\n"),
    ("model m : R -> R =\nf>>g\n>>h", "model m : R -> R =\n    f >> g\n    >> h\n"),
    ("model m : R -> R = f >>\ng // g\n", "model m : R -> R =\n    f\n    >> g  // g\n"),
    ("train t { a = 1 bc = 2; d = 3, }", "train t { a = 1, bc = 2, d = 3 }\n"),
    ("train t {\na = 1 bc = 2\n\n\nd = 3\n\n}", "train t {\n    a = 1, bc = 2\n\n    d = 3\n}\n"),
    ("train t { a = 1\nbc = 2 // two\n// end\n}", "train t {\n    a  = 1\n    bc = 2  // two\n    // end\n}\n"),
    // A comment behind the last field breaks the record, not what stands in the field.
    (
        "data d { source = csv(\"a.csv\", header = true) // the file\n}",
        "data d {\n    source = csv(\"a.csv\", header = true)  // the file\n}\n",
    ),
    (
        "train t { data = d, optimiser = sgd(lr = 0.1) // slow\n}",
        "train t {\n    data = d, optimiser = sgd(lr = 0.1)  // slow\n}\n",
    ),
    ("train t { a = f(1) // one\n, b = 2 }", "train t {\n    a = f(1)  // one\n    b = 2\n}\n"),
    ("game g { player a minimises f  on d with gd( lr=1 ) }", "game g { player a minimises f on d with gd(lr = 1) }\n"),
    (
        "optimiser o(r)on p:R[n]per tensor{state u:R~zeros put(g){next u=g p}}",
        "optimiser o(r) on p : R[n] per tensor {\n    state u : R ~ zeros\n    put (g) {\n        next u = g\n        p\n    }\n}\n",
    ),
];

#[test]
fn cases() {
    for (text, wanted) in CASES {
        assert_eq!(formatted(text, text), wanted);
    }
}

/// Each block of the page on formatting is what the formatter makes of it.
#[test]
fn the_page_on_formatting_is_formatted() {
    for block in blocks(&fs::read_to_string("docs/formatting.md").unwrap()) {
        assert_eq!(formatted("page", &block), format!("{block}\n"));
    }
}

#[test]
fn large_and_deep_files() {
    let chain = format!("model m : R -> R = f{}", " >> f".repeat(20_000));
    assert_eq!(formatted("chain", &chain).lines().count(), 20_002);
    formatted("sum", &format!("dim n = f{}", " - f".repeat(20_000)));
    formatted("items", &"dim a = 3 // three\n".repeat(5_000));
    formatted("numbers", &format!("const a : R[9] = [{}]", "1, -2, ".repeat(5_000)));
    for (open, close) in [("(", ")"), ("[", "]"), ("f(", ")"), ("f{x = ", "}"), ("{_: ", "}")] {
        formatted(open, &format!("model m : R -> R = {}x{}", open.repeat(200), close.repeat(200)));
    }
    formatted("else", &format!("dim n = {}c", "if a then b else ".repeat(1000)));
    formatted("power", &format!("dim n = x{}", " ^ x".repeat(1000)));
}

//! The messages of `tests/errors/*.lens`, to the letter.
//!
//! Each case is a `.lens` file with an expected `.txt` beside it. `CATLEARN_BLESS=1 cargo test` writes the texts anew.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests read files")]

use super::{Style, render, to_json};
use catlearn::source::{Code, Diagnostic, Diagnostics, FileId, SourceMap, Span};

const PLAIN: Style = Style { color: false, width: 100 };

fn drawn(name: &str, text: &str) -> String {
    let mut sources = SourceMap::default();
    let file = sources.add(name, text);
    let (_, messages) = catlearn::syntax::parse(file, text);
    render(&messages, &sources, PLAIN)
}

#[test]
fn messages_to_the_letter() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/errors");
    let mut cases: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    cases.retain(|p| p.extension().is_some_and(|e| e == "lens"));
    cases.sort();
    assert!(cases.len() >= 20);
    let mut wrong = Vec::new();
    for case in cases {
        let text = std::fs::read_to_string(&case).unwrap();
        let name = case.file_name().unwrap().to_str().unwrap();
        let found = drawn(name, &text);
        let page = case.with_extension("txt");
        if std::env::var("CATLEARN_BLESS").is_ok() {
            std::fs::write(&page, &found).unwrap();
        }
        let expected = std::fs::read_to_string(&page).unwrap_or_default();
        if found != expected {
            wrong.push(format!("{name}: expected\n{expected}\nfound\n{found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn compose() -> (Diagnostic, SourceMap) {
    let mut sources = SourceMap::default();
    let text = "model mlp : R[4] -> R[3] =\n    dense[4, 16] >> tanh >> dense[12, 3]\n";
    let file = sources.add("iris.lens", text);
    let at = |word: &str| {
        let start = text.rfind(word).unwrap();
        Span::new(file, start, start + word.len())
    };
    let diagnostic = Diagnostic::error(Code::COMPOSE, "these two maps do not compose")
        .at(at("dense[12, 3]"), "needs R[12]")
        .also(at("tanh"), "gives R[16]")
        .note("16 is the second dimension of `dense[4, 16]`")
        .help("make both 16 or both 12");
    (diagnostic, sources)
}

#[test]
fn labels_notes_and_help() {
    let (diagnostic, sources) = compose();
    let text = render(&diagnostic.into(), &sources, PLAIN);
    assert_eq!(
        text,
        "\
error[E0301]: these two maps do not compose
 --> iris.lens:2:29
  |
2 |     dense[4, 16] >> tanh >> dense[12, 3]
  |                     ----    ^^^^^^^^^^^^ needs R[12]
  |                     |
  |                     gives R[16]
  |
  = note: 16 is the second dimension of `dense[4, 16]`
  = help: make both 16 or both 12
"
    );
}

#[test]
fn json() {
    let (diagnostic, sources) = compose();
    let value = to_json(&diagnostic, &sources);
    assert_eq!(value["code"], "E0301");
    assert_eq!(value["severity"], "error");
    assert_eq!(value["help"], "make both 16 or both 12");
    assert_eq!(value["notes"][0], "16 is the second dimension of `dense[4, 16]`");
    let label = &value["labels"][0];
    assert_eq!(
        (label["file"].as_str(), label["line"].as_u64(), label["column"].as_u64(), label["end_line"].as_u64()),
        (Some("iris.lens"), Some(2), Some(29), Some(2))
    );
    assert_eq!(
        (label["end_column"].as_u64(), label["start"].as_u64(), label["end"].as_u64()),
        (Some(41), Some(55), Some(67))
    );
    assert_eq!((label["primary"].as_bool(), label["text"].as_str()), (Some(true), Some("needs R[12]")));
}

#[test]
fn spans_that_are_nowhere() {
    let mut sources = SourceMap::default();
    let file = sources.add("é.lens", "dim é = 3\r\n\tdim 𝔽 = 4\r\n");
    let other = sources.add("empty.lens", "");
    let mut all = Diagnostics::default();
    for (start, end) in [(0, 0), (5, 6), (5, 4), (12, 40), (900, 1000), (24, 24), (0, 24), (9, 12)] {
        all.push(
            Diagnostic::error(Code::SYNTAX, "m")
                .at(Span::new(file, start, end), "here")
                .also(Span::new(other, start, end), "and\nthere"),
        );
    }
    all.push(Diagnostic::warning(Code::UNUSED, "no place"));
    all.push(Diagnostic::warning(Code::UNUSED, "no file").at(Span::new(FileId(77), 1, 2), "x").help("h"));
    for width in [0, 40, 1000] {
        for color in [false, true] {
            assert!(!render(&all, &sources, Style { color, width }).is_empty());
        }
    }
    assert!(render(&Diagnostics::default(), &sources, PLAIN).is_empty());
    all.0.iter().for_each(|d| assert!(to_json(d, &sources).is_object()));
}

#[test]
fn a_long_line_is_cut() {
    let text = format!("model m : R -> R = {}) >> f{}", "f >> ".repeat(50_000), " >> f".repeat(50_000));
    let found = drawn("long.lens", &text);
    assert!(found.lines().all(|l| l.chars().count() < 140), "{}", found.len());
}

#[test]
fn tabs_and_wide_characters_keep_the_marks_in_place() {
    let mut sources = SourceMap::default();
    let text = "\t模型 >> tanhh >> é\n";
    let file = sources.add("wide.lens", text);
    let start = text.find("tanhh").unwrap();
    let d = Diagnostic::error(Code::UNKNOWN_NAME, "unknown name `tanhh`").at(Span::new(file, start, start + 5), "here");
    // A tab is four columns, each of the two characters two.
    let expected = "\
error[E0201]: unknown name `tanhh`
 --> wide.lens:1:8
  |
1 |     模型 >> tanhh >> é
  |             ^^^^^ here
";
    assert_eq!(render(&d.into(), &sources, PLAIN), expected);
}

#[test]
fn a_narrow_terminal_shows_what_is_around_the_fault() {
    let text = format!("model m : R[1] -> R[1] = {}tanhh{}\n", "tanh >> ".repeat(20), " >> tanh".repeat(20));
    let mut sources = SourceMap::default();
    let file = sources.add("long.lens", text.as_str());
    let start = text.find("tanhh").unwrap();
    let d = Diagnostic::error(Code::UNKNOWN_NAME, "unknown name `tanhh`").at(Span::new(file, start, start + 5), "");
    for width in [40, 60, 100, 200] {
        let drawn = render(&d.clone().into(), &sources, Style { color: false, width });
        let widest = drawn.lines().map(|l| l.chars().count()).max().unwrap();
        assert!(widest <= width, "{width}: {widest}\n{drawn}");
        let (code, marks) = (drawn.lines().nth(3).unwrap(), drawn.lines().nth(4).unwrap());
        assert!(code.contains("tanhh") && code.contains("..."), "{drawn}");
        let column = |l: &str, word: &str| l.split(word).next().unwrap().chars().count();
        assert_eq!(column(code, "tanhh"), column(marks, "^"), "{drawn}");
    }
}

#[test]
fn without_colour_no_escape_is_written() {
    let (diagnostic, sources) = compose();
    assert!(!render(&diagnostic.clone().into(), &sources, PLAIN).contains('\u{1b}'));
    assert!(render(&diagnostic.into(), &sources, Style { color: true, width: 100 }).contains("\u{1b}["));
}

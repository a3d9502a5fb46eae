//! Windows of a text: what is in them, their numbers, and that parts do not share what they predict.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used, reason = "tests")]

use super::*;
use std::collections::BTreeSet;

fn source(window: f64, stride: f64, more: Vec<Arg>) -> Expr {
    let settings = vec![arg(text("t.txt")), set("window", num(window)), set("stride", num(stride))];
    call("text", settings.into_iter().chain(more).collect())
}

fn of(file: &str, source: Expr, more: Vec<(&'static str, Expr)>) -> Result<Dataset, Diagnostics> {
    run([vec![("source", source)], more].concat(), &[("t.txt", file.as_bytes()), ("u.txt", b"abba abba")])
}

/// The characters of a column, window by window.
fn shown(set: &Dataset, column: &Column) -> Vec<String> {
    let vocabulary = set.input_encoder.vocabulary().unwrap();
    let words = labels(column).chunks(column.size());
    words.map(|w| w.iter().map(|id| vocabulary[*id as usize]).collect()).collect()
}

#[test]
fn the_target_of_each_place_is_the_next_character() {
    let set = of("hello world", source(4.0, 2.0, vec![]), vec![]).unwrap();
    assert_eq!(shown(&set, &set.input), ["hell", "llo ", "o wo", "worl"]);
    assert_eq!(shown(&set, set.target.as_ref().unwrap()), ["ello", "lo w", " wor", "orld"]);
    assert_eq!(set.input.column_type().to_string(), "Fin[8][4]");
    // Sorted by their code.
    assert_eq!(set.input_encoder.vocabulary().unwrap().iter().collect::<String>(), " dehlorw");
    let all = of("hello world", source(10.0, 1.0, vec![]), vec![]).unwrap();
    assert_eq!(shown(&all, &all.input), ["hello worl"]);
    let gzipped = {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(b"\xef\xbb\xbfhello world").unwrap();
        encoder.finish().unwrap()
    };
    let unpacked = run(vec![("source", source(4.0, 2.0, vec![]))], &[("t.txt", &gzipped)]).unwrap();
    assert_eq!((unpacked.input, unpacked.target), (set.input, set.target));
}

#[test]
fn vectors_have_an_axis_for_the_characters() {
    let fields =
        vec![("input", dims("onehot", 3)), ("target", seq(vec![call("column", vec![arg(num(5.0))]), dims("ids", 3)]))];
    let set = of("abcabc", source(3.0, 1.0, vec![]), fields).unwrap();
    assert_eq!(set.input.column_type().to_string(), "R[3, 3]");
    assert_eq!(reals(&set.input)[..9], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    // Columns are counted over the window and its targets: the last target alone.
    assert_eq!(labels(set.target.as_ref().unwrap()), [0, 1, 2]);
    let flat = of("abcabc", source(3.0, 1.0, vec![]), vec![("input", seq(vec![name("onehot"), name("flatten")]))]);
    assert_eq!(flat.unwrap().input.column_type().to_string(), "R[9]");
    let one = vec![("input", seq(vec![call("column", vec![arg(num(0.0))]), name("onehot")]))];
    assert_eq!(of("abcabc", source(3.0, 1.0, vec![]), one).unwrap().input.column_type().to_string(), "R[3]");
}

#[test]
fn types_are_known_where_the_program_says_the_vocabulary() {
    let types = |fields| spec(fields).unwrap().types();
    let (input, target) = types(vec![("source", source(4.0, 1.0, vec![])), ("input", dims("ids", 8))]);
    assert_eq!((input.map(|t| t.to_string()).as_deref(), target), (Some("Fin[8][4]"), None));
    let known = source(4.0, 1.0, vec![set("vocabulary", text("abc"))]);
    let (input, target) = types(vec![("source", known), ("target", name("onehot"))]);
    assert_eq!(input.unwrap().to_string(), "Fin[3][4]");
    assert_eq!(target.unwrap().to_string(), "R[4, 3]");
}

#[test]
fn parts_predict_different_characters() {
    let file: String = (0..200).map(|i| char::from(b'a' + (i * i % 26) as u8)).collect();
    for (window, stride) in [(16, 1), (16, 5), (16, 16), (7, 3), (1, 1), (5, 9)] {
        let (w, s) = (f64::from(window), f64::from(stride));
        let ordered = call("ordered", vec![set("train", num(0.6)), set("valid", num(0.2)), set("test", num(0.2))]);
        let folds = call("kfold", vec![arg(num(3.0)), set("shuffle", name("false"))]);
        for split in [ordered, folds] {
            let made = of(&file, source(w, s, vec![]), vec![("split", split)]).unwrap();
            for parts in std::iter::once(&made.parts).chain(&made.folds) {
                let predicted = |rows: &[usize]| -> BTreeSet<usize> {
                    rows.iter().flat_map(|r| r * stride as usize + 1..=r * stride as usize + window as usize).collect()
                };
                let (a, b, c) = (predicted(&parts.train), predicted(&parts.valid), predicted(&parts.test));
                assert!(a.is_disjoint(&b) && b.is_disjoint(&c) && a.is_disjoint(&c), "{window} {stride} {parts:?}");
                assert!(!a.is_empty() && !c.is_empty());
            }
        }
        let drawn = of(&file, source(w, s, vec![]), vec![("split", shares("holdout"))]);
        assert_eq!(drawn.is_ok(), stride >= window, "{window} {stride}");
    }
}

#[test]
fn a_test_text_has_the_numbers_of_the_source() {
    let test = |file: &str| call("text", vec![arg(text(file)), set("window", num(4.0))]);
    let strange = said(of(
        "ab b ab",
        source(4.0, 2.0, vec![]),
        vec![("test", call("text", vec![arg(text("t.txt")), set("window", num(3.0))]))],
    ));
    assert!(strange.contains("another length: the test part, windows of 3"), "{strange}");
    let set = of("ab b ab cc", source(4.0, 2.0, vec![]), vec![("test", test("u.txt"))]).unwrap();
    assert_eq!((set.parts.train.len(), set.parts.test.len()), (3, 5));
    assert_eq!(shown(&set, &set.input)[3], "abba");
    let (input, target) = set.encode_file("v.txt", b"caba ab".to_vec()).unwrap();
    assert_eq!(shown(&set, &input), ["caba", "ba a"]);
    assert_eq!(shown(&set, &target.unwrap()), ["aba ", "a ab"]);
    assert!(said(set.encode_file("v.txt", b"ab\nxyz".to_vec())).contains("v.txt:1:3: `\\n` | v.txt:2:1: `x`"));
    let typed = set.input_encoder.apply(&[["a", " ", "b", "c"].map(str::to_owned).to_vec()]).unwrap();
    assert_eq!(shown(&set, &typed), ["a bc"]);
    assert!(set.input_encoder.apply(&[["a", "ab", "b", "c"].map(str::to_owned).to_vec()]).is_err());
}

#[test]
fn texts_that_do_not_fit_say_so_in_numbers() {
    let message = |result: Result<Dataset, Diagnostics>| said(result);
    let short = message(of("hello", source(5.0, 1.0, vec![]), vec![]));
    assert!(short.contains("E0601 `t.txt` has 5 characters, a window of 5 and the next one need 6"), "{short}");
    let other = message(of("hello", source(2.0, 1.0, vec![]), vec![("input", dims("ids", 65))]));
    assert!(other.contains("E0602 the text has 4 different characters, not 65"), "{other}");
    assert!(other.contains("they are `ehlo`"), "{other}");
    let outside = message(of("he\nllo", source(2.0, 1.0, vec![set("vocabulary", text("elo\n"))]), vec![]));
    assert!(outside.contains("`t.txt` has 1 character outside the vocabulary"), "{outside}");
    assert!(outside.contains("t.txt:1:1: `h`"), "{outside}");
    let drawn = message(of(&"ab ".repeat(40), source(4.0, 1.0, vec![]), vec![("split", shares("holdout"))]));
    assert!(
        drawn.contains("E0604 these windows overlap") && drawn.contains("the next 3 windows predict too"),
        "{drawn}"
    );
}

#[test]
fn whole_numbers_of_any_source_are_ids() {
    let fields = |k: usize| vec![("source", csv("t", false)), ("input", seq(vec![cols(0, 3), dims("ids", k)]))];
    let file: &[(&str, &[u8])] = &[("t", b"0,1, 2\n4,3.0,0\n")];
    let set = run(fields(5), file).unwrap();
    assert_eq!(
        (labels(&set.input), set.input.column_type().to_string()),
        (&[0, 1, 2, 4, 3, 0][..], "Fin[5][3]".into())
    );
    let message = said(run(fields(4), file));
    assert!(message.contains("E0602 a value that is no label below 4"), "{message}");
    assert!(message.contains("t:2:1: `4`"), "{message}");
    assert_eq!(codes(run(fields(4), &[("t", b"0,-1,0.5\n")])), [Code::DATA_VALUE]);
    let open = vec![("source", csv("t", false)), ("input", seq(vec![cols(0, 3), name("ids")]))];
    assert_eq!(codes(run(open, file)), [Code::DATA_FIELD]);
}

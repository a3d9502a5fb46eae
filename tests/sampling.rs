//! A wrong `rev` of a map that is not defined everywhere is found too, and what could not be compared is not counted.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use catlearn::elaborate::Program;
use catlearn::laws::{self, LawResult};
use catlearn::source::{Code, MemoryWorld};

/// R against differences, 50 cases.
fn derivative(fwd: &str, rev: &str) -> LawResult {
    let text = format!("prim f : R[2] -> R[2] {{ fwd (x) {{ {fwd} }} rev (x, dy) {{ {rev} }} }}\n");
    let program = Program::parse(&text, "f.lens", &MemoryWorld::default()).unwrap_or_else(|(said, _)| panic!("{said}"));
    laws::check(&program, 50, 3).results.swap_remove(0)
}

#[test]
fn a_wrong_rev_is_found_wherever_the_map_is_defined() {
    for (fwd, right, wrong) in [
        ("log(x)", "dy / x", "dy / x / x"),
        ("sqrt(x - 4)", "dy / (2 * sqrt(x - 4))", "dy / sqrt(x - 4)"),
        ("log(1 - x * x)", "-2 * x * dy / (1 - x * x)", "-x * dy / (1 - x * x)"),
    ] {
        let held = derivative(fwd, right);
        assert!(held.failure.is_none() && held.cases >= 40, "{fwd}: {held:?}");
        let failed = derivative(fwd, wrong);
        assert_eq!(failed.failure.map(|d| d.code), Some(Code::LAW_REVERSE), "{fwd}");
    }
}

#[test]
fn what_cannot_be_compared_is_not_counted() {
    let nowhere = derivative("log(0 - sq(x))", "dy");
    assert!(nowhere.failure.is_none() && nowhere.cases == 0, "{nowhere:?}");
}

#[test]
fn what_is_wrong_only_far_out_is_found() {
    let failed = derivative("if x > 10 then x else 0", "if x > 10 then 2 * dy else 0 * dy");
    assert_eq!(failed.failure.map(|d| d.code), Some(Code::LAW_REVERSE));
}

#[test]
fn a_counterexample_is_not_a_kink() {
    for (fwd, rev) in
        [("if x > 0 then x else 0", "if x > 0 then dy else 0.01 * dy"), ("abs(x)", "if x > 0 then dy else -0.5 * dy")]
    {
        let notes = derivative(fwd, rev).failure.unwrap().notes;
        let point = notes[0].trim_start_matches("at input [").trim_end_matches(']');
        assert!(point.split(", ").any(|x| x.parse::<f64>().unwrap() < 0.0), "{fwd}: {notes:?}");
    }
}

#[test]
fn a_map_without_a_derivative_has_its_line() {
    let text = "def e : () -> R[1] () { 3 }\ndef b : R[n] -> Bool[n] (x) { x > 0 }\n";
    let program = Program::parse(text, "f.lens", &MemoryWorld::default()).unwrap_or_else(|(said, _)| panic!("{said}"));
    let lines: Vec<(String, usize)> =
        laws::check(&program, 5, 0).results.into_iter().map(|r| (r.item, r.cases)).collect();
    assert_eq!(lines, [("e".to_owned(), 0), ("b".to_owned(), 0)]);
}

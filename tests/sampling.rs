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

//! `laws::check` over bits: what must hold holds, a wrong `rev` is shown small, what cannot be asked says so.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests read files and the environment")]

mod commands;

use catlearn::elaborate::Program;
use catlearn::laws::{self, LawResult};
use catlearn::source::{Code, Diagnostic, MemoryWorld};
use commands::{catlearn, ends, folder, text};

const DIFFERENCE: &str = "R over parity is the Boolean difference (truth table)";
const VALUES: &str = "R over votes is f(1) - f(0) in each bit (truth table)";

fn lines(text: &str) -> Vec<LawResult> {
    let text = format!("import std.bool\n{text}");
    let program = Program::parse(&text, "f.lens", &MemoryWorld::default()).unwrap_or_else(|(said, _)| panic!("{said}"));
    let said = program.check();
    assert!(!said.has_errors(), "{said}");
    laws::check(&program, 40, 1).results
}

fn line(all: &[LawResult], item: &str, law: &str) -> LawResult {
    let found = all.iter().find(|r| r.item == item && r.law.contains(law));
    found.unwrap_or_else(|| panic!("no `{law}` of {item} in {all:#?}")).clone()
}

fn failure(text: &str, law: &str) -> Diagnostic {
    line(&lines(text), "f", law).failure.unwrap_or_else(|| panic!("holds: {text}"))
}

/// The prelude's own primitives, under names of the user: they are not asked in the prelude.
const OWN: &str = "
prim at_least'[n, t] : Bool[n] -> Bool[1] {
    fwd (x) { popcount(x) >= t }
    rev (x, dy) {
        let m = popcount(x)
        if (x & (m == t)) | (!x & (m == t - 1)) then dy else 0
    }
}
prim mask'[n, d] : (p: Bool[n], x: Bool[n]) -> Bool[1] {
    fwd (p, x) { popcount(p & x) <= popcount(p) / d }
    rev (p, x, dy) {
        let m = popcount(p & x)
        let c = popcount(p)
        let on = m <= c / d
        let p_set = if x then m + 1 <= (c + 1) / d else m <= (c + 1) / d
        let p_clear = if x then m - 1 <= (c - 1) / d else m <= (c - 1) / d
        let high = if p then on else p_set
        let low = if p then p_clear else on
        let x_high = if x then on else m + 1 <= c / d
        let x_low = if x then m - 1 <= c / d else on
        let dp = if high == low then 0 else (if high then dy else -dy)
        let dx = if !p | (x_high == x_low) then 0 else (if x_high then dy else -dy)
        (dp, dx)
    }
}
model tree : Bool[8] -> Bool[1] = (lut[4] * lut[4]) >> lut[2]
model gate : Bool[2] -> Bool[1] (x) { lut[2](x) }
def adder : (a: Bool[n], b: Bool[n]) -> (Bool[n], Bool[n]) (a, b) { (a xor b, a & b) }
def either : (a: Bool[n], b: Bool[n]) -> Bool[n] (a, b) { a | !b }
def choose : (s: Bool[2], t: Bool[2], e: Bool[2]) -> Bool[2] (s, t, e) { mux(s, t, e) }
loss unlike : (y: Bool[n], t: Bool[n]) -> Bool[n] (y, t) { y xor t }
model whole : Bool[8] -> Bool[1] = lut[8]
";

#[test]
fn what_must_hold_holds() {
    let all = lines(OWN);
    for r in &all {
        assert!(r.failure.is_none() && r.cases > 0, "{r:?}");
    }
    for (item, cases) in [("gate", 64), ("either", 1 << 10), ("choose", 64), ("whole", 40)] {
        assert_eq!(line(&all, item, DIFFERENCE).cases, cases, "{item}: parameters that are bits count");
    }
    // Five, eight and twelve bits whole, twenty-eight at random points.
    assert_eq!(line(&all, "at_least'", DIFFERENCE).cases, 32 + 256 + 4096 + 40);
    assert_eq!(line(&all, "at_least'", VALUES).cases, 32 + 256 + 4096 + 40);
    for law in ["additive", "a batch over parity", "a batch over votes", "votes mod 2 are parity"] {
        assert!(line(&all, "tree", law).cases == 40, "{law}");
    }
    // Only a primitive promises the difference over votes: exclusive or is a product there.
    assert!(all.iter().all(|r| r.law != VALUES || r.item.ends_with('\'')));
}

#[test]
fn a_wrong_rev_is_shown_with_its_bits_and_both_numbers() {
    let wrong = "prim f : Bool[n] -> Bool[1] { fwd (x) { popcount(x) >= 1 } rev (x, dy) { if x then dy else 0 } }";
    let d = failure(wrong, DIFFERENCE);
    assert_eq!(d.code, Code::LAW_REVERSE);
    assert_eq!(d.message, "the `rev` of `f` is not its Boolean difference");
    assert_eq!(d.labels[0].text, "over parity: bit 0 of `x` asks 0, the truth table gives 1");
    assert_eq!(d.notes, ["at input [0, 0, 0, 0, 0]", "with request [1]"]);
    let text = format!("import std.bool\n{wrong}");
    assert!(text[d.labels[0].span.start as usize..].starts_with("rev (x, dy)"));
    let d = failure(wrong, VALUES);
    assert_eq!(d.message, "the `rev` of `f` is not the difference of its values");
    assert_eq!(d.labels[0].text, "over votes: bit 0 of `x` asks 0, f(1) - f(0) gives 1");
}

#[test]
fn each_law_finds_its_fault() {
    let not = |rev: &str| format!("prim f : Bool[n] -> Bool[n] {{ fwd (x) {{ !x }} {rev} }}");
    // Right over parity, the wrong sign over votes.
    let sign = not("rev (x, dy) { dy }");
    assert!(line(&lines(&sign), "f", DIFFERENCE).failure.is_none());
    assert_eq!(failure(&sign, VALUES).labels[0].text, "over votes: bit 0 of `x` asks 1, f(1) - f(0) gives -1");
    // Two reverses that do not agree.
    let apart = not("rev (x, dy: Bool[n]) { dy } rev (x, dy: Int[n]) { -2 * dy }");
    assert_eq!(failure(&apart, "votes mod 2 are parity").code, Code::LAW);
    // A constant is not additive, a product of requests neither.
    let constant = not("rev (x, dy: Bool[n]) { !dy } rev (x, dy: Int[n]) { -dy * dy }");
    assert_eq!(failure(&constant, "R over parity is additive").code, Code::LAW_ADDITIVE);
    assert_eq!(failure(&constant, "R over votes is additive").code, Code::LAW_ADDITIVE);
    // A wrong `rev` inside a map is the map's too.
    let inside =
        format!("{}\ndef g : Bool[3] -> Bool[3] (x) {{ f(x) xor x }}", not("rev (x, dy: Bool[n]) { dy & (x xor x) }"));
    assert!(line(&lines(&inside), "g", DIFFERENCE).failure.is_some());
}

#[test]
fn whole_numbers_may_come_out() {
    let right = "prim f : Bool[n] -> Int[1] { fwd (x) { popcount(x) * popcount(x) } rev (x, dy) { \
                 dy * (if x then 2 * popcount(x) - 1 else 2 * popcount(x) + 1) } }";
    let held = line(&lines(right), "f", VALUES);
    assert!(held.failure.is_none() && held.cases > 4000, "{held:?}");
    let wrong = right.replace("- 1", "+ 1");
    assert_eq!(failure(&wrong, VALUES).labels[0].text, "over votes: bit 0 of `x` asks 3, f(1) - f(0) gives 1");
}

#[test]
fn what_is_not_asked_says_why() {
    let all = lines(
        "def square : Bool[n] -> Bool[n] (x) { x & x }
         model net : Bool[4] -> Bool[1] = lut_layer[4, 4, 2](wires = grid) >> lut_layer[4, 1, 4](wires = grid)
         def twice : Bool[1] -> Bool[1] (x) { at_least[2, 2](cat(x, x)) }
         def most : Bool[n] -> Bool[1] (x) { popcount(x) >= 2 }
         prim voter : Bool[n] -> Bool[n] { fwd (x) { x } rev (x, dy: Int[n]) { dy } }
         def s : R[2] -> R[2] (x) { solve(zeros[2, 2], x) }
         def label : Fin[n] -> Fin[n] (x) { x }",
    );
    let untested = |item: &str| -> Vec<String> {
        all.iter().filter(|r| r.item == item && r.cases == 0).map(|r| r.law.clone()).collect()
    };
    assert!(all.iter().all(|r| r.failure.is_none()));
    assert_eq!(untested("square"), ["not safe: `x` meets itself in `and` (5 of 5 entries)"]);
    assert_eq!(untested("net"), ["not safe: `input` meets itself in `lookup` (4 of 4 entries)"]);
    assert_eq!(untested("twice"), ["not safe: `x` meets itself in `at_least`"]);
    assert_eq!(untested("most"), ["not a circuit: what its bits decide goes through `less_equal`, which asks nothing"]);
    assert_eq!(untested("voter"), ["no R over parity: `voter` over parity has no reverse derivative"]);
    assert_eq!(line(&all, "voter", VALUES).cases, 32 + 4096 + 256 + 40);
    assert_eq!(untested("s").len(), 3, "a singular matrix has no cases");
    assert_eq!(untested("label"), ["no derivative: no reals or bits go in, or none come out"]);
}

#[test]
fn laws_are_asked_of_bits_too() {
    let (said, _) = ends(&catlearn(&["laws", "examples/lut.lens", "--cases", "10"]), 0);
    assert!(said.contains("tree   holds      10 cases  R over parity is the Boolean difference"), "{said}");
    let dir = folder("laws_of_bits");
    let program = dir.join("any.lens");
    let source = "prim any : Bool[n] -> Bool[1] { fwd (x) { popcount(x) >= 1 } rev (x, dy) { if x then dy else 0 } }\n\
                def square : Bool[2] -> Bool[2] (x) { x & x }\n";
    std::fs::write(&program, source).unwrap();
    let (answer, said) = ends(&catlearn(&["laws", text(&program)]), 1);
    assert!(said.contains("E0701") && said.contains("bit 0 of `x` asks 0, the truth table gives 1"), "{said}");
    assert!(said.contains("at input [0, 0, 0, 0, 0]") && said.contains("any.lens:1:62"), "{said}");
    assert!(said.contains("warning[E0508]: `x` meets itself in a product of bits of `square`"), "{said}");
    let line = "square  not tested       0 cases  not safe: `x` meets itself in `and` (2 of 2 entries)";
    assert!(answer.contains(line), "{answer}");
}

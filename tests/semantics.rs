//! What a reader of the language would expect, where an earlier version silently did something else.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod steps;

use catlearn::elaborate::{Program, Training};
use catlearn::source::{Code, MemoryWorld};
use steps::trajectory;

fn program(text: &str) -> Program {
    Program::parse(text, "test.lens", &MemoryWorld::default()).unwrap_or_else(|(said, _)| panic!("{said}"))
}

fn training(text: &str) -> Training {
    program(text).training("r").unwrap_or_else(|said| panic!("{said}"))
}

fn refused(text: &str) -> Code {
    let said = match Program::parse(text, "test.lens", &MemoryWorld::default()) {
        Ok(program) => program.check(),
        Err((said, _)) => said,
    };
    said.0.iter().find(|d| d.is_error()).unwrap_or_else(|| panic!("accepted: {text}")).code
}

const SUM: &str = "model m {x: R[1] ~ ones} : () -> R[1] () { sum(x) }\nconst c : R[1] = 3\n";

#[test]
fn a_setting_may_be_computed() {
    for (rate, value) in [
        ("exp(-2)", (-2.0_f64).exp()),
        ("exp(log(0.1))", 0.1),
        ("exp(-c)", (-3.0_f64).exp()),
        ("tanh(0.1)", 0.1_f64.tanh()),
        ("sq(0.1)", 0.010_000_000_000_000_002),
        ("min(0.1, 0.2)", 0.1),
    ] {
        let text = format!("{SUM}train r {{ objective = m, optimiser = gd(lr = {rate}), steps = 1, precision = f64 }}");
        let end = trajectory(&text, 1)[1][0];
        assert!((end - (1.0 - value)).abs() < 1e-15, "{rate}: {end}");
    }
}

#[test]
fn brackets_that_mean_nothing_are_refused() {
    assert_eq!(refused("def b : R[2] -> R[2] (x) { tanh(x, k = 3) }"), Code::SETTING);
    assert_eq!(refused("def b : R[2] -> R[2] (x) { exp[2](x) }"), Code::SETTING);
    assert_eq!(refused("def b : R[2] -> R[2] (x) { dot{x}(x, x) }"), Code::SETTING);
    let twice = |call: &str| refused(&format!("{SUM}train r {{ objective = m, optimiser = {call}, steps = 1 }}"));
    assert_eq!(twice("gd(lr = 0.1, lr = 0.2)"), Code::SETTING);
    assert_eq!(
        refused("def s(k = 2) : R[n] -> R[n] (x) { k * x }\ndef b : R[2] -> R[2] (x) { s(k = 2, k = 5)(x) }"),
        Code::SETTING
    );
    let ports = "model b {b: R[2] ~ zeros, c: R[2] ~ zeros} : R[2] -> R[2] (x) { dense[2, 2]{b = c, b = b}(x) }";
    assert_eq!(refused(ports), Code::PORT);
}

#[test]
fn a_map_left_to_its_default_is_made_anew_at_each_call() {
    let text = "model m2(f = dense[2, 2]) : R[2] -> R[2] = f\nmodel tw : R[2] -> R[2] = m2 >> m2";
    let paths: Vec<String> = program(text).model("tw").unwrap().params.iter().map(|p| p.path.to_string()).collect();
    assert_eq!(paths, ["tw.0.f.0.W", "tw.0.f.0.b", "tw.1.f.0.W", "tw.1.f.0.b"]);
    assert_eq!(refused("model m(f = m) : R[2] -> R[2] = f"), Code::CYCLE);
}

const TWO: &str = "model m {x: R[2] ~ ones, y: R[2] ~ ones} : () -> R[1] () { sum(x) + sum(y) }\n";

#[test]
fn parts_have_states_of_their_own() {
    let text = format!(
        "optimiser acc(lr = 1) on p : R[..s] per global {{ state c : R[1] ~ zeros put (g) {{ next c = c + 1  p - lr * c * g }} }}\n\
         {TWO}train r {{ objective = m, optimiser = {{ \"*.x\": acc(lr = 1), _: acc(lr = 1) }}, steps = 3, precision = f64 }}"
    );
    assert_eq!(training(&text).player.rule.states.len(), 2);
    assert_eq!(trajectory(&text, 1)[1], vec![0.0; 4]);
}

#[test]
fn no_two_states_share_a_path() {
    let rules = "transform cnt on p : R[..s] per global { state c : R[1] ~ zeros put (g) { next c = c + 1  g * c } }\n";
    for rule in ["gd(lr = 1) >> cnt >> cnt", "gd(lr = 1) >> scale_by_adam() >> scale_by_adam() >> scale_by_adam()"] {
        let text = format!("{rules}{TWO}train r {{ objective = m, optimiser = {rule}, steps = 3, precision = f64 }}");
        let mut paths: Vec<String> = training(&text).player.rule.states.iter().map(|s| s.path.to_string()).collect();
        let count = paths.len();
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), count, "{paths:?}");
    }
}

#[test]
fn a_coordinate_rule_may_not_look_at_its_neighbours() {
    let rule = |body: &str| format!("optimiser nn on p : R[n] {{ put (g) {{ p - {body} }} }}");
    for body in ["cat(g[1..], g[0..1])", "reshape[1, n](g)", "sum(g) * g", "softmax(g)"] {
        assert_eq!(refused(&rule(body)), Code::RULE_SCOPE, "{body}");
    }
    // Forms that keep every coordinate at its place are none of that.
    for body in ["(zeros[n] + flatten(g))", "0.5 * tanh(g)"] {
        let said = program(&rule(body)).check();
        assert!(said.0.is_empty(), "{body}: {said}");
        let text =
            format!("{}\n{TWO}train r {{ objective = m, optimiser = nn, steps = 1, precision = f64 }}", rule(body));
        let step = if body.contains("tanh") { 0.5 * 1.0_f64.tanh() } else { 1.0 };
        assert_eq!(trajectory(&text, 1)[1], vec![1.0 - step; 4], "{body}");
    }
}

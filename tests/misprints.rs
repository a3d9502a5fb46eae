//! The misprints of 2103.01931 and of a package that follows it (CORE.md section 4, items 1 to 5): each printed formula
//! is written in the language and shown to give the wrong number, beside the prelude's, which gives the right one.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use catlearn::elaborate::Program;
use catlearn::laws;
use catlearn::object::Tangent;
use catlearn::reverse::reverse_diagram;
use catlearn::run::Learner;
use catlearn::source::{Code, MemoryWorld};
use support::{against_differences, near, run};

fn program(text: &str) -> Program {
    Program::parse(text, "printed.lens", &MemoryWorld::default()).unwrap_or_else(|(said, _)| panic!("{said}"))
}

/// The parameter, from 1, after each of `steps` updates of an optimiser on an objective.
fn path(rules: &str, objective: &str, optimiser: &str, steps: usize) -> Vec<f64> {
    let text = format!(
        "{rules}\nmodel goal {{p: R[1] ~ [1]}} : () -> R[1] () {{ {objective} }}\n\
         train t {{ objective = goal, optimiser = {optimiser}, steps = {steps}, precision = f64 }}\n"
    );
    let training = program(&text).training("t").unwrap_or_else(|said| panic!("{said}"));
    let mut learner: Learner<f64> = Learner::new(&training, None, 0).unwrap();
    let mut after = Vec::new();
    for _ in 0..steps {
        learner.step(&[]).unwrap();
        after.push(learner.params()[0].to_f64()[0]);
    }
    after
}

/// Where 200 steps at rate 0.01 lead from 1 on p^2/2, to three places.
fn bowl(rules: &str, optimiser: &str) -> String {
    format!("{:.3}", path(rules, "0.5 * sq(p)", optimiser, 200)[199].abs())
}

/// Item 1. Printed: s' = -gamma s + p', put p + s', with p' the change -eps g.
#[test]
fn momentum_as_printed_damps() {
    let printed = "optimiser printed(lr, gamma) on p : R[n] {\n state s : R[n] ~ zeros\n put (g) {\n \
                   next s = -gamma * s - lr * g\n p + s } }";
    assert_eq!(bowl(printed, "printed(lr = 0.01, gamma = 0.9)"), "0.348");
    assert_eq!(bowl("", "gd(lr = 0.01)"), "0.134");
    assert_eq!(bowl("", "momentum(lr = 0.01, gamma = 0.9)"), "0.000");
}

/// Item 2. Printed: get p + gamma s with the same put.
#[test]
fn nesterov_as_printed_damps() {
    let printed = "optimiser printed(lr, gamma) on p : R[n] {\n state s : R[n] ~ zeros\n get { p + gamma * s }\n \
                   put (g) {\n next s = -gamma * s - lr * g\n p + s } }";
    assert_eq!(bowl(printed, "printed(lr = 0.01, gamma = 0.9)"), "0.350");
    assert_eq!(bowl("", "nesterov(lr = 0.01, gamma = 0.9)"), "0.000");
}

/// Item 3. Printed: (bt', bp') = alpha (bp - bt, bt - bp), the components swapped.
#[test]
fn the_quadratic_loss_as_printed_has_its_requests_swapped() {
    let refused = |first: &str, second: &str| {
        let text = format!(
            "prim pair : (t: R[n], y: R[n]) -> R[1] {{\n fwd (t, y) {{ 0.5 * dot(y - t, y - t) }}\n \
             rev (t, y, alpha) {{ (alpha * ({first}), alpha * ({second})) }}\n}}\n"
        );
        let report = laws::check(&program(&text), 50, 7);
        assert!(report.results.iter().any(|r| r.item == "pair"));
        report.results.into_iter().filter_map(|r| r.failure).map(|d| d.code).collect::<Vec<_>>()
    };
    assert_eq!(refused("y - t", "t - y"), [Code::LAW_REVERSE]);
    assert_eq!(refused("t - y", "y - t"), []);
    let ours = program("def f : (y: R[2], t: R[2]) -> R[1] (y, t) { quadratic(y, t) }").model("f").unwrap();
    let r = reverse_diagram(&ours.diagram, &Tangent::Real).unwrap();
    let asked = run(&r, &[vec![3.0, 1.0], vec![1.0, 2.0], vec![2.0]], 1);
    assert_eq!(asked, [[4.0, -2.0], [-4.0, 2.0]]);
}

/// Item 4. Printed: sum bt_i (bp_i - log softmax(bp)_i), whose request does not depend on the class.
#[test]
fn softmax_cross_entropy_as_printed_does_not_see_the_class() {
    let y = vec![0.2, -0.5, 1.0];
    let request = |loss: &str, label: [f64; 3]| {
        let text = format!(
            "loss f : (y: R[n], t: R[n]) -> R[1] (y, t) {{ {loss} }}\n\
                            def at : (y: R[3], t: R[3]) -> R[1] (y, t) {{ f(y, t) }}"
        );
        let d = program(&text).model("at").unwrap().diagram;
        let r = reverse_diagram(&d, &Tangent::Real).unwrap();
        let ports = [y.clone(), label.to_vec()];
        let asked = run(&r, &[ports[0].clone(), ports[1].clone(), vec![1.0]], 1);
        // R is right about either formula: it is the printed formula that is wrong.
        let along = [vec![0.3, -0.8, 0.5], vec![0.0; 3]];
        let verdict = against_differences(&|x| run(&d, x, 1), &ports, &[vec![1.0]], &along, &asked);
        assert_eq!(verdict, support::Verdict::Agree);
        asked[0].clone()
    };
    let printed = "sum(t * (y - log_softmax(y)))";
    let softmax = vec![0.269, 0.133, 0.598];
    for class in 0..3 {
        let mut label = [0.0; 3];
        label[class] = 1.0;
        assert!(near(&[request(printed, label)], std::slice::from_ref(&softmax), 6e-4));
        let mut right = softmax.clone();
        right[class] -= 1.0;
        assert!(near(&[request("softmax_cross_entropy(y, t)", label)], &[right], 6e-4));
    }
}

/// Item 5. Printed: the state holds the corrected moments and has no step count. With the count of updates supplied, the
/// first step is Adam's and the second is not: corrections pile up, m-hat is 1 / (1 - 0.9^2), v-hat 1 / (1 - 0.999^2).
#[test]
fn adam_as_printed_corrects_what_was_corrected() {
    let printed = "optimiser printed(lr, beta1 = 0.9, beta2 = 0.999, eps = 1e-8) on p : R[n] {\n \
                   state m : R[n] ~ zeros\n state v : R[n] ~ zeros\n state t : R[1] ~ zeros\n put (g) {\n next t = t + 1\n \
                   next m = (beta1 * m + (1 - beta1) * g) / (1 - beta1 ^ t)\n \
                   next v = (beta2 * v + (1 - beta2) * sq(g)) / (1 - beta2 ^ t)\n \
                   p - lr * m / (sqrt(v) + eps) } }";
    // On a constant request of 1 every step of Adam is the rate.
    let moves = |rules: &str, optimiser: &str| {
        let after = path(rules, "p", optimiser, 3);
        [1.0 - after[0], after[0] - after[1], after[1] - after[2]].map(|x| x / 0.01)
    };
    let ours = moves("", "adam(lr = 0.01)");
    assert!(ours.iter().all(|x| (x - 1.0).abs() < 1e-6), "{ours:?}");
    let theirs = moves(printed, "printed(lr = 0.01)");
    let second = (1.0 / (1.0 - 0.9_f64.powi(2))) / (1.0 / (1.0 - 0.999_f64.powi(2))).sqrt();
    assert!((theirs[0] - 1.0).abs() < 1e-6, "{theirs:?}");
    assert!((theirs[1] - second).abs() < 1e-6 && second < 0.24, "{theirs:?}");
}

/// Item 5, the package: raw moments and a count, but both are divided by 1 - beta2^t, so the first step is a hundred
/// times the rate.
#[test]
fn adam_with_one_correction_for_both_moments_leaps() {
    let package = "optimiser package(lr, beta1 = 0.9, beta2 = 0.999, eps = 1e-8) on p : R[n] {\n \
                   state m : R[n] ~ zeros\n state v : R[n] ~ zeros\n state t : R[1] ~ zeros\n put (g) {\n next t = t + 1\n \
                   next m = beta1 * m + (1 - beta1) * g\n next v = beta2 * v + (1 - beta2) * sq(g)\n \
                   let c = 1 - beta2 ^ t\n p - lr * (m / c) / (sqrt(v / c) + eps) } }";
    let first = 1.0 - path(package, "p", "package(lr = 0.01)", 1)[0];
    assert!((first / 0.01 - 100.0).abs() < 1e-4, "{first}");
    let ours = 1.0 - path("", "p", "adam(lr = 0.01)", 1)[0];
    assert!((ours / 0.01 - 1.0).abs() < 1e-6, "{ours}");
}

//! Rules that take rules, and transforms behind parts, against plain Rust and against the rules they must equal.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    missing_docs,
    reason = "tests"
)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests read files and the environment")]

mod commands;
mod steps;

use commands::{catlearn, ends, folder, last, text};
use std::fs;
use steps::{learner, trajectory};

/// A bowl over a : R[3] and w : R[2, 2] whose axes differ, so that momentum overshoots.
const BOWL: &str = "
const h : R[3] = [1, 9, 0.3]
model bowl {a: R[3] ~ [1, -2, 0.5], w: R[2, 2] ~ [[1, 0.5], [-1, 2]]} : () -> R[1] () {
    0.5 * dot(a, h * a) + dot(w, w) + 0.2 * sq(sum(a) + sum(sum(w)))
}
// The same step, told twice over.
optimiser same(rule) on p : R[n] per tensor { put (g) { rule.step(p, g) } }
optimiser asked(rule) on p : R[n] per tensor { step { rule.step(p) } }
optimiser widely(rule) on p : R[..s] per global { step { rule.step(p) } }
optimiser twice(rule) on p : R[n] { step { let q = rule.step(p)  rule.step(q) } }
// Slow weights follow the fast ones (Zhang et al. 2019): here after every step.
optimiser behind(rule, alpha = 0.5) on p : R[n] per tensor {
    state slow : R[n] ~ p
    put (g) { next slow = slow + alpha * (rule.step(p, g) - slow)  slow }
}
";

fn ours(rule: &str) -> Vec<Vec<f64>> {
    trajectory(&format!("{BOWL} train r {{ objective = bowl, optimiser = {rule}, steps = 25, precision = f64 }}"), 25)
}

fn near(a: &[Vec<f64>], b: &[Vec<f64>], what: &str) {
    assert_eq!(a.len(), b.len());
    for (k, (x, y)) in a.iter().zip(b).enumerate() {
        for (x, y) in x.iter().zip(y) {
            assert!((x - y).abs() <= 1e-12 * y.abs().max(1.0), "{what}, step {k}: {x} and {y}");
        }
    }
}

#[test]
fn a_rule_that_only_applies_another_is_that_rule() {
    for rule in [
        "gd(lr = 0.05)",
        "adam(lr = 0.05)",
        "momentum(lr = 0.02)",
        "gd(lr = 0.1) >> scale_by_adam()",
        "gd(cosine(0.1, 20))",
    ] {
        near(&ours(&format!("same({rule})")), &ours(rule), rule);
        near(&ours(&format!("asked({rule})")), &ours(rule), rule);
        near(&ours(&format!("asked(same({rule}))")), &ours(rule), rule);
    }
    // What looks ahead asks for itself.
    near(&ours("asked(nesterov(lr = 0.02))"), &ours("nesterov(lr = 0.02)"), "nesterov");
    let clipped = "adam(lr = 0.05) >> clip_norm(0.5)";
    near(&ours(&format!("widely({clipped})")), &ours(clipped), clipped);
    near(&ours("same(gd(lr = 0.05)) >> clip_norm(0.5)"), &ours("gd(lr = 0.05) >> clip_norm(0.5)"), "behind it");
}

#[test]
fn states_of_an_inner_rule_stand_under_its_name() {
    let of = |rule: &str| {
        let text = format!("{BOWL} train r {{ objective = bowl, optimiser = {rule}, steps = 1 }}");
        let mut paths: Vec<String> = learner(&text).state_leaves().iter().map(|(p, _)| p.to_string()).collect();
        paths.sort();
        paths
    };
    assert_eq!(of("same(momentum(lr = 0.1))"), ["bowl.a.momentum.b", "bowl.w.momentum.b"]);
    let both = of("behind(momentum(lr = 0.1))");
    assert_eq!(both, ["bowl.a.momentum.b", "bowl.a.slow", "bowl.w.momentum.b", "bowl.w.slow"]);
}

#[test]
fn two_steps_of_a_rule_are_two_updates_of_it() {
    let (two, one) = (ours("twice(momentum(lr = 0.02))"), ours("momentum(lr = 0.02)"));
    near(&two[..12], &one.iter().step_by(2).take(12).cloned().collect::<Vec<_>>(), "every second");
}

fn gradient(p: &[f64]) -> Vec<f64> {
    let s = 0.4 * p.iter().sum::<f64>();
    let h = [1.0, 9.0, 0.3];
    (0..7).map(|i| s + if i < 3 { h[i] * p[i] } else { 2.0 * p[i] }).collect()
}

/// C-AdamW without decay (OPTIMISERS.md section 2.3): the mask of m g > 0, scaled by tensor.
#[test]
fn cautious_adam_is_its_formula() {
    for (mask, count) in [("", false), (", mask = mean", false), (", mask = count", true)] {
        let found = ours(&format!("cautious(adam(lr = 0.1, beta1 = 0.9, beta2 = 0.99){mask})"));
        let mut p = vec![1.0, -2.0, 0.5, 1.0, 0.5, -1.0, 2.0];
        let (mut m, mut v) = (vec![0.0; 7], vec![0.0; 7]);
        let mut masked = 0;
        for (t, point) in found.iter().enumerate() {
            near(std::slice::from_ref(point), std::slice::from_ref(&p), &format!("mask {mask}, update {t}"));
            let g = gradient(&p);
            let t = t as i32 + 1;
            for i in 0..7 {
                m[i] = 0.9 * m[i] + (1.0 - 0.9) * g[i];
                v[i] = 0.99 * v[i] + (1.0 - 0.99) * g[i] * g[i];
            }
            for tensor in [0..3, 3..7] {
                let keep: Vec<f64> = tensor.clone().map(|i| f64::from(u8::from(m[i] * g[i] > 0.0))).collect();
                let (n, sum) = (keep.len() as f64, keep.iter().sum::<f64>());
                masked += keep.iter().filter(|k| **k == 0.0).count();
                let scale = if count { n / (sum + 1.0) } else { 1.0 / (sum / n).max(1e-3) };
                for (i, k) in tensor.zip(keep) {
                    let mhat = m[i] / (1.0 - 0.9_f64.powi(t));
                    let vhat = v[i] / (1.0 - 0.99_f64.powi(t));
                    p[i] -= 0.1 * mhat * k * scale / (vhat.sqrt() + 1e-8);
                }
            }
        }
        assert!(masked > 5, "the mask must have closed: {masked}");
    }
}

#[test]
fn a_transform_behind_parts_sees_all_of_them() {
    for rule in ["gd(lr = 0.1)", "adam(lr = 0.05)", "nesterov(lr = 0.02)"] {
        for behind in ["clip_norm(0.5)", "clip_value(max = 0.3)", "decay(rate = 0.1) >> clip_norm(1)"] {
            let (parts, whole) =
                (ours(&format!("{{ \"*.a\": {rule}, _: {rule} }} >> {behind}")), ours(&format!("{rule} >> {behind}")));
            near(&parts, &whole, &format!("{rule} >> {behind}"));
        }
    }
    // Parts with transforms of their own: those stand nearer to the rule.
    let parts = ours("{ \"*.a\": gd(lr = 0.1) >> clip_value(max = 0.2), _: gd(lr = 0.1) } >> decay(rate = 0.1)");
    let apart = ours(
        "{ \"*.a\": gd(lr = 0.1) >> clip_value(max = 0.2) >> decay(rate = 0.1), _: gd(lr = 0.1) >> decay(rate = 0.1) }",
    );
    near(&parts, &apart, "parts with transforms");
}

#[test]
fn rules_of_rules_resume_to_the_bits_of_the_unbroken_run() {
    let dir = folder("rules-of-rules");
    let file = dir.join("r.lens");
    let run = "train t { objective = bowl, steps = 12, seed = 1, frozen = [\"*.w\"],
        optimiser = { \"*.a\": behind(cautious(adam(lr = warmup(steps = 4, to = 0.1) then linear(0.1, 0, 6)))), _: gd(lr = 0.1) } >> clip_norm(2) }\n";
    fs::write(&file, format!("{BOWL}{run}")).unwrap();
    let (whole, broken) = (dir.join("whole"), dir.join("broken"));
    ends(&catlearn(&["train", text(&file), "--out", text(&whole)]), 0);
    ends(&catlearn(&["train", text(&file), "--out", text(&broken), "--stop-after", "5"]), 130);
    ends(&catlearn(&["train", "--resume", text(&broken)]), 0);
    assert_eq!(last(&whole), last(&broken));
}

//! The update rules of the prelude against a few lines of plain Rust each, over 30 steps in f64 on one objective with
//! two leaves; laws between rules; and the golden trajectories of third-party libraries, where they are to be had.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    clippy::cast_possible_truncation,
    missing_docs,
    reason = "tests"
)]

mod steps;

use serde_json::Value;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use steps::trajectory;

const STEPS: usize = 30;
const START: [f64; 7] = [1.0, -2.0, 0.5, 1.0, 0.5, -1.0, 2.0];

/// (a H a + |w - w0|^2) / 2 + (sum a + sum w)^2 / 10 over a : R[3] and w : R[2, 2].
const BOWL: &str = "
const H : R[3, 3] = [[2, 0.5, 0], [0.5, 1, -0.25], [0, -0.25, 3]]
const w0 : R[2, 2] = [[0.25, -1], [1.5, 0]]
model bowl {a: R[3] ~ [1, -2, 0.5], w: R[2, 2] ~ [[1, 0.5], [-1, 2]]} : () -> R[1] () {
    0.5 * dot(a, H @ a) + 0.5 * dot(w - w0, w - w0) + 0.1 * sq(sum(a) + sum(sum(w)))
}
";

fn gradient(p: &[f64]) -> Vec<f64> {
    let h = [[2.0, 0.5, 0.0], [0.5, 1.0, -0.25], [0.0, -0.25, 3.0]];
    let w0 = [0.25, -1.0, 1.5, 0.0];
    let s = 0.2 * p.iter().sum::<f64>();
    let mut g: Vec<f64> = (0..3).map(|i| s + (0..3).map(|j| h[i][j] * p[j]).sum::<f64>()).collect();
    g.extend((0..4).map(|i| s + p[3 + i] - w0[i]));
    g
}

fn norm(g: &[f64]) -> f64 {
    g.iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn ours(extra: &str, rule: &str) -> Vec<Vec<f64>> {
    let run = format!("train r {{ objective = bowl, optimiser = {rule}, steps = {STEPS}, precision = f64 }}");
    trajectory(&format!("{BOWL}{extra}\n{run}"), STEPS)
}

/// Our rule against one that moves `p`, told how many updates were made before.
fn against(extra: &str, rule: &str, mut by_hand: impl FnMut(usize, &mut [f64])) {
    let mut p = START.to_vec();
    for (k, point) in ours(extra, rule).iter().enumerate() {
        for (i, (x, y)) in point.iter().zip(&p).enumerate() {
            assert!((x - y).abs() <= 1e-12 * y.abs().max(1.0), "{rule}: step {k}, entry {i}: {x}, by hand {y}");
        }
        assert_eq!(point.len(), p.len());
        by_hand(k, &mut p);
    }
}

/// A rule by the gradient at the parameter: `(t, i, p_i, g_i)` to the new p_i, t from 0.
fn plain(rule: &str, mut each: impl FnMut(usize, usize, f64, f64) -> f64) {
    against("", rule, |t, p| {
        let g = gradient(p);
        for i in 0..p.len() {
            p[i] = each(t, i, p[i], g[i]);
        }
    });
}

#[test]
fn gradient_descent_and_ascent() {
    plain("gd(lr = 0.1)", |_, _, p, g| p - 0.1 * g);
    plain("ascent(lr = 0.01)", |_, _, p, g| p + 0.01 * g);
    plain("gd(lr = 0.1) >> decay(rate = 0.2)", |_, _, p, g| p - 0.1 * (g + 0.2 * p));
}

#[test]
fn momenta() {
    let mut b = [0.0; 7];
    plain("momentum(lr = 0.05, gamma = 0.8)", |_, i, p, g| {
        b[i] = 0.8 * b[i] + g;
        p - 0.05 * b[i]
    });
    let mut u = [0.0; 7];
    against("", "nesterov(lr = 0.05, gamma = 0.8)", |_, p| {
        let ahead: Vec<f64> = p.iter().zip(&u).map(|(p, u)| p + 0.8 * u).collect();
        let g = gradient(&ahead);
        for i in 0..7 {
            u[i] = 0.8 * u[i] - 0.05 * g[i];
            p[i] += u[i];
        }
    });
}

#[test]
fn sgd_in_all_forms() {
    for momentum in [0.0, 0.9] {
        for dampening in [0.0, 0.3] {
            for nesterov in [false, true] {
                for decay in [0.0, 0.1] {
                    let rule = format!(
                        "sgd(lr = 0.05, momentum = {momentum}, dampening = {dampening}, nesterov = {nesterov}, decay = {decay})"
                    );
                    let mut b = [0.0; 7];
                    plain(&rule, |t, i, p, g| {
                        let d = g + decay * p;
                        // torch.optim.SGD has neither buffer nor dampening without momentum.
                        let plain = t == 0 || momentum == 0.0;
                        b[i] = if plain { d } else { momentum * b[i] + (1.0 - dampening) * d };
                        p - 0.05 * if nesterov { d + momentum * b[i] } else { b[i] }
                    });
                }
            }
        }
    }
}

/// Adam's direction by hand.
fn adam(b1: f64, b2: f64, eps: f64) -> impl FnMut(usize, usize, f64) -> f64 {
    let (mut m, mut v) = ([0.0; 7], [0.0; 7]);
    move |t, i, g| {
        m[i] = b1 * m[i] + (1.0 - b1) * g;
        v[i] = b2 * v[i] + (1.0 - b2) * g * g;
        let t = t as i32 + 1;
        m[i] / (1.0 - b1.powi(t)) / ((v[i] / (1.0 - b2.powi(t))).sqrt() + eps)
    }
}

#[test]
fn adaptive() {
    let mut a = [0.0; 7];
    plain("adagrad(lr = 0.3)", |_, i, p, g| {
        a[i] += g * g;
        p - 0.3 * g / (a[i].sqrt() + 1e-10)
    });
    let mut d = adam(0.9, 0.999, 1e-8);
    plain("adam(lr = 0.05)", |t, i, p, g| p - 0.05 * d(t, i, g));
    let mut d = adam(0.7, 0.9, 1e-3);
    plain("adam(lr = 0.05, beta1 = 0.7, beta2 = 0.9, eps = 1e-3)", |t, i, p, g| p - 0.05 * d(t, i, g));
    let mut d = adam(0.9, 0.999, 1e-8);
    plain("adamw(lr = 0.05, decay = 0.1)", |t, i, p, g| p * (1.0 - 0.005) - 0.05 * d(t, i, g));
}

#[test]
fn clipped() {
    // One norm over both leaves.
    against("", "gd(lr = 0.5) >> clip_norm(max = 0.4)", |_, p| {
        let g = gradient(p);
        let by = 0.4 / norm(&g).max(0.4);
        p.iter_mut().zip(&g).for_each(|(p, g)| *p -= 0.5 * by * g);
    });
    plain("gd(lr = 0.1) >> clip_value(max = 0.3)", |_, _, p, g| p - 0.1 * g.clamp(-0.3, 0.3));
    let mut b = [0.0; 7];
    against("", "momentum(lr = 0.1, gamma = 0.5) >> clip_norm(max = 1) >> decay(rate = 0.1)", |_, p| {
        let g: Vec<f64> = gradient(p).iter().zip(p.iter()).map(|(g, p)| g + 0.1 * p).collect();
        let by = 1.0 / norm(&g).max(1.0);
        for i in 0..7 {
            b[i] = 0.5 * b[i] + by * g[i];
            p[i] -= 0.1 * b[i];
        }
    });
}

/// Sharpness-aware minimisation: two requests a step, one norm over both leaves (or one each).
#[test]
fn sam() {
    for (scope, leaves) in [("global", [0..7, 7..7]), ("tensor", [0..3, 3..7])] {
        let text = format!(
            "optimiser sam(lr, rho = 0.05) on p : R[..s] per {scope} {{
    step {{
        let g = request(p)
        p - lr * request(p + rho * g / norm(g))
    }}
}}"
        );
        against(&text, "sam(lr = 0.1, rho = 0.2)", |_, p| {
            let g = gradient(p);
            let mut up = p.to_vec();
            for leaf in &leaves {
                let n = norm(&g[leaf.clone()]);
                leaf.clone().for_each(|i| up[i] += 0.2 * g[i] / n);
            }
            let g = gradient(&up);
            p.iter_mut().zip(&g).for_each(|(p, g)| *p -= 0.1 * g);
        });
    }
}

#[test]
fn rules_by_path() {
    let mut d = adam(0.9, 0.999, 1e-8);
    plain(
        "{ \"*.w\": adam(lr = 0.05), _: gd(lr = 0.1) }",
        |t, i, p, g| {
            if i < 3 { p - 0.1 * g } else { p - 0.05 * d(t, i, g) }
        },
    );
    let mut b = [0.0; 7];
    plain("{ \"*.a\": momentum(lr = 0.05, gamma = 0.5), \"*\": ascent(lr = 0.001) }", |_, i, p, g| {
        if i >= 3 {
            return p + 0.001 * g;
        }
        b[i] = 0.5 * b[i] + g;
        p - 0.05 * b[i]
    });
    // `per global` inside a part is over that part.
    against("", "{ \"*.w\": gd(lr = 0.2) >> clip_norm(max = 0.5), _: gd(lr = 0.1) }", |_, p| {
        let g = gradient(p);
        let by = 0.5 / norm(&g[3..]).max(0.5);
        for i in 0..7 {
            p[i] -= if i < 3 { 0.1 } else { 0.2 * by } * g[i];
        }
    });
}

/// A schedule's t is the number of updates made before: 0 at the first.
#[test]
fn schedules() {
    use std::f64::consts::PI;
    let cosine = |t: usize| if t >= 20 { 0.0 } else { 0.05 * (1.0 + (PI * t as f64 / 20.0).cos()) };
    assert!((cosine(0) - 0.1).abs() < 1e-15);
    plain("gd(lr = cosine(from = 0.1, steps = 20))", |t, _, p, g| p - cosine(t) * g);
    let first = ours("", "gd(lr = cosine(from = 0.1, steps = 20))");
    let g = gradient(&START);
    assert!((first[1][0] - (START[0] - 0.1 * g[0])).abs() < 1e-15, "the whole rate at the first update");
    assert_eq!(first[20], first[30], "then 0");
    plain("gd(lr = warmup(steps = 10, to = 0.1))", |t, _, p, g| p - 0.1 * (t as f64 / 10.0).min(1.0) * g);
    plain("gd(lr = exponential(from = 0.1, rate = 0.9))", |t, _, p, g| p - 0.1 * 0.9f64.powi(t as i32) * g);
    plain("gd(lr = step(from = 0.1, rate = 0.5, every = 7))", |t, _, p, g| p - 0.1 * 0.5f64.powi(t as i32 / 7) * g);
    let mut d = adam(0.9, 0.999, 1e-8);
    plain("adam(lr = cosine(from = 0.1, steps = 20))", |t, i, p, g| p - cosine(t) * d(t, i, g));
}

/// gd(lr) >> scale_by_adam() is adam(lr).
#[test]
fn composites_are_rules() {
    for (one, two) in [
        ("gd(lr = 0.05) >> scale_by_adam()", "adam(lr = 0.05)"),
        ("gd(lr = 0.1) >> scale_by_adam(beta1 = 0.8, eps = 1e-4)", "adam(lr = 0.1, beta1 = 0.8, eps = 1e-4)"),
    ] {
        let run = |rule: &str| {
            trajectory(
                &format!("{BOWL} train r {{ objective = bowl, optimiser = {rule}, steps = 50, precision = f64 }}"),
                50,
            )
        };
        let (one, two) = (run(one), run(two));
        let worst = one.iter().flatten().zip(two.iter().flatten()).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
        assert!(worst <= 1e-15, "{worst}");
    }
}

fn golden() -> Option<PathBuf> {
    let base = std::env::var_os("CATLEARN_GOLDEN_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/golden/optimisers"), PathBuf::from);
    [base.clone(), base.join("optimisers")].into_iter().find(|p| p.join("problems.json").is_file())
}

fn list(v: &Value) -> String {
    match v {
        Value::Array(all) => format!("[{}]", all.iter().map(list).collect::<Vec<_>>().join(", ")),
        _ => v.as_f64().unwrap().to_string(),
    }
}

fn numbers(v: &Value) -> Vec<f64> {
    v.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// torch's clip_grad_norm_ has 1e-6 beside the norm; its objective is maximised as -f where the rule ascends.
const TORCH: &str = "
def smaller : (x: R[1], y: R[1]) -> R[1] (x, y) { min(x, y) }
transform torch_clip(max) on p : R[..s] per global { put (g) { g * smaller(1, max / (norm(g) + 1e-6)) } }
";

#[test]
fn golden_trajectories() {
    let Some(dir) = golden() else {
        // Written past the harness, which would swallow it.
        let why = "SKIPPED golden_trajectories: no ../shared/golden/optimisers and no CATLEARN_GOLDEN_DIR";
        writeln!(std::io::stderr(), "{why}").unwrap();
        return;
    };
    let read = |name: &str| -> Value { serde_json::from_slice(&std::fs::read(dir.join(name)).unwrap()).unwrap() };
    let problem = &read("problems.json")["quad10"];
    let mut report = String::new();
    type Rule = fn(&dyn Fn(&str) -> f64) -> String;
    let rules: [(&str, Rule); 9] = [
        ("gd", |h| format!("gd(lr = {})", h("lr"))),
        ("gradient_ascent", |h| format!("ascent(lr = {})", h("lr"))),
        ("momentum_heavyball", |h| format!("momentum(lr = {}, gamma = {})", h("lr"), h("momentum"))),
        ("nesterov_torch", |h| format!("sgd(lr = {}, momentum = {}, nesterov = true)", h("lr"), h("momentum"))),
        ("nesterov_lens", |h| format!("nesterov(lr = {}, gamma = {})", h("lr"), h("momentum"))),
        ("adagrad", |h| format!("adagrad(lr = {})", h("lr"))),
        ("adam", |h| format!("adam(lr = {})", h("lr"))),
        ("adamw", |h| format!("adamw(lr = {})", h("lr"))),
        ("clip_norm_sgd", |h| format!("gd(lr = {}) >> torch_clip(max = {})", h("lr"), h("max_norm"))),
    ];
    for (name, rule) in rules {
        let file = read(&format!("{name}.json"));
        let runs = file["runs"].as_array().unwrap();
        let mut met = 0;
        for run in runs.iter().filter(|r| r["problem"] == "quad10") {
            let hyper = |key: &str| run["hyper"][key].as_f64().unwrap();
            let sign = if name == "gradient_ascent" { "-1 * " } else { "" };
            let expected: Vec<Vec<f64>> = run["steps"].as_array().unwrap().iter().map(numbers).collect();
            let text = format!(
                "const H : R[10, 10] = {}\nconst b : R[10] = {}\nconst from : R[10] = {}\n{TORCH}
model quad {{x: R[10] ~ from}} : () -> R[1] () {{ {sign}(0.5 * dot(x, H @ x) - dot(b, x)) }}
train r {{ objective = quad, optimiser = {}, steps = 50, precision = f64 }}",
                list(&problem["data"]["H"]),
                list(&problem["data"]["b"]),
                list(&run["start"]),
                rule(&hyper)
            );
            let bound = 1e-11 * run["amplification"].as_f64().unwrap().max(1.0);
            let mut worst = 0.0f64;
            for (x, y) in trajectory(&text, expected.len() - 1).iter().flatten().zip(expected.iter().flatten()) {
                worst = worst.max((x - y).abs());
            }
            assert!(worst <= bound, "{name}: off by {worst:e}, allowed {bound:e}");
            writeln!(report, "golden {name}: 51 points, off by at most {worst:.1e}, allowed {bound:.1e}").unwrap();
            met += 1;
        }
        assert!(met > 0, "{name} has no quad10");
    }
    print!("{report}");
}

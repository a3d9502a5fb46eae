//! Update rules of the prelude against plain Rust, and the lens paper's misprints (CORE.md section 4).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests read files and the environment")]

mod support;

use catlearn::elaborate::Program;
use catlearn::reverse::{Real, reverse_diagram};
use catlearn::run::{Learner, Schedule, Tensor};
use catlearn::source::MemoryWorld;
use serde_json::Value;
use support::{near, run};

fn program(text: &str) -> Program {
    Program::parse(text, "test.lens", &MemoryWorld::default()).unwrap_or_else(|(said, _)| panic!("{said}"))
}

/// All parameters after each of `steps` updates of the run `t`, the start first.
fn trajectory(text: &str, steps: usize) -> Vec<Vec<f64>> {
    let training = program(text).training("t").unwrap_or_else(|said| panic!("{said}"));
    let mut learner: Learner<f64> = Learner::new(&training, None, 0).unwrap_or_else(|said| panic!("{said}"));
    let mut schedule = Schedule::new(&training.settings, &[], false, 0);
    let flat = |l: &Learner<f64>| l.params().iter().flat_map(Tensor::to_f64).collect::<Vec<f64>>();
    let mut all = vec![flat(&learner)];
    for k in 0..steps {
        learner.step(&schedule.batch(k)).unwrap_or_else(|d| panic!("{}", d.message));
        all.push(flat(&learner));
    }
    all
}

/// f = (a1^2 + 3 a2^2 + 2 b^2) / 2 over two leaves, R[2] and R[1].
const QUADRATIC: &str = "const d : R[2] = [1, 3]\n\
    model quad {a: R[2] ~ [1, -2], b: R[1] ~ [0.5]} : () -> R[1] () { 0.5 * dot(a, d * a) + dot(b, b) }\n";
const CURVATURE: [f64; 3] = [1.0, 3.0, 2.0];
const START: [f64; 3] = [1.0, -2.0, 0.5];

fn gradient(p: &[f64]) -> Vec<f64> {
    p.iter().zip(CURVATURE).map(|(x, c)| c * x).collect()
}

fn with(rule: &str, steps: usize) -> Vec<Vec<f64>> {
    let text = format!("{QUADRATIC}train t {{ objective = quad, optimiser = {rule}, steps = 40, precision = f64 }}\n");
    trajectory(&text, steps)
}

/// Moves the start by a step in plain Rust.
fn by_hand(steps: usize, mut step: impl FnMut(usize, &[f64]) -> Vec<f64>) -> Vec<Vec<f64>> {
    let mut all = vec![START.to_vec()];
    for k in 0..steps {
        let next = step(k, all.last().unwrap());
        all.push(next);
    }
    all
}

fn zip(a: &[f64], b: &[f64], f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    a.iter().zip(b).map(|(x, y)| f(*x, *y)).collect()
}

const STEPS: usize = 30;

fn equal(rule: &str, hand: &[Vec<f64>]) {
    let ours = with(rule, STEPS);
    assert!(near(&ours, hand, 1e-12), "{rule}\n{:?}\n{:?}", ours.last(), hand.last());
}

#[test]
fn gradient_rules_equal_plain_rust() {
    equal("gd(lr = 0.1)", &by_hand(STEPS, |_, p| zip(p, &gradient(p), |p, g| p - 0.1 * g)));
    equal("ascent(lr = 0.01)", &by_hand(STEPS, |_, p| zip(p, &gradient(p), |p, g| p + 0.01 * g)));
    let mut b = vec![0.0; 3];
    equal(
        "momentum(lr = 0.05, gamma = 0.8)",
        &by_hand(STEPS, |_, p| {
            b = zip(&b, &gradient(p), |b, g| 0.8 * b + g);
            zip(p, &b, |p, b| p - 0.05 * b)
        }),
    );
    let mut u = vec![0.0; 3];
    equal(
        "nesterov(lr = 0.05, gamma = 0.8)",
        &by_hand(STEPS, |_, p| {
            let ahead = zip(p, &u, |p, u| p + 0.8 * u);
            u = zip(&u, &gradient(&ahead), |u, g| 0.8 * u - 0.05 * g);
            zip(p, &u, |p, u| p + u)
        }),
    );
    let mut b: Option<Vec<f64>> = None;
    equal(
        "sgd(lr = 0.05, momentum = 0.9, dampening = 0.2, nesterov = true, decay = 0.1)",
        &by_hand(STEPS, |_, p| {
            let d = zip(&gradient(p), p, |g, p| g + 0.1 * p);
            let next = match &b {
                None => d.clone(),
                Some(b) => zip(b, &d, |b, d| 0.9 * b + 0.8 * d),
            };
            b = Some(next.clone());
            let move_by = zip(&d, &next, |d, b| d + 0.9 * b);
            zip(p, &move_by, |p, m| p - 0.05 * m)
        }),
    );
}

fn adam_by_hand(decay: f64) -> Vec<Vec<f64>> {
    let (mut m, mut v) = (vec![0.0; 3], vec![0.0; 3]);
    by_hand(STEPS, |k, p| {
        let (g, t) = (gradient(p), i32::try_from(k + 1).unwrap());
        m = zip(&m, &g, |m, g| 0.9 * m + 0.1 * g);
        v = zip(&v, &g, |v, g| 0.999 * v + 0.001 * g * g);
        let (c1, c2) = (1.0 - 0.9_f64.powi(t), 1.0 - 0.999_f64.powi(t));
        let step = zip(&m, &v, |m, v| (m / c1) / ((v / c2).sqrt() + 1e-8));
        zip(p, &step, |p, s| p * (1.0 - 0.05 * decay) - 0.05 * s)
    })
}

#[test]
fn adaptive_rules_equal_plain_rust() {
    equal("adam(lr = 0.05)", &adam_by_hand(0.0));
    equal("adamw(lr = 0.05, decay = 0.1)", &adam_by_hand(0.1));
    let mut a = vec![0.0; 3];
    equal(
        "adagrad(lr = 0.1)",
        &by_hand(STEPS, |_, p| {
            let g = gradient(p);
            a = zip(&a, &g, |a, g| a + g * g);
            let step = zip(&g, &a, |g, a| g / (a.sqrt() + 1e-10));
            zip(p, &step, |p, s| p - 0.1 * s)
        }),
    );
    // A law; the rate multiplies in another order, so to rounding.
    assert!(near(&with("gd(lr = 0.05) >> scale_by_adam()", STEPS), &with("adam(lr = 0.05)", STEPS), 1e-14));
}

#[test]
fn transforms_see_what_their_scope_says() {
    // Over all parameters together.
    equal(
        "gd(lr = 0.1) >> clip_norm(max = 0.5)",
        &by_hand(STEPS, |_, p| {
            let g = gradient(p);
            let size = g.iter().map(|g| g * g).sum::<f64>().sqrt();
            zip(p, &g, |p, g| p - 0.1 * g * (0.5 / size.max(0.5)))
        }),
    );
    equal(
        "gd(lr = 0.1) >> clip_value(max = 0.3)",
        &by_hand(STEPS, |_, p| zip(p, &gradient(p), |p, g| p - 0.1 * g.clamp(-0.3, 0.3))),
    );
    equal(
        "gd(lr = 0.1) >> decay(rate = 0.2)",
        &by_hand(STEPS, |_, p| zip(p, &gradient(p), |p, g| p - 0.1 * (g + 0.2 * p))),
    );
    equal(
        "{ \"*.b\": gd(lr = 0.3), _: gd(lr = 0.1) }",
        &by_hand(STEPS, |_, p| {
            let g = gradient(p);
            vec![p[0] - 0.1 * g[0], p[1] - 0.1 * g[1], p[2] - 0.3 * g[2]]
        }),
    );
}

#[test]
fn schedules_count_from_zero() {
    equal(
        "gd(lr = cosine(from = 0.1, steps = 20))",
        &by_hand(STEPS, |k, p| {
            let t = k as f64;
            let rate = if t >= 20.0 { 0.0 } else { 0.05 * (1.0 + (std::f64::consts::PI * t / 20.0).cos()) };
            zip(p, &gradient(p), |p, g| p - rate * g)
        }),
    );
}

/// The general form: a second request at a point made from the first.
#[test]
fn a_step_may_ask_twice() {
    let sam = "optimiser sam(lr, rho = 0.05) on p : R[..s] per global {\n\
               step { let g = request(p)  p - lr * request(p + rho * g / norm(g)) } }\n";
    let text = format!(
        "{sam}{QUADRATIC}train t {{ objective = quad, optimiser = sam(lr = 0.1), steps = 40, precision = f64 }}\n"
    );
    let hand = by_hand(STEPS, |_, p| {
        let g = gradient(p);
        let size = g.iter().map(|g| g * g).sum::<f64>().sqrt();
        let near = zip(p, &g, |p, g| p + 0.05 * g / size);
        zip(p, &gradient(&near), |p, g| p - 0.1 * g)
    });
    assert!(near(&trajectory(&text, STEPS), &hand, 1e-12));
}

/// p^2 / 2 from 1, 200 steps: the last value's distance from 0.
fn on_a_parabola(rule: &str, use_it: &str) -> f64 {
    let text = format!(
        "{rule}\nmodel half {{p: R[1] ~ [1]}} : () -> R[1] () {{ 0.5 * dot(p, p) }}\n\
         train t {{ objective = half, optimiser = {use_it}, steps = 200, precision = f64 }}\n"
    );
    trajectory(&text, 200).last().unwrap()[0].abs()
}

/// Items 1 and 2: with p' already holding -eps, the printed `s' = -gamma s + p'` damps.
#[test]
fn printed_momentum_and_nesterov_damp() {
    let printed = "optimiser printed(lr, gamma = 0.9) on p : R[n] { state s : R[n] ~ zeros\n\
                   put (g) { next s = -gamma * s - lr * g   p + s } }";
    let ahead = "optimiser printed(lr, gamma = 0.9) on p : R[n] { state s : R[n] ~ zeros\n\
                 get { p + gamma * s } put (g) { next s = -gamma * s - lr * g   p + s } }";
    assert_eq!(format!("{:.3}", on_a_parabola("", "gd(lr = 0.01)")), "0.134");
    assert_eq!(format!("{:.3}", on_a_parabola(printed, "printed(lr = 0.01)")), "0.348");
    assert_eq!(format!("{:.3}", on_a_parabola(ahead, "printed(lr = 0.01)")), "0.350");
    assert_eq!(format!("{:.3}", on_a_parabola("", "momentum(lr = 0.01, gamma = 0.9)")), "0.000");
    assert_eq!(format!("{:.3}", on_a_parabola("", "nesterov(lr = 0.01, gamma = 0.9)")), "0.000");
}

fn requests_of(loss: &str, y: &[f64], t: &[f64]) -> Vec<Vec<f64>> {
    let n = y.len();
    let text = format!("{loss}\ndef f : (y: R[{n}], t: R[{n}]) -> R[1] (y, t) {{ wanted(y, t) }}");
    let d = program(&text).model("f").unwrap().diagram;
    run(&reverse_diagram(&d, &Real).unwrap(), &[y.to_vec(), t.to_vec(), vec![1.0]], 1)
}

/// Item 3: the components of the quadratic loss's derivative are printed swapped.
#[test]
fn printed_quadratic_derivative_is_swapped() {
    let loss = "loss wanted : (y: R[n], t: R[n]) -> R[1] (y, t) { quadratic(y, t) }";
    let (y, t) = ([2.0, -1.0], [0.5, 1.0]);
    let ours = requests_of(loss, &y, &t);
    let (of_y, of_t): (Vec<f64>, Vec<f64>) = (zip(&y, &t, |y, t| y - t), zip(&y, &t, |y, t| t - y));
    assert!(near(&ours, &[of_y.clone(), of_t.clone()], 1e-15));
    // As printed, the label's request would stand at the prediction: it points uphill.
    assert!(!near(&ours, &[of_t, of_y], 0.5));
}

/// Item 4: the printed softmax cross-entropy does not depend on the class.
#[test]
fn printed_cross_entropy_forgets_the_class() {
    let printed = "loss wanted : (y: R[n], t: R[n]) -> R[1] (y, t) { dot(t, y - log_softmax(y)) }";
    let logits: Vec<f64> = [0.269_f64, 0.133, 0.598].iter().map(|p| p.ln()).collect();
    let softmax = [0.269, 0.133, 0.598];
    let total: f64 = softmax.iter().sum();
    let softmax: Vec<f64> = softmax.iter().map(|p| p / total).collect();
    let first = requests_of(printed, &logits, &[1.0, 0.0, 0.0])[0].clone();
    let second = requests_of(printed, &logits, &[0.0, 1.0, 0.0])[0].clone();
    assert!(near(std::slice::from_ref(&first), std::slice::from_ref(&softmax), 1e-12), "{first:?}");
    assert!(near(&[first], &[second], 1e-12), "whatever the class");
    let ours = "loss wanted : (y: R[n], t: R[n]) -> R[1] (y, t) { softmax_cross_entropy(y, t) }";
    let right = requests_of(ours, &logits, &[0.0, 1.0, 0.0])[0].clone();
    let by_hand = vec![softmax[0], softmax[1] - 1.0, softmax[2]];
    assert!(near(&[right], &[by_hand], 1e-12));
}

/// Item 5: both moments divided by 1 - beta2^t, or moments stored corrected, are not Adam.
#[test]
fn printed_adam_is_not_adam() {
    let gap = "optimiser gap(lr) on p : R[n] { state m : R[n] ~ zeros state v : R[n] ~ zeros state t : R[1] ~ zeros\n\
               put (g) { next t = t + 1  next m = 0.9 * m + 0.1 * g  next v = 0.999 * v + 0.001 * sq(g)\n\
               let c = 1 - 0.999 ^ t  p - lr * (m / c) / (sqrt(v / c) + 1e-8) } }\n";
    let stored = "optimiser gap(lr) on p : R[n] { state m : R[n] ~ zeros state v : R[n] ~ zeros state t : R[1] ~ zeros\n\
                  put (g) { next t = t + 1  next m = (0.9 * m + 0.1 * g) / (1 - 0.9 ^ t)\n\
                  next v = (0.999 * v + 0.001 * sq(g)) / (1 - 0.999 ^ t)  p - lr * m / (sqrt(v) + 1e-8) } }\n";
    let of = |rule: &str| {
        trajectory(
            &format!(
                "{rule}{QUADRATIC}train t {{ objective = quad, optimiser = gap(lr = 0.05), steps = 40, precision = f64 }}\n"
            ),
            3,
        )
    };
    let right = adam_by_hand(0.0);
    // The first step of Adam is the rate in every coordinate; the first of theirs is a hundred times as long.
    assert!((right[1][0] - 0.95).abs() < 1e-6);
    assert!((of(gap)[1][0] - right[1][0]).abs() > 1.0);
    // Stored corrected: equal at first, apart from the second step on.
    assert!((of(stored)[1][0] - right[1][0]).abs() < 1e-9);
    assert!((of(stored)[3][0] - right[3][0]).abs() > 1e-3);
}

/// Trajectories of other people's libraries, where the folder is there.
#[test]
fn golden_trajectories() {
    let folder = std::env::var("CATLEARN_GOLDEN_DIR")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/golden/optimisers").to_owned());
    let Ok(problems) = std::fs::read_to_string(format!("{folder}/problems.json")) else {
        eprintln!("\n*** SKIPPED: no golden trajectories in {folder} ***\n");
        return;
    };
    let problems: Value = serde_json::from_str(&problems).unwrap();
    let quad = &problems["quad10"]["data"];
    let list = |v: &Value| v.as_array().unwrap().iter().map(|x| x.to_string()).collect::<Vec<_>>().join(", ");
    let matrix =
        |v: &Value| v.as_array().unwrap().iter().map(|r| format!("[{}]", list(r))).collect::<Vec<_>>().join(", ");
    let cases: [(&str, &dyn Fn(&Value) -> String); 7] = [
        ("gd", &|h| format!("gd(lr = {})", h["lr"])),
        ("momentum_heavyball", &|h| format!("sgd(lr = {}, momentum = {})", h["lr"], h["momentum"])),
        ("nesterov_torch", &|h| format!("sgd(lr = {}, momentum = {}, nesterov = true)", h["lr"], h["momentum"])),
        ("adagrad", &|h| format!("adagrad(lr = {})", h["lr"])),
        ("adam", &|h| format!("adam(lr = {})", h["lr"])),
        ("adamw", &|h| format!("adamw(lr = {})", h["lr"])),
        ("nesterov_lens", &|h| format!("nesterov(lr = {}, gamma = {})", h["lr"], h["momentum"])),
    ];
    let mut seen = 0;
    for (file, rule) in cases {
        let golden: Value =
            serde_json::from_str(&std::fs::read_to_string(format!("{folder}/{file}.json")).unwrap()).unwrap();
        for one in golden["runs"].as_array().unwrap().iter().filter(|r| r["problem"] == "quad10") {
            let text = format!(
                "const H : R[10, 10] = [{}]\nconst b : R[10] = [{}]\n\
                 model quad {{x: R[10] ~ [{}]}} : () -> R[1] () {{ 0.5 * dot(x, H @ x) - dot(b, x) }}\n\
                 train t {{ objective = quad, optimiser = {}, steps = 50, precision = f64 }}\n",
                matrix(&quad["H"]),
                list(&quad["b"]),
                list(&one["start"]),
                rule(&one["hyper"])
            );
            let ours = trajectory(&text, 50);
            let amplification = one["amplification"].as_f64().unwrap_or(1.0).max(1.0);
            for (k, (ours, theirs)) in ours.iter().zip(one["steps"].as_array().unwrap()).enumerate() {
                let theirs: Vec<f64> = theirs.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
                let far = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                assert!(far <= 1e-11 * amplification, "{file} step {k}: {far:e}");
            }
            seen += 1;
        }
    }
    assert!(seen >= 7, "{seen}");
}

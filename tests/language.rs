//! The core through the language: requests that stay finite, sharing, growth, long chains, equal forms, GEMMs not lost.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests read files")]

mod support;

use catlearn::compile::{largest_tensor, simplify};
use catlearn::diagram::{Diagram, Role, inline_calls, same};
use catlearn::elaborate::{Model, Program};
use catlearn::learn::step;
use catlearn::object::Tangent;
use catlearn::reverse::reverse_diagram;
use catlearn::source::MemoryWorld;
use std::fmt::Write as _;
use support::{draw, near, port_leaves, run};

fn program(text: &str) -> Program {
    Program::parse(text, "test.lens", &MemoryWorld::default()).unwrap_or_else(|(said, _)| panic!("{said}"))
}

fn model(text: &str, name: &str) -> Model {
    program(text).model(name).unwrap_or_else(|said| panic!("{said}"))
}

/// f(x) and the request of x at a request of one.
fn both(text: &str, x: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let d = model(text, "f").diagram;
    let value = run(&d, &[x.to_vec()], 1)[0].clone();
    let ones = vec![1.0; value.len()];
    let request = run(&reverse_diagram(&d, &Tangent::Real).unwrap(), &[x.to_vec(), ones], 1)[0].clone();
    (value, request)
}

#[test]
fn the_side_not_taken_never_leaks() {
    let log = "def f : R[1] -> R[1] (x) { if x > 0 then log(x) else 0 }";
    assert_eq!(both(log, &[0.0]), (vec![0.0], vec![0.0]));
    assert_eq!(both(log, &[-1.0]), (vec![0.0], vec![0.0]));
    assert_eq!(both(log, &[2.0]).1, vec![0.5]);
    let entropy = "def f : R[1] -> R[1] (x) { if x > 0 then x * log(x) else 0 }";
    assert_eq!(both(entropy, &[0.0]), (vec![0.0], vec![0.0]));
    assert_eq!(both(entropy, &[-2.0]), (vec![0.0], vec![0.0]));
    assert_eq!(both(entropy, &[1.0]), (vec![0.0], vec![1.0]));
    let quotient = "def f : R[1] -> R[1] (x) { if x == 0 then 1 else sin(x) / x }";
    assert_eq!(both(quotient, &[0.0]), (vec![1.0], vec![0.0]));
    let root = "def f : R[2] -> R[1] (x) { sum(sqrt(x) * [0, 1]) }";
    assert_eq!(both(root, &[0.0, 4.0]).1, vec![0.0, 0.25]);
}

#[test]
fn norm_at_zero_has_request_zero() {
    let norm = "def f : R[3] -> R[1] (x) { norm(x) }";
    assert_eq!(both(norm, &[0.0; 3]), (vec![0.0], vec![0.0; 3]));
    let (value, request) = both(norm, &[3.0, 0.0, 4.0]);
    assert!(near(&[value, request], &[vec![5.0], vec![0.6, 0.0, 0.8]], 1e-15));
}

#[test]
fn prims_do_not_overflow() {
    let soft = "def f : R[3] -> R[3] (x) { softplus(x) }";
    assert_eq!(both(soft, &[1000.0, -1000.0, 0.0]).0, vec![1000.0, 0.0, 2.0_f64.ln()]);
    let cross = "def f : R[2] -> R[1] (y) { softmax_cross_entropy(y, [1, 0]) }";
    assert_eq!(both(cross, &[-1000.0, 1000.0]), (vec![2000.0], vec![-1.0, 1.0]));
    let binary = "def f : R[1] -> R[1] (y) { sigmoid_cross_entropy(y, [1]) }";
    assert_eq!(both(binary, &[-800.0]), (vec![800.0], vec![-1.0]));
    let lse = "def f : R[2] -> R[1] (x) { logsumexp(x) }";
    assert!(near(&[both(lse, &[900.0, 900.0]).1], &[vec![0.5, 0.5]], 1e-12));
}

#[test]
fn equal_elements_have_one_largest_the_first() {
    let most = "def f : R[3] -> R[1] (x) { max(x) }";
    assert_eq!(both(most, &[2.0, 2.0, 1.0]).1, vec![1.0, 0.0, 0.0]);
    let pool = "def f : R[1, 2, 2] -> R[1, 1, 1] = maxpool[2]";
    assert_eq!(both(pool, &[5.0; 4]).1, vec![1.0, 0.0, 0.0, 0.0]);
    let relu = "def f : R[2] -> R[2] (x) { relu(x) }";
    assert_eq!(both(relu, &[0.0, 1.0]).1, vec![0.0, 1.0]);
    let sign = "def f : R[3] -> R[3] (x) { sign(x) }";
    assert_eq!(both(sign, &[-2.0, 0.0, 3.0]), (vec![-1.0, 0.0, 1.0], vec![0.0; 3]));
}

#[test]
fn point_free_and_named_wires_are_one_diagram() {
    let pairs = [
        (
            "R[4] -> R[3]",
            "= dense[4, 5] >> tanh >> dense[5, 3]",
            "(x) { let h = dense[4, 5](x)  let a = tanh(h)  dense[5, 3](a) }",
        ),
        ("R[4] -> R[4]", "= residual(dense[4, 4] >> relu)", "(x) { residual(dense[4, 4] >> relu)(x) }"),
        ("R[6] -> R[6]", "= stack[3](linear[6, 6] >> sigmoid)", "(x) { stack[3](linear[6, 6] >> sigmoid)(x) }"),
        (
            "R[1, 6, 6] -> R[2]",
            "= conv2d[1, 2, 3] >> relu >> maxpool[2] >> flatten >> dense[8, 2]",
            "(x) { let c = conv2d[1, 2, 3](x)  let p = maxpool[2](relu(c))  dense[8, 2](flatten(p)) }",
        ),
        ("R[3] -> R[3]", "= tanh + sigmoid", "(x) { tanh(x) + sigmoid(x) }"),
        ("(R[2], R[3]) -> (R[4], R[5])", "= dense[2, 4] * dense[3, 5]", "(x, y) { (dense[2, 4](x), dense[3, 5](y)) }"),
    ];
    for (ty, free, named) in pairs {
        let a = model(&format!("model m : {ty} {free}"), "m").diagram;
        let b = model(&format!("model m : {ty} {named}"), "m").diagram;
        assert!(same(&a, &b), "{free}\n{a}\n{named}\n{b}");
        let paths = |d: &Diagram| d.ports().iter().map(|p| p.path.to_string()).collect::<Vec<_>>();
        let params = |d: &Diagram| d.ports_of(Role::Param).into_iter().map(|i| paths(d)[i].clone()).collect::<Vec<_>>();
        assert_eq!(params(&a), params(&b));
    }
}

#[test]
fn leaves_are_named_by_path() {
    let text = "model net : R[4] -> R[3] = dense[4, 4] >> residual(dense[4, 4] >> relu) >> stack[2](linear[4, 4]) >> tanh >> dense[4, 3]";
    let paths: Vec<String> = model(text, "net").params.iter().map(|p| p.path.to_string()).collect();
    let expected =
        ["net.0.W", "net.0.b", "net.1.f.0.W", "net.1.f.0.b", "net.2.0.0.W", "net.2.1.0.W", "net.3.W", "net.3.b"];
    assert_eq!(paths, expected);
}

#[test]
fn a_map_passed_in_and_used_twice_is_tied() {
    let text = "model twice(f : R[n] -> R[n]) : R[n] -> R[n] = f >> f\n\
                model tied : R[3] -> R[3] = twice(linear[3, 3])\n\
                model free : R[3] -> R[3] = linear[3, 3] >> linear[3, 3]";
    let (tied, free) = (model(text, "tied"), model(text, "free"));
    assert_eq!((tied.params.len(), free.params.len()), (1, 2));
    let order = |d: &Diagram, w: &[f64], x: &[f64]| -> Vec<Vec<f64>> {
        d.ports().iter().map(|p| if p.role == Role::Param { w.to_vec() } else { x.to_vec() }).collect()
    };
    let v = draw(&[tied.params[0].leaf.clone(), catlearn::object::Leaf::real(&[3])], 5);
    let r = |d: &Diagram| {
        let mut inputs = order(d, &v[0], &v[1]);
        inputs.push(vec![1.0, -2.0, 0.5]);
        let out = run(&reverse_diagram(d, &Tangent::Real).unwrap(), &inputs, 1);
        d.ports_of(Role::Param).into_iter().map(|i| out[i].clone()).collect::<Vec<_>>()
    };
    let (one, two) = (r(&tied.diagram), r(&free.diagram));
    for (a, (b, c)) in one[0].iter().zip(two[0].iter().zip(&two[1])) {
        assert!((a - (b + c)).abs() < 1e-12);
    }
}

/// `params(f)` handed on through two models keeps its place, and two objects stay two.
#[test]
fn parameter_objects_are_handed_on() {
    let text = "model gen : R[2] -> R[2] = dense[2, 4] >> tanh >> dense[4, 2]\n\
                model inner {G: params(gen)} : R[2] -> R[2] (x) { gen{G}(gen{G}(x)) }\n\
                model outer {A: params(gen), B: params(gen)} : R[2] -> R[2] (x) { inner{A}(x) + inner{B}(x) }";
    let paths: Vec<String> = model(text, "outer").params.iter().map(|p| p.path.to_string()).collect();
    let expected: Vec<String> =
        ["A", "B"].iter().flat_map(|o| ["0.W", "0.b", "1.W", "1.b"].map(|p| format!("outer.{o}.{p}"))).collect();
    assert_eq!(paths, expected);
}

/// A definition without parameters that draws noise draws it anew at each call.
#[test]
fn noise_is_drawn_anew_at_each_call() {
    let text = "model jitter {noise u: R[..s] ~ normal} : R[..s] -> R[..s] (x) { x + u } evaluate (x) { x }\n\
                def wrapped : R[n] -> R[n] (x) { jitter(x) }\n\
                model m : R[2] -> R[2] (x) { wrapped(x) + wrapped(x) }";
    assert_eq!(model(text, "m").noise.len(), 2);
}

#[test]
fn sharing_stays() {
    let mut squares = String::from("model f : R[1] -> R[1] (x) {\n let y0 = x * x\n");
    for i in 1..40 {
        writeln!(squares, " let y{i} = y{0} * y{0}", i - 1).unwrap();
    }
    squares.push_str(" y39\n}\n");
    let d = model(&squares, "f").diagram;
    assert_eq!(d.work(), 40);
    let r = reverse_diagram(&d, &Tangent::Real).unwrap().work();
    assert!(r <= 40 + 3 * 40, "{r}");
    let mut defs = String::from("def f0 : R[n] -> R[n] (x) { tanh(x) }\n");
    for i in 1..40 {
        writeln!(defs, "def f{i} : R[n] -> R[n] (x) {{ f{0}(x) * f{0}(x) }}", i - 1).unwrap();
    }
    defs.push_str("model m : R[2] -> R[2] = f39\n");
    assert_eq!(model(&defs, "m").diagram.work(), 40);
}

#[test]
fn reverses_grow_threefold_a_level_at_most() {
    let text = "model mlp : R[4] -> R[3] = dense[4, 16] >> tanh >> dense[16, 3]\n\
                loss f : (x: R[4], t: R[3]) -> R[1] (x, t) { dot(t, x[0..3]) }\n\
                model net : (x: R[4], t: R[3]) -> R[1] (x, t) { softmax_cross_entropy(mlp(x), t) }";
    let mut d = model(text, "net").diagram;
    // Calls of primitives are counted by what they stand for.
    let size = |d: &Diagram| inline_calls(d).unwrap().work();
    let mut sizes = vec![size(&d)];
    for _ in 0..3 {
        d = reverse_diagram(&d, &Tangent::Real).unwrap();
        sizes.push(size(&d));
    }
    for pair in sizes.windows(2) {
        assert!(pair[1] <= 3 * pair[0], "{sizes:?}");
    }
}

/// Elaborates, reverses and evaluates on a thread with a small stack.
fn long(text: String, work: usize) {
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(move || {
        let d = model(&text, "big").diagram;
        assert_eq!(d.work(), work);
        let r = reverse_diagram(&d, &Tangent::Real).unwrap();
        assert!(r.work() <= 6 * work);
        let out = run(&r, &[vec![0.5], vec![1.0]], 1);
        assert!(out[0][0].is_finite());
    });
    thread.unwrap().join().unwrap();
}

#[test]
fn a_chain_of_a_hundred_thousand_boxes() {
    long(format!("model big : R[1] -> R[1] = {}\n", vec!["sin"; 100_000].join(" >> ")), 100_000);
}

#[test]
fn a_hundred_thousand_names() {
    let mut text = String::from("model big : R[1] -> R[1] (x) {\n let y0 = sin(x)\n");
    for i in 1..100_000 {
        writeln!(text, " let y{i} = sin(y{})", i - 1).unwrap();
    }
    text.push_str(" y99999\n}\n");
    long(text, 100_000);
}

#[test]
fn nothing_panics_on_a_prefix_of_an_example() {
    let mut files: Vec<_> = std::fs::read_dir("tests/lens").unwrap().map(|e| e.unwrap().path()).collect();
    files.push("examples/iris.lens".into());
    for path in files {
        let text = std::fs::read_to_string(path).unwrap();
        for (at, _) in text.char_indices().step_by(7) {
            let _ = Program::parse(&text[..at], "prefix.lens", &MemoryWorld::default()).map(|p| p.check());
        }
    }
}

/// The steps of an MLP, a convolution and an attention block make no tensor larger than a small multiple of
/// parameters plus activations: the batch sum went into the products.
#[test]
fn no_product_over_the_batch_is_lost() {
    let rows = |n: usize| {
        let row: Vec<String> = (0..n).map(|i| format!("0.{}", i % 9 + 1)).collect();
        format!("[[{}], [{}]]", row.join(", "), row.join(", "))
    };
    let cases = [
        ("model m : R[96] -> R[10] = dense[96, 64] >> relu >> dense[64, 64] >> relu >> dense[64, 10]", 96, 10),
        (
            "model m : R[144] -> R[10] = reshape[1, 12, 12] >> conv2d[1, 4, 3] >> relu >> maxpool[2] >> flatten >> dense[100, 10]",
            144,
            10,
        ),
        ("model m : R[128] -> R[10] = reshape[8, 16] >> residual(attention[16]) >> flatten >> dense[128, 10]", 128, 10),
    ];
    const BATCH: usize = 64;
    for (text, n, k) in cases {
        let source = format!(
            "{text}\ndata d {{ source = inline({}), input = columns(0..{n}), target = columns({n}..{}) }}\n\
             train t {{ data = d, model = m, loss = softmax_cross_entropy, optimiser = adam(lr = 1e-3), batch = {BATCH}, epochs = 1 }}\n",
            rows(n + k),
            n + k
        );
        let training = program(&source).training("t").unwrap_or_else(|said| panic!("{said}"));
        let made = step(&training).unwrap();
        let params: usize = training.params.iter().map(|p| p.leaf.size(1)).sum();
        let forward = &training.player.objective;
        let live = forward.cone(forward.outs());
        let activations: usize =
            forward.nodes().iter().zip(&live).filter(|(_, l)| **l).map(|(n, _)| n.outs[0].size(1) * BATCH).sum();
        let (raw, now) = (largest_tensor(&made.diagram, BATCH), largest_tensor(&simplify(&made.diagram), BATCH));
        assert!(now <= params + activations, "{text}: {now} > {params} + {activations} (before the pass {raw})");
        // The pass is what does it: before, a per-example request of a weight stands there.
        assert!(raw > now, "{text}: {raw}");
    }
}

#[test]
fn checked_shapes_of_the_prelude_train() {
    let d = model("model m : R[5, 8] -> R[5, 8] = residual(attention[8])", "m").diagram;
    let out = run(&d, &draw(&port_leaves(&d), 3), 1);
    assert_eq!(out[0].len(), 40);
}

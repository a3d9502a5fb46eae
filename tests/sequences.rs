//! Maps over rows and layers of sequences: equal to what is written out, and to formulas computed here.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use catlearn::diagram::{Diagram, Port, Role};
use catlearn::elaborate::{Model, Program};
use catlearn::laws;
use catlearn::object::Tangent;
use catlearn::reverse::reverse_diagram;
use catlearn::source::MemoryWorld;
use support::{draw, near, port_leaves, run};

/// Outputs, and requests by path.
type Outputs = (Vec<Vec<f64>>, Vec<(String, Vec<f64>)>);

fn program(text: &str) -> Program {
    Program::parse(text, "test.lens", &MemoryWorld::default()).unwrap_or_else(|(said, _)| panic!("{said}"))
}

fn model(text: &str, name: &str) -> Model {
    program(text).model(name).unwrap_or_else(|said| panic!("{said}"))
}

fn paths(m: &Model) -> Vec<&str> {
    m.params.iter().map(|p| &*p.path).collect()
}

/// Numbers for each port by its path, so that two diagrams are given the same whatever the order of their ports.
fn by_path(d: &Diagram, seed: u64, rename: &dyn Fn(&str) -> String) -> Vec<Vec<f64>> {
    d.ports()
        .iter()
        .map(|p| {
            let own: u64 = rename(&p.path).bytes().fold(seed, |h, b| h.wrapping_mul(131).wrapping_add(u64::from(b)));
            draw(std::slice::from_ref(&p.leaf), own).remove(0)
        })
        .collect()
}

/// The value and the request of every port, by path, at a request drawn from the seed.
fn value_and_requests(d: &Diagram, seed: u64, rename: &dyn Fn(&str) -> String) -> Outputs {
    let point = by_path(d, seed, rename);
    let asked = draw(&d.out_leaves(), seed ^ 77);
    let made = run(&reverse_diagram(d, &Tangent::Real).unwrap(), &[point.clone(), asked].concat(), 1);
    let ports = d.ports().iter().filter(|p| Tangent::Real.of(&p.leaf).is_some()).map(|p| rename(&p.path));
    let mut requests: Vec<(String, Vec<f64>)> = ports.zip(made).collect();
    requests.sort_by(|a, b| a.0.cmp(&b.0));
    (run(d, &point, 1), requests)
}

/// Two maps of one text are one map: values and requests agree, whatever their nodes. Paths begin with the map's name.
fn agree(text: &str, a: &str, b: &str, rename: &dyn Fn(&str) -> String) {
    let (a, b) = (model(text, a), model(text, b));
    for seed in 0..20 {
        let (x, dx) = value_and_requests(&a.diagram, seed, rename);
        let (y, dy) = value_and_requests(&b.diagram, seed, rename);
        assert!(near(&x, &y, 1e-12), "{x:?} {y:?}");
        let names = |l: &[(String, Vec<f64>)]| l.iter().map(|(n, _)| n.clone()).collect::<Vec<_>>();
        let numbers = |l: Vec<(String, Vec<f64>)>| l.into_iter().map(|(_, v)| v).collect::<Vec<_>>();
        assert_eq!(names(&dx), names(&dy));
        assert!(near(&numbers(dx), &numbers(dy), 1e-12));
    }
}

/// Every law holds on every item of a text; nothing passes for lack of cases but what is named.
fn lawful(text: &str) {
    let report = laws::check(&program(text), 40, 5);
    let faults: Vec<_> = report.results.iter().filter_map(|r| r.failure.as_ref()).collect();
    assert!(faults.is_empty(), "{faults:?}");
    assert!(report.results.iter().filter(|r| r.law.contains("R is the derivative")).all(|r| r.cases > 0));
    assert!(report.results.iter().any(|r| r.law.contains("R is the derivative")));
}

const CELL: &str = "
model cell {U: R[3, 3] ~ glorot, W: R[3, 2] ~ glorot} : (R[3], R[2]) -> (R[3], R[4]) (s, x) {
    let t = tanh(U @ s + W @ x);
    (t, cat(t, sum(x)))
}
model scanned : (s: R[3], x: R[5, 2]) -> (R[3], R[5, 4]) = scan[5](cell)
model open : (s: R[3], x: R[5, 2]) -> (R[3], R[5, 4]) (s, x) { scan[_](cell)(s, x) }
model written {U: R[3, 3] ~ glorot, W: R[3, 2] ~ glorot} : (s: R[3], x: R[5, 2]) -> (R[3], R[5, 4]) (s, x) {
    let (s1, a) = cell{U, W}(s, reshape[2](x[0]))
    let (s2, b) = cell{U, W}(s1, reshape[2](x[1]))
    let (s3, c) = cell{U, W}(s2, reshape[2](x[2]))
    let (s4, d) = cell{U, W}(s3, reshape[2](x[3]))
    let (s5, e) = cell{U, W}(s4, reshape[2](x[4]));
    (s5, reshape[5, 4](cat(a, b, c, d, e)))
}
model along(c : (R[n], R[m]) -> (R[n], R[p])) : (s: R[n], x: R[k, m]) -> (R[n], R[k, p]) = scan[k](c)
model handed : (s: R[3], x: R[5, 2]) -> (R[3], R[5, 4]) = along(cell)
";

#[test]
fn a_scan_is_its_cells_written_out() {
    let last = |path: &str| path.rsplit('.').next().unwrap_or(path).to_owned();
    for name in ["scanned", "open", "handed"] {
        agree(CELL, name, "written", &last);
    }
    assert_eq!(paths(&model(CELL, "scanned")), ["scanned.0.cell.0.U", "scanned.0.cell.0.W"]);
    assert_eq!(paths(&model(CELL, "open")), ["open.0.cell.0.U", "open.0.cell.0.W"]);
    assert_eq!(paths(&model(CELL, "handed")), ["handed.0.c.0.U", "handed.0.c.0.W"]);
    lawful(CELL);
}

const ROWS: &str = "
prim scaled : (a: R[n], x: R[n]) -> R[n] { fwd (a, x) { a * sin(x) } rev (a, x, dy) { (dy * sin(x), dy * a * cos(x)) } }
model f {a: R[2] ~ ones, W: R[3, 2] ~ glorot} : (x: R[2], y: R[3]) -> (R[3], R[1]) (x, y) {
    let t = softplus(W @ scaled(a, x)) + y;
    (softmax(t), logsumexp(t))
}
model mapped : (x: R[4, 2], y: R[4, 3]) -> (R[4, 3], R[4, 1]) = map[4](f)
model open : (x: R[4, 2], y: R[4, 3]) -> (R[4, 3], R[4, 1]) (x, y) { map[_](f)(x, y) }
model written {a: R[2] ~ ones, W: R[3, 2] ~ glorot} : (x: R[4, 2], y: R[4, 3]) -> (R[4, 3], R[4, 1]) (x, y) {
    let (a1, a2) = f{a, W}(reshape[2](x[0]), reshape[3](y[0]))
    let (b1, b2) = f{a, W}(reshape[2](x[1]), reshape[3](y[1]))
    let (c1, c2) = f{a, W}(reshape[2](x[2]), reshape[3](y[2]))
    let (d1, d2) = f{a, W}(reshape[2](x[3]), reshape[3](y[3]));
    (reshape[4, 3](cat(a1, b1, c1, d1)), reshape[4, 1](cat(a2, b2, c2, d2)))
}
model apart : (x: R[4, 2], y: R[4, 3]) -> (R[4, 3], R[4, 1]) = parallel[4](f)
model each : (x: R[4, 2], y: R[4, 3]) -> (R[4, 3], R[4, 1]) (x, y) {
    let (a1, a2) = f(reshape[2](x[0]), reshape[3](y[0]))
    let (b1, b2) = f(reshape[2](x[1]), reshape[3](y[1]))
    let (c1, c2) = f(reshape[2](x[2]), reshape[3](y[2]))
    let (d1, d2) = f(reshape[2](x[3]), reshape[3](y[3]));
    (reshape[4, 3](cat(a1, b1, c1, d1)), reshape[4, 1](cat(a2, b2, c2, d2)))
}
model table : R[2, 3, 4] -> R[2, 3, 5] = map[2](map[3](dense[4, 5] >> tanh))
model rows : R[2, 3, 4] -> R[2, 3, 5] = reshape[6, 4] >> map[6](dense[4, 5] >> tanh) >> reshape[2, 3, 5]
";

#[test]
fn a_map_is_its_rows_written_out() {
    let last = |path: &str| path.rsplit('.').next().unwrap_or(path).to_owned();
    agree(ROWS, "mapped", "written", &last);
    agree(ROWS, "open", "written", &last);
    agree(ROWS, "table", "rows", &last);
    assert_eq!(paths(&model(ROWS, "mapped")), ["mapped.0.f.0.a", "mapped.0.f.0.W"]);
    assert_eq!(paths(&model(ROWS, "table")), ["table.0.f.0.f.0.W", "table.0.f.0.f.0.b"]);
    lawful(ROWS);
}

#[test]
fn copies_side_by_side_have_parameters_of_their_own() {
    let apart = model(ROWS, "apart");
    let expected: Vec<String> = (0..4).flat_map(|i| ["a", "W"].map(|port| format!("apart.0.{i}.0.{port}"))).collect();
    assert_eq!(paths(&apart), expected);
    // `apart.0.3.0.W` is one call with four copies, `each.3.W` four calls
    let copy = |path: &str| {
        let own = path.strip_prefix("apart.0.").map(|rest| rest.replacen(".0.", ".", 1));
        own.or(path.strip_prefix("each.").map(str::to_owned)).unwrap_or_else(|| path.to_owned())
    };
    agree(ROWS, "apart", "each", &copy);
}

#[test]
fn a_map_is_elaborated_once_whatever_its_rows() {
    let size = |k: usize| {
        let text = format!("model f : R[{k}, 4] -> R[{k}, 4] = map[{k}](dense[4, 4] >> softplus >> dense[4, 4])");
        model(&text, "f").diagram.nodes().len()
    };
    assert_eq!(size(2), size(4096));
}

#[test]
fn a_wire_read_from_outside_is_shared_by_the_rows() {
    // the captured `x[0]` is the first row of what is mapped over, and stays the same for every row
    let text = "
model affine {w: R[3] ~ zeros} : R[3] -> R[3] (x) { w * x + reshape[3](w) }
def f : R[4, 3] -> R[4, 3] (x) { let w = reshape[3](x[0]); map[4](affine{w})(x) }
def g : R[4, 3] -> R[4, 3] (x) { let w = einsum(\"j,i->ij\", reshape[3](x[0]), ones[4]); w * x + w }";
    agree(text, "f", "g", &|p| p.to_owned());
}

#[test]
fn every_row_draws_its_own_noise() {
    let text = "
model shaken {noise u: R[..s] ~ uniform} : R[..s] -> R[..s] (x) { x + u }
model f : R[2, 3, 4] -> R[2, 3, 4] = map[2](map[3](shaken))";
    let m = model(text, "f");
    assert_eq!(m.noise.len(), 1);
    assert_eq!(m.noise[0].leaf.to_string(), "R[2, 3, 4]");
    let point = draw(&port_leaves(&m.diagram), 3);
    let sum: Vec<f64> = point[0].iter().zip(&point[1]).map(|(x, u)| x + u).collect();
    assert_eq!(run(&m.diagram, &point, 1), [sum]);
}

#[test]
fn dropout_keeps_the_expectation_and_is_the_identity_outside_training() {
    let text = "
model net : R[4] -> R[4] = dropout(rate = 0.25)
model biased : R[4] -> R[4] = net >> bias[4]
data d { source = inline([[1, 2, 3, 4]]), input = columns(0..4), target = input }
train t { data = d, model = biased, loss = mse, optimiser = gd(lr = 0.1), steps = 1 }";
    let d = model(text, "net").diagram;
    let x = [1.0, -2.0, 3.0, 0.5];
    let at = |u: f64| {
        let given: Vec<Vec<f64>> =
            d.ports().iter().map(|p| if p.role == Role::Noise { vec![u; 4] } else { x.to_vec() }).collect();
        run(&d, &given, 1).remove(0)
    };
    let mut mean = [0.0; 4];
    for i in 0..1000 {
        at((f64::from(i) + 0.5) / 1000.0).iter().zip(&mut mean).for_each(|(y, m)| *m += y / 1000.0);
    }
    assert!(near(&[mean.to_vec()], &[x.to_vec()], 1e-12), "{mean:?}");
    assert_eq!(at(0.1), [0.0; 4]);
    // outside training the model gives its input, which is the label too: the loss is 0 whatever is drawn
    let evaluate = program(text).training("t").unwrap().player.evaluate;
    let given = |p: &Port| match p.role {
        Role::Noise => vec![0.1; 4],
        Role::Param => vec![0.0; 4],
        _ => x.to_vec(),
    };
    let given: Vec<Vec<f64>> = evaluate.ports().iter().map(given).collect();
    assert_eq!(run(&evaluate, &given, 1)[0], [0.0]);
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// W v + b for the rows of a gate.
fn gate(w: &[f64], v: &[f64], b: &[f64], gate: usize, m: usize) -> Vec<f64> {
    (gate * m..(gate + 1) * m)
        .map(|row| b[row] + v.iter().enumerate().map(|(j, x)| w[row * v.len() + j] * x).sum::<f64>())
        .collect()
}

/// The numbers of the ports by the last part of their path.
fn port<'a>(d: &Diagram, point: &'a [Vec<f64>], name: &str) -> &'a [f64] {
    let at = d.ports().iter().position(|p| p.path.rsplit('.').next() == Some(name)).unwrap();
    &point[at]
}

#[test]
fn gru_is_its_formulas() {
    let (n, m) = (2, 3);
    for (settings, before, renew) in
        [("", false, false), ("(reset = before)", true, false), ("(update = renew)", false, true)]
    {
        let text = format!("model f : (h: R[3], x: R[2]) -> (R[3], R[3]) = gru[2, 3]{settings}");
        let d = model(&text, "f").diagram;
        for seed in 0..10 {
            let point = draw(&port_leaves(&d), seed);
            let get = |name: &str| port(&d, &point, name);
            let (w, u, bx, bh, h, x) = (get("W"), get("U"), get("bx"), get("bh"), get("h"), get("x"));
            assert_eq!((w.len(), u.len(), bx.len()), (3 * m * n, 3 * m * m, 3 * m));
            let plus = |g: usize| gate(w, x, bx, g, m).into_iter().zip(gate(u, h, bh, g, m));
            let r: Vec<f64> = plus(0).map(|(a, b)| sigmoid(a + b)).collect();
            let z: Vec<f64> = plus(1).map(|(a, b)| sigmoid(a + b)).collect();
            let reset: Vec<f64> = r.iter().zip(h).map(|(r, h)| r * h).collect();
            let gated: Vec<f64> = match before {
                true => gate(u, &reset, bh, 2, m),
                false => gate(u, h, bh, 2, m).iter().zip(&r).map(|(c, r)| c * r).collect(),
            };
            let c: Vec<f64> = gate(w, x, bx, 2, m).iter().zip(gated).map(|(a, b)| (a + b).tanh()).collect();
            let next: Vec<f64> = (0..m)
                .map(|i| if renew { z[i] * c[i] + (1.0 - z[i]) * h[i] } else { (1.0 - z[i]) * c[i] + z[i] * h[i] })
                .collect();
            assert!(near(&run(&d, &point, 1), &[next.clone(), next], 1e-12));
        }
    }
}

#[test]
fn lstm_is_its_formulas() {
    let (n, m) = (2, 3);
    for (settings, forget) in [("", 0.0), ("(forget = 1)", 1.0)] {
        let text = format!("model f : ((h: R[3], c: R[3]), x: R[2]) -> ((R[3], R[3]), R[3]) = lstm[2, 3]{settings}");
        let d = model(&text, "f").diagram;
        for seed in 0..10 {
            let point = draw(&port_leaves(&d), seed);
            let get = |name: &str| port(&d, &point, name);
            let (w, u, bx, bh) = (get("W"), get("U"), get("bx"), get("bh"));
            let (h, c, x) = (get("h"), get("c"), get("x"));
            assert_eq!((w.len(), u.len(), bx.len()), (4 * m * n, 4 * m * m, 4 * m));
            let sum = |g: usize| -> Vec<f64> {
                gate(w, x, bx, g, m).into_iter().zip(gate(u, h, bh, g, m)).map(|(a, b)| a + b).collect()
            };
            let (i, f, g, o) = (sum(0), sum(1), sum(2), sum(3));
            let next_c: Vec<f64> =
                (0..m).map(|k| sigmoid(f[k] + forget) * c[k] + sigmoid(i[k]) * g[k].tanh()).collect();
            let next_h: Vec<f64> = (0..m).map(|k| sigmoid(o[k]) * next_c[k].tanh()).collect();
            assert!(near(&run(&d, &point, 1), &[next_h.clone(), next_c, next_h], 1e-12));
        }
    }
}

/// softmax(q k^T / sqrt(e)) v in each head, row by row; with `causal` over the rows up to its own.
fn attention(
    x: &[f64],
    q: &[f64],
    k: &[f64],
    v: &[f64],
    (rows, d, heads): (usize, usize, usize),
    causal: bool,
) -> Vec<f64> {
    let project = |w: &[f64], row: usize, out: usize| (0..d).map(|j| w[out * d + j] * x[row * d + j]).sum::<f64>();
    let e = d / heads;
    let mut made = vec![0.0; rows * d];
    for head in 0..heads {
        for i in 0..rows {
            let seen = if causal { i + 1 } else { rows };
            let scores: Vec<f64> = (0..seen)
                .map(|j| {
                    let dot: f64 = (head * e..(head + 1) * e).map(|c| project(q, i, c) * project(k, j, c)).sum();
                    (dot / (e as f64).sqrt()).exp()
                })
                .collect();
            let total: f64 = scores.iter().sum();
            for c in head * e..(head + 1) * e {
                made[i * d + c] = (0..seen).map(|j| scores[j] / total * project(v, j, c)).sum();
            }
        }
    }
    made
}

#[test]
fn attention_is_its_formula_for_all_heads() {
    for (settings, heads, causal) in
        [("", 1, false), ("(heads = 1)", 1, false), ("(heads = 2)", 2, false), ("(heads = 3, causal = true)", 3, true)]
    {
        let d = model(&format!("model f : R[4, 6] -> R[4, 6] = attention[6]{settings}"), "f").diagram;
        for seed in 0..5 {
            let point = draw(&port_leaves(&d), seed);
            let get = |name: &str| port(&d, &point, name);
            let made = attention(get("input"), get("Q"), get("K"), get("V"), (4, 6, heads), causal);
            assert!(near(&run(&d, &point, 1), &[made], 1e-12));
        }
    }
}

#[test]
fn causal_attention_does_not_look_ahead() {
    let text = "model f : R[5, 4] -> R[5, 4] = stack[2](residual(attention[4](heads = 2, causal = true)))";
    let d = model(text, "f").diagram;
    let at = d.ports().iter().position(|p| p.role == Role::Input).unwrap();
    for row in 1..5 {
        let mut point = draw(&port_leaves(&d), 9);
        let before = run(&d, &point, 1).remove(0);
        point[at][row * 4..].iter_mut().for_each(|x| *x = 1.0 - 3.0 * *x);
        let moved = run(&d, &point, 1).remove(0);
        assert_eq!(before[..row * 4], moved[..row * 4]);
        assert_ne!(before[row * 4..], moved[row * 4..]);
    }
}

#[test]
fn embed_looks_rows_up_and_its_request_scatters() {
    let d = model("model f : Fin[5][4] -> R[4, 2] = embed[5, 2]", "f").diagram;
    let table: Vec<f64> = (0..10).map(f64::from).collect();
    let labels = vec![3.0, 0.0, 3.0, 4.0];
    let point: Vec<Vec<f64>> =
        d.ports().iter().map(|p| if p.role == Role::Param { table.clone() } else { labels.clone() }).collect();
    assert_eq!(run(&d, &point, 1), [vec![6.0, 7.0, 0.0, 1.0, 6.0, 7.0, 8.0, 9.0]]);
    let asked: Vec<f64> = (1..9).map(f64::from).collect();
    let back = run(&reverse_diagram(&d, &Tangent::Real).unwrap(), &[point, vec![asked]].concat(), 1);
    assert_eq!(back, [vec![3.0, 4.0, 0.0, 0.0, 0.0, 0.0, 6.0, 8.0, 7.0, 8.0]]);
}

#[test]
fn layers_are_reversed_to_their_derivatives() {
    lawful(
        "
model a : R[3, 4] -> R[3, 4] = attention[4](heads = 2, causal = true)
model b : R[2, 9] -> R[3, 5] = conv1d[2, 3, 3](stride = 2, padding = 1)
model c : R[3, 4] -> R[3, 4] = rms_norm[4]
model g : (R[3], R[4, 2]) -> (R[3], R[4, 3]) = scan[4](gru[2, 3])
model h : (R[3], R[4, 2]) -> (R[3], R[4, 3]) = scan[4](gru[2, 3](reset = before, update = renew))
model l : ((R[3], R[3]), R[4, 2]) -> ((R[3], R[3]), R[4, 3]) = scan[4](lstm[2, 3](forget = 1))
model e : Fin[5][4] -> R[4, 2] = embed[5, 2] >> map[4](dense[2, 2])
model d : R[6] -> R[6] = dropout(rate = 0.3)
model p : R[3, 4] -> R[3, 2] = parallel[3](dense[4, 2] >> tanh)
model v {noise e: R[2] ~ normal} : R[4] -> R[4] (x) {
    let (mean, spread) = split[2, 2](dense[4, 4](x))
    dense[2, 4](mean + e * exp(0.5 * spread))
}",
    );
}

#[test]
fn convolutions_along_one_axis_are_their_sums() {
    let d = model("model f : R[2, 7] -> R[3, 4] = conv1d[2, 3, 3](stride = 2, padding = 1)", "f").diagram;
    let point = draw(&port_leaves(&d), 1);
    let get = |name: &str| port(&d, &point, name);
    let (k, b, x) = (get("K"), get("b"), get("input"));
    let at = |c: usize, i: isize| usize::try_from(i).ok().filter(|i| *i < 7).map_or(0.0, |i| x[c * 7 + i]);
    let mut made = Vec::new();
    for o in 0..3 {
        for i in 0..4_isize {
            let sum: f64 = (0..6).map(|cu| k[o * 6 + cu] * at(cu / 3, 2 * i - 1 + (cu % 3) as isize)).sum();
            made.push(b[o] + sum);
        }
    }
    assert!(near(&run(&d, &point, 1), &[made], 1e-12));
}

#[test]
fn a_convolution_of_tables_is_its_tables_at_every_place() {
    let d =
        model("model f : Bool[2, 3, 5] -> Bool[3, 2, 3] = conv_lut[2, 3, 3, 2](stride = 2, padding = 1)", "f").diagram;
    for seed in 0..10 {
        let point = draw(&port_leaves(&d), seed);
        let get = |name: &str| port(&d, &point, name);
        let (w, t, x) = (get("w"), get("T"), get("input"));
        let pixel = |c: usize, i: usize, j: usize| -> f64 {
            let inside = (1..=3).contains(&i) && (1..=5).contains(&j);
            if inside { x[c * 15 + (i - 1) * 5 + (j - 1)] } else { 0.0 }
        };
        let mut made = Vec::new();
        for o in 0..3 {
            for (i, j) in (0..2).flat_map(|i| (0..3).map(move |j| (i, j))) {
                let bit = |k: usize| {
                    let at = w[o * 2 + k] as usize;
                    pixel(at / 9, 2 * i + at % 9 / 3, 2 * j + at % 3)
                };
                made.push(t[o * 4 + (bit(0) + 2.0 * bit(1)) as usize]);
            }
        }
        assert_eq!(run(&d, &point, 1), [made]);
    }
}

#[test]
fn or_pool_is_whether_any_bit_is_set_and_asks_as_the_boolean_difference() {
    let text = "
model f : Bool[1, 2, 4] -> Bool[1, 1, 2] = or_pool[2]
model g : Bool[1, 3, 3] -> Bool[8] = conv_lut[1, 2, 2, 2] >> flatten
def turned : Bool[2, 3] -> Bool[3, 2] = transpose";
    let d = model(text, "f").diagram;
    for at in 0..256_usize {
        let bits: Vec<f64> = (0..8).map(|j| f64::from(u8::from(at >> j & 1 == 1))).collect();
        let any = |left: usize| [left, left + 1, left + 4, left + 5].map(|j| bits[j]).contains(&1.0);
        assert_eq!(run(&d, std::slice::from_ref(&bits), 1), [[any(0), any(2)].map(|b| f64::from(u8::from(b)))]);
    }
    let report = laws::check(&program(text), 40, 5);
    let failed: Vec<_> = report.results.iter().filter(|r| r.failure.is_some()).collect();
    assert!(failed.is_empty(), "{failed:?}");
    let tables = |item: &str| report.results.iter().any(|r| &*r.item == item && r.law.contains("truth table"));
    assert!(tables("f") && tables("turned"));
    assert_eq!(
        run(&model(text, "turned").diagram, &[vec![1.0, 0.0, 0.0, 1.0, 1.0, 0.0]], 1),
        [[1.0, 1.0, 0.0, 1.0, 0.0, 0.0]]
    );
}

#[test]
fn an_upper_triangle_stands_above_the_diagonal() {
    let text = "
const mask : R[3, 3] = upper_triangle(-2)
def f : R[3, 3] -> R[3, 3] (x) { x + mask }
def g : R[3, 3] -> R[3, 3] (x) { x + upper_triangle[3](-2) }
def h : R[3, 3] -> R[3, 3] (x) { x - 2 * upper_triangle[3] }";
    for name in ["f", "g", "h"] {
        let made = run(&model(text, name).diagram, &[vec![0.0; 9]], 1);
        assert_eq!(made, [[0.0, -2.0, -2.0, 0.0, 0.0, -2.0, 0.0, 0.0, 0.0]]);
    }
}

#[test]
fn sort_and_top_k_put_rows_in_order_and_ask_their_entries() {
    let text = "
def f : R[2, 4] -> R[2, 4] = sort
def g : R[2, 4] -> R[2, 2] = top_k[2]
def h : R[5] -> R[5] = sort";
    let x = vec![3.0, -1.0, 2.0, -1.0, 0.5, 4.0, 4.0, 1.0];
    let (f, g) = (model(text, "f").diagram, model(text, "g").diagram);
    assert_eq!(run(&f, std::slice::from_ref(&x), 1), [[-1.0, -1.0, 2.0, 3.0, 0.5, 1.0, 4.0, 4.0]]);
    assert_eq!(run(&g, std::slice::from_ref(&x), 1), [[3.0, 2.0, 4.0, 4.0]]);
    // of equals the first stands first, so its request is the earlier one
    let back = run(&reverse_diagram(&g, &Tangent::Real).unwrap(), &[x, vec![1.0, 2.0, 3.0, 4.0]], 1);
    assert_eq!(back, [[1.0, 0.0, 2.0, 0.0, 0.0, 3.0, 4.0, 0.0]]);
    lawful(text);
}

#[test]
fn cholesky_is_the_lower_root_and_reads_the_lower_triangle() {
    let text = "
def f : R[4, 4] -> R[4, 4] = cholesky
def g : R[4, 4] -> R[4, 4] (m) { cholesky(m @ transpose(m) + 2 * eye[4]) }
def root : R[4, 4] -> R[4, 4] (m) { let l = g(m); l @ transpose(l) - m @ transpose(m) - 2 * eye[4] }";
    let (f, g, root) = (model(text, "f").diagram, model(text, "g").diagram, model(text, "root").diagram);
    for seed in 0..10 {
        let m = draw(&port_leaves(&root), seed);
        assert!(near(&run(&root, &m, 1), &[vec![0.0; 16]], 1e-12));
        let l = run(&g, &m, 1).remove(0);
        assert!((0..16).all(|at| at % 4 <= at / 4 || l[at] == 0.0), "{l:?}");
        // entries above the diagonal are not read
        let mut a =
            [vec![4.0, 9.0, 9.0, 9.0], vec![1.0, 5.0, 9.0, 9.0], vec![0.5, 1.0, 6.0, 9.0], vec![0.0; 4]].concat();
        a[12..].copy_from_slice(&[m[0][0], m[0][1], m[0][2], 7.0]);
        let one = run(&f, std::slice::from_ref(&a), 1);
        (0..16).filter(|at| at % 4 > at / 4).for_each(|at| a[at] = -3.0);
        assert_eq!(one, run(&f, &[a], 1));
    }
    let half = "def half : R[4, 4] -> R[4, 4] (m) { cholesky(0.1 * m + 4 * eye[4]) }\n\
                def whole : R[4, 4] -> R[4, 4] (m) { cholesky(m @ transpose(m) + 2 * eye[4]) }";
    lawful(half);
}

//! Random well-typed diagrams from genes, and numbers to hold laws against.
//!
//! A diagram grows from a list of numbers: each picks an operation and its operands from a pool of wires, so wires are
//! read again and again (fan-out), and a shorter list is a smaller diagram: shrinking the list shrinks the diagram.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

pub(crate) mod circuits;
pub(crate) mod differences;
pub(crate) mod terms;

use catlearn::diagram::{AffineIndex, Builder, Comparison, Const, Diagram, Function, Literal, Op, Role, Wire};
use catlearn::object::{Base, Dim, Leaf};
use catlearn::random::{Stream, Use};
use catlearn::run::{Tensor, evaluate};
use std::sync::Arc;

/// Which operations a random diagram may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    /// Sums, products and linear maps: RD.6 and RD.7 are exact.
    Polynomial,
    /// Smooth functions too.
    Smooth,
    /// Also choices, largest entries and absolute values.
    Kinked,
}

/// The domain and the codomain of every random diagram: a vector of three and a vector of two.
pub(crate) fn domain() -> [Leaf; 2] {
    [Leaf::real(&[3]), Leaf::real(&[2])]
}

/// The wires made so far, by type.
struct Pool {
    threes: Vec<Wire>,
    twos: Vec<Wire>,
    numbers: Vec<Wire>,
    matrices: Vec<Wire>,
}

pub(crate) fn pick(list: &[Wire], by: u32) -> Wire {
    list[by as usize % list.len()]
}

/// Grows terms over two given wires; the outputs are of the domain's types.
pub(crate) fn grow(b: &mut Builder, x: Wire, y: Wire, genes: &[u32], mode: Mode) -> Vec<Wire> {
    let numbers = vec![b.dot(x, x).unwrap()];
    let matrices = vec![b.einsum("a,b->ab", &[x, y], &[], 0.5).unwrap()];
    let mut pool = Pool { threes: vec![x], twos: vec![y], numbers, matrices };
    for gene in genes {
        step(b, &mut pool, *gene, mode);
    }
    vec![*pool.threes.last().unwrap(), *pool.twos.last().unwrap()]
}

fn step(b: &mut Builder, pool: &mut Pool, gene: u32, mode: Mode) {
    let (op, p, q) = (gene % 64, (gene >> 6) % 1024, (gene >> 16) % 1024);
    let (v, v2) = (pick(&pool.threes, p), pick(&pool.threes, q));
    let (w, w2) = (pick(&pool.twos, p), pick(&pool.twos, q));
    let (n, m) = (pick(&pool.numbers, p), pick(&pool.matrices, q));
    let kinds = match mode {
        Mode::Polynomial => 18,
        Mode::Smooth => 29,
        Mode::Kinked => 34,
    };
    let slice = |from: u64, start: u64, len: u64| Op::Index(Arc::new(AffineIndex::slice(&[from], start, len, 1)));
    match op % kinds {
        0 => pool.threes.push(b.add(v, v2).unwrap()),
        1 => pool.twos.push(b.add(w, w2).unwrap()),
        2 => {
            let half = b.scale(v, 0.5).unwrap();
            pool.threes.push(b.map(Function::Mul, &[half, v2]).unwrap());
        }
        3 => pool.twos.push(b.scale(w, -0.7).unwrap()),
        4 => pool.numbers.push(b.einsum("a,a->u", &[v, v2], &[('u', Dim::ONE)], 0.3).unwrap()),
        5 => pool.threes.push(b.broadcast(n, &[Dim::lit(3)]).unwrap()),
        6 => pool.threes.push(b.einsum("ab,b->a", &[m, w], &[], 0.5).unwrap()),
        7 => pool.twos.push(b.einsum("ab,a->b", &[m, v], &[], 0.5).unwrap()),
        8 => pool.matrices.push(b.einsum("a,b->ab", &[v, w], &[], 0.5).unwrap()),
        9 => pool.twos.push(b.op(slice(3, 1, 2), &[v]).unwrap()),
        10 => {
            let one = b.op(slice(2, 0, 1), &[w]).unwrap();
            pool.threes.push(b.op(Op::Concat { core: 1 }, &[one, w2]).unwrap());
        }
        11 => pool.matrices.push(b.add(m, pool.matrices[p as usize % pool.matrices.len()]).unwrap()),
        12 => {
            let flat = b.reshape_all(m, &[Dim::lit(6)]).unwrap();
            pool.threes.push(b.op(slice(6, u64::from(p % 4), 3), &[flat]).unwrap());
        }
        13 => pool.numbers.push(b.sum_all(m).unwrap()),
        14 => {
            let rows = places(b, 2, &[p % 2, q % 2, 1]);
            pool.threes.push(b.op(Op::Gather { lead: [].into_iter().collect() }, &[w, rows]).unwrap());
        }
        15 => {
            let rows = places(b, 2, &[p % 2, q % 2, 0]);
            let dagger = Op::GatherDagger { lead: [].into_iter().collect(), rows: Dim::lit(2) };
            pool.twos.push(b.op(dagger, &[v, rows]).unwrap());
        }
        16 => {
            let many = b.op(Op::Repeat { axis: Dim::lit(3), core: (p % 2) as u8 }, &[n]).unwrap();
            pool.threes.push(b.reshape_all(many, &[Dim::lit(3)]).unwrap());
        }
        17 => {
            let back = Op::IndexDagger(Arc::new(AffineIndex::slice(&[3], u64::from(p % 2), 2, 1)));
            pool.threes.push(b.op(back, &[w]).unwrap());
        }
        18 => pool.threes.push(b.map(Function::Tanh, &[v]).unwrap()),
        19 => pool.twos.push(b.map(Function::Sigmoid, &[w]).unwrap()),
        20 => pool.threes.push(b.map(Function::Sin, &[v]).unwrap()),
        21 => pool.matrices.push(b.map(Function::Cos, &[m]).unwrap()),
        22 => {
            let small = b.map(Function::Tanh, &[w]).unwrap();
            pool.twos.push(b.map(Function::Exp, &[small]).unwrap());
        }
        23 => {
            let positive = above_one(b, v);
            pool.threes.push(b.map(Function::Log, &[positive]).unwrap());
        }
        24 => {
            let positive = above_one(b, v);
            pool.threes.push(b.map(Function::Sqrt, &[positive]).unwrap());
        }
        25 => {
            let positive = above_one(b, w2);
            pool.twos.push(b.map(Function::Div, &[w, positive]).unwrap());
        }
        26 => pool.threes.push(b.map(Function::Erf, &[v]).unwrap()),
        27 => {
            let positive = above_one(b, v);
            let small = b.map(Function::Tanh, &[v2]).unwrap();
            pool.threes.push(b.map(Function::Pow, &[positive, small]).unwrap());
        }
        28 => {
            // 2 + m m^T / 10 has an inverse whatever m is.
            let square = b.einsum("ab,cb->ac", &[m, m], &[], 0.1).unwrap();
            let two: Vec<f64> = (0..9).map(|i| if i % 4 == 0 { 2.0 } else { 0.0 }).collect();
            let two = b.reals(&[3, 3], &two).unwrap();
            let matrix = b.add(square, two).unwrap();
            pool.threes.push(b.op(Op::Solve, &[matrix, v]).unwrap());
        }
        29 => {
            let less = b.op(Op::Compare(Comparison::Less), &[v, v2]).unwrap();
            pool.threes.push(b.op(Op::Select, &[less, v, v2]).unwrap());
        }
        30 => pool.numbers.push(b.op(Op::Max, &[v]).unwrap()),
        31 => pool.twos.push(b.map(Function::Abs, &[w]).unwrap()),
        32 => {
            let hot = b.op(Op::ArgmaxOneHot, &[v]).unwrap();
            pool.threes.push(b.map(Function::Mul, &[hot, v2]).unwrap());
        }
        _ => pool.threes.push(b.map(Function::Sign, &[v]).unwrap()),
    }
}

/// A literal list of places in `rows` rows.
fn places(b: &mut Builder, rows: u32, at: &[u32]) -> Wire {
    let leaf = Leaf::new(Base::Fin(rows), &[at.len() as u64]);
    b.constant(Const { leaf, entries: Literal::Int(at.iter().map(|i| i64::from(*i)).collect()) }).unwrap()
}

/// 1.5 + sin x / 2, at least one.
fn above_one(b: &mut Builder, x: Wire) -> Wire {
    let wave = b.map(Function::Sin, &[x]).unwrap();
    let wave = b.scale(wave, 0.5).unwrap();
    let dims = b.dims(x);
    let lift = b.fill(&dims, 1.5).unwrap();
    b.add(wave, lift).unwrap()
}

/// A random diagram from the domain to itself; its first port is a parameter if asked.
pub(crate) fn diagram(genes: &[u32], mode: Mode, first: Role) -> Diagram {
    let mut b = Builder::new();
    let [three, two] = domain();
    let x = b.port("p", first, three);
    let y = b.port("x", Role::Input, two);
    let outs = grow(&mut b, x, y, genes, mode);
    b.finish(&outs)
}

/// Numbers for a list of leaves, in -1..1.
pub(crate) fn draw(leaves: &[Leaf], seed: u64) -> Vec<Vec<f64>> {
    let mut stream = Stream::new(seed, Use::Laws);
    leaves.iter().map(|l| (0..l.size(1)).map(|_| entry(l.base, &mut stream)).collect()).collect()
}

fn entry(base: Base, stream: &mut Stream) -> f64 {
    match base {
        Base::Real => 2.0 * stream.uniform() - 1.0,
        Base::Fin(n) => stream.below(u64::from(n)) as f64,
        _ => f64::from(u8::from(stream.uniform() < 0.5)),
    }
}

/// Evaluates a diagram in doubles.
pub(crate) fn run(d: &Diagram, inputs: &[Vec<f64>], batch: usize) -> Vec<Vec<f64>> {
    let tensors: Vec<Tensor<f64>> =
        d.ports().iter().zip(inputs).map(|(p, v)| Tensor::from_f64(&p.leaf, batch, v).unwrap()).collect();
    evaluate(d, &tensors, batch).unwrap().iter().map(Tensor::to_f64).collect()
}

/// The types of a diagram's ports.
pub(crate) fn port_leaves(d: &Diagram) -> Vec<Leaf> {
    d.ports().iter().map(|p| p.leaf.clone()).collect()
}

/// Inner product of lists of vectors.
pub(crate) fn inner(a: &[Vec<f64>], b: &[Vec<f64>]) -> f64 {
    a.iter().zip(b).flat_map(|(x, y)| x.iter().zip(y)).map(|(x, y)| x * y).sum()
}

/// Whether two lists agree to a share of the larger entries met.
pub(crate) fn near(a: &[Vec<f64>], b: &[Vec<f64>], tolerance: f64) -> bool {
    let size = a.iter().chain(b).flatten().fold(1.0_f64, |m, x| m.max(x.abs()));
    a.len() == b.len() && a.iter().flatten().zip(b.iter().flatten()).all(|(x, y)| (x - y).abs() <= tolerance * size)
}

/// A function of lists of vectors.
pub(crate) type Function1<'a> = dyn Fn(&[Vec<f64>]) -> Vec<Vec<f64>> + 'a;

/// What a comparison with central differences finds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Verdict {
    /// R and the differences agree.
    Agree,
    /// They do not: both numbers.
    Differ(f64, f64),
    /// The function is not smooth enough near the point to tell.
    Kink,
}

/// Compares `requests` = R\[f\](point, w) with the central difference of <w, f> along `along` (real ports only).
pub(crate) fn against_differences(
    f: &Function1<'_>,
    point: &[Vec<f64>],
    w: &[Vec<f64>],
    along: &[Vec<f64>],
    requests: &[Vec<f64>],
) -> Verdict {
    let value = |t: f64| {
        let moved: Vec<Vec<f64>> =
            point.iter().zip(along).map(|(x, v)| x.iter().zip(v).map(|(x, v)| x + t * v).collect()).collect();
        inner(&f(&moved), w)
    };
    let slope = |h: f64| (value(h) - value(-h)) / (2.0 * h);
    let h = 2e-3;
    let (a, b, c) = (slope(h), slope(h / 2.0), slope(h / 4.0));
    let (coarse, fine) = ((4.0 * b - a) / 3.0, (4.0 * c - b) / 3.0);
    let given = inner(requests, along);
    let size = 1.0 + given.abs().max(fine.abs());
    if (coarse - fine).abs() > 1e-7 * size {
        return Verdict::Kink;
    }
    if (given - fine).abs() <= 1e-6 * size { Verdict::Agree } else { Verdict::Differ(given, fine) }
}

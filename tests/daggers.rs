//! Every linear operation is reversed to its transpose: <A x, y> = <x, A^T y>, alone and over a batch (PROBE.md 4, test
//! 2; 1910.07065, theorem 42: linear maps have a dagger). Thousand random instances an operation.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use catlearn::diagram::{AffineIndex, Builder, Diagram, LeadAxis, Op, Role, Wire, batch};
use catlearn::diagram::{Bits, Const, Function, Literal};
use catlearn::object::{Base, Dim, Leaf, Tangent};
use catlearn::random::{Stream, Use};
use catlearn::reverse::requests;
use std::sync::Arc;
use support::{draw, inner, port_leaves, run};

const CASES: u64 = 1000;
const ROWS: usize = 3;

/// A map linear in its first port; the other ports are held.
type Linear = fn(&mut Builder, &mut Stream) -> Wire;

/// A size from 1 to 3.
fn size(s: &mut Stream) -> u64 {
    1 + s.below(3)
}

fn x(b: &mut Builder, dims: &[u64]) -> Wire {
    b.port("x", Role::Input, Leaf::real(dims))
}

fn held(b: &mut Builder, leaf: Leaf) -> Wire {
    b.port("held", Role::Input, leaf)
}

/// An einsum with letters drawn from three of sizes 1 to 3: repeated, summed, only in the result.
fn any_einsum(b: &mut Builder, s: &mut Stream) -> Wire {
    let sizes = [size(s), size(s), size(s)];
    let word =
        |s: &mut Stream, least: u64| -> Vec<usize> { (0..least + s.below(3)).map(|_| s.below(3) as usize).collect() };
    let mut letters = vec![word(s, 1)];
    for _ in 0..s.below(3) {
        letters.push(word(s, 0));
    }
    let out = word(s, 0);
    let dims = |w: &[usize]| w.iter().map(|l| sizes[*l]).collect::<Vec<u64>>();
    let mut ins = vec![x(b, &dims(&letters[0]))];
    for w in &letters[1..] {
        ins.push(held(b, Leaf::real(&dims(w))));
    }
    let name = |w: &[usize]| w.iter().map(|l| char::from(b'a' + *l as u8)).collect::<String>();
    let text = format!("{}->{}", letters.iter().map(|w| name(w)).collect::<Vec<_>>().join(","), name(&out));
    let free: Vec<(char, Dim)> = (0..3).map(|l| (char::from(b'a' + l as u8), Dim::lit(sizes[l]))).collect();
    b.einsum(&text, &ins, &free, 2.0 * s.uniform() - 1.0).unwrap()
}

fn window(s: &mut Stream) -> (Vec<u64>, AffineIndex) {
    let (h, w) = (2 + size(s), 2 + size(s));
    let index = match s.below(3) {
        0 => AffineIndex::slice(&[h, w], s.below(2), 2, 1 + s.below(2)),
        1 => AffineIndex::pad(&[h, w], &[s.below(3), s.below(3)], &[s.below(3), s.below(3)]),
        _ => {
            let (k, stride, pad) = (1 + s.below(2), 1 + s.below(2), s.below(2));
            let outs = |n: u64| (n + 2 * pad - k) / stride + 1;
            AffineIndex::windows(&[h, w], &[k, k], &[stride, stride], &[pad, pad], &[outs(h), outs(w)])
        }
    };
    (vec![h, w], index)
}

fn index(b: &mut Builder, s: &mut Stream) -> Wire {
    let (dims, index) = window(s);
    let lead = size(s);
    let from = x(b, &[&[lead], dims.as_slice()].concat());
    b.op(Op::Index(Arc::new(index)), &[from]).unwrap()
}

fn index_dagger(b: &mut Builder, s: &mut Stream) -> Wire {
    let (_, index) = window(s);
    let dims: Vec<u64> = index.to.iter().copied().collect();
    let y = x(b, &dims);
    b.op(Op::IndexDagger(Arc::new(index)), &[y]).unwrap()
}

fn reshape(b: &mut Builder, s: &mut Stream) -> Wire {
    let (n, m) = (size(s), size(s));
    let from = x(b, &[2, n, m]);
    b.reshape(from, &[Dim::lit(n), Dim::lit(m)], &[Dim::lit(m), Dim::lit(n)]).unwrap()
}

fn repeat(b: &mut Builder, s: &mut Stream) -> Wire {
    let from = x(b, &[size(s), size(s)]);
    b.op(Op::Repeat { axis: Dim::lit(size(s)), core: s.below(3) as u8 }, &[from]).unwrap()
}

/// The first port joined with itself and with a held wire, minus the held part: linear in the port.
fn concat(b: &mut Builder, s: &mut Stream) -> Wire {
    let from = x(b, &[size(s), size(s)]);
    let twice = b.scale(from, -0.5).unwrap();
    b.op(Op::Concat { core: 1 + s.below(2) as u8 }, &[from, twice, from]).unwrap()
}

fn gather(b: &mut Builder, s: &mut Stream) -> Wire {
    let n = size(s);
    let table = x(b, &[n, size(s)]);
    let index = held(b, Leaf::new(Base::Fin(n as u32), &[size(s)]));
    b.op(Op::Gather { lead: [].into_iter().collect() }, &[table, index]).unwrap()
}

fn gather_lead(b: &mut Builder, s: &mut Stream) -> Wire {
    let (n, lead) = (size(s), size(s));
    let of = LeadAxis { table: s.below(2) == 0, index: true };
    let table = if of.table { x(b, &[lead, n, 2]) } else { x(b, &[n, 2]) };
    let index = held(b, Leaf::new(Base::Fin(n as u32), &[lead, size(s)]));
    b.op(Op::Gather { lead: [of].into_iter().collect() }, &[table, index]).unwrap()
}

fn gather_dagger(b: &mut Builder, s: &mut Stream) -> Wire {
    let (n, k) = (size(s), size(s));
    let dy = x(b, &[k, size(s)]);
    let index = held(b, Leaf::new(Base::Fin(n as u32), &[k]));
    b.op(Op::GatherDagger { lead: [].into_iter().collect(), rows: Dim::lit(n) }, &[dy, index]).unwrap()
}

fn add(b: &mut Builder, s: &mut Stream) -> Wire {
    let from = x(b, &[size(s), size(s)]);
    let once = b.scale(from, -0.3).unwrap();
    b.add(from, once).unwrap()
}

fn select(b: &mut Builder, s: &mut Stream) -> Wire {
    let dims = [size(s), size(s)];
    let from = x(b, &dims);
    let choice = held(b, Leaf::new(Base::Bool, &dims));
    let other = b.scale(from, 3.0).unwrap();
    b.op(Op::Select, &[choice, from, other]).unwrap()
}

fn product(b: &mut Builder, s: &mut Stream) -> Wire {
    let dims = [size(s), size(s)];
    let from = x(b, &dims);
    let by = held(b, Leaf::real(&dims));
    b.map(Function::Mul, &[from, by]).unwrap()
}

/// `gate(dy, d)`: linear in dy.
fn gate(b: &mut Builder, s: &mut Stream) -> Wire {
    let dims = [size(s), size(s)];
    let from = x(b, &dims);
    let by = held(b, Leaf::real(&dims));
    b.map(Function::Gate, &[from, by]).unwrap()
}

/// The solution of A u = x, A held and near a multiple of the identity.
fn solve(b: &mut Builder, s: &mut Stream) -> Wire {
    let n = size(s);
    let from = x(b, &[n]);
    let near = held(b, Leaf::real(&[n, n]));
    let unit = (0..n * n).map(|i| Bits(if i % (n + 1) == 0 { 4.0 } else { 0.0 })).collect();
    let unit = b.constant(Const { leaf: Leaf::real(&[n, n]), entries: Literal::Real(unit) }).unwrap();
    let a = b.add(near, unit).unwrap();
    b.op(Op::Solve, &[a, from]).unwrap()
}

/// A and its transpose as one diagram: ports x, held.., y; outputs A x and A^T y.
fn with_dagger(make: Linear, s: &mut Stream) -> Diagram {
    let mut b = Builder::new();
    let out = make(&mut b, s);
    let first = b.diagram().port_wire(0);
    let leaf = b.leaf(out).clone();
    let y = b.port("y", Role::Cotangent, leaf);
    let asked = requests(&mut b, &Tangent::Real, &[(out, y)], &[first]).unwrap()[0];
    let leaf = b.leaf(first).clone();
    let asked = asked.unwrap_or_else(|| b.zero(&leaf).unwrap());
    b.finish(&[out, asked])
}

/// <A x, y> and <x, A^T y>; held wires may be shared over the batch, x and y are not.
fn both_sides(d: &Diagram, rows: Option<usize>, seed: u64) -> (f64, f64) {
    let (d, n) = match rows {
        None => (d.clone(), 1),
        Some(rows) => {
            let mut b = Builder::new();
            let last = d.ports().len() - 1;
            let mut args = Vec::new();
            for (k, port) in d.ports().iter().enumerate() {
                let over = k == 0 || k == last || (seed >> k) & 1 == 1;
                let leaf = if over { port.leaf.under(Dim::lit(rows as u64)) } else { port.leaf.clone() };
                args.push((b.port(port.path.clone(), port.role, leaf), over));
            }
            let outs = batch(&mut b, d, &args, Dim::lit(rows as u64), d.outs()).unwrap();
            let mut wires = Vec::new();
            for (w, over) in outs {
                wires.push(if over { w } else { b.repeat(w, Dim::lit(rows as u64)).unwrap() });
            }
            (b.finish(&wires), 1)
        }
    };
    let values = draw(&port_leaves(&d), seed);
    let outs = run(&d, &values, n);
    let last = values.len() - 1;
    (inner(&outs[..1], &values[last..]), inner(&values[..1], &outs[1..]))
}

#[test]
fn every_linear_operation_is_reversed_to_its_transpose() {
    let all: [(&str, Linear); 15] = [
        ("einsum", any_einsum),
        ("add", add),
        ("index", index),
        ("index_dagger", index_dagger),
        ("reshape", reshape),
        ("repeat", repeat),
        ("concat", concat),
        ("gather", gather),
        ("gather with a leading axis", gather_lead),
        ("gather_dagger", gather_dagger),
        ("select", select),
        ("mul", product),
        ("gate", gate),
        ("solve", solve),
        ("einsum of an index", |b, s| {
            let y = index(b, s);
            b.sum_axes(y, &[0]).unwrap()
        }),
    ];
    for (name, make) in all {
        let mut s = Stream::new(42, Use::Laws);
        let mut moved = 0;
        for seed in 0..CASES {
            let d = with_dagger(make, &mut s);
            for rows in [None, Some(ROWS)] {
                let (left, right) = both_sides(&d, rows, seed);
                assert!((left - right).abs() <= 1e-10 * (1.0 + left.abs()), "{name} {rows:?}: {left} {right}\n{d}");
                moved += u64::from(left != 0.0);
            }
        }
        assert!(moved > CASES, "{name}: the products are nearly all zero");
    }
}

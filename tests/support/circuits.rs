//! Random circuits from genes, and a second reading of them that knows no diagrams: values with integer derivatives.
//!
//! Gates are polynomials over Z (xor a + b - 2ab, and ab, or a + b - ab, not 1 - a, a table multilinear in its address);
//! their derivatives at bits are carried forward by the product rule, one direction at a time. What R sends back over
//! votes must be the transpose, exactly, and over parity the same mod 2 (BOOLEAN.md section 6).

use super::pick;
use catlearn::diagram::{AffineIndex, Builder, Const, Literal, Logic, Op, Wire};
use catlearn::object::{Base, Dim, Leaf};
use std::sync::Arc;

/// The domain and the codomain of every random circuit.
pub(crate) fn domain() -> [Leaf; 2] {
    [Leaf::new(Base::Bool, &[3]), Leaf::new(Base::Bool, &[2])]
}

/// How many operations there are.
const KINDS: u32 = 18;

/// The wires made so far, by width.
struct Pool {
    threes: Vec<Wire>,
    twos: Vec<Wire>,
    ones: Vec<Wire>,
}

/// Grows a circuit over two given wires; the outputs are of the domain's types.
pub(crate) fn grow(b: &mut Builder, x: Wire, y: Wire, genes: &[u32]) -> Vec<Wire> {
    let first = slice(b, x, 3, 0, 1);
    let mut pool = Pool { threes: vec![x], twos: vec![y], ones: vec![first] };
    for gene in genes {
        step(b, &mut pool, *gene);
    }
    vec![*pool.threes.last().unwrap(), *pool.twos.last().unwrap()]
}

fn slice(b: &mut Builder, x: Wire, from: u64, start: u64, len: u64) -> Wire {
    b.op(Op::Index(Arc::new(AffineIndex::slice(&[from], start, len, 1))), &[x]).unwrap()
}

/// The places that the gather of a random circuit reads.
const PLACES: [usize; 2] = [2, 0];

/// The places that its scatter writes, one of them twice.
const WRITTEN: [usize; 3] = [1, 0, 1];

/// Two windows of two in a row of three: they share its middle.
fn windows() -> AffineIndex {
    AffineIndex::windows(&[3], &[2], &[1], &[0], &[2])
}

fn step(b: &mut Builder, pool: &mut Pool, gene: u32) {
    let (op, p, q) = (gene % 64, (gene >> 6) % 1024, (gene >> 16) % 1024);
    let (v, v2, v3) = (pick(&pool.threes, p), pick(&pool.threes, q), pick(&pool.threes, p / 7));
    let (w, w2, w3) = (pick(&pool.twos, p), pick(&pool.twos, q), pick(&pool.twos, q / 5));
    let n = pick(&pool.ones, p);
    let gate = |b: &mut Builder, logic: Logic, ins: &[Wire]| b.op(Op::Logic(logic), ins).unwrap();
    match op % KINDS {
        0 => pool.threes.push(gate(b, Logic::Xor, &[v, v2])),
        1 => pool.twos.push(gate(b, Logic::Xor, &[w, w2])),
        2 => pool.threes.push(gate(b, Logic::And, &[v, v2])),
        3 => pool.twos.push(gate(b, Logic::Not, &[w])),
        4 => pool.threes.push(gate(b, Logic::Or, &[v, v2])),
        5 => pool.threes.push(b.op(Op::Select, &[v, v2, v3]).unwrap()),
        6 => {
            let table = b.op(Op::Concat { core: 1 }, &[w, w2]).unwrap();
            pool.ones.push(b.op(Op::Lookup { lead: Default::default() }, &[table, w3]).unwrap());
        }
        7 => pool.threes.push(b.broadcast(n, &[Dim::lit(3)]).unwrap()),
        8 => pool.twos.push(slice(b, v, 3, 1, 2)),
        9 => pool.threes.push(b.op(Op::Concat { core: 1 }, &[n, w]).unwrap()),
        10 => {
            let (x, y) = (slice(b, v, 3, 0, 1), slice(b, v, 3, 1, 1));
            pool.ones.push(gate(b, Logic::And, &[x, y]));
        }
        11 => {
            let all = b.op(Op::Basis, &[w]).unwrap();
            pool.threes.push(slice(b, all, 4, 0, 3));
        }
        12 => {
            let places = Literal::Int(PLACES.iter().map(|p| *p as i64).collect());
            let places = b.constant(Const { leaf: Leaf::new(Base::Fin(3), &[2]), entries: places }).unwrap();
            pool.twos.push(b.op(Op::Gather { lead: Default::default() }, &[v, places]).unwrap());
        }
        13 => {
            let all = b.op(Op::LookupDagger { lead: Default::default() }, &[n, w]).unwrap();
            pool.threes.push(slice(b, all, 4, 1, 3));
        }
        14 => pool.twos.push(b.op(Op::Select, &[w, w2, w3]).unwrap()),
        15 => pool.ones.push(b.sum_axis(v, 0).unwrap()),
        16 => {
            let places = Literal::Int(WRITTEN.iter().map(|p| *p as i64).collect());
            let places = b.constant(Const { leaf: Leaf::new(Base::Fin(2), &[3]), entries: places }).unwrap();
            let op = Op::GatherDagger { lead: Default::default(), rows: Dim::lit(2) };
            pool.twos.push(b.op(op, &[v, places]).unwrap());
        }
        _ => {
            let four = b.op(Op::Concat { core: 1 }, &[w, w2]).unwrap();
            let square = b.reshape(four, &[Dim::lit(4)], &[Dim::lit(2), Dim::lit(2)]).unwrap();
            pool.threes.push(b.op(Op::IndexDagger(Arc::new(windows())), &[square]).unwrap());
        }
    }
}

/// A bit with its derivative in one direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Dual {
    pub(crate) value: i64,
    pub(crate) change: i64,
}

impl Dual {
    fn constant(value: i64) -> Dual {
        Dual { value, change: 0 }
    }

    fn plus(self, other: Dual) -> Dual {
        Dual { value: self.value + other.value, change: self.change + other.change }
    }

    fn times(self, other: Dual) -> Dual {
        Dual { value: self.value * other.value, change: self.change * other.value + self.value * other.change }
    }

    fn less(self, other: Dual) -> Dual {
        self.plus(Dual::constant(-1).times(other))
    }
}

fn xor(a: Dual, b: Dual) -> Dual {
    a.plus(b).less(Dual::constant(2).times(a.times(b)))
}

fn or(a: Dual, b: Dual) -> Dual {
    a.plus(b).less(a.times(b))
}

fn choose(c: Dual, a: Dual, b: Dual) -> Dual {
    c.times(a).plus(Dual::constant(1).less(c).times(b))
}

/// Entries put at places, those that meet by exclusive or.
fn written(entries: &[Dual], places: impl IntoIterator<Item = Option<usize>>, n: usize) -> Vec<Dual> {
    let mut made = vec![Dual::constant(0); n];
    for (x, place) in entries.iter().zip(places) {
        if let Some(place) = place {
            made[place] = xor(made[place], *x);
        }
    }
    made
}

/// 1 at the place that the bits spell: the product of the bits and of their opposites.
fn spelled(address: &[Dual], place: usize) -> Dual {
    let bit = |(j, x): (usize, &Dual)| if place >> j & 1 == 1 { *x } else { Dual::constant(1).less(*x) };
    address.iter().enumerate().map(bit).fold(Dual::constant(1), Dual::times)
}

/// The same circuit read without diagrams.
pub(crate) fn read(x: &[Dual], y: &[Dual], genes: &[u32]) -> [Vec<Dual>; 2] {
    let (mut threes, mut twos, mut ones) = (vec![x.to_vec()], vec![y.to_vec()], vec![x[..1].to_vec()]);
    for gene in genes {
        let (op, p, q) = (gene % 64, (gene >> 6) % 1024, (gene >> 16) % 1024);
        let at = |list: &[Vec<Dual>], by: u32| list[by as usize % list.len()].clone();
        let (v, v2, v3) = (at(&threes, p), at(&threes, q), at(&threes, p / 7));
        let (w, w2, w3) = (at(&twos, p), at(&twos, q), at(&twos, q / 5));
        let n = at(&ones, p);
        let zip = |a: &[Dual], b: &[Dual], f: fn(Dual, Dual) -> Dual| -> Vec<Dual> {
            a.iter().zip(b).map(|(a, b)| f(*a, *b)).collect()
        };
        let select = |c: &[Dual], a: &[Dual], b: &[Dual]| -> Vec<Dual> {
            (0..c.len()).map(|i| choose(c[i], a[i], b[i])).collect()
        };
        match op % KINDS {
            0 => threes.push(zip(&v, &v2, xor)),
            1 => twos.push(zip(&w, &w2, xor)),
            2 => threes.push(zip(&v, &v2, Dual::times)),
            3 => twos.push(w.iter().map(|x| Dual::constant(1).less(*x)).collect()),
            4 => threes.push(zip(&v, &v2, or)),
            5 => threes.push(select(&v, &v2, &v3)),
            6 => {
                let table = [w, w2].concat();
                let found = (0..4).map(|k| table[k].times(spelled(&w3, k)));
                ones.push(vec![found.fold(Dual::constant(0), Dual::plus)]);
            }
            7 => threes.push(vec![n[0]; 3]),
            8 => twos.push(v[1..].to_vec()),
            9 => threes.push([n, w].concat()),
            10 => ones.push(vec![v[0].times(v[1])]),
            11 => threes.push((0..3).map(|k| spelled(&w, k)).collect()),
            12 => twos.push(PLACES.iter().map(|p| v[*p]).collect()),
            13 => threes.push((1..4).map(|k| n[0].times(spelled(&w, k))).collect()),
            14 => twos.push(select(&w, &w2, &w3)),
            15 => ones.push(vec![v.iter().fold(Dual::constant(0), |all, x| xor(all, *x))]),
            16 => twos.push(written(&v, WRITTEN.map(Some), 2)),
            _ => threes.push(written(&[w, w2].concat(), windows().places(), 3)),
        }
    }
    [threes.last().unwrap().clone(), twos.last().unwrap().clone()]
}

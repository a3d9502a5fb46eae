//! The core of catlearn rebuilt without dependencies, and its tests. `docs/autodidax.md` explains it step by step: the
//! blocks of that page are this file.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::unreachable, reason = "a page to read")]

use std::collections::HashMap;
use std::fmt::Debug;

/// A wire is the node that makes it.
type Wire = usize;

/// A generator.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Op {
    /// A port of the diagram.
    Input(usize),
    /// Entries, each as the bits of an `f64`; a single one stands for all.
    Const(Vec<u64>),
    /// A sum of products: letters of the operands, of the result, and the size of each letter.
    Einsum {
        from: Vec<Vec<char>>,
        to: Vec<char>,
        size: Vec<(char, usize)>,
    },
    Add,
    /// Of each entry; the other functions would be like it.
    Tanh,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Node {
    op: Op,
    reads: Vec<Wire>,
    shape: Vec<usize>,
}

/// A morphism from its inputs to its outputs; `nodes` is in topological order.
#[derive(Clone, Default, Debug)]
struct Diagram {
    nodes: Vec<Node>,
    known: HashMap<Node, Wire>,
    inputs: Vec<Wire>,
    outputs: Vec<Wire>,
}

impl Diagram {
    /// The wire of a node; two equal nodes are one.
    fn node(&mut self, op: Op, reads: Vec<Wire>, shape: Vec<usize>) -> Wire {
        let node = Node { op, reads, shape };
        if let Some(&wire) = self.known.get(&node) {
            return wire;
        }
        self.known.insert(node.clone(), self.nodes.len());
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn shape(&self, wire: Wire) -> Vec<usize> {
        self.nodes[wire].shape.clone()
    }

    fn input(&mut self, shape: &[usize]) -> Wire {
        let wire = self.node(Op::Input(self.inputs.len()), vec![], shape.to_vec());
        self.inputs.push(wire);
        wire
    }

    fn constant(&mut self, entries: &[f64], shape: &[usize]) -> Wire {
        self.node(Op::Const(entries.iter().map(|x| x.to_bits()).collect()), vec![], shape.to_vec())
    }

    /// Addition is commutative, so its operands are kept in one order.
    fn add(&mut self, a: Wire, b: Wire) -> Wire {
        assert_eq!(self.shape(a), self.shape(b), "only equal shapes are added");
        let shape = self.shape(a);
        self.node(Op::Add, vec![a.min(b), a.max(b)], shape)
    }

    fn tanh(&mut self, x: Wire) -> Wire {
        let shape = self.shape(x);
        self.node(Op::Tanh, vec![x], shape)
    }

    fn contract(&mut self, from: Vec<Vec<char>>, to: Vec<char>, size: Vec<(char, usize)>, reads: Vec<Wire>) -> Wire {
        let shape = to.iter().map(|l| size.iter().find(|(k, _)| k == l).unwrap().1).collect();
        self.node(Op::Einsum { from, to, size }, reads, shape)
    }

    /// `einsum("oi,i->o", [w, x])` is the product of a matrix and a vector.
    fn einsum(&mut self, spec: &str, reads: &[Wire]) -> Wire {
        let (left, to) = spec.split_once("->").unwrap();
        let from: Vec<Vec<char>> = left.split(',').map(|o| o.chars().collect()).collect();
        let mut size: Vec<(char, usize)> = Vec::new();
        for (letters, &wire) in from.iter().zip(reads) {
            assert_eq!(letters.len(), self.nodes[wire].shape.len(), "{spec}: a letter for each axis");
            size.extend(letters.iter().copied().zip(self.shape(wire)));
        }
        size.sort_unstable();
        size.dedup();
        assert!(size.windows(2).all(|w| w[0].0 != w[1].0), "{spec}: a letter has one size");
        self.contract(from, to.chars().collect(), size, reads.to_vec())
    }
}

/// The letters of an operand with that many axes.
fn letters(rank: usize) -> String {
    ('a'..='z').take(rank).collect()
}

impl Diagram {
    /// The product entry by entry.
    fn mul(&mut self, a: Wire, b: Wire) -> Wire {
        let l = letters(self.shape(a).len());
        self.einsum(&format!("{l},{l}->{l}"), &[a, b])
    }

    fn scale(&mut self, c: f64, x: Wire) -> Wire {
        let l = letters(self.shape(x).len());
        let c = self.constant(&[c], &[]);
        self.einsum(&format!(",{l}->{l}"), &[c, x])
    }
}

impl Diagram {
    /// Writes `other` into this diagram behind the wires `at`. A wire with `true` has the leading `axes`; a result has them
    /// if one of the wires that it depends on has.
    fn lift(&mut self, other: &Diagram, at: &[(Wire, bool)], axes: &[usize]) -> Vec<(Wire, bool)> {
        let mut here: Vec<(Wire, bool)> = Vec::new();
        for node in &other.nodes {
            let reads: Vec<(Wire, bool)> = node.reads.iter().map(|&r| here[r]).collect();
            let lifted = reads.iter().any(|r| r.1);
            let wire = match &node.op {
                Op::Input(i) => {
                    here.push(at[*i]);
                    continue;
                }
                Op::Const(_) => self.node(node.op.clone(), vec![], node.shape.clone()),
                Op::Einsum { from, to, size } => {
                    let fresh: Vec<char> = ('A'..='Z').filter(|l| size.iter().all(|s| s.0 != *l)).collect();
                    let lead = &fresh[..axes.len()];
                    let with = |l: &Vec<char>, yes: bool| if yes { [lead, l].concat() } else { l.clone() };
                    let mut size = size.clone();
                    if lifted {
                        size.extend(lead.iter().copied().zip(axes.iter().copied()));
                        size.sort_unstable();
                    }
                    let from = from.iter().zip(&reads).map(|(l, r)| with(l, r.1)).collect();
                    self.contract(from, with(to, lifted), size, reads.iter().map(|r| r.0).collect())
                }
                Op::Add => {
                    let [a, b] = [0, 1].map(|i| if lifted { self.spread(reads[i], axes) } else { reads[i].0 });
                    self.add(a, b)
                }
                Op::Tanh => self.tanh(reads[0].0),
            };
            here.push((wire, lifted));
        }
        other.outputs.iter().map(|&w| here[w]).collect()
    }

    /// The wire with the leading axes: copied along them if it has none.
    fn spread(&mut self, (wire, lifted): (Wire, bool), axes: &[usize]) -> Wire {
        if lifted || axes.is_empty() {
            return wire;
        }
        let (own, lead) = (letters(self.shape(wire).len()), &"ABCDEFGH"[..axes.len()]);
        let mut size: Vec<(char, usize)> = lead.chars().zip(axes.iter().copied()).collect();
        size.extend(own.chars().zip(self.shape(wire)));
        self.contract(vec![own.chars().collect()], format!("{lead}{own}").chars().collect(), size, vec![wire])
    }

    fn graft(&mut self, other: &Diagram, at: &[Wire]) -> Vec<Wire> {
        let at: Vec<(Wire, bool)> = at.iter().map(|&w| (w, false)).collect();
        self.lift(other, &at, &[]).into_iter().map(|r| r.0).collect()
    }

    /// New ports with the shapes of the inputs of `other`.
    fn ports(&mut self, other: &Diagram, which: std::ops::Range<usize>) -> Vec<Wire> {
        other.inputs[which].iter().map(|&w| self.input(&other.nodes[w].shape)).collect()
    }

    fn then(&self, g: &Diagram) -> Diagram {
        let mut d = Diagram::default();
        let a = d.ports(self, 0..self.inputs.len());
        let b = d.graft(self, &a);
        d.outputs = d.graft(g, &b);
        d
    }
}

impl Diagram {
    /// R: the requests at the wires `wrt`, when `dy` is requested at `outputs`. Appends to this diagram.
    fn reverse(&mut self, outputs: &[Wire], dy: &[Wire], wrt: &[Wire]) -> Vec<Wire> {
        let mut request: HashMap<Wire, Wire> = HashMap::new();
        for (&wire, &d) in outputs.iter().zip(dy) {
            self.meet(&mut request, wire, d);
        }
        for at in (0..=outputs.iter().copied().max().unwrap_or(0)).rev() {
            let Some(&d) = request.get(&at) else { continue };
            for (wire, asked) in self.rule(at, d) {
                self.meet(&mut request, wire, asked);
            }
        }
        let zero = |this: &mut Self, w: Wire| this.constant(&[0.0], &this.shape(w));
        wrt.iter().map(|w| request.get(w).copied().unwrap_or_else(|| zero(self, *w))).collect()
    }

    /// A wire read twice is copied: the reverse of copy is addition.
    fn meet(&mut self, request: &mut HashMap<Wire, Wire>, wire: Wire, asked: Wire) {
        let sum = request.get(&wire).map_or(asked, |&before| self.add(before, asked));
        request.insert(wire, sum);
    }

    /// The reverse rule of each generator: what it asks of its operands when `d` is asked of it.
    fn rule(&mut self, at: Wire, d: Wire) -> Vec<(Wire, Wire)> {
        let Node { op, reads, .. } = self.nodes[at].clone();
        match op {
            Op::Input(_) | Op::Const(_) => vec![],
            Op::Add => vec![(reads[0], d), (reads[1], d)],
            Op::Einsum { from, to, size } => {
                let mut asked = Vec::new();
                for k in 0..reads.len() {
                    let (mut others, mut wires) = (from.clone(), reads.clone());
                    (others[k], wires[k]) = (to.clone(), d);
                    asked.push((reads[k], self.contract(others, from[k].clone(), size.clone(), wires)));
                }
                asked
            }
            Op::Tanh => {
                let square = self.mul(at, at);
                let (minus, one) = (self.scale(-1.0, square), self.constant(&[1.0], &self.shape(at)));
                let slope = self.add(one, minus);
                vec![(reads[0], self.mul(d, slope))]
            }
        }
    }
}

/// `get : A -> B` and `put : A x B' -> A'`.
struct Lens {
    get: Diagram,
    put: Diagram,
}

impl Lens {
    /// R as a functor: `f` becomes `(f, R[f])`.
    fn of(f: &Diagram) -> Lens {
        let mut put = Diagram::default();
        let a = put.ports(f, 0..f.inputs.len());
        let b = put.graft(f, &a);
        let dy: Vec<Wire> = b.iter().map(|&w| put.input(&put.shape(w))).collect();
        put.outputs = put.reverse(&b, &dy, &a);
        Lens { get: f.clone(), put }
    }

    /// `put(a, c') = f.put(a, g.put(f.get(a), c'))`.
    fn then(&self, g: &Lens) -> Lens {
        let mut put = Diagram::default();
        let a = put.ports(&self.get, 0..self.get.inputs.len());
        let b = put.graft(&self.get, &a);
        let dc = put.ports(&g.put, b.len()..g.put.inputs.len());
        let db = put.graft(&g.put, &[b, dc].concat());
        put.outputs = put.graft(&self.put, &[a, db].concat());
        Lens { get: self.get.then(&g.get), put }
    }
}

/// A parametrised morphism `P x A -> B`: the first `params` inputs are parameters.
struct Para {
    params: usize,
    body: Diagram,
}

impl Para {
    /// The composite has parameter `Q x P`: the later map's first.
    fn then(&self, g: &Para) -> Para {
        let mut d = Diagram::default();
        let q = d.ports(&g.body, 0..g.params);
        let pa = d.ports(&self.body, 0..self.body.inputs.len());
        let b = d.graft(&self.body, &pa);
        d.outputs = d.graft(&g.body, &[q, b].concat());
        Para { params: g.params + self.params, body: d }
    }
}

/// `R[n] -> R[m]`, `W x + b`.
fn dense(n: usize, m: usize) -> Para {
    let mut d = Diagram::default();
    let [w, b, x] = [d.input(&[m, n]), d.input(&[m]), d.input(&[n])];
    let y = d.einsum("oi,i->o", &[w, x]);
    d.outputs = vec![d.add(y, b)];
    Para { params: 2, body: d }
}

fn tanh(n: usize) -> Para {
    let mut d = Diagram::default();
    let x = d.input(&[n]);
    d.outputs = vec![d.tanh(x)];
    Para { params: 0, body: d }
}

/// The entry of `T` that `k` bits address: `T` times `(1 - x, x)` for each bit `x`.
fn table(k: usize) -> Para {
    let mut d = Diagram::default();
    let (t, x) = (d.input(&vec![2; k]), d.input(&[k]));
    let (flip, low) = (d.constant(&[-1.0, 1.0], &[2]), d.constant(&[1.0, 0.0], &[2]));
    let (mut spec, mut wires) = (letters(k), vec![t]);
    for (j, letter) in letters(k).chars().enumerate() {
        let row: Vec<f64> = (0..k).map(|i| f64::from(u8::from(i == j))).collect();
        let row = d.constant(&row, &[k]);
        let bit = d.einsum("i,i->", &[row, x]);
        let signed = d.einsum(",a->a", &[bit, flip]);
        wires.push(d.add(signed, low));
        spec.push_str(&format!(",{letter}"));
    }
    d.outputs = vec![d.einsum(&format!("{spec}->"), &wires)];
    Para { params: 1, body: d }
}

/// A diagram of two inputs of one shape.
fn binary(shape: &[usize], make: impl Fn(&mut Diagram, Wire, Wire) -> Wire) -> Diagram {
    let mut d = Diagram::default();
    let (y, t) = (d.input(shape), d.input(shape));
    d.outputs = vec![make(&mut d, y, t)];
    d
}

/// Half the square of the distance; over Z2 the sum itself is the error.
fn quadratic(n: usize) -> Diagram {
    binary(&[n], |d, y, t| {
        let minus = d.scale(-1.0, t);
        let error = d.add(y, minus);
        let square = d.einsum("i,i->", &[error, error]);
        d.scale(0.5, square)
    })
}

fn wrong_bit() -> Diagram {
    binary(&[], |d, y, t| d.add(y, t))
}

/// A rule for one number with `states` numbers beside it: `get : S x P -> P` and `put : S x P x P' -> S x P`.
/// The last input of `put` is the hole that training fills with the request at `get`.
struct Rule {
    states: usize,
    lens: Lens,
}

/// `b' = gamma b + g`, `p' = p - lr b'`, looked at `ahead * b` beside `p`.
fn momentum(lr: f64, gamma: f64, ahead: f64) -> Rule {
    let get = binary(&[], |d, b, p| {
        let step = d.scale(ahead, b);
        d.add(p, step)
    });
    let mut put = Diagram::default();
    let [b, p, g] = [0; 3].map(|_| put.input(&[]));
    let old = put.scale(gamma, b);
    let next = put.add(old, g);
    let step = put.scale(-lr, next);
    put.outputs = vec![next, put.add(p, step)];
    Rule { states: 1, lens: Lens { get, put } }
}

/// `p + g`: over Z2 it turns the bits that are asked to turn.
fn plus() -> Rule {
    let mut get = Diagram::default();
    get.outputs = vec![get.input(&[])];
    Rule { states: 0, lens: Lens { get, put: binary(&[], |d, p, g| d.add(p, g)) } }
}

/// One example: `P x A x T -> L x P'`, where the loss `l` asks `rate(l)`.
fn requests(model: &Para, loss: &Diagram, rate: impl Fn(&mut Diagram, Wire) -> Wire) -> Diagram {
    let mut d = Diagram::default();
    let pa = d.ports(&model.body, 0..model.body.inputs.len());
    let y = d.graft(&model.body, &pa);
    let t = d.ports(loss, 1..2);
    let l = d.graft(loss, &[y[0], t[0]])[0];
    let asked = rate(&mut d, l);
    let dp = d.reverse(&[l], &[asked], &pa[..model.params]);
    d.outputs = [vec![l], dp].concat();
    d
}

/// The step on `rows` examples: `S x P x A^rows x T^rows -> S x P x L`.
fn step(one: &Diagram, params: usize, rule: &Rule, rows: usize) -> Diagram {
    let mut d = Diagram::default();
    let shapes: Vec<Vec<usize>> = one.inputs.iter().map(|&w| one.nodes[w].shape.clone()).collect();
    // A rule for one number, lifted to the shape of a leaf, is the rule for the leaf.
    let states: Vec<Vec<Wire>> =
        shapes[..params].iter().map(|s| (0..rule.states).map(|_| d.input(s)).collect()).collect();
    let leaves: Vec<Wire> = shapes[..params].iter().map(|s| d.input(s)).collect();
    let mut at = Vec::new();
    for ((state, &leaf), shape) in states.iter().zip(&leaves).zip(&shapes) {
        let here: Vec<(Wire, bool)> = state.iter().chain([&leaf]).map(|&w| (w, true)).collect();
        at.push((d.lift(&rule.lens.get, &here, shape)[0].0, false));
    }
    // The data have a leading axis, the parameters are copied.
    for shape in &shapes[params..] {
        at.push((d.input(&[&[rows], &shape[..]].concat()), true));
    }
    let asked = d.lift(one, &at, &[rows]);
    // The copies of the parameter meet: the sum over the rows is the aggregator.
    let met: Vec<Wire> = asked
        .into_iter()
        .map(|r| {
            let wire = d.spread(r, &[rows]);
            let own = letters(d.shape(wire).len() - 1);
            d.einsum(&format!("Z{own}->{own}"), &[wire])
        })
        .collect();
    let (mut new_states, mut new_leaves) = (Vec::new(), Vec::new());
    for (i, shape) in shapes[..params].iter().enumerate() {
        let here: Vec<(Wire, bool)> = states[i].iter().chain([&leaves[i], &met[i + 1]]).map(|&w| (w, true)).collect();
        let mut out: Vec<Wire> = d.lift(&rule.lens.put, &here, shape).into_iter().map(|r| d.spread(r, shape)).collect();
        new_leaves.push(out.pop().unwrap());
        new_states.extend(out);
    }
    d.outputs = [new_states, new_leaves, vec![met[0]]].concat();
    d
}

/// What a wire carries: `f64`, whole numbers, or bits with exclusive or as sum.
trait Ring: Copy + PartialEq + Debug {
    fn of(x: f64) -> Self;
    fn add(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn tanh(self) -> Self;
}

impl Ring for f64 {
    fn of(x: f64) -> f64 {
        x
    }
    fn add(self, other: f64) -> f64 {
        self + other
    }
    fn mul(self, other: f64) -> f64 {
        self * other
    }
    fn tanh(self) -> f64 {
        f64::tanh(self)
    }
}

impl Ring for i64 {
    fn of(x: f64) -> i64 {
        assert_eq!(x.fract(), 0.0, "a whole number");
        x as i64
    }
    fn add(self, other: i64) -> i64 {
        self + other
    }
    fn mul(self, other: i64) -> i64 {
        self * other
    }
    fn tanh(self) -> i64 {
        panic!("there is no tanh of whole numbers")
    }
}

impl Ring for bool {
    fn of(x: f64) -> bool {
        i64::of(x).rem_euclid(2) == 1
    }
    fn add(self, other: bool) -> bool {
        self ^ other
    }
    fn mul(self, other: bool) -> bool {
        self & other
    }
    fn tanh(self) -> bool {
        panic!("there is no tanh of bits")
    }
}

#[derive(Clone, PartialEq, Debug)]
struct Tensor<K> {
    shape: Vec<usize>,
    data: Vec<K>,
}

/// The outputs at these inputs: only what they depend on is computed.
fn run<K: Ring>(d: &Diagram, inputs: &[Tensor<K>]) -> Vec<Tensor<K>> {
    let mut wanted = vec![false; d.nodes.len()];
    d.outputs.iter().for_each(|&w| wanted[w] = true);
    for at in (0..d.nodes.len()).rev() {
        if wanted[at] {
            d.nodes[at].reads.iter().for_each(|&r| wanted[r] = true);
        }
    }
    let mut values: Vec<Vec<K>> = Vec::new();
    for (node, wanted) in d.nodes.iter().zip(&wanted) {
        let read = |i: usize| &values[node.reads[i]];
        let size = node.shape.iter().product();
        let value = match &node.op {
            _ if !wanted => vec![],
            Op::Input(i) => {
                assert_eq!(inputs[*i].shape, node.shape, "input {i}");
                inputs[*i].data.clone()
            }
            Op::Const(x) => (0..size).map(|i| K::of(f64::from_bits(x[i % x.len()]))).collect(),
            Op::Add => read(0).iter().zip(read(1)).map(|(a, b)| a.add(*b)).collect(),
            Op::Tanh => read(0).iter().map(|x| x.tanh()).collect(),
            Op::Einsum { from, to, size: sizes } => {
                let operands: Vec<&Vec<K>> = (0..from.len()).map(read).collect();
                contraction(from, &operands, to, sizes, size)
            }
        };
        values.push(value);
    }
    d.outputs.iter().map(|&w| Tensor { shape: d.shape(w), data: values[w].clone() }).collect()
}

/// One loop over all values of all letters.
fn contraction<K: Ring>(
    from: &[Vec<char>],
    operands: &[&Vec<K>],
    to: &[char],
    sizes: &[(char, usize)],
    out: usize,
) -> Vec<K> {
    let mut result = vec![K::of(0.0); out];
    for mut count in 0..sizes.iter().map(|s| s.1).product() {
        let mut value = HashMap::new();
        for &(letter, size) in sizes {
            value.insert(letter, (count % size, size));
            count /= size;
        }
        let place = |l: &[char]| l.iter().fold(0, |at, letter| at * value[letter].1 + value[letter].0);
        let product = from.iter().zip(operands).fold(K::of(1.0), |p, (l, x)| p.mul(x[place(l)]));
        result[place(to)] = result[place(to)].add(product);
    }
    result
}

/// Numbers between -1 and 1 that look random, the same on every run.
fn numbers(seed: u64, shape: &[usize]) -> Tensor<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1 << 30) - 1.0
    };
    Tensor { shape: shape.to_vec(), data: (0..shape.iter().product()).map(|_| next()).collect() }
}

fn samples(d: &Diagram, seed: u64) -> Vec<Tensor<f64>> {
    d.inputs.iter().enumerate().map(|(i, &w)| numbers(seed + i as u64, &d.shape(w))).collect()
}

fn moved(a: &[Tensor<f64>], by: f64, v: &[Tensor<f64>]) -> Vec<Tensor<f64>> {
    let entry = |x: &Tensor<f64>, y: &Tensor<f64>| x.data.iter().zip(&y.data).map(|(x, y)| x + by * y).collect();
    a.iter().zip(v).map(|(x, y)| Tensor { shape: x.shape.clone(), data: entry(x, y) }).collect()
}

fn dot(a: &[Tensor<f64>], b: &[Tensor<f64>]) -> f64 {
    a.iter().zip(b).flat_map(|(x, y)| x.data.iter().zip(&y.data)).map(|(x, y)| x * y).sum()
}

/// Two diagrams of one type are equal if they come to the same wires in one arena.
fn same(f: &Diagram, g: &Diagram) -> bool {
    let mut d = Diagram::default();
    let a = d.ports(f, 0..f.inputs.len());
    d.graft(f, &a) == d.graft(g, &a)
}

fn mlp() -> Para {
    dense(2, 8).then(&tanh(8)).then(&dense(8, 1))
}

/// `x` to `x * tanh(x) + x`: a wire that is read four times.
fn fan_out() -> Diagram {
    let mut d = Diagram::default();
    let x = d.input(&[3]);
    let t = d.tanh(x);
    let product = d.mul(x, t);
    d.outputs = vec![d.add(product, x)];
    d
}

#[test]
fn r_of_a_composite_is_the_composite_of_lenses() {
    let (f, g) = (fan_out(), tanh(3).body);
    for (f, g) in [(&f, &g), (&g, &f), (&g, &g)] {
        let (whole, parts) = (Lens::of(&f.then(g)), Lens::of(f).then(&Lens::of(g)));
        assert!(same(&whole.get, &parts.get) && same(&whole.put, &parts.put));
    }
    assert!(!same(&Lens::of(&f.then(&g)).put, &Lens::of(&g.then(&f)).put));
}

#[test]
fn lenses_are_associative_and_have_a_unit() {
    let mut wire = Diagram::default();
    wire.outputs = vec![wire.input(&[3])];
    let [f, g, h, unit] = [&fan_out(), &tanh(3).body, &fan_out(), &wire].map(Lens::of);
    assert!(same(&f.then(&g).then(&h).put, &f.then(&g.then(&h)).put));
    assert!(same(&unit.then(&f).put, &f.put) && same(&f.then(&unit).put, &f.put));
}

#[test]
fn requests_are_additive() {
    let put = Lens::of(&mlp().body).put;
    let (a, mut b) = (samples(&put, 1), samples(&put, 1));
    let last = a.len() - 1;
    b[last] = numbers(99, &a[last].shape);
    let mut sum = a.clone();
    sum[last] = moved(&a[last..], 1.0, &b[last..]).remove(0);
    let (of_sum, sum_of) = (run(&put, &sum), moved(&run(&put, &a), 1.0, &run(&put, &b)));
    for (x, y) in of_sum.iter().zip(&sum_of) {
        assert!(x.data.iter().zip(&y.data).all(|(x, y)| (x - y).abs() < 1e-12));
    }
    sum[last] = moved(&a[last..], -1.0, &a[last..]).remove(0);
    assert!(run(&put, &sum).iter().all(|t| t.data.iter().all(|x| *x == 0.0)));
}

/// `<R[f](a, w), v>` is the central difference of `<w, f>` along `v`; also for R[f] itself.
#[test]
fn r_is_the_derivative() {
    for f in [mlp().body, fan_out(), Lens::of(&mlp().body).put, Lens::of(&Lens::of(&fan_out()).put).put] {
        let put = Lens::of(&f).put;
        let (a, v) = (samples(&f, 3), samples(&f, 40));
        let w: Vec<Tensor<f64>> = run(&f, &a).iter().map(|y| numbers(7, &y.shape)).collect();
        let by_r = dot(&run(&put, &[a.clone(), w.clone()].concat()), &v);
        let at = |by: f64| dot(&run(&f, &moved(&a, by, &v)), &w);
        let by_difference = (at(1e-5) - at(-1e-5)) / 2e-5;
        assert!((by_r - by_difference).abs() < 1e-7 * (1.0 + by_r.abs()), "{by_r} {by_difference}");
    }
}

#[test]
fn later_parameters_come_first() {
    let shapes: Vec<Vec<usize>> = mlp().body.inputs.iter().map(|&w| mlp().body.shape(w)).collect();
    assert_eq!(shapes, [vec![1, 8], vec![1], vec![8, 2], vec![8], vec![2]]);
}

/// The request of a batch is the sum of the requests of its rows.
#[test]
fn a_batch_is_its_rows() {
    let one = requests(&mlp(), &quadratic(1), |d, _| d.constant(&[1.0], &[]));
    let rule = Rule { states: 0, ..plus() };
    let (three, row) = (step(&one, 4, &rule, 3), step(&one, 4, &rule, 1));
    let all = samples(&three, 5);
    let whole = run(&three, &all);
    let mut sum = all[..4].to_vec();
    for i in 0..3 {
        let cut = |t: &Tensor<f64>, n: usize| Tensor { shape: vec![1, n], data: t.data[i * n..(i + 1) * n].to_vec() };
        let at = [all[..4].to_vec(), vec![cut(&all[4], 2), cut(&all[5], 1)]].concat();
        sum = moved(&sum, 1.0, &moved(&run(&row, &at)[..4], -1.0, &all[..4]));
    }
    for (x, y) in whole.iter().zip(&sum) {
        assert!(x.data.iter().zip(&y.data).all(|(x, y)| (x - y).abs() < 1e-12), "{x:?} {y:?}");
    }
}

#[test]
fn a_small_net_learns_exclusive_or() {
    let one = requests(&mlp(), &quadratic(1), |d, _| d.constant(&[0.25], &[]));
    let x = Tensor { shape: vec![4, 2], data: vec![0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0] };
    let t = Tensor { shape: vec![4, 1], data: vec![0.0, 1.0, 1.0, 0.0] };
    let mut losses = Vec::new();
    for ahead in [0.0, -0.09] {
        let train = step(&one, 4, &momentum(0.1, 0.9, ahead), 4);
        let mut state = samples(&train, 11)[..8].to_vec();
        state[..4].iter_mut().for_each(|s| s.data.fill(0.0));
        let mut last = Vec::new();
        for _ in 0..300 {
            let mut out = run(&train, &[state, vec![x.clone(), t.clone()]].concat());
            last.push(out.pop().unwrap().data[0]);
            state = out;
        }
        assert!(last[0] > 0.3 && last[299] < 0.01, "{} {}", last[0], last[299]);
        losses.push(last[299]);
    }
    assert_ne!(losses[0], losses[1], "looking ahead is another rule");
}

/// The same R over Z2, the same step: one pass over the sixteen rows, and the table holds the parity of four bits.
#[test]
fn a_table_learns_parity() {
    let (k, bit) = (4, |row: usize, j: usize| (row >> j) & 1 == 1);
    let one = requests(&table(k), &wrong_bit(), |_, loss| loss);
    let train = step(&one, 1, &plus(), 1);
    let mut t = Tensor { shape: vec![2; k], data: vec![false; 1 << k] };
    let row = |r: usize| Tensor { shape: vec![1, k], data: (0..k).map(|j| bit(r, j)).collect() };
    let mut wrong = [0, 0];
    for wrong in &mut wrong {
        for r in 0..1 << k {
            let label = Tensor { shape: vec![1], data: vec![(0..k).fold(false, |p, j| p ^ bit(r, j))] };
            let mut out = run(&train, &[t, row(r), label]);
            *wrong += usize::from(out.pop().unwrap().data[0]);
            t = out.remove(0);
        }
    }
    assert_eq!(wrong, [8, 0]);
}

/// Over the whole numbers the same R gives votes; their remainders mod 2 are the requests of parity.
#[test]
fn votes_mod_2_are_parity() {
    let put = Lens::of(&table(3).body).put;
    for case in 0..1 << 11 {
        let bits = |from: usize, shape: &[usize]| {
            let data = (0..shape.iter().product()).map(|i: usize| ((case * 1_103_515_245) >> (from + i)) & 1).collect();
            Tensor { shape: shape.to_vec(), data }
        };
        let votes = [bits(3, &[2, 2, 2]), bits(13, &[3]), Tensor { shape: vec![], data: vec![1i64] }];
        let odd =
            |t: &Tensor<i64>| Tensor { shape: t.shape.clone(), data: t.data.iter().map(|v| v & 1 == 1).collect() };
        let asked: Vec<Tensor<bool>> = run(&put, &votes).iter().map(odd).collect();
        assert_eq!(asked, run(&put, &votes.each_ref().map(odd)));
        assert_eq!(run(&put, &votes)[0].data.iter().sum::<i64>(), 1, "one row of the table is asked");
    }
}

//! One pass of rewriting: a diagram is copied into a new builder, each einsum taking in what it reads where that pays.
//!
//! `sum_b outer(x_b, dy_b)` becomes `bm,bn->mn`. A term is taken in when the cost of the whole at the trial batch size
//! falls, the share of the operand's own cost that is saved counted in, and no larger value arises inside. What is read
//! was rewritten before, so that chains collapse in one pass.

use super::identities;
use super::term::{TRIAL, Term};
use crate::diagram::{Builder, Diagram, Function, Op, TypeFault, Wire};
use smallvec::{SmallVec, smallvec};

/// More operands than a term may get.
const MOST_OPERANDS: usize = 8;

/// How often sums are pushed through sums in one pass.
const DEPTH: usize = 48;

/// How often a wire is read, and how often by einsums and products.
#[derive(Clone, Copy, Default, Debug)]
struct Reads {
    all: u32,
    linear: u32,
}

/// A pass under way.
pub(super) struct Pass {
    pub(super) b: Builder,
    /// By node of the new builder.
    reads: Vec<Reads>,
    depth: usize,
}

/// The same diagram with terms taken in, sums pushed inwards and identities removed.
pub(super) fn pass(d: &Diagram) -> Result<Diagram, TypeFault> {
    let mut pass = Pass { b: Builder::new(), reads: Vec::new(), depth: 0 };
    let mut at: Vec<SmallVec<[Wire; 1]>> = vec![smallvec![]; d.nodes().len()];
    let old = reads(d);
    for (k, port) in d.ports().iter().enumerate() {
        let made = pass.b.port(port.path.clone(), port.role, port.leaf.clone());
        put(&mut at, d.port_wire(k).node, smallvec![made]);
    }
    let live = d.cone(d.outs());
    for (n, node) in d.nodes().iter().enumerate() {
        if matches!(node.op, Op::Input(_)) || !live.get(n).is_some_and(|l| *l) {
            continue;
        }
        let origin = d.origins(n as u32).next().cloned();
        match origin {
            Some(origin) => pass.b.at(origin),
            None => pass.b.set_origin(None),
        }
        let ins: SmallVec<[Wire; 4]> =
            node.ins.iter().map(|w| find(&at, *w).ok_or(TypeFault::Foreign)).collect::<Result<_, _>>()?;
        let made: SmallVec<[Wire; 1]> = match &node.op {
            Op::Call(prim) => pass.b.append(&prim.fwd, &ins)?.into_iter().collect(),
            op => {
                let rewritten = pass.rewrite(op, &ins);
                let kept = rewritten.filter(|w| node.outs.first().is_some_and(|leaf| leaf == pass.b.leaf(*w)));
                smallvec![match kept {
                    Some(wire) => wire,
                    None => pass.b.op(op.clone(), &ins)?,
                }]
            }
        };
        for wire in &made {
            pass.count(*wire, old.get(n).copied().unwrap_or_default());
        }
        put(&mut at, n as u32, made);
    }
    let outs: Vec<Wire> = d.outs().iter().map(|w| find(&at, *w).ok_or(TypeFault::Foreign)).collect::<Result<_, _>>()?;
    Ok(pass.b.finish(&outs))
}

fn put(at: &mut [SmallVec<[Wire; 1]>], node: u32, wires: SmallVec<[Wire; 1]>) {
    if let Some(slot) = at.get_mut(node as usize) {
        *slot = wires;
    }
}

fn find(at: &[SmallVec<[Wire; 1]>], w: Wire) -> Option<Wire> {
    at.get(w.node as usize).and_then(|wires| wires.get(w.port as usize)).copied()
}

/// Who reads each node of a diagram.
fn reads(d: &Diagram) -> Vec<Reads> {
    let mut reads = vec![Reads::default(); d.nodes().len()];
    let live = d.cone(d.outs());
    for (node, _) in d.nodes().iter().zip(&live).filter(|(_, live)| **live) {
        let linear = u32::from(matches!(node.op, Op::Einsum(_) | Op::Map(Function::Mul)));
        for w in &node.ins {
            if let Some(r) = reads.get_mut(w.node as usize) {
                r.all += 1;
                r.linear += linear;
            }
        }
    }
    for w in d.outs() {
        if let Some(r) = reads.get_mut(w.node as usize) {
            r.all += 1;
        }
    }
    reads
}

impl Pass {
    /// Counts readers of a wire.
    fn count(&mut self, wire: Wire, more: Reads) {
        let at = wire.node as usize;
        if self.reads.len() <= at {
            self.reads.resize(self.b.len().max(at + 1), Reads::default());
        }
        if let Some(r) = self.reads.get_mut(at) {
            r.all += more.all;
            r.linear += more.linear;
        }
    }

    fn read(&self, wire: Wire) -> Reads {
        self.reads.get(wire.node as usize).copied().unwrap_or_default()
    }

    /// Whether only one node reads a wire (a wire made in passing has no reader yet).
    pub(super) fn sole(&self, wire: Wire) -> bool {
        self.read(wire).all <= 1
    }

    /// What stands for an operation on rewritten wires, if anything else than itself.
    fn rewrite(&mut self, op: &Op, ins: &[Wire]) -> Option<Wire> {
        if let Some(made) = identities::apply(&mut self.b, op, ins) {
            return Some(made);
        }
        match op {
            Op::Einsum(spec) => {
                let term = Term::new(&self.b, spec, ins)?;
                self.term(term)
            }
            Op::Sum { core } => self.push_exact(*core, *ins.first()?),
            Op::Map(Function::Mul) => {
                let broadcast = |w: &Wire| matches!(self.b.diagram().node(*w).op, Op::Einsum(_));
                if !ins.iter().any(broadcast) {
                    return None;
                }
                let node = self.b.op(op.clone(), ins).ok()?;
                let term = Term::of(&self.b, node)?;
                let taken = self.take_in(term.clone(), false);
                if taken.ins == term.ins { None } else { taken.build(&mut self.b) }
            }
            _ => None,
        }
    }

    /// The wire of a term, with all that pays taken in and its sum pushed inwards.
    pub(super) fn term(&mut self, term: Term) -> Option<Wire> {
        let mut term = self.take_in(term, true);
        if self.depth < DEPTH {
            self.depth += 1;
            let pushed = self.push(&term);
            if pushed.is_none() {
                self.push_operands(&mut term);
            }
            self.depth -= 1;
            if pushed.is_some() {
                return pushed;
            }
        }
        term.build(&mut self.b)
    }

    /// Takes in the terms that a term reads while that pays; `products` says whether pointwise products count.
    fn take_in(&mut self, mut term: Term, products: bool) -> Term {
        for _ in 0..2 * MOST_OPERANDS {
            let mut inner: SmallVec<[(Wire, Term); 4]> = SmallVec::new();
            for (w, _) in &term.ins {
                let is_product = matches!(self.b.diagram().node(*w).op, Op::Map(_));
                if inner.iter().all(|(known, _)| known != w)
                    && (products || !is_product)
                    && let Some(found) = Term::of(&self.b, *w)
                {
                    inner.push((*w, found));
                }
            }
            let one = (0..inner.len()).find_map(|k| self.gain(&term, inner.get(k..=k)?));
            let Some(taken) = one.or_else(|| (inner.len() > 1).then(|| self.gain(&term, &inner)).flatten()) else {
                break;
            };
            let (made, wires) = taken;
            for (w, found) in inner.iter().filter(|(w, _)| wires.contains(w)) {
                // it lives on for its other readers, so what it reads has one more
                if !self.sole(*w) {
                    found.ins.iter().for_each(|(w, _)| self.count(*w, Reads { all: 1, linear: 1 }));
                }
            }
            term = made;
        }
        term
    }

    /// A term with others in the place of wires it reads, if that is cheaper.
    fn gain(&self, term: &Term, inner: &[(Wire, Term)]) -> Option<(Term, SmallVec<[Wire; 4]>)> {
        let whole = inner.iter().fold(term.clone(), |whole, (w, found)| whole.inline(*w, found));
        let wide = |t: &Term| t.ins.iter().filter(|(_, word)| t.entries(word) > 1).count();
        if whole.ins.len() > MOST_OPERANDS && whole.ins.len() > term.ins.len() {
            return None;
        }
        // pointwise products of many operands are for the machine's own chains of pointwise operations
        let grows = inner.iter().any(|(_, found)| found.grows());
        if !whole.sums() && !grows && wide(&whole) > 2 && wide(&whole) > wide(term) {
            return None;
        }
        let (before, after) = (term.cost()?, whole.cost()?);
        let (mut saved, mut largest) = (0.0, before.largest);
        for (w, found) in inner {
            let (reads, cost) = (self.read(*w), found.cost()?);
            let here = term.ins.iter().filter(|(other, _)| other == w).count() as f64;
            if reads.all == reads.linear {
                saved += cost.score * (here / f64::from(reads.all.max(1))).min(1.0);
            }
            largest = largest.max(cost.largest);
        }
        for (w, _) in &term.ins {
            largest = largest.max(self.b.leaf(*w).size(TRIAL));
        }
        let better = after.score < before.score + saved && after.largest <= largest;
        better.then(|| (whole, inner.iter().map(|(w, _)| *w).collect()))
    }
}

//! Where a variable meets itself in a product of bits: there the formal reverse over parity is not the Boolean difference.
//!
//! In: a diagram over bits. Out: its [`Meeting`]s, none when the circuit is safe (each output is of degree one in each
//! bit, so that derivative and difference agree; CORE.md 3.2). Each entry of a wire carries the set of variables that its
//! polynomial may hold. A primitive of the program has a rule of its own and hides what is inside it: all that it reads
//! counts as one product. A gather whose index is not a literal may read every row. Ports of more than [`FINE`] entries
//! count row by row.

use super::op::{LeadAxis, Logic, Op};
use super::value::{Diagram, Node, Wire};
use crate::object::Base;
use std::rc::Rc;
use std::sync::Arc;

/// Up to so many entries each entry of a port is a variable of its own.
const FINE: usize = 1 << 12;

/// More words of sets than a diagram is given.
const BUDGET: usize = 1 << 25;

/// A product in which a variable occurs twice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Meeting {
    /// The node of the product.
    pub node: u32,
    /// How many entries of its result have it.
    pub entries: usize,
    /// How many entries there are.
    pub of: usize,
    /// The port of one of the variables.
    pub port: Arc<str>,
    /// Whether the product is that of a table with its address, or what a primitive reads: to be expected of nets whose
    /// layers share wires.
    pub table: bool,
    /// Whether it is one only if the wires of a table, drawn and not written, name one wire twice.
    pub drawn: bool,
}

/// A set of variables.
type Set = Rc<Vec<u64>>;

fn union(a: &Set, b: &Set) -> Set {
    if Rc::ptr_eq(a, b) {
        return a.clone();
    }
    Rc::new(a.iter().zip(b.iter()).map(|(x, y)| x | y).collect())
}

/// The first variable that two sets share.
fn shared(a: &Set, b: &Set) -> Option<usize> {
    let at = a.iter().zip(b.iter()).position(|(x, y)| x & y != 0)?;
    Some(at * 64 + (a.get(at)? & b.get(at)?).trailing_zeros() as usize)
}

struct Reading<'d> {
    d: &'d Diagram,
    empty: Set,
    /// The sets of every entry of every first output, of the largest output of a primitive; none for wires that hold
    /// no bits.
    sets: Vec<Vec<Set>>,
    found: Vec<Meeting>,
    /// The port of each variable.
    of: Vec<u32>,
}

/// The products of a diagram in which a variable occurs twice, at a batch of one; none when the diagram is too large to
/// be looked at entry by entry.
#[must_use]
pub fn meetings(d: &Diagram) -> Vec<Meeting> {
    known_meetings(d).unwrap_or_default()
}

/// Like [`meetings`], but `None` when the diagram is too large to tell.
#[must_use]
pub fn known_meetings(d: &Diagram) -> Option<Vec<Meeting>> {
    let mut of = Vec::new();
    let mut first = Vec::new();
    for (k, port) in d.ports().iter().enumerate() {
        first.push(of.len());
        if port.leaf.base == Base::Bool {
            of.extend(std::iter::repeat_n(k as u32, port_variables(&port.leaf.shape(1))));
        }
    }
    let words = of.len().div_ceil(64);
    let bits = |n: &Node| n.outs.iter().filter(|l| l.base == Base::Bool).map(|l| l.size(1)).sum::<usize>();
    let entries: usize = d.nodes().iter().map(bits).fold(0, usize::saturating_add);
    if entries.saturating_mul(words) > BUDGET {
        return None;
    }
    let empty: Set = Rc::new(vec![0; words]);
    let mut reading = Reading { d, empty, sets: Vec::with_capacity(d.nodes().len()), found: Vec::new(), of };
    let live = d.cone(d.outs());
    for (at, node) in d.nodes().iter().enumerate() {
        let sets = match (&node.op, node.outs.first()) {
            (Op::Input(port), Some(leaf)) if leaf.base == Base::Bool => {
                let own = port_variables(&leaf.shape(1));
                let each = leaf.size(1) / own.max(1);
                let start = first[*port as usize];
                let rows: Vec<Set> = (0..own).map(|k| reading.single(start + k)).collect();
                (0..leaf.size(1)).filter_map(|i| rows.get(i / each.max(1)).cloned()).collect()
            }
            (Op::Call(_), _) if live[at] => reading.call(at as u32, node),
            (_, Some(leaf)) if live[at] && leaf.base == Base::Bool => reading.node(at as u32, node, leaf.size(1)),
            _ => Vec::new(),
        };
        reading.sets.push(sets);
    }
    Some(reading.found)
}

/// How many variables a port has.
fn port_variables(shape: &[usize]) -> usize {
    let n: usize = shape.iter().product();
    match shape {
        _ if n <= FINE => n,
        [rows, _, ..] if *rows <= FINE * 4 => *rows,
        _ => 1,
    }
}

impl Reading<'_> {
    fn single(&self, variable: usize) -> Set {
        let mut set = (*self.empty).clone();
        set[variable / 64] |= 1 << (variable % 64);
        Rc::new(set)
    }

    fn of_wire(&self, w: Wire) -> &[Set] {
        let sets = self.sets.get(w.node as usize).map_or(&[][..], Vec::as_slice);
        let leaf = self.d.leaf(w);
        if leaf.base == Base::Bool { &sets[..leaf.size(1).min(sets.len())] } else { &[] }
    }

    fn at(&self, w: Wire, entry: usize) -> Set {
        self.of_wire(w).get(entry).cloned().unwrap_or_else(|| self.empty.clone())
    }

    fn all(&self, w: Wire) -> Set {
        self.of_wire(w).iter().fold(self.empty.clone(), |all, s| union(&all, s))
    }

    fn met(&mut self, node: u32, variable: usize, size: usize, table: bool) {
        match self.found.last_mut() {
            Some(last) if last.node == node => last.entries = (last.entries + 1).min(size),
            _ => {
                let port = self.of.get(variable).and_then(|k| self.d.ports().get(*k as usize));
                let port = port.map_or_else(|| "".into(), |p| p.path.clone());
                self.found.push(Meeting { node, entries: 1, of: size, port, table, drawn: false });
            }
        }
    }

    /// The sets of a product; says where they meet.
    fn product(&mut self, node: u32, factors: &[Set], size: usize, table: bool) -> Set {
        let mut all = self.empty.clone();
        let mut meets = None;
        for f in factors {
            meets = meets.or_else(|| shared(&all, f));
            all = union(&all, f);
        }
        if let Some(variable) = meets {
            self.met(node, variable, size, table);
        }
        all
    }

    fn node(&mut self, at: u32, node: &Node, size: usize) -> Vec<Set> {
        let ins = node.ins.clone();
        let each = |me: &Self, k: usize, i: usize| ins.get(k).map_or_else(|| me.empty.clone(), |w| me.at(*w, i));
        match &node.op {
            Op::Logic(Logic::And | Logic::Or) => (0..size)
                .map(|i| {
                    let factors = [each(self, 0, i), each(self, 1, i)];
                    self.product(at, &factors, size, false)
                })
                .collect(),
            Op::Select => (0..size)
                .map(|i| {
                    let (c, a, b) = (each(self, 0, i), each(self, 1, i), each(self, 2, i));
                    if let Some(variable) = shared(&c, &a).or_else(|| shared(&c, &b)) {
                        self.met(at, variable, size, false);
                    }
                    union(&c, &union(&a, &b))
                })
                .collect(),
            Op::Logic(_) => (0..size).map(|i| union(&each(self, 0, i), &each(self, ins.len() - 1, i))).collect(),
            Op::Index(map) | Op::IndexDagger(map) => {
                let forward = matches!(node.op, Op::Index(_));
                let places = map.places();
                let from: usize = map.from.iter().map(|n| *n as usize).product();
                let (inner, outer) = if forward { (from, places.len()) } else { (places.len(), from) };
                let mut out = vec![self.empty.clone(); size];
                for block in 0..size.checked_div(outer).unwrap_or(0) {
                    for (o, place) in places.iter().enumerate() {
                        let Some(place) = *place else { continue };
                        let (read, write) = if forward { (place, o) } else { (o, place) };
                        let set = each(self, 0, block * inner + read);
                        if let Some(slot) = out.get_mut(block * outer + write) {
                            *slot = union(slot, &set);
                        }
                    }
                }
                out
            }
            Op::Reshape { .. } => ins.first().map(|w| self.of_wire(*w).to_vec()).unwrap_or_default(),
            Op::Repeat { axis, core } => {
                let x = ins.first().map(|w| self.d.leaf(*w).shape(1)).unwrap_or_default();
                let inner: usize = x.iter().rev().take(usize::from(*core)).product();
                let n = axis.at(1);
                (0..size).map(|i| each(self, 0, i / (n * inner).max(1) * inner + i % inner.max(1))).collect()
            }
            Op::Sum { core } => {
                let x = ins.first().map(|w| self.d.leaf(*w).shape(1)).unwrap_or_default();
                let inner: usize = x.iter().rev().take(usize::from(*core)).product();
                let n = x.iter().rev().nth(usize::from(*core)).copied().unwrap_or(1);
                (0..size)
                    .map(|i| {
                        let start = i / inner.max(1) * n * inner + i % inner.max(1);
                        (0..n).fold(self.empty.clone(), |all, k| union(&all, &each(self, 0, start + k * inner)))
                    })
                    .collect()
            }
            Op::Concat { core } => {
                let parts: Vec<usize> = (ins.iter())
                    .map(|w| self.d.leaf(*w).shape(1).iter().rev().take(usize::from(*core)).product())
                    .collect();
                let block: usize = parts.iter().sum();
                (0..size)
                    .map(|i| {
                        let (blocks, mut rest) = (i / block.max(1), i % block.max(1));
                        let mut k = 0;
                        while parts.get(k).is_some_and(|n| rest >= *n) {
                            rest -= parts[k];
                            k += 1;
                        }
                        each(self, k, blocks * parts.get(k).copied().unwrap_or(0) + rest)
                    })
                    .collect()
            }
            Op::Gather { lead } => self.gather(&ins, lead, size),
            // Where labels put what is not told apart.
            Op::GatherDagger { .. } => vec![ins.first().map_or_else(|| self.empty.clone(), |w| self.all(*w)); size],
            Op::Lookup { lead } => self.lookup(at, &ins, lead, size),
            Op::LookupDagger { .. } | Op::Basis => {
                // What is looked up is spread over a table; its address is multiplied out.
                let address = *ins.last().unwrap_or(&Wire { node: 0, port: 0 });
                let k = self.d.leaf(address).shape(1).last().copied().unwrap_or(0);
                let rows = self.of_wire(address).len().checked_div(k).unwrap_or(0);
                let operand = if ins.len() == 2 { self.all(ins[0]) } else { self.empty.clone() };
                let mut whole = operand.clone();
                let per = size.checked_div(rows.max(1)).unwrap_or(0);
                let mut out = Vec::with_capacity(size);
                for row in 0..rows {
                    let mut factors: Vec<Set> = (0..k).map(|j| self.at(address, row * k + j)).collect();
                    factors.push(operand.clone());
                    let set = self.product(at, &factors, size, true);
                    whole = union(&whole, &set);
                    out.extend(std::iter::repeat_n(set, per));
                }
                if out.len() == size && matches!(node.op, Op::Basis) { out } else { vec![whole; size] }
            }
            // Literals hold no variable; comparisons of numbers are constant almost everywhere.
            _ => vec![self.empty.clone(); size],
        }
    }

    /// A primitive: every entry that it gives may hold the product of all that it reads.
    fn call(&mut self, at: u32, node: &Node) -> Vec<Set> {
        let size = node.outs.iter().map(|l| l.size(1)).max().unwrap_or(0);
        let factors: Vec<Set> = node.ins.iter().flat_map(|w| self.of_wire(*w).to_vec()).collect();
        let all = self.product(at, &factors, size, true);
        vec![all; size]
    }

    fn gather(&mut self, ins: &[Wire], lead: &[LeadAxis], size: usize) -> Vec<Set> {
        let (Some(table), Some(index)) = (ins.first(), ins.get(1)) else { return vec![self.empty.clone(); size] };
        let literal = match &self.d.node(*index).op {
            Op::Const(value) => match &value.entries {
                super::op::Literal::Int(v) => Some(v.clone()),
                _ => None,
            },
            _ => None,
        };
        match literal {
            Some(places) if lead.is_empty() => {
                let tail: usize = self.d.leaf(*table).shape(1).iter().skip(1).product();
                (0..size)
                    .map(|i| {
                        let row = places.get(i / tail.max(1)).and_then(|p| usize::try_from(*p).ok()).unwrap_or(0);
                        self.at(*table, row * tail + i % tail.max(1))
                    })
                    .collect()
            }
            _ => vec![self.all(*table); size],
        }
    }

    fn lookup(&mut self, at: u32, ins: &[Wire], lead: &[LeadAxis], size: usize) -> Vec<Set> {
        let (Some(table), Some(address)) = (ins.first(), ins.get(1)) else { return vec![self.empty.clone(); size] };
        let k = self.d.leaf(*address).shape(1).last().copied().unwrap_or(0);
        let rows = self.d.leaf(*table).shape(1).last().copied().unwrap_or(1);
        let shape = self.d.node(Wire { node: at, port: 0 }).outs.first().map(|l| l.shape(1)).unwrap_or_default();
        let drawn = self.apart_when_drawn(*table, *address);
        let sets = (0..size)
            .map(|i| {
                // Which table and which address this entry has: the axes that each carries.
                let (mut t, mut a, mut rest) = (0, 0, i);
                let (mut t_step, mut a_step) = (1, 1);
                for (axis, n) in lead.iter().zip(&shape).rev() {
                    let place = rest % n;
                    rest /= n;
                    if axis.table {
                        t += place * t_step;
                        t_step *= n;
                    }
                    if axis.index {
                        a += place * a_step;
                        a_step *= n;
                    }
                }
                let entries = (0..rows).fold(self.empty.clone(), |all, r| union(&all, &self.at(*table, t * rows + r)));
                let mut factors: Vec<Set> = (0..k).map(|j| self.at(*address, a * k + j)).collect();
                factors.push(entries);
                self.product(at, &factors, size, true)
            })
            .collect();
        match self.found.last_mut() {
            Some(last) if last.node == at => last.drawn = drawn,
            _ => {}
        }
        sets
    }

    /// Whether an address is picked, by wires that are not written, from entries that share no variable with each other
    /// or with the table.
    fn apart_when_drawn(&self, table: Wire, address: Wire) -> bool {
        let node = self.d.node(address);
        let (Op::Gather { .. }, Some(from), Some(index)) = (&node.op, node.ins.first(), node.ins.get(1)) else {
            return false;
        };
        let mut all = self.all(table);
        let apart = self.of_wire(*from).iter().all(|set| {
            let fresh = shared(&all, set).is_none();
            all = union(&all, set);
            fresh
        });
        apart && !matches!(self.d.node(*index).op, Op::Const(_))
    }
}

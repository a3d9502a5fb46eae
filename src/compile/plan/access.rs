//! Which operations are pointwise, and how each reads its operands.
//!
//! Entry `i` of the result reads entry `(i / inner) % period` of an operand: `inner` 1 and `period` all entries is the
//! entry itself, `period` 1 a number for all, the others rows or columns repeated.

use super::is_real;
use super::letters::{Sizes, distinct};
use crate::diagram::{Diagram, EinsumSpec, Literal, Node, Op, Wire};
use rustc_hash::FxHashSet;
use smallvec::{SmallVec, smallvec};

/// Which entry of an operand an entry of the result reads.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Access {
    /// How many entries in a row read the same one.
    pub inner: usize,
    /// How many entries the operand has.
    pub period: usize,
}

impl Access {
    /// Whether each of `len` entries reads its own.
    #[must_use]
    pub fn is_whole(self, len: usize) -> bool {
        self.inner == 1 && self.period == len
    }
}

/// What one node is to the plan.
#[derive(Clone, Debug)]
enum Kind {
    /// It reads each operand so.
    Pointwise(SmallVec<[Access; 3]>),
    /// The same number everywhere.
    Constant(f64),
    /// The entries of another wire in their order.
    Same(Wire),
    Other,
}

/// Sizes and kinds of all nodes.
pub(super) struct Shapes {
    kinds: Vec<Kind>,
    lens: Vec<usize>,
    /// Who reads a node's entries, and whether each of its own entries one of them.
    readers: Vec<Vec<(u32, bool)>>,
    outs: FxHashSet<u32>,
}

impl Shapes {
    pub(super) fn new(d: &Diagram, batch: usize, live: &[bool]) -> Shapes {
        let readers = vec![Vec::new(); d.nodes().len()];
        let mut made = Shapes { kinds: Vec::new(), lens: Vec::new(), readers, outs: FxHashSet::default() };
        for (at, node) in d.nodes().iter().enumerate() {
            let kind = if live.get(at).is_some_and(|l| *l) { made.kind(d, node, batch) } else { Kind::Other };
            made.kinds.push(kind);
            made.lens.push(node.outs.first().map_or(0, |leaf| leaf.size(batch)));
        }
        made.outs = d.outs().iter().map(|w| made.root(*w).node).collect();
        for (at, node) in d.nodes().iter().enumerate().filter(|(at, _)| live.get(*at) == Some(&true)) {
            let reader = u32::try_from(at).unwrap_or(u32::MAX);
            if made.is_same(reader) {
                continue;
            }
            let len = made.len(reader);
            let accesses = if let Kind::Pointwise(reads) = made.at(reader) { reads.clone() } else { smallvec![] };
            for (k, w) in node.ins.iter().enumerate() {
                let whole = accesses.get(k).is_some_and(|a| a.is_whole(len));
                let of = made.root(*w).node as usize;
                if let Some(readers) = made.readers.get_mut(of) {
                    readers.push((reader, whole));
                }
            }
        }
        made
    }

    fn at(&self, node: u32) -> &Kind {
        self.kinds.get(node as usize).unwrap_or(&Kind::Other)
    }

    /// Entries of a node's first output.
    pub(super) fn len(&self, node: u32) -> usize {
        self.lens.get(node as usize).copied().unwrap_or(0)
    }

    /// The wire whose entries a wire has.
    pub(super) fn root(&self, wire: Wire) -> Wire {
        match self.at(wire.node) {
            Kind::Same(of) => *of,
            _ => wire,
        }
    }

    /// The number that a wire is everywhere.
    pub(super) fn constant(&self, wire: Wire) -> Option<f64> {
        if let Kind::Constant(x) = self.at(self.root(wire).node) { Some(*x) } else { None }
    }

    /// Whether a node is made in a chain.
    pub(super) fn is_pointwise(&self, node: u32) -> bool {
        matches!(self.at(node), Kind::Pointwise(_))
    }

    /// Whether a node is another wire's entries.
    pub(super) fn is_same(&self, node: u32) -> bool {
        matches!(self.at(node), Kind::Same(_))
    }

    /// The operands of a pointwise node, each with how it is read.
    pub(super) fn reads(&self, d: &Diagram, node: u32) -> SmallVec<[(Wire, Access); 3]> {
        match (self.at(node), d.nodes().get(node as usize)) {
            (Kind::Pointwise(reads), Some(n)) => {
                n.ins.iter().map(|w| self.root(*w)).zip(reads.iter().copied()).collect()
            }
            _ => smallvec![],
        }
    }

    /// Whether a node is an output of the diagram, or one of its readers does not do without it in memory.
    fn stored_but_for(&self, node: u32, does: impl Fn(u32, bool) -> bool) -> bool {
        let readers = self.readers.get(node as usize).map(Vec::as_slice).unwrap_or_default();
        self.outs.contains(&node) || readers.iter().any(|(reader, whole)| !does(*reader, *whole))
    }

    /// Which nodes of a loop are outputs of the diagram or read by others than the loop.
    pub(super) fn stored(&self, nodes: &[u32]) -> Vec<bool> {
        let inside = |reader: u32, whole: bool| whole && nodes.binary_search(&reader).is_ok();
        nodes.iter().map(|node| self.stored_but_for(*node, inside)).collect()
    }

    /// Whether a constant is an output or read by somebody who is no loop.
    pub(super) fn stored_alone(&self, node: u32) -> bool {
        self.stored_but_for(node, |reader, _| self.is_pointwise(reader))
    }

    /// Whether a wire holds bits that a chain made.
    fn soft(&self, wire: Wire) -> bool {
        self.is_pointwise(self.root(wire).node)
    }

    fn kind(&self, d: &Diagram, node: &Node, batch: usize) -> Kind {
        let len = node.outs.first().map_or(0, |leaf| leaf.size(batch));
        let own = || Kind::Pointwise(node.ins.iter().map(|_| Access { inner: 1, period: len }).collect());
        let real = |w: &Wire| is_real(d, *w);
        match &node.op {
            Op::Reshape { .. } => node.ins.first().map_or(Kind::Other, |w| Kind::Same(self.root(*w))),
            Op::Extent(dim) => Kind::Constant(dim.at(batch) as f64),
            Op::Const(value) => match &value.entries {
                Literal::Real(v) if v.iter().all(|x| Some(x) == v.first()) => {
                    v.first().map_or(Kind::Other, |x| Kind::Constant(x.0))
                }
                _ => Kind::Other,
            },
            Op::Add | Op::Map(_) | Op::Compare(_) if node.ins.iter().all(real) => own(),
            Op::Select if node.ins.iter().skip(1).all(real) => own(),
            Op::Logic(_) if node.ins.iter().all(|w| self.soft(*w)) => own(),
            Op::Einsum(spec) => self.einsum(d, node, spec, batch),
            _ => Kind::Other,
        }
    }

    /// An einsum that sums nothing and reads rows or columns of its result's order.
    fn einsum(&self, d: &Diagram, node: &Node, spec: &EinsumSpec, batch: usize) -> Kind {
        let Some(sizes) = Sizes::of(d, node, spec, batch) else { return Kind::Other };
        let out = sizes.wide(spec.out());
        if !distinct(&out) {
            return Kind::Other;
        }
        if spec.ins().is_empty() {
            return Kind::Constant(spec.scale());
        }
        let mut reads: SmallVec<[Access; 3]> = SmallVec::new();
        for word in spec.ins() {
            let word = sizes.wide(word);
            // The letters of an operand stand together in the result: entries of the result walk it in rows.
            let from = word.first().map_or(Some(0), |l| out.iter().position(|o| o == l));
            let Some(from) = from.filter(|from| out.get(*from..).is_some_and(|rest| rest.starts_with(&word))) else {
                return Kind::Other;
            };
            let inner = sizes.count(out.get(from + word.len()..).unwrap_or_default());
            let period = sizes.count(&word);
            reads.push(Access { inner: if period == 1 { 1 } else { inner }, period });
        }
        match (node.ins.as_slice(), reads.as_slice()) {
            ([w], [one]) if one.is_whole(sizes.count(&out)) && spec.scale() == 1.0 => Kind::Same(self.root(*w)),
            _ => Kind::Pointwise(reads),
        }
    }
}

//! Multilinear terms: einsums with letters of their own, before they are made nodes again.
//!
//! A term reads wires of a builder. Putting one term in the place of another's operand joins letters; a letter that is
//! then summed over nothing becomes a factor: a constant in the scale, or an [`Op::Extent`] for a batch dimension.

#![allow(clippy::indexing_slicing, reason = "letters index the sizes of their own term")]

use crate::diagram::{Builder, EinsumSpec, Function, Op, Wire};
use crate::object::Dim;
use smallvec::SmallVec;

/// The batch size at which rewrites are weighed.
pub(super) const TRIAL: usize = 32;

/// How many multiplications moving one entry costs.
const PER_ENTRY: f64 = 4.0;

/// Letters of a term.
pub(super) type Word = SmallVec<[u32; 6]>;

/// A multilinear map of some wires.
#[derive(Clone, Debug)]
pub(super) struct Term {
    pub(super) ins: Vec<(Wire, Word)>,
    pub(super) out: Word,
    /// The dimension of each letter.
    pub(super) sizes: Vec<Dim>,
    pub(super) scale: f64,
    /// Dimensions that the term is multiplied by.
    pub(super) extents: Vec<Dim>,
}

/// What a term costs at the trial batch size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    /// Multiplications and moved entries, weighed.
    pub(super) score: f64,
    /// Entries of the largest value inside.
    pub(super) largest: usize,
}

impl Term {
    /// An einsum applied to wires.
    pub(super) fn new(b: &Builder, spec: &EinsumSpec, ins: &[Wire]) -> Option<Term> {
        let leaves: SmallVec<[&crate::object::Leaf; 4]> = ins.iter().map(|w| b.leaf(*w)).collect();
        let sizes = spec.sizes(&leaves).ok()?;
        let word = |letters: &[u8]| letters.iter().map(|l| u32::from(*l)).collect::<Word>();
        Some(Term {
            ins: ins.iter().zip(spec.ins()).map(|(w, letters)| (*w, word(letters))).collect(),
            out: word(spec.out()),
            sizes,
            scale: spec.scale(),
            extents: Vec::new(),
        })
    }

    /// The term that makes a wire, if it is one: an einsum or a product.
    pub(super) fn of(b: &Builder, wire: Wire) -> Option<Term> {
        let node = b.diagram().node(wire);
        match &node.op {
            Op::Einsum(spec) => Term::new(b, spec, &node.ins),
            Op::Map(Function::Mul) => {
                let dims = &node.outs.first()?.dims;
                let word: Word = (0..dims.len() as u32).collect();
                let ins = node.ins.iter().map(|w| (*w, word.clone())).collect();
                Some(Term { ins, out: word, sizes: dims.to_vec(), scale: 1.0, extents: Vec::new() })
            }
            _ => None,
        }
    }

    /// A term with one operand.
    pub(super) fn unary(wire: Wire, word: Word, out: Word, sizes: Vec<Dim>, scale: f64) -> Term {
        Term { ins: vec![(wire, word)], out, sizes, scale, extents: Vec::new() }
    }

    /// A letter that the term did not have.
    pub(super) fn fresh(&mut self, size: Dim) -> u32 {
        self.sizes.push(size);
        self.sizes.len() as u32 - 1
    }

    /// The entries of some letters at the trial batch size.
    pub(super) fn entries(&self, word: &[u32]) -> usize {
        word.iter().fold(1_usize, |n, l| n.saturating_mul(self.sizes[*l as usize].at(TRIAL)))
    }

    /// Whether a letter of an operand is summed over.
    pub(super) fn sums(&self) -> bool {
        self.ins.iter().flat_map(|(_, word)| word).any(|l| !self.out.contains(l) && self.entries(&[*l]) > 1)
    }

    /// Whether the result has more entries than the operands together.
    pub(super) fn grows(&self) -> bool {
        self.entries(&self.out) > self.ins.iter().map(|(_, word)| self.entries(word)).sum()
    }

    /// The same term with `inner` in the place of every operand that is `wire`.
    pub(super) fn inline(&self, wire: Wire, inner: &Term) -> Term {
        let mut made = Term { ins: Vec::with_capacity(self.ins.len() + inner.ins.len()), ..self.clone() };
        let mut join = Join(Vec::new());
        for (w, word) in &self.ins {
            if *w != wire {
                made.ins.push((*w, word.clone()));
                continue;
            }
            let mut names: Vec<Option<u32>> = vec![None; inner.sizes.len()];
            for (l, outer) in inner.out.iter().zip(word) {
                match names[*l as usize] {
                    Some(known) => join.unite(known, *outer),
                    None => names[*l as usize] = Some(*outer),
                }
            }
            for (w, letters) in &inner.ins {
                let mut renamed = Word::new();
                for l in letters {
                    let name = match names[*l as usize] {
                        Some(name) => name,
                        None => made.fresh(inner.sizes[*l as usize]),
                    };
                    names[*l as usize] = Some(name);
                    renamed.push(name);
                }
                made.ins.push((*w, renamed));
            }
            made.scale *= inner.scale;
            made.extents.extend(&inner.extents);
        }
        let words = made.ins.iter_mut().map(|(_, word)| word).chain([&mut made.out]);
        words.flatten().for_each(|l| *l = join.root(*l));
        let used = |l: u32| made.out.contains(&l) || made.ins.iter().any(|(_, word)| word.contains(&l));
        let mut before = Word::new();
        for l in self.ins.iter().flat_map(|(_, word)| word).map(|l| join.root(*l)) {
            if !before.contains(&l) {
                before.push(l);
            }
        }
        let lost: Vec<Dim> = before.into_iter().filter(|l| !used(*l)).map(|l| self.sizes[l as usize]).collect();
        for dim in lost {
            match dim.as_lit() {
                Some(n) => made.scale *= n as f64,
                None => made.extents.push(dim),
            }
        }
        made
    }

    /// Letters in the order of their first use, which is how specs number them.
    fn names(&self) -> Word {
        let mut names = Word::new();
        for l in self.ins.iter().flat_map(|(_, word)| word).chain(&self.out) {
            if !names.contains(l) {
                names.push(*l);
            }
        }
        names
    }

    fn spec(&self) -> Option<EinsumSpec> {
        let ins: Vec<Vec<u32>> = self.ins.iter().map(|(_, word)| word.to_vec()).collect();
        EinsumSpec::new(&ins, &self.out, |l| self.sizes.get(l as usize).copied(), self.scale).ok()
    }

    /// What it costs, unless it has too many letters.
    pub(super) fn cost(&self) -> Option<Cost> {
        let sizes: Vec<usize> = self.names().iter().map(|l| self.sizes[*l as usize].at(TRIAL)).collect();
        let order = self.spec()?.order(&sizes);
        let scaling = if self.scale == 1.0 { 0.0 } else { self.entries(&self.out) as f64 };
        Some(Cost {
            score: order.multiplications + scaling + PER_ENTRY * order.moved,
            largest: order.largest.max(self.entries(&self.out)),
        })
    }

    /// The term as a node.
    pub(super) fn build(&self, b: &mut Builder) -> Option<Wire> {
        let mut term = self.clone();
        for dim in std::mem::take(&mut term.extents) {
            let number = b.op(Op::Extent(dim), &[]).ok()?;
            let letter = term.fresh(Dim::ONE);
            term.ins.push((number, SmallVec::from_slice(&[letter])));
        }
        let wires: SmallVec<[Wire; 4]> = term.ins.iter().map(|(w, _)| *w).collect();
        b.op(Op::einsum(term.spec()?), &wires).ok()
    }
}

/// Letters that turned out to be one.
struct Join(Vec<(u32, u32)>);

impl Join {
    fn root(&self, mut l: u32) -> u32 {
        while let Some((_, to)) = self.0.iter().find(|(from, _)| *from == l) {
            l = *to;
        }
        l
    }

    fn unite(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        if a != b {
            self.0.push((b, a));
        }
    }
}

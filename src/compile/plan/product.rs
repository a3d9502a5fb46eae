//! Einsums of two wide operands as matrix products: three strided axes, loops around them.
//!
//! Letters that both operands and the result have are loops; those of the first and the result are rows, of the second
//! and the result columns, of both operands alone the axis summed. Letters that all walk as one are one axis; of each
//! kind the longest axis belongs to the matrix product, the others are loops. Operands of one entry are factors.

use super::letters::{Sizes, distinct};
use crate::diagram::{Diagram, EinsumSpec, Op, Wire};
use smallvec::SmallVec;

/// An axis of a matrix product: its length, and how far each of the two that have it moves with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Axis {
    /// Its length.
    pub size: usize,
    /// Entries that the first of the two moves.
    pub first: usize,
    /// Entries that the second of the two moves.
    pub second: usize,
}

/// A loop around matrix products.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Loop {
    /// How often it runs.
    pub size: usize,
    /// Entries that the left operand, the right one and the result move.
    pub steps: [usize; 3],
}

/// `out[.., m, n] = scale * factors * sum over k of left[.., m, k] * right[.., k, n]`, in loops.
#[derive(Clone, Debug)]
pub struct Product {
    /// The node that it computes.
    pub node: u32,
    /// Slots of the operands.
    pub operands: [usize; 2],
    /// Slots of operands with one entry.
    pub factors: SmallVec<[usize; 2]>,
    /// The constant factor.
    pub scale: f64,
    /// Slot of the result.
    pub out: usize,
    /// Entries of the result.
    pub len: usize,
    /// Rows: steps of the left operand and the result.
    pub m: Axis,
    /// Columns: steps of the right operand and the result.
    pub n: Axis,
    /// The axis summed: steps of the left and the right operand.
    pub k: Axis,
    /// Loops, outermost first.
    pub loops: SmallVec<[Loop; 4]>,
    /// Whether a loop adds to entries that another round of it made.
    pub adds: bool,
}

/// A letter, or several that are walked as one.
#[derive(Clone, Copy, Debug)]
struct Letter {
    size: usize,
    steps: [usize; 3],
}

impl Product {
    /// The product that a node is, if it is one.
    pub(super) fn of(d: &Diagram, node: u32, batch: usize, slot: impl Fn(Wire) -> usize) -> Option<Product> {
        let n = d.nodes().get(node as usize)?;
        let Op::Einsum(spec) = &n.op else { return None };
        let sizes = Sizes::of(d, n, spec, batch)?;
        let mut wide = n.ins.iter().zip(spec.ins()).filter(|(w, _)| d.leaf(**w).size(batch) != 1);
        let (left, right) = (wide.next()?, wide.next()?);
        if wide.next().is_some() {
            return None;
        }
        let factors =
            n.ins.iter().filter(|w| d.leaf(**w).size(batch) == 1).map(|w| slot(*w)).collect::<SmallVec<[usize; 2]>>();
        let [m, cols, k, loops] = kinds(spec, &sizes, [left.1, right.1])?;
        let pick = |letters: &[Letter], pair: [usize; 2]| -> (Axis, Vec<Letter>) {
            let best = (0..letters.len()).max_by_key(|i| letters.get(*i).map(|l| l.size));
            let mut rest = letters.to_vec();
            match best.map(|i| rest.remove(i)) {
                Some(l) => {
                    let [first, second] = pair.map(|p| l.steps.get(p).copied().unwrap_or(0));
                    (Axis { size: l.size, first, second }, rest)
                }
                None => (Axis { size: 1, first: 1, second: 1 }, rest),
            }
        };
        let (m, more_m) = pick(&m, [0, 2]);
        let (cols, more_n) = pick(&cols, [1, 2]);
        let (k, more_k) = pick(&k, [0, 1]);
        let adds = !more_k.is_empty();
        let around = loops.into_iter().chain(more_m).chain(more_n).chain(more_k);
        Some(Product {
            node,
            operands: [slot(*left.0), slot(*right.0)],
            factors,
            scale: spec.scale(),
            out: slot(Wire { node, port: 0 }),
            len: n.outs.first()?.size(batch),
            m,
            n: cols,
            k,
            loops: around.map(|l| Loop { size: l.size, steps: l.steps }).collect(),
            adds,
        })
    }

    /// Multiplications and additions of one run.
    #[must_use]
    pub fn flops(&self) -> usize {
        let around = self.loops.iter().map(|l| l.size).product::<usize>();
        2 * around * self.m.size * self.n.size * self.k.size
    }
}

/// Letters of rows, of columns, of the axis summed and of loops, joined where they are walked as one.
fn kinds(spec: &EinsumSpec, sizes: &Sizes, words: [&[u8]; 2]) -> Option<[Vec<Letter>; 4]> {
    let [left, right, out] = [words[0], words[1], spec.out()].map(|word| sizes.wide(word));
    if ![&left, &right, &out].into_iter().all(|word| distinct(word)) {
        return None;
    }
    let stride = |word: &[u8], l: u8| -> usize {
        let at = word.iter().position(|m| *m == l);
        at.map_or(0, |at| sizes.count(word.get(at + 1..).unwrap_or_default()))
    };
    let mut kinds: [Vec<Letter>; 4] = Default::default();
    let order = out.iter().chain(left.iter().filter(|l| !out.contains(l)));
    let missing = right.iter().any(|l| !out.contains(l) && !left.contains(l));
    for l in order {
        let kind = match (left.contains(l), right.contains(l), out.contains(l)) {
            (true, false, true) => 0,
            (false, true, true) => 1,
            (true, true, false) => 2,
            (true, true, true) => 3,
            // summed in one operand alone, or broadcast
            _ => return None,
        };
        let letter = Letter { size: sizes.size(*l), steps: [&left, &right, &out].map(|w| stride(w, *l)) };
        let letters = kinds.get_mut(kind)?;
        match letters.last_mut() {
            Some(last) if last.steps.iter().zip(&letter.steps).all(|(o, i)| *o == i * letter.size) => {
                *last = Letter { size: last.size * letter.size, steps: letter.steps };
            }
            _ => letters.push(letter),
        }
    }
    if missing { None } else { Some(kinds) }
}

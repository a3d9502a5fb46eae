//! Pushing a sum inwards: through additions, index maps, reshapes, joins and scatters, until it meets an einsum.
//!
//! The sum over a batch of examples is what copy reverses to; where it meets the outer product that made a request
//! both become one matrix product. `sum_b (u_b + v_b)` (a parameter used twice) is `sum_b u_b + sum_b v_b`;
//! `sum_b pad(u_b)` is `pad(sum_b u_b)`; a sum of scatters into one table is one longer scatter.

use super::fuse::Pass;
use super::term::{Term, Word};
use crate::diagram::{LeadAxis, Op, Wire};
use crate::object::Dim;
use smallvec::SmallVec;

/// What a sum can be pushed through.
fn is_open(op: &Op) -> bool {
    matches!(
        op,
        Op::Add | Op::Index(_) | Op::IndexDagger(_) | Op::Reshape { .. } | Op::Concat { .. } | Op::GatherDagger { .. }
    )
}

impl Pass {
    /// A term of one operand, pushed through the operation that made it.
    pub(super) fn push(&mut self, term: &Term) -> Option<Wire> {
        let [(wire, word)] = term.ins.as_slice() else { return None };
        // A factor of the batch size must not be lost; once it stands as an operand, `push_operands` goes on.
        if !term.extents.is_empty() {
            return None;
        }
        let shrinks = term.sums() && term.entries(&term.out).saturating_mul(2) <= term.entries(word);
        let node = self.b.diagram().node(*wire);
        if !shrinks || !is_open(&node.op) {
            return None;
        }
        let (op, ins) = (node.op.clone(), node.ins.clone());
        if op == Op::Add {
            return self.push_through_sum(term, *wire, word);
        }
        if !self.sole(*wire) {
            return None;
        }
        let core = match &op {
            Op::Index(map) => map.to.len(),
            Op::IndexDagger(map) => map.from.len(),
            Op::Reshape { to, .. } => to.len(),
            Op::Concat { core } => usize::from(*core),
            Op::GatherDagger { lead, rows } => return self.push_through_scatter(term, word, lead, *rows, &ins),
            _ => return None,
        };
        // the operation's own axes must come out as they are; only axes in front are summed or moved
        let (lead, own) = word.split_at_checked(word.len().checked_sub(core)?)?;
        let (front, end) = term.out.split_at_checked(term.out.len().checked_sub(core)?)?;
        let kept = own == end && own.iter().enumerate().all(|(i, l)| own.iter().skip(i + 1).all(|m| m != l));
        if !kept || own.iter().any(|l| lead.contains(l) || front.contains(l)) {
            return None;
        }
        let mut made: SmallVec<[Wire; 4]> = SmallVec::new();
        for part in &ins {
            let mut sizes = term.sizes.clone();
            let dims = self.b.dims(*part);
            let first = sizes.len() as u32;
            sizes.extend(dims.iter().skip(lead.len()));
            let axes: Word = (first..sizes.len() as u32).collect();
            let word: Word = lead.iter().copied().chain(axes.iter().copied()).collect();
            let out: Word = front.iter().copied().chain(axes).collect();
            made.push(self.term(Term::unary(*part, word, out, sizes, term.scale))?);
        }
        self.b.op(op, &made).ok()
    }

    /// Sums operands alone that bring letters of their own, where that goes on inwards.
    pub(super) fn push_operands(&mut self, term: &mut Term) {
        if term.ins.len() < 2 {
            return;
        }
        for k in 0..term.ins.len() {
            let Some((wire, word)) = term.ins.get(k).cloned() else { continue };
            if !is_open(&self.b.diagram().node(wire).op) {
                continue;
            }
            let others = |l: &u32| term.ins.iter().enumerate().any(|(j, (_, word))| j != k && word.contains(l));
            let mut kept = Word::new();
            for l in &word {
                if (term.out.contains(l) || others(l)) && !kept.contains(l) {
                    kept.push(*l);
                }
            }
            let sum = Term::unary(wire, word, kept.clone(), term.sizes.clone(), 1.0);
            if let (Some(made), Some(slot)) = (self.push(&sum), term.ins.get_mut(k)) {
                *slot = (made, kept);
            }
        }
    }

    /// The summands of an addition that nobody else reads, summed each.
    fn push_through_sum(&mut self, term: &Term, wire: Wire, word: &Word) -> Option<Wire> {
        let (mut leaves, mut stack) = (Vec::new(), vec![wire]);
        while let Some(w) = stack.pop() {
            let node = self.b.diagram().node(w);
            if node.op == Op::Add && (w == wire || self.sole(w)) {
                stack.extend(node.ins.iter().rev());
            } else {
                leaves.push(w);
            }
        }
        let grows = |w: &Wire| Term::of(&self.b, *w).is_some_and(|t| t.grows());
        if !self.sole(wire) && !leaves.iter().all(grows) {
            return None;
        }
        let mut total: Option<Wire> = None;
        for leaf in leaves {
            let part = Term::unary(leaf, word.clone(), term.out.clone(), term.sizes.clone(), term.scale);
            let part = self.term(part)?;
            total = Some(match total {
                Some(sum) => self.b.add(sum, part).ok()?,
                None => part,
            });
        }
        total
    }

    /// A sum over examples of scatters: over an axis of the index, one scatter into one table; over an axis of the
    /// table alone, what is scattered is summed first.
    fn push_through_scatter(
        &mut self,
        term: &Term,
        word: &Word,
        lead: &[LeadAxis],
        rows: Dim,
        ins: &[Wire],
    ) -> Option<Wire> {
        let [dy, index] = ins else { return None };
        let tables = lead.iter().filter(|l| l.table).count();
        let (axes, rest) = word.split_at_checked(tables)?;
        let summed = |l: &u32| !term.out.contains(l);
        let distinct = word.iter().enumerate().all(|(i, l)| word.iter().skip(i + 1).all(|m| m != l));
        let left: Word = word.iter().copied().filter(|l| !summed(l)).collect();
        if !distinct || left != term.out || rest.iter().any(summed) {
            return None;
        }
        let mut of_table = axes.iter();
        let mut kept: SmallVec<[LeadAxis; 2]> = SmallVec::new();
        let mut first: Vec<usize> = Vec::new();
        for (at, axis) in lead.iter().enumerate() {
            let gone = axis.table && of_table.next().is_some_and(summed);
            match (gone, axis.index) {
                (false, _) => kept.push(*axis),
                (true, true) => kept.push(LeadAxis { table: false, index: true }),
                (true, false) => first.push(at),
            }
        }
        let mut dy = *dy;
        if !first.is_empty() {
            let sizes = self.b.dims(dy).to_vec();
            let word: Word = (0..sizes.len() as u32).collect();
            let out = word.iter().copied().filter(|l| !first.contains(&(*l as usize))).collect();
            dy = self.term(Term::unary(dy, word, out, sizes, 1.0))?;
        }
        let made = self.b.op(Op::GatherDagger { lead: kept, rows }, &[dy, *index]).ok()?;
        if term.scale == 1.0 { Some(made) } else { self.b.scale(made, term.scale).ok() }
    }
}

//! Sums over examples of whole numbers and bits, pushed into the scatter that made them.
//!
//! A table's request scatters the votes of one example; batched, that is a table an example, and their sum one table.
//! `sum_b scatter(dy_b, address_b)` is one scatter into one table. Exact: such sums may be taken in any order.

use super::fuse::Pass;
use crate::diagram::{LeadAxis, Op, Wire};
use smallvec::SmallVec;

impl Pass {
    /// The sum over the axis before the last `core` ones, where a scatter, or a sum of some, can take it in.
    pub(super) fn push_exact(&mut self, core: u8, wire: Wire) -> Option<Wire> {
        let mut parts = Vec::new();
        let mut stack = vec![wire];
        while let Some(w) = stack.pop() {
            let node = self.b.diagram().node(w);
            if node.op.is_addition() && self.sole(w) {
                stack.extend(node.ins.iter().rev());
            } else {
                parts.push(w);
            }
        }
        let mut made: Vec<Option<Wire>> = Vec::new();
        for part in &parts {
            made.push(self.scatter_once(core, *part));
        }
        if made.iter().all(Option::is_none) {
            return None;
        }
        let mut total: Option<Wire> = None;
        for (part, made) in parts.into_iter().zip(made) {
            let part = match made {
                Some(made) => made,
                None => self.b.op(Op::Sum { core }, &[part]).ok()?,
            };
            total = Some(match total {
                Some(sum) => self.b.add(sum, part).ok()?,
                None => part,
            });
        }
        total
    }

    /// A scatter that nobody else reads, into tables without the axis: over an axis of the index all entries of it go
    /// into one table; over an axis of the table alone, what is scattered is summed first.
    fn scatter_once(&mut self, core: u8, wire: Wire) -> Option<Wire> {
        if !self.sole(wire) {
            return None;
        }
        let node = self.b.diagram().node(wire);
        let (Op::LookupDagger { lead } | Op::GatherDagger { lead, .. }) = &node.op else { return None };
        let (op, ins, mut lead) = (node.op.clone(), node.ins.clone(), lead.clone());
        let [dy, index] = ins.as_slice() else { return None };
        let axis = self.b.leaf(wire).rank().checked_sub(usize::from(core) + 1)?;
        let at = lead.iter().enumerate().filter(|(_, l)| l.table).map(|(at, _)| at).nth(axis)?;
        let mut dy = *dy;
        if lead.get(at)?.index {
            *lead.get_mut(at)? = LeadAxis { table: false, index: true };
        } else {
            lead.remove(at);
            let core = u8::try_from(self.b.leaf(dy).rank().checked_sub(at + 1)?).ok()?;
            dy = self.b.op(Op::Sum { core }, &[dy]).ok()?;
        }
        self.b.op(with_lead(op, lead), &[dy, *index]).ok()
    }
}

fn with_lead(op: Op, lead: SmallVec<[LeadAxis; 2]>) -> Op {
    match op {
        Op::GatherDagger { rows, .. } => Op::GatherDagger { lead, rows },
        _ => Op::LookupDagger { lead },
    }
}

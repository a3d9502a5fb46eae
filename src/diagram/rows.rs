//! A part of a diagram under construction taken over an axis: what `f` is at a bound wire becomes `map f`.
//!
//! In: bound wires (one row, no port stands behind them) with the wires that hold all rows, and outputs built from them.
//! Out: the outputs with the rows as their first axis. It is the batch functor inside one builder and before R: nodes
//! that do not read a bound wire are shared by all rows, and a primitive of the program stays one, with `fwd` and every
//! `rev` taken over the axis (R[map f] = map R[f], so its own reverse is kept).

use super::batch::{led, node_over};
use super::builder::{Builder, cone};
use super::op::{Op, PrimDef};
use super::typing::TypeFault;
use super::value::{Diagram, Wire};
use crate::object::Dim;
use smallvec::SmallVec;
use std::sync::Arc;

impl Builder {
    /// What `outs` are at the rows of the bound wires ([`Builder::variable`]), each given with the wire of all its
    /// rows: a leaf with one more axis in front.
    ///
    /// # Errors
    /// [`TypeFault`] when a wire of rows is not of its bound wire's leaf under the axis, or a request of an update rule
    /// depends on a row.
    pub fn over_rows(&mut self, bound: &[(Wire, Wire)], axis: Dim, outs: &[Wire]) -> Result<Vec<Wire>, TypeFault> {
        for (row, rows) in bound {
            let (needs, given) = (self.leaf_checked(*row)?.under(axis), self.leaf_checked(*rows)?);
            if needs != *given {
                return Err(TypeFault::Mismatch { left: needs, right: given.clone() });
            }
        }
        let first = bound.iter().map(|(row, _)| row.node as usize).min().unwrap_or_else(|| self.len());
        let end = outs.iter().map(|w| w.node as usize + 1).max().unwrap_or(0);
        let live = cone(self.diagram().nodes(), outs);
        // What stands for each node from the first bound wire on, if it depends on one.
        let mut over: Vec<Option<Wire>> = vec![None; end.saturating_sub(first)];
        for (row, rows) in bound {
            if let Some(slot) = over.get_mut(row.node as usize - first) {
                *slot = Some(*rows);
            }
        }
        let before = self.origin();
        for at in first..end {
            let lifted = |w: &Wire| (w.node as usize).checked_sub(first).and_then(|i| over.get(i).copied().flatten());
            let node = &self.diagram().nodes()[at];
            if !live[at] || over[at - first].is_some() || !node.ins.iter().any(|w| lifted(w).is_some()) {
                continue;
            }
            let ins: SmallVec<[(Wire, bool); 4]> =
                node.ins.iter().map(|w| lifted(w).map_or((*w, false), |rows| (rows, true))).collect();
            let op = node.op.clone();
            self.at_node(at as u32);
            let made = match &op {
                Op::Call(prim) => self.call_over(prim, &ins, axis),
                _ => node_over(self, &op, &ins, axis).map(|w| w.node),
            };
            self.set_origin(before);
            over[at - first] = Some(Wire { node: made?, port: 0 });
        }
        let all = |w: &Wire| (w.node as usize).checked_sub(first).and_then(|i| over.get(i).copied().flatten());
        outs.iter()
            .map(|w| match all(w) {
                Some(rows) => Ok(Wire { port: w.port, ..rows }),
                None => led(self, *w, false, axis),
            })
            .collect()
    }

    /// A primitive of the program at every row; what all rows share is repeated, so that its request is their sum.
    fn call_over(&mut self, prim: &PrimDef, ins: &[(Wire, bool)], axis: Dim) -> Result<u32, TypeFault> {
        let all = ins.iter().map(|(w, rows)| led(self, *w, *rows, axis)).collect::<Result<Vec<_>, _>>()?;
        let reverses = prim.rev.try_map(|rev| diagram_over(rev, axis))?;
        let over = PrimDef::new(prim.name.clone(), diagram_over(&prim.fwd, axis)?, reverses, prim.span);
        self.node(Op::Call(Arc::new(over)), &all)
    }
}

/// A diagram with the axis in front of every port and output.
fn diagram_over(d: &Diagram, axis: Dim) -> Result<Diagram, TypeFault> {
    let mut b = Builder::new();
    let rows: Vec<Wire> = d.ports().iter().map(|p| b.port(p.path.clone(), p.role, p.leaf.under(axis))).collect();
    let row: Vec<Wire> = d.ports().iter().map(|p| b.variable(p.leaf.clone())).collect();
    let outs = b.append(d, &row)?;
    let bound: Vec<(Wire, Wire)> = row.into_iter().zip(rows).collect();
    let outs = b.over_rows(&bound, axis, &outs)?;
    Ok(b.finish(&outs))
}

//! Rewriting to a fixed point.

use super::fuse::pass;
use crate::diagram::{Diagram, Op};

/// More passes than any diagram needs.
const PASSES: usize = 8;

/// The same function with fewer multiplications and less memory traffic: calls are opened, sums pushed inwards, einsums
/// merged where that pays at a batch of 32, exact identities removed. Ports are all kept; outputs are the same up to
/// rounding. Only for diagrams whose reverse derivative has been taken.
#[must_use]
pub fn simplify(d: &Diagram) -> Diagram {
    let mut now = d.clone();
    for _ in 0..PASSES {
        let Ok(next) = pass(&now) else { break };
        let same = next.nodes() == now.nodes() && next.outs() == now.outs();
        now = next;
        if same {
            break;
        }
    }
    now
}

/// Entries of the largest value that a run of the diagram makes, inside of einsums too; ports do not count.
#[must_use]
pub fn largest_tensor(d: &Diagram, batch: usize) -> usize {
    let live = d.cone(d.outs());
    let made = d.nodes().iter().zip(&live).filter(|(n, live)| **live && !matches!(n.op, Op::Input(_)));
    made.map(|(node, _)| {
        let inside = match &node.op {
            Op::Einsum(spec) => {
                let leaves: Vec<_> = node.ins.iter().map(|w| d.leaf(*w)).collect();
                let sizes = spec.sizes(&leaves).unwrap_or_default();
                spec.order(&sizes.iter().map(|s| s.at(batch)).collect::<Vec<_>>()).largest
            }
            Op::Call(prim) => largest_tensor(&prim.fwd, batch),
            _ => 0,
        };
        node.outs.iter().map(|leaf| leaf.size(batch)).fold(inside, usize::max)
    })
    .max()
    .unwrap_or(0)
}

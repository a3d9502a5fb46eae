//! Rewrites that keep a diagram's meaning; after R only (DESIGN.md 1.10).
//!
//! In: a diagram. Out: a diagram on the same ports with the same outputs.

use super::builder::{Builder, Copying};
use super::op::Op;
use super::typing::TypeFault;
use super::value::{Diagram, Wire};

/// The diagram with every primitive of the program replaced by what it does.
///
/// # Errors
/// [`TypeFault`] when a primitive's body is not of the type of its call.
pub fn inline_calls(d: &Diagram) -> Result<Diagram, TypeFault> {
    let mut d = d.clone();
    while d.nodes().iter().any(|n| matches!(n.op, Op::Call(_))) {
        d = inline_where(&d, |_| true)?;
    }
    Ok(d)
}

/// One level of the calls at the chosen nodes inlined.
pub(super) fn inline_where(d: &Diagram, at: impl Fn(usize) -> bool) -> Result<Diagram, TypeFault> {
    let mut b = Builder::new();
    let mut copy = Copying::new(d).keeping_holes();
    for (port, p) in d.ports().iter().enumerate() {
        let w = b.port(p.path.clone(), p.role, p.leaf.clone());
        copy.set(d.port_wire(port), w);
    }
    let live = d.cone(d.outs());
    for (n, node) in d.nodes().iter().enumerate().filter(|(n, node)| live[*n] && !matches!(node.op, Op::Input(_))) {
        let prim = match &node.op {
            Op::Call(prim) if at(n) => prim,
            _ => {
                copy.node(&mut b, n as u32)?;
                continue;
            }
        };
        let ins = node.ins.iter().map(|w| copy.get(*w).ok_or(TypeFault::Foreign)).collect::<Result<Vec<_>, _>>()?;
        let origin = d.origins[n].first().map(|id| copy.origin(&mut b, *id));
        b.set_origin(origin);
        for (port, by) in b.append(&prim.fwd, &ins)?.into_iter().enumerate() {
            copy.set(Wire { node: n as u32, port: port as u32 }, by);
        }
        b.set_origin(None);
    }
    let outs = copy.outs(&mut b, d.outs())?;
    Ok(b.finish(&outs))
}

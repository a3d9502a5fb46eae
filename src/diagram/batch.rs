//! The batch functor: one new leading axis on every wire that depends on a batched argument.
//!
//! In: a diagram and wires for its ports, each with or without the axis. Out: wires for its outputs, told apart the
//! same way. A mini-batch is copying (DESIGN.md 1.7): a wire without the axis is read by all examples, so constants
//! and parameters stay as they are. Leading axes pass through most operations; einsum gets one more letter, on the
//! operands that have the axis. A call that depends on the axis is inlined: its reverse has been taken before.

use super::builder::{Builder, Copying};
use super::einsum::EinsumSpec;
use super::op::{LeadAxis, Op};
use super::rewrite::inline_where;
use super::typing::TypeFault;
use super::value::{Diagram, Wire};
use crate::object::Dim;
use smallvec::SmallVec;
use std::borrow::Cow;

/// Copies what `outs` depend on, over a batch: `args` has one wire a port and says which have the leading `axis`.
///
/// # Errors
/// [`TypeFault`] when an argument is not of its port's type, or a request of an update rule depends on the batch.
pub fn batch(
    b: &mut Builder,
    d: &Diagram,
    args: &[(Wire, bool)],
    axis: Dim,
    outs: &[Wire],
) -> Result<Vec<(Wire, bool)>, TypeFault> {
    if args.len() != d.ports().len() {
        return Err(TypeFault::Arity { needs: d.ports().len(), given: args.len() });
    }
    let d = without_calls(d, args, outs)?;
    let over = depends(&d, args);
    let mut copy = Copying::new(&d);
    for (port, (wire, batched)) in args.iter().enumerate() {
        let leaf = &d.ports()[port].leaf;
        let needs = if *batched { leaf.under(axis) } else { leaf.clone() };
        let given = b.leaf_checked(*wire)?;
        if given != &needs {
            return Err(TypeFault::Mismatch { left: needs, right: given.clone() });
        }
        copy.set(d.port_wire(port), *wire);
    }
    let live = d.cone(d.outs());
    let before = b.origin();
    for at in (0..d.nodes().len()).filter(|at| live[*at]) {
        let node = &d.nodes()[at];
        if matches!(node.op, Op::Input(_)) {
            continue;
        }
        if !over[at] {
            copy.node(b, at as u32)?;
            continue;
        }
        let mut ins: SmallVec<[(Wire, bool); 4]> = SmallVec::new();
        for w in &node.ins {
            ins.push((copy.get(*w).ok_or(TypeFault::Foreign)?, over[w.node as usize]));
        }
        let origin = d.origins[at].first().map(|id| copy.origin(b, *id));
        b.set_origin(origin.or(before));
        let made = node_over(b, &node.op, &ins, axis);
        b.set_origin(before);
        copy.set(Wire { node: at as u32, port: 0 }, made?);
    }
    d.outs().iter().map(|w| Ok((copy.get(*w).ok_or(TypeFault::Foreign)?, over[w.node as usize]))).collect()
}

/// Which nodes depend on a batched port.
fn depends(d: &Diagram, args: &[(Wire, bool)]) -> Vec<bool> {
    let mut over = vec![false; d.nodes().len()];
    for (at, node) in d.nodes().iter().enumerate() {
        over[at] = match node.op {
            Op::Input(port) => args.get(port as usize).is_some_and(|a| a.1),
            _ => node.ins.iter().any(|w| over[w.node as usize]),
        };
    }
    over
}

/// The diagram with `outs`, calls that depend on the batch inlined, level by level of their nesting.
fn without_calls<'d>(d: &'d Diagram, args: &[(Wire, bool)], outs: &[Wire]) -> Result<Cow<'d, Diagram>, TypeFault> {
    let mut d =
        if d.outs() == outs { Cow::Borrowed(d) } else { Cow::Owned(Diagram { outs: outs.to_vec(), ..d.clone() }) };
    loop {
        let over = depends(&d, args);
        let live = d.cone(d.outs());
        let inlined = |at: usize| live[at] && over[at] && matches!(d.nodes()[at].op, Op::Call(_));
        if !(0..d.nodes().len()).any(inlined) {
            return Ok(d);
        }
        d = Cow::Owned(inline_where(&d, inlined)?);
    }
}

/// One operation over the batch; at least one operand has the axis.
pub(super) fn node_over(b: &mut Builder, op: &Op, ins: &[(Wire, bool)], axis: Dim) -> Result<Wire, TypeFault> {
    let plain: SmallVec<[Wire; 4]> = ins.iter().map(|(w, _)| *w).collect();
    match op {
        Op::Einsum(spec) => {
            // 255 is no letter of a spec.
            let with = |letters: &[u8], batched: bool| -> Vec<u8> {
                batched.then_some(u8::MAX).into_iter().chain(letters.iter().copied()).collect()
            };
            let letters: Vec<Vec<u8>> = spec.ins().iter().zip(ins).map(|(l, (_, batched))| with(l, *batched)).collect();
            let size = |l: u8| spec.free().iter().find(|(f, _)| *f == l).map(|(_, d)| *d);
            let spec = EinsumSpec::new(&letters, &with(spec.out(), true), size, spec.scale())?;
            b.op(Op::einsum(spec), &plain)
        }
        Op::Index(_)
        | Op::IndexDagger(_)
        | Op::Reshape { .. }
        | Op::Repeat { .. }
        | Op::Sum { .. }
        | Op::ToInt
        | Op::Basis
        | Op::Rank
        | Op::Max
        | Op::ArgmaxOneHot
        | Op::Argmax
        | Op::OneHot => b.op(op.clone(), &plain),
        Op::Add
        | Op::Map(_)
        | Op::Whole(_)
        | Op::Compare(_)
        | Op::Logic(_)
        | Op::Select
        | Op::Concat { .. }
        | Op::Solve => {
            let all = ins.iter().map(|(w, batched)| led(b, *w, *batched, axis)).collect::<Result<Vec<_>, _>>()?;
            b.op(op.clone(), &all)
        }
        Op::Gather { lead } => {
            let of = LeadAxis { table: ins[0].1, index: ins[1].1 };
            b.op(Op::Gather { lead: std::iter::once(of).chain(lead.iter().copied()).collect() }, &plain)
        }
        Op::Lookup { lead } => {
            let of = LeadAxis { table: ins[0].1, index: ins[1].1 };
            b.op(Op::Lookup { lead: std::iter::once(of).chain(lead.iter().copied()).collect() }, &plain)
        }
        Op::LookupDagger { lead } => {
            // As for a scatter: each example has its own tables.
            let dy = led(b, ins[0].0, ins[0].1, axis)?;
            let of = LeadAxis { table: true, index: ins[1].1 };
            b.op(Op::LookupDagger { lead: std::iter::once(of).chain(lead.iter().copied()).collect() }, &[dy, ins[1].0])
        }
        Op::GatherDagger { lead, rows } => {
            // dy carries every leading axis, and each example has its own table.
            let dy = led(b, ins[0].0, ins[0].1, axis)?;
            let of = LeadAxis { table: true, index: ins[1].1 };
            let lead = std::iter::once(of).chain(lead.iter().copied()).collect();
            b.op(Op::GatherDagger { lead, rows: *rows }, &[dy, ins[1].0])
        }
        Op::Request { .. } => {
            Err(TypeFault::Axes("a request of an update rule cannot be taken one example at a time".into()))
        }
        // No operands, so never over the batch; calls have been inlined.
        Op::Input(_) | Op::Const(_) | Op::Extent(_) | Op::Call(_) => Err(TypeFault::Foreign),
    }
}

/// A wire with the axis.
pub(super) fn led(b: &mut Builder, w: Wire, batched: bool, axis: Dim) -> Result<Wire, TypeFault> {
    if batched { Ok(w) } else { b.repeat(w, axis) }
}

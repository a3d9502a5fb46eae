//! Where requests meet: a mini-batch is copying, copy reverses to a sum, and that sum is the slot for aggregators.

use crate::diagram::{Builder, EinsumSpec, Function, Op, TypeFault, Wire};
use crate::elaborate::Aggregator;
use crate::object::Dim;

/// The aggregate of a wire that may have a leading batch axis; without one it is the same for every example.
pub(super) fn aggregate(
    b: &mut Builder,
    how: Aggregator,
    (wire, batched): (Wire, bool),
    axis: Dim,
) -> Result<Wire, TypeFault> {
    let rank = b.leaf(wire).rank();
    match (how, batched) {
        (Aggregator::Mean, false) => Ok(wire),
        (Aggregator::Sum, false) => {
            let times = b.op(Op::Extent(axis), &[])?;
            scaled(b, wire, times, rank, 0)
        }
        (Aggregator::Sum, true) => b.sum_axes(wire, &[0]),
        (Aggregator::Mean, true) => {
            let count = b.op(Op::Extent(axis), &[])?;
            let share = b.map(Function::Recip, &[count])?;
            scaled(b, wire, share, rank, 1)
        }
        (Aggregator::Xor | Aggregator::Votes, false) => {
            let copies = b.repeat(wire, axis)?;
            b.sum_axis(copies, 0)
        }
        (Aggregator::Xor | Aggregator::Votes, true) => {
            // The axis of examples is summed out even when it is the only one.
            let core = u8::try_from(rank.saturating_sub(1)).unwrap_or(u8::MAX);
            b.op(Op::Sum { core }, &[wire])
        }
    }
}

/// What a step says of its losses: over the reals aggregated as the requests are, over bits and votes the exact total
/// over the batch, as `Int[1]`.
pub(super) fn total(b: &mut Builder, how: Aggregator, loss: (Wire, bool), axis: Dim) -> Result<Wire, TypeFault> {
    match how {
        Aggregator::Mean | Aggregator::Sum => aggregate(b, how, loss, axis),
        Aggregator::Xor | Aggregator::Votes => {
            let each = if loss.1 { loss.0 } else { b.repeat(loss.0, axis)? };
            b.tally(each)
        }
    }
}

/// The sum over the first `summed` axes, times a number: one einsum, so that it can be pushed inwards whole.
fn scaled(b: &mut Builder, wire: Wire, by: Wire, rank: usize, summed: usize) -> Result<Wire, TypeFault> {
    let letters: Vec<usize> = (0..rank).collect();
    let out: Vec<usize> = (summed..rank).collect();
    let spec = EinsumSpec::new(&[letters, vec![rank]], &out, |_| None, 1.0)?;
    b.op(Op::einsum(spec), &[wire, by])
}

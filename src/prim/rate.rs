//! The rate: the lens (L, T(L)) -> (1, 1) that closes a step at its right end (2103.01931 section 3.3).
//!
//! Over the reals it answers 1 (rules subtract and carry the learning rate themselves). Over parity it is the identity,
//! as in reverse derivative ascent: a wrong bit asks to be turned. Over votes it answers -l for bits and -1 for counts:
//! a request votes for less loss, so rules add it, and mod 2 it is that of parity.

use crate::diagram::{Builder, Op, TypeFault, Wire};
use crate::object::{Base, Tangent};

/// The request at a loss.
///
/// # Errors
/// [`TypeFault::NoReverse`] when the loss has no tangent.
pub fn rate(b: &mut Builder, tangent: Tangent, loss: Wire) -> Result<Wire, TypeFault> {
    let leaf = b.leaf(loss).clone();
    match (leaf.base, tangent) {
        (Base::Real, _) => b.fill(&leaf.dims, 1.0),
        (Base::Bool, Tangent::Parity) => Ok(loss),
        (Base::Bool, Tangent::Votes) => {
            let wrong = b.op(Op::ToInt, &[loss])?;
            b.negative(wrong)
        }
        (Base::Int, Tangent::Votes) => b.fill_int(&leaf.dims, -1),
        _ => Err(TypeFault::NoReverse(format!("a loss {leaf} over {tangent}"))),
    }
}

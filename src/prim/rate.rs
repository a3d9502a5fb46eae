//! The rate: the lens (L, T(L)) -> (1, 1) that closes a step at its right end (2103.01931 section 3.3), and what a
//! request then does to a parameter.
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

/// The point that a request at a rate moves a parameter to (1711.10455 and 2103.01931 section 3.4): `p - rate * request`
/// over the reals, `p xor request` over bits, where the only rate is 1.
///
/// # Errors
/// [`TypeFault`] when requests are of another type than the parameter, or the base does not know the rate.
pub fn moved(b: &mut Builder, point: Wire, request: Wire, rate: f64) -> Result<Wire, TypeFault> {
    let step = multiple(b, request, -rate)?;
    b.add(point, step)
}

/// The request at a rate that moves a parameter from one point to another: the inverse of [`moved`] in the request.
///
/// # Errors
/// As [`moved`], and for a rate of 0.
pub fn mover(b: &mut Builder, from: Wire, to: Wire, rate: f64) -> Result<Wire, TypeFault> {
    let back = b.negative(from)?;
    let step = b.add(to, back)?;
    divided(b, step, -rate)
}

/// `x / by`, for a unit of the base's ring: any number but 0 over the reals, an odd one over bits, 1 or -1 over Z.
///
/// # Errors
/// [`TypeFault::NoReverse`] when `by` is no unit.
pub fn divided(b: &mut Builder, x: Wire, by: f64) -> Result<Wire, TypeFault> {
    match b.leaf(x).base {
        Base::Real if by != 0.0 && by.is_finite() => b.scale(x, 1.0 / by),
        Base::Bool if by.rem_euclid(2.0) == 1.0 => Ok(x),
        Base::Int if by.abs() == 1.0 => multiple(b, x, by),
        _ => Err(TypeFault::NoReverse(format!("{} times {by}", b.leaf(x)))),
    }
}

/// `x * by`, where the base knows that number: all over the reals, else 1 and -1 (over bits any odd one is 1).
fn multiple(b: &mut Builder, x: Wire, by: f64) -> Result<Wire, TypeFault> {
    match b.leaf(x).base {
        Base::Real => b.scale(x, by),
        Base::Bool if by.abs() == 1.0 => Ok(x),
        Base::Int if by == 1.0 => Ok(x),
        Base::Int if by == -1.0 => b.negative(x),
        _ => Err(TypeFault::NoReverse(format!("{} times {by}", b.leaf(x)))),
    }
}

//! Pointwise operations: entries in, entries out, one at a time.

use super::float::Float;
use crate::diagram::{Comparison, Function, Logic, Whole};

/// A function of one real.
pub(super) fn unary<T: Float>(f: Function, x: &[T]) -> Option<Vec<T>> {
    let each = |g: fn(T) -> T| x.iter().map(|x| g(*x)).collect();
    Some(match f {
        Function::Exp => each(T::exp),
        Function::Log => each(T::ln),
        Function::Log1p => each(T::ln_1p),
        Function::Expm1 => each(T::exp_m1),
        Function::Sqrt => each(T::sqrt),
        Function::Recip => each(|x| T::ONE / x),
        Function::Sin => each(T::sin),
        Function::Cos => each(T::cos),
        Function::Tanh => each(T::tanh),
        Function::Sigmoid => each(T::sigmoid),
        Function::Erf => each(T::erf),
        Function::Abs => each(T::abs),
        Function::Sign => each(T::sign),
        Function::Floor => each(T::floor),
        Function::Powi(n) => x.iter().map(|x| x.powi(n)).collect(),
        Function::Mul | Function::Div | Function::Pow | Function::Gate => return None,
    })
}

/// A function of two reals.
pub(super) fn binary<T: Float>(f: Function, x: &[T], y: &[T]) -> Option<Vec<T>> {
    Some(match f {
        Function::Mul => zip(x, y, |x, y| x * y),
        Function::Div => zip(x, y, |x, y| x / y),
        Function::Pow => zip(x, y, T::powf),
        Function::Gate => zip(x, y, |dy, d| if dy == T::ZERO { T::ZERO } else { dy * d }),
        _ => return None,
    })
}

/// A comparison on any base; false before true.
pub(super) fn compare<E: Copy + PartialOrd>(comparison: Comparison, x: &[E], y: &[E]) -> Vec<bool> {
    match comparison {
        Comparison::Less => zip(x, y, |x, y| x < y),
        Comparison::LessEqual => zip(x, y, |x, y| x <= y),
        Comparison::Equal => zip(x, y, |x, y| x == y),
    }
}

/// A function of two whole numbers, in two's complement.
pub(super) fn whole(f: Whole, x: &[i64], y: &[i64]) -> Vec<i64> {
    match f {
        Whole::Mul => zip(x, y, i64::wrapping_mul),
        Whole::Quotient => zip(x, y, quotient),
        Whole::And => zip(x, y, |x, y| x & y),
    }
}

/// The largest whole number not above x / y; 0 where y is 0.
fn quotient(x: i64, y: i64) -> i64 {
    if y == 0 {
        return 0;
    }
    let (q, r) = (x.wrapping_div(y), x.wrapping_rem(y));
    if r != 0 && (r < 0) != (y < 0) { q.wrapping_sub(1) } else { q }
}

/// A function of two bits.
pub(super) fn logic(logic: Logic, x: &[bool], y: &[bool]) -> Vec<bool> {
    match logic {
        Logic::Xor => zip(x, y, |x, y| x ^ y),
        Logic::And => zip(x, y, |x, y| x & y),
        Logic::Or => zip(x, y, |x, y| x | y),
        Logic::Not => x.iter().map(|x| !x).collect(),
    }
}

/// `a` where `c`, else `b`.
pub(super) fn select<E: Copy>(c: &[bool], a: &[E], b: &[E]) -> Vec<E> {
    c.iter().zip(a.iter().zip(b)).map(|(c, (a, b))| if *c { *a } else { *b }).collect()
}

/// Two slices, entry by entry.
pub(super) fn zip<E: Copy, F>(x: &[E], y: &[E], f: impl Fn(E, E) -> F) -> Vec<F> {
    x.iter().zip(y).map(|(x, y)| f(*x, *y)).collect()
}

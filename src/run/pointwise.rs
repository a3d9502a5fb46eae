//! Pointwise operations: entries in, entries out, one at a time.

use super::float::Float;
use crate::diagram::{Comparison, Function, Logic, Whole};

/// A function of reals; where it has one operand `y` is not read.
pub(super) fn map<T: Float>(f: Function, x: &[T], y: &[T]) -> Vec<T> {
    let mut out = vec![T::ZERO; x.len()];
    map_into(f, &mut out, x, y);
    out
}

/// [`map`] into entries that are there: compiled into its caller, for the vectors that the caller has.
#[inline(always)]
pub(super) fn map_into<T: Float>(f: Function, to: &mut [T], x: &[T], y: &[T]) {
    match f {
        Function::Exp => one_into(to, x, T::exp),
        Function::Log => one_into(to, x, T::ln),
        Function::Log1p => one_into(to, x, T::ln_1p),
        Function::Expm1 => one_into(to, x, T::exp_m1),
        Function::Sqrt => one_into(to, x, T::sqrt),
        Function::Recip => one_into(to, x, |x| T::ONE / x),
        Function::Sin => one_into(to, x, T::sin),
        Function::Cos => one_into(to, x, T::cos),
        Function::Tanh => one_into(to, x, T::tanh),
        Function::Sigmoid => one_into(to, x, T::sigmoid),
        Function::Erf => one_into(to, x, T::erf),
        Function::Abs => one_into(to, x, T::abs),
        Function::Sign => one_into(to, x, T::sign),
        Function::Floor => one_into(to, x, T::floor),
        // by squaring, x^2 is x * x
        Function::Powi(2) => one_into(to, x, |x| x * x),
        Function::Powi(n) => one_into(to, x, |x| x.powi(n)),
        Function::Mul => two_into(to, x, y, |x, y| x * y),
        Function::Div => two_into(to, x, y, |x, y| x / y),
        Function::Pow => two_into(to, x, y, T::powf),
        Function::Gate => two_into(to, x, y, |dy, d| if dy == T::ZERO { T::ZERO } else { dy * d }),
    }
}

/// Entry by entry.
#[inline(always)]
pub(super) fn one_into<T: Copy>(to: &mut [T], x: &[T], f: impl Fn(T) -> T) {
    to.iter_mut().zip(x).for_each(|(t, x)| *t = f(*x));
}

/// Two slices, entry by entry.
#[inline(always)]
pub(super) fn two_into<T: Copy>(to: &mut [T], x: &[T], y: &[T], f: impl Fn(T, T) -> T) {
    to.iter_mut().zip(x.iter().zip(y)).for_each(|(t, (x, y))| *t = f(*x, *y));
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

//! One matrix product over strided operands.
//!
//! Large ones go to the `gemm` kernels, which choose the machine's vectors; small ones, and those with one row or
//! column, to loops of our own, where a call would cost more than the work. The order of additions depends on the sizes
//! and the machine, never on the values.

#![allow(unsafe_code, reason = "the gemm kernels take pointers; the places they reach are checked before")]
#![allow(clippy::indexing_slicing, reason = "`reach` holds every place that the loops index")]

use crate::compile::Axis;
use crate::run::float::Float;
use crate::run::nest::dot_in;
use gemm_common::Parallelism;
use std::any::TypeId;

/// Multiplications below which our own loops are quicker than a call of a large kernel.
const SMALL: usize = 1 << 13;

/// How many partial sums an inner product is added up in.
const LANES: usize = 16;

/// `c[m, n] = alpha * sum over k of a[m, k] * b[k, n]`, or added to `c`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Matrices<T> {
    /// Steps of `a` and `c`.
    pub(super) m: Axis,
    /// Steps of `b` and `c`.
    pub(super) n: Axis,
    /// Steps of `a` and `b`.
    pub(super) k: Axis,
    pub(super) alpha: T,
    pub(super) adds: bool,
}

/// The last place that two axes reach.
fn reach(x: usize, xs: usize, y: usize, ys: usize) -> Option<usize> {
    x.checked_sub(1)?.checked_mul(xs)?.checked_add(y.checked_sub(1)?.checked_mul(ys)?)
}

/// Multiplies; `None` if an operand is shorter than its axes say, or an axis is empty.
pub(super) fn multiply<T: Float>(p: &Matrices<T>, a: &[T], b: &[T], c: &mut [T], scratch: &mut Vec<T>) -> Option<()> {
    let Matrices { m, n, k, .. } = *p;
    let fits = reach(m.size, m.first, k.size, k.first)? < a.len()
        && reach(k.size, k.second, n.size, n.first)? < b.len()
        && reach(m.size, m.second, n.size, n.second)? < c.len();
    if !fits {
        return None;
    }
    let work = m.size.saturating_mul(n.size).saturating_mul(k.size);
    if work > SMALL && m.size > 1 && n.size > 1 && k.size > 1 && large(p, a, b, c) {
        return Some(());
    }
    // the same product with rows for columns, where those of the result are contiguous
    if (n.second != 1 && m.second == 1) || (n.size == 1 && m.size > 1) {
        let turn = |x: Axis| Axis { first: x.second, second: x.first, ..x };
        small(&Matrices { m: n, n: m, k: turn(k), ..*p }, b, a, c, scratch);
    } else {
        small(p, a, b, c, scratch);
    }
    Some(())
}

/// A product by the large kernels, if there are some for the type. All places of the axes are in the operands.
fn large<T: Float>(p: &Matrices<T>, a: &[T], b: &[T], c: &mut [T]) -> bool {
    let Matrices { m, n, k, alpha, adds } = *p;
    let step = |s: usize| isize::try_from(s).unwrap_or(0);
    macro_rules! call {
        ($t:ty, $kernel:expr) => {
            // SAFETY: `T` is the kernel's type, and `multiply` has held every place that the axes reach against the
            // lengths of the slices; `c` is borrowed mutably, so that it overlaps neither `a` nor `b`.
            unsafe {
                $kernel(
                    m.size,
                    n.size,
                    k.size,
                    c.as_mut_ptr().cast::<$t>(),
                    step(n.second),
                    step(m.second),
                    adds,
                    a.as_ptr().cast::<$t>(),
                    step(k.first),
                    step(m.first),
                    b.as_ptr().cast::<$t>(),
                    step(n.first),
                    step(k.second),
                    1.0,
                    alpha.to_f64() as $t,
                    false,
                    false,
                    false,
                    Parallelism::None,
                )
            }
        };
    }
    if TypeId::of::<T>() == TypeId::of::<f32>() {
        call!(f32, gemm_f32::gemm::f32::get_gemm_fn());
        true
    } else if TypeId::of::<T>() == TypeId::of::<f64>() {
        call!(f64, gemm_f64::gemm::f64::get_gemm_fn());
        true
    } else {
        false
    }
}

/// A product by loops over rows of the result.
fn small<T: Float>(p: &Matrices<T>, a: &[T], b: &[T], c: &mut [T], scratch: &mut Vec<T>) {
    let Matrices { m, n, k, alpha, adds } = *p;
    if m.size < 4 && k.first == 1 && k.second == 1 && k.size > 1 {
        for i in 0..m.size {
            let row = &a[i * m.first..i * m.first + k.size];
            for j in 0..n.size {
                let sum = alpha * dot_in::<T, LANES>(T::ZERO, row, &b[j * n.first..j * n.first + k.size]);
                let to = &mut c[i * m.second + j * n.second];
                *to = if adds { *to + sum } else { sum };
            }
        }
        return;
    }
    if n.second != 1 {
        for i in 0..m.size {
            for j in 0..n.size {
                let pairs = (0..k.size).map(|l| a[i * m.first + l * k.first] * b[l * k.second + j * n.first]);
                let sum = alpha * pairs.fold(T::ZERO, |s, x| s + x);
                let to = &mut c[i * m.second + j * n.second];
                *to = if adds { *to + sum } else { sum };
            }
        }
        return;
    }
    // rows of `b` side by side
    let (b, step) = if n.first == 1 || n.size == 1 {
        (b, k.second)
    } else {
        scratch.resize(k.size * n.size, T::ZERO);
        for (l, row) in scratch.chunks_exact_mut(n.size).enumerate() {
            row.iter_mut().enumerate().for_each(|(j, x)| *x = b[l * k.second + j * n.first]);
        }
        (scratch.as_slice(), n.size)
    };
    for i in 0..m.size {
        let to = &mut c[i * m.second..i * m.second + n.size];
        if !adds {
            to.fill(T::ZERO);
        }
        let at = |l: usize| alpha * a[i * m.first + l * k.first];
        let row = |l: usize| &b[l * step..l * step + n.size];
        let mut l = 0;
        while l + 4 <= k.size {
            let x = [at(l), at(l + 1), at(l + 2), at(l + 3)];
            let rows = row(l).iter().zip(row(l + 1)).zip(row(l + 2).iter().zip(row(l + 3)));
            for (t, ((b0, b1), (b2, b3))) in to.iter_mut().zip(rows) {
                *t += (x[0] * *b0 + x[1] * *b1) + (x[2] * *b2 + x[3] * *b3);
            }
            l += 4;
        }
        for l in l..k.size {
            let x = at(l);
            to.iter_mut().zip(row(l)).for_each(|(t, b)| *t += x * *b);
        }
    }
}

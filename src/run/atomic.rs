//! Operations with a rule of their own: the largest entry, labels, linear systems.

#![allow(clippy::indexing_slicing, reason = "rows are cut to the sizes that index them")]

use super::float::Float;

/// The place of the first largest entry, or of the first that is not a number.
fn first_largest<T: Float>(row: &[T]) -> usize {
    let mut best = 0;
    for (i, x) in row.iter().enumerate() {
        if x.is_nan() {
            return i;
        }
        if *x > row[best] {
            best = i;
        }
    }
    best
}

/// The largest entry of each row of `n` > 0 entries.
pub(super) fn max<T: Float>(x: &[T], n: usize) -> Vec<T> {
    x.chunks_exact(n).map(|row| row[first_largest(row)]).collect()
}

/// The place of the first largest entry of each row of `n` > 0 entries.
pub(super) fn argmax<T: Float>(x: &[T], n: usize) -> Vec<i64> {
    x.chunks_exact(n).map(|row| first_largest(row) as i64).collect()
}

/// 1 at each label of `n`, 0 elsewhere; the label at fault if one is out of range.
pub(super) fn one_hot<T: Float>(labels: &[i64], n: usize) -> Result<Vec<T>, i64> {
    let mut out = vec![T::ZERO; labels.len() * n];
    for (k, label) in labels.iter().enumerate() {
        let at = usize::try_from(*label).ok().filter(|i| *i < n).ok_or(*label)?;
        out[k * n + at] = T::ONE;
    }
    Ok(out)
}

/// `x` with `A x = b` for each of the systems of `n` > 0 unknowns: elimination with partial pivoting. `None` when a
/// pivot is exactly 0.
pub(super) fn solve<T: Float>(a: &[T], b: &[T], n: usize) -> Option<Vec<T>> {
    let mut out = b.to_vec();
    for (a, x) in a.chunks_exact(n * n).zip(out.chunks_exact_mut(n)) {
        let mut a = a.to_vec();
        for k in 0..n {
            // a NaN is never larger, so it is not chosen over a number; one in the first place stays and spreads
            let pivot = (k + 1..n).fold(k, |p, i| if a[i * n + k].abs() > a[p * n + k].abs() { i } else { p });
            if a[pivot * n + k] == T::ZERO {
                return None;
            }
            if pivot != k {
                (0..n).for_each(|j| a.swap(k * n + j, pivot * n + j));
                x.swap(k, pivot);
            }
            for i in k + 1..n {
                let factor = a[i * n + k] / a[k * n + k];
                if factor != T::ZERO {
                    for j in k + 1..n {
                        let above = a[k * n + j];
                        a[i * n + j] -= factor * above;
                    }
                    let above = x[k];
                    x[i] -= factor * above;
                }
            }
        }
        for k in (0..n).rev() {
            let known = (k + 1..n).fold(T::ZERO, |sum, j| sum + a[k * n + j] * x[j]);
            x[k] = (x[k] - known) / a[k * n + k];
        }
    }
    Some(out)
}

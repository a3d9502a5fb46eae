//! Operations with a rule of their own: the largest entry, labels, linear systems.

#![allow(clippy::indexing_slicing, reason = "rows are cut to the sizes that index them")]

use super::float::Float;

/// Entries in an order.
pub(super) trait Ordered: Copy + PartialOrd {
    /// Whether the entry is not a number; it then counts as the largest.
    fn outside(self) -> bool;
}

impl Ordered for i64 {
    fn outside(self) -> bool {
        false
    }
}

impl<T: Float> Ordered for T {
    fn outside(self) -> bool {
        self.is_nan()
    }
}

/// The place of the first largest entry, or of the first that is not a number.
fn first_largest<T: Ordered>(row: &[T]) -> usize {
    let mut best = 0;
    for (i, x) in row.iter().enumerate() {
        if x.outside() {
            return i;
        }
        if *x > row[best] {
            best = i;
        }
    }
    best
}

/// The largest entry of each row of `n` > 0 entries.
pub(super) fn max<T: Ordered>(x: &[T], n: usize) -> Vec<T> {
    x.chunks_exact(n).map(|row| row[first_largest(row)]).collect()
}

/// The place of the first largest entry of each row of `n` > 0 entries.
pub(super) fn argmax<T: Ordered>(x: &[T], n: usize) -> Vec<i64> {
    x.chunks_exact(n).map(|row| first_largest(row) as i64).collect()
}

/// How many entries of its row of `n` > 0 entries stand before each in falling order, the first of equals first.
pub(super) fn rank<T: Ordered>(x: &[T], n: usize) -> Vec<i64> {
    let mut out = vec![0; x.len()];
    for (row, out) in x.chunks_exact(n).zip(out.chunks_exact_mut(n)) {
        let mut order: Vec<usize> = (0..n).collect();
        // what is not a number comes first, as for the largest
        order.sort_by(|i, j| {
            let (a, b) = (row[*i], row[*j]);
            b.outside().cmp(&a.outside()).then(b.partial_cmp(&a).unwrap_or(std::cmp::Ordering::Equal))
        });
        order.into_iter().enumerate().for_each(|(place, i)| out[i] = place as i64);
    }
    out
}

/// 1 at each label of `n`, 0 elsewhere; the label at fault if one is out of range.
pub(super) fn one_hot<E: Copy>(labels: &[i64], n: usize, (zero, one): (E, E)) -> Result<Vec<E>, i64> {
    let mut out = vec![zero; labels.len() * n];
    for (k, label) in labels.iter().enumerate() {
        let at = usize::try_from(*label).ok().filter(|i| *i < n).ok_or(*label)?;
        out[k * n + at] = one;
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

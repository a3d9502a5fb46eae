//! Index maps: `out[o] = in[base + coef * o]`, zero where that lies outside.
//!
//! Slices, strides, paddings, windows and reversals of trailing axes are of this form; the dagger adds entries up
//! where they came from. `reshape` is its own operation.

use smallvec::SmallVec;

/// Small vectors of whole numbers.
type Whole = SmallVec<[i64; 4]>;

/// An affine map from the places of the result's trailing axes to those of the operand's.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct AffineIndex {
    /// Dimensions of the operand's trailing axes.
    pub from: SmallVec<[u64; 4]>,
    /// Dimensions of the result's trailing axes.
    pub to: SmallVec<[u64; 4]>,
    /// The place of the result's origin, one an operand axis.
    pub base: Whole,
    /// For each operand axis, how far it moves with each result axis.
    pub coef: SmallVec<[Whole; 4]>,
}

impl AffineIndex {
    /// `start..end` by `step` on one axis, counted from the end (1 is the last); the axes after it are kept.
    ///
    /// `axes` are the operand's trailing axes from that one on.
    #[must_use]
    pub fn slice(axes: &[u64], start: u64, len: u64, step: u64) -> AffineIndex {
        let to = std::iter::once(len).chain(axes.iter().skip(1).copied()).collect();
        let mut index = AffineIndex::identity(axes);
        index.to = to;
        index.base[0] = i64::try_from(start).unwrap_or(i64::MAX);
        index.coef[0][0] = i64::try_from(step).unwrap_or(i64::MAX);
        index
    }

    /// Zeros before and after each of the trailing axes.
    #[must_use]
    pub fn pad(axes: &[u64], before: &[u64], after: &[u64]) -> AffineIndex {
        let mut index = AffineIndex::identity(axes);
        index.to = axes.iter().zip(before).zip(after).map(|((n, b), a)| n + b + a).collect();
        index.base = before.iter().map(|b| -i64::try_from(*b).unwrap_or(i64::MAX)).collect();
        index
    }

    /// Windows over the trailing axes: `R[h, w] -> R[oh, ow, kh, kw]`, window (i, j) begins at (i, j) * stride - padding.
    /// `outs` are the numbers of windows along each axis.
    #[must_use]
    pub fn windows(axes: &[u64], window: &[u64], stride: &[u64], padding: &[u64], outs: &[u64]) -> AffineIndex {
        let n = axes.len();
        let whole = |x: u64| i64::try_from(x).unwrap_or(i64::MAX);
        let coef = (0..n)
            .map(|a| {
                let mut row: Whole = SmallVec::from_elem(0, 2 * n);
                row[a] = whole(stride[a]);
                row[n + a] = 1;
                row
            })
            .collect();
        AffineIndex {
            from: axes.iter().copied().collect(),
            to: outs.iter().chain(window).copied().collect(),
            base: padding.iter().map(|p| -whole(*p)).collect(),
            coef,
        }
    }

    /// The identity on the trailing axes.
    #[must_use]
    pub fn identity(axes: &[u64]) -> AffineIndex {
        let n = axes.len();
        let unit = |a: usize| -> Whole { (0..n).map(|b| i64::from(a == b)).collect() };
        AffineIndex {
            from: axes.iter().copied().collect(),
            to: axes.iter().copied().collect(),
            base: SmallVec::from_elem(0, n),
            coef: (0..n).map(unit).collect(),
        }
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        *self == AffineIndex::identity(&self.from)
    }

    /// For each place of the result in order, the place in the operand (both row-major over the trailing axes), or
    /// `None` where a zero stands.
    #[must_use]
    pub fn places(&self) -> Vec<Option<usize>> {
        let total: u64 = self.to.iter().product();
        let mut at: Whole = SmallVec::from_elem(0, self.to.len());
        let mut places = Vec::with_capacity(usize::try_from(total).unwrap_or(0));
        for _ in 0..total {
            let mut place = Some(0_usize);
            for (a, n) in self.from.iter().enumerate() {
                let moved = self.coef[a].iter().zip(&at).map(|(c, o)| c.saturating_mul(*o));
                let i = moved.fold(self.base[a], i64::saturating_add);
                place = match (place, usize::try_from(i), usize::try_from(*n)) {
                    (Some(p), Ok(i), Ok(n)) if i < n => Some(p * n + i),
                    _ => None,
                };
            }
            places.push(place);
            for a in (0..at.len()).rev() {
                at[a] += 1;
                if at[a] < i64::try_from(self.to[a]).unwrap_or(i64::MAX) {
                    break;
                }
                at[a] = 0;
            }
        }
        places
    }
}

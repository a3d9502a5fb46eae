//! A loop nest over strided operands: `out[..] += product of the operands`.
//!
//! One axis a letter, outermost first. Adjoining axes that every operand walks as one are joined; the axis that most
//! operands walk contiguously is innermost. Invariant: the order of additions depends on the shapes alone.

#![allow(
    clippy::indexing_slicing,
    reason = "offsets stay below the products of sizes and steps, which the planner fits"
)]

use super::float::Float;
use smallvec::{SmallVec, smallvec};
use std::convert::Infallible;

/// How far each operand, and last the result, moves with an axis.
pub(super) type Steps = SmallVec<[usize; 4]>;

/// One axis of a nest.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    pub(super) size: usize,
    pub(super) steps: Steps,
}

/// Loops over axes; the last one is innermost.
#[derive(Clone, Debug)]
pub(super) struct Nest {
    outer: Vec<Axis>,
    inner: Axis,
}

impl Nest {
    /// A nest over the axes, in a good order; `streams` counts the operands and the result.
    pub(super) fn new(axes: impl IntoIterator<Item = Axis>, streams: usize) -> Nest {
        let mut joined: Vec<Axis> = Vec::new();
        for axis in axes {
            if axis.size == 1 {
                continue;
            }
            match joined.last_mut() {
                Some(last) if last.steps.iter().zip(&axis.steps).all(|(o, i)| *o == i * axis.size) => {
                    last.size *= axis.size;
                    last.steps = axis.steps;
                }
                _ => joined.push(axis),
            }
        }
        let score = |axis: &Axis| (axis.steps.iter().filter(|s| **s <= 1).count(), axis.size);
        let best = (0..joined.len()).max_by_key(|i| score(&joined[*i]));
        let inner = match best {
            Some(at) => joined.remove(at),
            None => Axis { size: 1, steps: smallvec![0; streams] },
        };
        Nest { outer: joined, inner }
    }

    /// Runs the loops, adding to `out`.
    pub(super) fn run<T: Float>(&self, ins: &[&[T]], out: &mut [T]) {
        if self.inner.size == 0 {
            return;
        }
        let Ok(()) = walk(&self.outer, ins.len() + 1, |at| {
            self.innermost(ins, out, at);
            Ok::<(), Infallible>(())
        });
    }

    fn innermost<T: Float>(&self, ins: &[&[T]], out: &mut [T], at: &[usize]) {
        let (n, steps) = (self.inner.size, &self.inner.steps[..]);
        match (ins, steps, at) {
            ([a], [sa, so], [pa, po]) => match (sa, so) {
                (1, 0) => out[*po] = sum(out[*po], &a[*pa..pa + n]),
                (1, 1) => out[*po..po + n].iter_mut().zip(&a[*pa..pa + n]).for_each(|(o, x)| *o += *x),
                _ => (0..n).for_each(|i| out[po + i * so] += a[pa + i * sa]),
            },
            ([a, b], [sa, sb, so], [pa, pb, po]) => match (sa, sb, so) {
                (1, 1, 0) => out[*po] = dot(out[*po], &a[*pa..pa + n], &b[*pb..pb + n]),
                (0, 1, 1) => scaled_add(&mut out[*po..po + n], a[*pa], &b[*pb..pb + n]),
                (1, 0, 1) => scaled_add(&mut out[*po..po + n], b[*pb], &a[*pa..pa + n]),
                (1, 1, 1) => {
                    let pairs = a[*pa..pa + n].iter().zip(&b[*pb..pb + n]);
                    out[*po..po + n].iter_mut().zip(pairs).for_each(|(o, (x, y))| *o += *x * *y);
                }
                _ => (0..n).for_each(|i| out[po + i * so] += a[pa + i * sa] * b[pb + i * sb]),
            },
            _ => {
                let last = ins.len();
                for i in 0..n {
                    let mut product = T::ONE;
                    for k in 0..last {
                        product *= ins[k][at[k] + i * steps[k]];
                    }
                    out[at[last] + i * steps[last]] += product;
                }
            }
        }
    }
}

/// Goes through axes, the last one innermost, with the places of each stream; ends with the first fault.
pub(super) fn walk<F>(axes: &[Axis], streams: usize, mut each: impl FnMut(&[usize]) -> Result<(), F>) -> Result<(), F> {
    if axes.iter().any(|a| a.size == 0) {
        return Ok(());
    }
    let mut at: Steps = smallvec![0; streams];
    let mut count: SmallVec<[usize; 6]> = smallvec![0; axes.len()];
    loop {
        each(&at)?;
        let mut a = axes.len();
        loop {
            if a == 0 {
                return Ok(());
            }
            a -= 1;
            let axis = &axes[a];
            count[a] += 1;
            if count[a] < axis.size {
                at.iter_mut().zip(&axis.steps).for_each(|(p, s)| *p += s);
                break;
            }
            count[a] = 0;
            at.iter_mut().zip(&axis.steps).for_each(|(p, s)| *p -= s * (axis.size - 1));
        }
    }
}

/// How many partial sums a long inner product is added up in.
const LANES: usize = 8;

fn scaled_add<T: Float>(out: &mut [T], x: T, ys: &[T]) {
    out.iter_mut().zip(ys).for_each(|(o, y)| *o += x * *y);
}

fn dot<T: Float>(from: T, xs: &[T], ys: &[T]) -> T {
    if xs.len() < 2 * LANES {
        return xs.iter().zip(ys).fold(from, |sum, (x, y)| sum + *x * *y);
    }
    dot_in::<T, LANES>(from, xs, ys)
}

/// An inner product added up in some partial sums, the rest behind them first.
pub(super) fn dot_in<T: Float, const LANES: usize>(from: T, xs: &[T], ys: &[T]) -> T {
    let mut lanes = [T::ZERO; LANES];
    let (xc, yc) = (xs.chunks_exact(LANES), ys.chunks_exact(LANES));
    let rest = xc.remainder().iter().zip(yc.remainder()).fold(from, |sum, (x, y)| sum + *x * *y);
    for (x, y) in xc.zip(yc) {
        lanes.iter_mut().zip(x.iter().zip(y)).for_each(|(l, (x, y))| *l += *x * *y);
    }
    lanes.iter().fold(rest, |sum, l| sum + *l)
}

fn sum<T: Float>(from: T, xs: &[T]) -> T {
    if xs.len() < 2 * LANES {
        return xs.iter().fold(from, |sum, x| sum + *x);
    }
    let mut lanes = [T::ZERO; LANES];
    let chunks = xs.chunks_exact(LANES);
    let rest = chunks.remainder().iter().fold(from, |sum, x| sum + *x);
    for x in chunks {
        lanes.iter_mut().zip(x).for_each(|(l, x)| *l += *x);
    }
    lanes.iter().fold(rest, |sum, l| sum + *l)
}

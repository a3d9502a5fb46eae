//! Drawing what parameters and states start as.
//!
//! Numbers are drawn as doubles, row-major, and then rounded: runs in `f32` and in `f64` start alike. Leaves of bits
//! and labels know zeros, ones, constants, literals and `uniform` (a fair bit, a whole number between the bounds);
//! wirings draw labels; anything else is their zero.

#![allow(clippy::indexing_slicing, reason = "rows and columns of a matrix of known size")]

use super::fault::RunFault;
use super::float::Float;
use super::tensor::{Tensor, describe};
use crate::diagram::{Init, fans};
use crate::object::{Base, Leaf};
use crate::random::Stream;
use crate::source::{Code, Diagnostic};
use std::sync::Arc;

/// Draws a leaf of constant dimensions.
///
/// # Errors
/// [`RunFault::Entries`] when a literal is not of the leaf's type.
pub fn draw<T: Float>(init: &Init, leaf: &Leaf, stream: &mut Stream) -> Result<Tensor<T>, RunFault> {
    let n = leaf.size(1);
    let real = leaf.base == Base::Real;
    let (fan_in, fan_out) = fans(leaf);
    let even = |lo: f64, hi: f64, stream: &mut Stream| -> Vec<f64> {
        (0..n).map(|_| lo + (hi - lo) * stream.uniform()).collect()
    };
    let entries = match init {
        Init::Zeros => return Ok(Tensor::zeros(leaf, 1)),
        Init::Literal(value) => {
            let tensor = Tensor::literal(value)?;
            if tensor.fits(leaf, 1) {
                return Ok(tensor);
            }
            return Err(RunFault::Entries { needs: describe(leaf, 1), given: tensor.len() });
        }
        Init::Ones => vec![1.0; n],
        Init::Constant(c) => vec![*c; n],
        Init::Uniform { .. } if leaf.base == Base::Bool => even(0.0, 2.0, stream).into_iter().map(f64::floor).collect(),
        Init::RandomWires | Init::PatchWires { .. } | Init::GridWires => return wires(init, leaf, stream),
        Init::Uniform { lo, hi } if !real => even(*lo, *hi, stream).into_iter().map(f64::floor).collect(),
        Init::Uniform { lo, hi } => even(*lo, *hi, stream),
        _ if !real => return Ok(Tensor::zeros(leaf, 1)),
        Init::Normal { std } => (0..n).map(|_| std * stream.normal()).collect(),
        Init::Glorot => {
            let bound = (6.0 / (fan_in + fan_out)).sqrt();
            even(-bound, bound, stream)
        }
        Init::He => {
            let std = (2.0 / fan_in).sqrt();
            (0..n).map(|_| std * stream.normal()).collect()
        }
        Init::Orthogonal => {
            let rows = leaf.dims.first().map_or(1, |d| d.at(1));
            let normal: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
            orthonormal(normal, rows, n.checked_div(rows).unwrap_or(0))
        }
    };
    Tensor::from_f64(leaf, 1, &entries)
}

/// Whether memory can hold leaves twice: as they are and as the next step makes them.
///
/// # Errors
/// A message that names the largest, when it cannot; the allocator itself would end the process.
pub(super) fn room<'a, T: Float>(leaves: impl Iterator<Item = (&'a Arc<str>, &'a Leaf)>) -> Result<(), Diagnostic> {
    let sizes: Vec<(usize, &str, &Leaf)> = leaves.map(|(path, leaf)| (leaf.size(1), &**path, leaf)).collect();
    let total = sizes.iter().fold(0_usize, |sum, (n, ..)| sum.saturating_add(*n)).saturating_mul(2);
    let mut probe: Vec<T> = Vec::new();
    match (probe.try_reserve_exact(total), sizes.iter().max_by_key(|(n, ..)| *n)) {
        (Err(_), Some((n, path, leaf))) => Err(Diagnostic::error(
            Code::LIMIT,
            format!("there is no memory for this run: `{path}` is {leaf}, {n} numbers"),
        )
        .help("make it smaller")),
        _ => Ok(()),
    }
}

/// The wires of a layer: for each box k places of n, different ones where there are as many to choose from.
fn wires<T: Float>(init: &Init, leaf: &Leaf, stream: &mut Stream) -> Result<Tensor<T>, RunFault> {
    let shape = leaf.shape(1);
    let k = shape.last().copied().unwrap_or(1);
    let boxes = leaf.size(1).checked_div(k).unwrap_or(0);
    let Base::Fin(n) = leaf.base else { return Ok(Tensor::zeros(leaf, 1)) };
    let mut out: Vec<i64> = Vec::with_capacity(boxes * k);
    for at in 0..boxes {
        let from: Vec<i64> = match init {
            Init::GridWires => (0..k).map(|i| ((at * k + i) % (n as usize).max(1)) as i64).collect(),
            Init::PatchWires { radius, width } => {
                let (width, rows) = (i64::from(*width), i64::from(n / (*width).max(1)));
                let center = stream.below(u64::from(n)) as i64;
                let (row, column) = (center / width, center % width);
                let reach = i64::from(*radius);
                let near = |at: i64, end: i64| (at - reach).max(0)..=(at + reach).min(end - 1);
                let places: Vec<i64> =
                    near(row, rows).flat_map(|r| near(column, width).map(move |c| r * width + c)).collect();
                choose(places, k, stream)
            }
            // Few of many: drawn again when a place comes twice.
            _ if k * 4 <= n as usize => {
                let mut taken: Vec<i64> = Vec::with_capacity(k);
                while taken.len() < k {
                    let place = stream.below(u64::from(n)) as i64;
                    if !taken.contains(&place) {
                        taken.push(place);
                    }
                }
                taken
            }
            _ => choose((0..i64::from(n)).collect(), k, stream),
        };
        out.extend(from);
    }
    let given = out.len();
    Tensor::int(&shape, out).ok_or_else(|| RunFault::Entries { needs: describe(leaf, 1), given })
}

/// k of the places in random order; again from the start when there are fewer.
fn choose(mut places: Vec<i64>, k: usize, stream: &mut Stream) -> Vec<i64> {
    stream.shuffle(&mut places);
    places.iter().copied().cycle().take(k).collect()
}

/// The orthonormal factor of a matrix: rows made orthonormal in order when there are not more of them than columns,
/// else columns. Gram and Schmidt's method, twice for accuracy; its triangular factor has a positive diagonal, which
/// is the choice of signs that makes the draw uniform (Mezzadri 2007).
fn orthonormal(mut m: Vec<f64>, rows: usize, columns: usize) -> Vec<f64> {
    let (count, length, step, stride) =
        if rows <= columns { (rows, columns, columns, 1) } else { (columns, rows, 1, columns) };
    for k in 0..count {
        for _ in 0..2 {
            for j in 0..k {
                let along: f64 = (0..length).map(|i| m[k * step + i * stride] * m[j * step + i * stride]).sum();
                (0..length).for_each(|i| m[k * step + i * stride] -= along * m[j * step + i * stride]);
            }
            let norm = (0..length).map(|i| m[k * step + i * stride].powi(2)).sum::<f64>().sqrt();
            (0..length).for_each(|i| m[k * step + i * stride] /= norm);
        }
    }
    m
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::diagram::{Const, Literal};
    use crate::random::Use;

    fn drawn(init: &Init, dims: &[u64]) -> Vec<f64> {
        draw::<f64>(init, &Leaf::real(dims), &mut Stream::new(3, Use::Init)).unwrap().to_f64()
    }

    #[test]
    fn glorot_and_he_have_their_spread() {
        let bound = (6.0_f64 / (30.0 + 200.0)).sqrt();
        let x = drawn(&Init::Glorot, &[200, 30]);
        assert!(x.iter().all(|x| x.abs() < bound) && x.iter().any(|x| x.abs() > 0.99 * bound));
        // a convolution: fan in 3 * 5 * 5
        let x = drawn(&Init::He, &[40, 3, 5, 5]);
        let var = x.iter().map(|x| x * x).sum::<f64>() / 3000.0;
        assert!((var * 75.0 / 2.0 - 1.0).abs() < 0.1, "{var}");
    }

    #[test]
    fn orthogonal_rows_or_columns() {
        for (rows, columns) in [(4, 7), (7, 4), (5, 5)] {
            let m = drawn(&Init::Orthogonal, &[rows as u64, columns as u64]);
            let n = rows.min(columns);
            let at = |k: usize, i: usize| if rows <= columns { m[k * columns + i] } else { m[i * columns + k] };
            for a in 0..n {
                for b in 0..n {
                    let dot: f64 = (0..rows.max(columns)).map(|i| at(a, i) * at(b, i)).sum();
                    assert!((dot - f64::from(u8::from(a == b))).abs() < 1e-14);
                }
            }
        }
    }

    #[test]
    fn both_precisions_start_alike_and_literals_must_fit() {
        let leaf = Leaf::real(&[2, 3]);
        let single = draw::<f32>(&Init::Normal { std: 2.0 }, &leaf, &mut Stream::new(3, Use::Init)).unwrap().to_f64();
        let double = drawn(&Init::Normal { std: 2.0 }, &[2, 3]);
        assert!(single.iter().zip(&double).all(|(s, d)| *s == f64::from(*d as f32)));
        let value = Const { leaf: Leaf::new(Base::Bool, &[2]), entries: Literal::Bool(vec![true, false]) };
        let init = Init::Literal(Arc::new(value.clone()));
        let mut stream = Stream::new(3, Use::Init);
        assert_eq!(draw::<f32>(&init, &value.leaf, &mut stream).unwrap().to_f64(), [1.0, 0.0]);
        assert!(draw::<f32>(&init, &leaf, &mut stream).is_err());
        let bits = draw::<f32>(&Init::Uniform { lo: 0.0, hi: 1.0 }, &Leaf::new(Base::Bool, &[100]), &mut stream);
        let ones: f64 = bits.unwrap().to_f64().iter().sum();
        assert!(ones > 30.0 && ones < 70.0);
    }
}

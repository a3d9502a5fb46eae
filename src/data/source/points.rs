//! Points that are drawn rather than read: `two_moons`, `spiral`, `normal[n]`, `uniform[n]`.
//!
//! In: what they form, how many, a seed. Out: an array of points and, where they have classes, one of labels. Invariant:
//! the same numbers on every machine and whatever the seed of a run is; each kind has a stretch of the stream of its own,
//! so that the noise of the moons is not the normal points of the same seed.

use crate::data::source::array::{Array, Entries};
use crate::data::spec::{Cloud, Points};
use crate::random::{Stream, Use};
use std::f64::consts::{PI, TAU};

/// The points, with their labels if they have some.
pub(crate) fn draw(points: &Points) -> Vec<Array> {
    let mut stream = Stream::new(points.seed, Use::Data);
    // 2^40 words for each kind: far more than the points of a data set take.
    stream.seek(match points.cloud {
        Cloud::TwoMoons { .. } => 0,
        Cloud::Spiral { .. } => 1 << 40,
        Cloud::Normal { .. } => 2 << 40,
        Cloud::Uniform { .. } => 3 << 40,
    });
    let n = points.n;
    let mut plane = |(mut flat, labels): (Vec<f64>, Vec<f64>), noise: f64, name: &str| {
        if noise > 0.0 {
            flat.iter_mut().for_each(|x| *x += noise * stream.normal());
        }
        let array = |shape, entries| Array::new(name, n, shape, Entries::Numbers(entries));
        vec![array(vec![2], flat), array(vec![1], labels)]
    };
    match &points.cloud {
        Cloud::TwoMoons { noise } => plane(two_moons(n), *noise, "two_moons"),
        Cloud::Spiral { classes, turns, noise } => plane(spiral(n, *classes, *turns), *noise, "spiral"),
        Cloud::Normal { shape, std } => {
            let size = n * shape.iter().product::<usize>();
            let flat = (0..size).map(|_| std * stream.normal()).collect();
            vec![Array::new("normal", n, shape.clone(), Entries::Numbers(flat))]
        }
        Cloud::Uniform { shape, lo, hi } => {
            let size = n * shape.iter().product::<usize>();
            let flat = (0..size).map(|_| lo + (hi - lo) * stream.uniform()).collect();
            vec![Array::new("uniform", n, shape.clone(), Entries::Numbers(flat))]
        }
    }
}

/// `numpy.linspace(0, 1, n)[i]`.
#[allow(clippy::cast_precision_loss, reason = "numbers of points are below 2^32")]
fn place(i: usize, n: usize) -> f64 {
    if n < 2 { 0.0 } else { i as f64 / (n - 1) as f64 }
}

/// scikit-learn's `make_moons(n, shuffle=False, noise=None)`: class 0 is (cos t, sin t), class 1 is
/// (1 - cos t, 1 / 2 - sin t), each for t evenly from 0 to pi with both ends; class 0 has n / 2 points, rounded down.
fn two_moons(n: usize) -> (Vec<f64>, Vec<f64>) {
    let outer = n / 2;
    let inner = n - outer;
    let first = (0..outer).map(|i| PI * place(i, outer)).flat_map(|t| [t.cos(), t.sin()]);
    let second = (0..inner).map(|i| PI * place(i, inner)).flat_map(|t| [1.0 - t.cos(), 1.0 - t.sin() - 0.5]);
    let labels = (0..n).map(|i| if i < outer { 0.0 } else { 1.0 });
    (first.chain(second).collect(), labels.collect())
}

/// Arm j of k: r (sin a, cos a) with a = 2 pi (turns r + j / k), r evenly from 0 to 1 without the end (the spirals of the
/// TensorFlow playground, after Lang and Witbrock 1988, with radius 1 and any number of arms). Each arm has n / k points,
/// the first arms one more where that does not divide.
#[allow(clippy::cast_precision_loss, reason = "numbers of points are below 2^32")]
fn spiral(n: usize, classes: usize, turns: f64) -> (Vec<f64>, Vec<f64>) {
    let (mut flat, mut labels) = (Vec::with_capacity(2 * n), Vec::with_capacity(n));
    for arm in 0..classes {
        let points = n / classes + usize::from(arm < n % classes);
        for i in 0..points {
            let r = i as f64 / points as f64;
            let angle = TAU * (turns * r + arm as f64 / classes as f64);
            flat.extend([r * angle.sin(), r * angle.cos()]);
            labels.push(arm as f64);
        }
    }
    (flat, labels)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]
    use super::*;

    fn numbers(array: &Array) -> &[f64] {
        let Entries::Numbers(all) = &array.entries else { panic!("{array:?}") };
        all
    }

    fn drawn(cloud: Cloud, n: usize, seed: u64) -> Vec<f64> {
        numbers(&draw(&Points { cloud, n, seed })[0]).to_vec()
    }

    /// The points of scikit-learn 1.5, `make_moons(7, shuffle=False)`.
    #[test]
    fn the_moons_are_those_of_scikit_learn() {
        let (flat, labels) = two_moons(7);
        let known = [
            1.0,
            0.0,
            0.0,
            1.0,
            -1.0,
            0.0, //
            0.0,
            0.5,
            0.5,
            -0.366_025_403_784_438_6,
            1.5,
            -0.366_025_403_784_438_6,
            2.0,
            0.5,
        ];
        assert!(flat.iter().zip(known).all(|(a, b)| (a - b).abs() < 1e-15), "{flat:?}");
        assert_eq!((flat.len(), labels), (14, vec![0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]));
    }

    #[test]
    fn arms_are_turned_against_each_other() {
        let (flat, labels) = spiral(9, 2, 1.75);
        assert_eq!(labels, [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]);
        assert_eq!(flat[..2], [0.0, 0.0]);
        // r = 1/5 and a = 2 pi (7/20).
        let a = TAU * 0.35;
        assert!((flat[2] - 0.2 * a.sin()).abs() < 1e-15 && (flat[3] - 0.2 * a.cos()).abs() < 1e-15);
        let (even, _) = spiral(8, 2, 1.75);
        let opposite = |i: usize| even[2 * i] + even[2 * (i + 4)];
        assert!((0..4).all(|i| opposite(i).abs() < 1e-15));
    }

    #[test]
    fn a_seed_gives_the_same_points_and_kinds_do_not_share_them() {
        let moons = |seed| drawn(Cloud::TwoMoons { noise: 0.1 }, 10, seed);
        assert_eq!(moons(1), moons(1));
        assert_ne!(moons(1), moons(2));
        let normal = drawn(Cloud::Normal { shape: vec![2], std: 0.1 }, 10, 1);
        let noise: Vec<f64> = moons(1).iter().zip(two_moons(10).0).map(|(x, at)| x - at).collect();
        assert!(noise.iter().zip(&normal).all(|(a, b)| (a - b).abs() > 1e-9), "{noise:?} {normal:?}");
    }

    #[test]
    fn distributions_have_their_moments() {
        let moments = |all: &[f64]| {
            let n = f64::from(u32::try_from(all.len()).unwrap());
            let mean = all.iter().sum::<f64>() / n;
            (mean, (all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt())
        };
        let (mean, std) = moments(&drawn(Cloud::Normal { shape: vec![3], std: 2.0 }, 10_000, 0));
        assert!(mean.abs() < 0.05 && (std - 2.0).abs() < 0.05, "{mean} {std}");
        let even = drawn(Cloud::Uniform { shape: vec![2, 2], lo: -1.0, hi: 3.0 }, 10_000, 0);
        let (mean, std) = moments(&even);
        assert!((mean - 1.0).abs() < 0.05 && (std - 4.0 / 12_f64.sqrt()).abs() < 0.05, "{mean} {std}");
        assert!(even.iter().all(|x| (-1.0..3.0).contains(x)) && even.len() == 40_000);
    }
}

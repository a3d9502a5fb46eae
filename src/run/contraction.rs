//! Einsums as loop nests: an [`EinsumSpec`] and the sizes of its letters in, a sequence of nests out.
//!
//! Which nests, and in which order, [`EinsumSpec::order`] says. The scale is applied once, at the end.

#![allow(clippy::indexing_slicing, reason = "letters are below the number of sizes in a typed einsum")]

use super::float::Float;
use super::nest::{Axis, Nest, Steps};
use crate::diagram::{Contract, EinsumSpec, Letters};
use smallvec::SmallVec;

#[derive(Clone, Debug)]
struct Step {
    /// Operands, then results of earlier steps.
    reads: SmallVec<[usize; 2]>,
    nest: Nest,
    size: usize,
    /// Whether entries start at +0, for several products or none are added there; else they start at -0, which adds
    /// exactly.
    adds: bool,
}

/// A planned einsum.
#[derive(Clone, Debug)]
pub(super) struct Contraction {
    steps: Vec<Step>,
    scale: f64,
}

impl Contraction {
    /// The nests of a spec whose letters have these sizes.
    pub(super) fn plan(spec: &EinsumSpec, sizes: &[usize]) -> Contraction {
        let contracts = spec.order(sizes).steps;
        let word = |read: usize| spec.ins().get(read).unwrap_or_else(|| &contracts[read - spec.ins().len()].out);
        let steps = contracts.iter().map(|c| Step::new(c, c.reads.iter().map(|r| word(*r)), sizes)).collect();
        Contraction { steps, scale: spec.scale() }
    }

    /// The result's entries.
    pub(super) fn run<T: Float>(&self, ins: &[&[T]]) -> Vec<T> {
        let mut made: Vec<Vec<T>> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let mut out = vec![if step.adds { T::ZERO } else { -T::ZERO }; step.size];
            let read = |r: &usize| if *r < ins.len() { ins[*r] } else { made[*r - ins.len()].as_slice() };
            let reads: SmallVec<[&[T]; 2]> = step.reads.iter().map(read).collect();
            step.nest.run(&reads, &mut out);
            drop(reads);
            made.push(out);
        }
        let mut out = made.pop().unwrap_or_default();
        if self.scale != 1.0 {
            let scale = T::from_f64(self.scale);
            out.iter_mut().for_each(|x| *x *= scale);
        }
        out
    }
}

impl Step {
    fn new<'w>(contract: &'w Contract, words: impl Iterator<Item = &'w Letters>, sizes: &[usize]) -> Step {
        let out = &contract.out;
        let words: SmallVec<[&Letters; 4]> = words.chain([out]).collect();
        let mut letters = Letters::new();
        for l in out.iter().chain(words.iter().copied().flatten()) {
            if !letters.contains(l) {
                letters.push(*l);
            }
        }
        let axes = letters.iter().map(|l| Axis {
            size: sizes[usize::from(*l)],
            steps: words.iter().map(|w| stride(w, *l, sizes)).collect::<Steps>(),
        });
        let sums = letters.iter().any(|l| !out.contains(l));
        let gaps = (0..out.len()).any(|i| out[..i].contains(&out[i]));
        Step {
            reads: contract.reads.clone(),
            nest: Nest::new(axes, words.len()),
            size: product(sizes, out),
            adds: sums || gaps,
        }
    }
}

/// How far a value with these letters moves with one of them; a repeated letter walks the diagonal.
fn stride(word: &[u8], letter: u8, sizes: &[usize]) -> usize {
    let mut stride = 1_usize;
    let mut total = 0_usize;
    for l in word.iter().rev() {
        if *l == letter {
            total += stride;
        }
        stride = stride.saturating_mul(sizes[usize::from(*l)]);
    }
    total
}

fn product(sizes: &[usize], letters: &[u8]) -> usize {
    letters.iter().fold(1_usize, |n, l| n.saturating_mul(sizes[usize::from(*l)]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use crate::object::Dim;
    use crate::random::{Stream, Use};

    /// One loop over all letters.
    fn naive(spec: &EinsumSpec, sizes: &[usize], ins: &[&[f64]]) -> Vec<f64> {
        let at = |word: &[u8], place: &[usize]| {
            word.iter().fold(0, |n, l| n * sizes[usize::from(*l)] + place[usize::from(*l)])
        };
        let mut out = vec![0.0; product(sizes, spec.out())];
        let total: usize = sizes.iter().product();
        for n in 0..total {
            let (mut rest, mut place) = (n, vec![0; sizes.len()]);
            for (p, s) in place.iter_mut().zip(sizes).rev() {
                *p = rest % s;
                rest /= s;
            }
            let term: f64 = spec.ins().iter().zip(ins).map(|(w, x)| x[at(w, &place)]).product();
            out[at(spec.out(), &place)] += term * spec.scale();
        }
        out
    }

    #[test]
    fn random_einsums_equal_one_loop_over_all_letters() {
        let mut s = Stream::new(1, Use::Laws);
        for case in 0..600 {
            let kinds = 1 + s.below(5);
            let mut word = |longest: u64| -> Vec<u64> { (0..s.below(longest + 1)).map(|_| s.below(kinds)).collect() };
            let ins: Vec<Vec<u64>> = (0..case % 5).map(|_| word(3)).collect();
            let out = word(4);
            let spec = EinsumSpec::new(&ins, &out, |l| Some(Dim::lit(2 + l % 3)), 0.5).unwrap();
            // canonical letters by first use, operands first
            let mut names: Vec<u64> = Vec::new();
            for l in ins.iter().flatten().chain(&out) {
                if !names.contains(l) {
                    names.push(*l);
                }
            }
            let sizes: Vec<usize> = names.iter().map(|l| 2 + (*l % 3) as usize).collect();
            let data: Vec<Vec<f64>> =
                (spec.ins().iter()).map(|w| (0..product(&sizes, w)).map(|_| s.normal()).collect()).collect();
            let views: Vec<&[f64]> = data.iter().map(Vec::as_slice).collect();
            let (got, want) = (Contraction::plan(&spec, &sizes).run(&views), naive(&spec, &sizes, &views));
            assert_eq!(got.len(), want.len());
            for (g, w) in got.iter().zip(&want) {
                assert!((g - w).abs() < 1e-11 * (1.0 + w.abs()), "{spec}: {g} {w}");
            }
        }
    }

    #[test]
    fn copying_keeps_the_sign_of_zero_and_empty_sums_are_zero() {
        let spec = EinsumSpec::new(&[vec!['a', 'b']], &['b', 'a'], |_| None, 1.0).unwrap();
        let out = Contraction::plan(&spec, &[1, 2]).run::<f64>(&[&[-0.0, 1.0]]);
        assert!(out[0].is_sign_negative());
        let sum = EinsumSpec::new(&[vec!['a', 'b']], &['b'], |_| None, 1.0).unwrap();
        assert_eq!(Contraction::plan(&sum, &[0, 2]).run::<f64>(&[&[]]), [0.0, 0.0]);
    }
}

//! Einsums as loop nests: an [`EinsumSpec`] and the sizes of its letters in, a sequence of nests out.
//!
//! Letters that only one operand has are summed first; more than two operands are contracted in pairs, greedily by
//! size, when that costs fewer multiplications than one nest over all letters; a result wider than its sum is spread
//! last. `ab,bc,cd->ad` is two products. The scale is applied once, at the end.

#![allow(clippy::indexing_slicing, reason = "letters are below the number of sizes in a typed einsum")]

use super::float::Float;
use super::nest::{Axis, Nest, Steps};
use crate::diagram::EinsumSpec;
use smallvec::SmallVec;

/// The letters of one value.
type Word = SmallVec<[u8; 6]>;

/// A value that a nest reads.
#[derive(Clone, Copy, Debug)]
enum Source {
    /// An operand of the einsum.
    Given(usize),
    /// The result of an earlier nest.
    Made(usize),
}

#[derive(Clone, Debug)]
struct Step {
    sources: SmallVec<[Source; 2]>,
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

#[derive(Clone)]
struct Term {
    source: Source,
    word: Word,
}

impl Contraction {
    /// The nests of a spec whose letters have these sizes.
    pub(super) fn plan(spec: &EinsumSpec, sizes: &[usize]) -> Contraction {
        let out: Word = spec.out().iter().copied().collect();
        let mut plan = Contraction { steps: Vec::new(), scale: spec.scale() };
        let mut terms: Vec<Term> = (spec.ins().iter().enumerate())
            .map(|(k, word)| Term { source: Source::Given(k), word: word.iter().copied().collect() })
            .collect();
        plan.sum_private(&mut terms, &out, sizes);
        if terms.len() > 2 {
            plan.in_pairs(&mut terms, &out, sizes);
        }
        let summed = terms.iter().flat_map(|t| &t.word).any(|l| !out.contains(l));
        let free: Word = spec.free().iter().map(|(l, _)| *l).collect();
        if summed && product(sizes, &free) > 1 {
            let core = distinct(out.iter().copied().filter(|l| !free.contains(l)));
            let source = plan.push(&terms, &core, sizes);
            terms = vec![Term { source, word: core }];
        }
        plan.push(&terms, &out, sizes);
        plan
    }

    /// The result's entries.
    pub(super) fn run<T: Float>(&self, ins: &[&[T]]) -> Vec<T> {
        let scale = T::from_f64(self.scale);
        let mut made: Vec<Vec<T>> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let mut out = vec![if step.adds { T::ZERO } else { -T::ZERO }; step.size];
            let sources: SmallVec<[&[T]; 2]> = (step.sources.iter())
                .map(|s| match s {
                    Source::Given(k) => ins[*k],
                    Source::Made(k) => made[*k].as_slice(),
                })
                .collect();
            step.nest.run(&sources, &mut out);
            drop(sources);
            made.push(out);
        }
        let mut out = made.pop().unwrap_or_default();
        if self.scale != 1.0 {
            out.iter_mut().for_each(|x| *x *= scale);
        }
        out
    }

    /// Sums letters out of an operand that no other operand and not the result has.
    fn sum_private(&mut self, terms: &mut [Term], out: &[u8], sizes: &[usize]) {
        if terms.len() < 2 {
            return;
        }
        for k in 0..terms.len() {
            let elsewhere = |l: &u8| out.contains(l) || (0..terms.len()).any(|j| j != k && terms[j].word.contains(l));
            let kept = distinct(terms[k].word.iter().copied().filter(|l| elsewhere(l)));
            let lone = |l: &u8| sizes[usize::from(*l)] != 1 && !kept.contains(l);
            if terms[k].word.iter().any(lone) {
                let source = self.push(&terms[k..=k], &kept, sizes);
                terms[k] = Term { source, word: kept };
            }
        }
    }

    /// Contracts all but the last two terms in pairs, if that is cheaper than one nest.
    fn in_pairs(&mut self, terms: &mut Vec<Term>, out: &[u8], sizes: &[usize]) {
        let all = distinct(terms.iter().flat_map(|t| t.word.iter().copied()));
        let direct = product(sizes, &all).saturating_mul(terms.len() - 1);
        let words: Vec<Word> = terms.iter().map(|t| t.word.clone()).collect();
        let (order, cost) = path(words, out, sizes);
        if cost >= direct {
            return;
        }
        for (i, j, word) in order {
            if terms.len() == 2 {
                break;
            }
            let second = terms.remove(j);
            let first = terms.remove(i);
            let source = self.push(&[first, second], &word, sizes);
            terms.push(Term { source, word });
        }
    }

    fn push(&mut self, terms: &[Term], out: &[u8], sizes: &[usize]) -> Source {
        let letters = distinct(out.iter().copied().chain(terms.iter().flat_map(|t| t.word.iter().copied())));
        let words: SmallVec<[&[u8]; 4]> = terms.iter().map(|t| &t.word[..]).chain([out]).collect();
        let axes = letters.iter().map(|l| Axis {
            size: sizes[usize::from(*l)],
            steps: words.iter().map(|w| step(w, *l, sizes)).collect::<Steps>(),
        });
        let sums = letters.iter().any(|l| !out.contains(l));
        let gaps = distinct(out.iter().copied()).len() != out.len();
        self.steps.push(Step {
            sources: terms.iter().map(|t| t.source).collect(),
            nest: Nest::new(axes, words.len()),
            size: product(sizes, out),
            adds: sums || gaps,
        });
        Source::Made(self.steps.len() - 1)
    }
}

/// How far a value with these letters moves with one of them; a repeated letter walks the diagonal.
fn step(word: &[u8], letter: u8, sizes: &[usize]) -> usize {
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

fn distinct(letters: impl Iterator<Item = u8>) -> Word {
    let mut word = Word::new();
    for l in letters {
        if !word.contains(&l) {
            word.push(l);
        }
    }
    word
}

/// Pairs to contract, with the letters that are left, and the multiplications of all of them: greedily the pair that
/// shrinks the operands most.
fn path(mut words: Vec<Word>, out: &[u8], sizes: &[usize]) -> (Vec<(usize, usize, Word)>, usize) {
    let (mut order, mut cost) = (Vec::new(), 0_usize);
    let signed = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    while words.len() > 1 {
        let mut best: Option<((i64, usize), usize, usize, Word)> = None;
        for i in 0..words.len() {
            for j in i + 1..words.len() {
                let both = distinct(words[i].iter().chain(&words[j]).copied());
                let later =
                    |l: &u8| out.contains(l) || (0..words.len()).any(|k| k != i && k != j && words[k].contains(l));
                let first = out.iter().copied().filter(|l| both.contains(l));
                let left = distinct(first.chain(both.iter().copied().filter(later)));
                let of = |w: &Word| signed(product(sizes, &distinct(w.iter().copied())));
                let growth = of(&left).saturating_sub(of(&words[i])).saturating_sub(of(&words[j]));
                let key = (growth, product(sizes, &both));
                if best.as_ref().is_none_or(|(k, ..)| key < *k) {
                    best = Some((key, i, j, left));
                }
            }
        }
        let Some(((_, multiplications), i, j, left)) = best else { break };
        cost = cost.saturating_add(multiplications);
        words.remove(j);
        words.remove(i);
        words.push(left.clone());
        order.push((i, j, left));
    }
    (order, cost)
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
    fn three_matrices_are_two_products() {
        let words = [vec!['a', 'b'], vec!['b', 'c'], vec!['c', 'd']];
        let spec = EinsumSpec::new(&words, &['a', 'd'], |_| None, 1.0).unwrap();
        assert_eq!(Contraction::plan(&spec, &[20, 20, 20, 20]).steps.len(), 2);
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

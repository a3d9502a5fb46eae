//! In which order the operands of an einsum are best contracted, and what that costs.
//!
//! `ab,bc,cd->ad` is two products. First letters are summed that only one operand has; then, when that costs fewer
//! multiplications than one loop nest over all letters, pairs are contracted, greedily the one that shrinks the
//! operands most; a result wider than its sum is spread last. Machines follow it, `compile` weighs rewrites by it.

use super::einsum::{EinsumSpec, Letters};
use smallvec::SmallVec;

/// One loop nest of an einsum: the product of some values, summed over the letters that `out` has not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contract {
    /// What it reads: an operand's number, or the number of operands plus an earlier step's.
    pub reads: SmallVec<[usize; 2]>,
    /// The letters of its result.
    pub out: Letters,
}

/// The steps of an einsum and their cost; the last one makes the result, unscaled.
#[derive(Clone, PartialEq, Debug)]
pub struct Order {
    /// The steps; there is at least one.
    pub steps: Vec<Contract>,
    /// Multiplications (or moves, for a single operand) of all steps.
    pub multiplications: f64,
    /// Entries read and written by all steps.
    pub moved: f64,
    /// Entries of the largest result of a step that is not the last.
    pub largest: usize,
}

/// A value still to be contracted.
#[derive(Clone)]
struct Term {
    read: usize,
    word: Letters,
}

impl EinsumSpec {
    /// The order for letters of these sizes.
    #[must_use]
    pub fn order(&self, sizes: &[usize]) -> Order {
        let mut plan = Planner {
            sizes,
            out: self.out(),
            operands: self.ins().len(),
            order: Order { steps: Vec::new(), multiplications: 0.0, moved: 0.0, largest: 0 },
        };
        let mut terms: Vec<Term> =
            self.ins().iter().enumerate().map(|(read, word)| Term { read, word: word.clone() }).collect();
        plan.sum_private(&mut terms);
        if terms.len() > 2 {
            plan.in_pairs(&mut terms);
        }
        let summed = terms.iter().flat_map(|t| &t.word).any(|l| !self.out().contains(l));
        let free: Letters = self.free().iter().map(|(l, _)| *l).collect();
        if summed && plan.product(&free) > 1 {
            let core = distinct(self.out().iter().copied().filter(|l| !free.contains(l)));
            terms = vec![plan.push(&terms, core)];
        }
        plan.push(&terms, self.out().clone());
        plan.order
    }
}

struct Planner<'s> {
    sizes: &'s [usize],
    out: &'s Letters,
    operands: usize,
    order: Order,
}

impl Planner<'_> {
    fn product(&self, letters: &[u8]) -> usize {
        letters.iter().fold(1_usize, |n, l| n.saturating_mul(self.sizes[usize::from(*l)]))
    }

    /// Sums letters out of an operand that no other operand and not the result has.
    fn sum_private(&mut self, terms: &mut [Term]) {
        if terms.len() < 2 {
            return;
        }
        for k in 0..terms.len() {
            let other = |l: &u8| (0..terms.len()).any(|j| j != k && terms[j].word.contains(l));
            let lone = |l: &&u8| self.sizes[usize::from(**l)] != 1 && !self.out.contains(l) && !other(l);
            if terms[k].word.iter().any(|l| lone(&l)) {
                let kept = distinct(terms[k].word.iter().copied().filter(|l| self.out.contains(l) || other(l)));
                terms[k] = self.push(&terms[k..=k], kept);
            }
        }
    }

    /// Contracts all but the last two terms in pairs, if that is cheaper than one nest.
    fn in_pairs(&mut self, terms: &mut Vec<Term>) {
        let all = distinct(terms.iter().flat_map(|t| t.word.iter().copied()));
        let direct = self.product(&all).saturating_mul(terms.len() - 1);
        let (pairs, cost) = self.path(terms.iter().map(|t| t.word.clone()).collect());
        if cost >= direct {
            return;
        }
        for (i, j, word) in pairs {
            if terms.len() == 2 {
                break;
            }
            let second = terms.remove(j);
            let first = terms.remove(i);
            let made = self.push(&[first, second], word);
            terms.push(made);
        }
    }

    /// Pairs to contract, with the letters that are left, and the multiplications of all of them.
    fn path(&self, mut words: Vec<Letters>) -> (Vec<(usize, usize, Letters)>, usize) {
        let (mut pairs, mut cost) = (Vec::new(), 0_usize);
        let signed = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        while words.len() > 1 {
            let mut best: Option<((i64, usize), usize, usize, Letters)> = None;
            for i in 0..words.len() {
                for j in i + 1..words.len() {
                    let both = distinct(words[i].iter().chain(&words[j]).copied());
                    let later = |l: &u8| {
                        self.out.contains(l) || (0..words.len()).any(|k| k != i && k != j && words[k].contains(l))
                    };
                    let first = self.out.iter().copied().filter(|l| both.contains(l));
                    let left = distinct(first.chain(both.iter().copied().filter(later)));
                    let of = |w: &Letters| signed(self.product(&distinct(w.iter().copied())));
                    let growth = of(&left).saturating_sub(of(&words[i])).saturating_sub(of(&words[j]));
                    let key = (growth, self.product(&both));
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
            pairs.push((i, j, left));
        }
        (pairs, cost)
    }

    fn push(&mut self, terms: &[Term], out: Letters) -> Term {
        let all = distinct(out.iter().copied().chain(terms.iter().flat_map(|t| t.word.iter().copied())));
        let size = |w: &Letters| self.product(&distinct(w.iter().copied())) as f64;
        let made = self.product(&out);
        let read: f64 = terms.iter().map(|t| size(&t.word)).sum();
        let nest = self.product(&all) as f64 * terms.len().saturating_sub(1).max(1) as f64;
        let order = &mut self.order;
        if let Some(before) = order.steps.last() {
            let before = before.out.iter().fold(1_usize, |n, l| n.saturating_mul(self.sizes[usize::from(*l)]));
            order.largest = order.largest.max(before);
        }
        order.multiplications += nest;
        order.moved += read + made as f64;
        order.steps.push(Contract { reads: terms.iter().map(|t| t.read).collect(), out: out.clone() });
        Term { read: self.operands + order.steps.len() - 1, word: out }
    }
}

fn distinct(letters: impl Iterator<Item = u8>) -> Letters {
    let mut word = Letters::new();
    for l in letters {
        if !word.contains(&l) {
            word.push(l);
        }
    }
    word
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn three_matrices_are_two_products() {
        let words = [vec!['a', 'b'], vec!['b', 'c'], vec!['c', 'd']];
        let spec = EinsumSpec::new(&words, &['a', 'd'], |_| None, 1.0).unwrap();
        let order = spec.order(&[20, 20, 20, 20]);
        assert_eq!((order.steps.len(), order.multiplications, order.largest), (2, 16_000.0, 400));
        assert_eq!(order.moved, 6.0 * 400.0);
    }

    #[test]
    fn a_sum_is_taken_before_it_is_multiplied() {
        let spec = EinsumSpec::new(&[vec!['a', 'b'], vec!['c']], &['c'], |_| None, 1.0).unwrap();
        let order = spec.order(&[10, 10, 10]);
        assert_eq!((order.steps.len(), order.multiplications), (2, 110.0));
    }
}

//! Numbers about predictions: accuracy, exact match and the confusion matrix.
//!
//! A prediction is a label, or a number for each class: the largest wins, the first of equals, be they reals, whole
//! numbers or bits. Bits against bits match exactly when all of them are equal.

use super::float::Float;
use super::tensor::Tensor;
use crate::elaborate::{Metric, Select, Settings};
use crate::object::Base;
use std::sync::Arc;

/// What was measured on a part of the data.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Metrics {
    /// The mean loss, if the part is not empty; in a game that of the first player.
    pub loss: f64,
    /// Of several losses each by its name.
    pub losses: Vec<(Arc<str>, f64)>,
    /// The share of examples whose class was found.
    pub accuracy: Option<f64>,
    /// The share of examples whose outputs all equal the target.
    pub exact_match: Option<f64>,
    /// Counts: a row a true class, a column a predicted class.
    pub confusion: Option<Vec<Vec<usize>>>,
}

impl Metrics {
    /// A metric by the name that `select` uses, larger is better (a loss is negated).
    #[must_use]
    pub fn score(&self, metric: &str) -> Option<f64> {
        match metric {
            "loss" => Some(-self.loss),
            "exact_match" => self.exact_match,
            _ => self.accuracy,
        }
    }
}

/// Which numbers about predictions a run asks for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Asked {
    classes: bool,
    table: bool,
    /// Whether outputs are compared with the target entry by entry.
    pub(super) exact: bool,
}

impl Asked {
    pub(super) fn by(settings: &Settings) -> Asked {
        let selects = |name: &str| matches!(&settings.select, Select::Best { metric, .. } if &**metric == name);
        let asks = |wanted: &[Metric]| settings.metrics.iter().any(|m| wanted.contains(m));
        Asked {
            classes: asks(&[Metric::Accuracy]) || selects("accuracy"),
            table: asks(&[Metric::ConfusionMatrix]),
            exact: asks(&[Metric::ExactMatch]) || selects("exact_match"),
        }
    }

    /// Whether predictions and targets are read as classes.
    pub(super) fn names_classes(self) -> bool {
        self.classes || self.table
    }

    /// Whether predictions are needed at all.
    pub(super) fn any(self) -> bool {
        self.names_classes() || self.exact
    }

    /// The numbers that were asked for.
    pub(super) fn of(self, counted: &Counted, loss: f64) -> Metrics {
        let accuracy = counted.accuracy().filter(|_| self.classes);
        Metrics {
            loss,
            losses: Vec::new(),
            accuracy,
            exact_match: counted.exact_match().filter(|_| self.exact),
            confusion: (self.table && counted.accuracy().is_some()).then(|| counted.counts.clone()),
        }
    }
}

/// Counts of true and predicted classes, and of outputs that equal their target.
#[derive(Clone, Debug, Default)]
pub(super) struct Counted {
    /// All rows are of one class, and so is every prediction.
    one_class: bool,
    counts: Vec<Vec<usize>>,
    exact: usize,
    total: usize,
}

/// The class that one row of numbers names: the first largest; a single logit is class 1 above `cut`.
fn class(row: &[f64], cut: f64) -> usize {
    if let [only] = row {
        return usize::from(*only > cut);
    }
    let mut best = 0;
    for (i, x) in row.iter().enumerate() {
        if row.get(best).is_some_and(|b| x > b) {
            best = i;
        }
    }
    best
}

impl Counted {
    pub(super) fn new(one_class: bool) -> Counted {
        Counted { one_class, ..Counted::default() }
    }

    /// Counts the examples of a batch, whose predictions are of a base; nothing when the shapes do not tell classes.
    pub(super) fn add<T: Float>(&mut self, predicted: &Tensor<T>, base: Base, target: &Tensor<T>) {
        let rows = predicted.shape().first().copied().unwrap_or(0);
        if rows == 0 {
            return;
        }
        let bits = predicted.bools().is_some() && target.bools().is_some();
        let (p, t) = (predicted.to_f64(), target.to_f64());
        let labels = target.ints().is_some();
        let (wide, deep) = (p.len() / rows, t.len() / rows);
        let named = if let Base::Fin(n) = base { Some(n as usize) } else { None };
        let classes = named.unwrap_or(if self.one_class || wide != 1 { wide } else { 2 });
        if self.counts.len() < classes {
            self.counts = vec![vec![0; classes]; classes];
        }
        let one = self.one_class && wide == 1;
        let class = |row: &[f64], cut: f64| if one { 0 } else { class(row, cut) };
        for (row, truth) in p.chunks(wide.max(1)).zip(t.chunks(deep.max(1))) {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a label, checked by its port")]
            let label = |row: &[f64]| row.first().map_or(0, |x| *x as usize);
            let found = if named.is_some() { label(row) } else { class(row, 0.0) };
            let real = if labels { label(truth) } else { class(truth, 0.5) };
            if let Some(n) = self.counts.get_mut(real).and_then(|r| r.get_mut(found)) {
                *n += 1;
            }
            self.total += 1;
            self.exact += usize::from(if bits { row == truth } else { found == real });
        }
    }

    /// The share on the diagonal.
    #[allow(clippy::cast_precision_loss, reason = "counts of examples")]
    fn accuracy(&self) -> Option<f64> {
        let total: usize = self.counts.iter().flatten().sum();
        let right: usize = self.counts.iter().enumerate().filter_map(|(i, r)| r.get(i)).sum();
        (total > 0).then(|| right as f64 / total as f64)
    }

    #[allow(clippy::cast_precision_loss, reason = "counts of examples")]
    fn exact_match(&self) -> Option<f64> {
        (self.total > 0).then(|| self.exact as f64 / self.total as f64)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    fn counted(predicted: &Tensor<f32>, base: Base, target: &Tensor<f32>) -> (Option<f64>, Option<f64>) {
        let mut counted = Counted::default();
        counted.add(predicted, base, target);
        (counted.accuracy(), counted.exact_match())
    }

    #[test]
    fn whole_scores_name_the_lower_of_equal_classes() {
        let scores = Tensor::int(&[3, 3], vec![4, 4, 1, 0, 2, 2, -5, -4, -4]).unwrap();
        let labels = Tensor::int(&[3, 1], vec![0, 2, 1]).unwrap();
        assert_eq!(counted(&scores, Base::Int, &labels), (Some(2.0 / 3.0), Some(2.0 / 3.0)));
    }

    #[test]
    fn one_bit_against_one_bit() {
        let bit = Tensor::bool(&[4, 1], vec![true, false, true, false]).unwrap();
        let truth = Tensor::bool(&[4, 1], vec![true, false, false, false]).unwrap();
        assert_eq!(counted(&bit, Base::Bool, &truth), (Some(0.75), Some(0.75)));
    }

    #[test]
    fn several_bits_match_when_all_are_equal() {
        let bits = Tensor::bool(&[2, 3], vec![true, false, true, false, true, true]).unwrap();
        let truth = Tensor::bool(&[2, 3], vec![true, false, true, false, true, false]).unwrap();
        assert_eq!(counted(&bits, Base::Bool, &truth).1, Some(0.5));
    }

    #[test]
    fn a_prediction_may_be_a_label() {
        let found = Tensor::int(&[2, 1], vec![2, 1]).unwrap();
        let labels = Tensor::int(&[2, 1], vec![2, 0]).unwrap();
        assert_eq!(counted(&found, Base::Fin(3), &labels), (Some(0.5), Some(0.5)));
    }

    #[test]
    fn a_single_logit_is_cut_at_zero() {
        let logit = Tensor::real(&[2, 1], vec![0.1, -0.1]).unwrap();
        let truth = Tensor::real(&[2, 1], vec![1.0, 0.0]).unwrap();
        assert_eq!(counted(&logit, Base::Real, &truth), (Some(1.0), Some(1.0)));
    }
}

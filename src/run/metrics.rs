//! Numbers about predictions: accuracy, the confusion matrix, perplexity and their like.
//!
//! A prediction is a label, or a number for each class: the largest wins, the first of equals, be they reals, whole
//! numbers or bits. Bits against bits match exactly when all of them are equal.

use super::float::Float;
use super::tensor::Tensor;
use crate::elaborate::{Metric, Quantity, Select, Settings};
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
    /// exp of the mean cross-entropy.
    pub perplexity: Option<f64>,
    /// The coefficient of determination, the mean over outputs.
    pub r2: Option<f64>,
    /// For each k that was asked for the share of examples whose label is among the k largest outputs.
    pub top: Vec<(usize, f64)>,
    /// Counts: a row a true class, a column a predicted class.
    pub confusion: Option<Vec<Vec<usize>>>,
}

impl Metrics {
    /// All single numbers with their keys in results, the loss first.
    #[must_use]
    pub fn numbers(&self) -> Vec<(Arc<str>, f64)> {
        let mut all = vec![("loss".into(), self.loss)];
        all.extend(self.losses.iter().map(|(name, loss)| (format!("loss.{name}").into(), *loss)));
        let plain = [
            (Metric::Accuracy, self.accuracy),
            (Metric::ExactMatch, self.exact_match),
            (Metric::Perplexity, self.perplexity),
            (Metric::R2, self.r2),
        ];
        all.extend(plain.into_iter().filter_map(|(metric, value)| Some((metric.key(), value?))));
        all.extend(self.top.iter().map(|(k, share)| (Metric::TopKAccuracy(*k).key(), *share)));
        all
    }

    /// One of these numbers; the loss when no metric is named.
    #[must_use]
    pub fn value(&self, metric: Option<Metric>) -> Option<f64> {
        match metric {
            None => Some(self.loss),
            Some(metric) => {
                let key = metric.key();
                self.numbers().into_iter().find(|(k, _)| *k == key).map(|(_, value)| value)
            }
        }
    }

    /// The same as a score: larger is better, so that a loss and a perplexity are negated.
    #[must_use]
    pub fn score(&self, metric: Option<Metric>) -> Option<f64> {
        let value = self.value(metric)?;
        Some(if matches!(metric, None | Some(Metric::Perplexity)) { -value } else { value })
    }
}

/// Which numbers about predictions a run asks for.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked(Vec<Metric>);

impl Asked {
    pub(super) fn by(settings: &Settings) -> Asked {
        let mut wanted = settings.metrics.clone();
        if let Select::Best { metric: Some(metric), .. } = &settings.select {
            wanted.push(*metric);
        }
        for quantity in settings.monitors.iter().flat_map(|m| &m.quantities) {
            if let Quantity::Of(_, Some(metric)) = quantity {
                wanted.push(*metric);
            }
        }
        Asked(wanted)
    }

    fn has(&self, metric: Metric) -> bool {
        self.0.contains(&metric)
    }

    /// Whether outputs are compared with the target entry by entry.
    pub(super) fn exact(&self) -> bool {
        self.has(Metric::ExactMatch)
    }

    /// The metrics that read predictions and targets as classes.
    pub(super) fn of_classes(&self) -> impl Iterator<Item = Metric> {
        let classes = |m: &&Metric| !matches!(m, Metric::ExactMatch | Metric::R2);
        self.0.iter().filter(classes).copied()
    }

    /// Whether predictions are compared with numbers.
    pub(super) fn fits(&self) -> bool {
        self.has(Metric::R2)
    }

    /// Whether predictions are needed at all.
    pub(super) fn any(&self) -> bool {
        !self.0.is_empty()
    }

    /// A place to count what was asked for.
    pub(super) fn counted(&self, one_class: bool) -> Counted {
        let mut tops: Vec<usize> =
            self.0.iter().filter_map(|m| if let Metric::TopKAccuracy(k) = m { Some(*k) } else { None }).collect();
        tops.sort_unstable();
        tops.dedup();
        let tops = tops.into_iter().map(|k| (k, 0)).collect();
        let (entropy, fit) = (self.has(Metric::Perplexity).then(Entropy::default), self.fits().then(Vec::new));
        Counted { one_class, tops, entropy, fit, ..Counted::default() }
    }

    /// The numbers that were asked for.
    pub(super) fn of(&self, counted: &Counted, loss: f64) -> Metrics {
        Metrics {
            loss,
            losses: Vec::new(),
            accuracy: counted.accuracy().filter(|_| self.has(Metric::Accuracy)),
            exact_match: counted.exact_match().filter(|_| self.has(Metric::ExactMatch)),
            perplexity: counted.entropy.as_ref().and_then(Entropy::perplexity),
            r2: counted.fit.as_deref().and_then(r2),
            top: counted.tops(),
            confusion: (self.has(Metric::ConfusionMatrix) && counted.accuracy().is_some())
                .then(|| counted.counts.clone()),
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
    /// For each k how many labels were among the k largest outputs.
    tops: Vec<(usize, usize)>,
    /// How many examples were counted, and how many classes: one at each place of a sequence.
    total: usize,
    places: usize,
    entropy: Option<Entropy>,
    /// One an output.
    fit: Option<Vec<Fit>>,
}

/// The class that one row of numbers names: the first largest; a single logit is class 1 above `cut`.
#[must_use]
pub fn class_of(row: &[f64], cut: f64) -> usize {
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

/// How many entries come before one when the largest stands first, the lower of equals before the others.
fn place(row: &[f64], label: usize) -> Option<usize> {
    let own = row.get(label)?;
    Some(row.iter().enumerate().filter(|(i, x)| *x > own || (*x == own && *i < label)).count())
}

impl Counted {
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
        if let Some(entropy) = &mut self.entropy {
            entropy.add(&p, predicted.shape().last().copied().unwrap_or(1), &t, labels);
        }
        if let (Some(fit), true) = (&mut self.fit, p.len() == t.len()) {
            fit.resize(wide, Fit::default());
            for (row, truth) in p.chunks(wide.max(1)).zip(t.chunks(wide.max(1))) {
                fit.iter_mut().zip(row.iter().zip(truth)).for_each(|(fit, (y, t))| fit.add(*y, *t));
            }
        }
        let named = if let Base::Fin(n) = base { Some(n as usize) } else { None };
        // A sequence has a class at each place, along the last axis; anything else has one.
        let last = if named.is_some() { 1 } else { predicted.shape().last().copied().unwrap_or(1).max(1) };
        let of_truth = if labels { 1 } else { last };
        let several = (predicted.shape().len() > 2 && last > 1) || named.is_some();
        let by_place = several && wide / last == deep / of_truth.max(1) && deep.is_multiple_of(of_truth);
        let (wide_place, deep_place) = if by_place { (last, of_truth) } else { (wide, deep) };
        let classes = named.unwrap_or(if self.one_class || wide_place != 1 { wide_place } else { 2 });
        if self.counts.len() < classes {
            self.counts = vec![vec![0; classes]; classes];
        }
        let one = self.one_class && wide == 1;
        let class = |row: &[f64], cut: f64| if one { 0 } else { class_of(row, cut) };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a label, checked by its port")]
        let label = |row: &[f64]| row.first().map_or(0, |x| *x as usize);
        for (row, truth) in p.chunks(wide.max(1)).zip(t.chunks(deep.max(1))) {
            let mut all = true;
            for (row, truth) in row.chunks(wide_place.max(1)).zip(truth.chunks(deep_place.max(1))) {
                let found = if named.is_some() { label(row) } else { class(row, 0.0) };
                let real = if labels { label(truth) } else { class(truth, 0.5) };
                if let Some(n) = self.counts.get_mut(real).and_then(|r| r.get_mut(found)) {
                    *n += 1;
                }
                all &= found == real;
                self.places += 1;
                if let Some(place) = place(row, real) {
                    self.tops.iter_mut().filter(|(k, _)| place < *k).for_each(|(_, n)| *n += 1);
                }
            }
            self.total += 1;
            self.exact += usize::from(if bits { row == truth } else { all });
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

    #[allow(clippy::cast_precision_loss, reason = "counts of examples")]
    fn tops(&self) -> Vec<(usize, f64)> {
        let seen = self.tops.iter().filter(|_| self.places > 0);
        seen.map(|(k, n)| (*k, *n as f64 / self.places as f64)).collect()
    }
}

/// The cross-entropy of targets under softmax of logits along the last axis, summed.
#[derive(Clone, Debug, Default)]
struct Entropy {
    sum: f64,
    places: usize,
}

impl Entropy {
    /// Adds logits in rows of `n`, against labels or distributions.
    fn add(&mut self, logits: &[f64], n: usize, target: &[f64], labels: bool) {
        let deep = if labels { 1 } else { n };
        for (row, truth) in logits.chunks(n.max(1)).zip(target.chunks(deep.max(1))) {
            let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let log_sum = most + row.iter().map(|x| (x - most).exp()).sum::<f64>().ln();
            let weighed = |(x, t): (&f64, &f64)| if *t == 0.0 { 0.0 } else { t * (log_sum - x) };
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a label, checked by its port")]
            let label = truth.first().map_or(0, |t| *t as usize);
            self.sum += match labels {
                true => row.get(label).map_or(f64::NAN, |x| log_sum - x),
                false => row.iter().zip(truth).map(weighed).sum(),
            };
            self.places += 1;
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "a count of places")]
    fn perplexity(&self) -> Option<f64> {
        (self.places > 0).then(|| (self.sum / self.places as f64).exp())
    }
}

/// Errors of one output and the spread of its target, by Welford's running mean.
#[derive(Clone, Copy, Debug, Default)]
struct Fit {
    count: f64,
    mean: f64,
    spread: f64,
    error: f64,
}

impl Fit {
    fn add(&mut self, y: f64, t: f64) {
        self.count += 1.0;
        let before = t - self.mean;
        self.mean += before / self.count;
        self.spread += before * (t - self.mean);
        self.error += (t - y) * (t - y);
    }
}

/// The mean of 1 - error / spread; for a target that is one number 1 where it is met exactly, else 0 (scikit-learn).
#[allow(clippy::cast_precision_loss, reason = "a count of outputs")]
fn r2(outputs: &[Fit]) -> Option<f64> {
    let one = |f: &Fit| match (f.spread > 0.0, f.error > 0.0) {
        (true, _) => 1.0 - f.error / f.spread,
        (false, false) => 1.0,
        (false, true) => 0.0,
    };
    (!outputs.is_empty()).then(|| outputs.iter().map(one).sum::<f64>() / outputs.len() as f64)
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

    #[test]
    fn a_sequence_has_a_class_at_each_place() {
        // Two examples of two places: (1, 0) and (0, 1), of which the last is wrong.
        let logits = vec![0.0, 1.0, 0.2, 1.0, 0.5, 0.0, 2.0, 0.0, 0.1, 0.0, 0.1, 0.0];
        let scores = Tensor::real(&[2, 2, 3], logits).unwrap();
        let labels = Tensor::int(&[2, 2], vec![1, 0, 0, 0]).unwrap();
        let mut hot = vec![0.0; 12];
        [1, 3, 6, 9].into_iter().for_each(|at| hot[at] = 1.0);
        let metrics = [Metric::Accuracy, Metric::ExactMatch, Metric::TopKAccuracy(2), Metric::ConfusionMatrix];
        for target in [labels.clone(), Tensor::real(&[2, 2, 3], hot).unwrap()] {
            let found = asked(&metrics, &scores, &target);
            assert_eq!((found.accuracy, found.exact_match), (Some(0.75), Some(0.5)));
            assert_eq!(found.top, [(2, 1.0)]);
            assert_eq!(found.confusion, Some(vec![vec![2, 1, 0], vec![0, 1, 0], vec![0, 0, 0]]));
        }
        let named = Tensor::int(&[2, 2], vec![1, 0, 0, 1]).unwrap();
        assert_eq!(
            counted(&named, Base::Fin(3), &Tensor::int(&[2, 2], vec![1, 0, 0, 0]).unwrap()),
            (Some(0.75), Some(0.5))
        );
    }

    fn asked(metrics: &[Metric], predicted: &Tensor<f64>, target: &Tensor<f64>) -> Metrics {
        let asked = Asked(metrics.to_vec());
        let mut counted = asked.counted(false);
        counted.add(predicted, Base::Real, target);
        asked.of(&counted, 0.5)
    }

    #[test]
    fn the_lower_of_equal_outputs_stands_before_the_other() {
        let scores = Tensor::real(&[3, 3], vec![0.1, 0.3, 0.3, 0.5, 0.5, 0.5, 0.0, 1.0, 2.0]).unwrap();
        let labels = Tensor::int(&[3, 1], vec![2, 1, 0]).unwrap();
        let tops = [Metric::TopKAccuracy(1), Metric::TopKAccuracy(2), Metric::TopKAccuracy(3)];
        let found = asked(&tops, &scores, &labels);
        assert_eq!(found.top, [(1, 0.0), (2, 2.0 / 3.0), (3, 1.0)]);
        let first = asked(&[Metric::Accuracy], &scores, &labels).accuracy;
        assert_eq!(first, found.value(Some(Metric::TopKAccuracy(1))), "one is the accuracy");
    }

    #[test]
    fn perplexity_is_that_of_the_mean_cross_entropy() {
        let logits = vec![0.0, 1.0, 2.0, 1.0, -1.0, 0.5];
        let labels = Tensor::int(&[2, 1], vec![2, 0]).unwrap();
        let hot = Tensor::real(&[2, 3], vec![0.0, 0.0, 1.0, 1.0, 0.0, 0.0]).unwrap();
        let log_sum = |row: &[f64]| row.iter().map(|x| x.exp()).sum::<f64>().ln();
        let by_hand = ((log_sum(&logits[..3]) - 2.0 + log_sum(&logits[3..]) - 1.0) / 2.0).exp();
        let logits = Tensor::real(&[2, 3], logits).unwrap();
        for target in [labels, hot] {
            let found = asked(&[Metric::Perplexity], &logits, &target).perplexity.unwrap();
            assert!((found - by_hand).abs() < 1e-14, "{found} {by_hand}");
        }
        // As many equal outputs as there are classes.
        let even = Tensor::real(&[1, 4], vec![1000.0; 4]).unwrap();
        let found = asked(&[Metric::Perplexity], &even, &Tensor::int(&[1, 1], vec![3]).unwrap());
        assert!((found.perplexity.unwrap() - 4.0).abs() < 1e-12);
        assert_eq!(found.score(Some(Metric::Perplexity)), found.perplexity.map(|p| -p));
    }

    #[test]
    fn r2_is_the_mean_over_outputs() {
        let target = Tensor::real(&[3, 2], vec![1.0, 5.0, 2.0, 5.0, 3.0, 5.0]).unwrap();
        let exact = asked(&[Metric::R2], &target, &target);
        assert_eq!(exact.r2, Some(1.0));
        let mean = Tensor::real(&[3, 2], vec![2.0, 5.0, 2.0, 5.0, 2.0, 5.5]).unwrap();
        assert_eq!(asked(&[Metric::R2], &mean, &target).r2, Some(0.0));
        let half = Tensor::real(&[3, 1], vec![1.5, 2.0, 2.5]).unwrap();
        let one = Tensor::real(&[3, 1], vec![1.0, 2.0, 3.0]).unwrap();
        assert_eq!(asked(&[Metric::R2], &half, &one).r2, Some(1.0 - 0.5 / 2.0));
    }
}

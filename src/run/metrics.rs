//! Numbers about predictions: accuracy and the confusion matrix.

use super::float::Float;
use super::tensor::Tensor;

/// What was measured on a part of the data.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Metrics {
    /// The mean loss, if the part is not empty.
    pub loss: f64,
    /// The share of examples whose class was found.
    pub accuracy: Option<f64>,
    /// Counts: a row a true class, a column a predicted class.
    pub confusion: Option<Vec<Vec<usize>>>,
}

/// Counts of true and predicted classes.
#[derive(Clone, Debug, Default)]
pub(super) struct Confusion {
    /// All rows are of one class, and so is every prediction.
    one_class: bool,
    counts: Vec<Vec<usize>>,
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

impl Confusion {
    pub(super) fn new(one_class: bool) -> Confusion {
        Confusion { one_class, counts: Vec::new() }
    }

    /// Counts the examples of a batch; nothing when the shapes do not tell classes.
    pub(super) fn add<T: Float>(&mut self, predicted: &Tensor<T>, target: &Tensor<T>) {
        let rows = predicted.shape().first().copied().unwrap_or(0);
        if rows == 0 {
            return;
        }
        let (p, t) = (predicted.to_f64(), target.to_f64());
        let labels = target.ints().is_some();
        let (wide, deep) = (p.len() / rows, t.len() / rows);
        if self.one_class && wide == 1 {
            let before = self.counts.first().and_then(|r| r.first()).copied().unwrap_or(0);
            self.counts = vec![vec![before + rows]];
            return;
        }
        let classes = if wide == 1 { 2 } else { wide };
        if self.counts.len() < classes {
            self.counts = vec![vec![0; classes]; classes];
        }
        for (row, truth) in p.chunks(wide.max(1)).zip(t.chunks(deep.max(1))) {
            let found = class(row, 0.0);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a label, checked by its port")]
            let real = if labels { truth.first().map_or(0, |x| *x as usize) } else { class(truth, 0.5) };
            if let Some(n) = self.counts.get_mut(real).and_then(|r| r.get_mut(found)) {
                *n += 1;
            }
        }
    }

    /// The counts.
    pub(super) fn counts(&self) -> &[Vec<usize>] {
        &self.counts
    }

    /// The share on the diagonal.
    #[allow(clippy::cast_precision_loss, reason = "counts of examples")]
    pub(super) fn accuracy(&self) -> Option<f64> {
        let total: usize = self.counts.iter().flatten().sum();
        let right: usize = self.counts.iter().enumerate().filter_map(|(i, r)| r.get(i)).sum();
        (total > 0).then(|| right as f64 / total as f64)
    }
}

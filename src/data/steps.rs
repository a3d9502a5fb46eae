//! Encoders of numbers, fitted: what each takes from the training part and what it then does.
//!
//! In: numbers, row-major, with the places of the training examples among them. Out: a [`FittedStep`] and the numbers it
//! makes. Invariant: nothing is fitted on an example outside the training part; a constant column becomes 0.

use super::labels::Labels;
use super::spec::EncoderStep;
use crate::source::{Code, Diagnostic, Diagnostics, Span};

/// An encoder with what it took from the training part.
#[derive(Clone, Debug, PartialEq)]
pub enum FittedStep {
    /// `(x - mean) / deviation`, and 0 where the deviation is 0.
    Standardise {
        /// One a column.
        mean: Vec<f64>,
        /// Of the population, one a column.
        deviation: Vec<f64>,
    },
    /// `(x - low) / (high - low)`, and 0 where they are equal.
    MinMax {
        /// One a column.
        low: Vec<f64>,
        /// One a column.
        high: Vec<f64>,
    },
    /// Multiplies.
    Scale(f64),
    /// A label as a vector with a single one.
    OneHot(usize, Labels),
    /// A label as a number.
    Class(usize, Labels),
}

impl FittedStep {
    /// Changes numbers in place, `width` to an example.
    pub(super) fn transform(&self, values: &mut [f64], width: usize) {
        let each = |values: &mut [f64], first: &[f64], second: &[f64], map: fn(f64, f64, f64) -> f64| {
            for example in values.chunks_mut(width.max(1)) {
                for ((x, a), b) in example.iter_mut().zip(first).zip(second) {
                    *x = map(*x, *a, *b);
                }
            }
        };
        match self {
            FittedStep::Standardise { mean, deviation } => {
                each(values, mean, deviation, |x, mean, d| if d == 0.0 { 0.0 } else { (x - mean) / d });
            }
            FittedStep::MinMax { low, high } => {
                each(values, low, high, |x, low, high| if low == high { 0.0 } else { (x - low) / (high - low) });
            }
            FittedStep::Scale(by) => values.iter_mut().for_each(|x| *x *= by),
            FittedStep::OneHot(..) | FittedStep::Class(..) => {}
        }
    }
}

/// Mean and population standard deviation, in two passes; distances whose squares are no doubles are made smaller or
/// larger before they are squared.
#[allow(clippy::cast_precision_loss, reason = "rows are below 2^32")]
fn mean_and_deviation<I: Iterator<Item = f64>>(values: impl Fn() -> I) -> (f64, f64) {
    let n = values().count().max(1) as f64;
    let mean = values().sum::<f64>() / n;
    let largest = values().map(|x| (x - mean).abs()).fold(0.0, f64::max);
    let scale = if largest == 0.0 || (1e-140..1e140).contains(&largest) { 1.0 } else { largest };
    let variance = values().map(|x| ((x - mean) / scale).powi(2)).sum::<f64>() / n;
    (mean, scale * variance.sqrt())
}

/// Fits `standardise` or `minmax` on the examples `train` of the values; `name` says what a place of an example is called.
pub(super) fn fit_scale(
    step: EncoderStep,
    values: &[f64],
    width: usize,
    train: &[usize],
    name: &dyn Fn(usize) -> String,
    span: Span,
    faults: &mut Diagnostics,
) -> Option<FittedStep> {
    let (mut first, mut second, mut constant) = (Vec::new(), Vec::new(), Vec::new());
    for place in 0..width {
        let of = || train.iter().filter_map(move |at| values.get(at * width + place).copied());
        let (low, high) = of().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
        if low >= high {
            constant.push(name(place));
        }
        // Equal numbers are found by comparing: their computed deviation may be a rounding error above 0.
        let (a, b) = match step {
            EncoderStep::Standardise if low < high => mean_and_deviation(of),
            EncoderStep::Standardise => (low, 0.0),
            _ => (low, high),
        };
        if low < high && b == 0.0 && matches!(step, EncoderStep::Standardise) {
            constant.push(name(place));
        }
        if !a.is_finite() || !b.is_finite() || !(high - low).is_finite() {
            faults.push(
                Diagnostic::error(Code::DATA_VALUE, format!("the numbers of {} are too far apart", name(place)))
                    .at(span, "cannot be computed")
                    .note(format!("they run from {low:e} to {high:e}"))
                    .help("put `scale(..)` in front"),
            );
            return None;
        }
        first.push(a);
        second.push(b);
    }
    if let Some(more) = constant.len().checked_sub(1) {
        let what = if more == 0 { "a column is".to_owned() } else { format!("{} columns are", more + 1) };
        let shown = constant.iter().take(12).cloned().collect::<Vec<_>>().join(", ");
        let cut = if constant.len() > 12 { ", .." } else { "" };
        faults.push(
            Diagnostic::warning(Code::DATA_VALUE, format!("{what} the same everywhere"))
                .at(span, "gives 0 there")
                .note(format!("in the training part: {shown}{cut}"))
                .help("a constant column carries nothing; leave it off"),
        );
    }
    Some(match step {
        EncoderStep::Standardise => FittedStep::Standardise { mean: first, deviation: second },
        _ => FittedStep::MinMax { low: first, high: second },
    })
}

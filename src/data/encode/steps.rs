//! Encoders, fitted: what each takes from the training part and what it then does.
//!
//! In: what flows, row-major, with the places of the training examples among them. Out: a [`FittedStep`] and what it
//! makes. Invariant: nothing is fitted on an example outside the training part unless `fit = all` is written; a constant
//! column becomes 0.

use crate::data::encode::flow::{Cuts, Flow, View, above};
use crate::data::encode::ids::Ids;
use crate::data::encode::labels::{Labels, classes, one_hot};
use crate::data::spec::{EncoderStep, types::bits_of};
use crate::data::table::Places;
use crate::data::words::{count, quoted};
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
    /// Whole numbers below the bound, or characters by their place in a vocabulary.
    Ids(Ids),
    /// The same as vectors with a single one each.
    OneHotIds(Ids),
    /// A bit for each number: whether the value is greater.
    Threshold(Vec<f64>),
    /// Bits as they stand, a label in binary, a one-hot vector.
    Bits,
    /// Thresholds of each place of an example, ascending.
    Thermometer(Vec<Vec<f64>>),
    /// The distinct values of each column: one bit each.
    Categories(Vec<Labels>),
}

impl FittedStep {
    /// What it makes of what flows; `None` when a fault was recorded.
    pub(crate) fn apply(&self, flow: Flow, view: &View<'_>, faults: &mut Diagnostics) -> Option<Flow> {
        Some(match self {
            FittedStep::Class(k, labels) => Flow::Labels(*k, classes(labels, view, faults)?),
            FittedStep::OneHot(k, labels) => Flow::Numbers(one_hot(*k, &classes(labels, view, faults)?)),
            FittedStep::Ids(ids) => Flow::Labels(ids.bound, ids.read(view, faults)?),
            FittedStep::OneHotIds(ids) => Flow::Numbers(one_hot(ids.bound, &ids.read(view, faults)?)),
            FittedStep::Threshold(cuts) => Flow::Bits(cut(flow, view, Cuts::Same(cuts), cuts.len(), faults)?),
            FittedStep::Thermometer(cuts) => Flow::Bits(cut(flow, view, Cuts::Each(cuts), cuts.len(), faults)?),
            FittedStep::Categories(all) => Flow::Bits(categories(all, view, faults)),
            FittedStep::Bits => Flow::Bits(match flow {
                Flow::Cells => view.bits(faults)?,
                Flow::Bits(bits) => bits,
                Flow::Numbers(values) => values.iter().map(|x| *x != 0.0).collect(),
                // Only a one-hot vector comes here as numbers, and it was not made of bytes.
                Flow::Bytes(..) => flow.numbers(view, faults)?.iter().map(|x| *x != 0.0).collect(),
                Flow::Labels(k, labels) => {
                    labels.iter().flat_map(|label| (0..bits_of(k)).map(move |j| label >> j & 1 == 1)).collect()
                }
            }),
            FittedStep::Scale(by) => match flow.with_bytes(view) {
                Flow::Bytes(bytes, mut numbers) => {
                    numbers.iter_mut().for_each(|x| *x *= by);
                    Flow::Bytes(bytes, numbers)
                }
                other => {
                    let mut values = other.numbers(view, faults)?;
                    values.iter_mut().for_each(|x| *x *= by);
                    Flow::Numbers(values)
                }
            },
            FittedStep::Standardise { .. } | FittedStep::MinMax { .. } => {
                let mut values = flow.numbers(view, faults)?;
                self.transform(&mut values);
                Flow::Numbers(values)
            }
        })
    }

    fn transform(&self, values: &mut [f64]) {
        let each = |values: &mut [f64], first: &[f64], second: &[f64], map: fn(f64, f64, f64) -> f64| {
            for example in values.chunks_mut(first.len().max(1)) {
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
            _ => {}
        }
    }
}

/// Entries cut into bits; `width` only counts where entries are cut each by its own numbers.
fn cut(flow: Flow, view: &View<'_>, cuts: Cuts<'_>, width: usize, faults: &mut Diagnostics) -> Option<Vec<bool>> {
    if let Flow::Cells = flow {
        return view.above(cuts, faults);
    }
    let values = flow.numbers(view, faults)?;
    let mut bits = Vec::with_capacity(values.len());
    above(&values, width, cuts, &mut bits);
    Some(bits)
}

/// One bit a known value of a column; a value that the training part has not is no bit at all.
fn categories(all: &[Labels], view: &View<'_>, faults: &mut Diagnostics) -> Vec<bool> {
    let width: usize = all.iter().map(|l| l.names().len()).sum();
    let mut bits = Vec::with_capacity(view.rows.len().saturating_mul(width));
    let mut unseen = Places::default();
    for row in view.rows {
        for (column, labels) in view.columns.iter().zip(all) {
            let text = view.table.cell(*row, *column);
            let found = labels.find(&text);
            bits.extend((0..labels.names().len()).map(|k| found == Some(k)));
            if found.is_none() {
                unseen.add(|| {
                    let (place, name) = (view.table.place(*row, *column), view.table.column_name(*column));
                    format!("{place}: {} in {name}", quoted(&text))
                });
            }
        }
    }
    if unseen.total > 0 {
        let message = format!("{} that the training part has not", count(unseen.total, "value"));
        let fault = Diagnostic::warning(Code::DATA_VALUE, message).at(view.span, "gives no bit there");
        faults.push(unseen.note(fault).help("all bits of such a value are 0"));
    }
    bits
}

/// The distinct values of each column in the examples `train`.
pub(crate) fn fit_categories(view: &View<'_>, train: &[usize]) -> FittedStep {
    let rows: Vec<usize> = train.iter().filter_map(|at| view.rows.get(*at).copied()).collect();
    let of = |column: &usize| Labels::fit(rows.iter().map(|row| view.table.cell(*row, *column)));
    FittedStep::Categories(view.columns.iter().map(of).collect())
}

/// What an encoder is fitted on.
pub(crate) struct On<'a> {
    pub(crate) view: &'a View<'a>,
    /// How many numbers an example has.
    pub(crate) width: usize,
    /// The examples it may look at.
    pub(crate) train: &'a [usize],
    /// Which these are, in words.
    pub(crate) whose: &'static str,
    /// Where the encoder stands.
    pub(crate) span: Span,
}

impl On<'_> {
    /// What people call a place of an example.
    fn name(&self, place: usize) -> String {
        match self.view.columns.get(place) {
            Some(column) if self.view.columns.len() == self.width => self.view.table.column_name(*column),
            _ => format!("place {place}"),
        }
    }

    fn warn_constant(&self, places: &[usize], faults: &mut Diagnostics) {
        let what = match places {
            [] => return,
            [_] => "a column is".to_owned(),
            several => format!("{} columns are", several.len()),
        };
        let shown: Vec<String> = places.iter().take(12).map(|place| self.name(*place)).collect();
        let cut = if places.len() > 12 { ", .." } else { "" };
        faults.push(
            Diagnostic::warning(Code::DATA_VALUE, format!("{what} the same everywhere"))
                .at(self.span, "gives 0 there")
                .note(format!("in {}: {}{cut}", self.whose, shown.join(", ")))
                .help("a constant column carries nothing; leave it off"),
        );
    }
}

/// Thresholds at the quantiles `i / (k + 1)`, place by place; between two neighbours of the sorted values a quantile is
/// interpolated.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "places among fewer than 2^32 rows"
)]
pub(crate) fn fit_thermometer(on: &On<'_>, k: usize, flow: &Flow, faults: &mut Diagnostics) -> FittedStep {
    let mut constant = Vec::new();
    let mut cuts_of = |place: usize| {
        let mut values = flow.sample(on.view, on.width, place, on.train);
        values.sort_unstable_by(f64::total_cmp);
        if values.first() == values.last() {
            constant.push(place);
        }
        let last = values.len().saturating_sub(1);
        let quantile = |i: usize| {
            let at = last as f64 * i as f64 / (k + 1) as f64;
            let below = (at as usize).min(last);
            let value = |n: usize| values.get(n.min(last)).copied().unwrap_or(0.0);
            let (low, high) = (value(below), value(below + 1));
            low + (high - low) * (at - below as f64)
        };
        (1..=k).map(quantile).collect()
    };
    let cuts = (0..on.width).map(&mut cuts_of).collect();
    on.warn_constant(&constant, faults);
    FittedStep::Thermometer(cuts)
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

/// Fits `standardise` or `minmax`.
pub(crate) fn fit_scale(
    on: &On<'_>,
    step: &EncoderStep,
    values: &[f64],
    faults: &mut Diagnostics,
) -> Option<FittedStep> {
    let (mut first, mut second, mut constant) = (Vec::new(), Vec::new(), Vec::new());
    for place in 0..on.width {
        let of = || on.train.iter().filter_map(move |at| values.get(at * on.width + place).copied());
        let (low, high) = of().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
        if low >= high {
            constant.push(place);
        }
        // Equal numbers are found by comparing: their computed deviation may be a rounding error above 0.
        let (a, b) = match step {
            EncoderStep::Standardise(_) if low < high => mean_and_deviation(of),
            EncoderStep::Standardise(_) => (low, 0.0),
            _ => (low, high),
        };
        if low < high && b == 0.0 && matches!(step, EncoderStep::Standardise(_)) {
            constant.push(place);
        }
        if !a.is_finite() || !b.is_finite() || !(high - low).is_finite() {
            faults.push(
                Diagnostic::error(Code::DATA_VALUE, format!("the numbers of {} are too far apart", on.name(place)))
                    .at(on.span, "cannot be computed")
                    .note(format!("they run from {low:e} to {high:e}"))
                    .help("put `scale(..)` in front"),
            );
            return None;
        }
        first.push(a);
        second.push(b);
    }
    on.warn_constant(&constant, faults);
    Some(match step {
        EncoderStep::Standardise(_) => FittedStep::Standardise { mean: first, deviation: second },
        _ => FittedStep::MinMax { low: first, high: second },
    })
}

//! Labels: which class a text stands for.
//!
//! In: the labels of the rows that may be looked at. Out: the distinct ones in order. Labels that are all numbers are
//! compared as numbers (`1` is `1.0`) and sorted as numbers, others are sorted as text; `with_classes` lets whole numbers
//! below the number of classes keep their number. Invariant: the order does not depend on the order of the rows.

use crate::data::encode::flow::View;
use crate::data::table::Places;
use crate::data::words::{count, list, quoted};
use crate::source::{Code, Diagnostic, Diagnostics, Span};
use std::collections::BTreeSet;

/// Distinct labels in order; the class of a label is its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Labels {
    names: Vec<String>,
    /// The same labels as numbers, when all of them are numbers.
    numbers: Option<Vec<f64>>,
}

impl Labels {
    /// The distinct labels among these.
    pub fn fit<S: AsRef<str>>(labels: impl IntoIterator<Item = S>) -> Labels {
        let mut distinct = BTreeSet::new();
        for label in labels {
            if !distinct.contains(label.as_ref()) {
                distinct.insert(label.as_ref().to_owned());
            }
        }
        let parsed: Option<Vec<(f64, String)>> =
            distinct.iter().map(|name| number(name).map(|n| (n, name.clone()))).collect();
        let Some(mut pairs) = parsed else {
            return Labels { names: distinct.into_iter().collect(), numbers: None };
        };
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        pairs.dedup_by(|a, b| a.0.total_cmp(&b.0).is_eq());
        let (numbers, names) = pairs.into_iter().unzip();
        Labels { names, numbers: Some(numbers) }
    }

    /// The labels `0..k` if these are all among them, else these.
    #[must_use]
    pub fn with_classes(self, k: usize) -> Labels {
        #[allow(clippy::cast_precision_loss, reason = "class numbers are below 2^32")]
        let keeps = |n: &f64| n.fract() == 0.0 && *n >= 0.0 && *n < k as f64;
        if !self.numbers.as_ref().is_some_and(|numbers| numbers.iter().all(keeps)) {
            return self;
        }
        let numbers = (0..k).map(|n| f64::from(u32::try_from(n).unwrap_or(u32::MAX))).collect();
        Labels { names: (0..k).map(|n| n.to_string()).collect(), numbers: Some(numbers) }
    }

    /// The names in order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The class of a label, if it is known.
    #[must_use]
    pub fn find(&self, label: &str) -> Option<usize> {
        match &self.numbers {
            Some(numbers) => {
                let n = number(label)?;
                numbers.binary_search_by(|m| m.total_cmp(&n)).ok()
            }
            None => self.names.binary_search_by(|name| name.as_str().cmp(label)).ok(),
        }
    }

    /// What `keep` compares a class with: the label itself when it is a number, else its place.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "there are fewer labels than rows, and rows are below 2^32")]
    pub fn value(&self, class: usize) -> f64 {
        self.numbers.as_ref().and_then(|numbers| numbers.get(class).copied()).unwrap_or(class as f64)
    }
}

/// The class of each row of a view's column; `None` when a fault was recorded.
pub(crate) fn classes(labels: &Labels, view: &View<'_>, faults: &mut Diagnostics) -> Option<Vec<u32>> {
    let column = view.columns.first().copied().unwrap_or(0);
    let mut unseen = Places::default();
    let mut values = Vec::with_capacity(view.rows.len());
    for row in view.rows {
        let label = view.table.cell(*row, column);
        match labels.find(&label).and_then(|class| u32::try_from(class).ok()) {
            Some(class) => values.push(class),
            None => unseen.add(|| format!("{}: {}", view.table.place(*row, column), quoted(&label))),
        }
    }
    if unseen.total == 0 {
        return Some(values);
    }
    let rows = count(unseen.total, "row");
    let fault = Diagnostic::error(Code::DATA_VALUE, format!("{rows} with a label that the training part has not"))
        .at(view.span, format!("learned {} from the training part", count(labels.names().len(), "class")))
        .note(format!("the training part has {}", list(labels.names())))
        .help("use `split = stratified(..)`, or `keep` the classes to learn");
    faults.push(unseen.note(fault));
    None
}

/// The labels of the examples `train` in a view's column; `None` when there are more than `k`.
pub(crate) fn fit_labels(
    k: usize,
    view: &View<'_>,
    train: &[usize],
    span: Span,
    faults: &mut Diagnostics,
) -> Option<Labels> {
    let column = view.columns.first().copied().unwrap_or(0);
    let train = train.iter().filter_map(|at| view.rows.get(*at));
    let found = Labels::fit(train.map(|row| view.table.cell(*row, column)));
    let n = found.names().len();
    let fault = match n.cmp(&k) {
        std::cmp::Ordering::Equal => return Some(found.with_classes(k)),
        std::cmp::Ordering::Greater => {
            Diagnostic::error(Code::DATA_VALUE, format!("{n} different labels for {}", count(k, "class")))
                .help(format!("write `[{n}]`, or `keep` fewer classes"))
        }
        std::cmp::Ordering::Less => {
            let message = format!("{} of {} without a row to learn from", k - n, count(k, "class"));
            Diagnostic::warning(Code::DATA_VALUE, message).help(format!("write `[{n}]` if there are no others"))
        }
    };
    let found_here = format!("{} has {} in the training part", view.table.column_name(column), list(found.names()));
    faults.push(fault.at(span, format!("has room for {k}")).note(found_here));
    (n <= k).then(|| found.with_classes(k))
}

/// Vectors with a single one.
pub(crate) fn one_hot(k: usize, classes: &[u32]) -> Vec<f64> {
    let mut values = vec![0.0; classes.len().saturating_mul(k)];
    for (one, class) in values.chunks_exact_mut(k.max(1)).zip(classes) {
        if let Some(place) = one.get_mut(*class as usize) {
            *place = 1.0;
        }
    }
    values
}

/// A finite number, with one zero.
fn number(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|n| n.is_finite()).map(|n| n + 0.0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used, reason = "tests")]
    use super::*;

    #[test]
    fn text_is_sorted_and_numbers_are_numbers() {
        let text = Labels::fit(["versicolor", "setosa", "versicolor", "10", "9"]);
        assert_eq!(text.names(), ["10", "9", "setosa", "versicolor"]);
        assert_eq!((text.find("9"), text.find("9.0"), text.find("x")), (Some(1), None, None));
        let numbers = Labels::fit(["10", "9", "9.0", "-0", "0"]);
        assert_eq!(numbers.names(), ["-0", "9", "10"]);
        assert_eq!((numbers.find("9.00"), numbers.find("0.0"), numbers.value(2)), (Some(1), Some(0), 10.0));
    }

    #[test]
    fn small_whole_numbers_keep_their_number() {
        let kept = Labels::fit(["3", "1"]).with_classes(5);
        assert_eq!(kept.names(), ["0", "1", "2", "3", "4"]);
        assert_eq!(kept.find("3"), Some(3));
        let mapped = Labels::fit(["4", "2"]).with_classes(2);
        assert_eq!((mapped.find("2"), mapped.find("4")), (Some(0), Some(1)));
    }
}

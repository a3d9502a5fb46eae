//! Encoders: from the text of a row to the numbers of an example.
//!
//! In: an [`Encoding`], a [`Table`] and the rows of the training part. Out: an [`Encoder`] fitted on those rows only,
//! which then turns any rows into a [`Column`]. Invariant: what an encoder gives for a row depends on that row and on the
//! training part, never on the other rows; every number it gives is finite.

use super::labels::Labels;
use super::spec::{Base, ColumnType, EncoderStep, Encoding};
use super::table::{Places, Table};
use super::words::{count, quoted};
use crate::source::{Code, Diagnostic, Diagnostics, Span};

/// The most numbers one column may hold: 2 GiB of them.
const LIMIT: usize = 1 << 28;

/// The values of all examples, one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The dimensions of one example; a label has none.
    pub shape: Vec<usize>,
    /// The values, row-major by example.
    pub values: Values,
}

/// Values by kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Real numbers.
    Real(Vec<f64>),
    /// Labels.
    Fin {
        /// The bound.
        classes: usize,
        /// Each below the bound.
        values: Vec<u32>,
    },
    /// Bits.
    Bool(Vec<bool>),
}

impl Column {
    /// The type of one example.
    #[must_use]
    pub fn column_type(&self) -> ColumnType {
        let base = match &self.values {
            Values::Real(_) => Base::Real,
            Values::Fin { classes, .. } => Base::Fin(*classes),
            Values::Bool(_) => Base::Bool,
        };
        ColumnType { shape: self.shape.clone(), base }
    }

    /// How many values one example has.
    #[must_use]
    pub fn size(&self) -> usize {
        self.shape.iter().product()
    }
}

/// An encoding fitted on a training part.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoder {
    /// The columns that are read, by number.
    pub columns: Vec<usize>,
    /// Their names, when the source has a header.
    pub names: Option<Vec<String>>,
    /// How many columns the source has.
    pub source_width: usize,
    /// What is done, in order.
    pub steps: Vec<FittedStep>,
    /// The type of one example.
    pub column_type: ColumnType,
    /// Where the encoding stands.
    pub span: Span,
}

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

impl Encoder {
    /// Fits an encoding; `train` are the rows of the table it may look at.
    pub(super) fn fit(
        encoding: &Encoding,
        columns: &[usize],
        table: &Table,
        train: &[usize],
        faults: &mut Diagnostics,
    ) -> Option<Encoder> {
        let mut encoder = Encoder {
            columns: columns.to_vec(),
            names: table.names().map(|n| columns.iter().filter_map(|c| n.get(*c).cloned()).collect()),
            source_width: table.width,
            steps: Vec::new(),
            column_type: encoding.column_type(columns.len()),
            span: encoding.span,
        };
        let mut values = Vec::new();
        let column = columns.first().copied().unwrap_or(0);
        if encoding.classes().is_none() {
            values = encoder.numbers(table, train, faults)?;
        }
        for (step, span) in &encoding.steps {
            let fitted = match step {
                EncoderStep::Flatten => continue,
                EncoderStep::Scale(by) => FittedStep::Scale(*by),
                EncoderStep::OneHot(k) => FittedStep::OneHot(*k, fit_labels(*k, column, table, train, *span, faults)?),
                EncoderStep::Class(k) => FittedStep::Class(*k, fit_labels(*k, column, table, train, *span, faults)?),
                EncoderStep::Standardise | EncoderStep::MinMax => {
                    encoder.fit_scale(*step, &values, table, *span, faults)?
                }
            };
            match &fitted {
                // A one-hot vector may be scaled: its training values are what follows is fitted on.
                FittedStep::OneHot(..) => {
                    encoder.steps.push(fitted);
                    let ones = encoder.encode(table, train, faults)?;
                    if let Values::Real(ones) = ones.values {
                        values = ones;
                    }
                    continue;
                }
                FittedStep::Class(..) => {}
                _ => fitted.transform(&mut values, encoder.width()),
            }
            encoder.steps.push(fitted);
        }
        Some(encoder)
    }

    /// Encodes rows that were not part of the data set, each as wide as the source or only the columns read, in order.
    ///
    /// # Errors
    /// A row of another width, or a value that cannot be used.
    pub fn apply(&self, rows: &[Vec<String>]) -> Result<Column, Diagnostic> {
        if rows.is_empty() {
            return Ok(self.empty());
        }
        let table = Table::of_rows(rows, "row", self.span)?;
        let all: Vec<usize> = (0..table.rows).collect();
        let one = |faults: Diagnostics| {
            let none = || Diagnostic::error(Code::DATA_VALUE, "these rows cannot be encoded").at(self.span, "");
            faults.0.into_iter().find(Diagnostic::is_error).unwrap_or_else(none)
        };
        let mut faults = Diagnostics::default();
        self.fitted_to(&table)?.encode(&table, &all, &mut faults).ok_or_else(|| one(faults))
    }

    /// The same encoder for a table that may have only the columns read.
    pub(super) fn fitted_to(&self, table: &Table) -> Result<Encoder, Diagnostic> {
        let mut encoder = self.clone();
        if let (Some(ours), Some(theirs)) = (&self.names, table.names()) {
            let found: Option<Vec<usize>> = ours.iter().map(|n| theirs.iter().position(|t| t == n)).collect();
            if let Some(columns) = found {
                encoder.columns = columns;
                return Ok(encoder);
            }
        }
        if table.width == self.source_width {
            return Ok(encoder);
        }
        if table.width == self.columns.len() {
            encoder.columns = (0..table.width).collect();
            return Ok(encoder);
        }
        let expected = format!("{} as in the source, or the {} read", self.source_width, self.columns.len());
        Err(Diagnostic::error(Code::DATA_COLUMN, format!("these rows have {}", count(table.width, "value")))
            .at(self.span, "reads them")
            .note(format!("expected {expected}"))
            .help("give every row the columns of the source, in its order"))
    }

    /// The labels of a class or one-hot encoding.
    #[must_use]
    pub fn labels(&self) -> Option<&Labels> {
        self.steps.iter().find_map(|step| match step {
            FittedStep::OneHot(_, labels) | FittedStep::Class(_, labels) => Some(labels),
            _ => None,
        })
    }

    fn empty(&self) -> Column {
        let values = match self.column_type.base {
            Base::Real => Values::Real(Vec::new()),
            Base::Fin(classes) => Values::Fin { classes, values: Vec::new() },
            Base::Bool => Values::Bool(Vec::new()),
        };
        Column { shape: self.column_type.shape.clone(), values }
    }

    fn width(&self) -> usize {
        self.column_type.shape.iter().product()
    }

    /// Encodes rows of a table.
    pub(super) fn encode(&self, table: &Table, rows: &[usize], faults: &mut Diagnostics) -> Option<Column> {
        let shape = self.column_type.shape.clone();
        if rows.len().checked_mul(self.width()).is_none_or(|n| n > LIMIT) {
            faults.push(
                Diagnostic::error(Code::LIMIT, format!("more than {LIMIT} numbers in one column of a data set"))
                    .at(self.span, format!("{} of {} numbers", count(rows.len(), "row"), self.width())),
            );
            return None;
        }
        let (mut values, rest) = match self.steps.split_first() {
            Some((FittedStep::Class(classes, labels), _)) => {
                let values = self.classes(labels, table, rows, faults)?;
                return Some(Column { shape, values: Values::Fin { classes: *classes, values } });
            }
            Some((FittedStep::OneHot(k, labels), rest)) => {
                let classes = self.classes(labels, table, rows, faults)?;
                let mut values = vec![0.0; rows.len() * k];
                for (one, class) in values.chunks_exact_mut((*k).max(1)).zip(classes) {
                    if let Some(place) = one.get_mut(class as usize) {
                        *place = 1.0;
                    }
                }
                (values, rest)
            }
            _ => (self.numbers(table, rows, faults)?, self.steps.as_slice()),
        };
        for step in rest {
            step.transform(&mut values, self.width());
        }
        if let Some(at) = values.iter().position(|v| !v.is_finite()) {
            let width = self.width().max(1);
            let (row, column) = (rows.get(at / width).copied().unwrap_or(0), at % width);
            let column = self.columns.get(column).copied().unwrap_or(0);
            faults.push(
                Diagnostic::error(Code::DATA_VALUE, "a number becomes too large when encoded")
                    .at(self.span, "encoded here")
                    .note(format!("{}: {}", table.place(row, column), quoted(&table.cell(row, column)))),
            );
            return None;
        }
        Some(Column { shape, values: Values::Real(values) })
    }

    fn classes(&self, labels: &Labels, table: &Table, rows: &[usize], faults: &mut Diagnostics) -> Option<Vec<u32>> {
        let column = self.columns.first().copied().unwrap_or(0);
        let mut unseen = Places::default();
        let mut values = Vec::with_capacity(rows.len());
        for row in rows {
            let label = table.cell(*row, column);
            match labels.find(&label).and_then(|class| u32::try_from(class).ok()) {
                Some(class) => values.push(class),
                None => unseen.add(|| format!("{}: {}", table.place(*row, column), quoted(&label))),
            }
        }
        if unseen.total == 0 {
            return Some(values);
        }
        let rows = count(unseen.total, "row");
        let fault = Diagnostic::error(Code::DATA_VALUE, format!("{rows} with a label that the training part has not"))
            .at(self.span, format!("learned {} from the training part", count(labels.names().len(), "class")))
            .note(format!("the training part has {}", super::words::list(labels.names())))
            .help("use `split = stratified(..)`, or `keep` the classes to learn");
        faults.push(unseen.note(fault));
        None
    }

    fn numbers(&self, table: &Table, rows: &[usize], faults: &mut Diagnostics) -> Option<Vec<f64>> {
        super::numbers::numbers(table, rows, &self.columns, self.span, faults)
    }

    fn fit_scale(
        &self,
        step: EncoderStep,
        values: &[f64],
        table: &Table,
        span: Span,
        faults: &mut Diagnostics,
    ) -> Option<FittedStep> {
        let width = self.width().max(1);
        let (mut first, mut second) = (Vec::new(), Vec::new());
        let mut constant = Vec::new();
        for column in 0..width {
            let of = || values.iter().skip(column).step_by(width).copied();
            let (low, high) = of().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
            if low >= high {
                let source = self.columns.get(column).copied().filter(|_| self.columns.len() == width);
                constant.push(source.map_or_else(|| format!("place {column}"), |c| table.column_name(c)));
            }
            let (a, b) = match step {
                EncoderStep::Standardise if low < high => mean_and_deviation(of),
                EncoderStep::Standardise => (low, 0.0),
                _ => (low, high),
            };
            if !a.is_finite() || !b.is_finite() || !(high - low).is_finite() {
                faults.push(
                    Diagnostic::error(
                        Code::DATA_VALUE,
                        format!("the numbers of {} are too far apart", table.column_name(column)),
                    )
                    .at(span, "cannot be computed")
                    .note(format!("they run from {low} to {high}"))
                    .help("put `scale(..)` in front"),
                );
                return None;
            }
            first.push(a);
            second.push(b);
        }
        if !constant.is_empty() {
            faults.push(
                Diagnostic::warning(
                    Code::DATA_VALUE,
                    format!(
                        "{} the same everywhere",
                        match constant.len() {
                            1 => "a column is".to_owned(),
                            n => format!("{n} columns are"),
                        }
                    ),
                )
                .at(span, "gives 0 there")
                .note(format!(
                    "in the training part: {}",
                    constant.iter().take(12).cloned().collect::<Vec<_>>().join(", ")
                ))
                .help("a constant column carries nothing; leave it off"),
            );
        }
        Some(match step {
            EncoderStep::Standardise => FittedStep::Standardise { mean: first, deviation: second },
            _ => FittedStep::MinMax { low: first, high: second },
        })
    }
}

impl FittedStep {
    fn transform(&self, values: &mut [f64], width: usize) {
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

/// Mean and population standard deviation, in two passes.
#[allow(clippy::cast_precision_loss, reason = "rows are below 2^32")]
fn mean_and_deviation<I: Iterator<Item = f64>>(values: impl Fn() -> I) -> (f64, f64) {
    let n = values().count().max(1) as f64;
    let mean = values().sum::<f64>() / n;
    let variance = values().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
    (mean, variance.sqrt())
}

fn fit_labels(
    k: usize,
    column: usize,
    table: &Table,
    train: &[usize],
    span: Span,
    faults: &mut Diagnostics,
) -> Option<Labels> {
    let found = Labels::fit(train.iter().map(|row| table.cell(*row, column)));
    let n = found.names().len();
    if n > k {
        faults.push(
            Diagnostic::error(Code::DATA_VALUE, format!("{n} different labels for {}", count(k, "class")))
                .at(span, format!("has room for {k}"))
                .note(format!(
                    "{} has {} in the training part",
                    table.column_name(column),
                    super::words::list(found.names())
                ))
                .help(format!("write `[{n}]`, or `keep` fewer classes")),
        );
        return None;
    }
    let missing = k - n;
    if missing > 0 {
        faults.push(
            Diagnostic::warning(
                Code::DATA_VALUE,
                format!("{missing} of {} without a row to learn from", count(k, "class")),
            )
            .at(span, format!("has room for {k}"))
            .note(format!(
                "{} has {} in the training part",
                table.column_name(column),
                super::words::list(found.names())
            ))
            .help(format!("write `[{n}]` if there are no others")),
        );
    }
    Some(found.with_classes(k))
}

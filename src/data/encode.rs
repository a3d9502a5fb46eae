//! Encoders: from the text of a row to the numbers of an example.
//!
//! In: an [`Encoding`], a [`Table`] and the rows of the training part. Out: an [`Encoder`] fitted on those rows only,
//! which then turns any rows into a [`Column`]. Invariant: what an encoder gives for a row depends on that row and on the
//! training part, never on the other rows; every number it gives is finite.

use super::column::{Column, Values};
use super::labels::Labels;
use super::spec::{Base, ColumnType, EncoderStep, Encoding};
use super::steps::{FittedStep, fit_scale};
use super::table::{Places, Table};
use super::words::{count, list, quoted};
use crate::source::{Code, Diagnostic, Diagnostics, Span};

/// The most numbers one column may hold: 2 GiB of them.
const LIMIT: usize = 1 << 28;

/// An encoding fitted on a training part.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoder {
    /// The columns that are read, by number.
    pub columns: Vec<usize>,
    /// How many columns the source has.
    pub source_width: usize,
    /// The names of all its columns, when it has a header.
    pub source_names: Option<Vec<String>>,
    /// What is done, in order.
    pub steps: Vec<FittedStep>,
    /// The type of one example.
    pub column_type: ColumnType,
    /// Where the encoding stands.
    pub span: Span,
}

impl Encoder {
    /// Fits an encoding on the places `train` among the rows, and encodes all rows.
    pub(super) fn fit(
        encoding: &Encoding,
        columns: &[usize],
        table: &Table,
        rows: &[usize],
        train: &[usize],
        faults: &mut Diagnostics,
    ) -> Option<(Encoder, Column)> {
        let mut encoder = Encoder {
            columns: columns.to_vec(),
            source_width: table.width,
            source_names: table.names(),
            steps: Vec::new(),
            column_type: encoding.column_type(columns.len()),
            span: encoding.span,
        };
        encoder.check_size(rows.len(), faults)?;
        let mut values = match encoding.classes() {
            None => encoder.numbers(table, rows, faults)?,
            Some(_) => Vec::new(),
        };
        for (step, span) in &encoding.steps {
            let fitted = match step {
                EncoderStep::Flatten => continue,
                EncoderStep::Class(k) | EncoderStep::OneHot(k) => {
                    let labels = encoder.fit_labels(*k, table, rows, train, *span, faults)?;
                    let classes = encoder.classes(&labels, table, rows, faults)?;
                    if matches!(step, EncoderStep::Class(_)) {
                        encoder.steps.push(FittedStep::Class(*k, labels));
                        return Some((encoder, Column::of_labels(*k, classes)));
                    }
                    values = one_hot(*k, &classes);
                    encoder.steps.push(FittedStep::OneHot(*k, labels));
                    continue;
                }
                EncoderStep::Scale(by) => FittedStep::Scale(*by),
                EncoderStep::Standardise | EncoderStep::MinMax => {
                    let width = encoder.width();
                    let name = |place: usize| match encoder.columns.get(place) {
                        Some(column) if encoder.columns.len() == width => table.column_name(*column),
                        _ => format!("place {place}"),
                    };
                    fit_scale(*step, &values, width, train, &name, *span, faults)?
                }
            };
            fitted.transform(&mut values, encoder.width());
            encoder.steps.push(fitted);
        }
        let column = encoder.finish(values, table, rows, faults)?;
        Some((encoder, column))
    }

    /// Encodes rows that were not part of the data set, each as wide as the source or only the columns read, in order.
    ///
    /// # Errors
    /// A row of another width, or a value that cannot be used.
    pub fn apply(&self, rows: &[Vec<String>]) -> Result<Column, Diagnostic> {
        let Some(first) = rows.first() else { return Ok(self.empty()) };
        let fail = |message: String| Diagnostic::error(Code::DATA_VALUE, message).at(self.span, "encodes them");
        if let Some(at) = rows.iter().position(|row| row.len() != first.len() || row.is_empty()) {
            let width = rows.get(at).map_or(0, Vec::len);
            let message = format!("row {at} has {}, row 0 has {}", count(width, "value"), first.len());
            return Err(fail(message).help("give every row the columns of the source, in its order"));
        }
        let table = Table::of_rows(rows, "row", self.span)?;
        let all: Vec<usize> = (0..table.rows).collect();
        let mut faults = Diagnostics::default();
        self.fitted_to(&table)?.encode(&table, &all, &mut faults).ok_or_else(|| {
            let first = faults.0.into_iter().find(Diagnostic::is_error);
            first.unwrap_or_else(|| fail("these rows cannot be encoded".to_owned()))
        })
    }

    /// The same encoder for a table that may have its columns in another order, or only those that are read.
    pub(super) fn fitted_to(&self, table: &Table) -> Result<Encoder, Diagnostic> {
        let theirs = table.names();
        let fail = |message: String| Diagnostic::error(Code::DATA_COLUMN, message).at(self.span, "reads them");
        if let (Some(ours), Some(theirs)) = (&self.source_names, &theirs)
            && ours != theirs
        {
            let mut columns = Vec::new();
            for name in self.columns.iter().filter_map(|c| ours.get(*c)) {
                match (theirs.iter().position(|t| t == name), theirs.iter().filter(|t| *t == name).count()) {
                    (Some(at), 1) => columns.push(at),
                    (_, n) => {
                        let message = format!("{} called {}", count(n, "column"), quoted(name));
                        return Err(fail(message).note(format!("the columns are {}", list(theirs))));
                    }
                }
            }
            return Ok(Encoder { columns, ..self.clone() });
        }
        if table.width == self.source_width {
            return Ok(self.clone());
        }
        if table.width == self.columns.len() {
            return Ok(Encoder { columns: (0..table.width).collect(), ..self.clone() });
        }
        Err(fail(format!("these rows have {}", count(table.width, "value")))
            .note(format!("expected {} as in the source, or the {} read", self.source_width, self.columns.len()))
            .help("give every row the columns of the source, in its order"))
    }

    /// Whether a table has the columns that are read.
    pub(super) fn has_columns(&self, table: &Table) -> bool {
        match (&self.source_names, table.names()) {
            (Some(ours), Some(theirs)) => {
                self.columns.iter().filter_map(|c| ours.get(*c)).all(|name| theirs.contains(name))
            }
            _ => table.width == self.source_width,
        }
    }

    /// The labels of a class or one-hot encoding.
    #[must_use]
    pub fn labels(&self) -> Option<&Labels> {
        self.steps.iter().find_map(|step| match step {
            FittedStep::OneHot(_, labels) | FittedStep::Class(_, labels) => Some(labels),
            _ => None,
        })
    }

    /// Encodes rows of a table.
    pub(super) fn encode(&self, table: &Table, rows: &[usize], faults: &mut Diagnostics) -> Option<Column> {
        self.check_size(rows.len(), faults)?;
        let (mut values, rest) = match self.steps.split_first() {
            Some((FittedStep::Class(k, labels), _)) => {
                return Some(Column::of_labels(*k, self.classes(labels, table, rows, faults)?));
            }
            Some((FittedStep::OneHot(k, labels), rest)) => {
                (one_hot(*k, &self.classes(labels, table, rows, faults)?), rest)
            }
            _ => (self.numbers(table, rows, faults)?, self.steps.as_slice()),
        };
        for step in rest {
            step.transform(&mut values, self.width());
        }
        self.finish(values, table, rows, faults)
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

    fn check_size(&self, rows: usize, faults: &mut Diagnostics) -> Option<()> {
        if rows.checked_mul(self.width()).is_some_and(|n| n <= LIMIT) {
            return Some(());
        }
        faults.push(
            Diagnostic::error(Code::LIMIT, format!("more than {LIMIT} numbers in one column of a data set"))
                .at(self.span, format!("{} of {} numbers", count(rows, "row"), self.width())),
        );
        None
    }

    fn numbers(&self, table: &Table, rows: &[usize], faults: &mut Diagnostics) -> Option<Vec<f64>> {
        super::numbers::numbers(table, rows, &self.columns, self.span, faults)
    }

    /// The column of the numbers, if they are finite.
    fn finish(&self, values: Vec<f64>, table: &Table, rows: &[usize], faults: &mut Diagnostics) -> Option<Column> {
        if let Some(at) = values.iter().position(|v| !v.is_finite()) {
            let width = self.width().max(1);
            let row = rows.get(at / width).copied().unwrap_or(0);
            let column = self.columns.get(at % width).or(self.columns.first()).copied().unwrap_or(0);
            faults.push(
                Diagnostic::error(Code::DATA_VALUE, "a number becomes too large when encoded")
                    .at(self.span, "encoded here")
                    .note(format!("{}: {}", table.place(row, column), quoted(&table.cell(row, column)))),
            );
            return None;
        }
        Some(Column { shape: self.column_type.shape.clone(), values: Values::Real(values) })
    }

    fn label_column(&self) -> usize {
        self.columns.first().copied().unwrap_or(0)
    }

    fn classes(&self, labels: &Labels, table: &Table, rows: &[usize], faults: &mut Diagnostics) -> Option<Vec<u32>> {
        let column = self.label_column();
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
            .note(format!("the training part has {}", list(labels.names())))
            .help("use `split = stratified(..)`, or `keep` the classes to learn");
        faults.push(unseen.note(fault));
        None
    }

    fn fit_labels(
        &self,
        k: usize,
        table: &Table,
        rows: &[usize],
        train: &[usize],
        span: Span,
        faults: &mut Diagnostics,
    ) -> Option<Labels> {
        let column = self.label_column();
        let train = train.iter().filter_map(|at| rows.get(*at));
        let found = Labels::fit(train.map(|row| table.cell(*row, column)));
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
        let found_here = format!("{} has {} in the training part", table.column_name(column), list(found.names()));
        faults.push(fault.at(span, format!("has room for {k}")).note(found_here));
        (n <= k).then(|| found.with_classes(k))
    }
}

fn one_hot(k: usize, classes: &[u32]) -> Vec<f64> {
    let mut values = vec![0.0; classes.len().saturating_mul(k)];
    for (one, class) in values.chunks_exact_mut(k.max(1)).zip(classes) {
        if let Some(place) = one.get_mut(*class as usize) {
            *place = 1.0;
        }
    }
    values
}

//! Encoders: from the cells of a row to the values of an example.
//!
//! In: an [`Encoding`], a [`Table`] and the rows of the training part. Out: an [`Encoder`] fitted on those rows only,
//! which then turns any rows into a [`Column`]. Invariant: what an encoder gives for a row depends on that row and on the
//! training part, never on the other rows; every number it gives is finite.

pub(crate) mod column;
pub(crate) mod flow;
pub(crate) mod ids;
pub(crate) mod labels;
pub(crate) mod numbers;
pub(crate) mod steps;

use self::ids::Ids;
use crate::data::encode::column::{Column, Values};
use crate::data::encode::flow::{Flow, View};
use crate::data::encode::labels::{Labels, fit_labels};
use crate::data::encode::steps::{FittedStep, On, fit_categories, fit_scale, fit_thermometer};
use crate::data::spec::{Base, ColumnType, EncoderStep, Encoding, Fit};
use crate::data::table::{Selection, Table};
use crate::data::words::{count, list, quoted};
use crate::source::{Code, Diagnostic, Diagnostics, Span};
use std::sync::Arc;

/// The most numbers one column may hold: 2 GiB of them.
pub(crate) const LIMIT: usize = 1 << 28;

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
    pub(crate) fn fit(
        encoding: &Encoding,
        selection: &Selection,
        table: &Table,
        rows: &[usize],
        train: &[usize],
        faults: &mut Diagnostics,
    ) -> Option<(Encoder, Column)> {
        // How many bits `categories` gives is known when it is fitted.
        let vocabulary = table.vocabulary();
        let guess = encoding.typed(
            &selection.shape,
            selection.base,
            Some(selection.columns.len()),
            vocabulary.map(|all| all.len()),
        )?;
        let mut encoder = Encoder {
            columns: selection.columns.clone(),
            source_width: table.width,
            source_names: table.names(),
            steps: Vec::new(),
            column_type: guess,
            span: encoding.span,
        };
        encoder.check_size(rows.len(), faults)?;
        let view = View { table, rows, columns: &selection.columns, span: encoding.span };
        let mut flow = Flow::Cells;
        let mut width = selection.columns.len();
        let all: Vec<usize> = (0..rows.len()).collect();
        for (step, span) in &encoding.steps {
            let (train, whose) = match step {
                EncoderStep::Standardise(Fit::All) | EncoderStep::MinMax(Fit::All) => (all.as_slice(), "all rows"),
                _ => (train, "the training part"),
            };
            let on = On { view: &view, width, train, whose, span: *span };
            let fitted = match step {
                EncoderStep::Flatten => continue,
                EncoderStep::Class(k) => FittedStep::Class(*k, fit_labels(*k, &view, train, *span, faults)?),
                EncoderStep::OneHot(k) => {
                    width = *k;
                    FittedStep::OneHot(*k, fit_labels(*k, &view, train, *span, faults)?)
                }
                EncoderStep::Ids(k) => FittedStep::Ids(Ids::fit(*k, vocabulary, *span, faults)?),
                EncoderStep::OneHotIds(k) => {
                    let ids = Ids::fit(*k, vocabulary, *span, faults)?;
                    width = width.saturating_mul(ids.bound);
                    FittedStep::OneHotIds(ids)
                }
                EncoderStep::Scale(by) => FittedStep::Scale(*by),
                EncoderStep::Threshold(cuts) => FittedStep::Threshold(cuts.clone()),
                EncoderStep::Bits => FittedStep::Bits,
                EncoderStep::Thermometer(k) => {
                    if matches!(flow, Flow::Cells) && table.is_text() {
                        flow = Flow::Numbers(view.numbers(faults)?);
                    }
                    fit_thermometer(&on, *k, &flow, faults)
                }
                EncoderStep::Categories => {
                    let fitted = fit_categories(&view, train);
                    if let FittedStep::Categories(all) = &fitted {
                        let bits = all.iter().map(|labels| labels.names().len()).sum();
                        encoder.column_type = encoding.typed(&selection.shape, selection.base, Some(bits), None)?;
                        encoder.check_size(rows.len(), faults)?;
                    }
                    fitted
                }
                EncoderStep::Standardise(_) | EncoderStep::MinMax(_) => {
                    let values = flow.numbers(&view, faults)?;
                    let fitted = fit_scale(&on, step, &values, faults)?;
                    flow = Flow::Numbers(values);
                    fitted
                }
            };
            flow = fitted.apply(flow, &view, faults)?;
            encoder.steps.push(fitted);
        }
        let column = encoder.finish(flow, &view, faults)?;
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
    pub(crate) fn fitted_to(&self, table: &Table) -> Result<Encoder, Diagnostic> {
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
                        let message = match n {
                            0 => format!("there is no column {}", quoted(name)),
                            n => format!("{n} columns are called {}", quoted(name)),
                        };
                        let fault = fail(message).note(format!("the columns are {}", list(theirs)));
                        return Err(fault.help("begin with a line of the names that the run reads, in any order"));
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
    pub(crate) fn has_columns(&self, table: &Table) -> bool {
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

    /// The characters by their numbers, when the source is a text.
    #[must_use]
    pub fn vocabulary(&self) -> Option<&Arc<[char]>> {
        self.steps.iter().find_map(|step| match step {
            FittedStep::Ids(ids) | FittedStep::OneHotIds(ids) => ids.vocabulary.as_ref(),
            _ => None,
        })
    }

    /// Encodes rows of a table.
    pub(crate) fn encode(&self, table: &Table, rows: &[usize], faults: &mut Diagnostics) -> Option<Column> {
        self.check_size(rows.len(), faults)?;
        let view = View { table, rows, columns: &self.columns, span: self.span };
        let mut flow = Flow::Cells;
        for step in &self.steps {
            flow = step.apply(flow, &view, faults)?;
        }
        self.finish(flow, &view, faults)
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
                .at(self.span, format!("{} of {} numbers", count(rows, "row"), self.width()))
                .help("read fewer rows or columns"),
        );
        None
    }

    /// The column of what flowed out, numbers if they are finite.
    fn finish(&self, flow: Flow, view: &View<'_>, faults: &mut Diagnostics) -> Option<Column> {
        let shape = self.column_type.shape.clone();
        let values = match flow {
            Flow::Labels(classes, values) => return Some(Column { shape, values: Values::Fin { classes, values } }),
            Flow::Bits(bits) => return Some(Column { shape, values: Values::Bool(bits) }),
            // Without an encoder cells are what the source says they are.
            Flow::Cells if self.column_type.base == Base::Bool => {
                return Some(Column { shape, values: Values::Bool(view.bits(faults)?) });
            }
            flow => match flow.with_bytes(view) {
                Flow::Bytes(bytes, numbers) if numbers.iter().all(|x| x.is_finite()) => {
                    let (bytes, numbers) = (Arc::new(bytes), numbers.into());
                    return Some(Column { shape, values: Values::Bytes { bytes, numbers } });
                }
                flow => flow.numbers(view, faults)?,
            },
        };
        if let Some(at) = values.iter().position(|v| !v.is_finite()) {
            let width = self.width().max(1);
            let row = view.rows.get(at / width).copied().unwrap_or(0);
            let column = self.columns.get(at % width).or(self.columns.first()).copied().unwrap_or(0);
            let (place, text) = (view.table.place(row, column), view.table.cell(row, column));
            faults.push(
                Diagnostic::error(Code::DATA_VALUE, "a number becomes too large when encoded")
                    .at(self.span, "encoded here")
                    .note(format!("{place}: {}", quoted(&text)))
                    .help("correct this value, or leave its row out of the file"),
            );
            return None;
        }
        Some(Column { shape, values: Values::Real(values) })
    }
}

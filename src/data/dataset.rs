//! From a [`DataSpec`] to a [`Dataset`]: read, keep, split, encode.
//!
//! In: a spec, the [`World`] and a seed. Out: the examples with their parts, encoders and the hashes of the files, or
//! every fault found. Invariant: encoders saw the training part only; row numbers in parts index the examples in the
//! columns, those of the source first, those of the test file after them.

use crate::data::encode::Encoder;
use crate::data::encode::column::Column;
use crate::data::encode::labels::Labels;
use crate::data::encode::numbers::is_missing;
use crate::data::fresh::Fresh;
use crate::data::source::Reading;
use crate::data::source::read::SourceFile;
use crate::data::source::truth::Evaluate;
use crate::data::spec::{DataSpec, Encoding, Keep, KeepTest, KeepValue, SplitKind, Target};
use crate::data::split::{Classes, Parts, divide};
use crate::data::table::{Places, Selection, Table};
use crate::data::words::{count, list, quoted};
use crate::source::{Code, Diagnostic, Diagnostics, World};
use std::sync::Arc;

/// Examples, ready for training.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The name of the item.
    pub name: Arc<str>,
    /// The inputs of all examples.
    pub input: Column,
    /// Their targets.
    pub target: Option<Column>,
    /// Which examples are for what; of the first fold when there are folds.
    pub parts: Parts,
    /// The parts of every fold of `kfold`, else empty; see [`Dataset::fold`].
    pub folds: Vec<Parts>,
    /// The names of the classes of the target, in order; empty when it has none.
    pub classes: Vec<String>,
    /// The number of examples.
    pub row_count: usize,
    /// Whether training visits the examples in random order.
    pub shuffle: bool,
    /// The files that were read.
    pub sources: Vec<SourceFile>,
    /// What should be said though it is no error.
    pub warnings: Vec<Diagnostic>,
    /// What made the inputs, for rows to come.
    pub input_encoder: Encoder,
    /// What made the targets.
    pub target_encoder: Option<Encoder>,
    raw: Arc<Raw>,
}

/// What the encoders of another fold are fitted on, and how files to come are read.
#[derive(Clone, Debug)]
struct Raw {
    spec: DataSpec,
    /// Only kept when there are folds.
    table: Option<Table>,
    rows: Vec<usize>,
    input: Selection,
    target: Option<Selection>,
}

/// Reads and encodes the data of a spec named in the file `from`; `evaluate` runs the expression of a truth table.
///
/// # Errors
/// Everything found to be wrong with files, columns, values and split.
pub fn load(
    spec: &DataSpec,
    from: &str,
    world: &dyn World,
    seed: u64,
    evaluate: Evaluate<'_>,
) -> Result<Dataset, Diagnostics> {
    let mut faults = Diagnostics::default();
    let reading = Reading { from, world, evaluate, files: Vec::new() };
    match load_into(spec, reading, seed, &mut faults) {
        Some(mut dataset) if !faults.has_errors() => {
            dataset.warnings = faults.0;
            Ok(dataset)
        }
        _ => Err(faults),
    }
}

fn load_into(spec: &DataSpec, mut reading: Reading<'_>, seed: u64, faults: &mut Diagnostics) -> Option<Dataset> {
    let table = reading.table(spec, faults)?;
    let input = table.resolve(&spec.input, spec.source.span, faults);
    let target = match &spec.target {
        None => Some(None),
        Some(Target::Input(_)) => input.clone().map(Some),
        Some(Target::Encoding(e)) => table.resolve(e, spec.source.span, faults).map(Some),
    };
    let (input, target) = (input?, target?);
    let labels = match (spec.class_target(), target.as_ref().and_then(|t| t.columns.first())) {
        (Some(encoding), Some(column)) => Some(label_rows(encoding, *column, &table, faults)?),
        _ => None,
    };
    let rows = keep_rows(spec, &table, labels.as_ref(), faults)?;
    let source_rows = rows.iter().filter(|row| **row < table.source_rows).count();
    let of_row: Option<Vec<usize>> =
        labels.as_ref().map(|(_, classes)| rows.iter().filter_map(|row| classes.get(*row).copied()).collect());
    let classes =
        labels.as_ref().zip(of_row.as_ref()).map(|((labels, _), of_row)| Classes { of_row, names: labels.names() });
    let mut all = divide(&spec.split, source_rows, spec.overlap(), classes.as_ref(), seed, faults)?;
    let folded = matches!(spec.split.kind, SplitKind::Folds { .. });
    if spec.test.is_some() {
        for parts in &mut all {
            if folded {
                parts.valid = std::mem::take(&mut parts.test);
            }
            parts.test = (source_rows..rows.len()).collect();
        }
    }
    let first = all.first()?.clone();
    let folds = if folded { all } else { Vec::new() };
    let raw = Raw { spec: spec.clone(), table: None, rows, input, target };
    let mut dataset = encode(Arc::new(raw), &table, first, faults)?;
    // The other folds are encoded once here, so that their faults are told before anything runs.
    for parts in folds.iter().skip(1) {
        encode(Arc::clone(&dataset.raw), &table, parts.clone(), faults)?;
    }
    if folded {
        let Raw { spec, rows, input, target, .. } = Arc::unwrap_or_clone(dataset.raw);
        dataset.raw = Arc::new(Raw { spec, table: Some(table), rows, input, target });
    }
    dataset.folds = folds;
    dataset.sources = reading.files;
    Some(dataset)
}

impl Dataset {
    /// The data set of one fold: its parts, encoded by encoders fitted on its training part.
    ///
    /// # Errors
    /// There is no such fold.
    pub fn fold(&self, i: usize) -> Result<Dataset, Diagnostics> {
        let none = || {
            let message = format!("there is no fold {i}, there are {}", count(self.folds.len(), "fold"));
            Diagnostics::from(
                Diagnostic::error(Code::DATA_SPLIT, message)
                    .at(self.raw.spec.split.span, "this split")
                    .help("folds are counted from 0"),
            )
        };
        let (Some(parts), Some(table)) = (self.folds.get(i), &self.raw.table) else { return Err(none()) };
        let mut faults = Diagnostics::default();
        match encode(Arc::clone(&self.raw), table, parts.clone(), &mut faults) {
            Some(fold) => Ok(Dataset { sources: self.sources.clone(), warnings: faults.0, ..fold }),
            None => Err(faults),
        }
    }

    /// Encodes a file of the same form as the source; the target is absent when the file has only the input's columns.
    ///
    /// # Errors
    /// The file cannot be read, or has other columns or values that cannot be used.
    pub fn encode_file(&self, name: &str, bytes: Vec<u8>) -> Result<(Column, Option<Column>), Diagnostics> {
        let fresh = Fresh::of_source(&self.raw.spec.source, &self.input_encoder, name, bytes)?;
        let (input, _) = fresh.encode(&self.input_encoder)?;
        let target = self.target_encoder.as_ref().filter(|e| fresh.has(e)).map(|e| fresh.encode(e)).transpose()?;
        Ok((input, target.map(|(column, _)| column)))
    }
}

fn encode(raw: Arc<Raw>, table: &Table, parts: Parts, faults: &mut Diagnostics) -> Option<Dataset> {
    let spec = &raw.spec;
    let mut one = |encoding: &Encoding, selection: &Selection| {
        Encoder::fit(encoding, selection, table, &raw.rows, &parts.train, faults)
    };
    let input = one(&spec.input, &raw.input);
    let target = match (&spec.target, &raw.target) {
        (Some(Target::Encoding(encoding)), Some(columns)) => Some(one(encoding, columns)),
        (Some(Target::Input(_)), _) => Some(input.clone()),
        _ => None,
    };
    let (input_encoder, input) = input?;
    let (target_encoder, target) = match target {
        Some(made) => made.map(|(encoder, column)| (Some(encoder), Some(column)))?,
        None => (None, None),
    };
    let classes = target_encoder.as_ref().and_then(Encoder::labels).map_or_else(Vec::new, |l| l.names().to_vec());
    Some(Dataset {
        name: Arc::clone(&spec.name),
        input,
        target,
        parts,
        folds: Vec::new(),
        classes,
        row_count: raw.rows.len(),
        shuffle: spec.shuffle,
        sources: Vec::new(),
        warnings: Vec::new(),
        input_encoder,
        target_encoder,
        raw,
    })
}

/// The class of every row, for `keep` and stratified splits.
fn label_rows(
    encoding: &Encoding,
    column: usize,
    table: &Table,
    faults: &mut Diagnostics,
) -> Option<(Labels, Vec<usize>)> {
    let mut missing = Places::default();
    for row in 0..table.rows {
        let label = table.cell(row, column);
        if is_missing(&label) {
            missing.add(|| format!("{}: {}", table.place(row, column), quoted(&label)));
        }
    }
    if missing.total > 0 {
        let message = format!("{} without a label", count(missing.total, "row"));
        let fault = Diagnostic::error(Code::DATA_VALUE, message).at(encoding.span, "reads a label a row");
        faults.push(missing.note(fault).help("leave these rows out of the file"));
        return None;
    }
    let labels = Labels::fit((0..table.rows).map(|row| table.cell(row, column)));
    let classes = (0..table.rows).filter_map(|row| labels.find(&table.cell(row, column))).collect();
    Some((labels, classes))
}

/// The rows of the table that `keep` lets through.
fn keep_rows(
    spec: &DataSpec,
    table: &Table,
    labels: Option<&(Labels, Vec<usize>)>,
    faults: &mut Diagnostics,
) -> Option<Vec<usize>> {
    let (Some(keep), Some((labels, classes))) = (&spec.keep, labels) else {
        return Some((0..table.rows).collect());
    };
    let wanted: Vec<bool> = (0..labels.names().len()).map(|class| keeps(keep, labels, class)).collect();
    let rows: Vec<usize> = classes
        .iter()
        .enumerate()
        .filter(|(_, class)| wanted.get(**class) == Some(&true))
        .map(|(row, _)| row)
        .collect();
    let fault = |message: String| {
        Diagnostic::error(Code::DATA_VALUE, message)
            .at(keep.span, "keeps rows by class")
            .note(format!("the classes are {}", list(labels.names())))
    };
    for value in keep.values.iter().filter(|_| matches!(keep.test, KeepTest::In | KeepTest::NotIn)) {
        if !(0..labels.names().len()).any(|class| agrees(value, labels, class)) {
            let shown = match value {
                KeepValue::Number(n) => n.to_string(),
                KeepValue::Name(name) => quoted(name),
            };
            // Labels that are numbers are named by themselves, whatever their places among the classes.
            let numbers = labels.names().iter().all(|n| n.parse::<f64>().is_ok());
            let help =
                if numbers { "name a class by its label" } else { "name classes by number from 0, or by their text" };
            faults.push(fault(format!("no row has the class {shown}")).help(help));
        }
    }
    if !rows.iter().any(|row| *row < table.source_rows) {
        faults.push(fault("`keep` leaves no rows".to_owned()));
    }
    (!faults.has_errors()).then_some(rows)
}

fn agrees(value: &KeepValue, labels: &Labels, class: usize) -> bool {
    match value {
        KeepValue::Number(n) => labels.value(class).total_cmp(&(n + 0.0)).is_eq(),
        KeepValue::Name(name) => labels.find(name) == Some(class),
    }
}

/// Whether `keep` lets a label through that another file has; `known` are the labels of the training part, which it let
/// through. Places among the labels count in the file that was trained on, so there only known labels pass.
pub(crate) fn keeps_label(keep: &Keep, known: &Labels, label: &str) -> bool {
    let by_place = keep.values.iter().any(|value| matches!(value, KeepValue::Number(_)))
        && !known.names().iter().all(|name| name.parse::<f64>().is_ok());
    if by_place { known.find(label).is_some() } else { keeps(keep, &Labels::fit([label]), 0) }
}

fn keeps(keep: &Keep, labels: &Labels, class: usize) -> bool {
    let is_in = keep.values.iter().any(|value| agrees(value, labels, class));
    let holds = |test: fn(&f64, &f64) -> bool| {
        keep.values.iter().all(|v| matches!(v, KeepValue::Number(n) if test(&labels.value(class), n)))
    };
    match keep.test {
        KeepTest::In => is_in,
        KeepTest::NotIn => !is_in,
        KeepTest::Less => holds(f64::lt),
        KeepTest::LessEqual => holds(f64::le),
        KeepTest::Greater => holds(f64::gt),
        KeepTest::GreaterEqual => holds(f64::ge),
    }
}

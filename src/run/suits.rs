//! Whether a data set suits a training run: its parts, rows and columns against what the run names.

use super::batches::Rows;
use super::float::Float;
use super::learner::rows_of;
use super::metrics::Asked;
use crate::data::{Column, Dataset, Values};
use crate::diagram::Role;
use crate::elaborate::{Part, Select, Training};
use crate::object::Leaf;
use crate::source::{Code, Diagnostic, Diagnostics};

/// Whether the target is `onehot[1]`: a single entry that is always 1, unlike the 0 or 1 of two classes.
pub(super) fn one_class(data: &Dataset) -> bool {
    let real = |c: &Column| matches!(c.values, Values::Real(_)) && c.size() == 1;
    !data.classes.is_empty() && data.target.as_ref().is_some_and(real)
}

/// Whether the parts and rows that the run names are there.
pub(super) fn suits(training: &Training, data: Option<&Dataset>) -> Result<(), Diagnostics> {
    let wrong = |why: String, help: &str| -> Result<(), Diagnostics> {
        Err(Diagnostic::error(Code::TRAIN_FIELD, why).at(training.span, "in this run").help(help).into())
    };
    let parts = data.map(|d| &d.parts);
    for player in training.players() {
        if parts.is_some_and(|parts| rows_of(parts, player.part).is_empty()) && player.part != Part::Train {
            return wrong(
                format!("`{}` reads the {} part, which is empty", player.name, player.part.name()),
                "name a part that `split` makes",
            );
        }
    }
    if let Select::Best { part, metric } = &training.settings.select {
        let rows = parts.map(|p| match &**part {
            "valid" => &p.valid,
            "test" => &p.test,
            _ => &p.train,
        });
        if rows.is_some_and(Vec::is_empty) || (rows.is_none() && &**part != "train") {
            return wrong(
                format!("`select` looks at the {part} part, which is empty"),
                "name a part that `split` makes",
            );
        }
        if &**metric != "loss"
            && (training.predict.is_none() || training.player.objective.ports_of(Role::Target).is_empty())
        {
            let what = if &**metric == "accuracy" { "an accuracy" } else { "an exact match" };
            return wrong(format!("`select` looks at {what}, the run has no model with labels"), "select by loss");
        }
    }
    let asked = Asked::by(&training.settings);
    let target = data.and_then(|d| d.target.as_ref());
    // A number that is neither 0 nor 1 names no class, and is met exactly by chance only.
    let stray = match target.map(|t| &t.values) {
        Some(Values::Real(values)) => values.iter().find(|x| **x != 0.0 && **x != 1.0),
        _ => None,
    };
    let leave = "make it a label, `onehot[k]` or `class[k]`, or leave the metric off";
    if let (true, Some(x)) = (asked.names_classes() && data.is_some_and(|d| d.classes.is_empty()), stray) {
        return wrong(format!("`accuracy` needs a target of classes, this one has the number {x}"), leave);
    }
    if let (true, Some(Values::Bool(bits))) = (asked.names_classes(), target.map(|t| &t.values)) {
        let wide = target.map_or(1, |t| t.size());
        let hot = |row: &[bool]| row.iter().filter(|b| **b).count() == 1;
        if wide > 1 && !bits.chunks(wide).all(hot) {
            return wrong(
                format!("`accuracy` needs a target of classes, this one is {wide} bits that are no one-hot vector"),
                "ask for `exact_match`, or end the target in `onehot[k] >> bits`",
            );
        }
    }
    if let (true, Some(x)) = (asked.exact, stray) {
        return wrong(format!("`exact_match` needs a target of bits or classes, this one has the number {x}"), leave);
    }
    if let Some(batches) = &training.settings.order {
        let known = parts.map(|p| p.train.as_slice()).unwrap_or_default();
        if let Some(row) = batches.iter().flatten().find(|r| !known.contains(r)) {
            let count = data.map_or(0, |d| d.row_count);
            return wrong(
                format!("`order` names row {row}, which is not in the training part ({} of {count} rows)", known.len()),
                "rows are counted from 0 over the whole data set",
            );
        }
    }
    Ok(())
}

pub(super) type Columns<T> = (Option<Rows<T>>, Option<Rows<T>>);

pub(super) fn columns<T: Float>(training: &Training, data: Option<&Dataset>) -> Result<Columns<T>, Diagnostics> {
    let Some(data) = data else { return Ok((None, None)) };
    let (mut input, mut target) = (None, None);
    for player in training.players() {
        let leaves = |role| -> Vec<&Leaf> {
            let ports = player.objective.ports_of(role).into_iter();
            ports.filter_map(|at| player.objective.ports().get(at)).map(|p| &p.leaf).collect()
        };
        let (inputs, targets) = (leaves(Role::Input), leaves(Role::Target));
        if inputs.len() > 1 || targets.len() > 1 {
            return Err(Diagnostic::error(
                Code::DATA_SHAPE,
                format!(
                    "the model takes {} wires and the loss {} labels, data gives one of each",
                    inputs.len(),
                    targets.len()
                ),
            )
            .at(training.data_span, "one input, one target")
            .into());
        }
        if let Some(port) = inputs.first() {
            input = Some(Rows::new(&data.input, port, "input", training.data_span)?);
        }
        match (targets.first(), &data.target) {
            (Some(port), Some(column)) => target = Some(Rows::new(column, port, "target", training.data_span)?),
            (Some(_), None) => {
                return Err(Diagnostic::error(Code::DATA_FIELD, "the loss needs a label and the data has no `target`")
                    .at(training.data_span, "no target")
                    .help("for example `target = column(\"species\") >> onehot[3]`")
                    .into());
            }
            (None, _) => {}
        }
    }
    Ok((input, target))
}

//! Whether a data set suits a training run: its parts, rows and columns against what the run names.

use super::batches::Rows;
use super::float::Float;
use super::learner::rows_of;
use super::metrics::Asked;
use crate::data::{Column, Dataset, Values};
use crate::diagram::Role;
use crate::elaborate::{Metric, Part, Quantity, Select, Training};
use crate::object::{Base, Leaf};
use crate::source::{Code, Diagnostic, Diagnostics};

/// Whether the target is `onehot[1]`: a single entry that is always 1, unlike the 0 or 1 of two classes.
pub(super) fn one_class(data: &Dataset) -> bool {
    let real = |c: &Column| c.reals().is_some() && c.size() == 1;
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
        let measured = training.predict.is_some() && !training.player.objective.ports_of(Role::Target).is_empty();
        if let (Some(metric), false) = (metric, measured) {
            let key = metric.key();
            return wrong(format!("`select` looks at `{key}`, the run has no model with labels"), "select by loss");
        }
    }
    for (monitor, quantity) in training.settings.monitors.iter().flat_map(|m| m.quantities.iter().map(move |q| (m, q)))
    {
        let Quantity::Of(part, metric) = quantity else { continue };
        let rows = parts.map(|p| match &**part {
            "valid" => &p.valid,
            "test" => &p.test,
            _ => &p.train,
        });
        let empty = rows.is_some_and(Vec::is_empty) || (rows.is_none() && &**part != "train");
        let measured = training.predict.is_some() && !training.player.objective.ports_of(Role::Target).is_empty();
        let d = if empty {
            Diagnostic::error(Code::MONITOR, format!("`{quantity}` looks at the {part} part, which is empty"))
                .at(monitor.span, "in this proposition")
                .help("name a part that `split` makes")
        } else if metric.is_some() && !measured {
            Diagnostic::error(Code::MONITOR, format!("`{quantity}` needs a model with labels, which this run has not"))
                .at(monitor.span, "in this proposition")
                .help("watch the loss")
        } else {
            continue;
        };
        return Err(d.into());
    }
    if let Some(data) = data {
        measurable(training, data)?;
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

/// Whether the metrics that a run asks for can be had of its outputs and targets.
fn measurable(training: &Training, data: &Dataset) -> Result<(), Diagnostics> {
    let wrong = |why: String, help: &str| -> Result<(), Diagnostics> {
        Err(Diagnostic::error(Code::TRAIN_FIELD, why).at(training.span, "in this run").help(help).into())
    };
    let asked = Asked::by(&training.settings);
    let Some(target) = data.target.as_ref() else { return Ok(()) };
    let output = training.predict.as_ref().and_then(|m| m.diagram.out_leaves().into_iter().next());
    // A number that is neither 0 nor 1 names no class, and is met exactly by chance only.
    let stray = target.reals().and_then(|mut all| all.find(|x| *x != 0.0 && *x != 1.0));
    let leave = "make it a label, `onehot[k]` or `class[k]`, or leave the metric off";
    for metric in asked.of_classes() {
        let key = metric.key();
        if let (true, Some(x)) = (data.classes.is_empty(), stray) {
            return wrong(format!("`{key}` needs a target of classes, this one has the number {x}"), leave);
        }
        if let Values::Bool(bits) = &target.values {
            let wide = target.size();
            let hot = |row: &[bool]| row.iter().filter(|b| **b).count() == 1;
            if wide > 1 && !bits.chunks(wide).all(hot) {
                return wrong(
                    format!("`{key}` needs a target of classes, this one is {wide} bits that are no one-hot vector"),
                    "ask for `exact_match`, or end the target in `onehot[k] >> bits`",
                );
            }
        }
        let classes = output.as_ref().map_or(0, |leaf| leaf.dims.last().map_or(1, |d| d.at(1)));
        if let Some(leaf) = output.as_ref().filter(|leaf| leaf.rank() > 1 && classes > 1) {
            let places = leaf.size(1) / classes;
            let labels = matches!(target.values, Values::Fin { .. });
            let given = if labels { target.size() } else { target.size() / classes };
            if places != given {
                return wrong(
                    format!("`{key}` needs a class for each of the {places} places of {leaf}, the target has {given}"),
                    "end the model in one number for each class, or give a target for every place",
                );
            }
        }
        match metric {
            Metric::TopKAccuracy(k) if k > classes => {
                return wrong(
                    format!("`{key}` looks at the {k} largest outputs, the model has {classes}"),
                    "name a k below the number of classes",
                );
            }
            Metric::Perplexity if classes < 2 || output.as_ref().is_none_or(|leaf| leaf.base != Base::Real) => {
                let given = output.as_ref().map_or_else(String::new, ToString::to_string);
                return wrong(
                    format!("`{key}` needs one real output for each class, the model gives {given}"),
                    "end the model in as many numbers as there are classes",
                );
            }
            _ => {}
        }
    }
    if let (true, Some(x)) = (asked.exact(), stray) {
        return wrong(format!("`exact_match` needs a target of bits or classes, this one has the number {x}"), leave);
    }
    let numbers = target.reals().is_some() && output.is_some_and(|leaf| leaf.base == Base::Real);
    if asked.fits() && !numbers {
        return wrong(
            "`r2` needs a target and outputs of real numbers".to_owned(),
            "ask for `accuracy` or `exact_match`",
        );
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
            .help("take one wire and cut it in the body: `split[a, b](x)`")
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

//! `catlearn predict RUN [FILE|-]`: rows in, a prediction a row out, in the form that they came in; for a run over a text
//! its next character, or those that continue it.

use super::encoders::Encoders;
use super::naming::Naming;
use super::rows::{Form, bytes_of};
use super::text::Next;
use super::writing::{Writing, of_text};
use super::{Past, State};
use crate::cli::terminal::{complain, whole};
use crate::cli::{End, Shared};
use catlearn::data::Column;
use catlearn::diagram::Role;
use catlearn::elaborate::Precision;
use catlearn::object::Base;
use catlearn::run::{Float, examples};
use catlearn::source::{Code, Diagnostic};
use clap::Args;
use std::path::PathBuf;

/// The most characters that a text is continued by.
const MOST: u64 = 1 << 20;

#[derive(Debug, Args)]
pub(in crate::cli) struct PredictArgs {
    /// The run folder, or that of one fold
    #[arg(value_name = "RUN")]
    pub(in crate::cli) run: PathBuf,
    /// Rows: CSV, JSON lines or a file of the run's own form, a text for a run over a text; `-` reads from stdin
    #[arg(value_name = "FILE", default_value = "-")]
    file: String,
    /// Which state predicts [default: the selected one, else the last]
    #[arg(long, value_enum)]
    state: Option<State>,
    /// The first line is a row, though the run's own data begins with the names of its columns
    #[arg(long)]
    no_header: bool,
    /// Put the columns of the input, or the text, in front of the predictions
    #[arg(long)]
    keep: bool,
    /// Continue the text by N characters, each the most likely one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MOST))]
    steps: Option<u64>,
}

pub(in crate::cli) fn run(args: &PredictArgs, shared: &Shared) -> End {
    predicted(args, shared).unwrap_or_else(|end| end)
}

fn predicted(args: &PredictArgs, shared: &Shared) -> Result<End, End> {
    let past = Past::open(&args.run, args.state, shared)?;
    let cannot = |why: String, help: String| {
        complain(shared, Diagnostic::error(Code::PREDICTION, why).help(help));
        End::Fault
    };
    match past.all_folds() {
        0 => {}
        n => {
            let why = format!("a run of {n} folds has {n} models");
            return Err(cannot(why, format!("name one of them: {}", past.dir.join("fold-0").display())));
        }
    }
    let Some(model) = &past.training.predict else {
        let why = format!("`{}` has no model: its objective predicts nothing", past.training.name);
        return Err(cannot(why, "predict with a run that has `model` and `loss`".into()));
    };
    let inputs = model.diagram.ports_of(Role::Input);
    if inputs.len() != 1 {
        let why = format!("the model takes {} wires, rows are one", inputs.len());
        return Err(cannot(why, "join the wires of the model with `cat`".into()));
    }
    let encoders = past.encoders(shared)?;
    let leaf = model.diagram.out_leaves().into_iter().next();
    let loss = past.training.resolved.iter().find(|(key, _)| key == "loss").map_or("", |(_, loss)| loss);
    if let (Some(leaf), Some(port)) = (&leaf, model.diagram.ports().iter().find(|p| p.role == Role::Input))
        && let Some(next) = Next::of(&past, &encoders, loss, (&port.leaf, leaf))
    {
        return continued(&past, &next, args, shared);
    }
    if args.steps.is_some() {
        let why = "`--steps` continues a text, and this run does not predict the next character of one";
        complain(shared, Diagnostic::error(Code::PREDICTION, why).help("leave `--steps` off"));
        return Err(End::Usage);
    }
    let (base, width) = leaf.map_or((Base::Real, 1), |l| (l.base, l.size(1)));
    rows(&past, &encoders, Naming::new(encoders.target.as_ref(), loss, base, width), args, shared)
}

/// Predicts row by row.
fn rows(past: &Past, encoders: &Encoders, naming: Naming, args: &PredictArgs, shared: &Shared) -> Result<End, End> {
    let given = past.rows(encoders, &args.file, !args.no_header, shared)?;
    let column = past.encoded(&given.fresh, &encoders.input, shared)?;
    let form = if shared.json() { Form::Lines } else { given.form };
    let precision = past.training.settings.precision;
    let outs = match precision {
        Precision::F32 => outputs::<f32>(past, &column, shared)?,
        Precision::F64 => outputs::<f64>(past, &column, shared)?,
    };
    let text = Writing { naming, given: &given, keep: args.keep, precision, form }.all(&outs);
    whole(text.map_err(|d| past.say(shared, &d.into()))?.as_bytes())?;
    Ok(End::Fine)
}

/// Continues a text.
fn continued(past: &Past, next: &Next<'_>, args: &PredictArgs, shared: &Shared) -> Result<End, End> {
    let (name, bytes) = bytes_of(&args.file, shared)?;
    let text = next.read(&name, bytes, shared)?;
    let steps = args.steps.map_or(1, |n| usize::try_from(n).unwrap_or(usize::MAX));
    let said = match past.training.settings.precision {
        Precision::F32 => next.continued::<f32>(&text, steps, shared)?,
        Precision::F64 => next.continued::<f64>(&text, steps, shared)?,
    };
    let form = if shared.json() { Form::Lines } else { Form::Text(b',') };
    let kept = args.keep.then_some(text.as_str());
    whole(of_text(next, &said, kept, args.steps.is_some(), form).as_bytes())?;
    Ok(End::Fine)
}

/// What the model gives for every row, one after the other.
fn outputs<T: Float>(past: &Past, column: &Column, shared: &Shared) -> Result<Vec<f64>, End> {
    let mut learner = past.learner::<T>(None, shared)?;
    past.tell_state(learner.updates(), shared);
    let ports = past.training.predict.iter().flat_map(|m| m.diagram.ports());
    let Some(port) = ports.into_iter().find(|p| p.role == Role::Input) else { return Ok(Vec::new()) };
    let input = examples::<T>(column, &port.leaf, "input", past.training.data_span);
    let input = input.map_err(|d| past.say(shared, &d.into()))?;
    let rows: Vec<usize> = (0..input.shape().first().copied().unwrap_or(0)).collect();
    learner.show(Some(input), None);
    let outs = learner.predict(&rows).map_err(|d| past.say(shared, &d.into()))?;
    Ok(outs.first().map(catlearn::run::Tensor::to_f64).unwrap_or_default())
}

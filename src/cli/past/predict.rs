//! `catlearn predict RUN [FILE|-]`: rows in, a prediction a row out, in the form that they came in.

use super::naming::{Cell, Naming};
use super::rows::Form;
use super::{Past, State};
use crate::cli::terminal::{complain, whole};
use crate::cli::{End, Shared};
use catlearn::data::{Column, Fresh};
use catlearn::diagram::Role;
use catlearn::elaborate::Precision;
use catlearn::object::Base;
use catlearn::run::{Float, examples};
use catlearn::source::{Code, Diagnostic};
use clap::Args;
use serde_json::{Map, Number, Value, json};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(in crate::cli) struct PredictArgs {
    /// The run folder, or that of one fold
    #[arg(value_name = "RUN")]
    pub(in crate::cli) run: PathBuf,
    /// Rows: CSV, JSON lines or a file of the run's own form; `-` reads from stdin
    #[arg(value_name = "FILE", default_value = "-")]
    file: String,
    /// Which state predicts [default: the selected one, else the last]
    #[arg(long, value_enum)]
    state: Option<State>,
    /// The first line is a row, though the run's own data begins with the names of its columns
    #[arg(long)]
    no_header: bool,
    /// Put the columns of the input in front of the predictions
    #[arg(long)]
    keep: bool,
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
    match past.folds() {
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
    let (_, fresh, form) = past.rows(&encoders, &args.file, !args.no_header, shared)?;
    let column = past.encoded(&fresh, &encoders.input, shared)?;
    let leaf = model.diagram.out_leaves().into_iter().next();
    let (base, width) = leaf.map_or((Base::Real, 1), |l| (l.base, l.size(1)));
    let loss = past.training.resolved.iter().find(|(key, _)| key == "loss").map_or("", |(_, loss)| loss);
    let naming = Naming::new(encoders.target.as_ref(), loss, base, width);
    let outs = match past.training.settings.precision {
        Precision::F32 => outputs::<f32>(&past, &column, shared)?,
        Precision::F64 => outputs::<f64>(&past, &column, shared)?,
    };
    let single = past.training.settings.precision == Precision::F32;
    let written = Writing { naming, fresh: &fresh, keep: args.keep, single, width };
    let form = if shared.json() { Form::Lines } else { form };
    whole(written.all(&outs, form).as_bytes())?;
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

/// Writes predictions.
struct Writing<'a> {
    naming: Naming,
    fresh: &'a Fresh,
    keep: bool,
    single: bool,
    width: usize,
}

impl Writing<'_> {
    fn all(&self, outs: &[f64], form: Form) -> String {
        #[allow(clippy::cast_possible_truncation, reason = "the numbers came from f32")]
        let number = |x: f64| if self.single { (x as f32).to_string().parse().unwrap_or(x) } else { x };
        let rows = outs.chunks(self.width.max(1)).map(|row| self.naming.row(row, &number)).enumerate();
        match form {
            Form::Lines => rows.map(|(at, (said, scores))| format!("{}\n", self.line(at, &said, &scores))).collect(),
            Form::Text(separator) => {
                let mut text = self.head(separator);
                for (at, (said, scores)) in rows {
                    let kept = if self.keep { self.fresh.cells(at) } else { Vec::new() };
                    let cells = said.iter().chain(&scores).map(Cell::text);
                    text.push_str(&joined(kept.into_iter().chain(cells), separator));
                }
                text
            }
        }
    }

    /// The names of the columns that are kept; without a header their numbers.
    fn kept(&self) -> Vec<String> {
        if !self.keep {
            return Vec::new();
        }
        self.fresh.names().unwrap_or_else(|| (0..self.fresh.cells(0).len()).map(|i| i.to_string()).collect())
    }

    fn head(&self, separator: u8) -> String {
        let predictions = match self.naming.values() {
            1 => vec!["prediction".to_owned()],
            n => (0..n).map(|i| format!("prediction.{i}")).collect(),
        };
        let scores = self.naming.scored().into_iter().map(|class| format!("{}.{class}", self.naming.word()));
        joined(self.kept().into_iter().chain(predictions).chain(scores), separator)
    }

    fn line(&self, at: usize, said: &[Cell], scores: &[Cell]) -> Value {
        let mut line = Map::new();
        for (name, cell) in self.kept().into_iter().zip(self.fresh.cells(at)) {
            // What JSON writes as a number stays one; `007` does not.
            let number = serde_json::from_str::<Number>(&cell).map(Value::Number);
            line.insert(name, number.unwrap_or_else(|_| json!(cell)));
        }
        let prediction = match said {
            [one] => one.json(),
            all => all.iter().map(Cell::json).collect(),
        };
        line.insert("prediction".to_owned(), prediction);
        if !scores.is_empty() {
            let all: Map<String, Value> = self.naming.scored().into_iter().zip(scores.iter().map(Cell::json)).collect();
            line.insert(self.naming.word().to_owned(), Value::Object(all));
        }
        Value::Object(line)
    }
}

/// A line of cells, quoted where that is needed.
fn joined(cells: impl Iterator<Item = String>, separator: u8) -> String {
    let separator = char::from(separator);
    let quoted = |cell: String| {
        let blank = separator == ' ' && (cell.is_empty() || cell.contains('\t'));
        if blank || cell.contains([separator, '"', '\n', '\r']) || cell.trim() != cell {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell
        }
    };
    let cells: Vec<String> = cells.map(quoted).collect();
    format!("{}\n", cells.join(&separator.to_string()))
}

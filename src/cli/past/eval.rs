//! `catlearn eval RUN [--split S | --data F]`: the metrics of a run that was made.

use super::rows::{Given, of_rows};
use super::{Past, State};
use crate::cli::measure::{Measured, mean_of, on_parts, table};
use crate::cli::observe::metrics_json;
use crate::cli::terminal::{answer, complain, note};
use crate::cli::{End, Shared};
use catlearn::data::{Encoder, Fresh, Parts};
use catlearn::diagram::Role;
use catlearn::elaborate::Precision;
use catlearn::run::{Float, examples};
use catlearn::source::{Code, Diagnostic, Diagnostics};
use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// A part of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Split {
    /// What it was trained on
    Train,
    /// What it was validated on
    Valid,
    /// What was held out
    Test,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct EvalArgs {
    /// The run folder, or that of one fold
    #[arg(value_name = "RUN")]
    pub(in crate::cli) run: PathBuf,
    /// One part of the data [default: all of them]
    #[arg(long, value_enum, value_name = "S")]
    split: Option<Split>,
    /// Another file, of the form of the run's data, with its target
    #[arg(long, value_name = "F", conflicts_with = "split")]
    data: Option<String>,
    /// The first line of that file is a row, though the run's own data begins with the names of its columns
    #[arg(long, requires = "data")]
    no_header: bool,
    /// Which state is measured [default: the selected one, else the last]
    #[arg(long, value_enum)]
    state: Option<State>,
}

pub(in crate::cli) fn run(args: &EvalArgs, shared: &Shared) -> End {
    evaluated(args, shared).unwrap_or_else(|end| end)
}

fn evaluated(args: &EvalArgs, shared: &Shared) -> Result<End, End> {
    let past = Past::open(&args.run, args.state, shared)?;
    let folds = past.folds();
    past.tell_missing(&folds, shared)?;
    let mut all = Vec::new();
    for i in &folds {
        let fold = Past::open(&args.run.join(format!("fold-{i}")), args.state, shared)?;
        all.push(fold.measured(args, shared)?);
    }
    let (step, metrics) = match folds.len() {
        0 => past.measured(args, shared).map(|m| (json!(m.steps), m.metrics))?,
        _ => (Value::Null, mean_of(&all).metrics),
    };
    if shared.json() {
        let run = past.dir.display().to_string();
        answer(&json!({"run": run, "state": past.state.name(), "step": step, "metrics": metrics}).to_string())?;
        return Ok(End::Fine);
    }
    for line in table(&metrics) {
        answer(&line)?;
    }
    Ok(End::Fine)
}

impl Past {
    fn measured(&self, args: &EvalArgs, shared: &Shared) -> Result<Measured, End> {
        let (steps, metrics) = match self.training.settings.precision {
            Precision::F32 => self.metrics::<f32>(args, shared)?,
            Precision::F64 => self.metrics::<f64>(args, shared)?,
        };
        Ok(Measured {
            metrics,
            selected: Value::Null,
            steps,
            epochs: 0,
            seconds: 0.0,
            samples: 0,
            interrupted: false,
            stopped: false,
            verdicts: Vec::new(),
            failed: false,
        })
    }

    fn metrics<T: Float>(&self, args: &EvalArgs, shared: &Shared) -> Result<(usize, Map<String, Value>), End> {
        if let Some(file) = &args.data {
            return self.on_file::<T>(file, args, shared);
        }
        let data = self.data(shared)?;
        let mut learner = self.learner::<T>(data.as_ref(), shared)?;
        self.tell_state(learner.updates(), shared);
        let parts = data.map(|d| d.parts).unwrap_or_default();
        let asked = match args.split {
            None => parts,
            Some(split) => {
                let (name, rows) = match split {
                    Split::Train => ("train", Parts { train: parts.train, ..Parts::default() }),
                    Split::Valid => ("valid", Parts { valid: parts.valid, ..Parts::default() }),
                    Split::Test => ("test", Parts { test: parts.test, ..Parts::default() }),
                };
                if rows == Parts::default() {
                    let d = Diagnostic::error(Code::DATA_SPLIT, format!("the part `{name}` of this run has no rows"));
                    complain(shared, d.help("name a part that `split` makes"));
                    return Err(End::Usage);
                }
                rows
            }
        };
        let found = on_parts(&mut learner, &asked).map_err(|d| self.say(shared, &d.into()))?;
        Ok((learner.updates(), found))
    }

    /// The metrics on the rows of another file.
    fn on_file<T: Float>(
        &self,
        file: &str,
        args: &EvalArgs,
        shared: &Shared,
    ) -> Result<(usize, Map<String, Value>), End> {
        let encoders = self.encoders(shared)?;
        let Given { name, mut fresh, .. } = self.rows(&encoders, file, !args.no_header, shared)?;
        if let Some(target) = &encoders.target {
            if !fresh.has(target) {
                return Err(without_target(&name, target, shared));
            }
            fresh = self.kept(fresh, target, &name, shared)?;
        }
        let say = |said: Diagnostics| self.say(shared, &said);
        let input = self.encoded(&fresh, &encoders.input, shared)?;
        let mut learner = self.learner::<T>(None, shared)?;
        self.tell_state(learner.updates(), shared);
        let ports = self.training.player.objective.ports();
        let port = |role: Role| ports.iter().find(|p| p.role == role).map(|p| &p.leaf);
        let at = self.training.data_span;
        let tensor = |column, leaf, what| examples::<T>(column, leaf, what, at).map_err(|d| say(d.into()));
        let input = port(Role::Input).map(|leaf| tensor(&input, leaf, "input")).transpose()?;
        let target = match (port(Role::Target), &encoders.target) {
            (Some(leaf), Some(encoder)) => {
                Some(tensor(&fresh.encode(encoder).map_err(|said| say(of_rows(said)))?.0, leaf, "target")?)
            }
            _ => None,
        };
        learner.show(input, target);
        let rows: Vec<usize> = (0..fresh.rows()).collect();
        let found = learner.metrics(&rows).map_err(|d| say(d.into()))?;
        Ok((learner.updates(), Map::from_iter([("data".to_owned(), metrics_json(&found))])))
    }

    /// The rows of another file that the run's own data would keep.
    fn kept(&self, fresh: Fresh, target: &Encoder, name: &str, shared: &Shared) -> Result<Fresh, End> {
        let Some(keep) = self.training.data.as_ref().and_then(|(spec, _)| spec.keep.as_ref()) else { return Ok(fresh) };
        let kept = fresh.kept(keep, target).map_err(|said| self.say(shared, &said))?;
        match fresh.rows() - kept.rows() {
            0 => {}
            all if kept.rows() == 0 => {
                let d =
                    Diagnostic::error(Code::DATA_VALUE, format!("`keep` leaves none of the {all} rows of `{name}`"));
                let d = d
                    .at(keep.span, "keeps rows by class")
                    .help("give it rows of the classes that the run was trained on");
                return Err(self.say(shared, &d.into()));
            }
            n => note(shared, &format!("{n} of {} rows are left out by `keep`", fresh.rows())),
        }
        Ok(kept)
    }

    /// Says which folds of the run there are no states of.
    fn tell_missing(&self, there: &[usize], shared: &Shared) -> Result<(), End> {
        let all = self.all_folds();
        let help = format!("go on with `catlearn train --resume {}`", self.dir.display());
        if all > 0 && there.is_empty() {
            let d = Diagnostic::error(Code::RUN_CHECKPOINT, "no fold of this run has a state yet");
            complain(shared, d.help(help));
            return Err(End::Fault);
        }
        let missing: Vec<String> = (0..all).filter(|i| !there.contains(i)).map(|i| i.to_string()).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let what = if missing.len() == 1 { "fold" } else { "folds" };
        let why =
            format!("{what} {} of {all} have no state yet, the metrics are those of the others", missing.join(", "));
        let why = if missing.len() == 1 { why.replace("have no", "has no") } else { why };
        let d = Diagnostic::warning(Code::RUN_CHECKPOINT, why);
        complain(shared, d.help(help));
        Ok(())
    }
}

/// A file without the target that is measured against.
fn without_target(name: &str, target: &Encoder, shared: &Shared) -> End {
    let names = target.source_names.iter().flatten().enumerate();
    let read: Vec<&str> = names.filter(|(i, _)| target.columns.contains(i)).map(|(_, n)| n.as_str()).collect();
    let mut d = Diagnostic::error(Code::DATA_COLUMN, format!("`{name}` has no target to measure against"));
    if !read.is_empty() {
        d = d.note(format!("the target is read from `{}`", read.join("`, `")));
    }
    complain(shared, d.help("give the column of the target too, or use `catlearn predict`"));
    End::Fault
}

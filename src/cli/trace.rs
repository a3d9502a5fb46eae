//! `catlearn trace FILE:NAME --steps N`: the learner step by step, one JSON line each.

use super::load::{load, parts};
use super::terminal::answer;
use super::{End, Shared};
use catlearn::data::Parts;
use catlearn::elaborate::{BatchSize, Precision, Training};
use catlearn::run::{Float, Learner, Named, Schedule, Tensor, Turn, evaluate_bits};
use catlearn::source::Diagnostics;
use clap::Args;
use std::fmt::Write;

#[derive(Debug, Args)]
pub(super) struct TraceArgs {
    /// The program, and the training run if it has several
    #[arg(value_name = "FILE[:NAME]")]
    pub(super) target: String,
    /// Updates to make; line k is the state after k of them
    #[arg(long, value_name = "N")]
    steps: usize,
    /// Print every k-th line only
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
    /// Replace a field of the run
    #[arg(long, value_name = "KEY=V")]
    set: Vec<String>,
    /// Seed of all random numbers (else --set seed=, CATLEARN_SEED, the run's own, 0)
    #[arg(long)]
    seed: Option<u64>,
}

pub(super) fn run(args: &TraceArgs, shared: &Shared) -> End {
    traced(args, shared).unwrap_or_else(|end| end)
}

fn traced(args: &TraceArgs, shared: &Shared) -> Result<End, End> {
    let (file, name) = parts(&args.target);
    let mut loaded = load(file, shared)?;
    let training = loaded.training(name, &args.set, shared)?;
    let seed = super::seed(args.seed, &args.set, &training, shared).unwrap_or(0);
    let data = match &training.data {
        Some((spec, from)) => {
            Some(catlearn::data::load(spec, from, &loaded.world, seed, &evaluate_bits).map_err(|said| {
                loaded.say(shared, &said);
                End::Fault
            })?)
        }
        None => None,
    };
    let say = |said: Diagnostics| {
        loaded.say(shared, &said);
        End::Fault
    };
    match training.settings.precision {
        Precision::F32 => steps::<f32>(args, &training, data.as_ref(), seed, &say),
        Precision::F64 => steps::<f64>(args, &training, data.as_ref(), seed, &say),
    }
}

fn steps<T: Float>(
    args: &TraceArgs,
    training: &Training,
    data: Option<&catlearn::data::Dataset>,
    seed: u64,
    say: &dyn Fn(Diagnostics) -> End,
) -> Result<End, End> {
    let mut learner: Learner<T> = Learner::new(training, data, seed).map_err(say)?;
    let leaf = |path: &std::sync::Arc<str>| learner.param_leaves().iter().find(|(p, _)| p == path).cloned();
    let asked: Vec<Named> = learner.request_paths().iter().filter_map(leaf).collect();
    let empty = Parts::default();
    let rows = data.map_or(&empty, |d| &d.parts);
    let shuffle = training.shuffles(data.is_some_and(|d| d.shuffle));
    let mut schedule = Schedule::new(training, rows, shuffle, seed);
    let active = matches!(training.settings.batch, BatchSize::Active(_));
    for k in 0..=args.steps {
        let found = next(&mut schedule, &mut learner, active).map_err(|d| say(d.into()))?;
        let ended = found.is_none();
        // No example has a loss any more: the last line shows the state on the first of them.
        let batch = found.unwrap_or_else(|| Parts { train: schedule.batch(0), ..Parts::default() });
        if ended || (k as u64).is_multiple_of(args.every) {
            let watched = learner.watch_on(&batch).map_err(|d| say(d.into()))?;
            let mut line = format!("{{\"step\":{k},\"loss\":{}", number(&T::from_f64(watched.loss)));
            for (name, loss) in learner.loss_names().iter().zip(&watched.losses) {
                let _infallible = write!(line, ",\"loss.{name}\":{}", number(&T::from_f64(*loss)));
            }
            let groups = [
                ("params", learner.param_leaves(), learner.params()),
                ("state", learner.state_leaves(), learner.states()),
                ("request", asked.as_slice(), &watched.requests),
            ];
            for (key, leaves, tensors) in groups {
                let _infallible = write!(line, ",\"{key}\":{{{}}}", object(leaves, tensors));
            }
            line.push('}');
            answer(&line)?;
        }
        if ended {
            break;
        }
        if k < args.steps {
            learner.play(&batch).map_err(|d| say(d.into()))?;
            // The other turns of a step, each on batches of its own.
            while learner.turn() > 0 {
                let batch = schedule.next(&learner);
                learner.play(&batch).map_err(|d| say(d.into()))?;
            }
        }
    }
    Ok(End::Fine)
}

/// The rows of the next line: those of the schedule, which a trace follows past the run's end; `active(k)` looks for
/// them, and there may be none.
fn next<T: Float>(
    schedule: &mut Schedule,
    learner: &mut Learner<T>,
    active: bool,
) -> Result<Option<Parts>, catlearn::source::Diagnostic> {
    if !active {
        return Ok(Some(schedule.coming(learner)));
    }
    loop {
        match schedule.turn(learner)? {
            Turn::Step { batch, .. } => return Ok(Some(batch)),
            Turn::Passed => {}
            Turn::Done => return Ok(None),
        }
    }
}

fn object<T: Float>(leaves: &[Named], tensors: &[Tensor<T>]) -> String {
    let entries = leaves.iter().zip(tensors).map(|((path, _), t)| {
        let flat: Vec<String> = match t.reals() {
            Some(view) => view.iter().map(number).collect(),
            None => match t.ints() {
                Some(whole) => whole.iter().map(i64::to_string).collect(),
                None => t.to_f64().iter().map(f64::to_string).collect(),
            },
        };
        format!("\"{path}\":{}", nested(t.shape(), &flat))
    });
    entries.collect::<Vec<_>>().join(",")
}

/// The shortest digits that read back as the same number; JSON has no infinities.
fn number<T: Float>(x: &T) -> String {
    let wide = x.to_f64();
    if wide.is_finite() { format!("{x}") } else { format!("\"{wide}\"") }
}

fn nested(shape: &[usize], flat: &[String]) -> String {
    match shape {
        [] | [_] => format!("[{}]", flat.join(",")),
        [n, rest @ ..] => {
            let size = flat.len() / (*n).max(1);
            let rows: Vec<String> = flat.chunks(size.max(1)).map(|c| nested(rest, c)).collect();
            format!("[{}]", rows.join(","))
        }
    }
}

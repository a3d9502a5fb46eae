//! `--resume`: what an interrupted run left, and whether it can be gone on with.
//!
//! A resume never starts afresh: what is missing, torn or of another run is an error. `last.safetensors` says which best
//! state belongs to it. Its bytes are a function of program, data and seed, so seconds are kept in `time.json` beside it.

use super::folder::Folder;
use super::record::Record;
use super::terminal::complain;
use super::{End, Shared};
use catlearn::elaborate::{Select, Settings};
use catlearn::run::{Checkpoint, Float, Kept, Learner, Since, Started, Watch};
use catlearn::source::{Code, Diagnostic};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

const LAST: &str = "checkpoint/last.safetensors";
const BEST: &str = "checkpoint/best.safetensors";
const TIME: &str = "checkpoint/time.json";
const METRICS: &str = "metrics.jsonl";

/// The folder and the record of the run that `--resume` names.
pub(super) fn resumed(dir: &Path, shared: &Shared) -> Result<(Folder, Record), End> {
    let folder = Folder { path: dir.to_path_buf() };
    let record = Record::read(&folder).map_err(|why| {
        let d = Diagnostic::error(Code::RUN_FOLDER, format!("`{}` cannot be resumed: {why}", dir.display()))
            .help("nothing was started; begin a new run without `--resume`");
        complain(shared, d);
        End::Usage
    })?;
    Ok((folder, record))
}

/// A fault of what is in a run folder.
pub(super) fn fault(why: impl std::fmt::Display, folder: &Folder, shared: &Shared) -> End {
    let d = Diagnostic::error(Code::RUN_CHECKPOINT, why.to_string())
        .note(format!("in {}", folder.path.display()))
        .help("nothing was started afresh; begin a new run without `--resume`");
    complain(shared, d);
    End::Fault
}

/// Whether a fold was begun and saved; one that was not has nothing to resume.
pub(super) fn begun(folder: &Folder) -> bool {
    folder.path.join(LAST).exists()
}

/// Puts a learner to where its run was left. `metadata` is what every checkpoint of the run says.
pub(super) fn restore<T: Float>(
    learner: &mut Learner<T>,
    folder: &Folder,
    settings: &Settings,
    metadata: &BTreeMap<String, String>,
) -> Result<Started<T>, String> {
    let load = |name: &str, bytes: &[u8], learner: &Learner<T>| -> Result<Checkpoint<T>, String> {
        let found = Checkpoint::load(bytes, learner, true).map_err(|e| format!("{name}: {e}"))?;
        for (key, value) in metadata {
            if found.metadata.get(key) != Some(value) {
                return Err(match key.as_str() {
                    "program_hash" => format!("{name}: the checkpoint is of another program than the file is now"),
                    _ => format!("{name}: the checkpoint is of a run with another {key}"),
                });
            }
        }
        Ok(found)
    };
    let number = |c: &Checkpoint<T>, key: &str| c.number(key).map_err(|e| e.to_string());
    let bytes = folder.read(LAST).map_err(|e| format!("{LAST}: {e}"))?;
    let last = load(LAST, &bytes, learner)?;
    let step = number(&last, "step")?;
    let list = |key: &str| -> Result<Vec<u64>, String> {
        let listed = last.metadata.get(key).map(String::as_str).unwrap_or_default();
        let numbers = listed.split_whitespace().map(str::parse).collect::<Result<_, _>>();
        numbers.map_err(|e: std::num::ParseIntError| format!("{LAST}: {key}: {e}"))
    };
    let (sums, counts) = (list("since_losses_bits")?, list("since_losses_steps")?);
    let since = Since {
        loss: (f64::from_bits(number(&last, "since_bits")?), usize_of(number(&last, "since_steps")?)),
        losses: sums.into_iter().map(f64::from_bits).zip(counts.into_iter().map(usize_of)).collect(),
    };
    if last.metadata.contains_key("turn") {
        let met: Vec<f64> = list("met_bits")?.into_iter().map(f64::from_bits).collect();
        learner.restore_met(&met).ok_or_else(|| format!("{LAST}: it does not say which losses were met"))?;
    }
    let known = match last.metadata.get("best_step").map(String::as_str) {
        Some("none") => None,
        _ => Some(number(&last, "best_step")?),
    };
    let best = if matches!(settings.select, Select::Best { .. }) {
        match folder.read_if_there(BEST).map_err(|e| format!("{BEST}: {e}"))? {
            Some(bytes) => {
                let best = load(BEST, &bytes, learner)?;
                let at = number(&best, "step")?;
                // The best state is written first: a crash between the two leaves one of a later step, which the steps
                // to come will find again.
                if known != Some(at) && at <= step {
                    return Err(format!("{BEST}: it is of step {at}, which is not the best one that {LAST} knows"));
                }
                let score = f64::from_bits(number(&best, "score_bits")?);
                Some(Kept { params: best.params, states: best.states, step: usize_of(at), score })
            }
            None => match known {
                Some(at) => return Err(format!("{BEST}: the best state, of step {at}, is not there")),
                None => None,
            },
        }
    } else {
        None
    };
    let watch = match last.metadata.get("watch") {
        None => Watch::new(&settings.monitors),
        Some(saved) => Watch::restore(&settings.monitors, saved)
            .ok_or_else(|| format!("{LAST}: it does not say what the monitors have seen"))?,
    };
    last.restore(learner).map_err(|e| e.to_string())?;
    Ok(Started { best, since, watch })
}

fn usize_of(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

/// Leaves only the whole lines of `metrics.jsonl` up to a step: those after it will be written again. Gives the seconds
/// that the run took until then.
pub(super) fn keep_lines(folder: &Folder, step: usize, shared: &Shared) -> Result<f64, End> {
    let said = |e: std::io::Error| fault(format!("{METRICS}: {e}"), folder, shared);
    let bytes = folder.read_if_there(METRICS).map_err(said)?.unwrap_or_default();
    let (mut kept, mut seconds) = (Vec::new(), 0.0);
    for line in bytes.split_inclusive(|b| *b == b'\n').filter(|line| line.ends_with(b"\n")) {
        let Ok(read) = serde_json::from_slice::<Value>(line) else { continue };
        if read.get("step").and_then(Value::as_u64).is_some_and(|at| at <= step as u64) {
            seconds = read.get("wall_s").and_then(Value::as_f64).unwrap_or(seconds);
            kept.extend_from_slice(line);
        }
    }
    if kept != bytes {
        folder.write(METRICS, &kept, shared)?;
    }
    let time: Option<Value> = folder.read(TIME).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let saved = time.filter(|t| t.get("step").and_then(Value::as_u64) == Some(step as u64));
    Ok(saved.and_then(|t| t.get("train_s").and_then(Value::as_f64)).unwrap_or(seconds))
}

/// Writes down how long a run took until its checkpoint.
pub(super) fn keep_time(folder: &Folder, step: usize, seconds: f64, shared: &Shared) -> Result<(), End> {
    folder.write(TIME, json!({"step": step, "train_s": seconds}).to_string().as_bytes(), shared)
}

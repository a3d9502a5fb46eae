//! `catlearn train FILE[:NAME]`.

use super::folder::Folder;
use super::load::{Loaded, load, parts};
use super::measure::{Measured, mean_of, on_parts};
use super::observe::{STOP, Writing};
use super::terminal::{answer, complain, messages, note};
use super::{End, Format, Shared};
use catlearn::data::{Dataset, Parts};
use catlearn::elaborate::{Precision, Training};
use catlearn::run::{Checkpoint, Float, Kept, Learner, Outcome, Schedule, Started, evaluate_bits, run as run_loop};
use catlearn::source::{Code, Diagnostic, Diagnostics};
use clap::Args;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Instant;

#[derive(Debug, Args)]
pub(super) struct TrainArgs {
    /// The program, and the training run if it has several
    #[arg(value_name = "FILE[:NAME]")]
    target: Option<String>,
    /// Replace a field of the run: --set epochs=10
    #[arg(long, value_name = "KEY=V")]
    set: Vec<String>,
    /// Seed of all random numbers
    #[arg(long, env = "CATLEARN_SEED")]
    seed: Option<u64>,
    /// Worker threads; results never depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    threads: Option<u32>,
    /// Begin with the parameters of this file
    #[arg(long, value_name = "F.safetensors")]
    init: Option<PathBuf>,
    /// The run folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Go on with an interrupted run
    #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "init", "set"])]
    resume: Option<PathBuf>,
    /// Overwrite a run folder
    #[arg(long)]
    force: bool,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Stop after that many updates, as an interrupt would
    #[arg(long, hide = true)]
    stop_after: Option<usize>,
}

pub(super) fn run(args: &TrainArgs, shared: &Shared) -> End {
    trained(args, shared).unwrap_or_else(|end| end)
}

/// Metrics that are told as a share: their keys and their names.
const SHARES: [(&str, &str); 2] = [("accuracy", "accuracy"), ("exact_match", "exact match")];

/// Everything one run needs.
struct Job<'a> {
    args: &'a TrainArgs,
    shared: &'a Shared,
    training: &'a Training,
    seed: u64,
    folder: Folder,
    resuming: bool,
    program_hash: String,
}

fn trained(args: &TrainArgs, shared: &Shared) -> Result<End, End> {
    let (target, set, seed, folder) = match &args.resume {
        Some(dir) => resumed(dir, args, shared)?,
        None => {
            let Some(target) = &args.target else {
                complain(
                    shared,
                    Diagnostic::error(Code::IMPORT, "no program is named").help("catlearn train FILE.lens"),
                );
                return Err(End::Usage);
            };
            (target.clone(), args.set.clone(), args.seed, None)
        }
    };
    let (file, name) = parts(&target);
    let mut loaded = load(file, shared)?;
    let warnings = loaded.program.check();
    loaded.say(shared, &Diagnostics(warnings.0.into_iter().filter(|d| !d.is_error()).collect()));
    let training = loaded.training(name, &set, shared)?;
    let seed = seed.or(training.settings.seed).unwrap_or_else(drawn);
    let data = match &training.data {
        Some((spec, from)) => match catlearn::data::load(spec, from, &loaded.world, seed, &evaluate_bits) {
            Ok(data) => {
                loaded.say(shared, &Diagnostics(data.warnings.clone()));
                Some(data)
            }
            Err(said) => {
                loaded.say(shared, &said);
                return Err(End::Fault);
            }
        },
        None => None,
    };
    let resuming = folder.is_some();
    let folder = match folder {
        Some((f, known)) => {
            if known != sources(data.as_ref()) {
                let d = Diagnostic::error(Code::RUN_CHECKPOINT, "the data is not what this run was started with")
                    .note(format!("started with {known}"))
                    .help("put the old files back, or begin a new run");
                complain(shared, d);
                return Err(End::Fault);
            }
            f
        }
        None => Folder::create(args.out.as_deref(), &training.name, args.force, shared)?,
    };
    let program_hash = hash(&training);
    if !resuming {
        folder.write("model.lens", loaded.text.as_bytes(), shared)?;
        folder.write("config.toml", config(&training, seed).as_bytes(), shared)?;
    }
    note(shared, &format!("training {} into {} with seed {seed}", training.name, folder.path.display()));
    let _set_before = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    let mut job = Job { args, shared, training: &training, seed, folder, resuming, program_hash };
    // A run may be resumed from any folder.
    let whole = std::fs::canonicalize(file).map_or_else(|_| file.to_owned(), |p| p.display().to_string());
    let target = format!("{whole}:{}", training.name);
    job.record(&target, &set, data.as_ref(), "running", None)?;
    let folds = data.as_ref().map_or(0, |d| d.folds.len());
    let result = if folds == 0 {
        job.in_folder(data.as_ref(), &loaded, &job.folder, resuming)
    } else {
        job.folds(data.as_ref(), &loaded, folds)
    };
    let result = match result {
        Ok(r) => r,
        Err(end) => {
            job.record(&target, &set, data.as_ref(), "failed", None)?;
            return Err(end);
        }
    };
    let status = match (result.failed, result.interrupted) {
        (true, _) => "failed",
        (_, true) => "interrupted",
        _ => "finished",
    };
    let line = job.line(&result);
    job.record(&target, &set, data.as_ref(), status, Some(&line))?;
    if result.failed {
        return Err(End::Fault);
    }
    if result.interrupted {
        note(shared, &format!("interrupted; go on with: catlearn train --resume {}", job.folder.path.display()));
        return Err(End::Interrupted);
    }
    job.tell(&result, &line)?;
    Ok(End::Fine)
}

type Resumed = (String, Vec<String>, Option<u64>, Option<(Folder, Value)>);

/// What the run in a folder was started with.
fn resumed(dir: &std::path::Path, args: &TrainArgs, shared: &Shared) -> Result<Resumed, End> {
    let folder = Folder { path: dir.to_path_buf() };
    let wrong = |why: &str| {
        let d = Diagnostic::error(Code::RUN_FOLDER, format!("`{}` cannot be resumed: {why}", dir.display()))
            .help("nothing was started; begin a new run without `--resume`");
        complain(shared, d);
        End::Usage
    };
    let bytes = folder.read("run.json").map_err(|e| wrong(&format!("run.json: {e}")))?;
    let record: Value = serde_json::from_slice(&bytes).map_err(|e| wrong(&format!("run.json: {e}")))?;
    let text = |key: &str| record.get(key).and_then(Value::as_str).map(str::to_owned);
    let target = text("target").ok_or_else(|| wrong("run.json does not name its program"))?;
    let seed = record.get("seed").and_then(Value::as_u64).ok_or_else(|| wrong("run.json has no seed"))?;
    let set = record
        .get("set")
        .and_then(Value::as_array)
        .map(|a| a.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect());
    let target = args.target.clone().unwrap_or(target);
    let data = record.get("data").cloned().unwrap_or(Value::Null);
    Ok((target, set.unwrap_or_default(), Some(seed), Some((folder, data))))
}

fn drawn() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_nanos());
    #[allow(clippy::cast_possible_truncation, reason = "the low bits are the point")]
    let low = now as u64;
    low.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33
}

/// The data files with their hashes.
fn sources(data: Option<&Dataset>) -> Value {
    let all = data.iter().flat_map(|d| &d.sources);
    all.map(|s| json!({"name": s.name, "sha256": s.sha256, "bytes": s.bytes})).collect()
}

/// A hash of what a checkpoint must agree with: everything but the length of the run.
fn hash(training: &Training) -> String {
    let s = &training.settings;
    let data = format!("{:?}", training.data.as_ref().map(|(spec, _)| spec));
    let text = format!(
        "{}\n{}\n{:?} {:?} {:?} {:?} {:?} {:?} {:?}\n{}",
        training.objective,
        training.rule.diagram,
        s.batch,
        s.precision,
        s.order,
        s.aggregator,
        s.shuffle,
        s.select,
        s.validate,
        without_places(&data)
    );
    catlearn::data::sha256(text.as_bytes())
}

/// A description without the places it was written at: a comment more or less is the same run.
fn without_places(text: &str) -> String {
    let mut pieces = text.split("Span {");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        out.push_str(piece.split_once('}').map_or("", |(_, rest)| rest));
    }
    out
}

fn config(training: &Training, seed: u64) -> String {
    let s = &training.settings;
    let quote = |t: &str| serde_json::Value::String(t.to_owned()).to_string();
    let mut out = format!("name = {}\nseed = {seed}\n", quote(&training.name));
    let debugged = [
        ("batch", format!("{:?}", s.batch)),
        ("length", format!("{:?}", s.length)),
        ("precision", format!("{:?}", s.precision).to_lowercase()),
        ("shuffle", s.shuffle.to_string()),
        ("aggregate", format!("{:?}", s.aggregator).to_lowercase()),
        ("select", format!("{:?}", s.select)),
    ];
    for (key, value) in debugged {
        let value = if value == "true" || value == "false" { value } else { quote(&value) };
        out.push_str(&format!("{key} = {value}\n"));
    }
    out.push_str("\n[source]\n");
    for (key, value) in &training.resolved {
        out.push_str(&format!("{key} = {}\n", quote(value)));
    }
    out.push_str("\n[parameters]\n");
    for p in &training.params {
        out.push_str(&format!("{} = {}\n", quote(&p.path), quote(&p.leaf.to_string())));
    }
    out
}

impl Job<'_> {
    fn record(
        &self,
        target: &str,
        set: &[String],
        data: Option<&Dataset>,
        status: &str,
        line: Option<&Value>,
    ) -> Result<(), End> {
        let record = json!({
            "catlearn": env!("CARGO_PKG_VERSION"),
            "command": std::env::args().collect::<Vec<_>>(),
            "target": target, "training": &*self.training.name, "set": set, "seed": self.seed,
            "program_hash": self.program_hash, "data": sources(data), "status": status,
            "result": line,
        });
        let text = serde_json::to_string_pretty(&record).unwrap_or_default();
        self.folder.write("run.json", text.as_bytes(), self.shared)
    }

    fn in_folder(
        &self,
        data: Option<&Dataset>,
        loaded: &Loaded,
        folder: &Folder,
        resuming: bool,
    ) -> Result<Measured, End> {
        match self.training.settings.precision {
            Precision::F32 => self.with::<f32>(data, loaded, folder, resuming),
            Precision::F64 => self.with::<f64>(data, loaded, folder, resuming),
        }
    }

    fn folds(&mut self, data: Option<&Dataset>, loaded: &Loaded, folds: usize) -> Result<Measured, End> {
        let mut all: Vec<Measured> = Vec::new();
        for i in 0..folds {
            let Some(fold) = data.map(|d| d.fold(i)) else { return Err(End::Fault) };
            let fold = fold.map_err(|said| {
                loaded.say(self.shared, &said);
                End::Fault
            })?;
            note(self.shared, &format!("fold {i}"));
            let folder = self.folder.inner(&format!("fold-{i}"), self.shared)?;
            // A fold that was never begun has nothing to resume.
            let begun = self.resuming && folder.path.join("checkpoint/last.safetensors").exists();
            let result = self.in_folder(Some(&fold), loaded, &folder, begun)?;
            let stop = result.interrupted || result.failed;
            all.push(result);
            if stop {
                break;
            }
        }
        Ok(mean_of(&all))
    }

    fn fault(&self, why: impl std::fmt::Display, folder: &Folder) -> End {
        let d = Diagnostic::error(Code::RUN_CHECKPOINT, why.to_string())
            .note(format!("in {}", folder.path.display()))
            .help("nothing was started afresh; begin a new run without `--resume`");
        complain(self.shared, d);
        End::Fault
    }

    fn with<T: Float>(
        &self,
        data: Option<&Dataset>,
        loaded: &Loaded,
        folder: &Folder,
        resuming: bool,
    ) -> Result<Measured, End> {
        let say = |said: Diagnostics| {
            loaded.say(self.shared, &said);
            End::Fault
        };
        let mut learner: Learner<T> = Learner::new(self.training, data, self.seed).map_err(say)?;
        let mut from = Started { best: None, since: (0.0, 0) };
        if resuming {
            from = self.restore(&mut learner, folder)?;
        }
        if let Some(path) = &self.args.init {
            let bytes = std::fs::read(path).map_err(|e| self.fault(format!("{}: {e}", path.display()), folder))?;
            let found = Checkpoint::load(&bytes, &learner, false).map_err(|e| self.fault(e, folder))?;
            let states = learner.states().to_vec();
            learner.restore(found.params, states, 0);
        }
        let empty = Parts::default();
        let rows = data.map_or(&empty, |d| &d.parts);
        let shuffle = data.is_some_and(|d| d.shuffle);
        let mut schedule = Schedule::new(&self.training.settings, &rows.train, shuffle, self.seed);
        let metadata = BTreeMap::from([
            ("seed".to_owned(), self.seed.to_string()),
            ("program_hash".to_owned(), self.program_hash.clone()),
            ("training".to_owned(), self.training.name.to_string()),
        ]);
        if learner.updates() > schedule.total() {
            let (made, total) = (learner.updates(), schedule.total());
            return Err(self.fault(format!("the checkpoint has {made} updates, the run is now {total} long"), folder));
        }
        let began = Instant::now();
        let first = learner.updates();
        let mut writing = Writing {
            shared: self.shared,
            folder,
            metadata,
            epochs: schedule.epoch(schedule.total()).max(1),
            total: schedule.total(),
            began,
            saved: began,
            shown: 0,
            stop_at: self.args.stop_after,
            since: (0.0, 0),
            steps: 0,
        };
        let outcome = run_loop(&mut learner, &mut schedule, rows, &self.training.settings, from, &mut writing);
        writing.since = outcome.since;
        let seconds = began.elapsed().as_secs_f64();
        writing.save(&learner, outcome.best.as_ref())?;
        if let Some(d) = &outcome.fault {
            messages(self.shared, &d.clone().into(), loaded.program.sources());
        }
        let failed = outcome.fault.is_some();
        let (metrics, selected) = if outcome.interrupted || failed {
            (Map::new(), Value::Null)
        } else {
            self.measure(&mut learner, rows, &outcome).map_err(|d| say(d.into()))?
        };
        let steps = learner.updates() - first;
        let samples = (first..learner.updates()).map(|s| schedule.batch(s).len().max(1)).sum();
        Ok(Measured {
            metrics,
            selected,
            steps: learner.updates(),
            epochs: schedule.epoch(learner.updates()),
            seconds,
            samples: if steps == 0 { 0 } else { samples },
            interrupted: outcome.interrupted,
            failed,
        })
    }

    fn restore<T: Float>(&self, learner: &mut Learner<T>, folder: &Folder) -> Result<Started<T>, End> {
        let bytes = folder
            .read("checkpoint/last.safetensors")
            .map_err(|e| self.fault(format!("checkpoint/last.safetensors: {e}"), folder))?;
        let found: Checkpoint<T> = Checkpoint::load(&bytes, learner, true).map_err(|e| self.fault(e, folder))?;
        if found.metadata.get("program_hash") != Some(&self.program_hash) {
            return Err(self.fault("the checkpoint is of another program than the file is now", folder));
        }
        let step = found.number("step").map_err(|e| self.fault(e, folder))?;
        let sum = found.number("since_bits").map_err(|e| self.fault(e, folder))?;
        let count = found.number("since_steps").map_err(|e| self.fault(e, folder))?;
        let since = (f64::from_bits(sum), usize::try_from(count).unwrap_or(0));
        learner.restore(found.params, found.states, usize::try_from(step).unwrap_or(usize::MAX));
        let Ok(bytes) = folder.read("checkpoint/best.safetensors") else { return Ok(Started { best: None, since }) };
        let best: Checkpoint<T> = Checkpoint::load(&bytes, learner, true).map_err(|e| self.fault(e, folder))?;
        let step = best.number("step").map_err(|e| self.fault(e, folder))?;
        let score = best.number("score_bits").map_err(|e| self.fault(e, folder))?;
        let kept = Kept {
            params: best.params,
            states: best.states,
            step: usize::try_from(step).unwrap_or(usize::MAX),
            score: f64::from_bits(score),
        };
        Ok(Started { best: Some(kept), since })
    }

    /// Metrics of the last state on every part, and of the selected one.
    fn measure<T: Float>(
        &self,
        learner: &mut Learner<T>,
        rows: &Parts,
        outcome: &Outcome<T>,
    ) -> Result<(Map<String, Value>, Value), Diagnostic> {
        let last = on_parts(learner, rows)?;
        let selected = match &outcome.best {
            None => json!({"step": learner.updates(), "metrics": Value::Object(last.clone())}),
            Some(best) => {
                let (params, states, updates) =
                    (learner.params().to_vec(), learner.states().to_vec(), learner.updates());
                learner.restore(best.params.clone(), best.states.clone(), best.step);
                let found = on_parts(learner, rows);
                learner.restore(params, states, updates);
                json!({"step": best.step, "metrics": Value::Object(found?)})
            }
        };
        Ok((last, selected))
    }

    fn line(&self, r: &Measured) -> Value {
        #[allow(clippy::cast_precision_loss, reason = "a count of samples")]
        let rate = if r.seconds > 0.0 { r.samples as f64 / r.seconds } else { 0.0 };
        json!({
            "run": self.folder.path.display().to_string(), "seed": self.seed, "epochs": r.epochs, "steps": r.steps,
            "train_s": r.seconds, "samples_per_s": rate, "metrics": r.metrics, "selected": r.selected,
        })
    }

    fn tell(&self, r: &Measured, line: &Value) -> Result<(), End> {
        if self.args.format == Format::Json {
            return answer(&line.to_string());
        }
        for (part, m) in &r.metrics {
            let mut text = format!("{part:>5}");
            if let Some(loss) = m.get("loss").and_then(Value::as_f64) {
                text.push_str(&format!("  loss {loss:.6}"));
            }
            for (key, name) in SHARES {
                if let Some(share) = m.get(key).and_then(Value::as_f64) {
                    text.push_str(&format!("  {name} {:.2} %", 100.0 * share));
                }
                if let Some(sd) = m.get(format!("{key}_sd")).and_then(Value::as_f64) {
                    text.push_str(&format!("  (sd {:.2} over folds)", 100.0 * sd));
                }
            }
            answer(&text)?;
        }
        if let Some(step) = r.selected.get("step").and_then(Value::as_u64)
            && step != r.steps as u64
        {
            let at =
                |part: &str, what: &str| r.selected.pointer(&format!("/metrics/{part}/{what}")).and_then(Value::as_f64);
            let shown =
                |(key, name): (&str, &str)| at("test", key).map(|a| format!(", test {name} {:.2} %", 100.0 * a));
            let test: String = SHARES.into_iter().filter_map(shown).collect();
            answer(&format!("selected: step {step}{test}"))?;
        }
        let matrix = r.metrics.get("test").or(r.metrics.get("train")).and_then(|m| m.get("confusion_matrix"));
        if let Some(Value::Array(rows)) = matrix {
            answer("confusion (rows: true class, columns: predicted)")?;
            for row in rows {
                let cells: Vec<String> =
                    row.as_array().into_iter().flatten().map(|c| format!("{:>6}", c.to_string())).collect();
                answer(&cells.concat())?;
            }
        }
        note(
            self.shared,
            &format!("{} steps in {:.2} s; the run is in {}", r.steps, r.seconds, self.folder.path.display()),
        );
        Ok(())
    }
}

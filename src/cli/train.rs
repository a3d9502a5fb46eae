//! `catlearn train FILE[:NAME]`.
//!
//! Everything that can be refused is refused before the run folder is touched: program, data, seed, the parameters to
//! begin with, the learner of every fold.

use super::folder::{Folder, Lock};
use super::load::{Loaded, load, parts};
use super::measure::{Measured, line, mean_of, measure, not_finite, show_curve, tell};
use super::monitors::{sentence, verdicts, violation};
use super::observe::{STOP, Writing};
use super::past::encoders::{ENCODERS, Encoders};
use super::past::{IMPORTS, imports};
use super::progress::Progress;
use super::record::{Record, absolute, command, config, hash, sources};
use super::resume::{begun, fault, keep_lines, restore, resumed};
use super::terminal::{complain, messages, note};
use super::{End, Shared};
use catlearn::data::{Dataset, Parts};
use catlearn::diagram::Role;
use catlearn::elaborate::{BatchSize, Length, Precision, Training};
use catlearn::run::{Checkpoint, Float, Learner, Schedule, Since, Started, Watch, evaluate_bits, run as run_loop};
use catlearn::source::{Code, Diagnostic, Diagnostics};
use clap::Args;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
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
    /// Seed of all random numbers (else --set seed=, CATLEARN_SEED, the run's own, a drawn one)
    #[arg(long)]
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
    #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "init", "set", "seed", "force"])]
    resume: Option<PathBuf>,
    /// Overwrite a run folder
    #[arg(long)]
    force: bool,
    /// Stop after that many updates, as an interrupt would
    #[arg(long, hide = true)]
    stop_after: Option<usize>,
}

impl TrainArgs {
    /// The program, that of the run which is resumed too.
    pub(super) fn place(&self) -> Option<String> {
        let old = || Some(Record::read(&Folder { path: self.resume.clone()? }).ok()?.target);
        self.target.clone().or_else(old)
    }
}

pub(super) fn run(args: &TrainArgs, shared: &Shared) -> End {
    trained(args, shared).unwrap_or_else(|end| end)
}

/// What is known of a run before anything is written.
struct Plan<'a> {
    args: &'a TrainArgs,
    shared: &'a Shared,
    loaded: &'a Loaded,
    training: &'a Training,
    data: Option<&'a Dataset>,
    shuffle: bool,
    /// What `run.json` says or will say.
    record: Record,
    /// The parameters to begin with.
    init: Option<Vec<u8>>,
    /// The folder of the run that is gone on with.
    old: Option<(Folder, Lock)>,
}

fn trained(args: &TrainArgs, shared: &Shared) -> Result<End, End> {
    let mut shared = shared.clone();
    let old = match &args.resume {
        Some(dir) => {
            let (folder, record) = resumed(dir, &shared)?;
            shared.recorded.clone_from(&record.data_dirs);
            Some((folder, record))
        }
        None => None,
    };
    let shared = &shared;
    let Some(target) = args.target.clone().or(old.as_ref().map(|(_, r)| r.target.clone())) else {
        complain(shared, Diagnostic::error(Code::IMPORT, "no program is named").help("catlearn train FILE.lens"));
        return Err(End::Usage);
    };
    let (file, name) = parts(&target);
    let name = name.or(old.as_ref().map(|(_, r)| &*r.training));
    let set = old.as_ref().map_or(&args.set, |(_, r)| &r.set).clone();
    let mut loaded = load(file, shared)?;
    let warnings = loaded.program.check();
    loaded.say(shared, &Diagnostics(warnings.0.into_iter().filter(|d| !d.is_error()).collect()));
    let training = loaded.training(name, &set, shared)?;
    if let Some(warning) = unmeasured(&training) {
        loaded.say(shared, &warning.into());
    }
    let seed = match &old {
        Some((_, record)) => record.seed,
        None => super::seed(args.seed, &set, &training, shared).unwrap_or_else(drawn),
    };
    let data = match &training.data {
        Some((spec, from)) => {
            let data = catlearn::data::load(spec, from, &loaded.world, seed, &evaluate_bits).map_err(|said| {
                loaded.say(shared, &said);
                End::Fault
            })?;
            loaded.say(shared, &Diagnostics(data.warnings.clone()));
            Some(data)
        }
        None => None,
    };
    let program_hash = hash(&training);
    // A run may be resumed from any folder.
    let mut record = Record {
        command: command(),
        resumes: Vec::new(),
        target: format!("{}:{}", absolute(Path::new(file)).display(), training.name),
        training: training.name.to_string(),
        set,
        seed,
        program_hash,
        data: sources(data.as_ref()),
        data_dirs: loaded.world.data_dirs().iter().map(|d| absolute(d)).collect(),
        init: Value::Null,
    };
    let (init, old) = match old {
        Some((folder, before)) => {
            if before.data != record.data {
                let d = Diagnostic::error(Code::RUN_CHECKPOINT, "the data is not what this run was started with")
                    .note(format!("started with {}", before.data))
                    .help("put the old files back, or begin a new run");
                complain(shared, d);
                return Err(End::Fault);
            }
            if before.program_hash != record.program_hash {
                return Err(fault("the run is of another program than the file is now", &folder, shared));
            }
            let lock = folder.lock(shared)?;
            let init = begun_with(&before.init, &folder).map_err(|why| fault(why, &folder, shared))?;
            record = Record { command: before.command, resumes: before.resumes, init: before.init, ..record };
            record.resumes.push(json!({"command": command()}));
            (init, Some((folder, lock)))
        }
        None => match &args.init {
            Some(path) => {
                let bytes = std::fs::read(path).map_err(|e| unusable(path, &e, shared))?;
                record.init =
                    json!({"path": absolute(path).to_string_lossy(), "sha256": catlearn::data::sha256(&bytes)});
                (Some(bytes), None)
            }
            None => (None, None),
        },
    };
    let shuffle = training.shuffles(data.as_ref().is_some_and(|d| d.shuffle));
    let plan =
        Plan { args, shared, loaded: &loaded, training: &training, data: data.as_ref(), shuffle, record, init, old };
    match training.settings.precision {
        Precision::F32 => plan.begin::<f32>(),
        Precision::F64 => plan.begin::<f64>(),
    }
}

/// The copy of the parameters that a run began with.
fn begun_with(init: &Value, folder: &Folder) -> Result<Option<Vec<u8>>, String> {
    let Some(known) = init.get("sha256").and_then(Value::as_str) else { return Ok(None) };
    let bytes = folder.read(INIT).map_err(|e| format!("{INIT}: {e}"))?;
    if catlearn::data::sha256(&bytes) != known {
        return Err(format!("{INIT} is not what this run was started with"));
    }
    Ok(Some(bytes))
}

/// The copy of the file of `--init` in the run folder.
const INIT: &str = "init.safetensors";

fn unusable(path: &Path, why: &dyn std::fmt::Display, shared: &Shared) -> End {
    let d = Diagnostic::error(Code::RUN_CHECKPOINT, format!("cannot begin with `{}`: {why}", path.display()))
        .help("nothing was started; `--init` takes a safetensors file with the parameters of this run, by path");
    complain(shared, d);
    End::Fault
}

/// Metrics that a run names and cannot have.
fn unmeasured(training: &Training) -> Option<Diagnostic> {
    let classes = training.predict.is_some() && !training.player.objective.ports_of(Role::Target).is_empty();
    (!training.settings.metrics.is_empty() && !classes).then(|| {
        Diagnostic::warning(Code::TRAIN_FIELD, "`metrics` are not computed: this run has no model with labels")
            .at(training.span, "in this run")
            .help("leave `metrics` off, or train a `model` with a `loss` on data with a `target`")
    })
}

fn drawn() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_nanos());
    #[allow(clippy::cast_possible_truncation, reason = "the low bits are the point")]
    let low = now as u64;
    low.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33
}

impl Plan<'_> {
    fn say(&self, said: &Diagnostics) -> End {
        self.loaded.say(self.shared, said);
        End::Fault
    }

    /// A learner as it begins.
    fn learner<T: Float>(&self, data: Option<&Dataset>) -> Result<Learner<T>, End> {
        let made = Learner::new(self.training, data, self.record.seed);
        let mut learner: Learner<T> = made.map_err(|said| self.say(&said))?;
        if let Some(bytes) = &self.init {
            let named = self.args.init.clone().unwrap_or_else(|| INIT.into());
            let found = Checkpoint::load(bytes, &learner, false).map_err(|e| unusable(&named, &e, self.shared))?;
            learner.begin_with(found.params);
        }
        Ok(learner)
    }

    fn fold(&self, i: usize) -> Result<Dataset, End> {
        let Some(data) = self.data else { return Err(End::Fault) };
        data.fold(i).map_err(|said| self.say(&said))
    }

    /// Makes or takes the folder and runs.
    fn begin<T: Float>(mut self) -> Result<End, End> {
        let folds = self.data.map_or(0, |d| d.folds.len());
        let mut single = None;
        if folds == 0 {
            single = Some(self.learner::<T>(self.data)?);
        }
        for i in 0..folds {
            self.learner::<T>(Some(&self.fold(i)?))?;
        }
        let resuming = self.old.is_some();
        let (folder, _lock) = match self.old.take() {
            Some(old) => old,
            None => Folder::create(self.args.out.as_deref(), &self.training.name, self.args.force, self.shared)?,
        };
        let (shared, seed) = (self.shared, self.record.seed);
        if !resuming {
            folder.write("model.lens", self.loaded.text.as_bytes(), shared)?;
            folder.write("config.toml", config(self.training, seed, self.shuffle).as_bytes(), shared)?;
            if let Some(bytes) = &self.init {
                folder.write(INIT, bytes, shared)?;
            }
            let imported = imports(self.loaded.program.sources(), &self.loaded.path);
            if !imported.is_empty() {
                folder.write(IMPORTS, serde_json::json!(imported).to_string().as_bytes(), shared)?;
            }
        }
        note(shared, &format!("training {} into {} with seed {seed}", self.training.name, folder.path.display()));
        let _set_before = ctrlc::set_handler(|| {
            if STOP.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
        });
        self.record.write(&folder, "running", None, shared)?;
        let result = match single {
            Some(learner) => self.with(self.data, learner, &folder, resuming),
            None => self.folds::<T>(&folder, resuming, folds),
        };
        let result = match result {
            Ok(r) => r,
            Err(end) => {
                self.record.write(&folder, "failed", None, shared)?;
                return Err(end);
            }
        };
        let status = match (result.failed, result.interrupted) {
            (true, _) => "failed",
            (_, true) => "interrupted",
            _ if result.stopped => "stopped",
            _ => "finished",
        };
        let line = line(&result, &folder.path, seed);
        self.record.write(&folder, status, Some(&line), shared)?;
        if result.failed {
            return Err(End::Fault);
        }
        if result.interrupted {
            note(shared, &format!("interrupted; go on with: catlearn train --resume {}", folder.path.display()));
            return Err(End::Interrupted);
        }
        show_curve(&folder, shared);
        tell(&result, &line, &folder.path, shared)?;
        // A run that a violated proposition ended is at fault, though all that it did was kept.
        Ok(if result.stopped { End::Fault } else { End::Fine })
    }

    /// What became of the propositions about the run.
    fn say_verdicts(&self, watch: &Watch) {
        let settings = &self.training.settings;
        for verdict in watch.verdicts(&settings.monitors) {
            match violation(&verdict, settings.on_violation) {
                Some(d) => messages(self.shared, &d.into(), self.loaded.program.sources()),
                None => note(self.shared, &sentence(&verdict)),
            }
        }
    }

    fn folds<T: Float>(&self, folder: &Folder, resuming: bool, folds: usize) -> Result<Measured, End> {
        let mut all: Vec<Measured> = Vec::new();
        for i in 0..folds {
            let fold = self.fold(i)?;
            note(self.shared, &format!("fold {i}"));
            let inner = folder.inner(&format!("fold-{i}"), self.shared)?;
            let goes_on = resuming && begun(&inner);
            if resuming && !goes_on {
                keep_lines(&inner, 0, self.shared)?;
            }
            let learner = self.learner::<T>(Some(&fold))?;
            let result = self.with(Some(&fold), learner, &inner, goes_on)?;
            let stop = result.interrupted || result.failed || result.stopped;
            all.push(result);
            if stop {
                break;
            }
        }
        let mean = mean_of(&all);
        for warning in not_finite(&mean) {
            messages(self.shared, &warning.at(self.training.span, "in this run").into(), self.loaded.program.sources());
        }
        Ok(mean)
    }

    fn with<T: Float>(
        &self,
        data: Option<&Dataset>,
        mut learner: Learner<T>,
        folder: &Folder,
        resuming: bool,
    ) -> Result<Measured, End> {
        let (settings, record) = (&self.training.settings, &self.record);
        let encoders = |d: &Dataset| Encoders { input: d.input_encoder.clone(), target: d.target_encoder.clone() };
        if let Some(fitted) = data.map(|d| encoders(d).to_json()) {
            folder.write(ENCODERS, fitted.to_string().as_bytes(), self.shared)?;
        }
        let metadata = BTreeMap::from([
            ("seed".to_owned(), record.seed.to_string()),
            ("program_hash".to_owned(), record.program_hash.clone()),
            ("training".to_owned(), record.training.clone()),
        ]);
        let (mut from, mut before) = (Started::anew(settings), 0.0);
        if resuming {
            from = restore(&mut learner, folder, settings, &metadata).map_err(|why| fault(why, folder, self.shared))?;
            before = keep_lines(folder, learner.updates(), self.shared)?;
        }
        let empty = Parts::default();
        let rows = data.map_or(&empty, |d| &d.parts);
        let mut schedule = Schedule::new(self.training, rows, self.shuffle, record.seed);
        if learner.updates() > schedule.total() {
            let why =
                format!("the checkpoint has {} updates, the run is now {} long", learner.updates(), schedule.total());
            return Err(fault(why, folder, self.shared));
        }
        let began = Instant::now();
        let mut writing = Writing {
            shared: self.shared,
            folder,
            metadata,
            epochs: schedule.epochs(),
            total: schedule.total(),
            began,
            before,
            saved: began,
            progress: Progress::new(schedule.total(), self.shared),
            stop_at: self.args.stop_after,
            since: Since::default(),
            watch: from.watch.save(),
            steps: 0,
        };
        let to_do = learner.updates() < schedule.total();
        let outcome = run_loop(&mut learner, &mut schedule, rows, settings, from, &mut writing);
        writing.since.clone_from(&outcome.since);
        writing.watch = outcome.watch.save();
        let seconds = if to_do { before + began.elapsed().as_secs_f64() } else { before };
        writing.save(&learner, outcome.best.as_ref(), seconds)?;
        if let Some(d) = &outcome.fault {
            messages(self.shared, &d.clone().into(), self.loaded.program.sources());
        }
        let failed = outcome.fault.is_some();
        let active = matches!(settings.batch, BatchSize::Active(_));
        let short = match settings.length {
            Length::Steps(n) => learner.updates() < n,
            Length::Epochs(n) => schedule.epochs_of(&learner) < n,
        };
        if active && short && !failed && !outcome.interrupted {
            note(self.shared, "no example has a loss any more: the run ends early");
        }
        if !outcome.interrupted {
            self.say_verdicts(&outcome.watch);
        }
        let (metrics, selected) = if outcome.interrupted || failed {
            (Map::new(), Value::Null)
        } else {
            measure(&mut learner, rows, &outcome).map_err(|d| self.say(&d.into()))?
        };
        Ok(Measured {
            metrics,
            selected,
            steps: learner.updates(),
            epochs: schedule.epochs_of(&learner),
            seconds,
            samples: schedule.samples_of(&learner),
            interrupted: outcome.interrupted,
            stopped: outcome.stopped,
            failed,
            verdicts: verdicts(&settings.monitors, &outcome.watch),
        })
    }
}

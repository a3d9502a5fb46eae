//! A run that was made: its program, its encoders and one of its states, from its folder.
//!
//! In: the path of a run folder, or of one of its folds. Out: a [`Past`], which makes learners in the state that was
//! asked for. The folder suffices to predict; for its own rows the data is found again and held against its hash. A
//! program that means something else in this version is a fault, never another model's numbers.

pub(super) mod encoders;
pub(super) mod eval;
mod json;
mod naming;
mod near;
pub(super) mod predict;
mod rows;
mod text;
mod world;
mod writing;

use self::encoders::{ENCODERS, Encoders};
use self::world::PastWorld;
use super::folder::Folder;
use super::load::Loaded;
use super::record::{Record, hash, sources};
use super::terminal::{complain, note};
use super::world::FileWorld;
use super::{End, Shared};
use catlearn::data::{Dataset, OriginKind, SplitKind, Target};
use catlearn::elaborate::{Program, Select, Training};
use catlearn::run::{Checkpoint, Float, Learner, evaluate_bits};
use catlearn::source::{Code, Diagnostic};
use clap::ValueEnum;
use std::path::{Path, PathBuf};

pub(super) use self::world::{IMPORTS, imports, tidy};

/// Which state of a run is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum State {
    /// After the last update
    Last,
    /// The one that `select` chose
    Best,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            State::Last => "last",
            State::Best => "best",
        }
    }

    /// Its place in the run folder.
    fn file(self) -> String {
        format!("checkpoint/{}.safetensors", self.name())
    }
}

/// A run with everything but its data.
pub(super) struct Past {
    dir: PathBuf,
    folder: Folder,
    fold: Option<usize>,
    record: Record,
    loaded: Loaded,
    world: PastWorld,
    training: Training,
    state: State,
}

/// A fault of what is in a run folder.
fn fault(why: impl std::fmt::Display, dir: &Path, shared: &Shared) -> End {
    let d = Diagnostic::error(Code::RUN_CHECKPOINT, why.to_string()).note(format!("in {}", dir.display()));
    complain(shared, d.help("train the program anew with this version of catlearn"));
    End::Fault
}

impl Past {
    /// Opens a run folder; without a state the best one of a run that selects one, else the last.
    pub(super) fn open(dir: &Path, state: Option<State>, shared: &Shared) -> Result<Past, End> {
        let unusable = |why: String| {
            let d = Diagnostic::error(Code::RUN_FOLDER, format!("`{}` is no run: {why}", dir.display()));
            complain(shared, d.help(near::help(dir, shared)));
            End::Usage
        };
        let fold = dir.file_name().and_then(|n| n.to_str()?.strip_prefix("fold-")?.parse::<usize>().ok());
        let parent = dir.parent().map(Path::to_path_buf).filter(|_| fold.is_some() && !dir.join("run.json").exists());
        let (root, fold) = match parent {
            Some(parent) => (parent, fold),
            None => (dir.to_path_buf(), None),
        };
        let main = Folder { path: root };
        if let Some(why) = near::absent(dir, &main.path) {
            return Err(unusable(why.to_owned()));
        }
        let record = Record::read(&main).map_err(unusable)?;
        let text = main.read("model.lens").map_err(|e| unusable(format!("model.lens: {e}")))?;
        let text = String::from_utf8(text).map_err(|e| unusable(format!("model.lens: {e}")))?;
        let mut shared = shared.clone();
        shared.recorded.clone_from(&record.data_dirs);
        let (original, _) = super::load::parts(&record.target);
        let shown = main.path.join("model.lens").display().to_string();
        let world = PastWorld::new(FileWorld::new(&shared), &shown, original, &main);
        let program = Program::parse(&text, &shown, &world).map_err(|(said, sources)| {
            super::terminal::messages(&shared, &said, &sources);
            End::Fault
        })?;
        let mut loaded = Loaded { program, path: shown, text, world: FileWorld::new(&shared) };
        let training = loaded.training(Some(&record.training), &record.set, &shared)?;
        if hash(&training) != record.program_hash {
            return Err(fault("the program of this run means something else in this version", &main.path, &shared));
        }
        let selects = matches!(training.settings.select, Select::Best { .. });
        if state == Some(State::Best) && !selects {
            let d = Diagnostic::error(Code::PREDICTION, "this run has no best state: it has no `select`");
            complain(&shared, d.help("leave `--state` off: the last state is the only one"));
            return Err(End::Usage);
        }
        let folder = Folder { path: dir.to_path_buf() };
        // A run that was stopped before its first validation has selected nothing yet.
        let kept = |state: State| dir.join(state.file()).is_file();
        let unselected = !kept(State::Best) && kept(State::Last);
        let state = state.unwrap_or(if selects && !unselected { State::Best } else { State::Last });
        Ok(Past { dir: dir.to_path_buf(), folder, fold, record, loaded, world, training, state })
    }

    fn say(&self, shared: &Shared, said: &catlearn::source::Diagnostics) -> End {
        self.loaded.say(shared, said);
        End::Fault
    }

    /// The data of the run, held against its hash.
    fn data(&self, shared: &Shared) -> Result<Option<Dataset>, End> {
        let Some((spec, from)) = &self.training.data else { return Ok(None) };
        let found = catlearn::data::load(spec, from, &self.world, self.record.seed, &evaluate_bits);
        let data = found.map_err(|said| self.say(shared, &said))?;
        if sources(Some(&data)) != self.record.data {
            let d = Diagnostic::error(Code::RUN_CHECKPOINT, "the data is not what this run was trained on")
                .note(format!("trained on {}", self.record.data))
                .help("put the old files back, or name them with `--data-dir`");
            complain(shared, d);
            return Err(End::Fault);
        }
        match self.fold {
            Some(i) => data.fold(i).map(Some).map_err(|said| self.say(shared, &said)),
            None => Ok(Some(data)),
        }
    }

    /// The encoders as fitted: those of the folder, else fitted again on the data.
    fn encoders(&self, shared: &Shared) -> Result<Encoders, End> {
        let spans = self.training.data.as_ref().map(|(spec, _)| {
            let target = if let Some(Target::Encoding(e)) = &spec.target { e.span } else { spec.input.span };
            (spec.input.span, target)
        });
        let kept = self.folder.read_if_there(ENCODERS).ok().flatten();
        if let Some(encoders) = kept.and_then(|bytes| Encoders::of_json(&bytes, spans.unwrap_or_default())) {
            return Ok(encoders);
        }
        match self.data(shared)? {
            Some(data) => Ok(Encoders { input: data.input_encoder, target: data.target_encoder }),
            None => {
                let d = Diagnostic::error(Code::PREDICTION, "this run has no data, so nothing says how rows are read");
                complain(shared, d.help("predict with a run that has `data`"));
                Err(End::Fault)
            }
        }
    }

    /// A learner in the state that was asked for.
    fn learner<T: Float>(&self, data: Option<&Dataset>, shared: &Shared) -> Result<Learner<T>, End> {
        let made = Learner::new(&self.training, data, self.record.seed);
        let mut learner: Learner<T> = made.map_err(|said| self.say(shared, &said))?;
        let name = self.state.file();
        let bad = |why: String| fault(format!("{name}: {why}"), &self.folder.path, shared);
        let bytes = self.folder.read(&name).map_err(|e| bad(e.to_string()))?;
        let found = Checkpoint::load(&bytes, &learner, true).map_err(|e| bad(e.to_string()))?;
        if found.metadata.get("program_hash") != Some(&self.record.program_hash) {
            return Err(bad("the checkpoint is of another program".to_owned()));
        }
        found.restore(&mut learner).map_err(|e| bad(e.to_string()))?;
        Ok(learner)
    }

    /// How many folds the run is divided into; a fold itself has none.
    fn all_folds(&self) -> usize {
        match self.training.data.as_ref().map(|(spec, _)| &spec.split.kind) {
            Some(SplitKind::Folds { k, .. }) if self.fold.is_none() => *k,
            _ => 0,
        }
    }

    /// The folds that have a state.
    fn folds(&self) -> Vec<usize> {
        let there = |i: &usize| {
            let folder = self.folder.path.join(format!("fold-{i}"));
            [State::Last, State::Best].iter().any(|state| folder.join(state.file()).is_file())
        };
        (0..self.all_folds()).filter(there).collect()
    }

    /// The form of text rows: the separator, and whether names come first.
    fn text_form(&self) -> (u8, bool) {
        match self.training.data.as_ref().map(|(spec, _)| &spec.source.kind) {
            Some(OriginKind::Csv { separator, header, .. }) => (*separator, *header),
            _ => (b',', false),
        }
    }

    /// Says which state is looked at.
    fn tell_state(&self, step: usize, shared: &Shared) {
        note(shared, &format!("the {} state of {}, of step {step}", self.state.name(), self.dir.display()));
    }
}

//! The command line: one file a verb, one definition of all flags.
//!
//! stdout holds only the answer; progress and notes go to stderr, with `--format json` as one JSON object a line. Exit 0
//! fine, 1 program, data or law at fault, 2 usage or configuration, 130 interrupted. A closed pipe ends quietly.

mod check;
mod config;
mod explain;
mod fmt;
mod folder;
mod laws;
mod load;
mod manual;
mod measure;
mod monitors;
mod new;
mod observe;
mod past;
mod plot;
mod progress;
mod record;
pub(crate) mod render;
mod resume;
mod terminal;
mod trace;
mod train;
mod world;

use catlearn::elaborate::Training;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;

/// How a command ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    /// All went well.
    Fine,
    /// The program, its data or a law is at fault.
    Fault,
    /// The command was used wrongly.
    Usage,
    /// Stopped by the user.
    Interrupted,
}

impl From<End> for ExitCode {
    fn from(end: End) -> ExitCode {
        ExitCode::from(match end {
            End::Fine => 0,
            End::Fault => 1,
            End::Usage => 2,
            End::Interrupted => 130,
        })
    }
}

/// A language for learning systems: models as morphisms, optimisers as lenses, one composite morphism a training step.
#[derive(Debug, Parser)]
#[command(name = "catlearn", version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    shared: Shared,
}

/// Flags of every verb.
#[derive(Clone, Debug, Args)]
pub(crate) struct Shared {
    /// When to use colour (else CATLEARN_COLOR, else auto)
    #[arg(long, global = true, value_enum)]
    color: Option<Color>,
    /// Say nothing but errors on stderr
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Where data files are looked up after the folder of the .lens file (then CATLEARN_DATA)
    #[arg(long, global = true, value_name = "D")]
    data_dir: Option<PathBuf>,
    /// Form of answers and messages
    #[arg(long, global = true, value_enum, value_name = "FORM")]
    format: Option<Format>,
    /// Where a resumed run found its data.
    #[arg(skip)]
    recorded: Vec<PathBuf>,
    /// What `catlearn.toml` says, used last.
    #[arg(skip)]
    fallback: Fallback,
}

/// Defaults that stand below everything else.
#[derive(Clone, Debug, Default)]
struct Fallback {
    data_dirs: Vec<PathBuf>,
    runs: Option<PathBuf>,
    seed: Option<u64>,
}

impl Shared {
    /// Whether answers and messages are for programs.
    fn json(&self) -> bool {
        self.format == Some(Format::Json)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum Color {
    Auto,
    Always,
    Never,
}

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a folder that trains at once
    New(new::NewArgs),
    /// Check programs: every error of every file, then each item's type, parameters and operations
    Check(check::CheckArgs),
    /// Train: a run folder with the trained parameters
    Train(train::TrainArgs),
    /// Measure a run that was made: on its own data, or on another file
    Eval(past::eval::EvalArgs),
    /// Predict with a run that was made: CSV or JSON lines in, the same out
    Predict(past::predict::PredictArgs),
    /// Step a learner: one JSON line a step on stdout
    Trace(trace::TraceArgs),
    /// Check the laws of the theory on every item of a file
    Laws(laws::LawsArgs),
    /// Explain a name, a code, a file's names, or list every name of the language
    Explain(explain::ExplainArgs),
    /// Format programs in place
    Fmt(fmt::FmtArgs),
    /// Write the completions of a shell to stdout
    Completions(manual::CompletionsArgs),
    /// Write the manual pages: all into a folder, or the first to stdout
    Man(manual::ManArgs),
    /// Print the version
    Version,
}

impl Verb {
    /// The program or the run that `catlearn.toml` is looked for beside and above; a verb without one has no defaults.
    fn place(&self) -> Option<PathBuf> {
        let program = |target: &str| PathBuf::from(load::parts(target).0);
        match self {
            Verb::Check(args) => args.place().map(PathBuf::from),
            Verb::Train(args) => args.place().map(|target| program(&target)),
            Verb::Eval(args) => Some(args.run.clone()),
            Verb::Predict(args) => Some(args.run.clone()),
            Verb::Trace(args) => Some(program(&args.target)),
            Verb::Laws(args) => Some(PathBuf::from(&args.file)),
            _ => None,
        }
    }
}

/// Runs the command that the process was given.
pub(crate) fn main() -> ExitCode {
    let mut cli = Cli::parse();
    let color = |text: &str| Color::from_str(text, true);
    cli.shared.color = cli.shared.color.or_else(|| variable("CATLEARN_COLOR", color));
    if let Some(place) = cli.verb.place()
        && let Err(end) = config::defaults(&mut cli.shared, &place)
    {
        return end.into();
    }
    let shared = &cli.shared;
    let end = match &cli.verb {
        Verb::New(args) => new::run(args, shared),
        Verb::Check(args) => check::run(args, shared),
        Verb::Train(args) => train::run(args, shared),
        Verb::Eval(args) => past::eval::run(args, shared),
        Verb::Predict(args) => past::predict::run(args, shared),
        Verb::Trace(args) => trace::run(args, shared),
        Verb::Laws(args) => laws::run(args, shared),
        Verb::Explain(args) => explain::run(args, shared),
        Verb::Fmt(args) => fmt::run(args, shared),
        Verb::Completions(args) => manual::completions(args),
        Verb::Man(args) => manual::man(args, shared),
        Verb::Version => manual::version(shared),
    };
    end.into()
}

/// A variable of the environment, if it is set to something; a value that cannot be read ends the command.
fn variable<T>(name: &str, read: impl Fn(&str) -> Result<T, String>) -> Option<T> {
    let value = std::env::var_os(name).filter(|v| !v.is_empty())?;
    let text = value.to_string_lossy();
    match read(&text) {
        Ok(read) => Some(read),
        Err(why) => {
            let message = format!("invalid value '{text}' of {name}: {why}\n");
            Cli::command().error(ErrorKind::InvalidValue, message).exit()
        }
    }
}

/// The seed: `--seed`, then `--set seed=`, then the environment, then the run's own, then that of `catlearn.toml`.
fn seed(flag: Option<u64>, set: &[String], training: &Training, shared: &Shared) -> Option<u64> {
    let own = training.settings.seed;
    let is_set = set.iter().any(|pair| pair.split_once('=').is_some_and(|(key, _)| key.trim() == "seed"));
    let number = |text: &str| text.parse::<u64>().map_err(|e| e.to_string());
    match flag {
        None if is_set => own,
        None => variable("CATLEARN_SEED", number).or(own).or(shared.fallback.seed),
        flag => flag,
    }
}

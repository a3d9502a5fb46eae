//! `run.json` and `config.toml`: what a run was started with, for people and for `--resume`.
//!
//! A resume adds itself to `resumes`; everything else stays what the first command wrote.

use super::folder::Folder;
use super::{End, Shared};
use catlearn::data::Dataset;
use catlearn::elaborate::{BatchSize, Length, Select, Training};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What a run was started with.
pub(super) struct Record {
    pub(super) command: Value,
    pub(super) resumes: Vec<Value>,
    pub(super) target: String,
    pub(super) training: String,
    pub(super) set: Vec<String>,
    pub(super) seed: u64,
    pub(super) program_hash: String,
    pub(super) data: Value,
    pub(super) data_dirs: Vec<PathBuf>,
    /// Name and hash of the parameters that it began with; a copy is in the folder.
    pub(super) init: Value,
}

/// The command line of this process.
pub(super) fn command() -> Value {
    std::env::args_os().map(|a| a.to_string_lossy().into_owned()).collect()
}

impl Record {
    pub(super) fn write(
        &self,
        folder: &Folder,
        status: &str,
        result: Option<&Value>,
        shared: &Shared,
    ) -> Result<(), End> {
        let record = json!({
            "catlearn": env!("CARGO_PKG_VERSION"),
            "command": self.command, "resumes": self.resumes,
            "target": self.target, "training": self.training, "set": self.set, "seed": self.seed,
            "program_hash": self.program_hash, "data": self.data,
            "data_dirs": self.data_dirs.iter().map(|d| d.to_string_lossy()).collect::<Vec<_>>(),
            "init": self.init, "status": status, "result": result,
        });
        let text = serde_json::to_string_pretty(&record).unwrap_or_default();
        folder.write("run.json", text.as_bytes(), shared)
    }

    /// Reads `run.json`; the error says what is wrong with it.
    pub(super) fn read(folder: &Folder) -> Result<Record, String> {
        let bytes = folder.read("run.json").map_err(|e| format!("run.json: {e}"))?;
        let record: Value = serde_json::from_slice(&bytes).map_err(|e| format!("run.json: {e}"))?;
        let get = |key: &str| record.get(key).cloned().unwrap_or(Value::Null);
        let text = |key: &str| get(key).as_str().map(str::to_owned);
        let texts = |key: &str| -> Vec<String> {
            get(key).as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect()
        };
        Ok(Record {
            command: get("command"),
            resumes: get("resumes").as_array().cloned().unwrap_or_default(),
            target: text("target").ok_or("run.json does not name its program")?,
            training: text("training").ok_or("run.json does not name its training run")?,
            set: texts("set"),
            seed: get("seed").as_u64().ok_or("run.json has no seed")?,
            program_hash: text("program_hash").ok_or("run.json has no hash of its program")?,
            data: get("data"),
            data_dirs: texts("data_dirs").into_iter().map(PathBuf::from).collect(),
            init: get("init"),
        })
    }
}

/// The data files with their hashes.
pub(super) fn sources(data: Option<&Dataset>) -> Value {
    let all = data.iter().flat_map(|d| &d.sources);
    all.map(|s| json!({"name": s.name, "sha256": s.sha256, "bytes": s.bytes})).collect()
}

/// A path that means the same from every folder; links in it stay, since files are looked up beside them.
pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

/// A hash of what a checkpoint must agree with: everything but the length of the run.
pub(super) fn hash(training: &Training) -> String {
    let s = &training.settings;
    let shuffle = training.shuffles(training.data.as_ref().is_some_and(|(spec, _)| spec.shuffle));
    let data = format!("{:?}", training.data.as_ref().map(|(spec, _)| spec));
    let settings = format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        s.batch, s.precision, s.order, s.aggregator, s.rows, shuffle, s.select, s.validate
    );
    let mut text = Vec::new();
    for player in training.players() {
        let rule = &player.rule;
        text.push(player.objective.to_string());
        text.push(player.evaluate.to_string());
        text.push(format!("{}\n{} {}\n{:?}", rule.diagram, rule.holes, rule.evaluates, rule.noise));
        text.push(format!("{:?} {}", player.part, player.maximises));
        let alone: Vec<_> = player.evaluate_noise.iter().filter(|n| !training.noise.contains(n)).collect();
        if !alone.is_empty() {
            text.push(without_places(&format!("{alone:?}")));
        }
    }
    let begins = format!("{:?}\n{:?}\n{:?}", training.params, training.noise, training.states());
    let claims: Vec<&str> = s.monitors.iter().map(|m| &*m.text).collect();
    let claims = format!("{} {:?}", claims.join(", "), s.on_violation);
    let predict = training.predict.as_ref().map(|m| format!("{}\n{:?}\n{:?}", m.diagram, m.params, m.noise));
    text.extend([
        format!("{:?}", training.cycle),
        predict.unwrap_or_default(),
        without_places(&begins),
        settings,
        if s.monitors.is_empty() { String::new() } else { claims },
        without_places(&data),
    ]);
    catlearn::data::sha256(text.join("\n").as_bytes())
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

/// `config.toml`: every setting with its value, then as it was written, then the parameters.
pub(super) fn config(training: &Training, seed: u64, shuffle: bool) -> String {
    let s = &training.settings;
    let quote = |t: &str| Value::String(t.to_owned()).to_string();
    let words = |debug: String| quote(&debug.to_lowercase());
    let length = match s.length {
        Length::Epochs(n) => ("epochs", n.to_string()),
        Length::Steps(n) => ("steps", n.to_string()),
    };
    let batch = if let BatchSize::Rows(n) = s.batch { n.to_string() } else { words(format!("{:?}", s.batch)) };
    let order = s.order.as_ref().map_or_else(|| quote("seeded"), |batches| json!(batches).to_string());
    let metrics: Vec<String> = s.metrics.iter().map(|m| snake(&format!("{m:?}"))).collect();
    let select = match &s.select {
        Select::Last => "last".to_owned(),
        Select::Best { part, metric } => {
            let metric = metric.map_or_else(|| "loss".to_owned(), |m| snake(&format!("{m:?}")));
            format!("best({part}.{metric})")
        }
    };
    let all = [
        ("name", quote(&training.name)),
        ("seed", seed.to_string()),
        ("batch", batch),
        length,
        ("precision", words(format!("{:?}", s.precision))),
        ("shuffle", shuffle.to_string()),
        ("order", order),
        ("aggregate", words(format!("{:?}", s.aggregator))),
        ("rows", words(format!("{:?}", s.rows))),
        ("on_violation", words(format!("{:?}", s.on_violation))),
        ("metrics", json!(metrics).to_string()),
        ("validate", quote(&s.validate.map_or("every epoch".to_owned(), |k| format!("every({k})")))),
        ("select", quote(&select)),
    ];
    let mut out: String = all.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
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

/// `ConfusionMatrix` as the language writes it: `confusion_matrix`.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

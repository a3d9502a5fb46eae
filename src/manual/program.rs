//! Entries of a user's own names: what the comment and the head say, and what elaboration found.
//!
//! In: a checked [`Program`]. Out: [`Entry`]s with every port by its path and shape where the dimensions are known, and
//! a training run with its defaults filled in.

use super::prelude::{collapse, of_item};
use super::{Entry, Port};
use crate::diagram::Init;
use crate::elaborate::known::item_name;
use crate::elaborate::{
    Aggregator, BatchSize, Length, Metric, Parameter, Precision, Program, Select, StatePort, Training,
};
use crate::syntax::ast::ItemKind;

/// The entries of a name in the main file of a program: at most a definition and a run or data set of one name.
#[must_use]
pub fn of_program(program: &Program, name: &str) -> Vec<Entry> {
    let Some(file) = program.defs.files.get(program.main) else { return Vec::new() };
    let named = file.tree.items.iter().filter(|i| item_name(i).is_some_and(|n| &*n.name == name));
    let mut found = Vec::new();
    for item in named {
        let Some(mut entry) = of_item(item, program.sources()) else { continue };
        match &item.kind {
            ItemKind::Map(map) if map.dims.is_empty() => {
                if let Ok(model) = program.model(name) {
                    entry.ports = ports(&model.params, &model.noise);
                }
            }
            ItemKind::Train(_) => {
                if let Ok(run) = program.training(name) {
                    entry.ports = ports(&run.params, &run.noise);
                    let states = run.states();
                    let state =
                        |s: &StatePort| Port { role: "state", name: s.path.to_string(), ty: s.leaf.to_string() };
                    entry.ports.extend(states.iter().map(state));
                }
            }
            _ => {}
        }
        found.push(entry);
    }
    found
}

fn ports(params: &[Parameter], noise: &[Parameter]) -> Vec<Port> {
    let port =
        |role, p: &Parameter| Port { role, name: p.path.to_string(), ty: format!("{} ~ {}", p.leaf, drawn(&p.init)) };
    params.iter().map(|p| port("parameter", p)).chain(noise.iter().map(|p| port("noise", p))).collect()
}

/// How a port is drawn, as it would be written.
fn drawn(init: &Init) -> String {
    match init {
        Init::Zeros => "zeros".to_owned(),
        Init::Ones => "ones".to_owned(),
        Init::Constant(c) => format!("constant({c})"),
        Init::Uniform { lo, hi } => format!("uniform({lo}, {hi})"),
        Init::Normal { std } => format!("normal({std})"),
        Init::Glorot => "glorot".to_owned(),
        Init::He => "he".to_owned(),
        Init::Orthogonal => "orthogonal".to_owned(),
        Init::RandomWires => "random".to_owned(),
        Init::GridWires => "grid".to_owned(),
        Init::PatchWires { radius, width } => format!("patch({radius}, width = {width})"),
        Init::Literal(_) => "as written".to_owned(),
    }
}

/// A training run as an item, every setting with its value: what is written and what is not.
#[must_use]
pub fn run_text(run: &Training) -> String {
    let settings = run_settings(run);
    let wide = settings.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
    let lines: Vec<String> =
        settings.iter().map(|(key, value)| format!("    {key:wide$} = {}\n", collapse(value))).collect();
    let word = if run.others.is_empty() { "train" } else { "game" };
    format!("{word} {} {{\n{}}}", run.name, lines.concat())
}

/// Every setting of a run with its value as it would be written, defaults filled in.
#[must_use]
pub fn run_settings(run: &Training) -> Vec<(String, String)> {
    let s = &run.settings;
    let batch = match s.batch {
        BatchSize::Rows(n) => n.to_string(),
        BatchSize::All => "all".to_owned(),
        BatchSize::Active(k) => format!("active({k})"),
    };
    let (length, many) = match s.length {
        Length::Epochs(n) => ("epochs", n),
        Length::Steps(n) => ("steps", n),
    };
    let aggregate = match s.aggregator {
        Aggregator::Mean => "mean",
        Aggregator::Sum => "sum",
        Aggregator::Xor => "xor",
        Aggregator::Votes => "votes",
    };
    let metric = |m: &Metric| match m {
        Metric::TopKAccuracy(k) => format!("top_k_accuracy({k})"),
        other => other.key().to_string(),
    };
    let select = match &s.select {
        Select::Last => "last".to_owned(),
        Select::Best { part, metric: None } => format!("best({part}.loss)"),
        Select::Best { part, metric: Some(m) } => format!("best({part}.{})", metric(m)),
    };
    let named = s.metrics.iter().map(metric).collect::<Vec<_>>().join(", ");
    let shuffle = run.data.as_ref().map(|(data, _)| run.shuffles(data.shuffle).to_string());
    let told = [
        ("batch", Some(batch)),
        (length, Some(many.to_string())),
        ("aggregate", Some(aggregate.to_owned())),
        ("precision", Some(if s.precision == Precision::F64 { "f64" } else { "f32" }.to_owned())),
        ("shuffle", shuffle.filter(|_| s.order.is_none())),
        ("metrics", Some(format!("[{named}]")).filter(|_| run.data.is_some())),
        ("select", Some(select)),
        ("validate", s.validate.map(|k| format!("every({k})"))),
        ("seed", Some(s.seed.map_or_else(|| "drawn when it begins".to_owned(), |seed| seed.to_string()))),
    ];
    // What this version fills in; everything else is as it is written.
    let filled: Vec<&str> = told.iter().map(|(key, _)| *key).collect();
    let as_written = run.resolved.iter().filter(|(key, _)| !filled.contains(&&**key)).cloned();
    let mut all: Vec<(String, String)> = as_written.collect();
    all.extend(told.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    all
}

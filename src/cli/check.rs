//! `catlearn check FILE..`.

use super::load::text_of;
use super::render::to_json;
use super::terminal::{answer, complain, messages};
use super::world::FileWorld;
use super::{End, Shared};
use catlearn::elaborate::{ItemInfo, Program};
use catlearn::source::SourceMap;
use clap::Args;
use serde_json::{Value, json};

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// The programs
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
}

impl CheckArgs {
    /// The first program.
    pub(super) fn place(&self) -> Option<&str> {
        self.files.first().map(String::as_str)
    }
}

pub(super) fn run(args: &CheckArgs, shared: &Shared) -> End {
    checked(args, shared).unwrap_or_else(|end| end)
}

fn checked(args: &CheckArgs, shared: &Shared) -> Result<End, End> {
    let mut end = End::Fine;
    let mut all = Vec::new();
    for path in &args.files {
        let text = match text_of(path) {
            Ok(text) => text,
            Err(d) => {
                end = End::Fault;
                if shared.json() {
                    let said = to_json(&d, &SourceMap::default());
                    all.push(json!({"file": path, "messages": [said], "items": []}));
                } else {
                    complain(shared, d);
                }
                continue;
            }
        };
        let world = FileWorld::new(shared);
        let (said, sources, items) = match Program::parse(&text, path, &world) {
            Ok(program) => (program.check(), program.sources().clone(), program.items()),
            Err((said, sources)) => (said, sources, Vec::new()),
        };
        if said.has_errors() {
            end = End::Fault;
        }
        if shared.json() {
            all.push(json!({
                "file": path,
                "messages": said.0.iter().map(|d| to_json(d, &sources)).collect::<Vec<_>>(),
                "items": items.iter().map(item_json).collect::<Vec<_>>(),
            }));
            continue;
        }
        messages(shared, &said, &sources);
        for line in table(path, &items) {
            answer(&line)?;
        }
    }
    if shared.json() {
        answer(&Value::Array(all).to_string())?;
    }
    Ok(end)
}

fn item_json(item: &ItemInfo) -> Value {
    json!({
        "kind": item.word, "name": &*item.name, "type": item.ty,
        "parameters": item.parameters, "operations": item.operations,
    })
}

/// One aligned line an item.
fn table(path: &str, items: &[ItemInfo]) -> Vec<String> {
    let name = |i: &ItemInfo| format!("{} {}", i.word, i.name);
    let wide = |f: &dyn Fn(&ItemInfo) -> String| items.iter().map(|i| f(i).chars().count()).max().unwrap_or(0);
    let ty = |i: &ItemInfo| i.ty.clone().unwrap_or_default();
    let (names, types) = (wide(&name), wide(&ty));
    let mut lines = Vec::new();
    if !items.is_empty() {
        lines.push(path.to_owned());
    }
    for item in items {
        let mut line = format!("  {:names$}  {:types$}", name(item), ty(item));
        if let Some(n) = item.parameters {
            line.push_str(&format!("  {n} parameters"));
        }
        if let Some(n) = item.operations {
            line.push_str(&format!("  {n} operations"));
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

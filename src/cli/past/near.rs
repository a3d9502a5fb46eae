//! What is said where a path is no run: what is there, and the run that may have been meant.

use crate::cli::Shared;
use std::path::{Path, PathBuf};

/// How many runs a message lists.
const SHOWN: usize = 5;

/// Why a path cannot be a run, when it is nothing or not a folder with a run in it.
pub(super) fn absent(dir: &Path, root: &Path) -> Option<&'static str> {
    match (dir.exists(), dir.is_dir()) {
        (false, _) => Some("there is no such folder"),
        (true, false) => Some("it is a file"),
        (true, true) if !root.join("run.json").exists() => Some("it has no run.json"),
        (true, true) => None,
    }
}

/// The run that was meant, else those that are there.
pub(super) fn help(dir: &Path, shared: &Shared) -> String {
    let runs = shared.fallback.runs.as_deref().unwrap_or(Path::new("runs"));
    let beside = dir.parent().map(|p| if p.as_os_str().is_empty() { Path::new(".") } else { p });
    let inside = runs_in(dir);
    let mut all = inside.clone();
    for place in beside.into_iter().chain([runs]).filter(|_| inside.is_empty()) {
        all.extend(runs_in(place).into_iter().filter(|run| run != dir));
    }
    all.sort();
    all.dedup();
    let shown = |run: &PathBuf| format!("`{}`", run.display());
    if let Some(run) = meant(dir, &all).filter(|_| inside.is_empty()) {
        return format!("did you mean {}?", shown(run));
    }
    let more = all.len().saturating_sub(SHOWN);
    let last: Vec<String> = all.iter().skip(more).map(shown).collect();
    match (last.as_slice(), more) {
        ([], _) => "name a folder that `catlearn train` made, `runs/0001-..`".to_owned(),
        (_, 0) => format!("name a run; there are {}", last.join(", ")),
        _ => format!("name a run; there are {} and {more} more", last.join(", ")),
    }
}

/// The run folders in a folder; what cannot be read has none.
fn runs_in(place: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
    let place = |path: PathBuf| path.strip_prefix(".").map(Path::to_path_buf).unwrap_or(path);
    entries.map(|e| e.path()).filter(|path| path.join("run.json").is_file()).map(place).collect()
}

/// The one run whose name has the written one in it (`0003`, `iris`), else the nearest name.
fn meant<'a>(dir: &Path, all: &'a [PathBuf]) -> Option<&'a PathBuf> {
    let name = |path: &Path| path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
    let written = name(dir);
    if written.is_empty() {
        return None;
    }
    let mut holding = all.iter().filter(|run| name(run).contains(&written));
    if let (Some(one), None) = (holding.next(), holding.next()) {
        return Some(one);
    }
    let names: Vec<String> = all.iter().map(|run| name(run)).collect();
    let near = catlearn::source::nearest(&written, names.iter().map(String::as_str))?;
    names.iter().position(|n| n == near).and_then(|at| all.get(at))
}

//! `catlearn.toml`: defaults of a folder of programs.
//!
//! In: the first file of that name beside the program or above it. Out: what flags and variables did not say. Precedence:
//! flag, `CATLEARN_*`, the program's own `train` record, this file. A key that is not known is a fault at its place.

use super::past::tidy;
use super::record::absolute;
use super::terminal::messages;
use super::{Color, End, Shared};
use catlearn::source::{Code, Diagnostic, SourceMap, Span};
use serde::Deserialize;
use std::path::{Path, PathBuf};

const NAME: &str = "catlearn.toml";

/// What the file may say.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    color: Option<Color>,
    quiet: Option<bool>,
    data_dir: Option<Dirs>,
    runs: Option<PathBuf>,
    seed: Option<u64>,
    /// Accepted as the flag is: results never depend on it.
    #[serde(rename = "threads")]
    _threads: Option<std::num::NonZeroU32>,
}

/// One folder or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Dirs {
    One(PathBuf),
    Several(Vec<PathBuf>),
}

/// Fills in what flags and variables left open; `beside` is the program, or the folder of a run.
pub(super) fn defaults(shared: &mut Shared, beside: &Path) -> Result<(), End> {
    let start = tidy(&absolute(beside));
    let Some(place) = start.ancestors().skip(1).map(|dir| dir.join(NAME)).find(|file| file.is_file()) else {
        return Ok(());
    };
    let name = place.display().to_string();
    let wrong = |d: Diagnostic, sources: &SourceMap| {
        messages(shared, &d.help("the keys are color, quiet, data_dir, runs, seed, threads").into(), sources);
        End::Usage
    };
    let mut sources = SourceMap::default();
    let text = std::fs::read_to_string(&place)
        .map_err(|e| wrong(Diagnostic::error(Code::CONFIG, format!("`{name}` cannot be read: {e}")), &sources))?;
    let file = sources.add(name, text.as_str());
    let config: Config = toml::from_str(&text).map_err(|e| {
        let at = e.span().unwrap_or(0..0);
        let line = e.message().lines().next().unwrap_or_default().to_owned();
        wrong(
            Diagnostic::error(Code::CONFIG, line)
                .at(Span::new(file, at.start, at.end.max(at.start + 1)), "not understood"),
            &sources,
        )
    })?;
    let folder = place.parent().unwrap_or(Path::new(""));
    shared.color = shared.color.or(config.color);
    shared.quiet |= config.quiet == Some(true);
    let dirs = match config.data_dir {
        None => Vec::new(),
        Some(Dirs::One(dir)) => vec![dir],
        Some(Dirs::Several(dirs)) => dirs,
    };
    shared.fallback.data_dirs = dirs.into_iter().map(|d| folder.join(d)).collect();
    shared.fallback.runs = config.runs.map(|dir| folder.join(dir));
    shared.fallback.seed = config.seed;
    Ok(())
}

//! The world of a run that was made: imports as they were then, data where it was found then.
//!
//! The program of a run folder is shown by its place there, and what it names is looked up beside the file that it was
//! copied from. Texts of imports are kept in `imports.json`, by their places.

use crate::cli::folder::Folder;
use crate::cli::record::absolute;
use crate::cli::world::FileWorld;
use catlearn::source::{FileId, SourceMap, World, WorldError};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// The file in the run folder.
pub(in crate::cli) const IMPORTS: &str = "imports.json";

/// Looks up what a program named when it was run.
#[derive(Debug)]
pub(super) struct PastWorld {
    files: FileWorld,
    shown: String,
    original: String,
    imports: BTreeMap<String, String>,
}

impl PastWorld {
    pub(super) fn new(files: FileWorld, shown: &str, original: &str, folder: &Folder) -> PastWorld {
        let kept = folder.read_if_there(IMPORTS).ok().flatten().unwrap_or_default();
        let imports = serde_json::from_slice(&kept).unwrap_or_default();
        PastWorld { files, shown: shown.to_owned(), original: original.to_owned(), imports }
    }

    fn place<'a>(&'a self, from: &'a str) -> &'a str {
        if from == self.shown { &self.original } else { from }
    }
}

/// The texts of the files that a program imports, by place; the program itself is the first file of the map.
pub(in crate::cli) fn imports(sources: &SourceMap, program: &str) -> BTreeMap<String, String> {
    let all = (0..).map_while(|i| sources.get(FileId(i)));
    let imported = all.filter(|s| &*s.name != program && Path::new(&*s.name).is_absolute());
    imported.map(|s| (s.name.to_string(), s.text.to_string())).collect()
}

/// A path without `.` and `..`, as far as its text says.
pub(in crate::cli) fn tidy(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

impl World for PastWorld {
    fn import(&self, from: &str, name: &str) -> Result<(String, String), WorldError> {
        let from = self.place(from);
        let beside = absolute(&Path::new(from).parent().unwrap_or(Path::new("")).join(name));
        let full = std::fs::canonicalize(&beside).unwrap_or_else(|_| tidy(&beside)).display().to_string();
        match self.imports.get(&full) {
            Some(text) => Ok((full, text.clone())),
            None => self.files.import(from, name),
        }
    }

    fn data(&self, from: &str, name: &str) -> Result<Vec<u8>, WorldError> {
        self.files.data(self.place(from), name)
    }
}

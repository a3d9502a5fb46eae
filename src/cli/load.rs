//! From `FILE[:NAME]` to a program and one of its training runs.

use super::terminal::{complain, messages};
use super::world::FileWorld;
use super::{End, Shared};
use catlearn::elaborate::{Program, Training};
use catlearn::source::{Code, Diagnostic, Diagnostics};
use std::fs;
use std::path::Path;

/// A program with the file it came from.
pub(super) struct Loaded {
    pub(super) program: Program,
    pub(super) path: String,
    pub(super) text: String,
    pub(super) world: FileWorld,
}

/// `FILE` and `NAME` of `FILE[:NAME]`; a file whose name has a colon wins.
pub(super) fn parts(target: &str) -> (&str, Option<&str>) {
    if Path::new(target).exists() {
        return (target, None);
    }
    match target.rsplit_once(':') {
        Some((file, name)) if !name.contains(['/', '\\']) => (file, Some(name)),
        _ => (target, None),
    }
}

/// Reads a text file.
pub(super) fn text_of(path: &str) -> Result<String, Diagnostic> {
    let failed = |why: String| Err(Diagnostic::error(Code::IMPORT, format!("`{path}` cannot be read: {why}")));
    if Path::new(path).is_dir() {
        return failed("it is a folder".into());
    }
    match fs::read(path) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(text),
            Err(e) => failed(format!("it is not UTF-8 text (byte {})", e.utf8_error().valid_up_to())),
        },
        Err(e) => failed(e.to_string()),
    }
}

/// Reads and parses a file; its messages are written.
pub(super) fn load(path: &str, shared: &Shared) -> Result<Loaded, End> {
    let text = text_of(path).map_err(|d| {
        complain(shared, d);
        End::Fault
    })?;
    let world = FileWorld::new(shared);
    match Program::parse(&text, path, &world) {
        Ok(program) => Ok(Loaded { program, path: path.to_owned(), text, world }),
        Err((said, sources)) => {
            messages(shared, &said, &sources);
            Err(End::Fault)
        }
    }
}

impl Loaded {
    /// Writes messages about this program.
    pub(super) fn say(&self, shared: &Shared, said: &Diagnostics) {
        messages(shared, said, self.program.sources());
    }

    /// The training run of that name, or the only one, with overrides.
    pub(super) fn training(&mut self, name: Option<&str>, set: &[String], shared: &Shared) -> Result<Training, End> {
        let names = self.program.trainings();
        let name = match (name, names.as_slice()) {
            (Some(name), _) => name.to_owned(),
            (None, [only]) => only.to_string(),
            (None, []) => {
                let d = Diagnostic::error(Code::TRAIN_FIELD, format!("`{}` has no training run", self.path))
                    .help("add one: `train name { data = .., model = .., loss = .., optimiser = .., epochs = .. }`");
                complain(shared, d);
                return Err(End::Fault);
            }
            (None, many) => {
                let list = many.iter().map(|n| format!("{}:{n}", self.path)).collect::<Vec<_>>().join(", ");
                let d = Diagnostic::error(Code::TRAIN_FIELD, format!("`{}` has several training runs", self.path))
                    .help(format!("name one of {list}"));
                complain(shared, d);
                return Err(End::Usage);
            }
        };
        let overrides = match self.program.overrides(set) {
            Ok(fields) => fields,
            Err((said, sources)) => {
                messages(shared, &said, &sources);
                return Err(End::Usage);
            }
        };
        self.program.training_with(&name, &overrides).map_err(|said| {
            self.say(shared, &said);
            // A name that no file has stands on the command line only, and so does an override.
            let unknown = |d: &Diagnostic| d.code == Code::UNKNOWN_NAME && d.labels.is_empty();
            let set = |d: &Diagnostic| {
                let source = d.labels.first().and_then(|l| self.program.sources().get(l.span.file));
                d.is_error() && source.is_some_and(|s| &*s.name == "--set")
            };
            if said.0.iter().any(|d| unknown(d) || set(d)) { End::Usage } else { End::Fault }
        })
    }
}

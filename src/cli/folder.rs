//! The run folder: what was run, how it went, what came out.
//!
//! `run.json`, `model.lens`, `config.toml`, `metrics.jsonl`, `checkpoint/last.safetensors`, `checkpoint/best.safetensors`.
//! Files are written to a temporary name, synchronised and renamed, so that a crash leaves the old one. A folder belongs
//! to one process at a time: it holds a lock on `run.lock`, which the system takes back when the process ends.

use super::terminal::complain;
use super::{End, Shared};
use catlearn::source::{Code, Diagnostic};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

const LOCK: &str = "run.lock";

/// What every run writes first.
const RECORD: &str = "run.json";

/// What a run writes, apart from the folders of its folds.
const OWNED: [&str; 8] = [
    RECORD,
    "model.lens",
    "config.toml",
    "metrics.jsonl",
    "init.safetensors",
    "report.html",
    "encoders.json",
    "imports.json",
];

/// A folder of one run (or of one fold).
#[derive(Clone, Debug)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
}

/// Holds a folder for this process.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

fn failed(shared: &Shared, what: &Path, why: &std::io::Error) -> End {
    complain(shared, Diagnostic::error(Code::RUN_FOLDER, format!("`{}` cannot be written: {why}", what.display())));
    End::Usage
}

impl Folder {
    /// The folder named by `--out`, or the next numbered one in `runs`.
    pub(super) fn create(out: Option<&Path>, name: &str, force: bool, shared: &Shared) -> Result<(Folder, Lock), End> {
        let refuse = |path: &Path, what: &str, help: &str| {
            let d = Diagnostic::error(Code::RUN_FOLDER, format!("`{}` {what}", path.display())).help(help);
            complain(shared, d);
            End::Usage
        };
        let full = |path: &Path| {
            refuse(
                path,
                "is not empty",
                "name another folder, resume it with `--resume`, or overwrite it with `--force`",
            )
        };
        let path = match out {
            Some(path) if path.exists() && !path.is_dir() => {
                return Err(refuse(path, "is a file, a run needs a folder", "name another folder"));
            }
            Some(path) if occupied(path) && !force => return Err(full(path)),
            // What no run wrote is not ours to replace.
            Some(path) if occupied(path) && !path.join(RECORD).exists() => {
                return Err(refuse(path, "holds files and no run", "name another folder"));
            }
            Some(path) => path.to_path_buf(),
            None => {
                let runs = shared.fallback.runs.as_deref().unwrap_or(Path::new("runs"));
                numbered(runs, name).map_err(|e| failed(shared, runs, &e))?
            }
        };
        fs::create_dir_all(&path).map_err(|e| failed(shared, &path, &e))?;
        let folder = Folder { path };
        let lock = folder.lock(shared)?;
        if force {
            folder.clear().map_err(|e| failed(shared, &folder.path, &e))?;
        } else if occupied(&folder.path) {
            // Another process was faster.
            return Err(full(&folder.path));
        }
        let made = fs::create_dir_all(folder.path.join("checkpoint"));
        made.map_err(|e| failed(shared, &folder.path, &e))?;
        Ok((folder, lock))
    }

    /// Takes the folder for this process.
    pub(super) fn lock(&self, shared: &Shared) -> Result<Lock, End> {
        let path = self.path.join(LOCK);
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(|e| failed(shared, &path, &e))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                let what = format!("another process is running in `{}`", self.path.display());
                complain(shared, Diagnostic::error(Code::RUN_FOLDER, what).help("wait for it, or name another folder"));
                Err(End::Usage)
            }
            // File systems without locks are used as before.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(Lock { _file: file }),
        }
    }

    /// Removes everything that an earlier run left.
    fn clear(&self) -> std::io::Result<()> {
        let gone = |made: std::io::Result<()>| match made {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
            other => other,
        };
        for name in OWNED {
            gone(fs::remove_file(self.path.join(name)))?;
        }
        gone(fs::remove_dir_all(self.path.join("checkpoint")))?;
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let fold = entry.file_name().to_str().and_then(|n| n.strip_prefix("fold-")).map(str::to_owned);
            if fold.is_some_and(|n| n.parse::<usize>().is_ok()) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }

    /// A folder inside this one.
    pub(super) fn inner(&self, name: &str, shared: &Shared) -> Result<Folder, End> {
        let path = self.path.join(name);
        fs::create_dir_all(path.join("checkpoint")).map_err(|e| failed(shared, &path, &e))?;
        Ok(Folder { path })
    }

    /// Writes a whole file by renaming.
    pub(super) fn write(&self, name: &str, bytes: &[u8], shared: &Shared) -> Result<(), End> {
        let path = self.path.join(name);
        let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
        let written = File::create(&temporary)
            .and_then(|mut f| f.write_all(bytes).and_then(|()| f.sync_all()))
            .and_then(|()| fs::rename(&temporary, &path));
        if let Some(parent) = path.parent() {
            // The new name is durable only when its folder is; not every system can synchronise folders.
            let _unsupported = File::open(parent).and_then(|f| f.sync_all());
        }
        written.map_err(|e| failed(shared, &path, &e))
    }

    /// Adds a line to a file.
    pub(super) fn append(&self, name: &str, line: &str, shared: &Shared) -> Result<(), End> {
        let path = self.path.join(name);
        let opened = OpenOptions::new().create(true).append(true).open(&path);
        opened.and_then(|mut f| f.write_all(format!("{line}\n").as_bytes())).map_err(|e| failed(shared, &path, &e))
    }

    /// Reads a file of the folder.
    pub(super) fn read(&self, name: &str) -> std::io::Result<Vec<u8>> {
        fs::read(self.path.join(name))
    }

    /// Reads a file that need not be there.
    pub(super) fn read_if_there(&self, name: &str) -> std::io::Result<Option<Vec<u8>>> {
        match self.read(name) {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            other => other.map(Some),
        }
    }
}

/// Whether a folder has anything but a lock in it.
fn occupied(path: &Path) -> bool {
    fs::read_dir(path).is_ok_and(|entries| entries.flatten().any(|e| e.file_name() != LOCK))
}

/// Makes `0003-name` in the folder of runs, one above the highest number there, or above it when another process takes that one.
fn numbered(runs: &Path, name: &str) -> std::io::Result<PathBuf> {
    fs::create_dir_all(runs)?;
    let number = |e: fs::DirEntry| e.file_name().to_str().and_then(|n| n.split('-').next()?.parse::<u64>().ok());
    // Numbers that nobody counted up to are names.
    let highest = fs::read_dir(runs)?.flatten().filter_map(number).filter(|n| *n < 1_000_000_000).max().unwrap_or(0);
    let mut n = highest;
    loop {
        n += 1;
        let path = runs.join(format!("{n:04}-{name}"));
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
        }
    }
}

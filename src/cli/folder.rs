//! The run folder: what was run, how it went, what came out.
//!
//! `run.json`, `model.lens`, `config.toml`, `metrics.jsonl`, `checkpoint/last.safetensors`, `checkpoint/best.safetensors`.
//! Checkpoints are written to a temporary name, synchronised and renamed, so that a crash leaves the old one.

use super::terminal::complain;
use super::{End, Shared};
use catlearn::source::{Code, Diagnostic};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// A folder of one run (or of one fold).
#[derive(Clone, Debug)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
}

fn failed(shared: &Shared, what: &Path, why: &std::io::Error) -> End {
    complain(shared, Diagnostic::error(Code::RUN_FOLDER, format!("`{}` cannot be written: {why}", what.display())));
    End::Usage
}

impl Folder {
    /// The folder named by `--out`, or the next numbered one in `runs`.
    pub(super) fn create(out: Option<&Path>, name: &str, force: bool, shared: &Shared) -> Result<Folder, End> {
        let path = match out {
            Some(path) => {
                let full = fs::read_dir(path).is_ok_and(|mut d| d.next().is_some());
                if (full || path.is_file()) && !force {
                    let d = Diagnostic::error(Code::RUN_FOLDER, format!("`{}` is not empty", path.display()))
                        .help("name another folder, resume it with `--resume`, or overwrite it with `--force`");
                    complain(shared, d);
                    return Err(End::Usage);
                }
                path.to_path_buf()
            }
            None => numbered(name),
        };
        let made = fs::create_dir_all(path.join("checkpoint"));
        made.map_err(|e| failed(shared, &path, &e))?;
        if force {
            for old in ["metrics.jsonl", "checkpoint/last.safetensors", "checkpoint/best.safetensors"] {
                let _absent = fs::remove_file(path.join(old));
            }
        }
        Ok(Folder { path })
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
        let temporary = path.with_extension("tmp");
        let written = File::create(&temporary)
            .and_then(|mut f| f.write_all(bytes).and_then(|()| f.sync_all()))
            .and_then(|()| fs::rename(&temporary, &path));
        written.map_err(|e| failed(shared, &path, &e))
    }

    /// Adds a line to a file.
    pub(super) fn append(&self, name: &str, line: &str, shared: &Shared) -> Result<(), End> {
        let path = self.path.join(name);
        let opened = OpenOptions::new().create(true).append(true).open(&path);
        opened.and_then(|mut f| writeln!(f, "{line}")).map_err(|e| failed(shared, &path, &e))
    }

    /// Reads a file of the folder.
    pub(super) fn read(&self, name: &str) -> std::io::Result<Vec<u8>> {
        fs::read(self.path.join(name))
    }
}

/// `runs/0003-name`, one above the highest number there.
fn numbered(name: &str) -> PathBuf {
    let runs = Path::new("runs");
    let highest = fs::read_dir(runs)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|e| e.file_name().to_str().and_then(|n| n.split('-').next().and_then(|d| d.parse::<u32>().ok())))
        .max()
        .unwrap_or(0);
    runs.join(format!("{:04}-{name}", highest + 1))
}

//! The world of the binary: imports and data from the file system.
//!
//! A name is looked up beside the `.lens` file, then in `--data-dir`, then where a resumed run found it, then in
//! `CATLEARN_DATA`, then where `catlearn.toml` says.

use super::Shared;
use catlearn::source::{World, WorldError};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Reads files.
#[derive(Clone, Debug, Default)]
pub(super) struct FileWorld {
    data_dirs: Vec<PathBuf>,
}

impl FileWorld {
    pub(super) fn new(shared: &Shared) -> FileWorld {
        // A variable that is set to nothing is not set: the empty path would be the current folder.
        let set = std::env::var_os("CATLEARN_DATA").filter(|v| !v.is_empty()).map(PathBuf::from);
        let mut data_dirs: Vec<PathBuf> = Vec::new();
        for dir in shared.data_dir.iter().chain(&shared.recorded).chain(&set).chain(&shared.fallback.data_dirs) {
            if !data_dirs.contains(dir) {
                data_dirs.push(dir.clone());
            }
        }
        FileWorld { data_dirs }
    }

    /// Where data is looked up after the folder of the program.
    pub(super) fn data_dirs(&self) -> &[PathBuf] {
        &self.data_dirs
    }

    fn read(&self, places: Vec<PathBuf>, name: &str) -> Result<(PathBuf, Vec<u8>), WorldError> {
        let mut looked = Vec::new();
        for place in places {
            match fs::read(&place) {
                Ok(bytes) => return Ok((place, bytes)),
                Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                    looked.push(place.display().to_string());
                }
                Err(e) if e.kind() == ErrorKind::IsADirectory => {
                    looked.push(format!("{}, a folder", place.display()));
                }
                Err(e) => {
                    return Err(WorldError::Unreadable { name: place.display().to_string(), why: e.to_string() });
                }
            }
        }
        Err(WorldError::NotFound { name: name.to_owned(), looked })
    }
}

fn beside(from: &str, name: &str) -> PathBuf {
    Path::new(from).parent().unwrap_or(Path::new("")).join(name)
}

impl World for FileWorld {
    fn import(&self, from: &str, name: &str) -> Result<(String, String), WorldError> {
        let (place, bytes) = self.read(vec![beside(from, name)], name)?;
        let text = String::from_utf8(bytes)
            .map_err(|_| WorldError::Unreadable { name: name.to_owned(), why: "it is not UTF-8 text".to_owned() })?;
        // The place names the file, `a/../a/x.lens` and `a/x.lens` alike.
        let full = fs::canonicalize(&place).unwrap_or(place);
        Ok((full.display().to_string(), text))
    }

    fn data(&self, from: &str, name: &str) -> Result<Vec<u8>, WorldError> {
        let mut places = vec![beside(from, name)];
        places.extend(self.data_dirs.iter().map(|d| d.join(name)));
        self.read(places, name).map(|(_, bytes)| bytes)
    }
}

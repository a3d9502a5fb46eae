//! Where bytes come from: the one door through which the library reads anything.
//!
//! The binary implements [`World`] over the file system; tests and embedders use [`MemoryWorld`]. Names are whatever
//! the program wrote (`"iris.csv"`); what they mean is the world's business.

use std::collections::BTreeMap;

/// Why a world could not hand something over.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WorldError {
    /// Nothing of that name; the places that were looked at, as people would name them.
    #[error("`{name}` was not found{}", if .looked.is_empty() { String::new() } else { format!(" (looked in {})", .looked.join(", ")) })]
    NotFound {
        /// The name as the program wrote it.
        name: String,
        /// The places looked at.
        looked: Vec<String>,
    },
    /// It is there but cannot be read.
    #[error("`{name}` cannot be read: {why}")]
    Unreadable {
        /// The name as the program wrote it.
        name: String,
        /// The reason given by the system.
        why: String,
    },
}

/// Hands over imports and data files by name.
pub trait World {
    /// The text of an imported file, beside the file `from`.
    ///
    /// # Errors
    /// [`WorldError`] when there is no such file or it is not text.
    fn import(&self, from: &str, name: &str) -> Result<(String, String), WorldError>;

    /// The bytes of a data file named in the file `from`.
    ///
    /// # Errors
    /// [`WorldError`] when there is no such file.
    fn data(&self, from: &str, name: &str) -> Result<Vec<u8>, WorldError>;
}

/// A world of named byte strings.
#[derive(Clone, Debug, Default)]
pub struct MemoryWorld {
    files: BTreeMap<String, Vec<u8>>,
}

impl MemoryWorld {
    /// Adds a file.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> MemoryWorld {
        self.files.insert(name.into(), bytes.into());
        self
    }
}

impl World for MemoryWorld {
    fn import(&self, from: &str, name: &str) -> Result<(String, String), WorldError> {
        let bytes = self.data(from, name)?;
        let text = String::from_utf8(bytes)
            .map_err(|e| WorldError::Unreadable { name: name.to_owned(), why: e.to_string() })?;
        Ok((name.to_owned(), text))
    }

    fn data(&self, _from: &str, name: &str) -> Result<Vec<u8>, WorldError> {
        self.files
            .get(name)
            .cloned()
            .ok_or_else(|| WorldError::NotFound { name: name.to_owned(), looked: vec!["memory".to_owned()] })
    }
}

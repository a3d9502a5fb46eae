//! Why a call of the embedding library failed.

use crate::reverse::ReverseFault;
use crate::run::CheckpointFault;
use crate::source::{Diagnostic, Diagnostics, SourceMap};

/// Why a call failed; every one carries messages for people.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The text is not a program.
    #[error("{said}")]
    Text {
        /// What is wrong with it.
        said: Diagnostics,
        /// The texts that the messages point into.
        sources: SourceMap,
    },
    /// The program, its data or a value is at fault.
    #[error(transparent)]
    Program(#[from] Diagnostics),
    /// Bytes that are not a checkpoint of this program.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointFault),
    /// A map without a reverse derivative.
    #[error(transparent)]
    Reverse(#[from] ReverseFault),
}

impl Fault {
    /// The messages with codes, places and suggestions; none for faults of bytes and of single diagrams.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        match self {
            Fault::Text { said, .. } | Fault::Program(said) => &said.0,
            Fault::Checkpoint(_) | Fault::Reverse(_) => &[],
        }
    }
}

impl From<Diagnostic> for Fault {
    fn from(one: Diagnostic) -> Fault {
        Fault::Program(one.into())
    }
}

impl From<(Diagnostics, SourceMap)> for Fault {
    fn from((said, sources): (Diagnostics, SourceMap)) -> Fault {
        Fault::Text { said, sources }
    }
}

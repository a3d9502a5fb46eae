//! Text and what is said about it: files, spans, diagnostics, and the world that files are read from.
//!
//! In: bytes that a [`World`] hands over. Out: a [`Source`] in a [`SourceMap`], a [`Span`] into it, a
//! [`Diagnostic`] that points at spans. Invariant: this module knows no paths and no terminal; every message that
//! crosses a module boundary is a `Diagnostic`, never a bare string.

mod codes;
mod diagnostic;
mod near;
mod text;
mod world;

pub use codes::{Code, all_codes};
pub use diagnostic::{Diagnostic, Diagnostics, Label, Severity};
pub(crate) use near::alternatives;
pub use near::nearest;
pub use text::{FileId, LineColumn, Source, SourceMap, Span};
pub use world::{MemoryWorld, World, WorldError};

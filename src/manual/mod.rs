//! The manual: every name of the language with type, meaning, settings and example, and a page for every code.
//!
//! In: the comments and heads of the prelude, and one table entry for each name that Rust gives a meaning to
//! (`words`). Out: [`Entry`]s, sought by name ([`find`]) or listed by family ([`entries`]), the pages of `docs/errors`,
//! and their text for a terminal (`show`). Invariant: every name that the elaborator knows has an entry and every entry
//! is known; every example checks by itself (tests).

mod comment;
mod pages;
mod prelude;
mod program;
mod show;
#[cfg(test)]
mod tests;
mod words;

use crate::elaborate::known;
use std::sync::LazyLock;

pub use pages::page;
pub use program::{of_program, run_settings, run_text};
pub use show::{index, list, page_text, shown};

/// The families in the order in which they are listed.
pub const FAMILIES: &[&str] = &[
    "Layers",
    "Sequences",
    "Maps of maps",
    "Pointwise",
    "Along an axis",
    "Linear algebra",
    "Shapes",
    "Boolean",
    "Losses",
    "Metrics",
    "Initialisers",
    "Rules",
    "Transforms",
    "Schedules",
    "Aggregators",
    "Fields of train",
    "Values of fields",
    "Fields of data",
    "Sources",
    "Encoders",
    "Splits",
    "Items",
    "Words and types",
];

/// What is known of a name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Entry {
    /// The name.
    pub name: String,
    /// What it is: `model`, `optimiser`, .. of the prelude or a file, else what the language calls it.
    pub word: String,
    /// The family it is listed in, one of [`FAMILIES`]; empty for names of a user's file.
    pub family: String,
    /// How it is written: `conv2d[c_in, c_out, k](stride = 1, padding = 0)`.
    pub form: String,
    /// Its type as users read it; may be empty.
    pub ty: String,
    /// What it does, with formula and source.
    pub doc: String,
    /// Settings, maps passed in and dimensions, each with what it is.
    pub settings: Vec<(String, String)>,
    /// Parameters, noise and states.
    pub ports: Vec<Port>,
    /// Whole items that check by themselves.
    pub example: String,
    /// The text that defines it, if it is defined in the language.
    pub definition: Option<String>,
    /// Where that stands: `std/nn.lens:12`.
    pub place: Option<String>,
}

impl Entry {
    /// The name as it stands in a program: `linear` for the schedule `linear_schedule`, which a layer of that name hides.
    #[must_use]
    pub fn written(&self) -> &str {
        let schedule = Some(&*self.family).filter(|f| *f == "Schedules");
        schedule.and_then(|_| self.name.strip_suffix("_schedule")).unwrap_or(&self.name)
    }
}

/// A port of an entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Port {
    /// `parameter`, `noise` or `state`.
    pub role: &'static str,
    /// Its name as declared, or its path in an elaborated map.
    pub name: String,
    /// Its type, and how it is drawn.
    pub ty: String,
}

/// Every entry of the language and the prelude, by family; in a family in the order of writing.
///
/// ```
/// let all = catlearn::manual::entries();
/// assert!(all.iter().any(|e| e.name == "dense" && e.ty == "R[n] -> R[m]"));
/// ```
#[must_use]
pub fn entries() -> &'static [Entry] {
    static ALL: LazyLock<Vec<Entry>> = LazyLock::new(|| {
        let mut all = words::entries();
        all.extend(prelude::entries());
        let rank = |e: &Entry| FAMILIES.iter().position(|f| *f == e.family).unwrap_or(FAMILIES.len());
        all.sort_by_key(rank);
        all
    });
    &ALL
}

/// The entries of a name; several when it means different things in different places.
#[must_use]
pub fn find(name: &str) -> Vec<&'static Entry> {
    entries().iter().filter(|e| e.name == name || e.written() == name).collect()
}

/// The known name that a name was meant to be, if one is near.
#[must_use]
pub fn near(name: &str) -> Option<&'static str> {
    known::nearest(name, entries().iter().map(|e| &*e.name))
}

/// The name of a list that a name was meant to be, if one is near.
#[must_use]
pub fn nearest<'a>(name: &str, among: &'a [String]) -> Option<&'a str> {
    known::nearest(name, among.iter().map(|n| &**n))
}

/// Whether the language promises the name and this version does not know it yet.
#[must_use]
pub fn later(name: &str) -> bool {
    find(name).is_empty() && known::LATER.contains(&name)
}

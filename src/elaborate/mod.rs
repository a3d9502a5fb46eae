//! From tree to program: names, dimensions, types, ports; every message of every file.
//!
//! In: the tree of a file and its imports. Out: a [`Program`], and from it diagrams: a [`Model`], a [`Training`]. The
//! only stage that sees both tree and diagram. A definition is elaborated at the wires that reach it, so all dimensions
//! are numbers; calls without ports of their own are remembered, so that shared definitions cost linear time.
//! Invariants: parameter ports are named by path and found by path (asking twice ties); rules have no private door:
//! `get`/`put` becomes a diagram with holes, as `step` does.

mod items;
mod program;
mod scope;
mod session;
mod terms;
mod typing;
mod update;
mod value;

pub use items::monitors::{Claim, Modality, Monitor, OnViolation, Quantity, Term};
pub use items::samples::Sample;
pub use program::{
    Aggregator, BatchSize, ItemInfo, Length, Metric, Model, Parameter, Part, Player, Precision, Program, Rows,
    RuleDiagram, Select, Settings, StateInit, StatePort, Training, Turns,
};

/// What the manual reads: the prelude, where names are defined, and every name with a meaning of its own.
pub(crate) mod known {
    #[cfg(test)]
    pub(crate) use super::items::initialisers::INITIALISERS;
    #[cfg(test)]
    pub(crate) use super::items::train::FIELDS as TRAIN_FIELDS;
    pub(crate) use super::scope::imports::PRELUDE;
    pub(crate) use super::scope::names::{item_name, item_word, nearest};
    pub(crate) use super::terms::builtins::LATER;
    #[cfg(test)]
    pub(crate) use super::terms::builtins::NAMES;
}

//! Dimensions and types: terms, matching with numbers, and what a call is given.

pub(super) mod dims;
pub(super) mod formals;
pub(super) mod given;
pub(super) mod types;
mod words;

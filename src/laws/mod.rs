//! The laws that the theory promises, checked on any program.

mod check;

pub use check::{LawResult, Report, check};

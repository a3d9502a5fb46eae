//! The laws that the theory promises, checked on any program.
//!
//! In: a program, a number of cases, a seed. Out: a [`Report`]: a line a law and item, with a counterexample (input,
//! both numbers, span) where one fails. Numbers are doubles on the reference machine; points near a kink, where two
//! step widths of the difference disagree, are passed over. The same seed gives the same report.

mod check;
mod reverse;
mod rules;

pub use check::{LawResult, Report, check};

//! The laws that the theory promises, checked on any program.
//!
//! In: a program, a number of cases, a seed. Out: a [`Report`]: a line a law and item, with a counterexample (input,
//! both numbers, span) where one fails. Over reals numbers are doubles on the reference machine, and points near a kink,
//! where two step widths of the difference disagree, are passed over; over bits all is exact. The same seed gives the
//! same report.

mod bits;
mod both;
mod check;
mod reverse;
mod rules;
mod same;
mod table;

pub use check::{LawResult, Report, check};

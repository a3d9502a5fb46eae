//! The reverse derivative functor `R_T[f]` : A * T(B) -> T(A), for a tangent T.
//!
//! In: a diagram. Out: a lens in the same arena: get is the diagram itself, put its requests; residuals are the wires
//! that both read. RD.5 (1910.07065 Defn 13) holds as equality of node ids, and R of R is R again (PROBE.md 1).
//! `requests` is the engine; the rules are in `prim`, and what a request is is told by a
//! [`crate::object::Tangent`]. No numbers are computed.

#![allow(clippy::indexing_slicing, reason = "wires are those of the builder, and tables have a row a node")]

#[cfg(test)]
mod lens_tests;
#[cfg(test)]
mod prim_tests;
mod requests;
mod tangent;
#[cfg(test)]
mod tests;

pub use requests::{ReverseFault, requests, reverse, reverse_diagram};
pub use tangent::Rules;

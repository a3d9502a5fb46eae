//! Lenses: maps `(A, A') -> (B, B')`, a get `A -> B` and a put `A * B' -> A'` over one diagram.
//!
//! The diagram has ports A and B' and outputs B ++ A' (2103.01931 section 2). There is no residual object: what put
//! needs of get are the wires that both read, shared by the builder, so that RD.5 is equality of node ids
//! (PROBE.md 1). No lens laws are asked for.

use super::value::Diagram;
use std::ops::Range;

/// A lens `(A, A') -> (B, B')`.
#[derive(Clone, Debug)]
pub struct Lens {
    /// Ports A and B', outputs B then A'.
    pub diagram: Diagram,
    /// Which ports are A, in order.
    pub fore: Vec<usize>,
    /// Which ports are B', in order.
    pub back: Vec<usize>,
    /// Which outputs are B.
    pub get: Range<usize>,
    /// Which outputs are A'.
    pub put: Range<usize>,
}

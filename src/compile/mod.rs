//! From a finished, batched step to a diagram that runs fast: the same function, other nodes.
//!
//! In: a diagram whose reverse derivative has been taken (before that nothing may be rewritten: `x xor x` and 0 have
//! different reverses). Out: a diagram with the same ports and, up to rounding, the same outputs. Invariants: pure
//! functions; equal diagrams in, equal diagrams out; a rewrite is kept only if it saves multiplications or memory traffic.

mod exact;
mod fuse;
mod identities;
mod plan;
mod push;
mod simplify;
mod term;

pub use plan::{Access, Axis, Bit, Chain, Code, Fill, Instruction, Loop, Plan, Product, Source, Stage};
pub use simplify::{largest_tensor, simplify};

//! The IR: typed string diagrams in one hash-consed arena.
//!
//! In: ports and operations, through a [`Builder`]. Out: a [`Diagram`], a plain value: ordered typed ports, nodes in
//! topological order, ordered output wires. Invariants: a diagram is always well typed (only a builder makes nodes,
//! and it types them); two nodes of one diagram never have the same operation and inputs; a wire read twice *is* copy,
//! a wire not read is discard; the builder removes identities and nothing else, so that a tangent may give `x * x`
//! another reverse than `x` (CORE.md 3.2). Knows nothing of floats beyond literal constants.

#![allow(clippy::indexing_slicing, reason = "wires and letters are made by the builder, which checks them")]

mod batch;
mod builder;
mod compose;
mod einsum;
mod index;
mod init;
mod lens;
mod meet;
mod normal;
mod op;
mod order;
mod rewrite;
mod rows;
mod terms;
mod text;
mod typing;
mod value;

#[cfg(test)]
mod batch_tests;
#[cfg(test)]
mod category_tests;

pub use batch::batch;
pub use builder::{Builder, Copying};
pub use compose::compose_all;
pub use einsum::{EinsumSpec, Letters};
pub use index::AffineIndex;
pub use init::{Init, fans};
pub use lens::{Lens, Para};
pub use meet::{Meeting, known_meetings, meetings};
pub use normal::same;
pub use op::{Bits, Comparison, Const, Function, LeadAxis, Literal, Logic, Op, PrimDef, Reverses, Whole};
pub use order::{Contract, Order};
pub use rewrite::inline_calls;
pub use text::TextFault;
pub use typing::{MOST_ADDRESS_BITS, TypeFault};
pub use value::{Diagram, Node, Origin, OriginId, Port, Role, Wire};

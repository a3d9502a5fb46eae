//! The reference machine: tensors, and the obvious interpreter of diagrams.
//!
//! In: a [`crate::diagram::Diagram`], one tensor a port, a batch size. Out: one tensor an output wire, or a [`RunFault`].
//! It is the oracle of every faster machine: one match arm an operation, one loop nest an einsum. Invariants: the same
//! inputs give the same bits; what no output depends on is not computed; a value is freed after its last reader.

mod atomic;
mod contraction;
mod fault;
mod float;
mod gather;
mod init;
mod nest;
mod pointwise;
mod prepare;
mod reference;
mod tensor;

pub use fault::RunFault;
pub use float::{Float, erf};
pub use init::draw;
pub use reference::{Machine, evaluate};
pub use tensor::Tensor;

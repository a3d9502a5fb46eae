//! The library inside another program: text in, a learner that the host steps, bytes out.
//!
//! In: the text of a program and a [`crate::World`] that hands over its imports and data. Out: a [`Learner`] that takes
//! the host's own arrays, example by example or batch by batch, gives predictions and requests, and is saved as bytes;
//! [`Learner::fit`] runs the program's own training. Invariants: no files, no clock, no printing, no state but the
//! learner's; the same program, seed and batches give the same bits as the command line.

mod fault;
mod fit;
mod learner;
mod program;
mod values;

pub use fault::Fault;
pub use fit::Fit;
pub use learner::{Learner, NamedTensor, Request};
pub use values::{Values, bits};

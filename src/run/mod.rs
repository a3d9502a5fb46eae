//! The machines: tensors, the obvious interpreter of diagrams, and the compiled one that learners use.
//!
//! In: a [`crate::diagram::Diagram`], one tensor a port, a batch size. Out: one tensor an output wire, or a [`RunFault`].
//! The reference machine ([`evaluate`], [`Machine`]) is the oracle: one match arm an operation, one loop nest an einsum.
//! [`Compiled`] runs the stages of a [`crate::compile::Plan`]. Invariants: the same inputs give the same bits; what no
//! output depends on is not computed; a value is freed after its last reader.

mod apply;
mod atomic;
mod batches;
mod checkpoint;
mod contraction;
mod fault;
mod feed;
mod float;
mod formula;
mod gather;
mod init;
mod learner;
mod metrics;
mod monitor;
mod nest;
mod per_batch;
mod pointwise;
mod prepare;
mod real;
mod reference;
mod schedule;
mod suits;
mod tensor;
mod train;

pub use batches::examples;
pub use checkpoint::{Checkpoint, CheckpointFault};
pub use fault::RunFault;
pub use float::{Float, erf};
pub use formula::evaluate_bits;
pub use init::draw;
pub use learner::{Learner, Named, Watched};
pub use metrics::{Metrics, class_of};
pub use monitor::{Verdict, Watch, Witness};
pub use real::Compiled;
pub use reference::{Machine, evaluate};
pub use schedule::{Schedule, Turn};
pub use tensor::Tensor;
pub use train::{Kept, Observer, Outcome, Report, Since, Started, run};

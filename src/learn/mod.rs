//! From model, loss, aggregator and rule to one step: `S * P * X * Y -> S * P * L`.
//!
//! In: a [`crate::elaborate::Training`]. Out: a [`Step`], an ordinary diagram. Order of assembly (DESIGN.md 1.7): the
//! reverse derivative of (model; loss) for one example, then the batch functor on that diagram, then the aggregator,
//! then the rule, whose `request` holes are filled by substitution. Invariants: optimisers have no private door; the
//! rate at the right end of the lens is 1 over the reals, rules subtract.

mod aggregate;
mod batched;
mod displacement;
mod learner;
mod point;
mod step;

pub use batched::batched;
pub use displacement::Displacement;
pub use learner::{Changes, Displacements, TargetLearner};
pub use point::{Point, point};
pub use step::{LearnFault, Step, gradient, input_request, step, step_of, steps};

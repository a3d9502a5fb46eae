//! catlearn: a language for learning systems.
//!
//! A program describes models as parametrised morphisms, update rules as lenses, data and training runs. It is checked
//! whole, shapes included; the reverse derivative functor, the batch functor, the aggregator and the rule make of a run
//! **one** morphism `S * P * X * Y -> S * P * L`, and that is what runs.
//!
//! ```text
//!  .lens text --syntax--> tree --elaborate--> Program ----------------------- data --> rows
//!                                               |                                       |
//!  reverse (R : C -> Lens(C)) -> learn (batch, aggregate, fill holes) = Step            |
//!                                               |                                       |
//!                                    compile -> run (reference machine) <---------------'
//! ```
//!
//! # Inside your own program
//!
//! [`Program::parse`] reads a text, [`Program::check`] gives every message, [`Program::learner`] a [`Learner`] that is
//! stepped with your own arrays; [`Learner::fit`] runs the training as the program describes it. The library reads no
//! file (a [`World`] hands over imports and data), prints nothing, knows no clock and keeps no global state.
//!
//! ```
//! use catlearn::{Fault, MemoryWorld, Program};
//! use ndarray::array;
//!
//! let text = "
//!     model net : R[2] -> R[1] = dense[2, 8] >> tanh >> dense[8, 1]
//!     data points { source = inline([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]), input = columns(0..2), target = columns(2) }
//!     train xor_net { data = points, model = net, loss = sigmoid_cross_entropy, optimiser = adam(lr = 0.05), steps = 400, batch = all, seed = 3 }";
//! let world = MemoryWorld::default();
//! let mut learner = Program::parse(text, "xor.lens", &world)?.learner("xor_net")?;
//! let (x, y) = (array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], array![[0.0], [1.0], [1.0], [0.0]]);
//! let first = learner.step(&x, &y)?;
//! learner.fit(&world, |_| true)?;
//! let asked = learner.request(&x, &y)?;
//! assert!(asked.loss < 0.1 * first);
//! let signs: Vec<bool> = learner.predict(&x)?.to_f64().iter().map(|logit| *logit > 0.0).collect();
//! assert_eq!(signs, [false, true, true, false]);
//! # Ok::<(), Fault>(())
//! ```
//!
//! # Features
//!
//! `cli` (default): the binary and its crates; without it only the library is built.
//!
//! # What stays
//!
//! Until 1.0 a minor version may change the API, a patch version does not. Promised are the names at the root of this
//! crate, the language as its reference describes it, the names of tensors (`mlp.0.W`), the format of checkpoints and
//! the codes of messages; the modules are the stages of the compiler and move more freely. The bits of a run may change
//! with a minor version only, and the changelog says so.

pub mod source;

pub mod random;

pub mod object;

pub mod diagram;

pub mod prim;

pub mod syntax;

pub mod data;

pub mod elaborate;

pub mod manual;

pub mod reverse;

pub mod learn;

pub mod compile;

pub mod run;

pub mod laws;

pub mod embed;

pub use diagram::Diagram;
pub use elaborate::Program;
pub use embed::{Fault, Fit, Learner, NamedTensor, Request, Values, bits};
pub use run::Report;
pub use source::{Diagnostic, Diagnostics, MemoryWorld, World, WorldError};
pub use syntax::format;

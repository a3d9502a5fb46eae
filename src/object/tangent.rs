//! What a request at a leaf is: the tangent T(X) of each base.
//!
//! `T(R) = R` always. Bits have none over the reals, a bit under parity (Z2: reverse derivative ascent) and a whole
//! number under votes (Z); whole numbers have one under votes only; labels never (DESIGN.md 1.4).
//!
//! ```
//! use catlearn::object::{Base, Leaf, Tangent};
//! let table = Leaf::new(Base::Bool, &[8]);
//! assert_eq!(Tangent::Real.of(&table), None);
//! assert_eq!(Tangent::Votes.of(&table).map(|l| l.to_string()).as_deref(), Some("Int[8]"));
//! ```

use super::{Base, Leaf};
use std::fmt;

/// A tangent functor on leaves.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Tangent {
    /// Requests are reals.
    #[default]
    Real,
    /// A request at a bit is a bit, and requests meet by exclusive or.
    Parity,
    /// A request at a bit or a whole number is a whole number, and requests meet by exact addition.
    Votes,
}

impl Tangent {
    /// All of them.
    pub const ALL: [Tangent; 3] = [Tangent::Real, Tangent::Parity, Tangent::Votes];

    /// The leaf of a request at a leaf, if it has one.
    #[must_use]
    pub fn of(self, leaf: &Leaf) -> Option<Leaf> {
        let base = match (leaf.base, self) {
            (Base::Real, _) => Base::Real,
            (Base::Bool, Tangent::Parity) => Base::Bool,
            (Base::Bool | Base::Int, Tangent::Votes) => Base::Int,
            _ => return None,
        };
        Some(Leaf { base, dims: leaf.dims.clone() })
    }

    /// What requests are made of, as a program writes it: `R`, `Bool` or `Int`.
    #[must_use]
    pub fn written(self) -> &'static str {
        match self {
            Tangent::Real => "R",
            Tangent::Parity => "Bool",
            Tangent::Votes => "Int",
        }
    }
}

impl fmt::Display for Tangent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Tangent::Real => "reals",
            Tangent::Parity => "parity",
            Tangent::Votes => "votes",
        })
    }
}

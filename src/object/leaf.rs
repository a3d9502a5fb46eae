//! Bases, dimensions and leaves.
//!
//! ```
//! use catlearn::object::{Base, Dim, Leaf};
//! let x = Leaf::real(&[3, 4]);
//! assert_eq!(x.to_string(), "R[3, 4]");
//! assert_eq!(x.under(Dim::BATCH).to_string(), "R[B, 3, 4]");
//! assert_eq!(Leaf::new(Base::Fin(10), &[]).to_string(), "Fin[10]");
//! ```

use smallvec::SmallVec;
use std::fmt;

/// What one entry of a leaf is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Base {
    /// Real numbers, as `f32` or `f64` by the run's precision.
    Real,
    /// Bits.
    Bool,
    /// Whole numbers: votes, counters, scores.
    Int,
    /// Labels and indices 0..n.
    Fin(u32),
}

impl Base {
    /// Whether a number is one of it.
    #[must_use]
    pub fn holds(self, x: f64) -> bool {
        match self {
            Base::Real => true,
            Base::Bool => x == 0.0 || x == 1.0,
            Base::Int => x.fract() == 0.0 && x.abs() < 9.0e15,
            Base::Fin(n) => x.fract() == 0.0 && x >= 0.0 && x < f64::from(n),
        }
    }

    /// What is made of it, for a message: `bits`, `labels below 4`.
    #[must_use]
    pub fn plural(self) -> String {
        match self {
            Base::Real => "real numbers".to_owned(),
            Base::Bool => "bits".to_owned(),
            Base::Int => "whole numbers".to_owned(),
            Base::Fin(n) => format!("labels below {n}"),
        }
    }

    /// What its numbers are, for a message.
    #[must_use]
    pub fn entries(self) -> &'static str {
        match self {
            Base::Real => "real numbers",
            Base::Bool => "a bit is 0 or 1",
            Base::Int => "whole numbers are exact below 9e15",
            Base::Fin(_) => "labels of Fin[n] are the whole numbers from 0 to n - 1",
        }
    }
}

/// A dimension: `lit + per * B`, where B is the batch size.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Dim {
    /// The constant part.
    pub lit: u64,
    /// How many times the batch size.
    pub per: u64,
}

impl Dim {
    /// The batch size itself.
    pub const BATCH: Dim = Dim { lit: 0, per: 1 };
    /// One.
    pub const ONE: Dim = Dim { lit: 1, per: 0 };

    /// A constant dimension.
    #[must_use]
    pub const fn lit(n: u64) -> Dim {
        Dim { lit: n, per: 0 }
    }

    /// The number, if it does not depend on the batch.
    #[must_use]
    pub fn as_lit(self) -> Option<u64> {
        (self.per == 0).then_some(self.lit)
    }

    /// The number at a batch size.
    #[must_use]
    pub fn at(self, batch: usize) -> usize {
        let n = self.lit.saturating_add(self.per.saturating_mul(batch as u64));
        usize::try_from(n).unwrap_or(usize::MAX)
    }
}

impl From<u64> for Dim {
    fn from(n: u64) -> Dim {
        Dim::lit(n)
    }
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.per, self.lit) {
            (0, n) => write!(f, "{n}"),
            (1, 0) => write!(f, "B"),
            (k, 0) => write!(f, "{k}*B"),
            (1, n) => write!(f, "B + {n}"),
            (k, n) => write!(f, "{k}*B + {n}"),
        }
    }
}

/// The dimensions of a leaf, outermost first.
pub type Dims = SmallVec<[Dim; 4]>;

/// One tensor-valued wire: a base and its dimensions.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Leaf {
    /// What its entries are.
    pub base: Base,
    /// Its dimensions, outermost first.
    pub dims: Dims,
}

impl Leaf {
    /// A leaf with constant dimensions.
    #[must_use]
    pub fn new(base: Base, dims: &[u64]) -> Leaf {
        Leaf { base, dims: dims.iter().map(|n| Dim::lit(*n)).collect() }
    }

    /// `R[dims]` with constant dimensions.
    #[must_use]
    pub fn real(dims: &[u64]) -> Leaf {
        Leaf::new(Base::Real, dims)
    }

    /// `R[1]`, a number.
    #[must_use]
    pub fn number() -> Leaf {
        Leaf::real(&[1])
    }

    /// The same base with other dimensions.
    #[must_use]
    pub fn with_dims(&self, dims: impl IntoIterator<Item = Dim>) -> Leaf {
        Leaf { base: self.base, dims: dims.into_iter().collect() }
    }

    /// The same leaf with one more axis in front.
    #[must_use]
    pub fn under(&self, axis: Dim) -> Leaf {
        Leaf { base: self.base, dims: std::iter::once(axis).chain(self.dims.iter().copied()).collect() }
    }

    /// How many axes it has.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.dims.len()
    }

    /// Whether it is `R[1]`.
    #[must_use]
    pub fn is_number(&self) -> bool {
        self.base == Base::Real && self.dims.as_slice() == [Dim::ONE]
    }

    /// How many entries it has at a batch size.
    #[must_use]
    pub fn size(&self, batch: usize) -> usize {
        self.dims.iter().fold(1_usize, |n, d| n.saturating_mul(d.at(batch)))
    }

    /// Its dimensions at a batch size.
    #[must_use]
    pub fn shape(&self, batch: usize) -> Vec<usize> {
        self.dims.iter().map(|d| d.at(batch)).collect()
    }

    /// Its dimensions, if none depends on the batch.
    #[must_use]
    pub fn literal_dims(&self) -> Option<Vec<u64>> {
        self.dims.iter().map(|d| d.as_lit()).collect()
    }
}

impl fmt::Display for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.base {
            Base::Real => write!(f, "R")?,
            Base::Bool => write!(f, "Bool")?,
            Base::Int => write!(f, "Int")?,
            Base::Fin(n) => write!(f, "Fin[{n}]")?,
        }
        if self.dims.is_empty() {
            return Ok(());
        }
        let dims: Vec<String> = self.dims.iter().map(Dim::to_string).collect();
        write!(f, "[{}]", dims.join(", "))
    }
}

//! The values of all examples, flat.
//!
//! Invariant: the number of values is the number of examples times the product of the shape; labels are below their bound.

use crate::data::spec::{Base, ColumnType};
use std::sync::Arc;

/// The values of all examples, one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The dimensions of one example; a label has none.
    pub shape: Vec<usize>,
    /// The values, row-major by example.
    pub values: Values,
}

/// Values by kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Real numbers.
    Real(Vec<f64>),
    /// Real numbers that were stored as bytes and are made of one byte each: an eighth of the room of numbers.
    Bytes {
        /// One an entry.
        bytes: Arc<Vec<u8>>,
        /// The number of each of the 256 bytes, all finite.
        numbers: Arc<[f64]>,
    },
    /// Labels.
    Fin {
        /// The bound.
        classes: usize,
        /// Each below the bound.
        values: Vec<u32>,
    },
    /// Bits.
    Bool(Vec<bool>),
}

impl Column {
    /// The type of one example.
    #[must_use]
    pub fn column_type(&self) -> ColumnType {
        let base = match &self.values {
            Values::Real(_) | Values::Bytes { .. } => Base::Real,
            Values::Fin { classes, .. } => Base::Fin(*classes),
            Values::Bool(_) => Base::Bool,
        };
        ColumnType { shape: self.shape.clone(), base }
    }

    /// The real numbers, one after the other; `None` when it has labels or bits.
    #[must_use]
    pub fn reals(&self) -> Option<Box<dyn Iterator<Item = f64> + '_>> {
        match &self.values {
            Values::Real(values) => Some(Box::new(values.iter().copied())),
            Values::Bytes { bytes, numbers } => {
                Some(Box::new(bytes.iter().map(|byte| numbers.get(usize::from(*byte)).copied().unwrap_or(f64::NAN))))
            }
            Values::Fin { .. } | Values::Bool(_) => None,
        }
    }

    /// How many values one example has.
    #[must_use]
    pub fn size(&self) -> usize {
        self.shape.iter().product()
    }
}

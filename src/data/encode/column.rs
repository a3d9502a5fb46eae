//! The values of all examples, flat.
//!
//! Invariant: the number of values is the number of examples times the product of the shape; labels are below their bound.

use crate::data::spec::{Base, ColumnType};

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
            Values::Real(_) => Base::Real,
            Values::Fin { classes, .. } => Base::Fin(*classes),
            Values::Bool(_) => Base::Bool,
        };
        ColumnType { shape: self.shape.clone(), base }
    }

    /// How many values one example has.
    #[must_use]
    pub fn size(&self) -> usize {
        self.shape.iter().product()
    }
}

//! Tensors: the values on wires, one variant a base (`Fin` is whole numbers).
//!
//! A clone shares the entries. The machine keeps entries row-major and contiguous; a tensor from outside that is not
//! is copied once when it comes in.

use super::apply::{Entries, View};
use super::fault::RunFault;
use super::float::Float;
use crate::diagram::{Const, Literal};
use crate::object::{Base, Leaf};
use ndarray::{ArcArray, ArrayViewD, Axis, IxDyn};

/// A value on a wire.
#[derive(Clone, PartialEq, Debug)]
pub enum Tensor<T> {
    /// Real numbers.
    Real(ArcArray<T, IxDyn>),
    /// Bits.
    Bool(ArcArray<bool, IxDyn>),
    /// Whole numbers, also labels.
    Int(ArcArray<i64, IxDyn>),
}

/// What works alike on every base.
macro_rules! each_base {
    ($tensor:expr, $array:ident => $body:expr) => {
        match $tensor {
            Tensor::Real($array) => $body,
            Tensor::Bool($array) => $body,
            Tensor::Int($array) => $body,
        }
    };
}

/// The entries as an array of a shape, if they fill it.
pub(super) fn array<E>(shape: &[usize], entries: Vec<E>) -> Option<ArcArray<E, IxDyn>> {
    ArcArray::from_shape_vec(IxDyn(shape), entries).ok()
}

impl<T: Float> Tensor<T> {
    /// A tensor of reals, if there are as many entries as the shape has.
    #[must_use]
    pub fn real(shape: &[usize], entries: Vec<T>) -> Option<Tensor<T>> {
        array(shape, entries).map(Tensor::Real)
    }

    /// A tensor of bits, if there are as many entries as the shape has.
    #[must_use]
    pub fn bool(shape: &[usize], entries: Vec<bool>) -> Option<Tensor<T>> {
        array(shape, entries).map(Tensor::Bool)
    }

    /// A tensor of whole numbers or labels, if there are as many entries as the shape has.
    #[must_use]
    pub fn int(shape: &[usize], entries: Vec<i64>) -> Option<Tensor<T>> {
        array(shape, entries).map(Tensor::Int)
    }

    /// A tensor of entries, if there are as many as the shape has.
    pub(super) fn of(shape: &[usize], entries: Entries<T>) -> Option<Tensor<T>> {
        match entries {
            Entries::Real(x) => Tensor::real(shape, x),
            Entries::Bool(x) => Tensor::bool(shape, x),
            Entries::Int(x) => Tensor::int(shape, x),
        }
    }

    /// Its entries, if they are row-major and contiguous.
    pub(super) fn entries(&self) -> Option<View<'_, T>> {
        Some(match self {
            Tensor::Real(x) => View::Real(x.as_slice()?),
            Tensor::Bool(x) => View::Bool(x.as_slice()?),
            Tensor::Int(x) => View::Int(x.as_slice()?),
        })
    }

    /// The same entries in another shape, if it has as many.
    pub(super) fn reshaped(&self, shape: &[usize]) -> Option<Tensor<T>> {
        let shape = IxDyn(shape);
        Some(match self {
            Tensor::Real(x) => Tensor::Real(x.clone().into_shape_with_order(shape).ok()?),
            Tensor::Bool(x) => Tensor::Bool(x.clone().into_shape_with_order(shape).ok()?),
            Tensor::Int(x) => Tensor::Int(x.clone().into_shape_with_order(shape).ok()?),
        })
    }

    /// `R[1]`, a number.
    #[must_use]
    pub fn number(x: f64) -> Tensor<T> {
        Tensor::Real(ArcArray::from_elem(IxDyn(&[1]), T::from_f64(x)))
    }

    /// The zero of a leaf: 0, false, label 0.
    #[must_use]
    pub fn zeros(leaf: &Leaf, batch: usize) -> Tensor<T> {
        let shape = leaf.shape(batch);
        match leaf.base {
            Base::Real => Tensor::Real(ArcArray::from_elem(IxDyn(&shape), T::ZERO)),
            Base::Bool => Tensor::Bool(ArcArray::from_elem(IxDyn(&shape), false)),
            Base::Int | Base::Fin(_) => Tensor::Int(ArcArray::from_elem(IxDyn(&shape), 0)),
        }
    }

    /// Entries given as doubles, row-major: reals are rounded, bits are "not 0", whole numbers are truncated.
    ///
    /// # Errors
    /// [`RunFault::Entries`] when there are not as many as the leaf has.
    pub fn from_f64(leaf: &Leaf, batch: usize, entries: &[f64]) -> Result<Tensor<T>, RunFault> {
        let shape = leaf.shape(batch);
        let made = match leaf.base {
            Base::Real => Tensor::real(&shape, entries.iter().map(|x| T::from_f64(*x)).collect()),
            Base::Bool => Tensor::bool(&shape, entries.iter().map(|x| *x != 0.0).collect()),
            Base::Int | Base::Fin(_) => Tensor::int(&shape, entries.iter().map(|x| *x as i64).collect()),
        };
        made.ok_or_else(|| RunFault::Entries { needs: describe(leaf, batch), given: entries.len() })
    }

    /// The entries as doubles, row-major.
    #[must_use]
    pub fn to_f64(&self) -> Vec<f64> {
        match self {
            Tensor::Real(x) => x.iter().map(|x| x.to_f64()).collect(),
            Tensor::Bool(x) => x.iter().map(|x| f64::from(u8::from(*x))).collect(),
            Tensor::Int(x) => x.iter().map(|x| *x as f64).collect(),
        }
    }

    /// A literal.
    ///
    /// # Errors
    /// [`RunFault::Entries`] when there are not as many entries as the leaf has.
    pub fn literal(value: &Const) -> Result<Tensor<T>, RunFault> {
        let shape = value.leaf.shape(1);
        let made = match &value.entries {
            Literal::Real(v) => Tensor::real(&shape, v.iter().map(|x| T::from_f64(x.0)).collect()),
            Literal::Bool(v) => Tensor::bool(&shape, v.clone()),
            Literal::Int(v) => Tensor::int(&shape, v.clone()),
        };
        made.ok_or_else(|| RunFault::Entries { needs: describe(&value.leaf, 1), given: value.entries.len() })
    }

    /// Tensors of one base below each other along the first axis; nothing when they do not fit.
    #[must_use]
    pub fn stacked<'a>(parts: impl Iterator<Item = &'a Tensor<T>>) -> Option<Tensor<T>>
    where
        T: 'a,
    {
        let parts: Vec<&Tensor<T>> = parts.collect();
        fn joined<E: Clone>(views: Option<Vec<ArrayViewD<'_, E>>>) -> Option<ArcArray<E, IxDyn>> {
            ndarray::concatenate(Axis(0), &views?).ok().map(|a| a.into_shared())
        }
        Some(match parts.first()? {
            Tensor::Real(_) => Tensor::Real(joined(parts.iter().map(|t| t.reals()).collect())?),
            Tensor::Bool(_) => Tensor::Bool(joined(parts.iter().map(|t| t.bools()).collect())?),
            Tensor::Int(_) => Tensor::Int(joined(parts.iter().map(|t| t.ints()).collect())?),
        })
    }

    /// Its shape.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        each_base!(self, x => x.shape())
    }

    /// How many entries it has.
    #[must_use]
    pub fn len(&self) -> usize {
        each_base!(self, x => x.len())
    }

    /// Whether it has no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A view of real entries.
    #[must_use]
    pub fn reals(&self) -> Option<ArrayViewD<'_, T>> {
        if let Tensor::Real(x) = self { Some(x.view()) } else { None }
    }

    /// A view of bits.
    #[must_use]
    pub fn bools(&self) -> Option<ArrayViewD<'_, bool>> {
        if let Tensor::Bool(x) = self { Some(x.view()) } else { None }
    }

    /// A view of whole numbers.
    #[must_use]
    pub fn ints(&self) -> Option<ArrayViewD<'_, i64>> {
        if let Tensor::Int(x) = self { Some(x.view()) } else { None }
    }

    /// Whether it is of a leaf's base and shape (labels are not looked at).
    #[must_use]
    pub fn fits(&self, leaf: &Leaf, batch: usize) -> bool {
        let base = matches!(
            (self, leaf.base),
            (Tensor::Real(_), Base::Real) | (Tensor::Bool(_), Base::Bool) | (Tensor::Int(_), Base::Int | Base::Fin(_))
        );
        base && self.shape().len() == leaf.rank() && self.shape().iter().zip(&leaf.dims).all(|(n, d)| *n == d.at(batch))
    }

    /// The same tensor with row-major contiguous entries.
    #[must_use]
    pub(super) fn standard(&self) -> Tensor<T> {
        match self {
            Tensor::Real(x) if !x.is_standard_layout() => Tensor::Real(x.as_standard_layout().into_owned().into()),
            Tensor::Bool(x) if !x.is_standard_layout() => Tensor::Bool(x.as_standard_layout().into_owned().into()),
            Tensor::Int(x) if !x.is_standard_layout() => Tensor::Int(x.as_standard_layout().into_owned().into()),
            _ => self.clone(),
        }
    }

    /// Its base and shape in words.
    pub(super) fn describe(&self) -> String {
        let base = match self {
            Tensor::Real(_) => "R",
            Tensor::Bool(_) => "Bool",
            Tensor::Int(_) => "Int",
        };
        format!("{base}{:?}", self.shape())
    }
}

/// A leaf at a batch size, in words.
pub(super) fn describe(leaf: &Leaf, batch: usize) -> String {
    Leaf::new(leaf.base, &leaf.shape(batch).iter().map(|n| *n as u64).collect::<Vec<_>>()).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use crate::object::Dim;

    #[test]
    fn entries_go_in_and_come_out() {
        let leaf = Leaf::real(&[3]).under(Dim::BATCH);
        let x = Tensor::<f32>::from_f64(&leaf, 2, &[1.0, 2.0, 3.0, 4.0, 5.0, 0.1]).unwrap();
        assert!(x.fits(&leaf, 2) && !x.fits(&leaf, 3) && !x.fits(&Leaf::new(Base::Int, &[2, 3]), 1));
        assert_eq!(x.to_f64()[5], f64::from(0.1_f32));
        assert_eq!(Tensor::<f32>::zeros(&leaf, 2).to_f64(), [0.0; 6]);
        assert!(matches!(Tensor::<f64>::from_f64(&leaf, 2, &[1.0]), Err(RunFault::Entries { given: 1, .. })));
    }

    #[test]
    fn other_layouts_are_put_in_order() {
        let x = ArcArray::from_shape_vec(IxDyn(&[2, 2]), vec![1.0, 2.0, 3.0, 4.0]).unwrap().reversed_axes();
        assert_eq!(Tensor::Real(x).standard().to_f64(), [1.0, 3.0, 2.0, 4.0]);
    }
}

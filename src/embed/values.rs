//! Numbers from outside: array views and slices of bits as the tensors of a port.
//!
//! In: what the host has, borrowed. Out: a tensor with a leading axis of examples, in the run's precision; or a message
//! that says what the port takes. Reals are rounded to the run's precision, nothing else is changed.

use crate::object::{Base, Leaf};
use crate::run::{Float, Tensor};
use crate::source::{Code, Diagnostic};
use bitvec::order::Lsb0;
use bitvec::slice::BitSlice;
use bitvec::vec::BitVec;
use ndarray::{Array, ArrayView, ArrayViewD, Dimension};

/// Borrowed entries, examples along the first axis.
///
/// ```
/// use catlearn::Values;
/// use ndarray::array;
/// let x = array![[1.0, 2.0], [3.0, 4.0]];
/// let labels = array![0_i64, 1];
/// assert_eq!((Values::from(&x).len(), Values::from(&labels).len()), (4, 2));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Values<'a> {
    /// Reals of 64 bits.
    Real(ArrayViewD<'a, f64>),
    /// Reals of 32 bits.
    Single(ArrayViewD<'a, f32>),
    /// Whole numbers and labels.
    Int(ArrayViewD<'a, i64>),
    /// Bits, one a byte.
    Bool(ArrayViewD<'a, bool>),
    /// Bits, 64 a word, example by example; the port says how many make one.
    Bits(&'a BitSlice<u64, Lsb0>),
}

/// Views and references of arrays of an element type as [`Values`].
macro_rules! from_arrays {
    ($element:ty, $variant:ident) => {
        impl<'a, D: Dimension> From<ArrayView<'a, $element, D>> for Values<'a> {
            fn from(view: ArrayView<'a, $element, D>) -> Values<'a> {
                Values::$variant(view.into_dyn())
            }
        }

        impl<'a, D: Dimension> From<&'a Array<$element, D>> for Values<'a> {
            fn from(array: &'a Array<$element, D>) -> Values<'a> {
                Values::$variant(array.view().into_dyn())
            }
        }
    };
}

from_arrays!(f64, Real);
from_arrays!(f32, Single);
from_arrays!(i64, Int);
from_arrays!(bool, Bool);

impl<'a> From<&'a BitSlice<u64, Lsb0>> for Values<'a> {
    fn from(bits: &'a BitSlice<u64, Lsb0>) -> Values<'a> {
        Values::Bits(bits)
    }
}

impl Values<'_> {
    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Values::Real(v) => v.len(),
            Values::Single(v) => v.len(),
            Values::Int(v) => v.len(),
            Values::Bool(v) => v.len(),
            Values::Bits(v) => v.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn kind(&self) -> String {
        let shaped = |base: &str, shape: &[usize]| format!("{base}{shape:?}");
        match self {
            Values::Real(v) => shaped("R", v.shape()),
            Values::Single(v) => shaped("R", v.shape()),
            Values::Int(v) => shaped("whole numbers", v.shape()),
            Values::Bool(v) => shaped("Bool", v.shape()),
            Values::Bits(v) => format!("{} bits", v.len()),
        }
    }

    /// As many examples of a port as there are entries for; the first axis counts them.
    ///
    /// # Errors
    /// The entries are of another base, do not fill a whole number of examples, or a label is out of its range.
    pub(super) fn examples<T: Float>(&self, port: &Leaf, what: &str) -> Result<Tensor<T>, Diagnostic> {
        let size = port.size(1).max(1);
        let count = self.len() / size;
        let fits = match self {
            Values::Real(v) => self.axes(v.shape(), port, count),
            Values::Single(v) => self.axes(v.shape(), port, count),
            Values::Int(v) => self.axes(v.shape(), port, count),
            Values::Bool(v) => self.axes(v.shape(), port, count),
            Values::Bits(v) => v.len() == count * size,
        };
        let misfit = || {
            Diagnostic::error(
                Code::DATA_SHAPE,
                format!("the program takes {port} as {what}, given are {}", self.kind()),
            )
            .help(format!("give one {port} an example, the examples along the first axis"))
        };
        if !fits || count == 0 {
            return Err(misfit());
        }
        let shape: Vec<usize> = std::iter::once(count).chain(port.shape(1)).collect();
        self.tensor(port, &shape, what)?.ok_or_else(misfit)
    }

    /// One value of a port, without an axis of examples.
    pub(super) fn one<T: Float>(&self, port: &Leaf, what: &str) -> Result<Tensor<T>, Diagnostic> {
        let made = if self.len() == port.size(1) { self.tensor(port, &port.shape(1), what)? } else { None };
        made.ok_or_else(|| {
            Diagnostic::error(Code::DATA_SHAPE, format!("{what} is {port}, given are {}", self.kind()))
                .help(format!("give {} entries", port.size(1)))
        })
    }

    /// Whether axes are those of examples of a port: the port's own behind the first, or all of them in one.
    fn axes(&self, shape: &[usize], port: &Leaf, count: usize) -> bool {
        let own = port.shape(1);
        let size: usize = own.iter().product();
        match shape.split_first() {
            Some((first, rest)) => {
                *first == count && count * size == self.len() && (rest == own || rest == [size] || rest.is_empty())
            }
            None => false,
        }
    }

    /// The entries as a tensor of that shape, if the bases agree.
    fn tensor<T: Float>(&self, port: &Leaf, shape: &[usize], what: &str) -> Result<Option<Tensor<T>>, Diagnostic> {
        Ok(match (self, port.base) {
            (Values::Real(v), Base::Real) => Tensor::real(shape, v.iter().map(|x| T::from_f64(*x)).collect()),
            (Values::Single(v), Base::Real) => {
                Tensor::real(shape, v.iter().map(|x| T::from_f64(f64::from(*x))).collect())
            }
            (Values::Int(v), Base::Int) => Tensor::int(shape, v.iter().copied().collect()),
            (Values::Int(v), Base::Fin(n)) => {
                if let Some(wrong) = v.iter().find(|x| !(0..i64::from(n)).contains(*x)) {
                    return Err(Diagnostic::error(Code::DATA_VALUE, format!("the {what} has the label {wrong}"))
                        .help(format!("labels of Fin[{n}] are 0 to {}", n.saturating_sub(1))));
                }
                Tensor::int(shape, v.iter().copied().collect())
            }
            (Values::Bool(v), Base::Bool) => Tensor::bool(shape, v.iter().copied().collect()),
            (Values::Bits(v), Base::Bool) => Tensor::bool(shape, v.iter().by_vals().collect()),
            _ => None,
        })
    }
}

/// The bits of a tensor, 64 a word, row-major; nothing for another base.
///
/// ```
/// use catlearn::{bits, run::Tensor};
/// let t = Tensor::<f64>::bool(&[3], vec![true, false, true]).ok_or("three entries")?;
/// assert_eq!(bits(&t).map(|b| b.count_ones()), Some(2));
/// # Ok::<(), &str>(())
/// ```
#[must_use]
pub fn bits<T: Float>(tensor: &Tensor<T>) -> Option<BitVec<u64, Lsb0>> {
    Some(tensor.bools()?.iter().copied().collect())
}

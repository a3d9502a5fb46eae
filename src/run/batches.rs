//! Rows of a data set as tensors of a batch.
//!
//! Numbers are converted once to the run's precision, bytes and labels when they are gathered; a batch is a copy of its
//! rows in order.

use super::float::Float;
use super::tensor::Tensor;
use crate::data::{Column, Values};
use crate::object::{Base, Leaf};
use crate::source::{Code, Diagnostic, Span};
use std::sync::Arc;

/// A column in the run's precision, one row an example.
#[derive(Clone, Debug)]
pub(super) struct Rows<T> {
    shape: Vec<usize>,
    entries: Entries<T>,
}

#[derive(Clone, Debug)]
enum Entries<T> {
    Real(Vec<T>),
    /// One byte an entry, and the number of each byte.
    Bytes(Arc<Vec<u8>>, Vec<T>),
    Labels(Vec<u32>),
    Int(Vec<i64>),
    Bool(Vec<bool>),
}

impl<T: Float> Rows<T> {
    /// A column for a port; entries are taken in order when their number is the port's.
    pub(super) fn new(column: &Column, port: &Leaf, what: &str, span: Span) -> Result<Rows<T>, Diagnostic> {
        let size: usize = column.shape.iter().product();
        let beyond_it = |x: &f64| x.is_finite() && !T::from_f64(*x).to_f64().is_finite();
        if let Some((at, number)) = column.reals().and_then(|all| all.enumerate().find(|(_, x)| beyond_it(x))) {
            let (row, entry) = (at / size.max(1), at % size.max(1));
            let what = format!("{number:e}, entry {entry} of the {what} of row {row}, is");
            return Err(beyond(&what, Code::DATA_VALUE).at(span, "rows and entries are counted from 0"));
        }
        let entries = match (&column.values, port.base) {
            (Values::Real(v), Base::Real) => Some(Entries::Real(v.iter().map(|x| T::from_f64(*x)).collect())),
            (Values::Bytes { bytes, numbers }, Base::Real) => {
                Some(Entries::Bytes(Arc::clone(bytes), numbers.iter().map(|x| T::from_f64(*x)).collect()))
            }
            (Values::Fin { classes, values }, Base::Fin(n)) if *classes == n as usize => {
                Some(Entries::Labels(values.clone()))
            }
            (Values::Bool(v), Base::Bool) => Some(Entries::Bool(v.clone())),
            _ => None,
        };
        match entries {
            Some(entries) if size == port.size(1) => Ok(Rows { shape: port.shape(1), entries }),
            _ => Err(Diagnostic::error(
                Code::DATA_SHAPE,
                format!("the model takes {port} as {what}, the data gives {}", column.column_type()),
            )
            .at(span, format!("gives {}", column.column_type()))
            .help("choose other columns or encoders, or change the model's type")),
        }
    }

    /// A tensor with a leading axis as rows.
    pub(super) fn of(tensor: Tensor<T>) -> Rows<T> {
        let shape = tensor.shape().get(1..).unwrap_or_default().to_vec();
        let entries = match tensor.standard() {
            Tensor::Real(x) => Entries::Real(x.iter().copied().collect()),
            Tensor::Int(x) => Entries::Int(x.iter().copied().collect()),
            Tensor::Bool(x) => Entries::Bool(x.iter().copied().collect()),
        };
        Rows { shape, entries }
    }

    /// The rows as one tensor with a leading axis.
    pub(super) fn gather(&self, rows: &[usize]) -> Tensor<T> {
        let shape: Vec<usize> = std::iter::once(rows.len()).chain(self.shape.iter().copied()).collect();
        self.gather_as(rows, &shape)
    }

    /// The same in a shape of as many entries.
    pub(super) fn gather_as(&self, rows: &[usize], shape: &[usize]) -> Tensor<T> {
        let size: usize = self.shape.iter().product();
        fn take<E: Copy>(from: &[E], rows: &[usize], size: usize) -> Vec<E> {
            let mut out = Vec::with_capacity(rows.len() * size);
            for row in rows {
                out.extend_from_slice(from.get(row * size..(row + 1) * size).unwrap_or_default());
            }
            out
        }
        let made = match &self.entries {
            Entries::Real(v) => Tensor::real(shape, take(v, rows, size)),
            Entries::Bytes(bytes, numbers) => {
                let number = |byte: u8| numbers.get(usize::from(byte)).copied().unwrap_or(T::from_f64(f64::NAN));
                Tensor::real(shape, take(bytes, rows, size).into_iter().map(number).collect())
            }
            Entries::Labels(v) => Tensor::int(shape, take(v, rows, size).into_iter().map(i64::from).collect()),
            Entries::Int(v) => Tensor::int(shape, take(v, rows, size)),
            Entries::Bool(v) => Tensor::bool(shape, take(v, rows, size)),
        };
        // Rows outside the set leave a tensor that the machine refuses.
        made.unwrap_or_else(|| Tensor::number(f64::NAN))
    }
}

/// The examples of a column as one tensor for a port, to be shown to a learner; `span` is where the data is named.
///
/// # Errors
/// A message when the column does not suit the port, or a number is beyond the precision.
pub fn examples<T: Float>(column: &Column, port: &Leaf, what: &str, span: Span) -> Result<Tensor<T>, Diagnostic> {
    let size: usize = column.shape.iter().product::<usize>().max(1);
    let count = match &column.values {
        Values::Real(v) => v.len(),
        Values::Bytes { bytes, .. } => bytes.len(),
        Values::Fin { values, .. } => values.len(),
        Values::Bool(v) => v.len(),
    };
    let all: Vec<usize> = (0..count / size).collect();
    Ok(Rows::new(column, port, what, span)?.gather(&all))
}

/// A number that is finite as written and not so in the run's precision.
pub(super) fn beyond(what: &str, code: Code) -> Diagnostic {
    Diagnostic::error(code, format!("{what} beyond the largest number of 32 bits"))
        .help("use `precision = f64`, or smaller numbers")
}

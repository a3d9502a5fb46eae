//! One operation on entries: one match arm a kernel.
//!
//! In: the entries of the operands, row-major. Out: those of the result. Constants, reshapes and calls are for the
//! machines themselves. Both machines run this; it is the meaning of an operation.

use super::fault::RunFault;
use super::float::Float;
use super::gather::{Lookup, add_bit, add_int, add_real, addresses, concat, sum};
use super::prepare::Kernel;
use super::{atomic, pointwise};

/// The entries of a value.
#[derive(Clone, Debug)]
pub(super) enum Entries<T> {
    Real(Vec<T>),
    Bool(Vec<bool>),
    Int(Vec<i64>),
}

/// The entries of a value that somebody else holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum View<'v, T> {
    Real(&'v [T]),
    Bool(&'v [bool]),
    Int(&'v [i64]),
}

impl<T> View<'_, T> {
    fn len(&self) -> usize {
        match self {
            View::Real(x) => x.len(),
            View::Bool(x) => x.len(),
            View::Int(x) => x.len(),
        }
    }
}

/// The entries that an operation with one output makes.
///
/// # Errors
/// [`RunFault`] at the node when a label is out of range or a matrix singular.
pub(super) fn apply<T: Float>(kernel: &Kernel<T>, node: u32, ins: &[View<'_, T>]) -> Result<Entries<T>, RunFault> {
    Operation { kernel, node, ins }.apply()
}

/// Each run of `inner` entries, `times` over.
fn repeat<E: Clone>(x: &[E], times: usize, inner: usize) -> Vec<E> {
    x.chunks(inner.max(1)).flat_map(|block| std::iter::repeat_n(block, times).flatten().cloned()).collect()
}

/// An operation and the entries it reads.
struct Operation<'v, T> {
    kernel: &'v Kernel<T>,
    node: u32,
    ins: &'v [View<'v, T>],
}

impl<'v, T: Float> Operation<'v, T> {
    fn misfit(&self) -> RunFault {
        RunFault::Misfit { node: self.node }
    }

    fn view(&self, k: usize) -> Result<View<'v, T>, RunFault> {
        self.ins.get(k).copied().ok_or_else(|| self.misfit())
    }

    fn reals(&self, k: usize) -> Result<&'v [T], RunFault> {
        if let View::Real(x) = self.view(k)? { Ok(x) } else { Err(self.misfit()) }
    }

    fn bools(&self, k: usize) -> Result<&'v [bool], RunFault> {
        if let View::Bool(x) = self.view(k)? { Ok(x) } else { Err(self.misfit()) }
    }

    fn ints(&self, k: usize) -> Result<&'v [i64], RunFault> {
        if let View::Int(x) = self.view(k)? { Ok(x) } else { Err(self.misfit()) }
    }

    /// The entries of the only output.
    fn apply(&self) -> Result<Entries<T>, RunFault> {
        use View::{Bool, Int, Real};
        let (node, arity) = (self.node, self.ins.len());
        match self.kernel {
            Kernel::Einsum(plan) => {
                let ins: smallvec::SmallVec<[&[T]; 4]> = (0..arity).map(|k| self.reals(k)).collect::<Result<_, _>>()?;
                Ok(Entries::Real(plan.run(&ins)))
            }
            Kernel::Add => match (self.view(0)?, self.view(1)?) {
                (Real(x), Real(y)) => Ok(Entries::Real(pointwise::zip(x, y, add_real))),
                (Int(x), Int(y)) => Ok(Entries::Int(pointwise::zip(x, y, add_int))),
                _ => Err(self.misfit()),
            },
            Kernel::Map(f) => Ok(Entries::Real(pointwise::map(*f, self.reals(0)?, self.reals(f.arity() - 1)?))),
            Kernel::Whole(f) => Ok(Entries::Int(pointwise::whole(*f, self.ints(0)?, self.ints(1)?))),
            Kernel::ToInt => match self.view(0)? {
                Bool(x) => Ok(Entries::Int(x.iter().map(|bit| i64::from(*bit)).collect())),
                Int(x) => Ok(Entries::Int(x.to_vec())),
                Real(_) => Err(self.misfit()),
            },
            Kernel::Compare(c) => match (self.view(0)?, self.view(1)?) {
                (Real(x), Real(y)) => Ok(Entries::Bool(pointwise::compare(*c, x, y))),
                (Bool(x), Bool(y)) => Ok(Entries::Bool(pointwise::compare(*c, x, y))),
                (Int(x), Int(y)) => Ok(Entries::Bool(pointwise::compare(*c, x, y))),
                _ => Err(self.misfit()),
            },
            Kernel::Logic(l) => Ok(Entries::Bool(pointwise::logic(*l, self.bools(0)?, self.bools(l.arity() - 1)?))),
            Kernel::Select => {
                let c = self.bools(0)?;
                match (self.view(1)?, self.view(2)?) {
                    (Real(a), Real(b)) => Ok(Entries::Real(pointwise::select(c, a, b))),
                    (Bool(a), Bool(b)) => Ok(Entries::Bool(pointwise::select(c, a, b))),
                    (Int(a), Int(b)) => Ok(Entries::Int(pointwise::select(c, a, b))),
                    _ => Err(self.misfit()),
                }
            }
            Kernel::Index(places) => match self.view(0)? {
                Real(x) => Ok(Entries::Real(places.apply(x, T::ZERO))),
                Bool(x) => Ok(Entries::Bool(places.apply(x, false))),
                Int(x) => Ok(Entries::Int(places.apply(x, 0))),
            },
            Kernel::IndexDagger(places) => match self.view(0)? {
                Real(y) => Ok(Entries::Real(places.dagger(y, T::ZERO, add_real))),
                Int(y) => Ok(Entries::Int(places.dagger(y, 0, add_int))),
                Bool(y) => Ok(Entries::Bool(places.dagger(y, false, add_bit))),
            },
            Kernel::Repeat(times, inner) => match self.view(0)? {
                Real(x) => Ok(Entries::Real(repeat(x, *times, *inner))),
                Bool(x) => Ok(Entries::Bool(repeat(x, *times, *inner))),
                Int(x) => Ok(Entries::Int(repeat(x, *times, *inner))),
            },
            Kernel::Sum(n, inner) => match self.view(0)? {
                Bool(x) => Ok(Entries::Bool(sum(x, *n, *inner, false, add_bit))),
                Int(x) => Ok(Entries::Int(sum(x, *n, *inner, 0, add_int))),
                Real(_) => Err(self.misfit()),
            },
            Kernel::Concat(blocks, sizes) => match self.view(0)? {
                Real(_) => Ok(Entries::Real(concat(*blocks, &self.parts(sizes, Self::reals)?))),
                Bool(_) => Ok(Entries::Bool(concat(*blocks, &self.parts(sizes, Self::bools)?))),
                Int(_) => Ok(Entries::Int(concat(*blocks, &self.parts(sizes, Self::ints)?))),
            },
            Kernel::Gather(lookup) => self.look_up(lookup, self.ints(1)?),
            Kernel::GatherDagger(lookup) => self.scatter(lookup, self.ints(1)?),
            Kernel::Lookup(lookup, bits) => self.look_up(lookup, &addresses(self.bools(1)?, *bits)),
            Kernel::LookupDagger(lookup, bits) => self.scatter(lookup, &addresses(self.bools(1)?, *bits)),
            Kernel::Basis(bits) => {
                let places = addresses(self.bools(0)?, *bits);
                Ok(Entries::Bool(atomic::one_hot(&places, 1 << bits, (false, true)).map_err(|_| self.misfit())?))
            }
            Kernel::Rank(n) => match self.view(0)? {
                Real(x) => Ok(Entries::Int(atomic::rank(x, *n))),
                Int(x) => Ok(Entries::Int(atomic::rank(x, *n))),
                Bool(_) => Err(self.misfit()),
            },
            Kernel::Max(n) => match self.view(0)? {
                Real(x) => Ok(Entries::Real(atomic::max(x, *n))),
                Int(x) => Ok(Entries::Int(atomic::max(x, *n))),
                Bool(_) => Err(self.misfit()),
            },
            Kernel::ArgmaxOneHot(n) => match self.view(0)? {
                Real(x) => {
                    let places = atomic::argmax(x, *n);
                    Ok(Entries::Real(atomic::one_hot(&places, *n, (T::ZERO, T::ONE)).map_err(|_| self.misfit())?))
                }
                Int(x) => {
                    let places = atomic::argmax(x, *n);
                    Ok(Entries::Int(atomic::one_hot(&places, *n, (0, 1)).map_err(|_| self.misfit())?))
                }
                Bool(_) => Err(self.misfit()),
            },
            Kernel::Argmax(n) => match self.view(0)? {
                Real(x) => Ok(Entries::Int(atomic::argmax(x, *n))),
                Int(x) => Ok(Entries::Int(atomic::argmax(x, *n))),
                Bool(_) => Err(self.misfit()),
            },
            Kernel::OneHot(n) => {
                let range = |value| RunFault::OutOfRange { node, value, bound: *n };
                Ok(Entries::Real(atomic::one_hot(self.ints(0)?, *n, (T::ZERO, T::ONE)).map_err(range)?))
            }
            Kernel::Solve(n) => {
                let (a, b) = (self.reals(0)?, self.reals(1)?);
                let solved = if *n == 0 { Some(b.to_vec()) } else { atomic::solve(a, b, *n) };
                Ok(Entries::Real(solved.ok_or(RunFault::Singular { node })?))
            }
            Kernel::Value(_) | Kernel::Reshape | Kernel::Call(..) => Err(self.misfit()),
        }
    }

    /// Rows of the first operand at these places.
    fn look_up(&self, lookup: &Lookup, places: &[i64]) -> Result<Entries<T>, RunFault> {
        let table = self.view(0)?;
        if !lookup.fits(Some(table.len()), None, places.len()) {
            return Err(self.misfit());
        }
        let range = |value| RunFault::OutOfRange { node: self.node, value, bound: lookup.rows };
        match table {
            View::Real(x) => Ok(Entries::Real(lookup.gather(x, places).map_err(range)?)),
            View::Bool(x) => Ok(Entries::Bool(lookup.gather(x, places).map_err(range)?)),
            View::Int(x) => Ok(Entries::Int(lookup.gather(x, places).map_err(range)?)),
        }
    }

    /// The first operand added up at these places.
    fn scatter(&self, lookup: &Lookup, places: &[i64]) -> Result<Entries<T>, RunFault> {
        let dy = self.view(0)?;
        if !lookup.fits(None, Some(dy.len()), places.len()) {
            return Err(self.misfit());
        }
        let range = |value| RunFault::OutOfRange { node: self.node, value, bound: lookup.rows };
        match dy {
            View::Real(y) => Ok(Entries::Real(lookup.dagger(y, places, T::ZERO, add_real).map_err(range)?)),
            View::Int(y) => Ok(Entries::Int(lookup.dagger(y, places, 0, add_int).map_err(range)?)),
            View::Bool(y) => Ok(Entries::Bool(lookup.dagger(y, places, false, add_bit).map_err(range)?)),
        }
    }

    /// The operands of a join, each with its entries a block.
    fn parts<E>(
        &self,
        sizes: &[usize],
        read: impl Fn(&Self, usize) -> Result<&'v [E], RunFault>,
    ) -> Result<Vec<(&'v [E], usize)>, RunFault> {
        sizes.iter().enumerate().map(|(k, n)| Ok((read(self, k)?, *n))).collect()
    }
}

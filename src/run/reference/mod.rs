//! The reference interpreter: one match arm an operation.
//!
//! [`evaluate`] runs a diagram once; a [`Machine`] remembers what shapes decide and runs it many times, at any batch
//! sizes. Both check every tensor against its port.

use super::fault::RunFault;
use super::float::Float;
use super::gather::{Lookup, add_bit, add_int, add_real, addresses, concat, sum};
use super::prepare::{Inlet, Kernel, Prepared, Step};
use super::tensor::{Tensor, describe};
use super::{atomic, pointwise};
use crate::diagram::Diagram;
use crate::object::Base;
use ndarray::{ArcArray, IxDyn};

/// Runs a diagram on one tensor a port at a batch size; one tensor an output.
///
/// # Errors
/// [`RunFault`] when a tensor does not fit its port, a label is out of range, a matrix is singular or a hole unfilled.
pub fn evaluate<T: Float>(d: &Diagram, inputs: &[Tensor<T>], batch: usize) -> Result<Vec<Tensor<T>>, RunFault> {
    Prepared::new(d, batch)?.run(inputs)
}

/// How many batch sizes a machine stays prepared for.
const KEPT: usize = 4;

/// A diagram to be run many times.
#[derive(Clone, Debug)]
pub struct Machine<T> {
    diagram: Diagram,
    prepared: Vec<Prepared<T>>,
}

impl<T: Float> Machine<T> {
    /// A machine for a diagram.
    #[must_use]
    pub fn new(d: &Diagram) -> Machine<T> {
        Machine { diagram: d.clone(), prepared: Vec::new() }
    }

    /// The diagram it runs.
    #[must_use]
    pub fn diagram(&self) -> &Diagram {
        &self.diagram
    }

    /// Runs the diagram, like [`evaluate`].
    ///
    /// # Errors
    /// Those of [`evaluate`].
    pub fn run(&mut self, inputs: &[Tensor<T>], batch: usize) -> Result<Vec<Tensor<T>>, RunFault> {
        if let Some(prepared) = self.prepared.iter().find(|p| p.batch == batch) {
            return prepared.run(inputs);
        }
        let prepared = Prepared::new(&self.diagram, batch)?;
        let outs = prepared.run(inputs);
        if self.prepared.len() == KEPT {
            self.prepared.remove(0);
        }
        self.prepared.push(prepared);
        outs
    }
}

impl<T: Float> Prepared<T> {
    pub(super) fn run(&self, inputs: &[Tensor<T>]) -> Result<Vec<Tensor<T>>, RunFault> {
        if inputs.len() != self.inlets.len() {
            return Err(RunFault::Ports { needs: self.inlets.len(), given: inputs.len() });
        }
        let mut values: Vec<Option<Tensor<T>>> = vec![None; self.slots];
        for (inlet, input) in self.inlets.iter().zip(inputs) {
            check(inlet, input, self.batch)?;
            if let Some(value) = inlet.slot.and_then(|s| values.get_mut(s)) {
                *value = Some(input.standard());
            }
        }
        for step in &self.steps {
            let reading = Reading { values: &values, step };
            let made = match &step.kernel {
                Kernel::Call(name, inner) => {
                    let inputs: Vec<Tensor<T>> =
                        (0..step.ins.len()).map(|k| reading.tensor(k).cloned()).collect::<Result<_, _>>()?;
                    let inside =
                        |fault| RunFault::Inside { node: step.node, name: name.to_string(), fault: Box::new(fault) };
                    inner.run(&inputs).map_err(inside)?
                }
                _ => {
                    let value = reading.apply()?;
                    if let Some(slot) = values.get_mut(step.out) {
                        *slot = Some(value);
                    }
                    Vec::new()
                }
            };
            for (slot, value) in values.iter_mut().skip(step.out).zip(made) {
                *slot = Some(value);
            }
            for slot in &step.dead {
                if let Some(value) = values.get_mut(*slot) {
                    *value = None;
                }
            }
        }
        let out = |slot: &usize| values.get(*slot).cloned().flatten().ok_or(RunFault::Misfit { node: 0 });
        self.outs.iter().map(out).collect()
    }
}

/// Whether a tensor may be given to a port.
fn check<T: Float>(inlet: &Inlet, input: &Tensor<T>, batch: usize) -> Result<(), RunFault> {
    if !input.fits(&inlet.leaf, batch) {
        let (path, needs) = (inlet.path.to_string(), describe(&inlet.leaf, batch));
        return Err(RunFault::Port { path, needs, given: input.describe() });
    }
    if let (Base::Fin(n), Tensor::Int(labels)) = (inlet.leaf.base, input)
        && let Some(value) = labels.iter().find(|x| **x < 0 || **x >= i64::from(n))
    {
        return Err(RunFault::OutOfRange { node: inlet.node, value: *value, bound: n as usize });
    }
    Ok(())
}

/// Each run of `inner` entries, `times` over.
fn repeat<E: Clone>(x: &[E], times: usize, inner: usize) -> Vec<E> {
    x.chunks(inner.max(1)).flat_map(|block| std::iter::repeat_n(block, times).flatten().cloned()).collect()
}

/// A step and the values it may read.
struct Reading<'v, T> {
    values: &'v [Option<Tensor<T>>],
    step: &'v Step<T>,
}

/// The entries; empty (and then found not to fill the result) if they were not contiguous.
fn entries<E>(x: &ArcArray<E, IxDyn>) -> &[E] {
    x.as_slice().unwrap_or(&[])
}

impl<'v, T: Float> Reading<'v, T> {
    fn misfit(&self) -> RunFault {
        RunFault::Misfit { node: self.step.node }
    }

    fn tensor(&self, k: usize) -> Result<&'v Tensor<T>, RunFault> {
        let slot = self.step.ins.get(k).and_then(|s| self.values.get(*s));
        slot.and_then(Option::as_ref).ok_or_else(|| self.misfit())
    }

    fn reals(&self, k: usize) -> Result<&'v [T], RunFault> {
        if let Tensor::Real(x) = self.tensor(k)? { Ok(entries(x)) } else { Err(self.misfit()) }
    }

    fn bools(&self, k: usize) -> Result<&'v [bool], RunFault> {
        if let Tensor::Bool(x) = self.tensor(k)? { Ok(entries(x)) } else { Err(self.misfit()) }
    }

    fn ints(&self, k: usize) -> Result<&'v [i64], RunFault> {
        if let Tensor::Int(x) = self.tensor(k)? { Ok(entries(x)) } else { Err(self.misfit()) }
    }

    fn real(&self, x: Vec<T>) -> Result<Tensor<T>, RunFault> {
        Tensor::real(&self.step.shape, x).ok_or_else(|| self.misfit())
    }

    fn bool(&self, x: Vec<bool>) -> Result<Tensor<T>, RunFault> {
        Tensor::bool(&self.step.shape, x).ok_or_else(|| self.misfit())
    }

    fn int(&self, x: Vec<i64>) -> Result<Tensor<T>, RunFault> {
        Tensor::int(&self.step.shape, x).ok_or_else(|| self.misfit())
    }

    /// The value of a step with one output.
    fn apply(&self) -> Result<Tensor<T>, RunFault> {
        use Tensor::{Bool, Int, Real};
        let (node, arity) = (self.step.node, self.step.ins.len());
        match &self.step.kernel {
            Kernel::Value(value) => Ok(value.clone()),
            Kernel::Einsum(plan) => {
                let ins: smallvec::SmallVec<[&[T]; 4]> = (0..arity).map(|k| self.reals(k)).collect::<Result<_, _>>()?;
                self.real(plan.run(&ins))
            }
            Kernel::Add => match (self.tensor(0)?, self.tensor(1)?) {
                (Real(x), Real(y)) => self.real(pointwise::zip(entries(x), entries(y), add_real)),
                (Int(x), Int(y)) => self.int(pointwise::zip(entries(x), entries(y), add_int)),
                _ => Err(self.misfit()),
            },
            Kernel::Map(f) => {
                let made = if f.arity() == 1 {
                    pointwise::unary(*f, self.reals(0)?)
                } else {
                    pointwise::binary(*f, self.reals(0)?, self.reals(1)?)
                };
                self.real(made.ok_or_else(|| self.misfit())?)
            }
            Kernel::Whole(f) => self.int(pointwise::whole(*f, self.ints(0)?, self.ints(1)?)),
            Kernel::ToInt => match self.tensor(0)? {
                Bool(x) => self.int(x.iter().map(|bit| i64::from(*bit)).collect()),
                Int(x) => self.int(entries(x).to_vec()),
                Real(_) => Err(self.misfit()),
            },
            Kernel::Compare(c) => match (self.tensor(0)?, self.tensor(1)?) {
                (Real(x), Real(y)) => self.bool(pointwise::compare(*c, entries(x), entries(y))),
                (Bool(x), Bool(y)) => self.bool(pointwise::compare(*c, entries(x), entries(y))),
                (Int(x), Int(y)) => self.bool(pointwise::compare(*c, entries(x), entries(y))),
                _ => Err(self.misfit()),
            },
            Kernel::Logic(l) => self.bool(pointwise::logic(*l, self.bools(0)?, self.bools(l.arity() - 1)?)),
            Kernel::Select => {
                let c = self.bools(0)?;
                match (self.tensor(1)?, self.tensor(2)?) {
                    (Real(a), Real(b)) => self.real(pointwise::select(c, entries(a), entries(b))),
                    (Bool(a), Bool(b)) => self.bool(pointwise::select(c, entries(a), entries(b))),
                    (Int(a), Int(b)) => self.int(pointwise::select(c, entries(a), entries(b))),
                    _ => Err(self.misfit()),
                }
            }
            Kernel::Index(places) => match self.tensor(0)? {
                Real(x) => self.real(places.apply(entries(x), T::ZERO)),
                Bool(x) => self.bool(places.apply(entries(x), false)),
                Int(x) => self.int(places.apply(entries(x), 0)),
            },
            Kernel::IndexDagger(places) => match self.tensor(0)? {
                Real(y) => self.real(places.dagger(entries(y), T::ZERO, add_real)),
                Int(y) => self.int(places.dagger(entries(y), 0, add_int)),
                Bool(y) => self.bool(places.dagger(entries(y), false, add_bit)),
            },
            Kernel::Repeat(times, inner) => match self.tensor(0)? {
                Real(x) => self.real(repeat(entries(x), *times, *inner)),
                Bool(x) => self.bool(repeat(entries(x), *times, *inner)),
                Int(x) => self.int(repeat(entries(x), *times, *inner)),
            },
            Kernel::Sum(n, inner) => match self.tensor(0)? {
                Bool(x) => self.bool(sum(entries(x), *n, *inner, false, add_bit)),
                Int(x) => self.int(sum(entries(x), *n, *inner, 0, add_int)),
                Real(_) => Err(self.misfit()),
            },
            Kernel::Reshape => {
                let shape = IxDyn(&self.step.shape);
                let made = match self.tensor(0)? {
                    Real(x) => x.clone().into_shape_with_order(shape).map(Real),
                    Bool(x) => x.clone().into_shape_with_order(shape).map(Bool),
                    Int(x) => x.clone().into_shape_with_order(shape).map(Int),
                };
                made.map_err(|_| self.misfit())
            }
            Kernel::Concat(blocks, sizes) => match self.tensor(0)? {
                Real(_) => self.real(concat(*blocks, &self.parts(sizes, Self::reals)?)),
                Bool(_) => self.bool(concat(*blocks, &self.parts(sizes, Self::bools)?)),
                Int(_) => self.int(concat(*blocks, &self.parts(sizes, Self::ints)?)),
            },
            Kernel::Gather(lookup) => self.look_up(lookup, self.ints(1)?),
            Kernel::GatherDagger(lookup) => self.scatter(lookup, self.ints(1)?),
            Kernel::Lookup(lookup, bits) => self.look_up(lookup, &addresses(self.bools(1)?, *bits)),
            Kernel::LookupDagger(lookup, bits) => self.scatter(lookup, &addresses(self.bools(1)?, *bits)),
            Kernel::Basis(bits) => {
                let places = addresses(self.bools(0)?, *bits);
                self.bool(atomic::one_hot(&places, 1 << bits, (false, true)).map_err(|_| self.misfit())?)
            }
            Kernel::Rank(n) => match self.tensor(0)? {
                Real(x) => self.int(atomic::rank(entries(x), *n)),
                Int(x) => self.int(atomic::rank(entries(x), *n)),
                Bool(_) => Err(self.misfit()),
            },
            Kernel::Max(n) => match self.tensor(0)? {
                Real(x) => self.real(atomic::max(entries(x), *n)),
                Int(x) => self.int(atomic::max(entries(x), *n)),
                Bool(_) => Err(self.misfit()),
            },
            Kernel::ArgmaxOneHot(n) => match self.tensor(0)? {
                Real(x) => {
                    let places = atomic::argmax(entries(x), *n);
                    self.real(atomic::one_hot(&places, *n, (T::ZERO, T::ONE)).map_err(|_| self.misfit())?)
                }
                Int(x) => {
                    let places = atomic::argmax(entries(x), *n);
                    self.int(atomic::one_hot(&places, *n, (0, 1)).map_err(|_| self.misfit())?)
                }
                Bool(_) => Err(self.misfit()),
            },
            Kernel::Argmax(n) => match self.tensor(0)? {
                Real(x) => self.int(atomic::argmax(entries(x), *n)),
                Int(x) => self.int(atomic::argmax(entries(x), *n)),
                Bool(_) => Err(self.misfit()),
            },
            Kernel::OneHot(n) => {
                let range = |value| RunFault::OutOfRange { node, value, bound: *n };
                self.real(atomic::one_hot(self.ints(0)?, *n, (T::ZERO, T::ONE)).map_err(range)?)
            }
            Kernel::Solve(n) => {
                let (a, b) = (self.reals(0)?, self.reals(1)?);
                let solved = if *n == 0 { Some(b.to_vec()) } else { atomic::solve(a, b, *n) };
                self.real(solved.ok_or(RunFault::Singular { node })?)
            }
            Kernel::Call(..) => Err(self.misfit()),
        }
    }

    /// Rows of the first operand at these places.
    fn look_up(&self, lookup: &Lookup, places: &[i64]) -> Result<Tensor<T>, RunFault> {
        let table = self.tensor(0)?;
        if !lookup.fits(Some(table.len()), None, places.len()) {
            return Err(self.misfit());
        }
        let range = |value| RunFault::OutOfRange { node: self.step.node, value, bound: lookup.rows };
        match table {
            Tensor::Real(x) => self.real(lookup.gather(entries(x), places).map_err(range)?),
            Tensor::Bool(x) => self.bool(lookup.gather(entries(x), places).map_err(range)?),
            Tensor::Int(x) => self.int(lookup.gather(entries(x), places).map_err(range)?),
        }
    }

    /// The first operand added up at these places.
    fn scatter(&self, lookup: &Lookup, places: &[i64]) -> Result<Tensor<T>, RunFault> {
        let dy = self.tensor(0)?;
        if !lookup.fits(None, Some(dy.len()), places.len()) {
            return Err(self.misfit());
        }
        let range = |value| RunFault::OutOfRange { node: self.step.node, value, bound: lookup.rows };
        match dy {
            Tensor::Real(y) => self.real(lookup.dagger(entries(y), places, T::ZERO, add_real).map_err(range)?),
            Tensor::Int(y) => self.int(lookup.dagger(entries(y), places, 0, add_int).map_err(range)?),
            Tensor::Bool(y) => self.bool(lookup.dagger(entries(y), places, false, add_bit).map_err(range)?),
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

#[cfg(test)]
mod tests;

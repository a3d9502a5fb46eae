//! The reference interpreter: one node after the other.
//!
//! [`evaluate`] runs a diagram once; a [`Machine`] remembers what shapes decide and runs it many times, at any batch
//! sizes. Both check every tensor against its port.

use super::apply::{View, apply};
use super::fault::RunFault;
use super::float::Float;
use super::prepare::{Inlet, Kernel, Prepared, Step};
use super::tensor::{Tensor, describe};
use crate::diagram::Diagram;
use crate::object::Base;
use smallvec::SmallVec;

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
pub(super) fn check<T: Float>(inlet: &Inlet, input: &Tensor<T>, batch: usize) -> Result<(), RunFault> {
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

/// A step and the values it may read.
struct Reading<'v, T> {
    values: &'v [Option<Tensor<T>>],
    step: &'v Step<T>,
}

impl<'v, T: Float> Reading<'v, T> {
    fn misfit(&self) -> RunFault {
        RunFault::Misfit { node: self.step.node }
    }

    fn tensor(&self, k: usize) -> Result<&'v Tensor<T>, RunFault> {
        let slot = self.step.ins.get(k).and_then(|s| self.values.get(*s));
        slot.and_then(Option::as_ref).ok_or_else(|| self.misfit())
    }

    /// The value of a step with one output.
    fn apply(&self) -> Result<Tensor<T>, RunFault> {
        let step = self.step;
        match &step.kernel {
            Kernel::Value(value) => Ok(value.clone()),
            Kernel::Reshape => self.tensor(0)?.reshaped(&step.shape).ok_or_else(|| self.misfit()),
            kernel => {
                let view = |k: usize| self.tensor(k)?.entries().ok_or_else(|| self.misfit());
                let ins: SmallVec<[View<'_, T>; 4]> = (0..step.ins.len()).map(view).collect::<Result<_, _>>()?;
                let made = apply(kernel, step.node, &ins)?;
                Tensor::of(&step.shape, made).ok_or_else(|| self.misfit())
            }
        }
    }
}

#[cfg(test)]
mod tests;

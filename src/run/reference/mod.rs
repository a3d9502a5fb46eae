//! The reference interpreter: one node after the other.
//!
//! [`evaluate`] runs a diagram once; a [`Machine`] remembers what shapes decide and runs it many times, at any batch
//! sizes. Both check every tensor against its port.

use super::apply::{View, apply};
use super::fault::RunFault;
use super::float::Float;
use super::per_batch::PerBatch;
use super::prepare::{Kernel, Prepared, Step, admit};
use super::tensor::Tensor;
use crate::diagram::Diagram;
use smallvec::SmallVec;

/// Runs a diagram on one tensor a port at a batch size; one tensor an output.
///
/// # Errors
/// [`RunFault`] when a tensor does not fit its port, a label is out of range, a matrix is singular or a hole unfilled.
pub fn evaluate<T: Float>(d: &Diagram, inputs: &[Tensor<T>], batch: usize) -> Result<Vec<Tensor<T>>, RunFault> {
    Prepared::new(d, batch)?.run(inputs)
}

/// A diagram to be run many times.
#[derive(Clone, Debug)]
pub struct Machine<T> {
    diagram: Diagram,
    prepared: PerBatch<Prepared<T>>,
}

impl<T: Float> Machine<T> {
    /// A machine for a diagram.
    #[must_use]
    pub fn new(d: &Diagram) -> Machine<T> {
        Machine { diagram: d.clone(), prepared: PerBatch::default() }
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
        self.prepared.at(batch, || Prepared::new(&self.diagram, batch))?.run(inputs)
    }
}

impl<T: Float> Prepared<T> {
    pub(super) fn run(&self, inputs: &[Tensor<T>]) -> Result<Vec<Tensor<T>>, RunFault> {
        let mut values: Vec<Option<Tensor<T>>> = vec![None; self.slots];
        admit(&self.inlets, inputs, self.batch, |slot, tensor| {
            if let Some(value) = values.get_mut(slot) {
                *value = Some(tensor);
            }
        })?;
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

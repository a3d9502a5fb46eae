//! The compiled machine: the stages of a plan over buffers that stay.
//!
//! In: a diagram, then tensors for its ports at a batch size. Out: a tensor an output. A batch size is planned once
//! (`compile::Plan`); then chains of pointwise operations run block by block, products through a matrix kernel, and what
//! is left through the reference's own operations. Invariants: the same inputs give the same bits on one machine; the
//! reference machine is the oracle, equal bit for bit but for the order in which products are added up.

mod block;
mod chain;
mod matrix;
mod product;
mod store;

use super::apply::{View, apply};
use super::fault::RunFault;
use super::float::Float;
use super::per_batch::PerBatch;
use super::prepare::{Inlet, Kernel, Prepared, Tables, admit, fits, inlets, kernel};
use super::tensor::Tensor;
use crate::compile::{Plan, Stage};
use crate::diagram::{Diagram, Node, Wire};
use chain::Loops;
use product::Products;
use rustc_hash::FxHashSet;
use smallvec::SmallVec;
use std::sync::Arc;
use store::Store;

/// A diagram compiled for the batch sizes that it met.
#[derive(Clone, Debug)]
pub struct Compiled<T> {
    diagram: Diagram,
    ready: PerBatch<Ready<T>>,
}

impl<T: Float> Compiled<T> {
    /// A machine for a diagram.
    #[must_use]
    pub fn new(d: &Diagram) -> Compiled<T> {
        Compiled { diagram: d.clone(), ready: PerBatch::default() }
    }

    /// The diagram it runs.
    #[must_use]
    pub fn diagram(&self) -> &Diagram {
        &self.diagram
    }

    /// Runs the diagram on one tensor a port at a batch size; one tensor an output.
    ///
    /// # Errors
    /// Those of [`super::evaluate`].
    pub fn run(&mut self, inputs: &[Tensor<T>], batch: usize) -> Result<Vec<Tensor<T>>, RunFault> {
        self.ready.at(batch, || Ready::new(&self.diagram, batch))?.run(inputs)
    }
}

/// Something that runs.
#[derive(Clone, Debug)]
enum Running<T> {
    Single { node: u32, kernel: Kernel<T>, ins: SmallVec<[usize; 4]>, out: usize },
    Call { node: u32, name: Arc<str>, inner: Box<Prepared<T>>, ins: Vec<(usize, Vec<usize>)>, outs: Vec<usize> },
    Loops(Loops<T>),
    Products(Products<T>),
}

/// A stage with the slots that nobody reads after it.
#[derive(Clone, Debug)]
struct Staged<T> {
    running: Running<T>,
    /// Each with whether a loop or a product fills it: their buffers are used again, those of single operations are
    /// made anew in every run.
    dead: SmallVec<[(usize, bool); 4]>,
}

/// An output: its slot and shape.
#[derive(Clone, Debug)]
struct Outlet {
    slot: usize,
    shape: Vec<usize>,
    /// Whether the buffer may leave with it: it is made anew in every run, and no later output is the same.
    leaves: bool,
}

/// A diagram at one batch size.
#[derive(Clone, Debug)]
struct Ready<T> {
    batch: usize,
    inlets: Vec<Inlet>,
    stages: Vec<Staged<T>>,
    store: Store<T>,
    outlets: Vec<Outlet>,
}

impl<T: Float> Ready<T> {
    fn new(d: &Diagram, batch: usize) -> Result<Ready<T>, RunFault> {
        let plan = Plan::new(d, batch);
        let inlets = inlets(d, &d.cone(d.outs()), |w| plan.slot(*w));
        let mut store = Store::new(plan.slots());
        let mut tables = Tables::default();
        let mut stages = Vec::new();
        // What stays over runs, given or constant; and what loops and products fill.
        let mut lasting: FxHashSet<usize> = inlets.iter().filter_map(|i| i.slot).collect();
        let mut filled: FxHashSet<usize> = FxHashSet::default();
        let found = |node: u32| -> Result<&Node, RunFault> {
            let n = d.nodes().get(node as usize).ok_or(RunFault::Misfit { node })?;
            fits(node, n, batch).map(|()| n)
        };
        for stage in &plan.stages {
            match stage {
                Stage::Chain(chain) => {
                    chain.nodes.iter().try_for_each(|n| found(*n).map(|_| ()))?;
                    filled.extend(&chain.outs);
                    stages.push(Running::Loops(Loops::new(chain)));
                }
                Stage::Product(product) => {
                    found(product.node)?;
                    filled.insert(product.out);
                    stages.push(Running::Products(Products::new(product)));
                }
                Stage::Single(node) => {
                    let n = found(*node)?;
                    let leaves: SmallVec<[_; 4]> = n.ins.iter().map(|w| d.leaf(*w)).collect();
                    let slot = |port: usize| plan.slot(Wire { node: *node, port: u32::try_from(port).unwrap_or(0) });
                    match kernel(&n.op, &leaves, n.outs.first(), batch, *node, &mut tables)? {
                        Kernel::Value(value) => {
                            lasting.insert(slot(0));
                            store.give(slot(0), value.standard());
                        }
                        Kernel::Call(name, inner) => stages.push(Running::Call {
                            node: *node,
                            name,
                            inner,
                            ins: n.ins.iter().map(|w| (plan.slot(*w), d.leaf(*w).shape(batch))).collect(),
                            outs: (0..n.outs.len()).map(slot).collect(),
                        }),
                        kernel => stages.push(Running::Single {
                            node: *node,
                            kernel,
                            ins: n.ins.iter().map(|w| plan.slot(*w)).collect(),
                            out: slot(0),
                        }),
                    }
                }
            }
        }
        let slots: Vec<usize> = d.outs().iter().map(|w| plan.slot(*w)).collect();
        // From the last stage to the first: whoever reads a slot first is the last who does.
        let mut read: FxHashSet<usize> = slots.iter().chain(&lasting).copied().collect();
        let mut staged: Vec<Staged<T>> = Vec::with_capacity(stages.len());
        for running in stages.into_iter().rev() {
            let mut dead: SmallVec<[(usize, bool); 4]> = SmallVec::new();
            running.reads(|slot| {
                if read.insert(slot) {
                    dead.push((slot, filled.contains(&slot)));
                }
            });
            staged.push(Staged { running, dead });
        }
        staged.reverse();
        let outlets = (d.outs().iter().zip(&slots).enumerate())
            .map(|(k, (wire, slot))| Outlet {
                slot: *slot,
                shape: d.leaf(*wire).shape(batch),
                leaves: !lasting.contains(slot) && !slots.iter().skip(k + 1).any(|later| later == slot),
            })
            .collect();
        Ok(Ready { batch, inlets, stages: staged, store, outlets })
    }

    fn run(&mut self, inputs: &[Tensor<T>]) -> Result<Vec<Tensor<T>>, RunFault> {
        admit(&self.inlets, inputs, self.batch, |slot, tensor| self.store.give(slot, tensor))?;
        for stage in &mut self.stages {
            stage.running.run(&mut self.store)?;
            for (slot, filled) in &stage.dead {
                if *filled {
                    self.store.spare(*slot);
                } else {
                    self.store.free(*slot);
                }
            }
        }
        let mut outs = Vec::with_capacity(self.outlets.len());
        for outlet in &self.outlets {
            let misfit = RunFault::Misfit { node: 0 };
            let made = if outlet.leaves { self.store.take(outlet.slot) } else { self.store.copy(outlet.slot) };
            outs.push(made.and_then(|m| m.tensor(&outlet.shape)).ok_or(misfit)?);
        }
        for slot in self.inlets.iter().filter_map(|i| i.slot) {
            self.store.free(slot);
        }
        Ok(outs)
    }
}

impl<T: Float> Running<T> {
    /// The slots that it reads.
    fn reads(&self, mut each: impl FnMut(usize)) {
        match self {
            Running::Single { ins, .. } => ins.iter().copied().for_each(each),
            Running::Call { ins, .. } => ins.iter().for_each(|(slot, _)| each(*slot)),
            Running::Loops(loops) => loops.reads(each),
            Running::Products(products) => products.reads(each),
        }
    }

    fn run(&mut self, store: &mut Store<T>) -> Result<(), RunFault> {
        match self {
            Running::Loops(loops) => loops.run(store),
            Running::Products(products) => products.run(store),
            Running::Single { node, kernel, ins, out } => {
                let misfit = RunFault::Misfit { node: *node };
                let views = ins.iter().map(|s| store.view(*s)).collect::<Option<SmallVec<[View<'_, T>; 8]>>>();
                let made = apply(kernel, *node, &views.ok_or(misfit)?)?;
                store.put(*out, made);
                Ok(())
            }
            Running::Call { node, name, inner, ins, outs } => {
                let misfit = || RunFault::Misfit { node: *node };
                let mut given = Vec::with_capacity(ins.len());
                for (slot, shape) in ins.iter() {
                    given.push(store.copy(*slot).and_then(|m| m.tensor(shape)).ok_or_else(misfit)?);
                }
                let inside = |fault| RunFault::Inside { node: *node, name: name.to_string(), fault: Box::new(fault) };
                let made = inner.run(&given).map_err(inside)?;
                for (slot, value) in outs.iter().zip(made) {
                    store.give(*slot, value.standard());
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::diagram::{Builder, Function, Op, Role};
    use crate::object::Leaf;

    #[test]
    fn buffers_do_not_pile_up() {
        // a loop, a largest entry by itself, a loop, a product: more often, no more buffers
        let mut b = Builder::new();
        let x = b.port("x", Role::Input, Leaf::real(&[6, 4]));
        let y = b.map(Function::Exp, &[x]).unwrap();
        let z = b.op(Op::Max, &[y]).unwrap();
        let z = b.map(Function::Tanh, &[z]).unwrap();
        let p = b.einsum("ij,kj->ik", &[y, y], &[], 1.0).unwrap();
        let q = b.map(Function::Sin, &[p]).unwrap();
        let s = b.einsum("ij->i", &[q], &[], 1.0).unwrap();
        let d = b.finish(&[z, s]);
        let mut ready: Ready<f32> = Ready::new(&d, 1).unwrap();
        let given = [Tensor::from_f64(&Leaf::real(&[6, 4]), 1, &[0.25; 24]).unwrap()];
        let mut seen = Vec::new();
        for _ in 0..6 {
            ready.run(&given).unwrap();
            seen.push(ready.store.waiting());
        }
        assert!(seen.iter().skip(1).all(|n| *n == 3), "{seen:?}");
    }
}

//! A diagram at a batch size, prepared to be run many times: the cone of its outputs, last readers, loops and tables.
//!
//! Everything that the shapes alone decide is decided here, once; `reference` then only moves numbers.

use super::contraction::Contraction;
use super::fault::RunFault;
use super::float::Float;
use super::gather::{Lookup, Places};
use super::tensor::{Tensor, describe};
use crate::diagram::{AffineIndex, Comparison, Diagram, Function, LeadAxis, Logic, Node, Op, Port, Whole, Wire};
use crate::object::{Base, Dim, Leaf};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use std::sync::Arc;

/// More entries than a tensor may have.
const MOST_ENTRIES: usize = 1 << 32;

/// What a step does, with what its shapes decide.
#[derive(Clone, Debug)]
pub(super) enum Kernel<T> {
    /// A value that depends on the batch size alone.
    Value(Tensor<T>),
    Einsum(Contraction),
    Add,
    Map(Function),
    Whole(Whole),
    ToInt,
    Compare(Comparison),
    Logic(Logic),
    Select,
    Index(Arc<Places>),
    IndexDagger(Arc<Places>),
    Reshape,
    /// How often, and the entries of what is repeated.
    Repeat(usize, usize),
    /// Length of the axis summed, and the entries behind it.
    Sum(usize, usize),
    /// Blocks before the axis, and each operand's entries a block.
    Concat(usize, Vec<usize>),
    Gather(Lookup),
    GatherDagger(Lookup),
    /// With the number of address bits.
    Lookup(Lookup, usize),
    LookupDagger(Lookup, usize),
    Basis(usize),
    Rank(usize),
    Max(usize),
    ArgmaxOneHot(usize),
    Argmax(usize),
    OneHot(usize),
    Solve(usize),
    Call(Arc<str>, Box<Prepared<T>>),
}

/// One node of the cone.
#[derive(Clone, Debug)]
pub(super) struct Step<T> {
    pub(super) node: u32,
    pub(super) kernel: Kernel<T>,
    /// The slots it reads.
    pub(super) ins: SmallVec<[usize; 4]>,
    /// The slot of its first output.
    pub(super) out: usize,
    /// The shape of its first output.
    pub(super) shape: SmallVec<[usize; 4]>,
    /// Slots that nobody reads after it.
    pub(super) dead: SmallVec<[usize; 2]>,
}

/// A port to be filled.
#[derive(Clone, Debug)]
pub(super) struct Inlet {
    pub(super) node: u32,
    pub(super) path: Arc<str>,
    pub(super) leaf: Leaf,
    /// Its slot, if an output depends on it.
    pub(super) slot: Option<usize>,
}

/// A diagram prepared at a batch size.
#[derive(Clone, Debug)]
pub(super) struct Prepared<T> {
    pub(super) batch: usize,
    pub(super) inlets: Vec<Inlet>,
    pub(super) steps: Vec<Step<T>>,
    pub(super) outs: Vec<usize>,
    pub(super) slots: usize,
}

impl<T: Float> Prepared<T> {
    /// Prepares the cone of the outputs.
    pub(super) fn new(d: &Diagram, batch: usize) -> Result<Prepared<T>, RunFault> {
        let live = d.cone(d.outs());
        let mut first: Vec<usize> = Vec::with_capacity(d.nodes().len());
        let mut slots = 0;
        for (node, live) in d.nodes().iter().zip(&live) {
            first.push(slots);
            slots += if *live { node.outs.len() } else { 0 };
        }
        let slot = |w: &Wire| first.get(w.node as usize).map_or(usize::MAX, |s| s + w.port as usize);
        let mut tables = Tables::default();
        let mut steps: Vec<Step<T>> = Vec::new();
        for (at, node) in d.nodes().iter().enumerate() {
            if !live.get(at).is_some_and(|l| *l) || matches!(node.op, Op::Input(_)) {
                continue;
            }
            let at = at as u32;
            fits(at, node, batch)?;
            let ins: SmallVec<[&Leaf; 4]> = node.ins.iter().map(|w| d.leaf(*w)).collect();
            let kernel = kernel(&node.op, &ins, node.outs.first(), batch, at, &mut tables)?;
            let shape = node.outs.first().map(|l| l.shape(batch)).unwrap_or_default();
            steps.push(Step {
                node: at,
                kernel,
                ins: node.ins.iter().map(slot).collect(),
                out: slot(&Wire { node: at, port: 0 }),
                shape: shape.into_iter().collect(),
                dead: SmallVec::new(),
            });
        }
        let outs: Vec<usize> = d.outs().iter().map(slot).collect();
        let mut read = vec![false; slots];
        let mut reads = |slot: usize| read.get_mut(slot).is_some_and(|r| !std::mem::replace(r, true));
        outs.iter().for_each(|s| {
            reads(*s);
        });
        for step in steps.iter_mut().rev() {
            step.dead = step.ins.iter().copied().filter(|s| reads(*s)).collect();
        }
        let inlets = inlets(d, &live, slot);
        Ok(Prepared { batch, inlets, steps, outs, slots })
    }
}

/// Whether what a node makes has no more entries than a tensor may have.
pub(super) fn fits(at: u32, node: &Node, batch: usize) -> Result<(), RunFault> {
    match node.outs.iter().find(|leaf| leaf.size(batch) > MOST_ENTRIES) {
        Some(leaf) => Err(RunFault::TooLarge { node: at, leaf: describe(leaf, batch) }),
        None => Ok(()),
    }
}

/// The ports of a diagram; `slot` says where a wire's value is kept.
pub(super) fn inlets(d: &Diagram, live: &[bool], slot: impl Fn(&Wire) -> usize) -> Vec<Inlet> {
    let of = |(k, port): (usize, &Port)| {
        let wire = d.port_wire(k);
        let used = live.get(wire.node as usize).is_some_and(|l| *l);
        Inlet { node: wire.node, path: port.path.clone(), leaf: port.leaf.clone(), slot: used.then(|| slot(&wire)) }
    };
    d.ports().iter().enumerate().map(of).collect()
}

/// Gives the tensors of a run to the slots of its ports, each held against its port.
pub(super) fn admit<T: Float>(
    inlets: &[Inlet],
    inputs: &[Tensor<T>],
    batch: usize,
    mut give: impl FnMut(usize, Tensor<T>),
) -> Result<(), RunFault> {
    if inputs.len() != inlets.len() {
        return Err(RunFault::Ports { needs: inlets.len(), given: inputs.len() });
    }
    for (inlet, input) in inlets.iter().zip(inputs) {
        check(inlet, input, batch)?;
        if let Some(slot) = inlet.slot {
            give(slot, input.standard());
        }
    }
    Ok(())
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

/// Index tables made so far: a map and its dagger share one.
#[derive(Default)]
pub(super) struct Tables(FxHashMap<Arc<AffineIndex>, Arc<Places>>);

impl Tables {
    fn of(&mut self, map: &Arc<AffineIndex>, node: u32) -> Result<Arc<Places>, RunFault> {
        if let Some(places) = self.0.get(map) {
            return Ok(places.clone());
        }
        let made = Places::new(map)
            .ok_or_else(|| RunFault::TooLarge { node, leaf: format!("an index map to {:?}", map.to.as_slice()) })?;
        let places = Arc::new(made);
        self.0.insert(map.clone(), places.clone());
        Ok(places)
    }
}

pub(super) fn kernel<T: Float>(
    op: &Op,
    ins: &[&Leaf],
    out: Option<&Leaf>,
    batch: usize,
    node: u32,
    tables: &mut Tables,
) -> Result<Kernel<T>, RunFault> {
    let misfit = || RunFault::Misfit { node };
    let shape = |k: usize| ins.get(k).map(|l| l.shape(batch)).ok_or_else(misfit);
    let last = |k: usize| shape(k)?.last().copied().ok_or_else(misfit);
    let some = |n: usize| if n > 0 { Ok(n) } else { Err(misfit()) };
    Ok(match op {
        Op::Input(_) => return Err(misfit()),
        Op::Const(value) => Kernel::Value(Tensor::literal(value)?),
        Op::Extent(dim) => Kernel::Value(Tensor::number(dim.at(batch) as f64)),
        Op::Einsum(spec) => {
            let sizes: Vec<usize> = spec.sizes(ins).map_err(|_| misfit())?.iter().map(|d| d.at(batch)).collect();
            let plan = Contraction::plan(spec, &sizes);
            if ins.is_empty() {
                let shape = out.ok_or_else(misfit)?.shape(batch);
                Kernel::Value(Tensor::real(&shape, plan.run(&[])).ok_or_else(misfit)?)
            } else {
                Kernel::Einsum(plan)
            }
        }
        Op::Add => Kernel::Add,
        Op::Map(f) => Kernel::Map(*f),
        Op::Whole(f) => Kernel::Whole(*f),
        Op::ToInt => Kernel::ToInt,
        Op::Compare(c) => Kernel::Compare(*c),
        Op::Logic(l) => Kernel::Logic(*l),
        Op::Select => Kernel::Select,
        Op::Index(map) => Kernel::Index(tables.of(map, node)?),
        Op::IndexDagger(map) => Kernel::IndexDagger(tables.of(map, node)?),
        Op::Reshape { .. } => Kernel::Reshape,
        Op::Repeat { axis, core } => {
            let x = shape(0)?;
            let split = x.len().checked_sub(usize::from(*core)).ok_or_else(misfit)?;
            Kernel::Repeat(axis.at(batch), x.iter().skip(split).product())
        }
        Op::Sum { core } => {
            let x = shape(0)?;
            let axis = x.len().checked_sub(usize::from(*core) + 1).ok_or_else(misfit)?;
            let n = x.get(axis).copied().ok_or_else(misfit)?;
            Kernel::Sum(n, x.iter().skip(axis + 1).product())
        }
        Op::Concat { core } => {
            let first = shape(0)?;
            let axis = first.len().checked_sub(usize::from(*core)).ok_or_else(misfit)?;
            let parts = (0..ins.len()).map(|k| Ok(shape(k)?.iter().skip(axis).product())).collect::<Result<_, _>>()?;
            Kernel::Concat(first.iter().take(axis).product(), parts)
        }
        Op::Gather { lead } => Kernel::Gather(lookup(lead, &shape(0)?, &shape(1)?).ok_or_else(misfit)?),
        Op::GatherDagger { lead, rows } => {
            Kernel::GatherDagger(lookup_of_dagger(lead, *rows, &shape(0)?, &shape(1)?, batch).ok_or_else(misfit)?)
        }
        Op::Lookup { lead } => {
            let (table, address) = (shape(0)?, shape(1)?);
            let front = address.get(..address.len().saturating_sub(1)).ok_or_else(misfit)?;
            Kernel::Lookup(lookup(lead, &table, front).ok_or_else(misfit)?, last(1)?)
        }
        Op::LookupDagger { lead } => {
            let (dy, address) = (shape(0)?, shape(1)?);
            let front = address.get(..address.len().saturating_sub(1)).ok_or_else(misfit)?;
            let rows = Dim::lit(1 << last(1)?.min(63));
            let over = dy.get(..dy.len().saturating_sub(1)).ok_or_else(misfit)?;
            Kernel::LookupDagger(lookup_of_dagger(lead, rows, over, front, batch).ok_or_else(misfit)?, last(1)?)
        }
        Op::Basis => Kernel::Basis(last(0)?),
        Op::Rank => Kernel::Rank(some(last(0)?)?),
        Op::Max => Kernel::Max(some(last(0)?)?),
        Op::ArgmaxOneHot => Kernel::ArgmaxOneHot(some(last(0)?)?),
        Op::Argmax => Kernel::Argmax(some(last(0)?)?),
        Op::OneHot => Kernel::OneHot(out.and_then(|l| l.shape(batch).last().copied()).ok_or_else(misfit)?),
        Op::Solve => Kernel::Solve(last(1)?),
        Op::Call(prim) => {
            let inside = |fault| RunFault::Inside { node, name: prim.name.to_string(), fault: Box::new(fault) };
            Kernel::Call(prim.name.clone(), Box::new(Prepared::new(&prim.fwd, batch).map_err(inside)?))
        }
        Op::Request { .. } => return Err(RunFault::Request { node }),
    })
}

fn lookup(lead: &[LeadAxis], table: &[usize], index: &[usize]) -> Option<Lookup> {
    let (mut t, mut i) = (table.iter(), index.iter());
    let mut sizes = Vec::with_capacity(lead.len());
    for axis in lead {
        let of_table = if axis.table { Some(*t.next()?) } else { None };
        let of_index = if axis.index { Some(*i.next()?) } else { None };
        sizes.push(of_table.or(of_index)?);
    }
    let rows = *t.next()?;
    Some(Lookup::new(lead, &sizes, i.product(), rows, t.product()))
}

fn lookup_of_dagger(lead: &[LeadAxis], rows: Dim, dy: &[usize], index: &[usize], batch: usize) -> Option<Lookup> {
    let of_index = index.get(lead.iter().filter(|l| l.index).count()..)?;
    let tail = dy.get(lead.len() + of_index.len()..)?;
    Some(Lookup::new(lead, dy.get(..lead.len())?, of_index.iter().product(), rows.at(batch), tail.iter().product()))
}

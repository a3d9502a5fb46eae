//! What the shapes of a diagram decide at a batch size: which operations run as one, and in which order.
//!
//! In: a diagram without primitives to open, a batch size. Out: a [`Plan`]: values in numbered slots and stages that
//! fill them. Pointwise operations over as many entries become [`Chain`]s, products of two operands [`Product`]s, what
//! only renames places is the same slot; the rest are operations by themselves. Invariants: a stage reads what earlier
//! stages filled; every function of a chain is the operation's own, in its order, so that fusing changes no bit.

mod access;
mod chain;
mod letters;
mod level;
mod product;

pub use access::Access;
pub use chain::{Bit, Chain, Code, Fill, Instruction, Source};
pub use product::{Axis, Loop, Product};

use crate::diagram::{Diagram, Op, Wire};
use crate::object::Base;
use access::Shapes;
use level::levels;

/// Something that fills slots.
#[derive(Clone, Debug)]
pub enum Stage {
    /// An operation by itself: its node.
    Single(u32),
    /// Pointwise operations in one loop.
    Chain(Chain),
    /// A product of two operands summed over letters.
    Product(Product),
}

/// A diagram at a batch size as stages over slots.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The stages in order.
    pub stages: Vec<Stage>,
    /// The first slot of every node.
    first: Vec<usize>,
    /// The slot that holds each slot's value.
    home: Vec<usize>,
}

impl Plan {
    /// Plans the cone of a diagram's outputs at a batch size.
    #[must_use]
    pub fn new(d: &Diagram, batch: usize) -> Plan {
        let live = d.cone(d.outs());
        let shapes = Shapes::new(d, batch, &live);
        let mut first = Vec::with_capacity(d.nodes().len());
        let mut slots = 0;
        for node in d.nodes() {
            first.push(slots);
            slots += node.outs.len();
        }
        let mut plan = Plan { stages: Vec::new(), first, home: (0..slots).collect() };
        for (at, node) in d.nodes().iter().enumerate() {
            let wire = Wire { node: u32::try_from(at).unwrap_or(u32::MAX), port: 0 };
            let (from, to) = (plan.place(shapes.root(wire)), plan.place(wire));
            if let Some(home) = plan.home.get_mut(to).filter(|_| !node.outs.is_empty()) {
                *home = from;
            }
        }
        for group in levels(d, &shapes, &live) {
            let stage = match group.as_slice() {
                [node] if !shapes.is_pointwise(*node) => match Product::of(d, *node, batch, |w| plan.slot(w)) {
                    Some(product) => Stage::Product(product),
                    None => Stage::Single(*node),
                },
                nodes => Stage::Chain(Chain::of(d, &shapes, nodes, |w| plan.place(w))),
            };
            plan.stages.push(stage);
        }
        plan
    }

    fn place(&self, wire: Wire) -> usize {
        self.first.get(wire.node as usize).map_or(usize::MAX, |s| s + wire.port as usize)
    }

    /// The slot that holds a wire's value.
    #[must_use]
    pub fn slot(&self, wire: Wire) -> usize {
        self.home.get(self.place(wire)).copied().unwrap_or(usize::MAX)
    }

    /// How many slots there are.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.home.len()
    }
}

/// Whether a wire carries reals: what a chain computes.
fn is_real(d: &Diagram, wire: Wire) -> bool {
    d.leaf(wire).base == Base::Real
}

/// Whether a node is a port.
fn is_port(d: &Diagram, node: u32) -> bool {
    d.nodes().get(node as usize).is_some_and(|n| matches!(n.op, Op::Input(_)))
}

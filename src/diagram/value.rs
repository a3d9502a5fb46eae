//! A diagram as a value: ports, nodes in topological order, output wires, and where each node came from.

use super::op::Op;
use crate::object::Leaf;
use crate::source::Span;
use smallvec::SmallVec;
use std::sync::Arc;

/// One output of one node.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Wire {
    /// The node's place in the arena.
    pub node: u32,
    /// Which of its outputs.
    pub port: u32,
}

/// An operation applied to wires.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    /// What it does.
    pub op: Op,
    /// What it reads, all made before it.
    pub ins: SmallVec<[Wire; 4]>,
    /// The types of its outputs.
    pub outs: SmallVec<[Leaf; 1]>,
}

/// What a port is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Role {
    /// A parameter.
    Param,
    /// An input of the model.
    Input,
    /// A label.
    Target,
    /// A state of an update rule.
    State,
    /// Drawn anew for each example and step.
    Noise,
    /// A request that comes in from the right.
    Cotangent,
    /// The number of updates made so far, `R[1]`.
    Clock,
    /// Noise of the update rule: drawn anew for each step, once for all examples.
    RuleNoise,
}

/// An ordered, named, typed input of a diagram.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Port {
    /// The leaf's path: `mlp.0.W`, `x`.
    pub path: Arc<str>,
    /// What it is for.
    pub role: Role,
    /// Its type.
    pub leaf: Leaf,
}

/// Where a node came from.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Origin {
    /// The lines that made it.
    pub span: Span,
    /// The box it is in: `mlp.0`.
    pub path: Arc<str>,
}

/// A place in a diagram's table of origins.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct OriginId(pub u32);

/// A typed string diagram: ordered ports in, ordered wires out.
#[derive(Clone, Debug, Default)]
pub struct Diagram {
    pub(super) nodes: Vec<Node>,
    pub(super) ports: Vec<Port>,
    pub(super) port_nodes: Vec<u32>,
    pub(super) outs: Vec<Wire>,
    pub(super) origins: Vec<SmallVec<[OriginId; 2]>>,
    pub(super) origin_table: Vec<Origin>,
}

impl Diagram {
    /// Its nodes in topological order.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node that makes a wire.
    #[must_use]
    pub fn node(&self, wire: Wire) -> &Node {
        &self.nodes[wire.node as usize]
    }

    /// Its ports in order.
    #[must_use]
    pub fn ports(&self) -> &[Port] {
        &self.ports
    }

    /// The wire of a port.
    #[must_use]
    pub fn port_wire(&self, port: usize) -> Wire {
        Wire { node: self.port_nodes[port], port: 0 }
    }

    /// The places of the ports of a role, in order.
    #[must_use]
    pub fn ports_of(&self, role: Role) -> Vec<usize> {
        (0..self.ports.len()).filter(|i| self.ports[*i].role == role).collect()
    }

    /// Its output wires in order.
    #[must_use]
    pub fn outs(&self) -> &[Wire] {
        &self.outs
    }

    /// The type of a wire.
    #[must_use]
    pub fn leaf(&self, wire: Wire) -> &Leaf {
        &self.nodes[wire.node as usize].outs[wire.port as usize]
    }

    /// The types of its outputs.
    #[must_use]
    pub fn out_leaves(&self) -> Vec<Leaf> {
        self.outs.iter().map(|w| self.leaf(*w).clone()).collect()
    }

    /// Where a node came from: the first few places.
    pub fn origins(&self, node: u32) -> impl Iterator<Item = &Origin> {
        self.origins.get(node as usize).into_iter().flatten().filter_map(|id| self.origin_table.get(id.0 as usize))
    }

    /// Marks the nodes that the given wires depend on.
    #[must_use]
    pub fn cone(&self, wires: &[Wire]) -> Vec<bool> {
        super::builder::cone(&self.nodes, wires)
    }

    /// How many nodes its outputs depend on, ports and constants not counted.
    #[must_use]
    pub fn work(&self) -> usize {
        let live = self.cone(&self.outs);
        let counts = |n: &Node| !matches!(n.op, Op::Input(_) | Op::Const(_) | Op::Extent(_));
        self.nodes.iter().zip(&live).filter(|(n, l)| **l && counts(n)).count()
    }
}

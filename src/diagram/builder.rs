//! The only way to make nodes: types them, shares equal ones, remembers where they came from.
//!
//! ```
//! use catlearn::diagram::{Builder, Function, Op, Port, Role};
//! use catlearn::object::Leaf;
//! let mut b = Builder::new();
//! let x = b.port("x", Role::Input, Leaf::real(&[3]));
//! let y = b.map(Function::Exp, &[x])?;
//! assert_eq!(y, b.map(Function::Exp, &[x])?); // the same node
//! let d = b.finish(&[y]);
//! assert_eq!(d.work(), 1);
//! # Ok::<(), catlearn::diagram::TypeFault>(())
//! ```

use super::op::Op;
use super::typing::{TypeFault, type_of};
use super::value::{Diagram, Node, Origin, OriginId, Port, Role, Wire};
use crate::object::Leaf;
use hashbrown::HashTable;
use rustc_hash::FxHasher;
use smallvec::SmallVec;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// How many origins a node keeps.
const ORIGINS_KEPT: usize = 4;

/// Makes the nodes of one diagram.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    d: Diagram,
    cons: HashTable<u32>,
    origin: Option<OriginId>,
}

fn key(op: &Op, ins: &[Wire]) -> u64 {
    let mut hasher = FxHasher::default();
    op.hash(&mut hasher);
    ins.hash(&mut hasher);
    hasher.finish()
}

/// Marks the nodes that the given wires depend on, in one backward sweep.
pub(super) fn cone(nodes: &[Node], wires: &[Wire]) -> Vec<bool> {
    let mut live = vec![false; nodes.len()];
    let mut top = 0;
    for w in wires {
        live[w.node as usize] = true;
        top = top.max(w.node as usize + 1);
    }
    for at in (0..top).rev() {
        if live[at] {
            for w in &nodes[at].ins {
                live[w.node as usize] = true;
            }
        }
    }
    live
}

impl Builder {
    /// A builder without ports or nodes.
    #[must_use]
    pub fn new() -> Builder {
        Builder::default()
    }

    /// A builder that goes on from a diagram; its outputs are given back as wires.
    #[must_use]
    pub fn resume(d: Diagram) -> (Builder, Vec<Wire>) {
        let mut cons = HashTable::with_capacity(d.nodes.len());
        for (at, node) in d.nodes.iter().enumerate() {
            if let (false, Ok(at)) = (matches!(node.op, Op::Input(_)), u32::try_from(at)) {
                let hash = key(&node.op, &node.ins);
                cons.insert_unique(hash, at, |n| {
                    let node = &d.nodes[*n as usize];
                    key(&node.op, &node.ins)
                });
            }
        }
        let outs = d.outs.clone();
        (Builder { d, cons, origin: None }, outs)
    }

    /// Adds a port at the end of the domain.
    pub fn port(&mut self, path: impl Into<Arc<str>>, role: Role, leaf: Leaf) -> Wire {
        let port = self.d.ports.len() as u32;
        let node = self.d.nodes.len() as u32;
        self.d.ports.push(Port { path: path.into(), role, leaf: leaf.clone() });
        self.d.port_nodes.push(node);
        self.d.nodes.push(Node { op: Op::Input(port), ins: SmallVec::new(), outs: SmallVec::from_iter([leaf]) });
        self.d.origins.push(self.origin.into_iter().collect());
        Wire { node, port: 0 }
    }

    /// A bound wire: no port stands behind it and no other node equals it. What is built from it means something once
    /// it is taken over rows ([`Builder::over_rows`]); no output may depend on it.
    pub fn variable(&mut self, leaf: Leaf) -> Wire {
        let node = self.d.nodes.len() as u32;
        self.d.nodes.push(Node { op: Op::Input(u32::MAX), ins: SmallVec::new(), outs: SmallVec::from_iter([leaf]) });
        self.d.origins.push(self.origin.into_iter().collect());
        Wire { node, port: 0 }
    }

    /// Says where the nodes made from now on come from.
    pub fn at(&mut self, origin: Origin) {
        if let Some(id) = self.origin
            && self.d.origin_table.get(id.0 as usize) == Some(&origin)
        {
            return;
        }
        self.origin = Some(OriginId(self.d.origin_table.len() as u32));
        self.d.origin_table.push(origin);
    }

    /// The origin in force, to be restored with [`Builder::set_origin`].
    #[must_use]
    pub fn origin(&self) -> Option<OriginId> {
        self.origin
    }

    /// Restores an origin.
    pub fn set_origin(&mut self, origin: Option<OriginId>) {
        self.origin = origin;
    }

    /// Uses the first origin of an existing node for what is made from now on.
    pub fn at_node(&mut self, node: u32) {
        self.origin = self.d.origins[node as usize].first().copied();
    }

    /// Applies an operation; equal nodes are shared and identities are left out.
    ///
    /// # Errors
    /// [`TypeFault`] when the wires do not fit the operation.
    pub fn node(&mut self, op: Op, ins: &[Wire]) -> Result<u32, TypeFault> {
        for w in ins {
            let known = self.d.nodes.get(w.node as usize).is_some_and(|n| (w.port as usize) < n.outs.len());
            if !known {
                return Err(TypeFault::Foreign);
            }
        }
        let mut ins: SmallVec<[Wire; 4]> = ins.iter().copied().collect();
        if op.is_addition() {
            ins.sort_unstable();
        }
        let hash = key(&op, &ins);
        let nodes = &self.d.nodes;
        let found = self.cons.find(hash, |n| {
            let node = &nodes[*n as usize];
            node.op == op && node.ins == ins
        });
        if let Some(at) = found {
            let at = *at;
            let origins = &mut self.d.origins[at as usize];
            if let Some(id) = self.origin
                && origins.len() < ORIGINS_KEPT
                && !origins.contains(&id)
            {
                origins.push(id);
            }
            return Ok(at);
        }
        let outs = {
            let leaves: SmallVec<[&Leaf; 4]> = ins.iter().map(|w| self.d.leaf(*w)).collect();
            type_of(&op, &leaves)?
        };
        let at = self.d.nodes.len() as u32;
        self.d.nodes.push(Node { op, ins, outs });
        self.d.origins.push(self.origin.into_iter().collect());
        let nodes = &self.d.nodes;
        self.cons.insert_unique(hash, at, |n| {
            let node = &nodes[*n as usize];
            key(&node.op, &node.ins)
        });
        Ok(at)
    }

    /// Applies an operation with one output.
    ///
    /// # Errors
    /// [`TypeFault`] when the wires do not fit the operation.
    pub fn op(&mut self, op: Op, ins: &[Wire]) -> Result<Wire, TypeFault> {
        if let ([only], true) = (ins, is_identity(&op)) {
            let leaf = self.leaf_checked(*only)?.clone();
            if type_of(&op, &[&leaf])?.first() == Some(&leaf) {
                return Ok(*only);
            }
        }
        Ok(Wire { node: self.node(op, ins)?, port: 0 })
    }

    /// The type of a wire of this builder.
    ///
    /// # Panics
    /// When the wire is not of this builder.
    #[must_use]
    pub fn leaf(&self, wire: Wire) -> &Leaf {
        self.d.leaf(wire)
    }

    pub(super) fn leaf_checked(&self, wire: Wire) -> Result<&Leaf, TypeFault> {
        let node = self.d.nodes.get(wire.node as usize).ok_or(TypeFault::Foreign)?;
        node.outs.get(wire.port as usize).ok_or(TypeFault::Foreign)
    }

    /// What has been built so far, with no outputs.
    #[must_use]
    pub fn diagram(&self) -> &Diagram {
        &self.d
    }

    /// How many nodes there are, ports included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.d.nodes.len()
    }

    /// Whether there are no nodes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.d.nodes.is_empty()
    }

    /// Ends the diagram with these outputs; nodes that no output depends on are dropped, ports are all kept.
    #[must_use]
    pub fn finish(mut self, outs: &[Wire]) -> Diagram {
        self.d.outs = outs.to_vec();
        self.d.trimmed()
    }

    /// Copies a diagram onto argument wires, one a port, and gives back its outputs.
    ///
    /// # Errors
    /// [`TypeFault`] when the arguments are not of the ports' types.
    pub fn append(&mut self, d: &Diagram, args: &[Wire]) -> Result<Vec<Wire>, TypeFault> {
        if args.len() != d.ports.len() {
            return Err(TypeFault::Arity { needs: d.ports.len(), given: args.len() });
        }
        let args: Vec<Option<Wire>> = args.iter().copied().map(Some).collect();
        self.append_some(d, &args, &d.outs)
    }

    /// Copies what some wires of a diagram depend on onto argument wires; ports that they do not depend on may be
    /// left out.
    ///
    /// # Errors
    /// [`TypeFault`] when an argument is missing or not of its port's type.
    pub fn append_some(&mut self, d: &Diagram, args: &[Option<Wire>], outs: &[Wire]) -> Result<Vec<Wire>, TypeFault> {
        let mut copy = Copying::new(d);
        for (port, arg) in args.iter().enumerate().take(d.ports.len()) {
            if let Some(arg) = arg {
                let (needs, given) = (&d.ports[port].leaf, self.leaf_checked(*arg)?);
                if needs != given {
                    return Err(TypeFault::Mismatch { left: needs.clone(), right: given.clone() });
                }
                copy.set(d.port_wire(port), *arg);
            }
        }
        copy.outs(self, outs)
    }
}

/// A copy of parts of a diagram into a builder, made piece by piece: what was copied or set is not copied again.
#[derive(Debug)]
pub struct Copying<'d> {
    d: &'d Diagram,
    at: Vec<SmallVec<[Option<Wire>; 1]>>,
    origins: Vec<Option<OriginId>>,
    holes: bool,
}

impl<'d> Copying<'d> {
    /// Nothing copied yet.
    #[must_use]
    pub fn new(d: &'d Diagram) -> Copying<'d> {
        let at = d.nodes.iter().map(|n| SmallVec::from_elem(None, n.outs.len())).collect();
        Copying { d, at, origins: vec![None; d.origin_table.len()], holes: false }
    }

    /// Requests of an update rule are copied as they are, instead of being an error.
    #[must_use]
    pub fn keeping_holes(self) -> Copying<'d> {
        Copying { holes: true, ..self }
    }

    /// Says what stands for a wire of the diagram.
    pub fn set(&mut self, wire: Wire, by: Wire) {
        self.at[wire.node as usize][wire.port as usize] = Some(by);
    }

    /// What stands for a wire, if it was copied or set.
    #[must_use]
    pub fn get(&self, wire: Wire) -> Option<Wire> {
        self.at[wire.node as usize][wire.port as usize]
    }

    /// Copies what the wires depend on and gives back what stands for them.
    ///
    /// # Errors
    /// [`TypeFault::Foreign`] when they depend on a port or hole that nothing stands for.
    pub fn outs(&mut self, b: &mut Builder, outs: &[Wire]) -> Result<Vec<Wire>, TypeFault> {
        let known = |at: &[SmallVec<[Option<Wire>; 1]>], w: &Wire| at[w.node as usize][w.port as usize].is_some();
        let mut need = vec![false; self.d.nodes.len()];
        let mut top = 0;
        for w in outs.iter().filter(|w| !known(&self.at, w)) {
            need[w.node as usize] = true;
            top = top.max(w.node as usize + 1);
        }
        for at in (0..top).rev() {
            if need[at] {
                for w in self.d.nodes[at].ins.iter().filter(|w| !known(&self.at, w)) {
                    need[w.node as usize] = true;
                }
            }
        }
        for at in (0..top).filter(|at| need[*at]) {
            self.node(b, at as u32)?;
        }
        outs.iter().map(|w| self.get(*w).ok_or(TypeFault::Foreign)).collect()
    }

    /// Copies one node; what it reads has been copied or set.
    ///
    /// # Errors
    /// [`TypeFault::Foreign`] for a port or hole, and when what it reads is missing.
    pub fn node(&mut self, b: &mut Builder, node: u32) -> Result<(), TypeFault> {
        let at = node as usize;
        let node = &self.d.nodes[at];
        if matches!(node.op, Op::Input(_)) || (matches!(node.op, Op::Request { .. }) && !self.holes) {
            return Err(TypeFault::Foreign);
        }
        let ins: SmallVec<[Wire; 4]> =
            node.ins.iter().map(|w| self.get(*w).ok_or(TypeFault::Foreign)).collect::<Result<_, _>>()?;
        let before = b.origin;
        if let Some(id) = self.d.origins[at].first() {
            b.origin = Some(self.origin(b, *id));
        }
        if node.outs.len() == 1 {
            self.at[at][0] = Some(b.op(node.op.clone(), &ins)?);
        } else {
            let made = b.node(node.op.clone(), &ins)?;
            for (port, slot) in self.at[at].iter_mut().enumerate() {
                slot.get_or_insert(Wire { node: made, port: port as u32 });
            }
        }
        b.origin = before;
        Ok(())
    }

    /// The origin in the builder that stands for one of the diagram.
    pub(super) fn origin(&mut self, b: &mut Builder, id: OriginId) -> OriginId {
        let (slot, table) = (&mut self.origins[id.0 as usize], &mut b.d.origin_table);
        *slot.get_or_insert_with(|| {
            table.push(self.d.origin_table[id.0 as usize].clone());
            OriginId(table.len() as u32 - 1)
        })
    }
}

/// Whether an operation with one operand changes nothing when operand and result have the same type.
fn is_identity(op: &Op) -> bool {
    match op {
        Op::Einsum(spec) => spec.is_identity(),
        Op::Index(map) | Op::IndexDagger(map) => map.is_identity(),
        Op::Reshape { from, to } => from == to,
        Op::Concat { .. } => true,
        _ => false,
    }
}

impl Diagram {
    /// The same diagram without nodes that no output depends on; ports are all kept.
    #[must_use]
    pub fn trimmed(self) -> Diagram {
        let mut live = cone(&self.nodes, &self.outs);
        for node in &self.port_nodes {
            live[*node as usize] = true;
        }
        if live.iter().all(|l| *l) {
            return self;
        }
        let mut moved = vec![0_u32; self.nodes.len()];
        let mut d = Diagram { ports: self.ports, origin_table: self.origin_table, ..Diagram::default() };
        let shift = |moved: &[u32], w: &Wire| Wire { node: moved[w.node as usize], port: w.port };
        for (at, (node, origins)) in self.nodes.into_iter().zip(self.origins).enumerate() {
            if live[at] {
                moved[at] = d.nodes.len() as u32;
                let ins = node.ins.iter().map(|w| shift(&moved, w)).collect();
                d.nodes.push(Node { ins, ..node });
                d.origins.push(origins);
            }
        }
        d.port_nodes = self.port_nodes.iter().map(|n| moved[*n as usize]).collect();
        d.outs = self.outs.iter().map(|w| shift(&moved, w)).collect();
        d
    }
}

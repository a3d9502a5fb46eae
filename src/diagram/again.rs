//! A stretch of a diagram under construction, made again from other wires.
//!
//! In: the nodes that were made from some wires, and wires of the same types to stand for those. Out: what elaborating
//! once more would make, node by node in the same order. That holds where the stretch is *generic*: it reads nothing from
//! outside but the wires it was made from and constants, and none of its operations was found to be a node made before.

use super::builder::Builder;
use super::op::Op;
use super::typing::TypeFault;
use super::value::{Origin, OriginId, Role, Wire};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use std::ops::Range;
use std::sync::Arc;

/// The nodes of a builder that were made from some wires, one after the other.
#[derive(Clone, Debug)]
pub struct Stretch {
    from: Vec<Wire>,
    nodes: Range<u32>,
    origins: Range<u32>,
    before: Option<OriginId>,
    /// The oldest node met again before the stretch began, kept while it lasts.
    met_outside: u32,
    generic: bool,
}

impl Stretch {
    /// A stretch that begins with the next node.
    #[must_use]
    pub fn begin(b: &mut Builder, from: &[Wire]) -> Stretch {
        let (node, origin) = (b.len() as u32, b.d.origin_table.len() as u32);
        let met_outside = std::mem::replace(&mut b.met, u32::MAX);
        let distinct = from.iter().enumerate().all(|(i, w)| !from.iter().take(i).any(|v| v == w));
        let generic = distinct && from.iter().all(|w| !b.closed[w.node as usize]);
        let (nodes, origins) = (node..node, origin..origin);
        Stretch { from: from.to_vec(), nodes, origins, before: b.origin(), met_outside, generic }
    }

    /// Ends it with the node made last.
    pub fn end(&mut self, b: &mut Builder) {
        self.nodes.end = b.len() as u32;
        self.origins.end = b.d.origin_table.len() as u32;
        self.generic &= b.met >= self.nodes.start;
        b.met = b.met.min(self.met_outside);
    }

    /// The wires that it was made from.
    #[must_use]
    pub fn from(&self) -> &[Wire] {
        &self.from
    }

    /// Its nodes.
    #[must_use]
    pub fn nodes(&self) -> Range<u32> {
        self.nodes.clone()
    }

    /// Whether it can be made again with `outs` for its outputs.
    #[must_use]
    pub fn is_generic(&self, b: &Builder, outs: &[Wire]) -> bool {
        let known = |w: &Wire| self.nodes.contains(&w.node) || self.from.contains(w) || b.closed[w.node as usize];
        let port = |at: u32| b.d.ports.get(at as usize).is_some_and(|p| p.role == Role::Param);
        self.generic
            && outs.iter().all(known)
            && b.d.nodes[self.nodes.start as usize..self.nodes.end as usize].iter().all(|n| match n.op {
                Op::Input(at) => port(at),
                Op::Request { .. } => false,
                _ => n.ins.iter().all(known),
            })
    }
}

/// The path of a box made again, from that of the box it was made from.
pub type Renamed<'a> = &'a dyn Fn(&str) -> Arc<str>;

/// A stretch being made again.
#[derive(Debug)]
pub struct Again<'s> {
    stretch: &'s Stretch,
    to: &'s [Wire],
    made: Vec<u32>,
    origins: FxHashMap<OriginId, OriginId>,
    now: Option<OriginId>,
}

impl<'s> Again<'s> {
    /// Nothing made yet; `to` stands for the wires that the stretch was made from.
    #[must_use]
    pub fn new(b: &Builder, stretch: &'s Stretch, to: &'s [Wire]) -> Again<'s> {
        Again {
            stretch,
            to,
            made: Vec::with_capacity(stretch.nodes.len()),
            origins: FxHashMap::default(),
            now: b.origin(),
        }
    }

    /// What stands for a wire of the stretch.
    #[must_use]
    pub fn wire(&self, w: Wire) -> Wire {
        if let Some(made) = w.node.checked_sub(self.stretch.nodes.start).and_then(|i| self.made.get(i as usize)) {
            return Wire { node: *made, port: w.port };
        }
        let from = self.stretch.from.iter().position(|f| *f == w);
        from.and_then(|i| self.to.get(i)).copied().unwrap_or(w)
    }

    /// Says what stands for the next node, a port.
    pub fn port(&mut self, by: Wire) {
        self.made.push(by.node);
    }

    /// Makes the next node; `path` gives the path of its origin from the old one, where that differs.
    ///
    /// # Errors
    /// [`TypeFault`] when the wires are not of the types of those that they stand for.
    pub fn node(&mut self, b: &mut Builder, path: Option<Renamed<'_>>) -> Result<(), TypeFault> {
        let at = self.stretch.nodes.start as usize + self.made.len();
        let op = b.d.nodes[at].op.clone();
        let ins: SmallVec<[Wire; 4]> = b.d.nodes[at].ins.iter().map(|w| self.wire(*w)).collect();
        let own = |id: &OriginId| self.stretch.origins.contains(&id.0) || Some(*id) == self.stretch.before;
        let origins: SmallVec<[OriginId; 2]> = b.d.origins[at].iter().copied().filter(own).collect();
        let before = b.origin();
        b.set_origin(None);
        let mut made = None;
        for id in origins {
            let id = self.origin(b, id, path);
            b.set_origin(id);
            made = Some(b.node(op.clone(), &ins)?);
        }
        let made = match made {
            Some(made) => made,
            None => b.node(op, &ins)?,
        };
        b.set_origin(before);
        self.made.push(made);
        Ok(())
    }

    fn origin(&mut self, b: &mut Builder, id: OriginId, path: Option<Renamed<'_>>) -> Option<OriginId> {
        if Some(id) == self.stretch.before {
            return self.now;
        }
        let Some(path) = path else { return Some(id) };
        let table = &mut b.d.origin_table;
        Some(*self.origins.entry(id).or_insert_with(|| {
            let Origin { span, path: old } = &table[id.0 as usize];
            let new = Origin { span: *span, path: path(old) };
            table.push(new);
            OriginId(table.len() as u32 - 1)
        }))
    }
}

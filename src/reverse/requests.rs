//! The engine: one sweep down the arena that asks each active node's rule for the requests of its inputs.
//!
//! A node is active when an output depends on it and it depends on a wire of `wrt` through wires with a tangent; others
//! are not reversed (else the request of a first layer's input is computed for nothing). Requests that meet at a wire
//! are added in reverse arena order, so equal diagrams have equal reverses; zero is `None` and becomes a node only at
//! the ends. Linear in the part of the arena between `wrt` and the outputs, and no recursion.

use super::tangent::Rules;
use crate::diagram::{Builder, Diagram, Lens, Op, Origin, PrimDef, Role, TypeFault, Wire};
use crate::object::Leaf;
use crate::prim::RevSite;
use rustc_hash::FxHashSet;
use smallvec::SmallVec;
use std::sync::Arc;

/// Why a diagram has no reverse derivative, and which of its nodes is to blame.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{fault}")]
pub struct ReverseFault {
    /// What is wrong.
    pub fault: TypeFault,
    /// Where the node came from; `None` when it does not lie with a node.
    pub origin: Option<Origin>,
    /// The primitive of the program that the node calls, if it does.
    pub prim: Option<Arc<PrimDef>>,
}

impl From<TypeFault> for ReverseFault {
    fn from(fault: TypeFault) -> ReverseFault {
        ReverseFault { fault, origin: None, prim: None }
    }
}

/// The requests at `wrt` of cotangents at output wires: `cots` are pairs of an output wire and its cotangent.
///
/// Appends to the same arena. `None` is zero (also where a wire has no tangent). Wires of `wrt` are not walked
/// through: each counts as a variable of its own.
///
/// # Errors
/// [`ReverseFault`] at the first active node that has no reverse over this tangent, or when a cotangent is not of the
/// tangent of its wire.
pub fn requests(
    b: &mut Builder,
    rules: &dyn Rules,
    cots: &[(Wire, Wire)],
    wrt: &[Wire],
) -> Result<Vec<Option<Wire>>, ReverseFault> {
    if cots.iter().flat_map(|(out, cot)| [out, cot]).chain(wrt).any(|w| w.node as usize >= b.len()) {
        return Err(TypeFault::Foreign.into());
    }
    for (out, cot) in cots {
        let needs = rules.tangent().of(b.leaf(*out));
        if needs.as_ref() != Some(b.leaf(*cot)) {
            let left = needs.unwrap_or_else(|| b.leaf(*out).clone());
            return Err(TypeFault::Mismatch { left, right: b.leaf(*cot).clone() }.into());
        }
    }
    let mut sweep = Sweep::new(b, rules, cots, wrt);
    for (out, cot) in cots {
        sweep.give(b, *out, *cot)?;
    }
    let before = b.origin();
    for node in (sweep.low..sweep.high).rev() {
        if sweep.active[(node - sweep.low) as usize] {
            let made = sweep.reverse_node(b, node);
            b.set_origin(before);
            made.map_err(|fault| blamed(b, node, fault))?;
        }
    }
    Ok(wrt.iter().map(|w| sweep.at(*w)).collect())
}

/// A fault of a node's rule, with its place.
fn blamed(b: &Builder, node: u32, fault: TypeFault) -> ReverseFault {
    let d = b.diagram();
    let prim = match &d.node(Wire { node, port: 0 }).op {
        Op::Call(prim) => Some(prim.clone()),
        _ => None,
    };
    ReverseFault { fault, origin: d.origins(node).next().cloned(), prim }
}

/// The tables of one sweep, over the nodes `low..high`.
struct Sweep<'t> {
    rules: &'t dyn Rules,
    wrt: FxHashSet<Wire>,
    low: u32,
    high: u32,
    /// Whether the node depends on `wrt` through wires with a tangent, and an output on it.
    active: Vec<bool>,
    /// The sum of the requests so far at each output of each node.
    requests: Vec<SmallVec<[Option<Wire>; 1]>>,
}

impl<'t> Sweep<'t> {
    fn new(b: &Builder, rules: &'t dyn Rules, cots: &[(Wire, Wire)], wrt: &[Wire]) -> Sweep<'t> {
        let low = wrt.iter().map(|w| w.node).min().unwrap_or(0);
        let top = cots.iter().map(|(w, _)| w.node).chain(wrt.iter().map(|w| w.node)).max();
        let high = if wrt.is_empty() { low } else { top.map_or(low, |n| n + 1) };
        let count = (high - low) as usize;
        let wrt: FxHashSet<Wire> = wrt.iter().copied().collect();
        let nodes = b.diagram().nodes();
        let inside = |w: &Wire| w.node >= low && w.node < high && !wrt.contains(w);
        let mut live = vec![false; count];
        for (w, _) in cots.iter().filter(|(w, _)| inside(w)) {
            live[(w.node - low) as usize] = true;
        }
        for at in (0..count).rev() {
            if live[at] {
                for w in nodes[low as usize + at].ins.iter().filter(|w| inside(w)) {
                    live[(w.node - low) as usize] = true;
                }
            }
        }
        let mut sweep = Sweep { rules, wrt, low, high, active: vec![false; count], requests: Vec::new() };
        for (at, live) in live.into_iter().enumerate() {
            let node = &nodes[low as usize + at];
            sweep.requests.push(SmallVec::from_elem(None, node.outs.len()));
            sweep.active[at] = live && node.ins.iter().any(|w| sweep.wants(b, *w));
        }
        sweep
    }

    /// Whether the request at a wire is read by somebody: it is of `wrt`, or its node is active.
    fn wants(&self, b: &Builder, w: Wire) -> bool {
        let active = || w.node.checked_sub(self.low).and_then(|at| self.active.get(at as usize)) == Some(&true);
        (self.wrt.contains(&w) || active()) && self.rules.tangent().of(b.leaf(w)).is_some()
    }

    /// The request at a wire so far.
    fn at(&self, w: Wire) -> Option<Wire> {
        let row = w.node.checked_sub(self.low).and_then(|at| self.requests.get(at as usize));
        row.and_then(|row| row.get(w.port as usize)).copied().flatten()
    }

    /// Adds to the request at a wire that is wanted.
    fn give(&mut self, b: &mut Builder, w: Wire, request: Wire) -> Result<(), TypeFault> {
        if !self.wants(b, w) {
            return Ok(());
        }
        let sum = match self.at(w) {
            Some(before) => b.add(before, request)?,
            None => request,
        };
        self.requests[(w.node - self.low) as usize][w.port as usize] = Some(sum);
        Ok(())
    }

    fn reverse_node(&mut self, b: &mut Builder, at: u32) -> Result<(), TypeFault> {
        let node = &b.diagram().nodes()[at as usize];
        let outs: SmallVec<[Wire; 2]> = (0..node.outs.len() as u32).map(|port| Wire { node: at, port }).collect();
        // What arrives at a wire of `wrt` stays there.
        let dys: SmallVec<[Option<Wire>; 2]> =
            outs.iter().map(|w| if self.wrt.contains(w) { None } else { self.at(*w) }).collect();
        if dys.iter().all(Option::is_none) {
            return Ok(());
        }
        let (op, ins) = (node.op.clone(), node.ins.clone());
        let want: SmallVec<[bool; 4]> = ins.iter().map(|w| self.wants(b, *w)).collect();
        b.at_node(at);
        let tangent = self.rules.tangent();
        let site = RevSite { op: &op, ins: &ins, outs: &outs, dys: &dys, tangent, want: &want };
        let made = self.rules.rule(b, &site)?;
        if made.len() != ins.len() {
            return Err(TypeFault::Arity { needs: ins.len(), given: made.len() });
        }
        for (w, request) in ins.iter().zip(made) {
            if let Some(request) = request {
                self.give(b, *w, request)?;
            }
        }
        Ok(())
    }
}

/// R : C -> Lens(C), f |-> `(f, R[f])` (2103.01931 Prop. 2.7): get is `d`, put has one request a port with a tangent.
///
/// # Errors
/// [`ReverseFault`] when a node of `d` has no reverse over this tangent.
pub fn reverse(d: &Diagram, rules: &dyn Rules) -> Result<Lens, ReverseFault> {
    let (mut b, outs) = Builder::resume(d.clone());
    let fore: Vec<usize> = (0..d.ports().len()).collect();
    let mut back = Vec::new();
    let mut cots = Vec::new();
    for (k, out) in outs.iter().enumerate() {
        if let Some(leaf) = rules.tangent().of(d.leaf(*out)) {
            back.push(fore.len() + back.len());
            cots.push((*out, b.port(format!("d(out {k})"), Role::Cotangent, leaf)));
        }
    }
    let tangents: Vec<(Wire, Leaf)> = fore
        .iter()
        .filter_map(|port| {
            let w = d.port_wire(*port);
            Some((w, rules.tangent().of(d.leaf(w))?))
        })
        .collect();
    let wrt: Vec<Wire> = tangents.iter().map(|(w, _)| *w).collect();
    let requests = requests(&mut b, rules, &cots, &wrt)?;
    let mut wires = outs;
    let get = 0..wires.len();
    for (request, (_, leaf)) in requests.into_iter().zip(&tangents) {
        wires.push(match request {
            Some(request) => request,
            None => b.zero(leaf)?,
        });
    }
    let put = get.end..wires.len();
    Ok(Lens { diagram: b.finish(&wires), fore, back, get, put })
}

/// `R[f]` : A * B' -> A' as a diagram of its own, so that it can be iterated.
///
/// # Errors
/// As [`reverse`].
pub fn reverse_diagram(d: &Diagram, rules: &dyn Rules) -> Result<Diagram, ReverseFault> {
    let lens = reverse(d, rules)?;
    let (b, outs) = Builder::resume(lens.diagram);
    Ok(b.finish(&outs[lens.put]))
}

//! Lenses: maps `(A, A') -> (B, B')`, a get `A -> B` and a put `A * B' -> A'` over one diagram.
//!
//! The diagram has ports A and B' and outputs B ++ A' (2103.01931 section 2). There is no residual object: what put
//! needs of get are the wires that both read, shared by the builder, so that RD.5 is equality of node ids
//! (PROBE.md 1). No lens laws are asked for.

use super::builder::{Builder, Copying};
use super::compose::fits;
use super::typing::TypeFault;
use super::value::{Diagram, Port, Role, Wire};
use crate::object::Leaf;
use std::ops::Range;

/// A lens `(A, A') -> (B, B')`.
#[derive(Clone, Debug)]
pub struct Lens {
    /// Ports A and B', outputs B then A'.
    pub diagram: Diagram,
    /// Which ports are A, in order.
    pub fore: Vec<usize>,
    /// Which ports are B', in order.
    pub back: Vec<usize>,
    /// Which outputs are B.
    pub get: Range<usize>,
    /// Which outputs are A'.
    pub put: Range<usize>,
}

impl Lens {
    /// A lens from a diagram with ports A ++ B' and outputs B ++ A', by the sizes of A and B.
    ///
    /// # Errors
    /// [`TypeFault::Arity`] when it has fewer ports or outputs; [`TypeFault::Foreign`] when get depends on B'.
    pub fn new(diagram: Diagram, a: usize, b: usize) -> Result<Lens, TypeFault> {
        for (needs, given) in [(a, diagram.ports().len()), (b, diagram.outs().len())] {
            if needs > given {
                return Err(TypeFault::Arity { needs, given });
            }
        }
        let read = diagram.cone(&diagram.outs()[..b]);
        if (a..diagram.ports().len()).any(|p| read[diagram.port_wire(p).node as usize]) {
            return Err(TypeFault::Foreign);
        }
        let (ports, outs) = (diagram.ports().len(), diagram.outs().len());
        Ok(Lens { diagram, fore: (0..a).collect(), back: (a..ports).collect(), get: 0..b, put: b..outs })
    }

    /// The identity of `(A, A')`: get is A, put is A'.
    #[must_use]
    pub fn identity(fore: &[Leaf], back: &[Leaf]) -> Lens {
        let (a, c) = (fore.len(), back.len());
        let diagram = Diagram::identity(&[fore, back].concat());
        Lens { diagram, fore: (0..a).collect(), back: (a..a + c).collect(), get: 0..a, put: a..a + c }
    }

    /// This, then `next`: get is f; g, put(a, c') is f*(a, g*(f(a), c')).
    ///
    /// # Errors
    /// [`TypeFault::Compose`] when B or B' of this is not A or A' of `next`.
    pub fn then(&self, next: &Lens) -> Result<Lens, TypeFault> {
        fits(self.leaves_out(&self.get), next.leaves_in(&next.fore))?;
        fits(self.leaves_in(&self.back), next.leaves_out(&next.put))?;
        let mut b = Builder::new();
        let a = self.open(&mut b, &self.fore);
        let back = next.open(&mut b, &next.back);
        let (mut f, mut g) = (Copying::new(&self.diagram), Copying::new(&next.diagram));
        self.set(&mut f, &self.fore, &a);
        let middle = f.outs(&mut b, &self.diagram.outs()[self.get.clone()])?;
        next.set(&mut g, &next.fore, &middle);
        let mut outs = g.outs(&mut b, &next.diagram.outs()[next.get.clone()])?;
        next.set(&mut g, &next.back, &back);
        let middle = g.outs(&mut b, &next.diagram.outs()[next.put.clone()])?;
        self.set(&mut f, &self.back, &middle);
        let gets = outs.len();
        outs.extend(f.outs(&mut b, &self.diagram.outs()[self.put.clone()])?);
        Lens::new(b.finish(&outs), a.len(), gets)
    }

    /// This beside `other`: `(A * C, A' * C') -> (B * D, B' * D')`.
    ///
    /// # Errors
    /// [`TypeFault::Foreign`] when a diagram has holes of an update rule.
    pub fn tensor(&self, other: &Lens) -> Result<Lens, TypeFault> {
        let mut b = Builder::new();
        let sides = [self, other];
        let fore = sides.map(|lens| lens.open(&mut b, &lens.fore));
        let back = sides.map(|lens| lens.open(&mut b, &lens.back));
        let (mut gets, mut puts) = (Vec::new(), Vec::new());
        for ((lens, fore), back) in sides.iter().zip(&fore).zip(&back) {
            let mut copy = Copying::new(&lens.diagram);
            lens.set(&mut copy, &lens.fore, fore);
            lens.set(&mut copy, &lens.back, back);
            gets.extend(copy.outs(&mut b, &lens.diagram.outs()[lens.get.clone()])?);
            puts.extend(copy.outs(&mut b, &lens.diagram.outs()[lens.put.clone()])?);
        }
        let (a, count) = (fore.iter().flatten().count(), gets.len());
        gets.extend(puts);
        Lens::new(b.finish(&gets), a, count)
    }

    /// Get alone, `A -> B`.
    ///
    /// # Errors
    /// [`TypeFault::Foreign`] when get depends on B'.
    pub fn get_diagram(&self) -> Result<Diagram, TypeFault> {
        let mut b = Builder::new();
        let a = self.open(&mut b, &self.fore);
        let mut copy = Copying::new(&self.diagram);
        self.set(&mut copy, &self.fore, &a);
        let outs = copy.outs(&mut b, &self.diagram.outs()[self.get.clone()])?;
        Ok(b.finish(&outs))
    }

    fn leaves_in<'l>(&'l self, ports: &'l [usize]) -> impl Iterator<Item = &'l Leaf> + Clone {
        ports.iter().map(|p| &self.diagram.ports()[*p].leaf)
    }

    fn leaves_out<'l>(&'l self, outs: &Range<usize>) -> impl Iterator<Item = &'l Leaf> + Clone {
        self.diagram.outs()[outs.clone()].iter().map(|w| self.diagram.leaf(*w))
    }

    /// Fresh ports like the given ones.
    fn open(&self, b: &mut Builder, ports: &[usize]) -> Vec<Wire> {
        ports.iter().map(|p| b.port_like(&self.diagram.ports()[*p])).collect()
    }

    fn set(&self, copy: &mut Copying<'_>, ports: &[usize], by: &[Wire]) {
        for (port, w) in ports.iter().zip(by) {
            copy.set(self.diagram.port_wire(*port), *w);
        }
    }
}

/// A parametrised map `P * A -> B`: P are the ports of role [`Role::Param`], A those of role [`Role::Input`], each in
/// port order; ports of other roles (noise, targets, a clock) are carried along after them.
#[derive(Clone, Debug)]
pub struct Para {
    /// The map.
    pub diagram: Diagram,
}

impl Para {
    /// A diagram read as a parametrised map.
    #[must_use]
    pub fn new(diagram: Diagram) -> Para {
        Para { diagram }
    }

    /// The places of the parameter ports among the ports.
    #[must_use]
    pub fn params(&self) -> Vec<usize> {
        self.diagram.ports_of(Role::Param)
    }

    /// The place of the port of that path among the ports.
    #[must_use]
    pub fn port(&self, path: &str) -> Option<usize> {
        self.diagram.ports().iter().position(|p| &*p.path == path)
    }

    /// This, then `next`; the **later** map's parameters come first: `P' * P * A` (2103.01931, CORE.md 1.3).
    ///
    /// # Errors
    /// [`TypeFault::Compose`] when the outputs are not of the types of the inputs of `next`.
    pub fn then(&self, next: &Para) -> Result<Para, TypeFault> {
        let inputs = next.diagram.ports_of(Role::Input);
        let outs = self.diagram.outs().iter().map(|w| self.diagram.leaf(*w));
        fits(outs, inputs.iter().map(|p| &next.diagram.ports()[*p].leaf))?;
        let mut b = Builder::new();
        let (mut f, mut g) = (vec![None; self.diagram.ports().len()], vec![None; next.diagram.ports().len()]);
        open(&mut b, &next.diagram, &mut g, |r| r == Role::Param);
        open(&mut b, &self.diagram, &mut f, |r| r == Role::Param);
        open(&mut b, &self.diagram, &mut f, |r| r == Role::Input);
        open(&mut b, &self.diagram, &mut f, |_| true);
        for (port, w) in inputs.into_iter().zip(b.append_some(&self.diagram, &f, self.diagram.outs())?) {
            g[port] = Some(w);
        }
        open(&mut b, &next.diagram, &mut g, |_| true);
        let outs = b.append_some(&next.diagram, &g, next.diagram.outs())?;
        Ok(Para::new(b.finish(&outs)))
    }

    /// This beside `other`: parameters `P * P'`, inputs `A * A'`, outputs `B * B'`.
    ///
    /// # Errors
    /// [`TypeFault::Foreign`] when a diagram has holes of an update rule.
    pub fn tensor(&self, other: &Para) -> Result<Para, TypeFault> {
        let mut b = Builder::new();
        let sides = [&self.diagram, &other.diagram];
        let mut args = sides.map(|d| vec![None; d.ports().len()]);
        for role in [Some(Role::Param), Some(Role::Input), None] {
            for (d, args) in sides.iter().zip(&mut args) {
                open(&mut b, d, args, |r| role.is_none_or(|role| role == r));
            }
        }
        let mut outs = Vec::new();
        for (d, args) in sides.iter().zip(&args) {
            outs.extend(b.append_some(d, args, d.outs())?);
        }
        Ok(Para::new(b.finish(&outs)))
    }

    /// Precomposes the parameters with `alpha : Q -> P`; the ports of `alpha` become the parameters.
    ///
    /// # Errors
    /// [`TypeFault::Compose`] when the outputs of `alpha` are not the parameters.
    pub fn reparametrise(&self, alpha: &Diagram) -> Result<Para, TypeFault> {
        let params = self.params();
        let outs = alpha.outs().iter().map(|w| alpha.leaf(*w));
        fits(outs, params.iter().map(|p| &self.diagram.ports()[*p].leaf))?;
        let mut b = Builder::new();
        let q: Vec<Wire> =
            alpha.ports().iter().map(|p| b.port_like(&Port { role: Role::Param, ..p.clone() })).collect();
        let mut args = vec![None; self.diagram.ports().len()];
        for (port, w) in params.into_iter().zip(b.append(alpha, &q)?) {
            args[port] = Some(w);
        }
        open(&mut b, &self.diagram, &mut args, |r| r == Role::Input);
        open(&mut b, &self.diagram, &mut args, |_| true);
        let outs = b.append_some(&self.diagram, &args, self.diagram.outs())?;
        Ok(Para::new(b.finish(&outs)))
    }

    /// Ties parameters number `i` and `j` of one leaf: port `j` goes, and what read it reads port `i`. It is the
    /// reparametrisation by copy.
    ///
    /// # Errors
    /// [`TypeFault`] when there are no such two parameters or their leaves differ.
    pub fn tie(&self, i: usize, j: usize) -> Result<Para, TypeFault> {
        let params = self.params();
        let (Some(keep), Some(gone), true) = (params.get(i), params.get(j), i != j) else {
            return Err(TypeFault::Arity { needs: i.max(j) + 1, given: params.len() });
        };
        let ports = self.diagram.ports();
        if ports[*keep].leaf != ports[*gone].leaf {
            let (left, right) = (ports[*keep].leaf.clone(), ports[*gone].leaf.clone());
            return Err(TypeFault::Mismatch { left, right });
        }
        let mut b = Builder::new();
        let mut args: Vec<Option<Wire>> =
            ports.iter().enumerate().map(|(k, p)| (k != *gone).then(|| b.port_like(p))).collect();
        args[*gone] = args[*keep];
        let outs = b.append_some(&self.diagram, &args, self.diagram.outs())?;
        Ok(Para::new(b.finish(&outs)))
    }
}

/// Fresh ports for those of some roles that nothing stands for yet.
fn open(b: &mut Builder, d: &Diagram, args: &mut [Option<Wire>], of: impl Fn(Role) -> bool) {
    for (port, arg) in d.ports().iter().zip(args) {
        if arg.is_none() && of(port.role) {
            *arg = Some(b.port_like(port));
        }
    }
}

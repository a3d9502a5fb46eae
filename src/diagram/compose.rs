//! The Cartesian left additive structure: identity, composition, tensor, copy, discard, swap, zero and add.
//!
//! In: diagrams. Out: diagrams; ports are numbered on the left, outputs on the right. Composition is diagrammatic
//! (`f.then(&g)` is f, then g). Long chains go through [`compose_all`], which appends each box once to one builder and
//! so is linear; a fold of `then` is quadratic.

use super::builder::Builder;
use super::typing::TypeFault;
use super::value::{Diagram, Port, Role, Wire};
use crate::object::Leaf;

/// The composite of `first` and then the boxes of `rest`, in time linear in the sum of their sizes.
///
/// # Errors
/// [`TypeFault::Compose`] at the first box whose ports are not of the types of the outputs before it.
pub fn compose_all<'d>(first: &Diagram, rest: impl IntoIterator<Item = &'d Diagram>) -> Result<Diagram, TypeFault> {
    let (mut b, mut wires) = Builder::resume(first.clone());
    for next in rest {
        wires = b.apply(next, &wires)?;
    }
    Ok(b.finish(&wires))
}

impl Builder {
    /// As [`Builder::append`], with both types in the error.
    ///
    /// # Errors
    /// [`TypeFault::Compose`] when the wires are not of the ports' types.
    pub fn apply(&mut self, d: &Diagram, args: &[Wire]) -> Result<Vec<Wire>, TypeFault> {
        fits(args.iter().map(|w| self.leaf(*w)), d.ports().iter().map(|p| &p.leaf))?;
        self.append(d, args)
    }

    /// Adds a port of the same name, role and type as one of another diagram.
    pub fn port_like(&mut self, port: &Port) -> Wire {
        self.port(port.path.clone(), port.role, port.leaf.clone())
    }
}

/// Whether two lists of leaves are one object.
pub(super) fn fits<'l>(
    left: impl Iterator<Item = &'l Leaf> + Clone,
    right: impl Iterator<Item = &'l Leaf> + Clone,
) -> Result<(), TypeFault> {
    if left.clone().eq(right.clone()) {
        return Ok(());
    }
    Err(TypeFault::Compose { left: left.cloned().collect(), right: right.cloned().collect() })
}

/// A diagram over inputs `x0, x1, ..` of the given leaves.
fn over(
    leaves: &[Leaf],
    outs: impl FnOnce(&mut Builder, &[Wire]) -> Result<Vec<Wire>, TypeFault>,
) -> Result<Diagram, TypeFault> {
    let mut b = Builder::new();
    let ports: Vec<Wire> =
        leaves.iter().enumerate().map(|(k, l)| b.port(format!("x{k}"), Role::Input, l.clone())).collect();
    let outs = outs(&mut b, &ports)?;
    Ok(b.finish(&outs))
}

/// A diagram that only wires its inputs.
fn wiring(leaves: &[Leaf], outs: impl FnOnce(&[Wire]) -> Vec<Wire>) -> Diagram {
    over(leaves, |_, x| Ok(outs(x))).unwrap_or_default()
}

impl Diagram {
    /// The identity of an object.
    #[must_use]
    pub fn identity(leaves: &[Leaf]) -> Diagram {
        wiring(leaves, <[Wire]>::to_vec)
    }

    /// `X -> X * X`.
    #[must_use]
    pub fn copy(leaves: &[Leaf]) -> Diagram {
        wiring(leaves, |x| [x, x].concat())
    }

    /// `X -> 1`.
    #[must_use]
    pub fn discard(leaves: &[Leaf]) -> Diagram {
        wiring(leaves, |_| Vec::new())
    }

    /// `A * B -> B * A`.
    #[must_use]
    pub fn swap(a: &[Leaf], b: &[Leaf]) -> Diagram {
        wiring(&[a, b].concat(), |x| {
            let (a, b) = x.split_at(a.len());
            [b, a].concat()
        })
    }

    /// `1 -> X`, the zero map.
    ///
    /// # Errors
    /// [`TypeFault`] when a leaf has no zero.
    pub fn zero(leaves: &[Leaf]) -> Result<Diagram, TypeFault> {
        over(&[], |b, _| leaves.iter().map(|l| b.zero(l)).collect())
    }

    /// `X * X -> X`, addition leaf by leaf.
    ///
    /// # Errors
    /// [`TypeFault`] when a leaf cannot be added.
    pub fn add(leaves: &[Leaf]) -> Result<Diagram, TypeFault> {
        over(&[leaves, leaves].concat(), |b, x| {
            let (x, y) = x.split_at(leaves.len());
            x.iter().zip(y).map(|(x, y)| b.add(*x, *y)).collect()
        })
    }

    /// This, then `next`.
    ///
    /// # Errors
    /// [`TypeFault::Compose`] when the outputs are not of the types of the ports of `next`.
    pub fn then(&self, next: &Diagram) -> Result<Diagram, TypeFault> {
        compose_all(self, [next])
    }

    /// This beside `other`: ports and outputs of this come first.
    ///
    /// # Errors
    /// [`TypeFault::Foreign`] when a diagram has holes of an update rule.
    pub fn tensor(&self, other: &Diagram) -> Result<Diagram, TypeFault> {
        let (mut b, mut outs) = Builder::resume(self.clone());
        let args: Vec<Wire> = other.ports().iter().map(|p| b.port_like(p)).collect();
        outs.extend(b.append(other, &args)?);
        Ok(b.finish(&outs))
    }
}

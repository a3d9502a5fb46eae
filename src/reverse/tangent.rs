//! What a request is: the tangent T(X) of each leaf, its addition, its zero, and the rules over it.
//!
//! `Real` is T(R) = R and the unit elsewhere. Other tangents (parity over Z2, votes) implement the trait; the engine
//! asks it and never the base of a wire (DESIGN.md 1.4).

use crate::diagram::{Builder, TypeFault, Wire};
use crate::object::{Base, Leaf};
use crate::prim::{Requests, RevSite, primitive};

/// A tangent functor on leaves with the reverse rules over it.
pub trait Tangent {
    /// The leaf of a request at a leaf, if it has one.
    fn of(&self, leaf: &Leaf) -> Option<Leaf>;

    /// The sum of two requests: what copy reverses to.
    ///
    /// # Errors
    /// [`TypeFault`] when they are not of one leaf.
    fn add(&self, b: &mut Builder, x: Wire, y: Wire) -> Result<Wire, TypeFault>;

    /// The zero request of a leaf of requests.
    ///
    /// # Errors
    /// [`TypeFault`] when the leaf has no zero.
    fn zero(&self, b: &mut Builder, leaf: &Leaf) -> Result<Wire, TypeFault>;

    /// The requests of a node's inputs.
    ///
    /// # Errors
    /// [`TypeFault::NoReverse`] when it has none over this tangent.
    fn rule(&self, b: &mut Builder, site: &RevSite<'_>) -> Requests;
}

/// Real requests, with the rules of `prim`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Real;

impl Tangent for Real {
    fn of(&self, leaf: &Leaf) -> Option<Leaf> {
        (leaf.base == Base::Real).then(|| leaf.clone())
    }

    fn add(&self, b: &mut Builder, x: Wire, y: Wire) -> Result<Wire, TypeFault> {
        b.add(x, y)
    }

    fn zero(&self, b: &mut Builder, leaf: &Leaf) -> Result<Wire, TypeFault> {
        b.zero(leaf)
    }

    fn rule(&self, b: &mut Builder, site: &RevSite<'_>) -> Requests {
        (primitive(site.op).rev)(b, site)
    }
}

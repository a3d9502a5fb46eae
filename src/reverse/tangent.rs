//! The rules that a sweep asks: what a request is, and how each operation sends it back.
//!
//! The three tangents of [`Tangent`] share the rules of `prim`. The engine asks these rules and never the base of a
//! wire (DESIGN.md 1.4); a test that breaks one rule implements the trait.

use crate::diagram::Builder;
use crate::object::Tangent;
use crate::prim::{Requests, RevSite, primitive};

/// A tangent functor with the reverse rules over it.
pub trait Rules {
    /// What a request at a leaf is.
    fn tangent(&self) -> Tangent;

    /// The requests of a node's inputs.
    ///
    /// # Errors
    /// [`crate::diagram::TypeFault::NoReverse`] when it has none over this tangent.
    fn rule(&self, b: &mut Builder, site: &RevSite<'_>) -> Requests {
        (primitive(site.op).rev)(b, site)
    }
}

impl Rules for Tangent {
    fn tangent(&self) -> Tangent {
        *self
    }
}

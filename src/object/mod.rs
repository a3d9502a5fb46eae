//! What wires carry: a base, and dimensions that are numbers or affine in the batch size.
//!
//! An object of the category is an ordered list of [`Leaf`]s (a product, flattened at once). The leaf `R[1]` is the
//! number: no leaf of a program has rank zero. Dimension variables and their polynomials are gone once a program is
//! elaborated; what is left is `lit + per * B` with B the batch size, bound when a step is called.

mod leaf;
mod tangent;

pub use leaf::{Base, Dim, Dims, Leaf};
pub use tangent::Tangent;

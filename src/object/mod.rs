//! What wires carry: bases, shapes, dimension polynomials.

//! From tree to program: names, dimensions, types.

//! Expressions: from a tree at the wires that arrive to a value.

pub(super) mod after;
pub(super) mod apply;
pub(super) mod arith;
pub(super) mod bits;
pub(super) mod blocks;
pub(super) mod builtins;
pub(super) mod calls;
pub(super) mod consts;
pub(super) mod copies;
pub(super) mod exprs;
pub(super) mod matrices;
pub(super) mod shapes;
pub(super) mod stages;
pub(super) mod tensor;

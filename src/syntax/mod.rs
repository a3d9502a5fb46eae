//! Text to tree: the grammar, the parser that never fails, and the tree itself.

pub mod ast;

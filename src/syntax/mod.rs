//! Text to tree: the grammar, the parser that never fails, and the tree itself.

mod build;
mod build_expr;
mod build_type;
mod cut;
mod expect;
mod foreign;
mod format;
mod grammar;
mod hints;
mod juxtaposed;
mod parse;
mod scan;

pub mod ast;

#[cfg(test)]
pub(crate) use cut::ITEM_WORDS;
pub use format::{comments, format, format_to, same_tree};
pub use parse::parse;
#[cfg(test)]
pub(crate) use scan::RESERVED;

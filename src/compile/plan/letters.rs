//! The letters of an einsum at a batch size; those of size 1 change nothing and are left out.

use crate::diagram::{Diagram, EinsumSpec, Letters, Node};
use smallvec::SmallVec;

/// The size of every letter.
pub(super) struct Sizes(SmallVec<[usize; 8]>);

impl Sizes {
    pub(super) fn of(d: &Diagram, node: &Node, spec: &EinsumSpec, batch: usize) -> Option<Sizes> {
        let leaves: SmallVec<[_; 4]> = node.ins.iter().map(|w| d.leaf(*w)).collect();
        Some(Sizes(spec.sizes(&leaves).ok()?.iter().map(|s| s.at(batch)).collect()))
    }

    pub(super) fn size(&self, letter: u8) -> usize {
        self.0.get(usize::from(letter)).copied().unwrap_or(1)
    }

    /// The letters of a word that are wider than 1.
    pub(super) fn wide(&self, word: &[u8]) -> Letters {
        word.iter().copied().filter(|l| self.size(*l) != 1).collect()
    }

    /// Entries of a value with these letters.
    pub(super) fn count(&self, word: &[u8]) -> usize {
        word.iter().map(|l| self.size(*l)).product()
    }
}

/// Whether no letter stands in a word twice.
pub(super) fn distinct(word: &[u8]) -> bool {
    word.iter().enumerate().all(|(i, l)| !word.iter().skip(i + 1).any(|m| m == l))
}

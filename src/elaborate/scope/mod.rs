//! Names: what is defined where, imports, cycles, and what one item shows without types.

pub(super) mod circle;
pub(super) mod cycles;
pub(super) mod imports;
pub(super) mod lint;
pub(super) mod lost;
pub(super) mod mentions;
pub(super) mod names;
pub(super) mod unread;

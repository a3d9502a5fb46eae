//! Data sets: sources, encoders, splits.
//!
//! In: the record of a `data` item ([`describe`]) and a world with its files ([`load`]). Out: a [`Dataset`], examples as
//! flat numbers, labels or bits with the rows of each part. Invariant: nothing here knows the model or the training;
//! encoders see the training part only unless `fit = all` is written; no bytes of a file can make it panic.

mod dataset;
mod describe;
mod encode;
mod fresh;
mod matrix;
mod source;
mod spec;
mod split;
mod table;
#[cfg(test)]
mod tests;
mod words;

pub use dataset::{Dataset, load};
pub use describe::{Meaning, describe};
pub use encode::Encoder;
pub use encode::column::{Column, Values};
pub use encode::ids::Ids;
pub use encode::labels::Labels;
pub use encode::steps::FittedStep;
pub use fresh::Fresh;
pub use matrix::{Matrix, matrix};
pub use source::read::{SourceFile, unpacked, unpacked_text};
pub use source::sha256::sha256;
pub use source::truth::{Evaluate, Formula};
pub use spec::{
    Amount, Base, Cloud, ColumnType, DataSpec, EncoderStep, Encoding, Fit, Keep, KeepTest, KeepValue, Origin,
    OriginKind, Pick, Points, Split, SplitKind, Target, Windows,
};
pub use split::Parts;

/// The names of sources, encoders, splits and fields, which the manual must tell of.
#[cfg(test)]
pub(crate) mod known {
    pub(crate) use super::describe::FIELDS;
    pub(crate) use super::describe::encoding::ENCODERS;
    pub(crate) use super::describe::source::SOURCES;
    pub(crate) use super::describe::split::SPLITS;
}

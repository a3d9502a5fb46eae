//! Data sets: sources, encoders, splits.
//!
//! In: the record of a `data` item ([`describe`]) and a world with its files ([`load`]). Out: a [`Dataset`], examples as
//! flat numbers, labels or bits with the rows of each part. Invariant: nothing here knows the model or the training;
//! encoders see the training part only unless `fit = all` is written; no bytes of a file can make it panic.

mod array;
mod column;
mod csv;
mod dataset;
mod describe;
mod describe_encoding;
mod describe_source;
mod describe_split;
mod encode;
mod flow;
mod idx;
mod labels;
mod numbers;
mod part;
mod pla;
mod read;
mod sha256;
mod sources;
mod spec;
mod split;
mod steps;
mod table;
#[cfg(test)]
mod tests;
mod truth;
mod words;

pub use column::{Column, Values};
pub use dataset::{Dataset, load};
pub use describe::{Meaning, describe};
pub use encode::Encoder;
pub use labels::Labels;
pub use read::SourceFile;
pub use sha256::sha256;
pub use spec::{
    Amount, Base, ColumnType, DataSpec, EncoderStep, Encoding, Fit, Keep, KeepTest, KeepValue, Origin, OriginKind,
    Pick, Split, SplitKind, Target,
};
pub use split::Parts;
pub use steps::FittedStep;
pub use truth::{Evaluate, Formula};

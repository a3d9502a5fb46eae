//! What a `data` item asks for, as plain values: the output of `describe`, the input of `load`.
//!
//! Every part keeps the span it was written at, so that a fault found in a file still points into the `.lens` text.
//! Invariant: a `DataSpec` made by `describe` has encoders in an order that can work (`class`, `onehot` and `categories`
//! first, no numbers after labels and bits), amounts that are rows or shares in (0, 1), and no name of the program.

pub(crate) mod types;

use crate::data::source::truth::Formula;
use crate::source::Span;
use std::sync::Arc;

/// A whole `data` item.
#[derive(Clone, Debug, PartialEq)]
pub struct DataSpec {
    /// Its name.
    pub name: Arc<str>,
    /// The place of the name.
    pub span: Span,
    /// Where the rows come from.
    pub source: Origin,
    /// Rows that form the test part, if a file of their own has them.
    pub test: Option<Origin>,
    /// How the input of an example is read from its row.
    pub input: Encoding,
    /// How the target is; `None` when the data has no target.
    pub target: Option<Target>,
    /// How the rows are divided.
    pub split: Split,
    /// Whether training visits the examples in random order (only recorded here).
    pub shuffle: bool,
    /// Which rows are used at all.
    pub keep: Option<Keep>,
}

/// A source with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// What it is.
    pub kind: OriginKind,
    /// Where it stands.
    pub span: Span,
}

/// The sources of this version.
#[derive(Clone, Debug, PartialEq)]
pub enum OriginKind {
    /// `csv("a.csv", "b.csv", header = true, sep = " ")`: files side by side.
    Csv {
        /// The names as written, each with its place.
        files: Vec<(Arc<str>, Span)>,
        /// Whether the first line of each holds names.
        header: bool,
        /// The byte between values; a blank stands for any run of blanks.
        separator: u8,
    },
    /// `inline([[1, 2.9], [2, 5.1]])`: rows of equal width.
    Inline(Vec<Vec<String>>),
    /// `idx("images.gz", "labels.gz")`: arrays side by side.
    Idx(Vec<(Arc<str>, Span)>),
    /// `npy("images.npy", "labels.npy")`: arrays side by side.
    Npy(Vec<(Arc<str>, Span)>),
    /// `text("t.txt", window = 16, stride = 1)`: windows of a text, and the next character of each place.
    Text {
        /// The name of the file with its place.
        file: (Arc<str>, Span),
        /// How the windows lie.
        windows: Windows,
        /// The characters with their numbers; those of the text, sorted, when none are given.
        vocabulary: Option<Arc<[char]>>,
    },
    /// `two_moons(n = 500)`, `normal[2]` and so on: points drawn with a seed of their own.
    Points(Points),
    /// `pla("f.pla")`: bits in and bits out.
    Pla(Arc<str>, Span),
    /// `truth_table(n, EXPR)`: all rows of `n` bits in order, and an expression of them.
    TruthTable {
        /// How many bits: wire `j` of row `r` is bit `j` of `r`.
        wires: usize,
        /// What is made of them.
        formula: Formula,
    },
}

/// How the windows of a text lie; each is followed by one character, the target of its last place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// The characters of one window.
    pub window: usize,
    /// How many characters one window begins after the one before.
    pub stride: usize,
}

/// Points that are drawn rather than read.
#[derive(Clone, Debug, PartialEq)]
pub struct Points {
    /// What they form.
    pub cloud: Cloud,
    /// How many there are.
    pub n: usize,
    /// The seed of their stream; the seed of a run does not change them.
    pub seed: u64,
}

/// What points form.
#[derive(Clone, Debug, PartialEq)]
pub enum Cloud {
    /// Two half circles in the plane, each beginning inside the other.
    TwoMoons {
        /// The deviation of the normal noise on both coordinates.
        noise: f64,
    },
    /// Arms that turn about the origin of the plane, one a class.
    Spiral {
        /// The number of arms.
        classes: usize,
        /// How often an arm turns.
        turns: f64,
        /// The deviation of the normal noise on both coordinates.
        noise: f64,
    },
    /// Every coordinate from a normal distribution of mean 0.
    Normal {
        /// The dimensions of one point.
        shape: Vec<usize>,
        /// The deviation.
        std: f64,
    },
    /// Every coordinate evenly from an interval.
    Uniform {
        /// The dimensions of one point.
        shape: Vec<usize>,
        /// Where the interval begins.
        lo: f64,
        /// Where it ends.
        hi: f64,
    },
}

/// `columns(..) >> encoder >> ..`.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoding {
    /// The columns, in order; of an array source one [`Pick::Part`] when none are named.
    pub columns: Vec<(Pick, Span)>,
    /// What is done to them, in order.
    pub steps: Vec<(EncoderStep, Span)>,
    /// The whole expression.
    pub span: Span,
}

/// One argument of `columns`.
#[derive(Clone, Debug, PartialEq)]
pub enum Pick {
    /// `columns(3)`: by number, from 0.
    Index(usize),
    /// `columns(0..4)`; without an end, up to the last column.
    Range(usize, Option<usize>),
    /// `columns("sepal_length")`: by the name in the header.
    Name(Arc<str>),
    /// All of one file of the source, in its shape: 0 is the input, 1 the target.
    Part(usize),
}

/// Which rows an encoder is fitted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// The training part.
    Train,
    /// All rows, those of the test file too: for published figures made so. It leaks.
    All,
}

/// The encoders of this version.
#[derive(Clone, Debug, PartialEq)]
pub enum EncoderStep {
    /// Subtracts the mean and divides by the population standard deviation of the rows it is fitted on, column by column.
    Standardise(Fit),
    /// Maps the range of the rows it is fitted on to [0, 1], column by column.
    MinMax(Fit),
    /// Multiplies by a constant.
    Scale(f64),
    /// A label as a vector with a single one.
    OneHot(usize),
    /// A label as a number below `k`.
    Class(usize),
    /// Whole numbers below the bound, characters by their vocabulary; `None` when the vocabulary decides.
    Ids(Option<usize>),
    /// The same as vectors with a single one each.
    OneHotIds(Option<usize>),
    /// Makes one axis of all; rows of a table have one already.
    Flatten,
    /// A bit for each of these numbers: whether the value is greater.
    Threshold(Vec<f64>),
    /// 0, 1, `true`, `false` as bits; a label in binary, lowest bit first; a one-hot vector as bits.
    Bits,
    /// That many thresholds a column, at quantiles of the training part.
    Thermometer(usize),
    /// A bit for each distinct value of each column in the training part.
    Categories,
}

/// What is learned.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// `target = input`.
    Input(Span),
    /// Columns of its own.
    Encoding(Encoding),
}

/// A split with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// How rows are divided.
    pub kind: SplitKind,
    /// Where it stands; the name of the item when it is the default.
    pub span: Span,
}

/// The ways to divide rows.
#[derive(Clone, Debug, PartialEq)]
pub enum SplitKind {
    /// Every row is for training.
    All,
    /// `holdout`, `ordered` (no shuffling) and `stratified` (each class by itself).
    Parts {
        /// Rows or shares of the training, validation and test part; `None` is a part that is not named.
        amounts: [Option<Amount>; 3],
        /// Whether each class is divided by itself.
        stratified: bool,
        /// Whether rows are drawn at random rather than taken in file order.
        shuffle: bool,
    },
    /// `kfold(k)`: each row is held out once.
    Folds {
        /// The number of folds.
        k: usize,
        /// Whether each class is divided by itself.
        stratified: bool,
        /// Whether rows are drawn at random rather than taken in file order.
        shuffle: bool,
    },
}

/// The size of a part: a whole number is rows, a fraction is a share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Amount {
    /// That many rows (of each class when stratified).
    Rows(usize),
    /// That share of all rows, between 0 and 1 without the ends.
    Share(f64),
}

/// `keep = class in [0, 1]`: rows of these classes only.
#[derive(Clone, Debug, PartialEq)]
pub struct Keep {
    /// How the class is compared.
    pub test: KeepTest,
    /// What it is compared with: one of them must agree.
    pub values: Vec<KeepValue>,
    /// Where it stands.
    pub span: Span,
}

/// How `keep` compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepTest {
    /// The class is one of the values.
    In,
    /// The class is none of the values.
    NotIn,
    /// The class is below the value.
    Less,
    /// The class is at most the value.
    LessEqual,
    /// The class is above the value.
    Greater,
    /// The class is at least the value.
    GreaterEqual,
}

/// A class in `keep`.
#[derive(Clone, Debug, PartialEq)]
pub enum KeepValue {
    /// By number: the label itself when labels are numbers, else its place among the sorted labels.
    Number(f64),
    /// By the text of the label.
    Name(Arc<str>),
}

/// What one example is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnType {
    /// The dimensions of one example; a label has none.
    pub shape: Vec<usize>,
    /// Its numbers.
    pub base: Base,
}

/// The kinds of values in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// Real numbers.
    Real,
    /// Labels below the bound.
    Fin(usize),
    /// Bits.
    Bool,
}

impl std::fmt::Display for ColumnType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.base {
            Base::Real => f.write_str("R")?,
            Base::Fin(n) => write!(f, "Fin[{n}]")?,
            Base::Bool => f.write_str("Bool")?,
        }
        if self.shape.is_empty() {
            return Ok(());
        }
        write!(f, "[{}]", self.shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", "))
    }
}

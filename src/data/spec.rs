//! What a `data` item asks for, as plain values: the output of `describe`, the input of `load`.
//!
//! Every part keeps the span it was written at, so that a fault found in a file still points into the `.lens` text.
//! Invariant: a `DataSpec` made by `describe` has encoders in an order that can work (`class`, `onehot` and `categories`
//! first, no numbers after labels and bits), amounts that are rows or shares in (0, 1), and no name of the program.

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

/// How many bits a label below `k` takes.
pub(crate) fn bits_of(k: usize) -> usize {
    (usize::BITS - k.saturating_sub(1).leading_zeros()) as usize
}

impl Encoding {
    /// All of one file of an array source, as it is.
    pub(crate) fn of_part(part: usize, span: Span) -> Encoding {
        Encoding { columns: vec![(Pick::Part(part), span)], steps: Vec::new(), span }
    }

    /// The type of one example when entries of this shape and base are read; `None` when the training part decides.
    #[must_use]
    pub fn column_type(&self, shape: &[usize], base: Base) -> Option<ColumnType> {
        self.typed(shape, base, None)
    }

    /// The same, when it is known how many bits `categories` gives.
    pub(crate) fn typed(&self, shape: &[usize], base: Base, categories: Option<usize>) -> Option<ColumnType> {
        let mut at = ColumnType { shape: shape.to_vec(), base };
        for (step, _) in &self.steps {
            // Several bits an entry stay beside each other: in one axis if there is one, else in an axis of their own.
            let wider = |shape: &[usize], k: usize| match shape {
                _ if k == 1 => shape.to_vec(),
                [n] => vec![n.saturating_mul(k)],
                _ => shape.iter().copied().chain([k]).collect(),
            };
            at = match step {
                EncoderStep::Standardise(_) | EncoderStep::MinMax(_) | EncoderStep::Scale(_) => {
                    ColumnType { base: Base::Real, ..at }
                }
                EncoderStep::OneHot(k) => ColumnType { shape: vec![*k], base: Base::Real },
                EncoderStep::Class(k) => ColumnType { shape: Vec::new(), base: Base::Fin(*k) },
                EncoderStep::Flatten if at.shape.is_empty() => at,
                EncoderStep::Flatten => ColumnType { shape: vec![at.shape.iter().product()], ..at },
                EncoderStep::Threshold(cuts) => ColumnType { shape: wider(&at.shape, cuts.len()), base: Base::Bool },
                EncoderStep::Thermometer(k) => ColumnType { shape: wider(&at.shape, *k), base: Base::Bool },
                EncoderStep::Bits => match at.base {
                    Base::Fin(k) => ColumnType { shape: vec![bits_of(k)], base: Base::Bool },
                    _ => ColumnType { base: Base::Bool, ..at },
                },
                EncoderStep::Categories => ColumnType { shape: vec![categories?], base: Base::Bool },
            };
        }
        Some(at)
    }

    /// The number of columns read, if that does not depend on the file.
    #[must_use]
    pub fn width(&self) -> Option<usize> {
        self.columns.iter().try_fold(0_usize, |sum, (pick, _)| {
            sum.checked_add(match pick {
                Pick::Index(_) | Pick::Name(_) => 1,
                Pick::Range(from, to) => (*to)?.saturating_sub(*from),
                Pick::Part(_) => return None,
            })
        })
    }

    /// Whether it reads a label, and of how many classes.
    #[must_use]
    pub fn classes(&self) -> Option<usize> {
        self.steps.iter().find_map(|(step, _)| match step {
            EncoderStep::OneHot(k) | EncoderStep::Class(k) => Some(*k),
            _ => None,
        })
    }
}

impl DataSpec {
    /// The types of input and target as far as they are known without reading a file.
    #[must_use]
    pub fn types(&self) -> (Option<ColumnType>, Option<ColumnType>) {
        let of = |e: &Encoding| {
            let (shape, base) = if e.classes().is_some() { (vec![1], Base::Real) } else { self.reads(e)? };
            e.column_type(&shape, base)
        };
        let input = of(&self.input);
        let target = match &self.target {
            None => None,
            Some(Target::Input(_)) => input.clone(),
            Some(Target::Encoding(e)) => of(e),
        };
        (input, target)
    }

    /// The encoding of the target when it reads a label.
    #[must_use]
    pub fn class_target(&self) -> Option<&Encoding> {
        let encoding = match self.target.as_ref()? {
            Target::Input(_) => &self.input,
            Target::Encoding(e) => e,
        };
        encoding.classes().map(|_| encoding)
    }

    /// What an encoding reads, as far as that is known without reading a file.
    fn reads(&self, encoding: &Encoding) -> Option<(Vec<usize>, Base)> {
        match (&self.source.kind, encoding.columns.as_slice()) {
            (OriginKind::TruthTable { wires, .. }, [(Pick::Part(0), _)]) => Some((vec![*wires], Base::Bool)),
            (OriginKind::TruthTable { formula, .. }, [(Pick::Part(_), _)]) => {
                formula.bits().map(|n| (vec![n], Base::Bool))
            }
            // Columns chosen one by one may be of the expression, whose values are not known yet.
            (OriginKind::TruthTable { .. }, _) => None,
            (OriginKind::Pla(..), _) => encoding.width().map(|n| (vec![n], Base::Bool)),
            (OriginKind::Inline(rows), _) => {
                let width = rows.first()?.len();
                let one = |(pick, _): &(Pick, Span)| match pick {
                    Pick::Range(from, to) => to.unwrap_or(width).saturating_sub(*from),
                    Pick::Index(_) | Pick::Name(_) | Pick::Part(_) => 1,
                };
                Some((vec![encoding.columns.iter().map(one).sum()], Base::Real))
            }
            (OriginKind::Csv { .. } | OriginKind::Idx(_), _) => encoding.width().map(|n| (vec![n], Base::Real)),
        }
    }
}

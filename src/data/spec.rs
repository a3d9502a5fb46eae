//! What a `data` item asks for, as plain values: the output of `describe`, the input of `load`.
//!
//! Every part keeps the span it was written at, so that a fault found in a file still points into the `.lens` text.
//! Invariant: a `DataSpec` made by `describe` has encoders in an order that can work (`class` and `onehot` first,
//! nothing after `class`), amounts that are rows or shares in (0, 1), and no reference to a name of the program.

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
}

/// `columns(..) >> encoder >> ..`.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoding {
    /// The columns, in order.
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
}

/// The encoders of this version.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum EncoderStep {
    /// Subtracts the mean and divides by the population standard deviation of the training part, column by column.
    Standardise,
    /// Maps the range of the training part to [0, 1], column by column.
    MinMax,
    /// Multiplies by a constant.
    Scale(f64),
    /// A label as a vector with a single one.
    OneHot(usize),
    /// A label as a number below `k`.
    Class(usize),
    /// Makes one axis of all; rows of a table have one already.
    Flatten,
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

impl Encoding {
    /// The type of one example when `width` columns are read.
    #[must_use]
    pub fn column_type(&self, width: usize) -> ColumnType {
        let step = self.steps.iter().find_map(|(step, _)| match step {
            EncoderStep::OneHot(k) => Some(ColumnType { shape: vec![*k], base: Base::Real }),
            EncoderStep::Class(k) => Some(ColumnType { shape: Vec::new(), base: Base::Fin(*k) }),
            _ => None,
        });
        step.unwrap_or(ColumnType { shape: vec![width], base: Base::Real })
    }

    /// The number of columns read, if that does not depend on the file.
    #[must_use]
    pub fn width(&self) -> Option<usize> {
        self.columns.iter().try_fold(0_usize, |sum, (pick, _)| {
            sum.checked_add(match pick {
                Pick::Index(_) | Pick::Name(_) => 1,
                Pick::Range(from, to) => (*to)?.saturating_sub(*from),
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
            let width = if e.classes().is_some() { Some(1) } else { e.width().or_else(|| self.inline_width(e)) };
            width.map(|w| e.column_type(w))
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

    fn inline_width(&self, encoding: &Encoding) -> Option<usize> {
        let OriginKind::Inline(rows) = &self.source.kind else { return None };
        let width = rows.first()?.len();
        let one = |(pick, _): &(Pick, Span)| match pick {
            Pick::Range(from, to) => to.unwrap_or(width).saturating_sub(*from),
            Pick::Index(_) | Pick::Name(_) => 1,
        };
        Some(encoding.columns.iter().map(one).sum())
    }
}

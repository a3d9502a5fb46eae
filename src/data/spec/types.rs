//! What an encoding gives, as far as that is known without reading a file.
//!
//! In: a [`DataSpec`]. Out: the types of input and target, which the elaborator compares with those of the model. `None`
//! where a file decides: the shape of an array, the number of bits of `categories`, the vocabulary of a text.

use super::{Base, Cloud, ColumnType, DataSpec, EncoderStep, Encoding, OriginKind, Pick, Points, Target, Windows};
use crate::source::Span;

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
        self.typed(shape, base, None, None)
    }

    /// The same, when it is known how many bits `categories` gives and how many characters the vocabulary has.
    pub(crate) fn typed(
        &self,
        shape: &[usize],
        base: Base,
        categories: Option<usize>,
        vocabulary: Option<usize>,
    ) -> Option<ColumnType> {
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
                EncoderStep::Ids(k) => ColumnType { base: Base::Fin(k.or(vocabulary)?), ..at },
                EncoderStep::OneHotIds(k) => {
                    let k = k.or(vocabulary)?;
                    let places = if at.shape == [1] { &[][..] } else { &at.shape };
                    ColumnType { shape: places.iter().copied().chain([k]).collect(), base: Base::Real }
                }
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

impl Windows {
    /// How many windows after one predict a character that it predicts too.
    pub(crate) fn overlap(self) -> usize {
        self.window.saturating_sub(1) / self.stride.max(1)
    }
}

impl Points {
    /// The dimensions of one point.
    pub(crate) fn shape(&self) -> Vec<usize> {
        match &self.cloud {
            Cloud::TwoMoons { .. } | Cloud::Spiral { .. } => vec![2],
            Cloud::Normal { shape, .. } | Cloud::Uniform { shape, .. } => shape.clone(),
        }
    }

    /// Whether each point has a class.
    pub(crate) fn labelled(&self) -> bool {
        matches!(self.cloud, Cloud::TwoMoons { .. } | Cloud::Spiral { .. })
    }
}

impl DataSpec {
    /// How many rows after one share something with it; rows that far apart may lie in different parts.
    pub(crate) fn overlap(&self) -> usize {
        match &self.source.kind {
            OriginKind::Text { windows, .. } => windows.overlap(),
            _ => 0,
        }
    }

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
            (OriginKind::Text { windows, .. }, [(Pick::Part(_), _)]) => Some((vec![windows.window], Base::Real)),
            (OriginKind::Points(points), [(Pick::Part(part), _)]) => {
                Some((if *part == 0 { points.shape() } else { vec![1] }, Base::Real))
            }
            (
                OriginKind::Csv { .. }
                | OriginKind::Idx(_)
                | OriginKind::Npy(_)
                | OriginKind::Text { .. }
                | OriginKind::Points(_),
                _,
            ) => encoding.width().map(|n| (vec![n], Base::Real)),
        }
    }
}

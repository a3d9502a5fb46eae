//! `ids`: whole numbers and characters as labels, one a place.
//!
//! In: the cells of a view. Out: labels below a bound. Entries that are numbers must be whole and below it; characters go
//! by their place in the vocabulary of the source. Invariant: nothing is fitted, so a place means the same in every part.

use crate::data::encode::flow::View;
use crate::data::source::array::Run;
use crate::data::source::text::all_shown;
use crate::data::table::Places;
use crate::data::words::{count, quoted};
use crate::source::{Code, Diagnostic, Diagnostics, Span};
use std::sync::Arc;

/// How places are numbered.
#[derive(Clone, Debug, PartialEq)]
pub struct Ids {
    /// Every label is below it.
    pub bound: usize,
    /// The character of each label, when the source is a text.
    pub vocabulary: Option<Arc<[char]>>,
}

impl Ids {
    /// Compares the bound that the program names with the vocabulary of the source; `None` when a fault was recorded.
    pub(crate) fn fit(
        k: Option<usize>,
        vocabulary: Option<&Arc<[char]>>,
        span: Span,
        faults: &mut Diagnostics,
    ) -> Option<Ids> {
        // `describe` asks for a bound where there is no vocabulary.
        let bound = k.or(vocabulary.map(|v| v.len()))?;
        if let Some(known) = vocabulary.filter(|v| v.len() != bound) {
            faults.push(
                Diagnostic::error(
                    Code::DATA_VALUE,
                    format!("the text has {}, not {bound}", count(known.len(), "different character")),
                )
                .at(span, format!("says {bound}"))
                .note(format!("they are {}", all_shown(known)))
                .help(format!("write `[{}]`, or name the characters in `vocabulary = \"..\"`", known.len())),
            );
            return None;
        }
        Some(Ids { bound, vocabulary: vocabulary.cloned() })
    }

    /// The labels of a view, row by row; `None` when a fault was recorded.
    pub(crate) fn read(&self, view: &View<'_>, faults: &mut Diagnostics) -> Option<Vec<u32>> {
        let mut labels = Vec::with_capacity(view.rows.len().saturating_mul(view.columns.len()));
        let mut bad = Places::default();
        let range = view.range();
        for row in view.rows {
            if let (Some(Run::Ids(run)), true) =
                (range.as_ref().and_then(|range| view.table.run(*row, range)), self.vocabulary.is_some())
            {
                labels.extend_from_slice(run);
                continue;
            }
            for column in view.columns {
                let text = view.table.cell(*row, *column);
                match self.label(&text) {
                    Some(label) => labels.push(label),
                    None => bad.add(|| {
                        let (place, name) = (view.table.place(*row, *column), view.table.column_name(*column));
                        format!("{place}: {} in {name}", quoted(&text))
                    }),
                }
            }
        }
        if bad.total == 0 {
            return Some(labels);
        }
        let what = match (bad.total, &self.vocabulary) {
            (1, Some(_)) => "a value that is no character of the vocabulary".to_owned(),
            (n, Some(_)) => format!("{n} values that are no characters of the vocabulary"),
            (1, None) => format!("a value that is no label below {}", self.bound),
            (n, None) => format!("{n} values that are no labels below {}", self.bound),
        };
        let help = match &self.vocabulary {
            Some(_) => "give each place one character of the source's vocabulary",
            None => "`ids[k]` reads the whole numbers from 0 to k - 1; other labels are read by `class[k]`",
        };
        let fault = Diagnostic::error(Code::DATA_VALUE, what).at(view.span, "read as labels");
        faults.push(bad.note(fault).help(help));
        None
    }

    fn label(&self, text: &str) -> Option<u32> {
        if let Some(vocabulary) = &self.vocabulary {
            let mut characters = text.chars();
            let (one, None) = (characters.next()?, characters.next()) else { return None };
            return vocabulary.iter().position(|c| *c == one).and_then(|at| u32::try_from(at).ok());
        }
        let number: f64 = text.trim().parse().ok()?;
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "checked"
        )]
        let label = (number.fract() == 0.0 && number >= 0.0 && number < self.bound as f64).then_some(number as u32);
        label
    }
}

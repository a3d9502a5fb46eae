//! Predictions as they are written: delimited text with a header, or a line of JSON a row.
//!
//! In: what a [`Naming`] says of every row, and what stood in the rows. Out: the answer. Invariant: what is kept of a row
//! is written as it stood there, and no two columns of an answer have the same name.

use super::naming::{Cell, Naming};
use super::rows::{Form, Given};
use super::text::{Next, Said};
use catlearn::elaborate::Precision;
use catlearn::source::{Code, Diagnostic};
use serde_json::{Map, Number, Value, json};
use std::collections::BTreeSet;

/// A number as people write it: the shortest text that reads back as the same number of the run's precision.
pub(super) fn shortest(precision: Precision) -> impl Fn(f64) -> f64 {
    #[allow(clippy::cast_possible_truncation, reason = "the numbers came from f32")]
    move |x| if precision == Precision::F32 { (x as f32).to_string().parse().unwrap_or(x) } else { x }
}

/// Predictions of rows.
pub(super) struct Writing<'a> {
    pub(super) naming: Naming,
    pub(super) given: &'a Given,
    pub(super) keep: bool,
    pub(super) precision: Precision,
    pub(super) form: Form,
}

impl Writing<'_> {
    /// The whole answer to what the model gives, row after row.
    ///
    /// # Errors
    /// A column that is kept has the name of one of the answer.
    pub(super) fn all(&self, outs: &[f64]) -> Result<String, Diagnostic> {
        self.distinct()?;
        let number = shortest(self.precision);
        let rows = outs.chunks(self.naming.width().max(1)).map(|row| self.naming.row(row, &number)).enumerate();
        Ok(match self.form {
            Form::Lines => rows.map(|(at, (said, scores))| self.line(at, &said, &scores)).collect(),
            Form::Text(separator) => {
                let mut text = joined(self.kept(0).map(|(name, _)| name).chain(self.names()), separator);
                for (at, (said, scores)) in rows {
                    let kept = self.kept(at).map(|(_, cell)| cell);
                    text.push_str(&joined(kept.chain(said.iter().chain(&scores).map(Cell::text)), separator));
                }
                text
            }
        })
    }

    fn kept(&self, row: usize) -> impl Iterator<Item = (String, String)> + use<> {
        (if self.keep { self.given.kept(row) } else { Vec::new() }).into_iter()
    }

    /// The names of what is predicted.
    fn names(&self) -> Vec<String> {
        let scores = self.naming.scored();
        let one = || vec!["prediction".to_owned()];
        if self.form == Form::Lines {
            let word = (!scores.is_empty()).then(|| self.naming.word().to_owned());
            return one().into_iter().chain(word).collect();
        }
        let predictions = match self.naming.values() {
            1 => one(),
            n => (0..n).map(|i| format!("prediction.{i}")).collect(),
        };
        let scores = scores.into_iter().map(|class| format!("{}.{}", self.naming.word(), class.text()));
        predictions.into_iter().chain(scores).collect()
    }

    fn distinct(&self) -> Result<(), Diagnostic> {
        let ours = self.names();
        let help = "rename that column, or leave `--keep` off";
        let rows = if self.form == Form::Lines { self.given.fresh.rows() } else { 1 };
        for row in 0..rows {
            let mut seen = BTreeSet::new();
            for (name, _) in self.kept(row) {
                let what = if ours.contains(&name) {
                    format!("a column of the input is called `{name}`, which names what is predicted")
                } else if self.form == Form::Lines && !seen.insert(name.clone()) {
                    format!("two columns of the input are called `{name}`, an object of JSON has one")
                } else {
                    continue;
                };
                return Err(Diagnostic::error(Code::INPUT_ROW, what).help(help));
            }
        }
        Ok(())
    }

    fn line(&self, row: usize, said: &[Cell], scores: &[Cell]) -> String {
        let kept = self.kept(row).map(|(name, value)| {
            // What JSON writes as a number stays one; `007` does not.
            let bare = self.given.form == Form::Lines || serde_json::from_str::<Number>(&value).is_ok();
            (name, if bare { value } else { json!(value).to_string() })
        });
        let prediction = match said {
            [one] => one.json(),
            all => all.iter().map(Cell::json).collect(),
        };
        let all: Map<String, Value> =
            self.naming.scored().iter().map(Cell::key).zip(scores.iter().map(Cell::json)).collect();
        let scores = (!all.is_empty()).then(|| (self.naming.word().to_owned(), Value::Object(all).to_string()));
        object(kept.chain([("prediction".to_owned(), prediction.to_string())]).chain(scores))
    }
}

/// The character after a text, or the characters that continue it; `kept` is the text when it is wanted in front.
pub(super) fn of_text(next: &Next<'_>, said: &[Said], kept: Option<&str>, continues: bool, form: Form) -> String {
    let naming = next.naming();
    let own = |one: &Said| one.scores.get(one.at).cloned();
    let text: String = said.iter().map(|one| one.character).collect();
    if form == Form::Lines {
        let scores = |one: &Said| -> Value {
            naming.scored().iter().map(Cell::key).zip(one.scores.iter().map(Cell::json)).collect::<Map<_, _>>().into()
        };
        let scores: Option<Value> = match said {
            _ if naming.scored().is_empty() => None,
            [one] if !continues => Some(scores(one)),
            all => Some(all.iter().filter_map(|one| own(one).map(|c| c.json())).collect()),
        };
        let kept = kept.map(|kept| ("text".to_owned(), json!(kept).to_string()));
        let scores = scores.map(|scores| (naming.word().to_owned(), scores.to_string()));
        let prediction = ("prediction".to_owned(), json!(text).to_string());
        return object(kept.into_iter().chain([prediction]).chain(scores));
    }
    if continues {
        return format!("{}{text}\n", kept.unwrap_or_default());
    }
    let scored = !naming.scored().is_empty();
    let names = kept.map(|_| "text").into_iter().chain(["prediction"]).chain(scored.then(|| naming.word()));
    let mut out = joined(names.map(str::to_owned), b',');
    for one in said {
        let cells = [Some(Cell::Character(one.character)), own(one).filter(|_| scored)];
        let cells = cells.iter().flatten().map(Cell::text);
        out.push_str(&joined(kept.map(str::to_owned).into_iter().chain(cells), b','));
    }
    out
}

/// A line with an object of values that are JSON already.
fn object(fields: impl Iterator<Item = (String, String)>) -> String {
    let fields: Vec<String> = fields.map(|(name, value)| format!("{}:{value}", json!(name))).collect();
    format!("{{{}}}\n", fields.join(","))
}

/// A line of cells, quoted where that is needed.
fn joined(cells: impl Iterator<Item = String>, separator: u8) -> String {
    let separator = char::from(separator);
    let quoted = |cell: String| {
        let blank = separator == ' ' && (cell.is_empty() || cell.contains('\t'));
        if blank || cell.contains([separator, '"', '\n', '\r']) || cell.trim() != cell {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell
        }
    };
    let cells: Vec<String> = cells.map(quoted).collect();
    format!("{}\n", cells.join(&separator.to_string()))
}

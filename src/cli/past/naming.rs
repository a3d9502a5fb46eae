//! What a prediction is called: a class by its name, with a score for each, or numbers in the units of the file.
//!
//! In: the encoder of the target, the loss, and the numbers that the model gives for a row. Out: one answer a row, where
//! the target is labels of several places (`ids`) one a place, without scores. Scores are the model's own numbers, except
//! behind a cross entropy of the prelude, which says that they are logits: then they are probabilities (softmax,
//! sigmoid). The class is the one that `accuracy` counts.

use catlearn::data::{Encoder, FittedStep, Ids};
use catlearn::object::Base;
use catlearn::run::class_of;
use serde_json::{Value, json};

/// A value of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Text(String),
    /// Of a text; shown between quotes, so that blanks and line ends can be seen.
    Character(char),
    Number(f64),
    Whole(i64),
}

impl Cell {
    /// As JSON; numbers that are not finite have no word there.
    pub(super) fn json(&self) -> Value {
        match self {
            Cell::Text(text) => json!(text),
            Cell::Character(c) => json!(c),
            Cell::Number(x) => json!(x),
            Cell::Whole(n) => json!(n),
        }
    }

    /// As text.
    pub(super) fn text(&self) -> String {
        match self {
            Cell::Text(text) => text.clone(),
            Cell::Character(c) => format!("{c:?}"),
            Cell::Number(x) => x.to_string(),
            Cell::Whole(n) => n.to_string(),
        }
    }

    /// As the name of a field of JSON.
    pub(super) fn key(&self) -> String {
        if let Cell::Character(c) = self { c.to_string() } else { self.text() }
    }
}

/// How the numbers of a row name a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// The model gives the class itself.
    Label,
    /// The largest wins, the first of equals.
    Largest,
    /// One number, class 1 above 0.
    Above,
    /// Bits of the class, lowest first.
    Binary,
    /// There is one class only.
    Only,
    /// No class: the numbers themselves.
    Plain,
}

/// What scores are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scores {
    Own,
    Softmax,
    Sigmoid,
}

/// Says predictions.
#[derive(Clone, Debug)]
pub(super) struct Naming {
    names: Vec<Cell>,
    /// How many labels a row has.
    places: usize,
    way: Way,
    scores: Scores,
    /// The steps of the target's encoder, for numbers to be led back through.
    steps: Vec<FittedStep>,
    width: usize,
    whole: bool,
}

impl Naming {
    /// For a model that gives `width` entries of `base` a row, and the name of the loss as the run says it.
    pub(super) fn new(target: Option<&Encoder>, loss: &str, base: Base, width: usize) -> Naming {
        let steps = target.map(|e| e.steps.clone()).unwrap_or_default();
        let texts = |names: &[String]| names.iter().cloned().map(Cell::Text).collect::<Vec<_>>();
        let places = target.map_or(1, |e| e.columns.len());
        let found = steps.iter().find_map(|step| match step {
            FittedStep::OneHot(k, labels) | FittedStep::Class(k, labels) => Some((*k, texts(labels.names()), 1)),
            FittedStep::Ids(ids) | FittedStep::OneHotIds(ids) => Some((ids.bound, labels_of(ids), places)),
            _ => None,
        });
        let binary = matches!(steps.as_slice(), [FittedStep::Class(..), FittedStep::Bits]);
        let whole = base != Base::Real;
        let (names, way, scores) = (Vec::new(), Way::Plain, Scores::Own);
        let plain = Naming { names, places: 1, way, scores, steps, width, whole };
        let Some((k, names, places)) = found else { return plain };
        let bits = (usize::BITS - k.saturating_sub(1).leading_zeros()) as usize;
        let Some(each) = width.checked_div(places).filter(|each| each * places == width) else { return plain };
        let way = match base {
            Base::Fin(_) if each == 1 => Way::Label,
            Base::Bool if binary && each == bits => Way::Binary,
            _ if each == 1 && k == 1 => Way::Only,
            _ if each == 1 && k == 2 => Way::Above,
            _ if each == k => Way::Largest,
            _ => return plain,
        };
        let scores = match (inverse_link(loss), way) {
            (Some("softmax"), Way::Largest) if base == Base::Real => Scores::Softmax,
            (Some("sigmoid"), Way::Largest | Way::Above) if base == Base::Real => Scores::Sigmoid,
            _ => Scores::Own,
        };
        Naming { names, places, way, scores, ..plain }
    }

    fn name(&self, class: usize) -> Cell {
        self.names.get(class).cloned().unwrap_or_else(|| Cell::Text(class.to_string()))
    }

    /// Whether a prediction is a class, not numbers.
    pub(super) fn names_a_class(&self) -> bool {
        self.way != Way::Plain
    }

    /// The word in front of the names of the scores.
    pub(super) fn word(&self) -> &'static str {
        if self.scores == Scores::Own { "score" } else { "probability" }
    }

    /// The classes that have a score.
    pub(super) fn scored(&self) -> Vec<Cell> {
        match self.way {
            _ if self.places > 1 => Vec::new(),
            Way::Largest => (0..self.width).map(|k| self.name(k)).collect(),
            Way::Above => vec![self.name(1)],
            Way::Label | Way::Binary | Way::Only | Way::Plain => Vec::new(),
        }
    }

    /// How many numbers the model gives for a row.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// How many values a prediction has.
    pub(super) fn values(&self) -> usize {
        if self.way == Way::Plain { self.width } else { self.places }
    }

    /// The prediction of a row and its scores; `number` gives a number of the run's precision as people write it.
    pub(super) fn row(&self, out: &[f64], number: &dyn Fn(f64) -> f64) -> (Vec<Cell>, Vec<Cell>) {
        if self.way == Way::Plain {
            return (self.plain(out, number), Vec::new());
        }
        let each = (self.width / self.places).max(1);
        let said = out.chunks(each).map(|place| self.name(self.class(place))).collect();
        let scores = if self.scored().is_empty() { Vec::new() } else { self.scores_of(out) };
        (said, scores.into_iter().map(|x| self.cell(x, number)).collect())
    }

    /// The class that the numbers of one place name.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a label, checked by its port")]
    pub(super) fn class(&self, out: &[f64]) -> usize {
        match self.way {
            Way::Label => out.first().copied().unwrap_or(f64::NAN) as usize,
            Way::Largest | Way::Above => class_of(out, 0.0),
            Way::Binary => out.iter().enumerate().map(|(j, bit)| usize::from(*bit != 0.0) << j).sum(),
            Way::Only | Way::Plain => 0,
        }
    }

    fn scores_of(&self, out: &[f64]) -> Vec<f64> {
        match self.scores {
            Scores::Own => out.to_vec(),
            Scores::Sigmoid => out.iter().map(|x| 1.0 / (1.0 + (-x).exp())).collect(),
            Scores::Softmax => {
                let top = out.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let parts: Vec<f64> = out.iter().map(|x| (x - top).exp()).collect();
                let sum: f64 = parts.iter().sum();
                parts.iter().map(|p| p / sum).collect()
            }
        }
    }

    fn cell(&self, x: f64, number: &dyn Fn(f64) -> f64) -> Cell {
        #[allow(clippy::cast_possible_truncation, reason = "bits, votes and labels are whole numbers")]
        if self.whole { Cell::Whole(x as i64) } else { Cell::Number(number(x)) }
    }

    /// Whether the target is numbers that were only moved and scaled, in columns that the model gives too.
    fn leads_back(&self) -> bool {
        let back = |step: &FittedStep| match step {
            FittedStep::Standardise { mean, .. } => mean.len() == self.width,
            FittedStep::MinMax { low, .. } => low.len() == self.width,
            FittedStep::Scale(by) => *by != 0.0,
            _ => false,
        };
        !self.whole && !self.steps.is_empty() && self.steps.iter().all(back)
    }

    /// Numbers led back through the steps of the target, so that they are in the units of the file; those that were
    /// led back are numbers of double precision, whatever the run's is.
    fn plain(&self, out: &[f64], number: &dyn Fn(f64) -> f64) -> Vec<Cell> {
        if !self.leads_back() {
            return out.iter().map(|x| self.cell(*x, number)).collect();
        }
        let mut values = out.to_vec();
        for step in self.steps.iter().rev() {
            match step {
                FittedStep::Standardise { mean: add, deviation: by } => {
                    values.iter_mut().zip(add).zip(by).for_each(|((x, add), by)| *x = *x * by + add);
                }
                FittedStep::MinMax { low, high } => {
                    values.iter_mut().zip(low).zip(high).for_each(|((x, low), high)| *x = *x * (high - low) + low);
                }
                FittedStep::Scale(by) => values.iter_mut().for_each(|x| *x /= by),
                _ => {}
            }
        }
        values.into_iter().map(Cell::Number).collect()
    }
}

/// The names of the labels of `ids`: characters, else whole numbers.
fn labels_of(ids: &Ids) -> Vec<Cell> {
    match &ids.vocabulary {
        Some(all) => all.iter().copied().map(Cell::Character).collect(),
        None => (0_i64..).take(ids.bound).map(Cell::Whole).collect(),
    }
}

/// What makes probabilities of the predictions of a loss, if the prelude says that they are logits.
fn inverse_link(loss: &str) -> Option<&'static str> {
    let lines = include_str!("../../prelude/links.txt").lines();
    lines.filter_map(|l| l.split_once(' ')).find(|(name, _)| *name == loss).map(|(_, link)| link)
}

#[cfg(test)]
mod tests {
    use super::*;
    use catlearn::data::{ColumnType, Labels};
    use catlearn::source::Span;

    /// The losses of the prelude that take logits.
    const LOGITS: [&str; 2] = ["softmax_cross_entropy", "sigmoid_cross_entropy"];

    fn encoder(steps: Vec<FittedStep>) -> Encoder {
        let column_type = ColumnType { shape: vec![1], base: catlearn::data::Base::Real };
        Encoder { columns: vec![0], source_width: 1, source_names: None, steps, column_type, span: Span::default() }
    }

    fn labels() -> Labels {
        Labels::fit(["cat", "dog", "eel"])
    }

    fn said(naming: &Naming, out: &[f64]) -> (String, Vec<Cell>) {
        let (cells, scores) = naming.row(out, &|x| x);
        (cells.iter().map(Cell::text).collect::<Vec<_>>().join(" "), scores)
    }

    #[test]
    fn the_largest_names_the_class_and_logits_become_probabilities() {
        let hot = encoder(vec![FittedStep::OneHot(3, labels())]);
        let own = Naming::new(Some(&hot), "mse", Base::Real, 3);
        let names = ["cat", "dog", "eel"].map(|n| Cell::Text(n.to_owned())).to_vec();
        assert_eq!((own.word(), own.scored()), ("score", names));
        let scores = vec![Cell::Number(1.0), Cell::Number(2.0), Cell::Number(2.0)];
        assert_eq!(said(&own, &[1.0, 2.0, 2.0]), ("dog".to_owned(), scores));
        let soft = Naming::new(Some(&hot), LOGITS[0], Base::Real, 3);
        let (name, scores) = said(&soft, &[800.0, 800.0, -800.0]);
        assert_eq!((soft.word(), name), ("probability", "cat".to_owned()));
        assert_eq!(scores, vec![Cell::Number(0.5), Cell::Number(0.5), Cell::Number(0.0)]);
        let votes = Naming::new(Some(&hot), "hinge_votes(margin = 6)", Base::Int, 3);
        assert_eq!(said(&votes, &[-3.0, 0.0, 7.0]).1, vec![Cell::Whole(-3), Cell::Whole(0), Cell::Whole(7)]);
    }

    #[test]
    fn one_number_is_cut_at_zero_and_bits_are_read_in_binary() {
        let two = Labels::fit(["no", "yes"]);
        let one = Naming::new(Some(&encoder(vec![FittedStep::Class(2, two.clone())])), LOGITS[1], Base::Real, 1);
        assert_eq!(said(&one, &[0.0]), ("no".to_owned(), vec![Cell::Number(0.5)]));
        assert_eq!((said(&one, &[0.1]).0, one.scored()), ("yes".to_owned(), vec![Cell::Text("yes".to_owned())]));
        let binary = encoder(vec![FittedStep::Class(3, labels()), FittedStep::Bits]);
        let bits = Naming::new(Some(&binary), "xor_error", Base::Bool, 2);
        assert_eq!((said(&bits, &[0.0, 1.0]).0, said(&bits, &[1.0, 1.0]).0), ("eel".to_owned(), "3".to_owned()));
        let label = Naming::new(Some(&encoder(vec![FittedStep::Class(3, labels())])), "l", Base::Fin(3), 1);
        assert_eq!(said(&label, &[2.0]).0, "eel");
        let only = Naming::new(Some(&encoder(vec![FittedStep::OneHot(1, Labels::fit(["a"]))])), "l", Base::Real, 1);
        assert_eq!(said(&only, &[-5.0]).0, "a");
    }

    #[test]
    fn labels_of_places_are_characters_or_numbers() {
        let vocabulary: Vec<char> = "\n b".chars().collect();
        let characters = Ids { bound: 3, vocabulary: Some(vocabulary.into()) };
        let mut hot = encoder(vec![FittedStep::OneHotIds(characters)]);
        let one = Naming::new(Some(&hot), LOGITS[0], Base::Real, 3);
        assert_eq!(one.row(&[1.0, 0.0, 0.0], &|x| x).0, [Cell::Character('\n')]);
        let names: Vec<(String, String)> = one.scored().iter().map(|c| (c.text(), c.key())).collect();
        let shown = [("'\\n'", "\n"), ("' '", " "), ("'b'", "b")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(names, shown);
        hot.columns = vec![0, 1];
        let two = Naming::new(Some(&hot), LOGITS[0], Base::Real, 6);
        assert_eq!(said(&two, &[0.0, 0.0, 1.0, 0.0, 1.0, 0.0]), ("'b' ' '".to_owned(), Vec::new()));
        // Whole numbers of a table; a model of another width gives numbers.
        let whole = encoder(vec![FittedStep::Ids(Ids { bound: 3, vocabulary: None })]);
        assert_eq!(Naming::new(Some(&whole), "l", Base::Real, 3).row(&[0.0, 0.0, 1.0], &|x| x).0, [Cell::Whole(2)]);
        assert_eq!(said(&Naming::new(Some(&hot), "mse", Base::Real, 5), &[1.0; 5]).0, "1 1 1 1 1");
    }

    #[test]
    fn numbers_are_led_back_to_the_units_of_the_file() {
        let steps = vec![
            FittedStep::Scale(0.5),
            FittedStep::Standardise { mean: vec![10.0], deviation: vec![4.0] },
            FittedStep::MinMax { low: vec![-1.0], high: vec![3.0] },
        ];
        let naming = Naming::new(Some(&encoder(steps)), "mse", Base::Real, 1);
        // 0.5 -> 1 between -1 and 3 -> 14 with mean 10 and deviation 4 -> 28.
        assert_eq!(said(&naming, &[0.5]), ("28".to_owned(), Vec::new()));
        // Numbers of the file are no f32, so that one step of a large mean keeps its digits.
        let far = vec![FittedStep::Standardise { mean: vec![16_777_217.0], deviation: vec![1.0] }];
        let naming = Naming::new(Some(&encoder(far)), "mse", Base::Real, 1);
        #[allow(clippy::cast_possible_truncation, reason = "what a run of single precision does")]
        let single = |x: f64| f64::from(x as f32);
        assert_eq!(naming.row(&[0.0], &single).0, [Cell::Number(16_777_217.0)]);
        // Bits are none of the file's numbers, though those were scaled before they were cut.
        let scaled = || FittedStep::Standardise { mean: vec![10.0], deviation: vec![4.0] };
        let cut = encoder(vec![scaled(), FittedStep::Threshold(vec![0.0])]);
        assert_eq!(said(&Naming::new(Some(&cut), "mse", Base::Real, 1), &[0.5]).0, "0.5");
        assert_eq!(said(&Naming::new(Some(&cut), "xor_error", Base::Bool, 1), &[1.0]).0, "1");
        assert_eq!(said(&Naming::new(Some(&encoder(vec![scaled()])), "l", Base::Int, 1), &[3.0]).0, "3");
        let bits = Naming::new(None, "xor_error", Base::Bool, 2);
        assert_eq!((said(&bits, &[1.0, 0.0]).0, bits.values()), ("1 0".to_owned(), 2));
    }
}

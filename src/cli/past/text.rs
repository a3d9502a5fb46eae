//! Predictions of a run over a text: the character after a text, or the characters that continue it.
//!
//! In: a text, of which the last window counts. Out: one character after the other, each the most likely one, with its
//! scores. A text shorter than a window is put at the window's beginning, as in training; what stands behind it is not
//! known, so its last place answers only if it gives the same bits whatever stands there (a causal model does).

use super::Past;
use super::encoders::Encoders;
use super::naming::{Cell, Naming};
use super::writing::shortest;
use crate::cli::terminal::{complain, messages, note};
use crate::cli::{End, Shared};
use catlearn::data::{Encoder, FittedStep, OriginKind, unpacked_text};
use catlearn::object::Leaf;
use catlearn::run::{Float, Learner, Tensor, examples};
use catlearn::source::{Code, Diagnostic, SourceMap, Span};

/// How many different characters are put behind a short text, at most.
const FILLINGS: usize = 64;

/// How a run over a text gives the character after a window.
pub(super) struct Next<'a> {
    past: &'a Past,
    input: &'a Encoder,
    target: &'a Encoder,
    vocabulary: &'a [char],
    window: usize,
    /// The port of the input.
    port: Leaf,
    /// Names the answer of one place, which has `width` numbers.
    naming: Naming,
    width: usize,
}

/// A character with what the model says of all of them.
pub(super) struct Said {
    pub(super) character: char,
    pub(super) scores: Vec<Cell>,
    /// Which of the scores is its own.
    pub(super) at: usize,
}

impl<'a> Next<'a> {
    /// For a run whose target is the character after each place of a window of text; nothing for another run.
    pub(super) fn of(past: &'a Past, encoders: &'a Encoders, loss: &str, ports: (&Leaf, &Leaf)) -> Option<Next<'a>> {
        let (spec, _) = past.training.data.as_ref()?;
        let OriginKind::Text { windows, .. } = &spec.source.kind else { return None };
        let (window, target) = (windows.window, encoders.target.as_ref()?);
        let [FittedStep::Ids(ids) | FittedStep::OneHotIds(ids)] = target.steps.as_slice() else { return None };
        let places = target.columns.len();
        // Columns below the window are its characters, those above it the characters one later.
        let reads = encoders.input.columns.iter().all(|column| *column < window);
        let answers = target.columns.contains(&last(window, window)?);
        let (base, all) = (ports.1.base, ports.1.size(1));
        let width = all.checked_div(places).filter(|width| width * places == all)?;
        let one = Encoder { columns: vec![last(window, window)?], ..target.clone() };
        let naming = Naming::new(Some(&one), loss, base, width);
        let vocabulary = ids.vocabulary.as_deref()?;
        let fits = reads && answers && naming.names_a_class();
        let port = ports.0.clone();
        fits.then_some(Next { past, input: &encoders.input, target, vocabulary, window, port, naming, width })
    }

    /// What the scores are called, and the character of each.
    pub(super) fn naming(&self) -> &Naming {
        &self.naming
    }

    /// The text of a file: without the line end at its end where the run knows none.
    pub(super) fn read(&self, name: &str, bytes: Vec<u8>, shared: &Shared) -> Result<String, End> {
        let mut text = unpacked_text(name, bytes).map_err(|d| self.past.say(shared, &d.into()))?;
        if text.ends_with('\n') && !self.vocabulary.contains(&'\n') {
            text.truncate(text.trim_end_matches(['\r', '\n']).len());
        } else if text.ends_with('\n') {
            note(shared, "the text ends with a line end, and what is predicted begins the next line");
        }
        let seen = text.chars().count().saturating_sub(self.window);
        let strange: Vec<(usize, char)> =
            text.char_indices().skip(seen).filter(|(_, c)| !self.vocabulary.contains(c)).collect();
        let Some((first, _)) = strange.first() else { return Ok(text) };
        let mut sources = SourceMap::default();
        let file = sources.add(name, text.as_str());
        let what = match strange.len() {
            1 => "a character that this run does not know".to_owned(),
            n => format!("{n} characters that this run does not know"),
        };
        let known: String = self.vocabulary.iter().collect();
        let length = text.get(*first..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
        let d = Diagnostic::error(Code::DATA_VALUE, what)
            .at(Span::new(file, *first, first + length), "not in its vocabulary")
            .help(format!("write it with the {} characters {known:?}", self.vocabulary.len()));
        messages(shared, &d.into(), &sources);
        Err(End::Fault)
    }

    /// The character after a text, then the one after that, `steps` of them.
    pub(super) fn continued<T: Float>(&self, text: &str, steps: usize, shared: &Shared) -> Result<Vec<Said>, End> {
        let mut learner = self.past.learner::<T>(None, shared)?;
        self.past.tell_state(learner.updates(), shared);
        let mut window: Vec<char> = text.chars().collect();
        let mut all = Vec::with_capacity(steps);
        for _ in 0..steps {
            window.drain(..window.len().saturating_sub(self.window));
            let out = self.after(&mut learner, &window, shared)?;
            let at = self.naming.class(&out);
            let (_, scores) = self.naming.row(&out, &shortest(self.past.training.settings.precision));
            let Some(character) = self.vocabulary.get(at).copied() else {
                let d = Diagnostic::error(Code::PREDICTION, format!("the model answers {at}, which is no character"));
                complain(shared, d.help(format!("a character is a number below {}", self.vocabulary.len())));
                return Err(End::Fault);
            };
            window.push(character);
            all.push(Said { character, scores, at });
        }
        Ok(all)
    }

    /// What the model gives at the last place of a text no longer than the window.
    fn after<T: Float>(&self, learner: &mut Learner<T>, text: &[char], shared: &Shared) -> Result<Vec<f64>, End> {
        let n = text.len();
        let place = last(self.window, n).and_then(|column| self.target.columns.iter().position(|c| *c == column));
        let Some(place) = place else { return Err(self.short(n, shared)) };
        let fillings = if n < self.window { FILLINGS.min(self.vocabulary.len()) } else { 1 };
        let row = |filling: &char| -> Vec<String> {
            let at = |column: &usize| text.get(*column).unwrap_or(filling).to_string();
            self.input.columns.iter().map(at).collect()
        };
        let rows: Vec<Vec<String>> = self.vocabulary.iter().take(fillings).map(row).collect();
        let say = |d: Diagnostic| self.past.say(shared, &d.into());
        let column = self.input.apply(&rows).map_err(say)?;
        let input = examples::<T>(&column, &self.port, "input", self.past.training.data_span).map_err(say)?;
        learner.show(Some(input), None);
        let outs = learner.predict(&(0..rows.len()).collect::<Vec<_>>()).map_err(say)?;
        let outs = outs.first().map(Tensor::to_f64).unwrap_or_default();
        let (begin, whole) = (place * self.width, self.target.columns.len() * self.width);
        let mut answers = outs.chunks(whole.max(1)).filter_map(|row| row.get(begin..begin + self.width));
        let first = answers.next().unwrap_or_default();
        let same = |other: &[f64]| first.iter().zip(other).all(|(a, b)| a.to_bits() == b.to_bits());
        if answers.all(same) { Ok(first.to_vec()) } else { Err(self.short(n, shared)) }
    }

    /// A text that is too short for an answer.
    fn short(&self, n: usize, shared: &Shared) -> End {
        let window = self.window;
        let d = match n {
            0 => Diagnostic::error(Code::INPUT_ROW, "the text is empty, and nothing stands before the first character")
                .help(format!("give it some text; the last {window} characters are read")),
            _ => Diagnostic::error(
                Code::INPUT_ROW,
                format!("the text has {n} of the {window} characters that this model reads"),
            )
            .note("what it answers after the last of them depends on what would stand behind it")
            .help(format!("give it {} more in front", window - n)),
        };
        complain(shared, d);
        End::Fault
    }
}

/// The column of the character after the first `n` of a window.
fn last(window: usize, n: usize) -> Option<usize> {
    window.checked_add(n)?.checked_sub(1).filter(|_| n > 0)
}

//! The run loop: steps in order, reports at the ends of epochs, the best state kept.

use super::float::Float;
use super::learner::Learner;
use super::metrics::Metrics;
use super::schedule::{Schedule, Turn};
use super::tensor::Tensor;
use crate::data::Parts;
use crate::elaborate::{Select, Settings};
use crate::source::Diagnostic;

/// What is known at the end of an epoch, or of `validate = every(k)` steps.
#[derive(Clone, Debug)]
pub struct Report {
    /// Updates made.
    pub step: usize,
    /// Epochs finished.
    pub epoch: usize,
    /// The mean loss of the steps since the last report; in a game that of the first player.
    pub train_loss: f64,
    /// Of several losses the mean of each; see [`Learner::loss_names`].
    pub train_losses: Vec<f64>,
    /// The validation part, if there is one.
    pub valid: Option<Metrics>,
}

/// Watches a run and may end it.
pub trait Observer<T> {
    /// After a report; `last` when the run ends with it.
    ///
    /// # Errors
    /// A message that ends the run.
    fn report(&mut self, report: &Report, learner: &Learner<T>, best: Option<&Kept<T>>) -> Result<(), Diagnostic>;

    /// After every step: how many were made, and the loss of this one.
    fn stepped(&mut self, _step: usize, _loss: f64) {}

    /// Asked before every step: whether to end here and keep what was done.
    fn interrupted(&mut self) -> bool;
}

/// A state of a learner that `select` chose.
#[derive(Clone, Debug)]
pub struct Kept<T> {
    /// Its parameters.
    pub params: Vec<Tensor<T>>,
    /// Its states.
    pub states: Vec<Tensor<T>>,
    /// Updates made until then.
    pub step: usize,
    /// The metric's value, larger is better (a loss is negated).
    pub score: f64,
}

/// The losses since the last report: of each the sum and how many there were.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Since {
    /// Of the loss.
    pub loss: (f64, usize),
    /// Of each of several losses, in a game of each player's.
    pub losses: Vec<(f64, usize)>,
}

impl Since {
    /// Takes losses by number: 0 is the loss, then each of several.
    fn add(&mut self, met: &[(usize, f64)]) {
        for (number, loss) in met {
            if self.losses.len() < *number {
                self.losses.resize(*number, (0.0, 0));
            }
            let slot = match number.checked_sub(1) {
                None => Some(&mut self.loss),
                Some(at) => self.losses.get_mut(at),
            };
            if let Some((sum, count)) = slot {
                (*sum, *count) = (*sum + loss, *count + 1);
            }
        }
    }

    /// Whether there were any.
    fn some(&self) -> bool {
        std::iter::once(&self.loss).chain(&self.losses).any(|(_, count)| *count > 0)
    }

    /// The mean loss, and of several losses each.
    fn means(&self) -> (f64, Vec<f64>) {
        #[allow(clippy::cast_precision_loss, reason = "a count of losses")]
        let mean = |(sum, count): &(f64, usize)| sum / (*count).max(1) as f64;
        (mean(&self.loss), self.losses.iter().map(mean).collect())
    }
}

/// Where a run begins: what an earlier part of it left.
#[derive(Clone, Debug)]
pub struct Started<T> {
    /// The best state so far.
    pub best: Option<Kept<T>>,
    /// The losses since the last report.
    pub since: Since,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Outcome<T> {
    /// Updates made.
    pub step: usize,
    /// The best state, if the run selects one.
    pub best: Option<Kept<T>>,
    /// The losses since the last report.
    pub since: Since,
    /// Whether the observer ended it.
    pub interrupted: bool,
    /// What ended it before its time.
    pub fault: Option<Diagnostic>,
}

/// Runs a learner from where it stands to the end of its schedule.
///
/// # Errors
/// Never by itself; a fault of the run stands in [`Outcome::fault`], with the learner as it was before.
pub fn run<T: Float>(
    learner: &mut Learner<T>,
    schedule: &mut Schedule,
    parts: &Parts,
    settings: &Settings,
    from: Started<T>,
    observer: &mut dyn Observer<T>,
) -> Outcome<T> {
    let Started { mut best, mut since } = from;
    let outcome = |learner: &Learner<T>, best, since, interrupted, fault| Outcome {
        step: learner.updates(),
        best,
        since,
        interrupted,
        fault,
    };
    // Whether something was learned since the last report.
    let mut moved = since.some() || learner.updates() == 0;
    loop {
        if observer.interrupted() {
            return outcome(learner, best, since, true, None);
        }
        let turn = match schedule.turn(learner) {
            Ok(turn) => turn,
            Err(d) => return outcome(learner, best, since, false, Some(d)),
        };
        let ends = match &turn {
            Turn::Step { batch, ends_epoch } => {
                match learner.play(batch) {
                    Ok(losses) => since.add(&losses),
                    Err(d) => return outcome(learner, best, since, false, Some(d)),
                }
                moved = true;
                // Reports stand between steps, never within the turns of one.
                if learner.turn() > 0 {
                    continue;
                }
                observer.stepped(learner.updates(), learner.met().0);
                *ends_epoch
            }
            Turn::Passed => true,
            Turn::Done => false,
        };
        let due = match (settings.validate, &turn) {
            (_, Turn::Done) => moved,
            (Some(k), Turn::Step { .. }) => learner.updates().is_multiple_of(k),
            (Some(_), Turn::Passed) => false,
            (None, _) => ends && moved,
        };
        if due {
            let made = report(learner, schedule, parts, settings, &since, &mut best);
            let said = made.and_then(|r| observer.report(&r, learner, best.as_ref()));
            if let Err(d) = said {
                return outcome(learner, best, since, false, Some(d));
            }
            since = Since::default();
            moved = false;
        }
        if turn == Turn::Done {
            return outcome(learner, best, since, false, None);
        }
    }
}

fn report<T: Float>(
    learner: &mut Learner<T>,
    schedule: &Schedule,
    parts: &Parts,
    settings: &Settings,
    since: &Since,
    best: &mut Option<Kept<T>>,
) -> Result<Report, Diagnostic> {
    let valid = if parts.valid.is_empty() { None } else { Some(learner.metrics(&parts.valid)?) };
    if let Select::Best { part, metric } = &settings.select {
        let seen = match &**part {
            "valid" => valid.clone(),
            "train" => Some(learner.metrics(&parts.train)?),
            _ => Some(learner.metrics(&parts.test)?),
        };
        let score = seen.and_then(|m| m.score(metric));
        // The later of equals is kept.
        if let Some(score) = score.filter(|s| !s.is_nan() && best.as_ref().is_none_or(|b| *s >= b.score)) {
            let (params, states) = (learner.params().to_vec(), learner.states().to_vec());
            *best = Some(Kept { params, states, step: learner.updates(), score });
        }
    }
    let (train_loss, train_losses) = since.means();
    let step = learner.updates();
    Ok(Report { step, epoch: schedule.epochs_of(learner), train_loss, train_losses, valid })
}

//! The run loop: steps in order, reports at the ends of epochs, the best state kept.

use super::float::Float;
use super::learner::Learner;
use super::metrics::Metrics;
use super::monitor::Watch;
use super::schedule::{Schedule, Turn};
use super::tensor::Tensor;
use crate::data::Parts;
use crate::elaborate::{Monitor, OnViolation, Quantity, Select, Settings};
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
    /// What the run's monitors have seen, as [`Watch::save`] writes it.
    pub watch: String,
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
    /// What its monitors have seen.
    pub watch: Watch,
}

impl<T> Started<T> {
    /// The beginning of a run.
    #[must_use]
    pub fn anew(settings: &Settings) -> Started<T> {
        Started { best: None, since: Since::default(), watch: Watch::new(&settings.monitors) }
    }
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
    /// What its monitors have seen.
    pub watch: Watch,
    /// Whether a monitor ended it.
    pub stopped: bool,
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
    let Started { best, since, watch } = from;
    // Whether something was learned since the last report.
    let moved = since.some() || learner.updates() == 0;
    let mut going = Going { settings, parts, best, since, watch, moved };
    let end = going.on(learner, schedule, observer);
    let Going { best, since, watch, .. } = going;
    let (stopped, interrupted) = (matches!(end, Ok(End::Stopped)), matches!(end, Ok(End::Interrupted)));
    Outcome { step: learner.updates(), best, since, watch, stopped, interrupted, fault: end.err() }
}

/// Why a run ended where nothing was at fault.
enum End {
    Done,
    Stopped,
    Interrupted,
}

/// A run that goes on.
struct Going<'a, T> {
    settings: &'a Settings,
    parts: &'a Parts,
    best: Option<Kept<T>>,
    since: Since,
    watch: Watch,
    moved: bool,
}

impl<T: Float> Going<'_, T> {
    fn on(
        &mut self,
        learner: &mut Learner<T>,
        schedule: &mut Schedule,
        observer: &mut dyn Observer<T>,
    ) -> Result<End, Diagnostic> {
        let settings = self.settings;
        loop {
            if settings.on_violation == OnViolation::Stop && self.watch.violated(&settings.monitors) {
                return Ok(End::Stopped);
            }
            if observer.interrupted() {
                return Ok(End::Interrupted);
            }
            let turn = schedule.turn(learner)?;
            let ends = match &turn {
                Turn::Step { batch, ends_epoch } => {
                    self.play(learner, batch)?;
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
                (_, Turn::Done) => self.moved,
                (Some(k), Turn::Step { .. }) => learner.updates().is_multiple_of(k),
                (Some(_), Turn::Passed) => false,
                (None, _) => ends && self.moved,
            };
            if due {
                let made = self.report(learner, schedule)?;
                observer.report(&made, learner, self.best.as_ref())?;
                self.since = Since::default();
                self.moved = false;
            }
            if turn == Turn::Done {
                return Ok(End::Done);
            }
        }
    }

    fn play(&mut self, learner: &mut Learner<T>, batch: &Parts) -> Result<(), Diagnostic> {
        let before = learner.updates();
        let made = learner.play(batch);
        let (loss, losses) = learner.met();
        let named = learner.loss_names();
        let number = |quantity: &Quantity| match quantity {
            Quantity::Loss(None) => Some(0),
            Quantity::Loss(Some(name)) => named.iter().position(|n| n == name).map(|at| at + 1),
            Quantity::Of(..) => None,
        };
        let of = |number: usize| number.checked_sub(1).map_or(Some(&loss), |at| losses.get(at)).copied();
        let now = learner.met_in_turn();
        let whole = made.is_ok() && learner.turn() == 0;
        let ended = made.is_err() && now.iter().filter_map(|n| of(*n)).any(|l| !l.is_finite());
        // A step is seen whole; a loss that ends the run is seen too, without those of earlier turns.
        if whole || ended {
            let met = |m: &Monitor| m.quantities.iter().all(|q| number(q).is_some_and(|n| now.contains(&n)));
            let about = |m: &Monitor| !m.reports && (whole || met(m));
            self.watch.look(&self.settings.monitors, about, before + 1, |quantity| number(quantity).and_then(of));
        }
        self.since.add(&made?);
        self.moved = true;
        Ok(())
    }

    fn report(&mut self, learner: &mut Learner<T>, schedule: &Schedule) -> Result<Report, Diagnostic> {
        let Settings { monitors, select, .. } = self.settings;
        let valid = if self.parts.valid.is_empty() { None } else { Some(learner.metrics(&self.parts.valid)?) };
        let watched = |part: &str| {
            let mut named = monitors.iter().flat_map(|m| &m.quantities);
            named.any(|q| matches!(q, Quantity::Of(p, _) if &**p == part))
        };
        let mut of_part = |part: &str, rows: &[usize]| {
            let selects = matches!(select, Select::Best { part: p, .. } if &**p == part);
            if selects || watched(part) { learner.metrics(rows).map(Some) } else { Ok(None) }
        };
        let train = of_part("train", &self.parts.train)?;
        let test = of_part("test", &self.parts.test)?;
        let seen = |part: &str| match part {
            "valid" => valid.as_ref(),
            "train" => train.as_ref(),
            _ => test.as_ref(),
        };
        if let Select::Best { part, metric } = select {
            // The loss of a first player who maximises is better when it is larger.
            let raised = metric.is_none() && learner.maximises();
            let score = seen(part).and_then(|m| if raised { m.value(None) } else { m.score(*metric) });
            // The later of equals is kept.
            if let Some(score) = score.filter(|s| !s.is_nan() && self.best.as_ref().is_none_or(|b| *s >= b.score)) {
                let (params, states) = (learner.params().to_vec(), learner.states().to_vec());
                self.best = Some(Kept { params, states, step: learner.updates(), score });
            }
        }
        let (train_loss, train_losses) = self.since.means();
        let (step, named) = (learner.updates(), learner.loss_names());
        self.watch.look(
            monitors,
            |m| m.reports,
            step,
            |quantity| match quantity {
                Quantity::Of(part, metric) => seen(part).and_then(|m| m.value(*metric)),
                Quantity::Loss(None) => Some(train_loss),
                Quantity::Loss(Some(name)) => {
                    named.iter().position(|n| n == name).and_then(|i| train_losses.get(i)).copied()
                }
            },
        );
        let epoch = schedule.epochs_of(learner);
        Ok(Report { step, epoch, train_loss, train_losses, valid, watch: self.watch.save() })
    }
}

//! A whole run of the program inside the host: its data through the world, its schedule, its selection.

use super::fault::Fault;
use super::learner::{Learner, Precise};
use crate::data::{self, Parts};
use crate::elaborate::Training;
use crate::run::{self, Float, Kept, Metrics, Observer, Report, Schedule, Started, evaluate_bits};
use crate::source::{Code, Diagnostic, World};

/// What a run gave.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Fit {
    /// Metrics of the chosen state on the training part, or of the objective when there is no data.
    pub train: Metrics,
    /// On the validation part, if there is one.
    pub valid: Option<Metrics>,
    /// On the test part, if there is one.
    pub test: Option<Metrics>,
    /// The step of the chosen state: the last, or the one that `select` found.
    pub step: usize,
    /// Whether the host ended the run.
    pub ended: bool,
}

/// Lets the host watch a run.
struct Watch<F> {
    host: F,
    stop: bool,
    /// Where `active(k)` stood when the best state was met.
    seen_at_best: (usize, usize),
}

impl<T: Float, F: FnMut(&Report) -> bool> Observer<T> for Watch<F> {
    fn report(&mut self, report: &Report, learner: &run::Learner<T>, best: Option<&Kept<T>>) -> Result<(), Diagnostic> {
        if best.is_some_and(|b| b.step == learner.updates()) {
            self.seen_at_best = (learner.seen(), learner.seen_at_step());
        }
        self.stop = !(self.host)(report);
        Ok(())
    }

    fn interrupted(&mut self) -> bool {
        self.stop
    }
}

impl Learner {
    /// Runs the program's own training from where the learner stands; its data comes through the world. After it the
    /// learner is in the state that `select` chose. `watch` is told every report and ends the run by `false`.
    ///
    /// # Errors
    /// [`Fault::Program`] when data cannot be read or does not fit, a loss is not finite, or the split is `kfold`.
    ///
    /// ```
    /// use catlearn::{Fault, MemoryWorld, Program};
    /// let text = "model line : R[1] -> R[1] = dense[1, 1]
    ///             data points { source = csv(\"p.csv\"), input = columns(0), target = columns(1) }
    ///             train fit { data = points, model = line, loss = mse, optimiser = gd(lr = 0.1), batch = all, steps = 300 }";
    /// let world = MemoryWorld::default().with("p.csv", "0,1\n1,3\n2,5\n");
    /// let mut learner = Program::parse(text, "line.lens", &world)?.learner("fit")?;
    /// let fit = learner.fit(&world, |report| report.train_loss.is_finite())?;
    /// assert!(fit.train.loss < 1e-3 && fit.step == 300);
    /// # Ok::<(), Fault>(())
    /// ```
    pub fn fit(&mut self, world: &dyn World, watch: impl FnMut(&Report) -> bool) -> Result<Fit, Fault> {
        let (training, seed) = (&self.training, self.seed);
        match &mut self.inner {
            Precise::Single(l) => fit(l, training, seed, world, watch),
            Precise::Double(l) => fit(l, training, seed, world, watch),
        }
    }
}

fn fit<T: Float>(
    learner: &mut run::Learner<T>,
    training: &Training,
    seed: u64,
    world: &dyn World,
    host: impl FnMut(&Report) -> bool,
) -> Result<Fit, Fault> {
    let data = match &training.data {
        Some((spec, from)) => Some(data::load(spec, from, world, seed, &evaluate_bits)?),
        None => None,
    };
    if data.as_ref().is_some_and(|d| !d.folds.is_empty()) {
        let d =
            Diagnostic::error(Code::DATA_SPLIT, "a run of folds is several learners").at(training.data_span, "kfold");
        return Err(d.help("use `holdout` in the program, or `catlearn train` for the folds").into());
    }
    let mut whole = run::Learner::new(training, data.as_ref(), seed)?;
    whole.stand_as(learner);
    let empty = Parts::default();
    let parts = data.as_ref().map_or(&empty, |d| &d.parts);
    let shuffle = training.shuffles(data.as_ref().is_some_and(|d| d.shuffle));
    let mut schedule = Schedule::new(training, parts, shuffle, seed);
    let mut watch = Watch { host, stop: false, seen_at_best: (0, 0) };
    let from = Started::anew(&training.settings);
    let outcome = run::run(&mut whole, &mut schedule, parts, &training.settings, from, &mut watch);
    if let Some(best) = outcome.best {
        whole.restore(best.params, best.states, best.step);
        whole.restore_turn(0);
        whole.restore_seen(watch.seen_at_best.0, watch.seen_at_best.1);
    }
    learner.stand_as(&whole);
    if let Some(d) = outcome.fault {
        return Err(d.into());
    }
    let mut on = |rows: &[usize]| if rows.is_empty() { Ok(None) } else { whole.metrics(rows).map(Some) };
    let (valid, test, train) = (on(&parts.valid)?, on(&parts.test)?, on(&parts.train)?);
    let train = match train {
        Some(metrics) => metrics,
        None => whole.metrics(&[])?,
    };
    Ok(Fit { train, valid, test, step: whole.updates(), ended: outcome.interrupted })
}

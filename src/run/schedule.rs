//! Which examples make which step: a pure function of seed and step, so that a run resumes anywhere.

use super::float::Float;
use super::learner::Learner;
use crate::elaborate::{BatchSize, Length, Settings};
use crate::random::{Stream, Use};
use crate::source::Diagnostic;

/// Numbers set aside in a stream for one epoch or step.
const STRIDE: u128 = 1 << 40;

/// How many losses are looked at together for `active(k)`, within these bounds twice the examples of a step.
const FEWEST: usize = 8;
const MOST: usize = 256;

/// What a run does next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Turn {
    /// A step on these rows.
    Step {
        /// The rows.
        rows: Vec<usize>,
        /// Whether it is the last of its epoch.
        ends_epoch: bool,
    },
    /// The epoch ended without a further step: no example that was left has a loss.
    Passed,
    /// Nothing more.
    Done,
}

/// The order of the examples of a run.
#[derive(Clone, Debug)]
pub struct Schedule {
    rows: Vec<usize>,
    batch: usize,
    shuffle: bool,
    fixed: Option<Vec<Vec<usize>>>,
    seed: u64,
    total: usize,
    /// How many passes, if the run has so many.
    epochs: Option<usize>,
    /// Whether only examples with a loss make a step.
    active: bool,
    cached: Option<(usize, Vec<usize>)>,
}

impl Schedule {
    /// The schedule of a run over training rows; no rows for a run without data.
    #[must_use]
    pub fn new(settings: &Settings, rows: &[usize], shuffle: bool, seed: u64) -> Schedule {
        let batch = match settings.batch {
            BatchSize::Rows(n) | BatchSize::Active(n) => n.max(1),
            BatchSize::All => rows.len().max(1),
        };
        let mut schedule = Schedule {
            rows: rows.to_vec(),
            batch,
            shuffle: shuffle && settings.shuffle,
            fixed: settings.order.clone(),
            seed,
            total: 0,
            epochs: if let Length::Epochs(n) = settings.length { Some(n) } else { None },
            active: matches!(settings.batch, BatchSize::Active(_)),
            cached: None,
        };
        schedule.total = match settings.length {
            // At the most one example a step.
            Length::Epochs(n) if schedule.active => n.saturating_mul(rows.len()),
            Length::Epochs(n) => n.saturating_mul(schedule.steps_per_epoch()),
            Length::Steps(n) => n,
        };
        schedule
    }

    /// How many steps an epoch has, at least one.
    #[must_use]
    pub fn steps_per_epoch(&self) -> usize {
        match &self.fixed {
            Some(batches) => batches.len().max(1),
            None => self.rows.len().div_ceil(self.batch).max(1),
        }
    }

    /// How many steps the run has; with `active(k)` the most that it can have.
    #[must_use]
    pub fn total(&self) -> usize {
        self.total
    }

    /// The epoch of a step, from 0.
    #[must_use]
    pub fn epoch(&self, step: usize) -> usize {
        step / self.steps_per_epoch()
    }

    /// Whether a step is the last of its epoch.
    #[must_use]
    pub fn ends_epoch(&self, step: usize) -> bool {
        (step + 1).is_multiple_of(self.steps_per_epoch())
    }

    /// What the run does next, with a learner that stands where the run stands.
    ///
    /// # Errors
    /// A message when the losses of the examples cannot be computed.
    pub fn turn<T: Float>(&mut self, learner: &mut Learner<T>) -> Result<Turn, Diagnostic> {
        let at = learner.updates();
        if at >= self.total {
            return Ok(Turn::Done);
        }
        if self.active {
            return self.active_turn(learner);
        }
        Ok(Turn::Step { rows: self.batch(at), ends_epoch: self.ends_epoch(at) })
    }

    /// The next examples whose loss is not zero, at most as many as a batch has, none of two epochs.
    fn active_turn<T: Float>(&mut self, learner: &mut Learner<T>) -> Result<Turn, Diagnostic> {
        let n = self.rows.len();
        let epoch = learner.seen().checked_div(n).unwrap_or(0);
        // An epoch without a loss changes nothing, so neither would the next.
        let idle = learner.seen() >= learner.seen_at_step() + 2 * n.max(1);
        if n == 0 || idle || self.epochs.is_some_and(|e| epoch >= e) {
            return Ok(Turn::Done);
        }
        self.fill(epoch);
        let order = self.cached.as_ref().map(|(_, o)| o.as_slice()).unwrap_or_default();
        let look = (2 * self.batch).clamp(FEWEST, MOST);
        let mut rows = Vec::new();
        let mut at = learner.seen() % n;
        while at < n && rows.len() < self.batch {
            let chunk = order.get(at..(at + look).min(n)).unwrap_or_default();
            let active = learner.active(chunk)?;
            for (row, active) in chunk.iter().zip(active) {
                if rows.len() == self.batch {
                    break;
                }
                at += 1;
                if active {
                    rows.push(*row);
                }
            }
        }
        let (seen, ends_epoch) = (epoch * n + at, at == n);
        if rows.is_empty() {
            learner.pass(seen);
            return Ok(Turn::Passed);
        }
        learner.plan(seen);
        Ok(Turn::Step { rows, ends_epoch })
    }

    /// The order of an epoch, kept.
    fn fill(&mut self, epoch: usize) {
        if self.cached.as_ref().is_none_or(|(e, _)| *e != epoch) {
            let mut order = self.rows.clone();
            if self.shuffle {
                let mut stream = Stream::new(self.seed, Use::Shuffle);
                stream.seek(epoch as u128 * STRIDE);
                stream.shuffle(&mut order);
            }
            self.cached = Some((epoch, order));
        }
    }

    /// How many epochs the run has, as far as that is known before it runs.
    #[must_use]
    pub fn epochs(&self) -> usize {
        self.epochs.unwrap_or_else(|| self.epoch(self.total)).max(1)
    }

    /// How many epochs a learner has finished.
    #[must_use]
    pub fn epochs_of<T: Float>(&self, learner: &Learner<T>) -> usize {
        if self.active {
            learner.seen().checked_div(self.rows.len()).unwrap_or(0)
        } else {
            self.epoch(learner.updates())
        }
    }

    /// How many examples a learner has taken or passed; a step without data counts as one.
    #[must_use]
    pub fn samples_of<T: Float>(&self, learner: &Learner<T>) -> usize {
        let (n, steps) = (self.rows.len(), learner.updates());
        if self.active {
            return learner.seen();
        }
        if let Some(batches) = &self.fixed {
            return batches.iter().cycle().take(steps).map(|b| b.len().max(1)).sum();
        }
        if n == 0 {
            return steps;
        }
        let (epochs, rest) = (steps / self.steps_per_epoch(), steps % self.steps_per_epoch());
        epochs * n + (rest * self.batch).min(n)
    }

    /// The rows of a step.
    pub fn batch(&mut self, step: usize) -> Vec<usize> {
        if let Some(batches) = &self.fixed {
            return batches.get(step % batches.len().max(1)).cloned().unwrap_or_default();
        }
        let epoch = self.epoch(step);
        self.fill(epoch);
        let at = step % self.steps_per_epoch() * self.batch;
        let order = self.cached.as_ref().map(|(_, o)| o.as_slice()).unwrap_or_default();
        order.get(at..(at + self.batch).min(order.len())).unwrap_or_default().to_vec()
    }
}

/// The stream of the rule's noise of a step.
#[must_use]
pub(super) fn rule_noise_of(seed: u64, step: usize) -> Stream {
    let mut stream = Stream::new(seed, Use::Rule);
    stream.seek(step as u128 * STRIDE);
    stream
}

/// The stream of noise of a step.
#[must_use]
pub(super) fn noise_of(seed: u64, step: usize) -> Stream {
    let mut stream = Stream::new(seed, Use::Noise);
    stream.seek(step as u128 * STRIDE);
    stream
}

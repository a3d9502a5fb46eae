//! Which examples make which step: a pure function of seed and step, so that a run resumes anywhere.

use crate::elaborate::{BatchSize, Length, Settings};
use crate::random::{Stream, Use};

/// Numbers set aside in a stream for one epoch or step.
const STRIDE: u128 = 1 << 40;

/// The order of the examples of a run.
#[derive(Clone, Debug)]
pub struct Schedule {
    rows: Vec<usize>,
    batch: usize,
    shuffle: bool,
    fixed: Option<Vec<Vec<usize>>>,
    seed: u64,
    total: usize,
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
            cached: None,
        };
        schedule.total = match settings.length {
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

    /// How many steps the run has.
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

    /// The rows of a step.
    pub fn batch(&mut self, step: usize) -> Vec<usize> {
        if let Some(batches) = &self.fixed {
            return batches.get(step % batches.len().max(1)).cloned().unwrap_or_default();
        }
        let epoch = self.epoch(step);
        if self.cached.as_ref().is_none_or(|(e, _)| *e != epoch) {
            let mut order = self.rows.clone();
            if self.shuffle {
                let mut stream = Stream::new(self.seed, Use::Shuffle);
                stream.seek(epoch as u128 * STRIDE);
                stream.shuffle(&mut order);
            }
            self.cached = Some((epoch, order));
        }
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

//! Which examples make which step: a pure function of seed and step, so that a run resumes anywhere.

use super::float::Float;
use super::learner::{Learner, rows_of};
use crate::data::Parts;
use crate::elaborate::{BatchSize, Length, Part, Player, Training, Turns};
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
    /// A turn on these rows, a batch of each part that it reads.
    Step {
        /// The rows.
        batch: Parts,
        /// Whether an epoch ends with it.
        ends_epoch: bool,
    },
    /// The epoch ended without a further step: no example that was left has a loss.
    Passed,
    /// Nothing more.
    Done,
}

/// The order of the examples of a part.
#[derive(Clone, Debug)]
struct Order {
    part: Part,
    rows: Vec<usize>,
    batch: usize,
    shuffle: bool,
    fixed: Option<Vec<Vec<usize>>>,
    seed: u64,
    cached: Option<(usize, Vec<usize>)>,
}

impl Order {
    /// How many batches a pass has, at least one.
    fn batches(&self) -> usize {
        match &self.fixed {
            Some(batches) => batches.len().max(1),
            None => self.rows.len().div_ceil(self.batch).max(1),
        }
    }

    /// The order of a pass, kept.
    fn pass(&mut self, epoch: usize) -> &[usize] {
        if self.cached.as_ref().is_none_or(|(e, _)| *e != epoch) {
            let mut order = self.rows.clone();
            if self.shuffle {
                let mut stream = Stream::new(self.seed, Use::Shuffle);
                stream.seek(epoch as u128 * STRIDE);
                stream.shuffle(&mut order);
            }
            self.cached = Some((epoch, order));
        }
        self.cached.as_ref().map(|(_, o)| o.as_slice()).unwrap_or_default()
    }

    /// The rows of a batch, counted through all passes.
    fn batch(&mut self, number: usize) -> Vec<usize> {
        if let Some(batches) = &self.fixed {
            return batches.get(number % batches.len().max(1)).cloned().unwrap_or_default();
        }
        let (each, size) = (self.batches(), self.batch);
        let at = number % each * size;
        let order = self.pass(number / each);
        order.get(at..(at + size).min(order.len())).unwrap_or_default().to_vec()
    }

    /// How many examples so many batches have.
    fn samples(&self, batches: usize) -> usize {
        if let Some(fixed) = &self.fixed {
            return fixed.iter().cycle().take(batches).map(|b| b.len().max(1)).sum();
        }
        let (passes, rest) = (batches / self.batches(), batches % self.batches());
        passes * self.rows.len() + (rest * self.batch).min(self.rows.len())
    }
}

/// The order of the examples of a run: that of every part which a player reads.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// The part that the first player reads; its passes are the epochs.
    first: Order,
    others: Vec<Order>,
    /// How many batches of the first part a step of the run takes, at least one.
    reads: usize,
    total: usize,
    /// How many passes, if the run has so many.
    epochs: Option<usize>,
    /// Whether only examples with a loss make a step.
    active: bool,
}

impl Schedule {
    /// The schedule of a run over the rows of its data; no rows for a run without data.
    #[must_use]
    pub fn new(training: &Training, parts: &Parts, shuffle: bool, seed: u64) -> Schedule {
        let settings = &training.settings;
        let order = |part: Part| {
            let rows = rows_of(parts, part);
            let batch = match settings.batch {
                BatchSize::Rows(n) | BatchSize::Active(n) => n.max(1),
                BatchSize::All => rows.len().max(1),
            };
            let fixed = settings.order.clone().filter(|_| part == Part::Train);
            let shuffle = shuffle && settings.shuffle;
            Order { part, rows: rows.to_vec(), batch, shuffle, fixed, seed, cached: None }
        };
        let players: Vec<&Player> = training.players().collect();
        let reads =
            |turns: &Turns, part: Part| turns.players.iter().any(|i| players.get(*i).is_some_and(|p| p.part == part));
        let first = training.player.part;
        let of_first = training.cycle.iter().filter(|t| reads(t, first)).map(|t| t.times).sum::<usize>();
        let others = Part::ALL.into_iter().filter(|p| *p != first && players.iter().any(|q| q.part == *p));
        let mut schedule = Schedule {
            first: order(first),
            others: others.map(order).collect(),
            reads: of_first.max(1),
            total: 0,
            epochs: if let Length::Epochs(n) = settings.length { Some(n) } else { None },
            active: matches!(settings.batch, BatchSize::Active(_)),
        };
        schedule.total = match settings.length {
            // At the most one example a step.
            Length::Epochs(n) if schedule.active => n.saturating_mul(schedule.first.rows.len()),
            Length::Epochs(n) => n.saturating_mul(schedule.first.batches()).div_ceil(schedule.reads),
            Length::Steps(n) => n,
        };
        schedule
    }

    /// How many steps the run has; with `active(k)` the most that it can have.
    #[must_use]
    pub fn total(&self) -> usize {
        self.total
    }

    /// The epoch of a step, from 0.
    #[must_use]
    pub fn epoch(&self, step: usize) -> usize {
        step.saturating_mul(self.reads) / self.first.batches()
    }

    /// Whether an epoch ends within a step.
    #[must_use]
    pub fn ends_epoch(&self, step: usize) -> bool {
        self.epoch(step + 1) > self.epoch(step)
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
        Ok(Turn::Step { batch: self.next(learner), ends_epoch: self.ends_epoch(at) })
    }

    /// A batch of each part that the next turn of a learner reads.
    pub fn next<T: Float>(&mut self, learner: &Learner<T>) -> Parts {
        self.gathered(learner.reads())
    }

    /// A batch of each part of the run: those that the next turns which read them will take.
    pub fn coming<T: Float>(&mut self, learner: &Learner<T>) -> Parts {
        let parts = std::iter::once(&self.first).chain(&self.others).map(|order| order.part);
        let all = parts.map(|part| (part, learner.taken(part))).collect();
        self.gathered(all)
    }

    fn gathered(&mut self, which: Vec<(Part, usize)>) -> Parts {
        let mut batch = Parts::default();
        for (part, number) in which {
            let orders = std::iter::once(&mut self.first).chain(&mut self.others);
            let rows = orders.into_iter().find(|o| o.part == part).map(|o| o.batch(number)).unwrap_or_default();
            match part {
                Part::Train => batch.train = rows,
                Part::Valid => batch.valid = rows,
                Part::Test => batch.test = rows,
            }
        }
        batch
    }

    /// The next examples whose loss is not zero, at most as many as a batch has, none of two epochs.
    fn active_turn<T: Float>(&mut self, learner: &mut Learner<T>) -> Result<Turn, Diagnostic> {
        let n = self.first.rows.len();
        let epoch = learner.seen().checked_div(n).unwrap_or(0);
        // An epoch without a loss changes nothing, so neither would the next.
        let idle = learner.seen() >= learner.seen_at_step() + 2 * n.max(1);
        if n == 0 || idle || self.epochs.is_some_and(|e| epoch >= e) {
            return Ok(Turn::Done);
        }
        let size = self.first.batch;
        let order = self.first.pass(epoch);
        let look = (2 * size).clamp(FEWEST, MOST);
        let mut rows = Vec::new();
        let mut at = learner.seen() % n;
        while at < n && rows.len() < size {
            let chunk = order.get(at..(at + look).min(n)).unwrap_or_default();
            let active = learner.active(chunk)?;
            for (row, active) in chunk.iter().zip(active) {
                if rows.len() == size {
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
        Ok(Turn::Step { batch: Parts { train: rows, ..Parts::default() }, ends_epoch })
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
            learner.seen().checked_div(self.first.rows.len()).unwrap_or(0)
        } else {
            self.epoch(learner.updates())
        }
    }

    /// How many examples a learner has taken or passed; a step without data counts as one.
    #[must_use]
    pub fn samples_of<T: Float>(&self, learner: &Learner<T>) -> usize {
        if self.active {
            return learner.seen();
        }
        if self.first.rows.is_empty() && self.first.fixed.is_none() {
            return learner.updates();
        }
        std::iter::once(&self.first).chain(&self.others).map(|o| o.samples(learner.taken(o.part))).sum()
    }

    /// The rows that the first player takes in a step, its first batch of them.
    pub fn batch(&mut self, step: usize) -> Vec<usize> {
        self.first.batch(step.saturating_mul(self.reads))
    }
}

/// The stream of the rule's noise of a turn.
#[must_use]
pub(super) fn rule_noise_of(seed: u64, step: usize) -> Stream {
    let mut stream = Stream::new(seed, Use::Rule);
    stream.seek(step as u128 * STRIDE);
    stream
}

/// The stream of noise of a turn.
#[must_use]
pub(super) fn noise_of(seed: u64, step: usize) -> Stream {
    let mut stream = Stream::new(seed, Use::Noise);
    stream.seek(step as u128 * STRIDE);
    stream
}

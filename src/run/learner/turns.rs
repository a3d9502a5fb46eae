//! Who moves when, and what a turn makes of the state.
//!
//! A step of the run is a cycle of turns; the players of a turn move at one old state, all who read the same part of the
//! data in one diagram. A turn that fails leaves everything as it was.

use super::{Learner, rows_of};
use crate::compile::simplify;
use crate::data::Parts;
use crate::elaborate::{Parameter, Part, Player, StatePort, Training};
use crate::learn::step_of;
use crate::random::Stream;
use crate::run::fault::RunFault;
use crate::run::feed::Fed;
use crate::run::float::Float;
use crate::run::schedule::{noise_of, rule_noise_of};
use crate::run::tensor::Tensor;
use crate::source::{Code, Diagnostic, Diagnostics};
use std::sync::Arc;

/// What a step would be made of.
#[derive(Clone, Debug)]
pub struct Watched<T> {
    /// The aggregated loss at the point of the first request; in a game that of the first player.
    pub loss: f64,
    /// Of several losses each, aggregated likewise, in a game that of each player; see [`Learner::loss_names`].
    pub losses: Vec<f64>,
    /// The first requests, one a parameter that has a tangent; see [`Learner::request_paths`].
    pub requests: Vec<Tensor<T>>,
}

/// Players that move at one old state on one batch.
#[derive(Clone, Debug)]
pub(super) struct Move<T> {
    players: Vec<usize>,
    part: Part,
    pub(super) fed: Fed<T>,
    /// How many losses it meets.
    losses: usize,
    /// The parameters that requests are made for.
    pub(super) asked: Vec<Arc<str>>,
    /// For every state and parameter whether it is for this move to change.
    owns: Vec<bool>,
}

/// The moves of players at one old state: one for all that read the same part of the data.
pub(super) fn moves<T: Float>(
    training: &Training,
    which: &[usize],
    watched: bool,
) -> Result<Vec<Move<T>>, Diagnostics> {
    let all: Vec<&Player> = training.players().collect();
    let mut made = Vec::new();
    for part in Part::ALL {
        let numbers: Vec<usize> =
            which.iter().copied().filter(|i| all.get(*i).is_some_and(|p| p.part == part)).collect();
        let players: Vec<&Player> = numbers.iter().filter_map(|i| all.get(*i).copied()).collect();
        if players.is_empty() {
            continue;
        }
        let step = step_of(training, &players).map_err(|f| f.diagnostics(training))?;
        let rules: Vec<Parameter> = players.iter().flat_map(|p| &p.rule.noise).cloned().collect();
        let diagram = simplify(if watched { &step.watched } else { &step.diagram });
        let states = training.states();
        let of_state = |s: &StatePort| players.iter().any(|p| p.rule.states.iter().any(|own| own.path == s.path));
        let of_param = |q: &Parameter| players.iter().any(|p| p.rule.leaves.iter().any(|(path, _)| *path == q.path));
        made.push(Move {
            players: numbers,
            part,
            fed: Fed::new(&diagram, training, &training.noise, &rules),
            losses: step.losses,
            asked: step.asked,
            owns: states.iter().map(of_state).chain(training.params.iter().map(of_param)).collect(),
        });
    }
    Ok(made)
}

impl<T: Float> Learner<T> {
    pub(super) fn turns_per_step(&self) -> usize {
        self.cycle.iter().map(|(_, times)| times).sum::<usize>().max(1)
    }

    /// The number of the turn that comes next, of all that were made and will be.
    pub(super) fn turns(&self) -> usize {
        self.updates.saturating_mul(self.turns_per_step()).saturating_add(self.turn)
    }

    /// Which kind of turn comes next.
    fn kind(&self) -> usize {
        let mut before = 0;
        let ends = self.cycle.iter().map(|(_, times)| {
            before += times;
            before
        });
        ends.filter(|end| *end <= self.turn).count()
    }

    /// How many turns were made of those that `counts` chooses.
    fn made(&self, counts: impl Fn(&Move<T>) -> bool) -> usize {
        let (mut each, mut now, mut before) = (0, 0, 0);
        for (moves, times) in &self.cycle {
            if moves.iter().any(&counts) {
                each += times;
                now += self.turn.saturating_sub(before).min(*times);
            }
            before += times;
        }
        self.updates.saturating_mul(each).saturating_add(now)
    }

    /// The parts that the next turn reads, each with how many batches of it were taken before.
    #[must_use]
    pub fn reads(&self) -> Vec<(Part, usize)> {
        let moves = self.cycle.get(self.kind()).map(|(moves, _)| moves.as_slice()).unwrap_or_default();
        moves.iter().map(|m| (m.part, self.taken(m.part))).collect()
    }

    /// How many batches of a part were taken.
    #[must_use]
    pub fn taken(&self, part: Part) -> usize {
        self.made(|m| m.part == part)
    }

    /// How many turns the players of a move have made; those who move together have made as many.
    pub(super) fn clock_of(&self, m: &Move<T>) -> usize {
        self.made(|other| m.players.first().is_some_and(|p| other.players.contains(p)))
    }

    /// What a move is given: the old state, a batch, the clock of its players.
    fn inputs_of(
        &self,
        m: &Move<T>,
        rows: &[usize],
        clock: usize,
        streams: &mut (Stream, Stream),
    ) -> Result<Vec<Tensor<T>>, RunFault> {
        self.fill(&m.fed.feeds, &self.params, rows, clock, (&mut streams.0, Some(&mut streams.1)))
    }

    /// The streams of noise of the next turn.
    fn streams(&self) -> (Stream, Stream) {
        (noise_of(self.seed, self.turns()), rule_noise_of(self.seed, self.turns()))
    }

    /// One update on a batch of rows, in a game the next turn; the aggregated loss of the first who moves at the point
    /// of its first request.
    ///
    /// # Errors
    /// A message when the machine cannot run or the loss is not a number; parameters and states are then as before.
    pub fn step(&mut self, rows: &[usize]) -> Result<f64, Diagnostic> {
        let batch = Parts { train: rows.to_vec(), valid: rows.to_vec(), test: rows.to_vec() };
        let losses = self.play(&batch)?;
        Ok(losses.first().map_or(f64::NAN, |(_, loss)| *loss))
    }

    /// The next turn on a batch of each part that it reads. Gives the losses it met by number: 0 is the loss, then each
    /// of several; in a game 0 is the first player's, then come those of all who moved.
    ///
    /// # Errors
    /// Those of [`Learner::step`].
    pub fn play(&mut self, batch: &Parts) -> Result<Vec<(usize, f64)>, Diagnostic> {
        let kind = self.kind();
        // The clocks count moves of this turn too, so they are read while those are at their place.
        let Some((moves, _)) = self.cycle.get(kind) else { return Ok(Vec::new()) };
        let clocks: Vec<usize> = moves.iter().map(|m| self.clock_of(m)).collect();
        let mut moves = self.cycle.get_mut(kind).map(|slot| std::mem::take(&mut slot.0)).unwrap_or_default();
        self.met_in_turn.clear();
        let made = self.make(&mut moves, &clocks, batch);
        if let Some(slot) = self.cycle.get_mut(kind) {
            slot.0 = moves;
        }
        let (losses, made) = made?;
        for (number, loss) in &losses {
            self.met_in_turn.push(*number);
            match number.checked_sub(1) {
                None => self.met.0 = *loss,
                Some(at) => self.met.1.get_mut(at).into_iter().for_each(|slot| *slot = *loss),
            }
        }
        let (states, params) = made?;
        self.states = states;
        self.params = params;
        self.turn += 1;
        if self.turn >= self.turns_per_step() {
            self.turn = 0;
            self.updates += 1;
        }
        let seen = self.planned.take().unwrap_or(self.seen.0);
        self.seen = (seen, seen);
        Ok(losses)
    }

    /// What the moves of a turn make of the state: the losses, then states and parameters.
    fn make(&self, moves: &mut [Move<T>], clocks: &[usize], batch: &Parts) -> Result<Moved<T>, Diagnostic> {
        let mut streams = self.streams();
        let mut losses = Vec::new();
        let mut next: Vec<Tensor<T>> = self.states.iter().chain(&self.params).cloned().collect();
        for (m, clock) in moves.iter_mut().zip(clocks) {
            let rows = rows_of(batch, m.part);
            let inputs = self.inputs_of(m, rows, *clock, &mut streams).map_err(|f| self.message(&f))?;
            let made = m.fed.machine.run(&inputs, rows.len().max(1));
            drop(inputs);
            let mut outs = made.map_err(|f| self.message(&f))?;
            let ends = outs.split_off(next.len().min(outs.len()));
            losses.extend(self.numbered(m, &ends, rows.len()));
            for ((slot, new), owns) in next.iter_mut().zip(outs).zip(&m.owns) {
                if *owns {
                    *slot = new;
                }
            }
        }
        losses.sort_by_key(|(number, _)| *number);
        let params = next.split_off(self.states.len());
        let fine = self.finite_losses(&losses).and_then(|()| self.finite(&next, &params));
        Ok((losses, fine.map(|()| (next, params))))
    }

    /// The losses that a move met, by number.
    fn numbered(&self, m: &Move<T>, losses: &[Tensor<T>], rows: usize) -> Vec<(usize, f64)> {
        let losses = losses.iter().map(|t| loss_of(t, rows));
        if !self.game {
            return losses.enumerate().collect();
        }
        let each = m.players.iter().zip(losses);
        each.flat_map(|(p, loss)| [(1 + p, loss)].into_iter().chain((*p == 0).then_some((0, loss)))).collect()
    }

    /// Refuses a loss that is no number.
    fn finite_losses(&self, losses: &[(usize, f64)]) -> Result<(), Diagnostic> {
        let trained = losses.iter().filter(|(number, _)| self.game || *number == 0);
        let Some((number, loss)) = trained.into_iter().rfind(|(_, loss)| !loss.is_finite()) else { return Ok(()) };
        let name = number.checked_sub(1).and_then(|at| self.loss_names.get(at));
        let whose = match name {
            Some(name) => format!("the loss of `{name}` in step {}", self.updates + 1),
            None => format!("the loss of update {}", self.updates + 1),
        };
        Err(Diagnostic::error(Code::RUN_NOT_FINITE, format!("{whose} is {loss}"))
            .at(self.span, "in this run")
            .note("the state before that update is kept")
            .help(match self.updates {
                // No rate has been used yet.
                0 => "the loss is no number where the run begins: look at its logarithms, roots and divisions",
                _ => "a smaller rate, or `clip_norm` behind the rule, often helps",
            }))
    }

    /// Refuses a state that became infinite or no number.
    fn finite(&self, states: &[Tensor<T>], params: &[Tensor<T>]) -> Result<(), Diagnostic> {
        let endless = |t: &Tensor<T>| t.reals().is_some_and(|v| v.iter().any(|x| !x.to_f64().is_finite()));
        // A state may stay infinite, it may not become so: Adam's second moment at infinity would stop all learning.
        let states = states.iter().zip(&self.state_leaves).zip(&self.states);
        let broken_state = states.filter(|((new, _), old)| endless(new) && !endless(old)).map(|(pair, _)| pair).next();
        let broken = params.iter().zip(&self.param_leaves).find(|(t, _)| endless(t)).or(broken_state);
        let Some((_, (path, _))) = broken else { return Ok(()) };
        Err(Diagnostic::error(
            Code::RUN_NOT_FINITE,
            format!("update {} makes `{path}` infinite or no number", self.updates + 1),
        )
        .at(self.span, "in this run")
        .note("the state before that update is kept")
        .help("a smaller rate, or `clip_norm` behind the rule, often helps"))
    }

    /// The losses and the first requests of all players on a batch of rows, without an update.
    ///
    /// # Errors
    /// A message when the machine cannot run.
    pub fn watch(&mut self, rows: &[usize]) -> Result<Watched<T>, Diagnostic> {
        self.watch_on(&Parts { train: rows.to_vec(), valid: rows.to_vec(), test: rows.to_vec() })
    }

    /// The same on a batch of each part.
    ///
    /// # Errors
    /// Those of [`Learner::watch`].
    pub fn watch_on(&mut self, batch: &Parts) -> Result<Watched<T>, Diagnostic> {
        let mut moves = std::mem::take(&mut self.watched);
        let seen = self.look(&mut moves, batch);
        self.watched = moves;
        seen.map_err(|f| self.message(&f))
    }

    fn look(&self, moves: &mut [Move<T>], batch: &Parts) -> Result<Watched<T>, RunFault> {
        let mut streams = self.streams();
        let (mut losses, mut requests) = (Vec::new(), Vec::new());
        for m in moves {
            let rows = rows_of(batch, m.part);
            let inputs = self.inputs_of(m, rows, self.clock_of(m), &mut streams)?;
            let mut outs = m.fed.machine.run(&inputs, rows.len().max(1))?;
            let mut ends = outs.split_off((self.states.len() + self.params.len()).min(outs.len()));
            requests.extend(ends.split_off(m.losses.min(ends.len())));
            losses.extend(self.numbered(m, &ends, rows.len()));
        }
        losses.sort_by_key(|(number, _)| *number);
        let mut losses = losses.into_iter().map(|(_, loss)| loss);
        Ok(Watched { loss: losses.next().unwrap_or(f64::NAN), losses: losses.collect(), requests })
    }
}

/// The mean loss of an example: a loss over bits or votes comes as the exact total over the batch.
#[allow(clippy::cast_precision_loss, reason = "a count of rows")]
fn loss_of<T: Float>(loss: &Tensor<T>, rows: usize) -> f64 {
    let value = loss.to_f64().first().copied().unwrap_or(f64::NAN);
    if loss.ints().is_some() { value / rows.max(1) as f64 } else { value }
}

/// Losses by number; states and parameters behind a turn, if they can be kept.
type Moved<T> = (Vec<(usize, f64)>, Result<(Vec<Tensor<T>>, Vec<Tensor<T>>), Diagnostic>);

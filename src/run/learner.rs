//! A learner: parameters and states, moved by a step over batches of rows.
//!
//! In: a training run, its data set, a seed. [`Learner::step`] runs the compiled step on the reference machine; the same
//! rows from the same state give the same bits. Knows no files and no clock.

use super::batches::{Rows, beyond};
use super::fault::RunFault;
use super::feed::{Fed, Feed};
use super::float::Float;
use super::init::{draw, room};
use super::metrics::{Asked, Metrics};
use super::reference::Machine;
use super::schedule::{noise_of, rule_noise_of};
use super::suits::{columns, one_class, suits};
use super::tensor::Tensor;
use crate::compile::simplify;
use crate::data::{Dataset, Parts};
use crate::diagram::{Builder, Diagram, Port, Role, TypeFault, Wire};
use crate::elaborate::{Parameter, Part, Player, StateInit, StatePort, Training};
use crate::learn::{batched, step_of};
use crate::object::Leaf;
use crate::random::{Stream, Use};
use crate::source::{Code, Diagnostic, Diagnostics, Span};
use std::sync::Arc;

/// Rows looked at together outside training.
const CHUNK: usize = 256;

/// A named leaf.
pub type Named = (Arc<str>, Leaf);

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
struct Move<T> {
    players: Vec<usize>,
    part: Part,
    fed: Fed<T>,
    /// How many losses it meets.
    losses: usize,
    /// The parameters that requests are made for.
    asked: Vec<Arc<str>>,
    /// For every state and parameter whether it is for this move to change.
    owns: Vec<bool>,
}

/// Parameters and states of a training run, and the machines that move them.
#[derive(Clone, Debug)]
pub struct Learner<T> {
    /// The moves of each kind of turn, and how often it comes in a row.
    cycle: Vec<(Vec<Move<T>>, usize)>,
    /// All players at one state.
    watched: Vec<Move<T>>,
    evaluate: Fed<T>,
    predict: Option<Fed<T>>,
    at: Option<Fed<T>>,
    /// Whether each player has a loss of its own.
    game: bool,
    loss_names: Vec<Arc<str>>,
    /// The loss that was met last, and of several each.
    met: (f64, Vec<f64>),
    param_leaves: Vec<Named>,
    state_leaves: Vec<Named>,
    input: Option<Rows<T>>,
    target: Option<Rows<T>>,
    params: Vec<Tensor<T>>,
    states: Vec<Tensor<T>>,
    /// For every state the parameter that it begins as, if it does.
    copies: Vec<Option<usize>>,
    updates: usize,
    /// Turns made of the step that is not done yet.
    turn: usize,
    /// Examples passed by `active(k)`, and how many had been at the last step.
    seen: (usize, usize),
    /// What `seen` will be once the step on the examples found has been made.
    planned: Option<usize>,
    seed: u64,
    span: Span,
    asked: Asked,
    one_class: bool,
}

/// The moves of players at one old state: one for all that read the same part of the data.
fn moves<T: Float>(training: &Training, which: &[usize], watched: bool) -> Result<Vec<Move<T>>, Diagnostics> {
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
    /// Draws parameters and states and makes the machines.
    ///
    /// # Errors
    /// Messages when the data does not fit the model, or something has no reverse derivative.
    pub fn new(training: &Training, data: Option<&Dataset>, seed: u64) -> Result<Learner<T>, Diagnostics> {
        let span = training.span;
        let everybody: Vec<usize> = (0..training.players().count()).collect();
        let watched = moves(training, &everybody, true)?;
        let mut cycle = Vec::new();
        for turns in &training.cycle {
            cycle.push((moves(training, &turns.players, false)?, turns.times));
        }
        let inner = |f: TypeFault| -> Diagnostics {
            Diagnostic::error(Code::SHAPE, format!("this cannot be batched: {f}")).at(span, "").into()
        };
        let noise = &training.noise;
        let losses: Vec<&Diagram> = training.players().map(|p| &p.evaluate).collect();
        let evaluate = batched(&beside(&losses).map_err(inner)?).map_err(inner)?;
        let evaluate = Fed::new(&simplify(&evaluate), training, noise, &[]);
        let predict = match &training.predict {
            Some(model) => {
                Some(Fed::new(&simplify(&batched(&model.diagram).map_err(inner)?), training, &model.noise, &[]))
            }
            None => None,
        };
        let at = if training.players().any(|p| p.rule.evaluates) {
            Some(Fed::new(&evaluation_point(training).map_err(inner)?, training, &[], &[]))
        } else {
            None
        };
        let (input, target) = columns(training, data)?;
        suits(training, data)?;
        let run =
            |f: RunFault| -> Diagnostics { Diagnostic::error(Code::INITIALISER, f.to_string()).at(span, "").into() };
        let sizes = training.params.iter().map(|p| (&p.path, &p.leaf));
        let state_ports = training.states();
        room::<T>(sizes.chain(state_ports.iter().map(|s| (&s.path, &s.leaf)))).map_err(|d| d.at(span, ""))?;
        let begin = |path: &str, init, leaf, stream: &mut Stream| -> Result<Tensor<T>, Diagnostics> {
            let made: Tensor<T> = draw(init, leaf, stream).map_err(run)?;
            if made.reals().is_some_and(|v| v.iter().any(|x| !x.to_f64().is_finite())) {
                return Err(beyond(&format!("the start of `{path}` is"), Code::INITIALISER).at(span, "").into());
            }
            Ok(made)
        };
        let mut stream = Stream::new(seed, Use::Init);
        let mut params = Vec::new();
        for p in &training.params {
            params.push(begin(&p.path, &p.init, &p.leaf, &mut stream)?);
        }
        let mut states = Vec::new();
        for s in &state_ports {
            states.push(match &s.init {
                StateInit::Draw(init) => begin(&s.path, init, &s.leaf, &mut stream)?,
                StateInit::Param(i) => params.get(*i).cloned().unwrap_or_else(|| Tensor::zeros(&s.leaf, 1)),
            });
        }
        let copied = |s: &StatePort| if let StateInit::Param(i) = s.init { Some(i) } else { None };
        Ok(Learner {
            cycle,
            watched,
            evaluate,
            predict,
            at,
            game: !training.others.is_empty(),
            met: (f64::NAN, vec![f64::NAN; training.losses.len()]),
            loss_names: training.losses.clone(),
            param_leaves: training.params.iter().map(|p| (p.path.clone(), p.leaf.clone())).collect(),
            copies: state_ports.iter().map(copied).collect(),
            state_leaves: state_ports.into_iter().map(|s| (s.path, s.leaf)).collect(),
            input,
            target,
            params,
            states,
            updates: 0,
            turn: 0,
            seen: (0, 0),
            planned: None,
            seed,
            span,
            asked: Asked::by(&training.settings),
            one_class: data.is_some_and(one_class),
        })
    }

    /// The parameters' paths and types.
    #[must_use]
    pub fn param_leaves(&self) -> &[Named] {
        &self.param_leaves
    }

    /// What each of several losses is called, in a game by its player; nothing where there is one.
    #[must_use]
    pub fn loss_names(&self) -> &[Arc<str>] {
        &self.loss_names
    }

    /// The loss that was met last, also one that ended the run, and of several losses each; in a game that of the first
    /// player, and each player's.
    #[must_use]
    pub fn met(&self) -> (f64, &[f64]) {
        (self.met.0, &self.met.1)
    }

    /// The paths of the parameters that requests are made for, in the order of [`Watched::requests`].
    #[must_use]
    pub fn request_paths(&self) -> Vec<Arc<str>> {
        self.watched.iter().flat_map(|m| &m.asked).cloned().collect()
    }

    /// The states' paths and types.
    #[must_use]
    pub fn state_leaves(&self) -> &[Named] {
        &self.state_leaves
    }

    /// The parameters.
    #[must_use]
    pub fn params(&self) -> &[Tensor<T>] {
        &self.params
    }

    /// The states.
    #[must_use]
    pub fn states(&self) -> &[Tensor<T>] {
        &self.states
    }

    /// How many steps were made; in a game a step is a cycle of turns.
    #[must_use]
    pub fn updates(&self) -> usize {
        self.updates
    }

    /// How many turns of the next step were made already.
    #[must_use]
    pub fn turn(&self) -> usize {
        self.turn
    }

    /// Puts [`Learner::turn`] to what it was, within the cycle.
    pub fn restore_turn(&mut self, turn: usize) {
        self.turn = turn % self.turns_per_step();
    }

    fn turns_per_step(&self) -> usize {
        self.cycle.iter().map(|(_, times)| times).sum::<usize>().max(1)
    }

    /// The number of the turn that comes next, of all that were made and will be.
    fn turns(&self) -> usize {
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

    /// How many examples a run with `active(k)` has passed, all epochs together.
    #[must_use]
    pub fn seen(&self) -> usize {
        self.seen.0
    }

    /// What [`Learner::seen`] was at the last step.
    #[must_use]
    pub fn seen_at_step(&self) -> usize {
        self.seen.1
    }

    /// Puts [`Learner::seen`] and [`Learner::seen_at_step`] to what they were.
    pub fn restore_seen(&mut self, seen: usize, at_step: usize) {
        self.seen = (seen, at_step);
    }

    /// Says how many examples have been passed.
    pub fn pass(&mut self, seen: usize) {
        self.seen.0 = seen;
    }

    /// Says how many examples will have been passed when the next step has been made; a step that fails passes none.
    pub fn plan(&mut self, seen: usize) {
        self.planned = Some(seen);
    }

    /// Which of some rows have a loss at the parameters.
    ///
    /// # Errors
    /// A message when the machine cannot run.
    pub fn active(&mut self, rows: &[usize]) -> Result<Vec<bool>, Diagnostic> {
        let point = self.params.clone();
        let mut stream = noise_of(self.seed, self.updates);
        let losses = self.losses(&point, rows, &mut stream).map_err(|f| self.message(&f))?;
        let losses = losses.into_iter().next().unwrap_or_default();
        let each = losses.len().checked_div(rows.len()).unwrap_or(0).max(1);
        Ok(losses.chunks(each).map(|row| row.iter().any(|l| *l != 0.0)).collect())
    }

    /// The losses of some rows at a point, outside training, example by example: first what is trained, then, of
    /// several losses, each.
    fn losses(&mut self, point: &[Tensor<T>], rows: &[usize], stream: &mut Stream) -> Result<Vec<Vec<f64>>, RunFault> {
        let inputs = self.fill(&self.evaluate.feeds, point, rows, self.updates, (stream, None))?;
        let outs = self.evaluate.machine.run(&inputs, rows.len().max(1))?;
        // In a game the loss is that of the first player.
        let first = outs.first().filter(|_| self.game);
        Ok(first.into_iter().chain(&outs).map(Tensor::to_f64).collect())
    }

    /// Puts examples in place of the data: tensors with a leading axis, of the types of the ports.
    pub fn show(&mut self, input: Option<Tensor<T>>, target: Option<Tensor<T>>) {
        self.input = input.map(Rows::of);
        self.target = target.map(Rows::of);
    }

    /// What a diagram of states, parameters and the clock gives at the state the learner is in.
    ///
    /// # Errors
    /// A message when the machine cannot run.
    pub fn looked_at(&self, point: &Diagram) -> Result<Vec<Tensor<T>>, Diagnostic> {
        let mut inputs: Vec<Tensor<T>> = self.states.iter().chain(&self.params).cloned().collect();
        #[allow(clippy::cast_precision_loss, reason = "a count of updates")]
        inputs.push(Tensor::number(self.updates as f64));
        Machine::new(point).run(&inputs, 1).map_err(|f| self.message(&f))
    }

    /// The noise of the examples of the next step.
    ///
    /// # Errors
    /// A message when it cannot be drawn.
    pub fn noise_of_step(&self, rows: usize) -> Result<Vec<Tensor<T>>, Diagnostic> {
        let mut stream = noise_of(self.seed, self.turns());
        let feeds = self.watched.first().map(|m| m.fed.feeds.as_slice()).unwrap_or_default();
        let noise = feeds.iter().filter(|f| matches!(f, Feed::Noise(_))).cloned().collect::<Vec<_>>();
        let rows: Vec<usize> = (0..rows).collect();
        self.fill(&noise, &[], &rows, 0, (&mut stream, None)).map_err(|f| self.message(&f))
    }

    /// Puts parameters, states and the count of updates to what they were.
    pub fn restore(&mut self, params: Vec<Tensor<T>>, states: Vec<Tensor<T>>, updates: usize) {
        self.params = params;
        self.states = states;
        self.updates = updates;
    }

    /// Begins with other parameters than those drawn; states that begin as a parameter begin as these.
    pub fn begin_with(&mut self, params: Vec<Tensor<T>>) {
        for (state, copy) in self.states.iter_mut().zip(&self.copies) {
            if let Some(param) = copy.and_then(|i| params.get(i)) {
                *state = param.clone();
            }
        }
        self.params = params;
    }

    /// A tensor for each port: states, parameters at a point, rows of the data, draws of the two streams in order.
    fn fill(
        &self,
        feeds: &[Feed],
        point: &[Tensor<T>],
        rows: &[usize],
        clock: usize,
        (noise, mut rule): (&mut Stream, Option<&mut Stream>),
    ) -> Result<Vec<Tensor<T>>, RunFault> {
        let batch = rows.len().max(1);
        let data =
            |column: &Option<Rows<T>>, leaf: &Leaf| column.as_ref().map(|c| c.gather_as(rows, &leaf.shape(rows.len())));
        let mut all = Vec::with_capacity(feeds.len());
        for feed in feeds {
            let found = match feed {
                Feed::State(i) => self.states.get(*i).cloned(),
                Feed::Param(i) => point.get(*i).cloned(),
                Feed::Input(leaf) => data(&self.input, leaf),
                Feed::Target(leaf) => data(&self.target, leaf),
                Feed::Noise(p) => {
                    let dims = p.leaf.literal_dims().unwrap_or_default();
                    let all: Vec<u64> = std::iter::once(batch as u64).chain(dims).collect();
                    Some(draw(&p.init, &Leaf::new(p.leaf.base, &all), noise)?)
                }
                Feed::RuleNoise(p) => match &mut rule {
                    Some(stream) => Some(draw(&p.init, &p.leaf, stream)?),
                    None => None,
                },
                #[allow(clippy::cast_precision_loss, reason = "a count of updates")]
                Feed::Clock => Some(Tensor::number(clock as f64)),
                Feed::Nothing => None,
            };
            all.push(found.unwrap_or_else(|| Tensor::number(f64::NAN)));
        }
        Ok(all)
    }

    /// How many turns the players of a move have made; those who move together have made as many.
    fn clock_of(&self, m: &Move<T>) -> usize {
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
        let made = self.make(&mut moves, &clocks, batch);
        if let Some(slot) = self.cycle.get_mut(kind) {
            slot.0 = moves;
        }
        let (losses, made) = made?;
        for (number, loss) in &losses {
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

    /// The parameters to evaluate at: those of the rule's `evaluate`, else the parameters.
    fn point(&mut self) -> Result<Vec<Tensor<T>>, RunFault> {
        let Some(at) = &self.at else { return Ok(self.params.clone()) };
        let inputs = self.fill(&at.feeds, &self.params, &[], self.updates, (&mut noise_of(self.seed, 0), None))?;
        match &mut self.at {
            Some(at) => at.machine.run(&inputs, 1),
            None => Ok(self.params.clone()),
        }
    }

    /// Loss and metrics on rows, outside training.
    ///
    /// # Errors
    /// A message when the machine cannot run.
    pub fn metrics(&mut self, rows: &[usize]) -> Result<Metrics, Diagnostic> {
        self.measure(rows).map_err(|f| self.message(&f))
    }

    fn measure(&mut self, rows: &[usize]) -> Result<Metrics, RunFault> {
        let point = self.point()?;
        let mut totals = vec![0.0; 1 + self.loss_names.len()];
        let mut counted = self.asked.counted(self.one_class);
        let mut stream = noise_of(self.seed, usize::MAX >> 24);
        let mut prediction_stream = noise_of(self.seed, usize::MAX >> 25);
        let one = self.input.is_none() && self.target.is_none();
        let chunks: Vec<&[usize]> = if one { vec![&[]] } else { rows.chunks(CHUNK).collect() };
        for chunk in chunks {
            for (total, losses) in totals.iter_mut().zip(self.losses(&point, chunk, &mut stream)?) {
                *total += losses.iter().sum::<f64>();
            }
            if self.asked.any() && self.target.is_some() {
                let predicted = self.predicted(&point, chunk, &mut prediction_stream)?;
                let base = self.predict.as_ref().and_then(|f| f.machine.diagram().out_leaves().first().map(|l| l.base));
                if let (Some(p), Some(base), Some(t)) = (predicted.first(), base, &self.target) {
                    counted.add(p, base, &t.gather(chunk));
                }
            }
        }
        #[allow(clippy::cast_precision_loss, reason = "a count of rows")]
        let count = if one { 1.0 } else { rows.len() as f64 };
        let mut means = totals.into_iter().map(|total| total / count);
        let loss = means.next().unwrap_or(f64::NAN);
        let losses = self.loss_names.iter().cloned().zip(means).collect();
        Ok(Metrics { losses, ..self.asked.of(&counted, loss) })
    }

    fn predicted(
        &mut self,
        point: &[Tensor<T>],
        rows: &[usize],
        stream: &mut Stream,
    ) -> Result<Vec<Tensor<T>>, RunFault> {
        let Some(predict) = &self.predict else { return Ok(Vec::new()) };
        let inputs = self.fill(&predict.feeds, point, rows, self.updates, (stream, None))?;
        match &mut self.predict {
            Some(predict) => predict.machine.run(&inputs, rows.len().max(1)),
            None => Ok(Vec::new()),
        }
    }

    /// The model's outputs on rows, outside training, as one tensor an output with the rows along its first axis.
    ///
    /// # Errors
    /// A message when the machine cannot run.
    pub fn predict(&mut self, rows: &[usize]) -> Result<Vec<Tensor<T>>, Diagnostic> {
        let point = self.point().map_err(|f| self.message(&f))?;
        let mut stream = noise_of(self.seed, usize::MAX >> 25);
        let mut parts = Vec::new();
        // All rows at once would take the memory of all of them between any two operations.
        for chunk in rows.chunks(CHUNK) {
            parts.push(self.predicted(&point, chunk, &mut stream).map_err(|f| self.message(&f))?);
        }
        if parts.is_empty() {
            return self.predicted(&point, &[], &mut stream).map_err(|f| self.message(&f));
        }
        let outputs = parts.first().map_or(0, Vec::len);
        let whole = (0..outputs).map(|i| Tensor::stacked(parts.iter().filter_map(|p| p.get(i))));
        Ok(whole.map(|t| t.unwrap_or_else(|| Tensor::number(f64::NAN))).collect())
    }

    fn message(&self, fault: &RunFault) -> Diagnostic {
        let code = if matches!(fault, RunFault::Singular { .. }) { Code::RUN_SOLVE } else { Code::RUN_NOT_FINITE };
        Diagnostic::error(code, fault.to_string()).at(self.span, "in this run")
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

/// The rows of a part.
pub(super) fn rows_of(parts: &Parts, part: Part) -> &[usize] {
    match part {
        Part::Train => &parts.train,
        Part::Valid => &parts.valid,
        Part::Test => &parts.test,
    }
}

/// Diagrams side by side: ports alike are one, outputs one after the other.
fn beside(diagrams: &[&Diagram]) -> Result<Diagram, TypeFault> {
    let mut b = Builder::new();
    let mut shared: Vec<(&Port, Wire)> = Vec::new();
    let mut outs = Vec::new();
    for d in diagrams {
        let mut args = Vec::new();
        for port in d.ports() {
            let known = shared.iter().find(|(other, _)| *other == port).map(|(_, wire)| *wire);
            let wire = known.unwrap_or_else(|| b.port_like(port));
            if known.is_none() {
                shared.push((port, wire));
            }
            args.push(wire);
        }
        outs.extend(b.append(d, &args)?);
    }
    Ok(b.finish(&outs))
}

/// States, parameters and the clock to the parameters that the rules' `evaluate` name.
fn evaluation_point(training: &Training) -> Result<Diagram, TypeFault> {
    let mut b = Builder::new();
    let states: Vec<(Arc<str>, Wire)> = training
        .states()
        .iter()
        .map(|s| (s.path.clone(), b.port(s.path.clone(), Role::State, s.leaf.clone())))
        .collect();
    let params: Vec<(Arc<str>, Wire)> =
        training.params.iter().map(|p| (p.path.clone(), b.port(p.path.clone(), Role::Param, p.leaf.clone()))).collect();
    let clock = b.port("t", Role::Clock, Leaf::number());
    let mut outs: Vec<Wire> = params.iter().map(|(_, wire)| *wire).collect();
    for (number, player) in training.players().enumerate().filter(|(_, p)| p.rule.evaluates) {
        let (rule, d) = (&player.rule, &player.rule.diagram);
        let turns = training.cycle.iter().filter(|t| t.players.contains(&number)).map(|t| t.times).sum::<usize>();
        #[allow(clippy::cast_precision_loss, reason = "a count of turns")]
        let clock = if turns == 1 { clock } else { b.scale(clock, turns as f64)? };
        let mut args: Vec<Option<Wire>> = vec![None; d.ports().len()];
        let among = |all: &[(Arc<str>, Wire)], path: &Arc<str>| all.iter().find(|(p, _)| p == path).map(|(_, w)| *w);
        let own_states = rule.states.iter().map(|s| among(&states, &s.path));
        let own_params = rule.leaves.iter().map(|(path, _)| among(&params, path));
        let places = d.ports_of(Role::State).into_iter().zip(own_states);
        let places = places.chain(d.ports_of(Role::Param).into_iter().zip(own_params));
        for (at, wire) in places.chain(d.ports_of(Role::Clock).into_iter().map(|at| (at, Some(clock)))) {
            if let Some(slot) = args.get_mut(at) {
                *slot = wire;
            }
        }
        let from = d.outs().len().saturating_sub(rule.leaves.len());
        let points = b.append_some(d, &args, d.outs().get(from..).unwrap_or_default())?;
        for ((path, _), point) in rule.leaves.iter().zip(points) {
            let at = params.iter().position(|(p, _)| p == path);
            if let Some(slot) = at.and_then(|at| outs.get_mut(at)) {
                *slot = point;
            }
        }
    }
    Ok(b.finish(&outs))
}

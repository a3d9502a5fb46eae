//! A learner: parameters and states, moved by turns over batches of rows.
//!
//! In: a training run, its data set, a seed. [`Learner::step`] runs the step on the compiled machine; the same
//! rows from the same state give the same bits. Knows no files and no clock. `turns`: who moves when, and what a turn
//! makes of the state; `outside`: losses, metrics and predictions at the point where the rules evaluate.

mod outside;
mod turns;

pub use turns::Watched;

use super::batches::{Rows, beyond};
use super::fault::RunFault;
use super::feed::{Fed, Feed};
use super::float::Float;
use super::init::{draw, room};
use super::metrics::Asked;
use super::schedule::noise_of;
use super::suits::{columns, one_class, suits};
use super::tensor::Tensor;
use crate::compile::simplify;
use crate::data::{Dataset, Parts};
use crate::diagram::{Diagram, TypeFault};
use crate::elaborate::{Parameter, Part, StateInit, StatePort, Training};
use crate::learn::{Point, batched, point};
use crate::object::Leaf;
use crate::random::{Stream, Use};
use crate::source::{Code, Diagnostic, Diagnostics, Span};
use outside::beside;
use std::sync::Arc;
use turns::{Move, moves};

/// A named leaf.
pub type Named = (Arc<str>, Leaf);

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
    /// Whether the first player's loss is to become larger.
    maximises: bool,
    loss_names: Vec<Arc<str>>,
    /// The loss that was met last, and of several each.
    met: (f64, Vec<f64>),
    /// The losses by number that the last turn met, also one that failed.
    met_in_turn: Vec<usize>,
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
            Diagnostic::error(Code::SHAPE, format!("this cannot be batched: {f}"))
                .at(span, "in this run")
                .help("please report it with the program: what checks can be batched")
                .into()
        };
        let noise: Vec<Parameter> = training.players().flat_map(|p| &p.evaluate_noise).cloned().collect();
        let losses: Vec<&Diagram> = training.players().map(|p| &p.evaluate).collect();
        let evaluate = batched(&beside(&losses).map_err(inner)?).map_err(inner)?;
        let evaluate = Fed::new(&simplify(&evaluate), training, &noise, &[]);
        let predict = match &training.predict {
            Some(model) => {
                Some(Fed::new(&simplify(&batched(&model.diagram).map_err(inner)?), training, &model.noise, &[]))
            }
            None => None,
        };
        let at = if training.players().any(|p| p.rule.evaluates) {
            Some(Fed::new(&point(training, Point::Evaluated).map_err(inner)?, training, &[], &[]))
        } else {
            None
        };
        let (input, target) = columns(training, data)?;
        // Parts that a run names are held against its data where that is there; a host may show its own.
        if data.is_some() || training.data.is_none() {
            suits(training, data)?;
        }
        let run = |f: RunFault| -> Diagnostics {
            Diagnostic::error(Code::INITIALISER, f.to_string())
                .at(span, "drawn in this run")
                .help("give the port another distribution, or smaller numbers")
                .into()
        };
        let sizes = training.params.iter().map(|p| (&p.path, &p.leaf));
        let state_ports = training.states();
        room::<T>(sizes.chain(state_ports.iter().map(|s| (&s.path, &s.leaf)))).map_err(|d| d.at(span, "this run"))?;
        let begin = |path: &str, init, leaf, stream: &mut Stream| -> Result<Tensor<T>, Diagnostics> {
            let made: Tensor<T> = draw(init, leaf, stream).map_err(run)?;
            if made.reals().is_some_and(|v| v.iter().any(|x| !x.to_f64().is_finite())) {
                return Err(beyond(&format!("the start of `{path}` is"), Code::INITIALISER)
                    .at(span, "this run")
                    .into());
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
            maximises: training.player.maximises,
            met_in_turn: Vec::new(),
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

    /// Which losses the last turn met, also one that failed: 0 is the loss, then each of several.
    pub(super) fn met_in_turn(&self) -> &[usize] {
        &self.met_in_turn
    }

    /// Puts [`Learner::met`] to what it was, the loss and then each of several; `None` when there are not as many.
    pub fn restore_met(&mut self, losses: &[f64]) -> Option<()> {
        let (loss, each) = losses.split_first().filter(|(_, each)| each.len() == self.met.1.len())?;
        self.met = (*loss, each.to_vec());
        Some(())
    }

    /// Whether the loss, in a game that of the first player, is to become larger.
    pub(super) fn maximises(&self) -> bool {
        self.maximises
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

    /// Puts examples in place of the data: tensors with a leading axis, of the types of the ports.
    pub fn show(&mut self, input: Option<Tensor<T>>, target: Option<Tensor<T>>) {
        self.input = input.map(Rows::of);
        self.target = target.map(Rows::of);
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

    /// Stands where another learner of the same run stands.
    pub fn stand_as(&mut self, other: &Learner<T>) {
        self.restore(other.params.clone(), other.states.clone(), other.updates);
        self.restore_turn(other.turn);
        self.seen = other.seen;
    }

    /// Puts parameters, states and the count of updates to what they were.
    pub fn restore(&mut self, params: Vec<Tensor<T>>, states: Vec<Tensor<T>>, updates: usize) {
        self.params = params;
        self.states = states;
        self.updates = updates;
    }

    /// Puts the seed of the noise to come to what it was.
    pub fn restore_seed(&mut self, seed: u64) {
        self.seed = seed;
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

    fn message(&self, fault: &RunFault) -> Diagnostic {
        let code = if matches!(fault, RunFault::Singular { .. }) { Code::RUN_SOLVE } else { Code::RUN_NOT_FINITE };
        let help = match fault {
            RunFault::Singular { .. } => "add a multiple of the identity to the matrix before it is inverted",
            _ => "take smaller steps, or `precision = f64`",
        };
        Diagnostic::error(code, fault.to_string()).at(self.span, "in this run").help(help)
    }
}

/// The rows of a part.
pub(super) fn rows_of(parts: &Parts, part: Part) -> &[usize] {
    match part {
        Part::Train => &parts.train,
        Part::Valid => &parts.valid,
        Part::Test => &parts.test,
    }
}

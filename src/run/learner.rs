//! A learner: parameters and states, moved by a step over batches of rows.
//!
//! In: a training run, its data set, a seed. [`Learner::step`] runs the compiled step on the reference machine; the same
//! rows from the same state give the same bits. Knows no files and no clock.

use super::batches::{Rows, beyond};
use super::fault::RunFault;
use super::float::Float;
use super::init::{draw, room};
use super::metrics::{Asked, Counted, Metrics};
use super::reference::Machine;
use super::schedule::{noise_of, rule_noise_of};
use super::suits::{columns, one_class, suits};
use super::tensor::Tensor;
use crate::compile::simplify;
use crate::data::Dataset;
use crate::diagram::{Builder, Diagram, Role, TypeFault};
use crate::elaborate::{Parameter, StateInit, Training};
use crate::learn::{Step, batched, step};
use crate::object::{Leaf, Tangent};
use crate::random::{Stream, Use};
use crate::source::{Code, Diagnostic, Diagnostics, Span};
use std::sync::Arc;

/// Rows looked at together outside training.
const CHUNK: usize = 256;

/// A named leaf.
pub type Named = (Arc<str>, Leaf);

/// What a step gave.
#[derive(Clone, Debug)]
pub struct Watched<T> {
    /// The aggregated loss at the point of the first request.
    pub loss: f64,
    /// Of several losses each, aggregated likewise; see [`Learner::loss_names`].
    pub losses: Vec<f64>,
    /// The first requests, one a parameter that has a tangent; see [`Learner::request_paths`].
    pub requests: Vec<Tensor<T>>,
}

/// Parameters and states of a training run, and the machines that move them.
#[derive(Clone, Debug)]
pub struct Learner<T> {
    step: Machine<T>,
    watched: Machine<T>,
    evaluate: Machine<T>,
    predict: Option<Machine<T>>,
    at: Option<Machine<T>>,
    tangent: Tangent,
    loss_names: Vec<Arc<str>>,
    /// The loss that the last step met, and of several each.
    met: (f64, Vec<f64>),
    param_leaves: Vec<Named>,
    state_leaves: Vec<Named>,
    noise: Vec<Parameter>,
    rule_noise: Vec<Parameter>,
    evaluate_noise: Vec<Parameter>,
    predict_noise: Vec<Parameter>,
    input: Option<Rows<T>>,
    target: Option<Rows<T>>,
    params: Vec<Tensor<T>>,
    states: Vec<Tensor<T>>,
    /// For every state the parameter that it begins as, if it does.
    copies: Vec<Option<usize>>,
    updates: usize,
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
        let made = step(training).map_err(|f| f.diagnostics(training))?;
        let Step { diagram, watched, .. } = made;
        let span = training.span;
        let inner = |f: TypeFault| -> Diagnostics {
            Diagnostic::error(Code::SHAPE, format!("this cannot be batched: {f}")).at(span, "").into()
        };
        let evaluate = simplify(&batched(&training.evaluate).map_err(inner)?);
        let predict = match &training.predict {
            Some(model) => Some(Machine::new(&simplify(&batched(&model.diagram).map_err(inner)?))),
            None => None,
        };
        let at = if training.rule.evaluates {
            Some(Machine::new(&evaluation_point(training).map_err(inner)?))
        } else {
            None
        };
        let (input, target) = columns(training, data)?;
        suits(training, data)?;
        let run =
            |f: RunFault| -> Diagnostics { Diagnostic::error(Code::INITIALISER, f.to_string()).at(span, "").into() };
        let sizes = training.params.iter().map(|p| (&p.path, &p.leaf));
        room::<T>(sizes.chain(training.rule.states.iter().map(|s| (&s.path, &s.leaf)))).map_err(|d| d.at(span, ""))?;
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
        for s in &training.rule.states {
            states.push(match &s.init {
                StateInit::Draw(init) => begin(&s.path, init, &s.leaf, &mut stream)?,
                StateInit::Param(i) => params.get(*i).cloned().unwrap_or_else(|| Tensor::zeros(&s.leaf, 1)),
            });
        }
        Ok(Learner {
            step: Machine::new(&simplify(&diagram)),
            watched: Machine::new(&simplify(&watched)),
            evaluate: Machine::new(&evaluate),
            predict,
            at,
            tangent: training.rule.tangent,
            loss_names: training.losses.clone(),
            met: (f64::NAN, Vec::new()),
            param_leaves: training.params.iter().map(|p| (p.path.clone(), p.leaf.clone())).collect(),
            state_leaves: training.rule.states.iter().map(|s| (s.path.clone(), s.leaf.clone())).collect(),
            noise: training.noise.clone(),
            rule_noise: training.rule.noise.clone(),
            evaluate_noise: noise_of_ports(&training.evaluate, &training.noise),
            predict_noise: training.predict.as_ref().map(|m| m.noise.clone()).unwrap_or_default(),
            input,
            target,
            params,
            states,
            copies: training
                .rule
                .states
                .iter()
                .map(|s| if let StateInit::Param(i) = s.init { Some(i) } else { None })
                .collect(),
            updates: 0,
            seen: (0, 0),
            planned: None,
            seed,
            span,
            asked: Asked::by(&training.settings),
            one_class: data.is_some_and(one_class),
        })
    }

    /// What each of several losses is called; nothing where there is one.
    #[must_use]
    pub fn loss_names(&self) -> &[Arc<str>] {
        &self.loss_names
    }

    /// The loss that the last step met, also one that ended it, and of several losses each.
    #[must_use]
    pub fn met(&self) -> (f64, &[f64]) {
        (self.met.0, &self.met.1)
    }

    /// The parameters' paths and types.
    #[must_use]
    pub fn param_leaves(&self) -> &[Named] {
        &self.param_leaves
    }

    /// The paths of the parameters that requests are made for, in the order of [`Watched::requests`].
    #[must_use]
    pub fn request_paths(&self) -> Vec<Arc<str>> {
        let asked = self.param_leaves.iter().filter(|(_, leaf)| self.tangent.of(leaf).is_some());
        asked.map(|(path, _)| path.clone()).collect()
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

    /// How many updates were made.
    #[must_use]
    pub fn updates(&self) -> usize {
        self.updates
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
        let batch = rows.len().max(1);
        let mut noise = self.noise_tensors(&self.evaluate_noise, batch, stream)?;
        let inputs = self.fill(self.evaluate.diagram(), point, rows, &mut noise);
        Ok(self.evaluate.run(&inputs, batch)?.iter().map(Tensor::to_f64).collect())
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
        Machine::new(point).run(&self.state_inputs(), 1).map_err(|f| self.message(&f))
    }

    /// The noise of the examples of the next step.
    ///
    /// # Errors
    /// A message when it cannot be drawn.
    pub fn noise_of_step(&self, rows: usize) -> Result<Vec<Tensor<T>>, Diagnostic> {
        let mut stream = noise_of(self.seed, self.updates);
        self.noise_tensors(&self.noise, rows.max(1), &mut stream).map_err(|f| self.message(&f))
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

    fn noise_tensors(&self, ports: &[Parameter], rows: usize, stream: &mut Stream) -> Result<Vec<Tensor<T>>, RunFault> {
        ports
            .iter()
            .map(|p| {
                let dims = p.leaf.literal_dims().unwrap_or_default();
                let all: Vec<u64> = std::iter::once(rows as u64).chain(dims).collect();
                draw(&p.init, &Leaf::new(p.leaf.base, &all), stream)
            })
            .collect()
    }

    fn step_inputs(&self, rows: &[usize]) -> Result<Vec<Tensor<T>>, RunFault> {
        let mut all: Vec<Tensor<T>> = self.states.iter().chain(&self.params).cloned().collect();
        all.extend(self.input.iter().chain(&self.target).map(|c| c.gather(rows)));
        let mut stream = noise_of(self.seed, self.updates);
        all.extend(self.noise_tensors(&self.noise, rows.len().max(1), &mut stream)?);
        #[allow(clippy::cast_precision_loss, reason = "a count of updates")]
        all.push(Tensor::number(self.updates as f64));
        let mut stream = rule_noise_of(self.seed, self.updates);
        for noise in &self.rule_noise {
            all.push(draw(&noise.init, &noise.leaf, &mut stream)?);
        }
        Ok(all)
    }

    /// One update on a batch of rows; the aggregated loss at the point of the first request.
    ///
    /// # Errors
    /// A message when the machine cannot run or the loss is not a number; parameters and states are then as before.
    pub fn step(&mut self, rows: &[usize]) -> Result<f64, Diagnostic> {
        let inputs = self.step_inputs(rows).map_err(|f| self.message(&f))?;
        let made = self.step.run(&inputs, rows.len().max(1));
        drop(inputs);
        let mut outs = made.map_err(|f| self.message(&f))?;
        let losses = outs.split_off((self.states.len() + self.params.len()).min(outs.len()));
        self.met = losses_of(&losses, rows.len());
        let loss = self.met.0;
        if !loss.is_finite() {
            return Err(Diagnostic::error(
                Code::RUN_NOT_FINITE,
                format!("the loss of update {} is {loss}", self.updates + 1),
            )
            .at(self.span, "in this run")
            .note("the state before that update is kept")
            .help(match self.updates {
                // No rate has been used yet.
                0 => "the loss is no number where the run begins: look at its logarithms, roots and divisions",
                _ => "a smaller rate, or `clip_norm` behind the rule, often helps",
            }));
        }
        let params = outs.split_off(self.states.len());
        let endless = |t: &Tensor<T>| t.reals().is_some_and(|v| v.iter().any(|x| !x.to_f64().is_finite()));
        // A state may stay infinite, it may not become so: Adam's second moment at infinity would stop all learning.
        let states = outs.iter().zip(&self.state_leaves).zip(&self.states);
        let broken_state = states.filter(|((new, _), old)| endless(new) && !endless(old)).map(|(pair, _)| pair).next();
        let broken = params.iter().zip(&self.param_leaves).find(|(t, _)| endless(t)).or(broken_state);
        if let Some((_, (path, _))) = broken {
            return Err(Diagnostic::error(
                Code::RUN_NOT_FINITE,
                format!("update {} makes `{path}` infinite or no number", self.updates + 1),
            )
            .at(self.span, "in this run")
            .note("the state before that update is kept")
            .help("a smaller rate, or `clip_norm` behind the rule, often helps"));
        }
        self.states = outs;
        self.params = params;
        self.updates += 1;
        let seen = self.planned.take().unwrap_or(self.seen.0);
        self.seen = (seen, seen);
        Ok(loss)
    }

    /// The loss and the first requests on a batch of rows, without an update.
    ///
    /// # Errors
    /// A message when the machine cannot run.
    pub fn watch(&mut self, rows: &[usize]) -> Result<Watched<T>, Diagnostic> {
        let inputs = self.step_inputs(rows).map_err(|f| self.message(&f))?;
        let mut outs = self.watched.run(&inputs, rows.len().max(1)).map_err(|f| self.message(&f))?;
        let mut losses = outs.split_off((self.states.len() + self.params.len()).min(outs.len()));
        let requests = losses.split_off((1 + self.loss_names.len()).min(losses.len()));
        let (loss, losses) = losses_of(&losses, rows.len());
        Ok(Watched { loss, losses, requests })
    }

    /// The parameters to evaluate at: those of the rule's `evaluate`, else the parameters.
    fn point(&mut self) -> Result<Vec<Tensor<T>>, RunFault> {
        let inputs = self.state_inputs();
        match &mut self.at {
            Some(machine) => machine.run(&inputs, 1),
            None => Ok(self.params.clone()),
        }
    }

    /// States, parameters and the clock.
    fn state_inputs(&self) -> Vec<Tensor<T>> {
        let mut inputs: Vec<Tensor<T>> = self.states.iter().chain(&self.params).cloned().collect();
        #[allow(clippy::cast_precision_loss, reason = "a count of updates")]
        inputs.push(Tensor::number(self.updates as f64));
        inputs
    }

    fn fill(&self, d: &Diagram, point: &[Tensor<T>], rows: &[usize], noise: &mut Vec<Tensor<T>>) -> Vec<Tensor<T>> {
        let mut drawn = noise.drain(..);
        d.ports()
            .iter()
            .map(|port| {
                let found = match port.role {
                    Role::Param => {
                        let at = self.param_leaves.iter().position(|(p, _)| *p == port.path);
                        at.and_then(|i| point.get(i)).cloned()
                    }
                    Role::Input => self.input.as_ref().map(|c| c.gather(rows)),
                    Role::Target => self.target.as_ref().map(|c| c.gather(rows)),
                    Role::Noise => drawn.next(),
                    _ => None,
                };
                found.unwrap_or_else(|| Tensor::number(f64::NAN))
            })
            .collect()
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
        let mut counted = Counted::new(self.one_class);
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
                let base = self.predict.as_ref().and_then(|m| m.diagram().out_leaves().first().map(|l| l.base));
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
        let Some(machine) = &self.predict else { return Ok(Vec::new()) };
        let mut noise = self.noise_tensors(&self.predict_noise, rows.len().max(1), stream)?;
        let inputs = self.fill(machine.diagram(), point, rows, &mut noise);
        match &mut self.predict {
            Some(machine) => machine.run(&inputs, rows.len().max(1)),
            None => Ok(Vec::new()),
        }
    }

    /// The model's outputs on rows, outside training.
    ///
    /// # Errors
    /// A message when the machine cannot run.
    pub fn predict(&mut self, rows: &[usize]) -> Result<Vec<Tensor<T>>, Diagnostic> {
        let point = self.point().map_err(|f| self.message(&f))?;
        let mut stream = noise_of(self.seed, usize::MAX >> 25);
        self.predicted(&point, rows, &mut stream).map_err(|f| self.message(&f))
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

/// The mean loss of an example, and of several losses each.
fn losses_of<T: Float>(losses: &[Tensor<T>], rows: usize) -> (f64, Vec<f64>) {
    let mut each = losses.iter().map(|t| loss_of(t, rows));
    (each.next().unwrap_or(f64::NAN), each.collect())
}

fn noise_of_ports(d: &Diagram, known: &[Parameter]) -> Vec<Parameter> {
    let ports = d.ports().iter().filter(|p| p.role == Role::Noise);
    ports.filter_map(|p| known.iter().find(|k| k.path == p.path).cloned()).collect()
}

/// States, parameters and the clock to the parameters that the rule's `evaluate` names.
fn evaluation_point(training: &Training) -> Result<Diagram, TypeFault> {
    let rule = &training.rule;
    let d = &rule.diagram;
    let mut b = Builder::new();
    let mut args = vec![None; d.ports().len()];
    for role in [Role::State, Role::Param, Role::Clock] {
        for at in d.ports_of(role) {
            if let (Some(port), Some(slot)) = (d.ports().get(at), args.get_mut(at)) {
                *slot = Some(b.port(port.path.clone(), role, port.leaf.clone()));
            }
        }
    }
    let from = d.outs().len().saturating_sub(rule.leaves.len());
    let outs = b.append_some(d, &args, d.outs().get(from..).unwrap_or_default())?;
    Ok(b.finish(&outs))
}

//! A learner that the host steps with its own arrays.

use super::fault::Fault;
use super::values::Values;
use crate::compile::simplify;
use crate::diagram::{Diagram, Role};
use crate::elaborate::{Precision, Training};
use crate::learn::{Point, batched, input_request, point};
use crate::object::Leaf;
use crate::run::{self, Checkpoint, Float, Machine, Tensor};
use crate::source::{Code, Diagnostic};
use std::sync::Arc;

/// A tensor with its path, as everywhere: `mlp.0.W`.
pub type NamedTensor = (Arc<str>, Tensor<f64>);

/// What a learner asks for on a batch.
#[derive(Clone, PartialEq, Debug)]
pub struct Request {
    /// The aggregated loss at the point where the rule looks.
    pub loss: f64,
    /// The request at every parameter that has one, by path, aggregated over the batch.
    pub params: Vec<NamedTensor>,
    /// The request at the input of each example, for a system before this one; absent when the input has no tangent.
    pub input: Option<Tensor<f64>>,
}

/// The two precisions, one learner.
#[derive(Clone, Debug)]
pub(super) enum Precise {
    Single(run::Learner<f32>),
    Double(run::Learner<f64>),
}

/// What works alike in both precisions.
macro_rules! each_precision {
    ($learner:expr, $l:ident => $body:expr) => {
        match $learner {
            Precise::Single($l) => $body,
            Precise::Double($l) => $body,
        }
    };
}

/// Parameters and states of a training run, moved by steps on the host's examples.
#[derive(Clone, Debug)]
pub struct Learner {
    pub(super) training: Training,
    pub(super) seed: u64,
    pub(super) inner: Precise,
    /// Made when a request is first asked for.
    asking: Option<Option<Asking>>,
}

impl Learner {
    pub(super) fn new(training: Training, seed: u64) -> Result<Learner, Fault> {
        let inner = match training.settings.precision {
            Precision::F32 => Precise::Single(run::Learner::new(&training, None, seed)?),
            Precision::F64 => Precise::Double(run::Learner::new(&training, None, seed)?),
        };
        Ok(Learner { training, seed, inner, asking: None })
    }

    /// The type of one input, if the run takes one.
    #[must_use]
    pub fn input(&self) -> Option<&Leaf> {
        self.port(Role::Input)
    }

    /// The type of one target, if the loss takes one.
    #[must_use]
    pub fn target(&self) -> Option<&Leaf> {
        self.port(Role::Target)
    }

    fn port(&self, role: Role) -> Option<&Leaf> {
        // Not every player of a game reads data.
        self.training.players().flat_map(|p| p.objective.ports()).find(|p| p.role == role).map(|p| &p.leaf)
    }

    /// How many updates were made.
    #[must_use]
    pub fn updates(&self) -> usize {
        each_precision!(&self.inner, l => l.updates())
    }

    /// One update on a batch, examples along the first axis; the loss at the point where the rule looks.
    ///
    /// # Errors
    /// [`Fault::Program`] when the batch does not fit the program, or the update is not finite; parameters and states are
    /// then as before.
    pub fn step<'a>(&mut self, x: impl Into<Values<'a>>, y: impl Into<Values<'a>>) -> Result<f64, Fault> {
        let (x, y) = (x.into(), y.into());
        Ok(each_precision!(&mut self.inner, l => {
            let rows = show(l, &objectives(&self.training), Some(&x), Some(&y))?;
            l.step(&rows)?
        }))
    }

    /// One update of a run whose objective takes no examples.
    ///
    /// # Errors
    /// [`Fault::Program`] when it takes examples, or the update is not finite.
    pub fn step_alone(&mut self) -> Result<f64, Fault> {
        Ok(each_precision!(&mut self.inner, l => {
            let rows = show(l, &objectives(&self.training), None, None)?;
            l.step(&rows)?
        }))
    }

    /// The model's output for every example, outside training.
    ///
    /// # Errors
    /// [`Fault::Program`] when the run has no model, or the examples do not fit it.
    pub fn predict<'a>(&mut self, x: impl Into<Values<'a>>) -> Result<Tensor<f64>, Fault> {
        let Some(model) = &self.training.predict else {
            let d =
                Diagnostic::error(Code::TRAIN_FIELD, format!("`{}` has an objective, no model", self.training.name));
            return Err(d
                .at(self.training.span, "nothing to predict with")
                .help("give the run `model` and `loss`")
                .into());
        };
        let x = x.into();
        let outs: Vec<Tensor<f64>> = each_precision!(&mut self.inner, l => {
            let rows = show(l, &[&model.diagram], Some(&x), None)?;
            l.predict(&rows)?.iter().map(widened).collect()
        });
        // A model of a run has one output.
        Ok(outs.into_iter().next().unwrap_or_else(|| Tensor::number(f64::NAN)))
    }

    /// Loss and requests on a batch, without an update (Backprop as Functor's request, 1711.10455, for the input).
    ///
    /// # Errors
    /// As [`Learner::step`].
    pub fn request<'a>(&mut self, x: impl Into<Values<'a>>, y: impl Into<Values<'a>>) -> Result<Request, Fault> {
        let (x, y) = (x.into(), y.into());
        if self.asking.is_none() {
            self.asking = Some(Asking::of(&self.training)?);
        }
        each_precision!(&mut self.inner, l => {
            let rows = show(l, &objectives(&self.training), Some(&x), Some(&y))?;
            let watched = l.watch(&rows)?;
            let params = l.request_paths().into_iter().zip(watched.requests.iter().map(widened)).collect();
            let input = match self.asking.iter().flatten().next() {
                Some(asking) => asking.ask(&self.training, l, &x, &y, rows.len())?,
                None => None,
            };
            Ok(Request { loss: watched.loss, params, input })
        })
    }

    /// The parameters by path.
    #[must_use]
    pub fn params(&self) -> Vec<NamedTensor> {
        each_precision!(&self.inner, l => named(l.param_leaves(), l.params()))
    }

    /// The states of the rule by path.
    #[must_use]
    pub fn states(&self) -> Vec<NamedTensor> {
        each_precision!(&self.inner, l => named(l.state_leaves(), l.states()))
    }

    /// Puts one parameter to other values; states of the rule stay.
    ///
    /// # Errors
    /// [`Fault::Program`] when there is no such parameter, or the values do not fit it.
    pub fn set_param<'a>(&mut self, path: &str, values: impl Into<Values<'a>>) -> Result<(), Fault> {
        let values = values.into();
        each_precision!(&mut self.inner, l => {
            let Some(at) = l.param_leaves().iter().position(|(p, _)| &**p == path) else {
                let known: Vec<&str> = l.param_leaves().iter().map(|(p, _)| &**p).collect();
                let d = Diagnostic::error(Code::UNKNOWN_NAME, format!("there is no parameter `{path}`"));
                return Err(d.help(format!("the parameters are {}", known.join(", "))).into());
            };
            let (mut params, states, updates) = (l.params().to_vec(), l.states().to_vec(), l.updates());
            if let (Some(slot), Some((_, leaf))) = (params.get_mut(at), l.param_leaves().get(at)) {
                *slot = values.one(leaf, path)?;
            }
            l.restore(params, states, updates);
            Ok(())
        })
    }

    /// Parameters, states and where the run stands as the bytes of a safetensors file.
    ///
    /// # Errors
    /// [`Fault::Checkpoint`] when two tensors have one name.
    pub fn save(&self) -> Result<Vec<u8>, Fault> {
        let mut metadata = each_precision!(&self.inner, l => l.standing());
        metadata.insert("training".to_owned(), self.training.name.to_string());
        metadata.insert("seed".to_owned(), self.seed.to_string());
        Ok(each_precision!(&self.inner, l => Checkpoint::save(
            (l.param_leaves(), l.state_leaves()),
            (l.params(), l.states()),
            &metadata,
        )?))
    }

    /// Goes on from bytes that [`Learner::save`] or the command line wrote, with their seed.
    ///
    /// # Errors
    /// [`Fault::Checkpoint`] when they are not of this program; the learner is then as before.
    pub fn load(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        each_precision!(&mut self.inner, l => {
            let saved = Checkpoint::load(bytes, l, true)?;
            let seed = if saved.metadata.contains_key("seed") { saved.number("seed")? } else { self.seed };
            saved.restore(l)?;
            l.restore_seed(seed);
            self.seed = seed;
            Ok(())
        })
    }
}

/// What the players of a run are about.
fn objectives(training: &Training) -> Vec<&Diagram> {
    training.players().map(|p| &p.objective).collect()
}

/// Shows examples to a learner, of the types that the first of some diagrams with such ports has; the rows to step on,
/// none for objectives without examples.
fn show<T: Float>(
    learner: &mut run::Learner<T>,
    read: &[&Diagram],
    x: Option<&Values<'_>>,
    y: Option<&Values<'_>>,
) -> Result<Vec<usize>, Diagnostic> {
    let mut count = None;
    let mut given = |role: Role, values: Option<&Values<'_>>, what: &str| {
        let port = read.iter().flat_map(|d| d.ports()).find(|p| p.role == role).map(|p| &p.leaf);
        let wires = read.iter().map(|d| d.ports_of(role).len()).max().unwrap_or(0);
        if wires > 1 {
            return Err(Diagnostic::error(Code::DATA_SHAPE, format!("the program takes {wires} wires as {what}"))
                .help(
                    "the library passes one array for all inputs and one for all targets: join the wires with `cat`",
                ));
        }
        let (Some(port), Some(values)) = (port, values) else {
            return match port {
                Some(port) => Err(Diagnostic::error(Code::DATA_SHAPE, format!("the program takes {port} as {what}"))
                    .help(format!("give the {what}s of the batch"))),
                None => Ok(None),
            };
        };
        let made: Tensor<T> = values.examples(port, what)?;
        let rows = made.shape().first().copied().unwrap_or(0);
        match count {
            Some(n) if n != rows => {
                Err(Diagnostic::error(Code::DATA_SHAPE, format!("{n} inputs come with {rows} targets"))
                    .help("give one target an input"))
            }
            _ => {
                count = Some(rows);
                Ok(Some(made))
            }
        }
    };
    let input = given(Role::Input, x, "input")?;
    let target = given(Role::Target, y, "target")?;
    learner.show(input, target);
    Ok((0..count.unwrap_or(0)).collect())
}

/// What asks at the input: of a batch the request of each example, and the point of the rule where it is asked.
#[derive(Clone, Debug)]
struct Asking {
    request: Diagram,
    point: Diagram,
}

/// Why an input cannot be asked.
fn no_request(training: &Training, why: &dyn std::fmt::Display) -> Diagnostic {
    Diagnostic::error(Code::NO_REVERSE, why.to_string())
        .at(training.span, "in this run")
        .help("give what has no reverse derivative a `prim` with a `rev`")
}

impl Asking {
    /// Nothing where the input has no tangent, and in a game of several players, who ask different things of an input.
    fn of(training: &Training) -> Result<Option<Asking>, Diagnostic> {
        let player = &training.player;
        let input = player.objective.ports().iter().find(|p| p.role == Role::Input);
        if !training.others.is_empty() || input.and_then(|p| player.rule.tangent.of(&p.leaf)).is_none() {
            return Ok(None);
        }
        let one = input_request(player).map_err(|f| no_request(training, &f))?;
        let request = simplify(&batched(&one).map_err(|f| no_request(training, &f))?);
        let point = point(training, Point::Looked).map_err(|f| no_request(training, &f))?;
        Ok(Some(Asking { request, point }))
    }

    /// The request at the input of each example.
    fn ask<T: Float>(
        &self,
        training: &Training,
        learner: &run::Learner<T>,
        x: &Values<'_>,
        y: &Values<'_>,
        batch: usize,
    ) -> Result<Option<Tensor<f64>>, Diagnostic> {
        let objective = &training.player.objective;
        let at = learner.looked_at(&self.point)?;
        let mut noise = learner.noise_of_step(batch)?.into_iter();
        let mut inputs = Vec::new();
        for port in self.request.ports() {
            let param = || learner.param_leaves().iter().position(|(p, _)| *p == port.path);
            // Ports behind a batch have the type of one example in the objective.
            let one = objective.ports().iter().find(|p| p.path == port.path && p.role == port.role).map(|p| &p.leaf);
            let found = match (port.role, one) {
                (Role::Input, Some(leaf)) => Some(x.examples(leaf, "input")?),
                (Role::Target, Some(leaf)) => Some(y.examples(leaf, "target")?),
                (Role::Noise, _) => noise.next(),
                _ => param().and_then(|i| at.get(i)).cloned(),
            };
            inputs.push(found.unwrap_or_else(|| Tensor::number(f64::NAN)));
        }
        let outs = Machine::new(&self.request).run(&inputs, batch.max(1)).map_err(|f| no_request(training, &f))?;
        Ok(outs.first().map(widened))
    }
}

/// The same numbers as doubles.
fn widened<T: Float>(t: &Tensor<T>) -> Tensor<f64> {
    match t {
        Tensor::Real(x) => Tensor::Real(x.mapv(Float::to_f64).into()),
        Tensor::Bool(x) => Tensor::Bool(x.clone()),
        Tensor::Int(x) => Tensor::Int(x.clone()),
    }
}

fn named<T: Float>(leaves: &[run::Named], tensors: &[Tensor<T>]) -> Vec<NamedTensor> {
    leaves.iter().zip(tensors).map(|((path, _), t)| (path.clone(), widened(t))).collect()
}

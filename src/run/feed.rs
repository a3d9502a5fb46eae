//! Machines whose ports know what they are fed with.
//!
//! In: a diagram of a run. Out: for each of its ports a state, a parameter, data, noise or the clock, found once; a
//! [`Fed`] machine then asks its learner for tensors in the order of the ports.

use super::float::Float;
use super::real::Compiled;
use crate::diagram::{Diagram, Role};
use crate::elaborate::{Parameter, Training};
use crate::object::Leaf;

/// What a port is fed with.
#[derive(Clone, Debug)]
pub(super) enum Feed {
    /// The state of that number.
    State(usize),
    /// The parameter of that number.
    Param(usize),
    /// Inputs of a batch, of this leaf.
    Input(Leaf),
    /// Targets of a batch, of this leaf.
    Target(Leaf),
    /// A draw an example.
    Noise(Parameter),
    /// A draw a step, for a rule.
    RuleNoise(Parameter),
    /// Updates made.
    Clock,
    /// Nothing of the run.
    Nothing,
}

/// A machine with what its ports are fed with.
#[derive(Clone, Debug)]
pub(super) struct Fed<T> {
    pub(super) machine: Compiled<T>,
    pub(super) feeds: Vec<Feed>,
}

impl<T: Float> Fed<T> {
    /// A machine for a diagram of a run; `noise` is what its ports of role `Noise` are drawn as, found by path, and the
    /// draws of rules come in the order of `rules`.
    pub(super) fn new(d: &Diagram, training: &Training, noise: &[Parameter], rules: &[Parameter]) -> Fed<T> {
        let states = training.states();
        let mut rules = rules.iter();
        let feeds = d.ports().iter().map(|port| {
            let found = match port.role {
                Role::State => states.iter().position(|s| s.path == port.path).map(Feed::State),
                Role::Param => training.params.iter().position(|p| p.path == port.path).map(Feed::Param),
                Role::Input => Some(Feed::Input(port.leaf.clone())),
                Role::Target => Some(Feed::Target(port.leaf.clone())),
                Role::Noise => noise.iter().find(|n| n.path == port.path).cloned().map(Feed::Noise),
                Role::RuleNoise => rules.next().cloned().map(Feed::RuleNoise),
                Role::Clock => Some(Feed::Clock),
                Role::Cotangent => None,
            };
            found.unwrap_or(Feed::Nothing)
        });
        Fed { machine: Compiled::new(d), feeds: feeds.collect() }
    }
}

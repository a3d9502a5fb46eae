//! Where rules stand in the space of parameters: where they look, and where what they learn is evaluated.

use crate::diagram::{Builder, Diagram, Role, TypeFault, Wire};
use crate::elaborate::{RuleDiagram, Training};
use crate::object::Leaf;
use std::sync::Arc;

/// A point that a rule names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Point {
    /// Where its first request is made: the get of the lens. The clock counts the turns of the player.
    Looked,
    /// Its `evaluate`, where it has one. The clock counts the steps of the run.
    Evaluated,
}

impl Point {
    /// The outputs of a rule that are this point, leaf by leaf.
    fn of(self, rule: &RuleDiagram) -> &[Wire] {
        let (leaves, outs) = (rule.leaves.len(), rule.diagram.outs());
        let from = match self {
            Point::Looked => leaves + rule.states.len(),
            Point::Evaluated => outs.len().saturating_sub(leaves),
        };
        outs.get(from..from + leaves).unwrap_or_default()
    }
}

/// States, parameters and the clock of a run to all its parameters: those that a rule moves at its point, the others as
/// they are.
///
/// # Errors
/// [`TypeFault`] when a rule is not over the states and parameters of the run; a program that checks never gives it.
pub fn point(training: &Training, which: Point) -> Result<Diagram, TypeFault> {
    let mut b = Builder::new();
    let mut states: Vec<(Arc<str>, Wire)> = Vec::new();
    for s in training.states() {
        states.push((s.path.clone(), b.port(s.path, Role::State, s.leaf)));
    }
    let mut params: Vec<(Arc<str>, Wire)> = Vec::new();
    for p in &training.params {
        params.push((p.path.clone(), b.port(p.path.clone(), Role::Param, p.leaf.clone())));
    }
    let clock = b.port("t", Role::Clock, Leaf::number());
    let mut outs: Vec<Wire> = params.iter().map(|(_, wire)| *wire).collect();
    let has = |rule: &RuleDiagram| which == Point::Looked || rule.evaluates;
    for (number, player) in training.players().enumerate().filter(|(_, p)| has(&p.rule)) {
        let (rule, d) = (&player.rule, &player.rule.diagram);
        let turns = match which {
            Point::Looked => 1,
            Point::Evaluated => {
                training.cycle.iter().filter(|t| t.players.contains(&number)).map(|t| t.times).sum::<usize>()
            }
        };
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
        let points = b.append_some(d, &args, which.of(rule))?;
        for ((path, _), point) in rule.leaves.iter().zip(points) {
            let at = params.iter().position(|(p, _)| p == path);
            if let Some(slot) = at.and_then(|at| outs.get_mut(at)) {
                *slot = point;
            }
        }
    }
    Ok(b.finish(&outs))
}

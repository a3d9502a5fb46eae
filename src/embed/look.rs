//! Two small diagrams beside the step: the point where a rule looks, and the request at the input.

use crate::compile::simplify;
use crate::diagram::{Builder, Diagram, Role, TypeFault, Wire};
use crate::elaborate::Training;
use crate::learn::{LearnFault, batched, requests_at};
use crate::object::Leaf;
use std::sync::Arc;

/// States and parameters of a run of one player and the clock to all parameters, those of its rule where the rule makes
/// its first request: the get of the lens. Parameters that nobody moves stay.
pub(super) fn point(training: &Training) -> Result<Diagram, TypeFault> {
    let mut b = Builder::new();
    let mut named = Vec::new();
    for s in training.states() {
        named.push((Role::State, s.path.clone(), b.port(s.path, Role::State, s.leaf)));
    }
    for p in &training.params {
        named.push((Role::Param, p.path.clone(), b.port(p.path.clone(), Role::Param, p.leaf.clone())));
    }
    let clock = b.port("t", Role::Clock, Leaf::number());
    let (rule, d) = (&training.player.rule, &training.player.rule.diagram);
    let mut args = vec![None; d.ports().len()];
    let states = d.ports_of(Role::State).into_iter().zip(rule.states.iter().map(|s| (Role::State, &s.path)));
    let params = d.ports_of(Role::Param).into_iter().zip(rule.leaves.iter().map(|(path, _)| (Role::Param, path)));
    for (at, (role, path)) in states.chain(params) {
        if let Some(slot) = args.get_mut(at) {
            *slot = named.iter().find(|(r, p, _)| *r == role && p == path).map(|(.., wire)| *wire);
        }
    }
    for at in d.ports_of(Role::Clock) {
        if let Some(slot) = args.get_mut(at) {
            *slot = Some(clock);
        }
    }
    let (n, m) = (rule.leaves.len(), rule.states.len());
    let points = b.append_some(d, &args, d.outs().get(n + m..n + m + n).unwrap_or_default())?;
    let moved = |path: &Arc<str>| rule.leaves.iter().position(|(p, _)| p == path).and_then(|i| points.get(i));
    let all = named.iter().filter(|(role, ..)| *role == Role::Param);
    let outs: Vec<Wire> = all.map(|(_, path, wire)| *moved(path).unwrap_or(wire)).collect();
    Ok(b.finish(&outs))
}

/// Parameters, examples and noise to the request at the input of each example, for the loss of that example alone; who
/// maximises asks for the opposite.
pub(super) fn input_request(training: &Training) -> Result<Diagram, LearnFault> {
    let player = &training.player;
    let one = requests_at(&player.objective, player.rule.tangent, Role::Input)?;
    let (mut b, outs) = Builder::resume(one);
    // Behind the requests stand, of several losses, each.
    let behind = player.objective.outs().len().saturating_sub(1);
    let mut asked = outs.get(1..outs.len().saturating_sub(behind)).unwrap_or_default().to_vec();
    if player.maximises {
        for request in &mut asked {
            *request = b.negative(*request)?;
        }
    }
    let asked = b.finish(&asked);
    Ok(simplify(&batched(&asked)?))
}

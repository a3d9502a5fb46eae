//! Two small diagrams beside the step: the point where a rule looks, and the request at the input.

use crate::compile::simplify;
use crate::diagram::{Builder, Diagram, Role, TypeFault};
use crate::elaborate::{RuleDiagram, Training};
use crate::learn::{LearnFault, batched, requests_at};

/// States, parameters and the clock to the parameters at which a rule makes its first request: the get of the lens.
pub(super) fn point(rule: &RuleDiagram) -> Result<Diagram, TypeFault> {
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
    let (n, m) = (rule.leaves.len(), rule.states.len());
    let outs = b.append_some(d, &args, d.outs().get(n + m..n + m + n).unwrap_or_default())?;
    Ok(b.finish(&outs))
}

/// Parameters, examples and noise to the request at the input of each example, for the loss of that example alone.
pub(super) fn input_request(training: &Training) -> Result<Diagram, LearnFault> {
    let one = requests_at(&training.player.objective, training.player.rule.tangent, Role::Input)?;
    let (b, outs) = Builder::resume(one);
    // Behind the requests stand, of several losses, each.
    let asked = b.finish(outs.get(1..outs.len().saturating_sub(training.losses.len())).unwrap_or_default());
    Ok(simplify(&batched(&asked)?))
}

//! Assembles the step of a training run.

use super::aggregate::{aggregate, total};
use crate::diagram::{Builder, Copying, Diagram, Op, Port, Role, TypeFault, Wire, batch};
use crate::elaborate::{Aggregator, RuleDiagram, StatePort, Training};
use crate::object::{Dim, Leaf, Tangent};
use crate::prim::rate;
use crate::reverse::{ReverseFault, requests};
use crate::source::{Code, Diagnostic, Diagnostics};

/// Why a step cannot be assembled.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LearnFault {
    /// A part of the objective has no reverse derivative.
    #[error(transparent)]
    Reverse(#[from] ReverseFault),
    /// A loss that cannot turn targets into changes.
    #[error("{}", .0.message)]
    Conversion(Box<Diagnostic>),
    /// Parts that do not fit; a program that checks never gives it.
    #[error("the parts of the step do not fit: {0}")]
    Type(#[from] TypeFault),
}

impl LearnFault {
    /// The fault as a message, at the line it came from if that is known.
    #[must_use]
    pub fn diagnostics(&self, training: &Training) -> Diagnostics {
        if let LearnFault::Conversion(d) = self {
            return (**d).clone().into();
        }
        let tangent = training.rule.tangent;
        let (place, prim) = match self {
            LearnFault::Reverse(fault) => {
                let told = matches!(fault.fault, TypeFault::NoReverse(_));
                (fault.origin.as_ref().map(|o| o.span), fault.prim.as_deref().filter(|_| told))
            }
            LearnFault::Type(_) | LearnFault::Conversion(_) => (None, None),
        };
        let d = Diagnostic::error(Code::NO_REVERSE, self.to_string()).at(place.unwrap_or(training.span), "here");
        let Some(prim) = prim else {
            return d
                .help("give it a reverse of its own: `prim f : A -> B { fwd (x) { .. } rev (x, dy) { .. } }`")
                .into();
        };
        let d = match prim.rev.unfit(tangent) {
            Some(reason) => d.note(format!("its `rev` has no meaning over {tangent}: {reason}")),
            None => d,
        };
        let d = d.also(prim.span, "its `rev`");
        let dy = tangent.written();
        d.help(format!("give `{}` a reverse over {tangent} too: `rev (.., dy : {dy}[n]) {{ .. }}`", prim.name)).into()
    }
}

impl From<Diagnostic> for LearnFault {
    fn from(d: Diagnostic) -> LearnFault {
        LearnFault::Conversion(Box::new(d))
    }
}

/// One training step as a diagram, `S * P * X * Y -> S * P * L`.
///
/// Ports: states (`State`), parameters (`Param`), inputs (`Input`) and targets (`Target`) with a leading batch axis,
/// noise (`Noise`, one draw an example), the clock (`Clock`), the rule's noise (`RuleNoise`, one draw a step). Outputs
/// of `diagram`: next states, next parameters, the loss at the point of the first request, over the reals aggregated as
/// the requests are, else the exact total over the batch, then, of several losses, each. `watched` has the requests at
/// that point behind these.
#[derive(Clone, Debug)]
pub struct Step {
    /// The step.
    pub diagram: Diagram,
    /// The step with its first requests as further outputs, one a parameter with a tangent.
    pub watched: Diagram,
    /// How many states.
    pub states: usize,
    /// How many parameters.
    pub params: usize,
    /// How many losses stand behind the loss: none where it is the only one.
    pub losses: usize,
}

/// The loss and its requests for one example: ports as the objective's; outputs the loss, one request for each
/// parameter that has a tangent, then what stands behind the loss in the objective.
///
/// # Errors
/// [`LearnFault::Reverse`] when something on the way from a parameter to the loss has no reverse derivative, or the loss
/// has no request over the tangent.
pub fn gradient(objective: &Diagram, tangent: Tangent) -> Result<Diagram, LearnFault> {
    requests_at(objective, tangent, Role::Param)
}

/// The same with requests at the ports of any role: those of role `Input` are what the learner asks of whatever made
/// its input.
///
/// # Errors
/// As [`gradient`].
pub fn requests_at(objective: &Diagram, tangent: Tangent, role: Role) -> Result<Diagram, LearnFault> {
    let (mut b, outs) = Builder::resume(objective.clone());
    let Some((loss, behind)) = outs.split_first() else { return Err(TypeFault::Foreign.into()) };
    let cots = [(*loss, rate(&mut b, tangent, *loss)?)];
    let ports = objective.ports_of(role).into_iter().map(|p| objective.port_wire(p));
    let asked: Vec<(Wire, Leaf)> = ports.filter_map(|w| Some((w, tangent.of(objective.leaf(w))?))).collect();
    let wires: Vec<Wire> = asked.iter().map(|(w, _)| *w).collect();
    let mut all = vec![*loss];
    for (request, (_, leaf)) in requests(&mut b, &tangent, &cots, &wires)?.into_iter().zip(&asked) {
        all.push(match request {
            Some(r) => r,
            None => b.zero(leaf)?,
        });
    }
    all.extend(behind);
    Ok(b.finish(&all))
}

/// Assembles the step of a training run.
///
/// # Errors
/// [`LearnFault`] when something has no reverse derivative.
pub fn step(training: &Training) -> Result<Step, LearnFault> {
    let gradient = gradient(&training.objective, training.rule.tangent)?;
    assemble(&gradient, &training.rule, training.settings.over_batch(), &training.rule.states)
}

/// Several steps over one `S * P`, one a rule: the states of all rules together, each step passing on what its rule
/// does not know. A host schedule chooses among them, as SPIDER does between refresh and recursion (OPTIMISERS.md 2.4).
///
/// # Errors
/// [`LearnFault`] when the rules are not over the parameters of the objective, or a state has two types.
pub fn steps(gradient: &Diagram, rules: &[RuleDiagram], how: Aggregator) -> Result<Vec<Step>, LearnFault> {
    let mut all: Vec<StatePort> = Vec::new();
    for state in rules.iter().flat_map(|r| &r.states) {
        match all.iter().find(|s| s.path == state.path) {
            None => all.push(state.clone()),
            Some(known) if known.leaf != state.leaf => {
                return Err(TypeFault::Mismatch { left: known.leaf.clone(), right: state.leaf.clone() }.into());
            }
            Some(_) => {}
        }
    }
    rules.iter().map(|rule| assemble(gradient, rule, how, &all)).collect()
}

fn assemble(
    gradient: &Diagram,
    rule: &RuleDiagram,
    how: Aggregator,
    all_states: &[StatePort],
) -> Result<Step, LearnFault> {
    let mut b = Builder::new();
    let all: Vec<Wire> = all_states.iter().map(|s| b.port(s.path.clone(), Role::State, s.leaf.clone())).collect();
    // Where each state of the rule is among all of them.
    let own_states: Vec<usize> =
        rule.states.iter().filter_map(|s| all_states.iter().position(|a| a.path == s.path)).collect();
    let states: Vec<Wire> = own_states.iter().filter_map(|i| all.get(*i).copied()).collect();
    let params: Vec<Wire> = rule.leaves.iter().map(|(p, l)| b.port(p.clone(), Role::Param, l.clone())).collect();
    let mut given: Vec<Option<Wire>> = vec![None; gradient.ports().len()];
    let mut batched = false;
    for role in [Role::Input, Role::Target, Role::Noise] {
        for at in gradient.ports_of(role) {
            let Some(Port { path, leaf, .. }) = gradient.ports().get(at) else { continue };
            let wire = b.port(path.clone(), role, leaf.under(Dim::BATCH));
            batched = true;
            if let Some(slot) = given.get_mut(at) {
                *slot = Some(wire);
            }
        }
    }
    let clock = b.port("t", Role::Clock, Leaf::number());
    let noise: Vec<Wire> = rule.noise.iter().map(|n| b.port(n.path.clone(), Role::RuleNoise, n.leaf.clone())).collect();
    let own = gradient.ports_of(Role::Param);
    // The parameters that the gradient has a request for, in its order.
    let asked: Vec<usize> = own
        .iter()
        .copied()
        .filter(|p| gradient.ports().get(*p).is_some_and(|p| rule.tangent.of(&p.leaf).is_some()))
        .collect();
    // The objective's parameters by path: the order of the rule's leaves is that of the training run.
    let place = |at: usize| {
        let path = gradient.ports().get(at).map(|p| &p.path);
        rule.leaves.iter().position(|(p, _)| Some(p) == path)
    };

    let d = &rule.diagram;
    let mut copy = Copying::new(d);
    let given_ports = [(Role::State, &states), (Role::Param, &params), (Role::RuleNoise, &noise)];
    for (ports, wires) in given_ports.map(|(role, wires)| (d.ports_of(role), wires)) {
        for (port, wire) in ports.into_iter().zip(wires) {
            copy.set(d.port_wire(port), *wire);
        }
    }
    for port in d.ports_of(Role::Clock) {
        copy.set(d.port_wire(port), clock);
    }
    let (n, m) = (params.len(), states.len());
    let points = d.outs().get(n + m..).unwrap_or_default();
    let mut losses = Vec::new();
    let mut first = Vec::new();
    for hole in 0..rule.holes {
        let at = copy.outs(&mut b, points.get(hole * n..(hole + 1) * n).unwrap_or_default())?;
        let mut args = Vec::new();
        for (port, wire) in given.iter().enumerate() {
            let arg = match wire {
                Some(w) => (*w, true),
                None => {
                    let leaf = own.contains(&port).then(|| place(port)).flatten();
                    let point = leaf.and_then(|l| at.get(l)).copied();
                    (point.ok_or(TypeFault::Foreign)?, false)
                }
            };
            args.push(arg);
        }
        let answers = if batched {
            batch(&mut b, gradient, &args, Dim::BATCH, gradient.outs())?
        } else {
            let args: Vec<Wire> = args.into_iter().map(|(w, _)| w).collect();
            b.append(gradient, &args)?.into_iter().map(|w| (w, false)).collect()
        };
        let how = if batched { how } else { how.of_one() };
        let mut answers = answers.into_iter();
        let at_point = match answers.next() {
            Some(answer) => Some(total(&mut b, how, answer, Dim::BATCH)?),
            None => None,
        };
        let mut met = Vec::new();
        for answer in answers.by_ref().take(asked.len()) {
            met.push(aggregate(&mut b, how, answer, Dim::BATCH)?);
        }
        let mut requests: Vec<Option<Wire>> = vec![None; n];
        for (port, request) in asked.iter().zip(met) {
            if let Some(slot) = place(*port).and_then(|l| requests.get_mut(l)) {
                *slot = Some(request);
            }
        }
        if losses.is_empty() {
            losses.extend(at_point);
            for answer in answers {
                losses.push(total(&mut b, how, answer, Dim::BATCH)?);
            }
            first = requests.iter().copied().flatten().collect();
        }
        for (at, node) in d.nodes().iter().enumerate() {
            if let Op::Request { hole: h, leaf, .. } = &node.op
                && usize::from(*h) == hole
            {
                let request = requests.get(*leaf as usize).copied().flatten().ok_or(TypeFault::Foreign)?;
                copy.set(Wire { node: u32::try_from(at).unwrap_or(u32::MAX), port: 0 }, request);
            }
        }
    }
    let next = copy.outs(&mut b, d.outs().get(..n + m).unwrap_or_default())?;
    let (next_params, next_states) = next.split_at(n.min(next.len()));
    let mut outs: Vec<Wire> = all;
    for (at, next) in own_states.iter().zip(next_states) {
        if let Some(slot) = outs.get_mut(*at) {
            *slot = *next;
        }
    }
    outs.extend(next_params);
    let behind = losses.len().saturating_sub(1);
    outs.extend(losses);
    let mut seen = outs.clone();
    seen.extend(first);
    let watched = b.clone().finish(&seen);
    Ok(Step { diagram: b.finish(&outs), watched, states: all_states.len(), params: n, losses: behind })
}

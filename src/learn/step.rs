//! Assembles the step of a training run.

use super::aggregate::{aggregate, total};
use crate::diagram::{Builder, Copying, Diagram, Op, Port, Role, TypeFault, Wire, batch};
use crate::elaborate::{Aggregator, Player, RuleDiagram, StatePort, Training};
use crate::object::{Dim, Leaf, Tangent};
use crate::prim::rate;
use crate::reverse::{ReverseFault, requests};
use crate::source::{Code, Diagnostic, Diagnostics};
use std::sync::Arc;

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
        let tangent = training.player.rule.tangent;
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
/// of `diagram`: next states, next parameters, and for each player who moves the loss at the point of its first request,
/// over the reals aggregated as the requests are, else the exact total over the batch, then, of several losses, each.
/// `watched` has the requests at that point behind these.
#[derive(Clone, Debug)]
pub struct Step {
    /// The step.
    pub diagram: Diagram,
    /// The step with its first requests as further outputs, one a parameter with a tangent, player by player.
    pub watched: Diagram,
    /// How many states.
    pub states: usize,
    /// How many parameters.
    pub params: usize,
    /// How many losses there are.
    pub losses: usize,
    /// The parameters that requests are made for.
    pub asked: Vec<Arc<str>>,
}

/// The loss and its requests for one example: ports as the objective's; outputs the loss, one request for each
/// parameter that has a tangent, then what stands behind the loss in the objective.
///
/// # Errors
/// [`LearnFault::Reverse`] when something on the way from a parameter to the loss has no reverse derivative, or the loss
/// has no request over the tangent.
pub fn gradient(objective: &Diagram, tangent: Tangent) -> Result<Diagram, LearnFault> {
    gradient_at(objective, tangent, &objective.ports_of(Role::Param), false)
}

/// What a player asks, for one example, of whatever made its input: ports as its objective's; outputs the requests at
/// the inputs that have a tangent.
///
/// # Errors
/// As [`gradient`].
pub fn input_request(player: &Player) -> Result<Diagram, LearnFault> {
    let (objective, tangent) = (&player.objective, player.rule.tangent);
    let made = gradient_at(objective, tangent, &objective.ports_of(Role::Input), player.maximises)?;
    let (b, outs) = Builder::resume(made);
    // The loss stands before the requests, each of several losses behind them.
    let behind = objective.outs().len().saturating_sub(1);
    Ok(b.finish(outs.get(1..outs.len().saturating_sub(behind)).unwrap_or_default()))
}

/// The loss and the requests at some ports, of the negative loss if so said.
fn gradient_at(objective: &Diagram, tangent: Tangent, ports: &[usize], negative: bool) -> Result<Diagram, LearnFault> {
    let (mut b, outs) = Builder::resume(objective.clone());
    let Some((loss, behind)) = outs.split_first() else { return Err(TypeFault::Foreign.into()) };
    let rate = rate(&mut b, tangent, *loss)?;
    let cots = [(*loss, if negative { b.negative(rate)? } else { rate })];
    let ports = ports.iter().map(|p| objective.port_wire(*p));
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

/// The ports of an objective that a rule is over.
fn owned(objective: &Diagram, rule: &RuleDiagram) -> Vec<usize> {
    let of = |at: &usize| objective.ports().get(*at).map(|p| &p.path);
    let ports = objective.ports_of(Role::Param).into_iter();
    ports.filter(|at| rule.leaves.iter().any(|(path, _)| Some(path) == of(at))).collect()
}

/// Assembles the step of a training run, in a game that of all players at one old state.
///
/// # Errors
/// [`LearnFault`] when something has no reverse derivative.
pub fn step(training: &Training) -> Result<Step, LearnFault> {
    step_of(training, &training.players().collect::<Vec<_>>())
}

/// The step of some players of a run at one old state, over the whole S * P: what the others own is passed on.
///
/// # Errors
/// As [`step`].
pub fn step_of(training: &Training, players: &[&Player]) -> Result<Step, LearnFault> {
    let mut gradients = Vec::new();
    for player in players {
        let own = owned(&player.objective, &player.rule);
        gradients.push(gradient_at(&player.objective, player.rule.tangent, &own, player.maximises)?);
    }
    let params: Vec<_> = training.params.iter().map(|p| (p.path.clone(), p.leaf.clone())).collect();
    let asking: Vec<_> = gradients.iter().zip(players).map(|(g, p)| (g, &p.rule)).collect();
    assemble(&asking, training.settings.over_batch(), &training.states(), &params)
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
    rules.iter().map(|rule| assemble(&[(gradient, rule)], how, &all, &rule.leaves)).collect()
}

/// The ports of a step that is being assembled, and what becomes of its states and parameters.
struct Assembly<'a> {
    b: Builder,
    how: Aggregator,
    all_states: &'a [StatePort],
    all_params: &'a [(Arc<str>, Leaf)],
    states: Vec<Wire>,
    params: Vec<Wire>,
    clock: Wire,
    next_states: Vec<Wire>,
    next_params: Vec<Wire>,
    losses: Vec<Wire>,
    requests: Vec<(Arc<str>, Wire)>,
}

/// A gradient with the rule that asks it.
type Asking<'a> = (&'a Diagram, &'a RuleDiagram);

fn assemble(
    asking: &[Asking<'_>],
    how: Aggregator,
    all_states: &[StatePort],
    all_params: &[(Arc<str>, Leaf)],
) -> Result<Step, LearnFault> {
    let mut b = Builder::new();
    let states: Vec<Wire> = all_states.iter().map(|s| b.port(s.path.clone(), Role::State, s.leaf.clone())).collect();
    let params: Vec<Wire> = all_params.iter().map(|(p, l)| b.port(p.clone(), Role::Param, l.clone())).collect();
    // What each port of a gradient that is not a parameter is given; ports alike are one.
    let mut shared: Vec<(&Port, Wire)> = Vec::new();
    for role in [Role::Input, Role::Target, Role::Noise] {
        for (gradient, _) in asking {
            let ports = gradient.ports_of(role).into_iter().filter_map(|at| gradient.ports().get(at));
            for port in ports {
                if !shared.iter().any(|(known, _)| *known == port) {
                    shared.push((port, b.port(port.path.clone(), role, port.leaf.under(Dim::BATCH))));
                }
            }
        }
    }
    let clock = b.port("t", Role::Clock, Leaf::number());
    let (next_states, next_params) = (states.clone(), params.clone());
    let (losses, requests) = (Vec::new(), Vec::new());
    let mut made =
        Assembly { b, how, all_states, all_params, states, params, clock, next_states, next_params, losses, requests };
    for (gradient, rule) in asking {
        let of = |port: &Port| shared.iter().find(|(known, _)| *known == port).map(|(_, wire)| *wire);
        let given: Vec<Option<Wire>> = gradient.ports().iter().map(of).collect();
        made.player(gradient, rule, &given)?;
    }
    let Assembly { b, next_states, next_params, losses, requests, .. } = made;
    let met = losses.len();
    let outs: Vec<Wire> = next_states.into_iter().chain(next_params).chain(losses).collect();
    let mut seen = outs.clone();
    seen.extend(requests.iter().map(|(_, wire)| *wire));
    let watched = b.clone().finish(&seen);
    let asked = requests.into_iter().map(|(path, _)| path).collect();
    let (states, params) = (all_states.len(), all_params.len());
    Ok(Step { diagram: b.finish(&outs), watched, states, params, losses: met, asked })
}

impl Assembly<'_> {
    /// Fills the holes of a rule with requests at the old state; `given` is what each port of the gradient is given
    /// that is not a parameter.
    fn player(&mut self, gradient: &Diagram, rule: &RuleDiagram, given: &[Option<Wire>]) -> Result<(), LearnFault> {
        let Assembly { b, how, all_states, all_params, .. } = self;
        let batched = given.iter().any(Option::is_some);
        // Where the states and leaves of the rule are among all of them.
        let own_states: Vec<usize> =
            rule.states.iter().filter_map(|s| all_states.iter().position(|a| a.path == s.path)).collect();
        let own_params: Vec<usize> =
            rule.leaves.iter().filter_map(|(path, _)| all_params.iter().position(|(a, _)| a == path)).collect();
        let states: Vec<Wire> = own_states.iter().filter_map(|i| self.states.get(*i).copied()).collect();
        let params: Vec<Wire> = own_params.iter().filter_map(|i| self.params.get(*i).copied()).collect();
        let noise: Vec<Wire> =
            rule.noise.iter().map(|n| b.port(n.path.clone(), Role::RuleNoise, n.leaf.clone())).collect();
        // The parameters that the gradient has a request for, in its order, and their places among the rule's leaves:
        // the order of those is that of the training run.
        let path = |at: usize| gradient.ports().get(at).map(|p| &p.path);
        let place = |at: usize| rule.leaves.iter().position(|(p, _)| Some(p) == path(at));
        let asks = |at: &usize| gradient.ports().get(*at).is_some_and(|p| rule.tangent.of(&p.leaf).is_some());
        let asked: Vec<usize> = owned(gradient, rule).into_iter().filter(asks).collect();

        let d = &rule.diagram;
        let mut copy = Copying::new(d);
        let given_ports = [(Role::State, &states), (Role::Param, &params), (Role::RuleNoise, &noise)];
        for (ports, wires) in given_ports.map(|(role, wires)| (d.ports_of(role), wires)) {
            for (port, wire) in ports.into_iter().zip(wires) {
                copy.set(d.port_wire(port), *wire);
            }
        }
        for port in d.ports_of(Role::Clock) {
            copy.set(d.port_wire(port), self.clock);
        }
        let (n, m) = (params.len(), states.len());
        let points = d.outs().get(n + m..).unwrap_or_default();
        for hole in 0..rule.holes {
            let at = copy.outs(b, points.get(hole * n..(hole + 1) * n).unwrap_or_default())?;
            let mut args = Vec::new();
            for (port, wire) in given.iter().enumerate() {
                let arg = match wire {
                    Some(w) => (*w, true),
                    None => {
                        // Where the rule asks, else where what others own stands.
                        let own = place(port).and_then(|l| at.get(l));
                        let other = || all_params.iter().position(|(p, _)| Some(p) == path(port));
                        let point = own.or_else(|| self.params.get(other()?)).copied();
                        (point.ok_or(TypeFault::Foreign)?, false)
                    }
                };
                args.push(arg);
            }
            let answers = if batched {
                batch(b, gradient, &args, Dim::BATCH, gradient.outs())?
            } else {
                let args: Vec<Wire> = args.into_iter().map(|(w, _)| w).collect();
                b.append(gradient, &args)?.into_iter().map(|w| (w, false)).collect()
            };
            let how = if batched { *how } else { how.of_one() };
            let mut answers = answers.into_iter();
            let at_point = answers.next();
            let mut requests: Vec<Option<Wire>> = vec![None; n];
            for (port, answer) in asked.iter().zip(answers.by_ref().take(asked.len())) {
                let request = aggregate(b, how, answer, Dim::BATCH)?;
                if let Some(slot) = place(*port).and_then(|l| requests.get_mut(l)) {
                    *slot = Some(request);
                }
            }
            // What a player owns and its objective does not read has no influence on it.
            for (slot, (_, leaf)) in requests.iter_mut().zip(&rule.leaves) {
                if let (None, Some(leaf)) = (&slot, rule.tangent.of(leaf)) {
                    *slot = Some(b.zero(&leaf)?);
                }
            }
            if hole == 0 {
                for answer in at_point.into_iter().chain(answers) {
                    self.losses.push(total(b, how, answer, Dim::BATCH)?);
                }
                let known = rule.leaves.iter().zip(&requests);
                self.requests.extend(known.filter_map(|((path, _), r)| Some((path.clone(), (*r)?))));
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
        let next = copy.outs(b, d.outs().get(..n + m).unwrap_or_default())?;
        let (params, states) = next.split_at(n.min(next.len()));
        put(&mut self.next_params, &own_params, params);
        put(&mut self.next_states, &own_states, states);
        Ok(())
    }
}

/// Puts wires at their places.
fn put(all: &mut [Wire], places: &[usize], wires: &[Wire]) {
    for (at, wire) in places.iter().zip(wires) {
        if let Some(slot) = all.get_mut(*at) {
            *slot = *wire;
        }
    }
}

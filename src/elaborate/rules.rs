//! Update rules over the leaves of a program: `optimiser`, `transform`, their composites and parts.
//!
//! In: a rule expression and the parameter leaves. Out: a [`RuleDiagram`]: parameters, states and the clock in, next
//! parameters and states out, with `request` nodes as holes that `learn` fills. `get`/`put` is sugar for one hole.
//! Bodies of a rule per coordinate, tensor or matrix are elaborated leaf by leaf; per global once over the family.

use super::apply::Arriving;
use super::dims::Vars;
use super::names::{DefId, Definitions};
use super::program::{RuleDiagram, StateInit, StatePort};
use super::rule_scope::RuleScope;
use super::session::Elab;
use super::stages::{Part, parts_of, stages_of};
use super::types::{DimTerm, Ty};
use super::value::{Den, Env, Place, Res, RuleStage, Setting, Value, fault};
use crate::diagram::{Role, Wire};
use crate::object::{Dim, Leaf};
use crate::source::{Code, Diagnostic, Diagnostics, Span};
use crate::syntax::ast::{Expr, ExprKind, FormalKind, GetBody, RuleBody, RuleItem, ScopeWord};
use rustc_hash::FxHashMap;
use std::rc::Rc;
use std::sync::Arc;

/// The ports of the states made so far.
#[derive(Default)]
struct States {
    ports: Vec<(StatePort, Wire, Wire)>,
    at: FxHashMap<String, usize>,
}

struct Building<'e, 'p> {
    elab: &'e mut Elab<'p>,
    leaves: &'e [(Arc<str>, Leaf)],
    clock: Wire,
    states: States,
    evaluated: Vec<Option<Wire>>,
    /// The part of the rule expression that is being built.
    part: usize,
}

/// Elaborates a rule over leaves.
pub(crate) fn build<'p>(
    defs: &'p Definitions,
    rule: &'p Expr,
    env: &Env<'p>,
    leaves: &[(Arc<str>, Leaf)],
    diagnostics: &mut Diagnostics,
) -> Option<RuleDiagram> {
    let mut elab = Elab::new(defs);
    let built = build_in(&mut elab, rule, env, leaves);
    let built = elab.keep(built);
    let failed = elab.diagnostics.has_errors();
    for d in elab.diagnostics.0 {
        diagnostics.push(d);
    }
    if failed { None } else { built }
}

/// Reports what is wrong with a rule expression before its parameters are known.
pub(crate) fn check_expr<'p>(elab: &mut Elab<'p>, rule: &'p Expr, env: &Env<'p>) {
    let rules: Vec<&'p Expr> = match &rule.kind {
        ExprKind::Parts(parts) => parts.iter().map(|(_, _, e)| e).collect(),
        _ => vec![rule],
    };
    for e in rules {
        let stages = stages_of(elab, e, env);
        elab.keep(stages);
    }
}

/// A rule over sample leaves: settings without a default are taken as one half.
pub(crate) fn over(
    defs: &Definitions,
    id: DefId,
    item: &RuleItem,
    leaves: &[(Arc<str>, Leaf)],
    diagnostics: &mut Diagnostics,
) -> Option<RuleDiagram> {
    let mut elab = Elab::new(defs);
    elab.sampled = true;
    let env = Env::new(id.file, Place::new(""));
    let mut settings = Vec::new();
    let mut bound = env.clone();
    for formal in &item.formals {
        let den = match &formal.kind {
            FormalKind::Default(e) => {
                let den = elab.setting(e, &bound, "");
                elab.keep(den)
            }
            // A rule that takes a rule or a map has a meaning only where it is used.
            FormalKind::Map(_) => return None,
            FormalKind::Required => Some(Den::Wires(Value::Number(0.5))),
        };
        let den = den?;
        bound.bind(formal.name.name.clone(), den.clone());
        settings.push((formal.name.name.clone(), Setting::Value(den)));
    }
    let stage = RuleStage { item, def: id, settings, span: item.name.span };
    let part = Part { leaves: (0..leaves.len()).collect(), stages: vec![stage] };
    let built = build_parts(&mut elab, vec![part], item.name.span, leaves);
    let built = elab.keep(built);
    // A setting that is compared with a word is one: what it is, its use says.
    if elab.words {
        return None;
    }
    elab.diagnostics.0.into_iter().for_each(|d| diagnostics.push(d));
    built
}

fn build_in<'p>(elab: &mut Elab<'p>, rule: &'p Expr, env: &Env<'p>, leaves: &[(Arc<str>, Leaf)]) -> Res<RuleDiagram> {
    let parts = parts_of(elab, rule, env, leaves)?;
    build_parts(elab, parts, rule.span, leaves)
}

fn build_parts<'p>(
    elab: &mut Elab<'p>,
    parts: Vec<Part<'p>>,
    span: Span,
    leaves: &[(Arc<str>, Leaf)],
) -> Res<RuleDiagram> {
    let params: Vec<Wire> =
        leaves.iter().map(|(path, leaf)| elab.b.port(path.clone(), Role::Param, leaf.clone())).collect();
    let clock = elab.b.port("t", Role::Clock, Leaf::number());
    let n = leaves.len();
    elab.rule = Some(RuleScope {
        coordinate: false,
        exempt: false,
        declared: span,
        stage: span,
        call_site: None,
        leaves: Vec::new(),
        flat: None,
        holes: vec![0; n],
        next: FxHashMap::default(),
        states: Vec::new(),
        advances: false,
        asks: false,
    });
    let mut b = Building { elab, leaves, clock, states: States::default(), evaluated: vec![None; n], part: 0 };
    let mut next = params.clone();
    // A part without parameters (a warning was given) has nothing to build, and a norm of nothing is no wire.
    for (at, part) in parts.iter().enumerate().filter(|(_, p)| !p.leaves.is_empty()) {
        b.part = at;
        let own: Vec<Wire> = part.leaves.iter().filter_map(|l| params.get(*l).copied()).collect();
        let out = b.run(part, 0, &part.leaves, &own)?;
        for (leaf, w) in part.leaves.iter().zip(out) {
            if let Some(slot) = next.get_mut(*leaf) {
                *slot = w;
            }
        }
    }
    let Building { elab, states, evaluated, .. } = b;
    let holes = elab.rule.as_ref().map_or(0, |r| r.holes.iter().copied().max().unwrap_or(0));
    finish(elab, &params, next, states, evaluated, usize::from(holes), leaves)
}

fn finish(
    elab: &mut Elab<'_>,
    params: &[Wire],
    next: Vec<Wire>,
    states: States,
    evaluated: Vec<Option<Wire>>,
    holes: usize,
    leaves: &[(Arc<str>, Leaf)],
) -> Res<RuleDiagram> {
    // The points of the holes: a leaf that asks less often is asked where it was asked last.
    let mut points: Vec<Vec<Wire>> = vec![params.to_vec(); holes.max(1)];
    let mut last: Vec<Wire> = params.to_vec();
    for hole in 0..holes {
        for node in elab.b.diagram().nodes() {
            if let crate::diagram::Op::Request { hole: h, leaf } = &node.op
                && usize::from(*h) == hole
                && let (Some(slot), Some(point)) = (last.get_mut(*leaf as usize), node.ins.first())
            {
                *slot = *point;
            }
        }
        if let Some(row) = points.get_mut(hole) {
            row.clone_from(&last);
        }
    }
    let mut outs = next;
    outs.extend(states.ports.iter().map(|(_, _, next)| *next));
    outs.extend(points.iter().flatten());
    let evaluates = evaluated.iter().any(Option::is_some);
    if evaluates {
        outs.extend(evaluated.iter().zip(params).map(|(e, p)| e.unwrap_or(*p)));
    }
    let b = std::mem::take(&mut elab.b);
    Ok(RuleDiagram {
        diagram: b.finish(&outs),
        leaves: leaves.to_vec(),
        states: states.ports.into_iter().map(|(s, _, _)| s).collect(),
        holes: holes.max(1),
        evaluates,
    })
}

impl<'p> Building<'_, 'p> {
    /// Runs the stages from `k` on at a point: what stage `k` makes of the request of the stages behind it.
    fn run(&mut self, part: &Part<'p>, k: usize, leaves: &[usize], at: &[Wire]) -> Res<Vec<Wire>> {
        let Some(stage) = part.stages.get(k) else {
            let span = part.stages.last().map(|s| s.span).unwrap_or_default();
            return self.elab.ask(leaves, at, span);
        };
        let stage = stage.clone();
        let global = matches!(stage.item.scope, Some((ScopeWord::Global, _)));
        let groups: Vec<Vec<usize>> =
            if global { vec![(0..leaves.len()).collect()] } else { (0..leaves.len()).map(|i| vec![i]).collect() };
        match &stage.item.body {
            RuleBody::Lens { get, put } => {
                let mut points: Vec<Vec<Wire>> = Vec::new();
                for group in &groups {
                    let mut body = self.enter(&stage, k, leaves, at, group)?;
                    let found = self.points(get.as_ref(), &mut body)?;
                    for (i, row) in found.into_iter().enumerate() {
                        if points.len() <= i {
                            points.push(Vec::new());
                        }
                        if let Some(all) = points.get_mut(i) {
                            all.extend(row);
                        }
                    }
                }
                let mut requests = Vec::new();
                for row in &points {
                    requests.push(self.run(part, k + 1, leaves, row)?);
                }
                let mut out = Vec::new();
                for group in &groups {
                    let mut body = self.enter(&stage, k, leaves, at, group)?;
                    let mut args = Vec::new();
                    for row in &requests {
                        let own: Vec<Wire> = group.iter().filter_map(|i| row.get(*i).copied()).collect();
                        args.push(self.seen(&own, &body, stage.span)?);
                    }
                    let value = if args.len() == 1 { args.pop().unwrap_or(Value::Poison) } else { Value::Tuple(args) };
                    self.elab.bind_wires(&put.0, value, stage.span, &mut body.env)?;
                    if let Some(scope) = &mut self.elab.rule {
                        scope.advances = true;
                    }
                    let value = self.elab.block(&put.1, &mut body.env)?;
                    out.extend(self.leave(&stage, body, value, put.1.value.span)?);
                }
                Ok(out)
            }
            RuleBody::Step(block) => {
                if part.stages.len() > k + 1 {
                    return Elab::not_yet("a transform behind a rule with `step`", stage.span);
                }
                let mut out = Vec::new();
                for group in &groups {
                    let mut body = self.enter(&stage, k, leaves, at, group)?;
                    if let Some(scope) = &mut self.elab.rule {
                        scope.asks = true;
                        scope.advances = true;
                    }
                    let value = self.elab.block(block, &mut body.env)?;
                    if let Some(scope) = &mut self.elab.rule {
                        scope.asks = false;
                    }
                    out.extend(self.leave(&stage, body, value, block.value.span)?);
                }
                Ok(out)
            }
        }
    }

    fn points(&mut self, get: Option<&'p GetBody>, body: &mut Body<'p>) -> Res<Vec<Vec<Wire>>> {
        let rows: Vec<(Value, Span)> = match get {
            None => vec![(body.p.clone(), body.span)],
            Some(GetBody::Expr(e)) => vec![(self.elab.wire(e, &body.env)?, e.span)],
            Some(GetBody::Block(block)) => vec![(self.elab.block(block, &mut body.env)?, block.value.span)],
            Some(GetBody::Points(wires)) => {
                let mut rows = Vec::new();
                for (pattern, _) in &wires.patterns {
                    let crate::syntax::ast::Pattern::Name(name) = pattern else {
                        return fault(Diagnostic::error(Code::RULE_BODY, "a point is a name").at(wires.span, ""));
                    };
                    match body.env.get(&name.name) {
                        Some(Den::Wires(v)) => rows.push((v.clone(), name.span)),
                        _ => return self.elab.unknown(&name.name, name.span, &body.env, "point"),
                    }
                }
                rows
            }
        };
        rows.into_iter().map(|(v, span)| self.unseen(&v, body, span)).collect()
    }

    /// Wires of leaves as the body sees them.
    fn seen(&mut self, wires: &[Wire], body: &Body<'p>, span: Span) -> Res<Value> {
        if body.global {
            return Ok(Value::Family(Rc::new(wires.to_vec())));
        }
        let w = wires.first().copied().ok_or(None)?;
        self.elab.flatten_leaf(w, body.flat.as_ref(), span).map(Value::Wire)
    }

    /// A value of the body as wires of the leaves.
    fn unseen(&mut self, value: &Value, body: &Body<'p>, span: Span) -> Res<Vec<Wire>> {
        let wires = match value {
            Value::Family(ws) => ws.as_ref().clone(),
            Value::Poison => return Err(None),
            other => {
                let w = self.elab.as_wire(other, span)?;
                vec![self.elab.unflatten(w, body.flat.as_ref(), span)?]
            }
        };
        let wanted: Vec<Leaf> =
            body.leaves.iter().filter_map(|l| self.leaves.get(*l).map(|(_, l)| l.clone())).collect();
        let given: Vec<Leaf> = wires.iter().map(|w| self.elab.leaf(*w)).collect();
        if wanted != given {
            let show = |l: &[Leaf]| l.iter().map(Leaf::to_string).collect::<Vec<_>>().join(", ");
            return fault(
                Diagnostic::error(Code::RULE_BODY, format!("this must be {}, it is {}", show(&wanted), show(&given)))
                    .at(span, format!("gives {}", show(&given)))
                    .also(body.span, "of this rule"),
            );
        }
        Ok(wires)
    }

    /// The environment of a body: settings, the parameter, the states.
    fn enter(
        &mut self,
        stage: &RuleStage<'p>,
        k: usize,
        leaves: &[usize],
        at: &[Wire],
        group: &[usize],
    ) -> Res<Body<'p>> {
        let item = stage.item;
        let own: Vec<usize> = group.iter().filter_map(|i| leaves.get(*i).copied()).collect();
        let wires: Vec<Wire> = group.iter().filter_map(|i| at.get(*i).copied()).collect();
        let global = matches!(item.scope, Some((ScopeWord::Global, _)));
        let mut env = Env::new(stage.def.file, Place::new(""));
        let mut vars = Vars::default();
        let ty = self.elab.ty(&item.on.ty, &env)?;
        self.elab.open_letters(&ty, &mut vars);
        let flat = if global { None } else { self.shape(stage, &ty, &mut vars, &own)? };
        vars.bind_into(&mut env);
        let mut body = Body {
            env,
            p: Value::Poison,
            flat: flat.clone(),
            leaves: own.clone(),
            global,
            span: stage.span,
            states: Vec::new(),
            part: self.part,
            k,
        };
        body.p = self.seen(&wires, &body, stage.span)?;
        let coordinate = match item.scope {
            None | Some((ScopeWord::Coordinate, _)) => true,
            Some(_) => false,
        };
        if let Some(scope) = &mut self.elab.rule {
            scope.coordinate = coordinate;
            scope.exempt = false;
            scope.stage = stage.span;
            scope.declared = item.scope.map_or(item.name.span, |(_, s)| s);
            scope.call_site = None;
            scope.leaves.clone_from(&own);
            scope.flat = flat;
            scope.next.clear();
            scope.states = item.states.iter().map(|s| s.name.name.clone()).collect();
            scope.advances = false;
            scope.asks = false;
        }
        for (name, setting) in &stage.settings {
            let den = match setting {
                Setting::Value(den) => den.clone(),
                Setting::Schedule(e, from) => {
                    let clock = Arriving { value: Value::Wire(self.clock), from: None };
                    let place = Place::new("");
                    Den::Wires(self.elab.apply(e, &from.at(place), clock)?)
                }
                Setting::Default(e) => self.elab.setting(e, &body.env, "")?,
            };
            body.env.bind(name.clone(), den);
        }
        body.env.bind(item.on.name.name.clone(), Den::Wires(body.p.clone()));
        for state in &item.states {
            let value = self.state(stage, state, &ty, &mut vars, &mut body)?;
            body.env.bind(state.name.name.clone(), Den::Wires(value));
        }
        if k == 0
            && let Some(evaluate) = &item.evaluate
        {
            self.evaluate(evaluate, &body)?;
        }
        Ok(body)
    }

    fn evaluate(&mut self, evaluate: &'p crate::syntax::ast::Body, body: &Body<'p>) -> Res<()> {
        let (value, span) = match evaluate {
            crate::syntax::ast::Body::Map(e) => (self.elab.wire(e, &body.env)?, e.span),
            crate::syntax::ast::Body::Wires(_, block) => {
                let mut env = body.env.clone();
                (self.elab.block(block, &mut env)?, block.value.span)
            }
        };
        let wires = self.unseen(&value, body, span)?;
        for (leaf, w) in body.leaves.iter().zip(wires) {
            if let Some(slot) = self.evaluated.get_mut(*leaf) {
                *slot = Some(w);
            }
        }
        Ok(())
    }

    /// How the only leaf of a body appears in it: `R[n]` sees any tensor as a vector.
    fn shape(
        &mut self,
        stage: &RuleStage<'p>,
        ty: &Ty<'p>,
        vars: &mut Vars,
        own: &[usize],
    ) -> Res<Option<(Leaf, Leaf)>> {
        let Some((path, leaf)) = own.first().and_then(|l| self.leaves.get(*l)).cloned() else { return Err(None) };
        let vector = matches!(ty, Ty::Leaf { dims, .. } if matches!(dims.as_slice(), [DimTerm::Expr(_)]));
        let seen =
            if vector && leaf.rank() != 1 { leaf.with_dims([Dim::lit(leaf.size(1) as u64)]) } else { leaf.clone() };
        let probe = self.elab.b.zero(&seen);
        let probe = self.elab.typed(probe, "parameter", stage.span)?;
        if let Some(m) = self.elab.unify(ty, &Value::Wire(probe), vars)? {
            return fault(
                Diagnostic::error(
                    Code::RULE_SCOPE,
                    format!("`{}` works on {}, the parameter `{path}` is {leaf}", stage.item.name.name, m.needs),
                )
                .at(stage.span, format!("`{path}` is {leaf}"))
                .also(stage.item.on.ty.span, format!("takes {}", m.needs))
                .help("give other parameters a rule of their own: `{ \"*.W\": .., _: adamw }`"),
            );
        }
        Ok((seen != leaf).then_some((leaf, seen)))
    }

    /// The value of a state in a body: its port, made at first sight, or what an earlier request left in it.
    fn state(
        &mut self,
        stage: &RuleStage<'p>,
        state: &'p crate::syntax::ast::PortDecl,
        on: &Ty<'p>,
        vars: &mut Vars,
        body: &mut Body<'p>,
    ) -> Res<Value> {
        // Read as the parameter's type was, before its letters were bound: `R[n]` is then the parameter's own shape.
        let plain = Env::new(stage.def.file, Place::new(""));
        let ty = self.elab.ty(&state.ty, &plain)?;
        let like_p = self.elab.show_type(&ty, &Vars::default()) == self.elab.show_type(on, &Vars::default());
        let from_p = matches!(&state.init, Some(Expr { kind: ExprKind::Path(p), .. })
            if matches!(p.as_slice(), [n] if n.name == stage.item.on.name.name));
        let mut ports = Vec::new();
        if body.global && !like_p {
            let leaf = self.elab.leaf_of(&ty, vars)?;
            let init = self.elab.init(state.init.as_ref(), &leaf, &body.env, state.ty.span)?;
            let path = format!("{}.{}", stage.item.name.name, state.name.name);
            ports.push(self.state_port((body.part, body.k), path, String::new(), &leaf, StateInit::Draw(init)));
            let value = self.states.value(ports.first().copied());
            body.states.push((state.name.name.clone(), ports, false));
            return Ok(value.map_or(Value::Poison, Value::Wire));
        }
        for l in body.leaves.clone() {
            let Some((path, leaf)) = self.leaves.get(l).cloned() else { continue };
            let own = if like_p { leaf } else { self.elab.leaf_of(&ty, vars)? };
            let init = if from_p && like_p {
                StateInit::Param(l)
            } else {
                StateInit::Draw(self.elab.init(state.init.as_ref(), &own, &body.env, state.ty.span)?)
            };
            let short = format!("{path}.{}", state.name.name);
            let long = format!("{path}.{}.{}", stage.item.name.name, state.name.name);
            ports.push(self.state_port((body.part, body.k), short, long, &own, init));
        }
        let wires: Vec<Wire> = ports.iter().filter_map(|p| self.states.value(Some(*p))).collect();
        body.states.push((state.name.name.clone(), ports, like_p));
        if body.global {
            return Ok(Value::Family(Rc::new(wires)));
        }
        let w = wires.first().copied().ok_or(None)?;
        if like_p {
            self.elab.flatten_leaf(w, body.flat.as_ref(), stage.span).map(Value::Wire)
        } else {
            Ok(Value::Wire(w))
        }
    }

    /// The port of a state; a path that another rule's state has already gets the rule's name into it.
    fn state_port(
        &mut self,
        (part, k): (usize, usize),
        short: String,
        long: String,
        leaf: &Leaf,
        init: StateInit,
    ) -> StateAt {
        let key = format!("{part}:{k}:{short}");
        if let Some(at) = self.states.at.get(&key) {
            return StateAt(*at);
        }
        let taken = |path: &str| {
            self.states.ports.iter().any(|(s, _, _)| *s.path == *path) || self.leaves.iter().any(|(p, _)| **p == *path)
        };
        // `p.m`, `p.adam.m`, then `p.adam.1.m`: two states never share a path.
        let base = if long.is_empty() { &short } else { &long };
        let (stem, last) = base.rsplit_once('.').unwrap_or(("", base));
        let numbered = (1..=self.states.ports.len() + 1).map(|i| format!("{stem}.{i}.{last}"));
        let mut wanted = [short.clone(), base.clone()].into_iter().chain(numbered);
        let path = wanted.find(|path| !taken(path)).unwrap_or(short);
        let wire = self.elab.b.port(path.as_str(), Role::State, leaf.clone());
        let at = self.states.ports.len();
        self.states.ports.push((StatePort { path: path.as_str().into(), leaf: leaf.clone(), init }, wire, wire));
        self.states.at.insert(key, at);
        StateAt(at)
    }

    /// Takes the result and the next states out of a body.
    fn leave(&mut self, stage: &RuleStage<'p>, body: Body<'p>, value: Value, span: Span) -> Res<Vec<Wire>> {
        let next = self.elab.rule.as_mut().map(|s| std::mem::take(&mut s.next)).unwrap_or_default();
        for (name, ports, like_p) in &body.states {
            let Some(value) = next.get(name) else { continue };
            let wires = match value {
                Value::Poison => return Err(None),
                Value::Family(ws) => ws.as_ref().clone(),
                other => {
                    let w = self.elab.as_wire(other, span)?;
                    vec![if *like_p { self.elab.unflatten(w, body.flat.as_ref(), span)? } else { w }]
                }
            };
            for (at, w) in ports.iter().zip(&wires) {
                let given = self.elab.leaf(*w);
                if let Some((port, _, slot)) = self.states.ports.get_mut(at.0) {
                    if port.leaf != given {
                        return fault(
                            Diagnostic::error(
                                Code::RULE_BODY,
                                format!("the state `{name}` is {}, its next value is {given}", port.leaf),
                            )
                            .at(stage.item.name.span, format!("in `{}`", stage.item.name.name))
                            .also(span, "in this body"),
                        );
                    }
                    *slot = *w;
                }
            }
        }
        self.unseen(&value, &body, span)
    }
}

impl States {
    /// What a state holds now: its port, or its next value once a stage has run.
    fn value(&self, at: Option<StateAt>) -> Option<Wire> {
        self.ports.get(at?.0).map(|(_, _, next)| *next)
    }
}

/// A state's place.
#[derive(Clone, Copy, Debug)]
struct StateAt(usize);

/// The body of a rule for one leaf or one family.
struct Body<'p> {
    env: Env<'p>,
    p: Value,
    flat: Option<(Leaf, Leaf)>,
    leaves: Vec<usize>,
    global: bool,
    span: Span,
    states: Vec<(Arc<str>, Vec<StateAt>, bool)>,
    part: usize,
    k: usize,
}

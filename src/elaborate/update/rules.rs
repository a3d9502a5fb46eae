//! Update rules over the leaves of a program: `optimiser`, `transform`, their composites and parts.
//!
//! In: a rule expression and the parameter leaves. Out: a [`RuleDiagram`]: parameters, states and the clock in, next
//! parameters and states out, with `request` nodes as holes that `learn` fills. `get`/`put` is sugar for one hole.
//! Bodies of a rule per coordinate, tensor or matrix are elaborated leaf by leaf; per global once over the family.

use crate::diagram::{Role, Wire};
use crate::elaborate::program::RuleDiagram;
use crate::elaborate::scope::mentions::owners;
use crate::elaborate::scope::names::{DefId, Definitions};
use crate::elaborate::session::Elab;
use crate::elaborate::terms::stages::{Part, parts_of, stages_of, transforms_of};
use crate::elaborate::update::rule_bodies::{Building, States};
use crate::elaborate::update::rule_scope::RuleScope;
use crate::elaborate::value::{Den, Env, Place, Res, RuleStage, Setting, Value, fault};
use crate::object::{Base, Leaf, Tangent};
use crate::source::{Code, Diagnostic, Diagnostics, Span};
use crate::syntax::ast::{Expr, ExprKind, FormalKind, ItemKind, PortDecl, RuleBody, RuleItem, ScopeWord};
use rustc_hash::FxHashMap;
use std::rc::Rc;
use std::sync::Arc;

/// Who answers a rule's requests.
pub(in crate::elaborate) enum Ask {
    /// The model, by a hole.
    Model,
    /// They are known, one a leaf that has one.
    Given(Vec<Option<Wire>>),
}

/// A rule expression as what moves the parameters and the transforms behind parts.
fn front_of(rule: &Expr) -> (&Expr, &[Expr]) {
    match &rule.kind {
        ExprKind::Compose(list) => match list.split_first() {
            Some((first, rest)) if matches!(first.kind, ExprKind::Parts(_)) => (first, rest),
            _ => (rule, &[]),
        },
        _ => (rule, &[]),
    }
}

/// Elaborates a rule over leaves, of which it leaves some as they are.
pub(crate) fn build<'p>(
    defs: &'p Definitions,
    rule: &'p Expr,
    env: &Env<'p>,
    leaves: &[(Arc<str>, Leaf)],
    frozen: &[bool],
    diagnostics: &mut Diagnostics,
) -> Option<RuleDiagram> {
    let mut elab = Elab::new(defs);
    let built = build_in(&mut elab, rule, env, leaves, frozen);
    let built = elab.keep(built);
    let failed = elab.diagnostics.has_errors();
    for d in elab.diagnostics.0 {
        diagnostics.push(d);
    }
    if failed { None } else { built }
}

/// Reports what is wrong with a rule expression before its parameters are known.
pub(crate) fn check_expr<'p>(elab: &mut Elab<'p>, rule: &'p Expr, env: &Env<'p>) {
    let (first, behind) = front_of(rule);
    let rules: Vec<&'p Expr> = match &first.kind {
        ExprKind::Parts(parts) => parts.iter().map(|(_, _, e)| e).collect(),
        _ => vec![first],
    };
    let behind = transforms_of(elab, behind, env);
    elab.keep(behind);
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
    let stage = sample(&mut elab, id, item)?;
    let part = Part { leaves: (0..leaves.len()).collect(), stages: vec![stage] };
    let built = build_parts(&mut elab, (vec![part], Vec::new()), item.name.span, leaves);
    let built = elab.keep(built);
    // A setting that is compared with a word is one: what it is, its use says.
    if elab.words {
        return None;
    }
    elab.diagnostics.0.into_iter().for_each(|d| diagnostics.push(d));
    built
}

/// A rule with a sample of every setting; one that it takes is the plainest over the same requests.
fn sample<'p>(elab: &mut Elab<'p>, id: DefId, item: &'p RuleItem) -> Option<RuleStage<'p>> {
    let rules = elab.defs.item(id).map(owners).unwrap_or_default();
    let mut bound = Env::new(id.file, Place::new(""));
    let mut settings = Vec::new();
    for formal in &item.formals {
        let den = match &formal.kind {
            FormalKind::Default(e) => {
                let den = elab.setting(e, &bound, "");
                elab.keep(den)
            }
            // A rule that takes a map has a meaning only where it is used.
            FormalKind::Map(_) => return None,
            FormalKind::Required if rules.contains(&&*formal.name.name) => {
                let plain = match elab.tangent_of_rule(item, id.file) {
                    Tangent::Real => "gd",
                    Tangent::Parity => "rda",
                    Tangent::Votes => "counter",
                };
                let prelude = (0..elab.defs.files.len()).find(|f| elab.defs.is_prelude(*f))?;
                let found = elab.defs.resolve(prelude, plain)?;
                let Some(ItemKind::Rule(rule)) = elab.defs.item(found).map(|i| &i.kind) else { return None };
                Some(Den::Rule(Rc::new(vec![sample(elab, found, rule)?])))
            }
            FormalKind::Required => Some(Den::Wires(Value::Number(0.5))),
        };
        let den = den?;
        bound.bind(formal.name.name.clone(), den.clone());
        settings.push((formal.name.name.clone(), Setting::Value(den)));
    }
    Some(RuleStage { item, def: id, settings, span: item.name.span })
}

fn build_in<'p>(
    elab: &mut Elab<'p>,
    rule: &'p Expr,
    env: &Env<'p>,
    leaves: &[(Arc<str>, Leaf)],
    frozen: &[bool],
) -> Res<RuleDiagram> {
    let (first, behind) = front_of(rule);
    let parts = parts_of(elab, first, env, leaves, frozen)?;
    let behind = transforms_of(elab, behind, env)?;
    build_parts(elab, (parts, behind), rule.span, leaves)
}

fn build_parts<'p>(
    elab: &mut Elab<'p>,
    (mut parts, behind): (Vec<Part<'p>>, Vec<RuleStage<'p>>),
    span: Span,
    leaves: &[(Arc<str>, Leaf)],
) -> Res<RuleDiagram> {
    let params: Vec<Wire> =
        leaves.iter().map(|(path, leaf)| elab.b.port(path.clone(), Role::Param, leaf.clone())).collect();
    let clock = elab.b.port("t", Role::Clock, Leaf::number());
    let n = leaves.len();
    let tangent = elab.tangent_of_parts(&parts, leaves)?;
    for stage in &behind {
        let asks = elab.tangent_of_rule(stage.item, stage.def.file);
        if asks != tangent {
            return fault(
                Diagnostic::error(
                    Code::RULE_BODY,
                    format!("`{}` works on requests over {asks}, these are over {tangent}", stage.item.name.name),
                )
                .at(stage.span, format!("over {asks}"))
                .help(format!("take a transform over {tangent}")),
            );
        }
    }
    elab.rule = Some(RuleScope {
        tangent,
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
    let (states, evaluated, noises) = (States::default(), vec![None; n], Vec::new());
    let mut b =
        Building { elab, leaves: leaves.into(), clock, states, evaluated, noises, key: "0".into(), inside: false };
    parts.iter_mut().for_each(|part| b.leave_idle(part, tangent));
    // A part without parameters (a warning was given) has nothing to build, and a norm of nothing is no wire.
    parts.retain(|part| !part.leaves.is_empty());
    let mut next = params.clone();
    let own = |part: &Part<'p>| -> Vec<Wire> { part.leaves.iter().filter_map(|l| params.get(*l).copied()).collect() };
    let answers = match behind.is_empty() {
        true => None,
        false => Some(b.behind_parts(&parts, behind, &params)?),
    };
    for (at, part) in parts.iter().enumerate() {
        b.key = at.to_string().into();
        let ask = match &answers {
            Some(answers) => Ask::Given(part.leaves.iter().map(|l| answers.get(*l).copied().flatten()).collect()),
            None => Ask::Model,
        };
        let out = b.run(part, 0, &part.leaves, &own(part), &ask)?;
        for (leaf, w) in part.leaves.iter().zip(out) {
            if let (Some(slot), Some(w)) = (next.get_mut(*leaf), w) {
                *slot = w;
            }
        }
    }
    let Building { elab, states, evaluated, noises, .. } = b;
    let holes = elab.rule.as_ref().map_or(0, |r| r.holes.iter().copied().max().unwrap_or(0));
    let noise = noises.into_iter().map(|(_, n, _)| n).collect();
    let made = finish(elab, &params, next, states, evaluated, usize::from(holes), leaves)?;
    Ok(RuleDiagram { tangent, noise, ..made })
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
            if let crate::diagram::Op::Request { hole: h, leaf, .. } = &node.op
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
    let asked: Vec<Wire> = evaluated.iter().flatten().copied().collect();
    let live = elab.b.diagram().cone(&asked);
    let noisy = elab.b.diagram().ports().iter().enumerate().any(|(k, port)| {
        let at = elab.b.diagram().port_wire(k).node as usize;
        port.role == Role::RuleNoise && live.get(at) == Some(&true)
    });
    if noisy {
        let span = elab.rule.as_ref().map_or_else(Span::default, |r| r.declared);
        return fault(
            Diagnostic::error(Code::RULE_BODY, "`evaluate` reads the noise of its rule")
                .at(span, "in this rule")
                .help("what is evaluated must be told by the parameters and states: keep the draw in a `state`"),
        );
    }
    if evaluates {
        outs.extend(evaluated.iter().zip(params).map(|(e, p)| e.unwrap_or(*p)));
    }
    let b = std::mem::take(&mut elab.b);
    Ok(RuleDiagram {
        diagram: b.finish(&outs),
        leaves: leaves.to_vec(),
        tangent: Tangent::Real,
        states: states.ports.into_iter().map(|(s, _, _)| s).collect(),
        noise: Vec::new(),
        holes: holes.max(1),
        evaluates,
    })
}

impl<'p> Building<'_, 'p> {
    /// The requests of all leaves when transforms stand behind parts: each part says where it looks, the transforms see
    /// all leaves at these points. What the parts did to their states while they were asked is taken back.
    fn behind_parts(
        &mut self,
        parts: &[Part<'p>],
        behind: Vec<RuleStage<'p>>,
        params: &[Wire],
    ) -> Res<Vec<Option<Wire>>> {
        let mut points = params.to_vec();
        for (at, part) in parts.iter().enumerate() {
            self.key = at.to_string().into();
            let mut seen: Vec<Wire> = part.leaves.iter().filter_map(|l| params.get(*l).copied()).collect();
            for (k, stage) in part.stages.iter().enumerate() {
                let RuleBody::Lens { get, .. } = &stage.item.body else {
                    return Elab::not_yet("a transform behind parts of which one has `step`", stage.span);
                };
                for group in self.groups(stage, &part.leaves)? {
                    let mut body = self.enter(stage, k, &part.leaves, &seen, &group)?;
                    let rows = self.points(get.as_ref(), &mut body)?;
                    let [row] = rows.as_slice() else {
                        return Elab::not_yet("a transform behind parts of which one looks at two points", stage.span);
                    };
                    let moved: Vec<(usize, Wire)> = group.iter().copied().zip(row.iter().copied()).collect();
                    moved.into_iter().for_each(|(i, w)| seen.get_mut(i).into_iter().for_each(|slot| *slot = w));
                }
            }
            for (leaf, w) in part.leaves.iter().zip(seen) {
                points.get_mut(*leaf).into_iter().for_each(|slot| *slot = w);
            }
        }
        self.key = parts.len().to_string().into();
        let tangent = self.elab.rule.as_ref().map_or(Tangent::Real, |r| r.tangent);
        let asked = |l: &usize| self.leaves.get(*l).is_some_and(|(_, leaf)| tangent.of(leaf).is_some());
        let mut leaves: Vec<usize> = parts.iter().flat_map(|p| &p.leaves).copied().filter(asked).collect();
        leaves.sort_unstable();
        let at: Vec<Wire> = leaves.iter().filter_map(|l| points.get(*l).copied()).collect();
        let all = Part { leaves: leaves.clone(), stages: behind };
        let made = self.run(&all, 0, &leaves, &at, &Ask::Model)?;
        let mut answers = vec![None; params.len()];
        for (leaf, request) in leaves.into_iter().zip(made) {
            answers.get_mut(leaf).into_iter().for_each(|slot| *slot = request);
        }
        Ok(answers)
    }

    /// Leaves out of a part what no rule of it can move: a label (a wiring) has no tangent, and stays as it was drawn
    /// unless the rule names it.
    fn leave_idle(&mut self, part: &mut Part<'p>, tangent: Tangent) {
        let Some(first) = part.stages.first() else { return };
        let (item, file) = (first.item, first.def.file);
        let kind = |base: Base| if let Base::Fin(_) = base { Base::Fin(0) } else { base };
        let bases: Vec<Option<Base>> = item.on.iter().map(|on| self.elab.base_of(&on.ty, file).map(kind)).collect();
        let leaves = self.leaves.clone();
        part.leaves.retain(|l| {
            leaves.get(*l).is_none_or(|(_, leaf)| tangent.of(leaf).is_some() || bases.contains(&Some(kind(leaf.base))))
        });
    }

    /// Which leaves a body sees at once: one, all, or those of one module that it names together.
    fn groups(&mut self, stage: &RuleStage<'p>, leaves: &[usize]) -> Res<Vec<Vec<usize>>> {
        if matches!(stage.item.scope, Some((ScopeWord::Global, _))) {
            return Ok(vec![(0..leaves.len()).collect()]);
        }
        if stage.item.on.len() == 1 {
            return Ok((0..leaves.len()).map(|i| vec![i]).collect());
        }
        let path = |i: usize| leaves.get(i).and_then(|l| self.leaves.get(*l)).map_or("", |(p, _)| &**p);
        let meets = |i: usize, what: String| {
            let works = format!("`{}` works on {}, {what}", stage.item.name.name, names(&stage.item.on));
            Diagnostic::error(Code::RULE_SCOPE, works)
                .at(stage.span, format!("meets `{}`", path(i)))
                .help("give the other parameters another rule: `{ \"*.W\": .., _: .. }`")
        };
        let mut groups = Vec::new();
        let mut taken = vec![false; leaves.len()];
        for i in 0..leaves.len() {
            if taken.get(i) == Some(&true) {
                continue;
            }
            let module = path(i).rsplit_once('.').map_or("", |(module, _)| module);
            let mut group = Vec::new();
            for on in &stage.item.on {
                let wanted =
                    if module.is_empty() { on.name.name.to_string() } else { format!("{module}.{}", on.name.name) };
                let Some(at) = (0..leaves.len()).find(|j| path(*j) == wanted) else {
                    return fault(
                        meets(i, format!("there is no `{wanted}` beside `{}`", path(i)))
                            .also(on.name.span, "needs this port too")
                            .help("give other parameters a rule of their own: `{ \"*.w\": .., \"*.T\": .., _: .. }`"),
                    );
                };
                group.push(at);
                taken.get_mut(at).into_iter().for_each(|t| *t = true);
            }
            if !group.contains(&i) {
                return fault(
                    meets(i, format!("`{}` is none of them", path(i)))
                        .help("give other parameters a rule of their own: `{ \"*.b\": .., _: .. }`"),
                );
            }
            groups.push(group);
        }
        Ok(groups)
    }

    /// Runs the stages from `k` on at a point: what stage `k` makes of the requests of the stages behind it. The first
    /// gives new parameters, the others requests, where a leaf has one.
    pub(in crate::elaborate) fn run(
        &mut self,
        part: &Part<'p>,
        k: usize,
        leaves: &[usize],
        at: &[Wire],
        ask: &Ask,
    ) -> Res<Vec<Option<Wire>>> {
        let Some(stage) = part.stages.get(k) else {
            return match ask {
                Ask::Model => {
                    let span = part.stages.last().map(|s| s.span).unwrap_or_default();
                    self.elab.ask(leaves, at, span)
                }
                Ask::Given(requests) => Ok(requests.clone()),
            };
        };
        let stage = stage.clone();
        let groups = self.groups(&stage, leaves)?;
        let mut out: Vec<Option<Wire>> = vec![None; leaves.len()];
        match &stage.item.body {
            RuleBody::Lens { get, put } => {
                let mut points: Vec<Vec<Wire>> = Vec::new();
                for group in &groups {
                    let mut body = self.enter(&stage, k, leaves, at, group)?;
                    let found = self.points(get.as_ref(), &mut body)?;
                    for (i, row) in found.into_iter().enumerate() {
                        if points.len() <= i {
                            points.push(at.to_vec());
                        }
                        let all = points.get_mut(i).map(Vec::as_mut_slice).unwrap_or_default();
                        group.iter().zip(row).for_each(|(l, w)| all.get_mut(*l).into_iter().for_each(|slot| *slot = w));
                    }
                }
                let mut requests = Vec::new();
                for row in &points {
                    requests.push(self.run(part, k + 1, leaves, row, ask)?);
                }
                for group in &groups {
                    let mut body = self.enter(&stage, k, leaves, at, group)?;
                    let mut args = Vec::new();
                    for row in &requests {
                        let own: Vec<Wire> = group.iter().filter_map(|i| row.get(*i).copied().flatten()).collect();
                        if own.is_empty() {
                            return no_request(&stage, put.0.span);
                        }
                        args.push(self.seen(&own, &body, stage.span)?);
                    }
                    let value = if args.len() == 1 { args.pop().unwrap_or(Value::Poison) } else { Value::Tuple(args) };
                    self.elab.bind_wires(&put.0, value, stage.span, &mut body.env)?;
                    if let Some(scope) = &mut self.elab.rule {
                        scope.advances = true;
                    }
                    let value = self.lending(&stage, &body.key, |elab| elab.block(&put.1, &mut body.env))?;
                    let made = self.leave(&stage, body, value, put.1.value.span)?;
                    put_back(&mut out, group, made);
                }
                Ok(out)
            }
            RuleBody::Step(block) => {
                if part.stages.len() > k + 1 {
                    return Elab::not_yet("a transform behind a rule with `step`", stage.span);
                }
                for group in &groups {
                    let mut body = self.enter(&stage, k, leaves, at, group)?;
                    if let Some(scope) = &mut self.elab.rule {
                        scope.asks = true;
                        scope.advances = true;
                    }
                    let value = self.lending(&stage, &body.key, |elab| elab.block(block, &mut body.env))?;
                    if let Some(scope) = &mut self.elab.rule {
                        scope.asks = false;
                    }
                    let made = self.leave(&stage, body, value, block.value.span)?;
                    put_back(&mut out, group, made);
                }
                Ok(out)
            }
        }
    }
}

/// The message for a `put` where no leaf has a request.
fn no_request<T>(stage: &RuleStage<'_>, put: Span) -> Res<T> {
    let name = &stage.item.name;
    fault(
        Diagnostic::error(Code::RULE_BODY, format!("`{}` works on labels, which have no request", name.name))
            .at(put, "nothing is asked here")
            .also(stage.span, "in this rule")
            .help("write `step { .. }`, which gives the new labels and asks for nothing"),
    )
}

/// Puts what a body made for its leaves at their places.
fn put_back(out: &mut [Option<Wire>], group: &[usize], made: Vec<Option<Wire>>) {
    for (l, w) in group.iter().zip(made) {
        out.get_mut(*l).into_iter().for_each(|slot| *slot = w);
    }
}

/// The names of ports, for a message.
fn names(ports: &[PortDecl]) -> String {
    ports.iter().map(|p| format!("`{}`", p.name.name)).collect::<Vec<_>>().join(" and ")
}

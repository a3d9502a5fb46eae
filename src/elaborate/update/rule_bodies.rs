//! The body of an update rule for one leaf, for the leaves of a module, or for the family of all.
//!
//! In: a stage with its settings and the wires of its leaves. Out: what the body sees (parameters, states, noise, the
//! requests) and what it gives back (points, next states, new parameters or requests). A body may see a tensor as a
//! vector: `flat` says how; states and noise are ports, made at first sight.

use crate::diagram::{Role, Wire};
use crate::elaborate::program::{Parameter, StateInit, StatePort};
use crate::elaborate::session::Elab;
use crate::elaborate::typing::dims::Vars;
use crate::elaborate::typing::types::{DimTerm, Ty};
use crate::elaborate::value::{Den, Env, Place, Res, RuleStage, Setting, Value, fault};
use crate::object::{Base, Dim, Leaf, Tangent};
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::{Expr, ExprKind, GetBody, PortDecl, ScopeWord};
use rustc_hash::FxHashMap;
use std::rc::Rc;
use std::sync::Arc;

/// The ports of the states made so far.
#[derive(Default)]
pub(in crate::elaborate) struct States {
    pub(in crate::elaborate) ports: Vec<(StatePort, Wire, Wire)>,
    pub(in crate::elaborate) at: FxHashMap<String, usize>,
}

pub(in crate::elaborate) struct Building<'e, 'p> {
    pub(in crate::elaborate) elab: &'e mut Elab<'p>,
    pub(in crate::elaborate) leaves: Rc<[(Arc<str>, Leaf)]>,
    pub(in crate::elaborate) clock: Wire,
    pub(in crate::elaborate) states: States,
    pub(in crate::elaborate) evaluated: Vec<Option<Wire>>,
    /// Noise drawn for each step, with what it is kept by.
    pub(in crate::elaborate) noises: Vec<(String, Parameter, Wire)>,
    /// What the states of the part that is being built are kept by.
    pub(in crate::elaborate) key: Rc<str>,
    /// Whether it is a rule inside another.
    pub(in crate::elaborate) inside: bool,
}

impl<'p> Building<'_, 'p> {
    pub(in crate::elaborate) fn points(
        &mut self,
        get: Option<&'p GetBody>,
        body: &mut Body<'p>,
    ) -> Res<Vec<Vec<Wire>>> {
        let rows: Vec<(Value, Span)> = match get {
            None => vec![(body.p.clone(), body.span)],
            Some(GetBody::Expr(e)) => vec![(self.elab.wire(e, &body.env)?, e.span)],
            Some(GetBody::Block(block)) => vec![(self.elab.block(block, &mut body.env)?, block.value.span)],
            Some(GetBody::Points(wires)) => {
                let mut rows = Vec::new();
                for (pattern, _) in &wires.patterns {
                    let crate::syntax::ast::Pattern::Name(name) = pattern else {
                        return fault(
                            Diagnostic::error(Code::RULE_BODY, "a point is a name")
                                .at(wires.span, "not a name")
                                .help("write `get (p, previous)`"),
                        );
                    };
                    match body.env.get(&name.name) {
                        Some(Den::Wires(v)) => rows.push((v.clone(), name.span)),
                        _ => return self.elab.unknown(&name.name, name.span, &body.env, "point"),
                    }
                }
                rows
            }
        };
        rows.into_iter()
            .map(|(v, span)| Ok(self.unseen(&v, body, false, span)?.into_iter().flatten().collect()))
            .collect()
    }

    /// What the states of stage `k` are kept by.
    pub(in crate::elaborate) fn key_of(&self, k: usize) -> Rc<str> {
        format!("{}:{k}", self.key).into()
    }

    /// Wires of leaves as the body sees them.
    pub(in crate::elaborate) fn seen(&mut self, wires: &[Wire], body: &Body<'p>, span: Span) -> Res<Value> {
        if body.global {
            return Ok(Value::Family(Rc::new(wires.to_vec())));
        }
        if body.leaves.len() > 1 && wires.len() != 1 {
            return Ok(Value::Tuple(wires.iter().map(|w| Value::Wire(*w)).collect()));
        }
        let w = wires.first().copied().ok_or(None)?;
        self.elab.flatten_leaf(w, body.flat.as_ref(), span).map(Value::Wire)
    }

    /// A value of the body as wires of the leaves, or of their requests.
    pub(in crate::elaborate) fn unseen(
        &mut self,
        value: &Value,
        body: &Body<'p>,
        request: bool,
        span: Span,
    ) -> Res<Vec<Option<Wire>>> {
        let wires = match value {
            Value::Family(ws) => ws.as_ref().clone(),
            Value::Poison => return Err(None),
            Value::Tuple(parts) if body.leaves.len() > 1 && !body.global => {
                parts.iter().map(|v| self.elab.as_wire(v, span)).collect::<Res<_>>()?
            }
            other => {
                let w = self.elab.as_wire(other, span)?;
                vec![self.elab.unflatten(w, body.flat.as_ref(), span)?]
            }
        };
        let tangent = self.elab.rule.as_ref().map_or(Tangent::Real, |r| r.tangent);
        let of_leaf = |leaf: &Leaf| if request { tangent.of(leaf) } else { Some(leaf.clone()) };
        let each: Vec<Option<Leaf>> =
            body.leaves.iter().filter_map(|l| self.leaves.get(*l).map(|(_, l)| of_leaf(l))).collect();
        let wanted: Vec<Leaf> = each.iter().flatten().cloned().collect();
        let given: Vec<Leaf> = wires.iter().map(|w| self.elab.leaf(*w)).collect();
        if wanted != given {
            let show = |l: &[Leaf]| l.iter().map(Leaf::to_string).collect::<Vec<_>>().join(", ");
            return fault(
                Diagnostic::error(Code::RULE_BODY, format!("this must be {}, it is {}", show(&wanted), show(&given)))
                    .at(span, format!("gives {}", show(&given)))
                    .also(body.span, "of this rule")
                    .help(if request {
                        "end in a request: one value for each parameter, of its shape"
                    } else {
                        "end in the parameter: one value for each, of its shape"
                    }),
            );
        }
        let mut wires = wires.into_iter();
        Ok(each.iter().map(|leaf| if leaf.is_some() { wires.next() } else { None }).collect())
    }

    /// The environment of a body: settings, the parameter, the states.
    pub(in crate::elaborate) fn enter(
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
        let tys = item.on.iter().map(|on| self.elab.ty(&on.ty, &env)).collect::<Res<Vec<_>>>()?;
        tys.iter().for_each(|ty| self.elab.open_letters(ty, &mut vars));
        let mut flat = None;
        if !global {
            for (at, ty) in tys.iter().enumerate() {
                let leaf = own.get(at).copied().ok_or(None)?;
                flat = self.shape(stage, (ty, tys.len() == 1), &mut vars, leaf)?;
            }
        }
        let ty = tys.first().cloned().ok_or(None)?;
        vars.bind_into(&mut env);
        let mut body = Body {
            env,
            p: Value::Poison,
            flat: flat.clone(),
            leaves: own.clone(),
            global,
            span: stage.span,
            states: Vec::new(),
            key: self.key_of(k),
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
                    Den::Wires(self.elab.schedule(e, &from.at(Place::new("")), self.clock)?)
                }
                Setting::Default(e) => self.elab.setting(e, &body.env, "")?,
            };
            body.env.bind(name.clone(), den);
        }
        match (item.on.as_slice(), &body.p) {
            ([on], p) => body.env.bind(on.name.name.clone(), Den::Wires(p.clone())),
            (many, Value::Tuple(parts)) => {
                let parts = parts.clone();
                many.iter().zip(parts).for_each(|(on, p)| body.env.bind(on.name.name.clone(), Den::Wires(p)));
            }
            _ => return Err(None),
        }
        for noise in &item.noises {
            let value = self.noise(stage, noise, &vars, &body)?;
            body.env.bind(noise.name.name.clone(), Den::Wires(value));
        }
        for state in &item.states {
            let value = self.state(stage, state, &ty, &mut vars, &mut body)?;
            body.env.bind(state.name.name.clone(), Den::Wires(value));
        }
        if k == 0
            && !self.inside
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
        let wires = self.unseen(&value, body, false, span)?;
        for (leaf, w) in body.leaves.iter().zip(wires) {
            if let Some(slot) = self.evaluated.get_mut(*leaf) {
                *slot = w;
            }
        }
        Ok(())
    }

    /// The noise of a body: one draw a step, at the place of its first leaf.
    fn noise(&mut self, stage: &RuleStage<'p>, noise: &'p PortDecl, vars: &Vars, body: &Body<'p>) -> Res<Value> {
        let place = body.leaves.first().and_then(|l| self.leaves.get(*l)).map_or("", |(p, _)| &**p);
        let key = format!("{}:{place}.{}", body.key, noise.name.name);
        if let Some((_, _, wire)) = self.noises.iter().find(|(k, _, _)| *k == key) {
            return Ok(Value::Wire(*wire));
        }
        let plain = Env::new(stage.def.file, Place::new(""));
        let ty = self.elab.ty(&noise.ty, &plain)?;
        let leaf = self.elab.leaf_of(&ty, vars)?;
        let init = self.elab.init(noise.init.as_ref(), &leaf, &body.env, noise.ty.span)?;
        let path: Arc<str> = format!("{place}.{}.{}", stage.item.name.name, noise.name.name).into();
        let wire = self.elab.b.port(path.clone(), Role::RuleNoise, leaf.clone());
        self.noises.push((key, Parameter { path, leaf, init }, wire));
        Ok(Value::Wire(wire))
    }

    /// How a leaf of a body appears in it: `R[n]`, if the rule sees one leaf, sees any tensor as a vector.
    fn shape(
        &mut self,
        stage: &RuleStage<'p>,
        (ty, alone): (&Ty<'p>, bool),
        vars: &mut Vars,
        leaf: usize,
    ) -> Res<Option<(Leaf, Leaf)>> {
        let Some((path, leaf)) = self.leaves.get(leaf).cloned() else { return Err(None) };
        let vector = alone && matches!(ty, Ty::Leaf { dims, .. } if matches!(dims.as_slice(), [DimTerm::Expr(_)]));
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
                .also(stage.item.on.first().map_or(stage.span, |on| on.ty.span), format!("takes {}", m.needs))
                .help(self.another_rule(&leaf)),
            );
        }
        Ok((seen != leaf).then_some((leaf, seen)))
    }

    /// What to do with a parameter that a rule does not take: a run has one kind of request.
    fn another_rule(&self, leaf: &Leaf) -> &'static str {
        let tangent = self.elab.rule.as_ref().map_or(Tangent::Real, |r| r.tangent);
        match (leaf.base, tangent) {
            (Base::Fin(_), _) => "leave labels out of the rule: what no rule names stays as it was drawn",
            (Base::Real, Tangent::Real) => "give other parameters a rule of their own: `{ \"*.W\": .., _: adamw }`",
            (Base::Bool, Tangent::Parity) | (Base::Bool | Base::Int, Tangent::Votes) => {
                "give other parameters a rule of their own: `{ \"*.w\": .., _: .. }`"
            }
            _ => "a run moves reals or bits, not both: make its parameters of one kind",
        }
    }

    /// The value of a state in a body: its port, made at first sight, or what an earlier request left in it.
    fn state(
        &mut self,
        stage: &RuleStage<'p>,
        state: &'p PortDecl,
        on: &Ty<'p>,
        vars: &mut Vars,
        body: &mut Body<'p>,
    ) -> Res<Value> {
        // Read as the parameter's type was, before its letters were bound: `R[n]` is then the parameter's own shape.
        let plain = Env::new(stage.def.file, Place::new(""));
        let ty = self.elab.ty(&state.ty, &plain)?;
        let like_p = stage.item.on.len() == 1
            && self.elab.show_type(&ty, &Vars::default()).split_once('[').map(|(_, dims)| dims.to_owned())
                == self.elab.show_type(on, &Vars::default()).split_once('[').map(|(_, dims)| dims.to_owned());
        let from_p = matches!(&state.init, Some(Expr { kind: ExprKind::Path(p), .. })
            if matches!((p.as_slice(), stage.item.on.as_slice()), ([n], [on]) if n.name == on.name.name));
        let mut ports = Vec::new();
        if body.global && !like_p {
            let leaf = self.elab.leaf_of(&ty, vars)?;
            let init = self.elab.init(state.init.as_ref(), &leaf, &body.env, state.ty.span)?;
            let path = format!("{}.{}", stage.item.name.name, state.name.name);
            ports.push(self.state_port(&body.key, path, String::new(), &leaf, StateInit::Draw(init)));
            let value = self.states.value(ports.first().copied());
            body.states.push((state.name.name.clone(), ports, false));
            return Ok(value.map_or(Value::Poison, Value::Wire));
        }
        let several = stage.item.on.len() > 1;
        // What several leaves share stands at their module.
        let places = if several { body.leaves.iter().copied().take(1).collect() } else { body.leaves.clone() };
        for l in places {
            let Some((path, leaf)) = self.leaves.get(l).cloned() else { continue };
            let path = match path.rsplit_once('.') {
                Some((module, _)) if several => module.into(),
                _ => path,
            };
            // `c : Int[n]` beside `p : Bool[n]` has the parameter's own shape too.
            let own = match (like_p, self.elab.base_of(&state.ty, stage.def.file)) {
                (true, Some(Base::Fin(0))) => {
                    // `Fin[n]` has the parameter's own n, or the one its letters say.
                    let base = self.elab.leaf_of(&ty, vars).map_or(leaf.base, |own| own.base);
                    Leaf { base, dims: leaf.dims.clone() }
                }
                (true, Some(base)) => Leaf { base, dims: leaf.dims.clone() },
                (true, None) => leaf.clone(),
                (false, _) => self.elab.leaf_of(&ty, vars)?,
            };
            if let (true, true, Some(init)) = (from_p && like_p, own.base != leaf.base, &state.init) {
                return fault(
                    Diagnostic::error(
                        Code::RULE_BODY,
                        format!("the state `{}` is {own}, it cannot begin as the parameter, {leaf}", state.name.name),
                    )
                    .at(init.span, format!("`{path}` is {leaf}"))
                    .also(state.ty.span, own.to_string())
                    .help("draw it, or work it out in the first step: `state begun : Bool[1] ~ zeros` tells it"),
                );
            }
            let init = if from_p && like_p {
                StateInit::Param(l)
            } else {
                StateInit::Draw(self.elab.init(state.init.as_ref(), &own, &body.env, state.ty.span)?)
            };
            let short = format!("{path}.{}", state.name.name);
            let long = format!("{path}.{}.{}", stage.item.name.name, state.name.name);
            ports.push(self.state_port(&body.key, short, long, &own, init));
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
    fn state_port(&mut self, key: &str, short: String, long: String, leaf: &Leaf, init: StateInit) -> StateAt {
        let key = format!("{key}:{short}");
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
        // A rule inside another always says which it is.
        let plain = if self.inside { base } else { &short };
        let mut wanted = [plain.clone(), base.clone()].into_iter().chain(numbered);
        let path = wanted.find(|path| !taken(path)).unwrap_or(short);
        let wire = self.elab.b.port(path.as_str(), Role::State, leaf.clone());
        let at = self.states.ports.len();
        self.states.ports.push((StatePort { path: path.as_str().into(), leaf: leaf.clone(), init }, wire, wire));
        self.states.at.insert(key, at);
        StateAt(at)
    }

    /// Takes the result and the next states out of a body.
    pub(in crate::elaborate) fn leave(
        &mut self,
        stage: &RuleStage<'p>,
        body: Body<'p>,
        value: Value,
        span: Span,
    ) -> Res<Vec<Option<Wire>>> {
        let next = self.elab.rule.as_mut().map(|s| std::mem::take(&mut s.next)).unwrap_or_default();
        for (name, ports, like_p) in &body.states {
            let Some(value) = next.get(name) else { continue };
            let wires = match value {
                Value::Poison => return Err(None),
                Value::Family(ws) => ws.as_ref().clone(),
                Value::Number(x) => {
                    let port = ports.first().and_then(|p| self.states.ports.get(p.0)).map(|(s, _, _)| s.leaf.clone());
                    let port = port.unwrap_or_else(Leaf::number);
                    ports.iter().map(|_| self.elab.number_as(*x, &port, span)).collect::<Res<_>>()?
                }
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
                            .also(span, "in this body")
                            .help(format!(
                                "let its next value be {}; a sum over a state is written where it is used",
                                port.leaf
                            )),
                        );
                    }
                    *slot = *w;
                }
            }
        }
        self.unseen(&value, &body, stage.item.transform, span)
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
pub(in crate::elaborate) struct StateAt(usize);

/// The body of a rule for one leaf or one family.
pub(in crate::elaborate) struct Body<'p> {
    pub(in crate::elaborate) env: Env<'p>,
    pub(in crate::elaborate) p: Value,
    pub(in crate::elaborate) flat: Option<(Leaf, Leaf)>,
    pub(in crate::elaborate) leaves: Vec<usize>,
    pub(in crate::elaborate) global: bool,
    pub(in crate::elaborate) span: Span,
    pub(in crate::elaborate) states: Vec<(Arc<str>, Vec<StateAt>, bool)>,
    pub(in crate::elaborate) key: Rc<str>,
}

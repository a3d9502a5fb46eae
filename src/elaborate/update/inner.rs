//! Rules of rules: what `rule.step(..)` means in the body of a rule that was given another.
//!
//! In: the stages of the rule passed in and the wires of the body. Out: the new parameter. `rule.step(p, g)` moves the
//! point `p` by the request `g`; `rule.step(p)`, in `step { .. }`, lets the rule ask for itself. Its states become
//! states of the outer rule under the name of their rule. A rule looks no further than the one that holds it.

use crate::diagram::Wire;
use crate::elaborate::program::Parameter;
use crate::elaborate::session::Elab;
use crate::elaborate::terms::stages::Part;
use crate::elaborate::update::rule_bodies::{Building, States};
use crate::elaborate::update::rule_scope::RuleScope;
use crate::elaborate::update::rules::Ask;
use crate::elaborate::value::{Env, Res, RuleStage, Value, fault};
use crate::object::Leaf;
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::{Group, RuleBody, ScopeWord};
use std::rc::Rc;
use std::sync::Arc;

/// What a rule that is passed in needs of the one that is being built, lent while a body is elaborated.
pub(crate) struct Lent {
    leaves: Rc<[(Arc<str>, Leaf)]>,
    clock: Wire,
    states: States,
    evaluated: Vec<Option<Wire>>,
    noises: Vec<(String, Parameter, Wire)>,
    /// What the states of the body are kept by.
    key: Rc<str>,
    /// How far the body looks.
    scope: ScopeWord,
}

/// How far a rule looks, in order.
fn reach(scope: ScopeWord) -> u8 {
    match scope {
        ScopeWord::Coordinate => 0,
        ScopeWord::Tensor | ScopeWord::Matrix => 1,
        ScopeWord::Global => 2,
    }
}

/// The scope a rule declares.
pub(in crate::elaborate) fn scope_of(stage: &RuleStage<'_>) -> ScopeWord {
    stage.item.scope.map_or(ScopeWord::Coordinate, |(word, _)| word)
}

fn word(scope: ScopeWord) -> &'static str {
    match scope {
        ScopeWord::Coordinate => "coordinate",
        ScopeWord::Tensor => "tensor",
        ScopeWord::Matrix => "matrix",
        ScopeWord::Global => "global",
    }
}

impl<'p> Building<'_, 'p> {
    /// Elaborates a body that may use the rules it was given.
    pub(in crate::elaborate) fn lending<T>(
        &mut self,
        stage: &RuleStage<'p>,
        key: &Rc<str>,
        body: impl FnOnce(&mut Elab<'p>) -> Res<T>,
    ) -> Res<T> {
        let lent = Lent {
            leaves: self.leaves.clone(),
            clock: self.clock,
            states: std::mem::take(&mut self.states),
            evaluated: std::mem::take(&mut self.evaluated),
            noises: std::mem::take(&mut self.noises),
            key: key.clone(),
            scope: scope_of(stage),
        };
        let outer = self.elab.lent.replace(lent);
        let made = body(self.elab);
        if let Some(lent) = std::mem::replace(&mut self.elab.lent, outer) {
            self.states = lent.states;
            self.evaluated = lent.evaluated;
            self.noises = lent.noises;
        }
        made
    }
}

impl<'p> Elab<'p> {
    /// `rule.step(p, g)`, `rule.step(p)`.
    pub(crate) fn inner_step(
        &mut self,
        name: &str,
        stages: &Rc<Vec<RuleStage<'p>>>,
        group: &'p Group,
        env: &Env<'p>,
        span: Span,
    ) -> Res<Value> {
        let mut args = Vec::new();
        for arg in &group.args {
            let Some(e) = arg.plain() else { return usage(name, span) };
            args.push(self.wire(e, env)?);
        }
        let (point, request) = match args.as_slice() {
            [point] => (point.clone(), None),
            [point, request] => (point.clone(), Some(request.clone())),
            _ => return usage(name, span),
        };
        let Some(outer) = self.rule.clone() else { return Err(None) };
        if request.is_none() && !outer.asks {
            return fault(
                Diagnostic::error(
                    Code::RULE_BODY,
                    format!("`{name}.step(p)` asks for a request, which belongs into `step {{ .. }}`"),
                )
                .at(span, "not in `get` or `put`")
                .help(format!("`put (g)` is given the request: `{name}.step(p, g)`")),
            );
        }
        if !outer.advances {
            return fault(
                Diagnostic::error(Code::RULE_BODY, format!("`{name}.step` belongs into `put` or `step`"))
                    .at(span, "this part of the rule changes no state")
                    .help("write it in `put (g) { .. }`"),
            );
        }
        self.inner_fits(name, stages, request.is_some(), span)?;
        let flat = outer.flat.clone();
        let wires = |elab: &mut Elab<'p>, value: &Value| -> Res<Vec<Wire>> {
            let all: Vec<Wire> = match value {
                Value::Family(wires) => wires.as_ref().clone(),
                Value::Tuple(parts) => parts.iter().map(|p| elab.as_wire(p, span)).collect::<Res<_>>()?,
                other => vec![elab.as_wire(other, span)?],
            };
            all.into_iter().map(|w| elab.unflatten(w, flat.as_ref(), span)).collect()
        };
        let at = wires(self, &point)?;
        let given = match &request {
            Some(request) => Some(wires(self, request)?),
            None => None,
        };
        if [Some(&at), given.as_ref()].into_iter().flatten().any(|w| w.len() != outer.leaves.len()) {
            return usage(name, span);
        }
        let Some(lent) = self.lent.take() else { return Err(None) };
        let key: Rc<str> = format!("{}/{name}", lent.key).into();
        let Lent { leaves, clock, states, evaluated, noises, scope, key: outer_key } = lent;
        let mut inner = Building { elab: self, leaves, clock, states, evaluated, noises, key, inside: true };
        let part = Part { leaves: outer.leaves.clone(), stages: stages.as_ref().clone() };
        let ask = match given {
            Some(given) => Ask::Given(given.into_iter().map(Some).collect()),
            None => Ask::Model,
        };
        let made = inner.run(&part, 0, &outer.leaves, &at, &ask);
        let Building { leaves, states, evaluated, noises, .. } = inner;
        self.lent = Some(Lent { leaves, clock, states, evaluated, noises, key: outer_key, scope });
        let holes = self.rule.as_mut().map(|r| std::mem::take(&mut r.holes)).unwrap_or_default();
        self.rule = Some(RuleScope { holes, ..outer });
        let moved: Vec<Wire> = made?.into_iter().zip(at).map(|(new, old)| new.unwrap_or(old)).collect();
        let seen = moved.into_iter().map(|w| self.flatten_leaf(w, flat.as_ref(), span)).collect::<Res<Vec<_>>>()?;
        Ok(match point {
            Value::Family(_) => Value::Family(Rc::new(seen)),
            Value::Tuple(_) if seen.len() != 1 => Value::Tuple(seen.into_iter().map(Value::Wire).collect()),
            _ => seen.first().map_or(Value::Poison, |w| Value::Wire(*w)),
        })
    }

    /// Whether a rule may be used inside this one: it looks no further, and a request that it is given is where it looks.
    fn inner_fits(&self, name: &str, stages: &[RuleStage<'p>], given: bool, span: Span) -> Res<()> {
        let outer = self.lent.as_ref().map_or(ScopeWord::Coordinate, |l| l.scope);
        for stage in stages {
            let (rule, scope) = (&stage.item.name.name, scope_of(stage));
            if reach(scope) > reach(outer) {
                return fault(
                    Diagnostic::error(
                        Code::RULE_SCOPE,
                        format!("`{rule}` is per {}, the rule that takes it is per {}", word(scope), word(outer)),
                    )
                    .at(stage.span, format!("looks at more than a {}", word(outer)))
                    .also(span, "used here")
                    .help(if stage.item.transform {
                        format!("put it behind the whole: `.. >> {rule}(..)`")
                    } else {
                        "take a rule of a smaller scope".to_owned()
                    }),
                );
            }
            let elsewhere = !matches!(&stage.item.body, RuleBody::Lens { get: None, .. });
            if given && elsewhere {
                return fault(
                    Diagnostic::error(
                        Code::RULE_BODY,
                        format!("`{rule}` asks at a point of its own, so no request can be given to it"),
                    )
                    .at(stage.span, "passed in here")
                    .also(span, "given a request here")
                    .help(format!("let it ask for itself: `step {{ .. {name}.step(p) .. }}`")),
                );
            }
        }
        Ok(())
    }
}

fn usage<T>(name: &str, span: Span) -> Res<T> {
    fault(
        Diagnostic::error(Code::RULE_BODY, format!("`{name}.step` takes a point and a request for every parameter"))
            .at(span, "not these")
            .help(format!("`{name}.step(p, g)`; in `step {{ .. }}` also `{name}.step(p)`, which asks for itself")),
    )
}

//! What holds while the body of an update rule is elaborated: its scope, its clock, its requests, its next states.

use crate::diagram::{Op, Wire};
use crate::elaborate::scope::names::nearest;
use crate::elaborate::session::Elab;
use crate::elaborate::value::{Res, Value, fault};
use crate::object::{Leaf, Tangent};
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::Ident;
use rustc_hash::FxHashMap;
use std::rc::Rc;
use std::sync::Arc;

/// The rule whose body is being elaborated.
#[derive(Clone, Debug)]
pub(crate) struct RuleScope {
    /// What a request is.
    pub(crate) tangent: Tangent,
    /// Whether it promised to look at each number by itself.
    pub(crate) coordinate: bool,
    /// Whether shapes are being arranged by the elaborator itself.
    pub(crate) exempt: bool,
    /// Where the promise stands.
    pub(crate) declared: Span,
    /// Where the rule is named in a run.
    pub(crate) stage: Span,
    /// The place in the rule from which a definition of the prelude was entered.
    pub(crate) call_site: Option<Span>,
    /// The leaves the body works on: one, or all of a part.
    pub(crate) leaves: Vec<usize>,
    /// How the leaves appear in the body, when flattened.
    pub(crate) flat: Option<(Leaf, Leaf)>,
    /// How many requests each leaf of the program has made.
    pub(crate) holes: Vec<u16>,
    /// States by name, and their next values.
    pub(crate) next: FxHashMap<Arc<str>, Value>,
    /// The names of the states.
    pub(crate) states: Vec<Arc<str>>,
    /// Whether `next` may be used here: in `put` and in `step`.
    pub(crate) advances: bool,
    /// Whether `request(..)` may be used here, and through which further stages it goes.
    pub(crate) asks: bool,
}

impl<'p> Elab<'p> {
    /// `next s = ..`.
    pub(crate) fn set_next(&mut self, name: &Ident, value: Value, _value_span: Span, span: Span) -> Res<()> {
        let Some(scope) = &mut self.rule else {
            return fault(
                Diagnostic::error(Code::RULE_BODY, "`next` belongs into the body of an update rule")
                    .at(span, "no states here")
                    .help("write `let` for a local name"),
            );
        };
        if !scope.states.contains(&name.name) {
            let near = nearest(&name.name, scope.states.iter().map(|s| &**s)).map(str::to_owned);
            let d = Diagnostic::error(Code::RULE_BODY, format!("this rule has no state `{}`", name.name))
                .at(name.span, "not a state");
            return fault(match near {
                Some(near) => d.help(format!("did you mean `{near}`?")),
                None => d.help(format!("declare it: `state {} : R[n] ~ zeros`", name.name)),
            });
        }
        if !scope.advances {
            return fault(
                Diagnostic::error(Code::RULE_BODY, "`next` belongs into `put` or `step`")
                    .at(span, "this part of the rule changes no state")
                    .help("write `let` for a local name"),
            );
        }
        scope.next.insert(name.name.clone(), value);
        Ok(())
    }

    /// `request(point)`: what the model asks for at a point, one hole of the rule.
    pub(crate) fn request(&mut self, point: Value, span: Span) -> Res<Value> {
        let Some(scope) = &self.rule else { return Err(None) };
        if !scope.asks {
            return fault(
                Diagnostic::error(Code::RULE_BODY, "`request` belongs into `step { .. }`")
                    .at(span, "not in `get` or `put`")
                    .help("`put (g)` is given the request already"),
            );
        }
        let (leaves, flat) = (scope.leaves.clone(), scope.flat.clone());
        let points: Vec<Wire> = match &point {
            Value::Family(wires) => wires.as_ref().clone(),
            Value::Tuple(parts) => parts.iter().map(|p| self.as_wire(p, span)).collect::<Res<_>>()?,
            other => vec![self.as_wire(other, span)?],
        };
        if points.len() != leaves.len() {
            return fault(
                Diagnostic::error(Code::RULE_BODY, "a request is made at a point for every parameter")
                    .at(span, format!("{} of {} parameters", points.len(), leaves.len()))
                    .help("write `request(p)`, or `request(p + step)` with a step for each parameter"),
            );
        }
        let unflat = points.into_iter().map(|w| self.unflatten(w, flat.as_ref(), span)).collect::<Res<Vec<_>>>()?;
        let asked = self.ask(&leaves, &unflat, span)?.into_iter().flatten();
        let back = asked.map(|w| self.flatten_leaf(w, flat.as_ref(), span)).collect::<Res<Vec<_>>>()?;
        if back.is_empty() && !leaves.is_empty() {
            return fault(
                Diagnostic::error(Code::RULE_BODY, "labels have no request")
                    .at(span, "nothing is asked here")
                    .help("work the new labels out without `request`"),
            );
        }
        Ok(match point {
            Value::Family(_) => Value::Family(Rc::new(back)),
            Value::Tuple(_) if back.len() != 1 => Value::Tuple(back.into_iter().map(Value::Wire).collect()),
            _ => back.first().map_or(Value::Poison, |w| Value::Wire(*w)),
        })
    }

    /// One request node a leaf, at the next hole; none where the leaf has no tangent.
    pub(crate) fn ask(&mut self, leaves: &[usize], points: &[Wire], span: Span) -> Res<Vec<Option<Wire>>> {
        let mut out = Vec::new();
        for (leaf, point) in leaves.iter().zip(points) {
            let Some(scope) = &mut self.rule else { return Err(None) };
            let tangent = scope.tangent;
            let Some(count) = scope.holes.get_mut(*leaf) else { return Err(None) };
            let hole = *count;
            *count += 1;
            if tangent.of(self.b.leaf(*point)).is_none() {
                out.push(None);
                continue;
            }
            let op = Op::Request { hole, leaf: u32::try_from(*leaf).unwrap_or(u32::MAX), tangent };
            let made = self.b.op(op, &[*point]);
            out.push(Some(self.typed(made, "request", span)?));
        }
        Ok(out)
    }

    /// A leaf as the body sees it.
    pub(crate) fn flatten_leaf(&mut self, w: Wire, flat: Option<&(Leaf, Leaf)>, span: Span) -> Res<Wire> {
        match flat {
            Some((_, as_seen)) => {
                let made = self.b.reshape_all(w, &as_seen.dims);
                self.typed(made, "reshape", span)
            }
            None => Ok(w),
        }
    }

    /// A wire of the body as the leaf is.
    pub(crate) fn unflatten(&mut self, w: Wire, flat: Option<&(Leaf, Leaf)>, span: Span) -> Res<Wire> {
        match flat {
            Some((as_is, as_seen)) if self.leaf(w).dims == as_seen.dims => {
                let made = self.b.reshape_all(w, &as_is.dims);
                self.typed(made, "reshape", span)
            }
            _ => Ok(w),
        }
    }
}

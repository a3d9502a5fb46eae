//! Maps applied to wires: composition, tensor, calls of definitions, maps passed in.
//!
//! A call is elaborated at the wires that arrive, so every dimension is a number; a definition without ports of its
//! own is remembered by its arguments, so that calls nested in calls cost linear time.

use crate::elaborate::scope::names::DefId;
use crate::elaborate::session::Elab;
use crate::elaborate::terms::after::After;
use crate::elaborate::terms::arith::Binary;
use crate::elaborate::terms::builtins;
use crate::elaborate::value::{Closure, Den, Env, Place, Res, Value, fault};
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::{Arg, ArgValue, CompareOp, Expr, ExprKind, Group, GroupKind, Ident, ItemKind, SumOp};
use std::rc::Rc;

/// The brackets of a call, taken apart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Call<'p> {
    pub(crate) dims: Option<&'p Group>,
    pub(crate) ports: Option<&'p Group>,
    pub(crate) settings: Vec<&'p Arg>,
    pub(crate) span: Span,
    /// The place of its parameters, for a name of the language that took its number already.
    pub(crate) prefix: Option<String>,
}

/// What arrives at a map, and where it comes from when that is another map.
#[derive(Clone, Debug)]
pub(crate) struct Arriving {
    pub(crate) value: Value,
    pub(crate) from: Option<Span>,
}

impl<'p> Elab<'p> {
    /// The definition a path names.
    pub(crate) fn resolve_path(&self, path: &[Ident], env: &Env<'p>) -> Option<DefId> {
        match path {
            [name] => self.defs.resolve(env.file, &name.name),
            [alias, name] => self.defs.resolve_in(env.file, &alias.name, &name.name),
            _ => None,
        }
    }

    /// Takes the brackets of a map apart.
    pub(crate) fn brackets(&self, groups: &'p [Group], span: Span) -> Res<Call<'p>> {
        let mut call = Call { span, ..Call::default() };
        for group in groups {
            match group.kind {
                GroupKind::Dims if call.dims.is_none() => call.dims = Some(group),
                GroupKind::Ports if call.ports.is_none() => call.ports = Some(group),
                GroupKind::Args => call.settings.extend(&group.args),
                _ => {
                    return fault(
                        Diagnostic::error(Code::PORT, "brackets of one kind twice")
                            .at(group.span, "the second ones")
                            .help("write one of each: `f[dims]{ports}(settings)`"),
                    );
                }
            }
        }
        Ok(call)
    }

    /// Applies a map to what arrives.
    pub(crate) fn apply(&mut self, map: &'p Expr, env: &Env<'p>, input: Arriving) -> Res<Value> {
        self.deeper(map.span, |elab| elab.apply_here(map, env, input))
    }

    fn apply_here(&mut self, map: &'p Expr, env: &Env<'p>, input: Arriving) -> Res<Value> {
        if matches!(input.value, Value::Poison) {
            return Err(None);
        }
        match &map.kind {
            ExprKind::Compose(list) => {
                let mut arriving = input;
                for (i, each) in list.iter().enumerate() {
                    let rest = list.get(i + 1..).unwrap_or_default();
                    let after = After::Maps(rest, env.clone());
                    let value = self.before(after, |elab| elab.apply(each, env, arriving)).inspect_err(|_| {
                        // What arrives at the rest is not known; its names are.
                        list.iter().skip(i + 1).for_each(|e| self.names_of(e, env, "map"));
                    })?;
                    arriving = Arriving { value, from: Some(each.span) };
                }
                Ok(arriving.value)
            }
            ExprKind::Path(path) => {
                let call = Call { span: map.span, ..Call::default() };
                self.apply_named(path, map.span, call, env, input)
            }
            ExprKind::Apply(head, groups) => match &head.kind {
                ExprKind::Path(path) => {
                    let call = self.brackets(groups, map.span)?;
                    self.apply_named(path, head.span, call, env, input)
                }
                _ => fault(
                    Diagnostic::error(Code::WRONG_KIND, "only a named map takes brackets")
                        .at(head.span, "not a name")
                        .help("name the map with `def` or `model`, or compose without brackets"),
                ),
            },
            ExprKind::Sum(first, rest) => {
                let part =
                    |elab: &mut Self, e: &'p Expr| elab.before(After::Open, |elab| elab.apply(e, env, input.clone()));
                let mut total = (part(self, first)?, first.span);
                for (op, span, each) in rest {
                    let value = (part(self, each)?, each.span);
                    let binary = match op {
                        SumOp::Add => Binary::Add,
                        SumOp::Subtract => Binary::Subtract,
                        SumOp::Or => {
                            return fault(
                                Diagnostic::error(Code::WRONG_KIND, "`|` stands between bits, these are maps")
                                    .at(*span, "stands between two maps")
                                    .help("maps are composed with `>>`"),
                            );
                        }
                        SumOp::Xor => return Self::not_yet("this sum of maps", *span),
                    };
                    let joined = total.1.to(value.1);
                    total = (self.binary(binary, total, value, joined)?, joined);
                }
                Ok(total.0)
            }
            ExprKind::Product(first, rest) => {
                self.before(After::Open, |elab| elab.tensor(first, rest, map.span, env, input))
            }
            ExprKind::If(parts) => {
                let [c, a, b] = parts.as_ref();
                let flag = match &c.kind {
                    ExprKind::Path(p) if p.len() == 1 => match p.first().and_then(|n| env.get(&n.name)) {
                        Some(Den::Flag(b)) => Some(*b),
                        _ => None,
                    },
                    _ => None,
                };
                match flag {
                    Some(true) => self.apply(a, env, input),
                    Some(false) => self.apply(b, env, input),
                    None => Self::not_yet("choosing between maps by wires", c.span),
                }
            }
            ExprKind::Tuple(_) => fault(
                Diagnostic::error(Code::WRONG_KIND, "a list of maps is not a map")
                    .at(map.span, "several maps")
                    .help("side by side is `f * g`"),
            ),
            ExprKind::Compare(parts)
                if parts.1 == CompareOp::Greater
                    && matches!(parts.0.kind, ExprKind::Path(_) | ExprKind::Apply(..))
                    && matches!(parts.2.kind, ExprKind::Path(_) | ExprKind::Apply(..)) =>
            {
                fault(
                    Diagnostic::error(Code::WRONG_KIND, "a map is needed here, `>` compares wires")
                        .at(map.span, "a comparison")
                        .help("maps are composed with `>>`"),
                )
            }
            ExprKind::Number(_) | ExprKind::List(_) | ExprKind::Negate(_) | ExprKind::Compare(_) => fault(
                Diagnostic::error(Code::WRONG_KIND, "a map is needed here, this is a wire")
                    .at(map.span, "a wire")
                    .help("maps compose with `>>`; to use a number write named wires: `(x) { .. }`"),
            ),
            _ => fault(
                Diagnostic::error(Code::WRONG_KIND, "a map is needed here")
                    .at(map.span, "not a map")
                    .help("name a map, or compose several: `f >> g`"),
            ),
        }
    }

    pub(crate) fn apply_named(
        &mut self,
        path: &'p [Ident],
        head: Span,
        call: Call<'p>,
        env: &Env<'p>,
        input: Arriving,
    ) -> Res<Value> {
        if let [name] = path {
            match env.get(&name.name) {
                Some(Den::Map(closure)) => {
                    let closure = closure.clone();
                    return self.before(After::Tied, |elab| elab.apply_closure(&closure, input));
                }
                Some(_) => {
                    return fault(
                        Diagnostic::error(Code::WRONG_KIND, format!("`{}` is a wire, a map is needed here", name.name))
                            .at(head, "a wire")
                            .help("maps compose with `>>`; wires are given to maps in brackets: `f(x)`"),
                    );
                }
                None => {}
            }
        }
        match self.resolve_path(path, env) {
            Some(id) => self.apply_def(id, &call, env, input),
            None => match path {
                [name] if builtins::NAMES.contains(&&*name.name) => {
                    self.at(call.span, env);
                    self.builtin(name, &call, env, input)
                }
                _ => {
                    let name: Vec<&str> = path.iter().map(|p| &*p.name).collect();
                    self.unknown(&name.join("."), head, env, "map")
                }
            },
        }
    }

    /// Applies a map that was passed in: at its own place, so that using it twice ties its parameters.
    pub(crate) fn apply_closure(&mut self, closure: &Rc<Closure<'p>>, input: Arriving) -> Res<Value> {
        let env = closure.env.at(Place::new(closure.prefix.clone()));
        self.apply(closure.expr, &env, input)
    }

    /// A call whose last brackets hold wires.
    pub(crate) fn call_on_wires(
        &mut self,
        span: Span,
        head: &'p Expr,
        groups: &'p [Group],
        env: &Env<'p>,
    ) -> Res<Value> {
        let Some((last, before)) = groups.split_last() else { return Err(None) };
        let ExprKind::Path(path) = &head.kind else {
            // `(f >> g)(x)`
            if before.is_empty() {
                // Its calls take their numbers before its arguments do.
                let inner = env.at(env.place.reserve(self.owners(head, env)));
                let value = self.arguments(last, env)?.0;
                return self.apply(head, &inner, Arriving { value, from: None });
            }
            return fault(
                Diagnostic::error(Code::WRONG_KIND, "only a named map takes brackets")
                    .at(head.span, "not a name")
                    .help("name the map with `def` or `model`, then write `name(x)`"),
            );
        };
        let mut call = self.brackets(before, span)?;
        // A call that owns parameters takes its number before its arguments do: calls count as written.
        let owner = self.owner_of(path, &call, env);
        let place = owner.then(|| env.place.next());
        if let ([name], true) = (path.as_slice(), self.rule.is_some())
            && &*name.name == "request"
            && env.get("request").is_none()
        {
            let (value, _) = self.arguments(last, env)?;
            return self.request(value, span);
        }
        if let [owner, step] = path.as_slice()
            && &*step.name == "step"
            && let Some(Den::Rule(stages)) = env.get(&owner.name)
        {
            let (name, stages) = (owner.name.clone(), stages.clone());
            return self.inner_step(&name, &stages, last, env, span);
        }
        let (value, named) = self.arguments(last, env)?;
        call.settings.extend(named);
        let arriving = Arriving { value, from: None };
        match place {
            Some(prefix) => {
                let Some(id) = self.resolve_path(path, env) else {
                    call.prefix = Some(prefix);
                    return self.apply_named(path, head.span, call, env, arriving);
                };
                self.apply_def_at(id, &call, env, arriving, prefix)
            }
            None => self.apply_named(path, head.span, call, env, arriving),
        }
    }

    /// How many calls of a map written as an expression take a number.
    fn owners(&mut self, map: &'p Expr, env: &Env<'p>) -> usize {
        match &map.kind {
            ExprKind::Compose(list) => list.iter().map(|e| self.owners(e, env)).sum(),
            ExprKind::Sum(first, rest) => {
                self.owners(first, env) + rest.iter().map(|(_, _, e)| self.owners(e, env)).sum::<usize>()
            }
            ExprKind::Product(first, rest) => {
                self.owners(first, env) + rest.iter().map(|(_, _, e)| self.owners(e, env)).sum::<usize>()
            }
            ExprKind::Path(path) => usize::from(self.owner_of(path, &Call::default(), env)),
            ExprKind::Apply(head, groups) => match (&head.kind, self.brackets(groups, map.span)) {
                (ExprKind::Path(path), Ok(call)) => usize::from(self.owner_of(path, &call, env)),
                _ => 0,
            },
            _ => 0,
        }
    }

    fn owner_of(&mut self, path: &'p [Ident], call: &Call<'p>, env: &Env<'p>) -> bool {
        if let [name] = path
            && env.get(&name.name).is_some()
        {
            return false;
        }
        match self.resolve_path(path, env) {
            Some(id) => self.call_owns(id, call, env),
            None => self.repeats(path) && call.settings.first().is_some_and(|a| self.owns_arg(a, env)),
        }
    }

    /// Names of the language whose calls own what their map owns.
    fn repeats(&self, path: &[Ident]) -> bool {
        matches!(path, [name] if builtins::MAPS_OF_MAPS.contains(&&*name.name))
    }

    /// Whether a call makes parameters: its definition does and they are not all given, or a map passed to it does.
    pub(crate) fn call_owns(&mut self, id: DefId, call: &Call<'p>, env: &Env<'p>) -> bool {
        let given = call.ports.map_or(0, |g| g.args.len());
        let declared = match self.defs.item(id).map(|i| &i.kind) {
            Some(ItemKind::Map(map)) => map.ports.iter().filter(|p| !p.noise).count(),
            _ => 0,
        };
        let object =
            given == 1 && call.ports.and_then(|g| g.args.first()).is_some_and(|a| self.ports_of_arg(a, env).is_some());
        let own = self.owns(id) && (call.ports.is_none() || (given < declared && !object));
        let maps = self.takes_maps(id)
            && call.settings.iter().any(|a| match &a.value {
                ArgValue::Expr(e) => self.owns_expr(e, env, &[]),
                ArgValue::Range(..) => false,
            });
        own || maps || self.default_owns(id, &call.settings)
    }

    /// The wires in the brackets of a call, and the settings named among them.
    fn arguments(&mut self, group: &'p Group, env: &Env<'p>) -> Res<(Value, Vec<&'p Arg>)> {
        let mut wires = Vec::new();
        let mut named = Vec::new();
        let mut failed = false;
        for arg in &group.args {
            match (&arg.name, &arg.value) {
                (Some(_), _) => named.push(arg),
                (None, ArgValue::Expr(e)) if matches!(e.kind, ExprKind::Text(_)) => named.push(arg),
                (None, ArgValue::Expr(e)) => {
                    let value = self.wire(e, env);
                    match self.keep(value) {
                        Some(Value::Poison) | None => failed = true,
                        Some(value) => wires.push(value),
                    }
                }
                (None, ArgValue::Range(..)) => {
                    return fault(
                        Diagnostic::error(Code::WRONG_KIND, "a range is not a wire")
                            .at(arg.span, "a wire is needed here")
                            .help("a slice stands in square brackets: `x[0..4]`"),
                    );
                }
            }
        }
        if failed {
            return Err(None);
        }
        let value = match wires.len() {
            1 => wires.pop().unwrap_or(Value::Poison),
            _ => Value::Tuple(wires),
        };
        Ok((value, named))
    }
}

//! Maps applied to wires: composition, tensor, calls of definitions, maps passed in.
//!
//! A call is elaborated at the wires that arrive, so every dimension is a number; a definition without ports of its
//! own is remembered by its arguments, so that calls nested in calls cost linear time.

use super::dims::{Known, Vars};
use super::names::DefId;
use super::session::{Elab, MemoKey};
use super::types::{DimTerm, Mismatch, dim_terms};
use super::value::{Closure, Den, Env, Place, Res, Value, fault};
use crate::diagram::Wire;
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::{Arg, ArgValue, Body, Expr, ExprKind, Group, GroupKind, Ident, ItemKind, MapItem, SumOp};
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
                        Diagnostic::error(Code::PORT, "brackets of one kind twice").at(group.span, "the second ones"),
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
                    let value = self.apply(each, env, arriving).inspect_err(|_| {
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
                    Diagnostic::error(Code::WRONG_KIND, "only a named map takes brackets").at(head.span, "not a name"),
                ),
            },
            ExprKind::Sum(first, rest) => {
                let mut total = (self.apply(first, env, input.clone())?, first.span);
                for (op, span, each) in rest {
                    let value = (self.apply(each, env, input.clone())?, each.span);
                    let binary = match op {
                        SumOp::Add => super::arith::Binary::Add,
                        SumOp::Subtract => super::arith::Binary::Subtract,
                        _ => return Self::not_yet("this sum of maps", *span),
                    };
                    let joined = total.1.to(value.1);
                    total = (self.binary(binary, total, value, joined)?, joined);
                }
                Ok(total.0)
            }
            ExprKind::Product(first, rest) => self.tensor(first, rest, map.span, env, input),
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
                    .at(map.span, "")
                    .help("side by side is `f * g`"),
            ),
            ExprKind::Number(_) | ExprKind::List(_) | ExprKind::Negate(_) | ExprKind::Compare(_) => fault(
                Diagnostic::error(Code::WRONG_KIND, "a map is needed here, this is a wire")
                    .at(map.span, "a wire")
                    .help("maps compose with `>>`; to use a number write named wires: `(x) { .. }`"),
            ),
            _ => fault(Diagnostic::error(Code::WRONG_KIND, "a map is needed here").at(map.span, "not a map")),
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
                    return self.apply_closure(&closure, input);
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
                [name] if super::builtins::NAMES.contains(&&*name.name) => {
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
            return fault(Diagnostic::error(Code::WRONG_KIND, "only a named map takes brackets").at(head.span, ""));
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

    /// `stack`, `iterate`: names of the language whose calls own what their map owns.
    fn repeats(&self, path: &[Ident]) -> bool {
        matches!(path, [name] if matches!(&*name.name, "stack" | "iterate"))
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
                            .at(arg.span, "a wire is needed here"),
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

    /// Applies a definition, taking the next number if it makes parameters.
    pub(crate) fn apply_def(&mut self, id: DefId, call: &Call<'p>, env: &Env<'p>, input: Arriving) -> Res<Value> {
        // `generator{G}`: its parameters live where the port `G` says.
        let object = match call.ports.map(|g| g.args.as_slice()) {
            Some([arg]) => self.ports_of_arg(arg, env),
            _ => None,
        };
        let prefix = match object {
            Some(prefix) => prefix.to_string(),
            None if self.call_owns(id, call, env) => env.place.next(),
            None => env.place.prefix.clone(),
        };
        self.apply_def_at(id, call, env, input, prefix)
    }

    fn apply_def_at(
        &mut self,
        id: DefId,
        call: &Call<'p>,
        env: &Env<'p>,
        input: Arriving,
        prefix: String,
    ) -> Res<Value> {
        match self.defs.item(id).map(|i| &i.kind) {
            Some(ItemKind::Map(map)) => self.apply_map_at(id, map, call, env, input, prefix),
            Some(ItemKind::Prim(prim)) => self.apply_prim(id, prim, call, env, input),
            Some(ItemKind::Rule(_)) => fault(
                Diagnostic::error(Code::WRONG_KIND, "this is an update rule, a map is needed here").at(call.span, ""),
            ),
            Some(other) => {
                let name = match other {
                    ItemKind::Const(c) => Some(&c.name),
                    ItemKind::Dim(d) => Some(&d.name),
                    ItemKind::Type(t) => Some(&t.name),
                    _ => None,
                };
                let d = Diagnostic::error(Code::WRONG_KIND, "a map is needed here").at(call.span, "not a map");
                fault(match name {
                    Some(n) => d.also(n.span, "defined here"),
                    None => d,
                })
            }
            None => Err(None),
        }
    }

    /// The dimension variables of a call: those listed, with what its `[ ]` gives, and the open letters of its type.
    pub(crate) fn call_dims(
        &mut self,
        name: &Ident,
        declared: &'p [crate::syntax::ast::DimVar],
        call: &Call<'p>,
        env: &Env<'p>,
    ) -> Res<Vars> {
        let mut vars = Vars::default();
        for var in declared {
            vars.declare(&var.name.name, var.spread);
        }
        let Some(group) = call.dims else { return Ok(vars) };
        if group.args.len() > declared.len() {
            return fault(
                Diagnostic::error(
                    Code::DIMENSION,
                    format!("`{}` takes {} dimensions and was given {}", name.name, declared.len(), group.args.len()),
                )
                .at(group.span, format!("{} are given", group.args.len()))
                .also(name.span, format!("{} are declared", declared.len())),
            );
        }
        let names: Vec<&str> = declared.iter().map(|v| &*v.name.name).collect();
        let places = self.places(&group.args.iter().collect::<Vec<_>>(), &names, Code::DIMENSION)?;
        for (at, (arg, place)) in group.args.iter().zip(places).enumerate() {
            let var = match (place.and_then(|p| declared.get(p)), &arg.name) {
                (Some(var), _) => var,
                (None, Some(key)) => {
                    let d =
                        Diagnostic::error(Code::DIMENSION, format!("`{}` has no dimension `{}`", name.name, key.name));
                    return fault(d.at(key.span, ""));
                }
                (None, None) => return Err(None),
            };
            match &arg.value {
                ArgValue::Expr(e) if matches!(e.kind, ExprKind::Hole) => {}
                ArgValue::Expr(e) => {
                    let n = self.dim(e, env)?;
                    vars.known.insert(var.name.name.clone(), Known::Dim(n));
                }
                ArgValue::Range(None, Some(_)) => {
                    if let Some(DimTerm::Spread(name, span)) = dim_terms(group)?.get(at) {
                        match env.get(name) {
                            Some(Den::Shape(s)) => {
                                vars.known.insert(var.name.name.clone(), Known::Shape(s.clone()));
                            }
                            _ => return self.unknown(name, *span, env, "shape"),
                        }
                    }
                }
                ArgValue::Range(..) => {
                    return fault(Diagnostic::error(Code::DIMENSION, "a range is not a dimension").at(arg.span, ""));
                }
            }
        }
        Ok(vars)
    }

    /// Applies a map with its parameters under a prefix.
    pub(crate) fn apply_map_at(
        &mut self,
        id: DefId,
        map: &'p MapItem,
        call: &Call<'p>,
        env: &Env<'p>,
        input: Arriving,
        prefix: String,
    ) -> Res<Value> {
        let vars = self.call_dims(&map.name, &map.dims, call, env)?;
        // Faults of a rule's scope are shown where the rule calls the prelude, not inside it.
        let entered = match &mut self.rule {
            Some(scope) if scope.call_site.is_none() => {
                scope.call_site = Some(call.span);
                true
            }
            _ => false,
        };
        let result = self.apply_map_with(id, map, call, env, input, prefix, vars);
        if let (true, Some(scope)) = (entered, &mut self.rule) {
            scope.call_site = None;
        }
        result
    }

    /// Applies a map at dimensions known in part.
    #[allow(clippy::too_many_arguments, reason = "a call is its definition, its brackets, its place and its wires")]
    pub(crate) fn apply_map_with(
        &mut self,
        id: DefId,
        map: &'p MapItem,
        call: &Call<'p>,
        env: &Env<'p>,
        input: Arriving,
        prefix: String,
        mut vars: Vars,
    ) -> Res<Value> {
        let mut inner = Env::new(id.file, Place::new(prefix));
        self.bind_formals(map, call, env, &mut inner)?;
        let (from, to) = (self.ty(&map.arrow.from, &inner)?, self.ty(&map.arrow.to, &inner)?);
        self.open_letters(&from, &mut vars);
        self.open_letters(&to, &mut vars);
        if let Some(m) = self.unify(&from, &input.value, &mut vars)? {
            return self.does_not_fit(&map.name, (&map.arrow, &map.dims), call, &input, &m);
        }
        vars.bind_into(&mut inner);
        let given = self.given_ports(map, call, env)?;
        let key = self.memo_key(id, map, &vars, &inner, &input.value, &given);
        if let Some(value) = key.as_ref().and_then(|k| self.memo.get(k)) {
            return Ok(value.clone());
        }
        self.count_call(call.span)?;
        let made = self.make_ports(map, &given, &mut vars, &mut inner, (call, env));
        made.map_err(|f| f.map(|d| Box::new(self.drawn_in(id, call.span, *d))))?;
        let drawn = self.noises.len();
        let before = self.b.origin();
        self.calls.push((id, call.span));
        let value = self.body(map, &input.value, &mut inner, call);
        let value = value.map_err(|f| f.map(|d| Box::new(self.called_from(*d))));
        self.calls.pop();
        let value = value?;
        self.b.set_origin(before);
        if let Some(m) = self.unify(&to, &value, &mut vars)? {
            let body = match &map.body {
                Body::Map(e) => e.span,
                Body::Wires(_, block) => block.value.span,
            };
            return fault(
                Diagnostic::error(
                    Code::SHAPE,
                    format!("`{}` promises {} and gives {}", map.name.name, m.needs, m.gives),
                )
                .at(body, format!("gives {}", m.gives))
                .also(map.arrow.to.span, format!("promises {}", m.needs)),
            );
        }
        // A body that draws noise draws it anew at every call.
        if let Some(key) = key.filter(|_| self.noises.len() == drawn) {
            self.memo.insert(key, value.clone());
        }
        Ok(value)
    }

    /// A fault inside a definition, with the innermost call of the user's that led there; inside the prelude that call
    /// is the place of the fault.
    pub(crate) fn called_from(&self, mut d: Diagnostic) -> Diagnostic {
        const HERE: &str = "in this call";
        let prelude = |span: Span| self.defs.file_of(span.file).is_some_and(|f| self.defs.is_prelude(f));
        if d.labels.iter().any(|l| l.text == HERE) || d.code == Code::RULE_SCOPE {
            return d;
        }
        let own_name = |id: DefId, span: Span| {
            self.defs.item(id).and_then(super::names::item_name).is_some_and(|n| n.span == span)
        };
        let Some((id, span)) = self.calls.iter().rev().find(|(_, span)| !prelude(*span)).copied() else {
            // In a rule of the prelude the place is where the run names it.
            return match &self.rule {
                Some(scope) if !prelude(scope.stage) && d.labels.iter().all(|l| prelude(l.span)) => {
                    d.labels.iter_mut().for_each(|l| l.primary = false);
                    d.at(scope.stage, "in this rule")
                }
                _ => d,
            };
        };
        if own_name(id, span) {
            return d;
        }
        if self.defs.is_prelude(id.file) {
            d.labels.iter_mut().for_each(|l| l.primary = false);
            return d.at(span, HERE);
        }
        d.also(span, HERE)
    }

    /// A fault in the ports of a definition: one that lies in the prelude alone has the call for its place.
    fn drawn_in(&mut self, id: DefId, call: Span, d: Diagnostic) -> Diagnostic {
        let prelude = |span: Span| self.defs.file_of(span.file).is_some_and(|f| self.defs.is_prelude(f));
        if !d.labels.iter().all(|l| prelude(l.span)) {
            return d;
        }
        self.calls.push((id, call));
        let d = self.called_from(d);
        self.calls.pop();
        d
    }

    fn body(&mut self, map: &'p MapItem, input: &Value, inner: &mut Env<'p>, call: &Call<'p>) -> Res<Value> {
        let body = match (&map.evaluate, self.evaluating) {
            (Some(other), true) => other,
            _ => &map.body,
        };
        let value = match body {
            Body::Map(e) => self.apply(e, inner, Arriving { value: input.clone(), from: None })?,
            Body::Wires(wires, block) => {
                if let Some(wires) = wires {
                    self.bind_wires(wires, input.clone(), call.span, inner)?;
                }
                self.block(block, inner)?
            }
        };
        Ok(value)
    }

    /// The two dimensions of a call the other way round, if the map then takes what arrives.
    fn swapped(
        &mut self,
        arrow: &'p crate::syntax::ast::Arrow,
        declared: &'p [crate::syntax::ast::DimVar],
        call: &Call<'p>,
        input: &Value,
    ) -> Option<String> {
        let ([a, b], [x, y]) = (call.dims?.args.as_slice(), declared) else { return None };
        let mut vars = Vars::default();
        for (var, arg) in [(x, b), (y, a)] {
            let (None, ArgValue::Expr(e)) = (&arg.name, &arg.value) else { return None };
            vars.declare(&var.name.name, var.spread);
            // Dimensions of the call's place are numbers or names of dims; others are not guessed at.
            let env = self.root(self.defs.file_of(arg.span.file)?);
            vars.known.insert(var.name.name.clone(), Known::Dim(self.dim(e, &env).ok()?));
        }
        let outside = self.root(self.defs.file_of(arrow.span.file)?);
        let from = self.ty(&arrow.from, &outside).ok()?;
        self.open_letters(&from, &mut vars);
        let text = |arg: &Arg| self.defs.sources.slice(arg.span).to_owned();
        let shown = format!("[{}, {}]", text(b), text(a));
        self.unify(&from, input, &mut vars).ok()?.is_none().then_some(shown)
    }

    /// The message for a map that cannot take what arrives.
    pub(crate) fn does_not_fit<T>(
        &mut self,
        name: &Ident,
        (arrow, declared): (&'p crate::syntax::ast::Arrow, &'p [crate::syntax::ast::DimVar]),
        call: &Call<'p>,
        input: &Arriving,
        m: &Mismatch,
    ) -> Res<T> {
        let d = match input.from {
            Some(from) => Diagnostic::error(Code::COMPOSE, "these two maps do not compose")
                .at(call.span, format!("needs {}", m.needs))
                .also(from, format!("gives {}", m.gives))
                .help(format!("`{}` takes {}; make both sides the same", name.name, m.needs)),
            None => Diagnostic::error(Code::SHAPE, format!("`{}` takes {}, not {}", name.name, m.needs, m.gives))
                .at(call.span, format!("was given {}", m.gives)),
        };
        let label = m.gives.split_once("Fin[").and_then(|(_, rest)| rest.split_once(']')).map(|(n, _)| n);
        let d = match (self.swapped(arrow, declared, call, &input.value), label) {
            (Some(other), _) => d.help(format!("are the dimensions swapped? `{}{other}` takes this", name.name)),
            (None, Some(n)) if !m.needs.contains("Fin[") => {
                d.help(format!("a label is not a vector: end the target in `onehot[{n}]` instead of `class[{n}]`"))
            }
            _ => d,
        };
        let own = !self.defs.file_of(arrow.span.file).is_some_and(|f| self.defs.is_prelude(f));
        fault(if own { d.also(arrow.from.span, format!("takes {}", m.needs)) } else { d })
    }

    fn memo_key(
        &mut self,
        id: DefId,
        map: &MapItem,
        vars: &Vars,
        inner: &Env<'p>,
        input: &Value,
        given: &[Option<Value>],
    ) -> Option<MemoKey> {
        let objects = map.ports.iter().any(|p| matches!(p.ty.kind, crate::syntax::ast::TypeKind::Params(_)));
        if objects {
            return None;
        }
        let all_given = map.ports.iter().zip(given).all(|(p, g)| !p.noise && g.is_some());
        if (!all_given && !map.ports.is_empty()) || (map.ports.is_empty() && self.owns(id)) {
            return None;
        }
        let dims = vars.key();
        let mut settings = Vec::new();
        for formal in &map.formals {
            match inner.get(&formal.name.name) {
                Some(Den::Wires(Value::Number(x))) => settings.push(x.to_bits()),
                Some(Den::Dim(n)) => settings.push(*n),
                Some(Den::Flag(b)) => settings.push(u64::from(*b)),
                _ => return None,
            }
        }
        settings.push(u64::from(self.evaluating));
        let mut wires = Vec::new();
        let mut stack: Vec<&Value> = given.iter().flatten().collect();
        stack.push(input);
        while let Some(v) = stack.pop() {
            match v {
                Value::Wire(w) => wires.push(*w),
                Value::Tuple(parts) => {
                    wires.push(Wire { node: u32::MAX, port: u32::try_from(parts.len()).ok()? });
                    stack.extend(parts);
                }
                _ => return None,
            }
        }
        Some((id, dims, settings, wires))
    }
}

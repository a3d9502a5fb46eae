//! Calls of definitions: dimensions from the wires that arrive, ports at a place, the body, remembered calls.
//!
//! In: a definition, the brackets of a call, wires. Out: its value; a mismatch says both types and where each comes from.

use crate::diagram::Wire;
use crate::elaborate::scope::names::{DefId, item_name, nearest};
use crate::elaborate::session::{Elab, MemoKey};
use crate::elaborate::terms::after::After;
use crate::elaborate::terms::apply::{Arriving, Call};
use crate::elaborate::typing::dims::{Known, Vars};
use crate::elaborate::typing::types::{DimTerm, Mismatch, Ty, dim_terms};
use crate::elaborate::value::{Den, Env, Place, Res, Value, fault};
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::{ArgValue, Arrow, Body, DimVar, ExprKind, Ident, ItemKind, MapItem};

impl<'p> Elab<'p> {
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

    pub(crate) fn apply_def_at(
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
                Diagnostic::error(Code::WRONG_KIND, "this is an update rule, a map is needed here")
                    .at(call.span, "a rule")
                    .help("a rule is named by `optimiser = ..` in a `train`"),
            ),
            Some(other) => {
                let name = match other {
                    ItemKind::Const(c) => Some(&c.name),
                    ItemKind::Dim(d) => Some(&d.name),
                    ItemKind::Type(t) => Some(&t.name),
                    _ => None,
                };
                let d = Diagnostic::error(Code::WRONG_KIND, "a map is needed here")
                    .at(call.span, "not a map")
                    .help("maps are `model`, `def`, `loss` and `prim`; a number is used in a body: `(x) { .. }`");
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
        declared: &'p [DimVar],
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
                .also(name.span, format!("{} are declared", declared.len()))
                .help(match declared.len() {
                    0 => format!("write `{}` without [ ]", name.name),
                    _ => format!(
                        "write `{}[{}]`",
                        name.name,
                        declared.iter().map(|d| &*d.name.name).collect::<Vec<_>>().join(", ")
                    ),
                }),
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
                    let near = nearest(&key.name, declared.iter().map(|d| &*d.name.name));
                    return fault(d.at(key.span, "unknown dimension").help(match near {
                        Some(near) => format!("did you mean `{near}`?"),
                        None if names.is_empty() => "it takes none".to_owned(),
                        None => format!("its dimensions are {}", names.join(", ")),
                    }));
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
                    return fault(
                        Diagnostic::error(Code::DIMENSION, "a range is not a dimension")
                            .at(arg.span, "a range")
                            .help("write one number"),
                    );
                }
            }
        }
        Ok(vars)
    }

    /// Matches what arrives with what a definition takes: its dimensions are known in `inner` from
    /// then on. Gives the type that it promises.
    pub(crate) fn arrive(
        &mut self,
        (name, arrow, declared): (&Ident, &'p Arrow, &'p [DimVar]),
        call: &Call<'p>,
        input: &Arriving,
        vars: &mut Vars,
        inner: &mut Env<'p>,
    ) -> Res<Ty<'p>> {
        let (from, to) = (self.ty(&arrow.from, inner)?, self.ty(&arrow.to, inner)?);
        self.open_letters(&from, vars);
        self.open_letters(&to, vars);
        if let Some(m) = self.unify(&from, &input.value, vars)? {
            return self.does_not_fit(name, (arrow, declared), call, input, &m);
        }
        vars.bind_into(inner);
        Ok(to)
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
        let to = self.arrive((&map.name, &map.arrow, &map.dims), call, &input, &mut vars, &mut inner)?;
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
        let after = match &map.body {
            Body::Map(_) => After::Ends(to.clone(), vars.clone()),
            Body::Wires(..) => After::Open,
        };
        let value = self.before(after, |elab| elab.body(map, &input.value, &mut inner, call));
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
                .also(map.arrow.to.span, format!("promises {}", m.needs))
                .help(format!("end the body in {}, or let the type promise {}", m.needs, m.gives)),
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
        let prelude = |span: Span| self.defs.in_prelude(span);
        if d.labels.iter().any(|l| l.text == HERE) || d.code == Code::RULE_SCOPE {
            return d;
        }
        let own_name = |id: DefId, span: Span| self.defs.item(id).and_then(item_name).is_some_and(|n| n.span == span);
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
        if own_name(id, span) || d.labels.iter().any(|l| l.span == span) {
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
        let prelude = |span: Span| self.defs.in_prelude(span);
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

    /// The message for a map that cannot take what arrives.
    pub(crate) fn does_not_fit<T>(
        &mut self,
        name: &Ident,
        (arrow, declared): (&'p Arrow, &'p [DimVar]),
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
                .at(call.span, format!("was given {}", m.gives))
                .help(format!("give it {}, or change its dimensions", m.needs)),
        };
        let label = m.gives.split_once("Fin[").and_then(|(_, rest)| rest.split_once(']')).map(|(n, _)| n);
        let d = match (self.swapped(arrow, declared, call, &input.value), label) {
            (Some(other), _) => d.help(format!("are the dimensions swapped? `{}{other}` takes this", name.name)),
            (None, Some(n)) if !m.needs.contains("Fin[") => {
                d.help(format!("a label is not a vector: end the target in `onehot[{n}]` instead of `class[{n}]`"))
            }
            _ => d,
        };
        let own = !self.defs.in_prelude(arrow.span);
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

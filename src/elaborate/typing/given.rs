//! The ports of a call: those given in `{ }`, and those made anew.

use crate::elaborate::scope::names::nearest;
use crate::elaborate::session::Elab;
use crate::elaborate::terms::apply::Call;
use crate::elaborate::typing::dims::{Known, Vars};
use crate::elaborate::typing::types::Ty;
use crate::elaborate::value::{Den, Env, Res, Value, fault};
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::{Arg, ArgValue, ExprKind, MapItem, PortDecl, TypeKind};
use std::rc::Rc;

impl<'p> Elab<'p> {
    /// The wires given to the ports of a call, in the order of declaration.
    pub(crate) fn given_ports(&mut self, map: &'p MapItem, call: &Call<'p>, env: &Env<'p>) -> Res<Vec<Option<Value>>> {
        let mut given: Vec<Option<Value>> = vec![None; map.ports.len()];
        let Some(group) = call.ports else { return Ok(given) };
        let declared: Vec<usize> =
            (0..map.ports.len()).filter(|i| !map.ports.get(*i).is_some_and(|p| p.noise)).collect();
        if declared.is_empty() {
            // `generator{G}`: the whole parameter object of a map without declared ports.
            return match group.args.as_slice() {
                [arg] if self.ports_of_arg(arg, env).is_some() => Ok(given),
                _ => fault(
                    Diagnostic::error(Code::PORT, format!("`{}` has no ports to give", map.name.name))
                        .at(group.span, "not taken")
                        .also(map.name.span, "declared without { }")
                        .help(format!("write `{}` without {{ }}", map.name.name)),
                ),
            };
        }
        // `dense[4, 3]{D}`: the whole parameter object, all ports of it.
        if let [arg] = group.args.as_slice()
            && arg.name.is_none()
            && self.ports_of_arg(arg, env).is_some()
            && !map.ports.iter().any(|p| matches!(p.ty.kind, TypeKind::Params(_)))
        {
            return Ok(given);
        }
        let places = self.port_places(map, &group.args)?;
        for (arg, place) in group.args.iter().zip(places) {
            let slot = place.and_then(|at| declared.get(at).copied());
            let Some((slot, port)) = slot.and_then(|s| Some((s, map.ports.get(s)?))) else {
                let d = match &arg.name {
                    Some(key) => {
                        Diagnostic::error(Code::PORT, format!("`{}` has no port `{}`", map.name.name, key.name))
                            .at(key.span, "unknown port")
                    }
                    None => Diagnostic::error(
                        Code::PORT,
                        format!("`{}` has {} ports, {} are given", map.name.name, declared.len(), group.args.len()),
                    )
                    .at(group.span, format!("{} ports", group.args.len())),
                };
                let names: Vec<&str> =
                    declared.iter().filter_map(|i| map.ports.get(*i)).map(|p| &*p.name.name).collect();
                let near = arg.name.as_ref().and_then(|key| nearest(&key.name, names.iter().copied()));
                return fault(d.also(map.name.span, "defined here").help(match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("its ports are {}", names.join(", ")),
                }));
            };
            let ArgValue::Expr(e) = &arg.value else {
                return fault(
                    Diagnostic::error(Code::PORT, "a range is not a port")
                        .at(arg.span, "a range")
                        .help("name a port or a wire of its type"),
                );
            };
            let value =
                if matches!(port.ty.kind, TypeKind::Params(_)) { Value::Tuple(Vec::new()) } else { self.wire(e, env)? };
            if let Some(slot) = given.get_mut(slot) {
                *slot = Some(value);
            }
        }
        Ok(given)
    }

    /// Which parameter port (noise not counted) each argument in `{ }` is for.
    fn port_places(&self, map: &MapItem, args: &'p [Arg]) -> Res<Vec<Option<usize>>> {
        let names: Vec<&str> = map.ports.iter().filter(|p| !p.noise).map(|p| &*p.name.name).collect();
        self.places(&args.iter().collect::<Vec<_>>(), &names, Code::PORT)
    }

    /// The parameter object that an argument names.
    pub(crate) fn ports_of_arg(&self, arg: &'p Arg, env: &Env<'p>) -> Option<Rc<str>> {
        let ArgValue::Expr(e) = &arg.value else { return None };
        let ExprKind::Path(path) = &e.kind else { return None };
        match path.as_slice() {
            [name] => match env.get(&name.name) {
                Some(Den::Ports(prefix)) => Some(prefix.clone()),
                _ => None,
            },
            _ => None,
        }
    }

    /// The place of the parameter object given to a port, if one is.
    fn given_object(&self, map: &MapItem, port: &PortDecl, call: &Call<'p>, env: &Env<'p>) -> Option<Rc<str>> {
        let args = &call.ports?.args;
        let at = map.ports.iter().filter(|p| !p.noise).position(|p| p.name.name == port.name.name)?;
        let places = self.port_places(map, args).ok()?;
        let (arg, _) = args.iter().zip(places).find(|(_, place)| *place == Some(at))?;
        self.ports_of_arg(arg, env)
    }

    /// Binds every port of a call: what was given, a parameter object's place, or a new port.
    pub(crate) fn make_ports(
        &mut self,
        map: &'p MapItem,
        given: &[Option<Value>],
        vars: &mut Vars,
        inner: &mut Env<'p>,
        (call, env): (&Call<'p>, &Env<'p>),
    ) -> Res<()> {
        for (port, given) in map.ports.iter().zip(given) {
            let ty = self.ty(&port.ty, inner)?;
            if let Ty::Params(..) = ty {
                let own = || self.port_path(&inner.place.prefix, &port.name.name).into();
                let prefix = self.given_object(map, port, call, env).unwrap_or_else(own);
                inner.bind(port.name.name.clone(), Den::Ports(prefix));
                continue;
            }
            if let Some(value) = given {
                if let Some(m) = self.unify(&ty, value, vars)? {
                    let at = call.ports.map_or(call.span, |g| g.span);
                    return fault(
                        Diagnostic::error(
                            Code::PORT,
                            format!(
                                "the port `{}` of `{}` is {}, not {}",
                                port.name.name, map.name.name, m.needs, m.gives
                            ),
                        )
                        .at(at, format!("gives {}", m.gives))
                        .also(port.ty.span, format!("needs {}", m.needs))
                        .help(format!("give it a port of the type {}, or change its dimensions", m.needs)),
                    );
                }
                vars.bind_into(inner);
                inner.bind(port.name.name.clone(), Den::Wires(value.clone()));
                continue;
            }
            let leaf = match self.leaf_of(&ty, vars) {
                Err(Some(d)) if d.code == Code::DIMENSION => {
                    return Err(Some(Box::new(self.missing_size(map, call, vars).unwrap_or(*d))));
                }
                made => made?,
            };
            let init = self.init(port.init.as_ref(), &leaf, inner, port.ty.span)?;
            let wire = if port.noise {
                self.noise(&port.name.name, leaf, init, port.name.span)
            } else {
                let path = self.port_path(&inner.place.prefix, &port.name.name);
                self.param(path, leaf, init, port.name.span)?
            };
            inner.bind(port.name.name.clone(), Den::Wires(Value::Wire(wire)));
        }
        Ok(())
    }

    /// The path of a port of the call being made.
    fn port_path(&self, prefix: &str, name: &str) -> String {
        if self.bare_ports && self.calls.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
    }

    /// The message for the first listed dimension that neither the call nor what arrives tells.
    fn missing_size(&self, map: &MapItem, call: &Call<'p>, vars: &Vars) -> Option<Diagnostic> {
        let known = |name: &str| match vars.known.get(name) {
            Some(Known::Dim(n)) => Some(n.to_string()),
            Some(Known::Shape(s)) => Some(s.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")),
            _ => None,
        };
        let missing = map.dims.iter().find(|d| known(&d.name.name).is_none())?;
        Some(self.size_not_given(map, &missing.name.name, call.span, known))
    }

    /// `dense` needs the size `m`: what the call has, and how the definition is written.
    pub(crate) fn size_not_given(
        &self,
        map: &MapItem,
        missing: &str,
        call: Span,
        known: impl Fn(&str) -> Option<String>,
    ) -> Diagnostic {
        let name = &map.name.name;
        let listed: Vec<&str> = map.dims.iter().map(|d| &*d.name.name).collect();
        let shown: Vec<String> = listed.iter().map(|n| known(n).unwrap_or_else(|| "..".to_owned())).collect();
        let arrow = self.defs.sources.slice(map.arrow.from.span.to(map.arrow.to.span));
        let d = Diagnostic::error(Code::DIMENSION, format!("`{name}` needs the size `{missing}`"))
            .at(call, format!("`{missing}` is not given"));
        let d = match map.dims.iter().find(|d| &*d.name.name == missing && !self.defs.in_prelude(d.name.span)) {
            Some(dim) => d.also(dim.name.span, "declared here"),
            None => d,
        };
        d.note(format!("it is `{name}[{}] : {arrow}`", listed.join(", ")))
            .help(format!("write `{name}[{}]` with a number for `{missing}`", shown.join(", ")))
    }
}

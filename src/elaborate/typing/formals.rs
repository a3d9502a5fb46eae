//! Maps and settings passed to a definition: what its formals denote in a call.

use crate::elaborate::scope::mentions::Words;
use crate::elaborate::scope::names::nearest;
use crate::elaborate::session::Elab;
use crate::elaborate::terms::apply::Call;
use crate::elaborate::terms::builtins;
use crate::elaborate::value::{Closure, Den, Env, Res, Value, fault};
use crate::source::{Code, Diagnostic};
use crate::syntax::ast::{Arg, ArgValue, Expr, ExprKind, Formal, FormalKind, GroupKind, Ident, ItemKind, MapItem};
use std::rc::Rc;

impl<'p> Elab<'p> {
    /// Binds the formals of a map to what a call gives, or to their defaults.
    pub(crate) fn bind_formals(
        &mut self,
        map: &'p MapItem,
        call: &Call<'p>,
        env: &Env<'p>,
        inner: &mut Env<'p>,
    ) -> Res<()> {
        if let Some(d) = self.sizes_in_round_brackets(map, call, env) {
            return fault(d);
        }
        for arg in &call.settings {
            if let Some(key) = &arg.name
                && !map.formals.iter().any(|f| f.name.name == key.name)
            {
                return self.no_setting(&map.name, key, map.formals.iter().map(|f| &*f.name.name));
            }
        }
        let names: Vec<&str> = map.formals.iter().map(|f| &*f.name.name).collect();
        let places = self.places(&call.settings, &names, Code::SETTING)?;
        for (at, formal) in map.formals.iter().enumerate() {
            let arg = call.settings.iter().zip(&places).find(|(_, p)| **p == Some(at)).map(|(a, _)| a);
            let den = match (arg.map(|a| &a.value), &formal.kind) {
                (Some(ArgValue::Expr(e)), FormalKind::Map(_)) => {
                    Den::Map(Rc::new(self.closure(e, env, &format!("{}.{}", inner.place.prefix, formal.name.name))))
                }
                (Some(ArgValue::Expr(e)), FormalKind::Default(_) | FormalKind::Required) => {
                    let den = self.setting(e, env, &format!("{}.{}", inner.place.prefix, formal.name.name))?;
                    self.word_known(|| Words::of_map(map), (&map.name, formal), &den, e)?;
                    den
                }
                (Some(ArgValue::Range(..)), _) => {
                    return fault(
                        Diagnostic::error(Code::SETTING, "a range is not a setting")
                            .at(call.span, "with a range")
                            .help("write one number, word or map"),
                    );
                }
                (None, FormalKind::Default(e)) => {
                    let outside = inner.clone();
                    let place = format!("{}.{}", inner.place.prefix, formal.name.name);
                    self.setting(e, &outside, &place)?
                }
                (None, _) => {
                    return fault(
                        Diagnostic::error(Code::SETTING, format!("`{}` needs `{}`", map.name.name, formal.name.name))
                            .at(call.span, format!("`{}` is not given", formal.name.name))
                            .also(formal.name.span, "declared here, without a default")
                            .help(format!("write `{}({} = ..)`", map.name.name, formal.name.name)),
                    );
                }
            };
            inner.bind(formal.name.name.clone(), den);
        }
        if let Some((extra, _)) = call.settings.iter().zip(&places).find(|(_, p)| p.is_none()) {
            return fault(
                Diagnostic::error(
                    Code::SETTING,
                    format!("`{}` takes {} settings or maps", map.name.name, map.formals.len()),
                )
                .at(extra.span, "one too many")
                .also(map.name.span, "defined here")
                .help(match map.formals.as_slice() {
                    [] => format!("write `{}` without it", map.name.name),
                    all => format!("it takes {}", all.iter().map(|f| &*f.name.name).collect::<Vec<_>>().join(", ")),
                }),
            );
        }
        Ok(())
    }

    /// The message for `dense(4, 16)`: numbers where no size is given, to a definition that takes no settings, or as many as
    /// it lists sizes and more than it takes as numbers.
    fn sizes_in_round_brackets(&self, map: &MapItem, call: &Call<'p>, env: &Env<'p>) -> Option<Diagnostic> {
        let listed = |key: &Ident| map.dims.iter().any(|d| d.name.name == key.name);
        let setting = |key: &Ident| map.formals.iter().any(|f| f.name.name == key.name);
        let size = |arg: &&Arg| match (&arg.name, &arg.value) {
            (Some(key), _) if !listed(key) || setting(key) => false,
            (_, ArgValue::Expr(e)) => match &e.kind {
                ExprKind::Number(x) => x.fract() == 0.0,
                ExprKind::Path(path) => {
                    let local = matches!(path.as_slice(), [name] if matches!(env.get(&name.name), Some(Den::Dim(_))));
                    let item = self.resolve_path(path, env).and_then(|id| self.defs.item(id));
                    local || matches!(item.map(|i| &i.kind), Some(ItemKind::Dim(_)))
                }
                _ => false,
            },
            _ => false,
        };
        let given = &call.settings;
        // A setting whose default is a number may be meant.
        let number = |f: &Formal| matches!(&f.kind, FormalKind::Default(e) if matches!(e.kind, ExprKind::Number(_)));
        let settings = map.formals.iter().filter(|f| number(f)).count();
        let all = !given.is_empty() && call.dims.is_none() && given.iter().all(size);
        let exact = given.len() == map.dims.len();
        if !all || map.dims.is_empty() || !(map.formals.is_empty() || (exact && given.len() > settings)) {
            return None;
        }
        let place = given.first()?.span.to(given.last()?.span);
        let name = &map.name.name;
        let d = Diagnostic::error(Code::SETTING, format!("sizes of `{name}` stand in square brackets"))
            .at(place, "in round ones, where settings stand");
        let d = if self.defs.in_prelude(map.name.span) { d } else { d.also(map.name.span, "defined here") };
        Some(d.help(if exact {
            format!("write `{name}[{}]`", self.defs.sources.slice(place))
        } else {
            let sizes: Vec<&str> = map.dims.iter().map(|d| &*d.name.name).collect();
            format!("write `{name}[{}]` with a number for each", sizes.join(", "))
        }))
    }

    /// The message for a setting that a definition does not have.
    pub(crate) fn no_setting<'a, T>(
        &self,
        name: &Ident,
        key: &Ident,
        known: impl Iterator<Item = &'a str> + Clone,
    ) -> Res<T> {
        let near = nearest(&key.name, known.clone()).map(str::to_owned);
        let d = Diagnostic::error(Code::SETTING, format!("`{}` has no setting `{}`", name.name, key.name))
            .at(key.span, "unknown setting");
        let all: Vec<&str> = known.collect();
        fault(match near {
            Some(near) => d.help(format!("did you mean `{near}`?")),
            None if all.is_empty() => d.help("it takes no settings"),
            None => d.help(format!("its settings are {}", all.join(", "))),
        })
    }

    fn closure(&mut self, e: &'p Expr, env: &Env<'p>, prefix: &str) -> Closure<'p> {
        // A map handed on keeps the place where it was first passed in.
        if let ExprKind::Path(path) = &e.kind
            && let [name] = path.as_slice()
            && let Some(Den::Map(known)) = env.get(&name.name)
        {
            return (**known).clone();
        }
        Closure { expr: e, env: env.clone(), prefix: prefix.to_owned(), owns: self.owns_expr(e, env, &[]) }
    }

    /// What a setting denotes: a number, a flag, a word, a text, a map.
    pub(crate) fn setting(&mut self, e: &'p Expr, env: &Env<'p>, prefix: &str) -> Res<Den<'p>> {
        match &e.kind {
            ExprKind::Text(t) => Ok(Den::Word(t.clone())),
            ExprKind::Path(path) => {
                if let [name] = path.as_slice() {
                    match env.get(&name.name) {
                        Some(Den::Wires(v)) => return Ok(Den::Wires(v.clone())),
                        Some(Den::Map(_)) => return Ok(Den::Map(Rc::new(self.closure(e, env, prefix)))),
                        Some(other) => return Ok(other.clone()),
                        None => {}
                    }
                    match &*name.name {
                        "true" => return Ok(Den::Flag(true)),
                        "false" => return Ok(Den::Flag(false)),
                        _ => {}
                    }
                }
                let kind = self.resolve_path(path, env).and_then(|id| self.defs.item(id)).map(|i| &i.kind);
                match kind {
                    Some(ItemKind::Dim(_) | ItemKind::Const(_)) => self.wire(e, env).map(Den::Wires),
                    Some(_) => Ok(Den::Map(Rc::new(self.closure(e, env, prefix)))),
                    None => match path.as_slice() {
                        [name] if builtins::NAMES.contains(&&*name.name) => {
                            Ok(Den::Map(Rc::new(self.closure(e, env, prefix))))
                        }
                        [name] if &*name.name == "pi" => Ok(Den::Wires(Value::Number(std::f64::consts::PI))),
                        [name] => Ok(Den::Word(name.name.clone())),
                        _ => self.unknown("", e.span, env, "setting"),
                    },
                }
            }
            ExprKind::Apply(head, _) if self.is_initialiser(head, env) => Ok(Den::Init(e, Box::new(env.clone()))),
            ExprKind::Compose(_) => Ok(Den::Map(Rc::new(self.closure(e, env, prefix)))),
            ExprKind::Apply(head, groups) => {
                let head_map = match &head.kind {
                    ExprKind::Path(path) => {
                        let local = match path.as_slice() {
                            [name] => env.get(&name.name).is_some(),
                            _ => false,
                        };
                        let kind = self.resolve_path(path, env).and_then(|id| self.defs.item(id)).map(|i| &i.kind);
                        let known = matches!(kind, Some(ItemKind::Map(_) | ItemKind::Prim(_) | ItemKind::Rule(_)));
                        let builtin = matches!(path.as_slice(), [n] if builtins::NAMES.contains(&&*n.name));
                        !local && (known || (kind.is_none() && builtin))
                    }
                    _ => false,
                };
                // `exp(-2)`, `min(a, b)`, `sq(0.1)`: a map without settings of its own, applied to values.
                let on_values = groups.last().is_some_and(|g| {
                    g.kind == GroupKind::Args && !g.args.is_empty() && g.args.iter().all(|a| a.name.is_none())
                });
                let plain = match &head.kind {
                    ExprKind::Path(path) => {
                        match self.resolve_path(path, env).and_then(|id| self.defs.item(id)).map(|i| &i.kind) {
                            Some(ItemKind::Map(m)) => m.formals.is_empty(),
                            Some(ItemKind::Prim(_)) => true,
                            Some(_) => false,
                            None => !matches!(path.as_slice(), [n] if builtins::MAPS_OF_MAPS.contains(&&*n.name)),
                        }
                    }
                    _ => false,
                };
                if head_map && !(on_values && plain) {
                    Ok(Den::Map(Rc::new(self.closure(e, env, prefix))))
                } else {
                    self.wire(e, env).map(Den::Wires)
                }
            }
            _ => self.wire(e, env).map(Den::Wires),
        }
    }
}

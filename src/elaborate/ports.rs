//! Parameter and noise ports: their paths, who owns some, how they are drawn.

use super::names::DefId;
use super::session::Elab;
use super::value::{Den, Env, Res, fault};
use crate::diagram::{Init, Role, Wire};
use crate::object::Leaf;
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::{Arg, ArgValue, Block, Body, Expr, ExprKind, FormalKind, GroupKind, ItemKind, Statement};

/// A port made while elaborating.
#[derive(Clone, Debug)]
pub(crate) struct ParamPort {
    pub(crate) path: String,
    pub(crate) leaf: Leaf,
    pub(crate) init: Init,
    pub(crate) span: Span,
    pub(crate) wire: Wire,
}

impl<'p> Elab<'p> {
    /// The parameter at a path: the one made before, or a new one.
    pub(crate) fn param(&mut self, path: String, leaf: Leaf, init: Init, span: Span) -> Res<Wire> {
        if let Some(known) = self.param_at.get(&path).and_then(|i| self.params.get(*i)) {
            if known.leaf != leaf {
                return fault(
                    Diagnostic::error(
                        Code::PORT,
                        format!("`{path}` is used with two shapes: {} and {leaf}", known.leaf),
                    )
                    .at(span, format!("here it is {leaf}"))
                    .also(known.span, format!("here it is {}", known.leaf))
                    .help("a map that is passed in and used twice shares its parameters; pass two maps"),
                );
            }
            return Ok(known.wire);
        }
        let wire = self.b.port(path.as_str(), Role::Param, leaf.clone());
        self.param_at.insert(path.clone(), self.params.len());
        self.params.push(ParamPort { path, leaf, init, span, wire });
        Ok(wire)
    }

    /// A noise port: always a new one.
    pub(crate) fn noise(&mut self, name: &str, leaf: Leaf, init: Init, span: Span) -> Wire {
        let path = format!("noise.{}.{name}", self.noises.len());
        let wire = self.b.port(path.as_str(), Role::Noise, leaf.clone());
        self.noises.push(ParamPort { path, leaf, init, span, wire });
        wire
    }

    /// Whether a definition makes parameters of its own when called without `{ }`.
    pub(crate) fn owns(&mut self, id: DefId) -> bool {
        if let Some(known) = self.owned.get(&id) {
            return *known;
        }
        self.owned.insert(id, false);
        let owns = match self.defs.item(id).map(|i| &i.kind) {
            Some(ItemKind::Map(map)) => {
                // What a call leaves out is counted by `call_owns`.
                let mut hidden: Vec<&str> = map.formals.iter().map(|f| &*f.name.name).collect();
                hidden.extend(map.ports.iter().map(|p| &*p.name.name));
                let env = self.root(id.file);
                map.ports.iter().any(|p| !p.noise)
                    || match &map.body {
                        Body::Map(e) => self.owns_expr(e, &env, &hidden),
                        Body::Wires(_, block) => self.owns_block(block, &env, &hidden),
                    }
            }
            _ => false,
        };
        self.owned.insert(id, owns);
        owns
    }

    /// Whether a map that a call leaves to its default makes parameters.
    pub(crate) fn default_owns(&mut self, id: DefId, settings: &[&'p Arg]) -> bool {
        let Some(ItemKind::Map(map)) = self.defs.item(id).map(|i| &i.kind) else { return false };
        let env = self.root(id.file);
        let named = |name: &str| settings.iter().any(|a| a.name.as_ref().is_some_and(|n| &*n.name == name));
        let mut positional = settings.iter().filter(|a| a.name.is_none()).count();
        map.formals.iter().any(|formal| {
            if named(&formal.name.name) {
                return false;
            }
            if positional > 0 {
                positional -= 1;
                return false;
            }
            matches!(&formal.kind, FormalKind::Default(e) if self.owns_expr(e, &env, &[]))
        })
    }

    fn owns_block(&mut self, block: &'p Block, env: &Env<'p>, hidden: &[&str]) -> bool {
        let statements = block.statements.iter().any(|s| match s {
            Statement::Let(_, _, e, _) | Statement::Next(_, e, _) => self.owns_expr(e, env, hidden),
        });
        statements || self.owns_expr(&block.value, env, hidden)
    }

    /// Whether evaluating an expression makes parameters; `hidden` names are formals whose parameters, if they have
    /// any, belong to the caller.
    pub(crate) fn owns_expr(&mut self, e: &'p Expr, env: &Env<'p>, hidden: &[&str]) -> bool {
        stacker::maybe_grow(128 * 1024, 4 * 1024 * 1024, || match &e.kind {
            ExprKind::Path(path) => self.owns_name(path, env, hidden),
            ExprKind::Apply(head, groups) => {
                let given = groups.iter().any(|g| g.kind == GroupKind::Ports);
                let head_owns = match &head.kind {
                    ExprKind::Path(path) => !given && self.owns_name(path, env, hidden),
                    _ => self.owns_expr(head, env, hidden),
                };
                head_owns
                    || groups
                        .iter()
                        .filter(|g| g.kind == GroupKind::Args)
                        .any(|g| g.args.iter().any(|a| self.owns_arg(a, env, hidden)))
            }
            ExprKind::Compose(list) | ExprKind::Tuple(list) | ExprKind::Then(list) => {
                list.iter().any(|e| self.owns_expr(e, env, hidden))
            }
            ExprKind::Sum(first, rest) => {
                self.owns_expr(first, env, hidden) || rest.iter().any(|(_, _, e)| self.owns_expr(e, env, hidden))
            }
            ExprKind::Product(first, rest) => {
                self.owns_expr(first, env, hidden) || rest.iter().any(|(_, _, e)| self.owns_expr(e, env, hidden))
            }
            ExprKind::If(parts) => parts.iter().any(|e| self.owns_expr(e, env, hidden)),
            ExprKind::Compare(parts) => self.owns_expr(&parts.0, env, hidden) || self.owns_expr(&parts.2, env, hidden),
            ExprKind::Power(pair) => self.owns_expr(&pair.0, env, hidden) || self.owns_expr(&pair.1, env, hidden),
            ExprKind::Negate(inner) | ExprKind::Not(inner) => self.owns_expr(inner, env, hidden),
            ExprKind::List(args) => args.iter().any(|a| self.owns_arg(a, env, hidden)),
            _ => false,
        })
    }

    fn owns_arg(&mut self, arg: &'p Arg, env: &Env<'p>, hidden: &[&str]) -> bool {
        matches!(&arg.value, ArgValue::Expr(e) if self.owns_expr(e, env, hidden))
    }

    fn owns_name(&mut self, path: &[crate::syntax::ast::Ident], env: &Env<'p>, hidden: &[&str]) -> bool {
        let [name] = path else {
            let id = self.resolve_path(path, env);
            return id.is_some_and(|id| self.owns(id));
        };
        if hidden.contains(&&*name.name) {
            return false;
        }
        match env.get(&name.name) {
            Some(Den::Map(closure)) => closure.owns,
            Some(_) => false,
            None => {
                let found = self.defs.resolve(env.file, &name.name);
                found.is_some_and(|id| self.owns(id) || self.default_owns(id, &[]))
            }
        }
    }

    /// Whether a definition takes maps.
    pub(crate) fn takes_maps(&self, id: DefId) -> bool {
        match self.defs.item(id).map(|i| &i.kind) {
            Some(ItemKind::Map(map)) => map.formals.iter().any(|f| !matches!(f.kind, FormalKind::Default(_))),
            _ => false,
        }
    }
}

//! Parameter and noise ports: their paths, who owns some, how they are drawn.

use super::names::DefId;
use super::program::Parameter;
use super::session::Elab;
use super::value::{Den, Env, Res, fault};
use crate::diagram::Init;
use crate::diagram::{Bits, Const, Literal, Role, Wire};
use crate::object::Leaf;
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::{
    Arg, ArgValue, Block, Body, Expr, ExprKind, FormalKind, GroupKind, ItemKind, Statement, Wires,
};
use rustc_hash::FxHashSet;

/// Names that own nothing where they stand, whatever a definition of that name owns.
type Hidden<'a> = FxHashSet<&'a str>;

/// A port made while elaborating.
#[derive(Clone, Debug)]
pub(crate) struct ParamPort {
    pub(crate) path: String,
    pub(crate) leaf: Leaf,
    pub(crate) init: Init,
    pub(crate) span: Span,
    pub(crate) wire: Wire,
}

impl ParamPort {
    /// It as plain data.
    pub(crate) fn plain(self) -> Parameter {
        Parameter { path: self.path.as_str().into(), leaf: self.leaf, init: self.init }
    }
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
                let mut hidden: Hidden<'_> = map.formals.iter().map(|f| &*f.name.name).collect();
                hidden.extend(map.ports.iter().map(|p| &*p.name.name));
                let env = self.root(id.file);
                // Both forms count, so that a call has the same number in training and outside.
                map.ports.iter().any(|p| !p.noise)
                    || std::iter::once(&map.body).chain(&map.evaluate).any(|body| match body {
                        Body::Map(e) => self.owns_in(e, &env, &hidden),
                        Body::Wires(wires, block) => self.owns_block(wires.as_ref(), block, &env, &hidden),
                    })
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
        let names: Vec<&str> = map.formals.iter().map(|f| &*f.name.name).collect();
        // What cannot be told apart is reported when the formals are bound.
        let Ok(places) = self.places(settings, &names, Code::SETTING) else { return false };
        map.formals.iter().enumerate().any(|(at, formal)| {
            if places.contains(&Some(at)) {
                return false;
            }
            matches!(&formal.kind, FormalKind::Default(e) if self.owns_expr(e, &env, &[]))
        })
    }

    /// Names that the block binds are wires from there on, whatever a definition of that name owns.
    fn owns_block(&mut self, wires: Option<&'p Wires>, block: &'p Block, env: &Env<'p>, hidden: &Hidden<'_>) -> bool {
        let mut hidden = hidden.clone();
        hidden.extend(wires.iter().flat_map(|w| w.names()).map(|n| &*n.name));
        for statement in &block.statements {
            let (Statement::Let(_, _, e, _) | Statement::Next(_, e, _)) = statement;
            if self.owns_in(e, env, &hidden) {
                return true;
            }
            if let Statement::Let(pattern, ..) = statement {
                hidden.extend(pattern.names().iter().map(|n| &*n.name));
            }
        }
        self.owns_in(&block.value, env, &hidden)
    }

    /// Whether evaluating an expression makes parameters; `hidden` names are formals whose parameters, if they have
    /// any, belong to the caller.
    pub(crate) fn owns_expr(&mut self, e: &'p Expr, env: &Env<'p>, hidden: &[&str]) -> bool {
        self.owns_in(e, env, &hidden.iter().copied().collect())
    }

    fn owns_in(&mut self, e: &'p Expr, env: &Env<'p>, hidden: &Hidden<'_>) -> bool {
        stacker::maybe_grow(128 * 1024, 4 * 1024 * 1024, || match &e.kind {
            ExprKind::Path(path) => self.owns_name(path, env, hidden),
            ExprKind::Apply(head, groups) => {
                let given = groups.iter().any(|g| g.kind == GroupKind::Ports);
                let head_owns = match &head.kind {
                    ExprKind::Path(path) => !given && self.owns_name(path, env, hidden),
                    _ => self.owns_in(head, env, hidden),
                };
                head_owns
                    || groups
                        .iter()
                        .filter(|g| g.kind == GroupKind::Args)
                        .any(|g| g.args.iter().any(|a| self.owns_arg_in(a, env, hidden)))
            }
            ExprKind::Compose(list) | ExprKind::Tuple(list) | ExprKind::Then(list) => {
                list.iter().any(|e| self.owns_in(e, env, hidden))
            }
            ExprKind::Sum(first, rest) => {
                self.owns_in(first, env, hidden) || rest.iter().any(|(_, _, e)| self.owns_in(e, env, hidden))
            }
            ExprKind::Product(first, rest) => {
                self.owns_in(first, env, hidden) || rest.iter().any(|(_, _, e)| self.owns_in(e, env, hidden))
            }
            ExprKind::If(parts) => parts.iter().any(|e| self.owns_in(e, env, hidden)),
            ExprKind::Compare(parts) => self.owns_in(&parts.0, env, hidden) || self.owns_in(&parts.2, env, hidden),
            ExprKind::Power(pair) => self.owns_in(&pair.0, env, hidden) || self.owns_in(&pair.1, env, hidden),
            ExprKind::Negate(inner) | ExprKind::Not(inner) => self.owns_in(inner, env, hidden),
            ExprKind::List(args) => args.iter().any(|a| self.owns_arg_in(a, env, hidden)),
            _ => false,
        })
    }

    /// Whether an argument makes parameters.
    pub(crate) fn owns_arg(&mut self, arg: &'p Arg, env: &Env<'p>) -> bool {
        self.owns_arg_in(arg, env, &Hidden::default())
    }

    fn owns_arg_in(&mut self, arg: &'p Arg, env: &Env<'p>, hidden: &Hidden<'_>) -> bool {
        matches!(&arg.value, ArgValue::Expr(e) if self.owns_in(e, env, hidden))
    }

    fn owns_name(&mut self, path: &[crate::syntax::ast::Ident], env: &Env<'p>, hidden: &Hidden<'_>) -> bool {
        let [name] = path else {
            let id = self.resolve_path(path, env);
            return id.is_some_and(|id| self.owns(id));
        };
        if hidden.contains(&*name.name) {
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

    /// Refuses what a distribution does not take.
    fn draws(&self, name: &str, takes: &[&str], args: &'p [Arg], span: Span) -> Res<()> {
        let places = self.places(&args.iter().collect::<Vec<_>>(), takes, Code::INITIALISER)?;
        let Some((arg, _)) = args.iter().zip(places).find(|(_, place)| place.is_none()) else { return Ok(()) };
        let told = match takes {
            [] => format!("`{name}` takes no numbers"),
            _ => format!("`{name}` takes {}, and no more", takes.join(" and ")),
        };
        fault(Diagnostic::error(Code::INITIALISER, told).at(arg.span, "one too many").also(span, "drawn like this"))
    }

    /// How a port is drawn, from the expression after `~`.
    pub(crate) fn init(&mut self, e: Option<&'p Expr>, leaf: &Leaf, env: &Env<'p>, span: Span) -> Res<Init> {
        let Some(e) = e else { return Ok(Init::Zeros) };
        let (name, args): (&str, &[Arg]) = match &e.kind {
            ExprKind::Path(path) if path.len() == 1 => (path.first().map_or("", |p| &p.name), &[]),
            ExprKind::Apply(head, groups) => match (&head.kind, groups.as_slice()) {
                (ExprKind::Path(path), [group]) if path.len() == 1 && group.kind == GroupKind::Args => {
                    (path.first().map_or("", |p| &p.name), &group.args)
                }
                _ => ("", &[]),
            },
            _ => ("", &[]),
        };
        let mut numbers = Vec::new();
        for arg in args {
            if let ArgValue::Expr(value) = &arg.value {
                numbers.push((arg.name.as_ref().map(|n| n.name.clone()), self.number(value, env)?));
            }
        }
        let pick = |key: &str, at: usize, default: f64| {
            numbers
                .iter()
                .find(|(n, _)| n.as_deref() == Some(key))
                .or_else(|| numbers.get(at).filter(|(n, _)| n.is_none()))
                .map_or(default, |(_, x)| *x)
        };
        let hidden = env.get(name).is_some();
        let takes: Option<&[&str]> = match name {
            "zeros" | "ones" if !hidden && matches!(&e.kind, ExprKind::Path(_)) => Some(&[]),
            "glorot" | "he" | "orthogonal" => Some(&[]),
            "constant" => Some(&["c"]),
            "uniform" => Some(&["lo", "hi"]),
            "normal" => Some(&["std"]),
            _ => None,
        };
        if let Some(takes) = takes {
            self.draws(name, takes, args, e.span)?;
        }
        Ok(match name {
            "zeros" if !hidden => Init::Zeros,
            "ones" if !hidden => Init::Ones,
            "glorot" => Init::Glorot,
            "he" => Init::He,
            "orthogonal" => Init::Orthogonal,
            "constant" => Init::Constant(pick("c", 0, 0.0)),
            "uniform" => {
                let (lo, hi) = (pick("lo", 0, 0.0), pick("hi", 1, 1.0));
                if lo > hi {
                    return bad_draw(format!("`uniform` draws from lo to hi, these are {lo} and {hi}"), e.span);
                }
                Init::Uniform { lo, hi }
            }
            "normal" => {
                let std = pick("std", 0, 1.0);
                if std < 0.0 {
                    return bad_draw(format!("a standard deviation is not negative, this is {std}"), e.span);
                }
                Init::Normal { std }
            }
            _ => {
                let (shape, entries) = self.const_tensor(e, env)?;
                let dims = leaf.literal_dims().unwrap_or_default();
                if shape.is_empty() {
                    return Ok(Init::Constant(entries.first().copied().unwrap_or(0.0)));
                }
                if shape != dims {
                    let shown = Leaf::real(&shape);
                    return fault(
                        Diagnostic::error(Code::INITIALISER, format!("a port {leaf} cannot begin as {shown}"))
                            .at(e.span, format!("this is {shown}"))
                            .also(span, format!("the port is {leaf}")),
                    );
                }
                let entries = Literal::Real(entries.into_iter().map(Bits).collect());
                Init::Literal(std::sync::Arc::new(Const { leaf: leaf.clone(), entries }))
            }
        })
    }
}

fn bad_draw<T>(message: String, span: Span) -> Res<T> {
    fault(Diagnostic::error(Code::INITIALISER, message).at(span, "drawn like this"))
}

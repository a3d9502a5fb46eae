//! Parameter and noise ports: their paths, who owns some, how they are drawn.

use crate::diagram::{Init, Role, Wire};
use crate::elaborate::program::Parameter;
use crate::elaborate::scope::names::DefId;
use crate::elaborate::session::Elab;
use crate::elaborate::value::{Den, Env, Res, Value, fault};
use crate::object::{Dim, Leaf};
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
                    .help(if self.bare_ports {
                        "objectives of one run share ports of one name; give one of them another name"
                    } else {
                        "a map that is passed in and used twice shares its parameters; pass two maps"
                    }),
                );
            }
            return Ok(known.wire);
        }
        let wire = self.b.port(path.as_str(), Role::Param, leaf.clone());
        self.param_at.insert(path.clone(), self.params.len());
        self.params.push(ParamPort { path, leaf, init, span, wire });
        Ok(wire)
    }

    /// A noise port: always a new one. Inside `map` every row has its own draw: the port has the axes of the rows
    /// around it, and one row of it is seen.
    pub(crate) fn noise(&mut self, name: &str, leaf: Leaf, init: Init, span: Span) -> Wire {
        let path = format!("noise.{}.{name}", self.first_noise + self.noises.len());
        let axes: Vec<Dim> = self.rows.iter().map(|r| r.axis).chain(leaf.dims.iter().copied()).collect();
        let wire = self.fresh(path, leaf.with_dims(axes.iter().copied()), init, span);
        let mut seen = wire;
        for (depth, rows) in self.rows.iter_mut().enumerate() {
            let row = self.b.variable(leaf.with_dims(axes.iter().skip(depth + 1).copied()));
            rows.bound.push((row, seen));
            seen = row;
        }
        seen
    }

    /// A noise port at a path.
    pub(crate) fn fresh(&mut self, path: String, leaf: Leaf, init: Init, span: Span) -> Wire {
        let wire = self.b.port(path.as_str(), Role::Noise, leaf.clone());
        self.noises.push(ParamPort { path, leaf, init, span, wire });
        wire
    }

    /// Refuses a uniform draw beside a number that it never passes: a share such as `rate` then means nothing.
    pub(crate) fn undecided(&self, a: &Value, b: &Value, span: Span) -> Res<()> {
        let ((Value::Wire(w), Value::Number(x)) | (Value::Number(x), Value::Wire(w))) = (a, b) else {
            return Ok(());
        };
        // Inside `map` a row of the draw is seen.
        let row = self
            .rows
            .iter()
            .rev()
            .fold(*w, |seen, rows| rows.bound.iter().find(|(row, _)| *row == seen).map_or(seen, |(_, all)| *all));
        let draw = self.noises.iter().find(|n| n.wire == row).map(|n| &n.init);
        let Some(Init::Uniform { lo, hi }) = draw else { return Ok(()) };
        if self.sampled || (lo <= x && x <= hi) {
            return Ok(());
        }
        fault(
            Diagnostic::error(Code::SETTING, format!("a draw from {lo} to {hi} is compared with {x}"))
                .at(span, "always the same")
                .help(format!("give a number from {lo} to {hi}")),
        )
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
}

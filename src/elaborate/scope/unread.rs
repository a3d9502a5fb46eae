//! Names in code that is not elaborated: bodies of maps that take maps, and what stands behind a fault.
//!
//! Only names are looked at: a head of brackets or a link of a chain must be a map that exists, an operand something
//! that exists. Words among settings and dimensions are left to the call.

use crate::elaborate::session::Elab;
use crate::elaborate::terms::builtins;
use crate::elaborate::value::{Den, Env, Value};
use crate::syntax::ast::{ArgValue, Block, Body, Expr, ExprKind, GroupKind, Ident, Statement};

impl<'p> Elab<'p> {
    /// Reports names of a body that mean nothing.
    pub(crate) fn names_of_body(&mut self, body: &'p Body, env: &Env<'p>) {
        match body {
            Body::Map(e) => self.names_of(e, env, "map"),
            Body::Wires(wires, block) => {
                let mut env = env.clone();
                wires.iter().flat_map(|w| w.names()).for_each(|n| stand_in(&mut env, n));
                self.names_of_block(block, env);
            }
        }
    }

    fn names_of_block(&mut self, block: &'p Block, mut env: Env<'p>) {
        for statement in &block.statements {
            let (Statement::Let(_, _, e, _) | Statement::Next(_, e, _)) = statement;
            self.names_of(e, &env, "wire");
            if let Statement::Let(pattern, ..) = statement {
                pattern.names().into_iter().for_each(|n| stand_in(&mut env, n));
            }
        }
        self.names_of(&block.value, &env, "wire");
    }

    /// Reports names of an expression that mean nothing; `what` is meant at its top.
    pub(crate) fn names_of(&mut self, e: &'p Expr, env: &Env<'p>, what: &str) {
        stacker::maybe_grow(128 * 1024, 4 * 1024 * 1024, || match &e.kind {
            ExprKind::Path(path) => self.known_name(path, e, env, what),
            ExprKind::Compose(list) => list.iter().for_each(|e| self.names_of(e, env, "map")),
            ExprKind::Tuple(list) => list.iter().for_each(|e| self.names_of(e, env, what)),
            ExprKind::Sum(first, rest) => {
                self.names_of(first, env, what);
                rest.iter().for_each(|(_, _, e)| self.names_of(e, env, what));
            }
            ExprKind::Product(first, rest) => {
                self.names_of(first, env, what);
                rest.iter().for_each(|(_, _, e)| self.names_of(e, env, what));
            }
            ExprKind::Power(pair) => {
                self.names_of(&pair.0, env, what);
                self.names_of(&pair.1, env, what);
            }
            ExprKind::Negate(inner) | ExprKind::Not(inner) => self.names_of(inner, env, what),
            // A condition may compare words.
            ExprKind::If(parts) => parts.iter().skip(1).for_each(|e| self.names_of(e, env, what)),
            ExprKind::Apply(head, groups) => {
                let args = groups.iter().filter(|g| g.kind == GroupKind::Args).flat_map(|g| &g.args);
                match &head.kind {
                    ExprKind::Path(path) => self.known_name(path, head, env, "map"),
                    _ => self.names_of(head, env, what),
                }
                for arg in args.filter(|a| a.name.is_none()) {
                    // A map or a wire: what it is, its formal says.
                    if let ArgValue::Expr(inner) = &arg.value
                        && !matches!(&inner.kind, ExprKind::Path(_))
                    {
                        self.names_of(inner, env, "wire");
                    }
                }
            }
            _ => {}
        });
    }

    fn known_name(&mut self, path: &[Ident], e: &'p Expr, env: &Env<'p>, what: &str) {
        let local = path.first().is_some_and(|n| env.get(&n.name).is_some());
        let own = matches!(path, [n] if builtins::NAMES.contains(&&*n.name)
            || matches!(&*n.name, "pi" | "true" | "false" | "request"));
        if local || own || self.resolve_path(path, env).is_some() {
            return;
        }
        let name: Vec<&str> = path.iter().map(|p| &*p.name).collect();
        let said = self.unknown::<()>(&name.join("."), e.span, env, what);
        self.keep(said);
    }
}

/// A name that is bound where the code runs, to what it does not matter.
pub(crate) fn stand_in(env: &mut Env<'_>, name: &Ident) {
    env.bind(name.name.clone(), Den::Wires(Value::Poison));
}

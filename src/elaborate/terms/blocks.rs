//! Blocks: `let`s and `next`s in order, patterns that take products apart.

use crate::elaborate::session::Elab;
use crate::elaborate::typing::dims::Vars;
use crate::elaborate::value::{Den, Env, Res, Value, fault};
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::{Block, LetPattern, Pattern, Statement, Type, Wires};

impl<'p> Elab<'p> {
    /// The value of a block: its `let`s and `next`s in order, then its last expression.
    pub(crate) fn block(&mut self, block: &'p Block, env: &mut Env<'p>) -> Res<Value> {
        for statement in &block.statements {
            match statement {
                Statement::Let(pattern, ty, e, _) => {
                    let value = self.wire(e, env);
                    let value = self.keep(value).unwrap_or(Value::Poison);
                    if let (Some(ty), false) = (ty, matches!(value, Value::Poison)) {
                        let checked = self.check_type(ty, &value, e.span, env);
                        self.keep(checked);
                    }
                    let bound = match pattern {
                        LetPattern::One(p) => self.bind_pattern(p, value, e.span, env),
                        LetPattern::Many(wires) => self.bind_wires(wires, value, e.span, env),
                    };
                    self.keep(bound);
                }
                Statement::Next(name, e, span) => {
                    let value = self.wire(e, env);
                    let value = self.keep(value).unwrap_or(Value::Poison);
                    let set = self.set_next(name, value.clone(), e.span, *span);
                    self.keep(set);
                    env.bind(name.name.clone(), Den::Wires(value));
                }
            }
        }
        self.wire(&block.value, env)
    }

    fn check_type(&mut self, ty: &'p Type, value: &Value, span: Span, env: &Env<'p>) -> Res<()> {
        let resolved = self.ty(ty, env)?;
        let mut vars = Vars::default();
        if let Some(m) = self.unify(&resolved, value, &mut vars)? {
            return fault(
                Diagnostic::error(Code::SHAPE, format!("this is {}, not {}", m.gives, m.needs))
                    .at(span, format!("gives {}", m.gives))
                    .also(ty.span, format!("declared {}", m.needs))
                    .help(format!("declare {}, or leave the type off", m.gives)),
            );
        }
        Ok(())
    }

    /// Binds a list of patterns to the components of a value.
    pub(crate) fn bind_wires(&mut self, wires: &'p Wires, value: Value, from: Span, env: &mut Env<'p>) -> Res<()> {
        let n = wires.patterns.len();
        // What follows a fault here is not its fault.
        let failed = match &value {
            Value::Tuple(parts) => parts.len() != n && n != 1,
            Value::Poison => false,
            _ => n != 1,
        };
        if failed {
            wires.names().into_iter().for_each(|name| env.bind(name.name.clone(), Den::Wires(Value::Poison)));
        }
        let values = match value {
            Value::Poison => vec![Value::Poison; n],
            Value::Tuple(parts) if parts.len() == n && n != 1 => parts,
            other if n == 1 => vec![other],
            Value::Tuple(parts) => {
                return fault(
                    Diagnostic::error(Code::ARITY, format!("{n} names for {} wires", parts.len()))
                        .at(wires.span, format!("{n} names"))
                        .also(from, format!("{} wires", parts.len()))
                        .help("name each wire once, `_` for one that is not used"),
                );
            }
            other => {
                return fault(
                    Diagnostic::error(Code::ARITY, format!("{n} names for one wire"))
                        .at(wires.span, format!("{n} names"))
                        .also(from, self.show(&other))
                        .help("take it as `(x)`, and cut it with `split[a, b](x)` or a slice"),
                );
            }
        };
        for ((pattern, ty), value) in wires.patterns.iter().zip(values) {
            if let (Some(ty), false) = (ty, matches!(value, Value::Poison)) {
                self.check_type(ty, &value, from, env)?;
            }
            self.bind_pattern(pattern, value, from, env)?;
        }
        Ok(())
    }

    fn bind_pattern(&mut self, pattern: &'p Pattern, value: Value, from: Span, env: &mut Env<'p>) -> Res<()> {
        match (pattern, value) {
            (Pattern::Ignore(_), _) => Ok(()),
            (Pattern::Name(name), value) => {
                env.bind(name.name.clone(), Den::Wires(value));
                Ok(())
            }
            (Pattern::Tuple(parts, _), Value::Poison) => {
                parts.iter().try_for_each(|p| self.bind_pattern(p, Value::Poison, from, env))
            }
            (Pattern::Tuple(parts, _), Value::Tuple(values)) if parts.len() == values.len() => {
                parts.iter().zip(values).try_for_each(|(p, v)| self.bind_pattern(p, v, from, env))
            }
            (Pattern::Tuple(parts, span), value) => {
                parts.iter().try_for_each(|p| self.bind_pattern(p, Value::Poison, from, env))?;
                fault(
                    Diagnostic::error(Code::ARITY, format!("{} names for {}", parts.len(), self.show(&value)))
                        .at(*span, format!("{} names", parts.len()))
                        .also(from, self.show(&value))
                        .help("name as many wires as there are"),
                )
            }
        }
    }
}

//! Schedules: values of a setting that read the number of updates made so far.
//!
//! In: the setting as written and the clock. Out: a number of the step. A schedule is any map `R[1] -> R[1]`, of the
//! prelude or a user's own; `a then b` is `a` for as many updates as its setting `steps` says, then `b` counting anew.

use crate::diagram::{Comparison, Op, Wire};
use crate::elaborate::scope::names::DefId;
use crate::elaborate::session::Elab;
use crate::elaborate::terms::apply::Arriving;
use crate::elaborate::value::{Env, Res, Value, fault};
use crate::source::{Code, Diagnostic};
use crate::syntax::ast::{Arg, ArgValue, Expr, ExprKind, FormalKind, GroupKind, ItemKind};

/// The setting that says how long a schedule is.
const STEPS: &str = "steps";

impl<'p> Elab<'p> {
    /// What a schedule gives at a clock.
    pub(crate) fn schedule(&mut self, e: &'p Expr, env: &Env<'p>, clock: Wire) -> Res<Value> {
        let value = match &e.kind {
            ExprKind::Then(list) => return self.one_after_the_other(list, env, clock),
            ExprKind::Apply(head, groups) => match self.straight(head, env) {
                Some(id) => {
                    let call = self.brackets(groups, e.span)?;
                    self.apply_def(id, &call, env, Arriving { value: Value::Wire(clock), from: None })?
                }
                None => self.apply(e, env, Arriving { value: Value::Wire(clock), from: None })?,
            },
            _ => self.apply(e, env, Arriving { value: Value::Wire(clock), from: None })?,
        };
        let wire = self.as_wire(&value, e.span)?;
        let leaf = self.leaf(wire);
        if !leaf.is_number() {
            return fault(
                Diagnostic::error(Code::SETTING, format!("a schedule gives one number R[1], this gives {leaf}"))
                    .at(e.span, format!("gives {leaf}"))
                    .help("a schedule is a map `def f(..) : R[1] -> R[1] (t) { .. }` of the updates made so far"),
            );
        }
        Ok(Value::Wire(wire))
    }

    /// The schedule `linear(..)`: where a setting is given, that name of the prelude is no layer.
    pub(crate) fn straight(&self, head: &Expr, env: &Env<'p>) -> Option<DefId> {
        let ExprKind::Path(path) = &head.kind else { return None };
        let [name] = path.as_slice() else { return None };
        let layer = self.defs.resolve(env.file, "linear").filter(|id| self.defs.is_prelude(id.file))?;
        (&*name.name == "linear" && env.get("linear").is_none())
            .then(|| self.defs.resolve(layer.file, "linear_schedule"))
            .flatten()
    }

    fn one_after_the_other(&mut self, list: &'p [Expr], env: &Env<'p>, clock: Wire) -> Res<Value> {
        let Some((last, before)) = list.split_last() else { return Err(None) };
        let mut begin = 0.0;
        let mut parts = Vec::new();
        for (part, next) in before.iter().zip(list.iter().skip(1)) {
            let steps = self.steps_of(part, next, env)?;
            parts.push((part, begin, begin + steps));
            begin += steps;
        }
        let mut value = self.later(last, begin, env, clock)?;
        for (part, begin, end) in parts.into_iter().rev() {
            let own = self.later(part, begin, env, clock)?;
            let made = (|| {
                let end = self.b.reals(&[1], &[end])?;
                let now = self.b.op(Op::Compare(Comparison::Less), &[clock, end])?;
                self.b.op(Op::Select, &[now, own, value])
            })();
            value = self.typed(made, "then", part.span)?;
        }
        Ok(Value::Wire(value))
    }

    /// A schedule whose updates count from `begin`.
    fn later(&mut self, e: &'p Expr, begin: f64, env: &Env<'p>, clock: Wire) -> Res<Wire> {
        let made = if begin == 0.0 {
            Ok(clock)
        } else {
            self.b.reals(&[1], &[-begin]).and_then(|back| self.b.add(clock, back))
        };
        let clock = self.typed(made, "then", e.span)?;
        let value = self.schedule(e, env, clock)?;
        self.as_wire(&value, e.span)
    }

    /// After how many updates a schedule ends, so that the next can begin.
    fn steps_of(&mut self, e: &'p Expr, next: &Expr, env: &Env<'p>) -> Res<f64> {
        if let ExprKind::Then(list) = &e.kind {
            let mut total = 0.0;
            for (part, after) in list.iter().zip(list.iter().skip(1).chain([next])) {
                total += self.steps_of(part, after, env)?;
            }
            return Ok(total);
        }
        let (path, args): (_, Vec<&'p Arg>) = match &e.kind {
            ExprKind::Path(path) => (Some(path), Vec::new()),
            ExprKind::Apply(head, groups) => match &head.kind {
                ExprKind::Path(path) => {
                    let settings = groups.iter().filter(|g| g.kind == GroupKind::Args);
                    (Some(path), settings.flat_map(|g| &g.args).collect())
                }
                _ => (None, Vec::new()),
            },
            _ => (None, Vec::new()),
        };
        let straight = if let ExprKind::Apply(head, _) = &e.kind { self.straight(head, env) } else { None };
        let found = straight.or_else(|| path.and_then(|p| self.resolve_path(p, env)));
        let map = match found.and_then(|id| Some((id, self.defs.item(id)?))) {
            Some((id, item)) => {
                if let ItemKind::Map(map) = &item.kind {
                    Some((id, map))
                } else {
                    None
                }
            }
            None => None,
        };
        let Some((id, map)) = map else {
            // What is no schedule at all is said where it is applied.
            return self.endless(e, next);
        };
        let names: Vec<&str> = map.formals.iter().map(|f| &*f.name.name).collect();
        let places = self.places(&args, &names, Code::SETTING)?;
        let Some(at) = names.iter().position(|n| *n == STEPS) else { return self.endless(e, next) };
        let given = args.iter().zip(&places).find(|(_, place)| **place == Some(at)).map(|(arg, _)| &arg.value);
        let (steps, span) = match (given, map.formals.get(at).map(|f| &f.kind)) {
            (Some(ArgValue::Expr(e)), _) => (self.number(e, env)?, e.span),
            (None, Some(FormalKind::Default(default))) => {
                let outside = self.root(id.file);
                (self.number(default, &outside)?, e.span)
            }
            _ => {
                return fault(
                    Diagnostic::error(Code::SETTING, format!("`{}` needs `{STEPS}`", map.name.name))
                        .at(e.span, format!("`{STEPS}` is not given"))
                        .also(next.span, "begins when it ends")
                        .help(format!("write `{}({STEPS} = 100, ..)`", map.name.name)),
                );
            }
        };
        if steps >= 1.0 && steps.fract() == 0.0 {
            return Ok(steps);
        }
        fault(
            Diagnostic::error(Code::SETTING, "a schedule before `then` takes a whole number of updates, at least 1")
                .at(span, format!("this is {steps}"))
                .help(format!("write `{STEPS} = {}`", steps.abs().ceil().max(1.0))),
        )
    }

    fn endless<T>(&self, e: &Expr, next: &Expr) -> Res<T> {
        let name = self.defs.sources.slice(e.span).split(['(', ' ']).next().unwrap_or_default().to_owned();
        fault(
            Diagnostic::error(Code::SETTING, format!("`{name}` does not say after how many updates it ends"))
                .at(e.span, "without `steps`")
                .also(next.span, "begins when it ends")
                .help(format!(
                    "put it last, or give its definition a setting: `def {name}(.., steps) : R[1] -> R[1] (t) {{ .. }}`"
                )),
        )
    }
}

//! What happens to the value of a map: the other end, which a suggestion must fit too.
//!
//! In: the maps, types and copies that wait for the value of the call in progress. Out: whether another value would do.
//! A trial leaves nothing behind: no message, no port, no number of a call.

use crate::elaborate::session::Elab;
use crate::elaborate::terms::apply::{Arriving, Call};
use crate::elaborate::typing::dims::{Known, Vars};
use crate::elaborate::typing::types::Ty;
use crate::elaborate::value::{Env, Res, Value};
use crate::syntax::ast::{Arg, ArgValue, Arrow, DimVar, Expr};

/// What waits for a value.
#[derive(Clone, Debug)]
pub(crate) enum After<'p> {
    /// The maps that are composed behind it.
    Maps(&'p [Expr], Env<'p>),
    /// The type that the definition around it promises.
    Ends(Ty<'p>, Vars),
    /// A copy of the map that gives it, which takes what this one takes.
    Same(Value),
    /// An expression, in which it may be anything.
    Open,
    /// A definition that may use its map elsewhere too.
    Tied,
}

impl<'p> Elab<'p> {
    /// Does what gives a value, knowing what it is for.
    pub(crate) fn before<T>(&mut self, after: After<'p>, made: impl FnOnce(&mut Self) -> T) -> T {
        self.after.push(after);
        let value = made(self);
        self.after.pop();
        value
    }

    /// The two dimensions of a call the other way round, if the map then takes what arrives, and gives what is needed.
    pub(crate) fn swapped(
        &mut self,
        arrow: &'p Arrow,
        declared: &'p [DimVar],
        call: &Call<'p>,
        input: &Value,
    ) -> Option<String> {
        let ([a, b], [x, y]) = (call.dims?.args.as_slice(), declared) else { return None };
        if self.trying {
            return None;
        }
        let mut vars = Vars::default();
        for (var, arg) in [(x, b), (y, a)] {
            let (None, ArgValue::Expr(e)) = (&arg.name, &arg.value) else { return None };
            vars.declare(&var.name.name, var.spread);
            // Dimensions of the call's place are numbers or names of dims; others are not guessed at.
            let env = self.root(self.defs.file_of(arg.span.file)?);
            vars.known.insert(var.name.name.clone(), Known::Dim(self.dim(e, &env).ok()?));
        }
        let outside = self.root(self.defs.file_of(arrow.span.file)?);
        let (from, to) = (self.ty(&arrow.from, &outside).ok()?, self.ty(&arrow.to, &outside).ok()?);
        self.open_letters(&from, &mut vars);
        self.open_letters(&to, &mut vars);
        let text = |arg: &Arg| self.defs.sources.slice(arg.span).to_owned();
        let shown = format!("[{}, {}]", text(b), text(a));
        let takes = self.unify(&from, input, &mut vars).ok()?.is_none();
        (takes && self.would_do(&to, &vars)).then_some(shown)
    }

    /// Whether a value of this type would do for what waits for the value of the call in progress.
    fn would_do(&mut self, to: &Ty<'p>, vars: &Vars) -> bool {
        let waiting = std::mem::take(&mut self.after);
        let (said, params, noises) = (self.diagnostics.0.len(), self.params.len(), self.noises.len());
        let misplaced = self.misplaced.clone();
        self.trying = true;
        let fits = self.sample(to, vars).and_then(|value| self.goes_on(value, &waiting));
        self.trying = false;
        self.diagnostics.0.truncate(said);
        self.params.truncate(params);
        self.param_at.retain(|_, at| *at < params);
        self.noises.truncate(noises);
        self.misplaced = misplaced;
        self.after = waiting;
        fits.unwrap_or(false)
    }

    fn goes_on(&mut self, mut value: Value, waiting: &[After<'p>]) -> Res<bool> {
        for after in waiting.iter().rev() {
            match after {
                After::Maps(maps, env) => {
                    let env = env.at(env.place.reserve(0));
                    for map in *maps {
                        value = self.apply(map, &env, Arriving { value, from: None })?;
                    }
                }
                After::Ends(ty, vars) => return Ok(self.unify(ty, &value, &mut vars.clone())?.is_none()),
                After::Same(first) => {
                    if self.show(&value) != self.show(first) {
                        return Ok(false);
                    }
                }
                After::Open => return Ok(true),
                After::Tied => return Ok(false),
            }
        }
        Ok(true)
    }

    /// A value of a type.
    fn sample(&mut self, ty: &Ty<'p>, vars: &Vars) -> Res<Value> {
        if let Ty::Tuple(parts, _) = ty {
            return Ok(Value::Tuple(parts.iter().map(|(_, t)| self.sample(t, vars)).collect::<Res<_>>()?));
        }
        let leaf = self.leaf_of(ty, vars)?;
        let zero = self.b.zero(&leaf);
        Ok(zero.map_or(Value::Poison, Value::Wire))
    }
}

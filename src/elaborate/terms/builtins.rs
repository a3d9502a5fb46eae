//! The names that the language itself gives meaning to: pointwise functions, sums, shapes, maps of maps.
//!
//! Everything that can be written in `.lens` is in the prelude instead. Each name here is one arm; shapes are checked
//! against the wires that arrive and faults point at the call.

use crate::diagram::{Function, Op, Wire};
use crate::elaborate::session::Elab;
use crate::elaborate::terms::apply::{Arriving, Call};
use crate::elaborate::terms::arith::Operand;
use crate::elaborate::typing::dims::DIMENSIONS;
use crate::elaborate::value::{Den, Env, Res, Value, fault};
use crate::object::{Base, Dim};
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::{Arg, ArgValue, Expr, ExprKind, Ident};

/// Every name this file gives a meaning to, sorted.
pub(crate) const NAMES: &[&str] = &[
    "abs",
    "argmax",
    "basis",
    "cat",
    "cos",
    "diag",
    "dot",
    "einsum",
    "erf",
    "exp",
    "expm1",
    "eye",
    "flatten",
    "floor",
    "gather",
    "int",
    "iterate",
    "labels",
    "log",
    "log1p",
    "map",
    "max",
    "mean",
    "min",
    "one_hot",
    "ones",
    "outer",
    "pad",
    "parallel",
    "popcount",
    "rank",
    "reshape",
    "scan",
    "sigmoid",
    "sign",
    "sin",
    "size",
    "solve",
    "split",
    "spread",
    "sqrt",
    "stack",
    "sum",
    "table",
    "tanh",
    "trace",
    "transpose",
    "upper_triangle",
    "windows",
    "wires",
    "zeros",
];

/// The names among them that take a map and apply it several times.
pub(crate) const MAPS_OF_MAPS: &[&str] = &["iterate", "map", "parallel", "scan", "stack"];

/// Names that the language promises and this version does not know yet.
pub(crate) const LATER: &[&str] = &[
    "adadelta",
    "adafactor",
    "adamax",
    "amsgrad",
    "beta_gd",
    "c_adamw",
    "c_lion",
    "d_adapt_adam",
    "eigh",
    "galore",
    "grams",
    "lamb",
    "lars",
    "lion",
    "lookahead",
    "muon",
    "nadam",
    "normalized_gd",
    "online_subspace_descent",
    "prodigy",
    "qr",
    "radam",
    "rmsprop",
    "sam",
    "schedule_free",
    "sgdw",
    "shampoo",
    "signsgd",
    "soap",
    "sophia",
    "spider",
    "svd",
    "top_singular",
];

impl<'p> Elab<'p> {
    /// Applies a name of the language.
    pub(crate) fn builtin(&mut self, name: &'p Ident, call: &Call<'p>, env: &Env<'p>, input: Arriving) -> Res<Value> {
        let span = call.span;
        self.own_brackets(name, call)?;
        let ins = self.wires_of(&input.value, input.from.unwrap_or(span));
        if let Some(f) = function(&name.name) {
            let a = self.one(&ins, name, span)?;
            return self.pointwise(f, a, span);
        }
        match &*name.name {
            "max" | "min" if ins.len() == 2 => self.larger(&ins, &name.name, span),
            "sum" | "mean" => self.sum(name, call, env, &ins),
            "max" => self.extreme(call, env, &ins, 1.0, span),
            "min" => self.extreme(call, env, &ins, -1.0, span),
            "argmax" => {
                let x = self.one_wire(&ins, name, span)?;
                let made = self.b.op(Op::Argmax, &[x]);
                let made = self.typed(made, "argmax", span)?;
                self.drop_last(made, span)
            }
            "one_hot" => self.one_hot(call, &ins, name),
            "dot" => self.dot(&ins, name, span),
            "outer" => {
                let (x, y) = self.two_vectors(&ins, name, span)?;
                let made = self.b.einsum("a,b->ab", &[x, y], &[], 1.0);
                self.typed(made, "outer", span).map(Value::Wire)
            }
            "transpose" => self.transpose(&ins, name, span),
            "trace" => self.letters(&ins, name, "aa->u", 2, "R[n, n]", span),
            "diag" => match self.one_wire(&ins, name, span).map(|w| self.leaf(w).rank())? {
                1 => self.letters(&ins, name, "a->aa", 1, "R[n]", span),
                _ => self.letters(&ins, name, "aa->a", 2, "R[n, n]", span),
            },
            "solve" => self.solve(&ins, name, span),
            "einsum" => self.einsum_call(call, &ins, span),
            "reshape" => self.reshape(call, env, &ins, name),
            "flatten" => {
                let x = self.one_wire(&ins, name, span)?;
                let dims = self.literal(x)?;
                let made = self.b.reshape_all(x, &[Dim::lit(dims.iter().product())]);
                self.typed(made, "flatten", span).map(Value::Wire)
            }
            "cat" => self.cat(&ins, span),
            "split" => self.split(call, env, &ins, name),
            "wires" => self.separate(&ins, name, span),
            "spread" => self.along(&ins, name, span),
            "size" => {
                let x = self.one_wire(&ins, name, span)?;
                #[allow(clippy::cast_precision_loss, reason = "dimensions are below 2^32")]
                let entries = self.leaf(x).size(1) as f64;
                Ok(Value::Number(entries))
            }
            "zeros" | "ones" | "eye" => self.filled(name, call, env),
            "upper_triangle" => self.upper_triangle(call, env, &ins),
            "pad" => self.pad(call, env, &ins, name),
            "windows" => self.windows(call, env, &ins, name),
            "gather" => self.gather(&ins, name, span),
            "popcount" => self.popcount(call, env, &ins, name),
            "int" => self.whole_numbers(&ins, name, span),
            "table" => self.table(&ins, name, span),
            "basis" => self.basis(&ins, name, span),
            "rank" => self.rank(&ins, name, span),
            "labels" => self.labels(call, env),
            "stack" | "iterate" | "parallel" | "map" | "scan" => self.map_of_map(name, call, env, input),
            _ => Self::not_yet(&format!("`{}`", name.name), span),
        }
    }

    /// Refuses brackets that a name of the language does not have.
    fn own_brackets(&self, name: &'p Ident, call: &Call<'p>) -> Res<()> {
        let (dims, settings): (bool, &[&str]) = match &*name.name {
            "sum" | "mean" => (false, &["axis"]),
            "windows" => (true, &["stride", "padding"]),
            "reshape" | "split" | "pad" | "zeros" | "ones" | "eye" | "upper_triangle" => (true, &[]),
            name if MAPS_OF_MAPS.contains(&name) => (true, &[]),
            "popcount" | "labels" => (true, &[]),
            _ => (false, &[]),
        };
        let listed = call.dims.iter().flat_map(|g| &g.args);
        for arg in call.settings.iter().copied().chain(listed) {
            if let Some(key) = &arg.name
                && !settings.contains(&&*key.name)
            {
                return self.no_setting(name, key, settings.iter().copied());
            }
        }
        let map = &*name.name == "einsum" || MAPS_OF_MAPS.contains(&&*name.name);
        let extra = call.settings.iter().find(|a| a.name.is_none()).filter(|_| !map);
        let place = call.dims.filter(|g| !dims && g.args.iter().any(|a| a.name.is_none())).map(|g| g.span);
        match place.or(call.ports.map(|g| g.span)).or(extra.map(|a| a.span)) {
            Some(span) => fault(
                Diagnostic::error(Code::SETTING, format!("`{}` takes nothing of this kind", name.name))
                    .at(span, "not used")
                    .help(format!("write `{}(x)` without it", name.name)),
            ),
            None => Ok(()),
        }
    }

    /// The only operand of a name that takes one.
    pub(crate) fn one(&self, ins: &[Operand], name: &Ident, span: Span) -> Res<Operand> {
        match ins {
            [only] => Ok(only.clone()),
            _ => fault(
                Diagnostic::error(Code::ARITY, format!("`{}` takes one wire and was given {}", name.name, ins.len()))
                    .at(span, format!("{} wires", ins.len()))
                    .help(format!("write `{}(x)`", name.name)),
            ),
        }
    }

    pub(crate) fn one_wire(&mut self, ins: &[Operand], name: &Ident, span: Span) -> Res<Wire> {
        let a = self.one(ins, name, span)?;
        self.as_wire(&a.0, a.1)
    }

    pub(crate) fn two(&self, ins: &[Operand], name: &Ident, span: Span) -> Res<(Operand, Operand)> {
        match ins {
            [a, b] => Ok((a.clone(), b.clone())),
            _ => fault(
                Diagnostic::error(Code::ARITY, format!("`{}` takes two wires and was given {}", name.name, ins.len()))
                    .at(span, format!("{} wires", ins.len()))
                    .help(format!("write `{}(x, y)`", name.name)),
            ),
        }
    }

    fn two_vectors(&mut self, ins: &[Operand], name: &Ident, span: Span) -> Res<(Wire, Wire)> {
        let (a, b) = self.two(ins, name, span)?;
        let (x, y) = (self.real_wire(&a, &name.name)?, self.real_wire(&b, &name.name)?);
        for w in [x, y] {
            if self.leaf(w).rank() != 1 {
                return fault(
                    Diagnostic::error(Code::SHAPE, format!("`{}` takes vectors, not {}", name.name, self.leaf(w)))
                        .at(span, self.leaf(w).to_string())
                        .help("take a row, `x[0]`, or `reshape` it to one axis"),
                );
            }
        }
        Ok((x, y))
    }

    /// The dimensions of a wire, all constant here.
    pub(crate) fn literal(&self, wire: Wire) -> Res<Vec<u64>> {
        self.b.leaf(wire).literal_dims().ok_or(None)
    }

    pub(crate) fn letters(
        &mut self,
        ins: &[Operand],
        name: &Ident,
        spec: &str,
        rank: usize,
        takes: &str,
        span: Span,
    ) -> Res<Value> {
        self.not_pointwise(&name.name, span)?;
        let x = self.one_wire(ins, name, span)?;
        let leaf = self.leaf(x);
        if leaf.rank() != rank || leaf.base != Base::Real {
            return fault(
                Diagnostic::error(Code::SHAPE, format!("`{}` takes {takes}, not {leaf}", name.name))
                    .at(span, leaf.to_string())
                    .help(format!("give it {takes}; `reshape` and slices change the axes")),
            );
        }
        let made = self.b.einsum(spec, &[x], &[('u', Dim::ONE)], 1.0);
        self.typed(made, &name.name, span).map(Value::Wire)
    }

    /// In a rule declared per coordinate nothing may look at more than one number.
    pub(crate) fn not_pointwise(&self, name: &str, span: Span) -> Res<()> {
        match &self.rule {
            Some(scope) if scope.coordinate && !scope.exempt => fault(
                Diagnostic::error(
                    Code::RULE_SCOPE,
                    format!("`{name}` looks at several numbers in a rule that works on each coordinate by itself"),
                )
                .at(scope.call_site.unwrap_or(span), "not pointwise")
                .also(scope.declared, "this rule is per coordinate")
                .help("declare the rule `per tensor` or `per global`"),
            ),
            _ => Ok(()),
        }
    }

    /// A named setting, or the first that is not named.
    pub(crate) fn arg(&self, call: &Call<'p>, key: &str, at: usize) -> Option<&'p Expr> {
        let dims = call.dims.iter().flat_map(|g| &g.args);
        let all: Vec<&'p Arg> = call.settings.iter().copied().chain(dims).collect();
        let named = all.iter().find(|a| a.name.as_ref().is_some_and(|n| &*n.name == key)).copied();
        let found = named.or_else(|| all.iter().filter(|a| a.name.is_none()).nth(at).copied())?;
        match &found.value {
            ArgValue::Expr(e) => Some(e),
            ArgValue::Range(..) => None,
        }
    }

    /// The numbers in the `[ ]` of a call.
    pub(crate) fn dims_given(&mut self, call: &Call<'p>, env: &Env<'p>) -> Res<Vec<u64>> {
        let Some(group) = call.dims else { return Ok(Vec::new()) };
        let mut dims = Vec::new();
        for arg in &group.args {
            match (&arg.name, &arg.value) {
                (None, ArgValue::Expr(e)) => dims.push(self.dim(e, env)?),
                (None, ArgValue::Range(None, Some(e))) => match &e.kind {
                    ExprKind::Path(p) => match p.first().and_then(|n| env.get(&n.name)) {
                        Some(Den::Shape(s)) => dims.extend(s.iter().copied()),
                        _ => return self.unknown(p.first().map_or("", |n| &n.name), e.span, env, "shape"),
                    },
                    _ => {
                        return fault(
                            Diagnostic::error(Code::DIMENSION, "this is not a dimension")
                                .at(arg.span, "not a dimension")
                                .help(DIMENSIONS),
                        );
                    }
                },
                (Some(_), _) => {}
                _ => {
                    return fault(
                        Diagnostic::error(Code::DIMENSION, "this is not a dimension")
                            .at(arg.span, "not a dimension")
                            .help(DIMENSIONS),
                    );
                }
            }
        }
        Ok(dims)
    }
}

/// The pointwise functions by name.
fn function(name: &str) -> Option<Function> {
    Some(match name {
        "exp" => Function::Exp,
        "log" => Function::Log,
        "log1p" => Function::Log1p,
        "expm1" => Function::Expm1,
        "sqrt" => Function::Sqrt,
        "sin" => Function::Sin,
        "cos" => Function::Cos,
        "tanh" => Function::Tanh,
        "sigmoid" => Function::Sigmoid,
        "erf" => Function::Erf,
        "abs" => Function::Abs,
        "sign" => Function::Sign,
        "floor" => Function::Floor,
        _ => return None,
    })
}

//! Dimensions: whole-number expressions, and the variables that a signature leaves open.
//!
//! A body is elaborated at known dimensions, so an expression is a number as soon as its variables are bound. While a
//! signature is matched against wires it is linear in at most one open variable: `n`, `2 * n + 1`; that one is solved.

use crate::elaborate::session::Elab;
use crate::elaborate::value::{Den, Env, Fault, Res, Value, fault};
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::{Expr, ExprKind, Ident, ItemKind, ProductOp, SumOp};
use rustc_hash::FxHashMap;
use std::rc::Rc;
use std::sync::Arc;

/// What a dimension variable is known to be.
#[derive(Clone, Debug)]
pub(crate) enum Known {
    Open,
    Dim(u64),
    Shape(Rc<Vec<u64>>),
}

/// The dimension variables of one call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vars {
    pub(crate) names: Vec<(Arc<str>, bool)>,
    pub(crate) known: FxHashMap<Arc<str>, Known>,
}

impl Vars {
    /// Declares a variable; `spread` ones stand for any number of dimensions.
    pub(crate) fn declare(&mut self, name: &Arc<str>, spread: bool) {
        if !self.known.contains_key(name) {
            self.names.push((name.clone(), spread));
            self.known.insert(name.clone(), Known::Open);
        }
    }

    /// The variables as numbers, for a table of what was elaborated already.
    pub(crate) fn key(&self) -> Vec<u64> {
        let mut key = Vec::new();
        for (name, _) in &self.names {
            match self.known.get(name) {
                Some(Known::Dim(n)) => key.push(*n),
                Some(Known::Shape(s)) => {
                    key.push(s.len() as u64);
                    key.extend(s.iter());
                }
                _ => key.push(u64::MAX),
            }
        }
        key
    }

    /// Gives every known variable to an environment.
    pub(crate) fn bind_into(&self, env: &mut Env<'_>) {
        for (name, _) in &self.names {
            match self.known.get(name) {
                Some(Known::Dim(n)) => env.bind(name.clone(), Den::Dim(*n)),
                Some(Known::Shape(s)) => env.bind(name.clone(), Den::Shape(s.clone())),
                _ => {}
            }
        }
    }
}

/// A dimension while it is matched: a number, or `coef * var + konst`.
#[derive(Clone, Debug)]
pub(crate) enum Linear {
    Number(i64),
    Open { var: Arc<str>, coef: i64, konst: i64 },
}

/// What a dimension may be.
pub(crate) const DIMENSIONS: &str = "dimensions are whole numbers, names of dims, and + - * / ^ of them";

fn overflow(span: Span) -> Fault {
    Some(Box::new(
        Diagnostic::error(Code::LIMIT, "this dimension is too large")
            .at(span, "does not fit 63 bits")
            .help("make it smaller"),
    ))
}

impl<'p> Elab<'p> {
    /// A dimension that must be known, at least one.
    pub(crate) fn dim(&mut self, e: &'p Expr, env: &Env<'p>) -> Res<u64> {
        match self.linear(e, env, &Vars::default())? {
            Linear::Number(n) => positive(n, e.span),
            Linear::Open { var, .. } => fault(
                Diagnostic::error(Code::DIMENSION, format!("the dimension `{var}` is not known here"))
                    .at(e.span, "needs a number")
                    .help(format!("list `{var}` in the [ ] after the name, or write a number")),
            ),
        }
    }

    /// A dimension that may contain one open variable.
    pub(crate) fn linear(&mut self, e: &'p Expr, env: &Env<'p>, vars: &Vars) -> Res<Linear> {
        match &e.kind {
            ExprKind::Number(x) => whole(*x, e.span).map(Linear::Number),
            ExprKind::Path(path) => {
                let [name] = path.as_slice() else {
                    let name: Vec<&str> = path.iter().map(|p| &*p.name).collect();
                    return match self.dim_item(path, env) {
                        Some(found) => found,
                        None => self.unknown(&name.join("."), e.span, env, "dimension"),
                    };
                };
                // A name of a `type` means what was given for it, whatever the signature around it calls its own.
                if let Some(Den::Term(given, outside)) = env.get(&name.name) {
                    let found = self.linear(given, outside, vars)?;
                    if let Linear::Number(n) = found {
                        positive(n, given.span)?;
                    }
                    return Ok(found);
                }
                match vars.known.get(&name.name) {
                    Some(Known::Dim(n)) => return Ok(Linear::Number(as_i64(*n, e.span)?)),
                    Some(Known::Open) => {
                        return Ok(Linear::Open { var: name.name.clone(), coef: 1, konst: 0 });
                    }
                    Some(Known::Shape(_)) => {
                        return fault(
                            Diagnostic::error(
                                Code::DIMENSION,
                                format!("`{}` stands for several dimensions", name.name),
                            )
                            .at(e.span, format!("write ..{}", name.name))
                            .help(format!("write `..{}`", name.name)),
                        );
                    }
                    None => {}
                }
                match env.get(&name.name) {
                    Some(Den::Dim(n)) => return Ok(Linear::Number(as_i64(*n, e.span)?)),
                    Some(Den::Wires(Value::Number(x))) => return whole(*x, e.span).map(Linear::Number),
                    _ => {}
                }
                match self.dim_item(path, env) {
                    Some(found) => found,
                    None => self.unknown(&name.name, name.span, env, "dimension"),
                }
            }
            ExprKind::Sum(first, rest) => {
                let mut total = self.linear(first, env, vars)?;
                for (op, span, term) in rest {
                    let term = self.linear(term, env, vars)?;
                    let sign = match op {
                        SumOp::Add => 1,
                        SumOp::Subtract => -1,
                        SumOp::Xor | SumOp::Or => {
                            return fault(
                                Diagnostic::error(Code::DIMENSION, "dimensions add and subtract")
                                    .at(*span, "not between dimensions")
                                    .help("write `+` or `-`"),
                            );
                        }
                    };
                    total = combine(&total, &term, sign, e.span)?;
                }
                Ok(total)
            }
            ExprKind::Product(first, rest) => {
                let mut total = self.linear(first, env, vars)?;
                for (op, span, factor) in rest {
                    let right = self.linear(factor, env, vars)?;
                    total = match op {
                        ProductOp::Times => multiply(total, right, e.span)?,
                        ProductOp::Divide => self.divide(&total, &right, e.span)?,
                        _ => {
                            return fault(
                                Diagnostic::error(Code::DIMENSION, "dimensions multiply and divide")
                                    .at(*span, "not between dimensions")
                                    .help("write `*` or `/`"),
                            );
                        }
                    };
                }
                Ok(total)
            }
            ExprKind::Power(pair) => {
                let (base, exponent) = (self.linear(&pair.0, env, vars)?, self.linear(&pair.1, env, vars)?);
                match (base, exponent) {
                    (Linear::Number(b), Linear::Number(x)) => {
                        if x < 0 {
                            return fault(
                                Diagnostic::error(Code::DIMENSION, format!("{b} ^ {x} is not a whole number"))
                                    .at(pair.1.span, format!("the exponent is {x}, it must be at least 0"))
                                    .help("write an exponent of at least 0"),
                            );
                        }
                        let x = u32::try_from(x).map_err(|_| overflow(e.span))?;
                        Ok(Linear::Number(b.checked_pow(x).ok_or_else(|| overflow(e.span))?))
                    }
                    _ => fault(
                        Diagnostic::error(Code::DIMENSION, "this power is of an unknown dimension")
                            .at(e.span, "not known yet")
                            .help("give the dimension in the [ ] of the call"),
                    ),
                }
            }
            ExprKind::Negate(inner) => {
                let inner = self.linear(inner, env, vars)?;
                combine(&Linear::Number(0), &inner, -1, e.span)
            }
            ExprKind::Hole => fault(
                Diagnostic::error(Code::DIMENSION, "`_` can be inferred only in the brackets of a call")
                    .at(e.span, "nothing to infer it from")
                    .help("write the number or the name of a dimension"),
            ),
            _ => fault(
                Diagnostic::error(Code::DIMENSION, "this is not a dimension")
                    .at(e.span, "not a whole number")
                    .help(DIMENSIONS),
            ),
        }
    }

    /// The value of the `dim` that a path names.
    fn dim_item(&mut self, path: &'p [Ident], env: &Env<'p>) -> Option<Res<Linear>> {
        let id = self.resolve_path(path, env)?;
        let ItemKind::Dim(d) = &self.defs.item(id)?.kind else { return None };
        let outside = self.root(id.file);
        Some(self.linear(&d.value, &outside, &Vars::default()))
    }

    fn divide(&mut self, left: &Linear, right: &Linear, span: Span) -> Res<Linear> {
        match (left, right) {
            (Linear::Number(_), Linear::Number(0)) => fault(
                Diagnostic::error(Code::DIVISION, "a dimension divided by zero")
                    .at(span, "divided by 0")
                    .help("divide by a size that is at least 1"),
            ),
            (Linear::Number(a), Linear::Number(b)) if a.checked_rem(*b).is_none_or(|rest| rest == 0) => {
                a.checked_div(*b).map(Linear::Number).ok_or_else(|| overflow(span))
            }
            (Linear::Number(a), Linear::Number(b)) => fault(
                Diagnostic::error(Code::DIVISION, format!("{a} / {b} is not a whole number"))
                    .at(span, format!("{a} / {b} leaves {}", a.rem_euclid(*b)))
                    .help("dimensions divide exactly; change one of the sizes"),
            ),
            _ => fault(
                Diagnostic::error(Code::DIMENSION, "a dimension that divides must be known")
                    .at(span, "not known yet")
                    .help("give the divisor in the [ ] of the call"),
            ),
        }
    }
}

fn combine(left: &Linear, right: &Linear, sign: i64, span: Span) -> Res<Linear> {
    let add = |a: i64, b: i64| sign.checked_mul(b).and_then(|b| a.checked_add(b)).ok_or_else(|| overflow(span));
    Ok(match (left, right) {
        (Linear::Number(a), Linear::Number(b)) => Linear::Number(add(*a, *b)?),
        (Linear::Open { var, coef, konst }, Linear::Number(b)) => {
            Linear::Open { var: var.clone(), coef: *coef, konst: add(*konst, *b)? }
        }
        (Linear::Number(a), Linear::Open { var, coef, konst }) => {
            Linear::Open { var: var.clone(), coef: add(0, *coef)?, konst: add(*a, *konst)? }
        }
        (Linear::Open { var, coef, konst }, Linear::Open { var: other, coef: c, konst: k }) => {
            if var != other {
                return fault(
                    Diagnostic::error(Code::DIMENSION, format!("`{var}` and `{other}` are both unknown here"))
                        .at(span, "only one of them can be found from this")
                        .help("give one of them in the brackets of the call"),
                );
            }
            let (coef, konst) = (add(*coef, *c)?, add(*konst, *k)?);
            if coef == 0 { Linear::Number(konst) } else { Linear::Open { var: var.clone(), coef, konst } }
        }
    })
}

fn multiply(left: Linear, right: Linear, span: Span) -> Res<Linear> {
    let times = |a: i64, b: i64| a.checked_mul(b).ok_or_else(|| overflow(span));
    Ok(match (left, right) {
        (Linear::Number(a), Linear::Number(b)) => Linear::Number(times(a, b)?),
        (Linear::Open { var, coef, konst }, Linear::Number(b))
        | (Linear::Number(b), Linear::Open { var, coef, konst }) => {
            Linear::Open { var, coef: times(coef, b)?, konst: times(konst, b)? }
        }
        _ => {
            return fault(
                Diagnostic::error(Code::DIMENSION, "a product of unknown dimensions")
                    .at(span, "both are unknown")
                    .help("give one of them in the [ ] of the call"),
            );
        }
    })
}

fn as_i64(n: u64, span: Span) -> Res<i64> {
    i64::try_from(n).map_err(|_| overflow(span))
}

/// A whole number, or a fault that says what was given.
pub(crate) fn whole(x: f64, span: Span) -> Res<i64> {
    #[allow(clippy::cast_possible_truncation, reason = "checked to be whole and within 2^53")]
    if x.fract() == 0.0 && x.abs() <= 9.0e15 {
        Ok(x as i64)
    } else {
        fault(
            Diagnostic::error(Code::DIMENSION, format!("{x} is not a whole number"))
                .at(span, format!("this is {x}"))
                .help("only whole numbers count here; from a division they come where it has no rest"),
        )
    }
}

/// A dimension of at least one.
pub(crate) fn positive(n: i64, span: Span) -> Res<u64> {
    match u64::try_from(n) {
        Ok(n) if n > 0 && n <= 1 << 32 => Ok(n),
        Ok(n) if n > 0 => fault(
            Diagnostic::error(Code::LIMIT, format!("a dimension of {n} is larger than this version allows"))
                .at(span, format!("this is {n}, the limit is 2^32"))
                .help("make it smaller"),
        ),
        _ => fault(
            Diagnostic::error(Code::DIMENSION, format!("a dimension must be at least 1, this is {n}"))
                .at(span, format!("this is {n}"))
                .help("change the sizes that it is made of, so that it is at least 1"),
        ),
    }
}

/// How many entries a shape has, if 64 bits can say it.
pub(crate) fn entries_of(dims: &[u64]) -> Option<u64> {
    dims.iter().try_fold(1_u64, |n, d| n.checked_mul(*d))
}

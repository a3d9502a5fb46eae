//! Objects as written, matched against wires.
//!
//! In: a type of a signature, and the wires that arrive. Out: the signature's dimension variables, or a
//! [`Mismatch`] with both sides as people write them, numbers included.

use crate::elaborate::session::Elab;
use crate::elaborate::typing::dims::{DIMENSIONS, Known, Linear, Vars, entries_of, positive};
use crate::elaborate::value::{Den, Env, Res, Value, fault};
use crate::object::{Base, Dim, Leaf};
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::{ArgValue, Expr, ExprKind, Group, GroupKind, Ident, ItemKind, Type, TypeKind};
use std::rc::Rc;
use std::sync::Arc;

/// A base as written.
#[derive(Clone, Debug)]
pub(crate) enum BaseTerm<'p> {
    Plain(Base),
    Fin(DimTerm<'p>),
}

/// One dimension of a type as written.
#[derive(Clone, Debug)]
pub(crate) enum DimTerm<'p> {
    Expr(&'p Expr),
    Spread(Arc<str>, Span),
    Number(u64),
}

/// A type with its aliases resolved.
#[derive(Clone, Debug)]
pub(crate) enum Ty<'p> {
    Leaf { base: BaseTerm<'p>, dims: Vec<DimTerm<'p>>, env: Env<'p>, span: Span },
    Tuple(Vec<(Option<Arc<str>>, Ty<'p>)>, Span),
    Params(Span),
}

/// Two objects that should agree, as people write them.
#[derive(Clone, Debug)]
pub(crate) struct Mismatch {
    pub(crate) needs: String,
    pub(crate) gives: String,
}

impl<'p> Elab<'p> {
    /// Resolves the names of a type.
    pub(crate) fn ty(&mut self, ty: &'p Type, env: &Env<'p>) -> Res<Ty<'p>> {
        match &ty.kind {
            TypeKind::Params(_) => Ok(Ty::Params(ty.span)),
            TypeKind::Tuple(parts) => {
                if let [(_, only)] = parts.as_slice() {
                    return self.ty(only, env);
                }
                let parts = parts
                    .iter()
                    .map(|(name, t)| Ok((name.as_ref().map(|n| n.name.clone()), self.ty(t, env)?)))
                    .collect::<Res<_>>()?;
                Ok(Ty::Tuple(parts, ty.span))
            }
            TypeKind::Product(parts) => {
                let parts = parts.iter().map(|t| Ok((None, self.ty(t, env)?))).collect::<Res<_>>()?;
                Ok(Ty::Tuple(parts, ty.span))
            }
            TypeKind::Name(path, groups) => match path.as_slice() {
                [name] => self.named_type(name, path, groups, env, ty.span),
                _ => self.alias(path, groups, env, ty.span),
            },
        }
    }

    fn named_type(
        &mut self,
        name: &Ident,
        path: &'p [Ident],
        groups: &'p [Group],
        env: &Env<'p>,
        span: Span,
    ) -> Res<Ty<'p>> {
        let name = &*name.name;
        let plain = match name {
            "R" => Some(Base::Real),
            "Bool" => Some(Base::Bool),
            "Int" => Some(Base::Int),
            _ => None,
        };
        let (base, rest) = match (plain, name, groups) {
            (Some(base), _, _) => (BaseTerm::Plain(base), groups),
            (None, "Fin", [first, rest @ ..]) => match dim_terms(first)?.as_slice() {
                [n] => (BaseTerm::Fin(n.clone()), rest),
                _ => {
                    return fault(
                        Diagnostic::error(Code::DIMENSION, "Fin takes one number")
                            .at(first.span, "not one number")
                            .help("write `Fin[10]` for the labels 0 to 9"),
                    );
                }
            },
            (None, "Fin", []) => {
                return fault(
                    Diagnostic::error(Code::DIMENSION, "Fin needs a number: Fin[10]")
                        .at(span, "how many labels?")
                        .help("write `Fin[10]` for the labels 0 to 9"),
                );
            }
            _ => return self.alias(path, groups, env, span),
        };
        let dims = match rest {
            [] => vec![DimTerm::Number(1)],
            [group] => dim_terms(group)?,
            [_, more, ..] => {
                return fault(
                    Diagnostic::error(Code::SHAPE, "dimensions go into one bracket")
                        .at(more.span, "a second bracket")
                        .help("write `R[2, 3]`"),
                );
            }
        };
        let dims = if dims.is_empty() { vec![DimTerm::Number(1)] } else { dims };
        Ok(Ty::Leaf { base, dims, env: env.clone(), span })
    }

    fn alias(&mut self, path: &'p [Ident], groups: &'p [Group], env: &Env<'p>, span: Span) -> Res<Ty<'p>> {
        let name: Vec<&str> = path.iter().map(|p| &*p.name).collect();
        let name = name.join(".");
        let found = self.resolve_path(path, env);
        let Some((id, ItemKind::Type(decl))) = found.and_then(|id| Some((id, &self.defs.item(id)?.kind))) else {
            return self.unknown(&name, span, env, "type");
        };
        let given: Vec<DimTerm<'p>> = match groups {
            [] => Vec::new(),
            [group] => dim_terms(group)?,
            [_, more, ..] => {
                return fault(
                    Diagnostic::error(Code::SHAPE, "dimensions go into one bracket")
                        .at(more.span, "a second bracket")
                        .help("write `R[2, 3]`"),
                );
            }
        };
        if given.len() != decl.dims.len() {
            return fault(
                Diagnostic::error(
                    Code::DIMENSION,
                    format!("`{name}` takes {} dimensions and was given {}", decl.dims.len(), given.len()),
                )
                .at(span, format!("{} are given", given.len()))
                .also(decl.name.span, "defined here")
                .help(match decl.dims.len() {
                    0 => format!("write `{name}`"),
                    _ => format!(
                        "write `{name}[{}]`",
                        decl.dims.iter().map(|d| &*d.name.name).collect::<Vec<_>>().join(", ")
                    ),
                }),
            );
        }
        let mut inner = self.root(id.file);
        for (var, term) in decl.dims.iter().zip(given) {
            match term {
                DimTerm::Expr(e) => inner.bind(var.name.name.clone(), Den::Term(e, Box::new(env.clone()))),
                DimTerm::Spread(_, at) => return Self::not_yet("`..` given to a `type`", at),
                DimTerm::Number(_) => {}
            }
        }
        self.ty(&decl.ty, &inner)
    }

    /// The letters that a type may leave open without listing them.
    pub(crate) fn open_letters(&mut self, ty: &Ty<'p>, vars: &mut Vars) {
        match ty {
            Ty::Leaf { base, dims, env, .. } => {
                let fin = if let BaseTerm::Fin(n) = base { Some(n) } else { None };
                for term in fin.into_iter().chain(dims) {
                    match term {
                        DimTerm::Expr(e) => self.letters_of(e, env, vars),
                        DimTerm::Spread(name, _) => {
                            if env.get(name).is_none() {
                                vars.declare(name, true);
                            }
                        }
                        DimTerm::Number(_) => {}
                    }
                }
            }
            Ty::Tuple(parts, _) => parts.iter().for_each(|(_, t)| self.open_letters(t, vars)),
            Ty::Params(..) => {}
        }
    }

    fn letters_of(&mut self, e: &'p Expr, env: &Env<'p>, vars: &mut Vars) {
        match &e.kind {
            ExprKind::Path(path) => {
                if let [name] = path.as_slice() {
                    if let Some(Den::Term(given, outside)) = env.get(&name.name) {
                        return self.letters_of(given, outside, vars);
                    }
                    let letter = name.name.chars().count() == 1;
                    let free = env.get(&name.name).is_none() && self.defs.resolve(env.file, &name.name).is_none();
                    if letter && free {
                        vars.declare(&name.name, false);
                    }
                }
            }
            ExprKind::Sum(first, rest) => {
                self.letters_of(first, env, vars);
                rest.iter().for_each(|(_, _, t)| self.letters_of(t, env, vars));
            }
            ExprKind::Product(first, rest) => {
                self.letters_of(first, env, vars);
                rest.iter().for_each(|(_, _, t)| self.letters_of(t, env, vars));
            }
            ExprKind::Power(pair) => {
                self.letters_of(&pair.0, env, vars);
                self.letters_of(&pair.1, env, vars);
            }
            _ => {}
        }
    }

    /// Matches a type against wires and binds what it can; `Ok(Some(_))` tells that they differ.
    pub(crate) fn unify(&mut self, ty: &Ty<'p>, value: &Value, vars: &mut Vars) -> Res<Option<Mismatch>> {
        match (ty, value) {
            (_, Value::Poison) => Err(None),
            (Ty::Tuple(parts, _), Value::Tuple(values)) if parts.len() == values.len() => {
                // Two passes, as for the dimensions of one wire: `(R[n + m], R[n])` is solved from the right.
                let mut later = Vec::new();
                for ((_, t), v) in parts.iter().zip(values) {
                    match self.unify(t, v, vars) {
                        Ok(None) => {}
                        Ok(Some(_)) => return Ok(Some(self.mismatch(ty, value, vars))),
                        Err(Some(d)) if d.code == Code::DIMENSION => later.push((t, v)),
                        Err(f) => return Err(f),
                    }
                }
                for (t, v) in later {
                    if self.unify(t, v, vars)?.is_some() {
                        return Ok(Some(self.mismatch(ty, value, vars)));
                    }
                }
                Ok(None)
            }
            (Ty::Leaf { base, dims, env, .. }, Value::Wire(w)) => {
                let leaf = self.b.leaf(*w).clone();
                let fits = self.unify_leaf(base, dims, env, &leaf, vars)?;
                Ok(if fits { None } else { Some(self.mismatch(ty, value, vars)) })
            }
            (Ty::Leaf { base, dims, env, .. }, Value::Number(_)) => {
                let fits = self.unify_leaf(base, dims, env, &Leaf::number(), vars)?;
                Ok(if fits { None } else { Some(self.mismatch(ty, value, vars)) })
            }
            (Ty::Leaf { .. }, Value::Family(_)) => Ok(None),
            _ => Ok(Some(self.mismatch(ty, value, vars))),
        }
    }

    fn unify_leaf(
        &mut self,
        base: &BaseTerm<'p>,
        dims: &[DimTerm<'p>],
        env: &Env<'p>,
        leaf: &Leaf,
        vars: &mut Vars,
    ) -> Res<bool> {
        match (base, leaf.base) {
            (BaseTerm::Plain(b), given) => {
                if *b != given {
                    return Ok(false);
                }
            }
            (BaseTerm::Fin(n), Base::Fin(k)) => {
                if !self.unify_dim(n, env, u64::from(k), vars)? {
                    return Ok(false);
                }
            }
            _ => return Ok(false),
        }
        let Some(given) = leaf.literal_dims() else { return Ok(false) };
        let spread = dims.iter().position(|d| matches!(d, DimTerm::Spread(..)));
        let Some(at) = spread else {
            if dims.len() != given.len() {
                return Ok(false);
            }
            return self.unify_dims(dims, &given, env, vars);
        };
        let (Some(before), Some(after), Some(DimTerm::Spread(name, _))) =
            (dims.get(..at), dims.get(at + 1..), dims.get(at))
        else {
            return Ok(false);
        };
        let known: Option<Rc<Vec<u64>>> = match vars.known.get(name) {
            Some(Known::Shape(s)) => Some(s.clone()),
            _ => match env.get(name) {
                Some(Den::Shape(s)) => Some(s.clone()),
                _ => None,
            },
        };
        // `R[..s]` with nothing in `s` is the number, `R[1]`: no leaf has rank zero.
        let unit = before.is_empty() && after.is_empty();
        if given.len() < before.len() + after.len() {
            return Ok(false);
        }
        let inner = given.get(before.len()..given.len() - after.len()).unwrap_or_default().to_vec();
        let tail = given.get(given.len() - after.len()..).unwrap_or_default();
        let ends = self.unify_dims(before, &given, env, vars)? && self.unify_dims(after, tail, env, vars)?;
        match known {
            Some(s) => {
                let same = *s == inner || (unit && s.is_empty() && inner == [1]);
                Ok(ends && same)
            }
            None => {
                vars.known.insert(name.clone(), Known::Shape(Rc::new(inner)));
                Ok(ends)
            }
        }
    }

    /// Two passes: a dimension with two open variables may become solvable by a later one.
    fn unify_dims(&mut self, dims: &[DimTerm<'p>], given: &[u64], env: &Env<'p>, vars: &mut Vars) -> Res<bool> {
        let mut later: Vec<(&DimTerm<'p>, u64)> = Vec::new();
        for (term, n) in dims.iter().zip(given) {
            match self.unify_dim(term, env, *n, vars) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(Some(d)) if d.code == Code::DIMENSION => later.push((term, *n)),
                Err(f) => return Err(f),
            }
        }
        for (term, n) in later {
            if !self.unify_dim(term, env, n, vars)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn unify_dim(&mut self, term: &DimTerm<'p>, env: &Env<'p>, given: u64, vars: &mut Vars) -> Res<bool> {
        let e = match term {
            DimTerm::Number(n) => return Ok(*n == given),
            DimTerm::Spread(..) => return Ok(false),
            DimTerm::Expr(e) => *e,
        };
        let given = i64::try_from(given).unwrap_or(i64::MAX);
        match self.linear(e, env, vars)? {
            Linear::Number(n) => Ok(n == given),
            Linear::Open { var, coef, konst } => {
                // What does not fit 63 bits, or does not divide, has no solution.
                let exact = |rest: i64| rest.checked_rem(coef).filter(|r| *r == 0).and_then(|_| rest.checked_div(coef));
                match given.checked_sub(konst).and_then(exact).and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0) {
                    Some(n) => {
                        vars.known.insert(var, Known::Dim(n));
                        Ok(true)
                    }
                    None => Ok(false),
                }
            }
        }
    }

    /// The leaf that a type is, all variables known.
    pub(crate) fn leaf_of(&mut self, ty: &Ty<'p>, vars: &Vars) -> Res<Leaf> {
        let (base, dims, env, span) = match ty {
            Ty::Leaf { base, dims, env, span } => (base, dims, env, *span),
            Ty::Tuple(_, span) | Ty::Params(span) => {
                return fault(
                    Diagnostic::error(Code::SHAPE, "one wire is needed here, not a product")
                        .at(*span, "a product")
                        .help("write one type such as `R[4]`"),
                );
            }
        };
        let base = match base {
            BaseTerm::Plain(b) => *b,
            BaseTerm::Fin(n) => {
                let n = self.known_dim(n, env, vars)?;
                Base::Fin(u32::try_from(n).unwrap_or(u32::MAX))
            }
        };
        let mut out = Vec::new();
        for term in dims {
            if let DimTerm::Spread(name, at) = term {
                let shape = match (vars.known.get(name), env.get(name)) {
                    (Some(Known::Shape(s)), _) | (None, Some(Den::Shape(s))) => s.clone(),
                    _ => {
                        return fault(
                            Diagnostic::error(Code::DIMENSION, format!("the shape `..{name}` is not known here"))
                                .at(*at, "not known")
                                .help(format!("list `..{name}` in the [ ] after the name")),
                        );
                    }
                };
                out.extend(shape.iter().copied());
            } else {
                out.push(self.known_dim(term, env, vars)?);
            }
        }
        if out.is_empty() {
            out.push(1);
        }
        if out.len() > 12 {
            return fault(
                Diagnostic::error(Code::LIMIT, format!("{} dimensions are more than this version allows", out.len()))
                    .at(span, "the limit is 12")
                    .help("join some of the axes"),
            );
        }
        let entries = entries_of(&out).filter(|n| *n <= 1 << 40);
        if entries.is_none() {
            return fault(
                Diagnostic::error(Code::LIMIT, "this has more entries than any memory")
                    .at(span, "more than 2^40")
                    .help("make it smaller"),
            );
        }
        Ok(Leaf { base, dims: out.into_iter().map(Dim::lit).collect() })
    }

    pub(crate) fn known_dim(&mut self, term: &DimTerm<'p>, env: &Env<'p>, vars: &Vars) -> Res<u64> {
        match term {
            DimTerm::Number(n) => Ok(*n),
            DimTerm::Spread(name, span) => fault(
                Diagnostic::error(Code::DIMENSION, format!("`..{name}` does not fit here"))
                    .at(*span, "several dimensions")
                    .help("write one dimension"),
            ),
            DimTerm::Expr(e) => match self.linear(e, env, vars)? {
                Linear::Number(n) => positive(n, e.span),
                Linear::Open { var, .. } => fault(
                    Diagnostic::error(Code::DIMENSION, format!("nothing says what the dimension `{var}` is"))
                        .at(e.span, format!("`{var}` is unknown here"))
                        .help(format!("list `{var}` in [ ] after the name and give it in the call")),
                ),
            },
        }
    }

    fn mismatch(&mut self, ty: &Ty<'p>, value: &Value, vars: &Vars) -> Mismatch {
        Mismatch { needs: self.show_type(ty, vars), gives: self.show(value) }
    }

    /// A type as people write it, with the numbers known so far.
    pub(crate) fn show_type(&mut self, ty: &Ty<'p>, vars: &Vars) -> String {
        match ty {
            Ty::Params(..) => "a parameter object".to_owned(),
            Ty::Tuple(parts, _) => {
                let parts: Vec<String> = parts.iter().map(|(_, t)| self.show_type(t, vars)).collect();
                format!("({})", parts.join(", "))
            }
            Ty::Leaf { base, dims, env, .. } => {
                let head = match base {
                    BaseTerm::Plain(Base::Real) => "R".to_owned(),
                    BaseTerm::Plain(Base::Bool) => "Bool".to_owned(),
                    BaseTerm::Plain(_) => "Int".to_owned(),
                    BaseTerm::Fin(n) => format!("Fin[{}]", self.show_dim(n, env, vars)),
                };
                let dims = dims.iter().map(|d| self.show_dim(d, env, vars));
                // A `..s` that stands for no dimension shows none.
                let dims: Vec<String> = dims.filter(|d| !d.is_empty()).collect();
                format!("{head}[{}]", dims.join(", "))
            }
        }
    }

    fn show_dim(&mut self, term: &DimTerm<'p>, env: &Env<'p>, vars: &Vars) -> String {
        match term {
            DimTerm::Number(n) => n.to_string(),
            DimTerm::Spread(name, _) => match vars.known.get(name) {
                Some(Known::Shape(s)) => s.iter().map(u64::to_string).collect::<Vec<_>>().join(", "),
                _ => format!("..{name}"),
            },
            DimTerm::Expr(e) => match self.linear(e, env, vars) {
                Ok(Linear::Number(n)) => n.to_string(),
                _ => self.defs.sources.slice(e.span).to_owned(),
            },
        }
    }

    /// Wires as people write their type.
    pub(crate) fn show(&self, value: &Value) -> String {
        match value {
            Value::Wire(w) => self.b.leaf(*w).to_string(),
            Value::Number(_) => "R[1]".to_owned(),
            Value::Tuple(parts) => {
                let parts: Vec<String> = parts.iter().map(|v| self.show(v)).collect();
                format!("({})", parts.join(", "))
            }
            Value::Family(_) => "all parameters".to_owned(),
            Value::Poison => "?".to_owned(),
        }
    }
}

/// The dimensions in one bracket.
pub(crate) fn dim_terms(group: &Group) -> Res<Vec<DimTerm<'_>>> {
    if group.kind != GroupKind::Dims {
        return fault(
            Diagnostic::error(Code::DIMENSION, "dimensions go into square brackets")
                .at(group.span, "not [ ]")
                .help("write `R[4]`"),
        );
    }
    group
        .args
        .iter()
        .map(|arg| match (&arg.name, &arg.value) {
            (None, ArgValue::Expr(e)) => Ok(DimTerm::Expr(e)),
            (None, ArgValue::Range(None, Some(e))) => match &e.kind {
                ExprKind::Path(path) if path.len() == 1 => {
                    Ok(DimTerm::Spread(path.first().map(|p| p.name.clone()).unwrap_or_default(), e.span))
                }
                _ => fault(
                    Diagnostic::error(Code::DIMENSION, "`..` is followed by a name here")
                        .at(arg.span, "no name")
                        .help("write `R[..s]`"),
                ),
            },
            _ => fault(
                Diagnostic::error(Code::DIMENSION, "this is not a dimension")
                    .at(arg.span, "not a dimension")
                    .help(DIMENSIONS),
            ),
        })
        .collect()
}

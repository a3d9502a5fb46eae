//! Expressions where wires are meant: numbers, names, arithmetic, calls, slices, blocks.

use crate::diagram::{AffineIndex, Const, Literal, Logic, Op, Wire};
use crate::elaborate::session::Elab;
use crate::elaborate::terms::apply::Arriving;
use crate::elaborate::terms::arith::{Binary, Operand};
use crate::elaborate::terms::builtins;
use crate::elaborate::typing::dims::whole;
use crate::elaborate::value::{Den, Env, Res, Value, fault};
use crate::object::{Base, Leaf};
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::{Arg, ArgValue, CompareOp, Expr, ExprKind, Group, GroupKind, ItemKind, ProductOp, SumOp};
use std::sync::Arc;

/// How often places that a wire has not are said.
const MOST_MISPLACED: usize = 3;

impl<'p> Elab<'p> {
    /// The wires that an expression denotes.
    pub(crate) fn wire(&mut self, e: &'p Expr, env: &Env<'p>) -> Res<Value> {
        self.deeper(e.span, |elab| elab.wire_here(e, env))
    }

    fn operand(&mut self, e: &'p Expr, env: &Env<'p>) -> Res<Operand> {
        let value = self.wire(e, env)?;
        if matches!(value, Value::Poison) { Err(None) } else { Ok((value, e.span)) }
    }

    /// Several operands; a fault in one does not hide those of the others.
    fn operands(&mut self, each: &[&'p Expr], env: &Env<'p>) -> Res<Vec<Operand>> {
        let made: Vec<Option<Operand>> = each
            .iter()
            .map(|e| {
                let made = self.operand(e, env);
                self.keep(made)
            })
            .collect();
        made.into_iter().collect::<Option<Vec<_>>>().ok_or(None)
    }

    /// Operands joined from left to right.
    fn in_order<O: Copy>(
        &mut self,
        first: &'p Expr,
        rest: &'p [(O, Span, Expr)],
        env: &Env<'p>,
        join: impl Fn(&mut Self, O, Operand, Operand, Span) -> Res<Value>,
    ) -> Res<Value> {
        let each: Vec<&'p Expr> = std::iter::once(first).chain(rest.iter().map(|(_, _, e)| e)).collect();
        let mut operands = self.operands(&each, env)?.into_iter();
        let mut total = operands.next().ok_or(None)?;
        for ((op, _, _), operand) in rest.iter().zip(operands) {
            let span = total.1.to(operand.1);
            self.at(span, env);
            total = (join(self, *op, total, operand, span)?, span);
        }
        Ok(total.0)
    }

    fn wire_here(&mut self, e: &'p Expr, env: &Env<'p>) -> Res<Value> {
        match &e.kind {
            ExprKind::Number(x) => Ok(Value::Number(*x)),
            ExprKind::Path(path) => self.wire_name(path, e.span, env),
            ExprKind::Tuple(parts) => {
                let each: Vec<&'p Expr> = parts.iter().collect();
                let parts = self.operands(&each, env)?;
                Ok(Value::Tuple(parts.into_iter().map(|(v, _)| v).collect()))
            }
            ExprKind::Sum(first, rest) => self.in_order(first, rest, env, |elab, op, a, b, span| match op {
                SumOp::Add => elab.binary(Binary::Add, a, b, span),
                SumOp::Subtract => elab.binary(Binary::Subtract, a, b, span),
                SumOp::Xor => elab.logic(Logic::Xor, &[a, b], span),
                SumOp::Or => elab.logic(Logic::Or, &[a, b], span),
            }),
            ExprKind::Product(first, rest) => self.in_order(first, rest, env, |elab, op, a, b, span| match op {
                ProductOp::Times => elab.binary(Binary::Multiply, a, b, span),
                ProductOp::Divide => elab.binary(Binary::Divide, a, b, span),
                ProductOp::Mod => elab.binary(Binary::Mod, a, b, span),
                ProductOp::Matrix => elab.matrix_product(&a, &b, span),
                ProductOp::And => elab.logic(Logic::And, &[a, b], span),
            }),
            ExprKind::Power(pair) => {
                let (base, exponent) = (self.operand(&pair.0, env)?, self.operand(&pair.1, env)?);
                self.at(e.span, env);
                self.binary(Binary::Power, base, exponent, e.span)
            }
            ExprKind::Negate(inner) => {
                let inner = self.operand(inner, env)?;
                self.at(e.span, env);
                self.negate(inner, e.span)
            }
            ExprKind::Not(inner) => {
                let inner = self.operand(inner, env)?;
                self.at(e.span, env);
                self.logic(Logic::Not, &[inner], e.span)
            }
            ExprKind::Compare(parts) => {
                let (a, b) = (self.operand(&parts.0, env)?, self.operand(&parts.2, env)?);
                self.at(e.span, env);
                self.compare(parts.1, a, b, e.span)
            }
            ExprKind::If(parts) => {
                let [c, a, b] = parts.as_ref();
                if let Some(known) = self.static_condition(c, env)? {
                    return self.wire(if known { a } else { b }, env);
                }
                let c = self.operand(c, env)?;
                let (a, b) = (self.operand(a, env)?, self.operand(b, env)?);
                self.at(e.span, env);
                self.select(c, a, b, e.span)
            }
            ExprKind::Apply(head, groups) => self.wire_apply(e, head, groups, env),
            ExprKind::List(_) => {
                let (shape, entries) = self.const_tensor(e, env)?;
                let made = self.b.reals(&shape, &entries);
                self.typed(made, "a list", e.span).map(Value::Wire)
            }
            ExprKind::Compose(_) => fault(
                Diagnostic::error(Code::WRONG_KIND, "maps compose, wires do not")
                    .at(e.span, "wires are needed here")
                    .help(
                        "apply the composite to a wire: `let h = f(x)  g(h)`, or write the model point-free after `=`",
                    ),
            ),
            ExprKind::Then(_) | ExprKind::Parts(_) | ExprKind::NextValue => Self::not_yet("this expression", e.span),
            ExprKind::Text(_) => fault(
                Diagnostic::error(Code::WRONG_KIND, "a text is not a wire")
                    .at(e.span, "a text")
                    .help("texts stand in `einsum(\"ij,j->i\", ..)` and in `data`; write a number or a wire"),
            ),
            ExprKind::Hole => fault(
                Diagnostic::error(Code::WRONG_KIND, "`_` names nothing")
                    .at(e.span, "a wire is needed here")
                    .help("give the wire a name where it is bound, and use that"),
            ),
        }
    }

    fn wire_name(&mut self, path: &'p [crate::syntax::ast::Ident], span: Span, env: &Env<'p>) -> Res<Value> {
        if let [name] = path {
            match env.get(&name.name) {
                Some(Den::Wires(Value::Poison)) => return Err(None),
                Some(Den::Wires(v)) => return Ok(v.clone()),
                #[allow(clippy::cast_precision_loss, reason = "dimensions are below 2^32")]
                Some(Den::Dim(n)) => return Ok(Value::Number(*n as f64)),
                Some(Den::Map(_)) => return self.map_for_wire(&name.name, span),
                Some(Den::Ports(_)) => {
                    return fault(
                        Diagnostic::error(
                            Code::WRONG_KIND,
                            format!("`{}` is a parameter object, not a wire", name.name),
                        )
                        .at(span, "a wire is needed here")
                        .help(format!("give it to its map: `f{{{}}}(x)`", name.name)),
                    );
                }
                Some(Den::Word(word)) => {
                    let message = format!("`{}` is the word `{word}`, a number is needed here", name.name);
                    return fault(
                        Diagnostic::error(Code::WRONG_KIND, message)
                            .at(span, "used as a wire")
                            .help(format!("give `{}` a number", name.name)),
                    );
                }
                Some(Den::Rule(_)) => {
                    return fault(
                        Diagnostic::error(Code::WRONG_KIND, format!("`{}` is an update rule, not a wire", name.name))
                            .at(span, "a wire is needed here")
                            .help(format!("apply it: `{}.step(p, g)` is the new parameter", name.name)),
                    );
                }
                Some(Den::Shape(_) | Den::Flag(_) | Den::Init(..) | Den::Term(..)) => {
                    return fault(
                        Diagnostic::error(Code::WRONG_KIND, format!("`{}` is not a wire", name.name))
                            .at(span, "not a wire")
                            .help(format!("use a wire or a number; `{}` stands for something else", name.name)),
                    );
                }
                None => {}
            }
            if let (bit @ ("true" | "false"), None) = (&*name.name, self.defs.resolve(env.file, &name.name)) {
                let leaf = crate::object::Leaf::new(crate::object::Base::Bool, &[1]);
                return self.number_as(f64::from(u8::from(bit == "true")), &leaf, span).map(Value::Wire);
            }
            if name.name.as_ref() == "pi" && self.defs.resolve(env.file, "pi").is_none() {
                return Ok(Value::Number(std::f64::consts::PI));
            }
        }
        let Some(id) = self.resolve_path(path, env) else {
            let name: Vec<&str> = path.iter().map(|p| &*p.name).collect();
            let name = name.join(".");
            if builtins::NAMES.contains(&name.as_str()) {
                return self.map_for_wire(&name, span);
            }
            return self.unknown(&name, span, env, "wire");
        };
        match self.defs.item(id).map(|i| &i.kind) {
            Some(ItemKind::Dim(d)) => {
                let outside = self.root(id.file);
                #[allow(clippy::cast_precision_loss, reason = "dimensions are below 2^32")]
                self.dim(&d.value, &outside).map(|n| Value::Number(n as f64))
            }
            Some(ItemKind::Const(c)) => {
                let outside = self.root(id.file);
                let (leaf, entries) = self.const_item(c, &outside)?;
                if leaf.is_number() && leaf.base == Base::Real {
                    return Ok(Value::Number(entries.first().copied().unwrap_or(0.0)));
                }
                // `const_item` has seen that the base holds them.
                let entries = Literal::of(leaf.base, &entries);
                let made = self.b.constant(Const { leaf, entries });
                self.typed(made, "a const", span).map(Value::Wire)
            }
            _ => self.map_for_wire(path.last().map_or("", |p| &p.name), span),
        }
    }

    fn map_for_wire(&self, name: &str, span: Span) -> Res<Value> {
        fault(
            Diagnostic::error(Code::WRONG_KIND, format!("`{name}` is a map, a wire is needed here"))
                .at(span, "a map")
                .help(format!("apply it: `{name}(x)`")),
        )
    }

    /// A condition on settings, known while elaborating; `None` when it is about wires.
    fn static_condition(&mut self, e: &'p Expr, env: &Env<'p>) -> Res<Option<bool>> {
        match &e.kind {
            ExprKind::Path(path) => match path.as_slice() {
                [name] => Ok(match env.get(&name.name) {
                    Some(Den::Flag(b)) => Some(*b),
                    Some(_) => None,
                    None => match &*name.name {
                        "true" => Some(true),
                        "false" => Some(false),
                        _ => None,
                    },
                }),
                _ => Ok(None),
            },
            ExprKind::Not(inner) => Ok(self.static_condition(inner, env)?.map(|b| !b)),
            ExprKind::Compare(parts) => {
                if self.sampled && self.is_word(&parts.0, &parts.2, env) {
                    self.words = true;
                    return Ok(Some(true));
                }
                let word = |e: &Expr| match &e.kind {
                    ExprKind::Path(p) if p.len() == 1 => {
                        let name = p.first()?;
                        match env.get(&name.name) {
                            Some(Den::Word(w)) => Some((w.clone(), true)),
                            // A word that is also the name of a map: `mode = mean`.
                            Some(Den::Map(closure)) => match &closure.expr.kind {
                                ExprKind::Path(p) if p.len() == 1 => p.first().map(|n| (n.name.clone(), true)),
                                _ => None,
                            },
                            Some(_) => None,
                            None => Some((name.name.clone(), false)),
                        }
                    }
                    _ => None,
                };
                if let (Some((a, bound_a)), Some((b, bound_b))) = (word(&parts.0), word(&parts.2))
                    && (bound_a || bound_b)
                {
                    return match parts.1 {
                        CompareOp::Equal => Ok(Some(a == b)),
                        CompareOp::NotEqual => Ok(Some(a != b)),
                        _ => fault(
                            Diagnostic::error(Code::WRONG_KIND, "words are equal or not")
                                .at(e.span, "an order of words")
                                .help("compare them with `==` or `!=`"),
                        ),
                    };
                }
                if !numeric(&parts.0, env) || !numeric(&parts.2, env) {
                    return Ok(None);
                }
                match (self.wire(&parts.0, env)?, self.wire(&parts.2, env)?) {
                    (Value::Number(a), Value::Number(b)) => Ok(Some(match parts.1 {
                        CompareOp::Less => a < b,
                        CompareOp::LessEqual => a <= b,
                        CompareOp::Greater => a > b,
                        CompareOp::GreaterEqual => a >= b,
                        CompareOp::Equal => a == b,
                        CompareOp::NotEqual => a != b,
                    })),
                    _ => Ok(None),
                }
            }
            _ => Ok(None),
        }
    }

    /// A call or a slice.
    fn wire_apply(&mut self, e: &'p Expr, head: &'p Expr, groups: &'p [Group], env: &Env<'p>) -> Res<Value> {
        let head_is_wire = match &head.kind {
            ExprKind::Path(path) => match path.as_slice() {
                [name] => match env.get(&name.name) {
                    Some(Den::Wires(_)) => true,
                    Some(_) => false,
                    None => self.is_const(path, env),
                },
                _ => self.is_const(path, env),
            },
            // `(tanh(x))[0..2]`: what a call in brackets gives is a wire.
            ExprKind::Apply(..) => groups.iter().all(|g| g.kind == GroupKind::Dims),
            ExprKind::Compose(_) => false,
            _ => true,
        };
        if head_is_wire {
            let mut value = self.operand(head, env)?;
            for group in groups {
                if group.kind != GroupKind::Dims {
                    return fault(
                        Diagnostic::error(Code::WRONG_KIND, "a wire cannot be called")
                            .at(head.span, "this is a wire, a map is needed here")
                            .also(group.span, "applied to this")
                            .help("multiply with `*`, or slice with `x[0..2]`"),
                    );
                }
                self.at(e.span, env);
                value.0 = self.slice(&value, group, env)?;
            }
            return Ok(value.0);
        }
        // `f(x)[0..2]` is a slice of what the call gives.
        let calls = groups.iter().rposition(|g| g.kind == GroupKind::Args);
        let filled = matches!(&head.kind, ExprKind::Path(p) if matches!(p.as_slice(), [n]
            if matches!(&*n.name, "zeros" | "ones" | "eye" | "labels" | "upper_triangle") && self.resolve_path(p, env).is_none()));
        if let (None, true) = (calls, filled) {
            // The first brackets are its shape, the rest slices.
            let (ExprKind::Path(path), Some((shape, slices))) = (&head.kind, groups.split_at_checked(1)) else {
                return Err(None);
            };
            let input = Arriving { value: Value::Tuple(Vec::new()), from: None };
            let call = self.brackets(shape, e.span)?;
            let mut value = self.apply_named(path, head.span, call, env, input)?;
            for group in slices {
                value = self.slice(&(value, e.span), group, env)?;
            }
            return Ok(value);
        }
        let Some(last) = calls else {
            // `x[2]` where nothing is called `x`.
            if let ExprKind::Path(path) = &head.kind
                && let [name] = path.as_slice()
                && env.get(&name.name).is_none()
                && self.resolve_path(path, env).is_none()
                && !builtins::NAMES.contains(&&*name.name)
            {
                return self.unknown(&name.name, head.span, env, "wire");
            }
            return fault(
                Diagnostic::error(Code::WRONG_KIND, "this is a map, a wire is needed here")
                    .at(e.span, "a map")
                    .help("apply it to a wire: add `(x)`"),
            );
        };
        let (call, slices) = groups.split_at(last + 1);
        let mut value = self.call_on_wires(e.span, head, call, env)?;
        for group in slices {
            if group.kind == GroupKind::Ports {
                return fault(
                    Diagnostic::error(Code::PORT, "parameter ports stand before the wires: `f{W}(x)`")
                        .at(group.span, "ports after the wires")
                        .help("write `f{W}(x)`"),
                );
            }
            value = self.slice(&(value, e.span), group, env)?;
        }
        Ok(value)
    }

    /// A number beside a name that means nothing: a setting that takes words, at its sample.
    fn is_word(&self, a: &Expr, b: &Expr, env: &Env<'p>) -> bool {
        let number = |e: &Expr| {
            matches!(&e.kind, ExprKind::Path(p) if matches!(p.as_slice(), [n]
            if matches!(env.get(&n.name), Some(Den::Wires(Value::Number(_))))))
        };
        let nothing = |e: &Expr| {
            matches!(&e.kind, ExprKind::Path(p) if matches!(p.as_slice(), [n]
            if env.get(&n.name).is_none() && &*n.name != "pi" && self.resolve_path(p, env).is_none()))
        };
        (number(a) && nothing(b)) || (nothing(a) && number(b))
    }

    fn is_const(&self, path: &[crate::syntax::ast::Ident], env: &Env<'p>) -> bool {
        let found = self.resolve_path(path, env).and_then(|id| self.defs.item(id));
        matches!(found.map(|i| &i.kind), Some(ItemKind::Const(_)))
    }

    /// `x[0..4]`, `x[3]`, `x[1, 0..2]`: places along the first axes.
    fn slice(&mut self, x: &Operand, group: &'p Group, env: &Env<'p>) -> Res<Value> {
        self.not_pointwise("a slice", group.span)?;
        let wire = self.as_wire(&x.0, x.1)?;
        let leaf = self.b.leaf(wire).clone();
        let dims = leaf.literal_dims().ok_or(None)?;
        if group.args.len() > dims.len() {
            return fault(
                Diagnostic::error(Code::RANGE, format!("{} indices for {leaf}", group.args.len()))
                    .at(group.span, format!("{} axes are there", dims.len()))
                    .help(format!("give at most {}", dims.len())),
            );
        }
        let mut out = wire;
        let mut dims = dims;
        for (axis, arg) in group.args.iter().enumerate() {
            let n = dims.get(axis).copied().unwrap_or(1);
            let (start, end) = self.range(arg, n, env)?;
            if start >= end || end > n {
                return self.no_place(wire, arg, (start, end), n);
            }
            let axes = dims.get(axis..).unwrap_or_default();
            let map = AffineIndex::slice(axes, start, end - start, 1);
            let made = self.b.op(Op::Index(Arc::new(map)), &[out]);
            out = self.typed(made, "a slice", group.span)?;
            if let Some(d) = dims.get_mut(axis) {
                *d = end - start;
            }
        }
        Ok(Value::Wire(out))
    }

    fn range(&mut self, arg: &'p Arg, n: u64, env: &Env<'p>) -> Res<(u64, u64)> {
        let at = |elab: &mut Self, e: &'p Expr| -> Res<u64> {
            let x = elab.number(e, env)?;
            let x = whole(x, e.span)?;
            u64::try_from(x).or_else(|_| {
                fault(
                    Diagnostic::error(Code::RANGE, format!("{x} is negative"))
                        .at(e.span, "before the first place")
                        .help("places are counted from 0; from the end: `x[size(x) - 1]`"),
                )
            })
        };
        let (start, end) = match &arg.value {
            ArgValue::Expr(e) => {
                let i = at(self, e)?;
                (i, i + 1)
            }
            ArgValue::Range(a, b) => {
                let start = a.as_ref().map_or(Ok(0), |e| at(self, e))?;
                (start, b.as_ref().map_or(Ok(n), |e| at(self, e))?)
            }
        };
        Ok((start, end))
    }

    /// Places that an axis does not have. Of one wire the first few are said: where more are wrong, its type is.
    fn no_place(&mut self, wire: Wire, arg: &Arg, (start, end): (u64, u64), n: u64) -> Res<Value> {
        let said = self.misplaced.entry(wire).or_default();
        *said += 1;
        if *said > MOST_MISPLACED {
            return Err(None);
        }
        let (what, help) = match &arg.value {
            ArgValue::Expr(_) => (
                format!("place {start} of an axis of {n}"),
                format!("places are counted from 0: the last is {}", n.saturating_sub(1)),
            ),
            ArgValue::Range(..) => (
                format!("the places {start}..{end} of an axis of {n}"),
                "a slice takes at least one place inside the axis".to_owned(),
            ),
        };
        fault(Diagnostic::error(Code::RANGE, what).at(arg.span, format!("the axis has 0..{n}")).help(help))
    }

    /// `x @ y`: matrix by vector, matrix by matrix, vector by matrix.
    pub(crate) fn matrix_product(&mut self, a: &Operand, b: &Operand, span: Span) -> Res<Value> {
        self.not_pointwise("@", span)?;
        let (x, y) = (self.real_wire(a, "@")?, self.real_wire(b, "@")?);
        let (lx, ly) = (self.b.leaf(x).clone(), self.b.leaf(y).clone());
        let letters = match (lx.rank(), ly.rank()) {
            (2, 1) => "ab,b->a",
            (2, 2) => "ab,bc->ac",
            (1, 2) => "a,ab->b",
            (1, 1) => {
                let made = self.b.dot(x, y);
                return self.typed(made, "@", span).map(Value::Wire);
            }
            _ => {
                return fault(
                    Diagnostic::error(Code::SHAPE, format!("`@` multiplies matrices and vectors, not {lx} and {ly}"))
                        .at(a.1, lx.to_string())
                        .at(b.1, ly.to_string())
                        .help("use einsum(\"..\", x, y) for more axes"),
                );
            }
        };
        if lx.dims.last() != ly.dims.first() {
            let inner = |d: Option<&crate::object::Dim>| d.map_or_else(String::new, ToString::to_string);
            return fault(
                Diagnostic::error(Code::SHAPE, format!("`@` of {lx} and {ly}: the inner sizes differ"))
                    .at(a.1, format!("{lx} ends in {}", inner(lx.dims.last())))
                    .at(b.1, format!("{ly} begins with {}", inner(ly.dims.first())))
                    .help("weights are R[out, in], applied as W @ x"),
            );
        }
        let made = self.b.einsum(letters, &[x, y], &[], 1.0);
        self.typed(made, "@", span).map(Value::Wire)
    }

    /// A number that must be known while elaborating.
    pub(crate) fn number(&mut self, e: &'p Expr, env: &Env<'p>) -> Res<f64> {
        match self.wire(e, env)? {
            Value::Number(x) => Ok(x),
            Value::Poison => Err(None),
            other => fault(
                Diagnostic::error(Code::WRONG_KIND, "a number is needed here")
                    .at(e.span, format!("this is {}", self.show(&other)))
                    .help("write a number, or the name of a `dim` or setting"),
            ),
        }
    }

    /// Several wires as operands, each with the place of the call.
    pub(crate) fn wires_of(&self, value: &Value, span: Span) -> Vec<Operand> {
        match value {
            Value::Tuple(parts) => parts.iter().map(|v| (v.clone(), span)).collect(),
            other => vec![(other.clone(), span)],
        }
    }

    /// The leaf of a wire.
    pub(crate) fn leaf(&self, wire: Wire) -> Leaf {
        self.b.leaf(wire).clone()
    }
}

/// Whether an expression is arithmetic of numbers known while elaborating. It is asked before a condition is
/// elaborated, so that one about wires is elaborated once: twice would make its parameters twice.
fn numeric(e: &Expr, env: &Env<'_>) -> bool {
    match &e.kind {
        ExprKind::Number(_) => true,
        ExprKind::Path(p) => {
            matches!(p.first().and_then(|n| env.get(&n.name)), Some(Den::Dim(_) | Den::Wires(Value::Number(_))))
        }
        ExprKind::Sum(first, rest) => numeric(first, env) && rest.iter().all(|(_, _, e)| numeric(e, env)),
        ExprKind::Product(first, rest) => numeric(first, env) && rest.iter().all(|(_, _, e)| numeric(e, env)),
        ExprKind::Power(pair) => numeric(&pair.0, env) && numeric(&pair.1, env),
        ExprKind::Negate(inner) => numeric(inner, env),
        _ => false,
    }
}

//! The names of the language that sum, order and reshape.

use crate::diagram::{AffineIndex, LeadAxis, Op, Wire};
use crate::elaborate::session::Elab;
use crate::elaborate::terms::apply::Call;
use crate::elaborate::terms::arith::{Binary, Operand};
use crate::elaborate::typing::dims::{entries_of, whole};
use crate::elaborate::value::{Env, Res, Value, fault};
use crate::object::{Base, Dim};
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::{CompareOp, Expr, ExprKind, Ident};
use std::sync::Arc;

impl<'p> Elab<'p> {
    /// `sum`, `mean`: over the last axis, or `axis = k`; over all leaves of a family.
    pub(crate) fn sum(&mut self, name: &Ident, call: &Call<'p>, env: &Env<'p>, ins: &[Operand]) -> Res<Value> {
        let span = call.span;
        self.not_pointwise(&name.name, span)?;
        let a = self.one(ins, name, span)?;
        if let Value::Family(wires) = &a.0 {
            if &*name.name == "mean" {
                return Self::not_yet("`mean` over all parameters", span);
            }
            return self.family_sum(wires, span);
        }
        let x = match &*name.name {
            "sum" => self.number_wire(&a, "sum")?,
            _ => self.real_wire(&a, &name.name)?,
        };
        let dims = self.literal(x)?;
        let axis = self.axis(call, env, dims.len())?;
        let made = self.b.sum_axis(x, axis);
        let total = self.typed(made, &name.name, span)?;
        if &*name.name == "sum" {
            return Ok(Value::Wire(total));
        }
        #[allow(clippy::cast_precision_loss, reason = "dimensions are below 2^32")]
        let n = dims.get(axis).copied().unwrap_or(1) as f64;
        let made = self.b.scale(total, 1.0 / n);
        self.typed(made, &name.name, span).map(Value::Wire)
    }

    fn family_sum(&mut self, wires: &[Wire], span: Span) -> Res<Value> {
        let mut total: Option<Wire> = None;
        for w in wires {
            let made = self.b.sum_all(*w);
            let part = self.typed(made, "sum", span)?;
            total = Some(match total {
                Some(t) => {
                    let made = self.b.add(t, part);
                    self.typed(made, "sum", span)?
                }
                None => part,
            });
        }
        total.map(Value::Wire).ok_or(None)
    }

    fn axis(&mut self, call: &Call<'p>, env: &Env<'p>, rank: usize) -> Res<usize> {
        let Some(e) = self.arg(call, "axis", usize::MAX) else { return Ok(rank.saturating_sub(1)) };
        let x = self.number(e, env)?;
        let axis = whole(x, e.span)?;
        usize::try_from(axis).ok().filter(|a| *a < rank).ok_or_else(|| {
            Some(Box::new(
                Diagnostic::error(Code::RANGE, format!("axis {axis} of a tensor with {rank} axes"))
                    .at(e.span, format!("axes are 0..{rank}"))
                    .help(format!("the last axis is {}", rank.saturating_sub(1))),
            ))
        })
    }

    /// `spread(v, x)`: one number a row, `R[..s]`, repeated along the last axis of `x : R[..s, n]`.
    pub(crate) fn along(&mut self, ins: &[Operand], name: &Ident, span: Span) -> Res<Value> {
        self.not_pointwise("spread", span)?;
        let (a, b) = self.two(ins, name, span)?;
        let (v, x) = (self.real_wire(&a, "spread")?, self.real_wire(&b, "spread")?);
        let (lv, lx) = (self.leaf(v), self.leaf(x));
        let rows = lx.dims.split_last().map(|(_, rows)| rows.to_vec()).unwrap_or_default();
        if rows.is_empty() && lv.is_number() {
            let made = self.b.broadcast(v, &lx.dims);
            return self.typed(made, "spread", span).map(Value::Wire);
        }
        if lv.dims.as_slice() != rows.as_slice() {
            return fault(
                Diagnostic::error(
                    Code::SHAPE,
                    format!("`spread` repeats {} along the last axis of {lx}: it must be the rows", lv),
                )
                .at(a.1, lv.to_string())
                .at(b.1, lx.to_string())
                .help("sum or take `max` along the last axis of the second to get its rows"),
            );
        }
        let letters: Vec<usize> = (0..rows.len()).collect();
        let out: Vec<usize> = (0..=rows.len()).collect();
        let last = lx.dims.last().copied();
        let spec = crate::diagram::EinsumSpec::new(&[letters], &out, |_| last, 1.0);
        let spec = self.typed(spec, "spread", span)?;
        let made = self.b.op(Op::einsum(spec), &[v]);
        self.typed(made, "spread", span).map(Value::Wire)
    }

    /// `dot(x, y)`: over all entries, also over families.
    pub(crate) fn dot(&mut self, ins: &[Operand], name: &Ident, span: Span) -> Res<Value> {
        self.not_pointwise("dot", span)?;
        let (a, b) = self.two(ins, name, span)?;
        if matches!(a.0, Value::Family(_)) || matches!(b.0, Value::Family(_)) {
            let product = self.binary(Binary::Multiply, a, b, span)?;
            return match product {
                Value::Family(wires) => self.family_sum(&wires, span),
                _ => Err(None),
            };
        }
        let (x, y) = (self.real_wire(&a, "dot")?, self.real_wire(&b, "dot")?);
        let (lx, ly) = (self.leaf(x), self.leaf(y));
        if lx != ly {
            return fault(
                Diagnostic::error(Code::SHAPE, format!("`dot` needs two wires of one shape, these are {lx} and {ly}"))
                    .at(a.1, lx.to_string())
                    .at(b.1, ly.to_string())
                    .help("reshape or slice one of them; `W @ x` is the product of a matrix"),
            );
        }
        let made = self.b.dot(x, y);
        self.typed(made, "dot", span).map(Value::Wire)
    }

    /// `max(x, y)`, `min(x, y)` pointwise; the first of equals.
    pub(crate) fn larger(&mut self, ins: &[Operand], name: &str, span: Span) -> Res<Value> {
        let [a, b] = ins else { return Err(None) };
        if let (Value::Number(x), Value::Number(y)) = (&a.0, &b.0) {
            return Ok(Value::Number(if name == "max" { x.max(*y) } else { x.min(*y) }));
        }
        let op = if name == "max" { CompareOp::GreaterEqual } else { CompareOp::LessEqual };
        let c = self.compare(op, a.clone(), b.clone(), span)?;
        self.select((c, span), a.clone(), b.clone(), span)
    }

    /// `max(x)`, `min(x)` along the last axis.
    pub(crate) fn extreme(
        &mut self,
        call: &Call<'p>,
        _env: &Env<'p>,
        ins: &[Operand],
        sign: f64,
        span: Span,
    ) -> Res<Value> {
        self.not_pointwise("max", span)?;
        let [a] = ins else {
            return fault(
                Diagnostic::error(Code::ARITY, "one wire, or two to compare")
                    .at(call.span, format!("{} wires", ins.len()))
                    .help("write `max(x)` or `max(x, y)`"),
            );
        };
        let mut x = self.number_wire(a, if sign < 0.0 { "min" } else { "max" })?;
        if sign < 0.0 {
            let made = self.b.negative(x);
            x = self.typed(made, "min", span)?;
        }
        let made = self.b.op(Op::Max, &[x]);
        let mut out = self.typed(made, "max", span)?;
        if sign < 0.0 {
            let made = self.b.negative(out);
            out = self.typed(made, "min", span)?;
        }
        self.drop_last(out, span)
    }

    /// A trailing axis of one left out, unless it is the only one.
    pub(crate) fn drop_last(&mut self, wire: Wire, span: Span) -> Res<Value> {
        let dims = self.b.dims(wire);
        match dims.split_last() {
            Some((_, [])) | None => Ok(Value::Wire(wire)),
            Some((last, rest)) => {
                let from: Vec<Dim> = rest.last().copied().into_iter().chain([*last]).collect();
                let to: Vec<Dim> = rest.last().copied().into_iter().collect();
                let made = self.b.reshape(wire, &from, &to);
                self.typed(made, "reshape", span).map(Value::Wire)
            }
        }
    }

    pub(crate) fn one_hot(&mut self, call: &Call<'p>, ins: &[Operand], name: &Ident) -> Res<Value> {
        let x = self.one_wire(ins, name, call.span)?;
        let leaf = self.leaf(x);
        let made = self.b.op(Op::OneHot, &[x]);
        let hot = self.typed(made, "one_hot", call.span)?;
        if leaf.dims.as_slice() != [Dim::ONE] {
            return Ok(Value::Wire(hot));
        }
        // `Fin[n]` is `Fin[n][1]`: the axis of one is left out.
        let last = self.b.dims(hot).last().copied().unwrap_or(Dim::ONE);
        let made = self.b.reshape(hot, &[Dim::ONE, last], &[last]);
        self.typed(made, "one_hot", call.span).map(Value::Wire)
    }

    /// `einsum("ij,j->i", W, x)`.
    pub(crate) fn einsum_call(&mut self, call: &Call<'p>, ins: &[Operand], span: Span) -> Res<Value> {
        self.not_pointwise("einsum", span)?;
        let text = call.settings.iter().find_map(|a| match &a.value {
            crate::syntax::ast::ArgValue::Expr(Expr { kind: ExprKind::Text(t), span }) => Some((t.clone(), *span)),
            _ => None,
        });
        let Some((letters, at)) = text else {
            return fault(
                Diagnostic::error(Code::EINSUM, "`einsum` is written einsum(\"ij,j->i\", x, y)")
                    .at(span, "no letters")
                    .help("give the letters as a text first, then a wire for each group of letters"),
            );
        };
        let mut wires = Vec::new();
        for a in ins {
            wires.push(self.real_wire(a, "einsum")?);
        }
        let clean: String = letters.chars().filter(|c| !c.is_whitespace()).collect();
        let clean = if clean.ends_with("->") { format!("{clean}!") } else { clean };
        let (left, _) = clean.split_once("->").unwrap_or((&clean, ""));
        let mut seen: Vec<(char, Dim, usize)> = Vec::new();
        for (k, (word, wire)) in left.split(',').zip(&wires).enumerate() {
            for (c, dim) in word.chars().zip(self.b.dims(*wire)) {
                let known = seen.iter().find(|(l, _, _)| *l == c).copied();
                if let Some((_, other, first)) = known.filter(|(_, other, _)| *other != dim) {
                    let place = |i: usize| ins.get(i).map_or(span, |a| a.1);
                    return fault(
                        Diagnostic::error(
                            Code::EINSUM,
                            format!("the letter `{c}` is {other} in one place and {dim} in another"),
                        )
                        .at(at, "in these letters")
                        .also(
                            place(first),
                            format!(
                                "operand {} is {}",
                                first + 1,
                                wires.get(first).map_or(String::new(), |w| self.leaf(*w).to_string())
                            ),
                        )
                        .note(format!("operand {} is {}", k + 1, self.leaf(*wire)))
                        .help("use another letter for one of the two"),
                    );
                }
                seen.push((c, dim, k));
            }
        }
        let lone = |c: char| !c.is_alphabetic() && !matches!(c, ',' | '-' | '>' | '!');
        if let Some(c) = clean.chars().find(|c| lone(*c)) {
            return fault(
                Diagnostic::error(Code::EINSUM, format!("`{c}` is not a letter"))
                    .at(at, format!("`{c}` stands here"))
                    .help("write letters, `,` between operands and `->` before the result"),
            );
        }
        let made = self.b.einsum(&clean, &wires, &[('!', Dim::ONE)], 1.0);
        match made {
            Ok(w) => Ok(Value::Wire(w)),
            Err(f) => {
                let shapes: Vec<String> = wires.iter().map(|w| self.leaf(*w).to_string()).collect();
                fault(
                    Diagnostic::error(Code::EINSUM, format!("these letters do not fit: {f}"))
                        .at(at, format!("{} operands in the letters", letters.matches(',').count() + 1))
                        .also(span, format!("given {}", shapes.join(", ")))
                        .help("write a group of letters for each operand, a letter for each axis"),
                )
            }
        }
    }

    pub(crate) fn reshape(&mut self, call: &Call<'p>, env: &Env<'p>, ins: &[Operand], name: &Ident) -> Res<Value> {
        self.not_pointwise("reshape", call.span)?;
        let x = self.one_wire(ins, name, call.span)?;
        let dims = self.dims_given(call, env)?;
        let leaf = self.leaf(x);
        let Some(total) = entries_of(&dims) else {
            return fault(
                Diagnostic::error(Code::LIMIT, "this has more entries than any memory")
                    .at(call.span, "more than 2^64")
                    .help("make it smaller"),
            );
        };
        if dims.is_empty() || total != leaf.size(1) as u64 {
            let to = leaf.with_dims(dims.iter().map(|n| Dim::lit(*n)));
            return fault(
                Diagnostic::error(Code::SHAPE, format!("{leaf} has {} entries, {to} has {total}", leaf.size(1)))
                    .at(call.span, format!("{} entries arrive, {total} leave", leaf.size(1)))
                    .help("let the product of the sizes be that of the wire"),
            );
        }
        let to: Vec<Dim> = dims.into_iter().map(Dim::lit).collect();
        let made = self.b.reshape_all(x, &to);
        self.typed(made, "reshape", call.span).map(Value::Wire)
    }

    /// `cat(x, y, ..)` along the first axis.
    pub(crate) fn cat(&mut self, ins: &[Operand], span: Span) -> Res<Value> {
        self.not_pointwise("cat", span)?;
        let mut wires = Vec::new();
        for a in ins {
            wires.push(self.as_wire(&a.0, a.1)?);
        }
        let rank = wires.first().map_or(0, |w| self.leaf(*w).rank());
        let made = self.b.op(Op::Concat { core: u8::try_from(rank).unwrap_or(0) }, &wires);
        made.map(Value::Wire).or_else(|_| {
            let mut d = Diagnostic::error(Code::SHAPE, "`cat` joins wires that differ only in their first axis")
                .also(span, "joined here")
                .help("make the other axes equal with `reshape` or a slice");
            for (a, w) in ins.iter().zip(&wires) {
                d = d.at(a.1, self.leaf(*w).to_string());
            }
            fault(d)
        })
    }

    /// `split[a, b](x)` along the first axis.
    pub(crate) fn split(&mut self, call: &Call<'p>, env: &Env<'p>, ins: &[Operand], name: &Ident) -> Res<Value> {
        self.not_pointwise("split", call.span)?;
        let x = self.one_wire(ins, name, call.span)?;
        let sizes = self.dims_given(call, env)?;
        let axes = self.literal(x)?;
        let n = axes.first().copied().unwrap_or(0);
        let total: u64 = sizes.iter().sum();
        if total != n || sizes.is_empty() {
            let shown: Vec<String> = sizes.iter().map(u64::to_string).collect();
            return fault(
                Diagnostic::error(Code::SHAPE, format!("{n} places cannot be split into {}", shown.join(" + ")))
                    .at(call.span, format!("{} is {total}", shown.join(" + ")))
                    .note(format!("the wire is {}", self.leaf(x)))
                    .help(format!("let the parts add up to {n}")),
            );
        }
        let mut at = 0;
        let mut parts = Vec::new();
        for size in sizes {
            let made = self.b.op(Op::Index(Arc::new(AffineIndex::slice(&axes, at, size, 1))), &[x]);
            parts.push(Value::Wire(self.typed(made, "split", call.span)?));
            at += size;
        }
        Ok(Value::Tuple(parts))
    }

    /// `wires(x)`: a vector as a product of single wires.
    pub(crate) fn separate(&mut self, ins: &[Operand], name: &Ident, span: Span) -> Res<Value> {
        let x = self.one_wire(ins, name, span)?;
        let axes = self.literal(x)?;
        let [n] = axes.as_slice() else {
            return fault(
                Diagnostic::error(Code::SHAPE, format!("`wires` takes a vector, not {}", self.leaf(x)))
                    .at(span, self.leaf(x).to_string())
                    .help("reshape it to one axis first"),
            );
        };
        if *n > 100_000 {
            return fault(
                Diagnostic::error(Code::LIMIT, format!("{n} wires at once"))
                    .at(span, "the limit is 100000")
                    .help("take slices instead: `x[0..4]`"),
            );
        }
        let mut parts = Vec::new();
        for i in 0..*n {
            let made = self.b.op(Op::Index(Arc::new(AffineIndex::slice(&axes, i, 1, 1))), &[x]);
            parts.push(Value::Wire(self.typed(made, "wires", span)?));
        }
        Ok(Value::Tuple(parts))
    }

    /// `zeros[n]`, `ones[n]`, `eye[n]`.
    pub(crate) fn filled(&mut self, name: &Ident, call: &Call<'p>, env: &Env<'p>) -> Res<Value> {
        let sizes = self.dims_given(call, env)?;
        let entries = entries_of(&sizes);
        if entries.is_none_or(|n| n > 1 << 40) {
            return fault(
                Diagnostic::error(Code::LIMIT, "this has more entries than any memory")
                    .at(call.span, "more than 2^40")
                    .help("make it smaller"),
            );
        }
        let dims: Vec<Dim> = sizes.into_iter().map(Dim::lit).collect();
        let made = match (&*name.name, dims.as_slice()) {
            (_, []) => {
                return fault(
                    Diagnostic::error(Code::DIMENSION, format!("`{0}` needs a shape: {0}[n]", name.name))
                        .at(call.span, "no shape")
                        .help(format!("write `{}[3]`, or `{}[2, 3]`", name.name, name.name)),
                );
            }
            ("eye", [n]) => self.b.einsum("->aa", &[], &[('a', *n)], 1.0),
            ("eye", _) => {
                return fault(
                    Diagnostic::error(Code::DIMENSION, "`eye` takes one number")
                        .at(call.span, "one number")
                        .help("write `eye[3]` for the 3 x 3 identity"),
                );
            }
            ("ones", _) => self.b.fill(&dims, 1.0),
            _ => self.b.fill(&dims, 0.0),
        };
        self.typed(made, &name.name, call.span).map(Value::Wire)
    }

    /// `pad[before, after](x)` on the last axis; `pad[t, b, l, r](x)` on the last two.
    pub(crate) fn pad(&mut self, call: &Call<'p>, env: &Env<'p>, ins: &[Operand], name: &Ident) -> Res<Value> {
        let x = self.one_wire(ins, name, call.span)?;
        let dims = self.literal(x)?;
        let mut given = Vec::new();
        for arg in call.dims.iter().flat_map(|g| &g.args) {
            if let crate::syntax::ast::ArgValue::Expr(e) = &arg.value {
                given.push(self.margin(e, env)?);
            }
        }
        let axes = given.len() / 2;
        if axes == 0 || given.len() % 2 != 0 || axes > dims.len() {
            return fault(
                Diagnostic::error(Code::SHAPE, "`pad` takes a number before and after for each of the last axes")
                    .at(call.span, "not pairs of numbers")
                    .help("write `pad[1, 1](x)` for one place on either side of the last axis"),
            );
        }
        let core = dims.get(dims.len() - axes..).unwrap_or_default();
        let before: Vec<u64> = given.iter().step_by(2).copied().collect();
        let after: Vec<u64> = given.iter().skip(1).step_by(2).copied().collect();
        let made = self.b.op(Op::Index(Arc::new(AffineIndex::pad(core, &before, &after))), &[x]);
        self.typed(made, "pad", call.span).map(Value::Wire)
    }

    /// How many zeros stand beside an axis: a whole number, zero or more.
    fn margin(&mut self, e: &'p Expr, env: &Env<'p>) -> Res<u64> {
        let n = whole(self.number(e, env)?, e.span)?;
        match u64::try_from(n) {
            Ok(n) if n <= 1 << 32 => Ok(n),
            Ok(n) => fault(
                Diagnostic::error(Code::LIMIT, format!("{n} places of padding are more than this version allows"))
                    .at(e.span, "the limit is 2^32")
                    .help("pad fewer places"),
            ),
            Err(_) => fault(
                Diagnostic::error(Code::RANGE, format!("padding of {n} places"))
                    .at(e.span, format!("this is {n}, it must be at least 0"))
                    .help("a slice takes places away: `x[1..]`"),
            ),
        }
    }

    /// `windows[kh, kw](stride = s, padding = p)(x)`: R[.., h, w] -> R[.., oh, ow, kh, kw].
    pub(crate) fn windows(&mut self, call: &Call<'p>, env: &Env<'p>, ins: &[Operand], name: &Ident) -> Res<Value> {
        let x = self.one_wire(ins, name, call.span)?;
        let window = self.dims_given(call, env)?;
        let dims = self.literal(x)?;
        let stride = self.arg(call, "stride", usize::MAX).map_or(Ok(1), |e| self.dim(e, env))?;
        let padding = match self.arg(call, "padding", usize::MAX) {
            Some(e) => self.margin(e, env)?,
            None => 0,
        };
        let n = window.len();
        if n == 0 || n > dims.len() {
            return fault(
                Diagnostic::error(Code::SHAPE, "`windows` needs a size for each axis it moves along")
                    .at(call.span, "no sizes")
                    .help("write `windows[2, 2](x)` for windows of 2 x 2"),
            );
        }
        let core = dims.get(dims.len() - n..).unwrap_or_default();
        let mut outs = Vec::new();
        for (size, k) in core.iter().zip(&window) {
            let wide = size + 2 * padding;
            if *k > wide {
                return fault(
                    Diagnostic::error(Code::SHAPE, format!("a window of {k} does not fit an axis of {wide}"))
                        .at(call.span, format!("the wire is {}", self.leaf(x)))
                        .help("take a smaller window, or pad first"),
                );
            }
            outs.push((wide - k) / stride + 1);
        }
        let strides = vec![stride; n];
        let paddings = vec![padding; n];
        let map = AffineIndex::windows(core, &window, &strides, &paddings, &outs);
        let made = self.b.op(Op::Index(Arc::new(map)), &[x]);
        self.typed(made, "windows", call.span).map(Value::Wire)
    }

    /// `gather(table, index)`: rows looked up.
    pub(crate) fn gather(&mut self, ins: &[Operand], name: &Ident, span: Span) -> Res<Value> {
        let (a, b) = self.two(ins, name, span)?;
        let (table, index) = (self.as_wire(&a.0, a.1)?, self.as_wire(&b.0, b.1)?);
        let leaf = self.leaf(index);
        if !matches!(leaf.base, Base::Fin(_)) {
            return fault(
                Diagnostic::error(Code::BASE, format!("`gather` looks up labels Fin[n], not {leaf}"))
                    .at(b.1, leaf.to_string())
                    .help("the second wire holds labels: `gather(table, ids)`"),
            );
        }
        let lead: smallvec::SmallVec<[LeadAxis; 2]> = smallvec::SmallVec::new();
        let made = self.b.op(Op::Gather { lead }, &[table, index]);
        self.typed(made, "gather", span).map(Value::Wire)
    }
}

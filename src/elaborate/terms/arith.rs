//! Arithmetic between values: numbers fold, `R[1]` broadcasts, families act leaf by leaf, nothing else is silent.

use crate::diagram::{Comparison, Function, Logic, Op, Whole, Wire};
use crate::elaborate::session::Elab;
use crate::elaborate::value::{Res, Value, fault};
use crate::object::{Base, Dim, Leaf};
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::CompareOp;
use std::rc::Rc;

/// The pointwise operations of two operands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Mod,
}

impl Binary {
    fn word(self) -> &'static str {
        match self {
            Binary::Add => "+",
            Binary::Subtract => "-",
            Binary::Multiply => "*",
            Binary::Divide => "/",
            Binary::Power => "^",
            Binary::Mod => "mod",
        }
    }

    fn fold(self, a: f64, b: f64) -> f64 {
        match self {
            Binary::Add => a + b,
            Binary::Subtract => a - b,
            Binary::Multiply => a * b,
            Binary::Divide => a / b,
            Binary::Power if b.fract() == 0.0 && b.abs() < 1e9 => {
                #[allow(clippy::cast_possible_truncation, reason = "whole and small")]
                let n = b as i32;
                a.powi(n)
            }
            Binary::Power => a.powf(b),
            Binary::Mod => a - b * (a / b).floor(),
        }
    }
}

/// What a function does to a number known now.
fn known(f: Function) -> Option<fn(f64) -> f64> {
    Some(match f {
        Function::Exp => f64::exp,
        Function::Log => f64::ln,
        Function::Sqrt => f64::sqrt,
        Function::Sin => f64::sin,
        Function::Cos => f64::cos,
        Function::Tanh => f64::tanh,
        Function::Abs => f64::abs,
        Function::Floor => f64::floor,
        _ => return None,
    })
}

/// An operand with the place it was written at.
pub(crate) type Operand = (Value, Span);

impl<'p> Elab<'p> {
    /// A number as a wire `R[1]`; other values must be one wire.
    pub(crate) fn as_wire(&mut self, value: &Value, span: Span) -> Res<Wire> {
        match value {
            Value::Wire(w) => Ok(*w),
            Value::Number(x) => {
                let made = self.b.fill(&[Dim::ONE], *x);
                self.typed(made, "number", span)
            }
            Value::Poison => Err(None),
            Value::Tuple(parts) => fault(
                Diagnostic::error(Code::ARITY, format!("one wire is needed here, these are {}", parts.len()))
                    .at(span, self.show(value))
                    .help("take it apart with `let (a, b) = ..`, or join its parts with `cat`"),
            ),
            Value::Family(_) => fault(
                Diagnostic::error(Code::RULE_SCOPE, "all parameters together cannot be used as one wire")
                    .at(span, "a family, one wire a parameter leaf")
                    .help("in a rule `per global`, `norm`, `dot` and `sum` give one number; the rest is pointwise"),
            ),
        }
    }

    /// Applies a function of wires leaf by leaf where families are among them.
    pub(crate) fn lifted(
        &mut self,
        values: &[Operand],
        f: &mut dyn FnMut(&mut Self, &[Operand]) -> Res<Value>,
    ) -> Res<Value> {
        let family = values.iter().find_map(|(v, _)| if let Value::Family(ws) = v { Some(ws.len()) } else { None });
        let Some(n) = family else { return f(self, values) };
        let mut out = Vec::with_capacity(n);
        for i in 0..n {
            let each: Vec<Operand> = values
                .iter()
                .map(|(v, s)| match v {
                    Value::Family(ws) => (ws.get(i).map_or(Value::Poison, |w| Value::Wire(*w)), *s),
                    other => (other.clone(), *s),
                })
                .collect();
            let made = f(self, &each)?;
            out.push(self.as_wire(&made, values.first().map(|(_, s)| *s).unwrap_or_default())?);
        }
        Ok(Value::Family(Rc::new(out)))
    }

    /// Two operands brought to one leaf: equal already, or one of them a number.
    pub(crate) fn fit(&mut self, a: &Operand, b: &Operand, word: &str, span: Span) -> Res<(Wire, Wire)> {
        // Beside bits, whole numbers and labels a number is one of them.
        if let (Value::Number(x), Value::Wire(w)) = (&a.0, &b.0)
            && self.b.leaf(*w).base != Base::Real
        {
            let like = self.leaf(*w);
            return Ok((self.number_as(*x, &like, a.1)?, *w));
        }
        if let (Value::Wire(w), Value::Number(x)) = (&a.0, &b.0)
            && self.b.leaf(*w).base != Base::Real
        {
            let like = self.leaf(*w);
            return Ok((*w, self.number_as(*x, &like, b.1)?));
        }
        let wa = self.as_wire(&a.0, a.1)?;
        let wb = self.as_wire(&b.0, b.1)?;
        let (la, lb) = (self.b.leaf(wa).clone(), self.b.leaf(wb).clone());
        if la == lb {
            return Ok((wa, wb));
        }
        let dims = |leaf: &Leaf| leaf.dims.clone();
        let one = |leaf: &Leaf| leaf.dims.as_slice() == [Dim::ONE];
        if one(&la) && la.base == lb.base {
            let wide = self.spread(&a.0, wa, &dims(&lb), span)?;
            return Ok((wide, wb));
        }
        if one(&lb) && la.base == lb.base {
            let wide = self.spread(&b.0, wb, &dims(&la), span)?;
            return Ok((wa, wide));
        }
        let word = if word.contains(' ') { word.to_owned() } else { format!("`{word}`") };
        if la.base != lb.base {
            let help = match (la.base, lb.base) {
                (Base::Bool, Base::Int) | (Base::Int, Base::Bool) => {
                    "`int(x)` makes bits whole numbers, `x > 0` makes bits"
                }
                (Base::Real, Base::Bool) | (Base::Bool, Base::Real) => {
                    "`x > 0` makes bits of reals, `if b then 1.0 else 0.0` chooses reals by bits"
                }
                (Base::Fin(_), Base::Fin(_)) => {
                    "labels of different numbers do not meet; `int(x)` makes them whole numbers"
                }
                (Base::Fin(_), Base::Int) | (Base::Int, Base::Fin(_)) => "`int(x)` makes labels whole numbers",
                (Base::Fin(_), Base::Real) | (Base::Real, Base::Fin(_)) => "`one_hot(x)` makes labels reals",
                _ => "one kind of numbers is needed on both sides",
            };
            return fault(
                Diagnostic::error(Code::BASE, format!("{word} needs two wires of one kind, these are {la} and {lb}"))
                    .at(a.1, la.to_string())
                    .at(b.1, lb.to_string())
                    .help(help),
            );
        }
        fault(
            Diagnostic::error(Code::SHAPE, format!("{word} needs two wires of one shape, these are {la} and {lb}"))
                .at(a.1, la.to_string())
                .at(b.1, lb.to_string())
                .help("only one entry, such as R[1], is repeated to fit; reshape or slice one of the two"),
        )
    }

    fn spread(&mut self, value: &Value, wire: Wire, dims: &[Dim], span: Span) -> Res<Wire> {
        let made = match value {
            Value::Number(x) if self.b.leaf(wire).base == Base::Real => self.b.fill(dims, *x),
            _ => self.b.broadcast(wire, dims),
        };
        self.typed(made, "broadcast", span)
    }

    /// A pointwise operation of two operands.
    pub(crate) fn binary(&mut self, op: Binary, a: Operand, b: Operand, span: Span) -> Res<Value> {
        if let (Value::Number(x), Value::Number(y)) = (&a.0, &b.0) {
            return Ok(Value::Number(op.fold(*x, *y)));
        }
        self.lifted(&[a, b], &mut |elab, pair| match pair {
            [a, b] => elab.binary_wires(op, a, b, span),
            _ => Err(None),
        })
    }

    fn binary_wires(&mut self, op: Binary, a: &Operand, b: &Operand, span: Span) -> Res<Value> {
        if let (Value::Number(x), Value::Number(y)) = (&a.0, &b.0) {
            return Ok(Value::Number(op.fold(*x, *y)));
        }
        // A constant factor is a scaling, which is linear and needs no guard against infinite derivatives.
        let scaled = match (op, &a.0, &b.0) {
            (Binary::Multiply, Value::Number(c), _) if self.is_real(&b.0) => Some((b, *c)),
            (Binary::Multiply, _, Value::Number(c)) if self.is_real(&a.0) => Some((a, *c)),
            _ => None,
        };
        if let Some((operand, by)) = scaled {
            let wire = self.as_wire(&operand.0, operand.1)?;
            let made = self.b.scale(wire, by);
            return self.typed(made, op.word(), span).map(Value::Wire);
        }
        if let (Binary::Power, Value::Number(n)) = (op, &b.0)
            && n.fract() == 0.0
            && n.abs() <= 1e6
        {
            let wire = self.real_wire(a, op.word())?;
            #[allow(clippy::cast_possible_truncation, reason = "whole and small")]
            let made = self.b.map(Function::Powi(*n as i32), &[wire]);
            return self.typed(made, "^", span).map(Value::Wire);
        }
        let (x, y) = self.fit(a, b, op.word(), span)?;
        let leaf = self.b.leaf(x).clone();
        if leaf.base == Base::Int && op != Binary::Power {
            return self.binary_ints(op, x, y, span).map(Value::Wire);
        }
        if leaf.base != Base::Real {
            let hint = match leaf.base {
                Base::Bool => "bits take `xor`, `&`, `|` and `!`; `int(x)` counts them",
                Base::Int => "whole numbers take `+ - * / mod`, where `/` rounds down",
                _ => "labels have no arithmetic",
            };
            return fault(
                Diagnostic::error(Code::BASE, format!("`{}` is not defined on {leaf}", op.word()))
                    .at(span, leaf.to_string())
                    .help(hint),
            );
        }
        let made = match op {
            Binary::Add => self.b.add(x, y),
            Binary::Subtract => self.b.sub(x, y),
            Binary::Multiply => self.b.map(Function::Mul, &[x, y]),
            Binary::Divide => self.b.map(Function::Div, &[x, y]),
            Binary::Power => self.b.map(Function::Pow, &[x, y]),
            Binary::Mod => {
                let quotient = self.b.map(Function::Div, &[x, y]);
                let quotient = self.typed(quotient, "mod", span)?;
                let floor = self.b.map(Function::Floor, &[quotient]);
                let floor = self.typed(floor, "mod", span)?;
                let whole = self.b.map(Function::Mul, &[floor, y]);
                let whole = self.typed(whole, "mod", span)?;
                self.b.sub(x, whole)
            }
        };
        self.typed(made, op.word(), span).map(Value::Wire)
    }

    /// Arithmetic of whole numbers; division rounds down.
    fn binary_ints(&mut self, op: Binary, x: Wire, y: Wire, span: Span) -> Res<Wire> {
        let whole = |elab: &mut Self, f: Whole, x: Wire, y: Wire| {
            let made = elab.b.op(Op::Whole(f), &[x, y]);
            elab.typed(made, op.word(), span)
        };
        let less = |elab: &mut Self, x: Wire, y: Wire| {
            let minus = elab.b.negative(y);
            let minus = elab.typed(minus, op.word(), span)?;
            let made = elab.b.add(x, minus);
            elab.typed(made, op.word(), span)
        };
        match op {
            Binary::Add => {
                let made = self.b.add(x, y);
                self.typed(made, "+", span)
            }
            Binary::Subtract => less(self, x, y),
            Binary::Multiply => whole(self, Whole::Mul, x, y),
            Binary::Divide => whole(self, Whole::Quotient, x, y),
            Binary::Mod => {
                let quotient = whole(self, Whole::Quotient, x, y)?;
                let part = whole(self, Whole::Mul, quotient, y)?;
                less(self, x, part)
            }
            Binary::Power => Err(None),
        }
    }

    fn is_real(&self, value: &Value) -> bool {
        match value {
            Value::Wire(w) => self.b.leaf(*w).base == Base::Real,
            Value::Number(_) | Value::Family(_) => true,
            _ => false,
        }
    }

    /// One wire of reals.
    pub(crate) fn real_wire(&mut self, operand: &Operand, word: &str) -> Res<Wire> {
        let wire = self.as_wire(&operand.0, operand.1)?;
        let leaf = self.b.leaf(wire);
        if leaf.base == Base::Real {
            return Ok(wire);
        }
        fault(
            Diagnostic::error(Code::BASE, format!("`{word}` needs real numbers, this is {leaf}"))
                .at(operand.1, leaf.to_string())
                .help(match leaf.base {
                    Base::Bool => "bits become numbers by `popcount(x)` or `if x then 1 else 0`",
                    Base::Int => "whole numbers have `+`, `-`, `*` and comparisons",
                    _ => "labels are looked up by `gather` or `embed`; `onehot[n]` in `data` makes vectors of them",
                }),
        )
    }

    /// One wire of reals or whole numbers.
    pub(crate) fn number_wire(&mut self, operand: &Operand, word: &str) -> Res<Wire> {
        let wire = self.as_wire(&operand.0, operand.1)?;
        let leaf = self.b.leaf(wire);
        if matches!(leaf.base, Base::Real | Base::Int) {
            return Ok(wire);
        }
        let d = Diagnostic::error(Code::BASE, format!("`{word}` needs real or whole numbers, this is {leaf}"))
            .at(operand.1, leaf.to_string());
        fault(match leaf.base {
            Base::Bool => d.help("`popcount(x)` counts bits, `int(x)` makes them 0 and 1"),
            _ => d.help("`int(x)` makes labels whole numbers"),
        })
    }

    /// `-x`.
    pub(crate) fn negate(&mut self, a: Operand, span: Span) -> Res<Value> {
        if let Value::Number(x) = a.0 {
            return Ok(Value::Number(-x));
        }
        self.lifted(&[a], &mut |elab, each| match each {
            [a] => {
                let wire = elab.as_wire(&a.0, a.1)?;
                // A bit is its own opposite, as in Z2.
                let made = elab.b.negative(wire);
                elab.typed(made, "-", span).map(Value::Wire)
            }
            _ => Err(None),
        })
    }

    /// A pointwise function of one operand, known by its function.
    pub(crate) fn pointwise(&mut self, f: Function, a: Operand, span: Span) -> Res<Value> {
        if let (Value::Number(x), Some(value)) = (&a.0, known(f)) {
            return Ok(Value::Number(value(*x)));
        }
        self.lifted(&[a], &mut |elab, each| match each {
            [a] => {
                let wire = elab.real_wire(a, f.name())?;
                let made = elab.b.map(f, &[wire]);
                elab.typed(made, f.name(), span).map(Value::Wire)
            }
            _ => Err(None),
        })
    }

    /// A function of bits.
    pub(crate) fn logic(&mut self, op: Logic, operands: &[Operand], span: Span) -> Res<Value> {
        let sign = match op {
            Logic::And => "&",
            Logic::Or => "|",
            Logic::Xor => "xor",
            Logic::Not => "!",
        };
        self.lifted(operands, &mut |elab, each| {
            let wires = match each {
                [a] => vec![elab.as_wire(&a.0, a.1)?],
                [a, b] => {
                    let (x, y) = elab.fit(a, b, sign, span)?;
                    vec![x, y]
                }
                _ => return Err(None),
            };
            let ints = op == Logic::And && wires.iter().all(|w| elab.b.leaf(*w).base == Base::Int);
            let made = if ints { Op::Whole(Whole::And) } else { Op::Logic(op) };
            let made = elab.b.op(made, &wires);
            elab.typed(made, Op::Logic(op).name(), span).map(Value::Wire)
        })
    }

    /// A comparison of wires.
    pub(crate) fn compare(&mut self, op: CompareOp, a: Operand, b: Operand, span: Span) -> Res<Value> {
        self.undecided(&a.0, &b.0, span)?;
        self.lifted(&[a, b], &mut |elab, pair| {
            let [a, b] = pair else { return Err(None) };
            let (x, y) = elab.fit(a, b, "a comparison", span)?;
            if elab.b.leaf(x).base == Base::Bool {
                return elab.compare_bits(op, x, y, span).map(Value::Wire);
            }
            let (cmp, ins, negated) = match op {
                CompareOp::Less => (Comparison::Less, [x, y], false),
                CompareOp::LessEqual => (Comparison::LessEqual, [x, y], false),
                CompareOp::Greater => (Comparison::Less, [y, x], false),
                CompareOp::GreaterEqual => (Comparison::LessEqual, [y, x], false),
                CompareOp::Equal => (Comparison::Equal, [x, y], false),
                CompareOp::NotEqual => (Comparison::Equal, [x, y], true),
            };
            let made = elab.b.op(Op::Compare(cmp), &ins);
            let made = elab.typed(made, "a comparison", span)?;
            if !negated {
                return Ok(Value::Wire(made));
            }
            let made = elab.b.op(Op::Logic(Logic::Not), &[made]);
            elab.typed(made, "!=", span).map(Value::Wire)
        })
    }

    /// A comparison of bits, false before true: a gate, so that it has requests.
    fn compare_bits(&mut self, op: CompareOp, x: Wire, y: Wire, span: Span) -> Res<Wire> {
        let gate = |elab: &mut Self, logic: Logic, ins: &[Wire]| {
            let made = elab.b.op(Op::Logic(logic), ins);
            elab.typed(made, "a comparison", span)
        };
        let (low, high) = if matches!(op, CompareOp::Greater | CompareOp::GreaterEqual) { (y, x) } else { (x, y) };
        match op {
            CompareOp::NotEqual => gate(self, Logic::Xor, &[x, y]),
            CompareOp::Equal => {
                let apart = gate(self, Logic::Xor, &[x, y])?;
                gate(self, Logic::Not, &[apart])
            }
            CompareOp::Less | CompareOp::Greater => {
                let clear = gate(self, Logic::Not, &[low])?;
                gate(self, Logic::And, &[clear, high])
            }
            CompareOp::LessEqual | CompareOp::GreaterEqual => {
                let clear = gate(self, Logic::Not, &[low])?;
                gate(self, Logic::Or, &[clear, high])
            }
        }
    }

    /// `if c then a else b`, pointwise; a condition `Bool[1]` chooses whole tensors.
    pub(crate) fn select(&mut self, c: Operand, a: Operand, b: Operand, span: Span) -> Res<Value> {
        if let (Value::Tuple(xs), Value::Tuple(ys)) = (&a.0, &b.0)
            && xs.len() == ys.len()
        {
            let pairs: Vec<(Value, Value)> = xs.iter().cloned().zip(ys.iter().cloned()).collect();
            let each =
                pairs.into_iter().map(|(x, y)| self.select(c.clone(), (x, a.1), (y, b.1), span)).collect::<Res<_>>()?;
            return Ok(Value::Tuple(each));
        }
        self.lifted(&[c, a, b], &mut |elab, each| {
            let [c, a, b] = each else { return Err(None) };
            let cond = elab.as_wire(&c.0, c.1)?;
            let leaf = elab.b.leaf(cond).clone();
            if leaf.base != Base::Bool {
                return fault(
                    Diagnostic::error(Code::BASE, format!("a condition is Bool, this is {leaf}"))
                        .at(c.1, leaf.to_string())
                        .help("compare it: `x > 0`"),
                );
            }
            let (mut x, mut y) = elab.fit(a, b, "if", span)?;
            let out = elab.b.leaf(x).clone();
            let mut cond = cond;
            if leaf.dims != out.dims {
                let size = |dims: &[Dim]| dims == [Dim::ONE];
                if size(&out.dims) {
                    x = elab.spread(&a.0, x, &leaf.dims, span)?;
                    y = elab.spread(&b.0, y, &leaf.dims, span)?;
                } else if size(&leaf.dims) {
                    cond = elab.repeat_bits(cond, &out.dims, span)?;
                } else {
                    return fault(
                        Diagnostic::error(Code::SHAPE, format!("the condition is {leaf}, the sides are {out}"))
                            .at(c.1, leaf.to_string())
                            .also(a.1, out.to_string())
                            .help(format!("compare wires of the shape {out}, or one number")),
                    );
                }
            }
            let made = elab.b.op(Op::Select, &[cond, x, y]);
            elab.typed(made, "if", span).map(Value::Wire)
        })
    }

    /// A bit repeated over dimensions, by an index map that reads its one place everywhere.
    fn repeat_bits(&mut self, bit: Wire, dims: &[Dim], span: Span) -> Res<Wire> {
        let to: Option<smallvec::SmallVec<[u64; 4]>> = dims.iter().map(|d| d.as_lit()).collect();
        let to = to.ok_or(None)?;
        let coef = smallvec::smallvec![smallvec::SmallVec::from_elem(0, to.len())];
        let map = crate::diagram::AffineIndex { from: smallvec::smallvec![1], to, base: smallvec::smallvec![0], coef };
        let made = self.b.op(Op::Index(std::sync::Arc::new(map)), &[bit]);
        self.typed(made, "if", span)
    }
}

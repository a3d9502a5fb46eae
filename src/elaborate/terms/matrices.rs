//! The names of the language that are about matrices: `transpose`, `upper_triangle`, `solve`.

use crate::diagram::{AffineIndex, Op};
use crate::elaborate::session::Elab;
use crate::elaborate::terms::apply::Call;
use crate::elaborate::terms::arith::Operand;
use crate::elaborate::terms::consts::{upper, written_out};
use crate::elaborate::value::{Env, Res, Value, fault};
use crate::object::Base;
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::Ident;
use std::sync::Arc;

impl<'p> Elab<'p> {
    /// `transpose(x)`: over reals an einsum, over any other base the places exchanged.
    pub(crate) fn transpose(&mut self, ins: &[Operand], name: &Ident, span: Span) -> Res<Value> {
        let x = self.one_wire(ins, name, span)?;
        let leaf = self.leaf(x);
        let dims = self.literal(x)?;
        let (false, [n, m]) = (leaf.base == Base::Real, dims.as_slice()) else {
            return self.letters(ins, name, "ab->ba", 2, "R[n, m]", span);
        };
        let mut places = AffineIndex::identity(&dims);
        places.to = [*m, *n].into_iter().collect();
        places.coef.reverse();
        let made = self.b.op(Op::Index(Arc::new(places)), &[x]);
        self.typed(made, "transpose", span).map(Value::Wire)
    }

    /// `upper_triangle[n](c)`: c above the diagonal, 0 elsewhere; 1 if no c is given.
    pub(crate) fn upper_triangle(&mut self, call: &Call<'p>, env: &Env<'p>, ins: &[Operand]) -> Res<Value> {
        let span = call.span;
        let sizes = self.dims_given(call, env)?;
        let c = match ins {
            [] => 1.0,
            [(Value::Number(c), _)] => *c,
            _ => {
                return fault(
                    Diagnostic::error(Code::WRONG_KIND, "`upper_triangle[n](c)` takes a number known before the run")
                        .at(span, "given a wire")
                        .help("for a wire multiply: `x * upper_triangle[n](1)`"),
                );
            }
        };
        let [n] = sizes.as_slice() else {
            return fault(
                Diagnostic::error(Code::DIMENSION, "`upper_triangle` takes one size: upper_triangle[n](c)")
                    .at(span, format!("{} sizes", sizes.len()))
                    .help("write `upper_triangle[3](1)`"),
            );
        };
        written_out(&[*n, *n], span)?;
        let made = self.b.reals(&[*n, *n], &upper(*n, c));
        self.typed(made, "upper_triangle", span).map(Value::Wire)
    }

    pub(crate) fn solve(&mut self, ins: &[Operand], name: &Ident, span: Span) -> Res<Value> {
        self.not_pointwise("solve", span)?;
        let (a, b) = self.two(ins, name, span)?;
        let (x, y) = (self.real_wire(&a, "solve")?, self.real_wire(&b, "solve")?);
        let made = self.b.op(Op::Solve, &[x, y]);
        self.typed(made, "solve", span).map(Value::Wire)
    }
}

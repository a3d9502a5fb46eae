//! The names of the language over bits, whole numbers and labels: tables, counts, places.
//!
//! Layers, losses and rules over bits are `.lens` (`prelude/bool.lens`); here are only the generators they stand on.

use crate::diagram::{Const, LeadAxis, Literal, MOST_ADDRESS_BITS, Op, Wire};
use crate::elaborate::session::Elab;
use crate::elaborate::terms::apply::Call;
use crate::elaborate::terms::arith::Operand;
use crate::elaborate::value::{Env, Res, Value, fault};
use crate::object::{Base, Dim, Leaf};
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::Ident;

impl<'p> Elab<'p> {
    /// One wire of bits.
    fn bit_wire(&mut self, a: &Operand, name: &str) -> Res<Wire> {
        let wire = self.as_wire(&a.0, a.1)?;
        let leaf = self.leaf(wire);
        if leaf.base == Base::Bool {
            return Ok(wire);
        }
        fault(
            Diagnostic::error(Code::BASE, format!("`{name}` needs bits, this is {leaf}"))
                .at(a.1, leaf.to_string())
                .help("make bits by a comparison: `x > 0`"),
        )
    }

    /// `popcount(x)`, `popcount[k](x)`: how many bits are set, in each of k groups of neighbours.
    pub(crate) fn popcount(&mut self, call: &Call<'p>, env: &Env<'p>, ins: &[Operand], name: &Ident) -> Res<Value> {
        self.not_pointwise("popcount", call.span)?;
        let a = self.one(ins, name, call.span)?;
        let x = self.bit_wire(&a, "popcount")?;
        let groups = match self.dims_given(call, env)?.as_slice() {
            [] => 1,
            [k] => *k,
            _ => {
                return fault(
                    Diagnostic::error(Code::DIMENSION, "`popcount` takes one number: the groups")
                        .at(call.span, "one number")
                        .help("write `popcount[10](x)` for ten groups"),
                );
            }
        };
        let n = self.leaf(x).size(1) as u64;
        if groups == 0 || !n.is_multiple_of(groups) {
            return fault(
                Diagnostic::error(Code::DIVISION, format!("{n} bits cannot be cut into {groups} equal groups"))
                    .at(call.span, format!("{n} / {groups} is not whole"))
                    .also(a.1, self.leaf(x).to_string())
                    .help(format!("make the width a multiple of {groups}")),
            );
        }
        let made = self.b.reshape_all(x, &[Dim::lit(groups), Dim::lit(n / groups)]);
        let rows = self.typed(made, "popcount", call.span)?;
        let made = self.b.op(Op::ToInt, &[rows]);
        let counted = self.typed(made, "popcount", call.span)?;
        let made = self.b.op(Op::Sum { core: 0 }, &[counted]);
        self.typed(made, "popcount", call.span).map(Value::Wire)
    }

    /// `int(x)`: bits as 0 and 1, labels as their numbers.
    pub(crate) fn whole_numbers(&mut self, ins: &[Operand], name: &Ident, span: Span) -> Res<Value> {
        let a = self.one(ins, name, span)?;
        self.lifted(&[a], &mut |elab, each| {
            let [a] = each else { return Err(None) };
            let x = elab.as_wire(&a.0, a.1)?;
            let made = elab.b.op(Op::ToInt, &[x]);
            elab.typed(made, "int", span).map(Value::Wire)
        })
    }

    /// `table(T, x)`: the entry of each table that the address bits `x` spell, bit 0 first.
    pub(crate) fn table(&mut self, ins: &[Operand], name: &Ident, span: Span) -> Res<Value> {
        self.not_pointwise("table", span)?;
        let (a, b) = self.two(ins, name, span)?;
        let table = self.as_wire(&a.0, a.1)?;
        let address = self.bit_wire(&b, "table")?;
        let (own, given) = (self.leaf(table).rank(), self.leaf(address).rank());
        let bits = self.literal(address)?.last().copied().unwrap_or(0);
        if bits > MOST_ADDRESS_BITS {
            return fault(
                Diagnostic::error(Code::LIMIT, format!("a table of {bits} address bits has 2^{bits} entries"))
                    .at(span, format!("at most {MOST_ADDRESS_BITS} bits are possible"))
                    .help("make it of smaller tables, in layers: `lut_layer[n, m, 6] >> lut_layer[m, 1, 6]`"),
            );
        }
        // One table for many addresses, many tables at one address, or a table for each.
        let (one_table, one_address) = (own == 1, given == 1);
        if !one_table && !one_address && own != given {
            return fault(
                Diagnostic::error(
                    Code::SHAPE,
                    format!(
                        "`table` needs a table for each address: {} and {} do not fit",
                        self.leaf(table),
                        self.leaf(address)
                    ),
                )
                .at(a.1, self.leaf(table).to_string())
                .at(b.1, self.leaf(address).to_string())
                .help("give one table, one address, or as many of both"),
            );
        }
        let axis = LeadAxis { table: !one_table, index: one_table || !one_address };
        let lead = std::iter::repeat_n(axis, own.max(given).saturating_sub(1)).collect();
        let made = self.b.op(Op::Lookup { lead }, &[table, address]);
        let found = self.typed(made, "table", span)?;
        self.drop_last(found, span)
    }

    /// `basis(x)`: true at the place that the bits spell.
    pub(crate) fn basis(&mut self, ins: &[Operand], name: &Ident, span: Span) -> Res<Value> {
        self.not_pointwise("basis", span)?;
        let a = self.one(ins, name, span)?;
        let x = self.bit_wire(&a, "basis")?;
        let made = self.b.op(Op::Basis, &[x]);
        self.typed(made, "basis", span).map(Value::Wire)
    }

    /// `rank(x)`: how many entries stand before each in falling order.
    pub(crate) fn rank(&mut self, ins: &[Operand], name: &Ident, span: Span) -> Res<Value> {
        self.not_pointwise("rank", span)?;
        let x = self.one_wire(ins, name, span)?;
        let made = self.b.op(Op::Rank, &[x]);
        self.typed(made, "rank", span).map(Value::Wire)
    }

    /// `labels[n]`: the labels 0 to n - 1 in order.
    pub(crate) fn labels(&mut self, call: &Call<'p>, env: &Env<'p>) -> Res<Value> {
        let dims = self.dims_given(call, env)?;
        let [n] = dims.as_slice() else {
            return fault(
                Diagnostic::error(Code::DIMENSION, "`labels` takes one number: labels[n]")
                    .at(call.span, "one number")
                    .help("write `labels[10]` for the labels 0 to 9"),
            );
        };
        let base = Base::Fin(u32::try_from(*n).unwrap_or(u32::MAX));
        let entries = Literal::Int((0..i64::try_from(*n).unwrap_or(0)).collect());
        let made = self.b.constant(Const { leaf: Leaf::new(base, &[*n]), entries });
        self.typed(made, "labels", call.span).map(Value::Wire)
    }

    /// A number as a constant of a leaf's base, if it is one.
    pub(crate) fn number_as(&mut self, x: f64, like: &Leaf, span: Span) -> Res<Wire> {
        if like.base == Base::Real {
            let made = self.b.fill(&like.dims, x);
            return self.typed(made, "number", span);
        }
        if !like.base.holds(x) {
            let what = match like.base {
                Base::Bool => "a bit".to_owned(),
                Base::Fin(k) => format!("a label below {k}"),
                _ if x.fract() == 0.0 => "between -9e15 and 9e15, the limits of whole numbers".to_owned(),
                _ => "a whole number".to_owned(),
            };
            let help = match like.base {
                Base::Fin(_) => "labels of Fin[n] are the whole numbers from 0 to n - 1",
                base if x.fract() == 0.0 => base.entries(),
                _ => "only R has numbers that are not whole; a bit is 0 or 1",
            };
            let d = Diagnostic::error(Code::BASE, format!("{x} is not {what}"));
            return fault(d.at(span, format!("beside {like}")).help(help));
        }
        let made = self.b.constant(Const { leaf: Leaf::new(like.base, &[1]), entries: Literal::of(like.base, &[x]) });
        let one = self.typed(made, "number", span)?;
        let made = self.b.broadcast(one, &like.dims);
        self.typed(made, "broadcast", span)
    }
}

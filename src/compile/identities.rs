//! Rewrites of single operations that are exact in IEEE arithmetic, so that they change no bit of a run.
//!
//! `x * 1`, `x / 1`, `x^1`, `gate(1, d)`; products with a constant fill are scalings; basic operations on fills are
//! fills; a reshape of a reshape is one. `x + 0` stays where `x` may be -0.

use crate::diagram::{Bits, Builder, Function, Literal, Op, Wire};
use crate::object::{Base, Dim};

/// The constant that a wire is everywhere, if it is a fill.
fn fill(b: &Builder, wire: Wire) -> Option<f64> {
    match &b.diagram().node(wire).op {
        Op::Einsum(spec) if spec.ins().is_empty() && spec.free().len() == spec.out().len() => Some(spec.scale()),
        _ => None,
    }
}

/// Whether a wire is whole-number zeros.
fn is_zeros(b: &Builder, wire: Wire) -> bool {
    match &b.diagram().node(wire).op {
        Op::Const(value) => {
            value.leaf.base == Base::Int && matches!(&value.entries, Literal::Int(v) if v.iter().all(|x| *x == 0))
        }
        _ => false,
    }
}

/// What an operation on these wires is, if it is simpler than it looks.
pub(super) fn apply(b: &mut Builder, op: &Op, ins: &[Wire]) -> Option<Wire> {
    let of = |k: usize| ins.get(k).and_then(|w| fill(b, *w));
    let wire = |k: usize| ins.get(k).copied();
    match op {
        Op::Const(value) => {
            let Literal::Real(entries) = &value.entries else { return None };
            let first = entries.first().filter(|first| entries.iter().all(|x| x == *first))?;
            b.fill(&value.leaf.dims, first.0).ok()
        }
        Op::Add => match (of(0), of(1)) {
            (Some(x), Some(y)) => filled(b, wire(0)?, x + y),
            (Some(x), None) if Bits(x) == Bits(-0.0) => wire(1),
            (None, Some(y)) if Bits(y) == Bits(-0.0) => wire(0),
            _ if is_zeros(b, wire(0)?) => wire(1),
            _ if is_zeros(b, wire(1)?) => wire(0),
            _ => None,
        },
        Op::Map(Function::Mul) => match (of(0), of(1)) {
            (Some(x), Some(y)) => filled(b, wire(0)?, x * y),
            (Some(x), None) => b.scale(wire(1)?, x).ok(),
            (None, Some(y)) => b.scale(wire(0)?, y).ok(),
            _ => None,
        },
        Op::Map(Function::Gate) => match (of(0), of(1)) {
            (Some(0.0), _) => filled(b, wire(0)?, 0.0),
            (Some(x), Some(y)) => filled(b, wire(0)?, x * y),
            (Some(x), None) if !x.is_nan() => b.scale(wire(1)?, x).ok(),
            _ => None,
        },
        Op::Map(Function::Div) => match (of(0), of(1)) {
            (Some(x), Some(y)) => filled(b, wire(0)?, x / y),
            (_, Some(1.0)) => wire(0),
            _ => None,
        },
        Op::Map(Function::Powi(1)) => wire(0),
        Op::Map(f) if ins.len() == 1 => {
            let x = of(0)?;
            let y = match f {
                Function::Recip => 1.0 / x,
                Function::Sqrt => x.sqrt(),
                Function::Abs => x.abs(),
                _ => return None,
            };
            filled(b, wire(0)?, y)
        }
        Op::Reshape { .. } => {
            let x = wire(0)?;
            let inner = b.diagram().node(x);
            if !matches!(inner.op, Op::Reshape { .. }) {
                return None;
            }
            let source = inner.ins.first().copied()?;
            let outer = b.op(op.clone(), ins).ok()?;
            let (from, to) = (b.dims(source), b.dims(outer));
            let same = from.iter().zip(&to).take_while(|(f, t)| f == t).count();
            // without the axes in front that both have
            let (from, to): (&[Dim], &[Dim]) = (from.get(same..)?, to.get(same..)?);
            if from.is_empty() && to.is_empty() { Some(source) } else { b.reshape(source, from, to).ok() }
        }
        _ => None,
    }
}

/// The same value everywhere, of a wire's dimensions.
fn filled(b: &mut Builder, like: Wire, value: f64) -> Option<Wire> {
    let dims = b.dims(like);
    b.fill(&dims, value).ok()
}

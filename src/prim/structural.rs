//! Maps that only move entries: the reverse derivative moves requests back and adds up what was read twice.
//!
//! `index` and `index_dagger`, `gather` and `gather_dagger`, `reshape` and `reshape` are daggers of each other;
//! `concat` reverses to slices, `repeat` to a sum. Ports, literals and extents have nothing to differentiate. Sums of bits
//! are exclusive ors: over votes their requests are turned where the others are odd.

use super::bits::of_sum;
use super::{Primitive, Requests, RevSite, zero};
use crate::diagram::{AffineIndex, Builder, EinsumSpec, Op, TypeFault, Wire};
use crate::object::{Base, Dim};
use smallvec::{SmallVec, smallvec};
use std::sync::Arc;

pub(super) static INPUT: Primitive = Primitive {
    name: "input",
    signature: "1 -> X",
    summary: "a port of the diagram",
    formula: "none: requests end here",
    rev: zero,
    example: "in %0 : input x : R[3]\nout %0\n",
};

pub(super) static CONST: Primitive = Primitive {
    name: "const",
    signature: "1 -> X",
    summary: "a literal tensor",
    formula: "none",
    rev: zero,
    example: "%0 = const [1.0, 2.5, -3.0] : R[3]\nout %0\n",
};

pub(super) static EXTENT: Primitive = Primitive {
    name: "extent",
    signature: "1 -> R[1]",
    summary: "the number that a dimension is, such as the batch size",
    formula: "none",
    rev: zero,
    example: "%0 = extent B : R[1]\nout %0\n",
};

pub(super) static INDEX: Primitive = Primitive {
    name: "index",
    signature: "X[.., from] -> X[.., to]",
    summary: "out[o] = x[base + coef o] over the trailing axes, zero outside: slices, strides, padding, windows",
    formula: "index_dagger of dy",
    rev: index,
    example: "in %0 : input x : R[2, 5]\n%1 = index from [5] to [2] base [1] coef [[2]] %0 : R[2, 2]\nout %1\n",
};

pub(super) static INDEX_DAGGER: Primitive = Primitive {
    name: "index_dagger",
    signature: "X[.., to] -> X[.., from]",
    summary: "the transpose of index: entries are added up where index reads them",
    formula: "index of dy",
    rev: index,
    example: "in %0 : input x : R[2, 2]\n%1 = index_dagger from [5] to [2] base [1] coef [[2]] %0 : R[2, 5]\nout %1\n",
};

pub(super) static RESHAPE: Primitive = Primitive {
    name: "reshape",
    signature: "X[.., from] -> X[.., to]",
    summary: "the same entries in order under other trailing axes",
    formula: "dy reshaped back",
    rev: reshape,
    example: "in %0 : input x : R[2, 3, 4]\n%1 = reshape from [3, 4] to [12] %0 : R[2, 12]\nout %1\n",
};

pub(super) static REPEAT: Primitive = Primitive {
    name: "repeat",
    signature: "X[.., core] -> X[.., n, core]",
    summary: "a new axis before the last `core` ones, along which entries are repeated; any base",
    formula: "the sum of dy over the new axis",
    rev: repeat,
    example: "in %0 : input x : R[3]\n%1 = repeat 2 core 1 %0 : R[2, 3]\nout %1\n",
};

pub(super) static SUM: Primitive = Primitive {
    name: "sum",
    signature: "X[.., n, core] -> X[.., core]",
    summary: "the sum over the axis before the last `core` ones: exact over whole numbers, exclusive or over bits",
    formula: "dy repeated along that axis; bits over votes: its opposite where the others are odd",
    rev: sum,
    example: "in %0 : input x : Bool[2, 3]\n%1 = sum 0 %0 : Bool[2]\nout %1\n",
};

pub(super) static CONCAT: Primitive = Primitive {
    name: "concat",
    signature: "X[.., n1, core] * .. * X[.., nk, core] -> X[.., n1 + .. + nk, core]",
    summary: "wires joined along one axis, counted from the end",
    formula: "the slice of dy that came from each",
    rev: concat,
    example: "in %0 : input x : R[2, 3]\nin %1 : input y : R[2, 4]\n%2 = concat 1 %0 %1 : R[2, 7]\nout %2\n",
};

pub(super) static GATHER: Primitive = Primitive {
    name: "gather",
    signature: "X[lead.., n, tail..] * Fin[n][lead.., k..] -> X[lead.., k.., tail..]",
    summary: "rows of a table looked up by labels",
    formula: "gather_dagger of dy in the table; none in the index",
    rev: gather,
    example: "in %0 : param E : R[5, 2]\nin %1 : input i : Fin[5][3]\n%2 = gather lead [] %0 %1 : R[3, 2]\nout %2\n",
};

pub(super) static GATHER_DAGGER: Primitive = Primitive {
    name: "gather_dagger",
    signature: "R[lead.., k.., tail..] * Fin[n][lead.., k..] -> R[lead.., n, tail..]",
    summary: "rows added up at the places that labels name: the transpose of gather in its table",
    formula: "gather of dy in the first operand; none in the index",
    rev: gather_dagger,
    example: "in %0 : input d : R[3, 2]\nin %1 : input i : Fin[5][3]\n%2 = gather_dagger lead [] rows 5 %0 %1 : R[5, 2]\n\
              out %2\n",
};

fn index(b: &mut Builder, site: &RevSite<'_>) -> Requests {
    Ok(smallvec![Some(match site.op {
        Op::Index(map) => b.op(Op::IndexDagger(Arc::clone(map)), &[site.dy()?])?,
        Op::IndexDagger(map) => of_sum(b, site, |b, w| b.op(Op::Index(Arc::clone(map)), &[w]))?,
        other => return Err(TypeFault::NoReverse(other.name().to_owned())),
    })])
}

fn reshape(b: &mut Builder, site: &RevSite<'_>) -> Requests {
    let Op::Reshape { from, to } = site.op else { return Err(TypeFault::NoReverse(site.op.name().to_owned())) };
    Ok(smallvec![Some(b.reshape(site.dy()?, to, from)?)])
}

fn repeat(b: &mut Builder, site: &RevSite<'_>) -> Requests {
    let Op::Repeat { core, .. } = site.op else { return Err(TypeFault::NoReverse(site.op.name().to_owned())) };
    let dy = site.dy()?;
    if b.leaf(dy).base != Base::Real {
        return Ok(smallvec![Some(b.op(Op::Sum { core: *core }, &[dy])?)]);
    }
    let rank = b.leaf(dy).rank();
    let axis = rank.checked_sub(usize::from(*core) + 1).ok_or(TypeFault::Foreign)?;
    let letters: Vec<usize> = (0..rank).collect();
    let out: Vec<usize> = letters.iter().copied().filter(|l| *l != axis).collect();
    let sum = EinsumSpec::new(&[letters], &out, |_| None, 1.0)?;
    Ok(smallvec![Some(b.op(Op::einsum(sum), &[dy])?)])
}

fn sum(b: &mut Builder, site: &RevSite<'_>) -> Requests {
    let Op::Sum { core } = site.op else { return Err(TypeFault::NoReverse(site.op.name().to_owned())) };
    let dims = b.dims(site.ins[0]);
    let axis = dims.len().checked_sub(usize::from(*core) + 1).and_then(|at| dims.get(at)).copied();
    let axis = axis.ok_or(TypeFault::Foreign)?;
    Ok(smallvec![Some(of_sum(b, site, |b, w| b.op(Op::Repeat { axis, core: *core }, &[w]))?)])
}

fn concat(b: &mut Builder, site: &RevSite<'_>) -> Requests {
    let Op::Concat { core } = site.op else { return Err(TypeFault::NoReverse(site.op.name().to_owned())) };
    let dy = site.dy()?;
    let whole = b.dims(dy);
    let axis = whole.len().checked_sub(usize::from(*core)).ok_or(TypeFault::Foreign)?;
    let trailing: Option<Vec<u64>> = whole[axis..].iter().map(|d| d.as_lit()).collect();
    let mut requests = SmallVec::new();
    let mut start = 0_u64;
    for (k, (x, want)) in site.ins.iter().zip(site.want).enumerate() {
        let len = b.dims(*x)[axis];
        requests.push(match (&trailing, len.as_lit(), *want) {
            (_, _, false) => None,
            (Some(axes), Some(len), true) => {
                let slice = AffineIndex::slice(axes, start, len, 1);
                Some(b.op(Op::Index(Arc::new(slice)), &[dy])?)
            }
            _ => Some(equal_part(b, site, dy, axis, k)?),
        });
        start += len.lit;
    }
    Ok(requests)
}

/// Part k of dy along an axis that depends on the batch: `AffineIndex` has constants only, so the axis is split into
/// part and place, and the part is picked by a unit vector. The parts must be equal multiples of the batch.
fn equal_part(b: &mut Builder, site: &RevSite<'_>, dy: Wire, axis: usize, k: usize) -> Result<Wire, TypeFault> {
    let (dims, part) = (b.dims(dy), b.dims(site.ins[0])[axis]);
    if b.leaf(dy).base != Base::Real || part.lit != 0 || site.ins.iter().any(|x| b.dims(*x)[axis] != part) {
        return Err(TypeFault::Axes(format!(
            "parts of {} that are no equal multiples of the batch have no reverse derivative",
            b.leaf(dy)
        )));
    }
    let count = site.ins.len();
    let split: Vec<Dim> = [Dim::lit(count as u64), part].into_iter().chain(dims[axis + 1..].iter().copied()).collect();
    let parts = b.reshape(dy, &dims[axis..], &split)?;
    let unit: Vec<f64> = (0..count).map(|j| f64::from(u8::from(j == k))).collect();
    let unit = b.reals(&[count as u64], &unit)?;
    let letters: Vec<usize> = (0..=dims.len()).collect();
    let out: Vec<usize> = letters.iter().copied().filter(|l| *l != axis).collect();
    let pick = EinsumSpec::new(&[vec![axis], letters], &out, |_| None, 1.0)?;
    b.op(Op::einsum(pick), &[unit, parts])
}

fn gather(b: &mut Builder, site: &RevSite<'_>) -> Requests {
    let Op::Gather { lead } = site.op else { return Err(TypeFault::NoReverse(site.op.name().to_owned())) };
    if !site.want[0] {
        return Ok(smallvec![None, None]);
    }
    let at = lead.iter().filter(|l| l.table).count();
    let rows = b.dims(site.ins[0])[at];
    let back = Op::GatherDagger { lead: lead.clone(), rows };
    Ok(smallvec![Some(b.op(back, &[site.dy()?, site.ins[1]])?), None])
}

fn gather_dagger(b: &mut Builder, site: &RevSite<'_>) -> Requests {
    let Op::GatherDagger { lead, .. } = site.op else { return Err(TypeFault::NoReverse(site.op.name().to_owned())) };
    if !site.want[0] {
        return Ok(smallvec![None, None]);
    }
    let back = |b: &mut Builder, w| b.op(Op::Gather { lead: lead.clone() }, &[w, site.ins[1]]);
    Ok(smallvec![Some(of_sum(b, site, back)?), None])
}

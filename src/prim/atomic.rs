//! Primitives with a rule of their own: comparisons, choices, maxima, linear systems, users' primitives, labels.
//!
//! `max` sends the request to the first largest entry; `argmax_one_hot` is constant between ties, so its derivative is
//! 0. `select` is a generator, not c*a + (1-c)*b: the side not chosen may be infinite (PROBE.md 2.15).

use super::bits::{along_last, between};
use super::{Primitive, Requests, RevSite, zero};
use crate::diagram::{Builder, EinsumSpec, Op, TypeFault, Whole, Wire};
use crate::object::{Base, Tangent};
use smallvec::{SmallVec, smallvec};

/// An entry of a map into bits.
macro_rules! decision {
    ($id:ident, $name:literal, $signature:literal, $summary:literal, $leaf:literal, $out:literal) => {
        pub(super) static $id: Primitive = Primitive {
            name: $name,
            signature: $signature,
            summary: $summary,
            formula: "none: a comparison is constant almost everywhere",
            rev: zero,
            example: concat!(
                "in %0 : input x : ",
                $leaf,
                "\nin %1 : input y : ",
                $leaf,
                "\n%2 = ",
                $name,
                " %0 %1 : ",
                $out,
                "\nout %2\n"
            ),
        };
    };
}

decision!(LESS, "less", "R[..] * R[..] -> Bool[..]", "x < y", "R[3]", "Bool[3]");
decision!(LESS_EQUAL, "less_equal", "R[..] * R[..] -> Bool[..]", "x <= y", "R[3]", "Bool[3]");
decision!(EQUAL, "equal", "X[..] * X[..] -> Bool[..]", "x == y", "Fin[4][3]", "Bool[3]");

pub(super) static SELECT: Primitive = Primitive {
    name: "select",
    signature: "Bool[..] * X[..] * X[..] -> X[..]",
    summary: "the second where the first is true, else the third",
    formula: "(none over the reals, else (x - y) dy; select(c, dy, 0); select(c, 0, dy))",
    rev: select,
    example: "in %0 : input c : Bool[3]\nin %1 : input x : R[3]\nin %2 : input y : R[3]\n%3 = select %0 %1 %2 : R[3]\n\
              out %3\n",
};

pub(super) static MAX: Primitive = Primitive {
    name: "max",
    signature: "X[.., n] -> X[.., 1]",
    summary: "the largest entry of the last axis; reals or whole numbers",
    formula: "dy at the first largest entry, 0 elsewhere",
    rev: max,
    example: "in %0 : input x : R[2, 3]\n%1 = max %0 : R[2, 1]\nout %1\n",
};

pub(super) static ARGMAX_ONE_HOT: Primitive = Primitive {
    name: "argmax_one_hot",
    signature: "R[.., n] -> R[.., n]",
    summary: "1 at the first largest entry of the last axis, 0 elsewhere",
    formula: "0",
    rev: zero,
    example: "in %0 : input x : R[2, 3]\n%1 = argmax_one_hot %0 : R[2, 3]\nout %1\n",
};

pub(super) static ARGMAX: Primitive = Primitive {
    name: "argmax",
    signature: "R[.., n] -> Fin[n][.., 1]",
    summary: "the place of the first largest entry of the last axis",
    formula: "none: labels have no tangent",
    rev: zero,
    example: "in %0 : input x : R[2, 3]\n%1 = argmax %0 : Fin[3][2, 1]\nout %1\n",
};

pub(super) static ONE_HOT: Primitive = Primitive {
    name: "one_hot",
    signature: "Fin[n][..] -> R[.., n]",
    summary: "1 at the label, 0 elsewhere",
    formula: "none: labels have no tangent",
    rev: zero,
    example: "in %0 : target y : Fin[3]\n%1 = one_hot %0 : R[3]\nout %1\n",
};

pub(super) static SOLVE: Primitive = Primitive {
    name: "solve",
    signature: "R[.., n, n] * R[.., n] -> R[.., n]",
    summary: "the x with A x = b",
    formula: "b: l with A^T l = dy; A: -l x^T",
    rev: solve,
    example: "in %0 : param A : R[3, 3]\nin %1 : input b : R[3]\n%2 = solve %0 %1 : R[3]\nout %2\n",
};

pub(super) static CALL: Primitive = Primitive {
    name: "call",
    signature: "A -> B",
    summary: "a primitive of the program, with its own reverse",
    formula: "the primitive's rev on the operands and the requests",
    rev: call,
    example: "",
};

pub(super) static REQUEST: Primitive = Primitive {
    name: "request",
    signature: "P -> T(P)",
    summary: "a hole of an update rule: the request of the whole model at a point",
    formula: "none: fill the hole first",
    rev: no_reverse,
    example: "",
};

fn no_reverse(_: &mut Builder, site: &RevSite<'_>) -> Requests {
    Err(TypeFault::NoReverse(site.op.name().to_owned()))
}

fn select(b: &mut Builder, site: &RevSite<'_>) -> Requests {
    let (c, dy) = (site.ins[0], site.dy()?);
    let leaf = b.leaf(dy).clone();
    let none = b.zero(&leaf)?;
    let mut requests = smallvec![None; 3];
    // A real does not vote: only bits and whole numbers ask something of what chose between them.
    if site.want[0] && leaf.base != Base::Real {
        requests[0] = Some(between(b, site.tangent, (site.ins[1], site.ins[2]), dy)?);
    }
    if site.want[1] {
        requests[1] = Some(b.op(Op::Select, &[c, dy, none])?);
    }
    if site.want[2] {
        requests[2] = Some(b.op(Op::Select, &[c, none, dy])?);
    }
    Ok(requests)
}

fn max(b: &mut Builder, site: &RevSite<'_>) -> Requests {
    if !site.want[0] {
        return Ok(smallvec![None]);
    }
    let first = b.op(Op::ArgmaxOneHot, site.ins)?;
    if b.leaf(first).base == Base::Int {
        let n = b.dims(first).last().copied().ok_or(TypeFault::Foreign)?;
        let each = along_last(b, site.dy()?, n)?;
        return Ok(smallvec![Some(b.op(Op::Whole(Whole::Mul), &[first, each])?)]);
    }
    let rank = b.leaf(first).rank();
    let letters: Vec<usize> = (0..rank).collect();
    let mut reduced = letters.clone();
    if let Some(last) = reduced.last_mut() {
        *last = rank;
    }
    let spread = EinsumSpec::new(&[reduced, letters.clone()], &letters, |_| None, 1.0)?;
    Ok(smallvec![Some(b.op(Op::einsum(spread), &[site.dy()?, first])?)])
}

fn solve(b: &mut Builder, site: &RevSite<'_>) -> Requests {
    let (a, x, dy) = (site.ins[0], site.outs[0], site.dy()?);
    let rank = b.leaf(x).rank();
    let lead = rank.checked_sub(1).ok_or(TypeFault::Foreign)?;
    let with = |tail: &[usize]| -> Vec<usize> { (0..lead).chain(tail.iter().copied()).collect() };
    let (row, column) = (lead, lead + 1);
    let transpose = EinsumSpec::new(&[with(&[row, column])], &with(&[column, row]), |_| None, 1.0)?;
    let dagger = b.op(Op::einsum(transpose), &[a])?;
    let l = b.op(Op::Solve, &[dagger, dy])?;
    let mut requests = smallvec![None, site.want[1].then_some(l)];
    if site.want[0] {
        let outer = EinsumSpec::new(&[with(&[row]), with(&[column])], &with(&[row, column]), |_| None, -1.0)?;
        requests[0] = Some(b.op(Op::einsum(outer), &[l, x])?);
    }
    Ok(requests)
}

/// The reverse over the site's tangent; one over reals serves them all.
fn call(b: &mut Builder, site: &RevSite<'_>) -> Requests {
    let Op::Call(prim) = site.op else { return Err(TypeFault::NoReverse(site.op.name().to_owned())) };
    let real = || site.ins.iter().chain(site.outs).all(|w| b.leaf(*w).base == Base::Real);
    let rev = prim.rev.over(site.tangent).or_else(|| prim.rev.over(Tangent::Real).filter(|_| real()));
    let rev = rev.ok_or_else(|| TypeFault::NoReverse(format!("`{}` over {}", prim.name, site.tangent)))?;
    let mut args: Vec<Option<Wire>> = site.ins.iter().copied().map(Some).collect();
    for (out, dy) in site.outs.iter().zip(site.dys) {
        if let Some(leaf) = site.tangent.of(b.leaf(*out)) {
            args.push(Some(match dy {
                Some(dy) => *dy,
                None => b.zero(&leaf)?,
            }));
        }
    }
    let asked: Vec<usize> = (0..site.ins.len()).filter(|i| site.tangent.of(b.leaf(site.ins[*i])).is_some()).collect();
    let outs = rev.outs();
    if args.len() != rev.ports().len() || asked.len() != outs.len() {
        return Err(TypeFault::Arity { needs: rev.ports().len(), given: args.len() });
    }
    let (places, wires): (Vec<usize>, Vec<Wire>) =
        asked.iter().zip(outs).filter(|(i, _)| site.want[**i]).map(|(i, w)| (*i, *w)).unzip();
    let mut requests: SmallVec<[_; 3]> = smallvec![None; site.ins.len()];
    for (i, made) in places.into_iter().zip(b.append_some(rev, &args, &wires)?) {
        requests[i] = Some(made);
    }
    Ok(requests)
}

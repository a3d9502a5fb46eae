//! Maps linear in each operand: the reverse derivative is the dagger of the map with the other operands held.
//!
//! `einsum` is closed under it (PROBE.md 2.4): R in operand k puts dy in k's place and swaps the letters of k and of
//! the result. Every letter of the old spec stands in dy, in another operand or in the request, so none is ever summed
//! over nothing; one that only k had (k was summed over it) becomes a free letter, which is broadcast.

use super::{Primitive, Requests, RevSite};
use crate::diagram::{Builder, EinsumSpec, Op, TypeFault};
use crate::object::Leaf;
use smallvec::{SmallVec, smallvec};

pub(super) static EINSUM: Primitive = Primitive {
    name: "einsum",
    signature: "R[..] * .. * R[..] -> R[..]",
    summary: "scale times the sum over letters not in the result of the product of the operands; a letter only in the \
              result is broadcast, one repeated in the result is a diagonal",
    formula: "in operand k: the einsum with dy for operand k, the letters of k and of the result exchanged",
    rev: einsum,
    example: "in %0 : param W : R[2, 3]\nin %1 : input x : R[3]\n%2 = einsum \"ab,b->a\" %0 %1 : R[2]\nout %2\n",
};

pub(super) static ADD: Primitive = Primitive {
    name: "add",
    signature: "X[..] * X[..] -> X[..]",
    summary: "the sum of two wires of one leaf, real or whole; what copy reverses to",
    formula: "dy to both",
    rev: add,
    example: "in %0 : input x : R[3]\nin %1 : input y : R[3]\n%2 = add %0 %1 : R[3]\nout %2\n",
};

fn einsum(b: &mut Builder, site: &RevSite<'_>) -> Requests {
    let Op::Einsum(spec) = site.op else { return Err(TypeFault::NoReverse(site.op.name().to_owned())) };
    let dy = site.dy()?;
    let sizes = {
        let leaves: SmallVec<[&Leaf; 4]> = site.ins.iter().map(|w| b.leaf(*w)).collect();
        spec.sizes(&leaves)?
    };
    let mut requests: SmallVec<[_; 3]> = smallvec![None; site.ins.len()];
    for k in (0..site.ins.len()).filter(|k| site.want[*k]) {
        let others = || (0..site.ins.len()).filter(|j| *j != k);
        let mut letters = vec![spec.out().to_vec()];
        letters.extend(others().map(|j| spec.ins()[j].to_vec()));
        let mut ins: SmallVec<[_; 4]> = smallvec![dy];
        ins.extend(others().map(|j| site.ins[j]));
        let size = |l: u8| sizes.get(usize::from(l)).copied();
        let dagger = EinsumSpec::new(&letters, &spec.ins()[k], size, spec.scale())?;
        requests[k] = Some(b.op(Op::einsum(dagger), &ins)?);
    }
    Ok(requests)
}

fn add(_: &mut Builder, site: &RevSite<'_>) -> Requests {
    let dy = site.dy()?;
    Ok(site.want.iter().map(|w| w.then_some(dy)).collect())
}

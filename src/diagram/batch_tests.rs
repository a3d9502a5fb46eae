//! Batch typing of all mixes of batched and unbatched operands of every operation; its numbers are tested where the
//! machine is (batch of B = sum of B single requests).

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used, reason = "tests")]

use super::*;
use crate::object::{Base, Dim, Leaf};
use smallvec::smallvec;
use std::sync::Arc;

/// Batches a one-node diagram for all mixes of operands and checks the types of its output.
fn all_mixes(op: &Op, leaves: &[Leaf]) {
    let mut b = Builder::new();
    let ins: Vec<Wire> = leaves.iter().map(|l| b.port("x", Role::Input, l.clone())).collect();
    let outs = b.call(op.clone(), &ins).unwrap();
    let d = b.finish(&outs);
    for mix in 0..1_u32 << leaves.len() {
        let flag = |k: usize| mix >> k & 1 == 1;
        let mut b = Builder::new();
        let args: Vec<(Wire, bool)> = leaves
            .iter()
            .enumerate()
            .map(|(k, l)| {
                let leaf = if flag(k) { l.under(Dim::BATCH) } else { l.clone() };
                (b.port("x", Role::Input, leaf), flag(k))
            })
            .collect();
        let made = batch(&mut b, &d, &args, Dim::BATCH, d.outs()).unwrap();
        for ((w, batched), plain) in made.iter().zip(d.out_leaves()) {
            assert_eq!(*batched, mix != 0, "{op:?} {mix:b}");
            let expected = if *batched { plain.under(Dim::BATCH) } else { plain };
            assert_eq!(b.leaf(*w), &expected, "{op:?} {mix:b}");
        }
    }
}

#[test]
fn every_operation_is_batched_in_every_mix() {
    let r = |dims: &[u64]| Leaf::real(dims);
    let bits = |dims: &[u64]| Leaf::new(Base::Bool, dims);
    let label = |dims: &[u64]| Leaf::new(Base::Fin(5), dims);
    let spec = |ins: &[&str], out: &str, free: u64| {
        let ins: Vec<Vec<char>> = ins.iter().map(|l| l.chars().collect()).collect();
        let out: Vec<char> = out.chars().collect();
        Op::einsum(EinsumSpec::new(&ins, &out, |_| Some(Dim::lit(free)), 1.0).unwrap())
    };
    all_mixes(&spec(&["ab", "b"], "a", 0), &[r(&[2, 3]), r(&[3])]);
    all_mixes(&spec(&["ab", "bc", "c"], "aa", 0), &[r(&[2, 3]), r(&[3, 4]), r(&[4])]);
    all_mixes(&spec(&["a"], "bc", 7), &[r(&[2])]);
    all_mixes(&Op::Add, &[r(&[2, 3]), r(&[2, 3])]);
    all_mixes(&Op::Map(Function::Exp), &[r(&[2])]);
    all_mixes(&Op::Map(Function::Gate), &[r(&[2]), r(&[2])]);
    all_mixes(&Op::Compare(Comparison::Less), &[r(&[2]), r(&[2])]);
    all_mixes(&Op::Compare(Comparison::Equal), &[label(&[2]), label(&[2])]);
    all_mixes(&Op::Logic(Logic::And), &[bits(&[2, 3]), bits(&[2, 3])]);
    all_mixes(&Op::Logic(Logic::Not), &[bits(&[2, 3])]);
    all_mixes(&Op::Select, &[bits(&[2]), label(&[2]), label(&[2])]);
    all_mixes(&Op::Select, &[bits(&[2]), r(&[2]), r(&[2])]);
    let slice = Arc::new(AffineIndex::slice(&[5, 2], 1, 2, 2));
    all_mixes(&Op::Index(Arc::clone(&slice)), &[bits(&[3, 5, 2])]);
    all_mixes(&Op::IndexDagger(slice), &[r(&[3, 2, 2])]);
    let (from, to) = (smallvec![Dim::lit(3), Dim::lit(4)], smallvec![Dim::lit(12)]);
    all_mixes(&Op::Reshape { from, to }, &[bits(&[2, 3, 4])]);
    all_mixes(&Op::Repeat { axis: Dim::lit(3), core: 1 }, &[bits(&[2, 4])]);
    all_mixes(&Op::Concat { core: 1 }, &[bits(&[2, 3]), bits(&[2, 4]), bits(&[2, 1])]);
    all_mixes(&Op::Gather { lead: smallvec![] }, &[r(&[5, 2]), label(&[3])]);
    for (table, index) in [(true, true), (true, false), (false, true)] {
        let lead = smallvec![LeadAxis { table, index }];
        let of = |has: bool, rest: &[u64]| -> Vec<u64> { has.then_some(7).into_iter().chain(rest.to_vec()).collect() };
        all_mixes(&Op::Gather { lead: lead.clone() }, &[r(&of(table, &[5, 2])), label(&of(index, &[3]))]);
        all_mixes(&Op::GatherDagger { lead, rows: Dim::lit(5) }, &[r(&[7, 3, 2]), label(&of(index, &[3]))]);
    }
    all_mixes(&Op::GatherDagger { lead: smallvec![], rows: Dim::lit(5) }, &[r(&[3, 2]), label(&[3])]);
    all_mixes(&Op::Max, &[r(&[2, 3])]);
    all_mixes(&Op::ArgmaxOneHot, &[r(&[2, 3])]);
    all_mixes(&Op::Argmax, &[r(&[2, 3])]);
    all_mixes(&Op::OneHot, &[label(&[2])]);
    all_mixes(&Op::Solve, &[r(&[3, 3]), r(&[3])]);
    all_mixes(&Op::Solve, &[r(&[4, 3, 3]), r(&[4, 3])]);
}

#[test]
fn batched_calls_are_inlined_and_others_kept() {
    let leaf = Leaf::real(&[3]);
    let mut b = Builder::new();
    let x = b.port("x", Role::Input, leaf.clone());
    let y = b.map(Function::Sin, &[x]).unwrap();
    let fwd = b.finish(&[y, x]);
    let prim = PrimDef {
        name: "f".into(),
        rev: crate::diagram::Reverses::default(),
        fwd,
        span: crate::source::Span::default(),
        fingerprint: 1,
    };
    let op = Op::Call(Arc::new(prim));
    all_mixes(&op, std::slice::from_ref(&leaf));
    let mut b = Builder::new();
    let (x, p) = (b.port("x", Role::Input, leaf.clone()), b.port("p", Role::Param, leaf));
    let (fx, fp) = (b.call(op.clone(), &[x]).unwrap(), b.call(op, &[p]).unwrap());
    let z = b.add(fx[0], fp[0]).unwrap();
    let d = b.finish(&[z]);
    let mut b = Builder::new();
    let args = [
        (b.port("x", Role::Input, Leaf::real(&[3]).under(Dim::BATCH)), true),
        (b.port("p", Role::Param, Leaf::real(&[3])), false),
    ];
    let made = batch(&mut b, &d, &args, Dim::BATCH, d.outs()).unwrap();
    let d = b.finish(&[made[0].0]);
    assert_eq!(d.nodes().iter().filter(|n| matches!(n.op, Op::Call(_))).count(), 1);
    assert_eq!(d.work(), 4); // sin, call, its broadcast, add
    assert_eq!(inline_calls(&d).unwrap().work(), 4);
}

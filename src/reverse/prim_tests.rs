//! Every operation has one entry, and every example reads, prints, reverses twice and batches.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used, reason = "tests")]

use super::reverse_diagram;
use crate::diagram::{Builder, Diagram, Op, Wire, batch};
use crate::object::{Dim, Tangent};
use crate::prim::{all, primitive};

#[test]
fn every_example_reads_reverses_and_batches() {
    for p in all() {
        if p.example.is_empty() {
            assert!(matches!(p.name, "call" | "request"));
            continue;
        }
        let d = Diagram::parse_text(p.example).unwrap_or_else(|e| panic!("{}: {e}\n{}", p.name, p.example));
        assert_eq!(d.to_string(), p.example);
        let last = d.node(d.outs()[0]);
        assert_eq!((last.op.name(), primitive(&last.op).name), (p.name, p.name));
        let once = reverse_diagram(&d, &Tangent::Real).unwrap_or_else(|e| panic!("{}: {e}", p.name));
        let real = |d: &Diagram| d.ports().iter().filter(|p| Tangent::Real.of(&p.leaf).is_some()).count();
        assert_eq!(once.outs().len(), real(&d), "{}", p.name);
        let twice = reverse_diagram(&once, &Tangent::Real).unwrap_or_else(|e| panic!("{}: {e}", p.name));
        let thrice = reverse_diagram(&twice, &Tangent::Real).unwrap_or_else(|e| panic!("{}: {e}", p.name));
        for d in [&d, &once, &twice, &thrice] {
            let mut b = Builder::new();
            let args: Vec<(Wire, bool)> =
                d.ports().iter().map(|p| (b.port(p.path.clone(), p.role, p.leaf.under(Dim::BATCH)), true)).collect();
            let outs = batch(&mut b, d, &args, Dim::BATCH, d.outs()).unwrap();
            for ((w, over), leaf) in outs.iter().zip(d.out_leaves()) {
                assert_eq!(b.leaf(*w), &if *over { leaf.under(Dim::BATCH) } else { leaf });
            }
        }
    }
}

#[test]
fn names_are_distinct() {
    let mut names: Vec<&str> = all().iter().map(|p| p.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all().len());
}

#[test]
fn calls_reverse_by_their_own_rule_and_fill_in_zeros() {
    let text = "prim @0 twice {\n  in %0 : input x : R[3]\n  in %1 : input t : Fin[3]\n  %2 = sin %0 : R[3]\n  \
                out %2 %0\n} rev {\n  in %0 : input x : R[3]\n  in %1 : input t : Fin[3]\n  in %2 : cotangent a : R[3]\n  \
                in %3 : cotangent b : R[3]\n  %4 = add %2 %3 : R[3]\n  out %4\n}\nin %0 : input x : R[3]\n\
                in %1 : target t : Fin[3]\n%2 = call @0 %0 %1 : R[3] * R[3]\nout %2\n";
    let d = Diagram::parse_text(text).unwrap();
    assert_eq!(d.to_string(), text);
    let back = reverse_diagram(&d, &Tangent::Real).unwrap();
    assert_eq!(
        back.to_string(),
        "in %0 : input x : R[3]\nin %1 : target t : Fin[3]\nin %2 : cotangent \"d(out 0)\" : R[3]\n\
         %3 = einsum \"->a\" a=3 scale 0.0 : R[3]\n%4 = add %2 %3 : R[3]\nout %4\n"
    );
    assert!(!back.nodes().iter().any(|n| matches!(n.op, Op::Call(_))));
}

#[test]
fn parts_of_a_batch_axis_are_sliced() {
    let text = "in %0 : input x : R[B, 3]\nin %1 : input y : R[B, 3]\n%2 = concat 2 %0 %1 : R[2*B, 3]\nout %2\n";
    let d = Diagram::parse_text(text).unwrap();
    let back = reverse_diagram(&d, &Tangent::Real).unwrap();
    assert_eq!(back.out_leaves(), [d.ports()[0].leaf.clone(), d.ports()[1].leaf.clone()]);
}

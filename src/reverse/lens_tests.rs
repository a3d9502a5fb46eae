//! R as a functor to lenses (2103.01931 Prop. 2.7), the laws of lenses on its values, and the text form of one.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used, reason = "tests")]

use super::reverse;
use crate::diagram::{Builder, Diagram, Function, Lens, Op, Role, same};
use crate::object::{Leaf, Tangent};

fn r(n: u64) -> Leaf {
    Leaf::real(&[n])
}

/// A dense layer `P * A -> B`, `W: R[o, i]`, with a function.
fn dense(name: &str, i: u64, o: u64, f: Function) -> Diagram {
    let mut b = Builder::new();
    let w = b.port(format!("{name}.W"), Role::Param, Leaf::real(&[o, i]));
    let x = b.port("x", Role::Input, r(i));
    let wx = b.einsum("ab,b->a", &[w, x], &[], 1.0).unwrap();
    let y = b.map(f, &[wx]).unwrap();
    b.finish(&[y])
}

/// A map `R[n] -> R[n]`.
fn map(n: u64, fs: &[Function]) -> Diagram {
    let mut b = Builder::new();
    let x = b.port("x", Role::Input, r(n));
    let y = fs.iter().fold(x, |y, f| b.map(*f, &[y]).unwrap());
    b.finish(&[y])
}

#[test]
fn reverse_is_a_functor_to_lenses() {
    // 2103.01931 Prop. 2.7: R[fg] = R[f]; R[g] as lenses (RD.5), R[id] = id (RD.3).
    let f = dense("f", 2, 3, Function::Tanh);
    let g = map(3, &[Function::Exp, Function::Sqrt]);
    let h = map(3, &[Function::Sin]);
    let [rf, rg, rh] = [&f, &g, &h].map(|d| reverse(d, &Tangent::Real).unwrap());
    let whole = reverse(&f.then(&g).unwrap(), &Tangent::Real).unwrap();
    let parts = rf.then(&rg).unwrap();
    assert!(same(&whole.diagram, &parts.diagram));
    assert!(same(&parts.get_diagram().unwrap(), &f.then(&g).unwrap()));
    let id = reverse(&Diagram::identity(&[r(3)]), &Tangent::Real).unwrap();
    assert!(same(&id.diagram, &Lens::identity(&[r(3)], &[r(3)]).diagram));
    // unit, associativity, interchange
    assert!(same(&rg.then(&id).unwrap().diagram, &rg.diagram) && same(&id.then(&rg).unwrap().diagram, &rg.diagram));
    let left = rf.then(&rg).unwrap().then(&rh).unwrap();
    assert!(same(&left.diagram, &rf.then(&rg.then(&rh).unwrap()).unwrap().diagram));
    let exchanged = rf.then(&rg).unwrap().tensor(&rg.then(&rh).unwrap()).unwrap();
    let beside = rf.tensor(&rg).unwrap().then(&rg.tensor(&rh).unwrap()).unwrap();
    assert!(same(&exchanged.diagram, &beside.diagram));
    let fg = reverse(&f.tensor(&g).unwrap(), &Tangent::Real).unwrap();
    assert!(same(&fg.diagram, &rf.tensor(&rg).unwrap().diagram));
    // residuals are shared: f is there once in R[fg]
    let products = |d: &Diagram| d.nodes().iter().filter(|n| n.op == Op::Map(Function::Tanh)).count();
    assert_eq!(products(&parts.diagram), 1);
    assert!(rf.then(&rf).is_err());
}

#[test]
fn a_lens_prints_get_then_put() {
    let lens = reverse(&dense("f", 2, 3, Function::Tanh), &Tangent::Real).unwrap();
    assert_eq!(
        lens.diagram.to_string(),
        "in %0 : param f.W : R[3, 2]\n\
         in %1 : input x : R[2]\n\
         in %2 : cotangent \"d(out 0)\" : R[3]\n\
         %3 = einsum \"ab,b->a\" %0 %1 : R[3]\n\
         %4 = tanh %3 : R[3]\n\
         %5 = mul %4 %4 : R[3]\n\
         %6 = einsum \"a->a\" scale -1.0 %5 : R[3]\n\
         %7 = einsum \"->a\" a=3 : R[3]\n\
         %8 = add %6 %7 : R[3]\n\
         %9 = gate %2 %8 : R[3]\n\
         %10 = einsum \"a,b->ab\" %9 %1 : R[3, 2]\n\
         %11 = einsum \"a,ab->b\" %9 %0 : R[2]\n\
         out %4 %10 %11\n"
    );
}

//! Every operation by hand-computed values, in both precisions; faults; freeing; calls.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use super::*;
use crate::diagram::{
    AffineIndex, Builder, Comparison, Const, Function, LeadAxis, Literal, Logic, Op, Port, PrimDef, Role, Wire,
};
use crate::object::{Base, Dim, Leaf};
use crate::source::Span;
use smallvec::smallvec;
use std::sync::Arc;

/// Runs a diagram of constants built by `f`, in both precisions.
fn value(f: impl Fn(&mut Builder) -> Wire) -> Vec<f64> {
    let mut b = Builder::new();
    let out = f(&mut b);
    let d = b.finish(&[out]);
    let double = evaluate::<f64>(&d, &[], 2).unwrap()[0].to_f64();
    let single = evaluate::<f32>(&d, &[], 2).unwrap()[0].to_f64();
    for (s, d) in single.iter().zip(&double) {
        assert!(s == d || s.is_nan() && d.is_nan() || (s - d).abs() < 1e-5 * (1.0 + d.abs()), "{s} {d}");
    }
    double
}

fn ints(b: &mut Builder, base: Base, dims: &[u64], v: &[i64]) -> Wire {
    b.constant(Const { leaf: Leaf::new(base, dims), entries: Literal::Int(v.to_vec()) }).unwrap()
}

fn bits(b: &mut Builder, v: &[bool]) -> Wire {
    let leaf = Leaf::new(Base::Bool, &[v.len() as u64]);
    b.constant(Const { leaf, entries: Literal::Bool(v.to_vec()) }).unwrap()
}

fn map1(f: Function, x: f64) -> f64 {
    value(|b| {
        let x = b.reals(&[1], &[x]).unwrap();
        b.map(f, &[x]).unwrap()
    })[0]
}

fn map2(f: Function, x: f64, y: f64) -> f64 {
    value(|b| {
        let (x, y) = (b.reals(&[1], &[x]).unwrap(), b.reals(&[1], &[y]).unwrap());
        b.map(f, &[x, y]).unwrap()
    })[0]
}

#[test]
fn pointwise_functions() {
    let x = 0.75_f64;
    let known = [
        (Function::Exp, x.exp()),
        (Function::Log, x.ln()),
        (Function::Log1p, 1.75_f64.ln()),
        (Function::Expm1, x.exp() - 1.0),
        (Function::Sqrt, x.sqrt()),
        (Function::Recip, 4.0 / 3.0),
        (Function::Sin, x.sin()),
        (Function::Cos, x.cos()),
        (Function::Tanh, x.tanh()),
        (Function::Sigmoid, 1.0 / (1.0 + (-x).exp())),
        (Function::Erf, 0.711_155_633_653_515_1),
        (Function::Abs, x),
        (Function::Sign, 1.0),
        (Function::Floor, 0.0),
        (Function::Powi(3), 0.421875),
        (Function::Powi(-2), 16.0 / 9.0),
    ];
    for (f, y) in known {
        assert!((map1(f, x) - y).abs() < 1e-15 * (1.0 + y), "{f:?}");
    }
    assert_eq!((map1(Function::Sign, 0.0), map1(Function::Floor, -0.5), map1(Function::Abs, -2.0)), (0.0, -1.0, 2.0));
    assert!(map1(Function::Sign, f64::NAN).is_nan() && map1(Function::Log, -1.0).is_nan());
    assert_eq!((map2(Function::Mul, 3.0, -2.0), map2(Function::Div, 3.0, -2.0)), (-6.0, -1.5));
    assert_eq!((map2(Function::Pow, 4.0, 0.5), map2(Function::Pow, -2.0, 3.0)), (2.0, -8.0));
    assert_eq!(map2(Function::Gate, 0.0, f64::INFINITY), 0.0);
    assert_eq!(map2(Function::Gate, -0.0, f64::NAN), 0.0);
    assert_eq!(map2(Function::Gate, 2.0, 3.0), 6.0);
}

#[test]
fn comparisons_logic_and_select_on_all_bases() {
    let nan = f64::NAN;
    let real = |c| {
        value(|b| {
            let (x, y) = (b.reals(&[3], &[1.0, 2.0, nan]).unwrap(), b.reals(&[3], &[2.0, 2.0, nan]).unwrap());
            b.op(Op::Compare(c), &[x, y]).unwrap()
        })
    };
    assert_eq!(real(Comparison::Less), [1.0, 0.0, 0.0]);
    assert_eq!(real(Comparison::LessEqual), [1.0, 1.0, 0.0]);
    assert_eq!(real(Comparison::Equal), [0.0, 1.0, 0.0]);
    let whole = value(|b| {
        let (x, y) = (ints(b, Base::Int, &[2], &[-1, 5]), ints(b, Base::Int, &[2], &[3, 5]));
        b.op(Op::Compare(Comparison::LessEqual), &[x, y]).unwrap()
    });
    assert_eq!(whole, [1.0, 1.0]);
    let (p, q) = ([false, false, true, true], [false, true, false, true]);
    let logic = |l: Logic| {
        value(|b| {
            let (x, y) = (bits(b, &p), bits(b, &q));
            b.op(Op::Logic(l), &[x, y][..l.arity()]).unwrap()
        })
    };
    assert_eq!(logic(Logic::Xor), [0.0, 1.0, 1.0, 0.0]);
    assert_eq!(logic(Logic::And), [0.0, 0.0, 0.0, 1.0]);
    assert_eq!(logic(Logic::Or), [0.0, 1.0, 1.0, 1.0]);
    assert_eq!(logic(Logic::Not), [1.0, 1.0, 0.0, 0.0]);
    let less = value(|b| {
        let (x, y) = (bits(b, &p), bits(b, &q));
        b.op(Op::Compare(Comparison::Less), &[x, y]).unwrap()
    });
    assert_eq!(less, [0.0, 1.0, 0.0, 0.0]);
    let chosen = value(|b| {
        let c = bits(b, &[true, false]);
        let (x, y) = (ints(b, Base::Fin(9), &[2], &[1, 2]), ints(b, Base::Fin(9), &[2], &[3, 4]));
        b.op(Op::Select, &[c, x, y]).unwrap()
    });
    assert_eq!(chosen, [1.0, 4.0]);
}

#[test]
fn sums_extents_and_reshapes() {
    let sum = value(|b| {
        let x = ints(b, Base::Int, &[2], &[1, i64::MAX]);
        let y = ints(b, Base::Int, &[2], &[-4, 0]);
        b.add(x, y).unwrap()
    });
    assert_eq!(sum[0], -3.0);
    assert_eq!(value(|b| b.op(Op::Extent(Dim { lit: 1, per: 3 }), &[]).unwrap()), [7.0]);
    assert_eq!(value(|b| b.fill(&[Dim::BATCH, Dim::lit(2)], 0.5).unwrap()), [0.5; 4]);
    let turned = value(|b| {
        let x = b.reals(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        let x = b.reshape(x, &[Dim::lit(2), Dim::lit(3)], &[Dim::lit(3), Dim::lit(2)]).unwrap();
        b.einsum("ab->ba", &[x], &[], 2.0).unwrap()
    });
    assert_eq!(turned, [2.0, 6.0, 10.0, 4.0, 8.0, 12.0]);
}

#[test]
fn index_maps_and_their_daggers() {
    let pad = Op::Index(Arc::new(AffineIndex::pad(&[2], &[1], &[2])));
    let padded = value(|b| {
        let x = b.reals(&[2, 2], &[1.0, 2.0, 3.0, 4.0]).unwrap();
        b.op(pad.clone(), &[x]).unwrap()
    });
    assert_eq!(padded, [0.0, 1.0, 2.0, 0.0, 0.0, 0.0, 3.0, 4.0, 0.0, 0.0]);
    // windows of 2 by steps of 1 over 3 entries
    let windows = Arc::new(AffineIndex::windows(&[3], &[2], &[1], &[0], &[2]));
    let seen = value(|b| {
        let x = b.reals(&[3], &[1.0, 2.0, 3.0]).unwrap();
        b.op(Op::Index(windows.clone()), &[x]).unwrap()
    });
    assert_eq!(seen, [1.0, 2.0, 2.0, 3.0]);
    let back = value(|b| {
        let y = ints(b, Base::Int, &[2, 2], &[1, 10, 100, 1000]);
        b.op(Op::IndexDagger(windows.clone()), &[y]).unwrap()
    });
    assert_eq!(back, [1.0, 110.0, 1000.0]);
}

#[test]
fn joins() {
    let joined = value(|b| {
        let x = b.reals(&[2, 1], &[1.0, 2.0]).unwrap();
        let y = b.reals(&[2, 2], &[3.0, 4.0, 5.0, 6.0]).unwrap();
        b.op(Op::Concat { core: 1 }, &[x, y, x]).unwrap()
    });
    assert_eq!(joined, [1.0, 3.0, 4.0, 1.0, 2.0, 5.0, 6.0, 2.0]);
}

#[test]
fn lookups_and_their_daggers_under_leading_axes() {
    let plain = value(|b| {
        let t = b.reals(&[3, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        let i = ints(b, Base::Fin(3), &[2], &[2, 0]);
        b.op(Op::Gather { lead: smallvec![] }, &[t, i]).unwrap()
    });
    assert_eq!(plain, [5.0, 6.0, 1.0, 2.0]);
    // one table for each of two examples, and one index for each
    let both = LeadAxis { table: true, index: true };
    let each = value(|b| {
        let t = b.reals(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        let i = ints(b, Base::Fin(3), &[2, 1], &[2, 0]);
        b.op(Op::Gather { lead: smallvec![both] }, &[t, i]).unwrap()
    });
    assert_eq!(each, [3.0, 4.0]);
    // one index for all tables
    let tables = LeadAxis { table: true, index: false };
    let shared = value(|b| {
        let t = b.reals(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        let i = ints(b, Base::Fin(3), &[2], &[2, 1]);
        b.op(Op::Gather { lead: smallvec![tables] }, &[t, i]).unwrap()
    });
    assert_eq!(shared, [3.0, 2.0, 6.0, 5.0]);
    // one table for all examples: its requests add up
    let indices = LeadAxis { table: false, index: true };
    let summed = value(|b| {
        let dy = b.reals(&[2, 2], &[1.0, 2.0, 4.0, 8.0]).unwrap();
        let i = ints(b, Base::Fin(3), &[2, 2], &[2, 1, 1, 1]);
        b.op(Op::GatherDagger { lead: smallvec![indices], rows: Dim::lit(3) }, &[dy, i]).unwrap()
    });
    assert_eq!(summed, [0.0, 14.0, 1.0]);
    let kept = value(|b| {
        let dy = b.reals(&[2, 2], &[1.0, 2.0, 4.0, 8.0]).unwrap();
        let i = ints(b, Base::Fin(3), &[2, 2], &[2, 1, 1, 1]);
        b.op(Op::GatherDagger { lead: smallvec![both], rows: Dim::lit(3) }, &[dy, i]).unwrap()
    });
    assert_eq!(kept, [0.0, 2.0, 1.0, 0.0, 12.0, 0.0]);
}

#[test]
fn largest_entries_and_labels() {
    let nan = f64::NAN;
    let on = |op: Op| {
        value(|b| {
            let x = b.reals(&[3, 3], &[1.0, 5.0, 5.0, -1.0, nan, 9.0, -3.0, -2.0, -2.0]).unwrap();
            b.op(op.clone(), &[x]).unwrap()
        })
    };
    let max = on(Op::Max);
    assert!(max[0] == 5.0 && max[1].is_nan() && max[2] == -2.0);
    assert_eq!(on(Op::ArgmaxOneHot), [0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0]);
    assert_eq!(on(Op::Argmax), [1.0, 1.0, 1.0]);
    let hot = value(|b| {
        let i = ints(b, Base::Fin(3), &[2], &[2, 0]);
        b.op(Op::OneHot, &[i]).unwrap()
    });
    assert_eq!(hot, [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
}

#[test]
fn linear_systems() {
    let solve = |a: &[f64], y: &[f64]| {
        let mut b = Builder::new();
        let a = b.reals(&[2, 2, 2], a).unwrap();
        let y = b.reals(&[2, 2], y).unwrap();
        let x = b.op(Op::Solve, &[a, y]).unwrap();
        evaluate::<f64>(&b.finish(&[x]), &[], 1).map(|v| v[0].to_f64())
    };
    // the first one needs a pivot
    let x = solve(&[0.0, 2.0, 1.0, 1.0, 2.0, 1.0, 1.0, 3.0], &[4.0, 5.0, 3.0, 4.0]).unwrap();
    for (x, y) in x.iter().zip([3.0, 2.0, 1.0, 1.0]) {
        assert!((x - y).abs() < 1e-15);
    }
    let singular = solve(&[1.0, 0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 4.0], &[0.0; 4]);
    assert!(matches!(singular, Err(RunFault::Singular { node: 2 })));
}

fn port(leaf: Leaf) -> (Builder, Wire) {
    let mut b = Builder::new();
    let x = b.port("x", Role::Input, leaf);
    (b, x)
}

#[test]
fn inputs_that_do_not_fit_are_faults() {
    let (mut b, x) = port(Leaf::new(Base::Fin(3), &[]).under(Dim::BATCH));
    let y = b.op(Op::OneHot, &[x]).unwrap();
    let d = b.finish(&[y]);
    let run = |x: Tensor<f32>, batch| evaluate(&d, &[x], batch);
    assert_eq!(run(Tensor::int(&[2], vec![0, 2]).unwrap(), 2).unwrap()[0].to_f64(), [1.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
    let outside = run(Tensor::int(&[2], vec![0, 3]).unwrap(), 2);
    assert_eq!(outside, Err(RunFault::OutOfRange { node: 0, value: 3, bound: 3 }));
    let shape = run(Tensor::int(&[2], vec![0, 1]).unwrap(), 3);
    assert_eq!(shape.unwrap_err().to_string(), "port `x` is Fin[3][3] and was given Int[2]");
    assert!(matches!(run(Tensor::number(1.0), 1), Err(RunFault::Port { .. })));
    assert_eq!(evaluate::<f32>(&d, &[], 1), Err(RunFault::Ports { needs: 1, given: 0 }));
    assert!(matches!(run(Tensor::number(1.0), usize::MAX / 2), Err(RunFault::TooLarge { node: 1, .. })));
}

#[test]
fn holes_and_faults_inside_primitives_are_told() {
    let (mut b, x) = port(Leaf::number());
    let hole = b.op(Op::Request { hole: 0, leaf: 0, tangent: crate::object::Tangent::Real }, &[x]).unwrap();
    assert_eq!(evaluate(&b.finish(&[hole]), &[Tensor::<f64>::number(1.0)], 1), Err(RunFault::Request { node: 1 }));

    let (mut b, x) = port(Leaf::real(&[1, 1]));
    let y = b.reals(&[1], &[1.0]).unwrap();
    let y = b.op(Op::Solve, &[x, y]).unwrap();
    let two = b.scale(y, 2.0).unwrap();
    let fwd = b.finish(&[y, two]);
    let rev = fwd.clone();
    let prim = PrimDef {
        name: "invert".into(),
        fwd,
        rev: crate::diagram::Reverses::real(rev),
        span: Span::default(),
        fingerprint: 1,
    };
    let (mut b, x) = port(Leaf::real(&[1, 1]));
    let outs = b.call(Op::Call(Arc::new(prim)), &[x]).unwrap();
    let sum = b.add(outs[0], outs[1]).unwrap();
    let mut machine = Machine::<f64>::new(&b.finish(&[sum, outs[1]]));
    let run = |m: &mut Machine<f64>, x| m.run(&[Tensor::real(&[1, 1], vec![x]).unwrap()], 1);
    let made = run(&mut machine, 4.0).unwrap();
    assert_eq!((made[0].to_f64(), made[1].to_f64()), (vec![0.75], vec![0.5]));
    assert!(run(&mut machine, 0.0).unwrap_err().to_string().contains("in `invert`"));
}

#[test]
fn only_the_cone_is_run_and_ports_may_be_outputs() {
    let (mut b, x) = port(Leaf::number());
    let hole = b.op(Op::Request { hole: 0, leaf: 0, tangent: crate::object::Tangent::Real }, &[x]).unwrap();
    let y = b.add(x, x).unwrap();
    let (_, mut d) = (hole, b.finish(&[x, y, y]));
    let one = [Tensor::<f64>::number(1.5)];
    let outs = evaluate(&d, &one, 1).unwrap();
    assert_eq!(outs.iter().map(|o| o.to_f64()[0]).collect::<Vec<_>>(), [1.5, 3.0, 3.0]);
    d = Builder::resume(d).0.finish(&[]);
    assert!(evaluate(&d, &one, 1).unwrap().is_empty());
    let _: &[Port] = d.ports();
}

#[test]
fn one_machine_runs_many_batch_sizes() {
    let (mut b, x) = port(Leaf::real(&[2]).under(Dim::BATCH));
    let sum = b.einsum("bn->n", &[x], &[], 1.0).unwrap();
    let mut machine = Machine::<f32>::new(&b.finish(&[sum]));
    for batch in [3, 1, 7, 3, 2, 9, 8, 3] {
        let x = Tensor::real(&[batch, 2], vec![1.0; 2 * batch]).unwrap();
        assert_eq!(machine.run(&[x], batch).unwrap()[0].to_f64(), [batch as f64; 2]);
    }
}

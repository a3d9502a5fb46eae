//! Laws of composition and Para, and the text form's round trip, by equality of diagrams.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used, reason = "tests")]

use super::*;
use crate::object::{Base, Dim, Leaf};
use crate::source::Span;
use smallvec::smallvec;
use std::sync::Arc;

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
fn composition_is_a_category_with_tensor() {
    let (f, g, h) = (map(2, &[Function::Sin]), map(2, &[Function::Exp]), map(2, &[Function::Tanh]));
    let id = Diagram::identity(&[r(2)]);
    assert!(same(&id.then(&f).unwrap(), &f) && same(&f.then(&id).unwrap(), &f));
    let left = f.then(&g).unwrap().then(&h).unwrap();
    assert!(same(&left, &f.then(&g.then(&h).unwrap()).unwrap()));
    assert!(!same(&left, &g.then(&f).unwrap()));
    let exchanged = f.then(&g).unwrap().tensor(&h.then(&f).unwrap()).unwrap();
    assert!(same(&f.tensor(&h).unwrap().then(&g.tensor(&f).unwrap()).unwrap(), &exchanged));
    let two = [r(2), r(3)];
    let swap = Diagram::swap(&two[..1], &two[1..]);
    assert!(same(&swap.then(&Diagram::swap(&two[1..], &two[..1])).unwrap(), &Diagram::identity(&two)));
    // copy, then discard one side, is the identity; copying commutes with any map.
    let half = Diagram::identity(&two).tensor(&Diagram::discard(&two)).unwrap();
    assert!(same(&Diagram::copy(&two).then(&half).unwrap(), &Diagram::identity(&two)));
    let copied = f.then(&Diagram::copy(&[r(2)])).unwrap();
    assert!(same(&copied, &Diagram::copy(&[r(2)]).then(&f.tensor(&f).unwrap()).unwrap()));
    assert_eq!(Diagram::zero(&two).unwrap().out_leaves(), two);
    assert_eq!(Diagram::add(&two).unwrap().out_leaves(), two);
    let fault = f.then(&map(3, &[Function::Sin])).unwrap_err();
    assert_eq!(fault.to_string(), "R[2] cannot be composed with R[3]");
}

#[test]
fn a_hundred_thousand_boxes_compose() {
    let f = map(1, &[Function::Sin]);
    let chain = compose_all(&f, std::iter::repeat_n(&f, 99_999)).unwrap();
    assert_eq!(chain.work(), 100_000);
}

#[test]
fn parameters_of_later_maps_come_first() {
    let (f, g) = (Para::new(dense("f", 2, 3, Function::Tanh)), Para::new(dense("g", 3, 2, Function::Exp)));
    let fg = f.then(&g).unwrap();
    let paths: Vec<&str> = fg.diagram.ports().iter().map(|p| &*p.path).collect();
    assert_eq!(paths, ["g.W", "f.W", "x"]);
    assert_eq!((fg.port("f.W"), fg.params()), (Some(1), vec![0, 1]));
    let left = f.then(&g).unwrap().then(&f).unwrap();
    assert!(same(&left.diagram, &f.then(&g.then(&f).unwrap()).unwrap().diagram));
    let beside = f.tensor(&g).unwrap();
    let paths: Vec<&str> = beside.diagram.ports().iter().map(|p| &*p.path).collect();
    assert_eq!(paths, ["f.W", "g.W", "x", "x"]);
    // Tying is reparametrisation by copy; a transpose fits g to f's leaf first.
    let mut b = Builder::new();
    let q = b.port("q", Role::Param, Leaf::real(&[3, 2]));
    let p = b.port("p", Role::Param, Leaf::real(&[3, 2]));
    let t = b.einsum("ab->ba", &[q], &[], 1.0).unwrap();
    let alpha = b.finish(&[t, p]);
    let bound = fg.reparametrise(&alpha).unwrap();
    let tied = bound.tie(0, 1).unwrap();
    let copied = bound.reparametrise(&Diagram::copy(&[Leaf::real(&[3, 2])])).unwrap();
    assert!(same(&tied.diagram, &copied.diagram));
    assert_eq!((tied.params().len(), copied.diagram.ports_of(Role::Param).len()), (1, 1));
    assert!(fg.tie(0, 1).is_err() && fg.tie(0, 0).is_err() && fg.reparametrise(&Diagram::default()).is_err());
}

/// A diagram with every kind of attribute.
fn rich() -> Diagram {
    let mut b = Builder::new();
    let mut inner = Builder::new();
    let x = inner.port("x", Role::Input, r(3));
    let y = inner.map(Function::Sin, &[x]).unwrap();
    let fwd = inner.finish(&[y, x]);
    let rev = {
        let mut b = Builder::new();
        let ins: Vec<Wire> = ["x", "d(out 0)", "d(out 1)"].map(|p| b.port(p, Role::Input, r(3))).to_vec();
        let sum = b.add(ins[1], ins[2]).unwrap();
        b.finish(&[sum])
    };
    let prim = Arc::new(PrimDef::new("my prim", fwd, crate::diagram::Reverses::real(rev), Span::default()));
    let c = b.port("c", Role::Input, Leaf::new(Base::Bool, &[2, 3]));
    let w = b.reals(&[2, 3], &[1.0, -0.0, f64::INFINITY, f64::NAN, 1e-300, 0.1]).unwrap();
    // a port after a node, and other names than words
    let x = b.port("odd \"name\"\n", Role::Noise, r(3));
    let e = b.einsum("ab,b->aac", &[w, x], &[('c', Dim { lit: 3, per: 2 })], -0.25).unwrap();
    let odd = f64::from_bits(0x7ff8_0000_0000_0001);
    let nan = b.fill(&[Dim::BATCH], odd).unwrap();
    let calls = b.call(Op::Call(prim), &[x]).unwrap();
    let sum = b.add(calls[1], calls[0]).unwrap();
    let sum = b.map(Function::Powi(-2), &[sum]).unwrap();
    let lead = b.lead(sum, &[Dim::lit(2)]).unwrap();
    let s = b.op(Op::Select, &[c, lead, w]).unwrap();
    let slice = Arc::new(AffineIndex::pad(&[3], &[1], &[2]));
    let padded = b.op(Op::Index(Arc::clone(&slice)), &[s]).unwrap();
    let back = b.op(Op::IndexDagger(slice), &[padded]).unwrap();
    let flat = b.reshape_all(back, &[Dim::lit(6)]).unwrap();
    let joined = b.op(Op::Concat { core: 1 }, &[flat, flat]).unwrap();
    let place = b.op(Op::Argmax, &[joined]).unwrap();
    let rows = b.op(Op::Gather { lead: smallvec![] }, &[joined, place]).unwrap();
    let scattered = b.op(Op::GatherDagger { lead: smallvec![], rows: Dim::lit(12) }, &[rows, place]).unwrap();
    let again = b.repeat(place, Dim::BATCH).unwrap();
    let table = smallvec![LeadAxis { table: false, index: true }];
    let led = b.op(Op::Gather { lead: table }, &[joined, again]).unwrap();
    let hole = b.op(Op::Request { hole: 1, leaf: 2 }, &[x]).unwrap();
    let n = b.op(Op::Extent(Dim::BATCH), &[]).unwrap();
    let bits = Const { leaf: Leaf::new(Base::Fin(4), &[2]), entries: Literal::Int(vec![3, 0]) };
    let bits = b.constant(bits).unwrap();
    b.finish(&[e, nan, calls[1], scattered, led, hole, n, bits, x])
}

#[test]
fn text_form_reads_back() {
    let d = rich();
    let text = d.to_string();
    let read = Diagram::parse_text(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    assert_eq!(read.to_string(), text);
    assert!(same(&d, &read), "{text}");
    assert_eq!(read.ports(), d.ports());
}

#[test]
fn faults_of_the_text_form_name_their_line() {
    for (text, message) in [
        ("", "line 0: the text ends before `out`"),
        ("in %0 : input x : R[3]", "line 1: the text ends before `out`"),
        ("in %0 : input x : R[3]\n%1 = exp %0 : R[4]\nout %1", "line 2: it is R[3], not R[4]"),
        ("in %0 : input x : R[3]\n%1 = exq %0 : R[3]", "line 2: no operation is called exq"),
        ("out %7", "line 1: %7 is not known here"),
        ("in %0 : gift x : R[3]", "line 1: no role is called gift"),
        ("in %0 : input x : R[3]\nout %0.1", "line 2: %0 has 1 outputs"),
        ("}", "line 1: the body ends before `out`"),
        (
            "in %0 : input x : R[4]\n%1 = index from [4] to [2] base [] coef [] %0 : R[2]",
            "line 2: base has one entry, \
         and coef one row, for each axis of from; a row one for each axis of to",
        ),
    ] {
        assert_eq!(Diagram::parse_text(text).unwrap_err().to_string(), message, "{text}");
    }
}

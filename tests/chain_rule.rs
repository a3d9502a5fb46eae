//! RD.5 on random composites: R of a composite is the composite of the reverses, as equality of wires in one arena.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use catlearn::diagram::{Builder, Role, Wire};
use catlearn::object::Tangent;
use catlearn::random::{Stream, Use};
use catlearn::reverse::requests;
use proptest::prelude::*;
use support::{Mode, domain, draw, grow, near, port_leaves, run};

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    /// R[f; g](a, c) = R[f](a, R[g](f(a), c)), as equality of wires in one arena.
    #[test]
    fn rd5_is_equality_of_nodes(g in prop::collection::vec(any::<u32>(), 1..12), k in prop::collection::vec(any::<u32>(), 1..12)) {
        rd5(&g, &k)?;
    }
}

/// Whether the composite was one with a cut whose second half has nodes of its own: then both sides are one wire.
fn rd5(g: &[u32], k: &[u32]) -> Result<bool, TestCaseError> {
    let mut b = Builder::new();
    let [three, two] = domain();
    let (x, y) = (b.port("p", Role::Input, three.clone()), b.port("x", Role::Input, two.clone()));
    let middle = grow(&mut b, x, y, g, Mode::Smooth);
    let seam = b.len() as u32;
    let last = grow(&mut b, middle[0], middle[1], k, Mode::Smooth);
    let own = of_its_own(&b, &middle, &last, seam);
    let c = [b.port("d0", Role::Cotangent, three), b.port("d1", Role::Cotangent, two)];
    let cots = [(last[0], c[0]), (last[1], c[1])];
    let inner = requests(&mut b, &Tangent::Real, &cots, &middle).unwrap();
    // A wire of the middle that is an input, or the same wire twice, is not a cut; skip those.
    let cut = middle[0] != x && middle[1] != y && middle[0] != middle[1];
    if !cut || inner.iter().any(Option::is_none) {
        return Ok(false);
    }
    let through: Vec<(Wire, Wire)> = middle.iter().zip(&inner).map(|(m, r)| (*m, r.unwrap())).collect();
    let composed = requests(&mut b, &Tangent::Real, &through, &[x, y]).unwrap();
    let whole = requests(&mut b, &Tangent::Real, &cots, &[x, y]).unwrap();
    let (n, again) = (b.len(), requests(&mut b, &Tangent::Real, &cots, &[x, y]).unwrap());
    prop_assert_eq!(&again, &whole);
    prop_assert_eq!(b.len(), n, "asking twice makes nothing new");
    if own {
        prop_assert_eq!(&composed, &whole);
        return Ok(true);
    }
    // A node that both halves have stands before the seam: contributions meet in another order, and the numbers agree
    // to rounding.
    let outs = |ws: &[Option<Wire>]| ws.iter().map(|w| w.unwrap_or(x)).collect::<Vec<_>>();
    let (p, q) = (b.clone().finish(&outs(&composed)), b.clone().finish(&outs(&whole)));
    let all = draw(&port_leaves(&p), 7);
    prop_assert!(near(&run(&p, &all, 1), &run(&q, &all, 1), 1e-9));
    Ok(false)
}

/// Whether all nodes between the middle and the end, literals apart, were made after the seam.
fn of_its_own(b: &Builder, middle: &[Wire], last: &[Wire], seam: u32) -> bool {
    let mut stack = last.to_vec();
    let mut seen = vec![false; b.len()];
    while let Some(w) = stack.pop() {
        if middle.contains(&w) || std::mem::replace(&mut seen[w.node as usize], true) {
            continue;
        }
        let node = b.diagram().node(w);
        if w.node < seam && !node.ins.is_empty() {
            return false;
        }
        stack.extend(node.ins.iter().copied());
    }
    true
}

/// RD.5 is asked as equality of wires in half of the cases; in the others the halves share a node, or there is no cut.
#[test]
fn rd5_is_often_asked_of_wires() {
    let mut stream = Stream::new(5, Use::Laws);
    let mut genes = || -> Vec<u32> { (0..1 + stream.below(11)).map(|_| stream.bits() as u32).collect() };
    let clean = (0..1000).filter(|_| rd5(&genes(), &genes()).unwrap()).count();
    assert!(clean >= 450, "{clean} of 1000");
}

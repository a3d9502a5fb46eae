//! Structural laws of the reverse derivative; its numbers are tested against differences where the machine is.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used, reason = "tests")]

use super::{requests, reverse, reverse_diagram};
use crate::diagram::{Builder, Diagram, Function, Op, Role, TypeFault, Wire};
use crate::object::{Base, Dim, Leaf, Tangent};
use crate::source::{FileId, Span};

/// The einsum that a wire is, with its scale.
fn einsum_of(b: &Builder, w: Wire) -> String {
    let node = b.diagram().node(w);
    let Op::Einsum(spec) = &node.op else { panic!("{:?}", node.op) };
    format!("{spec} {} {}", spec.scale(), node.outs[0])
}

/// R of an einsum in its first operand.
fn einsum_reversed(letters: &str, leaves: &[&[u64]], sizes: &[(char, Dim)], scale: f64) -> String {
    let mut b = Builder::new();
    let ins: Vec<Wire> = leaves.iter().map(|d| b.port("x", Role::Input, Leaf::real(d))).collect();
    let y = b.einsum(letters, &ins, sizes, scale).unwrap();
    let leaf = b.leaf(y).clone();
    let dy = b.port("dy", Role::Cotangent, leaf);
    let r = requests(&mut b, &Tangent::Real, &[(y, dy)], &ins[..1]).unwrap();
    einsum_of(&b, r[0].unwrap())
}

#[test]
fn einsum_is_closed_under_its_reverse() {
    let one = ('z', Dim::ONE);
    assert_eq!(einsum_reversed("ab,b->a", &[&[2, 3], &[3]], &[], 2.0), "a,b->ab 2 R[2, 3]");
    // trace, whose reverse is a diagonal that broadcasts
    assert_eq!(einsum_reversed("aa->z", &[&[3, 3]], &[one], 1.0), "a->bb 1 R[3, 3]");
    // diagonal and its embedding
    assert_eq!(einsum_reversed("aa->a", &[&[3, 3]], &[], 1.0), "a->aa 1 R[3, 3]");
    assert_eq!(einsum_reversed("a->aa", &[&[3]], &[], 1.0), "aa->a 1 R[3]");
    // sum and broadcast
    assert_eq!(einsum_reversed("ab->a", &[&[2, 3]], &[], 1.0), "a->ab 1 R[2, 3]");
    assert_eq!(einsum_reversed("a->ab", &[&[2]], &[('b', Dim::BATCH)], 1.0), "ab->a 1 R[2]");
    // a letter of another operand that was summed over alone
    assert_eq!(einsum_reversed("a,b->a", &[&[2], &[3]], &[], 1.0), "a,b->a 1 R[2]");
    // a letter only in the result
    assert_eq!(einsum_reversed("a,b->c", &[&[2], &[3]], &[('c', Dim::lit(5))], 1.0), "a,b->c 1 R[2]");
}

/// `layers` dense layers with tanh and a quadratic loss.
fn mlp(sizes: &[u64]) -> Diagram {
    let mut b = Builder::new();
    let params: Vec<(Wire, Wire)> = sizes
        .windows(2)
        .enumerate()
        .map(|(k, s)| {
            let w = b.port(format!("{k}.W"), Role::Param, Leaf::real(&[s[1], s[0]]));
            (w, b.port(format!("{k}.b"), Role::Param, Leaf::real(&[s[1]])))
        })
        .collect();
    let mut h = b.port("x", Role::Input, Leaf::real(&sizes[..1]));
    let t = b.port("t", Role::Target, Leaf::real(&sizes[sizes.len() - 1..]));
    for (w, bias) in params {
        let wx = b.einsum("ab,b->a", &[w, h], &[], 1.0).unwrap();
        let z = b.add(wx, bias).unwrap();
        h = b.map(Function::Tanh, &[z]).unwrap();
    }
    let e = b.sub(h, t).unwrap();
    let loss = b.dot(e, e).unwrap();
    let loss = b.scale(loss, 0.5).unwrap();
    b.finish(&[loss])
}

#[test]
fn reverses_grow_at_most_threefold_a_level_and_linearly_in_depth() {
    let mut d = mlp(&[4, 16, 3]);
    let mut works = vec![d.work()];
    for _ in 0..3 {
        d = reverse_diagram(&d, &Tangent::Real).unwrap();
        works.push(d.work());
    }
    // The first level adds the request of each of five ports to a diagram of nine nodes.
    assert!(works.windows(2).skip(1).all(|w| w[1] <= 3 * w[0]), "{works:?}");
    let works = [2, 4, 8].map(|n| reverse_diagram(&mlp(&vec![4; n + 1]), &Tangent::Real).unwrap().work());
    assert_eq!((works[2] - works[1]) % (works[1] - works[0]), 0, "{works:?}");
    assert_eq!((works[2] - works[1]) / (works[1] - works[0]), 2, "{works:?}");
}

#[test]
fn squaring_forty_times_is_linear() {
    let mut b = Builder::new();
    let x = b.port("x", Role::Input, Leaf::number());
    let mut y = x;
    for _ in 0..40 {
        y = b.map(Function::Mul, &[y, y]).unwrap();
    }
    let r = reverse_diagram(&b.finish(&[y]), &Tangent::Real).unwrap();
    assert!(r.work() <= 3 * 40, "{}", r.work());
}

#[test]
fn a_chain_of_a_hundred_thousand_nodes_reverses() {
    let mut b = Builder::new();
    let x = b.port("x", Role::Input, Leaf::number());
    let mut y = x;
    for _ in 0..100_000 {
        y = b.map(Function::Sin, &[y]).unwrap();
    }
    let r = reverse_diagram(&b.finish(&[y]), &Tangent::Real).unwrap();
    assert_eq!(r.work(), 299_999);
}

/// tanh(W x), and u + u for u = exp(y) * y.
fn f_and_g() -> (Diagram, Diagram) {
    let mut b = Builder::new();
    let w = b.port("W", Role::Param, Leaf::real(&[3, 2]));
    let x = b.port("x", Role::Input, Leaf::real(&[2]));
    let wx = b.einsum("ab,b->a", &[w, x], &[], 1.0).unwrap();
    let y = b.map(Function::Tanh, &[wx]).unwrap();
    let f = b.finish(&[y]);
    let mut b = Builder::new();
    let y = b.port("y", Role::Input, Leaf::real(&[3]));
    let e = b.map(Function::Exp, &[y]).unwrap();
    let u = b.map(Function::Mul, &[e, y]).unwrap();
    let z = b.add(u, u).unwrap();
    (f, b.finish(&[z]))
}

#[test]
fn chain_rule_holds_as_equality_of_node_ids() {
    // RD.5: R[fg](a, c) = R[f](a, R[g](f(a), c)).
    let (f, g) = f_and_g();
    let (rf, rg) = (reverse_diagram(&f, &Tangent::Real).unwrap(), reverse_diagram(&g, &Tangent::Real).unwrap());
    let mut b = Builder::new();
    let w = b.port("W", Role::Param, Leaf::real(&[3, 2]));
    let x = b.port("x", Role::Input, Leaf::real(&[2]));
    let c = b.port("c", Role::Cotangent, Leaf::real(&[3]));
    let y = b.append(&f, &[w, x]).unwrap();
    let z = b.append(&g, &y).unwrap();
    let whole: Vec<Wire> =
        requests(&mut b, &Tangent::Real, &[(z[0], c)], &[w, x]).unwrap().into_iter().map(Option::unwrap).collect();
    let dy = b.append(&rg, &[y[0], c]).unwrap();
    let parts = b.append(&rf, &[w, x, dy[0]]).unwrap();
    assert_eq!(whole, parts);
}

#[test]
fn only_active_nodes_are_reversed() {
    let (f, _) = f_and_g();
    let (mut b, outs) = Builder::resume(f.clone());
    let dy = b.port("dy", Role::Cotangent, Leaf::real(&[3]));
    let before = b.len();
    let r = requests(&mut b, &Tangent::Real, &[(outs[0], dy)], &[f.port_wire(0)]).unwrap();
    assert!(r[0].is_some());
    let one = requests(&mut b, &Tangent::Real, &[(outs[0], dy)], &[]).unwrap();
    assert!(one.is_empty());
    // tanh: one, y*y, its negative, their sum, gate; einsum: one request only.
    assert_eq!(b.len() - before, 6);
}

#[test]
fn a_wire_of_wrt_is_not_walked_through() {
    let mut b = Builder::new();
    let x = b.port("x", Role::Input, Leaf::real(&[3]));
    let y = b.map(Function::Sin, &[x]).unwrap();
    let z = b.map(Function::Exp, &[y]).unwrap();
    let dz = b.port("dz", Role::Cotangent, Leaf::real(&[3]));
    let r = requests(&mut b, &Tangent::Real, &[(z, dz)], &[x, y, z]).unwrap();
    assert_eq!(r, [None, None, Some(dz)]);
    let r = requests(&mut b, &Tangent::Real, &[(z, dz)], &[x, y]).unwrap();
    assert!(r[0].is_none() && r[1].is_some());
    assert_eq!(requests(&mut b, &Tangent::Real, &[(y, dz)], &[z]).unwrap(), [None]);
}

#[test]
fn labels_and_bits_have_no_requests() {
    let mut b = Builder::new();
    let t = b.port("t", Role::Target, Leaf::new(Base::Fin(3), &[]));
    let x = b.port("x", Role::Input, Leaf::real(&[3]));
    let hot = b.op(Op::OneHot, &[t]).unwrap();
    let y = b.dot(hot, x).unwrap();
    let lens = reverse(&b.finish(&[y]), &Tangent::Real).unwrap();
    assert_eq!((lens.put.len(), lens.back.as_slice()), (1, [2].as_slice()));
    assert_eq!(lens.diagram.ports()[2].path.as_ref(), "d(out 0)");
}

#[test]
fn unread_ports_get_explicit_zeros() {
    let mut b = Builder::new();
    let _ = b.port("p", Role::Param, Leaf::real(&[2]));
    let x = b.port("x", Role::Input, Leaf::real(&[3]));
    let lens = reverse(&b.finish(&[x]), &Tangent::Real).unwrap();
    let leaves = lens.diagram.out_leaves();
    assert_eq!(leaves[lens.put], [Leaf::real(&[2]), Leaf::real(&[3])]);
}

#[test]
fn a_node_without_reverse_is_named_with_its_origin() {
    let mut b = Builder::new();
    let x = b.port("x", Role::Param, Leaf::real(&[2]));
    let span = Span::new(FileId(3), 5, 9);
    b.at(crate::diagram::Origin { span, path: "rule".into() });
    let y = b.op(Op::Request { hole: 0, leaf: 0 }, &[x]).unwrap();
    let fault = reverse(&b.finish(&[y]), &Tangent::Real).unwrap_err();
    assert_eq!(fault.fault, TypeFault::NoReverse("request".into()));
    assert_eq!(fault.origin.unwrap().span, span);
}

#[test]
fn requests_keep_the_origin_of_what_they_reverse() {
    let mut b = Builder::new();
    let x = b.port("x", Role::Param, Leaf::real(&[2]));
    b.at(crate::diagram::Origin { span: Span::default(), path: "layer".into() });
    let y = b.map(Function::Sin, &[x]).unwrap();
    let r = reverse(&b.finish(&[y]), &Tangent::Real).unwrap();
    let put = r.diagram.outs()[r.put.start];
    assert_eq!(r.diagram.origins(put.node).next().unwrap().path.as_ref(), "layer");
}

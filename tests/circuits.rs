//! The laws over bits, on random circuits with sharing, a thousand and more each: R over votes is the transpose of the
//! integer derivative, over parity the same mod 2; RD.1 to RD.5; a batch is the aggregate of its examples; a circuit is
//! its truth table; where no variable meets itself in a product R is the Boolean difference (CORE.md 3.2).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use catlearn::compile::simplify;
use catlearn::diagram::{Builder, Diagram, Logic, Op, Role, Wire, batch, meetings, same};
use catlearn::object::{Dim, Tangent};
use catlearn::random::{Stream, Use};
use catlearn::reverse::{requests, reverse, reverse_diagram};
use proptest::prelude::*;
use support::circuits::{Dual, domain, grow, read};
use support::{draw, run};

fn genes() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(any::<u32>(), 1..14)
}

fn circuit(genes: &[u32]) -> Diagram {
    let mut b = Builder::new();
    let [three, two] = domain();
    let (x, y) = (b.port("p", Role::Param, three), b.port("x", Role::Input, two));
    let outs = grow(&mut b, x, y, genes);
    b.finish(&outs)
}

fn bits(n: usize, of: usize) -> Vec<f64> {
    (0..n).map(|i| f64::from(u8::from(of >> i & 1 == 1))).collect()
}

fn duals(values: &[f64], along: Option<usize>) -> Vec<Dual> {
    values.iter().enumerate().map(|(i, v)| Dual { value: *v as i64, change: i64::from(along == Some(i)) }).collect()
}

/// The derivative of every output in every input, at a point of five bits.
fn jacobian(genes: &[u32], point: &[f64]) -> Vec<Vec<i64>> {
    (0..5)
        .map(|along| {
            let all = duals(point, Some(along));
            read(&all[..3], &all[3..], genes).concat().iter().map(|d| d.change).collect()
        })
        .collect()
}

fn whole(seed: u64, n: usize) -> Vec<f64> {
    let mut stream = Stream::new(seed, Use::Laws);
    (0..n).map(|_| stream.below(9) as f64 - 4.0).collect()
}

fn parity(x: f64) -> f64 {
    x.rem_euclid(2.0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_circuit_is_its_truth_table(g in genes()) {
        let d = circuit(&g);
        for row in 0..32 {
            let point = bits(5, row);
            let all = duals(&point, None);
            let by_hand: Vec<Vec<f64>> =
                read(&all[..3], &all[3..], &g).iter().map(|v| v.iter().map(|d| d.value as f64).collect()).collect();
            prop_assert_eq!(run(&d, &[point[..3].to_vec(), point[3..].to_vec()], 1), by_hand);
        }
    }

    /// Also xor(u, u) and and(u, u): formal, not of the function.
    #[test]
    fn votes_are_the_transpose_and_parity_is_votes_mod_2(g in genes(), row in 0..32_usize, seed in any::<u64>()) {
        let d = circuit(&g);
        let point = bits(5, row);
        let split = [point[..3].to_vec(), point[3..].to_vec()];
        let dy = whole(seed, 5);
        let votes = reverse_diagram(&d, &Tangent::Votes).unwrap();
        let asked = run(&votes, &[split.to_vec(), vec![dy[..3].to_vec(), dy[3..].to_vec()]].concat(), 1).concat();
        let j = jacobian(&g, &point);
        let by_hand: Vec<f64> =
            j.iter().map(|row| row.iter().zip(&dy).map(|(d, dy)| *d as f64 * dy).sum::<f64>()).collect();
        prop_assert_eq!(&asked, &by_hand);
        let odd: Vec<f64> = dy.iter().map(|x| parity(*x)).collect();
        let over_z2 = reverse_diagram(&d, &Tangent::Parity).unwrap();
        let asked = run(&over_z2, &[split.to_vec(), vec![odd[..3].to_vec(), odd[3..].to_vec()]].concat(), 1).concat();
        let by_hand: Vec<f64> = by_hand.iter().map(|x| parity(*x)).collect();
        prop_assert_eq!(asked, by_hand);
    }

    #[test]
    fn rd1_and_rd2(g in genes(), k in genes(), seed in any::<u64>()) {
        let (f, h) = (circuit(&g), circuit(&k));
        for tangent in [Tangent::Parity, Tangent::Votes] {
            let r = reverse_diagram(&f, &tangent).unwrap();
            let x = draw(&domain(), seed);
            let leaves: Vec<_> = r.ports()[2..].iter().map(|p| p.leaf.clone()).collect();
            let (b, c) = (draw(&leaves, seed ^ 1), draw(&leaves, seed ^ 2));
            let add = |a: &[Vec<f64>], b: &[Vec<f64>]| -> Vec<Vec<f64>> {
                let sum = |x: f64, y: f64| if tangent == Tangent::Parity { parity(x + y) } else { x + y };
                a.iter().zip(b).map(|(a, b)| a.iter().zip(b).map(|(x, y)| sum(*x, *y)).collect()).collect()
            };
            let at = |dy: Vec<Vec<f64>>| run(&r, &[x.clone(), dy].concat(), 1);
            prop_assert_eq!(at(add(&b, &c)), add(&at(b.clone()), &at(c.clone())));
            prop_assert!(at(vec![vec![0.0; 3], vec![0.0; 2]]).iter().flatten().all(|x| *x == 0.0));
            if tangent == Tangent::Parity {
                // f xor h, output by output
                let mut both = Builder::new();
                let [three, two] = domain();
                let ports = [both.port("p", Role::Param, three), both.port("x", Role::Input, two)];
                let (one, other) = (both.append(&f, &ports).unwrap(), both.append(&h, &ports).unwrap());
                let sums: Vec<Wire> = one.iter().zip(&other).map(|(a, b)| both.add(*a, *b).unwrap()).collect();
                let sum = reverse_diagram(&both.finish(&sums), &tangent).unwrap();
                let of_h = reverse_diagram(&h, &tangent).unwrap();
                let input = [x.clone(), b.clone()].concat();
                prop_assert_eq!(run(&sum, &input, 1), add(&run(&r, &input, 1), &run(&of_h, &input, 1)));
            }
        }
    }

    /// RD.5: R of a composite is the composite of lenses.
    #[test]
    fn rd5(g in genes(), k in genes(), seed in any::<u64>()) {
        for tangent in [Tangent::Parity, Tangent::Votes] {
            let (f, h) = (circuit(&g), circuit(&k));
            let whole = reverse(&f.then(&h).unwrap(), &tangent).unwrap();
            let parts = reverse(&f, &tangent).unwrap().then(&reverse(&h, &tangent).unwrap()).unwrap();
            let leaves: Vec<_> = whole.diagram.ports().iter().map(|p| p.leaf.clone()).collect();
            let input = draw(&leaves, seed);
            prop_assert_eq!(run(&whole.diagram, &input, 1), run(&parts.diagram, &input, 1));
        }
    }

    #[test]
    fn reverses_of_reverses_over_parity(g in genes(), row in 0..1024_usize, seed in any::<u64>()) {
        // RD.6: R[f] is linear in the request, so R[R[f]] in it is f's tangent map; its transpose is R[f] again.
        let r = reverse_diagram(&circuit(&g), &Tangent::Parity).unwrap();
        let rr = reverse_diagram(&r, &Tangent::Parity).unwrap();
        let all = bits(10, row);
        let input = vec![all[..3].to_vec(), all[3..5].to_vec(), all[5..8].to_vec(), all[8..].to_vec()];
        let along = draw(&domain(), seed);
        let twice = run(&rr, &[input.clone(), along.clone()].concat(), 1);
        let point: Vec<f64> = all[..5].to_vec();
        let j = jacobian(&g, &point);
        let v = along.concat();
        let forward: Vec<f64> = (0..5).map(|o| parity((0..5).map(|i| j[i][o] as f64 * v[i]).sum())).collect();
        prop_assert_eq!([twice[2].clone(), twice[3].clone()].concat(), forward);
    }

    /// A batch of B is the aggregate of B single requests, for every mix of batched and unbatched operands.
    #[test]
    fn a_batch_is_the_aggregate_of_its_examples(g in genes(), mask in 0..16_usize, seed in any::<u64>()) {
        const ROWS: usize = 3;
        for tangent in [Tangent::Parity, Tangent::Votes] {
            let r = reverse_diagram(&circuit(&g), &tangent).unwrap();
            let over = |i: usize| mask >> i & 1 == 1;
            let mut b = Builder::new();
            let mut args = Vec::new();
            let mut values = Vec::new();
            for (i, port) in r.ports().iter().enumerate() {
                let leaf = if over(i) { port.leaf.under(Dim::lit(ROWS as u64)) } else { port.leaf.clone() };
                args.push((b.port(port.path.clone(), port.role, leaf.clone()), over(i)));
                values.push(draw(&[leaf], seed.wrapping_add(i as u64)).remove(0));
            }
            let made = batch(&mut b, &r, &args, Dim::lit(ROWS as u64), r.outs()).unwrap();
            let mut outs = Vec::new();
            for (wire, batched) in &made {
                outs.push(if *batched { b.sum_axis(*wire, 0).unwrap() } else { *wire });
            }
            let all = b.finish(&outs);
            let summed = run(&all, &values, 1);
            prop_assert_eq!(&run(&simplify(&all), &values, 1), &summed);
            let mut total: Vec<Vec<f64>> = vec![vec![0.0; 3], vec![0.0; 2]];
            for row in 0..ROWS {
                let one: Vec<Vec<f64>> = values.iter().enumerate().map(|(i, v)| {
                    let n = v.len() / ROWS;
                    if over(i) { v[row * n..(row + 1) * n].to_vec() } else { v.clone() }
                }).collect();
                for ((t, x), (_, batched)) in total.iter_mut().zip(run(&r, &one, 1)).zip(&made) {
                    if *batched || row == 0 {
                        t.iter_mut().zip(x).for_each(|(t, x)| *t += x);
                    }
                }
            }
            if tangent == Tangent::Parity {
                total.iter_mut().flatten().for_each(|x| *x = parity(*x));
            }
            prop_assert_eq!(summed, total);
        }
    }

    /// Where no variable meets itself in a product, R is the Boolean difference; where it is not, a meeting is named.
    #[test]
    fn safe_circuits_have_the_boolean_difference(g in genes(), row in 0..32_usize) {
        let d = circuit(&g);
        if !meetings(&d).is_empty() {
            return Ok(());
        }
        let point = bits(5, row);
        let j = jacobian(&g, &point);
        let value = |point: &[f64]| run(&d, &[point[..3].to_vec(), point[3..].to_vec()], 1).concat();
        for i in 0..5 {
            let mut other = point.clone();
            other[i] = 1.0 - other[i];
            let apart: Vec<bool> = value(&point).iter().zip(value(&other)).map(|(a, b)| *a != b).collect();
            let formal: Vec<bool> = j[i].iter().map(|d| d.rem_euclid(2) == 1).collect();
            prop_assert_eq!(&apart, &formal, "bit {}", i);
        }
    }
}

/// RD.3 and RD.4 as equality of diagrams.
#[test]
fn identities_projections_and_pairs() {
    for tangent in [Tangent::Parity, Tangent::Votes] {
        let [three, two] = domain();
        let id = reverse_diagram(&Diagram::identity(std::slice::from_ref(&three)), &tangent).unwrap();
        assert_eq!(id.outs(), [id.port_wire(1)]);
        let mut b = Builder::new();
        let x = b.port("x", Role::Input, three);
        b.port("y", Role::Input, two.clone());
        let first = reverse_diagram(&b.finish(&[x]), &tangent).unwrap();
        assert_eq!(first.outs()[0], first.port_wire(2));
        assert_eq!(
            run(&first, &draw(&first.ports().iter().map(|p| p.leaf.clone()).collect::<Vec<_>>(), 1), 1)[1],
            [0.0; 2]
        );
        // copy reverses to addition
        let mut b = Builder::new();
        let y = b.port("y", Role::Input, two);
        let copy = reverse_diagram(&b.finish(&[y, y]), &tangent).unwrap();
        let sum = if tangent == Tangent::Parity { "xor" } else { "add" };
        assert_eq!(copy.node(copy.outs()[0]).op.name(), sum);
    }
}

/// x and x is x, but not as a morphism: over parity its request is 0, over votes 2x dy.
#[test]
fn a_square_is_not_its_root() {
    let mut b = Builder::new();
    let [three, _] = domain();
    let x = b.port("x", Role::Input, three);
    let y = b.op(Op::Logic(Logic::And), &[x, x]).unwrap();
    let d = b.finish(&[y]);
    assert_eq!(meetings(&d).len(), 1);
    let point = vec![1.0, 0.0, 1.0];
    let over = |tangent, dy: Vec<f64>| run(&reverse_diagram(&d, &tangent).unwrap(), &[point.clone(), dy], 1).remove(0);
    assert_eq!(over(Tangent::Parity, vec![1.0; 3]), [0.0; 3]);
    assert_eq!(over(Tangent::Votes, vec![3.0; 3]), [6.0, 0.0, 6.0]);
}

/// The table is one generator: it equals basis, product and sum, with the same requests (the paper's `eval`).
#[test]
fn a_table_is_basis_product_and_sum() {
    let table = catlearn::object::Leaf::new(catlearn::object::Base::Bool, &[8]);
    let [three, _] = domain();
    let build = |long: bool| {
        let mut b = Builder::new();
        let (t, x) = (b.port("T", Role::Param, table.clone()), b.port("x", Role::Input, three.clone()));
        let y = if long {
            let at = b.op(Op::Basis, &[x]).unwrap();
            let each = b.op(Op::Logic(Logic::And), &[at, t]).unwrap();
            b.sum_axis(each, 0).unwrap()
        } else {
            b.op(Op::Lookup { lead: Default::default() }, &[t, x]).unwrap()
        };
        b.finish(&[y])
    };
    let (short, long) = (build(false), build(true));
    assert!(!same(&short, &long));
    let (r, s) =
        (reverse_diagram(&short, &Tangent::Parity).unwrap(), reverse_diagram(&long, &Tangent::Parity).unwrap());
    let mut b = Builder::new();
    let x = b.port("x", Role::Input, three);
    let dy = b.port("dy", Role::Cotangent, catlearn::object::Leaf::new(catlearn::object::Base::Bool, &[1]));
    assert!(requests(&mut b, &Tangent::Parity, &[(x, dy)], &[x]).is_err());
    for seed in 0..200 {
        let input = draw(
            &[table.clone(), domain()[0].clone(), catlearn::object::Leaf::new(catlearn::object::Base::Bool, &[1])],
            seed,
        );
        assert_eq!(run(&short, &input[..2], 1), run(&long, &input[..2], 1));
        assert_eq!(run(&r, &input, 1), run(&s, &input, 1));
    }
}

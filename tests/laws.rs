//! The laws of reverse derivative categories, lenses and Para on random diagrams with fan-out, a thousand and more each.
//! Sources: 1910.07065 definition 13 (RD.1 to RD.7), 2103.01931 propositions 2.7 and 3.1.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use catlearn::compile::simplify;
use catlearn::diagram::{Builder, Diagram, Lens, Para, Role, Wire, batch, same};
use catlearn::object::{Dim, Leaf, Tangent};
use catlearn::reverse::{requests, reverse, reverse_diagram};
use proptest::prelude::*;
use support::{Mode, Verdict, against_differences, diagram, domain, draw, grow, near, port_leaves, run};

fn genes() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(any::<u32>(), 1..12)
}

fn settings() -> ProptestConfig {
    ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() }
}

fn r(d: &Diagram) -> Diagram {
    reverse_diagram(d, &Tangent::Real).unwrap()
}

fn zeros(like: &[Vec<f64>]) -> Vec<Vec<f64>> {
    like.iter().map(|v| vec![0.0; v.len()]).collect()
}

fn plus(a: &[Vec<f64>], b: &[Vec<f64>]) -> Vec<Vec<f64>> {
    a.iter().zip(b).map(|(x, y)| x.iter().zip(y).map(|(x, y)| x + y).collect()).collect()
}

fn join(parts: &[&[Vec<f64>]]) -> Vec<Vec<f64>> {
    parts.iter().flat_map(|p| p.iter().cloned()).collect()
}

/// Checks R of a diagram against central differences along a random direction.
fn derivative_holds(f: &Diagram, seed: u64) -> Result<bool, TestCaseError> {
    let (a, back) = (port_leaves(f), f.out_leaves());
    let (point, w, along) = (draw(&a, seed), draw(&back, seed ^ 1), draw(&a, seed ^ 2));
    let requests = run(&r(f), &join(&[&point, &w]), 1);
    match against_differences(&|x| run(f, x, 1), &point, &w, &along, &requests) {
        Verdict::Agree => Ok(true),
        Verdict::Kink => Ok(false),
        Verdict::Differ(x, y) => Err(TestCaseError::fail(format!("R gives {x}, differences {y}\n{f}"))),
    }
}

proptest! {
    #![proptest_config(settings())]

    #[test]
    fn r_is_the_derivative(g in genes(), seed in any::<u64>()) {
        derivative_holds(&diagram(&g, Mode::Smooth, Role::Input), seed)?;
    }

    #[test]
    fn r_is_the_derivative_away_from_kinks(g in genes(), seed in any::<u64>()) {
        derivative_holds(&diagram(&g, Mode::Kinked, Role::Input), seed)?;
    }

    #[test]
    fn r_of_r_is_the_derivative_of_r(g in prop::collection::vec(any::<u32>(), 1..7), seed in any::<u64>()) {
        derivative_holds(&r(&diagram(&g, Mode::Smooth, Role::Input)), seed)?;
    }

    #[test]
    fn rd1_sums(g in genes(), k in genes(), seed in any::<u64>()) {
        let mut b = Builder::new();
        let [three, two] = domain();
        let (x, y) = (b.port("p", Role::Input, three), b.port("x", Role::Input, two));
        let f = grow(&mut b, x, y, &g, Mode::Smooth);
        let h = grow(&mut b, x, y, &k, Mode::Smooth);
        let sum: Vec<Wire> = f.iter().zip(&h).map(|(f, h)| b.add(*f, *h).unwrap()).collect();
        let (df, dh) = (b.clone().finish(&f), b.clone().finish(&h));
        let ds = b.finish(&sum);
        let all = draw(&[port_leaves(&ds), ds.out_leaves()].concat(), seed);
        prop_assert!(near(&run(&r(&ds), &all, 1), &plus(&run(&r(&df), &all, 1), &run(&r(&dh), &all, 1)), 1e-10));
    }

    #[test]
    fn rd2_additive_in_the_request(g in genes(), seed in any::<u64>()) {
        let f = diagram(&g, Mode::Kinked, Role::Input);
        let rf = r(&f);
        let (a, b, c) = (draw(&port_leaves(&f), seed), draw(&f.out_leaves(), seed ^ 1), draw(&f.out_leaves(), seed ^ 2));
        let sum = plus(&run(&rf, &join(&[&a, &b]), 1), &run(&rf, &join(&[&a, &c]), 1));
        prop_assert!(near(&run(&rf, &join(&[&a, &plus(&b, &c)]), 1), &sum, 1e-10));
        let none = run(&rf, &join(&[&a, &zeros(&b)]), 1);
        prop_assert!(none.iter().flatten().all(|x| *x == 0.0), "{none:?}");
    }

    #[test]
    fn rd4_pairing(g in genes(), k in genes(), seed in any::<u64>()) {
        let mut b = Builder::new();
        let [three, two] = domain();
        let (x, y) = (b.port("p", Role::Input, three), b.port("x", Role::Input, two));
        let f = grow(&mut b, x, y, &g, Mode::Smooth);
        let h = grow(&mut b, x, y, &k, Mode::Smooth);
        let (df, dh) = (b.clone().finish(&f), b.clone().finish(&h));
        let pair = b.finish(&[f, h].concat());
        let (a, c, d) = (draw(&port_leaves(&df), seed), draw(&df.out_leaves(), seed ^ 1), draw(&dh.out_leaves(), seed ^ 2));
        let parts = plus(&run(&r(&df), &join(&[&a, &c]), 1), &run(&r(&dh), &join(&[&a, &d]), 1));
        prop_assert!(near(&run(&r(&pair), &join(&[&a, &c, &d]), 1), &parts, 1e-10));
    }

    /// (1 x pi_0, 0 x pi_1); (iota_0 x 1); R[R[R[f]]]; pi_1 = (1 x pi_1); R[f]: R[f] is linear in the request.
    #[test]
    fn rd6_linear_in_the_request(g in prop::collection::vec(any::<u32>(), 1..7), seed in any::<u64>()) {
        let f = diagram(&g, Mode::Polynomial, Role::Input);
        let rf = r(&f);
        let rrr = r(&r(&rf));
        let (a, b, c) = (draw(&port_leaves(&f), seed), draw(&f.out_leaves(), seed ^ 1), draw(&f.out_leaves(), seed ^ 2));
        // Ports: A B | A' (cotangent of R[f]), then the cotangent of R[R[f]]'s outputs A B.
        let none = zeros(&a);
        let out = run(&rrr, &join(&[&a, &b, &none, &none, &c]), 1);
        let third = &out[a.len() + b.len()..];
        prop_assert!(near(third, &run(&rf, &join(&[&a, &c]), 1), 1e-9));
    }

    /// Mixed second derivatives commute.
    #[test]
    fn rd7_mixed_derivatives(g in genes(), seed in any::<u64>()) {
        let f = diagram(&g, Mode::Polynomial, Role::Input);
        let (mut b, outs) = Builder::resume(f.clone());
        let ports: Vec<Wire> = (0..2).map(|i| f.port_wire(i)).collect();
        let mut extra = |name: &str| -> Vec<Wire> {
            domain().into_iter().enumerate().map(|(i, l)| b.port(format!("{name}{i}"), Role::Cotangent, l)).collect()
        };
        let (w, u, v) = (extra("w"), extra("u"), extra("v"));
        let cots: Vec<(Wire, Wire)> = outs.iter().zip(&w).map(|(o, w)| (*o, *w)).collect();
        let second = |b: &mut Builder, first: &[Wire], other: &[Wire]| -> Option<Wire> {
            let grad = requests(b, &Tangent::Real, &cots, &ports).unwrap();
            let mut terms = Vec::new();
            for (g, d) in grad.iter().zip(first) {
                if let Some(g) = g { terms.push(b.dot(*g, *d).unwrap()); }
            }
            let total = terms.into_iter().reduce(|x, y| b.add(x, y).unwrap())?;
            let one = b.fill(&[Dim::ONE], 1.0).unwrap();
            let hess = requests(b, &Tangent::Real, &[(total, one)], &ports).unwrap();
            let mut terms = Vec::new();
            for (h, d) in hess.iter().zip(other) {
                if let Some(h) = h { terms.push(b.dot(*h, *d).unwrap()); }
            }
            terms.into_iter().reduce(|x, y| b.add(x, y).unwrap())
        };
        let (uv, vu) = (second(&mut b, &u, &v), second(&mut b, &v, &u));
        prop_assert_eq!(uv.is_some(), vu.is_some());
        if let (Some(uv), Some(vu)) = (uv, vu) {
            let d = b.finish(&[uv, vu]);
            let out = run(&d, &draw(&port_leaves(&d), seed), 1);
            prop_assert!(near(&out[..1], &out[1..], 1e-9), "{out:?}");
        }
    }

    #[test]
    fn lenses_are_a_category_and_tensor(g in genes(), k in genes(), l in genes()) {
        let lens = |genes: &[u32]| reverse(&diagram(genes, Mode::Smooth, Role::Input), &Tangent::Real).unwrap();
        let (f, g, h) = (lens(&g), lens(&k), lens(&l));
        let id = Lens::identity(&domain(), &domain());
        prop_assert!(same(&id.then(&f).unwrap().diagram, &f.diagram));
        prop_assert!(same(&f.then(&id).unwrap().diagram, &f.diagram));
        let (left, right) = (f.then(&g).unwrap().then(&h).unwrap(), f.then(&g.then(&h).unwrap()).unwrap());
        prop_assert!(same(&left.diagram, &right.diagram));
        // (f * g); (h * f) = (f; h) * (g; f)
        let beside = f.tensor(&g).unwrap().then(&h.tensor(&f).unwrap()).unwrap();
        let along = f.then(&h).unwrap().tensor(&g.then(&f).unwrap()).unwrap();
        prop_assert!(same(&beside.diagram, &along.diagram));
    }

    /// R : C -> Lens(C) is a functor (2103.01931, proposition 2.7).
    #[test]
    fn r_is_a_functor_to_lenses(g in genes(), k in genes(), seed in any::<u64>()) {
        let (f, h) = (diagram(&g, Mode::Smooth, Role::Input), diagram(&k, Mode::Smooth, Role::Input));
        let whole = reverse(&f.then(&h).unwrap(), &Tangent::Real).unwrap().diagram;
        let parts = reverse(&f, &Tangent::Real).unwrap().then(&reverse(&h, &Tangent::Real).unwrap()).unwrap().diagram;
        let all = draw(&port_leaves(&whole), seed);
        prop_assert!(near(&run(&whole, &all, 1), &run(&parts, &all, 1), 1e-9));
        let beside = reverse(&f.tensor(&h).unwrap(), &Tangent::Real).unwrap().diagram;
        let tensored = reverse(&f, &Tangent::Real).unwrap().tensor(&reverse(&h, &Tangent::Real).unwrap()).unwrap().diagram;
        let all = draw(&port_leaves(&beside), seed);
        prop_assert!(near(&run(&beside, &all, 1), &run(&tensored, &all, 1), 1e-12));
    }

    #[test]
    fn para_puts_the_later_parameters_first(g in genes(), k in genes(), seed in any::<u64>()) {
        // x : R[2] -> R[2], parameters R[3]
        let para = |genes: &[u32], name: &str| {
            let mut b = Builder::new();
            let [three, two] = domain();
            let (p, x) = (b.port(name, Role::Param, three), b.port("x", Role::Input, two));
            let outs = grow(&mut b, p, x, genes, Mode::Smooth);
            Para::new(b.finish(&outs[1..]))
        };
        let (f, h) = (para(&g, "p"), para(&k, "q"));
        let both = f.then(&h).unwrap();
        let names: Vec<&str> = both.params().iter().map(|i| &*both.diagram.ports()[*i].path).collect();
        prop_assert_eq!(names, vec!["q", "p"]);
        let [three, two] = domain();
        let v = draw(&[three.clone(), three, two], seed);
        let by_hand = run(&h.diagram, &[v[0].clone(), run(&f.diagram, &[v[1].clone(), v[2].clone()], 1)[0].clone()], 1);
        let order: Vec<usize> = both.diagram.ports().iter().map(|p| match &*p.path { "q" => 0, "p" => 1, _ => 2 }).collect();
        let inputs: Vec<Vec<f64>> = order.iter().map(|i| v[*i].clone()).collect();
        prop_assert!(near(&run(&both.diagram, &inputs, 1), &by_hand, 1e-12));
        // Tying is copy: the tied request is the sum of the two.
        let tied = both.tie(0, 1).unwrap();
        let shared: Vec<Vec<f64>> = tied.diagram.ports().iter().map(|p| if p.role == Role::Param { v[0].clone() } else { v[2].clone() }).collect();
        let w = draw(&tied.diagram.out_leaves(), seed ^ 3);
        let joint = run(&r(&tied.diagram), &join(&[&shared, &w]), 1);
        let apart: Vec<Vec<f64>> = order.iter().map(|i| if *i == 2 { v[2].clone() } else { v[0].clone() }).collect();
        let loose = run(&r(&both.diagram), &join(&[&apart, &w]), 1);
        let pick = |d: &Diagram, out: &[Vec<f64>]| -> Vec<Vec<f64>> { d.ports_of(Role::Param).into_iter().map(|i| out[i].clone()).collect() };
        let (one, two) = (pick(&tied.diagram, &joint), pick(&both.diagram, &loose));
        prop_assert!(near(&one, &plus(&two[..1], &two[1..]), 1e-10));
    }

    /// Every mix of batched and unbatched operands equals the examples one by one.
    #[test]
    fn a_batch_is_its_examples(g in genes(), mask in 0_usize..16, seed in any::<u64>()) {
        let f = diagram(&g, Mode::Kinked, Role::Input);
        let rf = r(&f);
        let over: Vec<bool> = (0..rf.ports().len()).map(|i| (mask >> i) & 1 == 1).collect();
        batched_equals_singles(&f, &over[..2], seed)?;
        batched_equals_singles(&rf, &over, seed)?;
    }

    /// Summing requests over the batch = R of the summed batch, in shared parameters.
    #[test]
    fn batch_then_r_is_r_then_sum(g in genes(), seed in any::<u64>()) {
        let f = diagram(&g, Mode::Smooth, Role::Param);
        let [three, two] = domain();
        let mut b = Builder::new();
        let p = b.port("p", Role::Param, three);
        let x = b.port("x", Role::Input, two.under(Dim::BATCH));
        let outs = batch(&mut b, &f, &[(p, false), (x, true)], Dim::BATCH, f.outs()).unwrap();
        let mut total = Vec::new();
        for (w, over) in outs {
            let whole = if over { w } else { b.lead(w, &[Dim::BATCH]).unwrap() };
            total.push(b.sum_all(whole).unwrap());
        }
        let loss = b.add(total[0], total[1]).unwrap();
        let one = b.fill(&[Dim::ONE], 1.0).unwrap();
        let asked = requests(&mut b, &Tangent::Real, &[(loss, one)], &[p]).unwrap()[0];
        let Some(asked) = asked else { return Ok(()) };
        let d = b.finish(&[asked]);
        let v = draw(&[domain()[0].clone(), Leaf::real(&[3, 2])], seed);
        let together = run(&d, &v, 3);
        let mut sum = vec![vec![0.0; 3]];
        for row in v[1].chunks(2) {
            let ones: Vec<Vec<f64>> = f.out_leaves().iter().map(|l| vec![1.0; l.size(1)]).collect();
            sum = plus(&sum, &run(&r(&f), &join(&[&[v[0].clone(), row.to_vec()], &ones]), 1)[..1]);
        }
        prop_assert!(near(&together, &sum, 1e-10));
    }

    #[test]
    fn simplifying_keeps_the_function(g in genes(), seed in any::<u64>()) {
        let f = r(&diagram(&g, Mode::Kinked, Role::Input));
        let all = draw(&port_leaves(&f), seed);
        prop_assert!(near(&run(&simplify(&f), &all, 1), &run(&f, &all, 1), 1e-11));
    }

    #[test]
    fn the_text_form_reads_back(g in genes()) {
        let f = r(&diagram(&g, Mode::Kinked, Role::Param));
        let text = f.to_string();
        let back = Diagram::parse_text(&text).unwrap();
        prop_assert!(same(&f, &back));
        prop_assert_eq!(back.to_string(), text);
    }
}

fn batched_equals_singles(d: &Diagram, over: &[bool], seed: u64) -> Result<(), TestCaseError> {
    const ROWS: usize = 3;
    let mut b = Builder::new();
    let mut args = Vec::new();
    for (port, o) in d.ports().iter().zip(over) {
        let leaf = if *o { port.leaf.under(Dim::BATCH) } else { port.leaf.clone() };
        args.push((b.port(port.path.clone(), port.role, leaf), *o));
    }
    let outs = batch(&mut b, d, &args, Dim::BATCH, d.outs()).unwrap();
    let wires: Vec<Wire> = outs.iter().map(|(w, _)| *w).collect();
    let batched = b.finish(&wires);
    let rows: Vec<Vec<Vec<f64>>> = (0..ROWS as u64).map(|k| draw(&port_leaves(d), seed ^ (k << 8))).collect();
    let inputs: Vec<Vec<f64>> = over
        .iter()
        .enumerate()
        .map(|(i, o)| if *o { rows.iter().flat_map(|r| r[i].clone()).collect() } else { rows[0][i].clone() })
        .collect();
    let together = run(&batched, &inputs, ROWS);
    for (k, row) in rows.iter().enumerate() {
        let single: Vec<Vec<f64>> =
            over.iter().enumerate().map(|(i, o)| if *o { row[i].clone() } else { rows[0][i].clone() }).collect();
        for (alone, (all, (_, o))) in run(d, &single, 1).iter().zip(together.iter().zip(&outs)) {
            let n = alone.len();
            let mine = if *o { all[k * n..(k + 1) * n].to_vec() } else { all.clone() };
            prop_assert!(near(std::slice::from_ref(alone), &[mine], 1e-11));
        }
    }
    Ok(())
}

/// RD.3 on random leaves: R of the identity is the request, R of a projection pads with zero.
#[test]
fn rd3_identity_and_projections() {
    let leaves = domain();
    let id = r(&Diagram::identity(&leaves));
    let all = draw(&[leaves.to_vec(), leaves.to_vec()].concat(), 1);
    assert_eq!(run(&id, &all, 1), all[2..].to_vec());
    for kept in 0..2 {
        let mut b = Builder::new();
        let wires: Vec<Wire> = leaves.iter().map(|l| b.port("x", Role::Input, l.clone())).collect();
        let projection = b.finish(&[wires[kept]]);
        let all = draw(&[leaves.to_vec(), vec![leaves[kept].clone()]].concat(), 2);
        let out = run(&r(&projection), &all, 1);
        assert_eq!(out[kept], all[2]);
        assert!(out[1 - kept].iter().all(|x| *x == 0.0));
    }
    // R of discard is zero, R of copy is add.
    let gone = run(&r(&Diagram::discard(&leaves)), &draw(&leaves, 3), 1);
    assert!(gone.iter().flatten().all(|x| *x == 0.0));
    let copied = r(&Diagram::copy(&leaves));
    let v = draw(&port_leaves(&copied), 4);
    assert!(near(&run(&copied, &v, 1), &plus(&v[2..4], &v[4..6]), 1e-15));
}

/// Differences decide nearly always: a law that passes over most points says nothing.
#[test]
fn few_points_are_passed_over() {
    let mut stream = catlearn::random::Stream::new(1, catlearn::random::Use::Laws);
    for (mode, reversed, least) in [
        (Mode::Smooth, false, 900),
        (Mode::Kinked, false, 900),
        (Mode::Smooth, true, 900),
        (Mode::Polynomial, false, 900),
    ] {
        let mut told = 0;
        for seed in 0..1000 {
            let length = 1 + stream.below(if reversed { 6 } else { 11 });
            let genes: Vec<u32> = (0..length).map(|_| stream.bits() as u32).collect();
            let d = diagram(&genes, mode, Role::Input);
            let d = if reversed { r(&d) } else { d };
            told += usize::from(derivative_holds(&d, seed).unwrap());
        }
        assert!(told >= least, "{mode:?} {reversed}: {told} of 1000");
    }
}

//! The category Learn and its passage to Para(Lens), on random models (1711.10455; CORE.md 1.4).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use catlearn::diagram::{Builder, Diagram, Para, Role};
use catlearn::elaborate::Program;
use catlearn::learn::{Changes, Displacement, LearnFault, TargetLearner};
use catlearn::object::Leaf;
use catlearn::source::{Code, MemoryWorld, Span};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Mutex;
use support::{Mode, domain, draw, grow, near, run};

const EPS: f64 = 0.1;

/// A loss of the prelude on vectors of `n`, as a diagram.
fn loss(name: &str, n: u64) -> Diagram {
    let text = format!("loss f : (y: R[{n}], t: R[{n}]) -> R[1] (y, t) {{ {name}(y, t) }}");
    Program::parse(&text, "loss.lens", &MemoryWorld::default()).map_err(|(d, _)| d).unwrap().model("f").unwrap().diagram
}

/// The displacement of a loss at a leaf, made once.
fn displacement(name: &'static str, leaf: &Leaf) -> Result<Displacement, LearnFault> {
    type Made = Mutex<BTreeMap<(&'static str, u64), Displacement>>;
    static MADE: Made = Mutex::new(BTreeMap::new());
    let n = leaf.literal_dims().unwrap()[0];
    let mut made = MADE.lock().unwrap();
    Ok(made.entry((name, n)).or_insert_with(|| Displacement::of(&loss(name, n), Span::default()).unwrap()).clone())
}

fn quadratic(leaf: &Leaf) -> Result<Displacement, LearnFault> {
    displacement("quadratic", leaf)
}

fn mse(leaf: &Leaf) -> Result<Displacement, LearnFault> {
    displacement("mse", leaf)
}

/// A random model R[3] * R[2] -> R[2]: parameters of three, inputs of two.
fn model(genes: &[u32]) -> Diagram {
    let mut b = Builder::new();
    let [three, two] = domain();
    let (p, x) = (b.port("p", Role::Param, three), b.port("x", Role::Input, two));
    let outs = grow(&mut b, p, x, genes, Mode::Smooth);
    b.finish(&outs[1..])
}

fn learner(genes: &[u32]) -> TargetLearner {
    TargetLearner::of_model(&model(genes), EPS, &quadratic).unwrap()
}

/// All three parts of two learners agree at random points; parameters may be listed in another order.
fn agree(a: &TargetLearner, b: &TargetLearner, order: &[usize], seed: u64) -> bool {
    let n = a.params.len();
    let point = draw(&[a.params.clone(), a.from.clone(), a.to.clone()].concat(), seed);
    let moved: Vec<Vec<f64>> = order.iter().map(|i| point[*i].clone()).chain(point[n..].iter().cloned()).collect();
    let known = n + a.from.len();
    let implements = near(&run(&a.implement, &point[..known], 1), &run(&b.implement, &moved[..known], 1), 1e-9);
    let updates = {
        let (x, y) = (run(&a.update, &point, 1), run(&b.update, &moved, 1));
        let x: Vec<Vec<f64>> = order.iter().map(|i| x[*i].clone()).collect();
        near(&x, &y, 1e-9)
    };
    implements && updates && near(&run(&a.request, &point, 1), &run(&b.request, &moved, 1), 1e-9)
}

fn genes() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(any::<u32>(), 1..10)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_construction_is_a_functor(g in genes(), k in genes(), seed in any::<u64>()) {
        let whole = Para::new(model(&g)).then(&Para::new(model(&k))).unwrap().diagram;
        // Parameters of the composite: the later map's first, as in Learn.
        let whole = TargetLearner::of_model(&whole, EPS, &quadratic).unwrap();
        let parts = learner(&g).then(&learner(&k)).unwrap();
        prop_assert!(agree(&whole, &parts, &[0, 1], seed));
    }

    #[test]
    fn it_is_monoidal(g in genes(), k in genes(), seed in any::<u64>()) {
        let beside = Para::new(model(&g)).tensor(&Para::new(model(&k))).unwrap().diagram;
        let whole = TargetLearner::of_model(&beside, EPS, &quadratic).unwrap();
        prop_assert!(agree(&whole, &learner(&g).tensor(&learner(&k)).unwrap(), &[0, 1], seed));
    }

    #[test]
    fn identities_are_units(g in genes(), seed in any::<u64>()) {
        let f = learner(&g);
        let id = TargetLearner::identity(&f.from);
        prop_assert!(agree(&id.then(&f).unwrap(), &f, &[0], seed));
        prop_assert!(agree(&f.then(&id).unwrap(), &f, &[0], seed));
    }

    #[test]
    fn composition_is_associative(g in genes(), k in genes(), l in genes(), seed in any::<u64>()) {
        let (f, g, h) = (learner(&g), learner(&k), learner(&l));
        let left = f.then(&g).unwrap().then(&h).unwrap();
        let right = f.then(&g.then(&h).unwrap()).unwrap();
        prop_assert!(agree(&left, &right, &[0, 1, 2], seed));
    }

    #[test]
    fn composition_and_tensor_interchange(g in genes(), k in genes(), seed in any::<u64>()) {
        let (f, g) = (learner(&g), learner(&k));
        let rows = f.tensor(&g).unwrap().then(&g.tensor(&f).unwrap()).unwrap();
        let columns = f.then(&g).unwrap().tensor(&g.then(&f).unwrap()).unwrap();
        // (g2 f2 f1 g1) against (g2 f1)(f2 g1): the middle two change places.
        prop_assert!(agree(&rows, &columns, &[0, 2, 1, 3], seed));
    }

    #[test]
    fn targets_become_changes_and_back(g in genes(), seed in any::<u64>()) {
        for by in [quadratic, mse] {
            let lens = Changes::of_model(&model(&g)).unwrap();
            let learner = TargetLearner::from_changes(&lens, EPS, &by).unwrap();
            let back = learner.to_changes(EPS, &by).unwrap();
            let point = draw(&[lens.params.clone(), lens.from.clone(), lens.to.clone()].concat(), seed);
            prop_assert!(near(&run(&back.put, &point, 1), &run(&lens.put, &point, 1), 1e-8));
            let again = TargetLearner::from_changes(&back, EPS, &by).unwrap();
            prop_assert!(agree(&learner, &again, &[0], seed));
        }
    }

    /// Under quadratic error r(p, a, b) = a - J^T (I(p, a) - b), and the rate is not in it.
    #[test]
    fn the_request_of_quadratic_error(g in genes(), seed in any::<u64>()) {
        let f = learner(&g);
        let other = TargetLearner::of_model(&model(&g), 7.0, &quadratic).unwrap();
        let point = draw(&[f.params.clone(), f.from.clone(), f.to.clone()].concat(), seed);
        prop_assert!(near(&run(&f.request, &point, 1), &run(&other.request, &point, 1), 1e-9));
        let lens = Changes::of_model(&model(&g)).unwrap();
        let y = run(&f.implement, &point[..2], 1);
        let change: Vec<f64> = y[0].iter().zip(&point[2]).map(|(y, b)| y - b).collect();
        let back = run(&lens.put, &[point[0].clone(), point[1].clone(), change], 1);
        let by_hand: Vec<f64> = point[1].iter().zip(&back[1]).map(|(a, d)| a - d).collect();
        prop_assert!(near(&run(&f.request, &point, 1), &[by_hand], 1e-9));
    }
}

#[test]
fn the_request_of_the_identity_is_the_target() {
    let id = TargetLearner::identity(&domain());
    let point = draw(&[domain(), domain()].concat(), 3);
    assert_eq!(run(&id.request, &point, 1), point[2..].to_vec());
    assert!(id.update.outs().is_empty());
}

/// With quadratic error the request of copy is (x, (y, z)) -> y + z - x (1711.10455).
#[test]
fn the_request_of_copy() {
    let two = Leaf::real(&[2]);
    let mut b = Builder::new();
    let x = b.port("x", Role::Input, two.clone());
    let copy = TargetLearner::of_model(&b.finish(&[x, x]), EPS, &quadratic).unwrap();
    let v = draw(&[two.clone(), two.clone(), two], 9);
    let by_hand: Vec<f64> = (0..2).map(|i| v[1][i] + v[2][i] - v[0][i]).collect();
    assert!(near(&run(&copy.request, &v, 1), &[by_hand], 1e-12));
}

#[test]
fn losses_without_an_inverse_are_refused_at_their_place() {
    for name in ["softmax_cross_entropy", "mae", "huber", "sigmoid_cross_entropy", "hinge"] {
        let span = Span { start: 3, end: 9, ..Span::default() };
        match Displacement::of(&loss(name, 3), span) {
            Ok(_) if name == "sigmoid_cross_entropy" => {} // sigmoid(y) - t over n: affine in t, so invertible
            Ok(_) => panic!("{name} was accepted"),
            Err(d) => {
                assert_eq!(d.code, Code::CONVERSION, "{name}");
                assert_eq!(d.span(), Some(span));
            }
        }
    }
    assert!(Displacement::of(&loss("quadratic", 3), Span::default()).is_ok());
    assert!(Displacement::of(&loss("mse", 3), Span::default()).is_ok());
}

//! The category Learn and its passage to Para(Lens), on random models over both bases (1711.10455; CORE.md 1.4): real
//! diagrams with quadratic error, circuits with exclusive or. One test text for both.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use catlearn::diagram::{Builder, Diagram, Function, LeadAxis, Op, Para, Role, Wire};
use catlearn::elaborate::{Aggregator, Program, RuleDiagram};
use catlearn::learn::{Changes, Displacement, LearnFault, TargetLearner, batched, gradient, steps};
use catlearn::object::{Base, Dim, Leaf, Tangent};
use catlearn::source::{Code, MemoryWorld, Span};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Mutex;
use support::{Mode, circuits, draw, grow, near, run};

/// What the laws read of a base.
#[derive(Clone, Copy)]
struct Side {
    tangent: Tangent,
    eps: f64,
    /// Leaves of three and of two entries, domain and codomain of everything grown.
    domain: fn() -> [Leaf; 2],
    grow: fn(&mut Builder, Wire, Wire, &[u32]) -> Vec<Wire>,
    /// Errors with an inverse, the one of the laws first.
    errors: &'static [&'static str],
    tolerance: f64,
}

const REALS: Side = Side {
    tangent: Tangent::Real,
    eps: 0.1,
    domain: support::domain,
    grow: |b, x, y, genes| grow(b, x, y, genes, Mode::Smooth),
    errors: &["quadratic", "mse"],
    tolerance: 1e-9,
};

const BITS: Side = Side {
    tangent: Tangent::Parity,
    eps: 1.0,
    domain: circuits::domain,
    grow: circuits::grow,
    errors: &["xor_error"],
    tolerance: 0.0,
};

const SIDES: [Side; 2] = [REALS, BITS];

/// A loss of the prelude on a leaf, as a diagram.
fn loss(name: &str, leaf: &Leaf) -> Diagram {
    let out = if name == "xor_error" { leaf.to_string() } else { "R[1]".to_owned() };
    let text = format!("import std.bool\nloss f : (y: {leaf}, t: {leaf}) -> {out} (y, t) {{ {name}(y, t) }}");
    Program::parse(&text, "loss.lens", &MemoryWorld::default()).map_err(|(d, _)| d).unwrap().model("f").unwrap().diagram
}

impl Side {
    /// The displacement of an error at a leaf, made once.
    fn by(self, error: &'static str) -> impl Fn(&Leaf) -> Result<Displacement, LearnFault> {
        type Made = Mutex<BTreeMap<(&'static str, String), Displacement>>;
        static MADE: Made = Mutex::new(BTreeMap::new());
        move |leaf| {
            let mut made = MADE.lock().unwrap();
            let new = || Displacement::of(&loss(error, leaf), self.tangent, Span::default()).unwrap();
            Ok(made.entry((error, leaf.to_string())).or_insert_with(new).clone())
        }
    }

    fn of_model(self, model: &Diagram, eps: f64) -> TargetLearner {
        TargetLearner::of_model(model, self.tangent, eps, &self.by(self.errors[0])).unwrap()
    }

    /// A random model P3 * A2 -> B2.
    fn model(self, genes: &[u32]) -> Diagram {
        let mut b = Builder::new();
        let [three, two] = (self.domain)();
        let (p, x) = (b.port("p", Role::Param, three), b.port("x", Role::Input, two));
        let outs = (self.grow)(&mut b, p, x, genes);
        b.finish(&outs[1..])
    }

    fn learner(self, genes: &[u32]) -> TargetLearner {
        self.of_model(&self.model(genes), self.eps)
    }

    /// All three parts of two learners agree at random points; parameters may be listed in another order.
    fn agree(self, a: &TargetLearner, b: &TargetLearner, order: &[usize], seed: u64) -> bool {
        let n = a.params.len();
        let near = |x: &[Vec<f64>], y: &[Vec<f64>]| near(x, y, self.tolerance);
        let point = draw(&[a.params.clone(), a.from.clone(), a.to.clone()].concat(), seed);
        let moved: Vec<Vec<f64>> = order.iter().map(|i| point[*i].clone()).chain(point[n..].iter().cloned()).collect();
        let known = n + a.from.len();
        let implements = near(&run(&a.implement, &point[..known], 1), &run(&b.implement, &moved[..known], 1));
        let updates = {
            let (x, y) = (run(&a.update, &point, 1), run(&b.update, &moved, 1));
            let x: Vec<Vec<f64>> = order.iter().map(|i| x[*i].clone()).collect();
            near(&x, &y)
        };
        implements && updates && near(&run(&a.request, &point, 1), &run(&b.request, &moved, 1))
    }
}

fn genes() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(any::<u32>(), 1..10)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_construction_is_a_functor(g in genes(), k in genes(), seed in any::<u64>()) {
        for side in SIDES {
            let whole = Para::new(side.model(&g)).then(&Para::new(side.model(&k))).unwrap().diagram;
            // Parameters of the composite: the later map's first, as in Learn.
            let whole = side.of_model(&whole, side.eps);
            let parts = side.learner(&g).then(&side.learner(&k)).unwrap();
            prop_assert!(side.agree(&whole, &parts, &[0, 1], seed), "{}", side.tangent);
        }
    }

    #[test]
    fn it_is_monoidal(g in genes(), k in genes(), seed in any::<u64>()) {
        for side in SIDES {
            let beside = Para::new(side.model(&g)).tensor(&Para::new(side.model(&k))).unwrap().diagram;
            let whole = side.of_model(&beside, side.eps);
            let parts = side.learner(&g).tensor(&side.learner(&k)).unwrap();
            prop_assert!(side.agree(&whole, &parts, &[0, 1], seed), "{}", side.tangent);
        }
    }

    #[test]
    fn identities_are_units(g in genes(), seed in any::<u64>()) {
        for side in SIDES {
            let f = side.learner(&g);
            let id = TargetLearner::identity(&f.from);
            prop_assert!(side.agree(&id.then(&f).unwrap(), &f, &[0], seed), "{}", side.tangent);
            prop_assert!(side.agree(&f.then(&id).unwrap(), &f, &[0], seed), "{}", side.tangent);
        }
    }

    #[test]
    fn composition_is_associative(g in genes(), k in genes(), l in genes(), seed in any::<u64>()) {
        for side in SIDES {
            let (f, g, h) = (side.learner(&g), side.learner(&k), side.learner(&l));
            let left = f.then(&g).unwrap().then(&h).unwrap();
            let right = f.then(&g.then(&h).unwrap()).unwrap();
            prop_assert!(side.agree(&left, &right, &[0, 1, 2], seed), "{}", side.tangent);
        }
    }

    #[test]
    fn composition_and_tensor_interchange(g in genes(), k in genes(), seed in any::<u64>()) {
        for side in SIDES {
            let (f, g) = (side.learner(&g), side.learner(&k));
            let rows = f.tensor(&g).unwrap().then(&g.tensor(&f).unwrap()).unwrap();
            let columns = f.then(&g).unwrap().tensor(&g.then(&f).unwrap()).unwrap();
            // (g2 f2 f1 g1) against (g2 f1)(f2 g1): the middle two change places.
            prop_assert!(side.agree(&rows, &columns, &[0, 2, 1, 3], seed), "{}", side.tangent);
        }
    }

    #[test]
    fn targets_become_changes_and_back(g in genes(), seed in any::<u64>()) {
        for side in SIDES {
            for error in side.errors {
                let by = side.by(error);
                let lens = Changes::of_model(&side.model(&g), side.tangent).unwrap();
                let learner = TargetLearner::from_changes(&lens, side.eps, &by).unwrap();
                let back = learner.to_changes(side.tangent, side.eps, &by).unwrap();
                let point = draw(&[lens.params.clone(), lens.from.clone(), lens.to.clone()].concat(), seed);
                let (x, y) = (run(&back.put, &point, 1), run(&lens.put, &point, 1));
                prop_assert!(near(&x, &y, 10.0 * side.tolerance), "{}", side.tangent);
                let again = TargetLearner::from_changes(&back, side.eps, &by).unwrap();
                prop_assert!(side.agree(&learner, &again, &[0], seed), "{}", side.tangent);
            }
        }
    }

    /// r(p, a, b) = a - J^T (I(p, a) - b) under quadratic error, with xor for - over bits; the rate is not in it.
    #[test]
    fn the_request_of_the_error(g in genes(), seed in any::<u64>()) {
        for side in SIDES {
            let odd = |x: f64| if side.tangent == Tangent::Parity { x.rem_euclid(2.0) } else { x };
            let less = |x: &[f64], y: &[f64]| -> Vec<f64> { x.iter().zip(y).map(|(x, y)| odd(x - y)).collect() };
            let f = side.learner(&g);
            let point = draw(&[f.params.clone(), f.from.clone(), f.to.clone()].concat(), seed);
            let asked = run(&f.request, &point, 1);
            if side.tangent == Tangent::Real {
                prop_assert!(near(&asked, &run(&side.of_model(&side.model(&g), 7.0).request, &point, 1), 1e-9));
            }
            let lens = Changes::of_model(&side.model(&g), side.tangent).unwrap();
            let y = run(&f.implement, &point[..2], 1);
            let back = run(&lens.put, &[point[0].clone(), point[1].clone(), less(&y[0], &point[2])], 1);
            prop_assert!(near(&asked, &[less(&point[1], &back[1])], side.tolerance), "{}", side.tangent);
            let step: Vec<f64> = back[0].iter().map(|d| side.eps * d).collect();
            prop_assert!(near(&run(&f.update, &point, 1), &[less(&point[0], &step)], side.tolerance));
        }
    }

    /// Over a batch the parts of a learner answer row by row.
    #[test]
    fn a_batch_of_a_learner_is_its_rows(g in genes(), seed in any::<u64>()) {
        for side in SIDES {
            let f = side.learner(&g);
            let leaves = [f.from.clone(), f.to.clone()].concat();
            let p = draw(&f.params, seed);
            let rows: Vec<Vec<Vec<f64>>> = (0..ROWS).map(|r| draw(&leaves, seed.wrapping_add(r as u64 + 1))).collect();
            for (d, n) in [(&f.implement, 1), (&f.update, 2), (&f.request, 2)] {
                let data = (0..n).map(|i| rows.iter().flat_map(|row| row[i].clone()).collect());
                let all = run(&batched(d).unwrap(), &p.iter().cloned().chain(data).collect::<Vec<_>>(), ROWS);
                let each: Vec<f64> =
                    rows.iter().flat_map(|row| run(d, &[p.clone(), row[..n].to_vec()].concat(), 1).remove(0)).collect();
                prop_assert!(near(&all, &[each], side.tolerance), "{}", side.tangent);
            }
        }
    }

    /// Requests of a batch meet in the aggregator: the aggregate of the requests of single examples.
    #[test]
    fn requests_of_a_batch_meet_in_the_aggregator(g in genes(), seed in any::<u64>()) {
        for (side, tangent, how) in [
            (REALS, Tangent::Real, Aggregator::Mean),
            (REALS, Tangent::Real, Aggregator::Sum),
            (BITS, Tangent::Parity, Aggregator::Xor),
            (BITS, Tangent::Votes, Aggregator::Votes),
        ] {
            let [three, two] = (side.domain)();
            let one = gradient(&objective(side, &g), tangent).unwrap();
            let step = steps(&one, &[still(&three, tangent)], how).unwrap().remove(0);
            let p = draw(&[three], seed).remove(0);
            let rows: Vec<Vec<Vec<f64>>> =
                (0..ROWS).map(|r| draw(&[two.clone(), two.clone()], seed.wrapping_add(r as u64 + 1))).collect();
            let data = |i: usize| -> Vec<f64> { rows.iter().flat_map(|row| row[i].clone()).collect() };
            let met = run(&step.watched, &[p.clone(), data(0), data(1), vec![0.0]], ROWS);
            let (mut request, mut total) = (vec![0.0; 3], 0.0);
            for row in &rows {
                let single = run(&one, &[p.clone(), row[0].clone(), row[1].clone()], 1);
                request.iter_mut().zip(&single[1]).for_each(|(r, x)| *r += x);
                total += single[0].iter().sum::<f64>();
            }
            let share = if how == Aggregator::Mean { 1.0 / ROWS as f64 } else { 1.0 };
            let meet = |x: &f64| if how == Aggregator::Xor { x.rem_euclid(2.0) } else { x * share };
            let by_hand = vec![p, vec![total * share], request.iter().map(meet).collect()];
            prop_assert!(near(&met, &by_hand, side.tolerance), "{how:?}: {met:?} {by_hand:?}");
        }
    }
}

const ROWS: usize = 3;

/// A random model with the error of its side behind it.
fn objective(side: Side, genes: &[u32]) -> Diagram {
    let mut b = Builder::new();
    let [three, two] = (side.domain)();
    let (p, x) = (b.port("p", Role::Param, three), b.port("x", Role::Input, two.clone()));
    let t = b.port("t", Role::Target, two.clone());
    let y = (side.grow)(&mut b, p, x, genes)[1];
    let outs = b.append(&loss(side.errors[0], &two), &[y, t]).unwrap();
    b.finish(&outs)
}

/// The rule that moves nothing: its next parameter and the point that it asks at are the parameter.
fn still(leaf: &Leaf, tangent: Tangent) -> RuleDiagram {
    let mut b = Builder::new();
    let p = b.port("p", Role::Param, leaf.clone());
    RuleDiagram {
        diagram: b.finish(&[p, p]),
        leaves: vec![("p".into(), leaf.clone())],
        tangent,
        states: Vec::new(),
        noise: Vec::new(),
        holes: 1,
        evaluates: false,
    }
}

#[test]
fn the_request_of_the_identity_is_the_target() {
    for side in SIDES {
        let domain = (side.domain)();
        let id = TargetLearner::identity(&domain);
        let point = draw(&[domain.clone(), domain.clone()].concat(), 3);
        assert_eq!(run(&id.request, &point, 1), point[2..].to_vec());
        assert!(id.update.outs().is_empty());
        // and the construction sends identities to it
        let made = side.of_model(&Diagram::identity(&domain), side.eps);
        assert!(near(&run(&made.request, &point, 1), &point[2..], side.tolerance));
    }
}

/// P' * P * A: the later map's parameters come first (2103.01931), told by their types.
#[test]
fn the_later_parameters_come_first() {
    for side in SIDES {
        let [three, two] = (side.domain)();
        for seed in 0..200_u64 {
            let genes: Vec<u32> =
                (0..6).map(|i| (seed as u32 + 1).wrapping_mul(2_654_435_761).rotate_left(i)).collect();
            let build = |p: &Leaf, x: &Leaf| {
                let mut b = Builder::new();
                let (p, x) = (b.port("p", Role::Param, p.clone()), b.port("x", Role::Input, x.clone()));
                let (long, short) = if b.leaf(p) == &three { (p, x) } else { (x, p) };
                let outs = (side.grow)(&mut b, long, short, &genes);
                b.finish(&outs[..1])
            };
            let (f, g) = (build(&three, &two), build(&two, &three));
            let whole = side.of_model(&Para::new(f.clone()).then(&Para::new(g.clone())).unwrap().diagram, side.eps);
            assert_eq!(whole.params, [two.clone(), three.clone()]);
            let parts = side.of_model(&f, side.eps).then(&side.of_model(&g, side.eps)).unwrap();
            assert_eq!(parts.params, whole.params);
            assert!(side.agree(&whole, &parts, &[0, 1], seed));
        }
    }
}

/// The request of copy is (x, (y, z)) -> y + z - x (1711.10455): over bits x xor y xor z.
#[test]
fn the_request_of_copy() {
    for side in SIDES {
        let [_, two] = (side.domain)();
        let mut b = Builder::new();
        let x = b.port("x", Role::Input, two.clone());
        let copy = side.of_model(&b.finish(&[x, x]), side.eps);
        for seed in 0..20 {
            let v = draw(&[two.clone(), two.clone(), two.clone()], seed);
            let odd = |x: f64| if side.tangent == Tangent::Parity { x.rem_euclid(2.0) } else { x };
            let by_hand: Vec<f64> = (0..2).map(|i| odd(v[1][i] + v[2][i] - v[0][i])).collect();
            assert!(near(&run(&copy.request, &v, 1), &[by_hand], 1e-12));
        }
    }
}

fn refused(error: &Diagram, tangent: Tangent, why: &str) {
    let span = Span { start: 3, end: 9, ..Span::default() };
    let said = Displacement::of(error, tangent, span).unwrap_err();
    assert_eq!(said.code, Code::CONVERSION);
    assert_eq!(said.span(), Some(span));
    assert!(said.message.contains(why), "{}", said.message);
}

#[test]
fn losses_without_an_inverse_are_refused_at_their_place() {
    let three = Leaf::real(&[3]);
    for name in ["softmax_cross_entropy", "mae", "huber", "hinge"] {
        refused(&loss(name, &three), Tangent::Real, "");
    }
    for name in ["quadratic", "mse"] {
        assert!(Displacement::of(&loss(name, &three), Tangent::Real, Span::default()).is_ok(), "{name}");
    }
    // over parity reals change nothing else, over votes a bit has not the changes of a bit
    let bits = Leaf::new(Base::Bool, &[3]);
    assert!(Displacement::of(&loss("xor_error", &bits), Tangent::Parity, Span::default()).is_ok());
    refused(&loss("xor_error", &bits), Tangent::Votes, "is not of type");
    refused(&loss("xor_error", &bits), Tangent::Real, "is not of type");
}

/// (sigmoid(y) - t) / n: affine in the label, so targets and changes are the same.
#[test]
fn cross_entropy_of_a_sigmoid_has_an_inverse() {
    let three = Leaf::real(&[3]);
    let by = Displacement::of(&loss("sigmoid_cross_entropy", &three), Tangent::Real, Span::default()).unwrap();
    let mut b = Builder::new();
    let (y, t) = (b.port("y", Role::Input, three.clone()), b.port("t", Role::Target, three.clone()));
    let change = by.change(&mut b, y, t).unwrap();
    let back = by.target(&mut b, y, change).unwrap();
    let d = b.finish(&[change, back]);
    for seed in 0..20 {
        let point = draw(&[three.clone(), three.clone()], seed);
        let got = run(&d, &point, 1);
        let by_hand = (0..3).map(|i| (1.0 / (1.0 + (-point[0][i]).exp()) - point[1][i]) / 3.0).collect();
        assert!(near(&got[..1], &[by_hand], 1e-12));
        assert!(near(&got[1..], &point[1..], 1e-9));
    }
}

/// Letters met twice are no entrywise maps: off the diagonal the label is lost.
#[test]
fn diagonals_are_not_taken_for_constants() {
    let square = Leaf::real(&[3, 3]);
    let error = |build: fn(&mut Builder, Wire) -> Wire| {
        let mut b = Builder::new();
        let (y, t) = (b.port("y", Role::Input, square.clone()), b.port("t", Role::Target, square.clone()));
        let t = build(&mut b, t);
        let e = b.dot(y, t).unwrap();
        b.finish(&[e])
    };
    let eye = error(|b, t| {
        let eye = b.einsum("->aa", &[], &[('a', Dim::lit(3))], 1.0).unwrap();
        b.map(Function::Mul, &[eye, t]).unwrap()
    });
    let diagonal = error(|b, t| b.einsum("aa->aa", &[t], &[], 1.0).unwrap());
    let number = error(|b, t| {
        let one = b.fill(&[Dim::ONE], 1.0).unwrap();
        let spread = b.einsum("u->aa", &[one], &[('a', Dim::lit(3))], 1.0).unwrap();
        b.map(Function::Mul, &[spread, t]).unwrap()
    });
    for error in [eye, diagonal, number] {
        refused(&error, Tangent::Real, "is not a constant multiple of the label");
    }
    assert!(Displacement::of(&error(|_, t| t), Tangent::Real, Span::default()).is_ok());
}

/// Wires of a table are a parameter without changes: requests of the others keep their places.
#[test]
fn parameters_without_a_tangent_stay() {
    for side in SIDES {
        let [three, two] = (side.domain)();
        let mut b = Builder::new();
        let w = b.port("w", Role::Param, Leaf::new(Base::Fin(3), &[2]));
        let (p, x) = (b.port("p", Role::Param, three), b.port("x", Role::Input, two));
        let lead: [LeadAxis; 0] = [];
        let found = b.op(Op::Gather { lead: lead.into_iter().collect() }, &[p, w]).unwrap();
        let y = b.add(found, x).unwrap();
        let model = b.finish(&[y]);
        let lens = Changes::of_model(&model, side.tangent).unwrap();
        let point = vec![vec![2.0, 0.0], vec![1.0, 0.0, 1.0], vec![0.0, 1.0], vec![1.0, 0.0]];
        assert_eq!(run(&lens.put, &point, 1), [vec![0.0, 0.0, 1.0], vec![1.0, 0.0]]);
        let learner = side.of_model(&model, side.eps);
        let next = run(&learner.update, &point, 1);
        assert_eq!(next.len(), 2);
        assert_eq!((&next[0], next[1][1]), (&point[0], 0.0));
        let back = learner.to_changes(side.tangent, side.eps, &side.by(side.errors[0])).unwrap();
        assert!(near(&run(&back.put, &point, 1), &run(&lens.put, &point, 1), 1e-12));
    }
    // a label as an input has no target to ask for
    let mut b = Builder::new();
    b.port("x", Role::Input, Leaf::new(Base::Fin(3), &[2]));
    let y = b.port("y", Role::Input, Leaf::real(&[2]));
    let made = TargetLearner::of_model(&b.finish(&[y]), Tangent::Real, 0.1, &REALS.by("quadratic"));
    assert!(matches!(made, Err(LearnFault::Reverse(_))));
}

//! The compiled machine computes what the reference machine computes: on random diagrams, on every example, on every
//! program as users write them; forward, reverse and rule.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests read files")]

mod support;

use catlearn::compile::{Code, Plan, Stage, simplify};
use catlearn::diagram::{Builder, Diagram, Op, Role};
use catlearn::elaborate::Program;
use catlearn::learn::{batched, step};
use catlearn::object::{Base, Leaf, Tangent};
use catlearn::random::{Stream, Use};
use catlearn::reverse::reverse_diagram;
use catlearn::run::{Compiled, Float, Tensor, evaluate};
use catlearn::source::MemoryWorld;
use proptest::prelude::*;
use std::path::Path;
use support::{Mode, diagram, terms};

/// Numbers for the ports of a diagram.
fn inputs<T: Float>(d: &Diagram, batch: usize, s: &mut Stream) -> Vec<Tensor<T>> {
    let of = |s: &mut Stream, leaf: &Leaf, role: Role| match leaf.base {
        Base::Fin(n) => (0..leaf.size(batch)).map(|_| s.below(u64::from(n)) as f64).collect(),
        Base::Int => (0..leaf.size(batch)).map(|_| s.below(9) as f64 - 4.0).collect(),
        Base::Bool => (0..leaf.size(batch)).map(|_| s.below(2) as f64).collect(),
        // states are second moments and counts: what has a root
        Base::Real if role == Role::State => (0..leaf.size(batch)).map(|_| 0.1 + s.uniform()).collect(),
        Base::Real => (0..leaf.size(batch)).map(|_| s.normal()).collect::<Vec<f64>>(),
    };
    d.ports().iter().map(|p| Tensor::from_f64(&p.leaf, batch, &of(s, &p.leaf, p.role)).unwrap()).collect()
}

/// The largest finite number among some: what rounding is measured by.
fn largest(values: &[Vec<f64>]) -> f64 {
    values.iter().flatten().filter(|x| x.is_finite()).fold(1.0, |m: f64, x| m.max(x.abs()))
}

/// Runs both machines twice at each batch size and holds their outputs together; how many entries were compared.
fn agree<T: Float>(d: &Diagram, batches: &[usize], seed: u64, tolerance: f64) -> usize {
    let mut compiled: Compiled<T> = Compiled::new(d);
    let mut stream = Stream::new(seed, Use::Laws);
    let mut compared = 0;
    for batch in batches.iter().chain(batches) {
        let given: Vec<Tensor<T>> = inputs(d, *batch, &mut stream);
        let (want, got) = (evaluate(d, &given, *batch), compiled.run(&given, *batch));
        let (want, got) = match (want, got) {
            (Ok(want), Ok(got)) => (want, got),
            (Err(want), Err(got)) => {
                assert_eq!(want.to_string(), got.to_string(), "{d}");
                continue;
            }
            (want, got) => panic!("{want:?}\n{got:?}\n{d}"),
        };
        let numbers = |all: &[Tensor<T>]| all.iter().map(Tensor::to_f64).collect::<Vec<_>>();
        for ((w, g), wire) in want.iter().zip(&got).zip(d.outs()) {
            assert!(g.fits(d.leaf(*wire), *batch), "{d}");
            assert_eq!(w.shape(), g.shape());
        }
        let (want, got) = (numbers(&want), numbers(&got));
        let size = largest(&want);
        for (k, (w, g)) in want.iter().zip(&got).enumerate() {
            for (w, g) in w.iter().zip(g) {
                let same = w == g || (w.is_nan() && g.is_nan()) || (w - g).abs() <= tolerance * size;
                assert!(same, "output {k} at batch {batch}: {w} and {g}, size {size}\n{d}");
                compared += 1;
            }
        }
    }
    compared
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_diagrams_and_their_reverses(g in prop::collection::vec(any::<u32>(), 1..14), seed in any::<u64>()) {
        let f = diagram(&g, Mode::Kinked, Role::Input);
        let r = reverse_diagram(&f, &Tangent::Real).unwrap();
        for d in [simplify(&r), batched(&f).unwrap()] {
            agree::<f64>(&d, &[1, 3], seed, 1e-12);
            agree::<f32>(&d, &[2], seed, 1e-4);
        }
    }
}

#[test]
fn random_terms_of_all_operations() {
    let mut s = Stream::new(15, Use::Laws);
    for seed in 0..1500 {
        let d = terms::random(&mut s, seed % 2 == 0);
        agree::<f64>(&d, &[4, 1], seed, 1e-12);
        agree::<f64>(&simplify(&d), &[5], seed, 1e-12);
    }
}

/// Every training run of the programs in a folder: its step, what it watches and its rule, at two batch sizes.
fn programs(folder: &str) -> usize {
    let mut compared = 0;
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|f| f.extension().is_some_and(|e| e == "lens")) {
        let text = std::fs::read_to_string(file).unwrap();
        let name = file.display().to_string();
        let Ok(program) = Program::parse(&text, &name, &MemoryWorld::default()) else { continue };
        for run in program.trainings() {
            let Ok(training) = program.training(&run) else { continue };
            let made = step(&training).unwrap();
            let d = simplify(&made.watched);
            if d.nodes().iter().any(|n| n.outs.iter().any(|leaf| leaf.size(2) > 2_000_000)) {
                continue;
            }
            compared += agree::<f64>(&d, &[2, 5], 7, 1e-9);
            compared += agree::<f32>(&d, &[3], 8, 2e-2);
        }
    }
    compared
}

#[test]
fn steps_of_the_examples() {
    assert!(programs("examples") > 10_000);
}

#[test]
fn steps_of_programs_as_users_write_them() {
    assert!(Path::new("tests/programs").exists());
    assert!(programs("tests/programs") > 10_000);
}

/// The loops of a training run's step over as many entries, each as the number of its instructions and of its results.
fn loops(text: &str, len: usize, batch: usize) -> Vec<(usize, usize)> {
    let program =
        Program::parse(text, "plan.lens", &MemoryWorld::default()).unwrap_or_else(|(said, _)| panic!("{said}"));
    let made = step(&program.training("t").unwrap()).unwrap();
    let plan = Plan::new(&simplify(&made.diagram), batch);
    let chains = plan.stages.iter().filter_map(|s| if let Stage::Chain(c) = s { Some(c) } else { None });
    chains.filter(|c| c.len == len).map(|c| (c.code.len(), c.outs.len())).collect()
}

const ADAM: &str = "data d { source = inline([0, 1]), input = columns(0..1), target = columns(1..2), split = all }\n\
    model m : R[1] -> R[7] = dense[1, 7] >> tanh\n\
    loss l : (y : R[7], t : R[1]) -> R[1] (y, t) { sum(y) * t }\n\
    train t { data = d, model = m, loss = l, optimiser = adam(lr = 0.01), batch = 1, epochs = 1 }\n";

#[test]
fn a_rule_is_one_loop() {
    // both parameters have 7 entries: moments and point of each are made in the loop of all entries of that number
    let of_seven = loops(ADAM, 7, 5);
    assert_eq!(of_seven.iter().map(|(_, outs)| outs).sum::<usize>(), 6, "{of_seven:?}");
    assert_eq!(of_seven.len(), 1, "{of_seven:?}");
}

#[test]
fn a_loop_writes_nothing_that_it_reads_in_the_same_instruction() {
    for seed in 0..200 {
        let d = simplify(&terms::random(&mut Stream::new(seed, Use::Laws), true));
        for stage in &Plan::new(&d, 3).stages {
            let Stage::Chain(chain) = stage else { continue };
            for i in &chain.code {
                assert!(!i.reads.contains(&i.to), "{chain:?}");
                assert!(!matches!((i.code, i.to), (Code::Copy, catlearn::compile::Source::In(_))));
            }
            assert_eq!(chain.nodes.iter().collect::<std::collections::BTreeSet<_>>().len(), chain.nodes.len());
        }
    }
}

#[test]
fn a_loop_may_read_more_numbers_than_two_bytes_count() {
    let mut b = Builder::new();
    let all: Vec<_> = (0..70_000).map(|i| b.port(format!("x{i}"), Role::Input, Leaf::number())).collect();
    let total = all.into_iter().reduce(|sum, x| b.add(sum, x).unwrap()).unwrap();
    assert_eq!(agree::<f64>(&b.finish(&[total]), &[1], 5, 0.0), 2);
}

#[test]
fn a_run_leaves_nothing_behind() {
    // what came in is not kept, what goes out is not written again
    let d = diagram(&[3, 8, 21, 34, 55], Mode::Smooth, Role::Input);
    let mut compiled: Compiled<f64> = Compiled::new(&d);
    let mut s = Stream::new(3, Use::Laws);
    let (first, second) = (inputs(&d, 1, &mut s), inputs(&d, 1, &mut s));
    let kept = compiled.run(&first, 1).unwrap();
    let before: Vec<Vec<f64>> = kept.iter().map(Tensor::to_f64).collect();
    compiled.run(&second, 1).unwrap();
    assert_eq!(kept.iter().map(Tensor::to_f64).collect::<Vec<_>>(), before);
    assert_eq!(compiled.run(&first, 1).unwrap(), kept);
    assert!(d.nodes().iter().any(|n| !matches!(n.op, Op::Input(_))));
}

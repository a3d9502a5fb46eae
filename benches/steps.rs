//! How many training steps a second: `cargo bench --bench steps`.
//!
//! Steps of examples that need no further data, update rule included, on the compiled machine and on the reference
//! machine; medians of interleaved runs.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing, reason = "a measurement")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "it reads files and the clock")]

use catlearn::compile::simplify;
use catlearn::diagram::{Diagram, Role};
use catlearn::elaborate::Program;
use catlearn::learn::step;
use catlearn::object::{Base, Leaf};
use catlearn::random::{Stream, Use};
use catlearn::run::{Compiled, Machine, Tensor};
use catlearn::source::MemoryWorld;
use std::time::Instant;

/// One step's ports, filled.
fn inputs(d: &Diagram, batch: usize) -> Vec<Tensor<f32>> {
    let mut s = Stream::new(1, Use::Laws);
    let mut of = |leaf: &Leaf, role: Role| match leaf.base {
        Base::Fin(n) => (0..leaf.size(batch)).map(|_| s.below(u64::from(n)) as f64).collect(),
        _ if role == Role::State => vec![1.0; leaf.size(batch)],
        _ => (0..leaf.size(batch)).map(|_| 0.1 * s.normal()).collect::<Vec<f64>>(),
    };
    d.ports().iter().map(|p| Tensor::from_f64(&p.leaf, batch, &of(&p.leaf, p.role)).unwrap()).collect()
}

/// Calls a second.
fn rate(calls: usize, mut f: impl FnMut()) -> f64 {
    let started = Instant::now();
    (0..calls).for_each(|_| f());
    calls as f64 / started.elapsed().as_secs_f64()
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn main() {
    println!("{:<34} {:>14} {:>14} {:>7}", "step", "compiled /s", "reference /s", "ratio");
    for (name, batch, calls) in
        [("iris", 16, 2000), ("digits", 32, 400), ("vae", 32, 200), ("lenet", 16, 6), ("char_transformer", 16, 6)]
    {
        let file = format!("examples/{name}.lens");
        let program = Program::parse(&std::fs::read_to_string(&file).unwrap(), &file, &MemoryWorld::default()).unwrap();
        let run = &program.trainings()[0];
        let training = program.training(run).unwrap();
        let d = simplify(&step(&training).unwrap().diagram);
        let given = inputs(&d, batch);
        let (mut compiled, mut reference) = (Compiled::new(&d), Machine::new(&d));
        compiled.run(&given, batch).unwrap();
        reference.run(&given, batch).unwrap();
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..7 {
            ours.push(rate(calls, || drop(compiled.run(&given, batch).unwrap())));
            theirs.push(rate(calls.div_ceil(4), || drop(reference.run(&given, batch).unwrap())));
        }
        let (ours, theirs) = (median(ours), median(theirs));
        println!("{:<34} {ours:>14.0} {theirs:>14.0} {:>7.2}", format!("{name}:{run} batch {batch}"), ours / theirs);
    }
}

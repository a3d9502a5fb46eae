//! Runs of programs without data, step by step, for tests: parameters as flat lists of numbers.

use catlearn::elaborate::Program;
use catlearn::run::{Learner, Tensor};
use catlearn::source::MemoryWorld;

/// The run `r` of a text, in f64.
pub(crate) fn learner(text: &str) -> Learner<f64> {
    let program = Program::parse(text, "test.lens", &MemoryWorld::default()).map_err(|(d, _)| d);
    let program = program.unwrap_or_else(|d| panic!("{text}\n{d:#?}"));
    let training = program.training("r").unwrap_or_else(|d| panic!("{text}\n{d:#?}"));
    Learner::new(&training, None, 0).unwrap_or_else(|d| panic!("{text}\n{d:#?}"))
}

/// All numbers, leaf after leaf.
pub(crate) fn flat(tensors: &[Tensor<f64>]) -> Vec<f64> {
    tensors.iter().flat_map(Tensor::to_f64).collect()
}

/// The parameters after 0, 1, .., `steps` updates.
pub(crate) fn trajectory(text: &str, steps: usize) -> Vec<Vec<f64>> {
    let mut learner = learner(text);
    let mut points = vec![flat(learner.params())];
    for _ in 0..steps {
        learner.step(&[]).unwrap_or_else(|d| panic!("{text}\n{d:#?}"));
        points.push(flat(learner.params()));
    }
    points
}

//! Whole Boolean runs: the published figures of reverse derivative ascent, votes where parity fails, and a golden
//! trajectory of ten digits, the bits that every machine must give.
//!
//! MNIST is looked for in `CATLEARN_SHARED`, else in `../shared/data`; tests that need it say so and pass without.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests read files and the environment")]

use catlearn::data::{Dataset, load};
use catlearn::elaborate::{Program, Training};
use catlearn::run::{Learner, Observer, Schedule, Started, Turn, evaluate_bits, run};
use catlearn::source::{Diagnostic, MemoryWorld, World, WorldError};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Files beside the program, then in the shared folder.
struct Files(PathBuf);

impl World for Files {
    fn import(&self, _: &str, name: &str) -> Result<(String, String), WorldError> {
        Err(WorldError::NotFound { name: name.to_owned(), looked: Vec::new() })
    }
    fn data(&self, from: &str, name: &str) -> Result<Vec<u8>, WorldError> {
        let beside = Path::new(from).parent().unwrap().join(name);
        std::fs::read(beside)
            .or_else(|_| std::fs::read(self.0.join(name)))
            .map_err(|e| WorldError::Unreadable { name: name.to_owned(), why: e.to_string() })
    }
}

fn shared() -> PathBuf {
    std::env::var_os("CATLEARN_SHARED").map_or_else(|| "../shared/data".into(), PathBuf::from)
}

fn has_mnist() -> bool {
    if shared().join("mnist").is_dir() {
        return true;
    }
    // Written past the harness, which would keep the line of a test that passes to itself.
    let line = format!("SKIPPED: no mnist/ in {} (CATLEARN_SHARED names the folder that has it)\n", shared().display());
    std::io::stderr().write_all(line.as_bytes()).unwrap();
    false
}

fn training(path: &str, name: &str) -> (Training, Option<Dataset>) {
    let text = std::fs::read_to_string(path).unwrap();
    let program = Program::parse(&text, path, &MemoryWorld::default()).unwrap_or_else(|(said, _)| panic!("{said}"));
    let training = program.training(name).unwrap();
    let data = training.data.as_ref().map(|(spec, from)| {
        load(spec, from, &Files(shared()), training.settings.seed.unwrap_or(0), &evaluate_bits).unwrap()
    });
    (training, data)
}

struct Quiet;

impl<T> Observer<T> for Quiet {
    fn report(
        &mut self,
        _: &catlearn::run::Report,
        _: &Learner<T>,
        _: Option<&catlearn::run::Kept<T>>,
    ) -> Result<(), Diagnostic> {
        Ok(())
    }
    fn interrupted(&mut self) -> bool {
        false
    }
}

/// The learner of a run after `steps` updates, or at its end.
fn after(training: &Training, data: Option<&Dataset>, seed: u64, steps: Option<usize>) -> Learner<f32> {
    let mut learner = Learner::<f32>::new(training, data, seed).unwrap();
    let parts = data.map(|d| d.parts.clone()).unwrap_or_default();
    let shuffle = training.shuffles(data.is_some_and(|d| d.shuffle));
    let mut schedule = Schedule::new(training, &parts, shuffle, seed);
    match steps {
        Some(steps) => {
            for k in 0..steps {
                learner.step(&schedule.batch(k)).unwrap();
            }
        }
        None => {
            let from = Started::anew(&training.settings);
            let outcome = run(&mut learner, &mut schedule, &parts, &training.settings, from, &mut Quiet);
            assert!(outcome.fault.is_none());
        }
    }
    learner
}

const PUBLISHED: &str = "examples/papers/reverse_derivative_ascent";

/// Table 1 of 2101.10488, and the same table with counters (BOOLEAN.md section 1).
#[test]
fn iris_as_published() {
    for (name, right) in [
        ("two_classes_binary", 49),
        ("two_classes_onehot", 49),
        ("three_classes_binary", 55),
        ("three_classes_onehot", 55),
        ("three_classes_counted", 60),
    ] {
        let (training, data) = training(&format!("{PUBLISHED}/iris.lens"), name);
        let data = data.unwrap();
        let mut learner = after(&training, Some(&data), 1, None);
        let test = &data.parts.test;
        let found = learner.metrics(test).unwrap().exact_match.unwrap() * test.len() as f64;
        assert_eq!(found.round() as usize, right, "{name} of {}", test.len());
    }
}

/// State 638 of the published run: 1248 of 1265 validation and 2098 of 2115 test images, a mask of ninety bits.
#[test]
fn mnist_as_published() {
    if !has_mnist() {
        return;
    }
    let (training, data) = training(&format!("{PUBLISHED}/mnist.lens"), "published");
    let data = data.unwrap();
    let mut learner = after(&training, Some(&data), 1, Some(638));
    let mut right = |rows: &[usize]| learner.metrics(rows).unwrap().exact_match.unwrap() * rows.len() as f64;
    assert_eq!((right(&data.parts.valid).round() as usize, data.parts.valid.len()), (1248, 1265));
    assert_eq!((right(&data.parts.test).round() as usize, data.parts.test.len()), (2098, 2115));
    assert_eq!(learner.params()[0].to_f64().iter().sum::<f64>(), 90.0);
}

#[test]
fn a_table_of_eight_bits_learns_parity_in_one_pass() {
    let (training, data) = training("examples/lut.lens", "parity");
    let data = data.unwrap();
    let mut learner = after(&training, Some(&data), 5, None);
    assert_eq!(learner.updates(), 256);
    assert_eq!(learner.metrics(&data.parts.train).unwrap().exact_match, Some(1.0));
}

#[test]
fn votes_train_a_hidden_layer_and_parity_does_not() {
    for seed in [0, 1] {
        let (votes, data) = training("examples/multiplexer.lens", "votes");
        let data = data.unwrap();
        let accuracy = after(&votes, Some(&data), seed, None).metrics(&data.parts.test).unwrap().accuracy.unwrap();
        assert!(accuracy > 0.95, "votes {accuracy}");
        let (parity, data) = training("examples/multiplexer.lens", "parity");
        let data = data.unwrap();
        let found = after(&parity, Some(&data), seed, None).metrics(&data.parts.test).unwrap().exact_match.unwrap();
        assert!(found < 0.65, "parity {found}");
    }
}

/// Twenty steps on 320 images with a loss: losses, set bits, and a hash of tables and counters after each. The file is
/// what every faster machine must give; `CATLEARN_BLESS=1` writes it, which only a changed draw may call for.
#[test]
fn ten_digits_give_the_golden_bits() {
    if !has_mnist() {
        return;
    }
    let (training, data) = training("examples/mnist_circuit.lens", "votes");
    let data = data.unwrap();
    let mut learner = Learner::<f32>::new(&training, Some(&data), 1).unwrap();
    let mut schedule = Schedule::new(&training, &data.parts, true, 1);
    let mut made = String::from("# step, examples passed, loss, set bits, hash of parameters, hash of counters\n");
    while let Turn::Step { batch, .. } = schedule.turn(&mut learner).unwrap() {
        let loss = learner.play(&batch).unwrap()[0].1;
        let bits: f64 = learner
            .param_leaves()
            .iter()
            .zip(learner.params())
            .filter(|((path, _), _)| path.ends_with(".T"))
            .flat_map(|(_, t)| t.to_f64())
            .sum();
        let hash = |tensors: &[catlearn::run::Tensor<f32>]| -> u64 {
            // FNV-1a over the entries as whole numbers, little end first.
            let bytes = tensors.iter().flat_map(|t| t.to_f64()).flat_map(|x| (x as i64).to_le_bytes());
            bytes.fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
        };
        let (params, states) = (hash(learner.params()), hash(learner.states()));
        writeln!(made, "{} {} {loss} {bits} {params:016x} {states:016x}", learner.updates(), learner.seen()).unwrap();
    }
    let path = "tests/golden/mnist_circuit.txt";
    if std::env::var_os("CATLEARN_BLESS").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    assert_eq!(made, std::fs::read_to_string(path).unwrap());
}

//! Programs as users write them from the language's description: each checks without a message, and runs.
//!
//! `aggregators_to_come.lens` is what this version says "not supported yet" to; `mnist_like.lens` names files that are
//! not in the repository.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use catlearn::source::Code;
use catlearn::{MemoryWorld, Program};
use std::fs;
use std::path::PathBuf;

fn world() -> MemoryWorld {
    MemoryWorld::default()
        .with("library.lens", fs::read("tests/programs/library.lens").unwrap())
        .with("examples/data/iris.csv", fs::read("examples/data/iris.csv").unwrap())
        .with("abc.txt", "abcdefgh".repeat(24))
        .with("H.csv", "2,1\n1,3\n")
        .with("start.csv", "1\n-1\n")
}

fn programs() -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir("tests/programs").unwrap().map(|e| e.unwrap().path()).collect();
    all.retain(|p| p.extension().is_some_and(|e| e == "lens"));
    all.sort();
    all
}

/// `const H : R[2, 2] = csv("H.csv")` is the matrix of the file, and a column is a vector.
#[test]
fn constants_come_from_files() {
    let text = fs::read_to_string("tests/programs/quadratic_from_file.lens").unwrap();
    let mut learner = Program::parse(&text, "q.lens", &world()).unwrap().learner("descend").unwrap();
    // 0.5 x H x at (1, -1) with H = [[2, 1], [1, 3]]
    assert_eq!(learner.step_alone().unwrap(), 1.5);
    // x - 0.1 H x
    let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12);
    assert!(close(&learner.params().first().unwrap().1.to_f64(), &[0.9, -0.8]));
    let said = Program::parse(&text, "q.lens", &MemoryWorld::default().with("start.csv", "1\n2\n3\n")).unwrap().check();
    let told: Vec<&str> = said.0.iter().map(|d| d.message.as_str()).collect();
    assert_eq!(told, ["`H.csv` was not found (looked in memory)", "`start` is declared R[2] and given as R[3, 1]"]);
}

#[test]
fn every_program_checks_and_runs() {
    let world = world();
    let (mut wrong, mut ran) = (Vec::new(), 0);
    for path in programs() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let program = match Program::parse(&text, &name, &world) {
            Ok(program) => program,
            Err((said, _)) => {
                wrong.push(format!("{name}: {said}"));
                continue;
            }
        };
        let said = program.check();
        if name == "aggregators_to_come.lens" {
            let later = said.0.iter().filter(|d| d.code == Code::NOT_YET && d.span().is_some()).count();
            assert!(later == 2 && said.0.len() == 2, "{said}");
            continue;
        }
        if !said.0.is_empty() {
            wrong.push(format!("{name}: {said}"));
            continue;
        }
        for run in program.trainings() {
            if name == "mnist_like.lens" {
                program.training(&run).unwrap();
                continue;
            }
            let seed = program.training(&run).unwrap().settings.seed.unwrap_or(1);
            match program.learner_seeded(&run, seed).and_then(|mut l| l.fit(&world, |_| true)) {
                Ok(fit) if fit.train.loss.is_finite() => ran += 1,
                Ok(fit) => wrong.push(format!("{name}:{run}: loss {}", fit.train.loss)),
                // Folds are several learners: the command line makes them.
                Err(e) if name == "k_fold.lens" => assert!(e.to_string().contains("folds"), "{e}"),
                Err(e) => wrong.push(format!("{name}:{run}: {e}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(programs().len() >= 30 && ran >= 30, "{} programs, {ran} runs", programs().len());
}

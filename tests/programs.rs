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
}

fn programs() -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir("tests/programs").unwrap().map(|e| e.unwrap().path()).collect();
    all.retain(|p| p.extension().is_some_and(|e| e == "lens"));
    all.sort();
    all
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

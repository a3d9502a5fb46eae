//! Several losses of one run and frozen parameters: numbers against the runs they must equal, and whole commands.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests read files and the environment")]

mod commands;
mod steps;

use catlearn::elaborate::Program;
use catlearn::run::{Learner, evaluate_bits};
use catlearn::source::MemoryWorld;
use commands::{catlearn, ends, folder, json, last, lines, tensor, text};
use std::fs;
use std::path::{Path, PathBuf};
use steps::{flat, learner, trajectory};

const TWO: &str = "
model a {x: R[3] ~ [1, -2, 0.5]} : () -> R[1] () { dot(x, x) + exp(sum(x)) }
model b {x: R[3] ~ [1, -2, 0.5], y: R[2] ~ ones} : () -> R[1] () { sum(x) * sum(y) + 0.25 * dot(y, y) }
model both {x: R[3] ~ [1, -2, 0.5], y: R[2] ~ ones} : () -> R[1] () { a{x}() + b{x, y}() }
model half {x: R[3] ~ [1, -2, 0.5], y: R[2] ~ ones} : () -> R[1] () { 0.5 * (a{x}() + b{x, y}()) }
";

fn over(fields: &str) -> String {
    format!("{TWO} train r {{ {fields}, optimiser = adam(lr = 0.05), steps = 20, precision = f64 }}")
}

#[test]
fn the_sum_of_two_objectives_is_the_objective_of_their_sum() {
    for (several, one) in [
        ("objective = [a, b], aggregate = sum", "objective = both"),
        ("objective = [a, b], aggregate = sum, rows = loss", "objective = both"),
        ("objective = [a, b]", "objective = half"),
        ("objective = [a, b], aggregate = mean, rows = loss", "objective = half"),
    ] {
        assert_eq!(trajectory(&over(several), 20), trajectory(&over(one), 20), "{several}");
    }
}

#[test]
fn objectives_share_ports_by_name_and_tell_their_losses() {
    let mut two = learner(&over("objective = [a, b, a], aggregate = sum"));
    let paths: Vec<&str> = two.param_leaves().iter().map(|(p, _)| &**p).collect();
    assert_eq!(paths, ["x", "y"]);
    let names: Vec<&str> = two.loss_names().iter().map(|n| &**n).collect();
    assert_eq!(names, ["a", "b", "a.1"]);
    let watched = two.watch(&[]).unwrap();
    let loss = two.step(&[]).unwrap();
    let (met, each) = two.met();
    assert_eq!((met, each), (loss, watched.losses.as_slice()));
    let [a, b, again] = [each[0], each[1], each[2]];
    assert_eq!(a, again);
    assert!((a - (5.25 + (-0.5_f64).exp())).abs() < 1e-12 && (b - (-1.0 + 0.5)).abs() < 1e-12, "{a} {b}");
    assert_eq!(loss, a + b + a);
}

const DATA: &str = "
data p { source = inline([[1, 2, 0], [2, 4.5, 1], [3, 6, 1], [4, 7.5, 0], [5, 10, 1]]), input = columns(0), target = columns(1), split = all }
model lin {W: R[1, 1] ~ normal(1), b: R[1] ~ zeros, noise u: R[1] ~ normal(0.1)} : R[1] -> R[1] (x) { W @ (x + u) + b }
loss sum_of_both : (y: R[n], t: R[n]) -> R[1] (y, t) { mse(y, t) + mae(y, t) }
loss mean_of_both : (y: R[n], t: R[n]) -> R[1] (y, t) { 0.5 * (mse(y, t) + mae(y, t)) }
";

/// The parameters after two epochs of a run with data.
fn trained(fields: &str) -> Vec<f64> {
    let text = format!(
        "{DATA} train r {{ data = p, model = lin, {fields}, optimiser = gd(lr = 0.01), epochs = 2, precision = f64 }}"
    );
    let world = MemoryWorld::default();
    let program = Program::parse(&text, "test.lens", &world).map_err(|(d, _)| d).unwrap();
    let training = program.training("r").unwrap_or_else(|d| panic!("{text}\n{d:#?}"));
    let (spec, from) = training.data.clone().unwrap();
    let data = catlearn::data::load(&spec, &from, &world, 3, &evaluate_bits).unwrap();
    let mut learner: Learner<f64> = Learner::new(&training, Some(&data), 3).unwrap();
    for rows in [[0, 1], [2, 3], [4, 0], [1, 2]] {
        learner.step(&rows).unwrap();
    }
    flat(learner.params())
}

#[test]
fn losses_of_a_model_meet_before_or_behind_the_batch() {
    let mean = trained("loss = mean_of_both");
    let total = trained("loss = sum_of_both, aggregate = sum");
    let of_means = trained("loss = sum_of_both");
    for (several, one) in [
        ("loss = [mse, mae]", &mean),
        ("loss = [mse, mae], rows = loss", &mean),
        ("loss = [mse, mae], aggregate = sum", &total),
        ("loss = [mse, mae], aggregate = sum, rows = loss", &of_means),
    ] {
        assert_eq!(trained(several), *one, "{several}");
    }
    assert!(total != of_means && mean != of_means, "three different runs");
}

#[test]
fn bits_of_several_losses_are_all_asked() {
    let run = |fields: &str| {
        let text = format!(
            "const one : Bool[2] = [1, 0]
             const two : Bool[2] = [1, 1]
             model q {{x: Bool[2] ~ zeros}} : () -> Bool[2] () {{ x xor one }}
             model s {{x: Bool[2] ~ zeros}} : () -> Bool[1] () {{ x[0] & x[1] }}
             model all {{x: Bool[2] ~ zeros}} : () -> Bool[3] () {{ cat(q{{x}}(), s{{x}}()) }}
             train r {{ {fields}, optimiser = rda, steps = 4 }}"
        );
        trajectory(&text, 4)
    };
    let all = run("objective = [q, s]");
    assert_eq!(all, run("objective = all"));
    assert!(all[0] != all[1], "it moves");
}

#[test]
fn frozen_leaves_keep_their_bits_and_the_others_move_as_if_alone() {
    for rule in [
        "adam(lr = 0.05) >> clip_norm(0.5)",
        "{ \"*.x\": gd(lr = 0.1), _: adam(lr = 0.1) }",
        "{ \"*.x\": gd(lr = 0.1) }",
    ] {
        let program = |frozen: &str| {
            format!("{TWO} train r {{ objective = both, optimiser = {rule}, steps = 9, precision = f64, {frozen} }}")
        };
        let mut learner = learner(&program("frozen = [both.y]"));
        let begin = learner.params().to_vec();
        for _ in 0..9 {
            learner.step(&[]).unwrap();
        }
        assert_eq!(flat(&begin[1..]), flat(&learner.params()[1..]), "{rule}");
        assert_ne!(flat(&begin[..1]), flat(&learner.params()[..1]), "{rule}");
        assert!(learner.state_leaves().iter().all(|(path, _)| !path.starts_with("both.y")), "no state of it");
    }
    // A norm over all parameters is one over those that move.
    let alone = "model only {x: R[3] ~ [1, -2, 0.5]} : () -> R[1] () { a{x}() + 2 * sum(x) + 0.5 }
                 train r { objective = only, optimiser = gd(lr = 0.1) >> clip_norm(0.5), steps = 9, precision = f64 }";
    let frozen = "train r { objective = both, optimiser = gd(lr = 0.1) >> clip_norm(0.5), steps = 9, precision = f64,
                  frozen = [\"*.y\"] }";
    let first = |text: &str| -> Vec<Vec<f64>> {
        trajectory(&format!("{TWO}{text}"), 9).into_iter().map(|p| p[..3].to_vec()).collect()
    };
    for (x, y) in first(alone).iter().flatten().zip(first(frozen).iter().flatten()) {
        assert!((x - y).abs() < 1e-12, "{x} {y}");
    }
}

const HEAD: &str = "data p { source = inline([[1, 2], [2, 4], [3, 6], [4, 8], [5, 10], [6, 13]]), input = columns(0), target = columns(1), SPLIT }\n\
                    model lin {W: R[1, 1] ~ normal(1), b: R[1] ~ ones} : R[1] -> R[1] (x) { W @ x + b }\n";

fn program(dir: &Path, split: &str) -> PathBuf {
    let path = dir.join("p.lens");
    let head = HEAD.replace("SPLIT", split);
    let run = "train t { data = p, model = lin, loss = [mse, mae], batch = 2, optimiser = adam(lr = 0.05), steps = 12,
        validate = every(5), frozen = [lin.b], select = best(train.loss) }\n";
    fs::write(&path, format!("{head}{run}")).unwrap();
    path
}

#[test]
fn several_losses_and_frozen_parts_resume_to_the_bits_of_the_unbroken_run() {
    let dir = folder("losses-resume");
    let file = program(&dir, "split = holdout(train = 0.7, valid = 0.3)");
    let (whole, broken) = (dir.join("whole"), dir.join("broken"));
    let (said, _) = ends(&catlearn(&["train", text(&file), "--seed", "4", "--out", text(&whole)]), 0);
    assert!(said.contains("  mse ") && said.contains("  mae "), "{said}");
    ends(&catlearn(&["train", text(&file), "--seed", "4", "--out", text(&broken), "--stop-after", "7"]), 130);
    ends(&catlearn(&["train", "--resume", text(&broken)]), 0);
    assert_eq!(last(&whole), last(&broken));
    assert_eq!(tensor(&whole, "lin.b"), 1.0_f32.to_le_bytes());
    let without_time = |run: &Path| {
        let mut lines = lines(run);
        lines.iter_mut().for_each(|l| l["wall_s"] = 0.into());
        lines
    };
    let told = without_time(&whole);
    assert_eq!(told, without_time(&broken));
    for line in &told {
        let number = |key: &str| line[key].as_f64().unwrap();
        assert!((number("loss") - (number("loss.mse") + number("loss.mae")) / 2.0).abs() < 1e-6, "{line}");
    }
    let metrics = &json(&whole.join("run.json"))["result"]["metrics"]["train"];
    assert!(metrics["loss.mse"].is_f64() && metrics["loss.mae"].is_f64());
}

#[test]
fn losses_have_means_over_folds() {
    let dir = folder("losses-folds");
    let file = program(&dir, "split = kfold(3)");
    let run = dir.join("run");
    ends(&catlearn(&["train", text(&file), "--seed", "4", "--out", text(&run)]), 0);
    let test = &json(&run.join("run.json"))["result"]["metrics"]["test"];
    let folds: Vec<f64> = test["loss.mae_folds"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
    assert_eq!(folds.len(), 3);
    assert!((test["loss.mae"].as_f64().unwrap() - folds.iter().sum::<f64>() / 3.0).abs() < 1e-12);
}

/// The loss that a run tells of its training rows after steps of rate 0.
fn evaluated(dir: &Path, name: &str, forms: &str) -> f64 {
    let file = dir.join(format!("{name}.lens"));
    let program = format!(
        "model wide {{noise u: R[1] ~ normal(std = 1000)}} : R[1] -> R[1] (x) {{ x + u }}
         model near {{noise u: R[1] ~ uniform}} : R[1] -> R[1] (x) {{ x + u }}
         model m : R[1] -> R[1] {forms}
         model w {{W: R[1] ~ ones}} : R[1] -> R[1] (x) {{ m(x) * W }}
         data d {{ source = inline([[0, 0], [1, 1], [2, 2], [3, 3]]), input = columns(0), target = columns(1) }}
         train a {{ data = d, model = w, loss = mse, optimiser = gd(lr = 0), steps = 2, seed = 1, shuffle = false }}\n"
    );
    fs::write(&file, program).unwrap();
    let run = dir.join(name);
    ends(&catlearn(&["train", text(&file), "--out", text(&run)]), 0);
    json(&run.join("run.json"))["result"]["metrics"]["train"]["loss"].as_f64().unwrap()
}

#[test]
fn the_noise_of_an_evaluate_form_is_its_own() {
    let dir = folder("evaluate-noise");
    // The same draws whatever noise the form of training has, also none.
    let near = evaluated(&dir, "near", "(x) { near(x) }");
    assert!(near > 0.0 && near < 1.0, "{near}");
    assert_eq!(evaluated(&dir, "other", "(x) { near(wide(x)) } evaluate (x) { near(x) }"), near);
    assert_eq!(evaluated(&dir, "none", "(x) { x } evaluate (x) { near(x) }"), near);
}

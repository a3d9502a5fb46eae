//! The library inside another program: the same bits as the command line, faults instead of panics.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use bitvec::bitvec;
use bitvec::order::Lsb0;
use catlearn::run::{Checkpoint, Tensor};
use catlearn::{Fault, Learner, MemoryWorld, Program, Values, bits};
use ndarray::{Array2, array};
use std::process::Command;

fn iris() -> (Program, MemoryWorld) {
    let text = std::fs::read_to_string("examples/iris.lens").unwrap();
    let world = MemoryWorld::default().with("data/iris.csv", std::fs::read("examples/data/iris.csv").unwrap());
    (Program::parse(&text, "iris.lens", &world).unwrap(), world)
}

const LINE: &str = "
    model line : R[2] -> R[1] = dense[2, 3] >> tanh >> dense[3, 1]
    data points { source = inline([[0, 1, 2], [1, 3, 1], [2, 0, 0]]), input = columns(0..2), target = columns(2), shuffle = false }
    train fit { data = points, model = line, loss = mse, optimiser = nesterov(lr = 0.1), batch = all, steps = 5, seed = 2, precision = f64 }";

fn learner(text: &str, name: &str) -> Learner {
    Program::parse(text, "page.lens", &MemoryWorld::default()).unwrap().learner(name).unwrap()
}

fn xy() -> (Array2<f64>, Array2<f64>) {
    (array![[0.0, 1.0], [1.0, 3.0], [2.0, 0.0]], array![[2.0], [1.0], [0.0]])
}

fn said(fault: &Fault) -> String {
    fault
        .diagnostics()
        .iter()
        .map(|d| format!("{}: {} | {}", d.code, d.message, d.help.as_deref().unwrap_or("-")))
        .collect()
}

#[test]
fn a_fit_has_the_bits_of_the_command_line() {
    let (program, world) = iris();
    let mut learner = program.learner("iris_mlp").unwrap();
    let mut epochs = 0;
    let fit = learner
        .fit(&world, |_| {
            epochs += 1;
            true
        })
        .unwrap();
    assert_eq!((epochs, fit.step, fit.ended), (50, 400, false));
    let dir = std::env::temp_dir().join(format!("catlearn-embed-{}", std::process::id()));
    let ran = Command::new(env!("CARGO_BIN_EXE_catlearn"))
        .args(["-q", "train", "examples/iris.lens", "--force", "--out"])
        .arg(&dir)
        .output()
        .unwrap();
    assert!(ran.status.success());
    let bytes = std::fs::read(dir.join("checkpoint/last.safetensors")).unwrap();
    std::fs::remove_dir_all(&dir).unwrap();
    let mut other = program.learner("iris_mlp").unwrap();
    other.load(&bytes).unwrap();
    assert_eq!(other.params(), learner.params());
    assert_eq!(other.states(), learner.states());
    assert_eq!(other.updates(), 400);
    assert!(fit.test.unwrap().accuracy.unwrap() > 0.9);
}

#[test]
fn a_host_that_steps_makes_the_run_of_the_program() {
    let mut fitted = learner(LINE, "fit");
    fitted.fit(&MemoryWorld::default(), |_| true).unwrap();
    let mut stepped = learner(LINE, "fit");
    let (x, y) = xy();
    let mut losses = Vec::new();
    for _ in 0..5 {
        losses.push(stepped.step(&x, &y).unwrap());
    }
    assert_eq!(fitted.params(), stepped.params());
    assert_eq!(fitted.states(), stepped.states());
    assert!(losses[4] < losses[0]);
    assert_ne!(learner(LINE, "fit").params(), stepped.params());
}

#[test]
fn saving_and_loading_goes_on_with_the_same_bits() {
    let mut one = learner(LINE, "fit");
    let (x, y) = xy();
    one.step(&x, &y).unwrap();
    let bytes = one.save().unwrap();
    let mut two = learner(LINE, "fit");
    two.load(&bytes).unwrap();
    for _ in 0..3 {
        assert_eq!(one.step(&x, &y).unwrap().to_bits(), two.step(&x, &y).unwrap().to_bits());
    }
    assert_eq!(one.params(), two.params());
    let before = two.params();
    assert!(matches!(two.load(b"no checkpoint"), Err(Fault::Checkpoint(_))));
    assert_eq!(before, two.params());
}

/// The request at the input against central differences of the loss, at the look-ahead point of the rule.
#[test]
fn the_request_at_the_input_is_the_derivative_of_the_loss() {
    let mut l = learner(LINE, "fit");
    let (x, y) = xy();
    l.step(&x, &y).unwrap();
    l.step(&x, &y).unwrap();
    let asked = l.request(&x, &y).unwrap();
    let request = asked.input.unwrap();
    assert_eq!(request.shape(), [3, 2]);
    for (row, entries) in request.to_f64().chunks(2).enumerate() {
        for (k, given) in entries.iter().enumerate() {
            let mut loss = |by: f64| {
                let mut one = x.row(row).insert_axis(ndarray::Axis(0)).to_owned();
                one[[0, k]] += by;
                l.request(&one, &y.row(row).insert_axis(ndarray::Axis(0)).to_owned()).unwrap().loss
            };
            let difference = (loss(1e-6) - loss(-1e-6)) / 2e-6;
            assert!((difference - given).abs() < 1e-7, "{difference} {given}");
        }
    }
    // Requests of parameters move them: the rule of a plain step subtracts them.
    assert_eq!(asked.params.len(), 4);
    assert_eq!(l.updates(), 2);
}

#[test]
fn bits_go_in_and_come_out_as_bits() {
    let text = "
        data odd { source = truth_table(3, popcount(x) & 1) }
        train parity { data = odd, model = lut[3], loss = xor_error, optimiser = rda, epochs = 1 }";
    let mut l = learner(text, "parity");
    for address in 0..8_u64 {
        let x: bitvec::vec::BitVec<u64, Lsb0> = (0..3).map(|k| address >> k & 1 == 1).collect();
        let y = array![[address.count_ones() % 2 == 1]];
        l.step(x.as_bitslice(), &y).unwrap();
    }
    let x = bitvec![u64, Lsb0; 0, 0, 0, 1, 0, 0, 1, 1, 0, 1, 1, 1];
    let y: Tensor<f64> = l.predict(x.as_bitslice()).unwrap();
    assert_eq!(bits(&y).unwrap(), bitvec![u64, Lsb0; 0, 1, 0, 1]);
    assert!(l.request(x.as_bitslice(), &array![[true], [true], [false], [true]]).unwrap().input.is_some());
}

#[test]
fn misfits_are_faults_with_a_suggestion() {
    let mut l = learner(LINE, "fit");
    let (x, y) = xy();
    let wide = array![[0.0, 1.0, 2.0, 3.0, 4.0]];
    let cases = [
        l.step(&wide, &y).unwrap_err(),
        l.step(&array![[true, false]], &y).unwrap_err(),
        l.step(&x, &array![[1.0]]).unwrap_err(),
        l.step(&Array2::<f64>::zeros((0, 2)), &y).unwrap_err(),
        l.step_alone().unwrap_err(),
        l.set_param("line.0.V", &array![1.0]).unwrap_err(),
        l.set_param("line.0.b", &array![1.0]).unwrap_err(),
    ];
    let text: Vec<String> = cases.iter().map(said).collect();
    assert_eq!(
        text.join("\n"),
        "E0605: the program takes R[2] as input, given are R[1, 5] | give one R[2] an example, the examples along the first axis\n\
         E0605: the program takes R[2] as input, given are Bool[1, 2] | give one R[2] an example, the examples along the first axis\n\
         E0605: 3 inputs come with 1 targets | give one target an input\n\
         E0605: the program takes R[2] as input, given are R[0, 2] | give one R[2] an example, the examples along the first axis\n\
         E0605: the program takes R[2] as input | give the inputs of the batch\n\
         E0201: there is no parameter `line.0.V` | the parameters are line.0.W, line.0.b, line.1.W, line.1.b\n\
         E0605: line.0.b is R[3], given are R[1] | give 3 entries"
    );
    let parsed = Program::parse("model f : R[2] -> R[3] = tanh", "f.lens", &MemoryWorld::default()).unwrap();
    assert!(parsed.check().has_errors());
    let text = Program::parse("model f : R[2] -> ", "f.lens", &MemoryWorld::default()).map(|_| ());
    let fault: Fault = text.map_err(Fault::from).unwrap_err();
    assert!(!fault.diagnostics().is_empty());
}

#[test]
fn a_step_that_fails_leaves_everything_as_it_was() {
    let mut l = learner(LINE, "fit");
    let (x, y) = xy();
    l.step(&x, &y).unwrap();
    let before = (l.params(), l.states(), l.updates());
    assert!(l.step(&array![[f64::NAN, 0.0]], &array![[1.0]]).is_err());
    assert_eq!(before, (l.params(), l.states(), l.updates()));
}

#[test]
fn parameters_are_put_and_other_seeds_draw_others() {
    let program = Program::parse(LINE, "page.lens", &MemoryWorld::default()).unwrap();
    let mut l = program.learner("fit").unwrap();
    l.set_param("line.0.b", &array![1.0, 2.0, 3.0]).unwrap();
    assert_eq!(l.params()[1].1.to_f64(), [1.0, 2.0, 3.0]);
    assert_ne!(program.learner_seeded("fit", 3).unwrap().params(), program.learner("fit").unwrap().params());
    let inner = Checkpoint::<f64>::load(
        &l.save().unwrap(),
        &catlearn::run::Learner::new(&program.training("fit").unwrap(), None, 0).unwrap(),
        true,
    );
    assert_eq!(inner.unwrap().metadata.get("seed").map(String::as_str), Some("2"));
    assert!(Values::from(&array![1.0]).len() == 1);
}

#[test]
fn a_game_saved_within_its_cycle_goes_on_with_the_next_turn() {
    let text = "
        model v {A: R[1] ~ ones, B: R[1] ~ ones} : () -> R[1] () { dot(A, B) + 0.5 * dot(A, A) - 0.5 * dot(B, B) }
        game g {
          player A minimises v with gd(lr = 0.1)
          player B maximises v with gd(lr = 0.1)
          schedule = cycle(A = 1, B = 2)
          steps = 4, seed = 1, precision = f64
        }";
    let mut one = learner(text, "g");
    let fresh = one.save().unwrap();
    one.step_alone().unwrap();
    let mut two = learner(text, "g");
    two.load(&one.save().unwrap()).unwrap();
    for _ in 0..4 {
        assert_eq!(one.step_alone().unwrap().to_bits(), two.step_alone().unwrap().to_bits());
        assert_eq!(one.params(), two.params());
    }
    // A state at the start of a cycle puts a learner within one back to the start.
    two.load(&fresh).unwrap();
    let mut three = learner(text, "g");
    three.step_alone().unwrap();
    two.step_alone().unwrap();
    assert_eq!(three.params(), two.params());
}

#[test]
fn loading_takes_the_saved_seed_for_the_noise_to_come() {
    let text = "
        data d { source = inline([[1, 2, 3, 4, 1]]), input = columns(0..4), target = columns(4) }
        model net : R[4] -> R[1] = dropout(rate = 0.5) >> dense[4, 1]
        train t {
          data = d, model = net, loss = mse
          optimiser = gd(lr = 0.01), steps = 3, precision = f64
        }";
    let program = Program::parse(text, "page.lens", &MemoryWorld::default()).unwrap();
    let (x, y) = (array![[1.0, 2.0, 3.0, 4.0]], array![[1.0]]);
    let mut one = program.learner_seeded("t", 7).unwrap();
    one.step(&x, &y).unwrap();
    let mut two = program.learner("t").unwrap();
    two.load(&one.save().unwrap()).unwrap();
    for _ in 0..5 {
        one.step(&x, &y).unwrap();
        two.step(&x, &y).unwrap();
    }
    assert_eq!(one.params(), two.params());
    assert_eq!(one.save().unwrap(), two.save().unwrap());
}

/// A run that has passed all its epochs has no step left, also after saving and loading.
#[test]
fn a_fit_on_active_examples_is_continued() {
    let text = "
        model line : R[1] -> R[1] = dense[1, 1]
        data points { source = inline([[0, 1], [1, 3], [2, 5]]), input = columns(0), target = columns(1) }
        train fit { data = points, model = line, loss = mse, optimiser = gd(lr = 0.1), batch = active(2), epochs = 5 }";
    let world = MemoryWorld::default();
    let mut whole = learner(text, "fit");
    whole.fit(&world, |_| true).unwrap();
    let mut halves = learner(text, "fit");
    assert!(halves.fit(&world, |_| false).unwrap().ended);
    assert!(halves.updates() < whole.updates());
    let mut loaded = learner(text, "fit");
    loaded.load(&halves.save().unwrap()).unwrap();
    for l in [&mut halves, &mut loaded] {
        l.fit(&world, |_| true).unwrap();
        assert_eq!((l.updates(), l.params()), (whole.updates(), whole.params()));
    }
    let steps = whole.updates();
    whole.fit(&world, |_| true).unwrap();
    assert_eq!(whole.updates(), steps);
}

/// At A = 2, F = 3, x = t = 1 the error is 4: the loss (A x + F x - t)^2 has the derivative 8 at A and 40 at x.
#[test]
fn a_game_of_one_player_asks_for_what_its_player_wants() {
    for (side, sign) in [("minimises", 1.0), ("maximises", -1.0)] {
        let text = format!(
            "model v {{F: R[1] ~ [3], A: R[1] ~ [2]}} : (x: R[1], t: R[1]) -> R[1] (x, t) {{ let e = A * x + F * x - t  e * e }}
            data d {{ source = inline([[1, 1]]), input = columns(0), target = columns(1) }}
            game g {{ player A {side} v with gd(lr = 0.1) data = d, frozen = [F], steps = 4, seed = 1, precision = f64 }}"
        );
        let asked = learner(&text, "g").request(&array![[1.0]], &array![[1.0]]).unwrap();
        assert_eq!(asked.params.iter().map(|(_, t)| t.to_f64()).collect::<Vec<_>>(), [[sign * 8.0]]);
        assert_eq!(asked.input.unwrap().to_f64(), [sign * 40.0]);
    }
}

/// A rule that looks at p + t: the request at x of A x is A + t, and t counts the player's turns.
#[test]
fn the_request_at_the_input_has_the_clock_of_the_player() {
    let text = "
        optimiser ahead(by) on p : R[n] { get { p + by } put (g) { p } }
        model v {A: R[1] ~ [2]} : (x: R[1], t: R[1]) -> R[1] (x, t) { A * x + t }
        data d { source = inline([[1, 1]]), input = columns(0), target = columns(1) }
        game g {
          player A minimises v with ahead(by = linear(from = 0, to = 100, steps = 100))
          data = d, schedule = cycle(A = 3), steps = 4, seed = 1, precision = f64
        }";
    let mut l = learner(text, "g");
    let (x, y) = (array![[1.0]], array![[0.0]]);
    for turn in 0..5 {
        let asked = l.request(&x, &y).unwrap();
        assert_eq!(asked.input.unwrap().to_f64(), [asked.loss], "turn {turn}");
        l.step(&x, &y).unwrap();
    }
}

#[test]
fn a_game_whose_first_player_reads_no_data_takes_that_of_the_others() {
    let text = "
        model v {A: R[1] ~ ones} : () -> R[1] () { dot(A, A) }
        model w {B: R[1] ~ ones} : (x: R[1], y: R[1]) -> R[1] (x, y) { (B * x - y) * (B * x - y) }
        data d { source = inline([[1, 3]]), input = columns(0), target = columns(1) }
        game g {
          player A minimises v with gd(lr = 0.1)
          player B minimises w with gd(lr = 0.1)
          data = d, steps = 4, seed = 1, precision = f64
        }";
    let mut l = learner(text, "g");
    assert_eq!(l.input().map(ToString::to_string).as_deref(), Some("R[1]"));
    assert_eq!(l.target().map(ToString::to_string).as_deref(), Some("R[1]"));
    // The derivative at B of the mean of (B - 3)^2 and (2 B - 4)^2 at 1 is -6.
    l.step(&array![[1.0], [2.0]], &array![[3.0], [4.0]]).unwrap();
    let params: Vec<f64> = l.params().iter().flat_map(|(_, t)| t.to_f64()).collect();
    assert!((params[0] - 0.8).abs() < 1e-12 && (params[1] - 1.6).abs() < 1e-12, "{params:?}");
    assert!(l.step_alone().is_err());
}

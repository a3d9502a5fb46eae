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

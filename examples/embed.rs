//! A learner inside another program: `cargo run --release --example embed`.
//!
//! The program text says what is learnt and how; the host makes the examples, steps the learner, asks it for the request
//! at its input, saves it and goes on from the bytes.
#![allow(clippy::print_stdout, reason = "an example says what it does")]

use catlearn::{Fault, MemoryWorld, Program};
use ndarray::{Array2, Axis};

const TEXT: &str = r#"
model controller : R[2] -> R[1] = dense[2, 16] >> tanh >> dense[16, 1]

data none_yet { source = inline([[0, 0, 0]]), input = columns(0..2), target = columns(2) }

train follow {
    data = none_yet, model = controller, loss = mse
    optimiser = adam(lr = 1e-2) >> clip_norm(1), steps = 1, seed = 7, precision = f64
}
"#;

/// Points on a grid and what the controller should do there.
fn examples(n: usize) -> (Array2<f64>, Array2<f64>) {
    let x = Array2::from_shape_fn((n * n, 2), |(i, k)| {
        let at = if k == 0 { i % n } else { i / n };
        2.0 * at as f64 / (n - 1) as f64 - 1.0
    });
    let y = (x.column(0).mapv(|u| (2.0 * u).sin()) * x.column(1)).insert_axis(Axis(1));
    (x, y)
}

fn main() -> Result<(), Fault> {
    let program = Program::parse(TEXT, "follow.lens", &MemoryWorld::default())?;
    for message in program.check().0 {
        println!("{}: {}", message.code, message.message);
    }
    let mut learner = program.learner("follow")?;
    let (x, y) = examples(9);
    for step in 1..=600 {
        let loss = learner.step(&x, &y)?;
        if step % 100 == 0 {
            println!("step {step:4}  loss {loss:.6}");
        }
    }

    // What the learner asks of whatever made its inputs.
    let asked = learner.request(&x, &y)?;
    if let Some(request) = asked.input {
        println!("request at the input: {:?}, largest {:.2e}", request.shape(), largest(&request.to_f64()));
    }
    for (path, tensor) in learner.params() {
        println!("{path:16} {:?}", tensor.shape());
    }

    let saved = learner.save()?;
    let mut again = program.learner("follow")?;
    again.load(&saved)?;
    assert_eq!(again.step(&x, &y)?.to_bits(), learner.step(&x, &y)?.to_bits());
    println!("{} bytes saved; after loading the next step has the same bits", saved.len());
    Ok(())
}

fn largest(entries: &[f64]) -> f64 {
    entries.iter().fold(0.0, |m, x| f64::max(m, x.abs()))
}

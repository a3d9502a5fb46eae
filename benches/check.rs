//! How long a check takes: `cargo bench --bench check`.
//!
//! A thousand lines with twenty mistakes, then every example; the median of some runs, in milliseconds.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing, reason = "a measurement")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "it reads files and the clock")]

#[path = "../tests/support/thousand.rs"]
mod thousand;

use catlearn::elaborate::Program;
use catlearn::source::MemoryWorld;
use std::time::Instant;

/// The median time of a check in milliseconds, and how many messages it gives.
fn median(text: &str) -> (f64, usize) {
    let mut messages = 0;
    let mut times: Vec<f64> = (0..15)
        .map(|_| {
            let started = Instant::now();
            messages = match Program::parse(text, "bench.lens", &MemoryWorld::default()) {
                Ok(program) => program.check().0.len(),
                Err((said, _)) => said.0.len(),
            };
            started.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], messages)
}

fn main() {
    let (text, _) = thousand::program();
    let mut texts =
        vec![("nothing (the prelude)".to_owned(), String::new()), ("1,000 lines, 20 mistakes".to_owned(), text)];
    for entry in std::fs::read_dir("examples").unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "lens") {
            texts.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
        }
    }
    for (name, text) in texts {
        let (time, messages) = median(&text);
        println!("{time:8.2} ms  {messages:3} messages  {name}");
    }
}

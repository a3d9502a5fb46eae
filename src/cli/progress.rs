//! The live line of a run on a terminal: how far it is, how long it will take, what it has learned.
//!
//! In: steps and losses as they are made. Out: one line in the place of the one before, at most ten a second. [`drawn`] is
//! a function of what is known, so that tests need no terminal.

use super::Shared;
use super::terminal::{live, live_line, width};
use std::time::{Duration, Instant};

/// How often the line is drawn.
const EVERY: Duration = Duration::from_millis(100);

/// Columns of the bar.
const BAR: usize = 20;

/// What the line tells.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    step: usize,
    total: usize,
    /// Steps made by this process, and the seconds it took for them.
    done: usize,
    seconds: f64,
    loss: f64,
    valid: Option<f64>,
}

/// The live line of one run.
pub(super) struct Progress {
    began: Instant,
    shown: Option<Instant>,
    seen: Seen,
    live: bool,
}

impl Progress {
    /// The line of a run of `total` steps.
    pub(super) fn new(total: usize, shared: &Shared) -> Progress {
        let seen = Seen { total, ..Seen::default() };
        Progress { began: Instant::now(), shown: None, seen, live: live(shared) }
    }

    /// Whether there is a terminal to draw on.
    pub(super) fn is_live(&self) -> bool {
        self.live
    }

    /// After a step.
    pub(super) fn stepped(&mut self, step: usize, loss: f64) {
        self.seen = Seen { step, loss, done: self.seen.done + 1, ..self.seen };
        if !self.live || self.shown.is_some_and(|at| at.elapsed() < EVERY) {
            return;
        }
        self.seen.seconds = self.began.elapsed().as_secs_f64();
        live_line(&format!("\r{}\x1b[K", drawn(&self.seen, width())));
        self.shown = Some(Instant::now());
    }

    /// After the validation part was measured.
    pub(super) fn validated(&mut self, loss: f64) {
        self.seen.valid = Some(loss);
    }
}

/// The line for a terminal of so many columns; what does not fit is left off from the right.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of steps and seconds that people wait"
)]
fn drawn(seen: &Seen, width: usize) -> String {
    let share = (seen.step as f64 / seen.total.max(1) as f64).min(1.0);
    let full = (share * BAR as f64) as usize;
    let each = seen.seconds / seen.done.max(1) as f64;
    let left = each * seen.total.saturating_sub(seen.step) as f64;
    let digits = seen.total.to_string().len();
    let mut parts = vec![
        format!("{:>digits$}/{}", seen.step, seen.total),
        format!("[{}{}]", "=".repeat(full), " ".repeat(BAR - full)),
        format!("ETA {}", clock(left as u64)),
        format!("{} ms/step", significant(1e3 * each)),
        format!("loss {:.6}", seen.loss),
    ];
    parts.extend(seen.valid.map(|loss| format!("valid loss {loss:.6}")));
    let mut line = String::new();
    for part in parts {
        // The last column stays free: some terminals break the line there.
        if line.len() + part.len() + 2 >= width {
            break;
        }
        line.push_str(if line.is_empty() { "" } else { "  " });
        line.push_str(&part);
    }
    line
}

/// `0:07`, `12:05`, `3:00:00`.
fn clock(seconds: u64) -> String {
    let (h, m, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if h > 0 { format!("{h}:{m:02}:{s:02}") } else { format!("{m}:{s:02}") }
}

/// Three digits that matter.
fn significant(x: f64) -> String {
    match x {
        _ if x >= 100.0 => format!("{x:.0}"),
        _ if x >= 10.0 => format!("{x:.1}"),
        _ if x >= 1.0 => format!("{x:.2}"),
        _ => format!("{x:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEN: Seen = Seen { step: 120, total: 4000, done: 100, seconds: 0.25, loss: 0.5, valid: Some(0.625) };

    #[test]
    fn a_line_tells_how_far_how_long_and_what_was_learned() {
        let line = drawn(&SEEN, 200);
        let bar = " ".repeat(20);
        assert_eq!(line, format!(" 120/4000  [{bar}]  ETA 0:09  2.50 ms/step  loss 0.500000  valid loss 0.625000"));
        let done = Seen { step: 4000, valid: None, ..SEEN };
        assert!(drawn(&done, 200).starts_with("4000/4000  [====================]  ETA 0:00"));
    }

    #[test]
    fn a_narrow_terminal_gets_what_fits() {
        for width in 0..100 {
            assert!(drawn(&SEEN, width).len() < width.max(1), "{width}");
        }
        assert_eq!(drawn(&SEEN, 50), format!(" 120/4000  [{}]  ETA 0:09", " ".repeat(20)));
    }

    #[test]
    fn nothing_known_is_no_panic() {
        let line = drawn(&Seen::default(), 100);
        assert!(line.starts_with("0/0") && line.contains("ETA 0:00"), "{line}");
        assert_eq!((clock(3725), clock(65)), ("1:02:05".to_owned(), "1:05".to_owned()));
    }
}

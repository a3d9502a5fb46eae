//! Schedules update by update against their formulas (OPTIMISERS.md section 2.7): a rule that adds its setting to the
//! parameter tells its value at every update.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    missing_docs,
    reason = "tests"
)]

mod steps;

use std::f64::consts::PI;
use steps::trajectory;

/// The values of a schedule at the first updates.
fn values(schedule: &str, steps: usize) -> Vec<f64> {
    let text = format!(
        "optimiser tell(lr) on p : R[n] {{ state last : R[n] ~ zeros  put (g) {{ next last = p  p - p + lr + 0 * g }} }}
         def half(steps) : R[1] -> R[1] (t) {{ 0.5 + 0 * t }}
         def hold(value = 3, steps = 4) : R[1] -> R[1] (t) {{ value + 0 * t }}
         def ramp : R[1] -> R[1] (t) {{ t }}
         model q {{x: R[1] ~ zeros}} : () -> R[1] () {{ x }}
         train r {{ objective = q, optimiser = tell(lr = {schedule}), steps = {steps}, precision = f64 }}"
    );
    trajectory(&text, steps).into_iter().skip(1).map(|p| p[0]).collect()
}

fn same(schedule: &str, by_hand: impl Fn(f64) -> f64) {
    let found = values(schedule, 60);
    for (t, value) in found.iter().enumerate() {
        let wanted = by_hand(t as f64);
        assert!((value - wanted).abs() < 1e-13, "{schedule}: update {t}: {value}, by hand {wanted}");
    }
}

fn cosine(from: f64, steps: f64, t: f64) -> f64 {
    if t >= steps { 0.0 } else { from * (1.0 + (PI * t / steps).cos()) / 2.0 }
}

#[test]
fn linear_is_a_schedule_where_a_setting_is_given() {
    same("linear(from = 1, to = 0.25, steps = 10)", |t| 1.0 - 0.75 * (t / 10.0).min(1.0));
    same("linear(2, -1, 30)", |t| 2.0 - 3.0 * (t / 30.0).min(1.0));
}

#[test]
fn restarts_come_after_the_sums_of_the_periods() {
    for (every, mult) in [(7.0, 1.0), (3.0, 2.0), (1.0, 3.0), (4.0, 1.5), (20.0, 2.0)] {
        let by_hand = |t: f64| {
            let (mut begin, mut period) = (0.0, every);
            while begin + period <= t {
                begin += period;
                period *= mult;
            }
            0.5 * (1.0 + (PI * (t - begin) / period).cos())
        };
        let found = values(&format!("cosine_restarts(from = 1, every = {every}, mult = {mult})"), 300);
        for (t, value) in found.iter().enumerate() {
            let wanted = by_hand(t as f64);
            assert!(
                (value - wanted).abs() < 1e-12,
                "every {every}, mult {mult}, update {t}: {value}, by hand {wanted}"
            );
        }
    }
}

#[test]
fn what_comes_after_then_counts_anew() {
    same("warmup(steps = 5, to = 2) then cosine(from = 2, steps = 40)", |t| {
        if t < 5.0 { 2.0 * t / 5.0 } else { cosine(2.0, 40.0, t - 5.0) }
    });
    let chain = "half(steps = 3) then linear(from = 1, to = 2, steps = 10) then exponential(from = 4, rate = 0.5)";
    same(chain, |t| match t {
        t if t < 3.0 => 0.5,
        t if t < 13.0 => 1.0 + (t - 3.0) / 10.0,
        t => 4.0 * 0.5_f64.powf(t - 13.0),
    });
    // A default says the length too, and a schedule of one's own without a length may be the last.
    same("hold then ramp", |t| if t < 4.0 { 3.0 } else { t - 4.0 });
    same("(half(2) then hold(value = 7)) then ramp", |t| match t {
        t if t < 2.0 => 0.5,
        t if t < 6.0 => 7.0,
        t => t - 6.0,
    });
    same("ramp", |t| t);
}

#[test]
fn a_layer_of_ones_own_called_linear_hides_the_schedule() {
    let text = "def linear(slope) : R[1] -> R[1] (t) { slope * t }
         optimiser tell(lr) on p : R[n] { put (g) { p - p + lr + 0 * g } }
         model q {x: R[1] ~ zeros} : () -> R[1] () { x }
         train r { objective = q, optimiser = tell(lr = linear(slope = 2)), steps = 3, precision = f64 }";
    assert_eq!(trajectory(text, 3), [[0.0], [0.0], [2.0], [4.0]]);
}

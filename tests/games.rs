//! Games: several rules over one S * P. Numbers against closed forms, hand-made steps and a trajectory made with numpy;
//! whole commands; a run that is stopped within a cycle.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests read files and the environment")]

mod commands;
mod steps;

use catlearn::elaborate::Program;
use catlearn::run::{Learner, evaluate_bits};
use catlearn::source::MemoryWorld;
use commands::{catlearn, ends, folder, json, last, lines, tensor, text};
use serde_json::Value;
use std::fs;
use std::path::Path;
use steps::{flat, learner, trajectory};

/// The parameters after 0, 1, .., `steps` steps, each a cycle of turns.
fn cycles(text: &str, steps: usize) -> Vec<Vec<f64>> {
    let mut learner = learner(text);
    let mut points = vec![flat(learner.params())];
    while points.len() <= steps {
        let before = learner.updates();
        while learner.updates() == before {
            learner.step(&[]).unwrap_or_else(|d| panic!("{text}\n{d:#?}"));
        }
        points.push(flat(learner.params()));
    }
    points
}

const XY: &str = "model f {x: R[1] ~ [1], y: R[1] ~ [0.5]} : () -> R[1] () { x * y }\n";

fn xy(eta: f64, fields: &str) -> String {
    format!(
        "{XY}game r {{ player x minimises f with gd(lr = {eta}) player y maximises f with gd(lr = {eta}) {fields} steps = 1, precision = f64 }}"
    )
}

/// LEARNERS.md section 2: on x * y the simultaneous map is a rotation times sqrt(1 + eta^2).
#[test]
fn simultaneous_descent_of_x_times_y_spirals_outwards_as_its_closed_form() {
    for eta in [0.1_f64, 0.3] {
        let points = cycles(&xy(eta, ""), 100);
        let (radius, angle) = ((1.0 + eta * eta).sqrt(), eta.atan());
        for (k, point) in points.iter().enumerate() {
            let (r, a) = (radius.powi(k as i32), angle * k as f64);
            let (x, y) = (r * (a.cos() - 0.5 * a.sin()), r * (0.5 * a.cos() + a.sin()));
            assert!((point[0] - x).abs() < 1e-9 * r && (point[1] - y).abs() < 1e-9 * r, "{eta} {k} {point:?} {x} {y}");
        }
        assert!(points[100].iter().map(|x| x * x).sum::<f64>() > points[0].iter().map(|x| x * x).sum::<f64>());
    }
}

/// The alternating map has determinant 1 and trace 2 - eta^2: it turns for ever on x^2 + y^2 - eta x y = const.
#[test]
fn alternating_descent_of_x_times_y_stays_on_its_orbit() {
    for eta in [0.1_f64, 0.3, 1.0] {
        let energy = |p: &[f64]| p[0] * p[0] + p[1] * p[1] - eta * p[0] * p[1];
        let points = cycles(&xy(eta, "schedule = alternating"), 2000);
        for (k, point) in points.iter().enumerate() {
            assert!((energy(point) / energy(&points[0]) - 1.0).abs() < 1e-9, "{eta} {k} {point:?}");
        }
        assert_eq!(points, cycles(&xy(eta, "schedule = cycle(x = 1, y = 1)"), 2000));
        // Who moves second sees what the first did.
        let mirrored = cycles(&xy(eta, "schedule = cycle(y = 1, x = 1)"), 1);
        let y = 0.5 + eta;
        assert!((mirrored[1][1] - y).abs() < 1e-15 && (mirrored[1][0] - (1.0 - eta * y)).abs() < 1e-15);
    }
}

const BILINEAR: &str = "
const A : R[3, 3] = [[0.000819332437278079, 0.19897674374004357, -0.1825870212180378],
    [-0.5931705810747258, -0.30282933449552635, -0.6604771542357648],
    [0.04005809861275082, 0.8926381551846392, -0.3278296677693143]]
const b : R[3] = [-0.6204748998199404, 0.4898420501851982, 0.35688700816006075]
const c : R[3] = [0.10541424899789856, -0.9304680447082047, -0.02925182246327349]
model f {x: R[3] ~ [0.6953031944582878, -1.344214547285082, -0.45761576104021817],
         y: R[3] ~ [-1.901222739800844, -1.289537739784976, -1.8417350377917323]} : () -> R[1] () {
    dot(x, A @ y) + dot(b, x) + dot(c, y)
}
";

/// Points after 60 steps that numpy made of the same recursions (x' = x - eta (A y + b), y' = y + eta (A' x + c), the
/// alternating one with x').
#[test]
fn a_bilinear_game_in_six_dimensions_is_where_numpy_is() {
    for (eta, schedule, point) in [
        (
            0.1,
            "simultaneous",
            [
                4.852774565584801,
                0.9780946744629047,
                -1.1494335433979113,
                -0.26133052847812005,
                -2.2014908829704423,
                -4.484041126371805,
            ],
        ),
        (
            0.1,
            "alternating",
            [
                4.873526906497312,
                0.565108947841233,
                -0.9181220975958577,
                0.3436377186711809,
                -1.8554270819084255,
                -3.856298551463981,
            ],
        ),
        (
            0.3,
            "simultaneous",
            [
                8.964630803227802,
                32.53371867675799,
                -12.571207607679947,
                18.622140680719447,
                -4.490900951782193,
                6.546797184250981,
            ],
        ),
        (
            0.3,
            "alternating",
            [
                9.149009617862896,
                2.697363419523819,
                -1.44821326954915,
                9.2750725845317,
                -4.268349457050377,
                -6.46078716397491,
            ],
        ),
    ] {
        let text = format!(
            "{BILINEAR}game r {{ player x minimises f with gd(lr = {eta}) player y maximises f with gd(lr = {eta})\n\
             schedule = {schedule}, steps = 60, precision = f64 }}"
        );
        let made = cycles(&text, 60).pop().unwrap();
        assert!(made.iter().zip(point).all(|(a, b)| (a - b).abs() < 1e-11), "{schedule} {made:?}");
    }
}

const QUAD: &str = "
optimiser sharp(lr, rho = 0.1) on p : R[..s] per global { step { let g = request(p)  p - lr * request(p + rho * g / norm(g)) } }
model f {x: R[2] ~ [1, -2], y: R[2] ~ [0.5, 3]} : () -> R[1] () { dot(x, x) * sum(y) - 0.5 * dot(y, y) * x[0] + exp(x[1] * y[1]) }
model g {x: R[2] ~ [1, -2], y: R[2] ~ [0.5, 3]} : () -> R[1] () { -f{x, y}() }
";

#[test]
fn to_maximise_is_to_minimise_the_negation_to_the_last_bit() {
    for rule in ["gd(lr = 0.01)", "adam(lr = 0.05)", "sharp(lr = 0.01)", "momentum(lr = 0.01) >> clip_norm(1)"] {
        for schedule in ["simultaneous", "cycle(y = 2, x = 1)"] {
            let of = |second: &str| {
                format!(
                    "{QUAD}game r {{ player x minimises f with {rule} player y {second} with {rule}\n\
                     schedule = {schedule}, steps = 9, precision = f64 }}"
                )
            };
            assert_eq!(cycles(&of("maximises f"), 9), cycles(&of("minimises g"), 9), "{rule} {schedule}");
        }
    }
}

#[test]
fn the_simultaneous_step_is_one_step_of_the_joint_rule() {
    // Players that minimise one objective are together one player with a coordinate rule.
    for rule in ["gd(lr = 0.01)", "adam(lr = 0.05)", "momentum(lr = 0.01)"] {
        let game = format!(
            "{QUAD}game r {{ player x minimises f with {rule} player y minimises f with {rule} steps = 9, precision = f64 }}"
        );
        let train = format!("{QUAD}train r {{ objective = f, optimiser = {rule}, steps = 9, precision = f64 }}");
        assert_eq!(cycles(&game, 9), trajectory(&train, 9), "{rule}");
    }
    // By hand: x' = x - lr df/dx, y' = y + lr df/dy, both at the old point.
    let game = format!(
        "{QUAD}game r {{ player x minimises f with gd(lr = 0.01) player y maximises f with gd(lr = 0.01) steps = 1, precision = f64 }}"
    );
    let (x, y) = ([1.0_f64, -2.0], [0.5, 3.0]);
    let (e, xx, yy) = ((x[1] * y[1]).exp(), x[0] * x[0] + x[1] * x[1], y[0] * y[0] + y[1] * y[1]);
    let dx = [2.0 * x[0] * (y[0] + y[1]) - 0.5 * yy, 2.0 * x[1] * (y[0] + y[1]) + e * y[1]];
    let dy = [xx - y[0] * x[0], xx - y[1] * x[0] + e * x[1]];
    let hand = [x[0] - 0.01 * dx[0], x[1] - 0.01 * dx[1], y[0] + 0.01 * dy[0], y[1] + 0.01 * dy[1]];
    let made = cycles(&game, 1).pop().unwrap();
    assert!(made.iter().zip(hand).all(|(a, b)| (a - b).abs() < 1e-14), "{made:?} {hand:?}");
}

#[test]
fn a_cycle_gives_each_player_its_turns_and_its_clock() {
    // The rate of `y` halves with each of its own updates.
    let text = "
        model f {x: R[1] ~ [1], y: R[1] ~ [1], e: R[1] ~ [7]} : () -> R[1] () { x + 10 * y + 0 * e }
        game r {
            player x minimises f with gd(lr = 1)
            player y maximises f with gd(lr = step(from = 1, rate = 0.5, every = 1))
            schedule = cycle(y = 4, x = 2), frozen = [e], steps = 2, precision = f64
        }";
    let points = cycles(text, 3);
    assert_eq!(points[1], [1.0 - 2.0, 1.0 + 10.0 * (1.0 + 0.5 + 0.25 + 0.125), 7.0]);
    assert_eq!(points[2], [1.0 - 4.0, points[1][1] + 10.0 * (1.0 + 0.5 + 0.25 + 0.125) / 16.0, 7.0]);
    let mut learner = learner(text);
    assert_eq!(learner.loss_names().iter().map(|n| &**n).collect::<Vec<_>>(), ["x", "y"]);
    for turn in 0..6 {
        assert_eq!((learner.updates(), learner.turn()), (0, turn));
        learner.step(&[]).unwrap();
    }
    assert_eq!((learner.updates(), learner.turn()), (1, 0));
}

const BILEVEL: &str = "
model fit {w: R[1] ~ zeros} : (x: R[1], y: R[1]) -> R[1] (x, y) { sq(dot(w, x) - y) }
model ridge {w: R[1] ~ zeros, a: R[1] ~ zeros} : (x: R[1], y: R[1]) -> R[1] (x, y) { fit{w}(x, y) + exp(a) * dot(w, w) }
data d {
    source = inline([[1, 2], [2, 5], [3, 5], [4, 9], [5, 9], [6, 13], [7, 15]]), input = columns(0), target = columns(1)
    split = ordered(train = 4, valid = 3), shuffle = false
}
game r { player w minimises ridge on train with gd(lr = 0.01) player a minimises fit on valid with gd(lr = 0.1) data = d, SCHEDULE, batch = BATCH, steps = 3, precision = f64 }
";

/// Each player reads the rows of its part, one batch a turn: recomputed here with plain numbers.
#[test]
fn players_read_their_parts_batch_by_batch() {
    let rows: [(f64, f64); 7] = [(1.0, 2.0), (2.0, 5.0), (3.0, 5.0), (4.0, 9.0), (5.0, 9.0), (6.0, 13.0), (7.0, 15.0)];
    for (schedule, batch, turns) in
        [("schedule = alternating", 4, 1), ("schedule = cycle(w = 3, a = 1)", 2, 3), ("schedule = simultaneous", 3, 1)]
    {
        let text = BILEVEL.replace("SCHEDULE", schedule).replace("BATCH", &batch.to_string());
        let world = MemoryWorld::default();
        let program = Program::parse(&text, "test.lens", &world).map_err(|(d, _)| d).unwrap();
        let training = program.training("r").unwrap_or_else(|d| panic!("{d:#?}"));
        let (spec, from) = training.data.clone().unwrap();
        let data = catlearn::data::load(&spec, &from, &world, 0, &evaluate_bits).unwrap();
        let mut learner: Learner<f64> = Learner::new(&training, Some(&data), 0).unwrap();
        let mut schedule = catlearn::run::Schedule::new(&training, &data.parts, false, 0);
        let (mut w, a, mut taken) = (0.0_f64, 0.0_f64, 0);
        for step in 0..6 {
            let before = learner.updates();
            while learner.updates() == before {
                let batch = schedule.next(&learner);
                learner.play(&batch).unwrap();
            }
            for _ in 0..turns {
                let all: Vec<&[(f64, f64)]> = rows[..4].chunks(batch).collect();
                let now = all[taken % all.len()];
                taken += 1;
                let mean = now.iter().map(|(x, y)| 2.0 * (w * x - y) * x).sum::<f64>() / now.len() as f64;
                w -= 0.01 * (mean + 2.0 * a.exp() * w);
            }
            // `fit` does not read `a`: its request is zero.
            let params = flat(learner.params());
            assert!((params[0] - w).abs() < 1e-12 && params[1] == a, "{step} {params:?} {w}");
        }
        let watched = learner.watch(&[4, 5, 6]).unwrap();
        let valid = rows[4..].iter().map(|(x, y)| (w * x - y).powi(2)).sum::<f64>() / 3.0;
        assert!((watched.losses[1] - valid).abs() < 1e-9, "{watched:?} {valid}");
    }
}

const GAN: &str = "
model generator : R[2] -> R[2] = dense[2, 8] >> relu >> dense[8, 2]
model jitter {noise u: R[8] ~ normal(0.1)} : R[8] -> R[8] (x) { x + u } evaluate (x) { x }
model critic    : R[2] -> R[1] = dense[2, 8] >> relu >> jitter >> dense[8, 1]
model value {G: params(generator), D: params(critic)} : (real: R[2], z: R[2]) -> R[1] (real, z) {
    log_sigmoid(critic{D}(real)) + log_sigmoid(-critic{D}(generator{G}(z)))
}
data ring { source = inline([[1, 0], [0.7, 0.7], [0, 1], [-0.7, 0.7], [-1, 0], [-0.7, -0.7], [0, -1], [0.7, -0.7]]), input = columns(0..2) }
game gan {
    player G minimises value with adam(lr = 1e-2, beta1 = 0.5)
    player D maximises value with adam(lr = 1e-2, beta1 = 0.5)
    data = (ring, normal[2]), schedule = cycle(D = 5, G = 1), batch = 3, epochs = 60, seed = 7
}
";

#[test]
fn a_game_stopped_within_a_cycle_goes_on_with_the_same_bits() {
    let dir = folder("game-resume");
    let file = dir.join("gan.lens");
    fs::write(&file, GAN).unwrap();
    let whole = dir.join("whole");
    ends(&catlearn(&["train", text(&file), "--out", text(&whole)]), 0);
    for turns in ["1", "57", "120", "121"] {
        let broken = dir.join(format!("broken-{turns}"));
        ends(&catlearn(&["train", text(&file), "--out", text(&broken), "--stop-after", turns]), 130);
        ends(&catlearn(&["train", "--resume", text(&broken)]), 0);
        assert_eq!(last(&whole), last(&broken), "{turns}");
        let plain = |run| -> Vec<Value> {
            let strip = |mut line: Value| {
                line.as_object_mut().unwrap().remove("wall_s");
                line
            };
            lines(run).into_iter().map(strip).collect()
        };
        assert_eq!(plain(&whole), plain(&broken), "{turns}");
    }
    // 8 rows in batches of 3 are 3 batches; 60 epochs are 180 of them, 6 a step.
    let record = json(&whole.join("run.json"));
    assert_eq!(record["result"]["steps"], 30);
    let all = lines(&whole);
    assert_eq!(all.len(), 30);
    for key in ["loss", "loss.G", "loss.D"] {
        assert!(all.iter().all(|l| l[key].as_f64().unwrap().is_finite()), "{key}");
        assert!(record["result"]["metrics"]["train"][key].is_number(), "{key}");
    }
    assert_eq!(tensor(&whole, "G.0.W").len(), 4 * 16);
    // Another cycle is another program.
    let broken = dir.join("broken-1");
    fs::write(&file, GAN.replace("D = 5", "D = 4")).unwrap();
    let (_, said) = ends(&catlearn(&["train", "--resume", text(&broken)]), 1);
    assert!(said.contains("another program"), "{said}");
}

#[test]
fn a_game_is_checked_traced_and_set_like_a_run() {
    let dir = folder("game-commands");
    let file = dir.join("gan.lens");
    fs::write(&file, GAN).unwrap();
    let (said, _) = ends(&catlearn(&["check", text(&file)]), 0);
    let line = said.lines().find(|l| l.contains("game gan")).unwrap();
    assert!(line.contains("G minimises value, D maximises value") && line.contains("75 parameters"), "{line}");
    let target = format!("{}:gan", text(&file));
    let (said, _) = ends(&catlearn(&["trace", &target, "--steps", "2", "--set", "schedule=alternating"]), 0);
    let traced: Vec<Value> = said.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(traced.len(), 3);
    for line in &traced {
        assert_eq!(line["loss"], line["loss.G"]);
        // Both see one batch and one draw.
        assert_eq!(line["loss.G"], line["loss.D"]);
        let paths = |key: &str| line[key].as_object().unwrap().len();
        assert_eq!((paths("params"), paths("request"), paths("state")), (8, 8, 24));
    }
    ends(&catlearn(&["laws", text(&file), "--cases", "3"]), 0);
    let (_, said) = ends(&catlearn(&["train", text(&file), "--set", "players=2"]), 2);
    assert!(said.contains("a game has no field `players`"), "{said}");
}

#[test]
fn the_example_of_two_moons_trains_to_finite_losses() {
    let out = folder("game-example").join("run");
    ends(&catlearn(&["train", "examples/gan.lens", "--set", "steps=150", "--out", text(&out)]), 0);
    let all = lines(&out);
    assert!(all.len() > 2);
    for key in ["loss.G", "loss.D"] {
        assert!(all.iter().all(|l| l[key].as_f64().unwrap().is_finite()), "{key}");
    }
    assert_eq!(json(&out.join("run.json"))["result"]["steps"], 150);
}

#[test]
fn a_resume_within_a_cycle_shows_its_monitors_the_losses_met_before() {
    let dir = folder("game-resume-met");
    let file = dir.join("g.lens");
    let program =
        "model v {A: R[1] ~ ones, B: R[1] ~ ones} : () -> R[1] () { dot(A, B) + 0.5 * dot(A, A) - 0.5 * dot(B, B) }
        game g { player A minimises v with gd(lr = 0.1) player B maximises v with gd(lr = 0.1)
        schedule = cycle(A = 1, B = 3), steps = 2, seed = 1, on_violation = stop,
        monitor = [always(finite(loss)), always(finite(loss.A))] }";
    fs::write(&file, program).unwrap();
    let (whole, broken) = (dir.join("whole"), dir.join("broken"));
    ends(&catlearn(&["train", text(&file), "--out", text(&whole)]), 0);
    ends(&catlearn(&["train", text(&file), "--out", text(&broken), "--stop-after", "2"]), 130);
    ends(&catlearn(&["train", "--resume", text(&broken)]), 0);
    assert_eq!(last(&whole), last(&broken));
    let monitors = |run: &Path| json(&run.join("run.json"))["result"]["monitors"].clone();
    assert_eq!(monitors(&whole), monitors(&broken));
}

#[test]
fn the_best_state_of_a_first_player_who_maximises_has_the_largest_loss() {
    let dir = folder("game-select-maximises");
    let file = dir.join("g.lens");
    let program = "model v {A: R[1] ~ ones} : () -> R[1] () { 1 - A * A }
        game g { player A maximises v with gd(lr = 0.1) steps = 5, seed = 1, select = best(train.loss), validate = every(1) }";
    fs::write(&file, program).unwrap();
    let run = dir.join("run");
    ends(&catlearn(&["train", text(&file), "--out", text(&run)]), 0);
    let best = fs::read(run.join("checkpoint/best.safetensors")).unwrap();
    let last = fs::read(run.join("checkpoint/last.safetensors")).unwrap();
    let a = |bytes: &[u8]| -> f32 { f32::from_le_bytes(bytes[bytes.len() - 4..].try_into().unwrap()) };
    assert!((a(&last) - 0.8_f32.powi(5)).abs() < 1e-6);
    assert_eq!(a(&best), a(&last));
}

#[test]
fn a_fault_is_no_violation_by_a_loss_that_the_turn_did_not_meet() {
    let dir = folder("game-stale");
    let file = dir.join("g.lens");
    let program = "model v {A: R[1] ~ ones, B: R[1] ~ ones} : () -> R[1] () { 1e300 * 1e8 * dot(A, B) }
        game g { player A minimises v with gd(lr = 10) player B maximises v with gd(lr = 1)
        schedule = alternating, steps = 3, seed = 1, precision = f64,
        monitor = [always(finite(loss.B)), always(finite(loss.A))] }";
    fs::write(&file, program).unwrap();
    let run = dir.join("run");
    // The first turn is A's: B has met no loss when its state breaks.
    ends(&catlearn(&["train", text(&file), "--out", text(&run)]), 1);
    let monitors = json(&run.join("run.json"))["result"]["monitors"].clone();
    let verdicts: Vec<&str> = monitors.as_array().unwrap().iter().map(|m| m["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["held", "held"]);
}

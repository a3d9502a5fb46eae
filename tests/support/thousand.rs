//! A program of a thousand lines with twenty mistakes of different kinds, and where each of them is.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::fmt::Write as _;

/// A mistake: an item, what the message about it points at, and its code.
struct Mistake {
    item: &'static str,
    at: &'static str,
    code: u16,
}

const fn mistake(code: u16, at: &'static str, item: &'static str) -> Mistake {
    Mistake { item, at, code }
}

/// Twenty kinds; `wrong`, the name of each, gets a number.
const MISTAKES: [Mistake; 20] = [
    mistake(102, "(", "model wrong : R[8] -> R[8] = residual(dense[8, 8] >> tanh"),
    mistake(101, "modle", "modle wrong : R[8] -> R[8] = dense[8, 8]"),
    mistake(104, ";", "model wrong : R[8] -> R[8] = dense[8, 8]; tanh"),
    mistake(101, "=", "model wrong {W: R[8, 8] = glorot} : R[8] -> R[8] (x) { W @ x }"),
    mistake(105, "h", "def wrong : R[8] -> R[8] (x) { h = 2 * x   h + x }"),
    mistake(101, "(", "def wrong : R[8] -> R[8] (x) { tanh (x) }"),
    mistake(110, "|>", "model wrong : R[8] -> R[8] = dense[8, 8] |> tanh"),
    mistake(301, "dense[9, 8]", "model wrong : R[8] -> R[8] = dense[8, 8] >> tanh >> dense[9, 8]"),
    mistake(201, "tahn", "model wrong : R[8] -> R[8] = dense[8, 8] >> tahn"),
    mistake(402, "b", "model wrong {W: R[8, 8] ~ glorot, b: R[8] ~ zeros} : R[8] -> R[8] (x) { W @ x }"),
    mistake(302, "dense[8, 4]", "model wrong : R[8] -> R[8] = dense[8, 4]"),
    mistake(302, "dense[4, 8]", "model wrong : R[8] -> R[4] = dense[4, 8]"),
    mistake(307, "9", "def wrong : R[8] -> R[1] (x) { x[9] }"),
    mistake(308, "\"i,ij->j\"", "def wrong : (R[8], R[4, 8]) -> R[8] (x, y) { einsum(\"i,ij->j\", x, y) }"),
    mistake(309, "[1, 2, 3]", "const wrong : R[2] = [1, 2, 3]"),
    mistake(203, "wrong", "def wrong : R[8] -> R[8] (x) { wrong(x) }"),
    mistake(502, "optimiser wrong", "optimiser wrong(lr) on p : R[n] { state u : R[n] ~ zeros }"),
    mistake(403, "rat", "model wrong : R[8] -> R[8] = dropout(rat = 0.1)"),
    mistake(405, "uniform(3, 1)", "model wrong {v: R[8] ~ uniform(3, 1)} : R[8] -> R[8] (x) { v + x }"),
    mistake(303, "x xor x", "def wrong : R[8] -> R[8] (x) { x xor x }"),
];

/// A place and what must be said of it: line, code, the words pointed at.
pub(crate) type Told = (usize, u16, String);

/// The text, and every message that it must give, in order.
pub(crate) fn program() -> (String, Vec<Told>) {
    let (mut text, mut told) = (String::new(), Vec::new());
    for unit in 0..100 {
        let lines = text.lines().count();
        match unit % 5 {
            0 => {
                let from = &MISTAKES[unit / 5];
                let named = |text: &str| text.replace("wrong", &format!("wrong{unit}"));
                let item = named(from.item);
                told.push((lines + 1, from.code, named(from.at)));
                writeln!(text, "{item}\n").unwrap();
                text.push_str(&sound(unit, 8));
            }
            _ => text.push_str(&sound(unit, 10)),
        }
    }
    (text, told)
}

/// A definition without a fault, of so many lines.
fn sound(unit: usize, lines: usize) -> String {
    let mut text = match unit % 5 {
        0 => format!(
            "// Unit {unit}.\ndef act{unit} : R[n] -> R[n] (x) {{\n    let y = tanh(x)\n    y * {unit} + x\n}}\n"
        ),
        1 => format!(
            "// Unit {unit}.\nmodel net{unit} {{W: R[8, 8] ~ glorot, b: R[8] ~ zeros}} : R[8] -> R[8] (x) {{\n    \
             let h = W @ x + b\n    relu(h) + x\n}}\n"
        ),
        2 => format!(
            "// Unit {unit}.\nmodel deep{unit} : R[8] -> R[8] =\n    dense[8, 16] >> relu >> dense[16, 8]\n    \
             >> net{} >> residual(dense[8, 8] >> tanh)\n",
            unit - 1
        ),
        3 => format!(
            "// Unit {unit}.\noptimiser rule{unit}(lr, gamma = 0.9) on p : R[n] {{\n    state u : R[n] ~ zeros\n    \
             put (g) {{\n        next u = gamma * u - lr * g\n        p + u\n    }}\n}}\n"
        ),
        _ => format!(
            "// Unit {unit}.\ndata set{unit} {{ source = inline([[1, 2], [2, 4]]), input = columns(0), target = columns(1) }}\n\
             train run{unit} {{\n    data = set{unit}, model = dense[1, 1], loss = mse\n    \
             optimiser = rule{}(lr = 0.1), epochs = 2, seed = 1\n}}\n",
            unit - 1
        ),
    };
    while text.lines().count() < lines {
        text.push('\n');
    }
    text
}

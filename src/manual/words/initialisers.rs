//! What may stand behind `~`: distributions and wirings.

use super::{Table, Word, word};

pub(super) const TABLES: &[Table] = &[Table { family: "Initialisers", word: "initialiser", words: INITIALISERS }];

const INITIALISERS: &[Word] = &[
    word(
        "constant",
        "constant(c)",
        "of any port of numbers",
        "Every entry is c.",
        &[("c", "the entry")],
        "model half {s: R[1] ~ constant(0.5)} : R[n] -> R[n] (x) { s * x }",
    ),
    word(
        "glorot",
        "glorot",
        "of R[m, n]",
        "Uniform within sqrt(6 / (fan_in + fan_out)) of 0 (Glorot and Bengio 2010).",
        &[],
        "model layer {W: R[3, 4] ~ glorot} : R[4] -> R[3] (x) { W @ x }",
    ),
    word(
        "grid",
        "grid",
        "of Fin[n][m, k]",
        "A wiring in order: place i of the flat list is i mod n.",
        &[],
        "model net : Bool[8] -> Bool[4] = lut_layer[8, 4, 2](wires = grid)",
    ),
    word(
        "he",
        "he",
        "of R[m, n]",
        "Normal with standard deviation sqrt(2 / fan_in) (He et al. 2015).",
        &[],
        "model layer {W: R[3, 4] ~ he} : R[4] -> R[3] (x) { relu(W @ x) }",
    ),
    word(
        "normal",
        "normal(std)",
        "of R[..s]",
        "Normal around 0.",
        &[("std", "the standard deviation; 1 if it is left off")],
        "model layer {W: R[3, 4] ~ normal(0.1)} : R[4] -> R[3] (x) { W @ x }",
    ),
    word(
        "ones",
        "ones",
        "of any port",
        "Every entry is 1.",
        &[],
        "model gains {g: R[4] ~ ones} : R[4] -> R[4] (x) { g * x }",
    ),
    word(
        "orthogonal",
        "orthogonal",
        "of R[m, n]",
        "Rows or columns that are orthonormal, drawn uniformly (Saxe et al. 2014).",
        &[],
        "model layer {W: R[4, 4] ~ orthogonal} : R[4] -> R[4] (x) { W @ x }",
    ),
    word(
        "patch",
        "patch(radius, width = ..)",
        "of Fin[n][m, k]",
        "A wiring of k different places within a square around one drawn at random: the inputs are an image.",
        &[
            ("radius", "how far from the centre"),
            ("width", "the length of a row; the square root of n if it is left off"),
        ],
        "model net : Bool[16] -> Bool[6] = lut_layer[16, 6, 3](wires = patch(1))",
    ),
    word(
        "random",
        "random",
        "of Fin[n][m, k]",
        "A wiring of k different places of n for each of m.",
        &[],
        "model net : Bool[8] -> Bool[4] = lut_layer[8, 4, 2](wires = random)",
    ),
    word(
        "uniform",
        "uniform(lo, hi)",
        "of any port",
        "Uniform from lo to below hi; bits are 0 or 1 alike, and take no numbers.",
        &[("lo", "the least value; 0 if it is left off"), ("hi", "what no value reaches; 1, or the number of labels")],
        "model layer {W: R[3, 4] ~ uniform(-0.1, 0.1)} : R[4] -> R[3] (x) { W @ x }",
    ),
    word(
        "zeros",
        "zeros",
        "of any port",
        "Every entry is 0; what a port begins as when nothing stands behind it.",
        &[],
        "model shift {b: R[4] ~ zeros} : R[4] -> R[4] (x) { x + b }",
    ),
];

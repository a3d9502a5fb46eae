//! Names over bits, whole numbers and labels.

use super::{Table, Word, word};

pub(super) const TABLES: &[Table] = &[Table { family: "Boolean", word: "function", words: BITS }];

const BITS: &[Word] = &[
    word(
        "basis",
        "basis(x)",
        "Bool[k] -> Bool[2^k]",
        "True at the place that the bits spell, wire j being address bit j.",
        &[],
        "def address : Bool[3] -> Bool[8] (x) { basis(x) }",
    ),
    word(
        "int",
        "int(x)",
        "Bool[..s] -> Int[..s] or Fin[n][..s] -> Int[..s]",
        "Bits as 0 and 1, labels as their numbers.",
        &[],
        "def weighed : Bool[2] -> Int[1] (x) { int(x[0]) + 2 * int(x[1]) }",
    ),
    word(
        "labels",
        "labels[n]",
        "Fin[n][n]",
        "The labels 0 to n - 1 in order.",
        &[("n", "how many labels")],
        "def others : Fin[4] -> Bool[4] (t) { labels[4] != t }",
    ),
    word(
        "popcount",
        "popcount(x), popcount[k](x)",
        "Bool[n] -> Int[1] or Bool[n] -> Int[k]",
        "How many bits are set, of all or in each of k groups of neighbours.",
        &[("k", "how many groups; it divides n")],
        "model net : Bool[8] -> Int[2] = lut_layer[8, 6, 3] >> popcount[2]",
    ),
    word(
        "rank",
        "rank(x)",
        "Int[n] -> Int[n] or R[n] -> Int[n]",
        "How many entries stand before each in falling order.",
        &[],
        "def among_first : Int[5] -> Bool[5] (x) { rank(x) < 2 }",
    ),
    word(
        "table",
        "table(T, x)",
        "(Bool[2^k], Bool[k]) -> Bool[1]",
        "The entry of a table that the address bits spell, bit 0 first; m tables at m addresses give m bits.",
        &[],
        "model gate {T: Bool[4] ~ zeros} : Bool[2] -> Bool[1] (x) { table(T, x) }",
    ),
];

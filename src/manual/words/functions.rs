//! Pointwise functions, sums and extremes along an axis, linear algebra, maps of maps.

use super::{Table, Word, word};

pub(super) const TABLES: &[Table] = &[
    Table { family: "Pointwise", word: "function", words: POINTWISE },
    Table { family: "Along an axis", word: "function", words: AXIS },
    Table { family: "Linear algebra", word: "function", words: ALGEBRA },
    Table { family: "Maps of maps", word: "map of maps", words: MAPS },
];

const SAME: &str = "R[..s] -> R[..s]";

const POINTWISE: &[Word] = &[
    word("abs", "abs(x)", SAME, "|x|; its derivative at 0 is 0.", &[], "def size_of : R[n] -> R[n] (x) { abs(x) }"),
    word("cos", "cos(x)", SAME, "The cosine.", &[], "def wave : R[n] -> R[n] (x) { cos(2 * pi * x) }"),
    word(
        "erf",
        "erf(x)",
        SAME,
        "The error function, 2 / sqrt(pi) times the integral of exp(-u^2) from 0 to x.",
        &[],
        "def normal_below : R[n] -> R[n] (x) { 0.5 + 0.5 * erf(x / sqrt(2)) }",
    ),
    word("exp", "exp(x)", SAME, "The exponential function.", &[], "def bell : R[n] -> R[n] (x) { exp(-sq(x)) }"),
    word(
        "expm1",
        "expm1(x)",
        SAME,
        "exp(x) - 1, exact near 0.",
        &[],
        "def growth : R[n] -> R[n] (x) { expm1(0.01 * x) }",
    ),
    word(
        "floor",
        "floor(x)",
        SAME,
        "The greatest whole number that is not above x; it asks nothing of x.",
        &[],
        "def stairs : R[n] -> R[n] (x) { floor(x) }",
    ),
    word("log", "log(x)", SAME, "The natural logarithm.", &[], "def surprise : R[n] -> R[n] (p) { -log(p) }"),
    word("log1p", "log1p(x)", SAME, "log(1 + x), exact near 0.", &[], "def soft : R[n] -> R[n] (x) { log1p(exp(x)) }"),
    word(
        "sigmoid",
        "sigmoid(x)",
        SAME,
        "1 / (1 + exp(-x)).",
        &[],
        "model chance : R[4] -> R[1] = dense[4, 1] >> sigmoid",
    ),
    word(
        "sign",
        "sign(x)",
        SAME,
        "-1, 0 or 1, as x is negative, 0 or positive; it asks nothing of x.",
        &[],
        "optimiser signs(lr) on p : R[n] { put (g) { p - lr * sign(g) } }",
    ),
    word("sin", "sin(x)", SAME, "The sine.", &[], "def wave : R[n] -> R[n] (x) { sin(x) }"),
    word("sqrt", "sqrt(x)", SAME, "The square root.", &[], "def root : R[n] -> R[n] (x) { sqrt(x + 1) }"),
    word(
        "tanh",
        "tanh(x)",
        SAME,
        "The hyperbolic tangent.",
        &[],
        "model mlp : R[4] -> R[3] = dense[4, 16] >> tanh >> dense[16, 3]",
    ),
];

const AXIS: &[Word] = &[
    word(
        "argmax",
        "argmax(x)",
        "R[..s, n] -> Fin[n][..s]",
        "The place of the largest along the last axis, the first of equals; labels have no request.",
        &[],
        "model digit : R[4] -> Fin[3] = dense[4, 3] >> argmax",
    ),
    word(
        "max",
        "max(x), max(x, y)",
        "R[..s, n] -> R[..s] or (R[..s], R[..s]) -> R[..s]",
        "The largest along the last axis, or the larger of two wires entry by entry; of equals the first is asked.",
        &[],
        "def above : R[n] -> R[n] (x) { max(x, 0) }\ndef top : R[n] -> R[1] (x) { max(x) }",
    ),
    word(
        "mean",
        "mean(x), mean(axis = 0)(x)",
        "R[..s, n] -> R[..s]",
        "The mean over an axis: the sum divided by its length.",
        &[("axis", "the axis, counted from 0; the last if it is left off")],
        "def centred : R[n] -> R[n] (x) { x - mean(x) }",
    ),
    word(
        "min",
        "min(x), min(x, y)",
        "R[..s, n] -> R[..s] or (R[..s], R[..s]) -> R[..s]",
        "The smallest along the last axis, or the smaller of two wires entry by entry; of equals the first is asked.",
        &[],
        "def below : R[n] -> R[n] (x) { min(x, 1) }",
    ),
    word(
        "sum",
        "sum(x), sum(axis = 0)(x)",
        "R[..s, n] -> R[..s]",
        "The sum over an axis; in a rule `per global`, over all parameters.",
        &[("axis", "the axis, counted from 0; the last if it is left off")],
        "def columns_of : R[k, n] -> R[n] (x) { sum(axis = 0)(x) }",
    ),
];

const ALGEBRA: &[Word] = &[
    word(
        "diag",
        "diag(x)",
        "R[n] -> R[n, n] or R[n, n] -> R[n]",
        "A vector as a diagonal matrix, or the diagonal of a matrix.",
        &[],
        "def scaled : (R[n], R[n]) -> R[n] (d, x) { diag(d) @ x }",
    ),
    word(
        "dot",
        "dot(x, y)",
        "(R[..s], R[..s]) -> R[1]",
        "The sum of the products over all entries; in a rule `per global`, over all parameters.",
        &[],
        "model quad {x: R[3] ~ [1, 2, 3]} : () -> R[1] () { 0.5 * dot(x, x) }",
    ),
    word(
        "einsum",
        "einsum(\"ij,j->i\", x, y)",
        "wires -> R[..]",
        "The sum of products over the letters that are not in the output; a letter is an axis, one that is repeated in a \
         word is its diagonal.",
        &[],
        "def batched : (R[b, i, j], R[b, j, k]) -> R[b, i, k] (x, y) { einsum(\"bij,bjk->bik\", x, y) }",
    ),
    word(
        "outer",
        "outer(x, y)",
        "(R[n], R[m]) -> R[n, m]",
        "The matrix of all products: out[i, j] = x[i] y[j].",
        &[],
        "def covariance : R[n] -> R[n, n] (x) { outer(x, x) }",
    ),
    word(
        "solve",
        "solve(A, b)",
        "(R[n, n], R[n]) -> R[n]",
        "The x with A @ x = b; a matrix that cannot be inverted ends the run (E0804).",
        &[],
        "def whitened : (R[n, n], R[n]) -> R[n] (A, b) { solve(A + eye[n], b) }",
    ),
    word(
        "trace",
        "trace(x)",
        "R[n, n] -> R[1]",
        "The sum of the diagonal.",
        &[],
        "def total : R[n, n] -> R[1] (x) { trace(x) }",
    ),
    word(
        "transpose",
        "transpose(x)",
        "R[n, m] -> R[m, n]",
        "Rows become columns; given to a port it ties two matrices.",
        &[],
        "model tied {W: R[4, 8] ~ glorot} : R[8] -> R[8] = linear{W} >> tanh >> linear{transpose(W)}",
    ),
];

const MAPS: &[Word] = &[
    word(
        "iterate",
        "iterate[k](f)",
        "A -> A",
        "The map f, k times in a row, with one set of parameters.",
        &[("k", "how often"), ("f", "a map from an object to itself")],
        "model deep : R[6] -> R[6] = iterate[3](dense[6, 6] >> tanh)",
    ),
    word(
        "map",
        "map[k](f)",
        "R[k, ..a] -> R[k, ..b]",
        "The map f on each of k rows, with one set of parameters; `map[_]` takes as many rows as arrive.",
        &[("k", "how many rows"), ("f", "a map of one row")],
        "model each : R[5, 8] -> R[5, 3] = map[5](dense[8, 3])",
    ),
    word(
        "parallel",
        "parallel[k](f)",
        "R[k, ..a] -> R[k, ..b]",
        "k copies of f side by side, one for each row, each with parameters of its own.",
        &[("k", "how many copies"), ("f", "a map of one row")],
        "model each : R[5, 8] -> R[5, 3] = parallel[5](dense[8, 3])",
    ),
    word(
        "scan",
        "scan[k](cell)",
        "(S, R[k, ..a]) -> (S, R[k, ..b])",
        "A cell (S, R[..a]) -> (S, R[..b]) along k rows, its state handed on, with one set of parameters.",
        &[("k", "how many rows"), ("cell", "a map of the state and one row")],
        "model net : R[7, 2] -> R[8] (x) {\n    let (last, _) = scan[7](gru[2, 8])(zeros[8], x)\n    last\n}",
    ),
    word(
        "stack",
        "stack[k](f)",
        "A -> A",
        "k copies of f in a row, each with parameters of its own (`net.0.0.W`, `net.0.1.W`, ..).",
        &[("k", "how many copies"), ("f", "a map from an object to itself")],
        "model deep : R[6] -> R[6] = stack[3](residual(dense[6, 6] >> relu))",
    ),
];

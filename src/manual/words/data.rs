//! The fields of `data`, sources, encoders and splits.

use super::{Table, Word, word};

pub(super) const TABLES: &[Table] = &[
    Table { family: "Fields of data", word: "field of data", words: FIELDS },
    Table { family: "Sources", word: "source", words: SOURCES },
    Table { family: "Encoders", word: "encoder", words: ENCODERS },
    Table { family: "Splits", word: "split", words: SPLITS },
];

/// Data of a file with a header, with these fields.
macro_rules! iris {
    ($fields:literal) => {
        concat!("data iris { source = csv(\"iris.csv\", header = true), ", $fields, " }")
    };
}

const FIELDS: &[Word] = &[
    word(
        "input",
        "input = columns(0..4)",
        "columns and encoders",
        "What the model is given of a row.",
        &[],
        iris!("input = columns(0..4) >> standardise, target = column(\"species\") >> onehot[3]"),
    ),
    word(
        "keep",
        "keep = class in [0, 1]",
        "a test of the class",
        "Which rows are there at all: `class in [..]`, `class == 1`, `class != \"b\"`, `class <= 1`.",
        &[],
        iris!("input = columns(0..4), target = columns(4) >> onehot[2], keep = class in [0, 1]"),
    ),
    word(
        "shuffle",
        "shuffle = false",
        "`true` or `false`",
        "Whether training visits the examples in a random order; true if it is left off.",
        &[],
        iris!("input = columns(0..4), target = columns(4) >> onehot[3], shuffle = false"),
    ),
    word(
        "source",
        "source = csv(..)",
        "a source",
        "Where the rows come from.",
        &[],
        "data points { source = inline([[1, 2.9], [2, 5.1]]), input = columns(0), target = columns(1) }",
    ),
    word(
        "split",
        "split = holdout(..)",
        "a split",
        "How rows are divided into train, valid and test; all are for training if it is left off.",
        &[],
        iris!("input = columns(0..4), target = columns(4) >> onehot[3], split = holdout(train = 0.8, test = 0.2)"),
    ),
    word(
        "target",
        "target = columns(4)",
        "columns and encoders, or `input`",
        "What the loss is given beside the prediction; it may be left off.",
        &[],
        iris!("input = columns(0..4) >> minmax, target = input"),
    ),
    word(
        "test",
        "test = csv(..)",
        "a source",
        "A source of its own for the test part, with the columns of `source`.",
        &[],
        "data digits { source = csv(\"train.csv\"), test = csv(\"test.csv\"), input = columns(1..65) >> scale(1 / 16), target = columns(0) >> onehot[10] }",
    ),
];

const SOURCES: &[Word] = &[
    word(
        "csv",
        "csv(\"a.csv\", .., header = false, sep = \",\")",
        "rows of text",
        "Text files, side by side when there are several; gzip is undone.",
        &[("header", "whether the first line names the columns"), ("sep", "the character between two columns")],
        iris!("input = columns(\"petal_length\", \"petal_width\"), target = column(\"species\") >> onehot[3]"),
    ),
    word(
        "idx",
        "idx(\"images.gz\", \"labels.gz\")",
        "arrays",
        "IDX files, the format of MNIST: the first is the input, the second the target; the shape of an image is kept.",
        &[],
        "data digits { source = idx(\"train-images-idx3-ubyte.gz\", \"train-labels-idx1-ubyte.gz\"), input = scale(1 / 255), target = onehot[10] }",
    ),
    word(
        "inline",
        "inline([[1, 2], [3, 4]])",
        "rows of numbers",
        "Rows that are written in the program.",
        &[],
        "data points { source = inline([[1, 2.9], [2, 5.1], [3, 7.05]]), input = columns(0), target = columns(1) }",
    ),
    word(
        "pla",
        "pla(\"f.pla\")",
        "rows of bits",
        "Espresso's format: the bits of `.i` are the input, those of `.o` the target.",
        &[],
        "data circuit { source = pla(\"ex74.train.pla.gz\"), test = pla(\"ex74.test.pla.gz\") }",
    ),
    word(
        "truth_table",
        "truth_table(n, expression of x)",
        "rows of bits",
        "All 2^n rows of n bits in order, wire j of row r being bit j of r; the target is the expression.",
        &[("n", "how many bits, at most 20")],
        "data odd { source = truth_table(8, popcount(x) & 1) }",
    ),
];

const ENCODERS: &[Word] = &[
    word(
        "bits",
        "bits",
        "of `0`, `1`, `true`, `false`, or after class[k] or onehot[k]",
        "Bits as they stand in the file; behind `class[k]` the class in binary, behind `onehot[k]` a bit a class.",
        &[],
        iris!("input = columns(0..4) >> threshold(2), target = columns(4) >> class[3] >> bits"),
    ),
    word(
        "categories",
        "categories",
        "text -> bits",
        "A bit for each distinct text of each column in the training part, sorted.",
        &[],
        "data votes { source = csv(\"votes.csv\"), input = columns(1..17) >> categories, target = columns(0) >> class[2] >> bits }",
    ),
    word(
        "class",
        "class[k]",
        "a label -> Fin[k]",
        "A label as a number: whole numbers below k keep theirs, others are sorted.",
        &[("k", "how many classes")],
        "data rows { source = truth_table(6, majority(x)), target = class[2] }",
    ),
    word(
        "column",
        "column(\"a\")",
        "a row -> one entry",
        "One column, by number from 0 or by name.",
        &[],
        iris!("input = columns(0..4), target = column(\"species\") >> onehot[3]"),
    ),
    word(
        "columns",
        "columns(0..4), columns(\"a\", \"b\")",
        "a row -> entries",
        "Columns by number from 0, by range (the end is not included) or by the name in the header.",
        &[],
        iris!("input = columns(0..4), target = columns(4) >> onehot[3]"),
    ),
    word(
        "flatten",
        "flatten",
        "entries -> the same on one axis",
        "One axis.",
        &[],
        "data digits { source = idx(\"images.gz\", \"labels.gz\"), input = flatten >> scale(1 / 255), target = onehot[10] }",
    ),
    word(
        "minmax",
        "minmax(fit = train)",
        "R[n] -> R[n]",
        "The range of each column in the training part to [0, 1].",
        &[("fit", "`train`, or `all` to read every row, which leaks")],
        iris!("input = columns(0..4) >> minmax, target = columns(4) >> onehot[3]"),
    ),
    word(
        "onehot",
        "onehot[k]",
        "a label -> R[k]",
        "A label as a vector: 1 at its class, else 0.",
        &[("k", "how many classes")],
        iris!("input = columns(0..4), target = columns(4) >> onehot[3]"),
    ),
    word(
        "scale",
        "scale(c)",
        "R[n] -> R[n]",
        "Every number times c.",
        &[("c", "the factor")],
        "data digits { source = idx(\"images.gz\", \"labels.gz\"), input = scale(1 / 255), target = onehot[10] }",
    ),
    word(
        "standardise",
        "standardise(fit = train)",
        "R[n] -> R[n]",
        "(x - mean) / standard deviation of each column in the training part.",
        &[("fit", "`train`, or `all` to read every row, which leaks")],
        iris!("input = columns(0..4) >> standardise, target = columns(4) >> onehot[3]"),
    ),
    word(
        "thermometer",
        "thermometer[k]",
        "R[n] -> Bool[k n]",
        "k bits an entry: whether it is above the quantiles i / (k + 1) of its column.",
        &[("k", "how many thresholds")],
        iris!("input = columns(0..4) >> thermometer[4], target = columns(4) >> class[3]"),
    ),
    word(
        "threshold",
        "threshold(t, ..)",
        "R[n] -> Bool[n]",
        "Whether a number is greater than t; with several, a bit for each.",
        &[("t", "the threshold")],
        iris!("input = columns(0..4) >> threshold(1.5), target = columns(4) >> class[3]"),
    ),
];

const SPLITS: &[Word] = &[
    word(
        "all",
        "all",
        "",
        "Every row is for training.",
        &[],
        iris!("input = columns(0..4), target = input, split = all"),
    ),
    word(
        "holdout",
        "holdout(train = .., valid = .., test = ..)",
        "",
        "Parts drawn with the seed; fractions are shares, whole numbers are rows, a part left off gets what is left.",
        &[
            ("train", "how much is for training"),
            ("valid", "how much is for validation"),
            ("test", "how much is for the test"),
            ("shuffle", "false to take them in file order"),
        ],
        iris!("input = columns(0..4), target = input, split = holdout(train = 0.8, test = 0.2)"),
    ),
    word(
        "kfold",
        "kfold(k, stratified = false, shuffle = true)",
        "",
        "k runs, each testing on one of k parts and training on the others; means and spreads are reported.",
        &[
            ("k", "how many folds"),
            ("stratified", "whether each class is divided by itself"),
            ("shuffle", "false to take folds in file order"),
        ],
        iris!("input = columns(0..4), target = columns(4) >> onehot[3], split = kfold(5, stratified = true)"),
    ),
    word(
        "ordered",
        "ordered(train = .., valid = .., test = ..)",
        "",
        "Parts in file order.",
        &[
            ("train", "how much is for training"),
            ("valid", "how much is for validation"),
            ("test", "how much is for the test"),
        ],
        iris!("input = columns(0..4), target = input, split = ordered(train = 100, test = 50)"),
    ),
    word(
        "stratified",
        "stratified(train = .., valid = .., test = ..)",
        "",
        "Each class is divided by itself; amounts are per class when they are rows.",
        &[
            ("train", "how much is for training"),
            ("valid", "how much is for validation"),
            ("test", "how much is for the test"),
            ("shuffle", "false to take them in file order"),
        ],
        iris!("input = columns(0..4), target = columns(4) >> onehot[3], split = stratified(train = 0.8, test = 0.2)"),
    ),
];

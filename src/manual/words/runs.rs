//! The fields of `train`, the words that may stand in them, metrics and aggregators.

use super::{Table, Word, word};

pub(super) const TABLES: &[Table] = &[
    Table { family: "Metrics", word: "metric", words: METRICS },
    Table { family: "Aggregators", word: "aggregator", words: AGGREGATORS },
    Table { family: "Fields of train", word: "field of train", words: FIELDS },
    Table { family: "Values of fields", word: "value of a field", words: VALUES },
];

/// A run over four rows, with these fields.
macro_rules! learn {
    ($fields:literal) => {
        concat!(
            "data either { source = inline([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 1]]), input = columns(0..2), target = columns(2) }\n",
            "train learn { data = either, model = dense[2, 1], loss = sigmoid_cross_entropy, optimiser = adam(lr = 0.05), ",
            $fields,
            " }"
        )
    };
}

/// A run over a validation part of one-hot labels, with these fields.
macro_rules! onehot {
    ($fields:literal) => {
        concat!(
            "data three { source = inline([[0, 0], [1, 1], [2, 2], [3, 0], [4, 1], [5, 2]]), input = columns(0), target = columns(1) >> onehot[3], split = ordered(train = 0.5, valid = 0.5) }\n",
            "train learn { data = three, model = dense[1, 3], loss = softmax_cross_entropy, optimiser = adam(lr = 0.05), ",
            $fields,
            " }"
        )
    };
}

/// A run over a truth table, with these fields.
macro_rules! bits {
    ($fields:literal) => {
        concat!(
            "data odd { source = truth_table(4, popcount(x) & 1) }\n",
            "train learn { data = odd, model = lut[4], ",
            $fields,
            " }"
        )
    };
}

/// A run without data, with these fields.
macro_rules! descend {
    ($fields:literal) => {
        concat!(
            "model quad {x: R[2] ~ [1, -1]} : () -> R[1] () { 0.5 * dot(x, x) }\n",
            "train descend { ",
            $fields,
            " }"
        )
    };
}

/// A game of two players, with these fields.
macro_rules! game {
    ($fields:literal) => {
        concat!(
            "model f {x: R[1] ~ ones, y: R[1] ~ ones} : () -> R[1] () { x * y }\n",
            "game saddle { player x minimises f with gd(lr = 0.1) player y maximises f with gd(lr = 0.1) steps = 20, ",
            $fields,
            " }"
        )
    };
}

const METRICS: &[Word] = &[
    word(
        "accuracy",
        "accuracy",
        "",
        "The share of examples whose largest output names the class, ties to the lower; one output names class 1 above 0; each place of a sequence counts as one.",
        &[],
        onehot!("epochs = 5, metrics = [accuracy]"),
    ),
    word(
        "confusion_matrix",
        "confusion_matrix",
        "",
        "How often each class was taken for each; shown beside the accuracy.",
        &[],
        onehot!("epochs = 5, metrics = [accuracy, confusion_matrix]"),
    ),
    word(
        "exact_match",
        "exact_match",
        "",
        "The share of examples whose outputs all equal the target; for classes the accuracy.",
        &[],
        bits!("loss = xor_error, optimiser = rda, epochs = 1, metrics = [exact_match]"),
    ),
    word(
        "perplexity",
        "perplexity",
        "",
        "exp of the mean cross-entropy of the target under softmax of the outputs, a place of a sequence counting as one.",
        &[],
        onehot!("epochs = 5, metrics = [perplexity]"),
    ),
    word(
        "r2",
        "r2",
        "",
        "1 - squared error / squared distance of the target from its mean, the mean over outputs.",
        &[],
        "data points { source = inline([[1, 3], [2, 5], [3, 7]]), input = columns(0), target = columns(1) }\ntrain line { data = points, model = dense[1, 1], loss = mse, optimiser = gd(lr = 0.05), epochs = 20, metrics = [r2] }",
    ),
    word(
        "top_k_accuracy",
        "top_k_accuracy(k)",
        "",
        "The share of examples whose label is among the k largest outputs, ties to the lower class; told as `top_2_accuracy`.",
        &[("k", "how many outputs count")],
        onehot!("epochs = 5, metrics = [top_k_accuracy(2)]"),
    ),
];

const AGGREGATORS: &[Word] = &[
    word(
        "mean",
        "mean",
        "R[rows, n] -> R[n]",
        "Requests of a batch meet in their mean; what is taken over reals when nothing is named.",
        &[],
        learn!("epochs = 5, aggregate = mean"),
    ),
    word(
        "sum",
        "sum",
        "R[rows, n] -> R[n]",
        "Requests of a batch meet in their sum.",
        &[],
        learn!("epochs = 5, aggregate = sum"),
    ),
    word(
        "votes",
        "votes",
        "Int[rows, n] -> Int[n]",
        "Requests that are whole numbers meet in their exact sum; what is taken over votes when nothing is named.",
        &[],
        bits!("loss = count_error, optimiser = counter(limit = 8), epochs = 4, aggregate = votes"),
    ),
    word(
        "xor",
        "xor",
        "Bool[rows, n] -> Bool[n]",
        "Requests that are bits meet in their parity; what is taken over parity when nothing is named.",
        &[],
        bits!("loss = xor_error, optimiser = rda, epochs = 4, aggregate = xor"),
    ),
];

const FIELDS: &[Word] = &[
    word(
        "aggregate",
        "aggregate = mean",
        "an aggregator",
        "How the requests of a batch meet: `mean`, `sum`, `xor` or `votes`; as the rule asks if it is left off.",
        &[],
        learn!("epochs = 5, aggregate = sum"),
    ),
    word(
        "batch",
        "batch = 16",
        "a whole number, `all` or `active(k)`",
        "How many examples make a step; 32 if it is left off, 1 for rules over parity.",
        &[],
        learn!("epochs = 5, batch = 2"),
    ),
    word(
        "data",
        "data = NAME",
        "the name of a data item",
        "The examples that are trained on; left off when the objective needs none.",
        &[],
        learn!("epochs = 5"),
    ),
    word(
        "epochs",
        "epochs = 10",
        "a whole number",
        "How long the run is, in passes over the training part; or `steps`.",
        &[],
        learn!("epochs = 10"),
    ),
    word(
        "frozen",
        "frozen = [\"net.0\", \"*.b\"]",
        "a list of paths",
        "Parameters that stay as they are drawn: a path, the beginning of one, or a pattern in which `*` crosses dots.",
        &[],
        learn!("epochs = 5, frozen = [\"*.b\"]"),
    ),
    word(
        "loss",
        "loss = mse",
        "a loss: (prediction, label) -> R[1]",
        "What is made small, of the model's output and the target.",
        &[],
        learn!("epochs = 5"),
    ),
    word(
        "metrics",
        "metrics = [accuracy]",
        "a list of metrics",
        "What is reported of each part beside the loss.",
        &[],
        onehot!("epochs = 5, metrics = [accuracy, confusion_matrix]"),
    ),
    word("model", "model = mlp", "a map: input -> prediction", "What is trained.", &[], learn!("epochs = 5")),
    word(
        "monitor",
        "monitor = [always(..)]",
        "a list of `always(..)` and `eventually(..)`",
        "Propositions about the run, each with a verdict at its end.",
        &[],
        learn!("epochs = 5, monitor = [always(finite(loss)), eventually(loss <= 0.5)]"),
    ),
    word(
        "objective",
        "objective = quad",
        "a map: () -> R[1], or (input, target) -> R[1] with `data`",
        "What is made small, in place of `model` and `loss`.",
        &[],
        descend!("objective = quad, optimiser = gd(lr = 0.1), steps = 20"),
    ),
    word(
        "on_violation",
        "on_violation = stop",
        "`report` or `stop`",
        "What happens when a monitor is violated: the run goes on, or ends after that update; `report` if it is left off.",
        &[],
        learn!("epochs = 5, monitor = [always(loss < 100)], on_violation = stop"),
    ),
    word(
        "optimiser",
        "optimiser = adam(lr = 1e-3)",
        "a rule, `rule >> transform`, or `{ \"*.W\": rule, _: rule }`",
        "How the parameters follow their requests; of parts the first pattern that fits counts, `*` crosses dots.",
        &[],
        learn!("epochs = 5"),
    ),
    word(
        "order",
        "order = batches([[0, 3], [1]])",
        "`batches` of rows",
        "Which examples make each step, counted from 0, in place of a random order.",
        &[],
        learn!("epochs = 5, order = batches([[0, 3], [1, 2]])"),
    ),
    word(
        "precision",
        "precision = f64",
        "`f32` or `f64`",
        "What the run computes in; f32 if it is left off.",
        &[],
        descend!("objective = quad, optimiser = gd(lr = 0.1), steps = 20, precision = f64"),
    ),
    word(
        "rows",
        "rows = loss",
        "`example` or `loss`",
        "What the aggregator takes as its rows: every loss of every example, or each loss as the mean of its batch.",
        &[],
        "data points { source = inline([[1, 3], [2, 5]]), input = columns(0), target = columns(1) }\ntrain both { data = points, model = dense[1, 1], loss = [mse, mae], optimiser = gd(lr = 0.01), aggregate = sum, rows = loss, epochs = 5 }",
    ),
    word(
        "schedule",
        "schedule = alternating",
        "`simultaneous`, `alternating` or `cycle(..)`",
        "Who moves when, in a game; `simultaneous` if it is left off.",
        &[],
        game!("schedule = alternating"),
    ),
    word(
        "seed",
        "seed = 42",
        "a whole number below 2^64",
        "Where all random numbers of the run begin; drawn and printed if it is left off.",
        &[],
        learn!("epochs = 5, seed = 42"),
    ),
    word(
        "select",
        "select = best(valid.loss)",
        "`last` or `best(part.metric)`",
        "Which state is the result; `last` if it is left off. Both are reported.",
        &[],
        onehot!("epochs = 5, metrics = [accuracy], select = best(valid.accuracy)"),
    ),
    word(
        "shuffle",
        "shuffle = false",
        "`true` or `false`",
        "Whether examples are visited in a random order, another each epoch; true if it is left off.",
        &[],
        learn!("epochs = 5, shuffle = false"),
    ),
    word(
        "steps",
        "steps = 100",
        "a whole number",
        "How long the run is, in updates; or `epochs`.",
        &[],
        descend!("objective = quad, optimiser = gd(lr = 0.1), steps = 100"),
    ),
    word(
        "validate",
        "validate = every(10)",
        "`every(k)`",
        "How often the validation part is looked at, in steps; once an epoch if it is left off.",
        &[],
        onehot!("epochs = 5, validate = every(2)"),
    ),
];

const VALUES: &[Word] = &[
    word(
        "active",
        "active(k)",
        "of `batch`",
        "k examples, in order, whose loss is not zero; the others are passed over and count for the epoch.",
        &[("k", "how many")],
        "data odd { source = truth_table(4, popcount(x) & 1) }\ntrain learn { data = odd, model = lut[4], loss = count_error, optimiser = counter(limit = 8), batch = active(4), epochs = 4 }",
    ),
    word(
        "alternating",
        "alternating",
        "of `schedule`",
        "The players move one after the other, each where the last left the rest.",
        &[],
        game!("schedule = alternating"),
    ),
    word(
        "always",
        "always(claim)",
        "of `monitor`",
        "The claim holds at every moment of the run: `held`, or `violated` with the update and the numbers.",
        &[("claim", "comparisons and finite(..), joined by `&`, `|`, `!`; next(loss) is the loss a moment later")],
        learn!("epochs = 5, monitor = [always(next(loss) <= loss + 1)]"),
    ),
    word("all", "all", "of `batch`", "Every example in each step.", &[], learn!("epochs = 5, batch = all")),
    word(
        "batches",
        "batches([[0, 3], [1]])",
        "of `order`",
        "These rows in these batches, counted from 0.",
        &[],
        learn!("epochs = 5, order = batches([[0, 3], [1, 2]])"),
    ),
    word(
        "best",
        "best(valid.loss)",
        "of `select`",
        "The state whose loss, accuracy or exact_match was best on `train`, `valid` or `test`; the later of equals.",
        &[],
        onehot!("epochs = 5, select = best(valid.loss)"),
    ),
    word(
        "eventually",
        "eventually(claim)",
        "of `monitor`",
        "The claim holds at some moment of the run: `reached`, or `open`.",
        &[("claim", "comparisons and finite(..), joined by `&`, `|`, `!`")],
        learn!("epochs = 5, monitor = [eventually(loss <= 0.5)]"),
    ),
    word(
        "cycle",
        "cycle(x = 5, y = 1)",
        "of `schedule`",
        "So many turns of each player, in this order, make a step; every player has at least one.",
        &[],
        game!("schedule = cycle(x = 5, y = 1)"),
    ),
    word(
        "every",
        "every(k)",
        "of `validate`",
        "After each k steps.",
        &[("k", "how many steps")],
        onehot!("epochs = 5, validate = every(2)"),
    ),
    word(
        "f32",
        "f32",
        "of `precision`",
        "32 bits a number.",
        &[],
        descend!("objective = quad, optimiser = gd(lr = 0.1), steps = 20, precision = f32"),
    ),
    word(
        "f64",
        "f64",
        "of `precision`",
        "64 bits a number.",
        &[],
        descend!("objective = quad, optimiser = gd(lr = 0.1), steps = 20, precision = f64"),
    ),
    word(
        "finite",
        "finite(loss)",
        "of `monitor`",
        "Whether a number is neither infinite nor no number.",
        &[],
        learn!("epochs = 5, monitor = [always(finite(loss))]"),
    ),
    word("last", "last", "of `select`", "The state after the last update.", &[], learn!("epochs = 5, select = last")),
    word(
        "simultaneous",
        "simultaneous",
        "of `schedule`",
        "All players move at once, from the same parameters.",
        &[],
        game!("schedule = simultaneous"),
    ),
];

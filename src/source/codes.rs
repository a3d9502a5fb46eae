//! The one table of error codes.
//!
//! A code is a stable number with a title; its page is `docs/errors/E0123.md`. E01xx text, E02xx names, E03xx types
//! and shapes, E04xx ports and calls, E05xx rules and training, E06xx data, E07xx laws, E08xx running, E09xx not yet.

use std::fmt;

/// A row of the table.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Code(pub u16);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "E{:04}", self.0)
    }
}

macro_rules! codes {
    ($($name:ident = $number:literal, $title:literal;)*) => {
        impl Code {
            $(#[doc = $title] pub const $name: Code = Code($number);)*

            /// What the code stands for, in a few words.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self.0 { $($number => $title,)* _ => "unknown code" }
            }
        }

        /// Every code with its title, in order.
        #[must_use]
        pub fn all_codes() -> &'static [(Code, &'static str)] {
            &[$((Code($number), $title),)*]
        }
    };
}

codes! {
    SYNTAX = 101, "this is not a form of the language";
    BRACKETS = 102, "brackets do not match";
    NESTING = 103, "nested too deeply";
    SLIP_SEQUENCE = 104, "`;` does not compose";
    SLIP_ASSIGN = 105, "an assignment without `let` or `next`";
    CONTINUED_LINE = 106, "a line that begins with `-` continues the one before";
    BAD_NUMBER = 107, "this number cannot be used";
    FOREIGN = 110, "a form of another language";
    UNKNOWN_NAME = 201, "unknown name";
    DUPLICATE_NAME = 202, "a name defined twice";
    CYCLE = 203, "definitions that need each other";
    IMPORT = 204, "an import that cannot be read";
    WRONG_KIND = 205, "a name of another kind is needed here";
    UNUSED = 206, "something that is never used";
    COMPOSE = 301, "these two maps do not compose";
    SHAPE = 302, "shapes do not agree";
    BASE = 303, "wires of different kinds";
    DIMENSION = 304, "a dimension without a value";
    DIVISION = 305, "a dimension that does not divide";
    ARITY = 306, "a wrong number of wires";
    RANGE = 307, "a slice or index out of range";
    EINSUM = 308, "an einsum that does not fit its operands";
    CONSTANT = 309, "a constant of another shape";
    ROWS = 310, "not the rows that a map runs over";
    PORT = 401, "parameter ports that do not fit";
    UNUSED_PORT = 402, "a port that is never used";
    SETTING = 403, "a setting that is missing or unknown";
    MAP_ARGUMENT = 404, "a map is needed here";
    INITIALISER = 405, "an initialiser that does not fit its port";
    RULE_SCOPE = 501, "a rule that does not keep its scope";
    RULE_BODY = 502, "a rule whose parts do not fit";
    TRAIN_FIELD = 503, "a field that is missing, unknown or of the wrong kind";
    OBJECTIVE = 504, "an objective that is not a number";
    RULE_PARTS = 505, "parameters without a rule";
    CONVERSION = 506, "a loss whose derivative cannot be inverted";
    NO_REVERSE = 507, "no reverse derivative";
    MEETING = 508, "a variable that meets itself in a product of bits";
    MONITOR = 510, "a proposition about a run that is none or does not hold";
    GAME_OWNER = 516, "a port that nobody owns";
    GAME_OWNERS = 517, "a port with two owners";
    GAME_PORT = 518, "a player without its port";
    GAME_PART = 519, "a part of the data that is not there";
    GAME_SCHEDULE = 520, "a schedule that does not fit the players";
    GAME_SIDE = 521, "a side that has no meaning";
    GAME_DATA = 522, "data that does not fit the players";
    DATA_FILE = 601, "a data file that cannot be read";
    DATA_VALUE = 602, "a value that cannot be used";
    DATA_COLUMN = 603, "a column that is not there";
    DATA_SPLIT = 604, "a split that cannot be made";
    DATA_SHAPE = 605, "data of another shape than the model's";
    DATA_FIELD = 606, "a data description that does not fit";
    LAW_REVERSE = 701, "a `rev` that is not the reverse derivative of its `fwd`";
    LAW_ADDITIVE = 702, "a `rev` that is not additive";
    LAW = 703, "a law that does not hold";
    RUN_NOT_FINITE = 801, "a loss that is not a number";
    RUN_CHECKPOINT = 802, "a checkpoint that cannot be used";
    RUN_FOLDER = 803, "a run folder that cannot be used";
    RUN_SOLVE = 804, "a matrix that cannot be inverted";
    PREDICTION = 805, "a run that cannot predict";
    INPUT_ROW = 806, "a row to predict that cannot be read";
    CONFIG = 807, "a configuration that cannot be used";
    OUTPUT = 808, "something that cannot be written where it was asked for";
    NOT_YET = 901, "not supported yet";
    LIMIT = 902, "larger than this version allows";
}

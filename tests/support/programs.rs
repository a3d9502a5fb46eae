//! Random programs without errors, written as nobody would write them.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::tokens::Lcg;

/// What may stand between a token and the one before it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gap {
    /// Anything that does not make one token of two; no bracket comes to touch a name.
    Any,
    /// Nothing.
    None,
}

/// Tokens with odd blanks and comments between them.
#[derive(Default)]
pub(crate) struct Writer {
    pub(crate) random: Lcg,
    pub(crate) tokens: Vec<(Gap, String)>,
    comments: usize,
}

const NAMES: [&str; 12] = ["x", "y'", "f", "gamma", "λ", "W_1", "dense", "c_in", "mhat", "tanh", "evaluated", "lets"];
const VALUES: [&str; 8] = ["0", "12", "0.5", "1e-3", "55_000", "\"a // b \\\" c\"", "\"*.W\"", "\"\""];

/// A program of a few items.
pub(crate) fn program(seed: u64) -> String {
    let mut w = Writer::new(seed);
    for _ in 0..=w.random.below(5) {
        w.item();
    }
    w.text()
}

impl Writer {
    pub(crate) fn new(seed: u64) -> Writer {
        Writer { random: Lcg(seed), ..Writer::default() }
    }

    pub(crate) fn put(&mut self, words: &str) -> &mut Writer {
        if words.starts_with('"') {
            self.tokens.push((Gap::Any, words.to_owned()));
            return self;
        }
        self.tokens.extend(words.split(' ').map(|word| (Gap::Any, word.to_owned())));
        self
    }

    pub(crate) fn touch(&mut self, token: &str) -> &mut Writer {
        self.tokens.push((Gap::None, token.to_owned()));
        self
    }

    pub(crate) fn insert(&mut self, at: usize, token: &str) {
        self.tokens.insert(at, (Gap::Any, token.to_owned()));
    }

    fn name(&mut self) {
        let name = self.random.pick(&NAMES);
        self.put(name);
    }

    /// `count` parts with commas between.
    fn list(&mut self, least: usize, most: usize, close: &str, mut part: impl FnMut(&mut Writer)) {
        let count = least + self.random.below(most - least + 1);
        for at in 0..count {
            if at > 0 {
                self.put(",");
            }
            part(self);
        }
        if count > 0 && self.random.one_in(4) {
            self.put(",");
        }
        self.put(close);
    }

    fn item(&mut self) {
        match self.random.below(12) {
            0 => {
                let import = self.random.pick(&["import std.nn", "import \"a.lens\" as mine", "import std.bool as b"]);
                self.put(import);
            }
            1 => {
                self.put("dim").name();
                self.put("=").expr(2);
            }
            2 => {
                self.put("type").name();
                self.put("[");
                self.list(1, 3, "]", Writer::name);
                self.put("=").ty(2);
            }
            3 => {
                self.put("const").name();
                self.put(":").ty(1);
                self.put("=").expr(3);
            }
            4..=6 => self.map(),
            7 => self.prim(),
            8 | 9 => self.rule(),
            10 => self.record(),
            _ => self.game(),
        }
    }

    fn header(&mut self) {
        self.name();
        if self.random.one_in(2) {
            self.put("[");
            self.list(1, 3, "]", |w| {
                if w.random.one_in(4) {
                    w.put("..");
                }
                w.name();
            });
        }
    }

    fn formals(&mut self) {
        self.put("(");
        self.list(0, 4, ")", |w| {
            w.name();
            match w.random.below(3) {
                0 => w.put("=").expr(1),
                1 => w.put(":").arrow(),
                _ => {}
            }
        });
    }

    fn map(&mut self) {
        let word = self.random.pick(&["model", "model", "def", "loss"]);
        self.put(word).header();
        if self.random.one_in(3) {
            self.formals();
        }
        if word == "model" && self.random.one_in(2) {
            self.put("{");
            self.list(0, 4, "}", |w| {
                if w.random.one_in(5) {
                    w.put("noise");
                }
                w.port();
            });
        }
        self.put(":").arrow();
        if self.random.one_in(2) {
            self.put("=").expr(4);
        } else {
            self.wires();
            self.block(3);
        }
        if self.random.one_in(5) {
            self.put("evaluate").wires();
            self.block(1);
        }
    }

    fn port(&mut self) {
        self.name();
        self.put(":").ty(1);
        if self.random.one_in(2) {
            self.put("~").expr(1);
        }
    }

    fn prim(&mut self) {
        self.put("prim").header();
        self.put(":").arrow();
        self.put("{ fwd").wires();
        self.block(2);
        self.put("rev").wires();
        self.block(2);
        self.put("}");
    }

    fn rule(&mut self) {
        let word = self.random.pick(&["optimiser", "transform"]);
        self.put(word).name();
        if self.random.one_in(2) {
            self.formals();
        }
        self.put("on").port();
        if self.random.one_in(3) {
            self.put("per global");
        }
        self.put("{");
        for _ in 0..self.random.below(3) {
            self.put("state").port();
        }
        match self.random.below(4) {
            0 => self.put("get =").expr(2),
            1 => self.put("get").block(1),
            2 => self.put("get").wires(),
            _ => {}
        }
        self.put("put").wires();
        self.block(3);
        self.put("}");
    }

    fn record(&mut self) {
        let word = self.random.pick(&["data", "train"]);
        self.put(word).name();
        self.put("{");
        self.fields(0);
        self.put("}");
    }

    fn fields(&mut self, least: usize) {
        for _ in 0..least + self.random.below(6) {
            self.name();
            self.put("=").expr(2);
            match self.random.below(3) {
                0 => self.put(","),
                1 => self.put(";"),
                _ => self,
            };
        }
    }

    fn game(&mut self) {
        self.put("game").name();
        self.put("{ player").name();
        self.put("minimises").expr(1);
        if self.random.one_in(2) {
            self.put("on").name();
        }
        self.put("with").expr(2);
        if self.random.one_in(2) {
            self.put(",");
        }
        self.fields(1);
        self.put("}");
    }

    fn arrow(&mut self) {
        self.ty(2);
        self.put("->").ty(2);
    }

    fn ty(&mut self, depth: usize) {
        match self.random.below(6) {
            0 if depth > 0 => {
                self.ty(depth - 1);
                self.put("*").ty(depth - 1);
            }
            1 if depth > 0 => {
                self.put("(");
                self.list(0, 3, ")", |w| {
                    if w.random.one_in(2) {
                        w.name();
                        w.put(":");
                    }
                    w.ty(depth - 1);
                });
            }
            2 => {
                self.put("params").touch("(");
                self.name();
                self.put(")");
            }
            _ => {
                self.put("R").touch("[");
                self.list(1, 3, "]", |w| w.arg(1));
            }
        }
    }

    fn pattern(&mut self, depth: usize) {
        match self.random.below(5) {
            0 => {
                self.put("_");
            }
            1 if depth > 0 => {
                self.put("(");
                self.list(2, 3, ")", |w| w.pattern(depth - 1));
            }
            _ => self.name(),
        }
    }

    fn wires(&mut self) {
        self.put("(");
        self.list(0, 3, ")", |w| {
            w.pattern(1);
            if w.random.one_in(4) {
                w.put(":").ty(1);
            }
        });
    }

    fn block(&mut self, most: usize) {
        self.put("{");
        for _ in 0..self.random.below(most + 1) {
            if self.random.one_in(3) {
                self.put("next").name();
            } else {
                self.put("let").pattern(1);
                if self.random.one_in(4) {
                    self.put(":").ty(1);
                }
            }
            self.put("=").expr(3);
            if self.random.one_in(3) {
                self.put(";");
            }
        }
        let from = self.tokens.len();
        self.expr(3);
        // Without it the value goes on with the statement before.
        if self.tokens[from].1 == "-" && !["{", ";"].contains(&self.tokens[from - 1].1.as_str()) {
            self.insert(from, ";");
        }
        if self.random.one_in(5) {
            self.put(";");
        }
        self.put("}");
    }

    fn expr(&mut self, depth: usize) {
        match self.random.below(9) {
            0 if depth > 0 => {
                self.put("if").chain(depth - 1);
                self.put("then").chain(depth - 1);
                self.put("else").expr(depth - 1);
            }
            1 if depth > 0 => {
                self.chain(depth - 1);
                self.put("then").chain(depth - 1);
            }
            _ => self.chain(depth),
        }
    }

    fn chain(&mut self, depth: usize) {
        self.sum(depth);
        if self.random.one_in(4) {
            let sign = self.random.pick(&["<", ">=", "==", "!=", ">"]);
            self.put(sign).sum(0);
        }
        while self.random.one_in(3) {
            self.put(">>").sum(depth.min(2));
        }
    }

    fn sum(&mut self, depth: usize) {
        self.unary(depth);
        while self.random.one_in(3) {
            let sign = self.random.pick(&["+", "-", "*", "/", "@", "-", "xor", "mod", "&", "|", "⊗"]);
            self.put(sign).unary(depth.min(1));
        }
    }

    fn unary(&mut self, depth: usize) {
        if self.random.one_in(6) {
            let sign = self.random.pick(&["-", "!"]);
            self.put(sign);
        }
        self.atom(depth);
        if self.random.one_in(6) {
            self.put("^").atom(0);
        }
    }

    fn atom(&mut self, depth: usize) {
        if depth == 0 {
            let all = if self.random.one_in(2) { &NAMES[..] } else { &VALUES[..] };
            let token = self.random.pick(all);
            self.put(token);
            return;
        }
        match self.random.below(8) {
            0 => {
                self.put("(");
                self.list(0, 3, ")", |w| w.expr(depth - 1));
            }
            1 => {
                self.put("[");
                self.list(0, 9, "]", |w| w.arg(depth - 1));
            }
            2 => {
                self.put("{");
                self.list(1, 2, "}", |w| {
                    let key = w.random.pick(&["\"*.W\"", "_"]);
                    w.put(key).put(":").expr(depth - 1);
                });
            }
            3 => self.atom(0),
            _ => {
                self.name();
                for _ in 0..=self.random.below(2) {
                    let (open, close) = self.random.pick(&[("(", ")"), ("[", "]"), ("{", "}")]);
                    self.touch(open);
                    self.list(0, 4, close, |w| w.arg(depth - 1));
                }
            }
        }
    }

    fn arg(&mut self, depth: usize) {
        match self.random.below(8) {
            0 => {
                self.name();
                self.put("=").expr(depth);
            }
            1 => {
                self.put("0 .. 4");
            }
            2 => {
                self.put("..").name();
            }
            _ => self.expr(depth),
        }
    }

    pub(crate) fn text(&mut self) -> String {
        let mut text = String::new();
        let tokens = std::mem::take(&mut self.tokens);
        let mut before = "";
        for (gap, token) in &tokens {
            if *gap == Gap::Any {
                let between = self.between(before, token);
                text.push_str(&between);
            }
            text.push_str(token);
            before = token;
        }
        let end = self.between("", "");
        text + &end
    }

    fn between(&mut self, before: &str, after: &str) -> String {
        if self.random.one_in(14) {
            self.comments += 1;
            let above = self.random.pick(&[" ", "\n", "\n \n\n", "   "]);
            let second = self.random.pick(&["", "", "//\n", "\n\n  //second  \n"]);
            let below = self.random.pick(&["\n", "\r\n", "\n\n\n", "\n\t"]);
            return format!("{above}// {} é (  {below}{second}", self.comments);
        }
        match self.random.below(12) {
            0..=2 if may_touch(before, after) => String::new(),
            3 => "\n".to_owned(),
            4 => " \r\n\t".to_owned(),
            5 => "\n\n\n  ".to_owned(),
            6 => "   ".to_owned(),
            _ => " ".to_owned(),
        }
    }
}

fn may_touch(before: &str, after: &str) -> bool {
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '\'' | '"' | '.'));
    let bracket = |s: &str| matches!(s, "(" | "[" | "{" | ")" | "]" | "}" | "," | ";");
    let opens = matches!(after, "(" | "[" | "{");
    let ends = word(before.chars().last()) || matches!(before, ")" | "]" | "}");
    if opens {
        return !ends;
    }
    // `x.` and `1.` before `..` would be read otherwise, as would two signs.
    bracket(before) || bracket(after) || (word(before.chars().last()) != word(after.chars().next()))
}

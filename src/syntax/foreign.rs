//! Forms of other languages, told apart from other faults so that the message can say how they are written here.
//!
//! In: an item that did not parse, or the word where an item must begin. Out: a message with the form of this language.

use super::expect::Failure;
use super::grammar::Rule;
use super::scan::{Kind, Token};
use crate::source::{Code, Diagnostic};

impl Failure<'_> {
    /// The message for a token, if it is the sign or word of another language.
    pub(super) fn foreign(&self, index: usize, token: Token) -> Option<Diagnostic> {
        let found = token.of(self.text);
        let word = |at: Option<usize>| at.and_then(|at| self.tokens.get(at)).map_or("", |t| t.of(self.text));
        let before = word(index.checked_sub(1));
        let said = |token: Token, message: &str, label: &str, help: &str| {
            Some(Diagnostic::error(Code::FOREIGN, message).at(self.span(token), label).help(help))
        };
        if let Some(close) = self.bare_wires(index) {
            let wires = self.tokens.get(2).map_or(*close, |open| Token { end: close.end, ..*open });
            let help = format!("write `{} {} : R[n] -> R[n] (x) {{ .. }}`", word(Some(0)), word(Some(1)));
            return said(wires, "the wires of a map stand after its type", "settings stand here", &help);
        }
        let operator = self.after_operand();
        if before == "return" && operator {
            let at = self.tokens.get(index - 1).copied()?;
            let help = "leave `return` out: the last expression of a block is its value";
            return said(at, "there is no `return`", "not a word of this language", help);
        }
        let compose = |help| said(token, &format!("`{found}` does not compose"), "stands between two maps", help);
        match found {
            "=>" if self.tried(Rule::arrow_sign) => {
                said(token, "`=>` is not the arrow of a type", "stands between two types", "write `->`")
            }
            "=>" if ["(", ","].contains(&word(index.checked_sub(2))) => said(
                token,
                "a map cannot be written where it is used",
                "this is a map without a name",
                "give it a name: `def f : R[n] -> R[n] (x) { .. }`",
            ),
            "|>" | "=>" if operator || self.tried(Rule::unary) => compose("write `>>`"),
            "|>" => compose("write `>>`"),
            "\u{2218}" => compose("write `>>`; the map that comes first stands first"),
            "." if operator && before == ")" && word(Some(index + 2)) == "(" && self.in_braces(index) => {
                let help = format!("a map is applied in brackets: `{}(..)`", word(Some(index + 1)));
                said(token, "a wire has no parts", "stands after a wire", &help)
            }
            "." if operator && self.tokens.get(index + 1).is_some_and(|t| t.kind == Kind::Word) => {
                compose("write `>>`")
            }
            ":=" if self.in_block(index) => {
                said(token, "`:=` gives no name a value", "stands after a name", "write `let y = ..`")
            }
            ":=" => said(token, "`:=` gives no name a value", "stands after a name", "write `=`"),
            "'" | "\u{201c}" | "\u{201d}" | "\u{2018}" | "\u{2019}" => {
                said(token, "a text stands in plain double quotes", "begins here", "write `\"iris.csv\"`")
            }
            "#" | "/*" => {
                said(token, &format!("`{found}` begins no comment"), "begins here", "a comment begins with `//`")
            }
            _ => None,
        }
    }

    /// The bracket that closes `(x, y)` in `def f(x, y) { .. }`, `def f(x) = ..` and `def f(x): ..`.
    fn bare_wires(&self, index: usize) -> Option<&Token> {
        let of = |at: usize| self.tokens.get(at).map_or("", |t| t.of(self.text));
        if !["def", "model", "loss"].contains(&of(0)) || of(2) != "(" {
            return None;
        }
        let close = (3..self.tokens.len()).find(|at| of(*at) == ")")?;
        let plain = (3..close).all(|at| of(at) == "," || self.tokens.get(at).is_some_and(|t| t.kind == Kind::Word));
        let typed = (close..=index.min(self.tokens.len())).any(|at| matches!(of(at), "->" | "\u{2192}"));
        let body = matches!(of(close + 1), "{" | "=" | "=>") || (of(close + 1) == ":" && index > close + 1);
        (plain && body && !typed && index > close).then(|| self.tokens.get(close)).flatten()
    }

    /// Whether the innermost open bracket before a token is that of a block of statements.
    fn in_block(&self, index: usize) -> bool {
        let mut depth = 0_usize;
        for token in self.tokens.iter().take(index).rev() {
            match token.of(self.text) {
                ")" | "]" | "}" => depth += 1,
                "{" if depth == 0 => {
                    return !matches!(self.tokens.first().map(|t| t.of(self.text)), Some("data" | "train" | "game"));
                }
                "(" | "[" | "{" if depth == 0 => return false,
                "(" | "[" | "{" => depth -= 1,
                _ => {}
            }
        }
        false
    }
}

/// How the item is written here that another language begins with this word.
pub(super) fn item_word(word: &str) -> Option<&'static str> {
    Some(match word {
        "#" | "--" | "/*" | "%" => "a comment begins with `//`",
        "fn" | "fun" | "func" | "function" | "define" | "lambda" | "proc" | "sub" => {
            "a map is written `def f : R[n] -> R[n] (x) { .. }`"
        }
        "class" | "module" | "network" | "net" | "layer" => {
            "a map with parameters is written `model f : R[4] -> R[3] = ..`"
        }
        "let" | "var" | "val" | "set" => "a number is named with `dim n = ..`, a map with `def` or `model`",
        "from" | "use" | "include" | "require" | "open" => "write `import \"layers.lens\"`",
        "dataset" => "write `data name { source = .., input = .., target = .. }`",
        "fit" | "trainer" | "run" => {
            "write `train name { data = .., model = .., loss = .., optimiser = .., epochs = .. }`"
        }
        _ => return None,
    })
}

//! The one suggestion of a message about text that does not parse.
//!
//! In: the token that stopped the parser, what was tried there, and the tokens around it. Out: what to write instead:
//! the slips of the keyboard first, then what the rules tried ask for, and where they tell nothing the form of the item.

use super::cut::near;
use super::expect::{Failure, is_operator, keywords};
use super::grammar::Rule;
use super::scan::{Kind, RESERVED, Token};

impl Failure<'_> {
    /// What to do about a token that cannot stand there, or about an item that ends too early.
    pub(super) fn help(&self, index: usize, token: Option<Token>) -> String {
        let slip = token.and_then(|token| {
            let before = index.checked_sub(1).and_then(|i| self.tokens.get(i)).copied();
            self.slice(index, token).or_else(|| self.ruled(index, token)).or_else(|| match token.kind {
                Kind::Word => self.word_hint(index, before, token),
                _ => self.sign_hint(index, before, token.of(self.text)).map(str::to_owned),
            })
        });
        slip.or_else(|| self.missing(index, token)).unwrap_or_else(|| format!("the form is {}", self.form()))
    }

    fn word_hint(&self, index: usize, before: Option<Token>, token: Token) -> Option<String> {
        let found = token.of(self.text);
        // `a and b`, `not a`: the words of other languages.
        if self.after_operand() {
            let sign = match (found, before.map(|t| t.of(self.text))) {
                ("and", _) => Some("`&`"),
                ("or", _) => Some("`|`"),
                (_, Some("not")) => Some("`!` for `not`"),
                _ => None,
            };
            if let Some(sign) = sign {
                return Some(format!("write {sign}"));
            }
        }
        let keywords: Vec<&str> = self.tried.iter().flat_map(|r| keywords(*r)).copied().collect();
        if let Some(meant) = near(found, &keywords).filter(|m| *m != found) {
            return Some(format!("did you mean `{meant}`?"));
        }
        if RESERVED.contains(&found) && !self.after_operand() {
            return Some(format!("`{found}` is a word of the language; a name must be another word"));
        }
        // `lte a = 3`: two names, then `=`.
        let assigned = self.tokens.get(index + 1).is_some_and(|t| t.of(self.text) == "=");
        if let Some(before) = before.filter(|t| t.kind == Kind::Word && assigned)
            && let Some(meant) = near(before.of(self.text), &["let", "next"])
        {
            return Some(format!("did you mean `{meant}` for `{}`?", before.of(self.text)));
        }
        if before.is_some_and(|t| t.kind == Kind::Number && t.end == token.start) {
            return Some("a product is written with `*`".to_owned());
        }
        let header = self.tried(Rule::colon) && self.tried(Rule::p_open);
        header.then(|| "a `:` stands before the type".to_owned())
    }

    fn sign_hint(&self, index: usize, before: Option<Token>, found: &str) -> Option<&'static str> {
        let tried = |rule| self.tried(rule);
        let operator = self.after_operand();
        let next_is_number = self.tokens.get(index + 1).is_some_and(|t| t.kind == Kind::Number);
        if tried(Rule::kw_else) {
            return Some("both sides are needed: `if c then a else b`");
        }
        if found == "}" && tried(Rule::kw_let) {
            let minus = self.tokens.iter().take(index).rev().take_while(|t| t.of(self.text) != "{");
            let minus = minus.into_iter().any(|t| t.first && t.of(self.text) == "-");
            return Some(if minus {
                "the line that begins with `-` continues the one above; end that one with `;`"
            } else {
                "a block ends with its value"
            });
        }
        Some(match found {
            ":" | "~" if tried(Rule::eq) && !operator => "a name is given its value with `=`",
            "->" if operator => "maps are composed with `>>`; `->` stands between types",
            "=" if tried(Rule::colon) && !operator => "a type stands before the body: `name : R[2] -> R[3] = ..`",
            "=" if operator => "`==` compares; `=` stands after the name of a field or setting",
            "==" if tried(Rule::eq) => "write one `=`",
            "**" => "power is written `^`",
            "*" if before.is_some_and(|t| t.of(self.text) == "*") => "power is written `^`",
            "&&" => "write `&`",
            "||" => "write `|`",
            "\u{d7}" | "\u{b7}" => "write `*`",
            "\u{2212}" | "\u{2013}" | "\u{2014}" => "write a plain `-`",
            "\u{2264}" => "write `<=`",
            "\u{2265}" => "write `>=`",
            "\u{2260}" => "write `!=`",
            "\u{a0}" | "\u{202f}" | "\u{2009}" => "put a plain blank in its place",
            "." if next_is_number => "a number begins with a digit: `0.5`",
            "." if before.is_some_and(|t| t.kind == Kind::Number) => "a number ends with a digit: `5.0`",
            ">" if operator && !self.in_braces(index) => "maps are composed with `>>`",
            "<" | "<=" | ">" | ">=" | "!=" if operator => "comparisons do not chain; put one in brackets",
            "," if before.is_some_and(|t| t.of(self.text) == ",") => "remove one `,`",
            ";" if tried(Rule::EOI) => "remove the `;`",
            _ => return None,
        })
    }

    /// What the rules that were tried ask for.
    fn missing(&self, index: usize, token: Option<Token>) -> Option<String> {
        let word = |at: usize| self.tokens.get(at).map_or("", |t| t.of(self.text));
        let before = index.checked_sub(1).map_or("", word);
        let operand = token.is_some_and(|t| matches!(t.kind, Kind::Word | Kind::Number | Kind::Text | Kind::Open));
        let tried = |rule| self.tried(rule);
        if self.tried.as_slice() == [Rule::eq] {
            return Some(format!("give it a value: `{before} = ..`"));
        }
        if tried(Rule::arrow_sign) {
            return Some("the type of a map is `A -> B`; one without wires begins with `()`".to_owned());
        }
        if tried(Rule::body) || (tried(Rule::eq) && tried(Rule::wires)) {
            return Some("add a body: `= f >> g`, or `(x) { .. }`".to_owned());
        }
        if self.after_operand() {
            return Some(match (operand, tried(Rule::comma), tried(Rule::b_close)) {
                (true, true, _) => "put a `,` between the two".to_owned(),
                (true, _, true) => "a block has one value; name the first of the two with `let y = ..`".to_owned(),
                (true, ..) => "join the two with an operator such as `>>`, or begin a new item".to_owned(),
                (false, ..) if token.is_some() => {
                    format!("remove `{}`, or what is missing before it is an operand", short(word(index)))
                }
                _ => return None,
            });
        }
        if tried(Rule::ident) && index == 1 {
            return Some(format!("give it a name: {}", self.form()));
        }
        if tried(Rule::ty_atom) || tried(Rule::ty_name) {
            return Some("write a type such as `R[4]`; no wires are `()`".to_owned());
        }
        if tried(Rule::atom) || tried(Rule::number) || self.expected().starts_with("an expression") {
            let sign = |w: &str| {
                let signs = [">>", "+", "-", "*", "/", "@", "^", "&", "|", "=", "<", ">", "<=", ">=", "==", "!="];
                signs.contains(&w) || RESERVED.contains(&w)
            };
            return match (sign(before), token) {
                (true, None) => Some(format!("write what belongs after `{before}`")),
                (true, Some(t)) => {
                    Some(format!("write what belongs between `{before}` and `{}`", short(t.of(self.text))))
                }
                (false, Some(t)) if sign(t.of(self.text)) => {
                    Some(format!("write what belongs before `{0}`, or remove the `{0}`", t.of(self.text)))
                }
                _ => None,
            };
        }
        None
    }

    /// How the item is written that failed to parse.
    fn form(&self) -> &'static str {
        match self.tokens.first().map_or("", |t| t.of(self.text)) {
            "import" => "`import \"layers.lens\" as mine`",
            "dim" => "`dim hidden = 32`",
            "type" => "`type Image = R[1, 28, 28]`",
            "const" => "`const x0 : R[2] = [1, -1]`",
            "def" => "`def f : R[n] -> R[n] (x) { .. }`",
            "loss" => "`loss f : (y: R[n], t: R[n]) -> R[1] (y, t) { .. }`",
            "prim" => "`prim f : R[n] -> R[n] { fwd (x) { .. } rev (x, dy) { .. } }`",
            "optimiser" => "`optimiser name(lr) on p : R[n] { put (g) { .. } }`",
            "transform" => "`transform name on p : R[n] { put (g) { .. } }`",
            "data" => "`data name { source = .., input = .., target = .. }`",
            "train" => "`train name { data = .., model = .., loss = .., optimiser = .., epochs = .. }`",
            "game" => "`game name { player a minimises f with gd(lr = 0.1) steps = .. }`",
            _ => "`model f {W: R[3, 4] ~ glorot} : R[4] -> R[3] (x) { .. }`",
        }
    }

    pub(super) fn tried(&self, rule: Rule) -> bool {
        self.tried.contains(&rule)
    }

    /// Whether an operator could go on here: an operand stands before.
    pub(super) fn after_operand(&self) -> bool {
        self.tried.iter().any(|r| is_operator(*r))
    }
}

/// A token as a suggestion names it.
fn short(token: &str) -> String {
    token.chars().take(24).collect()
}

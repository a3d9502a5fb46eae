//! Forms that lack a word or a bracket: `tanh x`, `x[1:3]`, an `if` without `then`, a rule without `with`.
//!
//! In: the tokens of an item and the one that stopped the parser. Out: the same tokens as they were meant.

use super::cut::near;
use super::expect::{Failure, keywords};
use super::grammar::Rule;
use super::scan::{Kind, RESERVED, Token};
use crate::source::{Code, Diagnostic};

/// How much of a program a suggestion repeats.
const SHOWN: usize = 40;

impl Failure<'_> {
    fn word_at(&self, index: usize) -> &str {
        self.tokens.get(index).map_or("", |t| t.of(self.text))
    }

    /// What begins at a token, as a suggestion shows it: `gd(..)`.
    fn begun(&self, index: usize) -> String {
        let brackets = if self.word_at(index + 1) == "(" { "(..)" } else { "" };
        self.word_at(index).chars().take(SHOWN).chain(brackets.chars()).collect()
    }

    /// The innermost bracket that is open before a token.
    fn inside(&self, index: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for (at, token) in self.tokens.iter().enumerate().take(index).rev() {
            match token.kind {
                Kind::Close => depth += 1,
                Kind::Open if depth == 0 => return Some(at),
                Kind::Open => depth -= 1,
                _ => {}
            }
        }
        None
    }

    /// Whether a token stands in a body of wires, at any depth.
    pub(super) fn in_braces(&self, index: usize) -> bool {
        if matches!(self.word_at(0), "data" | "train" | "game") {
            return false;
        }
        let mut at = index;
        while let Some(open) = self.inside(at) {
            if self.word_at(open) == "{" {
                return true;
            }
            at = open;
        }
        false
    }

    /// Two names side by side, one blank between them: a map and its wire, or two factors.
    pub(super) fn side_by_side(&self, index: usize) -> Option<Diagnostic> {
        let ended = self.tried(Rule::b_close) && index.checked_sub(1).is_some_and(|at| self.word_at(at) == ";");
        if !(self.after_operand() || ended) || !self.in_braces(index) {
            return None;
        }
        // `let y = tanh x; y`
        let index = if ended { index - 1 } else { index };
        let keywords: Vec<&str> = self.tried.iter().flat_map(|r| keywords(*r)).copied().collect();
        let pair = |at: usize| {
            let (left, right) = (self.tokens.get(at.checked_sub(1)?)?, self.tokens.get(at)?);
            let (f, x) = (left.of(self.text), right.of(self.text));
            let name = |t: &Token, word: &str| t.kind == Kind::Word && !RESERVED.contains(&word);
            let operands = (name(left, f) || left.kind == Kind::Number) && name(right, x);
            let close = !right.first && right.start == left.end + 1;
            // Words of other languages, misspelt keywords and the next field or port have messages of their own.
            let other = matches!(f, "not" | "return") || matches!(x, "and" | "or") || near(x, &keywords).is_some();
            let begins = matches!(self.word_at(at + 1), "=" | ":" | "~");
            (operands && close && !other && !begins).then_some((*left, *right))
        };
        // `let y = tanh x  y`: the parser took `x` for the value of the block.
        let earlier = || {
            let found = pair(index.checked_sub(1)?)?;
            (self.tokens.get(index.checked_sub(3)?)?.kind == Kind::Sign).then_some(found)
        };
        let (left, right) = pair(index).or_else(earlier)?;
        let (f, x) = (left.of(self.text), right.of(self.text));
        let bracket = self.inside(index).map_or("", |at| self.word_at(at));
        if f.len() + x.len() > SHOWN || bracket == "[" {
            return None;
        }
        let help = if left.kind == Kind::Number {
            format!("a product is written `{f} * {x}`")
        } else if !self.bound(left) {
            format!("a map is applied in brackets: `{f}({x})`")
        } else if bracket == "{" {
            format!("join the two with an operator, such as `{f} * {x}`")
        } else {
            return None;
        };
        Some(
            Diagnostic::error(Code::SYNTAX, format!("`{f}` and `{x}` stand side by side"))
                .at(self.span(right), "nothing joins it to what stands before")
                .help(help),
        )
    }

    /// Whether the item binds a name before it is used: a wire, a port, a setting.
    fn bound(&self, used: Token) -> bool {
        let name = used.of(self.text);
        let binds = |at: usize| {
            let (before, after) = (at.checked_sub(1).map_or("", |b| self.word_at(b)), self.word_at(at + 1));
            matches!(before, "let" | "next" | "on" | "state" | "noise")
                || (matches!(before, "(" | "," | "{") && matches!(after, ")" | "," | "=" | ":" | "~"))
        };
        let before = self.tokens.partition_point(|t| t.end <= used.start);
        (0..before).any(|at| self.word_at(at) == name && binds(at))
    }

    /// `x[1:3]`: the slice as it is written here.
    pub(super) fn slice(&self, index: usize, token: Token) -> Option<String> {
        let open = self.inside(index).filter(|at| self.word_at(*at) == "[")?;
        let (head, bracket) = (self.tokens.get(open.checked_sub(1)?)?, self.tokens.get(open)?);
        if token.of(self.text) != ":" || head.kind != Kind::Word || head.end != bracket.start || !self.in_braces(index)
        {
            return None;
        }
        let close = self.tokens.iter().skip(index).find(|t| t.of(self.text) == "]")?;
        let (from, to) = (self.text.get(head.start..token.start)?, self.text.get(token.end..close.end)?);
        let plain = to.len() + from.len() <= SHOWN && !to.contains([':', '\n']) && !from.contains('\n');
        Some(if plain {
            format!("a slice is written `{}..{}`", from.trim_end(), to.trim_start())
        } else {
            "a slice is written `x[1..3]`, and takes every place between".to_owned()
        })
    }

    /// A player's rule without its `with`.
    pub(super) fn ruled(&self, index: usize, token: Token) -> Option<String> {
        if !self.tried(Rule::kw_with) || !self.after_operand() || token.kind != Kind::Word {
            return None;
        }
        let found = token.of(self.text);
        match found {
            "by" | "using" | "via" | "from" => Some(format!("write `with` for `{found}`")),
            _ if RESERVED.contains(&found) || matches!(found, "steps" | "player" | "data" | "schedule") => None,
            _ => Some(format!("write `with` before the rule: `with {}`", self.begun(index))),
        }
    }

    /// An `if` whose condition goes on to its first side without `then`.
    pub(super) fn then(&self, index: usize, token: Token) -> Option<Diagnostic> {
        let brace = index.checked_sub(1).filter(|at| self.tried(Rule::part) && self.word_at(*at) == "{");
        if let Some(brace) = brace
            && let Some(word @ ("then" | "else")) = brace.checked_sub(1).map(|at| self.word_at(at))
        {
            return Some(
                Diagnostic::error(Code::SYNTAX, "the sides of an `if` stand without braces")
                    .at(self.span(*self.tokens.get(brace)?), "opened here")
                    .help(format!("write `{word} {}`", token.of(self.text).chars().take(SHOWN).collect::<String>())),
            );
        }
        let word = !matches!(token.of(self.text), "and" | "or");
        let operand = matches!(token.kind, Kind::Word | Kind::Number | Kind::Open) || token.of(self.text) == ":";
        let operand = operand && word;
        if !self.tried(Rule::kw_then) || !self.after_operand() || !operand {
            return None;
        }
        let start = self.if_without_then(index)?;
        let (word, last) = (self.tokens.get(start)?, self.tokens.get(index.checked_sub(1)?)?);
        let condition = self.text.get(word.end..last.end)?.trim();
        let shown = if condition.len() <= SHOWN && !condition.contains('\n') { condition } else { "c" };
        let help = match token.of(self.text) {
            "{" => format!("write `if {shown} then a else b`, the sides without braces"),
            ":" => format!("write `if {shown} then a else b`"),
            _ => format!("write `if {shown} then {}`", self.begun(index)),
        };
        Some(
            Diagnostic::error(Code::SYNTAX, "an `if` without `then`")
                .at(self.span(token), "`then` belongs before this")
                .also(self.span(*word), "of this `if`")
                .help(help),
        )
    }

    /// The `if` that waits for its `then` before a token.
    fn if_without_then(&self, index: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for (at, token) in self.tokens.iter().enumerate().take(index).rev() {
            match (token.kind, token.of(self.text)) {
                (Kind::Close, _) => depth += 1,
                (Kind::Open, _) => depth = depth.checked_sub(1)?,
                (_, "then" | "else") if depth == 0 => return None,
                (_, "if") if depth == 0 => return Some(at),
                _ => {}
            }
        }
        None
    }
}

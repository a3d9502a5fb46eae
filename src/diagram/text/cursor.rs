//! One line of the text form, read from the left; every method skips the space before what it reads.
//!
//! Out: words, numbers, dimensions and leaves, or in words what should have stood there.

use super::super::op::{Bits, LeadAxis};
use crate::object::{Base, Dim, Leaf};
use smallvec::SmallVec;

/// What was read, or what is wrong.
pub(super) type Read<T> = Result<T, String>;

pub(super) fn parsed<T: std::str::FromStr>(word: &str) -> Read<T> {
    word.parse().map_err(|_| format!("`{word}` does not fit here"))
}

pub(super) fn real(word: &str) -> Read<Bits> {
    match word.strip_prefix("0x") {
        Some(bits) => u64::from_str_radix(bits, 16).map(|b| Bits(f64::from_bits(b))).map_err(|e| e.to_string()),
        None => parsed(word).map(Bits),
    }
}

/// The rest of a line.
pub(super) struct Cursor<'t> {
    pub(super) rest: &'t str,
}

impl<'t> Cursor<'t> {
    pub(super) fn eat(&mut self, what: &str) -> bool {
        match self.rest.trim_start().strip_prefix(what) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    pub(super) fn need(&mut self, what: &str) -> Read<()> {
        if self.eat(what) { Ok(()) } else { Err(format!("`{what}` should stand before `{}`", self.rest.trim())) }
    }

    pub(super) fn end(&self) -> Read<()> {
        if self.rest.trim().is_empty() { Ok(()) } else { Err(format!("`{}` is too much", self.rest.trim())) }
    }

    pub(super) fn take(&mut self, of: impl Fn(char) -> bool) -> &'t str {
        let text = self.rest.trim_start();
        let (word, rest) = text.split_at(text.find(|c| !of(c)).unwrap_or(text.len()));
        self.rest = rest;
        word
    }

    pub(super) fn word(&mut self) -> Read<&'t str> {
        let word = self.take(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '+'));
        if word.is_empty() { Err(format!("a word should stand before `{}`", self.rest)) } else { Ok(word) }
    }

    pub(super) fn number<T: std::str::FromStr>(&mut self) -> Read<T> {
        parsed(self.take(|c| c.is_ascii_digit()))
    }

    /// A word, or anything in quotes.
    pub(super) fn name(&mut self) -> Read<String> {
        if !self.eat("\"") {
            return self.word().map(str::to_owned);
        }
        let mut name = String::new();
        let mut chars = self.rest.chars();
        while let Some(c) = chars.next() {
            match c {
                '"' => {
                    self.rest = chars.as_str();
                    return Ok(name);
                }
                '\\' => match chars.next() {
                    Some('n') => name.push('\n'),
                    Some('r') => name.push('\r'),
                    Some(c) => name.push(c),
                    None => break,
                },
                c => name.push(c),
            }
        }
        Err("a quote is not closed".into())
    }

    pub(super) fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        self.need("[")?;
        let mut items = Vec::new();
        while !self.eat("]") {
            if !items.is_empty() {
                self.need(",")?;
            }
            items.push(item(self)?);
        }
        Ok(items)
    }

    pub(super) fn leads(&mut self) -> Read<SmallVec<[LeadAxis; 2]>> {
        self.need("lead")?;
        let words = self.list(Cursor::word)?;
        Ok(words.iter().map(|w| LeadAxis { table: w.contains('t'), index: w.contains('i') }).collect())
    }

    /// `3`, `B`, `2*B`, `B + 3`, `2*B + 3`.
    pub(super) fn dim(&mut self) -> Read<Dim> {
        let mut per = 1;
        if !self.eat("B") {
            let n = self.number()?;
            if !self.eat("*") {
                return Ok(Dim::lit(n));
            }
            self.need("B")?;
            per = n;
        }
        let lit = if self.eat("+") { self.number()? } else { 0 };
        Ok(Dim { lit, per })
    }

    pub(super) fn leaf(&mut self) -> Read<Leaf> {
        let base = match self.take(|c| c.is_ascii_alphabetic()) {
            "R" => Base::Real,
            "Bool" => Base::Bool,
            "Int" => Base::Int,
            "Fin" => {
                self.need("[")?;
                let n = self.number()?;
                self.need("]")?;
                Base::Fin(n)
            }
            other => return Err(format!("no base is called `{other}`")),
        };
        let dims = if self.rest.trim_start().starts_with('[') { self.list(Cursor::dim)? } else { Vec::new() };
        Ok(Leaf { base, dims: dims.into_iter().collect() })
    }
}

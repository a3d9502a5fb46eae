//! Text to flat tokens: just enough to match brackets, find the items and name an offending token.
//!
//! In: the text of a file. Out: its [`Token`]s in order, comments and blanks left out. Invariant: tokens do not
//! overlap, lie on character boundaries, and a text (`"..`) never runs past its line.

/// What a token is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// A name or keyword.
    Word,
    /// A number.
    Number,
    /// A closed text.
    Text,
    /// A text without its closing quote.
    OpenText,
    /// `(`, `[` or `{`.
    Open,
    /// `)`, `]` or `}`.
    Close,
    /// Any other sign, `>>`, `->` and their like being one.
    Sign,
}

/// One token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Token {
    /// What it is.
    pub(super) kind: Kind,
    /// Its first byte.
    pub(super) start: usize,
    /// One past its last byte.
    pub(super) end: usize,
    /// Whether nothing but blanks stands before it on its line.
    pub(super) first: bool,
    /// Whether it is the very first thing of its line.
    pub(super) margin: bool,
}

impl Token {
    /// The text of the token.
    pub(super) fn of<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.start..self.end).unwrap_or("")
    }
}

/// Signs of more than one character.
const LONG_SIGNS: [&str; 14] = [">>", "->", "=>", "<=", ">=", "==", "!=", "..", "**", "&&", "||", "|>", ":=", "/*"];

/// Words that no name may be, and that end no expression.
pub(crate) const RESERVED: [&str; 10] =
    ["let", "next", "xor", "mod", "with", "minimises", "maximises", "if", "then", "else"];

/// Whether a character may stand inside a name.
pub(super) fn in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '\''
}

/// The tokens of a text.
pub(super) fn scan(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    let mut first = true;
    let mut line_start = 0;
    while let Some(rest) = text.get(at..) {
        let Some(c) = rest.chars().next() else { break };
        if c == '\n' || c == '\r' {
            at += 1;
            line_start = at;
            first = true;
            continue;
        }
        if matches!(c, ' ' | '\t' | '\u{feff}') {
            at += c.len_utf8();
            if c == '\u{feff}' && line_start + c.len_utf8() == at {
                line_start = at;
            }
            continue;
        }
        if rest.starts_with("//") {
            at += rest.find(['\n', '\r']).unwrap_or(rest.len());
            continue;
        }
        let (kind, length) = token(rest, c);
        tokens.push(Token { kind, start: at, end: at + length, first, margin: at == line_start });
        at += length;
        first = false;
    }
    tokens
}

/// The kind and length of the token that `rest` begins with.
fn token(rest: &str, c: char) -> (Kind, usize) {
    match c {
        '(' | '[' | '{' => (Kind::Open, 1),
        ')' | ']' | '}' => (Kind::Close, 1),
        '"' => quoted(rest),
        '0'..='9' => (Kind::Number, number(rest)),
        c if c.is_alphabetic() || c == '_' => (Kind::Word, rest.find(|c: char| !in_word(c)).unwrap_or(rest.len())),
        c => {
            let long = LONG_SIGNS.iter().find(|s| rest.starts_with(**s));
            (Kind::Sign, long.map_or(c.len_utf8(), |s| s.len()))
        }
    }
}

fn quoted(rest: &str) -> (Kind, usize) {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '\n' | '\r' => return (Kind::OpenText, at),
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return (Kind::Text, at + 1),
            _ => {}
        }
    }
    (Kind::OpenText, rest.len())
}

/// The length of a number, by the rule `number` of the grammar.
fn number(rest: &str) -> usize {
    let digits = |from: usize| {
        let tail = rest.get(from..).unwrap_or("");
        from + tail.find(|c: char| !(c.is_ascii_digit() || c == '_')).unwrap_or(tail.len())
    };
    let digit_at = |at: usize| rest.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let byte_is = |at: usize, set: &[u8]| rest.as_bytes().get(at).is_some_and(|b| set.contains(b));
    let mut end = digits(0);
    if byte_is(end, b".") && digit_at(end + 1) {
        end = digits(end + 1);
    }
    if byte_is(end, b"eE") {
        let sign = usize::from(byte_is(end + 1, b"+-"));
        if digit_at(end + 1 + sign) {
            end = digits(end + 1 + sign);
        }
    }
    end
}

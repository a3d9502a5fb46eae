//! Tokens to items: brackets are matched, nesting is bounded, and the file is cut where an item begins.
//!
//! In: the tokens of a file. Out: [`Chunk`]s in order that cover all tokens, and the faults of brackets. Keywords are
//! contextual, so a chunk begins only outside brackets and where no expression can go on. Invariant: a chunk that is
//! not `bad` has matched brackets, at most [`MAX_DEPTH`] deep, and bounded chains of `else` and `^`.

use super::scan::{Kind, RESERVED, Token};
use crate::source::{Code, Diagnostic, FileId, Span, nearest};

/// How deep brackets may stand in each other.
pub(super) const MAX_DEPTH: usize = 200;
/// How many `else` and `^` an item may have.
pub(super) const MAX_CHAIN: usize = 1000;

/// The words that begin an item.
pub(crate) const ITEM_WORDS: [&str; 13] = [
    "model",
    "def",
    "loss",
    "data",
    "train",
    "game",
    "optimiser",
    "transform",
    "prim",
    "const",
    "dim",
    "type",
    "import",
];

/// The tokens of one item.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Chunk {
    /// Its first token.
    pub(super) from: usize,
    /// One past its last token.
    pub(super) to: usize,
    /// Whether a fault of it was reported already, so that it is not parsed.
    pub(super) bad: bool,
}

/// Cuts a file; faults go to `out`.
pub(super) fn cut(file: FileId, text: &str, tokens: &[Token], out: &mut Vec<Diagnostic>) -> Vec<Chunk> {
    let mut cutter = Cutter {
        file,
        text,
        tokens,
        chunks: Vec::new(),
        open: Vec::new(),
        // Only a file whose brackets do not match is searched for the place where the next item must begin.
        recover: !balanced(text, tokens),
        lost: false,
        chain: 0,
        out,
    };
    for at in 0..tokens.len() {
        cutter.step(at);
    }
    cutter.finish()
}

fn balanced(text: &str, tokens: &[Token]) -> bool {
    let mut open = Vec::new();
    for token in tokens {
        match token.kind {
            Kind::Open => open.push(token.of(text)),
            Kind::Close if open.pop().map(closer) != Some(token.of(text)) => return false,
            _ => {}
        }
    }
    open.is_empty()
}

/// The bracket that closes another.
fn closer(open: &str) -> &'static str {
    match open {
        "(" => ")",
        "[" => "]",
        _ => "}",
    }
}

struct Cutter<'a> {
    file: FileId,
    text: &'a str,
    tokens: &'a [Token],
    chunks: Vec<Chunk>,
    /// The brackets that are open.
    open: Vec<Token>,
    recover: bool,
    /// Whether brackets mean nothing until the next item that begins at the margin.
    lost: bool,
    /// `else` and `^` so far in this chunk.
    chain: usize,
    out: &'a mut Vec<Diagnostic>,
}

impl Cutter<'_> {
    fn step(&mut self, at: usize) {
        let Some(&token) = self.tokens.get(at) else { return };
        let anew = self.recover && self.begins_at_margin(at);
        if anew {
            self.unclosed(Some(token));
            self.open.clear();
        }
        if anew || self.chunks.is_empty() || (self.open.is_empty() && !self.lost && self.begins(at)) {
            if let Some(last) = self.chunks.last_mut() {
                last.to = at;
            }
            self.chunks.push(Chunk { from: at, to: self.tokens.len(), bad: false });
            self.lost = false;
            self.chain = 0;
        }
        match token.kind {
            Kind::Open if !self.lost => {
                self.open.push(token);
                if self.open.len() == MAX_DEPTH + 1 {
                    self.fault(
                        Diagnostic::error(Code::NESTING, format!("brackets are nested more than {MAX_DEPTH} deep"))
                            .at(self.span(token), format!("this is number {}", MAX_DEPTH + 1))
                            .help("give an inner part a name with `let`, `def` or `model`"),
                    );
                }
            }
            Kind::Close if !self.lost => self.close(token),
            Kind::OpenText => self.fault(
                Diagnostic::error(Code::SYNTAX, "this text is not closed")
                    .at(self.span(token), "begins here and does not end on this line")
                    .help("add a `\"`"),
            ),
            Kind::Word | Kind::Sign if matches!(token.of(self.text), "else" | "^") => {
                self.chain += 1;
                if self.chain == MAX_CHAIN + 1 {
                    self.fault(
                        Diagnostic::error(Code::NESTING, format!("more than {MAX_CHAIN} `else` and `^` in one item"))
                            .at(self.span(token), format!("this is number {}", MAX_CHAIN + 1))
                            .help("give a part a name with `let`, `def` or `model`"),
                    );
                }
            }
            _ => {}
        }
    }

    fn close(&mut self, token: Token) {
        let found = token.of(self.text);
        match self.open.pop() {
            Some(open) if closer(open.of(self.text)) == found => {}
            Some(open) => {
                let wanted = open.of(self.text);
                self.fault(
                    Diagnostic::error(Code::BRACKETS, format!("`{found}` does not close `{wanted}`"))
                        .at(self.span(token), format!("`{}` is needed first", closer(wanted)))
                        .also(self.span(open), "opened here")
                        .help(format!("add `{}` before it, or change one of the two", closer(wanted))),
                );
                self.lost = true;
            }
            None => {
                self.fault(
                    Diagnostic::error(Code::BRACKETS, format!("`{found}` closes nothing"))
                        .at(self.span(token), "no bracket is open here")
                        .help("remove it, or add the bracket that it closes"),
                );
                self.lost = true;
            }
        }
    }

    /// Reports the innermost open bracket when the item must be over.
    fn unclosed(&mut self, next: Option<Token>) {
        if self.lost {
            return;
        }
        let Some(&open) = self.open.last() else { return };
        let sign = open.of(self.text);
        let (end, word) = match (next, self.tokens.last()) {
            (Some(next), _) => (next, "the next item begins here"),
            (None, Some(last)) => (*last, "the file ends here"),
            (None, None) => return,
        };
        let mut diagnostic =
            Diagnostic::error(Code::BRACKETS, format!("`{sign}` is never closed")).at(self.span(open), "opened here");
        if end != open {
            diagnostic = diagnostic.also(self.span(end), word);
        }
        self.fault(diagnostic.help(format!("add `{}`", closer(sign))));
    }

    fn finish(mut self) -> Vec<Chunk> {
        self.unclosed(None);
        self.chunks
    }

    /// Reports a fault of the current item, once.
    fn fault(&mut self, diagnostic: Diagnostic) {
        if let Some(last) = self.chunks.last_mut()
            && !last.bad
        {
            last.bad = true;
            self.out.push(diagnostic);
        }
    }

    fn span(&self, token: Token) -> Span {
        Span::new(self.file, token.start, token.end)
    }

    fn token(&self, at: usize) -> Option<Token> {
        self.tokens.get(at).copied()
    }

    fn word(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |t| t.of(self.text))
    }

    fn named(&self, at: usize) -> bool {
        self.token(at).is_some_and(|t| matches!(t.kind, Kind::Word | Kind::Text | Kind::OpenText))
    }

    /// An item word at the margin with a name after it: believed even where brackets are open.
    fn begins_at_margin(&self, at: usize) -> bool {
        self.token(at).is_some_and(|t| t.margin && t.kind == Kind::Word)
            && ITEM_WORDS.contains(&self.word(at))
            && self.named(at + 1)
    }

    /// Whether an item begins at this token, which stands outside brackets.
    fn begins(&self, at: usize) -> bool {
        let (Some(token), Some(chunk)) = (self.token(at), self.chunks.last()) else { return false };
        let word = self.word(at);
        if matches!(word, "#" | "/*") {
            return token.first;
        }
        if token.kind != Kind::Word || at == chunk.from + 1 {
            return false;
        }
        // No expression goes on with `let` outside a block; and `from std import nn` is one slip.
        if word == "let" && token.margin {
            return self.named(at + 1);
        }
        if word == "import" && self.word(chunk.from) == "from" && !token.first {
            return false;
        }
        let goes_on = |w: &str| ["on", "per", "as", "evaluate", "in"].contains(&w) || RESERVED.contains(&w);
        let after = self.word(at + 1);
        let opener = self.word(chunk.from);
        if !self.may_end(at - 1, opener) {
            // After an operator two words in a row, at the start of a line, are no expression: the item broke off.
            let same_line = self.token(at + 1).is_some_and(|t| !t.first);
            let operator = self.token(at - 1).is_some_and(|t| t.kind == Kind::Sign);
            return token.first
                && operator
                && ITEM_WORDS.contains(&word)
                && same_line
                && self.named(at + 1)
                && !goes_on(after);
        }
        if ITEM_WORDS.contains(&word) {
            return self.named(at + 1) || (token.first && !matches!(after, "=" | ">>" | "*" | "+" | "." | ","));
        }
        // A word that begins no item, where only an item can begin: a slip of the keyboard.
        token.first && !goes_on(word) && self.named(at + 1) && (token.margin || near(word, &ITEM_WORDS).is_some())
    }

    /// Whether the item that began with `opener` may end with this token.
    fn may_end(&self, at: usize, opener: &str) -> bool {
        let Some(token) = self.token(at) else { return false };
        match token.kind {
            Kind::Number | Kind::Text | Kind::OpenText | Kind::Close => true,
            Kind::Open => false,
            Kind::Sign => matches!(token.of(self.text), ";" | ","),
            Kind::Word => match token.of(self.text) {
                "as" => opener != "import",
                "on" | "per" => !matches!(opener, "optimiser" | "transform"),
                word => !RESERVED.contains(&word),
            },
        }
    }
}

/// The word of the list that `word` was meant to be.
pub(super) fn near<'w>(word: &str, list: &[&'w str]) -> Option<&'w str> {
    nearest(word, list.iter().copied())
}

/// The comment lines that stand directly above the item whose first token begins at `start`.
pub(super) fn doc(text: &str, start: usize) -> Vec<std::sync::Arc<str>> {
    let before = text.get(..start).unwrap_or("");
    let line_start = before.rfind(['\n', '\r']).map_or(0, |at| at + 1);
    let head = before.get(line_start..).unwrap_or("");
    if !head.trim_start_matches('\u{feff}').trim().is_empty() {
        return Vec::new();
    }
    let above = before.get(..line_start).unwrap_or("");
    let mut lines: Vec<std::sync::Arc<str>> = Vec::new();
    for line in above.lines().rev() {
        let Some(comment) = line.trim_start_matches('\u{feff}').trim().strip_prefix("//") else { break };
        lines.push(comment.strip_prefix(' ').unwrap_or(comment).into());
    }
    lines.reverse();
    lines
}

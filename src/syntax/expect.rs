//! What to say when an item does not parse: what was expected in human words, what was found, and one suggestion.
//!
//! In: pest's position with the rules that were tried there, and the tokens around it. Out: one [`Diagnostic`] at the
//! offending token. Invariant: no rule name of the grammar is ever shown.

use super::grammar::Rule;
use super::scan::{Kind, RESERVED, Token};
use crate::source::{Code, Diagnostic, FileId, Span};

/// An item that did not parse.
pub(super) struct Failure<'a> {
    /// The file of the item.
    pub(super) file: FileId,
    /// The text of the file.
    pub(super) text: &'a str,
    /// The tokens of the item.
    pub(super) tokens: &'a [Token],
    /// Where the parser could go no further.
    pub(super) at: usize,
    /// What it tried there.
    pub(super) tried: Vec<Rule>,
}

impl Failure<'_> {
    /// The message.
    pub(super) fn explain(&self) -> Diagnostic {
        let index = self.tokens.partition_point(|t| t.end <= self.at);
        let before = index.checked_sub(1).and_then(|i| self.tokens.get(i)).copied();
        let Some(token) = self.tokens.get(index).copied() else {
            let message = format!("expected {}, found the end of the item", self.expected());
            let place = before.map_or(Span::new(self.file, self.at, self.at), |t| self.span(t));
            return Diagnostic::error(Code::SYNTAX, message).at(place, "after this").help(self.help(index, None));
        };
        if let Some(slip) = self.slip(index, token).or_else(|| self.foreign(index, token)) {
            return slip;
        }
        let message = format!("expected {}, found {}", self.expected(), self.found(token));
        Diagnostic::error(Code::SYNTAX, message)
            .at(self.span(token), "cannot stand here")
            .help(self.help(index, Some(token)))
    }

    /// The slips with a message of their own.
    fn slip(&self, index: usize, token: Token) -> Option<Diagnostic> {
        let sign = token.of(self.text);
        let operator = self.tried.iter().any(|r| is_operator(*r));
        if let Some(missing) = self.then(index, token) {
            return Some(missing);
        }
        if operator && let Some((name, bracket)) = self.blank(index, token) {
            return Some(self.blank_before_bracket(bracket, name));
        }
        if token.kind != Kind::Open
            && let Some(apart) = self.side_by_side(index)
        {
            return Some(apart);
        }
        // After `then` or an operator an `if` needs brackets of its own.
        if sign == "if" && index > 0 && self.expected().contains("an expression") {
            return Some(
                Diagnostic::error(Code::SYNTAX, "an `if` inside an expression stands in brackets")
                    .at(self.span(token), "begins here")
                    .help("write `(if .. then .. else ..)`"),
            );
        }
        if sign == ";" && operator && self.tokens.get(index + 1).is_some() {
            return Some(
                Diagnostic::error(Code::SLIP_SEQUENCE, "`;` does not compose")
                    .at(self.span(token), "nothing ends here")
                    .help("write `>>` to compose"),
            );
        }
        // `{ optimiser = adam(lr = 1); clip_norm(1) }`: the name after `;` was taken for a field.
        let two_back = index.checked_sub(2).and_then(|i| self.tokens.get(i));
        if self.tried.as_slice() == [Rule::eq]
            && let Some(end) = two_back.filter(|t| t.of(self.text) == ";")
        {
            return Some(
                Diagnostic::error(Code::SLIP_SEQUENCE, "`;` does not compose")
                    .at(self.span(*end), "a field ends here, and this begins the next")
                    .help("write `>>` to compose"),
            );
        }
        if sign == "=" && self.tried.contains(&Rule::tilde) {
            return Some(
                Diagnostic::error(Code::SYNTAX, "a port is drawn with `~`, not set with `=`")
                    .at(self.span(token), "expected `~`")
                    .help("write `~` and a distribution, a const or a list"),
            );
        }
        None
    }

    /// The bracket with a blank before it that stops the parser here, and the token that it should touch: `f (x)`, or
    /// `let y = f (x) y`, where `(x)` was taken for the value of the block.
    fn blank(&self, index: usize, token: Token) -> Option<(Token, Token)> {
        let token_at = |at: usize| self.tokens.get(at).copied();
        if token.kind == Kind::Open {
            let name = token_at(index.checked_sub(1)?)?;
            return (name.end < token.start).then_some((name, token));
        }
        let mut at = index.checked_sub(1)?;
        let mut depth = 0_usize;
        loop {
            match token_at(at)?.kind {
                Kind::Close => depth += 1,
                Kind::Open => depth = depth.checked_sub(1)?,
                _ => {}
            }
            if depth == 0 {
                break;
            }
            at = at.checked_sub(1)?;
        }
        let (bracket, name) = (token_at(at)?, token_at(at.checked_sub(1)?)?);
        let word = name.of(self.text);
        let introduces = ["put", "get", "fwd", "rev", "evaluate"].contains(&word) || RESERVED.contains(&word);
        let apart = bracket.kind == Kind::Open && name.end < bracket.start && !bracket.first;
        let block = self.tried.contains(&Rule::b_close);
        (apart && block && name.kind == Kind::Word && !introduces).then_some((name, bracket))
    }

    /// `f (x)`: an error where nothing else is possible.
    fn blank_before_bracket(&self, bracket: Token, name: Token) -> Diagnostic {
        let head: String = name.of(self.text).chars().take(24).collect();
        Diagnostic::error(Code::SYNTAX, "a bracket must touch the name it belongs to")
            .at(self.span(bracket), "a blank stands before this bracket")
            .also(self.span(name), "so it does not belong to this")
            .help(format!("write `{head}{}` without the blank", bracket.of(self.text)))
    }

    pub(super) fn span(&self, token: Token) -> Span {
        Span::new(self.file, token.start, token.end)
    }

    /// The offending token, as a message names it.
    fn found(&self, token: Token) -> String {
        let text = token.of(self.text);
        let mut short: String = text.chars().take(24).collect();
        if short.len() < text.len() {
            short.push_str("..");
        }
        let invisible = |c: char| c.is_whitespace() || c.is_control() || ('\u{200b}'..='\u{200f}').contains(&c);
        match text.chars().next() {
            Some(c) if invisible(c) => format!("the invisible character U+{:04X}", c as u32),
            _ if RESERVED.contains(&text) => format!("the word `{short}`"),
            _ => format!("`{short}`"),
        }
    }

    /// At most four of the things that could stand there, the most telling first.
    pub(super) fn expected(&self) -> String {
        let operator = self.tried.iter().any(|r| is_operator(*r));
        let mut words: Vec<(u8, &str)> = Vec::new();
        for rule in &self.tried {
            // What may follow any expression, or begin any statement, tells nothing.
            let noise = match rule {
                Rule::p_open | Rule::s_open | Rule::b_open => operator,
                Rule::eq | Rule::dots | Rule::kw_then | Rule::kw_in => operator,
                Rule::ident => self.tried.contains(&Rule::kw_let),
                Rule::semi => self.tried.contains(&Rule::comma),
                _ => false,
            };
            let word = human(*rule);
            if !noise && !words.contains(&word) {
                words.push(word);
            }
        }
        words.sort_by_key(|(rank, _)| *rank);
        words.truncate(4);
        let words: Vec<&str> = words.into_iter().map(|(_, word)| word).collect();
        match words.split_last() {
            None => "something else".to_owned(),
            Some((last, [])) => (*last).to_owned(),
            Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        }
    }
}

pub(super) fn is_operator(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::seq | Rule::mul | Rule::add | Rule::cmp | Rule::caret | Rule::power | Rule::kw_xor | Rule::kw_mod
    )
}

/// The keywords that a rule stands for.
pub(super) fn keywords(rule: Rule) -> &'static [&'static str] {
    match rule {
        Rule::goal => &["minimises", "maximises"],
        Rule::scope_word => &["coordinate", "tensor", "matrix", "global"],
        Rule::kw_as => &["as"],
        Rule::kw_on => &["on"],
        Rule::kw_with => &["with"],
        Rule::kw_per | Rule::scope => &["per"],
        Rule::kw_fwd | Rule::fwd => &["fwd"],
        Rule::kw_rev | Rule::rev => &["rev"],
        Rule::kw_state | Rule::state => &["state"],
        Rule::kw_noise | Rule::noise | Rule::drawn => &["noise"],
        Rule::kw_get | Rule::get => &["get"],
        Rule::kw_put | Rule::put => &["put"],
        Rule::kw_step | Rule::steps => &["step"],
        Rule::kw_evaluate | Rule::evaluate => &["evaluate"],
        Rule::kw_player | Rule::player => &["player"],
        Rule::kw_let => &["let"],
        Rule::kw_next => &["next"],
        Rule::kw_then => &["then"],
        Rule::kw_else => &["else"],
        _ => &[],
    }
}

/// A rule in human words, with a rank: needed signs and words first, operators and ends last.
fn human(rule: Rule) -> (u8, &'static str) {
    match rule {
        Rule::colon => (0, "`:`"),
        Rule::eq => (0, "`=`"),
        Rule::arrow_sign => (0, "`->`"),
        Rule::tilde => (1, "`~`"),
        Rule::kw_with => (0, "`with`"),
        Rule::kw_on => (1, "`on`"),
        Rule::kw_per | Rule::scope => (3, "`per`"),
        Rule::kw_as => (3, "`as`"),
        Rule::kw_fwd | Rule::fwd => (0, "`fwd`"),
        Rule::kw_rev | Rule::rev => (0, "`rev`"),
        Rule::kw_state | Rule::state => (2, "`state`"),
        Rule::kw_noise | Rule::noise | Rule::drawn => (4, "`noise`"),
        Rule::kw_get | Rule::get => (2, "`get`"),
        Rule::kw_put | Rule::put => (1, "`put`"),
        Rule::kw_step | Rule::steps => (2, "`step`"),
        Rule::kw_evaluate | Rule::evaluate => (4, "`evaluate`"),
        Rule::kw_player | Rule::player => (1, "`player`"),
        Rule::kw_then => (0, "`then`"),
        Rule::kw_else => (0, "`else`"),
        Rule::kw_in => (5, "`in`"),
        Rule::kw_let | Rule::let_stmt => (2, "`let`"),
        Rule::kw_next | Rule::next_stmt => (2, "`next`"),
        Rule::goal => (0, "`minimises` or `maximises`"),
        Rule::scope_word => (0, "`coordinate`, `tensor`, `matrix` or `global`"),
        Rule::comma => (1, "`,`"),
        Rule::semi => (4, "`;`"),
        Rule::p_open | Rule::formals | Rule::args | Rule::on_ports => (2, "`(`"),
        Rule::s_open | Rule::dims_formal | Rule::dims => (2, "`[`"),
        Rule::b_open | Rule::ports | Rule::params | Rule::block => (2, "`{`"),
        Rule::p_close => (1, "`)`"),
        Rule::s_close => (1, "`]`"),
        Rule::b_close => (1, "`}`"),
        Rule::dots => (4, "`..`"),
        Rule::ident => (1, "a name"),
        Rule::path => (1, "a name"),
        Rule::string => (1, "a text in quotes"),
        Rule::hole => (4, "`_`"),
        Rule::port => (1, "a port"),
        Rule::field => (1, "a field"),
        Rule::formal => (1, "a map or a setting"),
        Rule::dim_var => (1, "a dimension variable"),
        Rule::part => (1, "a part such as `\"*.W\": sgd(lr = 0.1)`"),
        Rule::wires => (1, "wires in `( )`"),
        Rule::pat | Rule::typed_pat => (1, "the name of a wire"),
        Rule::body => (1, "a body (`= ..` or `(x) { .. }`)"),
        Rule::ty | Rule::ty_atom | Rule::ty_name | Rule::ty_tuple | Rule::named_ty | Rule::params_of => (1, "a type"),
        Rule::arrow => (1, "a type such as `R[2] -> R[3]`"),
        Rule::tensor => (4, "`*`"),
        r if is_operator(r) => (5, "an operator"),
        Rule::EOI => (6, "the end of the item"),
        Rule::import | Rule::item | Rule::one | Rule::file => (1, "an item"),
        _ => (1, "an expression"),
    }
}

//! The parser that never fails.
//!
//! In: the text of a file. Out: the items that could be read, and every message about the others. The file is cut
//! into items first (`cut`), so an error in one hides none in another. Invariant: no input makes this panic or
//! overflow the stack; an item with an error is left out or repaired, never half built.

use super::ast::{File, Item};
use super::build_expr::Builder;
use super::cut::{self, Chunk, ITEM_WORDS, near};
use super::expect::Failure;
use super::foreign;
use super::grammar::{Lens, Rule};
use super::scan::{Kind, Token, scan};
use crate::source::{Code, Diagnostic, Diagnostics, FileId, Span, alternatives};
use pest::Parser;
use pest::error::{ErrorVariant, InputLocation};

/// Room for the deepest item that [`cut`] lets through; pages that are not used cost nothing.
pub(super) const STACK: usize = 64 << 20;

/// Reads the text of one file: its items in order, and what is to be said about the rest.
///
/// ```
/// use catlearn::source::FileId;
/// let (file, messages) = catlearn::syntax::parse(FileId(0), "model mlp : R[4] -> R[3] = dense[4, 3]");
/// assert_eq!(file.items.len(), 1);
/// assert!(messages.0.is_empty());
/// ```
#[must_use]
pub fn parse(file: FileId, text: &str) -> (File, Diagnostics) {
    stacker::grow(STACK, || whole(file, text))
}

fn whole(file: FileId, text: &str) -> (File, Diagnostics) {
    let tokens = scan(text);
    let mut out = Vec::new();
    let chunks = cut::cut(file, text, &tokens, &mut out);
    let (mut items, mut lost) = (Vec::new(), Vec::new());
    for chunk in chunks {
        if let Some(tokens) = tokens.get(chunk.from..chunk.to) {
            match one(file, text, tokens, chunk, &mut out) {
                Some(item) => items.push(item),
                // Its name stands second; where words run into each other, behind any item word.
                None => lost.extend(names(text, tokens)),
            }
        }
    }
    let mut messages = Diagnostics(out);
    messages.sort();
    (File { items, lost }, messages)
}

/// The names that stand where an item has its name.
fn names<'t>(text: &'t str, tokens: &'t [Token]) -> impl Iterator<Item = std::sync::Arc<str>> + 't {
    tokens.windows(2).enumerate().filter_map(move |(at, pair)| match pair {
        [word, name] if name.kind == Kind::Word && (at == 0 || ITEM_WORDS.contains(&word.of(text))) => {
            Some(name.of(text).into())
        }
        _ => None,
    })
}

/// Reads one item.
fn one(file: FileId, text: &str, tokens: &[Token], chunk: Chunk, out: &mut Vec<Diagnostic>) -> Option<Item> {
    let (first, last) = (tokens.first()?, tokens.last()?);
    if chunk.bad {
        return None;
    }
    if first.kind != Kind::Word || !ITEM_WORDS.contains(&first.of(text)) {
        out.push(no_item(file, text, *first));
        return None;
    }
    let span = Span::new(file, first.start, last.end);
    let inside = text.get(first.start..last.end)?;
    let node = match Lens::parse(Rule::one, inside) {
        Ok(mut pairs) => pairs.next()?.into_inner().next()?,
        Err(error) => {
            let (InputLocation::Pos(at) | InputLocation::Span((at, _))) = error.location;
            let tried = match error.variant {
                ErrorVariant::ParsingError { positives, .. } => positives,
                // The limits of pest itself; `cut` keeps items far below them.
                ErrorVariant::CustomError { .. } => {
                    out.push(
                        Diagnostic::error(Code::NESTING, "this item is nested too deeply")
                            .at(span, "too deep to read")
                            .help("give a part a name with `let`, `def` or `model`"),
                    );
                    return None;
                }
            };
            out.push(Failure { file, text, tokens, at: first.start + at, tried }.explain());
            return None;
        }
    };
    let mut builder = Builder { file, base: first.start, text: inside, states: Vec::new(), out: Vec::new() };
    let kind = builder.item(node);
    let said = builder.out.iter().any(Diagnostic::is_error);
    out.append(&mut builder.out);
    match kind {
        Some(kind) => {
            let doc = if first.first { cut::doc(text, first.start) } else { Vec::new() };
            Some(Item { span, doc, kind })
        }
        None => {
            if !said {
                out.push(
                    Diagnostic::error(Code::SYNTAX, "this item cannot be read")
                        .at(span, "has no meaning as it stands")
                        .help("write it in smaller parts"),
                );
            }
            None
        }
    }
}

/// Something stands where an item must begin.
fn no_item(file: FileId, text: &str, token: Token) -> Diagnostic {
    let word: String = token.of(text).chars().take(24).collect();
    let at = Span::new(file, token.start, token.end);
    if let Some(help) = foreign::item_word(&word) {
        return Diagnostic::error(Code::FOREIGN, format!("no item begins with `{word}`"))
            .at(at, "an item must begin here")
            .help(help);
    }
    let help = match near(&word, &ITEM_WORDS) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("an item begins with {}", alternatives(&ITEM_WORDS)),
    };
    Diagnostic::error(Code::SYNTAX, format!("no item begins with `{word}`"))
        .at(at, "an item must begin here")
        .help(help)
}

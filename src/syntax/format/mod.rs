//! The formatter: text to text.
//!
//! In: a `.lens` file. Out: the same program in the one style of `docs/formatting.md`, or why it cannot be read. The
//! way is that of Prettier: tokens with their comments and pest's pairs (`tree`), a document (`layout`), lines
//! (`print`). Of the user's line breaks those after an opening bracket, between fields, before `>>` and behind the `=`
//! of a model are kept. Invariant: what is returned has the tree and the comments of what came in, formatted again it
//! is itself; this is looked at on every call, not only in tests.

mod bracket;
mod doc;
mod expr;
mod item;
mod layout;
mod print;
mod same;
mod tree;

use super::cut::cut;
use super::grammar::{Lens, Rule};
use super::parse::{STACK, parse};
use super::scan::scan;
use crate::source::{Code, Diagnostic, Diagnostics, FileId, Span};
use pest::Parser;
use tree::{Planter, Tree};

pub use same::{comments, same_tree};

/// Formats the text of one file.
///
/// ```
/// let tidy = catlearn::syntax::format("model  m:R[4]->R[3]=dense[4,8]>>tanh>>dense[8,3]").unwrap_or_default();
/// assert_eq!(tidy, "model m : R[4] -> R[3] = dense[4, 8] >> tanh >> dense[8, 3]\n");
/// ```
///
/// # Errors
/// The messages of the parser when the file has an error; nothing is formatted then.
pub fn format(text: &str) -> Result<String, Diagnostics> {
    format_to(text, print::WIDTH)
}

/// Formats a text for lines of `width` columns, as [`format()`] does for 100.
///
/// # Errors
/// As [`format()`] has.
pub fn format_to(text: &str, width: usize) -> Result<String, Diagnostics> {
    let (file, said) = parse(FileId(0), text);
    if said.has_errors() {
        return Err(said);
    }
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    let tidy = stacker::grow(STACK, || whole(&lines, width))?;
    let (again, said) = parse(FileId(0), &tidy);
    if said.has_errors() || !same_tree(&file, &again) || comments(text) != comments(&tidy) {
        return Err(Diagnostic::error(Code::SYNTAX, "this file cannot be formatted without changing what it means")
            .at(Span::new(FileId(0), 0, 0), "in this file")
            .note("this is a fault of catlearn, not of the file; the file is left as it is")
            .help("please report it with the file")
            .into());
    }
    Ok(tidy)
}

fn whole(text: &str, width: usize) -> Result<String, Diagnostics> {
    Ok(print::print(&layout::file(&mut plant(text)?, width), width))
}

/// The tokens and items of a text that has no errors.
fn plant(text: &str) -> Result<Tree<'_>, Diagnostics> {
    let tokens = scan(text);
    let mut said = Vec::new();
    let chunks = cut(FileId(0), text, &tokens, &mut said);
    let mut planter = Planter::new(text);
    for chunk in chunks {
        let Some([first, .., last] | [first @ last]) = tokens.get(chunk.from..chunk.to) else { continue };
        let inside = text.get(first.start..last.end).unwrap_or("");
        let pairs = Lens::parse(Rule::one, inside).ok().and_then(|mut pairs| pairs.next());
        let Some(item) = pairs.and_then(|one| one.into_inner().next()) else {
            let span = Span::new(FileId(0), first.start, last.end);
            return Err(Diagnostic::error(Code::SYNTAX, "this item cannot be read")
                .at(span, "read before, and not now")
                .help("please report it with the file")
                .into());
        };
        planter.item(item, first.start);
    }
    Ok(planter.finish())
}

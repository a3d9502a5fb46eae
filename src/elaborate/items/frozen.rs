//! `frozen = [..]`: parameters that a run leaves as they are drawn.
//!
//! In: the field and the paths of the parameters. Out: which of them no rule moves. An entry is a path, the beginning
//! of one up to a dot, or a pattern in which `*` crosses dots.

use crate::elaborate::items::listed::listed;
use crate::elaborate::scope::names::nearest;
use crate::elaborate::session::Elab;
use crate::elaborate::terms::stages::matches_pattern;
use crate::elaborate::value::{Res, fault};
use crate::source::{Code, Diagnostic, Diagnostics, Span};
use crate::syntax::ast::{Expr, ExprKind};
use std::sync::Arc;

/// An entry as written.
pub(crate) struct Entry {
    pattern: String,
    span: Span,
}

impl Entry {
    fn names(&self, path: &str) -> bool {
        let below = path.strip_prefix(self.pattern.as_str()).is_some_and(|rest| rest.starts_with('.'));
        below || matches_pattern(&self.pattern, path)
    }
}

/// The entries of the field.
pub(crate) fn entries(elab: &mut Elab<'_>, e: Option<&Expr>) -> Vec<Entry> {
    let Some(e) = e else { return Vec::new() };
    let list = listed(e, "frozen");
    let found: Vec<Res<Entry>> = elab.keep(list).unwrap_or_default().into_iter().map(entry).collect();
    found.into_iter().filter_map(|entry| elab.keep(entry)).collect()
}

fn entry(e: &Expr) -> Res<Entry> {
    let pattern = match &e.kind {
        ExprKind::Text(text) => text.to_string(),
        ExprKind::Path(path) => path.iter().map(|p| &*p.name).collect::<Vec<_>>().join("."),
        _ => {
            return fault(
                Diagnostic::error(Code::TRAIN_FIELD, "`frozen` is a list of parameters by path")
                    .at(e.span, "not a path")
                    .help("for example `frozen = [\"net.0.W\", \"*.b\"]`"),
            );
        }
    };
    Ok(Entry { pattern, span: e.span })
}

/// Which parameters the entries name; every entry must name one.
pub(crate) fn frozen(entries: &[Entry], paths: &[Arc<str>], said: &mut Diagnostics) -> Vec<bool> {
    for entry in entries.iter().filter(|e| !paths.iter().any(|p| e.names(p))) {
        let d = Diagnostic::error(Code::UNKNOWN_NAME, format!("there is no parameter `{}`", entry.pattern))
            .at(entry.span, "names nothing")
            .note(format!("the parameters are {}", paths.join(", ")));
        let near = nearest(&entry.pattern, paths.iter().map(|p| &**p));
        said.push(match near {
            Some(near) => d.help(format!("did you mean `\"{near}\"`?")),
            None => d.help("a path with a number in it stands in quotes: `\"net.0.W\"`; `*` stands for any text"),
        });
    }
    paths.iter().map(|path| entries.iter().any(|e| e.names(path))).collect()
}

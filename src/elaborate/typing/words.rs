//! Words among settings: `gru(reset = before)`.
//!
//! In: what a call gives to a setting, and what the definition compares it with. Out: a message for a word that it does
//! not know; the words of a setting are its default and those that the body compares it with.

use crate::elaborate::scope::mentions::Words;
use crate::elaborate::scope::names::nearest;
use crate::elaborate::session::Elab;
use crate::elaborate::value::{Den, Res, Value, fault};
use crate::source::{Code, Diagnostic, alternatives};
use crate::syntax::ast::{Expr, ExprKind, Formal, FormalKind, Ident, ItemKind};
use std::sync::Arc;

impl<'p> Elab<'p> {
    /// Refuses what is none of the words of a setting.
    pub(crate) fn word_known(
        &self,
        words: impl FnOnce() -> Words<'p>,
        (name, formal): (&Ident, &'p Formal),
        given: &Den<'p>,
        e: &Expr,
    ) -> Res<()> {
        let word: Option<Arc<str>> = match given {
            Den::Word(word) => Some(word.clone()),
            // A word that is also the name of a map: `mask = mean`.
            Den::Map(closure) => match &closure.expr.kind {
                ExprKind::Path(path) => path.last().map(|n| n.name.clone()),
                _ => None,
            },
            // A number in place of a word, unless it is a sample of one.
            Den::Wires(Value::Number(_)) | Den::Flag(_)
                if !self.sampled
                    && matches!(&formal.kind, FormalKind::Default(e) if matches!(e.kind, ExprKind::Path(_))) =>
            {
                None
            }
            _ => return Ok(()),
        };
        let Some(known) = words().known(formal).filter(|all| all.iter().all(|w| !self.is_number(w, formal))) else {
            return Ok(());
        };
        if word.as_ref().is_some_and(|w| known.contains(&&**w)) {
            return Ok(());
        }
        let Some(first) = known.first() else { return Ok(()) };
        let near = word.as_ref().and_then(|w| nearest(w, known.iter().copied()));
        let shown = word.as_deref().unwrap_or_else(|| self.defs.sources.slice(e.span));
        let d = Diagnostic::error(
            Code::SETTING,
            format!("`{}` of `{}` is {}, not `{shown}`", formal.name.name, name.name, alternatives(&known)),
        )
        .at(e.span, "not one of its words");
        let d = if self.defs.in_prelude(name.span) { d } else { d.also(formal.name.span, "declared here") };
        fault(match near {
            Some(near) => d.help(format!("did you mean `{near}`?")),
            None => d.help(format!("write `{} = {first}`", formal.name.name)),
        })
    }

    /// Whether a name that a setting is compared with is a number of its file.
    fn is_number(&self, word: &str, formal: &Formal) -> bool {
        let item = self
            .defs
            .file_of(formal.name.span.file)
            .and_then(|file| self.defs.resolve(file, word))
            .and_then(|id| self.defs.item(id));
        matches!(item.map(|i| &i.kind), Some(ItemKind::Dim(_) | ItemKind::Const(_)))
    }
}

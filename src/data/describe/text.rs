//! `text("t.txt", window = 16, stride = 1, vocabulary = "..")` from the tree of a `data` item.
//!
//! In: the call. Out: an [`OriginKind::Text`]. Invariant: window and stride are at least 1, the characters of a vocabulary
//! are distinct.

use crate::data::describe::{Call, Reader};
use crate::data::source::text::shown;
use crate::data::spec::{OriginKind, Windows};
use crate::source::Span;
use crate::syntax::ast::Expr;
use std::sync::Arc;

const SETTINGS: [&str; 3] = ["window", "stride", "vocabulary"];

impl Reader<'_> {
    /// Reads a text with its settings.
    pub(crate) fn text_source(&mut self, call: &Call<'_>, span: Span) -> Option<OriginKind> {
        self.nothing_in(call.name, "[ ]", &call.dims)?;
        let (mut files, mut window, mut stride, mut vocabulary) = (Vec::new(), None, 1, None);
        for arg in &call.args {
            let expr = self.value(arg)?;
            match arg.name.as_ref().map(|n| (&*n.name, n)) {
                None => files.push((self.text(expr)?, expr.span)),
                Some(("window", _)) => window = Some(self.whole(expr, 1)?),
                Some(("stride", _)) => stride = self.whole(expr, 1)?,
                Some(("vocabulary", _)) => vocabulary = Some(self.vocabulary(expr)?),
                Some((_, name)) => return self.no_setting(call.name, name, &SETTINGS),
            }
        }
        let [file] = files.as_slice() else {
            let message = format!("`text` reads one file, here are {}", files.len());
            return self.unfit(
                message,
                span,
                "write `text(\"t.txt\", window = 16)`; another text goes to `test = text(..)`",
            );
        };
        let Some(window) = window else {
            return self.unfit("`text` needs the length of a window", span, "write `text(\"t.txt\", window = 16)`");
        };
        Some(OriginKind::Text { file: file.clone(), windows: Windows { window, stride }, vocabulary })
    }

    fn vocabulary(&mut self, expr: &Expr) -> Option<Arc<[char]>> {
        let text = self.text(expr)?;
        let characters: Vec<char> = text.chars().collect();
        if characters.is_empty() {
            return self.unfit(
                "this vocabulary has no characters",
                expr.span,
                "leave it off to take those of the text",
            );
        }
        if let Some((_, twice)) =
            characters.iter().enumerate().find(|(at, c)| characters.iter().take(*at).any(|d| d == *c))
        {
            let message = format!("the vocabulary has {} twice", shown(*twice));
            return self.unfit(message, expr.span, "name each character once");
        }
        Some(characters.into())
    }
}

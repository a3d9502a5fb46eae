//! What follows from a fault that was said already: names that nobody could read the definition of.
//!
//! In: the messages about a whole program whose text had faults. Out: the same without those that blame a user of a name
//! which an item that did not parse, or a file that was not read, may define. One mistake is one message.

use crate::elaborate::scope::names::Definitions;
use crate::source::{Code, Diagnostic, Diagnostics};
use rustc_hash::FxHashSet;

/// Leaves the followers out of `all`; `said` is what the texts alone gave.
pub(crate) fn excuse(defs: &Definitions, said: &Diagnostics, all: &mut Diagnostics) {
    let lost: FxHashSet<&str> = defs.files.iter().flat_map(|f| &f.tree.lost).map(|n| &**n).collect();
    let unread = said.0.iter().any(|d| d.code == Code::IMPORT);
    all.0.retain(|d| {
        let follows = d.code == Code::UNKNOWN_NAME && !said.0.contains(d);
        let meant = d.help.as_ref().is_some_and(|h| h.starts_with("did you mean"));
        !(follows && (lost.contains(first_name(defs, d)) || (unread && !meant)))
    });
}

/// The name at the place of a message: the first word there.
fn first_name<'d>(defs: &'d Definitions, d: &Diagnostic) -> &'d str {
    let text = d.span().map_or("", |s| defs.sources.slice(s));
    text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '\''))).next().unwrap_or("")
}

//! Near names, for "did you mean", and short lists in messages.
//!
//! In: what was written and what exists. Out: the words of a message.

pub(crate) use crate::source::nearest;

/// `did you mean ..`, else the list of what exists.
pub(crate) fn suggestion(written: &str, names: &[&str]) -> String {
    match nearest(written, names.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("use one of {}", list(names)),
    }
}

/// Names between backquotes, at most twelve of them.
pub(crate) fn list<S: AsRef<str>>(names: &[S]) -> String {
    let shown: Vec<String> = names.iter().take(12).map(|n| format!("`{}`", n.as_ref())).collect();
    let more = if names.len() > 12 { format!(" and {} more", names.len() - 12) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

/// `1 row`, `2 rows`, `2 classes`.
pub(crate) fn count(n: usize, word: &str) -> String {
    let ending = if n == 1 { "" } else { "s" };
    format!("{n} {word}{}{ending}", if n != 1 && word.ends_with('s') { "e" } else { "" })
}

/// A value from a file, cut so that a message stays one line.
pub(crate) fn quoted(value: &str) -> String {
    let clean: String = value.chars().take(40).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    let more = if value.chars().nth(40).is_some() { ".." } else { "" };
    format!("`{clean}{more}`")
}

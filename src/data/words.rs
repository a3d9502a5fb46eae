//! Near names, for "did you mean", and short lists in messages.
//!
//! In: what was written and what exists. Out: the nearest existing name, if it is near enough to be a slip of the
//! hand (an edit distance of at most a third of the length, rounded up, without regard to case).

/// The nearest of the names, if one is near.
pub(crate) fn nearest<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = written.chars().count().div_ceil(3);
    let best = names.into_iter().map(|name| (distance(&written.to_lowercase(), &name.to_lowercase()), name)).min();
    best.filter(|(d, _)| *d <= limit).map(|(_, name)| name)
}

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

/// Levenshtein's edit distance, cut off for long words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut left = i + 1;
        let mut next = vec![left];
        for (y, pair) in b.iter().zip(row.windows(2)) {
            let (corner, above) = (pair.first().copied().unwrap_or(0), pair.last().copied().unwrap_or(0));
            left = (left + 1).min(above + 1).min(corner + usize::from(x != *y));
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(nearest("standardize", ["minmax", "standardise"]), Some("standardise"));
        assert_eq!(nearest("Species", ["species"]), Some("species"));
        assert_eq!(nearest("xyz", ["columns"]), None);
    }
}

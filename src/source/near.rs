//! The name that was meant, for "did you mean", and the names that could be.

/// The candidate nearest to a name, if it is near enough to be a slip of the hand: one letter in a short word, up to
/// three in a long one, without regard to case. One letter of the two is shared at least: `x` is no slip for `A`. The
/// name itself is no suggestion.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters = |word: &str| -> Vec<char> { word.to_lowercase().chars().collect() };
    let written = letters(name);
    let allowed = match written.len() {
        0..=4 => 1,
        5..=8 => 2,
        _ => 3,
    };
    let near = |c: &'a str| {
        let other = letters(c);
        let may = other.len().abs_diff(written.len()) <= allowed && c != name;
        let shared = other.len().max(written.len());
        may.then(|| (distance(&written, &other), c)).filter(|(d, _)| *d <= allowed && *d < shared)
    };
    candidates.into_iter().filter_map(near).min_by_key(|(d, _)| *d).map(|(_, c)| c)
}

/// Letters put in, left out, changed or swapped with a neighbour (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let (mut before, mut row): (Vec<usize>, Vec<usize>) = (Vec::new(), (0..=b.len()).collect());
    for (i, x) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let get = |r: &[usize], at: usize| r.get(at).copied().unwrap_or(usize::MAX - 1);
            let mut best = (get(&row, j) + usize::from(x != y)).min(get(&row, j + 1) + 1).min(get(&next, j) + 1);
            if i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x) {
                best = best.min(get(&before, j - 1) + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(usize::MAX)
}

/// Words as a choice: `a`, `b` or `c`.
pub(crate) fn alternatives(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|w| format!("`{w}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.join(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        let d = |a: &str, b: &str| distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        assert_eq!((d("kitten", "sitting"), d("tahn", "tanh"), d("", "ab"), d("ab", "")), (3, 1, 2, 2));
    }

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        assert_eq!(nearest("standardize", ["minmax", "standardise"]), Some("standardise"));
        assert_eq!(nearest("ADAM", ["adagrad", "adam"]), Some("adam"));
        assert_eq!(nearest("relu", ["relu", "gelu"]), Some("gelu"));
        assert_eq!(nearest("xyz", ["columns"]), None);
        assert_eq!(nearest("net", ["dim", "def"]), None);
        assert_eq!(
            (nearest("A", ["x"]), nearest("B", ["x", "b"]), nearest("x", ["xs"])),
            (None, Some("b"), Some("xs"))
        );
    }
}

//! The words and signs of a text, and the ways in which one of them can be wrong.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

/// A small generator, so that the cases are the same on every machine.
#[derive(Default)]
pub(crate) struct Lcg(pub(crate) u64);

impl Lcg {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// Start and end of the words and signs of a text.
pub(crate) fn pieces(text: &str) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    let word = |c: char| c.is_alphanumeric() || c == '_';
    for (at, c) in text.char_indices() {
        let joins = found.last().is_some_and(|(_, end)| *end == at && word(c) && text[..at].ends_with(word));
        match found.last_mut() {
            Some(last) if joins => last.1 = at + c.len_utf8(),
            _ if !c.is_whitespace() => found.push((at, at + c.len_utf8())),
            _ => {}
        }
    }
    found
}

/// The text without its comments, so that a misprint is one of the program.
pub(crate) fn bare(text: &str) -> String {
    text.lines().map(|l| l.split("//").next().unwrap_or("").trim_end().to_owned() + "\n").collect()
}

/// The text with piece `at` left out, doubled, or in the place of the next.
pub(crate) fn misprint(text: &str, all: &[(usize, usize)], at: usize, kind: usize) -> String {
    let (start, end) = all[at];
    let next = all.get(at + 1).copied().filter(|_| kind == 2);
    match (kind, next) {
        (0, _) => format!("{}{}", &text[..start], &text[end..]),
        (2, Some((from, to))) => {
            format!("{}{}{}{}{}", &text[..start], &text[from..to], &text[end..from], &text[start..end], &text[to..])
        }
        _ => format!("{}{} {}", &text[..end], &text[start..end], &text[end..]),
    }
}

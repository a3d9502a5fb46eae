//! The page of each code, compiled in: `docs/errors/E0101.md` and its fellows.
//!
//! A code without a page fails the tests, which say what to write; a page is tested by the program that it shows.

use crate::source::Code;

/// The pages by number.
macro_rules! pages {
    ($($number:literal)*) => {
        const PAGES: &[(&str, &str)] =
            &[$(($number, include_str!(concat!("../../docs/errors/", $number, ".md"))),)*];
    };
}

pages! {
    "E0101" "E0102" "E0103" "E0104" "E0105" "E0106" "E0107" "E0110"
    "E0201" "E0202" "E0203" "E0204" "E0205" "E0206"
    "E0301" "E0302" "E0303" "E0304" "E0305" "E0306" "E0307" "E0308" "E0309" "E0310"
    "E0401" "E0402" "E0403" "E0404" "E0405"
    "E0501" "E0502" "E0503" "E0504" "E0505" "E0506" "E0507" "E0508" "E0510"
    "E0516" "E0517" "E0518" "E0519" "E0520" "E0521" "E0522"
    "E0601" "E0602" "E0603" "E0604" "E0605" "E0606"
    "E0701" "E0702" "E0703"
    "E0801" "E0802" "E0803" "E0804" "E0805" "E0806" "E0807" "E0808"
    "E0901" "E0902"
}

/// The page of a code as Markdown, if there is one.
///
/// ```
/// use catlearn::source::Code;
/// assert!(catlearn::manual::page(Code::COMPOSE).is_some_and(|page| page.starts_with("# E0301")));
/// ```
#[must_use]
pub fn page(code: Code) -> Option<&'static str> {
    let name = code.to_string();
    PAGES.iter().find(|(number, _)| *number == name).map(|(_, text)| *text)
}

//! The names that Rust gives a meaning to: one table entry each.
//!
//! A name that the elaborator, the data reader or the grammar gains gets a row here, in the table of its family; the
//! tests of the manual say which rows are missing and which are stale, and check every example.

mod bits;
mod data;
mod functions;
mod grammar;
mod initialisers;
mod runs;
mod shapes;

use super::Entry;

/// A family of names with what they are called.
pub(super) struct Table {
    pub(super) family: &'static str,
    pub(super) word: &'static str,
    pub(super) words: &'static [Word],
}

/// A row: how the name is written, its type, what it does, its settings, whole items that use it.
pub(super) struct Word {
    name: &'static str,
    form: &'static str,
    ty: &'static str,
    doc: &'static str,
    settings: &'static [(&'static str, &'static str)],
    example: &'static str,
}

const fn word(
    name: &'static str,
    form: &'static str,
    ty: &'static str,
    doc: &'static str,
    settings: &'static [(&'static str, &'static str)],
    example: &'static str,
) -> Word {
    Word { name, form, ty, doc, settings, example }
}

/// Every table.
const TABLES: &[&[Table]] = &[
    functions::TABLES,
    shapes::TABLES,
    bits::TABLES,
    initialisers::TABLES,
    runs::TABLES,
    data::TABLES,
    grammar::TABLES,
];

/// The rows as entries.
pub(super) fn entries() -> Vec<Entry> {
    let tables = TABLES.iter().flat_map(|t| t.iter());
    tables
        .flat_map(|table| {
            table.words.iter().map(|w| Entry {
                name: w.name.to_owned(),
                word: table.word.to_owned(),
                family: table.family.to_owned(),
                form: w.form.to_owned(),
                ty: w.ty.to_owned(),
                doc: w.doc.to_owned(),
                settings: w.settings.iter().map(|(n, t)| ((*n).to_owned(), (*t).to_owned())).collect(),
                example: w.example.to_owned(),
                ..Entry::default()
            })
        })
        .collect()
}

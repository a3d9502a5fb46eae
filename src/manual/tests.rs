//! Every known name has an entry, every entry is known, every example checks by itself.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use super::{Entry, FAMILIES, entries, find, later, list, prelude, shown, words};
use crate::data::known as data;
use crate::elaborate::Program;
use crate::elaborate::known::{INITIALISERS, LATER, NAMES, PRELUDE, TRAIN_FIELDS, item_name};
use crate::source::{FileId, MemoryWorld};
use crate::syntax::ast::{Formal, Item, ItemKind};
use crate::syntax::{ITEM_WORDS, RESERVED, parse};
use std::collections::BTreeSet;

/// What stands in the program.
const CONVENTION: &str = "comment lines directly above the entry, in this order:
// One sentence with the formula and its source.
// - NAME: what it is                (a line for each setting and each map passed in)
// example: one or more whole items  (further lines begin with `//   `)";

/// The items of the prelude with their files.
fn prelude_items() -> Vec<(&'static str, Item)> {
    let read = |(name, text): &(&'static str, &'static str)| {
        let name = *name;
        parse(FileId(0), text).0.items.into_iter().map(move |item| (name, item))
    };
    PRELUDE.iter().flat_map(read).collect()
}

/// The names that a comment has to tell about: settings and maps passed in.
fn passed_in(item: &Item) -> Vec<String> {
    let formals: &[Formal] = match &item.kind {
        ItemKind::Map(map) => &map.formals,
        ItemKind::Rule(rule) => &rule.formals,
        _ => &[],
    };
    formals.iter().map(|f| f.name.name.to_string()).collect()
}

/// The names of the words of some families.
fn words_of(families: &[&str]) -> BTreeSet<String> {
    words::entries().into_iter().filter(|e| families.contains(&&*e.family)).map(|e| e.name).collect()
}

fn same(what: &str, file: &str, known: &[&str], told: &BTreeSet<String>) {
    let known: BTreeSet<String> = known.iter().map(|n| (*n).to_owned()).collect();
    let missing: Vec<_> = known.difference(told).collect();
    let stale: Vec<_> = told.difference(&known).collect();
    assert!(
        missing.is_empty() && stale.is_empty(),
        "{what}: src/manual/words/{file} has no row for {missing:?}, and rows for {stale:?} that nothing knows"
    );
}

#[test]
fn every_known_name_has_a_row_and_no_row_is_stale() {
    let functions = ["Pointwise", "Along an axis", "Linear algebra", "Maps of maps", "Shapes", "Boolean"];
    same("names of the language", "functions.rs, shapes.rs or bits.rs", NAMES, &words_of(&functions));
    same("initialisers", "initialisers.rs", INITIALISERS, &words_of(&["Initialisers"]));
    same("fields of train", "runs.rs", TRAIN_FIELDS, &words_of(&["Fields of train"]));
    same("fields of data", "data.rs", &data::FIELDS, &words_of(&["Fields of data"]));
    same("sources", "data.rs", &data::SOURCES, &words_of(&["Sources"]));
    let encoders: Vec<&str> = data::ENCODERS.iter().copied().chain(["columns", "column"]).collect();
    same("encoders", "data.rs", &encoders, &words_of(&["Encoders"]));
    same("splits", "data.rs", &data::SPLITS, &words_of(&["Splits"]));
    same("items", "grammar.rs", &ITEM_WORDS, &words_of(&["Items"]));
    let told = words_of(&["Words and types"]);
    let missing: Vec<_> = RESERVED.iter().filter(|w| !told.contains(**w)).collect();
    assert!(missing.is_empty(), "reserved words without a row in src/manual/words/grammar.rs: {missing:?}");
}

#[test]
fn what_is_supported_has_an_example() {
    let without: Vec<&str> = entries().iter().filter(|e| e.example.is_empty()).map(|e| &*e.name).collect();
    assert!(without.is_empty(), "{without:?}: a prelude entry needs {CONVENTION}");
}

/// The message when an example does not check or does not use what it is an example of.
fn fault(entry: &Entry) -> Option<String> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    if !entry.example.split(|c| !word(c)).any(|w| w == entry.written()) {
        return Some(format!("the example of `{}` does not use it", entry.name));
    }
    let (said, sources) = match Program::parse(&entry.example, "example.lens", &MemoryWorld::default()) {
        Ok(program) => (program.check(), program.sources().clone()),
        Err(found) => found,
    };
    let told: Vec<String> = said
        .0
        .iter()
        .map(|d| format!("{}: {} at {}", d.code, d.message, d.span().map(|s| sources.locate(s)).unwrap_or_default()))
        .collect();
    (!told.is_empty()).then(|| format!("the example of `{}`:\n{}\n{}", entry.name, entry.example, told.join("\n")))
}

#[test]
fn every_example_checks_by_itself() {
    let faults: Vec<String> = entries().iter().filter(|e| !e.example.is_empty()).filter_map(fault).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

#[test]
fn every_prelude_entry_tells_what_it_is() {
    let mut faults = Vec::new();
    let told = prelude::entries();
    let items = prelude_items();
    assert_eq!(told.len(), items.len());
    for (entry, (file, item)) in told.iter().zip(&items) {
        let at = format!("{file}: `{}`", entry.name);
        assert_eq!(item_name(item).map(|n| n.name.to_string()).as_deref(), Some(&*entry.name));
        if !entry.doc.ends_with(['.', ':']) || entry.doc.starts_with('#') {
            faults.push(format!("{at} has no sentence that ends in a point: {:?}", entry.doc));
        }
        for name in passed_in(item) {
            if !entry.settings.iter().any(|(n, t)| *n == name && !t.is_empty()) {
                faults.push(format!("{at} has no line `// - {name}: ..`"));
            }
        }
        for (name, _) in &entry.settings {
            let head: &str = entry.definition.as_deref().unwrap_or("");
            if !head.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|w| w == name) {
                faults.push(format!("{at} tells of `{name}`, which it does not have"));
            }
        }
        if !FAMILIES.contains(&&*entry.family) {
            faults.push(format!("{at} stands below no heading `// # Family` that src/manual/mod.rs lists"));
        }
    }
    assert!(faults.is_empty(), "{}\nan entry of the prelude has {CONVENTION}", faults.join("\n"));
}

#[test]
fn every_family_has_names_and_every_name_a_family() {
    for family in FAMILIES {
        assert!(entries().iter().any(|e| e.family == *family), "{family} is empty");
    }
    for e in entries() {
        assert!(FAMILIES.contains(&&*e.family), "{}: {}", e.name, e.family);
        assert!(!e.doc.is_empty() && !e.form.is_empty(), "{}", e.name);
    }
    assert!(entries().len() > 150 && PRELUDE.len() >= 6);
}

#[test]
fn text_keeps_to_eighty_columns() {
    let all = entries().iter().map(shown).chain([list()]);
    for text in all {
        for line in text.lines() {
            // Comments inside a definition stand as they are written.
            let comment = line.trim_start().starts_with("//");
            assert!(line.chars().count() <= 80 || comment, "{line}");
            assert_eq!(line, line.trim_end());
        }
    }
}

#[test]
fn names_are_found_with_all_their_meanings() {
    let kinds = |name: &str| find(name).iter().map(|e| e.word.clone()).collect::<Vec<_>>();
    assert_eq!(kinds("dense"), ["model"]);
    assert_eq!(kinds("sum"), ["function", "aggregator"]);
    assert_eq!(kinds("zeros"), ["function", "initialiser"]);
    assert!(kinds("nothing_of_this_name").is_empty());
    assert_eq!(super::near("dens"), Some("dense"));
    // A name that the prelude has gained is not later any more.
    assert!(LATER.iter().all(|n| later(n) == find(n).is_empty()));
}

//! The book holds together: links and anchors resolve, every page is in the summary, every file and test that a page
//! names is there.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests read files")]

mod book;

use book::{Page, all, book as pages_of_the_book};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// The targets of `[..](target)` in prose, outside of code spans.
fn targets(prose: &str) -> Vec<String> {
    let words: String = prose.split('`').step_by(2).collect::<Vec<_>>().join("code");
    words.split("](").skip(1).filter_map(|part| Some(part.split_once(')')?.0.to_owned())).collect()
}

/// The code spans of a prose.
fn spans(prose: &str) -> Vec<String> {
    let parts: Vec<&str> = prose.split('`').collect();
    assert!(parts.len() % 2 == 1, "a code span is not closed:\n{prose}");
    parts.into_iter().skip(1).step_by(2).map(str::to_owned).collect()
}

/// `a/b/../c` as `a/c`.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                out.pop();
            }
            Component::CurDir => {}
            other => out.push(other),
        }
    }
    out
}

/// Why the target of a link on a page leads nowhere.
fn broken(page: &Page, target: &str) -> Option<String> {
    if target.starts_with("https://") || target.starts_with("http://") {
        return None;
    }
    let (file, anchor) = target.split_once('#').map_or((target, None), |(f, a)| (f, Some(a)));
    let path = if file.is_empty() { page.path.clone() } else { normal(&page.path.parent().unwrap().join(file)) };
    if !path.exists() {
        return Some(format!("{} is not there", path.display()));
    }
    if page.path.starts_with("docs") && !path.starts_with("docs") {
        return Some(format!("{} is not in the book: name it as code", path.display()));
    }
    let anchor = anchor?;
    let known = Page::read(&path).anchors();
    (!known.iter().any(|a| a == anchor)).then(|| format!("{} has no #{anchor}, but {known:?}", path.display()))
}

/// Why a word of a code span names a file or a test that is not there. Words that name no file of the repository are fine.
fn missing(word: &str) -> Option<String> {
    let roots = ["tests/", "src/", "examples/", "docs/", "grammar/", ".ci/"];
    if !roots.iter().any(|r| word.starts_with(r)) || word.contains("..") {
        return None;
    }
    let (path, test) = word.split_once("::").map_or((word, None), |(p, t)| (p, Some(t)));
    // `file.lens:run` names a run of a file.
    let (path, run) = path.split_once(':').map_or((path, None), |(p, r)| (p, Some(r)));
    if let Some((folder, ending)) = path.split_once('*') {
        let found = fs::read_dir(folder.trim_end_matches('/')).is_ok_and(|mut entries| {
            entries.any(|e| e.unwrap().file_name().to_string_lossy().ends_with(ending.trim_start_matches('*')))
        });
        return (!found).then(|| format!("nothing is {word}"));
    }
    if !Path::new(path).exists() {
        return Some(format!("{path} is not there"));
    }
    let holds = |wanted: String| fs::read_to_string(path).is_ok_and(|text| text.contains(&wanted));
    if let Some(test) = test {
        return (!holds(format!("fn {test}("))).then(|| format!("{path} has no test {test}"));
    }
    let run = run?;
    let found = ["train", "game"].iter().any(|k| holds(format!("{k} {run} {{")));
    (!found).then(|| format!("{path} has no run {run}"))
}

#[test]
fn every_link_leads_somewhere() {
    let mut seen = 0;
    let mut wrong = Vec::new();
    for page in all() {
        for target in targets(&page.prose()) {
            seen += 1;
            wrong.extend(broken(&page, &target).map(|why| format!("{}: ({target}): {why}", page.name())));
        }
    }
    assert!(seen > 40, "{seen} links");
    assert!(wrong.is_empty(), "links that lead nowhere:\n{}", wrong.join("\n"));
}

#[test]
fn every_file_and_test_that_a_page_names_is_there() {
    let mut seen = 0;
    let mut wrong = Vec::new();
    for page in all() {
        for span in spans(&page.prose()) {
            for word in span.split_whitespace() {
                seen += usize::from(word.starts_with("tests/"));
                let word = word.trim_end_matches([',', ';', '.', ')']);
                wrong.extend(missing(word).map(|why| format!("{}: `{span}`: {why}", page.name())));
            }
        }
    }
    assert!(seen > 60, "{seen} names of tests");
    assert!(wrong.is_empty(), "names of what is not there:\n{}", wrong.join("\n"));
}

#[test]
fn every_page_is_in_the_summary() {
    let summary = Page::read("docs/SUMMARY.md");
    let listed: Vec<PathBuf> = targets(&summary.text).iter().map(|t| Path::new("docs").join(t)).collect();
    let set: BTreeSet<&PathBuf> = listed.iter().collect();
    assert_eq!(listed.len(), set.len(), "a page is listed twice");
    for page in pages_of_the_book() {
        if page.path != summary.path {
            assert!(set.contains(&page.path), "docs/SUMMARY.md does not list {}", page.name());
        }
    }
}

#[test]
fn what_is_wrong_is_found() {
    let page = Page { path: "docs/howto/x.md".into(), text: "# One Two\n\n## `f(x)` and g\n\n# One Two\n".into() };
    assert_eq!(page.anchors(), ["one-two", "fx-and-g", "one-two-1"]);
    assert_eq!(targets("[a](b.md) `[c](d)` [e](f.md#g)"), ["b.md", "f.md#g"]);
    assert_eq!(normal(Path::new("docs/howto/../laws.md")), Path::new("docs/laws.md"));
    assert!(broken(&page, "../laws.md").is_none());
    assert!(broken(&page, "../laws.md#no-such-heading").unwrap().contains("no-such-heading"));
    assert!(broken(&page, "laws.md").unwrap().contains("is not there"));
    assert!(broken(&page, "../../README.md").unwrap().contains("not in the book"));
    assert!(missing("tests/laws.rs::rd1_sums").is_none());
    assert!(missing("tests/laws.rs::rd8").unwrap().contains("rd8"));
    assert!(missing("tests/no_such_file.rs").is_some());
    assert!(missing("tests/pages/*.md").is_none());
    assert!(missing("tests/pages/*.png").is_some());
    assert!(missing("examples/iris.lens:iris_mlp").is_none());
    assert!(missing("examples/iris.lens:iris").is_some());
    assert!(missing("W/x").is_none());
}

/// A `|` in a code span cuts a cell: a row has as many cells as the head of its table.
#[test]
fn tables_are_rectangular() {
    let mut wrong = Vec::new();
    for page in all() {
        let mut cells = None;
        for line in page.prose().lines() {
            if !line.starts_with('|') {
                cells = None;
                continue;
            }
            let count = line.replace("\\|", "").matches('|').count();
            if *cells.get_or_insert(count) != count {
                wrong.push(format!("{}: {line}", page.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "rows that do not fit their table:\n{}", wrong.join("\n"));
}

//! The pages of the book and of the root, taken apart: fenced blocks, prose, headings.
#![allow(dead_code, reason = "not every test file needs everything")]

use std::fs;
use std::path::{Path, PathBuf};

/// A page: its path from the root of the repository, and its text.
pub(crate) struct Page {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// A fenced block: what stands behind the fence, the text, and the line of the fence (from 1).
pub(crate) struct Block {
    pub(crate) info: String,
    pub(crate) text: String,
    pub(crate) line: usize,
}

impl Page {
    pub(crate) fn read(path: impl Into<PathBuf>) -> Page {
        let path = path.into();
        let text = fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        Page { path, text }
    }

    pub(crate) fn name(&self) -> String {
        self.path.display().to_string()
    }

    pub(crate) fn blocks(&self) -> Vec<Block> {
        taken_apart(&self.text).0
    }

    /// The text without its fenced and indented blocks.
    pub(crate) fn prose(&self) -> String {
        taken_apart(&self.text).1
    }

    /// The anchors of the headings, as GitHub and mdbook make them.
    pub(crate) fn anchors(&self) -> Vec<String> {
        let mut anchors: Vec<String> = Vec::new();
        for line in self.prose().lines().filter(|l| l.starts_with('#')) {
            let slug = anchor(line.trim_start_matches('#').trim());
            let again = anchors.iter().filter(|a| **a == slug || a.starts_with(&format!("{slug}-"))).count();
            anchors.push(if again == 0 { slug } else { format!("{slug}-{again}") });
        }
        anchors
    }
}

/// Lower case, blanks as `-`, of the signs only `-` and `_`.
pub(crate) fn anchor(heading: &str) -> String {
    heading
        .chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            '-' | '_' => Some(c),
            c if c.is_alphanumeric() => Some(c.to_ascii_lowercase()),
            _ => None,
        })
        .collect()
}

fn taken_apart(text: &str) -> (Vec<Block>, String) {
    let mut blocks = Vec::new();
    let mut prose = String::new();
    let mut open: Option<Block> = None;
    for (at, line) in text.lines().enumerate() {
        match (open.take(), line.strip_prefix("```")) {
            (None, Some(info)) => {
                open = Some(Block { info: info.trim().to_owned(), text: String::new(), line: at + 1 });
            }
            (None, None) if line.starts_with("    ") => {}
            (None, None) => {
                prose.push_str(line);
                prose.push('\n');
            }
            (Some(block), Some("")) => blocks.push(block),
            (Some(mut block), _) => {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
        }
    }
    if let Some(block) = open {
        panic!("the block of line {} is not closed", block.line);
    }
    (blocks, prose)
}

/// Every page below `docs`, in order of path.
pub(crate) fn book() -> Vec<Page> {
    let mut paths = Vec::new();
    markdown(Path::new("docs"), &mut paths);
    paths.sort();
    paths.into_iter().map(Page::read).collect()
}

/// The pages of the root and the book.
pub(crate) fn all() -> Vec<Page> {
    let mut pages: Vec<Page> = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"].map(Page::read).into_iter().collect();
    pages.extend(book());
    pages
}

fn markdown(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            markdown(&path, out);
        } else if path.extension().is_some_and(|e| e == "md") {
            out.push(path);
        }
    }
}

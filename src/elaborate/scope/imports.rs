//! Reads a file, the prelude and everything imported, each once.
//!
//! In: a source text and the [`World`] for imports. Out: parsed files with their imports resolved to files. Imports
//! that form a circle or cannot be read are reported at their place.

use crate::elaborate::scope::circle;
use crate::elaborate::scope::names::nearest;
use crate::source::{Code, Diagnostic, Diagnostics, FileId, SourceMap, Span, World};
use crate::syntax::ast::{File, Ident, ImportTarget, ItemKind};
use crate::syntax::parse;
use petgraph::graph::{DiGraph, NodeIndex};

/// A file with what it imports.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) id: FileId,
    pub(crate) tree: File,
    pub(crate) imports: Vec<ResolvedImport>,
}

/// An import that was found.
#[derive(Debug)]
pub(crate) struct ResolvedImport {
    pub(crate) file: usize,
    pub(crate) alias: Option<Ident>,
    /// The import as written.
    pub(crate) span: Span,
}

/// The files of the prelude, in the order in which their names are looked up.
pub(crate) const PRELUDE: &[(&str, &str)] = &[
    ("std/pointwise.lens", include_str!("../../prelude/pointwise.lens")),
    ("std/nn.lens", include_str!("../../prelude/nn.lens")),
    ("std/sequence.lens", include_str!("../../prelude/sequence.lens")),
    ("std/loss.lens", include_str!("../../prelude/loss.lens")),
    ("std/rules.lens", include_str!("../../prelude/rules.lens")),
    ("std/schedule.lens", include_str!("../../prelude/schedule.lens")),
    ("std/bool.lens", include_str!("../../prelude/bool.lens")),
];

/// The files read, and how many of the first are the prelude.
pub(crate) struct Files {
    pub(crate) sources: SourceMap,
    pub(crate) files: Vec<Loaded>,
    pub(crate) main: usize,
}

/// Reads the prelude, the named text and its imports.
pub(crate) fn load(source: &str, name: &str, world: &dyn World, diagnostics: &mut Diagnostics) -> Files {
    let mut sources = SourceMap::default();
    let mut files: Vec<Loaded> = Vec::new();
    for (name, text) in PRELUDE {
        add(&mut sources, &mut files, name, text, diagnostics);
    }
    let main = add(&mut sources, &mut files, name, source, diagnostics);
    let own = own_name(source, name, world, &files, main);
    let mut next = main;
    while next < files.len() {
        resolve(next, (main, own.as_deref()), &mut sources, &mut files, world, diagnostics);
        next += 1;
    }
    circles(&sources, &files, main, diagnostics);
    Files { sources, files, main }
}

fn add(
    sources: &mut SourceMap,
    files: &mut Vec<Loaded>,
    name: &str,
    text: &str,
    diagnostics: &mut Diagnostics,
) -> usize {
    let id = sources.add(name, text);
    let (tree, faults) = parse(id, text);
    faults.0.into_iter().for_each(|d| diagnostics.push(d));
    files.push(Loaded { id, tree, imports: Vec::new() });
    files.len() - 1
}

/// What the world calls the file that is read: a file that imports it back must not be read as another.
fn own_name(source: &str, name: &str, world: &dyn World, files: &[Loaded], main: usize) -> Option<String> {
    let imports = files.get(main)?.tree.items.iter().any(|i| matches!(i.kind, ItemKind::Import(_)));
    let beside = name.rsplit(['/', '\\']).next().filter(|_| imports)?;
    world.import(name, beside).ok().filter(|(_, text)| text == source).map(|(full, _)| full)
}

fn resolve(
    at: usize,
    (main, own): (usize, Option<&str>),
    sources: &mut SourceMap,
    files: &mut Vec<Loaded>,
    world: &dyn World,
    diagnostics: &mut Diagnostics,
) {
    let Some(loaded) = files.get(at) else { return };
    let from = sources.get(loaded.id).map(|s| s.name.to_string()).unwrap_or_default();
    let wanted: Vec<_> = loaded
        .tree
        .items
        .iter()
        .filter_map(|item| match &item.kind {
            ItemKind::Import(import) => Some((import.target.clone(), import.alias.clone(), item.span)),
            _ => None,
        })
        .collect();
    for (target, alias, item_span) in wanted {
        let (name, span) = match target {
            ImportTarget::Path(path) if path.first().is_some_and(|p| &*p.name == "std") => {
                standard(&path, item_span, diagnostics);
                continue;
            }
            ImportTarget::Path(path) => {
                let word: Vec<&str> = path.iter().map(|p| &*p.name).collect();
                (format!("{}.lens", word.join("/")).into(), item_span)
            }
            ImportTarget::File(name, span) => (name, span),
        };
        match world.import(&from, &name) {
            Ok((full, text)) => {
                let known = sources.find(&full).and_then(|id| files.iter().position(|f| f.id == id));
                let known = known.or_else(|| (own == Some(&*full)).then_some(main));
                let file = known.unwrap_or_else(|| add(sources, files, &full, &text, diagnostics));
                if let Some(loaded) = files.get_mut(at) {
                    loaded.imports.push(ResolvedImport { file, alias, span: item_span });
                }
            }
            Err(fault) => diagnostics.push(
                Diagnostic::error(Code::IMPORT, fault.to_string())
                    .at(span, "imported here")
                    .help("paths are looked up beside this file"),
            ),
        }
    }
}

/// `import std.nn` changes nothing, but there must be such a part.
fn standard(path: &[Ident], span: Span, diagnostics: &mut Diagnostics) {
    let parts = || PRELUDE.iter().filter_map(|(name, _)| name.strip_prefix("std/")?.strip_suffix(".lens"));
    let Some(part) = path.get(1).filter(|p| !parts().any(|known| known == &*p.name)) else { return };
    let d =
        Diagnostic::error(Code::IMPORT, format!("the prelude has no part `{}`", part.name)).at(span, "imported here");
    diagnostics.push(match nearest(&part.name, parts()) {
        Some(near) => d.help(format!("did you mean `std.{near}`?")),
        None => d.help("the prelude needs no import; leave it out"),
    });
}

fn circles(sources: &SourceMap, files: &[Loaded], main: usize, diagnostics: &mut Diagnostics) {
    let mut graph = DiGraph::<usize, Span>::new();
    let nodes: Vec<_> = (0..files.len()).map(|f| graph.add_node(f)).collect();
    for (f, file) in files.iter().enumerate().skip(main) {
        for import in &file.imports {
            if let (Some(a), Some(b)) = (nodes.get(f), nodes.get(import.file)) {
                graph.update_edge(*a, *b, import.span);
            }
        }
    }
    for path in circle::paths(&graph) {
        let name = |n: &NodeIndex| {
            let file = graph.node_weight(*n).and_then(|f| files.get(*f));
            file.and_then(|l| sources.get(l.id)).map_or("?", |s| &*s.name).to_owned()
        };
        let names: Vec<String> = path.iter().map(name).collect();
        let mut d = match names.as_slice() {
            [only, _] => Diagnostic::error(Code::CYCLE, format!("the file {only} imports itself"))
                .help("leave it out: its own names are there already"),
            _ => Diagnostic::error(Code::CYCLE, format!("these files import each other: {}", names.join(" -> ")))
                .help("move what both need into a third file"),
        };
        for (pair, to) in path.windows(2).zip(names.iter().skip(1)) {
            if let [a, b] = pair
                && let Some(span) = graph.find_edge(*a, *b).and_then(|e| graph.edge_weight(e))
            {
                d = d.at(*span, format!("imports {to}"));
            }
        }
        diagnostics.push(d);
    }
}

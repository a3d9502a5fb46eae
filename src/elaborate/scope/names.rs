//! Every definition of every file, and which one a name means where.
//!
//! In: parsed files, the prelude among them. Out: [`Definitions`]: a file's own names hide imported ones, which hide the
//! prelude's. Maps, rules, types, dims and consts share one space of names; data and training runs have their own.
//! Definitions that need each other in a circle are refused here, so that everything after may follow names freely.

use crate::data::{Matrix, matrix};
use crate::elaborate::scope::imports::Loaded;
pub(crate) use crate::source::nearest;
use crate::source::{Code, Diagnostic, Diagnostics, FileId, SourceMap, Span, World};
use crate::syntax::ast::{Expr, ExprKind, Ident, Item, ItemKind};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// A definition's place: file and item.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct DefId {
    pub(crate) file: usize,
    pub(crate) item: usize,
}

/// Which names a file sees.
#[derive(Debug, Default)]
struct Scope {
    own: FxHashMap<Arc<str>, DefId>,
    runs: FxHashMap<Arc<str>, DefId>,
    imported: Vec<usize>,
    aliased: FxHashMap<Arc<str>, usize>,
}

/// All files of a program with their scopes.
#[derive(Debug)]
pub(crate) struct Definitions {
    pub(crate) sources: SourceMap,
    pub(crate) files: Vec<Loaded>,
    scopes: Vec<Scope>,
    prelude: Vec<usize>,
    /// Definitions that need themselves; they are not looked into.
    pub(crate) circular: FxHashSet<DefId>,
    /// What the files hold that constants name: `const H : R[2, 2] = csv("H.csv")`.
    pub(crate) matrices: FxHashMap<Span, Result<Matrix, Diagnostics>>,
}

/// The name an item defines.
pub(crate) fn item_name(item: &Item) -> Option<&Ident> {
    match &item.kind {
        ItemKind::Import(_) => None,
        ItemKind::Dim(d) => Some(&d.name),
        ItemKind::Type(d) => Some(&d.name),
        ItemKind::Const(d) => Some(&d.name),
        ItemKind::Map(d) => Some(&d.name),
        ItemKind::Prim(d) => Some(&d.name),
        ItemKind::Rule(d) => Some(&d.name),
        ItemKind::Data(d) | ItemKind::Train(d) => Some(&d.name),
        ItemKind::Game(d) => Some(&d.name),
    }
}

/// What an item is called in messages.
pub(crate) fn item_word(item: &Item) -> &'static str {
    use crate::syntax::ast::MapKind;
    match &item.kind {
        ItemKind::Import(_) => "import",
        ItemKind::Dim(_) => "dim",
        ItemKind::Type(_) => "type",
        ItemKind::Const(_) => "const",
        ItemKind::Map(m) => match m.kind {
            MapKind::Model => "model",
            MapKind::Def => "def",
            MapKind::Loss => "loss",
        },
        ItemKind::Prim(_) => "prim",
        ItemKind::Rule(r) if r.transform => "transform",
        ItemKind::Rule(_) => "optimiser",
        ItemKind::Data(_) => "data",
        ItemKind::Train(_) => "train",
        ItemKind::Game(_) => "game",
    }
}

fn is_run(item: &Item) -> bool {
    matches!(item.kind, ItemKind::Data(_) | ItemKind::Train(_) | ItemKind::Game(_))
}

/// Whether a constant is what a file holds: `csv("H.csv")`.
pub(crate) fn is_file(value: &Expr) -> bool {
    let ExprKind::Apply(head, _) = &value.kind else { return false };
    matches!(&head.kind, ExprKind::Path(path) if matches!(path.as_slice(), [name] if &*name.name == "csv"))
}

impl Definitions {
    /// Builds the scopes; names defined twice in one file are reported.
    pub(crate) fn new(
        sources: SourceMap,
        files: Vec<Loaded>,
        prelude: Vec<usize>,
        diagnostics: &mut Diagnostics,
    ) -> Definitions {
        let mut scopes = Vec::new();
        for (f, file) in files.iter().enumerate() {
            let mut scope = Scope {
                imported: file.imports.iter().filter(|i| i.alias.is_none()).map(|i| i.file).collect(),
                ..Scope::default()
            };
            for import in &file.imports {
                let Some(alias) = &import.alias else { continue };
                if scope.aliased.insert(alias.name.clone(), import.file).is_some_and(|earlier| earlier != import.file) {
                    let d = Diagnostic::error(Code::DUPLICATE_NAME, format!("two files are named `{}`", alias.name));
                    diagnostics.push(d.at(alias.span, "again here").help("rename one of them"));
                }
            }
            let mut first: FxHashMap<(bool, Arc<str>), Span> = FxHashMap::default();
            for (i, item) in file.tree.items.iter().enumerate() {
                let Some(name) = item_name(item) else { continue };
                let table = if is_run(item) { &mut scope.runs } else { &mut scope.own };
                if let Some(earlier) = first.insert((is_run(item), name.name.clone()), name.span) {
                    diagnostics.push(
                        Diagnostic::error(Code::DUPLICATE_NAME, format!("`{}` is defined twice", name.name))
                            .at(name.span, "again here")
                            .also(earlier, "first here")
                            .help("rename one of them"),
                    );
                }
                table.insert(name.name.clone(), DefId { file: f, item: i });
            }
            scopes.push(scope);
        }
        let imported_twice: Vec<Diagnostic> = (0..files.len()).flat_map(|f| twice(&files, &scopes, f)).collect();
        imported_twice.into_iter().for_each(|d| diagnostics.push(d));
        let (circular, matrices) = (FxHashSet::default(), FxHashMap::default());
        Definitions { sources, files, scopes, prelude, circular, matrices }
    }

    /// Reads the files that constants name; what is wrong with one is said where its constant is elaborated.
    pub(crate) fn read_constants(&mut self, world: &dyn World) {
        for file in self.files.iter().filter(|f| !self.prelude.contains(&(f.id.0 as usize))) {
            let from = self.sources.get(file.id).map(|s| s.name.to_string()).unwrap_or_default();
            for item in &file.tree.items {
                if let ItemKind::Const(decl) = &item.kind
                    && is_file(&decl.value)
                {
                    self.matrices.insert(decl.value.span, matrix(&decl.value, &from, world));
                }
            }
        }
    }

    /// The item behind an id, unless it is in a circle.
    pub(crate) fn item(&self, id: DefId) -> Option<&Item> {
        if self.circular.contains(&id) {
            return None;
        }
        self.files.get(id.file)?.tree.items.get(id.item)
    }

    /// What a name means in a file: its own, an imported or a prelude definition.
    pub(crate) fn resolve(&self, file: usize, name: &str) -> Option<DefId> {
        let scope = self.scopes.get(file)?;
        let imported = || scope.imported.iter().find_map(|f| self.scopes.get(*f)?.own.get(name));
        let prelude = || self.prelude.iter().find_map(|f| self.scopes.get(*f)?.own.get(name));
        scope.own.get(name).or_else(imported).or_else(prelude).copied()
    }

    /// What `alias.name` means in a file.
    pub(crate) fn resolve_in(&self, file: usize, alias: &str, name: &str) -> Option<DefId> {
        let inside = self.scopes.get(file)?.aliased.get(alias)?;
        self.scopes.get(*inside)?.own.get(name).copied()
    }

    /// The data or training run of that name in a file or what it imports.
    pub(crate) fn resolve_run(&self, file: usize, name: &str) -> Option<DefId> {
        let scope = self.scopes.get(file)?;
        let imported = || scope.imported.iter().find_map(|f| self.scopes.get(*f)?.runs.get(name));
        scope.runs.get(name).or_else(imported).copied()
    }

    /// The data or training run `alias.name` of a file imported under a name.
    pub(crate) fn resolve_run_in(&self, file: usize, alias: &str, name: &str) -> Option<DefId> {
        let inside = self.scopes.get(file)?.aliased.get(alias)?;
        self.scopes.get(*inside)?.runs.get(name).copied()
    }

    /// Whether a file is part of the prelude.
    pub(crate) fn is_prelude(&self, file: usize) -> bool {
        self.prelude.contains(&file)
    }

    /// Whether a place is in the prelude.
    pub(crate) fn in_prelude(&self, span: Span) -> bool {
        self.file_of(span.file).is_some_and(|f| self.is_prelude(f))
    }

    /// The place of a source file among the files.
    pub(crate) fn file_of(&self, id: FileId) -> Option<usize> {
        self.files.iter().position(|f| f.id == id)
    }

    /// Every name that a file can use, for suggestions.
    pub(crate) fn visible(&self, file: usize) -> Vec<Arc<str>> {
        let mut names: Vec<Arc<str>> = Vec::new();
        let own = std::iter::once(file);
        let imported = self.scopes.get(file).map(|s| s.imported.clone()).unwrap_or_default();
        for f in own.chain(imported).chain(self.prelude.iter().copied()) {
            names.extend(self.files.get(f).into_iter().flat_map(|l| {
                l.tree.items.iter().filter(|i| !is_run(i)).filter_map(|i| item_name(i).map(|n| n.name.clone()))
            }));
        }
        names.sort();
        names.dedup();
        names
    }

    /// The data items and training runs that a file can name, or those behind one of its aliases.
    pub(crate) fn visible_runs(&self, file: usize, alias: Option<&str>) -> Vec<Arc<str>> {
        let Some(scope) = self.scopes.get(file) else { return Vec::new() };
        let mut names: Vec<Arc<str>> = match alias {
            None => scope.runs.keys().cloned().collect(),
            Some(alias) => {
                let inside = scope.aliased.get(alias).and_then(|file| self.scopes.get(*file));
                inside.iter().flat_map(|s| s.runs.keys()).map(|name| format!("{alias}.{name}").into()).collect()
            }
        };
        names.sort();
        names
    }
}

/// Names that two imports bring into a file and that are not its own.
fn twice(files: &[Loaded], scopes: &[Scope], f: usize) -> Vec<Diagnostic> {
    let mut said = Vec::new();
    let (Some(file), Some(scope)) = (files.get(f), scopes.get(f)) else { return said };
    let mut first: FxHashMap<&str, (usize, Span)> = FxHashMap::default();
    for import in file.imports.iter().filter(|i| i.alias.is_none()) {
        let items = files.get(import.file).map(|l| l.tree.items.as_slice()).unwrap_or_default();
        for name in items.iter().filter(|i| !is_run(i)).filter_map(item_name) {
            let earlier = *first.entry(&name.name).or_insert((import.file, import.span));
            if earlier.0 != import.file && !scope.own.contains_key(&name.name) {
                said.push(
                    Diagnostic::warning(Code::DUPLICATE_NAME, format!("`{}` is imported from two files", name.name))
                        .at(import.span, "not from here")
                        .also(earlier.1, "it is taken from here")
                        .help("import one of them with `as`, and write `name.` before what is meant"),
                );
            }
        }
    }
    said
}

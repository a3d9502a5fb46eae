//! Entries of definitions: what the head and the comment of an item say.
//!
//! In: the files of the prelude, or an item of a user's file. Out: an [`Entry`]. The family of a prelude entry is that of
//! the last heading above it (`// # Layers`), but for losses, rules and transforms, which the language tells apart.

use super::comment::comment;
use super::{Entry, FAMILIES, Port};
use crate::elaborate::known::{self, PRELUDE};
use crate::source::{SourceMap, Span};
use crate::syntax::ast::{DimVar, Expr, Formal, FormalKind, Ident, Item, ItemKind, MapKind, PortDecl, ScopeWord, Type};
use crate::syntax::parse;

/// Every entry of the prelude, in the order of writing.
pub(super) fn entries() -> Vec<Entry> {
    let mut found = Vec::new();
    for (name, text) in PRELUDE {
        let mut sources = SourceMap::default();
        let id = sources.add(*name, *text);
        let (tree, _) = parse(id, text);
        for item in &tree.items {
            if let Some(entry) = of_item(item, &sources) {
                found.push(Entry { family: family(item, text), ..entry });
            }
        }
    }
    found
}

/// The family of an item of the prelude.
fn family(item: &Item, text: &str) -> String {
    match &item.kind {
        ItemKind::Map(map) if map.kind == MapKind::Loss => return "Losses".to_owned(),
        ItemKind::Rule(rule) => return if rule.transform { "Transforms" } else { "Rules" }.to_owned(),
        _ => {}
    }
    let above = text.get(..item.span.start as usize).unwrap_or("");
    let heading = above.lines().rev().find_map(|l| l.strip_prefix("// # ")).unwrap_or("");
    FAMILIES.iter().find(|f| **f == heading).map_or_else(String::new, |f| (*f).to_owned())
}

/// What an item says of itself; nothing when it has no name.
pub(super) fn of_item(item: &Item, sources: &SourceMap) -> Option<Entry> {
    let name = known::item_name(item)?;
    let read = comment(&item.doc);
    let place = sources.get(item.span.file).map(|s| format!("{}:{}", s.name, sources.place(name.span).line));
    let text = |span: Span| collapse(sources.slice(span));
    let mut entry = Entry {
        name: name.name.to_string(),
        word: known::item_word(item).to_owned(),
        form: name.name.to_string(),
        doc: read.doc,
        settings: read.settings,
        example: read.example,
        definition: Some(sources.slice(item.span).trim_end().to_owned()),
        place,
        ..Entry::default()
    };
    match &item.kind {
        ItemKind::Map(map) => {
            entry.form = form(name, &map.dims, &map.formals, sources);
            entry.ty = text(map.arrow.span);
            entry.ports = map.ports.iter().map(|p| port(p, sources)).collect();
        }
        ItemKind::Prim(prim) => {
            entry.form = form(name, &prim.dims, &[], sources);
            entry.ty = text(prim.arrow.span);
        }
        ItemKind::Rule(rule) => {
            entry.form = form(name, &[], &rule.formals, sources);
            let on: Vec<String> = rule.on.iter().map(|p| format!("{} : {}", p.name.name, text(p.ty.span))).collect();
            let scope = match rule.scope {
                None | Some((ScopeWord::Coordinate, _)) => "coordinate",
                Some((ScopeWord::Tensor, _)) => "tensor",
                Some((ScopeWord::Matrix, _)) => "matrix",
                Some((ScopeWord::Global, _)) => "global",
            };
            entry.ty = format!("on {} per {scope}", on.join(", "));
            let states = rule.states.iter().map(|p| Port { role: "state", ..port(p, sources) });
            entry.ports = states.chain(rule.noises.iter().map(|p| port(p, sources))).collect();
        }
        ItemKind::Const(c) => entry.ty = text(c.ty.span),
        ItemKind::Type(t) => {
            entry.form = form(name, &t.dims, &[], sources);
            entry.ty = text(t.ty.span);
        }
        ItemKind::Dim(d) => entry.ty = text(d.value.span),
        ItemKind::Import(_) | ItemKind::Data(_) | ItemKind::Train(_) | ItemKind::Game(_) => {}
    }
    Some(entry)
}

/// `name[dims](settings)` as it is called.
fn form(name: &Ident, dims: &[DimVar], formals: &[Formal], sources: &SourceMap) -> String {
    let mut made = name.name.to_string();
    if !dims.is_empty() {
        let list: Vec<String> =
            dims.iter().map(|d| format!("{}{}", if d.spread { ".." } else { "" }, d.name.name)).collect();
        made.push_str(&format!("[{}]", list.join(", ")));
    }
    if !formals.is_empty() {
        let one = |f: &Formal| match &f.kind {
            FormalKind::Default(Expr { span, .. }) => format!("{} = {}", f.name.name, collapse(sources.slice(*span))),
            FormalKind::Map(arrow) => format!("{} : {}", f.name.name, collapse(sources.slice(arrow.span))),
            FormalKind::Required => f.name.name.to_string(),
        };
        made.push_str(&format!("({})", formals.iter().map(one).collect::<Vec<_>>().join(", ")));
    }
    made
}

fn port(decl: &PortDecl, sources: &SourceMap) -> Port {
    let Type { span, .. } = decl.ty;
    let drawn = decl.init.as_ref().map_or(span, |e| span.to(e.span));
    Port {
        role: if decl.noise { "noise" } else { "parameter" },
        name: decl.name.name.to_string(),
        ty: collapse(sources.slice(drawn)),
    }
}

pub(super) fn collapse(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

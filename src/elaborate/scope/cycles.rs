//! Definitions that need each other in a circle.
//!
//! Edges are the names that occur in an item, less those it binds itself; a circle is shown as a path.

use crate::elaborate::scope::circle;
use crate::elaborate::scope::mentions::needed;
use crate::elaborate::scope::names::{DefId, Definitions, item_name};
use crate::source::{Code, Diagnostic, Diagnostics, Span};
use crate::syntax::ast::ItemKind;
use petgraph::graph::{DiGraph, NodeIndex};
use rustc_hash::{FxHashMap, FxHashSet};

/// Reports every circle and gives back the definitions in one.
pub(crate) fn check(defs: &Definitions, diagnostics: &mut Diagnostics) -> FxHashSet<DefId> {
    let mut circular = FxHashSet::default();
    let mut graph: DiGraph<DefId, Span> = DiGraph::new();
    let mut nodes: FxHashMap<DefId, NodeIndex> = FxHashMap::default();
    for (f, file) in defs.files.iter().enumerate() {
        for (i, _) in file.tree.items.iter().enumerate() {
            let id = DefId { file: f, item: i };
            nodes.insert(id, graph.add_node(id));
        }
    }
    for (f, file) in defs.files.iter().enumerate() {
        for (i, item) in file.tree.items.iter().enumerate() {
            for (name, span) in needed(item) {
                let from = nodes.get(&DefId { file: f, item: i });
                let to = defs.resolve(f, name).and_then(|id| nodes.get(&id));
                if let (Some(from), Some(to)) = (from, to) {
                    graph.update_edge(*from, *to, span);
                }
            }
        }
    }
    for set in petgraph::algo::tarjan_scc(&graph) {
        let looped = match set.as_slice() {
            [only] => graph.find_edge(*only, *only).is_some(),
            _ => true,
        };
        if looped && !reverse_of_itself(defs, &graph, &set) {
            circular.extend(set.iter().filter_map(|n| graph.node_weight(*n).copied()));
        }
    }
    for path in circle::paths(&graph) {
        if !reverse_of_itself(defs, &graph, &path) {
            report(defs, &graph, &path, diagnostics);
        }
    }
    circular
}

/// A primitive may use itself in its own `rev`.
fn reverse_of_itself(defs: &Definitions, graph: &DiGraph<DefId, Span>, nodes: &[NodeIndex]) -> bool {
    let prim = |n: &NodeIndex| {
        graph.node_weight(*n).and_then(|id| defs.item(*id)).is_some_and(|i| matches!(i.kind, ItemKind::Prim(_)))
    };
    nodes.iter().all(|n| Some(n) == nodes.first()) && nodes.iter().all(prim)
}

fn report(defs: &Definitions, graph: &DiGraph<DefId, Span>, path: &[NodeIndex], diagnostics: &mut Diagnostics) {
    let name = |n: &NodeIndex| {
        let item = graph.node_weight(*n).and_then(|id| defs.item(*id));
        item.and_then(item_name).map(|i| (i.name.clone(), i.span))
    };
    let names: Vec<String> = path.iter().filter_map(|n| name(n).map(|(n, _)| n.to_string())).collect();
    let mut d = Diagnostic::error(Code::CYCLE, format!("these definitions need each other: {}", names.join(" -> ")))
        .help("a definition may use only what can be worked out before it; repeat a map with `iterate[k](f)`");
    for pair in path.windows(2) {
        if let [a, b] = pair
            && let (Some(edge), Some((to, _))) = (graph.find_edge(*a, *b), name(b))
            && let Some(span) = graph.edge_weight(edge)
        {
            d = d.at(*span, format!("needs `{to}`"));
        }
    }
    diagnostics.push(d);
}

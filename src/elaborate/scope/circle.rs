//! Circles of a graph, each as a path that ends where it begins.
//!
//! In: who needs whom. Out: for every set of nodes that all need each other one shortest walk `a -> b -> .. -> a` from
//! its first node, so that a message can show who needs whom.

use petgraph::graph::{DiGraph, NodeIndex};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// A path for every circle, in the order of their first nodes.
pub(crate) fn paths<N, E>(graph: &DiGraph<N, E>) -> Vec<Vec<NodeIndex>> {
    let mut all: Vec<Vec<NodeIndex>> =
        petgraph::algo::tarjan_scc(graph).iter().filter_map(|set| around(graph, set)).collect();
    all.sort();
    all
}

/// The shortest walk from the first node of a set back to it, all within the set.
fn around<N, E>(graph: &DiGraph<N, E>, set: &[NodeIndex]) -> Option<Vec<NodeIndex>> {
    let start = set.iter().min().copied()?;
    let mut from: FxHashMap<NodeIndex, NodeIndex> = FxHashMap::default();
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        let mut next: Vec<NodeIndex> = graph.neighbors(at).filter(|n| set.contains(n)).collect();
        next.sort();
        for n in next {
            if n == start {
                let mut path = vec![start, at];
                while let Some(before) = path.last().filter(|n| **n != start).and_then(|n| from.get(n)) {
                    path.push(*before);
                }
                if at == start {
                    path.truncate(2);
                }
                path.reverse();
                return Some(path);
            }
            if n != start && !from.contains_key(&n) {
                from.insert(n, at);
                queue.push_back(n);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(edges: &[(u32, u32)]) -> Vec<Vec<usize>> {
        let graph = DiGraph::<(), ()>::from_edges(edges);
        paths(&graph).iter().map(|p| p.iter().map(|n| n.index()).collect()).collect()
    }

    #[test]
    fn circles_are_walked_along_their_edges() {
        assert_eq!(shown(&[(0, 1), (1, 2), (2, 3)]), Vec::<Vec<usize>>::new());
        assert_eq!(shown(&[(1, 1)]), [[1, 1]]);
        assert_eq!(shown(&[(0, 1), (1, 0)]), [[0, 1, 0]]);
        assert_eq!(shown(&[(0, 2), (2, 1), (1, 0)]), [[0, 2, 1, 0]]);
        assert_eq!(shown(&[(0, 1), (1, 2), (2, 0), (1, 0), (3, 4), (4, 3)]), [vec![0, 1, 0], vec![3, 4, 3]]);
    }
}

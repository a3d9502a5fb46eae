//! The order of a plan: nodes in groups that run as one.
//!
//! A node's level is the first at which what it reads is there; a pointwise node that reads its operand entry by entry
//! stands on the operand's level, in one loop with it. Then pointwise nodes sink to the levels of their readers, so that
//! what only a later loop needs is made there and never stored. Groups of a level do not read each other.

use super::access::Shapes;
use super::is_port;
use crate::diagram::{Diagram, Wire};
use petgraph::unionfind::UnionFind;
use std::collections::BTreeMap;

/// Below this many entries all chains of a level are one: a loop costs more than they do.
const SHORT: usize = 256;

/// The groups of live nodes in the order in which they run; pointwise ones may have several nodes.
pub(super) fn levels(d: &Diagram, shapes: &Shapes, live: &[bool]) -> Vec<Vec<u32>> {
    let made: Vec<u32> = (0..d.nodes().len())
        .filter(|at| live.get(*at).is_some_and(|l| *l))
        .filter_map(|at| u32::try_from(at).ok())
        .filter(|node| !is_port(d, *node) && !shapes.is_same(*node))
        .collect();
    let level = sink(d, shapes, &made, rise(d, shapes, &made));
    let mut groups: BTreeMap<(usize, usize), Vec<u32>> = BTreeMap::new();
    let mut alone: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    for node in made {
        let at = get(&level, node);
        if shapes.is_pointwise(node) {
            groups.entry((at, shapes.len(node))).or_default().push(node);
        } else if shapes.constant(Wire { node, port: 0 }).is_none() || shapes.stored_alone(node) {
            // A constant is written into the loops that read it; by itself it is only made for others.
            alone.entry(at).or_default().push(node);
        }
    }
    let mut all: BTreeMap<usize, Vec<Vec<u32>>> = BTreeMap::new();
    for ((at, len), nodes) in groups {
        let split = if len <= SHORT { vec![nodes] } else { connected(d, shapes, &nodes) };
        all.entry(at).or_default().extend(split);
    }
    for (at, nodes) in alone {
        all.entry(at).or_default().extend(nodes.into_iter().map(|n| vec![n]));
    }
    all.into_values().flatten().collect()
}

fn get(level: &[usize], node: u32) -> usize {
    level.get(node as usize).copied().unwrap_or(0)
}

/// The first level at which each node can run.
fn rise(d: &Diagram, shapes: &Shapes, made: &[u32]) -> Vec<usize> {
    let mut level = vec![0; d.nodes().len()];
    for node in made {
        let len = shapes.len(*node);
        let after = |w: Wire| {
            if is_port(d, w.node) || shapes.constant(w).is_some() { 0 } else { get(&level, w.node) + 1 }
        };
        let at = if shapes.is_pointwise(*node) {
            let one = |(w, access): &(Wire, super::Access)| {
                let joins = shapes.is_pointwise(w.node) && access.is_whole(len);
                if joins { get(&level, w.node) } else { after(*w) }
            };
            shapes.reads(d, *node).iter().map(one).max()
        } else {
            let ins = d.nodes().get(*node as usize).map(|n| n.ins.as_slice()).unwrap_or_default();
            ins.iter().map(|w| after(shapes.root(*w))).max()
        };
        if let Some(slot) = level.get_mut(*node as usize) {
            *slot = at.unwrap_or(0);
        }
    }
    level
}

/// Pointwise nodes as late as their readers allow.
fn sink(d: &Diagram, shapes: &Shapes, made: &[u32], mut level: Vec<usize>) -> Vec<usize> {
    let mut bound: Vec<Option<usize>> = vec![None; d.nodes().len()];
    for node in made.iter().rev() {
        if shapes.is_pointwise(*node)
            && let (Some(slot), Some(Some(latest))) = (level.get_mut(*node as usize), bound.get(*node as usize))
        {
            *slot = (*slot).max(*latest);
        }
        let (at, len) = (get(&level, *node), shapes.len(*node));
        let mut hold = |w: Wire, latest: usize| {
            if let Some(slot) = bound.get_mut(w.node as usize) {
                *slot = Some(slot.map_or(latest, |known: usize| known.min(latest)));
            }
        };
        if shapes.is_pointwise(*node) {
            for (w, access) in shapes.reads(d, *node) {
                hold(w, if access.is_whole(len) { at } else { at.saturating_sub(1) });
            }
        } else {
            let ins = d.nodes().get(*node as usize).map(|n| n.ins.as_slice()).unwrap_or_default();
            for w in ins {
                hold(shapes.root(*w), at.saturating_sub(1));
            }
        }
    }
    level
}

/// The nodes of one group in parts that share no entry.
fn connected(d: &Diagram, shapes: &Shapes, nodes: &[u32]) -> Vec<Vec<u32>> {
    let mut joined: UnionFind<usize> = UnionFind::new(nodes.len());
    for (at, node) in nodes.iter().enumerate() {
        for (w, _) in shapes.reads(d, *node) {
            if let Ok(read) = nodes.binary_search(&w.node) {
                joined.union(at, read);
            }
        }
    }
    let mut parts: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    for (node, part) in nodes.iter().zip(joined.into_labeling()) {
        parts.entry(part).or_default().push(*node);
    }
    parts.into_values().collect()
}

//! Equality of diagrams up to wiring.
//!
//! Both are rebuilt in one builder on the same ports; they are equal when the same wires come out, because a builder
//! never makes one node twice. Names and roles of ports, origins and dead nodes do not count.

use super::builder::{Builder, Copying};
use super::value::{Diagram, Wire};

/// Whether two diagrams are the same morphism term: same ports, same operations, same wiring.
#[must_use]
pub fn same(a: &Diagram, b: &Diagram) -> bool {
    if !a.ports().iter().map(|p| &p.leaf).eq(b.ports().iter().map(|p| &p.leaf)) {
        return false;
    }
    let mut builder = Builder::new();
    let ports: Vec<Wire> = a.ports().iter().map(|p| builder.port_like(p)).collect();
    let mut rebuilt = |d: &Diagram| {
        let mut copy = Copying::new(d).keeping_holes();
        for (port, w) in ports.iter().enumerate() {
            copy.set(d.port_wire(port), *w);
        }
        copy.outs(&mut builder, d.outs()).ok()
    };
    match (rebuilt(a), rebuilt(b)) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}

//! Differences at bits: what R over votes must be where every port is met once (each operation has degree one in it).
//!
//! For a bit `f(set) - f(clear)`, for a whole number `f(x + 1) - f(x)`, each times the request at the output; over
//! parity the same mod 2. Exact, no tolerance.

use super::{draw, port_leaves, run};
use catlearn::diagram::{Builder, Diagram, Role, Wire};
use catlearn::object::{Base, Leaf};
use catlearn::random::{Stream, Use};
use catlearn::reverse::{Rules, requests};

/// How often differences object to R under discrete rules, in that many cases.
pub(crate) fn objections(d: &Diagram, rules: &dyn Rules, cases: u64) -> usize {
    let tangent = rules.tangent();
    let (mut b, outs) = Builder::resume(d.clone());
    let mut cots = Vec::new();
    let mut kept = Vec::new();
    for (k, out) in outs.iter().enumerate() {
        if let Some(leaf) = tangent.of(b.leaf(*out)) {
            cots.push((*out, b.port(format!("d{k}"), Role::Cotangent, leaf.clone())));
            kept.push((k, leaf));
        }
    }
    let asked: Vec<usize> = (0..d.ports().len()).filter(|i| tangent.of(&d.ports()[*i].leaf).is_some()).collect();
    if kept.is_empty() || asked.is_empty() {
        return 0;
    }
    let wrt: Vec<Wire> = asked.iter().map(|i| d.port_wire(*i)).collect();
    let made = requests(&mut b, rules, &cots, &wrt).unwrap();
    let mut all = Vec::new();
    for (wire, request) in wrt.iter().zip(made) {
        let leaf = tangent.of(b.leaf(*wire)).unwrap();
        all.push(request.unwrap_or_else(|| b.zero(&leaf).unwrap()));
    }
    let rd = b.finish(&all);
    let mut found = 0;
    for seed in 0..cases {
        let point = numbers(&port_leaves(d), seed);
        let dy = numbers(&kept.iter().map(|(_, leaf)| leaf.clone()).collect::<Vec<_>>(), seed ^ 11);
        let given = run(&rd, &[point.clone(), dy.clone()].concat(), 1);
        // <dy, f> with one entry of the point set to a value
        let value = |port: usize, entry: usize, to: f64| -> f64 {
            let mut moved = point.clone();
            moved[port][entry] = to;
            let out = run(d, &moved, 1);
            kept.iter().zip(&dy).flat_map(|((k, _), dy)| out[*k].iter().zip(dy)).map(|(y, dy)| y * dy).sum()
        };
        let differ = asked.iter().zip(&given).any(|(port, request)| {
            request.iter().enumerate().any(|(entry, r)| {
                let leaf = &d.ports()[*port].leaf;
                let low = if leaf.base == Base::Bool { 0.0 } else { point[*port][entry] };
                let slope = value(*port, entry, low + 1.0) - value(*port, entry, low);
                let bits = tangent.of(leaf).is_some_and(|t| t.base == Base::Bool);
                *r != if bits { slope.rem_euclid(2.0) } else { slope }
            })
        });
        found += usize::from(differ);
    }
    found
}

/// Bits and labels as they come, whole numbers no two alike: a largest one is the only one.
fn numbers(leaves: &[Leaf], seed: u64) -> Vec<Vec<f64>> {
    let mut stream = Stream::new(seed ^ 77, Use::Laws);
    let mut values = draw(leaves, seed);
    for (v, _) in values.iter_mut().zip(leaves).filter(|(_, leaf)| leaf.base == Base::Int) {
        let n = v.len() as f64;
        v.iter_mut().enumerate().for_each(|(i, x)| *x = i as f64 + n * (stream.below(5) as f64 - 2.0));
    }
    values
}

//! A rule declared per coordinate commutes with splitting the parameters (DESIGN.md 1.6): moving a vector and moving
//! its two pieces are the same.

use super::check::{LawResult, Tally};
use crate::diagram::{Builder, Copying, Diagram, Op, Role, TypeFault, Wire};
use crate::elaborate::RuleDiagram;
use crate::object::Leaf;
use crate::random::Stream;
use crate::run::{Tensor, evaluate};
use crate::source::{Code, Diagnostic};
use crate::syntax::ast::Ident;

/// The rule with its requests as ports: parameters, states, clock, requests in; next parameters out.
fn opened(rule: &RuleDiagram) -> Result<Diagram, TypeFault> {
    let d = &rule.diagram;
    let mut b = Builder::new();
    let mut copy = Copying::new(d);
    for (at, port) in d.ports().iter().enumerate() {
        let wire = b.port(port.path.clone(), port.role, port.leaf.clone());
        copy.set(d.port_wire(at), wire);
    }
    for (at, node) in d.nodes().iter().enumerate() {
        if let Op::Request { hole, leaf, .. } = &node.op {
            let own = node.outs.first().cloned().unwrap_or_else(Leaf::number);
            let wire = b.port(format!("request.{hole}.{leaf}"), Role::Cotangent, own);
            copy.set(Wire { node: u32::try_from(at).unwrap_or(u32::MAX), port: 0 }, wire);
        }
    }
    let outs = copy.outs(&mut b, d.outs().get(..rule.leaves.len()).unwrap_or_default())?;
    Ok(b.finish(&outs))
}

/// What kind of number a port holds, and which state or hole it is: the same in the whole and in the parts.
fn kind(path: &str, role: Role) -> String {
    let tail = match role {
        Role::Cotangent => path.rsplit_once('.').map_or(path, |(head, _)| head),
        Role::State => path.split_once('.').map_or(path, |(_, tail)| tail),
        _ => "",
    };
    format!("{role:?}.{tail}")
}

fn run(d: &Diagram, inputs: &[Tensor<f64>]) -> Option<Vec<f64>> {
    let outs = evaluate(d, inputs, 1).ok()?;
    Some(outs.iter().flat_map(Tensor::to_f64).collect())
}

/// The law on one rule.
pub(super) fn splitting(
    name: &Ident,
    whole: &RuleDiagram,
    parts: &RuleDiagram,
    cases: usize,
    stream: &mut Stream,
) -> LawResult {
    const LAW: &str = "moving a vector = moving its pieces";
    let mut tally = Tally::new(name);
    tally.line(LAW);
    if let (Ok(one), Ok(two)) = (opened(whole), opened(parts)) {
        for _ in 0..cases {
            if tally.holds(LAW) {
                tally.met(LAW, differs(name, &one, &two, stream));
            }
        }
    }
    tally.only(LAW)
}

/// What one case says: `None` when the rule could not be run there.
fn differs(name: &Ident, one: &Diagram, two: &Diagram, stream: &mut Stream) -> Option<Result<(), Diagnostic>> {
    let mut drawn: Vec<(String, Vec<f64>)> = Vec::new();
    let mut inputs = Vec::new();
    for port in one.ports() {
        let mut draw = || match port.role {
            Role::State => stream.normal().abs(),
            Role::Clock => 3.0,
            _ => stream.normal(),
        };
        let values: Vec<f64> = (0..port.leaf.size(1)).map(|_| draw()).collect();
        inputs.push(Tensor::from_f64(&port.leaf, 1, &values).ok()?);
        drawn.push((kind(&port.path, port.role), values));
    }
    // Each piece reads its share of what the whole was given; what has one number is the same for all.
    let mut used = vec![0_usize; drawn.len()];
    let mut pieces = Vec::new();
    for port in two.ports() {
        let key = kind(&port.path, port.role);
        let at = drawn.iter().position(|(k, _)| *k == key)?;
        let (all, size) = (drawn.get(at).map(|(_, v)| v)?, port.leaf.size(1));
        let slot = used.get_mut(at)?;
        let values: Vec<f64> = if all.len() == size { all.clone() } else { all.get(*slot..*slot + size)?.to_vec() };
        *slot += size;
        pieces.push(Tensor::from_f64(&port.leaf, 1, &values).ok()?);
    }
    let (a, b) = (run(one, &inputs)?, run(two, &pieces)?);
    let apart = a.iter().zip(&b).enumerate().find(|(_, (x, y))| (**x - **y).abs() > 1e-12 * (1.0 + x.abs()));
    let Some((i, (x, y))) = apart else { return Some(Ok(())) };
    Some(Err(Diagnostic::error(
        Code::RULE_SCOPE,
        format!("`{}` does not work on each coordinate by itself", name.name),
    )
    .at(name.span, format!("number {i}: {x} as one vector, {y} in pieces"))
    .help("declare it `per tensor` or `per global`")))
}

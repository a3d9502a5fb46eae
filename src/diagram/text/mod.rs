//! The text form of a diagram (`.diag`), for tests, pages and messages.
//!
//! ```text
//! in %0 : param mlp.0.W : R[16, 4]
//! in %1 : input x : R[4]
//! %2 = einsum "ab,b->a" %0 %1 : R[16]
//! %3 = tanh %2 : R[16]
//! out %3
//! ```
//! Ports are numbered first, then nodes in arena order; `%3.1` is the second output of a node. Primitives of the
//! program stand first, as `prim @0 name {`, the body of fwd, `} rev {`, that of rev, `}`. Stable: printing what was
//! read prints the same. A reverse over bits begins `} rev parity {` or `} rev votes {`.

mod cursor;
mod parse;

pub use parse::TextFault;

use super::einsum::letter;
use super::op::{Bits, Function, Literal, Op, PrimDef, Reverses};
use super::value::{Diagram, Role, Wire};
use crate::object::Tangent;
use crate::source::Span;
use rustc_hash::FxHashMap;
use std::fmt::{self, Write};
use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;

impl fmt::Display for Diagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prims = prims_of(self);
        let numbers: FxHashMap<&PrimDef, usize> = prims.iter().enumerate().map(|(k, p)| (&**p, k)).collect();
        let call = |f: &mut dyn Write, prim: &PrimDef| write!(f, "@{}", numbers.get(prim).copied().unwrap_or(0));
        for (k, prim) in prims.iter().enumerate() {
            writeln!(f, "prim @{k} {} {{", quoted(&prim.name))?;
            body(f, &prim.fwd, "  ", &call)?;
            for (tangent, rev) in prim.rev.iter() {
                writeln!(f, "}} {} {{", word_of(tangent))?;
                body(f, rev, "  ", &call)?;
            }
            writeln!(f, "}}")?;
        }
        body(f, self, "", &call)
    }
}

impl PrimDef {
    /// A primitive with its fingerprint; text forms of equal primitives inside it are hashed by theirs.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>, fwd: Diagram, rev: Reverses, span: Span) -> PrimDef {
        let name = name.into();
        let mut text = Hashing(DefaultHasher::new());
        let call = |f: &mut dyn Write, prim: &PrimDef| write!(f, "{} {:x}", quoted(&prim.name), prim.fingerprint);
        // Writing into a hasher cannot fail.
        let _ = writeln!(text, "{}", quoted(&name));
        let _ = body(&mut text, &fwd, "", &call);
        for (tangent, rev) in rev.iter() {
            let _ = writeln!(text, "{}", word_of(tangent));
            let _ = body(&mut text, rev, "", &call);
        }
        PrimDef { name, fwd, rev, span, fingerprint: text.0.finish() }
    }
}

/// Text that is hashed instead of kept.
struct Hashing(DefaultHasher);

impl Write for Hashing {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        self.0.write(s.as_bytes());
        Ok(())
    }
}

/// The primitives that a diagram calls, those that others call before them.
fn prims_of(d: &Diagram) -> Vec<Arc<PrimDef>> {
    let calls = |d: &Diagram| -> Vec<Arc<PrimDef>> {
        let live = d.cone(d.outs());
        let of = d.nodes().iter().zip(&live).filter(|(_, live)| **live).filter_map(|(n, _)| match &n.op {
            Op::Call(prim) => Some(Arc::clone(prim)),
            _ => None,
        });
        of.collect()
    };
    let mut seen: FxHashMap<Arc<PrimDef>, ()> = FxHashMap::default();
    let mut order = Vec::new();
    // A primitive is on the stack twice: first to be opened, then, once those it calls are out, to be put out.
    let mut stack: Vec<(Arc<PrimDef>, bool)> = calls(d).into_iter().rev().map(|p| (p, false)).collect();
    while let Some((prim, opened)) = stack.pop() {
        if opened {
            order.push(prim);
        } else if seen.insert(Arc::clone(&prim), ()).is_none() {
            stack.push((Arc::clone(&prim), true));
            for inner in std::iter::once(&prim.fwd).chain(prim.rev.iter().map(|(_, rev)| rev)) {
                stack.extend(calls(inner).into_iter().rev().map(|p| (p, false)));
            }
        }
    }
    order
}

/// How a call names its primitive.
type Calls<'c> = &'c dyn Fn(&mut dyn Write, &PrimDef) -> fmt::Result;

fn body(f: &mut dyn Write, d: &Diagram, indent: &str, call: Calls<'_>) -> fmt::Result {
    let live = d.cone(d.outs());
    let mut numbers = vec![0_usize; d.nodes().len()];
    for (k, port) in d.ports().iter().enumerate() {
        numbers[d.port_wire(k).node as usize] = k;
        writeln!(f, "{indent}in %{k} : {} {} : {}", role(port.role), quoted(&port.path), port.leaf)?;
    }
    let inner = |(at, node): &(usize, &super::value::Node)| live[*at] && !matches!(node.op, Op::Input(_));
    for (next, (at, node)) in (d.ports().len()..).zip(d.nodes().iter().enumerate().filter(inner)) {
        numbers[at] = next;
        write!(f, "{indent}%{next} = ")?;
        operation(f, &node.op, call)?;
        let mut ins: Vec<(usize, u32)> = node.ins.iter().map(|w| (numbers[w.node as usize], w.port)).collect();
        if node.op.is_addition() {
            // The builder sorts them; ports have got other numbers here.
            ins.sort_unstable();
        }
        for (number, port) in ins {
            wire(f, number, port)?;
        }
        let leaves: Vec<String> = node.outs.iter().map(ToString::to_string).collect();
        writeln!(f, " : {}", leaves.join(" * "))?;
    }
    write!(f, "{indent}out")?;
    for Wire { node, port } in d.outs() {
        wire(f, numbers[*node as usize], *port)?;
    }
    writeln!(f)
}

fn wire(f: &mut dyn Write, number: usize, port: u32) -> fmt::Result {
    if port == 0 { write!(f, " %{number}") } else { write!(f, " %{number}.{port}") }
}

/// The name and attributes of an operation.
fn operation(f: &mut dyn Write, op: &Op, call: Calls<'_>) -> fmt::Result {
    match op {
        Op::Call(prim) => {
            write!(f, "call ")?;
            return call(f, prim);
        }
        _ => write!(f, "{}", op.name())?,
    }
    match op {
        Op::Const(value) => match &value.entries {
            Literal::Real(v) => write!(f, " {}", list(v, |x| real(*x))),
            Literal::Bool(v) => write!(f, " {}", list(v, ToString::to_string)),
            Literal::Int(v) => write!(f, " {}", list(v, ToString::to_string)),
        },
        Op::Extent(dim) => write!(f, " {dim}"),
        Op::Einsum(spec) => {
            write!(f, " \"{spec}\"")?;
            for (l, dim) in spec.free() {
                write!(f, " {}={dim}", letter(*l))?;
            }
            if Bits(spec.scale()) == Bits(1.0) { Ok(()) } else { write!(f, " scale {}", real(Bits(spec.scale()))) }
        }
        Op::Map(Function::Powi(n)) => write!(f, " {n}"),
        Op::Index(map) | Op::IndexDagger(map) => {
            let rows = list(&map.coef, |row| list(row, ToString::to_string));
            let [from, to] = [&map.from, &map.to].map(|dims| list(dims, ToString::to_string));
            write!(f, " from {from} to {to} base {} coef {rows}", list(&map.base, ToString::to_string))
        }
        Op::Reshape { from, to } => {
            write!(f, " from {} to {}", list(from, ToString::to_string), list(to, ToString::to_string))
        }
        Op::Repeat { axis, core } => write!(f, " {axis} core {core}"),
        Op::Concat { core } | Op::Sum { core } => write!(f, " {core}"),
        Op::Lookup { lead } | Op::LookupDagger { lead } => write!(f, " lead {}", leads(lead)),
        Op::Gather { lead } => write!(f, " lead {}", leads(lead)),
        Op::GatherDagger { lead, rows } => write!(f, " lead {} rows {rows}", leads(lead)),
        Op::Request { hole, leaf, tangent } => write!(f, " {hole} {leaf} {tangent}"),
        _ => Ok(()),
    }
}

fn leads(lead: &[super::op::LeadAxis]) -> String {
    list(lead, |l| format!("{}{}", if l.table { "t" } else { "" }, if l.index { "i" } else { "" }))
}

fn list<T>(items: &[T], show: impl Fn(&T) -> String) -> String {
    format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(", "))
}

/// The shortest decimal that reads back as the same double; other NaNs by their bits.
fn real(x: Bits) -> String {
    let other_nan = x.0.is_nan() && x != Bits(f64::NAN);
    if other_nan { format!("0x{:016x}", x.0.to_bits()) } else { format!("{:?}", x.0) }
}

/// A name as it is, or in quotes when it has other than word characters.
fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    if !name.is_empty() && name.chars().all(plain) {
        return name.to_owned();
    }
    let mut text = String::from("\"");
    for c in name.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            c => text.push(c),
        }
    }
    text + "\""
}

/// The word that opens a reverse over a tangent.
fn word_of(tangent: Tangent) -> &'static str {
    match tangent {
        Tangent::Real => "rev",
        Tangent::Parity => "rev parity",
        Tangent::Votes => "rev votes",
    }
}

/// A role's word.
fn role(role: Role) -> &'static str {
    ROLES.iter().find(|(r, _)| *r == role).map_or("input", |(_, word)| word)
}

/// All roles with their words.
const ROLES: [(Role, &str); 8] = [
    (Role::Param, "param"),
    (Role::Input, "input"),
    (Role::Target, "target"),
    (Role::State, "state"),
    (Role::Noise, "noise"),
    (Role::Cotangent, "cotangent"),
    (Role::Clock, "clock"),
    (Role::RuleNoise, "rule_noise"),
];

//! Laws over bits: R over parity is the Boolean difference, over votes the difference of the values, exactly.
//!
//! `D_i f(x) = f(x) xor f(x xor e_i)`, and R\[f\](x, dy)_i is the parity of `D_i f(x) & dy` (BOOLEAN.md section 6). It
//! holds of a circuit in which no variable meets itself in a product, and must hold of the `rev` of every primitive;
//! over votes a primitive's bit asks `(f(x with bit i set) - f(x with it clear)) dy`. Up to [`TABLE`] bits, parameters
//! counted, the whole truth table is asked, else random points. Votes mod 2 are parity in every circuit.

use super::both::{Both, Point, draw, place, show};
use super::check::{LawResult, Tally};
use super::same::{not_additive, not_by_row};
use super::table::{Wrong, differences};
use crate::diagram::{Diagram, Op, known_meetings};
use crate::elaborate::{Model, Sample};
use crate::object::{Base, Leaf, Tangent};
use crate::random::Stream;
use crate::source::{Code, Diagnostic};

/// Up to so many bits all rows of the truth table are asked.
const TABLE: usize = 12;

/// The laws on one map or primitive; none when no bits go in, or neither bits nor whole numbers come out.
pub(super) fn check(sample: &Sample, cases: usize, stream: &mut Stream) -> Vec<LawResult> {
    let mut tally = Tally::new(&sample.name);
    for model in std::iter::once(&sample.model).chain(&sample.further) {
        let sides: Vec<Both> = [Tangent::Parity, Tangent::Votes]
            .into_iter()
            .filter_map(|tangent| match Both::over(&model.diagram, tangent) {
                Ok(both) => both,
                Err(fault) => {
                    tally.line(&format!("no R over {tangent}: {fault}"));
                    None
                }
            })
            .collect();
        for f in &sides {
            of_tangent(sample, model, f, cases, stream, &mut tally);
        }
        if let [parity, votes] = sides.as_slice() {
            const LAW: &str = "votes mod 2 are parity";
            tally.line(LAW);
            // Votes pass through the whole numbers between primitives, parity does not.
            let told = !numbers(&model.diagram).contains(&"call");
            for _ in 0..cases {
                if told && tally.holds(LAW) {
                    tally.met(LAW, not_mod_2(sample, parity, votes, stream));
                }
            }
        }
    }
    tally.results
}

/// The laws over one tangent.
fn of_tangent(sample: &Sample, model: &Model, f: &Both, cases: usize, stream: &mut Stream, tally: &mut Tally) {
    let law = match f.tangent {
        Tangent::Parity => "R over parity is the Boolean difference (truth table)".to_owned(),
        tangent => format!("R over {tangent} is f(1) - f(0) in each bit (truth table)"),
    };
    match unsafe_because(&model.diagram).filter(|_| !sample.prim) {
        // Over votes exclusive or is a product too: only a primitive promises the difference.
        _ if !sample.prim && f.tangent != Tangent::Parity => {}
        Some(why) => tally.line(&why),
        None => {
            let (tried, wrong) = differences(f, &points(f, cases, stream), stream);
            tally.counted(&law, tried, wrong.map(|w| told(sample, f, &w)));
        }
    }
    let additive = format!("R over {} is additive in the request, 0 gives 0 (RD.2)", f.tangent);
    let batched = format!("a batch over {} is its examples and their aggregate", f.tangent);
    tally.line(&additive);
    tally.line(&batched);
    let (own, back) = (f.own(), f.back());
    let mut random = |leaves: &[Leaf]| -> Point { leaves.iter().map(|l| draw(l, stream)).collect() };
    for _ in 0..cases {
        let (point, w, u) = (random(&own), random(&back), random(&back));
        if tally.holds(&additive) {
            tally.met(&additive, not_additive(sample, f, &point, &w, &u));
        }
    }
    for _ in 0..cases {
        if tally.holds(&batched) {
            tally.met(&batched, not_by_row(sample, f, stream));
        }
    }
}

/// All rows of the truth table, or random points; what is no bit is random.
fn points(f: &Both, cases: usize, stream: &mut Stream) -> Vec<Point> {
    let own = f.own();
    let sizes: Vec<usize> = f.wrt.iter().filter_map(|p| own.get(*p)).map(|l| l.size(1)).collect();
    let bits: usize = sizes.iter().sum();
    let whole = bits <= TABLE;
    let rows = if whole { 1 << bits } else { cases };
    let mut points = Vec::with_capacity(rows);
    for row in 0..rows {
        let mut point: Point = own.iter().map(|l| draw(l, stream)).collect();
        if whole {
            let mut at = 0;
            for port in &f.wrt {
                for x in point.get_mut(*port).into_iter().flatten() {
                    *x = f64::from(u8::from(row >> at & 1 == 1));
                    at += 1;
                }
            }
        }
        points.push(point);
    }
    points
}

/// Why R over parity need not be the Boolean difference of a map; `None` when it must be.
fn unsafe_because(d: &Diagram) -> Option<String> {
    if let Some(name) = numbers(d).first() {
        return Some(format!("not a circuit: what its bits decide goes through `{name}`, which asks nothing"));
    }
    let Some(all) = known_meetings(d) else { return Some("not known to be safe: too large to look at".to_owned()) };
    let first = all.first()?;
    let name = match d.nodes().get(first.node as usize).map(|n| &n.op) {
        Some(Op::Call(prim)) => prim.name.to_string(),
        op => op.map_or("", Op::name).to_owned(),
    };
    let share = if first.of > 1 { format!(" ({} of {} entries)", first.entries, first.of) } else { String::new() };
    Some(format!("not safe: `{}` meets itself in `{name}`{share}", first.port))
}

/// The operations that make bits of what is no polynomial of the input's bits: numbers and comparisons.
fn numbers(d: &Diagram) -> Vec<&str> {
    let live = d.cone(d.outs());
    let mut depends = vec![false; d.nodes().len()];
    let mut found = Vec::new();
    for (at, node) in d.nodes().iter().enumerate() {
        let of = |w: &crate::diagram::Wire| depends.get(w.node as usize) == Some(&true);
        let mine = match &node.op {
            Op::Input(_) => node.outs.iter().any(|l| l.base == Base::Bool),
            _ => node.ins.iter().any(of),
        };
        let bits = node.outs.iter().any(|l| l.base == Base::Bool);
        let counted = node.ins.iter().any(|w| of(w) && d.leaf(*w).base != Base::Bool);
        if mine && bits && live.get(at) == Some(&true) && (counted || matches!(node.op, Op::Compare(_))) {
            found.push(node.op.name());
        }
        if let Some(slot) = depends.get_mut(at) {
            *slot = mine;
        }
    }
    found
}

fn told(sample: &Sample, f: &Both, wrong: &Wrong) -> Diagnostic {
    let name = &sample.name.name;
    let what = if sample.prim { format!("the `rev` of `{name}`") } else { format!("R of `{name}`") };
    let path = f.d.ports().get(wrong.port).map_or("", |p| &*p.path);
    let (not, gives, help) = match f.tangent {
        Tangent::Parity => (
            "its Boolean difference",
            "the truth table gives",
            "over parity a bit asks `dy` where turning it turns the output, else 0",
        ),
        _ => (
            "the difference of its values",
            "f(1) - f(0) gives",
            "over votes a bit asks `dy` times the value with the bit set less the value with it clear",
        ),
    };
    let label =
        format!("over {}: bit {} of `{path}` asks {}, {gives} {}", f.tangent, wrong.bit, wrong.asked, wrong.expected);
    Diagnostic::error(Code::LAW_REVERSE, format!("{what} is not {not}"))
        .at(place(sample), label)
        .note(format!("at input {}", show(&wrong.point)))
        .note(format!("with request {}", show(&wrong.dy)))
        .help(help)
}

/// The requests over votes at one point, mod 2, against those over parity.
fn not_mod_2(sample: &Sample, parity: &Both, votes: &Both, stream: &mut Stream) -> Option<Result<(), Diagnostic>> {
    let point: Point = votes.own().iter().map(|l| draw(l, stream)).collect();
    let outs = votes.d.outs().iter().take(votes.outs).map(|w| votes.d.leaf(*w).base == Base::Bool);
    // Whole numbers have no parity: nothing is asked of them.
    let cots: Vec<(Vec<f64>, bool)> = votes.back().iter().map(|l| draw(l, stream)).zip(outs).collect();
    let w: Point = cots.iter().map(|(v, bit)| if *bit { v.clone() } else { vec![0.0; v.len()] }).collect();
    let odd = |v: &Vec<f64>| v.iter().map(|x| x.rem_euclid(2.0)).collect::<Vec<f64>>();
    let half: Point = cots.iter().filter(|(_, bit)| *bit).map(|(v, _)| odd(v)).collect();
    let (counted, bits) = (votes.run(&point, &w)?.1, parity.run(&point, &half)?.1);
    let pairs = counted.iter().flatten().zip(bits.iter().flatten());
    let Some((i, (x, y))) = pairs.enumerate().find(|(_, (x, y))| x.rem_euclid(2.0) != **y) else {
        return Some(Ok(()));
    };
    let what = format!("votes of `{}` mod 2 are not its parity", sample.name.name);
    Some(Err(Diagnostic::error(Code::LAW, what)
        .at(place(sample), format!("number {i}: {x} over votes, {y} over parity"))
        .note(format!("at input {}, request {}", show(&point), show(&w)))
        .help("a `rev` over votes is an integer derivative; mod 2 it is the one over parity")))
}

//! Laws of the reverse derivative on one map: it is the derivative, it is additive, a batch is its examples.
//!
//! The transpose of R[f](a, -) is D[f](a, -) (2103.01931, theorems 16 and 41): for random a, v, w the inner product of
//! R[f](a, w) with v is compared with the central difference of <w, f> along v.

use super::check::LawResult;
use crate::diagram::{Builder, Diagram, Op, Role, Wire, batch};
use crate::elaborate::Sample;
use crate::object::{Base, Dim, Leaf, Tangent};
use crate::random::Stream;
use crate::reverse::requests;
use crate::run::{Tensor, evaluate};
use crate::source::{Code, Diagnostic, Span};

/// Steps of the central difference; the estimate is extrapolated from both (Richardson).
const H: f64 = 1e-3;
/// How far two estimates may differ, relative to the numbers met.
const TOLERANCE: f64 = 1e-5;

/// A map with its reverse in one diagram: ports A ++ B', outputs B ++ A' (real leaves only).
struct Both {
    d: Diagram,
    reals: Vec<usize>,
    ports: usize,
    outs: usize,
}

fn both(d: &Diagram) -> Option<Both> {
    let (mut b, outs) = Builder::resume(d.clone());
    let reals: Vec<usize> =
        (0..d.ports().len()).filter(|i| d.ports().get(*i).is_some_and(|p| p.leaf.base == Base::Real)).collect();
    let real_outs: Vec<Wire> = outs.into_iter().filter(|w| d.leaf(*w).base == Base::Real).collect();
    let mut cots = Vec::new();
    for (k, out) in real_outs.iter().enumerate() {
        let leaf = b.leaf(*out).clone();
        cots.push((*out, b.port(format!("d({k})"), Role::Cotangent, leaf)));
    }
    let wrt: Vec<Wire> = reals.iter().map(|p| d.port_wire(*p)).collect();
    let asked = requests(&mut b, &Tangent::Real, &cots, &wrt).ok()?;
    let mut all = real_outs.clone();
    for (request, wire) in asked.into_iter().zip(&wrt) {
        let leaf = b.leaf(*wire).clone();
        all.push(match request {
            Some(r) => r,
            None => b.zero(&leaf).ok()?,
        });
    }
    (!reals.is_empty() && !real_outs.is_empty()).then(|| Both {
        ports: d.ports().len(),
        outs: real_outs.len(),
        d: b.finish(&all),
        reals,
    })
}

type Point = Vec<Vec<f64>>;

fn draw(leaf: &Leaf, stream: &mut Stream) -> Vec<f64> {
    (0..leaf.size(1))
        .map(|_| match leaf.base {
            Base::Real => stream.normal(),
            #[allow(clippy::cast_precision_loss, reason = "a small label")]
            Base::Fin(n) => stream.below(u64::from(n)) as f64,
            _ => f64::from(u8::from(stream.uniform() < 0.5)),
        })
        .collect()
}

impl Both {
    fn run(&self, point: &Point, cots: &Point) -> Option<(Point, Point)> {
        let values = point.iter().chain(cots);
        let inputs: Option<Vec<Tensor<f64>>> =
            self.d.ports().iter().zip(values).map(|(p, v)| Tensor::from_f64(&p.leaf, 1, v).ok()).collect();
        let outs = evaluate(&self.d, &inputs?, 1).ok()?;
        let mut all: Point = outs.iter().map(Tensor::to_f64).collect();
        let requests = all.split_off(self.outs);
        Some((all, requests))
    }

    /// <w, f(point + t v)>.
    fn weighed(&self, point: &Point, along: &Point, t: f64, w: &Point) -> Option<f64> {
        let mut moved = point.clone();
        for (real, v) in self.reals.iter().zip(along) {
            for (x, d) in moved.get_mut(*real)?.iter_mut().zip(v) {
                *x += t * d;
            }
        }
        Some(inner(&self.run(&moved, w)?.0, w))
    }

    /// The derivative along v by differences, and whether two widths agree on it.
    fn difference(&self, point: &Point, along: &Point, w: &Point) -> Option<(f64, bool)> {
        let at = |h: f64| Some((self.weighed(point, along, h, w)? - self.weighed(point, along, -h, w)?) / (2.0 * h));
        let (wide, narrow, finer) = (at(H)?, at(H / 2.0)?, at(H / 4.0)?);
        // Two extrapolations of fourth order; next to a kink they differ.
        let (first, second) = ((4.0 * narrow - wide) / 3.0, (4.0 * finer - narrow) / 3.0);
        let scale = first.abs().max(second.abs());
        // On a kink they agree, on the mean of its sides; there the sides stay apart however near one comes.
        let here = self.weighed(point, along, 0.0, w)?;
        let apart = |h: f64| {
            let (after, before) = (self.weighed(point, along, h, w)?, self.weighed(point, along, -h, w)?);
            Some(((after - here) - (here - before)).abs() / h)
        };
        let (far, near) = (apart(H)?, apart(H / 4.0)?);
        let kink = near > 0.5 * far && !close(near, 0.0, scale, 0.1);
        Some((second, close(first, second, scale, 0.1) && !kink))
    }
}

fn inner(a: &Point, b: &Point) -> f64 {
    a.iter().zip(b).flat_map(|(x, y)| x.iter().zip(y)).map(|(x, y)| x * y).sum()
}

fn close(a: f64, b: f64, scale: f64, share: f64) -> bool {
    a.is_finite() && b.is_finite() && (a - b).abs() <= share * TOLERANCE * (1.0 + scale)
}

/// A point where R and the differences disagree.
struct Wrong {
    point: Point,
    along: Point,
    w: Point,
    reverse: f64,
    difference: f64,
}

/// What one point says: `None` where differences cannot tell (a kink, outside the domain, a singular matrix).
fn compare(f: &Both, point: &Point, along: &Point, w: &Point) -> Option<Result<(), Wrong>> {
    let (_, requests) = f.run(point, w)?;
    let reverse = inner(&requests, along);
    let (difference, smooth) = f.difference(point, along, w)?;
    let scale: f64 = requests.iter().zip(along).flat_map(|(r, v)| r.iter().zip(v)).map(|(r, v)| (r * v).abs()).sum();
    let right = close(reverse, difference, scale.max(difference.abs()), 1.0);
    let wrong = || Wrong { point: point.clone(), along: along.clone(), w: w.clone(), reverse, difference };
    smooth.then(|| if right { Ok(()) } else { Err(wrong()) })
}

fn disagree(f: &Both, point: &Point, along: &Point, w: &Point) -> Option<Wrong> {
    compare(f, point, along, w)?.err()
}

/// The attempt whose points are above one.
const LARGE: usize = 3;

/// How often a point is looked for where differences can tell.
const TRIES: usize = 12;

/// The point itself, then others: positive, inside -1..1, above one; for maps that are not defined everywhere.
fn elsewhere(own: &[Leaf], attempt: usize, stream: &mut Stream) -> Point {
    let moved = |x: f64| match attempt % 4 {
        0 => x,
        1 => x.abs(),
        2 => 0.9 * x.tanh(),
        _ => 1.0 + 10.0 * x.abs(),
    };
    let drawn = |l: &Leaf| (l.base, draw(l, stream));
    let kept = |(base, v): (Base, Vec<f64>)| if base == Base::Real { v.into_iter().map(moved).collect() } else { v };
    own.iter().map(drawn).map(kept).collect()
}

/// Makes a counterexample small: one direction, round numbers, zeros, as long as it stays one.
fn shrink(f: &Both, mut wrong: Wrong) -> Wrong {
    let axes: Vec<(usize, usize)> =
        wrong.along.iter().enumerate().flat_map(|(i, v)| (0..v.len()).map(move |j| (i, j))).collect();
    for (i, j) in axes {
        let unit: Point = wrong
            .along
            .iter()
            .enumerate()
            .map(|(a, v)| (0..v.len()).map(|b| f64::from(u8::from(a == i && b == j))).collect())
            .collect();
        if let Some(found) = disagree(f, &wrong.point, &unit, &wrong.w) {
            wrong = found;
            break;
        }
    }
    let simpler: [&dyn Fn(f64) -> f64; 4] = [&|_| 0.0, &|_| 1.0, &|x| x.round(), &|x| (x * 10.0).round() / 10.0];
    for of_point in [false, true] {
        let count: usize = (if of_point { &wrong.point } else { &wrong.w }).iter().map(Vec::len).sum();
        for at in 0..count {
            for change in simpler {
                let mut candidate = (wrong.point.clone(), wrong.w.clone());
                let list = if of_point { &mut candidate.0 } else { &mut candidate.1 };
                let Some(x) = list.iter_mut().flatten().nth(at) else { continue };
                *x = change(*x);
                if let Some(found) = disagree(f, &candidate.0, &wrong.along, &candidate.1) {
                    wrong = found;
                    break;
                }
            }
        }
    }
    wrong
}

fn show(point: &Point) -> String {
    let one = |v: &Vec<f64>| format!("[{}]", v.iter().map(|x| format!("{x}")).collect::<Vec<_>>().join(", "));
    point.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The place of a sample's reverse: a primitive's `rev`, else the name.
fn place(sample: &Sample) -> Span {
    let prims = sample.model.diagram.nodes().iter().filter_map(|n| match &n.op {
        Op::Call(prim) if sample.prim => Some(prim.span),
        _ => None,
    });
    prims.fold(None, |_, span| Some(span)).unwrap_or(sample.name.span)
}

/// The laws on one map.
pub(super) fn check(sample: &Sample, cases: usize, stream: &mut Stream) -> Vec<LawResult> {
    let Some(f) = both(&sample.model.diagram) else {
        return vec![LawResult {
            law: "no derivative: nothing real goes in, or nothing real comes out".to_owned(),
            item: sample.name.name.to_string(),
            cases: 0,
            failure: None,
        }];
    };
    let leaves: Vec<Leaf> = f.d.ports().iter().map(|p| p.leaf.clone()).collect();
    let (own, back) = leaves.split_at(f.ports);
    let mut difference = None;
    let mut compared = 0;
    let mut additive = None;
    let mut batched = None;
    for case in 0..cases {
        let point: Point = own.iter().map(|l| draw(l, stream)).collect();
        let w: Point = back.iter().map(|l| draw(l, stream)).collect();
        let u: Point = back.iter().map(|l| draw(l, stream)).collect();
        let along: Point = f.reals.iter().filter_map(|r| own.get(*r)).map(|l| draw(l, stream)).collect();
        if difference.is_none() {
            // Every fourth point is a large one: what is wrong only there is not next to 0.
            let large = if case % 4 == 3 { compare(&f, &elsewhere(own, LARGE, stream), &along, &w) } else { None };
            let mut verdict = large.or_else(|| compare(&f, &point, &along, &w));
            for attempt in 1..TRIES {
                if verdict.is_some() {
                    break;
                }
                verdict = compare(&f, &elsewhere(own, attempt, stream), &along, &w);
            }
            compared += usize::from(verdict.is_some());
            difference = verdict.and_then(Result::err).map(|wrong| told(sample, &shrink(&f, wrong)));
        }
        if additive.is_none() {
            additive = not_additive(sample, &f, &point, &w, &u);
        }
        if batched.is_none() {
            batched = not_by_row(sample, &f, own, back, stream);
        }
    }
    let result = |law: &str, cases, failure| LawResult {
        law: law.to_owned(),
        item: sample.name.name.to_string(),
        cases,
        failure,
    };
    vec![
        result("R is the derivative (central differences)", compared, difference),
        result("R is additive in the request, 0 gives 0 (RD.2)", cases, additive),
        result("a batch is its examples", cases, batched),
    ]
}

fn told(sample: &Sample, wrong: &Wrong) -> Diagnostic {
    let what = if sample.prim {
        format!("the `rev` of `{}`", sample.name.name)
    } else {
        format!("R of `{}`", sample.name.name)
    };
    Diagnostic::error(Code::LAW_REVERSE, format!("{what} is not the reverse derivative"))
        .at(place(sample), format!("gives {:.9}, differences give {:.9}", wrong.reverse, wrong.difference))
        .note(format!("at input {}", show(&wrong.point)))
        .note(format!("with request {}, along {}", show(&wrong.w), show(&wrong.along)))
        .help("compare with the derivative of `fwd`; the request must be multiplied by its transpose")
}

fn not_additive(sample: &Sample, f: &Both, point: &Point, w: &Point, u: &Point) -> Option<Diagnostic> {
    let sum: Point = w.iter().zip(u).map(|(a, b)| a.iter().zip(b).map(|(x, y)| x + y).collect()).collect();
    let none: Point = w.iter().map(|v| vec![0.0; v.len()]).collect();
    let (a, b) = (f.run(point, w)?.1, f.run(point, u)?.1);
    let (both, zero) = (f.run(point, &sum)?.1, f.run(point, &none)?.1);
    let flat = |p: &Point| p.iter().flatten().copied().collect::<Vec<f64>>();
    let (a, b, both, zero) = (flat(&a), flat(&b), flat(&both), flat(&zero));
    let fault = |i: usize, x: f64, y: f64, why: &str| {
        Diagnostic::error(
            Code::LAW_ADDITIVE,
            format!("the reverse of `{}` is not additive in the request", sample.name.name),
        )
        .at(place(sample), format!("number {i}: {why} gives {x}, it should be {y}"))
        .note(format!("at input {}, requests {} and {}", show(point), show(w), show(u)))
        .help("a `rev` is linear in `dy`: no thresholds, squares or constants of it")
    };
    for (i, z) in zero.iter().enumerate() {
        if *z != 0.0 {
            return Some(fault(i, *z, 0.0, "a zero request"));
        }
    }
    for (i, (s, (x, y))) in both.iter().zip(a.iter().zip(&b)).enumerate() {
        if s.is_finite() && !close(*s, x + y, x.abs() + y.abs(), 1.0) {
            return Some(fault(i, *s, x + y, "the sum of two requests"));
        }
    }
    None
}

/// Three examples batched, parameters shared, against three runs.
fn not_by_row(sample: &Sample, f: &Both, own: &[Leaf], back: &[Leaf], stream: &mut Stream) -> Option<Diagnostic> {
    const ROWS: usize = 3;
    let shared: Vec<bool> = f.d.ports().iter().map(|p| p.role == Role::Param).collect();
    let mut b = Builder::new();
    let mut args = Vec::new();
    for (port, shared) in f.d.ports().iter().zip(&shared) {
        let leaf = if *shared { port.leaf.clone() } else { port.leaf.under(Dim::BATCH) };
        args.push((b.port(port.path.clone(), port.role, leaf), !*shared));
    }
    let outs = batch(&mut b, &f.d, &args, Dim::BATCH, f.d.outs()).ok()?;
    let over: Vec<bool> = outs.iter().map(|(_, o)| *o).collect();
    let wires: Vec<Wire> = outs.iter().map(|(w, _)| *w).collect();
    let d = b.finish(&wires);
    let leaves: Vec<&Leaf> = own.iter().chain(back).collect();
    let first: Point = leaves.iter().map(|l| draw(l, stream)).collect();
    let rows: Vec<Point> = (0..ROWS)
        .map(|_| {
            let drawn = leaves.iter().map(|l| draw(l, stream));
            drawn.zip(&first).zip(&shared).map(|((new, one), s)| if *s { one.clone() } else { new }).collect()
        })
        .collect();
    let mut inputs: Vec<Tensor<f64>> = Vec::new();
    for (i, port) in d.ports().iter().enumerate() {
        let values: Vec<f64> = match shared.get(i) {
            Some(true) => first.get(i)?.clone(),
            _ => rows.iter().filter_map(|r| r.get(i)).flatten().copied().collect(),
        };
        inputs.push(Tensor::from_f64(&port.leaf, ROWS, &values).ok()?);
    }
    let together = evaluate(&d, &inputs, ROWS).ok()?;
    for (k, row) in rows.iter().enumerate() {
        let (point, cots) = row.split_at(f.ports);
        let (values, requests) = f.run(&point.to_vec(), &cots.to_vec())?;
        for ((alone, all), over) in values.iter().chain(&requests).zip(&together).zip(&over) {
            let all = all.to_f64();
            let mine = if *over { all.get(k * alone.len()..(k + 1) * alone.len())?.to_vec() } else { all };
            let bad = alone.iter().zip(&mine).find(|(x, y)| x.is_finite() && !close(**x, **y, x.abs(), 1e-5));
            if let Some((x, y)) = bad {
                return Some(
                    Diagnostic::error(Code::LAW, format!("a batch of `{}` is not its examples", sample.name.name))
                        .at(sample.name.span, format!("example {k} alone gives {x}, in a batch {y}"))
                        .note("this is a fault of catlearn: please report it with the program"),
                );
            }
        }
    }
    None
}

//! The reverse derivative over reals is the derivative: against central differences, on one map.
//!
//! The transpose of R[f](a, -) is D[f](a, -) (2103.01931, theorems 16 and 41): for random a, v, w the inner product of
//! R[f](a, w) with v is compared with the central difference of <w, f> along v.

use super::both::{Both, Point, close, draw, inner, place, show};
use super::check::{LawResult, Tally};
use super::same::{not_additive, not_by_row};
use crate::elaborate::Sample;
use crate::object::{Base, Leaf, Tangent};
use crate::random::Stream;
use crate::source::{Code, Diagnostic};

/// Steps of the central difference; the estimate is extrapolated from both (Richardson).
const H: f64 = 1e-3;
impl Both {
    /// <w, f(point + t v)>.
    fn weighed(&self, point: &Point, along: &Point, t: f64, w: &Point) -> Option<f64> {
        let mut moved = point.clone();
        for (real, v) in self.wrt.iter().zip(along) {
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

/// The laws on one map over reals; none when nothing real goes in or comes out.
pub(super) fn check(sample: &Sample, cases: usize, stream: &mut Stream) -> Vec<LawResult> {
    let mut tally = Tally::new(&sample.name);
    let f = match Both::over(&sample.model.diagram, Tangent::Real) {
        Ok(Some(f)) => f,
        Ok(None) => return Vec::new(),
        Err(fault) => {
            tally.line(&format!("R is the derivative: no R, {fault}"));
            return tally.results;
        }
    };
    let (own, back) = (f.own(), f.back());
    let (derivative, additive, batched) = (
        "R is the derivative (central differences)",
        "R is additive in the request, 0 gives 0 (RD.2)",
        "a batch is its examples",
    );
    [derivative, additive, batched].iter().for_each(|law| tally.line(law));
    for case in 0..cases {
        let point: Point = own.iter().map(|l| draw(l, stream)).collect();
        let w: Point = back.iter().map(|l| draw(l, stream)).collect();
        let u: Point = back.iter().map(|l| draw(l, stream)).collect();
        let along: Point = f.wrt.iter().filter_map(|r| own.get(*r)).map(|l| draw(l, stream)).collect();
        if tally.holds(derivative) {
            // Every fourth point is a large one: what is wrong only there is not next to 0.
            let large = if case % 4 == 3 { compare(&f, &elsewhere(&own, LARGE, stream), &along, &w) } else { None };
            let mut verdict = large.or_else(|| compare(&f, &point, &along, &w));
            for attempt in 1..TRIES {
                if verdict.is_some() {
                    break;
                }
                verdict = compare(&f, &elsewhere(&own, attempt, stream), &along, &w);
            }
            tally.met(derivative, verdict.map(|v| v.map_err(|wrong| told(sample, &shrink(&f, wrong)))));
        }
        if tally.holds(additive) {
            tally.met(additive, not_additive(sample, &f, &point, &w, &u));
        }
        if tally.holds(batched) {
            tally.met(batched, not_by_row(sample, &f, stream));
        }
    }
    tally.results
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

//! Laws that read alike over every tangent: R is additive in the request, a batch is its examples.
//!
//! Each asks one random case: `None` when it could not be run (a singular matrix, no batch), so that it does not count.

use super::both::{Both, Many, Point, close, draw, place, show, sum};
use crate::diagram::Role;
use crate::elaborate::Sample;
use crate::object::{Leaf, Tangent};
use crate::random::Stream;
use crate::source::{Code, Diagnostic};

/// R(x, w + u) = R(x, w) + R(x, u), and a zero request gives exactly zero (RD.2).
pub(super) fn not_additive(
    sample: &Sample,
    f: &Both,
    point: &Point,
    w: &Point,
    u: &Point,
) -> Option<Result<(), Diagnostic>> {
    let added = |x: &f64, y: &f64| sum(f.tangent, *x, *y);
    let both: Point = w.iter().zip(u).map(|(a, b)| a.iter().zip(b).map(|(x, y)| added(x, y)).collect()).collect();
    let none: Point = w.iter().map(|v| vec![0.0; v.len()]).collect();
    let flat = |cots: &Point| Some(f.run(point, cots)?.1.into_iter().flatten().collect::<Vec<f64>>());
    let (a, b, both, zero) = (flat(w)?, flat(u)?, flat(&both)?, flat(&none)?);
    let over = if f.tangent == Tangent::Real { String::new() } else { format!(" over {}", f.tangent) };
    let fault = |i: usize, x: f64, y: f64, why: &str| {
        Diagnostic::error(
            Code::LAW_ADDITIVE,
            format!("the reverse of `{}` is not additive in the request{over}", sample.name.name),
        )
        .at(place(sample), format!("number {i}: {why} gives {x}, it should be {y}"))
        .note(format!("at input {}, requests {} and {}", show(point), show(w), show(u)))
        .help("a `rev` is linear in `dy`: no thresholds, squares or constants of it")
    };
    for (i, z) in zero.iter().enumerate() {
        if *z != 0.0 {
            return Some(Err(fault(i, *z, 0.0, "a zero request")));
        }
    }
    for (i, (s, (x, y))) in both.iter().zip(a.iter().zip(&b)).enumerate() {
        if s.is_finite() && !close(*s, added(x, y), x.abs() + y.abs(), 1.0) {
            return Some(Err(fault(i, *s, added(x, y), "the sum of two requests")));
        }
    }
    Some(Ok(()))
}

/// Three examples as one batch, parameters shared, against three runs: values and requests row by row, and the requests
/// as the aggregator adds them up.
pub(super) fn not_by_row(sample: &Sample, f: &Both, stream: &mut Stream) -> Option<Result<(), Diagnostic>> {
    const ROWS: usize = 3;
    let shared: Vec<bool> = f.d.ports().iter().map(|p| p.role == Role::Param).collect();
    let leaves: Vec<Leaf> = f.d.ports().iter().map(|p| p.leaf.clone()).collect();
    let first: Point = leaves.iter().map(|l| draw(l, stream)).collect();
    let rows: Vec<Point> = (0..ROWS)
        .map(|_| {
            let drawn = leaves.iter().map(|l| draw(l, stream));
            drawn.zip(&first).zip(&shared).map(|((new, one), s)| if *s { one.clone() } else { new }).collect()
        })
        .collect();
    let fault = |what: &str, x: f64, y: f64| {
        Diagnostic::error(Code::LAW, format!("a batch of `{}` is not its examples", sample.name.name))
            .at(sample.name.span, format!("{what} gives {x}, in a batch {y}"))
            .note("this is a fault of catlearn")
            .help("please report it with the program")
    };
    let many = Many::of(&f.d, &shared)?;
    let together = many.run(&rows, &shared)?;
    let mut total: Option<Point> = None;
    for (k, (row, batched)) in rows.iter().zip(&together).enumerate() {
        let (point, cots) = row.split_at(f.ports);
        let (values, requests) = f.run(&point.to_vec(), &cots.to_vec())?;
        let alone = values.iter().chain(&requests).flatten();
        let bad = alone.zip(batched.iter().flatten()).find(|(x, y)| x.is_finite() && !close(**x, **y, x.abs(), 1e-5));
        if let Some((x, y)) = bad {
            return Some(Err(fault(&format!("example {k} alone"), *x, *y)));
        }
        total = Some(match total {
            None => requests,
            Some(before) => added(f, &many, before, &requests),
        });
    }
    let aggregate = many.summed(f.outs)?.run(&rows, &shared)?.into_iter().next()?;
    for (x, y) in total?.iter().flatten().zip(aggregate.iter().skip(f.outs).flatten()) {
        if x.is_finite() && !close(*x, *y, x.abs(), 1.0) {
            return Some(Err(fault("the sum of the examples' requests", *x, *y)));
        }
    }
    Some(Ok(()))
}

/// Adds the requests that differ from example to example; others are of all at once.
fn added(f: &Both, many: &Many, mut before: Point, requests: &Point) -> Point {
    for ((all, one), over) in before.iter_mut().zip(requests).zip(many.over.iter().skip(f.outs)) {
        if *over {
            all.iter_mut().zip(one).for_each(|(x, y)| *x = sum(f.tangent, *x, *y));
        }
    }
    before
}

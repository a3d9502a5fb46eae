//! R over bits against the values at a point and at its neighbours, one bit turned.
//!
//! In: a map with its reverse, points. Out: how many points were compared, and the first disagreement made small. Points
//! and neighbours are evaluated as batches; each output entry is asked by itself while they are few.

use super::both::{Both, Many, Point, draw};
use crate::object::{Leaf, Tangent};
use crate::random::Stream;

/// Up to so many output entries are asked one by one, and so many random requests are made when there are more.
const ASKED: usize = 8;

/// Up to so many bits of a point are turned.
const TURNED: usize = 64;

/// About how many numbers a batch may hold.
const ROOM: usize = 1 << 23;

/// A bit whose request is not what the values say.
pub(super) struct Wrong {
    /// Where.
    pub(super) point: Point,
    /// With which request.
    pub(super) dy: Point,
    /// The port.
    pub(super) port: usize,
    /// The entry of the port.
    pub(super) bit: usize,
    /// What R asks.
    pub(super) asked: f64,
    /// What the values say.
    pub(super) expected: f64,
}

/// Compares at points; stops at the first disagreement.
pub(super) fn differences(f: &Both, points: &[Point], stream: &mut Stream) -> (usize, Option<Wrong>) {
    let none = vec![false; f.d.ports().len()];
    let (Some(whole), Some(fore)) = (Many::of(&f.d, &none), Many::of(&f.forward(), &none)) else { return (0, None) };
    let bits = bits(f);
    let turned = bits.len().min(TURNED);
    let per: usize = whole.d.nodes().iter().flat_map(|n| &n.outs).map(|l| l.size(1)).sum();
    let chunk = (ROOM / (per.max(1) * (turned + ASKED + 1))).clamp(1, 512);
    let mut tried = 0;
    for some in points.chunks(chunk) {
        let Some(found) = compare(f, (&whole, &fore), some, &bits, stream) else { continue };
        tried += some.len();
        if let Some(wrong) = found {
            return (tried, Some(shrink(f, &bits, wrong)));
        }
    }
    (tried, None)
}

/// Every bit: its port and its place there.
fn bits(f: &Both) -> Vec<(usize, usize)> {
    let own = f.own();
    let size = |port: &usize| own.get(*port).map_or(0, |l| l.size(1));
    f.wrt.iter().flat_map(|port| (0..size(port)).map(move |i| (*port, i))).collect()
}

/// One request an output entry, or random ones.
fn requests(back: &[Leaf], stream: &mut Stream) -> Vec<Point> {
    let entries: Vec<(usize, usize)> =
        back.iter().enumerate().flat_map(|(k, l)| (0..l.size(1)).map(move |i| (k, i))).collect();
    let unit = |(k, i): &(usize, usize)| -> Point {
        let one = |o: usize, l: &Leaf| (0..l.size(1)).map(|j| f64::from(u8::from(o == *k && j == *i))).collect();
        back.iter().enumerate().map(|(o, l)| one(o, l)).collect()
    };
    let mut all: Vec<Point> = if entries.len() <= ASKED { entries.iter().map(unit).collect() } else { Vec::new() };
    while all.len() < ASKED.min(entries.len() + 1) {
        all.push(back.iter().map(|l| draw(l, stream)).collect());
    }
    all
}

fn turn(point: &Point, (port, bit): (usize, usize)) -> Point {
    let mut other = point.clone();
    if let Some(x) = other.get_mut(port).and_then(|v| v.get_mut(bit)) {
        *x = 1.0 - *x;
    }
    other
}

fn entry(point: &Point, (port, bit): (usize, usize)) -> f64 {
    point.get(port).and_then(|v| v.get(bit)).copied().unwrap_or(0.0)
}

/// What a bit should ask: from the values here and with the bit turned.
fn expected(tangent: Tangent, set: bool, here: &Point, there: &Point, dy: &Point) -> f64 {
    let all = here.iter().flatten().zip(there.iter().flatten()).zip(dy.iter().flatten());
    let total: f64 = all.map(|((x, y), dy)| if set { (x - y) * dy } else { (y - x) * dy }).sum();
    if tangent == Tangent::Parity { total.rem_euclid(2.0) } else { total }
}

/// Some points at once: `None` when they cannot be evaluated.
fn compare(
    f: &Both,
    (whole, fore): (&Many, &Many),
    points: &[Point],
    bits: &[(usize, usize)],
    stream: &mut Stream,
) -> Option<Option<Wrong>> {
    let back = f.back();
    let dys = requests(&back, stream);
    let none = vec![false; f.d.ports().len()];
    let zero: Point = back.iter().map(|l| vec![0.0; l.size(1)]).collect();
    let with = |p: &Point, dy: &Point| -> Point { p.iter().chain(dy).cloned().collect() };
    let rows: Vec<Point> = points.iter().flat_map(|p| dys.iter().map(move |dy| with(p, dy))).collect();
    let answers: Vec<Answer> = whole.run(&rows, &none)?.into_iter().map(|a| Answer::of(f, a)).collect();
    // Which bits are turned at each point: all, or those that ask something, and random ones.
    let mut turned: Vec<Vec<usize>> = Vec::new();
    for asked in answers.chunks(dys.len().max(1)) {
        turned.push(if bits.len() <= TURNED {
            (0..bits.len()).collect()
        } else {
            let loud = |i: &usize| asked.iter().any(|a| a.requests.get(*i) != Some(&0.0));
            let mut some: Vec<usize> = (0..bits.len()).filter(loud).take(TURNED / 2).collect();
            while some.len() < TURNED {
                some.push(usize::try_from(stream.below(bits.len() as u64)).unwrap_or(0));
            }
            some
        });
    }
    let neighbours: Vec<Point> = points
        .iter()
        .zip(&turned)
        .flat_map(|(p, some)| some.iter().filter_map(|i| bits.get(*i)).map(|at| with(&turn(p, *at), &zero)))
        .collect();
    let mut values = fore.run(&neighbours, &none)?.into_iter();
    for ((point, some), asked) in points.iter().zip(&turned).zip(answers.chunks(dys.len().max(1))) {
        let here = &asked.first()?.values;
        for i in some {
            let (there, at) = (values.next()?, *bits.get(*i)?);
            for (dy, answer) in dys.iter().zip(asked) {
                let asked = *answer.requests.get(*i)?;
                let expected = expected(f.tangent, entry(point, at) == 1.0, here, &there, dy);
                if asked != expected {
                    let (point, dy) = (point.clone(), dy.clone());
                    return Some(Some(Wrong { point, dy, port: at.0, bit: at.1, asked, expected }));
                }
            }
        }
    }
    Some(None)
}

/// What one row gives.
struct Answer {
    values: Point,
    /// One a bit.
    requests: Vec<f64>,
}

impl Answer {
    fn of(f: &Both, mut all: Point) -> Answer {
        let requests = all.split_off(f.outs.min(all.len())).into_iter().flatten().collect();
        Answer { values: all, requests }
    }
}

/// Makes a counterexample small: zeros for bits and requests, as long as it stays one.
fn shrink(f: &Both, bits: &[(usize, usize)], mut wrong: Wrong) -> Wrong {
    let at = (wrong.port, wrong.bit);
    let Some(number) = bits.iter().position(|b| *b == at) else { return wrong };
    let stays = |point: Point, dy: Point| -> Option<Wrong> {
        let (here, requests) = f.run(&point, &dy)?;
        let (there, _) = f.run(&turn(&point, at), &dy)?;
        let asked = requests.iter().flatten().nth(number).copied()?;
        let expected = expected(f.tangent, entry(&point, at) == 1.0, &here, &there, &dy);
        (asked != expected).then_some(Wrong { point, dy, port: at.0, bit: at.1, asked, expected })
    };
    for bit in bits.iter().take(512) {
        if entry(&wrong.point, *bit) == 1.0
            && let Some(smaller) = stays(turn(&wrong.point, *bit), wrong.dy.clone())
        {
            wrong = smaller;
        }
    }
    let count: usize = wrong.dy.iter().map(Vec::len).sum();
    for i in 0..count.min(512) {
        for to in [0.0, 1.0] {
            let mut dy = wrong.dy.clone();
            let Some(x) = dy.iter_mut().flatten().nth(i).filter(|x| **x != to) else { break };
            *x = to;
            if let Some(smaller) = stays(wrong.point.clone(), dy) {
                wrong = smaller;
                break;
            }
        }
    }
    wrong
}

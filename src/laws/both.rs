//! A map with its reverse in one diagram, and how the laws evaluate it: at one point, or at many as one batch.
//!
//! In: a diagram and a tangent. Out: [`Both`], ports A ++ B', outputs B ++ A', where B and A are the wires that the laws
//! are asked of: the reals over the reals, else bits in, bits and (over votes) whole numbers out. Points are lists of
//! numbers, a bit being 0 or 1.

use crate::diagram::{Builder, Diagram, Op, Role, Wire, batch};
use crate::elaborate::Sample;
use crate::object::{Base, Dim, Leaf, Tangent};
use crate::random::Stream;
use crate::reverse::{ReverseFault, requests};
use crate::run::{Tensor, evaluate};
use crate::source::Span;

/// How far two estimates may differ, relative to the numbers met.
const TOLERANCE: f64 = 1e-5;

/// Numbers for a list of wires.
pub(super) type Point = Vec<Vec<f64>>;

/// A map with its reverse in one diagram.
pub(super) struct Both {
    pub(super) d: Diagram,
    pub(super) tangent: Tangent,
    /// The ports whose requests are outputs.
    pub(super) wrt: Vec<usize>,
    /// How many ports the map has; the cotangents follow.
    pub(super) ports: usize,
    /// How many outputs of the map there are; the requests follow.
    pub(super) outs: usize,
}

impl Both {
    /// None when nothing that the tangent is about goes in, or comes out.
    pub(super) fn over(d: &Diagram, tangent: Tangent) -> Result<Option<Both>, ReverseFault> {
        let real = tangent == Tangent::Real;
        let variable = |l: &Leaf| l.base == if real { Base::Real } else { Base::Bool };
        let asks = |l: &Leaf| (l.base == Base::Real) == real && tangent.of(l).is_some();
        let (mut b, outs) = Builder::resume(d.clone());
        let wrt: Vec<usize> =
            (0..d.ports().len()).filter(|i| d.ports().get(*i).is_some_and(|p| variable(&p.leaf))).collect();
        let mut all: Vec<Wire> = outs.into_iter().filter(|w| asks(d.leaf(*w))).collect();
        if wrt.is_empty() || all.is_empty() {
            return Ok(None);
        }
        let count = all.len();
        let mut cots = Vec::new();
        for (k, out) in all.iter().enumerate() {
            if let Some(leaf) = tangent.of(d.leaf(*out)) {
                cots.push((*out, b.port(format!("d({k})"), Role::Cotangent, leaf)));
            }
        }
        let wires: Vec<Wire> = wrt.iter().map(|p| d.port_wire(*p)).collect();
        let asked = requests(&mut b, &tangent, &cots, &wires)?;
        for (request, wire) in asked.into_iter().zip(&wires) {
            match (request, tangent.of(d.leaf(*wire))) {
                (Some(request), _) => all.push(request),
                (None, Some(leaf)) => all.push(b.zero(&leaf)?),
                (None, None) => {}
            }
        }
        Ok(Some(Both { ports: d.ports().len(), outs: count, d: b.finish(&all), tangent, wrt }))
    }

    /// The types of the map's ports.
    pub(super) fn own(&self) -> Vec<Leaf> {
        self.d.ports().iter().take(self.ports).map(|p| p.leaf.clone()).collect()
    }

    /// The types of the cotangents.
    pub(super) fn back(&self) -> Vec<Leaf> {
        self.d.ports().iter().skip(self.ports).map(|p| p.leaf.clone()).collect()
    }

    /// Values and requests at one point; none where the map has no value.
    pub(super) fn run(&self, point: &Point, cots: &Point) -> Option<(Point, Point)> {
        let mut all = evaluate_at(&self.d, &point.iter().chain(cots).cloned().collect())?;
        let requests = all.split_off(self.outs);
        Some((all, requests))
    }

    /// The map alone; the ports stay.
    pub(super) fn forward(&self) -> Diagram {
        let (b, mut outs) = Builder::resume(self.d.clone());
        outs.truncate(self.outs);
        b.finish(&outs)
    }
}

fn evaluate_at(d: &Diagram, point: &Point) -> Option<Point> {
    let inputs: Option<Vec<Tensor<f64>>> =
        d.ports().iter().zip(point).map(|(p, v)| Tensor::from_f64(&p.leaf, 1, v).ok()).collect();
    let outs = evaluate(d, &inputs?, 1).ok()?;
    Some(outs.iter().map(Tensor::to_f64).collect())
}

/// A diagram over a batch.
pub(super) struct Many {
    pub(super) d: Diagram,
    /// Which outputs have the batch's axis.
    pub(super) over: Vec<bool>,
}

impl Many {
    /// Ports that are `shared` have no axis of the batch.
    pub(super) fn of(d: &Diagram, shared: &[bool]) -> Option<Many> {
        let mut b = Builder::new();
        let mut args = Vec::new();
        for (port, shared) in d.ports().iter().zip(shared) {
            let leaf = if *shared { port.leaf.clone() } else { port.leaf.under(Dim::BATCH) };
            args.push((b.port(port.path.clone(), port.role, leaf), !*shared));
        }
        let outs = batch(&mut b, d, &args, Dim::BATCH, d.outs()).ok()?;
        let (wires, over): (Vec<Wire>, Vec<bool>) = outs.into_iter().unzip();
        Some(Many { d: b.finish(&wires), over })
    }

    /// The same with the outputs from a place on added up over the batch, as requests meet in the aggregator.
    pub(super) fn summed(&self, from: usize) -> Option<Many> {
        let (mut b, mut wires) = Builder::resume(self.d.clone());
        for (wire, over) in wires.iter_mut().zip(&self.over).skip(from) {
            if *over {
                *wire = b.sum_axis(*wire, 0).ok()?;
            }
        }
        let over = self.over.iter().enumerate().map(|(i, o)| *o && i < from).collect();
        Some(Many { d: b.finish(&wires), over })
    }

    /// The outputs at rows of points; what is shared is that of the first row.
    pub(super) fn run(&self, rows: &[Point], shared: &[bool]) -> Option<Vec<Point>> {
        let mut inputs: Vec<Tensor<f64>> = Vec::new();
        for (i, port) in self.d.ports().iter().enumerate() {
            let values: Vec<f64> = match shared.get(i) {
                Some(true) => rows.first()?.get(i)?.clone(),
                _ => rows.iter().filter_map(|r| r.get(i)).flatten().copied().collect(),
            };
            inputs.push(Tensor::from_f64(&port.leaf, rows.len(), &values).ok()?);
        }
        let together: Point = evaluate(&self.d, &inputs, rows.len()).ok()?.iter().map(Tensor::to_f64).collect();
        let row = |k: usize| {
            let mine = |(all, over): (&Vec<f64>, &bool)| {
                let n = all.len() / rows.len().max(1);
                if *over { all.get(k * n..(k + 1) * n).map(<[f64]>::to_vec) } else { Some(all.clone()) }
            };
            together.iter().zip(&self.over).map(mine).collect::<Option<Point>>()
        };
        (0..rows.len()).map(row).collect()
    }
}

/// Random numbers of a type: normal reals, labels, bits, small whole numbers.
pub(super) fn draw(leaf: &Leaf, stream: &mut Stream) -> Vec<f64> {
    (0..leaf.size(1))
        .map(|_| match leaf.base {
            Base::Real => stream.normal(),
            #[allow(clippy::cast_precision_loss, reason = "a small label")]
            Base::Fin(n) => stream.below(u64::from(n)) as f64,
            #[allow(clippy::cast_precision_loss, reason = "a small number")]
            Base::Int => stream.below(9) as f64 - 4.0,
            Base::Bool => f64::from(u8::from(stream.uniform() < 0.5)),
        })
        .collect()
}

/// The sum of requests over a tangent.
pub(super) fn sum(tangent: Tangent, a: f64, b: f64) -> f64 {
    if tangent == Tangent::Parity { (a + b).rem_euclid(2.0) } else { a + b }
}

pub(super) fn inner(a: &Point, b: &Point) -> f64 {
    a.iter().zip(b).flat_map(|(x, y)| x.iter().zip(y)).map(|(x, y)| x * y).sum()
}

pub(super) fn close(a: f64, b: f64, scale: f64, share: f64) -> bool {
    a.is_finite() && b.is_finite() && (a - b).abs() <= share * TOLERANCE * (1.0 + scale)
}

pub(super) fn show(point: &Point) -> String {
    let one = |v: &Vec<f64>| format!("[{}]", v.iter().map(|x| format!("{x}")).collect::<Vec<_>>().join(", "));
    point.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The place of a sample's reverse: a primitive's `rev`, else the name.
pub(super) fn place(sample: &Sample) -> Span {
    let prims = sample.model.diagram.nodes().iter().filter_map(|n| match &n.op {
        Op::Call(prim) if sample.prim => Some(prim.span),
        _ => None,
    });
    prims.fold(None, |_, span| Some(span)).unwrap_or(sample.name.span)
}

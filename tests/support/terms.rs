//! Random diagrams of the einsum pass's own operations: einsums whose words meet in many ways, sums, products, index
//! maps and their daggers, joins, reshapes and scatters, some over a batch.

use catlearn::diagram::{AffineIndex, Builder, Diagram, EinsumSpec, Function, LeadAxis, Op, Role, Wire};
use catlearn::object::{Base, Dim, Leaf};
use catlearn::random::Stream;
use smallvec::SmallVec;
use std::sync::Arc;

/// Dimensions larger than this are not grown further.
const MOST: u64 = 12;

/// A random diagram over a few real ports; with `batch` some axes are the batch's, else ports are inputs or parameters
/// of one example.
pub(crate) fn random(s: &mut Stream, batch: bool) -> Diagram {
    let mut b = Builder::new();
    let sizes: &[Dim] = if batch { &[Dim::BATCH, Dim::lit(2), Dim::lit(3)] } else { &[Dim::lit(2), Dim::lit(3)] };
    let mut pool: Vec<Wire> = Vec::new();
    for k in 0..3 {
        let dims: Vec<Dim> = (0..1 + s.below(3)).map(|_| sizes[s.below(sizes.len() as u64) as usize]).collect();
        let role = if batch || k > 0 { Role::Input } else { Role::Param };
        pool.push(b.port(format!("p{k}"), role, Leaf::number().with_dims(dims)));
    }
    for k in 0..3 + s.below(12) {
        let x = pool[s.below(pool.len() as u64) as usize];
        let y = pool[s.below(pool.len() as u64) as usize];
        let made = match s.below(11) {
            0 => b.add(x, x).unwrap(),
            1 => {
                let y = b.map(Function::Tanh, &[x]).unwrap();
                b.map(Function::Mul, &[x, y]).unwrap()
            }
            2 => {
                let z = b.scale(x, 0.5).unwrap();
                b.add(z, x).unwrap()
            }
            3 => index(&mut b, s, x),
            4 => join(&mut b, s, x),
            5 => reshape(&mut b, x),
            6 => scatter(&mut b, s, x, k),
            _ => einsum(&mut b, s, x, y),
        };
        pool.push(made);
    }
    let outs: Vec<Wire> = pool.iter().rev().take(2).copied().collect();
    b.finish(&outs)
}

/// An einsum of one or two wires. Each dimension met has two letters, so that words may meet in many ways.
fn einsum(b: &mut Builder, s: &mut Stream, x: Wire, y: Wire) -> Wire {
    let wires = if s.below(2) == 0 { vec![x, y] } else { vec![x] };
    let mut known: Vec<Dim> = vec![Dim::lit(2), Dim::lit(3)];
    let mut ins: Vec<Vec<usize>> = Vec::new();
    for w in &wires {
        let mut word = Vec::new();
        for dim in b.dims(*w) {
            let at = known.iter().position(|d| *d == dim).unwrap_or_else(|| {
                known.push(dim);
                known.len() - 1
            });
            word.push(2 * at + s.below(2) as usize);
        }
        ins.push(word);
    }
    let out: Vec<usize> = (0..s.below(4)).map(|_| s.below(2 * known.len() as u64) as usize).collect();
    let scale = if s.below(2) == 0 { 1.0 } else { -0.5 };
    let spec = EinsumSpec::new(&ins, &out, |l| Some(known[l / 2]), scale).unwrap();
    b.op(Op::einsum(spec), &wires).unwrap()
}

/// The last axis as a number, if it is one that may be worked on.
fn last(b: &Builder, x: Wire) -> Option<u64> {
    b.dims(x).last().and_then(|d| d.as_lit()).filter(|n| (2..=MOST).contains(n))
}

/// A part of the last axis, or the axis as a part of a longer one.
fn index(b: &mut Builder, s: &mut Stream, x: Wire) -> Wire {
    let Some(n) = last(b, x) else { return x };
    let start = s.below(2);
    let op = if s.below(2) == 0 {
        Op::Index(Arc::new(AffineIndex::slice(&[n], start, n - 1, 1)))
    } else {
        Op::IndexDagger(Arc::new(AffineIndex::slice(&[n + 1], start, n, 1)))
    };
    b.op(op, &[x]).unwrap()
}

/// The wire and a function of it along one of its last two axes.
fn join(b: &mut Builder, s: &mut Stream, x: Wire) -> Wire {
    let core = 1 + s.below(2) as usize;
    let dims = b.dims(x);
    let axis = dims.len().checked_sub(core).and_then(|at| dims[at].as_lit());
    if axis.is_none_or(|n| n > MOST) {
        return x;
    }
    let y = b.map(Function::Sin, &[x]).unwrap();
    b.op(Op::Concat { core: core as u8 }, &[x, y]).unwrap()
}

/// The last two axes as one, or an even one as two.
fn reshape(b: &mut Builder, x: Wire) -> Wire {
    let dims = b.dims(x);
    let two: Option<Vec<u64>> =
        dims.len().checked_sub(2).and_then(|at| dims[at..].iter().map(|d| d.as_lit()).collect());
    match (two, last(b, x)) {
        (Some(two), _) if two[0] * two[1] <= MOST => {
            b.reshape(x, &dims[dims.len() - 2..], &[Dim::lit(two[0] * two[1])])
        }
        (_, Some(n)) if n % 2 == 0 => b.reshape(x, &[Dim::lit(n)], &[Dim::lit(2), Dim::lit(n / 2)]),
        _ => Ok(x),
    }
    .unwrap()
}

/// Rows put at the places of a new port, over up to two leading axes; the table keeps some of them.
fn scatter(b: &mut Builder, s: &mut Stream, x: Wire, k: u64) -> Wire {
    let dims = b.dims(x);
    let Some(most) = dims.len().checked_sub(1) else { return x };
    let count = s.below(most as u64 + 1).min(2) as usize;
    let lead: SmallVec<[LeadAxis; 2]> = (0..count)
        .map(|_| [(true, true), (true, false), (false, true)][s.below(3) as usize])
        .map(|(table, index)| LeadAxis { table, index })
        .collect();
    let mut of_index: Vec<Dim> = dims.iter().zip(&lead).filter(|(_, l)| l.index).map(|(d, _)| *d).collect();
    of_index.push(dims[count]);
    let places = b.port(format!("i{k}"), Role::Input, Leaf::new(Base::Fin(3), &[]).with_dims(of_index));
    b.op(Op::GatherDagger { lead, rows: Dim::lit(3) }, &[x, places]).unwrap()
}

//! The typing rule of every operation: leaves in, leaves out, or what does not fit.
//!
//! This is the only place where an operation's type is decided; the builder asks it for every node.

use super::index::AffineIndex;
use super::op::{LeadAxis, Op};
use crate::object::{Base, Dim, Dims, Leaf};
use smallvec::{SmallVec, smallvec};

/// Why an operation cannot take these wires.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TypeFault {
    /// Too many or too few wires.
    #[error("it takes {needs} wires and was given {given}")]
    Arity {
        /// How many it takes.
        needs: usize,
        /// How many it was given.
        given: usize,
    },
    /// Two wires that must have one leaf.
    #[error("{left} and {right} are not the same")]
    Mismatch {
        /// The first one.
        left: Leaf,
        /// The other.
        right: Leaf,
    },
    /// A wire of another base than the operation works on.
    #[error("{given} is given where {needs} is needed")]
    Base {
        /// What is needed, in words.
        needs: &'static str,
        /// What is given.
        given: Leaf,
    },
    /// Axes that do not fit.
    #[error("{0}")]
    Axes(String),
    /// Letters that do not fit.
    #[error("{0}")]
    Einsum(String),
    /// Outputs and ports that are to be composed and are not one object.
    #[error("{} cannot be composed with {}", product(left), product(right))]
    Compose {
        /// The outputs of the first.
        left: Vec<Leaf>,
        /// The ports of the second.
        right: Vec<Leaf>,
    },
    /// A wire or port that this builder did not make.
    #[error("a wire of another diagram")]
    Foreign,
    /// No reverse derivative where one is needed.
    #[error("{0} has no reverse derivative")]
    NoReverse(String),
}

/// An object as people write it.
fn product(leaves: &[Leaf]) -> String {
    if leaves.is_empty() {
        return "1".into();
    }
    leaves.iter().map(ToString::to_string).collect::<Vec<_>>().join(" * ")
}

/// The leaves of an operation's outputs.
pub(super) fn type_of(op: &Op, ins: &[&Leaf]) -> Result<SmallVec<[Leaf; 1]>, TypeFault> {
    let one = |leaf: Leaf| -> Result<SmallVec<[Leaf; 1]>, TypeFault> { Ok(smallvec![leaf]) };
    match op {
        Op::Input(_) => Err(TypeFault::Foreign),
        Op::Const(value) => {
            arity(ins, 0)?;
            if value.leaf.literal_dims().is_none() || value.leaf.size(1) != value.entries.len() {
                return Err(TypeFault::Axes(format!("{} entries for {}", value.entries.len(), value.leaf)));
            }
            one(value.leaf.clone())
        }
        Op::Extent(_) => arity(ins, 0).and_then(|()| one(Leaf::number())),
        Op::Einsum(spec) => {
            for leaf in ins {
                real(leaf)?;
            }
            let sizes = spec.sizes(ins)?;
            let dims: Dims = spec.out().iter().map(|l| sizes[usize::from(*l)]).collect();
            one(Leaf { base: Base::Real, dims })
        }
        Op::Add => {
            arity(ins, 2)?;
            same(ins[0], ins[1])?;
            if !matches!(ins[0].base, Base::Real | Base::Int) {
                return Err(TypeFault::Base { needs: "a number", given: ins[0].clone() });
            }
            one(ins[0].clone())
        }
        Op::Map(function) => {
            arity(ins, function.arity())?;
            for leaf in ins {
                real(leaf)?;
                same(ins[0], leaf)?;
            }
            one(ins[0].clone())
        }
        Op::Whole(_) => {
            arity(ins, 2)?;
            same(ins[0], ins[1])?;
            if ins[0].base != Base::Int {
                return Err(TypeFault::Base { needs: "Int", given: ins[0].clone() });
            }
            one(ins[0].clone())
        }
        Op::ToInt => {
            arity(ins, 1)?;
            if !matches!(ins[0].base, Base::Bool | Base::Fin(_)) {
                return Err(TypeFault::Base { needs: "Bool or a label", given: ins[0].clone() });
            }
            one(Leaf { base: Base::Int, dims: ins[0].dims.clone() })
        }
        Op::Compare(_) => {
            arity(ins, 2)?;
            same(ins[0], ins[1])?;
            one(Leaf { base: Base::Bool, dims: ins[0].dims.clone() })
        }
        Op::Logic(logic) => {
            arity(ins, logic.arity())?;
            for leaf in ins {
                same(ins[0], leaf)?;
                bits(leaf)?;
            }
            one(ins[0].clone())
        }
        Op::Select => {
            arity(ins, 3)?;
            bits(ins[0])?;
            same(ins[1], ins[2])?;
            if ins[0].dims != ins[1].dims {
                return Err(TypeFault::Mismatch { left: ins[0].clone(), right: ins[1].clone() });
            }
            one(ins[1].clone())
        }
        Op::Index(map) => whole(map).and_then(|()| one(retail(ins, &map.from, &map.to, false)?)),
        Op::IndexDagger(map) => whole(map).and_then(|()| one(retail(ins, &map.to, &map.from, true)?)),
        Op::Reshape { from, to } => {
            arity(ins, 1)?;
            let lead = lead_of(ins[0], from)?;
            if entries(from) != entries(to) {
                return Err(TypeFault::Axes(format!(
                    "{} and {} have not as many entries",
                    ins[0].with_dims(from.iter().copied()),
                    ins[0].with_dims(to.iter().copied()),
                )));
            }
            one(ins[0].with_dims(lead.iter().chain(to).copied()))
        }
        Op::Repeat { axis, core } => {
            arity(ins, 1)?;
            let at = ins[0].rank().checked_sub(usize::from(*core));
            let at = at.ok_or_else(|| TypeFault::Axes(format!("{} has less than {core} axes", ins[0])))?;
            let mut dims = ins[0].dims.clone();
            dims.insert(at, *axis);
            one(ins[0].with_dims(dims))
        }
        Op::Sum { core } => {
            arity(ins, 1)?;
            if !matches!(ins[0].base, Base::Bool | Base::Int) {
                return Err(TypeFault::Base { needs: "Bool or Int", given: ins[0].clone() });
            }
            let at = ins[0].rank().checked_sub(usize::from(*core) + 1);
            let at = at.ok_or_else(|| TypeFault::Axes(format!("{} has not more than {core} axes", ins[0])))?;
            let mut dims = ins[0].dims.clone();
            dims.remove(at);
            one(ins[0].with_dims(dims))
        }
        Op::Concat { core } => one(concat(ins, usize::from(*core))?),
        Op::Gather { lead } => one(gather(ins, lead)?),
        Op::GatherDagger { lead, rows } => one(dagger_of_gather(ins, lead, *rows)?),
        Op::Lookup { lead } => one(lookup(ins, lead)?),
        Op::LookupDagger { lead } => one(dagger_of_lookup(ins, lead)?),
        Op::Basis => {
            arity(ins, 1)?;
            bits(ins[0])?;
            let rows = table_rows(ins[0])?;
            let mut dims = ins[0].dims.clone();
            if let Some(last) = dims.last_mut() {
                *last = Dim::lit(rows);
            }
            one(ins[0].with_dims(dims))
        }
        Op::Rank => {
            arity(ins, 1)?;
            ordered(ins[0])?;
            last_to_one(ins[0])?;
            one(Leaf { base: Base::Int, dims: ins[0].dims.clone() })
        }
        Op::Max | Op::ArgmaxOneHot => {
            arity(ins, 1)?;
            ordered(ins[0])?;
            let reduced = last_to_one(ins[0])?;
            one(if *op == Op::Max { reduced } else { ins[0].clone() })
        }
        Op::Argmax => {
            arity(ins, 1)?;
            ordered(ins[0])?;
            let n = ins[0].dims.last().and_then(|d| d.as_lit()).and_then(|n| u32::try_from(n).ok());
            let n = n.ok_or_else(|| TypeFault::Axes(format!("the last axis of {} is not a constant", ins[0])))?;
            let dims = last_to_one(ins[0])?.dims;
            one(Leaf { base: Base::Fin(n), dims })
        }
        Op::OneHot => {
            arity(ins, 1)?;
            let Base::Fin(n) = ins[0].base else {
                return Err(TypeFault::Base { needs: "a label", given: ins[0].clone() });
            };
            one(Leaf { base: Base::Real, dims: ins[0].dims.iter().copied().chain([Dim::lit(u64::from(n))]).collect() })
        }
        Op::Solve => {
            arity(ins, 2)?;
            real(ins[0])?;
            real(ins[1])?;
            let (a, b) = (&ins[0].dims, &ins[1].dims);
            let fits = a.len() == b.len() + 1
                && a.last() == a.get(a.len().wrapping_sub(2))
                && a.get(..a.len().saturating_sub(1)) == Some(b.as_slice());
            if !fits {
                return Err(TypeFault::Axes(format!("solve takes R[n, n] and R[n], not {} and {}", ins[0], ins[1])));
            }
            one(ins[1].clone())
        }
        Op::Call(prim) => {
            arity(ins, prim.fwd.ports().len())?;
            for (port, leaf) in prim.fwd.ports().iter().zip(ins) {
                same(&port.leaf, leaf)?;
            }
            Ok(prim.fwd.out_leaves().into_iter().collect())
        }
        Op::Request { tangent, .. } => {
            arity(ins, 1)?;
            let request = tangent.of(ins[0]);
            one(request.ok_or_else(|| TypeFault::NoReverse(format!("a parameter {} over {tangent}", ins[0])))?)
        }
    }
}

fn dagger_of_gather(ins: &[&Leaf], lead: &[LeadAxis], rows: Dim) -> Result<Leaf, TypeFault> {
    arity(ins, 2)?;
    let (dy, index) = (ins[0], ins[1]);
    sums(dy)?;
    let wrong = || TypeFault::Axes(format!("{dy} cannot be scattered by {index} into {rows} rows"));
    if !matches!(index.base, Base::Fin(n) if Dim::lit(u64::from(n)) == rows) {
        return Err(wrong());
    }
    // what the index must be: the leading axes that it carries, then the axes of dy that the lookup made
    let inner = index.rank().checked_sub(lead.iter().filter(|l| l.index).count()).ok_or_else(wrong)?;
    let (over, rest) = (dy.dims.get(..lead.len()), dy.dims.get(lead.len()..));
    let (over, rest) = over.zip(rest).filter(|(_, rest)| rest.len() >= inner).ok_or_else(wrong)?;
    let (made, tail) = rest.split_at(inner);
    let carried = lead.iter().zip(over).filter(|(l, _)| l.index).map(|(_, d)| d);
    if !carried.chain(made).eq(&index.dims) || lead.iter().any(|l| !l.table && !l.index) {
        return Err(wrong());
    }
    let kept = lead.iter().zip(over).filter(|(l, _)| l.table).map(|(_, d)| *d);
    Ok(dy.with_dims(kept.chain([rows]).chain(tail.iter().copied())))
}

/// How many entries some dimensions have: the coefficients of a polynomial in the batch size.
fn entries(dims: &[Dim]) -> SmallVec<[u128; 4]> {
    let mut count: SmallVec<[u128; 4]> = smallvec![1];
    for d in dims {
        let mut times: SmallVec<[u128; 4]> = smallvec![0; count.len() + usize::from(d.per > 0)];
        for (k, c) in count.iter().enumerate() {
            times[k] = times[k].saturating_add(c.saturating_mul(u128::from(d.lit)));
            if d.per > 0 {
                times[k + 1] = times[k + 1].saturating_add(c.saturating_mul(u128::from(d.per)));
            }
        }
        count = times;
    }
    if count.iter().all(|c| *c == 0) { smallvec![0] } else { count }
}

/// Whether an index map has a place and a move for every axis.
fn whole(map: &AffineIndex) -> Result<(), TypeFault> {
    let fits = map.base.len() == map.from.len()
        && map.coef.len() == map.from.len()
        && map.coef.iter().all(|row| row.len() == map.to.len());
    if fits { Ok(()) } else { Err(TypeFault::Axes("an index map without a move for every axis".into())) }
}

fn arity(ins: &[&Leaf], needs: usize) -> Result<(), TypeFault> {
    if ins.len() == needs { Ok(()) } else { Err(TypeFault::Arity { needs, given: ins.len() }) }
}

fn same(left: &Leaf, right: &Leaf) -> Result<(), TypeFault> {
    if left == right { Ok(()) } else { Err(TypeFault::Mismatch { left: left.clone(), right: right.clone() }) }
}

fn real(leaf: &Leaf) -> Result<(), TypeFault> {
    if leaf.base == Base::Real { Ok(()) } else { Err(TypeFault::Base { needs: "R", given: leaf.clone() }) }
}

fn bits(leaf: &Leaf) -> Result<(), TypeFault> {
    if leaf.base == Base::Bool { Ok(()) } else { Err(TypeFault::Base { needs: "Bool", given: leaf.clone() }) }
}

/// A base whose entries have a largest.
fn ordered(leaf: &Leaf) -> Result<(), TypeFault> {
    let fits = matches!(leaf.base, Base::Real | Base::Int);
    if fits { Ok(()) } else { Err(TypeFault::Base { needs: "R or Int", given: leaf.clone() }) }
}

/// A base whose entries can be added: labels cannot.
fn sums(leaf: &Leaf) -> Result<(), TypeFault> {
    let fits = !matches!(leaf.base, Base::Fin(_));
    if fits { Ok(()) } else { Err(TypeFault::Base { needs: "R, Bool or Int", given: leaf.clone() }) }
}

/// The axes before the given trailing ones.
fn lead_of(leaf: &Leaf, trailing: &[Dim]) -> Result<Dims, TypeFault> {
    let at = leaf.rank().checked_sub(trailing.len()).filter(|at| leaf.dims.get(*at..) == Some(trailing));
    let at = at.ok_or_else(|| {
        TypeFault::Axes(format!("{leaf} does not end in {}", leaf.with_dims(trailing.iter().copied())))
    })?;
    Ok(leaf.dims[..at].iter().copied().collect())
}

fn retail(ins: &[&Leaf], from: &[u64], to: &[u64], number: bool) -> Result<Leaf, TypeFault> {
    arity(ins, 1)?;
    if number {
        sums(ins[0])?;
    }
    let from: Dims = from.iter().map(|n| Dim::lit(*n)).collect();
    let lead = lead_of(ins[0], &from)?;
    Ok(ins[0].with_dims(lead.into_iter().chain(to.iter().map(|n| Dim::lit(*n)))))
}

fn concat(ins: &[&Leaf], core: usize) -> Result<Leaf, TypeFault> {
    let first = *ins.first().ok_or(TypeFault::Arity { needs: 1, given: 0 })?;
    let axis = first.rank().checked_sub(core).filter(|_| core > 0);
    let axis = axis.ok_or_else(|| TypeFault::Axes(format!("{first} has no axis {core} from the end")))?;
    let mut dims = first.dims.clone();
    let mut total = Dim::lit(0);
    for leaf in ins {
        let fits = leaf.base == first.base
            && leaf.rank() == first.rank()
            && (0..first.rank()).all(|a| a == axis || leaf.dims[a] == first.dims[a]);
        if !fits {
            return Err(TypeFault::Mismatch { left: first.clone(), right: (*leaf).clone() });
        }
        let sum = total.lit.checked_add(leaf.dims[axis].lit).zip(total.per.checked_add(leaf.dims[axis].per));
        let (lit, per) = sum.ok_or_else(|| TypeFault::Axes("the parts are longer than any axis".into()))?;
        total = Dim { lit, per };
    }
    dims[axis] = total;
    Ok(first.with_dims(dims))
}

fn gather(ins: &[&Leaf], lead: &[LeadAxis]) -> Result<Leaf, TypeFault> {
    arity(ins, 2)?;
    let (table, index) = (ins[0], ins[1]);
    let Base::Fin(n) = index.base else {
        return Err(TypeFault::Base { needs: "an index", given: index.clone() });
    };
    let wrong = || TypeFault::Axes(format!("{table} cannot be looked up by {index}"));
    let (mut t, mut i) = (table.dims.iter(), index.dims.iter());
    let mut dims = Dims::new();
    for axis in lead {
        let of_table = if axis.table { Some(*t.next().ok_or_else(wrong)?) } else { None };
        let of_index = if axis.index { Some(*i.next().ok_or_else(wrong)?) } else { None };
        match (of_table, of_index) {
            (Some(a), Some(b)) if a != b => return Err(wrong()),
            (Some(d), _) | (None, Some(d)) => dims.push(d),
            (None, None) => return Err(wrong()),
        }
    }
    let rows = t.next().ok_or_else(wrong)?;
    if *rows != Dim::lit(u64::from(n)) {
        return Err(TypeFault::Axes(format!("{table} has {rows} rows, {index} counts {n}")));
    }
    dims.extend(i.chain(t).copied());
    Ok(table.with_dims(dims))
}

/// The most bits an address may have: a table of 65,536 entries.
pub const MOST_ADDRESS_BITS: u64 = 16;

/// How many entries a table has that these address bits look into.
fn table_rows(address: &Leaf) -> Result<u64, TypeFault> {
    let bits = address.dims.last().and_then(|d| d.as_lit());
    match bits {
        Some(k) if k <= MOST_ADDRESS_BITS => Ok(1 << k),
        Some(k) => Err(TypeFault::Axes(format!(
            "{k} address bits need a table of 2^{k} entries; at most {MOST_ADDRESS_BITS} bits are possible"
        ))),
        None => Err(TypeFault::Axes(format!("the last axis of {address} is not a constant number of address bits"))),
    }
}

/// The leading axes that operands carry together, outermost first; each carries those that `lead` says and one more.
fn lead_dims(lead: &[LeadAxis], table: &[Dim], address: &[Dim]) -> Option<Dims> {
    let (mut t, mut a) = (table.iter(), address.iter());
    let mut dims = Dims::new();
    for axis in lead {
        let of_table = if axis.table { Some(*t.next()?) } else { None };
        let of_address = if axis.index { Some(*a.next()?) } else { None };
        if of_table.zip(of_address).is_some_and(|(x, y)| x != y) {
            return None;
        }
        dims.push(of_table.or(of_address)?);
    }
    (t.len() == 1 && a.len() == 1).then_some(dims)
}

fn lookup(ins: &[&Leaf], lead: &[LeadAxis]) -> Result<Leaf, TypeFault> {
    arity(ins, 2)?;
    let (table, address) = (ins[0], ins[1]);
    bits(address)?;
    let rows = table_rows(address)?;
    let dims = lead_dims(lead, &table.dims, &address.dims);
    let mut dims = dims.ok_or_else(|| TypeFault::Axes(format!("{table} cannot be looked into by {address}")))?;
    if table.dims.last() != Some(&Dim::lit(rows)) {
        let bits = address.dims.last().copied().unwrap_or(Dim::ONE);
        return Err(TypeFault::Axes(format!(
            "{bits} address bits need a table of {rows} entries, {table} has {}",
            table.dims.last().copied().unwrap_or(Dim::ONE)
        )));
    }
    dims.push(Dim::ONE);
    Ok(table.with_dims(dims))
}

fn dagger_of_lookup(ins: &[&Leaf], lead: &[LeadAxis]) -> Result<Leaf, TypeFault> {
    arity(ins, 2)?;
    let (dy, address) = (ins[0], ins[1]);
    sums(dy)?;
    bits(address)?;
    let rows = Dim::lit(table_rows(address)?);
    let wrong = || TypeFault::Axes(format!("{dy} cannot be scattered by {address} into tables of {rows} entries"));
    let (last, over) = dy.dims.split_last().ok_or_else(wrong)?;
    let carried = lead.iter().zip(over).filter(|(l, _)| l.index).map(|(_, d)| d);
    let fits = *last == Dim::ONE
        && over.len() == lead.len()
        && lead.iter().all(|l| l.table || l.index)
        && carried.eq(address.dims.split_last().map_or(&[][..], |(_, front)| front));
    if !fits {
        return Err(wrong());
    }
    let kept = lead.iter().zip(over).filter(|(l, _)| l.table).map(|(_, d)| *d);
    Ok(dy.with_dims(kept.chain([rows])))
}

fn last_to_one(leaf: &Leaf) -> Result<Leaf, TypeFault> {
    let mut dims = leaf.dims.clone();
    let last = dims.last_mut().ok_or_else(|| TypeFault::Axes(format!("{leaf} has no axis")))?;
    *last = Dim::ONE;
    Ok(leaf.with_dims(dims))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reshapes_count_entries_at_every_batch_size() {
        let types = |from: &[Dim], to: &[Dim]| {
            let op = Op::Reshape { from: from.iter().copied().collect(), to: to.iter().copied().collect() };
            type_of(&op, &[&Leaf::number().with_dims(from.iter().copied())]).is_ok()
        };
        let twice = Dim { lit: 0, per: 2 };
        assert!(types(&[twice], &[Dim::BATCH, Dim::lit(2)]));
        assert!(types(&[Dim::lit(6)], &[Dim::lit(2), Dim::lit(3)]));
        assert!(!types(&[Dim { lit: 2, per: 2 }], &[Dim::BATCH, Dim::lit(2)]));
        assert!(!types(&[Dim::BATCH], &[Dim::lit(1)]));
    }

    #[test]
    fn a_scatter_fits_its_index() {
        let lead = smallvec![LeadAxis { table: false, index: true }];
        let op = Op::GatherDagger { lead, rows: Dim::lit(5) };
        let types = |dy: &[u64], base, index: &[u64]| type_of(&op, &[&Leaf::real(dy), &Leaf::new(base, index)]).is_ok();
        assert!(types(&[2, 3, 4], Base::Fin(5), &[2, 3]));
        assert!(!types(&[2, 3, 4], Base::Fin(6), &[2, 3]));
        assert!(!types(&[2, 3, 4], Base::Fin(5), &[2, 4]));
        assert!(!types(&[2, 3, 4], Base::Int, &[2, 3]));
    }
}

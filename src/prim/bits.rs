//! Bits and whole numbers: gates and their integer polynomials, tables, and the passage from bits to counts.
//!
//! A gate is a polynomial: xor a + b - 2ab, and ab, or a + b - ab, not 1 - a. Its reverse is the formal one: over votes
//! the integer derivative at the bits, over parity the same mod 2, so votes mod 2 are parity (BOOLEAN.md section 6).
//! Formal means per use of a wire: a variable that meets itself in a product has not the Boolean difference
//! (CORE.md 3.2). A table is one generator, multilinear in its address bits: its reverse is the difference of the two
//! entries that an address bit decides between.

use super::{Primitive, Requests, RevSite, zero};
use crate::diagram::{Builder, Const, LeadAxis, Literal, Logic, Op, TypeFault, Whole, Wire};
use crate::object::{Base, Dim, Leaf, Tangent};
use smallvec::{SmallVec, smallvec};

/// An entry of a map of two wires of one leaf.
macro_rules! of_two {
    ($id:ident, $name:literal, $leaf:literal, $summary:literal, $formula:literal, $rev:expr) => {
        pub(super) static $id: Primitive = Primitive {
            name: $name,
            signature: concat!($leaf, "[..] * ", $leaf, "[..] -> ", $leaf, "[..]"),
            summary: $summary,
            formula: $formula,
            rev: $rev,
            example: concat!(
                "in %0 : input x : ",
                $leaf,
                "[3]\nin %1 : input y : ",
                $leaf,
                "[3]\n%2 = ",
                $name,
                " %0 %1 : ",
                $leaf,
                "[3]\nout %2\n"
            ),
        };
    };
}

of_two!(XOR, "xor", "Bool", "addition of Z2", "votes: ((1 - 2y) dy, (1 - 2x) dy); parity: dy to both", xor);
of_two!(AND, "and", "Bool", "multiplication of Z2", "(y dy, x dy)", and);
of_two!(OR, "or", "Bool", "inclusive or, x + y - xy", "((1 - y) dy, (1 - x) dy)", or);
of_two!(INT_MUL, "int_mul", "Int", "the product of whole numbers", "(y dy, x dy)", product);
of_two!(
    INT_QUOTIENT,
    "int_quotient",
    "Int",
    "x / y rounded down; 0 where y is 0",
    "none: constant almost everywhere",
    zero
);
of_two!(INT_AND, "int_and", "Int", "the bits that x and y have both", "none: not a polynomial", zero);

pub(super) static NOT: Primitive = Primitive {
    name: "not",
    signature: "Bool[..] -> Bool[..]",
    summary: "negation, 1 - x",
    formula: "votes: -dy; parity: dy",
    rev: not,
    example: "in %0 : input x : Bool[3]\n%1 = not %0 : Bool[3]\nout %1\n",
};

pub(super) static TO_INT: Primitive = Primitive {
    name: "to_int",
    signature: "Bool[..] -> Int[..]",
    summary: "a bit as 0 or 1, a label as its number",
    formula: "votes: dy, for bits; parity: none, whole numbers have no parity",
    rev: to_int,
    example: "in %0 : input x : Bool[3]\n%1 = to_int %0 : Int[3]\nout %1\n",
};

pub(super) static LOOKUP: Primitive = Primitive {
    name: "lookup",
    signature: "X[lead.., 2^k] * Bool[lead.., k] -> X[lead.., 1]",
    summary: "the entry of each table whose number the address spells, bit 0 first",
    formula: "table: lookup_dagger of dy; address bit j: (entry with bit j set - entry with it clear) dy",
    rev: lookup,
    example: "in %0 : param T : Bool[2, 8]\nin %1 : input x : Bool[2, 3]\n%2 = lookup lead [ti] %0 %1 : Bool[2, 1]\nout %2\n",
};

pub(super) static LOOKUP_DAGGER: Primitive = Primitive {
    name: "lookup_dagger",
    signature: "X[lead.., 1] * Bool[lead.., k] -> X[lead.., 2^k]",
    summary: "each number at the place of its table that the address spells: the transpose of lookup in its table",
    formula: "first operand: lookup of dy; address bit j: (dy with bit j set - dy with it clear) times the operand",
    rev: lookup_dagger,
    example: "in %0 : input d : Bool[2, 1]\nin %1 : input x : Bool[2, 3]\n%2 = lookup_dagger lead [ti] %0 %1 : Bool[2, 8]\n\
              out %2\n",
};

pub(super) static BASIS: Primitive = Primitive {
    name: "basis",
    signature: "Bool[.., k] -> Bool[.., 2^k]",
    summary: "true at the place that the bits spell, bit 0 first",
    formula: "bit j: dy where bit j is set - dy where it is clear",
    rev: basis,
    example: "in %0 : input x : Bool[3]\n%1 = basis %0 : Bool[8]\nout %1\n",
};

pub(super) static RANK: Primitive = Primitive {
    name: "rank",
    signature: "X[.., n] -> Int[.., n]",
    summary: "how many entries stand before each in falling order, the first of equals first",
    formula: "0",
    rev: zero,
    example: "in %0 : input x : Int[2, 3]\n%1 = rank %0 : Int[2, 3]\nout %1\n",
};

/// The requests of a map of two, each made of the other operand and dy.
fn of_other(
    b: &mut Builder,
    site: &RevSite<'_>,
    request: impl Fn(&mut Builder, Wire, Wire) -> Result<Wire, TypeFault>,
) -> Requests {
    let dy = site.dy()?;
    let mut requests = smallvec![None; 2];
    for (k, other) in [(0, site.ins[1]), (1, site.ins[0])] {
        if site.want[k] {
            requests[k] = Some(request(b, other, dy)?);
        }
    }
    Ok(requests)
}

fn xor(b: &mut Builder, site: &RevSite<'_>) -> Requests {
    of_other(b, site, |b, other, dy| turned(b, site.tangent, other, dy))
}

/// `(1 - 2 bit) dy`.
fn turned(b: &mut Builder, tangent: Tangent, bit: Wire, dy: Wire) -> Result<Wire, TypeFault> {
    if tangent == Tangent::Parity {
        return Ok(dy);
    }
    let minus = b.negative(dy)?;
    b.op(Op::Select, &[bit, minus, dy])
}

/// The request at the operand of a sum, `back` of dy; an exclusive or of bits turns it, over votes, by the others.
pub(super) fn of_sum(
    b: &mut Builder,
    site: &RevSite<'_>,
    back: impl Fn(&mut Builder, Wire) -> Result<Wire, TypeFault>,
) -> Result<Wire, TypeFault> {
    let dy = back(b, site.dy()?)?;
    if b.leaf(site.ins[0]).base != Base::Bool || site.tangent == Tangent::Parity {
        return Ok(dy);
    }
    let all = back(b, site.outs[0])?;
    let others = b.add(all, site.ins[0])?;
    turned(b, site.tangent, others, dy)
}

fn and(b: &mut Builder, site: &RevSite<'_>) -> Requests {
    of_other(b, site, |b, other, dy| b.masked(other, dy))
}

fn or(b: &mut Builder, site: &RevSite<'_>) -> Requests {
    of_other(b, site, |b, other, dy| {
        let clear = b.op(Op::Logic(Logic::Not), &[other])?;
        b.masked(clear, dy)
    })
}

fn not(b: &mut Builder, site: &RevSite<'_>) -> Requests {
    Ok(smallvec![Some(b.negative(site.dy()?)?)])
}

fn product(b: &mut Builder, site: &RevSite<'_>) -> Requests {
    of_other(b, site, |b, other, dy| b.op(Op::Whole(Whole::Mul), &[other, dy]))
}

fn to_int(_: &mut Builder, site: &RevSite<'_>) -> Requests {
    Ok(smallvec![if site.want[0] { Some(site.dy()?) } else { None }])
}

/// `(high - low) dy`, where the three have one shape; over votes each may also be bits.
pub(super) fn between(
    b: &mut Builder,
    tangent: Tangent,
    (high, low): (Wire, Wire),
    dy: Wire,
) -> Result<Wire, TypeFault> {
    let apart = distance(b, tangent, (high, low))?;
    match tangent {
        Tangent::Parity => b.op(Op::Logic(Logic::And), &[apart, dy]),
        _ => {
            let dy = counted(b, dy)?;
            b.op(Op::Whole(Whole::Mul), &[apart, dy])
        }
    }
}

/// Bits as 0 and 1, whole numbers as they are.
fn counted(b: &mut Builder, w: Wire) -> Result<Wire, TypeFault> {
    if b.leaf(w).base == Base::Bool { b.op(Op::ToInt, &[w]) } else { Ok(w) }
}

/// `high - low`: a bit over parity, else a whole number.
fn distance(b: &mut Builder, tangent: Tangent, (high, low): (Wire, Wire)) -> Result<Wire, TypeFault> {
    if tangent == Tangent::Parity {
        return b.add(high, low);
    }
    let (high, low) = (counted(b, high)?, counted(b, low)?);
    let minus = b.negative(low)?;
    b.add(high, minus)
}

/// The entries of the tables with address bit j set and with it clear, for each j: `X[lead.., k]` twice.
fn neighbours(b: &mut Builder, lead: &[LeadAxis], table: Wire, address: Wire) -> Result<(Wire, Wire), TypeFault> {
    let dims = b.dims(address);
    let k = dims.last().copied().ok_or(TypeFault::Foreign)?;
    let n = k.as_lit().and_then(|n| usize::try_from(n).ok()).ok_or(TypeFault::Foreign)?;
    // [.., j, bits]: the address once for each j.
    let many = b.op(Op::Repeat { axis: k, core: 1 }, &[address])?;
    let unit = Literal::Bool((0..n * n).map(|at| at % n == at / n).collect());
    let mut unit = b.constant(Const { leaf: Leaf::new(Base::Bool, &[n as u64, n as u64]), entries: unit })?;
    let front: SmallVec<[Dim; 4]> = dims.iter().take(dims.len().saturating_sub(1)).copied().collect();
    for axis in front.iter().rev() {
        unit = b.repeat(unit, *axis)?;
    }
    let others = b.op(Op::Logic(Logic::Not), &[unit])?;
    let lead: SmallVec<[LeadAxis; 2]> = lead.iter().copied().chain([LeadAxis { table: false, index: true }]).collect();
    let mut entry = |logic, mask| -> Result<Wire, TypeFault> {
        let at = b.op(Op::Logic(logic), &[many, mask])?;
        let found = b.op(Op::Lookup { lead: lead.clone() }, &[table, at])?;
        b.reshape(found, &[k, Dim::ONE], &[k])
    };
    Ok((entry(Logic::Or, unit)?, entry(Logic::And, others)?))
}

/// A last axis of one entry, repeated to n.
pub(super) fn along_last(b: &mut Builder, one: Wire, n: Dim) -> Result<Wire, TypeFault> {
    let each = b.reshape(one, &[Dim::ONE], &[])?;
    b.op(Op::Repeat { axis: n, core: 0 }, &[each])
}

/// The request at the address bits: `(high - low) dy`, added up over the axes that the address does not carry.
fn of_address(
    b: &mut Builder,
    tangent: Tangent,
    lead: &[LeadAxis],
    (table, address): (Wire, Wire),
    dy: Wire,
) -> Result<Wire, TypeFault> {
    let k = b.dims(address).last().copied().ok_or(TypeFault::Foreign)?;
    let ends = neighbours(b, lead, table, address)?;
    let each = along_last(b, dy, k)?;
    let mut request = between(b, tangent, ends, each)?;
    for (axis, _) in lead.iter().enumerate().rev().filter(|(_, l)| !l.index) {
        request = b.sum_axis(request, axis)?;
    }
    Ok(request)
}

fn lookup(b: &mut Builder, site: &RevSite<'_>) -> Requests {
    let Op::Lookup { lead } = site.op else { return Err(TypeFault::NoReverse(site.op.name().to_owned())) };
    let (table, address, dy) = (site.ins[0], site.ins[1], site.dy()?);
    let mut requests = smallvec![None; 2];
    if site.want[0] {
        requests[0] = Some(b.op(Op::LookupDagger { lead: lead.clone() }, &[dy, address])?);
    }
    // A real does not vote.
    if site.want[1] && b.leaf(table).base != Base::Real {
        requests[1] = Some(of_address(b, site.tangent, lead, (table, address), dy)?);
    }
    Ok(requests)
}

fn lookup_dagger(b: &mut Builder, site: &RevSite<'_>) -> Requests {
    let Op::LookupDagger { lead } = site.op else { return Err(TypeFault::NoReverse(site.op.name().to_owned())) };
    let (operand, address, dy) = (site.ins[0], site.ins[1], site.dy()?);
    let mut requests = smallvec![None; 2];
    if site.want[0] {
        let back = |b: &mut Builder, w| b.op(Op::Lookup { lead: lead.clone() }, &[w, address]);
        requests[0] = Some(of_sum(b, site, back)?);
    }
    if site.want[1] && b.leaf(operand).base != Base::Real {
        let met = b.leaf(operand).base == Base::Bool && lead.iter().any(|l| !l.table);
        if met && site.tangent == Tangent::Votes {
            return Err(TypeFault::NoReverse("an exclusive or of bits, in where they are put, over votes".to_owned()));
        }
        requests[1] = Some(of_address(b, site.tangent, lead, (dy, address), operand)?);
    }
    Ok(requests)
}

fn basis(b: &mut Builder, site: &RevSite<'_>) -> Requests {
    let (address, dy) = (site.ins[0], site.dy()?);
    let front = b.leaf(address).rank().saturating_sub(1);
    let lead: SmallVec<[LeadAxis; 2]> = smallvec![LeadAxis { table: true, index: true }; front];
    let ends = neighbours(b, &lead, dy, address)?;
    Ok(smallvec![Some(distance(b, site.tangent, ends)?)])
}

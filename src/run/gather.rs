//! Operations that move entries: index maps and their daggers, lookups by label and their daggers, joins.
//!
//! Tables of places are made once, when a diagram is prepared. Additions happen in the order of the operand's entries.

#![allow(clippy::indexing_slicing, reason = "places and labels are checked against the sizes they index")]

use crate::diagram::{AffineIndex, LeadAxis};
use std::ops::Add;

/// No place: a zero stands there.
const NOWHERE: u32 = u32::MAX;

/// An affine index map as a table: for each place of the result, one of the operand.
#[derive(Clone, Debug)]
pub(super) struct Places {
    table: Vec<u32>,
    from: usize,
}

impl Places {
    /// The table of a map, unless it is too large for one.
    pub(super) fn new(map: &AffineIndex) -> Option<Places> {
        let count = |dims: &[u64]| dims.iter().try_fold(1_u64, |n, d| n.checked_mul(*d)).filter(|n| *n < 1 << 31);
        count(&map.to)?;
        let from = usize::try_from(count(&map.from)?).ok()?;
        let table = (map.places().into_iter())
            .map(|p| p.map_or(Some(NOWHERE), |p| u32::try_from(p).ok().filter(|p| (*p as usize) < from)))
            .collect::<Option<_>>()?;
        Some(Places { table, from })
    }

    /// `out[o] = x[place(o)]`, block by block of leading axes.
    pub(super) fn apply<E: Copy>(&self, x: &[E], zero: E) -> Vec<E> {
        let blocks = x.len().checked_div(self.from).unwrap_or(0);
        let mut out = Vec::with_capacity(blocks * self.table.len());
        for b in 0..blocks {
            let x = &x[b * self.from..];
            out.extend(self.table.iter().map(|p| if *p == NOWHERE { zero } else { x[*p as usize] }));
        }
        out
    }

    /// `out[place(o)] += y[o]`, block by block.
    pub(super) fn dagger<E: Copy>(&self, y: &[E], zero: E, add: impl Fn(E, E) -> E) -> Vec<E> {
        let blocks = y.len().checked_div(self.table.len()).unwrap_or(0);
        let mut out = vec![zero; blocks * self.from];
        for b in 0..blocks {
            let out = &mut out[b * self.from..];
            for (p, y) in self.table.iter().zip(&y[b * self.table.len()..]) {
                if *p != NOWHERE {
                    out[*p as usize] = add(out[*p as usize], *y);
                }
            }
        }
        out
    }
}

/// A lookup at fixed sizes.
#[derive(Clone, Debug)]
pub(super) struct Lookup {
    /// Leading axes: size, step of the table, step of the index.
    lead: Vec<(usize, usize, usize)>,
    /// Labels a block.
    labels: usize,
    /// Rows of the table.
    pub(super) rows: usize,
    /// Entries a row.
    tail: usize,
    /// Blocks of all leading axes.
    blocks: usize,
    /// Blocks of the leading axes that the table has.
    tables: usize,
    /// Blocks of the leading axes that the index has.
    indices: usize,
}

impl Lookup {
    /// The lookup whose leading axes have these sizes.
    pub(super) fn new(lead: &[LeadAxis], sizes: &[usize], labels: usize, rows: usize, tail: usize) -> Lookup {
        let (mut tables, mut indices) = (1, 1);
        let mut axes: Vec<(usize, usize, usize)> = Vec::new();
        for (axis, n) in lead.iter().zip(sizes).rev() {
            axes.push((*n, if axis.table { tables } else { 0 }, if axis.index { indices } else { 0 }));
            tables *= if axis.table { *n } else { 1 };
            indices *= if axis.index { *n } else { 1 };
        }
        axes.reverse();
        Lookup { lead: axes, labels, rows, tail, blocks: sizes.iter().product(), tables, indices }
    }

    /// Whether operands of these lengths are the ones planned for.
    pub(super) fn fits(&self, table: Option<usize>, dy: Option<usize>, index: usize) -> bool {
        table.is_none_or(|n| n == self.tables * self.rows * self.tail)
            && dy.is_none_or(|n| n == self.blocks * self.labels * self.tail)
            && index == self.indices * self.labels
    }

    /// Which table and index a block uses.
    fn block(&self, mut at: usize) -> (usize, usize) {
        let (mut table, mut index) = (0, 0);
        for (n, t, i) in self.lead.iter().rev() {
            table += (at % n) * t;
            index += (at % n) * i;
            at /= n;
        }
        (table, index)
    }

    /// Rows looked up; the label at fault if one is out of range.
    pub(super) fn gather<E: Copy>(&self, table: &[E], index: &[i64]) -> Result<Vec<E>, i64> {
        let mut out = Vec::with_capacity(self.blocks * self.labels * self.tail);
        for b in 0..self.blocks {
            let (t, i) = self.block(b);
            for label in &index[i * self.labels..(i + 1) * self.labels] {
                let at = (t * self.rows + self.row(*label)?) * self.tail;
                out.extend_from_slice(&table[at..at + self.tail]);
            }
        }
        Ok(out)
    }

    /// Rows added up where they were looked up.
    pub(super) fn dagger<E: Copy>(
        &self,
        dy: &[E],
        index: &[i64],
        zero: E,
        add: impl Fn(E, E) -> E,
    ) -> Result<Vec<E>, i64> {
        let mut out = vec![zero; self.tables * self.rows * self.tail];
        let mut from = 0;
        for b in 0..self.blocks {
            let (t, i) = self.block(b);
            for label in &index[i * self.labels..(i + 1) * self.labels] {
                let at = (t * self.rows + self.row(*label)?) * self.tail;
                for (o, y) in out[at..at + self.tail].iter_mut().zip(&dy[from..from + self.tail]) {
                    *o = add(*o, *y);
                }
                from += self.tail;
            }
        }
        Ok(out)
    }

    fn row(&self, label: i64) -> Result<usize, i64> {
        usize::try_from(label).ok().filter(|r| *r < self.rows).ok_or(label)
    }
}

/// The number that each address of `bits` bits spells, bit 0 first.
pub(super) fn addresses(x: &[bool], bits: usize) -> Vec<i64> {
    if bits == 0 {
        return vec![0; x.len()];
    }
    x.chunks_exact(bits).map(|row| row.iter().rev().fold(0, |n, bit| n << 1 | i64::from(*bit))).collect()
}

/// The sum over the middle one of three blocks of axes.
pub(super) fn sum<E: Copy>(x: &[E], n: usize, inner: usize, zero: E, add: impl Fn(E, E) -> E) -> Vec<E> {
    let block = n * inner;
    let blocks = x.len().checked_div(block).unwrap_or(0);
    let mut out = vec![zero; blocks * inner];
    for b in 0..blocks {
        let out = &mut out[b * inner..(b + 1) * inner];
        for row in x[b * block..(b + 1) * block].chunks_exact(inner) {
            out.iter_mut().zip(row).for_each(|(o, x)| *o = add(*o, *x));
        }
    }
    out
}

/// Operands joined along an axis; each comes with its entries a block of the axes before.
pub(super) fn concat<E: Copy>(blocks: usize, parts: &[(&[E], usize)]) -> Vec<E> {
    let mut out = Vec::with_capacity(parts.iter().map(|(x, _)| x.len()).sum());
    for b in 0..blocks {
        for (x, n) in parts {
            out.extend_from_slice(&x[b * n..(b + 1) * n]);
        }
    }
    out
}

/// Whole numbers add up in two's complement.
pub(super) fn add_int(x: i64, y: i64) -> i64 {
    x.wrapping_add(y)
}

/// Bits add up as in Z2.
pub(super) fn add_bit(x: bool, y: bool) -> bool {
    x ^ y
}

/// Reals add up as they are.
pub(super) fn add_real<T: Add<Output = T>>(x: T, y: T) -> T {
    x + y
}

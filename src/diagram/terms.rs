//! Short names for the terms that reverse rules, batching and the elaborator build from operations.
//!
//! Every function types its wires through [`Builder::op`] and returns the fault of the first that does not fit.

use super::builder::Builder;
use super::einsum::EinsumSpec;
use super::op::{Bits, Const, Function, Literal, Logic, Op, Whole};
use super::typing::TypeFault;
use super::value::Wire;
use crate::object::{Base, Dim, Dims, Leaf};
use smallvec::SmallVec;
use std::sync::Arc;

/// A wire, or why it cannot be made.
type Made = Result<Wire, TypeFault>;

impl Builder {
    /// A pointwise function.
    ///
    /// # Errors
    /// [`TypeFault`] unless all operands are one real leaf.
    pub fn map(&mut self, function: Function, ins: &[Wire]) -> Made {
        self.op(Op::Map(function), ins)
    }

    /// An einsum in letters: `("ab,b->a", [W, x])`; letters only in the result get their size from `sizes`.
    ///
    /// # Errors
    /// [`TypeFault`] when the letters do not fit the operands.
    pub fn einsum(&mut self, letters: &str, ins: &[Wire], sizes: &[(char, Dim)], scale: f64) -> Made {
        let (left, out) = letters.split_once("->").ok_or(TypeFault::Einsum(format!("no -> in {letters}")))?;
        let ins_letters: Vec<Vec<char>> =
            if ins.is_empty() { vec![] } else { left.split(',').map(|w| w.chars().collect()).collect() };
        let out: Vec<char> = out.chars().collect();
        let size = |l: char| sizes.iter().find(|(k, _)| *k == l).map(|(_, d)| *d);
        self.op(Op::einsum(EinsumSpec::new(&ins_letters, &out, size, scale)?), ins)
    }

    /// The constant `value` everywhere.
    ///
    /// # Errors
    /// [`TypeFault`] for more axes than letters.
    pub fn fill(&mut self, dims: &[Dim], value: f64) -> Made {
        let out: Vec<usize> = (0..dims.len()).collect();
        self.op(Op::einsum(EinsumSpec::new(&[], &out, |l| dims.get(l).copied(), value)?), &[])
    }

    /// The zero of a leaf.
    ///
    /// # Errors
    /// [`TypeFault`] for more axes than letters.
    pub fn zero(&mut self, leaf: &Leaf) -> Made {
        if leaf.base == Base::Real {
            return self.fill(&leaf.dims, 0.0);
        }
        let zero = if leaf.base == Base::Bool { Literal::Bool(vec![false]) } else { Literal::Int(vec![0]) };
        self.spread(Const { leaf: Leaf::new(leaf.base, &[]), entries: zero }, &leaf.dims)
    }

    /// A wire of any base repeated along a new axis in front.
    ///
    /// # Errors
    /// [`TypeFault`] for more axes than letters.
    pub fn repeat(&mut self, x: Wire, axis: Dim) -> Made {
        let leaf = self.leaf_checked(x)?;
        if leaf.base == Base::Real {
            return self.lead(x, &[axis]);
        }
        let core = u8::try_from(leaf.rank()).map_err(|_| TypeFault::Axes(format!("{leaf} has too many axes")))?;
        self.op(Op::Repeat { axis, core }, &[x])
    }

    /// A literal tensor.
    ///
    /// # Errors
    /// [`TypeFault`] when there are not as many entries as the leaf has.
    pub fn constant(&mut self, value: Const) -> Made {
        self.op(Op::Const(Arc::new(value)), &[])
    }

    /// A literal tensor of reals.
    ///
    /// # Errors
    /// [`TypeFault`] when there are not as many entries as the dimensions say.
    pub fn reals(&mut self, dims: &[u64], entries: &[f64]) -> Made {
        let entries = Literal::Real(entries.iter().map(|x| Bits(*x)).collect());
        self.constant(Const { leaf: Leaf::real(dims), entries })
    }

    /// A constant multiple.
    ///
    /// # Errors
    /// [`TypeFault`] unless the wire is real.
    pub fn scale(&mut self, x: Wire, by: f64) -> Made {
        let letters: Vec<usize> = (0..self.leaf_checked(x)?.rank()).collect();
        self.op(Op::einsum(EinsumSpec::new(std::slice::from_ref(&letters), &letters, |_| None, by)?), &[x])
    }

    /// The sum of two wires of one leaf; of bits, the exclusive or.
    ///
    /// # Errors
    /// [`TypeFault`] when they differ, or are labels.
    pub fn add(&mut self, x: Wire, y: Wire) -> Made {
        let sum = if self.leaf_checked(x)?.base == Base::Bool { Op::Logic(Logic::Xor) } else { Op::Add };
        self.op(sum, &[x, y])
    }

    /// The whole number `value` everywhere.
    ///
    /// # Errors
    /// [`TypeFault`] for more axes than letters.
    pub fn fill_int(&mut self, dims: &[Dim], value: i64) -> Made {
        self.spread(Const { leaf: Leaf::new(Base::Int, &[]), entries: Literal::Int(vec![value]) }, dims)
    }

    /// A constant of rank 0 repeated over dimensions.
    fn spread(&mut self, value: Const, dims: &[Dim]) -> Made {
        let made = self.constant(value)?;
        self.repeat_over(made, dims)
    }

    /// A wire of rank 0, not real, repeated over dimensions.
    fn repeat_over(&mut self, mut made: Wire, dims: &[Dim]) -> Made {
        for (core, axis) in dims.iter().rev().enumerate() {
            let core = u8::try_from(core).map_err(|_| TypeFault::Axes("too many axes".into()))?;
            made = self.op(Op::Repeat { axis: *axis, core }, &[made])?;
        }
        Ok(made)
    }

    /// The opposite of whole numbers or reals; bits are their own.
    ///
    /// # Errors
    /// [`TypeFault`] for labels.
    pub fn negative(&mut self, x: Wire) -> Made {
        match self.leaf_checked(x)?.base {
            Base::Real => self.scale(x, -1.0),
            Base::Bool => Ok(x),
            _ => {
                let dims = self.leaf_checked(x)?.dims.clone();
                let minus = self.fill_int(&dims, -1)?;
                self.op(Op::Whole(Whole::Mul), &[x, minus])
            }
        }
    }

    /// `x` where the bit is set, else zero.
    ///
    /// # Errors
    /// [`TypeFault`] when the dimensions differ.
    pub fn masked(&mut self, bit: Wire, x: Wire) -> Made {
        let leaf = self.leaf_checked(x)?.clone();
        if leaf.base == Base::Bool {
            return self.op(Op::Logic(Logic::And), &[bit, x]);
        }
        let zero = self.zero(&leaf)?;
        self.op(Op::Select, &[bit, x, zero])
    }

    /// The sum over one axis, counted from the front; an only axis becomes one of length 1.
    ///
    /// # Errors
    /// [`TypeFault`] for labels, or when there is no such axis.
    pub fn sum_axis(&mut self, x: Wire, axis: usize) -> Made {
        let (base, rank) = (self.leaf_checked(x)?.base, self.leaf_checked(x)?.rank());
        if base == Base::Real {
            return self.sum_axes(x, &[axis]);
        }
        let core = rank.checked_sub(axis + 1).and_then(|c| u8::try_from(c).ok());
        let core = core.ok_or_else(|| TypeFault::Axes(format!("there is no axis {axis} of {rank}")))?;
        let sum = self.op(Op::Sum { core }, &[x])?;
        if rank == 1 { self.reshape(sum, &[], &[Dim::ONE]) } else { Ok(sum) }
    }

    /// How much there is in all of a wire: the sum of its entries, bits counted as 0 or 1, as `Int[1]` (or `R[1]`).
    ///
    /// # Errors
    /// [`TypeFault`] for labels.
    pub fn tally(&mut self, x: Wire) -> Made {
        let mut total = match self.leaf_checked(x)?.base {
            Base::Real => return self.sum_all(x),
            Base::Bool => self.op(Op::ToInt, &[x])?,
            _ => x,
        };
        let (from, count) = (self.dims(total), self.leaf_checked(total)?.rank());
        if from.as_slice() == [Dim::ONE] {
            return Ok(total);
        }
        for _ in 0..count {
            total = self.op(Op::Sum { core: 0 }, &[total])?;
        }
        self.reshape(total, &[], &[Dim::ONE])
    }

    /// The difference of two real wires of one leaf.
    ///
    /// # Errors
    /// [`TypeFault`] when they differ.
    pub fn sub(&mut self, x: Wire, y: Wire) -> Made {
        let minus = self.scale(y, -1.0)?;
        self.add(x, minus)
    }

    /// One entry `X[1]` repeated over dimensions.
    ///
    /// # Errors
    /// [`TypeFault`] unless it is one entry.
    pub fn broadcast(&mut self, x: Wire, dims: &[Dim]) -> Made {
        if dims == [Dim::ONE] {
            return Ok(x);
        }
        if self.leaf_checked(x)?.base != Base::Real {
            let one = self.reshape(x, &[Dim::ONE], &[])?;
            return self.repeat_over(one, dims);
        }
        let out: Vec<usize> = (1..=dims.len()).collect();
        let size = |l: usize| l.checked_sub(1).and_then(|l| dims.get(l)).copied();
        self.op(Op::einsum(EinsumSpec::new(&[vec![0]], &out, size, 1.0)?), &[x])
    }

    /// A wire repeated along new axes in front.
    ///
    /// # Errors
    /// [`TypeFault`] unless it is real.
    pub fn lead(&mut self, x: Wire, axes: &[Dim]) -> Made {
        let rank = self.leaf_checked(x)?.rank();
        let letters: Vec<usize> = (axes.len()..axes.len() + rank).collect();
        let out: Vec<usize> = (0..axes.len() + rank).collect();
        self.op(Op::einsum(EinsumSpec::new(&[letters], &out, |l| axes.get(l).copied(), 1.0)?), &[x])
    }

    /// The trailing axes `from` as `to`.
    ///
    /// # Errors
    /// [`TypeFault`] when they have not as many entries.
    pub fn reshape(&mut self, x: Wire, from: &[Dim], to: &[Dim]) -> Made {
        self.op(Op::Reshape { from: from.iter().copied().collect(), to: to.iter().copied().collect() }, &[x])
    }

    /// All axes as `to`.
    ///
    /// # Errors
    /// [`TypeFault`] when they have not as many entries.
    pub fn reshape_all(&mut self, x: Wire, to: &[Dim]) -> Made {
        let from = self.leaf_checked(x)?.dims.clone();
        self.reshape(x, &from, to)
    }

    /// The sum over some axes; `R[1]` when none is left.
    ///
    /// # Errors
    /// [`TypeFault`] unless the wire is real.
    pub fn sum_axes(&mut self, x: Wire, axes: &[usize]) -> Made {
        let rank = self.leaf_checked(x)?.rank();
        let letters: Vec<usize> = (0..rank).collect();
        let mut out: Vec<usize> = letters.iter().copied().filter(|l| !axes.contains(l)).collect();
        if out.is_empty() {
            out.push(rank);
        }
        self.op(Op::einsum(EinsumSpec::new(&[letters], &out, |_| Some(Dim::ONE), 1.0)?), &[x])
    }

    /// The sum over all axes, as `R[1]`.
    ///
    /// # Errors
    /// [`TypeFault`] unless the wire is real.
    pub fn sum_all(&mut self, x: Wire) -> Made {
        let axes: Vec<usize> = (0..self.leaf_checked(x)?.rank()).collect();
        self.sum_axes(x, &axes)
    }

    /// The inner product over all axes, as `R[1]`.
    ///
    /// # Errors
    /// [`TypeFault`] unless both wires are one real leaf.
    pub fn dot(&mut self, x: Wire, y: Wire) -> Made {
        let rank = self.leaf_checked(x)?.rank();
        let letters: Vec<usize> = (0..rank).collect();
        let spec = EinsumSpec::new(&[letters.clone(), letters], &[rank], |_| Some(Dim::ONE), 1.0)?;
        self.op(Op::einsum(spec), &[x, y])
    }

    /// A call with several outputs.
    ///
    /// # Errors
    /// [`TypeFault`] when the wires do not fit.
    pub fn call(&mut self, op: Op, ins: &[Wire]) -> Result<SmallVec<[Wire; 2]>, TypeFault> {
        let node = self.node(op, ins)?;
        let outs = self.diagram().nodes()[node as usize].outs.len() as u32;
        Ok((0..outs).map(|port| Wire { node, port }).collect())
    }

    /// The dimensions of a wire.
    ///
    /// # Panics
    /// When the wire is not of this builder.
    #[must_use]
    pub fn dims(&self, x: Wire) -> Dims {
        self.leaf(x).dims.clone()
    }
}

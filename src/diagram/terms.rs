//! Short names for the terms that reverse rules, batching and the elaborator build from operations.
//!
//! Every function types its wires through [`Builder::op`] and returns the fault of the first that does not fit.

use super::builder::Builder;
use super::einsum::EinsumSpec;
use super::op::{Bits, Const, Function, Literal, Op};
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
        let entries =
            |n| if leaf.base == Base::Bool { Literal::Bool(vec![false; n]) } else { Literal::Int(vec![0; n]) };
        if leaf.literal_dims().is_some() {
            return self.constant(Const { leaf: leaf.clone(), entries: entries(leaf.size(1)) });
        }
        let mut zero = self.constant(Const { leaf: Leaf::new(leaf.base, &[]), entries: entries(1) })?;
        for axis in &leaf.dims {
            zero = self.op(Op::Repeat { axis: *axis, core: 0 }, &[zero])?;
        }
        Ok(zero)
    }

    /// A wire of any base repeated along a new axis in front.
    ///
    /// # Errors
    /// [`TypeFault`] for more axes than letters.
    pub fn repeat(&mut self, x: Wire, axis: Dim) -> Made {
        let leaf = self.leaf(x);
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
        let letters: Vec<usize> = (0..self.leaf(x).rank()).collect();
        self.op(Op::einsum(EinsumSpec::new(std::slice::from_ref(&letters), &letters, |_| None, by)?), &[x])
    }

    /// The sum of two wires of one leaf.
    ///
    /// # Errors
    /// [`TypeFault`] when they differ.
    pub fn add(&mut self, x: Wire, y: Wire) -> Made {
        self.op(Op::Add, &[x, y])
    }

    /// The difference of two real wires of one leaf.
    ///
    /// # Errors
    /// [`TypeFault`] when they differ.
    pub fn sub(&mut self, x: Wire, y: Wire) -> Made {
        let minus = self.scale(y, -1.0)?;
        self.add(x, minus)
    }

    /// A number `R[1]` repeated over dimensions.
    ///
    /// # Errors
    /// [`TypeFault`] unless it is a number.
    pub fn broadcast(&mut self, x: Wire, dims: &[Dim]) -> Made {
        if dims == [Dim::ONE] {
            return Ok(x);
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
        let rank = self.leaf(x).rank();
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
        let from = self.leaf(x).dims.clone();
        self.reshape(x, &from, to)
    }

    /// The sum over some axes; `R[1]` when none is left.
    ///
    /// # Errors
    /// [`TypeFault`] unless the wire is real.
    pub fn sum_axes(&mut self, x: Wire, axes: &[usize]) -> Made {
        let rank = self.leaf(x).rank();
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
        let axes: Vec<usize> = (0..self.leaf(x).rank()).collect();
        self.sum_axes(x, &axes)
    }

    /// The inner product over all axes, as `R[1]`.
    ///
    /// # Errors
    /// [`TypeFault`] unless both wires are one real leaf.
    pub fn dot(&mut self, x: Wire, y: Wire) -> Made {
        let rank = self.leaf(x).rank();
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
    #[must_use]
    pub fn dims(&self, x: Wire) -> Dims {
        self.leaf(x).dims.clone()
    }
}

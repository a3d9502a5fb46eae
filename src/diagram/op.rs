//! The generators of the category, each with its attributes; what they mean is told in `prim`, typed in `typing`.
//!
//! Four kinds (DESIGN.md section 1.2): linear with a dagger (einsum, index maps, gather), pointwise, structural
//! (copy and discard are wires; add), and a few atomic ones. Trailing axes are an operation's own; leading axes pass
//! through, which is what makes batching an operation trivial.

use super::einsum::EinsumSpec;
use super::index::AffineIndex;
use super::value::Diagram;
use crate::object::{Base, Dim, Dims, Leaf, Tangent};
use crate::source::Span;
use smallvec::SmallVec;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A double compared and hashed by its bits.
#[derive(Clone, Copy, Debug)]
pub struct Bits(pub f64);

impl PartialEq for Bits {
    fn eq(&self, other: &Bits) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Bits {}

impl Hash for Bits {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

/// The entries of a literal tensor, row-major.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Literal {
    /// Real numbers.
    Real(Vec<Bits>),
    /// Bits.
    Bool(Vec<bool>),
    /// Whole numbers, also for `Fin`.
    Int(Vec<i64>),
}

impl Literal {
    /// Numbers as entries of a base, which holds them ([`Base::holds`]).
    #[must_use]
    pub fn of(base: Base, entries: &[f64]) -> Literal {
        #[allow(clippy::cast_possible_truncation, reason = "whole and small, as the base holds them")]
        match base {
            Base::Real => Literal::Real(entries.iter().copied().map(Bits).collect()),
            Base::Bool => Literal::Bool(entries.iter().map(|x| *x != 0.0).collect()),
            Base::Int | Base::Fin(_) => Literal::Int(entries.iter().map(|x| *x as i64).collect()),
        }
    }

    /// How many entries.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Literal::Real(v) => v.len(),
            Literal::Bool(v) => v.len(),
            Literal::Int(v) => v.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A literal tensor.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Const {
    /// Its type; dimensions are constant.
    pub leaf: Leaf,
    /// Its entries.
    pub entries: Literal,
}

/// Pointwise functions of reals. All operands have the same dimensions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Function {
    /// e^x.
    Exp,
    /// Natural logarithm.
    Log,
    /// log(1 + x), accurate near 0.
    Log1p,
    /// e^x - 1, accurate near 0.
    Expm1,
    /// Square root.
    Sqrt,
    /// 1 / x.
    Recip,
    /// Sine.
    Sin,
    /// Cosine.
    Cos,
    /// Hyperbolic tangent.
    Tanh,
    /// 1 / (1 + e^-x).
    Sigmoid,
    /// The error function.
    Erf,
    /// Absolute value.
    Abs,
    /// -1, 0 or 1; 0 at 0.
    Sign,
    /// The largest whole number not above x.
    Floor,
    /// x^n for a whole constant n.
    Powi(i32),
    /// x * y.
    Mul,
    /// x / y.
    Div,
    /// x^y for x >= 0, or y whole.
    Pow,
    /// dy * d, but 0 where dy is 0: a zero request stays zero also where the derivative is not finite.
    Gate,
}

impl Function {
    /// How many operands it has.
    #[must_use]
    pub fn arity(self) -> usize {
        match self {
            Function::Mul | Function::Div | Function::Pow | Function::Gate => 2,
            _ => 1,
        }
    }
}

/// Pointwise comparisons of two reals (or two wires of one other base); the result is Bool.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Comparison {
    /// <.
    Less,
    /// <=.
    LessEqual,
    /// ==.
    Equal,
}

/// Pointwise functions of bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Logic {
    /// Addition of Z2.
    Xor,
    /// Multiplication of Z2.
    And,
    /// Inclusive or.
    Or,
    /// Negation.
    Not,
}

impl Logic {
    /// How many operands it has.
    #[must_use]
    pub fn arity(self) -> usize {
        if self == Logic::Not { 1 } else { 2 }
    }
}

/// Pointwise functions of whole numbers; sums are [`Op::Add`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Whole {
    /// x * y.
    Mul,
    /// The largest whole number not above x / y; 0 where y is 0.
    Quotient,
    /// The bits that x and y (in two's complement) have both.
    And,
}

/// A leading axis of a gather or table lookup: which of its operands carry it (the result always does, but for a scatter's table).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LeadAxis {
    /// The table has one row block for each entry of the axis.
    pub table: bool,
    /// The index has one entry for each entry of the axis.
    pub index: bool,
}

/// An operation with its attributes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Op {
    /// The port of that number.
    Input(u32),
    /// A literal tensor.
    Const(Arc<Const>),
    /// The number that a dimension is, as `R[1]`: `B` in a mean over the batch.
    Extent(Dim),
    /// The multilinear map of an [`EinsumSpec`]; reals.
    Einsum(Arc<EinsumSpec>),
    /// Pointwise sum of two wires of one leaf; reals or whole numbers. What copy reverses to.
    Add,
    /// A pointwise function; reals.
    Map(Function),
    /// A pointwise function of whole numbers.
    Whole(Whole),
    /// A pointwise comparison: two wires of one leaf to `Bool` of its dimensions.
    Compare(Comparison),
    /// A pointwise function of bits.
    Logic(Logic),
    /// A bit as 0 or 1, a label as its number: `X[d] -> Int[d]`.
    ToInt,
    /// `(c : Bool[d], a : X[d], b : X[d]) -> X[d]`: a where c, else b; both are total.
    Select,
    /// Entries of the operand's trailing axes at places affine in the result's; zero outside. Any base.
    Index(Arc<AffineIndex>),
    /// The dagger of [`Op::Index`]: entries are added up where they came from (bits: by exclusive or).
    IndexDagger(Arc<AffineIndex>),
    /// The operand's trailing `from` axes as `to` axes, entries in order. Any base.
    Reshape {
        /// Dimensions of the operand's trailing axes.
        from: Dims,
        /// Dimensions of the result's trailing axes, as many entries.
        to: Dims,
    },
    /// `X[.., core] -> X[.., axis, core]`: entries repeated along a new axis before the last `core` ones. Any base;
    /// over the reals an einsum says the same.
    Repeat {
        /// How many times.
        axis: Dim,
        /// How many trailing axes stand after the new one.
        core: u8,
    },
    /// `X[.., axis, core] -> X[.., core]`: the dagger of [`Op::Repeat`] over bits (exclusive or) and whole numbers
    /// (exact); over the reals an einsum says it.
    Sum {
        /// How many trailing axes stand after the one summed.
        core: u8,
    },
    /// Wires joined along the axis that is `core` axes from the end (1 is the last). Any base.
    Concat {
        /// The axis, counted from the end, from 1.
        core: u8,
    },
    /// `(table : X[lead.., n, tail..], index : Fin[n][lead.., k..]) -> X[lead.., k.., tail..]`: rows looked up.
    Gather {
        /// Which operands carry each leading axis, outermost first.
        lead: SmallVec<[LeadAxis; 2]>,
    },
    /// The dagger of [`Op::Gather`] in its table: `(dy : X[lead.., k.., tail..], index) -> X[lead.., n, tail..]`, the
    /// result with the leading axes of the table; over the others rows are added up.
    GatherDagger {
        /// Which of table and index carry each leading axis, outermost first; `dy` carries all.
        lead: SmallVec<[LeadAxis; 2]>,
        /// How many rows the table has.
        rows: Dim,
    },
    /// `(table : X[lead.., 2^k], address : Bool[lead.., k]) -> X[lead.., 1]`: the entry whose number the address
    /// spells, bit 0 first.
    Lookup {
        /// Which operands carry each leading axis, outermost first.
        lead: SmallVec<[LeadAxis; 2]>,
    },
    /// The dagger of [`Op::Lookup`] in its table: `(dy : X[lead.., 1], address) -> X[lead.., 2^k]` with the leading
    /// axes of the table; over the others entries are added up.
    LookupDagger {
        /// Which of table and address carry each leading axis, outermost first; `dy` carries all.
        lead: SmallVec<[LeadAxis; 2]>,
    },
    /// `Bool[.., k] -> Bool[.., 2^k]`: true at the place that the bits spell, bit 0 first.
    Basis,
    /// `X[.., n] -> Int[.., n]`: how many entries of the last axis stand before each when they are put in falling
    /// order, the first of equals first; reals or whole numbers. Its derivative is 0.
    Rank,
    /// `X[.., n] -> X[.., 1]`: the largest entry of the last axis; reals or whole numbers.
    Max,
    /// `X[.., n] -> X[.., n]`: 1 at the first largest entry of the last axis, 0 elsewhere. Its derivative is 0.
    ArgmaxOneHot,
    /// `X[.., n] -> Fin[n][.., 1]`: the place of the first largest entry of the last axis.
    Argmax,
    /// `Fin[n][d..] -> R[d.., n]`: 1 at the label, 0 elsewhere.
    OneHot,
    /// `(A : R[.., n, n], b : R[.., n]) -> x : R[.., n]` with `A x = b`.
    Solve,
    /// A primitive with its own reverse: one node until the reverse derivative has been taken.
    Call(Arc<PrimDef>),
    /// A hole of an update rule: the request of the whole model at a point. The operand has the leaf of the parameter
    /// `leaf`, the result its tangent. Filled by `learn`; no machine runs it.
    Request {
        /// Which hole: all leaves of one hole are asked at once.
        hole: u16,
        /// Which parameter leaf.
        leaf: u32,
        /// What a request is.
        tangent: Tangent,
    },
}

impl Op {
    /// An einsum operation.
    #[must_use]
    pub fn einsum(spec: EinsumSpec) -> Op {
        Op::Einsum(Arc::new(spec))
    }

    /// Whether it adds two wires, so that their order does not matter: also the exclusive or, addition of Z2.
    #[must_use]
    pub fn is_addition(&self) -> bool {
        matches!(self, Op::Add | Op::Logic(Logic::Xor))
    }

    /// The operation's name in the text form, in `prim` and in reports.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Op::Input(_) => "input",
            Op::Const(_) => "const",
            Op::Extent(_) => "extent",
            Op::Einsum(_) => "einsum",
            Op::Add => "add",
            Op::Map(f) => f.name(),
            Op::Whole(Whole::Mul) => "int_mul",
            Op::Whole(Whole::Quotient) => "int_quotient",
            Op::Whole(Whole::And) => "int_and",
            Op::ToInt => "to_int",
            Op::Compare(Comparison::Less) => "less",
            Op::Compare(Comparison::LessEqual) => "less_equal",
            Op::Compare(Comparison::Equal) => "equal",
            Op::Logic(Logic::Xor) => "xor",
            Op::Logic(Logic::And) => "and",
            Op::Logic(Logic::Or) => "or",
            Op::Logic(Logic::Not) => "not",
            Op::Select => "select",
            Op::Index(_) => "index",
            Op::IndexDagger(_) => "index_dagger",
            Op::Reshape { .. } => "reshape",
            Op::Repeat { .. } => "repeat",
            Op::Sum { .. } => "sum",
            Op::Concat { .. } => "concat",
            Op::Gather { .. } => "gather",
            Op::GatherDagger { .. } => "gather_dagger",
            Op::Lookup { .. } => "lookup",
            Op::LookupDagger { .. } => "lookup_dagger",
            Op::Basis => "basis",
            Op::Rank => "rank",
            Op::Max => "max",
            Op::ArgmaxOneHot => "argmax_one_hot",
            Op::Argmax => "argmax",
            Op::OneHot => "one_hot",
            Op::Solve => "solve",
            Op::Call(prim) => &prim.name,
            Op::Request { .. } => "request",
        }
    }
}

impl Function {
    /// The function's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Function::Exp => "exp",
            Function::Log => "log",
            Function::Log1p => "log1p",
            Function::Expm1 => "expm1",
            Function::Sqrt => "sqrt",
            Function::Recip => "recip",
            Function::Sin => "sin",
            Function::Cos => "cos",
            Function::Tanh => "tanh",
            Function::Sigmoid => "sigmoid",
            Function::Erf => "erf",
            Function::Abs => "abs",
            Function::Sign => "sign",
            Function::Floor => "floor",
            Function::Powi(_) => "powi",
            Function::Mul => "mul",
            Function::Div => "div",
            Function::Pow => "pow",
            Function::Gate => "gate",
        }
    }
}

/// The reverses of a primitive, one a tangent that it has one for.
#[derive(Clone, Debug, Default)]
pub struct Reverses {
    of: [Option<Diagram>; Tangent::ALL.len()],
    /// Why a written reverse has no meaning over a tangent.
    unfit: Vec<(Tangent, String)>,
}

impl Reverses {
    /// One reverse for every tangent: a primitive over reals.
    #[must_use]
    pub fn real(rev: Diagram) -> Reverses {
        Reverses::default().with(Tangent::Real, rev)
    }

    /// The same with a reverse over a tangent.
    #[must_use]
    pub fn with(mut self, tangent: Tangent, rev: Diagram) -> Reverses {
        self.of[tangent as usize] = Some(rev);
        self
    }

    /// The same with the reason why a written reverse has no meaning over a tangent.
    #[must_use]
    pub fn without(mut self, tangent: Tangent, reason: String) -> Reverses {
        self.unfit.push((tangent, reason));
        self
    }

    /// The reverses with each diagram replaced.
    ///
    /// # Errors
    /// The first that replacing one gives.
    pub fn try_map<E>(&self, f: impl Fn(&Diagram) -> Result<Diagram, E>) -> Result<Reverses, E> {
        let mut made = Reverses { unfit: self.unfit.clone(), ..Reverses::default() };
        for (tangent, rev) in self.iter() {
            made = made.with(tangent, f(rev)?);
        }
        Ok(made)
    }

    /// Why a written reverse has no meaning over a tangent, if one was tried.
    #[must_use]
    pub fn unfit(&self, tangent: Tangent) -> Option<&str> {
        self.unfit.iter().find(|(t, _)| *t == tangent).map(|(_, reason)| reason.as_str())
    }

    /// The reverse over a tangent.
    #[must_use]
    pub fn over(&self, tangent: Tangent) -> Option<&Diagram> {
        self.of[tangent as usize].as_ref()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (Tangent, &Diagram)> {
        Tangent::ALL.into_iter().zip(&self.of).filter_map(|(t, d)| d.as_ref().map(|d| (t, d)))
    }
}

/// A user's primitive at fixed dimensions: what it does and its reverse, both diagrams.
#[derive(Debug)]
pub struct PrimDef {
    /// The name as written.
    pub name: Arc<str>,
    /// `A -> B`, ports in order.
    pub fwd: Diagram,
    /// `A * T(B) -> T(A)` a tangent: ports of `fwd`, then one cotangent an output with a tangent; outputs: one a port
    /// of `fwd` with a tangent.
    pub rev: Reverses,
    /// Where `rev` stands, for messages.
    pub span: Span,
    /// Equal for equal definitions: a hash of the name and of the text forms of all diagrams.
    pub fingerprint: u64,
}

impl PartialEq for PrimDef {
    fn eq(&self, other: &PrimDef) -> bool {
        self.fingerprint == other.fingerprint && self.name == other.name
    }
}

impl Eq for PrimDef {}

impl Hash for PrimDef {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.fingerprint.hash(state);
    }
}

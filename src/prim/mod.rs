//! One entry a primitive: name, type, meaning, reverse rule and an example that a test runs.
//!
//! In: an operation of the IR. Out: its [`Primitive`]. The families follow DESIGN.md section 1.2: `linear` (a map with
//! a dagger), `structural` (no arithmetic, only places), `pointwise` (derivative times request), `bits` (gates, tables,
//! counts), `atomic` (own rule). One rule serves all tangents; what they differ in it reads from its site.
//! Invariants: every operation has exactly one entry; a rule is itself built from operations, so that R is closed under
//! R; a rule is additive in the request (RD.2, 1910.07065 Defn 13), and a request of zero gives a request of zero also
//! where the derivative is not finite (the pointwise rules go through `gate`).

#![allow(
    clippy::indexing_slicing,
    reason = "the builder has typed the node, so its wires are as many as its rule reads"
)]

mod atomic;
mod bits;
mod linear;
mod pointwise;
mod rate;
mod structural;

pub use rate::{divided, moved, mover, rate};

use crate::diagram::{Builder, Comparison, Function, Logic, Op, TypeFault, Whole, Wire};
use crate::object::Tangent;
use smallvec::{SmallVec, smallvec};

/// A node met by the reverse derivative: all that its rule may read.
#[derive(Clone, Copy, Debug)]
pub struct RevSite<'a> {
    /// What the node does.
    pub op: &'a Op,
    /// What it reads.
    pub ins: &'a [Wire],
    /// What it makes.
    pub outs: &'a [Wire],
    /// The request at each output; `None` is zero. At least one is there.
    pub dys: &'a [Option<Wire>],
    /// What a request is.
    pub tangent: Tangent,
    /// Which inputs' requests somebody reads; those have a tangent.
    pub want: &'a [bool],
}

impl RevSite<'_> {
    /// The request at the only output.
    ///
    /// # Errors
    /// [`TypeFault::Arity`] when there is none.
    pub fn dy(&self) -> Result<Wire, TypeFault> {
        self.dys.first().copied().flatten().ok_or(TypeFault::Arity { needs: 1, given: 0 })
    }
}

/// One request an input; `None` is zero.
pub type Requests = Result<SmallVec<[Option<Wire>; 3]>, TypeFault>;

/// How a primitive is reversed: appends the requests of its wanted inputs.
pub type RevRule = fn(&mut Builder, &RevSite<'_>) -> Requests;

/// One entry of the table of primitives.
#[derive(Clone, Copy, Debug)]
pub struct Primitive {
    /// The operation's name in the text form.
    pub name: &'static str,
    /// Its type, with `..` for axes that pass through.
    pub signature: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// Its reverse derivative as a formula, dy the request at the output.
    pub formula: &'static str,
    /// Its reverse derivative as a rule.
    pub rev: RevRule,
    /// A diagram in the text form that uses it; empty only for `call` and `request`, which need a definition or a rule.
    pub example: &'static str,
}

/// The entry of an operation.
#[must_use]
pub fn primitive(op: &Op) -> &'static Primitive {
    match op {
        Op::Input(_) => &structural::INPUT,
        Op::Const(_) => &structural::CONST,
        Op::Extent(_) => &structural::EXTENT,
        Op::Einsum(_) => &linear::EINSUM,
        Op::Add => &linear::ADD,
        Op::Map(function) => of_function(*function),
        Op::Compare(Comparison::Less) => &atomic::LESS,
        Op::Compare(Comparison::LessEqual) => &atomic::LESS_EQUAL,
        Op::Compare(Comparison::Equal) => &atomic::EQUAL,
        Op::Logic(Logic::Xor) => &bits::XOR,
        Op::Logic(Logic::And) => &bits::AND,
        Op::Logic(Logic::Or) => &bits::OR,
        Op::Logic(Logic::Not) => &bits::NOT,
        Op::Whole(Whole::Mul) => &bits::INT_MUL,
        Op::Whole(Whole::Quotient) => &bits::INT_QUOTIENT,
        Op::Whole(Whole::And) => &bits::INT_AND,
        Op::ToInt => &bits::TO_INT,
        Op::Lookup { .. } => &bits::LOOKUP,
        Op::LookupDagger { .. } => &bits::LOOKUP_DAGGER,
        Op::Basis => &bits::BASIS,
        Op::Rank => &bits::RANK,
        Op::Select => &atomic::SELECT,
        Op::Index(_) => &structural::INDEX,
        Op::IndexDagger(_) => &structural::INDEX_DAGGER,
        Op::Reshape { .. } => &structural::RESHAPE,
        Op::Repeat { .. } => &structural::REPEAT,
        Op::Sum { .. } => &structural::SUM,
        Op::Concat { .. } => &structural::CONCAT,
        Op::Gather { .. } => &structural::GATHER,
        Op::GatherDagger { .. } => &structural::GATHER_DAGGER,
        Op::Max => &atomic::MAX,
        Op::ArgmaxOneHot => &atomic::ARGMAX_ONE_HOT,
        Op::Argmax => &atomic::ARGMAX,
        Op::OneHot => &atomic::ONE_HOT,
        Op::Solve => &atomic::SOLVE,
        Op::Call(_) => &atomic::CALL,
        Op::Request { .. } => &atomic::REQUEST,
    }
}

fn of_function(function: Function) -> &'static Primitive {
    match function {
        Function::Exp => &pointwise::EXP,
        Function::Log => &pointwise::LOG,
        Function::Log1p => &pointwise::LOG1P,
        Function::Expm1 => &pointwise::EXPM1,
        Function::Sqrt => &pointwise::SQRT,
        Function::Recip => &pointwise::RECIP,
        Function::Sin => &pointwise::SIN,
        Function::Cos => &pointwise::COS,
        Function::Tanh => &pointwise::TANH,
        Function::Sigmoid => &pointwise::SIGMOID,
        Function::Erf => &pointwise::ERF,
        Function::Abs => &pointwise::ABS,
        Function::Sign => &pointwise::SIGN,
        Function::Floor => &pointwise::FLOOR,
        Function::Powi(_) => &pointwise::POWI,
        Function::Mul => &pointwise::MUL,
        Function::Div => &pointwise::DIV,
        Function::Pow => &pointwise::POW,
        Function::Gate => &pointwise::GATE,
    }
}

/// Every entry, family by family.
#[must_use]
pub fn all() -> &'static [&'static Primitive] {
    use {atomic as a, bits as z, linear as l, pointwise as p, structural as s};
    static ALL: &[&Primitive] = &[
        &l::EINSUM,
        &l::ADD,
        &s::INPUT,
        &s::CONST,
        &s::EXTENT,
        &s::INDEX,
        &s::INDEX_DAGGER,
        &s::RESHAPE,
        &s::REPEAT,
        &s::SUM,
        &s::CONCAT,
        &s::GATHER,
        &s::GATHER_DAGGER,
        &p::EXP,
        &p::LOG,
        &p::LOG1P,
        &p::EXPM1,
        &p::SQRT,
        &p::RECIP,
        &p::SIN,
        &p::COS,
        &p::TANH,
        &p::SIGMOID,
        &p::ERF,
        &p::ABS,
        &p::SIGN,
        &p::FLOOR,
        &p::POWI,
        &p::MUL,
        &p::DIV,
        &p::POW,
        &p::GATE,
        &a::LESS,
        &a::LESS_EQUAL,
        &a::EQUAL,
        &z::XOR,
        &z::AND,
        &z::OR,
        &z::NOT,
        &z::TO_INT,
        &z::INT_MUL,
        &z::INT_QUOTIENT,
        &z::INT_AND,
        &z::LOOKUP,
        &z::LOOKUP_DAGGER,
        &z::BASIS,
        &z::RANK,
        &a::SELECT,
        &a::MAX,
        &a::ARGMAX_ONE_HOT,
        &a::ARGMAX,
        &a::ONE_HOT,
        &a::SOLVE,
        &a::CALL,
        &a::REQUEST,
    ];
    ALL
}

/// The rule of a map whose derivative is zero, and of a map with nothing to differentiate.
fn zero(_: &mut Builder, site: &RevSite<'_>) -> Requests {
    Ok(smallvec![None; site.ins.len()])
}

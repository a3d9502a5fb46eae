//! The instructions of a chain on one block, compiled for the vectors that the machine has.
//!
//! The same Rust for all of them, so that a result does not depend on the machine: additions and products are never
//! contracted, and functions are those of [`Float`].

#![allow(unsafe_code, reason = "functions compiled for vector extensions are called after these were found")]

use crate::compile::{Chain, Code, Instruction, Source};
use crate::diagram::{Comparison, Function, Logic};
use crate::run::float::Float;

/// Which vectors a machine has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Level {
    /// Those that every machine of its kind has.
    Plain,
    /// AVX2.
    #[cfg(target_arch = "x86_64")]
    V3,
    /// AVX-512.
    #[cfg(target_arch = "x86_64")]
    V4,
}

impl Level {
    /// What this machine has.
    pub(super) fn of_machine() -> Level {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
            {
                return Level::V4;
            }
            if is_x86_feature_detected!("avx2") {
                return Level::V3;
            }
        }
        Level::Plain
    }
}

/// Entries of a chain's results.
#[derive(Clone, Copy)]
pub(super) struct Block<'c> {
    pub(super) chain: &'c Chain,
    pub(super) from: usize,
    pub(super) len: usize,
}

/// Runs a chain's instructions on a block.
pub(super) fn run<T: Float>(
    level: Level,
    block: Block<'_>,
    registers: &mut [Vec<T>],
    ins: &[&[T]],
    outs: &mut [Vec<T>],
) {
    match level {
        Level::Plain => block.run(registers, ins, outs),
        // SAFETY: `Level::of_machine` makes these only where the extensions were found.
        #[cfg(target_arch = "x86_64")]
        Level::V3 => unsafe { run_v3(block, registers, ins, outs) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::V4 => unsafe { run_v4(block, registers, ins, outs) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn run_v3<T: Float>(block: Block<'_>, registers: &mut [Vec<T>], ins: &[&[T]], outs: &mut [Vec<T>]) {
    block.run(registers, ins, outs);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,avx512f,avx512vl")]
fn run_v4<T: Float>(block: Block<'_>, registers: &mut [Vec<T>], ins: &[&[T]], outs: &mut [Vec<T>]) {
    block.run(registers, ins, outs);
}

impl Block<'_> {
    /// The entries of a source in the block; nothing if there is none.
    #[inline(always)]
    pub(super) fn source<'v, T>(
        self,
        source: Source,
        registers: &'v [Vec<T>],
        ins: &[&'v [T]],
        outs: &'v [Vec<T>],
    ) -> &'v [T] {
        let place = self.from..self.from + self.len;
        match source {
            Source::Register(r) => registers.get(usize::from(r)).and_then(|x| x.get(..self.len)),
            Source::In(k) => ins.get(usize::from(k)).and_then(|x| x.get(place)),
            Source::Out(k) => outs.get(usize::from(k)).and_then(|x| x.get(place)),
        }
        .unwrap_or(&[])
    }

    #[inline(always)]
    fn run<T: Float>(self, registers: &mut [Vec<T>], ins: &[&[T]], outs: &mut [Vec<T>]) {
        for Instruction { code, reads, to } in &self.chain.code {
            let (from, target) = match to {
                Source::Register(r) => (0, registers.get_mut(usize::from(*r))),
                Source::Out(k) => (self.from, outs.get_mut(usize::from(*k))),
                Source::In(_) => continue,
            };
            // What is written leaves its place meanwhile: no operand is the same.
            let Some(mut target) = target.map(std::mem::take) else { continue };
            if let Some(to) = target.get_mut(from..from + self.len) {
                let [a, b, c] = reads.map(|s| self.source(s, registers, ins, outs));
                instruction(*code, to, a, b, c);
            }
            let place = match to {
                Source::Register(r) => registers.get_mut(usize::from(*r)),
                Source::Out(k) => outs.get_mut(usize::from(*k)),
                Source::In(_) => None,
            };
            if let Some(place) = place {
                *place = target;
            }
        }
    }
}

#[inline(always)]
fn one<T: Copy>(to: &mut [T], a: &[T], f: impl Fn(T) -> T) {
    to.iter_mut().zip(a).for_each(|(t, a)| *t = f(*a));
}

#[inline(always)]
fn two<T: Copy>(to: &mut [T], a: &[T], b: &[T], f: impl Fn(T, T) -> T) {
    to.iter_mut().zip(a.iter().zip(b)).for_each(|(t, (a, b))| *t = f(*a, *b));
}

#[inline(always)]
fn bit<T: Float>(holds: bool) -> T {
    if holds { T::ONE } else { T::ZERO }
}

#[inline(always)]
fn instruction<T: Float>(code: Code, to: &mut [T], a: &[T], b: &[T], c: &[T]) {
    let set = |x: T| x != T::ZERO;
    match code {
        Code::Add => two(to, a, b, |a, b| a + b),
        Code::Scale(s) => {
            let s = T::from_f64(s);
            one(to, a, |a| a * s);
        }
        Code::Copy => one(to, a, |a| a),
        Code::Select => {
            let rest = a.iter().zip(b.iter().zip(c));
            to.iter_mut().zip(rest).for_each(|(t, (a, (b, c)))| *t = if set(*a) { *b } else { *c });
        }
        Code::Compare(Comparison::Less) => two(to, a, b, |a, b| bit(a < b)),
        Code::Compare(Comparison::LessEqual) => two(to, a, b, |a, b| bit(a <= b)),
        Code::Compare(Comparison::Equal) => two(to, a, b, |a, b| bit(a == b)),
        Code::Logic(Logic::Xor) => two(to, a, b, |a, b| bit(set(a) != set(b))),
        Code::Logic(Logic::And) => two(to, a, b, |a, b| bit(set(a) && set(b))),
        Code::Logic(Logic::Or) => two(to, a, b, |a, b| bit(set(a) || set(b))),
        Code::Logic(Logic::Not) => one(to, a, |a| bit(!set(a))),
        Code::Map(f) => match f {
            Function::Exp => one(to, a, T::exp),
            Function::Log => one(to, a, T::ln),
            Function::Log1p => one(to, a, T::ln_1p),
            Function::Expm1 => one(to, a, T::exp_m1),
            Function::Sqrt => one(to, a, T::sqrt),
            Function::Recip => one(to, a, |a| T::ONE / a),
            Function::Sin => one(to, a, T::sin),
            Function::Cos => one(to, a, T::cos),
            Function::Tanh => one(to, a, T::tanh),
            Function::Sigmoid => one(to, a, T::sigmoid),
            Function::Erf => one(to, a, T::erf),
            Function::Abs => one(to, a, T::abs),
            Function::Sign => one(to, a, T::sign),
            Function::Floor => one(to, a, T::floor),
            // x^2 by squaring is x * x
            Function::Powi(2) => one(to, a, |a| a * a),
            Function::Powi(n) => one(to, a, |a| a.powi(n)),
            Function::Mul => two(to, a, b, |a, b| a * b),
            Function::Div => two(to, a, b, |a, b| a / b),
            Function::Pow => two(to, a, b, T::powf),
            Function::Gate => two(to, a, b, |dy, d| if dy == T::ZERO { T::ZERO } else { dy * d }),
        },
    }
}

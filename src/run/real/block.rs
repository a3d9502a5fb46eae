//! The instructions of a chain on one block, compiled for the vectors that the machine has.
//!
//! The same Rust for all of them, so that a result does not depend on the machine: additions and products are never
//! contracted, and functions are those of [`Float`].

#![allow(unsafe_code, reason = "functions compiled for vector extensions are called after these were found")]

use crate::compile::{Chain, Code, Instruction, Source};
use crate::diagram::{Comparison, Logic};
use crate::run::float::Float;
use crate::run::pointwise::{map_into, one_into, two_into};

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
            Source::Register(r) => registers.get(r as usize).and_then(|x| x.get(..self.len)),
            Source::In(k) => ins.get(k as usize).and_then(|x| x.get(place)),
            Source::Out(k) => outs.get(k as usize).and_then(|x| x.get(place)),
        }
        .unwrap_or(&[])
    }

    #[inline(always)]
    fn run<T: Float>(self, registers: &mut [Vec<T>], ins: &[&[T]], outs: &mut [Vec<T>]) {
        for Instruction { code, reads, to } in &self.chain.code {
            let (from, target) = match to {
                Source::Register(r) => (0, registers.get_mut(*r as usize)),
                Source::Out(k) => (self.from, outs.get_mut(*k as usize)),
                Source::In(_) => continue,
            };
            // What is written leaves its place meanwhile: no operand is the same.
            let Some(mut target) = target.map(std::mem::take) else { continue };
            if let Some(to) = target.get_mut(from..from + self.len) {
                let [a, b, c] = reads.map(|s| self.source(s, registers, ins, outs));
                instruction(*code, to, a, b, c);
            }
            let place = match to {
                Source::Register(r) => registers.get_mut(*r as usize),
                Source::Out(k) => outs.get_mut(*k as usize),
                Source::In(_) => None,
            };
            if let Some(place) = place {
                *place = target;
            }
        }
    }
}

#[inline(always)]
fn bit<T: Float>(holds: bool) -> T {
    if holds { T::ONE } else { T::ZERO }
}

#[inline(always)]
fn instruction<T: Float>(code: Code, to: &mut [T], a: &[T], b: &[T], c: &[T]) {
    let set = |x: T| x != T::ZERO;
    match code {
        Code::Add => two_into(to, a, b, |a, b| a + b),
        Code::Scale(s) => {
            let s = T::from_f64(s);
            one_into(to, a, |a| a * s);
        }
        Code::Copy => one_into(to, a, |a| a),
        Code::Select => {
            let rest = a.iter().zip(b.iter().zip(c));
            to.iter_mut().zip(rest).for_each(|(t, (a, (b, c)))| *t = if set(*a) { *b } else { *c });
        }
        Code::Compare(Comparison::Less) => two_into(to, a, b, |a, b| bit(a < b)),
        Code::Compare(Comparison::LessEqual) => two_into(to, a, b, |a, b| bit(a <= b)),
        Code::Compare(Comparison::Equal) => two_into(to, a, b, |a, b| bit(a == b)),
        Code::Logic(Logic::Xor) => two_into(to, a, b, |a, b| bit(set(a) != set(b))),
        Code::Logic(Logic::And) => two_into(to, a, b, |a, b| bit(set(a) && set(b))),
        Code::Logic(Logic::Or) => two_into(to, a, b, |a, b| bit(set(a) || set(b))),
        Code::Logic(Logic::Not) => one_into(to, a, |a| bit(!set(a))),
        Code::Map(f) => map_into(f, to, a, b),
    }
}

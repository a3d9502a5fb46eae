//! Loops of pointwise operations, block by block.
//!
//! A block is small enough that its registers stay in the first cache. Results are written where they stay; nothing
//! that is read is written by the same instruction, so that each instruction is a loop without aliases.

use super::block::{Block, Level, run};
use super::store::Store;
use crate::compile::{Chain, Fill};
use crate::run::apply::Entries;
use crate::run::fault::RunFault;
use crate::run::float::Float;
use smallvec::SmallVec;

/// Entries of a block.
const BLOCK: usize = 512;

/// A chain with its registers.
#[derive(Clone, Debug)]
pub(super) struct Loops<T> {
    chain: Chain,
    registers: Vec<Vec<T>>,
    outs: Vec<Vec<T>>,
    bits: Vec<Vec<bool>>,
    level: Level,
}

impl<T: Float> Loops<T> {
    pub(super) fn new(chain: &Chain) -> Loops<T> {
        let block = chain.len.clamp(1, BLOCK);
        let mut registers = vec![vec![T::ZERO; block]; chain.registers as usize];
        for (register, x) in &chain.numbers {
            if let Some(register) = registers.get_mut(*register as usize) {
                register.fill(T::from_f64(*x));
            }
        }
        Loops { chain: chain.clone(), registers, outs: Vec::new(), bits: Vec::new(), level: Level::of_machine() }
    }

    /// The slots that it reads.
    pub(super) fn reads(&self, each: impl FnMut(usize)) {
        self.chain.ins.iter().copied().chain(self.chain.fills.iter().map(|f| f.slot)).for_each(each);
    }

    pub(super) fn run(&mut self, store: &mut Store<T>) -> Result<(), RunFault> {
        let Loops { chain, registers, outs, bits, level } = self;
        let misfit = || RunFault::Misfit { node: chain.nodes.first().copied().unwrap_or(0) };
        outs.extend(chain.outs.iter().map(|slot| store.take_reals(*slot, chain.len)));
        bits.extend(chain.bits.iter().map(|bit| store.take_bits(bit.slot, chain.len)));
        let ins: Option<SmallVec<[&[T]; 24]>> = chain.ins.iter().map(|slot| store.reals(*slot)).collect();
        let ins = ins.filter(|ins| ins.iter().all(|x| x.len() == chain.len)).ok_or_else(misfit)?;
        let block = chain.len.clamp(1, BLOCK);
        for from in (0..chain.len).step_by(block) {
            let len = block.min(chain.len - from);
            for f in chain.fills.iter().filter(|f| from == 0 || f.access.period > 1) {
                let Some(register) = registers.get_mut(f.register as usize) else { continue };
                // A number fills the register once, whole.
                let part = if f.access.period > 1 { len } else { register.len() };
                let register = register.get_mut(..part).ok_or_else(misfit)?;
                fill(store, f, register, from).ok_or_else(misfit)?;
            }
            run(*level, Block { chain, from, len }, registers, &ins, outs);
            for (bit, made) in chain.bits.iter().zip(bits.iter_mut()) {
                let source = Block { chain, from, len }.source(bit.from, registers, &ins, outs);
                for (to, x) in made.iter_mut().skip(from).zip(source) {
                    *to = *x != T::ZERO;
                }
            }
        }
        drop(ins);
        for (slot, made) in chain.outs.iter().zip(outs.drain(..)) {
            store.put(*slot, Entries::Real(made));
        }
        for (bit, made) in chain.bits.iter().zip(bits.drain(..)) {
            store.put(bit.slot, Entries::Bool(made));
        }
        Ok(())
    }
}

/// Entries of an operand that is read as rows or columns, from an entry of the result on.
fn fill<T: Float>(store: &Store<T>, f: &Fill, register: &mut [T], from: usize) -> Option<()> {
    let period = f.access.period.max(1);
    if f.bits {
        let x = store.bits(f.slot).filter(|x| x.len() == period)?;
        spread(register, from, f.access.inner, x, |bit| if bit { T::ONE } else { T::ZERO });
    } else {
        let x = store.reals(f.slot).filter(|x| x.len() == period)?;
        spread(register, from, f.access.inner, x, |x| x);
    }
    Some(())
}

/// `to[i] = x[((from + i) / inner) % period]`.
fn spread<E: Copy, T: Copy>(to: &mut [T], from: usize, inner: usize, x: &[E], as_real: impl Fn(E) -> T) {
    let period = x.len();
    let mut left = to;
    if inner == 1 {
        let mut at = from % period;
        while !left.is_empty() {
            let n = left.len().min(period - at);
            let (now, rest) = left.split_at_mut(n);
            now.iter_mut().zip(x.iter().skip(at)).for_each(|(t, x)| *t = as_real(*x));
            (left, at) = (rest, 0);
        }
        return;
    }
    let (mut at, mut done) = (from / inner % period, from % inner);
    while !left.is_empty() {
        let n = left.len().min(inner - done);
        let (now, rest) = left.split_at_mut(n);
        if let Some(x) = x.get(at) {
            now.fill(as_real(*x));
        }
        (left, done) = (rest, 0);
        at = if at + 1 == period { 0 } else { at + 1 };
    }
}

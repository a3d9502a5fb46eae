//! Pointwise operations as one loop: a program over blocks of entries.
//!
//! Each operation is one instruction that reads registers, operands in memory or results and writes a register or a
//! result. Numbers and operands that are read as rows or columns stand in registers of their own. Registers are used
//! again after their last reader; an instruction never writes what it reads, so that its loop has no aliases.

use super::access::{Access, Shapes};
use super::is_real;
use crate::diagram::{Comparison, Diagram, Function, Logic, Op, Wire};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// Where an instruction reads or writes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Source {
    /// A register.
    Register(u32),
    /// An operand that is read entry by entry, by its place in [`Chain::ins`].
    In(u32),
    /// A result, by its place in [`Chain::outs`].
    Out(u32),
}

/// What an instruction does.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Code {
    /// a + b.
    Add,
    /// A function of a, or of a and b.
    Map(Function),
    /// 1 where it holds of a and b, else 0.
    Compare(Comparison),
    /// A function of bits that are 1 or 0.
    Logic(Logic),
    /// b where a is not 0, else c.
    Select,
    /// a times a number.
    Scale(f64),
    /// a.
    Copy,
}

/// One pointwise operation.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Instruction {
    /// What it does.
    pub code: Code,
    /// Its operands; those that the code does not have repeat the first.
    pub reads: [Source; 3],
    /// What it writes.
    pub to: Source,
}

/// A register that is filled from memory.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Fill {
    /// The register.
    pub register: u32,
    /// The slot.
    pub slot: usize,
    /// How the slot is read.
    pub access: Access,
    /// Whether the slot holds bits.
    pub bits: bool,
}

/// Bits that a loop makes: a source of ones and noughts, and the slot for them.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bit {
    /// The source.
    pub from: Source,
    /// The slot.
    pub slot: usize,
}

/// Pointwise operations in one loop.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    /// Entries of every result.
    pub len: usize,
    /// Slots read entry by entry.
    pub ins: Vec<usize>,
    /// Slots of reals written.
    pub outs: Vec<usize>,
    /// Registers that hold a number.
    pub numbers: Vec<(u32, f64)>,
    /// Registers filled from memory.
    pub fills: Vec<Fill>,
    /// The operations in order.
    pub code: Vec<Instruction>,
    /// Bits written.
    pub bits: Vec<Bit>,
    /// How many registers there are.
    pub registers: u32,
    /// The nodes that it computes.
    pub nodes: Vec<u32>,
}

/// A chain being made.
struct Making<'a> {
    d: &'a Diagram,
    shapes: &'a Shapes,
    slot: &'a dyn Fn(Wire) -> usize,
    chain: Chain,
    values: FxHashMap<Wire, Source>,
    loads: FxHashMap<(Wire, Access), Source>,
    numbers: FxHashMap<u64, Source>,
    /// How many readers inside of the chain are still to come.
    left: FxHashMap<Source, usize>,
    free: Vec<u32>,
}

impl Chain {
    /// The loop of some nodes in topological order, all of as many entries.
    pub(super) fn of(d: &Diagram, shapes: &Shapes, nodes: &[u32], slot: impl Fn(Wire) -> usize) -> Chain {
        let len = nodes.first().map_or(0, |n| shapes.len(*n));
        let chain = Chain { len, nodes: nodes.to_vec(), ..Chain::default() };
        let mut made = Making {
            d,
            shapes,
            slot: &slot,
            chain,
            values: FxHashMap::default(),
            loads: FxHashMap::default(),
            numbers: FxHashMap::default(),
            left: FxHashMap::default(),
            free: Vec::new(),
        };
        made.all(nodes);
        made.chain
    }
}

impl Making<'_> {
    fn all(&mut self, nodes: &[u32]) {
        let stored = self.shapes.stored(nodes);
        let mut readers: FxHashMap<u32, usize> = FxHashMap::default();
        for node in nodes {
            for (w, access) in self.shapes.reads(self.d, *node) {
                if access.is_whole(self.chain.len) {
                    *readers.entry(w.node).or_default() += 1;
                }
            }
        }
        for (node, stored) in nodes.iter().zip(stored) {
            self.node(*node, readers.get(node).copied().unwrap_or(0), stored);
        }
    }

    /// A register that is filled once and never given back.
    fn lasting(&mut self) -> u32 {
        self.chain.registers += 1;
        self.chain.registers - 1
    }

    fn register(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| self.lasting())
    }

    /// Gives a register back.
    fn release(&mut self, source: Source) {
        if let Source::Register(r) = source {
            self.free.push(r);
        }
    }

    fn number(&mut self, x: f64) -> Source {
        if let Some(known) = self.numbers.get(&x.to_bits()) {
            return *known;
        }
        let register = self.lasting();
        self.chain.numbers.push((register, x));
        self.numbers.insert(x.to_bits(), Source::Register(register));
        Source::Register(register)
    }

    fn read(&mut self, w: Wire, access: Access) -> Source {
        if let Some(known) = self.values.get(&w).filter(|_| access.is_whole(self.chain.len)) {
            return *known;
        }
        if let Some(x) = self.shapes.constant(w) {
            return self.number(x);
        }
        if let Some(known) = self.loads.get(&(w, access)) {
            return *known;
        }
        let slot = (self.slot)(w);
        let bits = !is_real(self.d, w);
        let made = if access.is_whole(self.chain.len) && !bits && access.period > 1 {
            self.chain.ins.push(slot);
            Source::In(u32::try_from(self.chain.ins.len() - 1).unwrap_or(u32::MAX))
        } else {
            let register = self.lasting();
            self.chain.fills.push(Fill { register, slot, access, bits });
            Source::Register(register)
        };
        self.loads.insert((w, access), made);
        made
    }

    /// One reader of a source has been met; of numbers and operands in memory readers are not counted.
    fn done(&mut self, source: Source) {
        if let Some(left) = self.left.get_mut(&source) {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.left.remove(&source);
                self.release(source);
            }
        }
    }

    fn emit(&mut self, code: Code, reads: &[Source], to: Source) {
        let first = reads.first().copied().unwrap_or(to);
        let at = |k: usize| reads.get(k).copied().unwrap_or(first);
        self.chain.code.push(Instruction { code, reads: [at(0), at(1), at(2)], to });
    }

    /// Where a node's value goes.
    fn target(&mut self, node: u32, stored: bool) -> Source {
        let wire = Wire { node, port: 0 };
        if stored && is_real(self.d, wire) {
            self.chain.outs.push((self.slot)(wire));
            return Source::Out(u32::try_from(self.chain.outs.len() - 1).unwrap_or(u32::MAX));
        }
        Source::Register(self.register())
    }

    fn node(&mut self, node: u32, readers: usize, stored: bool) {
        let Some(op) = self.d.nodes().get(node as usize).map(|n| &n.op) else { return };
        let reads: SmallVec<[(Wire, Access); 3]> = self.shapes.reads(self.d, node);
        let sources: SmallVec<[Source; 3]> = reads.iter().map(|(w, a)| self.read(*w, *a)).collect();
        let wire = Wire { node, port: 0 };
        let mut last;
        match op {
            Op::Einsum(spec) => {
                // scale * (x1 * x2 * ..), in the order of the operands
                let scaled = spec.scale() != 1.0;
                if let ([one], false, false) = (sources.as_slice(), scaled, stored) {
                    // A number, row or column as it stands: one read entry by entry would be the same value.
                    self.values.insert(wire, *one);
                    return;
                }
                let mut value = sources.first().copied();
                let mut passing: Option<Source> = None;
                for (k, next) in sources.iter().enumerate().skip(1) {
                    let ends = k + 1 == sources.len() && !scaled;
                    let to = if ends { self.target(node, stored) } else { Source::Register(self.register()) };
                    let before = value.unwrap_or(*next);
                    self.emit(Code::Map(Function::Mul), &[before, *next], to);
                    passing.into_iter().for_each(|before| self.release(before));
                    passing = Some(to).filter(|_| !ends);
                    value = Some(to);
                }
                last = value.unwrap_or(Source::Register(0));
                if scaled || sources.len() == 1 {
                    let to = self.target(node, stored);
                    self.emit(if scaled { Code::Scale(spec.scale()) } else { Code::Copy }, &[last], to);
                    passing.into_iter().for_each(|before| self.release(before));
                    last = to;
                }
            }
            _ => {
                let code = match op {
                    Op::Add => Code::Add,
                    Op::Map(f) => Code::Map(*f),
                    Op::Compare(c) => Code::Compare(*c),
                    Op::Logic(l) => Code::Logic(*l),
                    Op::Select => Code::Select,
                    _ => Code::Copy,
                };
                last = self.target(node, stored);
                self.emit(code, &sources, last);
            }
        }
        sources.iter().for_each(|source| self.done(*source));
        self.values.insert(wire, last);
        if readers > 0 {
            *self.left.entry(last).or_default() += readers;
        }
        if stored && !is_real(self.d, wire) {
            self.chain.bits.push(Bit { from: last, slot: (self.slot)(wire) });
            // the bits are written at the end of a block, so the register stays
            *self.left.entry(last).or_default() += 1;
        } else if readers == 0 {
            self.release(last);
        }
    }
}

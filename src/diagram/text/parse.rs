//! Reads the text form of a diagram back (the folder's page tells the form).
//!
//! In: text. Out: a diagram, typed by a builder; the type written after each node is compared with the one it has.
//! Lines that are empty or begin with `#` are skipped. A fault names its line. No recursion: bodies of primitives
//! stand at the top, each before the first that calls it.

use super::super::builder::Builder;
use super::super::einsum::EinsumSpec;
use super::super::index::AffineIndex;
use super::super::op::{Comparison, Const, Function, Literal, Logic, Op, PrimDef, Reverses, Whole};
use super::super::value::{Diagram, Wire};
use super::ROLES;
use super::cursor::{Cursor, Read, parsed, real};
use crate::object::{Base, Dim, Leaf, Tangent};
use crate::source::Span;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Why a text is no diagram.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct TextFault {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

impl Diagram {
    /// Reads the text form.
    ///
    /// # Errors
    /// [`TextFault`] at the first line that is not of the form or not well typed.
    pub fn parse_text(text: &str) -> Result<Diagram, TextFault> {
        let mut reader = Reader::default();
        let mut last = 0;
        for (k, line) in text.lines().enumerate() {
            last = k + 1;
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                reader.line(line).map_err(|what| TextFault { line: last, what })?;
            }
        }
        match (reader.part, reader.body.done) {
            (Part::Main, Some(d)) => Ok(d),
            _ => Err(TextFault { line: last, what: "the text ends before `out`".into() }),
        }
    }
}

/// Where in the text a line stands.
#[derive(Default)]
enum Part {
    #[default]
    Main,
    Fwd(String),
    Rev(Box<Half>, Tangent),
}

#[derive(Default)]
struct Reader {
    part: Part,
    body: Body,
    prims: Vec<Arc<PrimDef>>,
}

/// A primitive whose reverses are being read.
struct Half {
    name: String,
    fwd: Diagram,
    rev: Reverses,
}

/// The tangent that the rest of a line `} rev .. {` names.
fn over(rest: &[&str]) -> Read<Tangent> {
    match rest {
        ["{"] => Ok(Tangent::Real),
        [word, "{"] => named(word),
        _ => Err("`rev` is followed by a tangent and `{`".into()),
    }
}

fn named(word: &str) -> Read<Tangent> {
    let found = Tangent::ALL.into_iter().find(|t| t.to_string() == word);
    found.ok_or_else(|| format!("no tangent is called {word}"))
}

/// One diagram being read.
#[derive(Default)]
struct Body {
    b: Builder,
    /// The node that each number stands for.
    nodes: FxHashMap<u32, u32>,
    done: Option<Diagram>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Read<()> {
        if line.starts_with('}') {
            return self.close(line);
        }
        if self.body.done.is_some() {
            return Err("nothing may follow `out`".into());
        }
        let mut c = Cursor { rest: line };
        if c.eat("prim ") {
            if !matches!(self.part, Part::Main) || !self.body.b.is_empty() {
                return Err("primitives stand before everything else".into());
            }
            c.need("@")?;
            if c.number::<usize>()? != self.prims.len() {
                return Err(format!("the next primitive is @{}", self.prims.len()));
            }
            self.part = Part::Fwd(c.name()?);
            c.need("{")?;
            return c.end();
        }
        self.body.line(c, &self.prims)
    }

    fn close(&mut self, line: &str) -> Read<()> {
        let done = std::mem::take(&mut self.body).done.ok_or("the body ends before `out`")?;
        self.part = match (std::mem::take(&mut self.part), line.split_whitespace().collect::<Vec<_>>().as_slice()) {
            (Part::Fwd(name), ["}", "rev", rest @ ..]) => {
                Part::Rev(Box::new(Half { name, fwd: done, rev: Reverses::default() }), over(rest)?)
            }
            (Part::Rev(half, tangent), ["}", "rev", rest @ ..]) => {
                Part::Rev(Box::new(Half { rev: half.rev.with(tangent, done), ..*half }), over(rest)?)
            }
            (Part::Rev(half, tangent), ["}"]) => {
                let Half { name, fwd, rev } = *half;
                self.prims.push(Arc::new(PrimDef::new(name, fwd, rev.with(tangent, done), Span::default())));
                Part::Main
            }
            _ => return Err(format!("`{line}` closes nothing")),
        };
        Ok(())
    }
}

impl Body {
    fn line(&mut self, mut c: Cursor<'_>, prims: &[Arc<PrimDef>]) -> Read<()> {
        if c.eat("in ") {
            c.need("%")?;
            let number = c.number()?;
            c.need(":")?;
            let word = c.word()?;
            let role = ROLES.iter().find(|(_, w)| *w == word).ok_or_else(|| format!("no role is called {word}"))?.0;
            let path = c.name()?;
            c.need(":")?;
            let leaf = c.leaf()?;
            c.end()?;
            let wire = self.b.port(path, role, leaf);
            return self.define(number, wire.node);
        }
        if c.eat("out") {
            let outs = self.wires(&mut c)?;
            c.end()?;
            self.done = Some(std::mem::take(&mut self.b).finish(&outs));
            return Ok(());
        }
        c.need("%")?;
        let number = c.number()?;
        c.need("=")?;
        // A literal and a call of no operands need the type; it stands at the end of the line.
        let (op, ins) = self.operation(&mut c, prims)?;
        c.need(":")?;
        let mut leaves = vec![c.leaf()?];
        while c.eat("*") {
            leaves.push(c.leaf()?);
        }
        c.end()?;
        let op = match op {
            Pending::Op(op) => op,
            Pending::Letters { letters, free, scale } => {
                let (left, out) = letters.split_once("->").ok_or("no -> in the letters")?;
                let words: Vec<&str> = if ins.is_empty() { Vec::new() } else { left.split(',').collect() };
                let words: Vec<Vec<u8>> = words.into_iter().map(letters_of).collect::<Read<_>>()?;
                let size = |l: u8| free.iter().find(|(f, _)| *f == l).map(|(_, d)| *d);
                let spec = EinsumSpec::new(&words, &letters_of(out)?, size, scale).map_err(|e| e.to_string())?;
                Op::einsum(spec)
            }
            Pending::Entries(words) => {
                let leaf = leaves.first().cloned().ok_or("no type")?;
                let entries = match leaf.base {
                    Base::Real => Literal::Real(words.iter().map(|w| real(w)).collect::<Read<_>>()?),
                    Base::Bool => Literal::Bool(words.iter().map(|w| parsed(w)).collect::<Read<_>>()?),
                    Base::Int | Base::Fin(_) => Literal::Int(words.iter().map(|w| parsed(w)).collect::<Read<_>>()?),
                };
                Op::Const(Arc::new(Const { leaf, entries }))
            }
        };
        let node = self.b.node(op, &ins).map_err(|e| e.to_string())?;
        let made = self.b.diagram().nodes().get(node as usize).map(|n| n.outs.to_vec()).unwrap_or_default();
        if made != leaves {
            let show = |l: &[Leaf]| l.iter().map(ToString::to_string).collect::<Vec<_>>().join(" * ");
            return Err(format!("it is {}, not {}", show(&made), show(&leaves)));
        }
        self.define(number, node)
    }

    fn define(&mut self, number: u32, node: u32) -> Read<()> {
        match self.nodes.insert(number, node) {
            None => Ok(()),
            Some(_) => Err(format!("%{number} is there twice")),
        }
    }

    fn wires(&self, c: &mut Cursor<'_>) -> Read<Vec<Wire>> {
        let mut wires = Vec::new();
        while c.eat("%") {
            let number: u32 = c.number()?;
            let port = if c.rest.starts_with('.') && c.eat(".") { c.number()? } else { 0 };
            let node = *self.nodes.get(&number).ok_or_else(|| format!("%{number} is not known here"))?;
            let wire = Wire { node, port };
            let outs = self.b.diagram().nodes().get(node as usize).map_or(0, |n| n.outs.len());
            if port as usize >= outs {
                return Err(format!("%{number} has {outs} outputs"));
            }
            wires.push(wire);
        }
        Ok(wires)
    }

    /// The name, attributes and operands of a node.
    fn operation(&self, c: &mut Cursor<'_>, prims: &[Arc<PrimDef>]) -> Read<(Pending, Vec<Wire>)> {
        let name = c.word()?;
        if let Some(op) = plain(name) {
            return Ok((Pending::Op(op), self.wires(c)?));
        }
        let op = match name {
            "const" => Pending::Entries(c.list(|c| c.word().map(str::to_owned))?),
            "extent" => Pending::Op(Op::Extent(c.dim()?)),
            "einsum" => {
                let letters = c.name()?;
                let (mut free, mut scale) = (Vec::new(), 1.0);
                while c.rest.trim_start().starts_with(|x: char| x.is_ascii_alphabetic()) {
                    let word = c.word()?;
                    if word == "scale" {
                        scale = real(c.word()?)?.0;
                    } else {
                        c.need("=")?;
                        let dim = c.dim()?;
                        free.extend(letters_of(word)?.into_iter().map(|l| (l, dim)));
                    }
                }
                Pending::Letters { letters, free, scale }
            }
            "powi" => Pending::Op(Op::Map(Function::Powi(parsed(c.word()?)?))),
            "index" | "index_dagger" => {
                c.need("from")?;
                let from = c.list(Cursor::number)?.into_iter().collect();
                c.need("to")?;
                let to = c.list(Cursor::number)?.into_iter().collect();
                c.need("base")?;
                let base = c.list(|c| parsed(c.word()?))?.into_iter().collect();
                c.need("coef")?;
                let coef = c.list(|c| Ok(c.list(|c| parsed(c.word()?))?.into_iter().collect()))?;
                let map = Arc::new(affine(AffineIndex { from, to, base, coef: coef.into_iter().collect() })?);
                Pending::Op(if name == "index" { Op::Index(map) } else { Op::IndexDagger(map) })
            }
            "reshape" => {
                c.need("from")?;
                let from = c.list(Cursor::dim)?.into_iter().collect();
                c.need("to")?;
                Pending::Op(Op::Reshape { from, to: c.list(Cursor::dim)?.into_iter().collect() })
            }
            "repeat" => {
                let axis = c.dim()?;
                c.need("core")?;
                Pending::Op(Op::Repeat { axis, core: c.number()? })
            }
            "concat" => Pending::Op(Op::Concat { core: c.number()? }),
            "sum" => Pending::Op(Op::Sum { core: c.number()? }),
            "lookup" => Pending::Op(Op::Lookup { lead: c.leads()? }),
            "lookup_dagger" => Pending::Op(Op::LookupDagger { lead: c.leads()? }),
            "gather" => Pending::Op(Op::Gather { lead: c.leads()? }),
            "gather_dagger" => {
                let lead = c.leads()?;
                c.need("rows")?;
                Pending::Op(Op::GatherDagger { lead, rows: c.dim()? })
            }
            "request" => {
                let (hole, leaf) = (c.number()?, c.number()?);
                Pending::Op(Op::Request { hole, leaf, tangent: named(c.word()?)? })
            }
            "call" => {
                c.need("@")?;
                let k: usize = c.number()?;
                let prim = prims.get(k).ok_or_else(|| format!("@{k} is not known here"))?;
                Pending::Op(Op::Call(Arc::clone(prim)))
            }
            other => return Err(format!("no operation is called {other}")),
        };
        Ok((op, self.wires(c)?))
    }
}

/// An operation, or what is to become one once operands and type are read.
enum Pending {
    Op(Op),
    Letters { letters: String, free: Vec<(u8, Dim)>, scale: f64 },
    Entries(Vec<String>),
}

/// The operation of that name, if it has no attributes.
fn plain(name: &str) -> Option<Op> {
    use Function as F;
    let functions = [
        F::Exp,
        F::Log,
        F::Log1p,
        F::Expm1,
        F::Sqrt,
        F::Recip,
        F::Sin,
        F::Cos,
        F::Tanh,
        F::Sigmoid,
        F::Erf,
        F::Abs,
        F::Sign,
        F::Floor,
        F::Mul,
        F::Div,
        F::Pow,
        F::Gate,
    ];
    let others = [
        Op::Add,
        Op::ToInt,
        Op::Select,
        Op::Basis,
        Op::Rank,
        Op::Max,
        Op::ArgmaxOneHot,
        Op::Argmax,
        Op::OneHot,
        Op::Solve,
    ];
    let whole = [Whole::Mul, Whole::Quotient, Whole::And].map(Op::Whole);
    let comparisons = [Comparison::Less, Comparison::LessEqual, Comparison::Equal].map(Op::Compare);
    let logic = [Logic::Xor, Logic::And, Logic::Or, Logic::Not].map(Op::Logic);
    let all = functions.map(Op::Map).into_iter().chain(others).chain(whole).chain(comparisons).chain(logic);
    all.into_iter().find(|op| op.name() == name)
}

/// An index map whose tables are of the sizes that its dimensions say.
fn affine(map: AffineIndex) -> Read<AffineIndex> {
    let rank = map.from.len();
    if map.base.len() != rank || map.coef.len() != rank || map.coef.iter().any(|row| row.len() != map.to.len()) {
        return Err("base has one entry, and coef one row, for each axis of from; a row one for each axis of to".into());
    }
    Ok(map)
}

/// The numbers of letters: `a` to `z`, then `l26`, `l27`, ..
fn letters_of(word: &str) -> Read<Vec<u8>> {
    let mut letters = Vec::new();
    let mut rest = word;
    while let Some(c) = rest.chars().next() {
        let digits = rest.get(1..).unwrap_or("");
        let len = digits.find(|d: char| !d.is_ascii_digit()).unwrap_or(digits.len());
        if c == 'l' && len > 0 {
            letters.push(parsed(digits.get(..len).unwrap_or(""))?);
            rest = digits.get(len..).unwrap_or("");
        } else if c.is_ascii_lowercase() {
            letters.push(c as u8 - b'a');
            rest = digits;
        } else {
            return Err(format!("{c} is no letter"));
        }
    }
    Ok(letters)
}

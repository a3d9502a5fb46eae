//! Broken reverse rules are noticed: every primitive's rule, and every `prim` of the prelude, is broken in two ways
//! (one contribution dropped; one too large: half as large again over the reals, doubled over votes, turned over
//! parity), and differences must object: central ones over the reals, exact ones at bits and whole numbers.
//! The tables in `docs/laws.md` are what this test finds; `CATLEARN_BLESS=1` rewrites them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "tests read the environment")]

mod support;

use catlearn::diagram::{Builder, Diagram, LeadAxis, Logic, Op, Role, TypeFault, Wire};
use catlearn::elaborate::Program;
use catlearn::object::{Base, Leaf, Tangent};
use catlearn::prim::{self, RevSite};
use catlearn::reverse::{Rules, requests, reverse_diagram};
use catlearn::source::MemoryWorld;
use smallvec::SmallVec;
use std::cell::Cell;
use std::fmt::Write as _;
use std::sync::Mutex;
use support::{Verdict, against_differences, differences, draw, port_leaves, run};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Break {
    Drop,
    Grow,
}

/// A tangent, with the rule of one operation broken in one operand.
struct Mutant<'a> {
    tangent: Tangent,
    name: &'a str,
    operand: usize,
    how: Break,
}

impl Rules for Mutant<'_> {
    fn tangent(&self) -> Tangent {
        self.tangent
    }

    fn rule(&self, b: &mut Builder, site: &RevSite<'_>) -> Result<SmallVec<[Option<Wire>; 3]>, TypeFault> {
        let mut asked = self.tangent.rule(b, site)?;
        if site.op.name() == self.name
            && let Some(slot) = asked.get_mut(self.operand)
            && let Some(wire) = *slot
        {
            *slot = match (self.how, self.tangent) {
                (Break::Drop, _) => None,
                (Break::Grow, Tangent::Real) => Some(b.scale(wire, 1.5)?),
                (Break::Grow, Tangent::Votes) => Some(b.add(wire, wire)?),
                (Break::Grow, Tangent::Parity) => Some(b.op(Op::Logic(Logic::Not), &[wire])?),
            };
        }
        Ok(asked)
    }
}

/// Name, broken rules, noticed.
type Rows = Vec<(String, usize, usize)>;

/// What objects to rules: a diagram, the rules, and in how many cases.
type Objections = fn(&Diagram, &dyn Rules, u64) -> usize;

/// How often central differences object to R under a tangent, in that many cases.
fn objections(d: &Diagram, tangent: &dyn Rules, cases: u64) -> usize {
    let (mut b, outs) = Builder::resume(d.clone());
    let reals: Vec<usize> = (0..d.ports().len()).filter(|i| Tangent::Real.of(&d.ports()[*i].leaf).is_some()).collect();
    let mut cots = Vec::new();
    let mut back = Vec::new();
    let mut kept = Vec::new();
    for (k, out) in outs.iter().enumerate() {
        let leaf = b.leaf(*out).clone();
        if Tangent::Real.of(&leaf).is_some() {
            cots.push((*out, b.port(format!("d{k}"), Role::Cotangent, leaf.clone())));
            back.push(leaf);
            kept.push(k);
        }
    }
    if cots.is_empty() {
        return 0;
    }
    let wrt: Vec<Wire> = reals.iter().map(|i| d.port_wire(*i)).collect();
    let asked = requests(&mut b, tangent, &cots, &wrt).unwrap();
    let mut all = Vec::new();
    for (wire, request) in wrt.iter().zip(asked) {
        let leaf = b.leaf(*wire).clone();
        all.push(request.unwrap_or_else(|| b.zero(&leaf).unwrap()));
    }
    let rd = b.finish(&all);
    let mut found = 0;
    for seed in 0..cases {
        let mut point = draw(&port_leaves(d), seed);
        // Away from the edges of log, sqrt and of a singular matrix.
        for (v, leaf) in point.iter_mut().zip(port_leaves(d)) {
            if Tangent::Real.of(&leaf).is_some() {
                let n = leaf.dims.last().map_or(1, |d| d.at(1));
                for (i, x) in v.iter_mut().enumerate() {
                    *x = 0.6 + 0.4 * *x + if leaf.rank() == 2 && i % (n + 1) == 0 { 2.0 } else { 0.0 };
                }
            }
        }
        let w = draw(&back, seed ^ 11);
        let along: Vec<Vec<f64>> = draw(&port_leaves(d), seed ^ 12)
            .into_iter()
            .enumerate()
            .map(|(i, v)| if reals.contains(&i) { v } else { vec![0.0; v.len()] })
            .collect();
        let given = run(&rd, &[point.clone(), w.clone()].concat(), 1);
        let mut requests = vec![Vec::new(); point.len()];
        for (i, r) in reals.iter().zip(given) {
            requests[*i] = r;
        }
        let f = |x: &[Vec<f64>]| -> Vec<Vec<f64>> {
            let out = run(d, x, 1);
            kept.iter().map(|k| out[*k].clone()).collect()
        };
        if let Verdict::Differ(..) = against_differences(&f, &point, &w, &along, &requests) {
            found += 1;
        }
    }
    found
}

/// The operands of an operation in a diagram that its rule answers for over a tangent.
fn answered(d: &Diagram, name: &str, tangent: Tangent, objections: Objections) -> Vec<usize> {
    let mut found = Vec::new();
    for node in d.nodes().iter().filter(|n| n.op.name() == name) {
        for (k, w) in node.ins.iter().enumerate() {
            let asks = || changes(d, &Seen { tangent, name, operand: k, asked: Cell::new(false) }, objections);
            if tangent.of(d.leaf(*w)).is_some() && !found.contains(&k) && asks() {
                found.push(k);
            }
        }
    }
    found
}

/// Breaks a rule in every operand that it answers for: how many mutants there were, and those that nobody noticed.
fn broken(d: &Diagram, name: &str, tangent: Tangent, objections: Objections) -> (usize, Vec<String>) {
    let (mut tried, mut silent) = (0, Vec::new());
    let operands = answered(d, name, tangent, objections);
    if !operands.is_empty() {
        // Unbroken, nothing is said.
        assert_eq!(objections(d, &tangent, 12), 0, "the rule of `{name}` over {tangent} itself:\n{d}");
    }
    for operand in operands {
        for how in [Break::Drop, Break::Grow] {
            tried += 1;
            if objections(d, &Mutant { tangent, name, operand, how }, 12) == 0 {
                silent.push(format!("{name} over {tangent}, operand {operand}, {how:?}"));
            }
        }
    }
    (tried, silent)
}

#[test]
fn every_broken_rule_is_noticed() {
    let mut rows = Rows::new();
    let mut silent = Vec::new();
    let mut examples: Vec<(String, Diagram)> = Vec::new();
    for p in prim::all() {
        // Calls are the prelude's primitives below; a request is a hole, not a function.
        if p.example.is_empty() {
            assert!(matches!(p.name, "call" | "request"), "`{}` has no example", p.name);
            continue;
        }
        let d = Diagram::parse_text(p.example).unwrap_or_else(|e| panic!("{}: {e}", p.name));
        assert!(d.nodes().iter().any(|n| n.op.name() == p.name), "the example of `{}` does not have it", p.name);
        examples.push((p.name.to_owned(), d));
    }
    let text = "def a : R[3] -> R[3] = softplus\ndef b : R[3] -> R[3] = log_sigmoid\ndef c : R[3] -> R[1] = logsumexp\n\
                def d : R[3] -> R[1] = norm\ndef e : (R[3], R[3]) -> R[3] (y, t) { binary_cross_entropy(y, t) }\n";
    let program = Program::parse(text, "prims.lens", &MemoryWorld::default()).map_err(|(d, _)| d).unwrap();
    for (item, name) in
        [("a", "softplus"), ("b", "log_sigmoid"), ("c", "logsumexp"), ("d", "norm"), ("e", "binary_cross_entropy")]
    {
        let d = program.model(item).unwrap().diagram;
        assert!(d.nodes().iter().any(|n| matches!(&n.op, Op::Call(p) if &*p.name == name)));
        examples.push((name.to_owned(), d));
    }
    let prelude: usize = ["pointwise", "nn", "loss"]
        .iter()
        .map(|f| std::fs::read_to_string(format!("src/prelude/{f}.lens")).unwrap())
        .map(|t| t.lines().filter(|l| l.starts_with("prim ")).count())
        .sum();
    assert_eq!(prelude, 5, "a new `prim` of the prelude needs a line here");
    for (name, d) in &examples {
        let (tried, unseen) = broken(d, name, Tangent::Real, objections);
        rows.push((name.clone(), tried, tried - unseen.len()));
        silent.extend(unseen);
    }
    assert!(silent.is_empty(), "not noticed: {silent:#?}");
    let total: usize = rows.iter().map(|r| r.1).sum();
    assert!(total >= 60, "only {total} mutants");
    compare("<!-- mutants -->\n", "<!-- mutants over bits -->\n", &rows);
}

/// A lookup and its dagger whose operands carry different leading axes, with a table of a base.
fn tables(base: Base, lead: LeadAxis) -> [Diagram; 2] {
    let axes = |carried: bool, own: u64| if carried { vec![2, own] } else { vec![own] };
    [(false, axes(lead.table, 8)), (true, vec![2, 1])].map(|(dagger, dims)| {
        let mut b = Builder::new();
        let first = b.port("T", Role::Input, Leaf::new(base, &dims));
        let address = b.port("x", Role::Input, Leaf::new(Base::Bool, &axes(lead.index, 3)));
        let lead = SmallVec::from_slice(&[lead]);
        let op = if dagger { Op::LookupDagger { lead } } else { Op::Lookup { lead } };
        let y = b.op(op, &[first, address]).unwrap();
        b.finish(&[y])
    })
}

#[test]
fn every_broken_rule_over_bits_is_noticed() {
    let mut examples: Vec<(String, Diagram)> = Vec::new();
    for p in prim::all() {
        // The example itself, and over other bases where it has a type there.
        let mut texts = vec![p.example.to_owned()];
        for (from, to) in [("R[", "Int["), ("R[", "Bool["), ("Bool[", "Int[")] {
            texts.push(p.example.replace(from, to));
        }
        texts.sort();
        texts.dedup();
        for text in texts.iter().filter(|t| !t.contains("R[")) {
            let read = Diagram::parse_text(text);
            examples.extend(read.ok().filter(|d| !d.outs().is_empty()).map(|d| (p.name.to_owned(), d)));
        }
    }
    for (base, table, index) in [Base::Bool, Base::Int]
        .into_iter()
        .flat_map(|base| [(true, true), (true, false), (false, true)].map(|(table, index)| (base, table, index)))
    {
        for d in tables(base, LeadAxis { table, index }) {
            examples.push((d.node(d.outs()[0]).op.name().to_owned(), d));
        }
    }
    let text = "import std.bool\ndef a : Bool[5] -> Bool[1] = at_least[5, 3]\ndef b : Bool[5] -> Bool[1] = majority\n\
                def c : (Bool[6], Bool[6]) -> Bool[1] (p, x) { mask_at_most[6, 2](p, x) }\n";
    let program = Program::parse(text, "prims.lens", &MemoryWorld::default()).map_err(|(d, _)| d).unwrap();
    for (item, name) in [("a", "at_least"), ("b", "majority"), ("c", "mask_at_most")] {
        let d = program.model(item).unwrap().diagram;
        assert!(d.nodes().iter().any(|n| matches!(&n.op, Op::Call(p) if &*p.name == name)));
        examples.push((name.to_owned(), d));
    }
    let prelude = std::fs::read_to_string("src/prelude/bool.lens").unwrap();
    assert_eq!(prelude.lines().filter(|l| l.starts_with("prim ")).count(), 3, "a new `prim` needs a line here");
    let (mut rows, mut silent, mut refused) = (Rows::new(), Vec::new(), Vec::new());
    for (name, d) in &examples {
        for tangent in [Tangent::Votes, Tangent::Parity] {
            if let Err(fault) = reverse_diagram(d, &tangent) {
                refused.push(format!("{name}: {fault}"));
                continue;
            }
            let (tried, unseen) = broken(d, name, tangent, differences::objections);
            let row = format!("{name}` over `{tangent}");
            match rows.iter_mut().find(|r| r.0 == row) {
                Some(known) => {
                    known.1 += tried;
                    known.2 += tried - unseen.len();
                }
                None if tried > 0 => rows.push((row, tried, tried - unseen.len())),
                None => {}
            }
            silent.extend(unseen);
        }
    }
    assert!(silent.is_empty(), "not noticed: {silent:#?}");
    assert_eq!(refused.len(), 1, "{refused:#?}");
    assert!(refused[0].starts_with("lookup_dagger: an exclusive or of bits, in where they are put, over votes"));
    for name in ["xor", "and", "or", "not", "select", "to_int", "int_mul", "lookup", "lookup_dagger", "basis", "sum"] {
        assert!(rows.iter().any(|r| r.0 == format!("{name}` over `votes")), "`{name}` has no rule over votes");
    }
    for name in ["add", "index", "index_dagger", "reshape", "repeat", "concat", "gather", "gather_dagger"] {
        assert!(rows.iter().any(|r| r.0 == format!("{name}` over `votes")), "`{name}` has no rule over votes");
    }
    compare("<!-- mutants over bits -->\n", "", &rows);
}

/// A tangent that notes whether an operation's rule gives anything for an operand: `sign` and comparisons have the zero
/// request.
struct Seen<'a> {
    tangent: Tangent,
    name: &'a str,
    operand: usize,
    asked: Cell<bool>,
}

impl Rules for Seen<'_> {
    fn tangent(&self) -> Tangent {
        self.tangent
    }

    fn rule(&self, b: &mut Builder, site: &RevSite<'_>) -> Result<SmallVec<[Option<Wire>; 3]>, TypeFault> {
        let asked = self.tangent.rule(b, site)?;
        if site.op.name() == self.name && asked.get(self.operand).copied().flatten().is_some() {
            self.asked.set(true);
        }
        Ok(asked)
    }
}

fn changes(d: &Diagram, seen: &Seen<'_>, objections: Objections) -> bool {
    objections(d, seen, 1);
    seen.asked.get()
}

/// Compares a table with the part of the page between two markers, or writes it there.
fn compare(from: &str, to: &str, rows: &Rows) {
    static PAGE: Mutex<()> = Mutex::new(());
    let _alone = PAGE.lock();
    let path = "docs/laws.md";
    let page = std::fs::read_to_string(path).unwrap();
    let mut table = String::from("| primitive | broken rules | noticed |\n|---|---|---|\n");
    for (name, tried, noticed) in rows {
        let tried_text = if *tried == 0 { "none: its request is zero".to_owned() } else { tried.to_string() };
        let noticed = if *tried == 0 { String::new() } else { noticed.to_string() };
        writeln!(table, "| `{name}` | {tried_text} | {noticed} |").unwrap();
    }
    let total: usize = rows.iter().map(|r| r.1).sum();
    let noticed: usize = rows.iter().map(|r| r.2).sum();
    writeln!(table, "\n{noticed} of {total} noticed.").unwrap();
    let (before, rest) = page.split_once(from).unwrap_or_else(|| panic!("docs/laws.md has no line {from}"));
    let after = if to.is_empty() { "" } else { &rest[rest.find(to).unwrap()..] };
    let gap = if after.is_empty() { "" } else { "\n" };
    let now = format!("{before}{from}{table}{gap}{after}");
    if now != page {
        assert!(std::env::var_os("CATLEARN_BLESS").is_some(), "docs/laws.md is not what the mutants give:\n{table}");
        std::fs::write(path, now).unwrap();
    }
}

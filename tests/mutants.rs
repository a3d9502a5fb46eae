//! Broken reverse rules are noticed: every primitive's rule, and every `prim` of the prelude, is broken in two ways
//! (one contribution dropped; one contribution made half as large again), and central differences must object.
//! The table in `docs/laws.md` is what this test finds; `CATLEARN_BLESS=1` rewrites it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "tests read the environment")]

mod support;

use catlearn::diagram::{Builder, Diagram, Op, Role, TypeFault, Wire};
use catlearn::elaborate::Program;
use catlearn::object::Tangent;
use catlearn::prim::{self, RevSite};
use catlearn::reverse::{Rules, requests};
use catlearn::source::MemoryWorld;
use smallvec::SmallVec;
use std::fmt::Write as _;
use support::{Verdict, against_differences, draw, port_leaves, run};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Break {
    Drop,
    Grow,
}

/// The reals, with the rule of one operation broken in one operand.
struct Mutant<'a> {
    name: &'a str,
    operand: usize,
    how: Break,
}

impl Rules for Mutant<'_> {
    fn tangent(&self) -> Tangent {
        Tangent::Real
    }

    fn rule(&self, b: &mut Builder, site: &RevSite<'_>) -> Result<SmallVec<[Option<Wire>; 3]>, TypeFault> {
        let mut asked = Tangent::Real.rule(b, site)?;
        if site.op.name() == self.name
            && let Some(slot) = asked.get_mut(self.operand)
            && let Some(wire) = *slot
        {
            *slot = match self.how {
                Break::Drop => None,
                Break::Grow => Some(b.scale(wire, 1.5)?),
            };
        }
        Ok(asked)
    }
}

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

/// The operands of an operation in a diagram that its rule answers for.
fn answered(d: &Diagram, name: &str) -> Vec<usize> {
    let mut found = Vec::new();
    for node in d.nodes().iter().filter(|n| n.op.name() == name) {
        for (k, w) in node.ins.iter().enumerate() {
            if Tangent::Real.of(d.leaf(*w)).is_some() && !found.contains(&k) {
                found.push(k);
            }
        }
    }
    found
}

#[test]
fn every_broken_rule_is_noticed() {
    let mut rows: Vec<(String, usize, usize)> = Vec::new();
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
        // Unbroken, nothing is said.
        assert_eq!(objections(d, &Tangent::Real, 12), 0, "the rule of `{name}` itself");
        let (mut tried, mut noticed) = (0, 0);
        for operand in answered(d, name) {
            let whole = Mutant { name, operand: usize::MAX, how: Break::Drop };
            assert_eq!(objections(d, &whole, 2), 0);
            for how in [Break::Drop, Break::Grow] {
                if !changes(d, name, operand) {
                    continue;
                }
                tried += 1;
                if objections(d, &Mutant { name, operand, how }, 12) > 0 {
                    noticed += 1;
                } else {
                    silent.push(format!("{name}, operand {operand}, {how:?}"));
                }
            }
        }
        rows.push((name.clone(), tried, noticed));
    }
    assert!(silent.is_empty(), "not noticed: {silent:#?}");
    let total: usize = rows.iter().map(|r| r.1).sum();
    assert!(total >= 60, "only {total} mutants");
    compare(&rows, total);
}

/// Whether an operation's rule gives anything for an operand: `sign` and comparisons have the zero request.
fn changes(d: &Diagram, name: &str, operand: usize) -> bool {
    struct Seen<'a>(&'a str, usize, std::cell::Cell<bool>);
    impl Rules for Seen<'_> {
        fn tangent(&self) -> Tangent {
            Tangent::Real
        }
        fn rule(&self, b: &mut Builder, site: &RevSite<'_>) -> Result<SmallVec<[Option<Wire>; 3]>, TypeFault> {
            let asked = Tangent::Real.rule(b, site)?;
            if site.op.name() == self.0 && asked.get(self.1).copied().flatten().is_some() {
                self.2.set(true);
            }
            Ok(asked)
        }
    }
    let seen = Seen(name, operand, std::cell::Cell::new(false));
    objections(d, &seen, 1);
    seen.2.get()
}

fn compare(rows: &[(String, usize, usize)], total: usize) {
    let path = "docs/laws.md";
    let page = std::fs::read_to_string(path).unwrap();
    let mut table = String::from("| primitive | broken rules | noticed |\n|---|---|---|\n");
    for (name, tried, noticed) in rows {
        let tried_text = if *tried == 0 { "none: its request is zero".to_owned() } else { tried.to_string() };
        let noticed = if *tried == 0 { String::new() } else { noticed.to_string() };
        writeln!(table, "| `{name}` | {tried_text} | {noticed} |").unwrap();
    }
    writeln!(table, "\n{total} of {total} noticed.").unwrap();
    let marker = "<!-- mutants -->\n";
    let (before, _) = page.split_once(marker).expect_marker();
    let now = format!("{before}{marker}{table}");
    if now != page {
        assert!(std::env::var_os("CATLEARN_BLESS").is_some(), "docs/laws.md is not what the mutants give:\n{table}");
        std::fs::write(path, now).unwrap();
    }
}

trait Marker<'a> {
    fn expect_marker(self) -> (&'a str, &'a str);
}

impl<'a> Marker<'a> for Option<(&'a str, &'a str)> {
    fn expect_marker(self) -> (&'a str, &'a str) {
        self.unwrap_or_else(|| panic!("docs/laws.md has no `<!-- mutants -->` line"))
    }
}

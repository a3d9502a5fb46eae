//! What one item shows by itself, no name resolved and nothing typed: names bound twice, names never used.
//!
//! In: a parsed item of the user's. Out: an error for every name that hides its twin and every port without a use, a
//! warning for every wire, `let` or setting that nothing reads. Used means mentioned: `if nesterov then .. else ..` uses both
//! sides, whichever is taken.

use crate::elaborate::scope::mentions::{BASES, mentioned, mentioned_inside};
use crate::source::{Code, Diagnostic, Diagnostics};
use crate::syntax::ast::{
    Block, Body, DimVar, Formal, FormalKind, GetBody, Ident, Item, ItemKind, MapItem, PortDecl, RuleBody, RuleItem,
    Statement, Wires,
};
use rustc_hash::{FxHashMap, FxHashSet};

/// The names that a part of an item reads from outside it.
type Reads<'a> = FxHashSet<&'a str>;

/// Looks at one item.
pub(crate) fn item(item: &Item, said: &mut Diagnostics) {
    let mut lint = Lint { said };
    match &item.kind {
        ItemKind::Map(map) => {
            lint.map(map);
            lint.settings(item, &map.formals);
        }
        ItemKind::Prim(prim) => {
            lint.once(&dims(&prim.dims));
            for (wires, block) in std::iter::once(&prim.fwd).chain(prim.revs.iter().map(|r| &r.part)) {
                lint.once(&wired(wires));
                lint.block(block);
            }
        }
        ItemKind::Rule(rule) => {
            lint.rule(rule);
            lint.settings(item, &rule.formals);
        }
        ItemKind::Type(decl) => {
            lint.once(&dims(&decl.dims));
            lint.hidden(&decl.name);
        }
        _ => {}
    }
}

/// A name with the word for what it is.
type Bound<'a> = (&'static str, &'a Ident);

fn dims(list: &[DimVar]) -> Vec<Bound<'_>> {
    list.iter().map(|d| ("dimension", &d.name)).collect()
}

fn formals(list: &[Formal]) -> Vec<Bound<'_>> {
    list.iter().map(|f| ("setting", &f.name)).collect()
}

fn ports<'a>(word: &'static str, list: &'a [PortDecl]) -> Vec<Bound<'a>> {
    list.iter().map(|p| (word, &p.name)).collect()
}

fn wired(wires: &Wires) -> Vec<Bound<'_>> {
    wires.names().into_iter().map(|n| ("wire", n)).collect()
}

struct Lint<'s> {
    said: &'s mut Diagnostics,
}

impl Lint<'_> {
    fn map(&mut self, map: &MapItem) {
        self.once(&[dims(&map.dims), formals(&map.formals), ports("port", &map.ports)].concat());
        let mut reads = Reads::default();
        for body in std::iter::once(&map.body).chain(&map.evaluate) {
            match body {
                Body::Map(e) => reads.extend(mentioned(e)),
                Body::Wires(wires, block) => {
                    let inside = self.block(block);
                    if let Some(wires) = wires {
                        self.once(&wired(wires));
                        self.wires(wires, &inside);
                    }
                    // A wire hides a port of its name.
                    let hidden: Reads<'_> = wires.iter().flat_map(|w| w.names()).map(|n| &*n.name).collect();
                    reads.extend(inside.difference(&hidden).copied());
                }
            }
        }
        for port in map.ports.iter().filter(|p| !reads.contains(&*p.name.name)) {
            self.said.push(
                Diagnostic::error(Code::UNUSED_PORT, format!("the port `{}` is never used", port.name.name))
                    .at(port.name.span, "declared here")
                    .help("use it in the body, or remove it"),
            );
        }
    }

    fn rule(&mut self, rule: &RuleItem) {
        let on = rule.on.iter().map(|p| ("parameter", &p.name)).collect();
        self.once(&[formals(&rule.formals), on, ports("state", &rule.states), ports("noise", &rule.noises)].concat());
        match &rule.body {
            RuleBody::Lens { get, put } => {
                if let Some(GetBody::Block(block)) = get {
                    self.block(block);
                }
                self.once(&wired(&put.0));
                let reads = self.block(&put.1);
                for name in put.0.names().into_iter().filter(|n| !reads.contains(&*n.name)) {
                    self.said.push(
                        Diagnostic::warning(Code::UNUSED, format!("the request `{}` is never read", name.name))
                            .at(name.span, "asked for and dropped")
                            .help("write `_` to drop it on purpose"),
                    );
                }
            }
            RuleBody::Step(block) => {
                self.block(block);
            }
        }
        if let Some(Body::Wires(_, block)) = &rule.evaluate {
            self.block(block);
            if rule.transform {
                self.said.push(
                    Diagnostic::error(Code::RULE_BODY, format!("the transform `{}` has an `evaluate`", rule.name.name))
                        .at(block.span, "not used")
                        .help("the optimiser alone says which parameters are evaluated"),
                );
            }
        }
    }

    /// Settings and maps passed in that no part of the item mentions.
    fn settings(&mut self, item: &Item, formals: &[Formal]) {
        let mentioned = mentioned_inside(item);
        for formal in formals.iter().filter(|f| !mentioned.contains(&*f.name.name)) {
            let word = if let FormalKind::Map(_) = formal.kind { "map" } else { "setting" };
            self.said.push(
                Diagnostic::warning(Code::UNUSED, format!("the {word} `{}` is never used", formal.name.name))
                    .at(formal.name.span, "declared here")
                    .help("use it in the body, or remove it"),
            );
        }
    }

    /// What a block reads from outside, followed from its value backwards; a `let` that nothing after it reads is said.
    fn block<'a>(&mut self, block: &'a Block) -> Reads<'a> {
        let nexts: Vec<Bound<'_>> = block.statements.iter().filter_map(next).collect();
        self.once(&nexts);
        let mut reads: Reads<'a> = mentioned(&block.value).into_iter().collect();
        for statement in block.statements.iter().rev() {
            match statement {
                Statement::Let(pattern, _, e, _) => {
                    for name in pattern.names() {
                        if !reads.remove(&*name.name) {
                            self.said.push(
                                Diagnostic::warning(Code::UNUSED, format!("`{}` is never used", name.name))
                                    .at(name.span, "nothing reads it")
                                    .help("remove it, or write `_`"),
                            );
                        }
                    }
                    reads.extend(mentioned(e));
                }
                Statement::Next(name, e, _) => {
                    reads.remove(&*name.name);
                    reads.extend(mentioned(e));
                }
            }
        }
        reads
    }

    fn wires(&mut self, wires: &Wires, reads: &Reads<'_>) {
        for name in wires.names().into_iter().filter(|n| !reads.contains(&*n.name)) {
            self.said.push(
                Diagnostic::warning(Code::UNUSED, format!("the wire `{}` is never used", name.name))
                    .at(name.span, "dropped")
                    .help("write `_` to drop it on purpose"),
            );
        }
    }

    /// A type that no name would ever mean.
    fn hidden(&mut self, name: &Ident) {
        if BASES.contains(&&*name.name) {
            self.said.push(
                Diagnostic::error(Code::DUPLICATE_NAME, format!("`{}` is a type of the language", name.name))
                    .at(name.span, "would never be used")
                    .help("give the type another name"),
            );
        }
    }

    /// Every name once: of two of one name the body would see one.
    fn once(&mut self, names: &[Bound<'_>]) {
        let mut first: FxHashMap<&str, Bound<'_>> = FxHashMap::default();
        for (word, name) in names {
            let Some((earlier_word, earlier)) = first.get(&*name.name).copied() else {
                first.insert(&name.name, (word, name));
                continue;
            };
            let message = match (*word, earlier_word == *word) {
                ("next value", _) => format!("`{}` is given its next value twice", name.name),
                (word, true) => format!("the {word} `{}` is declared twice", name.name),
                (word, false) => format!("`{}` is a {earlier_word} and a {word}", name.name),
            };
            self.said.push(
                Diagnostic::error(Code::DUPLICATE_NAME, message)
                    .at(name.span, "again here")
                    .also(earlier.span, "first here")
                    .help(if *word == "next value" { "keep one of them" } else { "rename one of them" }),
            );
        }
    }
}

fn next(statement: &Statement) -> Option<Bound<'_>> {
    match statement {
        Statement::Next(name, ..) => Some(("next value", name)),
        Statement::Let(..) => None,
    }
}

//! The names that an expression or an item mentions, and what it compares them with.
//!
//! In: a tree. Out: its names with their places, less those bound on the way; nothing is resolved.

use crate::source::Span;
use crate::syntax::ast::{
    Arg, ArgValue, Block, Body, Expr, ExprKind, Formal, FormalKind, GetBody, Group, Ident, Item, ItemKind, MapItem,
    PortDecl, RuleBody, RuleItem, Statement, Type, TypeKind, Wires,
};
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// The names of the types that every file knows: no definition hides them.
pub(crate) const BASES: [&str; 4] = ["R", "Bool", "Int", "Fin"];

/// The names an expression mentions, with their places.
#[derive(Default)]
struct Names<'a> {
    found: Vec<(&'a str, Span)>,
    /// The first words of dotted names.
    owners: Vec<&'a str>,
    bound: FxHashSet<Arc<str>>,
    /// The pairs of names that are compared, less those where a name is bound by a block.
    compared: Vec<(&'a str, &'a str)>,
}

/// The names that an item needs from outside, with their places.
pub(crate) fn needed(item: &Item) -> Vec<(&str, Span)> {
    let mut names = Names::default();
    names.item(item);
    names.found
}

/// The names that an expression mentions; of a dotted name the first word.
pub(crate) fn mentioned(e: &Expr) -> Vec<&str> {
    let mut names = Names::default();
    names.expr(e);
    names.found.into_iter().map(|(name, _)| name).chain(names.owners).collect()
}

/// The first words of the dotted names in an item: `rule` of `rule.step`.
pub(crate) fn owners(item: &Item) -> Vec<&str> {
    let mut names = Names::default();
    names.item(item);
    names.owners
}

/// The names that an item mentions and does not bind itself; also those of data and runs.
pub(crate) fn mentioned_by(item: &Item) -> Vec<&str> {
    let mut names = Names::default();
    match &item.kind {
        ItemKind::Data(record) | ItemKind::Train(record) => record.fields.iter().for_each(|f| names.expr(&f.value)),
        _ => names.item(item),
    }
    names.found.into_iter().map(|(name, _)| name).collect()
}

/// The names that the parts of an item mention, those that it binds itself among them.
pub(crate) fn mentioned_inside(item: &Item) -> FxHashSet<&str> {
    let mut names = Names::default();
    names.parts(item);
    names.found.into_iter().map(|(name, _)| name).chain(names.owners).collect()
}

/// What a definition does with its settings: the words it compares each with.
pub(crate) struct Words<'a> {
    names: Names<'a>,
    /// Names that the definition binds: none of them is a word.
    bound: Vec<&'a str>,
}

impl<'a> Words<'a> {
    pub(crate) fn of_map(map: &'a MapItem) -> Words<'a> {
        let mut names = Names::default();
        names.map(map);
        let bound = map.dims.iter().map(|d| &d.name).chain(map.formals.iter().map(|f| &f.name));
        Words { names, bound: bound.chain(map.ports.iter().map(|p| &p.name)).map(|n| &*n.name).collect() }
    }

    pub(crate) fn of_rule(rule: &'a RuleItem) -> Words<'a> {
        let mut names = Names::default();
        names.rule(rule);
        let ports = rule.on.iter().chain(&rule.states).chain(&rule.noises).map(|p| &p.name);
        Words { names, bound: ports.chain(rule.formals.iter().map(|f| &f.name)).map(|n| &*n.name).collect() }
    }

    /// The words that a setting knows, if a word is all it can be: its default and those it is compared with. A setting
    /// without a default that is compared with one word has any other for the other case.
    pub(crate) fn known(&self, formal: &'a Formal) -> Option<Vec<&'a str>> {
        let name = &*formal.name.name;
        let default = match &formal.kind {
            FormalKind::Default(Expr { kind: ExprKind::Path(path), .. }) => match path.as_slice() {
                [word] => Some(&*word.name),
                _ => return None,
            },
            FormalKind::Required => None,
            _ => return None,
        };
        let pairs = self.names.compared.iter().filter_map(|(a, b)| match (*a == name, *b == name) {
            (true, false) => Some(*b),
            (false, true) => Some(*a),
            _ => None,
        });
        let mut words: Vec<&str> = default.into_iter().collect();
        let mut uses = 0;
        for word in pairs {
            uses += 1;
            if !words.contains(&word) {
                words.push(word);
            }
        }
        let plain = |w: &&str| !self.bound.contains(w) && !matches!(*w, "true" | "false" | "pi");
        let mentions = self.names.found.iter().filter(|(n, _)| *n == name).count();
        (uses > 0 && uses == mentions && words.len() > 1 && words.iter().all(plain)).then_some(words)
    }
}

impl<'a> Names<'a> {
    fn item(&mut self, item: &'a Item) {
        self.binds(item);
        self.parts(item);
    }

    /// The names that an item binds for all its parts.
    fn binds(&mut self, item: &Item) {
        match &item.kind {
            ItemKind::Type(t) => self.bound.extend(t.dims.iter().map(|d| d.name.name.clone())),
            ItemKind::Map(m) => {
                self.bound.extend(m.dims.iter().map(|d| d.name.name.clone()));
                self.bound.extend(m.formals.iter().map(|d| d.name.name.clone()));
                self.bound.extend(m.ports.iter().map(|d| d.name.name.clone()));
            }
            ItemKind::Prim(p) => self.bound.extend(p.dims.iter().map(|d| d.name.name.clone())),
            ItemKind::Rule(r) => {
                self.bound.extend(r.formals.iter().map(|d| d.name.name.clone()));
                self.bound.extend(r.states.iter().map(|d| d.name.name.clone()));
                self.bound.extend(r.on.iter().chain(&r.noises).map(|d| d.name.name.clone()));
            }
            _ => {}
        }
    }

    fn parts(&mut self, item: &'a Item) {
        match &item.kind {
            ItemKind::Dim(d) => self.expr(&d.value),
            ItemKind::Const(c) => self.expr(&c.value),
            ItemKind::Type(t) => self.ty(&t.ty),
            ItemKind::Map(m) => self.map(m),
            ItemKind::Prim(p) => {
                for (wires, block) in std::iter::once(&p.fwd).chain(p.revs.iter().map(|r| &r.part)) {
                    self.block(Some(wires), block);
                }
            }
            ItemKind::Rule(r) => self.rule(r),
            ItemKind::Import(_) | ItemKind::Data(_) | ItemKind::Train(_) | ItemKind::Game(_) => {}
        }
    }

    fn map(&mut self, m: &'a MapItem) {
        self.ports(&m.ports);
        self.defaults(&m.formals);
        self.ty(&m.arrow.from);
        self.ty(&m.arrow.to);
        self.body(&m.body);
        m.evaluate.iter().for_each(|b| self.body(b));
    }

    fn rule(&mut self, r: &'a RuleItem) {
        self.ports(&r.on);
        self.ports(&r.states);
        self.ports(&r.noises);
        self.defaults(&r.formals);
        match &r.body {
            RuleBody::Lens { get, put } => {
                match get {
                    Some(GetBody::Expr(e)) => self.expr(e),
                    Some(GetBody::Block(b)) => self.block(None, b),
                    Some(GetBody::Points(_)) | None => {}
                }
                self.block(Some(&put.0), &put.1);
            }
            RuleBody::Step(b) => self.block(None, b),
        }
        r.evaluate.iter().for_each(|b| self.body(b));
    }

    fn ports(&mut self, ports: &'a [PortDecl]) {
        for port in ports {
            self.ty(&port.ty);
            port.init.iter().for_each(|e| self.expr(e));
        }
    }

    fn defaults(&mut self, formals: &'a [Formal]) {
        for formal in formals {
            if let FormalKind::Default(e) = &formal.kind {
                self.expr(e);
            }
        }
    }

    fn body(&mut self, body: &'a Body) {
        match body {
            Body::Map(e) => self.expr(e),
            Body::Wires(wires, block) => self.block(wires.as_ref(), block),
        }
    }

    /// A name that a `let` binds is free before it, and after the block.
    fn block(&mut self, wires: Option<&'a Wires>, block: &'a Block) {
        let outside = self.bound.clone();
        self.bound.extend(wires.iter().flat_map(|w| w.names()).map(|n| n.name.clone()));
        for statement in &block.statements {
            let (Statement::Let(_, _, e, _) | Statement::Next(_, e, _)) = statement;
            self.expr(e);
            if let Statement::Let(pattern, ..) = statement {
                self.bound.extend(pattern.names().iter().map(|n| n.name.clone()));
            }
        }
        self.expr(&block.value);
        self.bound = outside;
    }

    fn mention(&mut self, name: &'a Ident) {
        if !self.bound.contains(&name.name) {
            self.found.push((&name.name, name.span));
        }
    }

    fn ty(&mut self, ty: &'a Type) {
        match &ty.kind {
            TypeKind::Name(path, groups) => {
                if let [name] = path.as_slice()
                    && !BASES.contains(&&*name.name)
                {
                    self.mention(name);
                }
                groups.iter().for_each(|g| self.group(g));
            }
            TypeKind::Tuple(parts) => parts.iter().for_each(|(_, t)| self.ty(t)),
            TypeKind::Product(parts) => parts.iter().for_each(|t| self.ty(t)),
            TypeKind::Params(e) => self.expr(e),
        }
    }

    fn group(&mut self, group: &'a Group) {
        group.args.iter().for_each(|a| self.arg(a));
    }

    fn arg(&mut self, arg: &'a Arg) {
        match &arg.value {
            ArgValue::Expr(e) => self.expr(e),
            ArgValue::Range(a, b) => a.iter().chain(b).for_each(|e| self.expr(e)),
        }
    }

    fn expr(&mut self, e: &'a Expr) {
        stacker::maybe_grow(128 * 1024, 4 * 1024 * 1024, || match &e.kind {
            ExprKind::Path(path) => match path.as_slice() {
                [name] => self.mention(name),
                _ => self.owners.extend(path.first().map(|n| &*n.name)),
            },
            ExprKind::Then(list) | ExprKind::Compose(list) | ExprKind::Tuple(list) => {
                list.iter().for_each(|e| self.expr(e));
            }
            ExprKind::If(parts) => parts.iter().for_each(|e| self.expr(e)),
            ExprKind::Compare(p) => {
                if let (ExprKind::Path(a), ExprKind::Path(b)) = (&p.0.kind, &p.2.kind)
                    && let ([a], [b]) = (a.as_slice(), b.as_slice())
                    && ![a, b].iter().any(|n| self.bound.contains(&n.name))
                {
                    self.compared.push((&a.name, &b.name));
                }
                self.expr(&p.0);
                self.expr(&p.2);
            }
            ExprKind::Sum(first, rest) => {
                self.expr(first);
                rest.iter().for_each(|(_, _, e)| self.expr(e));
            }
            ExprKind::Product(first, rest) => {
                self.expr(first);
                rest.iter().for_each(|(_, _, e)| self.expr(e));
            }
            ExprKind::Negate(inner) | ExprKind::Not(inner) => self.expr(inner),
            ExprKind::Power(pair) => {
                self.expr(&pair.0);
                self.expr(&pair.1);
            }
            ExprKind::Apply(head, groups) => {
                self.expr(head);
                groups.iter().for_each(|g| self.group(g));
            }
            ExprKind::List(args) => args.iter().for_each(|a| self.arg(a)),
            ExprKind::Parts(parts) => parts.iter().for_each(|(_, _, e)| self.expr(e)),
            ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Hole | ExprKind::NextValue => {}
        });
    }
}

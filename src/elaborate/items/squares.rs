//! Warnings where a variable meets itself in a product of bits.
//!
//! There the formal request over parity is not the Boolean difference (CORE.md 3.2): `x & x` is `x`, but asks 0. Maps are
//! warned of the products that they write, unless only data, primitives and rules use them: those are not reversed. A run
//! over parity is also warned of tables that share wires. A file that trains its bits with votes alone is not warned:
//! sums keep their sign.

use crate::diagram::{Diagram, Meeting, meetings};
use crate::elaborate::program::Training;
use crate::elaborate::scope::mentions::mentioned_by;
use crate::elaborate::scope::names::{DefId, Definitions};
use crate::object::{Base, Tangent};
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::{Item, ItemKind, MapItem};
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// What was found so far.
pub(in crate::elaborate) struct Squares {
    /// The maps that nobody reverses.
    aside: FxHashSet<DefId>,
    maps: Vec<Diagnostic>,
    runs: Vec<Diagnostic>,
    parity: bool,
    votes: bool,
}

impl Squares {
    pub(in crate::elaborate) fn new(defs: &Definitions) -> Squares {
        let ids = || {
            let of = |(f, n): (usize, usize)| (0..n).map(move |item| DefId { file: f, item });
            defs.files.iter().enumerate().map(|(f, file)| (f, file.tree.items.len())).flat_map(of)
        };
        let is = |id: &DefId, what: fn(&Item) -> bool| defs.item(*id).is_some_and(what);
        let mut aside = reached(defs, ids().filter(|id| is(id, not_reversed)));
        let others = ids().filter(|id| !aside.contains(id) && !is(id, not_reversed)).collect::<Vec<_>>();
        let used = reached(defs, others.into_iter());
        aside.retain(|id| !used.contains(id));
        Squares { aside, maps: Vec::new(), runs: Vec::new(), parity: false, votes: false }
    }

    /// The products that a map writes.
    pub(in crate::elaborate) fn of_map(&mut self, defs: &Definitions, id: DefId, map: &MapItem, d: &Diagram) {
        let name = &map.name;
        if !self.aside.contains(&id) && d.ports().iter().any(|p| p.leaf.base == Base::Bool) {
            self.written(defs, (&name.name, name.span), d, &meetings(d));
        }
    }

    /// The products and tables of a run over parity.
    pub(in crate::elaborate) fn of_run(&mut self, defs: &Definitions, run: &Training) {
        let tangent = run.player.rule.tangent;
        self.votes |= tangent == Tangent::Votes;
        if tangent == Tangent::Parity {
            self.parity = true;
            run.players().for_each(|player| self.of_objective(defs, run, &player.objective));
        }
    }

    fn of_objective(&mut self, defs: &Definitions, run: &Training, objective: &Diagram) {
        let all = meetings(objective);
        self.written(defs, (&run.name, run.span), objective, &all);
        let tables: Vec<&Meeting> = all.iter().filter(|m| m.table && !m.drawn).collect();
        let Some(first) = tables.first() else { return };
        let several = match tables.iter().map(|m| m.entries).sum::<usize>() {
            1 => "a table or primitive".to_owned(),
            n => format!("{n} tables or primitives"),
        };
        let mut d = Diagnostic::warning(
            Code::MEETING,
            format!("`{}` trains over parity, and tables of different layers share wires", run.name),
        )
        .at(run.span, format!("`{}` meets itself at {several}", first.port))
        .note("over parity the requests that meet there cancel: they are not the Boolean difference")
        .help("train hidden layers with votes (`counter`)");
        if let Some(span) = written_at(defs, objective, first.node) {
            d = d.also(span, format!("first here, in {}", share(first)));
        }
        self.runs.push(d);
    }

    /// A warning a product of the user's files, once however many maps use it.
    fn written(&mut self, defs: &Definitions, (name, own): (&Arc<str>, Span), d: &Diagram, all: &[Meeting]) {
        for meeting in all.iter().filter(|m| !m.table) {
            let written = written_at(defs, d, meeting.node);
            let place = written.unwrap_or(own);
            if self.maps.iter().any(|d| d.span() == Some(place)) {
                continue;
            }
            self.maps.push(
                Diagnostic::warning(
                    Code::MEETING,
                    format!("`{}` meets itself in a product of bits of `{name}`", meeting.port),
                )
                .at(place, format!("in {}", share(meeting)))
                .note("over parity its request is then not the Boolean difference: `x & x` is `x`, but asks 0")
                .help("write it as one table (`lut[k]`) or as a `prim` with its own `rev`; over votes sums keep their sign"),
            );
        }
    }

    /// All of them; none for files that train their bits with votes alone.
    pub(in crate::elaborate) fn said(self) -> Vec<Diagnostic> {
        if self.votes && !self.parity {
            return Vec::new();
        }
        self.maps.into_iter().chain(self.runs).collect()
    }
}

/// Items whose bodies are not reversed.
fn not_reversed(item: &Item) -> bool {
    matches!(item.kind, ItemKind::Data(_) | ItemKind::Prim(_) | ItemKind::Rule(_))
}

/// What some items use, themselves not counted, and what that uses; not through what is not reversed.
fn reached(defs: &Definitions, from: impl Iterator<Item = DefId>) -> FxHashSet<DefId> {
    let mut stack: Vec<DefId> = from.collect();
    let mut found = FxHashSet::default();
    while let Some(id) = stack.pop() {
        let Some(item) = defs.item(id) else { continue };
        for to in mentioned_by(item).into_iter().filter_map(|name| defs.resolve(id.file, name)) {
            if defs.item(to).is_some_and(|i| !not_reversed(i)) && found.insert(to) {
                stack.push(to);
            }
        }
    }
    found
}

/// Where the user's files write a node.
fn written_at(defs: &Definitions, d: &Diagram, node: u32) -> Option<Span> {
    let own = |span: &Span| defs.file_of(span.file).is_some_and(|f| !defs.is_prelude(f));
    d.origins(node).map(|o| o.span).find(own)
}

fn share(m: &Meeting) -> String {
    match m.of {
        1 => "its one entry".to_owned(),
        of => format!("{} of {of} entries", m.entries),
    }
}

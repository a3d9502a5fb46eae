//! What the laws are asked of: maps and primitives at sample dimensions, rules whole and cut in two.

use crate::elaborate::items::check::{SAMPLES, map_item, prim_item, prim_model};
use crate::elaborate::program::{Model, Program, RuleDiagram};
use crate::elaborate::scope::names::{DefId, Definitions, item_name};
use crate::elaborate::session::Elab;
use crate::elaborate::update::rules;
use crate::object::{Base, Leaf};
use crate::source::Diagnostics;
use crate::syntax::ast::{Ident, ItemKind, PrimItem, ScopeWord};

/// A map or primitive at sample dimensions, for the laws.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Its name and the place of the name.
    pub name: Ident,
    /// It as a diagram.
    pub model: Model,
    /// Whether it is a primitive: then the diagram is one call.
    pub prim: bool,
    /// A primitive at further sample dimensions: at one size a threshold may never be met.
    pub further: Vec<Model>,
}

/// Every map, loss and primitive that can be sampled.
pub(crate) fn samples(program: &Program) -> Vec<Sample> {
    let defs = &program.defs;
    let mut out = Vec::new();
    for (f, file) in defs.files.iter().enumerate().filter(|(f, _)| !defs.is_prelude(*f)) {
        for (i, item) in file.tree.items.iter().enumerate() {
            let id = DefId { file: f, item: i };
            let mut quiet = Diagnostics::default();
            let (made, prim) = match &item.kind {
                ItemKind::Map(m) => (map_item(defs, id, m, &mut quiet), false),
                ItemKind::Prim(p) => (prim_item(defs, id, p, &mut quiet), true),
                _ => (None, false),
            };
            if let (Some(model), Some(name)) = (made, item_name(item)) {
                let further = match &item.kind {
                    ItemKind::Prim(p) => further(defs, id, p, &model),
                    _ => Vec::new(),
                };
                out.push(Sample { name: name.clone(), model, prim, further });
            }
        }
    }
    out
}

/// A primitive at the other sample dimensions that it has.
fn further(defs: &Definitions, id: DefId, prim: &PrimItem, first: &Model) -> Vec<Model> {
    let ports = |m: &Model| m.diagram.ports().iter().map(|p| p.leaf.clone()).collect::<Vec<_>>();
    let mut seen = vec![ports(first)];
    let mut out = Vec::new();
    for sizes in SAMPLES {
        let made = prim_model(defs, id, prim, sizes, &mut Diagnostics::default());
        if let Some(model) = made.filter(|m| !seen.contains(&ports(m))) {
            seen.push(ports(&model));
            out.push(model);
        }
    }
    out
}

/// Every rule declared per coordinate, over one leaf of five numbers and over the same cut into two and three.
pub(crate) fn coordinate_rules(program: &Program) -> Vec<(Ident, RuleDiagram, RuleDiagram)> {
    let defs = &program.defs;
    let mut out = Vec::new();
    for (f, file) in defs.files.iter().enumerate().filter(|(f, _)| !defs.is_prelude(*f)) {
        for (i, item) in file.tree.items.iter().enumerate() {
            let ItemKind::Rule(rule) = &item.kind else { continue };
            if !matches!(rule.scope, None | Some((ScopeWord::Coordinate, _))) || rule.transform {
                continue;
            }
            let id = DefId { file: f, item: i };
            let mut elab = Elab::new(defs);
            let real = rule.on.iter().all(|on| elab.base_of(&on.ty, f) == Some(Base::Real));
            if !real {
                continue;
            }
            let mut quiet = Diagnostics::default();
            let whole = rules::over(defs, id, rule, &[("p".into(), Leaf::real(&[5]))], &mut quiet);
            let cut = [("a".into(), Leaf::real(&[2])), ("b".into(), Leaf::real(&[3]))];
            let parts = rules::over(defs, id, rule, &cut, &mut quiet);
            if let (Some(whole), Some(parts)) = (whole, parts) {
                out.push((rule.name.clone(), whole, parts));
            }
        }
    }
    out
}

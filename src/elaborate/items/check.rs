//! Every item of a file checked, used or not.
//!
//! Items with open dimensions are elaborated at small sample sizes; when none of the samples suits (sizes that must
//! divide), they are checked where they are used. Rules are elaborated over sample leaves of their scope.

use crate::diagram::{Diagram, Role};
use crate::elaborate::items::data_items::spec_of;
use crate::elaborate::items::game;
use crate::elaborate::items::models::diagram_of;
use crate::elaborate::items::squares::Squares;
use crate::elaborate::items::train;
use crate::elaborate::program::{ItemInfo, Model, Numbers, Parameter, Program, Training};
use crate::elaborate::scope::names::{DefId, Definitions, item_name, item_word, nearest};
use crate::elaborate::scope::unread::stand_in;
use crate::elaborate::session::Elab;
use crate::elaborate::terms::apply::{Arriving, Call};
use crate::elaborate::typing::dims::{Known, Vars};
use crate::elaborate::typing::types::Ty;
use crate::elaborate::update::rules;
use crate::elaborate::value::{Den, Env, Place, Res, Value};
use crate::object::{Base, Leaf};
use crate::source::{Code, Diagnostic, Diagnostics, Label};
use crate::syntax::ast::{FormalKind, GameItem, Item, ItemKind, MapItem, PrimItem, ScopeWord, TypeDecl};
use std::rc::Rc;

/// Sample sizes for open dimensions, tried in order: distinct numbers first, then ones that divide well.
pub(in crate::elaborate) const SAMPLES: &[&[u64]] =
    &[&[5, 7, 3, 11, 13, 2], &[12, 6, 4, 2, 8, 3], &[8, 8, 8, 8, 8, 8], &[28, 28, 3, 24, 24, 6]];

/// Checks the items of every file that is not the prelude.
pub(crate) fn all(program: &Program, said: &mut Diagnostics) {
    let defs = &program.defs;
    let mut squares = Squares::new(defs);
    for (f, file) in defs.files.iter().enumerate().filter(|(f, _)| !defs.is_prelude(*f)) {
        let ids = (0..file.tree.items.len()).map(|i| DefId { file: f, item: i });
        for id in ids.filter(|id| !defs.circular.contains(id)) {
            let Some(item) = defs.item(id) else { continue };
            let mut local = Diagnostics::default();
            one(program, id, item, &mut squares, &mut local);
            // A chain of definitions that is too long is so for each that is longer still: once is enough.
            let deep = said.0.iter().any(|d| d.code == Code::NESTING);
            once_a_name(local).into_iter().filter(|d| !(deep && d.code == Code::NESTING)).for_each(|d| said.push(d));
        }
    }
    squares.said().into_iter().for_each(|d| said.push(d));
}

/// One message for a name that means nothing, however often an item uses it; the next places are shown in it.
fn once_a_name(local: Diagnostics) -> Vec<Diagnostic> {
    let mut all: Vec<Diagnostic> = Vec::new();
    for d in local.0 {
        let unknown = |e: &&mut Diagnostic| e.code == Code::UNKNOWN_NAME && d.code == e.code && d.message == e.message;
        match (all.iter_mut().find(unknown), d.span()) {
            (Some(first), Some(span)) if first.labels.len() < 4 => {
                first.labels.push(Label { span, text: "and here".to_owned(), primary: false });
            }
            (Some(_), _) => {}
            (None, _) => all.push(d),
        }
    }
    all
}

fn one(program: &Program, id: DefId, item: &Item, squares: &mut Squares, said: &mut Diagnostics) {
    let defs = &program.defs;
    let env = Env::new(id.file, Place::new(""));
    let mut elab = Elab::new(defs);
    match &item.kind {
        ItemKind::Dim(d) => {
            let found = elab.dim(&d.value, &env);
            elab.keep(found);
        }
        ItemKind::Const(c) => {
            let found = elab.const_item(c, &env);
            elab.keep(found);
        }
        ItemKind::Map(map) => {
            let made = map_item(defs, id, map, said);
            made.iter().for_each(|m| squares.of_map(defs, id, map, &m.diagram));
            program.measured(id, made.as_ref().map(numbers_of));
        }
        ItemKind::Prim(prim) => {
            prim_item(defs, id, prim, said);
        }
        ItemKind::Rule(rule) => rule_item(defs, id, rule, said),
        ItemKind::Data(record) => {
            spec_of(defs, id.file, record, said);
        }
        ItemKind::Train(record) => {
            let found = train::training(defs, id.file, record, &[]);
            run_item(program, id, found, squares, said);
        }
        ItemKind::Game(game) => {
            let found = game::game(defs, id.file, game, &[]);
            run_item(program, id, found, squares, said);
        }
        ItemKind::Type(decl) => {
            let found = type_item(&mut elab, decl, &env);
            elab.keep(found);
        }
        ItemKind::Import(_) => {}
    }
    elab.diagnostics.0.into_iter().for_each(|d| said.push(d));
}

/// A run: what it needs, what is said of it.
fn run_item(
    program: &Program,
    id: DefId,
    found: Result<Training, Diagnostics>,
    squares: &mut Squares,
    said: &mut Diagnostics,
) {
    program.measured(id, found.as_ref().ok().map(numbers_of_run));
    found.iter().for_each(|t| squares.of_run(&program.defs, t));
    let all = found.map_or_else(|faults| faults, |t| t.warnings);
    all.0.into_iter().for_each(|d| said.push(d));
}

/// The letters that a signature leaves open.
fn letters(defs: &Definitions, id: DefId, map: &MapItem) -> Vec<std::sync::Arc<str>> {
    let mut elab = Elab::new(defs);
    let env = elab.root(id.file);
    let mut vars = Vars::default();
    for ty in [&map.arrow.from, &map.arrow.to].into_iter().chain(map.ports.iter().map(|p| &p.ty)) {
        if let Ok(ty) = elab.ty(ty, &env) {
            elab.open_letters(&ty, &mut vars);
        }
    }
    vars.names.into_iter().map(|(n, _)| n).collect()
}

/// A type at sample sizes; what depends on them is said where it is used.
fn type_item<'p>(elab: &mut Elab<'p>, decl: &'p TypeDecl, env: &Env<'p>) -> Res<()> {
    let mut vars = Vars::default();
    decl.dims.iter().for_each(|d| vars.declare(&d.name.name, d.spread));
    let mut inner = env.clone();
    sample(&vars.names, SAMPLES.first().copied().unwrap_or_default()).bind_into(&mut inner);
    let ty = elab.ty(&decl.ty, &inner)?;
    elab.open_letters(&ty, &mut vars);
    let vars = sample(&vars.names, SAMPLES.first().copied().unwrap_or_default());
    let mut parts = vec![&ty];
    while let Some(part) = parts.pop() {
        match part {
            Ty::Tuple(list, _) => parts.extend(list.iter().map(|(_, t)| t)),
            Ty::Params(_) => {}
            Ty::Leaf { .. } => match elab.leaf_of(part, &vars) {
                Err(Some(d)) if vars.names.is_empty() || !sizes_matter(&d) => return Err(Some(d)),
                _ => {}
            },
        }
    }
    Ok(())
}

/// Whether a fault may be one of the sample sizes alone.
fn sizes_matter(d: &Diagnostic) -> bool {
    matches!(d.code, Code::DIVISION | Code::DIMENSION | Code::RANGE | Code::INITIALISER)
}

/// The open dimensions of a definition.
fn open(names: &Vars) -> Vec<(std::sync::Arc<str>, bool)> {
    names.names.iter().filter(|(n, _)| matches!(names.known.get(n), Some(Known::Open))).cloned().collect()
}

fn sample(names: &[(std::sync::Arc<str>, bool)], sizes: &[u64]) -> Vars {
    let mut vars = Vars::default();
    for ((name, spread), n) in names.iter().zip(sizes.iter().cycle()) {
        vars.declare(name, *spread);
        let known = if *spread { Known::Shape(Rc::new(vec![*n])) } else { Known::Dim(*n) };
        vars.known.insert(name.clone(), known);
    }
    vars
}

pub(in crate::elaborate) fn map_item(
    defs: &Definitions,
    id: DefId,
    map: &MapItem,
    said: &mut Diagnostics,
) -> Option<Model> {
    // A map that takes maps, or settings without defaults, has a meaning only where it is used; its names have one.
    if map.formals.iter().any(|f| !matches!(f.kind, FormalKind::Default(_))) {
        let mut elab = Elab::new(defs);
        let mut env = elab.root(id.file);
        map.formals.iter().map(|f| &f.name).for_each(|n| stand_in(&mut env, n));
        map.ports.iter().map(|p| &p.name).for_each(|n| stand_in(&mut env, n));
        map.dims.iter().map(|d| &d.name).for_each(|n| stand_in(&mut env, n));
        for letter in letters(defs, id, map) {
            env.bind(letter, Den::Wires(Value::Poison));
        }
        std::iter::once(&map.body).chain(&map.evaluate).for_each(|b| elab.names_of_body(b, &env));
        elab.diagnostics.0.into_iter().for_each(|d| said.push(d));
        return None;
    }
    let mut elab = Elab::new(defs);
    let env = elab.root(id.file);
    let mut vars = Vars::default();
    map.dims.iter().for_each(|d| vars.declare(&d.name.name, d.spread));
    let from = elab.ty(&map.arrow.from, &env);
    if let Some(from) = elab.keep(from) {
        elab.open_letters(&from, &mut vars);
    }
    elab.diagnostics.0.into_iter().for_each(|d| said.push(d));
    // Letters of ports alone are those of the parameters that a call gives.
    let mut elab = Elab::new(defs);
    for port in &map.ports {
        if let Ok(ty) = elab.ty(&port.ty, &env) {
            elab.open_letters(&ty, &mut vars);
        }
    }
    let names = open(&vars);
    let at = |sizes: &Vars, said: &mut Diagnostics| {
        let made = diagram_of(defs, id, map, sizes, false, said);
        // The form outside training may be wrong alone; its diagram is made by those who use it.
        let outside =
            made.is_none() || map.evaluate.is_none() || diagram_of(defs, id, map, sizes, true, said).is_some();
        made.filter(|_| outside)
    };
    if names.is_empty() {
        return at(&Vars::default(), said);
    }
    let mut tried: Vec<Diagnostics> = Vec::new();
    for sizes in SAMPLES {
        let mut local = Diagnostics::default();
        let made = at(&sample(&names, sizes), &mut local);
        if made.is_some() {
            local.0.into_iter().for_each(|d| said.push(d));
            return made;
        }
        let limit = local.0.iter().any(|d| d.code == Code::LIMIT);
        tried.push(local);
        if limit {
            break;
        }
    }
    let shown: Vec<String> = names
        .iter()
        .zip(SAMPLES.first().copied().unwrap_or_default())
        .map(|((n, _), k)| format!("{n} = {k}"))
        .collect();
    // Sizes that do not divide, or are too small, say nothing of the definition; what is wrong at every size does.
    let (first, others) = tried.split_first()?;
    let everywhere = |d: &Diagnostic| {
        let again = |other: &Diagnostics| {
            let place = |e: &&Diagnostic| e.code == d.code && e.span() == d.span();
            other.0.iter().find(place).is_some_and(|e| !sizes_matter(d) || e.message == d.message)
        };
        !d.is_error() || others.iter().all(again)
    };
    let sized = tried.iter().any(|t| t.0.iter().any(sizes_matter));
    for d in first.0.iter().filter(|d| !sized || everywhere(d)) {
        let noted = format!("checked with {}", shown.join(", "));
        said.push(if d.is_error() { d.clone().note(noted) } else { d.clone() });
    }
    None
}

pub(in crate::elaborate) fn prim_item(
    defs: &Definitions,
    id: DefId,
    prim: &PrimItem,
    said: &mut Diagnostics,
) -> Option<Model> {
    let mut first: Option<Diagnostics> = None;
    for sizes in SAMPLES {
        let mut local = Diagnostics::default();
        let made = prim_model(defs, id, prim, sizes, &mut local);
        if made.is_some() {
            return made;
        }
        first.get_or_insert(local);
    }
    first.into_iter().flat_map(|d| d.0).for_each(|d| said.push(d));
    None
}

/// A diagram of one call of a primitive.
pub(crate) fn prim_model(
    defs: &Definitions,
    id: DefId,
    prim: &PrimItem,
    sizes: &[u64],
    said: &mut Diagnostics,
) -> Option<Model> {
    let mut elab = Elab::new(defs);
    let env = elab.root(id.file);
    let result = (|| {
        let mut vars = Vars::default();
        prim.dims.iter().for_each(|d| vars.declare(&d.name.name, d.spread));
        let from = elab.ty(&prim.arrow.from, &env)?;
        elab.open_letters(&from, &mut vars);
        let names = open(&vars);
        let vars = sample(&names, sizes);
        let input = elab.inputs(&from, &vars, "x", Role::Input)?;
        let call = Call { span: prim.name.span, ..Call::default() };
        let arriving = Arriving { value: input, from: None };
        let value = elab.apply_prim_with(id, prim, &call, &env, arriving, vars)?;
        let mut wires = Vec::new();
        let mut stack = vec![value];
        while let Some(v) = stack.pop() {
            match v {
                Value::Tuple(parts) => stack.extend(parts.into_iter().rev()),
                other => wires.push(elab.as_wire(&other, prim.name.span)?),
            }
        }
        Ok(wires)
    })();
    elab.finish(result, said, |mut elab, outs| {
        let b = std::mem::take(&mut elab.b);
        Model { name: prim.name.name.clone(), diagram: b.finish(&outs), params: Vec::new(), noise: Vec::new() }
    })
}

fn rule_item(defs: &Definitions, id: DefId, rule: &crate::syntax::ast::RuleItem, said: &mut Diagnostics) {
    rules::over(defs, id, rule, &sample_leaves(defs, id, rule), said);
}

/// Leaves to elaborate a rule over before its parameters are known.
fn sample_leaves(
    defs: &Definitions,
    id: DefId,
    rule: &crate::syntax::ast::RuleItem,
) -> Vec<(std::sync::Arc<str>, Leaf)> {
    let mut elab = Elab::new(defs);
    let env = elab.root(id.file);
    let tys: Vec<_> =
        rule.on.iter().filter_map(|on| Some((on.name.name.clone(), elab.ty(&on.ty, &env).ok()?))).collect();
    let mut vars = Vars::default();
    tys.iter().for_each(|(_, ty)| elab.open_letters(ty, &mut vars));
    // A type that says more than "a vector" or "any shape" tells the leaf itself.
    let told = |ty: &Ty<'_>| vars.names.is_empty() || !matches!(ty, Ty::Leaf { dims, .. } if dims.len() == 1);
    if tys.len() > 1 || tys.first().is_some_and(|(_, ty)| told(ty)) {
        let vars = sample(&vars.names, SAMPLES.first().copied().unwrap_or_default());
        return tys.iter().filter_map(|(name, ty)| Some((name.clone(), elab.leaf_of(ty, &vars).ok()?))).collect();
    }
    let base = match rule.on.first().and_then(|on| elab.base_of(&on.ty, id.file)) {
        // Labels of an open number are some.
        Some(Base::Fin(0)) => Base::Fin(5),
        base => base.unwrap_or(Base::Real),
    };
    match rule.scope {
        Some((ScopeWord::Matrix, _)) => vec![("p".into(), Leaf::new(base, &[3, 2]))],
        Some((ScopeWord::Global, _)) => vec![("p".into(), Leaf::new(base, &[3])), ("q".into(), Leaf::new(base, &[2]))],
        _ => vec![("p".into(), Leaf::new(base, &[5]))],
    }
}

/// A definition of the main file as a diagram.
pub(crate) fn model(program: &Program, name: &str) -> Result<Model, Diagnostics> {
    let mut said = Diagnostics::default();
    let defs = &program.defs;
    let found = defs.resolve(program.main, name).and_then(|id| Some((id, defs.item(id)?)));
    let made = match found {
        Some((id, Item { kind: ItemKind::Map(map), .. })) => map_item(defs, id, map, &mut said),
        Some((id, Item { kind: ItemKind::Prim(prim), .. })) => prim_item(defs, id, prim, &mut said),
        Some((_, item)) => {
            said.push(
                Diagnostic::error(Code::WRONG_KIND, format!("`{name}` is {}, not a map", item_word(item)))
                    .at(item.span, "not a map")
                    .help("name a `model`, `def`, `loss` or `prim`"),
            );
            None
        }
        None => {
            let names = defs.visible(program.main);
            let d = Diagnostic::error(Code::UNKNOWN_NAME, format!("there is no map `{name}`"));
            said.push(match nearest(name, names.iter().map(|n| &**n)) {
                Some(near) => d.help(format!("did you mean `{near}`?")),
                None => d,
            });
            None
        }
    };
    made.ok_or(said)
}

/// A line for each item of the main file.
pub(crate) fn items(program: &Program) -> Vec<ItemInfo> {
    let defs = &program.defs;
    let mut out = Vec::new();
    let Some(file) = defs.files.get(program.main) else { return out };
    for (i, item) in file.tree.items.iter().enumerate() {
        let Some(name) = item_name(item) else { continue };
        let id = DefId { file: program.main, item: i };
        let arrow = match &item.kind {
            ItemKind::Map(m) => Some(&m.arrow),
            ItemKind::Prim(p) => Some(&p.arrow),
            _ => None,
        };
        let mut quiet = Diagnostics::default();
        let known = program.measure(id);
        let numbers = match &item.kind {
            ItemKind::Map(m) if m.dims.is_empty() => {
                known.unwrap_or_else(|| map_item(defs, id, m, &mut quiet).as_ref().map(numbers_of))
            }
            ItemKind::Train(r) => {
                known.unwrap_or_else(|| train::training(defs, id.file, r, &[]).ok().as_ref().map(numbers_of_run))
            }
            ItemKind::Game(g) => {
                known.unwrap_or_else(|| game::game(defs, id.file, g, &[]).ok().as_ref().map(numbers_of_run))
            }
            _ => None,
        };
        out.push(ItemInfo {
            word: item_word(item),
            name: name.name.clone(),
            span: name.span,
            ty: match &item.kind {
                ItemKind::Game(g) => Some(sides(defs, g)),
                _ => arrow.map(|a| collapse(defs.sources.slice(a.span))),
            },
            parameters: numbers.map(|(p, _)| p),
            operations: numbers.map(|(_, w)| w),
        });
    }
    out
}

/// Who plays for what: `G minimises value, D maximises value`.
fn sides(defs: &Definitions, game: &GameItem) -> String {
    let each = game.players.iter().map(|p| {
        let side = if p.maximises { "maximises" } else { "minimises" };
        let part = p.part.as_ref().map(|part| format!(" on {}", part.name)).unwrap_or_default();
        format!("{} {side} {}{part}", p.name.name, collapse(defs.sources.slice(p.objective.span)))
    });
    each.collect::<Vec<_>>().join(", ")
}

/// How many numbers the parameters of a map are, and how many operations it takes.
fn numbers_of(model: &Model) -> Numbers {
    numbers(&model.params, &model.diagram)
}

/// The same of a run: the parameters of all players, and what their objectives take.
fn numbers_of_run(run: &Training) -> Numbers {
    let mut objectives: Vec<&Diagram> = Vec::new();
    for player in run.players() {
        // Players of one objective evaluate it together.
        if !objectives.iter().any(|d| d.nodes() == player.objective.nodes() && d.outs() == player.objective.outs()) {
            objectives.push(&player.objective);
        }
    }
    let (params, _) = numbers(&run.params, &run.player.objective);
    (params, objectives.into_iter().map(Diagram::work).sum())
}

fn numbers(params: &[Parameter], diagram: &Diagram) -> Numbers {
    (params.iter().map(|p| p.leaf.size(1)).sum(), diagram.work())
}

fn collapse(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

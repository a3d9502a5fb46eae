//! The data of a game: one set, or a tuple of a set and fresh noise.
//!
//! `data = (moons, normal[2])` gives every objective the wires of a row of `moons`, then two numbers drawn anew for each
//! example and step.

use crate::data::DataSpec;
use crate::diagram::Init;
use crate::elaborate::items::data_items::{data_of, spec_of};
use crate::elaborate::items::given::{Given, WireOfData};
use crate::elaborate::session::Elab;
use crate::elaborate::value::{Env, Res, fault};
use crate::object::Leaf;
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::{ArgValue, Expr, ExprKind, Field, GroupKind, Ident, RecordItem};

/// What a game reads.
#[derive(Default)]
pub(crate) struct DataOfGame {
    /// The set with the name of the file that describes it.
    pub(crate) set: Option<(DataSpec, String)>,
    /// What it gives for one example.
    pub(crate) given: Given,
}

/// The data that a game names.
pub(crate) fn data_of_game<'p>(elab: &mut Elab<'p>, e: &'p Expr, env: &Env<'p>) -> Res<DataOfGame> {
    let tuple = match &e.kind {
        ExprKind::Tuple(list) => Some(list.as_slice()),
        _ => None,
    };
    let list = tuple.unwrap_or(std::slice::from_ref(e));
    let mut set: Option<(DataSpec, String)> = None;
    let mut first: Option<Span> = None;
    let mut wires = Vec::new();
    for part in list {
        if let Some(fresh) = noise(elab, part, env) {
            let (leaf, init) = fresh?;
            wires.push(WireOfData::Fresh(leaf, init));
            continue;
        }
        let (spec, file) = match drawn(part, elab, env) {
            Some(record) => (points(elab, &record, env)?, String::new()),
            None => data_of(elab, part, env).map(|(spec, file, _)| (spec, file))?,
        };
        if let Some(first) = first {
            return fault(
                Diagnostic::error(Code::NOT_YET, "several data sets in one game are not supported yet")
                    .at(part.span, "a second one")
                    .also(first, "the first")
                    .help("put their columns into one `data` item"),
            );
        }
        wires.push(WireOfData::Input);
        wires.extend(spec.target.is_some().then_some(WireOfData::Target));
        first = Some(part.span);
        set = Some((spec, file));
    }
    let Some((spec, _)) = &set else {
        return Elab::not_yet("a game on noise without a data set", e.span);
    };
    let wires = tuple.map(|_| wires);
    Ok(DataOfGame { given: Given { at: Some(e.span), types: spec.types(), wires }, set })
}

/// `two_moons` or `spiral`, with settings or without, as the `data` item that it would be; a data set of that name wins.
fn drawn(e: &Expr, elab: &Elab<'_>, env: &Env<'_>) -> Option<RecordItem> {
    let head = if let ExprKind::Apply(head, _) = &e.kind { head } else { e };
    let ExprKind::Path(path) = &head.kind else { return None };
    let [name] = path.as_slice() else { return None };
    let known = ["two_moons", "spiral"].contains(&&*name.name) && elab.defs.resolve_run(env.file, &name.name).is_none();
    let field = |key: &str, value: Expr| Field { name: Ident { name: key.into(), span: e.span }, value };
    known.then(|| RecordItem { name: name.clone(), fields: vec![field("source", e.clone())] })
}

/// The points of a source without an item, their classes left aside.
fn points(elab: &mut Elab<'_>, record: &RecordItem, env: &Env<'_>) -> Res<DataSpec> {
    let spec = spec_of(elab.defs, env.file, record, &mut elab.diagnostics).ok_or(None)?;
    Ok(DataSpec { target: None, ..spec })
}

/// `normal[n]` or `uniform[n]`, where these names are nothing else of the program: standard normal numbers, or numbers
/// from 0 to 1.
fn noise<'p>(elab: &mut Elab<'p>, e: &'p Expr, env: &Env<'p>) -> Option<Res<(Leaf, Init)>> {
    let ExprKind::Apply(head, groups) = &e.kind else { return None };
    let (ExprKind::Path(path), [group]) = (&head.kind, groups.as_slice()) else { return None };
    let [name] = path.as_slice() else { return None };
    let init = match &*name.name {
        "normal" => Init::Normal { std: 1.0 },
        "uniform" => Init::Uniform { lo: 0.0, hi: 1.0 },
        _ => return None,
    };
    if group.kind != GroupKind::Dims || elab.defs.resolve_run(env.file, &name.name).is_some() {
        return None;
    }
    let dims = group.args.iter().map(|arg| match &arg.value {
        ArgValue::Expr(e) if arg.name.is_none() => elab.dim(e, env),
        ArgValue::Expr(_) => fault(
            Diagnostic::error(Code::DIMENSION, format!("`{}` of a game takes dimensions alone", name.name))
                .at(arg.span, "a name")
                .help(format!("write `{}[2]`, and scale its numbers in the objectives", name.name)),
        ),
        ArgValue::Range(..) => fault(
            Diagnostic::error(Code::DIMENSION, "a dimension is a number")
                .at(arg.span, "a range")
                .help("write one number"),
        ),
    });
    Some(dims.collect::<Res<Vec<u64>>>().map(|dims| (Leaf::real(&dims), init)))
}

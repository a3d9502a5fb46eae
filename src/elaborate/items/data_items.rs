//! `data`: what the expressions of a record mean, and which record a run names.
//!
//! In: the tree of a data item, or the field of a run that names one. Out: its description. Numbers are constants of the file; the expression of a truth table is
//! elaborated with `x` bound to its bits, into a diagram of its own that the loader runs on every row.

use crate::data::{DataSpec, Meaning, describe};
use crate::diagram::{Diagram, Role, Wire};
use crate::elaborate::scope::names::{Definitions, nearest};
use crate::elaborate::session::Elab;
use crate::elaborate::value::{Den, Env, Place, Res, Value, fault};
use crate::object::{Base, Leaf};
use crate::source::{Code, Diagnostic, Diagnostics, Span};
use crate::syntax::ast::{Expr, ExprKind, ItemKind, RecordItem};
use std::sync::Arc;

/// The file that a record is written in.
struct File<'p> {
    defs: &'p Definitions,
    file: usize,
}

impl Meaning for File<'_> {
    fn number(&self, e: &Expr) -> Result<f64, Diagnostic> {
        let mut elab = Elab::new(self.defs);
        let env = Env::new(self.file, Place::new(""));
        let found = elab.number(e, &env);
        found.map_err(|f| {
            f.map_or_else(
                || {
                    Diagnostic::error(Code::DATA_FIELD, "a number is needed here")
                        .at(e.span, "not a number")
                        .help("write a number, or the name of a `dim`")
                },
                |d| *d,
            )
        })
    }

    fn formula(&self, e: &Expr, wires: usize) -> Result<Diagram, Diagnostics> {
        let mut elab = Elab::new(self.defs);
        let mut env = Env::new(self.file, Place::new(""));
        let x = elab.b.port("x", Role::Input, Leaf::new(Base::Bool, &[wires as u64]));
        env.bind("x".into(), Den::Wires(Value::Wire(x)));
        let made = values_of_a_row(&mut elab, e, &env);
        let made = elab.keep(made);
        let said = std::mem::take(&mut elab.diagnostics);
        match made {
            Some(wire) if !said.has_errors() => Ok(elab.b.finish(&[wire])),
            _ if said.has_errors() => Err(said),
            _ => Err(Diagnostic::error(Code::DATA_FIELD, "this expression has no value")
                .at(e.span, "nothing comes out of it")
                .help("compute bits or numbers from `x`: `popcount(x) & 1`")
                .into()),
        }
    }
}

fn values_of_a_row<'p>(elab: &mut Elab<'p>, e: &'p Expr, env: &Env<'p>) -> Res<Wire> {
    let value = elab.wire(e, env)?;
    let wire = elab.as_wire(&value, e.span)?;
    let leaf = elab.leaf(wire);
    if !elab.parameters().is_empty() || !elab.noise_ports().is_empty() {
        return fault(
            Diagnostic::error(Code::DATA_FIELD, "the expression of a truth table has no parameters of its own")
                .at(e.span, "has ports")
                .help("write a `def`, or an expression of `x`"),
        );
    }
    if leaf.base == Base::Real {
        return fault(
            Diagnostic::error(Code::DATA_FIELD, format!("a truth table gives bits or whole numbers, this is {leaf}"))
                .at(e.span, format!("gives {leaf}"))
                .help("write an expression of the bits `x`, such as `x[0] xor x[1]`"),
        );
    }
    Ok(wire)
}

/// The description of a data item.
pub(crate) fn spec_of(
    defs: &Definitions,
    file: usize,
    record: &RecordItem,
    said: &mut Diagnostics,
) -> Option<DataSpec> {
    match describe(record, &File { defs, file }) {
        Ok(spec) => Some(spec),
        Err(faults) => {
            faults.0.into_iter().for_each(|d| said.push(d));
            None
        }
    }
}

/// The data set a field names: its description, the file it is written in, its place.
pub(crate) fn data_of<'p>(elab: &mut Elab<'p>, e: &'p Expr, env: &Env<'p>) -> Res<(DataSpec, String, Span)> {
    let (found, alias, name) = match &e.kind {
        ExprKind::Path(path) => match path.as_slice() {
            [name] => (elab.defs.resolve_run(env.file, &name.name), None, name.name.clone()),
            [alias, name] => {
                let found = elab.defs.resolve_run_in(env.file, &alias.name, &name.name);
                (found, Some(&*alias.name), format!("{}.{}", alias.name, name.name).into())
            }
            _ => return Elab::not_yet("data other than one named set", e.span),
        },
        ExprKind::Apply(..) => return data_in_place(elab, e),
        ExprKind::Text(text) => return data_as_text(elab, text, e.span, env),
        _ => return Elab::not_yet("data other than one named set", e.span),
    };
    let Some((id, item)) = found.and_then(|id| Some((id, elab.defs.item(id)?))) else {
        let names = elab.defs.visible_runs(env.file, alias);
        let near = nearest(&name, names.iter().map(|n| &**n)).map(str::to_owned);
        let d = Diagnostic::error(Code::UNKNOWN_NAME, format!("there is no data `{name}`")).at(e.span, "unknown here");
        return fault(match near {
            Some(near) => d.help(format!("did you mean `{near}`?")),
            None => d.help("define it: `data iris { source = csv(\"iris.csv\", header = true) .. }`"),
        });
    };
    let ItemKind::Data(record) = &item.kind else {
        return fault(
            Diagnostic::error(Code::WRONG_KIND, format!("`{name}` is not data"))
                .at(e.span, "not a data set")
                .help("name a `data` item: `data = iris`"),
        );
    };
    let spec = spec_of(elab.defs, id.file, record, &mut elab.diagnostics).ok_or(None)?;
    let file = elab.defs.files.get(id.file).and_then(|f| elab.defs.sources.get(f.id)).map(|s| s.name.to_string());
    Ok((spec, file.unwrap_or_default(), item.span))
}

/// The message for a source where the name of a data set stands: `data = csv("iris.csv")`.
fn data_in_place<T>(elab: &Elab<'_>, e: &Expr) -> Res<T> {
    let source = elab.defs.sources.slice(e.span);
    let source = if source.len() <= 40 && !source.contains('\n') { source } else { ".." };
    fault(
        Diagnostic::error(Code::WRONG_KIND, "the name of a data set is needed here")
            .at(e.span, "not a name")
            .help(format!("declare it, `data points {{ source = {source} .. }}`, and write `data = points`")),
    )
}

/// The message for a text where the name of a data set stands: `data = "iris"`.
fn data_as_text<T>(elab: &Elab<'_>, text: &str, span: Span, env: &Env<'_>) -> Res<T> {
    let names: Vec<Arc<str>> = elab.defs.visible_runs(env.file, None);
    let is_data = |name: &str| {
        let item = elab.defs.resolve_run(env.file, name).and_then(|id| elab.defs.item(id));
        matches!(item.map(|i| &i.kind), Some(ItemKind::Data(_)))
    };
    let sets = names.iter().map(|n| &**n).filter(|n| is_data(n));
    let stem = text.rsplit('/').next().and_then(|file| file.split('.').next()).unwrap_or(text);
    let meant = if is_data(stem) { Some(stem) } else { nearest(stem, sets) };
    fault(
        Diagnostic::error(Code::WRONG_KIND, "the name of a data set is needed here, this is a text")
            .at(span, "a text")
            .help(match meant {
                Some(name) => format!("write `data = {name}`"),
                None => {
                    let name: String = stem.chars().filter(|c| c.is_alphanumeric() || *c == '_').collect();
                    let name = if name.starts_with(|c: char| c.is_alphabetic()) { &name } else { "points" };
                    let file = if text.contains('.') { text.to_owned() } else { format!("{name}.csv") };
                    format!("declare it, `data {name} {{ source = csv(\"{file}\") .. }}`, and write `data = {name}`")
                }
            }),
    )
}

//! What data gives an objective: its types, and the wires of a tuple of data in order.

use crate::data::ColumnType;
use crate::diagram::{Init, Role};
use crate::elaborate::items::models::Subject;
use crate::elaborate::items::objective::agree;
use crate::elaborate::session::Elab;
use crate::elaborate::typing::dims::Vars;
use crate::elaborate::typing::types::Ty;
use crate::elaborate::value::{Res, Value, fault};
use crate::object::Leaf;
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::Expr;

/// What the data of a run gives for one example.
#[derive(Clone, Default)]
pub(crate) struct Given {
    /// Where the run names it.
    pub(crate) at: Option<Span>,
    /// The types of input and target, where they are known without reading the data.
    pub(crate) types: (Option<ColumnType>, Option<ColumnType>),
    /// Of a tuple of data the wires, in order.
    pub(crate) wires: Option<Vec<WireOfData>>,
}

/// A wire that a tuple of data gives.
#[derive(Clone)]
pub(crate) enum WireOfData {
    /// The input of the data set.
    Input,
    /// Its target.
    Target,
    /// Noise, drawn anew for each example and step.
    Fresh(Leaf, Init),
}

/// The wires that an objective takes, as a tuple of data gives them in order.
pub(crate) fn of_tuple<'p>(
    elab: &mut Elab<'p>,
    s: &Subject<'p>,
    e: &'p Expr,
    (vars, from): (&Vars, &Ty<'p>),
    (given, wires): (&Given, &[WireOfData]),
) -> Res<Value> {
    let single = [(None, from.clone())];
    let parts = if let Ty::Tuple(parts, _) = from { parts.as_slice() } else { &single };
    let name = &s.map.name.name;
    let misfit = |why: String, shown: String| {
        let d = Diagnostic::error(Code::GAME_DATA, why).at(e.span, shown).also(s.map.arrow.from.span, "takes these");
        match given.at {
            Some(span) => d.also(span, "gives these"),
            None => d,
        }
    };
    // Nothing is an objective that reads no data.
    if parts.is_empty() {
        return Ok(Value::Tuple(Vec::new()));
    }
    if parts.len() != wires.len() {
        let (takes, gives) = (several(parts.len(), "wire"), wires.len());
        return fault(
            misfit(format!("`{name}` takes {takes}, the data gives {gives}"), format!("takes {takes}"))
                .help("a data set gives its input and, if it has one, its target; ignore what is not needed: `(x, _)`"),
        );
    }
    let mut values = Vec::new();
    for (at, ((own, ty), wire)) in parts.iter().zip(wires).enumerate() {
        let called = own.as_ref().map_or_else(|| format!("data.{at}"), ToString::to_string);
        let value = match wire {
            WireOfData::Input | WireOfData::Target => {
                let (role, known) = match wire {
                    WireOfData::Input => (Role::Input, given.types.0.as_ref()),
                    _ => (Role::Target, given.types.1.as_ref()),
                };
                let value = elab.inputs(ty, vars, &called, role)?;
                agree(elab, &value, known, s, &called, given.at)?;
                value
            }
            WireOfData::Fresh(leaf, init) => {
                let mut vars = vars.clone();
                let wire = elab.fresh(format!("data.{at}"), leaf.clone(), init.clone(), e.span);
                if let Some(m) = elab.unify(ty, &Value::Wire(wire), &mut vars)? {
                    return fault(
                        misfit(
                            format!("`{name}` takes {} as `{called}`, the data gives {}", m.needs, m.gives),
                            format!("takes {}", m.needs),
                        )
                        .help(format!("draw as many numbers as it takes: `normal[..]` for {}", m.needs)),
                    );
                }
                Value::Wire(wire)
            }
        };
        values.push(value);
    }
    match (from, values.len()) {
        (Ty::Tuple(..), _) => Ok(Value::Tuple(values)),
        (_, 1) => Ok(values.pop().unwrap_or(Value::Poison)),
        _ => Err(None),
    }
}

/// `1 wire`, `2 wires`.
fn several(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

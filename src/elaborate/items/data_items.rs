//! `data`: what the expressions of a record mean.
//!
//! In: the tree of a data item. Out: its description. Numbers are constants of the file; the expression of a truth table is
//! elaborated with `x` bound to its bits, into a diagram of its own that the loader runs on every row.

use crate::data::{DataSpec, Meaning, describe};
use crate::diagram::{Diagram, Role, Wire};
use crate::elaborate::scope::names::Definitions;
use crate::elaborate::session::Elab;
use crate::elaborate::value::{Den, Env, Place, Res, Value, fault};
use crate::object::{Base, Leaf};
use crate::source::{Code, Diagnostic, Diagnostics};
use crate::syntax::ast::{Expr, RecordItem};

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

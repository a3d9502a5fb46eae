//! A map of the program as a diagram of its own: inputs by its type, parameters under its name.

use crate::diagram::Role;
use crate::elaborate::items::ports::ParamPort;
use crate::elaborate::program::{Model, Parameter};
use crate::elaborate::scope::names::{DefId, Definitions};
use crate::elaborate::session::{Elab, article};
use crate::elaborate::terms::apply::{Arriving, Call};
use crate::elaborate::typing::dims::Vars;
use crate::elaborate::typing::types::Ty;
use crate::elaborate::value::{Env, Res, Value, fault};
use crate::object::Leaf;
use crate::source::{Code, Diagnostic, Diagnostics};
use crate::syntax::ast::{Body, Expr, ExprKind, Ident, ItemKind, MapItem, Pattern};

/// A definition that an expression names, with the brackets it was given.
pub(crate) struct Subject<'p> {
    pub(crate) id: DefId,
    pub(crate) map: &'p MapItem,
    pub(crate) call: Call<'p>,
}

impl<'p> Elab<'p> {
    /// The map that `mlp` or `block[1, 6]` names.
    pub(crate) fn subject(&mut self, e: &'p Expr, env: &Env<'p>, what: &str) -> Res<Subject<'p>> {
        let (path, call): (&'p [Ident], Call<'p>) = match &e.kind {
            ExprKind::Path(path) => (path, Call { span: e.span, ..Call::default() }),
            ExprKind::Apply(head, groups) => match &head.kind {
                ExprKind::Path(path) => (path, self.brackets(groups, e.span)?),
                _ => return not_a_name(e, what),
            },
            _ => return not_a_name(e, what),
        };
        let Some(id) = self.resolve_path(path, env) else {
            let name: Vec<&str> = path.iter().map(|p| &*p.name).collect();
            return self.unknown(&name.join("."), e.span, env, what);
        };
        match self.defs.item(id).map(|i| &i.kind) {
            Some(ItemKind::Map(map)) => Ok(Subject { id, map, call }),
            _ => fault(
                Diagnostic::error(Code::WRONG_KIND, format!("{} {what} is needed here", article(what)))
                    .at(e.span, "this is not one")
                    .help(match what {
                        "loss" => "name a map of (prediction, label), such as `mse`",
                        "objective" => "name a map that ends in R[1], the number to make small",
                        _ => "name a `model`, `def` or `prim`",
                    }),
            ),
        }
    }

    /// The dimension variables and the domain of a subject.
    pub(crate) fn domain(&mut self, s: &Subject<'p>, env: &Env<'p>) -> Res<(Vars, Ty<'p>)> {
        let mut vars = self.call_dims(&s.map.name, &s.map.dims, &s.call, env)?;
        let outside = self.root(s.id.file);
        let from = self.ty(&s.map.arrow.from, &outside)?;
        self.open_letters(&from, &mut vars);
        Ok((vars, from))
    }

    /// A port for each leaf of a type.
    pub(crate) fn inputs(&mut self, ty: &Ty<'p>, vars: &Vars, name: &str, role: Role) -> Res<Value> {
        match ty {
            Ty::Tuple(parts, _) => {
                let mut values = Vec::new();
                for (i, (own, t)) in parts.iter().enumerate() {
                    let name = own.as_ref().map_or_else(|| format!("{name}.{i}"), ToString::to_string);
                    values.push(self.inputs(t, vars, &name, role)?);
                }
                Ok(Value::Tuple(values))
            }
            _ => {
                let leaf: Leaf = self.leaf_of(ty, vars)?;
                Ok(Value::Wire(self.b.port(name, role, leaf)))
            }
        }
    }

    /// Applies a subject under its own name.
    pub(crate) fn run_subject(&mut self, s: &Subject<'p>, env: &Env<'p>, input: Value) -> Res<Value> {
        let place = crate::elaborate::value::Place::new(s.map.name.name.to_string());
        let own = env.at(place);
        self.apply_def_named(s, &own, input)
    }

    fn apply_def_named(&mut self, s: &Subject<'p>, env: &Env<'p>, input: Value) -> Res<Value> {
        let prefix = s.map.name.name.to_string();
        self.apply_map_at(s.id, s.map, &s.call, env, Arriving { value: input, from: None }, prefix)
    }

    /// The wires of a value that is one or several outputs.
    pub(crate) fn out_wires(&mut self, value: &Value, s: &Subject<'p>) -> Res<Vec<crate::diagram::Wire>> {
        match value {
            Value::Tuple(parts) => {
                let mut out = Vec::new();
                for p in parts {
                    out.extend(self.out_wires(p, s)?);
                }
                Ok(out)
            }
            other => Ok(vec![self.as_wire(other, s.map.name.span)?]),
        }
    }

    /// The parameters made so far, as plain data.
    pub(crate) fn parameters(&self) -> Vec<Parameter> {
        self.params.iter().cloned().map(ParamPort::plain).collect()
    }

    /// The noise made so far, as plain data.
    pub(crate) fn noise_ports(&self) -> Vec<Parameter> {
        self.noises.iter().cloned().map(ParamPort::plain).collect()
    }

    /// Ends the session: its diagram, or nothing after an error; messages go to `diagnostics`.
    pub(crate) fn finish<T>(
        mut self,
        result: Res<T>,
        diagnostics: &mut Diagnostics,
        make: impl FnOnce(Self, T) -> Model,
    ) -> Option<Model> {
        let value = self.keep(result);
        // What was said before is about other sessions.
        let failed = self.diagnostics.has_errors();
        for d in std::mem::take(&mut self.diagnostics).0 {
            diagnostics.push(d);
        }
        value.filter(|_| !failed).map(|v| make(self, v))
    }
}

fn not_a_name<T>(e: &Expr, what: &str) -> Res<T> {
    fault(
        Diagnostic::error(Code::WRONG_KIND, format!("{} {what} is given by its name", article(what)))
            .at(e.span, "not a name")
            .help(format!("define it first: `{what} net : .. = ..`, then name it here")),
    )
}

/// What the wires of a map's domain are called.
pub(crate) fn input_name(map: &MapItem) -> String {
    if let Body::Wires(Some(wires), _) = &map.body
        && let [(Pattern::Name(name), _)] = wires.patterns.as_slice()
    {
        return name.name.to_string();
    }
    "input".to_owned()
}

/// A definition without open dimensions as a diagram.
pub(crate) fn diagram_of<'p>(
    defs: &'p Definitions,
    id: DefId,
    map: &'p MapItem,
    dims: &Vars,
    evaluating: bool,
    diagnostics: &mut Diagnostics,
) -> Option<Model> {
    let mut elab = Elab::new(defs);
    elab.evaluating = evaluating;
    let env = elab.root(id.file);
    let subject = Subject { id, map, call: Call { span: map.name.span, ..Call::default() } };
    let result = (|| {
        let (mut vars, from) = elab.domain(&subject, &env)?;
        for (name, spread) in &dims.names {
            vars.declare(name, *spread);
        }
        vars.known.extend(dims.known.iter().map(|(k, v)| (k.clone(), v.clone())));
        let input = elab.inputs(&from, &vars, &input_name(map), Role::Input)?;
        let prefix = map.name.name.to_string();
        let value =
            elab.apply_map_with(id, map, &subject.call, &env, Arriving { value: input, from: None }, prefix, vars)?;
        elab.out_wires(&value, &subject)
    })();
    elab.finish(result, diagnostics, |mut elab, outs| {
        let (params, noise) = (elab.parameters(), elab.noise_ports());
        let b = std::mem::take(&mut elab.b);
        Model { name: map.name.name.clone(), diagram: b.finish(&outs), params, noise }
    })
}

//! The objective of a run: what a model and a loss, or a map of one's own, cost on one example.
//!
//! In: the fields of a run and the types of its data. Out: the diagram of the objective and its parameters, the one
//! that is evaluated, the predictions; errors where model, loss and data do not agree.

use crate::data::ColumnType;
use crate::diagram::{Diagram, Role};
use crate::elaborate::items::models::{Subject, input_name};
use crate::elaborate::items::ports::ParamPort;
use crate::elaborate::items::train::Fields;
use crate::elaborate::program::{Model, Parameter};
use crate::elaborate::scope::names::Definitions;
use crate::elaborate::session::Elab;
use crate::elaborate::typing::types::Ty;
use crate::elaborate::value::{Env, Res, Value, fault};
use crate::object::{Base, Leaf};
use crate::source::{Code, Diagnostic, Diagnostics, Span};
use crate::syntax::ast::{Expr, ExprKind};

/// What a run is about: a model with a loss, or an objective.
pub(crate) enum Goal<'p> {
    Model(Subject<'p>, Subject<'p>, &'p Expr),
    Objective(Subject<'p>, &'p Expr),
}

pub(crate) fn goal<'p>(elab: &mut Elab<'p>, fields: &Fields<'p>, env: &Env<'p>) -> Res<Goal<'p>> {
    match (fields.get("objective"), fields.get("model"), fields.get("loss")) {
        (Some(o), None, None) if matches!(o.kind, ExprKind::List(_)) => Elab::not_yet("a list of objectives", o.span),
        (Some(o), None, None) => Ok(Goal::Objective(elab.subject(o, env, "objective")?, o)),
        (Some(o), _, _) => fault(
            Diagnostic::error(Code::TRAIN_FIELD, "a run has either `objective`, or `model` and `loss`").at(o.span, ""),
        ),
        (None, Some(m), Some(l)) => {
            if matches!(l.kind, ExprKind::List(_)) {
                return Elab::not_yet("a list of losses", l.span);
            }
            let model = elab.subject(m, env, "model");
            let loss = elab.subject(l, env, "loss");
            match (elab.keep(model), elab.keep(loss)) {
                (Some(model), Some(loss)) => Ok(Goal::Model(model, loss, l)),
                _ => Err(None),
            }
        }
        (None, Some(_), None) => fault(
            Diagnostic::error(Code::TRAIN_FIELD, "a run with a model needs `loss`")
                .at(fields.name, "none is named")
                .help("for example `loss = softmax_cross_entropy`"),
        ),
        (None, None, _) => fault(
            Diagnostic::error(Code::TRAIN_FIELD, "a run needs `model` and `loss`, or `objective`").at(fields.name, ""),
        ),
    }
}

/// The types of input and target as the data gives them, if that is known without reading it.
type Types = (Option<ColumnType>, Option<ColumnType>);

fn leaf_of_column(t: &ColumnType) -> Leaf {
    let dims: Vec<u64> = t.shape.iter().map(|n| *n as u64).collect();
    let base = match t.base {
        crate::data::Base::Real => Base::Real,
        crate::data::Base::Fin(n) => Base::Fin(u32::try_from(n).unwrap_or(u32::MAX)),
        crate::data::Base::Bool => Base::Bool,
    };
    Leaf::new(base, if dims.is_empty() { &[1] } else { &dims })
}

/// The objective of one example with its parameters, as made, and its noise.
type Objective = (Diagram, Vec<ParamPort>, Vec<Parameter>);

/// Refuses parameters that only the form outside training makes: nothing trains them.
pub(crate) fn trained(params: &[ParamPort], outside: &[ParamPort], run: Span, said: &mut Diagnostics) -> bool {
    let mut all = true;
    for port in outside {
        let known = params.iter().find(|p| p.path == port.path);
        if known.is_some_and(|p| p.leaf == port.leaf) {
            continue;
        }
        all = false;
        said.push(match known {
            Some(p) => Diagnostic::error(
                Code::PORT,
                format!("`{}` is {} in training and {} in `evaluate`", p.path, p.leaf, port.leaf),
            )
            .at(port.span, format!("{} in `evaluate`", port.leaf))
            .also(p.span, format!("{} in training", p.leaf)),
            None => {
                Diagnostic::error(Code::PORT, format!("`{}` is a parameter of an `evaluate` form alone", port.path))
                    .at(run, "this run never meets it")
                    .also(port.span, "declared here")
                    .help("declare a port in `{ }` and use it in both forms")
            }
        });
    }
    all
}

pub(crate) fn objective_of(
    defs: &Definitions,
    goal: &Goal<'_>,
    env: &Env<'_>,
    types: &Types,
    data: Option<Span>,
    evaluating: bool,
    said: &mut Diagnostics,
) -> Option<Objective> {
    let mut elab = Elab::new(defs);
    elab.evaluating = evaluating;
    let built = objective_in(&mut elab, goal, env, types, data);
    let built = elab.keep(built);
    let failed = elab.diagnostics.has_errors();
    std::mem::take(&mut elab.diagnostics).0.into_iter().for_each(|d| said.push(d));
    let loss = built.filter(|_| !failed)?;
    let (params, noise) = (std::mem::take(&mut elab.params), elab.noise_ports());
    Some((elab.b.finish(&[loss]), params, noise))
}

fn objective_in<'p>(
    elab: &mut Elab<'p>,
    goal: &Goal<'p>,
    env: &Env<'p>,
    types: &Types,
    data: Option<Span>,
) -> Res<crate::diagram::Wire> {
    let (value, at) = match goal {
        Goal::Objective(s, e) => {
            let (vars, from) = elab.domain(s, env)?;
            let input = match (&from, data) {
                (Ty::Tuple(parts, _), Some(_)) if parts.len() == 2 => {
                    let mut values = Vec::new();
                    for ((own, t), (role, name, given)) in parts
                        .iter()
                        .zip([(Role::Input, "input", types.0.as_ref()), (Role::Target, "target", types.1.as_ref())])
                    {
                        let name = own.as_ref().map_or(name.to_owned(), ToString::to_string);
                        let value = elab.inputs(t, &vars, &name, role)?;
                        agree(elab, &value, given, s, name.as_str(), data)?;
                        values.push(value);
                    }
                    Value::Tuple(values)
                }
                _ => {
                    let value = elab.inputs(&from, &vars, &input_name(s.map), Role::Input)?;
                    if data.is_none() && !matches!(&value, Value::Tuple(parts) if parts.is_empty()) {
                        return fault(
                            Diagnostic::error(
                                Code::TRAIN_FIELD,
                                format!("`{}` takes wires, the run names no data", s.map.name.name),
                            )
                            .at(e.span, "needs data")
                            .also(s.map.arrow.from.span, format!("takes {}", elab.show(&value)))
                            .help("add `data = ..`, or train an objective `() -> R[1]`"),
                        );
                    }
                    agree(elab, &value, types.0.as_ref(), s, "input", data)?;
                    value
                }
            };
            (elab.run_subject(s, env, input)?, e.span)
        }
        Goal::Model(model, loss, l) => {
            let (vars, from) = elab.domain(model, env)?;
            if data.is_none() {
                return fault(
                    Diagnostic::error(Code::TRAIN_FIELD, "a run with a model needs `data`")
                        .at(model.call.span, "this model"),
                );
            }
            let input = elab.inputs(&from, &vars, &input_name(model.map), Role::Input)?;
            agree(elab, &input, types.0.as_ref(), model, "input", data)?;
            let y = elab.run_subject(model, env, input)?;
            let target = target(elab, loss, env, &y, types.1.as_ref(), l.span)?;
            elab.at(l.span, env);
            (elab.run_subject(loss, env, Value::Tuple(vec![y, target]))?, l.span)
        }
    };
    let wire = elab.as_wire(&value, at)?;
    let leaf = elab.leaf(wire);
    let count = leaf.base == Base::Int && leaf.size(1) == 1;
    if !leaf.is_number() && leaf.base != Base::Bool && !count {
        return fault(
            Diagnostic::error(
                Code::OBJECTIVE,
                format!("what is trained must be one number R[1] or Int[1], or bits, this is {leaf}"),
            )
            .at(at, format!("gives {leaf}"))
            .help("sum or average it"),
        );
    }
    Ok(wire)
}

/// The port of the label: as the data gives it, else as the loss takes it.
fn target<'p>(
    elab: &mut Elab<'p>,
    loss: &Subject<'p>,
    env: &Env<'p>,
    y: &Value,
    given: Option<&ColumnType>,
    span: Span,
) -> Res<Value> {
    if let Some(t) = given {
        return Ok(Value::Wire(elab.b.port("target", Role::Target, leaf_of_column(t))));
    }
    let (mut vars, from) = elab.domain(loss, env)?;
    let Ty::Tuple(parts, _) = &from else {
        return fault(
            Diagnostic::error(Code::OBJECTIVE, format!("`{}` is not a loss: it takes one wire", loss.map.name.name))
                .at(span, "")
                .also(loss.map.arrow.from.span, "a loss takes (prediction, label)"),
        );
    };
    let [(_, prediction), (_, label)] = parts.as_slice() else {
        return fault(
            Diagnostic::error(
                Code::OBJECTIVE,
                format!("a loss takes (prediction, label), this takes {} wires", parts.len()),
            )
            .at(span, "")
            .also(loss.map.arrow.from.span, "here"),
        );
    };
    if let Some(m) = elab.unify(prediction, y, &mut vars)? {
        return fault(
            Diagnostic::error(Code::SHAPE, format!("the model gives {}, the loss takes {}", m.gives, m.needs))
                .at(span, format!("takes {}", m.needs)),
        );
    }
    elab.inputs(label, &vars, "target", Role::Target)
}

/// Compares a model's input with what the data gives.
fn agree<'p>(
    elab: &Elab<'p>,
    value: &Value,
    given: Option<&ColumnType>,
    s: &Subject<'p>,
    what: &str,
    data: Option<Span>,
) -> Res<()> {
    let (Some(t), Value::Wire(w)) = (given, value) else { return Ok(()) };
    let (needs, gives) = (elab.leaf(*w), leaf_of_column(t));
    let alike = needs.base == gives.base && matches!(needs.base, Base::Real | Base::Bool);
    let reshaped = alike && needs.size(1) == gives.size(1);
    if needs == gives || reshaped {
        return Ok(());
    }
    // A model of the prelude is shown where it is used.
    let own = !elab.defs.in_prelude(s.map.arrow.span);
    let at = if own { s.map.arrow.from.span } else { s.call.span };
    let d = Diagnostic::error(
        Code::DATA_SHAPE,
        format!("`{}` takes {needs} as {what}, the data gives {gives}", s.map.name.name),
    )
    .at(at, format!("takes {needs}"));
    fault(match data {
        Some(span) => d.at(span, format!("gives {gives}")),
        None => d,
    })
}

/// The model outside training.
pub(crate) fn prediction(defs: &Definitions, goal: &Goal<'_>, env: &Env<'_>) -> Option<Model> {
    let Goal::Model(model, ..) = goal else { return None };
    let mut elab = Elab::new(defs);
    elab.evaluating = true;
    let (vars, from) = elab.domain(model, env).ok()?;
    let input = elab.inputs(&from, &vars, &input_name(model.map), Role::Input).ok()?;
    let value = elab.run_subject(model, env, input).ok()?;
    let outs = elab.out_wires(&value, model).ok()?;
    let (params, noise) = (elab.parameters(), elab.noise_ports());
    Some(Model { name: model.map.name.name.clone(), diagram: elab.b.finish(&outs), params, noise })
}

//! `train`: from a record to everything that a run needs.
//!
//! In: the record with overrides. Out: a [`Training`]: the objective of one example, the predictions, the rule over the
//! parameters, settings with defaults filled in. All fields are looked at before the first error ends it.

use super::models::{Subject, input_name};
use super::names::{Definitions, nearest};
use super::ports::ParamPort;
use super::program::{Model, Parameter, RuleDiagram, Training};
use super::session::Elab;
use super::types::Ty;
use super::value::{Env, Place, Res, Value, fault};
use super::{rules, settings};
use crate::data::{ColumnType, DataSpec};
use crate::diagram::{Diagram, Role};
use crate::object::{Base, Leaf, Tangent};
use crate::source::{Code, Diagnostic, Diagnostics, Span};
use crate::syntax::ast::{Expr, ExprKind, Field, ItemKind, RecordItem};

/// The fields a `train` may have.
pub(crate) const FIELDS: &[&str] = &[
    "data",
    "model",
    "objective",
    "loss",
    "optimiser",
    "aggregate",
    "rows",
    "batch",
    "epochs",
    "steps",
    "seed",
    "precision",
    "metrics",
    "select",
    "validate",
    "order",
    "shuffle",
    "monitor",
    "on_violation",
    "frozen",
    "schedule",
];

/// The fields of a record, each key once.
pub(crate) struct Fields<'p> {
    pub(crate) list: Vec<&'p Field>,
    pub(crate) name: Span,
}

impl<'p> Fields<'p> {
    pub(crate) fn get(&self, key: &str) -> Option<&'p Expr> {
        self.list.iter().find(|f| &*f.name.name == key).map(|f| &f.value)
    }
}

/// What a run is about: a model with a loss, or an objective.
enum Goal<'p> {
    Model(Subject<'p>, Subject<'p>, &'p Expr),
    Objective(Subject<'p>, &'p Expr),
}

/// Elaborates a training run.
pub(crate) fn training(
    defs: &Definitions,
    file: usize,
    record: &RecordItem,
    overrides: &[Field],
) -> Result<Training, Diagnostics> {
    let mut said = Diagnostics::default();
    let built = build(defs, file, record, overrides, &mut said);
    match built {
        Some(t) if !said.has_errors() => Ok(Training { warnings: said, ..t }),
        _ if said.has_errors() => Err(said),
        _ => {
            // Every fault says why; one that does not must not look like success.
            said.push(
                Diagnostic::error(Code::NOT_YET, format!("`{}` cannot be elaborated", record.name.name))
                    .at(record.name.span, "for a reason that was not said")
                    .help("this is a fault of catlearn: please report it with the program"),
            );
            Err(said)
        }
    }
}

fn build(
    defs: &Definitions,
    file: usize,
    record: &RecordItem,
    overrides: &[Field],
    said: &mut Diagnostics,
) -> Option<Training> {
    let fields = Fields { list: overrides.iter().rev().chain(&record.fields).collect(), name: record.name.span };
    known_fields(&fields, said);
    let fields = Fields { list: replaced(overrides, &record.fields), ..fields };
    let mut elab = Elab::new(defs);
    let env = Env::new(file, Place::new(""));
    let spec = match fields.get("data") {
        Some(e) => {
            let found = data_of(&mut elab, e, &env);
            elab.keep(found)
        }
        None => None,
    };
    let goal = goal(&mut elab, &fields, &env);
    let goal = elab.keep(goal);
    let settings = settings::settings(&mut elab, &fields, &env);
    let settings = elab.keep(settings);
    if let Some(rule) = fields.get("optimiser") {
        rules::check_expr(&mut elab, rule, &env);
    }
    said.0.extend(std::mem::take(&mut elab.diagnostics).0);
    let (goal, settings) = (goal?, settings?);
    let types = spec.as_ref().map(|(s, _, _)| s.types()).unwrap_or_default();
    let data_at = fields.get("data").map(|e| e.span);
    let (objective, params, noise) = objective_of(defs, &goal, &env, &types, data_at, false, said)?;
    let (evaluate, outside, _) = objective_of(defs, &goal, &env, &types, data_at, true, said)?;
    if !trained(&params, &outside, fields.name, said) {
        return None;
    }
    let predict = prediction(defs, &goal, &env);
    let Some(rule) = fields.get("optimiser") else {
        // A misspelt field has its message.
        if fields.list.iter().any(|f| nearest(&f.name.name, ["optimiser"]).is_some()) {
            return None;
        }
        said.push(
            Diagnostic::error(Code::TRAIN_FIELD, "a training run needs `optimiser`")
                .at(fields.name, "none is named")
                .help("for example `optimiser = adam(lr = 1e-3)`"),
        );
        return None;
    };
    let params: Vec<Parameter> = params.into_iter().map(ParamPort::plain).collect();
    let leaves: Vec<_> = params.iter().map(|p| (p.path.clone(), p.leaf.clone())).collect();
    if leaves.is_empty() {
        said.push(
            Diagnostic::error(Code::OBJECTIVE, "there is nothing to train: no parameters")
                .at(fields.name, "in this run")
                .help("give the model a port: `{W: R[n, m] ~ glorot}`"),
        );
        return None;
    }
    let at = rule.span;
    let rule = rules::build(defs, rule, &env, &leaves, said)?;
    let settings = settings.resolved(&rule, &fields, said)?;
    if leaves.iter().all(|(_, leaf)| rule.tangent.of(leaf).is_none()) {
        said.push(
            Diagnostic::error(Code::OBJECTIVE, "there is nothing to train: no parameter has a request")
                .at(at, format!("asks for {}", rule.tangent))
                .note(format!(
                    "the parameters are {}",
                    leaves.iter().map(|(p, l)| format!("{p}: {l}")).collect::<Vec<_>>().join(", ")
                ))
                .help(match rule.tangent {
                    Tangent::Real => "train bits with a rule over bits: `rda`, or `counter(limit = 60)`",
                    Tangent::Parity | Tangent::Votes => {
                        "train real parameters with a rule over reals, such as `adam(lr = 1e-3)`"
                    }
                }),
        );
        return None;
    }
    if let Some(d) = no_request(&rule, &objective, at) {
        said.push(d);
        return None;
    }
    let resolved =
        fields.list.iter().map(|f| (f.name.name.to_string(), defs.sources.slice(f.value.span).to_owned())).collect();
    Some(Training {
        name: record.name.name.clone(),
        span: record.name.span,
        objective,
        params,
        noise,
        predict,
        evaluate,
        rule,
        settings,
        data_span: data_at.unwrap_or(record.name.span),
        data: spec.map(|(s, name, _)| (s, name)),
        resolved,
        warnings: Diagnostics::default(),
    })
}

/// The message when the loss has no request of the kind that the rule asks for.
fn no_request(rule: &RuleDiagram, objective: &Diagram, at: Span) -> Option<Diagnostic> {
    // Nothing real asks anything of a bit.
    let other =
        |leaf: &Leaf| rule.tangent.of(leaf).is_none() || (leaf.base == Base::Real) != (rule.tangent == Tangent::Real);
    let leaf = objective.out_leaves().into_iter().find(other)?;
    let help = match (leaf.base, rule.tangent) {
        (Base::Bool, Tangent::Real) => "train bits with a rule over bits: `rda`, or `counter(limit = 60)`",
        (Base::Int, _) => "train whole numbers with votes: `counter(limit = 60)`",
        (Base::Real, _) => "let the loss be bits (`xor_error`) or a whole number (`count_error`, `hinge_votes`)",
        _ => "give a rule and a loss of one kind",
    };
    Some(
        Diagnostic::error(
            Code::OBJECTIVE,
            format!("the loss is {leaf}, the rule asks for requests over {}", rule.tangent),
        )
        .at(at, format!("requests over {}", rule.tangent))
        .help(help),
    )
}

/// The fields that count: the last override of a key hides the others and the record's. `epochs` and `steps` are two
/// ways to say one thing, so that either hides the record's other.
fn replaced<'p>(overrides: &'p [Field], record: &'p [Field]) -> Vec<&'p Field> {
    let key = |f: &Field| match &*f.name.name {
        "epochs" | "steps" => "length".to_owned(),
        other => other.to_owned(),
    };
    let mut list: Vec<&Field> = Vec::new();
    for field in overrides.iter().rev() {
        if !list.iter().any(|f| f.name.name == field.name.name) {
            list.push(field);
        }
    }
    list.reverse();
    list.extend(record.iter().filter(|f| !overrides.iter().any(|o| key(o) == key(f))));
    list
}

fn known_fields(fields: &Fields<'_>, said: &mut Diagnostics) {
    for (i, field) in fields.list.iter().enumerate() {
        if !FIELDS.contains(&&*field.name.name) {
            let d = Diagnostic::error(Code::TRAIN_FIELD, format!("a training run has no field `{}`", field.name.name))
                .at(field.name.span, "unknown field");
            said.push(match nearest(&field.name.name, FIELDS.iter().copied()) {
                Some(near) => d.help(format!("did you mean `{near}`?")),
                None => d.help(format!("its fields are {}", FIELDS.join(", "))),
            });
        }
        let earlier = fields.list.iter().take(i).find(|f| f.name.name == field.name.name);
        if let Some(earlier) = earlier.filter(|e| e.name.span.file == field.name.span.file) {
            said.push(
                Diagnostic::error(Code::TRAIN_FIELD, format!("`{}` is given twice", field.name.name))
                    .at(field.name.span, "again here")
                    .also(earlier.name.span, "first here"),
            );
        }
    }
}

/// The data set a field names: its description, the file it is written in, its place.
pub(crate) fn data_of<'p>(elab: &mut Elab<'p>, e: &'p Expr, env: &Env<'p>) -> Res<(DataSpec, String, Span)> {
    let name = match &e.kind {
        ExprKind::Path(path) if path.len() == 1 => path.first().map(|p| p.name.clone()).unwrap_or_default(),
        _ => return Elab::not_yet("data other than one named set", e.span),
    };
    let found = elab.defs.resolve_run(env.file, &name);
    let Some((id, item)) = found.and_then(|id| Some((id, elab.defs.item(id)?))) else {
        let names = elab.defs.visible_runs(env.file);
        let near = nearest(&name, names.iter().map(|n| &**n)).map(str::to_owned);
        let d = Diagnostic::error(Code::UNKNOWN_NAME, format!("there is no data `{name}`")).at(e.span, "unknown here");
        return fault(match near {
            Some(near) => d.help(format!("did you mean `{near}`?")),
            None => d.help("define it: `data iris { source = csv(\"iris.csv\", header = true) .. }`"),
        });
    };
    let ItemKind::Data(record) = &item.kind else {
        return fault(Diagnostic::error(Code::WRONG_KIND, format!("`{name}` is not data")).at(e.span, ""));
    };
    let spec = super::data_items::spec_of(elab.defs, id.file, record, &mut elab.diagnostics).ok_or(None)?;
    let file = elab.defs.files.get(id.file).and_then(|f| elab.defs.sources.get(f.id)).map(|s| s.name.to_string());
    Ok((spec, file.unwrap_or_default(), item.span))
}

fn goal<'p>(elab: &mut Elab<'p>, fields: &Fields<'p>, env: &Env<'p>) -> Res<Goal<'p>> {
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
fn trained(params: &[ParamPort], outside: &[ParamPort], run: Span, said: &mut Diagnostics) -> bool {
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

fn objective_of(
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
    let own = !elab.defs.file_of(s.map.arrow.span.file).is_some_and(|f| elab.defs.is_prelude(f));
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
fn prediction(defs: &Definitions, goal: &Goal<'_>, env: &Env<'_>) -> Option<Model> {
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

//! The objective of a run: what a model and a loss, or a map of one's own, cost on one example.
//!
//! In: the fields of a run and the types of its data. Out: the diagram of the objective and its parameters, the one
//! that is evaluated, the predictions; errors where model, loss and data do not agree. Several losses meet before the
//! reverse derivative is taken: `mean` and `sum` are linear, so that their request is that of the mean or sum. The
//! first output is what is trained, each loss by itself stands behind it.

use crate::data::ColumnType;
use crate::diagram::{Diagram, Op, Role, TypeFault, Wire};
use crate::elaborate::items::given::{Given, of_tuple};
use crate::elaborate::items::listed::listed;
use crate::elaborate::items::models::{Subject, input_name};
use crate::elaborate::items::ports::ParamPort;
use crate::elaborate::items::train::Fields;
use crate::elaborate::program::{Model, Parameter};
use crate::elaborate::scope::names::Definitions;
use crate::elaborate::session::Elab;
use crate::elaborate::typing::dims::Vars;
use crate::elaborate::typing::types::Ty;
use crate::elaborate::value::{Env, Res, Value, fault};
use crate::object::{Base, Dim, Leaf};
use crate::prim::divided;
use crate::source::{Code, Diagnostic, Diagnostics, Span};
use crate::syntax::ast::{Expr, ExprKind};
use std::sync::Arc;

/// What a run is about: a model with losses, or objectives.
pub(crate) enum Goal<'p> {
    Model(Subject<'p>, Losses<'p>),
    Objective(Losses<'p>),
}

/// One loss or several, and how several meet.
pub(crate) struct Losses<'p> {
    list: Vec<(Subject<'p>, &'p Expr)>,
    /// In their sum rather than their mean.
    sum: bool,
    /// Whether a port is named by itself, so that those of one name are one.
    bare: bool,
}

impl Losses<'_> {
    /// What each is called when there are several: its name, numbered where a name comes again.
    pub(crate) fn names(&self) -> Vec<Arc<str>> {
        let plain: Vec<&Arc<str>> = self.list.iter().map(|(s, _)| &s.map.name.name).collect();
        if plain.len() < 2 {
            return Vec::new();
        }
        let named = plain.iter().enumerate().map(|(i, name)| {
            let before = plain.iter().take(i).filter(|n| *n == name).count();
            if before == 0 { (*name).clone() } else { format!("{name}.{before}").into() }
        });
        named.collect()
    }
}

impl<'p> Goal<'p> {
    /// What a player plays for.
    pub(crate) fn of_player(elab: &mut Elab<'p>, e: &'p Expr, env: &Env<'p>) -> Res<Goal<'p>> {
        if let ExprKind::List(_) = &e.kind {
            return Elab::not_yet("a player with several objectives", e.span);
        }
        let list = vec![(elab.subject(e, env, "objective")?, e)];
        Ok(Goal::Objective(Losses { list, sum: false, bare: true }))
    }

    pub(crate) fn losses(&self) -> &Losses<'p> {
        let (Goal::Model(_, losses) | Goal::Objective(losses)) = self;
        losses
    }
}

pub(crate) fn goal<'p>(elab: &mut Elab<'p>, fields: &Fields<'p>, env: &Env<'p>) -> Res<Goal<'p>> {
    match (fields.get("objective"), fields.get("model"), fields.get("loss")) {
        (Some(o), None, None) => losses(elab, fields, o, env, "objective").map(Goal::Objective),
        (Some(o), _, _) => fault(
            Diagnostic::error(Code::TRAIN_FIELD, "a run has either `objective`, or `model` and `loss`")
                .at(o.span, "the objective")
                .help("a run of a model names `model` and `loss`, and no `objective`"),
        ),
        (None, Some(m), Some(l)) => {
            let model = elab.subject(m, env, "model");
            let losses = losses(elab, fields, l, env, "loss");
            match (elab.keep(model), elab.keep(losses)) {
                (Some(model), Some(losses)) => Ok(Goal::Model(model, losses)),
                _ => Err(None),
            }
        }
        (None, Some(_), None) => fault(
            Diagnostic::error(Code::TRAIN_FIELD, "a run with a model needs `loss`")
                .at(fields.name, "none is named")
                .help("for example `loss = softmax_cross_entropy`"),
        ),
        (None, None, _) => fault(
            Diagnostic::error(Code::TRAIN_FIELD, "a run needs `model` and `loss`, or `objective`")
                .at(fields.name, "nothing to train is named")
                .help("name them: `model = net, loss = mse`"),
        ),
    }
}

/// One loss, or those of a list.
fn losses<'p>(elab: &mut Elab<'p>, fields: &Fields<'p>, e: &'p Expr, env: &Env<'p>, what: &str) -> Res<Losses<'p>> {
    let each = listed(e, what)?;
    if each.is_empty() {
        let none = Diagnostic::error(Code::TRAIN_FIELD, format!("`{what}` names nothing to train"));
        return fault(none.at(e.span, "an empty list").help(format!("name one: `{what} = [f, g]`")));
    }
    let found: Vec<_> = each.iter().map(|e| elab.subject(e, env, what)).collect();
    let found: Vec<_> = found.into_iter().map(|s| elab.keep(s)).collect();
    let found: Option<Vec<_>> = found.into_iter().collect();
    let sum = matches!(fields.get("aggregate").map(|e| &e.kind), Some(ExprKind::Path(p))
        if matches!(p.as_slice(), [n] if &*n.name == "sum"));
    let bare = each.len() > 1;
    Ok(Losses { list: found.ok_or(None)?.into_iter().zip(each).collect(), sum, bare })
}

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
            .also(p.span, format!("{} in training", p.leaf))
            .help("give it the same dimensions in both forms"),
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

/// Elaborates what a run is about, in training or outside; noise is numbered from `noises` on, so that draws of several
/// objectives differ.
pub(crate) fn objective_of(
    defs: &Definitions,
    goal: &Goal<'_>,
    env: &Env<'_>,
    given: &Given,
    evaluating: bool,
    noises: usize,
    said: &mut Diagnostics,
) -> Option<Objective> {
    let mut elab = Elab::new(defs);
    elab.evaluating = evaluating;
    elab.first_noise = noises;
    let built = objective_in(&mut elab, goal, env, given);
    let built = elab.keep(built);
    let failed = elab.diagnostics.has_errors();
    std::mem::take(&mut elab.diagnostics).0.into_iter().for_each(|d| said.push(d));
    let outs = built.filter(|_| !failed)?;
    let (params, noise) = (std::mem::take(&mut elab.params), elab.noise_ports());
    Some((elab.b.finish(&outs), params, noise))
}

/// The wires of an objective: what is trained, then, of several losses, each.
fn objective_in<'p>(elab: &mut Elab<'p>, goal: &Goal<'p>, env: &Env<'p>, given: &Given) -> Res<Vec<Wire>> {
    let (types, data) = (&given.types, given.at);
    let each = match goal {
        Goal::Objective(losses) => objectives(elab, losses, env, given)?,
        Goal::Model(model, losses) => {
            let (vars, from) = elab.domain(model, env)?;
            if data.is_none() {
                return fault(
                    Diagnostic::error(Code::TRAIN_FIELD, "a run with a model needs `data`")
                        .at(model.call.span, "this model")
                        .help("name it: `data = iris`, with `data iris { .. }` in this file"),
                );
            }
            let input = elab.inputs(&from, &vars, &input_name(model.map), Role::Input)?;
            agree(elab, &input, types.0.as_ref(), model, "input", data)?;
            let y = elab.run_subject(model, env, input)?;
            let mut shared = None;
            let mut each = Vec::new();
            for (loss, l) in &losses.list {
                let target = match &shared {
                    Some(target) => Value::clone(target),
                    None => target(elab, loss, env, &y, types.1.as_ref(), l.span)?,
                };
                elab.at(l.span, env);
                let value = elab.run_subject(loss, env, Value::Tuple(vec![y.clone(), target.clone()]))?;
                shared = Some(target);
                each.push(trainable(elab, &value, l.span)?);
            }
            each
        }
    };
    let losses = goal.losses();
    match each.as_slice() {
        [one] => Ok(vec![*one]),
        several => {
            let spans: Vec<Span> = losses.list.iter().map(|(_, e)| e.span).collect();
            let total = met(elab, several, &spans, losses.sum)?;
            Ok([&[total], several].concat())
        }
    }
}

/// Objectives on the same wires. Of several, a port is named by itself, so that those that have a port of one name
/// share it.
fn objectives<'p>(elab: &mut Elab<'p>, losses: &Losses<'p>, env: &Env<'p>, given: &Given) -> Res<Vec<Wire>> {
    elab.bare_ports = losses.bare;
    let mut shared: Option<(Value, Span)> = None;
    let mut each = Vec::new();
    for (s, e) in &losses.list {
        let (mut vars, from) = elab.domain(s, env)?;
        let input = match &shared {
            None => arriving(elab, s, e, (&vars, &from), given)?,
            Some((input, first)) => {
                let input = input.clone();
                if let Some(m) = elab.unify(&from, &input, &mut vars)? {
                    return fault(
                        Diagnostic::error(
                            Code::OBJECTIVE,
                            format!("`{}` takes {}, the first objective {}", s.map.name.name, m.needs, m.gives),
                        )
                        .at(e.span, format!("takes {}", m.needs))
                        .also(*first, format!("takes {}", m.gives))
                        .help(
                            "objectives of one run take the same wires; one that needs fewer can ignore them: `(_, t)`",
                        ),
                    );
                }
                input
            }
        };
        shared.get_or_insert((input.clone(), e.span));
        let value = elab.run_subject(s, env, input)?;
        each.push(trainable(elab, &value, e.span)?);
    }
    Ok(each)
}

/// The wires that an objective takes, as the data gives them.
fn arriving<'p>(
    elab: &mut Elab<'p>,
    s: &Subject<'p>,
    e: &'p Expr,
    (vars, from): (&Vars, &Ty<'p>),
    given: &Given,
) -> Res<Value> {
    let (types, data) = (&given.types, given.at);
    if let Some(wires) = &given.wires {
        return of_tuple(elab, s, e, (vars, from), (given, wires));
    }
    if let (Ty::Tuple(parts, _), Some(_)) = (from, data)
        && parts.len() == 2
    {
        let columns = [(Role::Input, "input", types.0.as_ref()), (Role::Target, "target", types.1.as_ref())];
        let mut values = Vec::new();
        for ((own, t), (role, name, given)) in parts.iter().zip(columns) {
            let name = own.as_ref().map_or(name.to_owned(), ToString::to_string);
            let value = elab.inputs(t, vars, &name, role)?;
            agree(elab, &value, given, s, name.as_str(), data)?;
            values.push(value);
        }
        return Ok(Value::Tuple(values));
    }
    let value = elab.inputs(from, vars, &input_name(s.map), Role::Input)?;
    if data.is_none() && !matches!(&value, Value::Tuple(parts) if parts.is_empty()) {
        return fault(
            Diagnostic::error(Code::TRAIN_FIELD, format!("`{}` takes wires, the run names no data", s.map.name.name))
                .at(e.span, "needs data")
                .also(s.map.arrow.from.span, format!("takes {}", elab.show(&value)))
                .help("add `data = ..`, or train an objective `() -> R[1]`"),
        );
    }
    agree(elab, &value, types.0.as_ref(), s, "input", data)?;
    Ok(value)
}

/// The wire of a loss, which must be a number or bits.
fn trainable(elab: &mut Elab<'_>, value: &Value, at: Span) -> Res<Wire> {
    let wire = elab.as_wire(value, at)?;
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

/// What several losses are together: their mean or sum over the reals, their sum over whole numbers, all their bits.
fn met(elab: &mut Elab<'_>, each: &[Wire], spans: &[Span], sum: bool) -> Res<Wire> {
    let leaves: Vec<Leaf> = each.iter().map(|w| elab.leaf(*w)).collect();
    let first = leaves.first().cloned().ok_or(None)?;
    let span = |i: usize| spans.get(i).copied().unwrap_or_default();
    if let Some(other) = leaves.iter().position(|l| l.base != first.base) {
        let leaf = leaves.get(other).map(Leaf::to_string).unwrap_or_default();
        return fault(
            Diagnostic::error(Code::OBJECTIVE, "the losses of a run are of one kind")
                .at(span(other), format!("gives {leaf}"))
                .also(span(0), format!("gives {first}"))
                .help("make bits a number with `popcount`, or train in two runs"),
        );
    }
    let made = (|| {
        if first.base == Base::Bool {
            let flat: Vec<Wire> = each
                .iter()
                .zip(&leaves)
                .map(|(w, l)| elab.b.reshape_all(*w, &[Dim::lit(l.size(1) as u64)]))
                .collect::<Result<_, _>>()?;
            return elab.b.op(Op::Concat { core: 1 }, &flat);
        }
        let (one, rest) = each.split_first().ok_or(TypeFault::Foreign)?;
        let total = rest.iter().try_fold(*one, |total, w| elab.b.add(total, *w))?;
        #[allow(clippy::cast_precision_loss, reason = "a count of losses")]
        let count = each.len() as f64;
        if sum || first.base == Base::Int { Ok(total) } else { divided(&mut elab.b, total, count) }
    })();
    elab.typed(made, "the losses", span(0))
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
                .at(span, "not a loss")
                .also(loss.map.arrow.from.span, "a loss takes (prediction, label)")
                .help("a loss takes two: `(y: R[n], t: R[n]) -> R[1]`"),
        );
    };
    let [(_, prediction), (_, label)] = parts.as_slice() else {
        return fault(
            Diagnostic::error(
                Code::OBJECTIVE,
                format!("a loss takes (prediction, label), this takes {} wires", parts.len()),
            )
            .at(span, "not a loss")
            .also(loss.map.arrow.from.span, "here")
            .help("take the prediction first and the label second: `(y: R[n], t: R[n]) -> R[1]`"),
        );
    };
    if let Some(m) = elab.unify(prediction, y, &mut vars)? {
        return fault(
            Diagnostic::error(Code::SHAPE, format!("the model gives {}, the loss takes {}", m.gives, m.needs))
                .at(span, format!("takes {}", m.needs))
                .help(format!("end the model in {}, or take another loss", m.needs)),
        );
    }
    elab.inputs(label, &vars, "target", Role::Target)
}

/// Compares a model's input with what the data gives.
pub(crate) fn agree<'p>(
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
    .at(at, format!("takes {needs}"))
    .help(match (needs.base, gives.base) {
        (a, b) if a == b => format!("change the type of the {what} to {gives}, or the columns that `data` reads"),
        _ => format!("encode the {what} in `data` so that it gives {}", needs.base.plural()),
    });
    fault(match data {
        Some(span) => d.at(span, format!("gives {gives}")),
        None => d,
    })
}

/// The model outside training.
pub(crate) fn prediction(defs: &Definitions, goal: &Goal<'_>, env: &Env<'_>) -> Option<Model> {
    let Goal::Model(model, _) = goal else { return None };
    let mut elab = Elab::new(defs);
    elab.evaluating = true;
    let (vars, from) = elab.domain(model, env).ok()?;
    let input = elab.inputs(&from, &vars, &input_name(model.map), Role::Input).ok()?;
    let value = elab.run_subject(model, env, input).ok()?;
    let outs = elab.out_wires(&value, model).ok()?;
    let (params, noise) = (elab.parameters(), elab.noise_ports());
    Some(Model { name: model.map.name.name.clone(), diagram: elab.b.finish(&outs), params, noise })
}

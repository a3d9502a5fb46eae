//! `train`: from a record to everything that a run needs.
//!
//! In: the record with overrides. Out: a [`Training`]: the objective of one example, the predictions, the rule over the
//! parameters, settings with defaults filled in. All fields are looked at before the first error ends it.

use crate::diagram::Diagram;
use crate::elaborate::items::data_items::data_of;
use crate::elaborate::items::given::Given;
use crate::elaborate::items::objective::{goal, objective_of, prediction, trained};
use crate::elaborate::items::ports::ParamPort;
use crate::elaborate::items::{frozen, monitors, settings};
use crate::elaborate::program::{Parameter, Part, Player, RuleDiagram, Training, Turns};
use crate::elaborate::scope::names::{Definitions, nearest};
use crate::elaborate::session::Elab;
use crate::elaborate::update::rules;
use crate::elaborate::value::{Env, Place};
use crate::object::{Base, Leaf, Tangent};
use crate::source::{Code, Diagnostic, Diagnostics, Span};
use crate::syntax::ast::{Expr, Field, Ident, RecordItem};
use std::sync::Arc;

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

/// Elaborates a training run.
pub(crate) fn training(
    defs: &Definitions,
    file: usize,
    record: &RecordItem,
    overrides: &[Field],
) -> Result<Training, Diagnostics> {
    let mut said = Diagnostics::default();
    let built = build(defs, file, record, overrides, &mut said);
    told(built, &record.name, said)
}

/// A run, or why there is none.
pub(crate) fn told(built: Option<Training>, name: &Ident, mut said: Diagnostics) -> Result<Training, Diagnostics> {
    match built {
        Some(t) if !said.has_errors() => Ok(Training { warnings: said, ..t }),
        _ if said.has_errors() => Err(said),
        _ => {
            // Every fault says why; one that does not must not look like success.
            said.push(
                Diagnostic::error(Code::NOT_YET, format!("`{}` cannot be elaborated", name.name))
                    .at(name.span, "for a reason that was not said")
                    .help("this is a fault of catlearn: please report it with the program"),
            );
            Err(said)
        }
    }
}

/// The fields of an item with its overrides; messages where one is unknown or comes twice.
pub(crate) fn fields_of<'p>(
    (what, known): (&str, &[&str]),
    name: Span,
    own: &'p [Field],
    overrides: &'p [Field],
    said: &mut Diagnostics,
) -> Fields<'p> {
    let all = Fields { list: overrides.iter().rev().chain(own).collect(), name };
    known_fields((what, known), &all, said);
    Fields { list: replaced(overrides, own), name }
}

fn build(
    defs: &Definitions,
    file: usize,
    record: &RecordItem,
    overrides: &[Field],
    said: &mut Diagnostics,
) -> Option<Training> {
    let fields = fields_of(("a training run", FIELDS), record.name.span, &record.fields, overrides, said);
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
    let entries = frozen::entries(&mut elab, fields.get("frozen"));
    said.0.extend(std::mem::take(&mut elab.diagnostics).0);
    let (goal, settings) = (goal?, settings?);
    let data_at = fields.get("data").map(|e| e.span);
    let types = spec.as_ref().map(|(s, _, _)| s.types()).unwrap_or_default();
    let given = Given { at: data_at, types, wires: None };
    let (objective, params, noise) = objective_of(defs, &goal, &env, &given, false, 0, said)?;
    let (evaluate, outside, evaluate_noise) = objective_of(defs, &goal, &env, &given, true, 0, said)?;
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
    let paths: Vec<Arc<str>> = params.iter().map(|p| p.path.clone()).collect();
    let still = frozen::frozen(&entries, &paths, said);
    let moves = |(leaf, still): (&(Arc<str>, Leaf), &bool)| (!still).then(|| leaf.clone());
    let moved: Vec<(Arc<str>, Leaf)> = leaves.iter().zip(&still).filter_map(moves).collect();
    if moved.is_empty() {
        said.push(
            Diagnostic::error(Code::OBJECTIVE, "there is nothing to train: every parameter is frozen")
                .at(fields.get("frozen").map_or(fields.name, |e| e.span), format!("freezes {}", paths.join(", ")))
                .help("leave one of them out of `frozen`"),
        );
        return None;
    }
    let rule = rules::build(defs, rule, &env, &leaves, &still, said)?;
    let settings = settings.resolved(&rule, &fields, said)?;
    if let Some(d) = nothing_asked(&rule, &moved, at).or_else(|| no_request(&rule, &objective, at)) {
        said.push(d);
        return None;
    }
    monitors::known(&settings.monitors, &goal.losses().names()).into_iter().for_each(|d| said.push(d));
    let resolved =
        fields.list.iter().map(|f| (f.name.name.to_string(), defs.sources.slice(f.value.span).to_owned())).collect();
    Some(Training {
        name: record.name.name.clone(),
        span: record.name.span,
        losses: goal.losses().names(),
        params,
        noise,
        player: Player {
            name: record.name.name.clone(),
            span: record.name.span,
            objective,
            evaluate,
            evaluate_noise,
            maximises: false,
            part: Part::Train,
            rule,
        },
        others: Vec::new(),
        cycle: vec![Turns { players: vec![0], times: 1 }],
        predict,
        settings,
        data_span: data_at.unwrap_or(record.name.span),
        data: spec.map(|(s, name, _)| (s, name)),
        resolved,
        warnings: Diagnostics::default(),
    })
}

/// The message when no parameter that a rule moves has a request.
pub(crate) fn nothing_asked(rule: &RuleDiagram, moved: &[(Arc<str>, Leaf)], at: Span) -> Option<Diagnostic> {
    if moved.iter().any(|(_, leaf)| rule.tangent.of(leaf).is_some()) {
        return None;
    }
    Some(
        Diagnostic::error(Code::OBJECTIVE, "there is nothing to train: no parameter has a request")
            .at(at, format!("asks for {}", rule.tangent))
            .note(format!(
                "the parameters are {}",
                moved.iter().map(|(p, l)| format!("{p}: {l}")).collect::<Vec<_>>().join(", ")
            ))
            .help(match rule.tangent {
                Tangent::Real => "train bits with a rule over bits: `rda`, or `counter(limit = 60)`",
                Tangent::Parity | Tangent::Votes => {
                    "train real parameters with a rule over reals, such as `adam(lr = 1e-3)`"
                }
            }),
    )
}

/// The message when the loss has no request of the kind that the rule asks for.
pub(crate) fn no_request(rule: &RuleDiagram, objective: &Diagram, at: Span) -> Option<Diagnostic> {
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

fn known_fields((what, known): (&str, &[&str]), fields: &Fields<'_>, said: &mut Diagnostics) {
    for (i, field) in fields.list.iter().enumerate() {
        if !known.contains(&&*field.name.name) {
            let d = Diagnostic::error(Code::TRAIN_FIELD, format!("{what} has no field `{}`", field.name.name))
                .at(field.name.span, "unknown field");
            said.push(match nearest(&field.name.name, known.iter().copied()) {
                Some(near) => d.help(format!("did you mean `{near}`?")),
                None => d.help(format!("its fields are {}", known.join(", "))),
            });
        }
        let earlier = fields.list.iter().take(i).find(|f| f.name.name == field.name.name);
        if let Some(earlier) = earlier.filter(|e| e.name.span.file == field.name.span.file) {
            said.push(
                Diagnostic::error(Code::TRAIN_FIELD, format!("`{}` is given twice", field.name.name))
                    .at(field.name.span, "again here")
                    .also(earlier.name.span, "first here")
                    .help("keep one of them"),
            );
        }
    }
}

//! `game`: players with a rule each, over the parameters of ports that they own.
//!
//! In: the item with overrides. Out: a [`Training`] with several players over one S * P, like that of a `train`. Ports of
//! one name in the players' objectives are one port; a player moves the leaves below its own. All fields and players are
//! looked at before the first error ends it.

use crate::diagram::Diagram;
use crate::elaborate::items::game_data::{DataOfGame, data_of_game};
use crate::elaborate::items::game_schedule::cycle;
use crate::elaborate::items::given::Given;
use crate::elaborate::items::objective::{Goal, objective_of, trained};
use crate::elaborate::items::owners::{Players, owners};
use crate::elaborate::items::ports::ParamPort;
use crate::elaborate::items::train::{Fields, fields_of, no_request, nothing_asked, told};
use crate::elaborate::items::{frozen, monitors, settings};
use crate::elaborate::program::{BatchSize, Parameter, Part, Player, RuleDiagram, Training};
use crate::elaborate::scope::names::{Definitions, nearest};
use crate::elaborate::session::Elab;
use crate::elaborate::update::rules;
use crate::elaborate::value::{Env, Place, Res, fault};
use crate::object::{Leaf, Tangent};
use crate::source::{Code, Diagnostic, Diagnostics};
use crate::syntax::ast::{self, Field, GameItem};
use std::sync::Arc;

/// The fields a `game` may have.
const FIELDS: &[&str] = &[
    "data",
    "schedule",
    "restart",
    "frozen",
    "aggregate",
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
];

/// Elaborates a game.
pub(crate) fn game(
    defs: &Definitions,
    file: usize,
    item: &GameItem,
    overrides: &[Field],
) -> Result<Training, Diagnostics> {
    let mut said = Diagnostics::default();
    let built = build(defs, file, item, overrides, &mut said);
    told(built, &item.name, said)
}

/// What a player plays for, in training and outside.
#[derive(Clone)]
struct Played {
    objective: Diagram,
    evaluate: Diagram,
    evaluate_noise: Vec<Parameter>,
    params: Vec<ParamPort>,
}

/// The noise of all objectives.
#[derive(Default)]
struct Noise {
    ports: Vec<Parameter>,
    /// How many draws have a number.
    drawn: usize,
}

fn build(
    defs: &Definitions,
    file: usize,
    item: &GameItem,
    overrides: &[Field],
    said: &mut Diagnostics,
) -> Option<Training> {
    let fields = fields_of(("a game", FIELDS), item.name.span, &item.fields, overrides, said);
    let mut elab = Elab::new(defs);
    let env = Env::new(file, Place::new(""));
    let data = match fields.get("data") {
        Some(e) => {
            let found = data_of_game(&mut elab, e, &env);
            elab.keep(found)
        }
        None => Some(DataOfGame::default()),
    };
    let parts: Vec<Res<Part>> = item.players.iter().map(|p| part(p, &fields)).collect();
    let parts: Vec<Option<Part>> = parts.into_iter().map(|p| elab.keep(p)).collect();
    let cycle = cycle(&mut elab, fields.get("schedule"), &item.players, &env);
    let cycle = elab.keep(cycle);
    if let Some(e) = fields.get("restart") {
        let not: Res<()> = Elab::not_yet("`restart`", e.span);
        elab.keep(not);
    }
    let entries = frozen::entries(&mut elab, fields.get("frozen"));
    // What a game reads by itself is no setting of a run.
    let own = |f: &&Field| !["schedule", "restart", "frozen"].contains(&&*f.name.name);
    let plain = Fields { list: fields.list.iter().copied().filter(own).collect(), name: fields.name };
    // A schedule that is not known may say how long the game is.
    let settings = match &cycle {
        Some(_) => {
            let settings = settings::settings(&mut elab, &plain, &env);
            elab.keep(settings)
        }
        None => None,
    };
    let goals: Vec<Res<Goal<'_>>> =
        item.players.iter().map(|p| Goal::of_player(&mut elab, &p.objective, &env)).collect();
    let goals: Vec<Option<Goal<'_>>> = goals.into_iter().map(|g| elab.keep(g)).collect();
    item.players.iter().for_each(|p| rules::check_expr(&mut elab, &p.rule, &env));
    said.0.extend(std::mem::take(&mut elab.diagnostics).0);
    if item.players.is_empty() {
        said.push(
            Diagnostic::error(Code::TRAIN_FIELD, "a game needs players")
                .at(item.name.span, "nobody plays")
                .help("for example `player G minimises value with adam(lr = 1e-3)`"),
        );
        return None;
    }
    let (data, settings, cycle) = (data?, settings?, cycle?);
    let mut players: Vec<Played> = Vec::new();
    let mut noise = Noise::default();
    let mut complete = true;
    for (at, (player, goal)) in item.players.iter().zip(&goals).enumerate() {
        // Players of one objective play it together, on one draw of its noise.
        let text = |p: &ast::Player| defs.sources.slice(p.objective.span);
        let before = item.players.iter().take(at).position(|other| text(other) == text(player));
        let made = match (goal, before.and_then(|at| players.get(at)).cloned()) {
            (Some(_), Some(known)) => Some(known),
            (Some(goal), None) => played(defs, goal, &env, &data.given, &mut noise, &fields, said),
            (None, _) => None,
        };
        match made {
            Some(made) => players.push(made),
            None => complete = false,
        }
    }
    if !complete {
        return None;
    }
    let ports: Vec<&[ParamPort]> = players.iter().map(|p| p.params.as_slice()).collect();
    let frozen_at = fields.get("frozen").map(|e| e.span);
    let Players { params, owner } = owners(defs, &item.players, &ports, (&entries, frozen_at), said)?;
    let leaves: Vec<(Arc<str>, Leaf)> = params.iter().map(|p| (p.path.clone(), p.leaf.clone())).collect();
    let mut made: Vec<Player> = Vec::new();
    let all = item.players.iter().zip(players).zip(parts).enumerate();
    for (at, ((player, Played { objective, evaluate, evaluate_noise, .. }), part)) in all {
        let own = leaves.iter().zip(&owner).filter(|(_, o)| **o == Some(at)).map(|(leaf, _)| leaf.clone()).collect();
        let Some(rule) = rule_of(defs, player, own, &objective, &env, said) else { continue };
        let name = player.name.name.clone();
        let (span, maximises) = (player.name.span, player.maximises);
        made.extend(part.map(|part| Player { name, span, objective, evaluate, evaluate_noise, maximises, part, rule }));
    }
    if made.len() < item.players.len() {
        return None;
    }
    let mut made = made.into_iter();
    let (first, others) = (made.next()?, made.collect::<Vec<Player>>());
    if let Some((at, other)) = others.iter().enumerate().find(|(_, p)| p.rule.tangent != first.rule.tangent) {
        let span = item.players.get(at + 1).map_or(item.name.span, |p| p.rule.span);
        said.push(
            Diagnostic::error(Code::NOT_YET, "players over different tangents are not supported yet")
                .at(span, format!("requests over {}", other.rule.tangent))
                .also(item.players.first().map_or(item.name.span, |p| p.rule.span), first.rule.tangent.to_string())
                .help("let all players have rules over real numbers, or all over bits"),
        );
        return None;
    }
    let settings = settings.resolved(&first.rule, &plain, said)?;
    if let (BatchSize::Active(_), Some(e)) = (settings.batch, fields.get("batch")) {
        said.push(
            Diagnostic::error(Code::NOT_YET, "`active(k)` in a game is not supported yet")
                .at(e.span, "whose loss is meant is not said")
                .help("write `batch = k`"),
        );
        return None;
    }
    // One player alone has the loss of the run.
    let losses: Vec<Arc<str>> =
        std::iter::once(&first).chain(&others).map(|p| p.name.clone()).filter(|_| !others.is_empty()).collect();
    monitors::known(&settings.monitors, &losses).into_iter().for_each(|d| said.push(d));
    let slice = |span| defs.sources.slice(span).to_owned();
    let written = item.players.iter().map(|p| (format!("player.{}", p.name.name), slice(p.span)));
    let resolved = written.chain(fields.list.iter().map(|f| (f.name.name.to_string(), slice(f.value.span)))).collect();
    Some(Training {
        name: item.name.name.clone(),
        span: item.name.span,
        losses,
        params,
        noise: noise.ports,
        player: first,
        others,
        cycle,
        predict: None,
        settings,
        data_span: fields.get("data").map_or(item.name.span, |e| e.span),
        data: data.set,
        resolved,
        warnings: Diagnostics::default(),
    })
}

/// The part of the data that a player reads.
fn part(player: &ast::Player, fields: &Fields<'_>) -> Res<Part> {
    let Some(name) = &player.part else { return Ok(Part::Train) };
    let d = |why: String| Diagnostic::error(Code::GAME_PART, why).at(name.span, "this part");
    let Some(part) = Part::ALL.into_iter().find(|p| p.name() == &*name.name) else {
        let d = d(format!("data has no part `{}`", name.name));
        return fault(match nearest(&name.name, Part::ALL.map(Part::name)) {
            Some(near) => d.help(format!("did you mean `{near}`?")),
            None => d.help("the parts are train, valid and test"),
        });
    };
    match fields.get("data") {
        Some(_) => Ok(part),
        None => fault(
            d(format!("`{}` reads the {} part, the game names no data", player.name.name, part.name()))
                .help("add `data = ..`, or leave `on` off"),
        ),
    }
}

/// Elaborates an objective; its noise is added to that of the others.
fn played<'p>(
    defs: &Definitions,
    goal: &Goal<'p>,
    env: &Env<'p>,
    given: &Given,
    noise: &mut Noise,
    fields: &Fields<'_>,
    said: &mut Diagnostics,
) -> Option<Played> {
    let from = noise.drawn;
    let (objective, params, drawn) = objective_of(defs, goal, env, given, false, from, said)?;
    let (evaluate, outside, evaluate_noise) = objective_of(defs, goal, env, given, true, from, said)?;
    // A number is one draw of one objective, in both of its forms.
    noise.drawn += drawn.len().max(evaluate_noise.len());
    for port in drawn {
        // What the data draws is one draw for all.
        if !noise.ports.iter().any(|n| n.path == port.path) {
            noise.ports.push(port);
        }
    }
    trained(&params, &outside, fields.name, said).then_some(Played { objective, evaluate, evaluate_noise, params })
}

/// The rule of a player over the leaves that it owns.
fn rule_of(
    defs: &Definitions,
    player: &ast::Player,
    own: Vec<(Arc<str>, Leaf)>,
    objective: &Diagram,
    env: &Env<'_>,
    said: &mut Diagnostics,
) -> Option<RuleDiagram> {
    let mut rule = rules::build(defs, &player.rule, env, &own, &vec![false; own.len()], said)?;
    let at = player.rule.span;
    if let Some(d) = nothing_asked(&rule, &own, at).or_else(|| no_request(&rule, objective, at)) {
        said.push(d);
        return None;
    }
    if player.maximises && rule.tangent != Tangent::Real {
        let name = &player.name.name;
        let why = format!("`{name}` maximises, and requests over {} have no other side", rule.tangent);
        said.push(
            Diagnostic::error(Code::GAME_SIDE, why)
                .at(player.span, "maximises")
                .also(at, format!("asks for {}", rule.tangent))
                .help("write `minimises`: bits and votes have no negative request"),
        );
        return None;
    }
    // A state of a rule over all leaves is named by its player.
    let below = format!("{}.", player.name.name);
    for state in rule.states.iter_mut().filter(|s| !s.path.starts_with(&below)) {
        state.path = format!("{below}{}", state.path).into();
    }
    Some(rule)
}

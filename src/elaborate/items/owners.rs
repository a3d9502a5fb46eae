//! Who owns which parameters of a game.
//!
//! In: the players and the parameters of their objectives. Out: each parameter once, with the player whose rule moves it;
//! errors where a port has two owners or none, a player no port, or two objectives do not mean one port by one name.

use crate::elaborate::items::frozen::{self, Entry};
use crate::elaborate::items::ports::ParamPort;
use crate::elaborate::program::Parameter;
use crate::elaborate::scope::names::{Definitions, nearest};
use crate::source::{Code, Diagnostic, Diagnostics, Span};
use crate::syntax::ast::Player;
use std::sync::Arc;

/// The parameters of a game and the numbers of their owners; nobody owns what is frozen.
pub(crate) struct Players {
    pub(crate) params: Vec<Parameter>,
    pub(crate) owner: Vec<Option<usize>>,
}

/// The port that a path begins with.
fn port(path: &str) -> &str {
    path.split_once('.').map_or(path, |(port, _)| port)
}

/// Finds the owner of every parameter of the objectives, one list of ports a player.
pub(crate) fn owners(
    defs: &Definitions,
    players: &[Player],
    ports: &[&[ParamPort]],
    (entries, frozen_at): (&[Entry], Option<Span>),
    said: &mut Diagnostics,
) -> Option<Players> {
    let before = said.0.iter().filter(|d| d.is_error()).count();
    let merged = merged(players, ports, said);
    let paths: Vec<Arc<str>> = merged.iter().map(|(_, p)| p.path.as_str().into()).collect();
    let still = frozen::frozen(entries, &paths, said);
    for (at, player) in players.iter().enumerate() {
        seated(players, at, ports, said);
        let own = || paths.iter().zip(&still).filter(|(path, _)| port(path) == &*player.name.name);
        if own().next().is_some() && own().all(|(_, still)| *still) {
            said.push(
                Diagnostic::error(
                    Code::OBJECTIVE,
                    format!("`{}` has nothing to move: all of it is frozen", player.name.name),
                )
                .at(player.name.span, "this player")
                .also(frozen_at.unwrap_or(player.name.span), "frozen here")
                .help("leave the player out, or a part of its port unfrozen"),
            );
        }
    }
    let mut owner = Vec::new();
    let mut told: Vec<&str> = Vec::new();
    for ((path, still), (by, param)) in paths.iter().zip(&still).zip(&merged) {
        let found = players.iter().position(|p| *p.name.name == *port(path));
        owner.push(found.filter(|_| !still));
        if found.is_none() && !still && !told.contains(&port(path)) {
            told.push(port(path));
            said.push(unowned(defs, players, *by, param, &paths));
        }
    }
    let after = said.0.iter().filter(|d| d.is_error()).count();
    let params = merged.into_iter().map(|(_, p)| p.clone().plain()).collect();
    (after == before).then_some(Players { params, owner })
}

/// Every parameter once, with the number of the first player whose objective has it.
fn merged<'a>(players: &[Player], ports: &[&'a [ParamPort]], said: &mut Diagnostics) -> Vec<(usize, &'a ParamPort)> {
    let mut all: Vec<(usize, &ParamPort)> = Vec::new();
    for (by, port) in ports.iter().enumerate().flat_map(|(by, list)| list.iter().map(move |p| (by, p))) {
        let Some((first, known)) = all.iter().find(|(_, p)| p.path == port.path) else {
            all.push((by, port));
            continue;
        };
        let differs = if known.leaf != port.leaf {
            format!("is {} in one objective and {} in another", known.leaf, port.leaf)
        } else if known.init != port.init {
            "begins differently in two objectives".to_owned()
        } else {
            continue;
        };
        let at = |i: usize| players.get(i).map(|p| p.objective.span).unwrap_or_default();
        said.push(
            Diagnostic::error(Code::PORT, format!("`{}` {differs}", port.path))
                .at(at(by), port.leaf.to_string())
                .also(at(*first), known.leaf.to_string())
                .help("ports of one name in a game are one port; give one of them another name"),
        );
    }
    all
}

/// Whether a player has its port in its objective, and alone.
fn seated(players: &[Player], at: usize, ports: &[&[ParamPort]], said: &mut Diagnostics) {
    let Some(player) = players.get(at) else { return };
    let name = &player.name.name;
    if let Some(first) = players.iter().take(at).find(|p| p.name.name == *name) {
        said.push(
            Diagnostic::error(Code::GAME_OWNERS, format!("the port `{name}` has two owners"))
                .at(player.name.span, "again here")
                .also(first.name.span, "first here")
                .help("a port has one owner, whose rule moves it; name each player after a port of its own"),
        );
        return;
    }
    let has = |list: &[ParamPort]| list.iter().any(|p| port(&p.path) == &**name);
    let own = ports.get(at).copied().unwrap_or_default();
    if has(own) {
        return;
    }
    let mut known: Vec<&str> = own.iter().map(|p| port(&p.path)).collect();
    known.dedup();
    let listed = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    let other = players.iter().zip(ports).find(|(_, list)| has(list)).map(|(p, _)| p);
    let d = match other {
        // Only an inner player's answer, which no schedule of this version looks through, could depend on it.
        Some(_) => {
            let why = format!("the objective of `{name}` does not read its port `{name}`");
            Diagnostic::warning(Code::GAME_PORT, why).note("its request is zero: the player stays where it begins")
        }
        None => Diagnostic::error(Code::GAME_PORT, format!("no objective has a port `{name}`")),
    };
    let d = d.at(player.name.span, "a player is named after the port that it owns");
    let d = d.also(player.objective.span, format!("its ports: {listed}"));
    said.push(match (other, nearest(name, known.iter().copied())) {
        (Some(other), _) => {
            d.also(other.objective.span, "the port is here").help("name an objective that depends on the port")
        }
        (None, Some(near)) => d.help(format!("did you mean `{near}`?")),
        (None, None) => d.help("declare it in `{ }`: `model value {G: params(net)} : ..`"),
    });
}

/// The message for a port without an owner.
fn unowned(defs: &Definitions, players: &[Player], by: usize, param: &ParamPort, paths: &[Arc<str>]) -> Diagnostic {
    let name = port(&param.path);
    let below: Vec<&str> = paths.iter().filter(|p| port(p) == name).map(|p| &**p).collect();
    let span = players.get(by).map(|p| p.objective.span).unwrap_or_default();
    let d = Diagnostic::error(Code::GAME_OWNER, format!("nobody owns the port `{name}`")).at(span, "in this objective");
    let d = if defs.in_prelude(param.span) { d } else { d.also(param.span, "declared here") };
    let d = if below == [name] { d } else { d.note(format!("it has {}", below.join(", "))) };
    d.help(format!("add `player {name} ..`, or leave it as it is drawn: `frozen = [{name}]`"))
}

//! `schedule`: the turns that make one step of a game.

use crate::elaborate::items::settings::{call, count, word};
use crate::elaborate::program::Turns;
use crate::elaborate::scope::names::nearest;
use crate::elaborate::session::Elab;
use crate::elaborate::value::{Env, Res, fault};
use crate::source::{Code, Diagnostic};
use crate::syntax::ast::{Arg, ArgValue, Expr, Player};

/// What this version knows.
const KNOWN: [&str; 3] = ["simultaneous", "alternating", "cycle"];

/// What the language knows beyond that.
const LATER: [&str; 2] = ["extragradient", "nested"];

/// The turns of a schedule: `simultaneous` unless one is named.
pub(crate) fn cycle<'p>(
    elab: &mut Elab<'p>,
    e: Option<&'p Expr>,
    players: &[Player],
    env: &Env<'p>,
) -> Res<Vec<Turns>> {
    let together = || vec![Turns { players: (0..players.len()).collect(), times: 1 }];
    let Some(e) = e else { return Ok(together()) };
    let called = call(e);
    let name = called.map(|(name, _)| name.to_owned()).or_else(|| word(e)).unwrap_or_default();
    match (name.as_str(), called) {
        ("simultaneous", None) => Ok(together()),
        ("alternating", None) => Ok((0..players.len()).map(|p| Turns { players: vec![p], times: 1 }).collect()),
        ("cycle", Some((_, args))) => counted(elab, e, args, players, env),
        (later, _) if LATER.contains(&later) => Elab::not_yet(&format!("the schedule `{later}`"), e.span),
        _ => {
            let d =
                Diagnostic::error(Code::GAME_SCHEDULE, "`schedule` is `simultaneous`, `alternating` or `cycle(..)`")
                    .at(e.span, "not one");
            let near = nearest(&name, KNOWN).filter(|near| *near != name);
            let each: Vec<String> = players.iter().map(|p| format!("{} = 1", p.name.name)).collect();
            fault(match near {
                Some(near) => d.help(format!("did you mean `{near}`?")),
                None => d.help(format!("for example `cycle({})`", each.join(", "))),
            })
        }
    }
}

/// `cycle(D = 5, G = 1)`: so many turns of each, in the order written.
fn counted<'p>(
    elab: &mut Elab<'p>,
    e: &'p Expr,
    args: &'p [Arg],
    players: &[Player],
    env: &Env<'p>,
) -> Res<Vec<Turns>> {
    let names = || players.iter().map(|p| &*p.name.name);
    let mut turns: Vec<Turns> = Vec::new();
    for arg in args {
        let (Some(name), ArgValue::Expr(times)) = (&arg.name, &arg.value) else {
            return fault(
                Diagnostic::error(Code::GAME_SCHEDULE, "`cycle` names its players")
                    .at(arg.span, "whose turns?")
                    .help(format!("for example `cycle({} = 1)`", names().next().unwrap_or("G"))),
            );
        };
        let Some(at) = names().position(|n| n == &*name.name) else {
            let d = Diagnostic::error(Code::GAME_SCHEDULE, format!("there is no player `{}`", name.name))
                .at(name.span, "nobody of that name");
            return fault(match nearest(&name.name, names()) {
                Some(near) => d.help(format!("did you mean `{near}`?")),
                None => d.help(format!("the players are {}", names().collect::<Vec<_>>().join(", "))),
            });
        };
        turns.push(Turns { players: vec![at], times: count(elab, times, env, "cycle")? });
    }
    let absent = players.iter().enumerate().find(|(at, _)| !turns.iter().any(|t| t.players.contains(at)));
    if let Some((_, player)) = absent {
        let name = &player.name.name;
        return fault(
            Diagnostic::error(Code::GAME_SCHEDULE, format!("`{name}` has no turn in this cycle"))
                .at(e.span, "names the others only")
                .also(player.name.span, "this player would never move")
                .help(format!("add `{name} = 1`, or leave the player out and freeze its port")),
        );
    }
    if turns.iter().try_fold(0_usize, |sum, t| sum.checked_add(t.times)).is_none_or(|sum| sum > 1 << 32) {
        let d = Diagnostic::error(Code::GAME_SCHEDULE, "a cycle of more than 4294967296 turns").at(e.span, "too long");
        return fault(d.help("one step of the run is one cycle"));
    }
    Ok(turns)
}

//! A rule expression taken apart: parts by path pattern, stages from the optimiser to the model, settings of each.

use crate::elaborate::scope::mentions::{Words, mentioned, owners};
use crate::elaborate::scope::names::DefId;
use crate::elaborate::session::Elab;
use crate::elaborate::value::{Den, Env, Place, Res, RuleStage, Setting, fault};
use crate::object::Leaf;
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::{Arg, ArgValue, Expr, ExprKind, FormalKind, GroupKind, ItemKind, RuleItem};
use std::rc::Rc;
use std::sync::Arc;

/// A part of the parameters with its rule, outermost stage first.
pub(in crate::elaborate) struct Part<'p> {
    pub(in crate::elaborate) leaves: Vec<usize>,
    pub(in crate::elaborate) stages: Vec<RuleStage<'p>>,
}

/// Which leaves take which rule; those that are frozen take none.
pub(in crate::elaborate) fn parts_of<'p>(
    elab: &mut Elab<'p>,
    rule: &'p Expr,
    env: &Env<'p>,
    leaves: &[(Arc<str>, Leaf)],
    frozen: &[bool],
) -> Res<Vec<Part<'p>>> {
    let ExprKind::Parts(parts) = &rule.kind else {
        let stages = stages_of(elab, rule, env)?;
        let moved = (0..leaves.len()).filter(|i| frozen.get(*i) != Some(&true)).collect();
        return Ok(vec![Part { leaves: moved, stages }]);
    };
    let mut taken: Vec<bool> = (0..leaves.len()).map(|i| frozen.get(i) == Some(&true)).collect();
    let mut out = Vec::new();
    for (pattern, span, rule) in parts {
        let mut mine = Vec::new();
        for (i, ((path, _), taken)) in leaves.iter().zip(taken.iter_mut()).enumerate() {
            let fits = pattern.as_ref().is_none_or(|p| matches_pattern(p, path));
            if fits && !*taken {
                *taken = true;
                mine.push(i);
            }
        }
        let still = leaves.iter().zip(frozen).filter(|(_, frozen)| **frozen);
        let at_rest =
            pattern.as_ref().is_some_and(|p| still.into_iter().any(|((path, _), _)| matches_pattern(p, path)));
        if mine.is_empty() && pattern.is_some() && !at_rest {
            let paths: Vec<&str> = leaves.iter().map(|(p, _)| &**p).collect();
            elab.diagnostics.push(
                Diagnostic::warning(Code::RULE_PARTS, "no parameter has a path of this pattern")
                    .at(*span, "matches nothing")
                    .note(format!("the parameters are {}", paths.join(", ")))
                    .help("`*` stands for any text: `\"*.W\"`"),
            );
        }
        out.push(Part { leaves: mine, stages: stages_of(elab, rule, env)? });
    }
    let left: Vec<&str> = leaves.iter().zip(&taken).filter(|(_, t)| !**t).map(|((p, _), _)| &**p).collect();
    if !left.is_empty() {
        return fault(
            Diagnostic::error(Code::RULE_PARTS, format!("no rule is given for {}", left.join(", ")))
                .at(rule.span, "these patterns leave some parameters out")
                .help("end with `_: rule` for all the others"),
        );
    }
    Ok(out)
}

/// `*` stands for any text, dots included.
pub(crate) fn matches_pattern(pattern: &str, path: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(first) = pieces.next() else { return false };
    let Some(mut rest) = path.strip_prefix(first) else { return false };
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else { return rest.is_empty() };
    for piece in middle {
        match rest.find(piece) {
            Some(at) => rest = rest.get(at + piece.len()..).unwrap_or(""),
            None => return false,
        }
    }
    rest.len() >= last.len() && rest.ends_with(last)
}

/// The stages of a rule expression, the optimiser first, the transform nearest to the model last.
pub(in crate::elaborate) fn stages_of<'p>(
    elab: &mut Elab<'p>,
    rule: &'p Expr,
    env: &Env<'p>,
) -> Res<Vec<RuleStage<'p>>> {
    let list: Vec<&'p Expr> = match &rule.kind {
        ExprKind::Compose(list) => list.iter().collect(),
        _ => vec![rule],
    };
    let mut stages = Vec::new();
    for e in list {
        stages.push(stage_of(elab, e, env)?);
    }
    for (i, stage) in stages.iter().enumerate() {
        let needs_transform = i > 0;
        if needs_transform && !stage.item.transform {
            return no_transform(stage);
        }
        if !needs_transform && stage.item.transform {
            return fault(
                Diagnostic::error(Code::RULE_BODY, "an optimiser is needed here")
                    .at(stage.span, format!("`{}` is not one", stage.item.name.name))
                    .also(stage.item.name.span, "defined here")
                    .help("begin with a rule that moves the parameter: `gd(lr = 0.1) >> ..`"),
            );
        }
    }
    Ok(stages)
}

/// The transforms behind parts.
pub(in crate::elaborate) fn transforms_of<'p>(
    elab: &mut Elab<'p>,
    list: &'p [Expr],
    env: &Env<'p>,
) -> Res<Vec<RuleStage<'p>>> {
    let stages = list.iter().map(|e| stage_of(elab, e, env)).collect::<Res<Vec<_>>>()?;
    match stages.iter().find(|stage| !stage.item.transform) {
        Some(stage) => no_transform(stage),
        None => Ok(stages),
    }
}

/// The message for an optimiser that does not stand first.
fn no_transform<T>(stage: &RuleStage<'_>) -> Res<T> {
    fault(
        Diagnostic::error(Code::RULE_BODY, "a transform is needed here")
            .at(stage.span, format!("`{}` is not one", stage.item.name.name))
            .also(stage.item.name.span, "defined here")
            .help("an optimiser ends in the new parameter, so it stands first: `adam(lr = 1e-3) >> clip_norm(1)`"),
    )
}

/// Whether an expression is an update rule, or several behind each other.
fn is_rule<'p>(elab: &Elab<'p>, e: &Expr, env: &Env<'p>) -> bool {
    let path = match &e.kind {
        ExprKind::Compose(list) => return list.first().is_some_and(|e| is_rule(elab, e, env)),
        ExprKind::Path(path) => path,
        ExprKind::Apply(head, _) => match &head.kind {
            ExprKind::Path(path) => path,
            _ => return false,
        },
        _ => return false,
    };
    let item = elab.resolve_path(path, env).and_then(|id| elab.defs.item(id));
    matches!(item.map(|i| &i.kind), Some(ItemKind::Rule(_)))
}

fn stage_of<'p>(elab: &mut Elab<'p>, e: &'p Expr, env: &Env<'p>) -> Res<RuleStage<'p>> {
    let (path, args): (_, Vec<&'p Arg>) = match &e.kind {
        ExprKind::Path(path) => (path, Vec::new()),
        ExprKind::Apply(head, groups) => match &head.kind {
            ExprKind::Path(path) => {
                if let Some(g) = groups.iter().find(|g| g.kind != GroupKind::Args) {
                    return fault(
                        Diagnostic::error(Code::SETTING, "settings of a rule go into ( )")
                            .at(g.span, "not settings")
                            .help("write `adam(lr = 1e-3)`"),
                    );
                }
                (path, groups.iter().flat_map(|g| &g.args).collect())
            }
            _ => {
                return fault(
                    Diagnostic::error(Code::RULE_BODY, "an update rule is needed here")
                        .at(e.span, "not a rule")
                        .help("for example `adam(lr = 1e-3)`"),
                );
            }
        },
        ExprKind::Parts(_) => return Elab::not_yet("a transform behind parts", e.span),
        _ => {
            return fault(
                Diagnostic::error(Code::RULE_BODY, "an update rule is needed here")
                    .at(e.span, "not a rule")
                    .help("for example `adam(lr = 1e-3)`"),
            );
        }
    };
    let name = path.last().map_or("", |p| &*p.name);
    let Some(def) = elab.resolve_path(path, env) else {
        return elab.unknown(name, e.span, env, "update rule");
    };
    let Some(ItemKind::Rule(item)) = elab.defs.item(def).map(|i| &i.kind) else {
        return fault(
            Diagnostic::error(Code::WRONG_KIND, format!("`{name}` is not an update rule"))
                .at(e.span, "a rule is needed here")
                .help("name an `optimiser` or `transform`: `adam(lr = 1e-3)`"),
        );
    };
    let settings = settings_of(elab, item, def, &args, env, e.span)?;
    Ok(RuleStage { item, def, settings, span: e.span })
}

fn settings_of<'p>(
    elab: &mut Elab<'p>,
    item: &'p RuleItem,
    def: DefId,
    args: &[&'p Arg],
    env: &Env<'p>,
    span: Span,
) -> Res<Vec<(Arc<str>, Setting<'p>)>> {
    for arg in args {
        if let Some(key) = &arg.name
            && !item.formals.iter().any(|f| f.name.name == key.name)
        {
            return elab.no_setting(&item.name, key, item.formals.iter().map(|f| &*f.name.name));
        }
    }
    let names: Vec<&str> = item.formals.iter().map(|f| &*f.name.name).collect();
    let places = elab.places(args, &names, Code::SETTING)?;
    let mut defaults = Env::new(def.file, Place::new(""));
    let mut out = Vec::new();
    let mut scheduled: Vec<&str> = Vec::new();
    for (at, formal) in item.formals.iter().enumerate() {
        let given = args.iter().zip(&places).find(|(_, p)| **p == Some(at)).map(|(a, _)| a);
        let (e, from) = match (given.map(|a| &a.value), &formal.kind) {
            (Some(ArgValue::Expr(e)), _) => (e, env.clone()),
            (None, FormalKind::Default(e)) => (e, defaults.clone()),
            _ => {
                return fault(
                    Diagnostic::error(Code::SETTING, format!("`{}` needs `{}`", item.name.name, formal.name.name))
                        .at(span, format!("`{}` is not given", formal.name.name))
                        .also(formal.name.span, "declared here, without a default")
                        .help(format!("write `{}({} = ..)`", item.name.name, formal.name.name)),
                );
            }
        };
        let takes_rule = elab.defs.item(def).is_some_and(|item| owners(item).contains(&&*formal.name.name));
        let bound = matches!(&e.kind, ExprKind::Path(p) if p.first().is_some_and(|n| from.get(&n.name).is_some()));
        if is_rule(elab, e, &from) || (takes_rule && !bound) {
            if !takes_rule {
                return fault(
                    Diagnostic::error(
                        Code::SETTING,
                        format!("`{}` of `{}` is no rule", formal.name.name, item.name.name),
                    )
                    .at(e.span, "an update rule")
                    .also(formal.name.span, "declared here")
                    .help(format!("give `{}` a number", formal.name.name)),
                );
            }
            let stages = Rc::new(stages_of(elab, e, &from)?);
            out.push((formal.name.name.clone(), Setting::Value(Den::Rule(stages))));
            continue;
        }
        let default = given.is_none();
        if default && mentioned(e).iter().any(|n| scheduled.contains(n)) {
            // It is worked out where the schedules before it have their values.
            scheduled.push(&formal.name.name);
            out.push((formal.name.name.clone(), Setting::Default(e)));
            continue;
        }
        let straight = matches!(&e.kind, ExprKind::Apply(head, _) if elab.straight(head, &from).is_some());
        if straight || matches!(e.kind, ExprKind::Then(_)) {
            scheduled.push(&formal.name.name);
            out.push((formal.name.name.clone(), Setting::Schedule(e, from)));
            continue;
        }
        let den = elab.setting(e, &from, "")?;
        if given.is_some() {
            elab.word_known(|| Words::of_rule(item), (&item.name, formal), &den, e)?;
        }
        let setting = match den {
            Den::Map(_) => {
                // A name of the language without brackets is a word: `mode = mean`.
                if matches!(&e.kind, ExprKind::Path(p) if elab.resolve_path(p, &from).is_none()) {
                    out.push((formal.name.name.clone(), Setting::Value(den)));
                    continue;
                }
                scheduled.push(&formal.name.name);
                Setting::Schedule(e, from)
            }
            Den::Word(word) if matches!(&formal.kind, FormalKind::Default(Expr { kind: ExprKind::Number(_), .. })) => {
                return fault(
                    Diagnostic::error(
                        Code::SETTING,
                        format!("`{}` is a number or a schedule, `{word}` is neither", formal.name.name),
                    )
                    .at(e.span, "a word")
                    .help(format!("write `{0} = 0.1`, or `{0} = cosine(from = 0.1, steps = 900)`", formal.name.name)),
                );
            }
            other => {
                defaults.bind(formal.name.name.clone(), other.clone());
                Setting::Value(other)
            }
        };
        out.push((formal.name.name.clone(), setting));
    }
    if let Some((extra, _)) = args.iter().zip(&places).find(|(_, p)| p.is_none()) {
        return fault(
            Diagnostic::error(Code::SETTING, format!("`{}` takes {} settings", item.name.name, item.formals.len()))
                .at(extra.span, "one too many")
                .help(format!(
                    "its settings are {}",
                    item.formals.iter().map(|f| &*f.name.name).collect::<Vec<_>>().join(", ")
                )),
        );
    }
    Ok(out)
}

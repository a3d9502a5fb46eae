//! `monitor = [..]`: temporal propositions about a run.
//!
//! In: the field. Out: a [`Monitor`] each: `always` or `eventually`, and a claim about numbers that the run shows. One
//! that names a part of the data lives on reports, any other on steps; `next(..)` looks at the moment after. What the
//! grammar knows beyond that (operators inside operators, `until`, `within`) is refused at its place.

use crate::elaborate::items::listed::{listed, plain};
use crate::elaborate::items::settings::metric;
use crate::elaborate::items::train::Fields;
use crate::elaborate::program::Metric;
use crate::elaborate::session::Elab;
use crate::elaborate::value::{Env, Res, fault};
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::{Arg, CompareOp, Expr, ExprKind, Group, GroupKind, ProductOp, SumOp};
use std::sync::Arc;

/// A temporal proposition about a run.
#[derive(Clone, PartialEq, Debug)]
pub struct Monitor {
    /// As it is written.
    pub text: Arc<str>,
    /// Where it stands.
    pub span: Span,
    /// At every moment, or at some.
    pub modality: Modality,
    /// What is claimed of a moment.
    pub claim: Claim,
    /// Whether its moments are the reports of the run rather than its steps.
    pub reports: bool,
    /// What it looks at.
    pub quantities: Vec<Quantity>,
    /// How many moments ahead it looks.
    pub ahead: usize,
}

/// When a claim must hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Modality {
    /// At every moment.
    Always,
    /// At one moment at least.
    Eventually,
}

/// What happens when a proposition turns out false.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnViolation {
    /// The run goes on.
    Report,
    /// The run ends.
    Stop,
}

/// A number that a run shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Quantity {
    /// The loss of a step, or one of several losses by name.
    Loss(Option<Arc<str>>),
    /// A metric of `train`, `valid` or `test`; the loss when none is named.
    Of(Arc<str>, Option<Metric>),
}

impl std::fmt::Display for Quantity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Quantity::Loss(None) => f.write_str("loss"),
            Quantity::Loss(Some(name)) => write!(f, "loss.{name}"),
            Quantity::Of(part, None) => write!(f, "{part}.loss"),
            Quantity::Of(part, Some(metric)) => write!(f, "{part}.{}", metric.key()),
        }
    }
}

/// What is claimed of a moment.
#[derive(Clone, PartialEq, Debug)]
pub enum Claim {
    /// A comparison.
    Compare(Term, CompareOp, Term),
    /// Neither infinite nor no number.
    Finite(Term),
    /// The contrary.
    Not(Box<Claim>),
    /// All of them.
    All(Vec<Claim>),
    /// One of them.
    Any(Vec<Claim>),
}

/// A number made of what a run shows.
#[derive(Clone, PartialEq, Debug)]
pub enum Term {
    /// A number.
    Number(f64),
    /// A quantity by its place in [`Monitor::quantities`], that many moments ahead.
    Seen(usize, usize),
    /// A sum.
    Sum(Vec<Term>),
    /// A negative.
    Minus(Box<Term>),
    /// A product, from the left; each factor with whether it divides.
    Product(Vec<(bool, Term)>),
}

/// The propositions of a run, and what follows when one turns out false.
pub(crate) fn monitors<'p>(
    elab: &mut Elab<'p>,
    fields: &Fields<'p>,
    env: &Env<'p>,
) -> Res<(Vec<Monitor>, OnViolation)> {
    let list = fields.get("monitor").map_or(Ok(Vec::new()), |e| listed(e, "monitor"))?;
    let found: Vec<Res<Monitor>> = list.into_iter().map(|e| monitor(elab, e, env)).collect();
    let found: Vec<Option<Monitor>> = found.into_iter().map(|m| elab.keep(m)).collect();
    let word = fields.get("on_violation").map(|e| (e, name_of(e)));
    let on = match word {
        None | Some((_, Some("report"))) => OnViolation::Report,
        Some((_, Some("stop"))) => OnViolation::Stop,
        Some((e, _)) => {
            return fault(
                Diagnostic::error(Code::TRAIN_FIELD, "`on_violation` is `stop` or `report`")
                    .at(e.span, "not one")
                    .help("write `on_violation = stop`, or leave it off to report"),
            );
        }
    };
    Ok((found.into_iter().collect::<Option<_>>().ok_or(None)?, on))
}

fn name_of(e: &Expr) -> Option<&str> {
    match &e.kind {
        ExprKind::Path(path) if path.len() == 1 => path.first().map(|n| &*n.name),
        _ => None,
    }
}

/// `name(x)`.
fn call(e: &Expr) -> Res<Option<(&str, Vec<&Expr>)>> {
    let ExprKind::Apply(head, groups) = &e.kind else { return Ok(None) };
    let [Group { kind: GroupKind::Args, args, .. }] = groups.as_slice() else { return Ok(None) };
    let name = match &head.kind {
        ExprKind::NextValue => Some("next"),
        _ => name_of(head),
    };
    Ok(match name {
        Some(name @ ("always" | "eventually" | "finite" | "next")) => Some((name, plain(args, name)?)),
        Some(name) => Some((name, args.iter().filter_map(Arg::plain).collect())),
        None => None,
    })
}

fn monitor<'p>(elab: &mut Elab<'p>, e: &'p Expr, env: &Env<'p>) -> Res<Monitor> {
    let (modality, body) = match call(e)? {
        Some(("always", args)) if args.len() == 1 => (Modality::Always, args),
        Some(("eventually", args)) if args.len() == 1 => (Modality::Eventually, args),
        Some((name @ ("until" | "within" | "stable" | "next"), _)) => {
            return Elab::not_yet(&format!("a proposition that begins with `{name}`"), e.span);
        }
        _ => {
            return fault(
                Diagnostic::error(Code::MONITOR, "a monitor is `always(..)` or `eventually(..)`")
                    .at(e.span, "neither")
                    .help("for example `always(finite(loss))`"),
            );
        }
    };
    let body = body.first().copied().ok_or(None)?;
    let mut looking = Looking { env, quantities: Vec::new(), ahead: 0 };
    let claim = looking.claim(elab, body, 0)?;
    let Looking { quantities, ahead, .. } = looking;
    if quantities.is_empty() {
        return fault(
            Diagnostic::error(Code::MONITOR, "this proposition looks at nothing")
                .at(body.span, "the same at every moment")
                .help("it may name `loss`, and metrics of `train`, `valid` and `test`"),
        );
    }
    let written = elab.defs.sources.slice(e.span);
    let text = written.split_whitespace().collect::<Vec<_>>().join(" ").into();
    let reports = quantities.iter().any(|q| matches!(q, Quantity::Of(..)));
    Ok(Monitor { text, span: e.span, modality, claim, reports, quantities, ahead })
}

/// What a proposition looks at.
struct Looking<'e, 'p> {
    env: &'e Env<'p>,
    quantities: Vec<Quantity>,
    ahead: usize,
}

impl<'p> Looking<'_, 'p> {
    fn claim(&mut self, elab: &mut Elab<'p>, e: &'p Expr, ahead: usize) -> Res<Claim> {
        elab.deeper(e.span, |elab| self.claim_here(elab, e, ahead))
    }

    fn claim_here(&mut self, elab: &mut Elab<'p>, e: &'p Expr, ahead: usize) -> Res<Claim> {
        match &e.kind {
            ExprKind::Compare(parts) => {
                let (x, op, y) = parts.as_ref();
                Ok(Claim::Compare(self.term(elab, x, ahead)?, *op, self.term(elab, y, ahead)?))
            }
            ExprKind::Not(inner) => Ok(Claim::Not(Box::new(self.claim(elab, inner, ahead)?))),
            ExprKind::Product(first, rest) if rest.iter().all(|(op, ..)| *op == ProductOp::And) => {
                let all = std::iter::once(&**first).chain(rest.iter().map(|(_, _, e)| e));
                Ok(Claim::All(all.map(|e| self.claim(elab, e, ahead)).collect::<Res<_>>()?))
            }
            ExprKind::Sum(first, rest) if rest.iter().all(|(op, ..)| *op == SumOp::Or) => {
                let all = std::iter::once(&**first).chain(rest.iter().map(|(_, _, e)| e));
                Ok(Claim::Any(all.map(|e| self.claim(elab, e, ahead)).collect::<Res<_>>()?))
            }
            _ => match call(e)? {
                Some(("finite", args)) if args.len() == 1 => {
                    let inner = args.first().copied().ok_or(None)?;
                    Ok(Claim::Finite(self.term(elab, inner, ahead)?))
                }
                Some(("next", args)) if args.len() == 1 => {
                    let inner = args.first().copied().ok_or(None)?;
                    self.claim(elab, inner, ahead + 1)
                }
                Some((name @ ("always" | "eventually" | "until" | "within" | "stable"), _)) => {
                    Elab::not_yet(&format!("`{name}` inside a proposition"), e.span)
                }
                _ => fault(
                    Diagnostic::error(Code::MONITOR, "a proposition compares numbers, or says `finite(..)`")
                        .at(e.span, "claims nothing")
                        .help("for example `loss <= 10`; propositions join by `&` and `|`, each in brackets"),
                ),
            },
        }
    }

    fn term(&mut self, elab: &mut Elab<'p>, e: &'p Expr, ahead: usize) -> Res<Term> {
        elab.deeper(e.span, |elab| self.term_here(elab, e, ahead))
    }

    fn term_here(&mut self, elab: &mut Elab<'p>, e: &'p Expr, ahead: usize) -> Res<Term> {
        if let Some(("next", args)) = call(e)?
            && let [inner] = args.as_slice()
        {
            return self.term(elab, inner, ahead + 1);
        }
        if let Some(quantity) = self.quantity(elab, e)? {
            self.ahead = self.ahead.max(ahead);
            let at = self.quantities.iter().position(|q| *q == quantity).unwrap_or_else(|| {
                self.quantities.push(quantity);
                self.quantities.len() - 1
            });
            return Ok(Term::Seen(at, ahead));
        }
        match &e.kind {
            ExprKind::Negate(inner) => Ok(Term::Minus(Box::new(self.term(elab, inner, ahead)?))),
            ExprKind::Sum(first, rest) => {
                let mut terms = vec![self.term(elab, first, ahead)?];
                for (op, span, each) in rest {
                    let term = self.term(elab, each, ahead)?;
                    terms.push(match op {
                        SumOp::Add => term,
                        SumOp::Subtract => Term::Minus(Box::new(term)),
                        SumOp::Xor | SumOp::Or => return Elab::not_yet("this sum in a proposition", *span),
                    });
                }
                Ok(Term::Sum(terms))
            }
            ExprKind::Product(first, rest) => {
                let mut factors = vec![(false, self.term(elab, first, ahead)?)];
                for (op, span, each) in rest {
                    let divides = match op {
                        ProductOp::Times => false,
                        ProductOp::Divide => true,
                        _ => return Elab::not_yet("this product in a proposition", *span),
                    };
                    factors.push((divides, self.term(elab, each, ahead)?));
                }
                Ok(Term::Product(factors))
            }
            ExprKind::Path(path) if elab.resolve_path(path, self.env).is_none() && name_of(e) != Some("pi") => {
                fault(Diagnostic::error(Code::MONITOR, "a run shows no such number").at(e.span, "unknown here").help(
                    "a proposition may name `loss`, and metrics of `train`, `valid` and `test`: `valid.accuracy`",
                ))
            }
            ExprKind::Apply(..) => Elab::not_yet("this function in a proposition", e.span),
            _ => elab.number(e, self.env).map(Term::Number),
        }
    }

    fn quantity(&mut self, elab: &mut Elab<'p>, e: &'p Expr) -> Res<Option<Quantity>> {
        if let ExprKind::Path(path) = &e.kind {
            match path.as_slice() {
                [loss] if &*loss.name == "loss" => return Ok(Some(Quantity::Loss(None))),
                [loss, own] if &*loss.name == "loss" => return Ok(Some(Quantity::Loss(Some(own.name.clone())))),
                [part, loss] if &*loss.name == "loss" && is_part(&part.name) => {
                    return Ok(Some(Quantity::Of(part.name.clone(), None)));
                }
                _ => {}
            }
        }
        Ok(match metric(elab, e, self.env)? {
            Some((Some(part), metric)) if is_part(part) && metric != Metric::ConfusionMatrix => {
                Some(Quantity::Of(part.into(), Some(metric)))
            }
            _ => None,
        })
    }
}

fn is_part(name: &str) -> bool {
    matches!(name, "train" | "valid" | "test")
}

/// Refuses names of losses that the run does not have.
pub(crate) fn known(monitors: &[Monitor], losses: &[Arc<str>]) -> Vec<Diagnostic> {
    let mut said = Vec::new();
    for monitor in monitors {
        for quantity in &monitor.quantities {
            if let Quantity::Loss(Some(name)) = quantity
                && !losses.contains(name)
            {
                let d = Diagnostic::error(Code::MONITOR, format!("this run has no loss `{name}` beside others"))
                    .at(monitor.span, format!("names `loss.{name}`"));
                said.push(match losses {
                    [] => d.help("a run of one loss calls it `loss`"),
                    some => d.help(format!("its losses are {}", some.join(", "))),
                });
            }
        }
    }
    said
}

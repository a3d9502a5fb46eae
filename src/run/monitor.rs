//! Propositions about a run, judged while it goes on.
//!
//! In: the numbers of every step and report. Out: a [`Verdict`] each. On a finite run `always` is refuted by one moment
//! and only ever held so far, `eventually` is proved by one and only ever open so far (LEARNERS.md section 10); where
//! `next` has no moment after, nothing is claimed. What was seen can be saved, so that a resumed run judges as the
//! unbroken one does.

use crate::elaborate::{Claim, Modality, Monitor, Quantity, Term};
use crate::syntax::ast::CompareOp;
use std::collections::VecDeque;
use std::fmt::Write;

/// What is known of a proposition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// `always`: at every moment so far.
    Held,
    /// `always`: not at one moment.
    Violated,
    /// `eventually`: at one moment.
    Reached,
    /// `eventually`: at no moment so far.
    Open,
}

impl Verdict {
    /// As it is written in records.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Held => "held",
            Verdict::Violated => "violated",
            Verdict::Reached => "reached",
            Verdict::Open => "open",
        }
    }
}

/// The moment that decided a proposition.
#[derive(Clone, PartialEq, Debug)]
pub struct Witness {
    /// The number of its update, from 1.
    pub step: usize,
    /// The numbers of that moment and of those after it that the proposition looks at.
    values: Vec<Vec<f64>>,
}

/// One proposition so far.
#[derive(Clone, PartialEq, Debug, Default)]
struct Seen {
    /// How many moments were judged.
    judged: usize,
    /// The moments that wait for those after them, with the numbers of their updates.
    waiting: VecDeque<(usize, Vec<f64>)>,
    decided: Option<Witness>,
}

/// All propositions of a run so far.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Watch {
    seen: Vec<Seen>,
}

impl Watch {
    /// Before the first moment.
    #[must_use]
    pub fn new(monitors: &[Monitor]) -> Watch {
        Watch { seen: monitors.iter().map(|_| Seen::default()).collect() }
    }

    /// Judges a moment, a report or a step, by its numbers: those propositions that are about it.
    pub(super) fn look(
        &mut self,
        monitors: &[Monitor],
        about: impl Fn(&Monitor) -> bool,
        step: usize,
        value: impl Fn(&Quantity) -> Option<f64>,
    ) {
        for (monitor, seen) in monitors.iter().zip(&mut self.seen).filter(|(m, _)| about(m)) {
            if seen.decided.is_some() {
                continue;
            }
            let now = monitor.quantities.iter().map(|q| value(q).unwrap_or(f64::NAN)).collect();
            seen.waiting.push_back((step, now));
            if seen.waiting.len() <= monitor.ahead {
                continue;
            }
            seen.judged += 1;
            let holds = {
                let window: Vec<&[f64]> = seen.waiting.iter().map(|(_, v)| v.as_slice()).collect();
                holds(&monitor.claim, &window)
            };
            let first = seen.waiting.front().map_or(step, |(at, _)| *at);
            if holds == (monitor.modality == Modality::Eventually) {
                let values = seen.waiting.drain(..).map(|(_, v)| v).collect();
                seen.decided = Some(Witness { step: first, values });
            } else {
                seen.waiting.pop_front();
            }
        }
    }

    /// Whether a proposition is violated.
    #[must_use]
    pub fn violated(&self, monitors: &[Monitor]) -> bool {
        monitors.iter().zip(&self.seen).any(|(m, s)| m.modality == Modality::Always && s.decided.is_some())
    }

    /// What is known of each: the verdict, how many moments were judged, and the one that decided.
    pub fn verdicts<'a>(
        &'a self,
        monitors: &'a [Monitor],
    ) -> impl Iterator<Item = (&'a Monitor, Verdict, usize, Option<&'a Witness>)> {
        monitors.iter().zip(&self.seen).map(|(monitor, seen)| {
            let verdict = match (monitor.modality, seen.decided.is_some()) {
                (Modality::Always, false) => Verdict::Held,
                (Modality::Always, true) => Verdict::Violated,
                (Modality::Eventually, true) => Verdict::Reached,
                (Modality::Eventually, false) => Verdict::Open,
            };
            (monitor, verdict, seen.judged, seen.decided.as_ref())
        })
    }

    /// Everything seen, as one line of whole numbers.
    #[must_use]
    pub fn save(&self) -> String {
        let mut out = String::new();
        let mut put = |n: u64| {
            let _infallible = write!(out, "{n} ");
        };
        let moment = |values: &[f64], put: &mut dyn FnMut(u64)| {
            put(values.len() as u64);
            values.iter().for_each(|x| put(x.to_bits()));
        };
        for seen in &self.seen {
            put(seen.judged as u64);
            put(seen.waiting.len() as u64);
            for (step, values) in &seen.waiting {
                put(*step as u64);
                moment(values, &mut put);
            }
            put(u64::from(seen.decided.is_some()));
            if let Some(witness) = &seen.decided {
                put(witness.step as u64);
                put(witness.values.len() as u64);
                witness.values.iter().for_each(|v| moment(v, &mut put));
            }
        }
        out.trim_end().to_owned()
    }

    /// What [`Watch::save`] wrote of these propositions; `None` when it is of others.
    #[must_use]
    pub fn restore(monitors: &[Monitor], saved: &str) -> Option<Watch> {
        let mut numbers = saved.split_whitespace().map(|n| n.parse::<u64>().ok());
        let mut seen = Vec::new();
        for monitor in monitors {
            let mut next = || usize::try_from(numbers.next()??).ok();
            let (judged, waiting) = (next()?, next()?);
            let mut one = Seen { judged, ..Seen::default() };
            if waiting > monitor.ahead {
                return None;
            }
            for _ in 0..waiting {
                let step = usize::try_from(numbers.next()??).ok()?;
                one.waiting.push_back((step, moment(&mut numbers, monitor)?));
            }
            if numbers.next()?? == 1 {
                let step = usize::try_from(numbers.next()??).ok()?;
                let count = usize::try_from(numbers.next()??).ok().filter(|n| *n == monitor.ahead + 1)?;
                let values = (0..count).map(|_| moment(&mut numbers, monitor)).collect::<Option<_>>()?;
                one.decided = Some(Witness { step, values });
            }
            seen.push(one);
        }
        numbers.next().is_none().then_some(Watch { seen })
    }
}

fn moment(numbers: &mut impl Iterator<Item = Option<u64>>, monitor: &Monitor) -> Option<Vec<f64>> {
    let count = usize::try_from(numbers.next()??).ok().filter(|n| *n == monitor.quantities.len())?;
    (0..count).map(|_| numbers.next()?.map(f64::from_bits)).collect()
}

impl Witness {
    /// The numbers of the deciding moment by name: `loss`, `next(loss)`.
    #[must_use]
    pub fn numbers(&self, monitor: &Monitor) -> Vec<(String, f64)> {
        let mut named = Vec::new();
        for (ahead, values) in self.values.iter().enumerate() {
            for (at, (quantity, value)) in monitor.quantities.iter().zip(values).enumerate() {
                if names(&monitor.claim, at, ahead) {
                    let name = (0..ahead).fold(quantity.to_string(), |inner, _| format!("next({inner})"));
                    named.push((name, *value));
                }
            }
        }
        named
    }
}

/// Whether a claim looks at a quantity that many moments ahead.
fn names(claim: &Claim, at: usize, ahead: usize) -> bool {
    fn term(t: &Term, at: usize, ahead: usize) -> bool {
        match t {
            Term::Number(_) => false,
            Term::Seen(a, b) => (*a, *b) == (at, ahead),
            Term::Sum(terms) => terms.iter().any(|t| term(t, at, ahead)),
            Term::Minus(t) => term(t, at, ahead),
            Term::Product(factors) => factors.iter().any(|(_, t)| term(t, at, ahead)),
        }
    }
    match claim {
        Claim::Compare(x, _, y) => term(x, at, ahead) || term(y, at, ahead),
        Claim::Finite(x) => term(x, at, ahead),
        Claim::Not(inner) => names(inner, at, ahead),
        Claim::All(list) | Claim::Any(list) => list.iter().any(|c| names(c, at, ahead)),
    }
}

#[allow(clippy::float_cmp, reason = "a claim of equality means it")]
fn holds(claim: &Claim, window: &[&[f64]]) -> bool {
    match claim {
        Claim::Compare(x, op, y) => {
            let (x, y) = (value(x, window), value(y, window));
            match op {
                CompareOp::Less => x < y,
                CompareOp::LessEqual => x <= y,
                CompareOp::Greater => x > y,
                CompareOp::GreaterEqual => x >= y,
                CompareOp::Equal => x == y,
                CompareOp::NotEqual => x != y,
            }
        }
        Claim::Finite(x) => value(x, window).is_finite(),
        Claim::Not(inner) => !holds(inner, window),
        Claim::All(list) => list.iter().all(|c| holds(c, window)),
        Claim::Any(list) => list.iter().any(|c| holds(c, window)),
    }
}

fn value(term: &Term, window: &[&[f64]]) -> f64 {
    match term {
        Term::Number(x) => *x,
        Term::Seen(at, ahead) => window.get(*ahead).and_then(|m| m.get(*at)).copied().unwrap_or(f64::NAN),
        Term::Sum(terms) => terms.iter().map(|t| value(t, window)).sum(),
        Term::Minus(t) => -value(t, window),
        Term::Product(factors) => factors.iter().fold(1.0, |product, (divides, t)| {
            let x = value(t, window);
            if *divides { product / x } else { product * x }
        }),
    }
}

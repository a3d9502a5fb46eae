//! How ports and states are drawn: the expression after `~`, a distribution, a wiring or a const.

use crate::diagram::{Const, Init, Literal, Op};
use crate::elaborate::scope::names::nearest;
use crate::elaborate::session::Elab;
use crate::elaborate::terms::builtins;
use crate::elaborate::value::{Den, Env, Res, Value, fault};
use crate::object::{Base, Leaf};
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::{Arg, ArgValue, Expr, ExprKind, GroupKind};
use std::sync::Arc;

/// The names of distributions and wirings.
pub(crate) const INITIALISERS: &[&str] =
    &["constant", "glorot", "grid", "he", "normal", "ones", "orthogonal", "patch", "random", "uniform", "zeros"];

/// Settings of an initialiser: names, if given, and numbers.
type Numbers = Vec<(Option<Arc<str>>, f64)>;

impl<'p> Elab<'p> {
    /// Whether the head of a call names a distribution or wiring and nothing else of the program.
    pub(crate) fn is_initialiser(&self, head: &Expr, env: &Env<'p>) -> bool {
        let ExprKind::Path(path) = &head.kind else { return false };
        let [name] = path.as_slice() else { return false };
        INITIALISERS.contains(&&*name.name) && env.get(&name.name).is_none() && self.resolve_path(path, env).is_none()
    }

    /// How a port is drawn, from the expression after `~`.
    pub(crate) fn init(&mut self, e: Option<&'p Expr>, leaf: &Leaf, env: &Env<'p>, span: Span) -> Res<Init> {
        let Some(e) = e else { return Ok(Init::Zeros) };
        let (name, args): (&str, &[Arg]) = match &e.kind {
            ExprKind::Path(path) if path.len() == 1 => (path.first().map_or("", |p| &p.name), &[]),
            ExprKind::Apply(head, groups) => match (&head.kind, groups.as_slice()) {
                (ExprKind::Path(path), [group]) if path.len() == 1 && group.kind == GroupKind::Args => {
                    (path.first().map_or("", |p| &p.name), &group.args)
                }
                _ => ("", &[]),
            },
            _ => ("", &[]),
        };
        match env.get(name).cloned() {
            Some(Den::Init(e, env)) => return self.init(Some(e), leaf, &env, span),
            Some(Den::Word(word)) if INITIALISERS.contains(&&*word) => {
                return self.named_init(&word, &Vec::new(), leaf, (e.span, span))?.ok_or(None);
            }
            Some(Den::Wires(Value::Wire(w))) => {
                if let Op::Const(value) = &self.b.diagram().node(w).op {
                    let value = value.clone();
                    let entries = match &value.entries {
                        Literal::Real(v) => v.iter().map(|x| x.0).collect(),
                        Literal::Bool(v) => v.iter().map(|x| f64::from(u8::from(*x))).collect(),
                        #[allow(clippy::cast_precision_loss, reason = "labels and counts are small")]
                        Literal::Int(v) => v.iter().map(|x| *x as f64).collect(),
                    };
                    let dims = value.leaf.literal_dims().unwrap_or_default();
                    return self.literal_init((dims, entries, value.leaf.clone()), leaf, (e.span, span));
                }
            }
            Some(Den::Word(word)) => {
                let (told, help) = match leaf.base {
                    Base::Fin(_) => {
                        ("no wiring", "wirings are `random`, `patch(r)`, `grid`, or a const of labels Fin[n][..]")
                    }
                    _ => ("nothing to begin with", "a port begins as `zeros`, `ones`, `uniform`, .. or a const"),
                };
                return fault(
                    Diagnostic::error(Code::INITIALISER, format!("`{word}` is {told}"))
                        .at(e.span, format!("`{name}` is `{word}`"))
                        .also(span, leaf.to_string())
                        .help(help),
                );
            }
            _ => {}
        }
        if env.get(name).is_none() {
            self.draws(name, args, e.span)?;
        }
        let mut numbers = Vec::new();
        for arg in args {
            if let ArgValue::Expr(value) = &arg.value {
                numbers.push((arg.name.as_ref().map(|n| n.name.clone()), self.number(value, env)?));
            }
        }
        if env.get(name).is_none()
            && let Some(init) = self.named_init(name, &numbers, leaf, (e.span, span))?
        {
            return Ok(init);
        }
        if let Some(decl) = self.const_named(e, env) {
            let outside = self.root(decl.1);
            let (shown, entries) = self.const_item(decl.0, &outside)?;
            return self.literal_init((shown.literal_dims().unwrap_or_default(), entries, shown), leaf, (e.span, span));
        }
        let means = |name: &str| {
            builtins::NAMES.contains(&name)
                || builtins::LATER.contains(&name)
                || matches!(name, "pi" | "true" | "false")
        };
        let unknown = !name.is_empty() && env.get(name).is_none() && self.defs.resolve(env.file, name).is_none();
        if unknown && !means(name) {
            let d = Diagnostic::error(Code::UNKNOWN_NAME, format!("there is no distribution or const `{name}`"))
                .at(e.span, "unknown here")
                .also(span, leaf.to_string());
            return fault(match nearest(name, INITIALISERS.iter().copied()) {
                Some(near) => d.help(format!("did you mean `{near}`?")),
                None => d.help("a port begins as `zeros`, `ones`, `normal(std)`, `glorot`, .. or a const"),
            });
        }
        let (shape, entries) = self.const_tensor(e, env)?;
        let shown = Leaf::real(&shape);
        self.literal_init((shape, entries, shown), leaf, (e.span, span))
    }

    /// Refuses what a distribution does not take.
    fn draws(&self, name: &str, args: &'p [Arg], span: Span) -> Res<()> {
        let takes: &[&str] = match name {
            "glorot" | "he" | "orthogonal" | "random" | "grid" => &[],
            "constant" => &["c"],
            "uniform" => &["lo", "hi"],
            "normal" => &["std"],
            "patch" => &["radius", "width"],
            _ => return Ok(()),
        };
        let places = self.places(&args.iter().collect::<Vec<_>>(), takes, Code::INITIALISER)?;
        let Some((arg, _)) = args.iter().zip(places).find(|(_, place)| place.is_none()) else { return Ok(()) };
        let told = match takes {
            [] => format!("`{name}` takes no numbers"),
            _ => format!("`{name}` takes {}, and no more", takes.join(" and ")),
        };
        fault(
            Diagnostic::error(Code::INITIALISER, told)
                .at(arg.span, "one too many")
                .also(span, "drawn like this")
                .help("leave it off"),
        )
    }

    /// A distribution or wiring by name, `None` when there is none of that name.
    fn named_init(
        &mut self,
        name: &str,
        numbers: &Numbers,
        leaf: &Leaf,
        (at, port): (Span, Span),
    ) -> Res<Option<Init>> {
        let pick = |key: &str, at: usize, default: f64| {
            numbers
                .iter()
                .find(|(n, _)| n.as_deref() == Some(key))
                .or_else(|| numbers.get(at).filter(|(n, _)| n.is_none()))
                .map_or(default, |(_, x)| *x)
        };
        if let ("glorot" | "he" | "orthogonal" | "normal", Base::Bool | Base::Int | Base::Fin(_)) = (name, leaf.base) {
            // Without the sizes, so that a definition at sample sizes says it too.
            let made = if let Base::Fin(_) = leaf.base { "labels".to_owned() } else { leaf.base.plural() };
            let help = match leaf.base {
                Base::Bool => "bits begin as `zeros`, `ones`, `uniform` or a const of bits",
                Base::Int => "whole numbers begin as `zeros`, `constant(c)`, `uniform(lo, hi)` or a const",
                _ => "labels begin as `zeros`, `uniform`, a wiring or a const of labels",
            };
            return fault(
                Diagnostic::error(
                    Code::INITIALISER,
                    format!("`{name}` draws real numbers, the port is made of {made}"),
                )
                .at(at, "draws real numbers")
                .also(port, leaf.to_string())
                .help(help),
            );
        }
        Ok(Some(match (name, leaf.base) {
            ("zeros", _) => Init::Zeros,
            ("uniform", Base::Bool) if !numbers.is_empty() => {
                return fault(
                    Diagnostic::error(
                        Code::INITIALISER,
                        "`uniform` on bits takes no numbers: each bit is 0 or 1 alike",
                    )
                    .at(at, "drawn like this")
                    .also(port, leaf.to_string())
                    .help("write `uniform`"),
                );
            }
            ("ones", _) => Init::Ones,
            ("glorot", _) => Init::Glorot,
            ("he", _) => Init::He,
            ("orthogonal", _) => Init::Orthogonal,
            ("constant", _) => {
                let c = pick("c", 0, 0.0);
                self.begins(c, leaf, (at, port))?;
                Init::Constant(c)
            }
            ("uniform", base) => {
                let end = if let Base::Fin(n) = base { f64::from(n) } else { 1.0 };
                let (lo, hi) = (pick("lo", 0, 0.0), pick("hi", 1, end));
                if lo > hi {
                    let told = format!("`uniform` draws from lo to hi, these are {lo} and {hi}");
                    return bad_draw(told, at, format!("write the smaller one first: `uniform({hi}, {lo})`"));
                }
                let within = match base {
                    Base::Fin(n) => lo >= 0.0 && lo < f64::from(n.max(1)) && hi <= f64::from(n),
                    _ => true,
                };
                let whole = base == Base::Real || (lo.fract() == 0.0 && hi.fract() == 0.0);
                let fits = within && whole;
                if !(fits || self.sampled) {
                    let told = match base {
                        Base::Fin(n) => format!("`uniform` draws labels from lo to below hi, within 0 and {n}"),
                        _ => "`uniform` draws whole numbers from lo to below hi".to_owned(),
                    };
                    return fault(
                        Diagnostic::error(Code::INITIALISER, format!("{told}: these are {lo} and {hi}"))
                            .at(at, "drawn like this")
                            .also(port, leaf.to_string())
                            .help(match base {
                                Base::Fin(n) => {
                                    format!("write whole numbers from 0 to {n}, or `uniform` for all labels")
                                }
                                _ => "write whole numbers: `uniform(-1, 2)` draws -1, 0 and 1".to_owned(),
                            }),
                    );
                }
                Init::Uniform { lo, hi }
            }
            ("normal", _) => {
                let std = pick("std", 0, 1.0);
                if std < 0.0 {
                    let told = format!("a standard deviation is not negative, this is {std}");
                    return bad_draw(told, at, format!("write `normal({})`", -std));
                }
                Init::Normal { std }
            }
            ("random", Base::Fin(n)) => {
                let k = leaf.dims.last().map_or(1, |d| d.at(1));
                if k as u64 > u64::from(n) {
                    return fault(
                        Diagnostic::error(Code::INITIALISER, format!("{n} bits have no {k} different places"))
                            .at(at, format!("each takes {k} of {n}"))
                            .also(port, leaf.to_string())
                            .help(format!(
                                "take at most {n} inputs each, or say which places repeat by a const of labels"
                            )),
                    );
                }
                Init::RandomWires
            }
            ("grid", Base::Fin(_)) => Init::GridWires,
            ("patch", Base::Fin(n)) => {
                let side = f64::from(n).sqrt();
                let width = pick("width", 1, side);
                let radius = pick("radius", 0, -1.0);
                let whole = |x: f64, most: f64| x.fract() == 0.0 && x >= 1.0 && x <= most;
                if !whole(radius, f64::from(u32::MAX)) {
                    let message = "`patch` needs its radius, a whole number of places: patch(3)";
                    return fault(
                        Diagnostic::error(Code::INITIALISER, message)
                            .at(at, "how far does it reach?")
                            .help("write `patch(1)` for the 3 x 3 places around each"),
                    );
                }
                if !whole(width, f64::from(n)) || f64::from(n) % width != 0.0 {
                    let given = numbers.iter().any(|(n, _)| n.as_deref() == Some("width")) || numbers.len() > 1;
                    let label = if given {
                        format!("rows of {width} do not divide {n}")
                    } else {
                        format!("the side would be {side:.2}")
                    };
                    return fault(
                        Diagnostic::error(
                            Code::INITIALISER,
                            format!("{n} bits are no image: a patch needs rows of equal width"),
                        )
                        .at(at, label)
                        .also(port, leaf.to_string())
                        .help(format!("say how wide a row is: patch({radius}, width = ..)")),
                    );
                }
                // The smallest patch lies in a corner.
                let (rows, k) = (f64::from(n) / width, leaf.dims.last().map_or(1, |d| d.at(1)));
                let (high, wide) = ((radius + 1.0).min(rows), (radius + 1.0).min(width));
                #[allow(clippy::cast_precision_loss, reason = "the inputs of one box are few")]
                if k as f64 > high * wide {
                    return fault(
                        Diagnostic::error(
                            Code::INITIALISER,
                            format!("a patch of radius {radius} in a corner has {} places, not {k}", high * wide),
                        )
                        .at(at, format!("{high} x {wide} of {rows} x {width} places"))
                        .also(port, format!("{leaf}: {k} different places each"))
                        .help("make the radius larger, or take fewer inputs each"),
                    );
                }
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and within 32 bits")]
                Init::PatchWires { radius: radius as u32, width: width as u32 }
            }
            ("random" | "grid" | "patch", _) => {
                return fault(
                    Diagnostic::error(
                        Code::INITIALISER,
                        format!("`{name}` lays wires: it draws labels Fin[n], not {}", leaf.base.plural()),
                    )
                    .at(at, "a wiring")
                    .also(port, leaf.to_string())
                    .help("wires are a port of labels: `w: Fin[n][m, k] ~ random`"),
                );
            }
            _ => return Ok(None),
        }))
    }

    /// Refuses a number that a port cannot begin with; over sample settings numbers mean nothing.
    fn begins(&self, x: f64, leaf: &Leaf, (at, port): (Span, Span)) -> Res<()> {
        if self.sampled || leaf.base.holds(x) {
            return Ok(());
        }
        fault(
            Diagnostic::error(Code::INITIALISER, format!("a port of {} cannot begin with {x}", leaf.base.plural()))
                .at(at, format!("has {x}"))
                .also(port, format!("the port is {leaf}"))
                .help(leaf.base.entries()),
        )
    }

    /// Constant entries as what a port begins as; `shown` is their type.
    fn literal_init(
        &mut self,
        (shape, entries, shown): (Vec<u64>, Vec<f64>, Leaf),
        leaf: &Leaf,
        (at, port): (Span, Span),
    ) -> Res<Init> {
        if shape.is_empty() {
            let x = entries.first().copied().unwrap_or(0.0);
            self.begins(x, leaf, (at, port))?;
            return Ok(Init::Constant(x));
        }
        if shape != leaf.literal_dims().unwrap_or_default() {
            return fault(
                Diagnostic::error(Code::INITIALISER, format!("a port {leaf} cannot begin as {shown}"))
                    .at(at, format!("this is {shown}"))
                    .also(port, format!("the port is {leaf}"))
                    .help("give it a list or const of its own shape, or one number by `constant(c)`"),
            );
        }
        if let Some(x) = entries.iter().find(|x| !leaf.base.holds(**x)) {
            self.begins(*x, leaf, (at, port))?;
        }
        let entries = Literal::of(leaf.base, &entries);
        Ok(Init::Literal(Arc::new(Const { leaf: leaf.clone(), entries })))
    }
}

fn bad_draw<T>(message: String, span: Span, help: String) -> Res<T> {
    fault(Diagnostic::error(Code::INITIALISER, message).at(span, "drawn like this").help(help))
}

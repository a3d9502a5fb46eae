//! `two_moons`, `spiral`, `normal[n]` and `uniform[n]` from the tree of a `data` item.
//!
//! In: the call, with or without brackets. Out: an [`OriginKind::Points`]. Invariant: at least one point, no more numbers
//! than a data set may hold, settings in their range.

use crate::data::describe::{Call, Reader};
use crate::data::encode::LIMIT;
use crate::data::spec::{Cloud, OriginKind, Points};
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::Expr;

/// The settings of a source that is drawn, with the defaults it has.
struct Settings {
    n: usize,
    seed: u64,
    noise: f64,
    classes: usize,
    turns: f64,
    std: f64,
    lo: f64,
    hi: f64,
}

impl Reader<'_> {
    /// Reads a source that is drawn.
    pub(crate) fn points(&mut self, call: &Call<'_>, span: Span) -> Option<OriginKind> {
        let name = &*call.name.name;
        let shape = match name {
            "normal" | "uniform" => self.shape(call, span)?,
            _ => {
                self.nothing_in(call.name, "[ ]", &call.dims)?;
                vec![2]
            }
        };
        let known: &[&str] = match name {
            "two_moons" => &["n", "noise", "seed"],
            "spiral" => &["n", "classes", "turns", "noise", "seed"],
            "normal" => &["n", "std", "seed"],
            _ => &["n", "lo", "hi", "seed"],
        };
        let noise = if name == "two_moons" { 0.1 } else { 0.0 };
        let mut s = Settings { n: 1000, seed: 0, noise, classes: 2, turns: 1.75, std: 1.0, lo: 0.0, hi: 1.0 };
        for arg in &call.args {
            let Some(setting) = &arg.name else {
                let help = format!("write `{name}(n = 500)`");
                return self.unfit(format!("the settings of `{name}` are named"), arg.span, help);
            };
            if !known.contains(&&*setting.name) {
                return self.no_setting(call.name, setting, known);
            }
            let expr = self.value(arg)?;
            match &*setting.name {
                "n" => s.n = self.whole(expr, 1)?,
                "seed" => s.seed = self.whole(expr, 0)? as u64,
                "classes" => s.classes = self.whole(expr, 1)?,
                "turns" => s.turns = self.number(expr)?,
                "noise" => s.noise = self.deviation(expr)?,
                "std" => s.std = self.deviation(expr)?,
                "lo" => s.lo = self.number(expr)?,
                _ => s.hi = self.number(expr)?,
            }
        }
        if name == "uniform" && (s.lo >= s.hi || !(s.hi - s.lo).is_finite()) {
            let message = format!("`uniform` draws from lo to hi, these are {} and {}", s.lo, s.hi);
            return self.unfit(message, span, "make `lo` less than `hi`");
        }
        let classes = if name == "spiral" { s.classes } else { 1 + usize::from(name == "two_moons") };
        if s.n < classes {
            let message = format!("{} points for {classes} classes", s.n);
            return self.unfit(message, span, format!("draw at least {classes}, `n = {classes}`"));
        }
        let size = shape.iter().try_fold(s.n, |n, d| n.checked_mul(*d));
        if size.is_none_or(|size| size > LIMIT) {
            let message = format!("more than {LIMIT} numbers in one column of a data set");
            return self.fault(Diagnostic::error(Code::LIMIT, message).at(span, "draws more").help("make `n` smaller"));
        }
        let cloud = match name {
            "two_moons" => Cloud::TwoMoons { noise: s.noise },
            "spiral" => Cloud::Spiral { classes, turns: s.turns, noise: s.noise },
            "normal" => Cloud::Normal { shape, std: s.std },
            _ => Cloud::Uniform { shape, lo: s.lo, hi: s.hi },
        };
        Some(OriginKind::Points(Points { cloud, n: s.n, seed: s.seed }))
    }

    /// The dimensions of a point.
    fn shape(&mut self, call: &Call<'_>, span: Span) -> Option<Vec<usize>> {
        let name = &call.name.name;
        if call.dims.is_empty() {
            return self.unfit(
                format!("`{name}` needs a dimension"),
                span,
                format!("write `{name}[2]` for points of R[2]"),
            );
        }
        let dims: Vec<_> = call.dims.iter().map(|d| self.value(d).and_then(|e| self.whole(e, 1))).collect();
        dims.into_iter().collect()
    }

    fn deviation(&mut self, expr: &Expr) -> Option<f64> {
        let n = self.number(expr)?;
        if n < 0.0 {
            return self.unfit(format!("a deviation is not negative, this is {n}"), expr.span, "write 0 or more");
        }
        Some(n)
    }
}

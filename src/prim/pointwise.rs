//! Pointwise functions of reals: request = `gate(dy, derivative)`, the derivative a diagram again.
//!
//! `gate(dy, d)` is dy * d but 0 where dy is 0 (DESIGN.md 1.3): 0 stays 0 where d is infinite, so that
//! `if x > 0 then log(x) else 0` has no NaN. Products inside a derivative are `mul`, not einsum, so that the same
//! holds for R of R.

use super::{Primitive, Requests, RevSite, zero};
use crate::diagram::{Builder, Function, Op, TypeFault, Wire};
use smallvec::{SmallVec, smallvec};

/// An entry of a function of one operand.
macro_rules! unary {
    ($(#[$doc:meta])* $id:ident, $name:literal, $summary:literal, $formula:literal, $rev:expr) => {
        unary!($(#[$doc])* $id, $name, $summary, $formula, $rev, $name);
    };
    ($(#[$doc:meta])* $id:ident, $name:literal, $summary:literal, $formula:literal, $rev:expr, $written:expr) => {
        $(#[$doc])*
        pub(super) static $id: Primitive = Primitive {
            name: $name,
            signature: "R[..] -> R[..]",
            summary: $summary,
            formula: $formula,
            rev: $rev,
            example: concat!("in %0 : input x : R[3]\n%1 = ", $written, " %0 : R[3]\nout %1\n"),
        };
    };
}

/// An entry of a function of two operands.
macro_rules! binary {
    ($id:ident, $name:literal, $summary:literal, $formula:literal, $rev:expr) => {
        pub(super) static $id: Primitive = Primitive {
            name: $name,
            signature: "R[..] * R[..] -> R[..]",
            summary: $summary,
            formula: $formula,
            rev: $rev,
            example: concat!("in %0 : input x : R[3]\nin %1 : input y : R[3]\n%2 = ", $name, " %0 %1 : R[3]\nout %2\n"),
        };
    };
}

unary!(EXP, "exp", "e^x", "gate(dy, e^x)", |b, site| chain(b, site, |_, _, y| Ok(y)));
unary!(LOG, "log", "the natural logarithm", "gate(dy, 1/x)", |b, site| {
    chain(b, site, |b, x, _| b.map(Function::Recip, &[x]))
});
unary!(LOG1P, "log1p", "log(1 + x), accurate near 0", "gate(dy, 1/(1 + x))", |b, site| {
    chain(b, site, |b, x, _| {
        let up = plus_one(b, x)?;
        b.map(Function::Recip, &[up])
    })
});
unary!(EXPM1, "expm1", "e^x - 1, accurate near 0", "gate(dy, y + 1)", |b, site| {
    chain(b, site, |b, _, y| plus_one(b, y))
});
unary!(SQRT, "sqrt", "the square root", "gate(dy, 1/(2 y))", |b, site| {
    chain(b, site, |b, _, y| {
        let over = b.map(Function::Recip, &[y])?;
        b.scale(over, 0.5)
    })
});
unary!(RECIP, "recip", "1/x", "gate(dy, -y^2)", |b, site| {
    chain(b, site, |b, _, y| {
        let square = b.map(Function::Mul, &[y, y])?;
        b.scale(square, -1.0)
    })
});
unary!(SIN, "sin", "the sine", "gate(dy, cos x)", |b, site| { chain(b, site, |b, x, _| b.map(Function::Cos, &[x])) });
unary!(COS, "cos", "the cosine", "gate(dy, -sin x)", |b, site| {
    chain(b, site, |b, x, _| {
        let sin = b.map(Function::Sin, &[x])?;
        b.scale(sin, -1.0)
    })
});
unary!(TANH, "tanh", "the hyperbolic tangent", "gate(dy, 1 - y^2)", |b, site| {
    chain(b, site, |b, _, y| {
        let square = b.map(Function::Mul, &[y, y])?;
        let minus = b.scale(square, -1.0)?;
        plus_one(b, minus)
    })
});
unary!(SIGMOID, "sigmoid", "1/(1 + e^-x)", "gate(dy, y - y^2)", |b, site| {
    chain(b, site, |b, _, y| {
        let square = b.map(Function::Mul, &[y, y])?;
        b.sub(y, square)
    })
});
unary!(ERF, "erf", "the error function", "gate(dy, 2/sqrt(pi) e^(-x^2))", |b, site| {
    chain(b, site, |b, x, _| {
        let square = b.map(Function::Mul, &[x, x])?;
        let minus = b.scale(square, -1.0)?;
        let bell = b.map(Function::Exp, &[minus])?;
        b.scale(bell, std::f64::consts::FRAC_2_SQRT_PI)
    })
});
unary!(ABS, "abs", "the absolute value", "gate(dy, sign x), so 0 at 0", |b, site| {
    chain(b, site, |b, x, _| b.map(Function::Sign, &[x]))
});
unary!(SIGN, "sign", "-1, 0 or 1; 0 at 0", "0", zero);
unary!(FLOOR, "floor", "the largest whole number not above x", "0", zero);
unary!(POWI, "powi", "x^n for a whole constant n", "gate(dy, n x^(n-1))", powi, "powi 3");

binary!(MUL, "mul", "x y", "(gate(dy, y), gate(dy, x))", |b, site| {
    chain2(b, site, |_, _, y, _| Ok(y), |_, x, _, _| Ok(x))
});
binary!(DIV, "div", "x/y", "(gate(dy, 1/y), gate(dy, -(x/y)/y))", |b, site| {
    chain2(
        b,
        site,
        |b, _, y, _| b.map(Function::Recip, &[y]),
        |b, _, y, out| {
            let over = b.map(Function::Div, &[out, y])?;
            b.scale(over, -1.0)
        },
    )
});
binary!(
    POW,
    "pow",
    "x^y for x >= 0, or y whole",
    "(gate(dy, gate(y, x^(y-1))), gate(dy, gate(x^y, log x)))",
    |b, site| {
        chain2(
            b,
            site,
            |b, x, y, _| {
                let dims = b.dims(y);
                let minus_one = b.fill(&dims, -1.0)?;
                let less = b.add(y, minus_one)?;
                let power = b.map(Function::Pow, &[x, less])?;
                b.map(Function::Gate, &[y, power])
            },
            |b, x, _, out| {
                let log = b.map(Function::Log, &[x])?;
                b.map(Function::Gate, &[out, log])
            },
        )
    }
);
// Bilinear off dy = 0; on it the request of d is gate(dz, dy), which is 0 there, as RD.6 asks.
binary!(GATE, "gate", "x y, but 0 where x is 0 whatever y is", "(gate(dy, y), gate(dy, x))", |b, site| {
    chain2(b, site, |_, _, y, _| Ok(y), |_, x, _, _| Ok(x))
});

type Made = Result<Wire, TypeFault>;

/// x + 1.
fn plus_one(b: &mut Builder, x: Wire) -> Made {
    let dims = b.dims(x);
    let one = b.fill(&dims, 1.0)?;
    b.add(one, x)
}

/// The request of a function of one operand from its derivative in terms of operand and result.
fn chain(b: &mut Builder, site: &RevSite<'_>, d: fn(&mut Builder, Wire, Wire) -> Made) -> Requests {
    if !site.want[0] {
        return Ok(smallvec![None]);
    }
    let dy = site.dy()?;
    let d = d(b, site.ins[0], site.outs[0])?;
    Ok(smallvec![Some(b.map(Function::Gate, &[dy, d])?)])
}

type Partial = fn(&mut Builder, Wire, Wire, Wire) -> Made;

/// The requests of a function of two operands from its partial derivatives in terms of operands and result.
fn chain2(b: &mut Builder, site: &RevSite<'_>, dx: Partial, dy: Partial) -> Requests {
    let request = site.dy()?;
    let mut requests = SmallVec::new();
    for (want, d) in site.want.iter().zip([dx, dy]) {
        requests.push(if *want {
            let d = d(b, site.ins[0], site.ins[1], site.outs[0])?;
            Some(b.map(Function::Gate, &[request, d])?)
        } else {
            None
        });
    }
    Ok(requests)
}

fn powi(b: &mut Builder, site: &RevSite<'_>) -> Requests {
    let Op::Map(Function::Powi(n)) = *site.op else { return Err(TypeFault::NoReverse(site.op.name().to_owned())) };
    let (x, dy) = (site.ins[0], site.dy()?);
    if n == 0 || !site.want[0] {
        return Ok(smallvec![None]);
    }
    if n == 1 {
        return Ok(smallvec![Some(dy)]);
    }
    let less = n.checked_sub(1).ok_or_else(|| TypeFault::NoReverse(format!("powi {n}")))?;
    let power = if less == 1 { x } else { b.map(Function::Powi(less), &[x])? };
    let d = b.scale(power, f64::from(n))?;
    Ok(smallvec![Some(b.map(Function::Gate, &[dy, d])?)])
}

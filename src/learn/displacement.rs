//! Targets and changes: the bridge between Learn and Para(Lens).
//!
//! Backprop as Functor (1711.10455) asks that de/dx(x0, -) be a bijection for every x0: then a target t at a point a is a
//! change g = de/dx(a, t) and back. Here the inverse is found where the change is affine in the target with a constant
//! coefficient, `g(a, t) = g(a, 0) + c t`, c a unit of the base's ring, by walking the reverse derivative's diagram;
//! other errors are refused with their place. Over parity `xor_error` gives prediction xor target, its own inverse.

use super::step::LearnFault;
use crate::diagram::{Builder, Diagram, EinsumSpec, Function, Logic, Op, TypeFault, Wire, inline_calls};
use crate::object::{Leaf, Tangent};
use crate::prim::{divided, rate};
use crate::reverse::requests;
use crate::source::{Code, Diagnostic, Span};

/// The derivative of an error in the prediction, and its inverse in the target.
#[derive(Clone, Debug)]
pub struct Displacement {
    change: Diagram,
    coefficient: f64,
}

/// What is known of a wire as a function of the target: `slope * target + rest`, and whether it is one constant.
#[derive(Clone, Copy, Debug)]
struct Known {
    slope: Option<f64>,
    constant: Option<f64>,
}

impl Displacement {
    /// The displacement of an error `(prediction, target) -> loss` over a tangent; prediction and target have one leaf,
    /// whose changes are of that leaf too.
    ///
    /// # Errors
    /// E0506 at `span` when the derivative is not affine in the target with a constant coefficient that can be undone,
    /// and when the error is not of that type.
    pub fn of(error: &Diagram, tangent: Tangent, span: Span) -> Result<Displacement, Diagnostic> {
        let refuse = |why: &str| {
            Diagnostic::error(Code::CONVERSION, format!("this loss cannot turn targets into changes: {why}"))
                .at(span, "its derivative in the prediction must be a bijection in the label")
                .help("`quadratic`, `mse` and `xor_error` are; train with the change form instead, which asks for no inverse")
        };
        let leaves: Vec<&Leaf> = error.ports().iter().map(|p| &p.leaf).collect();
        let fits = matches!(leaves.as_slice(), [a, b] if a == b && tangent.of(a).as_ref() == Some(*b));
        if !fits || error.outs().len() != 1 {
            return Err(refuse(&format!("it is not of type (X, X) -> L with changes in X over {tangent}")));
        }
        let change = derivative(error, tangent).map_err(|f| refuse(&f.to_string()))?;
        let coefficient = slope_in_target(&change)
            .filter(|c| c.is_finite())
            .ok_or_else(|| refuse("its derivative is not a constant multiple of the label, plus terms without it"))?;
        let made = Displacement { change, coefficient };
        made.inverse().map_err(|_| refuse("its derivative does not depend on the label"))?;
        Ok(made)
    }

    /// (point, change) -> target.
    fn inverse(&self) -> Result<Diagram, TypeFault> {
        let mut b = Builder::new();
        let ins: Vec<Wire> = self.change.ports().iter().map(|p| b.port_like(p)).collect();
        let [point, change] = ins.as_slice() else { return Err(TypeFault::Foreign) };
        let target = self.target(&mut b, *point, *change)?;
        Ok(b.finish(&[target]))
    }

    /// The change that a target asks for at a point: de/dx(a, t).
    ///
    /// # Errors
    /// [`TypeFault`] when the wires are not of the error's leaf.
    pub fn change(&self, b: &mut Builder, point: Wire, target: Wire) -> Result<Wire, TypeFault> {
        let outs = b.append(&self.change, &[point, target])?;
        outs.first().copied().ok_or(TypeFault::Foreign)
    }

    /// The target that asks for a change at a point: the inverse of [`Displacement::change`] in the target.
    ///
    /// # Errors
    /// [`TypeFault`] when the wires are not of the error's leaf.
    pub fn target(&self, b: &mut Builder, point: Wire, change: Wire) -> Result<Wire, TypeFault> {
        let leaf = b.leaf(point).clone();
        let zero = b.zero(&leaf)?;
        let rest = self.change(b, point, zero)?;
        let minus = b.negative(rest)?;
        let difference = b.add(change, minus)?;
        divided(b, difference, self.coefficient)
    }
}

/// (a, t) -> de/dx(a, t), asked at the rate's request of the loss.
fn derivative(error: &Diagram, tangent: Tangent) -> Result<Diagram, LearnFault> {
    let (mut b, outs) = Builder::resume(error.clone());
    let mut cots = Vec::new();
    for out in outs {
        cots.push((out, rate(&mut b, tangent, out)?));
    }
    let point = error.port_wire(0);
    let asked = requests(&mut b, &tangent, &cots, &[point])?;
    let change = match asked.first().copied().flatten() {
        Some(w) => w,
        None => {
            let leaf = b.leaf(point).clone();
            b.zero(&leaf)?
        }
    };
    Ok(inline_calls(&b.finish(&[change]))?)
}

/// Whether each entry of the result is made of one place of the operands: no letter twice in a word.
fn is_entrywise(spec: &EinsumSpec) -> bool {
    let distinct = |word: &[u8]| word.iter().enumerate().all(|(i, l)| word.iter().skip(i + 1).all(|m| m != l));
    distinct(spec.out()) && spec.ins().iter().all(|word| distinct(word))
}

/// The coefficient of the second port in the only output, entry by entry; `None` when it has none. A coefficient
/// over Z2 is odd or even.
fn slope_in_target(d: &Diagram) -> Option<f64> {
    let mut known: Vec<Known> = Vec::with_capacity(d.nodes().len());
    let target = d.port_wire(1);
    for (at, node) in d.nodes().iter().enumerate() {
        let ins: Vec<Known> = node.ins.iter().filter_map(|w| known.get(w.node as usize).copied()).collect();
        let made = match &node.op {
            Op::Input(_) => {
                let slope = if at == target.node as usize { 1.0 } else { 0.0 };
                Known { slope: Some(slope), constant: None }
            }
            _ => combine(d, at, &ins),
        };
        known.push(made);
    }
    known.get(d.outs().first()?.node as usize)?.slope
}

fn combine(d: &Diagram, at: usize, ins: &[Known]) -> Known {
    let Some(node) = d.nodes().get(at) else { return Known { slope: None, constant: None } };
    let still = ins.iter().all(|k| k.slope == Some(0.0));
    let fixed: Option<Vec<f64>> = ins.iter().map(|k| k.constant).collect();
    let slope = match (&node.op, ins) {
        _ if still => Some(0.0),
        (op, [x, y]) if op.is_addition() => x.slope.zip(y.slope).map(|(x, y)| x + y),
        (Op::Logic(Logic::Not), [x]) => x.slope,
        (Op::Map(Function::Mul | Function::Gate), [x, y]) => match (x, y) {
            (Known { constant: Some(c), .. }, Known { slope: Some(s), .. })
            | (Known { slope: Some(s), .. }, Known { constant: Some(c), .. }) => Some(c * s),
            _ => None,
        },
        (Op::Map(Function::Div), [x, Known { constant: Some(c), .. }]) => x.slope.map(|s| s / c),
        (Op::Einsum(spec), _) if is_entrywise(spec) => {
            // One operand entry by entry, the others numbers.
            let mut slope = Some(spec.scale());
            for ((letters, k), w) in spec.ins().iter().zip(ins).zip(&node.ins) {
                let factor = if letters == spec.out() && k.constant.is_none() {
                    k.slope
                } else if d.leaf(*w).size(2) == 1 {
                    k.constant
                } else {
                    None
                };
                slope = slope.zip(factor).map(|(s, f)| s * f);
            }
            let once = ins.iter().filter(|k| k.constant.is_none()).count() == 1;
            slope.filter(|_| once)
        }
        _ => None,
    };
    let constant = fixed.and_then(|c| match (&node.op, c.as_slice()) {
        (Op::Einsum(spec), _) if !is_entrywise(spec) => None,
        (Op::Einsum(spec), []) => Some(spec.scale()),
        (Op::Einsum(spec), c) if node.ins.iter().all(|w| d.leaf(*w).size(2) == 1) => {
            Some(spec.scale() * c.iter().product::<f64>())
        }
        (Op::Einsum(spec), [c]) if spec.ins().first() == Some(spec.out()) => Some(spec.scale() * c),
        (Op::Add, [x, y]) => Some(x + y),
        (Op::Map(Function::Mul), [x, y]) => Some(x * y),
        (Op::Map(Function::Gate), [x, y]) => Some(if *x == 0.0 { 0.0 } else { x * y }),
        (Op::Map(Function::Div), [x, y]) => Some(x / y),
        (Op::Map(Function::Recip), [x]) => Some(1.0 / x),
        _ => None,
    });
    Known { slope, constant }
}

//! What a leaf of parameters or state starts as: plain data; `run` draws it.

use super::op::Const;
use crate::object::Leaf;
use std::fmt;
use std::sync::Arc;

/// How the entries of a leaf are drawn at the start.
#[derive(Clone, PartialEq, Debug)]
pub enum Init {
    /// 0, false, label 0.
    Zeros,
    /// 1, true, label 1.
    Ones,
    /// One number everywhere.
    Constant(f64),
    /// Evenly between two bounds.
    Uniform {
        /// The lower bound, which may be drawn.
        lo: f64,
        /// The upper bound, which is not drawn.
        hi: f64,
    },
    /// From a normal distribution of mean 0.
    Normal {
        /// Its standard deviation.
        std: f64,
    },
    /// Glorot and Bengio (2010): evenly within `sqrt(6 / (fan_in + fan_out))` of 0.
    Glorot,
    /// He and others (2015): normal with variance `2 / fan_in`.
    He,
    /// Saxe and others (2014): rows or columns (whichever are fewer) orthonormal.
    Orthogonal,
    /// Wires of a layer, `Fin[n][m, k]`: k different places for each of m boxes, each choice as likely as the next.
    RandomWires,
    /// Wires of a layer over an image: for each box a place drawn at random, then k different places within `radius`
    /// of it in both directions.
    PatchWires {
        /// How far, in places.
        radius: u32,
        /// How wide a row of the image is.
        width: u32,
    },
    /// Wires of a layer in order: box j reads the places j k to j k + k - 1, from the start again behind the end.
    GridWires,
    /// The given tensor.
    Literal(Arc<Const>),
}

/// Fan in and fan out of a weight `R[out, in, window..]`: how many entries feed one output, how many one input feeds.
#[must_use]
pub fn fans(leaf: &Leaf) -> (f64, f64) {
    let n = |k: usize| leaf.dims.get(k).map_or(1.0, |d| d.at(1) as f64);
    let window: f64 = leaf.dims.iter().skip(2).map(|d| d.at(1) as f64).product();
    match leaf.rank() {
        0 | 1 => (n(0), n(0)),
        _ => (n(1) * window, n(0) * window),
    }
}

impl fmt::Display for Init {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Init::Zeros => write!(f, "zeros"),
            Init::Ones => write!(f, "ones"),
            Init::Constant(c) => write!(f, "constant({c})"),
            Init::Uniform { lo, hi } => write!(f, "uniform({lo}, {hi})"),
            Init::Normal { std } => write!(f, "normal({std})"),
            Init::Glorot => write!(f, "glorot"),
            Init::He => write!(f, "he"),
            Init::Orthogonal => write!(f, "orthogonal"),
            Init::RandomWires => write!(f, "random"),
            Init::PatchWires { radius, width } => write!(f, "patch({radius}, width = {width})"),
            Init::GridWires => write!(f, "grid"),
            Init::Literal(value) => write!(f, "a literal {}", value.leaf),
        }
    }
}

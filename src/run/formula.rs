//! The expression of a truth table on every row at once: what `data::load` asks its caller for.

use super::reference::evaluate;
use super::tensor::Tensor;
use crate::diagram::Diagram;
use crate::learn::batched;

/// Runs a diagram with the one port `x : Bool[n]` on rows of bits: the entries of its output, row by row.
///
/// # Errors
/// Why it cannot be run, in words.
pub fn evaluate_bits(d: &Diagram, rows: usize, bits: Vec<bool>) -> Result<Vec<f64>, String> {
    let d = batched(d).map_err(|fault| fault.to_string())?;
    let width = bits.len() / rows.max(1);
    let x = Tensor::<f64>::bool(&[rows, width], bits).ok_or_else(|| format!("{rows} rows of {width} bits"))?;
    let outs = evaluate(&d, &[x], rows).map_err(|fault| fault.to_string())?;
    Ok(outs.first().map(Tensor::to_f64).unwrap_or_default())
}

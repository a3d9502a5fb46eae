//! Truth tables: every row of `n` bits, and an expression of them.
//!
//! In: a diagram with the one port `x : Bool[n]`, and a way to run it that the caller brings (this stage stands left of
//! the machine). Out: two arrays, the bits and what the expression gives for each row. Wire `j` of row `r` is bit `j` of
//! `r`, bit 0 first. Whole numbers that are all 0 or 1 are bits.

use crate::data::source::array::{Array, Entries};
use crate::diagram::Diagram;
use crate::object::Base;
use crate::source::{Code, Diagnostic, Diagnostics, Span};
use std::fmt;

/// The most wires of a truth table: a million rows.
pub(crate) const WIRES: usize = 20;

/// Runs a diagram with the port `x : Bool[n]` on rows of bits, all at once: the entries of its output, row by row.
pub type Evaluate<'a> = &'a dyn Fn(&Diagram, usize, Vec<bool>) -> Result<Vec<f64>, String>;

/// The expression of a truth table; two are equal when they are written alike.
#[derive(Clone)]
pub struct Formula(pub Diagram);

impl Formula {
    /// How many bits it gives, if it gives bits.
    #[must_use]
    pub fn bits(&self) -> Option<usize> {
        let leaf = self.0.out_leaves().into_iter().next()?;
        (leaf.base == Base::Bool).then(|| leaf.size(1))
    }
}

impl fmt::Debug for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl PartialEq for Formula {
    fn eq(&self, other: &Formula) -> bool {
        self.0.to_string() == other.0.to_string()
    }
}

/// The rows of a truth table; `None` when a fault was recorded.
pub(crate) fn rows(
    wires: usize,
    formula: &Formula,
    span: Span,
    evaluate: Evaluate<'_>,
    faults: &mut Diagnostics,
) -> Option<[Array; 2]> {
    let rows = 1_usize << wires.min(WIRES);
    let bits: Vec<bool> = (0..rows).flat_map(|row| (0..wires).map(move |wire| row >> wire & 1 == 1)).collect();
    let mut fail = |why: String| {
        let message = format!("the expression of this truth table cannot be evaluated: {why}");
        faults.push(
            Diagnostic::error(Code::DATA_VALUE, message)
                .at(span, "evaluated on every row")
                .help("let it end in bits or numbers, as many for every row"),
        );
        None
    };
    let values = match evaluate(&formula.0, rows, bits.clone()) {
        Ok(values) => values,
        Err(why) => return fail(why),
    };
    let width = values.len() / rows;
    if width == 0 || values.len() != width * rows || values.iter().any(|v| !v.is_finite()) {
        return fail(format!("it gives {} values for {rows} rows", values.len()));
    }
    let entries = if values.iter().all(|v| *v == 0.0 || *v == 1.0) {
        Entries::Bits(values.iter().map(|v| *v == 1.0).collect())
    } else {
        Entries::Numbers(values)
    };
    let input = Array::new("truth_table", rows, vec![wires], Entries::Bits(bits));
    Some([input, Array::new("truth_table", rows, vec![width], entries)])
}

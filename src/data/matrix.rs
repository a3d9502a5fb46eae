//! A csv file as a matrix of numbers: what a `const` of the language may be.
//!
//! In: the expression `csv("H.csv", ..)` and the world. Out: rows, columns and the entries, row by row; every fault of the
//! file with its place. The same reader as for data, so that separators, headers and gzip are the same.

use crate::data::describe::{Meaning, Reader};
use crate::data::encode::flow::View;
use crate::data::encode::numbers::numbers;
use crate::data::source::Reading;
use crate::data::table::Table;
use crate::diagram::Diagram;
use crate::source::{Code, Diagnostic, Diagnostics, World};
use crate::syntax::ast::Expr;

/// The shape and the entries of a constant from a file.
pub type Matrix = ([u64; 2], Vec<f64>);

/// Names of files and `true` are all that the source of a constant is made of.
struct Plain;

impl Meaning for Plain {
    fn number(&self, e: &Expr) -> Result<f64, Diagnostic> {
        Err(Diagnostic::error(Code::DATA_FIELD, "the file of a constant takes no numbers")
            .at(e.span, "not used")
            .help("write `csv(\"H.csv\")`"))
    }

    fn formula(&self, e: &Expr, _: usize) -> Result<Diagram, Diagnostics> {
        self.number(e).map(|_| Diagram::identity(&[])).map_err(Diagnostics::from)
    }
}

/// Reads the file that a constant names in the file `from`.
///
/// # Errors
/// It cannot be read, or has entries that are not numbers.
pub fn matrix(source: &Expr, from: &str, world: &dyn World) -> Result<Matrix, Diagnostics> {
    let mut reader = Reader::new(&Plain);
    let origin = reader.origin(source);
    let mut faults = reader.into_faults();
    let found = origin.and_then(|origin| {
        let mut reading = Reading { from, world, evaluate: &|_, _, _| Err(String::new()), files: Vec::new() };
        let table = reading.parts(&origin, None, &mut faults).map(Table::of)?;
        let (rows, columns): (Vec<usize>, Vec<usize>) = ((0..table.rows).collect(), (0..table.width).collect());
        let view = View { table: &table, rows: &rows, columns: &columns, span: source.span };
        Some(([table.rows as u64, table.width as u64], numbers(&view, &mut faults)?))
    });
    match found {
        Some(matrix) if !faults.has_errors() => Ok(matrix),
        _ => Err(faults),
    }
}

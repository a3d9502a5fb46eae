//! Laws on every item of a program.

use super::{reverse, rules};
use crate::elaborate::Program;
use crate::random::{Stream, Use};
use crate::source::Diagnostic;

/// One law on one item.
#[derive(Clone, PartialEq, Debug)]
pub struct LawResult {
    /// What was checked.
    pub law: String,
    /// On what.
    pub item: String,
    /// How often; points where differences cannot tell (kinks, outside the domain) do not count. 0 is untested.
    pub cases: usize,
    /// The counterexample, if there is one.
    pub failure: Option<Diagnostic>,
}

/// What was checked.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Report {
    /// A line a law and item.
    pub results: Vec<LawResult>,
}

/// Checks the laws on every map, loss, primitive and coordinate rule of the user's files.
///
/// ```
/// use catlearn::elaborate::Program;
/// use catlearn::source::MemoryWorld;
/// let text = "prim cube : R[n] -> R[n] { fwd (x) { x ^ 3 } rev (x, dy) { 2 * dy * x ^ 2 } }";
/// let program = Program::parse(text, "cube.lens", &MemoryWorld::default()).map_err(|(d, _)| d)?;
/// let report = catlearn::laws::check(&program, 20, 0);
/// assert!(report.results.iter().any(|r| r.failure.is_some())); // the 2 should be a 3
/// # Ok::<(), catlearn::source::Diagnostics>(())
/// ```
#[must_use]
pub fn check(program: &Program, cases: usize, seed: u64) -> Report {
    let mut report = Report::default();
    for sample in program.samples() {
        let mut stream = Stream::new(seed, Use::Laws);
        report.results.extend(reverse::check(&sample, cases, &mut stream));
    }
    for (name, whole, parts) in program.coordinate_rules() {
        let mut stream = Stream::new(seed, Use::Laws);
        report.results.push(rules::splitting(&name, &whole, &parts, cases, &mut stream));
    }
    report
}

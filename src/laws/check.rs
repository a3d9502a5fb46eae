//! Laws on every item of a program.

use super::{bits, reverse, rules};
use crate::elaborate::Program;
use crate::random::{Stream, Use};
use crate::source::Diagnostic;
use crate::syntax::ast::Ident;

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
        let mut lines = reverse::check(&sample, cases, &mut stream);
        lines.extend(bits::check(&sample, cases, &mut stream));
        if lines.is_empty() {
            let mut none = Tally::new(&sample.name);
            none.line("no derivative: no reals or bits go in, or none come out");
            lines = none.results;
        }
        report.results.extend(lines);
    }
    for (name, whole, parts) in program.coordinate_rules() {
        let mut stream = Stream::new(seed, Use::Laws);
        report.results.push(rules::splitting(&name, &whole, &parts, cases, &mut stream));
    }
    report
}

/// The lines of one item as they come to be.
pub(super) struct Tally {
    item: String,
    pub(super) results: Vec<LawResult>,
}

impl Tally {
    pub(super) fn new(item: &Ident) -> Tally {
        Tally { item: item.name.to_string(), results: Vec::new() }
    }

    /// A law that is to be checked, or one that is not: without cases yet.
    pub(super) fn line(&mut self, law: &str) {
        if !self.results.iter().any(|r| r.law == law) {
            self.results.push(LawResult { law: law.to_owned(), item: self.item.clone(), cases: 0, failure: None });
        }
    }

    /// The line of one law.
    pub(super) fn only(mut self, law: &str) -> LawResult {
        self.line(law);
        let at = self.results.iter().position(|r| r.law == law).unwrap_or(0);
        self.results.swap_remove(at)
    }

    /// Whether nothing speaks against a law yet.
    pub(super) fn holds(&self, law: &str) -> bool {
        self.results.iter().all(|r| r.law != law || r.failure.is_none())
    }

    /// What one case said, if it could be run.
    pub(super) fn met(&mut self, law: &str, said: Option<Result<(), Diagnostic>>) {
        if let Some(said) = said {
            self.counted(law, 1, said.err());
        }
    }

    /// What many cases said.
    pub(super) fn counted(&mut self, law: &str, cases: usize, failure: Option<Diagnostic>) {
        self.line(law);
        for r in self.results.iter_mut().filter(|r| r.law == law) {
            r.cases += cases;
            r.failure = r.failure.take().or_else(|| failure.clone());
        }
    }
}

//! `catlearn laws FILE`.

use super::load::load;
use super::terminal::answer;
use super::{End, Shared};
use catlearn::laws;
use catlearn::source::Diagnostics;
use clap::Args;

#[derive(Debug, Args)]
pub(super) struct LawsArgs {
    /// The program
    pub(super) file: String,
    /// Random cases a law
    #[arg(long, default_value_t = 100)]
    cases: usize,
    /// Seed of the cases
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

pub(super) fn run(args: &LawsArgs, shared: &Shared) -> End {
    checked(args, shared).unwrap_or_else(|end| end)
}

fn checked(args: &LawsArgs, shared: &Shared) -> Result<End, End> {
    let loaded = load(&args.file, shared)?;
    let said = loaded.program.check();
    loaded.say(shared, &said);
    if said.has_errors() {
        return Err(End::Fault);
    }
    let report = laws::check(&loaded.program, args.cases, args.seed);
    let mut faults = Diagnostics::default();
    let wide = report.results.iter().map(|r| r.item.chars().count()).max().unwrap_or(0);
    for r in &report.results {
        let held = match (&r.failure, r.cases) {
            (Some(_), _) => "FAILS",
            (None, 0) => "not tested",
            _ => "holds",
        };
        answer(&format!("{:wide$}  {held}  {:>6} cases  {}", r.item, r.cases, r.law))?;
        faults.0.extend(r.failure.clone());
    }
    loaded.say(shared, &faults);
    Ok(if faults.0.is_empty() { End::Fine } else { End::Fault })
}

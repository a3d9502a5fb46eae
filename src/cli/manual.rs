//! `catlearn completions SHELL`, `catlearn man [DIR]`, `catlearn version`: all from the one definition of the flags.

use super::terminal::{answer, complain, note, whole};
use super::{Cli, End, Shared};
use catlearn::source::{Code, Diagnostic};
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use serde_json::json;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// Where a page a verb is written; without it the page of `catlearn` goes to stdout
    dir: Option<PathBuf>,
}

pub(super) fn completions(args: &CompletionsArgs) -> End {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "catlearn", &mut text);
    whole(&text).err().unwrap_or(End::Fine)
}

pub(super) fn man(args: &ManArgs, shared: &Shared) -> End {
    let Some(dir) = &args.dir else {
        let mut text = Vec::new();
        let drawn = clap_mangen::Man::new(Cli::command()).render(&mut text);
        return drawn.map_or(End::Fault, |()| whole(&text).err().unwrap_or(End::Fine));
    };
    let written = std::fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(Cli::command(), dir));
    match written {
        Ok(()) => {
            note(
                shared,
                &format!("the pages are in {}; read one with: man {}/catlearn.1", dir.display(), dir.display()),
            );
            End::Fine
        }
        Err(e) => {
            let d = Diagnostic::error(Code::OUTPUT, format!("`{}` cannot be written: {e}", dir.display()));
            complain(shared, d.help("name a folder that can be written"));
            End::Usage
        }
    }
}

pub(super) fn version(shared: &Shared) -> End {
    let version = env!("CARGO_PKG_VERSION");
    let said = if shared.json() { json!({"catlearn": version}).to_string() } else { format!("catlearn {version}") };
    answer(&said).err().unwrap_or(End::Fine)
}

//! `catlearn new NAME`: a folder that trains at once, from a template.
//!
//! Nothing is overwritten: the folder must not be there, or be empty. A name that is a template's own makes that one.

use super::terminal::{complain, note};
use super::{End, Shared};
use catlearn::source::{Code, Diagnostic};
use clap::{Args, ValueEnum};
use std::fs;
use std::path::{Path, PathBuf};

/// What a folder is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Template {
    /// Flowers from four measurements: a first model, with its data
    Iris,
    /// Handwritten digits; says where to get the files
    Mnist,
    /// A circuit learned from a truth table
    Boolean,
    /// An update rule of your own
    Optimiser,
}

#[derive(Debug, Args)]
pub(super) struct NewArgs {
    /// The folder to make
    name: PathBuf,
    /// What to begin with [default: the one called NAME, else iris]
    #[arg(long, value_enum, value_name = "T")]
    template: Option<Template>,
}

/// The files of a template, and what to do next.
fn files(template: Template) -> (&'static [(&'static str, &'static str)], &'static str) {
    match template {
        Template::Iris => (
            &[
                ("iris.lens", include_str!("templates/iris.lens")),
                ("data/iris.csv", include_str!("../../examples/data/iris.csv")),
                ("README.md", include_str!("templates/iris.md")),
            ],
            "catlearn train iris.lens",
        ),
        Template::Mnist => (
            &[("mnist.lens", include_str!("templates/mnist.lens")), ("README.md", include_str!("templates/mnist.md"))],
            "get the four files (README.md says where), then: catlearn train mnist.lens",
        ),
        Template::Boolean => (
            &[
                ("boolean.lens", include_str!("templates/boolean.lens")),
                ("README.md", include_str!("templates/boolean.md")),
            ],
            "catlearn train boolean.lens",
        ),
        Template::Optimiser => (
            &[
                ("optimiser.lens", include_str!("templates/optimiser.lens")),
                ("README.md", include_str!("templates/optimiser.md")),
            ],
            "catlearn train optimiser.lens:own",
        ),
    }
}

pub(super) fn run(args: &NewArgs, shared: &Shared) -> End {
    let own = args.name.file_name().and_then(|n| Template::from_str(n.to_str()?, false).ok());
    let template = args.template.or(own).unwrap_or(Template::Iris);
    let fail = |what: String| {
        complain(shared, Diagnostic::error(Code::OUTPUT, what).help("name a folder that is not there yet"));
        End::Usage
    };
    let shown = args.name.display();
    match fs::read_dir(&args.name).map(|mut entries| entries.next().is_some()) {
        Ok(true) => {
            return fail(format!("`{shown}` is not empty, and nothing is overwritten"));
        }
        Err(_) if args.name.exists() => return fail(format!("`{shown}` is there and no folder")),
        Ok(false) | Err(_) => {}
    }
    let (files, next) = files(template);
    for (name, text) in files {
        if let Err(e) = written(&args.name.join(name), text) {
            return fail(format!("`{shown}/{name}` cannot be written: {e}"));
        }
    }
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    note(shared, &format!("{shown} has {}", names.join(", ")));
    note(shared, &format!("next: cd {shown}; {next}"));
    End::Fine
}

fn written(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

//! The `catlearn` command: all input and output; the rest is the library.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the binary is where files, the environment and the clock are read"
)]

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}

//! The command line: the only part that reads files, prints and parses flags.

pub mod render;

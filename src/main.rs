//! The binary `catlearn`.

#[allow(dead_code, unreachable_pub, reason = "the commands that use it are not there yet")]
mod cli;

fn main() {}

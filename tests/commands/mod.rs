//! Running the binary and looking at what it leaves, for the tests of whole commands.
#![allow(dead_code, reason = "not every test file needs everything")]

use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The binary without anything of the caller's environment.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_catlearn"));
    command.args(args);
    for name in ["CATLEARN_DATA", "CATLEARN_SEED", "CATLEARN_COLOR"] {
        command.env_remove(name);
    }
    command
}

pub(crate) fn catlearn(args: &[&str]) -> Output {
    command(args).output().unwrap()
}

/// Runs with text on stdin.
pub(crate) fn piped(args: &[&str], input: &[u8]) -> Output {
    let mut child = command(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that ends before it has read everything closes the pipe.
    let _closed = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

/// Ends with that exit code; what it wrote to stdout and stderr.
pub(crate) fn ends(o: &Output, code: i32) -> (String, String) {
    let said = (String::from_utf8(o.stdout.clone()).unwrap(), String::from_utf8(o.stderr.clone()).unwrap());
    assert_eq!(o.status.code(), Some(code), "{}{}", said.0, said.1);
    said
}

/// An empty folder under the target folder.
pub(crate) fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _absent = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

pub(crate) fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The lines of `metrics.jsonl`.
pub(crate) fn lines(run: &Path) -> Vec<Value> {
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// A tensor of the last state, as bytes.
pub(crate) fn tensor(run: &Path, name: &str) -> Vec<u8> {
    let bytes = last(run);
    safetensors::SafeTensors::deserialize(&bytes).unwrap().tensor(name).unwrap().data().to_vec()
}

pub(crate) fn last(run: &Path) -> Vec<u8> {
    fs::read(run.join("checkpoint/last.safetensors")).unwrap()
}

//! `catlearn explain`, whole commands, and the page of every name.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests read and write files")]

mod commands;

use commands::{catlearn, ends, folder, text};
use serde_json::Value;

fn explain(what: &str) -> String {
    ends(&catlearn(&["explain", what]), 0).0
}

fn refused(what: &str) -> String {
    let (said, told) = ends(&catlearn(&["explain", what]), 1);
    assert_eq!(said, "");
    told
}

#[test]
fn the_page_of_every_name_is_what_the_source_says() {
    let now = catlearn::manual::index();
    if std::env::var_os("CATLEARN_BLESS").is_some() {
        std::fs::write("docs/prelude.md", &now).unwrap();
    }
    let page = std::fs::read_to_string("docs/prelude.md").unwrap();
    assert!(page == now, "docs/prelude.md is stale: CATLEARN_BLESS=1 cargo test --test explain writes it");
}

#[test]
fn the_list_has_every_family() {
    let said = explain("std");
    for line in ["Layers", "  dense[n, m] : R[n] -> R[m]", "      W @ x + b: every output sees every input."] {
        assert!(said.lines().any(|l| l == line), "{line}\n{said}");
    }
    assert!(said.lines().all(|l| l.chars().count() <= 80 && !l.contains('\u{1b}')));
    let (json, _) = ends(&catlearn(&["explain", "std", "--format", "json"]), 0);
    let all: Vec<Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(all.len(), catlearn::manual::entries().len());
    assert!(all.iter().all(|e| e["name"].is_string() && e["doc"].as_str().is_some_and(|d| !d.is_empty())));
}

#[test]
fn a_name_of_the_prelude() {
    let said = explain("dense");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "dense[n, m] : R[n] -> R[m]");
    assert!(lines[1].starts_with("model of the family Layers, defined at std/nn.lens:"), "{said}");
    for part in ["settings\n    n  how many numbers come in\n", "parameters\n    W  R[m, n] ~ glorot\n", "\nexample\n"]
    {
        assert!(said.contains(part), "{part}\n{said}");
    }
    assert!(said.contains("definition\n    model dense[n, m] {W: R[m, n] ~ glorot"), "{said}");
    let adam = explain("adam");
    assert!(adam.contains("adam(lr = 0.001") || adam.contains("adam(lr = 1e-3"), "{adam}");
    assert!(adam.contains("(Kingma and Ba 2015)") && adam.contains("states\n    m  R[n] ~ zeros\n"), "{adam}");
}

#[test]
fn all_meanings_of_a_name_are_shown() {
    let said = explain("uniform");
    assert!(said.contains("initialiser of the family Initialisers"), "{said}");
    let said = explain("sum");
    assert!(said.contains("function of the family Along an axis"), "{said}");
    assert!(said.contains("aggregator of the family Aggregators"), "{said}");
    let (json, _) = ends(&catlearn(&["explain", "sum", "--format", "json"]), 0);
    let both: Vec<Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(both.len(), 2);
}

#[test]
fn what_is_not_there_is_refused_with_the_nearest() {
    assert!(refused("dens").contains("did you mean `dense`?"));
    assert!(refused("E0999").contains("no message has the code E0999"));
    assert!(refused("zzzzzzzz").contains("explain std"));
    assert!(refused("nothing.lens").contains("E0204"));
    ends(&catlearn(&["explain"]), 2);
}

#[test]
fn a_code_however_it_is_written() {
    let said = explain("E0301");
    assert!(said.starts_with("E0301: these two maps do not compose\n"), "{said}");
    assert_eq!(said, explain("e301"));
    let (json, _) = ends(&catlearn(&["explain", "E0301", "--format", "json"]), 0);
    let one: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(one["code"], "E0301");
    assert!(one["page"].as_str().is_some_and(|p| p.contains("```lens")));
}

const PROGRAM: &str = "\
// Two layers for points of the plane.
// - nothing: is told here
model mlp : R[2] -> R[1] = dense[2, 8] >> tanh >> dense[8, 1]

data points { source = inline([[0, 0, 0], [0, 1, 1]]), input = columns(0..2), target = columns(2) }
train learn { data = points, model = mlp, loss = mse, optimiser = momentum(lr = 0.1), steps = 3 }
";

#[test]
fn a_name_of_a_file_has_its_ports_by_path() {
    let program = folder("explain-name").join("own.lens");
    std::fs::write(&program, PROGRAM).unwrap();
    let said = explain(&format!("{}:mlp", text(&program)));
    assert!(said.starts_with("mlp : R[2] -> R[1]\nmodel, defined at "), "{said}");
    assert!(said.contains("own.lens:3") && said.contains("Two layers for points of the plane."), "{said}");
    for port in ["mlp.0.W  R[8, 2] ~ glorot", "mlp.0.b  R[8] ~ zeros", "mlp.1.W  R[1, 8] ~ glorot"] {
        assert!(said.contains(&format!("    {port}\n")), "{port}\n{said}");
    }
    let said = explain(&format!("{}:learn", text(&program)));
    assert!(said.contains("states\n") && said.contains("mlp.0.W.b  R[8, 2]"), "{said}");
    let told = refused(&format!("{}:mpl", text(&program)));
    assert!(told.contains("did you mean `mlp`?"), "{told}");
    let told = refused(&format!("{}:dense", text(&program)));
    assert!(told.contains("catlearn explain dense"), "{told}");
}

#[test]
fn a_file_shows_its_runs_with_every_default() {
    let program = folder("explain-file").join("own.lens");
    std::fs::write(&program, PROGRAM).unwrap();
    let said = explain(text(&program));
    let expected = "\
train learn {
    data      = points
    model     = mlp
    loss      = mse
    optimiser = momentum(lr = 0.1)
    batch     = 32
    steps     = 3
    aggregate = mean
    precision = f32
    shuffle   = true
    metrics   = []
    select    = last
    seed      = drawn when it begins
}
";
    assert_eq!(said, expected);
    let (json, _) = ends(&catlearn(&["explain", text(&program), "--format", "json"]), 0);
    let runs: Vec<Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(runs[0]["settings"]["batch"], "32");
    std::fs::write(&program, PROGRAM.replace("dense[8, 1]", "dense[9, 1]")).unwrap();
    let (said, told) = ends(&catlearn(&["explain", text(&program)]), 1);
    assert!(said.is_empty() && told.contains("E0301"), "{told}");
}

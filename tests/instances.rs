//! A definition applied again at the same types is what its body written out is, and costs what it gives.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use catlearn::diagram::{Role, same};
use catlearn::elaborate::{Model, Program};
use catlearn::source::{Code, Diagnostics, MemoryWorld};
use std::fmt::Write as _;

fn program(text: &str) -> Program {
    Program::parse(text, "test.lens", &MemoryWorld::default()).unwrap_or_else(|(said, _)| panic!("{said}"))
}

fn model(text: &str, name: &str) -> Model {
    program(text).model(name).unwrap_or_else(|said| panic!("{said}"))
}

/// `word f1 = first`, and each of the others twice the one before.
fn doubled(word: &str, first: &str, levels: usize) -> Vec<String> {
    let each = |i: usize| format!("{word} f{i} : R[4] -> R[4] = f{0} >> f{0}\n", i - 1);
    std::iter::once(format!("{word} f1 : R[4] -> R[4] = {first}\n")).chain((2..=levels).map(each)).collect()
}

fn errors(text: &str) -> (Program, Diagnostics) {
    let program = program(text);
    let said = program.check();
    (program, said)
}

/// Two programs of a map `m` that have the same operations in the same order, ports of the same kinds, drawn alike.
fn alike(a: &str, b: &str) {
    let (a, b) = (model(a, "m"), model(b, "m"));
    assert!(same(&a.diagram, &b.diagram), "{:?}\n{:?}", a.diagram, b.diagram);
    assert_eq!(a.diagram.nodes(), b.diagram.nodes());
    let drawn = |m: &Model| m.params.iter().map(|p| (p.leaf.clone(), p.init.clone())).collect::<Vec<_>>();
    assert_eq!(drawn(&a), drawn(&b));
}

#[test]
fn the_definition_that_is_too_large_is_blamed_once() {
    for (word, first, blamed, reversed) in
        [("def", "relu", "f20", false), ("def", "relu", "f20", true), ("model", "dense[4, 4]", "f19", false)]
    {
        let mut lines = doubled(word, first, 25);
        if reversed {
            lines.reverse();
        }
        let (program, said) = errors(&lines.concat());
        assert_eq!(said.0.iter().map(|d| d.code).collect::<Vec<_>>(), [Code::LIMIT], "{said}");
        assert_eq!(said.0[0].message, format!("`{blamed}` needs more than 1000000 operations"));
        let line = program.sources().place(said.0[0].span().unwrap()).line;
        assert!(lines[line - 1].starts_with(&format!("{word} {blamed} ")), "line {line}");
    }
}

#[test]
fn whoever_asks_for_what_is_too_large_is_told() {
    let program = program(&doubled("def", "relu", 22).concat());
    for name in ["f20", "f22", "f22"] {
        let said = program.model(name).unwrap_err();
        assert_eq!(said.0.iter().map(|d| d.code).collect::<Vec<_>>(), [Code::LIMIT], "{said}");
        assert!(said.0[0].message.contains("`f20`"), "{said}");
    }
    assert_eq!(program.model("f10").unwrap().diagram.work(), 1 << 10 | 1);
}

#[test]
fn a_definition_that_is_too_large_at_one_size_is_not_so_at_another() {
    let text = "def f[k] : R[2] -> R[2] = stack[k](iterate[1000](tanh))\n\
                def small : R[2] -> R[2] = f[3]\ndef large : R[2] -> R[2] = f[2000]\ndef again : R[2] -> R[2] = f[2]\n";
    let (_, said) = errors(text);
    assert_eq!(said.0.iter().map(|d| d.code).collect::<Vec<_>>(), [Code::LIMIT], "{said}");
    assert!(program(text).model("again").is_ok() && program(text).model("small").is_ok());
}

#[test]
fn doubled_maps_are_the_maps_written_out() {
    let head = "def s : R[4] -> R[4] (x) { tanh(x) * 2 + max(x, 0) }\n";
    let out = ["s"; 8].join(" >> ");
    alike(
        &format!("{head}def t : R[4] -> R[4] = s >> s\ndef u : R[4] -> R[4] = t >> t\ndef m : R[4] -> R[4] = u >> u"),
        &format!("{head}def m : R[4] -> R[4] = {out}"),
    );
}

#[test]
fn doubled_models_are_the_models_written_out_and_keep_their_paths() {
    let text = "model a : R[4] -> R[4] = dense[4, 4] >> tanh\nmodel b : R[4] -> R[4] = a >> a\n\
                model m : R[4] -> R[4] = b >> b\n";
    let out = ["dense[4, 4] >> tanh"; 4].join(" >> ");
    alike(text, &format!("model m : R[4] -> R[4] = {out}"));
    let m = model(text, "m");
    let mut paths = Vec::new();
    for (b, a) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        paths.extend(["W", "b"].map(|leaf| format!("m.{b}.{a}.0.{leaf}")));
    }
    assert_eq!(m.params.iter().map(|p| &*p.path).collect::<Vec<_>>(), paths);
    let ports = m.diagram.ports().iter().filter(|p| p.role == Role::Param);
    assert_eq!(ports.map(|p| &*p.path).collect::<Vec<_>>(), paths);
    // Every node knows the box that it is in, not the one it was copied from.
    for (at, node) in m.diagram.nodes().iter().enumerate() {
        for w in &node.ins {
            let Some(port) = m.diagram.ports().iter().enumerate().find(|(i, _)| m.diagram.port_wire(*i) == *w) else {
                continue;
            };
            if port.1.role == Role::Param {
                let place = port.1.path.rsplit_once('.').unwrap().0;
                assert!(m.diagram.origins(at as u32).all(|o| &*o.path == place), "node {at} reads {}", port.1.path);
            }
        }
    }
}

#[test]
fn wires_that_depend_on_each_other_are_not_mistaken() {
    // In the first call an argument is what the body makes of the other one; in the later calls it is not.
    let f = "def f : (R[4], R[4]) -> R[4] (x, y) { tanh(x) * y }\n";
    let first = [
        "f(x, tanh(x)) + f(y, x) + f(x, y)",
        "f(x, x) + f(y, x) + f(x, y)",
        "f(tanh(x), x) + f(tanh(x), tanh(tanh(x))) + f(x, y)",
        "f(x, y) + f(x, x) + f(y, tanh(y))",
    ];
    for text in first {
        let mut written = text.to_owned();
        for (call, out) in [
            ("f(tanh(x), tanh(tanh(x)))", "tanh(tanh(x)) * tanh(tanh(x))"),
            ("f(tanh(x), x)", "tanh(tanh(x)) * x"),
            ("f(x, tanh(x))", "tanh(x) * tanh(x)"),
            ("f(y, tanh(y))", "tanh(y) * tanh(y)"),
            ("f(x, x)", "tanh(x) * x"),
            ("f(y, x)", "tanh(y) * x"),
            ("f(x, y)", "tanh(x) * y"),
        ] {
            written = written.replace(call, out);
        }
        let of = |body: &str| format!("{f}def m : (R[4], R[4]) -> R[4] (x, y) {{ {body} }}");
        let (a, b) = (model(&of(text), "m"), model(&of(&written), "m"));
        assert!(same(&a.diagram, &b.diagram), "{text}");
    }
}

#[test]
fn a_constant_argument_is_not_taken_for_a_constant_of_the_body() {
    let g = "const c : R[4] = [1, 2, 3, 4]\ndef g : (R[4], R[4]) -> R[4] (x, y) { x * c + y }\n";
    let of = |body: &str| model(&format!("{g}def m : R[4] -> R[4] (x) {{ {body} }}"), "m");
    assert!(same(&of("g(x, c) + g(tanh(x), x)").diagram, &of("(x * c + c) + (tanh(x) * c + x)").diagram));
}

#[test]
fn noise_is_drawn_anew_and_a_map_passed_in_is_tied() {
    let noisy = "model n {noise e: R[4] ~ uniform} : R[4] -> R[4] (x) { x + e }\n\
                 model t : R[4] -> R[4] = n >> n\nmodel m : R[4] -> R[4] = t >> t\n";
    assert_eq!(model(noisy, "m").noise.len(), 4);
    let mut tied = String::from("model a : R[4] -> R[4] = dense[4, 4]\nmodel b : R[4] -> R[4] = a >> a\n");
    writeln!(tied, "def twice(f : R[4] -> R[4]) : R[4] -> R[4] = f >> f\nmodel m : R[4] -> R[4] = twice(b)").unwrap();
    assert_eq!(model(&tied, "m").params.len(), 4);
}

//! Right programs that an earlier version refused, or gave another structure: leaves, nodes and calls counted.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod steps;

use catlearn::diagram::{Op, PrimDef};
use catlearn::elaborate::{Program, Training};
use catlearn::object::Tangent;
use catlearn::source::{Code, Diagnostic, Diagnostics, MemoryWorld, World, WorldError};
use std::fmt::Write as _;
use steps::trajectory;

/// A world that gives files other names than they are asked for by, as the file system does.
struct Absolute(MemoryWorld);

impl World for Absolute {
    fn import(&self, from: &str, name: &str) -> Result<(String, String), WorldError> {
        self.0.import(from, name).map(|(name, text)| (format!("/there/{name}"), text))
    }

    fn data(&self, from: &str, name: &str) -> Result<Vec<u8>, WorldError> {
        self.0.data(from, name)
    }
}

fn program(text: &str) -> Program {
    Program::parse(text, "test.lens", &MemoryWorld::default()).unwrap_or_else(|(said, _)| panic!("{said}"))
}

fn said(text: &str, world: &dyn World) -> Diagnostics {
    match Program::parse(text, "test.lens", world) {
        Ok(program) => program.check(),
        Err((said, _)) => said,
    }
}

fn training(text: &str) -> Training {
    program(text).training("r").unwrap_or_else(|said| panic!("{said}"))
}

/// The paths of the parameters of a model, and how many operations it has.
fn shape(text: &str, name: &str) -> (Vec<String>, usize) {
    let program = program(text);
    let faults = program.check();
    assert!(!faults.has_errors(), "{faults}");
    let model = program.model(name).unwrap_or_else(|said| panic!("{said}"));
    (model.params.iter().map(|p| p.path.to_string()).collect(), model.diagram.work())
}

fn fine(text: &str) {
    let faults = said(text, &MemoryWorld::default());
    assert!(faults.0.is_empty(), "{faults}");
}

/// The text that a message points at.
fn at<'a>(text: &'a str, d: &Diagnostic) -> &'a str {
    d.span().map_or("", |span| &text[span.start as usize..span.end as usize])
}

const Q: &str = "model q {x: R[2] ~ ones} : () -> R[1] () { sum(x) }\n";

#[test]
fn a_condition_is_elaborated_once() {
    let text = "model m : R[2] -> R[2] (x) { if dense[2, 1](x) + 0 > 0 then x else 2 * x }";
    assert_eq!(shape(text, "m").0, ["m.0.W", "m.0.b"]);
    // Each level once: twice would be a million.
    let mut text = String::from("def f : R -> R (x) {\n let y0 = x\n");
    for i in 1..=20 {
        writeln!(text, " let y{i} = if y{} + sin(y{}) > 0 then {i} else y{}", i - 1, i - 1, i - 1).unwrap();
    }
    let mut nested = String::from("x");
    for i in 1..=20 {
        nested = format!("(if {nested} + {i} > 0 then {i} else x)");
    }
    assert!(shape(&format!("def f : R -> R (x) {{ {nested} }}"), "f").1 < 200);
    assert!(shape(&format!("{text} y20\n}}"), "f").1 < 200);
}

#[test]
fn a_local_name_owns_nothing() {
    let text = "def shift : R[n] -> R[n] (x) { let bias = 2 * x   bias + 1 }\n\
                model m : R[2] -> R[1] = dense[2, 3] >> shift >> dense[3, 1]";
    assert_eq!(shape(text, "m").0, ["m.0.W", "m.0.b", "m.1.W", "m.1.b"]);
}

#[test]
fn calls_count_as_written_also_behind_names_of_the_language() {
    let stacked = "model a : R[2] -> R[1] (x) { dense[2, 1](stack[2](bias[2])(linear[2, 2](x))) }";
    assert_eq!(shape(stacked, "a").0, ["a.2.W", "a.1.0.0.b", "a.1.1.0.b", "a.0.W", "a.0.b"]);
    let composite = "model a : R[2] -> R[1] (x) { (dense[2, 2] >> dense[2, 1])(x) }";
    let point_free = "model a : R[2] -> R[1] = dense[2, 2] >> dense[2, 1]";
    assert_eq!(shape(composite, "a"), shape(point_free, "a"));
    let inside = "model a : R[2] -> R[1] (x) { (bias[2] >> linear[2, 1])(bias[2](x)) }";
    assert_eq!(shape(inside, "a").0, ["a.2.b", "a.0.b", "a.1.W"]);
}

#[test]
fn names_and_places_mix() {
    let two = "model two {a: R[2] ~ zeros, b: R[2] ~ ones} : R[2] -> R[2] (x) { x + a - 2 * b }\n";
    let by = |call: &str| {
        let text = format!("{two}model m {{u: R[2] ~ zeros, v: R[2] ~ ones}} : R[2] -> R[2] = two{{{call}}}");
        program(&text).model("m").unwrap().diagram.nodes().to_vec()
    };
    assert_eq!(by("b = u, v"), by("v, u"));
    assert_ne!(by("b = u, v"), by("u, v"));
    assert_eq!(shape("model m : R[2] -> R[5] = dense[m = 5, 2]", "m").0, ["m.0.W", "m.0.b"]);
}

#[test]
fn an_empty_part_is_left_out() {
    let text = format!(
        "optimiser ng(lr) on p : R[..s] per global {{ put (g) {{ p - lr * g / norm(g) }} }}\n\
         {Q}train r {{ objective = q, optimiser = {{ \"*.Q\": ng(lr = 1), _: gd(lr = 1) }}, steps = 1, precision = f64 }}"
    );
    assert_eq!(trajectory(&text, 1)[1], vec![0.0; 2]);
    assert_eq!(training(&text).warnings.0.len(), 1);
    assert!(said(&text, &MemoryWorld::default()).0.iter().any(|d| d.code == Code::RULE_PARTS));
}

#[test]
fn a_port_of_the_evaluate_form_is_a_parameter_of_both() {
    let text = "model a {k: R[2] ~ ones} : R[2] -> R[2] (x) { x } evaluate (x) { k * x }\n\
                model m : R[2] -> R[1] = a >> dense[2, 1]\n\
                data d { source = inline([[0, 0, 0], [0, 1, 1]]), input = columns(0..2), target = columns(2) }\n\
                train r { data = d, model = m, loss = mse, optimiser = gd(lr = 1), steps = 1 }";
    let run = training(text);
    let paths: Vec<&str> = run.params.iter().map(|p| &*p.path).collect();
    assert_eq!(paths, ["m.0.k", "m.1.W", "m.1.b"]);
    assert_eq!(run.predict.unwrap().params.len(), 3);
}

#[test]
fn the_last_axis_is_normalised_and_places_are_averaged() {
    assert_eq!(shape("model m : R[5, 8] -> R[5, 8] = layer_norm[8]", "m").0, ["m.0.gain", "m.0.shift"]);
    assert_eq!(shape("model m : R[8] -> R[8] = layer_norm", "m").0.len(), 2);
    fine(
        "def a : (R[5, 8], R[5, 8]) -> R[1] (y, t) {
            softmax_cross_entropy(y, t) + mae(y, t) + huber(y, t) + hinge(y, t) + sigmoid_cross_entropy(y, t)
        }",
    );
    let loss = |rows: &str, shape: &str| {
        let text = format!(
            "model q {{y: {shape} ~ {rows}}} : () -> R[1] () {{ softmax_cross_entropy(y, ones[{}]) }}\n\
             train r {{ objective = q, optimiser = gd(lr = 1), steps = 1, precision = f64 }}",
            shape.trim_start_matches("R[").trim_end_matches(']')
        );
        trajectory(&text, 1)[1].clone()
    };
    // Two equal places: the mean is one of them, so each request is half.
    let (one, two) = (loss("[1, 2]", "R[2]"), loss("[[1, 2], [1, 2]]", "R[2, 2]"));
    assert!((2.0 * (two[0] - 1.0) - (one[0] - 1.0)).abs() < 1e-12, "{one:?} {two:?}");
    assert_eq!(two[0], two[2]);
}

#[test]
fn what_a_call_gives_is_sliced() {
    fine("def a : R[4] -> R[2] (x) { (tanh(x))[0..2] }");
    fine("def b : R[3] -> R[3] (x) { ones[4][0..3] * x }");
    fine("def c : (R[n + m], R[n]) -> R[m] (x, y) { x[size(y)..] }\ndef d : (R[5], R[3]) -> R[2] (x, y) { c(x, y) }");
}

#[test]
fn settings_may_be_words_and_follow_schedules() {
    fine("optimiser foo(lr, eps_at) on p : R[n] { put (g) { if eps_at == outside then p - lr * g else p } }");
    let by = |rule: &str, call: &str| {
        let text = format!("{rule}\n{Q}train r {{ objective = q, optimiser = {call}, steps = 2, precision = f64 }}");
        fine(&text);
        trajectory(&text, 1)[1][0]
    };
    let word = "optimiser foo(lr, mode = mean) on p : R[n] { put (g) { if mode == mean then p - lr * g else p + g } }";
    assert_eq!(by(word, "foo(lr = 1)"), 0.0);
    assert_eq!(by(word, "foo(lr = 1, mode = other)"), 2.0);
    let follows = "optimiser foo(lr, twice = 2 * lr) on p : R[n] { put (g) { p - twice * g } }";
    assert_eq!(by(follows, "foo(lr = cosine(from = 0.25, steps = 10))"), 0.5);
    assert_eq!(by(follows, "foo(lr = 0.25)"), 0.5);
}

#[test]
fn a_rule_may_be_declared_on_one_size() {
    fine("optimiser foo(lr) on p : R[3] { put (g) { p - lr * g } }");
    fine("optimiser foo(lr) on p : R[n, m] per tensor { put (g) { p - lr * g } }");
}

#[test]
fn bits_of_a_const_are_bits() {
    fine("const c : Bool[2] = [1, 0]\ndef f : Bool[2] -> Bool[2] (x) { x xor c }");
}

#[test]
fn dampening_without_momentum_is_none() {
    let run = |call: &str| {
        trajectory(&format!("{Q}train r {{ objective = q, optimiser = {call}, steps = 3, precision = f64 }}"), 3)
    };
    assert_eq!(run("sgd(lr = 0.5, dampening = 0.5)"), run("gd(lr = 0.5)"));
}

#[test]
fn imported_types_and_dims_have_their_alias() {
    let lib = "dim hidden = 4\ntype Image = R[2, hidden]\nconst H : R[2] = [1, 2]\n";
    let world = MemoryWorld::default().with("lib.lens", lib);
    let text = "import \"lib.lens\" as mine\ndef f : mine.Image -> R[mine.hidden] (x) { x[0][0] * mine.H[0] + zeros[mine.hidden] }\n\
                def g : R[mine.hidden] -> R[mine.hidden] (x) { x }";
    let faults = said(text, &world);
    assert!(faults.0.iter().all(|d| d.code == Code::SHAPE), "{faults}");
}

#[test]
fn a_file_that_imports_itself_is_read_once() {
    let text = "dim a = 3\nimport \"test.lens\"\ndef f : R[2] -> R[2] (x) { nosuch(x) }\n";
    let faults = said(text, &Absolute(MemoryWorld::default().with("test.lens", text)));
    assert_eq!(faults.0.iter().map(|d| d.code).collect::<Vec<_>>(), [Code::CYCLE, Code::UNKNOWN_NAME], "{faults}");
    let place = faults.0[0].span().unwrap();
    assert_eq!(&text[place.start as usize..place.end as usize], "import \"test.lens\"");
}

#[test]
fn a_name_from_two_imports_is_said() {
    let world = MemoryWorld::default()
        .with("a.lens", "def f : R[2] -> R[2] (x) { x }\n")
        .with("b.lens", "def f : R[2] -> R[2] (x) { 2 * x }\n");
    let both = said("import \"a.lens\"\nimport \"b.lens\"\ndef g : R[2] -> R[2] (x) { f(x) }", &world);
    assert_eq!(both.0.iter().map(|d| (d.code, d.is_error())).collect::<Vec<_>>(), [(Code::DUPLICATE_NAME, false)]);
    let alias = said("import \"a.lens\" as m\nimport \"b.lens\" as m\ndef g : R[2] -> R[2] (x) { m.f(x) }", &world);
    assert!(alias.has_errors(), "{alias}");
}

#[test]
fn calls_are_counted_where_operations_are_not() {
    // Every level calls the one below twice with the same wire: one operation each, two to the 24th calls.
    let mut text = String::from("def d0(f : R[2] -> R[2]) : R[2] -> R[2] (x) { f(x) }\n");
    for i in 1..=24 {
        writeln!(text, "def d{i}(f : R[2] -> R[2]) : R[2] -> R[2] (x) {{ d{0}(f)(x) + d{0}(f)(x) }}", i - 1).unwrap();
    }
    text.push_str("def top : R[2] -> R[2] (x) { d24(tanh)(x) }");
    let faults = said(&text, &MemoryWorld::default());
    assert_eq!(faults.0.iter().map(|d| d.code).collect::<Vec<_>>(), [Code::LIMIT], "{faults}");
}

#[test]
fn seeds_have_sixty_four_bits() {
    let text =
        format!("{Q}train r {{ objective = q, optimiser = gd(lr = 1), steps = 1, seed = 18446744073709551615 }}");
    assert_eq!(training(&text).settings.seed, Some(u64::MAX));
}

#[test]
fn a_first_loss_that_is_no_number_blames_no_rate() {
    let text = "model q {x: R[1] ~ constant(-1)} : () -> R[1] () { log(x) }\n\
                train r { objective = q, optimiser = gd(lr = 1), steps = 1, precision = f64 }";
    let fault = steps::learner(text).step(&[]).unwrap_err();
    assert_eq!(fault.code, Code::RUN_NOT_FINITE);
    assert!(fault.help.is_some_and(|h| !h.contains("rate")));
}

#[test]
fn a_long_chain_is_refused_once() {
    // Each definition nests some twenty deep, so that a short chain is a deep one.
    let mut text = String::from("def d0 : R[1] -> R[1] (x) { tanh(x) }\n");
    for i in 1..=170 {
        let call = (0..20).fold(format!("d{}(x)", i - 1), |inner, _| format!("-({inner})"));
        writeln!(text, "def d{i} : R[1] -> R[1] (x) {{ {call} }}").unwrap();
    }
    let faults = said(&text, &MemoryWorld::default());
    assert_eq!(faults.0.iter().map(|d| d.code).collect::<Vec<_>>(), [Code::NESTING], "{} messages", faults.0.len());
}

#[test]
fn labels_alone_fix_no_requests() {
    let text = |rule: &str| {
        format!(
            "optimiser shuf on w : Fin[n][..s] {{ step {{ w }} }}
             optimiser kept on w : Fin[4][n] {{ state s : Fin[4][n] ~ w step {{ next s = w s }} }}
             optimiser one on w : Fin[4][n] {{ step {{ w }} }}
             data rows {{ source = truth_table(4, x[0]) }}
             train r {{ data = rows, model = lut_layer[4, 1, 2], loss = xor_error, optimiser = {rule}, steps = 1 }}"
        )
    };
    for rule in ["shuf", "kept", "one"] {
        let text = text(&format!("{{ \"*.w\": {rule}, _: rda }}"));
        fine(&text);
        let states: Vec<String> = training(&text).player.rule.states.iter().map(|s| s.leaf.to_string()).collect();
        assert_eq!(states, if rule == "kept" { vec!["Fin[4][1, 2]"] } else { vec![] });
    }
}

/// The one primitive that a model calls.
fn primitive(text: &str) -> std::sync::Arc<PrimDef> {
    let made = program(text).model("m").unwrap_or_else(|said| panic!("{said}"));
    let call = |n: &catlearn::diagram::Node| if let Op::Call(prim) = &n.op { Some(prim.clone()) } else { None };
    made.diagram.nodes().iter().find_map(call).unwrap()
}

#[test]
fn a_typed_reverse_beats_an_untyped_one_in_any_order() {
    let by = |revs: &str| {
        primitive(&format!(
            "prim flip : Bool[n] -> Bool[n] {{ fwd (x) {{ !x }} {revs} }}
             model m : Bool[2] -> Bool[2] (x) {{ flip(x) }}"
        ))
    };
    let (typed, untyped) = ("rev (x, dy : Int[n]) { -dy }", "rev (x, dy) { dy }");
    let both = by(&format!("{typed} {untyped}"));
    assert_eq!(both, by(&format!("{untyped} {typed}")));
    let votes = |prim: &PrimDef| prim.rev.over(Tangent::Votes).unwrap().nodes().to_vec();
    assert_eq!(votes(&both), votes(&by(typed)));
    assert_ne!(votes(&both), votes(&by(untyped)));
}

#[test]
fn a_typed_input_leaves_votes_to_two_outputs() {
    let prim = primitive(
        "prim pair : Bool[n] -> (Bool[n], Bool[n]) { fwd (x) { (x, !x) } rev (x : Bool[n], (a, b)) { if x then a else b } }
         model m : Bool[2] -> Bool[2] (x) { let (a, b) = pair(x) a & b }",
    );
    assert!(prim.rev.over(Tangent::Votes).is_some() && prim.rev.over(Tangent::Parity).is_some());
    primitive(
        "prim meet : (Bool[n], Bool[n]) -> (Bool[n], Bool[n]) { fwd (x, y) { (x, !y) } rev (x, y, (a, b)) { (a, b) } }
         model m : Bool[2] -> Bool[2] (x) { let (a, b) = meet(x, !x) a & b }",
    );
}

#[test]
fn a_reverse_that_means_nothing_says_why() {
    let text = "prim only : Bool[n] -> Bool[n] { fwd (x) { !x } rev (x, dy) { x & dy } }
                model q {p: Bool[2] ~ zeros} : Bool[2] -> Bool[2] (x) { only(p) xor x }
                data rows { source = truth_table(2, x) }
                train r { data = rows, model = q, loss = count_error, optimiser = counter(start = 0), steps = 1 }";
    let run = training(text);
    let Err(fault) = catlearn::learn::step(&run) else { panic!("it has a step") };
    let fault = fault.diagnostics(&run).0.remove(0);
    assert!(fault.notes[0].starts_with("its `rev` has no meaning over votes: `&` needs"), "{fault:?}");
    assert!(fault.help.is_some_and(|h| h.contains("dy : Int[n]")));
}

#[test]
fn a_named_type_takes_dimensions_of_the_signature() {
    let text = "type Pair[n] = R[n, 2]\n\
                type Nested[a, b] = (Pair[2 * a], Fin[b][3])\n\
                def same : Pair[k] -> Pair[k] (x) { x }\n\
                def sized[width] : Pair[width] -> R[width, 2] (x) { x }\n\
                def less[n] : Pair[n + 1] -> R[n, 2] (x) { x[0..n] }\n\
                def grow : Pair[n] -> Pair[2 * n] (x) { cat(x, x) }\n\
                def first : Nested[k, 7] -> Pair[2 * k] (x, _) { x }\n\
                model made[n] {w: Pair[n] ~ zeros} : Pair[n] -> Pair[n] (x) { x + w }\n\
                model m : Pair[4] -> R[6, 2] = sized[4] >> made[4] >> less >> grow\n";
    fine(text);
    let model = program(text).model("m").unwrap();
    assert_eq!(model.params[0].leaf.to_string(), "R[4, 2]");
    // Its own names are no names of the signature: `n` of `Pair` is 3 here, whatever `n` is outside.
    fine("type Pair[n] = R[n, 2]\ndef f[n] : (R[n], Pair[3]) -> Pair[n + 3] (x, y) { cat(y, zeros[n, 2]) + sum(x) }\n");
    for (wrong, code, place) in [
        ("model a : Pair[0] -> Pair[0] (x) { x }", Code::DIMENSION, "0"),
        ("model a : R[2, 2] -> Pair[absent] (x) { x }", Code::UNKNOWN_NAME, "absent"),
        ("model a : R[n, 2] -> Pair[n + 1] (x) { x }", Code::SHAPE, "x"),
        ("model a : Pair[..s] -> R[1] (x) { sum(x) }", Code::NOT_YET, "s"),
    ] {
        let text = format!("type Pair[n] = R[n, 2]\n{wrong}\n");
        let faults = said(&text, &MemoryWorld::default());
        let all: Vec<(Code, &str)> = faults.0.iter().map(|d| (d.code, at(&text, d))).collect();
        assert_eq!(all, [(code, place)], "{faults}");
    }
}

#[test]
fn data_of_a_file_that_has_a_name_here_is_named_through_it() {
    let world = MemoryWorld::default()
        .with("a.lens", "data four { source = csv(\"d.csv\"), input = columns(0), target = columns(1) }\n")
        .with("d.csv", "1,2\n2,4\n");
    let text = "import \"a.lens\" as a\n\
                train r { data = a.four, model = dense[1, 1], loss = mse, optimiser = gd(lr = 0.1), steps = 2 }\n";
    let faults = said(text, &world);
    assert!(faults.0.is_empty(), "{faults}");
    let program = Program::parse(text, "test.lens", &world).unwrap_or_else(|(said, _)| panic!("{said}"));
    let (spec, from) = program.training("r").unwrap().data.unwrap();
    assert_eq!((&*spec.name, &*from), ("four", "a.lens"));
    let near = said(&text.replace("a.four", "a.fuor"), &world);
    assert_eq!(near.0[0].help.as_deref(), Some("did you mean `a.four`?"), "{near}");
    assert!(said(&text.replace("a.four", "b.four"), &world).0.iter().any(|d| d.code == Code::UNKNOWN_NAME));
    // Its items are behind its name only.
    assert!(said(&text.replace("a.four", "four"), &world).has_errors());
}

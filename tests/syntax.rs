//! The parser on whole files: the examples, the blocks of the language page, and hostile input.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used, reason = "tests")]
#![allow(clippy::disallowed_types, reason = "tests look at the clock")]

#[path = "support/tokens.rs"]
mod tokens;

use catlearn::source::{Code, Diagnostics, FileId, SourceMap};
use catlearn::syntax::ast::{Body, Expr, ExprKind, File, ImportTarget, ItemKind, RuleBody, Statement};
use catlearn::syntax::parse;
use tokens::{Lcg, pieces};

const EXAMPLES: [(&str, &str, usize); 9] = [
    ("autoencoder", include_str!("lens/autoencoder.lens"), 5),
    ("bilevel", include_str!("lens/bilevel.lens"), 4),
    ("gan", include_str!("lens/gan.lens"), 5),
    ("iris", include_str!("lens/iris.lens"), 4),
    ("lenet", include_str!("lens/lenet.lens"), 6),
    ("lut", include_str!("lens/lut.lens"), 6),
    ("optimiser", include_str!("lens/optimiser.lens"), 3),
    ("prim", include_str!("lens/prim.lens"), 3),
    ("language", include_str!("lens/language.lens"), 37),
];

fn read(text: &str) -> (File, Diagnostics) {
    parse(FileId(0), text)
}

/// Reads a text that must be without fault.
fn clean(text: &str) -> File {
    let (file, messages) = read(text);
    assert!(messages.0.is_empty(), "{}", lines(text, &messages).join("\n"));
    file
}

/// `E0101 1:2-1:5 message | help`, one line a message.
fn lines(text: &str, messages: &Diagnostics) -> Vec<String> {
    let mut sources = SourceMap::default();
    sources.add("t.lens", text);
    let line = |d: &catlearn::source::Diagnostic| {
        let span = d.span().unwrap_or_default();
        let help = d.help.as_ref().map_or(String::new(), |h| format!(" | {h}"));
        format!("{} {} `{}` {}{help}", d.code, sources.place(span), sources.slice(span), d.message)
    };
    messages.0.iter().map(line).collect()
}

fn said(text: &str) -> Vec<String> {
    lines(text, &read(text).1)
}

/// The body of the only item, `model m : A -> B = ..`.
fn body(text: &str) -> Expr {
    let file = clean(&format!("model m : R -> R = {text}"));
    assert_eq!(file.items.len(), 1, "{text}");
    match file.items.into_iter().next().unwrap().kind {
        ItemKind::Map(map) => match map.body {
            Body::Map(expr) => expr,
            Body::Wires(..) => panic!("wires"),
        },
        _ => panic!("no map"),
    }
}

#[test]
fn examples() {
    for (name, text, count) in EXAMPLES {
        let file = clean(text);
        assert_eq!(file.items.len(), count, "{name}");
        for item in &file.items {
            assert!((item.span.start as usize) < text.len() && (item.span.end as usize) <= text.len());
        }
        let dos = text.replace('\n', "\r\n");
        assert_eq!(clean(&dos).items.len(), count, "{name} with CRLF");
        assert_eq!(clean(&text.replace("    ", "\t")).items.len(), count, "{name} with tabs");
        assert_eq!(clean(&format!("\u{feff}{text}")).items.len(), count, "{name} with a byte order mark");
    }
}

#[test]
fn nothing() {
    for text in ["", " ", "\n\n", "\t\r\n", "// only\n// comments", "//", "\u{feff}"] {
        assert!(clean(text).items.is_empty());
    }
}

#[test]
fn docs_stand_directly_above() {
    let file = clean("// far\n\n// one\n//two\nmodel m : R -> R = f // trailing\ndim a = 2\n");
    assert_eq!(file.items[0].doc.iter().map(|d| &**d).collect::<Vec<_>>(), ["one", "two"]);
    assert!(file.items[1].doc.is_empty());
    assert_eq!(file.items[0].span.end as usize, "// far\n\n// one\n//two\nmodel m : R -> R = f".len());
}

#[test]
fn precedence_and_spans() {
    let text = |e: &Expr| format!("{:?}", e.kind).len();
    assert!(matches!(body("f >> g * h >> k").kind, ExprKind::Compose(v) if v.len() == 3));
    assert!(matches!(body("a + b * c ^ -d - e").kind, ExprKind::Sum(_, v) if v.len() == 2));
    assert!(matches!(body("-a ^ b").kind, ExprKind::Negate(_)));
    assert!(matches!(body("f[2]{W}(x)(y)").kind, ExprKind::Apply(_, v) if v.len() == 4));
    assert!(matches!(body("warmup(steps = 5) then step(a) then b").kind, ExprKind::Then(v) if v.len() == 3));
    assert!(matches!(body("if a < b then c else if d then e else f").kind, ExprKind::If(_)));
    assert!(matches!(body("1_000.5e-3").kind, ExprKind::Number(n) if (n - 1.0005).abs() < 1e-15));
    assert!(matches!(body("\"a\\\"b\\n\"").kind, ExprKind::Text(t) if &*t == "a\"b\n"));
    assert!(matches!(body("(a)").kind, ExprKind::Path(_)));
    assert!(matches!(body("()").kind, ExprKind::Tuple(v) if v.is_empty()));
    let call = body("class in [0, 1]");
    assert!(text(&call) > 0 && matches!(call.kind, ExprKind::Apply(_, v) if v[0].args.len() == 2));
    // A bracket belongs to its expression, a blank behind it does not.
    let sum = body("(a >> b) * c  // end");
    let start = "model m : R -> R = ".len();
    assert_eq!((sum.span.start as usize, sum.span.end as usize), (start, start + "(a >> b) * c".len()));
}

#[test]
fn keywords_are_contextual() {
    let file = clean(
        "model data : R -> R = loss >> type\n    >> train\nimport std.data\nimport \"a.lens\" as game\n\
         model dim : R -> R = data\ntrain import { model = data, data = train loss = def(prim = 3) }\ndim n = 3 dim k = n\n",
    );
    assert_eq!(file.items.len(), 7);
    assert!(
        matches!(&file.items[1].kind, ItemKind::Import(i) if matches!(&i.target, ImportTarget::Path(p) if p.len() == 2))
    );
}

#[test]
fn rules_have_parts() {
    let file = clean(include_str!("lens/optimiser.lens"));
    let ItemKind::Rule(adam) = &file.items[0].kind else { panic!("no rule") };
    assert_eq!((adam.states.len(), adam.formals.len()), (3, 4));
    let RuleBody::Lens { get: Some(_), put: (_, block) } = &adam.body else { panic!("no lens") };
    assert_eq!(block.statements.iter().filter(|s| matches!(s, Statement::Next(..))).count(), 3);
    assert_eq!(
        said("optimiser o on p : R[n] { state u : R ~ zeros }"),
        ["E0502 1:1 `optimiser o` `o` has no `put` | add `put (g) { .. }`"]
    );
    assert_eq!(
        said("optimiser o on p : R[n] { put (g) { g } put (g) { p } }"),
        ["E0502 1:41 `put` a rule has one `put` | keep one of them"]
    );
}

#[test]
fn a_long_chain() {
    let n = 100_000;
    let text = format!("model m : R -> R = f{}", " >> f".repeat(n - 1));
    let started = std::time::Instant::now();
    let ItemKind::Map(map) = &clean(&text).items[0].kind else { panic!("no map") };
    assert!(matches!(&map.body, Body::Map(Expr { kind: ExprKind::Compose(v), .. }) if v.len() == n));
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
    clean(&format!("model m : R -> R = f{}", " + f".repeat(n)));
    clean(&format!("model m : R -> R = f{}", "[1]".repeat(n)));
}

#[test]
fn many_items() {
    let n = 20_000;
    let started = std::time::Instant::now();
    assert_eq!(clean(&"dim a = 3 // three\n".repeat(n)).items.len(), n);
    let (file, messages) = read(&"dim a = = 3\n".repeat(n));
    assert_eq!((file.items.len(), messages.0.len()), (0, n));
    assert_eq!(read(&"dim a = (3\n".repeat(n)).1.0.len(), n);
    assert_eq!(clean(&format!("def f : R -> R (x) {{ x{} }}", "\n + 1".repeat(n))).items.len(), 1);
    assert_eq!(read(&format!("def f : R -> R (x) {{ x{} }}", "\n - 1".repeat(n))).1.0.len(), n);
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [("(", ")"), ("[", "]"), ("f(", ")"), ("f{x = ", "}"), ("{_: ", "}")] {
        let deep = |n: usize| format!("model m : R -> R = {}x{}", open.repeat(n), close.repeat(n));
        let started = std::time::Instant::now();
        assert_eq!(clean(&deep(200)).items.len(), 1);
        for n in [201, 10_000] {
            let (file, messages) = read(&deep(n));
            assert!(file.items.is_empty());
            assert_eq!(messages.0.iter().map(|d| d.code).collect::<Vec<_>>(), [Code::NESTING]);
        }
        assert_eq!(read(&format!("model m : R -> R = {}", open.repeat(10_000))).1.0.len(), 1);
        // A fault in the middle: no alternative is tried twice on the way out.
        for fault in ["?", "f (x)", "a b", "if a then b"] {
            let (file, messages) = read(&deep(200).replace('x', fault));
            assert!(file.items.is_empty() && messages.0.len() == 1);
            read(&format!("def m : R -> R (a) {{ let {}{fault}{} = a a }}", open.repeat(199), close.repeat(199)));
            read(&format!("type t = {}{fault}{}", open.repeat(200), close.repeat(200)));
        }
        assert!(started.elapsed().as_secs() < 3, "{open} {:?}", started.elapsed());
    }
    for part in [" ^ x", " ^ -x"] {
        assert_eq!(clean(&format!("dim n = x{}", part.repeat(1000))).items.len(), 1);
        assert_eq!(read(&format!("dim n = x{}", part.repeat(100_000))).1.0[0].code, Code::NESTING);
    }
    let part = "if a then b else ";
    assert_eq!(clean(&format!("dim n = {}c", part.repeat(1000))).items.len(), 1);
    assert_eq!(read(&format!("dim n = {}c", part.repeat(100_000))).1.0[0].code, Code::NESTING);
    // Types, patterns and all limits at once.
    clean(&format!("model m : {}R{} -> R = f", "(".repeat(200), ")".repeat(200)));
    clean(&format!("def m : R -> R {}x, y{} {{ x }}", "(".repeat(199), ", z)".repeat(199)));
    clean(&format!("dim n = {}{}c{}", "(".repeat(200), part.repeat(500) + &"a ^ ".repeat(500), ")".repeat(200)));
}

#[test]
fn every_prefix_of_every_example() {
    for (_, text, _) in EXAMPLES {
        for (at, _) in text.char_indices() {
            let _ = read(&text[..at]);
        }
    }
}

#[test]
fn every_suffix_of_every_example() {
    for (_, text, _) in EXAMPLES {
        for (at, _) in text.char_indices().step_by(3) {
            let _ = read(&text[at..]);
        }
    }
}

#[test]
fn tokens_left_out_doubled_and_put_in() {
    let mut random = Lcg(7);
    let strange = ["\u{0}", "é", "𝔽", "\u{a0}", "\"", "\\", "}", "(", ";", "=", "..", "^", "1e999", "//", "\r", "λ'"];
    for round in 0..600 {
        let (_, text, _) = EXAMPLES[random.below(EXAMPLES.len())];
        let all = pieces(text);
        let (start, end) = all[random.below(all.len())];
        let changed = match round % 3 {
            0 => format!("{}{}", &text[..start], &text[end..]),
            1 => format!("{}{} {}", &text[..end], &text[start..end], &text[end..]),
            _ => format!("{}{}{}", &text[..start], strange[random.below(strange.len())], &text[end..]),
        };
        let (_, messages) = read(&changed);
        for message in &messages.0 {
            for label in &message.labels {
                let span = label.span.start as usize..label.span.end as usize;
                assert!(changed.get(span).is_some(), "{message:?}");
            }
            assert!(message.span().is_some() && message.labels.iter().any(|l| l.primary));
        }
        // One fault is one or two messages, not a flood.
        assert!(messages.0.len() <= 3, "{changed}\n{}", lines(&changed, &messages).join("\n"));
    }
}

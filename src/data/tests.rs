//! Whole data sets: from a tree built by hand to examples, and every error on the way.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used, reason = "tests")]

use super::*;
use crate::random::{Stream, Use};
use crate::source::{Code, Diagnostic, Diagnostics, FileId, MemoryWorld, Span};
use crate::syntax::ast::{Arg, ArgValue, CompareOp, Expr, ExprKind, Field, Group, GroupKind, Ident, RecordItem};

const IRIS: &[u8] = include_bytes!("../../examples/data/iris.csv");
const DIGITS: &[u8] = include_bytes!("../../examples/data/digits.csv.gz");

// A tree without a parser. Every node gets a span of its own, so that a test can ask which one a message names.

fn span() -> Span {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    let at = NEXT.fetch_add(1, Ordering::Relaxed);
    Span::new(FileId(0), at, at + 1)
}
fn e(kind: ExprKind) -> Expr {
    Expr { kind, span: span() }
}
fn id(name: &str) -> Ident {
    Ident { name: name.into(), span: span() }
}
fn name(n: &str) -> Expr {
    e(ExprKind::Path(vec![id(n)]))
}
fn num(n: f64) -> Expr {
    e(ExprKind::Number(n))
}
fn text(t: &str) -> Expr {
    e(ExprKind::Text(t.into()))
}
fn arg(value: Expr) -> Arg {
    Arg { name: None, value: ArgValue::Expr(value), span: span() }
}
fn set(key: &str, value: Expr) -> Arg {
    Arg { name: Some(id(key)), ..arg(value) }
}
fn range(from: usize, to: usize) -> Arg {
    let value = ArgValue::Range(Some(num(from as f64)), Some(num(to as f64)));
    Arg { name: None, value, span: span() }
}
fn group(head: &str, kind: GroupKind, args: Vec<Arg>) -> Expr {
    e(ExprKind::Apply(Box::new(name(head)), vec![Group { kind, args, span: span() }]))
}
fn call(head: &str, args: Vec<Arg>) -> Expr {
    group(head, GroupKind::Args, args)
}
fn dims(head: &str, k: usize) -> Expr {
    group(head, GroupKind::Dims, vec![arg(num(k as f64))])
}
fn list(items: Vec<Expr>) -> Expr {
    e(ExprKind::List(items.into_iter().map(arg).collect()))
}
fn seq(chain: Vec<Expr>) -> Expr {
    e(ExprKind::Compose(chain))
}
fn compare(op: CompareOp, right: Expr) -> Expr {
    e(ExprKind::Compare(Box::new((name("class"), op, right))))
}
fn csv(file: &str, header: bool) -> Expr {
    call("csv", vec![arg(text(file)), set("header", name(if header { "true" } else { "false" }))])
}
fn cols(from: usize, to: usize) -> Expr {
    call("columns", vec![range(from, to)])
}
fn col(i: usize) -> Expr {
    call("column", vec![arg(num(i as f64))])
}
fn data(fields: Vec<(&str, Expr)>) -> RecordItem {
    let fields = fields.into_iter().map(|(key, value)| Field { name: id(key), value }).collect();
    RecordItem { name: id("set"), fields }
}
fn numbers(expr: &Expr) -> Result<f64, Diagnostic> {
    match &expr.kind {
        ExprKind::Number(n) => Ok(*n),
        _ => Err(Diagnostic::error(Code::BAD_NUMBER, "not a number").at(expr.span, "")),
    }
}
fn spec(fields: Vec<(&str, Expr)>) -> Result<DataSpec, Diagnostics> {
    describe(&data(fields), &numbers)
}
fn run(fields: Vec<(&str, Expr)>, files: &[(&str, &[u8])]) -> Result<Dataset, Diagnostics> {
    let world = files.iter().fold(MemoryWorld::default(), |w, (n, b)| w.with(*n, *b));
    load(&spec(fields)?, "set.lens", &world, 42)
}
fn all_columns(file: &str) -> Vec<(&'static str, Expr)> {
    vec![("source", csv(file, false)), ("input", cols(0, 2))]
}
fn codes(result: Result<impl std::fmt::Debug, Diagnostics>) -> Vec<Code> {
    result.unwrap_err().0.iter().map(|d| d.code).collect()
}
fn said(result: Result<impl std::fmt::Debug, Diagnostics>) -> String {
    let say = |d: &Diagnostic| {
        assert!(d.span().is_some(), "a message without a place: {d:?}");
        format!(
            "{} {}: {} | {} | {}",
            d.code,
            d.message,
            d.labels[0].text,
            d.notes.join(" | "),
            d.help.clone().unwrap_or_default()
        )
    };
    result.unwrap_err().0.iter().map(say).collect::<Vec<_>>().join("\n")
}
fn reals(column: &Column) -> &[f64] {
    let Values::Real(values) = &column.values else { panic!("not real: {column:?}") };
    values
}
fn labels(column: &Column) -> &[u32] {
    let Values::Fin { values, .. } = &column.values else { panic!("not labels: {column:?}") };
    values
}
fn iris(split: Expr) -> Vec<(&'static str, Expr)> {
    vec![
        ("source", csv("iris.csv", true)),
        ("input", seq(vec![cols(0, 4), name("standardise")])),
        ("target", seq(vec![call("column", vec![arg(text("species"))]), dims("onehot", 3)])),
        ("split", split),
    ]
}
fn shares(kind: &str) -> Expr {
    call(kind, vec![set("train", num(0.7)), set("valid", num(0.1)), set("test", num(0.2))])
}

#[test]
fn iris_is_read_split_and_standardised_on_the_training_part() {
    let set = run(iris(shares("stratified")), &[("iris.csv", IRIS)]).unwrap();
    assert_eq!((set.row_count, set.classes.join(" ")), (150, "Iris-setosa Iris-versicolor Iris-virginica".to_owned()));
    assert_eq!((set.input.shape.clone(), set.target.as_ref().unwrap().shape.clone()), (vec![4], vec![3]));
    assert_eq!((set.parts.train.len(), set.parts.valid.len(), set.parts.test.len()), (105, 15, 30));
    let x = reals(&set.input);
    for c in 0..4 {
        let of = |rows: &[usize]| rows.iter().map(|r| x[r * 4 + c]).collect::<Vec<_>>();
        let train = of(&set.parts.train);
        let mean = train.iter().sum::<f64>() / 105.0;
        let variance = train.iter().map(|v| v * v).sum::<f64>() / 105.0;
        assert!(mean.abs() < 1e-12 && (variance - 1.0).abs() < 1e-12, "{mean} {variance}");
        assert!((of(&set.parts.test).iter().sum::<f64>()).abs() > 1e-6, "fitted on more than the training part");
    }
    assert_eq!(&reals(set.target.as_ref().unwrap())[50 * 3..51 * 3], [0.0, 1.0, 0.0]);
    assert!(set.shuffle && set.warnings.is_empty() && set.folds.is_empty());
    assert_eq!(set.sources[0].sha256, "20f7ef9ad6e85c0752a0cda4c9d1edfcad39c04114a822496a15c20eb1df2cda");
    let again = run(iris(shares("stratified")), &[("iris.csv", IRIS)]).unwrap();
    assert_eq!((again.parts, again.input), (set.parts, set.input));
}

#[test]
fn digits_are_read_through_gzip() {
    let set = run(
        vec![
            ("source", call("csv", vec![arg(text("digits.csv.gz"))])),
            ("input", seq(vec![cols(0, 64), call("scale", vec![arg(num(1.0 / 16.0))]), name("flatten")])),
            ("target", seq(vec![col(64), dims("class", 10)])),
            ("split", call("ordered", vec![set("train", num(1500.0)), set("test", num(297.0))])),
            ("shuffle", name("false")),
        ],
        &[("digits.csv.gz", DIGITS)],
    )
    .unwrap();
    assert_eq!((set.row_count, set.input.shape.clone(), set.shuffle), (1797, vec![64], false));
    assert_eq!(&reals(&set.input)[2..5], [5.0 / 16.0, 13.0 / 16.0, 9.0 / 16.0]);
    assert_eq!(&labels(set.target.as_ref().unwrap())[..4], [0, 1, 2, 3]);
    assert_eq!(set.target.as_ref().unwrap().column_type().to_string(), "Fin[10]");
    assert_eq!(set.parts.test, (1500..1797).collect::<Vec<_>>());
    assert_eq!(set.sources[0].sha256, "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22");
}

#[test]
fn the_three_points_of_a_linear_regression() {
    let point = |x, y| list(vec![num(x), num(y)]);
    let fields = || {
        vec![
            ("source", call("inline", vec![arg(list(vec![point(1.0, 2.9), point(2.0, 5.1), point(3.0, 7.05)]))])),
            ("input", cols(0, 1)),
            ("target", cols(1, 2)),
            ("split", name("all")),
            ("shuffle", name("false")),
        ]
    };
    let set = run(fields(), &[]).unwrap();
    assert_eq!((reals(&set.input), reals(set.target.as_ref().unwrap())), (&[1.0, 2.0, 3.0][..], &[2.9, 5.1, 7.05][..]));
    assert_eq!(set.parts.train, [0, 1, 2]);
    let types = spec(fields()).unwrap().types();
    assert_eq!((types.0.unwrap().to_string(), types.1.unwrap().to_string()), ("R[1]".to_owned(), "R[1]".to_owned()));
}

#[test]
fn files_stand_side_by_side_and_below() {
    let set = run(
        vec![
            ("source", call("csv", vec![arg(text("x")), arg(text("y")), set("sep", text(" "))])),
            ("test", call("csv", vec![arg(text("t")), set("sep", text(","))])),
            ("input", call("columns", vec![arg(num(2.0)), arg(num(0.0))])),
            ("target", name("input")),
            ("split", call("holdout", vec![set("train", num(1.0)), set("valid", num(1.0))])),
        ],
        &[("x", b" 1  2 \r\n3 4\r\n\r\n"), ("y", b"\xef\xbb\xbf5\n6\n"), ("t", b"7,8,9\n")],
    )
    .unwrap();
    assert_eq!(reals(&set.input), [5.0, 1.0, 6.0, 3.0, 9.0, 7.0]);
    assert_eq!(set.target.as_ref(), Some(&set.input));
    assert_eq!((set.parts.train.len(), set.parts.valid.len(), set.parts.test), (1, 1, vec![2]));
    assert_eq!(set.sources.len(), 3);
}

#[test]
fn encoders_give_the_numbers_computed_by_hand() {
    // Training rows 1, 3 (mean 2, deviation 1, range 2); 7, 7 is constant.
    let fields = |step: &str| {
        vec![
            ("source", csv("t", false)),
            ("input", seq(vec![cols(0, 2), name(step), call("scale", vec![arg(num(10.0))])])),
            ("split", call("ordered", vec![set("train", num(2.0)), set("test", num(1.0))])),
        ]
    };
    let file: &[(&str, &[u8])] = &[("t", b"1,7\n3,7\n6,8\n")];
    let standard = run(fields("standardise"), file).unwrap();
    assert_eq!(reals(&standard.input), [-10.0, 0.0, 10.0, 0.0, 40.0, 0.0]);
    assert!(standard.warnings[0].message.contains("a column is the same everywhere"), "{:?}", standard.warnings);
    let ranged = run(fields("minmax"), file).unwrap();
    assert_eq!(reals(&ranged.input), [0.0, 0.0, 10.0, 0.0, 25.0, 0.0]);
    let row = |cells: &[&str]| vec![cells.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>()];
    assert_eq!(reals(&standard.input_encoder.apply(&row(&["4", "0"])).unwrap()), [20.0, 0.0]);
    assert_eq!(standard.input_encoder.apply(&row(&["4"])).unwrap_err().code, Code::DATA_COLUMN);
    assert_eq!(standard.input_encoder.apply(&row(&["4", "x"])).unwrap_err().code, Code::DATA_VALUE);
    assert_eq!(reals(&standard.input_encoder.apply(&[]).unwrap()).len(), 0);
}

#[test]
fn numeric_labels_keep_their_number_and_others_are_sorted() {
    let fields =
        |k| vec![("source", csv("t", false)), ("input", col(0)), ("target", seq(vec![col(1), dims("class", k)]))];
    let classes = |k, file: &[u8]| {
        let set = run(fields(k), &[("t", file)]).unwrap();
        (labels(set.target.as_ref().unwrap()).to_vec(), set.classes.join(" "))
    };
    assert_eq!(classes(3, b"0,2\n0,0\n0,2.0\n"), (vec![2, 0, 2], "0 1 2".to_owned()));
    assert_eq!(classes(2, b"0,4\n0,2\n"), (vec![1, 0], "2 4".to_owned()));
    assert_eq!(classes(2, b"0,b\n0,a\n0,b\n"), (vec![1, 0, 1], "a b".to_owned()));
    let message = said(run(fields(2), &[("t", b"0,a\n0,b\n0,c\n")]));
    assert!(message.contains("3 different labels for 2 classes") && message.contains("`[3]`"), "{message}");
    let set = run(fields(4), &[("t", b"0,a\n0,b\n")]).unwrap();
    assert!(set.warnings[0].message.contains("2 of 4 classes"), "{:?}", set.warnings);
}

#[test]
fn a_label_seen_only_outside_the_training_part_is_an_error() {
    let fields = vec![
        ("source", csv("t", false)),
        ("input", col(0)),
        ("target", seq(vec![col(1), dims("onehot", 2)])),
        ("split", call("ordered", vec![set("train", num(2.0)), set("test", num(2.0))])),
    ];
    let message = said(run(fields, &[("t", b"0,a\n0,a\n0,b\n0,b\n")]));
    assert!(message.contains("2 rows with a label that the training part has not"), "{message}");
    assert!(message.contains("t:3:3: `b`"), "{message}");
}

#[test]
fn keep_chooses_classes_in_every_form() {
    let file: &[(&str, &[u8])] = &[("iris.csv", IRIS)];
    let kept = |keep: Expr, k: usize| {
        let mut fields = iris(name("all"));
        fields[2].1 = seq(vec![call("column", vec![arg(text("species"))]), dims("class", k)]);
        fields.push(("keep", keep));
        run(fields, file).map(|set| {
            (set.row_count, set.classes.iter().map(|c| c.replace("Iris-", "")).collect::<Vec<_>>().join(" "))
        })
    };
    let two = Ok((100, "setosa versicolor".to_owned()));
    assert_eq!(kept(call("class", vec![arg(num(0.0)), arg(num(1.0))]), 2), two);
    assert_eq!(kept(call("class", vec![arg(list(vec![num(0.0), num(1.0)]))]), 2), two);
    assert_eq!(kept(compare(CompareOp::Equal, list(vec![num(1.0), num(0.0)])), 2), two);
    assert_eq!(kept(compare(CompareOp::LessEqual, num(1.0)), 2), two);
    assert_eq!(kept(compare(CompareOp::NotEqual, text("Iris-virginica")), 2), two);
    assert!(said(kept(call("class", vec![arg(num(7.0))]), 2)).contains("no row has the class 7"));
    assert!(said(kept(compare(CompareOp::Greater, num(7.0)), 2)).contains("leaves no rows"));
    assert_eq!(codes(kept(name("everything"), 2)), [Code::DATA_FIELD]);
}

#[test]
fn folds_are_encoded_by_encoders_of_their_own() {
    let split = call("kfold", vec![arg(num(5.0)), set("stratified", name("true"))]);
    let set = run(iris(split), &[("iris.csv", IRIS)]).unwrap();
    assert_eq!((set.folds.len(), set.parts.test.len()), (5, 30));
    let folds: Vec<Dataset> = (0..5).map(|i| set.fold(i).unwrap()).collect();
    assert_eq!((&folds[0].input, &folds[0].parts), (&set.input, &set.parts));
    for (fold, parts) in folds.iter().zip(&set.folds) {
        assert_eq!(&fold.parts, parts);
        let x = reals(&fold.input);
        let mean = parts.train.iter().map(|r| x[r * 4]).sum::<f64>() / 120.0;
        assert!(mean.abs() < 1e-12, "{mean}");
    }
    assert_ne!(folds[0].input_encoder.steps, folds[1].input_encoder.steps);
    assert_eq!(codes(set.fold(5)), [Code::DATA_SPLIT]);
}

#[test]
fn files_to_come_are_encoded_with_or_without_a_target() {
    let set = run(iris(shares("stratified")), &[("iris.csv", IRIS)]).unwrap();
    let (input, target) = set.encode_file("iris.csv", IRIS.to_vec()).unwrap();
    assert_eq!((Some(&input), target), (Some(&set.input), set.target.clone()));
    let fewer = b"petal_width,petal_length,sepal_width,sepal_length\n0.2,1.4,3.5,5.1\n".to_vec();
    let (input, target) = set.encode_file("new.csv", fewer).unwrap();
    assert_eq!((reals(&input), target), (&reals(&set.input)[..4], None));
    assert_eq!(codes(set.encode_file("new.csv", b"a,b\n1,2\n".to_vec())), [Code::DATA_COLUMN]);
}

#[test]
fn every_error_of_a_record_is_told_at_once() {
    let message = said(spec(vec![
        ("sourse", name("x")),
        ("input", seq(vec![cols(0, 2), name("standardize"), dims("thermometer", 4)])),
        ("target", seq(vec![cols(0, 2), dims("class", 2)])),
        ("split", call("holdout", vec![set("trian", num(0.5)), set("test", num(-1.0))])),
        ("shuffle", num(3.0)),
        ("shuffle", name("true")),
    ]));
    for part in [
        "E0606 a data set has no field `sourse`",
        "did you mean `source`?",
        "E0606 the data set `set` has no `source`",
        "did you mean `standardise`?",
        "E0901 the encoder `thermometer` is not supported yet",
        "E0606 a label is one column",
        "did you mean `train`?",
        "E0604 -1 is neither rows nor a share",
        "`true` or `false` is needed here",
        "E0202 the field `shuffle` is given twice",
    ] {
        assert!(message.contains(part), "{part} is not in\n{message}");
    }
}

#[test]
fn what_this_version_has_not_yet_is_said_at_its_place() {
    let source = call("idx", vec![arg(text("a.gz"))]);
    let Diagnostics(faults) = spec(vec![("source", source), ("input", col(0))]).unwrap_err();
    assert_eq!((faults.len(), faults[0].code), (1, Code::NOT_YET));
    assert!(faults[0].message.contains("`idx` is not supported yet"));
    for source in ["two_moons", "text", "npy", "truth_table"] {
        assert_eq!(codes(spec(vec![("source", name(source)), ("input", col(0))])), [Code::NOT_YET]);
    }
    for encoder in ["bits", "threshold", "categories", "ids"] {
        let input = seq(vec![col(0), name(encoder)]);
        assert_eq!(codes(spec(vec![("source", csv("t", false)), ("input", input)])), [Code::NOT_YET]);
    }
}

#[test]
fn encoders_in_an_order_that_cannot_work() {
    let with = |input| codes(spec(vec![("source", csv("t", false)), ("input", input)]));
    for input in [
        seq(vec![col(0), name("standardise"), dims("onehot", 2)]),
        seq(vec![col(0), dims("class", 2), name("minmax")]),
        seq(vec![col(0), dims("onehot", 0)]),
        seq(vec![col(0), name("onehot")]),
        seq(vec![col(0), col(1)]),
        name("standardise"),
        call("columns", vec![]),
        call("column", vec![range(0, 2)]),
        cols(3, 3),
        num(4.0),
    ] {
        let shown = format!("{input:?}");
        assert_eq!(with(input), [Code::DATA_FIELD], "{shown}");
    }
}

#[test]
fn splits_that_cannot_work() {
    let with = |split| {
        let mut fields = all_columns("t");
        fields.push(("split", split));
        codes(run(fields, &[("t", b"1,2\n3,4\n5,6\n")]))
    };
    assert_eq!(with(call("stratified", vec![set("train", num(0.5))])), [Code::DATA_SPLIT]);
    assert_eq!(with(call("holdout", vec![set("train", num(4.0))])), [Code::DATA_SPLIT]);
    assert_eq!(with(call("holdout", vec![set("train", num(1.5))])), [Code::DATA_SPLIT]);
    assert_eq!(with(call("holdout", vec![arg(num(0.5))])), [Code::DATA_FIELD]);
    assert_eq!(with(name("holdout")), [Code::DATA_FIELD]);
    assert_eq!(with(call("kfold", vec![arg(num(4.0))])), [Code::DATA_SPLIT]);
    assert_eq!(with(call("kfold", vec![arg(num(1.0))])), [Code::DATA_FIELD]);
    assert_eq!(with(call("ordered", vec![set("train", num(1.0)), set("shuffle", name("true"))])), [Code::DATA_FIELD]);
    let mut fields = all_columns("t");
    fields.push(("test", csv("t", false)));
    fields.push(("split", call("holdout", vec![set("train", num(1.0)), set("test", num(1.0))])));
    assert_eq!(codes(run(fields, &[("t", b"1,2\n3,4\n5,6\n")])), [Code::DATA_SPLIT]);
}

#[test]
fn bad_values_are_placed_in_their_file() {
    let message = |file: &[u8]| said(run(all_columns("t.csv"), &[("t.csv", file)]));
    let bad = message(b"1,2\n3,x\n?,\nNaN,inf\n1e999,5\n");
    for part in [
        "E0602 2 missing values",
        "t.csv:3:1: `?` in column 0",
        "t.csv:3:3: `` in column 1",
        "E0602 3 values that are not finite",
        "t.csv:4:5: `inf`",
        "E0602 a value that is not a number",
        "t.csv:2:3: `x` in column 1",
    ] {
        assert!(bad.contains(part), "{part} is not in\n{bad}");
    }
    assert!(message(b"a,b\n1,2\n").contains("`header = true`"));
    assert!(message(b"1,2\n1\n").contains("t.csv:2:1 has 1 value"));
    assert!(message(b"").contains("no line with values"));
    assert!(message(b"1,\"2\n").contains("quote is never closed"));
    assert!(message(b"1,\xff\n").contains("not UTF-8"));
    assert!(message(b"\x1f\x8b123").contains("gzip"));
    assert!(message(b"1\n2\n").contains("E0603 there is no column 1"));
    let gone = said(run(all_columns("gone.csv"), &[]));
    assert!(gone.contains("E0601 `gone.csv` was not found (looked in memory)"), "{gone}");
    let many = message(&b"x,1\n".repeat(20));
    assert!(many.contains("20 values that are not numbers") && many.contains("and 15 more"), "{many}");
}

#[test]
fn columns_by_name() {
    let fields =
        |column: &str, header| vec![("source", csv("t", header)), ("input", call("columns", vec![arg(text(column))]))];
    let file: &[(&str, &[u8])] = &[("t", b"width,height,width\n1,2,3\n")];
    assert_eq!(reals(&run(fields("height", true), file).unwrap().input), [2.0]);
    let message = said(run(fields("heigth", true), file));
    assert!(message.contains("E0603") && message.contains("did you mean `height`?"), "{message}");
    assert!(said(run(fields("width", true), file)).contains("2 columns are called `width`"));
    assert!(said(run(fields("height", false), file)).contains("write `header = true`"));
}

#[test]
fn numbers_too_large_to_encode() {
    let fields = |step: &str| vec![("source", csv("t", false)), ("input", seq(vec![col(0), name(step)]))];
    assert_eq!(codes(run(fields("standardise"), &[("t", b"1e308\n-1e308\n")])), [Code::DATA_VALUE]);
    assert_eq!(codes(run(fields("minmax"), &[("t", b"1e308\n-1e308\n")])), [Code::DATA_VALUE]);
    let scale = vec![("source", csv("t", false)), ("input", seq(vec![col(0), call("scale", vec![arg(num(1e10))])]))];
    assert_eq!(codes(run(scale, &[("t", b"1e308\n")])), [Code::DATA_VALUE]);
    let wide = |k| vec![("source", csv("t", false)), ("input", seq(vec![col(0), dims("onehot", k)]))];
    assert_eq!(codes(run(wide(u32::MAX as usize), &[])), [Code::LIMIT]);
    assert_eq!(codes(run(wide(1 << 20), &[("t", &b"1\n".repeat(300))])).pop(), Some(Code::LIMIT));
}

#[test]
fn no_bytes_make_it_panic() {
    let mut stream = Stream::new(1, Use::Laws);
    for round in 0..6_000 {
        let n = stream.below(60);
        let alphabet = b"0123456789.,,,\n\n\r\"\" \t-eE?nNaAiI\xff\xc3\xa4\x00";
        let mut bytes: Vec<u8> = (0..n)
            .map(|_| match round % 3 {
                0 => stream.below(256) as u8,
                _ => alphabet[stream.below(alphabet.len() as u64) as usize],
            })
            .collect();
        if round % 7 == 0 {
            bytes.splice(0..0, [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
        }
        let separator = [",", " ", "\t", ";"][stream.below(4) as usize];
        let header = name(if stream.below(2) == 0 { "true" } else { "false" });
        let fields = vec![
            ("source", call("csv", vec![arg(text("t")), set("sep", text(separator)), set("header", header)])),
            ("input", seq(vec![col(0), name("standardise")])),
            ("target", seq(vec![col(1), dims("class", 3)])),
            ("split", call("stratified", vec![set("train", num(0.5)), set("test", num(0.5))])),
        ];
        if let Ok(set) = run(fields, &[("t", &bytes)]) {
            assert!(reals(&set.input).iter().all(|x| x.is_finite()));
        }
    }
}

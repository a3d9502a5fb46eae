//! Records and files that cannot be used, and bytes that nobody meant.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used, reason = "tests")]

use super::*;
use crate::random::{Stream, Use};

#[test]
fn every_error_of_a_record_is_told_at_once() {
    let message = said(spec(vec![
        ("sourse", name("x")),
        ("input", seq(vec![cols(0, 2), name("standardize"), name("ids")])),
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
        "E0606 `ids` needs the number of labels",
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
    let sources = list(vec![csv("a.csv", false), csv("b.csv", false)]);
    let Diagnostics(faults) = spec(vec![("source", sources), ("input", name("nothing"))]).unwrap_err();
    assert_eq!((faults.len(), faults[0].code), (1, Code::NOT_YET));
    assert!(faults[0].message.contains("several sources in brackets are not supported yet"));
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

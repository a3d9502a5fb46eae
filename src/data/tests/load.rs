//! Data sets that load, with numbers computed by hand.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used, reason = "tests")]

use super::*;

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
    assert_eq!(reals(&set.input), [1.0, 2.0, 3.0]);
    assert_eq!(reals(set.target.as_ref().unwrap()), [2.9, 5.1, 7.05]);
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
fn labels_that_are_numbers_are_named_by_themselves() {
    let fields = vec![
        ("source", csv("t", false)),
        ("input", col(0)),
        ("target", seq(vec![col(1), dims("onehot", 3)])),
        ("split", name("all")),
        ("keep", call("class", vec![arg(num(0.0))])),
    ];
    let fault = run(fields, &[("t", b"0,2\n0,9\n0,10\n")]).unwrap_err();
    assert_eq!(fault.0[0].message, "no row has the class 0");
    assert_eq!(fault.0[0].help.as_deref(), Some("name a class by its label"));
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
    assert_eq!((reals(&input), target), (reals(&set.input)[..4].to_vec(), None));
    assert_eq!(codes(set.encode_file("new.csv", b"a,b\n1,2\n".to_vec())), [Code::DATA_COLUMN]);
}

#[test]
fn a_constant_column_is_found_by_comparing() {
    let file = b"0.1\n".repeat(10);
    let fields = vec![("source", csv("t", false)), ("input", seq(vec![col(0), name("standardise")]))];
    let set = run(fields, &[("t", &file)]).unwrap();
    assert!(reals(&set.input).iter().all(|x| *x == 0.0), "{:?}", set.input);
    assert_eq!(set.warnings.len(), 1);
}

#[test]
fn a_one_hot_vector_may_be_scaled_afterwards() {
    let target = seq(vec![col(0), dims("onehot", 2), call("scale", vec![arg(num(3.0))])]);
    let set = run(vec![("source", csv("t", false)), ("input", col(0)), ("target", target)], &[("t", b"1\n0\n")]);
    assert_eq!(reals(&set.unwrap().target.unwrap()), [0.0, 3.0, 3.0, 0.0]);
}

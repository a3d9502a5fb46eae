//! Encoders that give bits, with bits computed by hand, and what they say of values they cannot use.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used, reason = "tests")]

use super::*;

fn numbers_of(values: &[f64]) -> Vec<Arg> {
    values.iter().map(|n| arg(num(*n))).collect()
}

fn input(chain: Vec<Expr>, split: Expr, file: &[u8]) -> Result<Dataset, Diagnostics> {
    run(vec![("source", csv("t", false)), ("input", seq(chain)), ("split", split)], &[("t", file)])
}

fn two_then_one() -> Expr {
    call("ordered", vec![set("train", num(2.0)), set("test", num(1.0))])
}

#[test]
fn thresholds_are_strict_and_several_stay_beside_each_other() {
    let file = b"1,9\n2,2\n3,-1\n";
    let one = input(vec![cols(0, 2), call("threshold", numbers_of(&[2.0]))], name("all"), file).unwrap();
    assert_eq!((bits(&one.input).as_str(), one.input.column_type().to_string()), ("01 00 10", "Bool[2]".to_owned()));
    let two = input(vec![cols(0, 2), call("threshold", numbers_of(&[0.0, 2.0]))], name("all"), file).unwrap();
    assert_eq!(
        (bits(&two.input).as_str(), two.input.column_type().to_string()),
        ("1011 1010 1100", "Bool[4]".to_owned())
    );
    let later = vec![cols(0, 2), call("scale", numbers_of(&[10.0])), call("threshold", numbers_of(&[25.0]))];
    assert_eq!(bits(&input(later, name("all"), file).unwrap().input), "01 00 10");
    let ranged = vec![cols(0, 2), name("minmax"), call("threshold", numbers_of(&[0.5]))];
    assert_eq!(bits(&input(ranged, two_then_one(), file).unwrap().input), "01 10 10");
}

#[test]
fn bits_are_read_as_they_stand() {
    let set = input(vec![cols(0, 4), name("bits")], name("all"), b"0,1,true,False\n1.0,0.0,TRUE,0\n").unwrap();
    assert_eq!(bits(&set.input), "0110 1010");
    let message = said(input(vec![cols(0, 2), name("bits")], name("all"), b"0,1\n2,1\n0,\n?,x\n"));
    for part in [
        "E0602 4 values that are neither 0, 1, true nor false",
        "t:2:1: `2` in column 0",
        "t:3:3: `` in column 1",
        "`threshold(..)`",
    ] {
        assert!(message.contains(part), "{part} is not in\n{message}");
    }
    let rows = [["1", "0", "1", "1"].map(str::to_owned).to_vec()];
    assert_eq!(bits(&set.input_encoder.apply(&rows).unwrap()), "1011");
    assert_eq!(bits(&set.input_encoder.apply(&[]).unwrap()), "");
}

#[test]
fn labels_become_binary_numbers_and_one_hot_vectors_bits() {
    let target = |k: usize, first: &str, file: &[u8]| {
        let chain = || seq(vec![col(0), dims(first, k), name("bits")]);
        let set =
            run(vec![("source", csv("t", false)), ("input", chain()), ("target", chain())], &[("t", file)]).unwrap();
        let column = set.target.unwrap();
        (bits(&column), column.column_type().to_string(), set.classes.len())
    };
    let five = b"0\n1\n2\n3\n4\n";
    assert_eq!(target(5, "class", five), ("000 100 010 110 001".to_owned(), "Bool[3]".to_owned(), 5));
    assert_eq!(target(4, "class", b"0\n3\n1\n2\n"), ("00 11 10 01".to_owned(), "Bool[2]".to_owned(), 4));
    assert_eq!(target(2, "class", b"no\nyes\nno\n"), ("0 1 0".to_owned(), "Bool[1]".to_owned(), 2));
    assert_eq!(target(3, "onehot", b"2\n0\n1\n"), ("001 100 010".to_owned(), "Bool[3]".to_owned(), 3));
}

#[test]
fn a_thermometer_cuts_at_quantiles_of_the_training_part() {
    // Training values 0, 1, 2, 3, 4: the quartiles are 1, 2, 3. The test value 9 moves nothing.
    let split = || call("ordered", vec![set("train", num(5.0)), set("test", num(1.0))]);
    let file = b"0,7\n1,7\n2,7\n3,7\n4,7\n9,8\n";
    let set = input(vec![cols(0, 2), dims("thermometer", 3)], split(), file).unwrap();
    assert_eq!(bits(&set.input), "000000 000000 100000 110000 111000 111111");
    let FittedStep::Thermometer(cuts) = &set.input_encoder.steps[0] else { panic!("{:?}", set.input_encoder) };
    assert_eq!(cuts, &[vec![1.0, 2.0, 3.0], vec![7.0; 3]]);
    // Between two neighbours: the median of 0, 1, 2, 3 is 1.5.
    let set = input(vec![col(0), dims("thermometer", 1)], name("all"), b"0\n1\n2\n3\n").unwrap();
    assert_eq!((bits(&set.input).as_str(), set.input.column_type().to_string()), ("0 0 1 1", "Bool[1]".to_owned()));
    let scaled = vec![col(0), call("scale", numbers_of(&[-1.0])), dims("thermometer", 1)];
    assert_eq!(bits(&input(scaled, name("all"), b"0\n1\n2\n3\n").unwrap().input), "1 1 0 0");
}

#[test]
fn categories_are_a_bit_each_and_unseen_ones_none() {
    let file = b"b,10,?\na,9,?\nc,9,y\n";
    let set = input(vec![cols(0, 3), name("categories")], two_then_one(), file).unwrap();
    // a, b; 9, 10 as numbers; `?` is a value like any other.
    assert_eq!(
        (bits(&set.input).as_str(), set.input.column_type().to_string()),
        ("01011 10101 00100", "Bool[5]".to_owned())
    );
    assert_eq!(set.warnings.len(), 1);
    assert_eq!(set.warnings[0].message, "2 values that the training part has not");
    assert_eq!(set.warnings[0].notes, ["t:3:1: `c` in column 0", "t:3:5: `y` in column 2"]);
    assert_eq!(bits(&set.input_encoder.apply(&[["a", "10", "?"].map(str::to_owned).to_vec()]).unwrap()), "10011");
}

#[test]
fn a_fit_on_all_rows_is_written_out() {
    let fitted = |step: &str, fit: &str| {
        let chain = vec![col(0), call(step, vec![set("fit", name(fit))])];
        reals(&input(chain, two_then_one(), b"0\n2\n4\n").unwrap().input).to_vec()
    };
    assert_eq!(fitted("minmax", "all"), [0.0, 0.5, 1.0]);
    assert_eq!(fitted("minmax", "train"), [0.0, 1.0, 2.0]);
    let deviation = (8.0_f64 / 3.0).sqrt();
    assert_eq!(fitted("standardise", "all"), [-2.0 / deviation, 0.0, 2.0 / deviation]);
    assert_eq!(fitted("standardise", "train"), [-1.0, 1.0, 3.0]);
}

#[test]
fn widths_are_known_before_reading_where_they_can_be() {
    let types = |source: Expr, chain: Vec<Expr>| {
        let spec = spec(vec![("source", source), ("input", seq(chain))]).unwrap();
        spec.types().0.map(|t| t.to_string())
    };
    let file = || csv("t", false);
    let idx = || call("idx", vec![arg(text("t"))]);
    let some = |t: &str| Some(t.to_owned());
    assert_eq!(types(file(), vec![cols(0, 4), call("threshold", numbers_of(&[1.0, 2.0]))]), some("Bool[8]"));
    assert_eq!(types(file(), vec![cols(0, 4), dims("thermometer", 3)]), some("Bool[12]"));
    assert_eq!(types(file(), vec![cols(0, 4), name("bits")]), some("Bool[4]"));
    assert_eq!(types(file(), vec![col(4), dims("class", 10), name("bits")]), some("Bool[4]"));
    assert_eq!(types(file(), vec![col(4), dims("onehot", 10), name("bits")]), some("Bool[10]"));
    assert_eq!(types(file(), vec![cols(0, 4), name("categories")]), None);
    assert_eq!(types(idx(), vec![call("threshold", numbers_of(&[32.0]))]), None);
    assert_eq!(types(idx(), vec![cols(0, 4), call("threshold", numbers_of(&[32.0]))]), some("Bool[4]"));
    assert_eq!(types(idx(), vec![dims("class", 10)]), some("Fin[10]"));
}

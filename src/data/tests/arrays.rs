//! Sources that are not text: IDX files, PLA files, truth tables.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used, reason = "tests")]

use super::*;
use std::io::Write;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn idx_file(dims: &[u32], body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, u8::try_from(dims.len()).unwrap()];
    dims.iter().for_each(|d| bytes.extend(d.to_be_bytes()));
    bytes.extend(body);
    bytes
}

fn idx(files: &[&str]) -> Expr {
    call("idx", files.iter().map(|f| arg(text(f))).collect())
}

fn threshold(n: f64) -> Expr {
    call("threshold", vec![arg(num(n))])
}

/// Three images of 2 x 2 with labels, one more of each for a test.
fn small(input: Expr) -> Result<Dataset, Diagnostics> {
    let fields = vec![
        ("source", idx(&["images.gz", "labels"])),
        ("test", idx(&["more", "more_labels"])),
        ("input", input),
        ("target", dims("class", 10)),
        ("split", call("ordered", vec![set("train", num(2.0)), set("valid", num(1.0))])),
    ];
    let images = gzip(&idx_file(&[3, 2, 2], &[0, 32, 33, 255, 1, 2, 3, 4, 100, 0, 0, 0]));
    let labels = idx_file(&[3], &[7, 0, 7]);
    let (more, of_more) = (idx_file(&[1, 2, 2], &[50, 0, 0, 60]), idx_file(&[1], &[0]));
    run(fields, &[("images.gz", &images), ("labels", &labels), ("more", &more), ("more_labels", &of_more)])
}

#[test]
fn images_keep_their_shape_and_labels_their_number() {
    let set = small(threshold(32.0)).unwrap();
    assert_eq!((bits(&set.input).as_str(), set.input.shape.as_slice()), ("0011 0000 1000 1001", &[2, 2][..]));
    assert_eq!(labels(set.target.as_ref().unwrap()), [7, 0, 7, 0]);
    assert_eq!((set.parts.train.len(), set.parts.valid.len(), set.parts.test.clone()), (2, 1, vec![3]));
    assert_eq!(set.classes.len(), 10);
    assert_eq!(set.sources.len(), 4);
    let two = small(call("threshold", vec![arg(num(32.0)), arg(num(99.0))])).unwrap();
    assert_eq!((bits(&two.input).split(' ').next(), two.input.shape.as_slice()), (Some("00001011"), &[2, 2, 2][..]));
    let scaled = small(call("scale", vec![arg(num(0.5))])).unwrap();
    assert_eq!((reals(&scaled.input)[3], scaled.input.column_type().to_string()), (127.5, "R[2, 2]".to_owned()));
    let flat = small(seq(vec![name("flatten"), name("minmax")])).unwrap();
    assert_eq!((reals(&flat.input)[0], flat.input.column_type().to_string()), (0.0, "R[4]".to_owned()));
    let quartered = small(dims("thermometer", 1)).unwrap();
    assert_eq!(
        (bits(&quartered.input).as_str(), quartered.input.shape.as_slice()),
        ("0111 1000 1000 1000", &[2, 2][..])
    );
}

#[test]
fn bytes_stay_bytes_while_each_makes_its_own_number() {
    let kept = |set: &Dataset| matches!(set.input.values, Values::Bytes { .. });
    let twice = seq(vec![call("scale", vec![arg(num(0.5))]), name("flatten"), call("scale", vec![arg(num(3.0))])]);
    let set = small(twice).unwrap();
    assert!(kept(&set));
    let raw = [0.0, 32.0, 33.0, 255.0, 1.0, 2.0, 3.0, 4.0, 100.0, 0.0, 0.0, 0.0, 50.0, 0.0, 0.0, 60.0];
    assert_eq!(reals(&set.input), raw.map(|x| x * 0.5 * 3.0));
    assert!(kept(&small(name("flatten")).unwrap()));
    let columns = small(seq(vec![call("scale", vec![arg(num(0.5))]), name("standardise")])).unwrap();
    assert!(!kept(&columns));
    let bits = small(seq(vec![call("scale", vec![arg(num(2.0))]), threshold(64.0)])).unwrap();
    assert_eq!(self::bits(&bits.input), "0011 0000 1000 1001");
    let infinite = call("scale", vec![arg(num(1e307))]);
    let message = said(small(infinite));
    assert!(message.contains("a number becomes too large when encoded"), "{message}");
}

#[test]
fn columns_choose_entries_of_all_files_side_by_side() {
    let chosen = seq(vec![call("columns", vec![arg(num(3.0)), range(0, 2)]), threshold(32.0)]);
    assert_eq!(bits(&small(chosen).unwrap().input), "100 000 010 110");
    let label = small(seq(vec![call("columns", vec![arg(num(4.0))]), dims("class", 10)])).unwrap();
    assert_eq!(labels(&label.input), [7, 0, 7, 0]);
    let message = said(small(seq(vec![call("columns", vec![arg(text("a"))]), threshold(32.0)])));
    assert!(
        message.contains("E0603 `a` cannot be found without a header") && message.contains("by number"),
        "{message}"
    );
}

#[test]
fn an_image_may_be_its_own_target_and_files_to_come_are_encoded() {
    let fields = vec![("source", idx(&["i"])), ("input", threshold(0.0)), ("target", name("input"))];
    let set = run(fields, &[("i", &idx_file(&[2, 2], &[0, 1, 2, 0]))]).unwrap();
    assert_eq!((set.target.as_ref(), bits(&set.input).as_str()), (Some(&set.input), "01 10"));
    let (input, _) = set.encode_file("j", gzip(&idx_file(&[1, 2], &[9, 9]))).unwrap();
    assert_eq!(bits(&input), "11");
    assert_eq!(codes(set.encode_file("j", b"no".to_vec())), [Code::DATA_FILE]);
}

#[test]
fn idx_files_that_do_not_fit_say_so_in_numbers() {
    let message = |files: &[(&str, &[u8])]| {
        let fields = vec![("source", idx(&["i", "l"])), ("input", threshold(0.0)), ("target", dims("class", 2))];
        said(run(fields, files))
    };
    let good = idx_file(&[2, 1], &[0, 1]);
    let cut = message(&[("i", &idx_file(&[3, 28, 28], &[0; 100])), ("l", &good)]);
    assert!(cut.contains("E0601 `i` says 3 x 28 x 28 = 2352 entries and has 100 bytes of them"), "{cut}");
    let other = message(&[("i", b"\x89PNG...."), ("l", &good)]);
    assert!(other.contains("`i` is not an IDX file: it begins with 0x89 0x50 0x4e 0x47"), "{other}");
    let counts = message(&[("i", &idx_file(&[3, 1], &[0, 1, 0])), ("l", &good)]);
    assert!(counts.contains("different numbers of rows: has 2 rows"), "{counts}");
    let wide = message(&[("i", &good), ("l", &idx_file(&[2, 2], &[0, 1, 0, 1]))]);
    assert!(wide.contains("E0606 a label is one column: reads 2 columns"), "{wide}");
    let gzipped = gzip(&good);
    let torn = message(&[("i", &gzipped[..gzipped.len() - 3]), ("l", &good)]);
    assert!(torn.contains("`i` is not a whole gzip file"), "{torn}");
    let fields = vec![("source", idx(&["i"])), ("test", idx(&["j"])), ("input", threshold(0.0))];
    let shapes = said(run(fields, &[("i", &idx_file(&[1, 2, 3], &[0; 6])), ("j", &idx_file(&[1, 3, 2], &[0; 6]))]));
    assert!(shapes.contains("a row of the test file is 3 x 2, a row of the source 2 x 3"), "{shapes}");
}

#[test]
fn missing_mnist_says_where_it_is() {
    let file = "mnist/t10k-images-idx3-ubyte.gz";
    let fields = vec![("source", idx(&[file])), ("input", threshold(32.0))];
    let message = said(run(fields, &[]));
    assert!(message.contains("https://storage.googleapis.com/cvdf-datasets/mnist/"), "{message}");
    assert!(message.contains("train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz"), "{message}");
    let fields = vec![("source", idx(&["other.gz"])), ("input", threshold(32.0))];
    assert!(!said(run(fields, &[])).contains("mnist"));
}

fn pla(file: &[u8], more: Vec<(&'static str, Expr)>) -> Result<Dataset, Diagnostics> {
    let mut fields = vec![("source", call("pla", vec![arg(text("f.pla"))]))];
    fields.extend(more);
    run(fields, &[("f.pla", file)])
}

const ADDER: &[u8] = b"# a half adder\n.i 2\n.o 2\n.ilb a b\n.ob sum carry\n.p 4\n.type fr\n00 00\n01 10 # one\n10|10\n1 1 0 1\n.e\nrest\n";

#[test]
fn a_pla_file_gives_bits_in_and_bits_out() {
    for file in [ADDER.to_vec(), gzip(ADDER)] {
        let set = pla(&file, Vec::new()).unwrap();
        assert_eq!(
            (bits(&set.input).as_str(), bits(set.target.as_ref().unwrap()).as_str()),
            ("00 01 10 11", "00 10 10 01")
        );
        assert_eq!(set.input.column_type().to_string(), "Bool[2]");
    }
    let one = seq(vec![call("column", vec![arg(text("carry"))]), dims("class", 2), name("bits")]);
    let split = call("stratified", vec![set("train", num(0.5)), set("test", num(0.5))]);
    let set = pla(ADDER, vec![("target", one), ("split", split)]).unwrap();
    assert_eq!((bits(set.target.as_ref().unwrap()).as_str(), set.classes.len()), ("0 0 0 1", 2));
    let (input, target) = set.encode_file("g.pla", b".i 2\n.o 2\n11 01\n".to_vec()).unwrap();
    assert_eq!((bits(&input).as_str(), bits(&target.unwrap()).as_str()), ("11", "1"));
    let real = pla(ADDER, vec![("input", call("scale", vec![arg(num(2.0))]))]).unwrap();
    assert_eq!(reals(&real.input)[..4], [0.0, 0.0, 0.0, 2.0]);
}

#[test]
fn pla_files_that_are_not_data_are_placed_by_line() {
    let message = |file: &[u8]| said(pla(file, Vec::new()));
    let cubes = message(b".i 2\n.o 1\n0- 1\n11 ~\n");
    assert!(cubes.contains("E0601 `f.pla` has 2 values left open"), "{cubes}");
    assert!(cubes.contains("f.pla:3: `-` in input 1 | f.pla:4: `~` in output 0"), "{cubes}");
    let ragged = message(b".i 2\n.o 1\n00 1\n\n111 1\n0 1\n");
    assert!(
        ragged.contains("2 rows of another width") && ragged.contains("`.i 2` and `.o 1` make 3 values"),
        "{ragged}"
    );
    assert!(ragged.contains("f.pla:5 has 4 values | f.pla:6 has 2 values"), "{ragged}");
    assert!(message(b"00 1\n").contains("`f.pla` has no `.i` before its first row"));
    assert!(message(b".i 2\n00 1\n").contains("`f.pla` has no `.o` before its first row"));
    assert!(message(b".i 2\n.o 1\n.p 3\n00 1\n").contains("has 1 row, `.p` says 3"));
    assert!(message(b".i 2\n.o 1\n0x 1\n").contains("f.pla:3: `0x 1`"));
    assert!(message(b".i two\n").contains("needs one whole number of at least 1 behind `.i`"));
    assert!(message(b".i 2\n.i 3\n").contains("says `.i 2` and `.i 3`"));
    assert!(message(b".i 2\n.ilb a\n").contains("names 1 column, `.i` says 2"));
    assert!(message(b".ilb a\n.i 2\n").contains("names another number of columns than `.i` says"));
    assert!(message(b".i 2\n.o 1\n.mv 3\n").contains("a line `.mv`, which is not supported"));
    assert!(message(b".i 2\n.o 1\n.e\n").contains("has no rows"));
}

#[test]
fn a_truth_table_has_its_rows_in_order_bit_0_first() {
    let source = || call("truth_table", vec![arg(num(2.0)), arg(name("x"))]);
    let set = run(vec![("source", source())], &[]).unwrap();
    assert_eq!(bits(&set.input), "00 10 01 11");
    assert_eq!(set.target.as_ref(), Some(&set.input));
    assert_eq!(set.row_count, 4);
    let input = seq(vec![call("column", vec![arg(num(1.0))]), dims("class", 2)]);
    let set = run(vec![("source", source()), ("input", input)], &[]).unwrap();
    assert_eq!(labels(&set.input), [0, 0, 1, 1]);
    let many = call("truth_table", vec![arg(num(21.0)), arg(name("x"))]);
    assert_eq!(codes(spec(vec![("source", many)])), [Code::LIMIT]);
    let alone = call("truth_table", vec![arg(num(2.0))]);
    assert_eq!(codes(spec(vec![("source", alone)])), [Code::DATA_FIELD]);
}

#[test]
fn no_bytes_make_it_panic() {
    use crate::random::{Stream, Use};
    let mut stream = Stream::new(2, Use::Laws);
    for _ in 0..3_000 {
        let n = stream.below(40);
        let mut bytes: Vec<u8> = (0..n).map(|_| stream.below(4) as u8 * stream.below(2) as u8).collect();
        bytes.splice(0..0, [0, 0, [8, 9, 11, 12, 13, 14, 7][stream.below(7) as usize], stream.below(4) as u8]);
        let fields = vec![("source", idx(&["t"])), ("input", dims("thermometer", 2))];
        let _read = run(fields, &[("t", &bytes)]);
        let text: Vec<u8> = (0..n).map(|_| b"01.- \n|io#e~2"[stream.below(13) as usize]).collect();
        let _read = pla(&[b".i 2\n.o 1\n", text.as_slice()].concat(), Vec::new());
        let _read = pla(&text, Vec::new());
    }
}

//! Sources that are drawn, and NPY files through the whole of `load`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used, reason = "tests")]

use super::*;
use crate::random::{Stream, Use};

fn source(what: Expr) -> Result<Dataset, Diagnostics> {
    run(vec![("source", what)], &[])
}

#[test]
fn sources_that_are_drawn_need_no_brackets() {
    let moons = source(name("two_moons")).unwrap();
    assert_eq!((moons.row_count, moons.input.column_type().to_string()), (1000, "R[2]".into()));
    let labels = reals(moons.target.as_ref().unwrap());
    assert_eq!((labels.iter().sum::<f64>(), moons.target.as_ref().unwrap().size()), (500.0, 1));
    let other_seed =
        load(&spec(vec![("source", name("two_moons"))]).unwrap(), "", &MemoryWorld::default(), 7, &identity);
    assert_eq!(other_seed.unwrap().input, moons.input);
    let spiral = source(call("spiral", vec![set("n", num(9.0)), set("classes", num(3.0))])).unwrap();
    assert_eq!(reals(spiral.target.as_ref().unwrap()), [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0]);
    let normal = source(dims("normal", 3)).unwrap();
    assert_eq!((normal.target, normal.input.column_type().to_string()), (None, "R[3]".into()));
    let uniform = source(dims("uniform", 1)).unwrap();
    assert!(reals(&uniform.input).iter().all(|x| (0.0..1.0).contains(x)));
}

#[test]
fn drawn_points_are_encoded_and_split_like_any_other() {
    let fields = vec![
        ("source", call("two_moons", vec![set("n", num(40.0)), set("noise", num(0.0))])),
        ("input", name("standardise")),
        ("target", dims("class", 2)),
        ("split", call("stratified", vec![set("train", num(0.75)), set("test", num(0.25))])),
    ];
    let set = run(fields, &[]).unwrap();
    assert_eq!((set.parts.train.len(), set.parts.test.len(), set.classes.len()), (30, 10, 2));
    assert_eq!(labels(set.target.as_ref().unwrap()).iter().filter(|c| **c == 1).count(), 20);
    let column = vec![("source", name("two_moons")), ("input", col(0)), ("target", col(2))];
    let set = run(column, &[]).unwrap();
    assert_eq!((set.input.size(), reals(set.target.as_ref().unwrap())[999]), (1, 1.0));
}

#[test]
fn settings_out_of_their_range() {
    let wrong = |what| codes(spec(vec![("source", what)]));
    assert_eq!(wrong(name("normal")), [Code::DATA_FIELD]);
    assert_eq!(wrong(call("two_moons", vec![arg(num(5.0))])), [Code::DATA_FIELD]);
    assert_eq!(wrong(call("two_moons", vec![set("noise", num(-1.0))])), [Code::DATA_FIELD]);
    assert_eq!(wrong(call("two_moons", vec![set("n", num(1.0))])), [Code::DATA_FIELD]);
    assert_eq!(wrong(call("spiral", vec![set("turn", num(1.0))])), [Code::DATA_FIELD]);
    assert_eq!(wrong(call("spiral", vec![set("n", num(4e9))])), [Code::LIMIT]);
    assert_eq!(wrong(dims("two_moons", 2)), [Code::DATA_FIELD]);
    let no_class = vec![("source", dims("normal", 2)), ("target", dims("class", 2))];
    assert!(said(spec(no_class)).contains("these points have no classes"));
}

/// A writer after NEP 1 that shares nothing with the reader.
fn npy(dims: &[usize], fortran: bool, numbers: &[f64], kind: &str) -> Vec<u8> {
    let shape: String = dims.iter().map(|d| format!("{d}, ")).collect();
    let order = if fortran { "True" } else { "False" };
    let mut header = format!("{{'descr': '{kind}', 'fortran_order': {order}, 'shape': ({}), }}", shape.trim_end());
    header.push_str(&" ".repeat(128 - 11 - header.len()));
    header.push('\n');
    let mut bytes = [&b"\x93NUMPY\x01\x00\x76\x00"[..], header.as_bytes()].concat();
    for x in numbers {
        match kind {
            "<f8" => bytes.extend(x.to_le_bytes()),
            ">f4" => bytes.extend((*x as f32).to_be_bytes()),
            "<i2" => bytes.extend((*x as i16).to_le_bytes()),
            _ => bytes.push(*x as u8),
        }
    }
    bytes
}

#[test]
fn npy_files_come_back_as_they_were_written() {
    use std::io::Write;
    let mut stream = Stream::new(3, Use::Laws);
    for round in 0..60 {
        let dims: Vec<usize> = (0..1 + round % 4).map(|_| 1 + stream.below(4) as usize).collect();
        let size: usize = dims.iter().product();
        let whole: Vec<f64> = (0..size).map(|_| stream.below(200) as f64).collect();
        let kind = ["<f8", ">f4", "<i2", "|u1"][stream.below(4) as usize];
        // Entry (i0, i1, ..) lies at i0 + i1 * d0 + i2 * d0 * d1 + .. of a file in Fortran order.
        let mut turned = vec![0.0; size];
        for (at, x) in whole.iter().enumerate() {
            let (mut rest, mut place) = (at, 0);
            for (axis, n) in dims.iter().enumerate().rev() {
                place += rest % n * dims[..axis].iter().product::<usize>();
                rest /= n;
            }
            turned[place] = *x;
        }
        for bytes in [npy(&dims, false, &whole, kind), npy(&dims, true, &turned, kind)] {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packed.write_all(&bytes).unwrap();
            for bytes in [bytes.clone(), packed.finish().unwrap()] {
                let fields = vec![
                    ("source", call("npy", vec![arg(text("x.npy"))])),
                    ("input", call("scale", vec![arg(num(1.0))])),
                ];
                let set = run(fields, &[("x.npy", &bytes)]).unwrap();
                let shape = if dims.len() == 1 { vec![1] } else { dims[1..].to_vec() };
                assert_eq!((reals(&set.input), &set.input.shape), (whole.clone(), &shape), "{dims:?} {kind}");
            }
        }
    }
}

#[test]
fn npy_files_are_images_and_labels() {
    let fields = |target| {
        vec![
            ("source", call("npy", vec![arg(text("x")), arg(text("y"))])),
            ("input", call("scale", vec![arg(num(0.5))])),
            ("target", target),
        ]
    };
    let images = npy(&[2, 2, 2], false, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], "|u1");
    let set = run(fields(dims("class", 3)), &[("x", &images), ("y", &npy(&[2], false, &[2.0, 0.0], "<i2"))]).unwrap();
    assert_eq!((labels(set.target.as_ref().unwrap()), set.input.shape.as_slice()), (&[2, 0][..], &[2, 2][..]));
    let (input, _) = set.encode_file("z", npy(&[1, 2, 2], false, &[8.0; 4], "<f8")).unwrap();
    assert_eq!(reals(&input), [4.0; 4]);
    let counts = said(run(fields(dims("class", 3)), &[("x", &images), ("y", &npy(&[3], false, &[0.0; 3], "|u1"))]));
    assert!(counts.contains("different numbers of rows: has 3 rows"), "{counts}");
    let objects = said(run(fields(dims("class", 3)), &[("x", &images), ("y", &npy(&[2], false, &[], "|O"))]));
    assert!(objects.contains("`y` holds Python objects (pickled), which are never read"), "{objects}");
}

#[test]
fn no_bytes_of_an_npy_file_make_it_panic() {
    let mut stream = Stream::new(4, Use::Laws);
    let good = npy(&[3, 2], true, &[1.0; 6], "<f8");
    for _ in 0..3_000 {
        let mut bytes = good.clone();
        for _ in 0..1 + stream.below(3) {
            let at = stream.below(bytes.len() as u64) as usize;
            match stream.below(3) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, b"0123456789',(){}: \x00\xff"[stream.below(20) as usize]),
                _ => bytes[at] = stream.below(256) as u8,
            }
            if bytes.is_empty() {
                break;
            }
        }
        let fields = vec![("source", call("npy", vec![arg(text("x"))])), ("input", name("minmax"))];
        if let Ok(set) = run(fields, &[("x", &bytes)]) {
            assert!(reals(&set.input).iter().all(|x| x.is_finite()));
        }
    }
}

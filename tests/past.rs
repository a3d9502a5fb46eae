//! `eval` and `predict`: what a run folder is good for afterwards.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests read files and the environment")]

mod commands;

use commands::{catlearn, command, ends, folder, piped, text};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The iris example in a folder of its own, trained.
fn iris(name: &str, more: &[&str]) -> (PathBuf, PathBuf, Value) {
    let dir = folder(name);
    fs::create_dir(dir.join("data")).unwrap();
    fs::copy("examples/iris.lens", dir.join("iris.lens")).unwrap();
    fs::copy("examples/data/iris.csv", dir.join("data/iris.csv")).unwrap();
    let run = dir.join("run");
    let program = dir.join("iris.lens");
    let args = ["train", text(&program), "--out", text(&run), "--format", "json", "--set", "epochs=5"];
    let (said, _) = ends(&catlearn(&[&args[..], more].concat()), 0);
    (dir, run, serde_json::from_str(&said).unwrap())
}

fn evaluated(run: &Path, more: &[&str]) -> Value {
    serde_json::from_str(&ends(&catlearn(&[&["eval", text(run), "--format", "json"], more].concat()), 0).0).unwrap()
}

/// As gzip packs it.
fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const HEAD: &str = "sepal_length,sepal_width,petal_length,petal_width\n";

#[test]
fn eval_gives_the_numbers_of_the_run_and_of_another_file() {
    let (dir, run, trained) = iris("eval", &["--set", "select=best(train.accuracy)"]);
    let last = evaluated(&run, &["--state", "last"]);
    assert_eq!((&last["metrics"], &last["state"]), (&trained["metrics"], &Value::from("last")));
    let best = evaluated(&run, &[]);
    assert_eq!(best["metrics"], trained["selected"]["metrics"]);
    assert_eq!((&best["state"], &best["step"]), (&Value::from("best"), &trained["selected"]["step"]));
    let test = evaluated(&run, &["--split", "test", "--state", "last"]);
    assert_eq!(test["metrics"].as_object().unwrap().len(), 1);
    assert_eq!(test["metrics"]["test"], trained["metrics"]["test"]);
    // All rows as another file: the counts are those of both parts.
    let csv = dir.join("data/iris.csv");
    let all = evaluated(&run, &["--data", text(&csv), "--state", "last"]);
    let share = |part: &str, n: f64| last["metrics"][part]["accuracy"].as_f64().unwrap() * n;
    let right = share("train", 120.0) + share("test", 30.0);
    assert!((all["metrics"]["data"]["accuracy"].as_f64().unwrap() * 150.0 - right).abs() < 1e-9, "{all}");
    // Text: the answer on stdout, the state on stderr.
    let (said, noted) = ends(&catlearn(&["eval", text(&run), "--split", "test"]), 0);
    assert!(said.starts_with(" test  loss ") && said.contains("confusion of test"), "{said}");
    assert!(noted.contains("the best state of"), "{noted}");
    let (_, said) = ends(&catlearn(&["eval", text(&run), "--split", "valid"]), 2);
    assert!(said.contains("the part `valid` of this run has no rows"), "{said}");
    fs::write(dir.join("bare.csv"), format!("{HEAD}5.1,3.5,1.4,0.2\n")).unwrap();
    let (_, said) = ends(&catlearn(&["eval", text(&run), "--data", text(&dir.join("bare.csv"))]), 1);
    assert!(said.contains("no target to measure against") && said.contains("`species`"), "{said}");
    // Other data is not this run's.
    let changed = fs::read_to_string(&csv).unwrap().replacen("5.1", "5.2", 1);
    fs::write(&csv, changed).unwrap();
    let (_, said) = ends(&catlearn(&["eval", text(&run)]), 1);
    assert!(said.contains("E0802") && said.contains("not what this run was trained on"), "{said}");
}

#[test]
fn the_folder_alone_predicts_what_the_run_would() {
    let (dir, run, _) = iris("predict", &[]);
    let rows = fs::read_to_string(dir.join("data/iris.csv")).unwrap();
    let (first, _) = ends(&piped(&["predict", text(&run), "-"], rows.as_bytes()), 0);
    // Without encoders.json they are fitted again on the data, to the same bits.
    fs::remove_file(run.join("encoders.json")).unwrap();
    assert_eq!(ends(&piped(&["predict", text(&run)], rows.as_bytes()), 0).0, first);
    let (dir, run, _) = iris("predict-moved", &[]);
    let moved = folder("predict-elsewhere").join("run");
    fs::rename(&run, &moved).unwrap();
    fs::remove_dir_all(dir).unwrap();
    assert_eq!(ends(&piped(&["predict", text(&moved)], rows.as_bytes()), 0).0, first);
    let lines: Vec<&str> = first.lines().collect();
    assert_eq!(lines.len(), 151);
    assert_eq!(lines[0], "prediction,probability.Iris-setosa,probability.Iris-versicolor,probability.Iris-virginica");
    for line in &lines[1..] {
        let cells: Vec<&str> = line.split(',').collect();
        let shares: Vec<f64> = cells[1..].iter().map(|c| c.parse().unwrap()).collect();
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-5, "{line}");
        let top = (0..3).max_by(|a, b| shares[*a].total_cmp(&shares[*b])).unwrap();
        assert_eq!(cells[0], ["Iris-setosa", "Iris-versicolor", "Iris-virginica"][top]);
    }
}

#[test]
fn rows_come_in_any_form_and_order_and_go_out_in_theirs() {
    let (dir, run, _) = iris("forms", &[]);
    let run = text(&run);
    let one = ends(&piped(&["-q", "predict", run], format!("{HEAD}5.1,3.5,1.4,0.2\n").as_bytes()), 0).0;
    let other = "petal_width,id,petal_length,sepal_width,sepal_length\n0.2,007,1.4,3.5,5.1\n";
    assert_eq!(ends(&piped(&["-q", "predict", run], other.as_bytes()), 0).0, one);
    let kept = ends(&piped(&["-q", "predict", run, "--keep"], other.as_bytes()), 0).0;
    assert!(kept.starts_with("petal_width,id,petal_length,sepal_width,sepal_length,prediction,"), "{kept}");
    assert!(kept.contains("\n0.2,007,1.4,3.5,5.1,Iris-setosa,"), "{kept}");
    assert_eq!(ends(&piped(&["-q", "predict", run, "--no-header"], b"5.1,3.5,1.4,0.2\n"), 0).0, one);
    fs::write(dir.join("rows.csv"), other).unwrap();
    assert_eq!(ends(&catlearn(&["-q", "predict", run, text(&dir.join("rows.csv"))]), 0).0, one);
    // JSON lines, by name and in order, blank lines between.
    let named = "{\"petal_width\":0.2,\"petal_length\":1.4,\"sepal_width\":3.5,\"sepal_length\":5.1}\n";
    let ordered = "[5.1,3.5,1.4,0.2]\n";
    let lines = [format!("\n{named}\n"), format!("\n{ordered}\n")];
    let said = lines.map(|lines| ends(&piped(&["-q", "predict", run], lines.as_bytes()), 0).0);
    let values: Vec<Value> = said.concat().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    for (mixed, form) in [(format!("{named}\n{ordered}"), "in order"), (format!("{ordered}\n{named}"), "by names")] {
        let (out, said) = ends(&piped(&["-q", "predict", run], mixed.as_bytes()), 1);
        let told = said.contains("E0806") && said.contains("stdin:3:1") && said.contains(form);
        assert!(out.is_empty() && told, "{said}");
    }
    assert_eq!(values.len(), 2);
    assert_eq!(values[0], values[1]);
    assert_eq!(values[0]["prediction"], "Iris-setosa");
    let cells: Vec<f64> = one.lines().nth(1).unwrap().split(',').skip(1).map(|c| c.parse().unwrap()).collect();
    assert_eq!(values[0]["probability"]["Iris-versicolor"].as_f64(), Some(cells[1]));
    // `--format json` gives JSON for CSV too, and numbers stay what they were.
    let (said, noted) = ends(&piped(&["predict", run, "--keep", "--format", "json"], other.as_bytes()), 0);
    let value: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&value["id"], &value["petal_length"]), (&Value::from("007"), &Value::from(1.4)));
    assert!(noted.lines().all(|l| serde_json::from_str::<Value>(l).is_ok()), "{noted}");
}

#[test]
fn what_is_kept_is_as_it_was_written() {
    let (_, run, _) = iris("kept", &[]);
    let said = |more: &[&str], rows: &str| {
        ends(&piped(&[&["-q", "predict", text(&run), "--keep"], more].concat(), rows.as_bytes()), 0).0
    };
    // Fields that the encoders do not read stay, in their order, each row its own; numbers keep their digits.
    let rows = "{\"z\": {\"deep\": [1.50, null]}, \"sepal_length\": 5.10, \"sepal_width\": 3.5e0, \"petal_length\": 1.4,\
                \"petal_width\": 0.20, \"id\": 12345678901234567890123}\n\
                {\"sepal_length\":5.1,\"sepal_width\":3.5,\"petal_length\":\"1.4\",\"petal_width\":0.2,\"note\":\"\\u00e4\"}\n";
    let out = said(&[], rows);
    let lines: Vec<&str> = out.lines().collect();
    let kept = "{\"z\":{\"deep\": [1.50, null]},\"sepal_length\":5.10,\"sepal_width\":3.5e0,\"petal_length\":1.4,\
                \"petal_width\":0.20,\"id\":12345678901234567890123,\"prediction\":\"Iris-setosa\",\"probability\":{";
    assert!(lines[0].starts_with(kept), "{out}");
    assert!(lines[1].contains("\"petal_length\":\"1.4\"") && lines[1].contains("\"note\":\"\\u00e4\",\"prediction\""));
    assert!(
        said(&[], "[5.10, 3.5, 1.4, 2e-1]\n").starts_with("{\"0\":5.10,\"1\":3.5,\"2\":1.4,\"3\":2e-1,\"prediction\"")
    );
    // Cells of a table become numbers of JSON where they are such, with the same digits.
    let table = format!("{}id\n5.10,3.5,1.4,0.20,007\n", HEAD.replace('\n', ","));
    let out = said(&["--format", "json"], &table);
    assert!(
        out.starts_with("{\"sepal_length\":5.10,") && out.contains("\"petal_width\":0.20,\"id\":\"007\","),
        "{out}"
    );

    // No column hides another one.
    let refused = |more: &[&str], rows: &str| {
        let all = [&["-q", "predict", text(&run)], more].concat();
        let (out, said) = ends(&piped(&all, rows.as_bytes()), 1);
        assert!(out.is_empty() && said.contains("E0806"), "{said}");
        said
    };
    let named = |name: &str| format!("{}{name}\n5.1,3.5,1.4,0.2,x\n", HEAD.replace('\n', ","));
    let row = "{\"sepal_length\":5.1,\"sepal_width\":3.5,\"petal_length\":1.4,\"petal_width\":0.2,";
    let ours = "a column of the input is called `prediction`";
    assert!(refused(&["--keep"], &named("prediction")).contains(ours));
    assert!(refused(&["--keep"], &named("probability.Iris-setosa")).contains("leave `--keep` off"));
    assert!(refused(&["--keep"], &format!("{row}\"prediction\":1}}\n")).contains(ours));
    assert!(
        refused(&["--keep", "--format", "json"], &named("sepal_x,sepal_x").replace(",x\n", ",x,y\n"))
            .contains("two columns")
    );
    assert!(refused(&[], &format!("{row}\"a\":1,\"a\":2}}\n")).contains("`a` stands in this row twice"));
    // Left out, or where the names do not meet, it is a column like others.
    let bare = ends(&piped(&["-q", "predict", text(&run)], named("prediction").as_bytes()), 0).0;
    assert!(bare.starts_with("prediction,probability.") && bare.contains("\nIris-setosa,"), "{bare}");
    assert!(said(&[], &format!("{row}\"probability.Iris-setosa\":1}}\n")).contains("\"probability.Iris-setosa\":1,"));
}

#[test]
fn packed_rows_and_rows_behind_a_byte_order_mark_are_read() {
    let (dir, run, _) = iris("packed", &[]);
    let csv = format!("{HEAD}5.1,3.5,1.4,0.2\n").into_bytes();
    let lines = b"[5.1, 3.5, 1.4, 0.2]\n".to_vec();
    let objects = b"{\"sepal_length\":5.1,\"sepal_width\":3.5,\"petal_length\":1.4,\"petal_width\":0.2}\n".to_vec();
    let predicted = |rows: &[u8]| ends(&piped(&["-q", "predict", text(&run)], rows), 0).0;
    for rows in [csv, lines, objects] {
        let plain = predicted(&rows);
        assert!(plain.contains("Iris-setosa"), "{plain}");
        let marked = [b"\xef\xbb\xbf", &rows[..]].concat();
        for form in [marked.clone(), packed(&rows), packed(&marked)] {
            assert_eq!(predicted(&form), plain);
        }
        let file = dir.join("rows.jsonl.gz");
        fs::write(&file, packed(&rows)).unwrap();
        if rows[0] == b'{' || rows[0] == b'[' {
            assert_eq!(ends(&catlearn(&["-q", "predict", text(&run), text(&file)]), 0).0, plain);
        }
    }
    let (_, said) = ends(&piped(&["-q", "predict", text(&run)], b"\x1f\x8bnot gzip"), 1);
    assert!(said.contains("`stdin` is not a whole gzip file"), "{said}");
}

#[test]
fn rows_that_cannot_be_read_are_shown_with_their_places() {
    let (_, run, _) = iris("bad-rows", &[]);
    let cases = [
        (
            "5.1,3.5,1.4,0.2\n6,3,4,1\n",
            "E0603",
            "begin with the line `sepal_length,sepal_width,petal_length,petal_width`",
        ),
        ("sepal_length,sepal_width,petal_length\n6.1,2.8,4.7\n", "E0603", "there is no column `petal_width`"),
        (&format!("{HEAD}6.1,2.8,4.7,x\n"), "E0602", "stdin:2:13: `x` in column `petal_width`"),
        (&format!("{HEAD}6.1,2.8,,1\n"), "E0602", "stdin:2:9: `` in column `petal_length`"),
        (&format!("{HEAD}6.1,2.8,4.7,1\n6.1,2.8\n"), "E0601", "stdin:3:1 has 2 values"),
        (HEAD, "E0601", "no line below its header"),
        ("", "E0601", "no line"),
        ("{\"sepal_length\": 5.1}\n", "E0806", "there is no `sepal_width` in this row"),
        ("[1, 2, 3, 4]\n[1, 2, 3, ]\n", "E0806", "stdin:2:11"),
        ("[1, 2, 3, 4]\n\n[1, 2, \"x\", 4]\n", "E0602", "stdin:3: `x`"),
        ("[1, 2, 3, 4]\n[1, 2]\n", "E0601", "stdin:2 has 2 values, the first row has 4"),
        ("[1, 2, 3, [4]]\n", "E0806", "a value of a row is a list"),
        ("{\"sepal_length\": 5.1} trailing\n", "E0806", "stdin:1:23"),
    ];
    for (rows, code, place) in cases {
        let (out, said) = ends(&piped(&["-q", "predict", text(&run)], rows.as_bytes()), 1);
        assert!(out.is_empty() && said.contains(code) && said.contains(place), "{rows}\n{said}");
    }
    let (_, said) = ends(&piped(&["-q", "predict", text(&run)], b"\xff\xfe,\n"), 1);
    assert!(said.contains("UTF-8"), "{said}");
    let (_, said) = ends(&catlearn(&["predict", text(&run), "no/such.csv"]), 1);
    assert!(said.contains("E0806") && said.contains("help: name a file that is there"), "{said}");
}

#[test]
fn what_is_no_run_or_cannot_predict_is_said() {
    let dir = folder("no-run");
    let (_, said) = ends(&catlearn(&["predict", text(&dir)]), 2);
    assert!(said.contains("E0803") && said.contains("is no run"), "{said}");
    let quad = dir.join("quad.lens");
    fs::write(
        &quad,
        "model quad {x: R[2] ~ ones} : () -> R[1] () { dot(x, x) }\n\
         train t { objective = quad, optimiser = gd(lr = 0.1), steps = 3, seed = 1 }\n",
    )
    .unwrap();
    let run = dir.join("run");
    ends(&catlearn(&["train", text(&quad), "--out", text(&run)]), 0);
    let (_, said) = ends(&piped(&["predict", text(&run)], b"1\n"), 1);
    assert!(said.contains("E0805") && said.contains("has no model"), "{said}");
    let (_, said) = ends(&catlearn(&["eval", text(&run), "--state", "best"]), 2);
    assert!(said.contains("E0805"), "{said}");
    let measured = evaluated(&run, &[]);
    assert!(measured["metrics"]["train"]["loss"].is_f64(), "{measured}");
    fs::write(run.join("checkpoint/last.safetensors"), b"torn").unwrap();
    let (_, said) = ends(&catlearn(&["eval", text(&run)]), 1);
    assert!(said.contains("E0802"), "{said}");
    // The program in the folder is what was run: another one is not believed.
    let text_of = fs::read_to_string(run.join("model.lens")).unwrap();
    fs::write(run.join("model.lens"), text_of.replace("dot(x, x)", "2 * dot(x, x)")).unwrap();
    let (_, said) = ends(&catlearn(&["eval", text(&run)]), 1);
    assert!(said.contains("E0802") && said.contains("means something else"), "{said}");
}

#[test]
fn the_run_that_was_meant_is_named() {
    let dir = folder("past-near");
    fs::write(
        dir.join("p.lens"),
        "data p { source = inline([[1, 2], [2, 4]]), input = columns(0), target = columns(1) }\n\
         train t { data = p, model = dense[1, 1], loss = mse, optimiser = gd(lr = 0.1), steps = 3, seed = 1 }\n",
    )
    .unwrap();
    let refused = |path: &str| {
        let said = command(&["eval", path]).current_dir(&dir).output().unwrap();
        let said = ends(&said, 2).1;
        assert!(said.contains("E0803") && !said.contains("os error"), "{said}");
        said
    };
    assert!(refused("nope").contains("`nope` is no run: there is no such folder"));
    assert!(refused("nope").contains("name a folder that `catlearn train` made"));
    for _ in 0..2 {
        ends(&command(&["-q", "train", "p.lens"]).current_dir(&dir).output().unwrap(), 0);
    }
    assert!(refused("nope").contains("name a run; there are `runs/0001-t`, `runs/0002-t`"));
    for (written, meant) in [("runs/0002", "runs/0002-t"), ("runs/0002-r", "runs/0002-t"), ("0001-t", "runs/0001-t")] {
        assert!(refused(written).contains(&format!("did you mean `{meant}`?")), "{}", refused(written));
    }
    assert!(refused("runs").contains("`runs` is no run: it has no run.json"));
    assert!(refused("runs").contains("name a run; there are `runs/0001-t`, `runs/0002-t`"));
    assert!(refused("p.lens").contains("it is a file"));
}

#[test]
fn eval_of_another_file_reads_it_as_the_run_read_its_own() {
    let dir = folder("past-keep");
    let rows = "1,2,a\n2,1,b\n1,3,a\n3,1,b\n2,5,c\n5,2,c\n";
    fs::write(dir.join("d.csv"), format!("x,y,kind\n{rows}")).unwrap();
    let run = |keep: &str| {
        let program = format!(
            "data d {{ source = csv(\"d.csv\", header = true), input = columns(\"x\", \"y\"), target = column(\"kind\") >> onehot[2],\n\
             keep = class {keep} }}\n\
             train t {{ data = d, model = dense[2, 2], loss = softmax_cross_entropy, optimiser = gd(lr = 0.1), epochs = 5,\n\
             seed = 1, metrics = [accuracy] }}\n"
        );
        fs::write(dir.join("p.lens"), program).unwrap();
        let out = dir.join("run");
        ends(&catlearn(&["-q", "train", text(&dir.join("p.lens")), "--out", text(&out), "--force"]), 0);
        out
    };
    for keep in ["in [\"a\", \"b\"]", "!= \"c\"", "in [0, 1]", "< 2"] {
        let run = run(keep);
        let own = evaluated(&run, &[])["metrics"]["train"].clone();
        assert_eq!(evaluated(&run, &["--data", text(&dir.join("d.csv"))])["metrics"]["data"], own, "{keep}");
        let (_, said) = ends(&catlearn(&["eval", text(&run), "--data", text(&dir.join("d.csv"))]), 0);
        assert!(said.contains("2 of 6 rows are left out by `keep`"), "{said}");
    }
    let run = run("in [\"a\", \"b\"]");
    fs::write(dir.join("none.csv"), "x,y,kind\n1,2,c\n").unwrap();
    let (_, said) = ends(&catlearn(&["eval", text(&run), "--data", text(&dir.join("none.csv"))]), 1);
    assert!(said.contains("`keep` leaves none of the 1 rows"), "{said}");
    // Bare rows: the flag that reads them is named, and reads them.
    let bare = dir.join("bare.csv");
    fs::write(&bare, rows).unwrap();
    let all = evaluated(&run, &["--data", text(&dir.join("d.csv"))]);
    assert_eq!(evaluated(&run, &["--data", text(&bare), "--no-header"])["metrics"], all["metrics"]);
    let (_, said) = ends(&piped(&["-q", "predict", text(&run)], b"1,2\n3,4\n"), 1);
    assert!(said.contains("begin with the line `x,y`, or read rows without it by `--no-header`"), "{said}");
    ends(&catlearn(&["eval", text(&run), "--no-header"]), 2);
}

#[test]
fn folds_are_measured_together_and_predict_one_by_one() {
    let dir = folder("past-folds");
    let program = dir.join("p.lens");
    fs::write(
        &program,
        "data p { source = inline([[1, 2], [2, 4], [3, 6], [4, 8], [5, 10], [6, 13]]), input = columns(0) >> standardise,\n\
         target = columns(1) >> standardise, split = kfold(3) }\n\
         model lin : R[1] -> R[1] = dense[1, 1]\n\
         train t { data = p, model = lin, loss = mse, optimiser = gd(lr = 0.1), batch = all, steps = 200, seed = 1 }\n",
    )
    .unwrap();
    let run = dir.join("run");
    let args = ["train", text(&program), "--out", text(&run), "--format", "json"];
    let trained: Value = serde_json::from_str(&ends(&catlearn(&args), 0).0).unwrap();
    assert_eq!(evaluated(&run, &[])["metrics"], trained["metrics"]);
    let (_, said) = ends(&piped(&["predict", text(&run)], b"7\n"), 1);
    assert!(said.contains("a run of 3 folds has 3 models") && said.contains("fold-0"), "{said}");
    assert!(!ends(&catlearn(&["eval", text(&run)]), 0).1.contains("warning"));
    for fold in 0..3 {
        let one = run.join(format!("fold-{fold}"));
        // In the units of the file, though the target is standardised.
        let (said, _) = ends(&piped(&["-q", "predict", text(&one)], b"7\n"), 0);
        let value: f64 = said.strip_prefix("prediction\n").unwrap().trim().parse().unwrap();
        assert!((13.0..16.5).contains(&value), "{said}");
    }
    // What an interruption leaves: the folds that are not there are named, the others count.
    fs::remove_dir_all(run.join("fold-1")).unwrap();
    let (said, noted) = ends(&catlearn(&["eval", text(&run)]), 0);
    assert!(said.contains("loss ") && noted.contains("fold 1 of 3 has no state yet"), "{said}{noted}");
    assert!(noted.contains("go on with `catlearn train --resume"), "{noted}");
    for fold in [0, 2] {
        fs::remove_dir_all(run.join(format!("fold-{fold}"))).unwrap();
    }
    let (_, said) = ends(&catlearn(&["eval", text(&run)]), 1);
    assert!(said.contains("no fold of this run has a state yet"), "{said}");
}

#[test]
fn circuits_predict_bits_votes_and_classes() {
    let dir = folder("past-bits");
    let program = dir.join("p.lens");
    fs::write(
        &program,
        "data odd { source = truth_table(4, popcount(x) & 1) }\n\
         data named { source = csv(\"d.csv\", header = true), input = columns(\"a\", \"b\") >> bits, target = column(\"c\") >> class[2] >> bits }\n\
         model one : Bool[4] -> Bool[1] = lut[4]\n\
         model two : Bool[2] -> Bool[1] = lut[2]\n\
         train parity { data = odd, model = one, loss = xor_error, optimiser = rda, batch = 1, epochs = 1, seed = 1 }\n\
         train words { data = named, model = two, loss = xor_error, optimiser = rda, batch = 1, epochs = 1, seed = 1 }\n",
    )
    .unwrap();
    fs::write(dir.join("d.csv"), "a,b,c\n0,0,no\n0,1,yes\n1,0,yes\n1,1,no\n").unwrap();
    let run = |name: &str| {
        let out = dir.join(name);
        ends(&catlearn(&["-q", "train", &format!("{}:{name}", text(&program)), "--out", text(&out)]), 0);
        out
    };
    let (said, _) = ends(&piped(&["-q", "predict", text(&run("parity"))], b"1,0,0,0\n1,1,0,0\n1,1,1,0\n"), 0);
    assert_eq!(said, "prediction\n1\n0\n1\n");
    let (said, _) = ends(&piped(&["-q", "predict", text(&run("words")), "--keep"], b"b,a\n1,0\n1,1\n"), 0);
    assert_eq!(said, "b,a,prediction\n1,0,yes\n1,1,no\n");
}

#[test]
fn imports_are_kept_with_the_run() {
    let dir = folder("past-imports");
    fs::write(dir.join("parts.lens"), "model lin : R[1] -> R[1] = dense[1, 1]\n").unwrap();
    fs::write(
        dir.join("p.lens"),
        "import \"parts.lens\"\n\
         data p { source = inline([[1, 2], [2, 4]]), input = columns(0), target = columns(1) }\n\
         train t { data = p, model = lin, loss = mse, optimiser = gd(lr = 0.1), steps = 3, seed = 1 }\n",
    )
    .unwrap();
    let run = dir.join("run");
    ends(&catlearn(&["train", text(&dir.join("p.lens")), "--out", text(&run)]), 0);
    let before = ends(&piped(&["predict", text(&run)], b"7\n"), 0).0;
    fs::write(dir.join("parts.lens"), "model lin : R[1] -> R[1] = dense[1, 1] >> relu\n").unwrap();
    assert_eq!(ends(&piped(&["predict", text(&run)], b"7\n"), 0).0, before);
    fs::remove_file(dir.join("parts.lens")).unwrap();
    assert_eq!(ends(&piped(&["predict", text(&run)], b"7\n"), 0).0, before);
}

#[test]
fn a_run_without_a_best_state_yet_is_looked_at_in_its_last() {
    let (_, run, _) = iris("no-best", &["--set", "select=best(train.accuracy)"]);
    fs::remove_file(run.join("checkpoint/best.safetensors")).unwrap();
    assert_eq!(evaluated(&run, &[])["state"], "last");
    let (_, said) = ends(&catlearn(&["eval", text(&run), "--state", "best"]), 1);
    assert!(said.contains("E0802") && said.contains("best.safetensors"), "{said}");
}

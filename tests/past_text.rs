//! `predict` of runs over a text: the next character, a continuation, and what a short text is worth.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests read files and the environment")]

mod commands;

use commands::{catlearn, ends, folder, piped, text};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Runs over windows of 4 of a text of three letters that follow each other, `c` twice.
const PROGRAM: &str = "\
data four { source = text(\"t.txt\", window = 4), input = ids, target = onehot }
data one { source = text(\"t.txt\", window = 4), input = onehot, target = columns(7) >> onehot[3] }
data other { source = text(\"t.txt\", window = 4), input = ids, target = columns(5) >> onehot[3] }
model causal : Fin[3][4] -> R[4, 3] (x) { map[4](linear[3, 3])(embed[3, 3](x)) }
model whole : Fin[3][4] -> R[4, 3] (x) { reshape[4, 3](dense[12, 12](reshape[12](embed[3, 3](x)))) }
model only : R[4, 3] -> R[3] = reshape[12] >> dense[12, 3]
model second : Fin[3][4] -> R[3] (x) { dense[12, 3](reshape[12](embed[3, 3](x))) }
train each { data = four, model = causal, loss = softmax_cross_entropy, optimiser = adam(lr = 0.05), epochs = 8, seed = 1 }
train seen { data = four, model = whole, loss = softmax_cross_entropy, optimiser = adam(lr = 0.05), epochs = 8, seed = 1 }
train last { data = one, model = only, loss = mse, optimiser = adam(lr = 0.05), epochs = 8, seed = 1, precision = f64 }
train mid { data = other, model = second, loss = mse, optimiser = adam(lr = 0.05), epochs = 8, seed = 1 }
";

fn trained(dir: &Path, name: &str) -> PathBuf {
    fs::write(dir.join("p.lens"), PROGRAM).unwrap();
    fs::write(dir.join("t.txt"), "abc".repeat(60)).unwrap();
    let out = dir.join(name);
    ends(&catlearn(&["-q", "train", &format!("{}:{name}", text(&dir.join("p.lens"))), "--out", text(&out)]), 0);
    out
}

fn predicted(run: &Path, more: &[&str], input: &str) -> String {
    ends(&piped(&[&["-q", "predict", text(run)], more].concat(), input.as_bytes()), 0).0
}

fn refused(run: &Path, more: &[&str], input: &[u8], code: i32) -> String {
    let (out, said) = ends(&piped(&[&["-q", "predict", text(run)], more].concat(), input), code);
    assert!(out.is_empty(), "{out}");
    said
}

#[test]
fn a_text_goes_on_by_its_most_likely_characters() {
    let dir = folder("past-text");
    let run = trained(&dir, "each");
    // The folder suffices, though the text is gone.
    fs::remove_file(dir.join("t.txt")).unwrap();
    let said = predicted(&run, &[], "abcab");
    let (head, row) = said.split_once('\n').unwrap();
    assert_eq!(head, "prediction,probability");
    let share: f64 = row.strip_prefix("'c',").unwrap().trim().parse().unwrap();
    assert!(share > 0.5 && share < 1.0, "{said}");
    assert_eq!(predicted(&run, &["--steps", "7"], "abcab"), "cabcabc\n");
    assert_eq!(predicted(&run, &["--steps", "7", "--keep"], "abcab"), "abcabcabcabc\n");
    // What stands before the last window does not count, not even for its characters.
    assert_eq!(predicted(&run, &[], "??\u{e4}abcab"), said);
    // Every place of a causal model is trained to answer, so a short text has an answer, the same in another window.
    assert_eq!(predicted(&run, &[], "b"), said);
    assert_eq!(predicted(&run, &["--steps", "5"], "b"), "cabca\n");
    // A text from an editor ends with a line end that this run does not know.
    assert_eq!(predicted(&run, &[], "ab\r\n"), said);
    let file = dir.join("given.txt");
    fs::write(&file, "\u{feff}ab\n").unwrap();
    assert_eq!(ends(&catlearn(&["-q", "predict", text(&run), text(&file)]), 0).0, said);

    let all: Value = serde_json::from_str(&predicted(&run, &["--format", "json", "--keep"], "ab")).unwrap();
    assert_eq!((&all["text"], &all["prediction"]), (&Value::from("ab"), &Value::from("c")));
    assert_eq!(all["probability"]["c"].as_f64(), Some(share));
    assert_eq!(all["probability"].as_object().unwrap().len(), 3);
    let more: Value = serde_json::from_str(&predicted(&run, &["--format", "json", "--steps", "3"], "ab")).unwrap();
    assert_eq!(more["prediction"], "cab");
    assert_eq!((more["probability"][0].as_f64(), more["probability"].as_array().unwrap().len()), (Some(share), 3));

    let said = refused(&run, &[], "abx\u{e4}".as_bytes(), 1);
    let told = ["E0602", "2 characters that this run does not know", "stdin:1:3", "3 characters \"abc\""];
    assert!(told.iter().all(|part| said.contains(part)), "{said}");
    assert!(refused(&run, &[], b"", 1).contains("the text is empty"));
    assert!(refused(&run, &[], b"ab\xff", 1).contains("is not UTF-8 text"));
    assert!(refused(&run, &["--steps", "0"], b"ab", 2).contains("--steps"));
}

#[test]
fn a_short_text_has_an_answer_only_where_what_follows_does_not_matter() {
    let dir = folder("past-text-short");
    let seen = trained(&dir, "seen");
    assert_eq!(predicted(&seen, &["--steps", "4"], "abca"), "bcab\n");
    let said = refused(&seen, &[], b"ab", 1);
    assert!(said.contains("E0806") && said.contains("has 2 of the 4 characters"), "{said}");
    assert!(said.contains("give it 2 more in front"), "{said}");
    // A model that answers after whole windows only; its loss says nothing of probabilities.
    let last = trained(&dir, "last");
    assert!(predicted(&last, &[], "abca").starts_with("prediction,score\n'b',"));
    assert_eq!(predicted(&last, &["--steps", "4"], "abca"), "bcab\n");
    assert!(refused(&last, &[], b"abc", 1).contains("has 3 of the 4 characters"));
    // The character after the second one of a window is no continuation: such a run reads windows row by row.
    let mid = trained(&dir, "mid");
    let said = predicted(&mid, &[], "abcabc");
    assert!(said.starts_with("prediction,score.'a',score.'b',score.'c'\n'c',"), "{said}");
    assert_eq!(said.lines().count(), 3);
    let said = refused(&mid, &["--steps", "2"], b"abcab", 2);
    assert!(said.contains("E0805") && said.contains("does not predict the next character"), "{said}");
}

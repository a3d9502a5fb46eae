//! `catlearn fmt` as a whole command, and that formatting leaves every diagram as it was.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests read files and the environment")]

#[path = "support/programs.rs"]
mod programs;
#[path = "support/tokens.rs"]
mod tokens;
#[path = "support/typed.rs"]
mod typed;

use catlearn::elaborate::Program;
use catlearn::source::{Code, FileId, MemoryWorld};
use catlearn::syntax::{comments, format, parse, same_tree};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const UNTIDY: &str = "model  m:R[4]->R[3]=dense[4,8]>>tanh>>dense[8,3]   // one\r\n\r\n\r\n\r\ndim n=3";
const TIDY: &str = "model m : R[4] -> R[3] = dense[4, 8] >> tanh >> dense[8, 3]  // one\n\ndim n = 3\n";
const BROKEN: &str = "model  m : R[4] -> R[3] = dense [4, 3]\n";

fn fmt(args: &[&str], stdin: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_catlearn"))
        .arg("fmt")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that reads nothing may be gone already.
    let _closed = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

/// An empty folder under the target folder.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _absent = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

fn file(dir: &Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn out(o: &Output) -> String {
    String::from_utf8(o.stdout.clone()).unwrap()
}

fn err(o: &Output) -> String {
    String::from_utf8(o.stderr.clone()).unwrap()
}

fn names(dir: &Path) -> Vec<String> {
    let mut all: Vec<String> =
        fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    all.sort();
    all
}

#[test]
fn files_are_rewritten_when_they_change() {
    let dir = folder("fmt-in-place");
    let (untidy, tidy) = (file(&dir, "untidy.lens", UNTIDY), file(&dir, "tidy.lens", TIDY));
    let before = fs::metadata(&tidy).unwrap().modified().unwrap();
    let o = fmt(&[&untidy, &tidy], "");
    assert_eq!(o.status.code(), Some(0), "{}", err(&o));
    assert_eq!((out(&o), err(&o)), (String::new(), format!("{untidy}\n")));
    assert_eq!(fs::read_to_string(&untidy).unwrap(), TIDY);
    assert_eq!(fs::metadata(&tidy).unwrap().modified().unwrap(), before);
    assert_eq!(names(&dir), ["tidy.lens", "untidy.lens"], "nothing temporary is left");
    let again = fmt(&[&untidy, &tidy], "");
    assert_eq!((again.status.code(), err(&again)), (Some(0), String::new()));
}

#[test]
fn check_names_what_would_change() {
    let dir = folder("fmt-check");
    let (untidy, tidy) = (file(&dir, "untidy.lens", UNTIDY), file(&dir, "tidy.lens", TIDY));
    let o = fmt(&["--check", &untidy, &tidy], "");
    assert_eq!((o.status.code(), out(&o), err(&o)), (Some(1), format!("{untidy}\n"), String::new()));
    assert_eq!(fs::read_to_string(&untidy).unwrap(), UNTIDY);
    let o = fmt(&["--check", &tidy], "");
    assert_eq!((o.status.code(), out(&o), err(&o)), (Some(0), String::new(), String::new()));
}

#[test]
fn a_file_with_an_error_is_left_and_the_others_are_formatted() {
    let dir = folder("fmt-error");
    let (broken, untidy) = (file(&dir, "broken.lens", BROKEN), file(&dir, "untidy.lens", UNTIDY));
    let o = fmt(&[&broken, &untidy, "no/such/file.lens", dir.to_str().unwrap()], "");
    assert_eq!(o.status.code(), Some(1));
    assert!(out(&o).is_empty());
    for part in
        ["a bracket must touch the name", "broken.lens:1:33", "`no/such/file.lens` cannot be read", "is a folder"]
    {
        assert!(err(&o).contains(part), "{part}: {}", err(&o));
    }
    assert_eq!(fs::read_to_string(&broken).unwrap(), BROKEN);
    assert_eq!(fs::read_to_string(&untidy).unwrap(), TIDY);
    fs::write(dir.join("bytes.lens"), b"dim n = 3 \xff").unwrap();
    let bytes = dir.join("bytes.lens").to_str().unwrap().to_owned();
    assert_eq!(fmt(&[&bytes], "").status.code(), Some(1));
    assert_eq!(fs::read(&bytes).unwrap(), b"dim n = 3 \xff");
    assert_eq!(names(&dir), ["broken.lens", "bytes.lens", "untidy.lens"]);
}

#[test]
fn stdin_to_stdout() {
    let o = fmt(&["-"], UNTIDY);
    assert_eq!((o.status.code(), out(&o), err(&o)), (Some(0), TIDY.to_owned(), String::new()));
    let o = fmt(&["-"], "");
    assert_eq!((o.status.code(), out(&o)), (Some(0), String::new()));
    let o = fmt(&["-", "--check"], UNTIDY);
    assert_eq!((o.status.code(), out(&o)), (Some(1), "-\n".to_owned()));
    let o = fmt(&["-", "--check"], TIDY);
    assert_eq!((o.status.code(), out(&o)), (Some(0), String::new()));
    let o = fmt(&["-"], BROKEN);
    assert_eq!((o.status.code(), out(&o)), (Some(1), String::new()));
    assert!(err(&o).contains("a bracket must touch"));
}

#[test]
fn wrong_use() {
    for args in [&[][..], &["--nosuchflag", "a.lens"], &["-", "examples/iris.lens"]] {
        let o = fmt(args, "");
        assert_eq!(o.status.code(), Some(2), "{args:?} {}", err(&o));
        assert!(out(&o).is_empty());
    }
}

#[cfg(unix)]
#[test]
fn links_and_permissions_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let dir = folder("fmt-link");
    let real = file(&dir, "real.lens", UNTIDY);
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    let link = dir.join("link.lens");
    symlink("real.lens", &link).unwrap();
    let o = fmt(&[link.to_str().unwrap()], "");
    assert_eq!(o.status.code(), Some(0), "{}", err(&o));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&real).unwrap(), TIDY);
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    // A file that may only be read is not replaced behind its owner's back.
    fs::write(&real, UNTIDY).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o440)).unwrap();
    let o = fmt(&[&real], "");
    assert_eq!(o.status.code(), Some(2), "{}", err(&o));
    assert_eq!(fs::read_to_string(&real).unwrap(), UNTIDY);
    assert_eq!(names(&dir), ["link.lens", "real.lens"]);
}

/// Everything that a program elaborates to, as text; messages without their places.
fn meaning(text: &str) -> Vec<String> {
    let program = match Program::parse(text, "t.lens", &MemoryWorld::default()) {
        Ok(program) => program,
        Err((said, _)) => return vec![said.to_string()],
    };
    let mut said = program.check();
    // How a text is laid out is warned of too, and is what formatting mends.
    said.0.retain(|d| d.code >= Code(200));
    let mut found = vec![said.to_string()];
    for item in program.items() {
        // Its type is shown as written; that the trees are the same holds it.
        found.push(format!("{} {} {:?} {:?}", item.word, item.name, item.parameters, item.operations));
        match program.model(&item.name) {
            Ok(model) => found.push(model.diagram.to_string()),
            Err(said) => found.push(said.to_string()),
        }
    }
    for name in program.trainings() {
        match program.training(&name) {
            Ok(mut training) => {
                // The settings are kept as written too.
                training.resolved.iter_mut().for_each(|(_, text)| *text = words(text));
                found.push(without_spans(&format!("{training:?}")));
            }
            Err(said) => found.push(said.to_string()),
        }
    }
    found
}

/// A text as written without what formatting may change: blanks, comments, a comma at the end.
fn words(text: &str) -> String {
    let words = text.lines().flat_map(|l| l.split("//").next().unwrap_or("").split_whitespace());
    words.collect::<String>().replace(",)", ")").replace(",]", "]").replace(",}", "}")
}

/// A debug form without `Span { .. }`.
fn without_spans(text: &str) -> String {
    let mut parts = text.split("Span {");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |all, part| all + part.split_once('}').map_or(part, |(_, rest)| rest))
}

#[test]
fn diagrams_and_trainings_are_the_same() {
    let mut texts: Vec<(String, String)> = Vec::new();
    for folder in ["examples", "tests/lens", "examples/papers/categorical_foundations", "src/prelude"] {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "lens") {
                texts.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    for page in ["README.md", "docs/language.md", "docs/formatting.md"] {
        let text = fs::read_to_string(page).unwrap();
        for block in text.split("```lens\n").skip(1) {
            texts.push((page.to_owned(), block.split("\n```").next().unwrap().to_owned()));
        }
    }
    let mut models = 0;
    for (name, text) in texts {
        let wanted = meaning(&text);
        let tidy = format(&text).unwrap_or_else(|said| panic!("{name}: {said}"));
        assert_eq!(meaning(&tidy), wanted, "{name}");
        // Without the line breaks of its brackets the same program comes to other lines.
        let packed = format(&text.replace("(\n", "( ").replace("[\n", "[ ")).unwrap();
        assert_eq!(meaning(&packed), wanted, "{name}");
        models += wanted.len();
    }
    assert!(models > 100, "{models}");
}

/// Programs at random over the whole language, each of which checks: their trees, comments and diagrams stay.
#[test]
fn random_programs_mean_the_same() {
    let rounds = std::env::var("CATLEARN_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(200);
    let mut models = 0;
    for seed in 0..rounds {
        let text = typed::program(seed);
        let program = Program::parse(&text, "t.lens", &MemoryWorld::default())
            .unwrap_or_else(|(said, _)| panic!("program {seed}: {said}\n{text}"));
        let said = program.check();
        assert!(!said.has_errors(), "program {seed}: {said}\n{text}");
        let tidy = format(&text).unwrap_or_else(|said| panic!("program {seed}: {said}\n{text}"));
        assert!(same_tree(&parse(FileId(0), &text).0, &parse(FileId(0), &tidy).0), "program {seed}\n{text}\n{tidy}");
        assert_eq!(comments(&text), comments(&tidy), "program {seed}");
        assert_eq!(format(&tidy).unwrap(), tidy, "program {seed}");
        let wanted = meaning(&text);
        assert_eq!(meaning(&tidy), wanted, "program {seed}\n{text}\n{tidy}");
        models += wanted.len();
    }
    assert!(models > rounds as usize * 10, "{models}");
}

//! Whole data sets: from a tree built by hand to examples (`load`, `bits`, `arrays`, `text`, `drawn`), and every
//! error on the way (`errors`).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used, reason = "tests")]

mod arrays;
mod bits;
mod drawn;
mod errors;
mod load;
mod text;

use super::*;
use crate::diagram::{Builder, Diagram, Role};
use crate::object::Leaf;
use crate::source::{Code, Diagnostic, Diagnostics, FileId, MemoryWorld, Span};
use crate::syntax::ast::{Arg, ArgValue, CompareOp, Expr, ExprKind, Field, Group, GroupKind, Ident, RecordItem};

const IRIS: &[u8] = include_bytes!("../../../examples/data/iris.csv");
const DIGITS: &[u8] = include_bytes!("../../../examples/data/digits.csv.gz");

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
/// Numbers as they stand; a formula gives the first bit.
struct Plain;
impl Meaning for Plain {
    fn number(&self, expr: &Expr) -> Result<f64, Diagnostic> {
        match &expr.kind {
            ExprKind::Number(n) => Ok(*n),
            _ => Err(Diagnostic::error(Code::BAD_NUMBER, "not a number").at(expr.span, "")),
        }
    }
    fn formula(&self, _: &Expr, wires: usize) -> Result<Diagram, Diagnostics> {
        let mut b = Builder::new();
        let x = b.port("x", Role::Input, Leaf::new(crate::object::Base::Bool, &[wires as u64]));
        Ok(b.finish(&[x]))
    }
}
/// A machine that knows one diagram: the identity.
fn identity(_: &Diagram, _: usize, bits: Vec<bool>) -> Result<Vec<f64>, String> {
    Ok(bits.into_iter().map(f64::from).collect())
}
fn spec(fields: Vec<(&str, Expr)>) -> Result<DataSpec, Diagnostics> {
    describe(&data(fields), &Plain)
}
fn run(fields: Vec<(&str, Expr)>, files: &[(&str, &[u8])]) -> Result<Dataset, Diagnostics> {
    let world = files.iter().fold(MemoryWorld::default(), |w, (n, b)| w.with(*n, *b));
    load(&spec(fields)?, "set.lens", &world, 42, &identity)
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
fn reals(column: &Column) -> Vec<f64> {
    column.reals().unwrap_or_else(|| panic!("not real: {column:?}")).collect()
}
fn bits(column: &Column) -> String {
    let Values::Bool(values) = &column.values else { panic!("not bits: {column:?}") };
    let rows: Vec<String> = values
        .chunks(column.size().max(1))
        .map(|row| row.iter().map(|bit| if *bit { '1' } else { '0' }).collect())
        .collect();
    rows.join(" ")
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

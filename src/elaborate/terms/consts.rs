//! Constant tensors: numbers, nested lists, names of consts, `eye[n]`, `zeros[..]`, `ones[..]`, csv files.

use crate::elaborate::session::Elab;
use crate::elaborate::typing::dims::{Vars, entries_of};
use crate::elaborate::value::{Env, Res, Value, fault};
use crate::object::Leaf;
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::{Arg, ArgValue, ConstDecl, Expr, ExprKind, Group, GroupKind, ItemKind};

/// A shape and its entries, row-major; a plain number has no shape.
type Entries = (Vec<u64>, Vec<f64>);

/// How many numbers a constant may have: each is kept, unlike those of a wire `zeros[n]`.
const MOST: u64 = 1 << 24;

/// The number of entries of a constant that is written out, if it is not too large.
pub(super) fn written_out(dims: &[u64], span: Span) -> Res<usize> {
    let entries = entries_of(dims);
    match entries.filter(|n| *n <= MOST).and_then(|n| usize::try_from(n).ok()) {
        Some(n) => Ok(n),
        None => {
            let shown = entries.map_or_else(|| "more than 2^64".to_owned(), |n| n.to_string());
            fault(
                Diagnostic::error(Code::LIMIT, format!("a constant of {shown} numbers"))
                    .at(span, format!("the limit is {MOST}"))
                    .help("a constant wire that is the same everywhere is `zeros[..]` or `ones[..]` in a body"),
            )
        }
    }
}

/// Refuses entries that the declared type has not.
fn held(decl: &ConstDecl, leaf: &Leaf, entries: &[f64]) -> Res<()> {
    let Some(x) = entries.iter().find(|x| !leaf.base.holds(**x)) else { return Ok(()) };
    let of = leaf.base.plural();
    fault(
        Diagnostic::error(Code::CONSTANT, format!("`{}` is made of {of}, {x} is none", decl.name.name))
            .at(decl.value.span, leaf.base.entries())
            .also(decl.ty.span, format!("declared {leaf}"))
            .help("change that entry, or the type"),
    )
}

/// The entries of an n by n matrix with c above the diagonal, 0 elsewhere.
pub(super) fn upper(n: u64, c: f64) -> Vec<f64> {
    (0..n * n).map(|at| if at % n > at / n { c } else { 0.0 }).collect()
}

impl<'p> Elab<'p> {
    /// The leaf and the entries of a `const`.
    pub(crate) fn const_item(&mut self, decl: &'p ConstDecl, env: &Env<'p>) -> Res<(Leaf, Vec<f64>)> {
        let ty = self.ty(&decl.ty, env)?;
        let leaf = self.leaf_of(&ty, &Vars::default())?;
        let dims = leaf.literal_dims().unwrap_or_default();
        let (shape, entries) = match (self.triangle(&decl.value, &leaf, env)?, self.of_file(decl, &dims)?) {
            (Some(entries), _) => (dims.clone(), entries),
            (None, Some(found)) => found,
            (None, None) => self.const_tensor(&decl.value, env)?,
        };
        if shape.is_empty() {
            let x = entries.first().copied().unwrap_or(0.0);
            let count = written_out(&dims, decl.ty.span)?;
            held(decl, &leaf, &entries)?;
            return Ok((leaf.clone(), vec![x; count]));
        }
        if shape != dims {
            let given = Leaf::real(&shape);
            return fault(
                Diagnostic::error(
                    Code::CONSTANT,
                    format!("`{}` is declared {leaf} and given as {given}", decl.name.name),
                )
                .at(decl.value.span, format!("this is {given}"))
                .also(decl.ty.span, format!("declared {leaf}"))
                .help(format!("declare it `{} : {given}`, or give the entries of {leaf}", decl.name.name)),
            );
        }
        held(decl, &leaf, &entries)?;
        Ok((leaf, entries))
    }

    /// What the file of a const holds; a single row or column is a vector where the const declares one.
    fn of_file(&mut self, decl: &ConstDecl, dims: &[u64]) -> Res<Option<Entries>> {
        match self.defs.matrices.get(&decl.value.span) {
            None => Ok(None),
            Some(Ok((shape, entries))) => {
                let vector = matches!((shape, dims), ([1, n] | [n, 1], [m]) if n == m);
                Ok(Some((if vector { dims.to_vec() } else { shape.to_vec() }, entries.clone())))
            }
            Some(Err(said)) => {
                said.0.iter().for_each(|d| self.diagnostics.push(d.clone()));
                Err(None)
            }
        }
    }

    /// `upper_triangle(c)` of the size that the const declares.
    fn triangle(&mut self, e: &'p Expr, leaf: &Leaf, env: &Env<'p>) -> Res<Option<Vec<f64>>> {
        let ExprKind::Apply(head, groups) = &e.kind else { return Ok(None) };
        let named = matches!(&head.kind, ExprKind::Path(p) if matches!(p.as_slice(), [n]
            if &*n.name == "upper_triangle" && self.resolve_path(p, env).is_none()));
        let (true, [Group { kind: GroupKind::Args, args, .. }]) = (named, groups.as_slice()) else { return Ok(None) };
        let dims = leaf.literal_dims().unwrap_or_default();
        let ([n, m], [Arg { name: None, value: ArgValue::Expr(c), .. }]) = (dims.as_slice(), args.as_slice()) else {
            let d =
                Diagnostic::error(Code::CONSTANT, "`upper_triangle(c)` is a square matrix, with c above the diagonal");
            return fault(
                d.at(e.span, format!("declared {leaf}"))
                    .help("declare it R[n, n] and give one number: `upper_triangle(1)`"),
            );
        };
        if n != m {
            let d = Diagnostic::error(Code::CONSTANT, format!("`upper_triangle(c)` is a square matrix, not {leaf}"));
            return fault(d.at(e.span, format!("declared {leaf}")).help("declare it R[n, n]"));
        }
        written_out(&dims, e.span)?;
        let c = self.number(c, env)?;
        Ok(Some(upper(*n, c)))
    }

    /// The const that an expression names, with its file.
    pub(crate) fn const_named(&self, e: &'p Expr, env: &Env<'p>) -> Option<(&'p ConstDecl, usize)> {
        let ExprKind::Path(path) = &e.kind else { return None };
        if path.first().is_some_and(|n| path.len() == 1 && env.get(&n.name).is_some()) {
            return None;
        }
        let id = self.resolve_path(path, env)?;
        match self.defs.item(id).map(|i| &i.kind) {
            Some(ItemKind::Const(decl)) => Some((decl, id.file)),
            _ => None,
        }
    }

    /// The entries of a constant expression.
    pub(crate) fn const_tensor(&mut self, e: &'p Expr, env: &Env<'p>) -> Res<Entries> {
        self.deeper(e.span, |elab| elab.const_tensor_here(e, env))
    }

    fn const_tensor_here(&mut self, e: &'p Expr, env: &Env<'p>) -> Res<Entries> {
        match &e.kind {
            ExprKind::List(args) => {
                let mut shape: Option<Vec<u64>> = None;
                let mut entries = Vec::new();
                for arg in args {
                    let ArgValue::Expr(item) = &arg.value else {
                        return fault(
                            Diagnostic::error(Code::CONSTANT, "a range is not a number")
                                .at(arg.span, "a range")
                                .help("write each number"),
                        );
                    };
                    let (inner, mut values) = self.const_tensor(item, env)?;
                    match &shape {
                        Some(known) if *known != inner => {
                            let show =
                                |s: &[u64]| if s.is_empty() { "a number".into() } else { Leaf::real(s).to_string() };
                            return fault(
                                Diagnostic::error(Code::CONSTANT, "the rows of this list differ in shape")
                                    .at(item.span, format!("this is {}", show(&inner)))
                                    .also(e.span, format!("the first is {}", show(known)))
                                    .help("give every row as many entries"),
                            );
                        }
                        _ => shape = Some(inner),
                    }
                    entries.append(&mut values);
                }
                let inner = shape.unwrap_or_default();
                if args.is_empty() {
                    return fault(
                        Diagnostic::error(Code::CONSTANT, "an empty list has no shape")
                            .at(e.span, "nothing in it")
                            .help("write its entries, or `zeros[n]`"),
                    );
                }
                Ok((std::iter::once(args.len() as u64).chain(inner).collect(), entries))
            }
            ExprKind::Path(path) => {
                let local = path.first().is_some_and(|n| path.len() == 1 && env.get(&n.name).is_some());
                let found = if local { None } else { self.resolve_path(path, env) };
                if let Some(id) = found
                    && let Some(ItemKind::Const(decl)) = self.defs.item(id).map(|i| &i.kind)
                {
                    let outside = self.root(id.file);
                    let (leaf, entries) = self.const_item(decl, &outside)?;
                    return Ok((leaf.literal_dims().unwrap_or_default(), entries));
                }
                self.number(e, env).map(|x| (Vec::new(), vec![x]))
            }
            ExprKind::Apply(head, groups) => {
                let name = match &head.kind {
                    ExprKind::Path(path) if path.len() == 1 => path.first().map(|n| n.name.clone()),
                    _ => None,
                };
                if let (Some(name), [group]) = (&name, groups.as_slice())
                    && matches!(&**name, "eye" | "zeros" | "ones")
                {
                    let mut dims = Vec::new();
                    for arg in &group.args {
                        if let ArgValue::Expr(d) = &arg.value {
                            dims.push(self.dim(d, env)?);
                        }
                    }
                    let total = written_out(&dims, e.span)?;
                    return Ok(match (&**name, dims.as_slice()) {
                        ("eye", [n]) => {
                            let n = *n;
                            written_out(&[n, n], e.span)?;
                            let entries = (0..n * n).map(|i| if i / n == i % n { 1.0 } else { 0.0 }).collect();
                            (vec![n, n], entries)
                        }
                        ("eye", _) => {
                            return fault(
                                Diagnostic::error(Code::DIMENSION, "`eye` takes one number")
                                    .at(e.span, "one number")
                                    .help("write `eye[3]` for the 3 x 3 identity"),
                            );
                        }
                        ("ones", _) => (dims, vec![1.0; total]),
                        _ => (dims, vec![0.0; total]),
                    });
                }
                match name.as_deref() {
                    Some("csv") => fault(
                        Diagnostic::error(Code::CONSTANT, "a file is a constant of its own")
                            .at(e.span, "within another expression")
                            .help("give it a name: `const H : R[2, 2] = csv(\"H.csv\")`"),
                    ),
                    _ => self.number(e, env).map(|x| (Vec::new(), vec![x])),
                }
            }
            ExprKind::Negate(inner) => {
                let (shape, entries) = self.const_tensor(inner, env)?;
                Ok((shape, entries.into_iter().map(|x| -x).collect()))
            }
            _ => match self.wire(e, env)? {
                Value::Number(x) => Ok((Vec::new(), vec![x])),
                Value::Poison => Err(None),
                other => fault(
                    Diagnostic::error(Code::CONSTANT, "a constant cannot be worked out from tensors")
                        .at(e.span, format!("this is {}", self.show(&other)))
                        .help("a constant is a number, a list of numbers, another const, eye[n], zeros[..], ones[..]"),
                ),
            },
        }
    }
}

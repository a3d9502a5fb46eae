//! Maps of maps that the language knows itself: `stack`, `iterate`, `parallel`, `map`, `scan`.
//!
//! In: a map passed in and what arrives. Out: what its copies give. `stack` and `parallel` have parameters for each copy,
//! the others one set. `map` elaborates its map once, on a row that stands for all, and takes that over the rows;
//! `scan`, like `stack` and `iterate`, is unrolled.

use crate::diagram::{AffineIndex, Op, Wire};
use crate::elaborate::items::prims::rebuild;
use crate::elaborate::session::Elab;
use crate::elaborate::terms::after::After;
use crate::elaborate::terms::apply::{Arriving, Call};
use crate::elaborate::value::{Closure, Env, Res, Value, fault};
use crate::object::{Dim, Leaf};
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::{ArgValue, Expr, ExprKind, Ident};
use std::rc::Rc;
use std::sync::Arc;

/// How many copies one call may make.
const COPIES: u64 = 100_000;

/// An axis of rows that a map is taken over: each bound row with the wire that holds all of them.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) axis: Dim,
    pub(crate) bound: Vec<(Wire, Wire)>,
}

/// A call of a map of maps, taken apart.
struct Copies<'p> {
    name: &'p Ident,
    span: Span,
    /// How many, if its brackets say it; `_` leaves it to what arrives.
    k: Option<u64>,
    map: &'p Expr,
    prefix: String,
    owns: bool,
}

impl<'p> Elab<'p> {
    /// Applies `stack[k](f)`, `iterate[k](f)`, `parallel[k](f)`, `map[k](f)` or `scan[k](cell)`.
    pub(crate) fn map_of_map(
        &mut self,
        name: &'p Ident,
        call: &Call<'p>,
        env: &Env<'p>,
        input: Arriving,
    ) -> Res<Value> {
        let copies = self.copies(name, call, env)?;
        let own = |place: String| {
            let closure = Closure { expr: copies.map, env: env.clone(), prefix: place, owns: copies.owns };
            Rc::new(closure)
        };
        let prefix = &copies.prefix;
        let after = match (&*name.name, copies.k) {
            ("map" | "scan" | "parallel", _) | (_, None) => Some(After::Open),
            (_, Some(1)) => None,
            _ => Some(After::Same(input.value.clone())),
        };
        let made = |elab: &mut Self| match &*name.name {
            "map" => elab.map_rows(&copies, &own(format!("{prefix}.f")), input),
            "scan" => elab.scan(&copies, &own(format!("{prefix}.cell")), input),
            "parallel" => {
                let k = elab.copies_made(&copies, &input.value)?;
                let rows = elab.rows_of(&input.value, k, &copies)?;
                let from = input.from;
                let made = elab.each_copy(k, copies.span, rows, |elab, copy, row| {
                    let row = Arriving { value: row, from };
                    elab.apply_closure(&own(format!("{prefix}.{copy}")), row)
                })?;
                elab.joined(made, copies.span)
            }
            name => {
                let k = elab.copies_made(&copies, &Value::Poison)?;
                let mut arriving = input;
                elab.each_copy(k, copies.span, vec![Value::Poison; entries(k)], |elab, copy, _| {
                    let place = if name == "stack" { format!("{prefix}.{copy}") } else { format!("{prefix}.f") };
                    arriving.value = elab.apply_closure(&own(place), arriving.clone())?;
                    arriving.from = Some(copies.map.span);
                    Ok(Value::Poison)
                })?;
                Ok(arriving.value)
            }
        };
        match after {
            Some(after) => self.before(after, made),
            None => made(self),
        }
    }

    fn copies(&mut self, name: &'p Ident, call: &Call<'p>, env: &Env<'p>) -> Res<Copies<'p>> {
        let map = match call.settings.as_slice() {
            [only] if only.name.is_none() => match &only.value {
                ArgValue::Expr(e) => Some(e),
                ArgValue::Range(..) => None,
            },
            _ => None,
        };
        let dims = call.dims.map_or(&[][..], |g| g.args.as_slice());
        let (Some(map), [dim]) = (map, dims) else {
            let what = if &*name.name == "scan" { "cell" } else { "f" };
            return fault(
                Diagnostic::error(Code::MAP_ARGUMENT, format!("`{0}` is written {0}[k]({what})", name.name))
                    .at(call.span, "a number and a map are needed")
                    .help("the number of copies stands in [ ], one map in ( )"),
            );
        };
        let hole = matches!(&dim.value, ArgValue::Expr(Expr { kind: ExprKind::Hole, .. }));
        let k = if hole { None } else { self.dims_given(call, env)?.first().copied() };
        let owns = self.owns_expr(map, env, &[]);
        let prefix = match &call.prefix {
            Some(prefix) => prefix.clone(),
            None if owns => env.place.next(),
            None => env.place.prefix.clone(),
        };
        Ok(Copies { name, span: call.span, k, map, prefix, owns })
    }

    /// How many copies there are: what the brackets say, or the first axis of what arrives.
    fn copies_made(&self, copies: &Copies<'p>, value: &Value) -> Res<u64> {
        let rows = |w: &Wire| self.b.leaf(*w).literal_dims().and_then(|d| d.first().copied());
        let mut first = value;
        while let Value::Tuple(parts) = first {
            let Some(part) = parts.first() else { break };
            first = part;
        }
        let arriving = if let Value::Wire(w) = first { rows(w) } else { None };
        match copies.k.or(arriving) {
            Some(k) if k > COPIES => fault(
                Diagnostic::error(Code::LIMIT, format!("{k} copies are more than this version allows"))
                    .at(copies.span, format!("the limit is {COPIES}"))
                    .help("make fewer copies"),
            ),
            Some(k) => Ok(k),
            None => fault(
                Diagnostic::error(
                    Code::DIMENSION,
                    format!("nothing says how many copies `{}` makes", copies.name.name),
                )
                .at(copies.span, "no rows arrive")
                .help(format!("write a number: `{}[3](..)`", copies.name.name)),
            ),
        }
    }

    /// Makes the copies one by one; refuses what cannot all be made as soon as the size of one is known.
    fn each_copy(
        &mut self,
        k: u64,
        span: Span,
        rows: Vec<Value>,
        mut copy: impl FnMut(&mut Self, u64, Value) -> Res<Value>,
    ) -> Res<Vec<Value>> {
        let mut before = self.b.len();
        let mut made = Vec::with_capacity(rows.len());
        for (at, row) in (0..k).zip(rows) {
            // The first copy may make more than the others: what they share.
            if at > 1 {
                self.room_for_copies(k - at, before, span)?;
            }
            before = self.b.len();
            made.push(copy(self, at, row)?);
        }
        Ok(made)
    }

    /// `map[k](f)`: f on each of k rows, its parameters shared. f is elaborated once, on bound wires.
    fn map_rows(&mut self, copies: &Copies<'p>, f: &Rc<Closure<'p>>, input: Arriving) -> Res<Value> {
        self.not_pointwise("map", copies.span)?;
        let k = self.copies_made(copies, &input.value)?;
        let mut bound = Vec::new();
        let row = self.bound_row(&input.value, k, copies, &mut bound)?;
        let from = input.from;
        self.rows.push(Rows { axis: Dim::lit(k), bound });
        let made = self.apply_closure(f, Arriving { value: row, from });
        let Some(rows) = self.rows.pop() else { return Err(None) };
        let made = made?;
        let mut wires = Vec::new();
        self.flatten(&made, copies.span, &mut wires)?;
        let lifted = match self.b.over_rows(&rows.bound, rows.axis, &wires) {
            Ok(lifted) => lifted,
            Err(f) => return self.typed(Err(f), "map", copies.span),
        };
        Ok(rebuild(&made, &mut lifted.into_iter()))
    }

    /// A bound wire for one row of every wire; `R[k]` has rows `R[1]`.
    fn bound_row(&mut self, value: &Value, k: u64, copies: &Copies<'p>, bound: &mut Vec<(Wire, Wire)>) -> Res<Value> {
        if let Value::Tuple(parts) = value {
            let parts = parts.iter().map(|v| self.bound_row(v, k, copies, bound)).collect::<Res<_>>()?;
            return Ok(Value::Tuple(parts));
        }
        let (all, leaf) = self.with_rows(value, k, copies)?;
        let row = self.b.variable(leaf);
        bound.push((row, all));
        Ok(Value::Wire(row))
    }

    /// A wire of k rows, and the leaf of one: none has rank 0, so that `R[k]` is seen as `R[k, 1]`.
    fn with_rows(&mut self, value: &Value, k: u64, copies: &Copies<'p>) -> Res<(Wire, Leaf)> {
        let (name, span) = (&copies.name.name, copies.span);
        let wire = match value {
            Value::Wire(w) => *w,
            Value::Poison => return Err(None),
            other => {
                let d = Diagnostic::error(Code::ROWS, format!("`{name}` runs over rows, this has none"));
                let d = d.at(span, format!("was given {}", self.show(other)));
                return fault(d.help("rows are the first axis of a wire: `R[k, ..]`"));
            }
        };
        let leaf = self.leaf(wire);
        if leaf.dims.first() != Some(&Dim::lit(k)) {
            return fault(
                Diagnostic::error(Code::ROWS, format!("`{name}[{k}]` runs over {k} rows, not over {leaf}"))
                    .at(span, format!("was given {leaf}"))
                    .help("the first axis counts the rows; `_` takes as many as arrive"),
            );
        }
        let mut row: Vec<Dim> = leaf.dims.iter().skip(1).copied().collect();
        if row.is_empty() {
            row.push(Dim::ONE);
        }
        let row = leaf.with_dims(row);
        let to = row.under(Dim::lit(k));
        let made = self.b.reshape_all(wire, &to.dims);
        Ok((self.typed(made, name, span)?, row))
    }

    /// The rows of a value, one by one.
    fn rows_of(&mut self, value: &Value, k: u64, copies: &Copies<'p>) -> Res<Vec<Value>> {
        if let Value::Tuple(parts) = value {
            let each = parts.iter().map(|v| self.rows_of(v, k, copies)).collect::<Res<Vec<_>>>()?;
            let mut rows = vec![Vec::new(); entries(k)];
            for part in each {
                rows.iter_mut().zip(part).for_each(|(row, v)| row.push(v));
            }
            return Ok(rows.into_iter().map(Value::Tuple).collect());
        }
        let (all, row) = self.with_rows(value, k, copies)?;
        let mut rows = Vec::with_capacity(entries(k));
        self.halves(all, &row, k, copies.span, &mut rows)?;
        Ok(rows)
    }

    /// Rows are taken by halves, so that their requests are added up over k log k rows, not over k^2.
    fn halves(&mut self, all: Wire, row: &Leaf, k: u64, span: Span, out: &mut Vec<Value>) -> Res<()> {
        if k == 1 {
            let made = self.b.reshape_all(all, &row.dims);
            out.push(Value::Wire(self.typed(made, "a row", span)?));
            return Ok(());
        }
        let axes = self.literal(all)?;
        for (start, len) in [(0, k / 2), (k / 2, k - k / 2)] {
            let made = self.b.op(Op::Index(Arc::new(AffineIndex::slice(&axes, start, len, 1))), &[all]);
            let half = self.typed(made, "a row", span)?;
            self.halves(half, row, len, span, out)?;
        }
        Ok(())
    }

    /// Rows of one form as one value of as many rows.
    fn joined(&mut self, rows: Vec<Value>, span: Span) -> Res<Value> {
        let mut flat: Vec<Vec<Wire>> = Vec::with_capacity(rows.len());
        for row in &rows {
            let mut wires = Vec::new();
            self.flatten(row, span, &mut wires)?;
            flat.push(wires);
        }
        let (Some(form), Some(first)) = (rows.first(), flat.first().cloned()) else { return Err(None) };
        let mut made = Vec::with_capacity(first.len());
        for (at, like) in first.iter().enumerate() {
            let leaf = self.leaf(*like).under(Dim::ONE);
            let mut parts = Vec::with_capacity(flat.len());
            for wires in &flat {
                let Some(wire) = wires.get(at) else { return Err(None) };
                let part = self.b.reshape_all(*wire, &leaf.dims);
                parts.push(self.typed(part, "a row", span)?);
            }
            let core = u8::try_from(leaf.rank()).unwrap_or(u8::MAX);
            let joined = self.b.op(Op::Concat { core }, &parts);
            made.push(self.typed(joined, "rows", span)?);
        }
        Ok(rebuild(form, &mut made.into_iter()))
    }

    /// `scan[k](cell)`: the cell along k rows, its state handed on, its parameters shared.
    fn scan(&mut self, copies: &Copies<'p>, cell: &Rc<Closure<'p>>, input: Arriving) -> Res<Value> {
        self.not_pointwise("scan", copies.span)?;
        let (state, sequence) = match input.value {
            Value::Tuple(mut parts) if parts.len() > 1 => {
                let Some(last) = parts.pop() else { return Err(None) };
                (parts, last)
            }
            other => {
                return fault(
                    Diagnostic::error(Code::ARITY, "`scan` takes a state and a sequence")
                        .at(copies.span, format!("was given {}", self.show(&other)))
                        .help("give both: `scan[k](cell)(s, x)`; `map[k](f)` runs over rows without a state"),
                );
            }
        };
        let k = self.copies_made(copies, &sequence)?;
        let rows = self.rows_of(&sequence, k, copies)?;
        let (map, from, n) = (copies.map.span, input.from, state.len());
        let mut state = Value::Tuple(state);
        let mut leaves = self.leaves_of(&state, copies.span)?;
        let made = self.each_copy(k, copies.span, rows, |elab, _, row| {
            let Value::Tuple(mut parts) = state.clone() else { return Err(None) };
            parts.push(row);
            let mut given = match elab.apply_closure(cell, Arriving { value: Value::Tuple(parts), from })? {
                Value::Tuple(given) if given.len() == n + 1 => given,
                other => {
                    return fault(
                        Diagnostic::error(Code::ARITY, "a cell gives its next state and an output")
                            .at(map, format!("gives {}", elab.show(&other)))
                            .help("its type is `(S, R[..a]) -> (S, R[..b])`"),
                    );
                }
            };
            let Some(out) = given.pop() else { return Err(None) };
            let next = Value::Tuple(given);
            let next_leaves = elab.leaves_of(&next, map)?;
            if next_leaves != leaves {
                let list = |l: &[Leaf]| l.iter().map(Leaf::to_string).collect::<Vec<_>>().join(", ");
                return fault(
                    Diagnostic::error(
                        Code::SHAPE,
                        format!("the state of a cell is {}, its next state is {}", list(&leaves), list(&next_leaves)),
                    )
                    .at(map, format!("gives the state {}", list(&next_leaves)))
                    .note(format!("the scan begins with {}", list(&leaves)))
                    .help("a state keeps its shape from row to row"),
                );
            }
            leaves = next_leaves;
            state = next;
            Ok(out)
        })?;
        let outputs = self.joined(made, copies.span)?;
        let Value::Tuple(mut parts) = state else { return Err(None) };
        parts.push(outputs);
        Ok(Value::Tuple(parts))
    }

    fn leaves_of(&mut self, value: &Value, span: Span) -> Res<Vec<Leaf>> {
        let mut wires = Vec::new();
        self.flatten(value, span, &mut wires)?;
        Ok(wires.into_iter().map(|w| self.leaf(w)).collect())
    }
}

/// A number of copies, below [`COPIES`], as a length.
fn entries(k: u64) -> usize {
    usize::try_from(k).unwrap_or(usize::MAX).min(COPIES as usize)
}

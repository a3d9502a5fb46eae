//! Maps side by side: `f * g`.

use crate::diagram::{AffineIndex, Op, Wire};
use crate::elaborate::session::Elab;
use crate::elaborate::terms::apply::Arriving;
use crate::elaborate::value::{Den, Env, Res, Value, fault};
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::{Expr, ExprKind, Group, Ident, ItemKind, ProductOp};
use std::sync::Arc;

impl<'p> Elab<'p> {
    /// `f * g` on what arrives: a product is taken apart; one vector is cut where the maps' types say, and the
    /// results are joined again.
    pub(crate) fn tensor(
        &mut self,
        first: &'p Expr,
        rest: &'p [(ProductOp, Span, Expr)],
        span: Span,
        env: &Env<'p>,
        input: Arriving,
    ) -> Res<Value> {
        let mut maps: Vec<&'p Expr> = vec![first];
        for (op, at, e) in rest {
            if *op != ProductOp::Times {
                return fault(
                    Diagnostic::error(Code::WRONG_KIND, "between maps only `*` (side by side) is defined")
                        .at(*at, "not defined between maps")
                        .help("compose with `>>`; two wires are joined in a body: `(x) { f(x) / g(x) }`"),
                );
            }
            maps.push(e);
        }
        let vector = match &input.value {
            Value::Wire(w) if self.b.leaf(*w).rank() == 1 => Some(*w),
            _ => None,
        };
        let parts: Vec<Value> = match (&input.value, vector) {
            (Value::Tuple(parts), _) if parts.len() == maps.len() => parts.clone(),
            (_, Some(w)) => self.cut(w, &maps, span, env)?,
            (other, _) => {
                return fault(
                    Diagnostic::error(
                        Code::ARITY,
                        format!("{} maps side by side for {}", maps.len(), self.show(other)),
                    )
                    .at(span, format!("{} maps", maps.len()))
                    .also(input.from.unwrap_or(span), self.show(other))
                    .help("put as many maps side by side as there are wires"),
                );
            }
        };
        let outs = maps
            .iter()
            .zip(parts)
            .map(|(m, value)| self.apply(m, env, Arriving { value, from: input.from }))
            .collect::<Res<Vec<_>>>()?;
        if vector.is_none() {
            return Ok(Value::Tuple(outs));
        }
        let wires: Option<Vec<Wire>> = outs
            .iter()
            .map(|v| match v {
                Value::Wire(w) if self.b.leaf(*w).rank() == 1 => Some(*w),
                _ => None,
            })
            .collect();
        match wires {
            Some(wires) => {
                let made = self.b.op(Op::Concat { core: 1 }, &wires);
                self.typed(made, "*", span).map(Value::Wire)
            }
            None => Ok(Value::Tuple(outs)),
        }
    }

    fn cut(&mut self, wire: Wire, maps: &[&'p Expr], span: Span, env: &Env<'p>) -> Res<Vec<Value>> {
        let total = self.b.leaf(wire).literal_dims().and_then(|d| d.first().copied()).unwrap_or(0);
        let sizes: Vec<Option<u64>> = maps.iter().map(|m| self.domain_size(m, env)).collect();
        let known: u64 = sizes.iter().flatten().sum();
        let open = sizes.iter().filter(|s| s.is_none()).count();
        let fits = (open == 0 && known == total) || (open == 1 && known < total);
        if !fits {
            let shown: Vec<String> = sizes.iter().map(|s| s.map_or("?".to_owned(), |n| n.to_string())).collect();
            return fault(
                Diagnostic::error(
                    Code::COMPOSE,
                    format!("{} cannot be cut into {}", self.b.leaf(wire), shown.join(" + ")),
                )
                .at(span, format!("takes {}", shown.join(" + ")))
                .help("the sizes of maps side by side must add up"),
            );
        }
        let mut at = 0;
        let mut parts = Vec::new();
        for size in sizes {
            let n = size.unwrap_or(total - known);
            let map = AffineIndex::slice(&[total], at, n, 1);
            let made = self.b.op(Op::Index(Arc::new(map)), &[wire]);
            parts.push(Value::Wire(self.typed(made, "*", span)?));
            at += n;
        }
        Ok(parts)
    }

    /// The size of the vector that a map takes, if its type tells before anything arrives.
    fn domain_size(&mut self, map: &'p Expr, env: &Env<'p>) -> Option<u64> {
        let (path, groups): (&'p [Ident], &'p [Group]) = match &map.kind {
            ExprKind::Path(path) => (path, &[]),
            ExprKind::Apply(head, groups) => match &head.kind {
                ExprKind::Path(path) => (path, groups),
                _ => return None,
            },
            ExprKind::Compose(list) => return self.domain_size(list.first()?, env),
            _ => return None,
        };
        if let [name] = path
            && let Some(Den::Map(closure)) = env.get(&name.name)
        {
            let closure = closure.clone();
            return self.domain_size(closure.expr, &closure.env);
        }
        let id = self.resolve_path(path, env)?;
        let (name, dims, arrow) = match &self.defs.item(id)?.kind {
            ItemKind::Map(m) => (&m.name, &m.dims, &m.arrow),
            ItemKind::Prim(p) => (&p.name, &p.dims, &p.arrow),
            _ => return None,
        };
        let call = self.brackets(groups, map.span).ok()?;
        let vars = self.call_dims(name, dims, &call, env).ok()?;
        let outside = self.root(id.file);
        let ty = self.ty(&arrow.from, &outside).ok()?;
        let leaf = self.leaf_of(&ty, &vars).ok()?;
        leaf.literal_dims().filter(|d| d.len() == 1).and_then(|d| d.first().copied())
    }
}

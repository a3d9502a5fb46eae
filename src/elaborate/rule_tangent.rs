//! What the requests of a rule are: reals, parity or votes, as its parameter and the type of its request say.

use super::session::Elab;
use super::stages::Part;
use super::types::{BaseTerm, Ty};
use super::value::{Env, Place, Res, fault};
use crate::object::{Base, Tangent};
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::{Expr, ExprKind, RuleBody, RuleItem, Statement, Type};

impl<'p> Elab<'p> {
    /// The base of the leaf that a type is, if it is one leaf.
    pub(crate) fn base_of(&mut self, ty: &'p Type, file: usize) -> Option<Base> {
        let env = Env::new(file, Place::new(""));
        match self.ty(ty, &env) {
            Ok(Ty::Leaf { base: BaseTerm::Plain(base), .. }) => Some(base),
            Ok(Ty::Leaf { .. }) => Some(Base::Fin(0)),
            _ => None,
        }
    }

    /// The tangent that one rule asks for: bits ask by parity, `put (g : Int[n])` asks for votes.
    pub(crate) fn tangent_of_rule(&mut self, item: &'p RuleItem, file: usize) -> Tangent {
        let bases: Vec<Base> = item.on.iter().filter_map(|on| self.base_of(&on.ty, file)).collect();
        let written: Vec<&'p Type> = match &item.body {
            RuleBody::Lens { put, .. } => put.0.patterns.iter().filter_map(|(_, ty)| ty.as_ref()).collect(),
            RuleBody::Step(block) => block
                .statements
                .iter()
                .filter_map(|s| match s {
                    Statement::Let(_, Some(ty), e, _) if asks(e) => Some(ty),
                    _ => None,
                })
                .collect(),
        };
        let votes = written.into_iter().any(|ty| self.base_of(ty, file) == Some(Base::Int));
        if votes || bases.contains(&Base::Int) {
            Tangent::Votes
        } else if bases.contains(&Base::Bool) {
            Tangent::Parity
        } else {
            Tangent::Real
        }
    }

    /// The one tangent of a run: all its rules must ask for requests of one kind.
    pub(crate) fn tangent_of_parts(&mut self, parts: &[Part<'p>]) -> Res<Tangent> {
        let mut known: Option<(Tangent, Span)> = None;
        for stage in parts.iter().filter(|p| !p.leaves.is_empty()).flat_map(|p| &p.stages) {
            let tangent = self.tangent_of_rule(stage.item, stage.def.file);
            match known {
                None => known = Some((tangent, stage.span)),
                Some((other, span)) if other != tangent => {
                    return fault(
                        Diagnostic::error(Code::NOT_YET, "a run whose rules ask for two kinds of requests")
                            .at(stage.span, format!("asks for {tangent}"))
                            .also(span, format!("asks for {other}"))
                            .help("train the real and the Boolean parameters in two runs"),
                    );
                }
                Some(_) => {}
            }
        }
        Ok(known.map_or(Tangent::Real, |(t, _)| t))
    }
}

fn asks(e: &Expr) -> bool {
    matches!(&e.kind, ExprKind::Apply(head, _)
        if matches!(&head.kind, ExprKind::Path(p) if matches!(p.as_slice(), [n] if &*n.name == "request")))
}

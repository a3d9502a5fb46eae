//! What the requests of a rule are: reals, parity or votes, as its parameter and the type of its request say.

use crate::elaborate::session::Elab;
use crate::elaborate::terms::stages::Part;
use crate::elaborate::typing::dims::Vars;
use crate::elaborate::typing::types::{BaseTerm, Ty};
use crate::elaborate::value::{Env, Place, Res, fault};
use crate::object::{Base, Leaf, Tangent};
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::{Expr, ExprKind, RuleBody, RuleItem, Statement, Type};
use std::sync::Arc;

impl<'p> Elab<'p> {
    /// The base of the leaf that a type is, if it is one leaf; labels of an open number are `Fin(0)`.
    pub(crate) fn base_of(&mut self, ty: &'p Type, file: usize) -> Option<Base> {
        let env = Env::new(file, Place::new(""));
        match self.ty(ty, &env) {
            Ok(Ty::Leaf { base: BaseTerm::Plain(base), .. }) => Some(base),
            Ok(Ty::Leaf { base: BaseTerm::Fin(n), env, .. }) => {
                let n = self.known_dim(&n, &env, &Vars::default()).unwrap_or(0);
                Some(Base::Fin(u32::try_from(n).unwrap_or(u32::MAX)))
            }
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
    ///
    /// Labels have no tangent, so that a part of labels alone asks for nothing.
    pub(crate) fn tangent_of_parts(&mut self, parts: &[Part<'p>], leaves: &[(Arc<str>, Leaf)]) -> Res<Tangent> {
        let mut known: Option<(Tangent, Span, usize)> = None;
        let asks = |l: &usize| leaves.get(*l).is_some_and(|(_, leaf)| !matches!(leaf.base, Base::Fin(_)));
        for (at, part) in parts.iter().enumerate().filter(|(_, p)| p.leaves.iter().any(asks)) {
            for stage in &part.stages {
                let tangent = self.tangent_of_rule(stage.item, stage.def.file);
                match known {
                    None => known = Some((tangent, stage.span, at)),
                    Some((other, span, first)) if other != tangent => {
                        let help = if first == at {
                            "a transform asks for what its rule is given: leave it off, or write one over the same requests"
                        } else {
                            "train the real and the Boolean parameters in two runs"
                        };
                        return fault(
                            Diagnostic::error(Code::NOT_YET, "a run whose rules ask for two kinds of requests")
                                .at(stage.span, format!("asks for {tangent}"))
                                .also(span, format!("asks for {other}"))
                                .help(help),
                        );
                    }
                    Some(_) => {}
                }
            }
        }
        if let Some((tangent, ..)) = known {
            return Ok(tangent);
        }
        // Nothing is asked for: what the rules would ask for agrees with the loss.
        let first = parts.iter().filter(|p| !p.leaves.is_empty()).find_map(|p| p.stages.first());
        Ok(first.map_or(Tangent::Real, |stage| self.tangent_of_rule(stage.item, stage.def.file)))
    }
}

fn asks(e: &Expr) -> bool {
    matches!(&e.kind, ExprKind::Apply(head, _)
        if matches!(&head.kind, ExprKind::Path(p) if matches!(p.as_slice(), [n] if &*n.name == "request")))
}

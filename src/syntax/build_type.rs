//! Pairs to types, ports, wires and blocks.
//!
//! In: pest's pairs of one item. Out: the parts of the tree that stand between items and expressions. Invariant: a
//! block's statements are in the order of the text; `u = ..` becomes a `let` (for a state a `next`) and is reported.

use super::ast::{
    Arrow, Block, Body, DimVar, Formal, FormalKind, LetPattern, Pattern, PortDecl, Statement, Type, TypeKind, Wires,
};
use super::build_expr::{Builder, Node, kids};
use super::grammar::Rule;
use crate::source::{Code, Diagnostic, Span};

impl Builder<'_> {
    /// `A -> B`.
    pub(super) fn arrow(&mut self, node: Node<'_>) -> Option<Arrow> {
        let mut kids = kids(node);
        let from = self.ty(kids.next()?)?;
        let to = self.ty(kids.next()?)?;
        let span = from.span.to(to.span);
        Some(Arrow { from, to, span })
    }

    /// `A * B`.
    pub(super) fn ty(&mut self, node: Node<'_>) -> Option<Type> {
        let mut all = kids(node).map(|kid| self.ty_atom(kid)).collect::<Option<Vec<_>>>()?;
        if all.len() <= 1 {
            return all.pop();
        }
        let span = all.first()?.span.to(all.last()?.span);
        Some(Type { kind: TypeKind::Product(all), span })
    }

    fn ty_atom(&mut self, node: Node<'_>) -> Option<Type> {
        let inner = kids(node).next()?;
        let span = self.span(&inner);
        let kind = match inner.as_rule() {
            Rule::params_of => TypeKind::Params(self.expr(kids(inner).next()?)?),
            Rule::ty_tuple => {
                let mut all = kids(inner).map(|kid| self.named_ty(kid)).collect::<Option<Vec<_>>>()?;
                match (all.len(), all.pop()) {
                    (1, Some((None, one))) => return Some(Type { span, ..one }),
                    (_, last) => {
                        all.extend(last);
                        TypeKind::Tuple(all)
                    }
                }
            }
            _ => {
                let mut parts = kids(inner);
                let path = self.path(&parts.next()?);
                TypeKind::Name(path, parts.map(|kid| self.group(kid)).collect::<Option<Vec<_>>>()?)
            }
        };
        Some(Type { kind, span })
    }

    fn named_ty(&mut self, node: Node<'_>) -> Option<(Option<super::ast::Ident>, Type)> {
        let mut name = None;
        for kid in kids(node) {
            match kid.as_rule() {
                Rule::ident => name = Some(self.ident(&kid)),
                _ => return Some((name, self.ty(kid)?)),
            }
        }
        None
    }

    /// `[n, ..s]` after a name.
    pub(super) fn dims_formal(&mut self, node: Node<'_>) -> Option<Vec<DimVar>> {
        let one = |builder: &Self, kid: Node<'_>| {
            let mut spread = false;
            for part in kids(kid) {
                match part.as_rule() {
                    Rule::dots => spread = true,
                    _ => return Some(DimVar { name: builder.ident(&part), spread }),
                }
            }
            None
        };
        kids(node).map(|kid| one(self, kid)).collect()
    }

    /// `(f : A -> B, delta = 1)` after a name.
    pub(super) fn formals(&mut self, node: Node<'_>) -> Option<Vec<Formal>> {
        kids(node).map(|kid| self.formal(kid)).collect()
    }

    fn formal(&mut self, node: Node<'_>) -> Option<Formal> {
        let mut kids = kids(node);
        let name = self.ident(&kids.next()?);
        let kind = match kids.next() {
            None => FormalKind::Required,
            Some(kid) if kid.as_rule() == Rule::arrow => FormalKind::Map(self.arrow(kid)?),
            Some(kid) => FormalKind::Default(self.expr(kid)?),
        };
        Some(Formal { name, kind })
    }

    /// `{W: R[n] ~ glorot, ..}` after a name.
    pub(super) fn ports(&mut self, node: Node<'_>) -> Option<Vec<PortDecl>> {
        kids(node).map(|kid| self.port(kid)).collect()
    }

    /// `noise? name : ty ~ init`.
    pub(super) fn port(&mut self, node: Node<'_>) -> Option<PortDecl> {
        let (mut noise, mut name, mut ty, mut init) = (false, None, None, None);
        for kid in kids(node) {
            match kid.as_rule() {
                Rule::noise => noise = true,
                Rule::ident => name = Some(self.ident(&kid)),
                Rule::ty => ty = Some(self.ty(kid)?),
                _ => init = Some(self.expr(kid)?),
            }
        }
        Some(PortDecl { noise, name: name?, ty: ty?, init })
    }

    /// `(x, (a, b))`.
    pub(super) fn wires(&mut self, node: Node<'_>) -> Option<Wires> {
        let span = self.span(&node);
        let patterns = kids(node).map(|kid| self.typed_pattern(kid)).collect::<Option<Vec<_>>>()?;
        Some(Wires { patterns, span })
    }

    fn typed_pattern(&mut self, node: Node<'_>) -> Option<(Pattern, Option<Type>)> {
        let mut kids = kids(node);
        let pattern = self.pattern(kids.next()?)?;
        let ty = match kids.next() {
            Some(kid) => Some(self.ty(kid)?),
            None => None,
        };
        Some((pattern, ty))
    }

    fn pattern(&mut self, node: Node<'_>) -> Option<Pattern> {
        let span = self.span(&node);
        let mut all = Vec::new();
        for kid in kids(node) {
            match kid.as_rule() {
                Rule::ident => return Some(Pattern::Name(self.ident(&kid))),
                Rule::hole => return Some(Pattern::Ignore(self.span(&kid))),
                _ => all.push(self.pattern(kid)?),
            }
        }
        Some(Pattern::Tuple(all, span))
    }

    /// `= expr`, `(x) { .. }` or `{ .. }`.
    pub(super) fn body(&mut self, node: Node<'_>) -> Option<Body> {
        let mut wires = None;
        let mut kids = kids(node);
        while let Some(kid) = kids.next() {
            match kid.as_rule() {
                Rule::wires => wires = Some(self.wires(kid)?),
                Rule::block => return Some(Body::Wires(wires, self.block(kid)?)),
                _ => return Some(Body::Map(self.sequence(kid, kids.next())?)),
            }
        }
        None
    }

    /// `{ stmt* expr }`.
    pub(super) fn block(&mut self, node: Node<'_>) -> Option<Block> {
        let span = self.span(&node);
        let mut statements: Vec<Statement> = Vec::new();
        for kid in kids(node) {
            match kid.as_rule() {
                Rule::let_stmt => statements.push(self.let_statement(kid)?),
                Rule::next_stmt => statements.push(self.next_statement(kid)?),
                Rule::slip_assign => statements.push(self.slip_assign(kid)?),
                _ => {
                    let value = self.expr(kid)?;
                    if let Some(last) = statements.last() {
                        self.blank_before_value(last, value.span);
                    }
                    return Some(Block { statements, value, span });
                }
            }
        }
        None
    }

    /// Warns of `let a = f (x)`, which is read as the statement `let a = f` and the value `(x)`.
    fn blank_before_value(&mut self, last: &Statement, value: Span) {
        let (Statement::Let(_, _, expr, _) | Statement::Next(_, expr, _)) = last;
        let slice = |start: u32, end: u32| {
            self.text
                .get((start as usize).wrapping_sub(self.base)..(end as usize).wrapping_sub(self.base))
                .unwrap_or("")
        };
        let gap = slice(expr.span.end, value.start);
        let bracket = slice(value.start, value.end).starts_with(['(', '[', '{']);
        if bracket && !gap.is_empty() && gap.chars().all(|c| matches!(c, ' ' | '\t')) {
            let at = Span { end: value.start + 1, ..value };
            self.out.push(
                Diagnostic::warning(Code::SYNTAX, "after a blank this bracket begins the value of the block")
                    .at(at, "not a call")
                    .also(expr.span, "the statement ends here")
                    .help("remove the blank for a call, or end the statement with `;`"),
            );
        }
    }

    fn let_statement(&mut self, node: Node<'_>) -> Option<Statement> {
        let start = self.span(&node);
        let (mut pattern, mut ty) = (None, None);
        for kid in kids(node) {
            match kid.as_rule() {
                Rule::wires => pattern = Some(LetPattern::Many(self.wires(kid)?)),
                Rule::pat => pattern = Some(LetPattern::One(self.pattern(kid)?)),
                Rule::ty => ty = Some(self.ty(kid)?),
                _ => {
                    let value = self.expr(kid)?;
                    let span = Span { end: value.span.end, ..start };
                    return Some(Statement::Let(pattern?, ty, value, span));
                }
            }
        }
        None
    }

    fn next_statement(&mut self, node: Node<'_>) -> Option<Statement> {
        let start = self.span(&node);
        let mut kids = kids(node);
        let name = self.ident(&kids.next()?);
        let value = self.expr(kids.next()?)?;
        let span = Span { end: value.span.end, ..start };
        Some(Statement::Next(name, value, span))
    }

    fn slip_assign(&mut self, node: Node<'_>) -> Option<Statement> {
        let mut kids = kids(node);
        let name = self.ident(&kids.next()?);
        let value = self.expr(kids.next()?)?;
        let span = name.span.to(value.span);
        let state = self.states.contains(&name.name);
        let word = if state { "next" } else { "let" };
        self.out.push(
            Diagnostic::error(Code::SLIP_ASSIGN, format!("`{} = ..` without `let` or `next`", name.name))
                .at(name.span, if state { "this is a state" } else { "a new name" })
                .help(format!("write `{word} {} = ..`", name.name)),
        );
        Some(if state {
            Statement::Next(name, value, span)
        } else {
            Statement::Let(LetPattern::One(Pattern::Name(name)), None, value, span)
        })
    }
}

//! Pairs to expressions.
//!
//! In: pest's pairs of one item. Out: [`Expr`]s with spans in the file. Spans are put together from the parts, since
//! a pair ends only after the blanks behind it. Invariant: chains become vectors, so the tree is as deep as the
//! brackets, `else` and `^` of the text; `None` only where the grammar and this file disagree.

use super::ast::{Arg, ArgValue, CompareOp, Expr, ExprKind, Group, GroupKind, Ident, ProductOp, SumOp};
use super::grammar::{Rule, is_sign};
use crate::source::{Code, Diagnostic, FileId, Span};
use pest::iterators::Pair;
use std::sync::Arc;

/// A node of the grammar.
pub(super) type Node<'i> = Pair<'i, Rule>;

/// Builds the tree of one item.
pub(super) struct Builder<'a> {
    /// The file of the item.
    pub(super) file: FileId,
    /// Where the text of the item begins in the file.
    pub(super) base: usize,
    /// The text of the item.
    pub(super) text: &'a str,
    /// The states of the rule that is being built.
    pub(super) states: Vec<Arc<str>>,
    /// What is to be said.
    pub(super) out: Vec<Diagnostic>,
}

/// The parts of a node, signs and keywords left out.
pub(super) fn kids(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    node.into_inner().filter(|kid| !is_sign(kid.as_rule()))
}

/// One expression as itself, several as a chain.
fn chain(mut all: Vec<Expr>, make: fn(Vec<Expr>) -> ExprKind) -> Option<Expr> {
    if all.len() <= 1 {
        return all.pop();
    }
    let span = all.first()?.span.to(all.last()?.span);
    Some(Expr { kind: make(all), span })
}

impl Builder<'_> {
    /// The place of a node that ends with its last sign.
    pub(super) fn span(&self, node: &Node<'_>) -> Span {
        let span = node.as_span();
        Span::new(self.file, self.base + span.start(), self.base + span.end())
    }

    /// `expr`.
    pub(super) fn expr(&mut self, node: Node<'_>) -> Option<Expr> {
        let mut all = Vec::new();
        for kid in kids(node) {
            if kid.as_rule() == Rule::choice {
                return self.choice(kid);
            }
            all.push(self.compose(kid)?);
        }
        chain(all, ExprKind::Then)
    }

    fn choice(&mut self, node: Node<'_>) -> Option<Expr> {
        let start = self.span(&node);
        let mut kids = kids(node);
        let condition = self.compose(kids.next()?)?;
        let yes = self.compose(kids.next()?)?;
        let no = self.expr(kids.next()?)?;
        let span = Span { end: no.span.end, ..start };
        Some(Expr { kind: ExprKind::If(Box::new([condition, yes, no])), span })
    }

    fn compose(&mut self, node: Node<'_>) -> Option<Expr> {
        let mut all = Vec::new();
        for kid in kids(node) {
            all.push(self.compare(kid)?);
        }
        chain(all, ExprKind::Compose)
    }

    fn compare(&mut self, node: Node<'_>) -> Option<Expr> {
        let mut kids = kids(node);
        let left = self.sum(kids.next()?)?;
        let Some(sign) = kids.next() else { return Some(left) };
        let right = kids.next()?;
        if sign.as_rule() == Rule::kw_in {
            let span = self.span(&sign);
            let right = self.list(right)?;
            return Some(member(left, Ident { name: "in".into(), span }, right));
        }
        let op = match sign.as_str() {
            "<" => CompareOp::Less,
            "<=" => CompareOp::LessEqual,
            ">" => CompareOp::Greater,
            ">=" => CompareOp::GreaterEqual,
            "==" => CompareOp::Equal,
            _ => CompareOp::NotEqual,
        };
        let right = self.sum(right)?;
        let span = left.span.to(right.span);
        Some(Expr { kind: ExprKind::Compare(Box::new((left, op, right))), span })
    }

    fn sum(&mut self, node: Node<'_>) -> Option<Expr> {
        let mut kids = kids(node);
        let first = self.product(kids.next()?)?;
        let mut rest = Vec::new();
        let mut span = first.span;
        while let Some(sign) = kids.next() {
            let at = self.span(&sign);
            let op = match sign.as_str() {
                "+" => SumOp::Add,
                "-" => SumOp::Subtract,
                "|" => SumOp::Or,
                _ => SumOp::Xor,
            };
            if op == SumOp::Subtract {
                self.continued(&sign, at);
            }
            let term = self.product(kids.next()?)?;
            span = span.to(term.span);
            rest.push((op, at, term));
        }
        Some(if rest.is_empty() { first } else { Expr { kind: ExprKind::Sum(Box::new(first), rest), span } })
    }

    /// Warns when a `-` between two terms is the first thing of its line.
    fn continued(&mut self, sign: &Node<'_>, at: Span) {
        let before = self.text.get(..sign.as_span().start()).unwrap_or("").trim_end_matches([' ', '\t']);
        if before.ends_with(['\n', '\r']) {
            self.out.push(
                Diagnostic::warning(Code::CONTINUED_LINE, "this line begins with `-` and continues the one before")
                    .at(at, "subtracts from the line above")
                    .help("write the `-` at the end of the line above, or end that line with `;`"),
            );
        }
    }

    fn product(&mut self, node: Node<'_>) -> Option<Expr> {
        let mut kids = kids(node);
        let first = self.unary(kids.next()?)?;
        let mut rest = Vec::new();
        let mut span = first.span;
        while let Some(sign) = kids.next() {
            let at = self.span(&sign);
            let op = match sign.as_str() {
                "*" | "⊗" => ProductOp::Times,
                "/" => ProductOp::Divide,
                "@" => ProductOp::Matrix,
                "&" => ProductOp::And,
                _ => ProductOp::Mod,
            };
            let factor = self.unary(kids.next()?)?;
            span = span.to(factor.span);
            rest.push((op, at, factor));
        }
        Some(if rest.is_empty() { first } else { Expr { kind: ExprKind::Product(Box::new(first), rest), span } })
    }

    fn unary(&mut self, node: Node<'_>) -> Option<Expr> {
        let mut kids = kids(node);
        let first = kids.next()?;
        if first.as_rule() != Rule::neg {
            return self.postfix(first);
        }
        let inner = self.postfix(kids.next()?)?;
        let span = self.span(&first).to(inner.span);
        let make = if first.as_str() == "!" { ExprKind::Not } else { ExprKind::Negate };
        Some(Expr { kind: make(Box::new(inner)), span })
    }

    fn postfix(&mut self, node: Node<'_>) -> Option<Expr> {
        let mut groups = Vec::new();
        let mut power = None;
        let mut kids = kids(node);
        let head = self.atom(kids.next()?)?;
        for kid in kids {
            match kid.as_rule() {
                Rule::power => power = Some(self.unary(self::kids(kid).next()?)?),
                _ => groups.push(self.group(kid)?),
            }
        }
        let base = match groups.last() {
            None => head,
            Some(last) => {
                let span = head.span.to(last.span);
                Expr { kind: ExprKind::Apply(Box::new(head), groups), span }
            }
        };
        Some(match power {
            None => base,
            Some(power) => {
                let span = base.span.to(power.span);
                Expr { kind: ExprKind::Power(Box::new((base, power))), span }
            }
        })
    }

    /// `[..]`, `{..}` or `(..)` that touches what stands before it.
    pub(super) fn group(&mut self, node: Node<'_>) -> Option<Group> {
        let span = self.span(&node);
        let kind = match node.as_rule() {
            Rule::dims => GroupKind::Dims,
            Rule::params => GroupKind::Ports,
            _ => GroupKind::Args,
        };
        Some(Group { kind, args: self.args(node)?, span })
    }

    fn args(&mut self, node: Node<'_>) -> Option<Vec<Arg>> {
        kids(node).map(|kid| self.arg(kid)).collect()
    }

    fn arg(&mut self, node: Node<'_>) -> Option<Arg> {
        let start = self.span(&node);
        let (mut name, mut left, mut right, mut dots) = (None, None, None, None);
        for kid in kids(node) {
            match kid.as_rule() {
                Rule::ident => name = Some(self.ident(&kid)),
                Rule::dots => dots = Some(self.span(&kid)),
                _ if dots.is_some() => right = Some(self.expr(kid)?),
                _ => left = Some(self.expr(kid)?),
            }
        }
        let end = right.as_ref().map(|e| e.span).or(dots).or(left.as_ref().map(|e| e.span))?.end;
        let value = if dots.is_some() { ArgValue::Range(left, right) } else { ArgValue::Expr(left?) };
        Some(Arg { name, value, span: Span { end, ..start } })
    }

    fn list(&mut self, node: Node<'_>) -> Option<Expr> {
        let span = self.span(&node);
        Some(Expr { kind: ExprKind::List(self.args(node)?), span })
    }

    fn atom(&mut self, node: Node<'_>) -> Option<Expr> {
        let inner = kids(node).next()?;
        let span = self.span(&inner);
        let kind = match inner.as_rule() {
            Rule::number => ExprKind::Number(self.number(&inner)),
            Rule::string => ExprKind::Text(self.string(&inner)),
            Rule::list => return self.list(inner),
            Rule::tuple => {
                let mut all = kids(inner).map(|kid| self.expr(kid)).collect::<Option<Vec<_>>>()?;
                match (all.len(), all.pop()) {
                    // A bracketed expression is that expression, with the brackets in its span.
                    (1, Some(one)) => return Some(Expr { span, ..one }),
                    (_, last) => {
                        all.extend(last);
                        ExprKind::Tuple(all)
                    }
                }
            }
            Rule::parts => ExprKind::Parts(kids(inner).map(|kid| self.part(kid)).collect::<Option<Vec<_>>>()?),
            Rule::next_value => ExprKind::NextValue,
            Rule::path => ExprKind::Path(self.path(&inner)),
            _ => ExprKind::Hole,
        };
        Some(Expr { kind, span })
    }

    fn part(&mut self, node: Node<'_>) -> Option<(Option<Arc<str>>, Span, Expr)> {
        let mut kids = kids(node);
        let key = kids.next()?;
        let span = self.span(&key);
        let pattern = (key.as_rule() == Rule::string).then(|| self.string(&key));
        Some((pattern, span, self.expr(kids.next()?)?))
    }

    /// A name.
    pub(super) fn ident(&self, node: &Node<'_>) -> Ident {
        Ident { name: node.as_str().into(), span: self.span(node) }
    }

    /// A dotted name, each part with its place.
    pub(super) fn path(&self, node: &Node<'_>) -> Vec<Ident> {
        let mut at = self.base + node.as_span().start();
        let mut parts = Vec::new();
        for name in node.as_str().split('.') {
            parts.push(Ident { name: name.into(), span: Span::new(self.file, at, at + name.len()) });
            at += name.len() + 1;
        }
        parts
    }

    fn number(&mut self, node: &Node<'_>) -> f64 {
        let digits: String = node.as_str().chars().filter(|c| *c != '_').collect();
        let value = digits.parse::<f64>().unwrap_or(f64::NAN);
        let mantissa = digits.split(['e', 'E']).next().unwrap_or("");
        let vanished = value == 0.0 && mantissa.contains(|c: char| matches!(c, '1'..='9'));
        if value.is_finite() && !vanished {
            return value;
        }
        let (message, help) = match vanished {
            true => ("this number is too small", "write 0; the smallest number above it is about 4.9e-324"),
            false => ("this number is too large", "write a smaller one; the largest is about 1.797e308"),
        };
        self.out.push(
            Diagnostic::error(Code::BAD_NUMBER, message).at(self.span(node), "not a number of 64 bits").help(help),
        );
        1.0
    }

    /// The content of a text, escapes resolved.
    pub(super) fn string(&mut self, node: &Node<'_>) -> Arc<str> {
        let written = node.as_str();
        let inner = written.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(written);
        if !inner.contains('\\') {
            return inner.into();
        }
        let mut text = String::new();
        let mut chars = inner.char_indices();
        while let Some((at, c)) = chars.next() {
            if c != '\\' {
                text.push(c);
                continue;
            }
            match chars.next() {
                Some((_, 'n')) => text.push('\n'),
                Some((_, 't')) => text.push('\t'),
                Some((_, 'r')) => text.push('\r'),
                Some((_, c @ ('\\' | '"'))) => text.push(c),
                Some((_, c)) => {
                    let start = self.base + node.as_span().start() + 1 + at;
                    let span = Span::new(self.file, start, start + 1 + c.len_utf8());
                    self.out.push(
                        Diagnostic::error(Code::SYNTAX, format!("`\\{c}` stands for nothing in a text"))
                            .at(span, "an unknown escape")
                            .help("write `\\\\` for a backslash; `\\n`, `\\t`, `\\r` and `\\\"` are the others"),
                    );
                }
                None => {}
            }
        }
        text.into()
    }
}

/// `x in [0, 1]` is the call `in(x, [0, 1])`.
fn member(left: Expr, word: Ident, right: Expr) -> Expr {
    let span = left.span.to(right.span);
    let arg = |e: Expr| Arg { name: None, span: e.span, value: ArgValue::Expr(e) };
    let head = Expr { span: word.span, kind: ExprKind::Path(vec![word]) };
    let group = Group { kind: GroupKind::Args, args: vec![arg(left), arg(right)], span };
    Expr { kind: ExprKind::Apply(Box::new(head), vec![group]), span }
}

//! Pairs to items.
//!
//! In: the pair of one item. Out: its [`ItemKind`], and messages about parts that do not belong together. Invariant:
//! an item is returned unless an error about its parts was reported.

use super::ast::{
    Body, ConstDecl, DimDecl, Expr, ExprKind, Field, GameItem, GetBody, Import, ImportTarget, ItemKind, MapItem,
    MapKind, Player, PrimItem, PrimRev, RecordItem, RuleBody, RuleItem, ScopeWord, TypeDecl, Wires,
};
use super::build_expr::{Builder, Node, kids};
use super::grammar::Rule;
use crate::source::{Code, Diagnostic, Span};

impl Builder<'_> {
    /// One item.
    pub(super) fn item(&mut self, node: Node<'_>) -> Option<ItemKind> {
        Some(match node.as_rule() {
            Rule::import => ItemKind::Import(self.import(node)?),
            Rule::dim_decl => {
                let mut kids = kids(node);
                ItemKind::Dim(DimDecl { name: self.ident(&kids.next()?), value: self.expr(kids.next()?)? })
            }
            Rule::type_decl => ItemKind::Type(self.type_decl(node)?),
            Rule::const_decl => {
                let mut kids = kids(node);
                let name = self.ident(&kids.next()?);
                let ty = self.ty(kids.next()?)?;
                ItemKind::Const(ConstDecl { name, ty, value: self.expr(kids.next()?)? })
            }
            Rule::map_item => ItemKind::Map(Box::new(self.map_item(node)?)),
            Rule::prim => ItemKind::Prim(Box::new(self.prim(node)?)),
            Rule::optimiser => ItemKind::Rule(Box::new(self.rule(node, false)?)),
            Rule::transform => ItemKind::Rule(Box::new(self.rule(node, true)?)),
            Rule::data => ItemKind::Data(self.record(node)?),
            Rule::train => ItemKind::Train(self.record(node)?),
            Rule::game => ItemKind::Game(self.game(node)?),
            _ => return None,
        })
    }

    fn import(&mut self, node: Node<'_>) -> Option<Import> {
        let mut kids = kids(node);
        let target = kids.next()?;
        let target = match target.as_rule() {
            Rule::string => ImportTarget::File(self.string(&target), self.span(&target)),
            _ => ImportTarget::Path(self.path(&target)),
        };
        Some(Import { target, alias: kids.next().map(|kid| self.ident(&kid)) })
    }

    fn type_decl(&mut self, node: Node<'_>) -> Option<TypeDecl> {
        let mut kids = kids(node);
        let name = self.ident(&kids.next()?);
        let mut dims = Vec::new();
        for kid in kids {
            match kid.as_rule() {
                Rule::dims_formal => dims = self.dims_formal(kid)?,
                _ => return Some(TypeDecl { name, dims, ty: self.ty(kid)? }),
            }
        }
        None
    }

    fn map_item(&mut self, node: Node<'_>) -> Option<MapItem> {
        let mut kids = kids(node);
        let kind = match kids.next()?.as_str() {
            "model" => MapKind::Model,
            "def" => MapKind::Def,
            _ => MapKind::Loss,
        };
        let name = self.ident(&kids.next()?);
        let (mut dims, mut formals, mut ports) = (Vec::new(), Vec::new(), Vec::new());
        let (mut arrow, mut body, mut evaluate) = (None, None, None);
        for kid in kids {
            match kid.as_rule() {
                Rule::dims_formal => dims = self.dims_formal(kid)?,
                Rule::formals => formals = self.formals(kid)?,
                Rule::ports => {
                    self.only_models_have_ports(kind, &kid);
                    ports = self.ports(kid)?;
                }
                Rule::arrow => arrow = Some(self.arrow(kid)?),
                Rule::body => body = Some(self.body(kid)?),
                _ => evaluate = Some(self.evaluate(kid)?),
            }
        }
        Some(MapItem { kind, name, dims, formals, ports, arrow: arrow?, body: body?, evaluate })
    }

    fn only_models_have_ports(&mut self, kind: MapKind, ports: &Node<'_>) {
        let word = match kind {
            MapKind::Model => return,
            MapKind::Def => "def",
            MapKind::Loss => "loss",
        };
        self.out.push(
            Diagnostic::error(Code::SYNTAX, format!("a `{word}` has no parameters"))
                .at(self.span(ports), "these are parameter ports")
                .help("write `model`"),
        );
    }

    /// `= expr`, with `; expr` after it where `>>` was meant.
    pub(super) fn sequence(&mut self, first: Node<'_>, slip: Option<Node<'_>>) -> Option<Expr> {
        let first = self.expr(first)?;
        let Some(slip) = slip else { return Some(first) };
        let mut all = vec![first];
        for kid in slip.into_inner() {
            if kid.as_rule() == Rule::semi {
                self.out.push(
                    Diagnostic::error(Code::SLIP_SEQUENCE, "`;` does not compose")
                        .at(self.span(&kid), "stands between two maps")
                        .help("write `>>` to compose"),
                );
            } else {
                all.push(self.expr(kid)?);
            }
        }
        let span = all.first()?.span.to(all.last()?.span);
        let mut parts = Vec::new();
        for one in all {
            match one.kind {
                ExprKind::Compose(inner) => parts.extend(inner),
                _ => parts.push(one),
            }
        }
        Some(Expr { kind: ExprKind::Compose(parts), span })
    }

    fn evaluate(&mut self, node: Node<'_>) -> Option<Body> {
        let mut wires = None;
        for kid in kids(node) {
            match kid.as_rule() {
                Rule::wires => wires = Some(self.wires(kid)?),
                _ => return Some(Body::Wires(wires, self.block(kid)?)),
            }
        }
        None
    }

    fn prim(&mut self, node: Node<'_>) -> Option<PrimItem> {
        let mut kids = kids(node);
        let name = self.ident(&kids.next()?);
        let (mut dims, mut arrow, mut fwd, mut revs) = (Vec::new(), None, None, Vec::new());
        for kid in kids {
            match kid.as_rule() {
                Rule::dims_formal => dims = self.dims_formal(kid)?,
                Rule::arrow => arrow = Some(self.arrow(kid)?),
                Rule::fwd => fwd = Some(self.wired(kid)?),
                _ => {
                    let span = self.span(&kid);
                    revs.push(PrimRev { part: self.wired(kid)?, span });
                }
            }
        }
        Some(PrimItem { name, dims, arrow: arrow?, fwd: fwd?, revs })
    }

    /// `(x) { .. }`.
    fn wired(&mut self, node: Node<'_>) -> Option<(Wires, super::ast::Block)> {
        let mut kids = kids(node);
        Some((self.wires(kids.next()?)?, self.block(kids.next()?)?))
    }

    fn rule(&mut self, node: Node<'_>, transform: bool) -> Option<RuleItem> {
        let whole = self.span(&node);
        // States are known before the bodies, so that `u = ..` can be told from `let`.
        self.states = kids(node.clone())
            .filter(|kid| kid.as_rule() == Rule::state)
            .filter_map(|kid| kids(kid).next())
            .filter_map(|port| kids(port).find(|part| part.as_rule() == Rule::ident))
            .map(|name| name.as_str().into())
            .collect();
        let mut kids = kids(node);
        let name = self.ident(&kids.next()?);
        let (mut formals, mut on, mut scope) = (Vec::new(), Vec::new(), None);
        let (mut states, mut noises) = (Vec::new(), Vec::new());
        let mut parts = RuleParts::default();
        for kid in kids {
            let span = self.span(&kid);
            match kid.as_rule() {
                Rule::formals => formals = self.formals(kid)?,
                Rule::port => on.push(self.port(kid)?),
                Rule::on_ports => {
                    for port in self::kids(kid).filter(|k| k.as_rule() == Rule::port) {
                        on.push(self.port(port)?);
                    }
                }
                Rule::scope => scope = Some(self.scope(kid)?),
                Rule::state => states.push(self.port(self::kids(kid).next()?)?),
                Rule::drawn => noises.push(self.port(self::kids(kid).find(|k| k.as_rule() == Rule::port)?)?),
                Rule::get => self.once(&mut parts.get, span, "get", |b| b.get(kid))?,
                Rule::put => self.once(&mut parts.put, span, "put", |b| b.wired(kid))?,
                Rule::steps => self.once(&mut parts.step, span, "step", |b| b.block(self::kids(kid).next()?))?,
                _ => self.once(&mut parts.evaluate, span, "evaluate", |b| b.evaluate(kid))?,
            }
        }
        let evaluate = parts.evaluate.take().map(|(body, _)| body);
        let body = self.rule_body(parts, &name.name, Span { end: name.span.end, ..whole })?;
        if on.is_empty() {
            return None;
        }
        Some(RuleItem { transform, name, formals, on, scope, states, noises, body, evaluate })
    }

    fn scope(&mut self, node: Node<'_>) -> Option<(ScopeWord, Span)> {
        let whole = self.span(&node);
        let word = kids(node).next()?;
        let scope = match word.as_str() {
            "coordinate" => ScopeWord::Coordinate,
            "tensor" => ScopeWord::Tensor,
            "matrix" => ScopeWord::Matrix,
            _ => ScopeWord::Global,
        };
        Some((scope, whole.to(self.span(&word))))
    }

    /// Builds a part of a rule that may stand there once.
    fn once<T>(
        &mut self,
        slot: &mut Option<(T, Span)>,
        span: Span,
        word: &str,
        build: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<()> {
        let part = build(self)?;
        let short = |s: Span| Span::new(s.file, s.start as usize, s.start as usize + word.len());
        if let Some((_, first)) = slot {
            self.out.push(
                Diagnostic::error(Code::RULE_BODY, format!("a rule has one `{word}`"))
                    .at(short(span), "the second")
                    .also(short(*first), "the first")
                    .help("keep one of them"),
            );
            return Some(());
        }
        *slot = Some((part, span));
        Some(())
    }

    fn get(&mut self, node: Node<'_>) -> Option<GetBody> {
        let mut kids = kids(node);
        let kid = kids.next()?;
        Some(match kid.as_rule() {
            Rule::block => GetBody::Block(self.block(kid)?),
            Rule::wires => GetBody::Points(self.wires(kid)?),
            _ => GetBody::Expr(self.sequence(kid, kids.next())?),
        })
    }

    fn rule_body(&mut self, parts: RuleParts, name: &str, head: Span) -> Option<RuleBody> {
        let clash = parts.put.as_ref().map(|(_, s)| (*s, "put")).or(parts.get.as_ref().map(|(_, s)| (*s, "get")));
        match (parts.step, parts.put) {
            (Some((step, _)), None) if parts.get.is_none() => Some(RuleBody::Step(step)),
            (Some((_, at)), _) => {
                let (other, word) = clash?;
                let start = |s: Span, n: usize| Span::new(s.file, s.start as usize, s.start as usize + n);
                self.out.push(
                    Diagnostic::error(Code::RULE_BODY, "a rule has either `get` and `put`, or `step`")
                        .at(start(at, 4), "the general form")
                        .also(start(other, word.len()), "the lens form")
                        .help("keep one of the two"),
                );
                None
            }
            (None, Some((put, _))) => Some(RuleBody::Lens { get: parts.get.map(|(get, _)| get), put }),
            (None, None) => {
                self.out.push(
                    Diagnostic::error(Code::RULE_BODY, format!("`{name}` has no `put`"))
                        .at(head, "a rule must say what it does with a request")
                        .help("add `put (g) { .. }`"),
                );
                None
            }
        }
    }

    fn field(&mut self, node: Node<'_>) -> Option<Field> {
        let mut kids = kids(node);
        let name = self.ident(&kids.next()?);
        let value = kids.next()?;
        let value = match value.as_rule() {
            Rule::xor_name => {
                let span = self.span(&value);
                Expr { kind: ExprKind::Path(vec![self.ident(&value)]), span }
            }
            _ => self.expr(value)?,
        };
        Some(Field { name, value })
    }

    fn record(&mut self, node: Node<'_>) -> Option<RecordItem> {
        let mut kids = kids(node);
        let name = self.ident(&kids.next()?);
        Some(RecordItem { name, fields: kids.map(|kid| self.field(kid)).collect::<Option<Vec<_>>>()? })
    }

    fn game(&mut self, node: Node<'_>) -> Option<GameItem> {
        let mut kids = kids(node);
        let name = self.ident(&kids.next()?);
        let (mut players, mut fields) = (Vec::new(), Vec::new());
        for kid in kids {
            match kid.as_rule() {
                Rule::player => players.push(self.player(kid)?),
                _ => fields.push(self.field(kid)?),
            }
        }
        Some(GameItem { name, players, fields })
    }

    fn player(&mut self, node: Node<'_>) -> Option<Player> {
        let start = self.span(&node);
        let mut kids = kids(node);
        let name = self.ident(&kids.next()?);
        let maximises = kids.next()?.as_str() == "maximises";
        let objective = self.expr(kids.next()?)?;
        let mut part = None;
        for kid in kids {
            match kid.as_rule() {
                Rule::ident => part = Some(self.ident(&kid)),
                _ => {
                    let rule = self.expr(kid)?;
                    let span = Span { end: rule.span.end, ..start };
                    return Some(Player { name, maximises, objective, part, rule, span });
                }
            }
        }
        None
    }
}

/// The parts of a rule with their places.
#[derive(Default)]
struct RuleParts {
    get: Option<(GetBody, Span)>,
    put: Option<((Wires, super::ast::Block), Span)>,
    step: Option<(super::ast::Block, Span)>,
    evaluate: Option<(Body, Span)>,
}

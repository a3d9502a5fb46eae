//! The tree of a `.lens` file, as written: names unresolved, every part with its span.
//!
//! Wires, maps, settings and dimensions share one [`Expr`]; what a name means is decided by `elaborate`. Long chains
//! (`f >> g >> ..`, sums, products) are vectors, not nested pairs, so that neither walking nor dropping recurses.

use crate::source::Span;
use std::sync::Arc;

/// A name with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Ident {
    /// The name.
    pub name: Arc<str>,
    /// Where it stands.
    pub span: Span,
}

/// One parsed file.
#[derive(Clone, Debug, Default)]
pub struct File {
    /// Its items in order; items that did not parse are absent (their errors were reported).
    pub items: Vec<Item>,
    /// The names that the items which did not parse may have defined.
    pub lost: Vec<Arc<str>>,
}

/// A top-level item.
#[derive(Clone, Debug)]
pub struct Item {
    /// The whole item.
    pub span: Span,
    /// The comment lines (`//`) that stand directly above it, markers stripped.
    pub doc: Vec<Arc<str>>,
    /// What it is.
    pub kind: ItemKind,
}

/// The kinds of items.
#[derive(Clone, Debug)]
pub enum ItemKind {
    /// `import "file" as name` or `import std.nn`.
    Import(Import),
    /// `dim name = expr`.
    Dim(DimDecl),
    /// `type Name[n] = ty`.
    Type(TypeDecl),
    /// `const name : ty = expr`.
    Const(ConstDecl),
    /// `model`, `def` or `loss`.
    Map(Box<MapItem>),
    /// `prim name : arrow { fwd .. rev .. }`.
    Prim(Box<PrimItem>),
    /// `optimiser` or `transform`.
    Rule(Box<RuleItem>),
    /// `data name { .. }`.
    Data(RecordItem),
    /// `train name { .. }`.
    Train(RecordItem),
    /// `game name { .. }`.
    Game(GameItem),
}

/// `import "file" as name`.
#[derive(Clone, Debug)]
pub struct Import {
    /// A quoted file name, or a dotted path.
    pub target: ImportTarget,
    /// The name after `as`.
    pub alias: Option<Ident>,
}

/// What an import names.
#[derive(Clone, Debug)]
pub enum ImportTarget {
    /// `"layers.lens"`.
    File(Arc<str>, Span),
    /// `std.nn`.
    Path(Vec<Ident>),
}

/// `dim hidden = 32`.
#[derive(Clone, Debug)]
pub struct DimDecl {
    /// Its name.
    pub name: Ident,
    /// Its value.
    pub value: Expr,
}

/// `type Image[n] = R[1, n, n]`.
#[derive(Clone, Debug)]
pub struct TypeDecl {
    /// Its name.
    pub name: Ident,
    /// Its dimension variables.
    pub dims: Vec<DimVar>,
    /// What it stands for.
    pub ty: Type,
}

/// `const H : R[2, 2] = [[2, 0], [0, 1]]`.
#[derive(Clone, Debug)]
pub struct ConstDecl {
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub ty: Type,
    /// Its value.
    pub value: Expr,
}

/// `n` or `..s` in `[ ]` after a name.
#[derive(Clone, Debug)]
pub struct DimVar {
    /// The variable.
    pub name: Ident,
    /// Whether it stands for any number of dimensions.
    pub spread: bool,
}

/// Which word introduced a map.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MapKind {
    /// May own parameters.
    Model,
    /// Has none.
    Def,
    /// Prediction first, label second.
    Loss,
}

/// `model NAME[dims](formals){ports} : arrow body evaluate?`.
#[derive(Clone, Debug)]
pub struct MapItem {
    /// The word it began with.
    pub kind: MapKind,
    /// Its name.
    pub name: Ident,
    /// Its dimension variables.
    pub dims: Vec<DimVar>,
    /// Maps and settings passed in.
    pub formals: Vec<Formal>,
    /// Parameter and noise ports.
    pub ports: Vec<PortDecl>,
    /// Its type.
    pub arrow: Arrow,
    /// What it does.
    pub body: Body,
    /// The form outside training.
    pub evaluate: Option<Body>,
}

/// `f : A -> B` or `delta = 1`.
#[derive(Clone, Debug)]
pub struct Formal {
    /// Its name.
    pub name: Ident,
    /// What it takes.
    pub kind: FormalKind,
}

/// A formal parameter's kind.
#[derive(Clone, Debug)]
pub enum FormalKind {
    /// A map of that type.
    Map(Arrow),
    /// A setting with a default.
    Default(Expr),
    /// A setting that must be given (or a rule or map whose kind the body decides).
    Required,
}

/// `noise? name : ty ~ init`.
#[derive(Clone, Debug)]
pub struct PortDecl {
    /// Whether it is drawn anew for each example and step.
    pub noise: bool,
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub ty: Type,
    /// How it is drawn.
    pub init: Option<Expr>,
}

/// `A -> B`.
#[derive(Clone, Debug)]
pub struct Arrow {
    /// Domain.
    pub from: Type,
    /// Codomain.
    pub to: Type,
    /// The whole arrow.
    pub span: Span,
}

/// An object as written.
#[derive(Clone, Debug)]
pub struct Type {
    /// What it is.
    pub kind: TypeKind,
    /// Where it stands.
    pub span: Span,
}

/// The forms of an object.
#[derive(Clone, Debug)]
pub enum TypeKind {
    /// `R[2, n]`, `Fin[10][k]`, `Image`: a name and bracket groups.
    Name(Vec<Ident>, Vec<Group>),
    /// `(x: A, y: B)`, `()`.
    Tuple(Vec<(Option<Ident>, Type)>),
    /// `A * B`.
    Product(Vec<Type>),
    /// `params(f)`.
    Params(Expr),
}

/// The body of a map.
#[derive(Clone, Debug)]
pub enum Body {
    /// `= expr`: point-free.
    Map(Expr),
    /// `(x, y) { .. }` or `{ .. }` (the latter has no patterns).
    Wires(Option<Wires>, Block),
}

/// `(x, (a, b))`: names for incoming wires.
#[derive(Clone, Debug)]
pub struct Wires {
    /// One a component.
    pub patterns: Vec<(Pattern, Option<Type>)>,
    /// The brackets.
    pub span: Span,
}

impl Wires {
    /// The names bound, in order.
    #[must_use]
    pub fn names(&self) -> Vec<&Ident> {
        let mut names = Vec::new();
        self.patterns.iter().for_each(|(p, _)| p.names_into(&mut names));
        names
    }
}

impl LetPattern {
    /// The names bound, in order.
    #[must_use]
    pub fn names(&self) -> Vec<&Ident> {
        match self {
            LetPattern::One(pattern) => {
                let mut names = Vec::new();
                pattern.names_into(&mut names);
                names
            }
            LetPattern::Many(wires) => wires.names(),
        }
    }
}

impl Pattern {
    fn names_into<'a>(&'a self, names: &mut Vec<&'a Ident>) {
        match self {
            Pattern::Name(name) => names.push(name),
            Pattern::Ignore(_) => {}
            Pattern::Tuple(parts, _) => parts.iter().for_each(|p| p.names_into(names)),
        }
    }
}

/// A name, `_`, or a tuple of patterns.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// Binds a wire.
    Name(Ident),
    /// Drops it.
    Ignore(Span),
    /// Takes a product apart.
    Tuple(Vec<Pattern>, Span),
}

/// `{ stmt* expr }`.
#[derive(Clone, Debug)]
pub struct Block {
    /// `let`s and `next`s in order.
    pub statements: Vec<Statement>,
    /// The value.
    pub value: Expr,
    /// The braces.
    pub span: Span,
}

/// `let p = e` or `next s = e`.
#[derive(Clone, Debug)]
pub enum Statement {
    /// Binds names.
    Let(LetPattern, Option<Type>, Expr, Span),
    /// Gives a state its next value.
    Next(Ident, Expr, Span),
}

/// What stands left of `=` in a `let`.
#[derive(Clone, Debug)]
pub enum LetPattern {
    /// One pattern.
    One(Pattern),
    /// `(a, b)`, with types perhaps.
    Many(Wires),
}

/// `prim`.
#[derive(Clone, Debug)]
pub struct PrimItem {
    /// Its name.
    pub name: Ident,
    /// Its dimension variables.
    pub dims: Vec<DimVar>,
    /// Its type.
    pub arrow: Arrow,
    /// The map.
    pub fwd: (Wires, Block),
    /// Its reverse derivatives A * T(B) -> T(A), at least one; which tangent is told by the type of the request.
    pub revs: Vec<PrimRev>,
}

/// `rev (x, dy) { .. }`.
#[derive(Clone, Debug)]
pub struct PrimRev {
    /// Its wires and block.
    pub part: (Wires, Block),
    /// The whole of it.
    pub span: Span,
}

/// `optimiser` or `transform`.
#[derive(Clone, Debug)]
pub struct RuleItem {
    /// A transform ends in a new request, an optimiser in the new parameter.
    pub transform: bool,
    /// Its name.
    pub name: Ident,
    /// Settings and rules passed in.
    pub formals: Vec<Formal>,
    /// The parameter it works on, or the parameters of one module that it works on together: at least one.
    pub on: Vec<PortDecl>,
    /// `per ..`, with its place.
    pub scope: Option<(ScopeWord, Span)>,
    /// Its states.
    pub states: Vec<PortDecl>,
    /// Its noise, drawn anew for each step.
    pub noises: Vec<PortDecl>,
    /// What it does.
    pub body: RuleBody,
    /// The point used for evaluation.
    pub evaluate: Option<Body>,
}

/// What a rule declares to look at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScopeWord {
    /// Each number by itself.
    Coordinate,
    /// Each tensor by itself.
    Tensor,
    /// Each matrix by itself.
    Matrix,
    /// All parameters together.
    Global,
}

/// `get`/`put`, or `step`.
#[derive(Clone, Debug)]
pub enum RuleBody {
    /// The lens form.
    Lens {
        /// Where the model is looked at; the parameter itself when absent.
        get: Option<GetBody>,
        /// The wires of `put` and its block.
        put: (Wires, Block),
    },
    /// `step { .. request(point) .. }`.
    Step(Block),
}

/// The forms of `get`.
#[derive(Clone, Debug)]
pub enum GetBody {
    /// `get = expr`.
    Expr(Expr),
    /// `get { .. }`.
    Block(Block),
    /// `get (a, b)`: several points, each a wire.
    Points(Wires),
}

/// `data` or `train`: a name and fields.
#[derive(Clone, Debug)]
pub struct RecordItem {
    /// Its name.
    pub name: Ident,
    /// Its fields in order.
    pub fields: Vec<Field>,
}

/// `key = expr`.
#[derive(Clone, Debug)]
pub struct Field {
    /// The key.
    pub name: Ident,
    /// The value.
    pub value: Expr,
}

/// `game`.
#[derive(Clone, Debug)]
pub struct GameItem {
    /// Its name.
    pub name: Ident,
    /// Its players.
    pub players: Vec<Player>,
    /// Its fields.
    pub fields: Vec<Field>,
}

/// `player G minimises value on part with rule`.
#[derive(Clone, Debug)]
pub struct Player {
    /// The port it owns.
    pub name: Ident,
    /// `maximises` rather than `minimises`.
    pub maximises: bool,
    /// What it plays for.
    pub objective: Expr,
    /// The part of the data it reads.
    pub part: Option<Ident>,
    /// Its rule.
    pub rule: Expr,
    /// The whole of it.
    pub span: Span,
}

/// An expression with its place.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// The forms of an expression, loosest first.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// `a then b` (schedules).
    Then(Vec<Expr>),
    /// `if c then a else b`.
    If(Box<[Expr; 3]>),
    /// `f >> g >> h`.
    Compose(Vec<Expr>),
    /// `a <= b`.
    Compare(Box<(Expr, CompareOp, Expr)>),
    /// `a + b - c`: the first, then each with its operator and the operator's place.
    Sum(Box<Expr>, Vec<(SumOp, Span, Expr)>),
    /// `a * b / c`: likewise.
    Product(Box<Expr>, Vec<(ProductOp, Span, Expr)>),
    /// `-a`.
    Negate(Box<Expr>),
    /// `!a`.
    Not(Box<Expr>),
    /// `a ^ b`.
    Power(Box<(Expr, Expr)>),
    /// `f[dims]{ports}(args)`: a head and at least one bracket group that touches it.
    Apply(Box<Expr>, Vec<Group>),
    /// `12`, `0.5`, `1e-3`; underscores removed by the parser.
    Number(f64),
    /// `"text"`, escapes resolved.
    Text(Arc<str>),
    /// `a`, `valid.accuracy`.
    Path(Vec<Ident>),
    /// `_`.
    Hole,
    /// `[1, 2]`, `[0..4]`.
    List(Vec<Arg>),
    /// `(a, b)`, `()`; a bracketed single expression is that expression.
    Tuple(Vec<Expr>),
    /// `{ "*.W": muon, _: adamw }`; `None` is `_`.
    Parts(Vec<(Option<Arc<str>>, Span, Expr)>),
    /// `next` before `(` in a monitor.
    NextValue,
}

/// One bracket group after a head.
#[derive(Clone, Debug)]
pub struct Group {
    /// Which brackets.
    pub kind: GroupKind,
    /// What is in them.
    pub args: Vec<Arg>,
    /// The brackets with their content.
    pub span: Span,
}

/// Which brackets a group has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GroupKind {
    /// `[ ]`.
    Dims,
    /// `{ }`.
    Ports,
    /// `( )`.
    Args,
}

/// `x`, `axis = 0`, `0..4`, `..s`.
#[derive(Clone, Debug)]
pub struct Arg {
    /// The name before `=`.
    pub name: Option<Ident>,
    /// The value.
    pub value: ArgValue,
    /// The whole argument.
    pub span: Span,
}

impl Arg {
    /// Its expression, if it has no name.
    #[must_use]
    pub fn plain(&self) -> Option<&Expr> {
        match &self.value {
            ArgValue::Expr(e) if self.name.is_none() => Some(e),
            _ => None,
        }
    }
}

/// An argument's value.
#[derive(Clone, Debug)]
pub enum ArgValue {
    /// An expression.
    Expr(Expr),
    /// `a..b`, either side may be absent; `..s` in dimensions is a spread.
    Range(Option<Expr>, Option<Expr>),
}

/// Comparison operators.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CompareOp {
    /// `<`.
    Less,
    /// `<=`.
    LessEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterEqual,
    /// `==`.
    Equal,
    /// `!=`.
    NotEqual,
}

/// Operators of sums.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SumOp {
    /// `+`.
    Add,
    /// `-`.
    Subtract,
    /// `xor`.
    Xor,
    /// `|`.
    Or,
}

/// Operators of products.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProductOp {
    /// `*` or `⊗`.
    Times,
    /// `/`.
    Divide,
    /// `@`.
    Matrix,
    /// `&`.
    And,
    /// `mod`.
    Mod,
}

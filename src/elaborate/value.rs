//! What names and expressions denote while a program is elaborated, and the environments that hold them.

use crate::diagram::Wire;
use crate::elaborate::scope::names::DefId;
use crate::source::{Diagnostic, Span};
use crate::syntax::ast::{Expr, RuleItem};
use rustc_hash::FxHashMap;
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

/// A fault: a message, or `None` when its cause was reported already.
pub(crate) type Fault = Option<Box<Diagnostic>>;
/// A result whose fault is a message.
pub(crate) type Res<T> = Result<T, Fault>;

/// Turns a message into a fault.
pub(crate) fn fault<T>(d: Diagnostic) -> Res<T> {
    Err(Some(Box::new(d)))
}

/// A product of wires, or a number that is not a wire yet.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// One wire.
    Wire(Wire),
    /// A number known now; becomes a constant `R[1]` where a wire is needed.
    Number(f64),
    /// A product.
    Tuple(Vec<Value>),
    /// One wire a parameter leaf, in a rule of global scope: pointwise operations act leaf by leaf.
    Family(Rc<Vec<Wire>>),
    /// The result of something already reported.
    Poison,
}

/// Where parameters get their names: a prefix and the number of the next call.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) prefix: String,
    pub(crate) calls: Cell<usize>,
}

impl Place {
    pub(crate) fn new(prefix: impl Into<String>) -> Rc<Place> {
        Rc::new(Place { prefix: prefix.into(), calls: Cell::new(0) })
    }

    /// The prefix of the next call that owns parameters.
    pub(crate) fn next(&self) -> String {
        let n = self.calls.get();
        self.calls.set(n + 1);
        format!("{}.{n}", self.prefix)
    }

    /// The same place with the next `n` numbers, which are taken here.
    pub(crate) fn reserve(&self, n: usize) -> Rc<Place> {
        let first = self.calls.get();
        self.calls.set(first + n);
        Rc::new(Place { prefix: self.prefix.clone(), calls: Cell::new(first) })
    }
}

/// A map passed in: an expression with the environment it was written in. Its parameters live at a fixed place, so
/// that using it twice ties them.
#[derive(Clone, Debug)]
pub(crate) struct Closure<'p> {
    pub(crate) expr: &'p Expr,
    pub(crate) env: Env<'p>,
    pub(crate) prefix: String,
    pub(crate) owns: bool,
}

/// One stage of a rule: its definition and the environment of its settings.
#[derive(Clone, Debug)]
pub(crate) struct RuleStage<'p> {
    pub(crate) item: &'p RuleItem,
    pub(crate) def: DefId,
    pub(crate) settings: Vec<(Arc<str>, Setting<'p>)>,
    pub(crate) span: Span,
}

/// A setting of a rule: its value, a map of the clock (a schedule), or a default that a schedule before it decides.
#[derive(Clone, Debug)]
pub(crate) enum Setting<'p> {
    Value(Den<'p>),
    Schedule(&'p Expr, Env<'p>),
    Default(&'p Expr),
}

/// What a name denotes.
#[derive(Clone, Debug)]
pub(crate) enum Den<'p> {
    /// Wires or a number.
    Wires(Value),
    /// A dimension.
    Dim(u64),
    /// A dimension given to a `type`, and where its names stand: `k + 1` of `Pair[k + 1]`.
    Term(&'p Expr, Box<Env<'p>>),
    /// The dimensions of a `..s`.
    Shape(Rc<Vec<u64>>),
    /// A map passed in.
    Map(Rc<Closure<'p>>),
    /// A parameter object `params(f)`: the place where its leaves live.
    Ports(Rc<str>),
    /// `true`, `false`.
    Flag(bool),
    /// How a port is drawn, as a setting: `wires = patch(3)`.
    Init(&'p Expr, Box<Env<'p>>),
    /// An update rule passed to another.
    Rule(Rc<Vec<RuleStage<'p>>>),
    /// Any other word or text: the name of a convention.
    Word(Arc<str>),
}

/// What the names in a body denote: its bindings, then the definitions of a file. Cloned when a closure is made, shared
/// until one of the two is bound further.
#[derive(Clone, Debug)]
pub(crate) struct Env<'p> {
    pub(crate) file: usize,
    pub(crate) place: Rc<Place>,
    names: Rc<FxHashMap<Arc<str>, Den<'p>>>,
}

impl<'p> Env<'p> {
    pub(crate) fn new(file: usize, place: Rc<Place>) -> Env<'p> {
        Env { file, place, names: Rc::default() }
    }

    pub(crate) fn bind(&mut self, name: Arc<str>, den: Den<'p>) {
        Rc::make_mut(&mut self.names).insert(name, den);
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Den<'p>> {
        self.names.get(name)
    }

    /// The bound names, sorted.
    pub(crate) fn names(&self) -> Vec<Arc<str>> {
        let mut names: Vec<Arc<str>> = self.names.keys().cloned().collect();
        names.sort();
        names
    }

    /// The same bindings at another place.
    pub(crate) fn at(&self, place: Rc<Place>) -> Env<'p> {
        Env { place, ..self.clone() }
    }
}

//! One elaboration: a builder, the ports made so far, and what has been said.
//!
//! A session elaborates one item (a model, a training run, a rule) into one diagram. Parameter ports are found by
//! path: asking twice for one path is tying.

use super::names::{DefId, Definitions, nearest};
use super::ports::ParamPort;
use super::rule_scope::RuleScope;
use super::value::{Env, Place, Res, Value, fault};
use crate::diagram::{Builder, Origin, PrimDef, TypeFault, Wire};
use crate::source::{Code, Diagnostic, Diagnostics, Span};
use crate::syntax::ast::Arg;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// How deep expressions and calls may nest.
const DEPTH: usize = 3_000;

/// How many operations one item may have.
const NODES: usize = 1_000_000;

/// What a call without ports of its own is remembered by.
pub(crate) type MemoKey = (DefId, Vec<u64>, Vec<u64>, Vec<Wire>);

/// The state of one elaboration.
pub(crate) struct Elab<'p> {
    pub(crate) defs: &'p Definitions,
    pub(crate) b: Builder,
    pub(crate) params: Vec<ParamPort>,
    pub(crate) param_at: FxHashMap<String, usize>,
    pub(crate) noises: Vec<ParamPort>,
    pub(crate) diagnostics: Diagnostics,
    pub(crate) evaluating: bool,
    pub(crate) rule: Option<RuleScope>,
    pub(crate) prims: FxHashMap<(DefId, Vec<u64>), Arc<PrimDef>>,
    pub(crate) memo: FxHashMap<MemoKey, Value>,
    pub(crate) owned: FxHashMap<DefId, bool>,
    pub(crate) prim_in_progress: Option<DefId>,
    /// The calls being elaborated, outermost first.
    pub(crate) calls: Vec<(DefId, Span)>,
    depth: usize,
}

impl<'p> Elab<'p> {
    pub(crate) fn new(defs: &'p Definitions) -> Elab<'p> {
        Elab {
            defs,
            b: Builder::new(),
            params: Vec::new(),
            param_at: FxHashMap::default(),
            noises: Vec::new(),
            diagnostics: Diagnostics::default(),
            evaluating: false,
            rule: None,
            prims: FxHashMap::default(),
            memo: FxHashMap::default(),
            owned: FxHashMap::default(),
            prim_in_progress: None,
            calls: Vec::new(),
            depth: 0,
        }
    }

    /// The environment at the top of a file.
    pub(crate) fn root(&self, file: usize) -> Env<'p> {
        Env::new(file, Place::new(""))
    }

    /// Runs a step of a recursion that the input's nesting drives.
    pub(crate) fn deeper<T>(&mut self, span: Span, f: impl FnOnce(&mut Self) -> Res<T>) -> Res<T> {
        if self.b.len() > NODES {
            return fault(
                Diagnostic::error(Code::LIMIT, format!("this needs more than {NODES} operations"))
                    .at(span, "reached here")
                    .help("definitions that apply each other to their own results grow as powers of two"),
            );
        }
        if self.depth >= DEPTH {
            return fault(
                Diagnostic::error(Code::NESTING, format!("nested more than {DEPTH} deep"))
                    .at(span, "here")
                    .help("name a part of it with `let` or `def`"),
            );
        }
        self.depth += 1;
        let result = stacker::maybe_grow(128 * 1024, 4 * 1024 * 1024, || f(self));
        self.depth -= 1;
        result
    }

    /// Says which lines the nodes made from now on come from.
    pub(crate) fn at(&mut self, span: Span, env: &Env<'p>) {
        self.b.at(Origin { span, path: env.place.prefix.as_str().into() });
    }

    /// Keeps a fault as a message and goes on.
    pub(crate) fn keep<T>(&mut self, result: Res<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(Some(d)) => {
                let d = self.called_from(*d);
                self.diagnostics.push(d);
                None
            }
            Err(None) => None,
        }
    }

    /// The fault for a name that means nothing here.
    pub(crate) fn unknown<T>(&self, name: &str, span: Span, env: &Env<'p>, what: &str) -> Res<T> {
        if super::builtins::LATER.contains(&name) {
            return Self::not_yet(&format!("`{name}`"), span);
        }
        let mut names = env.names();
        names.extend(self.defs.visible(env.file));
        let builtins = super::builtins::NAMES.iter().copied();
        let near = nearest(name, names.iter().map(|n| &**n).chain(builtins)).map(str::to_owned);
        let d = Diagnostic::error(Code::UNKNOWN_NAME, format!("there is no {what} `{name}`")).at(span, "unknown here");
        fault(match near {
            Some(near) => d.help(format!("did you mean `{near}`?")),
            None if self.defs.resolve(env.file, name).is_some() => d.help(format!("`{name}` is not a {what}")),
            None => d.help("define it, import it, or see `catlearn explain std` for the names of the prelude"),
        })
    }

    /// Which of the declared names each argument is for, in the order of writing: a named one for its name, one without
    /// a name for the first that is still free. `None` for a name that is not declared, and for one too many.
    pub(crate) fn places(&self, args: &[&'p Arg], declared: &[&str], code: Code) -> Res<Vec<Option<usize>>> {
        let mut taken: Vec<Option<Span>> = vec![None; declared.len()];
        let mut places = Vec::with_capacity(args.len());
        for arg in args {
            let place = match &arg.name {
                Some(key) => declared.iter().position(|d| *d == &*key.name),
                None => taken.iter().position(Option::is_none),
            };
            let here = arg.name.as_ref().map_or(arg.span, |n| n.span);
            if let Some((at, slot)) = place.and_then(|at| Some((at, taken.get_mut(at)?)))
                && let Some(earlier) = slot.replace(here)
            {
                return fault(
                    Diagnostic::error(code, format!("`{}` is given twice", declared.get(at).copied().unwrap_or("")))
                        .at(here, "again here")
                        .also(earlier, "first here"),
                );
            }
            places.push(place);
        }
        Ok(places)
    }

    /// Turns a typing fault into a message at a place.
    pub(crate) fn typed<T>(&self, made: Result<T, TypeFault>, what: &str, span: Span) -> Res<T> {
        made.or_else(|f| {
            let code = match f {
                TypeFault::Base { .. } => Code::BASE,
                TypeFault::Arity { .. } => Code::ARITY,
                TypeFault::Einsum(_) => Code::EINSUM,
                _ => Code::SHAPE,
            };
            fault(Diagnostic::error(code, format!("`{what}` cannot take these: {f}")).at(span, "here"))
        })
    }

    /// The fault for what the grammar knows and this version does not give a meaning.
    pub(crate) fn not_yet<T>(what: &str, span: Span) -> Res<T> {
        fault(
            Diagnostic::error(Code::NOT_YET, format!("{what} is not supported yet"))
                .at(span, "understood, but without a meaning in this version"),
        )
    }
}

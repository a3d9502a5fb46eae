//! One elaboration: a builder, the ports made so far, and what has been said.
//!
//! A session elaborates one item (a model, a training run, a rule) into one diagram. Parameter ports are found by
//! path: asking twice for one path is tying.

use crate::diagram::{Builder, Origin, PrimDef, TypeFault, Wire};
use crate::elaborate::items::ports::ParamPort;
use crate::elaborate::scope::names::{DefId, Definitions, nearest};
use crate::elaborate::terms::after::After;
use crate::elaborate::terms::builtins;
use crate::elaborate::terms::copies::Rows;
use crate::elaborate::update::inner::Lent;
use crate::elaborate::update::rule_scope::RuleScope;
use crate::elaborate::value::{Den, Env, Place, Res, Value, fault};
use crate::source::{Code, Diagnostic, Diagnostics, Span};
use crate::syntax::ast::{Arg, ItemKind, MapKind};
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
    /// Whether ports of what is trained are named by themselves, not under its name.
    pub(crate) bare_ports: bool,
    /// What the first noise port is numbered.
    pub(crate) first_noise: usize,
    pub(crate) rule: Option<RuleScope>,
    /// What the rules passed to the one in progress need of it.
    pub(crate) lent: Option<Lent>,
    pub(crate) prims: FxHashMap<(DefId, Vec<u64>), Arc<PrimDef>>,
    pub(crate) memo: FxHashMap<MemoKey, Value>,
    pub(crate) owned: FxHashMap<DefId, bool>,
    pub(crate) prim_in_progress: Option<DefId>,
    /// How many primitives the one being elaborated stands inside of.
    pub(crate) prim_depth: usize,
    /// The axes of rows around what is being elaborated (`map[k](f)`), outermost first.
    pub(crate) rows: Vec<Rows>,
    /// The calls being elaborated, outermost first.
    pub(crate) calls: Vec<(DefId, Span)>,
    /// Whether settings without a value stand at a sample.
    pub(crate) sampled: bool,
    /// Whether one of them was compared with a word.
    pub(crate) words: bool,
    /// How often each wire was asked for places that it does not have.
    pub(crate) misplaced: FxHashMap<Wire, usize>,
    /// What happens to the value of the map in progress, outermost first.
    pub(crate) after: Vec<After<'p>>,
    /// Whether a suggestion is being tried.
    pub(crate) trying: bool,
    depth: usize,
    /// How many calls were gone through.
    made: usize,
    /// Whether a limit was met: then nothing more is elaborated, so that it is said once.
    spent: bool,
}

/// `a model`, `an objective`.
pub(crate) fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
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
            misplaced: FxHashMap::default(),
            bare_ports: false,
            first_noise: 0,
            rule: None,
            lent: None,
            prims: FxHashMap::default(),
            memo: FxHashMap::default(),
            owned: FxHashMap::default(),
            prim_in_progress: None,
            prim_depth: 0,
            rows: Vec::new(),
            calls: Vec::new(),
            sampled: false,
            words: false,
            after: Vec::new(),
            trying: false,
            depth: 0,
            made: 0,
            spent: false,
        }
    }

    /// The environment at the top of a file.
    pub(crate) fn root(&self, file: usize) -> Env<'p> {
        Env::new(file, Place::new(""))
    }

    /// Runs a step of a recursion that the input's nesting drives.
    pub(crate) fn deeper<T>(&mut self, span: Span, f: impl FnOnce(&mut Self) -> Res<T>) -> Res<T> {
        if self.spent {
            return Err(None);
        }
        if self.b.len() > NODES {
            return self.too_much(span);
        }
        if self.depth >= DEPTH {
            self.spent = true;
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

    /// Refuses copies that cannot all be made, as soon as one of them tells how many operations each takes.
    pub(crate) fn room_for_copies(&mut self, left: u64, before: usize, span: Span) -> Res<()> {
        let each = self.b.len().saturating_sub(before) as u64;
        if each.saturating_mul(left).saturating_add(self.b.len() as u64) > NODES as u64 {
            return self.too_much(span);
        }
        Ok(())
    }

    /// Counts a definition that is gone through; those that are remembered do not count.
    pub(crate) fn count_call(&mut self, span: Span) -> Res<()> {
        self.made += 1;
        if self.made > NODES { self.too_much(span) } else { Ok(()) }
    }

    fn too_much<T>(&mut self, span: Span) -> Res<T> {
        self.spent = true;
        fault(
            Diagnostic::error(Code::LIMIT, format!("this needs more than {NODES} operations"))
                .at(span, "reached here")
                .help("definitions that apply each other to their own results grow as powers of two"),
        )
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
        if builtins::LATER.contains(&name) {
            return Self::not_yet(&format!("`{name}`"), span);
        }
        if let Some((owner, part)) = name.split_once('.')
            && let Some(den) = env.get(owner)
        {
            return match den {
                Den::Wires(_) | Den::Dim(_) => self.no_method((owner, part), span, env),
                _ => Self::not_yet(&format!("`{name}`, a part of what was passed in,"), span),
            };
        }
        if what == "dimension"
            && let Some((id, call)) = self.calls.last()
            && let Some(ItemKind::Map(map)) = self.defs.item(*id).map(|i| &i.kind)
            && map.dims.iter().any(|d| &*d.name.name == name)
        {
            let known = |n: &str| match env.get(n) {
                Some(Den::Dim(n)) => Some(n.to_string()),
                _ => None,
            };
            return fault(self.size_not_given(map, name, *call, known));
        }
        // Only names of the kind that is needed are suggested.
        let map = matches!(what, "map" | "model" | "loss" | "objective");
        let fits = |n: &Arc<str>| {
            let kind = self.defs.resolve(env.file, n).and_then(|id| self.defs.item(id)).map(|i| &i.kind);
            match kind {
                Some(ItemKind::Map(_) | ItemKind::Prim(_)) => map,
                Some(ItemKind::Rule(_)) => what == "update rule",
                Some(ItemKind::Type(_)) => what == "type",
                Some(ItemKind::Dim(_)) => matches!(what, "dimension" | "wire"),
                Some(ItemKind::Const(_)) => what == "wire",
                _ => false,
            }
        };
        let mut names = env.names();
        names.retain(|n| match env.get(n) {
            Some(Den::Map(_)) => map,
            Some(Den::Dim(_)) => matches!(what, "dimension" | "wire"),
            Some(Den::Shape(_)) => what == "shape",
            Some(Den::Wires(_)) => matches!(what, "wire" | "point"),
            _ => false,
        });
        names.extend(self.defs.visible(env.file).into_iter().filter(fits));
        let builtins = builtins::NAMES.iter().copied().filter(|_| map);
        let bases = ["R", "Bool", "Int", "Fin"].into_iter().filter(|_| what == "type");
        let near = nearest(name, names.iter().map(|n| &**n).chain(builtins).chain(bases)).map(str::to_owned);
        let d = Diagnostic::error(Code::UNKNOWN_NAME, format!("there is no {what} `{name}`")).at(span, "unknown here");
        fault(match near {
            Some(near) => d.help(format!("did you mean `{near}`?")),
            None if self.defs.resolve(env.file, name).is_some() => {
                d.help(format!("`{name}` is not {} {what}", article(what)))
            }
            None if what == "wire" => d.help(self.how_to_bind(name)),
            None => d.help("define it or import it"),
        })
    }

    /// What binds a wire of this name: a capital letter in a model is a parameter, any other name a `let`.
    fn how_to_bind(&self, name: &str) -> String {
        let inside = self.calls.last().and_then(|(id, _)| self.defs.item(*id)).map(|i| &i.kind);
        match inside {
            Some(ItemKind::Map(map)) if name.starts_with(char::is_uppercase) => match map.kind {
                MapKind::Model => format!("declare it as a port of `{}`: `{{{name}: R[..] ~ glorot}}`", map.name.name),
                MapKind::Def | MapKind::Loss => format!("define it: `const {name} : R[..] = ..`"),
            },
            _ => format!("bind it before it is used: `let {name} = ..`"),
        }
    }

    /// The fault for `x.sum()`: a map is given its wires in brackets.
    fn no_method<T>(&self, (owner, part): (&str, &str), span: Span, env: &Env<'p>) -> Res<T> {
        let kind = |n: &str| self.defs.resolve(env.file, n).and_then(|id| self.defs.item(id)).map(|i| &i.kind);
        let map = |n: &&str| match kind(n) {
            Some(found) => matches!(found, ItemKind::Map(_) | ItemKind::Prim(_)),
            None => builtins::NAMES.contains(n),
        };
        let visible = self.defs.visible(env.file);
        let names = visible.iter().map(|n| &**n).chain(builtins::NAMES.iter().copied()).filter(map);
        let meant = match part {
            // The names of other languages.
            "T" | "t" => Some("transpose"),
            "view" => Some("reshape"),
            part if map(&part) => Some(part),
            part => nearest(part, names),
        };
        let dims = meant.is_some_and(|m| matches!(m, "reshape" | "split"));
        fault(
            Diagnostic::error(Code::FOREIGN, format!("`{owner}` has no parts: it is a wire"))
                .at(span, "a map is applied in brackets")
                .help(match meant {
                    Some(meant) if dims => format!("write `{meant}[..]({owner})`"),
                    Some(meant) => format!("write `{meant}({owner})`"),
                    None => format!("a map `f` is applied as `f({owner})`"),
                }),
        )
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
                        .also(earlier, "first here")
                        .help("keep one of them"),
                );
            }
            places.push(place);
        }
        Ok(places)
    }

    /// Turns a typing fault into a message at a place.
    pub(crate) fn typed<T>(&self, made: Result<T, TypeFault>, what: &str, span: Span) -> Res<T> {
        made.or_else(|f| {
            let (code, help) = match f {
                TypeFault::Base { .. } => (Code::BASE, "give it wires of the kind that it takes"),
                TypeFault::Arity { .. } => (Code::ARITY, "give it as many wires as it takes"),
                TypeFault::Einsum(_) => (Code::EINSUM, "a letter stands for one size in every operand"),
                _ => (Code::SHAPE, "`reshape` or a slice changes the shape of a wire"),
            };
            fault(Diagnostic::error(code, format!("`{what}` cannot take these: {f}")).at(span, "here").help(help))
        })
    }

    /// The fault for what the grammar knows and this version does not give a meaning.
    pub(crate) fn not_yet<T>(what: &str, span: Span) -> Res<T> {
        fault(
            Diagnostic::error(Code::NOT_YET, format!("{what} is not supported yet"))
                .at(span, "understood, but without a meaning in this version")
                .help("leave it out in this version; `catlearn explain E0901` says what there is"),
        )
    }
}

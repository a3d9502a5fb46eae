//! Instances: definitions at dimensions, settings and types, each elaborated once a session.
//!
//! In: a call whose dimensions are known. Out: the value that an equal call gave (a definition without ports of its own,
//! the same wires), or the nodes of an earlier call made again from other wires of the same types, its ports at their own
//! paths. What is made is what elaborating the body again would make, node by node; so calls of calls cost what they
//! give. An instance that is too large is known to all sessions of a program.

use crate::diagram::{Again, Op, Renamed, Stretch, Wire};
use crate::elaborate::scope::names::DefId;
use crate::elaborate::session::Elab;
use crate::elaborate::typing::dims::Vars;
use crate::elaborate::value::{Den, Env, Place, Res, Value};
use crate::object::Leaf;
use crate::source::Span;
use crate::syntax::ast::{MapItem, TypeKind};
use rustc_hash::FxHashMap;
use std::cell::OnceCell;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

/// A definition at the numbers and types that decide what its body makes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Instance {
    def: DefId,
    numbers: Vec<u64>,
    /// The types of given ports and arguments; for a product how many they are.
    types: Vec<Result<Leaf, usize>>,
}

/// An instance with the wires given to it.
#[derive(Debug)]
pub(crate) struct Application {
    pub(crate) of: Rc<Instance>,
    wires: Vec<Wire>,
    /// Whether it makes no ports: then equal wires give an equal value.
    portless: bool,
}

impl Application {
    /// How many wires are given.
    pub(crate) fn wires(&self) -> usize {
        self.wires.len()
    }
}

/// What is known of an instance in a session.
#[derive(Debug, Default)]
pub(crate) struct Known {
    first: Option<Rc<Elaborated>>,
    /// What it gave from other wires.
    values: FxHashMap<Vec<Wire>, Value>,
}

impl Known {
    /// What it gave from these wires.
    fn value(&self, wires: &[Wire]) -> Option<&Value> {
        let first = self.first.as_ref().filter(|first| first.stretch.from() == wires);
        first.map(|first| &first.value).or_else(|| self.values.get(wires))
    }
}

/// What an instance made when it was elaborated.
#[derive(Debug)]
struct Elaborated {
    value: Value,
    place: Rc<Place>,
    stretch: Stretch,
    /// Its own among the parameters of the session.
    params: Range<usize>,
    /// Whether it can be made again, once that was asked.
    generic: OnceCell<bool>,
}

/// The elaboration of a body, begun.
pub(crate) struct Begun {
    place: Rc<Place>,
    stretch: Stretch,
    params: usize,
    noises: usize,
    said: usize,
}

impl<'p> Elab<'p> {
    /// The instance that a call is of, where numbers and wires are all that is given to it.
    pub(crate) fn application(
        &mut self,
        id: DefId,
        map: &MapItem,
        vars: &Vars,
        inner: &Env<'p>,
        input: &Value,
        given: &[Option<Value>],
    ) -> Option<Application> {
        let all_given = map.ports.iter().zip(given).all(|(p, g)| !p.noise && g.is_some());
        let objects = map.ports.iter().any(|p| matches!(p.ty.kind, TypeKind::Params(_)));
        if objects || !all_given {
            return None;
        }
        let mut numbers = vars.key();
        for formal in &map.formals {
            match inner.get(&formal.name.name) {
                Some(Den::Wires(Value::Number(x))) => numbers.push(x.to_bits()),
                Some(Den::Dim(n)) => numbers.push(*n),
                Some(Den::Flag(b)) => numbers.push(u64::from(*b)),
                _ => return None,
            }
        }
        numbers.push(u64::from(self.evaluating));
        let (mut types, mut wires) = (Vec::new(), Vec::new());
        let mut stack: Vec<&Value> = given.iter().flatten().collect();
        stack.push(input);
        while let Some(v) = stack.pop() {
            match v {
                Value::Wire(w) => {
                    types.push(Ok(self.b.leaf(*w).clone()));
                    wires.push(*w);
                }
                Value::Tuple(parts) => {
                    types.push(Err(parts.len()));
                    stack.extend(parts);
                }
                _ => return None,
            }
        }
        let portless = !map.ports.is_empty() || !self.owns(id);
        Some(Application { of: Rc::new(Instance { def: id, numbers, types }), wires, portless })
    }

    /// What an equal call gave, or what an earlier call of its instance made, made again from these wires.
    pub(crate) fn instantiate(&mut self, call: &Application, span: Span, prefix: &str) -> Res<Option<Value>> {
        let known = self.instances.get(&call.of);
        if let Some(value) = known.filter(|_| call.portless).and_then(|k| k.value(&call.wires)) {
            let (value, mut made) = (value.clone(), Vec::new());
            wires_of(&value, &mut made);
            made.into_iter().for_each(|w| self.b.meet(w.node));
            return Ok(Some(value));
        }
        if let Some(first) = known.and_then(|k| k.first.clone())
            && !self.trying
            && *first.generic.get_or_init(|| {
                let mut outs = Vec::new();
                wires_of(&first.value, &mut outs) && first.stretch.is_generic(&self.b, &outs)
            })
        {
            self.enter(call.of.def, span, Some(call));
            let value = self.again(&first, &call.wires, span, prefix);
            self.calls.pop();
            let value = value?;
            if call.portless
                && let Some(known) = self.instances.get_mut(&call.of)
            {
                known.values.insert(call.wires.clone(), value.clone());
            }
            return Ok(Some(value));
        }
        self.known_too_large(&call.of)?;
        Ok(None)
    }

    /// Begins to elaborate the body of a call.
    pub(crate) fn begin(&mut self, call: &Application, place: &Rc<Place>) -> Begun {
        Begun {
            place: place.clone(),
            stretch: Stretch::begin(&mut self.b, &call.wires),
            params: self.params.len(),
            noises: self.noises.len(),
            said: self.diagnostics.0.len(),
        }
    }

    /// Ends the elaboration of a body, and remembers what it made.
    pub(crate) fn end(&mut self, call: Application, mut begun: Begun, value: Option<&Value>) {
        begun.stretch.end(&mut self.b);
        // A body that draws noise draws it anew at every call.
        let Some(value) = value.cloned().filter(|_| begun.noises == self.noises.len()) else { return };
        // What a rule or a trial makes, and what was warned of at this place, is of this call alone.
        let for_others = self.rule.is_none() && !self.trying && begun.said == self.diagnostics.0.len();
        if !(for_others || call.portless) {
            return;
        }
        let known = self.instances.entry(call.of).or_default();
        if for_others && known.first.is_none() {
            let Begun { place, stretch, params, .. } = begun;
            let (params, generic) = (params..self.params.len(), OnceCell::new());
            known.first = Some(Rc::new(Elaborated { value, place, stretch, params, generic }));
        } else if call.portless {
            known.values.insert(call.wires, value);
        }
    }

    fn again(&mut self, first: &Elaborated, to: &[Wire], span: Span, prefix: &str) -> Res<Value> {
        let before = first.place.prefix.as_str();
        let moved = |old: &str| match old.strip_prefix(before) {
            Some(rest) => format!("{prefix}{rest}"),
            None => old.to_owned(),
        };
        let path = |old: &str| Arc::from(moved(old));
        let path: Option<Renamed<'_>> = if before == prefix { None } else { Some(&path) };
        let mut params = first.params.clone();
        let mut again = Again::new(&self.b, &first.stretch, to);
        for node in first.stretch.nodes() {
            self.room(span)?;
            if matches!(self.b.diagram().node(Wire { node, port: 0 }).op, Op::Input(_)) {
                let Some(p) = params.next().and_then(|i| self.params.get(i)) else { return Err(None) };
                let (own, leaf, init, span) = (moved(&p.path), p.leaf.clone(), p.init.clone(), p.span);
                again.port(self.param(own, leaf, init, span)?);
            } else {
                let made = again.node(&mut self.b, path);
                self.typed(made, "a definition", span)?;
            }
        }
        Ok(each_wire(&first.value, &|w| again.wire(w)))
    }
}

/// The wires of a value; whether it holds none that depend on the leaves of a rule.
fn wires_of(value: &Value, out: &mut Vec<Wire>) -> bool {
    match value {
        Value::Wire(w) => out.push(*w),
        Value::Tuple(parts) => return parts.iter().all(|v| wires_of(v, out)),
        Value::Number(_) => {}
        Value::Family(_) | Value::Poison => return false,
    }
    true
}

/// The same value of other wires.
fn each_wire(value: &Value, to: &impl Fn(Wire) -> Wire) -> Value {
    match value {
        Value::Wire(w) => Value::Wire(to(*w)),
        Value::Tuple(parts) => Value::Tuple(parts.iter().map(|v| each_wire(v, to)).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elaborate::program::Program;
    use crate::elaborate::terms::apply::{Arriving, Call};
    use crate::source::MemoryWorld;
    use crate::syntax::ast::ItemKind;
    use std::fmt::Write as _;

    /// How many bodies are gone through, and how many nodes made, for the last of so many definitions that double.
    fn cost(word: &str, first: &str, levels: usize) -> Option<(usize, usize)> {
        let mut text = format!("{word} f0 : R[4] -> R[4] = {first}\n");
        for i in 1..=levels {
            let _ = writeln!(text, "{word} f{i} : R[4] -> R[4] = f{0} >> f{0}", i - 1);
        }
        let program = Program::parse(&text, "test.lens", &MemoryWorld::default()).ok()?;
        let id = program.defs.resolve(program.main, &format!("f{levels}"))?;
        let Some(ItemKind::Map(map)) = program.defs.item(id).map(|i| &i.kind) else { return None };
        let mut elab = Elab::new(&program.defs);
        let x = elab.b.port("x", crate::diagram::Role::Input, Leaf::real(&[4]));
        let call = Call { span: map.name.span, ..Call::default() };
        let arriving = Arriving { value: Value::Wire(x), from: None };
        elab.apply_map_at(id, map, &call, &elab.root(id.file), arriving, "m".to_owned()).ok()?;
        Some((elab.made, elab.b.len()))
    }

    #[test]
    fn each_definition_that_doubles_is_gone_through_once() {
        // `tanh` is of the language: one node; `dense` is of the prelude: two ports, two nodes.
        assert_eq!(cost("def", "tanh", 12), Some((13, 4096 + 1)));
        assert_eq!(cost("model", "dense[4, 4]", 12), Some((14, 4 * 4096 + 1)));
    }
}

//! `prim`: a map with its own reverse, kept as one node until the reverse derivative has been taken.

use crate::diagram::{Diagram, Op, PrimDef, Reverses, Role, Wire};
use crate::elaborate::scope::names::DefId;
use crate::elaborate::session::Elab;
use crate::elaborate::terms::apply::{Arriving, Call};
use crate::elaborate::typing::dims::Vars;
use crate::elaborate::typing::types::{BaseTerm, Ty};
use crate::elaborate::value::{Env, Place, Res, Value, fault};
use crate::object::{Base, Leaf, Tangent};
use crate::source::{Code, Diagnostic, Span};
use crate::syntax::ast::{Block, PrimItem, PrimRev, Wires};
use std::sync::Arc;

/// How deep primitives may call each other: each is a diagram of its own inside the one that calls it.
const PRIM_DEPTH: usize = 100;

impl<'p> Elab<'p> {
    pub(crate) fn apply_prim(
        &mut self,
        id: DefId,
        prim: &'p PrimItem,
        call: &Call<'p>,
        env: &Env<'p>,
        input: Arriving,
    ) -> Res<Value> {
        let vars = self.call_dims(&prim.name, &prim.dims, call, env)?;
        self.apply_prim_with(id, prim, call, env, input, vars)
    }

    /// The same where the dimensions are given.
    pub(crate) fn apply_prim_with(
        &mut self,
        id: DefId,
        prim: &'p PrimItem,
        call: &Call<'p>,
        env: &Env<'p>,
        input: Arriving,
        mut vars: Vars,
    ) -> Res<Value> {
        let mut inner = Env::new(id.file, Place::new(""));
        let to = self.arrive((&prim.name, &prim.arrow, &prim.dims), call, &input, &mut vars, &mut inner)?;
        // In a rule of global scope, and inside its own `rev`, the body stands for the call.
        if holds_family(&input.value) || self.prim_in_progress == Some(id) {
            let (wires, block) = &prim.fwd;
            self.bind_wires(wires, input.value, call.span, &mut inner)?;
            return self.block(block, &mut inner);
        }
        self.at(call.span, env);
        let mut ins = Vec::new();
        self.flatten(&input.value, call.span, &mut ins)?;
        let key = (id, known_dims(&vars, &ins.iter().map(|w| self.leaf(*w)).collect::<Vec<_>>()));
        let def = match self.prims.get(&key) {
            Some(def) => def.clone(),
            None => {
                let leaves: Vec<Leaf> = ins.iter().map(|w| self.leaf(*w)).collect();
                let def = Arc::new(self.prim_def(id, prim, &input.value, &leaves, &inner)?);
                self.prims.insert(key, def.clone());
                def
            }
        };
        if !pointwise(&def.fwd) {
            self.not_pointwise(&prim.name.name, call.span)?;
        }
        let made = self.b.call(Op::Call(def), &ins);
        let outs = self.typed(made, &prim.name.name, call.span)?;
        let value = match outs.as_slice() {
            [one] => Value::Wire(*one),
            many => Value::Tuple(many.iter().map(|w| Value::Wire(*w)).collect()),
        };
        if let Some(m) = self.unify(&to, &value, &mut vars)? {
            return fault(
                Diagnostic::error(
                    Code::SHAPE,
                    format!("`{}` promises {} and gives {}", prim.name.name, m.needs, m.gives),
                )
                .at(prim.fwd.1.value.span, format!("gives {}", m.gives))
                .also(prim.arrow.to.span, format!("promises {}", m.needs))
                .help(format!("let `fwd` end in {}, or write the type that it gives", m.needs)),
            );
        }
        Ok(value)
    }

    /// The single wires of a value, in order.
    pub(crate) fn flatten(&mut self, value: &Value, span: Span, out: &mut Vec<Wire>) -> Res<()> {
        match value {
            Value::Tuple(parts) => parts.iter().try_for_each(|v| self.flatten(v, span, out)),
            other => {
                out.push(self.as_wire(other, span)?);
                Ok(())
            }
        }
    }

    fn prim_def(
        &mut self,
        id: DefId,
        prim: &'p PrimItem,
        shape: &Value,
        leaves: &[Leaf],
        env: &Env<'p>,
    ) -> Res<PrimDef> {
        if self.prim_depth >= PRIM_DEPTH {
            return fault(
                Diagnostic::error(Code::NESTING, format!("primitives inside primitives, more than {PRIM_DEPTH} deep"))
                    .at(prim.name.span, "reached here")
                    .help("make some of them a `def`: it is opened where it is used"),
            );
        }
        let fwd = self.prim_part(id, &prim.fwd, shape, leaves, &[], env)?;
        let outs = fwd.out_leaves();
        // Over reals alone one reverse serves every tangent; what touches bits or whole numbers has one for each.
        let real = leaves.iter().chain(&outs).all(|l| l.base == Base::Real);
        let mut reverses = Reverses::default();
        // The `rev` of each tangent, and whether it wrote the types of its requests: that beats one that did not.
        let mut taken: Vec<(Tangent, bool, Span)> = Vec::new();
        for rev in &prim.revs {
            let (over, told) = self.tangents_of(rev, &outs);
            let over = if real { vec![Tangent::Real] } else { over };
            if over.is_empty() {
                return no_such_request(prim, rev, &outs);
            }
            let (mut made_one, mut first) = (false, None);
            for tangent in over {
                let said = self.diagnostics.0.len();
                match self.prim_rev(id, prim, rev, shape, (leaves, &outs), env, tangent) {
                    Ok(made) => {
                        made_one = true;
                        let earlier = taken.iter().position(|(t, ..)| *t == tangent);
                        match earlier.and_then(|at| taken.get_mut(at)) {
                            Some((_, written, span)) if *written == told => {
                                return two_reverses(prim, (*span, rev.part.0.span), tangent, real);
                            }
                            Some((_, true, _)) => continue,
                            Some(weaker) => *weaker = (tangent, told, rev.part.0.span),
                            None => taken.push((tangent, told, rev.part.0.span)),
                        }
                        reverses = reverses.with(tangent, made);
                    }
                    // A body that means something over one tangent need not over the other.
                    Err(f) => {
                        let own = self.diagnostics.0.split_off(said.min(self.diagnostics.0.len()));
                        let reason = own.iter().find(|d| d.is_error()).or(f.as_deref()).map(|d| d.message.clone());
                        reverses = reverses.without(tangent, reason.unwrap_or_default());
                        first.get_or_insert((f, own));
                    }
                }
            }
            if let (false, Some((f, own))) = (made_one, first) {
                self.diagnostics.0.extend(own);
                return Err(f);
            }
        }
        let span = prim.revs.first().map_or(prim.name.span, |r| r.span);
        Ok(PrimDef::new(prim.name.name.clone(), fwd, reverses, span))
    }

    /// The tangents that a `rev` is for, those that the written types of its requests allow, and whether it wrote any.
    /// Its requests are its last name or tuple of names.
    fn tangents_of(&mut self, rev: &'p PrimRev, outs: &[Leaf]) -> (Vec<Tangent>, bool) {
        let root = self.root(0);
        let mut written: Vec<Option<Base>> = Vec::new();
        let last = rev.part.0.patterns.last().and_then(|(_, ty)| ty.as_ref());
        let told = match last.map(|t| self.ty(t, &root)) {
            Some(Ok(Ty::Tuple(parts, _))) => parts.into_iter().map(|(_, ty)| ty).collect(),
            Some(Ok(ty)) => vec![ty],
            _ => Vec::new(),
        };
        for ty in told {
            written.push(if let Ty::Leaf { base: BaseTerm::Plain(base), .. } = ty { Some(base) } else { None });
        }
        let fits = |tangent: &Tangent| {
            let asked: Vec<Base> = outs.iter().filter_map(|l| tangent.of(l)).map(|l| l.base).collect();
            written.iter().zip(&asked).all(|(w, a)| w.is_none_or(|w| w == *a))
        };
        let over = Tangent::ALL.into_iter().filter(|t| outs.iter().any(|l| t.of(l).is_some())).filter(fits);
        (over.collect(), written.iter().any(Option::is_some))
    }

    #[allow(clippy::too_many_arguments, reason = "a reverse is its primitive, its shapes and a tangent")]
    fn prim_rev(
        &mut self,
        id: DefId,
        prim: &'p PrimItem,
        rev: &'p PrimRev,
        shape: &Value,
        (leaves, outs): (&[Leaf], &[Leaf]),
        env: &Env<'p>,
        tangent: Tangent,
    ) -> Res<Diagram> {
        let requests: Vec<Leaf> = outs.iter().filter_map(|l| tangent.of(l)).collect();
        let made = self.prim_part(id, &rev.part, shape, leaves, &requests, env)?;
        let needs: Vec<Leaf> = leaves.iter().filter_map(|l| tangent.of(l)).collect();
        let gives = made.out_leaves();
        if needs != gives {
            let show = |l: &[Leaf]| l.iter().map(Leaf::to_string).collect::<Vec<_>>().join(", ");
            let mut fault_here = Diagnostic::error(
                Code::SHAPE,
                format!("`rev` of `{}` must give a request for each input", prim.name.name),
            )
            .at(rev.part.1.value.span, format!("gives {}", show(&gives)))
            .also(prim.arrow.from.span, format!("needs {}", show(&needs)))
            .help("end `rev` in one request an input, each of the shape of its input");
            if tangent != Tangent::Real {
                fault_here =
                    fault_here.note(format!("requests over {tangent}; write the type of `dy` to name another"));
            }
            return fault(fault_here);
        }
        Ok(made)
    }

    /// `fwd` or `rev` as a diagram of its own.
    fn prim_part(
        &mut self,
        id: DefId,
        part: &'p (Wires, Block),
        shape: &Value,
        leaves: &[Leaf],
        requests: &[Leaf],
        env: &Env<'p>,
    ) -> Res<Diagram> {
        let mut inner = Elab::new(self.defs);
        inner.prim_in_progress = Some(id);
        inner.prim_depth = self.prim_depth + 1;
        inner.prims.clone_from(&self.prims);
        let mut ports = Vec::new();
        for (i, leaf) in leaves.iter().enumerate() {
            ports.push(inner.b.port(format!("x{i}"), Role::Input, leaf.clone()));
        }
        let mut next = ports.iter().copied();
        let mut arguments = vec![rebuild(shape, &mut next)];
        if let (Value::Tuple(parts), true) =
            (&arguments.first().cloned().unwrap_or(Value::Poison), part.0.patterns.len() > 1 + requests.len().min(1))
        {
            arguments = parts.clone();
        }
        let mut dys = Vec::new();
        for (i, leaf) in requests.iter().enumerate() {
            dys.push(Value::Wire(inner.b.port(format!("dy{i}"), Role::Cotangent, leaf.clone())));
        }
        let mut value = match (arguments.len(), requests.is_empty()) {
            (_, true) => arguments,
            _ => {
                arguments.push(match dys.len() {
                    1 => dys.pop().unwrap_or(Value::Poison),
                    _ => Value::Tuple(dys),
                });
                arguments
            }
        };
        let value = if value.len() == 1 { value.pop().unwrap_or(Value::Poison) } else { Value::Tuple(value) };
        let mut env = env.clone();
        let result = inner
            .bind_wires(&part.0, value, part.0.span, &mut env)
            .and_then(|()| inner.block(&part.1, &mut env))
            .and_then(|v| {
                let mut outs = Vec::new();
                inner.flatten(&v, part.1.value.span, &mut outs)?;
                Ok(outs)
            });
        let failed = inner.diagnostics.has_errors();
        for d in std::mem::take(&mut inner.diagnostics).0 {
            self.diagnostics.push(d);
        }
        let outs = result?;
        if failed {
            return Err(None);
        }
        Ok(inner.b.finish(&outs))
    }
}

/// The message for a `rev` whose request no output has.
fn no_such_request<T>(prim: &PrimItem, rev: &PrimRev, outs: &[Leaf]) -> Res<T> {
    let over = |t: Tangent| {
        let each: Vec<String> = outs.iter().filter_map(|l| t.of(l)).map(|l| l.to_string()).collect();
        (!each.is_empty()).then(|| format!("{} over {t}", each.join(", ")))
    };
    let asked: Vec<String> = Tangent::ALL.into_iter().filter_map(over).collect();
    let d = Diagnostic::error(Code::BASE, format!("no output of `{}` has the request of this `rev`", prim.name.name))
        .at(rev.part.0.span, "asks for another")
        .also(prim.arrow.to.span, "the outputs");
    fault(match asked.as_slice() {
        [] => d.help("labels have no requests, so nothing is asked through them; leave `rev` off"),
        _ => d.help(format!("a request here is {}", asked.join(", or "))),
    })
}

/// The message for two `rev`s where one is needed.
fn two_reverses<T>(prim: &PrimItem, (first, again): (Span, Span), tangent: Tangent, real: bool) -> Res<T> {
    let d = Diagnostic::error(Code::DUPLICATE_NAME, format!("`{}` has two `rev` over {tangent}", prim.name.name))
        .at(again, "again here")
        .also(first, "first here");
    fault(if real {
        d.help("keep one of them")
    } else {
        d.help("say by the type of `dy` what each is for: `dy : Bool[n]`, `dy : Int[n]`")
    })
}

/// Whether each number of the result depends on the numbers at its own place alone.
fn pointwise(d: &Diagram) -> bool {
    d.nodes().iter().all(|n| match &n.op {
        Op::Input(_) | Op::Const(_) | Op::Add | Op::Map(_) | Op::Whole(_) | Op::ToInt => true,
        Op::Compare(_) | Op::Logic(_) | Op::Select => true,
        // a constant spread over a leaf
        Op::Repeat { .. } => n.ins.iter().all(|w| d.leaf(*w).size(2) == 1),
        Op::Einsum(spec) => spec.ins().iter().all(|letters| letters == spec.out()),
        Op::Call(prim) => pointwise(&prim.fwd),
        _ => false,
    })
}

fn holds_family(value: &Value) -> bool {
    match value {
        Value::Family(_) => true,
        Value::Tuple(parts) => parts.iter().any(holds_family),
        _ => false,
    }
}

/// The same product over other wires.
pub(crate) fn rebuild(shape: &Value, wires: &mut dyn Iterator<Item = Wire>) -> Value {
    match shape {
        Value::Tuple(parts) => Value::Tuple(parts.iter().map(|p| rebuild(p, wires)).collect()),
        _ => wires.next().map_or(Value::Poison, Value::Wire),
    }
}

fn known_dims(vars: &Vars, leaves: &[Leaf]) -> Vec<u64> {
    let mut key = vars.key();
    for leaf in leaves {
        key.extend(leaf.literal_dims().unwrap_or_default());
        key.push(u64::MAX - 1);
    }
    key
}

//! Learn: implement, update, request, with targets (Backprop as Functor, 1711.10455), and Para(Lens), with changes.
//!
//! A learner A -> B is a parameter object P with implement `P * A -> B`, update `P * A * B -> P` and request
//! `P * A * B -> A`, here three diagrams. Composites put the later learner's parameters first, `Q * P` (CORE.md 1.4).
//! [`TargetLearner::of_model`] is the functor L_{eps, e}; [`TargetLearner::to_changes`] and
//! [`TargetLearner::from_changes`] pass between targets and changes through a [`Displacement`].

use super::displacement::Displacement;
use super::step::LearnFault;
use crate::diagram::{Builder, Diagram, Role, TypeFault, Wire};
use crate::object::{Leaf, Tangent};
use crate::reverse::reverse;

/// A learner with targets.
#[derive(Clone, Debug)]
pub struct TargetLearner {
    /// P.
    pub params: Vec<Leaf>,
    /// A.
    pub from: Vec<Leaf>,
    /// B.
    pub to: Vec<Leaf>,
    /// `P * A -> B`.
    pub implement: Diagram,
    /// `P * A * B -> P`.
    pub update: Diagram,
    /// `P * A * B -> A`: the target for what came before.
    pub request: Diagram,
}

/// A parametrised lens: what it does, and the changes it sends back.
#[derive(Clone, Debug)]
pub struct Changes {
    /// P.
    pub params: Vec<Leaf>,
    /// A.
    pub from: Vec<Leaf>,
    /// B.
    pub to: Vec<Leaf>,
    /// `P * A -> B`.
    pub get: Diagram,
    /// `P * A * B' -> P' * A'`.
    pub put: Diagram,
}

/// One displacement a leaf, made when asked.
pub type Displacements<'a> = &'a dyn Fn(&Leaf) -> Result<Displacement, LearnFault>;

fn ports(b: &mut Builder, role: Role, name: &str, leaves: &[Leaf]) -> Vec<Wire> {
    leaves.iter().enumerate().map(|(i, l)| b.port(format!("{name}.{i}"), role, l.clone())).collect()
}

impl TargetLearner {
    /// The identity: no parameters; its request is the **target**.
    #[must_use]
    pub fn identity(leaves: &[Leaf]) -> TargetLearner {
        let make = |with_target: bool, outs: fn(Vec<Wire>, Vec<Wire>) -> Vec<Wire>| {
            let mut b = Builder::new();
            let a = ports(&mut b, Role::Input, "a", leaves);
            let t = if with_target { ports(&mut b, Role::Target, "b", leaves) } else { Vec::new() };
            let outs = outs(a, t);
            b.finish(&outs)
        };
        TargetLearner {
            params: Vec::new(),
            from: leaves.to_vec(),
            to: leaves.to_vec(),
            implement: make(false, |a, _| a),
            update: make(true, |_, _| Vec::new()),
            request: make(true, |_, t| t),
        }
    }

    /// This, then `next`; parameters `Q * P`, the later learner's first.
    ///
    /// # Errors
    /// [`TypeFault`] when B of this is not A of `next`.
    pub fn then(&self, next: &TargetLearner) -> Result<TargetLearner, TypeFault> {
        let params: Vec<Leaf> = next.params.iter().chain(&self.params).cloned().collect();
        let make = |what: What| -> Result<Diagram, TypeFault> {
            let mut b = Builder::new();
            let q = ports(&mut b, Role::Param, "q", &next.params);
            let p = ports(&mut b, Role::Param, "p", &self.params);
            let a = ports(&mut b, Role::Input, "a", &self.from);
            let middle = b.append(&self.implement, &[p.clone(), a.clone()].concat())?;
            let later = [q, middle].concat();
            if what == What::Implement {
                let outs = b.append(&next.implement, &later)?;
                return Ok(b.finish(&outs));
            }
            let c = ports(&mut b, Role::Target, "c", &next.to);
            let later = [later, c].concat();
            // The target of the first learner is the request of the second.
            let target = b.append(&next.request, &later)?;
            let earlier = [p, a, target].concat();
            let outs = if what == What::Update {
                let mut outs = b.append(&next.update, &later)?;
                outs.extend(b.append(&self.update, &earlier)?);
                outs
            } else {
                b.append(&self.request, &earlier)?
            };
            Ok(b.finish(&outs))
        };
        Ok(TargetLearner {
            params,
            from: self.from.clone(),
            to: next.to.clone(),
            implement: make(What::Implement)?,
            update: make(What::Update)?,
            request: make(What::Request)?,
        })
    }

    /// This beside `other`: componentwise.
    ///
    /// # Errors
    /// [`TypeFault`]; never for well-formed learners.
    pub fn tensor(&self, other: &TargetLearner) -> Result<TargetLearner, TypeFault> {
        let join = |x: &[Leaf], y: &[Leaf]| -> Vec<Leaf> { x.iter().chain(y).cloned().collect() };
        let make = |what: What| -> Result<Diagram, TypeFault> {
            let mut b = Builder::new();
            let (p, q) =
                (ports(&mut b, Role::Param, "p", &self.params), ports(&mut b, Role::Param, "q", &other.params));
            let (a, c) = (ports(&mut b, Role::Input, "a", &self.from), ports(&mut b, Role::Input, "c", &other.from));
            let (mut one, mut two) = ([p, a].concat(), [q, c].concat());
            if what != What::Implement {
                one.extend(ports(&mut b, Role::Target, "b", &self.to));
                two.extend(ports(&mut b, Role::Target, "d", &other.to));
            }
            let mut outs = b.append(what.of(self), &one)?;
            outs.extend(b.append(what.of(other), &two)?);
            Ok(b.finish(&outs))
        };
        Ok(TargetLearner {
            params: join(&self.params, &other.params),
            from: join(&self.from, &other.from),
            to: join(&self.to, &other.to),
            implement: make(What::Implement)?,
            update: make(What::Update)?,
            request: make(What::Request)?,
        })
    }

    /// The functor L_{eps, e} on a model: update `p - eps * grad_p E`, request `f_a(grad_a E)`, E the sum of the errors
    /// of the outputs.
    ///
    /// # Errors
    /// [`LearnFault`] when the model or an error has no reverse derivative, or an error cannot be inverted.
    pub fn of_model(model: &Diagram, eps: f64, displacements: Displacements<'_>) -> Result<TargetLearner, LearnFault> {
        TargetLearner::from_changes(&Changes::of_model(model)?, eps, displacements)
    }

    /// A learner with targets from one with changes: the target becomes a change at the output, the change at the input
    /// becomes a target.
    ///
    /// # Errors
    /// [`LearnFault`] when a displacement cannot be had.
    pub fn from_changes(
        lens: &Changes,
        eps: f64,
        displacements: Displacements<'_>,
    ) -> Result<TargetLearner, LearnFault> {
        let make = |update: bool| -> Result<Diagram, LearnFault> {
            let mut b = Builder::new();
            let p = ports(&mut b, Role::Param, "p", &lens.params);
            let a = ports(&mut b, Role::Input, "a", &lens.from);
            let t = ports(&mut b, Role::Target, "b", &lens.to);
            let y = b.append(&lens.get, &[p.clone(), a.clone()].concat())?;
            let mut args = [p.clone(), a.clone()].concat();
            for ((y, t), leaf) in y.iter().zip(&t).zip(&lens.to) {
                args.push(displacements(leaf)?.change(&mut b, *y, *t)?);
            }
            let back = b.append(&lens.put, &args)?;
            let (of_p, of_a) = back.split_at(p.len().min(back.len()));
            let mut outs = Vec::new();
            if update {
                for (p, d) in p.iter().zip(of_p) {
                    let step = b.scale(*d, -eps)?;
                    outs.push(b.add(*p, step)?);
                }
            } else {
                for ((a, d), leaf) in a.iter().zip(of_a).zip(&lens.from) {
                    outs.push(displacements(leaf)?.target(&mut b, *a, *d)?);
                }
            }
            Ok(b.finish(&outs))
        };
        Ok(TargetLearner {
            params: lens.params.clone(),
            from: lens.from.clone(),
            to: lens.to.clone(),
            implement: lens.get.clone(),
            update: make(true)?,
            request: make(false)?,
        })
    }

    /// The changes of a learner with targets, the inverse of [`TargetLearner::from_changes`] at the same `eps`.
    ///
    /// # Errors
    /// [`LearnFault`] when a displacement cannot be had.
    pub fn to_changes(&self, eps: f64, displacements: Displacements<'_>) -> Result<Changes, LearnFault> {
        let mut b = Builder::new();
        let p = ports(&mut b, Role::Param, "p", &self.params);
        let a = ports(&mut b, Role::Input, "a", &self.from);
        let d = ports(&mut b, Role::Cotangent, "d", &self.to);
        let y = b.append(&self.implement, &[p.clone(), a.clone()].concat())?;
        let mut args = [p.clone(), a.clone()].concat();
        for ((y, d), leaf) in y.iter().zip(&d).zip(&self.to) {
            args.push(displacements(leaf)?.target(&mut b, *y, *d)?);
        }
        let mut outs = Vec::new();
        for (p, next) in p.iter().zip(b.append(&self.update, &args)?) {
            let moved = b.sub(next, *p)?;
            outs.push(b.scale(moved, -1.0 / eps)?);
        }
        for ((a, target), leaf) in a.iter().zip(b.append(&self.request, &args)?).zip(&self.from) {
            outs.push(displacements(leaf)?.change(&mut b, *a, target)?);
        }
        Ok(Changes {
            params: self.params.clone(),
            from: self.from.clone(),
            to: self.to.clone(),
            get: self.implement.clone(),
            put: b.finish(&outs),
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Implement,
    Update,
    Request,
}

impl What {
    fn of(self, learner: &TargetLearner) -> &Diagram {
        match self {
            What::Implement => &learner.implement,
            What::Update => &learner.update,
            What::Request => &learner.request,
        }
    }
}

impl Changes {
    /// Para(R) on a model (2103.01931, 3.2): ports of role `Param` and `Input`, all real.
    ///
    /// # Errors
    /// [`LearnFault::Reverse`] when the model has no reverse derivative.
    pub fn of_model(model: &Diagram) -> Result<Changes, LearnFault> {
        let leaves = |places: &[usize]| -> Vec<Leaf> {
            places.iter().filter_map(|i| model.ports().get(*i)).map(|p| p.leaf.clone()).collect()
        };
        let (p, a) = (model.ports_of(Role::Param), model.ports_of(Role::Input));
        let order: Vec<usize> = p.iter().chain(&a).copied().collect();
        let to = model.out_leaves();
        let lens = reverse(model, &Tangent::Real)?.diagram;
        let mut b = Builder::new();
        let given =
            [ports(&mut b, Role::Param, "p", &leaves(&p)), ports(&mut b, Role::Input, "a", &leaves(&a))].concat();
        let back = ports(&mut b, Role::Cotangent, "d", &to);
        let mut args: Vec<Option<Wire>> = vec![None; lens.ports().len()];
        for (at, wire) in order.iter().zip(&given) {
            if let Some(slot) = args.get_mut(*at) {
                *slot = Some(*wire);
            }
        }
        for (slot, wire) in args.iter_mut().skip(order.len()).zip(&back) {
            *slot = Some(*wire);
        }
        let outs = b.append_some(&lens, &args, lens.outs())?;
        let (got, sent) = outs.split_at(to.len().min(outs.len()));
        let sent: Vec<Wire> = order.iter().filter_map(|i| sent.get(*i).copied()).collect();
        let put = b.clone().finish(&sent);
        // Get reads no requests: the same terms over P * A alone.
        let mut alone = Builder::new();
        let given =
            [ports(&mut alone, Role::Param, "p", &leaves(&p)), ports(&mut alone, Role::Input, "a", &leaves(&a))]
                .concat();
        let mut args: Vec<Option<Wire>> = vec![None; model.ports().len()];
        for (at, wire) in order.iter().zip(&given) {
            if let Some(slot) = args.get_mut(*at) {
                *slot = Some(*wire);
            }
        }
        let got_alone = alone.append_some(model, &args, model.outs())?;
        debug_assert_eq!(got.len(), got_alone.len());
        Ok(Changes { params: leaves(&p), from: leaves(&a), to, get: alone.finish(&got_alone), put })
    }
}

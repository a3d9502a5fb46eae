//! Learn: implement, update, request, with targets (Backprop as Functor, 1711.10455), and Para(Lens), with changes.
//!
//! A learner A -> B is a parameter object P with implement `P * A -> B`, update `P * A * B -> P` and request
//! `P * A * B -> A`, here three diagrams. Composites put the later learner's parameters first, `Q * P` (CORE.md 1.4).
//! [`TargetLearner::of_model`] is the functor L_{eps, e}; [`TargetLearner::to_changes`] and
//! [`TargetLearner::from_changes`] pass between targets and changes through a [`Displacement`]. Both are made over a
//! tangent: over the reals this is gradient descent, over parity reverse derivative ascent, Para(Z2) -> Learn.

use super::displacement::Displacement;
use super::step::LearnFault;
use crate::diagram::{Builder, Diagram, Role, TypeFault, Wire};
use crate::object::{Leaf, Tangent};
use crate::prim::{moved, mover};
use crate::reverse::{ReverseFault, reverse};

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
    /// What a change is.
    pub tangent: Tangent,
    /// P.
    pub params: Vec<Leaf>,
    /// A.
    pub from: Vec<Leaf>,
    /// B.
    pub to: Vec<Leaf>,
    /// `P * A -> B`.
    pub get: Diagram,
    /// `P * A * T(B) -> T(P) * T(A)`: no port and no output where a leaf has no tangent.
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

    /// The functor L_{eps, e} on a model: update p moved by `R_p E` at the rate eps (over the reals `p - eps * grad_p E`,
    /// over parity `p xor R_p E` with eps 1), request the target of the change `R_a E`, E the errors of the outputs.
    ///
    /// # Errors
    /// [`LearnFault`] when the model or an error has no reverse derivative, or an error cannot be inverted.
    pub fn of_model(
        model: &Diagram,
        tangent: Tangent,
        eps: f64,
        displacements: Displacements<'_>,
    ) -> Result<TargetLearner, LearnFault> {
        TargetLearner::from_changes(&Changes::of_model(model, tangent)?, eps, displacements)
    }

    /// A learner with targets from one with changes: the target becomes a change at the output, the change at the input
    /// becomes a target. A parameter without a tangent (the wires of a table) stays as it is.
    ///
    /// # Errors
    /// [`LearnFault`] when a displacement cannot be had, and when an input or output has no tangent: nothing could be
    /// asked of it.
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
            let mut args = [p.clone(), a.clone()].concat();
            let y = b.append(&lens.get, &args)?;
            for ((y, t), leaf) in y.iter().zip(&t).zip(&lens.to) {
                args.push(displacements(leaf)?.change(&mut b, *y, *t)?);
            }
            let mut back = b.append(&lens.put, &args)?.into_iter();
            let mut outs = Vec::new();
            for (p, leaf) in p.iter().zip(&lens.params) {
                let change = lens.tangent.of(leaf).and_then(|_| back.next());
                match change {
                    _ if !update => {}
                    Some(change) => outs.push(moved(&mut b, *p, change, eps)?),
                    None => outs.push(*p),
                }
            }
            if !update {
                for ((a, change), leaf) in a.iter().zip(back).zip(&lens.from) {
                    outs.push(displacements(leaf)?.target(&mut b, *a, change)?);
                }
            }
            Ok(b.finish(&outs))
        };
        if let Some(leaf) = lens.from.iter().chain(&lens.to).find(|leaf| lens.tangent.of(leaf).is_none()) {
            let fault = TypeFault::NoReverse(format!("an object {leaf} over {}", lens.tangent));
            return Err(ReverseFault::from(fault).into());
        }
        Ok(TargetLearner {
            params: lens.params.clone(),
            from: lens.from.clone(),
            to: lens.to.clone(),
            implement: lens.get.clone(),
            update: make(true)?,
            request: make(false)?,
        })
    }

    /// A learner with changes from one with targets: the change at the output becomes the target that asks for it. The
    /// update `p moved by p'` gives `p'` back, so eps must be that of the learner.
    ///
    /// # Errors
    /// [`LearnFault`] when a displacement cannot be had.
    pub fn to_changes(
        &self,
        tangent: Tangent,
        eps: f64,
        displacements: Displacements<'_>,
    ) -> Result<Changes, LearnFault> {
        let mut b = Builder::new();
        let p = ports(&mut b, Role::Param, "p", &self.params);
        let a = ports(&mut b, Role::Input, "a", &self.from);
        let changes: Vec<Leaf> = self.to.iter().filter_map(|leaf| tangent.of(leaf)).collect();
        let d = ports(&mut b, Role::Cotangent, "d", &changes);
        let mut args = [p.clone(), a.clone()].concat();
        let y = b.append(&self.implement, &args)?;
        for ((y, d), leaf) in y.iter().zip(&d).zip(&self.to) {
            args.push(displacements(leaf)?.target(&mut b, *y, *d)?);
        }
        let mut outs = Vec::new();
        for ((p, next), leaf) in p.iter().zip(b.append(&self.update, &args)?).zip(&self.params) {
            if tangent.of(leaf).is_some() {
                outs.push(mover(&mut b, *p, next, eps)?);
            }
        }
        for ((a, target), leaf) in a.iter().zip(b.append(&self.request, &args)?).zip(&self.from) {
            outs.push(displacements(leaf)?.change(&mut b, *a, target)?);
        }
        Ok(Changes {
            tangent,
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
    /// Para(R) on a model (2103.01931, 3.2), over a tangent: ports of role `Param` and `Input`.
    ///
    /// # Errors
    /// [`LearnFault::Reverse`] when the model has no reverse derivative.
    pub fn of_model(model: &Diagram, tangent: Tangent) -> Result<Changes, LearnFault> {
        let lens = reverse(model, &tangent)?;
        let places = [Role::Param, Role::Input].map(|role| model.ports_of(role));
        let leaves = |places: &[usize]| -> Vec<Leaf> {
            places.iter().filter_map(|i| model.ports().get(*i)).map(|p| p.leaf.clone()).collect()
        };
        // The requests stand one a port with a tangent, in the order of the ports.
        let mut requests = lens.diagram.outs().get(lens.put.clone()).unwrap_or_default().iter();
        let mut of_port: Vec<Option<Wire>> = Vec::new();
        for port in model.ports() {
            of_port.push(tangent.of(&port.leaf).and_then(|_| requests.next()).copied());
        }
        let sent: Vec<Wire> = places.iter().flatten().filter_map(|i| of_port.get(*i).copied().flatten()).collect();
        let [params, from] = places.each_ref().map(|places| leaves(places));
        let over = |d: &Diagram, outs: &[Wire], back: &[usize]| -> Result<Diagram, TypeFault> {
            let changes: Vec<Leaf> = back.iter().filter_map(|i| d.ports().get(*i)).map(|p| p.leaf.clone()).collect();
            let mut b = Builder::new();
            let mut given = ports(&mut b, Role::Param, "p", &params);
            given.extend(ports(&mut b, Role::Input, "a", &from));
            given.extend(ports(&mut b, Role::Cotangent, "d", &changes));
            let mut args: Vec<Option<Wire>> = vec![None; d.ports().len()];
            for (at, wire) in places.iter().flatten().chain(back).zip(given) {
                if let Some(slot) = args.get_mut(*at) {
                    *slot = Some(wire);
                }
            }
            let outs = b.append_some(d, &args, outs)?;
            Ok(b.finish(&outs))
        };
        let (get, put) = (over(model, model.outs(), &[])?, over(&lens.diagram, &sent, &lens.back)?);
        Ok(Changes { tangent, params, from, to: model.out_leaves(), get, put })
    }
}

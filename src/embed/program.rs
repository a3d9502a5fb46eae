//! What a program and its maps give to a host.

use super::fault::Fault;
use super::learner::Learner;
use crate::diagram::Diagram;
use crate::elaborate::{Model, Program};
use crate::object::Tangent;
use crate::reverse::reverse_diagram;

impl Program {
    /// The learner of a training run, parameters drawn with the run's seed (0 if it names none); no data is read.
    ///
    /// # Errors
    /// [`Fault::Program`] when there is no such run, or it does not check.
    ///
    /// ```
    /// use catlearn::{Fault, MemoryWorld, Program};
    /// use ndarray::array;
    /// let text = "model line : R[1] -> R[1] = dense[1, 1]
    ///             data points { source = inline([[0, 1], [1, 3]]), input = columns(0), target = columns(1) }
    ///             train fit { data = points, model = line, loss = mse, optimiser = gd(lr = 0.1), steps = 1 }";
    /// let program = Program::parse(text, "line.lens", &MemoryWorld::default())?;
    /// let mut learner = program.learner("fit")?;
    /// let (x, y) = (array![[0.0], [1.0]], array![[1.0], [3.0]]);
    /// for _ in 0..200 {
    ///     learner.step(&x, &y)?;
    /// }
    /// let at_two = learner.predict(&array![[2.0]])?.to_f64();
    /// assert!((at_two[0] - 5.0).abs() < 1e-2);
    /// # Ok::<(), Fault>(())
    /// ```
    pub fn learner(&self, name: &str) -> Result<Learner, Fault> {
        let training = self.training(name)?;
        let seed = training.settings.seed.unwrap_or(0);
        Learner::new(training, seed)
    }

    /// The same with another seed.
    ///
    /// # Errors
    /// As [`Program::learner`].
    pub fn learner_seeded(&self, name: &str, seed: u64) -> Result<Learner, Fault> {
        Learner::new(self.training(name)?, seed)
    }
}

impl Model {
    /// Its reverse derivative over the reals, `R[f] : A * B -> A` (1910.07065 Defn 13): the ports of the map, then one
    /// cotangent an output; outputs one request a port that has a tangent.
    ///
    /// # Errors
    /// [`Fault::Reverse`] when a part has no reverse derivative.
    ///
    /// ```
    /// use catlearn::{Fault, MemoryWorld, Program};
    /// let program = Program::parse("def f : R[2] -> R[1] (x) { dot(x, x) }", "f.lens", &MemoryWorld::default())?;
    /// let r = program.model("f")?.reverse()?;
    /// assert_eq!((r.ports().len(), r.outs().len()), (2, 1));
    /// # Ok::<(), Fault>(())
    /// ```
    pub fn reverse(&self) -> Result<Diagram, Fault> {
        self.reverse_over(Tangent::Real)
    }

    /// Its reverse derivative over a tangent: parity and votes are for maps of bits.
    ///
    /// # Errors
    /// [`Fault::Reverse`] when a part has no reverse derivative over it.
    pub fn reverse_over(&self, tangent: Tangent) -> Result<Diagram, Fault> {
        Ok(reverse_diagram(&self.diagram, &tangent)?)
    }
}

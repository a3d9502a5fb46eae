//! What a learner is worth outside training: losses, metrics, predictions.
//!
//! All at the point that the rules name to `evaluate` at, else at the parameters.

use super::Learner;
use crate::diagram::{Builder, Diagram, Port, TypeFault, Wire};
use crate::random::Stream;
use crate::run::fault::RunFault;
use crate::run::float::Float;
use crate::run::metrics::Metrics;
use crate::run::reference::Machine;
use crate::run::schedule::noise_of;
use crate::run::tensor::Tensor;
use crate::source::Diagnostic;

/// Rows looked at together outside training.
const CHUNK: usize = 256;

impl<T: Float> Learner<T> {
    /// Which of some rows have a loss at the parameters.
    ///
    /// # Errors
    /// A message when the machine cannot run.
    pub fn active(&mut self, rows: &[usize]) -> Result<Vec<bool>, Diagnostic> {
        let point = self.params.clone();
        let mut stream = noise_of(self.seed, self.updates);
        let losses = self.losses(&point, rows, &mut stream).map_err(|f| self.message(&f))?;
        let losses = losses.into_iter().next().unwrap_or_default();
        let each = losses.len().checked_div(rows.len()).unwrap_or(0).max(1);
        Ok(losses.chunks(each).map(|row| row.iter().any(|l| *l != 0.0)).collect())
    }

    /// The losses of some rows at a point, outside training, example by example: first what is trained, then, of
    /// several losses, each.
    fn losses(&mut self, point: &[Tensor<T>], rows: &[usize], stream: &mut Stream) -> Result<Vec<Vec<f64>>, RunFault> {
        let inputs = self.fill(&self.evaluate.feeds, point, rows, self.updates, (stream, None))?;
        let outs = self.evaluate.machine.run(&inputs, rows.len().max(1))?;
        // In a game the loss is that of the first player.
        let first = outs.first().filter(|_| self.game);
        Ok(first.into_iter().chain(&outs).map(Tensor::to_f64).collect())
    }

    /// What a diagram of states, parameters and the clock gives at the state the learner is in; in a game the clock is
    /// that of the first player who is watched.
    ///
    /// # Errors
    /// A message when the machine cannot run.
    pub fn looked_at(&self, point: &Diagram) -> Result<Vec<Tensor<T>>, Diagnostic> {
        let mut inputs: Vec<Tensor<T>> = self.states.iter().chain(&self.params).cloned().collect();
        let clock = self.watched.first().map_or(self.updates, |m| self.clock_of(m));
        #[allow(clippy::cast_precision_loss, reason = "a count of turns")]
        inputs.push(Tensor::number(clock as f64));
        Machine::new(point).run(&inputs, 1).map_err(|f| self.message(&f))
    }

    /// The parameters to evaluate at: those of the rule's `evaluate`, else the parameters.
    fn point(&mut self) -> Result<Vec<Tensor<T>>, RunFault> {
        let Some(at) = &self.at else { return Ok(self.params.clone()) };
        let inputs = self.fill(&at.feeds, &self.params, &[], self.updates, (&mut noise_of(self.seed, 0), None))?;
        match &mut self.at {
            Some(at) => at.machine.run(&inputs, 1),
            None => Ok(self.params.clone()),
        }
    }

    /// Loss and metrics on rows, outside training.
    ///
    /// # Errors
    /// A message when the machine cannot run.
    pub fn metrics(&mut self, rows: &[usize]) -> Result<Metrics, Diagnostic> {
        self.measure(rows).map_err(|f| self.message(&f))
    }

    fn measure(&mut self, rows: &[usize]) -> Result<Metrics, RunFault> {
        let point = self.point()?;
        let mut totals = vec![0.0; 1 + self.loss_names.len()];
        let mut counted = self.asked.counted(self.one_class);
        let mut stream = noise_of(self.seed, usize::MAX >> 24);
        let mut prediction_stream = noise_of(self.seed, usize::MAX >> 25);
        let one = self.input.is_none() && self.target.is_none();
        let chunks: Vec<&[usize]> = if one { vec![&[]] } else { rows.chunks(CHUNK).collect() };
        for chunk in chunks {
            for (total, losses) in totals.iter_mut().zip(self.losses(&point, chunk, &mut stream)?) {
                *total += losses.iter().sum::<f64>();
            }
            if self.asked.any() && self.target.is_some() {
                let predicted = self.predicted(&point, chunk, &mut prediction_stream)?;
                let base = self.predict.as_ref().and_then(|f| f.machine.diagram().out_leaves().first().map(|l| l.base));
                if let (Some(p), Some(base), Some(t)) = (predicted.first(), base, &self.target) {
                    counted.add(p, base, &t.gather(chunk));
                }
            }
        }
        #[allow(clippy::cast_precision_loss, reason = "a count of rows")]
        let count = if one { 1.0 } else { rows.len() as f64 };
        let mut means = totals.into_iter().map(|total| total / count);
        let loss = means.next().unwrap_or(f64::NAN);
        let losses = self.loss_names.iter().cloned().zip(means).collect();
        Ok(Metrics { losses, ..self.asked.of(&counted, loss) })
    }

    fn predicted(
        &mut self,
        point: &[Tensor<T>],
        rows: &[usize],
        stream: &mut Stream,
    ) -> Result<Vec<Tensor<T>>, RunFault> {
        let Some(predict) = &self.predict else { return Ok(Vec::new()) };
        let inputs = self.fill(&predict.feeds, point, rows, self.updates, (stream, None))?;
        match &mut self.predict {
            Some(predict) => predict.machine.run(&inputs, rows.len().max(1)),
            None => Ok(Vec::new()),
        }
    }

    /// The model's outputs on rows, outside training, as one tensor an output with the rows along its first axis.
    ///
    /// # Errors
    /// A message when the machine cannot run.
    pub fn predict(&mut self, rows: &[usize]) -> Result<Vec<Tensor<T>>, Diagnostic> {
        let point = self.point().map_err(|f| self.message(&f))?;
        let mut stream = noise_of(self.seed, usize::MAX >> 25);
        let mut parts = Vec::new();
        // All rows at once would take the memory of all of them between any two operations.
        for chunk in rows.chunks(CHUNK) {
            parts.push(self.predicted(&point, chunk, &mut stream).map_err(|f| self.message(&f))?);
        }
        if parts.is_empty() {
            return self.predicted(&point, &[], &mut stream).map_err(|f| self.message(&f));
        }
        let outputs = parts.first().map_or(0, Vec::len);
        let whole = (0..outputs).map(|i| Tensor::stacked(parts.iter().filter_map(|p| p.get(i))));
        Ok(whole.map(|t| t.unwrap_or_else(|| Tensor::number(f64::NAN))).collect())
    }
}

/// Diagrams side by side: ports alike are one, outputs one after the other.
pub(super) fn beside(diagrams: &[&Diagram]) -> Result<Diagram, TypeFault> {
    let mut b = Builder::new();
    let mut shared: Vec<(&Port, Wire)> = Vec::new();
    let mut outs = Vec::new();
    for d in diagrams {
        let mut args = Vec::new();
        for port in d.ports() {
            let known = shared.iter().find(|(other, _)| *other == port).map(|(_, wire)| *wire);
            let wire = known.unwrap_or_else(|| b.port_like(port));
            if known.is_none() {
                shared.push((port, wire));
            }
            args.push(wire);
        }
        outs.extend(b.append(d, &args)?);
    }
    Ok(b.finish(&outs))
}

//! What a machine has prepared for the batch sizes that it met last.

/// How many batch sizes a machine stays prepared for.
const KEPT: usize = 4;

/// Values by batch size, the oldest first.
#[derive(Clone, Debug)]
pub(super) struct PerBatch<P> {
    kept: Vec<(usize, P)>,
}

impl<P> Default for PerBatch<P> {
    fn default() -> PerBatch<P> {
        PerBatch { kept: Vec::new() }
    }
}

impl<P> PerBatch<P> {
    /// What stands for a batch size, made if it is not there; then the oldest goes if there are too many.
    pub(super) fn at<F>(&mut self, batch: usize, make: impl FnOnce() -> Result<P, F>) -> Result<&mut P, F> {
        let at = match self.kept.iter().position(|(known, _)| *known == batch) {
            Some(at) => at,
            None => {
                let made = make()?;
                if self.kept.len() == KEPT {
                    self.kept.remove(0);
                }
                self.kept.push((batch, made));
                self.kept.len() - 1
            }
        };
        #[allow(clippy::indexing_slicing, reason = "found or pushed above")]
        Ok(&mut self.kept[at].1)
    }
}

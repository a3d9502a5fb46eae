//! Parameters and states as safetensors bytes, by path, with what a resumed run must know in the metadata.

use super::float::Float;
use super::learner::{Learner, Named};
use super::tensor::Tensor;
use crate::object::{Base, Leaf};
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use std::collections::{BTreeMap, HashMap};

/// The key of the metadata: lines `key=value`.
const METADATA: &str = "catlearn";

/// Why bytes are not a checkpoint of this run.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CheckpointFault {
    /// Not a safetensors file.
    #[error("this is not a safetensors file: {0}")]
    Format(String),
    /// A tensor that is not there.
    #[error("the checkpoint has no tensor `{0}`")]
    Missing(String),
    /// A tensor of another shape or type.
    #[error("`{name}` is {given} in the checkpoint, the program needs {needs}")]
    Shape {
        /// Its path.
        name: String,
        /// What is there.
        given: String,
        /// What is needed.
        needs: String,
    },
    /// A number that the run's precision cannot hold.
    #[error("`{0}` has numbers beyond the largest of 32 bits; use `precision = f64`")]
    Beyond(String),
    /// A value of the metadata that is missing or cannot be read.
    #[error("the checkpoint does not say its `{0}`")]
    Metadata(String),
}

/// What a checkpoint holds.
#[derive(Clone, Debug)]
pub struct Checkpoint<T> {
    /// Parameters in the order of the program.
    pub params: Vec<Tensor<T>>,
    /// States in the order of the program; empty when the file has none.
    pub states: Vec<Tensor<T>>,
    /// Everything else.
    pub metadata: BTreeMap<String, String>,
}

impl<T: Float> Checkpoint<T> {
    /// The bytes of a learner's parameters and states.
    ///
    /// # Errors
    /// [`CheckpointFault::Format`] when they cannot be written.
    pub fn save(
        leaves: (&[Named], &[Named]),
        tensors: (&[Tensor<T>], &[Tensor<T>]),
        metadata: &BTreeMap<String, String>,
    ) -> Result<Vec<u8>, CheckpointFault> {
        let all: Vec<(&Named, &Tensor<T>)> =
            leaves.0.iter().zip(tensors.0).chain(leaves.1.iter().zip(tensors.1)).collect();
        for (i, ((path, _), _)) in all.iter().enumerate() {
            if all.iter().take(i).any(|((other, _), _)| other == path) {
                return Err(CheckpointFault::Format(format!("two tensors are called `{path}`")));
            }
        }
        let bytes: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = all
            .into_iter()
            .map(|((path, _), tensor)| {
                let (kind, raw) = encode(tensor);
                (path.to_string(), kind, tensor.shape().to_vec(), raw)
            })
            .collect();
        let mut views = Vec::new();
        for (name, kind, shape, raw) in &bytes {
            let view =
                TensorView::new(*kind, shape.clone(), raw).map_err(|e| CheckpointFault::Format(e.to_string()))?;
            views.push((name.clone(), view));
        }
        // One entry: several would be written in an order of their own each time.
        let lines: Vec<String> = metadata.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let metadata = HashMap::from([(METADATA.to_owned(), lines.join("\n"))]);
        serialize(views, Some(metadata)).map_err(|e| CheckpointFault::Format(e.to_string()))
    }

    /// Reads bytes for a learner; `states` says whether states must be there too.
    ///
    /// # Errors
    /// [`CheckpointFault`] when the bytes are not a checkpoint of this program.
    pub fn load(bytes: &[u8], learner: &Learner<T>, states: bool) -> Result<Checkpoint<T>, CheckpointFault> {
        let format = |e: safetensors::SafeTensorError| CheckpointFault::Format(e.to_string());
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(format)?;
        let file = SafeTensors::deserialize(bytes).map_err(format)?;
        let lines = header.metadata().as_ref().and_then(|m| m.get(METADATA)).cloned().unwrap_or_default();
        let pairs = lines.lines().filter_map(|l| l.split_once('='));
        let metadata = pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        let read = |(path, leaf): &Named| -> Result<Tensor<T>, CheckpointFault> {
            let view = file.tensor(path).map_err(|_| CheckpointFault::Missing(path.to_string()))?;
            let fits = view.shape() == leaf.shape(1).as_slice();
            if leaf.base != Base::Real {
                return exact(&view, leaf.base).filter(|_| fits).ok_or_else(|| misshapen(path, &view, leaf));
            }
            let entries = decode(&view).filter(|_| fits);
            if entries.iter().flatten().any(|x| x.is_finite() && !T::from_f64(*x).to_f64().is_finite()) {
                return Err(CheckpointFault::Beyond(path.to_string()));
            }
            let tensor = entries.and_then(|e| Tensor::real(view.shape(), e.iter().map(|x| T::from_f64(*x)).collect()));
            tensor.ok_or_else(|| misshapen(path, &view, leaf))
        };
        let params = learner.param_leaves().iter().map(read).collect::<Result<_, _>>()?;
        let states =
            if states { learner.state_leaves().iter().map(read).collect::<Result<_, _>>()? } else { Vec::new() };
        Ok(Checkpoint { params, states, metadata })
    }

    /// Puts a learner to where the saved one stood (see [`Learner::standing`]); one that fails leaves it as it was.
    ///
    /// # Errors
    /// [`CheckpointFault::Metadata`] when a count is missing or no number.
    pub fn restore(self, learner: &mut Learner<T>) -> Result<(), CheckpointFault> {
        let count = |key: &str| self.number(key).map(|n| usize::try_from(n).unwrap_or(usize::MAX));
        let or_none = |key: &str| if self.metadata.contains_key(key) { count(key) } else { Ok(0) };
        let (step, turn) = (count("step")?, or_none("turn")?);
        let (seen, at_step) = (or_none("seen")?, or_none("seen_at_step")?);
        learner.restore(self.params, self.states, step);
        learner.restore_turn(turn);
        learner.restore_seen(seen, at_step);
        Ok(())
    }

    /// A whole number of the metadata.
    ///
    /// # Errors
    /// [`CheckpointFault::Metadata`] when it is missing or no number.
    pub fn number(&self, key: &str) -> Result<u64, CheckpointFault> {
        let found = self.metadata.get(key).and_then(|v| v.parse().ok());
        found.ok_or_else(|| CheckpointFault::Metadata(key.to_owned()))
    }
}

impl<T: Float> Learner<T> {
    /// Where the learner stands, as metadata of a checkpoint: its updates, within the cycle of a game its turn, and where
    /// `active(k)` stands in the order of the examples.
    #[must_use]
    pub fn standing(&self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::from([("step".to_owned(), self.updates().to_string())]);
        if self.turn() > 0 {
            all.insert("turn".to_owned(), self.turn().to_string());
        }
        if self.seen() > 0 {
            all.insert("seen".to_owned(), self.seen().to_string());
            all.insert("seen_at_step".to_owned(), self.seen_at_step().to_string());
        }
        all
    }
}

fn encode<T: Float>(tensor: &Tensor<T>) -> (Dtype, Vec<u8>) {
    if let Some(bits) = tensor.bools() {
        return (Dtype::BOOL, bits.iter().map(|b| u8::from(*b)).collect());
    }
    if let Some(whole) = tensor.ints() {
        return (Dtype::I64, whole.iter().flat_map(|x| x.to_le_bytes()).collect());
    }
    let entries = tensor.to_f64();
    if size_of::<T>() == 8 {
        (Dtype::F64, entries.iter().flat_map(|x| x.to_le_bytes()).collect())
    } else {
        #[allow(clippy::cast_possible_truncation, reason = "the entries came from f32")]
        (Dtype::F32, entries.iter().flat_map(|x| (*x as f32).to_le_bytes()).collect())
    }
}

fn misshapen(path: &str, view: &TensorView<'_>, leaf: &Leaf) -> CheckpointFault {
    let given = format!("{:?}{:?}", view.dtype(), view.shape());
    CheckpointFault::Shape { name: path.to_owned(), given, needs: leaf.to_string() }
}

/// Bits, whole numbers and labels as they are: they never go through a double, which would round them.
fn exact<T: Float>(view: &TensorView<'_>, base: Base) -> Option<Tensor<T>> {
    let raw = view.data();
    match (view.dtype(), base) {
        (Dtype::BOOL, Base::Bool) => Tensor::bool(view.shape(), raw.iter().map(|b| *b != 0).collect()),
        (Dtype::I64, Base::Int | Base::Fin(_)) => {
            let whole: Vec<i64> =
                raw.chunks_exact(8).filter_map(|c| c.try_into().ok()).map(i64::from_le_bytes).collect();
            let inside = |x: &i64| if let Base::Fin(n) = base { (0..i64::from(n)).contains(x) } else { true };
            if whole.iter().all(inside) { Tensor::int(view.shape(), whole) } else { None }
        }
        _ => None,
    }
}

fn decode(view: &TensorView<'_>) -> Option<Vec<f64>> {
    let raw = view.data();
    fn each<const N: usize>(raw: &[u8], f: impl Fn([u8; N]) -> f64) -> Vec<f64> {
        raw.chunks_exact(N).filter_map(|c| c.try_into().ok()).map(f).collect()
    }
    Some(match view.dtype() {
        Dtype::F64 => each(raw, f64::from_le_bytes),
        Dtype::F32 => each(raw, |b| f64::from(f32::from_le_bytes(b))),
        _ => return None,
    })
}

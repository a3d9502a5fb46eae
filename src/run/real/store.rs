//! The buffers of a compiled diagram: tensors that came in, entries that stages made.

use crate::run::apply::{Entries, View};
use crate::run::float::Float;
use crate::run::tensor::Tensor;
use rustc_hash::FxHashMap;

/// What a slot holds.
#[derive(Clone, Debug)]
pub(super) enum Held<T> {
    Nothing,
    Given(Tensor<T>),
    Made(Entries<T>),
}

impl<T: Float> Held<T> {
    /// As a tensor of a shape, if there are as many entries.
    pub(super) fn tensor(self, shape: &[usize]) -> Option<Tensor<T>> {
        match self {
            Held::Nothing => None,
            Held::Given(x) => x.reshaped(shape),
            Held::Made(entries) => Tensor::of(shape, entries),
        }
    }
}

/// Slots by number, and buffers that no slot needs at the moment, by length.
#[derive(Clone, Debug)]
pub(super) struct Store<T> {
    slots: Vec<Held<T>>,
    spare: FxHashMap<usize, Vec<Vec<T>>>,
}

impl<T: Float> Store<T> {
    pub(super) fn new(slots: usize) -> Store<T> {
        Store { slots: (0..slots).map(|_| Held::Nothing).collect(), spare: FxHashMap::default() }
    }

    fn set(&mut self, slot: usize, held: Held<T>) {
        if let Some(place) = self.slots.get_mut(slot) {
            *place = held;
        }
    }

    pub(super) fn give(&mut self, slot: usize, tensor: Tensor<T>) {
        self.set(slot, Held::Given(tensor));
    }

    pub(super) fn put(&mut self, slot: usize, made: Entries<T>) {
        self.set(slot, Held::Made(made));
    }

    /// Empties a slot.
    pub(super) fn free(&mut self, slot: usize) {
        self.set(slot, Held::Nothing);
    }

    /// Empties a slot that [`Store::take_reals`] fills; its buffer is kept for another.
    pub(super) fn spare(&mut self, slot: usize) {
        if let Some(Held::Made(Entries::Real(x))) = self.take(slot) {
            self.spare.entry(x.len()).or_default().push(x);
        }
    }

    /// How many buffers wait to be used again.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.spare.values().map(Vec::len).sum()
    }

    /// What a slot holds, which is then empty.
    pub(super) fn take(&mut self, slot: usize) -> Option<Held<T>> {
        self.slots.get_mut(slot).map(|held| std::mem::replace(held, Held::Nothing))
    }

    pub(super) fn copy(&self, slot: usize) -> Option<Held<T>> {
        self.slots.get(slot).cloned()
    }

    pub(super) fn view(&self, slot: usize) -> Option<View<'_, T>> {
        match self.slots.get(slot)? {
            Held::Nothing => None,
            Held::Given(tensor) => tensor.entries(),
            Held::Made(Entries::Real(x)) => Some(View::Real(x)),
            Held::Made(Entries::Bool(x)) => Some(View::Bool(x)),
            Held::Made(Entries::Int(x)) => Some(View::Int(x)),
        }
    }

    pub(super) fn reals(&self, slot: usize) -> Option<&[T]> {
        if let View::Real(x) = self.view(slot)? { Some(x) } else { None }
    }

    pub(super) fn bits(&self, slot: usize) -> Option<&[bool]> {
        if let View::Bool(x) = self.view(slot)? { Some(x) } else { None }
    }

    /// The reals of a slot to be written over: as many as asked for, of any value.
    pub(super) fn take_reals(&mut self, slot: usize, len: usize) -> Vec<T> {
        match self.take(slot) {
            Some(Held::Made(Entries::Real(x))) if x.len() == len => x,
            _ => self.spare.get_mut(&len).and_then(Vec::pop).unwrap_or_else(|| vec![T::ZERO; len]),
        }
    }

    /// The bits of a slot to be written over.
    pub(super) fn take_bits(&mut self, slot: usize, len: usize) -> Vec<bool> {
        match self.take(slot) {
            Some(Held::Made(Entries::Bool(x))) if x.len() == len => x,
            _ => vec![false; len],
        }
    }
}

//! Products: loops around matrix products.

use super::matrix::{Matrices, multiply};
use super::store::Store;
use crate::compile::Product;
use crate::run::apply::Entries;
use crate::run::fault::RunFault;
use crate::run::float::Float;
use smallvec::{SmallVec, smallvec};

/// A product with room for a matrix in another order.
#[derive(Clone, Debug)]
pub(super) struct Products<T> {
    product: Product,
    scratch: Vec<T>,
}

impl<T: Float> Products<T> {
    pub(super) fn new(product: &Product) -> Products<T> {
        Products { product: product.clone(), scratch: Vec::new() }
    }

    /// The slots that it reads.
    pub(super) fn reads(&self, each: impl FnMut(usize)) {
        self.product.operands.into_iter().chain(self.product.factors.iter().copied()).for_each(each);
    }

    pub(super) fn run(&mut self, store: &mut Store<T>) -> Result<(), RunFault> {
        let Products { product: p, scratch } = self;
        let misfit = || RunFault::Misfit { node: p.node };
        let mut out = store.take_reals(p.out, p.len);
        let [left, right] = p.operands.map(|slot| store.reals(slot));
        let (left, right) = (left.ok_or_else(misfit)?, right.ok_or_else(misfit)?);
        let mut alpha = T::from_f64(p.scale);
        for slot in &p.factors {
            alpha *= store.reals(*slot).and_then(|x| x.first()).copied().ok_or_else(misfit)?;
        }
        if p.adds || p.k.size == 0 {
            out.fill(T::ZERO);
        }
        let one = Matrices { m: p.m, n: p.n, k: p.k, alpha, adds: p.adds };
        let mut at = [0_usize; 3];
        let mut count: SmallVec<[usize; 4]> = smallvec![0; p.loops.len()];
        let empty = p.k.size == 0 || p.len == 0 || p.loops.iter().any(|l| l.size == 0);
        'all: loop {
            if empty {
                break;
            }
            let [a, b, c] = at;
            let views = (left.get(a..), right.get(b..), out.get_mut(c..));
            let (Some(a), Some(b), Some(c)) = views else { return Err(misfit()) };
            multiply(&one, a, b, c, scratch).ok_or_else(misfit)?;
            let mut axis = p.loops.len();
            loop {
                let Some(before) = axis.checked_sub(1) else { break 'all };
                axis = before;
                let (Some(l), Some(n)) = (p.loops.get(axis), count.get_mut(axis)) else { break 'all };
                *n += 1;
                if *n < l.size {
                    at.iter_mut().zip(l.steps).for_each(|(at, step)| *at += step);
                    break;
                }
                *n = 0;
                at.iter_mut().zip(l.steps).for_each(|(at, step)| *at -= step * (l.size - 1));
            }
        }
        store.put(p.out, Entries::Real(out));
        Ok(())
    }
}

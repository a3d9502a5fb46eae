//! Products: loops around matrix products.

use super::matrix::{Matrices, multiply};
use super::store::Store;
use crate::compile::Product;
use crate::run::apply::Entries;
use crate::run::fault::RunFault;
use crate::run::float::Float;
use crate::run::nest::{Axis, walk};

/// A product with room for a matrix in another order.
#[derive(Clone, Debug)]
pub(super) struct Products<T> {
    product: Product,
    loops: Vec<Axis>,
    scratch: Vec<T>,
}

impl<T: Float> Products<T> {
    pub(super) fn new(product: &Product) -> Products<T> {
        let loops = product.loops.iter().map(|l| Axis { size: l.size, steps: l.steps.into_iter().collect() });
        Products { product: product.clone(), loops: loops.collect(), scratch: Vec::new() }
    }

    /// The slots that it reads.
    pub(super) fn reads(&self, each: impl FnMut(usize)) {
        self.product.operands.into_iter().chain(self.product.factors.iter().copied()).for_each(each);
    }

    pub(super) fn run(&mut self, store: &mut Store<T>) -> Result<(), RunFault> {
        let Products { product: p, loops, scratch } = self;
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
        if p.k.size > 0 && p.len > 0 {
            walk(loops, 3, |at| {
                let [a, b, c] = at else { return Err(misfit()) };
                let (Some(a), Some(b), Some(c)) = (left.get(*a..), right.get(*b..), out.get_mut(*c..)) else {
                    return Err(misfit());
                };
                multiply(&one, a, b, c, scratch).ok_or_else(misfit)
            })?;
        }
        store.put(p.out, Entries::Real(out));
        Ok(())
    }
}

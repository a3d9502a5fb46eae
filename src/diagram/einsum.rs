//! Einsum with spiders on both sides: the multilinear maps, closed under the reverse derivative.
//!
//! `out[o] = scale * sum over the other letters of the product of the operands`. A letter may be repeated in an
//! operand (diagonal) or in the result (the rest is zero), stand only in the result (broadcast) or only in operands
//! (sum). No operand: a constant fill. It *is* product, sum, transpose, trace, broadcast and fill; R of it in one
//! operand is an einsum again (PROBE.md 2.4). Letters are numbered by first use, operands before the result, so that
//! equal maps have equal specs.

use super::op::Bits;
use super::typing::TypeFault;
use crate::object::{Dim, Leaf};
use smallvec::SmallVec;
use std::fmt;

/// The letters of one operand or of the result, outermost axis first.
pub type Letters = SmallVec<[u8; 6]>;

/// Which letters stand where; canonical (letters numbered by first use).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct EinsumSpec {
    ins: SmallVec<[Letters; 2]>,
    out: Letters,
    free: SmallVec<[(u8, Dim); 2]>,
    scale: Bits,
}

impl EinsumSpec {
    /// A canonical spec from letters of any naming; `size` tells the dimension of a letter that no operand has.
    ///
    /// # Errors
    /// [`TypeFault::Einsum`] when a letter only in the result has no size, or there are more than 200 letters.
    pub fn new<L: Copy + PartialEq>(
        ins: &[Vec<L>],
        out: &[L],
        size: impl Fn(L) -> Option<Dim>,
        scale: f64,
    ) -> Result<EinsumSpec, TypeFault> {
        let mut names: Vec<L> = Vec::new();
        let mut number = |l: L| -> Result<u8, TypeFault> {
            let at = names.iter().position(|n| *n == l).unwrap_or_else(|| {
                names.push(l);
                names.len() - 1
            });
            u8::try_from(at).ok().filter(|n| *n < 200).ok_or(TypeFault::Einsum("more than 200 letters".into()))
        };
        let mut canon: SmallVec<[Letters; 2]> = SmallVec::new();
        for letters in ins {
            canon.push(letters.iter().map(|l| number(*l)).collect::<Result<_, _>>()?);
        }
        let out_canon: Letters = out.iter().map(|l| number(*l)).collect::<Result<_, _>>()?;
        let mut free: SmallVec<[(u8, Dim); 2]> = SmallVec::new();
        for (l, n) in out.iter().zip(&out_canon) {
            let known = canon.iter().any(|letters| letters.contains(n)) || free.iter().any(|(f, _)| f == n);
            if !known {
                let dim = size(*l).ok_or(TypeFault::Einsum("a letter of the result has no size".into()))?;
                free.push((*n, dim));
            }
        }
        Ok(EinsumSpec { ins: canon, out: out_canon, free, scale: Bits(scale) })
    }

    /// The letters of each operand.
    #[must_use]
    pub fn ins(&self) -> &[Letters] {
        &self.ins
    }

    /// The letters of the result.
    #[must_use]
    pub fn out(&self) -> &Letters {
        &self.out
    }

    /// The letters that only the result has, with their dimensions.
    #[must_use]
    pub fn free(&self) -> &[(u8, Dim)] {
        &self.free
    }

    /// The constant factor.
    #[must_use]
    pub fn scale(&self) -> f64 {
        self.scale.0
    }

    /// The same map times a constant.
    #[must_use]
    pub fn scaled(&self, by: f64) -> EinsumSpec {
        EinsumSpec { scale: Bits(self.scale.0 * by), ..self.clone() }
    }

    /// The dimension of every letter, by number.
    ///
    /// # Errors
    /// [`TypeFault::Einsum`] when operands do not have as many axes as letters or disagree about a letter.
    pub fn sizes(&self, ins: &[&Leaf]) -> Result<Vec<Dim>, TypeFault> {
        if ins.len() != self.ins.len() {
            return Err(TypeFault::Arity { needs: self.ins.len(), given: ins.len() });
        }
        let top = self.ins.iter().chain([&self.out]).flatten().max().map_or(0, |n| usize::from(*n) + 1);
        let mut sizes: Vec<Option<Dim>> = vec![None; top];
        for (l, d) in &self.free {
            sizes[usize::from(*l)] = Some(*d);
        }
        for (k, (letters, leaf)) in self.ins.iter().zip(ins).enumerate() {
            if letters.len() != leaf.rank() {
                return Err(TypeFault::Einsum(format!(
                    "operand {} is {leaf} with {} axes, its letters are {}",
                    k + 1,
                    leaf.rank(),
                    letters.len()
                )));
            }
            for (l, d) in letters.iter().zip(&leaf.dims) {
                let slot = &mut sizes[usize::from(*l)];
                match slot {
                    Some(known) if known != d => {
                        let l = letter(*l);
                        return Err(TypeFault::Einsum(format!(
                            "letter {l} is {known} in one place and {d} in another"
                        )));
                    }
                    _ => *slot = Some(*d),
                }
            }
        }
        Ok(sizes.into_iter().map(|d| d.unwrap_or(Dim::ONE)).collect())
    }

    /// Whether it is the identity on its only operand.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        let distinct = |letters: &Letters| (0..letters.len()).all(|i| !letters[..i].contains(&letters[i]));
        self.ins.len() == 1 && self.ins[0] == self.out && self.scale == Bits(1.0) && distinct(&self.out)
    }
}

/// A letter as people write it.
pub(super) fn letter(n: u8) -> String {
    if n < 26 { char::from(b'a' + n).to_string() } else { format!("l{n}") }
}

impl fmt::Display for EinsumSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |letters: &Letters| letters.iter().map(|l| letter(*l)).collect::<Vec<_>>().concat();
        let ins: Vec<String> = self.ins.iter().map(word).collect();
        write!(f, "{}->{}", ins.join(","), word(&self.out))
    }
}

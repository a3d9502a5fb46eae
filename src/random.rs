//! Random numbers: ChaCha8, one stream a use, so that a use never disturbs another.
//!
//! The conversions from bits to numbers are ours: a dependency's new release cannot change a run. Cited sources:
//! uniform by the 53 high bits; normal by Marsaglia's polar method; shuffling by Fisher and Yates.
//!
//! ```
//! use catlearn::random::{Stream, Use};
//! let mut a = Stream::new(7, Use::Init);
//! let mut b = Stream::new(7, Use::Init);
//! assert_eq!(a.uniform().to_bits(), b.uniform().to_bits());
//! ```

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What random numbers are drawn for; each has a stream of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Use {
    /// Splitting data into parts.
    Split,
    /// Initial parameters and states.
    Init,
    /// The order of the examples.
    Shuffle,
    /// Changing the examples.
    Augment,
    /// Noise ports of the model.
    Noise,
    /// Noise ports of the update rule.
    Rule,
    /// Cases of laws.
    Laws,
    /// Points of data sets that are drawn rather than read.
    Data,
}

/// One stream of random numbers.
#[derive(Clone, Debug)]
pub struct Stream {
    rng: ChaCha8Rng,
}

impl Stream {
    /// The stream of a use under a seed.
    #[must_use]
    pub fn new(seed: u64, of: Use) -> Stream {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(of as u64);
        Stream { rng }
    }

    /// Where the stream stands, for a checkpoint.
    #[must_use]
    pub fn position(&self) -> u128 {
        self.rng.get_word_pos()
    }

    /// Goes to where a stream stood.
    pub fn seek(&mut self, position: u128) {
        self.rng.set_word_pos(position);
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.rng.next_u64()
    }

    /// A number in [0, 1), every multiple of 2^-53 as likely as the next.
    #[allow(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A whole number below `n` (0 when `n` is 0), without bias.
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 {
            return 0;
        }
        let limit = u64::MAX - u64::MAX % n;
        loop {
            let draw = self.bits();
            if draw < limit {
                return draw % n;
            }
        }
    }

    /// A number drawn from the standard normal distribution (Marsaglia's polar method).
    pub fn normal(&mut self) -> f64 {
        loop {
            let (u, v) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let s = u * u + v * v;
            if s > 0.0 && s < 1.0 {
                return u * (-2.0 * s.ln() / s).sqrt();
            }
        }
    }

    /// Puts the items into a random order (Fisher and Yates, from the end).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = usize::try_from(self.below(i as u64 + 1)).unwrap_or(0);
            items.swap(i, j);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_do_not_disturb_each_other() {
        let mut init = Stream::new(1, Use::Init);
        let mut shuffle = Stream::new(1, Use::Shuffle);
        assert_ne!(init.bits(), shuffle.bits());
    }

    #[test]
    fn a_stream_returns_to_where_it_stood() {
        let mut s = Stream::new(3, Use::Noise);
        s.bits();
        let at = s.position();
        let first = s.normal();
        s.seek(at);
        assert_eq!(first.to_bits(), s.normal().to_bits());
    }

    #[test]
    fn normal_has_mean_zero_and_variance_one() {
        let mut s = Stream::new(5, Use::Init);
        let draws: Vec<f64> = (0..20_000).map(|_| s.normal()).collect();
        let mean = draws.iter().sum::<f64>() / 20_000.0;
        let var = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03 && (var - 1.0).abs() < 0.05, "{mean} {var}");
    }
}

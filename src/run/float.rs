//! The number types of a run: `f32` and `f64`, and their functions.
//!
//! Where the standard library leaves a result open (`powi`) or has none (`erf`, `sigmoid`), the algorithm is fixed here.

use std::fmt::{Debug, Display};
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

/// A floating-point type that a run can compute in.
pub trait Float:
    Copy
    + Default
    + PartialEq
    + PartialOrd
    + Debug
    + Display
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
{
    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;
    /// The nearest number to a double.
    fn from_f64(x: f64) -> Self;
    /// As a double, exactly.
    fn to_f64(self) -> f64;
    /// e^x.
    #[must_use]
    fn exp(self) -> Self;
    /// Natural logarithm.
    #[must_use]
    fn ln(self) -> Self;
    /// log(1 + x).
    #[must_use]
    fn ln_1p(self) -> Self;
    /// e^x - 1.
    #[must_use]
    fn exp_m1(self) -> Self;
    /// Square root.
    #[must_use]
    fn sqrt(self) -> Self;
    /// Sine.
    #[must_use]
    fn sin(self) -> Self;
    /// Cosine.
    #[must_use]
    fn cos(self) -> Self;
    /// Hyperbolic tangent.
    #[must_use]
    fn tanh(self) -> Self;
    /// Absolute value.
    #[must_use]
    fn abs(self) -> Self;
    /// The largest whole number not above x.
    #[must_use]
    fn floor(self) -> Self;
    /// x^y.
    #[must_use]
    fn powf(self, y: Self) -> Self;

    /// Whether it is not a number.
    fn is_nan(self) -> bool {
        self.partial_cmp(&self).is_none()
    }

    /// x^n by squaring, the reciprocal at the end for n < 0 (compiler-rt's `__powidf2`; Rust leaves the order open).
    #[must_use]
    fn powi(self, n: i32) -> Self {
        let (mut left, mut square, mut power) = (n.unsigned_abs(), self, Self::ONE);
        loop {
            if left & 1 == 1 {
                power *= square;
            }
            left >>= 1;
            if left == 0 {
                break;
            }
            square *= square;
        }
        if n < 0 { Self::ONE / power } else { power }
    }

    /// 1 / (1 + e^-x) without overflow on either side.
    #[must_use]
    fn sigmoid(self) -> Self {
        if self < Self::ZERO {
            let e = self.exp();
            e / (Self::ONE + e)
        } else {
            Self::ONE / (Self::ONE + (-self).exp())
        }
    }

    /// -1, 0 or 1; 0 at both zeros, NaN at NaN.
    #[must_use]
    fn sign(self) -> Self {
        if self > Self::ZERO {
            Self::ONE
        } else if self < Self::ZERO {
            -Self::ONE
        } else if self == Self::ZERO {
            Self::ZERO
        } else {
            self
        }
    }

    /// The error function, in double precision and rounded.
    #[must_use]
    fn erf(self) -> Self {
        Self::from_f64(erf(self.to_f64()))
    }
}

macro_rules! float {
    ($t:ident, $from:expr) => {
        impl Float for $t {
            const ZERO: $t = 0.0;
            const ONE: $t = 1.0;
            fn from_f64(x: f64) -> $t {
                $from(x)
            }
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            fn exp(self) -> $t {
                $t::exp(self)
            }
            fn ln(self) -> $t {
                $t::ln(self)
            }
            fn ln_1p(self) -> $t {
                $t::ln_1p(self)
            }
            fn exp_m1(self) -> $t {
                $t::exp_m1(self)
            }
            fn sqrt(self) -> $t {
                $t::sqrt(self)
            }
            fn sin(self) -> $t {
                $t::sin(self)
            }
            fn cos(self) -> $t {
                $t::cos(self)
            }
            fn tanh(self) -> $t {
                $t::tanh(self)
            }
            fn abs(self) -> $t {
                $t::abs(self)
            }
            fn floor(self) -> $t {
                $t::floor(self)
            }
            fn powf(self, y: $t) -> $t {
                $t::powf(self, y)
            }
        }
    };
}

float!(f64, |x: f64| x);
float!(f32, |x: f64| x as f32);

/// c0 + c1 x + c2 x^2 + ..
fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

/// The error function: Sun's fdlibm `s_erf.c` (1993), rational approximations on five intervals, error below 1 ulp.
#[must_use]
pub fn erf(x: f64) -> f64 {
    let a = x.abs();
    if a.is_nan() {
        return x;
    }
    let positive = if a < 0.84375 {
        if a < 2.0_f64.powi(-28) {
            a + 1.283_791_670_955_126e-1 * a
        } else {
            let z = a * a;
            a + a * (polynomial(&PP, z) / polynomial(&QQ, z))
        }
    } else if a < 1.25 {
        let s = a - 1.0;
        ERX + polynomial(&PA, s) / polynomial(&QA, s)
    } else if a < 6.0 {
        let s = 1.0 / (a * a);
        let ratio = if a < 1.0 / 0.35 {
            polynomial(&RA, s) / polynomial(&SA, s)
        } else {
            polynomial(&RB, s) / polynomial(&SB, s)
        };
        // a with its low 32 bits cleared: its square is exact
        let z = f64::from_bits(a.to_bits() & 0xffff_ffff_0000_0000);
        1.0 - (-z * z - 0.5625).exp() * ((z - a) * (z + a) + ratio).exp() / a
    } else {
        1.0
    };
    positive.copysign(x)
}

const ERX: f64 = 8.450_629_115_104_675e-1;
const PP: [f64; 5] = [
    1.283_791_670_955_125_6e-1,
    -3.250_421_072_470_015e-1,
    -2.848_174_957_559_851e-2,
    -5.770_270_296_489_442e-3,
    -2.376_301_665_665_016_3e-5,
];
const QQ: [f64; 6] = [
    1.0,
    3.979_172_239_591_553_5e-1,
    6.502_224_998_876_73e-2,
    5.081_306_281_875_766e-3,
    1.324_947_380_043_216_4e-4,
    -3.960_228_278_775_368e-6,
];
const PA: [f64; 7] = [
    -2.362_118_560_752_659_4e-3,
    4.148_561_186_837_483_3e-1,
    -3.722_078_760_357_013e-1,
    3.183_466_199_011_617_5e-1,
    -1.108_946_942_823_966_8e-1,
    3.547_830_432_561_823_6e-2,
    -2.166_375_594_868_791e-3,
];
const QA: [f64; 7] = [
    1.0,
    1.064_208_804_008_442_3e-1,
    5.403_979_177_021_71e-1,
    7.182_865_441_419_627e-2,
    1.261_712_198_087_616_4e-1,
    1.363_708_391_202_905e-2,
    1.198_449_984_679_910_7e-2,
];
const RA: [f64; 8] = [
    -9.864_944_034_847_148e-3,
    -6.938_585_727_071_818e-1,
    -1.055_862_622_532_329_1e1,
    -6.237_533_245_032_600_6e1,
    -1.623_966_694_625_734_7e2,
    -1.846_050_929_067_110_4e2,
    -8.128_743_550_630_66e1,
    -9.814_329_344_169_145e0,
];
const SA: [f64; 9] = [
    1.0,
    1.965_127_166_743_925_7e1,
    1.376_577_541_435_190_4e2,
    4.345_658_774_752_292_3e2,
    6.453_872_717_332_679e2,
    4.290_081_400_275_678_3e2,
    1.086_350_055_417_794_4e2,
    6.570_249_770_319_282e0,
    -6.042_441_521_485_81e-2,
];
const RB: [f64; 7] = [
    -9.864_942_924_700_1e-3,
    -7.992_832_376_805_23e-1,
    -1.775_795_491_775_475_2e1,
    -1.606_363_848_558_219_2e2,
    -6.375_664_433_683_896e2,
    -1.025_095_131_611_077_2e3,
    -4.835_191_916_086_514e2,
];
const SB: [f64; 8] = [
    1.0,
    3.033_806_074_348_246e1,
    3.257_925_129_965_739e2,
    1.536_729_586_084_437e3,
    3.199_858_219_508_595_5e3,
    2.553_050_406_433_164_4e3,
    4.745_285_412_069_553_7e2,
    -2.244_095_244_658_582e1,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erf_is_accurate_on_every_interval() {
        // erf(x) from mpmath
        let known = [
            (0.0, 0.0),
            (1e-10, 1.128_379_167_095_512_5e-10),
            (0.1, 0.112_462_916_018_284_89),
            (0.5, 0.520_499_877_813_046_5),
            (0.9, 0.796_908_212_422_832),
            (1.0, 0.842_700_792_949_714_9),
            (2.0, 0.995_322_265_018_952_7),
            (3.0, 0.999_977_909_503_001_4),
            (7.0, 1.0),
        ];
        for (x, y) in known {
            assert!((erf(x) - y).abs() <= 1e-15 * y.max(1e-300), "{x}: {} {y}", erf(x));
            assert_eq!(erf(-x).to_bits(), (-erf(x)).to_bits());
        }
        assert!(erf(f64::NAN).is_nan());
    }

    #[test]
    fn sigmoid_is_stable_and_sign_keeps_nan() {
        assert_eq!(Float::sigmoid(-800.0_f64), 0.0);
        assert_eq!(Float::sigmoid(800.0_f64), 1.0);
        assert_eq!(Float::sigmoid(0.0_f32), 0.5);
        assert!(Float::sign(f64::NAN).is_nan());
        assert_eq!(Float::sign(-0.0_f64), 0.0);
        assert_eq!((Float::powi(2.0_f64, -3), Float::powi(0.0_f64, 0), Float::powi(3.0_f32, 4)), (0.125, 1.0, 81.0));
    }
}

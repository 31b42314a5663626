use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Sub};

use crate::simd::Dispatch;

/// Samples that a lane holds side by side.
pub const SAMPLES: usize = 16;

/// A number type that networks can be run in: `f32` for speed, `f64` as the truth it is held against.
pub trait Element:
    Dispatch
    + Copy
    + Default
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Send
    + Sync
    + Debug
    + 'static
{
    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;
    /// Smaller than every number.
    const NEG_INFINITY: Self;
    /// The largest finite number.
    const LARGEST: f64;

    /// The nearest number to `x`.
    fn from_f64(x: f64) -> Self;
    /// The same number in double precision.
    fn to_f64(self) -> f64;
    /// `self * a + b`, rounded once.
    fn fma(self, a: Self, b: Self) -> Self;
    /// e to the power of `self`: [`quick_exp`](Self::quick_exp) as a call, which takes less code where it need not be
    /// fast.
    fn exp(self) -> Self;
    /// The error function: [`quick_erf`](Self::quick_erf) as a call.
    fn erf(self) -> Self;
    /// The natural logarithm.
    fn ln(self) -> Self;
    /// Sine and cosine.
    fn sin_cos(self) -> (Self, Self);
    /// The square root, rounded once.
    fn sqrt(self) -> Self;
    /// e to the power of `self`: with `f32` off by one unit in the last place at most, and 0 where it is smaller than
    /// 2e-38.
    fn quick_exp(self) -> Self;
    /// The error function: with `f32` off by 5e-7 at most.
    fn quick_erf(self) -> Self;
}

macro_rules! element {
    ($float:ident, $exp:path, $erf:path, $ln:path, $sin_cos:path) => {
        impl Element for $float {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const NEG_INFINITY: Self = $float::NEG_INFINITY;
            const LARGEST: f64 = $float::MAX as f64;

            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                x as $float
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self.into()
            }
            #[inline(always)]
            fn fma(self, a: Self, b: Self) -> Self {
                self.mul_add(a, b)
            }
            #[inline(never)]
            fn exp(self) -> Self {
                $exp(self)
            }
            #[inline(never)]
            fn erf(self) -> Self {
                $erf(self)
            }
            fn ln(self) -> Self {
                $ln(self)
            }
            fn sin_cos(self) -> (Self, Self) {
                $sin_cos(self)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                $float::sqrt(self)
            }
            #[inline(always)]
            fn quick_exp(self) -> Self {
                $exp(self)
            }
            #[inline(always)]
            fn quick_erf(self) -> Self {
                $erf(self)
            }
        }
    };
}

element!(f32, quick_exp, quick_erf, libm::logf, libm::sincosf);
element!(f64, libm::exp, libm::erf, libm::log, libm::sincos);

/// Cephes' exponential function (Moshier 1992): with n the whole number nearest to x / ln 2, a polynomial of
/// x - n ln 2, which is taken in two parts, times 2^n. There are no branches, so that compilers do all samples of a
/// lane at once, and no fused operations, so that they do so without instructions for these.
#[inline(always)]
fn quick_exp(x: f32) -> f32 {
    /// Numbers of this size have no digits behind the point: to add it is to round.
    const WHOLE: f32 = 12_582_912.0; // 1.5 * 2^23
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    // Where e^x is neither infinite nor too small to be taken apart like that.
    let (least, most) = (-86.9, 88.722_84);
    let within = if x > most { most } else { x };
    let within = if within < least { least } else { within };
    let rounded = within * std::f32::consts::LOG2_E + WHOLE;
    let n = rounded - WHOLE;
    let r = within - n * LN_2[0] - n * LN_2[1];
    let mut sum = 1.987_569_2e-4;
    for coefficient in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        sum = sum * r + coefficient;
    }
    let power = sum * (r * r) + r + 1.0;
    // 2^n as 2^(n - 1) * 2, since 2^128 is no number.
    let exponent = (rounded.to_bits() & 0x1ff).wrapping_sub(WHOLE.to_bits() & 0x1ff).wrapping_add(126) & 0xff;
    let power = power * f32::from_bits(exponent << 23) * 2.0;
    if x < least {
        0.0
    } else if x > most {
        f32::INFINITY
    } else {
        power
    }
}

/// Hastings' approximation of the error function (Abramowitz and Stegun 7.1.26): `1 - t p(t) e^(-x^2)` with a polynomial
/// p of t = 1 / (1 + 0.3275911 |x|).
#[inline(always)]
fn quick_erf(x: f32) -> f32 {
    let size = if x < 0.0 { -x } else { x };
    let t = 1.0 / (1.0 + 0.327_591_1 * size);
    let mut sum = 1.061_405_4;
    for coefficient in [-1.453_152, 1.421_413_7, -0.284_496_74, 0.254_829_6] {
        sum = sum * t + coefficient;
    }
    let below_1 = sum * t * quick_exp(-size * size);
    if x < 0.0 { below_1 - 1.0 } else { 1.0 - below_1 }
}

/// One number for each of [`SAMPLES`] samples: the value of a unit, as every kernel sees it.
///
/// For `f32` this is exactly a cache line, one AVX-512 register, two of AVX2 or four of NEON.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(64))]
pub struct Lane<E = f32>(pub [E; SAMPLES]);

impl<E: Element> Lane<E> {
    /// Zero for every sample.
    pub const ZERO: Self = Lane([E::ZERO; SAMPLES]);

    /// The same number for every sample.
    pub const fn splat(x: E) -> Self {
        Lane([x; SAMPLES])
    }

    /// The sum over the samples: the second half is added to the first, until one number is left.
    #[inline(always)]
    pub fn total(&self) -> E {
        let mut numbers = self.0;
        let mut half = SAMPLES / 2;
        while half > 0 {
            for i in 0..half {
                numbers[i] = numbers[i] + numbers[i + half];
            }
            half /= 2;
        }
        numbers[0]
    }
}

impl<E: Element> Default for Lane<E> {
    fn default() -> Self {
        Self::ZERO
    }
}

macro_rules! arithmetic {
    ($trait:ident, $method:ident, $operator:tt) => {
        impl<E: Element> $trait for Lane<E> {
            type Output = Self;

            #[inline(always)]
            fn $method(mut self, other: Self) -> Self {
                for (x, y) in self.0.iter_mut().zip(other.0) {
                    *x = *x $operator y;
                }
                self
            }
        }
    };
}

arithmetic!(Add, add, +);
arithmetic!(Sub, sub, -);
arithmetic!(Mul, mul, *);
arithmetic!(Div, div, /);

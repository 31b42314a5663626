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
    /// e to the power of `self`.
    fn exp(self) -> Self;
    /// The error function.
    fn erf(self) -> Self;
}

macro_rules! element {
    ($float:ident, $exp:path, $erf:path) => {
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
            fn exp(self) -> Self {
                $exp(self)
            }
            fn erf(self) -> Self {
                $erf(self)
            }
        }
    };
}

element!(f32, libm::expf, libm::erff);
element!(f64, libm::exp, libm::erf);

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
}

impl<E: Element> Default for Lane<E> {
    fn default() -> Self {
        Self::ZERO
    }
}

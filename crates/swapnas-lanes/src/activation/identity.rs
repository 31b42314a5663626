use super::{Curve, number};
use crate::simd::Simd;

/// x itself: what kernels apply where there is no activation.
#[derive(Clone, Copy)]
pub(crate) struct Identity;

impl Curve for Identity {
    #[inline(always)]
    fn value<S: Simd>(self, _simd: S, x: S::V) -> S::V {
        x
    }

    #[inline(always)]
    fn slope<S: Simd>(self, simd: S, _x: S::V) -> S::V {
        number(simd, 1.0)
    }

    #[inline(always)]
    fn second_derivative<S: Simd>(self, simd: S, _x: S::V) -> S::V {
        simd.zero()
    }
}

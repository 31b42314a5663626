use std::arch::x86_64::*;

use super::Simd;
use crate::{Lane, SAMPLES};

/// A lane of double precision in two registers. Holding this token proves that the processor has
/// AVX-512F.
#[derive(Clone, Copy)]
pub(crate) struct Avx512Double(pub(super) ());

// SAFETY (all blocks below): the token proves that the processor has the instruction, which has no
// other precondition; loads and stores get their lane by reference.
impl Simd for Avx512Double {
    type E = f64;
    type V = __m512d;
    const WIDTH: usize = SAMPLES / 2;
    const REGISTERS: usize = 32;

    #[inline(always)]
    fn splat(self, x: f64) -> __m512d {
        // SAFETY: see above.
        unsafe { _mm512_set1_pd(x) }
    }
    #[inline(always)]
    fn load(self, lane: &Lane<f64>, part: usize) -> __m512d {
        // SAFETY: see above; a lane is two registers of 64 aligned bytes.
        unsafe { _mm512_load_pd(lane.0[part * Self::WIDTH..][..Self::WIDTH].as_ptr()) }
    }
    #[inline(always)]
    fn store(self, v: __m512d, lane: &mut Lane<f64>, part: usize) {
        // SAFETY: see above; a lane is two registers of 64 aligned bytes.
        unsafe { _mm512_store_pd(lane.0[part * Self::WIDTH..][..Self::WIDTH].as_mut_ptr(), v) }
    }
    #[inline(always)]
    fn add(self, a: __m512d, b: __m512d) -> __m512d {
        // SAFETY: see above.
        unsafe { _mm512_add_pd(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: __m512d, b: __m512d) -> __m512d {
        // SAFETY: see above.
        unsafe { _mm512_sub_pd(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: __m512d, b: __m512d) -> __m512d {
        // SAFETY: see above.
        unsafe { _mm512_mul_pd(a, b) }
    }
    #[inline(always)]
    fn div(self, a: __m512d, b: __m512d) -> __m512d {
        // SAFETY: see above.
        unsafe { _mm512_div_pd(a, b) }
    }
    #[inline(always)]
    fn fma(self, a: __m512d, b: __m512d, c: __m512d) -> __m512d {
        // SAFETY: see above.
        unsafe { _mm512_fmadd_pd(a, b, c) }
    }
    #[inline(always)]
    fn max(self, a: __m512d, b: __m512d) -> __m512d {
        // SAFETY: see above. The instruction returns b unless a > b, as `Simd::max` asks.
        unsafe { _mm512_max_pd(a, b) }
    }
    #[inline(always)]
    fn min(self, a: __m512d, b: __m512d) -> __m512d {
        // SAFETY: see above. The instruction returns b unless a < b, as `Simd::min` asks.
        unsafe { _mm512_min_pd(a, b) }
    }
    #[inline(always)]
    fn greater(self, a: __m512d, b: __m512d) -> u16 {
        // SAFETY: see above.
        unsafe { _mm512_cmp_pd_mask::<_CMP_GT_OQ>(a, b) }.into()
    }
    #[inline(always)]
    fn select(self, a: __m512d, b: __m512d, c: __m512d, d: __m512d) -> __m512d {
        // SAFETY: see above.
        unsafe { _mm512_mask_blend_pd(_mm512_cmp_pd_mask::<_CMP_GT_OQ>(a, b), d, c) }
    }
    #[inline(always)]
    fn map(self, a: __m512d, f: impl Fn(f64) -> f64) -> __m512d {
        let mut lane = Lane::<f64>::ZERO;
        self.store(a, &mut lane, 0);
        for x in &mut lane.0[..Self::WIDTH] {
            *x = f(*x);
        }
        self.load(&lane, 0)
    }
    #[inline(always)]
    fn prefetch_for_write(self, lane: *const Lane<f64>) {
        // SAFETY: a hint, for any address; processors without the instruction do nothing.
        unsafe { _mm_prefetch::<_MM_HINT_ET0>(lane.cast()) }
    }
}

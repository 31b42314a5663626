use std::arch::x86_64::*;

use super::{Simd, part_of, part_of_mut};
use crate::Lane;

/// A lane of double precision in four registers. Holding this token proves that the processor has AVX2 and FMA.
#[derive(Clone, Copy)]
pub(crate) struct Avx2Double(pub(super) ());

// SAFETY (all blocks below): the token proves that the processor has the instruction, which has no
// other precondition; loads and stores get their 32 bytes by reference.
impl Simd for Avx2Double {
    type E = f64;
    type V = __m256d;
    const WIDTH: usize = 4;
    const REGISTERS: usize = 16;

    #[inline(always)]
    fn splat(self, x: f64) -> __m256d {
        // SAFETY: see above.
        unsafe { _mm256_set1_pd(x) }
    }
    #[inline(always)]
    fn load(self, lane: &Lane<f64>, part: usize) -> __m256d {
        // SAFETY: see above.
        unsafe { _mm256_loadu_pd(part_of::<f64, 4>(&lane.0, part).as_ptr()) }
    }
    #[inline(always)]
    fn store(self, v: __m256d, lane: &mut Lane<f64>, part: usize) {
        // SAFETY: see above.
        unsafe { _mm256_storeu_pd(part_of_mut::<f64, 4>(&mut lane.0, part).as_mut_ptr(), v) }
    }
    #[inline(always)]
    fn add(self, a: __m256d, b: __m256d) -> __m256d {
        // SAFETY: see above.
        unsafe { _mm256_add_pd(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: __m256d, b: __m256d) -> __m256d {
        // SAFETY: see above.
        unsafe { _mm256_sub_pd(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: __m256d, b: __m256d) -> __m256d {
        // SAFETY: see above.
        unsafe { _mm256_mul_pd(a, b) }
    }
    #[inline(always)]
    fn div(self, a: __m256d, b: __m256d) -> __m256d {
        // SAFETY: see above.
        unsafe { _mm256_div_pd(a, b) }
    }
    #[inline(always)]
    fn fma(self, a: __m256d, b: __m256d, c: __m256d) -> __m256d {
        // SAFETY: see above.
        unsafe { _mm256_fmadd_pd(a, b, c) }
    }
    #[inline(always)]
    fn max(self, a: __m256d, b: __m256d) -> __m256d {
        // SAFETY: see above. The instruction returns b unless a > b, as `Simd::max` asks.
        unsafe { _mm256_max_pd(a, b) }
    }
    #[inline(always)]
    fn min(self, a: __m256d, b: __m256d) -> __m256d {
        // SAFETY: see above. The instruction returns b unless a < b, as `Simd::min` asks.
        unsafe { _mm256_min_pd(a, b) }
    }
    #[inline(always)]
    fn greater(self, a: __m256d, b: __m256d) -> u16 {
        // SAFETY: see above.
        let bits = unsafe { _mm256_movemask_pd(_mm256_cmp_pd::<_CMP_GT_OQ>(a, b)) };
        bits as u16
    }
    #[inline(always)]
    fn select(self, a: __m256d, b: __m256d, c: __m256d, d: __m256d) -> __m256d {
        // SAFETY: see above.
        unsafe { _mm256_blendv_pd(d, c, _mm256_cmp_pd::<_CMP_GT_OQ>(a, b)) }
    }
    #[inline(always)]
    fn map(self, a: __m256d, f: impl Fn(f64) -> f64) -> __m256d {
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

use std::arch::x86_64::*;

use super::{Simd, part_of, part_of_mut};
use crate::Lane;

/// A lane in two registers. Holding this token proves that the processor has AVX2 and FMA.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(pub(super) ());

// SAFETY (all blocks below): the token proves that the processor has the instruction, which has no
// other precondition; loads and stores get their 32 bytes by reference.
impl Simd for Avx2 {
    type E = f32;
    type V = __m256;
    const WIDTH: usize = 8;
    const REGISTERS: usize = 16;

    #[inline(always)]
    fn splat(self, x: f32) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_set1_ps(x) }
    }
    #[inline(always)]
    fn load(self, lane: &Lane, part: usize) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_loadu_ps(part_of::<f32, 8>(&lane.0, part).as_ptr()) }
    }
    #[inline(always)]
    fn store(self, v: __m256, lane: &mut Lane, part: usize) {
        // SAFETY: see above.
        unsafe { _mm256_storeu_ps(part_of_mut::<f32, 8>(&mut lane.0, part).as_mut_ptr(), v) }
    }
    #[inline(always)]
    fn add(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_add_ps(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_sub_ps(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_mul_ps(a, b) }
    }
    #[inline(always)]
    fn div(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_div_ps(a, b) }
    }
    #[inline(always)]
    fn fma(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn max(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: see above. The instruction returns b unless a > b, as `Simd::max` asks.
        unsafe { _mm256_max_ps(a, b) }
    }
    #[inline(always)]
    fn min(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: see above. The instruction returns b unless a < b, as `Simd::min` asks.
        unsafe { _mm256_min_ps(a, b) }
    }
    #[inline(always)]
    fn greater(self, a: __m256, b: __m256) -> u16 {
        // SAFETY: see above.
        let bits = unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(a, b)) };
        bits as u16
    }
    #[inline(always)]
    fn select(self, a: __m256, b: __m256, c: __m256, d: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_blendv_ps(d, c, _mm256_cmp_ps::<_CMP_GT_OQ>(a, b)) }
    }
    #[inline(always)]
    fn map(self, a: __m256, f: impl Fn(f32) -> f32) -> __m256 {
        let mut lane = Lane::ZERO;
        self.store(a, &mut lane, 0);
        for x in &mut lane.0[..Self::WIDTH] {
            *x = f(*x);
        }
        self.load(&lane, 0)
    }
    #[inline(always)]
    fn totals(self, lanes: &[Lane; 4]) -> [f32; 4] {
        let mut halves = [self.zero(); 4];
        for (half, lane) in halves.iter_mut().zip(lanes) {
            *half = self.add(self.load(lane, 0), self.load(lane, 1));
        }
        let [a, b, c, d] = halves;
        let mut totals = Lane::ZERO;
        // SAFETY: see above.
        let sums = unsafe {
            // Four numbers of a lane and four of the next, then two of each of the four: a, c, b, d.
            let ab =
                _mm256_add_ps(_mm256_permute2f128_ps::<0x20>(a, b), _mm256_permute2f128_ps::<0x31>(a, b));
            let cd =
                _mm256_add_ps(_mm256_permute2f128_ps::<0x20>(c, d), _mm256_permute2f128_ps::<0x31>(c, d));
            let twos = _mm256_add_ps(_mm256_shuffle_ps::<0x44>(ab, cd), _mm256_shuffle_ps::<0xee>(ab, cd));
            _mm256_add_ps(twos, _mm256_permute_ps::<0xb1>(twos))
        };
        self.store(sums, &mut totals, 0);
        [totals.0[0], totals.0[4], totals.0[2], totals.0[6]]
    }
    #[inline(always)]
    fn prefetch_for_write(self, lane: *const Lane) {
        // SAFETY: a hint, for any address; processors without the instruction do nothing.
        unsafe { _mm_prefetch::<_MM_HINT_ET0>(lane.cast()) }
    }
}

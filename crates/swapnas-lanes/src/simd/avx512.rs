use std::arch::x86_64::*;

use super::Simd;
use crate::{Lane, SAMPLES};

/// A lane in one register. Holding this token proves that the processor has AVX-512F.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(pub(super) ());

// SAFETY (all blocks below): the token proves that the processor has the instruction, which has no
// other precondition; loads and stores get their 64 bytes by reference.
impl Simd for Avx512 {
    type E = f32;
    type V = __m512;
    const WIDTH: usize = SAMPLES;
    const REGISTERS: usize = 32;

    #[inline(always)]
    fn splat(self, x: f32) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_set1_ps(x) }
    }
    #[inline(always)]
    fn load(self, lane: &Lane, _part: usize) -> __m512 {
        // SAFETY: see above; a lane is 64 aligned bytes.
        unsafe { _mm512_load_ps(lane.0.as_ptr()) }
    }
    #[inline(always)]
    fn store(self, v: __m512, lane: &mut Lane, _part: usize) {
        // SAFETY: see above; a lane is 64 aligned bytes.
        unsafe { _mm512_store_ps(lane.0.as_mut_ptr(), v) }
    }
    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_add_ps(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_sub_ps(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_mul_ps(a, b) }
    }
    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_div_ps(a, b) }
    }
    #[inline(always)]
    fn fma(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: see above. The instruction returns b unless a > b, as `Simd::max` asks.
        unsafe { _mm512_max_ps(a, b) }
    }
    #[inline(always)]
    fn min(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: see above. The instruction returns b unless a < b, as `Simd::min` asks.
        unsafe { _mm512_min_ps(a, b) }
    }
    #[inline(always)]
    fn greater(self, a: __m512, b: __m512) -> u16 {
        // SAFETY: see above.
        unsafe { _mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, b) }
    }
    #[inline(always)]
    fn select(self, a: __m512, b: __m512, c: __m512, d: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, b), d, c) }
    }
    #[inline(always)]
    fn map(self, a: __m512, f: impl Fn(f32) -> f32) -> __m512 {
        let mut lane = Lane::ZERO;
        self.store(a, &mut lane, 0);
        for x in &mut lane.0 {
            *x = f(*x);
        }
        self.load(&lane, 0)
    }
    #[inline(always)]
    fn totals(self, lanes: &[Lane; 4]) -> [f32; 4] {
        let [a, b, c, d] = lanes;
        let [a, b, c, d] = [self.load(a, 0), self.load(b, 0), self.load(c, 0), self.load(d, 0)];
        let mut totals = Lane::ZERO;
        // SAFETY: see above.
        let sums = unsafe {
            // Eight numbers of a lane and eight of the next, then four of each of the four.
            let ab = _mm512_add_ps(_mm512_shuffle_f32x4::<0x44>(a, b), _mm512_shuffle_f32x4::<0xee>(a, b));
            let cd = _mm512_add_ps(_mm512_shuffle_f32x4::<0x44>(c, d), _mm512_shuffle_f32x4::<0xee>(c, d));
            let fours =
                _mm512_add_ps(_mm512_shuffle_f32x4::<0x88>(ab, cd), _mm512_shuffle_f32x4::<0xdd>(ab, cd));
            let twos = _mm512_add_ps(fours, _mm512_permute_ps::<0x4e>(fours));
            _mm512_add_ps(twos, _mm512_permute_ps::<0xb1>(twos))
        };
        self.store(sums, &mut totals, 0);
        [totals.0[0], totals.0[4], totals.0[8], totals.0[12]]
    }
    #[inline(always)]
    fn prefetch_for_write(self, lane: *const Lane) {
        // SAFETY: a hint, for any address; processors without the instruction do nothing.
        unsafe { _mm_prefetch::<_MM_HINT_ET0>(lane.cast()) }
    }
}

use std::arch::aarch64::*;

use super::{Simd, part_of, part_of_mut};
use crate::Lane;

/// A lane in four registers. Holding this token proves that the processor has NEON.
#[derive(Clone, Copy)]
pub(crate) struct Neon(pub(super) ());

// SAFETY (all blocks below): the token proves that the processor has the instruction, which has no
// other precondition; loads and stores get their 16 bytes by reference.
impl Simd for Neon {
    type E = f32;
    type V = float32x4_t;
    const WIDTH: usize = 4;
    const REGISTERS: usize = 32;

    #[inline(always)]
    fn splat(self, x: f32) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vdupq_n_f32(x) }
    }
    #[inline(always)]
    fn load(self, lane: &Lane, part: usize) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vld1q_f32(part_of::<f32, 4>(&lane.0, part).as_ptr()) }
    }
    #[inline(always)]
    fn store(self, v: float32x4_t, lane: &mut Lane, part: usize) {
        // SAFETY: see above.
        unsafe { vst1q_f32(part_of_mut::<f32, 4>(&mut lane.0, part).as_mut_ptr(), v) }
    }
    #[inline(always)]
    fn add(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vaddq_f32(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vsubq_f32(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vmulq_f32(a, b) }
    }
    #[inline(always)]
    fn div(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vdivq_f32(a, b) }
    }
    #[inline(always)]
    fn fma(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vfmaq_f32(c, a, b) }
    }
    #[inline(always)]
    fn max(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: see above. A selection, because the instruction `fmax` treats NaN another way.
        unsafe { vbslq_f32(vcgtq_f32(a, b), a, b) }
    }
    #[inline(always)]
    fn min(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: see above. A selection, because the instruction `fmin` treats NaN another way.
        unsafe { vbslq_f32(vcltq_f32(a, b), a, b) }
    }
    #[inline(always)]
    fn greater(self, a: float32x4_t, b: float32x4_t) -> u16 {
        const BITS: [u32; 4] = [1, 2, 4, 8];
        // SAFETY: see above; the load reads the four numbers of BITS.
        let bits = unsafe { vaddvq_u32(vandq_u32(vcgtq_f32(a, b), vld1q_u32(BITS.as_ptr()))) };
        bits as u16
    }
    #[inline(always)]
    fn select(self, a: float32x4_t, b: float32x4_t, c: float32x4_t, d: float32x4_t) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vbslq_f32(vcgtq_f32(a, b), c, d) }
    }
    #[inline(always)]
    fn map(self, a: float32x4_t, f: impl Fn(f32) -> f32) -> float32x4_t {
        let mut lane = Lane::ZERO;
        self.store(a, &mut lane, 0);
        for x in &mut lane.0[..Self::WIDTH] {
            *x = f(*x);
        }
        self.load(&lane, 0)
    }
}

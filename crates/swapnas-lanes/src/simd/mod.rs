//! What a processor can do with lanes, behind one trait.
//!
//! A [`Simd`] is a token: holding one proves that the processor has its instructions, because the
//! only way to get one is [`Level`], which asks the processor. Kernels are written once, generic
//! over the token, and entered through [`Level::run`], which puts them into a function compiled for
//! the instructions of that level. For this to work, everything between that function and the
//! instructions must be inlined: methods here and kernels' inner functions are `inline(always)`, and
//! hot loops use no closures.
//!
//! Results are the same bits at every level. Each operation below has one exact meaning (for
//! instance `max(a, b)` is `if a > b { a } else { b }`, also for NaN and -0), multiplications and
//! additions are fused at every level or at none, and no operation mixes samples.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx2_double;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod avx512_double;
mod level;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;

pub use level::{Dispatch, Level, LevelError, Task};

use crate::{Element, Lane, SAMPLES};

/// Operations on a register of `WIDTH` samples; `PARTS` registers make a lane.
pub trait Simd: Copy {
    /// Numbers in a register.
    type E: Element;
    /// A register.
    type V: Copy;
    /// Samples in a register.
    const WIDTH: usize;
    /// Registers in a lane.
    const PARTS: usize = SAMPLES / Self::WIDTH;
    /// Registers of the processor, by which kernels choose the size of their tiles.
    const REGISTERS: usize;

    /// The same number for every sample.
    fn splat(self, x: Self::E) -> Self::V;
    /// Register number `part` of a lane.
    fn load(self, lane: &Lane<Self::E>, part: usize) -> Self::V;
    /// Overwrites register number `part` of a lane.
    fn store(self, v: Self::V, lane: &mut Lane<Self::E>, part: usize);
    /// a + b
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// a - b
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    /// a * b
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// a / b
    fn div(self, a: Self::V, b: Self::V) -> Self::V;
    /// a * b + c, rounded once
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// if a > b { a } else { b }
    fn max(self, a: Self::V, b: Self::V) -> Self::V;
    /// if a < b { a } else { b }
    fn min(self, a: Self::V, b: Self::V) -> Self::V;
    /// Bit i is set if a > b for sample i of the register.
    fn greater(self, a: Self::V, b: Self::V) -> u16;
    /// if a > b { c } else { d }
    fn select(self, a: Self::V, b: Self::V, c: Self::V, d: Self::V) -> Self::V;
    /// A function of every sample by itself, for what has no instruction: fast if it has no branches and is inlined.
    fn map(self, a: Self::V, f: impl Fn(Self::E) -> Self::E) -> Self::V;

    /// The [total](Lane::total) of each of four lanes.
    #[inline(always)]
    fn totals(self, lanes: &[Lane<Self::E>; 4]) -> [Self::E; 4] {
        let mut totals = [Self::E::ZERO; 4];
        for (total, lane) in totals.iter_mut().zip(lanes) {
            *total = lane.total();
        }
        totals
    }

    /// Asks for a lane that will be written soon to be brought into the first cache, if the processor
    /// can be asked. The lane need not exist.
    #[inline(always)]
    fn prefetch_for_write(self, _lane: *const Lane<Self::E>) {}

    /// Zero for every sample.
    #[inline(always)]
    fn zero(self) -> Self::V {
        self.splat(Self::E::ZERO)
    }
}

/// Register number `part` of a lane as numbers.
#[inline(always)]
fn part_of<E, const WIDTH: usize>(lane: &[E; SAMPLES], part: usize) -> &[E; WIDTH] {
    let (parts, _) = lane.as_chunks::<WIDTH>();
    &parts[part]
}

/// Register number `part` of a lane as numbers to be overwritten.
#[inline(always)]
fn part_of_mut<E, const WIDTH: usize>(lane: &mut [E; SAMPLES], part: usize) -> &mut [E; WIDTH] {
    let (parts, _) = lane.as_chunks_mut::<WIDTH>();
    &mut parts[part]
}

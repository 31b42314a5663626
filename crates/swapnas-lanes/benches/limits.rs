//! What one core can do at best, at every SIMD level of this machine: fused multiply-adds in registers,
//! and copies between arrays that fit into its first cache, its second, and neither.
//!
//! Read next to the other benches: an item is a floating point operation here and there, so a kernel's
//! distance from the limit can be read off.

use std::hint::black_box;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use swapnas_lanes::simd::{Simd, Task};
use swapnas_lanes::{Lane, Level};

fn main() {
    divan::main();
}

/// Enough rounds for the time around them not to count.
const ROUNDS: usize = 10_000;

/// Sums that do not wait for each other: more than two units with a latency of four cycles need, and
/// not more than sixteen registers hold.
const CHAINS: usize = 12;

struct MultiplyAdd;

impl Task<f32> for MultiplyAdd {
    /// The number of operations.
    type Output = usize;

    #[inline(always)]
    fn run<S: Simd<E = f32>>(self, simd: S) -> usize {
        let (a, b) = (simd.splat(black_box(0.999)), simd.splat(black_box(0.001)));
        let mut sums = [simd.splat(1.0); CHAINS];
        for _ in 0..ROUNDS {
            for sum in &mut sums {
                *sum = simd.fma(*sum, a, b);
            }
        }
        let mut lane = Lane::ZERO;
        for sum in sums {
            simd.store(sum, &mut lane, 0);
            black_box(&lane);
        }
        2 * S::WIDTH * CHAINS * ROUNDS
    }
}

#[divan::bench(args = Level::available())]
fn multiply_add(bencher: Bencher<'_, '_>, level: Level) {
    let operations = level.run(MultiplyAdd);
    bencher.counter(ItemsCount::new(operations)).bench(|| level.run(MultiplyAdd));
}

struct Copy<'a> {
    from: &'a [Lane],
    to: &'a mut [Lane],
}

impl Task<f32> for Copy<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<E = f32>>(self, simd: S) {
        for (from, to) in self.from.iter().zip(self.to) {
            for part in 0..S::PARTS {
                simd.store(simd.load(from, part), to, part);
            }
        }
    }
}

/// `bytes` is the size of the two arrays together, so one copy reads and writes as many.
fn copy(bencher: Bencher<'_, '_>, level: Level, bytes: usize) {
    let lanes = bytes / 2 / size_of::<Lane>();
    let (from, mut to) = (vec![Lane::splat(0.5); lanes], vec![Lane::ZERO; lanes]);
    bencher
        .counter(BytesCount::new(bytes))
        .bench_local(|| level.run(Copy { from: black_box(&from), to: black_box(&mut to) }));
}

#[divan::bench(args = Level::available())]
fn copy_32_kib(bencher: Bencher<'_, '_>, level: Level) {
    copy(bencher, level, 32 << 10);
}

#[divan::bench(args = Level::available())]
fn copy_768_kib(bencher: Bencher<'_, '_>, level: Level) {
    copy(bencher, level, 768 << 10);
}

#[divan::bench(args = Level::available())]
fn copy_64_mib(bencher: Bencher<'_, '_>, level: Level) {
    copy(bencher, level, 64 << 20);
}

//! The most fused multiply-adds that one core does in a second, to hold the kernels against.
use std::hint::black_box;
use std::time::Instant;

use swapnas_lanes::simd::{Simd, Task};
use swapnas_lanes::{Level, SAMPLES};

struct Peak {
    rounds: usize,
}

impl Task<f32> for Peak {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd<E = f32>>(self, simd: S) -> f64 {
        let (a, b) = (simd.splat(black_box(0.999)), simd.splat(black_box(0.001)));
        let mut sums = [simd.splat(1.0); 12];
        let start = Instant::now();
        for _ in 0..self.rounds {
            for sum in &mut sums {
                *sum = simd.fma(*sum, a, b);
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        let mut lane = swapnas_lanes::Lane::ZERO;
        for sum in sums {
            simd.store(sum, &mut lane, 0);
            black_box(lane);
        }
        (2 * S::WIDTH * sums.len() * self.rounds) as f64 / seconds / 1e9
    }
}

fn main() {
    let _ = SAMPLES;
    for level in Level::available() {
        for _ in 0..3 {
            println!(
                "{level}: {:.1} GFLOP/s",
                level
                    .run::<f32, _>(Peak { rounds: if level == Level::PORTABLE { 1 << 18 } else { 1 << 23 } })
            );
        }
    }
}

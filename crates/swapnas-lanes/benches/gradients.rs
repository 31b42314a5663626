//! The kernels of backward passes at the SIMD levels of this machine, with FLOPs counted.

use divan::counter::ItemsCount;
use swapnas_lanes::kernels::weight_gradient::{self, WeightSums};
use swapnas_lanes::kernels::window::Window;
use swapnas_lanes::kernels::winograd_gradient;
use swapnas_lanes::{Lane, Layout, Level, Planes, SAMPLES};

fn main() {
    divan::main();
}

const SAME: Window = Window { kernel: [3, 3], stride: [1, 1], dilation: [1, 1], origin: [-1, -1] };

fn images(channels: usize, rows: usize, width: usize) -> (Vec<Lane>, Layout, Vec<Lane>, Layout) {
    let padded = Layout::new(channels, rows, width, 1);
    let plain = Layout::new(channels, rows, width, 0);
    (vec![Lane::splat(0.5); padded.lanes()], padded, vec![Lane::splat(0.25); plain.lanes()], plain)
}

/// Weights of a dense 3x3 convolution, the samples of a block together, over eight rows or all.
#[divan::bench(args = [(16, 8, 32), (32, 16, 16), (64, 8, 8)], consts = [0, 1])]
fn weights3x3<const LEVEL: usize>(
    bencher: divan::Bencher<'_, '_>,
    (channels, rows, width): (usize, usize, usize),
) {
    let level = Level::available()[LEVEL];
    let (input, padded, gradient, plain) = images(channels, rows, width);
    let mut sums = vec![0.0; channels * channels * 9];
    let flops = 2 * SAMPLES * channels * channels * 9 * rows * width;
    bencher.counter(ItemsCount::new(flops)).bench_local(|| {
        let (input, gradient) = (Planes::new(&input, padded), Planes::new(&gradient, plain));
        weight_gradient::accumulate(
            level,
            input,
            gradient,
            &SAME,
            1,
            0..rows,
            width,
            WeightSums::Total(&mut sums),
        );
    });
}

/// The same by Winograd's algorithm.
#[divan::bench(args = [(24, 8, 32), (32, 16, 16), (64, 8, 8)], consts = [0, 1])]
fn weights3x3_winograd<const LEVEL: usize>(
    bencher: divan::Bencher<'_, '_>,
    (channels, rows, width): (usize, usize, usize),
) {
    let level = Level::available()[LEVEL];
    let (input, padded, gradient, plain) = images(channels, rows, width);
    let (mut sums, mut between) = (vec![0.0; channels * channels * 9], Vec::new());
    let flops = 2 * SAMPLES * channels * channels * 9 * rows * width;
    bencher.counter(ItemsCount::new(flops)).bench_local(|| {
        let (input, gradient) = (Planes::new(&input, padded), Planes::new(&gradient, plain));
        winograd_gradient::accumulate(level, input, gradient, &SAME, 0..rows, width, &mut between, &mut sums);
    });
}

/// The same for each sample by itself.
#[divan::bench(args = [(16, 8, 32), (32, 16, 16), (64, 8, 8)])]
fn weights3x3_by_sample(bencher: divan::Bencher<'_, '_>, (channels, rows, width): (usize, usize, usize)) {
    let level = Level::best();
    let (input, padded, gradient, plain) = images(channels, rows, width);
    let mut sums = vec![Lane::ZERO; channels * channels * 9];
    let flops = 2 * SAMPLES * channels * channels * 9 * rows * width;
    bencher.counter(ItemsCount::new(flops)).bench_local(|| {
        let (input, gradient) = (Planes::new(&input, padded), Planes::new(&gradient, plain));
        weight_gradient::accumulate(
            level,
            input,
            gradient,
            &SAME,
            1,
            0..rows,
            width,
            WeightSums::Samples(&mut sums),
        );
    });
}

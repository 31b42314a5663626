//! Every kernel at every SIMD level of this machine, with FLOPs and bytes counted, next to what the
//! core can do at best.

use divan::counter::ItemsCount;
use swapnas_lanes::kernels::dense::{self, DenseWeights};
use swapnas_lanes::kernels::window::Window;
use swapnas_lanes::{Lane, Layout, Level, Planes, PlanesMut, SAMPLES};

fn main() {
    divan::main();
}

fn window(kernel: usize, stride: usize) -> Window {
    let pad = (kernel / 2) as isize;
    Window { kernel: [kernel; 2], stride: [stride; 2], dilation: [1, 1], origin: [-pad, -pad] }
}

#[divan::bench(args = [(16, 32), (32, 16), (64, 8), (64, 4)], consts = [0, 1])]
fn dense3x3<const LEVEL: usize>(bencher: divan::Bencher<'_, '_>, (channels, size): (usize, usize)) {
    let level = Level::available()[LEVEL];
    let layout = Layout::new(channels, size, size, 1);
    let input = vec![Lane::splat(0.5f32); layout.lanes()];
    let out_layout = Layout::new(channels, size, size, 0);
    let mut out = vec![Lane::splat(0f32); out_layout.lanes()];
    let mut weights = DenseWeights::new();
    weights.pack(1, channels, 9, &vec![0.1f32; channels * channels * 9], None);
    let flops = 2 * SAMPLES * channels * channels * 9 * size * size;
    bencher.counter(ItemsCount::new(flops)).bench_local(|| {
        dense::convolve(
            level,
            Planes::new(&input, layout),
            &window(3, 1),
            &weights,
            0..size,
            size,
            PlanesMut::new(&mut out, out_layout),
        );
    });
}

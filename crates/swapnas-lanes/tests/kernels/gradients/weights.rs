//! Gradients of weights: sums over pixels.

use std::ops::Range;

use proptest::prelude::*;
use swapnas_lanes::kernels::weight_gradient::{self, WeightSums};
use swapnas_lanes::kernels::window::Window;
use swapnas_lanes::kernels::winograd_gradient;
use swapnas_lanes::{Element, Lane, Layout, Level, Planes, SAMPLES};

use super::{Geometry, assert_near, at, at_every_level, cases, geometries, narrow, noise, padded, taps};

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn weight_gradients_are_sums_over_pixels(
        geometry in geometries(),
        groups in 1..4usize,
        inputs in 1..8usize,
        outputs in 1..10usize,
    ) {
        check_weight_gradients(geometry, groups, inputs, outputs);
    }

    #[test]
    fn winograd_finds_the_same_gradients(
        channels in [24..32usize, 24..32usize],
        size in [1..5usize, 1..10usize],
        origin in [-3isize..2, -3isize..2],
        [first, last] in [0..2usize, 0..2usize],
    ) {
        let window = Window { kernel: [3, 3], stride: [1, 1], dilation: [1, 1], origin };
        check_winograd(channels, size.map(|size| 2 * size), &window, [first, last]);
    }
}

/// Gradients of some of the rows, as sums over pixels: `around` rows before and after them belong to others.
fn check_winograd(
    [inputs, outputs]: [usize; 2],
    [rows, width]: [usize; 2],
    window: &Window,
    around: [usize; 2],
) {
    let [first, last] = around;
    let out = Layout::new(outputs, first + rows + last, width, 0);
    let layout = Layout::new(inputs, out.rows, width, 0);
    let (x, g) = (noise::<f64>(layout.lanes(), 3), noise::<f64>(out.lanes(), 4));
    let mut of_rows = g.clone();
    for (place, lane) in of_rows.iter_mut().enumerate() {
        if !(first..first + rows).contains(&(place / width % out.rows)) {
            *lane = Lane::ZERO;
        }
    }
    let expected = naive(&x, layout, &of_rows, out, window, 1);
    let totals: Vec<_> = expected.iter().map(|sum| [1.0 + sum.iter().sum::<f64>(); SAMPLES]).collect();
    fn found<E: Element>(
        level: Level,
        (x, wide): &(Vec<Lane<E>>, Layout),
        (g, out): (&[Lane<E>], Layout),
        window: &Window,
        rows: Range<usize>,
    ) -> Vec<Lane<E>> {
        let mut sums = vec![E::ONE; wide.channels * out.channels * 9];
        // What earlier passes have left does not matter.
        let mut between = vec![Lane::splat(E::NEG_INFINITY); 100];
        let (x, g) = (Planes::new(x, *wide), Planes::new(g, out));
        winograd_gradient::accumulate(level, x, g, window, rows, out.columns, &mut between, &mut sums);
        sums.into_iter().map(Lane::splat).collect()
    }
    let rows = first..first + rows;
    let of = found(Level::best(), &padded::<f64>(&x, layout, 0.0), (&g, out), window, rows.clone());
    assert_near(&of, &totals, 1e-12);
    let (x, g) = (padded::<f32>(&x, layout, 0.0), narrow::<f32>(&g));
    let of = at_every_level(|level| found(level, &x, (&g, out), window, rows.clone()));
    assert_near(&of, &totals, 2e-4);
}

#[test]
fn winograd_is_for_many_channels_and_whole_tiles() {
    let same = Window { kernel: [3, 3], ..Window::POINT };
    let takes = |channels, size| winograd_gradient::takes(&same, channels, size);
    assert!(takes([24, 24], [2, 2]) && takes([64, 24], [12, 8]));
    assert!(!takes([23, 64], [8, 8]) && !takes([64, 23], [8, 8]));
    assert!(!takes([64, 64], [7, 8]) && !takes([64, 64], [8, 7]) && !takes([64, 64], [0, 8]));
    let strided = Window { stride: [2, 2], ..same };
    assert!(!winograd_gradient::takes(&strided, [64, 64], [8, 8]));
}

fn check_weight_gradients(geometry: Geometry, groups: usize, inputs: usize, outputs: usize) {
    let Geometry { window, height, width, outputs: [rows, columns] } = geometry;
    let layout = Layout::new(groups * inputs, height, width, 0);
    let out = Layout::new(groups * outputs, rows, columns, 0);
    let (x, g) = (noise::<f64>(layout.lanes(), 1), noise::<f64>(out.lanes(), 2));
    let expected = naive(&x, layout, &g, out, &window, groups);
    let weights = expected.len();
    let mut all = expected.clone();
    for sum in &mut all {
        *sum = sum.map(|x| x + 1.0);
    }
    all.extend(expected.iter().map(|sum| [1.0 + sum.iter().sum::<f64>(); SAMPLES]));
    let found =
        weight_gradients(Level::best(), &padded::<f64>(&x, layout, 0.0), (&g, out), &window, groups, weights);
    assert_near(&found, &all, 1e-12);
    let (x, g) = (padded::<f32>(&x, layout, 0.0), narrow::<f32>(&g));
    let found = at_every_level(|level| weight_gradients(level, &x, (&g, out), &window, groups, weights));
    assert_near(&found, &all, 1e-4);
}

/// The gradients of each sample.
fn naive(
    x: &[Lane<f64>],
    layout: Layout,
    g: &[Lane<f64>],
    out: Layout,
    window: &Window,
    groups: usize,
) -> Vec<[f64; SAMPLES]> {
    let [inputs, outputs] = [layout.channels / groups, out.channels / groups];
    let mut expected = vec![[0.0; SAMPLES]; out.channels * inputs * window.taps()];
    for channel in 0..out.channels {
        for row in 0..out.rows {
            for column in 0..out.columns {
                let g = at(g, out, channel, row as isize, column as isize, 0.0);
                for input in 0..inputs {
                    let from = channel / outputs * inputs + input;
                    for (tap, y, z) in taps(window, row, column) {
                        let x = at(x, layout, from, y, z, 0.0);
                        let sum = &mut expected[(channel * inputs + input) * window.taps() + tap];
                        for i in 0..SAMPLES {
                            sum[i] += x[i] * g[i];
                        }
                    }
                }
            }
        }
    }
    expected
}

fn weight_gradients<E: Element>(
    level: Level,
    (x, wide): &(Vec<Lane<E>>, Layout),
    (g, out): (&[Lane<E>], Layout),
    window: &Window,
    groups: usize,
    weights: usize,
) -> Vec<Lane<E>> {
    let mut sums = vec![Lane::splat(E::ONE); weights];
    let mut totals = vec![E::ONE; weights];
    for sums in [WeightSums::Samples(&mut sums), WeightSums::Total(&mut totals)] {
        let (x, g) = (Planes::new(x, *wide), Planes::new(g, out));
        weight_gradient::accumulate(level, x, g, window, groups, 0..out.rows, out.columns, sums);
    }
    sums.extend(totals.into_iter().map(Lane::splat));
    sums
}

#[test]
fn nothing_comes_of_no_pixels() {
    let (layout, window) = (Layout::new(1, 3, 3, 0), Window::POINT);
    let lanes = noise::<f32>(layout.lanes(), 70);
    for (rows, width) in [(1..1, 3), (0..3, 0)] {
        let mut sums = [Lane::splat(1.0)];
        let (x, g) = (Planes::new(&lanes, layout), Planes::new(&lanes, layout));
        weight_gradient::accumulate(
            Level::best(),
            x,
            g,
            &window,
            1,
            rows,
            width,
            WeightSums::Samples(&mut sums),
        );
        assert_eq!(sums, [Lane::splat(1.0)]);
    }
}

#[test]
fn totals_are_sums_over_samples() {
    assert_eq!(Lane::<f64>(std::array::from_fn(|i| (i + 1) as f64)).total(), 136.0);
}

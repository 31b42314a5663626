//! Gradients of weights: sums over pixels.

use proptest::prelude::*;
use swapnas_lanes::kernels::weight_gradient::{self, WeightSums};
use swapnas_lanes::kernels::window::Window;
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
}

fn check_weight_gradients(geometry: Geometry, groups: usize, inputs: usize, outputs: usize) {
    let Geometry { window, height, width, outputs: [rows, columns] } = geometry;
    let layout = Layout::new(groups * inputs, height, width, 0);
    let out = Layout::new(groups * outputs, rows, columns, 0);
    let (x, g) = (noise::<f64>(layout.lanes(), 1), noise::<f64>(out.lanes(), 2));
    let mut expected = vec![[0.0; SAMPLES]; groups * outputs * inputs * window.taps()];
    for channel in 0..groups * outputs {
        for row in 0..rows {
            for column in 0..columns {
                let g = at(&g, out, channel, row as isize, column as isize, 0.0);
                for input in 0..inputs {
                    let from = channel / outputs * inputs + input;
                    for (tap, y, z) in taps(&window, row, column) {
                        let x = at(&x, layout, from, y, z, 0.0);
                        let sum = &mut expected[(channel * inputs + input) * window.taps() + tap];
                        for i in 0..SAMPLES {
                            sum[i] += x[i] * g[i];
                        }
                    }
                }
            }
        }
    }
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

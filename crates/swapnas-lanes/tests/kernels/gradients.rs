//! The kernels of backward passes against plain loops and differences, and against each other at every level.

mod chain;
mod combination;
mod phases;
mod pools;
mod weights;

use proptest::prelude::*;
use proptest::test_runner::Config;
use swapnas_lanes::kernels::window::Window;
use swapnas_lanes::{Element, Lane, Layout, Level, PlanesMut, SAMPLES};

/// How many cases of every property are looked at.
pub(super) fn cases() -> Config {
    Config::with_cases(if cfg!(miri) { 1 } else { 48 })
}

/// Numbers between -1 and 1 that look random.
pub(super) fn noise<E: Element>(lanes: usize, seed: u64) -> Vec<Lane<E>> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        E::from_f64((state >> 40) as f64 / f64::from(1 << 23) - 1.0)
    };
    (0..lanes).map(|_| Lane(std::array::from_fn(|_| next()))).collect()
}

pub(super) fn bits(lanes: &[Lane<f32>]) -> Vec<u32> {
    lanes.iter().flat_map(|lane| lane.0.map(f32::to_bits)).collect()
}

/// Runs something at every level and checks that all give the same bits; returns them as numbers.
pub(super) fn at_every_level(run: impl Fn(Level) -> Vec<Lane<f32>>) -> Vec<Lane<f32>> {
    let expected = run(Level::PORTABLE);
    for level in Level::available() {
        assert!(bits(&run(level)) == bits(&expected), "{level} gives other bits than portable code");
    }
    expected
}

#[track_caller]
pub(super) fn assert_near<E: Element>(found: &[Lane<E>], expected: &[[f64; SAMPLES]], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        for (found, expected) in found.0.iter().zip(expected) {
            let error = (found.to_f64() - expected).abs();
            assert!(error <= tolerance * expected.abs().max(1.0), "{place}: {found:?} is not {expected}");
        }
    }
}

/// A place in an image that may lie outside: what is there, or `outside`.
pub(super) fn at(
    image: &[Lane<f64>],
    layout: Layout,
    channel: usize,
    row: isize,
    column: isize,
    outside: f64,
) -> [f64; SAMPLES] {
    let inside = (0..layout.rows as isize).contains(&row) && (0..layout.columns as isize).contains(&column);
    match inside {
        true => image[(channel * layout.rows + row as usize) * layout.columns + column as usize].0,
        false => [outside; SAMPLES],
    }
}

/// Zeros around an image that no window of these tests leaves: the last of five windows begins at most
/// 4 * 3 + 1 pixels in and reaches 2 * 3 further.
pub(super) const HALO: usize = 20;

/// The image with its halo.
pub(super) fn padded<E: Element>(
    image: &[Lane<f64>],
    layout: Layout,
    outside: f64,
) -> (Vec<Lane<E>>, Layout) {
    let wide = Layout::new(layout.channels, layout.rows, layout.columns, HALO);
    let mut lanes = vec![Lane::ZERO; wide.lanes()];
    let mut planes = PlanesMut::new(&mut lanes, wide);
    for channel in 0..layout.channels {
        for row in wide.row_range() {
            for (column, lane) in wide.column_range().zip(planes.row(channel, row, wide.column_range())) {
                *lane = Lane(at(image, layout, channel, row, column, outside).map(E::from_f64));
            }
        }
    }
    (lanes, wide)
}

pub(super) fn narrow<E: Element>(lanes: &[Lane<f64>]) -> Vec<Lane<E>> {
    lanes.iter().map(|lane| Lane(lane.0.map(E::from_f64))).collect()
}

#[derive(Clone, Debug)]
pub(super) struct Geometry {
    pub(super) window: Window,
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) outputs: [usize; 2],
}

pub(super) fn geometries() -> impl Strategy<Value = Geometry> {
    let pair = |range: std::ops::Range<usize>| [range.clone(), range];
    let origin = [-3isize..2, -3isize..2];
    let sizes = (pair(1..4), pair(1..4), pair(1..4), origin, 1..8usize, 1..8usize, pair(1..6));
    sizes.prop_map(|(kernel, stride, dilation, origin, height, width, outputs)| Geometry {
        window: Window { kernel, stride, dilation, origin },
        height,
        width,
        outputs,
    })
}

/// All taps of an output: number of the tap, row and column.
pub(super) fn taps(window: &Window, row: usize, column: usize) -> Vec<(usize, isize, isize)> {
    let [rows, columns] = window.kernel;
    let place = |tap: usize| {
        let y = window.start(0, row) + (tap / columns * window.dilation[0]) as isize;
        let x = window.start(1, column) + (tap % columns * window.dilation[1]) as isize;
        (tap, y, x)
    };
    (0..rows * columns).map(place).collect()
}

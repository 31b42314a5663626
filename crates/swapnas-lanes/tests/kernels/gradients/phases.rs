//! Phases: a convolution's transpose as convolutions of stride 1.

use std::collections::BTreeSet;

use proptest::prelude::*;
use swapnas_lanes::kernels::transpose::{phases, transpose_weights};
use swapnas_lanes::kernels::window::Window;

use super::{Geometry, cases, geometries, taps};

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn phases_are_the_transpose_of_a_window(geometry in geometries()) {
        check_phases(geometry);
    }
}

/// Whatever output looks at a pixel through whatever tap: the phases say the same.
fn check_phases(geometry: Geometry) {
    let Geometry { window, height, width, outputs } = geometry;
    let mut expected = BTreeSet::new();
    for row in 0..outputs[0] {
        for column in 0..outputs[1] {
            for (tap, y, x) in taps(&window, row, column) {
                if (0..height as isize).contains(&y) && (0..width as isize).contains(&x) {
                    expected.insert((y as usize, x as usize, tap, row as isize, column as isize));
                }
            }
        }
    }
    let mut found = BTreeSet::new();
    let mut pixels = BTreeSet::new();
    for phase in phases(&window, [height, width]) {
        for row in 0..phase.size[0] {
            for column in 0..phase.size[1] {
                let y = phase.first[0] + row * phase.stride[0];
                let x = phase.first[1] + column * phase.stride[1];
                assert!(pixels.insert((y, x)), "pixel {y}, {x} is of two phases");
                assert_eq!(phase.window.is_none(), phase.taps.iter().any(Vec::is_empty));
                let Some(back) = &phase.window else { continue };
                for (tap, output_row, output_column) in taps(back, row, column) {
                    let columns = phase.taps[1].len();
                    let tap = phase.taps[0][tap / columns] * window.kernel[1] + phase.taps[1][tap % columns];
                    if (0..outputs[0] as isize).contains(&output_row)
                        && (0..outputs[1] as isize).contains(&output_column)
                    {
                        found.insert((y, x, tap, output_row, output_column));
                    }
                }
            }
        }
    }
    assert_eq!(pixels.len(), height * width);
    assert_eq!(found, expected);
}

#[test]
fn weights_are_transposed_group_by_group_and_turned() {
    // Two groups of one output and two inputs, kernels of 1 x 2.
    let weights = [1, 2, 3, 4, 5, 6, 7, 8];
    let window = Window { kernel: [1, 2], stride: [1, 1], dilation: [1, 1], origin: [0, 0] };
    let phases = phases(&window, [3, 3]);
    let [phase] = &phases[..] else { panic!("stride 1 has one phase") };
    let mut transposed = Vec::new();
    transpose_weights(&weights, 2, 2, [1, 2], phase, &mut transposed);
    assert_eq!(transposed, [2, 1, 4, 3, 6, 5, 8, 7]);
}

/// Weights that are numbered in their order are found by their numbers.
#[test]
fn weights_of_every_phase_are_those_of_its_taps() {
    for (groups, inputs, outputs, kernel, stride) in [
        (1, 1, 1, [1, 1], [1, 1]),
        (2, 3, 5, [2, 3], [1, 1]),
        (3, 2, 2, [3, 2], [2, 1]),
        (1, 4, 3, [3, 4], [2, 3]),
    ] {
        let [rows, columns] = kernel;
        let window = Window { kernel, stride, dilation: [1, 1], origin: [-1, 0] };
        let weights: Vec<usize> = (0..groups * outputs * inputs * rows * columns).collect();
        for phase in phases(&window, [7, 7]) {
            let mut expected = Vec::new();
            for (group, input) in (0..groups).flat_map(|group| (0..inputs).map(move |input| (group, input))) {
                for output in 0..outputs {
                    let kernel = (group * outputs + output) * inputs + input;
                    for row in &phase.taps[0] {
                        expected.extend(
                            phase.taps[1].iter().map(|column| (kernel * rows + row) * columns + column),
                        );
                    }
                }
            }
            let mut transposed = Vec::new();
            transpose_weights(&weights, groups, inputs, kernel, &phase, &mut transposed);
            assert_eq!(transposed, expected, "{window:?}");
        }
    }
}

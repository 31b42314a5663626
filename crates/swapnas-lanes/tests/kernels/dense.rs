//! Dense and grouped convolution against six nested loops.

use crate::support::{
    Geometry, Image, Near, Noise, Number, assert_near, at_every_level, cases, convert, geometries, written,
};
use swapnas_lanes::kernels::dense::{self, DenseWeights};
use swapnas_lanes::{Level, SAMPLES};

at_every_level!(
    windows_of_every_kind,
    channels_of_every_number,
    panels_of_several_blocks,
    groups_of_every_size,
    linear_layers_are_convolutions_of_one_pixel,
    packing_again_forgets_what_was_packed
);

/// Weights `[groups * outputs, inputs, taps]`, and a bias for each output.
struct Weights {
    groups: usize,
    outputs: usize,
    inputs: usize,
    taps: usize,
    weight: Vec<f64>,
    bias: Option<Vec<f64>>,
}

impl Weights {
    fn noise(groups: usize, outputs: usize, inputs: usize, taps: usize, bias: bool) -> Self {
        let mut noise = Noise::new((groups * 1000 + outputs * 100 + inputs * 10 + taps) as u64);
        let weight = noise.numbers(groups * outputs * inputs * taps);
        let bias = bias.then(|| noise.numbers(groups * outputs));
        Weights { groups, outputs, inputs, taps, weight, bias }
    }

    fn pack_into<E: Number>(&self, packed: &mut DenseWeights<E>) {
        let bias = self.bias.as_deref().map(convert::<E>);
        packed.pack(self.groups, self.inputs, self.taps, &convert::<E>(&self.weight), bias.as_deref());
        assert_eq!(packed.out_channels(), self.groups * self.outputs);
    }
}

fn naive<E: Number>(image: &Image, geometry: &Geometry, weights: &Weights) -> Vec<[Near; SAMPLES]> {
    let mut results = Vec::new();
    for output in 0..weights.groups * weights.outputs {
        let first_input = output / weights.outputs * weights.inputs;
        for row in 0..geometry.outputs[0] {
            for column in 0..geometry.outputs[1] {
                results.push(std::array::from_fn(|sample| {
                    let mut sum = weights.bias.as_ref().map_or(0.0, |bias| bias[output]);
                    let mut magnitude = sum.abs();
                    for input in 0..weights.inputs {
                        for (tap, [y, x]) in geometry.taps(row, column).into_iter().enumerate() {
                            let weight =
                                weights.weight[(output * weights.inputs + input) * weights.taps + tap];
                            let pixel = image.at(first_input + input, y, x);
                            let product = weight * pixel.map_or(0.0, |pixel| pixel[sample]);
                            sum += product;
                            magnitude += product.abs();
                        }
                    }
                    Near::sum::<E>(sum, weights.inputs * weights.taps, magnitude)
                }));
            }
        }
    }
    results
}

fn check_packed<E: Number>(level: Level, geometry: &Geometry, weights: &Weights, packed: &DenseWeights<E>) {
    let [height, width] = geometry.size;
    let [rows, columns] = geometry.outputs;
    let image = Image::noise([weights.groups * weights.inputs, height, width], 7);
    let stored = image.stored::<E>(geometry.reach(), 0.0);
    let shape = [weights.groups * weights.outputs, rows, columns];
    let found = written(level, shape, E::ZERO, |level, band, out| {
        dense::convolve(level, stored.planes(), &geometry.window, packed, band, columns, out);
    });
    let what = (geometry, weights.groups, weights.outputs, weights.inputs);
    assert_near(&found, &naive::<E>(&image, geometry, weights), &what);
}

fn check<E: Number>(level: Level, geometry: &Geometry, weights: &Weights) {
    let mut packed = DenseWeights::<E>::new();
    weights.pack_into(&mut packed);
    check_packed(level, geometry, weights, &packed);
}

fn windows_of_every_kind<E: Number>(level: Level) {
    for geometry in geometries() {
        let taps = geometry.window.taps();
        check::<E>(level, &geometry, &Weights::noise(1, 4, 3, taps, false));
        check::<E>(level, &geometry, &Weights::noise(1, 1, 1, taps, true));
    }
}

/// One to three tiles of all sizes, and numbers of terms that rounds of several terms do not divide.
fn channels_of_every_number<E: Number>(level: Level) {
    let wide = Geometry::new([2, 9], [1, 1], [1, 1], [1, 1], [[0, 0], [0, 0]]);
    for outputs in cases(1..=13) {
        for inputs in cases([1, 2, 3, 4, 6, 16]) {
            check::<E>(level, &wide, &Weights::noise(1, outputs, inputs, 1, outputs % 2 == 0));
        }
    }
}

/// More terms than a panel has, more weights than a block has, and pixels that fill no number of panels.
fn panels_of_several_blocks<E: Number>(level: Level) {
    let geometry = Geometry::new([3, 5], [3, 3], [2, 1], [1, 1], [[1, 1], [1, 1]]);
    check::<E>(level, &geometry, &Weights::noise(2, 13, 27, 9, true));
    let pixels = Geometry::new([1, 5], [1, 1], [1, 1], [1, 1], [[0, 0], [0, 0]]);
    for [inputs, outputs] in cases([[16, 12], [17, 100], [200, 12], [450, 700]]) {
        check::<E>(level, &pixels, &Weights::noise(1, outputs, inputs, 1, outputs % 3 == 0));
    }
    // Rows of three pixels have no panel by themselves, and the same bits as all of them with panels.
    let narrow = Geometry::new([3, 3], [1, 1], [1, 1], [1, 1], [[0, 0], [0, 0]]);
    check::<E>(level, &narrow, &Weights::noise(1, 12, 200, 1, true));
}

fn groups_of_every_size<E: Number>(level: Level) {
    let geometry = Geometry::new([5, 7], [3, 3], [2, 2], [1, 1], [[1, 1], [1, 1]]);
    for groups in cases([1, 2, 3, 5]) {
        for outputs in [1, 2, 7] {
            for inputs in [1, 3] {
                check::<E>(level, &geometry, &Weights::noise(groups, outputs, inputs, 9, groups % 2 == 0));
            }
        }
    }
}

fn linear_layers_are_convolutions_of_one_pixel<E: Number>(level: Level) {
    let geometry = Geometry::new([1, 1], [1, 1], [1, 1], [1, 1], [[0, 0], [0, 0]]);
    check::<E>(level, &geometry, &Weights::noise(1, 10, 100, 1, true));
}

fn packing_again_forgets_what_was_packed<E: Number>(level: Level) {
    let geometry = Geometry::new([3, 4], [1, 1], [1, 1], [1, 1], [[0, 0], [0, 0]]);
    let mut packed = DenseWeights::<E>::new();
    Weights::noise(2, 9, 4, 9, true).pack_into(&mut packed);
    let weights = Weights::noise(1, 7, 2, 1, false);
    weights.pack_into(&mut packed);
    check_packed(level, &geometry, &weights, &packed);
}

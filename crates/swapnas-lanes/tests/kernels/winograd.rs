//! 3x3 convolutions by Winograd's algorithm against nested loops.

use crate::support::{
    Geometry, Image, Near, Noise, Number, assert_near, at_every_level, cases, convert, geometries,
    written_together,
};
use swapnas_lanes::kernels::winograd::{self, WinogradWeights};
use swapnas_lanes::{Level, SAMPLES};

at_every_level!(images_of_every_size, channels_of_every_number, packing_again_forgets_what_was_packed);

/// Weights `[outputs, inputs, 3, 3]`, and a bias for each output.
pub(crate) struct Weights {
    outputs: usize,
    inputs: usize,
    pub(crate) weight: Vec<f64>,
    pub(crate) bias: Option<Vec<f64>>,
}

impl Weights {
    pub(crate) fn noise(outputs: usize, inputs: usize, bias: bool) -> Self {
        let mut noise = Noise::new((outputs * 100 + inputs) as u64);
        let weight = noise.numbers(outputs * inputs * 9);
        let bias = bias.then(|| noise.numbers(outputs));
        Weights { outputs, inputs, weight, bias }
    }

    fn pack_into<E: Number>(&self, packed: &mut WinogradWeights<E>) {
        let bias = self.bias.as_deref().map(convert::<E>);
        packed.pack(self.inputs, &convert::<E>(&self.weight), bias.as_deref());
        assert_eq!(packed.out_channels(), self.outputs);
    }
}

/// The plain sum. On the way to it, the algorithm adds up products of every weight with every input of a
/// tile, most of which cancel: in each direction, the three points that an output is made of have such a
/// product with factors of at most 1, 1/2 and 1/2, so four times all of them bounds what is rounded. The
/// tile is one of those with the output in them, which together are 5x5 inputs.
pub(crate) fn naive<E: Number>(
    image: &Image,
    geometry: &Geometry,
    weights: &Weights,
) -> Vec<[Near; SAMPLES]> {
    let mut results = Vec::new();
    for output in 0..weights.outputs {
        for row in 0..geometry.outputs[0] {
            for column in 0..geometry.outputs[1] {
                let taps = geometry.taps(row, column);
                results.push(std::array::from_fn(|sample| {
                    let mut sum = weights.bias.as_ref().map_or(0.0, |bias| bias[output]);
                    let mut magnitude = sum.abs();
                    for input in 0..weights.inputs {
                        let kernel = &weights.weight[(output * weights.inputs + input) * 9..][..9];
                        let pixel = |y, x| image.at(input, y, x).map_or(0.0, |pixel| pixel[sample]);
                        sum += taps.iter().zip(kernel).map(|([y, x], w)| w * pixel(*y, *x)).sum::<f64>();
                        let [top, left] = taps[0];
                        let tile = (top - 1..top + 4).flat_map(|y| (left - 1..left + 4).map(move |x| (y, x)));
                        let inputs: f64 = tile.map(|(y, x)| pixel(y, x).abs()).sum();
                        magnitude += 4.0 * inputs * kernel.iter().map(|w| w.abs()).sum::<f64>();
                    }
                    Near::sum::<E>(sum, weights.inputs + 14, magnitude)
                }));
            }
        }
    }
    results
}

fn check_packed<E: Number>(
    level: Level,
    geometry: &Geometry,
    weights: &Weights,
    packed: &WinogradWeights<E>,
) {
    let [height, width] = geometry.size;
    let [rows, columns] = geometry.outputs;
    let image = Image::noise([weights.inputs, height, width], 7);
    let stored = image.stored::<E>(geometry.reach(), 0.0);
    let shape = [weights.outputs, rows, columns];
    let found = written_together(level, 2, shape, E::ZERO, |level, band, out| {
        let (planes, mut between) = (stored.planes(), Vec::new());
        winograd::convolve(level, planes, &geometry.window, packed, band, columns, &mut between, out);
    });
    let expected = naive::<E>(&image, geometry, weights);
    assert_near(&found, &expected, &(geometry, weights.outputs, weights.inputs));
}

fn check<E: Number>(level: Level, geometry: &Geometry, weights: &Weights) {
    let mut packed = WinogradWeights::<E>::default();
    weights.pack_into(&mut packed);
    check_packed(level, geometry, weights, &packed);
}

pub(crate) fn padded(size: [usize; 2]) -> Geometry {
    Geometry::new(size, [3, 3], [1, 1], [1, 1], [[1, 1], [1, 1]])
}

/// Odd and even sizes, tiles in pairs and one left over, more padding on one side, and less than none.
fn images_of_every_size<E: Number>(level: Level) {
    let sizes = [[2, 2], [2, 3], [3, 2], [3, 3], [4, 4], [5, 7], [6, 9], [7, 6], [4, 16]];
    for geometry in cases(sizes.map(padded)).chain(geometries()) {
        if winograd::takes(&geometry.window, geometry.outputs) {
            check::<E>(level, &geometry, &Weights::noise(4, 3, false));
        }
    }
}

/// One to three tiles of output channels of all sizes.
fn channels_of_every_number<E: Number>(level: Level) {
    for outputs in cases(1..=7) {
        for inputs in [1, 2, 3, 8] {
            check::<E>(level, &padded([5, 6]), &Weights::noise(outputs, inputs, outputs % 2 == 0));
        }
    }
}

fn packing_again_forgets_what_was_packed<E: Number>(level: Level) {
    let mut packed = WinogradWeights::<E>::default();
    Weights::noise(9, 4, true).pack_into(&mut packed);
    let weights = Weights::noise(5, 2, false);
    weights.pack_into(&mut packed);
    check_packed(level, &padded([3, 4]), &weights, &packed);
}

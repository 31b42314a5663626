//! Depthwise and separable convolution against nested loops.

use crate::support::{
    Geometry, Image, Near, Noise, Number, Stored, assert_near, at_every_level, cases, convert, geometries,
    written,
};
use swapnas_lanes::kernels::dense::DenseWeights;
use swapnas_lanes::kernels::depthwise;
use swapnas_lanes::{Lane, Level, SAMPLES};

at_every_level!(windows_of_every_kind, channels_stay_apart, separable_is_one_after_the_other);

/// Value and magnitude of every sum.
fn naive(image: &Image, geometry: &Geometry, weights: &[f64]) -> Vec<[[f64; 2]; SAMPLES]> {
    let taps = geometry.window.taps();
    let mut results = Vec::new();
    for channel in 0..image.channels {
        for row in 0..geometry.outputs[0] {
            for column in 0..geometry.outputs[1] {
                results.push(std::array::from_fn(|sample| {
                    let (mut sum, mut magnitude) = (0.0, 0.0);
                    for (tap, [y, x]) in geometry.taps(row, column).into_iter().enumerate() {
                        let pixel = image.at(channel, y, x).map_or(0.0, |pixel| pixel[sample]);
                        let product: f64 = weights[channel * taps + tap] * pixel;
                        sum += product;
                        magnitude += product.abs();
                    }
                    [sum, magnitude]
                }));
            }
        }
    }
    results
}

struct Case<E> {
    geometry: Geometry,
    image: Image,
    stored: Stored<E>,
    weights: Vec<f64>,
}

impl<E: Number> Case<E> {
    fn new(geometry: Geometry, channels: usize) -> Self {
        let [height, width] = geometry.size;
        let image = Image::noise([channels, height, width], 3);
        let stored = image.stored(geometry.reach(), 0.0);
        let weights = Noise::new(4).numbers(channels * geometry.window.taps());
        Case { geometry, image, stored, weights }
    }

    fn check(&self, level: Level) {
        let Geometry { window, outputs: [rows, columns], .. } = self.geometry;
        let weights = convert::<E>(&self.weights);
        let found = written(level, [self.image.channels, rows, columns], E::ZERO, |level, band, out| {
            depthwise::convolve(level, self.stored.planes(), &window, &weights, band, columns, out);
        });
        let expected: Vec<_> = naive(&self.image, &self.geometry, &self.weights)
            .iter()
            .map(|lane| lane.map(|[value, magnitude]| Near::sum::<E>(value, window.taps(), magnitude)))
            .collect();
        assert_near(&found, &expected, &self.geometry);
    }

    fn check_separable(&self, level: Level, outputs: usize) {
        let Geometry { window, outputs: [rows, columns], .. } = self.geometry;
        let channels = self.image.channels;
        let mut noise = Noise::new(5);
        let (mixing, bias) = (noise.numbers(outputs * channels), noise.numbers(outputs));
        let mut pointwise = DenseWeights::new();
        pointwise.pack(1, channels, 1, &convert::<E>(&mixing), Some(&convert::<E>(&bias)));
        let weights = convert::<E>(&self.weights);
        let found = written(level, [outputs, rows, columns], E::ZERO, |level, band, out| {
            // What is left there of other convolutions does no harm.
            let mut between = vec![Lane::splat(E::from_f64(f64::NAN)); channels * columns];
            depthwise::convolve_separable(
                level,
                self.stored.planes(),
                &window,
                &weights,
                &pointwise,
                band,
                columns,
                &mut between,
                out,
            );
        });
        let between = naive(&self.image, &self.geometry, &self.weights);
        let mut expected = Vec::new();
        for output in 0..outputs {
            for pixel in 0..rows * columns {
                expected.push(std::array::from_fn(|sample| {
                    let (mut sum, mut magnitude) = (bias[output], bias[output].abs());
                    for channel in 0..channels {
                        let weight = mixing[output * channels + channel];
                        let [x, size] = between[channel * rows * columns + pixel][sample];
                        sum += weight * x;
                        magnitude += weight.abs() * size;
                    }
                    Near::sum::<E>(sum, window.taps() + channels, magnitude)
                }));
            }
        }
        assert_near(&found, &expected, &(&self.geometry, channels, outputs));
    }
}

fn windows_of_every_kind<E: Number>(level: Level) {
    for geometry in geometries() {
        Case::<E>::new(geometry, 2).check(level);
    }
}

fn channels_stay_apart<E: Number>(level: Level) {
    for channels in [1, 3, 6, 17] {
        let geometry = Geometry::new([4, 9], [3, 3], [2, 2], [2, 2], [[2, 2], [2, 2]]);
        Case::<E>::new(geometry, channels).check(level);
    }
}

fn separable_is_one_after_the_other<E: Number>(level: Level) {
    for geometry in geometries() {
        Case::<E>::new(geometry, 3).check_separable(level, 6);
    }
    for (channels, outputs) in cases([(1, 1), (3, 6), (6, 6), (6, 3), (16, 7), (17, 13)]) {
        let geometry = Geometry::new([4, 9], [5, 5], [1, 1], [2, 2], [[4, 4], [4, 4]]);
        Case::<E>::new(geometry, channels).check_separable(level, outputs);
    }
}

//! Pools and means against nested loops.

use crate::support::{
    Geometry, Image, Near, Number, assert_near, at_every_level, bits, cases, geometries, written,
};
use swapnas_lanes::kernels::mean;
use swapnas_lanes::kernels::pool::{self, Pool};
use swapnas_lanes::{Lane, Level, SAMPLES};

at_every_level!(maxima_are_exact, maxima_of_special_numbers, means_of_every_kind, means_over_the_whole_image);

fn run<E: Number>(level: Level, image: &Image, geometry: &Geometry, kind: Pool) -> Vec<Lane<E>> {
    let outside = if kind == Pool::Max { f64::NEG_INFINITY } else { 0.0 };
    let stored = image.stored::<E>(geometry.reach(), outside);
    let [rows, columns] = geometry.outputs;
    written(level, [image.channels, rows, columns], E::ZERO, |level, band, out| {
        pool::pool(level, stored.planes(), &geometry.window, kind, band, columns, out);
    })
}

/// What `fold` makes of the pixels under each window, those outside of the image being `None`.
fn naive(image: &Image, geometry: &Geometry, fold: impl Fn(&[Option<f64>]) -> Near) -> Vec<[Near; SAMPLES]> {
    let mut results = Vec::new();
    for channel in 0..image.channels {
        for row in 0..geometry.outputs[0] {
            for column in 0..geometry.outputs[1] {
                results.push(std::array::from_fn(|sample| {
                    let taps = geometry.taps(row, column).into_iter();
                    let pixels: Vec<_> =
                        taps.map(|[y, x]| image.at(channel, y, x).map(|pixel| pixel[sample])).collect();
                    fold(&pixels)
                }));
            }
        }
    }
    results
}

fn largest(pixels: &[Option<f64>]) -> Near {
    Near::exactly(pixels.iter().flatten().fold(f64::NEG_INFINITY, |a, b| a.max(*b)))
}

fn maxima_are_exact<E: Number>(level: Level) {
    for geometry in geometries() {
        let [height, width] = geometry.size;
        let image = Image::noise([3, height, width], 1);
        let found = run::<E>(level, &image, &geometry, Pool::Max);
        assert_near(&found, &naive(&image, &geometry, largest), &geometry);
    }
}

/// A NaN is smaller than everything, like minus infinity: the maximum is that of the numbers.
fn maxima_of_special_numbers<E: Number>(level: Level) {
    let geometry = Geometry::new([5, 6], [3, 3], [1, 1], [1, 1], [[1, 1], [1, 1]]);
    let special = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, -1e-40, 1e-40, f64::MIN_POSITIVE];
    let image = Image::from_fn([2, 5, 6], |channel, row, column| {
        std::array::from_fn(|sample| {
            let number = special[(channel * 5 + row * 3 + column * 11 + sample * (row + 1)) % special.len()];
            E::from_f64(number).to_f64()
        })
    });
    let found = run::<E>(level, &image, &geometry, Pool::Max);
    assert_near(&found, &naive(&image, &geometry, largest), &geometry);
    assert!(found.iter().all(|lane| lane.0.iter().all(|x| !x.to_f64().is_nan())));
}

fn means_of_every_kind<E: Number>(level: Level) {
    for geometry in geometries() {
        let [height, width] = geometry.size;
        let taps = geometry.window.taps();
        let image = Image::noise([2, height, width], 2);
        let mean = |pixels: &[Option<f64>], count: usize| {
            let sum: f64 = pixels.iter().flatten().sum();
            let magnitude: f64 = pixels.iter().flatten().map(|x| x.abs()).sum();
            // A window without pixels has mean 0.
            let count = count.max(1) as f64;
            Near::sum::<E>(sum / count, taps, magnitude / count)
        };
        let found = run::<E>(level, &image, &geometry, Pool::Mean { height, width });
        let expected = naive(&image, &geometry, |pixels| mean(pixels, pixels.iter().flatten().count()));
        assert_near(&found, &expected, &geometry);

        let found = run::<E>(level, &image, &geometry, Pool::MeanWithHalo);
        assert_near(&found, &naive(&image, &geometry, |pixels| mean(pixels, taps)), &geometry);
    }
}

fn means_over_the_whole_image<E: Number>(level: Level) {
    for [channels, height, width] in cases([[1, 1, 1], [3, 1, 7], [2, 5, 1], [17, 3, 4], [3, 32, 32]]) {
        let image = Image::noise([channels, height, width], 3);
        let stored = image.stored::<E>([-1..0, 0..0], f64::NAN);
        let means = |level| {
            let mut out = vec![Lane::ZERO; channels];
            mean::mean(level, stored.planes(), height, width, &mut out);
            out
        };
        let found = means(level);
        assert!(bits(&found) == bits(&means(Level::PORTABLE)), "{level} gives other bits than portable code");
        let pixels = height * width;
        let expected: Vec<_> = image
            .pixels
            .chunks_exact(pixels)
            .map(|channel| {
                std::array::from_fn(|sample| {
                    let sum: f64 = channel.iter().map(|pixel| pixel[sample]).sum();
                    let magnitude: f64 = channel.iter().map(|pixel| pixel[sample].abs()).sum();
                    Near::sum::<E>(sum / pixels as f64, pixels, magnitude / pixels as f64)
                })
            })
            .collect();
        assert_near(&found, &expected, &image.shape());
    }
}

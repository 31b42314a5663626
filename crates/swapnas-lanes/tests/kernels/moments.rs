//! Moments against two passes over all numbers.

use swapnas_lanes::kernels::moments::{self, Moments};
use swapnas_lanes::{Level, SAMPLES};

use crate::support::{Image, Noise, Number, Stored, at_every_level};

at_every_level!(
    batches_of_every_size,
    sizes_of_every_kind,
    nothing_cancels_where_the_mean_is_large,
    nothing_cancels_between_samples_that_hardly_differ,
    equal_numbers_have_no_variance,
    nothing_is_joined_for_no_numbers,
    numbers_that_are_not_finite_show
);

/// Images of a batch, block by block, all channels' numbers around `mean` and at most `spread` away.
/// Samples beyond the batch hold NaN.
fn blocks<E: Number>(shape: [usize; 3], batch: usize, mean: f64, spread: f64) -> Vec<Image> {
    let mut noise = Noise::new(batch as u64);
    let block = |block: usize| {
        Image::from_fn(shape, |channel, _, _| {
            std::array::from_fn(|sample| {
                let x = E::from_f64(mean * (channel + 1) as f64 + spread * noise.number());
                if block * SAMPLES + sample < batch { x.to_f64() } else { f64::NAN }
            })
        })
    };
    (0..batch.div_ceil(SAMPLES)).map(block).collect()
}

fn naive(blocks: &[Image], batch: usize, channel: usize) -> Moments {
    let numbers = || {
        blocks.iter().enumerate().flat_map(move |(block, image)| {
            let pixels = image.height * image.width;
            image.pixels[channel * pixels..][..pixels]
                .iter()
                .flat_map(move |pixel| &pixel[..(batch - block * SAMPLES).min(SAMPLES)])
        })
    };
    let count = numbers().count() as f64;
    let mean = numbers().sum::<f64>() / count;
    let largest = numbers().fold(0.0, |largest: f64, x| largest.max(x.abs()));
    Moments { count, mean, squares: numbers().map(|x| (x - mean) * (x - mean)).sum(), largest }
}

/// The sum of squared differences of every sample's numbers from its first, by which errors are
/// measured, for that is what the kernel sums up.
fn scale(blocks: &[Image], batch: usize, channel: usize) -> f64 {
    let mut sum = 0.0;
    for sample in 0..batch {
        let image = &blocks[sample / SAMPLES];
        let pixels = &image.pixels[channel * image.height * image.width..][..image.height * image.width];
        let first = pixels[0][sample % SAMPLES];
        sum += pixels.iter().map(|x| (x[sample % SAMPLES] - first).powi(2)).sum::<f64>();
    }
    sum
}

fn of<E: Number>(level: Level, stored: &[Stored<E>], bands: usize, batch: usize) -> Vec<Moments> {
    let layout = stored[0].layout;
    let mut moments = vec![Moments::default(); layout.channels];
    for (block, stored) in stored.iter().enumerate() {
        let samples = (batch - block * SAMPLES).min(SAMPLES);
        for band in 0..bands {
            let rows = band * layout.rows / bands..(band + 1) * layout.rows / bands;
            moments::accumulate(level, stored.planes(), rows, layout.columns, samples, &mut moments);
        }
    }
    moments
}

fn check<E: Number>(level: Level, shape: [usize; 3], batch: usize, mean: f64, spread: f64) {
    let images = blocks::<E>(shape, batch, mean, spread);
    let stored: Vec<Stored<E>> = images.iter().map(Image::plain).collect();
    for bands in [1, 2, shape[1]] {
        let found = of(level, &stored, bands, batch);
        assert_eq!(found, of(Level::PORTABLE, &stored, bands, batch), "{level} and portable code");
        for (channel, found) in found.iter().enumerate() {
            let expected = naive(&images, batch, channel);
            // With n numbers a sample and roundoff u, the sums of the differences d from the first
            // number have an error of at most n u sum |d|, the sums of their squares n u sum d^2.
            // What that does to the variance within samples is at most 3 n u sum d^2; the means of the
            // samples bring n u (sum d^2 + squares) more. Double precision adds its own roundings of
            // means that may be large, twice an image.
            let n = (shape[1] * shape[2] + 2) as f64;
            let first = scale(&images, batch, channel);
            let double = f64::EPSILON * expected.count * expected.mean.abs();
            let slack = 4.0 * double * (first.sqrt() + expected.mean.abs() * f64::EPSILON + spread);
            let squares = 4.0 * n * E::ROUNDOFF * (first + expected.squares) + slack;
            let mean = n * E::ROUNDOFF * (first / expected.count).sqrt() + double;
            assert_eq!(found.count, expected.count);
            assert!(found.largest >= expected.largest, "{found:?}, {expected:?}");
            // From the first number of a band, which may be any, others differ by twice the largest.
            let most = expected.largest * (1.0 + 2.0 * n.sqrt()) * (1.0 + 1e-5);
            assert!(found.largest <= most, "{found:?}, {expected:?}");
            assert!((found.mean - expected.mean).abs() <= mean, "{found:?}, {expected:?}, {bands} bands");
            assert!(
                (found.squares - expected.squares).abs() <= squares,
                "{found:?}, {expected:?}, {bands} bands"
            );
            assert!(
                (found.variance() - found.squares / found.count).abs() <= f64::EPSILON * squares.max(1.0)
            );
        }
    }
}

fn batches_of_every_size<E: Number>(level: Level) {
    for batch in [1, 2, 15, 16, 17, 40, 128] {
        check::<E>(level, [2, 3, 5], batch, 0.3, 1.0);
    }
}

fn sizes_of_every_kind<E: Number>(level: Level) {
    for shape in [[1, 1, 1], [1, 1, 2], [3, 2, 3], [2, 1, 4], [5, 7, 9], [1, 9, 1], [2, 16, 16], [1, 32, 32]]
    {
        for batch in [1, 16, 17] {
            check::<E>(level, shape, batch, -0.5, 2.0);
        }
    }
}

fn nothing_cancels_where_the_mean_is_large<E: Number>(level: Level) {
    check::<E>(level, [2, 8, 8], 16, 10_000.0, 0.5);
}

/// Their mean is rounded in the last digits, which must not be multiplied by numbers so much larger.
fn nothing_cancels_between_samples_that_hardly_differ<E: Number>(level: Level) {
    let mut pixel = [f64::NAN; SAMPLES];
    pixel[..3].copy_from_slice(&[8_388_608.0, 8_388_608.0, 8_388_609.0]);
    let stored = Image::from_fn([1, 1, 2], |_, _, _| pixel).plain::<E>();
    let squares = of(level, &[stored], 1, 3)[0].squares;
    assert!((squares - 4.0 / 3.0).abs() < 1e-8, "{squares}");
}

fn equal_numbers_have_no_variance<E: Number>(level: Level) {
    let stored = Image::from_fn([1, 5, 7], |_, _, _| [-3.25; SAMPLES]).plain::<E>();
    let found = of(level, &[stored], 3, 16);
    let largest = found[0].largest;
    assert!((3.25..3.26).contains(&largest), "{largest}");
    assert_eq!(found, [Moments { count: 560.0, mean: -3.25, squares: 0.0, largest }]);
}

/// One number that is not finite, of a sample that counts or of one that does not.
fn numbers_that_are_not_finite_show<E: Number>(level: Level) {
    for number in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
        for place in 0..21 {
            let image = Image::from_fn([1, 3, 7], |_, row, column| {
                let mut pixel = [0.5; SAMPLES];
                pixel[5] = if row * 7 + column == place { number } else { 2.0 };
                pixel
            });
            let stored = image.plain::<E>();
            let finite = |samples| {
                let mut moments = [Moments::default()];
                moments::accumulate(level, stored.planes(), 0..3, 7, samples, &mut moments);
                moments[0].are_finite()
            };
            assert!(!finite(16) && !finite(6) && finite(5), "{number} at {place}");
        }
    }
}

fn nothing_is_joined_for_no_numbers<E: Number>(level: Level) {
    let stored = Image::noise([1, 2, 3], 1).plain::<E>();
    let before = Moments { count: 3.0, mean: 0.5, squares: 2.0, largest: 2.0 };
    for (rows, width, samples) in [(1..1, 3, 16), (2..2, 3, 16), (0..2, 0, 16), (0..2, 3, 0)] {
        let mut moments = [before];
        moments::accumulate(level, stored.planes(), rows, width, samples, &mut moments);
        assert_eq!(moments, [before]);
    }
}

#[test]
fn moments_are_finite_if_all_of_them_are() {
    let some = Moments { count: 3.0, mean: 0.5, squares: 2.0, largest: 2.0 };
    assert!(some.are_finite());
    for x in [f64::INFINITY, f64::NAN] {
        assert!(!Moments { mean: x, ..some }.are_finite());
        assert!(!Moments { squares: x, ..some }.are_finite());
        assert!(!Moments { largest: x, ..some }.are_finite());
    }
}

#[test]
fn the_moments_of_nothing_change_nothing() {
    let nothing = Moments::default();
    let some = Moments { count: 3.0, mean: 0.5, squares: 2.0, largest: 2.0 };
    assert_eq!(some.join(nothing), some);
    assert_eq!(nothing.join(some), some);
    assert_eq!(nothing.join(nothing), nothing);
    assert_eq!(nothing.variance(), 0.0);
}

//! Random images with the amplitude spectrum of natural ones.

use std::fmt;
use std::sync::Arc;

use rand::RngExt;
use rand_distr::StandardNormal;
use rayon::prelude::*;
use rustfft::num_complex::Complex32;
use rustfft::{Fft, FftPlannerScalar};
use swapnas_graph::Shape;

use super::{Images, InputError, SpecError, image_rng};

/// Gaussian random images whose amplitude falls as a power of the frequency.
///
/// A *field* is the inverse Fourier transform of a complex white Gaussian spectrum multiplied by
/// `f^-exponent`, where `f` is the radial frequency in cycles per pixel. Frequencies below one cycle
/// per longer side, that is the zero frequency alone, count as that lowest one: the mean brightness of
/// a field is as random as its largest structures. Every channel is the mixture
/// `sqrt(correlation) * common + sqrt(1 - correlation) * own` of a field that the channels of the image
/// share and one of its own.
///
/// The batch is then divided by the standard deviation of all its values. The mean is neither
/// removed nor otherwise touched, so brighter and darker images stay so.
///
/// Natural images have an exponent near 1 (Field, J. Opt. Soc. Am. A 4, 1987). The default is steeper
/// because that ranks networks better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spectral {
    exponent: f64,
    correlation: f64,
}

impl Default for Spectral {
    fn default() -> Self {
        Spectral { exponent: 2.5, correlation: 0.97 }
    }
}

impl Spectral {
    /// Images with an exponent of 0 to 10 and a correlation between channels of 0 to 1.
    ///
    /// # Errors
    ///
    /// When a value is outside its range.
    pub fn new(exponent: f64, correlation: f64) -> Result<Self, SpecError> {
        let check = |name, value, (low, high)| {
            if (low..=high).contains(&value) {
                Ok(())
            } else {
                Err(SpecError::Range { name, value, low, high })
            }
        };
        check("exponent", exponent, (0.0, 10.0))?;
        check("correlation", correlation, (0.0, 1.0))?;
        Ok(Spectral { exponent, correlation })
    }

    /// How steeply the amplitude falls with the frequency; 0 is white noise.
    pub fn exponent(&self) -> f64 {
        self.exponent
    }

    /// Correlation between any two channels of an image.
    pub fn correlation(&self) -> f64 {
        self.correlation
    }

    pub(super) fn draw(&self, shape: Shape, count: usize, seed: u64) -> Result<Images, InputError> {
        let mut images = Images::zeros(shape, count)?;
        let synthesis = Synthesis::new(shape.height, shape.width, self.exponent);
        images.each_mut().enumerate().for_each_init(
            || (synthesis.workspace(), vec![0.0; shape.pixels()]),
            |(workspace, common), (index, image)| {
                let mut rng = image_rng("spectral", seed, index);
                let mut white = || rng.sample(StandardNormal);
                let (first, rest) = image.split_at_mut(shape.pixels());
                synthesis.pair(workspace, &mut white, common, first);
                for two in rest.chunks_mut(2 * shape.pixels()) {
                    let (even, odd) = two.split_at_mut(shape.pixels());
                    synthesis.pair(workspace, &mut white, even, odd);
                }
                self.mix(common, image);
            },
        );
        scale_to_unit_variance(&mut images);
        Ok(images)
    }

    /// Makes every channel the mixture of itself and of what the channels have in common.
    fn mix(&self, common: &[f32], image: &mut [f32]) {
        let common_weight = self.correlation.sqrt() as f32;
        let own_weight = (1.0 - self.correlation).sqrt() as f32;
        for channel in image.chunks_exact_mut(common.len()) {
            for (value, common) in channel.iter_mut().zip(common) {
                *value = common_weight * common + own_weight * *value;
            }
        }
    }
}

/// As the text that users write, without the options that have their default.
impl fmt::Display for Spectral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let default = Spectral::default();
        write!(f, "spectral")?;
        if self.exponent != default.exponent {
            write!(f, ":exponent={}", self.exponent)?;
        }
        if self.correlation != default.correlation {
            write!(f, ":correlation={}", self.correlation)?;
        }
        Ok(())
    }
}

/// Divides by the standard deviation, unless there is none because all values are equal.
fn scale_to_unit_variance(images: &mut Images) {
    let n = images.data.len() as f64;
    let mean = sum(images, |x| x) / n;
    let variance = sum(images, |x| (x - mean) * (x - mean)) / n;
    if variance > 0.0 {
        let scale = variance.sqrt().recip() as f32;
        images.each_mut().for_each(|image| image.iter_mut().for_each(|x| *x *= scale));
    }
}

/// Sum of `term` over all values: image by image, so that it is the same for any number of threads.
fn sum(images: &Images, term: impl Fn(f64) -> f64 + Sync) -> f64 {
    let of_images: Vec<f64> =
        images.each().map(|image| image.iter().map(|&x| term(x.into())).sum()).collect();
    of_images.iter().sum()
}

/// Makes fields of one size.
///
/// Images are the same to the bit on every machine. The transforms are therefore the scalar ones, since
/// those with SIMD instructions add in another order; and the powers are not left to the system's
/// mathematics. Sines and cosines are, within the transforms, but rounded from double precision.
struct Synthesis {
    /// Amplitude of every frequency, `[width][height]`.
    amplitude: Vec<f32>,
    along_columns: Arc<dyn Fft<f32>>,
    along_rows: Arc<dyn Fft<f32>>,
}

/// What a thread needs to make one field after the other.
struct Workspace {
    /// The spectrum, `[width][height]`.
    spectrum: Vec<Complex32>,
    /// The field, `[height][width]`.
    field: Vec<Complex32>,
    scratch: Vec<Complex32>,
}

impl Synthesis {
    fn new(height: usize, width: usize, exponent: f64) -> Self {
        // In cycles per longer side, so that the lowest frequency has amplitude 1 and nothing overflows.
        let size = height.max(width) as f64;
        let frequency = |k: usize, n: usize| k.min(n - k) as f64 / n as f64 * size;
        let amplitude = (0..width)
            .flat_map(|kx| (0..height).map(move |ky| [frequency(kx, width), frequency(ky, height)]))
            .map(|[fx, fy]| libm::pow((fx * fx + fy * fy).max(1.0), -exponent / 2.0) as f32)
            .collect();
        let mut planner = FftPlannerScalar::new();
        Synthesis {
            amplitude,
            along_columns: planner.plan_fft_inverse(height),
            along_rows: planner.plan_fft_inverse(width),
        }
    }

    fn workspace(&self) -> Workspace {
        let scratch = [&self.along_columns, &self.along_rows].map(|fft| fft.get_inplace_scratch_len());
        Workspace {
            spectrum: vec![Complex32::ZERO; self.amplitude.len()],
            field: vec![Complex32::ZERO; self.amplitude.len()],
            scratch: vec![Complex32::ZERO; scratch[0].max(scratch[1])],
        }
    }

    /// Writes two independent fields, or only the first if `second` is empty.
    ///
    /// The real and the imaginary part of the transform of complex white noise are independent of each
    /// other and have the same distribution, so one transform serves both.
    fn pair(
        &self,
        workspace: &mut Workspace,
        white: &mut impl FnMut() -> f32,
        first: &mut [f32],
        second: &mut [f32],
    ) {
        let Workspace { spectrum, field, scratch } = workspace;
        for (value, &amplitude) in spectrum.iter_mut().zip(&self.amplitude) {
            *value = Complex32::new(white(), white()) * amplitude;
        }
        self.along_columns.process_with_scratch(spectrum, scratch);
        let (height, width) = (self.along_columns.len(), self.along_rows.len());
        for (y, row) in field.chunks_exact_mut(width).enumerate() {
            for (value, column) in row.iter_mut().zip(spectrum.chunks_exact(height)) {
                *value = column[y];
            }
        }
        self.along_rows.process_with_scratch(field, scratch);
        for (value, field) in first.iter_mut().zip(&*field) {
            *value = field.re;
        }
        for (value, field) in second.iter_mut().zip(&*field) {
            *value = field.im;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(shape: Shape, count: usize, seed: u64) -> Images {
        Spectral::default().draw(shape, count, seed).unwrap()
    }

    /// Radial frequency in cycles per longer side of every place in `[height][width]`, at least 1.
    fn frequencies(height: usize, width: usize) -> impl Iterator<Item = f64> {
        let size = height.max(width) as f64;
        (0..height * width).map(move |k| {
            let [y, x] = [k / width, k % width];
            let fy = y.min(height - y) as f64 / height as f64;
            let fx = x.min(width - x) as f64 / width as f64;
            (fx.hypot(fy) * size).max(1.0)
        })
    }

    /// Slope of the straight line through the points, by least squares.
    fn slope(points: &[(f64, f64)]) -> f64 {
        let n = points.len() as f64;
        let mean_x = points.iter().map(|p| p.0).sum::<f64>() / n;
        let mean_y = points.iter().map(|p| p.1).sum::<f64>() / n;
        let covariance: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
        covariance / points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum::<f64>()
    }

    /// Mean power of every frequency `[height][width]` over all channels of all images, by the sum that
    /// defines the transform.
    fn power(images: &Images) -> Vec<f64> {
        let (height, width) = (images.height, images.width);
        let mut power = vec![0.0; height * width];
        let turn = |k: usize, x: usize, n: usize| {
            (std::f64::consts::TAU * ((k * x) % n) as f64 / n as f64).sin_cos()
        };
        for channel in images.data.chunks_exact(height * width) {
            for (k, power) in power.iter_mut().enumerate() {
                let (mut re, mut im) = (0.0, 0.0);
                for (place, &value) in channel.iter().enumerate() {
                    let (sy, cy) = turn(k / width, place / width, height);
                    let (sx, cx) = turn(k % width, place % width, width);
                    re += f64::from(value) * (cx * cy - sx * sy);
                    im -= f64::from(value) * (sx * cy + cx * sy);
                }
                *power += re * re + im * im;
            }
        }
        power
    }

    #[test]
    fn the_power_of_every_frequency_follows_the_law() {
        for (height, width, exponent) in [(16, 16, 2.5), (9, 14, 2.5), (11, 8, 1.0), (8, 8, 0.0)] {
            let spectral = Spectral::new(exponent, 0.97).unwrap();
            let power = power(&spectral.draw(Shape::new(1, height, width), 400, 5).unwrap());
            let mut relative: Vec<f64> = frequencies(height, width)
                .zip(&power)
                .map(|(frequency, power)| power * frequency.powf(2.0 * exponent))
                .collect();
            let mean = relative.iter().sum::<f64>() / relative.len() as f64;
            relative.iter_mut().for_each(|p| *p /= mean);
            // Each is a mean of 400 squares; a real Gaussian's (frequency zero) has a standard error of 7%.
            assert!(relative.iter().all(|p| (p - 1.0).abs() < 0.3), "{height}x{width}: {relative:?}");

            let logarithms: Vec<_> = frequencies(height, width)
                .zip(&power)
                .map(|(frequency, power)| (frequency.ln(), power.sqrt().ln()))
                .collect();
            let slope = slope(&logarithms);
            assert!((slope + exponent).abs() < 0.03, "{height}x{width}: {slope} for {exponent}");
        }
    }

    #[test]
    fn channels_correlate_as_asked() {
        for correlation in [0.0, 0.5, 0.97, 1.0] {
            let spectral = Spectral::new(2.5, correlation).unwrap();
            for channels in [2, 3, 4] {
                let images = spectral.draw(Shape::new(channels, 8, 8), 2000, 9).unwrap();
                for (a, b) in (0..channels).flat_map(|a| (0..a).map(move |b| (a, b))) {
                    let product = |a: usize, b: usize| -> f64 {
                        (0..images.count)
                            .flat_map(|i| {
                                let image = images.image(i);
                                image[a * 64..][..64].iter().zip(&image[b * 64..][..64])
                            })
                            .map(|(&x, &y)| f64::from(x) * f64::from(y))
                            .sum()
                    };
                    let measured = product(a, b) / (product(a, a) * product(b, b)).sqrt();
                    let error = (measured - correlation).abs();
                    assert!(error < 0.05 * (1.0 - correlation) + 1e-6, "{correlation}: {measured}");
                }
            }
        }
    }

    #[test]
    fn the_batch_has_unit_variance() {
        for (shape, count) in
            [(Shape::new(3, 32, 32), 16), (Shape::new(1, 1, 17), 2), (Shape::new(5, 7, 3), 1)]
        {
            let images = draw(shape, count, 0);
            let n = images.data.len() as f64;
            let mean = images.data.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
            let variance = images.data.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n;
            assert!((variance - 1.0).abs() < 1e-5, "{shape}: {variance}");
        }
    }

    #[test]
    fn an_image_depends_on_its_number_and_the_seed_up_to_the_common_scale() {
        let shape = Shape::new(3, 12, 10);
        let (many, few) = (draw(shape, 20, 7), draw(shape, 4, 7));
        let scale = many.data[0] / few.data[0];
        for (a, b) in many.data.iter().zip(&few.data) {
            assert!((a - b * scale).abs() <= 1e-5 * a.abs(), "{a} is not {b} times {scale}");
        }
        assert_eq!(draw(shape, 4, 7), few);
        assert_ne!(draw(shape, 4, 8).data[0], few.data[0]);
    }

    #[test]
    fn a_single_value_stays_finite() {
        assert!(draw(Shape::new(1, 1, 1), 1, 0).data[0].is_finite());
        let equal = Spectral::new(2.5, 1.0).unwrap().draw(Shape::new(3, 1, 1), 1, 0).unwrap();
        assert!(equal.data.iter().all(|&x| x == equal.data[0] && x.is_finite()));
        let steep = Spectral::new(10.0, 0.97).unwrap().draw(Shape::new(3, 224, 224), 1, 0).unwrap();
        assert!(steep.data.iter().all(|x| x.is_finite()));
    }

    #[test]
    fn a_seed_means_the_same_images_in_every_version_on_every_machine() {
        let some = |shape: Shape, count| {
            let data = draw(shape, count, 0).data;
            let bits: u64 = data.iter().map(|x| u64::from(x.to_bits())).sum();
            (data[0], data[data.len() / 2], data[data.len() - 1], bits)
        };
        insta::assert_compact_debug_snapshot!(some(Shape::new(3, 32, 32), 16), @"(1.0385723, -0.26345927, -0.33183825, 108647835247603)");
        insta::assert_compact_debug_snapshot!(some(Shape::new(3, 224, 224), 1), @"(0.4688998, 1.7331824, 0.39690092, 267103836958154)");
        // Prime sides take other transforms.
        insta::assert_compact_debug_snapshot!(some(Shape::new(4, 37, 59), 2), @"(-0.55843097, -2.0677316, -2.3392732, 36146285312281)");
    }

    #[test]
    fn threads_do_not_matter() {
        let drawn = [1, 2, 5].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| draw(Shape::new(3, 20, 20), 30, 1))
        });
        assert!(drawn.iter().all(|images| *images == drawn[0]));
    }

    /// The transforms take sines and cosines from the system in double precision and round them. Systems
    /// differ by a unit in the last place, which matters only where that lies across the border between
    /// two roundings. None does, for all lengths that sides up to 1024 come down to.
    #[test]
    fn sines_and_cosines_are_rounded_the_same_on_every_system() {
        for length in 1..=2048_u32 {
            let step = -2.0 * std::f64::consts::PI / f64::from(length);
            for angle in (1..length).map(|index| step * f64::from(index)) {
                for exact in [libm::sin(angle), libm::cos(angle)] {
                    let bits = exact.to_bits();
                    let below = f64::from_bits(bits.saturating_sub(2)) as f32;
                    let above = f64::from_bits(bits + 2) as f32;
                    assert_eq!(below, above, "{exact} of {angle} for length {length}");
                }
            }
        }
    }
}

//! Mean and variance over samples and pixels, as batch normalisation needs them.

use std::ops::Range;

use crate::simd::{Level, Simd, Task};
use crate::{Element, Lane, Planes, SAMPLES};

/// Count, mean and sum of squared differences from it; sets of numbers can be joined without loss
/// of precision (Chan, Golub, LeVeque 1979).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    /// How many numbers.
    pub count: f64,
    /// Their mean.
    pub mean: f64,
    /// Sum of (x - mean)^2.
    pub squares: f64,
    /// No number is larger in magnitude, and few sets have one that comes near. Infinite or NaN numbers show
    /// in the mean.
    pub largest: f64,
}

impl Moments {
    /// The moments of two sets of numbers together.
    #[must_use]
    pub fn join(self, other: Moments) -> Moments {
        let count = self.count + other.count;
        if count == 0.0 {
            return self;
        }
        let step = other.mean - self.mean;
        let share = other.count / count;
        Moments {
            count,
            mean: self.mean + step * share,
            squares: self.squares + other.squares + step * step * self.count * share,
            largest: self.largest.max(other.largest),
        }
    }

    /// Whether all numbers are finite, and no larger than their squares could be added up.
    pub fn are_finite(&self) -> bool {
        self.mean.is_finite() && self.squares.is_finite() && self.largest.is_finite()
    }

    /// Biased variance: the mean of (x - mean)^2, 0 for no numbers.
    pub fn variance(&self) -> f64 {
        if self.count > 0.0 { self.squares / self.count } else { 0.0 }
    }
}

/// Joins the moments of rows `rows` of each channel to `moments`, for the first `samples` samples of
/// the block.
///
/// # Panics
/// If the planes do not have the rows and columns, or `moments` is not one per channel.
pub fn accumulate<E: Element>(
    level: Level,
    planes: Planes<'_, Lane<E>>,
    rows: Range<usize>,
    width: usize,
    samples: usize,
    moments: &mut [Moments],
) {
    let mut sums = MomentSums::default();
    sums.add(level, planes, rows, width);
    sums.join(samples, moments);
}

/// Sums that are taken side by side, so that an addition need not wait for the one before, and fewer
/// numbers are added to large ones. The result depends on this number.
const CHAINS: usize = 4;

/// Sums and squares of the rows of an image that have been added so far.
///
/// They are taken of differences from the first pixel of a channel, so that nothing cancels where the
/// mean is large against the deviation. The result depends on which rows were added, not on how many
/// at once; so rows can be added while they are still in the cache.
#[derive(Clone, Debug)]
pub struct MomentSums<E = f32> {
    channels: Vec<Channel<E>>,
    /// Pixels of each channel.
    pixels: usize,
}

#[derive(Clone, Debug)]
struct Channel<E> {
    first: Lane<E>,
    sums: [Lane<E>; CHAINS],
    squares: [Lane<E>; CHAINS],
}

impl<E> Default for MomentSums<E> {
    fn default() -> Self {
        MomentSums { channels: Vec::new(), pixels: 0 }
    }
}

impl<E: Element> MomentSums<E> {
    /// Adds rows of each channel.
    ///
    /// # Panics
    /// If the planes do not have the rows and columns.
    pub fn add(&mut self, level: Level, planes: Planes<'_, Lane<E>>, rows: Range<usize>, width: usize) {
        if rows.is_empty() || width == 0 {
            return;
        }
        if self.pixels == 0 {
            self.channels.clear();
            self.channels.extend((0..planes.layout().channels).map(|channel| Channel {
                first: planes.row(channel, rows.start as isize, 0..1)[0],
                sums: [Lane::ZERO; CHAINS],
                squares: [Lane::ZERO; CHAINS],
            }));
        }
        self.pixels += rows.len() * width;
        level.run(Add { planes, rows, width, channels: &mut self.channels });
    }

    /// Joins the moments of each channel to `moments`, for the first `samples` samples of the block,
    /// and forgets all rows.
    ///
    /// # Panics
    /// If `moments` is not one per channel.
    pub fn join(&mut self, samples: usize, moments: &mut [Moments]) {
        assert!(samples <= SAMPLES);
        let count = std::mem::take(&mut self.pixels) as f64;
        if count == 0.0 || samples == 0 {
            return;
        }
        assert_eq!(moments.len(), self.channels.len());
        for (channel, moments) in self.channels.iter().zip(moments) {
            *moments = moments.join(channel.moments(count, samples));
        }
    }
}

impl<E: Element> Channel<E> {
    /// All samples have the same count of pixels, so their moments join without divisions.
    fn moments(&self, count: f64, samples: usize) -> Moments {
        let total = |chains: &[Lane<E>; CHAINS], sample: usize| {
            let [a, b, c, d] = chains.each_ref().map(|lane| lane.0[sample]);
            ((a + b) + (c + d)).to_f64()
        };
        let mut means = [0.0; SAMPLES];
        let (mut mean, mut within) = (0.0, 0.0);
        let (mut largest_first, mut largest_square) = (0.0_f64, 0.0_f64);
        for (sample, of_sample) in means[..samples].iter_mut().enumerate() {
            let (sum, square) = (total(&self.sums, sample), total(&self.squares, sample));
            let (first, step) = (self.first.0[sample].to_f64(), sum / count);
            *of_sample = first + step;
            largest_first = largest_first.max(first.abs());
            largest_square = largest_square.max(square);
            mean += *of_sample;
            within += (square - sum * step).max(0.0);
        }
        mean /= samples as f64;
        let between: f64 = means[..samples].iter().map(|m| (m - mean) * (m - mean)).sum();
        // A sum of squares is no smaller than any of them, but for the rounding of differences and squares.
        let largest = (largest_first + largest_square.sqrt()) * (1.0 + 1e-6);
        Moments { count: count * samples as f64, mean, squares: within + count * between, largest }
    }
}

struct Add<'a, E> {
    planes: Planes<'a, Lane<E>>,
    rows: Range<usize>,
    width: usize,
    channels: &'a mut [Channel<E>],
}

impl<E: Element> Task<E> for Add<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<E = E>>(self, simd: S) {
        let columns = 0..self.width as isize;
        for (channel, Channel { first, sums, squares }) in self.channels.iter_mut().enumerate() {
            for part in 0..S::PARTS {
                let origin = simd.load(first, part);
                let mut sum = [simd.zero(); CHAINS];
                let mut square = [simd.zero(); CHAINS];
                for i in 0..CHAINS {
                    sum[i] = simd.load(&sums[i], part);
                    square[i] = simd.load(&squares[i], part);
                }
                for row in self.rows.clone() {
                    let pixels = self.planes.row(channel, row as isize, columns.clone());
                    let (chunks, rest) = pixels.as_chunks::<CHAINS>();
                    for chunk in chunks {
                        for (i, x) in chunk.iter().enumerate() {
                            let x = simd.sub(simd.load(x, part), origin);
                            sum[i] = simd.add(sum[i], x);
                            square[i] = simd.fma(x, x, square[i]);
                        }
                    }
                    for (i, x) in rest.iter().enumerate() {
                        let x = simd.sub(simd.load(x, part), origin);
                        sum[i] = simd.add(sum[i], x);
                        square[i] = simd.fma(x, x, square[i]);
                    }
                }
                for i in 0..CHAINS {
                    simd.store(sum[i], &mut sums[i], part);
                    simd.store(square[i], &mut squares[i], part);
                }
            }
        }
    }
}

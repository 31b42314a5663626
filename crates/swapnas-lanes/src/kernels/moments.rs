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
        }
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
    assert_eq!(moments.len(), planes.layout().channels);
    assert!(samples <= SAMPLES);
    if !rows.is_empty() && width > 0 && samples > 0 {
        level.run(Accumulate { planes, rows, width, samples, moments });
    }
}

/// Sums that are taken side by side, so that an addition need not wait for the one before, and fewer
/// numbers are added to large ones. The result depends on this number.
const CHAINS: usize = 4;

struct Accumulate<'a, E> {
    planes: Planes<'a, Lane<E>>,
    rows: Range<usize>,
    width: usize,
    samples: usize,
    moments: &'a mut [Moments],
}

impl<E: Element> Task<E> for Accumulate<'_, E> {
    type Output = ();

    /// Sums and squares are taken of differences from the first pixel, so that nothing cancels where
    /// the mean is large against the deviation.
    #[inline(always)]
    fn run<S: Simd<E = E>>(self, simd: S) {
        let columns = 0..self.width as isize;
        let count = (self.rows.len() * self.width) as f64;
        for (channel, moments) in self.moments.iter_mut().enumerate() {
            let pivot = self.planes.row(channel, self.rows.start as isize, 0..1)[0];
            let mut sums = Lane::ZERO;
            let mut squares = Lane::ZERO;
            for part in 0..S::PARTS {
                let origin = simd.load(&pivot, part);
                let mut sum = [simd.zero(); CHAINS];
                let mut square = [simd.zero(); CHAINS];
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
                let sum = simd.add(simd.add(sum[0], sum[1]), simd.add(sum[2], sum[3]));
                let square = simd.add(simd.add(square[0], square[1]), simd.add(square[2], square[3]));
                simd.store(sum, &mut sums, part);
                simd.store(square, &mut squares, part);
            }
            // All samples have the same count, so their moments join without divisions.
            let (sums, squares) = (&sums.0[..self.samples], &squares.0[..self.samples]);
            let mut means = [0.0; SAMPLES];
            let (mut mean, mut within) = (0.0, 0.0);
            for (sample, (sum, square)) in sums.iter().zip(squares).enumerate() {
                let sum = sum.to_f64();
                let step = sum / count;
                means[sample] = pivot.0[sample].to_f64() + step;
                mean += means[sample];
                within += (square.to_f64() - sum * step).max(0.0);
            }
            mean /= self.samples as f64;
            let between: f64 = means[..self.samples].iter().map(|m| (m - mean) * (m - mean)).sum();
            *moments = moments.join(Moments {
                count: count * self.samples as f64,
                mean,
                squares: within + count * between,
            });
        }
    }
}

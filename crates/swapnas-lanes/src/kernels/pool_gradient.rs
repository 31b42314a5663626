//! How gradients and tangents go through pools.

use std::ops::Range;

use super::pool::Pool;
use super::window::Window;
use crate::simd::{Level, Simd, Task};
use crate::{Element, Lane, Planes, PlanesMut};

/// A max pool that has been computed.
#[derive(Clone, Copy)]
pub struct MaxPool<'a, E = f32> {
    /// What was pooled, with minus infinity in the halo.
    pub input: Planes<'a, Lane<E>>,
    /// The result.
    pub output: Planes<'a, Lane<E>>,
    /// The window.
    pub window: &'a Window,
}

/// Adds the gradient of output rows `rows`, each of `width` pixels, to the gradient of the input:
/// to the first of the largest pixels under the window, in the order of rows and columns.
///
/// # Panics
/// If the channels do not agree or the window reaches beyond what is stored.
pub fn max_backward<E: Element>(
    level: Level,
    of: MaxPool<'_, E>,
    gradient: Planes<'_, Lane<E>>,
    rows: Range<usize>,
    width: usize,
    into: PlanesMut<'_, Lane<E>>,
) {
    if width == 0 {
        return;
    }
    level.run(MaxBackward { of, gradient, rows, width, into });
}

/// The tangent of output rows `rows`, each of `width` pixels: that of the first of the largest pixels
/// under the window.
///
/// # Panics
/// If the channels do not agree or the window reaches beyond what is stored.
pub fn max_tangent<E: Element>(
    level: Level,
    of: MaxPool<'_, E>,
    tangent: Planes<'_, Lane<E>>,
    rows: Range<usize>,
    width: usize,
    out: PlanesMut<'_, Lane<E>>,
) {
    if width == 0 {
        return;
    }
    level.run(MaxTangent { of, tangent, rows, width, out });
}

/// Adds the gradient of output rows `rows`, each of `width` pixels, of an average pool to the
/// gradient of the input.
///
/// # Panics
/// If the channels do not agree or the window reaches beyond what is stored.
pub fn mean_backward<E: Element>(
    level: Level,
    window: &Window,
    pool: Pool,
    gradient: Planes<'_, Lane<E>>,
    rows: Range<usize>,
    width: usize,
    into: PlanesMut<'_, Lane<E>>,
) {
    if width == 0 {
        return;
    }
    level.run(MeanBackward { window, pool, gradient, rows, width, into });
}

/// The taps of a window one after the other: for each, the input row that it lies in for output row
/// `row`, the input columns from its place under the first output to that under the last, and the
/// distance between two of them.
fn taps(window: &Window, row: usize, width: usize) -> impl Iterator<Item = (isize, Range<isize>, usize)> {
    let [rows, columns] = window.kernel;
    let first = window.start(0, row);
    (0..rows * columns).map(move |tap| {
        let row = first + (tap / columns * window.dilation[0]) as isize;
        let start = window.origin[1] + (tap % columns * window.dilation[1]) as isize;
        let end = start + ((width - 1) * window.stride[1]) as isize + 1;
        (row, start..end, window.stride[1])
    })
}

struct MaxBackward<'a, E> {
    of: MaxPool<'a, E>,
    gradient: Planes<'a, Lane<E>>,
    rows: Range<usize>,
    width: usize,
    into: PlanesMut<'a, Lane<E>>,
}

impl<E: Element> Task<E> for MaxBackward<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<E = E>>(mut self, simd: S) {
        let columns = 0..self.width as isize;
        // What is left of a gradient: nothing once the largest pixel is found.
        let mut left = vec![Lane::ZERO; self.width];
        for channel in 0..self.gradient.layout().channels {
            for row in self.rows.clone() {
                let largest = self.of.output.row(channel, row as isize, columns.clone());
                left.copy_from_slice(self.gradient.row(channel, row as isize, columns.clone()));
                for (row, columns, step) in taps(self.of.window, row, self.width) {
                    let x = self.of.input.row(channel, row, columns.clone()).iter().step_by(step);
                    let into = self.into.row(channel, row, columns).iter_mut().step_by(step);
                    for (((x, into), left), largest) in x.zip(into).zip(&mut left).zip(largest) {
                        for part in 0..S::PARTS {
                            let (x, largest) = (simd.load(x, part), simd.load(largest, part));
                            let rest = simd.load(left, part);
                            let taken = simd.select(largest, x, simd.zero(), rest);
                            simd.store(simd.add(simd.load(into, part), taken), into, part);
                            simd.store(simd.select(largest, x, rest, simd.zero()), left, part);
                        }
                    }
                }
            }
        }
    }
}

struct MaxTangent<'a, E> {
    of: MaxPool<'a, E>,
    tangent: Planes<'a, Lane<E>>,
    rows: Range<usize>,
    width: usize,
    out: PlanesMut<'a, Lane<E>>,
}

impl<E: Element> Task<E> for MaxTangent<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<E = E>>(mut self, simd: S) {
        let columns = 0..self.width as isize;
        // 1 until the largest pixel is found.
        let mut open = vec![Lane::ZERO; self.width];
        for channel in 0..self.out.layout().channels {
            for row in self.rows.clone() {
                let largest = self.of.output.row(channel, row as isize, columns.clone());
                let out = self.out.row(channel, row as isize, columns.clone());
                open.fill(Lane::splat(E::ONE));
                out.fill(Lane::ZERO);
                for (row, columns, step) in taps(self.of.window, row, self.width) {
                    let x = self.of.input.row(channel, row, columns.clone()).iter().step_by(step);
                    let tangent = self.tangent.row(channel, row, columns).iter().step_by(step);
                    let pixels = x.zip(tangent).zip(&mut open).zip(largest).zip(out.iter_mut());
                    for ((((x, tangent), open), largest), out) in pixels {
                        for part in 0..S::PARTS {
                            let (x, largest) = (simd.load(x, part), simd.load(largest, part));
                            let rest = simd.load(open, part);
                            let taken = simd.select(largest, x, simd.zero(), rest);
                            let sum = simd.fma(taken, simd.load(tangent, part), simd.load(out, part));
                            simd.store(sum, out, part);
                            simd.store(simd.select(largest, x, rest, simd.zero()), open, part);
                        }
                    }
                }
            }
        }
    }
}

struct MeanBackward<'a, E> {
    window: &'a Window,
    pool: Pool,
    gradient: Planes<'a, Lane<E>>,
    rows: Range<usize>,
    width: usize,
    into: PlanesMut<'a, Lane<E>>,
}

impl<E: Element> Task<E> for MeanBackward<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<E = E>>(mut self, simd: S) {
        let window = self.window;
        let columns = 0..self.width as isize;
        let mut share = vec![Lane::ZERO; self.width];
        for row in self.rows.clone() {
            let (mut height, mut counted) = (window.kernel[0], vec![window.kernel[1]; self.width]);
            if let Pool::Mean { height: rows, width } = self.pool {
                height = window.taps_inside(0, row, rows);
                for (column, count) in counted.iter_mut().enumerate() {
                    *count = window.taps_inside(1, column, width);
                }
            }
            for channel in 0..self.gradient.layout().channels {
                let gradient = self.gradient.row(channel, row as isize, columns.clone());
                for ((share, gradient), count) in share.iter_mut().zip(gradient).zip(&counted) {
                    let factor = simd.splat(E::from_f64(1.0 / (height * count).max(1) as f64));
                    for part in 0..S::PARTS {
                        simd.store(simd.mul(simd.load(gradient, part), factor), share, part);
                    }
                }
                for (row, columns, step) in taps(window, row, self.width) {
                    let into = self.into.row(channel, row, columns).iter_mut().step_by(step);
                    for (into, share) in into.zip(&share) {
                        for part in 0..S::PARTS {
                            let sum = simd.add(simd.load(into, part), simd.load(share, part));
                            simd.store(sum, into, part);
                        }
                    }
                }
            }
        }
    }
}

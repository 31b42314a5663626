//! Convolution of every channel by itself, alone or followed by a convolution over the channels.

use std::ops::Range;

use super::dense::{self, DenseWeights};
use super::window::Window;
use crate::simd::{Level, Simd, Task};
use crate::{Element, Lane, Layout, Planes, PlanesMut};

/// Pixels computed at once: enough to hide the latency of a fused multiply-add on two units.
const PIXELS: usize = 8;

/// Depthwise convolution with weights `[channels, taps]` and no bias: output rows `rows`, each of
/// `width` pixels.
///
/// Every output is w0*x0 + w1*x1 + ... in the order of rows and columns of the window.
///
/// # Panics
/// If the channels do not agree or the window reaches beyond what is stored.
pub fn convolve<E: Element>(
    level: Level,
    input: Planes<'_, Lane<E>>,
    window: &Window,
    weights: &[E],
    rows: Range<usize>,
    width: usize,
    out: PlanesMut<'_, Lane<E>>,
) {
    let depthwise = Depthwise::new(input, window, weights, &rows, width);
    level.run(Convolve { depthwise, rows, out });
}

/// Depthwise convolution followed by a 1x1 convolution, row by row, so that what lies between the
/// two never leaves the cache: `between` is room for one row of all channels.
///
/// # Panics
/// If the channels do not agree or the window reaches beyond what is stored.
#[allow(clippy::too_many_arguments)]
pub fn convolve_separable<E: Element>(
    level: Level,
    input: Planes<'_, Lane<E>>,
    window: &Window,
    weights: &[E],
    pointwise: &DenseWeights<E>,
    rows: Range<usize>,
    width: usize,
    between: &mut [Lane<E>],
    out: PlanesMut<'_, Lane<E>>,
) {
    let depthwise = Depthwise::new(input, window, weights, &rows, width);
    let layout = Layout::new(input.layout().channels, 1, width, 0);
    let table = dense::Table::new(&Planes::new(between, layout), &Window::POINT, pointwise, &(0..1), width);
    level.run(Separable { depthwise, pointwise, table, rows, between, layout, out });
}

struct Depthwise<'a, E> {
    input: Planes<'a, Lane<E>>,
    window: &'a Window,
    weights: &'a [E],
    width: usize,
    offsets: Vec<usize>,
}

impl<'a, E: Element> Depthwise<'a, E> {
    fn new(
        input: Planes<'a, Lane<E>>,
        window: &'a Window,
        weights: &'a [E],
        rows: &Range<usize>,
        width: usize,
    ) -> Self {
        let layout = input.layout();
        assert_eq!(weights.len(), layout.channels * window.taps(), "weights");
        window.check(&input, rows, &(0..width));
        Depthwise { input, window, weights, width, offsets: window.offsets::<E>(1, layout) }
    }

    /// Row `row` of the output of every channel, written to row `to` of `out`.
    #[inline(always)]
    fn row<S: Simd<E = E>>(&self, simd: S, row: usize, to: isize, out: &mut PlanesMut<'_, Lane<E>>) {
        let start = self.window.start(0, row);
        let taps = self.offsets.len();
        for (channel, weights) in self.weights.chunks_exact(taps).enumerate() {
            let first = self.input.layout().at(channel, start, self.window.origin[1]);
            let input = self.input.as_ptr().wrapping_add(first);
            let out = out.row(channel, to, 0..self.width as isize);
            for part in 0..S::PARTS {
                let mut pixel = 0;
                if self.width >= PIXELS {
                    loop {
                        // SAFETY: `new` has checked that the window stays within the input for all
                        // columns and rows, and pixel + PIXELS <= width.
                        unsafe { self.tile::<S, PIXELS>(simd, part, input, weights, pixel, out) };
                        pixel += PIXELS;
                        if pixel == self.width {
                            break;
                        }
                        pixel = pixel.min(self.width - PIXELS);
                    }
                } else {
                    while pixel < self.width {
                        // SAFETY: as above, and pixel < width.
                        unsafe { self.tile::<S, 1>(simd, part, input, weights, pixel, out) };
                        pixel += 1;
                    }
                }
            }
        }
    }

    /// # Safety
    /// For every offset and all pixels p from `pixel` to `pixel + N`, `input + offset + p * stride`
    /// is a lane that can be read.
    #[inline(always)]
    unsafe fn tile<S: Simd<E = E>, const N: usize>(
        &self,
        simd: S,
        part: usize,
        input: *const Lane<E>,
        weights: &[E],
        pixel: usize,
        out: &mut [Lane<E>],
    ) {
        let step = self.window.stride[1];
        let first = input.wrapping_add(pixel * step);
        let mut sums = [simd.zero(); N];
        for (&offset, &weight) in self.offsets.iter().zip(weights) {
            let w = simd.splat(weight);
            for (i, sum) in sums.iter_mut().enumerate() {
                // SAFETY: the caller's promise.
                let x = simd.load(unsafe { &*first.wrapping_add(i * step).wrapping_byte_add(offset) }, part);
                *sum = simd.fma(w, x, *sum);
            }
        }
        for (sum, out) in sums.into_iter().zip(&mut out[pixel..pixel + N]) {
            simd.store(sum, out, part);
        }
    }
}

struct Convolve<'a, E> {
    depthwise: Depthwise<'a, E>,
    rows: Range<usize>,
    out: PlanesMut<'a, Lane<E>>,
}

impl<E: Element> Task<E> for Convolve<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<E = E>>(mut self, simd: S) {
        for row in self.rows.clone() {
            self.depthwise.row(simd, row, row as isize, &mut self.out);
        }
    }
}

struct Separable<'a, E> {
    depthwise: Depthwise<'a, E>,
    pointwise: &'a DenseWeights<E>,
    table: dense::Table,
    rows: Range<usize>,
    between: &'a mut [Lane<E>],
    layout: Layout,
    out: PlanesMut<'a, Lane<E>>,
}

impl<E: Element> Task<E> for Separable<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<E = E>>(mut self, simd: S) {
        let width = self.depthwise.width;
        for row in self.rows.clone() {
            self.depthwise.row(simd, row, 0, &mut PlanesMut::new(self.between, self.layout));
            let between = Planes::new(self.between, self.layout);
            dense::convolve_row(
                simd,
                &between,
                0,
                &Window::POINT,
                self.pointwise,
                &self.table,
                row,
                width,
                &mut self.out,
            );
        }
    }
}

//! Convolution of every channel by itself, alone or followed by a convolution over the channels.

use std::ops::Range;

use super::dense::{self, DenseWeights};
use super::window::Window;
use crate::simd::{Level, Simd, Task};
use crate::{Element, Lane, Layout, Planes, PlanesMut};

/// Most lanes between a depthwise convolution and the one after it, unless one row has more: half of the
/// first cache, for what is read and written needs room as well.
const BETWEEN: usize = 384;

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

/// Depthwise convolution followed by a 1x1 convolution, a few rows at a time, so that what lies between
/// the two never leaves the first cache. It lies in `between`, which grows to the size that is needed.
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
    between: &mut Vec<Lane<E>>,
    out: PlanesMut<'_, Lane<E>>,
) {
    let depthwise = Depthwise::new(input, window, weights, &rows, width);
    let channels = input.layout().channels;
    let few = (BETWEEN / (channels * width).max(1)).clamp(1, rows.len().max(1));
    let layout = Layout::new(channels, few, width, 0);
    if between.len() < layout.lanes() {
        between.resize(layout.lanes(), Lane::ZERO);
    }
    let planes = Planes::new(between, layout);
    let table = dense::Table::new(&planes, &Window::POINT, pointwise, &(0..few), width);
    level.run(Separable { depthwise, pointwise, table, rows, between, layout, out });
}

struct Depthwise<'a, E> {
    input: Planes<'a, Lane<E>>,
    window: &'a Window,
    weights: &'a [E],
    width: usize,
    offsets: Vec<usize>,
    /// The outputs of a row are divided into strips of every `apart`-th one: where the dilation is a
    /// multiple of the stride, the next output of a strip looks at the next pixel with the same tap.
    apart: usize,
    sharing: bool,
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
        let offsets = window.offsets::<E>(1, layout);
        let (stride, dilation) = (window.stride[1], window.dilation[1]);
        let sharing = dilation % stride == 0;
        let apart = if sharing { dilation / stride } else { 1 };
        Depthwise { input, window, weights, width, offsets, apart, sharing }
    }

    /// Rows `rows` of the output of every channel, written to `out` from its row `to` on.
    ///
    /// All rows of a channel come before the next channel, so that rows under several windows stay in
    /// the first cache.
    ///
    /// # Safety
    /// The rows are among those that `new` was given.
    #[inline(always)]
    unsafe fn rows<S: Simd<E = E>>(
        &self,
        simd: S,
        rows: Range<usize>,
        to: isize,
        out: &mut PlanesMut<'_, Lane<E>>,
    ) {
        let taps = self.offsets.len();
        for (channel, weights) in self.weights.chunks_exact(taps).enumerate() {
            for (row, to) in rows.clone().zip(to..) {
                let start = self.window.start(0, row);
                let first = self.input.layout().at(channel, start, self.window.origin[1]);
                let input = self.input.as_ptr().wrapping_add(first);
                let out = out.row(channel, to, 0..self.width as isize);
                for part in 0..S::PARTS {
                    for first in 0..self.apart.min(self.width) {
                        // SAFETY: `new` has checked that the window stays within the input for all
                        // columns and for the rows that it was given, which the caller promises.
                        unsafe { self.strip(simd, part, input, weights, first, out) };
                    }
                }
            }
        }
    }

    /// Every `apart`-th output from `first` on, in tiles as large as there are outputs for.
    ///
    /// # Safety
    /// For all outputs p of the row and every offset, `input + offset + p * stride` is a lane that can be
    /// read.
    #[inline(always)]
    unsafe fn strip<S: Simd<E = E>>(
        &self,
        simd: S,
        part: usize,
        input: *const Lane<E>,
        weights: &[E],
        first: usize,
        out: &mut [Lane<E>],
    ) {
        // SAFETY: the caller's promise; no tile is larger than the strip.
        unsafe {
            match (self.width - first).div_ceil(self.apart) {
                // Sixteen registers do not hold the sums and the pixels of eight outputs.
                8.. if S::REGISTERS >= 32 => self.tiles::<S, 8>(simd, part, input, weights, first, out),
                4.. => self.tiles::<S, 4>(simd, part, input, weights, first, out),
                2.. => self.tiles::<S, 2>(simd, part, input, weights, first, out),
                _ => self.tiles::<S, 1>(simd, part, input, weights, first, out),
            }
        }
    }

    /// # Safety
    /// As for `strip`, and it has at least `N` outputs.
    #[inline(always)]
    unsafe fn tiles<S: Simd<E = E>, const N: usize>(
        &self,
        simd: S,
        part: usize,
        input: *const Lane<E>,
        weights: &[E],
        first: usize,
        out: &mut [Lane<E>],
    ) {
        let apart = self.apart;
        let count = (self.width - first).div_ceil(apart);
        let mut done = 0;
        while done < count {
            // The last tile may compute some pixels once more rather than go one by one.
            let pixel = first + done.min(count - N) * apart;
            let input = input.wrapping_add(pixel * self.window.stride[1]);
            if part == 0 {
                for i in 0..N {
                    simd.prefetch_for_write(&raw const out[pixel + i * apart]);
                }
            }
            // SAFETY: the caller's promise, for the outputs from `pixel` on.
            let sums = unsafe {
                match (self.sharing, self.window.kernel[1]) {
                    (true, 3) => self.sharing::<S, 3, N>(simd, part, input, weights),
                    (true, 5) => self.sharing::<S, 5, N>(simd, part, input, weights),
                    (true, 7) => self.sharing::<S, 7, N>(simd, part, input, weights),
                    _ => self.apart::<S, N>(simd, part, input, weights),
                }
            };
            for (i, sum) in sums.into_iter().enumerate() {
                simd.store(sum, &mut out[pixel + i * apart], part);
            }
            done += N;
        }
    }

    /// Outputs each of which looks at the next pixel with the same tap, under windows of `WIDTH`
    /// columns: knowing both, the compiler reads every pixel once.
    ///
    /// # Safety
    /// As for `strip`, for the outputs of a tile.
    #[inline(always)]
    unsafe fn sharing<S: Simd<E = E>, const WIDTH: usize, const N: usize>(
        &self,
        simd: S,
        part: usize,
        input: *const Lane<E>,
        weights: &[E],
    ) -> [S::V; N] {
        let [below, beside] = self.window.dilation;
        let (rows, _) = weights.as_chunks::<WIDTH>();
        let mut row = input;
        let mut sums = [simd.zero(); N];
        for weights in rows {
            for (tap, &weight) in weights.iter().enumerate() {
                let w = simd.splat(weight);
                for (i, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: the caller's promise; this is a tap of output i.
                    let x = simd.load(unsafe { &*row.wrapping_add((tap + i) * beside) }, part);
                    *sum = simd.fma(w, x, *sum);
                }
            }
            row = row.wrapping_add(below * self.input.layout().columns);
        }
        sums
    }

    /// Outputs whose windows may have nothing in common.
    ///
    /// # Safety
    /// As for `strip`, for the outputs of a tile.
    #[inline(always)]
    unsafe fn apart<S: Simd<E = E>, const N: usize>(
        &self,
        simd: S,
        part: usize,
        input: *const Lane<E>,
        weights: &[E],
    ) -> [S::V; N] {
        let step = self.apart * self.window.stride[1];
        let mut sums = [simd.zero(); N];
        for (&offset, &weight) in self.offsets.iter().zip(weights) {
            let w = simd.splat(weight);
            for (i, sum) in sums.iter_mut().enumerate() {
                // SAFETY: the caller's promise.
                let x = simd.load(unsafe { &*input.wrapping_add(i * step).wrapping_byte_add(offset) }, part);
                *sum = simd.fma(w, x, *sum);
            }
        }
        sums
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
        let first = self.rows.start as isize;
        // SAFETY: `convolve` has given `Depthwise::new` these rows.
        unsafe { self.depthwise.rows(simd, self.rows, first, &mut self.out) };
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
        let mut first = self.rows.start;
        while first < self.rows.end {
            let rows = first..(first + self.layout.rows).min(self.rows.end);
            first = rows.end;
            let mut between = PlanesMut::new(self.between, self.layout);
            // SAFETY: they are some of the rows that `convolve_separable` has given `Depthwise::new`.
            unsafe { self.depthwise.rows(simd, rows.clone(), 0, &mut between) };
            let between = Planes::new(self.between, self.layout);
            for (from, row) in rows.enumerate() {
                // SAFETY: `convolve_separable` has made the table for this layout, window, width and these
                // weights, with all rows of the layout.
                unsafe {
                    dense::convolve_row(
                        simd,
                        &between,
                        from as isize,
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
    }
}

//! Dense and grouped convolution; a linear layer is one over a 1x1 window.

use std::ops::Range;

use super::panel::{self, Panels};
use super::tiles::{TILE, tiles};
use super::window::Window;
use crate::simd::{Level, Simd, Task};
use crate::{Element, Lane, Layout, Planes, PlanesMut};

/// Weights of a convolution in the order in which the kernel reads them.
///
/// Output channels go in tiles of at most six; within a tile, the weights of one tap of
/// one input channel lie side by side.
#[derive(Clone, Debug, Default)]
pub struct DenseWeights<E = f32> {
    tiles: Vec<E>,
    bias: Vec<E>,
    groups: usize,
    /// Output channels of a group.
    outputs: usize,
    /// Input channels of a group.
    inputs: usize,
    taps: usize,
}

impl<E: Element> DenseWeights<E> {
    /// No weights yet: see [`DenseWeights::pack`].
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes over weights `[out, inputs, taps]` with `inputs` channels of one group, and a bias
    /// `[out]` or none. Memory of earlier weights is used again.
    ///
    /// # Panics
    /// If the numbers of elements do not agree.
    pub fn pack(&mut self, groups: usize, inputs: usize, taps: usize, weight: &[E], bias: Option<&[E]>) {
        let terms = inputs * taps;
        let out = weight.len() / terms;
        assert_eq!(out * terms, weight.len(), "weights of {inputs} channels and {taps} taps");
        assert_eq!(out % groups, 0, "{out} output channels in {groups} groups");
        self.bias.clear();
        self.bias.resize(out, E::ZERO);
        if let Some(bias) = bias {
            self.bias.copy_from_slice(bias);
        }
        (self.groups, self.outputs, self.inputs, self.taps) = (groups, out / groups, inputs, taps);
        self.tiles.clear();
        // No more than it takes: weights may be most of the memory that there is.
        self.tiles.reserve_exact(weight.len());
        for group in weight.chunks_exact(self.outputs * terms) {
            let mut rest = group;
            for count in tiles(self.outputs, TILE) {
                let (tile, others) = rest.split_at(count * terms);
                rest = others;
                for term in 0..terms {
                    self.tiles.extend(tile.chunks_exact(terms).map(|output| output[term]));
                }
            }
        }
    }

    /// Number of output channels.
    pub fn out_channels(&self) -> usize {
        self.groups * self.outputs
    }

    /// Weights of an output channel.
    fn terms(&self) -> usize {
        self.inputs * self.taps
    }
}

/// Convolution: output rows `rows`, each of `width` pixels, from an image with the halo that the
/// window reaches into.
///
/// Every output is bias + w0*x0 + w1*x1 + ... in the order of input channels, rows and columns of
/// the window, each step one fused multiply-add.
///
/// # Panics
/// If the channels do not agree or the window reaches beyond what is stored.
pub fn convolve<E: Element>(
    level: Level,
    input: Planes<'_, Lane<E>>,
    window: &Window,
    weights: &DenseWeights<E>,
    rows: Range<usize>,
    width: usize,
    out: PlanesMut<'_, Lane<E>>,
) {
    let table = Table::new(&input, window, weights, &rows, width);
    level.run(Convolve { input, window, weights, table: &table, rows, width, out });
}

/// What [`convolve`] has to know about its input, made once for all rows.
pub(crate) struct Table {
    offsets: Vec<usize>,
}

impl Table {
    pub(crate) fn new<E: Element>(
        input: &Planes<'_, Lane<E>>,
        window: &Window,
        weights: &DenseWeights<E>,
        rows: &Range<usize>,
        width: usize,
    ) -> Self {
        let layout = input.layout();
        assert_eq!(layout.channels, weights.groups * weights.inputs, "input channels");
        assert_eq!(window.taps(), weights.taps, "taps of the window");
        window.check(input, rows, &(0..width));
        Table { offsets: window.offsets::<E>(weights.inputs, layout) }
    }
}

struct Convolve<'a, E> {
    input: Planes<'a, Lane<E>>,
    window: &'a Window,
    weights: &'a DenseWeights<E>,
    table: &'a Table,
    rows: Range<usize>,
    width: usize,
    out: PlanesMut<'a, Lane<E>>,
}

impl<E: Element> Task<E> for Convolve<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<E = E>>(mut self, simd: S) {
        if panel::pays(self.weights.terms(), self.weights.outputs, self.rows.len() * self.width) {
            return self.by_panels(simd);
        }
        for row in self.rows.clone() {
            let start = self.window.start(0, row);
            // SAFETY: `convolve` has made the table of all of these.
            unsafe {
                convolve_row(
                    simd,
                    &self.input,
                    start,
                    self.window,
                    self.weights,
                    self.table,
                    row,
                    self.width,
                    &mut self.out,
                );
            }
        }
    }
}

impl<E: Element> Convolve<'_, E> {
    #[inline(always)]
    fn by_panels<S: Simd<E = E>>(mut self, simd: S) {
        let Convolve { input, window, weights, table, rows, width, out } = &mut self;
        // Every row is this view's, and as wide.
        for channel in [0, weights.out_channels() - 1] {
            for row in rows.clone() {
                out.row(channel, row as isize, 0..*width as isize);
            }
        }
        let (layout, out_layout, out) = (input.layout(), *out.layout(), out.as_mut_ptr());
        let weights_of_group = weights.tiles.chunks_exact(weights.outputs * weights.terms());
        let groups = weights_of_group.zip(weights.bias.chunks_exact(weights.outputs));
        for (group, (tiles, bias)) in groups.enumerate() {
            let panels =
                Panels { weights: tiles, bias, offsets: &table.offsets, stride: out_layout.channel_stride() };
            let place = |pixel: usize| {
                let (row, column) = (rows.start + pixel / *width, pixel % *width);
                let from = layout.at(group * weights.inputs, window.start(0, row), window.start(1, column));
                let to = out_layout.at(group * weights.outputs, row as isize, column as isize);
                (input.as_ptr().wrapping_add(from), out.wrapping_add(to))
            };
            // SAFETY: `convolve` has made the table of all of these; the rows are this view's alone.
            unsafe { panels.convolve(simd, rows.len() * *width, place) };
        }
    }
}

/// One output row whose window starts at input row `start`.
///
/// # Safety
/// `table` was made for an input of this layout of which the same rows may be read, for these weights, this
/// window and this width, with a range of rows whose reach includes this row's.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
pub(crate) unsafe fn convolve_row<S: Simd>(
    simd: S,
    input: &Planes<'_, Lane<S::E>>,
    start: isize,
    window: &Window,
    weights: &DenseWeights<S::E>,
    table: &Table,
    row: usize,
    width: usize,
    out: &mut PlanesMut<'_, Lane<S::E>>,
) {
    let terms = weights.terms();
    let layout: &Layout = input.layout();
    let step = window.stride[1];
    let mut tiles = weights.tiles.as_slice();
    for group in 0..weights.groups {
        let first_input = layout.at(group * weights.inputs, start, window.origin[1]);
        let mut channel = group * weights.outputs;
        for count in super::tiles::tiles(weights.outputs, TILE) {
            let (tile, rest) = tiles.split_at(terms * count);
            tiles = rest;
            let job = Tile {
                input: input.as_ptr().wrapping_add(first_input),
                step,
                offsets: &table.offsets,
                weights: tile,
                bias: &weights.bias[channel..channel + count],
                channel,
                row: row as isize,
                width,
            };
            // SAFETY: `Table::new` has checked that the window stays within the input for all
            // columns and rows, this one among them as the caller promises; `offsets` has one entry per
            // weight of a channel, and `tile` holds `count` weights for each of them.
            unsafe {
                // Sums of channels x pixels, each pixel's input and a weight fill the registers.
                match (S::REGISTERS >= 32, count) {
                    (true, 6) => job.run::<S, 6, 4>(simd, out),
                    (true, 5) => job.run::<S, 5, 4>(simd, out),
                    (true, 4) => job.run::<S, 4, 4>(simd, out),
                    (true, 3) => job.run::<S, 3, 8>(simd, out),
                    (true, 2) => job.run::<S, 2, 8>(simd, out),
                    (false, 6) => job.run::<S, 6, 2>(simd, out),
                    (false, 5) => job.run::<S, 5, 2>(simd, out),
                    (false, 4) => job.run::<S, 4, 2>(simd, out),
                    (false, 3) => job.run::<S, 3, 4>(simd, out),
                    (false, 2) => job.run::<S, 2, 4>(simd, out),
                    (_, 1) => job.run::<S, 1, 8>(simd, out),
                    _ => unreachable!("tiles have 1 to TILE channels"),
                }
            }
            channel += count;
        }
    }
}

/// Some output channels of one row.
struct Tile<'a, E> {
    /// The lane under the first tap of the first pixel.
    input: *const Lane<E>,
    /// Lanes from one pixel's input to the next's.
    step: usize,
    offsets: &'a [usize],
    weights: &'a [E],
    bias: &'a [E],
    channel: usize,
    row: isize,
    width: usize,
}

impl<E: Element> Tile<'_, E> {
    /// `CHANNELS` output channels, `PIXELS` pixels at a time.
    ///
    /// # Safety
    /// For every offset and every pixel p below `width`, `input + offset + p * step` is a lane that
    /// can be read; there are `CHANNELS` weights for every offset.
    #[inline(always)]
    unsafe fn run<S: Simd<E = E>, const CHANNELS: usize, const PIXELS: usize>(
        &self,
        simd: S,
        out: &mut PlanesMut<'_, Lane<E>>,
    ) {
        let columns = 0..self.width as isize;
        let mut rows = [std::ptr::null_mut(); CHANNELS];
        for (i, lanes) in rows.iter_mut().enumerate() {
            *lanes = out.row(self.channel + i, self.row, columns.clone()).as_mut_ptr();
        }
        let out = rows;
        for part in 0..S::PARTS {
            let mut pixel = 0;
            if self.width >= PIXELS {
                loop {
                    // SAFETY: pixel + PIXELS <= width; `out` are `width` lanes of each channel, which
                    // are this view's alone.
                    unsafe { self.tile::<S, CHANNELS, PIXELS>(simd, part, pixel, out) };
                    pixel += PIXELS;
                    if pixel == self.width {
                        break;
                    }
                    // The last tile may compute some pixels once more rather than go one by one.
                    pixel = pixel.min(self.width - PIXELS);
                }
            } else {
                while pixel < self.width {
                    // SAFETY: pixel < width, and as above.
                    unsafe { self.tile::<S, CHANNELS, 1>(simd, part, pixel, out) };
                    pixel += 1;
                }
            }
        }
    }

    /// # Safety
    /// As for `run`, and `pixel + PIXELS` lanes from each of `out` on can be written, and are nobody
    /// else's.
    #[inline(always)]
    unsafe fn tile<S: Simd<E = E>, const CHANNELS: usize, const PIXELS: usize>(
        &self,
        simd: S,
        part: usize,
        pixel: usize,
        out: [*mut Lane<E>; CHANNELS],
    ) {
        let out = out.map(|lanes| lanes.wrapping_add(pixel));
        if part == 0 {
            for lanes in out {
                for i in 0..PIXELS {
                    simd.prefetch_for_write(lanes.wrapping_add(i));
                }
            }
        }
        let mut sums = [[simd.zero(); PIXELS]; CHANNELS];
        for (sums, bias) in sums.iter_mut().zip(self.bias) {
            *sums = [simd.splat(*bias); PIXELS];
        }
        let first = self.input.wrapping_add(pixel * self.step);
        let pixels: [*const Lane<E>; PIXELS] = std::array::from_fn(|i| first.wrapping_add(i * self.step));
        // Three terms a round: with less, counting rounds takes ports that multiplying needs.
        let (rounds, rest) = self.offsets.as_chunks::<3>();
        let mut weight = self.weights.as_ptr();
        for round in rounds {
            for &offset in round {
                // SAFETY: the caller's promise; every offset has its `CHANNELS` weights.
                weight = unsafe { term(simd, part, &pixels, offset, weight, &mut sums) };
            }
        }
        for &offset in rest {
            // SAFETY: as above.
            weight = unsafe { term(simd, part, &pixels, offset, weight, &mut sums) };
        }
        for (sums, lanes) in sums.into_iter().zip(out) {
            for (i, sum) in sums.into_iter().enumerate() {
                // SAFETY: the caller's promise.
                simd.store(sum, unsafe { &mut *lanes.wrapping_add(i) }, part);
            }
        }
    }
}

/// Adds one term, a tap of an input channel, to the sums of all pixels and output channels; returns
/// the place of the next term's weights.
///
/// # Safety
/// `pixel + offset` (bytes) is a lane that can be read, for every pixel; there are `CHANNELS` weights.
#[inline(always)]
unsafe fn term<S: Simd, const CHANNELS: usize, const PIXELS: usize>(
    simd: S,
    part: usize,
    pixels: &[*const Lane<S::E>; PIXELS],
    offset: usize,
    weight: *const S::E,
    sums: &mut [[S::V; PIXELS]; CHANNELS],
) -> *const S::E {
    let mut x = [simd.zero(); PIXELS];
    for (x, pixel) in x.iter_mut().zip(pixels) {
        // SAFETY: the caller's promise.
        *x = simd.load(unsafe { &*pixel.wrapping_byte_add(offset) }, part);
    }
    for (channel, sums) in sums.iter_mut().enumerate() {
        // SAFETY: the caller's promise.
        let w = simd.splat(unsafe { *weight.wrapping_add(channel) });
        for (sum, x) in sums.iter_mut().zip(x) {
            *sum = simd.fma(w, x, *sum);
        }
    }
    weight.wrapping_add(CHANNELS)
}

//! Gradients of the weights of 3x3 convolutions with four ninths of the multiplications: the way back of
//! [Winograd's convolutions](super::winograd).
//!
//! The outputs of a tile are A' ((G g G') * (B' d B)) A, point by point, so that the gradients of the weights g are
//! G' ((A y A') * (B' d B)) G, with the tile's inputs d and the gradients y of its outputs. What is summed up over
//! tiles and samples are the products at each of the 16 points; they are brought back once.

use std::ops::Range;

use super::tiles::tiles;
use super::weight_gradient::add_up;
use super::window::Window;
use crate::simd::{Level, Simd, Task};
use crate::{Element, Lane, Planes};

/// Tiles that are brought to their points together. Products are summed up over these before they are over samples,
/// so the result depends on this number.
const TILES: usize = 32;

/// Channels of the inputs, and of the outputs, whose products fill the registers.
const INPUTS: usize = 3;
const OUTPUTS: usize = 4;

/// Fewest channels, of inputs and of outputs, with which the multiplications saved take longer than bringing tiles to
/// their points.
const FEWEST: usize = 24;

/// Whether gradients are found so: for windows as of [`winograd::takes`](super::winograd::takes), enough channels, of
/// inputs and outputs, and tiles that fill the rows.
pub fn takes(window: &Window, channels: [usize; 2], size: [usize; 2]) -> bool {
    super::winograd::takes(window, size)
        && channels.into_iter().all(|channels| channels >= FEWEST)
        && size.into_iter().all(|size| size % 2 == 0)
}

/// Lanes that it takes: of what lies between the passes, and of as many numbers as there are products.
pub fn room([inputs, outputs]: [usize; 2]) -> usize {
    read_and_arrived([inputs, outputs])
        .into_iter()
        .fold(inputs.saturating_mul(outputs), usize::saturating_add)
}

/// Lanes of the points of inputs, and of the gradients of outputs.
fn read_and_arrived([inputs, outputs]: [usize; 2]) -> [usize; 2] {
    let points = |channels: usize| channels.saturating_mul(4 * TILES);
    [points(inputs.next_multiple_of(INPUTS)), points(outputs.next_multiple_of(OUTPUTS))]
}

/// Adds the gradients of a convolution's weights `[out, in, 3, 3]`, all samples of the block together, that come from
/// output rows `rows`, each of `width` pixels. What lies between the passes is in `between`, which grows to the size
/// that is needed.
///
/// # Panics
/// If they are not found so ([`takes`]), the window reaches beyond what is stored, or `sums` is not one for each
/// weight.
#[allow(clippy::too_many_arguments)]
pub fn accumulate<E: Element>(
    level: Level,
    input: Planes<'_, Lane<E>>,
    gradient: Planes<'_, Lane<E>>,
    window: &Window,
    rows: Range<usize>,
    width: usize,
    between: &mut Vec<Lane<E>>,
    sums: &mut [E],
) {
    let channels @ [inputs, outputs] = [input.layout().channels, gradient.layout().channels];
    assert!(takes(window, channels, [rows.len(), width]), "{window:?}, {channels:?}, {rows:?} x {width}");
    let (sums, rest) = sums.as_chunks_mut::<9>();
    assert!(rest.is_empty() && sums.len() == outputs * inputs, "weights of {channels:?} channels");
    window.check(&input, &rows, &(0..width));
    Window::POINT.check(&gradient, &rows, &(0..width));
    let [read, arrived] = read_and_arrived(channels);
    if between.len() < read + arrived {
        between.resize(read + arrived, Lane::ZERO);
    }
    let (read, arrived) = between[..read + arrived].split_at_mut(read);
    let (read, _) = read.as_chunks_mut();
    let (arrived, _) = arrived.as_chunks_mut();
    let products = vec![E::ZERO; 16 * sums.len()];
    level.run(Accumulate { input, gradient, window, rows, width, read, arrived, products, sums });
}

struct Accumulate<'a, E> {
    input: Planes<'a, Lane<E>>,
    gradient: Planes<'a, Lane<E>>,
    window: &'a Window,
    rows: Range<usize>,
    width: usize,
    /// A row of points of the inputs: by panel of channels, point, tile ([`Out`]) and channel.
    read: &'a mut [[Lane<E>; INPUTS]],
    /// The same of the gradients of the outputs.
    arrived: &'a mut [[Lane<E>; OUTPUTS]],
    /// Sums of their products over tiles and samples, by point and weight.
    products: Vec<E>,
    sums: &'a mut [[E; 9]],
}

impl<E: Element> Task<E> for Accumulate<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<E = E>>(mut self, simd: S) {
        let tiles = self.rows.len() / 2 * (self.width / 2);
        let mut first = 0;
        while first < tiles {
            let chunk = first..(first + TILES).min(tiles);
            first = chunk.end;
            for row in 0..4 {
                // SAFETY: `accumulate` has checked what the window reads, and that there are gradients.
                unsafe {
                    match row {
                        0 => self.bring::<S, 0>(simd, &chunk),
                        1 => self.bring::<S, 1>(simd, &chunk),
                        2 => self.bring::<S, 2>(simd, &chunk),
                        _ => self.bring::<S, 3>(simd, &chunk),
                    }
                }
                for point in 0..4 {
                    self.multiply(simd, [row, point], chunk.len());
                }
            }
        }
        self.bring_back();
    }
}

/// Where the points of a channel's tiles are written, one tile after the other. Several tiles share a lane, so that they
/// take no more of the cache than they have.
struct Out<E, const CHANNELS: usize> {
    first: *mut Lane<E>,
    slot: usize,
}

impl<E: Element, const CHANNELS: usize> Out<E, CHANNELS> {
    /// From tile `tile` of a chunk on.
    #[inline(always)]
    fn new<S: Simd<E = E>>(
        panel: &mut [[Lane<E>; CHANNELS]],
        part: usize,
        tile: usize,
        channel: usize,
    ) -> Self {
        let first = panel[..4 * TILES].as_flattened_mut().as_mut_ptr();
        Out { first: first.wrapping_add(lane::<S>(part, tile) * CHANNELS + channel), slot: tile % S::PARTS }
    }

    /// Writes the points of a tile, and goes on to the next.
    ///
    /// # Safety
    /// The panel that this was made of is there, and nobody else's, and the tile is one of the chunk.
    #[inline(always)]
    unsafe fn put<S: Simd<E = E>>(&mut self, simd: S, [a, b, c, d]: [S::V; 4]) {
        let lane = |point: usize| self.first.wrapping_add(point * TILES * CHANNELS);
        // SAFETY: a panel has `TILES` places for each of four points.
        unsafe {
            simd.store(a, &mut *lane(0), self.slot);
            simd.store(b, &mut *lane(1), self.slot);
            simd.store(c, &mut *lane(2), self.slot);
            simd.store(d, &mut *lane(3), self.slot);
        }
        self.slot += 1;
        if self.slot == S::PARTS {
            self.slot = 0;
            self.first = self.first.wrapping_add(CHANNELS);
        }
    }
}

/// The lane of a register of tile `tile` of a chunk, among those of a point.
#[inline(always)]
fn lane<S: Simd>(part: usize, tile: usize) -> usize {
    (part * TILES + tile) / S::PARTS
}

/// Tiles of one row of the image, beside one another.
struct Run {
    /// First output row and column.
    row: usize,
    column: usize,
    tiles: usize,
}

impl<E: Element> Accumulate<'_, E> {
    /// Brings tiles to row `ROW` of their points.
    ///
    /// # Safety
    /// The window stays within the input, and the gradient is there, for all rows and columns.
    #[inline(always)]
    unsafe fn bring<S: Simd<E = E>, const ROW: usize>(&mut self, simd: S, chunk: &Range<usize>) {
        let [inputs, outputs] = [self.input.layout().channels, self.gradient.layout().channels];
        let (mut input, mut output) = (0, 0);
        for (panel, count) in tiles(inputs, INPUTS).enumerate() {
            for place in 0..count {
                // SAFETY: the caller's promise.
                unsafe { self.read::<S, ROW>(simd, chunk, input + place, [panel, place]) };
            }
            input += count;
        }
        for (panel, count) in tiles(outputs, OUTPUTS).enumerate() {
            for place in 0..count {
                // SAFETY: the caller's promise.
                unsafe { self.arrive::<S, ROW>(simd, chunk, output + place, [panel, place]) };
            }
            output += count;
        }
    }

    /// The tiles from `tile` on that are in its row.
    #[inline(always)]
    fn run_from(&self, tile: usize, end: usize) -> Run {
        let across = self.width / 2;
        let [row, column] = [tile / across, tile % across];
        Run { row: self.rows.start + 2 * row, column: 2 * column, tiles: (across - column).min(end - tile) }
    }

    /// A row of B' d B of a channel, as in [`winograd`](super::winograd).
    ///
    /// # Safety
    /// As for `bring`.
    #[inline(always)]
    unsafe fn read<S: Simd<E = E>, const ROW: usize>(
        &mut self,
        simd: S,
        chunk: &Range<usize>,
        channel: usize,
        [panel, channel_place]: [usize; 2],
    ) {
        let layout = *self.input.layout();
        for part in 0..S::PARTS {
            let mut tile = chunk.start;
            while tile < chunk.end {
                let run = self.run_from(tile, chunk.end);
                let start =
                    layout.at(channel, self.window.start(0, run.row), self.window.start(1, run.column));
                let mut input = self.input.as_ptr().wrapping_add(start);
                let mut out = Out::new::<S>(
                    &mut self.read[4 * TILES * panel..],
                    part,
                    tile - chunk.start,
                    channel_place,
                );
                // SAFETY: the caller's promise, here and below.
                let [mut a, mut b] = unsafe { read_two::<S, ROW>(simd, part, input, layout.columns) };
                for _ in 0..run.tiles {
                    input = input.wrapping_add(2);
                    // SAFETY: as above.
                    let [c, d] = unsafe { read_two::<S, ROW>(simd, part, input, layout.columns) };
                    let spread = [simd.sub(a, c), simd.add(b, c), simd.sub(c, b), simd.sub(b, d)];
                    // SAFETY: the run is of tiles of the chunk.
                    unsafe { out.put(simd, spread) };
                    // The tile beside it has half of its inputs.
                    [a, b] = [c, d];
                }
                tile += run.tiles;
            }
        }
    }

    /// A row of A y A' of a channel, where A has the rows (1, 0), (1, 1), (1, -1) and (0, 1): that of
    /// [`winograd`](super::winograd), but for the sign of the last row.
    ///
    /// # Safety
    /// As for `bring`.
    #[inline(always)]
    unsafe fn arrive<S: Simd<E = E>, const ROW: usize>(
        &mut self,
        simd: S,
        chunk: &Range<usize>,
        channel: usize,
        [panel, channel_place]: [usize; 2],
    ) {
        let layout = *self.gradient.layout();
        for part in 0..S::PARTS {
            let mut tile = chunk.start;
            while tile < chunk.end {
                let run = self.run_from(tile, chunk.end);
                let start = layout.at(channel, run.row as isize, run.column as isize);
                let mut gradient = self.gradient.as_ptr().wrapping_add(start);
                let mut out = Out::new::<S>(
                    &mut self.arrived[4 * TILES * panel..],
                    part,
                    tile - chunk.start,
                    channel_place,
                );
                for _ in 0..run.tiles {
                    // SAFETY: the caller's promise.
                    let [a, b] = unsafe { arrive_two::<S, ROW>(simd, part, gradient, layout.columns) };
                    // SAFETY: the run is of tiles of the chunk.
                    unsafe { out.put(simd, [a, simd.add(a, b), simd.sub(a, b), b]) };
                    gradient = gradient.wrapping_add(2);
                }
                tile += run.tiles;
            }
        }
    }

    /// Adds the products of all channels at a point, over a chunk of so many tiles.
    #[inline(always)]
    fn multiply<S: Simd<E = E>>(&mut self, simd: S, point: [usize; 2], chunk: usize) {
        let [inputs, outputs] = [self.input.layout().channels, self.gradient.layout().channels];
        let mut input = 0;
        for (wide, reads) in tiles(inputs, INPUTS).enumerate() {
            let mut output = 0;
            for (high, arrives) in tiles(outputs, OUTPUTS).enumerate() {
                let panels = Panels { panels: [wide, high], channels: [input, output] };
                match (arrives, reads) {
                    (4, 3) => self.panels::<S, 4, 3>(simd, point, chunk, panels),
                    (4, 2) => self.panels::<S, 4, 2>(simd, point, chunk, panels),
                    (3, 3) => self.panels::<S, 3, 3>(simd, point, chunk, panels),
                    (3, 2) => self.panels::<S, 3, 2>(simd, point, chunk, panels),
                    _ => unreachable!("so many channels make panels of nearly the most"),
                }
                output += arrives;
            }
            input += reads;
        }
    }

    #[inline(always)]
    fn panels<S: Simd<E = E>, const O: usize, const I: usize>(
        &mut self,
        simd: S,
        [row, point]: [usize; 2],
        chunk: usize,
        at: Panels,
    ) {
        let Panels { panels: [wide, high], channels: [input, output] } = at;
        let mut found = [[Lane::ZERO; I]; O];
        for part in 0..S::PARTS {
            let first = point * TILES + lane::<S>(part, 0);
            let read = &self.read[4 * TILES * wide + first..][..chunk.div_ceil(S::PARTS)];
            let arrived = &self.arrived[4 * TILES * high + first..][..read.len()];
            let mut sums = [[simd.zero(); I]; O];
            // Several tiles in a lane, then what is left of the last one.
            let (whole, rest) = (chunk / S::PARTS, chunk % S::PARTS);
            for (read, arrived) in read[..whole].iter().zip(&arrived[..whole]) {
                for slot in 0..S::PARTS {
                    add_tile(simd, slot, read, arrived, &mut sums);
                }
            }
            for slot in 0..rest {
                add_tile(simd, slot, &read[whole], &arrived[whole], &mut sums);
            }
            for (found, sums) in found.iter_mut().zip(&sums) {
                for (found, sum) in found.iter_mut().zip(sums) {
                    simd.store(*sum, found, part);
                }
            }
        }
        let mut totals = [[E::ZERO; I]; O];
        add_up(simd, found.as_flattened(), totals.as_flattened_mut());
        let inputs = self.input.layout().channels;
        let first = (4 * row + point) * self.sums.len() + output * inputs + input;
        for (place, totals) in totals.iter().enumerate() {
            let products = &mut self.products[first + place * inputs..][..I];
            for (product, total) in products.iter_mut().zip(totals) {
                *product = *product + *total;
            }
        }
    }

    /// Adds G' m G of each weight's products m, where G has the rows (1, 0, 0), (1, 1, 1) / 2, (1, -1, 1) / 2 and
    /// (0, 0, -1).
    #[inline(always)]
    fn bring_back(&mut self) {
        /// Weights that are done side by side, in a loop that a compiler makes registers of.
        const TOGETHER: usize = 16;
        let weights = self.sums.len();
        for (chunk, sums) in self.sums.chunks_mut(TOGETHER).enumerate() {
            let mut points = [[[E::ZERO; TOGETHER]; 4]; 4];
            for (point, numbers) in points.as_flattened_mut().iter_mut().enumerate() {
                let products = &self.products[point * weights + chunk * TOGETHER..][..sums.len()];
                numbers[..sums.len()].copy_from_slice(products);
            }
            let mut found = [[[E::ZERO; TOGETHER]; 3]; 3];
            for i in 0..TOGETHER {
                let mut rows = [[E::ZERO; 3]; 4];
                for (row, [a, b, c, d]) in rows.iter_mut().zip(&points) {
                    *row = gather([a[i], b[i], c[i], d[i]]);
                }
                let [a, b, c, d] = rows;
                for column in 0..3 {
                    let [upper, middle, lower] = gather([a[column], b[column], c[column], d[column]]);
                    found[0][column][i] = upper;
                    found[1][column][i] = middle;
                    found[2][column][i] = lower;
                }
            }
            for (i, sums) in sums.iter_mut().enumerate() {
                for (sum, found) in sums.iter_mut().zip(found.as_flattened()) {
                    *sum = *sum + found[i];
                }
            }
        }
    }
}

/// G' m.
#[inline(always)]
fn gather<E: Element>([a, b, c, d]: [E; 4]) -> [E; 3] {
    let half = E::from_f64(0.5);
    let outer = half * (b + c);
    [a + outer, half * (b - c), outer - d]
}

/// Panels of channels, of the inputs and of the outputs, and their first channels.
#[derive(Clone, Copy)]
struct Panels {
    panels: [usize; 2],
    channels: [usize; 2],
}

/// Rows of two columns that make row `ROW` of the points, added or subtracted, from an input whose next row is `stride`
/// lanes further.
///
/// # Safety
/// The columns are there, in all rows of the tile.
#[inline(always)]
unsafe fn read_two<S: Simd, const ROW: usize>(
    simd: S,
    part: usize,
    input: *const Lane<S::E>,
    stride: usize,
) -> [S::V; 2] {
    let [first, second] = match ROW {
        0 => [0, 2],
        1 => [1, 2],
        2 => [2, 1],
        _ => [1, 3],
    };
    let mut columns = [simd.zero(); 2];
    for (column, x) in columns.iter_mut().enumerate() {
        let lane = input.wrapping_add(column);
        // SAFETY: the caller's promise.
        let [first, second] =
            unsafe { [&*lane.wrapping_add(first * stride), &*lane.wrapping_add(second * stride)] };
        let [first, second] = [simd.load(first, part), simd.load(second, part)];
        *x = if ROW == 1 { simd.add(first, second) } else { simd.sub(first, second) };
    }
    columns
}

/// The same of the gradients of a tile's outputs.
///
/// # Safety
/// The columns are there, in both rows.
#[inline(always)]
unsafe fn arrive_two<S: Simd, const ROW: usize>(
    simd: S,
    part: usize,
    gradient: *const Lane<S::E>,
    stride: usize,
) -> [S::V; 2] {
    let mut columns = [simd.zero(); 2];
    for (column, y) in columns.iter_mut().enumerate() {
        let lane = gradient.wrapping_add(column);
        // SAFETY: the caller's promise.
        let [upper, lower] = unsafe { [&*lane, &*lane.wrapping_add(stride)] };
        *y = match ROW {
            0 => simd.load(upper, part),
            1 => simd.add(simd.load(upper, part), simd.load(lower, part)),
            2 => simd.sub(simd.load(upper, part), simd.load(lower, part)),
            _ => simd.load(lower, part),
        };
    }
    columns
}

/// Adds the products of a tile's channels.
#[inline(always)]
fn add_tile<S: Simd, const O: usize, const I: usize>(
    simd: S,
    slot: usize,
    read: &[Lane<S::E>; INPUTS],
    arrived: &[Lane<S::E>; OUTPUTS],
    sums: &mut [[S::V; I]; O],
) {
    let mut x = [simd.zero(); I];
    for (x, lane) in x.iter_mut().zip(read) {
        *x = simd.load(lane, slot);
    }
    for (sums, lane) in sums.iter_mut().zip(arrived) {
        let y = simd.load(lane, slot);
        for (sum, x) in sums.iter_mut().zip(&x) {
            *sum = simd.fma(y, *x, *sum);
        }
    }
}

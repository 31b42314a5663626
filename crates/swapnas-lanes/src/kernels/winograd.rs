//! 3x3 convolutions with four ninths of the multiplications: Winograd's F(2x2, 3x3).
//!
//! Four outputs, 2x2, look at a tile of 4x4 inputs. Brought to 16 *points* by additions alone, inputs and
//! weights are multiplied point by point, summed up over the input channels, and brought back. Source:
//! Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, CVPR 2016, section 4.1.
//!
//! Points are four times as many as pixels. So that they need not leave the first cache, a row of four
//! points of two tiles is done at a time, and what comes of it is added to the outputs.

use std::ops::Range;

use super::tiles::tiles;
use super::window::Window;
use crate::simd::{Level, Simd, Task};
use crate::{Element, Lane, Planes, PlanesMut};

/// Most output channels that are computed at once.
const TILE: usize = 4;

/// Tiles that are done together.
const TOGETHER: usize = 2;

/// Fewest channels, of inputs and of outputs, with which the multiplications saved take longer than the
/// additions made.
pub const FEWEST: usize = 12;

/// Weights of a 3x3 convolution, brought to the points of a tile, in the order in which the kernel reads
/// them: by row of points, tile of at most four output channels, input channel, output channel, point.
#[derive(Clone, Debug, Default)]
pub struct WinogradWeights<E = f32> {
    points: Vec<[E; 4]>,
    bias: Vec<E>,
    inputs: usize,
}

impl<E: Element> WinogradWeights<E> {
    /// Takes over weights `[out, inputs, 3, 3]`, and a bias `[out]` or none. Memory of earlier weights is
    /// used again.
    ///
    /// # Panics
    /// If the numbers of elements do not agree.
    pub fn pack(&mut self, inputs: usize, weight: &[E], bias: Option<&[E]>) {
        let (kernels, rest) = weight.as_chunks::<9>();
        assert!(rest.is_empty() && kernels.len() % inputs == 0, "3x3 weights of {inputs} channels");
        let out = kernels.len() / inputs;
        self.bias.clear();
        self.bias.resize(out, E::ZERO);
        if let Some(bias) = bias {
            self.bias.copy_from_slice(bias);
        }
        self.inputs = inputs;
        self.points.clear();
        // No more than it takes: weights may be most of the memory that there is.
        self.points.reserve_exact(4 * kernels.len());
        self.points.resize(4 * kernels.len(), [E::ZERO; 4]);
        let mut first = 0;
        for count in tiles(out, TILE) {
            for input in 0..inputs {
                for output in 0..count {
                    let points = points_of_kernel(&kernels[(first + output) * inputs + input]);
                    let place = first * inputs + input * count + output;
                    for (row, points) in points.into_iter().enumerate() {
                        self.points[row * kernels.len() + place] = points;
                    }
                }
            }
            first += count;
        }
    }

    /// Number of output channels.
    pub fn out_channels(&self) -> usize {
        self.bias.len()
    }
}

/// G g G', where G has the rows (1, 0, 0), (1, 1, 1) / 2, (1, -1, 1) / 2 and (0, 0, 1).
fn points_of_kernel<E: Element>(kernel: &[E; 9]) -> [[E; 4]; 4] {
    let half = E::from_f64(0.5);
    let spread = |[a, b, c]: [E; 3]| {
        let (outer, inner) = (half * (a + c), half * b);
        [a, outer + inner, outer - inner, c]
    };
    let (rows, _) = kernel.as_chunks::<3>();
    let columns: [[E; 4]; 3] = std::array::from_fn(|j| spread([rows[0][j], rows[1][j], rows[2][j]]));
    std::array::from_fn(|i| spread([columns[0][i], columns[1][i], columns[2][i]]))
}

/// Whether a window is one of those that are done so, and there are enough outputs.
pub fn takes(window: &Window, size: [usize; 2]) -> bool {
    let square = window.kernel == [3, 3] && window.stride == [1, 1] && window.dilation == [1, 1];
    square && size.into_iter().all(|size| size >= 2)
}

/// 3x3 convolution: output rows `rows`, at least two, each of at least two pixels, from an image with the
/// halo that the window reaches into. What lies between the passes is in `between`, which grows to the
/// size that is needed.
///
/// Rows are done in pairs from the first on; where their number is odd, the last row is done with the one
/// before it, which is computed once more. So results are the same however an image is divided, as long as no
/// part but the last has an odd number of rows.
///
/// # Panics
/// If the channels do not agree, the window is not 3x3 with stride 1 or reaches beyond what is stored, or
/// there are fewer rows or pixels than two.
#[allow(clippy::too_many_arguments)]
pub fn convolve<E: Element>(
    level: Level,
    input: Planes<'_, Lane<E>>,
    window: &Window,
    weights: &WinogradWeights<E>,
    rows: Range<usize>,
    width: usize,
    between: &mut Vec<Lane<E>>,
    mut out: PlanesMut<'_, Lane<E>>,
) {
    let (inputs, outputs) = (weights.inputs, weights.out_channels());
    assert_eq!(input.layout().channels, inputs, "input channels");
    assert_eq!(out.layout().channels, outputs, "output channels");
    assert!(takes(window, [rows.len(), width]), "{window:?} over {rows:?} x {width}");
    window.check(&input, &rows, &(0..width));
    // Every row is this view's, and as wide.
    for channel in [0, outputs - 1] {
        for row in rows.clone() {
            out.row(channel, row as isize, 0..width as isize);
        }
    }
    let (read, written) = (inputs * 4 * TOGETHER, outputs * 4 * TOGETHER);
    if between.len() < read + written {
        between.resize(read + written, Lane::ZERO);
    }
    let (read, written) = between[..read + written].split_at_mut(read);
    level.run(Convolve { input, window, weights, rows, width, read, written, out });
}

struct Convolve<'a, E> {
    input: Planes<'a, Lane<E>>,
    window: &'a Window,
    weights: &'a WinogradWeights<E>,
    rows: Range<usize>,
    width: usize,
    /// A row of points of the inputs: `[channel][tile][4]`, with a register of each of several tiles in a lane.
    read: &'a mut [Lane<E>],
    /// What the outputs are so far, in the same way.
    written: &'a mut [Lane<E>],
    out: PlanesMut<'a, Lane<E>>,
}

impl<E: Element> Task<E> for Convolve<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<E = E>>(mut self, simd: S) {
        let across = self.width.div_ceil(2);
        let tiles = self.rows.len().div_ceil(2) * across;
        let mut first = 0;
        while first + TOGETHER <= tiles {
            let places = std::array::from_fn(|i| self.place(first + i));
            // SAFETY: `place` gives outputs that there are.
            unsafe { self.tiles::<S, TOGETHER>(simd, &places) };
            first += TOGETHER;
        }
        while first < tiles {
            let places = [self.place(first)];
            // SAFETY: as above.
            unsafe { self.tiles::<S, 1>(simd, &places) };
            first += 1;
        }
    }
}

/// Where a tile is.
#[derive(Clone, Copy)]
struct Place<E> {
    /// The first of its inputs, in the first channel.
    input: *const Lane<E>,
    /// The first of its outputs.
    out: *mut Lane<E>,
    /// Whether its upper row is the lower one of the tile above, too.
    overlaps: bool,
}

/// How many lanes a register of each tile takes.
#[inline(always)]
fn lanes<S: Simd>(tiles: usize) -> usize {
    tiles.div_ceil(S::PARTS)
}

/// Which register of a lane is a tile's. Several tiles share a lane, so that they take no more of the cache than they have.
#[inline(always)]
fn slot<S: Simd>(tile: usize) -> usize {
    tile % S::PARTS
}

impl<E: Element> Convolve<'_, E> {
    /// Where a tile is.
    #[inline(always)]
    fn place(&mut self, tile: usize) -> Place<E> {
        let across = self.width.div_ceil(2);
        let row = self.rows.start + tile / across * 2;
        let [top, left] = [row.min(self.rows.end - 2), (tile % across * 2).min(self.width - 2)];
        let [above, before] = [self.window.start(0, top), self.window.start(1, left)];
        let (input, out) = (self.input.layout(), *self.out.layout());
        Place {
            input: self.input.as_ptr().wrapping_add(input.at(0, above, before)),
            out: self.out.as_mut_ptr().wrapping_add(out.at(0, top as isize, left as isize)),
            overlaps: top != row,
        }
    }

    /// # Safety
    /// Every place is one of `place`: there begin two of the rows and two of the columns that `convolve` was given.
    #[inline(always)]
    unsafe fn tiles<S: Simd<E = E>, const TILES: usize>(&mut self, simd: S, places: &[Place<E>; TILES]) {
        for part in 0..S::PARTS {
            // SAFETY: the caller's promise.
            unsafe {
                self.row::<S, TILES, 0>(simd, part, places);
                self.row::<S, TILES, 1>(simd, part, places);
                self.row::<S, TILES, 2>(simd, part, places);
                self.row::<S, TILES, 3>(simd, part, places);
            }
        }
    }

    /// Row `ROW` of the points.
    ///
    /// # Safety
    /// As for `tiles`.
    #[inline(always)]
    unsafe fn row<S: Simd<E = E>, const TILES: usize, const ROW: usize>(
        &mut self,
        simd: S,
        part: usize,
        places: &[Place<E>; TILES],
    ) {
        // SAFETY: the caller's promise.
        unsafe { self.read::<S, TILES, ROW>(simd, part, places) };
        let weights = &self.weights.points[ROW * self.weights.points.len() / 4..];
        let mut channel = 0;
        for count in tiles(self.weights.out_channels(), TILE) {
            let weights = &weights[channel * self.weights.inputs..][..count * self.weights.inputs];
            // SAFETY: the caller's promise.
            unsafe {
                match count {
                    4 => self.multiply::<S, TILES, ROW, 4>(simd, part, places, channel, weights),
                    3 => self.multiply::<S, TILES, ROW, 3>(simd, part, places, channel, weights),
                    2 => self.multiply::<S, TILES, ROW, 2>(simd, part, places, channel, weights),
                    1 => self.multiply::<S, TILES, ROW, 1>(simd, part, places, channel, weights),
                    _ => unreachable!("tiles have 1 to TILE channels"),
                }
            }
            channel += count;
        }
    }

    /// A row of B' d B, where B' has the rows (1, 0, -1, 0), (0, 1, 1, 0), (0, -1, 1, 0) and (0, 1, 0, -1).
    ///
    /// # Safety
    /// As for `tiles`.
    #[inline(always)]
    unsafe fn read<S: Simd<E = E>, const TILES: usize, const ROW: usize>(
        &mut self,
        simd: S,
        part: usize,
        places: &[Place<E>; TILES],
    ) {
        let layout = self.input.layout();
        let lanes = lanes::<S>(TILES);
        for (tile, place) in places.iter().enumerate() {
            let mut input = place.input;
            for points in self.read.chunks_exact_mut(4 * lanes).take(self.weights.inputs) {
                // The two rows that are added or subtracted.
                let [first, second] = match ROW {
                    0 => [0, 2],
                    1 => [1, 2],
                    2 => [2, 1],
                    _ => [1, 3],
                };
                let mut x = [simd.zero(); 4];
                for (column, x) in x.iter_mut().enumerate() {
                    let lane = input.wrapping_add(column);
                    // SAFETY: `convolve` has checked that the window stays within the input for all
                    // columns and rows, and that the input has as many channels as the weights; the
                    // outputs are among them, as the caller promises.
                    let first = simd.load(unsafe { &*lane.wrapping_add(first * layout.columns) }, part);
                    // SAFETY: as above.
                    let second = simd.load(unsafe { &*lane.wrapping_add(second * layout.columns) }, part);
                    *x = if ROW == 1 { simd.add(first, second) } else { simd.sub(first, second) };
                }
                let [a, b, c, d] = x;
                let spread = [simd.sub(a, c), simd.add(b, c), simd.sub(c, b), simd.sub(b, d)];
                for (x, point) in spread.into_iter().zip(&mut points[tile / S::PARTS * 4..]) {
                    simd.store(x, point, slot::<S>(tile));
                }
                input = input.wrapping_add(layout.channel_stride());
            }
        }
    }

    /// The sums over the inputs at points `first` to `first + POINTS` of a row.
    #[inline(always)]
    fn products<S: Simd<E = E>, const TILES: usize, const CHANNELS: usize, const POINTS: usize>(
        &self,
        simd: S,
        first: usize,
        weights: &[[E; 4]],
        sums: &mut [[[S::V; 4]; TILES]; CHANNELS],
    ) {
        let points = self.read.chunks_exact(4 * lanes::<S>(TILES));
        let (weights, _) = weights.as_chunks::<CHANNELS>();
        let mut so_far = [[[simd.zero(); POINTS]; TILES]; CHANNELS];
        for (points, weights) in points.zip(weights) {
            for point in 0..POINTS {
                let mut x = [simd.zero(); TILES];
                for (tile, x) in x.iter_mut().enumerate() {
                    let point = &points[tile / S::PARTS * 4 + first + point];
                    *x = simd.load(point, slot::<S>(tile));
                }
                for (so_far, weights) in so_far.iter_mut().zip(weights) {
                    let w = simd.splat(weights[first + point]);
                    for (so_far, x) in so_far.iter_mut().zip(&x) {
                        so_far[point] = simd.fma(w, *x, so_far[point]);
                    }
                }
            }
        }
        for (sums, so_far) in sums.as_flattened_mut().iter_mut().zip(so_far.as_flattened()) {
            sums[first..first + POINTS].copy_from_slice(so_far);
        }
    }

    /// A row of A' m A, added to the outputs where A' has the rows (1, 1, 1, 0) and (0, 1, -1, -1).
    ///
    /// # Safety
    /// As for `tiles`; there are `CHANNELS` output channels from `channel` on.
    #[inline(always)]
    unsafe fn multiply<S: Simd<E = E>, const TILES: usize, const ROW: usize, const CHANNELS: usize>(
        &mut self,
        simd: S,
        part: usize,
        places: &[Place<E>; TILES],
        channel: usize,
        weights: &[[E; 4]],
    ) {
        let mut sums = [[[simd.zero(); 4]; TILES]; CHANNELS];
        // What the registers hold beside inputs and weights.
        if S::REGISTERS >= 32 {
            self.products::<S, TILES, CHANNELS, 2>(simd, 0, weights, &mut sums);
            self.products::<S, TILES, CHANNELS, 2>(simd, 2, weights, &mut sums);
        } else {
            self.products::<S, TILES, CHANNELS, 1>(simd, 0, weights, &mut sums);
            self.products::<S, TILES, CHANNELS, 1>(simd, 1, weights, &mut sums);
            self.products::<S, TILES, CHANNELS, 1>(simd, 2, weights, &mut sums);
            self.products::<S, TILES, CHANNELS, 1>(simd, 3, weights, &mut sums);
        }
        let lanes = lanes::<S>(TILES);
        let (rows, _) = self.written.as_chunks_mut::<2>();
        let (written, _) = rows.as_chunks_mut::<2>();
        let layout = self.out.layout();
        let (columns, stride) = (layout.columns, layout.channel_stride());
        for i in 0..CHANNELS {
            let channel = channel + i;
            let bias = simd.splat(self.weights.bias[channel]);
            for tile in 0..TILES {
                let [a, b, c, d] = sums[i][tile];
                let sums = [simd.add(simd.add(a, b), c), simd.sub(simd.sub(b, c), d)];
                let [upper, lower] = &mut written[channel * lanes + tile / S::PARTS];
                let slot = slot::<S>(tile);
                let out = places[tile].out.wrapping_add(channel * stride);
                match ROW {
                    0 => {
                        for j in 0..2 {
                            simd.store(simd.add(sums[j], bias), &mut upper[j], slot);
                        }
                    }
                    1 => {
                        for j in 0..2 {
                            simd.store(simd.add(simd.load(&upper[j], slot), sums[j]), &mut upper[j], slot);
                            simd.store(simd.add(sums[j], bias), &mut lower[j], slot);
                        }
                    }
                    2 => {
                        for j in 0..2 {
                            // What is written must not depend on which tiles are done together, so the row is
                            // the upper tile's.
                            if !places[tile].overlaps {
                                // SAFETY: outputs of a tile are this view's alone, as the caller promises.
                                let out = unsafe { &mut *out.wrapping_add(j) };
                                simd.store(simd.add(simd.load(&upper[j], slot), sums[j]), out, part);
                            }
                            simd.store(simd.sub(simd.load(&lower[j], slot), sums[j]), &mut lower[j], slot);
                        }
                    }
                    _ => {
                        for j in 0..2 {
                            // SAFETY: as above.
                            let out = unsafe { &mut *out.wrapping_add(columns + j) };
                            simd.store(simd.sub(simd.load(&lower[j], slot), sums[j]), out, part);
                        }
                    }
                }
            }
        }
    }
}

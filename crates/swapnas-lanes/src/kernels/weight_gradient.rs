//! Gradients of the weights of convolutions, for each sample or for all of a block together.

use std::ops::Range;

use super::window::Window;
use crate::simd::{Level, Simd, Task};
use crate::{Element, Lane, Planes};

/// Most output channels whose gradients are computed at once.
const OUTPUTS: usize = 4;

/// Lanes of a channel that are gone through before other weights have their turn: few enough for a
/// tile's rows to stay in a nearest cache of 32 kB, and many enough to make up for beginning anew.
/// Gradients are summed up within such a chunk first, so the result depends on this number.
const CHUNK: usize = 64;

/// Where gradients are added, in the order of weights `[out, in / groups, taps]`.
pub enum WeightSums<'a, E = f32> {
    /// For each sample by itself.
    Samples(&'a mut [Lane<E>]),
    /// For all samples of the block together.
    Total(&'a mut [E]),
}

impl<E> WeightSums<'_, E> {
    fn len(&self) -> usize {
        match self {
            WeightSums::Samples(lanes) => lanes.len(),
            WeightSums::Total(numbers) => numbers.len(),
        }
    }
}

/// Adds the gradients of a convolution's weights that come from output rows `rows`, each of `width`
/// pixels: sums over pixels of the output's gradient times the input under the tap.
///
/// # Panics
/// If the channels do not agree, the window reaches beyond what is stored, or `sums` is not one for
/// each weight.
#[allow(clippy::too_many_arguments)]
pub fn accumulate<E: Element>(
    level: Level,
    input: Planes<'_, Lane<E>>,
    gradient: Planes<'_, Lane<E>>,
    window: &Window,
    groups: usize,
    rows: Range<usize>,
    width: usize,
    sums: WeightSums<'_, E>,
) {
    let (inputs, outputs) = (input.layout().channels / groups, gradient.layout().channels / groups);
    assert_eq!(input.layout().channels, groups * inputs, "input channels in {groups} groups");
    assert_eq!(gradient.layout().channels, groups * outputs, "output channels in {groups} groups");
    assert_eq!(sums.len(), groups * outputs * inputs * window.taps(), "weights");
    if rows.is_empty() || width == 0 {
        return;
    }
    window.check(&input, &rows, &(0..width));
    Window::POINT.check(&gradient, &rows, &(0..width));
    let offsets = window.offsets::<E>(inputs, input.layout());
    level.run(Accumulate { input, gradient, window, groups, inputs, outputs, offsets, rows, width, sums });
}

struct Accumulate<'a, E> {
    input: Planes<'a, Lane<E>>,
    gradient: Planes<'a, Lane<E>>,
    window: &'a Window,
    groups: usize,
    inputs: usize,
    outputs: usize,
    /// Of every weight of an output: where its input is, in bytes from that of the first.
    offsets: Vec<usize>,
    rows: Range<usize>,
    width: usize,
    sums: WeightSums<'a, E>,
}

impl<E: Element> Task<E> for Accumulate<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<E = E>>(mut self, simd: S) {
        let terms = self.offsets.len();
        let chunk = (CHUNK / self.width).max(1);
        let mut first = self.rows.start;
        while first < self.rows.end {
            let rows = first..(first + chunk).min(self.rows.end);
            first = rows.end;
            for group in 0..self.groups {
                let mut output = 0;
                while output < self.outputs {
                    let count = (self.outputs - output).min(OUTPUTS);
                    let channel = group * self.outputs + output;
                    let mut term = 0;
                    while term < terms {
                        // Products of outputs x terms, the terms' inputs and one output's gradient fill the
                        // registers.
                        let step = match terms - term {
                            6.. if S::REGISTERS >= 32 => 6,
                            3.. => 3,
                            _ => 1,
                        };
                        let tile = Tile { group, channel, term, rows: rows.clone() };
                        // SAFETY: `accumulate` has checked that the window stays within the input for
                        // all rows and columns, that the gradient has them, and that there are sums
                        // for all weights; the tile's outputs and terms are among these.
                        unsafe {
                            match (count, step) {
                                (4, 6) => self.tile::<S, 4, 6>(simd, tile),
                                (3, 6) => self.tile::<S, 3, 6>(simd, tile),
                                (2, 6) => self.tile::<S, 2, 6>(simd, tile),
                                (1, 6) => self.tile::<S, 1, 6>(simd, tile),
                                (4, 3) => self.tile::<S, 4, 3>(simd, tile),
                                (3, 3) => self.tile::<S, 3, 3>(simd, tile),
                                (2, 3) => self.tile::<S, 2, 3>(simd, tile),
                                (1, 3) => self.tile::<S, 1, 3>(simd, tile),
                                (4, _) => self.tile::<S, 4, 1>(simd, tile),
                                (3, _) => self.tile::<S, 3, 1>(simd, tile),
                                (2, _) => self.tile::<S, 2, 1>(simd, tile),
                                _ => self.tile::<S, 1, 1>(simd, tile),
                            }
                        }
                        term += step;
                    }
                    output += count;
                }
            }
        }
    }
}

/// Some weights of some output channels of a group.
struct Tile {
    group: usize,
    /// First output channel, counted through all groups.
    channel: usize,
    /// First weight of each of them.
    term: usize,
    rows: Range<usize>,
}

impl<E: Element> Accumulate<'_, E> {
    /// # Safety
    /// The window stays within the input and the gradient is there for all rows of the tile and all
    /// columns; `channel + O` output channels and `term + T` weights of each exist.
    #[inline(always)]
    unsafe fn tile<S: Simd<E = E>, const O: usize, const T: usize>(&mut self, simd: S, tile: Tile) {
        let Tile { group, channel, term, rows } = tile;
        let (input, gradient) = (self.input.layout(), self.gradient.layout());
        let step = self.window.stride[1];
        let mut offsets = [0; T];
        offsets.copy_from_slice(&self.offsets[term..term + T]);
        let mut result = [[Lane::ZERO; T]; O];
        for part in 0..S::PARTS {
            let mut sums = [[simd.zero(); T]; O];
            for row in rows.clone() {
                let start = input.at(group * self.inputs, self.window.start(0, row), self.window.origin[1]);
                let mut x = self.input.as_ptr().wrapping_add(start);
                let start = gradient.at(channel, row as isize, 0);
                let mut g = self.gradient.as_ptr().wrapping_add(start);
                let stride = gradient.channel_stride();
                let mut left = self.width;
                // Pixels that are computed between two moves of the pointers, which take what multiplying needs.
                let round = if S::REGISTERS >= 32 { 4 } else { 2 };
                if step == 1 {
                    while left >= round {
                        for pixel in 0..round {
                            let (x, g) = (x.wrapping_add(pixel), g.wrapping_add(pixel));
                            // SAFETY: the caller's promise.
                            unsafe { add_pixel(simd, part, x, &offsets, g, stride, &mut sums) };
                        }
                        (x, g) = (x.wrapping_add(round), g.wrapping_add(round));
                        left -= round;
                    }
                }
                for _ in 0..left {
                    // SAFETY: the caller's promise.
                    unsafe { add_pixel(simd, part, x, &offsets, g, stride, &mut sums) };
                    (x, g) = (x.wrapping_add(step), g.wrapping_add(1));
                }
            }
            for (result, sums) in result.iter_mut().zip(&sums) {
                for (result, sum) in result.iter_mut().zip(sums) {
                    simd.store(*sum, result, part);
                }
            }
        }
        let terms = self.offsets.len();
        let first = |output| (channel + output) * terms + term;
        match &mut self.sums {
            WeightSums::Samples(lanes) => {
                for (output, result) in result.iter().enumerate() {
                    for (lane, result) in lanes[first(output)..][..T].iter_mut().zip(result) {
                        for part in 0..S::PARTS {
                            let sum = simd.add(simd.load(lane, part), simd.load(result, part));
                            simd.store(sum, lane, part);
                        }
                    }
                }
            }
            WeightSums::Total(numbers) => {
                let mut totals = [[E::ZERO; T]; O];
                add_up(simd, result.as_flattened(), totals.as_flattened_mut());
                for (output, totals) in totals.iter().enumerate() {
                    for (number, total) in numbers[first(output)..][..T].iter_mut().zip(totals) {
                        *number = *number + *total;
                    }
                }
            }
        }
    }
}

/// The total of each of some lanes.
#[inline(always)]
pub(super) fn add_up<S: Simd>(simd: S, lanes: &[Lane<S::E>], totals: &mut [S::E]) {
    let (fours, rest) = lanes.as_chunks::<4>();
    let (totals_of_fours, totals_of_rest) = totals.as_chunks_mut::<4>();
    for (totals, lanes) in totals_of_fours.iter_mut().zip(fours) {
        *totals = simd.totals(lanes);
    }
    for (total, lane) in totals_of_rest.iter_mut().zip(rest) {
        *total = lane.total();
    }
}

/// Adds the products of a pixel's gradients, `stride` lanes from one output channel to the next, with
/// the inputs under the taps, `offsets` bytes from `x`.
///
/// # Safety
/// All of these are lanes that can be read.
#[inline(always)]
unsafe fn add_pixel<S: Simd, const O: usize, const T: usize>(
    simd: S,
    part: usize,
    x: *const Lane<S::E>,
    offsets: &[usize; T],
    g: *const Lane<S::E>,
    stride: usize,
    sums: &mut [[S::V; T]; O],
) {
    let mut inputs = [simd.zero(); T];
    for (input, offset) in inputs.iter_mut().zip(offsets) {
        // SAFETY: the caller's promise.
        *input = simd.load(unsafe { &*x.wrapping_byte_add(*offset) }, part);
    }
    for (output, sums) in sums.iter_mut().enumerate() {
        // SAFETY: the caller's promise.
        let factor = simd.load(unsafe { &*g.wrapping_add(output * stride) }, part);
        for (sum, input) in sums.iter_mut().zip(&inputs) {
            *sum = simd.fma(factor, *input, *sum);
        }
    }
}

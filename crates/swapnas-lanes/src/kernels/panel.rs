//! Dense convolution of many terms, a block of them at a time.
//!
//! The inputs of some pixels over all channels of a wide layer are more than the nearest cache holds, lie as far from
//! each other as channels do, and, in images of 8x8 or 32x32 pixels, get in each other's way there. So those of a block
//! of terms are brought together in a panel, which many output channels take them from; their weights stay in the
//! second cache until all pixels have had them. Between blocks, sums wait where outputs go: they are the same bits
//! as those of all terms at once.

use std::ops::Range;

use super::tiles::{TILE, tiles};
use crate::simd::Simd;
use crate::{Element, Lane};

/// Size of a panel, which shares the first cache with the weights of a few output channels.
const PANEL: usize = 24 << 10;

/// Size of the weights that share the second cache with what else is in use.
const WEIGHTS: usize = 256 << 10;

/// Terms, and output channels of a group, from which on panels are faster.
const FEWEST_TERMS: usize = 16;
const FEWEST_OUTPUTS: usize = 12;

/// The most pixels that are summed up at once.
const PIXELS: usize = 4;

/// Whether panels are faster for outputs that are sums of so many terms.
pub(super) fn pays(terms: usize, outputs: usize, pixels: usize) -> bool {
    terms >= FEWEST_TERMS && outputs >= FEWEST_OUTPUTS && pixels >= PIXELS
}

/// A group of output channels.
pub(super) struct Panels<'a, E> {
    /// Tiles of output channels as [`super::dense::DenseWeights`] has them.
    pub weights: &'a [E],
    /// What each output channel begins with.
    pub bias: &'a [E],
    /// How far each term is from the first, in bytes.
    pub offsets: &'a [usize],
    /// Lanes from one channel's outputs to the next's.
    pub stride: usize,
}

impl<E: Element> Panels<'_, E> {
    /// Computes outputs of some pixels: `place` gives for each where its first term and its first channel's output
    /// are.
    ///
    /// # Safety
    /// For every offset, `input + offset` is a lane that can be read; and for every channel of the group,
    /// `output + channel * stride` is one that can be written and is nobody else's. There are at least [`PIXELS`].
    #[inline(always)]
    pub(super) unsafe fn convolve<S: Simd<E = E>>(
        &self,
        simd: S,
        pixels: usize,
        place: impl Fn(usize) -> (*const Lane<E>, *mut Lane<E>),
    ) {
        // Sums of channels x pixels, each pixel's input and a weight fill the registers.
        // SAFETY: the caller's promise.
        unsafe {
            if S::REGISTERS >= 32 {
                self.blocks::<S, PIXELS>(simd, pixels, place);
            } else {
                self.blocks::<S, 2>(simd, pixels, place);
            }
        }
    }

    /// # Safety
    /// As for `convolve`.
    #[inline(always)]
    unsafe fn blocks<S: Simd<E = E>, const PIXELS: usize>(
        &self,
        simd: S,
        pixels: usize,
        place: impl Fn(usize) -> (*const Lane<E>, *mut Lane<E>),
    ) {
        let terms = self.offsets.len();
        let most = (PANEL / size_of::<[Lane<E>; PIXELS]>()).min(terms);
        let mut memory = vec![[Lane::ZERO; PIXELS]; most];
        let whole = pixels / PIXELS * PIXELS;
        // The last panel may compute some pixels once more, from the first block on.
        let rounds = [(0, whole), (pixels - PIXELS, if whole < pixels { pixels } else { 0 })];
        let tiles: Vec<usize> = tiles(self.bias.len(), TILE).collect();
        let mut channel = 0;
        for tiles in tiles.chunks((WEIGHTS / (size_of::<E>() * TILE * most)).max(1)) {
            let channels = channel..channel + tiles.iter().sum::<usize>();
            channel = channels.end;
            for (from, to) in rounds {
                for first in (0..terms).step_by(most) {
                    let block = first..terms.min(first + most);
                    for pixel in (from..to).step_by(PIXELS) {
                        let places: [_; PIXELS] = std::array::from_fn(|i| place(pixel + i));
                        let panel = &mut memory[..block.len()];
                        for (term, &offset) in panel.iter_mut().zip(&self.offsets[block.clone()]) {
                            for (lane, (input, _)) in term.iter_mut().zip(places) {
                                // SAFETY: the caller's promise.
                                *lane = unsafe { *input.wrapping_byte_add(offset) };
                            }
                        }
                        let outputs = places.map(|(_, output)| output);
                        // SAFETY: the caller's promise.
                        unsafe { self.add(simd, panel, tiles, channels.start, &block, outputs) };
                    }
                }
            }
        }
    }

    /// Adds a panel to the sums of some tiles' channels, from `channel` on.
    ///
    /// # Safety
    /// As for `convolve`, for the `outputs` of its pixels.
    #[inline(always)]
    unsafe fn add<S: Simd<E = E>, const PIXELS: usize>(
        &self,
        simd: S,
        panel: &[[Lane<E>; PIXELS]],
        tiles: &[usize],
        mut channel: usize,
        block: &Range<usize>,
        outputs: [*mut Lane<E>; PIXELS],
    ) {
        let mut weights = &self.weights[channel * self.offsets.len()..];
        for &count in tiles {
            let (tile, rest) = weights.split_at(count * self.offsets.len());
            weights = rest;
            let sums = Sums {
                panel,
                weights: &tile[count * block.start..count * block.end],
                bias: (block.start == 0).then_some(&self.bias[channel..channel + count]),
                outputs: outputs.map(|output| output.wrapping_add(channel * self.stride)),
                stride: self.stride,
            };
            // SAFETY: the caller's promise.
            unsafe {
                match count {
                    6 => sums.add::<S, 6>(simd),
                    5 => sums.add::<S, 5>(simd),
                    4 => sums.add::<S, 4>(simd),
                    3 => sums.add::<S, 3>(simd),
                    2 => sums.add::<S, 2>(simd),
                    _ => sums.add::<S, 1>(simd),
                }
            }
            channel += count;
        }
    }
}

/// Sums of a tile of output channels to which a panel is added.
struct Sums<'a, E, const PIXELS: usize> {
    panel: &'a [[Lane<E>; PIXELS]],
    /// Those of all channels for the first term, then for the second, and so on.
    weights: &'a [E],
    /// What sums begin with; without, with what is there.
    bias: Option<&'a [E]>,
    outputs: [*mut Lane<E>; PIXELS],
    stride: usize,
}

impl<E: Element, const PIXELS: usize> Sums<'_, E, PIXELS> {
    /// # Safety
    /// `output + channel * stride` is a lane that can be written and is nobody else's, for each of `outputs` and
    /// of `CHANNELS` channels.
    #[inline(always)]
    unsafe fn add<S: Simd<E = E>, const CHANNELS: usize>(&self, simd: S) {
        let (weights, _) = self.weights.as_chunks::<CHANNELS>();
        for channel in CHANNELS..2 * CHANNELS {
            // Those of the next tile.
            for output in self.outputs {
                simd.prefetch_for_write(output.wrapping_add(channel * self.stride));
            }
        }
        for part in 0..S::PARTS {
            let mut sums = [[simd.zero(); PIXELS]; CHANNELS];
            for (channel, sums) in sums.iter_mut().enumerate() {
                match self.bias {
                    Some(bias) => *sums = [simd.splat(bias[channel]); PIXELS],
                    None => {
                        for (sum, output) in sums.iter_mut().zip(self.outputs) {
                            // SAFETY: the caller's promise.
                            *sum = simd.load(unsafe { &*output.wrapping_add(channel * self.stride) }, part);
                        }
                    }
                }
            }
            // Three terms a round, as for all terms at once.
            let ((rounds, rest), (of_rounds, of_rest)) =
                (self.panel.as_chunks::<3>(), weights.as_chunks::<3>());
            for (terms, weights) in rounds.iter().zip(of_rounds) {
                for (term, weights) in terms.iter().zip(weights) {
                    add_term(simd, part, term, weights, &mut sums);
                }
            }
            for (term, weights) in rest.iter().zip(of_rest) {
                add_term(simd, part, term, weights, &mut sums);
            }
            for (channel, sums) in sums.iter().enumerate() {
                for (sum, output) in sums.iter().zip(self.outputs) {
                    // SAFETY: the caller's promise.
                    simd.store(*sum, unsafe { &mut *output.wrapping_add(channel * self.stride) }, part);
                }
            }
        }
    }
}

#[inline(always)]
fn add_term<S: Simd, const CHANNELS: usize, const PIXELS: usize>(
    simd: S,
    part: usize,
    term: &[Lane<S::E>; PIXELS],
    weights: &[S::E; CHANNELS],
    sums: &mut [[S::V; PIXELS]; CHANNELS],
) {
    let mut x = [simd.zero(); PIXELS];
    for (x, lane) in x.iter_mut().zip(term) {
        *x = simd.load(lane, part);
    }
    for (weight, sums) in weights.iter().zip(sums.iter_mut()) {
        let weight = simd.splat(*weight);
        for (sum, x) in sums.iter_mut().zip(x) {
            *sum = simd.fma(weight, x, *sum);
        }
    }
}

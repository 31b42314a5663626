//! Convolutions taken from what they return to what they read.
//!
//! Every pixel adds the kernel, times what it is, to the result. So the result is a sum over the taps of the kernel: the
//! weights of each are a matrix, and its product with the pixels goes to where the tap lies. Gradients are the same
//! products taken back, and no element is moved on the way.

use std::ops::Range;

use swapnas_lanes::kernels::product::Product;
use swapnas_lanes::{Element, Lane, Strided};

use crate::magnitude::larger;
use crate::{ParamId, Shape, Window};

/// A transposed convolution.
///
/// It is the transpose of the convolution that has this window and these weights and makes `input` of `output`: where
/// that one takes the pixel `stride * i + dilation * tap - padding` to pixel `i`, this one takes pixel `i` there. What
/// PyTorch calls the output padding is padding less at the bottom and on the right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConvTranspose {
    /// Kernel, stride, dilation, and the pixels that are cut away around the result.
    pub window: Window,
    /// Number of groups; channels of input and output are divided evenly among them.
    pub groups: usize,
    /// The weights, `[in, out / groups, rows, columns]`.
    pub weight: ParamId,
    /// One number per output channel.
    pub bias: Option<ParamId>,
    /// Shape of what is read.
    pub input: Shape,
    /// Shape of the result.
    pub output: Shape,
}

/// One of the places of the kernel.
pub(crate) struct Tap {
    /// Its weights within those of all, `[group, out, in]`.
    weights: Strided,
    /// The product of these, one after the other, and of the pixels.
    pub product: Product,
}

impl ConvTranspose {
    /// Multiply-accumulates for one sample: every weight meets every pixel that is read, those included that padding cuts
    /// away, as the `FlopCounterMode` of PyTorch and fvcore count.
    pub fn macs(&self) -> u64 {
        let numbers = [self.weights_of_tap(), self.window.taps(), self.input.pixels()];
        numbers.iter().fold(1, |macs: u64, number| macs.saturating_mul(*number as u64))
    }

    /// How many weights a tap has.
    pub(crate) fn weights_of_tap(&self) -> usize {
        self.input.channels * self.outputs()
    }

    /// Output channels of a group.
    fn outputs(&self) -> usize {
        self.output.channels / self.groups
    }

    /// The taps that some pixel takes into the result.
    pub(crate) fn taps(&self) -> impl Iterator<Item = Tap> {
        let [rows, columns] = self.window.kernel;
        (0..rows).flat_map(move |row| (0..columns).filter_map(move |column| self.tap([row, column])))
    }

    fn tap(&self, [row, column]: [usize; 2]) -> Option<Tap> {
        let (rows, first_row) = self.reach(0, row)?;
        let (columns, first_column) = self.reach(1, column)?;
        let (groups, taps) = (self.groups, self.window.taps());
        let (inputs, outputs) = (self.input.channels / groups, self.outputs());
        let (from, to) = (self.input.pixels(), self.output.pixels());
        let [stride, step] = [self.window.stride[0] * self.output.width, self.window.stride[1]];
        let view = |dims: &[(usize, usize)], offset: usize| {
            Strided::new(dims, offset).expect("no larger than values and weights that there are")
        };
        let weights = [(groups, inputs * outputs * taps), (outputs, taps), (inputs, outputs * taps)];
        // Rows are matrices of their own: behind a stride, they do not follow each other in the result.
        let product = Product {
            a: view(&[(groups, outputs * inputs), (rows.len(), 0), (outputs, inputs), (inputs, 1)], 0),
            b: view(
                &[
                    (groups, inputs * from),
                    (rows.len(), self.input.width),
                    (inputs, from),
                    (columns.len(), 1),
                ],
                rows.start * self.input.width + columns.start,
            ),
            out: view(
                &[(groups, outputs * to), (rows.len(), stride), (outputs, to), (columns.len(), step)],
                first_row * self.output.width + first_column,
            ),
        };
        Some(Tap { weights: view(&weights, row * self.window.kernel[1] + column), product })
    }

    /// The rows or columns that a tap takes into the result, and where the first of them goes; none if there are none.
    fn reach(&self, axis: usize, tap: usize) -> Option<(Range<usize>, usize)> {
        let Window { stride, dilation, padding, .. } = self.window;
        let size = |shape: Shape| [shape.height, shape.width][axis];
        // Pixel i goes to i * stride + shift.
        let shift = (tap * dilation[axis]) as isize - [padding.top, padding.left][axis] as isize;
        let from = |place: isize| usize::try_from(place - shift).unwrap_or(0).div_ceil(stride[axis]);
        let pixels = from(0)..from(size(self.output) as isize).min(size(self.input));
        let first = (pixels.start * stride[axis]).checked_add_signed(shift)?;
        (!pixels.is_empty()).then_some((pixels, first))
    }

    /// The largest sum that the weights of one output have in magnitude; infinite if there is one that is not finite.
    pub(crate) fn largest_sum<E: Element>(&self, weights: &[E]) -> f64 {
        let (outputs, taps) = (self.outputs(), self.window.taps());
        let mut sums = vec![0.0; self.output.channels];
        for (number, kernel) in weights.chunks_exact(taps).enumerate() {
            let group = number / outputs / (self.input.channels / self.groups);
            sums[group * outputs + number % outputs] += kernel.iter().map(|w| w.to_f64().abs()).sum::<f64>();
        }
        sums.into_iter().fold(0.0, larger)
    }
}

impl Tap {
    /// Its weights, the same for every sample.
    pub(crate) fn lanes<E: Element>(&self, weights: &[E]) -> Vec<Lane<E>> {
        self.weights.places().map(|place| Lane::splat(weights[place])).collect()
    }

    /// Writes what is found out about its weights to where they lie among all.
    pub(crate) fn spread<E: Element>(&self, found: &[Lane<E>], all: &mut [Lane<E>]) {
        for (place, found) in self.weights.places().zip(found) {
            all[place] = *found;
        }
    }
}

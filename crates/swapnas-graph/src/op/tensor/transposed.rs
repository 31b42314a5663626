//! Convolutions taken from what they return to what they read.
//!
//! Every pixel adds the kernel, times what it is, to the result. So the result is a sum over the taps of the kernel: the
//! weights of each are a matrix, and its product with the pixels goes to where the tap lies. Gradients are the same
//! products taken back. Channels of pixels are put next to each other before: in planes whose size is a power of two, those
//! of a pixel would all fall on the same few lines of the cache.

use std::ops::Range;

use swapnas_lanes::kernels::arrange;
use swapnas_lanes::kernels::product::Product;
use swapnas_lanes::kernels::rows::WriteMode;
use swapnas_lanes::{Element, Lane, Strided};

use super::product::multiply;
use super::run::{At, Kernels, Operand, Way};
use super::{TensorOp, TensorOperator};
use crate::flops::Flops;
use crate::magnitude::{self, Magnitude};
use crate::{Conv, GraphError, Key, ParamId, Shape, Window};

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

/// Through which of its sides a transposed convolution is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    /// From what is read to the result.
    Forward,
    /// From the gradient of the result to that of what is read.
    Back,
}

/// One of the places of the kernel, and the pixels that it takes into the result.
struct Tap {
    /// Its weights within those of all, `[group, out, in]`.
    weights: Strided,
    /// How many rows of pixels are read. They are matrices of their own: behind a stride, they do not follow each other.
    rows: usize,
    input: Side,
    output: Side,
}

/// Pixels on one side of a tap, `[group, row, channel, column]`.
struct Side {
    /// Where they lie, plane by plane.
    planes: Strided,
    /// Where they lie with channels last, so that sums over these are sums of neighbours.
    last: Strided,
}

impl ConvTranspose {
    /// The shape of what a transposed convolution that is made like this makes of an image.
    pub(crate) fn shape(conv: &Conv, input: Shape) -> Result<Shape, GraphError> {
        let op = "transposed convolution";
        conv.check_groups(op, input)?;
        let Window { kernel, stride, dilation, padding } = conv.window;
        let least = |axis: usize| -(stride[axis].max(dilation[axis]) as i64);
        let is_behind = |padding: i32, axis: usize| i64::from(padding) > least(axis);
        if padding.top.min(padding.left) < 0 || !is_behind(padding.bottom, 0) || !is_behind(padding.right, 1)
        {
            return Err(GraphError::Padding { node: String::new(), op, padding });
        }
        match conv.window.transposed_output(input.height, input.width) {
            Some((height, width)) => Ok(Shape::new(conv.out, height, width)),
            None => Err(GraphError::WindowTooLarge { node: String::new(), op, kernel, input }),
        }
    }

    /// Multiply-accumulates for one sample: every weight meets every pixel that is read, those included that padding cuts
    /// away, as the `FlopCounterMode` of PyTorch and fvcore count.
    pub fn macs(&self) -> u64 {
        let numbers = [self.weights_of_tap(), self.window.taps(), self.input.pixels()];
        numbers.iter().fold(1, |macs: u64, number| macs.saturating_mul(*number as u64))
    }

    /// How many weights a tap has.
    fn weights_of_tap(&self) -> usize {
        self.input.channels * self.outputs()
    }

    /// Output channels of a group.
    fn outputs(&self) -> usize {
        self.output.channels / self.groups
    }

    /// The taps that some pixel takes into the result.
    fn taps(&self) -> impl Iterator<Item = Tap> {
        let [rows, columns] = self.window.kernel;
        (0..rows).flat_map(move |row| (0..columns).filter_map(move |column| self.tap([row, column])))
    }

    fn tap(&self, [row, column]: [usize; 2]) -> Option<Tap> {
        let (rows, first_row) = self.reach(0, row)?;
        let (columns, first_column) = self.reach(1, column)?;
        let taps = self.window.taps();
        let (inputs, outputs) = (self.input.channels / self.groups, self.outputs());
        let weights = [(self.groups, inputs * outputs * taps), (outputs, taps), (inputs, outputs * taps)];
        let side = |shape: Shape, [row, column]: [usize; 2], [stride, step]: [usize; 2]| {
            let of_group = shape.channels / self.groups;
            let at = |channel: usize, pixel: usize| {
                let rows = (rows.len(), stride * shape.width * pixel);
                let columns = (columns.len(), step * pixel);
                let dims = [(self.groups, of_group * channel), rows, (of_group, channel), columns];
                view(&dims, (row * shape.width + column) * pixel)
            };
            Side { planes: at(shape.pixels(), 1), last: at(1, shape.channels) }
        };
        Some(Tap {
            weights: view(&weights, row * self.window.kernel[1] + column),
            rows: rows.len(),
            input: side(self.input, [rows.start, columns.start], [1, 1]),
            output: side(self.output, [first_row, first_column], self.window.stride),
        })
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
    fn largest_sum<E: Element>(&self, weights: &[E]) -> f64 {
        let (outputs, taps) = (self.outputs(), self.window.taps());
        let mut sums = vec![0.0; self.output.channels];
        for (number, kernel) in weights.chunks_exact(taps).enumerate() {
            let group = number / outputs / (self.input.channels / self.groups);
            sums[group * outputs + number % outputs] += kernel.iter().map(|w| w.to_f64().abs()).sum::<f64>();
        }
        sums.into_iter().fold(0.0, magnitude::larger)
    }
}

impl ConvTranspose {
    /// Adds what the taps make of `x` that way.
    fn through_taps<'a, E: Element, R: Operand<'a, E>>(
        &self,
        at: At<'_, E>,
        x: R,
        way: Direction,
        out: &mut [Lane<E>],
    ) {
        let shape = if way == Direction::Forward { self.input } else { self.output };
        let weights = at.params.numbers[0].expect("a layer has weights");
        for (weights, x) in x.weighted(weights, at.params.directions[0]).into_iter().flatten() {
            let last = channels_last(x, shape);
            for tap in self.taps() {
                tap.product(way).run(at.level, &tap.lanes(weights, way), &last, WriteMode::Sum, out);
            }
        }
    }
}

impl TensorOperator for ConvTranspose {
    fn name(&self) -> &'static str {
        "transposed convolution"
    }

    fn attributes(&self) -> Option<Key> {
        let ConvTranspose { window, groups, bias, input, output, .. } = self;
        Some(Key::of((window, groups, bias.is_some(), input, output)))
    }

    fn params(&self) -> [Option<ParamId>; 2] {
        [Some(self.weight), self.bias]
    }

    fn with_params(&self, [weight, bias]: [Option<ParamId>; 2]) -> Option<TensorOp> {
        Some(TensorOp::ConvTranspose(ConvTranspose { weight: weight?, bias, ..*self }))
    }

    fn macs(&self) -> u64 {
        ConvTranspose::macs(self)
    }

    fn flops(&self) -> Flops {
        let bias = if self.bias.is_some() { self.output.elements() as u64 } else { 0 };
        Flops { conv: self.macs() + bias, ..Flops::default() }
    }

    /// Weights of a tap, and pixels with channels last.
    fn room(&self) -> usize {
        self.weights_of_tap().saturating_add(self.input.elements().max(self.output.elements()))
    }

    fn is_module(&self) -> bool {
        true
    }

    fn is_layer(&self) -> bool {
        true
    }
}

impl<'a, E: Element, R: Operand<'a, E>> Kernels<'a, E, R> for ConvTranspose {
    fn magnitude(&self, bounds: &[f64], params: [&[E]; 2]) -> Magnitude {
        let bias = if self.bias.is_some() { magnitude::of_numbers(params[1]) } else { 0.0 };
        Magnitude::weighted(bounds[0], self.largest_sum(params[0]), bias)
    }

    fn forward(&self, at: At<'_, E>, inputs: &[R], out: &mut [Lane<E>]) {
        let bias = at.params.numbers[1];
        let bias = bias.and_then(|numbers| R::of_param(numbers, at.params.directions[1]));
        for (channel, out) in out.chunks_exact_mut(self.output.pixels()).enumerate() {
            out.fill(bias.map_or(Lane::ZERO, |bias| Lane::splat(bias[channel])));
        }
        self.through_taps(at, inputs[0], Direction::Forward, out);
    }

    fn backward(&self, at: At<'_, E>, way: Way<'_, R>, out: &mut [Lane<E>]) {
        self.through_taps(at, way.gradient, Direction::Back, out);
    }

    fn of_params(&self, at: At<'_, E>, inputs: &[R], gradient: R, found: &mut [Vec<Lane<E>>; 2]) {
        for tap in self.taps() {
            let mut of_tap = vec![Lane::ZERO; self.weights_of_tap()];
            multiply(at.level, &tap.of_weights(), R::factors(gradient, inputs[0]), &mut of_tap);
            tap.spread(&of_tap, &mut found[0]);
        }
        let pixels = gradient.moving().unwrap_or_default().chunks_exact(self.output.pixels());
        for (found, pixels) in found[1].iter_mut().zip(pixels) {
            *found = pixels.iter().fold(Lane::ZERO, |sum, x| sum + *x);
        }
    }
}

impl Tap {
    /// What goes that way: the weights in [their order](Self::lanes) times pixels with channels last.
    fn product(&self, way: Direction) -> Product {
        let [groups, outputs, inputs] = *self.weights.sizes() else { unreachable!("three dimensions") };
        let (rows, columns, from, to) = match way {
            Direction::Forward => (outputs, inputs, &self.input, &self.output),
            Direction::Back => (inputs, outputs, &self.output, &self.input),
        };
        Product { a: self.matrices(groups, [rows, columns]), b: from.last, out: to.planes }
    }

    /// What makes the gradient of the weights, in the order of the way forward, of the gradient of the result and what is
    /// read.
    fn of_weights(&self) -> Product {
        let [groups, outputs, inputs] = *self.weights.sizes() else { unreachable!("three dimensions") };
        let b = self.input.planes.permuted(&[0, 1, 3, 2]);
        Product { a: self.output.planes, b, out: self.matrices(groups, [outputs, inputs]) }
    }

    /// A matrix for each group, the same for all rows of pixels.
    fn matrices(&self, groups: usize, [rows, columns]: [usize; 2]) -> Strided {
        view(&[(groups, rows * columns), (self.rows, 0), (rows, columns), (columns, 1)], 0)
    }

    /// Its weights, the same for every sample: `[group, out, in]`, or `[group, in, out]` on the way back.
    fn lanes<E: Element>(&self, weights: &[E], way: Direction) -> Vec<Lane<E>> {
        let order = match way {
            Direction::Forward => [0, 1, 2],
            Direction::Back => [0, 2, 1],
        };
        self.weights.permuted(&order).places().map(|place| Lane::splat(weights[place])).collect()
    }

    /// Writes what is found out about its weights, in the order of the way forward, to where they lie among all.
    fn spread<E: Element>(&self, found: &[Lane<E>], all: &mut [Lane<E>]) {
        for (place, found) in self.weights.places().zip(found) {
            all[place] = *found;
        }
    }
}

/// The elements of an image with channels last.
fn channels_last<E: Element>(lanes: &[Lane<E>], shape: Shape) -> Vec<Lane<E>> {
    let mut last = vec![Lane::ZERO; lanes.len()];
    arrange::gather(lanes, &view(&[(shape.pixels(), 1), (shape.channels, shape.pixels())], 0), &mut last);
    last
}

fn view(dims: &[(usize, usize)], offset: usize) -> Strided {
    Strided::new(dims, offset).expect("no larger than values and weights that there are")
}

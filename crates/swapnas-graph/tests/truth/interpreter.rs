//! What a graph computes, by the definitions of its operations: plain loops over plain vectors.
//!
//! Nothing is shared with the engine but the types that describe a graph, and nothing is done to be fast.
//! A value is a vector `[sample][channel][row][column]`. An operation that is not matched here does not
//! compile, so none can be added without saying what it is.

use std::ops::{Add, Div, Mul, Sub};

use swapnas_graph::grad::StatisticsOver;
use swapnas_graph::{
    Activation, AvgPool, BatchNorm, Conv2d, Graph, Linear, MaxPool, Node, Op, ParamId, Shape, Slice, ValueId,
    Window,
};

use crate::tensors;

/// A real number, or one with derivatives at its side.
pub(crate) trait Number:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// A constant.
    fn of(x: f64) -> Self;
    /// The number without its derivatives: what decides on which side of a kink it is.
    fn real(self) -> f64;
    fn sqrt(self) -> Self;
    fn exp(self) -> Self;
    fn erf(self) -> Self;
    fn ln(self) -> Self;
    fn sin(self) -> Self;
}

impl Number for f64 {
    fn of(x: f64) -> Self {
        x
    }

    fn real(self) -> f64 {
        self
    }

    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }

    fn exp(self) -> Self {
        f64::exp(self)
    }

    fn ln(self) -> Self {
        f64::ln(self)
    }

    fn sin(self) -> Self {
        f64::sin(self)
    }

    /// 2 / sqrt(pi) e^(-x^2) (x + 2 x^3 / 3 + 4 x^5 / 15 + ...), each term the one before times
    /// 2 x^2 / (2 n + 1). None is negative, so nothing cancels.
    fn erf(self) -> Self {
        let x = self.abs().min(7.0); // From 6 on, erf is 1 to the last digit.
        let (mut sum, mut term, mut n) = (0.0, x, 0.0);
        while sum + term != sum {
            sum += term;
            n += 1.0;
            term *= 2.0 * x * x / (2.0 * n + 1.0);
        }
        (std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * sum).copysign(self)
    }
}

/// The place of a number in a value.
#[inline]
pub(crate) fn place(shape: Shape, sample: usize, channel: usize, row: usize, column: usize) -> usize {
    ((sample * shape.channels + channel) * shape.height + row) * shape.width + column
}

/// All places of a value: sample, channel, row, column.
fn places(samples: usize, shape: Shape) -> impl Iterator<Item = [usize; 4]> {
    (0..samples * shape.elements()).map(move |place| {
        let (rest, column) = (place / shape.width, place % shape.width);
        let (rest, row) = (rest / shape.height, rest % shape.height);
        [rest / shape.channels, rest % shape.channels, row, column]
    })
}

/// The pixels of an image of some size that a window sees for the output at `row` and `column`: the number
/// of the tap, and the row and column of the image. Taps on the padding are left out.
pub(crate) fn seen(window: &Window, image: Shape, row: usize, column: usize) -> Vec<(usize, usize, usize)> {
    let mut seen = Vec::new();
    for tap_row in 0..window.kernel[0] {
        for tap_column in 0..window.kernel[1] {
            let y = (row * window.stride[0] + tap_row * window.dilation[0]) as i64;
            let x = (column * window.stride[1] + tap_column * window.dilation[1]) as i64;
            let (y, x) = (y - i64::from(window.padding.top), x - i64::from(window.padding.left));
            if (0..image.height as i64).contains(&y) && (0..image.width as i64).contains(&x) {
                seen.push((tap_row * window.kernel[1] + tap_column, y as usize, x as usize));
            }
        }
    }
    seen
}

/// The same for every pixel of an output of some size.
fn all_seen(window: &Window, image: Shape, output: Shape) -> Vec<Vec<(usize, usize, usize)>> {
    let pixels = (0..output.pixels()).map(|pixel| (pixel / output.width, pixel % output.width));
    pixels.map(|(row, column)| seen(window, image, row, column)).collect()
}

/// What a number of an input is multiplied with.
#[derive(Clone, Copy)]
pub(crate) enum Factor {
    Constant(f64),
    Weight(ParamId, usize),
}

/// A term of the sum that a number of the output of a linear operation is.
pub(crate) enum Term {
    /// A number of an input, the one at `place` of the input number `input`, times a factor.
    Product { input: usize, place: usize, factor: Factor },
    /// An element of a parameter by itself.
    Bias(ParamId, usize),
}

/// Calls `term` with the sample, the place in the output and every term of the sum there, for operations
/// that are sums of products.
pub(crate) fn sums(graph: &Graph, node: &Node, samples: usize, mut term: impl FnMut(usize, usize, Term)) {
    let shape = node.shape;
    let images: Vec<Shape> = node.inputs.iter().map(|input| graph.shape(*input)).collect();
    let image = |input: usize| images[input];
    let seen_from = match &node.op {
        Op::Conv2d(Conv2d { window, .. }) | Op::AvgPool(AvgPool { window, .. }) => {
            all_seen(window, image(0), shape)
        }
        _ => Vec::new(),
    };
    for (out, [sample, channel, row, column]) in places(samples, shape).enumerate() {
        let mut product = |input: usize, [channel, row, column]: [usize; 3], factor: Factor| {
            let place = place(image(input), sample, channel, row, column);
            term(sample, out, Term::Product { input, place, factor });
        };
        match &node.op {
            Op::Conv2d(Conv2d { window, groups, weight, bias }) => {
                let inputs = image(0).channels / groups;
                let group = channel / (shape.channels / groups);
                for &(tap, y, x) in &seen_from[row * shape.width + column] {
                    for input in 0..inputs {
                        let element = (channel * inputs + input) * window.kernel[0] * window.kernel[1] + tap;
                        product(0, [group * inputs + input, y, x], Factor::Weight(*weight, element));
                    }
                }
                if let Some(bias) = bias {
                    term(sample, out, Term::Bias(*bias, channel));
                }
            }
            Op::Linear(Linear { weight, bias }) => {
                let inputs = image(0).channels;
                for input in 0..inputs {
                    product(0, [input, row, column], Factor::Weight(*weight, channel * inputs + input));
                }
                if let Some(bias) = bias {
                    term(sample, out, Term::Bias(*bias, channel));
                }
            }
            Op::AvgPool(AvgPool { window, count_padding }) => {
                let seen = &seen_from[row * shape.width + column];
                let all = window.kernel[0] * window.kernel[1];
                let count = if *count_padding { all } else { seen.len() };
                for &(_, y, x) in seen {
                    product(0, [channel, y, x], Factor::Constant(1.0 / count as f64));
                }
            }
            Op::GlobalAvgPool => {
                let Shape { height, width, .. } = image(0);
                for y in 0..height {
                    for x in 0..width {
                        product(0, [channel, y, x], Factor::Constant(1.0 / (height * width) as f64));
                    }
                }
            }
            Op::Add => {
                for input in 0..node.inputs.len() {
                    product(input, [channel, row, column], Factor::Constant(1.0));
                }
            }
            Op::Concat => {
                let mut first = 0;
                for input in 0..node.inputs.len() {
                    let channels = first..first + image(input).channels;
                    if channels.contains(&channel) {
                        product(input, [channel - first, row, column], Factor::Constant(1.0));
                    }
                    first = channels.end;
                }
            }
            Op::Slice(Slice { start }) => product(0, [start + channel, row, column], Factor::Constant(1.0)),
            Op::Zero => {}
            Op::Input | Op::BatchNorm(_) | Op::Act(_) | Op::MaxPool(_) | Op::Mul | Op::Tensor(_) => {
                unreachable!("{:?} is no sum of products", node.op)
            }
        }
    }
}

/// For every number of the output of a max pool, the place of the first of the largest numbers under the
/// window; none if the window sees no pixel.
pub(crate) fn largest<T: Number>(window: &Window, image: Shape, node: &Node, x: &[T]) -> Vec<Option<usize>> {
    let samples = x.len() / image.elements();
    let seen_from = all_seen(window, image, node.shape);
    places(samples, node.shape)
        .map(|[sample, channel, row, column]| {
            let mut best: Option<usize> = None;
            for &(_, row, column) in &seen_from[row * node.shape.width + column] {
                let here = place(image, sample, channel, row, column);
                if best.is_none_or(|best| x[here].real() > x[best].real()) {
                    best = Some(here);
                }
            }
            best
        })
        .collect()
}

/// The place of the second factor of a product for a number of the first.
pub(crate) fn other_factor(shape: Shape, by: Shape, out: usize) -> usize {
    if by == shape { out } else { out / shape.pixels() }
}

/// The numbers that a batch normalisation takes mean and variance of: the channel, and their places.
pub(crate) fn populations(
    samples: usize,
    shape: Shape,
    statistics: StatisticsOver,
) -> Vec<(usize, Vec<usize>)> {
    let mut populations = Vec::new();
    for channel in 0..shape.channels {
        let of_sample =
            |sample: usize| (0..shape.pixels()).map(move |pixel| place(shape, sample, channel, 0, 0) + pixel);
        match statistics {
            StatisticsOver::Batch => populations.push((channel, (0..samples).flat_map(of_sample).collect())),
            StatisticsOver::Sample => {
                populations.extend((0..samples).map(|sample| (channel, of_sample(sample).collect())));
            }
            StatisticsOver::None => {}
        }
    }
    populations
}

pub(crate) fn mean<T: Number>(numbers: impl ExactSizeIterator<Item = T>) -> T {
    let count = T::of(numbers.len() as f64);
    numbers.fold(T::of(0.0), |sum, x| sum + x) / count
}

pub(crate) fn activate<T: Number>(act: Activation, x: T) -> T {
    let clamp = |x: T, least: f64, most: f64| match x.real() {
        real if real <= least => T::of(least),
        real if real >= most => T::of(most),
        _ => x,
    };
    match act {
        Activation::Relu => clamp(x, 0.0, f64::INFINITY),
        Activation::Relu6 => clamp(x, 0.0, 6.0),
        Activation::Silu => x * sigmoid(x),
        Activation::Gelu => x * (T::of(1.0) + (x / T::of(2.0).sqrt()).erf()) / T::of(2.0),
        Activation::HardSwish => x * clamp(x + T::of(3.0), 0.0, 6.0) / T::of(6.0),
        Activation::Sigmoid => sigmoid(x),
        Activation::HardSigmoid => clamp(x + T::of(3.0), 0.0, 6.0) / T::of(6.0),
        Activation::LeakyRelu { .. } if x.real() > 0.0 => x,
        Activation::LeakyRelu { slope } => T::of(slope.number()) * x,
    }
}

/// 1 / (1 + e^-x), with the sign of x chosen such that the power is no larger than 1.
pub(crate) fn sigmoid<T: Number>(x: T) -> T {
    let power = if x.real() < 0.0 { x.exp() } else { (T::of(0.0) - x).exp() };
    let smaller = T::of(1.0) / (T::of(1.0) + power);
    if x.real() < 0.0 { power * smaller } else { smaller }
}

/// The part of each value that is one sample's.
pub(crate) fn of_sample<T: Number>(values: &[&Vec<T>], samples: usize, sample: usize) -> Vec<Vec<T>> {
    let part = |value: &&Vec<T>| {
        let elements = value.len() / samples;
        value[sample * elements..(sample + 1) * elements].to_vec()
    };
    values.iter().map(part).collect()
}

/// The values of all nodes, from the images and the numbers of all parameters.
pub(crate) fn forward<T: Number>(
    graph: &Graph,
    samples: usize,
    images: &[T],
    weights: &[Vec<T>],
    statistics: StatisticsOver,
) -> Vec<Vec<T>> {
    let mut values: Vec<Vec<T>> = Vec::new();
    for node in graph.nodes() {
        let inputs: Vec<&Vec<T>> = node.inputs.iter().map(|input| &values[input.index()]).collect();
        let input = |which: usize| inputs[which];
        let mut out = vec![T::of(0.0); samples * node.shape.elements()];
        match &node.op {
            Op::Input => out.copy_from_slice(images),
            Op::Conv2d(_)
            | Op::Linear(_)
            | Op::AvgPool(_)
            | Op::GlobalAvgPool
            | Op::Add
            | Op::Concat
            | Op::Slice(_)
            | Op::Zero => sums(graph, node, samples, |_, place, term| {
                out[place] = out[place]
                    + match term {
                        Term::Product { input: which, place, factor: Factor::Constant(c) } => {
                            T::of(c) * input(which)[place]
                        }
                        Term::Product { input: which, place, factor: Factor::Weight(id, element) } => {
                            weights[id.index()][element] * input(which)[place]
                        }
                        Term::Bias(id, element) => weights[id.index()][element],
                    };
            }),
            Op::MaxPool(MaxPool { window }) => {
                let places = largest(window, graph.shape(node.inputs[0]), node, input(0));
                for (out, place) in out.iter_mut().zip(places) {
                    *out = place.map_or(T::of(f64::NEG_INFINITY), |place| input(0)[place]);
                }
            }
            Op::Mul => {
                let by = graph.shape(node.inputs[1]);
                for (place, out) in out.iter_mut().enumerate() {
                    *out = input(0)[place] * input(1)[other_factor(node.shape, by, place)];
                }
            }
            Op::Tensor(op) => {
                for (sample, out) in out.chunks_mut(node.shape.elements()).enumerate() {
                    let inputs = of_sample(&inputs, samples, sample);
                    let weight = |id: ParamId, element: usize| weights[id.index()][element];
                    out.copy_from_slice(&tensors::forward(op, node, &inputs, weight));
                }
            }
            Op::Act(act) => {
                for (out, x) in out.iter_mut().zip(input(0)) {
                    *out = activate(*act, *x);
                }
            }
            Op::BatchNorm(BatchNorm { affine, epsilon }) => {
                out.copy_from_slice(input(0));
                for (channel, places) in populations(samples, node.shape, statistics) {
                    let centre = mean(places.iter().map(|place| input(0)[*place]));
                    let squares = places.iter().map(|place| {
                        let apart = input(0)[*place] - centre;
                        apart * apart
                    });
                    let deviation = (mean(squares) + T::of(epsilon.number())).sqrt();
                    for place in places {
                        out[place] = (input(0)[place] - centre) / deviation;
                        if let Some((weight, bias)) = affine {
                            let (weight, bias) = (&weights[weight.index()], &weights[bias.index()]);
                            out[place] = out[place] * weight[channel] + bias[channel];
                        }
                    }
                }
            }
        }
        values.push(out);
    }
    values
}

/// The signs of every ReLU, in the order of [`Graph::relu_values`]: of every unit, whether each sample makes
/// it positive.
pub(crate) fn signs(graph: &Graph, samples: usize, values: &[Vec<f64>]) -> Vec<(ValueId, Vec<Vec<bool>>)> {
    let of = |value: ValueId| {
        let (units, input) = (graph.shape(value).elements(), graph.node(value).inputs[0]);
        let sign = |unit, sample| values[input.index()][sample * units + unit] > 0.0;
        (value, (0..units).map(|unit| (0..samples).map(|sample| sign(unit, sample)).collect()).collect())
    };
    graph.relu_values().into_iter().map(of).collect()
}

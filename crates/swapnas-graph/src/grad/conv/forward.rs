//! Convolutions of values and of their tangents.

use std::ops::Range;

use swapnas_lanes::kernels::combination::{self, Term};
use swapnas_lanes::kernels::convolution::{Algorithm, ConvolutionWeights};
use swapnas_lanes::kernels::moments::{self, Moments};
use swapnas_lanes::kernels::rows::WriteMode;
use swapnas_lanes::{Element, Lane, PlanesMut};

use super::{Dimensions, divide, image, load_padded, padded};
use crate::grad::frame::{Frame, Tangents};
use crate::grad::jobs::{self, Scratch, room};
use crate::grad::norm;
use crate::grad::plan::Convolution;
use crate::{Shape, division};

/// Lanes of input that a band reads: half a megabyte, to stay in a core's cache.
const BAND_LANES: usize = 8192;

/// Runs the convolution; returns the moments of the result's channels if they are to be taken.
pub(in crate::grad) fn forward<E: Element>(
    frame: &Frame<'_, E>,
    of: &Convolution,
    out: &mut [Lane<E>],
    take_moments: bool,
    scratch: &mut Scratch<E>,
) -> Vec<Moments> {
    let Dimensions { input, output, groups, inputs, .. } = Dimensions::new(frame, of);
    let bias = of.bias.map(|bias| frame.weights.get(bias));
    let (algorithm, taps) = (forward_algorithm(of, input, output), of.window.taps());
    let mut weights = ConvolutionWeights::default();
    weights.pack(algorithm, groups, inputs, taps, frame.weights.get(of.weight), bias);
    let bands = forward_bands(of, input, output);
    let jobs = numbered(divide(out, frame.plan.layout(of.out), &bands), &bands);
    let mut total = Vec::new();
    if take_moments {
        total.resize(output.channels, Moments::default());
    }
    let job = |(block, band, mut out): Job<'_, E>, scratch: &mut Scratch<E>| {
        let (mut pixels, rows) = padded(&mut scratch.a, &of.window, input, output, &band);
        load_padded(&rows, input, |rows| {
            frame.load(of.source, block, rows, WriteMode::Overwrite, pixels.reborrow());
        });
        let (pixels, rows, width) = (pixels.as_planes(), band.clone(), output.width);
        weights.convolve(frame.level, pixels, &of.window, rows, width, &mut scratch.b, out.reborrow());
        let mut moments = Vec::new();
        if take_moments {
            moments.resize(output.channels, Moments::default());
            let samples = frame.batch.samples_in(block);
            moments::accumulate(frame.level, out.as_planes(), band, output.width, samples, &mut moments);
        }
        moments
    };
    jobs::run(frame.parallel, jobs, scratch, job, |_, moments| norm::join(&mut total, &moments));
    total
}

/// The tangent of the result: that of the input through the weights, plus the input through the
/// weights' tangent.
pub(in crate::grad) fn tangent<E: Element>(
    frame: &Frame<'_, E>,
    tangents: &Tangents<'_, E>,
    of: &Convolution,
    out: &mut [Lane<E>],
    scratch: &mut Scratch<E>,
) {
    let Dimensions { input, output, groups, inputs, .. } = Dimensions::new(frame, of);
    let taps = of.window.taps();
    let bias = of.bias.map(|bias| tangents.direction.get(bias));
    let algorithm = forward_algorithm(of, input, output);
    let [mut weights, mut change] = [(); 2].map(|()| ConvolutionWeights::default());
    weights.pack(algorithm, groups, inputs, taps, frame.weights.get(of.weight), None);
    change.pack(algorithm, groups, inputs, taps, tangents.direction.get(of.weight), bias);
    let bands = forward_bands(of, input, output);
    let jobs = numbered(divide(out, frame.plan.layout(of.out), &bands), &bands);
    let job = |(block, band, mut out): Job<'_, E>, scratch: &mut Scratch<E>| {
        let width = output.width;
        let Scratch { a, b, c, .. } = scratch;
        let (mut pixels, rows) = padded(a, &of.window, input, output, &band);
        load_padded(&rows, input, |rows| frame.load_tangent(tangents, of.source, block, rows, &mut pixels));
        let planes = pixels.as_planes();
        weights.convolve(frame.level, planes, &of.window, band.clone(), width, c, out.reborrow());
        load_padded(&rows, input, |rows| {
            frame.load(of.source, block, rows, WriteMode::Overwrite, pixels.reborrow());
        });
        let rows = band.start as isize..band.end as isize;
        let mut other = room(b, image(output.channels, &rows, &(0..width as isize)));
        let planes = pixels.as_planes();
        change.convolve(frame.level, planes, &of.window, band.clone(), width, c, other.reborrow());
        let other = [Term::plain(other.as_planes())];
        combination::combine(frame.level, &other, None, band, width, WriteMode::Sum, out);
    };
    jobs::run(frame.parallel, jobs, scratch, job, |_, ()| {});
}

type Job<'a, E> = (usize, Range<usize>, PlanesMut<'a, Lane<E>>);

/// The parts of an image, block by block and band by band, with block and band.
fn numbered<'a, E>(parts: Vec<PlanesMut<'a, Lane<E>>>, bands: &[Range<usize>]) -> Vec<Job<'a, E>> {
    let numbered = parts.into_iter().enumerate();
    numbered.map(|(index, part)| (index / bands.len(), bands[index % bands.len()].clone(), part)).collect()
}

fn forward_algorithm(of: &Convolution, input: Shape, output: Shape) -> Algorithm {
    let (channels, size) = ([input.channels, output.channels], [output.height, output.width]);
    Algorithm::fastest(&of.window, of.groups, channels, size, of.bias.is_some())
}

fn forward_bands(of: &Convolution, input: Shape, output: Shape) -> Vec<Range<usize>> {
    let width = of.window.reach(1, &(0..output.width)).len().max(input.width);
    let together = forward_algorithm(of, input, output).rows_together();
    division::bands(output.height, together, input.channels * width * of.window.stride[0], BAND_LANES)
}

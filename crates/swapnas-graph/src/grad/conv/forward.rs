//! Convolutions of values and of their tangents.

use std::ops::Range;

use swapnas_lanes::kernels::blend::{self, Term};
use swapnas_lanes::kernels::moments::{self, Moments};
use swapnas_lanes::kernels::rows::Into;
use swapnas_lanes::{Element, Lane, PlanesMut};

use super::{Dimensions, Packed, divide, image, load_padded, padded};
use crate::Shape;
use crate::grad::frame::{Frame, Tangents};
use crate::grad::jobs::{self, Scratch, room};
use crate::grad::norm;
use crate::grad::tape::Convolution;

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
    let weights = Packed::new(groups, inputs, of.window.taps(), frame.weights.get(of.weight), bias);
    let bands = forward_bands(of, input, output);
    let jobs = numbered(divide(out, frame.tape.layout(of.out), &bands), &bands);
    let mut total = Vec::new();
    if take_moments {
        total.resize(output.channels, Moments::default());
    }
    let job = |(block, band, mut out): Job<'_, E>, scratch: &mut Scratch<E>| {
        let (mut pixels, rows) = padded(&mut scratch.a, &of.window, input, output, &band);
        load_padded(&rows, input, |rows| {
            frame.load(of.source, block, rows, Into::Overwrite, pixels.reborrow());
        });
        let (rows, width) = (band.clone(), output.width);
        weights.convolve(frame.level, pixels.as_planes(), &of.window, rows, width, out.reborrow());
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
    let weights = Packed::new(groups, inputs, taps, frame.weights.get(of.weight), None);
    let change = Packed::new(groups, inputs, taps, tangents.direction.get(of.weight), bias);
    let bands = forward_bands(of, input, output);
    let jobs = numbered(divide(out, frame.tape.layout(of.out), &bands), &bands);
    let job = |(block, band, mut out): Job<'_, E>, scratch: &mut Scratch<E>| {
        let width = output.width;
        let (mut pixels, rows) = padded(&mut scratch.a, &of.window, input, output, &band);
        load_padded(&rows, input, |rows| frame.load_tangent(tangents, of.source, block, rows, &mut pixels));
        weights.convolve(frame.level, pixels.as_planes(), &of.window, band.clone(), width, out.reborrow());
        load_padded(&rows, input, |rows| {
            frame.load(of.source, block, rows, Into::Overwrite, pixels.reborrow());
        });
        let rows = band.start as isize..band.end as isize;
        let mut other = room(&mut scratch.b, image(output.channels, &rows, &(0..width as isize)));
        change.convolve(frame.level, pixels.as_planes(), &of.window, band.clone(), width, other.reborrow());
        let other = [Term::plain(other.as_planes())];
        blend::blend(frame.level, &other, None, band, width, Into::Sum, out);
    };
    jobs::run(frame.parallel, jobs, scratch, job, |_, ()| {});
}

type Job<'a, E> = (usize, Range<usize>, PlanesMut<'a, Lane<E>>);

/// The parts of an image, block by block and band by band, with block and band.
fn numbered<'a, E>(parts: Vec<PlanesMut<'a, Lane<E>>>, bands: &[Range<usize>]) -> Vec<Job<'a, E>> {
    let numbered = parts.into_iter().enumerate();
    numbered.map(|(index, part)| (index / bands.len(), bands[index % bands.len()].clone(), part)).collect()
}

fn forward_bands(of: &Convolution, input: Shape, output: Shape) -> Vec<Range<usize>> {
    let width = of.window.reach(1, &(0..output.width)).len().max(input.width);
    jobs::bands(output.height, input.channels * width * of.window.stride[0], BAND_LANES)
}

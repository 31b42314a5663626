//! Convolutions and linear layers: forward, tangents, and back to inputs and weights.

use std::ops::Range;

use swapnas_lanes::kernels::blend::{self, Term};
use swapnas_lanes::kernels::dense::{self, DenseWeights};
use swapnas_lanes::kernels::depthwise;
use swapnas_lanes::kernels::moments::{self, Moments};
use swapnas_lanes::kernels::rows::Into;
use swapnas_lanes::kernels::sums;
use swapnas_lanes::kernels::transpose::{self, Phase};
use swapnas_lanes::kernels::weight_gradient::{self, Sums};
use swapnas_lanes::kernels::window::Window;
use swapnas_lanes::{Element, Lane, Layout, Level, Planes, PlanesMut};

use super::flow::Upstream;
use super::frame::{Frame, Tangents};
use super::jobs::{self, Scratch, room};
use super::norm;
use super::tape::Convolution;
use crate::Shape;

/// Lanes of input that a band of a forward pass reads: half a megabyte, to stay in a core's cache.
const BAND_LANES: usize = 8192;

/// Lanes of gradients and input that a band of a backward pass goes over.
const BACKWARD_LANES: usize = 12288;

/// Weights in the form that a kernel reads.
enum Packed<E: Element> {
    Dense(DenseWeights<E>),
    Depthwise(Vec<E>),
}

impl<E: Element> Packed<E> {
    /// Weights `[out, inputs, taps]` with `inputs` channels of one group.
    fn new(groups: usize, inputs: usize, taps: usize, weight: &[E], bias: Option<&[E]>) -> Self {
        if groups > 1 && inputs == 1 && weight.len() == groups * taps && bias.is_none() {
            return Packed::Depthwise(weight.to_vec());
        }
        let mut dense = DenseWeights::new();
        dense.pack(groups, inputs, taps, weight, bias);
        Packed::Dense(dense)
    }

    fn convolve(
        &self,
        level: Level,
        input: Planes<'_, Lane<E>>,
        window: &Window,
        rows: Range<usize>,
        width: usize,
        out: PlanesMut<'_, Lane<E>>,
    ) {
        match self {
            Packed::Dense(weights) => dense::convolve(level, input, window, weights, rows, width, out),
            Packed::Depthwise(weights) => {
                depthwise::convolve(level, input, window, weights, rows, width, out)
            }
        }
    }
}

/// A convolution's dimensions.
#[derive(Clone, Copy)]
struct Dimensions {
    input: Shape,
    output: Shape,
    groups: usize,
    /// Channels of a group.
    inputs: usize,
    outputs: usize,
}

impl Dimensions {
    fn new<E: Element>(frame: &Frame<'_, E>, of: &Convolution) -> Self {
        let (input, output) = (frame.shape(of.source.slot), frame.shape(of.out));
        let groups = of.groups;
        Dimensions {
            input,
            output,
            groups,
            inputs: input.channels / groups,
            outputs: output.channels / groups,
        }
    }
}

/// Every block with every band, and the rows of `lanes` that are the band's.
fn divide<'a, E: Element>(
    lanes: &'a mut [Lane<E>],
    layout: Layout,
    bands: &[Range<usize>],
) -> Vec<PlanesMut<'a, Lane<E>>> {
    lanes
        .chunks_exact_mut(layout.lanes())
        .flat_map(|block| jobs::split(PlanesMut::new(block, layout), bands))
        .collect()
}

/// Runs the convolution; returns the moments of the result's channels if they are to be taken.
pub(super) fn forward<E: Element>(
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
        let (mut pixels, rows) = padded(&mut scratch.a, of, input, output, &band);
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
pub(super) fn tangent<E: Element>(
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
        let (mut pixels, rows) = padded(&mut scratch.a, of, input, output, &band);
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

/// Whether gradients of weights are wanted for each sample or for all together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PerSample {
    Yes,
    No,
}

/// What comes of a backward pass of a convolution besides the gradient of its input.
pub(super) struct Found<E> {
    /// Over the batch, if not for each sample.
    pub weight: Vec<E>,
    /// For each sample, `[block][element]`.
    pub weight_by_sample: Vec<Lane<E>>,
    /// `[block][channel]`.
    pub bias: Vec<Lane<E>>,
    /// Tangents of the gradients of weight and bias over the batch.
    pub weight_tangent: Vec<E>,
    pub bias_tangent: Vec<Lane<E>>,
}

impl<E: Element> Found<E> {
    fn zeros(frame: &Frame<'_, E>, of: &Convolution, wanted: Option<PerSample>, blocks: usize) -> Self {
        let len = frame.weights.get(of.weight).len();
        let channels = frame.shape(of.out).channels;
        let zeros = |wanted: bool, len: usize| if wanted { vec![E::ZERO; len] } else { Vec::new() };
        let lanes = |wanted: bool, len: usize| if wanted { vec![Lane::ZERO; len] } else { Vec::new() };
        let params = wanted.is_some();
        let tangents = params && frame.tangents.is_some();
        let by_sample = wanted == Some(PerSample::Yes);
        Found {
            weight: zeros(params && !by_sample, len),
            weight_by_sample: lanes(by_sample, blocks * len),
            bias: lanes(params && of.bias.is_some(), blocks * channels),
            weight_tangent: zeros(tangents, len),
            bias_tangent: lanes(tangents && of.bias.is_some(), blocks * channels),
        }
    }

    /// Adds what a band of a block has found.
    fn add(&mut self, block: usize, band: Found<E>) {
        fn numbers<E: Element>(to: &mut [E], from: &[E]) {
            for (to, from) in to.iter_mut().zip(from) {
                *to = *to + *from;
            }
        }
        fn lanes<E: Element>(to: &mut [Lane<E>], block: usize, from: &[Lane<E>]) {
            for (to, from) in to[block * from.len()..].iter_mut().zip(from) {
                numbers(&mut to.0, &from.0);
            }
        }
        numbers(&mut self.weight, &band.weight);
        lanes(&mut self.weight_by_sample, block, &band.weight_by_sample);
        lanes(&mut self.bias, block, &band.bias);
        numbers(&mut self.weight_tangent, &band.weight_tangent);
        lanes(&mut self.bias_tangent, block, &band.bias_tangent);
    }
}

/// Where the gradient of the input goes, and its tangent.
pub(super) struct Destination<'a, E> {
    pub gradient: &'a mut [Lane<E>],
    pub tangent: Option<&'a mut [Lane<E>]>,
    pub into: Into,
}

/// Takes the gradient of the result back to the input and to the weights.
///
/// Bands are of input rows: each band computes the gradient of its rows, and of the weights what comes
/// from the output rows that are its own.
pub(super) fn backward<E: Element>(
    frame: &Frame<'_, E>,
    of: &Convolution,
    upstream: &Upstream<'_, E>,
    wanted: Option<PerSample>,
    destination: Option<Destination<'_, E>>,
    scratch: &mut Scratch<E>,
) -> Found<E> {
    let dimensions = Dimensions::new(frame, of);
    let Dimensions { input, output, .. } = dimensions;
    let pass = Backward {
        frame,
        of,
        dimensions,
        upstream,
        wanted,
        transposed: destination.as_ref().map(|_| Transposed::new(frame, of, &dimensions)),
        into: destination.as_ref().map_or(Into::Overwrite, |destination| destination.into),
    };
    let per_row = (input.channels + output.channels.div_ceil(of.window.stride[0])) * input.width;
    let bands = jobs::bands(input.height, per_row, BACKWARD_LANES);
    let layout = frame.tape.layout(of.source.slot);
    let count = frame.blocks() * bands.len();
    let (gradients, tangents) = match destination {
        Some(Destination { gradient, tangent, .. }) => {
            (some(divide(gradient, layout, &bands)), tangent.map(|lanes| some(divide(lanes, layout, &bands))))
        }
        None => (none(count), None),
    };
    let tangents = tangents.unwrap_or_else(|| none(count));
    let jobs: Vec<_> = gradients.into_iter().zip(tangents).enumerate().collect();
    let mut found = Found::zeros(frame, of, wanted, frame.blocks());
    let job = |(index, (gradient, tangent)): (usize, (_, _)), scratch: &mut Scratch<E>| {
        pass.run(index / bands.len(), &bands[index % bands.len()], gradient, tangent, scratch)
    };
    jobs::run(frame.parallel, jobs, scratch, job, |index, band| found.add(index / bands.len(), band));
    found
}

fn some<T>(values: Vec<T>) -> Vec<Option<T>> {
    values.into_iter().map(Some).collect()
}

fn none<T>(count: usize) -> Vec<Option<T>> {
    (0..count).map(|_| None).collect()
}

/// The way back through the weights.
struct Transposed<E: Element> {
    phases: Vec<Turned<E>>,
}

/// A phase with its weights, and the weights' tangents where they move.
struct Turned<E: Element> {
    phase: Phase,
    weights: Packed<E>,
    change: Option<Packed<E>>,
}

impl<E: Element> Turned<E> {
    fn weights(&self) -> &Packed<E> {
        &self.weights
    }

    fn change(&self) -> &Packed<E> {
        self.change.as_ref().expect("weights are packed with their tangents where they move")
    }
}

impl<E: Element> Transposed<E> {
    fn new(frame: &Frame<'_, E>, of: &Convolution, dimensions: &Dimensions) -> Self {
        let &Dimensions { input, groups, inputs, outputs, .. } = dimensions;
        let kernel = of.window.kernel;
        let turned = |phase: Phase| {
            let turn = |weights: &[E]| {
                let mut turned = Vec::with_capacity(weights.len());
                transpose::transpose_weights(weights, groups, inputs, kernel, &phase, &mut turned);
                match phase.taps[0].len() * phase.taps[1].len() {
                    0 => Packed::Depthwise(turned),
                    taps => Packed::new(groups, outputs, taps, &turned, None),
                }
            };
            let weights = turn(frame.weights.get(of.weight));
            let change = frame.tangents.map(|tangents| turn(tangents.direction.get(of.weight)));
            Turned { phase, weights, change }
        };
        let phases = transpose::phases(&of.window, [input.height, input.width]);
        Transposed { phases: phases.into_iter().map(turned).collect() }
    }

    /// The output rows or columns (by axis) whose gradients a range of input rows or columns needs.
    fn reach(&self, axis: usize, pixels: &Range<usize>) -> Range<isize> {
        let mut reach = 0..0;
        for Turned { phase, .. } in &self.phases {
            if let Some(window) = &phase.window {
                reach = span(&reach, &window.reach(axis, &phase_rows(phase, axis, pixels)));
            }
        }
        reach
    }

    /// Computes the gradient of input rows `band` from that of the output.
    fn take_back(
        &self,
        level: Level,
        weights: fn(&Turned<E>) -> &Packed<E>,
        arriving: Planes<'_, Lane<E>>,
        band: &Range<usize>,
        mut back: PlanesMut<'_, Lane<E>>,
        scratch: &mut Vec<Lane<E>>,
    ) {
        let layout = *back.layout();
        for turned in &self.phases {
            let phase = &turned.phase;
            let (rows, width) = (phase_rows(phase, 0, band), phase.size[1]);
            if let (Some(window), [_]) = (&phase.window, &self.phases[..]) {
                weights(turned).convolve(level, arriving, window, rows, width, back.reborrow());
                continue;
            }
            if rows.is_empty() {
                continue;
            }
            let part =
                image(layout.channels, &(rows.start as isize..rows.end as isize), &(0..width as isize));
            let mut part = room(scratch, part);
            match &phase.window {
                Some(window) => {
                    weights(turned).convolve(level, arriving, window, rows.clone(), width, part.reborrow());
                }
                None => part.fill_halo(0, 0, Lane::ZERO),
            }
            let part = part.as_planes();
            for channel in 0..layout.channels {
                for row in rows.clone() {
                    let from = part.row(channel, row as isize, 0..width as isize);
                    let row = (phase.first[0] + row * phase.stride[0]) as isize;
                    let to = back.row(channel, row, phase.first[1] as isize..layout.columns as isize);
                    for (to, from) in to.iter_mut().step_by(phase.stride[1]).zip(from) {
                        *to = *from;
                    }
                }
            }
        }
    }
}

/// Which pixels of a phase lie within a range of all.
fn phase_rows(phase: &Phase, axis: usize, pixels: &Range<usize>) -> Range<usize> {
    let (first, stride, size) = (phase.first[axis], phase.stride[axis], phase.size[axis]);
    let place = |pixel: usize| pixel.saturating_sub(first).div_ceil(stride).min(size);
    place(pixels.start)..place(pixels.end)
}

struct Backward<'a, E: Element> {
    frame: &'a Frame<'a, E>,
    of: &'a Convolution,
    dimensions: Dimensions,
    upstream: &'a Upstream<'a, E>,
    wanted: Option<PerSample>,
    transposed: Option<Transposed<E>>,
    into: Into,
}

impl<E: Element> Backward<'_, E> {
    fn run(
        &self,
        block: usize,
        band: &Range<usize>,
        gradient: Option<PlanesMut<'_, Lane<E>>>,
        tangent: Option<PlanesMut<'_, Lane<E>>>,
        scratch: &mut Scratch<E>,
    ) -> Found<E> {
        let (frame, of) = (self.frame, self.of);
        let Dimensions { input, output, .. } = self.dimensions;
        let mut found = Found::zeros(frame, of, self.wanted, 1);
        let owned = self.owned(band);
        let (mut rows, mut columns) = (owned.start as isize..owned.end as isize, 0..output.width as isize);
        if let Some(transposed) = &self.transposed {
            rows = span(&rows, &transposed.reach(0, band));
            columns = span(&columns, &transposed.reach(1, &(0..input.width)));
        }
        let layout = image(output.channels, &rows, &columns);
        let Scratch { a, b, c, d, e, f } = scratch;
        let mut arriving = room(a, layout);
        arriving.fill_halo(output.height, output.width, Lane::ZERO);
        self.upstream.load(frame, block, clip(&rows, output.height), Into::Overwrite, arriving.reborrow());
        let arriving = arriving.as_planes();
        self.accumulate(block, &owned, arriving, &mut found, b);
        let mut arriving_tangent = None;
        if let Some(tangents) = &frame.tangents {
            let mut change = room(c, layout);
            change.fill_halo(output.height, output.width, Lane::ZERO);
            self.upstream.load_tangent(
                frame,
                tangents,
                block,
                clip(&rows, output.height),
                Into::Overwrite,
                change.reborrow(),
            );
            let change = Planes::new(c, layout);
            self.accumulate_tangent(tangents, block, &owned, (arriving, change), &mut found, b, d);
            arriving_tangent = Some(change);
        }
        let (Some(transposed), Some(gradient)) = (&self.transposed, gradient) else { return found };
        let taken =
            image(input.channels, &(band.start as isize..band.end as isize), &(0..input.width as isize));
        let mut back = room(b, taken);
        transposed.take_back(frame.level, Turned::weights, arriving, band, back.reborrow(), d);
        frame.push(of.source, block, band.clone(), back.as_planes(), self.into, gradient);
        if let (Some(tangents), Some(tangent), Some(change)) = (&frame.tangents, tangent, arriving_tangent) {
            let mut back_tangent = room(e, taken);
            transposed.take_back(frame.level, Turned::weights, change, band, back_tangent.reborrow(), d);
            let mut other = room(f, taken);
            transposed.take_back(frame.level, Turned::change, arriving, band, other.reborrow(), d);
            let (rows, width) = (band.clone(), input.width);
            let other = [Term::plain(other.as_planes())];
            blend::blend(frame.level, &other, None, rows, width, Into::Sum, back_tangent.reborrow());
            let pushed = (back.as_planes(), back_tangent.as_planes());
            frame.push_tangent(tangents, of.source, block, band.clone(), pushed, self.into, tangent, d);
        }
        found
    }

    /// The output rows whose part in the gradient of the weights falls to a band of input rows: every
    /// output row is one band's.
    fn owned(&self, band: &Range<usize>) -> Range<usize> {
        let Dimensions { input, output, .. } = self.dimensions;
        let edge = |row: usize| {
            if row == input.height {
                output.height
            } else {
                (row / self.of.window.stride[0]).min(output.height)
            }
        };
        edge(band.start)..edge(band.end)
    }

    /// Adds what a band's output rows give to the gradients of weights and bias.
    fn accumulate(
        &self,
        block: usize,
        owned: &Range<usize>,
        arriving: Planes<'_, Lane<E>>,
        found: &mut Found<E>,
        scratch: &mut Vec<Lane<E>>,
    ) {
        let (frame, of) = (self.frame, self.of);
        let Dimensions { input, output, groups, .. } = self.dimensions;
        if owned.is_empty() {
            return;
        }
        if !found.bias.is_empty() {
            sums::sum(frame.level, arriving, owned.clone(), output.width, &mut found.bias);
        }
        let sums = match self.wanted {
            None => return,
            Some(PerSample::Yes) => Sums::Samples(&mut found.weight_by_sample),
            Some(PerSample::No) => Sums::Total(&mut found.weight),
        };
        let (mut padded, rows) = padded(scratch, of, input, output, owned);
        load_padded(&rows, input, |rows| {
            frame.load(of.source, block, rows, Into::Overwrite, padded.reborrow());
        });
        let (rows, width) = (owned.clone(), output.width);
        weight_gradient::accumulate(
            frame.level,
            padded.as_planes(),
            arriving,
            &of.window,
            groups,
            rows,
            width,
            sums,
        );
    }

    /// The same for the tangents of these gradients: those of the arriving gradient with the input,
    /// and the arriving gradient with the tangent of the input.
    #[allow(clippy::too_many_arguments)]
    fn accumulate_tangent(
        &self,
        tangents: &Tangents<'_, E>,
        block: usize,
        owned: &Range<usize>,
        (arriving, change): (Planes<'_, Lane<E>>, Planes<'_, Lane<E>>),
        found: &mut Found<E>,
        scratch: &mut Vec<Lane<E>>,
        other: &mut Vec<Lane<E>>,
    ) {
        let (frame, of) = (self.frame, self.of);
        let Dimensions { input, output, groups, .. } = self.dimensions;
        if owned.is_empty() || self.wanted.is_none() {
            return;
        }
        if !found.bias_tangent.is_empty() {
            sums::sum(frame.level, change, owned.clone(), output.width, &mut found.bias_tangent);
        }
        let (mut value, rows) = padded(scratch, of, input, output, owned);
        load_padded(&rows, input, |rows| {
            frame.load(of.source, block, rows, Into::Overwrite, value.reborrow());
        });
        let (mut tangent, rows) = padded(other, of, input, output, owned);
        load_padded(&rows, input, |rows| {
            frame.load_tangent(tangents, of.source, block, rows, &mut tangent);
        });
        for (input, gradient) in [(value.as_planes(), change), (tangent.as_planes(), arriving)] {
            let sums = Sums::Total(&mut found.weight_tangent);
            let (rows, width) = (owned.clone(), output.width);
            weight_gradient::accumulate(frame.level, input, gradient, &of.window, groups, rows, width, sums);
        }
    }
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

/// Room for what output rows `band` read, zero around the image; the numbers within are still to be
/// loaded.
fn padded<'s, E: Element>(
    scratch: &'s mut Vec<Lane<E>>,
    of: &Convolution,
    input: Shape,
    output: Shape,
    band: &Range<usize>,
) -> (PlanesMut<'s, Lane<E>>, Range<isize>) {
    let rows = of.window.reach(0, band);
    let columns = span(&(0..input.width as isize), &of.window.reach(1, &(0..output.width)));
    let mut padded = room(scratch, image(input.channels, &rows, &columns));
    padded.fill_halo(input.height, input.width, Lane::ZERO);
    (padded, rows)
}

/// Loads those of the rows that are within the image.
fn load_padded(rows: &Range<isize>, input: Shape, load: impl FnOnce(Range<usize>)) {
    let rows = clip(rows, input.height);
    if !rows.is_empty() {
        load(rows);
    }
}

fn image(channels: usize, rows: &Range<isize>, columns: &Range<isize>) -> Layout {
    Layout {
        channels,
        first_row: rows.start,
        rows: rows.len(),
        first_column: columns.start,
        columns: columns.len(),
    }
}

fn clip(rows: &Range<isize>, height: usize) -> Range<usize> {
    let end = rows.end.clamp(0, height as isize) as usize;
    (rows.start.max(0) as usize).min(end)..end
}

/// The smallest range that includes both.
fn span(a: &Range<isize>, b: &Range<isize>) -> Range<isize> {
    match (a.is_empty(), b.is_empty()) {
        (true, _) => b.clone(),
        (_, true) => a.clone(),
        _ => a.start.min(b.start)..a.end.max(b.end),
    }
}

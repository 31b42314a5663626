//! Gradients of a convolution's weights and of its input, and their tangents.

use std::ops::Range;

use swapnas_lanes::kernels::chain::Argument;
use swapnas_lanes::kernels::combination::{self, Term};
use swapnas_lanes::kernels::rows::WriteMode;
use swapnas_lanes::kernels::sums;
use swapnas_lanes::kernels::weight_gradient::{self, WeightSums};
use swapnas_lanes::kernels::window::Window;
use swapnas_lanes::kernels::winograd_gradient;
use swapnas_lanes::{Element, Lane, Level, Planes, PlanesMut};

use super::transposed::{Transposed, Turned};
use super::{Dimensions, clip, divide, image, load_padded, padded, span};
use crate::grad::Elements;
use crate::grad::flow::Upstream;
use crate::grad::frame::{Frame, Tangents};
use crate::grad::jobs::{self, Scratch, room};
use crate::grad::plan::Convolution;
use crate::{Shape, division};

/// Lanes of gradients and input that a band goes over.
const BAND_LANES: usize = 12288;

/// What is sought of weights and biases: gradients, or, where weights move, their tangents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::grad) enum Sought {
    /// Of all weights over the batch.
    Batch,
    /// Of all weights for each sample.
    Samples,
    /// Of the first weight for each sample.
    First,
    /// The sum of all weights, without biases, times the tangents of their gradients.
    Form,
}

impl Sought {
    /// What gives the gradients of some elements, over the batch or for each sample.
    pub(in crate::grad) fn of(elements: Elements, by_sample: bool) -> Option<Sought> {
        match (elements, by_sample) {
            (Elements::None, _) => None,
            (Elements::First, _) => Some(Sought::First),
            (Elements::All, true) => Some(Sought::Samples),
            (Elements::All, false) => Some(Sought::Batch),
        }
    }
}

/// What comes of a backward pass of a convolution besides the gradient of its input: the gradients of
/// its parameters, or, where weights move, the tangents of these gradients.
pub(in crate::grad) struct Found<E> {
    /// Over the batch, if not for each sample.
    pub weight: Vec<E>,
    /// For each sample, `[block][element]`.
    pub weight_by_sample: Vec<Lane<E>>,
    /// `[block][channel]`, with the first channel alone if only the first element is sought.
    pub bias: Vec<Lane<E>>,
    /// The sum of weights times the tangents of their gradients.
    pub form: f64,
}

impl<E: Element> Found<E> {
    fn zeros(frame: &Frame<'_, E>, of: &Convolution, sought: Option<Sought>, blocks: usize) -> Self {
        let len = frame.weights.get(of.weight).len();
        let (weight, by_sample) = match sought {
            None | Some(Sought::Form) => (0, 0),
            Some(Sought::Batch) => (len, 0),
            Some(Sought::Samples) => (0, len),
            Some(Sought::First) => (0, len.min(1)),
        };
        let channels = match sought.filter(|_| of.bias.is_some()) {
            None | Some(Sought::Form) => 0,
            Some(Sought::Batch | Sought::Samples) => frame.shape(of.out).channels,
            Some(Sought::First) => 1,
        };
        Found {
            weight: vec![E::ZERO; weight],
            weight_by_sample: vec![Lane::ZERO; blocks * by_sample],
            bias: vec![Lane::ZERO; blocks * channels],
            form: 0.0,
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
        self.form += band.form;
    }
}

/// Where the gradient of the input goes, and its tangent.
pub(in crate::grad) struct Destination<'a, E> {
    pub gradient: &'a mut [Lane<E>],
    pub tangent: Option<&'a mut [Lane<E>]>,
    pub into: WriteMode,
}

/// Takes the gradient of the result back to the input and to the weights.
///
/// Bands are of input rows: each band computes the gradient of its rows, and of the weights what comes
/// from the output rows that are its own.
pub(in crate::grad) fn backward<E: Element>(
    frame: &Frame<'_, E>,
    of: &Convolution,
    upstream: &Upstream<'_, E>,
    sought: Option<Sought>,
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
        sought,
        transposed: destination.as_ref().map(|_| Transposed::new(frame, of, &dimensions)),
        into: destination.as_ref().map_or(WriteMode::Overwrite, |destination| destination.into),
    };
    let per_row = (input.channels + output.channels.div_ceil(of.window.stride[0])) * input.width;
    // Gradients of 3x3 convolutions may be taken back two rows at a time.
    let bands = division::bands(input.height, 2, per_row, BAND_LANES);
    let layout = frame.plan.layout(of.source.slot);
    let count = frame.blocks() * bands.len();
    let (gradients, tangents) = match destination {
        Some(Destination { gradient, tangent, .. }) => {
            (some(divide(gradient, layout, &bands)), tangent.map(|lanes| some(divide(lanes, layout, &bands))))
        }
        None => (none(count), None),
    };
    let tangents = tangents.unwrap_or_else(|| none(count));
    let jobs: Vec<_> = gradients.into_iter().zip(tangents).enumerate().collect();
    let mut found = Found::zeros(frame, of, sought, frame.blocks());
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

struct Backward<'a, E: Element> {
    frame: &'a Frame<'a, E>,
    of: &'a Convolution,
    dimensions: Dimensions,
    upstream: &'a Upstream<'a, E>,
    sought: Option<Sought>,
    transposed: Option<Transposed<E>>,
    into: WriteMode,
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
        let mut found = Found::zeros(frame, of, self.sought, 1);
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
        self.upstream.load(
            frame,
            block,
            clip(&rows, output.height),
            WriteMode::Overwrite,
            arriving.reborrow(),
        );
        let arriving = arriving.as_planes();
        if frame.tangents.is_none() {
            self.accumulate(block, &owned, arriving, &mut found, b, d);
        }
        let mut arriving_tangent = None;
        if let Some(tangents) = &frame.tangents {
            let mut change = room(c, layout);
            change.fill_halo(output.height, output.width, Lane::ZERO);
            self.upstream.load_tangent(
                frame,
                tangents,
                block,
                clip(&rows, output.height),
                WriteMode::Overwrite,
                change.reborrow(),
            );
            let change = Planes::new(c, layout);
            if self.sought == Some(Sought::Form) {
                found.form += self.output_form(block, owned, change);
            } else {
                let rooms = [&mut *b, &mut *d, &mut *e];
                self.accumulate_tangent(tangents, block, &owned, (arriving, change), &mut found, rooms);
            }
            arriving_tangent = Some(change);
        }
        let (Some(transposed), Some(gradient)) = (&self.transposed, gradient) else { return found };
        let taken =
            image(input.channels, &(band.start as isize..band.end as isize), &(0..input.width as isize));
        let mut back = room(b, taken);
        transposed.take_back(frame.level, Turned::weights, arriving, band, back.reborrow(), d);
        frame.push(of.source, block, band.clone(), back.as_planes(), self.into, gradient);
        if let (Some(Sought::Form), Some(tangents)) = (self.sought, &frame.tangents) {
            let mut change = room(e, taken);
            frame.load_tangent(tangents, of.source, block, band.clone(), &mut change);
            let change = Argument { planes: change.as_planes(), scaling: None };
            let (_, products) = products(frame.level, back.as_planes(), &change, band.clone());
            found.form += products.iter().map(over_samples).sum::<f64>();
        }
        if let (Some(tangents), Some(tangent), Some(change)) = (&frame.tangents, tangent, arriving_tangent) {
            let mut back_tangent = room(e, taken);
            transposed.take_back(frame.level, Turned::weights, change, band, back_tangent.reborrow(), d);
            let mut other = room(f, taken);
            transposed.take_back(frame.level, Turned::change, arriving, band, other.reborrow(), d);
            let (rows, width) = (band.clone(), input.width);
            let other = [Term::plain(other.as_planes())];
            combination::combine(
                frame.level,
                &other,
                None,
                rows,
                width,
                WriteMode::Sum,
                back_tangent.reborrow(),
            );
            let pushed = (back.as_planes(), back_tangent.as_planes());
            frame.push_tangent(tangents, of.source, block, band.clone(), pushed, self.into, tangent, d);
        }
        found
    }

    /// What a layer returns, without its bias, times the tangent of its gradient.
    fn output_form(&self, block: usize, owned: Range<usize>, change: Planes<'_, Lane<E>>) -> f64 {
        let (frame, of) = (self.frame, self.of);
        let output = Argument { planes: frame.planes(of.out, block), scaling: None };
        let (sums, products) = products(frame.level, change, &output, owned);
        let mut form: f64 = products.iter().map(over_samples).sum();
        if let Some(bias) = of.bias {
            let biases = frame.weights.get(bias);
            form -= sums.iter().zip(biases).map(|(sum, bias)| over_samples(sum) * bias.to_f64()).sum::<f64>();
        }
        form
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
        between: &mut Vec<Lane<E>>,
    ) {
        let (frame, of) = (self.frame, self.of);
        let Dimensions { input, output, groups, .. } = self.dimensions;
        if owned.is_empty() {
            return;
        }
        if !found.bias.is_empty() {
            let arriving = arriving.channels(0..found.bias.len());
            sums::sum(frame.level, arriving, owned.clone(), output.width, &mut found.bias);
        }
        let sums = match self.sought {
            None | Some(Sought::Form) => return,
            Some(Sought::Batch) => WeightSums::Total(&mut found.weight),
            Some(Sought::Samples | Sought::First) => WeightSums::Samples(&mut found.weight_by_sample),
        };
        // The first weight is the first tap from the first channel to the first one.
        let first = self.sought == Some(Sought::First);
        let (input, window, groups, arriving) = if first {
            let window = Window { kernel: [1, 1], ..of.window };
            (Shape { channels: 1, ..input }, window, 1, arriving.channels(0..1))
        } else {
            (input, of.window, groups, arriving)
        };
        let (mut padded, rows) = padded(scratch, &window, input, output, owned);
        load_padded(&rows, input, |rows| {
            frame.load(of.source, block, rows, WriteMode::Overwrite, padded.reborrow());
        });
        let (padded, rows, width) = (padded.as_planes(), owned.clone(), output.width);
        add_products(frame.level, (padded, arriving), &window, groups, rows, width, between, sums);
    }

    /// Adds the tangents of the same: of the arriving gradient with the input, and the arriving gradient
    /// with that of the input.
    #[allow(clippy::too_many_arguments)]
    fn accumulate_tangent(
        &self,
        tangents: &Tangents<'_, E>,
        block: usize,
        owned: &Range<usize>,
        (arriving, change): (Planes<'_, Lane<E>>, Planes<'_, Lane<E>>),
        found: &mut Found<E>,
        [scratch, other, between]: [&mut Vec<Lane<E>>; 3],
    ) {
        let (frame, of) = (self.frame, self.of);
        let Dimensions { input, output, groups, .. } = self.dimensions;
        if owned.is_empty() || self.sought.is_none() {
            return;
        }
        if !found.bias.is_empty() {
            sums::sum(frame.level, change, owned.clone(), output.width, &mut found.bias);
        }
        let (mut value, rows) = padded(scratch, &of.window, input, output, owned);
        load_padded(&rows, input, |rows| {
            frame.load(of.source, block, rows, WriteMode::Overwrite, value.reborrow());
        });
        let (mut tangent, rows) = padded(other, &of.window, input, output, owned);
        load_padded(&rows, input, |rows| {
            frame.load_tangent(tangents, of.source, block, rows, &mut tangent);
        });
        for pair in [(value.as_planes(), change), (tangent.as_planes(), arriving)] {
            let sums = WeightSums::Total(&mut found.weight);
            let (rows, width) = (owned.clone(), output.width);
            add_products(frame.level, pair, &of.window, groups, rows, width, between, sums);
        }
    }
}

/// Adds the gradients of weights: sums over pixels of inputs times gradients of outputs.
#[allow(clippy::too_many_arguments)]
fn add_products<E: Element>(
    level: Level,
    (input, gradient): (Planes<'_, Lane<E>>, Planes<'_, Lane<E>>),
    window: &Window,
    groups: usize,
    rows: Range<usize>,
    width: usize,
    between: &mut Vec<Lane<E>>,
    sums: WeightSums<'_, E>,
) {
    let channels = [input.layout().channels, gradient.layout().channels];
    match sums {
        WeightSums::Total(sums)
            if groups == 1 && winograd_gradient::takes(window, channels, [rows.len(), width]) =>
        {
            winograd_gradient::accumulate(level, input, gradient, window, rows, width, between, sums);
        }
        sums => weight_gradient::accumulate(level, input, gradient, window, groups, rows, width, sums),
    }
}

/// Sums of rows of each channel, and of their products with something else.
fn products<E: Element>(
    level: Level,
    x: Planes<'_, Lane<E>>,
    by: &Argument<'_, E>,
    rows: Range<usize>,
) -> (Vec<Lane<E>>, Vec<Lane<E>>) {
    let mut sums = vec![Lane::ZERO; x.layout().channels];
    let mut products = sums.clone();
    let width = by.planes.layout().columns;
    sums::sums_and_products(level, x, by, rows, width, &mut sums, &mut products);
    (sums, products)
}

fn over_samples<E: Element>(lane: &Lane<E>) -> f64 {
    lane.0.iter().map(|x| x.to_f64()).sum()
}

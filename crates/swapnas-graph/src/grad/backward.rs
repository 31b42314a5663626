//! The way back: which steps take gradients further, in which order, and what is kept of them.

use std::mem::take;
use std::sync::Arc;

use swapnas_lanes::kernels::rows::Into;
use swapnas_lanes::kernels::sums;
use swapnas_lanes::kernels::weight_gradient::total;
use swapnas_lanes::{Element, Lane, Planes, PlanesMut, SAMPLES};

use super::conv::{self, Destination, Found, PerSample};
use super::flow::{Arrived, Flow, Flows, Memory, Open, Upstream};
use super::frame::{Frame, Tangents};
use super::jobs::{self, Scratch};
use super::local::{self, Read};
use super::loss::{Loss, Start};
use super::norm::NormGradient;
use super::tape::{Convolution, Norm, Step, Tape, View, Work};
use super::{GradError, ParamSet, Pass};
use crate::{ParamId, Shape, ValueId};

/// What is to be computed on the way back.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The gradients of all parameters.
    pub params: bool,
    /// Values whose gradients are wanted.
    pub values: Vec<ValueId>,
    /// Values whose products with their gradients are wanted.
    pub products: Vec<ValueId>,
}

impl Wanted {
    /// The gradients of all parameters and nothing else.
    pub fn params() -> Self {
        Wanted { params: true, ..Wanted::default() }
    }

    /// The gradient of one value and nothing else.
    pub fn value(value: ValueId) -> Self {
        Wanted { values: vec![value], ..Wanted::default() }
    }
}

/// What a backward pass has found.
#[derive(Clone, Debug)]
pub struct Gradients<E = f32> {
    /// The loss.
    pub loss: f64,
    /// Of every parameter, over the batch; zeros where the loss does not depend on it, or if they were
    /// not wanted.
    pub params: ParamSet<E>,
    /// Of the wanted values, in their order, `[sample][channel][row][column]`; zeros where the loss does
    /// not depend on them.
    pub values: Vec<Vec<f64>>,
    /// Of the wanted products, in their order: for each sample and channel the sum over the pixels of
    /// the value times its gradient.
    pub products: Vec<Vec<f64>>,
}

/// What each sample adds to the gradient of a parameter.
///
/// The sum over the samples is the gradient over the batch. With statistics over the batch, samples
/// depend on each other, and this is what flows through the numbers of a sample, not the gradient of
/// its own loss; with statistics over each sample, or none, it is both.
#[derive(Clone, Copy, Debug)]
pub struct SampleGradients<'a, E = f32> {
    lanes: &'a [Lane<E>],
    elements: usize,
    samples: usize,
}

impl<'a, E: Element> SampleGradients<'a, E> {
    /// Number of elements of the parameter.
    pub fn elements(&self) -> usize {
        self.elements
    }

    /// Number of samples.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Blocks of 16 samples, one lane for each element; samples beyond the batch are zero.
    pub fn blocks(&self) -> impl ExactSizeIterator<Item = &'a [Lane<E>]> + use<'a, E> {
        self.lanes.chunks_exact(self.elements.max(1))
    }

    /// The gradient of one element for one sample.
    ///
    /// # Panics
    /// If there is no such sample or element.
    pub fn get(&self, sample: usize, element: usize) -> E {
        assert!(sample < self.samples && element < self.elements, "sample {sample}, element {element}");
        self.lanes[sample / SAMPLES * self.elements + element].0[sample % SAMPLES]
    }
}

/// Somebody who takes the gradients of each sample.
type Visit<'v, E> = &'v mut dyn FnMut(ParamId, SampleGradients<'_, E>);

impl<E: Element> Pass<'_, E> {
    /// Takes the gradient of a loss.
    ///
    /// # Errors
    /// If labels or numbers do not fit the batch, or the tape does not keep a value that is asked for.
    pub fn backward(&mut self, loss: Loss<'_>, wanted: &Wanted) -> Result<Gradients<E>, GradError> {
        Ok(self.run_back(loss, wanted, None, None)?.0)
    }

    /// Takes the gradient of a loss and hands what every sample adds to it to `visit`, one parameter
    /// after the other, as soon as they are there.
    ///
    /// # Errors
    /// As [`backward`](Self::backward).
    pub fn backward_by_sample(
        &mut self,
        loss: Loss<'_>,
        wanted: &Wanted,
        mut visit: impl FnMut(ParamId, SampleGradients<'_, E>),
    ) -> Result<Gradients<E>, GradError> {
        Ok(self.run_back(loss, wanted, Some(&mut visit), None)?.0)
    }

    /// The Hessian of a loss with respect to all parameters, times a direction: how the gradient
    /// changes when the weights move along it. ReLUs are straight lines but for their kink, so their
    /// second derivative is 0.
    ///
    /// # Errors
    /// As [`backward`](Self::backward).
    ///
    /// # Panics
    /// If the direction is that of another graph.
    pub fn hessian_product(
        &mut self,
        loss: Loss<'_>,
        direction: &ParamSet<E>,
    ) -> Result<ParamSet<E>, GradError> {
        let (values, norms) = self.tangents(direction);
        let tangents = Tangents { direction, values: &values, norms: &norms };
        let result = self.run_back(loss, &Wanted::params(), None, Some(tangents));
        for lanes in values {
            self.engine.memory.give(lanes);
        }
        Ok(result?.1)
    }

    /// The node at which the gradient of a value arrives; none if the loss cannot depend on it, since
    /// the tape does not compute it.
    fn kept(&self, value: ValueId) -> Result<Option<usize>, GradError> {
        match self.tape.view(value) {
            None => Ok(None),
            Some(View { activation: Some(_), .. }) => Err(GradError::NotKept { value }),
            Some(view) => Ok(Some(self.tape.node_of(view))),
        }
    }

    /// The gradients, and their tangents along the direction if there is one.
    fn run_back(
        &mut self,
        loss: Loss<'_>,
        wanted: &Wanted,
        visit: Option<Visit<'_, E>>,
        tangents: Option<Tangents<'_, E>>,
    ) -> Result<(Gradients<E>, ParamSet<E>), GradError> {
        let tape = self.tape;
        let value = loss.value(tape.graph().outputs())?;
        let view = tape.view(value).ok_or(GradError::NotKept { value })?;
        let shape = tape.graph().shape(value);
        let numbers = self.view_numbers(&self.frame(None), view);
        let Start { loss: at, gradient } = loss.start(&numbers, shape)?;
        let mut start = vec![self.spread(view.slot, &gradient)];
        if let Some(tangents) = tangents {
            let frame = self.frame(Some(tangents));
            let change = self.numbers(view.slot, |block, mut out| {
                frame.load_tangent(&tangents, view, block, 0..shape.height, &mut out);
            });
            start.push(self.spread(view.slot, &loss.tangent(&numbers, &change, shape)));
        }
        let kept = |values: &[ValueId]| -> Result<Vec<Option<usize>>, GradError> {
            values.iter().map(|value| self.kept(*value)).collect()
        };
        let (values, products) = (kept(&wanted.values)?, kept(&wanted.products)?);

        let memory = take(&mut self.engine.memory);
        let scratch = take(&mut self.engine.scratch);
        let samples = self.batch.samples();
        let zeros = |values: &[ValueId], size: fn(Shape) -> usize| -> Vec<Vec<f64>> {
            values.iter().map(|value| vec![0.0; samples * size(tape.graph().shape(*value))]).collect()
        };
        let found = Gradients {
            loss: at,
            params: ParamSet::zeros(tape.graph()),
            values: zeros(&wanted.values, Shape::elements),
            products: zeros(&wanted.products, |shape| shape.channels),
        };
        let useful = useful(tape, wanted.params, values.iter().chain(&products).flatten());
        let readers = readers(tape, tape.node_of(view), &useful);
        let mut way = Way {
            pass: self,
            frame: self.frame(tangents),
            flows: Flows::new(readers, tangents.is_some()),
            useful,
            params: wanted.params,
            values: &values,
            products: &products,
            found,
            tangent: ParamSet::zeros(tape.graph()),
            visit,
            memory,
            scratch,
        };
        way.begin(view, start);
        for step in tape.steps.iter().rev() {
            way.step(step);
        }
        way.end();
        let Way { found, tangent, memory, scratch, .. } = way;
        (self.engine.memory, self.engine.scratch) = (memory, scratch);
        Ok((found, tangent))
    }
}

/// The nodes whose gradients lead to something that is wanted.
fn useful<'a>(tape: &Tape, params: bool, wanted: impl Iterator<Item = &'a usize>) -> Vec<bool> {
    let mut useful = vec![false; tape.nodes()];
    for node in wanted {
        useful[*node] = true;
    }
    for step in &tape.steps {
        let leads = step.sources(tape).any(|source| useful[tape.node_of(source)]);
        useful[step.node(tape)] |= leads || (params && step.has_params(tape));
    }
    useful
}

/// How many gradients arrive at each useful node, if they start at `start`.
fn readers(tape: &Tape, start: usize, useful: &[bool]) -> Vec<usize> {
    let mut readers = vec![0; tape.nodes()];
    readers[start] = 1;
    for step in tape.steps.iter().rev() {
        if readers[step.node(tape)] > 0 {
            for node in step.sources(tape).map(|source| tape.node_of(source)) {
                readers[node] += usize::from(useful[node]);
            }
        }
    }
    readers
}

/// A backward pass under way.
struct Way<'p, 'v, E: Element> {
    pass: &'p Pass<'p, E>,
    frame: Frame<'p, E>,
    flows: Flows<E>,
    useful: Vec<bool>,
    params: bool,
    /// Nodes whose gradients are wanted, and those whose products are.
    values: &'p [Option<usize>],
    products: &'p [Option<usize>],
    found: Gradients<E>,
    /// Of the gradients of the parameters.
    tangent: ParamSet<E>,
    visit: Option<Visit<'v, E>>,
    memory: Memory<E>,
    scratch: Scratch<E>,
}

impl<'p, E: Element> Way<'p, '_, E> {
    fn tape(&self) -> &'p Tape {
        self.frame.tape
    }

    /// Takes the gradient of the loss, `[gradient, tangent]`, to the node of the loss's value.
    fn begin(&mut self, view: View, start: Vec<Vec<Lane<E>>>) {
        let mut start = start.into_iter().map(Arc::new);
        let gradient = start.next().expect("a loss has a gradient");
        let arrived = Arrived { flow: Flow { gradient, tangent: start.next() }, through: None };
        let upstream = Upstream { slot: view.slot, arrived: &arrived };
        self.push(Work::Combine, &[view], 0, view.slot, &upstream);
        self.recycle(arrived);
    }

    /// Takes what has arrived at a step's node back to the step's sources and parameters.
    fn step(&mut self, step: &Step) {
        let tape = self.tape();
        let node = step.node(tape);
        let Some(arrived) = self.flows.take(node) else { return };
        if self.useful[node] {
            let upstream = Upstream { slot: tape.slot_of(node), arrived: &arrived };
            self.keep(node, &upstream);
            match step {
                Step::Normalise(norm) => self.normalise(*norm, &arrived),
                Step::Convolve(convolution) => self.convolve(convolution, &upstream),
                Step::Compute { work, sources, out } => {
                    for which in 0..sources.len() {
                        self.push(*work, sources, which, *out, &upstream);
                    }
                }
            }
        }
        self.recycle(arrived);
    }

    fn end(&mut self) {
        if let Some(arrived) = self.flows.take(0) {
            self.keep(0, &Upstream { slot: 0, arrived: &arrived });
            self.recycle(arrived);
        }
    }

    fn recycle(&mut self, arrived: Arrived<E>) {
        self.memory.give_shared(arrived.flow.gradient);
        if let Some(tangent) = arrived.flow.tangent {
            self.memory.give_shared(tangent);
        }
    }

    /// Keeps what is wanted of a node's gradient, now that all of it has arrived.
    fn keep(&mut self, node: usize, upstream: &Upstream<'_, E>) {
        let (frame, slot) = (self.frame, upstream.slot);
        let shape = frame.shape(slot);
        let load = |block, out: PlanesMut<'_, Lane<E>>| {
            upstream.load(&frame, block, 0..shape.height, Into::Overwrite, out);
        };
        for (index, _) in self.values.iter().enumerate().filter(|(_, value)| **value == Some(node)) {
            self.found.values[index] = self.pass.numbers(slot, load);
        }
        for (index, _) in self.products.iter().enumerate().filter(|(_, value)| **value == Some(node)) {
            let view = View { norm: self.tape().norm_of(node), ..View::plain(slot) };
            let mut numbers = Vec::with_capacity(frame.batch.samples() * shape.channels);
            for block in 0..frame.blocks() {
                let mut gradient = jobs::room(&mut self.scratch.a, frame.tape.layout(slot));
                load(block, gradient.reborrow());
                let mut sums = vec![Lane::ZERO; shape.channels];
                let mut products = sums.clone();
                let (gradient, by) = (gradient.as_planes(), frame.argument(view, block));
                let (rows, width) = (0..shape.height, shape.width);
                sums::sums_and_products(frame.level, gradient, &by, rows, width, &mut sums, &mut products);
                for sample in 0..frame.batch.samples_in(block) {
                    numbers.extend(products.iter().map(|lane| lane.0[sample].to_f64()));
                }
            }
            self.found.products[index] = numbers;
        }
    }

    fn normalise(&mut self, norm: usize, arrived: &Arrived<E>) {
        let (tape, frame) = (self.tape(), self.frame);
        let Norm { slot, params } = tape.norms[norm];
        let Flow { gradient, tangent } = &arrived.flow;
        let change = tangent.as_ref().map(|tangent| tangent.as_slice());
        let back = NormGradient::new(&frame, norm, gradient, change, &mut self.scratch);
        if let Some((weight, bias)) = params.filter(|_| self.params) {
            self.found_param(weight, &back.weight);
            self.found_param(bias, &back.bias);
            if let Some(tangent) = &back.tangent {
                for (id, numbers) in [(weight, &tangent.weight), (bias, &tangent.bias)] {
                    for (to, from) in self.tangent.get_mut(id).iter_mut().zip(numbers) {
                        *to = E::from_f64(*from);
                    }
                }
            }
        }
        if !self.useful[slot] {
            return;
        }
        let through = Arrived { flow: arrived.flow.clone(), through: Some(Arc::new(back)) };
        if self.flows.has_one_reader(slot) && (slot == 0 || tape.is_convolved(slot)) {
            self.flows.set(slot, through);
            return;
        }
        let upstream = Upstream { slot, arrived: &through };
        self.push(Work::Combine, &[View::plain(slot)], 0, slot, &upstream);
    }

    fn convolve(&mut self, convolution: &Convolution, upstream: &Upstream<'_, E>) {
        let (tape, frame) = (self.tape(), self.frame);
        let params = match (&self.visit, self.params) {
            (_, false) => None,
            (Some(_), true) => Some(PerSample::Yes),
            (None, true) => Some(PerSample::No),
        };
        let node = tape.node_of(convolution.source);
        let mut open = self.useful[node].then(|| self.open(node));
        let destination = open.as_mut().map(|open| Destination {
            gradient: &mut open.gradient,
            tangent: open.tangent.as_deref_mut(),
            into: open.into,
        });
        let found = conv::backward(&frame, convolution, upstream, params, destination, &mut self.scratch);
        if let Some(open) = open {
            self.flows.close(node, open);
        }
        let Some(per_sample) = params else { return };
        let Found { weight, weight_by_sample, bias, weight_tangent, bias_tangent } = found;
        match per_sample {
            PerSample::Yes => self.found_param(convolution.weight, &weight_by_sample),
            PerSample::No => self.found.params.get_mut(convolution.weight).copy_from_slice(&weight),
        }
        if let Some(id) = convolution.bias {
            self.found_param(id, &bias);
        }
        if frame.tangents.is_some() {
            self.tangent.get_mut(convolution.weight).copy_from_slice(&weight_tangent);
            if let Some(id) = convolution.bias {
                sum_samples(&bias_tangent, self.tangent.get_mut(id));
            }
        }
    }

    /// The gradient of a parameter sample by sample, `[block][element]`.
    fn found_param(&mut self, id: ParamId, lanes: &[Lane<E>]) {
        let numbers = self.found.params.get_mut(id);
        sum_samples(lanes, numbers);
        let elements = numbers.len();
        if let Some(visit) = &mut self.visit {
            visit(id, SampleGradients { lanes, elements, samples: self.frame.batch.samples() });
        }
    }

    fn open(&mut self, node: usize) -> Open<E> {
        let len = self.tape().layout(self.tape().slot_of(node)).lanes() * self.frame.blocks();
        self.flows.open(node, len, &mut self.memory)
    }

    /// Takes the gradient of what `work` has made of its sources back to one of them.
    fn push(&mut self, work: Work, sources: &[View], which: usize, out: usize, upstream: &Upstream<'_, E>) {
        let (tape, frame) = (self.tape(), self.frame);
        let view = sources[which];
        let node = tape.node_of(view);
        if !self.useful[node] {
            return;
        }
        let passes = matches!(work, Work::Combine) && view.activation.is_none();
        let stored = upstream.arrived.through.is_none();
        if passes && stored && self.flows.has_one_reader(node) {
            self.flows.set(node, Arrived { flow: upstream.arrived.flow.clone(), through: None });
            return;
        }
        let mut open = self.open(node);
        let layout = tape.layout(view.slot);
        let into = open.into;
        let gradients = open.gradient.chunks_exact_mut(layout.lanes());
        let tangents: Vec<Option<&mut [Lane<E>]>> = match &mut open.tangent {
            Some(lanes) => lanes.chunks_exact_mut(layout.lanes()).map(Some).collect(),
            None => (0..frame.blocks()).map(|_| None).collect(),
        };
        let jobs: Vec<_> = gradients.zip(tangents).enumerate().collect();
        let job = |(block, (gradient, tangent)): (usize, (&mut [Lane<E>], _)), scratch: &mut Scratch<E>| {
            let of = Local { frame, work, sources, which, out, upstream };
            of.push(block, into, PlanesMut::new(gradient, layout), tangent, scratch);
        };
        jobs::run(frame.parallel, jobs, &mut self.scratch, job, |_, ()| {});
        self.flows.close(node, open);
    }
}

/// A source of a step whose gradient is wanted.
struct Local<'a, 'u, E: Element> {
    frame: Frame<'a, E>,
    work: Work,
    sources: &'a [View],
    which: usize,
    out: usize,
    upstream: &'a Upstream<'u, E>,
}

impl<E: Element> Local<'_, '_, E> {
    fn push(
        &self,
        block: usize,
        into: Into,
        out: PlanesMut<'_, Lane<E>>,
        tangent: Option<&mut [Lane<E>]>,
        scratch: &mut Scratch<E>,
    ) {
        let Local { frame, upstream, .. } = self;
        let (view, slot) = (self.sources[self.which], upstream.slot);
        let (rows, layout) = (0..out.layout().rows, *out.layout());
        let Scratch { a, b, c, d, e, f } = scratch;
        let height = frame.shape(slot).height;
        let arriving = upstream.stored(frame, block).unwrap_or_else(|| {
            let room = jobs::room(a, frame.tape.layout(slot));
            upstream.load(frame, block, 0..height, Into::Overwrite, room);
            Planes::new(a, frame.tape.layout(slot))
        });
        let back = self.back(block, arriving, Read::Values, (b, c));
        frame.push(view, block, rows.clone(), back, into, out);
        let (Some(lanes), Some(tangents)) = (tangent, frame.tangents) else { return };
        let change = upstream.stored_tangent(frame, block).unwrap_or_else(|| {
            let room = jobs::room(d, frame.tape.layout(slot));
            upstream.load_tangent(frame, &tangents, block, 0..height, Into::Overwrite, room);
            Planes::new(d, frame.tape.layout(slot))
        });
        let change = self.back(block, change, Read::Values, (e, c));
        let pushed = (back, change);
        let mut out = PlanesMut::new(lanes, layout);
        frame.push_tangent(&tangents, view, block, rows.clone(), pushed, into, out.reborrow(), f);
        if matches!(self.work, Work::Multiply) {
            // The other factor moves as well.
            let change = self.back(block, arriving, Read::Tangents(tangents), (f, c));
            frame.push(view, block, rows, change, Into::Sum, out);
        }
    }

    fn back<'s>(
        &self,
        block: usize,
        arriving: Planes<'s, Lane<E>>,
        with: Read<'_, E>,
        scratch: (&'s mut Vec<Lane<E>>, &mut Vec<Lane<E>>),
    ) -> Planes<'s, Lane<E>> {
        let Local { frame, work, sources, which, out, .. } = self;
        local::backward(frame, *work, sources, *which, *out, block, arriving, with, scratch)
    }
}

/// Sums lanes `[block][element]` over the samples.
fn sum_samples<E: Element>(lanes: &[Lane<E>], numbers: &mut [E]) {
    numbers.fill(E::ZERO);
    for block in lanes.chunks_exact(numbers.len().max(1)) {
        for (number, lane) in numbers.iter_mut().zip(block) {
            *number = *number + total(lane);
        }
    }
}

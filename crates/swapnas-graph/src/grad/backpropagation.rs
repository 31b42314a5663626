//! The way back: which steps take gradients further, in which order, and what is kept of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use swapnas_lanes::kernels::rows::WriteMode;
use swapnas_lanes::kernels::sums;
use swapnas_lanes::{Element, Lane, Planes, PlanesMut};

use super::conv::{self, Destination, Found, Sought};
use super::flow::{Arrived, Flow, Flows, Memory, Open, Upstream};
use super::frame::Frame;
use super::jobs::{self, Scratch};
use super::local::{self, Read, Which};
use super::norm::NormGradient;
use super::plan::{Convolution, GradientPlan, Norm, Step, View};
use super::tensor::Operation;
use super::{Gradients, Pass, SampleGradients, Visit};
use crate::op::Work;
use crate::tensor::{Embedding, TensorOp};
use crate::{ParamId, RunError};

/// For each node, which of some wanted gradients arrive there.
pub(super) type Arriving = HashMap<usize, Vec<usize>>;

/// The nodes whose gradients lead to something that is wanted.
pub(super) fn useful<'a>(
    plan: &GradientPlan,
    params: bool,
    wanted: impl Iterator<Item = &'a usize>,
) -> Vec<bool> {
    let mut useful = vec![false; plan.nodes()];
    for node in wanted {
        useful[*node] = true;
    }
    for step in &plan.steps {
        let leads = step.sources(plan).any(|source| useful[plan.node_of(source)]);
        useful[step.node(plan)] |= leads || (params && step.has_params(plan));
    }
    useful
}

/// How many gradients arrive at each useful node, if they start at `start`.
pub(super) fn readers(plan: &GradientPlan, start: usize, useful: &[bool]) -> Vec<usize> {
    let mut readers = vec![0; plan.nodes()];
    readers[start] = 1;
    for step in plan.steps.iter().rev() {
        if readers[step.node(plan)] > 0 {
            for node in step.sources(plan).map(|source| plan.node_of(source)) {
                readers[node] += usize::from(useful[node]);
            }
        }
    }
    readers
}

/// A backward pass under way.
pub(super) struct Backpropagation<'p, 'v, E: Element> {
    pub(super) pass: &'p Pass<'p, E>,
    pub(super) frame: Frame<'p, E>,
    pub(super) flows: Flows<E>,
    pub(super) useful: Vec<bool>,
    /// What is sought of parameters.
    pub(super) sought: Option<Sought>,
    /// Nodes whose gradients are wanted, and those whose products are.
    pub(super) values: &'p Arriving,
    pub(super) products: &'p Arriving,
    pub(super) found: Gradients<E>,
    /// See [`Pass::hessian_form`].
    pub(super) form: f64,
    /// The gradients of parameters that several operations read, as far as they have been found, `[block][element]`.
    pub(super) waiting: BTreeMap<ParamId, Vec<Lane<E>>>,
    pub(super) visit: Option<Visit<'v, E>>,
    pub(super) memory: Memory<E>,
    pub(super) scratch: Scratch<E>,
}

impl<'p, E: Element> Backpropagation<'p, '_, E> {
    fn plan(&self) -> &'p GradientPlan {
        self.frame.plan
    }

    /// Takes the gradient of the loss, `[gradient, tangent]`, to the node of the loss's value.
    pub(super) fn begin(&mut self, view: View, start: Vec<Vec<Lane<E>>>) -> Result<(), RunError> {
        let mut start = start.into_iter().map(Arc::new);
        let gradient = start.next().expect("a loss has a gradient");
        let arrived = Arrived { flow: Flow { gradient, tangent: start.next() }, through: None };
        let upstream = Upstream { slot: view.slot, arrived: &arrived };
        self.push(Work::Combine, &[view], Which::FIRST, view.slot, &upstream)?;
        self.recycle(arrived);
        Ok(())
    }

    /// Takes what has arrived at a step's node back to the step's sources and parameters.
    pub(super) fn step(&mut self, step: &Step) -> Result<(), RunError> {
        let plan = self.plan();
        let node = step.node(plan);
        let Some(arrived) = self.flows.take(node) else { return Ok(()) };
        if self.useful[node] {
            let upstream = Upstream { slot: plan.slot_of(node), arrived: &arrived };
            self.keep(node, &upstream);
            match step {
                Step::Normalise(norm) => self.normalise(*norm, &arrived)?,
                Step::Convolve(convolution) => self.convolve(convolution, &upstream)?,
                Step::Compute { work, sources, out } => {
                    let mut which = Which::FIRST;
                    for source in sources {
                        self.push(*work, sources, which, *out, &upstream)?;
                        which.index += 1;
                        which.channels_before += self.frame.shape(source.slot).channels;
                    }
                    if let Work::Tensor(value) = *work {
                        self.params_of(Operation { value, sources, out: *out }, &upstream);
                    }
                }
            }
        }
        self.recycle(arrived);
        Ok(())
    }

    pub(super) fn end(&mut self) {
        for (id, lanes) in std::mem::take(&mut self.waiting) {
            self.hand_over(id, &lanes);
        }
        if let Some(arrived) = self.flows.take(0) {
            self.keep(0, &Upstream { slot: 0, arrived: &arrived });
            self.recycle(arrived);
        }
    }

    fn seeks_gradients(&self) -> bool {
        !matches!(self.sought, None | Some(Sought::Form))
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
            upstream.load(&frame, block, 0..shape.height, WriteMode::Overwrite, out);
        };
        for &index in self.values.get(&node).into_iter().flatten() {
            self.found.values[index] = self.pass.numbers(slot, load);
        }
        for &index in self.products.get(&node).into_iter().flatten() {
            let view = View { norm: self.plan().norm_of(node), ..View::plain(slot) };
            let mut numbers = Vec::with_capacity(frame.batch.samples() * shape.channels);
            for block in 0..frame.blocks() {
                let mut gradient = jobs::room(&mut self.scratch.a, frame.plan.layout(slot));
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

    fn normalise(&mut self, norm: usize, arrived: &Arrived<E>) -> Result<(), RunError> {
        let (plan, frame) = (self.plan(), self.frame);
        let Norm { slot, params, .. } = plan.norms[norm];
        if frame.norms[norm].changes_nothing() {
            if let Some((weight, bias)) = params.filter(|_| self.seeks_gradients()) {
                let zeros = vec![Lane::ZERO; frame.blocks() * frame.shape(slot).channels];
                self.found_param(weight, &zeros);
                self.found_param(bias, &zeros);
            }
            return self.push(
                Work::Combine,
                &[View::plain(slot)],
                Which::FIRST,
                slot,
                &Upstream { slot, arrived },
            );
        }
        let Flow { gradient, tangent } = &arrived.flow;
        let change = tangent.as_ref().map(|tangent| tangent.as_slice());
        let back = NormGradient::new(&frame, norm, gradient, change, &mut self.scratch);
        if let Some((weight, bias)) = params.filter(|_| self.seeks_gradients()) {
            match &back.tangent {
                None => {
                    self.found_param(weight, &back.weight);
                    self.found_param(bias, &back.bias);
                }
                Some(tangent) => {
                    for (id, numbers) in [(weight, &tangent.weight), (bias, &tangent.bias)] {
                        for (to, from) in self.found.params.get_mut(id).iter_mut().zip(numbers) {
                            *to = *to + E::from_f64(*from);
                        }
                    }
                }
            }
        }
        if !self.useful[slot] {
            return Ok(());
        }
        let through = Arrived { flow: arrived.flow.clone(), through: Some(Arc::new(back)) };
        if self.flows.has_one_reader(slot) && (slot == 0 || plan.is_convolved(slot)) {
            self.flows.set(slot, through);
            return Ok(());
        }
        let upstream = Upstream { slot, arrived: &through };
        self.push(Work::Combine, &[View::plain(slot)], Which::FIRST, slot, &upstream)
    }

    fn convolve(&mut self, convolution: &Convolution, upstream: &Upstream<'_, E>) -> Result<(), RunError> {
        let (plan, frame) = (self.plan(), self.frame);
        let node = plan.node_of(convolution.source);
        let mut open = self.useful[node].then(|| self.open(node)).transpose()?;
        let destination = open.as_mut().map(|open| Destination {
            gradient: &mut open.gradient,
            tangent: open.tangent.as_deref_mut(),
            into: open.into,
        });
        let found =
            conv::backward(&frame, convolution, upstream, self.sought, destination, &mut self.scratch);
        if let Some(open) = open {
            self.flows.close(node, open);
        }
        let Found { weight, weight_by_sample, bias, form } = found;
        match self.sought {
            None => return Ok(()),
            Some(Sought::Form) => {
                self.form += form;
                return Ok(());
            }
            Some(Sought::Samples | Sought::First) => self.found_param(convolution.weight, &weight_by_sample),
            Some(Sought::Batch) => {
                let found = self.found.params.get_mut(convolution.weight);
                found.iter_mut().zip(&weight).for_each(|(to, from)| *to = *to + *from);
            }
        }
        if let Some(id) = convolution.bias {
            self.found_param(id, &bias);
        }
        Ok(())
    }

    /// Finds the gradients of the parameters of an operation, or what the weights of a layer are in the form.
    fn params_of(&mut self, of: Operation<'_>, upstream: &Upstream<'_, E>) {
        let frame = self.frame;
        let op = self.plan().graph().tensor_op(of.value);
        let params = op.params();
        if params == [None; 2] || !(self.seeks_gradients() || op.is_layer() && self.sought.is_some()) {
            return;
        }
        // Of a table of all words, a text reads a few.
        let table = match (op, self.sought) {
            (TensorOp::Embedding(Embedding { table }), Some(Sought::Batch)) => Some(*table),
            _ => None,
        };
        let (layout, height) = (frame.plan.layout(of.out), frame.shape(of.out).height);
        let mut found = params.map(|id| id.map(|id| (id, Vec::new())));
        for block in 0..frame.blocks() {
            let gradient = upstream.stored(&frame, block).unwrap_or_else(|| {
                let room = jobs::room(&mut self.scratch.a, layout);
                upstream.load(&frame, block, 0..height, WriteMode::Overwrite, room);
                Planes::new(&self.scratch.a, layout)
            });
            let moving = frame.tangents.as_ref().map(|tangents| {
                let change = upstream.stored_tangent(&frame, block).unwrap_or_else(|| {
                    let room = jobs::room(&mut self.scratch.b, layout);
                    upstream.load_tangent(&frame, tangents, block, 0..height, WriteMode::Overwrite, room);
                    Planes::new(&self.scratch.b, layout)
                });
                (tangents, change)
            });
            if let Some(table) = table {
                of.add_table(&frame, block, gradient, moving, self.found.params.get_mut(table));
                continue;
            }
            for (found, lanes) in found.iter_mut().zip(of.of_params(&frame, block, gradient, moving)) {
                if let Some((_, found)) = found {
                    found.extend(lanes);
                }
            }
        }
        if self.sought == Some(Sought::Form) {
            // Of the weight alone.
            if let [Some((id, lanes)), _] = found {
                let pairs = lanes.iter().zip(frame.weights.get(id).iter().cycle());
                let of_samples = |lane: &Lane<E>| lane.0.iter().map(|x| x.to_f64()).sum::<f64>();
                self.form += pairs.map(|(lane, w)| of_samples(lane) * w.to_f64()).sum::<f64>();
            }
        } else if table.is_none() {
            for (id, lanes) in found.into_iter().flatten() {
                self.found_param(id, &lanes);
            }
        }
    }

    /// The gradient of a parameter sample by sample, `[block][element]`.
    fn found_param(&mut self, id: ParamId, lanes: &[Lane<E>]) {
        let blocks = self.frame.blocks();
        let first: Vec<Lane<E>>;
        let lanes = if self.sought == Some(Sought::First) {
            first = lanes.chunks_exact((lanes.len() / blocks).max(1)).map(|block| block[0]).collect();
            &first
        } else {
            lanes
        };
        if !self.plan().shared.contains(&id) {
            return self.hand_over(id, lanes);
        }
        match self.waiting.get_mut(&id) {
            Some(found) => found.iter_mut().zip(lanes).for_each(|(to, from)| *to = *to + *from),
            None => {
                self.waiting.insert(id, lanes.to_vec());
            }
        }
    }

    /// Keeps and shows the gradient of a parameter, of which all has been found.
    fn hand_over(&mut self, id: ParamId, lanes: &[Lane<E>]) {
        let elements = lanes.len() / self.frame.blocks();
        sum_samples(lanes, &mut self.found.params.get_mut(id)[..elements]);
        if let Some(visit) = &mut self.visit {
            visit(id, SampleGradients { lanes, elements, samples: self.frame.batch.samples() });
        }
    }

    fn open(&mut self, node: usize) -> Result<Open<E>, RunError> {
        let len = self.plan().layout(self.plan().slot_of(node)).lanes() * self.frame.blocks();
        self.flows.open(node, len, &mut self.memory)
    }

    /// Takes the gradient of what `work` has made of its sources back to one of them.
    fn push(
        &mut self,
        work: Work,
        sources: &[View],
        which: Which,
        out: usize,
        upstream: &Upstream<'_, E>,
    ) -> Result<(), RunError> {
        let (plan, frame) = (self.plan(), self.frame);
        let view = sources[which.index];
        let node = plan.node_of(view);
        if !self.useful[node] {
            return Ok(());
        }
        let passes = matches!(work, Work::Combine) && view.activation.is_none();
        let stored = upstream.arrived.through.is_none();
        if passes && stored && self.flows.has_one_reader(node) {
            self.flows.set(node, Arrived { flow: upstream.arrived.flow.clone(), through: None });
            return Ok(());
        }
        let mut open = self.open(node)?;
        let layout = plan.layout(view.slot);
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
        Ok(())
    }
}

/// A source of a step whose gradient is wanted.
struct Local<'a, 'u, E: Element> {
    frame: Frame<'a, E>,
    work: Work,
    sources: &'a [View],
    which: Which,
    out: usize,
    upstream: &'a Upstream<'u, E>,
}

impl<E: Element> Local<'_, '_, E> {
    fn push(
        &self,
        block: usize,
        into: WriteMode,
        out: PlanesMut<'_, Lane<E>>,
        tangent: Option<&mut [Lane<E>]>,
        scratch: &mut Scratch<E>,
    ) {
        let Local { frame, upstream, .. } = self;
        let (view, slot) = (self.sources[self.which.index], upstream.slot);
        let (rows, layout) = (0..out.layout().rows, *out.layout());
        let Scratch { a, b, c, d, e, f } = scratch;
        let height = frame.shape(slot).height;
        let arriving = upstream.stored(frame, block).unwrap_or_else(|| {
            let room = jobs::room(a, frame.plan.layout(slot));
            upstream.load(frame, block, 0..height, WriteMode::Overwrite, room);
            Planes::new(a, frame.plan.layout(slot))
        });
        let back = self.back(block, arriving, Read::Values, (b, c));
        frame.push(view, block, rows.clone(), back, into, out);
        let (Some(lanes), Some(tangents)) = (tangent, frame.tangents) else { return };
        let change = upstream.stored_tangent(frame, block).unwrap_or_else(|| {
            let room = jobs::room(d, frame.plan.layout(slot));
            upstream.load_tangent(frame, &tangents, block, 0..height, WriteMode::Overwrite, room);
            Planes::new(d, frame.plan.layout(slot))
        });
        let change = match self.work {
            Work::Tensor(value) => {
                let of = Operation { value, sources: self.sources, out: self.out };
                of.backward_tangent(frame, &tangents, self.which.index, block, (arriving, change), e)
            }
            _ => self.back(block, change, Read::Values, (e, c)),
        };
        let pushed = (back, change);
        let mut out = PlanesMut::new(lanes, layout);
        frame.push_tangent(&tangents, view, block, rows.clone(), pushed, into, out.reborrow(), f);
        if matches!(self.work, Work::Multiply) {
            // The other factor moves as well.
            let change = self.back(block, arriving, Read::Tangents(tangents), (f, c));
            frame.push(view, block, rows, change, WriteMode::Sum, out);
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
    for block in lanes.chunks_exact(numbers.len().max(1)) {
        for (number, lane) in numbers.iter_mut().zip(block) {
            *number = *number + lane.total();
        }
    }
}

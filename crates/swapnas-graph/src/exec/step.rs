//! From a step of a plan to jobs for threads.

use rayon::prelude::*;
use swapnas_lanes::kernels::moments::Moments;
use swapnas_lanes::kernels::rows::{self, Affine};
use swapnas_lanes::{Element, Lane, Layout, Level, Planes, PlanesMut};

use super::bands::{Input, Job, Kernel, Scratch};
use super::{Executor, Numbers, RunError, Scaled, ValueCache, Weights, grow};
use crate::magnitude::{self, Magnitude};
use crate::op::Work;
use crate::plan::{AffineId, Plan, ReluId, Slot, Source, Step, StepWork, Target};
use crate::tensor::run::{At, Params, Run};
use crate::{Batch, Conv2d, Graph, ParamId, Shape};

/// Lanes of a step's result from which on its jobs are worth the way to other threads.
const PARALLEL_LANES: usize = 4096;

impl<E: Element> Executor<E> {
    /// Does a step.
    pub(super) fn step(
        &mut self,
        plan: &Plan,
        step: &Step,
        batch: &Batch<E>,
        mut cache: Option<&mut ValueCache<E>>,
        wanted: &[bool],
        weights: Weights<'_>,
    ) -> Result<(), RunError> {
        let Some(target) = &step.target else {
            return self.capture(plan, step, batch, cache.as_deref(), wanted, weights);
        };
        self.load_weights(plan, &step.work, weights)?;
        self.normalise(plan, step, cache.as_deref(), weights)?;
        let slot = &plan.slots[target.slot];
        let (layout, blocks) = (slot.layout(), batch.blocks());
        let magnitude =
            (!slot.moments).then(|| self.magnitude(plan, &step.work, slot.shape, cache.as_deref()));
        let mut kept = self.kept[target.slot].take();
        // A value that somebody wants of this run stays with it.
        let wanted_itself = plan.kept.iter().any(|(_, slot)| *slot == target.slot);
        if kept.is_none() && !wanted_itself {
            kept = cache.as_mut().and_then(|cache| cache.room(slot, layout.lanes() * blocks));
        }
        // Memory is taken out for the time of the step, so that everything but the slot can be read.
        let mut memory = std::mem::take(&mut self.lanes);
        let range = if kept.is_some() { 0..0 } else { slot.range(blocks) };
        let (before, rest) = memory.split_at_mut(range.start);
        let (own, after) = rest.split_at_mut(range.len());
        let lanes = kept.as_deref_mut().unwrap_or(own);
        let mut signs = self.take_signs(plan, &step.work, batch, wanted);

        let kernel = kernel(plan.graph(), &step.work, &self.numbers, self.level);
        let outs = lanes.chunks_exact_mut(layout.lanes()).take(blocks).map(|block| {
            let planes = PlanesMut::new(block, layout);
            planes.channels(target.channels.clone())
        });
        let view = View {
            executor: self,
            before,
            after,
            after_from: range.end,
            plan,
            batch,
            cache: cache.as_deref(),
        };
        let jobs = view.jobs(&step.work, &kernel, slot.shape, outs.map(Some), &mut signs, slot.moments);
        let parallel =
            self.parallel && target.channels.len() * slot.shape.pixels() * blocks >= PARALLEL_LANES;
        let level = self.level;
        let moments: Vec<Vec<Moments>> = if parallel {
            jobs.into_par_iter()
                .map_init(Scratch::default, |scratch, job| job.run(level, &kernel, scratch))
                .collect()
        } else {
            let mut scratch = std::mem::take(&mut *self.scratch.borrow_mut());
            let moments = jobs.into_iter().map(|job| job.run(level, &kernel, &mut scratch)).collect();
            *self.scratch.borrow_mut() = scratch;
            moments
        };
        let totals = self.moments[target.slot].get_mut(target.channels.clone()).unwrap_or_default();
        for band in moments {
            for (total, band) in totals.iter_mut().zip(band) {
                *total = total.join(band);
            }
        }
        let bound = match magnitude {
            Some(magnitude) if magnitude.fits::<E>() => Some(magnitude.result),
            Some(_) => Some(largest(lanes, slot, target, batch)).filter(|bound| bound.is_finite()),
            None => Some(magnitude::of_moments(totals)).filter(|bound| bound.is_finite()),
        };
        self.return_signs(&step.work, signs);
        self.kept[target.slot] = kept;
        self.lanes = memory;
        let bound = bound.ok_or_else(|| plan.graph().not_finite(step.value))?;
        let so_far = self.bounds[target.slot].unwrap_or(0.0);
        self.bounds[target.slot] = Some(magnitude::larger(so_far, bound));
        Ok(())
    }

    /// How large the numbers are that a step reads.
    fn bound(&self, plan: &Plan, source: &Source, cache: Option<&ValueCache<E>>) -> f64 {
        let of_slot = || {
            let known = || cache.and_then(|cache| cache.bound(&plan.slots[source.slot]));
            self.bounds[source.slot].or_else(known).unwrap_or(f64::INFINITY)
        };
        let scaled = source.affine.and_then(|id| self.affines[id].as_ref()).map(|scaled| scaled.bound);
        let bound = scaled.unwrap_or_else(of_slot);
        source.activation.map_or(bound, |activation| activation.bound(bound))
    }

    /// How large the numbers of a step's result can be.
    fn magnitude(
        &self,
        plan: &Plan,
        work: &StepWork,
        result: Shape,
        cache: Option<&ValueCache<E>>,
    ) -> Magnitude {
        let bound = |source: &Source| self.bound(plan, source, cache);
        let Numbers { widened, bias, taps, .. } = &self.numbers;
        match work {
            StepWork::Signs { .. } => Magnitude::plain(0.0),
            StepWork::Convolve { source, weights, .. } => {
                let outputs = weights.iter().map(|id| plan.graph().param(*id).shape[0]).sum();
                Conv2d::magnitude(bound(source), widened, outputs, bias)
            }
            StepWork::Depthwise { source, weight, pointwise, .. } => {
                let outputs = |id: ParamId| plan.graph().param(id).shape[0];
                let first = Conv2d::magnitude(bound(source), taps, outputs(*weight), &[]);
                let Some((weight, _)) = pointwise else { return first };
                let second = Conv2d::magnitude(first.result, widened, outputs(*weight), bias);
                Magnitude { within: magnitude::larger(first.within, second.within), ..second }
            }
            StepWork::Compute { work, sources } => {
                let bounds: Vec<f64> = sources.iter().map(bound).collect();
                let image = sources.first().map_or(result, |source| plan.slots[source.slot].shape);
                work.magnitude(
                    |value| plan.graph().tensor_op(value),
                    &bounds,
                    [image, result],
                    [widened, bias],
                )
            }
        }
    }

    /// Captures the signs of what a step reads, without doing it.
    pub(super) fn capture(
        &mut self,
        plan: &Plan,
        step: &Step,
        batch: &Batch<E>,
        cache: Option<&ValueCache<E>>,
        wanted: &[bool],
        weights: Weights<'_>,
    ) -> Result<(), RunError> {
        self.normalise(plan, step, cache, weights)?;
        let mut signs = self.take_signs(plan, &step.work, batch, wanted);
        let level = self.level;
        let view =
            View { executor: self, before: &[], after: &self.lanes, after_from: 0, plan, batch, cache };
        for (source, signs) in step.work.sources().zip(&mut signs) {
            let Some(words) = signs else { continue };
            let shape = view.shape(source);
            for (block, words) in words.chunks_exact_mut(shape.elements()).take(batch.blocks()).enumerate() {
                let planes = PlanesMut::new(words, sign_layout(shape));
                rows::signs(level, &view.source(source, block), 0..shape.height, shape.width, planes);
            }
        }
        self.return_signs(&step.work, signs);
        Ok(())
    }

    /// Room for the signs that a step is to capture.
    fn take_signs(
        &mut self,
        plan: &Plan,
        work: &StepWork,
        batch: &Batch<E>,
        wanted: &[bool],
    ) -> Vec<Option<Vec<u16>>> {
        let mut take = |relu: ReluId| {
            let mut words = self.spare.pop().unwrap_or_default();
            grow(&mut words, plan.relus()[relu].shape.elements() * batch.blocks(), 0);
            words
        };
        work.sources().map(|source| source.relu.filter(|relu| wanted[*relu]).map(&mut take)).collect()
    }

    fn return_signs(&mut self, work: &StepWork, signs: Vec<Option<Vec<u16>>>) {
        for (source, signs) in work.sources().zip(signs) {
            if let (Some(relu), Some(signs)) = (source.relu, signs) {
                self.signs[relu] = signs;
            }
        }
    }

    /// Makes scales and shifts of the normalisations that are pending on what a step reads.
    fn normalise(
        &mut self,
        plan: &Plan,
        step: &Step,
        cache: Option<&ValueCache<E>>,
        weights: Weights<'_>,
    ) -> Result<(), RunError> {
        for id in step.work.sources().filter_map(|source| source.affine) {
            if self.affines[id].is_none() {
                self.affines[id] = Some(self.affine(plan, id, cache, weights)?);
            }
        }
        Ok(())
    }

    fn affine(
        &mut self,
        plan: &Plan,
        id: AffineId,
        cache: Option<&ValueCache<E>>,
        weights: Weights<'_>,
    ) -> Result<Scaled<E>, RunError> {
        let normalisation = &plan.affines[id];
        let slot = &plan.slots[normalisation.slot];
        let cached = cache.and_then(|cache| cache.get(slot));
        let moments = cached.map_or(self.moments[normalisation.slot].as_slice(), |(_, moments)| moments);
        let moments = &moments[normalisation.channels.clone()];
        let largest: Vec<f64> = moments.iter().map(|moments| moments.largest).collect();
        let mut affines: Vec<Affine<f64>> = moments
            .iter()
            .map(|moments| {
                let scale = 1.0 / (moments.variance() + normalisation.epsilon.number()).sqrt();
                Affine { scale, shift: -moments.mean * scale }
            })
            .collect();
        if let Some((weight, bias)) = normalisation.params {
            let Numbers { drawn, widened, .. } = &mut self.numbers;
            widened.clear();
            Self::load(drawn, plan.graph(), weight, weights, widened)?;
            for (affine, weight) in affines.iter_mut().zip(&*widened) {
                affine.scale *= weight.to_f64();
                affine.shift *= weight.to_f64();
            }
            widened.clear();
            Self::load(drawn, plan.graph(), bias, weights, widened)?;
            for (affine, bias) in affines.iter_mut().zip(&*widened) {
                affine.shift += bias.to_f64();
            }
        }
        let bounds =
            affines.iter().zip(largest).map(|(a, largest)| magnitude::scaled::<E>(a.scale, a.shift, largest));
        let bound = bounds.fold(0.0, magnitude::larger);
        if !bound.is_finite() {
            return Err(plan.graph().not_finite(normalisation.value));
        }
        let narrow = |a: Affine<f64>| Affine { scale: E::from_f64(a.scale), shift: E::from_f64(a.shift) };
        Ok(Scaled { channels: affines.into_iter().map(narrow).collect(), bound })
    }

    /// Brings the weights of a step into the form that its kernel reads.
    fn load_weights(&mut self, plan: &Plan, work: &StepWork, weights: Weights<'_>) -> Result<(), RunError> {
        let graph = plan.graph();
        let Numbers { drawn, widened, bias: biases, taps, convolution, pointwise: after } = &mut self.numbers;
        taps.clear();
        widened.clear();
        biases.clear();
        let (parts, bias): (&[ParamId], Option<ParamId>) = match work {
            StepWork::Convolve { weights, bias, .. } => (weights, *bias),
            StepWork::Depthwise { weight, pointwise, .. } => {
                Self::load(drawn, graph, *weight, weights, taps)?;
                let Some((weight, bias)) = pointwise else { return Ok(()) };
                (std::slice::from_ref(weight), *bias)
            }
            StepWork::Compute { work: Work::Tensor(value), .. } => {
                let params = graph.tensor_op(*value).params();
                for (id, numbers) in params.into_iter().zip([widened, biases]) {
                    if let Some(id) = id {
                        Self::load(drawn, graph, id, weights, numbers)?;
                    }
                }
                return Ok(());
            }
            _ => return Ok(()),
        };
        for &part in parts {
            Self::load(drawn, graph, part, weights, widened)?;
        }
        if let Some(bias) = bias {
            Self::load(drawn, graph, bias, weights, biases)?;
        }
        let shape = &graph.param(parts[0]).shape;
        let taps = shape[2..].iter().product();
        let bias = bias.map(|_| biases.as_slice());
        match work {
            StepWork::Convolve { algorithm, groups, .. } => {
                convolution.pack(*algorithm, *groups, shape[1], taps, widened, bias);
            }
            _ => after.pack(1, shape[1], taps, widened, bias),
        }
        Ok(())
    }
}

fn kernel<'a, E: Element>(
    graph: &'a Graph,
    work: &StepWork,
    numbers: &'a Numbers<E>,
    level: Level,
) -> Kernel<'a, E> {
    match *work {
        StepWork::Convolve { window, .. } => Kernel::Convolve { window, weights: &numbers.convolution },
        StepWork::Depthwise { window, pointwise, .. } => Kernel::Depthwise {
            window,
            weights: &numbers.taps,
            pointwise: pointwise.map(|_| &numbers.pointwise),
        },
        StepWork::Signs { .. } => Kernel::Signs,
        StepWork::Compute { work, .. } => match work {
            Work::Zero => Kernel::Zero,
            Work::Combine => Kernel::Combine,
            Work::Pool(pooling) => Kernel::Pool(pooling),
            Work::Mean => Kernel::Mean,
            Work::Multiply => Kernel::Multiply,
            Work::Tensor(value) => {
                let op = graph.tensor_op(value);
                let [weight, bias] = op.params();
                let numbers =
                    [weight.map(|_| numbers.widened.as_slice()), bias.map(|_| numbers.bias.as_slice())];
                let params = Params { numbers, directions: [None; 2] };
                Kernel::Tensor(Run { op, at: At { level, params } })
            }
            Work::Concat | Work::Slice { .. } => unreachable!("the plan has no steps for these"),
        },
    }
}

/// The largest number in magnitude of what a step has written; infinite if there is one that is not finite.
fn largest<E: Element>(lanes: &[Lane<E>], slot: &Slot, target: &Target, batch: &Batch<E>) -> f64 {
    let (layout, Shape { height, width, .. }) = (slot.layout(), slot.shape);
    let mut largest = 0.0;
    for (block, lanes) in lanes.chunks_exact(layout.lanes()).take(batch.blocks()).enumerate() {
        let (planes, samples) = (Planes::new(lanes, layout), batch.samples_in(block));
        for channel in target.channels.clone() {
            for row in 0..height as isize {
                let row = planes.row(channel, row, 0..width as isize);
                largest = magnitude::larger(largest, magnitude::of_lanes(row, samples));
            }
        }
    }
    largest
}

fn sign_layout(shape: Shape) -> Layout {
    Layout::new(shape.channels, shape.height, shape.width, 0)
}

/// What can be read during a step.
struct View<'a, E: Element> {
    executor: &'a Executor<E>,
    /// The memory of all slots, before and after the one that is written, and where it goes on.
    before: &'a [Lane<E>],
    after: &'a [Lane<E>],
    after_from: usize,
    plan: &'a Plan,
    batch: &'a Batch<E>,
    cache: Option<&'a ValueCache<E>>,
}

impl<'a, E: Element> View<'a, E> {
    fn lanes(&self, index: usize) -> &'a [Lane<E>] {
        let slot: &Slot = &self.plan.slots[index];
        if index == 0 {
            self.batch.lanes()
        } else if let Some(kept) = &self.executor.kept[index] {
            kept
        } else if let Some((lanes, _)) = self.cache.and_then(|cache| cache.get(slot)) {
            lanes
        } else {
            let range = slot.range(self.batch.blocks());
            match range.start.checked_sub(self.after_from) {
                Some(start) => &self.after[start..][..range.len()],
                None => &self.before[range],
            }
        }
    }

    fn shape(&self, source: &Source) -> Shape {
        self.plan.slots[source.slot].shape.with_channels(source.channels.len())
    }

    fn source(&self, source: &Source, block: usize) -> rows::Source<'a, E> {
        let layout = self.plan.slots[source.slot].layout();
        let lanes = &self.lanes(source.slot)[block * layout.lanes()..][..layout.lanes()];
        let affine = source.affine.and_then(|id| {
            let first = source.channels.start - self.plan.affines[id].channels.start;
            Some(&self.executor.affines[id].as_ref()?.channels[first..][..source.channels.len()])
        });
        rows::Source {
            planes: Planes::new(lanes, layout).channels(source.channels.clone()),
            affine,
            activation: source.activation,
        }
    }

    /// The jobs of a step: every block and band, with what it reads and writes.
    fn jobs<'s>(
        &self,
        work: &StepWork,
        kernel: &Kernel<'_, E>,
        shape: Shape,
        outs: impl Iterator<Item = Option<PlanesMut<'s, Lane<E>>>>,
        signs: &'s mut [Option<Vec<u16>>],
        moments: bool,
    ) -> Vec<Job<'s, E>>
    where
        'a: 's,
    {
        let sources: Vec<&Source> = work.sources().collect();
        let shapes: Vec<Shape> = sources.iter().map(|source| self.shape(source)).collect();
        let bands = kernel.bands(shape.height, shape.width, shapes.first().copied());
        let mut words: Vec<_> = signs
            .iter_mut()
            .zip(&shapes)
            .map(|(words, shape)| words.as_mut().map(|words| words.chunks_exact_mut(shape.elements())))
            .collect();
        let mut jobs = Vec::with_capacity(self.batch.blocks() * bands.len());
        for (block, out) in outs.enumerate() {
            let inputs: Vec<Input<'s, E>> = sources
                .iter()
                .zip(&shapes)
                .map(|(source, shape)| Input { source: self.source(source, block), shape: *shape })
                .collect();
            let mut signs: Vec<Option<PlanesMut<'s, u16>>> = words
                .iter_mut()
                .zip(&shapes)
                .map(|(words, shape)| {
                    words.as_mut()?.next().map(|words| PlanesMut::new(words, sign_layout(*shape)))
                })
                .collect();
            let mut rest = out;
            for band in &bands {
                let first = shapes.first().map_or(shape, |shape| *shape);
                let owned = kernel.owned_rows(band, shape.height, first.height);
                // Rows beyond the image, above or below, go with the first and the last band.
                let last = band.end == shape.height;
                let (out, others) = match rest.take() {
                    Some(out) if !last => {
                        let (out, others) = out.split_at_row(band.end as isize);
                        (Some(out), Some(others))
                    }
                    out => (out, None),
                };
                rest = others;
                let signs = signs
                    .iter_mut()
                    .map(|signs| {
                        let (mine, others) = signs.take()?.split_at_row(owned.end as isize);
                        *signs = Some(others);
                        Some(mine)
                    })
                    .collect();
                jobs.push(Job {
                    band: band.clone(),
                    samples: self.batch.samples_in(block),
                    shape,
                    inputs: inputs.clone(),
                    signs,
                    owned,
                    out,
                    moments,
                });
            }
        }
        jobs
    }
}

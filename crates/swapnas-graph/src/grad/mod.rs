//! Gradients: backward passes, sample by sample if need be, and Hessian-vector products.
//!
//! A [`GradientPlan`] is made of a graph once. A [`Differentiator`] runs it forward, which gives a [`Pass`];
//! from there, any number of backward passes can be made.
//!
//! Hessian-vector products are exact, by Pearlmutter's R-operator (Neural Computation 1994): the
//! forward and the backward pass are differentiated along the direction, step by step.
//!
//! ```
//! use swapnas_graph::grad::{Differentiator, Loss, ParamSet, StatisticsOver, GradientPlan, Wanted};
//! use swapnas_graph::{Batch, Conv, Draw, GraphBuilder, Init, Level, Shape, Want, Weights, Window};
//!
//! let mut b = GraphBuilder::new(Shape::new(1, 4, 4));
//! let x = b.input();
//! let x = b.conv2d("conv", x, Conv::new(8, Window::square(3)))?;
//! let x = b.batch_norm("norm", x, true)?;
//! let x = b.relu("relu", x)?;
//! let x = b.global_avg_pool("pool", x)?;
//! let logits = b.linear("classifier", x, 3, true)?;
//! let graph = b.finish(&[logits]);
//!
//! let draw = Draw { init: Init::PyTorch, seed: 1, repeat: 0, network: None };
//! let weights = ParamSet::<f32>::load(&graph, Weights::Drawn(draw))?;
//! let images: Vec<f32> = (0..2 * 16).map(|i| (i as f32).sin()).collect();
//! let batch = Batch::from_nchw(2, Shape::new(1, 4, 4), &images)?;
//!
//! let plan = GradientPlan::new(graph, &Want::default());
//! let mut engine = Differentiator::new(Level::best());
//! let mut pass = engine.forward(&plan, &batch, &weights, StatisticsOver::Batch)?;
//! let loss = Loss::CrossEntropy(&[0, 2]);
//! let gradients = pass.backward(loss, &Wanted::params())?;
//! let curvature = pass.hessian_product(loss, &gradients.params)?;
//! assert_eq!(curvature.iter().len(), plan.graph().params().len());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod backpropagation;
mod backward;
mod conv;
mod error;
mod flow;
mod footprint;
mod frame;
mod gradients;
mod jobs;
mod local;
mod loss;
mod norm;
mod params;
mod plan;
mod tensor;

use std::mem::take;

use swapnas_lanes::kernels::chain;
use swapnas_lanes::kernels::moments::Moments;
use swapnas_lanes::kernels::rows::WriteMode;
use swapnas_lanes::{Element, Lane, Level, PlanesMut, SAMPLES};

pub use error::GradError;
pub use footprint::Footprint;
pub use gradients::{Elements, Gradients, SampleGradients, Visit, Wanted};
pub use loss::Loss;
#[doc(hidden)]
pub use norm::Norms;
pub use norm::{ChannelStatistics, DroppedPaths, RunningStatistics, StatisticsOver};
pub use params::ParamSet;
pub use plan::GradientPlan;

use crate::exec::{Observer, RunError, Signs};
use crate::magnitude::{self, Magnitude};
use crate::op::Work;
use crate::{Batch, Conv2d, Graph, Relu, Shape, ValueId};
use flow::Memory;
use frame::{Frame, Tangents};
use jobs::Scratch;
use norm::{NormTangent, Normalised};
use plan::{Step, View};

/// Computes gradients, one network at a time, keeping its memory from network to network.
pub struct Differentiator<E: Element = f32> {
    level: Level,
    parallel: bool,
    memory: Memory<E>,
    scratch: Scratch<E>,
}

impl<E: Element> Differentiator<E> {
    /// A differentiator for one thread.
    pub fn new(level: Level) -> Self {
        Differentiator { level, parallel: false, memory: Memory::default(), scratch: Scratch::default() }
    }

    /// Lets each step use all threads of the current rayon pool. The results are the same.
    #[must_use]
    pub fn parallel(mut self, parallel: bool) -> Self {
        self.parallel = parallel;
        self
    }

    /// Runs a network forward, keeping what backward passes need.
    ///
    /// # Errors
    /// If the batch does not fit the network, or numbers within the network are not finite.
    ///
    /// # Panics
    /// If the weights are those of another graph.
    pub fn forward<'a>(
        &'a mut self,
        plan: &'a GradientPlan,
        batch: &'a Batch<E>,
        weights: &'a ParamSet<E>,
        statistics: StatisticsOver,
    ) -> Result<Pass<'a, E>, RunError>
    where
        E: crate::Element,
    {
        E::forward(self, plan, batch, weights, Norms::Taken(statistics))
    }

    /// [`forward`](Self::forward) with statistics over the batch, some paths left out for some samples.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    ///
    /// # Panics
    /// If the weights or the paths are those of another graph or batch.
    pub fn forward_dropping<'a>(
        &'a mut self,
        plan: &'a GradientPlan,
        batch: &'a Batch<E>,
        weights: &'a ParamSet<E>,
        dropped: &'a DroppedPaths,
    ) -> Result<Pass<'a, E>, RunError>
    where
        E: crate::Element,
    {
        E::forward(self, plan, batch, weights, Norms::Dropping(dropped))
    }

    /// What a trained network says: its first output over the batch, `[sample][channel][row][column]`, normalised with
    /// running statistics.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and if the network has no output.
    ///
    /// # Panics
    /// If the weights or the statistics are those of another graph.
    pub fn predict(
        &mut self,
        plan: &GradientPlan,
        batch: &Batch<E>,
        weights: &ParamSet<E>,
        running: &RunningStatistics,
    ) -> Result<Vec<f64>, GradError>
    where
        E: crate::Element,
    {
        let output = *plan.graph().outputs().first().ok_or(GradError::NoOutputs)?;
        let pass = E::forward(self, plan, batch, weights, Norms::Running(running))?;
        Ok(pass.value(output).expect("outputs are always computed"))
    }

    /// [`forward`](Self::forward) for the type at hand.
    pub(crate) fn make_pass<'a>(
        &'a mut self,
        plan: &'a GradientPlan,
        batch: &'a Batch<E>,
        weights: &'a ParamSet<E>,
        how: Norms<'a>,
    ) -> Result<Pass<'a, E>, RunError> {
        let expected = plan.graph().shape(plan.graph().input());
        if batch.shape() != expected {
            return Err(RunError::InputShape { expected, found: batch.shape() });
        }
        if batch.samples() == 0 {
            return Err(RunError::NoSamples);
        }
        let values = vec![Vec::new()];
        let mut pass = Pass { engine: self, plan, batch, weights, how, values, norms: Vec::new() };
        pass.run()?;
        Ok(pass)
    }
}

/// The tangents of all slots and of all normalisations.
type TangentsOfAll<E> = (Vec<Vec<Lane<E>>>, Vec<NormTangent<E>>);

/// A forward pass that has been made.
///
/// The numbers of samples that fill up the last block of a batch never count.
pub struct Pass<'a, E: Element> {
    engine: &'a mut Differentiator<E>,
    plan: &'a GradientPlan,
    batch: &'a Batch<E>,
    weights: &'a ParamSet<E>,
    how: Norms<'a>,
    values: Vec<Vec<Lane<E>>>,
    norms: Vec<Normalised<E>>,
}

impl<E: Element> Drop for Pass<'_, E> {
    fn drop(&mut self) {
        for lanes in self.values.drain(..) {
            self.engine.memory.give(lanes);
        }
    }
}

impl<'a, E: Element> Pass<'a, E> {
    fn frame<'f>(&'f self, tangents: Option<Tangents<'f, E>>) -> Frame<'f, E> {
        Frame {
            level: self.engine.level,
            parallel: self.engine.parallel,
            plan: self.plan,
            batch: self.batch,
            weights: self.weights,
            values: &self.values,
            norms: &self.norms,
            tangents,
        }
    }

    fn run(&mut self) -> Result<(), RunError> {
        let plan = self.plan;
        let mut scratch = take(&mut self.engine.scratch);
        // Moments that were taken while their slot was written.
        let mut moments: Vec<Option<Vec<Moments>>> = vec![None; plan.slots.len()];
        // What no number of each slot exceeds.
        let mut bounds = Vec::with_capacity(plan.slots.len());
        bounds.push(self.batch.largest());
        let mut done = Ok(());
        for step in &plan.steps {
            match step {
                Step::Normalise(norm) => {
                    let slot = plan.norms[*norm].slot;
                    let frame = self.frame(None);
                    let known = moments[slot].clone();
                    let normalised =
                        Normalised::new(&frame, *norm, self.how, known, bounds[slot], &mut scratch);
                    if !normalised.bound.is_finite() {
                        done = Err(plan.graph().not_finite(plan.norms[*norm].value));
                        break;
                    }
                    self.norms.push(normalised);
                }
                Step::Convolve(convolution) => {
                    let out = convolution.out;
                    let wanted = self.how.read_batch() && plan.is_normalised(out);
                    let mut lanes = self.lanes(out)?;
                    let found =
                        conv::forward(&self.frame(None), convolution, &mut lanes, wanted, &mut scratch);
                    moments[out] = wanted.then_some(found);
                    self.values.push(lanes);
                }
                Step::Compute { work, sources, out } => {
                    let mut lanes = self.lanes(*out)?;
                    local::forward(&self.frame(None), *work, sources, *out, &mut lanes, &mut scratch);
                    self.values.push(lanes);
                }
            }
            if let Some(slot) = step.out() {
                let bound = self.bound(step, slot, moments[slot].as_deref(), &bounds);
                if bound.is_none() {
                    done = Err(plan.graph().not_finite(plan.value_of(slot)));
                    break;
                }
                bounds.extend(bound);
            }
        }
        self.engine.scratch = scratch;
        done
    }

    /// What no number exceeds of the slot that a step has written; `None` if they are not finite.
    fn bound(&self, step: &Step, slot: usize, moments: Option<&[Moments]>, bounds: &[f64]) -> Option<f64> {
        let known = |bound: f64| Some(bound).filter(|bound| bound.is_finite());
        if let Some(moments) = moments {
            return known(magnitude::of_moments(moments));
        }
        let plan = self.plan;
        let bound = |view: &View| {
            let bound = view.norm.map_or(bounds[view.slot], |norm| self.norms[norm].bound);
            view.activation.map_or(bound, |activation| activation.bound(bound))
        };
        let result = plan.slots[slot];
        let magnitude = match step {
            Step::Normalise(_) => Magnitude::plain(0.0),
            Step::Convolve(of) => {
                let biases = of.bias.map_or(&[][..], |bias| self.weights.get(bias));
                let weights = self.weights.get(of.weight);
                Conv2d::magnitude(bound(&of.source), weights, result.channels, biases)
            }
            Step::Compute { work, sources, .. } => {
                let params = match work {
                    Work::Tensor(value) => plan.graph().tensor_op(*value).params(),
                    _ => [None; 2],
                };
                let numbers = params.map(|id| id.map_or(&[][..], |id| self.weights.get(id)));
                let bounds: Vec<f64> = sources.iter().map(bound).collect();
                let image = sources.first().map_or(result, |view| plan.slots[view.slot]);
                work.magnitude(|value| plan.graph().tensor_op(value), &bounds, [image, result], numbers)
            }
        };
        if magnitude.fits::<E>() {
            return Some(magnitude.result);
        }
        let lanes = self.values[slot].chunks_exact(plan.layout(slot).lanes().max(1)).enumerate();
        let of_blocks = lanes.map(|(block, lanes)| magnitude::of_lanes(lanes, self.batch.samples_in(block)));
        known(of_blocks.fold(0.0, magnitude::larger))
    }

    /// Room for a slot over the batch.
    fn lanes(&mut self, slot: usize) -> Result<Vec<Lane<E>>, RunError> {
        self.engine.memory.take(self.plan.layout(slot).lanes() * self.batch.blocks())
    }

    /// The tangents of all slots and normalisations along a direction.
    fn tangents(&mut self, direction: &ParamSet<E>) -> Result<TangentsOfAll<E>, RunError> {
        let plan = self.plan;
        let mut scratch = take(&mut self.engine.scratch);
        let mut values = vec![Vec::new()];
        let mut norms: Vec<NormTangent<E>> = Vec::new();
        for step in &plan.steps {
            let mut lanes = match step {
                Step::Normalise(_) => Vec::new(),
                Step::Convolve(plan::Convolution { out, .. }) | Step::Compute { out, .. } => {
                    self.lanes(*out)?
                }
            };
            let frame = self.frame(None);
            let tangents = Tangents { direction, values: &values, norms: &norms };
            match step {
                Step::Normalise(norm) => {
                    let norm = NormTangent::new(&frame, &tangents, *norm, &mut scratch);
                    norms.push(norm);
                    continue;
                }
                Step::Convolve(of) => conv::tangent(&frame, &tangents, of, &mut lanes, &mut scratch),
                Step::Compute { work, sources, out } => {
                    local::tangent(&frame, tangents, *work, sources, *out, &mut lanes, &mut scratch);
                }
            }
            values.push(lanes);
        }
        self.engine.scratch = scratch;
        Ok((values, norms))
    }

    /// What has made the pass, to make others meanwhile.
    pub fn engine(&mut self) -> &mut Differentiator<E> {
        self.engine
    }

    /// The network.
    pub fn graph(&self) -> &'a Graph {
        self.plan.graph()
    }

    /// A value over the batch, `[sample][channel][row][column]`; `None` if the plan does not compute it.
    pub fn value(&self, value: ValueId) -> Option<Vec<f64>>
    where
        E: crate::Element,
    {
        E::value(self, value)
    }

    /// [`value`](Self::value) for the type at hand.
    pub(crate) fn numbers_of(&self, value: ValueId) -> Option<Vec<f64>> {
        Some(self.view_numbers(&self.frame(None), self.plan.view(value)?))
    }

    /// Mean and variance of the channels that a batch normalisation reads, over the batch: of the
    /// `value` that it returns. `None` if this is no normalisation or its statistics are not those of
    /// the batch.
    pub fn moments(&self, value: ValueId) -> Option<&[Moments]> {
        // They are in the order of their values.
        let norm = self.plan.norms.binary_search_by_key(&value, |norm| norm.value).ok()?;
        Some(self.norms[norm].moments.as_slice()).filter(|moments| !moments.is_empty())
    }

    /// Shows the signs of all ReLUs to an observer, if the plan was made for it.
    pub fn signs(&self, observer: &mut impl Observer)
    where
        E: crate::Element,
    {
        E::signs(self, observer);
    }

    /// [`signs`](Self::signs) for the type at hand.
    pub(crate) fn show_signs(&self, observer: &mut dyn Observer) {
        let frame = self.frame(None);
        let mut words = Vec::new();
        for (relu, view) in &self.plan.relus {
            if observer.wants(relu) {
                words.clear();
                self.relu_signs(&frame, relu, *view, &mut words);
                observer.observe(relu, Signs::new(&words, relu.shape.elements(), self.batch.samples()));
            }
        }
    }

    fn relu_signs(&self, frame: &Frame<'_, E>, relu: &Relu, view: View, words: &mut Vec<u16>) {
        let (layout, Shape { height, width, .. }) = (self.plan.layout(view.slot), relu.shape);
        words.resize(layout.lanes() * self.batch.blocks(), 0);
        for (block, words) in words.chunks_exact_mut(layout.lanes()).enumerate() {
            let out = PlanesMut::new(words, layout);
            chain::signs(frame.level, &frame.argument(view, block), 0..height, width, out);
        }
    }

    fn view_numbers(&self, frame: &Frame<'_, E>, view: View) -> Vec<f64> {
        let height = self.plan.slots[view.slot].height;
        self.numbers(view.slot, |block, out| frame.load(view, block, 0..height, WriteMode::Overwrite, out))
    }

    /// The numbers of something with the shape of a slot, loaded block by block.
    fn numbers(&self, slot: usize, mut load: impl FnMut(usize, PlanesMut<'_, Lane<E>>)) -> Vec<f64> {
        let layout = self.plan.layout(slot);
        let mut lanes = vec![Lane::ZERO; layout.lanes()];
        let mut numbers = Vec::with_capacity(self.batch.samples() * layout.lanes());
        for block in 0..self.batch.blocks() {
            load(block, PlanesMut::new(&mut lanes, layout));
            for sample in 0..self.batch.samples_in(block) {
                numbers.extend(lanes.iter().map(|lane| lane.0[sample].to_f64()));
            }
        }
        numbers
    }

    /// Numbers `[sample][channel][row][column]` as lanes of a slot.
    fn spread(&mut self, slot: usize, numbers: &[f64]) -> Result<Vec<Lane<E>>, RunError> {
        let mut lanes = self.lanes(slot)?;
        lanes.fill(Lane::ZERO);
        let elements = self.plan.slots[slot].elements();
        for (sample, numbers) in numbers.chunks_exact(elements).enumerate() {
            let block = &mut lanes[sample / SAMPLES * elements..][..elements];
            for (lane, x) in block.iter_mut().zip(numbers) {
                lane.0[sample % SAMPLES] = E::from_f64(*x);
            }
        }
        Ok(lanes)
    }
}

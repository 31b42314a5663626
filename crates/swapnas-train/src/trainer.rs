//! Training, epoch by epoch.

mod trained;

use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};
use swapnas_graph::grad::{
    Differentiator, DroppedPaths, GradError, GradientPlan, Loss, ParamSet, RunningStatistics, StatisticsOver,
    Wanted,
};
use swapnas_graph::{Batch, Draw, Element, Graph, Init, Key, Level, RunError, Shape, ValueId, Want, Weights};

use swapnas_metrics::{MemoryError, check_memory};

use crate::loss::Entropy;
use crate::optimiser::Descent;
use crate::{Dataset, Part, Settings, SettingsError};

pub use trained::TrainedNetwork;

/// The share that a batch has in running statistics, as PyTorch has it.
const MOMENTUM: f64 = 0.1;

/// Images that are predicted at a time.
const PREDICTED: usize = 128;

/// What an epoch has come to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Which, counted from 1.
    pub epoch: usize,
    /// Mean loss of its steps, in nats, with smoothed labels.
    pub loss: f64,
    /// Percentage of the training images that were right while they were learnt from.
    pub train_accuracy: f64,
    /// Mean cross entropy over the validation images, in nats.
    pub validation_loss: f64,
    /// Percentage of the validation images that are right.
    pub accuracy: f64,
}

/// A training that cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A number that it cannot have.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The network takes other images.
    #[error("the network takes images of {expected}, but these are of {found}")]
    Shape {
        /// What the network takes.
        expected: Shape,
        /// What there is.
        found: Shape,
    },
    /// The network knows fewer classes than there are.
    #[error("the network has {outputs} outputs for {classes} classes; build it for {classes} classes")]
    Classes {
        /// Classes of the images.
        classes: usize,
        /// Outputs of the network.
        outputs: usize,
    },
    /// The network reads texts.
    #[error(
        "the network reads texts, and only networks of images can be trained: there are no labelled texts"
    )]
    Texts,
    /// A network without batch normalisations at the ends of branches.
    #[error(
        "no branch of the network ends with a batch normalisation that is summed up, so no path can be dropped: leave out drop path"
    )]
    NoBranches,
    /// Fewer images than a step takes.
    #[error(
        "a batch takes {batch} images, but there are {images} to train with: take a smaller batch, or more images"
    )]
    TooFewImages {
        /// Images of a step.
        batch: usize,
        /// Those to train with.
        images: usize,
    },
    /// Numbers became infinite.
    #[error("epoch {epoch}, {}: {cause}; take a smaller learning rate", place(*step))]
    Diverged {
        /// Counted from 1.
        epoch: usize,
        /// Counted from 1 in the epoch; `None` if it was found while validating.
        step: Option<usize>,
        /// What was not finite.
        cause: GradError,
    },
    /// The network cannot be run.
    #[error(transparent)]
    Run(GradError),
}

/// A network that is being trained.
pub struct Trainer<E: Element = f32> {
    pub(crate) settings: Settings,
    pub(crate) plan: GradientPlan,
    engine: Differentiator<E>,
    pub(crate) weights: ParamSet<E>,
    pub(crate) running: RunningStatistics,
    pub(crate) descent: Descent<E>,
    /// What can be dropped.
    branches: Vec<ValueId>,
    pub(crate) history: Vec<Epoch>,
}

impl<E: Element> Trainer<E> {
    /// A network before its first epoch, with the weights that PyTorch's layers begin with, drawn by the seed.
    ///
    /// # Errors
    /// If a setting is out of range or the network cannot be trained.
    pub fn new(graph: Graph, settings: Settings, level: Level) -> Result<Self, TrainError> {
        let draw = Draw { init: Init::PyTorch, seed: settings.seed, repeat: 0, network: None };
        let weights =
            ParamSet::load(&graph, Weights::Drawn(draw)).map_err(|error| TrainError::Run(error.into()))?;
        Trainer::with_weights(graph, weights, settings, level)
    }

    /// The same with other weights.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_weights(
        graph: Graph,
        weights: ParamSet<E>,
        settings: Settings,
        level: Level,
    ) -> Result<Self, TrainError> {
        settings.check()?;
        if graph.vocabulary().is_some() {
            return Err(TrainError::Texts);
        }
        let branches = if settings.drop_path > 0.0 { DroppedPaths::branches(&graph) } else { Vec::new() };
        if settings.drop_path > 0.0 && branches.is_empty() {
            return Err(TrainError::NoBranches);
        }
        Ok(Trainer {
            running: RunningStatistics::new(&graph),
            descent: Descent::new(settings.optimiser, &graph),
            plan: GradientPlan::new(graph, &Want::default()),
            engine: Differentiator::new(level),
            settings,
            weights,
            branches,
            history: Vec::new(),
        })
    }

    /// Lets each layer use all threads of the current rayon pool. The results are the same.
    #[must_use]
    pub fn parallel(mut self, parallel: bool) -> Self {
        self.engine = self.engine.parallel(parallel);
        self
    }

    /// The network.
    pub fn graph(&self) -> &Graph {
        self.plan.graph()
    }

    /// How it is trained.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The weights as they are now.
    pub fn weights(&self) -> &ParamSet<E> {
        &self.weights
    }

    /// The statistics that the network is used with.
    pub fn running(&self) -> &RunningStatistics {
        &self.running
    }

    /// What the epochs so far have come to.
    pub fn history(&self) -> &[Epoch] {
        &self.history
    }

    /// Steps of an epoch.
    pub fn steps(&self, data: &Dataset) -> usize {
        data.train().len() / self.settings.batch
    }

    /// Whether all epochs are done.
    pub fn is_done(&self) -> bool {
        self.history.len() >= self.settings.epochs
    }

    /// Whether there is memory for so many trainings like this one at a time.
    ///
    /// # Errors
    /// If there is not.
    pub fn check_memory(&self, at_once: usize) -> Result<(), MemoryError> {
        let number = size_of::<E>();
        let threads = rayon::current_num_threads();
        let step = self.plan.footprint(self.settings.batch, number, threads);
        let logits = self.plan.graph().outputs().first().copied();
        let step = step.forward().saturating_add(step.back(logits, &Wanted::params(), false));
        let predict = self.plan.footprint(PREDICTED, number, threads).forward();
        // Weights, what the optimiser remembers, and all of that as it was before the epoch; the images of a step.
        let weights =
            self.plan.graph().parameter_count() as usize * number * 2 * (1 + self.descent.memories.len());
        let elements = self.plan.graph().shape(self.plan.graph().input()).elements();
        let images = 2 * self.settings.batch.max(PREDICTED).saturating_mul(elements) * size_of::<f64>();
        let one = step.max(predict).saturating_add(weights).saturating_add(images);
        check_memory("the trainings", one.saturating_mul(at_once))
    }

    /// The network as it is now, to be handed over.
    pub fn trained(&self, data: &Dataset) -> TrainedNetwork {
        TrainedNetwork::of(self, self.history.len() * self.steps(data))
    }

    /// Trains for an epoch and validates. `goes_on` is asked before every step; if it says no, the epoch is not finished
    /// and nothing of it stays, so `None` is returned.
    ///
    /// # Errors
    /// If the images are not those of the network, or numbers become infinite. Nothing of the epoch stays then either.
    pub fn epoch(
        &mut self,
        data: &Dataset,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Epoch>, TrainError> {
        self.check(data)?;
        let before = (self.weights.clone(), self.running.clone(), self.descent.clone());
        let done = self.learn(data, goes_on);
        if !matches!(done, Ok(Some(_))) {
            (self.weights, self.running, self.descent) = before;
        }
        let done = done?;
        self.history.extend(done);
        Ok(done)
    }

    /// Whether the network can be trained with these images.
    ///
    /// # Errors
    /// If they are of another shape, of more classes than the network knows, or too few.
    pub fn check(&self, data: &Dataset) -> Result<(), TrainError> {
        let graph = self.plan.graph();
        let (expected, found) = (graph.shape(graph.input()), data.shape());
        if expected != found {
            return Err(TrainError::Shape { expected, found });
        }
        let outputs = self.classes()?;
        if outputs < data.classes() {
            return Err(TrainError::Classes { classes: data.classes(), outputs });
        }
        let (batch, images) = (self.settings.batch, data.train().len());
        if batch > images {
            return Err(TrainError::TooFewImages { batch, images });
        }
        Ok(())
    }

    /// Elements of the first output.
    fn classes(&self) -> Result<usize, TrainError> {
        let graph = self.plan.graph();
        let output = graph.outputs().first().ok_or(TrainError::Run(GradError::NoOutputs))?;
        Ok(graph.shape(*output).elements())
    }

    fn learn(
        &mut self,
        data: &Dataset,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Epoch>, TrainError> {
        let (epoch, batch) = (self.history.len(), self.settings.batch);
        let key = Key::of("train").with(self.settings.seed).with(epoch as u64);
        let order = data.train().order(key.with("order"));
        let steps = order.len() / batch;
        let (mut loss, mut right) = (0.0, 0);
        for (step, indices) in order.chunks_exact(batch).enumerate() {
            if !goes_on() {
                return Ok(None);
            }
            let images = self.images(data.train(), indices, key.with("augment"));
            let labels: Vec<usize> = indices.iter().map(|index| data.train().labels()[*index]).collect();
            let drops = self.dropped(key.with("drop path").with(step as u64));
            let entropy = self
                .step(epoch * steps + step, steps, &images, &labels, drops.as_ref())
                .map_err(|cause| diverged(cause, epoch, Some(step)))?;
            loss += entropy.loss / steps as f64;
            right += entropy.right;
        }
        let (validation_loss, accuracy) = self.validate(data.validation())?;
        let train_accuracy = 100.0 * right as f64 / (steps * batch) as f64;
        Ok(Some(Epoch { epoch: epoch + 1, loss, train_accuracy, validation_loss, accuracy }))
    }

    /// The images of a step, each changed by random numbers of its own.
    fn images(&self, part: &Part, indices: &[usize], key: Key) -> Batch<E> {
        let shape = self.plan.graph().shape(self.plan.graph().input());
        let mut numbers = Vec::with_capacity(indices.len() * shape.elements());
        for index in indices {
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(key.with(*index as u64).0);
            self.settings.augmentation.apply(part.image(*index), shape, &mut rng, &mut numbers);
        }
        Batch::from_nchw(indices.len(), shape, &numbers).expect("images of that shape")
    }

    /// What is left out in a step: more in later epochs, and of what stays as much more.
    fn dropped(&self, key: Key) -> Option<DroppedPaths> {
        let last = (self.settings.epochs - 1).max(1) as f64;
        let share = self.settings.drop_path * self.history.len() as f64 / last;
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(key.0);
        let mut dropped = DroppedPaths::default();
        for branch in &self.branches {
            let factor = |_| if rng.random::<f64>() < share { 0.0 } else { 1.0 / (1.0 - share) };
            dropped.set(*branch, (0..self.settings.batch).map(factor).collect());
        }
        (!self.branches.is_empty()).then_some(dropped)
    }

    /// A step of training, the `step`-th of all, on a batch.
    ///
    /// # Errors
    /// If the batch is not one of the network's, or numbers are not finite.
    fn step(
        &mut self,
        step: usize,
        steps_of_epoch: usize,
        images: &Batch<E>,
        labels: &[usize],
        dropped: Option<&DroppedPaths>,
    ) -> Result<Entropy, GradError> {
        let logits = self.plan.graph().outputs()[0];
        let mut pass = match dropped {
            None => self.engine.forward(&self.plan, images, &self.weights, StatisticsOver::Batch)?,
            Some(dropped) => self.engine.forward_dropping(&self.plan, images, &self.weights, dropped)?,
        };
        let numbers = pass.value(logits).expect("outputs are always computed");
        let classes = numbers.len() / labels.len();
        let entropy = Entropy::of(&numbers, labels, classes, self.settings.label_smoothing);
        let loss = Loss::Product { value: logits, gradient: &entropy.gradient };
        let gradients = pass.backward(loss, &Wanted::params())?;
        self.running.update(&pass, MOMENTUM);
        drop(pass);
        let rate = self.settings.rate(step, steps_of_epoch);
        self.descent.step(step, rate, &mut self.weights, &gradients.params);
        Ok(entropy)
    }

    /// Mean cross entropy and percentage of right answers over some images.
    ///
    /// # Errors
    /// If numbers are not finite.
    pub fn validate(&mut self, part: &Part) -> Result<(f64, f64), TrainError> {
        let shape = self.plan.graph().shape(self.plan.graph().input());
        let classes = self.classes()?;
        let (mut loss, mut right) = (0.0, 0);
        for first in (0..part.len()).step_by(PREDICTED) {
            let count = PREDICTED.min(part.len() - first);
            let batch =
                Batch::from_nchw(count, shape, part.images(first, count)).expect("images of that shape");
            let logits = self
                .engine
                .predict(&self.plan, &batch, &self.weights, &self.running)
                .map_err(|cause| diverged(cause, self.history.len(), None))?;
            let entropy = Entropy::of(&logits, &part.labels()[first..first + count], classes, 0.0);
            loss += entropy.loss * count as f64 / part.len() as f64;
            right += entropy.right;
        }
        Ok((loss, 100.0 * right as f64 / part.len() as f64))
    }
}

fn place(step: Option<usize>) -> String {
    step.map_or_else(|| "validation".to_owned(), |step| format!("step {step}"))
}

/// What an error in a step means: numbers that are not finite come of steps that are too large.
fn diverged(cause: GradError, epoch: usize, step: Option<usize>) -> TrainError {
    match cause {
        GradError::NotFinite { .. } | GradError::Run(RunError::NotFinite { .. }) => {
            TrainError::Diverged { epoch: epoch + 1, step: step.map(|step| step + 1), cause }
        }
        other => TrainError::Run(other),
    }
}

//! Runs plans.

mod bands;
mod cache;
mod step;

use std::cell::RefCell;

use rayon::prelude::*;
use swapnas_lanes::kernels::convolution::ConvolutionWeights;
use swapnas_lanes::kernels::dense::DenseWeights;
use swapnas_lanes::kernels::moments::Moments;
use swapnas_lanes::kernels::rows::Affine;
use swapnas_lanes::{Element, Lane, Level, SAMPLES};

pub use cache::ValueCache;

use crate::lower::Relu;
use crate::plan::{Plan, SlotId};
use crate::{Batch, Draw, Graph, ParamId, Shape, Tensors, TensorsError, ValueId};
use bands::Scratch;

/// Where a network's weights come from.
#[derive(Clone, Copy, Debug)]
pub enum Weights<'a> {
    /// Random numbers.
    Drawn(Draw),
    /// Tensors of a file, by name.
    Loaded(&'a Tensors),
}

/// A network that cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The images do not have the shape that the network was built for.
    #[error("the network takes images of {expected}, but the batch has images of {found}")]
    InputShape {
        /// What the network takes.
        expected: Shape,
        /// What it was given.
        found: Shape,
    },
    /// A batch without samples.
    #[error("the batch is empty; a network needs at least one image")]
    NoSamples,
    /// Weights are missing or have another shape.
    #[error(transparent)]
    Weights(#[from] TensorsError),
    /// Numbers within the network are infinite or none, so that all that comes of them would mean nothing.
    #[error("values of the network are not finite: {place}; give images or weights of a smaller scale")]
    NotFinite {
        /// Which values.
        place: String,
    },
    /// The system gives no more memory.
    #[error("the values of a network take {bytes} bytes more than the system gives")]
    Memory {
        /// Bytes of what was to be written.
        bytes: usize,
    },
}

/// So many lanes of zeros.
pub(crate) fn new_lanes<E: Element>(count: usize) -> Result<Vec<Lane<E>>, RunError> {
    let mut lanes = Vec::new();
    let bytes = count.saturating_mul(size_of::<Lane<E>>());
    lanes.try_reserve_exact(count).map_err(|_| RunError::Memory { bytes })?;
    lanes.resize(count, Lane::ZERO);
    Ok(lanes)
}

/// The signs of a ReLU's units over the samples of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Signs<'a> {
    words: &'a [u16],
    units: usize,
    samples: usize,
}

impl<'a> Signs<'a> {
    /// The signs in `words`: for every block of 16 samples, one word for every unit.
    ///
    /// # Panics
    /// If there are not as many words as that.
    pub fn new(words: &'a [u16], units: usize, samples: usize) -> Self {
        assert_eq!(words.len(), samples.div_ceil(SAMPLES) * units, "one word for every block and unit");
        Signs { words, units, samples }
    }

    /// Number of units.
    pub fn units(&self) -> usize {
        self.units
    }

    /// Number of samples.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Blocks of 16 samples, the last one perhaps not full.
    pub fn blocks(&self) -> impl ExactSizeIterator<Item = Block<'a>> + use<'a> {
        let (samples, units) = (self.samples, self.units);
        self.words.chunks_exact(units).enumerate().map(move |(block, words)| {
            let count = (samples - block * SAMPLES).min(SAMPLES);
            Block { words, mask: (u32::MAX >> (32 - count)) as u16 }
        })
    }
}

/// The signs of all units of a ReLU over 16 samples.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// For every unit, in the order channel, row, column: bit i is set if sample i of the block makes
    /// the unit positive.
    pub words: &'a [u16],
    /// The bits of the samples that there are; the others of a word mean nothing.
    pub mask: u16,
}

/// Somebody who looks at the signs of ReLUs.
pub trait Observer {
    /// Whether the signs of this ReLU have to be computed. If not, they are not handed over.
    fn wants(&mut self, relu: &Relu) -> bool;

    /// Takes the signs of a ReLU.
    fn observe(&mut self, relu: &Relu, signs: Signs<'_>);
}

/// Nobody looks.
impl Observer for () {
    fn wants(&mut self, _relu: &Relu) -> bool {
        false
    }

    fn observe(&mut self, _relu: &Relu, _signs: Signs<'_>) {}
}

/// Runs plans, one at a time, keeping its memory from run to run.
pub struct Executor<E: Element = f32> {
    level: Level,
    parallel: bool,
    /// The memory that the slots of a plan lie in.
    lanes: Vec<Lane<E>>,
    /// Slots of this run that go into the cache afterwards.
    kept: Vec<Option<Vec<Lane<E>>>>,
    /// Of each slot, per channel.
    moments: Vec<Vec<Moments>>,
    affines: Vec<Option<Scaled<E>>>,
    /// Of each slot that this run has written, a number that none of its numbers exceeds.
    bounds: Vec<Option<f64>>,
    /// Of each ReLU, from the step that captures them until they have been looked at.
    signs: Vec<Vec<u16>>,
    /// Memory of signs that have been looked at.
    spare: Vec<Vec<u16>>,
    numbers: Numbers<E>,
    scratch: RefCell<Scratch<E>>,
}

/// A batch normalisation, made of the moments of what it reads.
struct Scaled<E> {
    /// Of each channel.
    channels: Vec<Affine<E>>,
    /// No number of its result exceeds it.
    bound: f64,
}

/// The parameters of the step at hand.
#[derive(Default)]
struct Numbers<E: Element> {
    drawn: Vec<f32>,
    widened: Vec<E>,
    bias: Vec<E>,
    taps: Vec<E>,
    convolution: ConvolutionWeights<E>,
    /// Of the 1x1 convolution after a depthwise one.
    pointwise: DenseWeights<E>,
}

impl<E: Element> Executor<E> {
    /// An executor for one thread that has not run anything yet.
    pub fn new(level: Level) -> Self {
        Executor {
            level,
            parallel: false,
            lanes: Vec::new(),
            kept: Vec::new(),
            moments: Vec::new(),
            affines: Vec::new(),
            bounds: Vec::new(),
            signs: Vec::new(),
            spare: Vec::new(),
            numbers: Numbers::default(),
            scratch: RefCell::default(),
        }
    }

    /// Lets each layer use all threads of the current rayon pool: for single large networks. The
    /// results are the same.
    #[must_use]
    pub fn parallel(mut self, parallel: bool) -> Self {
        self.parallel = parallel;
        self
    }

    /// Runs a network.
    ///
    /// With a cache, values that it holds are not computed again, and values that it expects to be
    /// needed are left there.
    ///
    /// # Errors
    /// If the batch does not fit the network, weights are missing, or numbers within the network are not finite.
    pub fn run(
        &mut self,
        plan: &Plan,
        batch: &Batch<E>,
        weights: Weights<'_>,
        cache: Option<&mut ValueCache<E>>,
        observer: &mut impl Observer,
    ) -> Result<(), RunError>
    where
        E: crate::Element,
    {
        E::run(self, plan, batch, weights, cache, observer)
    }

    /// [`run`](Self::run) for the type at hand.
    pub(crate) fn execute(
        &mut self,
        plan: &Plan,
        batch: &Batch<E>,
        weights: Weights<'_>,
        mut cache: Option<&mut ValueCache<E>>,
        observer: &mut dyn Observer,
    ) -> Result<(), RunError> {
        let expected = plan.graph().shape(plan.graph().input());
        if batch.shape() != expected {
            return Err(RunError::InputShape { expected, found: batch.shape() });
        }
        if batch.samples() == 0 {
            return Err(RunError::NoSamples);
        }
        self.prepare(plan, batch)?;
        let done = self.steps(plan, batch, weights, cache.as_deref_mut(), observer);
        if let Some(cache) = cache {
            for (index, (slot, lanes)) in plan.slots.iter().zip(&mut self.kept).enumerate() {
                let Some(lanes) = lanes.take() else { continue };
                match (&done, self.bounds[index]) {
                    (Ok(()), Some(bound)) => {
                        let moments = if slot.moments { self.moments[index].clone() } else { Vec::new() };
                        cache.keep(slot.key, lanes, moments, bound);
                    }
                    _ => cache.take_back(lanes),
                }
            }
            cache.release(plan);
        }
        done
    }

    /// Does all steps that are needed.
    fn steps(
        &mut self,
        plan: &Plan,
        batch: &Batch<E>,
        weights: Weights<'_>,
        mut cache: Option<&mut ValueCache<E>>,
        observer: &mut dyn Observer,
    ) -> Result<(), RunError> {
        let mut wanted: Vec<bool> = plan.relus().iter().map(|relu| observer.wants(relu)).collect();
        let needed = needed_steps(plan, &wanted, cache.as_deref());
        for (step, needed) in plan.steps.iter().zip(needed) {
            match needed {
                Needed::No => continue,
                Needed::Signs => self.capture(plan, step, batch, cache.as_deref(), &wanted, weights)?,
                Needed::Target => self.step(plan, step, batch, cache.as_deref_mut(), &wanted, weights)?,
            }
            for relu in step.work.sources().filter_map(|source| source.relu) {
                if std::mem::take(&mut wanted[relu]) {
                    let info = &plan.relus()[relu];
                    let words = std::mem::take(&mut self.signs[relu]);
                    let (units, samples) = (info.shape.elements(), batch.samples());
                    let of_units = &words[..units * batch.blocks()];
                    observer.observe(info, Signs::new(of_units, units, samples));
                    self.spare.push(words);
                }
            }
        }
        Ok(())
    }

    /// A wanted value of the last run, `[sample][channel][row][column]`.
    ///
    /// Returns `None` if the plan was not made to keep it.
    pub fn value(&self, plan: &Plan, batch: &Batch<E>, value: ValueId) -> Option<Vec<f64>> {
        let (_, kept) = plan.kept.iter().find(|(kept, _)| *kept == value)?;
        let slot = &plan.slots[*kept];
        let (layout, shape) = (slot.layout(), slot.shape);
        let lanes = if *kept == 0 { batch.lanes() } else { &self.lanes[slot.range(batch.blocks())] };
        let mut numbers = Vec::with_capacity(batch.samples() * shape.elements());
        for sample in 0..batch.samples() {
            let block = &lanes[sample / SAMPLES * layout.lanes()..][..layout.lanes()];
            let planes = swapnas_lanes::Planes::new(block, layout);
            for channel in 0..shape.channels {
                for row in 0..shape.height as isize {
                    let row = planes.row(channel, row, 0..shape.width as isize);
                    numbers.extend(row.iter().map(|lane| lane.0[sample % SAMPLES].to_f64()));
                }
            }
        }
        Some(numbers)
    }

    /// For each batch normalisation of the last run, its result and the mean and biased variance of each
    /// channel of what it normalised. Those that nothing wanted depends on are not there.
    pub(crate) fn statistics(&self, plan: &Plan) -> impl Iterator<Item = (ValueId, Vec<(f64, f64)>)> {
        plan.affines.iter().map(|normalisation| {
            let moments = &self.moments[normalisation.slot][normalisation.channels.clone()];
            let statistics = moments.iter().map(|moments| (moments.mean, moments.variance())).collect();
            (normalisation.value, statistics)
        })
    }

    fn prepare(&mut self, plan: &Plan, batch: &Batch<E>) -> Result<(), RunError> {
        let lanes = plan.lanes * batch.blocks();
        if self.lanes.len() < lanes {
            // Given back first, so that there are never both.
            self.lanes = Vec::new();
            if self.parallel {
                let bytes = lanes.saturating_mul(size_of::<Lane<E>>());
                self.lanes.try_reserve_exact(lanes).map_err(|_| RunError::Memory { bytes })?;
                // Touching new memory takes as long as much of the work to be done in it.
                (0..lanes).into_par_iter().map(|_| Lane::ZERO).collect_into_vec(&mut self.lanes);
            } else {
                self.lanes = new_lanes(lanes)?;
            }
        }
        self.kept.clear();
        self.kept.resize_with(plan.slots.len(), || None);
        if self.moments.len() < plan.slots.len() {
            self.moments.resize_with(plan.slots.len(), Vec::new);
        }
        for (moments, slot) in self.moments.iter_mut().zip(&plan.slots) {
            moments.clear();
            if slot.moments {
                moments.resize(slot.shape.channels, Moments::default());
            }
        }
        self.affines.clear();
        self.affines.resize_with(plan.affines.len(), || None);
        self.bounds.clear();
        self.bounds.resize(plan.slots.len(), None);
        self.bounds[0] = Some(batch.largest());
        self.spare.extend(self.signs.drain(..).filter(|words| !words.is_empty()));
        self.signs.resize_with(plan.relus().len(), Vec::new);
        Ok(())
    }

    /// Appends the numbers of a parameter, as the executor's number type.
    fn load(
        numbers: &mut Vec<f32>,
        graph: &Graph,
        id: ParamId,
        weights: Weights<'_>,
        out: &mut Vec<E>,
    ) -> Result<(), RunError> {
        let param = graph.param(id);
        // No more than it takes, as `Plan::bytes_of_weights` says.
        out.reserve_exact(param.len());
        match weights {
            Weights::Drawn(draw) => {
                numbers.clear();
                numbers.reserve_exact(param.len());
                draw.fill(param, numbers);
                out.extend(numbers.iter().map(|&x| E::from_f64(x.into())));
            }
            Weights::Loaded(tensors) => {
                out.extend(tensors.param(param)?.iter().map(|&x| E::from_f64(x.into())));
            }
        }
        Ok(())
    }
}

fn grow<T: Clone>(buffer: &mut Vec<T>, len: usize, value: T) {
    if buffer.len() < len {
        buffer.resize(len, value);
    }
}

/// Why a step has to be done.
#[derive(Clone, Copy, PartialEq)]
enum Needed {
    No,
    /// Only for the signs of what it reads.
    Signs,
    Target,
}

/// What has to be done for the wanted signs and values, given what is in the cache.
fn needed_steps<E: Element>(plan: &Plan, wanted: &[bool], cache: Option<&ValueCache<E>>) -> Vec<Needed> {
    let mut slots = vec![false; plan.slots.len()];
    let need = |slots: &mut Vec<bool>, slot: SlotId| {
        let known = cache.is_some_and(|cache| cache.has(&plan.slots[slot]));
        slots[slot] |= !known;
    };
    for (_, slot) in &plan.kept {
        slots[*slot] = true;
    }
    let mut steps = vec![Needed::No; plan.steps.len()];
    for (step, needed) in plan.steps.iter().zip(&mut steps).rev() {
        if step.target.as_ref().is_some_and(|target| slots[target.slot]) {
            *needed = Needed::Target;
            for source in step.work.sources() {
                need(&mut slots, source.slot);
            }
        } else {
            for source in step.work.sources().filter(|s| s.relu.is_some_and(|relu| wanted[relu])) {
                *needed = Needed::Signs;
                need(&mut slots, source.slot);
            }
        }
    }
    steps
}

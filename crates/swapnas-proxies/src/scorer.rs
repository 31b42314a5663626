//! Scoring many networks.

use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;
use swapnas_graph::{
    Batch, BatchError, Draw, Executor, Graph, Init, Key, Level, Plan, RunError, Shape, Tensors, ValueCache,
    Want, Weights,
};
use swapnas_spaces::{Arch, NetworkConfig, NetworkError, Space};

use crate::inputs::{InputError, InputSpec};
use crate::observe::PatternCollector;
use crate::{Evidence, Metric, Needs, Undefined};

/// How networks are scored.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What is computed.
    pub metrics: Vec<Metric>,
    /// The images.
    pub inputs: InputSpec,
    /// Number of images.
    pub batch: usize,
    /// How many sets of weights every network is scored with; the score is the mean.
    pub repeats: u32,
    /// Seed of images and weights.
    pub seed: u64,
    /// How weights are drawn.
    pub init: Init,
    /// Whether networks share weights.
    pub sharing: Sharing,
    /// The instructions to use; the scores do not depend on them.
    pub level: Level,
}

/// Whether networks share weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sharing {
    /// The same operation on the same input in the same place has the same weights in every network.
    /// Scores compare better, and what networks have in common is computed once.
    #[default]
    Shared,
    /// Every network draws its own.
    Independent,
}

/// Something that keeps networks from being scored.
#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    /// The images cannot be had.
    #[error(transparent)]
    Inputs(#[from] InputError),
    /// The network cannot be built.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The network cannot be run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The file of tensors has no images.
    #[error("{path} has no tensor `input` of shape [images, channels, rows, columns]{}", found.as_ref().map(|shape| format!("; the one that it has is {shape:?}")).unwrap_or_default())]
    NoInput {
        /// The file.
        path: String,
        /// The shape of `input`, if there is one.
        found: Option<Vec<usize>>,
    },
    /// Tensors do not have the numbers that their shape says.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// Nothing would be computed.
    #[error("networks cannot be scored {0} times; give a number of repeats from 1 on")]
    NoRepeats(u32),
}

/// What is known of a network after scoring it.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// Parameters of the scored network.
    pub params: u64,
    /// Multiply-accumulate operations of the scored network for one image.
    pub macs: u64,
    /// ReLU units for one image, repeated ones included.
    pub units: u64,
    /// The metrics, in the order of the settings.
    pub scores: Vec<Result<Score, Undefined>>,
    /// The most distinct patterns that there could be, and the mean that there were.
    pub saturation: Option<Saturation>,
}

/// A score over several sets of weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Mean.
    pub mean: f64,
    /// Sample standard deviation; 0 if there was one set only.
    pub std: f64,
}

/// How close the number of patterns is to its ceiling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Saturation {
    /// Mean number of distinct patterns over the ceiling, from 0 to 1.
    pub ratio: f64,
    /// What the ceiling is.
    pub ceiling: Ceiling,
}

/// What bounds the number of distinct patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ceiling {
    /// 2^S patterns of S samples.
    Batch,
    /// One pattern for every unit.
    Units,
}

impl Saturation {
    /// From this ratio on a score is said to be saturated.
    pub const LIMIT: f64 = 0.95;

    fn new(patterns: f64, units: u64, samples: usize) -> Self {
        let of_batch = (samples as f64).exp2();
        let (ceiling, most) = if of_batch <= units as f64 {
            (Ceiling::Batch, of_batch)
        } else {
            (Ceiling::Units, units as f64)
        };
        Saturation { ratio: patterns / most, ceiling }
    }

    /// Whether the score says little, being close to its ceiling.
    pub fn is_saturated(&self) -> bool {
        self.ratio >= Self::LIMIT
    }
}

/// Watches the work, and may stop it.
pub trait Progress: Sync {
    /// So much more of the work is done, in networks.
    fn advance(&self, networks: f64);

    /// Whether to stop after the network at hand.
    fn stopped(&self) -> bool;
}

/// Nobody watches.
impl Progress for () {
    fn advance(&self, _networks: f64) {}

    fn stopped(&self) -> bool {
        false
    }
}

/// Scores architectures of one space.
pub struct Scorer {
    space: &'static dyn Space,
    network: NetworkConfig,
    settings: Settings,
    needs: Needs,
    batch: Batch,
    tensors: Option<Tensors>,
}

/// Architectures that are planned and scored together. More share more, and need more memory.
const CHUNK: usize = 256;

/// Memory of the values that networks share, for each thread.
const CACHE_BYTES: usize = 48 << 20;

impl Scorer {
    /// A scorer that draws images and weights.
    ///
    /// # Errors
    /// If the images cannot be had.
    pub fn new(
        space: &'static dyn Space,
        network: NetworkConfig,
        settings: Settings,
    ) -> Result<Self, ScoreError> {
        let images = settings.inputs.draw(network.input, settings.batch, settings.seed)?;
        let batch = Batch::from_nchw(images.count, images.shape(), &images.data)?;
        Scorer::with_batch(space, network, settings, batch, None)
    }

    /// A scorer that takes images (tensor `input`) and weights (by name) from a file. There is one
    /// set of weights, so there are no repeats.
    ///
    /// # Errors
    /// If the file has no images.
    pub fn with_tensors(
        space: &'static dyn Space,
        network: NetworkConfig,
        settings: Settings,
        tensors: Tensors,
    ) -> Result<Self, ScoreError> {
        let path = || tensors.path().display().to_string();
        let input = tensors.get("input").ok_or_else(|| ScoreError::NoInput { path: path(), found: None })?;
        let &[samples, channels, height, width] = input.shape.as_slice() else {
            return Err(ScoreError::NoInput { path: path(), found: Some(input.shape.clone()) });
        };
        let batch = Batch::from_nchw(samples, Shape::new(channels, height, width), &input.numbers)?;
        let network = NetworkConfig { input: batch.shape(), ..network };
        let settings = Settings { batch: samples, repeats: 1, ..settings };
        Scorer::with_batch(space, network, settings, batch, Some(tensors))
    }

    fn with_batch(
        space: &'static dyn Space,
        network: NetworkConfig,
        settings: Settings,
        batch: Batch,
        tensors: Option<Tensors>,
    ) -> Result<Self, ScoreError> {
        if settings.repeats == 0 {
            return Err(ScoreError::NoRepeats(0));
        }
        let needs = settings.metrics.iter().fold(Needs::NONE, |needs, m| needs.or(m.definition().needs));
        Ok(Scorer { space, network, settings, needs, batch, tensors })
    }

    /// The space of the architectures.
    pub fn space(&self) -> &'static dyn Space {
        self.space
    }

    /// The file of images and weights, if they are not drawn.
    pub fn tensors(&self) -> Option<&Path> {
        self.tensors.as_ref().map(Tensors::path)
    }

    /// The network that architectures are built into.
    pub fn network(&self) -> &NetworkConfig {
        &self.network
    }

    /// How networks are scored.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Scores architectures on all threads of the current rayon pool.
    ///
    /// The score of an architecture depends on it and on the settings alone: not on the others, nor on
    /// threads or order. When `progress` stops the work, those that are not done are `None`.
    ///
    /// # Errors
    /// If one of the networks cannot be built or run.
    pub fn score(&self, archs: &[Arch], progress: &impl Progress) -> Result<Vec<Option<Scored>>, ScoreError> {
        let mut scored = Vec::with_capacity(archs.len());
        for chunk in archs.chunks(CHUNK) {
            if progress.stopped() {
                break;
            }
            scored.extend(self.chunk(chunk, progress)?);
        }
        scored.resize_with(archs.len(), || None);
        Ok(scored)
    }

    fn chunk(&self, archs: &[Arch], progress: &impl Progress) -> Result<Vec<Option<Scored>>, ScoreError> {
        let networks: Vec<Network> =
            archs.par_iter().map(|arch| self.plan(arch)).collect::<Result<_, ScoreError>>()?;
        let repeats = if self.needs == Needs::NONE { 1 } else { self.settings.repeats };
        let work = Work { scorer: self, networks: &networks, share: 1.0 / f64::from(repeats), progress };

        // A task is one repeat of some of the networks. Networks that share weights stay together as
        // far as there is work for every thread.
        let threads = rayon::current_num_threads();
        let tasks = repeats as usize * networks.len();
        let alone = tasks < threads;
        let groups = (4 * threads).div_ceil(repeats as usize).min(networks.len()).max(1);
        let group = |index: usize| index * networks.len() / groups..(index + 1) * networks.len() / groups;
        let tasks: Vec<(u32, Range<usize>)> =
            (0..groups).flat_map(|g| (0..repeats).map(move |repeat| (repeat, group(g)))).collect();
        // As many memories as threads, kept from task to task: what the system hands out anew, page by
        // page, is slow, and what is given back to the allocator is not always used again.
        let memories = Mutex::new(Vec::new());
        let lock = || memories.lock().unwrap_or_else(PoisonError::into_inner);
        let run = |(repeat, group): (u32, Range<usize>)| {
            let kept = lock().pop();
            let mut memory = kept.unwrap_or_else(|| Memory {
                executor: Executor::new(self.settings.level).parallel(alone),
                patterns: PatternCollector::new(self.batch.samples()),
            });
            let measured = work.run(&mut memory, repeat, group);
            lock().push(memory);
            measured
        };
        let runs: Vec<Vec<Option<Measured>>> = if alone {
            tasks.into_iter().map(run).collect::<Result<_, _>>()?
        } else {
            tasks.into_par_iter().map(run).collect::<Result<_, _>>()?
        };
        let by_group = runs.chunks_exact(repeats as usize);
        let of_network = |index: usize| {
            let group = by_group
                .clone()
                .zip((0..groups).map(group))
                .find(|(_, range)| range.contains(&index))
                .map(|(runs, range)| runs.iter().map(move |run| run[index - range.start].as_ref()));
            group.into_iter().flatten()
        };
        Ok(networks
            .iter()
            .enumerate()
            .map(|(index, network)| {
                let measured: Option<Vec<&Measured>> = of_network(index).collect();
                measured.map(|measured| self.summary(network.plan.graph(), &measured))
            })
            .collect())
    }

    fn plan(&self, arch: &Arch) -> Result<Network, ScoreError> {
        let graph = Arc::new(self.space.network(arch, &self.network)?);
        let plan = Plan::new(graph, &Want { signs: self.needs.patterns, values: Vec::new() });
        let key = match self.settings.sharing {
            Sharing::Shared => None,
            Sharing::Independent => Some(Key::of((self.space.name(), arch.genes()))),
        };
        Ok(Network { plan, key })
    }

    fn summary(&self, graph: &Graph, repeats: &[&Measured]) -> Scored {
        let scores = (0..self.settings.metrics.len())
            .map(|metric| {
                let values =
                    repeats.iter().map(|m| m.values[metric].clone()).collect::<Result<Vec<_>, _>>()?;
                Ok(Score::of(&values))
            })
            .collect();
        let units = graph.relu_units();
        let patterns: Vec<f64> = repeats.iter().filter_map(|m| m.patterns).map(|n| n as f64).collect();
        let saturation = (!patterns.is_empty() && units > 0)
            .then(|| Saturation::new(Score::of(&patterns).mean, units, self.batch.samples()));
        Scored { params: graph.parameter_count(), macs: graph.macs(), units, scores, saturation }
    }
}

impl Score {
    fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Score { mean, std: if values.len() > 1 { (squares / (n - 1.0)).sqrt() } else { 0.0 } }
    }
}

struct Network {
    plan: Plan,
    /// Whose weights it has; `None` if they are shared.
    key: Option<Key>,
}

/// What one repeat says of a network.
struct Measured {
    values: Vec<Result<f64, Undefined>>,
    patterns: Option<usize>,
}

/// What tasks do their work in, one after the other.
struct Memory {
    executor: Executor,
    patterns: PatternCollector,
}

struct Work<'a, P> {
    scorer: &'a Scorer,
    networks: &'a [Network],
    /// The share of a network's work that one repeat is.
    share: f64,
    progress: &'a P,
}

impl<P: Progress> Work<'_, P> {
    /// One repeat of a group of networks.
    fn run(
        &self,
        memory: &mut Memory,
        repeat: u32,
        group: Range<usize>,
    ) -> Result<Vec<Option<Measured>>, ScoreError> {
        let Scorer { settings, needs, batch, tensors, .. } = self.scorer;
        let networks = &self.networks[group];
        let Memory { executor, patterns } = memory;
        let mut cache = None;
        if settings.sharing == Sharing::Shared && tensors.is_none() && networks.len() > 1 {
            let cache = cache.insert(ValueCache::new(CACHE_BYTES));
            for network in networks {
                cache.expect(&network.plan);
                patterns.expect(&network.plan);
            }
        }
        let mut measured = Vec::with_capacity(networks.len());
        for Network { plan, key } in networks {
            if self.progress.stopped() {
                break;
            }
            let mut evidence = Evidence::new(plan.graph(), None);
            if needs.patterns {
                let weights = match tensors {
                    Some(tensors) => Weights::Loaded(tensors),
                    None => Weights::Drawn(Draw {
                        init: settings.init,
                        seed: settings.seed,
                        repeat: repeat.into(),
                        network: *key,
                    }),
                };
                patterns.begin();
                executor.run(plan, batch, weights, cache.as_mut(), patterns)?;
                patterns.release(plan);
                evidence = Evidence::new(plan.graph(), Some(patterns.patterns()));
            }
            let values = settings.metrics.iter().map(|metric| metric.of(&evidence)).collect();
            let patterns = needs.patterns.then(|| patterns.patterns().len());
            measured.push(Some(Measured { values, patterns }));
            self.progress.advance(self.share);
        }
        measured.resize_with(networks.len(), || None);
        Ok(measured)
    }
}

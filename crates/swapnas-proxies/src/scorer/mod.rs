//! Scoring many networks.

mod agenda;
mod plan;
mod scored;
mod settings;
mod work;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;
use rayon::prelude::*;
use swapnas_graph::{Batch, Key, Shape, Tensors};
use swapnas_spaces::{Arch, NetworkConfig, Space};

pub use scored::{Ceiling, Saturation, Score, Scored};
pub use settings::{Precision, ScoreError, Settings, Sharing, UnknownPrecision};

use crate::definition::{Needs, Precise};
use crate::trial::{Material, Source, Thin};
use agenda::Agenda;
use plan::Planned;
use work::{Measured, Memories, Work};

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
    agenda: Agenda,
    thin: Option<Thin>,
    material: Shown,
    tensors: Option<Tensors>,
}

/// What networks are shown, in the precision in which they compute.
enum Shown {
    Single(Material<f32>),
    Double(Material<f64>),
}

/// Architectures that are planned together. More share more, and need more memory.
const CHUNK: usize = 256;

/// Multiply-accumulates that networks which are scored together take, more or less: some seconds of
/// work, which is what may be lost when somebody stops it.
const CHUNK_MACS: u64 = 200_000_000_000;

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
        let agenda = Agenda::new(&settings)?;
        let Shape { channels, height, width } = network.input;
        let sizes = [settings.batch, channels, height, width];
        // As numbers of a picture, and once more as lanes.
        let numbers = sizes.into_iter().fold(2, usize::saturating_mul);
        settings.precision.check_memory("the images", numbers)?;
        let example = || space.sample(&mut Xoshiro256PlusPlus::seed_from_u64(0));
        let thin = if agenda.needs.thin { Thin::find(space, &example(), &network) } else { None };
        let source = Source {
            inputs: &settings.inputs,
            shape: network.input,
            batch: settings.batch,
            classes: network.classes,
            seed: settings.seed,
            thin: thin.map(|Thin(config)| config.input),
        };
        let material = match settings.precision {
            Precision::Single => Shown::Single(Material::draw(&source, agenda.needs)?),
            Precision::Double => Shown::Double(Material::draw(&source, agenda.needs)?),
        };
        Ok(Scorer { space, network, settings, agenda, thin, material, tensors: None })
    }

    /// A scorer that takes images (tensor `input`) and weights (by name) from a file. There is one
    /// set of weights, so there are no repeats.
    ///
    /// # Errors
    /// If the file has no images, or a metric needs more than images and weights.
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
        let shape = Shape::new(channels, height, width);
        let network = NetworkConfig { input: shape, ..network };
        let settings = Settings { batch: samples, repeats: Some(1), ..settings };
        let agenda = Agenda::new(&settings)?;
        if let Some(metric) = settings.metrics.iter().find(|metric| metric.needs() != Needs::NONE) {
            return Err(ScoreError::TensorsMetric { metric: metric.to_string() });
        }
        let seed = settings.seed;
        let material = match settings.precision {
            Precision::Single => {
                Shown::Single(Material::given(Batch::from_nchw(samples, shape, &input.numbers)?, seed))
            }
            Precision::Double => {
                Shown::Double(Material::given(Batch::from_nchw(samples, shape, &input.numbers)?, seed))
            }
        };
        Ok(Scorer { space, network, settings, agenda, thin: None, material, tensors: Some(tensors) })
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
    /// threads or order. Networks that are known to give the same are run once: equal ones with equal weights,
    /// and if no more than patterns are read, those whose ReLUs are the same. When
    /// `progress` stops the work, those that are not done are `None`.
    ///
    /// # Errors
    /// If one of the networks cannot be built or run.
    pub fn score(&self, archs: &[Arch], progress: &dyn Progress) -> Result<Vec<Option<Scored>>, ScoreError> {
        match &self.material {
            Shown::Single(material) => self.score_in(material, archs, progress),
            Shown::Double(material) => self.score_in(material, archs, progress),
        }
    }

    fn score_in<E: Precise>(
        &self,
        material: &Material<E>,
        archs: &[Arch],
        progress: &dyn Progress,
    ) -> Result<Vec<Option<Scored>>, ScoreError> {
        let mut scored: Vec<Option<Scored>> = vec![None; archs.len()];
        // Where the first network of each key is, and its patterns, if that is all it has been run for.
        let mut known: HashMap<Key, (usize, Option<Measured>)> = HashMap::new();
        let patterns_alone = self.agenda.of_passes.is_empty();
        let memories = Memories::default();
        for (chunk, archs) in archs.chunks(CHUNK).enumerate() {
            if progress.stopped() {
                break;
            }
            let planned: Vec<Planned> =
                archs.par_iter().map(|arch| self.plan(arch)).collect::<Result<_, ScoreError>>()?;
            let (mut unknown, mut others) = (Vec::new(), Vec::new());
            for (index, planned) in (chunk * CHUNK..).zip(planned) {
                match known.entry(planned.key) {
                    Entry::Vacant(first) => {
                        first.insert((index, None));
                        unknown.push((index, planned));
                    }
                    Entry::Occupied(_) => others.push((index, planned)),
                }
            }
            let cost = |planned: &Planned| planned.graph().macs() * self.agenda.passes(self.settings.batch);
            let mut rest: &[(usize, Planned)] = &unknown;
            while !rest.is_empty() && !progress.stopped() {
                let mut macs = 0;
                let fits = |(_, planned): &&(usize, Planned)| {
                    macs += cost(planned);
                    macs <= CHUNK_MACS
                };
                let (part, after) = rest.split_at(rest.iter().take_while(fits).count().max(1));
                rest = after;
                let networks: Vec<&Planned> = part.iter().map(|(_, planned)| planned).collect();
                let (networks, memories) = (&*networks, &memories);
                let measured = Work { scorer: self, material, networks, memories, progress }.measure()?;
                for ((index, planned), measured) in part.iter().zip(measured) {
                    scored[*index] = measured.as_ref().map(|found| self.scored(planned.graph(), found));
                    let counts = measured.filter(|_| patterns_alone).map(|measured| measured.counts);
                    let patterns = counts.map(|counts| Measured { counts, ..Measured::default() });
                    known.insert(planned.key, (*index, patterns));
                }
            }
            for (index, planned) in others {
                scored[index] = match &known[&planned.key] {
                    (_, Some(patterns)) => Some(self.scored(planned.graph(), patterns)),
                    // A network that is equal in everything.
                    (first, None) => scored[*first].clone(),
                };
                if scored[index].is_some() {
                    progress.advance(1.0);
                }
            }
        }
        Ok(scored)
    }
}

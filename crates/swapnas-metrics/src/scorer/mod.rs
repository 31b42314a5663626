//! Scoring many networks.

mod agenda;
mod graphs;
mod plan;
mod refused;
mod scored;
mod settings;
mod work;

use std::path::Path;
use std::sync::Arc;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;
use swapnas_graph::{Batch, Key, Shape, Tensors};
use swapnas_spaces::{Arch, NetworkConfig, NetworkError, Space};

pub use graphs::GraphScorer;
pub use refused::{Outcome, Refusals, Refused};
pub use scored::{Ceiling, Saturation, Score, Scored};
pub use settings::{Precision, Remedy, ScoreError, Settings, Sharing, UnknownPrecision};

use crate::definition::Needs;
use crate::inputs::check_tokens;
use crate::trial::{Network, SharedInputs, SmallestNetwork};
use crate::{Metric, metrics};
use agenda::Agenda;
use graphs::{Reads, Shown};
use plan::Planned;

/// Watches the work, and may stop it.
pub trait Progress: Sync {
    /// So many more networks are done, with all sets of weights: what [`Scorer::score`] returns has them, even
    /// if it is stopped now.
    fn advance(&self, networks: f64);

    /// Whether to stop. Every thread asks before each network that it runs with one set of weights, and those
    /// that are not done with all sets are lost: a group of networks that share values, at most.
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
    smallest: Option<SmallestNetwork>,
    graphs: GraphScorer,
}

impl Scorer {
    /// A scorer that draws images and weights.
    ///
    /// # Errors
    /// If the images cannot be had.
    pub fn new(
        space: &'static dyn Space,
        network: NetworkConfig,
        mut settings: Settings,
    ) -> Result<Self, ScoreError> {
        settle(&mut settings, space, &network)?;
        let agenda = Agenda::new(&settings)?;
        let example = || space.sample(&mut Xoshiro256PlusPlus::seed_from_u64(0));
        let smallest =
            if agenda.needs.smallest { SmallestNetwork::find(space, &example(), &network) } else { None };
        let shape_of_thin = smallest.map(|SmallestNetwork(config)| config.input);
        let vocabulary = space.vocabulary();
        if vocabulary.is_some() {
            settings.inputs = settings.inputs.for_texts();
        }
        let reads =
            Reads { vocabulary, smallest: shape_of_thin, ..Reads::images(network.input, network.classes) };
        let graphs = GraphScorer::with_agenda(reads, settings, agenda, Remedy::Build)?;
        Ok(Scorer { space, network, smallest, graphs })
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
        let input = tensors.images()?.ok_or_else(|| ScoreError::NoInput { path: path(), found: None })?;
        let (samples, shape) = match (space.vocabulary(), input.shape.as_slice()) {
            (None, &[samples, channels, height, width]) => (samples, Shape::new(channels, height, width)),
            (Some(_), &[samples, tokens]) => (samples, Shape::new(1, 1, tokens)),
            _ => return Err(ScoreError::NoInput { path: path(), found: Some(input.shape.clone()) }),
        };
        if let Some(vocabulary) = space.vocabulary() {
            check_tokens(&input.numbers, shape.width, vocabulary)?;
        }
        let network = NetworkConfig { input: shape, ..network };
        let mut settings = Settings { batch: samples, repeats: Some(1), ..settings };
        settle(&mut settings, space, &network)?;
        let agenda = Agenda::new(&settings)?;
        if let Some(metric) = settings.metrics.iter().find(|metric| metric.needs() != Needs::NONE) {
            return Err(ScoreError::TensorsMetric { metric: metric.to_string() });
        }
        let seed = settings.seed;
        let shared = match settings.precision {
            Precision::Single => {
                Shown::Single(SharedInputs::given(Batch::from_nchw(samples, shape, &input.numbers)?, seed))
            }
            Precision::Double => {
                Shown::Double(SharedInputs::given(Batch::from_nchw(samples, shape, &input.numbers)?, seed))
            }
        };
        let graphs = GraphScorer { settings, agenda, shared, tensors: Some(tensors), remedy: Remedy::Build };
        Ok(Scorer { space, network, smallest: None, graphs })
    }

    /// The space of the architectures.
    pub fn space(&self) -> &'static dyn Space {
        self.space
    }

    /// The file of images and weights, if they are not drawn.
    pub fn tensors(&self) -> Option<&Path> {
        self.graphs.tensors.as_ref().map(Tensors::path)
    }

    /// The network that architectures are built into.
    pub fn network(&self) -> &NetworkConfig {
        &self.network
    }

    /// How networks are scored.
    pub fn settings(&self) -> &Settings {
        &self.graphs.settings
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
        Ok(refused::none(self.score_each(archs, Refusals::Errors, progress)?))
    }

    /// The same; what becomes of those that cannot be scored is for `refusals` to say.
    ///
    /// # Errors
    /// If nothing can be scored at all; if a refusal is an error, then of the first.
    pub fn score_each(
        &self,
        archs: &[Arch],
        refusals: Refusals,
        progress: &dyn Progress,
    ) -> Result<Vec<Option<Outcome>>, ScoreError> {
        self.graphs.score_planned(archs, |arch| arch, |arch| self.plan(arch), refusals, progress)
    }

    fn plan(&self, arch: &Arch) -> Result<Planned, ScoreError> {
        let graph = Arc::new(self.space.network(arch, &self.network)?);
        let own = Key::of((self.space.name(), arch.genes()));
        self.graphs.plan(graph, own, |graph, needs| {
            Network::new(self.space, arch, &self.network, graph, needs, self.smallest.as_ref())
        })
    }
}

/// Gives metrics that have arguments by the sizes of the space these.
fn settle(settings: &mut Settings, space: &dyn Space, network: &NetworkConfig) -> Result<(), NetworkError> {
    if settings.metrics.iter().any(Metric::is_open) {
        let fitting = metrics::fitting(space, network)?;
        let fit = |mu| metrics::regularisation(mu, fitting);
        settings.metrics.iter_mut().for_each(|metric| metric.settle(fit, false));
    }
    Ok(())
}

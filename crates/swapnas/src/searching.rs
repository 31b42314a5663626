use std::path::PathBuf;

use swapnas_metrics::inputs::InputSpec;
use swapnas_metrics::{Columns, Sharing};
use swapnas_search::{
    AlgorithmKind, Configuration, LatencyTable, Limits, SearchError, SecondObjective, Target, regularisation,
};
use swapnas_spaces::{NetworkConfig, Preset, Space};

use crate::{ImageSize, Scoring, plain};

/// How to search, as users ask for it.
#[derive(Clone)]
pub struct Searching {
    /// How architectures are scored. The search goes by the first of the metrics: that of
    /// [`Scoring::default_metrics`] if there are none.
    pub scoring: Scoring,
    /// The algorithm.
    pub algorithm: AlgorithmKind,
    /// Architectures that it works on.
    pub population: usize,
    /// How many of them are drawn in a cycle.
    pub sample: usize,
    /// Cycles.
    pub cycles: usize,
    /// Mutants scored in each cycle.
    pub mutations: usize,
    /// Limits of the network that is to be trained.
    pub limits: Limits,
    /// How long operations take.
    pub latency: Option<LatencyTable>,
    /// What counts besides the score.
    pub second: SecondObjective,
    /// Parameters that the network to be trained should have: sets mu and sigma of `swap-reg`.
    pub target_params: Option<u64>,
    /// Channels of the network to be trained; as the space has it if `None`.
    pub final_channels: Option<usize>,
    /// Its cells.
    pub final_cells: Option<usize>,
    /// The size of its images: that of the scored network's if one is asked for there, else as the space has it.
    pub final_size: Option<ImageSize>,
}

impl Searching {
    /// SWAP-NAS with the numbers of the paper.
    pub fn new(scoring: Scoring) -> Self {
        Searching {
            scoring,
            algorithm: AlgorithmKind::SwapNas,
            population: 20,
            sample: 10,
            cycles: 200,
            mutations: 5,
            limits: Limits::default(),
            latency: None,
            second: SecondObjective::Params,
            target_params: None,
            final_channels: None,
            final_cells: None,
            final_size: None,
        }
    }

    /// Whether all cells are alike: a network of a single cell shows nothing of the other kind of cell.
    fn one_cell(&self) -> bool {
        self.scoring.network().preset == Preset::Swap && self.scoring.space.one_cell().is_some()
    }

    /// The space that is searched: where the scored network has one cell, the part of the space whose cells are alike.
    pub fn space(&self) -> &'static dyn Space {
        self.scoring.space.one_cell().filter(|_| self.one_cell()).unwrap_or(self.scoring.space)
    }

    /// The network that is to be trained, which limits are about.
    pub fn final_network(&self) -> NetworkConfig {
        let scored = self.scoring.network();
        let trained = self.space().final_network();
        NetworkConfig {
            channels: self.final_channels.or(trained.channels),
            cells: self.final_cells.or(trained.cells),
            classes: scored.classes,
            input: match self.final_size {
                Some(size) => size.shape(trained.input),
                None if self.scoring.size.is_some() => scored.input,
                None => trained.input,
            },
            ..trained
        }
    }

    /// Everything that the result depends on, and what a size that was asked for came to.
    ///
    /// # Errors
    /// If the metrics cannot be read, or a size is asked for that cannot be aimed at.
    pub fn configuration(&self) -> Result<(Configuration, Option<Target>), SearchError> {
        let scoring = &self.scoring;
        if matches!(scoring.inputs, InputSpec::Array(_)) {
            return Err(SearchError::Asked(
                "a run could not be resumed without its images; save them with numpy.save, and give npy:FILE"
                    .to_owned(),
            ));
        }
        let scored = scoring.network();
        let one_cell = self.one_cell();
        let space = self.space();
        let trained = self.final_network();
        // The first of what is computed by default.
        let metric = scoring.default_metrics().split(',').next().unwrap_or_default();
        let mut metrics = scoring.metrics.clone().unwrap_or_else(|| metric.to_owned());
        Columns::parse(&metrics, &scoring.proxies).map_err(|error| SearchError::Asked(error.to_string()))?;
        let mut target = None;
        if let Some(params) = self.target_params {
            if scoring.metrics.as_deref().is_some_and(|metrics| metrics != "swap-reg") {
                return Err(SearchError::Asked(format!(
                    "--target-params sets mu and sigma of swap-reg; leave out --metrics {}",
                    plain(&metrics)
                )));
            }
            let found = regularisation(space, &scored, &trained, params)?;
            metrics = format!("swap-reg:mu={}:sigma={}", found.mu, found.sigma);
            target = Some(found);
        }
        let configuration = Configuration {
            space: scoring.space.name().to_owned(),
            one_cell,
            scored: (&scored).into(),
            trained: (&trained).into(),
            metrics,
            proxies: scoring.proxies.clone(),
            inputs: match scoring.space.vocabulary() {
                Some(_) => scoring.inputs.for_texts().to_string(),
                None => scoring.inputs.to_string(),
            },
            batch: scoring.batch,
            repeats: scoring.repeats,
            seed: scoring.seed,
            init: scoring.init.map(|init| init.to_string()),
            independent: scoring.sharing == Sharing::Independent,
            precision: scoring.precision.to_string(),
            algorithm: self.algorithm,
            population: self.population,
            sample: self.sample,
            cycles: self.cycles,
            mutations: self.mutations,
            limits: self.limits,
            latency: self.latency.clone(),
            second: self.second,
        };
        Ok((configuration, target))
    }
}

/// The folder of a run that is given none: the first of `swapnas-search`, `swapnas-search-2`, ... that does
/// not exist yet. None if there are thousands.
pub fn free_folder() -> Option<PathBuf> {
    const NAME: &str = "swapnas-search";
    let names = std::iter::once(NAME.to_owned()).chain((2..10_000).map(|n| format!("{NAME}-{n}")));
    names.map(PathBuf::from).find(|path| !path.exists())
}

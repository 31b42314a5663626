use std::path::PathBuf;

use swapnas_metrics::Columns;
use swapnas_metrics::inputs::{InputSpec, SpecError};
use swapnas_search::{Configuration, SearchError, Target, regularisation};
use swapnas_spaces::{NetworkConfig, Preset, Space};

use crate::{Scoring, ScoringOptions, SearchOptions};

/// How to search a space.
#[derive(Clone)]
pub struct Searching {
    /// How architectures are scored. The search goes by the first of the metrics: that of
    /// [`Scoring::default_metrics`] if there are none.
    pub scoring: Scoring,
    /// How they are searched.
    pub options: SearchOptions,
}

impl Searching {
    /// SWAP-NAS with the numbers of the paper.
    pub fn new(scoring: Scoring) -> Self {
        Searching { scoring, options: SearchOptions::default() }
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
        let network = self.options.trained.change(self.space().final_network());
        let follows = self.options.trained.size.is_none() && self.scoring.options.network.size.is_some();
        NetworkConfig {
            input: if follows { scored.input } else { network.input },
            classes: scored.classes,
            ..network
        }
    }

    /// Everything that the result depends on, and what a size that was asked for came to.
    ///
    /// # Errors
    /// If the metrics cannot be read, or a size is asked for that cannot be aimed at.
    pub fn configuration(&self) -> Result<(Configuration, Option<Target>), SearchError> {
        let scoring = &self.scoring;
        if matches!(scoring.options.inputs, InputSpec::Array(_)) {
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
        let mut metrics = scoring.options.metrics.clone().unwrap_or_else(|| metric.to_owned());
        Columns::parse(&metrics, &scoring.proxies).map_err(|error| SearchError::Asked(error.to_string()))?;
        let mut target = None;
        if let Some(params) = self.options.target_params {
            if scoring.options.metrics.as_deref().is_some_and(|metrics| metrics != "swap-reg") {
                return Err(SearchError::Target(metrics));
            }
            let found = regularisation(space, &scored, &trained, params)?;
            metrics = format!("swap-reg:mu={}:sigma={}", found.mu, found.sigma);
            target = Some(found);
        }
        let inputs = &scoring.options.inputs;
        let inputs = match scoring.space.vocabulary() {
            Some(_) => inputs.for_texts().to_string(),
            None => inputs.to_string(),
        };
        let configuration = Configuration {
            space: scoring.space.name().to_owned(),
            one_cell,
            scoring: ScoringOptions {
                metrics: Some(metrics),
                // As it will be kept.
                inputs: inputs.parse().map_err(|error: SpecError| SearchError::Asked(error.to_string()))?,
                network: (&scored).into(),
                ..scoring.options.clone()
            },
            proxies: scoring.proxies.clone(),
            search: SearchOptions { target_params: None, trained: (&trained).into(), ..self.options.clone() },
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

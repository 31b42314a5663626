use swapnas_formats::onnx::Images;
use swapnas_graph::{Level, LevelError, Tensors};
use swapnas_metrics::{ColumnError, Columns, Proxies, ScoreError, Scorer, Settings};
use swapnas_spaces::{NetworkConfig, Space};

use crate::{ImageSize, NetworkOptions, ScoringOptions};

/// How to score architectures of a space.
///
/// ```
/// use swapnas::{Scoring, ScoringOptions};
///
/// let space = swapnas::space("nb201")?;
/// let options = ScoringOptions { metrics: Some("swap,params".into()), batch: 8, ..ScoringOptions::default() };
/// let scoring = Scoring { options, ..Scoring::new(space) };
/// let scored = scoring.scorer()?.score(&swapnas::sample(space, 3, 0), &())?;
/// assert_eq!(scored.iter().flatten().count(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Scoring {
    /// The space of the architectures.
    pub space: &'static dyn Space,
    /// Metrics of one's own, which those of `options` may name.
    pub proxies: Proxies,
    /// What users ask for. Metrics are those of [`default_metrics`](Self::default_metrics) if there are none, and the
    /// network is the [small one](Space::scored_network).
    pub options: ScoringOptions,
}

/// A way of scoring that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScoringError {
    /// The metrics cannot be read.
    #[error(transparent)]
    Metrics(#[from] ColumnError),
    /// The processor does not have the instructions that the environment asks for.
    #[error(transparent)]
    Level(#[from] LevelError),
    /// The images cannot be had.
    #[error(transparent)]
    Score(#[from] ScoreError),
}

impl Scoring {
    /// What is computed unless something else is asked for; networks are ranked by the first.
    pub const METRICS: &str = "swap-plus,swap,params,macs";

    /// The same for networks of texts, whose order `swap-plus` does not tell, and depth and width tell best: see
    /// docs/benchmarks.md.
    pub const METRICS_OF_TEXTS: &str = "blocks,az-expressivity,swap,params,macs";

    /// Scores as they are where nothing else is asked for.
    pub fn new(space: &'static dyn Space) -> Self {
        Scoring { space, proxies: Proxies::default(), options: ScoringOptions::default() }
    }

    /// The network that is scored.
    pub fn network(&self) -> NetworkConfig {
        let NetworkOptions { preset, .. } = self.options.network;
        self.options.network.change(match preset {
            None => self.space.scored_network(),
            Some(preset) => NetworkConfig { preset, ..self.space.default_network() },
        })
    }

    /// The images that ONNX files are read for.
    pub fn images(&self) -> Images {
        match self.options.network.size {
            None => Images::OfFile,
            Some(ImageSize::Side(side)) => Images::Side(side),
            Some(ImageSize::Shape(shape)) => Images::Shape(shape),
        }
    }

    /// What is computed unless something else is asked for.
    pub fn default_metrics(&self) -> &'static str {
        if self.space.vocabulary().is_some() { Self::METRICS_OF_TEXTS } else { Self::METRICS }
    }

    /// What is computed.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn columns(&self) -> Result<Columns, ColumnError> {
        Columns::parse(self.options.metrics.as_deref().unwrap_or(self.default_metrics()), &self.proxies)
    }

    /// A scorer that draws images and weights.
    ///
    /// # Errors
    /// If the metrics cannot be read, or the images cannot be had.
    pub fn scorer(&self) -> Result<Scorer, ScoringError> {
        Ok(Scorer::new(self.space, self.network(), self.settings(&self.columns()?)?)?)
    }

    /// A scorer that takes images and weights from a file.
    ///
    /// # Errors
    /// If the metrics cannot be read, or need more than the file holds.
    pub fn scorer_of(&self, tensors: Tensors) -> Result<Scorer, ScoringError> {
        Ok(Scorer::with_tensors(self.space, self.network(), self.settings(&self.columns()?)?, tensors)?)
    }

    /// How to compute `columns`.
    ///
    /// # Errors
    /// If the environment asks for instructions that the processor does not have.
    pub fn settings(&self, columns: &Columns) -> Result<Settings, LevelError> {
        Ok(self.options.settings(columns, Level::from_env()?))
    }
}

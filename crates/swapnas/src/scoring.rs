use swapnas_graph::{Init, Level, LevelError, Shape, Tensors};
use swapnas_proxies::inputs::InputSpec;
use swapnas_proxies::{ColumnError, Columns, Precision, ScoreError, Scorer, Settings, Sharing};
use swapnas_spaces::{NetworkConfig, Preset, Space};

/// How to score, as users ask for it: what is `None` is as the space or the metrics have it.
///
/// ```
/// use swapnas::Scoring;
///
/// let space = swapnas::space("nb201")?;
/// let scoring = Scoring { metrics: Some("swap,params".into()), cells: Some(1), ..Scoring::new(space) };
/// let scored = scoring.scorer()?.score(&swapnas::sample(space, 3, 0), &())?;
/// assert_eq!(scored.iter().flatten().count(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Scoring {
    /// The space of the architectures.
    pub space: &'static dyn Space,
    /// Metrics and aggregates, as [`Columns`] are written; [`Scoring::METRICS`] if there are none.
    pub metrics: Option<String>,
    /// The images.
    pub inputs: InputSpec,
    /// Number of images.
    pub batch: usize,
    /// How many sets of weights every network is scored with; each metric's own number if `None`.
    pub repeats: Option<u32>,
    /// Seed of images, weights and samples.
    pub seed: u64,
    /// How weights are drawn; each metric's own way if `None`.
    pub init: Option<Init>,
    /// Whether networks share weights.
    pub sharing: Sharing,
    /// The numbers that networks compute with.
    pub precision: Precision,
    /// Which of the space's networks is scored.
    pub network: Option<Preset>,
    /// Channels of its first stage.
    pub channels: Option<usize>,
    /// Its cells, or cells of each stage.
    pub cells: Option<usize>,
    /// Height and width of the images.
    pub size: Option<usize>,
    /// Its classes.
    pub classes: Option<usize>,
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
    /// What is computed unless something else is asked for.
    pub const METRICS: &str = "swap,swap-reg,params,macs";

    /// Scores as they are where nothing else is asked for.
    pub fn new(space: &'static dyn Space) -> Self {
        Scoring {
            space,
            metrics: None,
            inputs: InputSpec::default(),
            batch: 16,
            repeats: None,
            seed: 0,
            init: None,
            sharing: Sharing::Shared,
            precision: Precision::Single,
            network: None,
            channels: None,
            cells: None,
            size: None,
            classes: None,
        }
    }

    /// The network that is scored.
    pub fn network(&self) -> NetworkConfig {
        let mut network = self.space.default_network();
        if let Some(preset) = self.network {
            network = NetworkConfig { preset, ..network };
        }
        let Shape { channels, height, width } = network.input;
        let (height, width) = self.size.map_or((height, width), |size| (size, size));
        NetworkConfig {
            channels: self.channels,
            cells: self.cells,
            input: Shape::new(channels, height, width),
            classes: self.classes.unwrap_or(network.classes),
            ..network
        }
    }

    /// What is computed.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn columns(&self) -> Result<Columns, ColumnError> {
        self.metrics.as_deref().unwrap_or(Self::METRICS).parse()
    }

    /// A scorer that draws images and weights.
    ///
    /// # Errors
    /// If the metrics cannot be read, or the images cannot be had.
    pub fn scorer(&self) -> Result<Scorer, ScoringError> {
        Ok(Scorer::new(self.space, self.network(), self.settings()?)?)
    }

    /// A scorer that takes images and weights from a file.
    ///
    /// # Errors
    /// If the metrics cannot be read, or need more than the file holds.
    pub fn scorer_of(&self, tensors: Tensors) -> Result<Scorer, ScoringError> {
        Ok(Scorer::with_tensors(self.space, self.network(), self.settings()?, tensors)?)
    }

    fn settings(&self) -> Result<Settings, ScoringError> {
        Ok(Settings {
            metrics: self.columns()?.metrics().to_vec(),
            inputs: self.inputs.clone(),
            batch: self.batch,
            repeats: self.repeats,
            seed: self.seed,
            init: self.init,
            sharing: self.sharing,
            level: Level::from_env()?,
            precision: self.precision,
        })
    }
}

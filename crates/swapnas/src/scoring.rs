use swapnas_formats::onnx::Images;
use swapnas_graph::{Init, Level, LevelError, Shape, Tensors};
use swapnas_metrics::inputs::InputSpec;
use swapnas_metrics::{ColumnError, Columns, Precision, Proxies, ScoreError, Scorer, Settings, Sharing};
use swapnas_spaces::{NetworkConfig, Preset, Space};

/// The size of images, where it is not the network's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageSize {
    /// Height and width, with as many channels as the network has by itself; tokens, if it reads texts.
    Side(usize),
    /// Everything.
    Shape(Shape),
}

impl ImageSize {
    /// The shape, where `own` is the network's own.
    pub fn shape(self, own: Shape) -> Shape {
        match self {
            // A text is an image of one row.
            ImageSize::Side(tokens) if own.height == 1 => Shape::new(own.channels, 1, tokens),
            ImageSize::Side(side) => Shape::new(own.channels, side, side),
            ImageSize::Shape(shape) => shape,
        }
    }
}

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
    /// Metrics and aggregates, as [`Columns`] are written; those of [`default_metrics`](Self::default_metrics) if there
    /// are none.
    pub metrics: Option<String>,
    /// Metrics of one's own, which `metrics` may name.
    pub proxies: Proxies,
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
    /// Which of the space's networks is scored; its [small one](Space::scored_network) if `None`.
    pub network: Option<Preset>,
    /// Channels of its first stage.
    pub channels: Option<usize>,
    /// Its cells, or cells of each stage.
    pub cells: Option<usize>,
    /// Size of the images.
    pub size: Option<ImageSize>,
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
    /// What is computed unless something else is asked for; networks are ranked by the first.
    pub const METRICS: &str = "swap-plus,swap,params,macs";

    /// The same for networks of texts, whose order `swap-plus` does not tell, and depth and width tell best: see
    /// docs/benchmarks.md.
    pub const METRICS_OF_TEXTS: &str = "blocks,az-expressivity,swap,params,macs";

    /// Scores as they are where nothing else is asked for.
    pub fn new(space: &'static dyn Space) -> Self {
        Scoring {
            space,
            metrics: None,
            proxies: Proxies::default(),
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
        let network = match self.network {
            None => self.space.scored_network(),
            Some(preset) => NetworkConfig { preset, ..self.space.default_network() },
        };
        NetworkConfig {
            channels: self.channels.or(network.channels),
            cells: self.cells.or(network.cells),
            input: self.size.map_or(network.input, |size| size.shape(network.input)),
            classes: self.classes.unwrap_or(network.classes),
            ..network
        }
    }

    /// The images that ONNX files are read for.
    pub fn images(&self) -> Images {
        match self.size {
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
        Columns::parse(self.metrics.as_deref().unwrap_or(self.default_metrics()), &self.proxies)
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
        Ok(Settings {
            metrics: columns.metrics().to_vec(),
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

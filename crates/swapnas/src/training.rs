//! How to train, as the command and Python ask for it.

use swapnas_graph::Shape;
use swapnas_metrics::inputs::{InputSpec, Shapes};
use swapnas_spaces::{NetworkConfig, Preset, Space};
use swapnas_train::benchmark::Plan;
use swapnas_train::{Augmentation, Dataset, DatasetError, Optimiser, Settings};

use crate::ImageSize;

/// How to train architectures of a space: what is not given follows from the space and its images.
///
/// ```
/// use swapnas::Training;
/// use swapnas::graph::Level;
/// use swapnas::train::Trainer;
///
/// let space = swapnas::space("nb201")?;
/// let training = Training {
///     channels: Some(4),
///     size: Some(swapnas::ImageSize::Side(8)),
///     train_images: 64,
///     validation_images: 32,
///     epochs: 1,
///     ..Training::new(space)
/// };
/// let data = training.data()?;
/// let arch = &swapnas::sample(space, 1, 0)[0];
/// let graph = space.network(arch, &training.network(data.classes()))?;
/// let mut trainer = Trainer::<f32>::new(graph, training.settings(), Level::best())?;
/// let epoch = trainer.epoch(&data, &mut || true)?;
/// assert!(epoch.is_some_and(|epoch| epoch.accuracy <= 100.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Training {
    /// The space.
    pub space: &'static dyn Space,
    /// Where labelled images come from.
    pub inputs: InputSpec,
    /// Images to train with.
    pub train_images: usize,
    /// Images to validate on.
    pub validation_images: usize,
    /// Times that all images are seen.
    pub epochs: usize,
    /// Images of a step.
    pub batch: usize,
    /// What is done with gradients, but for what follows.
    pub optimiser: Optimiser,
    /// The highest learning rate.
    pub rate: Option<f64>,
    /// Momentum, or beta1.
    pub momentum: Option<f64>,
    /// Decay of weights.
    pub weight_decay: Option<f64>,
    /// Epochs over which the learning rate rises.
    pub warmup: usize,
    /// Share of labels that is spread over all classes.
    pub label_smoothing: f64,
    /// Whether images are mirrored.
    pub flip: bool,
    /// Pixels by which images are moved at most; an eighth of their shorter side if `None`.
    pub crop: Option<usize>,
    /// Side of a square that is cut out.
    pub cutout: usize,
    /// How likely it is that a branch is left out in the last epoch.
    pub drop_path: f64,
    /// Seed of everything.
    pub seed: u64,
    /// Which network; the one that is scored by default if `None`.
    pub network: Option<Preset>,
    /// Channels of its first stage.
    pub channels: Option<usize>,
    /// Its cells, or cells of each stage.
    pub cells: Option<usize>,
    /// The size of images.
    pub size: Option<ImageSize>,
}

impl Training {
    /// With what is usual for small networks.
    pub fn new(space: &'static dyn Space) -> Self {
        let Plan { train, validation, settings, .. } = Plan::new(space);
        Training {
            space,
            inputs: InputSpec::Shapes(Shapes::default()),
            train_images: train,
            validation_images: validation,
            epochs: settings.epochs,
            batch: settings.batch,
            optimiser: settings.optimiser,
            rate: None,
            momentum: None,
            weight_decay: None,
            warmup: settings.warmup,
            label_smoothing: settings.label_smoothing,
            flip: settings.augmentation.flip,
            crop: None,
            cutout: settings.augmentation.cutout,
            drop_path: settings.drop_path,
            seed: settings.seed,
            network: None,
            channels: None,
            cells: None,
            size: None,
        }
    }

    /// The network that is trained, for so many classes.
    pub fn network(&self, classes: usize) -> NetworkConfig {
        let own = match self.network {
            None => self.space.scored_network(),
            Some(preset) => {
                NetworkConfig { preset, channels: None, cells: None, ..self.space.default_network() }
            }
        };
        NetworkConfig {
            channels: self.channels.or(own.channels),
            cells: self.cells.or(own.cells),
            input: self.size.map_or(own.input, |size| size.shape(own.input)),
            classes,
            ..own
        }
    }

    /// How it is trained.
    pub fn settings(&self) -> Settings {
        let Shape { height, width, .. } = self.images();
        let augmentation = Augmentation {
            flip: self.flip,
            crop: self.crop.unwrap_or(height.min(width) / 8),
            cutout: self.cutout,
        };
        let mut optimiser = self.optimiser;
        let (Optimiser::Sgd { rate, momentum: memory, weight_decay, .. }
        | Optimiser::AdamW { rate, beta1: memory, weight_decay, .. }) = &mut optimiser;
        *rate = self.rate.unwrap_or(*rate);
        *memory = self.momentum.unwrap_or(*memory);
        *weight_decay = self.weight_decay.unwrap_or(*weight_decay);
        Settings {
            epochs: self.epochs,
            batch: self.batch,
            optimiser,
            warmup: self.warmup,
            label_smoothing: self.label_smoothing,
            augmentation,
            drop_path: self.drop_path,
            seed: self.seed,
        }
    }

    /// The labelled images.
    ///
    /// # Errors
    /// If they cannot be had, or have no labels.
    pub fn data(&self) -> Result<Dataset, DatasetError> {
        let (train, validation) = (self.train_images, self.validation_images);
        Dataset::draw(&self.inputs, self.images(), train, validation, self.seed)
    }

    /// A benchmark of so many networks, each trained so many times.
    pub fn plan(&self, networks: usize, seeds: usize) -> Plan {
        let NetworkConfig { preset, channels, cells, input, .. } = self.network(1);
        Plan {
            space: self.space.name().to_owned(),
            networks,
            seeds,
            seed: self.seed,
            network: preset.to_string(),
            channels,
            cells,
            input: [input.channels, input.height, input.width],
            inputs: self.inputs.to_string(),
            train: self.train_images,
            validation: self.validation_images,
            settings: self.settings(),
        }
    }

    fn images(&self) -> Shape {
        self.network(1).input
    }
}

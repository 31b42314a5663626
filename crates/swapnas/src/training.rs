//! How to train, as the command and Python ask for it.

use swapnas_graph::Shape;
use swapnas_spaces::{NetworkConfig, Space};
use swapnas_train::benchmark::Plan;
use swapnas_train::{Augmentation, Dataset, DatasetError, Optimiser, Settings};

use crate::TrainingOptions;

/// How to train architectures of a space.
///
/// ```
/// use swapnas::{ImageSize, NetworkOptions, Training, TrainingOptions};
/// use swapnas::graph::Level;
/// use swapnas::train::Trainer;
///
/// let space = swapnas::space("nb201")?;
/// let network = NetworkOptions { channels: Some(4), size: Some(ImageSize::Side(8)), ..NetworkOptions::default() };
/// let options = TrainingOptions {
///     train_images: 64,
///     validation_images: 32,
///     epochs: 1,
///     network,
///     ..TrainingOptions::default()
/// };
/// let training = Training { space, options };
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
    /// How to train them.
    pub options: TrainingOptions,
}

impl Training {
    /// The network that is trained, for so many classes.
    pub fn network(&self, classes: usize) -> NetworkConfig {
        let own = match self.options.network.preset {
            None => self.space.scored_network(),
            Some(preset) => {
                NetworkConfig { preset, channels: None, cells: None, ..self.space.default_network() }
            }
        };
        NetworkConfig { classes, ..self.options.network.change(own) }
    }

    /// How it is trained.
    pub fn settings(&self) -> Settings {
        let Shape { height, width, .. } = self.images();
        let options = &self.options;
        let augmentation = Augmentation {
            flip: options.flip,
            crop: options.crop.unwrap_or(height.min(width) / 8),
            cutout: options.cutout,
        };
        let mut optimiser = options.optimiser;
        let (Optimiser::Sgd { rate, momentum: memory, weight_decay, .. }
        | Optimiser::AdamW { rate, beta1: memory, weight_decay, .. }) = &mut optimiser;
        *rate = options.rate.unwrap_or(*rate);
        *memory = options.momentum.unwrap_or(*memory);
        *weight_decay = options.weight_decay.unwrap_or(*weight_decay);
        Settings {
            epochs: options.epochs,
            batch: options.batch,
            optimiser,
            warmup: options.warmup,
            label_smoothing: options.label_smoothing,
            augmentation,
            drop_path: options.drop_path,
            seed: options.seed,
        }
    }

    /// The labelled images.
    ///
    /// # Errors
    /// If they cannot be had, or have no labels.
    pub fn data(&self) -> Result<Dataset, DatasetError> {
        let TrainingOptions { ref inputs, train_images, validation_images, seed, .. } = self.options;
        Dataset::draw(inputs, self.images(), train_images, validation_images, seed)
    }

    /// A benchmark of so many networks, each trained so many times.
    pub fn plan(&self, networks: usize, seeds: usize) -> Plan {
        let NetworkConfig { preset, channels, cells, input, .. } = self.network(1);
        Plan {
            space: self.space.name().to_owned(),
            networks,
            seeds,
            seed: self.options.seed,
            network: preset.to_string(),
            channels,
            cells,
            input: [input.channels, input.height, input.width],
            inputs: self.options.inputs.to_string(),
            train: self.options.train_images,
            validation: self.options.validation_images,
            settings: self.settings(),
        }
    }

    fn images(&self) -> Shape {
        self.network(1).input
    }
}

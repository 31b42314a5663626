//! What a benchmark is made of.

use serde::{Deserialize, Serialize};
use swapnas_graph::Shape;
use swapnas_metrics::inputs::{InputSpec, SpecError};
use swapnas_spaces::{NetworkConfig, Preset, Space, UnknownPreset, UnknownSpace, by_name};

use crate::error::{SettingsError, within};
use crate::{Dataset, DatasetError, Settings};

/// What a benchmark is made of: everything that its accuracies depend on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The search space.
    pub space: String,
    /// How many architectures are trained.
    pub networks: usize,
    /// How often each is trained, with other seeds, from that of `settings` on.
    pub seeds: usize,
    /// Seed of the sample of architectures and of the images.
    pub seed: u64,
    /// Which of the space's networks.
    pub network: String,
    /// Channels of the first stage.
    pub channels: Option<usize>,
    /// Cells, or cells of each stage.
    pub cells: Option<usize>,
    /// Channels, height and width of the images.
    pub input: [usize; 3],
    /// Where the images come from.
    pub inputs: String,
    /// Images to train with.
    pub train: usize,
    /// Images to validate on.
    pub validation: usize,
    /// How each network is trained.
    pub settings: Settings,
}

/// A plan that cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// No space is called that.
    #[error(transparent)]
    Space(#[from] UnknownSpace),
    /// No network is called that.
    #[error(transparent)]
    Preset(#[from] UnknownPreset),
    /// The images cannot be understood.
    #[error(transparent)]
    Inputs(#[from] SpecError),
    /// A number is out of range.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Nothing can be learnt from the images.
    #[error(transparent)]
    Data(#[from] DatasetError),
}

/// Images to train with, unless said otherwise.
pub const TRAIN_IMAGES: usize = 2000;
/// Images to validate on, unless said otherwise.
pub const VALIDATION_IMAGES: usize = 1000;
/// Times that a network sees all images, unless said otherwise.
pub const EPOCHS: usize = 5;

impl Plan {
    /// A plan for a space: 200 of its architectures, its small network, drawn shapes.
    pub fn new(space: &dyn Space) -> Self {
        let NetworkConfig { preset, channels, cells, input, .. } = space.scored_network();
        Plan {
            space: space.name().to_owned(),
            networks: 200,
            seeds: 1,
            seed: 0,
            network: preset.to_string(),
            channels,
            cells,
            input: [input.channels, input.height, input.width],
            inputs: "shapes".to_owned(),
            train: TRAIN_IMAGES,
            validation: VALIDATION_IMAGES,
            settings: Settings { epochs: EPOCHS, ..Settings::default() },
        }
    }

    /// Looks at all numbers.
    ///
    /// # Errors
    /// If one is out of range.
    pub fn check(&self) -> Result<(), PlanError> {
        within("networks", self.networks as f64, [2.0, 1e6])?;
        within("seeds", self.seeds as f64, [1.0, 1000.0])?;
        within("images to train with", self.train as f64, [self.settings.batch as f64, 1e7])?;
        within("images to validate on", self.validation as f64, [1.0, 1e7])?;
        Ok(self.settings.check()?)
    }

    /// The search space.
    ///
    /// # Errors
    /// If there is none of that name.
    pub fn space(&self) -> Result<&'static dyn Space, PlanError> {
        Ok(by_name(&self.space)?)
    }

    /// The network that architectures are built into, for so many classes.
    ///
    /// # Errors
    /// If no network has that name.
    pub fn network(&self, classes: usize) -> Result<NetworkConfig, PlanError> {
        let preset: Preset = self.network.parse()?;
        let [channels, height, width] = self.input;
        let input = Shape::new(channels, height, width);
        Ok(NetworkConfig { preset, channels: self.channels, cells: self.cells, input, classes })
    }

    /// The images.
    ///
    /// # Errors
    /// If they cannot be had, or have no labels.
    pub fn data(&self) -> Result<Dataset, PlanError> {
        let inputs: InputSpec = self.inputs.parse()?;
        let [channels, height, width] = self.input;
        let shape = Shape::new(channels, height, width);
        Ok(Dataset::draw(&inputs, shape, self.train, self.validation, self.seed)?)
    }
}

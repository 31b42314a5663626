//! What users may ask for, in types. It is kept with a run as it is: an option that a run does not hold, since it is of
//! an earlier version, has its default.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use swapnas_graph::{Init, Level, Shape};
use swapnas_metrics::inputs::InputSpec;
use swapnas_metrics::{Columns, Precision, Settings, Sharing};
use swapnas_spaces::{NetworkConfig, Preset};

use crate::{AlgorithmKind, LatencyTable, Limits, SecondObjective};

/// The size of images, where it is not the network's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Sides", into = "Sides")]
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

impl fmt::Display for ImageSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ImageSize::Side(side) => side.fmt(f),
            ImageSize::Shape(Shape { channels, height, width }) => write!(f, "{channels}x{height}x{width}"),
        }
    }
}

/// A text that is no size of images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give channels, height and width as in 3x32x32, or one number for height and width")]
pub struct SizeError;

impl FromStr for ImageSize {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        let numbers: Option<Vec<usize>> = text.split('x').map(|number| number.parse().ok()).collect();
        match numbers.as_deref() {
            Some(&[side]) => Ok(ImageSize::Side(side)),
            Some(&[channels, height, width]) => Ok(ImageSize::Shape(Shape::new(channels, height, width))),
            _ => Err(SizeError),
        }
    }
}

/// A size as it is kept.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Sides {
    Side(usize),
    Shape([usize; 3]),
}

impl From<Sides> for ImageSize {
    fn from(sides: Sides) -> Self {
        match sides {
            Sides::Side(side) => ImageSize::Side(side),
            Sides::Shape([channels, height, width]) => ImageSize::Shape(Shape::new(channels, height, width)),
        }
    }
}

impl From<ImageSize> for Sides {
    fn from(size: ImageSize) -> Self {
        match size {
            ImageSize::Side(side) => Sides::Side(side),
            ImageSize::Shape(Shape { channels, height, width }) => Sides::Shape([channels, height, width]),
        }
    }
}

/// What a network is to be like: what is `None` is as the space has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkOptions {
    /// Which of the space's networks.
    #[serde(with = "text::optional")]
    pub preset: Option<Preset>,
    /// Channels of its first stage.
    pub channels: Option<usize>,
    /// Its cells, or cells of each stage.
    pub cells: Option<usize>,
    /// Size of the images.
    #[serde(rename = "input")]
    pub size: Option<ImageSize>,
    /// Its classes.
    pub classes: Option<usize>,
}

impl NetworkOptions {
    /// The network `own` of a space, but for what is asked for.
    pub fn change(&self, own: NetworkConfig) -> NetworkConfig {
        NetworkConfig {
            channels: self.channels.or(own.channels),
            cells: self.cells.or(own.cells),
            input: self.size.map_or(own.input, |size| size.shape(own.input)),
            classes: self.classes.unwrap_or(own.classes),
            ..own
        }
    }

    /// The network, if nothing is left to the space.
    pub(crate) fn said(&self) -> Option<NetworkConfig> {
        let Some(ImageSize::Shape(input)) = self.size else { return None };
        let NetworkOptions { channels, cells, .. } = *self;
        Some(NetworkConfig { preset: self.preset?, channels, cells, input, classes: self.classes? })
    }
}

impl From<&NetworkConfig> for NetworkOptions {
    fn from(network: &NetworkConfig) -> Self {
        let NetworkConfig { preset, channels, cells, input, classes } = *network;
        let size = Some(ImageSize::Shape(input));
        NetworkOptions { preset: Some(preset), channels, cells, size, classes: Some(classes) }
    }
}

/// How to score networks: what is `None` is as the space or the metrics have it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScoringOptions {
    /// Metrics and aggregates, as [`Columns`] are written.
    pub metrics: Option<String>,
    /// The images.
    #[serde(with = "text")]
    pub inputs: InputSpec,
    /// Number of images.
    pub batch: usize,
    /// How many sets of weights every network is scored with; each metric's own number if `None`.
    pub repeats: Option<u32>,
    /// Seed of images, weights and samples.
    pub seed: u64,
    /// How weights are drawn; each metric's own way if `None`.
    #[serde(with = "text::optional")]
    pub init: Option<Init>,
    /// Whether networks share weights.
    #[serde(rename = "independent", with = "independent")]
    pub sharing: Sharing,
    /// The numbers that networks compute with.
    #[serde(with = "text")]
    pub precision: Precision,
    /// The network that is scored.
    #[serde(rename = "scored")]
    pub network: NetworkOptions,
}

impl Default for ScoringOptions {
    fn default() -> Self {
        ScoringOptions {
            metrics: None,
            inputs: InputSpec::default(),
            batch: 16,
            repeats: None,
            seed: 0,
            init: None,
            sharing: Sharing::Shared,
            precision: Precision::Single,
            network: NetworkOptions::default(),
        }
    }
}

impl ScoringOptions {
    /// How to compute `columns`; `level` does not change results.
    pub fn settings(&self, columns: &Columns, level: Level) -> Settings {
        Settings {
            metrics: columns.metrics().to_vec(),
            inputs: self.inputs.clone(),
            batch: self.batch,
            repeats: self.repeats,
            seed: self.seed,
            init: self.init,
            sharing: self.sharing,
            level,
            precision: self.precision,
        }
    }
}

/// How to search. By default as SWAP-NAS does, with the numbers of the paper.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SearchOptions {
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
    /// What counts besides the score.
    pub second: SecondObjective,
    /// Parameters that the network to be trained should have: sets mu and sigma of `swap-reg`. A run holds these in its
    /// metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_params: Option<u64>,
    /// Limits of the network that is to be trained.
    pub limits: Limits,
    /// How long operations take.
    pub latency: Option<LatencyTable>,
    /// The network that is to be trained. Its images have the size of the scored network's, if one is asked for there
    /// and none here.
    pub trained: NetworkOptions,
}

impl Default for SearchOptions {
    fn default() -> Self {
        SearchOptions {
            algorithm: AlgorithmKind::SwapNas,
            population: 20,
            sample: 10,
            cycles: 200,
            mutations: 5,
            second: SecondObjective::Params,
            target_params: None,
            limits: Limits::default(),
            latency: None,
            trained: NetworkOptions::default(),
        }
    }
}

/// Values that are kept as the texts that users write.
mod text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }

    /// Those that need not be there.
    pub(super) mod optional {
        use super::*;

        pub(in super::super) fn serialize<T: Display, S: Serializer>(
            value: &Option<T>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match value {
                Some(value) => serializer.collect_str(value),
                None => serializer.serialize_none(),
            }
        }

        pub(in super::super) fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
        where
            T: FromStr<Err: Display>,
            D: Deserializer<'de>,
        {
            let text = Option::<String>::deserialize(deserializer)?;
            text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
        }
    }
}

/// Sharing is kept as whether there is none.
mod independent {
    use serde::{Deserialize, Deserializer, Serializer};
    use swapnas_metrics::Sharing;

    pub(super) fn serialize<S: Serializer>(sharing: &Sharing, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(*sharing == Sharing::Independent)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Sharing, D::Error> {
        let independent = bool::deserialize(deserializer)?;
        Ok(if independent { Sharing::Independent } else { Sharing::Shared })
    }
}

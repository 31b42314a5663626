use std::error::Error;
use std::fmt;
use std::str::FromStr;

use swapnas_graph::grad::GradError;
use swapnas_graph::option::{BATCH, CELLS, CHANNELS, REPEATS, SIZE};
use swapnas_graph::{BatchError, Init, Level, RunError, TensorsError, plain};
use swapnas_spaces::NetworkError;

use crate::definition::Compute;
use crate::inputs::{InputError, InputSpec};
use crate::{MemoryError, Metric};

/// How networks are scored.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What is computed.
    pub metrics: Vec<Metric>,
    /// The images.
    pub inputs: InputSpec,
    /// Number of images.
    pub batch: usize,
    /// How many sets of weights every network is scored with; the score is the mean. Each metric's own
    /// number if `None`.
    pub repeats: Option<u32>,
    /// Seed of images and weights.
    pub seed: u64,
    /// How weights are drawn; each metric's own way if `None`.
    pub init: Option<Init>,
    /// Whether networks share weights.
    pub sharing: Sharing,
    /// The instructions to use; the scores do not depend on them.
    pub level: Level,
    /// The precision of all passes.
    pub precision: Precision,
}

impl Settings {
    /// With how many sets of weights a metric is computed, and how they are drawn; `None` for metrics
    /// that read the graph alone.
    pub fn weights_for(&self, metric: &Metric) -> Option<(u32, Init)> {
        let reads_weights = !matches!(metric.compute(), Compute::Graph(_));
        reads_weights.then(|| {
            (self.repeats.unwrap_or_else(|| metric.repeats()), self.init.unwrap_or_else(|| metric.init()))
        })
    }
}

/// The numbers that networks compute with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits.
    #[default]
    Single,
    /// 64 bits: slow, to hold the other against. Weights and images are the same, rounded to 32 bits.
    Double,
}

impl Precision {
    /// Bytes of a number.
    pub(super) fn bytes(self) -> usize {
        match self {
            Precision::Single => size_of::<f32>(),
            Precision::Double => size_of::<f64>(),
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Precision::Single => "f32",
            Precision::Double => "f64",
        })
    }
}

impl FromStr for Precision {
    type Err = UnknownPrecision;

    fn from_str(name: &str) -> Result<Self, UnknownPrecision> {
        match name {
            "f32" => Ok(Precision::Single),
            "f64" => Ok(Precision::Double),
            _ => Err(UnknownPrecision(name.to_owned())),
        }
    }
}

/// The name of no precision.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no precision `{}`; give f32 or f64", plain(.0))]
pub struct UnknownPrecision(pub String);

/// Whether networks share weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sharing {
    /// The same operation on the same input in the same place has the same weights in every network.
    /// Scores compare better, and what networks have in common is computed once.
    #[default]
    Shared,
    /// Every network draws its own.
    Independent,
}

/// Something that keeps networks from being scored.
#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    /// The images cannot be had.
    #[error(transparent)]
    Inputs(#[from] InputError),
    /// The network cannot be built.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The network cannot be run.
    #[error(transparent)]
    Run(RunError),
    /// The system gave no more memory while a network was run.
    #[error("there is no memory for {bytes} bytes more of the values of a network; {remedy}")]
    NoMore {
        /// Bytes of what was to be written.
        bytes: usize,
        /// What to do.
        remedy: Remedy,
    },
    /// There is not as much memory.
    #[error("{error}; {remedy}")]
    Memory {
        /// How much there is.
        error: MemoryError,
        /// What to do.
        remedy: Remedy,
    },
    /// There is no memory for the results of so many repeats.
    #[error("{0}; lower {REPEATS}")]
    Repeats(MemoryError),
    /// The file of tensors has no images.
    #[error("{} has no tensor `input` of shape [images, channels, rows, columns], or [texts, tokens] for networks of texts{}", plain(path), found.as_ref().map(|shape| format!("; the one that it has is {shape:?}")).unwrap_or_default())]
    NoInput {
        /// The file.
        path: String,
        /// The shape of `input`, if there is one.
        found: Option<Vec<usize>>,
    },
    /// The images of a file of tensors cannot be used.
    #[error(transparent)]
    Tensors(#[from] TensorsError),
    /// Tensors do not have the numbers that their shape says.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// Gradients cannot be taken.
    #[error(transparent)]
    Gradient(GradError),
    /// An image or a text is of a class that the network does not have.
    #[error("a sample has label {label}, but the network has {classes} classes; give it more")]
    Label {
        /// The label, counted from 0.
        label: usize,
        /// How many classes there are.
        classes: usize,
    },
    /// A file of tensors has no second batch of images, no noise and no other networks' weights.
    #[error("the metric {metric} needs more than the images and weights of a file of tensors")]
    TensorsMetric {
        /// The metric.
        metric: String,
    },
    /// A metric of one's own has failed.
    #[error("the metric {metric} has failed: {source}")]
    Proxy {
        /// The metric.
        metric: String,
        /// What it says.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Nothing would be computed.
    #[error("networks cannot be scored {0} times; give a number of repeats from 1 on")]
    NoRepeats(u32),
}

/// What can be done where networks are too large, or too small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// They are built from architectures.
    Build,
    /// They are what they are.
    Show,
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Remedy::Build => write!(f, "lower {BATCH}, {SIZE}, {CHANNELS} or {CELLS}"),
            Remedy::Show => write!(f, "lower {BATCH} or {SIZE}"),
        }
    }
}

impl ScoreError {
    pub(super) fn of_run(error: RunError, remedy: Remedy) -> Self {
        match error {
            RunError::Memory { bytes } => ScoreError::NoMore { bytes, remedy },
            error => ScoreError::Run(error),
        }
    }

    pub(super) fn of_gradient(error: GradError, remedy: Remedy) -> Self {
        match error {
            GradError::Run(error) => ScoreError::of_run(error, remedy),
            error => ScoreError::Gradient(error),
        }
    }

    /// Whether it is about the network that was to be scored, so that others may be scored in the same way.
    pub fn is_of_one_network(&self) -> bool {
        match self {
            ScoreError::Network(NetworkError::Graph(_))
            | ScoreError::Run(_)
            | ScoreError::NoMore { .. }
            | ScoreError::Memory { .. }
            | ScoreError::Gradient(_)
            | ScoreError::Label { .. }
            | ScoreError::Inputs(
                InputError::Size { .. } | InputError::ArrayShape { .. } | InputError::NpyShape { .. },
            ) => true,
            ScoreError::Proxy { source, .. } => source.is::<MemoryError>(),
            ScoreError::Network(_)
            | ScoreError::Inputs(_)
            | ScoreError::Repeats(_)
            | ScoreError::NoInput { .. }
            | ScoreError::Tensors(_)
            | ScoreError::Batch(_)
            | ScoreError::TensorsMetric { .. }
            | ScoreError::NoRepeats(_) => false,
        }
    }
}

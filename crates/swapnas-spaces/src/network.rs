use std::fmt;
use std::str::FromStr;

use swapnas_graph::{GraphError, Shape, plain};

/// Which of a space's networks an architecture is built into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Preset {
    /// The network that the benchmark trained.
    Benchmark,
    /// The small network that the authors' SWAP code scores.
    Swap,
}

impl Preset {
    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Preset::Benchmark => "benchmark",
            Preset::Swap => "swap",
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name of no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no network is called `{}`; the names are benchmark and swap", plain(.0))]
pub struct UnknownPreset(pub String);

impl FromStr for Preset {
    type Err = UnknownPreset;

    fn from_str(name: &str) -> Result<Self, UnknownPreset> {
        [Preset::Benchmark, Preset::Swap]
            .into_iter()
            .find(|p| p.name() == name)
            .ok_or_else(|| UnknownPreset(name.to_owned()))
    }
}

/// What surrounds the architecture in the network that is built from it.
///
/// [`Space::default_network`](crate::Space::default_network) gives one to start from, and
/// [`Space::describe`](crate::Space::describe) says in words what it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NetworkConfig {
    /// Which network.
    pub preset: Preset,
    /// Channels of the first stage; the preset's own if `None`.
    pub channels: Option<usize>,
    /// Number of cells (per stage where the space has stages); the preset's own if `None`.
    pub cells: Option<usize>,
    /// Shape of the images; of texts, one row of as many pixels as there are tokens.
    pub input: Shape,
    /// Number of classes.
    pub classes: usize,
}

/// A network that cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// The space has no such network.
    #[error(
        "the space {space} has no network `{preset}`; it has {}",
        presets.iter().map(|p| p.name()).collect::<Vec<_>>().join(" and ")
    )]
    NoSuchPreset {
        /// The space.
        space: &'static str,
        /// The network asked for.
        preset: Preset,
        /// Those it has.
        presets: &'static [Preset],
    },
    /// A number that no network can have, or that would only exhaust the memory.
    #[error("a network cannot have {value} {what}: give a number from 1 to {max}")]
    OutOfRange {
        /// What the number counts.
        what: &'static str,
        /// The number given.
        value: usize,
        /// The largest that is allowed.
        max: usize,
    },
    /// Something that the architecture itself decides.
    #[error("the number of {what} is part of the architecture in the space {space}; it cannot be set")]
    Fixed {
        /// The space.
        space: &'static str,
        /// What the number counts.
        what: &'static str,
    },
    /// Images for a network that reads texts.
    #[error(
        "networks of the space {space} read texts, which are 1x1 x so many tokens, and not images of {input}"
    )]
    Texts {
        /// The space.
        space: &'static str,
        /// The shape that was asked for.
        input: Shape,
    },
    /// The parts do not fit together.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

/// Limits that keep every count of a network (parameters, operations) far from overflow.
const MAX_CHANNELS: usize = 2048;
const MAX_SIDE: usize = 2048;
const MAX_CELLS: usize = 256;
const MAX_CLASSES: usize = 1_000_000;

impl NetworkConfig {
    /// The network `preset` for images of `input`, otherwise as the preset has it.
    pub const fn new(preset: Preset, input: Shape, classes: usize) -> Self {
        NetworkConfig { preset, channels: None, cells: None, input, classes }
    }

    /// The network in words: `body` between what every configuration has.
    pub fn describe(&self, body: &str) -> String {
        format!("{}: {body}, {}, {}", self.preset, self.input, count(self.classes, "class"))
    }

    /// The number of channels that is `width` in the network whose first stage has `own`.
    pub(crate) fn scaled(&self, own: usize, width: usize) -> usize {
        ((width * self.channels.unwrap_or(own) + own / 2) / own).max(1)
    }

    /// `widths times 8/32, ` where that is another number of channels than `own`.
    pub(crate) fn describe_scale(&self, own: usize) -> String {
        match self.channels {
            Some(channels) if channels != own => format!("widths times {channels}/{own}, "),
            _ => String::new(),
        }
    }

    /// The same of a network that reads texts.
    pub(crate) fn describe_of_texts(&self, body: &str) -> String {
        let (tokens, classes) = (count(self.input.width, "token"), count(self.classes, "class"));
        format!("{}: {body}, {tokens}, {classes}", self.preset)
    }

    /// Checks that a network that reads texts is asked for texts of no more tokens than it knows places of.
    pub(crate) fn check_texts(&self, space: &'static str, most: usize) -> Result<(), NetworkError> {
        if (self.input.channels, self.input.height) != (1, 1) {
            return Err(NetworkError::Texts { space, input: self.input });
        }
        within("tokens", self.input.width, most)
    }

    /// Checks what every space checks.
    pub(crate) fn check(&self, space: &'static str, presets: &'static [Preset]) -> Result<(), NetworkError> {
        if !presets.contains(&self.preset) {
            return Err(NetworkError::NoSuchPreset { space, preset: self.preset, presets });
        }
        within("input channels", self.input.channels, MAX_CHANNELS)?;
        within("rows of pixels", self.input.height, MAX_SIDE)?;
        within("columns of pixels", self.input.width, MAX_SIDE)?;
        within("classes", self.classes, MAX_CLASSES)?;
        within("channels", self.channels.unwrap_or(1), MAX_CHANNELS)?;
        within("cells", self.cells.unwrap_or(1), MAX_CELLS)
    }
}

fn within(what: &'static str, value: usize, max: usize) -> Result<(), NetworkError> {
    if (1..=max).contains(&value) { Ok(()) } else { Err(NetworkError::OutOfRange { what, value, max }) }
}

/// `3 channels`, `1 cell`, `10 classes`: a number with its noun.
pub(crate) fn count(number: usize, noun: &str) -> String {
    let plural = match number {
        1 => "",
        _ if noun.ends_with('s') => "es",
        _ => "s",
    };
    format!("{number} {noun}{plural}")
}

use rand::Rng;
use serde_json::Value;
use swapnas_graph::Graph;

use crate::diagram::Diagram;
use crate::{Arch, NetworkConfig, NetworkError, ParseError, Preset, PrintError};

/// A way of writing the architectures of a space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// The name by which [`Space::print_as`] knows it.
    pub name: &'static str,
    /// An architecture written this way.
    pub example: &'static str,
    /// Who writes it like this, and what the parts mean.
    pub description: &'static str,
}

/// A search space: a set of architectures, ways of writing them, and the network of each.
///
/// It is what metrics, searches and tables see of a space, whatever its architectures are. A new space implements
/// [`TypedSpace`](crate::TypedSpace), whose architectures have a type, and has this for it.
///
/// Methods that take an [`Arch`] expect one of this space and panic on one of another space, whose
/// genes mean nothing here.
pub trait Space: Send + Sync {
    /// The name on the command line, in lower case.
    fn name(&self) -> &'static str;

    /// What the space is and where it comes from, in a line.
    fn description(&self) -> &'static str;

    /// The ways of writing an architecture. The first is the canonical one: it can express every
    /// architecture.
    fn encodings(&self) -> Vec<Encoding>;

    /// The number of architectures that [`sample`](Self::sample) draws from.
    fn size(&self) -> u128;

    /// The networks into which the space builds an architecture, the default one first.
    fn presets(&self) -> &'static [Preset];

    /// The first preset, with the images and classes of the benchmark.
    fn default_network(&self) -> NetworkConfig;

    /// The network that is scored unless another is asked for: the authors' small one where there is one,
    /// otherwise the benchmark's own with 8 channels in its first stage and images of 32x32. It is as deep as
    /// the one that is trained, since scores of shallow networks say less of deep ones, and takes milliseconds.
    fn scored_network(&self) -> NetworkConfig;

    /// The network that is trained once an architecture is found: as a rule the benchmark's own, not one
    /// that is small for the sake of scoring.
    fn final_network(&self) -> NetworkConfig;

    /// How many different tokens the networks know, if they read texts and not images.
    fn vocabulary(&self) -> Option<usize>;

    /// The network that `config` stands for, in words, with all numbers filled in.
    fn describe(&self, config: &NetworkConfig) -> String;

    /// The architecture that `text` describes, in whichever encoding of the space.
    fn parse(&self, text: &str) -> Result<Arch, ParseError>;

    /// The architecture in the canonical encoding.
    fn print(&self, arch: &Arch) -> String;

    /// The architecture in the encoding of that name.
    fn print_as(&self, arch: &Arch, encoding: &str) -> Result<String, PrintError>;

    /// The architecture as an object of named parts.
    fn to_json(&self, arch: &Arch) -> Value;

    /// The architecture that such an object describes.
    fn parse_json(&self, value: &Value) -> Result<Arch, ParseError>;

    /// What the architecture looks like: a diagram for each of its parts. Operations that give zeros are
    /// left out.
    fn diagrams(&self, arch: &Arch) -> Vec<Diagram>;

    /// An architecture drawn uniformly from the space.
    fn sample(&self, rng: &mut dyn Rng) -> Arch;

    /// All architectures that differ from this one in a single gene, each once.
    fn neighbours(&self, arch: &Arch) -> Vec<Arch>;

    /// One of the [neighbours](Self::neighbours), drawn uniformly: never the architecture itself.
    fn mutate(&self, arch: &Arch, rng: &mut dyn Rng) -> Arch;

    /// An architecture that has every gene from one of its parents, drawn uniformly.
    fn crossover(&self, a: &Arch, b: &Arch, rng: &mut dyn Rng) -> Arch;

    /// The architecture that stands for all that compute the same function as this one.
    fn canonical(&self, arch: &Arch) -> Arch;

    /// All architectures, if they are few enough to go through.
    fn all(&self) -> Option<Box<dyn Iterator<Item = Arch> + Send>>;

    /// The part of the space in which all cells of an architecture are alike, if architectures have
    /// several kinds of cells: what to search where the scored network has one kind only.
    fn one_cell(&self) -> Option<&'static dyn Space>;

    /// The architecture built into a network.
    ///
    /// The graph returns the logits and, as its second output, the features that the classifier
    /// reads. Parameters and modules are named as in the PyTorch code of the benchmark.
    fn network(&self, arch: &Arch, config: &NetworkConfig) -> Result<Graph, NetworkError>;
}

use std::fmt;

use rand::Rng;
use rand::seq::IndexedRandom;
use serde_json::{Value, json};
use swapnas_graph::{Graph, Shape};

use crate::diagram::Diagram;
use crate::json::Field;
use crate::space::{Encoding, Space};
use crate::{Arch, NetworkConfig, NetworkError, ParseError, Preset, PrintError};

/// The field of the object that an architecture is unless its space has something to name.
const ARCHITECTURE: &str = "architecture";

/// An architecture in the type that its space has for it, printed in the canonical encoding.
pub trait Architecture: fmt::Display + Clone + Send + 'static {
    /// Its genes. Two architectures that are equal have equal genes, and [`TypedSpace::decode`] reads them.
    fn arch(&self) -> Arch;

    /// The architecture as an object of named parts.
    fn to_json(&self) -> Value {
        json!({ ARCHITECTURE: self.to_string() })
    }

    /// What it looks like: a diagram for each of its parts. Operations that give zeros are left out. A box with its
    /// text, unless the space has something to draw.
    fn diagrams(&self) -> Vec<Diagram> {
        vec![Diagram::chain("architecture", [self.to_string()])]
    }

    /// The architecture that stands for all that compute the same function as this one. Unless the space knows
    /// better, every architecture is a function of its own.
    #[must_use]
    fn canonical(&self) -> Self {
        self.clone()
    }
}

/// How architectures are drawn and changed, by their genes.
///
/// Where every gene is chosen freely, [`Genes`](crate::Genes) are all that it takes.
pub trait Moves: Send + Sync {
    /// See [`Space::size`].
    fn size(&self) -> u128;

    /// See [`Space::sample`].
    fn sample(&self, rng: &mut dyn Rng) -> Arch;

    /// See [`Space::neighbours`].
    fn neighbours(&self, arch: &Arch) -> Vec<Arch>;

    /// See [`Space::crossover`].
    fn crossover(&self, a: &Arch, b: &Arch, rng: &mut dyn Rng) -> Arch;

    /// See [`Space::all`].
    fn all(&self) -> Option<Box<dyn Iterator<Item = Arch> + Send>> {
        None
    }
}

/// A way of writing architectures of type `A`.
pub struct TypedEncoding<A> {
    /// The name by which [`Space::print_as`] knows it.
    pub name: &'static str,
    /// An architecture written this way.
    pub example: &'static str,
    /// Who writes it like this, and what the parts mean.
    pub description: &'static str,
    /// Writes an architecture this way, if it can be.
    pub print: fn(&A) -> Result<String, PrintError>,
}

impl<A> TypedEncoding<A> {
    fn untyped(&self) -> Encoding {
        Encoding { name: self.name, example: self.example, description: self.description }
    }
}

/// What a space says of itself.
pub struct About<A: 'static> {
    /// The name on the command line, in lower case.
    pub name: &'static str,
    /// What the space is and where it comes from, in a line.
    pub description: &'static str,
    /// The ways of writing an architecture. The first is the canonical one, in which architectures print
    /// themselves: it can express every architecture.
    pub encodings: &'static [TypedEncoding<A>],
    /// The networks into which the space builds an architecture, the default one first.
    pub presets: &'static [Preset],
    /// The images of the benchmark; of texts, one row of as many pixels as there are tokens.
    pub input: Shape,
    /// The classes of the benchmark.
    pub classes: usize,
    /// What the cells of a network are called where the architecture says how many there are, so that nobody
    /// else can.
    pub fixed_cells: Option<&'static str>,
}

impl<A> About<A> {
    /// A space whose networks are for images and classes as those of CIFAR-10 are.
    pub const fn new(
        name: &'static str,
        description: &'static str,
        encodings: &'static [TypedEncoding<A>],
    ) -> Self {
        let (presets, input) = (&[Preset::Benchmark], Shape::new(3, 32, 32));
        About { name, description, encodings, presets, input, classes: 10, fixed_cells: None }
    }

    /// The same where the architecture says how many cells there are, which are called `what`.
    #[must_use]
    pub const fn with_fixed_cells(self, what: &'static str) -> Self {
        About { fixed_cells: Some(what), ..self }
    }

    /// The first preset, with the images and classes of the benchmark.
    pub const fn default_network(&self) -> NetworkConfig {
        NetworkConfig::new(self.presets[0], self.input, self.classes)
    }
}

/// A search space whose architectures have a type: what to implement for a new one.
///
/// Whatever implements it is a [`Space`] like the others, which looks architectures up by their genes and hands them
/// on in their own type. `examples/own_space.rs` of the crate `swapnas` has a whole one.
pub trait TypedSpace: Send + Sync {
    /// An architecture.
    type Architecture: Architecture;

    /// What the space says of itself.
    fn about(&self) -> &About<Self::Architecture>;

    /// How architectures are drawn and changed.
    fn moves(&self) -> &dyn Moves;

    /// The architecture of these genes. May panic if they are no architecture's of this space.
    fn decode(&self, arch: &Arch) -> Self::Architecture;

    /// The architecture that `text` describes, in whichever encoding of the space.
    fn parse(&self, text: &str) -> Result<Self::Architecture, ParseError>;

    /// The architecture that such an object describes as [`Architecture::to_json`] makes.
    fn parse_json(&self, value: &Value) -> Result<Self::Architecture, ParseError> {
        let field = Field::object(value, &[ARCHITECTURE])?.get(ARCHITECTURE)?;
        let read = self.parse(field.text("an architecture as text")?);
        read.map_err(|error| ParseError { suggestions: error.suggestions, ..field.error(error.expected) })
    }

    /// The network that `config` stands for, in words, with all numbers filled in.
    fn describe(&self, config: &NetworkConfig) -> String {
        config.describe(self.about().name)
    }

    /// The architecture built into a network. `config` has one of the space's presets, and numbers that networks
    /// can have.
    ///
    /// The graph returns the logits and, as its second output, the features that the classifier
    /// reads. Parameters and modules are named as in the PyTorch code of the benchmark.
    fn network(&self, arch: &Self::Architecture, config: &NetworkConfig) -> Result<Graph, NetworkError>;

    /// The network that is scored unless another is asked for: the authors' small one where there is one,
    /// otherwise the benchmark's own with 8 channels in its first stage and images of 32x32. It is as deep as
    /// the one that is trained, since scores of shallow networks say less of deep ones, and takes milliseconds.
    fn scored_network(&self) -> NetworkConfig {
        let network = self.about().default_network();
        match network.preset {
            Preset::Swap => network,
            Preset::Benchmark => {
                let input = Shape::new(network.input.channels, 32, 32);
                NetworkConfig { channels: Some(8), input, ..network }
            }
        }
    }

    /// The network that is trained once an architecture is found: as a rule the benchmark's own, not one
    /// that is small for the sake of scoring.
    fn final_network(&self) -> NetworkConfig {
        NetworkConfig { preset: Preset::Benchmark, ..self.about().default_network() }
    }

    /// How many different tokens the networks know, if they read texts and not images.
    fn vocabulary(&self) -> Option<usize> {
        None
    }

    /// All architectures in the order of the benchmark, if they are few enough to go through.
    fn all(&self) -> Option<Box<dyn Iterator<Item = Arch> + Send>> {
        self.moves().all()
    }

    /// The part of the space in which all cells of an architecture are alike, if architectures have
    /// several kinds of cells: what to search where the scored network has one kind only.
    fn one_cell(&self) -> Option<&'static dyn Space> {
        None
    }
}

impl<S: TypedSpace> Space for S {
    fn name(&self) -> &'static str {
        self.about().name
    }

    fn description(&self) -> &'static str {
        self.about().description
    }

    fn encodings(&self) -> Vec<Encoding> {
        self.about().encodings.iter().map(TypedEncoding::untyped).collect()
    }

    fn size(&self) -> u128 {
        self.moves().size()
    }

    fn presets(&self) -> &'static [Preset] {
        self.about().presets
    }

    fn default_network(&self) -> NetworkConfig {
        self.about().default_network()
    }

    fn scored_network(&self) -> NetworkConfig {
        TypedSpace::scored_network(self)
    }

    fn final_network(&self) -> NetworkConfig {
        TypedSpace::final_network(self)
    }

    fn vocabulary(&self) -> Option<usize> {
        TypedSpace::vocabulary(self)
    }

    fn describe(&self, config: &NetworkConfig) -> String {
        TypedSpace::describe(self, config)
    }

    fn parse(&self, text: &str) -> Result<Arch, ParseError> {
        Ok(TypedSpace::parse(self, text)?.arch())
    }

    fn print(&self, arch: &Arch) -> String {
        self.decode(arch).to_string()
    }

    fn print_as(&self, arch: &Arch, encoding: &str) -> Result<String, PrintError> {
        let About { name, encodings, .. } = self.about();
        let unknown = || PrintError::UnknownEncoding {
            space: name,
            encoding: encoding.to_owned(),
            known: encodings.iter().map(|e| e.name).collect(),
        };
        let encoding = encodings.iter().find(|e| e.name == encoding).ok_or_else(unknown)?;
        (encoding.print)(&self.decode(arch))
    }

    fn to_json(&self, arch: &Arch) -> Value {
        self.decode(arch).to_json()
    }

    fn parse_json(&self, value: &Value) -> Result<Arch, ParseError> {
        Ok(TypedSpace::parse_json(self, value)?.arch())
    }

    fn diagrams(&self, arch: &Arch) -> Vec<Diagram> {
        self.decode(arch).diagrams()
    }

    fn sample(&self, rng: &mut dyn Rng) -> Arch {
        self.moves().sample(rng)
    }

    fn neighbours(&self, arch: &Arch) -> Vec<Arch> {
        self.moves().neighbours(arch)
    }

    fn mutate(&self, arch: &Arch, rng: &mut dyn Rng) -> Arch {
        self.moves().neighbours(arch).choose(rng).expect("every architecture has neighbours").clone()
    }

    fn crossover(&self, a: &Arch, b: &Arch, rng: &mut dyn Rng) -> Arch {
        self.moves().crossover(a, b, rng)
    }

    fn canonical(&self, arch: &Arch) -> Arch {
        self.decode(arch).canonical().arch()
    }

    fn all(&self) -> Option<Box<dyn Iterator<Item = Arch> + Send>> {
        TypedSpace::all(self)
    }

    fn one_cell(&self) -> Option<&'static dyn Space> {
        TypedSpace::one_cell(self)
    }

    fn network(&self, arch: &Arch, config: &NetworkConfig) -> Result<Graph, NetworkError> {
        let &About { name, presets, fixed_cells, .. } = self.about();
        config.check(name, presets)?;
        if let Some(what) = fixed_cells.filter(|_| config.cells.is_some()) {
            return Err(NetworkError::Fixed { space: name, what });
        }
        TypedSpace::network(self, &self.decode(arch), config)
    }
}

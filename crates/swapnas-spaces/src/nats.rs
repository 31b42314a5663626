//! The size space of NATS-Bench (Dong, Liu, Musial and Gabrys, TPAMI 2021): how many channels the layers of one network
//! have.
//!
//! The network is that of NAS-Bench-201 with one cell in each stage, so that there are five layers. Their cell is the
//! one with the highest accuracy on the validation images of CIFAR-100. Its edges from its input lead from the channels
//! of the layer before to its own, where the skip is a 1x1 convolution and BatchNorm if these are not as many.

use std::fmt;
use std::str::FromStr;

use serde_json::{Value, json};
use swapnas_graph::Graph;

use crate::diagram::Diagram;
use crate::json::Field;
use crate::nb201::{self, Cell, Operation};
use crate::text::{Cursor, tuple};
use crate::{
    About, Arch, Architecture, Genes, Moves, NetworkConfig, NetworkError, ParseError, TypedEncoding,
    TypedSpace, json,
};

const LAYERS: usize = 5;

/// How many channels each of the five layers has: stem and first cell, residual block, cell, residual block, cell.
///
/// ```
/// use swapnas_spaces::nats::Widths;
///
/// let widths: Widths = "64:32:16:8:40".parse()?;
/// assert_eq!(widths.channels()[2], 16);
/// assert_eq!("(64, 32, 16, 8, 40)".parse(), Ok(widths));
/// assert_eq!(Widths::new([64, 32, 16, 8, 12]), None);
/// # Ok::<(), swapnas_spaces::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Widths([usize; LAYERS]);

impl Widths {
    /// The numbers of channels that a layer can have.
    pub const CHANNELS: [usize; 8] = [8, 16, 24, 32, 40, 48, 56, 64];

    /// The cell of every layer that is no residual block.
    pub const CELL: Cell = Cell([
        Operation::NorConv3x3,
        Operation::NorConv3x3,
        Operation::NorConv3x3,
        Operation::SkipConnect,
        Operation::NorConv3x3,
        Operation::NorConv3x3,
    ]);

    /// The architecture whose layers have so many channels, or `None` if a layer cannot have as many.
    pub fn new(channels: [usize; LAYERS]) -> Option<Self> {
        channels.iter().all(|number| Widths::CHANNELS.contains(number)).then_some(Widths(channels))
    }

    /// The numbers of channels, first layer to last.
    pub const fn channels(&self) -> &[usize; LAYERS] {
        &self.0
    }

    fn from_json(value: &Value) -> Result<Self, ParseError> {
        let fields = Field::object(value, &["channels"])?.get("channels")?.array::<LAYERS>("layers")?;
        let mut channels = [0; LAYERS];
        for (number, field) in channels.iter_mut().zip(fields) {
            *number = field.one_of(NUMBER, &Widths::CHANNELS)?;
        }
        Ok(Widths(channels))
    }
}

/// What messages call one of [`Widths::CHANNELS`].
const NUMBER: &str = "a number of channels";

impl fmt::Display for Widths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e] = self.0;
        write!(f, "{a}:{b}:{c}:{d}:{e}")
    }
}

impl FromStr for Widths {
    type Err = ParseError;

    /// Reads any encoding of the space.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        if json::is_object(text) {
            return Widths::from_json(&json::read(text)?);
        }
        let mut c = Cursor::new(text);
        let widths = match c.peek() {
            Some('(' | '[') => {
                let close = c.open("five numbers of channels")?;
                Widths(c.items(close, |c, _| c.one_of(NUMBER, &Widths::CHANNELS))?)
            }
            Some('0'..='9') if !text.contains(':') => {
                let index = c.number("an index", 0..=GENES.size() as usize - 1)?;
                (&GENES.at(index)).into()
            }
            Some('0'..='9') => {
                let mut channels = [0; LAYERS];
                for (layer, number) in channels.iter_mut().enumerate() {
                    if layer > 0 {
                        c.expect(":")?;
                    }
                    *number = c.one_of(NUMBER, &Widths::CHANNELS)?;
                }
                Widths(channels)
            }
            _ => return Err(c.error("`64:32:16:8:40`, five numbers `(...)`, an index or a JSON object")),
        };
        c.end()?;
        Ok(widths)
    }
}

impl Architecture for Widths {
    fn arch(&self) -> Arch {
        let gene = |number| Widths::CHANNELS.iter().position(|&known| known == number);
        Arch::new(&self.0.map(|number| gene(number).expect("layers have no other number") as u8))
    }

    fn to_json(&self) -> Value {
        json!({ "channels": self.0 })
    }

    /// The row of layers.
    fn diagrams(&self) -> Vec<Diagram> {
        let layers = self.0.iter().enumerate().map(|(layer, channels)| match layer % 2 {
            0 => format!("cell\n{channels} channels"),
            _ => format!("residual block\n{channels} channels\nstride 2"),
        });
        let stem = format!("stem\n{} channels", self.0[0]);
        vec![Diagram::chain("layers", [stem].into_iter().chain(layers))]
    }
}

/// Panics if the architecture is one of another space.
impl From<&Arch> for Widths {
    fn from(arch: &Arch) -> Widths {
        let channels = |&gene: &u8| Widths::CHANNELS.get(usize::from(gene)).copied();
        let channels: Option<Vec<usize>> = arch.genes().iter().map(channels).collect();
        Widths(channels.and_then(|c| c.try_into().ok()).expect("an architecture of the space nats-sss"))
    }
}

/// The space `nats-sss`.
pub(crate) struct NatsSize;

static GENES: Genes<'_> = Genes(&[Widths::CHANNELS.len() as u8; LAYERS]);

static ABOUT: About<Widths> = About::new(
    "nats-sss",
    "NATS-Bench (Dong et al., 2021), size: channels of the five layers of one network",
    &ENCODINGS,
)
.with_fixed_cells("cells");

static ENCODINGS: [TypedEncoding<Widths>; 4] = [
    TypedEncoding {
        name: "string",
        example: "64:32:16:8:40",
        description: "the benchmark's own: the channels (8, 16, 24, 32, 40, 48, 56, 64) of stem and first cell, residual \
                      block, cell, residual block and cell",
        print: |widths| Ok(widths.to_string()),
    },
    TypedEncoding {
        name: "naslib",
        example: "(64, 32, 16, 8, 40)",
        description: "the same as NASLib's tuple",
        print: |widths| Ok(tuple(widths.0)),
    },
    TypedEncoding {
        name: "index",
        example: "4321",
        description: "the number, from 0 to 32767, under which the benchmark's files keep the architecture",
        print: |widths| Ok(GENES.number(&widths.arch()).to_string()),
    },
    TypedEncoding {
        name: "json",
        example: r#"{"channels": [64, 32, 16, 8, 40]}"#,
        description: "the same as an object",
        print: |widths| Ok(widths.to_json().to_string()),
    },
];

impl TypedSpace for NatsSize {
    type Architecture = Widths;

    fn about(&self) -> &About<Widths> {
        &ABOUT
    }

    /// Another number of channels of one layer.
    fn moves(&self) -> &dyn Moves {
        &GENES
    }

    fn decode(&self, arch: &Arch) -> Widths {
        arch.into()
    }

    fn parse(&self, text: &str) -> Result<Widths, ParseError> {
        text.parse()
    }

    fn parse_json(&self, value: &Value) -> Result<Widths, ParseError> {
        Widths::from_json(value)
    }

    fn describe(&self, config: &NetworkConfig) -> String {
        config.describe(&format!("{}3 stages of 1 cell", config.describe_scale(WIDEST)))
    }

    /// The benchmark's own with half of its channels, as the 8 of NAS-Bench-201 are half of its 16. Channels are what is
    /// searched, so they keep their proportions: 4 to 32. With 8 to 64, an architecture takes five times as long as one
    /// of NAS-Bench-201; with an eighth of them, layers would be left with a single channel.
    fn scored_network(&self) -> NetworkConfig {
        NetworkConfig { channels: Some(WIDEST / 2), ..ABOUT.default_network() }
    }

    fn network(&self, widths: &Widths, config: &NetworkConfig) -> Result<Graph, NetworkError> {
        let widths = widths.0.map(|width| config.scaled(WIDEST, width));
        Ok(nb201::build_layers(&Widths::CELL, &widths, 1, config)?)
    }
}

/// The widest layers, whose channels are those that a configuration sets.
const WIDEST: usize = 64;

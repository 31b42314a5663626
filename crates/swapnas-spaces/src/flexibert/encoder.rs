use std::fmt;
use std::str::FromStr;

use serde_json::{Value, json};

use super::network;
use crate::diagram::Diagram;
use crate::json::Field;
use crate::text::Cursor;
use crate::{Arch, Architecture, ParseError, json};

/// What a layer does in place of BERT's self-attention: a type of operation with its parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Self-attention by the scaled dot product of queries and keys.
    ScaledDotProduct,
    /// Self-attention whose queries are multiplied with another matrix first.
    WeightedMultiplicative,
    /// A linear transform: the real part of the discrete Fourier transform over tokens and features of a head.
    Fourier,
    /// A linear transform: the discrete cosine transform (DCT-II) over both.
    Cosine,
    /// Span-based dynamic convolution of kernel size 5 in half of the heads, self-attention in the others.
    Convolution5,
    /// The same with kernel size 9.
    Convolution9,
}

impl Operation {
    /// All operations, each in its place.
    pub const ALL: [Operation; 6] = [
        Operation::ScaledDotProduct,
        Operation::WeightedMultiplicative,
        Operation::Fourier,
        Operation::Cosine,
        Operation::Convolution5,
        Operation::Convolution9,
    ];

    /// Their short names, the parameters of the benchmark with the type where that is a number.
    pub const NAMES: [&str; 6] = ["SDP", "WMA", "DFT", "DCT", "DSC5", "DSC9"];

    /// The types of operations in the benchmark's records.
    const TYPES: [&str; 3] = ["SA", "LT", "DSC"];

    /// The short name.
    pub const fn name(self) -> &'static str {
        Operation::NAMES[self as usize]
    }

    /// Type and parameter as the benchmark's records have them.
    fn to_json(self) -> [Value; 2] {
        let of = |kind: &str, parameter: Value| [kind.into(), parameter];
        match self {
            Operation::ScaledDotProduct | Operation::WeightedMultiplicative => of("SA", self.name().into()),
            Operation::Fourier | Operation::Cosine => of("LT", self.name().into()),
            Operation::Convolution5 => of("DSC", 5.into()),
            Operation::Convolution9 => of("DSC", 9.into()),
        }
    }

    fn from_json(kind: &Field<'_>, parameter: &Field<'_>) -> Result<Self, ParseError> {
        let (first, place) = match Operation::TYPES[kind.name("an operation type", &Operation::TYPES)?] {
            "SA" => (0, parameter.name("a parameter of SA", &["SDP", "WMA"])?),
            "LT" => (2, parameter.name("a parameter of LT", &["DFT", "DCT"])?),
            _ => (4, usize::from(parameter.one_of("a kernel size of DSC", &[5, 9])? == 9)),
        };
        Ok(Operation::ALL[first + place])
    }
}

/// A layer of an encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Layer {
    /// How tokens learn of each other.
    pub operation: Operation,
    /// Heads of the operation: 2 or 4.
    pub heads: usize,
    /// Hidden features of the feed-forward network: 512 or 1024.
    pub feed_forward: usize,
    /// How many hidden layers the feed-forward network has: 1 or 3.
    pub stacks: usize,
}

/// An encoder: the hidden size, and two or four layers.
///
/// ```
/// use swapnas_spaces::flexibert::{Encoder, Operation};
///
/// let encoder: Encoder = "h256:SDP/4/1024x1:DSC9/2/512x3".parse()?;
/// assert_eq!(encoder.layers()[1].operation, Operation::Convolution9);
/// assert_eq!(encoder.to_string(), "h256:SDP/4/1024x1:DSC9/2/512x3");
/// # Ok::<(), swapnas_spaces::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Encoder {
    hidden: usize,
    layers: Vec<Layer>,
}

pub(super) const HIDDEN: [usize; 2] = [128, 256];
pub(super) const DEPTHS: [usize; 2] = [2, 4];
const HEADS: [usize; 2] = [2, 4];
const FEED_FORWARD: [usize; 2] = [512, 1024];
const STACKS: [usize; 2] = [1, 3];

/// Alleles of the genes of a layer: operation, heads, feed-forward dimension, stacks.
pub(super) const ALLELES: [u8; 4] =
    [Operation::ALL.len() as u8, HEADS.len() as u8, FEED_FORWARD.len() as u8, STACKS.len() as u8];

/// Fields of the benchmark's records that are no part of the architecture.
const RECORD: [&str; 2] = ["id", "scores"];

impl Encoder {
    /// The encoder of these layers, or `None` if it has something that no encoder of the space has.
    pub fn new(hidden: usize, layers: &[Layer]) -> Option<Self> {
        let allowed = |layer: &Layer| {
            HEADS.contains(&layer.heads)
                && FEED_FORWARD.contains(&layer.feed_forward)
                && STACKS.contains(&layer.stacks)
        };
        let valid = HIDDEN.contains(&hidden) && DEPTHS.contains(&layers.len()) && layers.iter().all(allowed);
        valid.then(|| Encoder { hidden, layers: layers.to_vec() })
    }

    /// Features of a token between layers: 128 or 256.
    pub const fn hidden(&self) -> usize {
        self.hidden
    }

    /// The layers, first to last.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Reads an architecture or a record of the benchmark, of which everything else is left alone.
    pub(super) fn from_json(value: &Value) -> Result<Self, ParseError> {
        let [id, scores] = RECORD;
        let object = Field::object(value, &["hidden_size", "encoder_layers", id, scores])?;
        let hidden = object.get("hidden_size")?.one_of("a hidden size", &HIDDEN)?;
        let fields = object.get("encoder_layers")?;
        let items = fields.items("layers")?;
        if !DEPTHS.contains(&items.len()) {
            return Err(fields.error("an array of 2 or 4 layers"));
        }
        let layer = |field: Field<'_>| {
            let field = field.fields(&[
                "operation_type",
                "operation_parameter",
                "num_operation_heads",
                "feed_forward_dimension",
                "num_feed_forward",
            ])?;
            let operation =
                Operation::from_json(&field.get("operation_type")?, &field.get("operation_parameter")?)?;
            Ok(Layer {
                operation,
                heads: field.get("num_operation_heads")?.one_of("a number of heads", &HEADS)?,
                feed_forward: field
                    .get("feed_forward_dimension")?
                    .one_of("a feed-forward dimension", &FEED_FORWARD)?,
                stacks: field.get("num_feed_forward")?.one_of("a number of feed-forward layers", &STACKS)?,
            })
        };
        let layers = items.into_iter().map(layer).collect::<Result<_, ParseError>>()?;
        Ok(Encoder { hidden, layers })
    }
}

impl fmt::Display for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "h{}", self.hidden)?;
        self.layers.iter().try_for_each(|layer| {
            let Layer { operation, heads, feed_forward, stacks } = layer;
            write!(f, ":{}/{heads}/{feed_forward}x{stacks}", operation.name())
        })
    }
}

impl FromStr for Encoder {
    type Err = ParseError;

    /// Reads any encoding of the space.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        if json::is_object(text) {
            return Encoder::from_json(&json::read(text)?);
        }
        let mut c = Cursor::new(text);
        if c.peek() != Some('h') {
            return Err(c.error("`h256:SDP/4/1024x1:...` or a JSON object"));
        }
        c.expect("h")?;
        let hidden = c.one_of("a hidden size", &HIDDEN)?;
        let mut layers = Vec::new();
        while !DEPTHS.contains(&layers.len()) || c.peek().is_some() {
            if layers.len() == DEPTHS[1] {
                c.end()?;
            }
            c.expect(":")?;
            let operation = Operation::ALL[c.name("an operation", &Operation::NAMES)?];
            c.expect("/")?;
            let heads = c.one_of("a number of heads", &HEADS)?;
            c.expect("/")?;
            let feed_forward = c.one_of("a feed-forward dimension", &FEED_FORWARD)?;
            c.expect("x")?;
            let stacks = c.one_of("a number of feed-forward layers", &STACKS)?;
            layers.push(Layer { operation, heads, feed_forward, stacks });
        }
        Ok(Encoder { hidden, layers })
    }
}

impl Architecture for Encoder {
    fn arch(&self) -> Arch {
        let second = |pair: [usize; 2], value: usize| u8::from(value == pair[1]);
        let genes = self.layers.iter().flat_map(|layer| {
            [
                layer.operation as u8,
                second(HEADS, layer.heads),
                second(FEED_FORWARD, layer.feed_forward),
                second(STACKS, layer.stacks),
            ]
        });
        let genes: Vec<u8> = [second(HIDDEN, self.hidden)].into_iter().chain(genes).collect();
        Arch::new(&genes)
    }

    fn to_json(&self) -> Value {
        let layer = |layer: &Layer| {
            let [kind, parameter] = layer.operation.to_json();
            json!({
                "operation_type": kind,
                "operation_parameter": parameter,
                "num_operation_heads": layer.heads,
                "feed_forward_dimension": layer.feed_forward,
                "num_feed_forward": layer.stacks,
            })
        };
        let layers: Vec<Value> = self.layers.iter().map(layer).collect();
        json!({ "hidden_size": self.hidden, "encoder_layers": layers })
    }

    /// The row of layers.
    fn diagrams(&self) -> Vec<Diagram> {
        vec![network::diagram(self)]
    }
}

/// Panics if the architecture is one of another space.
impl From<&Arch> for Encoder {
    fn from(arch: &Arch) -> Encoder {
        let read = || {
            let (hidden, layers) = arch.genes().split_first()?;
            let (layers, []) = layers.as_chunks::<4>() else { return None };
            let layer = |genes: &[u8; 4]| {
                let [operation, heads, feed_forward, stacks] = genes.map(usize::from);
                Some(Layer {
                    operation: *Operation::ALL.get(operation)?,
                    heads: *HEADS.get(heads)?,
                    feed_forward: *FEED_FORWARD.get(feed_forward)?,
                    stacks: *STACKS.get(stacks)?,
                })
            };
            let layers: Vec<Layer> = layers.iter().map(layer).collect::<Option<_>>()?;
            Encoder::new(*HIDDEN.get(usize::from(*hidden))?, &layers)
        };
        read().expect("an architecture of the space flexibert")
    }
}

//! FlexiBERT (Tuli et al., JAIR 2023): encoders of texts whose layers differ from each other, in the part that
//! Serianni and Kalita (ACL 2023, "Training-free Neural Architecture Search for RNNs and Transformers") trained 500
//! encoders of as ELECTRA, from BERT-Tiny to BERT-Mini.
//!
//! A layer has one of six operations on tokens, a number of heads, and a feed-forward network of some width and
//! depth; the hidden size is the same in all layers. Networks are built with the sizes that an architecture gives. The
//! code that computed metrics for the benchmark builds each with a hidden size of 256 and feed-forward networks of
//! 1024, whatever it says.

mod encoder;
mod moves;
mod network;
mod operation;

use serde_json::Value;
use swapnas_graph::{Graph, Shape};

use crate::{
    About, Arch, Architecture, Moves, NetworkConfig, NetworkError, ParseError, Preset, TypedEncoding,
    TypedSpace,
};

pub use encoder::{Encoder, Layer, Operation};

/// The space `flexibert`.
pub(crate) struct FlexiBert;

static ABOUT: About<Encoder> = About {
    name: "flexibert",
    description: "FlexiBERT (Tuli et al., 2023): encoders of texts with six operations, 2 or 4 layers",
    encodings: &ENCODINGS,
    presets: &[Preset::Benchmark],
    // Texts of the length that the benchmark was trained with, and two classes, which most tasks of GLUE have.
    input: Shape::new(1, 1, 128),
    classes: 2,
    fixed_cells: Some("layers"),
};

static ENCODINGS: [TypedEncoding<Encoder>; 2] = [
    TypedEncoding {
        name: "string",
        example: "h256:WMA/4/1024x3:DCT/2/512x3:SDP/4/512x3:DSC9/4/1024x1",
        description: "hidden size (128, 256), then two or four layers: operation (SDP and WMA are self-attention, DFT and \
                      DCT linear transforms, DSC5 and DSC9 dynamic convolutions), heads (2, 4), feed-forward dimension \
                      (512, 1024) and number of feed-forward layers (1, 3)",
        print: |encoder| Ok(encoder.to_string()),
    },
    TypedEncoding {
        name: "json",
        example: r#"{"hidden_size": 128, "encoder_layers": [{"operation_type": "SA", "operation_parameter": "SDP", "num_operation_heads": 2, "feed_forward_dimension": 512, "num_feed_forward": 1}, {"operation_type": "DSC", "operation_parameter": 5, "num_operation_heads": 4, "feed_forward_dimension": 1024, "num_feed_forward": 3}]}"#,
        description: "as the benchmark's records have it; in these, id and scores may stand beside",
        print: |encoder| Ok(encoder.to_json().to_string()),
    },
];

impl TypedSpace for FlexiBert {
    type Architecture = Encoder;

    fn about(&self) -> &About<Encoder> {
        &ABOUT
    }

    fn moves(&self) -> &dyn Moves {
        self
    }

    fn decode(&self, arch: &Arch) -> Encoder {
        arch.into()
    }

    fn parse(&self, text: &str) -> Result<Encoder, ParseError> {
        text.parse()
    }

    fn parse_json(&self, value: &Value) -> Result<Encoder, ParseError> {
        Encoder::from_json(value)
    }

    fn describe(&self, config: &NetworkConfig) -> String {
        network::describe(config)
    }

    fn network(&self, encoder: &Encoder, config: &NetworkConfig) -> Result<Graph, NetworkError> {
        config.check_texts(ABOUT.name, network::POSITIONS)?;
        Ok(network::build(encoder, config)?)
    }

    /// A quarter of all widths and of the tokens: as deep as the benchmark's. With full widths, it takes ten times as long
    /// and orders architectures no better.
    fn scored_network(&self) -> NetworkConfig {
        NetworkConfig { channels: Some(32), input: Shape::new(1, 1, 32), ..ABOUT.default_network() }
    }

    fn vocabulary(&self) -> Option<usize> {
        Some(network::VOCABULARY)
    }
}

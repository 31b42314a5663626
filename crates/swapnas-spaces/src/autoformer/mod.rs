//! Vision Transformers: AutoFormer (Chen, Peng, Fu and Ling, ICCV 2021).
//!
//! A network has an embedding dimension and a number of blocks, and each block its MLP ratio and its number of heads.
//! What there is to choose from is one of three supernets, tiny, small and base, which are three spaces: the authors
//! train and search them apart from each other, and no architecture is in two.
//!
//! Of the networks that the authors published, AutoFormer-S and AutoFormer-B are in their spaces (they are the examples
//! of the encodings). AutoFormer-T is not: three of its blocks have an MLP ratio of 3, which neither the paper nor the
//! configuration of the tiny supernet allows.

mod attention;
mod moves;
mod network;
mod subnet;
mod text;

use serde_json::Value;
use swapnas_graph::{Graph, Shape};

use crate::{
    About, Arch, Architecture, Moves, NetworkConfig, NetworkError, ParseError, Preset, TypedEncoding,
    TypedSpace,
};

pub use subnet::{Block, Subnet, Supernet};

/// The space of a supernet.
pub(crate) struct AutoFormer {
    supernet: Supernet,
    about: About<Subnet>,
}

pub(crate) static TINY: AutoFormer = AutoFormer {
    supernet: Supernet::Tiny,
    about: about(
        "autoformer-tiny",
        "AutoFormer (Chen et al., ICCV 2021), tiny: Vision Transformers of 5 to 11 million parameters",
        &encodings([
            "e192-m4h3-m3.5h4-m3.5h3-m3.5h3-m4h4-m3.5h4-m4h3-m4h4-m3.5h4-m4h3-m3.5h4-m3.5h3-m3.5h4-m3.5h4",
            "(14, 4, 3.5, 3.5, 3.5, 4, 3.5, 4, 4, 3.5, 4, 3.5, 3.5, 3.5, 3.5, 3, 4, 3, 3, 4, 4, 3, 4, 4, 3, 4, 3, 4, 4, 192)",
            r#"{"embed_dim": 192, "blocks": [{"mlp_ratio": 4.0, "num_heads": 3}, {"mlp_ratio": 3.5, "num_heads": 4}, {"mlp_ratio": 3.5, "num_heads": 3}, {"mlp_ratio": 3.5, "num_heads": 3}, {"mlp_ratio": 4.0, "num_heads": 4}, {"mlp_ratio": 3.5, "num_heads": 4}, {"mlp_ratio": 4.0, "num_heads": 3}, {"mlp_ratio": 4.0, "num_heads": 4}, {"mlp_ratio": 3.5, "num_heads": 4}, {"mlp_ratio": 4.0, "num_heads": 3}, {"mlp_ratio": 3.5, "num_heads": 4}, {"mlp_ratio": 3.5, "num_heads": 3}, {"mlp_ratio": 3.5, "num_heads": 4}, {"mlp_ratio": 3.5, "num_heads": 4}]}"#,
        ]),
    ),
};

pub(crate) static SMALL: AutoFormer = AutoFormer {
    supernet: Supernet::Small,
    about: about(
        "autoformer-small",
        "AutoFormer (Chen et al., ICCV 2021), small: Vision Transformers of 13 to 35 million parameters",
        &encodings([
            "e384-m3h6-m3.5h6-m3h5-m3.5h7-m4h5-m4h5-m4h5-m4h6-m4h6-m4h7-m4h7-m3.5h6-m4h7",
            "(13, 3, 3.5, 3, 3.5, 4, 4, 4, 4, 4, 4, 4, 3.5, 4, 6, 6, 5, 7, 5, 5, 5, 6, 6, 7, 7, 6, 7, 384)",
            r#"{"embed_dim": 384, "blocks": [{"mlp_ratio": 3.0, "num_heads": 6}, {"mlp_ratio": 3.5, "num_heads": 6}, {"mlp_ratio": 3.0, "num_heads": 5}, {"mlp_ratio": 3.5, "num_heads": 7}, {"mlp_ratio": 4.0, "num_heads": 5}, {"mlp_ratio": 4.0, "num_heads": 5}, {"mlp_ratio": 4.0, "num_heads": 5}, {"mlp_ratio": 4.0, "num_heads": 6}, {"mlp_ratio": 4.0, "num_heads": 6}, {"mlp_ratio": 4.0, "num_heads": 7}, {"mlp_ratio": 4.0, "num_heads": 7}, {"mlp_ratio": 3.5, "num_heads": 6}, {"mlp_ratio": 4.0, "num_heads": 7}]}"#,
        ]),
    ),
};

pub(crate) static BASE: AutoFormer = AutoFormer {
    supernet: Supernet::Base,
    about: about(
        "autoformer-base",
        "AutoFormer (Chen et al., ICCV 2021), base: Vision Transformers of 40 to 77 million parameters",
        &encodings([
            "e576-m3.5h9-m3.5h9-m4h9-m3.5h9-m4h9-m3.5h10-m3.5h9-m3h9-m4h10-m4h9-m3h10-m4h9-m3h9-m3.5h10",
            "(14, 3.5, 3.5, 4, 3.5, 4, 3.5, 3.5, 3, 4, 4, 3, 4, 3, 3.5, 9, 9, 9, 9, 9, 10, 9, 9, 10, 9, 10, 9, 9, 10, 576)",
            r#"{"embed_dim": 576, "blocks": [{"mlp_ratio": 3.5, "num_heads": 9}, {"mlp_ratio": 3.5, "num_heads": 9}, {"mlp_ratio": 4.0, "num_heads": 9}, {"mlp_ratio": 3.5, "num_heads": 9}, {"mlp_ratio": 4.0, "num_heads": 9}, {"mlp_ratio": 3.5, "num_heads": 10}, {"mlp_ratio": 3.5, "num_heads": 9}, {"mlp_ratio": 3.0, "num_heads": 9}, {"mlp_ratio": 4.0, "num_heads": 10}, {"mlp_ratio": 4.0, "num_heads": 9}, {"mlp_ratio": 3.0, "num_heads": 10}, {"mlp_ratio": 4.0, "num_heads": 9}, {"mlp_ratio": 3.0, "num_heads": 9}, {"mlp_ratio": 3.5, "num_heads": 10}]}"#,
        ]),
    ),
};

const fn about(
    name: &'static str,
    description: &'static str,
    encodings: &'static [TypedEncoding<Subnet>; 3],
) -> About<Subnet> {
    let input = Shape::new(3, 224, 224);
    let presets = &[Preset::Benchmark];
    About { name, description, encodings, presets, input, classes: 1000, fixed_cells: Some("blocks") }
}

const fn encodings([string, candidate, json]: [&'static str; 3]) -> [TypedEncoding<Subnet>; 3] {
    [
        TypedEncoding {
            name: "string",
            example: string,
            description: "embedding dimension, then MLP ratio and number of heads of each block",
            print: |subnet| Ok(subnet.to_string()),
        },
        TypedEncoding {
            name: "candidate",
            example: candidate,
            description: "the tuple of the authors' evolution: depth, MLP ratios of all blocks, heads of all blocks, \
                          embedding dimension",
            print: |subnet| Ok(subnet.print_candidate()),
        },
        TypedEncoding {
            name: "json",
            example: json,
            description: "embedding dimension and the blocks as objects",
            print: |subnet| Ok(subnet.to_json().to_string()),
        },
    ]
}

impl TypedSpace for AutoFormer {
    type Architecture = Subnet;

    fn about(&self) -> &About<Subnet> {
        &self.about
    }

    fn moves(&self) -> &dyn Moves {
        &self.supernet
    }

    fn decode(&self, arch: &Arch) -> Subnet {
        Subnet::of(self.supernet, arch)
    }

    fn parse(&self, text: &str) -> Result<Subnet, ParseError> {
        Subnet::parse(self.supernet, text)
    }

    fn parse_json(&self, value: &Value) -> Result<Subnet, ParseError> {
        Subnet::from_json(self.supernet, value)
    }

    fn describe(&self, config: &NetworkConfig) -> String {
        network::describe(self.supernet, config)
    }

    fn network(&self, subnet: &Subnet, config: &NetworkConfig) -> Result<Graph, NetworkError> {
        Ok(network::build(subnet, config)?)
    }

    /// As deep as the network that is trained, for images of 64x64, with all widths a quarter (tiny) or an eighth, which
    /// makes 60, 56 and 78 channels at most and takes about ten milliseconds. With 8 channels for all of a token, heads
    /// would have one or two each, and an image of 32x32 has four patches, whose positions say next to nothing.
    fn scored_network(&self) -> NetworkConfig {
        let part = if self.supernet == Supernet::Tiny { 4 } else { 8 };
        let channels = Some(self.supernet.widest() / part);
        NetworkConfig { channels, input: Shape::new(3, 64, 64), ..self.about.default_network() }
    }
}

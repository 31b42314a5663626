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

use rand::Rng;
use serde_json::Value;
use swapnas_graph::{Graph, Shape};

use crate::diagram::Diagram;
use crate::space::find_encoding;
use crate::{Arch, Encoding, NetworkConfig, NetworkError, ParseError, Preset, PrintError, Space};

pub use subnet::{Block, Subnet, Supernet};

/// The space of a supernet.
pub(crate) struct AutoFormer {
    supernet: Supernet,
    name: &'static str,
    description: &'static str,
    encodings: &'static [Encoding; 3],
}

pub(crate) static TINY: AutoFormer = AutoFormer {
    supernet: Supernet::Tiny,
    name: "autoformer-tiny",
    description: "AutoFormer (Chen et al., ICCV 2021), tiny: Vision Transformers of 5 to 11 million parameters",
    encodings: &encodings([
        "e192-m4h3-m3.5h4-m3.5h3-m3.5h3-m4h4-m3.5h4-m4h3-m4h4-m3.5h4-m4h3-m3.5h4-m3.5h3-m3.5h4-m3.5h4",
        "(14, 4, 3.5, 3.5, 3.5, 4, 3.5, 4, 4, 3.5, 4, 3.5, 3.5, 3.5, 3.5, 3, 4, 3, 3, 4, 4, 3, 4, 4, 3, 4, 3, 4, 4, 192)",
        r#"{"embed_dim": 192, "blocks": [{"mlp_ratio": 4.0, "num_heads": 3}, {"mlp_ratio": 3.5, "num_heads": 4}, {"mlp_ratio": 3.5, "num_heads": 3}, {"mlp_ratio": 3.5, "num_heads": 3}, {"mlp_ratio": 4.0, "num_heads": 4}, {"mlp_ratio": 3.5, "num_heads": 4}, {"mlp_ratio": 4.0, "num_heads": 3}, {"mlp_ratio": 4.0, "num_heads": 4}, {"mlp_ratio": 3.5, "num_heads": 4}, {"mlp_ratio": 4.0, "num_heads": 3}, {"mlp_ratio": 3.5, "num_heads": 4}, {"mlp_ratio": 3.5, "num_heads": 3}, {"mlp_ratio": 3.5, "num_heads": 4}, {"mlp_ratio": 3.5, "num_heads": 4}]}"#,
    ]),
};

pub(crate) static SMALL: AutoFormer = AutoFormer {
    supernet: Supernet::Small,
    name: "autoformer-small",
    description: "AutoFormer (Chen et al., ICCV 2021), small: Vision Transformers of 13 to 35 million parameters",
    encodings: &encodings([
        "e384-m3h6-m3.5h6-m3h5-m3.5h7-m4h5-m4h5-m4h5-m4h6-m4h6-m4h7-m4h7-m3.5h6-m4h7",
        "(13, 3, 3.5, 3, 3.5, 4, 4, 4, 4, 4, 4, 4, 3.5, 4, 6, 6, 5, 7, 5, 5, 5, 6, 6, 7, 7, 6, 7, 384)",
        r#"{"embed_dim": 384, "blocks": [{"mlp_ratio": 3.0, "num_heads": 6}, {"mlp_ratio": 3.5, "num_heads": 6}, {"mlp_ratio": 3.0, "num_heads": 5}, {"mlp_ratio": 3.5, "num_heads": 7}, {"mlp_ratio": 4.0, "num_heads": 5}, {"mlp_ratio": 4.0, "num_heads": 5}, {"mlp_ratio": 4.0, "num_heads": 5}, {"mlp_ratio": 4.0, "num_heads": 6}, {"mlp_ratio": 4.0, "num_heads": 6}, {"mlp_ratio": 4.0, "num_heads": 7}, {"mlp_ratio": 4.0, "num_heads": 7}, {"mlp_ratio": 3.5, "num_heads": 6}, {"mlp_ratio": 4.0, "num_heads": 7}]}"#,
    ]),
};

pub(crate) static BASE: AutoFormer = AutoFormer {
    supernet: Supernet::Base,
    name: "autoformer-base",
    description: "AutoFormer (Chen et al., ICCV 2021), base: Vision Transformers of 40 to 77 million parameters",
    encodings: &encodings([
        "e576-m3.5h9-m3.5h9-m4h9-m3.5h9-m4h9-m3.5h10-m3.5h9-m3h9-m4h10-m4h9-m3h10-m4h9-m3h9-m3.5h10",
        "(14, 3.5, 3.5, 4, 3.5, 4, 3.5, 3.5, 3, 4, 4, 3, 4, 3, 3.5, 9, 9, 9, 9, 9, 10, 9, 9, 10, 9, 10, 9, 9, 10, 576)",
        r#"{"embed_dim": 576, "blocks": [{"mlp_ratio": 3.5, "num_heads": 9}, {"mlp_ratio": 3.5, "num_heads": 9}, {"mlp_ratio": 4.0, "num_heads": 9}, {"mlp_ratio": 3.5, "num_heads": 9}, {"mlp_ratio": 4.0, "num_heads": 9}, {"mlp_ratio": 3.5, "num_heads": 10}, {"mlp_ratio": 3.5, "num_heads": 9}, {"mlp_ratio": 3.0, "num_heads": 9}, {"mlp_ratio": 4.0, "num_heads": 10}, {"mlp_ratio": 4.0, "num_heads": 9}, {"mlp_ratio": 3.0, "num_heads": 10}, {"mlp_ratio": 4.0, "num_heads": 9}, {"mlp_ratio": 3.0, "num_heads": 9}, {"mlp_ratio": 3.5, "num_heads": 10}]}"#,
    ]),
};

const fn encodings([string, candidate, json]: [&'static str; 3]) -> [Encoding; 3] {
    [
        Encoding {
            name: "string",
            example: string,
            description: "embedding dimension, then MLP ratio and number of heads of each block",
        },
        Encoding {
            name: "candidate",
            example: candidate,
            description: "the tuple of the authors' evolution: depth, MLP ratios of all blocks, heads of all blocks, \
                          embedding dimension",
        },
        Encoding {
            name: "json",
            example: json,
            description: "embedding dimension and the blocks as objects",
        },
    ]
}

static PRESETS: [Preset; 1] = [Preset::Benchmark];

impl Space for AutoFormer {
    fn name(&self) -> &'static str {
        self.name
    }

    fn description(&self) -> &'static str {
        self.description
    }

    fn encodings(&self) -> &'static [Encoding] {
        self.encodings
    }

    fn size(&self) -> u128 {
        moves::size(self.supernet)
    }

    fn presets(&self) -> &'static [Preset] {
        &PRESETS
    }

    fn default_network(&self) -> NetworkConfig {
        NetworkConfig::new(Preset::Benchmark, Shape::new(3, 224, 224), 1000)
    }

    /// As deep as the network that is trained, for images of 64x64, with all widths a quarter (tiny) or an eighth, which
    /// makes 60, 56 and 78 channels at most and takes about ten milliseconds. With 8 channels for all of a token, heads
    /// would have one or two each, and an image of 32x32 has four patches, whose positions say next to nothing.
    fn scored_network(&self) -> NetworkConfig {
        let part = if self.supernet == Supernet::Tiny { 4 } else { 8 };
        let channels = Some(self.supernet.widest() / part);
        NetworkConfig { channels, input: Shape::new(3, 64, 64), ..self.default_network() }
    }

    fn describe(&self, config: &NetworkConfig) -> String {
        network::describe(self.supernet, config)
    }

    fn parse(&self, text: &str) -> Result<Arch, ParseError> {
        Ok((&Subnet::parse(self.supernet, text)?).into())
    }

    fn print(&self, arch: &Arch) -> String {
        Subnet::of(self.supernet, arch).to_string()
    }

    fn print_as(&self, arch: &Arch, encoding: &str) -> Result<String, PrintError> {
        Ok(match find_encoding(self, encoding)?.name {
            "candidate" => Subnet::of(self.supernet, arch).print_candidate(),
            "json" => self.to_json(arch).to_string(),
            _ => self.print(arch),
        })
    }

    fn to_json(&self, arch: &Arch) -> Value {
        Subnet::of(self.supernet, arch).to_json()
    }

    fn parse_json(&self, value: &Value) -> Result<Arch, ParseError> {
        Ok((&Subnet::from_json(self.supernet, value)?).into())
    }

    /// The row of blocks.
    fn diagrams(&self, arch: &Arch) -> Vec<Diagram> {
        vec![network::diagram(&Subnet::of(self.supernet, arch))]
    }

    fn sample(&self, rng: &mut dyn Rng) -> Arch {
        moves::sample(self.supernet, rng)
    }

    /// Another embedding dimension, another MLP ratio or number of heads of one block, or one block more or less at
    /// the end.
    fn neighbours(&self, arch: &Arch) -> Vec<Arch> {
        moves::neighbours(self.supernet, arch)
    }

    fn crossover(&self, a: &Arch, b: &Arch, rng: &mut dyn Rng) -> Arch {
        moves::crossover(self.supernet, a, b, rng)
    }

    /// Every architecture is a function of its own.
    fn canonical(&self, arch: &Arch) -> Arch {
        arch.clone()
    }

    fn all(&self) -> Option<Box<dyn Iterator<Item = Arch> + Send>> {
        None
    }

    fn network(&self, arch: &Arch, config: &NetworkConfig) -> Result<Graph, NetworkError> {
        config.check(self.name(), &PRESETS)?;
        config.check_fixed_cells(self.name(), "blocks")?;
        Ok(network::build(&Subnet::of(self.supernet, arch), config)?)
    }
}

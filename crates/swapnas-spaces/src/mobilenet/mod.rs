//! Networks like MobileNetV2 (Sandler et al., CVPR 2018) for images of the size of ImageNet's.
//!
//! Seven stages of inverted residual blocks; each stage has a kernel size, an expansion, a depth and
//! a width. These are the choices that Zen-NAS (Lin et al., ICCV 2021), ZiCo (Li et al., ICLR 2023)
//! and AZ-NAS (Lee and Ham, CVPR 2024) search over; unlike theirs, widths come from a fixed list
//! for each stage, from half to twice the width in MobileNetV2, so that the space is finite.

mod network;
mod stages;

use rand::Rng;
use serde_json::Value;
use swapnas_graph::{Graph, Shape};

use crate::diagram::Diagram;
use crate::genes::Genes;
use crate::space::find_encoding;
use crate::{Arch, Encoding, NetworkConfig, NetworkError, ParseError, Preset, PrintError, Space};

pub use stages::{Stage, Stages};

/// The space `mobilenet`.
pub(crate) struct MobileNet;

static GENES: Genes<'_> = Genes(&stages::ALLELES);

static PRESETS: [Preset; 1] = [Preset::Benchmark];

static ENCODINGS: [Encoding; 2] = [
    Encoding {
        name: "string",
        example: "k3e1d1w16-k3e6d2w24-k3e6d3w32-k3e6d4w64-k3e6d3w96-k3e6d3w160-k3e6d1w320",
        description: "for each of the seven stages kernel size (3, 5, 7), expansion (1, 2, 4, 6), depth (1 to 6 blocks) \
                      and width (channels, from a list for each stage); this one is MobileNetV2",
    },
    Encoding {
        name: "json",
        example: r#"{"stages": [{"depth": 1, "expansion": 1, "kernel": 3, "width": 16}, {"depth": 2, "expansion": 6, "kernel": 3, "width": 24}, {"depth": 3, "expansion": 6, "kernel": 3, "width": 32}, {"depth": 4, "expansion": 6, "kernel": 3, "width": 64}, {"depth": 3, "expansion": 6, "kernel": 3, "width": 96}, {"depth": 3, "expansion": 6, "kernel": 3, "width": 160}, {"depth": 1, "expansion": 6, "kernel": 3, "width": 320}]}"#,
        description: "the stages as objects",
    },
];

impl Space for MobileNet {
    fn name(&self) -> &'static str {
        "mobilenet"
    }

    fn description(&self) -> &'static str {
        "MobileNetV2-like networks for ImageNet: kernel, expansion, depth and width of seven stages"
    }

    fn encodings(&self) -> &'static [Encoding] {
        &ENCODINGS
    }

    fn size(&self) -> u128 {
        GENES.size()
    }

    fn presets(&self) -> &'static [Preset] {
        &PRESETS
    }

    fn default_network(&self) -> NetworkConfig {
        NetworkConfig::new(Preset::Benchmark, Shape::new(3, 224, 224), 1000)
    }

    fn describe(&self, config: &NetworkConfig) -> String {
        network::describe(config)
    }

    fn parse(&self, text: &str) -> Result<Arch, ParseError> {
        Ok(text.parse::<Stages>()?.into())
    }

    fn print(&self, arch: &Arch) -> String {
        Stages::from(arch).to_string()
    }

    fn print_as(&self, arch: &Arch, encoding: &str) -> Result<String, PrintError> {
        Ok(match find_encoding(self, encoding)?.name {
            "json" => self.to_json(arch).to_string(),
            _ => self.print(arch),
        })
    }

    fn to_json(&self, arch: &Arch) -> Value {
        Stages::from(arch).to_json()
    }

    fn parse_json(&self, value: &Value) -> Result<Arch, ParseError> {
        Ok(Stages::from_json(value)?.into())
    }

    /// The row of stages, with the widths of the network whose stem has 32 channels.
    fn diagrams(&self, arch: &Arch) -> Vec<Diagram> {
        vec![network::diagram(&arch.into())]
    }

    fn sample(&self, rng: &mut dyn Rng) -> Arch {
        GENES.sample(rng)
    }

    /// Another kernel size, expansion, depth or width of one stage.
    fn neighbours(&self, arch: &Arch) -> Vec<Arch> {
        GENES.neighbours(arch)
    }

    fn crossover(&self, a: &Arch, b: &Arch, rng: &mut dyn Rng) -> Arch {
        GENES.crossover(a, b, rng)
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
        Ok(network::build(&arch.into(), config)?)
    }
}

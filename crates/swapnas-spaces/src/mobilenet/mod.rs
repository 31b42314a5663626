//! Networks like MobileNetV2 (Sandler et al., CVPR 2018) for images of the size of ImageNet's.
//!
//! Seven stages of inverted residual blocks; each stage has a kernel size, an expansion, a depth and
//! a width. These are the choices that Zen-NAS (Lin et al., ICCV 2021), ZiCo (Li et al., ICLR 2023)
//! and AZ-NAS (Lee and Ham, CVPR 2024) search over; unlike theirs, widths come from a fixed list
//! for each stage, from half to twice the width in MobileNetV2, so that the space is finite.

mod network;
mod stages;

use serde_json::Value;
use swapnas_graph::{Graph, Shape};

use crate::{
    About, Arch, Architecture, Genes, Moves, NetworkConfig, NetworkError, ParseError, Preset, TypedEncoding,
    TypedSpace,
};

pub use stages::{Stage, Stages};

/// The space `mobilenet`.
pub(crate) struct MobileNet;

static GENES: Genes<'_> = Genes(&stages::ALLELES);

static ABOUT: About<Stages> = About {
    name: "mobilenet",
    description: "MobileNetV2-like networks for ImageNet: kernel, expansion, depth and width of seven stages",
    encodings: &ENCODINGS,
    presets: &[Preset::Benchmark],
    input: Shape::new(3, 224, 224),
    classes: 1000,
    fixed_cells: Some("blocks"),
};

static ENCODINGS: [TypedEncoding<Stages>; 2] = [
    TypedEncoding {
        name: "string",
        example: "k3e1d1w16-k3e6d2w24-k3e6d3w32-k3e6d4w64-k3e6d3w96-k3e6d3w160-k3e6d1w320",
        description: "for each of the seven stages kernel size (3, 5, 7), expansion (1, 2, 4, 6), depth (1 to 6 blocks) \
                      and width (channels, from a list for each stage); this one is MobileNetV2",
        print: |stages| Ok(stages.to_string()),
    },
    TypedEncoding {
        name: "json",
        example: r#"{"stages": [{"depth": 1, "expansion": 1, "kernel": 3, "width": 16}, {"depth": 2, "expansion": 6, "kernel": 3, "width": 24}, {"depth": 3, "expansion": 6, "kernel": 3, "width": 32}, {"depth": 4, "expansion": 6, "kernel": 3, "width": 64}, {"depth": 3, "expansion": 6, "kernel": 3, "width": 96}, {"depth": 3, "expansion": 6, "kernel": 3, "width": 160}, {"depth": 1, "expansion": 6, "kernel": 3, "width": 320}]}"#,
        description: "the stages as objects",
        print: |stages| Ok(stages.to_json().to_string()),
    },
];

impl TypedSpace for MobileNet {
    type Architecture = Stages;

    fn about(&self) -> &About<Stages> {
        &ABOUT
    }

    /// Another kernel size, expansion, depth or width of one stage.
    fn moves(&self) -> &dyn Moves {
        &GENES
    }

    fn decode(&self, arch: &Arch) -> Stages {
        arch.into()
    }

    fn parse(&self, text: &str) -> Result<Stages, ParseError> {
        text.parse()
    }

    fn parse_json(&self, value: &Value) -> Result<Stages, ParseError> {
        Stages::from_json(value)
    }

    fn describe(&self, config: &NetworkConfig) -> String {
        network::describe(config)
    }

    fn network(&self, stages: &Stages, config: &NetworkConfig) -> Result<Graph, NetworkError> {
        Ok(network::build(stages, config)?)
    }
}

use serde_json::Value;
use swapnas_graph::{Graph, Shape};

use super::{Cell, GENES, network};
use crate::{
    About, Arch, Architecture, Moves, NetworkConfig, NetworkError, ParseError, Preset, TypedEncoding,
    TypedSpace,
};

/// The space `transnas-micro`.
pub(crate) struct Micro;

static ABOUT: About<Cell> = About {
    name: "transnas-micro",
    description: "TransNAS-Bench-101 (Duan et al., 2021), micro: cells of four nodes with four operations",
    encodings: &ENCODINGS,
    presets: &[Preset::Benchmark],
    // Of the benchmark's task `class_object`.
    input: Shape::new(3, 256, 256),
    classes: 75,
    fixed_cells: None,
};

static ENCODINGS: [TypedEncoding<Cell>; 3] = [
    TypedEncoding {
        name: "string",
        example: "64-41414-1_02_333",
        description: "the benchmark's own: base channels and skeleton, which are always these, then the operations into \
                      nodes 1, 2 and 3; 0 none, 1 skip_connect, 2 nor_conv_1x1, 3 nor_conv_3x3",
        print: |cell| Ok(cell.to_string()),
    },
    TypedEncoding {
        name: "naslib",
        example: "(1, 0, 2, 3, 3, 3)",
        description: "NASLib's tuple: the digits of the cell in the same order",
        print: |cell| Ok(cell.print_naslib()),
    },
    TypedEncoding {
        name: "json",
        example: r#"{"nodes": [["skip_connect"], ["none", "nor_conv_1x1"], ["nor_conv_3x3", "nor_conv_3x3", "nor_conv_3x3"]]}"#,
        description: "for nodes 1, 2 and 3 the operation on every earlier node",
        print: |cell| Ok(cell.to_json().to_string()),
    },
];

impl TypedSpace for Micro {
    type Architecture = Cell;

    fn about(&self) -> &About<Cell> {
        &ABOUT
    }

    /// Another operation on one edge.
    fn moves(&self) -> &dyn Moves {
        &GENES
    }

    fn decode(&self, arch: &Arch) -> Cell {
        arch.into()
    }

    fn parse(&self, text: &str) -> Result<Cell, ParseError> {
        text.parse()
    }

    fn parse_json(&self, value: &Value) -> Result<Cell, ParseError> {
        Cell::from_json(value)
    }

    fn describe(&self, config: &NetworkConfig) -> String {
        network::describe(config)
    }

    fn network(&self, cell: &Cell, config: &NetworkConfig) -> Result<Graph, NetworkError> {
        let block = |b: &mut _, x, place: &_| network::cell_block(b, x, place, cell);
        Ok(network::build(&network::MICRO, config, block)?)
    }
}

//! NAS-Bench-101 (Ying et al., ICML 2019).
//!
//! An architecture is a [`Cell`]: a directed acyclic graph of at most seven vertices and nine edges,
//! each vertex with one of three operations.

mod cell;
mod hash;
mod isomorphism;
mod moves;
mod network;

use serde_json::Value;
use swapnas_graph::Graph;

use crate::{
    About, Arch, Architecture, Moves, NetworkConfig, NetworkError, ParseError, TypedEncoding, TypedSpace,
};

use cell::text;

pub use cell::{Cell, Operation};

/// The space `nb101`.
pub(crate) struct NasBench101;

static ABOUT: About<Cell> = About::new(
    "nb101",
    "NAS-Bench-101 (Ying et al., 2019): cells that are graphs of up to seven vertices",
    &ENCODINGS,
);

static ENCODINGS: [TypedEncoding<Cell>; 2] = [
    TypedEncoding {
        name: "json",
        example: r#"{"matrix": [[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]], "ops": ["input", "conv3x3-bn-relu", "maxpool3x3", "output"]}"#,
        description: "the benchmark's own: adjacency matrix, upper triangular, and the operation of every vertex, \
                      input first and output last; operations conv3x3-bn-relu, conv1x1-bn-relu, maxpool3x3",
        print: |cell| Ok(cell.to_json().to_string()),
    },
    TypedEncoding {
        name: "naslib",
        example: "(0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, \
                  0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 4, 2, 4, 4, 3, 1)",
        description: "NASLib's flattened tuple: the matrix row by row, then the operations; 0 input, 1 output, \
                      2 maxpool3x3, 3 conv1x1-bn-relu, 4 conv3x3-bn-relu; 56 numbers for seven vertices",
        print: |cell| Ok(text::print_naslib(cell)),
    },
];

impl TypedSpace for NasBench101 {
    type Architecture = Cell;

    fn about(&self) -> &About<Cell> {
        &ABOUT
    }

    fn moves(&self) -> &dyn Moves {
        self
    }

    fn decode(&self, arch: &Arch) -> Cell {
        arch.into()
    }

    fn parse(&self, text: &str) -> Result<Cell, ParseError> {
        text.parse()
    }

    fn parse_json(&self, value: &Value) -> Result<Cell, ParseError> {
        text::from_json(value)
    }

    fn describe(&self, config: &NetworkConfig) -> String {
        network::describe(config)
    }

    fn network(&self, cell: &Cell, config: &NetworkConfig) -> Result<Graph, NetworkError> {
        Ok(network::build(&cell.pruned(), config)?)
    }
}

//! NAS-Bench-201 (Dong and Yang, ICLR 2020), also the topology space of NATS-Bench, whose size space is [`nats`](crate::nats).
//!
//! An architecture is a [`Cell`]: four nodes, each the sum of one operation on every earlier one.

mod cell;
mod network;
mod order;
mod text;

use serde_json::Value;
use swapnas_graph::Graph;

use crate::{
    About, Arch, Architecture, Genes, Moves, NetworkConfig, NetworkError, ParseError, TypedEncoding,
    TypedSpace,
};

pub use cell::{Cell, Operation};
pub(crate) use network::build_layers;

/// The space `nb201`.
pub(crate) struct NasBench201;

static GENES: Genes<'_> = Genes(&[Operation::ALL.len() as u8; Cell::EDGES.len()]);

static ABOUT: About<Cell> = About::new(
    "nb201",
    "NAS-Bench-201 (Dong and Yang, 2020): cells of four nodes with five operations",
    &ENCODINGS,
);

static ENCODINGS: [TypedEncoding<Cell>; 4] = [
    TypedEncoding {
        name: "string",
        example: "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|",
        description: "the benchmark's own: for nodes 1, 2 and 3 the operation on every earlier node; operations \
                      none, skip_connect, nor_conv_1x1, nor_conv_3x3, avg_pool_3x3",
        print: |cell| Ok(cell.to_string()),
    },
    TypedEncoding {
        name: "naslib",
        example: "(2, 2, 0, 4, 2, 0)",
        description: "NASLib's tuple for the edges 0->1, 0->2, 0->3, 1->2, 1->3, 2->3; operations 0 skip_connect, \
                      1 none, 2 nor_conv_3x3, 3 nor_conv_1x1, 4 avg_pool_3x3",
        print: |cell| Ok(text::print_naslib(cell)),
    },
    TypedEncoding {
        name: "index",
        example: "4321",
        description: "the number, from 0 to 15624, under which the benchmark's files keep the architecture",
        print: |cell| Ok(order::index(GENES.number(&cell.arch())).to_string()),
    },
    TypedEncoding {
        name: "json",
        example: r#"{"nodes": [["nor_conv_3x3"], ["nor_conv_3x3", "avg_pool_3x3"], ["skip_connect", "nor_conv_3x3", "skip_connect"]]}"#,
        description: "for nodes 1, 2 and 3 the operation on every earlier node",
        print: |cell| Ok(cell.to_json().to_string()),
    },
];

impl TypedSpace for NasBench201 {
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
        text::from_json(value)
    }

    fn describe(&self, config: &NetworkConfig) -> String {
        network::describe(config)
    }

    fn network(&self, cell: &Cell, config: &NetworkConfig) -> Result<Graph, NetworkError> {
        Ok(network::build(cell, config)?)
    }

    fn all(&self) -> Option<Box<dyn Iterator<Item = Arch> + Send>> {
        Some(Box::new((0..order::COUNT).map(|index| GENES.at(order::rank(index)))))
    }
}

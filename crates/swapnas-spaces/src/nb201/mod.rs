//! NAS-Bench-201 (Dong and Yang, ICLR 2020), also the topology space of NATS-Bench.
//!
//! An architecture is a [`Cell`]: four nodes, each the sum of one operation on every earlier one.

mod cell;
mod network;
mod order;
mod text;

use rand::Rng;
use serde_json::Value;
use swapnas_graph::{Graph, Shape};

use crate::diagram::Diagram;
use crate::genes::Genes;
use crate::space::find_encoding;
use crate::{Arch, Encoding, NetworkConfig, NetworkError, ParseError, Preset, PrintError, Space};

pub use cell::{Cell, Operation};

/// The space `nb201`.
pub(crate) struct NasBench201;

static GENES: Genes<'_> = Genes(&[Operation::ALL.len() as u8; Cell::EDGES.len()]);

static PRESETS: [Preset; 1] = [Preset::Benchmark];

static ENCODINGS: [Encoding; 4] = [
    Encoding {
        name: "string",
        example: "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|",
        description: "the benchmark's own: for nodes 1, 2 and 3 the operation on every earlier node; operations \
                      none, skip_connect, nor_conv_1x1, nor_conv_3x3, avg_pool_3x3",
    },
    Encoding {
        name: "naslib",
        example: "(2, 2, 0, 4, 2, 0)",
        description: "NASLib's tuple for the edges 0->1, 0->2, 0->3, 1->2, 1->3, 2->3; operations 0 skip_connect, \
                      1 none, 2 nor_conv_3x3, 3 nor_conv_1x1, 4 avg_pool_3x3",
    },
    Encoding {
        name: "index",
        example: "4321",
        description: "the number, from 0 to 15624, under which the benchmark's files keep the architecture",
    },
    Encoding {
        name: "json",
        example: r#"{"nodes": [["nor_conv_3x3"], ["nor_conv_3x3", "avg_pool_3x3"], ["skip_connect", "nor_conv_3x3", "skip_connect"]]}"#,
        description: "for nodes 1, 2 and 3 the operation on every earlier node",
    },
];

impl Space for NasBench201 {
    fn name(&self) -> &'static str {
        "nb201"
    }

    fn description(&self) -> &'static str {
        "NAS-Bench-201 (Dong and Yang, 2020): cells of four nodes with five operations"
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
        NetworkConfig::new(Preset::Benchmark, Shape::new(3, 32, 32), 10)
    }

    fn describe(&self, config: &NetworkConfig) -> String {
        network::describe(config)
    }

    fn parse(&self, text: &str) -> Result<Arch, ParseError> {
        Ok(text::parse(text)?.into())
    }

    fn print(&self, arch: &Arch) -> String {
        Cell::from(arch).to_string()
    }

    fn print_as(&self, arch: &Arch, encoding: &str) -> Result<String, PrintError> {
        Ok(match find_encoding(self, encoding)?.name {
            "naslib" => text::print_naslib(&arch.into()),
            "index" => order::index(GENES.number(arch)).to_string(),
            "json" => self.to_json(arch).to_string(),
            _ => self.print(arch),
        })
    }

    fn to_json(&self, arch: &Arch) -> Value {
        text::to_json(&arch.into())
    }

    fn parse_json(&self, value: &Value) -> Result<Arch, ParseError> {
        Ok(text::from_json(value)?.into())
    }

    fn diagrams(&self, arch: &Arch) -> Vec<Diagram> {
        let edges = Cell::EDGES.into_iter().zip(Cell::from(arch).0);
        let edges = edges.filter(|(_, op)| *op != Operation::None);
        vec![Diagram::four_nodes(edges.map(|((source, target), op)| (source, target, op.name())))]
    }

    fn sample(&self, rng: &mut dyn Rng) -> Arch {
        GENES.sample(rng)
    }

    /// Another operation on one edge.
    fn neighbours(&self, arch: &Arch) -> Vec<Arch> {
        GENES.neighbours(arch)
    }

    fn crossover(&self, a: &Arch, b: &Arch, rng: &mut dyn Rng) -> Arch {
        GENES.crossover(a, b, rng)
    }

    /// See [`Cell::canonical`].
    fn canonical(&self, arch: &Arch) -> Arch {
        Cell::from(arch).canonical().into()
    }

    /// In the benchmark's order.
    fn all(&self) -> Option<Box<dyn Iterator<Item = Arch> + Send>> {
        Some(Box::new((0..order::COUNT).map(|index| GENES.at(order::rank(index)))))
    }

    fn network(&self, arch: &Arch, config: &NetworkConfig) -> Result<Graph, NetworkError> {
        config.check(self.name(), &PRESETS)?;
        Ok(network::build(&arch.into(), config)?)
    }
}

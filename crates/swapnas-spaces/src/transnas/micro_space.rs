use std::collections::HashMap;
use std::sync::LazyLock;

use rand::Rng;
use serde_json::Value;
use swapnas_graph::{Graph, Shape};

use super::{Cell, Operation, network};
use crate::diagram::Diagram;
use crate::genes::Genes;
use crate::space::find_encoding;
use crate::{Arch, Encoding, NetworkConfig, NetworkError, ParseError, Preset, PrintError, Space};

/// The space `transnas-micro`.
pub(crate) struct Micro;

static GENES: Genes<'_> = Genes(&[Operation::ALL.len() as u8; Cell::EDGES.len()]);

static PRESETS: [Preset; 1] = [Preset::Benchmark];

static ENCODINGS: [Encoding; 3] = [
    Encoding {
        name: "string",
        example: "64-41414-1_02_333",
        description: "the benchmark's own: base channels and skeleton, which are always these, then the operations into \
                      nodes 1, 2 and 3; 0 none, 1 skip_connect, 2 nor_conv_1x1, 3 nor_conv_3x3",
    },
    Encoding {
        name: "naslib",
        example: "(1, 0, 2, 3, 3, 3)",
        description: "NASLib's tuple: the digits of the cell in the same order",
    },
    Encoding {
        name: "json",
        example: r#"{"nodes": [["skip_connect"], ["none", "nor_conv_1x1"], ["nor_conv_3x3", "nor_conv_3x3", "nor_conv_3x3"]]}"#,
        description: "for nodes 1, 2 and 3 the operation on every earlier node",
    },
];

impl Space for Micro {
    fn name(&self) -> &'static str {
        "transnas-micro"
    }

    fn description(&self) -> &'static str {
        "TransNAS-Bench-101 (Duan et al., 2021), micro: cells of four nodes with four operations"
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

    /// For the benchmark's task `class_object`.
    fn default_network(&self) -> NetworkConfig {
        NetworkConfig::new(Preset::Benchmark, Shape::new(3, 256, 256), 75)
    }

    fn describe(&self, config: &NetworkConfig) -> String {
        network::describe(config)
    }

    fn parse(&self, text: &str) -> Result<Arch, ParseError> {
        Ok(text.parse::<Cell>()?.into())
    }

    fn print(&self, arch: &Arch) -> String {
        Cell::from(arch).to_string()
    }

    fn print_as(&self, arch: &Arch, encoding: &str) -> Result<String, PrintError> {
        Ok(match find_encoding(self, encoding)?.name {
            "naslib" => Cell::from(arch).print_naslib(),
            "json" => self.to_json(arch).to_string(),
            _ => self.print(arch),
        })
    }

    fn to_json(&self, arch: &Arch) -> Value {
        Cell::from(arch).to_json()
    }

    fn parse_json(&self, value: &Value) -> Result<Arch, ParseError> {
        Ok(Cell::from_json(value)?.into())
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

    /// Cells whose output is the same sum of the same terms compute the same function. The first
    /// one in the order of digits stands for them.
    fn canonical(&self, arch: &Arch) -> Arch {
        static REPRESENTATIVES: LazyLock<Vec<usize>> = LazyLock::new(|| {
            let mut first = HashMap::new();
            let cells = (0..GENES.size() as usize).map(|number| (number, Cell::from(&GENES.at(number))));
            cells.map(|(number, cell)| *first.entry(cell.terms()).or_insert(number)).collect()
        });
        GENES.at(REPRESENTATIVES[GENES.number(arch)])
    }

    /// In the order of digits.
    fn all(&self) -> Option<Box<dyn Iterator<Item = Arch> + Send>> {
        Some(Box::new((0..GENES.size() as usize).map(|number| GENES.at(number))))
    }

    fn network(&self, arch: &Arch, config: &NetworkConfig) -> Result<Graph, NetworkError> {
        config.check(self.name(), &PRESETS)?;
        let cell = Cell::from(arch);
        let block = |b: &mut _, x, place: &_| network::cell_block(b, x, place, &cell);
        Ok(network::build(&network::MICRO, config, block)?)
    }
}

//! The cell space of DARTS (Liu et al., ICLR 2019), on which NAS-Bench-301 (Zela et al., ICLR 2022)
//! is built.
//!
//! An architecture is a [`Genotype`]: a normal and a reduction cell of four nodes, each the sum of
//! two operations on earlier states.
//!
//! The space is registered twice. `darts` and `nb301` are one space with the same architectures;
//! they differ only in the network that is scored by default: the small one of the released SWAP
//! code for `darts`, the one that NAS-Bench-301 trained for `nb301`.

mod genotype;
mod network;
mod one_cell;
mod text;

use rand::seq::{IndexedRandom, index};
use rand::{Rng, RngExt};
use serde_json::Value;
use swapnas_graph::{Graph, Shape};

use crate::diagram::Diagram;
use crate::space::find_encoding;
use crate::{Arch, Encoding, NetworkConfig, NetworkError, ParseError, Preset, PrintError, Space};
use one_cell::OneCell;

pub use genotype::{Cell, Edge, Genotype, Operation};

/// The space `darts` or `nb301`.
pub(crate) struct Darts {
    name: &'static str,
    description: &'static str,
    presets: &'static [Preset],
    /// Channels and cells of the network that is trained, if they are not the benchmark's.
    trained: (Option<usize>, Option<usize>),
    /// The part in which both cells are alike.
    one_cell: &'static OneCell,
}

pub(crate) static DARTS: Darts = Darts {
    name: "darts",
    description: "DARTS cells (Liu et al., 2019), scored in the small network of the SWAP paper's code",
    presets: &[Preset::Swap, Preset::Benchmark],
    // Those of the DARTS paper for CIFAR-10.
    trained: (Some(36), Some(20)),
    one_cell: &one_cell::DARTS,
};

pub(crate) static NB301: Darts = Darts {
    name: "nb301",
    description: "NAS-Bench-301 (Zela et al., 2022): DARTS cells, scored in the benchmark's network",
    presets: &[Preset::Benchmark, Preset::Swap],
    trained: (None, None),
    one_cell: &one_cell::NB301,
};

static ENCODINGS: [Encoding; 3] = [
    Encoding {
        name: "genotype",
        example: "Genotype(normal=[('sep_conv_3x3', 0), ('skip_connect', 1), ('sep_conv_5x5', 0), \
                  ('sep_conv_3x3', 2), ('max_pool_3x3', 0), ('dil_conv_3x3', 3), ('sep_conv_3x3', 1), \
                  ('avg_pool_3x3', 4)], normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), \
                  ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0), \
                  ('skip_connect', 2), ('dil_conv_5x5', 2), ('max_pool_3x3', 1)], \
                  reduce_concat=[2, 3, 4, 5])",
        description: "Python repr of a DARTS genotype: (operation, input) pairs, two for each of the four \
                      nodes. Inputs 0 and 1 are the cell's, 2 to 4 earlier nodes; `none` is allowed, and \
                      so are `range(2, 6)` and any other list of states to join",
    },
    Encoding {
        name: "naslib",
        example: "[[(0, 3), (1, 2), (0, 4), (2, 3), (0, 0), (3, 5), (1, 3), (4, 1)], \
                  [(0, 0), (1, 0), (2, 2), (1, 0), (0, 0), (2, 2), (2, 6), (1, 0)]]",
        description: "NASLib's compact form of NAS-Bench-301: normal and reduction cell as (input, \
                      operation) pairs; operations 0 max_pool_3x3, 1 avg_pool_3x3, 2 skip_connect, \
                      3 sep_conv_3x3, 4 sep_conv_5x5, 5 dil_conv_3x3, 6 dil_conv_5x5",
    },
    Encoding {
        name: "json",
        example: r#"{"normal": [["sep_conv_3x3", 0], ["skip_connect", 1], ["sep_conv_5x5", 0], ["sep_conv_3x3", 2], ["max_pool_3x3", 0], ["dil_conv_3x3", 3], ["sep_conv_3x3", 1], ["avg_pool_3x3", 4]], "normal_concat": [2, 3, 4, 5], "reduce": [["max_pool_3x3", 0], ["max_pool_3x3", 1], ["skip_connect", 2], ["max_pool_3x3", 1], ["max_pool_3x3", 0], ["skip_connect", 2], ["dil_conv_5x5", 2], ["max_pool_3x3", 1]], "reduce_concat": [2, 3, 4, 5]}"#,
        description: "the genotype as an object",
    },
];

impl Space for Darts {
    fn name(&self) -> &'static str {
        self.name
    }

    fn description(&self) -> &'static str {
        self.description
    }

    fn encodings(&self) -> &'static [Encoding] {
        &ENCODINGS
    }

    /// Node j chooses two of its j + 2 inputs and one of seven operations for each.
    fn size(&self) -> u128 {
        let cell = (3 * 6 * 10) * 49u128.pow(4);
        cell * cell
    }

    fn presets(&self) -> &'static [Preset] {
        self.presets
    }

    fn default_network(&self) -> NetworkConfig {
        NetworkConfig::new(self.presets[0], Shape::new(3, 32, 32), 10)
    }

    fn final_network(&self) -> NetworkConfig {
        let (channels, cells) = self.trained;
        NetworkConfig { preset: Preset::Benchmark, channels, cells, ..self.default_network() }
    }

    fn describe(&self, config: &NetworkConfig) -> String {
        network::describe(config)
    }

    fn parse(&self, text: &str) -> Result<Arch, ParseError> {
        Ok(text::parse(text)?.into())
    }

    fn print(&self, arch: &Arch) -> String {
        Genotype::from(arch).to_string()
    }

    fn print_as(&self, arch: &Arch, encoding: &str) -> Result<String, PrintError> {
        match find_encoding(self, encoding)?.name {
            "naslib" => text::print_naslib(&arch.into()),
            "json" => Ok(self.to_json(arch).to_string()),
            _ => Ok(self.print(arch)),
        }
    }

    fn to_json(&self, arch: &Arch) -> Value {
        text::to_json(&arch.into())
    }

    fn parse_json(&self, value: &Value) -> Result<Arch, ParseError> {
        Ok(text::from_json(value)?.into())
    }

    /// The two cells as DARTS draws them: `c_{k-1}` is the previous cell, `c_{k-2}` the one before.
    fn diagrams(&self, arch: &Arch) -> Vec<Diagram> {
        let Genotype { normal, reduce } = arch.into();
        vec![normal.diagram("normal cell"), reduce.diagram("reduction cell")]
    }

    /// As NAS-Bench-301 samples: no `none`, two distinct inputs a node. The inputs are in ascending
    /// order, so that the architecture is canonical.
    fn sample(&self, rng: &mut dyn Rng) -> Arch {
        let mut cell = || {
            let mut edges = [Edge { op: Operation::None, input: 0 }; 8];
            for (node, pair) in edges.chunks_exact_mut(2).enumerate() {
                let mut inputs = index::sample_array::<_, 2>(rng, node + 2).expect("two inputs or more");
                inputs.sort_unstable();
                for (edge, input) in pair.iter_mut().zip(inputs) {
                    let op = *Operation::SAMPLED.choose(rng).expect("there are seven");
                    *edge = Edge { op, input };
                }
            }
            Cell::new(edges, &[2, 3, 4, 5]).expect("inputs are earlier states")
        };
        let (normal, reduce) = (cell(), cell());
        Genotype { normal, reduce }.into()
    }

    /// Another operation, other than `none`, or another input of one edge. An input is not changed
    /// to that of the node's other edge.
    fn neighbours(&self, arch: &Arch) -> Vec<Arch> {
        let genotype = Genotype::from(arch);
        let mut neighbours = Vec::new();
        for cell in genotype.normal.neighbours() {
            neighbours.push(Genotype { normal: cell, ..genotype.clone() }.into());
        }
        for cell in genotype.reduce.neighbours() {
            neighbours.push(Genotype { reduce: cell, ..genotype.clone() }.into());
        }
        neighbours
    }

    /// The two edges of a node stay together, since apart they could come to read the same input.
    fn crossover(&self, a: &Arch, b: &Arch, rng: &mut dyn Rng) -> Arch {
        let (a, b) = (Genotype::from(a), Genotype::from(b));
        let mut cross = |a: &Cell, b: &Cell| {
            let mut edges = *a.edges();
            for (pair, other) in edges.chunks_exact_mut(2).zip(b.edges().chunks_exact(2)) {
                if rng.random() {
                    pair.copy_from_slice(other);
                }
            }
            let concat = if rng.random() { a.concat() } else { b.concat() };
            Cell::new(edges, concat).expect("nodes of valid cells in their places")
        };
        let (normal, reduce) = (cross(&a.normal, &b.normal), cross(&a.reduce, &b.reduce));
        Genotype { normal, reduce }.into()
    }

    /// The order of a node's two edges does not matter, nor what a `none` reads.
    fn canonical(&self, arch: &Arch) -> Arch {
        let Genotype { normal, reduce } = arch.into();
        Genotype { normal: normal.canonical(), reduce: reduce.canonical() }.into()
    }

    fn all(&self) -> Option<Box<dyn Iterator<Item = Arch> + Send>> {
        None
    }

    fn one_cell(&self) -> Option<&'static dyn Space> {
        Some(self.one_cell)
    }

    fn network(&self, arch: &Arch, config: &NetworkConfig) -> Result<Graph, NetworkError> {
        config.check(self.name, self.presets)?;
        Ok(network::build(&arch.into(), config)?)
    }
}

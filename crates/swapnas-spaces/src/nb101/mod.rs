//! NAS-Bench-101 (Ying et al., ICML 2019).
//!
//! An architecture is a [`Cell`]: a directed acyclic graph of at most seven vertices and nine edges,
//! each vertex with one of three operations.

mod cell;
mod hash;
mod isomorphism;
mod moves;
mod network;
mod text;

use rand::Rng;
use serde_json::Value;
use swapnas_graph::{Graph, Shape};

use crate::diagram::{Diagram, Role};
use crate::space::find_encoding;
use crate::{Arch, Encoding, NetworkConfig, NetworkError, ParseError, Preset, PrintError, Space};

pub use cell::{Cell, Operation};

/// The space `nb101`.
pub(crate) struct NasBench101;

static PRESETS: [Preset; 1] = [Preset::Benchmark];

static ENCODINGS: [Encoding; 2] = [
    Encoding {
        name: "json",
        example: r#"{"matrix": [[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]], "ops": ["input", "conv3x3-bn-relu", "maxpool3x3", "output"]}"#,
        description: "the benchmark's own: adjacency matrix, upper triangular, and the operation of every vertex, \
                      input first and output last; operations conv3x3-bn-relu, conv1x1-bn-relu, maxpool3x3",
    },
    Encoding {
        name: "naslib",
        example: "(0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, \
                  0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 4, 2, 4, 4, 3, 1)",
        description: "NASLib's flattened tuple: the matrix row by row, then the operations; 0 input, 1 output, \
                      2 maxpool3x3, 3 conv1x1-bn-relu, 4 conv3x3-bn-relu; 56 numbers for seven vertices",
    },
];

impl Space for NasBench101 {
    fn name(&self) -> &'static str {
        "nb101"
    }

    fn description(&self) -> &'static str {
        "NAS-Bench-101 (Ying et al., 2019): cells that are graphs of up to seven vertices"
    }

    fn encodings(&self) -> &'static [Encoding] {
        &ENCODINGS
    }

    /// The cells that are not isomorphic, as many as the benchmark trained.
    fn size(&self) -> u128 {
        423_624
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
        Ok((&text::parse(text)?).into())
    }

    fn print(&self, arch: &Arch) -> String {
        Cell::from(arch).to_string()
    }

    fn print_as(&self, arch: &Arch, encoding: &str) -> Result<String, PrintError> {
        Ok(match find_encoding(self, encoding)?.name {
            "naslib" => text::print_naslib(&arch.into()),
            _ => self.print(arch),
        })
    }

    fn to_json(&self, arch: &Arch) -> Value {
        text::to_json(&arch.into())
    }

    fn parse_json(&self, value: &Value) -> Result<Arch, ParseError> {
        Ok((&text::from_json(value)?).into())
    }

    /// The cell with its operations on the nodes. Vertices that do not matter are left out.
    fn diagrams(&self, arch: &Arch) -> Vec<Diagram> {
        let cell = Cell::from(arch).pruned();
        let mut diagram = Diagram::new("cell");
        diagram.node("input", Role::Input);
        for op in cell.ops() {
            diagram.node(op.name(), Role::Inner);
        }
        diagram.node("output", Role::Output);
        let mut edges: Vec<(usize, usize)> = cell.edges().collect();
        edges.sort_by_key(|&(source, target)| (target, source));
        edges.into_iter().for_each(|(source, target)| diagram.edge(source, target, ""));
        vec![diagram]
    }

    /// Uniform over the cells that are not isomorphic: matrices and operations of all sizes are
    /// drawn uniformly until one is the canonical form of itself, which one of every class is.
    fn sample(&self, rng: &mut dyn Rng) -> Arch {
        (&isomorphism::sample(rng)).into()
    }

    /// Another operation of one vertex, an edge more or less, or a vertex more between two others;
    /// as far as they are valid, pruned, in canonical form and not isomorphic to each other.
    fn neighbours(&self, arch: &Arch) -> Vec<Arch> {
        moves::neighbours(&arch.into()).iter().map(Arch::from).collect()
    }

    /// Every edge and every operation comes from either parent, with the output of both as the last
    /// vertex; drawn again until the cell is valid. It is not pruned.
    fn crossover(&self, a: &Arch, b: &Arch, rng: &mut dyn Rng) -> Arch {
        (&moves::crossover(&a.into(), &b.into(), rng)).into()
    }

    /// The canonical form of the isomorphism class, see [`Cell::canonical`].
    fn canonical(&self, arch: &Arch) -> Arch {
        (&Cell::from(arch).canonical()).into()
    }

    /// In canonical form, those with few vertices first.
    fn all(&self) -> Option<Box<dyn Iterator<Item = Arch> + Send>> {
        Some(Box::new(isomorphism::all().map(|cell| Arch::from(&cell))))
    }

    fn network(&self, arch: &Arch, config: &NetworkConfig) -> Result<Graph, NetworkError> {
        config.check(self.name(), &PRESETS)?;
        Ok(network::build(&Cell::from(arch).pruned(), config)?)
    }
}

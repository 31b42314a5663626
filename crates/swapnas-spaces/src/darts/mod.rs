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
mod moves;
mod network;

use serde_json::Value;
use swapnas_graph::{Graph, Shape};

use crate::{
    About, Arch, Architecture, Moves, NetworkConfig, NetworkError, ParseError, Preset, Space, TypedEncoding,
    TypedSpace,
};
use genotype::text;
use moves::{Alike, Both};

pub use genotype::{Cell, Edge, Genotype, Operation};

/// The space `darts` or `nb301`.
pub(crate) struct Darts {
    about: About<Genotype>,
    /// Channels and cells of the network that is trained, if they are not the benchmark's.
    trained: (Option<usize>, Option<usize>),
    moves: &'static dyn Moves,
    /// The part in which both cells are alike, of a space that has others.
    one_cell: Option<&'static Darts>,
}

pub(crate) static DARTS: Darts =
    Darts { moves: &Both, one_cell: Some(&DARTS_OF_ONE_CELL), ..DARTS_OF_ONE_CELL };

const DARTS_OF_ONE_CELL: Darts = Darts {
    about: about(
        "darts",
        "DARTS cells (Liu et al., 2019), scored in the small network of the SWAP paper's code",
        &[Preset::Swap, Preset::Benchmark],
    ),
    // Those of the DARTS paper for CIFAR-10.
    trained: (Some(36), Some(20)),
    moves: &Alike,
    one_cell: None,
};

pub(crate) static NB301: Darts =
    Darts { moves: &Both, one_cell: Some(&NB301_OF_ONE_CELL), ..NB301_OF_ONE_CELL };

const NB301_OF_ONE_CELL: Darts = Darts {
    about: about(
        "nb301",
        "NAS-Bench-301 (Zela et al., 2022): DARTS cells, scored in the benchmark's network",
        &[Preset::Benchmark, Preset::Swap],
    ),
    trained: (None, None),
    moves: &Alike,
    one_cell: None,
};

const fn about(name: &'static str, description: &'static str, presets: &'static [Preset]) -> About<Genotype> {
    let input = Shape::new(3, 32, 32);
    About { name, description, encodings: &ENCODINGS, presets, input, classes: 10, fixed_cells: None }
}

static ENCODINGS: [TypedEncoding<Genotype>; 3] = [
    TypedEncoding {
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
        print: |genotype| Ok(genotype.to_string()),
    },
    TypedEncoding {
        name: "naslib",
        example: "[[(0, 3), (1, 2), (0, 4), (2, 3), (0, 0), (3, 5), (1, 3), (4, 1)], \
                  [(0, 0), (1, 0), (2, 2), (1, 0), (0, 0), (2, 2), (2, 6), (1, 0)]]",
        description: "NASLib's compact form of NAS-Bench-301: normal and reduction cell as (input, \
                      operation) pairs; operations 0 max_pool_3x3, 1 avg_pool_3x3, 2 skip_connect, \
                      3 sep_conv_3x3, 4 sep_conv_5x5, 5 dil_conv_3x3, 6 dil_conv_5x5",
        print: text::print_naslib,
    },
    TypedEncoding {
        name: "json",
        example: r#"{"normal": [["sep_conv_3x3", 0], ["skip_connect", 1], ["sep_conv_5x5", 0], ["sep_conv_3x3", 2], ["max_pool_3x3", 0], ["dil_conv_3x3", 3], ["sep_conv_3x3", 1], ["avg_pool_3x3", 4]], "normal_concat": [2, 3, 4, 5], "reduce": [["max_pool_3x3", 0], ["max_pool_3x3", 1], ["skip_connect", 2], ["max_pool_3x3", 1], ["max_pool_3x3", 0], ["skip_connect", 2], ["dil_conv_5x5", 2], ["max_pool_3x3", 1]], "reduce_concat": [2, 3, 4, 5]}"#,
        description: "the genotype as an object",
        print: |genotype| Ok(genotype.to_json().to_string()),
    },
];

impl TypedSpace for Darts {
    type Architecture = Genotype;

    fn about(&self) -> &About<Genotype> {
        &self.about
    }

    fn moves(&self) -> &dyn Moves {
        self.moves
    }

    fn decode(&self, arch: &Arch) -> Genotype {
        arch.into()
    }

    fn parse(&self, text: &str) -> Result<Genotype, ParseError> {
        text.parse()
    }

    fn parse_json(&self, value: &Value) -> Result<Genotype, ParseError> {
        text::from_json(value)
    }

    fn describe(&self, config: &NetworkConfig) -> String {
        network::describe(config)
    }

    fn network(&self, genotype: &Genotype, config: &NetworkConfig) -> Result<Graph, NetworkError> {
        Ok(network::build(genotype, config)?)
    }

    fn final_network(&self) -> NetworkConfig {
        let (channels, cells) = self.trained;
        NetworkConfig { preset: Preset::Benchmark, channels, cells, ..self.about.default_network() }
    }

    fn one_cell(&self) -> Option<&'static dyn Space> {
        let one_cell: &'static dyn Space = self.one_cell?;
        Some(one_cell)
    }
}

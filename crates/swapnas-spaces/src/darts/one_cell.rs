//! DARTS with the same cell as normal and as reduction cell, as in the table of 1000 architectures that
//! was published with SWAP. The scored network of the SWAP code has a single cell, which is a reduction
//! cell, so nothing that is changed in the normal cell would change its score.

use rand::Rng;
use serde_json::Value;
use swapnas_graph::Graph;

use super::{Darts, Genotype};
use crate::diagram::Diagram;
use crate::{Arch, Encoding, NetworkConfig, NetworkError, ParseError, Preset, PrintError, Space};

/// The part of a DARTS space in which both cells are alike. Everything but the moves is the space's own.
pub(super) struct OneCell(&'static Darts);

pub(super) static DARTS: OneCell = OneCell(&super::DARTS);
pub(super) static NB301: OneCell = OneCell(&super::NB301);

/// The reduction cell in both places.
fn alike(arch: &Arch) -> Arch {
    let Genotype { reduce, .. } = arch.into();
    Genotype { normal: reduce.clone(), reduce }.into()
}

impl Space for OneCell {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn description(&self) -> &'static str {
        self.0.description()
    }

    fn encodings(&self) -> &'static [Encoding] {
        self.0.encodings()
    }

    fn size(&self) -> u128 {
        self.0.size().isqrt()
    }

    fn presets(&self) -> &'static [Preset] {
        self.0.presets()
    }

    fn default_network(&self) -> NetworkConfig {
        self.0.default_network()
    }

    fn scored_network(&self) -> NetworkConfig {
        self.0.scored_network()
    }

    fn final_network(&self) -> NetworkConfig {
        self.0.final_network()
    }

    fn describe(&self, config: &NetworkConfig) -> String {
        self.0.describe(config)
    }

    fn parse(&self, text: &str) -> Result<Arch, ParseError> {
        self.0.parse(text)
    }

    fn print(&self, arch: &Arch) -> String {
        self.0.print(arch)
    }

    fn print_as(&self, arch: &Arch, encoding: &str) -> Result<String, PrintError> {
        self.0.print_as(arch, encoding)
    }

    fn to_json(&self, arch: &Arch) -> Value {
        self.0.to_json(arch)
    }

    fn parse_json(&self, value: &Value) -> Result<Arch, ParseError> {
        self.0.parse_json(value)
    }

    fn diagrams(&self, arch: &Arch) -> Vec<Diagram> {
        self.0.diagrams(arch)
    }

    fn sample(&self, rng: &mut dyn Rng) -> Arch {
        alike(&self.0.sample(rng))
    }

    fn neighbours(&self, arch: &Arch) -> Vec<Arch> {
        let Genotype { reduce, .. } = arch.into();
        let both = |cell: super::Cell| Genotype { normal: cell.clone(), reduce: cell }.into();
        reduce.neighbours().map(both).collect()
    }

    fn crossover(&self, a: &Arch, b: &Arch, rng: &mut dyn Rng) -> Arch {
        alike(&self.0.crossover(a, b, rng))
    }

    fn canonical(&self, arch: &Arch) -> Arch {
        self.0.canonical(arch)
    }

    fn all(&self) -> Option<Box<dyn Iterator<Item = Arch> + Send>> {
        None
    }

    fn network(&self, arch: &Arch, config: &NetworkConfig) -> Result<Graph, NetworkError> {
        self.0.network(arch, config)
    }
}

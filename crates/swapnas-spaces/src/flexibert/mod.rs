//! FlexiBERT (Tuli et al., JAIR 2023): encoders of texts whose layers differ from each other, in the part that
//! Serianni and Kalita (ACL 2023, "Training-free Neural Architecture Search for RNNs and Transformers") trained 500
//! encoders of as ELECTRA, from BERT-Tiny to BERT-Mini.
//!
//! A layer has one of six operations on tokens, a number of heads, and a feed-forward network of some width and
//! depth; the hidden size is the same in all layers. Networks are built with the sizes that an architecture gives. The
//! code that computed metrics for the benchmark builds each with a hidden size of 256 and feed-forward networks of
//! 1024, whatever it says.

mod encoder;
mod network;
mod operation;

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use serde_json::Value;
use swapnas_graph::{Graph, Shape};

use crate::diagram::Diagram;
use crate::genes::Genes;
use crate::space::find_encoding;
use crate::{Arch, Encoding, NetworkConfig, NetworkError, ParseError, Preset, PrintError, Space};

pub use encoder::{Encoder, Layer, Operation};

/// The space `flexibert`.
pub(crate) struct FlexiBert;

/// The genes of encoders of two layers, and of four.
static GENES: [Genes<'_>; 2] = [Genes(ALLELES.first_chunk::<9>().expect("more genes")), Genes(&ALLELES)];

/// The alleles of the hidden size, and of each of four layers.
static ALLELES: [u8; 17] = {
    let mut alleles = [encoder::HIDDEN.len() as u8; 17];
    let mut gene = 1;
    while gene < alleles.len() {
        alleles[gene] = encoder::ALLELES[(gene - 1) % 4];
        gene += 1;
    }
    alleles
};

static PRESETS: [Preset; 1] = [Preset::Benchmark];

static ENCODINGS: [Encoding; 2] = [
    Encoding {
        name: "string",
        example: "h256:WMA/4/1024x3:DCT/2/512x3:SDP/4/512x3:DSC9/4/1024x1",
        description: "hidden size (128, 256), then two or four layers: operation (SDP and WMA are self-attention, DFT and \
                      DCT linear transforms, DSC5 and DSC9 dynamic convolutions), heads (2, 4), feed-forward dimension \
                      (512, 1024) and number of feed-forward layers (1, 3)",
    },
    Encoding {
        name: "json",
        example: r#"{"hidden_size": 128, "encoder_layers": [{"operation_type": "SA", "operation_parameter": "SDP", "num_operation_heads": 2, "feed_forward_dimension": 512, "num_feed_forward": 1}, {"operation_type": "DSC", "operation_parameter": 5, "num_operation_heads": 4, "feed_forward_dimension": 1024, "num_feed_forward": 3}]}"#,
        description: "as the benchmark's records have it; in these, id and scores may stand beside",
    },
];

impl FlexiBert {
    fn genes(arch: &Arch) -> &'static Genes<'static> {
        &GENES[usize::from(arch.genes().len() == GENES[1].0.len())]
    }
}

impl Space for FlexiBert {
    fn name(&self) -> &'static str {
        "flexibert"
    }

    fn description(&self) -> &'static str {
        "FlexiBERT (Tuli et al., 2023): encoders of texts with six operations, 2 or 4 layers"
    }

    fn encodings(&self) -> &'static [Encoding] {
        &ENCODINGS
    }

    fn size(&self) -> u128 {
        GENES.iter().map(Genes::size).sum()
    }

    fn presets(&self) -> &'static [Preset] {
        &PRESETS
    }

    /// With two classes, which most tasks of GLUE have, and texts of the length that the benchmark was trained with.
    fn default_network(&self) -> NetworkConfig {
        NetworkConfig::new(Preset::Benchmark, Shape::new(1, 1, 128), 2)
    }

    /// A quarter of all widths and of the tokens: as deep as the benchmark's. With full widths, it takes ten times as long
    /// and orders architectures no better.
    fn scored_network(&self) -> NetworkConfig {
        NetworkConfig { channels: Some(32), input: Shape::new(1, 1, 32), ..self.default_network() }
    }

    fn vocabulary(&self) -> Option<usize> {
        Some(network::VOCABULARY)
    }

    fn describe(&self, config: &NetworkConfig) -> String {
        network::describe(config)
    }

    fn parse(&self, text: &str) -> Result<Arch, ParseError> {
        Ok((&text.parse::<Encoder>()?).into())
    }

    fn print(&self, arch: &Arch) -> String {
        Encoder::from(arch).to_string()
    }

    fn print_as(&self, arch: &Arch, encoding: &str) -> Result<String, PrintError> {
        Ok(match find_encoding(self, encoding)?.name {
            "json" => self.to_json(arch).to_string(),
            _ => self.print(arch),
        })
    }

    fn to_json(&self, arch: &Arch) -> Value {
        Encoder::from(arch).to_json()
    }

    fn parse_json(&self, value: &Value) -> Result<Arch, ParseError> {
        Ok((&Encoder::from_json(value)?).into())
    }

    /// The row of layers.
    fn diagrams(&self, arch: &Arch) -> Vec<Diagram> {
        vec![network::diagram(&arch.into())]
    }

    /// Uniform over architectures, of which one in 2,305 has two layers.
    fn sample(&self, rng: &mut dyn Rng) -> Arch {
        let [two, four] = &GENES;
        let deep = rng.random_range(0..two.size() + four.size()) >= two.size();
        GENES[usize::from(deep)].sample(rng)
    }

    /// Another hidden size, or in one layer another operation, number of heads, feed-forward dimension or number of
    /// feed-forward layers; of two layers, each again behind both; of four, the first two alone.
    fn neighbours(&self, arch: &Arch) -> Vec<Arch> {
        let encoder = Encoder::from(arch);
        let layers = encoder.layers();
        let other = match layers.len() {
            2 => [layers, layers].concat(),
            _ => layers[..2].to_vec(),
        };
        let other = Encoder::new(encoder.hidden(), &other).expect("two or four layers");
        let mut neighbours = FlexiBert::genes(arch).neighbours(arch);
        neighbours.push((&other).into());
        neighbours
    }

    /// As many layers as one of the parents has; what only the longer one has is its own.
    fn crossover(&self, a: &Arch, b: &Arch, rng: &mut dyn Rng) -> Arch {
        let (long, short) = if a.genes().len() >= b.genes().len() { (a, b) } else { (b, a) };
        let length = *[long.genes().len(), short.genes().len()].choose(rng).expect("there are two");
        let genes: Vec<u8> = long.genes()[..length]
            .iter()
            .enumerate()
            .map(|(place, own)| match short.genes().get(place) {
                Some(other) if rng.random() => *other,
                _ => *own,
            })
            .collect();
        Arch::new(&genes)
    }

    /// Every architecture is a function of its own.
    fn canonical(&self, arch: &Arch) -> Arch {
        arch.clone()
    }

    fn all(&self) -> Option<Box<dyn Iterator<Item = Arch> + Send>> {
        None
    }

    fn network(&self, arch: &Arch, config: &NetworkConfig) -> Result<Graph, NetworkError> {
        config.check(self.name(), &PRESETS)?;
        config.check_fixed_cells(self.name(), "layers")?;
        config.check_texts(self.name(), network::POSITIONS)?;
        Ok(network::build(&arch.into(), config)?)
    }
}

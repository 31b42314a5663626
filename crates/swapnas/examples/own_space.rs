//! A search space of one's own: `cargo run --release -p swapnas --example own_space`.

use std::fmt;

use swapnas::graph::{Conv, Graph, GraphBuilder, Window};
use swapnas::spaces::{About, Architecture, Genes, Moves, TypedEncoding, TypedSpace, contract};
use swapnas::{Arch, NetworkConfig, NetworkError, ParseError, Scoring};

/// Three convolutions, each with one of four widths: 8 channels for each of its number and 8 more.
#[derive(Clone)]
struct Layers([u8; 3]);

impl Architecture for Layers {
    fn arch(&self) -> Arch {
        Arch::new(&self.0)
    }
}

impl fmt::Display for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|width| write!(f, "{width}"))
    }
}

static ABOUT: About<Layers> = About::new(
    "three-layers",
    "three convolutions, each with one of four widths",
    &[TypedEncoding {
        name: "widths",
        example: "013",
        description: "a digit for the width of each layer",
        print: |layers: &Layers| Ok(layers.to_string()),
    }],
)
.with_fixed_cells("layers");

struct ThreeLayers;

impl TypedSpace for ThreeLayers {
    type Architecture = Layers;

    fn about(&self) -> &About<Layers> {
        &ABOUT
    }

    fn moves(&self) -> &dyn Moves {
        &Genes(&[4; 3])
    }

    fn decode(&self, arch: &Arch) -> Layers {
        Layers(arch.genes().try_into().expect("three layers"))
    }

    fn parse(&self, text: &str) -> Result<Layers, ParseError> {
        let digits: Option<Vec<u8>> = text.chars().map(|c| Some(c.to_digit(4)? as u8)).collect();
        let layers = digits.and_then(|digits| digits.try_into().ok()).map(Layers);
        layers.ok_or_else(|| ParseError::unreadable(text, "three digits from 0 to 3"))
    }

    fn network(&self, layers: &Layers, config: &NetworkConfig) -> Result<Graph, NetworkError> {
        let mut b = GraphBuilder::new(config.input);
        let mut x = b.input();
        for (place, width) in layers.0.into_iter().enumerate() {
            let conv = Conv::new(config.channels.unwrap_or(8) * (usize::from(width) + 1), Window::square(3));
            x = b.conv2d(&format!("conv{place}"), x, conv)?;
            x = b.relu(&format!("relu{place}"), x)?;
        }
        let features = b.global_avg_pool("pool", x)?;
        let logits = b.linear("head", features, config.classes, true)?;
        Ok(b.finish(&[logits, features]))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    contract::check(&ThreeLayers);
    let scorer = Scoring::new(&ThreeLayers).scorer()?;
    println!("{:?}", scorer.score(&[scorer.space().parse("013")?], &())?);
    Ok(())
}

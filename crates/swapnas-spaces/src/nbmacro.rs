//! NAS-Bench-Macro (Su et al., CVPR 2021): eight blocks in a row, each of three kinds.
//!
//! The blocks make up stages of two, three and three, of which the first block doubles the channels
//! and halves the image.

use std::fmt;
use std::str::FromStr;

use serde_json::{Value, json};
use swapnas_graph::{Conv, Graph, GraphBuilder, GraphError, ValueId, Window};

use crate::blocks::{Built, conv_bn, conv_bn_relu, module};
use crate::diagram::Diagram;
use crate::json::Field;
use crate::text::Cursor;
use crate::{
    About, Arch, Architecture, Genes, Moves, NetworkConfig, NetworkError, ParseError, TypedEncoding,
    TypedSpace, json,
};

/// A kind of block, in the order of its digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Choice {
    /// The input itself; a 1x1 convolution and BatchNorm where channels and image size change.
    Identity,
    /// An inverted residual block with a 3x3 kernel and three times the channels inside.
    InvertedResidual3x3,
    /// An inverted residual block with a 5x5 kernel and six times the channels inside.
    InvertedResidual5x5,
}

impl Choice {
    /// All kinds, each in its place.
    pub const ALL: [Choice; 3] = [Choice::Identity, Choice::InvertedResidual3x3, Choice::InvertedResidual5x5];

    /// Their names in the benchmark's code.
    pub const NAMES: [&str; 3] = ["id", "ir_3x3_t3", "ir_5x5_t6"];

    /// The name in the benchmark's code.
    pub const fn name(self) -> &'static str {
        Choice::NAMES[self as usize]
    }
}

/// The kinds of the eight blocks, first to last.
///
/// ```
/// use swapnas_spaces::nbmacro::{Blocks, Choice};
///
/// let blocks: Blocks = "21221002".parse()?;
/// assert_eq!(blocks.0[1], Choice::InvertedResidual3x3);
/// // An identity that changes nothing may as well come last in its stage.
/// assert_eq!(blocks.canonical().to_string(), "21221020");
/// # Ok::<(), swapnas_spaces::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Blocks(pub [Choice; 8]);

impl Blocks {
    /// Number of blocks in each stage.
    pub const STAGES: [usize; 3] = [2, 3, 3];

    /// The blocks that stand for all that compute the same function: identities that change nothing
    /// last in their stage. There are 3,969 of them.
    #[must_use]
    pub fn canonical(mut self) -> Self {
        let mut rest = &mut self.0[..];
        for length in Blocks::STAGES {
            let (stage, others) = rest.split_at_mut(length);
            stage[1..].sort_by_key(|&choice| choice == Choice::Identity);
            rest = others;
        }
        self
    }

    fn from_json(value: &Value) -> Result<Self, ParseError> {
        let blocks = Field::object(value, &["blocks"])?.get("blocks")?.array::<8>("blocks")?;
        let mut choices = [Choice::Identity; 8];
        for (choice, block) in choices.iter_mut().zip(blocks) {
            *choice = Choice::ALL[block.name("a block", &Choice::NAMES)?];
        }
        Ok(Blocks(choices))
    }
}

impl fmt::Display for Blocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|&choice| write!(f, "{}", choice as u8))
    }
}

impl FromStr for Blocks {
    type Err = ParseError;

    /// Reads any encoding of the space.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        if json::is_object(text) {
            return Blocks::from_json(&json::read(text)?);
        }
        let mut c = Cursor::new(text);
        if !c.peek().is_some_and(|next| next.is_ascii_digit()) {
            return Err(c.error("eight digits from 0 to 2 or a JSON object"));
        }
        let mut choices = [Choice::Identity; 8];
        for choice in &mut choices {
            *choice = Choice::ALL[c.digit("a block", 0..=2)?];
        }
        c.end()?;
        Ok(Blocks(choices))
    }
}

impl Architecture for Blocks {
    fn arch(&self) -> Arch {
        Arch::new(&self.0.map(|choice| choice as u8))
    }

    fn to_json(&self) -> Value {
        json!({ "blocks": self.0.map(Choice::name) })
    }

    /// The row of blocks.
    fn diagrams(&self) -> Vec<Diagram> {
        let firsts = [0, Blocks::STAGES[0], Blocks::STAGES[0] + Blocks::STAGES[1]];
        let blocks = self.0.into_iter().enumerate().map(|(i, choice)| {
            let stride = if firsts.contains(&i) { "\nstride 2" } else { "" };
            format!("{}{stride}", choice.name())
        });
        vec![Diagram::chain("blocks", ["stem".to_owned()].into_iter().chain(blocks))]
    }

    fn canonical(&self) -> Self {
        Blocks::canonical(*self)
    }
}

/// Panics if the architecture is one of another space.
impl From<&Arch> for Blocks {
    fn from(arch: &Arch) -> Blocks {
        let choice = |&gene: &u8| Choice::ALL.get(usize::from(gene)).copied();
        let choices: Option<Vec<Choice>> = arch.genes().iter().map(choice).collect();
        Blocks(choices.and_then(|c| c.try_into().ok()).expect("an architecture of the space nbmacro"))
    }
}

/// The space `nbmacro`.
pub(crate) struct NasBenchMacro;

static GENES: Genes<'_> = Genes(&[Choice::ALL.len() as u8; 8]);

static ABOUT: About<Blocks> = About::new(
    "nbmacro",
    "NAS-Bench-Macro (Su et al., 2021): eight MobileNetV2-like blocks of three kinds",
    &ENCODINGS,
)
.with_fixed_cells("blocks");

static ENCODINGS: [TypedEncoding<Blocks>; 2] = [
    TypedEncoding {
        name: "digits",
        example: "21221002",
        description: "the benchmark's own: a digit for each of the eight blocks; 0 identity, 1 inverted residual \
                      with 3x3 kernel and expansion 3, 2 with 5x5 kernel and expansion 6",
        print: |blocks| Ok(blocks.to_string()),
    },
    TypedEncoding {
        name: "json",
        example: r#"{"blocks": ["ir_5x5_t6", "ir_3x3_t3", "ir_5x5_t6", "ir_5x5_t6", "ir_3x3_t3", "id", "id", "ir_5x5_t6"]}"#,
        description: "the blocks under the names of the benchmark's code",
        print: |blocks| Ok(blocks.to_json().to_string()),
    },
];

impl TypedSpace for NasBenchMacro {
    type Architecture = Blocks;

    fn about(&self) -> &About<Blocks> {
        &ABOUT
    }

    /// Another kind of one block.
    fn moves(&self) -> &dyn Moves {
        &GENES
    }

    fn decode(&self, arch: &Arch) -> Blocks {
        arch.into()
    }

    fn parse(&self, text: &str) -> Result<Blocks, ParseError> {
        text.parse()
    }

    fn parse_json(&self, value: &Value) -> Result<Blocks, ParseError> {
        Blocks::from_json(value)
    }

    fn describe(&self, config: &NetworkConfig) -> String {
        let channels = stem_channels(config);
        config.describe(&format!(
            "stem {channels}, 8 blocks of {} to {} channels",
            2 * channels,
            8 * channels
        ))
    }

    fn network(&self, blocks: &Blocks, config: &NetworkConfig) -> Result<Graph, NetworkError> {
        Ok(build(blocks, config)?)
    }
}

fn stem_channels(config: &NetworkConfig) -> usize {
    config.channels.unwrap_or(32)
}

/// Channels before the classifier, for each of the stem's: 1280 for 32.
const HEAD_MULTIPLIER: usize = 40;

fn build(blocks: &Blocks, config: &NetworkConfig) -> Result<Graph, GraphError> {
    let mut channels = stem_channels(config);
    let head = Conv::new(HEAD_MULTIPLIER * channels, Window::square(1));
    let names = ["0", "1", "2"];
    let mut b = GraphBuilder::new(config.input);
    let image = b.input();
    let conv = Conv::new(channels, Window::square(3));
    let mut x = module(&mut b, "stem", image, |b| conv_bn_relu(b, names, image, conv))?;
    x = module(&mut b, "features", x, |b| {
        let mut x = x;
        let mut kinds = blocks.0.iter().enumerate();
        for (stage, length) in Blocks::STAGES.into_iter().enumerate() {
            channels *= 2;
            // Blocks of the stage so far, without the identities that change nothing.
            let mut depth = 0;
            for (i, &choice) in kinds.by_ref().take(length) {
                let key = ("nbmacro", stage, choice.name(), depth);
                let stride = if depth == 0 { 2 } else { 1 };
                let build =
                    |b: &mut GraphBuilder| b.keyed(key, |b| build_block(b, choice, x, channels, stride));
                x = module(b, i, x, build)?;
                if depth == 0 || choice != Choice::Identity {
                    depth += 1;
                }
            }
        }
        Ok(x)
    })?;
    let features = module(&mut b, "out", x, |b| {
        let y = conv_bn_relu(b, names, x, head)?;
        b.global_avg_pool("3", y)
    })?;
    let logits = b.linear("classifier", features, config.classes, true)?;
    b.container(image, logits);
    Ok(b.finish(&[logits, features]))
}

fn build_block(b: &mut GraphBuilder, choice: Choice, x: ValueId, out: usize, stride: usize) -> Built {
    let (kernel, expansion) = match choice {
        Choice::Identity if stride == 1 => return Ok(x),
        Choice::Identity => {
            let conv = Conv::new(out, Window::square(1).stride(stride));
            return module(b, "downsample", x, |b| conv_bn(b, ["0", "1"], x, conv));
        }
        Choice::InvertedResidual3x3 => (3, 3),
        Choice::InvertedResidual5x5 => (5, 6),
    };
    let hidden = b.shape(x).channels * expansion;
    let y = module(b, "conv", x, |b| {
        let y = conv_bn_relu(b, ["0", "1", "2"], x, Conv::new(hidden, Window::square(1)))?;
        let depthwise = Conv::depthwise(hidden, Window::square(kernel).stride(stride));
        let y = conv_bn_relu(b, ["3", "4", "5"], y, depthwise)?;
        conv_bn(b, ["6", "7"], y, Conv::new(out, Window::square(1)))
    })?;
    if stride == 1 { b.add(&[x, y]) } else { Ok(y) }
}

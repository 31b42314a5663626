use std::fmt;
use std::str::FromStr;

use serde_json::{Value, json};

use super::network;
use crate::diagram::Diagram;
use crate::json::Field;
use crate::text::Cursor;
use crate::{Arch, Architecture, ParseError, json};

/// Blocks of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stage {
    /// Rows and columns of the depthwise kernels: 3, 5 or 7.
    pub kernel: usize,
    /// Channels inside a block for each of its input: 1, 2, 4 or 6.
    pub expansion: usize,
    /// Number of blocks, 1 to 6.
    pub depth: usize,
    /// Output channels of the blocks, one of [`Stages::WIDTHS`].
    pub width: usize,
}

/// The seven stages, first to last.
///
/// ```
/// use swapnas_spaces::mobilenet::Stages;
///
/// let text = "k3e1d1w16-k3e6d2w24-k5e6d3w32-k3e6d4w64-k3e6d3w96-k7e4d3w160-k3e6d1w320";
/// let stages: Stages = text.parse()?;
/// assert_eq!(stages.stages()[5].kernel, 7);
/// assert_eq!(stages.to_string(), text);
/// # Ok::<(), swapnas_spaces::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stages([Stage; COUNT]);

const COUNT: usize = 7;

const KERNELS: [usize; 3] = [3, 5, 7];
const EXPANSIONS: [usize; 4] = [1, 2, 4, 6];
const MAX_DEPTH: usize = 6;

/// Number of alleles of kernel, expansion, depth and width of each stage.
pub(super) static ALLELES: [u8; 4 * COUNT] = {
    let mut alleles = [0; 4 * COUNT];
    let mut stage = 0;
    while stage < COUNT {
        alleles[4 * stage] = KERNELS.len() as u8;
        alleles[4 * stage + 1] = EXPANSIONS.len() as u8;
        alleles[4 * stage + 2] = MAX_DEPTH as u8;
        alleles[4 * stage + 3] = Stages::WIDTHS[stage].len() as u8;
        stage += 1;
    }
    alleles
};

impl Stages {
    /// The widths that each stage can have: multiples of 8, from half to twice that of MobileNetV2.
    pub const WIDTHS: [&[usize]; COUNT] = [
        &[8, 16, 24, 32],
        &[16, 24, 32, 40, 48],
        &[16, 24, 32, 40, 48, 64],
        &[32, 48, 64, 80, 96, 128],
        &[48, 64, 96, 128, 160, 192],
        &[80, 112, 160, 200, 240, 320],
        &[160, 240, 320, 400, 480, 640],
    ];

    /// The architecture of these stages, or `None` if a stage has something that it cannot have.
    pub fn new(stages: [Stage; COUNT]) -> Option<Self> {
        let allowed = |(stage, widths): (&Stage, &&[usize])| {
            KERNELS.contains(&stage.kernel)
                && EXPANSIONS.contains(&stage.expansion)
                && (1..=MAX_DEPTH).contains(&stage.depth)
                && widths.contains(&stage.width)
        };
        stages.iter().zip(&Stages::WIDTHS).all(allowed).then_some(Stages(stages))
    }

    /// The stages, first to last.
    pub const fn stages(&self) -> &[Stage; COUNT] {
        &self.0
    }

    pub(super) fn from_json(value: &Value) -> Result<Self, ParseError> {
        let fields = Field::object(value, &["stages"])?.get("stages")?.array::<COUNT>("stages")?;
        let mut stages = [PLACEHOLDER; COUNT];
        for ((stage, field), widths) in stages.iter_mut().zip(fields).zip(Stages::WIDTHS) {
            let field = field.fields(&["kernel", "expansion", "depth", "width"])?;
            stage.kernel = field.get("kernel")?.one_of("a kernel size", &KERNELS)?;
            stage.expansion = field.get("expansion")?.one_of("an expansion", &EXPANSIONS)?;
            stage.depth = field.get("depth")?.number("a depth", 1..=MAX_DEPTH)?;
            stage.width = field.get("width")?.one_of("a width of this stage", widths)?;
        }
        Ok(Stages(stages))
    }
}

/// What a stage is before it is read.
const PLACEHOLDER: Stage = Stage { kernel: 3, expansion: 1, depth: 1, width: 0 };

impl fmt::Display for Stages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, Stage { kernel, expansion, depth, width }) in self.0.iter().enumerate() {
            let separator = if i == 0 { "" } else { "-" };
            write!(f, "{separator}k{kernel}e{expansion}d{depth}w{width}")?;
        }
        Ok(())
    }
}

impl FromStr for Stages {
    type Err = ParseError;

    /// Reads any encoding of the space.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        if json::is_object(text) {
            return Stages::from_json(&json::read(text)?);
        }
        let mut c = Cursor::new(text);
        if c.peek() != Some('k') {
            return Err(c.error("seven stages `k3e6d2w24-...` or a JSON object"));
        }
        let mut stages = [PLACEHOLDER; COUNT];
        for (i, (stage, widths)) in stages.iter_mut().zip(Stages::WIDTHS).enumerate() {
            if i > 0 {
                c.expect("-")?;
            }
            c.expect("k")?;
            stage.kernel = c.one_of("a kernel size", &KERNELS)?;
            c.expect("e")?;
            stage.expansion = c.one_of("an expansion", &EXPANSIONS)?;
            c.expect("d")?;
            stage.depth = c.number("a depth", 1..=MAX_DEPTH)?;
            c.expect("w")?;
            stage.width = c.one_of("a width of this stage", widths)?;
        }
        c.end()?;
        Ok(Stages(stages))
    }
}

impl Architecture for Stages {
    fn arch(&self) -> Arch {
        let place = |values: &[usize], value| {
            values.iter().position(|&v| v == value).expect("stages have nothing else") as u8
        };
        let genes = self.0.iter().zip(Stages::WIDTHS).flat_map(|(stage, widths)| {
            let (kernel, expansion) = (place(&KERNELS, stage.kernel), place(&EXPANSIONS, stage.expansion));
            [kernel, expansion, stage.depth as u8 - 1, place(widths, stage.width)]
        });
        Arch::new(&genes.collect::<Vec<u8>>())
    }

    fn to_json(&self) -> Value {
        let stage = |Stage { kernel, expansion, depth, width }| json!({ "kernel": kernel, "expansion": expansion, "depth": depth, "width": width });
        json!({ "stages": self.0.map(stage) })
    }

    /// The row of stages, with the widths of the network whose stem has 32 channels.
    fn diagrams(&self) -> Vec<Diagram> {
        vec![network::diagram(self)]
    }
}

/// Panics if the architecture is one of another space.
impl From<&Arch> for Stages {
    fn from(arch: &Arch) -> Stages {
        let read = || {
            let (genes, []) = arch.genes().as_chunks::<4>() else { return None };
            let genes: &[[u8; 4]; COUNT] = genes.try_into().ok()?;
            let mut stages = [PLACEHOLDER; COUNT];
            for ((stage, genes), widths) in stages.iter_mut().zip(genes).zip(Stages::WIDTHS) {
                let [kernel, expansion, depth, width] = genes.map(usize::from);
                stage.kernel = *KERNELS.get(kernel)?;
                stage.expansion = *EXPANSIONS.get(expansion)?;
                stage.depth = depth + 1;
                stage.width = *widths.get(width)?;
            }
            Stages::new(stages)
        };
        read().expect("an architecture of the space mobilenet")
    }
}

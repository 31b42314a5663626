use swapnas_graph::{Graph, Init};

use crate::Undefined;
use crate::definition::{Compute, Definition, Direction};
use crate::patterns::Of;

pub(super) static STANDARD_PATTERNS: Definition = Definition {
    name: "standard-patterns",
    summary: "number of distinct activation patterns of the samples, what SWAP starts from",
    formula: "|{ (1[p_s(u) > 0] for every ReLU unit u) : s a sample }|. Every sample gives one pattern with \
              as many bits as there are units; the score is the number of different ones. It cannot \
              exceed the batch size, which it nearly always reaches.",
    source: "Peng et al., ICLR 2024, section 3; Mellor et al., ICML 2021",
    direction: Direction::HigherIsBetter,
    cost: "one forward pass, shared with swap",
    differences: "Implementations agree.",
    arguments: &[],
    init: Init::Gaussian,
    repeats: 32,
    compute: Compute::Patterns { of: Of::Samples, compute },
};

fn compute(_graph: &Graph, patterns: usize, _arguments: &[f64]) -> Result<f64, Undefined> {
    Ok(patterns as f64)
}

use swapnas_graph::{Graph, Init};

use crate::Undefined;
use crate::definition::{Compute, Definition, Direction};
use crate::patterns::Of;

pub(super) static SWAP: Definition = Definition {
    name: "swap",
    summary: "SWAP-Score: number of distinct sample-wise activation patterns of all ReLU units",
    formula: "|{ (1[p_1(u) > 0], ..., 1[p_S(u) > 0]) : u a ReLU unit }|, where p_s(u) is what unit u \
              computes of sample s. Every unit gives one pattern of S bits, S the batch size; the score \
              is the number of different patterns among all units of all ReLUs. It cannot exceed \
              2^S, nor the number of units: near that ceiling it is saturated and says little.",
    source: "Peng, Song, Fayek, Ciesielski, Chang: SWAP-NAS: Sample-Wise Activation Patterns for \
             Ultra-fast NAS, ICLR 2024, section 3",
    direction: Direction::HigherIsBetter,
    cost: "one forward pass; what networks of equal weights have in common is computed once",
    differences: "The released code draws weights from N(0, 1) and averages 32 draws over the same \
                  images; so does this implementation by default. Batch normalisation uses the \
                  statistics of the batch. All-zero and all-one patterns count.",
    arguments: &[],
    init: Init::Gaussian,
    repeats: 32,
    compute: Compute::Patterns { of: Of::Units, compute },
};

fn compute(_graph: &Graph, patterns: usize, _arguments: &[f64]) -> Result<f64, Undefined> {
    Ok(patterns as f64)
}

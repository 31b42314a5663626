use crate::Evidence;
use crate::metric::{Definition, Direction, Needs, Undefined};

pub(super) static STANDARD_PATTERNS: Definition = Definition {
    name: "standard-patterns",
    summary: "number of distinct activation patterns of the samples, what SWAP starts from",
    formula: "|{ (1[p_s(u) > 0] for every ReLU unit u) : s a sample }|. Every sample gives one pattern with \
              as many bits as there are units; the score is the number of different ones. It cannot \
              exceed the batch size, which it nearly always reaches.",
    source: "Peng et al., ICLR 2024, section 3; Mellor et al., ICML 2021",
    direction: Direction::HigherIsBetter,
    needs: Needs::PATTERNS,
    differences: "Implementations agree.",
    arguments: &[],
    compute,
};

fn compute(evidence: &Evidence<'_>, _arguments: &[f64]) -> Result<f64, Undefined> {
    let patterns = evidence.patterns();
    if patterns.is_empty() { Err(Undefined::NoRelu) } else { Ok(patterns.distinct_samples() as f64) }
}

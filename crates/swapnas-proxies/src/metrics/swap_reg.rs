use swapnas_graph::{Graph, Init};

use crate::Undefined;
use crate::definition::{Argument, Compute, Definition, Direction};
use crate::patterns::Of;

pub(super) static SWAP_REG: Definition = Definition {
    name: "swap-reg",
    summary: "regularised SWAP-Score: prefers networks of a given number of parameters",
    formula: "swap * exp(-(P - mu)^2 / sigma), where P is the number of parameters of the scored network \
              in thousands",
    source: "Peng et al., ICLR 2024, section 3",
    direction: Direction::HigherIsBetter,
    cost: "one forward pass, shared with swap",
    differences: "As in the released code, sigma is neither squared nor doubled, and P counts all \
                  parameters of the network that is scored, the classifier included, not those of the \
                  network that is trained. Where the factor is too small for a number, the released \
                  code gives 0; here the score is undefined.",
    arguments: &[
        Argument {
            name: "mu",
            default: 1.5,
            meaning: "the preferred number of parameters of the scored network, in thousands",
            allows: |mu| mu.is_finite() && mu >= 0.0,
            allowed: "a number that is not negative",
        },
        Argument {
            name: "sigma",
            default: 5.0,
            meaning: "how far from mu a network may be, in thousands squared",
            allows: |sigma| sigma.is_finite() && sigma > 0.0,
            allowed: "a positive number",
        },
    ],
    init: Init::Gaussian,
    repeats: 32,
    compute: Compute::Patterns { of: Of::Units, compute },
};

fn compute(graph: &Graph, patterns: usize, arguments: &[f64]) -> Result<f64, Undefined> {
    let &[mu, sigma] = arguments else { unreachable!("it has two arguments") };
    let thousands = graph.parameter_count() as f64 / 1000.0;
    // libm's, so that the bits are the same everywhere.
    let factor = libm::exp(-(thousands - mu).powi(2) / sigma);
    if factor < f64::MIN_POSITIVE {
        return Err(Undefined::Underflow { thousands, mu, sigma });
    }
    Ok(patterns as f64 * factor)
}

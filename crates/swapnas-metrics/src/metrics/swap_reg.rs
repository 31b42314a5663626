use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;
use swapnas_graph::{Graph, Init};
use swapnas_spaces::{Arch, NetworkConfig, NetworkError, Space};

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
                  network that is trained. The released code has numbers for each space, mu=1.5 and \
                  sigma=5 for DARTS. Here, unless they are given, mu is the size that nine in ten \
                  architectures of the space do not exceed, of 200 drawn, and sigma the square of mu. \
                  Where the factor is too small for a number, the released code gives 0; here the \
                  score is undefined.",
    arguments: &[
        Argument {
            name: "mu",
            default: None,
            meaning: "the preferred number of parameters of the scored network, in thousands",
            allows: |mu| mu.is_finite() && mu >= 0.0,
            allowed: "a number that is not negative",
        },
        Argument {
            name: "sigma",
            default: None,
            meaning: "how far from mu a network may be, in thousands squared",
            allows: |sigma| sigma.is_finite() && sigma > 0.0,
            allowed: "a positive number",
        },
    ],
    init: Init::Gaussian,
    repeats: 32,
    compute: Compute::Patterns { of: Of::Units, compute },
};

/// How many architectures of a space are drawn to see its sizes.
const DRAWN: usize = 200;

/// The number of parameters that nine in ten architectures of a space do not exceed, in thousands: mu, unless it is
/// given. Large networks are hardly held back by it.
pub(crate) fn fitting(space: &dyn Space, network: &NetworkConfig) -> Result<f64, NetworkError> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
    let archs: Vec<Arch> = (0..DRAWN).map(|_| space.sample(&mut rng)).collect();
    let size = |arch: &Arch| Ok(space.network(arch, network)?.parameter_count());
    let mut sizes = archs.par_iter().map(size).collect::<Result<Vec<u64>, NetworkError>>()?;
    sizes.sort_unstable();
    Ok(rounded(sizes[DRAWN * 9 / 10 - 1] as f64 / 1000.0))
}

/// mu and sigma, where mu may be given: the square of mu, with which the factor of no network of the space vanishes.
pub(crate) fn regularisation(mu: Option<f64>, fitting: f64) -> [f64; 2] {
    let mu = mu.filter(|mu| *mu > 0.0).unwrap_or(fitting);
    [mu, rounded(mu * mu)]
}

/// A number in four digits, so that it can be typed again.
pub fn rounded(number: f64) -> f64 {
    format!("{number:.3e}").parse().unwrap_or(number)
}

fn compute(graph: &Graph, patterns: usize, arguments: &[f64]) -> Result<f64, Undefined> {
    let &[mu, sigma] = arguments else { unreachable!("it has two arguments") };
    if mu.is_nan() || sigma.is_nan() {
        return Err(Undefined::NoSizes);
    }
    let thousands = graph.parameter_count() as f64 / 1000.0;
    // libm's, so that the bits are the same everywhere.
    let factor = libm::exp(-(thousands - mu).powi(2) / sigma);
    if factor < f64::MIN_POSITIVE {
        return Err(Undefined::Underflow { thousands, mu, sigma });
    }
    Ok(patterns as f64 * factor)
}

use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use swapnas_graph::option::{FINAL_CELLS, FINAL_CHANNELS};
use swapnas_metrics::metrics::rounded;
use swapnas_spaces::{NetworkConfig, Space};

use crate::SearchError;

/// Architectures that the sizes of both networks are compared on.
const SAMPLES: usize = 200;

/// `mu` and `sigma` of the regularised SWAP-Score for a size of the network that is to be trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// The size asked for, in parameters.
    pub params: u64,
    /// Parameters of the scored network of that size, in thousands.
    pub mu: f64,
    /// Twice the variance of the parameters of scored networks, in thousands squared: a network that is
    /// off by a standard deviation keeps exp(-1/2) of its score.
    pub sigma: f64,
    /// Fewest and most parameters of networks to be trained, of those that were looked at.
    pub range: [u64; 2],
}

impl Target {
    /// What whoever asked for the size should know, if there seem to be no such networks.
    pub fn warning(&self) -> Option<String> {
        let [least, most] = self.range;
        (!(least..=most).contains(&self.params)).then(|| {
            format!(
                "of {SAMPLES} random networks to be trained, none has about {} parameters: they have {least} to {most}; \
                 {FINAL_CHANNELS} and {FINAL_CELLS} change that",
                self.params
            )
        })
    }
}

/// From the size of the network that is to be trained to that of the one that is scored: by a straight
/// line through the sizes of 200 random architectures.
///
/// # Errors
/// If a network cannot be built, or the sizes have nothing to do with each other.
pub fn regularisation(
    space: &dyn Space,
    scored: &NetworkConfig,
    trained: &NetworkConfig,
    params: u64,
) -> Result<Target, SearchError> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
    let mut sizes = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        let arch = space.sample(&mut rng);
        let count = |config| Ok::<_, SearchError>(space.network(&arch, config)?.parameter_count() as f64);
        sizes.push((count(trained)?, count(scored)? / 1000.0));
    }
    let mean = |of: fn(&(f64, f64)) -> f64| sizes.iter().map(of).sum::<f64>() / SAMPLES as f64;
    let (x, y) = (mean(|size| size.0), mean(|size| size.1));
    let products = sizes.iter().map(|size| (size.0 - x) * (size.1 - y)).sum::<f64>();
    let squares = sizes.iter().map(|size| (size.0 - x).powi(2)).sum::<f64>();
    let variance = sizes.iter().map(|size| (size.1 - y).powi(2)).sum::<f64>() / SAMPLES as f64;
    if squares == 0.0 || variance == 0.0 {
        return Err(SearchError::Settings(format!(
            "all networks of the space {} have one size, so no size can be asked for",
            space.name()
        )));
    }
    let mu = (y + products / squares * (params as f64 - x)).max(0.0);
    let least = sizes.iter().map(|size| size.0).fold(f64::INFINITY, f64::min);
    let most = sizes.iter().map(|size| size.0).fold(0.0, f64::max);
    let range = [least as u64, most as u64];
    Ok(Target { params, mu: rounded(mu), sigma: rounded(2.0 * variance), range })
}

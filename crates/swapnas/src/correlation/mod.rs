//! Correlation of metrics with accuracies, and with each other.

mod compare;
mod ranking;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::statistics::{
    Coefficient, Interval, NoStatistic, Pairs, Spread, kendall_of_same_size, ndcg, partial_spearman,
    top_overlap, top_regret,
};

pub use compare::{Comparison, compare};
pub use ranking::{NoValue, Origin, Ranking, tell_apart};

/// How well a metric orders networks by accuracy.
///
/// Metrics of which smaller values are better are negated first, so that a good metric always has
/// positive coefficients.
#[derive(Clone, Debug, Serialize)]
pub struct Correlation {
    /// Spearman's rho.
    pub spearman: Option<f64>,
    /// Its bootstrap interval.
    pub spearman_ci95: Option<[f64; 2]>,
    /// Kendall's tau-b.
    pub kendall: Option<f64>,
    /// Its bootstrap interval.
    pub kendall_ci95: Option<[f64; 2]>,
    /// Pearson's r.
    pub pearson: Option<f64>,
    /// Its bootstrap interval.
    pub pearson_ci95: Option<[f64; 2]>,
    /// Spearman's rho with what the number of parameters says taken out.
    pub spearman_given_params: Option<f64>,
    /// Kendall's tau-b over pairs of networks whose numbers of parameters differ by a tenth or less.
    pub kendall_same_size: Option<f64>,
    /// The share of the most accurate tenth that is among the best-scored tenth.
    pub top10_overlap: Option<f64>,
    /// By how much the best-scored network is less accurate than the most accurate one.
    pub regret_at_1: Option<f64>,
    /// By how much the best of the ten best-scored networks is less accurate than the most accurate one.
    pub regret_at_10: Option<f64>,
    /// Normalised discounted cumulative gain.
    pub ndcg: Option<f64>,
    /// Spearman's rho over several seeds, if there are several.
    pub spearman_over_seeds: Option<Spread>,
    /// Networks with a value.
    pub n: usize,
    /// Networks for which the metric is undefined.
    pub undefined: usize,
    /// Why values are missing, the first reason of each kind.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
}

/// How many reasons are told.
const REASONS: usize = 5;

/// Correlates numbers by which networks are ranked with the accuracies of the same networks.
///
/// `params` are the parameter counts of the networks, if they are known; `seed` is that of the bootstrap intervals.
///
/// # Panics
/// If the lists are not equally long.
pub fn correlate(ranking: &Ranking, accuracies: &[f64], params: Option<&[u64]>, seed: u64) -> Correlation {
    let networks = ranking.values.len();
    assert!(networks == accuracies.len(), "one of each per network");
    assert!(params.is_none_or(|params| params.len() == networks), "one of each per network");
    let mut reasons: Vec<String> = Vec::new();
    let mut note = |reason: String| {
        if !reasons.contains(&reason) && reasons.len() < REASONS {
            reasons.push(reason);
        }
    };
    for reason in ranking.values.iter().filter_map(|value| value.as_ref().err()) {
        note(reason.to_string());
    }
    let (known_networks, scores, known_accuracies) = defined(ranking, accuracies);
    let known_params: Option<Vec<u64>> =
        params.map(|params| known_networks.iter().map(|&network| params[network]).collect());
    let n = scores.len();
    let mut result = Correlation {
        spearman: None,
        spearman_ci95: None,
        kendall: None,
        kendall_ci95: None,
        pearson: None,
        pearson_ci95: None,
        spearman_given_params: None,
        kendall_same_size: None,
        top10_overlap: None,
        regret_at_1: None,
        regret_at_10: None,
        ndcg: None,
        spearman_over_seeds: None,
        n,
        undefined: networks - n,
        reasons: Vec::new(),
    };
    match Pairs::new("scores", &scores, "accuracies", &known_accuracies) {
        Ok(pairs) => {
            let mut interval = |coefficient| {
                let bounds = |Interval { low, high }| [low, high];
                known(pairs.interval(coefficient, seed).map(bounds), &mut note)
            };
            result.spearman_ci95 = interval(Coefficient::Spearman);
            result.kendall_ci95 = interval(Coefficient::Kendall);
            result.pearson_ci95 = interval(Coefficient::Pearson);
            result.spearman = Some(pairs.coefficient(Coefficient::Spearman));
            result.kendall = Some(pairs.coefficient(Coefficient::Kendall));
            result.pearson = Some(pairs.coefficient(Coefficient::Pearson));
            if let Some(params) = known_params {
                const NAME: &str = "parameter counts";
                let numbers: Vec<f64> = params.iter().map(|&params| params as f64).collect();
                result.spearman_given_params = known(partial_spearman(&pairs, NAME, &numbers), &mut note);
                result.kendall_same_size =
                    known(kendall_of_same_size(&pairs, NAME, &params, seed), &mut note);
            }
            result.top10_overlap = known(top_overlap(&pairs, n.div_ceil(10)), &mut note);
            result.regret_at_1 = known(top_regret(&pairs, 1), &mut note);
            result.regret_at_10 = known(top_regret(&pairs, 10), &mut note);
            result.ndcg = Some(ndcg(&pairs));
        }
        Err(error) => note(error.to_string()),
    }
    result.reasons = reasons;
    result
}

/// Spearman's rho alone, which takes no resamples; `None` where it is undefined.
///
/// # Panics
/// If the lists are not equally long.
pub fn spearman(ranking: &Ranking, accuracies: &[f64]) -> Option<f64> {
    assert!(ranking.values.len() == accuracies.len(), "one of each per network");
    let (_, scores, accuracies) = defined(ranking, accuracies);
    let pairs = Pairs::new("scores", &scores, "accuracies", &accuracies).ok()?;
    Some(pairs.coefficient(Coefficient::Spearman))
}

/// The networks that have a value, their values, of which larger ones are better, and their accuracies.
fn defined(ranking: &Ranking, accuracies: &[f64]) -> (Vec<usize>, Vec<f64>, Vec<f64>) {
    let (mut networks, mut scores, mut known_accuracies) = (Vec::new(), Vec::new(), Vec::new());
    for (network, accuracy) in accuracies.iter().enumerate() {
        if let Some(score) = ranking.ascending(network) {
            networks.push(network);
            scores.push(score);
            known_accuracies.push(*accuracy);
        }
    }
    (networks, scores, known_accuracies)
}

fn known<T>(value: Result<T, NoStatistic>, note: &mut impl FnMut(String)) -> Option<T> {
    value.map_err(|error| note(error.to_string())).ok()
}

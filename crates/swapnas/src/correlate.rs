//! Correlation of metrics with accuracies.

use serde::Serialize;
use swapnas_proxies::{Direction, Score, Undefined};

use crate::statistics::{Coefficient, Interval, NoStatistic, Pairs, ndcg, partial_spearman, top_overlap};

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
    /// The share of the most accurate tenth that is among the best-scored tenth.
    pub top10_overlap: Option<f64>,
    /// Normalised discounted cumulative gain.
    pub ndcg: Option<f64>,
    /// Networks with a value.
    pub n: usize,
    /// Networks for which the metric is undefined.
    pub undefined: usize,
    /// Why values are missing, the first reason of each kind.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
}

/// Correlates the values of a metric or an aggregate with the accuracies of the same networks.
///
/// `params` are the parameter counts of the networks, `seed` is that of the bootstrap intervals.
///
/// # Panics
/// If the lists are not equally long.
pub fn correlate(
    direction: Direction,
    values: &[Result<Score, Undefined>],
    accuracies: &[f64],
    params: &[u64],
    seed: u64,
) -> Correlation {
    assert!(values.len() == accuracies.len() && values.len() == params.len(), "one of each per network");
    let networks = values.len();
    let (mut scores, mut known_accuracies, mut known_params) = (Vec::new(), Vec::new(), Vec::new());
    let mut reasons: Vec<String> = Vec::new();
    let mut note = |reason: String| {
        if !reasons.contains(&reason) && reasons.len() < 5 {
            reasons.push(reason);
        }
    };
    for ((value, accuracy), params) in values.iter().zip(accuracies).zip(params) {
        match value {
            Ok(score) => {
                scores.push(direction.ascending(score.mean));
                known_accuracies.push(*accuracy);
                known_params.push(*params as f64);
            }
            Err(reason) => note(reason.to_string()),
        }
    }
    let n = scores.len();
    let mut result = Correlation {
        spearman: None,
        spearman_ci95: None,
        kendall: None,
        kendall_ci95: None,
        pearson: None,
        pearson_ci95: None,
        spearman_given_params: None,
        top10_overlap: None,
        ndcg: None,
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
            result.spearman_given_params =
                known(partial_spearman(&pairs, "parameter counts", &known_params), &mut note);
            result.top10_overlap = known(top_overlap(&pairs, n.div_ceil(10)), &mut note);
            result.ndcg = Some(ndcg(&pairs));
        }
        Err(error) => note(error.to_string()),
    }
    result.reasons = reasons;
    result
}

fn known<T>(value: Result<T, NoStatistic>, note: &mut impl FnMut(String)) -> Option<T> {
    value.map_err(|error| note(error.to_string())).ok()
}

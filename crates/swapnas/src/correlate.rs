//! Correlation of metrics with accuracies.

use serde::Serialize;
use swapnas_proxies::{Direction, Metric, Scored};

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

/// Correlates the metric that has number `index` in the scores with accuracies; `seed` is that of the
/// bootstrap intervals.
pub fn correlate(metric: &Metric, index: usize, networks: &[(f64, &Scored)], seed: u64) -> Correlation {
    let (mut scores, mut accuracies, mut params) = (Vec::new(), Vec::new(), Vec::new());
    let mut reasons: Vec<String> = Vec::new();
    let mut note = |reason: String| {
        if !reasons.contains(&reason) && reasons.len() < 5 {
            reasons.push(reason);
        }
    };
    for (accuracy, scored) in networks {
        match &scored.scores[index] {
            Ok(score) => {
                scores.push(match metric.definition().direction {
                    Direction::HigherIsBetter => score.mean,
                    Direction::LowerIsBetter => -score.mean,
                });
                accuracies.push(*accuracy);
                params.push(scored.params as f64);
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
        undefined: networks.len() - n,
        reasons: Vec::new(),
    };
    match Pairs::new("scores", &scores, "accuracies", &accuracies) {
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
                known(partial_spearman(&pairs, "parameter counts", &params), &mut note);
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

use swapnas_graph::Graph;

use super::GraphScorer;
use super::work::Measured;
use crate::definition::Compute;
use crate::{Metric, Undefined};

/// What is known of a network after scoring it.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// Parameters of the scored network.
    pub params: u64,
    /// Multiply-accumulate operations of the scored network for one image.
    pub macs: u64,
    /// ReLU units for one image, repeated ones included.
    pub units: u64,
    /// The metrics, in the order of the settings.
    pub scores: Vec<Result<Score, Undefined>>,
    /// The most distinct patterns that there could be, and the mean that there were.
    pub saturation: Option<Saturation>,
}

/// A score over several sets of weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Mean.
    pub mean: f64,
    /// Sample standard deviation; 0 if there was one set only.
    pub std: f64,
}

/// How close the number of patterns is to its ceiling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Saturation {
    /// Mean number of distinct patterns over the ceiling, from 0 to 1.
    pub ratio: f64,
    /// What the ceiling is.
    pub ceiling: Ceiling,
}

/// What bounds the number of distinct patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ceiling {
    /// 2^S patterns of S samples.
    Batch,
    /// One pattern for every unit.
    Units,
}

impl GraphScorer {
    /// What is known of a network from the patterns of one with the same key, which may be itself, and from
    /// its own values.
    pub(super) fn scored(&self, graph: &Graph, Measured { counts, values }: &Measured) -> Scored {
        let score = |(index, metric): (usize, &Metric)| {
            let repeats = self.settings.weights_for(metric).map_or(1, |(repeats, _)| repeats as usize);
            let values: Result<Vec<f64>, Undefined> = match metric.compute() {
                Compute::Graph(compute) => compute(graph).and_then(finite).map(|value| vec![value]),
                Compute::Patterns { of, compute } => counts
                    .iter()
                    .take(repeats)
                    .map(|counts| match counts {
                        Err(reason) => Err(reason.clone()),
                        Ok(counts) if counts.units == 0 => Err(Undefined::NoRelu),
                        Ok(counts) => compute(graph, counts.of(of), metric.values()).and_then(finite),
                    })
                    .collect(),
                Compute::Passes { .. } | Compute::Proxy(_) => {
                    values.iter().filter_map(|values| values[index].clone()).collect()
                }
            };
            values.map(|values| Score::of(&values))
        };
        let units = graph.relu_units();
        let patterns: Vec<f64> = counts.iter().flatten().map(|counts| counts.units as f64).collect();
        let saturation = (!patterns.is_empty() && units > 0)
            .then(|| Saturation::new(Score::of(&patterns).mean, units, self.settings.batch));
        let scores = self.settings.metrics.iter().enumerate().map(score).collect();
        Scored { params: graph.parameter_count(), macs: graph.macs(), units, scores, saturation }
    }
}

pub(super) fn finite(value: f64) -> Result<f64, Undefined> {
    if value.is_finite() { Ok(value) } else { Err(Undefined::NotFinite(value)) }
}

impl Saturation {
    /// From this ratio on a score is said to be saturated.
    pub const LIMIT: f64 = 0.95;

    pub(super) fn new(patterns: f64, units: u64, samples: usize) -> Self {
        let of_batch = (samples as f64).exp2();
        let (ceiling, most) = if of_batch <= units as f64 {
            (Ceiling::Batch, of_batch)
        } else {
            (Ceiling::Units, units as f64)
        };
        Saturation { ratio: patterns / most, ceiling }
    }

    /// Whether the score says little, being close to its ceiling.
    pub fn is_saturated(&self) -> bool {
        self.ratio >= Self::LIMIT
    }
}

impl Score {
    /// Mean and deviation of what was computed with several sets of weights.
    pub(crate) fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Score { mean, std: if values.len() > 1 { (squares / (n - 1.0)).sqrt() } else { 0.0 } }
    }
}

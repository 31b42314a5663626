use std::sync::Arc;

use nalgebra::DMatrix;
use swapnas_graph::grad::{GradientPlan, Loss, StatisticsOver, Wanted};
use swapnas_graph::{Element, Graph, Init, Op, ValueId, Want};

use crate::definition::{Compute, Definition, Direction, Measure};
use crate::spectrum::{eigenvalues, gram, gram_bytes, standardised, standardised_bytes};
use crate::trial::{Sizes, Takes, Trial, product};
use crate::undefined::Failure;
use crate::{PatternSet, Undefined};

pub(super) static SWAP_PLUS: Definition = Definition {
    name: "swap-plus",
    summary: "SWAP-Score, with what it misses: independent channels, size, and gradients that stay small",
    formula: "ln P + mean ln(D/C) + 1/2 ln(M (L + 0.001) / G), where P is the SWAP-Score of one draw; D, of each \
              sum and concatenation that varies, is the effective dimension C^2 / sum r^2 of its C channels \
              with correlations r (of the ReLUs, if no paths join); M counts multiply-accumulates; L is the sum \
              over all ReLUs of the smallest eigenvalue of their channels' correlation matrix; G is SNIP. \
              Channels are correlated over up to 1024 pixels of the batch, evenly spaced, and of wide layers \
              128 channels are taken, evenly spaced. A channel that does not vary correlates with none, and \
              makes the smallest eigenvalue 0.",
    source: "this project; P: Peng et al., ICLR 2024; D: after Lee and Ham: AZ-NAS, CVPR 2024; L: after Jiang et \
             al.: MeCo, NeurIPS 2023; G: Lee et al.: SNIP, ICLR 2019",
    direction: Direction::HigherIsBetter,
    cost: "one forward and one backward pass, and the correlations of channels",
    differences: "Its weights were chosen on samples of six benchmarks, each against the five others.",
    arguments: &[],
    init: Init::KaimingNormal,
    repeats: 4,
    compute: Compute::passes::<SwapPlus>(),
};

struct SwapPlus;

/// Pixels over which channels are correlated, and channels of a layer.
const PIXELS: usize = 1024;
const CHANNELS: usize = 128;

/// Added to the sum of the smallest eigenvalues, which is zero if in every layer some channel depends on others.
const DEPENDENT: f64 = 1e-3;

impl Measure for SwapPlus {
    fn takes(sizes: &Sizes<'_>, _arguments: &[f64]) -> Takes {
        let graph = &sizes.network.graph;
        let looked_at = LookedAt::of(graph);
        let plan = looked_at.plan(graph);
        let passes = sizes.passes(&plan, sizes.batch);
        let back = passes.back(None, &Wanted::params(), false);
        let of_value = |value: &ValueId| {
            let channels = sizes.shape(*value).channels.min(CHANNELS);
            let rows = standardised_bytes(2 * channels, PIXELS).saturating_add(gram_bytes(channels));
            passes.value(*value).saturating_add(rows)
        };
        let own = looked_at.values().map(of_value).max().unwrap_or(0);
        let patterns = PatternSet::bytes(sizes.batch, graph.relu_units() as usize);
        let gradients = product([sizes.params(), sizes.number]);
        let own = own.saturating_add(patterns).saturating_add(gradients);
        Takes { passes: passes.forward().saturating_add(back), own, ..Takes::default() }
    }

    fn measure<E: Element>(trial: &mut Trial<'_, E>, _arguments: &[f64]) -> Result<f64, Failure> {
        trial.check_classes()?;
        let (network, weights) = (trial.network, trial.weights);
        let (images, labels) = (&trial.shared.first.images, &trial.shared.first.labels);
        let looked_at = LookedAt::of(&network.graph);
        if looked_at.relus.is_empty() {
            return Err(Undefined::NoRelu.into());
        }
        let plan = looked_at.plan(&network.graph);
        let parts = trial.aside(&plan, images, weights, StatisticsOver::Batch, |pass| {
            let mut patterns = PatternSet::new(images.samples());
            pass.signs(&mut patterns);
            let correlations = |value: &ValueId| {
                let channels = network.graph.shape(*value).channels;
                correlations(&pass.value(*value).expect("the plan computes it"), channels, images.samples())
            };
            let mut smallest = 0.0;
            for relu in &looked_at.relus {
                smallest += smallest_eigenvalue(correlations(relu)).ok_or(Undefined::NotFinite(f64::NAN))?;
            }
            let dimensions = looked_at.joined().iter().map(|value| relative_dimension(&correlations(value)));
            let dimensions: Vec<f64> = dimensions.filter(|dimension| *dimension > 0.0).collect();
            let gradients = pass.backward(Loss::CrossEntropy(labels), &Wanted::params())?;
            let snip = network.layers.sum(weights, &gradients.params, |w, g| (w * g).abs());
            Ok(Parts { patterns: patterns.len(), dimensions, smallest, snip })
        })?;
        parts.score(network.graph.macs()).map_err(Failure::from)
    }
}

/// What the score is made of.
struct Parts {
    patterns: usize,
    /// The effective dimension of each value in which paths join, of its channels.
    dimensions: Vec<f64>,
    /// The sum of the smallest eigenvalues.
    smallest: f64,
    snip: f64,
}

impl Parts {
    fn score(&self, macs: u64) -> Result<f64, Undefined> {
        if self.dimensions.is_empty() {
            return Err(Undefined::Zero("the variance of all features"));
        }
        if self.snip == 0.0 {
            return Err(Undefined::Zero("the gradient of every weight"));
        }
        let logarithms: f64 = self.dimensions.iter().map(|dimension| libm::log(*dimension)).sum();
        let quotient = macs as f64 * (self.smallest + DEPENDENT) / self.snip;
        Ok(libm::log(self.patterns as f64)
            + logarithms / self.dimensions.len() as f64
            + 0.5 * libm::log(quotient))
    }
}

/// The values whose channels are correlated.
struct LookedAt {
    /// What ReLUs return.
    relus: Vec<ValueId>,
    /// Sums and concatenations.
    joins: Vec<ValueId>,
}

impl LookedAt {
    fn of(graph: &Graph) -> Self {
        let of = |is: fn(&Op) -> bool| -> Vec<ValueId> {
            graph.values().filter(|(_, node)| is(&node.op)).map(|(value, _)| value).collect()
        };
        LookedAt {
            relus: of(|op| matches!(op, Op::Act(act) if act.is_gate())),
            joins: of(|op| matches!(op, Op::Add | Op::Concat)),
        }
    }

    /// Where paths join, or all ReLUs if none do.
    fn joined(&self) -> &[ValueId] {
        if self.joins.is_empty() { &self.relus } else { &self.joins }
    }

    fn values(&self) -> impl Iterator<Item = &ValueId> {
        self.relus.iter().chain(&self.joins)
    }

    fn plan(&self, graph: &Arc<Graph>) -> GradientPlan {
        let mut values: Vec<ValueId> = self.values().copied().collect();
        values.sort_unstable();
        GradientPlan::new(graph.clone(), &Want { signs: true, values })
    }
}

/// The correlations of channels, of numbers `[sample][channel][pixel]`; zero with a channel that does not vary.
fn correlations(numbers: &[f64], channels: usize, samples: usize) -> DMatrix<f64> {
    let pixels = numbers.len() / (channels * samples);
    let every = (samples * pixels).div_ceil(PIXELS);
    let of_channel = |channel: usize| -> Vec<f64> {
        let at = (0..samples * pixels).step_by(every);
        at.map(|at| numbers[(at / pixels * channels + channel) * pixels + at % pixels]).collect()
    };
    let rows: Vec<Vec<f64>> = (0..channels).step_by(channels.div_ceil(CHANNELS)).map(of_channel).collect();
    let length = rows[0].len();
    let rows = standardised(rows.iter().map(Vec::as_slice));
    gram(&rows.into_iter().map(|row| row.unwrap_or_else(|| vec![0.0; length])).collect::<Vec<_>>())
}

/// The smallest eigenvalue; none is less than 0, but for rounding. `None` if correlations are not finite.
fn smallest_eigenvalue(correlations: DMatrix<f64>) -> Option<f64> {
    if correlations.diagonal().iter().any(|own| *own == 0.0) {
        return Some(0.0);
    }
    Some(eigenvalues(correlations)?[0].max(0.0))
}

/// The effective dimension (participation ratio of the eigenvalues: the square of their sum by the sum of their
/// squares), by the number of channels.
fn relative_dimension(correlations: &DMatrix<f64>) -> f64 {
    let squares: f64 = correlations.iter().map(|r| r * r).sum();
    let trace = correlations.trace();
    if squares == 0.0 { 0.0 } else { trace * trace / squares / correlations.nrows() as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_that_agree_have_one_dimension() {
        // [sample][channel][pixel]: the second channel is twice the first, the third is independent of both.
        let numbers = [1.0, -1.0, 2.0, -2.0, 1.0, 1.0, 1.0, -1.0, 2.0, -2.0, -1.0, -1.0];
        let correlations = correlations(&numbers, 3, 2);
        let expected = [1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0];
        for (found, expected) in correlations.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{correlations}");
        }
        // Eigenvalues 2, 1 and 0: 9 / 5 dimensions of 3.
        assert!((relative_dimension(&correlations) - 0.6).abs() < 1e-12);
        assert!(smallest_eigenvalue(correlations).is_some_and(|smallest| smallest < 1e-12));
    }

    #[test]
    fn a_constant_channel_correlates_with_none() {
        let correlations = correlations(&[3.0, 3.0, 1.0, 2.0, 3.0, 3.0, 4.0, 3.0], 2, 2);
        assert_eq!(correlations[(0, 0)], 0.0);
        assert_eq!(smallest_eigenvalue(correlations.clone()), Some(0.0));
        assert_eq!(relative_dimension(&correlations), 0.5);
    }

    #[test]
    fn the_score_is_a_sum_of_logarithms() {
        let parts = Parts { patterns: 100, dimensions: vec![0.5, 0.125], smallest: 0.249, snip: 4.0 };
        let expected = libm::log(100.0) + libm::log(0.25) + 0.5 * libm::log(1000.0 * 0.25 / 4.0);
        assert!((parts.score(1000).unwrap() - expected).abs() < 1e-12);
        let dead = Parts { snip: 0.0, ..parts };
        assert_eq!(dead.score(1000).unwrap_err(), Undefined::Zero("the gradient of every weight"));
    }
}

use swapnas_graph::grad::{GradientPlan, StatisticsOver};
use swapnas_graph::{Element, Graph, Init, ValueId, Want};

use crate::Undefined;
use crate::definition::{Compute, Definition, Direction, Measure};
use crate::trial::{Attention, Sizes, Takes, Trial};
use crate::undefined::Failure;

pub(super) static ATTENTION_CONFIDENCE: Definition = Definition {
    name: "attention-confidence",
    summary: "how much attention its favourites get",
    formula: "sum over all attention of the mean over samples, heads and queries of the largest of the weights \
              that softmax gives to keys",
    source: "Serianni and Kalita: Training-free Neural Architecture Search for RNNs and Transformers, ACL 2023, \
             softmax confidence; the confidence of a head after Voita et al., ACL 2019",
    direction: Direction::HigherIsBetter,
    cost: "one forward pass",
    differences: "The released code takes the largest weight over heads, and applies softmax to linear transforms \
                  as well, where nobody reads it; here, it is the largest over keys, and a softmax counts if a \
                  product of matrices reads it. The sum is over layers, as theirs is before it is normalised.",
    arguments: &[],
    init: Init::PyTorch,
    repeats: 1,
    compute: Compute::passes::<AttentionConfidence>(),
};

struct AttentionConfidence;

/// The weights of attention alone.
pub(super) fn plan(graph: &Graph, attention: &Attention) -> GradientPlan {
    let mut values: Vec<ValueId> = attention.weights.iter().map(|(value, _)| *value).collect();
    values.sort_unstable();
    GradientPlan::new(graph.clone(), &Want { signs: false, values })
}

impl Measure for AttentionConfidence {
    fn takes(sizes: &Sizes<'_>, _arguments: &[f64]) -> Takes {
        let graph = &sizes.network.graph;
        let attention = Attention::of(graph);
        let plan = plan(graph, &attention);
        let passes = sizes.passes(&plan, sizes.batch);
        let own = attention.weights.iter().map(|(value, _)| passes.value(*value)).max().unwrap_or(0);
        Takes { passes: passes.forward(), own, ..Takes::default() }
    }

    fn measure<E: Element>(trial: &mut Trial<'_, E>, _arguments: &[f64]) -> Result<f64, Failure> {
        let attention = Attention::of(trial.graph());
        if attention.weights.is_empty() {
            return Err(Undefined::NoAttention.into());
        }
        let plan = plan(trial.graph(), &attention);
        let (images, weights) = (&trial.shared.first.images, trial.weights);
        trial.aside(&plan, images, weights, StatisticsOver::Batch, |pass| {
            let of_softmax = |(value, axis): &(ValueId, swapnas_graph::tensor::Axis)| {
                let numbers = pass.value(*value).expect("the plan computes it");
                let lines = numbers.len() / axis.len;
                // A block is `len` rows of `inner` numbers, and every column of it is a line.
                let largest = numbers.chunks_exact(axis.len * axis.inner).flat_map(|block| {
                    (0..axis.inner).map(|column| {
                        block.iter().skip(column).step_by(axis.inner).copied().fold(0.0, f64::max)
                    })
                });
                largest.sum::<f64>() / lines as f64
            };
            Ok(attention.weights.iter().map(of_softmax).sum())
        })
    }
}

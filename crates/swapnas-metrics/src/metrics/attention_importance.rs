use swapnas_graph::grad::{Loss, StatisticsOver, Wanted};
use swapnas_graph::{Element, Init, ValueId};

use super::attention_confidence::plan;
use crate::Undefined;
use crate::definition::{Compute, Definition, Direction, Measure};
use crate::trial::{Attention, Sizes, Takes, Trial};
use crate::undefined::Failure;

pub(super) static ATTENTION_IMPORTANCE: Definition = Definition {
    name: "attention-importance",
    summary: "how much the loss depends on who attends to whom",
    formula: "mean over samples of the sum over all weights a that attention gives to keys of |a dL/da|",
    source: "Serianni and Kalita: Training-free Neural Architecture Search for RNNs and Transformers, ACL 2023, \
             softmax importance; the importance of a head after Michel et al., NeurIPS 2019",
    direction: Direction::HigherIsBetter,
    cost: "one forward and one backward pass, without gradients of weights",
    differences: "Michel et al. take the absolute value of the sum over a head. Serianni and Kalita take the sum of \
                  all outputs for the loss; here, it is the cross entropy, as of other metrics.",
    arguments: &[],
    init: Init::PyTorch,
    repeats: 1,
    compute: Compute::passes::<AttentionImportance>(),
};

struct AttentionImportance;

impl Measure for AttentionImportance {
    fn takes(sizes: &Sizes<'_>, _arguments: &[f64]) -> Takes {
        let graph = &sizes.network.graph;
        let attention = Attention::of(graph);
        let plan = plan(graph, &attention);
        let passes = sizes.passes(&plan, sizes.batch);
        let values: Vec<ValueId> = attention.weights.iter().map(|(value, _)| *value).collect();
        let numbers = values.iter().map(|value| passes.value(*value)).fold(0, usize::saturating_add);
        let back = passes.back(None, &Wanted { values, ..Wanted::default() }, false);
        Takes { passes: passes.forward().saturating_add(back), own: numbers, ..Takes::default() }
    }

    fn measure<E: Element>(trial: &mut Trial<'_, E>, _arguments: &[f64]) -> Result<f64, Failure> {
        let attention = Attention::of(trial.graph());
        if attention.weights.is_empty() {
            return Err(Undefined::NoAttention.into());
        }
        trial.check_classes()?;
        let plan = plan(trial.graph(), &attention);
        let values: Vec<ValueId> = attention.weights.iter().map(|(value, _)| *value).collect();
        let (first, weights) = (&trial.shared.first, trial.weights);
        // The loss is the mean over the samples, and so is the sum of its gradients.
        trial.aside(&plan, &first.images, weights, StatisticsOver::Batch, |pass| {
            let wanted = Wanted { values: values.clone(), ..Wanted::default() };
            let gradients = pass.backward(Loss::CrossEntropy(&first.labels), &wanted)?.values;
            let of_softmax = |(value, gradient): (&ValueId, &Vec<f64>)| -> f64 {
                let numbers = pass.value(*value).expect("the plan computes it");
                numbers.iter().zip(gradient).map(|(a, g)| (a * g).abs()).sum()
            };
            Ok(values.iter().zip(&gradients).map(of_softmax).sum())
        })
    }
}

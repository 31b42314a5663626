use swapnas_graph::grad::{Loss, SampleGradients, StatisticsOver, Wanted};
use swapnas_graph::{Element, Init};

use crate::Undefined;
use crate::definition::{Compute, Definition, Direction, Measure};
use crate::trial::{Sizes, Takes, Trial, product};
use crate::undefined::Failure;

pub(super) static GRADSIGN: Definition = Definition {
    name: "gradsign",
    summary: "how well the gradients of single samples agree in sign",
    formula: "mean over the weights of convolutions and linear layers of |sum over the samples of the \
              sign of dL_s/dw|, L_s the cross entropy of sample s in a batch of its own",
    source: "Zhang and Jia: GradSign, ICLR 2022",
    direction: Direction::HigherIsBetter,
    cost: "one forward and one backward pass: gradients of single samples cost no more",
    differences: "The original and AZ-NAS agree. The sign of zero is zero. The original sums over the \
              weights.",
    arguments: &[],
    init: Init::PyTorch,
    repeats: 1,
    compute: Compute::passes::<GradSign>(),
};

struct GradSign;

impl Measure for GradSign {
    fn takes(sizes: &Sizes<'_>, _arguments: &[f64]) -> Takes {
        let batch = sizes.batch();
        let passes = batch.forward().saturating_add(batch.back(None, &Wanted::params(), true));
        Takes { passes, own: product([sizes.params(), size_of::<i32>()]), ..Takes::default() }
    }

    fn measure<E: Element>(trial: &mut Trial<'_, E>, _arguments: &[f64]) -> Result<f64, Failure> {
        let shared = trial.shared;
        trial.check_classes()?;
        let labels = &shared.first.labels;
        match trial.compared() {
            // The same image with another label has another loss.
            Err(Undefined::SameImages) if labels.iter().any(|label| *label != labels[0]) => {}
            compared => drop(compared?),
        }
        let (plan, weights, layers) = (&trial.network.plan, trial.weights, trial.layers());
        let (mut sum, mut seen) = (0, 0);
        trial.aside(plan, &shared.first.images, weights, StatisticsOver::Sample, |pass| {
            let loss = Loss::CrossEntropy(&shared.first.labels);
            pass.backward_by_sample(loss, &Wanted::params(), |id, gradients| {
                if layers.iter().any(|layer| layer.weight == id) {
                    sum += agreement(gradients);
                    seen += gradients.elements();
                }
            })?;
            Ok(())
        })?;
        if seen == 0 {
            return Err(Undefined::NoLayers.into());
        }
        let elements: usize = layers.iter().map(|layer| trial.graph().param(layer.weight).len()).sum();
        Ok(sum as f64 / elements as f64)
    }
}

/// The sum over the elements of the absolute sum of the samples' signs.
fn agreement<E: Element>(gradients: SampleGradients<'_, E>) -> u64 {
    let mut sums = vec![0i32; gradients.elements()];
    for block in gradients.blocks() {
        for (sum, lane) in sums.iter_mut().zip(block) {
            *sum += lane.0.iter().map(|x| i32::from(*x > E::ZERO) - i32::from(*x < E::ZERO)).sum::<i32>();
        }
    }
    sums.iter().map(|sum| u64::from(sum.unsigned_abs())).sum()
}

use swapnas_graph::grad::{Loss, ParamSet, StatisticsOver, Wanted};
use swapnas_graph::{Element, Init};

use crate::Undefined;
use crate::definition::{Compute, Definition, Direction, Measure, Needs};
use crate::trial::{Labelled, Sizes, Takes, Trial, product};
use crate::undefined::Failure;

pub(super) static ZICO: Definition = Definition {
    name: "zico",
    summary: "how large gradients are against how much they vary between batches",
    formula: "sum over convolutions and linear layers of ln(sum over their weights of mean / std), \
              with the mean of |g1| and |g2| and the standard deviation of g1 and g2, which are the \
              gradients of the cross entropy for two batches; weights without deviation, and layers \
              without such weights, are left out",
    source: "Li et al.: ZiCo, ICLR 2023",
    direction: Direction::HigherIsBetter,
    cost: "two forward and two backward passes in double precision",
    differences: "The original and AZ-NAS agree. Quotients with a deviation close to zero dominate, so it \
              is always computed in double precision.",
    arguments: &[],
    init: Init::PyTorch,
    repeats: 1,
    compute: Compute::passes::<Zico>(),
};

struct Zico;

impl Measure for Zico {
    const NEEDS: Needs = Needs { second: true, ..Needs::NONE };

    fn takes(sizes: &Sizes<'_>, _arguments: &[f64]) -> Takes {
        let passes = sizes.in_double(sizes.batch);
        let double = passes.forward().saturating_add(passes.back(None, &Wanted::params(), false));
        let images = product([sizes.batch.next_multiple_of(16), sizes.pixels(), size_of::<f64>()]);
        // The weights, and the gradients of both batches.
        let params = product([sizes.params(), 3 * size_of::<f64>()]);
        Takes { double, own: images.saturating_add(params), ..Takes::default() }
    }

    fn measure<E: Element>(trial: &mut Trial<'_, E>, _arguments: &[f64]) -> Result<f64, Failure> {
        let shared = trial.shared;
        trial.check_classes()?;
        let second = shared.second.as_ref().expect("the metric needs it");
        let weights = trial.weights.to_double();
        let first = gradients(trial, &shared.first, &weights)?;
        let second = gradients(trial, second, &weights)?;
        let (mut value, mut flat) = (None, true);
        for layer in trial.layers().iter() {
            let (first, second) = (first.get(layer.weight), second.get(layer.weight));
            flat &= first.iter().chain(second).all(|g| *g == 0.0);
            let pairs = first.iter().zip(second);
            let quotients = pairs.filter_map(|(a, b)| {
                let deviation = (a - b).abs() / 2.0;
                (deviation != 0.0).then(|| (a.abs() + b.abs()) / 2.0 / deviation)
            });
            let sum: f64 = quotients.sum();
            if sum != 0.0 {
                *value.get_or_insert(0.0) += libm::log(sum);
            }
        }
        Ok(value.ok_or(match flat {
            true => Undefined::NoLayers,
            false => Undefined::Zero("the difference between the gradients of the two batches"),
        })?)
    }
}

fn gradients<E: Element>(
    trial: &mut Trial<'_, E>,
    batch: &Labelled<E>,
    weights: &ParamSet<f64>,
) -> Result<ParamSet<f64>, Failure> {
    trial.in_double(&batch.images.to_double(), weights, StatisticsOver::Batch, |pass| {
        Ok(pass.backward(Loss::CrossEntropy(&batch.labels), &Wanted::params())?.params)
    })
}

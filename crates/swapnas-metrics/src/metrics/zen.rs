use swapnas_graph::grad::StatisticsOver;
use swapnas_graph::{Batch, Element, Graph, Init, ModuleKind, Moments, Op, ValueId};

use crate::Undefined;
use crate::definition::{Argument, Compute, Definition, Direction, Measure, Needs};
use crate::trial::{Sizes, Takes, Trial, product};
use crate::undefined::Failure;

pub(super) static ZEN: Definition = Definition {
    name: "zen",
    summary: "Zen-Score: how much the features move when the image moves a little",
    formula: "ln of the mean over the samples of sum |z(x) - z(x + 0.01 e)|, z the features before the \
              last pool, x and e noise from N(0, 1), plus the sum over all BatchNorms of ln sqrt(mean \
              over the channels of the running variance) after these two passes with momentum 0.1",
    source: "Lin et al.: Zen-NAS, ICCV 2021",
    direction: Direction::HigherIsBetter,
    cost: "two forward passes",
    differences: "The released code uses running variances as here; by the paper it is the variance of the \
              batch, which batchvar=1 takes, of the first pass and biased. The released code draws \
              N(0, 1) weights, as here.",
    arguments: &[Argument::switch("batchvar", "whether the variance is that of the first batch")],
    init: Init::Gaussian,
    repeats: 1,
    compute: Compute::passes::<Zen>(),
};

struct Zen;

impl Measure for Zen {
    const NEEDS: Needs = Needs { noise: true, ..Needs::NONE };

    fn takes(sizes: &Sizes<'_>, _arguments: &[f64]) -> Takes {
        let (batch, features) = (sizes.batch(), features(&sizes.network.graph));
        let numbers = product([sizes.shape(features).elements(), sizes.batch, size_of::<f64>()]);
        let passes = batch.forward().saturating_add(batch.value(features));
        Takes { passes, own: numbers, ..Takes::default() }
    }

    fn measure<E: Element>(trial: &mut Trial<'_, E>, arguments: &[f64]) -> Result<f64, Failure> {
        let graph = trial.graph();
        let features = features(graph);
        let norms: Vec<ValueId> = graph
            .modules()
            .iter()
            .filter(|module| module.kind == ModuleKind::BatchNorm)
            .map(|module| module.output)
            .collect();
        let plan = trial.network.plan(norms.iter().copied().chain([features]).collect());
        let Some([images, moved]) = trial.shared.noise.as_ref() else {
            return Err(Undefined::Texts("images of noise").into());
        };
        let mut read = |images: &Batch<E>| {
            let weights = trial.weights;
            trial.aside(&plan, images, weights, StatisticsOver::Batch, |pass| {
                let moments = norms.iter().map(|norm| pass.moments(*norm).map(<[Moments]>::to_vec));
                let moments: Option<Vec<Vec<Moments>>> = moments.collect();
                let moments = moments.expect("the plan computes all normalisations over the batch");
                Ok((pass.value(features).expect("the plan computes the features"), moments))
            })
        };
        let (still, first) = read(images)?;
        let (moving, second) = read(moved)?;
        let distance: f64 = still.iter().zip(&moving).map(|(a, b)| (a - b).abs()).sum();
        if distance == 0.0 {
            return Err(Undefined::Zero("how much the features move").into());
        }
        let mut value = libm::log(distance / images.samples() as f64);
        for (first, second) in first.iter().zip(&second) {
            let variance = |(first, second): (&Moments, &Moments)| match arguments {
                [1.0] => first.variance(),
                _ => 0.81 + 0.09 * unbiased(first) + 0.1 * unbiased(second),
            };
            let mean = first.iter().zip(second).map(variance).sum::<f64>() / first.len() as f64;
            if mean == 0.0 {
                return Err(Undefined::Zero("the variance of what a BatchNorm reads").into());
            }
            value += libm::log(mean.sqrt());
        }
        Ok(value)
    }
}

/// What the last pool reads.
fn features(graph: &Graph) -> ValueId {
    let pooled = graph.outputs()[graph.outputs().len() - 1];
    let node = graph.node(pooled);
    if matches!(node.op, Op::GlobalAvgPool) { node.inputs[0] } else { pooled }
}

fn unbiased(moments: &Moments) -> f64 {
    moments.squares / (moments.count - 1.0).max(1.0)
}

use swapnas_graph::Batch;
use swapnas_graph::grad::{Loss, ParamSet, Statistics, Wanted};
use swapnas_graph::{Element, Init};

use crate::definition::{Argument, Compute, Definition, Direction, Measure};
use crate::trial::Trial;
use crate::undefined::Failure;

pub(super) static SYNFLOW: Definition = Definition {
    name: "synflow",
    summary: "synaptic flow: how much the absolute weights let through",
    formula: "sum over the weights of convolutions and linear layers of |w dR/dw|, R the sum of the \
              logits for an image of ones, with all parameters replaced by their absolute values and \
              without normalisation",
    source: "Tanaka et al.: SynFlow, NeurIPS 2020; as a metric: Abdelfattah et al.: Zero-Cost Proxies \
              for Lightweight NAS, ICLR 2021",
    direction: Direction::HigherIsBetter,
    cost: "one forward and one backward pass of a single image",
    differences: "zero-cost-nas leaves BatchNorm out, as here; norm=1 keeps it. NASLib reports the \
              logarithm. ZiCo's copy keeps BatchNorm, averages over output channels and flips the \
              sign: that is another metric. Where single precision would overflow, the pass is made in \
              double precision.",
    arguments: &[Argument::switch("norm", "whether BatchNorm is kept")],
    init: Init::PyTorch,
    repeats: 1,
    compute: Compute::passes::<Synflow>(),
};

struct Synflow;

impl Measure for Synflow {
    fn measure<E: Element>(trial: &mut Trial<'_, E>, arguments: &[f64]) -> Result<f64, Failure> {
        let (weights, gradients) = flow(trial, arguments == [1.0])?;
        Ok(trial.layers().sum(&weights, &gradients, |w, g| (w * g).abs()))
    }
}

/// Losses beyond this, and gradients on the way to them, may not fit into single precision.
const LARGEST_SINGLE: f64 = 1e30;

/// The absolute weights, and the gradients of the sum of the logits for an image of ones.
pub(super) fn flow<E: Element>(
    trial: &mut Trial<'_, E>,
    norm: bool,
) -> Result<(ParamSet<f64>, ParamSet<f64>), Failure> {
    let absolute = trial.weights.clone().map(|w| if w < E::ZERO { E::ZERO - w } else { w });
    let shape = trial.graph().shape(trial.graph().input());
    let ones = vec![1.0; shape.elements()];
    // With absolute weights, means are large against deviations: normalising takes double precision.
    if !norm {
        let image = Batch::from_nchw(1, shape, &ones).expect("as many ones as pixels");
        let tape = &trial.network.tape;
        let found = trial.aside(tape, &image, &absolute, Statistics::None, |pass| {
            Ok(pass.backward(Loss::Sum, &Wanted::params())?)
        })?;
        let sum = found.loss;
        let safe = sum.is_finite() && sum < LARGEST_SINGLE && sum > 1.0 / LARGEST_SINGLE;
        if safe || std::mem::size_of::<E>() == std::mem::size_of::<f64>() {
            return Ok((absolute.to_double(), found.params.to_double()));
        }
    }
    let absolute = absolute.to_double();
    let image = Batch::from_nchw(1, shape, &ones).expect("as many ones as pixels");
    let statistics = if norm { Statistics::Batch } else { Statistics::None };
    let gradients = trial.in_double(&image, &absolute, statistics, |pass| {
        Ok(pass.backward(Loss::Sum, &Wanted::params())?.params)
    })?;
    Ok((absolute, gradients))
}

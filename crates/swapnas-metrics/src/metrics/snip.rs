use swapnas_graph::{Element, Init};

use crate::definition::{Compute, Definition, Direction, Measure};
use crate::trial::{Sizes, Takes, Trial};
use crate::undefined::Failure;

pub(super) static SNIP: Definition = Definition {
    name: "snip",
    summary: "how much the loss depends on each weight, summed up",
    formula: "sum over the weights of convolutions and linear layers of |w dL/dw|, L the mean cross \
              entropy",
    source: "Lee et al.: SNIP, ICLR 2019; as a metric: Abdelfattah et al.: Zero-Cost Proxies for \
              Lightweight NAS, ICLR 2021",
    direction: Direction::HigherIsBetter,
    cost: "one forward and one backward pass, shared by all metrics that take gradients of the \
              cross entropy",
    differences: "Implementations agree.",
    arguments: &[],
    init: Init::PyTorch,
    repeats: 1,
    compute: Compute::passes::<Snip>(),
};

struct Snip;

impl Measure for Snip {
    fn takes(_sizes: &Sizes<'_>, _arguments: &[f64]) -> Takes {
        Takes::GRADIENTS
    }

    fn measure<E: Element>(trial: &mut Trial<'_, E>, _arguments: &[f64]) -> Result<f64, Failure> {
        let gradients = trial.gradients()?;
        Ok(trial.layers().sum(trial.weights, &gradients.params, |w, g| (w * g).abs()))
    }
}

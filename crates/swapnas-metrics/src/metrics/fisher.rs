use swapnas_graph::{Element, Init};

use crate::definition::{Compute, Definition, Direction, Measure};
use crate::trial::{Layer, Sizes, Takes, Trial};
use crate::undefined::Failure;

pub(super) static FISHER: Definition = Definition {
    name: "fisher",
    summary: "Fisher information of the channels",
    formula: "sum over layers and their channels c of n_c / 2 * mean over samples of (sum over pixels \
              of a dL/da)^2, a being what the layer returns before normalisation and n_c the number of \
              weights of a channel",
    source: "Theis et al.: Faster gaze prediction with dense networks and Fisher pruning, 2018; as a \
              metric: Abdelfattah et al.: Zero-Cost Proxies for Lightweight NAS, ICLR 2021",
    direction: Direction::HigherIsBetter,
    cost: "one forward and one backward pass, shared by all metrics that take gradients of the \
              cross entropy",
    differences: "The zero-cost versions multiply by the number of weights of the channel, as here.",
    arguments: &[],
    init: Init::PyTorch,
    repeats: 1,
    compute: Compute::passes::<Fisher>(),
};

struct Fisher;

impl Measure for Fisher {
    fn takes(_sizes: &Sizes<'_>, _arguments: &[f64]) -> Takes {
        Takes::GRADIENTS
    }

    fn measure<E: Element>(trial: &mut Trial<'_, E>, _arguments: &[f64]) -> Result<f64, Failure> {
        let gradients = trial.gradients()?;
        let graph = trial.graph();
        let layer = |(layer, products): (Layer, &Vec<f64>)| {
            let param = graph.param(layer.weight);
            let channels = graph.shape(layer.output).channels;
            let samples = products.len() / channels;
            let squares: f64 = products.iter().map(|t| t * t).sum();
            0.5 * squares / samples as f64 * (param.len() / channels) as f64
        };
        Ok(trial.layers().iter().zip(&gradients.products).map(layer).sum())
    }
}

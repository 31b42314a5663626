use swapnas_graph::{Element, Init};

use super::synflow::flow;
use crate::definition::{Compute, Definition, Direction, Measure};
use crate::trial::{Sizes, Takes, Trial};
use crate::undefined::Failure;

pub(super) static LOGSYNFLOW: Definition = Definition {
    name: "logsynflow",
    summary: "synaptic flow with logarithms of the gradients",
    formula: "sum over the weights of convolutions and linear layers of |w ln(1 + dR/dw)|, R as for \
              synflow",
    source: "Cavagnero et al.: FreeREA, WACV 2023",
    direction: Direction::HigherIsBetter,
    cost: "one forward and one backward pass of a single image",
    differences: "Written from its public definition.",
    arguments: &[],
    init: Init::PyTorch,
    repeats: 1,
    compute: Compute::passes::<LogSynflow>(),
};

struct LogSynflow;

impl Measure for LogSynflow {
    fn takes(_sizes: &Sizes<'_>, _arguments: &[f64]) -> Takes {
        Takes { flow: true, ..Takes::default() }
    }

    fn measure<E: Element>(trial: &mut Trial<'_, E>, _arguments: &[f64]) -> Result<f64, Failure> {
        let flow = flow(trial)?;
        Ok(trial.layers().sum(&flow.weights, &flow.gradients, |w, g| (w * libm::log1p(g)).abs()))
    }
}

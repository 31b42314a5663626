use swapnas_graph::{Element, Init};

use crate::definition::{Argument, Compute, Definition, Direction, Measure};
use crate::trial::{Sizes, Takes, Trial};
use crate::undefined::Failure;

pub(super) static GRAD_NORM: Definition = Definition {
    name: "grad_norm",
    summary: "sum of the norms of the layers' gradients",
    formula: "sum over convolutions and linear layers of the L2 norm of dL/dw, L the mean cross \
              entropy of the batch; with all=1 the one L2 norm of the gradients of all parameters",
    source: "Abdelfattah et al.: Zero-Cost Proxies for Lightweight NAS, ICLR 2021",
    direction: Direction::HigherIsBetter,
    cost: "one forward and one backward pass, shared by all metrics that take gradients of the \
              cross entropy",
    differences: "zero-cost-nas, NASLib and AZ-NAS sum the norms of layers as here. Zen-NAS and ZiCo take \
              one norm over all parameters, biases and normalisations included (all=1), with random \
              labels and noise for images.",
    arguments: &[Argument::switch("all", "whether to take one norm over the gradients of all parameters")],
    init: Init::PyTorch,
    repeats: 1,
    compute: Compute::passes::<GradNorm>(),
};

struct GradNorm;

impl Measure for GradNorm {
    fn takes(_sizes: &Sizes<'_>, _arguments: &[f64]) -> Takes {
        Takes::GRADIENTS
    }

    fn measure<E: Element>(trial: &mut Trial<'_, E>, arguments: &[f64]) -> Result<f64, Failure> {
        let gradients = trial.gradients()?;
        if arguments == [1.0] {
            let squares = gradients.params.iter().flatten().map(|g| g.to_f64() * g.to_f64());
            return Ok(squares.sum::<f64>().sqrt());
        }
        Ok(trial.layers().norms(&gradients.params))
    }
}

use swapnas_graph::{Element, Init};

use crate::definition::{Compute, Definition, Direction, Measure};
use crate::trial::{Sizes, Takes, Trial};
use crate::undefined::Failure;

pub(super) static L2_NORM: Definition = Definition {
    name: "l2_norm",
    summary: "sum of the norms of the layers' weights",
    formula: "sum over convolutions and linear layers of the L2 norm of the weights",
    source: "Krishnakumar et al.: NAS-Bench-Suite-Zero, NeurIPS 2022",
    direction: Direction::HigherIsBetter,
    cost: "the weights alone; nothing is run",
    differences: "Implementations agree. It says how many layers there are and how wide.",
    arguments: &[],
    init: Init::PyTorch,
    repeats: 1,
    compute: Compute::passes::<L2Norm>(),
};

struct L2Norm;

impl Measure for L2Norm {
    fn takes(_sizes: &Sizes<'_>, _arguments: &[f64]) -> Takes {
        Takes::default()
    }

    fn measure<E: Element>(trial: &mut Trial<'_, E>, _arguments: &[f64]) -> Result<f64, Failure> {
        Ok(trial.layers().norms(trial.weights))
    }
}

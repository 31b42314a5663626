use swapnas_graph::grad::Loss;
use swapnas_graph::{Element, Init};

use crate::definition::{Compute, Definition, Direction, Measure};
use crate::trial::{Sizes, Takes, Trial, product};
use crate::undefined::Failure;

pub(super) static GRASP: Definition = Definition {
    name: "grasp",
    summary: "how much taking a weight away would change the flow of gradients",
    formula: "- sum over the weights of convolutions and linear layers of w (H g), with g = dL/dw and \
              H the Hessian of L with respect to these weights",
    source: "Wang et al.: GraSP, ICLR 2020; as a metric: Abdelfattah et al.: Zero-Cost Proxies for \
              Lightweight NAS, ICLR 2021",
    direction: Direction::HigherIsBetter,
    cost: "a forward and a backward pass, and their exact tangents: about four passes more",
    differences: "The product with the Hessian is exact. The zero-cost versions use temperature 1 and the \
              whole batch, as here; the code of the GraSP paper is said to use temperature 200 and two \
              halves.",
    arguments: &[],
    init: Init::PyTorch,
    repeats: 1,
    compute: Compute::passes::<Grasp>(),
};

struct Grasp;

impl Measure for Grasp {
    fn takes(sizes: &Sizes<'_>, _arguments: &[f64]) -> Takes {
        let direction = product([sizes.params(), sizes.number]);
        Takes { passes: sizes.batch().along(), own: direction, ..Takes::GRADIENTS }
    }

    fn measure<E: Element>(trial: &mut Trial<'_, E>, _arguments: &[f64]) -> Result<f64, Failure> {
        let gradients = trial.gradients()?;
        let direction = trial.layers().only(trial.graph(), &gradients.params);
        let loss = Loss::CrossEntropy(&trial.shared.first.labels);
        Ok(-trial.pass()?.hessian_form(loss, &direction)?)
    }
}

use std::rc::Rc;
use swapnas_graph::grad::{Loss, ParamSet, StatisticsOver, Wanted};
use swapnas_graph::{Batch, Element, Graph, Init};

use crate::definition::{Argument, Compute, Definition, Direction, Measure};
use crate::trial::{Flow, Sizes, Takes, Trial, product};
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
    fn takes(sizes: &Sizes<'_>, arguments: &[f64]) -> Takes {
        if arguments != [1.0] {
            return Takes { flow: true, ..Takes::default() };
        }
        let passes = sizes.in_double(1);
        let double = passes.forward().saturating_add(passes.back(None, &Wanted::params(), false));
        let params = product([sizes.params(), sizes.number + 2 * size_of::<f64>()]);
        Takes { double, own: params, ..Takes::default() }
    }

    fn measure<E: Element>(trial: &mut Trial<'_, E>, arguments: &[f64]) -> Result<f64, Failure> {
        // With absolute weights, means are large against deviations: normalising takes double precision.
        let flow = match arguments {
            [1.0] => Rc::new(flow_in_double(trial, StatisticsOver::Batch)?),
            _ => flow(trial)?,
        };
        Ok(trial.layers().sum(&flow.weights, &flow.gradients, |w, g| (w * g).abs()))
    }
}

/// Losses beyond this, and gradients on the way to them, may not fit into single precision.
const LARGEST_SINGLE: f64 = 1e30;

/// The absolute weights, and the gradients of the sum of the logits for an image of ones, without
/// normalisation.
pub(super) fn flow<E: Element>(trial: &mut Trial<'_, E>) -> Result<Rc<Flow>, Failure> {
    if let Some(flow) = &trial.flow {
        return Ok(flow.clone());
    }
    let absolute = absolute(trial.weights);
    let plan = &trial.network.plan;
    let fits = |sum: f64| sum.is_finite() && sum < LARGEST_SINGLE && sum > 1.0 / LARGEST_SINGLE;
    let gradients = trial.aside(plan, &ones(trial.graph()), &absolute, StatisticsOver::None, |pass| {
        let sum = pass.backward(Loss::Sum, &Wanted::default())?.loss;
        if size_of::<E>() < size_of::<f64>() && !fits(sum) {
            return Ok(None);
        }
        Ok(Some(pass.backward(Loss::Sum, &Wanted::params())?.params))
    })?;
    let flow = match gradients {
        Some(gradients) => Flow { weights: absolute.to_double(), gradients: gradients.to_double() },
        None => flow_in_double(trial, StatisticsOver::None)?,
    };
    Ok(trial.flow.insert(Rc::new(flow)).clone())
}

fn flow_in_double<E: Element>(trial: &mut Trial<'_, E>, statistics: StatisticsOver) -> Result<Flow, Failure> {
    let weights = absolute(trial.weights).to_double();
    let gradients = trial.in_double(&ones(trial.graph()), &weights, statistics, |pass| {
        Ok(pass.backward(Loss::Sum, &Wanted::params())?.params)
    })?;
    Ok(Flow { weights, gradients })
}

fn absolute<E: Element>(weights: &ParamSet<E>) -> ParamSet<E> {
    weights.clone().map(|w| if w < E::ZERO { E::ZERO - w } else { w })
}

/// An image of ones.
fn ones<E: Element>(graph: &Graph) -> Batch<E> {
    let shape = graph.shape(graph.input());
    Batch::from_nchw(1, shape, &vec![1.0; shape.elements()]).expect("as many ones as pixels")
}

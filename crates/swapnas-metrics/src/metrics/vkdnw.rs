use nalgebra::DMatrix;
use swapnas_graph::grad::{Elements, Loss, Pass, StatisticsOver, Wanted};
use swapnas_graph::{Element, Graph, Init, ParamKind};

use crate::definition::{Argument, Compute, Definition, Direction, Measure};
use crate::spectrum::eigenvalues;
use crate::trial::{Sizes, Takes, Trial, product};
use crate::undefined::Failure;
use crate::{Undefined, quantile};

pub(super) static VKDNW: Definition = Definition {
    name: "vkdnw",
    summary: "spectrum of the Fisher information of a few weights, and how many layers there are",
    formula: "number of parameters' tensors plus the entropy - sum q ln q of the deciles 0.1 to 0.9 of \
              the eigenvalues of the Fisher information matrix, scaled to sum 1; the matrix is the \
              mean over the samples of J^T (diag(p) - p p^T) J, with the Jacobian J of the logits with \
              respect to the first weight of each convolution and linear layer and of its bias, and p \
              = 0.95 softmax + 0.05 / classes",
    source: "Tybl and Neumann: Training-free Neural Architecture Search through Variance of Knowledge \
              of Deep Network Weights, CVPR 2025, and its code",
    direction: Direction::HigherIsBetter,
    cost: "one forward pass and a backward pass for each class but one, without gradients of weights \
              except the first ones",
    differences: "The released code takes the first weight of normalisations as well, and normalises with \
              running statistics that were never updated, which changes nothing but a factor of sqrt(1 \
              + 1e-5) per layer; here normalisations are left out. entropy=1 gives the entropy alone, \
              VKDNW in the paper, whose VKDNW_single adds the number of layers.",
    arguments: &[
        Argument::switch("entropy", "whether to leave out the number of layers"),
        Argument::images(16.0),
    ],
    init: Init::KaimingNormal,
    repeats: 1,
    compute: Compute::passes::<Vkdnw>(),
};

struct Vkdnw;

impl Measure for Vkdnw {
    fn takes(sizes: &Sizes<'_>, arguments: &[f64]) -> Takes {
        let images = sizes.batch.min(arguments[1] as usize);
        let (first, graph) = (sizes.passes(&sizes.network.plan, images), &sizes.network.graph);
        let wanted = Wanted { params: Elements::First, ..Wanted::default() };
        let passes = first.forward().saturating_add(first.back(None, &wanted, true));
        let (params, classes) = (graph.params().len(), graph.shape(graph.outputs()[0]).elements());
        // The Jacobian, with a list for each class and image, and the logits with their gradients.
        let jacobian = product([classes, images, params.saturating_add(5) * size_of::<f64>()]);
        let matrix = product([params, params, 4 * size_of::<f64>()]);
        Takes { passes, own: jacobian.saturating_add(matrix), ..Takes::default() }
    }
    fn measure<E: Element>(trial: &mut Trial<'_, E>, arguments: &[f64]) -> Result<f64, Failure> {
        let &[entropy_alone, images] = arguments else { unreachable!("it has two arguments") };
        let first = &trial.shared.first.images;
        let images = first.first(first.samples().min(images as usize));
        let (graph, plan, weights) = (trial.graph(), &trial.network.plan, trial.weights);
        let eigenvalues = trial.aside(plan, &images, weights, StatisticsOver::None, |pass| {
            let logits = pass.value(graph.outputs()[0]).expect("outputs are computed");
            information(pass, graph, &logits)
        })?;
        let deciles: Vec<f64> =
            (1..10).map(|k| quantile(&eigenvalues, f64::from(k) / 10.0).max(0.0)).collect();
        let sum: f64 = deciles.iter().sum();
        if sum == 0.0 {
            return Err(Undefined::Zero("the sum of the deciles of the eigenvalues").into());
        }
        let shares = deciles.iter().map(|decile| decile / sum).filter(|share| *share > 0.0);
        let entropy = -shares.map(|share| share * libm::log(share)).sum::<f64>();
        Ok(if entropy_alone == 1.0 { entropy } else { graph.params().len() as f64 + entropy })
    }
}

/// How much the probabilities are moved towards equal ones.
const SMOOTHING: f64 = 0.05;

/// The eigenvalues of the Fisher information matrix in ascending order.
fn information<E: Element>(
    pass: &mut Pass<'_, E>,
    graph: &Graph,
    logits: &[f64],
) -> Result<Vec<f64>, Failure> {
    let value = graph.outputs()[0];
    let classes = graph.shape(value).elements();
    let samples = logits.len() / classes;
    let counts = |kind| !matches!(kind, ParamKind::NormWeight | ParamKind::NormBias);
    let columns: Vec<usize> = (0..graph.params().len()).filter(|i| counts(graph.params()[*i].kind)).collect();
    // [class][sample][parameter], less that of the last class.
    let mut jacobian = vec![vec![vec![0.0; columns.len()]; samples]; classes];
    // The matrix is a covariance over the classes, which stays the same if all of them are taken as
    // differences from the last.
    for (class, rows) in jacobian[..classes - 1].iter_mut().enumerate() {
        let of = |c: usize| f64::from(c == class) - f64::from(c == classes - 1);
        let gradient: Vec<f64> = (0..logits.len()).map(|i| of(i % classes)).collect();
        let loss = Loss::Product { value, gradient: &gradient };
        let wanted = Wanted { params: Elements::First, ..Wanted::default() };
        pass.backward_by_sample(loss, &wanted, |id, of| {
            if let Ok(column) = columns.binary_search(&id.index()) {
                for (sample, row) in rows.iter_mut().enumerate() {
                    row[column] = of.get(sample, 0).to_f64();
                }
            }
        })?;
    }
    let mut information = DMatrix::<f64>::zeros(columns.len(), columns.len());
    for (sample, logits) in logits.chunks_exact(classes).enumerate() {
        let probabilities = smoothed_softmax(logits);
        let mut mean = vec![0.0; columns.len()];
        for (p, rows) in probabilities.iter().zip(&jacobian) {
            mean.iter_mut().zip(&rows[sample]).for_each(|(mean, x)| *mean += p * x);
        }
        for (p, rows) in probabilities.iter().zip(&jacobian) {
            let centred: Vec<f64> = rows[sample].iter().zip(&mean).map(|(x, mean)| x - mean).collect();
            for (i, a) in centred.iter().enumerate() {
                for (j, b) in centred.iter().enumerate() {
                    information[(i, j)] += p * a * b / samples as f64;
                }
            }
        }
    }
    Ok(eigenvalues(information).ok_or(Undefined::NotFinite(f64::NAN))?)
}

fn smoothed_softmax(logits: &[f64]) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = logits.iter().map(|x| libm::exp(x - largest)).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|p| p / sum * (1.0 - SMOOTHING) + SMOOTHING / logits.len() as f64).collect()
}

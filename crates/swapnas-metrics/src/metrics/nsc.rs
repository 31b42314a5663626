use swapnas_graph::tensor::TensorOp;
use swapnas_graph::{Conv2d, Graph, Init, Linear, Op};

use crate::Undefined;
use crate::definition::{Compute, Definition, Direction};

pub(super) static NSC: Definition = Definition {
    name: "nsc",
    summary: "capacity of random matrices of the shapes of the weights",
    formula: "sum over the weights of convolutions and linear layers of E ln det(I + W^T W), where W is a matrix of m \
              outputs and n inputs (channels times taps; one for each group) with entries of variance 2 / (m + n), by \
              the law of Marchenko and Pastur, as for large matrices",
    source: "NSC-MP in public code of 2026 that compares proxies on FlexiBERT, GPT-2, AutoFormer and MobileNetV3; the logarithm of \
             the determinant in closed form: Tulino and \
             Verdu: Random Matrix Theory and Wireless Communications, 2004, example 2.14",
    direction: Direction::HigherIsBetter,
    cost: "the graph alone; nothing is run",
    differences: "That code has lists of matrices for each of its search spaces, joins queries, keys and values to one \
                  matrix and divides the width of stacked feed-forward layers by their number; here, every weight counts \
                  as it is, the classifier included.",
    arguments: &[],
    init: Init::XavierNormal,
    repeats: 1,
    compute: Compute::Graph(capacity),
};

fn capacity(graph: &Graph) -> Result<f64, Undefined> {
    let mut total = None;
    for node in graph.nodes() {
        let (weight, groups) = match node.op {
            Op::Conv2d(Conv2d { weight, groups, .. }) => (weight, groups),
            Op::Linear(Linear { weight, .. }) => (weight, 1),
            // From a pixel to all that it is added to: the transpose of a matrix has the same determinant.
            Op::Tensor(TensorOp::ConvTranspose(of)) => (of.weight, of.groups),
            _ => continue,
        };
        let shape = &graph.param(weight).shape;
        let inputs: usize = shape[1..].iter().product();
        *total.get_or_insert(0.0) += groups as f64 * log_determinant(shape[0] / groups, inputs);
    }
    total.ok_or(Undefined::NoWeights)
}

/// E ln det(I + W^T W) of a large matrix of that many rows and columns, whose entries have the variance 2 / (rows +
/// columns).
fn log_determinant(rows: usize, columns: usize) -> f64 {
    let (long, short) = (rows.max(columns) as f64, rows.min(columns) as f64);
    let (ratio, power) = (short / long, 2.0 * long / (long + short));
    let root = |sign: f64| (power * (1.0 + sign * ratio.sqrt()).powi(2) + 1.0).sqrt();
    let f = (root(1.0) - root(-1.0)).powi(2);
    let of_each = libm::log(1.0 + power - f / 4.0) + libm::log(1.0 + power * ratio - f / 4.0) / ratio
        - f / (4.0 * ratio * power);
    short * of_each
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    /// The integral of ln(1 + power x) over the density of Marchenko and Pastur.
    fn integral(rows: usize, columns: usize) -> f64 {
        let (long, short) = (rows.max(columns) as f64, rows.min(columns) as f64);
        let (ratio, power) = (short / long, 2.0 * long / (long + short));
        let edge = |sign: f64| (1.0 + sign * ratio.sqrt()).powi(2);
        let (low, high) = (edge(-1.0), edge(1.0));
        let steps = 200_000;
        // With x = middle + radius cos t, the root at both edges becomes smooth.
        let (middle, radius) = ((low + high) / 2.0, (high - low) / 2.0);
        let of = |step: usize| {
            let t = PI * (step as f64 + 0.5) / f64::from(steps);
            let x = middle + radius * t.cos();
            (1.0 + power * x).ln() * (radius * t.sin()).powi(2) / (2.0 * PI * ratio * x)
        };
        short * (0..steps as usize).map(of).sum::<f64>() * PI / f64::from(steps)
    }

    #[test]
    fn the_closed_form_is_the_integral() {
        for (rows, columns) in [(256, 256), (1024, 256), (16, 27), (1, 9), (512, 128)] {
            let (found, expected) = (log_determinant(rows, columns), integral(rows, columns));
            assert!((found / expected - 1.0).abs() < 1e-6, "{rows} {columns}: {found}, not {expected}");
            assert_eq!(found, log_determinant(columns, rows));
        }
    }
}

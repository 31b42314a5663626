use nalgebra::DMatrix;
use swapnas_graph::{Element, Init};

use super::synflow::flow;
use crate::Undefined;
use crate::definition::{Compute, Definition, Direction, Measure};
use crate::spectrum::{eigenvalues, gram, gram_bytes};
use crate::trial::{Attention, Sizes, Takes, Trial, product};
use crate::undefined::Failure;

pub(super) static DSS: Definition = Definition {
    name: "dss",
    summary: "synaptic diversity of attention and synaptic saliency of everything else",
    formula: "sum over the weights W of the linear layers of attention (queries, keys, values, and what reads the \
              mixed values) of |W|* |dR/dW|*, the nuclear norms of the weights and of their gradients, plus the sum \
              over the weights w of all other layers of |w dR/dw|; R is the sum of the logits for an image of ones, \
              with all parameters replaced by their absolute values and without batch normalisation",
    source: "Zhou et al.: Training-free Transformer Architecture Search (TF-TAS), CVPR 2022",
    direction: Direction::HigherIsBetter,
    cost: "one forward and one backward pass of a single image, and the singular values of two matrices for each \
           layer of attention",
    differences: "The released code tells layers of attention by their names and shapes, and leaves out the \
                  classifier unless it has 10 classes; here, they are found in the graph, and all others count.",
    arguments: &[],
    init: Init::PyTorch,
    repeats: 1,
    compute: Compute::passes::<Dss>(),
};

struct Dss;

impl Measure for Dss {
    fn takes(sizes: &Sizes<'_>, _arguments: &[f64]) -> Takes {
        let graph = &sizes.network.graph;
        let of_layer = |id| {
            let shape = &graph.param(id).shape;
            // Once more in the other order.
            let numbers = product([shape[0], shape[1], 2 * size_of::<f64>()]);
            numbers.saturating_add(gram_bytes(shape[0].min(shape[1])))
        };
        let own = Attention::of(graph).layers.into_iter().map(of_layer).max().unwrap_or(0);
        Takes { flow: true, own, ..Takes::default() }
    }

    fn measure<E: Element>(trial: &mut Trial<'_, E>, _arguments: &[f64]) -> Result<f64, Failure> {
        let attention = Attention::of(trial.graph());
        if attention.layers.is_empty() {
            return Err(Undefined::NoAttention.into());
        }
        let flow = flow(trial)?;
        let mut sum = 0.0;
        for layer in trial.layers().iter() {
            let (weights, gradients) = (flow.weights.get(layer.weight), flow.gradients.get(layer.weight));
            sum += if attention.layers.contains(&layer.weight) {
                let rows = trial.graph().param(layer.weight).shape[0];
                let norm = |numbers| nuclear_norm(numbers, rows).ok_or(Undefined::NotFinite(f64::NAN));
                norm(weights)? * norm(gradients)?
            } else {
                weights.iter().zip(gradients).map(|(w, g)| (w * g).abs()).sum()
            };
        }
        Ok(sum)
    }
}

/// The sum of the singular values of a matrix of so many rows; `None` if it is not finite.
fn nuclear_norm(numbers: &[f64], rows: usize) -> Option<f64> {
    let columns = numbers.len() / rows;
    // The products of the longer side's vectors would have the same eigenvalues, and zeros.
    let vectors: Vec<Vec<f64>> = if rows <= columns {
        numbers.chunks_exact(columns).map(<[f64]>::to_vec).collect()
    } else {
        let matrix = DMatrix::from_row_slice(rows, columns, numbers);
        matrix.column_iter().map(|column| column.iter().copied().collect()).collect()
    };
    Some(eigenvalues(gram(&vectors))?.into_iter().map(|value| value.max(0.0).sqrt()).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nuclear_norms_are_sums_of_singular_values() {
        let numbers = [1.0, -2.0, 0.5, 3.0, 0.25, -1.0];
        for rows in [2, 3] {
            let matrix = DMatrix::from_row_slice(rows, 6 / rows, &numbers);
            let expected = matrix.singular_values().sum();
            assert!((nuclear_norm(&numbers, rows).unwrap() - expected).abs() < 1e-12);
        }
        assert_eq!(nuclear_norm(&[0.0; 4], 2), Some(0.0));
        assert_eq!(nuclear_norm(&[f64::NAN; 4], 2), None);
    }
}

use std::sync::Arc;

use swapnas_graph::grad::{GradientPlan, StatisticsOver};
use swapnas_graph::{Element, Graph, Init, Op, ValueId, Want};

use crate::Undefined;
use crate::definition::{Argument, Compute, Definition, Direction, Measure};
use crate::spectrum::{eigenvalues, gram, gram_bytes, standardised_bytes};
use crate::trial::{Sizes, Takes, Trial};
use crate::undefined::Failure;

pub(super) static W_PCA: Definition = Definition {
    name: "w-pca",
    summary: "principal components of feed-forward layers, times the number of parameters",
    formula: "number of parameters times the sum over the hidden layers of feed-forward networks (linear layers whose \
              results an activation reads) of how many principal components make up the share of 0.99 of the variance \
              of what the layer returns, over the tokens of all samples; of more than 512 tokens, as many are taken, one of \
              every stretch of equal length, at a place in it that moves on",
    source: "Wang: W-PCA Based Gradient-Free Proxy for Efficient Search of Lightweight Language Models, ICLR 2025",
    direction: Direction::HigherIsBetter,
    cost: "one forward pass, and the eigenvalues of a matrix for each hidden layer",
    differences: "The paper has one hidden layer in each block; here, all of them count. It takes all tokens of a batch.",
    arguments: &[
        Argument {
            name: "share",
            default: Some(0.99),
            meaning: "share of the variance that components make up",
            allows: |share| share > 0.0 && share < 1.0,
            allowed: "a number between 0 and 1",
        },
        Argument::switch("alone", "whether to leave out the number of parameters, as V-PCA does"),
    ],
    init: Init::PyTorch,
    repeats: 1,
    compute: Compute::passes::<WPca>(),
};

struct WPca;

/// Tokens that are looked at.
const TOKENS: usize = 512;

impl Measure for WPca {
    fn takes(sizes: &Sizes<'_>, _arguments: &[f64]) -> Takes {
        let graph = &sizes.network.graph;
        let hidden = hidden_layers(graph);
        let plan = plan(graph, &hidden);
        let passes = sizes.passes(&plan, sizes.batch);
        let of_layer = |value: &ValueId| {
            let rows = standardised_bytes(2 * TOKENS, sizes.shape(*value).channels);
            passes.value(*value).saturating_add(rows).saturating_add(gram_bytes(TOKENS))
        };
        let own = hidden.iter().map(of_layer).max().unwrap_or(0);
        Takes { passes: passes.forward(), own, ..Takes::default() }
    }

    fn measure<E: Element>(trial: &mut Trial<'_, E>, arguments: &[f64]) -> Result<f64, Failure> {
        let &[share, alone] = arguments else { unreachable!("it has two arguments") };
        let graph = trial.graph();
        let hidden = hidden_layers(graph);
        if hidden.is_empty() {
            return Err(Undefined::NoFeedForward.into());
        }
        let plan = plan(&trial.network.graph, &hidden);
        let (images, weights) = (&trial.shared.first.images, trial.weights);
        let sum = trial.aside(&plan, images, weights, StatisticsOver::Batch, |pass| {
            let mut sum = 0;
            for value in &hidden {
                let numbers = pass.value(*value).expect("the plan computes it");
                let rows = centred_tokens(&numbers, graph.shape(*value).channels, images.samples());
                sum += components(&rows, share).ok_or(Undefined::NotFinite(f64::NAN))?;
            }
            Ok(sum)
        })?;
        let factor = if alone == 1.0 { 1.0 } else { graph.parameter_count() as f64 };
        Ok(factor * sum as f64)
    }
}

/// What linear layers return that activations read.
fn hidden_layers(graph: &Graph) -> Vec<ValueId> {
    let read = graph.nodes().iter().filter(|node| matches!(node.op, Op::Act(_))).map(|node| node.inputs[0]);
    let mut hidden: Vec<ValueId> =
        read.filter(|value| matches!(graph.node(*value).op, Op::Linear(_))).collect();
    hidden.sort_unstable();
    hidden.dedup();
    hidden
}

fn plan(graph: &Arc<Graph>, values: &[ValueId]) -> GradientPlan {
    GradientPlan::new(graph.clone(), &Want { signs: false, values: values.to_vec() })
}

/// Of numbers `[sample][channel][token]`, the channels of tokens, less the mean of each channel over them.
fn centred_tokens(numbers: &[f64], channels: usize, samples: usize) -> Vec<Vec<f64>> {
    let tokens = numbers.len() / (channels * samples);
    let (all, count) = (samples * tokens, (samples * tokens).min(TOKENS));
    // With one distance for all, texts of a length that divides it would be looked at in one place.
    let place = |row: usize| {
        let (start, end) = (row * all / count, (row + 1) * all / count);
        start + row % (end - start)
    };
    let of_token = |token: usize| -> Vec<f64> {
        let first = token / tokens * channels * tokens + token % tokens;
        numbers[first..].iter().step_by(tokens).take(channels).copied().collect()
    };
    let mut rows: Vec<Vec<f64>> = (0..count).map(place).map(of_token).collect();
    for channel in 0..channels {
        let mean = rows.iter().map(|row| row[channel]).sum::<f64>() / rows.len() as f64;
        rows.iter_mut().for_each(|row| row[channel] -= mean);
    }
    rows
}

/// How many principal components make up a share of the variance; `None` if it is not finite.
fn components(rows: &[Vec<f64>], share: f64) -> Option<usize> {
    // The products of rows have the eigenvalues of the covariance, but for a factor.
    let variances: Vec<f64> = eigenvalues(gram(rows))?.into_iter().map(|value| value.max(0.0)).collect();
    let wanted = share * variances.iter().sum::<f64>();
    let mut sum = 0.0;
    let fewer = variances.iter().rev().take_while(|variance| {
        let before = sum;
        sum += **variance;
        before < wanted
    });
    Some(fewer.count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_counted_until_they_make_up_the_share() {
        // Variances 16, 4 and 1 along three axes: 76 %, 95 % and all.
        let rows: Vec<Vec<f64>> = [[4.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 1.0]]
            .iter()
            .flat_map(|row| [row.to_vec(), row.iter().map(|x| -x).collect()])
            .collect();
        assert_eq!(components(&rows, 0.5), Some(1));
        assert_eq!(components(&rows, 0.9), Some(2));
        assert_eq!(components(&rows, 0.99), Some(3));
        assert_eq!(components(&[vec![0.0; 3], vec![0.0; 3]], 0.99), Some(0));
        assert_eq!(components(&[vec![f64::NAN]], 0.99), None);
    }

    #[test]
    fn tokens_are_rows_with_their_channels() {
        // Two samples with two channels of two tokens.
        let rows = centred_tokens(&[1.0, 2.0, 10.0, 20.0, 3.0, 6.0, 30.0, 40.0], 2, 2);
        assert_eq!(rows, [[-2.0, -15.0], [-1.0, -5.0], [0.0, 5.0], [3.0, 15.0]]);
        // Of many texts, not the first tokens alone: here, a token is its place in its text.
        for (samples, tokens) in [(512, 4), (16, 33), (7, 100)] {
            let numbers: Vec<f64> = (0..samples).flat_map(|_| (0..tokens).map(|t| t as f64)).collect();
            let rows = centred_tokens(&numbers, 1, samples);
            assert_eq!(rows.len(), 512);
            let mut places: Vec<i64> = rows.iter().map(|row| (row[0] * 1e6) as i64).collect();
            places.sort_unstable();
            places.dedup();
            assert!(10 * places.len() >= 9 * tokens, "{} of {tokens}", places.len());
        }
    }
}

use swapnas_graph::grad::{Loss, StatisticsOver, Wanted};
use swapnas_graph::{Element, Init, Shape, ValueId};

use super::az_expressivity::IMAGES;
use crate::Undefined;
use crate::definition::{Compute, Definition, Direction, Measure};
use crate::spectrum::{dot, eigenvalues, gram, gram_bytes};
use crate::trial::{Sizes, Takes, Trial, blocks, product};
use crate::undefined::Failure;

pub(super) static AZ_TRAINABILITY: Definition = Definition {
    name: "az-trainability",
    summary: "AZ-NAS trainability: how evenly gradients pass through each block",
    formula: "mean over consecutive blocks of 2 - s - 1 / (s + 1e-6), s being the largest singular \
              value of the mean over pixels and the first four images of B^T G, with random signs G as \
              the gradient of a block's features and B the gradient of those before it; where these \
              have more pixels, neighbouring pixels count as channels",
    source: "Lee and Ham: AZ-NAS, CVPR 2024",
    direction: Direction::HigherIsBetter,
    cost: "one forward pass of four images and a backward pass through each block",
    differences: "A block that passes its gradient on unchanged has the value minus infinity in the \
              released code; here the metric is undefined.",
    arguments: &[],
    init: Init::KaimingNormal,
    repeats: 1,
    compute: Compute::passes::<AzTrainability>(),
};

struct AzTrainability;

impl Measure for AzTrainability {
    fn takes(sizes: &Sizes<'_>, _arguments: &[f64]) -> Takes {
        let values = blocks(&sizes.network.graph);
        let images = sizes.batch.min(IMAGES);
        let plan = sizes.network.plan(values.clone());
        let passes = sizes.passes(&plan, images);
        let of_pair = |pair: &[ValueId]| {
            let (from, to) = (sizes.shape(pair[0]), sizes.shape(pair[1]));
            let back = passes.back(Some(pair[1]), &Wanted::value(pair[0]), false);
            // Gradients before and after the block, as they are and by channel, and their products.
            let numbers = product([from.elements().saturating_add(to.elements()), images, 4]);
            let rows = from.elements() / to.pixels().max(1);
            let products = product([rows, to.channels, 3, size_of::<f64>()]);
            let gram = gram_bytes(rows.min(to.channels));
            (back, numbers.saturating_mul(size_of::<f64>()).saturating_add(products).saturating_add(gram))
        };
        let (back, own) = values.windows(2).map(of_pair).fold((0, 0), |a, b| (a.0.max(b.0), a.1.max(b.1)));
        Takes { passes: passes.forward().saturating_add(back), own, ..Takes::default() }
    }

    fn measure<E: Element>(trial: &mut Trial<'_, E>, _arguments: &[f64]) -> Result<f64, Failure> {
        let values = blocks(trial.graph());
        if values.len() < 2 {
            return Err(Undefined::Blocks(values.len()).into());
        }
        let first = &trial.shared.first.images;
        let images = first.first(first.samples().min(IMAGES));
        let plan = trial.network.plan(values.clone());
        let (weights, graph, signs) = (trial.weights, trial.graph(), &trial.shared.signs);
        trial.aside(&plan, &images, weights, StatisticsOver::Batch, |pass| {
            let mut sum = 0.0;
            for (block, pair) in values.windows(2).enumerate() {
                let (from, to) = (graph.shape(pair[0]), graph.shape(pair[1]));
                if from.height % to.height != 0 || from.width % to.width != 0 {
                    return Err(Undefined::Uneven(block + 1).into());
                }
                let forward = signs.of_block(block, images.samples() * to.elements());
                let loss = Loss::Product { value: pair[1], gradient: &forward };
                let back = pass.backward(loss, &Wanted::value(pair[0]))?.values.remove(0);
                if back == forward {
                    return Err(Undefined::Unchanged(block + 1).into());
                }
                let s = largest_singular_value(&back, from, &forward, to)?;
                sum += 2.0 - s - 1.0 / (s + 1e-6);
            }
            Ok(sum / (values.len() - 1) as f64)
        })
    }
}

/// Of the mean of B^T G over samples and the pixels of G.
fn largest_singular_value(b: &[f64], from: Shape, g: &[f64], to: Shape) -> Result<f64, Failure> {
    let b = unshuffled(b, from, to);
    let g = unshuffled(g, to, to);
    let places = g[0].len() as f64;
    let product = |b: &Vec<f64>| g.iter().map(|g| dot(b, g) / places).collect::<Vec<f64>>();
    let mut products: Vec<Vec<f64>> = b.iter().map(product).collect();
    // The smaller of the two Gram matrices has the same largest eigenvalue.
    if products.len() > g.len() {
        products = (0..g.len()).map(|column| products.iter().map(|row| row[column]).collect()).collect();
    }
    let values = eigenvalues(gram(&products)).ok_or(Undefined::NotFinite(f64::NAN))?;
    Ok(values.last().map_or(0.0, |largest| largest.max(0.0).sqrt()))
}

/// For each channel its numbers over samples and pixels of `to`; of an image that is a whole number of
/// times as large, the pixels that belong to one of `to` are channels.
fn unshuffled(numbers: &[f64], from: Shape, to: Shape) -> Vec<Vec<f64>> {
    let (down, across) = (from.height / to.height, from.width / to.width);
    let mut channels = vec![Vec::new(); from.channels * down * across];
    for sample in numbers.chunks_exact(from.elements()) {
        for (channel, numbers) in channels.iter_mut().enumerate() {
            let (c, dy, dx) = (channel / (down * across), channel / across % down, channel % across);
            for row in 0..to.height {
                let start = (c * from.height + row * down + dy) * from.width + dx;
                numbers.extend((0..to.width).map(|column| sample[start + column * across]));
            }
        }
    }
    channels
}

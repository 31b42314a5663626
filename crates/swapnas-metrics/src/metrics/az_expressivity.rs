use std::rc::Rc;

use swapnas_graph::grad::StatisticsOver;
use swapnas_graph::{Element, Init, ValueId};

use crate::Undefined;
use crate::definition::{Compute, Definition, Direction, Measure};
use crate::spectrum::{eigenvalues, gram, gram_bytes};
use crate::trial::{Sizes, Takes, Trial, blocks, product};
use crate::undefined::Failure;

pub(super) static AZ_EXPRESSIVITY: Definition = Definition {
    name: "az-expressivity",
    summary: "AZ-NAS expressivity: entropy of the principal components of the features",
    formula: "sum over the stem and all blocks of - sum p ln(p + 1e-8), p being the eigenvalues of the \
              covariance matrix of the channels, scaled to sum 1, over all pixels of the first four \
              images",
    source: "Lee and Ham: AZ-NAS, CVPR 2024",
    direction: Direction::HigherIsBetter,
    cost: "one forward pass of four images, shared with az-progressivity",
    differences: "Tiny negative eigenvalues, for which the released code gives minus infinity in single \
              precision, count as 0.",
    arguments: &[],
    init: Init::KaimingNormal,
    repeats: 1,
    compute: Compute::passes::<AzExpressivity>(),
};

struct AzExpressivity;

impl Measure for AzExpressivity {
    fn takes(sizes: &Sizes<'_>, _arguments: &[f64]) -> Takes {
        taken(sizes)
    }

    fn measure<E: Element>(trial: &mut Trial<'_, E>, _arguments: &[f64]) -> Result<f64, Failure> {
        Ok(entropies(trial)?.iter().sum())
    }
}

/// How many images AZ-NAS looks at.
pub(super) const IMAGES: usize = 4;

/// What [`entropies`] take.
pub(super) fn taken(sizes: &Sizes<'_>) -> Takes {
    let values = blocks(&sizes.network.graph);
    let plan = sizes.network.plan(values.clone());
    let passes = sizes.passes(&plan, sizes.batch.min(IMAGES));
    let of_value = |value: &ValueId| {
        let shape = sizes.shape(*value);
        let rows = product([shape.elements(), IMAGES, size_of::<f64>()]);
        passes.value(*value).saturating_add(rows).saturating_add(gram_bytes(shape.channels))
    };
    let own = values.iter().map(of_value).max().unwrap_or(0);
    Takes { passes: passes.forward(), own, ..Takes::default() }
}

/// The entropy of the features of each block.
pub(super) fn entropies<E: Element>(trial: &mut Trial<'_, E>) -> Result<Rc<Vec<f64>>, Failure> {
    if let Some(entropies) = &trial.entropies {
        return Ok(entropies.clone());
    }
    let values = blocks(trial.graph());
    if values.len() < 2 {
        return Err(Undefined::Blocks(values.len()).into());
    }
    let first = &trial.shared.first.images;
    let images = first.first(first.samples().min(IMAGES));
    let (plan, weights, graph) = (trial.network.plan(values.clone()), trial.weights, trial.graph());
    let entropies = trial.aside(&plan, &images, weights, StatisticsOver::Batch, |pass| {
        let of_block = |value: &ValueId| {
            let numbers = pass.value(*value).expect("the plan computes it");
            let shape = graph.shape(*value);
            entropy(&numbers, shape.channels, shape.pixels())
        };
        values.iter().map(of_block).collect::<Result<Vec<f64>, Failure>>()
    })?;
    Ok(trial.entropies.insert(Rc::new(entropies)).clone())
}

/// Of numbers `[sample][channel][pixel]`.
fn entropy(numbers: &[f64], channels: usize, pixels: usize) -> Result<f64, Failure> {
    let mut rows: Vec<Vec<f64>> = vec![Vec::with_capacity(numbers.len() / channels); channels];
    for (index, numbers) in numbers.chunks_exact(pixels).enumerate() {
        rows[index % channels].extend(numbers);
    }
    for row in &mut rows {
        let mean = row.iter().sum::<f64>() / row.len() as f64;
        for x in row.iter_mut() {
            *x -= mean;
        }
    }
    let values = eigenvalues(gram(&rows)).ok_or(Undefined::NotFinite(f64::NAN))?;
    let values: Vec<f64> = values.iter().map(|v| v.max(0.0)).collect();
    let sum: f64 = values.iter().sum();
    if sum == 0.0 {
        return Err(Undefined::Zero("the variance of the features of a block").into());
    }
    Ok(-values.iter().map(|v| v / sum * libm::log(v / sum + 1e-8)).sum::<f64>())
}

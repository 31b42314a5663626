use swapnas_graph::grad::{Loss, Pass, StatisticsOver, Wanted};
use swapnas_graph::{Element, Init, ParamKind};

use crate::Undefined;
use crate::definition::{Argument, Compute, Definition, Direction, Measure};
use crate::spectrum::{eigenvalues, gram, gram_bytes};
use crate::trial::{Sizes, Takes, Trial, product};
use crate::undefined::Failure;

pub(super) static NTK: Definition = Definition {
    name: "ntk",
    summary: "condition number of the neural tangent kernel",
    formula: "largest over smallest eigenvalue of the matrix of products of the samples' gradients: \
              for each sample the gradient of the sum of its logits with respect to all weights, those \
              of normalisations included, biases and embeddings not",
    source: "Chen et al.: TE-NAS, ICLR 2021",
    direction: Direction::LowerIsBetter,
    cost: "one forward pass and a backward pass for each image",
    differences: "Normalisation takes the statistics of the batch, so the logits of a sample depend on all \
              samples. AZ-NAS returns minus the condition number and replaces what is no number by \
              100000; here it is undefined. Only the first images of a batch are used, as many as \
              given.",
    arguments: &[Argument::images(16.0)],
    init: Init::KaimingNormal,
    repeats: 1,
    compute: Compute::passes::<Ntk>(),
};

struct Ntk;

impl Measure for Ntk {
    fn takes(sizes: &Sizes<'_>, arguments: &[f64]) -> Takes {
        let images = sizes.batch.min(arguments[0] as usize);
        let pass = images == sizes.batch;
        let first = sizes.passes(&sizes.network.plan, images);
        let back = first.back(None, &Wanted::params(), false);
        let passes = if pass { back } else { first.forward().saturating_add(back) };
        // A row for each image, and another while it is put together.
        let rows = product([sizes.params(), images.saturating_add(1), sizes.number]);
        Takes { pass, passes, own: rows.saturating_add(gram_bytes(images)), ..Takes::default() }
    }

    fn measure<E: Element>(trial: &mut Trial<'_, E>, arguments: &[f64]) -> Result<f64, Failure> {
        let first = &trial.shared.first.images;
        let images = first.samples().min(arguments[0] as usize);
        let twins = trial.compared()?;
        // The kernel has two rows that are equal, so its smallest eigenvalue is a rounding error.
        if let Some((image, twin)) = twins[..images].iter().enumerate().find(|(image, twin)| image != *twin) {
            return Err(Undefined::Twins(*twin, image).into());
        }
        let values = if images == first.samples() {
            kernel(trial.pass()?, images)?
        } else {
            let (plan, weights) = (&trial.network.plan, trial.weights);
            trial.aside(plan, &first.first(images), weights, StatisticsOver::Batch, |pass| {
                kernel(pass, images)
            })?
        };
        match values[0] {
            smallest if smallest > 0.0 => Ok(values[images - 1] / smallest),
            _ => Err(Undefined::Zero("the smallest eigenvalue of the kernel").into()),
        }
    }
}

/// The eigenvalues of the kernel over the first `images` samples, in ascending order.
fn kernel<E: Element>(pass: &mut Pass<'_, E>, images: usize) -> Result<Vec<f64>, Failure> {
    let kinds: Vec<ParamKind> = pass.graph().params().iter().map(|param| param.kind).collect();
    let mut rows: Vec<Vec<E>> = Vec::with_capacity(images);
    for sample in 0..images {
        let gradients = pass.backward(Loss::SumOf(sample), &Wanted::params())?.params;
        let weights = gradients.iter().zip(&kinds).filter(|(_, kind)| {
            matches!(kind, ParamKind::ConvWeight | ParamKind::LinearWeight | ParamKind::NormWeight)
        });
        rows.push(weights.map(|(numbers, _)| numbers).collect::<Vec<_>>().concat());
    }
    Ok(eigenvalues(gram(&rows)).ok_or(Undefined::NotFinite(f64::NAN))?)
}

use std::collections::BTreeMap;

use crate::Undefined;
use crate::definition::{Compute, Definition, Direction, Measure};
use crate::spectrum::{gram, gram_bytes, standardised, standardised_bytes};
use crate::trial::{Sizes, Takes, Trial};
use crate::undefined::Failure;
use swapnas_graph::{Element, Init};

pub(super) static EPE_NAS: Definition = Definition {
    name: "epe_nas",
    summary: "how alike the network reacts to images of one class",
    formula: "sum over the classes of |sum over all entries m of ln(|m| + 1e-5)|, m being the \
              correlations of those rows of the Jacobian that belong to the class. With more than 100 \
              classes, the sum of each class is divided by its number of images, and the result is the \
              sum over all pairs of classes of the absolute difference, divided by the number of \
              classes",
    source: "Lopes et al.: EPE-NAS, ICANN 2021; NASLib",
    direction: Direction::HigherIsBetter,
    cost: "one forward and one backward pass, shared with jacov",
    differences: "The form for more than 100 classes follows NASLib's. Classes without images do not \
              count. Labels are drawn at random where the images have none.",
    arguments: &[],
    init: Init::PyTorch,
    repeats: 1,
    compute: Compute::passes::<EpeNas>(),
};

/// Up to this number of classes their correlations are added up.
const FEW_CLASSES: usize = 100;

struct EpeNas;

impl Measure for EpeNas {
    fn takes(sizes: &Sizes<'_>, _arguments: &[f64]) -> Takes {
        let rows = standardised_bytes(sizes.batch, sizes.pixels());
        let own = rows.saturating_add(gram_bytes(sizes.batch));
        Takes { pass: true, jacobian: true, own, ..Takes::default() }
    }

    fn measure<E: Element>(trial: &mut Trial<'_, E>, _arguments: &[f64]) -> Result<f64, Failure> {
        let labels = &trial.shared.first.labels;
        let twins = trial.compared()?;
        let differ = |(image, twin): (usize, &usize)| {
            let alike = labels.iter().zip(&twins[..image]);
            let mut others = alike.filter(|(label, _)| **label == labels[image]);
            others.any(|(_, other)| other != twin)
        };
        if !twins.iter().enumerate().any(differ) {
            return Err(Undefined::Singles.into());
        }
        if trial.classes() > FEW_CLASSES && labels.iter().all(|label| *label == labels[0]) {
            return Err(Undefined::OneLabel.into());
        }
        let jacobian = trial.jacobian()?;
        let pixels = trial.graph().shape(trial.graph().input()).elements();
        let rows = standardised(jacobian.chunks_exact(pixels));
        let mut classes: BTreeMap<usize, Vec<Vec<f64>>> = BTreeMap::new();
        for (label, row) in trial.shared.first.labels.iter().zip(rows) {
            let row =
                row.ok_or(Undefined::Constant("the gradient of an image is the same for all pixels"))?;
            classes.entry(*label).or_default().push(row);
        }
        let classes: Vec<(f64, usize)> =
            classes.values().map(|rows| (log_correlations(rows), rows.len())).collect();
        if trial.classes() <= FEW_CLASSES {
            return Ok(classes.iter().map(|(sum, _)| sum.abs()).sum());
        }
        let means: Vec<f64> = classes.iter().map(|(sum, images)| sum / *images as f64).collect();
        let pairs = means.iter().flat_map(|a| means.iter().map(move |b| (a - b).abs()));
        Ok(pairs.sum::<f64>() / means.len() as f64)
    }
}

fn log_correlations(rows: &[Vec<f64>]) -> f64 {
    gram(rows).iter().map(|m| libm::log(m.abs() + 1e-5)).sum()
}

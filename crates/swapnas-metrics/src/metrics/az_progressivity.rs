use swapnas_graph::{Element, Init};

use super::az_expressivity::{entropies, taken};
use crate::definition::{Compute, Definition, Direction, Measure};
use crate::trial::{Sizes, Takes, Trial};
use crate::undefined::Failure;

pub(super) static AZ_PROGRESSIVITY: Definition = Definition {
    name: "az-progressivity",
    summary: "AZ-NAS progressivity: how steadily the entropy of features grows",
    formula: "the smallest difference between the entropies of consecutive blocks, see az-expressivity",
    source: "Lee and Ham: AZ-NAS, CVPR 2024",
    direction: Direction::HigherIsBetter,
    cost: "one forward pass of four images, shared with az-expressivity",
    differences: "See az-expressivity.",
    arguments: &[],
    init: Init::KaimingNormal,
    repeats: 1,
    compute: Compute::passes::<AzProgressivity>(),
};

struct AzProgressivity;

impl Measure for AzProgressivity {
    fn takes(sizes: &Sizes<'_>, _arguments: &[f64]) -> Takes {
        taken(sizes)
    }

    fn measure<E: Element>(trial: &mut Trial<'_, E>, _arguments: &[f64]) -> Result<f64, Failure> {
        let entropies = entropies(trial)?;
        Ok(entropies.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min))
    }
}
